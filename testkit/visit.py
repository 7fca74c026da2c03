"""A visitor of the page: plain HTTP with a client of our own choice of headers, and the real browser."""

import json
import os
import signal
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Playwright,
    Request,
    expect,
    sync_playwright,
)
from playwright.sync_api import Error as BrowserError

from testkit.process import DaemonProcess

CHROMIUM = "/usr/bin/chromium"
WITHIN_S = 90.0
"""Every wait ends as soon as the thing is there; a machine of a quarter of the speed gets there, too."""


@dataclass
class PageAnswer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The document."""
        return json.loads(self.body)


@dataclass
class Visit:
    """Asks a page on loopback; `headers` go with every request."""

    port: int
    headers: dict[str, str] = field(default_factory=dict)
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        self._pool = urllib3.HTTPConnectionPool(
            self.host, self.port, maxsize=4, timeout=WITHIN_S, retries=False
        )

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> PageAnswer:
        """One request; `body` is sent as JSON."""
        given = {"X-Earwitness": "1", **self.headers, **(headers or {})}
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        answer = self._pool.request(method, path, body=content, headers=given, redirect=False)
        return PageAnswer(answer.status, answer.headers, answer.data)

    def get(self, path: str, **headers: str) -> PageAnswer:
        """A GET."""
        return self.ask("GET", path, headers={key.replace("_", "-"): value for key, value in headers.items()})

    def signed_in(self, password: str, name: str = "") -> "Visit":
        """The same, with the cookie of a session."""
        answer = self.ask("POST", "/api/session", {"password": password, "name": name})
        assert answer.status == 200, answer.body
        return Visit(
            self.port, {**self.headers, "Cookie": answer.headers["set-cookie"].partition(";")[0]}, self.host
        )

    def until(self, path: str, fits: Any) -> Any:
        """The document at `path` once it fits."""
        deadline_s = time.monotonic() + WITHIN_S
        found = None
        while time.monotonic() < deadline_s:
            try:
                answer = self.get(path)
                found = answer.json() if answer.status == 200 else answer.body
                if answer.status == 200 and fits(found):
                    return found
            except (urllib3.exceptions.HTTPError, OSError) as error:
                found = error
            time.sleep(0.05)
        raise AssertionError(f"{path}: {found!r:.400}")

    @contextmanager
    def stream(
        self, path: str = "/api/feed", headers: Mapping[str, str] | None = None
    ) -> Iterator[Iterator[dict[str, Any]]]:
        """The messages of the feed, as they come: `id`, `event` and `data`."""
        answer = self._pool.request(
            "GET", path, headers={**self.headers, **(headers or {})}, preload_content=False
        )
        try:
            yield _messages(answer)
        finally:
            answer.close()


def _messages(answer: Any) -> Iterator[dict[str, Any]]:
    message: dict[str, Any] = {}
    rest = b""
    for part in answer.stream(1):
        rest += part
        if not rest.endswith(b"\n"):
            continue
        line, rest = rest.decode().rstrip("\n"), b""
        name, _, value = line.partition(": ")
        if not line and "data" in message:
            yield message
            message = {}
        elif name == "data":
            message["data"] = json.loads(value)
        elif name in ("id", "event"):
            message[name] = value


def wait_for_port(port: int) -> None:
    """Return once somebody listens there."""
    deadline_s = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline_s:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the page does not open")


BROWSER_FAULTS = [
    "Target crashed",
    "Page crashed",
    "Target page, context or browser has been closed",
    "Connection closed",
]
"""What Playwright says when Chromium itself has died. Nothing on a page can ask for that: a machine without
memory does it. A test that says so begins anew, and is listed as such."""


class Chromium:
    """Debian's Chromium. Every page that it opens is watched: an error on the console, a report of the
    content security policy, and a request to anybody else fail the test that opened it."""

    def __enter__(self) -> "Chromium":
        expect.set_options(timeout=WITHIN_S * 1000)
        self._playwright: Playwright = sync_playwright().start()
        self._browser = self._launched()
        return self

    def __exit__(self, *exc: object) -> None:
        with suppress(BrowserError):
            self._browser.close()
        self._playwright.stop()

    def _launched(self) -> Browser:
        """As small containers need it: Docker gives /dev/shm 64 MB, in which a renderer that shares its
        pictures there dies; and no machine of ours has a graphics card."""
        return self._playwright.chromium.launch(
            executable_path=CHROMIUM,
            timeout=4 * WITHIN_S * 1000,
            args=[
                "--no-sandbox",
                "--disable-dev-shm-usage",
                "--disable-gpu",
                "--disable-software-rasterizer",
                "--mute-audio",
                "--autoplay-policy=no-user-gesture-required",
            ],
        )

    def kill(self, kind: str) -> None:
        """End Chromium's processes of this kind (`browser`, `renderer`) as a machine without memory does."""
        with suppress(BrowserError):
            session = self._browser.new_browser_cdp_session()
            for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
                if process["type"] == kind:
                    os.kill(process["id"], signal.SIGKILL)

    @contextmanager
    def page(
        self,
        address: str,
        *,
        width: int = 360,
        height: int = 740,
        allowed: tuple[str, ...] = (),
        begin: str = "",
        watched: bool = True,
        **more: Any,
    ) -> Iterator[Page]:
        """A page of its own; `allowed` are beginnings of messages that are no fault. With `begin` that is
        shown first, and the test goes to the address itself. Only with `watched` faults fail the test."""
        more = {"locale": "en-GB", "color_scheme": "light", "timezone_id": "UTC", **more}
        if not self._browser.is_connected():
            self._browser = self._launched()
        context: BrowserContext = self._browser.new_context(
            viewport={"width": width, "height": height}, service_workers="block", **more
        )
        faults: list[str] = []
        crashed: list[Page] = []
        origin = "/".join(address.split("/")[:3]) + "/"
        page = context.new_page()
        page.set_default_timeout(WITHIN_S * 1000)

        def said(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not message.text.startswith(allowed or ("\0",)):
                faults.append(f"console: {message.text}")

        def asked(request: Request) -> None:
            if not request.url.startswith((origin, "blob:", "data:")):
                faults.append(f"asked elsewhere: {request.url}")

        page.on("console", said)
        page.on("pageerror", lambda error: faults.append(f"error: {error}"))
        page.on("request", asked)
        page.on("crash", lambda one: crashed.append(one))  # Playwright takes no built-in
        try:
            page.goto(begin or address)
            yield page
            if faults and watched:
                raise AssertionError("\n".join(faults))
        except AssertionError as error:
            if crashed or not self._browser.is_connected():  # an expectation does not always say that it died
                raise AssertionError(f"{BROWSER_FAULTS[0]}: {error}") from error
            raise
        finally:
            with suppress(BrowserError):
                context.close()


def shots_folder() -> Path:
    """Where the pictures of the guide are."""
    return Path(__file__).parent.parent / "docs" / "pictures"


__all__ = ["Chromium", "DaemonProcess", "PageAnswer", "Visit", "shots_folder", "wait_for_port"]

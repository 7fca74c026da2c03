"""The thread that serves the page. It may fail, or be slow, without anything else noticing."""

import asyncio
import errno
import resource
import socket
import threading
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING, Any, Self

from monitor.errors import StoreError
from monitor.logs import get_logger
from monitor.web.access.visitors import INGRESS, is_within, networks
from monitor.web.page import Page

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

log = get_logger()

MOST_CONNECTIONS = 512
SHARE_OF_FILES = 4
"""At most one in so many file descriptors of the process is a visitor's: the rest is for cameras, brokers
and disks."""
REQUEST_S = 10.0
"""Whoever begins to say what they want does so within this time, or is hung up on."""
IDLE_S = 65
"""Longer than a proxy keeps a connection (nginx: 60 s), so that it is the proxy who closes it."""
BEGIN_S = 2.0
"""The page waits so long for the first sound. Its libraries take half a second of a processor to load, which
at a start belong to the microphones; who asks meanwhile is answered after it."""
STOP_S = 1.0
ANSWER_S = 0.3
"""What requests under way get at a stop: one may have changed the rule for which the daemon begins anew."""


class PageServer:
    """Serves `page` inside the `with` block. What cannot be opened is logged once; the daemon goes on."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = asyncio.Event()
        self._servers: list[Any] = []
        self._sockets: list[tuple[socket.socket, bool]] = []
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        """Listen at once, so that a port that is taken is logged at the start; serve in the thread."""
        web = self._page.config
        self._listen(web.host, web.port, ingress=False)
        if web.ingress is not None:
            self._listen("0.0.0.0", web.ingress.port, ingress=True)  # noqa: S104 - one address is answered
        if self._sockets:
            self._page.is_open = True
            self._thread.start()
        with suppress(StoreError):  # nobody knows whether there is a password, so nobody may set one
            if not self._page.is_local and not self._page.doors.has_password():
                self._page.one_time_code()
        return self

    def __exit__(self, *exc: object) -> None:
        self._page.release()
        for server in self._servers:
            server.should_exit = True
        loop = self._loop
        if loop is not None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._page.close_streams)
                loop.call_soon_threadsafe(self._ended.set)
        if self._thread.ident is not None:
            self._thread.join(ANSWER_S)
            for server in self._servers:
                server.force_exit = True
            self._thread.join(STOP_S)
        for open_socket, _ in self._sockets:
            open_socket.close()

    def _listen(self, host: str, port: int, *, ingress: bool) -> None:
        try:
            listening = listen(host, port)
        except OSError as error:
            fix = "end what listens there, or set another port: under `web:`, or with `earwitness run --port`"
            # The text of asyncio's error has the address once more.
            reason = (error.strerror or str(error)).split(" (while ")[0]
            if ingress:
                log.warning("the page of Home Assistant is off", host=host, port=port, reason=reason, fix=fix)
            else:  # whoever starts the page says so, once
                self._page.fault = f"off, {host}:{port}: {reason}; {fix}"
            return
        self._sockets.append((listening, ingress))

    def _run(self) -> None:
        self._page.begun.wait(BEGIN_S)
        try:
            asyncio.run(self._serve())
        except BaseException:
            # The page is for looking: without it everything is heard and published as before.
            log.exception("the page has stopped; everything else goes on")
            self._page.fault = "stopped by a bug, which the log has; a restart brings it back"
            self._page.is_open = False

    async def _serve(self) -> None:
        import uvicorn

        from monitor.web.http.application import build_application
        from monitor.web.http.patience import patient_protocol
        from monitor.web.http.table import ROUTES

        self._loop = asyncio.get_running_loop()
        application = build_application(self._page, ROUTES)
        self._page.feed.attach(self._loop)
        tasks = []
        for listening, is_ingress in self._sockets:
            ingress = self._page.config.ingress
            served = Ingress(application, ingress.addresses) if is_ingress and ingress else application
            config = uvicorn.Config(
                served,
                http=patient_protocol(REQUEST_S, _most_connections()),
                ws="none",
                loop="none",
                lifespan="off",
                log_config=None,
                date_header=False,  # uvicorn's is made by its tick; `Headers` makes ours
                # Below that a stranger could fill the log: a line for each request that is none.
                log_level="error",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                limit_concurrency=MOST_CONNECTIONS,
                timeout_keep_alive=IDLE_S,
                timeout_graceful_shutdown=1,
            )
            server = _quiet(uvicorn.Server(config), self._ended)
            self._servers.append(server)
            tasks.append(server.serve(sockets=[listening]))
        try:
            await asyncio.gather(*tasks)
        finally:
            self._page.feed.attach(None)
            await self._page.trying.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket whose connections send at once. asyncio sees to that only where a socket names its protocol,
    and ours do not: the body of an answer would wait 40 ms for the browser to acknowledge its head (Nagle's
    algorithm meets delayed acknowledgements). Raises OSError."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    except UnicodeError:  # a name with a part that is empty, or too long
        raise OSError(errno.EINVAL, f"{host} is no name of a host") from None
    listening = socket.create_server((host, port), family=family, backlog=256)
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _most_connections() -> int:
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return MOST_CONNECTIONS
    return min(MOST_CONNECTIONS, files // SHARE_OF_FILES)


def _quiet(server: Any, ended: asyncio.Event) -> Any:
    """Signals belong to the daemon's main thread. And its own loop looks ten times a second whether it is to
    end: while nobody looks at the page, nothing of it wakes the processor."""
    server.capture_signals = nullcontext
    server.main_loop = ended.wait
    return server


class Ingress:
    """Lets through the supervisor alone, and marks what it brings."""

    def __init__(self, application: "ASGIApp", addresses: tuple[str, ...]) -> None:
        self._application = application
        self._networks = networks(addresses)

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        client = scope.get("client")
        if scope["type"] == "http" and not (client and is_within(client[0], self._networks)):
            await send({"type": "http.response.start", "status": 403, "headers": []})
            await send({"type": "http.response.body", "body": b""})
            return
        await self._application({**scope, INGRESS: True}, receive, send)

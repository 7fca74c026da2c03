"""What happens to alerts when the services that notify people misbehave."""

import json
import re
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from monitor.delivery.stuck import RULE
from testkit.noisy_house import NODE, FaultRow, NoisyHouse, until, verdict

DRIP_S = 0.2
LONG_S = 180.0
"""A standstill is reported after a minute, and so is its end."""


class Phone(ThreadingHTTPServer):
    """A webhook that takes every message, or answers a byte at a time for as long as it `drips`."""

    daemon_threads = True

    def __init__(self, *, drips: bool = False) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.well = threading.Event()
        self.received: list[tuple[float, dict[str, Any]]] = []
        """Time of arrival, in seconds since 1970, and the message."""
        self.calls = 0
        if not drips:
            self.well.set()
        self._thread = threading.Thread(
            target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.well.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def count(self) -> int:
        """Alerts that it received."""
        return sum(_alerts_in(document) for _, document in self.received)

    def was_sent(self, *words: str) -> bool:
        """Whether it has received all of this."""
        received = " ".join(document["message"] for _, document in list(self.received))
        return all(each in received for each in words)

    def received_at_s(self, number: int) -> float:
        """When it received the alert of that number, in seconds since 1970."""
        for at_s, document in list(self.received):
            number -= _alerts_in(document)
            if number < 0:
                return at_s
        raise LookupError("it was not received")

    @property
    def url(self) -> str:
        """For Apprise."""
        return f"json://127.0.0.1:{self.server_port}/"


class _Handler(BaseHTTPRequestHandler):
    server: Phone

    def do_POST(self) -> None:
        document = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.calls += 1
        with suppress(OSError):  # the caller has given up
            if not self.server.well.is_set():
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Drip: ")
                while not self.server.well.wait(DRIP_S):
                    self.wfile.write(b".")
                return
            self.server.received.append((time.time(), document))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class PhonesHouse(NoisyHouse):
    """Every phone gets an alert for every bang."""

    def __init__(self, folder: Path, phones: Sequence[Phone], **more: Any) -> None:
        super().__init__(folder, **more)
        self.phones = phones

    def __enter__(self) -> Self:
        for phone in self.phones:
            phone.__enter__()
        return super().__enter__()

    def __exit__(self, *exc: object) -> None:
        super().__exit__(*exc)
        for phone in self.phones:
            phone.__exit__()

    def config(self) -> dict[str, Any]:
        """A notifier for each phone. Every bang is a message of its own."""
        config = super().config()
        config["notifiers"] = [
            {
                "type": "notify",
                "name": f"phone{n}",
                "urls": [phone.url],
                "collapse_s": 0,
                "max_per_minute": 600,
            }
            for n, phone in enumerate(self.phones)
        ]
        config["rules"][0]["notify"] = [notifier["name"] for notifier in config["notifiers"]]
        return config

    def alerts(self) -> list[dict[str, Any]]:
        """Everything that was raised."""
        return [document for document in self.decided() if "rule" in document]


def drips(folder: Path, events: int, within_s: float) -> FaultRow:
    """Three services answer a byte at a time and never end; then they take every message."""
    *dripping, well = phones = [Phone(drips=True), Phone(drips=True), Phone(drips=True), Phone()]
    with PhonesHouse(folder, phones) as house:
        house.start()
        house.wait_decided(events)
        until(lambda: all(phone.calls >= 2 for phone in dripping), "every call to be ended and tried again")
        alerts = house.alerts()
        until(lambda: well.count() >= len(alerts), "the fourth to get every alert")
        longest_s = max(well.received_at_s(n) - _raised_at_s(alert) for n, alert in enumerate(alerts))
        for phone in dripping:
            phone.well.set()
        recovery_s = until(
            lambda: all(phone.count() >= len(alerts) for phone in dripping), "the others to get every alert"
        )
        house.stop()
    return FaultRow(
        f"three of four notifiers' services answer a byte every {DRIP_S:g} s for ever, {len(alerts)} alerts",
        "the fourth is notified within 10 s; every call is ended, "
        "and the others are notified when they answer",
        longest_s <= within_s,
        {
            "longest until the fourth is notified s": round(longest_s, 2),
            "others notified after s": round(recovery_s, 1),
        },
    )


def stuck(folder: Path, within_s: float, *, until_back: bool) -> FaultRow:
    """The broker is gone and so is one notifier's service: the other notifier sends both alerts, and the
    house gets the second as soon as the broker is back."""
    dead, well = phones = [Phone(drips=True), Phone()]
    with PhonesHouse(folder, phones) as house:
        house.start()
        house.wait_decided(2)
        house.wire.cut()
        sent_s = until(
            lambda: well.was_sent("mqtt has taken nothing", "phone0 has taken nothing"), "both", LONG_S
        )
        house.wire.mend()
        until(lambda: "phone0" in _trouble(house), "Home Assistant to show trouble")
        until(
            lambda: any(_is_about(each, "phone0") for each in house.witness.messages()),
            "the house to get it",
        )
        dead.well.set()
        if until_back:
            until(lambda: well.was_sent("mqtt delivers again", "phone0 delivers again"), "the return", LONG_S)
            until(lambda: not _trouble(house), "Home Assistant to show no trouble")
        house.stop()
        lost = verdict(house).lost
    return FaultRow(
        "the broker is gone and one notifier's service drips; then both are well",
        "an alert over the other notifier after a minute, trouble in Home Assistant; and over at the return",
        sent_s <= within_s and lost == 0,
        {"other notifier notified after s": round(sent_s, 1), "lost": lost},
    )


def _trouble(house: NoisyHouse) -> str:
    """What Home Assistant shows under *Trouble* now."""
    return next(
        iter(json.loads((house.witness.on(f"{NODE}/trouble/attributes") or ["{}"])[-1]).get("stuck", [])), ""
    )


def _is_about(document: dict[str, Any], channel: str) -> bool:
    return document.get("rule") == RULE and str(document["message"]).startswith(channel)


def _raised_at_s(alert: dict[str, Any]) -> float:
    return datetime.fromisoformat(alert["raised_at"]).timestamp()


def _alerts_in(document: dict[str, Any]) -> int:
    """How many alerts a notification speaks of."""
    found = re.search(r"\((\d+) times since", document["message"])
    return int(found[1]) if found else 1

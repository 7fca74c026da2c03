"""Buttons under an alert on a phone: what each of them means, for a day and once."""

import hashlib
import json
import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from monitor.clock import Clock
from monitor.language.words import say
from monitor.types import Alert, Command

VALID_S = 86_400.0
"""A button is good for a day: who wakes up late can still say that it was nothing."""
MOST_BUTTONS = 500
"""Beyond that the oldest are no longer good."""
SECRET_BYTES = 16

ButtonKind = Literal["ack", "nothing"]


@dataclass(frozen=True, slots=True)
class Button:
    """What is shown, and what pressing it sends: 128 random bits, which nobody else can know."""

    label: str
    secret: str


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: ButtonKind
    alert_id: str
    event_ids: tuple[str, ...]
    until: float
    """Seconds since 1970: it is to hold over a restart."""


class Buttons:
    """The buttons of one notifier. A press counts once; of the secrets only digests are kept. Any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._meanings: dict[str, _Meaning] = {}
        self.changed = threading.Event()

    def offered(self, alert: Alert) -> tuple[Button, ...]:
        """New buttons for an alert: only real sounds can have been nothing."""
        found = [self._button(say("alert.acknowledge"), "ack", alert)]
        if alert.events and not alert.test:
            found.append(self._button(say("alert.nothing"), "nothing", alert))
        self.changed.set()
        return tuple(found)

    def pressed(self, secret: str) -> tuple[Command, ...]:
        """What is to be done; nothing for a word that is no button of ours, was used, or is too old."""
        with self._lock:
            meaning = self._meanings.pop(_digest(secret), None)
        if meaning is None or meaning.until < self._clock.now().timestamp():
            return ()
        self.changed.set()
        ack = Command("ack", value=meaning.alert_id, by="phone")
        if meaning.kind == "ack":
            return (ack,)
        wrong = (Command("verdict", value=id, by="phone", word="wrong") for id in meaning.event_ids)
        return (*wrong, ack)

    def rows(self) -> Mapping[str, Any]:
        """See `Memory`."""
        with self._lock:
            return {
                digest: [each.kind, each.alert_id, list(each.event_ids), each.until]
                for digest, each in self._meanings.items()
            }

    def found(self, rows: Mapping[str, Any]) -> None:
        """See `Memory`."""
        kept = {str(digest): _meaning(*row) for digest, row in rows.items()}
        with self._lock:
            self._meanings = kept | self._meanings

    def _button(self, label: str, kind: ButtonKind, alert: Alert) -> Button:
        secret = secrets.token_hex(SECRET_BYTES)
        now = self._clock.now().timestamp()
        events = tuple(event.id for event in alert.events)
        with self._lock:
            self._meanings[_digest(secret)] = _Meaning(kind, alert.id, events, now + VALID_S)
            good = {digest: each for digest, each in self._meanings.items() if each.until >= now}
            self._meanings = dict(list(good.items())[-MOST_BUTTONS:])
        return Button(label, secret)


def _meaning(kind: Any, alert_id: Any, event_ids: Any, until: Any) -> _Meaning:
    if kind not in ("ack", "nothing"):
        raise ValueError(f"{kind!r} is no button")
    return _Meaning(kind, str(alert_id), tuple(map(str, event_ids)), float(until))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="replace")).hexdigest()


def ntfy_actions(buttons: Sequence[Button], url: str) -> str:
    """The buttons as ntfy takes them: each posts its secret to the address.
    https://docs.ntfy.sh/publish/#send-http-request"""
    return json.dumps(
        [
            {
                "action": "http", "label": each.label, "url": url, "method": "POST", "body": each.secret,
                "clear": True,
            }
            for each in buttons
        ]
    )  # fmt: skip

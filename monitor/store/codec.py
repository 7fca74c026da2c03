"""Events and alerts as JSON text and back, for what is kept on disk.

The fields are those of the dataclasses; `transcript`, which is private (`repr=False`), is never written. Rows
of older versions lack fields that were added later: these take their defaults.
"""

import json
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from functools import cache
from typing import Any

from pydantic import TypeAdapter

from monitor.types import Alert, SoundEvent

VERSION = 1
"""Written beside every row. A newer one is left alone: an older daemon may have been put back."""


@cache
def _reader(of: type[SoundEvent] | type[Alert]) -> TypeAdapter[Any]:
    """Built when there is something to read, not at each start."""
    return TypeAdapter(of)


def encode(message: SoundEvent | Alert) -> str:
    """`message` as JSON. Never raises for a value found in `evidence` or `why`: what JSON cannot hold becomes
    a list, a number or text (an alert must not be lost to an odd measurement)."""
    kind = "alert" if isinstance(message, Alert) else "event"
    document = {"kind": kind, **_public(message)}
    return json.dumps(document, separators=(",", ":"), default=_plain, ensure_ascii=False)


def decode(text: str) -> SoundEvent | Alert:
    """The message that `encode` wrote. Raises ValueError when the text is damaged."""
    try:
        document = json.loads(text)
        is_alert = document["kind"] == "alert"
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a stored message: {error}") from error
    return _zoned(_reader(Alert if is_alert else SoundEvent).validate_python(document))


def _zoned(found: Alert | SoundEvent) -> Alert | SoundEvent:
    """Raises ValueError where a time has no zone: it could not be compared with any other."""
    times = (found.raised_at,) if isinstance(found, Alert) else (found.started_at, found.at, found.ended_at)
    if any(at is not None and at.tzinfo is None for at in times):
        raise ValueError("a stored message has a time without a zone")
    for event in found.events if isinstance(found, Alert) else ():
        _zoned(event)
    return found


def _public(message: SoundEvent | Alert) -> dict[str, Any]:
    return {one.name: getattr(message, one.name) for one in fields(message) if one.repr}


def _plain(value: Any) -> Any:
    """What `json` cannot write by itself."""
    if isinstance(value, SoundEvent):
        return _public(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value, key=str)
    if isinstance(value, datetime):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    return str(value)

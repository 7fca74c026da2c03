"""The message of an alert: one sentence for a person."""

from collections.abc import Iterable, Sequence

from monitor.labels import LIFE_SAFETY, label_name
from monitor.types import SoundEvent

_PATTERNS = {"temporal_three": "T3", "temporal_four": "T4"}
_UNCERTAIN_BY_NATURE = LIFE_SAFETY | {"unknown_alarm", "low_battery_chirp"}


def alert_message(events: Sequence[SoundEvent], *, times: int = 1, then: str | None = None) -> str:
    """One line: what, where, how sure. `times`: so often was it heard; `then`: the label that followed.

    >>> alert_message([smoke])
    'Smoke alarm in kitchen (confirmed, T3, 3.1 kHz)'
    """
    labels = dict.fromkeys(event.label for event in events)
    parts = [_part([event for event in events if event.label == label]) for label in labels]
    if then is None or len(parts) < 2:
        text = ", ".join(parts)
    else:
        text = f"{', '.join(parts[:-1])}, then {_lowered(parts[-1])}"
    return f"{text}, {times} times" if times > 1 else text


def pattern_name(pattern: object) -> str:
    """A rhythm as the label on the device calls it: `T3`."""
    return _PATTERNS.get(str(pattern), str(pattern).replace("_", " "))


def _lowered(part: str) -> str:
    return part if part[:2].isupper() else part[0].lower() + part[1:]


def _part(events: Sequence[SoundEvent]) -> str:
    best = max(events, key=lambda event: (event.certainty == "confirmed", event.score))
    return f"{label_name(best.label)} in {_places(events)} ({', '.join(_details(best))})"


def _places(events: Iterable[SoundEvent]) -> str:
    places = list(dict.fromkeys(event.source.replace("_", " ") for event in events))
    return " and ".join(filter(None, [", ".join(places[:-1]), places[-1]]))


def _details(event: SoundEvent) -> list[str]:
    details: list[str] = []
    if event.label in _UNCERTAIN_BY_NATURE or event.certainty == "suspected":
        details.append("learning" if event.evidence.get("learning") else event.certainty)
    if event.evidence.get("pattern"):
        details.append(pattern_name(event.evidence["pattern"]))
    else:
        details.append(f"{event.score:.0%}")
    pitch_hz = event.evidence.get("pitch_hz")
    if isinstance(pitch_hz, int | float):
        details.append(f"{pitch_hz / 1000:.1f} kHz" if pitch_hz >= 1000 else f"{pitch_hz:.0f} Hz")
    if event.emotion:
        emotion = max(event.emotion, key=event.emotion.__getitem__)
        details.append(f"{emotion} {event.emotion[emotion]:.0%}")
    return details

"""The message of an alert: one sentence for a person, in the house's language."""

from collections.abc import Sequence

from monitor.labels import LIFE_SAFETY
from monitor.language.words import label_words, pattern_words, pitch, places, say, share, within
from monitor.types import SoundEvent

NOWHERE = "test"
"""The source of a test that no room was chosen for."""
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
        text = say("notice.then", first=", ".join(parts[:-1]), then=within(parts[-1]))
    return say("notice.times", text=text, n=times) if times > 1 else text


def _part(events: Sequence[SoundEvent]) -> str:
    best = max(events, key=lambda event: (event.certainty == "confirmed", event.score))
    label, details = label_words(best.label), ", ".join(_details(best))
    rooms = [event.source for event in events if event.source != NOWHERE]
    if not rooms:
        return say("notice.heard_nowhere", label=label, details=details)
    return say("notice.heard", label=label, places=places(rooms), details=details)


def _details(event: SoundEvent) -> list[str]:
    details: list[str] = []
    if event.label in _UNCERTAIN_BY_NATURE or event.certainty == "suspected":
        details.append(
            say("notice.learning" if event.evidence.get("learning") else f"certainty.{event.certainty}")
        )
    if event.evidence.get("pattern"):
        details.append(pattern_words(event.evidence["pattern"]))
    else:
        details.append(share(event.score))
    pitch_hz = event.evidence.get("pitch_hz")
    if isinstance(pitch_hz, int | float):
        details.append(pitch(pitch_hz))
    if event.emotion:
        emotion = max(event.emotion, key=event.emotion.__getitem__)
        details.append(f"{say(f'emotion.{emotion}')} {share(event.emotion[emotion])}")
    return details

"""What is stated of scenes and of days without alert sounds."""

from typing import Any

import pytest

from scripts.scenes.composing import Bed, Placed
from scripts.scenes.hearing import Hearing, Trace
from scripts.scenes.kinds import HOUSE_HOURS
from scripts.train_tagger.in_rooms import in_rooms


def event(label: str, at_s: float) -> dict[str, Any]:
    """A row as `analyze` prints it."""
    return {"type": "event", "label": label, "start_s": at_s, "decided_s": at_s + 1}


def hour(placed: tuple[Placed, ...], *rows: dict[str, Any]) -> Hearing:
    """Of music, with these sounds in it and these events."""
    beds = (Bed("music", "song.wav", 0, 3600),)
    return Hearing("one", 3600, placed, beds, False, False, "music", list(rows), Trace(), [])


def test_recall_and_false_events_are_counted_by_group() -> None:
    """Half of two labels' sounds are heard, one event is false; without alert sounds one scream an hour of
    music, and an alert of it."""
    barks = tuple(Placed("dog_bark", f"{n}.wav", 100.0 * n, 100.0 * n + 1, 10) for n in range(1, 3))
    bell = Placed("doorbell", "bell.wav", 400, 401, 10)
    scenes = hour((*barks, bell), event("dog_bark", 100), event("doorbell", 400), event("siren", 2_000))
    alert = {"type": "alert", "severity": "critical", "rule": "Distress", "start_s": 50, "decided_s": 51}

    found = in_rooms([scenes], [hour((), event("scream", 50), event("speech", 60), alert)])

    groups = found["groups"]
    assert groups["all"]["recall"][0] == pytest.approx(0.75)
    assert groups["all"]["recall"][1] < 0.75 < groups["all"]["recall"][2]
    assert (groups["all"]["labels"], groups["all"]["sounds"], groups["all"]["false_an_hour"]) == (2, 3, 1)
    assert groups["animals"]["recall"][0] == 0.5
    assert groups["critical"]["recall"] is None
    assert groups["alarms and signals"]["false_an_hour"] == 1
    assert groups["all"]["false_a_day"][0] == groups["critical"]["false_a_day"][0] == HOUSE_HOURS["music"]
    assert groups["animals"]["false_a_day"][0] == 0
    assert found["alerts_a_day"][0] == HOUSE_HOURS["music"]
    assert (found["recordings"], found["background_recordings"]) == (3, 1)

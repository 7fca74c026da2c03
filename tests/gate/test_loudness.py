"""Loud noise, relative to the room."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.gate.loudness import LoudNoise, loudness_score
from monitor.types import Detection
from testkit.builders import START, frames, noise


def course(*above_db: tuple[float, float], floor_dbfs: float = -60) -> list[Detection]:
    """What is said of a course of (duration in s, dB above the floor)."""
    loud = LoudNoise(above_floor_db=35)
    levels = [db for duration_s, db in above_db for _ in range(round(duration_s / 0.03))]
    sound = frames(noise(len(levels) * 0.03))
    return [
        said
        for frame, db in zip(sound, levels, strict=True)
        for said in loud.push(frame, floor_dbfs + db, floor_dbfs, "abc")
    ]


def test_a_bang_beside_a_machine_is_loud() -> None:
    """Where full scale is nearer than the distance asked for, -12 dBFS is loud; in the machine's own noise
    nothing is."""
    assert [d.label for d in course((3, 0), (0.03, 25), (3, 0), floor_dbfs=-36)] == ["loud_noise"]
    assert course((3, 0), (0.03, 20), (3, 0), floor_dbfs=-36) == []
    assert course((3, 0), (0.03, 11), (3, 0), floor_dbfs=-15) == []


def test_said_at_the_first_loud_frame() -> None:
    """One frame is enough, and is reported with the segment it belongs to."""
    [detection] = course((3, 0), (0.03, 40), (3, 0))
    assert (detection.label, detection.classifier, detection.segment_id) == ("loud_noise", "gate", "abc")
    assert (detection.started_at - START).total_seconds() == pytest.approx(3)
    assert detection.duration_s == pytest.approx(0.03)
    assert detection.evidence == {"above_floor_db": 40}


def test_repeated_while_it_lasts_with_one_onset() -> None:
    """Every half second again, from the same onset, until it is over."""
    detections = course((3, 0), (1.8, 40), (3, 0))
    assert [round(d.duration_s, 2) for d in detections] == [0.03, 0.54, 1.05, 1.56, 1.8]
    assert len({d.started_at for d in detections}) == 1


def test_another_noise_after_a_pause() -> None:
    """A second of quiet separates two noises; less does not."""
    assert len({d.started_at for d in course((0.3, 40), (0.9, 0), (0.3, 40))}) == 1
    assert len({d.started_at for d in course((0.3, 40), (1.2, 0), (0.3, 40))}) == 2


def test_a_clock_that_is_set_back_does_not_turn_time_around() -> None:
    """The length of a noise comes from its frames, whatever their stamps."""
    loud = LoudNoise(above_floor_db=35)
    later, earlier = frames(noise(0.6)), frames(noise(0.6), start=START - timedelta(hours=1))
    said = [one for frame in later + earlier for one in loud.push(frame, -20, -60, None)]
    assert [round(one.duration_s, 2) for one in said] == [0.03, 0.54, 1.05]


def test_a_gap_separates_noises() -> None:
    """After missing sound there is another onset."""
    loud = LoudNoise(above_floor_db=35)
    [first] = loud.push(frames(noise(0.03))[0], -20, -60, None)
    loud.forget()
    after = frames(noise(0.03), start=START + timedelta(seconds=0.2))[0]
    [second] = loud.push(after, -20, -60, None)
    assert second.started_at == after.captured_at
    assert second.duration_s == pytest.approx(0.03)
    assert first.started_at == START


def test_nothing_below_the_threshold() -> None:
    """Speech in a quiet room is no loud noise."""
    assert course((10, 34.9)) == []


@given(st.floats(0, 100), st.floats(0, 100))
def test_score_rises_with_the_level(a_db: float, b_db: float) -> None:
    """0.5 at the threshold, never less for more, and never above 1."""
    low, high = sorted((a_db, b_db))
    assert 0.5 == loudness_score(0) <= loudness_score(low) <= loudness_score(high) <= 1
    assert loudness_score(20) == 1

"""Some notes among many others are an alarm only when they come again as its beeps would."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.rhythm.counting import CycleCounter
from monitor.rhythm.cycles import FIRST, Cycle
from monitor.rhythm.templates import TEMPORAL_FOUR
from monitor.synthesis.alarms import piezo, played, temporal_three
from testkit.alarms import temporal_four
from tests.rhythm.hearing import alarm, heard_in, heard_with_times, labels_of

CYCLE = TEMPORAL_FOUR.cycle_hops


def burst(cycles: float, **other: Any) -> Cycle:
    """A burst so many cycles after the first, 2 dB above the noise."""
    onset = round(1000 + cycles * CYCLE)
    first = Cycle(
        template=TEMPORAL_FOUR, channel=90, onset=onset, on_end=onset + 70, on_s=0.1, off_s=0.1, pause_s=None,
        pitch_hz=3000.0, snr_db=2.0, fit=0.8, moving=False, quiet_db=4.0, on_db=9.0, level_db=-50.0,
        root_db=-50.0, is_blurred=False, strictness=FIRST,
    )  # fmt: skip
    return replace(first, **other)


@pytest.mark.parametrize("later", [1.0, 0.91, 2.1])
def test_a_drowned_burst_is_believed_when_it_comes_again(later: float) -> None:
    """One cycle later, or two where noise hid one; then it is suspected, and confirmed with the third."""
    counter = CycleCounter()

    assert counter.count(burst(0), is_drowned=True) is None
    second = counter.count(burst(later), is_drowned=True)
    third = counter.count(burst(later + 1), is_drowned=True)

    assert (second and second.certainty, third and third.certainty) == ("suspected", "confirmed")


@pytest.mark.parametrize(
    "again",
    [burst(1.4), burst(3), burst(1, pitch_hz=3060.0), burst(1, level_db=-40.0), burst(1, off_s=0.13)],
    ids=["out of step", "late", "another pitch", "another level", "slower"],
)
def test_another_four_notes_are_not_the_same_again(again: Cycle) -> None:
    """Music has many."""
    counter = CycleCounter()

    assert counter.count(burst(0), is_drowned=True) is None
    assert counter.count(again, is_drowned=True) is None


@pytest.mark.parametrize(
    ("later", "counts"),
    [
        (burst(1), True),
        (burst(10.5), True),
        (burst(1, level_db=-60.0), True),
        (burst(1, level_db=-70.0), False),
        (burst(1.5), False),
    ],
    ids=["next", "once a minute", "the door was closed", "much fainter", "out of step"],
)
def test_a_known_alarm_goes_on_in_step_and_as_loud(later: Cycle, counts: bool) -> None:
    """What a doorbell began, a faint coincidence does not confirm."""
    counter = CycleCounter()
    counter.count(burst(0))

    found = counter.count(later)

    assert (found is not None and found.certainty == "confirmed") is counts


@pytest.mark.parametrize("overtone_first", [True, False])
@pytest.mark.parametrize("pitch_hz", [3000.0, 6000.0], ids=["tone", "overtone"])
def test_a_burst_found_at_an_overtone_too_goes_on_at_either(overtone_first: bool, pitch_hz: float) -> None:
    """In a room the overtone, 20 dB fainter, may show its gaps before the tone does."""
    counter = CycleCounter()
    tone, overtone = burst(0), burst(0, pitch_hz=6000.0, channel=183, level_db=-70.0)
    for each in [overtone, tone] if overtone_first else [tone, overtone]:
        counter.count(each)

    found = counter.count(burst(1, pitch_hz=pitch_hz, level_db=-50.0 if pitch_hz < 4000 else -70.0))

    assert found is not None
    assert (found.certainty, found.cycles) == ("confirmed", 2)


def among_notes(samples: Samples, level: float) -> Samples:
    """Under the notes of a quick instrument, far from the alarm's pitch."""
    rng, at = np.random.default_rng(7), 0
    mixed = samples.copy()
    while at < len(mixed):
        length = int(rng.uniform(0.15, 0.5) * SAMPLE_RATE_HZ)
        note = np.sin(2 * np.pi * rng.uniform(700, 1500) * np.arange(length) / SAMPLE_RATE_HZ)
        part = mixed[at : at + length]
        part += (level * note * np.hanning(length))[: len(part)].astype(np.float32)
        at += length
    return mixed


def test_an_alarm_among_louder_notes_is_heard_a_burst_later() -> None:
    """Alone it is suspected after its first burst; where louder notes play, after the second."""
    samples = alarm(temporal_four(3), piezo(3100), snr_db=3.0, tail_s=6.0)
    tone = 0.02 * samples

    alone, drowned = (
        [(at_s, one.certainty) for at_s, one in heard_with_times(part) if one.label == "co_alarm"]
        for part in (tone, among_notes(tone, 0.2))
    )

    assert alone[0][0] < 6.5
    assert alone[0][1] == "suspected"
    assert 6.5 < drowned[0][0] < 12.5
    assert [certainty for _, certainty in drowned] == ["suspected", "confirmed"]


def with_echoes(rhythm: list[tuple[float, float]], echo_s: float) -> list[tuple[float, float]]:
    """The same rhythm with a beep so short in the middle of each gap of half a second: a poor fit."""
    rest_s = (0.5 - echo_s) / 2
    parts = ([(on, rest_s), (echo_s, rest_s)] if off == 0.5 else [(on, off)] for on, off in rhythm)
    return [each for part in parts for each in part]


def smoke_heard_in(samples: Samples) -> list[tuple[float, str | None]]:
    """When and with which certainty."""
    heard = heard_with_times(samples)
    return [(at_s, one.certainty) for at_s, one in heard if one.label == "smoke_alarm"]


def test_three_notes_among_louder_ones_are_no_smoke_alarm_at_once() -> None:
    """Where nothing else plays, the same poor beeps are one: suspected at once, confirmed by the next."""
    poor = 0.02 * alarm(with_echoes(temporal_three(3), 0.16), piezo(3100), snr_db=3.0, tail_s=3.0)

    alone, drowned = smoke_heard_in(poor), smoke_heard_in(among_notes(poor, 0.2))

    assert [certainty for _, certainty in alone] == ["suspected", "confirmed"]
    assert alone[0][0] < 6
    assert all(at_s > 6 and certainty == "suspected" for at_s, certainty in drowned)


@pytest.mark.parametrize("level", [0.05, 0.2])
def test_a_smoke_alarm_among_louder_notes_is_heard_by_its_first_cycle(level: float) -> None:
    """It fits its rhythm better than music does."""
    tone = 0.02 * alarm(temporal_three(3), piezo(3100), snr_db=3.0)

    assert smoke_heard_in(among_notes(tone, level))[0][0] < 6


@pytest.mark.parametrize(("ring", "heard"), [(0.2, set()), (0.0, {"co_alarm"})], ids=["in a bell", "alone"])
def test_a_faint_pitch_of_a_bell_that_comes_and_goes_is_no_alarm(ring: float, heard: set[str]) -> None:
    """Four faint tones under a note that rings on through their gaps; alone, the same four are suspected."""
    time_s = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    note = ring * np.sin(2 * np.pi * 843 * time_s) * np.exp(-time_s)
    on = np.repeat([0, 1, 0, 1, 0, 1, 0, 1, 0], np.array([3, 1, 1, 1, 1, 1, 1, 1, 10]) * SAMPLE_RATE_HZ // 10)
    faint = 0.002 * np.sin(2 * np.pi * 2790 * time_s) * on
    sound = np.pad(note + faint, (5 * SAMPLE_RATE_HZ, 6 * SAMPLE_RATE_HZ))
    noise = np.random.default_rng(0).normal(0, 0.004, len(sound))

    assert labels_of(heard_in(np.asarray(sound + noise, np.float32))) & {"co_alarm"} == heard


@pytest.mark.parametrize(("drop_db", "labels"), [(5.0, {"co_alarm"}), (12.0, set[str]())])
def test_an_alarm_beeps_evenly(drop_db: float, labels: set[str]) -> None:
    """Four syllables of laughter that keep the time of T4 are none: every other one is softer."""
    beep = played(piezo(1400), [(0.1, 0.1)], SAMPLE_RATE_HZ)[: SAMPLE_RATE_HZ // 5]
    softer = np.float32(10 ** (-drop_db / 20)) * beep
    noise = np.random.default_rng(1).normal(0, 1e-3, 12 * SAMPLE_RATE_HZ).astype(np.float32)
    burst = np.concatenate([beep, softer, beep, softer])
    noise[5 * SAMPLE_RATE_HZ :][: len(burst)] += burst

    assert labels_of(heard_in(noise)) == labels

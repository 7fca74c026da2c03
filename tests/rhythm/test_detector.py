"""The rhythm detector: frames in, detections with evidence out."""

from dataclasses import replace
from datetime import timedelta
from typing import Literal

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.labels import sounds
from monitor.rhythm.detector import LABELS, RhythmDetector
from monitor.synthesis.alarms import Rhythm, Sounder, piezo, played, temporal_three
from monitor.synthesis.room import impulse_response, in_room
from monitor.types import Detection
from testkit.alarms import co_alarm, moving_sounder, square_520_hz, steady_pulses, temporal_four
from testkit.builders import START, frames, noise
from testkit.rhythm_sounds import NEAR_MISSES
from testkit.room import automatic_gain, clipped, telephone, with_lost_packets
from tests.rhythm.hearing import LEAD_S, alarm, heard_in, heard_with_times, labels_of

SMOKE = alarm(temporal_three(3))
CO = alarm(temporal_four(3))


def test_smoke_is_suspected_after_one_cycle_and_confirmed_after_two() -> None:
    """A T3 alarm is suspected within 1.1 of its 4 s cycles and confirmed within 2.2."""
    heard = heard_with_times(SMOKE)

    assert labels_of([d for _, d in heard]) == {"smoke_alarm"}
    assert [d.certainty for _, d in heard][:2] == ["suspected", "confirmed"]
    assert heard[0][0] <= 1.1 * 4.0
    assert heard[1][0] <= 2.2 * 4.0


def test_carbon_monoxide_is_suspected_after_one_burst_and_confirmed_after_two() -> None:
    """A T4 alarm is suspected within 1.1 of its 5.7 s cycles and confirmed within 2.2."""
    heard = heard_with_times(CO)

    assert labels_of([d for _, d in heard]) == {"co_alarm"}
    assert [d.certainty for _, d in heard][:2] == ["suspected", "confirmed"]
    assert heard[0][0] <= 1.1 * 5.7
    assert heard[1][0] <= 2.2 * 5.7


def test_evidence_is_measured() -> None:
    """Each detection says what it measured: timings, pitch, SNR, cycles and how long to hold."""
    last = heard_in(SMOKE)[1]

    assert last.classifier == "rhythm"
    assert last.source == "kitchen"
    assert last.segment_id is None
    assert last.evidence["pattern"] == "temporal_three"
    assert last.evidence["cycles"] == 2
    assert last.evidence["on_s"] == pytest.approx(0.5, abs=0.04)
    assert last.evidence["off_s"] == pytest.approx(0.5, abs=0.04)
    assert last.evidence["pause_s"] == pytest.approx(1.5, abs=0.06)
    assert last.evidence["pitch_hz"] == pytest.approx(3200, abs=10)
    assert last.evidence["snr_db"] == pytest.approx(15, abs=4)
    assert last.evidence["hold_s"] <= 15


def test_onset_and_duration_are_those_of_the_sound() -> None:
    """`started_at` is the first tone's onset and stays it; the duration reaches to the last tone heard."""
    first, second = heard_in(SMOKE)[:2]

    onset = START + timedelta(seconds=LEAD_S)
    assert abs((first.started_at - onset).total_seconds()) < 0.04
    assert second.started_at == pytest.approx(first.started_at, abs=timedelta(milliseconds=1))
    assert first.duration_s == pytest.approx(4.15, abs=0.1)
    assert second.duration_s == pytest.approx(8.15, abs=0.1)


def test_one_burst_a_minute_is_held_and_confirmed_at_the_second() -> None:
    """A CO alarm in its late phase is suspected at the first burst, confirmed at the second, and its hold
    outlasts the minute between them."""
    heard = heard_with_times(alarm(temporal_four(2, pause_s=59.3)))

    assert [(d.label, d.certainty) for _, d in heard] == [
        ("co_alarm", "suspected"),
        ("co_alarm", "confirmed"),
    ]
    assert heard[0][0] < 6
    assert heard[1][0] < 66
    assert heard[0][1].evidence["hold_s"] > 60


def test_every_further_cycle_is_reported() -> None:
    """The tracker's hold can follow the rhythm: one detection for each cycle, counting up."""
    heard = heard_in(alarm(temporal_three(6)))

    assert [d.evidence["cycles"] for d in heard][:5] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    "sounder", [square_520_hz(), piezo(2900), piezo(1000), piezo(4200)], ids=["520", "2900", "1000", "4200"]
)
def test_any_pitch_will_do(sounder: Sounder) -> None:
    """Neither rhythm is bound to a pitch."""
    assert labels_of(heard_in(alarm(temporal_three(2), sounder))) == {"smoke_alarm"}
    assert labels_of(heard_in(alarm(temporal_four(1), sounder))) == {"co_alarm"}


@pytest.mark.parametrize("motion", ["two_tone", "swept"])
def test_moving_sounders_are_heard(motion: Literal["two_tone", "swept"]) -> None:
    """A sounder of two tones or one that sweeps still has its rhythm."""
    sounder = moving_sounder(np.random.default_rng(3), motion)

    assert "smoke_alarm" in labels_of(heard_in(alarm(temporal_three(3), sounder)))


def test_a_room_does_not_turn_one_into_the_other() -> None:
    """With 0.8 s of reverberation the 100 ms gaps fill with sound, and both rhythms are still themselves."""
    response = impulse_response(np.random.default_rng(4), 0.8, SAMPLE_RATE_HZ)

    assert labels_of(heard_in(in_room(SMOKE, response))) == {"smoke_alarm"}
    assert labels_of(heard_in(in_room(CO, response))) == {"co_alarm"}


def test_what_cameras_do_to_sound_does_not_matter() -> None:
    """Telephone band and µ-law, pumping gain, clipping and lost packets leave both rhythms to be heard."""
    rng = np.random.default_rng(5)
    for channel in (
        lambda x: telephone(x, SAMPLE_RATE_HZ),
        lambda x: automatic_gain(0.1 * x, SAMPLE_RATE_HZ),
        lambda x: clipped(x),
        lambda x: with_lost_packets(x, rng, SAMPLE_RATE_HZ),
    ):
        assert ("smoke_alarm", "confirmed") in [(d.label, d.certainty) for d in heard_in(channel(SMOKE))]
        assert ("co_alarm", "confirmed") in [(d.label, d.certainty) for d in heard_in(channel(CO))]


def test_two_alarms_at_once_are_both_heard() -> None:
    """A smoke and a CO alarm of different pitch sound over each other; each is heard for what it is."""
    both = alarm(temporal_three(4), piezo(3000)) + np.resize(
        alarm(temporal_four(3), piezo(3400)), len(alarm(temporal_three(4)))
    )

    assert labels_of(heard_in(both.astype(np.float32))) == {"smoke_alarm", "co_alarm"}


def test_a_masked_beep_does_not_reset_the_count() -> None:
    """The second cycle has lost its middle beep, and it is still the second cycle."""
    samples = SMOKE.copy()
    first = round((LEAD_S + 4.0 + 1.0 - 0.05) * SAMPLE_RATE_HZ)
    samples[first : first + round(0.6 * SAMPLE_RATE_HZ)] = noise(0.6, -50.0)

    assert [d.evidence["cycles"] for d in heard_in(samples)][:2] == [1, 2]


def test_a_gap_in_the_stream_keeps_the_rhythm_in_step() -> None:
    """Two frames are missing within a pause; what follows is still counted in its place."""
    listener = RhythmDetector("kitchen")
    stream = frames(SMOKE)
    at = round((LEAD_S + 3.0) / 0.03)
    broken = [*stream[:at], replace(stream[at + 2], follows_gap=True), *stream[at + 3 :]]

    assert [d.evidence["cycles"] for frame in broken for d in listener.push(frame)][:2] == [1, 2]


def test_the_count_survives_a_lost_connection() -> None:
    """A CO alarm in its late phase is confirmed by the burst after a long gap."""
    burst = frames(alarm(temporal_four(1), tail_s=0.5))
    later = timedelta(seconds=60)
    again = [replace(f, captured_at=f.captured_at + later, follows_gap=i == 0) for i, f in enumerate(burst)]
    listener = RhythmDetector("kitchen")

    heard = [d for frame in [*burst, *again] for d in listener.push(frame)]

    assert [d.certainty for d in heard] == ["suspected", "confirmed"]
    assert heard[1].duration_s == pytest.approx(60.7, abs=0.1)


def test_march_time_stays_suspected() -> None:
    """Even pulses are also a reversing lorry's: never smoke, never more than suspected."""
    heard = heard_in(alarm(steady_pulses(20)))

    assert {(d.label, d.certainty) for d in heard} == {("unknown_alarm", "suspected")}
    assert heard[-1].evidence["pattern"] == "march_time"


@pytest.mark.parametrize("seed", range(2, 10))
def test_a_carbon_monoxide_alarm_is_no_failing_battery(seed: int) -> None:
    """Nobody climbs a ladder to a battery while the alarm itself sounds, soon or once a minute."""
    rng = np.random.default_rng(seed)
    once_a_minute = bool(seed % 2)
    sound = co_alarm(rng, SAMPLE_RATE_HZ, 3 if once_a_minute else 10, once_a_minute=once_a_minute)
    quiet = np.pad(sound / np.abs(sound).max() * 0.2, (2 * SAMPLE_RATE_HZ, 6 * SAMPLE_RATE_HZ))
    heard = heard_in(np.asarray(quiet + rng.standard_normal(len(quiet)) * 0.005, np.float32))

    assert ("co_alarm", "confirmed") in {(d.label, d.certainty) for d in heard}
    assert "low_battery_chirp" not in labels_of(heard)


def test_a_continuous_tone_stays_suspected() -> None:
    """An unbroken tone that begins while we listen is an unknown alarm after 20 s, and again each 5 s."""
    heard = heard_in(alarm([(36.0, 0.0)]))

    assert {(d.label, d.certainty) for d in heard} == {("unknown_alarm", "suspected")}
    assert heard[0].evidence["pattern"] == "continuous"
    assert heard[0].duration_s == pytest.approx(20, abs=0.5)
    assert len(heard) >= 3


def test_a_held_note_is_no_alarm() -> None:
    """Music, a vacuum cleaner that tidies one corner, a passing motor: tones of some seconds."""
    assert not heard_in(alarm([(16.0, 0.0)]))


def test_a_failing_battery_chirps() -> None:
    """One short tone each 40 s: suspected at the second chirp, confirmed at the third."""
    heard = heard_in(alarm([(0.06, 39.94)] * 2 + [(0.06, 1.0)]))

    assert [(d.label, d.certainty) for d in heard] == [
        ("low_battery_chirp", "suspected"),
        ("low_battery_chirp", "confirmed"),
    ]
    assert heard[-1].evidence["off_s"] == pytest.approx(39.94, abs=0.1)
    assert heard[-1].evidence["hold_s"] > 60


@pytest.mark.parametrize("rhythm", NEAR_MISSES.values(), ids=NEAR_MISSES.keys())
def test_near_misses_are_neither_smoke_nor_carbon_monoxide(rhythm: Rhythm) -> None:
    """Kitchens and bedrooms beep too; the right beeps in the wrong number are not an alarm."""
    assert not labels_of(heard_in(alarm(rhythm, snr_db=25))) & {"smoke_alarm", "co_alarm"}


def test_quiet_is_quiet() -> None:
    """Digital silence and noise have no rhythm."""
    assert heard_in(np.zeros(20 * SAMPLE_RATE_HZ, np.float32)) == []
    assert heard_in(noise(20.0, -40.0)) == []


def test_every_label_is_in_the_vocabulary() -> None:
    """What the listener may say is known to all."""
    assert set(LABELS) <= set(sounds())
    assert RhythmDetector("kitchen").labels == LABELS


def test_a_wrong_rate_is_refused() -> None:
    """A frame at another rate would shift every pitch and timing."""
    frame = replace(frames(noise(0.03))[0], audio=Audio(np.zeros(240, np.float32), 8000))

    with pytest.raises(ValueError, match="8000"):
        RhythmDetector("kitchen").push(frame)


def test_scores_grow_with_the_cycles() -> None:
    """Each further cycle makes it more certain, and the score stays a probability."""
    scores = [detection.score for detection in heard_in(alarm(temporal_three(6)))]

    assert scores == sorted(scores)
    assert all(0.5 < score < 1 for score in scores)


def test_detections_are_given_only_for_what_was_played() -> None:
    """After the alarm has stopped nothing more is reported, so that the event can end."""
    heard: list[Detection] = heard_in(alarm(temporal_three(3), tail_s=20.0))

    assert all(d.ends_at <= START + timedelta(seconds=LEAD_S + 12) for d in heard)
    assert played(piezo(), temporal_three(1), SAMPLE_RATE_HZ).max() <= 0.5

"""The gate as a whole: frames in; sounds, levels and troubles out."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import Audio
from monitor.gate.gate import Gate, GateConfig
from monitor.types import Detection, Frame, Level, Problem, Segment
from testkit.builders import START, noise, tone
from testkit.gate_sounds import heard, in_a_room, only, silence, smoke_alarm, voice

ROOM = noise(6, -60, seed=31)


@pytest.fixture
def gate() -> Gate:
    """A gate that knows its room."""
    gate = Gate("kitchen", GateConfig())
    heard(gate, ROOM)
    return gate


@given(offset=st.integers(0, 479), seed=st.integers(0, 99))
@settings(max_examples=50, deadline=None)
def test_a_burst_of_30_ms_opens(offset: int, seed: int) -> None:
    """A clap, knock or breaking glass of 30 ms, 15 dB above the room, is heard however it falls on the
    frames."""
    gate = Gate("kitchen", GateConfig(early_look_s=0))
    heard(gate, ROOM)
    sound = noise(3, -60, seed=seed)
    sound[16000 + offset : 16480 + offset] += noise(0.03, -45, seed=seed + 1)
    [segment] = only(Segment, heard(gate, sound))
    assert segment.started_at + timedelta(seconds=segment.onset_s) - START == pytest.approx(
        timedelta(seconds=1 + offset / 16000), abs=timedelta(seconds=0.03)
    )
    assert segment.ended_by == "silence"


def test_a_quiet_room_is_quiet(gate: Gate) -> None:
    """A minute of steady noise opens nothing."""
    assert only(Segment, heard(gate, noise(60, -60, seed=32))) == []


def test_a_fan_is_heard_once_and_then_the_room(gate: Gate) -> None:
    """A fan opens a segment that ends when the floor has followed it; after that only louder sounds open."""
    said = heard(gate, noise(30, -40, seed=33))
    assert [one.ended_by for one in only(Segment, said) if one.ended_by != "open"] == ["silence"]
    assert gate.floor_dbfs == pytest.approx(-40, abs=2)
    knock = np.concatenate((noise(1, -40), noise(0.1, -25, seed=34), noise(2, -40, seed=35)))
    assert only(Segment, heard(gate, knock)) != []


def test_a_smoke_alarm_is_heard_to_its_last_beep(gate: Gate) -> None:
    """After ten minutes of alarm each beep still opens the gate."""
    heard(gate, in_a_room(smoke_alarm(cycles=148)))
    said = heard(gate, in_a_room(smoke_alarm(cycles=2)))
    beeps = 6 * 0.5
    assert sum(one.audio.duration_s for one in only(Segment, said) if one.ended_by != "open") > beeps


def test_loud_noise_carries_its_segment_and_how_loud(gate: Gate) -> None:
    """Far above the floor is a loud noise at once; its score shows how far."""
    said = heard(gate, noise(1, -60), noise(0.3, -10, seed=36), noise(2, -60, seed=37))
    detections = [one for one in only(Detection, said) if one.label == "loud_noise"]
    [segment] = [one for one in only(Segment, said) if one.ended_by == "silence"]
    assert {one.segment_id for one in detections} == {segment.id}
    assert detections[0].score == pytest.approx(0.5 + 10 / 40, abs=0.05)
    assert detections[0].started_at == pytest.approx(
        START + timedelta(seconds=1), abs=timedelta(seconds=0.03)
    )


def test_speech_in_a_quiet_room_is_no_loud_noise(gate: Gate) -> None:
    """Voices 35 dB above the floor are everyday life."""
    said = heard(gate, in_a_room(voice(3, level_dbfs=-30)))
    assert only(Detection, said) == []


def test_loud_noise_waits_until_the_room_is_known() -> None:
    """Nothing is called loud for its room within the first 3 s."""
    said = heard(Gate("kitchen", GateConfig()), noise(2.9, -20))
    assert only(Detection, said) == []
    assert only(Segment, said) != []


def test_speech_is_evidence(gate: Gate) -> None:
    """A voice gives a high speech ratio, a noise none; both open, and no word of speech is said."""
    said = heard(gate, in_a_room(voice(2)), noise(2, -60), noise(2, -25, seed=38), noise(2, -60))
    spoken, noisy = [one for one in only(Segment, said) if one.ended_by == "silence"]
    assert spoken.speech_ratio > 0.4
    assert noisy.speech_ratio < 0.1
    assert [one for one in only(Detection, said) if one.label == "speech"] == []


def test_vad_speech_says_speech() -> None:
    """Without a classifier the gate's own word is a detection, with the speech ratio as its score."""
    gate = Gate("kitchen", GateConfig(), vad_speech=True)
    said = heard(gate, ROOM, in_a_room(voice(2)), noise(2, -60), noise(2, -25, seed=38), noise(2, -60))
    segments = {(one.id, one.speech_ratio) for one in only(Segment, said)}
    words = [one for one in only(Detection, said) if one.label == "speech"]
    assert {(one.segment_id, one.score) for one in words} <= segments
    assert max(one.score for one in words) > 0.5
    assert len({one.segment_id for one in words}) == 1


def test_require_speech_withholds_what_has_no_voice() -> None:
    """Only segments with voice pass; loud noise is said all the same."""
    gate = Gate("kitchen", GateConfig(), require_speech=True)
    said = heard(gate, ROOM, noise(1, -20, seed=39), noise(3, -60), in_a_room(voice(2)), noise(2, -60))
    assert {one.speech_ratio > 0.1 for one in only(Segment, said)} == {True}
    assert {one.label for one in only(Detection, said)} == {"loud_noise"}


def test_a_gap_ends_what_is_open(gate: Gate) -> None:
    """A frame that follows a gap ends the segment before it, and opens the next without a pre-roll."""
    loud = noise(0.6, -30, seed=40)
    heard(gate, noise(1, -60), loud)
    [ended, *_] = only(Segment, heard(gate, loud))
    assert ended.ended_by == "gap"
    [after] = gate.finish("shutdown").segments
    assert (after.ended_by, after.onset_s) == ("shutdown", 0)
    assert len(after.audio) == len(loud)


def test_finish_without_a_sound_says_nothing(gate: Gate) -> None:
    """There is nothing to end in a quiet room."""
    assert not gate.finish("shutdown")


def test_level_is_reported_every_ten_seconds() -> None:
    """Mean level and floor, dated at the end of their ten seconds."""
    levels = only(Level, heard(Gate("kitchen", GateConfig()), noise(30.3, -55, seed=41)))
    assert [(one.at - START).total_seconds() for one in levels] == pytest.approx([10.02, 20.04, 30.06])
    assert [one.level_dbfs for one in levels] == pytest.approx([-55] * 3, abs=0.5)
    assert levels[-1].floor_dbfs == pytest.approx(-55, abs=1)


def test_a_dead_microphone_is_a_problem_and_never_loud(gate: Gate) -> None:
    """Digital silence is reported as a problem at a low, finite level; sound takes it back."""
    said = heard(gate, silence(20))
    assert [one.kinds for one in only(Problem, said)] == [("digital_silence",)]
    assert gate.level_dbfs == only(Level, said)[-1].level_dbfs == -120
    assert only(Segment, said) == []
    assert [one.kinds for one in only(Problem, heard(gate, noise(5, -60)))] == [()]


def test_what_two_gates_say_is_the_same() -> None:
    """The gate has no clock and no chance in it: the same frames bring the same segments."""
    sound = np.concatenate((ROOM, in_a_room(voice(3)), tone(1000, 3), noise(3, -60)))
    cuts = [
        [(one.started_at, one.onset_s, one.speech_ratio, one.ended_by) for one in only(Segment, said)]
        for said in (heard(Gate("kitchen", GateConfig()), sound), heard(Gate("kitchen", GateConfig()), sound))
    ]
    assert cuts[0] == cuts[1] != []


def test_a_frame_of_another_length_is_a_bug(gate: Gate) -> None:
    """Frames are 480 samples; anything else is refused rather than measured wrongly."""
    with pytest.raises(ValueError, match="a frame is 480 samples, not 160"):
        gate.push(Frame("kitchen", START, Audio(noise(0.01), 16_000)))

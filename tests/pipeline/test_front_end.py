"""What one source is listened to with: rhythm and gate on the same frames."""

import numpy as np

from monitor.gate.config import GateConfig
from monitor.gate.gate import Gate
from monitor.pipeline.front_end import FrontEnd
from monitor.rhythm.detector import RhythmDetector
from monitor.synthesis.alarms import piezo, played, temporal_three
from monitor.types import Findings, Frame
from testkit.builders import frames, noise, tone

RATE_HZ = 16_000


def ears(remember: list[Frame] | None = None) -> FrontEnd:
    gate = Gate("kitchen", GateConfig(), require_speech=False, vad_speech=False)
    keep = None if remember is None else remember.append
    return FrontEnd("kitchen", gate, RhythmDetector("kitchen"), keep)


def pushed(listening: FrontEnd, samples: np.ndarray) -> list[Findings]:
    return [heard for frame in frames(samples) if (heard := listening.push(frame))]


def test_silence_brings_nothing_but_levels():
    """A quiet room costs the decider one notice in ten seconds."""
    listening = ears()
    pushed(listening, noise(10, seed=1))  # it learns the room
    found = pushed(listening, noise(12, seed=2))
    assert not any(heard.segments or heard.detections for heard in found)
    assert 1 <= len(found) <= 3


def test_what_was_still_open_is_handed_over_at_the_end():
    """A bang in the last second before a camera goes is not lost with it."""
    listening = ears()
    pushed(listening, np.concatenate([noise(3), tone(700, 0.4)]))
    rest = listening.finish("gap")
    assert rest is not None
    [segment] = rest.segments
    assert segment.ended_by == "gap"
    assert rest.until == segment.ends_at


def test_the_end_comes_once():
    """Lost and then stopped: the same segment is not returned again."""
    listening = ears()
    pushed(listening, np.concatenate([noise(3), tone(700, 0.4)]))
    assert listening.finish("gap") is not None
    assert listening.finish("shutdown") is None


def test_a_source_that_never_spoke_has_nothing_left():
    """Stopped before its first frame."""
    assert ears().finish("shutdown") is None


def test_an_alarm_below_the_gate_is_heard_by_its_rhythm():
    """The rhythm listener hears every frame, whatever the gate makes of it."""
    alarm = 0.05 * played(piezo(), temporal_three(3), RATE_HZ)
    samples = noise(3 + len(alarm) / RATE_HZ + 1, -60)
    samples[3 * RATE_HZ :][: len(alarm)] += alarm
    gate = Gate(
        "kitchen",
        GateConfig(open_above_floor_db=60, loud_noise_above_floor_db=70),
        require_speech=False,
        vad_speech=False,
    )
    found = pushed(FrontEnd("kitchen", gate, RhythmDetector("kitchen")), samples)
    assert not any(heard.segments for heard in found)
    assert "smoke_alarm" in {d.label for heard in found for d in heard.detections}


def test_every_frame_is_shown_to_who_remembers():
    """Clips are cut from what came, not from what was found worth hearing."""
    kept: list[Frame] = []
    sound = frames(noise(1))
    listening = ears(kept)
    for frame in sound:
        listening.push(frame)
    assert kept == sound

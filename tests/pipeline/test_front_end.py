"""What one source is listened to with: rhythm and gate on the same frames."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import FRAME_SAMPLES, SAMPLE_RATE_HZ, Audio, Piece, Samples
from monitor.gate.config import GateConfig
from monitor.gate.gate import Gate
from monitor.pipeline.front_end import FrontEnd
from monitor.rhythm.detector import RhythmDetector
from monitor.synthesis.alarms import piezo, played, temporal_three
from monitor.types import Findings
from testkit.builders import START, frames, noise, tone
from testkit.gate_sounds import siren, voice

RATE_HZ = 16_000


def ears(remember: list[Piece] | None = None) -> FrontEnd:
    gate = Gate("kitchen", GateConfig(), require_speech=False, vad_speech=False)
    kept = [] if remember is None else remember

    def keep(piece: Piece) -> bool:
        kept.append(piece)
        return False

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
    """The rhythm detector hears every frame, whatever the gate makes of it."""
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
    kept: list[Piece] = []
    sound = frames(noise(1))
    listening = ears(kept)
    for frame in sound:
        listening.push(frame)
    assert kept == [Piece.of(frame) for frame in sound]


def room(seed: int, duration_s: float = 9.0) -> Samples:
    """A room in which, by its seed, someone speaks, something beeps, bangs or howls, or nothing happens."""
    sound = noise(duration_s, -60 - seed % 9, seed=seed)
    happens = [voice(1.2), tone(3000 + 10 * seed, 0.5), noise(0.1, -15, seed=seed), 0.3 * siren(1.0)]
    alarm = 0.05 * played(piezo(), temporal_three(2), RATE_HZ)
    for at_s, what in ((3.2, happens[seed % 4]), (5.0, alarm if seed % 3 else happens[(seed + 1) % 4])):
        at = round(at_s * RATE_HZ)
        heard = what[: len(sound) - at].astype(np.float32)
        sound[at : at + len(heard)] += heard
    return sound


def cut_up(sound: Samples, cuts: Sequence[int]) -> list[Piece]:
    """The sound in pieces that end at these frames; there is a gap before its middle."""
    count = len(sound) // FRAME_SAMPLES
    whole = Piece("kitchen", START, Audio(sound[: count * FRAME_SAMPLES], SAMPLE_RATE_HZ), True)
    edges = sorted({0, count // 2, count, *(cut for cut in cuts if 0 < cut < count)})
    return [
        Piece("kitchen", whole.frame(first).captured_at, audio, first in (0, count // 2))
        for first, end in pairwise(edges)
        for audio in [Audio(sound[first * FRAME_SAMPLES : end * FRAME_SAMPLES], SAMPLE_RATE_HZ)]
    ]


def steady(found: Sequence[Findings]) -> list[str]:
    """Findings without the identifiers that are drawn at random: segments by their order."""
    names: dict[str | None, str | None] = {None: None}

    def named(id: str | None) -> str | None:
        return names.setdefault(id, f"s{len(names)}")

    return [
        repr(
            (
                replace(heard, segments=(), detections=()),
                [
                    (replace(one, id=str(named(one.id))), one.audio.samples.tobytes())
                    for one in heard.segments
                ],
                [replace(one, segment_id=named(one.segment_id)) for one in heard.detections],
            )
        )
        for heard in found
    ]


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 40), cuts=st.lists(st.integers(1, 299), max_size=60))
def test_it_does_not_matter_how_the_sound_is_cut(seed: int, cuts: list[int]) -> None:
    """Frame by frame, in pieces of any length, or in two halves: the same segments, alarms and levels."""
    sound, alone, cut = room(seed), ears(), ears()
    by_frame = [found for piece in cut_up(sound, range(300)) for found in alone.hear(piece)]
    by_piece = [found for piece in cut_up(sound, cuts) for found in cut.hear(piece)]

    assert by_frame
    assert steady(by_piece) == steady(by_frame)


def test_a_room_is_heard_alone_as_among_others() -> None:
    """Bit for bit, in the company of 31 other rooms that are heard in turn: kernels share their memory."""
    every = [cut_up(room(seed, 7.0), range(0, 300, 4)) for seed in range(32)]
    together: list[list[Findings]] = [[] for _ in every]
    listening = [ears() for _ in every]
    for turn in zip(*every, strict=True):
        for heard, one, piece in zip(together, listening, turn, strict=True):
            heard += one.hear(piece)
    for seed in (1, 2, 7, 30):
        lonely = ears()
        alone = [found for piece in every[seed] for found in lonely.hear(piece)]
        assert steady(together[seed]) == steady(alone)


def test_nothing_is_calm_while_something_goes_on():
    """Sound may wait a second only in a known room, below what opens the gate, and without a tone."""
    listening = ears()
    assert listening.calm_below == 0.0
    pushed(listening, noise(4, seed=1))
    room = listening.calm_below
    assert float(np.mean(noise(1, seed=2) ** 2)) < room < float(np.mean(tone(700, 0.4) ** 2))
    pushed(listening, tone(700, 0.4))
    assert listening.calm_below == 0.0  # a segment is open
    pushed(listening, noise(3, seed=3))
    assert listening.calm_below > 0.0
    faint = noise(0.48, seed=4) + 0.004 * tone(3000, 0.48)
    pushed(listening, faint)
    assert listening.calm_below == 0.0  # below the gate, and it may be an alarm


def test_nothing_is_calm_while_somebody_follows_the_source():
    """Whoever looks at a live picture, or listens, would be a second behind."""
    looking = [False]
    gate = Gate("kitchen", GateConfig(), require_speech=False, vad_speech=False)
    listening = FrontEnd("kitchen", gate, RhythmDetector("kitchen"), lambda piece: looking[0])
    pushed(listening, noise(4, seed=1))
    assert listening.calm_below > 0.0
    looking[0] = True
    pushed(listening, noise(0.2, seed=2))
    assert listening.calm_below == 0.0
    looking[0] = False
    pushed(listening, noise(0.2, seed=3))
    assert listening.calm_below > 0.0

"""What the kernel hears, held against the same arithmetic in numpy, written out here."""

from collections.abc import Iterator
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import Samples
from monitor.gate.config import GateConfig
from monitor.gate.level import measure
from monitor.gate.listening import (
    CLIPPED,
    LOUD,
    OFFSET,
    OPENS,
    SILENT,
    SOUNDS,
    STUCK,
    FrameMarker,
    MarkedFrames,
)
from monitor.gate.tonality import flatness
from monitor.native import kernels as native
from monitor.native.kernels import load
from testkit.builders import noise, tone
from testkit.gate_sounds import in_a_room, silence, siren, smoke_alarm, tonal_share

CONFIG = GateConfig(loud_noise_above_floor_db=30)


def sound(seed: int) -> Samples:
    """Twenty seconds of rooms, machines, alarms, silence and faults, most of them in steps of 16 bits."""
    rng = np.random.default_rng(seed)
    level_dbfs, length_s = rng.uniform(-90, -10, 12), rng.uniform(0.1, 4, 12)
    parts = [
        np.float32(offset) + part
        for level, length, number in zip(level_dbfs, length_s, rng.integers(0, 8, 12), strict=True)
        for offset, part in [
            (0, noise(length, level, seed)), (0, noise(length, -60, seed)), (0.1, noise(length, level, seed)),
            (0, silence(length)), (0.01, silence(length)), (0, in_a_room(siren(length))),
            (0, in_a_room(smoke_alarm(1))), (0, np.clip(tone(440, length, level + 20), -1, 1)),
        ][number : number + 1]
    ]  # fmt: skip
    whole = np.concatenate(parts)[: 20 * 16_000]
    steps = np.round(whole * 32768).astype(np.float32) / np.float32(32768) if seed % 3 else whole
    return np.asarray(steps[: len(steps) // 480 * 480], np.float32)


def heard(marker: FrameMarker, samples: Samples, seed: int) -> list[MarkedFrames]:
    """What a marker hears in pieces of any length, frame by frame."""
    rng, found, first = np.random.default_rng(seed), list[MarkedFrames](), 0
    while first < len(samples) // 480:
        count = min(int(rng.integers(1, 34)), marker.frames_wanted, len(samples) // 480 - first)
        found += marker.hear(samples, first, count).each()
        first += count
    return found


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_levels_floor_and_marks_are_those_of_numpy(seed: int, cuts: int) -> None:
    """To a millionth of a decibel, however the sound is cut; and the same marks."""
    samples = sound(seed)
    found = heard(FrameMarker(CONFIG), samples, cuts)

    for one, (level_dbfs, floor_dbfs, marks) in zip(found, plainly_heard(samples), strict=True):
        assert one.levels_dbfs == pytest.approx([level_dbfs], abs=1e-6)
        assert one.floors_dbfs == pytest.approx([floor_dbfs], abs=1e-6)
        assert one.marks == [marks]


@pytest.mark.skipif(len(native.runnable()) < 2, reason="a processor with AVX2 runs several libraries")
def test_old_and_new_processors_hear_the_same() -> None:
    """To the bit, in every library."""
    for seed in range(6):
        old, *new = (heard(FrameMarker(CONFIG, load(v)), sound(seed), seed) for v in native.runnable())
        assert all(each == old for each in new)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000))
def test_tonality_is_that_of_numpy(seed: int) -> None:
    """Share and flatness, to 1e-5, where there is noise: of a constant both show what was rounded."""
    samples = sound(seed)
    samples += noise(20, -80, seed)[: len(samples)]
    for at in range(0, len(samples) - 4800, 48_000):
        block = samples[at : at + 4800]
        assert tonal_share(block) == pytest.approx(plain_tonal_share(block), abs=1e-5)
        frames = samples[at : at + 480 * (1 + seed % 10)]
        assert flatness(frames) == pytest.approx(
            plain_high_and_flatness(frames.reshape(-1, 480))[1], abs=1e-5
        )


def test_a_second_is_measured_whole() -> None:
    """Of each 33 frames: the loudest level, the powers' sums, and the least and most of what moves."""
    samples = sound(1)[: 66 * 480]
    marker = FrameMarker(CONFIG)
    for first in (0, 33):
        second = marker.hear(samples, first, 33).second
        frames = [measure(samples[i * 480 : (i + 1) * 480]) for i in range(first, first + 33)]
        moving = [max(0.0, one.power - one.mean**2) for one in frames]
        assert second is not None
        assert second.frames == 33
        assert second.highest_dbfs == max(one.level_dbfs for one in frames)
        assert second.power == pytest.approx(sum(10 ** (one.level_dbfs / 10) for one in frames))
        assert second.moving == pytest.approx(sum(moving))
        assert (second.least, second.most) == (min(moving), max(moving))


def plainly_heard(samples: Samples) -> Iterator[tuple[float, float, int]]:
    """Level, floor and marks of each frame."""
    window, block = [max(-70.0, CONFIG.quietest_floor_dbfs)] * 100, list[int]()
    floor_dbfs, learned, frames = window[0], 0, samples.reshape(-1, 480)
    levels_dbfs = [measure(frame).level_dbfs for frame in frames]
    for index, level_dbfs in enumerate(levels_dbfs):
        if level_dbfs >= -100:
            block.append(index)
        if len(block) == 10:
            levels = [levels_dbfs[i] for i in block]
            if median(levels) > floor_dbfs + 3 and plain_tonal_share(frames[block].ravel()) > 0.4:
                window = [level + 0.5 / 60 * 0.3 for level in window]
            else:
                at = learned % 100
                window[at : at + 10] = levels
                learned += 10
            floor_dbfs = max(CONFIG.quietest_floor_dbfs, sorted(window)[10])
            block.clear()
        yield level_dbfs, floor_dbfs, plain_marks(frames[index], level_dbfs - floor_dbfs, floor_dbfs, learned)


def plain_marks(frame: Samples, above_db: float, floor_dbfs: float, learned: int) -> int:
    """The marks of one frame."""
    asked_db = min(CONFIG.loud_noise_above_floor_db, max(12.0, -12.0 - floor_dbfs))
    mean, still = abs(measure(frame).mean), float(frame.max()) - float(frame.min()) < 1 / 32768
    marks = {
        OPENS: above_db >= CONFIG.open_above_floor_db,
        SOUNDS: above_db >= CONFIG.close_above_floor_db,
        LOUD: learned >= 100 and above_db >= asked_db,
        SILENT: still and mean < 1 / 32768,
        STUCK: still and mean >= 1 / 32768,
        CLIPPED: max(float(frame.max()), -float(frame.min())) >= 0.985,
        OFFSET: mean > 0.05,
    }
    return sum(mark for mark, is_there in marks.items() if is_there)


def plain_tonal_share(block: Samples) -> float:
    """The share of power in lines: of ten frames, and of all of them as one."""
    high, short = plain_high_and_flatness(block.reshape(-1, 480))
    _, long = plain_high_and_flatness(block.reshape(1, -1))
    return high * (1 - min(1.0, min(short, long) / 0.56))


def plain_high_and_flatness(frames: Samples) -> tuple[float, float]:
    """The share of the power above 100 Hz that is above 400 Hz, and the flatness there, in eight bands."""
    spectrum = np.fft.rfft(frames * np.hanning(frames.shape[1]).astype(np.float32))
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32) + np.float32(1e-20)
    per_hz = frames.shape[1] / 16_000
    lowest, first = round(100 * per_hz), round(400 * per_hz)
    width = (power.shape[1] - first) // 8
    bands = power[:, first : first + width * 8].reshape(len(power), 8, width)
    mean, flat = bands.mean(axis=2), np.exp(np.log(bands).mean(axis=2))
    return float(mean.sum() * width / power[:, lowest:].sum()), float(flat.sum() / mean.sum())

"""How loud a frame is."""

import numpy as np
import pytest

from monitor.gate.level import SILENCE_DBFS, LevelReport, frames_in, measure
from testkit.builders import frames, noise, tone


def test_level_of_a_tone_is_its_rms() -> None:
    """A tone above the rumble is measured at its RMS level."""
    assert measure(tone(1000, 0.03, level_dbfs=-20)).level_dbfs == pytest.approx(-20, abs=0.1)


def test_level_of_noise_is_its_rms() -> None:
    """Taking the rumble out takes almost nothing out of a noise."""
    samples = noise(0.03, level_dbfs=-50, seed=3)
    assert measure(samples).level_dbfs == pytest.approx(10 * np.log10(np.mean(samples**2)), abs=0.3)


@pytest.mark.parametrize("hum_hz", [50, 60])
def test_hum_and_offset_do_not_hide_the_room(hum_hz: float) -> None:
    """A hum 15 dB above the room and a large offset add less than 2 dB to its level."""
    room = noise(0.03, level_dbfs=-60) + tone(hum_hz, 0.03, level_dbfs=-45) + np.float32(0.2)
    assert measure(room).level_dbfs < -58


def test_silence_has_a_finite_level() -> None:
    """A dead microphone is at the bottom of the scale: neither minus infinity nor full scale."""
    assert measure(np.zeros(480, np.float32)).level_dbfs == SILENCE_DBFS


def test_offset_and_power_are_measured() -> None:
    """Mean and power are those of the samples as they came."""
    samples = tone(1000, 0.03, level_dbfs=-20) + np.float32(0.25)
    measured = measure(samples)
    assert measured.mean == pytest.approx(0.25, abs=1e-4)
    assert measured.power == pytest.approx(np.mean(samples**2), rel=1e-4)


def test_a_large_offset_leaves_the_level_as_it_is() -> None:
    """Sound 80 dB below an offset is measured as without it, where single precision would lose it."""
    room = noise(0.03, level_dbfs=-80)
    assert measure(room + np.float32(0.9)).level_dbfs == pytest.approx(measure(room).level_dbfs, abs=1)


@pytest.mark.parametrize(("duration_s", "count"), [(0.0, 0), (0.03, 1), (0.031, 2), (0.3, 10), (0.5, 17)])
def test_durations_are_rounded_up_to_frames(duration_s: float, count: int) -> None:
    """A duration lasts at least as long as asked, in whole frames."""
    assert frames_in(duration_s) == count


def test_report_gives_the_mean_energy_at_its_interval() -> None:
    """Half the time at -20 dBFS and half the time far below is -23 dBFS."""
    report = LevelReport(every_s=0.3)
    reports = [
        report.made(frame.source, frame.ends_at, -60.0)
        for i, frame in enumerate(frames(noise(0.6)))
        if report.is_due(1, 1e-2 if i % 2 else 1e-9)
    ]
    assert [round(level.level_dbfs) for level in reports] == [-23, -23]
    assert (reports[1].at - reports[0].at).total_seconds() == pytest.approx(0.3)

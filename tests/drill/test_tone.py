"""An alarm's tones out of a recording with its room's noise."""

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.drill.margin import is_heard
from monitor.drill.tone import rattles, tones_alone
from testkit import alarms, room
from testkit.rhythm_trials import noise_of

AROUND = 2 * SAMPLE_RATE_HZ
RHYTHMS = {"smoke_alarm": alarms.temporal_three(3), "co_alarm": alarms.temporal_four(3)}


def alarm(label: str, pitch_hz: float, rng: np.random.Generator) -> Samples:
    """Three rounds in a room."""
    sounder = alarms.piezo(pitch_hz) if pitch_hz > 1000 else alarms.square_520_hz(pitch_hz)
    dry = alarms.played(sounder, RHYTHMS[label], SAMPLE_RATE_HZ)
    wet = room.in_room(dry, room.impulse_response(rng, 0.4, SAMPLE_RATE_HZ), tail=True)
    return np.pad(wet, AROUND)


def off_db(samples: Samples, true: Samples) -> float:
    """The power of what is wrong, over that of what is true."""
    return float(10 * np.log10(np.mean((samples - true) ** 2) / np.mean(true**2)))


@pytest.mark.parametrize("label", RHYTHMS)
@pytest.mark.parametrize("pitch_hz", [3100.0, 520.0])
def test_an_alarm_is_told_from_the_dishes_that_rattle_with_it(label: str, pitch_hz: float):
    """What is left of the dishes is a third of it at most, however loud they are; its rhythm is found."""
    rng = np.random.default_rng(1)
    true = alarm(label, pitch_hz, rng)
    noise = noise_of("dishes", rng, 40 * SAMPLE_RATE_HZ)
    noise *= room.noise_gain(true, noise, pitch_hz, 10.0, SAMPLE_RATE_HZ)
    recorded, alone = true + noise[: len(true)], noise[len(true) :]
    assert rattles(alone, pitch_hz)
    tones = tones_alone(recorded, alone, pitch_hz, label)
    fading = tones_alone(recorded, alone, pitch_hz, label, fades=True)
    for each in (tones, fading):
        assert off_db(each, true) < min(-5, off_db(recorded, true) - 6)
    assert is_heard(fading, label)


@pytest.mark.parametrize("pitch_hz", [3100.0, 520.0])
def test_a_room_rings_between_the_beeps_as_it_truly_does(pitch_hz: float):
    """Not more faintly: the gaps of T4 would be clearer than they are, and it would be found too far down."""
    rng = np.random.default_rng(8)
    true = alarm("co_alarm", pitch_hz, rng)
    noise = noise_of("dishes", rng, 40 * SAMPLE_RATE_HZ)
    noise *= room.noise_gain(true, noise, pitch_hz, 20.0, SAMPLE_RATE_HZ)
    tones = tones_alone(true + noise[: len(true)], noise[len(true) :], pitch_hz, "co_alarm")
    level, kept = (band_level(each, pitch_hz) for each in (true, tones))
    rings = (level < level.max() / 10) & (level > level.max() / 10**3)
    assert 10 * np.log10(kept[rings].sum() / level[rings].sum()) == pytest.approx(0, abs=0.7)


def band_level(samples: Samples, pitch_hz: float) -> Samples:
    """Power of every 32 ms around a pitch."""
    looks = np.lib.stride_tricks.sliding_window_view(samples, 512)[::512]
    power = np.abs(np.fft.rfft(looks * np.hanning(512), axis=1)) ** 2
    band = np.abs(np.fft.rfftfreq(512, 1 / SAMPLE_RATE_HZ) - pitch_hz) < 50
    return np.asarray(power[:, band].sum(axis=1), np.float32)


@pytest.mark.parametrize("colour", [-3.0, 0.0])
def test_steady_noise_does_not_rattle(colour: float):
    """Pink or white."""
    noise = room.coloured_noise(np.random.default_rng(2), 20 * SAMPLE_RATE_HZ, colour)
    assert not rattles(noise, 3100.0)
    assert not rattles(noise, 520.0)


def test_where_nothing_beeps_nothing_is_left():
    """Of silence, and of dishes alone at the pitch of no alarm, there is no tone."""
    dishes = noise_of("dishes", np.random.default_rng(3), 40 * SAMPLE_RATE_HZ)
    half = len(dishes) // 2
    silence = np.zeros(half, np.float32)
    assert not tones_alone(silence, silence, 3100.0, "smoke_alarm").any()
    assert not is_heard(tones_alone(dishes[:half], dishes[half:], 3100.0, "smoke_alarm"), "smoke_alarm")


def test_a_recording_keeps_its_length():
    """However long it is, and the tones keep their place."""
    rng = np.random.default_rng(4)
    true = alarm("smoke_alarm", 3100.0, rng)
    quiet = rng.normal(0, 1e-4, 10 * SAMPLE_RATE_HZ).astype(np.float32)
    for cut in (0, 1, 127, 511):
        some = true[: len(true) - cut]
        tones = tones_alone(some, quiet, 3100.0, "smoke_alarm")
        assert len(tones) == len(some)
        assert off_db(tones, some) < -20

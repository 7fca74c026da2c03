"""Sounds that the rhythm detector once got wrong, or must tell apart: for its tests and benchmarks."""

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.synthesis.alarms import Rhythm, Sounder, piezo, played, temporal_three
from monitor.synthesis.room import coloured_noise
from testkit import rhythm_trials
from testkit.alarms import square_520_hz, steady_pulses, temporal_four
from testkit.rhythm_disguised import disguised
from testkit.rhythm_trials import LABELS, RecallCondition, impostor_samples
from testkit.room import mixed_at_band_snr

LEAD_S = 1.0
"""Noise before an alarm of `alarm`."""

PASSED_ONCE = [
    ("telephone_ring", 100_036),  # a warble: each of its pitches comes and goes
    ("telephone_ring", 101_144),  # a bell, one partial of which beats four times
    ("oven_timer", 103_012),  # four beeps each 2.4 s, whose faint overtone seems to be alone
    ("metronome", 105_021),  # ticks that a room draws out to half a second, three of four at one pitch
    ("flute_or_whistle", 103_025),  # three notes of very different length
    ("flute_or_whistle", 740_007),  # a room turns four swings of a vibrato into beeps
    ("telephone_ring", 740_012),  # a bell in a room, with its other partials around it
    ("bird", 300_001),  # four quick calls, each at a pitch of its own
    ("microwave", 790_011),  # ten beeps, of which six followed a burst of T4
    ("microwave", 790_018),  # five beeps that a wide band shows as four
    ("microwave", 600_001),  # five beeps that the edge of a pitch shows as four
]
"""Impostors, with their seeds, that were once taken for an alarm."""
HIDDEN_ONCE = [
    ("T4", RecallCondition(rt60_s=0.8), 720_156),  # the room fills the gaps at its pitch
    ("T4", RecallCondition(rt60_s=0.8), 720_118),  # only the overtone of its pitch has gaps
    ("T4", RecallCondition(rt60_s=0.5), 6_282),  # its overtone alone was held against the next burst
    ("T3", RecallCondition(snr_db=0.0, noise="dishes"), 780_002),  # a plate rings in most of its gaps
    ("T3", RecallCondition(snr_db=0.0, noise="dishes"), 780_014),  # another pulls the pitch of one tone
    ("T4", RecallCondition(snr_db=0.0, noise="dishes"), 780_003),
]
"""Alarms, with their conditions and seeds, that were once missed."""
NEAR_MISSES: dict[str, Rhythm] = {
    "five beeps": [(0.5, 0.5)] * 4 + [(0.5, 8.0)],
    "three beeps": [(0.5, 0.5)] * 2 + [(0.5, 20.0)],
    "three long beeps": [(1.0, 1.0)] * 3 + [(1.0, 8.0)],
    "alarm clock": ([(0.1, 0.1)] * 3 + [(0.1, 0.6)]) * 8 + [(0.1, 6.0)],
    "ten quick beeps": [(0.1, 0.1)] * 9 + [(0.1, 8.0)],
    "three quick beeps": [(0.1, 0.1)] * 2 + [(0.1, 8.0)],
}
"""Rhythms that are neither T3 nor T4."""
AT_THE_EDGE = [
    RecallCondition(snr_db=0.0),
    RecallCondition(snr_db=-3.0),
    *(RecallCondition(noise=noise, snr_db=0.0) for noise in ("babble", "music", "dishes")),
    RecallCondition(rt60_s=0.8),
    RecallCondition(rt60_s=1.2),
    RecallCondition("square", snr_db=3.0),
    RecallCondition("swept", snr_db=0.0),
    RecallCondition("two_tone", snr_db=3.0),
    RecallCondition(channel="two alarms"),
    RecallCondition(channel="masked beep"),
]
"""Conditions under which some alarms are found and some are missed."""
IMPOSTORS_AT_THE_EDGE = (
    "flute_or_whistle", "telephone_ring", "microwave", "oven_timer", "bird", "metronome", "alarm_clock",
    "electronic_music",
)  # fmt: skip
SEED = 400_000


def alarm(
    rhythm: Rhythm,
    sounder: Sounder | None = None,
    *,
    snr_db: float = 15.0,
    tail_s: float = 2.0,
    seed: int = 1,
) -> Samples:
    """A second of noise, the rhythm in the noise, and some noise after it; shape (samples,), 16 kHz."""
    sounder = sounder or piezo()
    sounding = played(sounder, rhythm, SAMPLE_RATE_HZ)
    signal = np.pad(sounding, (round(LEAD_S * SAMPLE_RATE_HZ), round(tail_s * SAMPLE_RATE_HZ)))
    noise = coloured_noise(np.random.default_rng(seed), len(signal))
    mixed = mixed_at_band_snr(signal, noise, sounder.pitch_hz, snr_db, SAMPLE_RATE_HZ)
    return np.asarray(0.5 * mixed / np.abs(mixed).max(), np.float32)


def edge_cases() -> dict[str, Samples]:
    """Some hundred sounds near the edge between alarm and none, by name."""
    passed = {f"{name} {seed}": impostor_samples(name, seed) for name, seed in PASSED_ONCE}
    hidden = {
        f"{pattern}, {condition.name} {seed}": rhythm_trials.alarm(pattern, condition, seed).samples
        for pattern, condition, seed in HIDDEN_ONCE
    }
    near = {name: alarm(rhythm, snr_db=25.0) for name, rhythm in NEAR_MISSES.items()}
    impostors = {name: impostor_samples(name, SEED) for name in IMPOSTORS_AT_THE_EDGE}
    alarms = {
        f"{pattern}, {condition.name}": rhythm_trials.alarm(pattern, condition, SEED).samples
        for condition in AT_THE_EDGE
        for pattern in LABELS
    }
    return passed | hidden | near | impostors | alarms | _plain() | disguised()


def _plain() -> dict[str, Samples]:
    return {
        "march time": alarm(steady_pulses(20)),
        "unbroken tone": alarm([(16.0, 0.0)]),
        "chirps": alarm([(0.06, 39.94)] * 2 + [(0.06, 1.0)]),
        "T4 once a minute": alarm(temporal_four(2, pause_s=59.3)),
        "T3, 520 Hz": alarm(temporal_three(2), square_520_hz()),
        "T4, 520 Hz": alarm(temporal_four(1), square_520_hz()),
    }

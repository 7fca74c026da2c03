"""How loud a source is now, from some seconds of its sound: what a calibration compares."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from monitor.audio import CLIPPED_FROM_AMPLITUDE, SAMPLE_RATE_HZ, Audio, Piece
from monitor.loudness.meter import SILENCE_POWER
from monitor.loudness.weighting import HOP, weighted_energies


@dataclass(frozen=True, slots=True)
class Spot:
    """One measurement."""

    laeq_dbfs: float
    spread_db: float = 0.0
    """From its quietest to its loudest second."""
    clipped: bool = False


def measured(pieces: Iterable[Piece], for_s: float) -> Spot | None:
    """Measure the first seconds of a source; None where it sends less than a second, or no sound. Blocks as
    the pieces do."""
    parts, count = [], 0
    for piece in pieces:
        parts.append(piece.audio)
        count += len(piece.audio)
        if count >= for_s * SAMPLE_RATE_HZ:
            break
    if count < SAMPLE_RATE_HZ:
        return None
    samples = Audio.join(parts).samples
    powers = np.array(weighted_energies(samples)) / HOP
    if powers.mean() <= SILENCE_POWER:
        return None
    second = SAMPLE_RATE_HZ // HOP
    seconds = [powers[begin : begin + second].mean() for begin in range(0, len(powers) - second + 1, second)]
    spread_db = 10 * math.log10(max(seconds) / max(min(seconds), SILENCE_POWER))
    clipped = bool((np.abs(samples) >= CLIPPED_FROM_AMPLITUDE).any())
    return Spot(10 * math.log10(float(powers.mean())), spread_db, clipped)

"""Channels to one: their mean, unless they cancel each other."""

from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.audio import Samples
from monitor.logs import get_logger
from monitor.sources.timing.framer import as_float

log = get_logger()

CANCELS_BELOW = 0.1
"""The mean's power against the mean power of the channels. Two channels that have nothing in common come to
0.5; a tenth (-10 dB) is reached only by sound that is inverted in one of them."""
_AUDIBLE = (4 / 32768) ** 2
"""Below this power (-78 dBFS) channels that cancel are channels without sound."""
_MEMORY_S = 0.5


class Mixer:
    """Makes one channel of several. One source, one thread.

    A stereo microphone wired with one side inverted, or a recorder that inverts one, gives a mean of almost
    nothing. Once that is found the louder channel is listened to alone, until the mixer is made anew: going
    back and forth would click.
    """

    def __init__(self, source: str, channel: int | None = None) -> None:
        """`channel`: this one only, counted from 0."""
        self._source = source
        self._channel = channel
        self._is_given = channel is not None
        self._powers: npt.NDArray[np.float64] | None = None
        self._mean_power = 0.0

    def push(self, samples: npt.NDArray[Any], sample_rate_hz: int) -> Samples:
        """Decoded sound, (channels, samples) of integers or floating point, as mono float32 in -1..1."""
        if len(samples) == 1 or not samples.shape[1]:
            return as_float(samples[0])
        if self._is_given:
            assert self._channel is not None
            return as_float(samples[self._channel])
        each = np.stack([as_float(channel) for channel in samples])
        mono: Samples = each.mean(0, dtype=np.float32)
        self._note(each, mono, sample_rate_hz)
        return mono if self._channel is None else each[self._channel]

    def _note(self, each: Samples, mono: Samples, sample_rate_hz: int) -> None:
        """Powers are remembered for half a second, weighted by loudness: one beep decides at once."""
        if self._powers is None or len(self._powers) != len(each):
            self._powers, self._mean_power, self._channel = np.zeros(len(each)), 0.0, None
        keep = np.exp(-each.shape[1] / sample_rate_hz / _MEMORY_S)
        finite = np.clip(np.nan_to_num(each), -16, 16)
        self._powers = keep * self._powers + (1 - keep) * (finite.astype(np.float64) ** 2).mean(1)
        mean_power = float((np.clip(np.nan_to_num(mono), -16, 16).astype(np.float64) ** 2).mean())
        self._mean_power = keep * self._mean_power + (1 - keep) * mean_power
        loudest = int(np.argmax(self._powers))
        if self._channel is None:
            cancels = self._mean_power < CANCELS_BELOW * self._powers.mean()
            if cancels and self._powers[loudest] > _AUDIBLE:
                self._channel = loudest
                self._warn()
        elif self._powers[self._channel] < 0.01 * self._powers[loudest] and self._powers[loudest] > _AUDIBLE:
            self._channel = loudest

    def _warn(self) -> None:
        assert self._channel is not None
        log.warning(
            "the channels cancel each other; one of them is inverted",
            source=self._source,
            listening_to_channel=self._channel + 1,
            fix="turn the polarity of one channel around at the recording",
        )

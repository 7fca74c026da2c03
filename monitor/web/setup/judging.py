"""What ten seconds of a source are like, before anybody relies on it."""

from dataclasses import dataclass, field

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.gate.level import DIGITAL_SILENCE_BELOW_DBFS, SILENCE_DBFS, measure
from monitor.gate.life import without_hum
from monitor.types import Frame
from monitor.web.setup.choices import SoundQuality

LISTEN_S = 10.0
SECOND_FRAMES = 33
STILL_DB = 12.0
"""Somebody who speaks or claps is at least so much above their room. Chosen: a room without anybody moves by
less than 6 dB."""
QUIET_DBFS = -50.0
"""The loudest second of a voice in the room; below it distant alarms are near a converter's noise."""
CLIPPED_FROM = 0.985
CLIPPED_SHARE = 0.02
"""Of the frames; a single clap at the microphone is none."""
HUM_DB = 15.0
"""The mains' lines over everything else, as the gate judges it."""
TELEPHONE_DB = 45.0
"""How far the band above 4.3 kHz lies below that of 1 to 3.4 kHz through G.711, which has nothing above
4 kHz. A bare room's noise falls by less than 30 dB."""


@dataclass(slots=True)
class SetupJudge:
    """Takes the frames of one source in order; one thread."""

    _levels: list[float] = field(default_factory=list)
    _clipped: int = 0
    _seconds: list[Samples] = field(default_factory=list)
    _part: list[Samples] = field(default_factory=list)

    def push(self, frame: Frame) -> float:
        """Take a frame, and return its level in dBFS, without hum and rumble."""
        samples = frame.audio.samples
        self._levels.append(measure(samples).level_dbfs)
        self._clipped += bool(float(np.abs(samples).max()) >= CLIPPED_FROM)
        self._part.append(samples)
        if len(self._part) == SECOND_FRAMES:
            self._seconds.append(np.concatenate(self._part))
            self._part = []
        return self._levels[-1]

    @property
    def floor_dbfs(self) -> float:
        """The tenth part of the frames are quieter."""
        return float(np.percentile(self._levels, 10)) if self._levels else SILENCE_DBFS

    @property
    def loudest_dbfs(self) -> float:
        """The level that one frame in fifty exceeds: no single click."""
        return float(np.percentile(self._levels, 98)) if self._levels else SILENCE_DBFS

    def verdict(self) -> tuple[SoundQuality, ...]:
        """`good`, or everything that is not."""
        if self.loudest_dbfs < DIGITAL_SILENCE_BELOW_DBFS:
            return ("silent",)
        found: list[SoundQuality] = []
        if self._clipped > CLIPPED_SHARE * len(self._levels):
            found.append("clipping")
        if self._hums():
            found.append("hum")
        if self._is_telephone():
            found.append("telephone")
        if self.loudest_dbfs < self.floor_dbfs + STILL_DB:
            found.append("still")
        elif self.loudest_dbfs < QUIET_DBFS:
            found.append("quiet")
        return tuple(found) or ("good",)

    def _hums(self) -> bool:
        """In the calmest second: a voice over a hum is heard all the same."""
        if not self._seconds:
            return False
        rest_dbfs, hum_dbfs = without_hum(min(self._seconds, key=lambda one: float(one @ one)))
        return hum_dbfs > max(rest_dbfs, DIGITAL_SILENCE_BELOW_DBFS) + HUM_DB

    def _is_telephone(self) -> bool:
        """In the loudest second, where there is most to lose."""
        if not self._seconds:
            return False
        loudest = max(self._seconds, key=lambda one: float(one @ one))
        power = np.abs(np.fft.rfft(loudest * np.hanning(len(loudest)))) ** 2
        hz = np.arange(len(power)) * (SAMPLE_RATE_HZ / len(loudest))
        low = float(power[(hz > 1000) & (hz < 3400)].mean())
        high = float(power[(hz > 4300) & (hz < 7500)].mean())
        return low > 0 and 10 * np.log10((high + 1e-20) / low) < -TELEPHONE_DB

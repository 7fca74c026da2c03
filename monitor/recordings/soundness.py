"""Whether a recording holds sound at all: silence, one value, an offset or clipping throughout, as a dead or
mistreated microphone leaves it."""

from collections.abc import Iterable

import numpy as np

from monitor.audio import (
    CLIPPED_FROM_AMPLITUDE,
    FRAME_S,
    FRAME_SAMPLES,
    OFFSET_FROM_AMPLITUDE,
    PCM16_STEP,
    Piece,
)
from monitor.types import Findings, Problem, ProblemKind

_THROUGHOUT_SHARE = 0.9
"""Of the frames that are so. Chosen: a second of something at an end leaves a recording dead; of a film that
is dead for a third, the rest is heard."""
_CLIPPED_SHARE = 0.5
"""Of the frames with a sample at full scale. Chosen: music that was made loud for a record is mostly below,
a microphone turned up too far is above."""

_WORDS: dict[ProblemKind, str] = {
    "digital_silence": "nothing but digital silence; was the microphone muted, or dead?",
    "frozen": "the same value or the same moment again and again; the recorder had hung",
    "clipping": "clipped: it is at full scale most of the time; turn the gain down where it is recorded",
    "dc_offset": "the sound is far off zero (a DC offset); check the microphone and its cable",
    "dead": "nothing but the faintest noise; was the microphone dead, or turned down?",
    "hum_only": "nothing but mains hum; check the microphone and its cable",
}
_UNREAL = "no numbers (NaN, infinite) and were heard as silence; was it written by a broken program?"


class Soundness:
    """Looks at every frame of one recording. One thread."""

    def __init__(self) -> None:
        self._frames = 0
        self._counts: dict[ProblemKind, int] = dict.fromkeys(_WORDS, 0)
        self._raised: dict[ProblemKind, None] = {}

    def hear(self, piece: Piece, brought: Iterable[Findings]) -> None:
        """Take a piece, and what the front end found in it."""
        frames = piece.audio.samples.reshape(-1, FRAME_SAMPLES)
        lowest, highest, mean = frames.min(1), frames.max(1), np.abs(frames.mean(1))
        still = highest - lowest < PCM16_STEP
        self._frames += len(frames)
        self._counts["digital_silence"] += int((still & (mean < PCM16_STEP)).sum())
        self._counts["frozen"] += int((still & (mean >= PCM16_STEP)).sum())
        self._counts["clipping"] += int((np.maximum(highest, -lowest) >= CLIPPED_FROM_AMPLITUDE).sum())
        self._counts["dc_offset"] += int((~still & (mean > OFFSET_FROM_AMPLITUDE)).sum())
        for one in brought:
            for problem in (each for each in one.notices if isinstance(each, Problem)):
                self._raised.update(dict.fromkeys(problem.kinds))

    def faults(self, unreal_s: float) -> list[str]:
        """A line about each fault of the whole recording or, as the daemon raises it, of a part of it.
        `unreal_s`: so much of it were no numbers."""
        length = f"{unreal_s:.1f} s" if unreal_s >= 0.1 else "less than 0.1 s"
        said = [f"{length} of it are {_UNREAL}"] if unreal_s else []
        # What is no number is heard as silence, and what stands still at full scale is not turned down.
        is_still = {"digital_silence", "frozen"} & {*self._throughout()}
        for kind in self._raised | dict.fromkeys(self._throughout()):
            if (unreal_s and kind == "digital_silence") or (is_still and kind in ("clipping", "dc_offset")):
                continue
            said.append(f"{self._where(kind)}{_WORDS[kind]}")
        return said

    def _throughout(self) -> list[ProblemKind]:
        """The faults of so many of its frames that it is one of the whole."""
        shares = {kind: _CLIPPED_SHARE if kind == "clipping" else _THROUGHOUT_SHARE for kind in _WORDS}
        return [kind for kind, n in self._counts.items() if self._frames and n >= shares[kind] * self._frames]

    def _where(self, kind: ProblemKind) -> str:
        """How much of it is so, where that is counted and not the whole."""
        if kind in self._throughout() or not (count := self._counts[kind]):
            return ""
        return f"{count * FRAME_S:.1f} s of {self._frames * FRAME_S:.1f} s: "

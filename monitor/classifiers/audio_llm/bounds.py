"""How much sound a large model hears at once."""

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.errors import ClassifyError

LONGEST_S = 30.0
"""The window of Whisper-like encoders: anything longer would be cut off without a word."""
SHORTEST_S = 0.1
"""Below this the encoders give no token at all, and a model would answer about nothing."""

SILENCE = Audio(np.zeros(2 * SAMPLE_RATE_HZ, np.float32), SAMPLE_RATE_HZ)
"""2 s of it: what a model answers to this is its habit, not hearing."""


def bounded(audio: Audio, longest_s: float = LONGEST_S) -> Audio:
    """The same at 16 kHz, filled up with silence to 0.1 s; ClassifyError over `longest_s`."""
    if audio.duration_s > longest_s + 1e-6:
        raise ClassifyError(f"{audio.duration_s:.1f} s of sound is too long; give it at most {longest_s:g} s")
    samples = audio.resampled(SAMPLE_RATE_HZ).samples[: round(longest_s * SAMPLE_RATE_HZ)]
    missing = max(0, round(SHORTEST_S * SAMPLE_RATE_HZ) - len(samples))
    return Audio(np.pad(samples, (0, missing)), SAMPLE_RATE_HZ)


def parts(audio: Audio, longest_s: float = LONGEST_S) -> list[Audio]:
    """`audio` in equal parts of at most `longest_s`; one part when there is nothing in it."""
    count = max(1, -(-len(audio) // round(longest_s * audio.sample_rate_hz)))
    length_s = audio.duration_s / count
    return [audio.slice(i * length_s, (i + 1) * length_s) for i in range(count)]

"""Does a clip hold speech, and the clip without it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.evidence.ring_buffer import Excerpt
from monitor.types import Findings

SPOKEN = frozenset({"speech", "shout", "singing"})
"""Labels that mean words."""
SPOKEN_FROM = 0.1
"""A score this high for one of them, far below any onset, counts: a kept word does more harm than a clip that
was not kept."""

HearsVoice = Callable[[Audio], bool]
"""Whether 30 ms, the next of a stretch of sound, are voice. Keeps state: one for each stretch."""

_WINDOW_S = 0.03
_MARGIN_S = 0.5
_VOICED_FRAMES = 2
_MASK_DBFS = (-70.0, -40.0)

Span = tuple[float, float]
"""Begin and end in seconds from the clip's start."""


@dataclass(frozen=True, slots=True)
class Spoken:
    """Words were heard in a stretch of a source, by a listener's scores or by the voice detector's ratio."""

    source: str
    started_at: datetime
    ends_at: datetime


def spoken_in(heard: Findings) -> list[Spoken]:
    """Where, by all that listeners said, words may be. Any score counts, whatever the label of the event."""
    by_scores = [
        Spoken(one.source, one.started_at, one.ends_at)
        for one in heard.detections
        if one.label in SPOKEN and one.score >= SPOKEN_FROM
    ]
    by_voice = [Spoken(cut.source, cut.started_at, cut.ends_at) for cut in heard.segments if cut.speech_ratio]
    return by_scores + by_voice


def speech_spans(clip: Excerpt, source: str, spoken: Iterable[Spoken], hears_voice: HearsVoice) -> list[Span]:
    """Where a clip may hold speech: wherever anything that listened to any part of it heard words, and
    wherever the voice detector, run over all of it, hears voice; half a second more on each side."""
    told = [
        ((one.started_at - clip.started_at).total_seconds(), (one.ends_at - clip.started_at).total_seconds())
        for one in spoken
        if one.source == source and one.started_at < clip.ends_at and one.ends_at > clip.started_at
    ]
    return _merged([*told, *_voiced(clip.audio, hears_voice)], clip.audio.duration_s)


def masked(audio: Audio, spans: Iterable[Span]) -> Audio:
    """The sound with noise of one constant level in place of the spans: nothing of what was there is left,
    neither its samples nor the rhythm of its loudness."""
    level_dbfs = float(np.clip(audio.rms_dbfs, *_MASK_DBFS))
    samples = audio.samples.copy()
    rng = np.random.default_rng()
    for begin_s, end_s in spans:
        begin, end = (round(at_s * SAMPLE_RATE_HZ) for at_s in (begin_s, end_s))
        noise = rng.standard_normal(len(samples[begin:end])) * 10 ** (level_dbfs / 20)
        samples[begin:end] = np.clip(noise, -1, 1)
    return Audio(samples, audio.sample_rate_hz)


def _voiced(audio: Audio, hears_voice: HearsVoice) -> list[Span]:
    """Spans with two voiced frames in a row: one alone is a click."""
    count = int(audio.duration_s / _WINDOW_S)
    words = [hears_voice(audio.slice(i * _WINDOW_S, (i + 1) * _WINDOW_S)) for i in range(count)]
    return [
        ((i - _VOICED_FRAMES + 1) * _WINDOW_S, (i + 1) * _WINDOW_S)
        for i in range(_VOICED_FRAMES - 1, count)
        if all(words[i - _VOICED_FRAMES + 1 : i + 1])
    ]


def _merged(spans: list[Span], duration_s: float) -> list[Span]:
    merged: list[Span] = []
    for begin_s, end_s in sorted(spans):
        begin_s, end_s = max(0.0, begin_s - _MARGIN_S), min(duration_s, end_s + _MARGIN_S)
        if merged and begin_s <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end_s))
        else:
            merged.append((begin_s, end_s))
    return merged

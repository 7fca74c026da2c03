"""Does a clip hold speech, and the clip without it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.evidence.ring_buffer import Excerpt
from monitor.types import Findings

SPOKEN = frozenset({"speech", "shout", "singing"})
"""Labels that mean words."""

HearsVoice = Callable[[Audio], bool]
"""Whether 30 ms, the next of a stretch of sound, are voice. Keeps state: one for each stretch."""

_WINDOW_S = 0.03
_MARGIN_S = 0.5
_VOICED_FRAMES = 2
_MASK_DBFS = (-70.0, -40.0)
_GATE = "gate"
"""Its word for speech is the voice detector's, which is asked anyway."""

Span = tuple[float, float]
"""Begin and end in seconds from the clip's start."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Thresholds for speech, chosen by `scripts/bench privacy`: docs/guides/evidence.md has the figures. A
    kept word does more harm than a clip that was not kept, so each is far below any onset."""

    words: float = 0.1
    """A score this high for words counts by itself."""
    words_with_voice: float = 0.02
    """This one counts in a segment in which the voice detector heard voice, however little."""
    voice: float = 0.5
    """This share of a segment's frames with voice counts as speech, whatever the models' scores."""


BARS = Bars()


@dataclass(frozen=True, slots=True)
class SpeechScore:
    """A model's score for words in a segment, and where it heard them."""

    segment_id: str | None
    started_at: datetime
    ends_at: datetime
    score: float


@dataclass(frozen=True, slots=True)
class Cut:
    """A segment, and the share of its frames in which the voice detector heard voice."""

    started_at: datetime
    ends_at: datetime
    voice: float


@dataclass
class Words:
    """Signs of words at one source, from models and the voice detector, until they are forgotten."""

    looks: list[SpeechScore] = field(default_factory=list)
    cuts: dict[str, Cut] = field(default_factory=dict)
    """By the segment's id; of one that still grows, as far as it was shown."""

    def hear(self, heard: Findings) -> None:
        """Adds the scores and segments of these findings."""
        self.looks += [
            SpeechScore(one.segment_id, one.started_at, one.ends_at, one.score)
            for one in heard.detections
            if one.label in SPOKEN and one.classifier != _GATE
        ]
        self.cuts |= {cut.id: Cut(cut.started_at, cut.ends_at, cut.speech_ratio) for cut in heard.segments}

    def forget(self, until: datetime) -> None:
        """Drops everything that ended before."""
        self.looks = [one for one in self.looks if one.ends_at >= until]
        self.cuts = {id: one for id, one in self.cuts.items() if one.ends_at >= until}

    def between(self, since: datetime, until: datetime) -> "Words":
        """What overlaps a stretch, as a copy; of a segment that does, every score."""
        cuts = {id: one for id, one in self.cuts.items() if _overlap(one, since, until)}
        looks = [one for one in self.looks if one.segment_id in cuts or _overlap(one, since, until)]
        return Words(looks, cuts)


def speech_spans(clip: Excerpt, words: Words, hears_voice: HearsVoice, bars: Bars = BARS) -> list[Span]:
    """Where a clip may hold speech, with half a second more on each side: where a model's score is high
    enough; where model and voice detector together are, for the whole segment; and where the voice detector,
    run over the whole clip, hears voice that no model has classified."""
    near = words.between(clip.started_at, clip.ends_at)
    scores: dict[str | None, float] = {}
    for look in near.looks:
        scores[look.segment_id] = max(look.score, scores.get(look.segment_id, 0.0))
    spoken = [cut for id, cut in near.cuts.items() if _is_voiced(scores.get(id), cut.voice, bars)]
    silent = [cut for id, cut in near.cuts.items() if id in scores and cut not in spoken]
    certain = [look for look in near.looks if look.score >= bars.words]
    judged = _placed(clip, silent)
    # A segment begins with what was before its onset: its share of voice does not count that, the frames do.
    voiced = _voiced(clip.audio, hears_voice, judged)
    return _merged([*_placed(clip, certain), *_placed(clip, spoken), *voiced], clip.audio.duration_s)


def holds_words(score: float, voice: float, bars: Bars = BARS) -> bool:
    """Whether words may be in a segment, by the models' highest score for them and the share of its frames in
    which the voice detector heard voice: that alone takes a chime for a voice."""
    return score >= bars.words or _is_voiced(score, voice, bars)


def _is_voiced(score: float | None, voice: float, bars: Bars) -> bool:
    """By model and voice detector together; where no model has judged, the voice detector decides."""
    if score is None:
        return voice > 0
    return voice >= bars.voice or (voice > 0 and score >= bars.words_with_voice)


def _overlap(one: SpeechScore | Cut, since: datetime, until: datetime) -> bool:
    return one.started_at < until and one.ends_at > since


def _placed(clip: Excerpt, found: Iterable[SpeechScore | Cut]) -> list[Span]:
    return [
        ((one.started_at - clip.started_at).total_seconds(), (one.ends_at - clip.started_at).total_seconds())
        for one in found
        if _overlap(one, clip.started_at, clip.ends_at)
    ]


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


def _voiced(audio: Audio, hears_voice: HearsVoice, judged: Sequence[Span]) -> list[Span]:
    """Spans with two voiced frames in a row, outside those that were judged: one alone is a click."""
    count = int(audio.duration_s / _WINDOW_S)
    words = [
        hears_voice(audio.slice(i * _WINDOW_S, (i + 1) * _WINDOW_S))
        and not any(begin_s <= (i + 0.5) * _WINDOW_S < end_s for begin_s, end_s in judged)
        for i in range(count)
    ]
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

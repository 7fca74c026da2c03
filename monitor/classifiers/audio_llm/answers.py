"""From what a large model answers about one segment to the detections that a classifier owes for it."""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from monitor.errors import ClassifyError
from monitor.labels import VOICED
from monitor.types import Detection, Segment

DESCRIPTION_MAX = 400
"""Characters of a description that go on: a screen's worth. A model that was talked into rambling by
what it heard cannot fill a payload."""
WORDS_MAX = 8000
"""Characters of a transcript, or of an answer to a person: more than a model writes within its tokens."""
SURE_SCORE = 0.5
"""A sound that scores this in one part of a segment is in the segment, whatever the other parts hold."""
_NO_TEXT = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]+")

ReadScores = tuple[Mapping[str, float], Mapping[str, float] | None]
"""Scores of sounds, and the emotion where it was asked for."""


def strongest(read: Sequence[ReadScores]) -> ReadScores:
    """Of the parts of one segment the highest score of each sound, and the mean of the emotions. A sound is
    left out if one part has no score of it and no other part contains it: it may be in that part."""
    scores: dict[str, float] = {}
    for label in dict.fromkeys(label for sounds, _ in read for label in sounds):
        known = [sounds[label] for sounds, _ in read if label in sounds]
        if len(known) == len(read) or max(known) >= SURE_SCORE:
            scores[label] = max(known)
    felt = [emotion for _, emotion in read if emotion]
    return scores, {name: sum(each[name] for each in felt) / len(felt) for name in felt[0]} if felt else None


def detected(
    segment: Segment,
    classifier: str,
    scores: Mapping[str, float],
    emotion: Mapping[str, float] | None = None,
    description: str | None = None,
    unscored: Iterable[str] = (),
) -> list[Detection]:
    """One detection per label of `scores`. The emotion goes to the voiced labels, those among `unscored`,
    too; the description to the likeliest. A label without a score gets a score of 0, which means nothing
    here.

    Raises ClassifyError when a number is not finite: a model that overflows has heard nothing.
    """
    numbers = [*scores.values(), *(emotion or {}).values()]
    if not all(math.isfinite(number) for number in numbers):
        raise ClassifyError(
            f"{classifier}: segment {segment.id}: its scores are not numbers, because the model "
            f"overflows; set dtype: "
            "bfloat16 or float32"
        )
    best = max(scores, key=scores.__getitem__, default=None)
    description = _presentable(description)
    carriers = [label for label in unscored if emotion and label in VOICED and label not in scores]
    carriers += [_CARRIER] if description and best is None else []
    bare = dict.fromkeys(carriers, 0.0)
    return [
        Detection(
            label=label,
            score=score,
            classifier=classifier,
            source=segment.source,
            started_at=segment.started_at + timedelta(seconds=segment.onset_s),
            duration_s=max(0.0, segment.audio.duration_s - segment.onset_s),
            segment_id=segment.id,
            emotion=emotion if label in VOICED else None,
            description=description if label == (best or _CARRIER) else None,
        )
        for label, score in {**bare, **scores}.items()
    ]


_CARRIER = "speech"
"""The label of a detection that carries nothing but words."""


def _presentable(description: str | None) -> str | None:
    """A description for an event; None where the model's answer is none: the scores stand without it."""
    try:
        return sanitize(answer_in(description, "")) if description else None
    except ClassifyError:
        return None


def sanitize(text: str, longest: int = DESCRIPTION_MAX) -> str:
    """A model's words as one line of at most `longest` characters without control characters, and without
    halves of surrogate pairs, which JSON can hold and UTF-8 cannot: they go into logs, payloads and
    notifications, and people near the microphone can influence them."""
    line = _NO_TEXT.sub(" ", text).strip()
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def answer_in(text: str, who: str) -> str:
    """What a model answers, as one line, without the thoughts that some write before it. ClassifyError where
    no word is left: silence and unfinished thoughts are no answer."""
    line = sanitize(text.rpartition(_END_OF_THOUGHT)[2], WORDS_MAX)
    if THOUGHT in line:
        raise ClassifyError(f"{who}: {THINKS_ALOUD}")
    if not line:
        raise ClassifyError(f"{who}: its answer is empty")
    return line


THOUGHT, _END_OF_THOUGHT = "<think", "</think>"
THINKS_ALOUD = (
    "the model thinks aloud before it answers; switch that off, for Qwen3 on a server with "
    "extra: {chat_template_kwargs: {enable_thinking: false}}"
)

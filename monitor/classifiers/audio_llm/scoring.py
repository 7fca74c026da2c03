"""From likelihoods of answers to probabilities of labels."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from monitor.classifiers.audio_llm.answers import ReadScores
from monitor.classifiers.audio_llm.engines.letters import Letters
from monitor.classifiers.audio_llm.phrases import NOTHING
from monitor.classifiers.audio_llm.prompts import Question

Floats = npt.NDArray[np.float64]
NO_EVIDENCE_NATS = 1e-3
"""As much as the same question answered twice differs by, in another batch."""


def evidence(question: Question, log_likelihoods: Floats, in_silence: Floats) -> dict[str, float]:
    """How much more the sound speaks for each label than silence does, in nats.

    What the model would answer to no content at all is its habit, not hearing, and is subtracted
    (contextual calibration: Zhao et al., ICML 2021, arXiv:2102.09690). A label's best phrase counts. For
    sounds, what speaks for "nothing" is subtracted in turn, leaving the logarithm of a likelihood ratio.
    `log_likelihoods` and `in_silence`: of each answer of the question, nats, shape (answers,).
    """
    gain = log_likelihoods - in_silence
    best: dict[str, float] = {}
    for answer, nats in zip(question.answers, gain, strict=True):
        best[answer.label] = max(best.get(answer.label, -np.inf), float(nats))
    if question.kind == "emotion":
        return best
    nothing = best.pop(NOTHING)
    return {label: nats - nothing for label, nats in best.items()}


def bounded_evidence(
    question: Question, heard: Letters, in_silence: Letters
) -> dict[str, tuple[float, float]]:
    """`evidence` where log probabilities are known between two bounds each: between which nats it lies.

    What was listed neither for the sound nor for silence lies between minus and plus infinity."""
    best: dict[str, tuple[float, float]] = {}
    pairs = zip(heard.least - in_silence.most, heard.most - in_silence.least, strict=True)
    for answer, (low, high) in zip(question.answers, pairs, strict=True):
        known = best.get(answer.label, (-np.inf, -np.inf))
        best[answer.label] = (max(known[0], float(low)), max(known[1], float(high)))
    if question.kind == "emotion":
        return best
    nothing_low, nothing_high = best.pop(NOTHING)
    return {label: (low - nothing_high, high - nothing_low) for label, (low, high) in best.items()}


def cautious(nats: Mapping[str, tuple[float, float]]) -> dict[str, float]:
    """Of each label the evidence that is certain: the end of its interval that lies nearest to none. A label
    whose interval contains 0 is left out: a model that hears nothing gives no scores."""
    sure: dict[str, float] = {}
    for label, (low, high) in nats.items():
        if low > NO_EVIDENCE_NATS:
            sure[label] = low
        elif high < -NO_EVIDENCE_NATS:
            sure[label] = high
    return sure


def sound_scores(nats: dict[str, float], prior: float, temperature: float) -> dict[str, float]:
    """Bayes' rule for each sound on its own, since sounds overlap: posterior odds are the prior odds times
    the likelihood ratio. Silence itself scores `prior`."""
    log_odds = np.log(prior) - np.log1p(-prior)
    return {label: _sigmoid(log_odds + value / temperature) for label, value in nats.items()}


def emotion_scores(nats: dict[str, float], temperature: float) -> dict[str, float]:
    """The emotions as one distribution that sums to 1."""
    values = np.array(list(nats.values())) / temperature
    weights = np.exp(values - values.max())
    return dict(zip(nats, (weights / weights.sum()).tolist(), strict=True))


def label_scores(
    asked: Sequence[Question], log_likelihoods: Floats, in_silence: Floats, prior: float, temperature: float
) -> ReadScores:
    """Scores of the sounds (0-1), and the emotion if it was asked for, of one segment. `log_likelihoods` and
    `in_silence`: of the answers to all questions in their order, nats, shape (answers,)."""
    sounds: dict[str, float] = {}
    emotion = None
    start = 0
    for question in asked:
        end = start + len(question.answers)
        nats = evidence(question, log_likelihoods[start:end], in_silence[start:end])
        start = end
        if question.kind == "emotion":
            emotion = emotion_scores(nats, temperature)
        else:
            sounds |= sound_scores(nats, prior, temperature)
    return sounds, emotion


def read_off_bounds(
    answers: Iterable[tuple[Question, Letters, Letters]], prior: float, temperature: float
) -> ReadScores:
    """The same from answers of which not everything is known: (question, its letters, those for silence)."""
    sounds: dict[str, float] = {}
    emotion = None
    for question, heard, in_silence in answers:
        nats = bounded_evidence(question, heard, in_silence)
        if question.kind == "emotion":
            emotion = _cautious_emotion(nats, temperature)
        else:
            sounds |= sound_scores(cautious(nats), prior, temperature)
    return sounds, emotion


def _cautious_emotion(nats: Mapping[str, tuple[float, float]], temperature: float) -> dict[str, float] | None:
    """Each emotion as likely as it may be, which makes none look surer than it is; None where one may be
    anything."""
    highest = {label: high for label, (_, high) in nats.items()}
    return emotion_scores(highest, temperature) if np.isfinite(list(highest.values())).all() else None


def named_off(answers: Iterable[tuple[Question, Letters | None]], score: float) -> ReadScores:
    """Labels that the model named score `score`. Other labels are unknown: that the model did not name them
    is no doubt."""
    sounds: dict[str, float] = {}
    emotion = None
    for question, letters in answers:
        if letters is None:
            continue
        named = question.answers[int(letters.least.argmax())].label
        if question.kind == "emotion":
            emotion = {answer.label: float(answer.label == named) for answer in question.answers}
        elif named != NOTHING:
            sounds[named] = score
    return sounds, emotion


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(x, -60, 60))))

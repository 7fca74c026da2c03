"""From likelihoods of answers to probabilities of labels."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from monitor.classifiers.audio_llm.answers import Read
from monitor.classifiers.audio_llm.phrases import NOTHING
from monitor.classifiers.audio_llm.prompts import Question

Floats = npt.NDArray[np.float64]


def evidence(question: Question, log_likelihoods: Floats, in_silence: Floats) -> dict[str, float]:
    """How much more the sound speaks for each label than silence does, in nats.

    What the model would answer to no content at all is its habit, not hearing, and is subtracted
    (contextual calibration: Zhao et al., ICML 2021, arXiv:2102.09690). A label's best phrase counts. For
    sounds, what speaks for "nothing" is subtracted in turn, leaving the logarithm of a likelihood ratio.
    """
    gain = log_likelihoods - in_silence
    best: dict[str, float] = {}
    for answer, nats in zip(question.answers, gain, strict=True):
        best[answer.label] = max(best.get(answer.label, -np.inf), float(nats))
    if question.kind == "emotion":
        return best
    nothing = best.pop(NOTHING)
    return {label: nats - nothing for label, nats in best.items()}


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


def read_off(
    asked: Sequence[Question], log_likelihoods: Floats, in_silence: Floats, prior: float, temperature: float
) -> Read:
    """Scores of the sounds, and the emotion if it was asked for, from one segment's answers in order."""
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


def _sigmoid(x: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(x, -60, 60))))

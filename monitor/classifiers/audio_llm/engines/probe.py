"""Three sounds that test whether a model hears at all: a tone, something like a voice, and silence.

A server that drops the sound, a model that cannot hear and a model that overflows all answer with HTTP 200. A
model that gives the same answer for two of these sounds, or numbers that are no probabilities, hears nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.engines.letters import Floats, Letters

DURATION_S = 2.0
LEAST_APART = 0.02
"""Least total variation distance between the letters' probabilities of two sounds that a model distinguishes.
The same sound asked twice in other batches differs by less than a thousandth."""
QUESTION = (
    "Which of these is in this audio?\nA. a steady tone\nB. a human voice\nC. silence\nD. something else\n"
    "Answer with one letter."
)
LETTERS = ("A", "B", "C", "D")
RIGHT = {"tone": "A", "voice": "B", "silence": "C"}
"""What each sound is. A model that gets one wrong still hears; a person may want to know."""


def probe_sounds() -> dict[str, Audio]:
    """The three by name, 2 s each, 16 kHz."""
    t = np.arange(round(DURATION_S * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    tone = 0.3 * np.sin(2 * np.pi * 1000 * t)
    silence = np.zeros(len(t))
    return {
        name: Audio(samples.astype(np.float32), SAMPLE_RATE_HZ)
        for name, samples in (("tone", tone), ("voice", _voice(t)), ("silence", silence))
    }


def _voice(t: Floats) -> Floats:
    """Vowels of a gliding pitch at four syllables a second, by harmonics under three formants."""
    pitch_hz = 120 + 20 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(pitch_hz) / SAMPLE_RATE_HZ
    opening = 0.5 - 0.5 * np.cos(2 * np.pi * 4 * t)
    formants_hz = (350 + 350 * opening, 1800 - 600 * opening, np.full(len(t), 2600.0))
    sound = np.zeros(len(t))
    for harmonic in range(1, 30):
        height = sum(np.exp(-0.5 * ((harmonic * pitch_hz - each) / 120) ** 2) for each in formants_hz)
        sound += height / harmonic**0.5 * np.sin(harmonic * phase)
    sound *= opening
    return np.asarray(0.3 * sound / np.abs(sound).max())


@dataclass(frozen=True, slots=True)
class ProbeAnswers:
    """A model's answers to the three sounds."""

    named: Mapping[str, str]
    """The likeliest letter by sound."""
    mass: float
    """The least share of the probability that the letters got."""
    apart: float
    """The least distance between two of the sounds, 0-1."""

    @property
    def hears(self) -> bool:
        """Whether it distinguishes the three."""
        return self.apart >= LEAST_APART

    @property
    def right(self) -> int:
        """How many of the three it named rightly."""
        return sum(self.named[name] == letter for name, letter in RIGHT.items())


def judge(ask: Callable[[Audio], Letters]) -> ProbeAnswers:
    """Ask about each of the three. Raises what `ask` raises."""
    found = {name: ask(sound) for name, sound in probe_sounds().items()}
    shares = {name: np.exp(letters.least) for name, letters in found.items()}
    # Of all probability, and of what the letters get: whether that is enough is another question.
    among = [share / max(float(share.sum()), 1e-30) for share in shares.values()]
    return ProbeAnswers(
        named={name: LETTERS[int(share.argmax())] for name, share in shares.items()},
        mass=min(letters.mass for letters in found.values()),
        apart=max(min(_distances(list(shares.values()))), min(_distances(among))),
    )


def judge_words(name: Callable[[Audio], str]) -> ProbeAnswers:
    """The same for a model that only names a letter. It hears unless all three sounds get the same letter:
    two may, because names do not show how close two letters were."""
    named = {sound_name: name(sound) for sound_name, sound in probe_sounds().items()}
    return ProbeAnswers(named, mass=1.0, apart=float(len(set(named.values())) > 1))


def _distances(shares: Sequence[Floats]) -> list[float]:
    return [float(0.5 * np.abs(a - b).sum()) for i, a in enumerate(shares) for b in shares[i + 1 :]]

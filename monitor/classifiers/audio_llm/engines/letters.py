"""Probabilities of the answers' letters from a server's list of log probabilities, with what it leaves open.

A server lists only the likeliest first tokens. A letter that it does not list is less likely than the last
one that it lists; its probability may be anything down to 0. So each letter gets an interval, and a result
computed from intervals is unknown where the interval leaves it open.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from monitor.errors import ClassifyError

Floats = npt.NDArray[np.float64]
MASKED_NATS = -9000.0
"""vLLM lists tokens that the request forbids at -9999; other servers write -inf, or leave them out."""
_SUM_SLACK = 0.01
"""Rounding to a few digits makes a list add up to a little over 1; more is no list of probabilities."""
_AROUND = " \t\n.:)(*\"'\u2581\u0120\u010a"
"""What tokenizers and models put around a letter: spaces, their marks for spaces, and punctuation."""


@dataclass(frozen=True, slots=True, eq=False)
class Letters:
    """The log probability of each letter in nats, shape (letters,): between `least` and `most`."""

    least: Floats
    """-inf where the letter is not listed."""
    most: Floats
    mass: float
    """Share of the probability that the listed letters carry, 0-1."""

    @classmethod
    def named(cls, at: int, count: int) -> "Letters":
        """Where a server only names letter `at`: of the others nothing is known."""
        least = np.full(count, -np.inf)
        least[at] = 0.0
        return cls(least, np.zeros(count), 1.0)

    @property
    def complete(self) -> bool:
        """Whether every letter is listed."""
        return bool(np.isfinite(self.least).all())


@dataclass(frozen=True, slots=True)
class Listed:
    """The first token of an answer: the tokens that a server lists for it, and the one it chose."""

    tokens: tuple[tuple[str, float], ...]
    """(token, log probability in nats); finite, at most 0, without the masked ones."""
    chosen: str | None = None


def listed(first: Mapping[str, Any], server: str) -> Listed | None:
    """The list of an answer's first token in OpenAI's form, checked; None where there is none.

    Raises ClassifyError where the numbers are not those of a probability distribution: not finite, above 0,
    or adding up to more than 1.
    """
    try:
        rows = [(str(row["token"]), float(row["logprob"])) for row in first["top_logprobs"]]
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    if not rows:
        return None
    chosen = first.get("token")
    if any(np.isnan(nats) or nats > _SUM_SLACK for _, nats in rows):
        raise ClassifyError(
            f"{server}: its log probabilities are not numbers, because the model overflows there"
        )
    rows = [(token, min(nats, 0.0)) for token, nats in rows if nats > MASKED_NATS]
    if not rows or sum(np.exp(nats) for _, nats in rows) > 1 + _SUM_SLACK:
        raise ClassifyError(f"{server}: its log probabilities are not a distribution; update the server")
    return Listed(tuple(rows), chosen if isinstance(chosen, str) else None)


def read_letters(found: Listed, letters: Sequence[str], *, exact: bool = False) -> Letters:
    """Each letter with all tokens that spell it added up; " A" and "A." count for A.

    A letter, or a spelling of it, that is not listed has at most what the listed tokens leave over, and at
    most as much as the least of those that are listed for being likely (the chosen one may be listed for
    being chosen). `exact`: the server was made to give these letters and no others, so nothing is left over.
    """
    least = np.full(len(letters), -np.inf)
    for token, nats in found.tokens:
        if (letter := token.strip(_AROUND)) in letters:
            at = letters.index(letter)
            least[at] = np.logaddexp(least[at], nats)
    mass = min(1.0, float(np.exp(least).sum()))
    if exact and np.isfinite(least).all():
        return Letters(least, least, mass)
    likely = [nats for token, nats in found.tokens if token != found.chosen]
    total = sum(float(np.exp(nats)) for _, nats in found.tokens)
    # Rounded numbers add up to 1 a little early: a millionth is always left over.
    over = float(np.log(max(0.0, 1.0 - total) + 1e-6))
    bound = min(over, min(likely, default=0.0))
    return Letters(least, np.minimum(np.logaddexp(least, bound), 0.0), mass)

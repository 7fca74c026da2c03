"""What the README and the guides print as output is what the commands print: `python -m scripts.docs.samples`
writes it anew."""

import re
from collections.abc import Iterable, Sequence

import pytest

from scripts.docs.samples import EVIDENCE, README, demo_lines, explain_lines, sample

ID = re.compile(r"\b[0-9a-f]{6}(?:[0-9a-f]{6})?\b")
"""Of digits alone, too, as one in sixteen is."""
FAINT = re.compile(r", \w+ 0\.0[0-4] below \d\.\d\d")
BAR = re.compile("[█░]+")
NUMBER = re.compile(r"(?<![\w:-])\d+\.\d+")


def without_chance(lines: Iterable[str]) -> list[str]:
    """Without what another processor or another run has otherwise: ids (by the order in which each first
    stands there), the last digit of scores, labels that nearly nothing speaks for."""
    known: dict[str, str] = {}
    named = (ID.sub(lambda found: known.setdefault(found[0], f"id{len(known)}"), line) for line in lines)
    return [NUMBER.sub("#", BAR.sub("", FAINT.sub("", line))) for line in named]


def scores(lines: Iterable[str]) -> list[float]:
    return [float(found) for line in lines for found in NUMBER.findall(FAINT.sub("", line))]


def seconds(lines: Sequence[str]) -> list[int]:
    """Since the first of them."""
    at = [
        sum(int(n) * unit for n, unit in zip(line[:8].split(":"), (3600, 60, 1), strict=True))
        for line in lines
    ]
    return [one - at[0] for one in at]


def test_the_readme_shows_what_the_demo_prints() -> None:
    """Line by line; its times are those of some evening."""
    promised, printed = sample(*README), demo_lines()

    assert without_chance(line[8:] for line in printed) == without_chance(line[8:] for line in promised)
    assert scores(printed) == pytest.approx(scores(promised), abs=0.05)
    assert seconds(printed) == pytest.approx(seconds(promised), abs=1)


def test_the_guide_shows_what_explain_prints() -> None:
    """Of a bell that rang, and of a rule that asked for more."""
    promised, printed = sample(*EVIDENCE), explain_lines()

    assert without_chance(printed) == without_chance(promised)
    assert scores(printed) == pytest.approx(scores(promised), abs=0.05)

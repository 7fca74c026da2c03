"""The fault table in its short form: the real daemon, a real broker, and things that break."""

import json

import pytest

from scripts.bench.faults import FAULTS, FIGURES, PAGE, page, run


@pytest.mark.parametrize("name", FAULTS)
def test_it_holds(name: str) -> None:
    """What the table promises for this fault holds, with the figures in the failure's message if not."""
    row = run(name, short=True)

    assert row["held"], row["figures"]


def test_the_page_says_what_was_measured() -> None:
    """docs/reliability.md is written from docs/reliability.json and from nothing else, and every row held."""
    figures = json.loads(FIGURES.read_text())

    assert PAGE.read_text() == page(figures)
    assert all(row["held"] for row in figures.values())

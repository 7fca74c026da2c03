"""The fault table in its short form: the real daemon, a real broker, and things that break."""

import json
import re
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from testkit.faults.table import FAULTS, FIGURES, PAGE, page, run
from testkit.faults.tested import TESTED

AT_ONCE = 4
"""Every row waits for most of its time: four share two cores, and the short form bounds nothing tightly."""
LONGEST = ("killed", "channels-stuck", "broker-down", "camera-reconnects")
"""Begun first, so that none of them is waited for at the end."""

Rows = Mapping[str, Future[dict[str, Any]]]


@pytest.fixture(scope="module")
def rows(request: pytest.FixtureRequest) -> Iterator[Rows]:
    """Every row that was asked for, on its way."""
    calls = [item.callspec for item in request.session.items if hasattr(item, "callspec")]
    names = [call.params["fault"] for call in calls if "fault" in call.params]
    with ProcessPoolExecutor(AT_ONCE, get_context("spawn")) as pool:
        in_order = sorted(names, key=lambda name: name not in LONGEST)
        yield {name: pool.submit(partial(run, name, short=True)) for name in in_order}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("fault", FAULTS)
def test_it_holds(fault: str, rows: Rows) -> None:
    """What the table promises for this fault holds, with the figures in the failure's message if not."""
    row = rows[fault].result()

    assert row["held"], row["figures"]


def test_the_page_says_what_was_measured() -> None:
    """docs/reliability.md is written from docs/reliability.json and from nothing else, and every row held."""
    figures = json.loads(FIGURES.read_text())

    assert PAGE.read_text() == page(figures)
    assert all(row["held"] for row in figures.values())


def test_the_page_names_tests_that_are_there() -> None:
    """Where a fault needs no row of figures, the page names the test that holds it."""
    tests = Path(__file__).parents[1]
    named = [test.split("::") for row in TESTED for test in row.tests]
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (tests / file).exists()
        or not re.search(rf"^def {name}\(", (tests / file).read_text(), re.MULTILINE)
    ]
    assert missing == []

"""What an evaluation looks like."""

import io

from rich.console import Console

from monitor.labels import sounds
from monitor.recordings.evaluation.metrics import EventRate, Proportion
from monitor.recordings.evaluation.report import Condition, LabelFigures, Report

COLUMNS = 80


def test_the_table_is_whole_on_a_terminal_of_80_columns():
    """Every label of the vocabulary is a line, whole, and so is every figure."""
    rows = tuple(
        LabelFigures(label, 1234, 0.987, Proportion(900, 1234), Proportion(800, 1000), 0.123, 0.5)
        for label in sounds()
    )
    rates = {label: EventRate(1234, 10.0) for label in sounds()}
    report = Report("embedded", "clips.csv", 99_999, 123.4, (Condition(None, rows, {}),), rates, {})
    screen = io.StringIO()
    Console(file=screen, width=COLUMNS, soft_wrap=True).print(report.table())
    lines = screen.getvalue().splitlines()

    assert max(len(line.rstrip()) for line in lines) <= COLUMNS
    assert [line.split()[0] for line in lines[1:-1] if line.strip()] == list(sounds())
    assert all("0.70-0.75" in line and "123.40" in line for line in lines[1:-1] if line.strip())
    assert "…" not in screen.getvalue()


def test_the_picture_has_numbers_and_no_empty_panel():
    """Counts stand in the confusion matrix, and noise has a panel only where it was measured."""
    knocks = LabelFigures("knock", 3, 0.9, Proportion(2, 3), Proportion(2, 2), 0.1, 0.5)
    clean = Condition(None, (knocks,), {"knock": {"knock": 2, "cough": 1}})
    noisy = Condition(10.0, (knocks,), {})
    drawn = []
    for conditions in ((clean,), (clean, noisy)):
        report = Report("embedded", "clips.csv", 3, 0.1, conditions, {}, {})
        drawn.append(report.figure())

    assert [len(figure.axes) for figure in drawn] == [2, 3]
    assert sorted(text.get_text() for text in drawn[0].axes[1].texts) == ["1", "2"]

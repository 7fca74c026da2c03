"""Tables of Markdown, for pages that are written by scripts."""

from collections.abc import Iterable, Sequence


def table(columns: Sequence[str], rows: Iterable[Iterable[object]]) -> str:
    """The whole table, without a newline at its end.

    >>> print(table(("room", "level"), [("kitchen", -40)]))
    | room | level |
    | --- | --- |
    | kitchen | -40 |
    """
    return "\n".join((head(columns), *map(row, rows)))


def head(columns: Sequence[str]) -> str:
    """The first two lines of a table whose rows follow."""
    return f"{row(columns)}\n{row(['---'] * len(columns))}"


def row(cells: Iterable[object]) -> str:
    """One line of it."""
    return f"| {' | '.join(map(str, cells))} |"

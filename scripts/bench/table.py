"""A table of figures on the terminal."""

from typing import Any

from rich.console import Console
from rich.table import Table


def show(rows: list[dict[str, Any]], title: str) -> None:
    """One column for every key that any row has."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*(str(row.get(column, "")) for column in columns))
    Console(width=170).print(table)

"""Commands that look back: explain, replay."""

import typer


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""

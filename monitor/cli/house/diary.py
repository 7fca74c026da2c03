"""Commands that look over days: diary, chirps."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from monitor.cli.console import ConfigOption, config_in_force, err, out, where_kept
from monitor.cli.history import moment


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(rich_help_panel="Look back")(diary)
    app.command(rich_help_panel="Look back")(chirps)


def diary(
    config: ConfigOption = None,
    since: Annotated[str, typer.Option(help="How far back: 12h, 7d, or a time.")] = "7d",
    csv: Annotated[
        Path | None, typer.Option("--csv", help="Write minutes and times by hour, source and sound (CSV).")
    ] = None,
) -> None:
    """For how long was each sound heard, and at which hours of the day?

    It prints minutes for the whole house. A sound that two microphones heard at once counts once. With
    --csv it writes every hour of every source, and FILE.sha256 beside it. With that you can show later that
    nobody has changed the table.

    [bold]Examples[/bold]

      earwitness diary --since 3d
      earwitness diary --csv snoring.csv && sha256sum -c snoring.csv.sha256
    """
    from monitor.history.diary.hours import chart, entries, export
    from monitor.history.reader import History
    from monitor.history.recorder import SCORES

    settings = where_kept(config_in_force(config, uses=()), config)
    begun = moment(since).astimezone(UTC)
    with History(settings.state_folder() / SCORES) as history, history.rows() as rows:
        found = entries(rows, begun, datetime.now(UTC))
    for line in chart(found):
        out.print(line, highlight=False, markup=False)
    if not found:
        out.print("Nothing was heard in this time.", highlight=False)
    else:
        out.print(f"{'':49}  |0     6     12    18    |", highlight=False, markup=False)
    if csv is not None:
        digest = export(found, csv.absolute())
        err.print(f"{csv}: SHA-256 {digest}", highlight=False)


def chirps(
    config: ConfigOption = None,
    since: Annotated[str, typer.Option(help="How far back: 12h, 7d, or a time.")] = "2d",
) -> None:
    """Which alarm has an empty battery? Finds the chirps of the last days, and where they are loudest.

    Exit code 1: an alarm chirps, or has chirped.
    """
    from monitor.history.diary.chirps import chirps as found_chirps
    from monitor.history.reader import History
    from monitor.history.recorder import SCORES

    settings = where_kept(config_in_force(config, uses=()), config)
    with History(settings.state_folder() / SCORES) as history, history.rows() as rows:
        found = found_chirps(rows, moment(since).astimezone(UTC))
    for one in found:
        out.print(one.sentence(datetime.now(UTC)), highlight=False, markup=False)
    if found:
        raise typer.Exit(1)
    out.print("No chirp was heard in this time.", highlight=False)

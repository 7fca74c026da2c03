"""Commands that change what is in force without editing the configuration: set, undo."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml

from monitor.cli.console import NOWHERE, ConfigOption, err, out, where_kept
from monitor.config.loading import as_configured, default_config, find_config
from monitor.config.model import Config
from monitor.config.overrides import Step, apply, changes_anything, read_steps
from monitor.config.overrides import undo as take_back

COMMAND_LINE = "command line"
NOTHING = (
    "There is nothing to take back: only the configuration is used. "
    "A taught sound goes with `earwitness teach --forget NAME`."
)
IN_FORCE = "A running daemon applies it within seconds."


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command("set", rich_help_panel="Set up")(set_values)
    app.command(rich_help_panel="Set up")(undo)


def set_values(
    changes: Annotated[
        list[str],
        typer.Argument(help="dog_bark.onset=0.7, or hits, within_s, hold_s, off in place of onset."),
    ],
    config: ConfigOption = None,
    source: Annotated[str | None, typer.Option(help="Only at this source.")] = None,
) -> None:
    """Change the thresholds of a sound without editing the configuration.

    The change is kept in the state folder, and `earwitness check` lists it. It ends when you write another
    value at its place in the file. `dog_bark.onset=` without a value restores the value of the file. The
    thresholds of smoke, fire and CO alarms can be set only in the file.

    [bold]Examples[/bold]

      earwitness replay --since 3d --set dog_bark.onset=0.7     what would it change?
      earwitness set dog_bark.onset=0.7 --source porch
      earwitness undo
    """
    values = dict(_parted(change, source) for change in changes)
    written = configured(config)
    was = read_steps(written.state_folder())
    step = apply(written, values, by=COMMAND_LINE, at=datetime.now(UTC))
    if not changes_anything(written, was, values):
        err.print("It has this value already; nothing is changed.", highlight=False)
        return
    _show(step)
    err.print(f"{IN_FORCE} `earwitness undo` takes it back.", highlight=False)


def undo(
    config: ConfigOption = None,
    show: Annotated[bool, typer.Option("--list", help="List the steps, the last one first.")] = False,
) -> None:
    """Take back the last change by `set`, the page or a suggestion; run it again for the change before
    that."""
    folder = configured(config).state_folder()
    if show:
        steps = read_steps(folder)
        for step in reversed(steps):
            _show(step)
        if not steps:
            out.print(NOTHING)
        return
    taken = take_back(folder)
    if taken is None:
        err.print(NOTHING)
        raise typer.Exit(1)
    out.print("taken back:")
    _show(taken)
    err.print(IN_FORCE)


def configured(config: Path | None) -> Config:
    """The configuration as its file has it, or the built-in one."""
    path = config or find_config()
    return as_configured(path, uses=()) if path else where_kept(default_config([NOWHERE]), config)


def _parted(change: str, source: str | None) -> tuple[str, Any]:
    """Place and value of `dog_bark.onset=0.7`."""
    name, found, text = change.partition("=")
    if not found or name.count(".") != 1:
        raise typer.BadParameter(f"{change!r}: write LABEL.KEY=VALUE, for example dog_bark.onset=0.7")
    place = f"labels.{name.strip()}" if source is None else f"sources.{source}.labels.{name.strip()}"
    return place, yaml.safe_load(text)


def _show(step: Step) -> None:
    why = f": {step.why}" if step.why else ""
    out.print(f"{step.at.astimezone():%Y-%m-%d %H:%M}  {step.by}{why}", highlight=False, markup=False)
    for place, value in step.values.items():
        out.print(f"  {place} = {value_words(value)}", highlight=False, markup=False)


def value_words(value: Any) -> str:
    """A value as it is written in the configuration: a rule on one line."""
    if value is None:
        return "as configured"
    if value is False:
        return "off"
    if isinstance(value, dict | list):
        flow = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=1e9)
        return str(flow).strip()
    return f"{value}"

"""What every command shares: where it writes, and how it finds its configuration."""

import json
from collections.abc import Collection
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.config.loading import default_config, find_config, load_config, retaught
from monitor.config.model import Config, usual_state_folder
from monitor.config.overrides import with_overrides
from monitor.logs import write_line, writes_json

if TYPE_CHECKING:
    from rich.console import Console

    out: Console
    err: Console


def __getattr__(name: str) -> "Console":
    """`out` and `err`, on which lines for people are written: loaded with the first command that has some to
    write. A daemon has none."""
    if name not in ("out", "err"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _screen(is_error=name == "err")


@cache
def _screen(*, is_error: bool) -> "Console":
    from rich.console import Console

    return Console(soft_wrap=True, stderr=is_error)


def _say(head: str, text: str) -> None:
    from rich.markup import escape

    _screen(is_error=True).print(f"{head} {escape(text)}", highlight=False)


NOWHERE = {"type": "demo", "name": "demo"}
"""A source for the built-in configuration where none is listened to."""

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        # No word is longer than the column on a terminal 80 wide: a path would be cut there.
        help="The configuration; by default the first earwitness.yaml of these folders: this one, "
        "~/.config/earwitness, /etc/earwitness.",
        show_default=False,
    ),
]

FIRST_SOURCES = ("microphone", "demo")
"""What a first run, without a configuration, listens to: one of these names."""
DEMO = "demo"
"""The node of the demo scene, and its folder among what is kept."""


def note(message: str) -> None:
    """One line for whoever has just started it; on standard error, in the format of the log."""
    if writes_json():
        write_line(_as_json("info", message))
    else:
        _screen(is_error=True).print(message, highlight=False, markup=False)


def _as_json(level: str, message: str) -> str:
    line = {"event": message, "level": level, "timestamp": datetime.now(UTC).isoformat()}
    return json.dumps(line, ensure_ascii=False)


def fail(message: str) -> None:
    """One line of error, without markup, so that a path with brackets survives."""
    if writes_json():
        write_line(_as_json("error", message))
        return
    _say("[bold red]error:[/bold red]", message)


def warn(message: str) -> None:
    """One line of warning."""
    if writes_json():
        write_line(_as_json("warning", message))
        return
    _say("[yellow]warning:[/yellow]", message)


def chosen_config(path: Path | None) -> tuple[Config | None, Path | None]:
    """The configuration that was named, or the first one found; (None, None) when there is none."""
    place = path or find_config()
    return (load_config(place), place) if place else (None, None)


def where_kept(settings: Config, path: Path | None) -> Config:
    """The same, or where the demo scene keeps what it hears, if there is no configuration, and the scene is
    playing or nothing else was kept."""
    demo = usual_state_folder() / DEMO
    is_plain = path is None and find_config() is None
    if not is_plain or not _is_of_demo(settings.state_folder(), demo):
        return settings
    said = f"No configuration: this is what the demo scene keeps in {demo}."
    _screen(is_error=True).print(said, highlight=False)
    return retaught(settings.model_copy(update={"node": DEMO, "state_dir": demo}))


def _is_of_demo(own: Path, demo: Path) -> bool:
    """Whoever runs now is meant; where nobody does, whoever has kept something, the house first."""
    from monitor.history.recorder import SCORES
    from monitor.runtime.instance import is_running

    if is_running(own) or is_running(demo):
        return not is_running(own)
    return (demo / SCORES).exists() and not (own / SCORES).exists()


def config_in_force(path: Path | None, uses: Collection[str] = ("classifiers", "transcripts")) -> Config:
    """The same, or else the built-in one, for commands that do not listen. Variables need to be set only in
    the parts that the command `uses`."""
    place = path or find_config()
    return load_config(place, uses=uses) if place else with_overrides(default_config([NOWHERE]))

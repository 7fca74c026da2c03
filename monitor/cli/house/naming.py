"""What keeps coming and has no name: unnamed."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.console import ConfigOption, config_in_force, out, where_kept
from monitor.cli.house.sounds import history_rows
from monitor.errors import StoreError
from monitor.labels import sound_meant, sounds

if TYPE_CHECKING:
    from monitor.config.model import Config
    from monitor.teaching.taught.unnamed import Unnamed

NAMED = 8
"""So many of a group are named in its command, those nearest to its middle."""


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(rich_help_panel="Teach")(unnamed)


def unnamed(
    config: ConfigOption = None,
    ignore: Annotated[bool, typer.Option("--ignore", help="The question of the week needs no name.")] = False,
    part_of: Annotated[
        str | None, typer.Option(help="It is part of this sound, which has a name.", show_default=False)
    ] = None,
) -> None:
    """Which sounds keep coming and have no name? Finds sounds of the last days that are alike.

    They came at least five times, on three days, and no label names them. For each you see the command that
    teaches it: replace NAME with your name for it. At night the running daemon also looks for such sounds.
    It asks about one of them once a week at most: in health over MQTT, in the API, and here. Answer with
    `teach`, or with one of the examples.

    [bold]Examples[/bold]

      earwitness unnamed --ignore
      earwitness unnamed --part-of dishes
    """
    settings = where_kept(config_in_force(config, uses=("classifiers",)), config)
    if ignore or part_of is not None:
        _answer(settings, part_of)
        return
    found = _groups(settings)
    for one in found:
        ids = " ".join(each.segment_id for each in one.sounds[:NAMED])
        out.print(
            f"{len(one.sounds)} times on {one.days} days, mostly around {one.hour}:00, {one.source}; last "
            f"{max(each.at for each in one.sounds):%Y-%m-%d %H:%M}\n  earwitness teach NAME {ids}",
            highlight=False,
            markup=False,
        )
    if not found:
        out.print("No sound without a name has come five times on three days.", highlight=False)
    _show_question(settings)


def _groups(settings: "Config") -> "list[Unnamed]":
    from monitor.teaching.taught.background import house_background
    from monitor.teaching.taught.heard import unclaimed
    from monitor.teaching.taught.lesson import Teacher
    from monitor.teaching.taught.unnamed import unnamed as groups

    households = Teacher(settings).households
    with history_rows(settings) as rows:
        if rows is None:
            return []
        embeddings, heard = unclaimed(rows)
        return groups(house_background(rows, households).space.of(embeddings), heard) if heard else []


def _show_question(settings: "Config") -> None:
    from monitor.teaching.taught.naming import read_naming

    question = read_naming(settings.state_folder()).question
    if question is not None:
        out.print(
            f"Asked on {question.asked_at.astimezone():%Y-%m-%d}: what came {question.times} times on "
            f"{question.days} days, mostly around {question.hour}:00, {question.source}? Answer with\n"
            f"  earwitness teach NAME {' '.join(question.hearings)}\n"
            "  earwitness unnamed --ignore, or --part-of SOUND",
            highlight=False,
            markup=False,
        )


def _answer(settings: "Config", part_of: str | None) -> None:
    from monitor.teaching.taught.naming import NamingDecision, answer, read_naming

    if part_of is not None and part_of not in sounds():
        text = f"there is no sound {part_of!r}{sound_meant(part_of)}"
        raise typer.BadParameter(text, param_hint="--part-of")
    folder = settings.state_folder()
    question = read_naming(folder).question
    said: NamingDecision = "ignored" if part_of is None else "part_of"
    if question is None or not answer(folder, question.id, said, part_of, datetime.now(UTC)):
        raise StoreError("there is no open question; at night the running daemon looks again")
    out.print("This question will not come again.", highlight=False)

"""Teaching the house a sound of its own: teach."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from monitor.cli.console import ConfigOption, config_in_force, err, out, warn, where_kept
from monitor.cli.house.made_now import check_now, made_now
from monitor.errors import StoreError
from monitor.labels import check_taught_name, label_name

if TYPE_CHECKING:
    from monitor.audio import Audio
    from monitor.classifiers.taught.sound import TaughtSound
    from monitor.config.model import Config
    from monitor.teaching.taught.learning import Hearing, NotTaught
    from monitor.teaching.taught.lesson import Gathered, Teacher


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(rich_help_panel="Teach")(teach)


def teach(
    label: Annotated[
        str | None, typer.Argument(help="Your name for it: small letters, digits and _.", show_default=False)
    ] = None,
    hearings: Annotated[
        list[str] | None,
        typer.Argument(
            help="Recordings of it, or ids of events; three at least, five are better. None: those it was "
            "taught from before.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    now: Annotated[
        bool, typer.Option("--now", help="Make the sound now: the running daemon's microphones hear it.")
    ] = False,
    source: Annotated[str | None, typer.Option(help="With --now: only what this one hears.")] = None,
    count: Annotated[int, typer.Option(min=3, max=20, help="With --now: how often you make it.")] = 5,
    false_per_week: Annotated[
        float, typer.Option(min=0.01, max=100, help="How many times a week it may be reported wrongly.")
    ] = 1.0,
    list_: Annotated[bool, typer.Option("--list", help="Show what was taught.")] = False,
    forget: Annotated[str | None, typer.Option(help="Forget a taught sound.")] = None,
) -> None:
    """Teach a sound of your house: the washer's tune, the dog's own bark, the neighbour's gate.

    Record the sound three times or more, with the microphone that will later hear it, in its place. The
    other sounds of the last days decide how like a sound must be to count. If it cannot be distinguished
    from another sound, nothing is taught, and you read why. After that it is a sound like any other in
    rules, Home Assistant and the page. For seven days it is learning: its events are at most suspected.
    Spoken words are not kept. You cannot teach a smoke, fire or CO alarm; those are heard anyway.

    [bold]Examples[/bold]

      earwitness teach washer_done washer1.wav washer2.wav washer3.wav
      earwitness teach washer_done --now --source kitchen
      earwitness teach gate 5f3a9c0d1e2b 8c1d2e3f4a5b 77aa12bc34de
      earwitness teach --list
      earwitness teach --forget washer_done
    """
    settings = where_kept(config_in_force(config, uses=("classifiers", "rules")), config)
    if forget is not None:
        _forget(settings, forget)
    elif list_ or label is None:
        _list(settings)
    else:
        if now:
            check_now(settings, source)
        _teach(settings, label, hearings or [], (source, count) if now else None, false_per_week)


def _teach(
    settings: "Config",
    label: str,
    named: Sequence[str],
    now: tuple[str | None, int] | None,
    false_per_week: float,
) -> None:
    from monitor.config.taught import write_taught
    from monitor.teaching.taught.learning import NotTaught
    from monitor.teaching.taught.lesson import Teacher, gathered, teach
    from monitor.teaching.taught.naming import was_taught

    try:
        check_taught_name(label)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="LABEL") from None
    teacher = Teacher(settings)
    with history_rows(settings) as rows:
        heard: list[Hearing] | NotTaught
        if now:
            heard = list(made_now(rows, *now))
        elif named:
            heard = gathered(named, rows, teacher, _read, _show_left_out)
        else:
            heard = _before(settings, label, teacher)
        if isinstance(heard, NotTaught):
            _refuse(heard)
        lesson = teach(label, heard, rows, teacher.households, datetime.now(UTC), false_per_week)
    for odd in lesson.odd:
        warn(f"{odd} is unlike the others; leave it out if it is another sound")
    if isinstance(lesson.found, NotTaught):
        _refuse(lesson.found)
    write_taught(settings.state_folder(), lesson.found)
    was_taught(settings.state_folder(), named, label, datetime.now(UTC))
    for line in sound_lines(lesson.found):
        out.print(line, highlight=False, markup=False)
    err.print("A running daemon hears it within seconds, without a pause.")
    err.print(f"`earwitness teach --forget {label}` takes it back. Rules can name it like any other sound:")
    err.print(f"  hear: [{label}]", highlight=False, markup=False)


def _show_left_out(one: "Gathered") -> None:
    if one.left_out:
        warn(f"{one.name}: {one.left_out}; left out")


def _refuse(refused: "NotTaught") -> NoReturn:
    out.print(refused.reason, highlight=False, markup=False)
    raise typer.Exit(1)


def sound_lines(found: "TaughtSound") -> Iterator[str]:
    """A taught sound with what to expect of it."""
    from monitor.clock import length_in_words

    expected = found.expected
    until = found.learning_until
    state = f", learning until {until.astimezone():%Y-%m-%d}" if found.is_learning(datetime.now(UTC)) else ""
    yield f"{label_name(found.label)} ({found.label}){state}"
    weak = f"; weak at: {', '.join(expected.weak_at).replace('_', ' ')}" if expected.weak_at else ""
    heard = f"hears {expected.heard} of {expected.of}"
    yield f"  expected: {heard}, false {expected.false_a_week:.1f} a week{weak}"
    yield f"  {_second_factor(found)}"
    if expected.came_before:
        came = f"came {expected.came_before} times before it was taught"
        yield f"  {came}; if that was another sound, forget this one"
    at_most = expected.false_at_most
    if at_most is None or at_most > _SURE_ENOUGH * max(expected.false_a_week, 1.0):
        # A bound from some minutes of a house is thousands a week, and tells nobody anything.
        told = at_most is not None and expected.background_hours >= _TELLING_HOURS
        most = f"at most {at_most:.0f} a week (80 %)" if told else "how many at most is not known yet"
        known = length_in_words(3600 * expected.background_hours)
        yield f"  {most}: {known} of this house are known; sounds of other houses are used, too"
        yield f"  teach it again in some days: earwitness teach {found.label}"


def _second_factor(found: "TaughtSound") -> str:
    """What it is known by beside its likeness, or why by nothing."""
    if (rhythm := found.rhythm) is not None:
        pitches_khz = sorted(hz / 1000 for _, _, hz in rhythm.beeps)
        beeps = f"{len(rhythm.beeps)} beeps within {rhythm.length_s:.1f} s"
        at = f"{pitches_khz[0]:.1f} to {pitches_khz[-1]:.1f} kHz"
        return (
            f"second factor: its rhythm, {beeps} at {at}, which {rhythm.shared} of {rhythm.of} hearings have"
        )
    if any(found.beeps):
        return "second factor: none, for its hearings share no rhythm of beeps"
    return "second factor: none, for nobody listened to its hearings for a rhythm"


_TELLING_HOURS = 24.0
"""From so much of a house on its own bound is printed."""
_SURE_ENOUGH = 3.0
"""Beyond so many times what is expected it is said that little is known."""


def _before(settings: "Config", label: str, teacher: "Teacher") -> "list[Hearing] | NotTaught":
    """What it was taught from before: what is kept of it, or for another model the recordings."""
    from monitor.teaching.taught.hearings import readable
    from monitor.teaching.taught.lesson import gathered, taught_before

    if kept := taught_before(settings, label, teacher.households.model):
        return kept
    before = [one for one in settings.taught.sounds if one.label == label]
    clips = [str(path) for one in before for path in readable(one.clips)]
    if not clips:
        raise typer.BadParameter("name recordings of it, or ids of events, or --now", param_hint="HEARINGS")
    return gathered(clips, None, teacher, _read, _show_left_out)


@contextmanager
def history_rows(settings: "Config") -> Iterator[sqlite3.Connection | None]:
    """What the house has heard; None where nothing is kept yet."""
    from monitor.history.reader import History
    from monitor.history.recorder import SCORES

    folder = settings.state_folder()
    if not (folder / SCORES).exists():
        yield None
        return
    with History(folder / SCORES) as history, history.rows() as rows:
        yield rows


def _read(path: Path) -> "Audio":
    from monitor.sources.recording import read_audio

    return read_audio(path)


def _list(settings: "Config") -> None:
    from monitor.config.capabilities import taught_problems

    taught = settings.taught
    for one in taught.sounds:
        for line in sound_lines(one):
            out.print(line, highlight=False, markup=False)
    for problem in taught_problems(settings):
        warn(problem)
    if not taught.labels:
        out.print("Nothing is taught yet. earwitness teach washer_done CLIPS... begins.", highlight=False)


def _forget(settings: "Config", label: str) -> None:
    from monitor.config.house import named_in_rules
    from monitor.config.taught import forget_taught

    if label in named_in_rules(settings):
        raise StoreError(f"a rule names {label}; take it out of the configuration first")
    if not forget_taught(settings.state_folder(), label):
        raise StoreError(f"no sound {label!r} was taught; earwitness teach --list shows them")
    out.print(f"Forgotten: {label}", highlight=False)

"""Teaching the house a sound of its own: teach."""

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.console import ConfigOption, config_in_force, err, out, warn, where_kept
from monitor.cli.house.made_now import check_now, made_now
from monitor.errors import StoreError
from monitor.labels import check_taught_name, label_name

if TYPE_CHECKING:
    from monitor.audio import Audio
    from monitor.classifiers.taggers.embedded import EmbeddedClassifier
    from monitor.classifiers.taught.sound import TaughtSound
    from monitor.config.model import Config
    from monitor.teaching.background import Households
    from monitor.teaching.hearings import Unfit
    from monitor.teaching.sounds import Hearing
    from monitor.teaching.unnamed import Unnamed

EVENT_ID = re.compile(r"[0-9a-f]{12}")


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(rich_help_panel="Teach")(teach)
    app.command(rich_help_panel="Teach")(unnamed)


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
        float, typer.Option(min=0.01, max=100, help="So often a week may it be reported wrongly.")
    ] = 1.0,
    list_: Annotated[bool, typer.Option("--list", help="Show what was taught.")] = False,
    forget: Annotated[str | None, typer.Option(help="Forget a taught sound.")] = None,
) -> None:
    """Teach a sound of your house: the washer's tune, the dog's own bark, the neighbour's gate.

    Record it with the microphone that shall hear it, in its place, three times or more. What the house heard
    beside it in the last days decides from when on it counts as heard; if it cannot be told from something
    else, that is what you read, and nothing is taught. From then on it is a sound like any other: rules, Home
    Assistant and the page know it. For seven days it is learning: its events are suspected at most. Nobody's
    words are kept. A smoke, fire or CO alarm cannot be taught; it is heard without that.

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


def unnamed(config: ConfigOption = None) -> None:
    """What keeps coming and has no name? Sounds of the last days that are alike and that no label claims.

    Five times on three days at least. Each comes with the command that teaches it: put your name for it in
    place of NAME.
    """
    from monitor.teaching.background import house_background
    from monitor.teaching.hearings import unclaimed
    from monitor.teaching.unnamed import unnamed as groups

    settings = where_kept(config_in_force(config, uses=("classifiers",)), config)
    _, households = _model(settings)
    found: list[Unnamed] = []
    with _history(settings) as rows:
        if rows is not None:
            embeddings, sounds = unclaimed(rows)
            space = house_background(rows, households).space
            found = groups(space.of(embeddings), sounds) if sounds else []
    for one in found:
        ids = " ".join(each.segment_id for each in one.sounds[:ASKED])
        out.print(
            f"{len(one.sounds)} times on {one.days} days, mostly around {one.hour}:00, {one.source}; last "
            f"{max(each.at for each in one.sounds):%Y-%m-%d %H:%M}\n  earwitness teach NAME {ids}",
            highlight=False,
            markup=False,
        )
    if not found:
        out.print("Nothing without a name has come five times on three days.", highlight=False)


ASKED = 8
"""So many of a group are named in its command, those nearest to its middle."""


def _teach(
    settings: "Config",
    label: str,
    named: Sequence[str],
    now: tuple[str | None, int] | None,
    false_per_week: float,
) -> None:
    from monitor.config.taught import write_taught
    from monitor.teaching.background import house_background
    from monitor.teaching.sounds import NotTaught, learn, odd_ones

    try:
        check_taught_name(label)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="LABEL") from None
    classifier, households = _model(settings)
    with _history(settings) as rows:
        heard = list(made_now(rows, *now) if now else _named(settings, label, named, rows, classifier))
        background = house_background(rows, households)
    beside = background.without([one.segment_id or "" for one in heard])
    for odd in odd_ones(heard, beside):
        warn(f"{odd} is unlike the others; leave it out if it is another sound")
    found = learn(label, heard, beside, datetime.now(UTC), false_per_week)
    if isinstance(found, NotTaught):
        out.print(found.reason, highlight=False, markup=False)
        raise typer.Exit(1)
    write_taught(settings.state_folder(), found)
    for line in sound_lines(found):
        out.print(line, highlight=False, markup=False)
    err.print("A running daemon takes it up within seconds. A rule names it as any other sound:")
    err.print(f"  hear: [{label}]", highlight=False, markup=False)


def sound_lines(found: "TaughtSound") -> Iterator[str]:
    """A taught sound with what to expect of it."""
    from monitor.classifiers.taught.sound import LEARNING

    expected = found.expected
    until = found.taught_at + LEARNING
    state = f", learning until {until.astimezone():%Y-%m-%d}" if found.is_learning(datetime.now(UTC)) else ""
    yield f"{label_name(found.label)} ({found.label}){state}"
    weak = f"; weak at: {', '.join(expected.weak_at).replace('_', ' ')}" if expected.weak_at else ""
    heard = f"hears {expected.heard} of {expected.of}"
    yield f"  expected: {heard}, false {expected.false_a_week:.1f} a week{weak}"
    if expected.background_hours < _WELL_KNOWN_HOURS:
        yield (
            f"  by {expected.background_hours:.0f} hours of this house and by sounds of others; teach it "
            "again in a few days, when more of this house is known"
        )


_WELL_KNOWN_HOURS = 24.0


def _named(
    settings: "Config",
    label: str,
    named: Sequence[str],
    rows: sqlite3.Connection | None,
    classifier: "EmbeddedClassifier",
) -> Iterator["Hearing"]:
    """The hearings that were named; what is wrong with the others is printed."""
    from monitor.config.taught import read_taught
    from monitor.teaching.hearings import Unfit, from_clip, from_event, readable

    if not named:
        before = [one for one in read_taught(settings.state_folder()).sounds if one.label == label]
        named = [str(path) for one in before for path in readable(one.clips)]
        if not named:
            raise typer.BadParameter(
                "name recordings of it, or ids of events, or --now", param_hint="HEARINGS"
            )
    for name in named:
        found: Hearing | Unfit | None
        if EVENT_ID.fullmatch(name) and not Path(name).exists():
            found = from_event(rows, name) if rows is not None else None
            found = found or Unfit(name, "there is no such event in the history")
        else:
            path = str(Path(name).absolute())
            found = from_clip(path, _read(Path(path)), classifier)
        if not isinstance(found, Unfit):
            yield found
        elif found.alarm:
            _refuse_alarm(found)
        else:
            warn(f"{found.name}: {found.reason}; left out")


def _refuse_alarm(found: "Unfit") -> None:
    out.print(f"{found.name}: {found.reason}. Nothing is taught.", highlight=False, markup=False)
    raise typer.Exit(1)


def _model(settings: "Config") -> "tuple[EmbeddedClassifier, Households]":
    from monitor.classifiers.taggers.embedded import EmbeddedConfig
    from monitor.teaching.background import households_of

    block = next((one for one in settings.classifiers if isinstance(one, EmbeddedConfig)), None)
    if block is None:
        raise typer.BadParameter(
            "sounds are taught on the embedded model; add `classifiers: [{type: embedded}]`"
        )
    classifier = block.build()
    households = households_of(classifier.file, classifier.sidecar.sha256)
    classifier.load()
    return classifier, households


@contextmanager
def _history(settings: "Config") -> Iterator[sqlite3.Connection | None]:
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

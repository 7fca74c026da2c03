"""Commands by which a house teaches its thresholds: review, suggest."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.console import ConfigOption, config_in_force, err, out, where_kept
from monitor.cli.history import moment
from monitor.cli.house.changes import COMMAND_LINE, IN_FORCE, configured
from monitor.labels import did_you_mean, label_name, sound_meant, sounds

if TYPE_CHECKING:
    from monitor.history.verdicts import Verdicts, VerdictWord
    from monitor.teaching.house import HouseReading
    from monitor.teaching.questions import VerdictQuestion
    from monitor.teaching.suggestion import Aim, Suggestion

ANSWERS: "dict[str, VerdictWord]" = {"y": "right", "n": "wrong", "u": "unsure"}
KEYS = "y right, n wrong, u not sure, p play, s skip, q stop"
LabelOption = Annotated[str | None, typer.Option("--label", "-l", help="Only this sound.")]


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    app.command(rich_help_panel="Teach")(review)
    app.command(rich_help_panel="Teach")(suggest)


def review(
    config: ConfigOption = None,
    label: LabelOption = None,
    more: Annotated[
        bool, typer.Option("--more", help="Go on after three questions a day, for as long as you like.")
    ] = False,
    missed: Annotated[
        str | None,
        typer.Option(
            help="Nothing was reported at this time (14:02, -10m), though --label was there at --source."
        ),
    ] = None,
    source: Annotated[str | None, typer.Option(help="With --missed: where it was.")] = None,
) -> None:
    """Was each sound what it was taken for? Asks about the sounds whose answer teaches most, three a day.

    Keys: y right, n wrong, u not sure, p play it (if clips are kept), s skip, q stop. Your answers change
    nothing by themselves. [bold]earwitness suggest[/bold] shows which thresholds would follow from them. No
    answer changes when a smoke, fire or CO alarm is reported.

    [bold]Examples[/bold]

      earwitness review
      earwitness review --label dog_bark --more
      earwitness review --missed 14:02 --label doorbell --source hall
    """
    _check_label(label)
    with _house(config) as (house, verdicts):
        if missed is not None:
            _note_missed(house, verdicts, label, source, moment(missed))
            return
        _ask(house, verdicts, label, more=more)


def suggest(
    config: ConfigOption = None,
    label: LabelOption = None,
    false_per_week: Annotated[
        float | None, typer.Option(min=0.01, help="Aim: at most this many false events of a sound a week.")
    ] = None,
    right: Annotated[
        float | None,
        typer.Option(min=0.5, max=0.999, help="Aim: this share of its events is right; such as 0.9."),
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option(
            min=0.5, max=1, help="Aim: as few false events as keeping this share of the right ones allows."
        ),
    ] = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Take what is suggested; `earwitness undo` takes it back.")
    ] = False,
) -> None:
    """Which thresholds suit your verdicts, and what would they change?

    Your verdicts (page, `review`, Home Assistant) show how likely a sound is right, by its score. With the
    last days of this house that gives the false events a day and the right ones that would be lost, each
    with an 80 % interval for the week to come. Nothing is changed without --apply. There are no suggestions
    for smoke, fire and CO alarms, or for sounds that are found by their rhythm.

    [bold]Examples[/bold]

      earwitness suggest
      earwitness suggest --label dog_bark --false-per-week 1
      earwitness suggest --label scream --right 0.9 --apply
      earwitness undo
    """
    from monitor.teaching.suggestion import never

    _check_label(label)
    if label is not None and (reason := never(label)):
        out.print(f"{label_name(label)}: {reason}", highlight=False, markup=False)
        raise typer.Exit(1)
    aim = _aim(false_per_week, right, keep)
    with _house(config) as (house, _):
        found = list(_suggested(house, label, aim))
    if apply:
        _take(config, found)
    elif found:
        err.print("Nothing is changed yet; --apply applies this.", highlight=False)


def _aim(false_per_week: float | None, right: float | None, keep: float | None) -> "Aim":
    from monitor.teaching.suggestion import LIKELY, Aim

    stated = [
        *([Aim("false_a_week", false_per_week)] if false_per_week is not None else []),
        *([Aim("right", right)] if right is not None else []),
        *([Aim("keep", keep)] if keep is not None else []),
    ]
    if len(stated) > 1:
        raise typer.BadParameter("state one aim: --false-per-week, --right or --keep")
    return stated[0] if stated else LIKELY


def _suggested(house: "HouseReading", label: str | None, aim: "Aim") -> "Iterator[Suggestion]":
    """What is suggested, printed on the way."""
    from monitor.teaching.suggestion import Suggestion
    from monitor.teaching.suggestion import suggest as suggestion
    from monitor.teaching.wording import refusal_line, suggestion_lines

    taught = [one for one in house.everything_taught() if label in (None, one.label)]
    if not taught:
        name = label or "any sound"
        out.print(f"Nobody has judged {name} yet; begin with: earwitness review", highlight=False)
    for one in taught:
        found = suggestion(one, aim)
        if isinstance(found, Suggestion):
            for line in suggestion_lines(found):
                out.print(line, highlight=False, markup=False)
            yield found
        else:
            out.print(refusal_line(one, found), highlight=False, markup=False)


def _take(config: Path | None, found: "list[Suggestion]") -> None:
    from monitor.config.overrides import apply

    if not found:
        err.print("There is nothing to apply.")
        raise typer.Exit(1)
    why = f"{found[0].aim.words}: {sum(one.right + one.wrong for one in found)} verdicts"
    values = {one.place: one.onset for one in found}
    apply(configured(config), values, by="suggestion", at=datetime.now(UTC), why=why)
    for place, value in values.items():
        out.print(f"set  {place} = {value}", highlight=False, markup=False)
    err.print(f"{IN_FORCE} `earwitness undo` takes it back in one step.", highlight=False)


def _ask(house: "HouseReading", verdicts: "Verdicts", label: str | None, *, more: bool) -> None:
    from monitor.teaching.fit import Prior
    from monitor.teaching.questions import chosen, left_today

    limit = left_today(verdicts.asked(), datetime.now(UTC))
    if limit == 0 and not more:
        err.print("Enough for today: three questions a day teach most. --more asks further questions.")
        return
    wanted = house.questions(label)
    if not wanted:
        out.print("No more questions: every sound of these days that may teach something has an answer.")
        return
    fits, counts = house.fits(Prior()), house.verdict_counts()
    err.print(KEYS)
    for question in chosen(wanted, fits, counts, len(wanted) if more else limit):
        if not _judged(house, question):
            break
    err.print("`earwitness suggest` shows which thresholds follow from your verdicts.", highlight=False)


def _judged(house: "HouseReading", question: "VerdictQuestion") -> bool:
    """Ask about one sound; False when the person has had enough."""
    from monitor.teaching.wording import question_lines

    sound = question.sound
    for line in question_lines(question, house.needs[sound.source][sound.label].onset):
        out.print(line, highlight=False, markup=False)
    while True:
        try:
            answer = input("right? [y/n/u/p/s/q] ").strip().lower()[:1]
        except (EOFError, KeyboardInterrupt):
            err.print()
            return False
        if answer == "p":
            _play(house.folder, question.event_id)
        elif answer == "q":
            return False
        elif answer in ("y", "n", "u", "s"):
            house.answer(question.event_id, ANSWERS.get(answer), COMMAND_LINE)
            return True
        else:
            err.print(KEYS)


def _play(state_folder: Path, event_id: str) -> None:
    """The clip of an event over the loudspeaker of this machine."""
    from monitor.classifiers.audio_llm.engines.client import wav
    from monitor.cli.house.clips import clip_of
    from monitor.errors import PublishError, SourceError
    from monitor.notifiers.players import LocalPlayer
    from monitor.sources.recording import read_audio

    clip = clip_of(state_folder, event_id)
    if clip is None:
        err.print("No clip was kept of it; `evidence: {clips: true}` keeps them from now on.")
        return
    try:
        LocalPlayer().play(wav(read_audio(clip)))
    except (PublishError, SourceError) as error:
        err.print(f"It cannot be played here ({error}); it is {clip}", highlight=False)


def _note_missed(
    house: "HouseReading", verdicts: "Verdicts", label: str | None, source: str | None, at: datetime
) -> None:
    if label is None or label not in house.labels:
        raise typer.BadParameter(
            "name the sound that was there; it must be one with a score threshold",
            param_hint="--label",
        )
    known = list(house.needs)
    source = source or (known[0] if len(known) == 1 else None)
    if source not in known:
        raise typer.BadParameter(
            f"name where it was: {', '.join(known)}{did_you_mean(source or '', known)}", param_hint="--source"
        )
    from monitor.history.judging import best_score

    found = house.missed_at(label, source, at.astimezone(UTC))
    verdicts.miss(found, datetime.now(UTC), COMMAND_LINE)
    score = best_score(found)
    name, local = label.replace("_", " "), f"{at:%H:%M}"
    if score is None:
        out.print(
            f"Noted. Nothing was classified at {source} around {local}: the gate did not open. "
            f"`earwitness explain {local}` shows level and floor; a microphone nearer to the sound "
            f"would help most.",
            highlight=False,
        )
    else:
        onset = house.needs[source][label].onset
        out.print(
            f"Noted. The nearest look gave {name} {score:.2f}, and it takes {onset:.2f}. "
            f"earwitness suggest --label {label}",
            highlight=False,
        )


@contextmanager
def _house(config: Path | None) -> "Iterator[tuple[HouseReading, Verdicts]]":
    from monitor.clock import SystemClock
    from monitor.history.reader import History
    from monitor.history.recorder import SCORES
    from monitor.history.verdicts import Verdicts
    from monitor.teaching.house import HouseReading

    settings = where_kept(config_in_force(config, uses=()), config)
    folder = settings.state_folder()
    with History(folder / SCORES) as history, Verdicts(folder, SystemClock()) as verdicts:
        yield HouseReading(settings, history, verdicts, datetime.now(UTC)), verdicts


def _check_label(label: str | None) -> None:
    if label is not None and label not in sounds():
        raise typer.BadParameter(f"there is no sound {label!r}{sound_meant(label)}", param_hint="--label")

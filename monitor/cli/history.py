"""Commands that look back: explain, replay."""

import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.cli.console import ConfigOption, config_in_force, out, where_kept
from monitor.labels import did_you_mean, sounds

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])")
_UNITS_S = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    # So that `explain -10m` is a time and not an unknown option.
    times = {"ignore_unknown_options": True}
    app.command(rich_help_panel="Look back", context_settings=times)(explain)
    app.command(rich_help_panel="Look back")(replay)


def explain(
    what: Annotated[
        str,
        typer.Argument(
            help="The id of an event or alert (its first digits are enough), a time (21:14), or a length of "
            "time until now: -10m is the last ten minutes."
        ),
    ],
    config: ConfigOption = None,
    source: Annotated[str | None, typer.Option(help="Only this source.")] = None,
    around: Annotated[float, typer.Option(min=0.5, max=300, help="Seconds before and after the time.")] = 5.0,
) -> None:
    """Why was an alert raised, or not? Shows level, floor, labels, and the clause that decided in each rule.

    It reads what was kept. The daemon need not run.

    [bold]Examples[/bold]

      earwitness explain 4f2a9c
      earwitness explain 21:14:30 --source kitchen
      earwitness explain -10m
    """
    from monitor.history.explain import explain_id, explain_stretch, explain_time
    from monitor.history.wording import explanation_lines

    settings, history = _history(config)
    with history:
        if re.fullmatch(r"[0-9a-f]{4,12}", what):
            found = explain_id(history, settings, what)
        elif length_s(what) is not None:
            found = explain_stretch(history, settings, moment(what, OR_ID), datetime.now(UTC), source)
        else:
            found = explain_time(history, settings, moment(what, OR_ID), source, around)
        for line in explanation_lines(found):
            out.print(line, highlight=False, markup=False)


def replay(
    config: ConfigOption = None,
    since: Annotated[str, typer.Option(help="How far back: 12h, 3d, or a time.")] = "1d",
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", help="A change to try, such as glass_break.onset=0.4. You can give several."),
    ] = None,
    rule: Annotated[str | None, typer.Option(help="Show only alerts of this rule.")] = None,
    label: Annotated[str | None, typer.Option(help="Show only what is about this sound.")] = None,
    source: Annotated[str | None, typer.Option(help="Show only what this source heard.")] = None,
) -> None:
    """What would have fired with other thresholds? Decides again from the scores of the last days.

    "as before" means the same sound at an overlapping time, or an alert of the same rule within 6 s. If the
    times differ, the difference is printed.

    [bold]Example[/bold]

      earwitness replay --since 3d --set dog_bark.onset=0.7 --set rules.Break-in.min_score=0.6
      earwitness replay --since 3d --set glass_break.onset=0.4 --label glass_break
    """
    from monitor.history.replay import Only, replay_lines
    from monitor.history.replay import replay as decided_again

    settings, history = _history(config)
    _check_known("--label", label, sounds())
    _check_known("--rule", rule, [one.name for one in settings.rules])
    _check_known("--source", source, [one.name for one in settings.sources])
    with history:
        outcomes = decided_again(history, settings, moment(since), datetime.now(UTC), changes or [])
        only = Only(rule, label, source)
        for line in replay_lines([outcome for outcome in outcomes if only.takes(outcome)]):
            out.print(line, highlight=False, markup=False)


def _check_known(option: str, name: str | None, known: Collection[str]) -> None:
    """A slip of the pen would look like a quiet week."""
    if name is not None and name not in known:
        raise typer.BadParameter(f"there is no {name!r}{did_you_mean(name, known)}", param_hint=option)


def length_s(text: str) -> float | None:
    """Seconds of `3d` or `-10m`; None where it is no length of time."""
    match = _DURATION.fullmatch(text.lstrip("-"))
    return float(match[1]) * _UNITS_S[match[2]] if match else None


OR_ID = ", or the id of an event or alert; `earwitness explain -1h` explains the last hour"


def moment(text: str, more: str = "", now: datetime | None = None) -> datetime:
    """A point in time in the past: `3d`, `-10m` (so long ago), `21:14` (today or yesterday), or ISO 8601.

    Raises typer.BadParameter; its words end with `more`, what else may stand there.
    """
    now = (now or datetime.now(UTC)).astimezone()
    if (ago_s := length_s(text)) is not None:
        try:
            return now - timedelta(seconds=ago_s)
        except OverflowError:
            raise typer.BadParameter(f"{text!r} is before the calendar begins") from None
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
            hour, minute, second = (*map(int, text.split(":")), 0)[:3]
            # Without a zone, so that each day has its own offset: the clocks may have changed since.
            at = now.replace(hour=hour, minute=minute, second=second, microsecond=0, tzinfo=None)
            today = at.astimezone()
            return today if today <= now else (at - timedelta(days=1)).astimezone()
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no time; write 3d, 10m, 21:14 or 2026-01-31T21:14{more}"
        ) from None


def _history(config: Path | None) -> tuple[Any, Any]:
    """The configuration, and the history that a daemon with it keeps."""
    from monitor.history.reader import History
    from monitor.history.recorder import SCORES

    settings = where_kept(config_in_force(config, uses=()), config)
    return settings, History(settings.state_folder() / SCORES)

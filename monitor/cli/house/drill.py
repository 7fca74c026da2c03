"""`earwitness drill`: does every room hear the alarm, and by how much?"""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from monitor.cli.console import ConfigOption, config_in_force, err, out, where_kept
from monitor.drill.report import (
    AFTERWARDS_S,
    LOW_MARGIN_DB,
    REQUEST,
    DeliveryReport,
    DrillReport,
    RoomReport,
    ask_drill,
    read_drills,
)
from monitor.errors import StoreError
from monitor.labels import label_name
from monitor.rules.drill import LASTS_S
from monitor.runtime.instance import is_running

TAKEN_UP_S = 30.0
"""A daemon looks for requests every 2 s; one that is busy with a disk a little later."""
ENDED_S = LASTS_S + AFTERWARDS_S + 300.0
"""A drill of full length, and the computing of every room's margin."""
LOOK_EVERY_S = 0.5
NO_CERTIFICATE = (
    "A drill shows what these microphones heard today. It is no certificate, and earwitness is no certified "
    "life-safety device: test and replace your alarms as their makers say."
)


class Alarm(StrEnum):
    """Which alarm is pressed."""

    SMOKE = "smoke"
    CO = "co"
    FIRE = "fire"


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(rich_help_panel="Teach")(drill)


def drill(
    config: ConfigOption = None,
    alarm: Annotated[Alarm, typer.Option(help="Which alarm you are going to press.")] = Alarm.SMOKE,
    past: Annotated[bool, typer.Option("--list", help="Show the drills of the past; begin none.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Press an alarm's test button within three minutes: which rooms hear it, how well, and who is notified?

    For each room you see pattern, pitch and cycles, the seconds until it was reported, the level over the
    noise, and the margin: how many dB quieter the alarm could be before its rhythm is lost there. Then you
    see when each receiver acknowledged the alert, and when a person did.

    The daemon must run. The alert goes the same way as a real one and begins with "Test:". Only the
    announced alarm is a test, and only if it begins during the drill. The drill closes 30 s after the first
    room has confirmed the alarm. Another alarm, one that sounded before, and one that still sounds 30 s
    after the end are real.

    [bold]Examples[/bold]

      earwitness drill
      earwitness drill --alarm co
      earwitness drill --list
    """
    folder = where_kept(config_in_force(config, uses=()), config).state_folder()
    if past:
        drills = read_drills(folder)
        if not drills:
            err.print("No drill was held yet. Begin one: earwitness drill", highlight=False)
        for one in drills:
            _show(one, folder, as_json=as_json)
        return
    if not is_running(folder):
        raise StoreError(f"no daemon keeps its state in {folder}; start it with `earwitness run`")
    id = ask_drill(folder, f"{alarm.value}_alarm", datetime.now(UTC))
    begun = _wait(folder, id, TAKEN_UP_S, ended=False)
    if begun is None:
        (folder / REQUEST).unlink(missing_ok=True)
        raise StoreError("the daemon does not answer; read its log")
    err.print(
        f"Wait half a minute, so that the noise of the room is known. Then [bold]press the test button of a "
        f"{alarm.value} alarm[/bold], for two rounds of beeps. The result comes two minutes later."
    )
    done = _wait(folder, id, ENDED_S, ended=True)
    if done is None:
        raise StoreError("the daemon stopped or restarted during the drill; begin another one")
    _show(done, folder, as_json=as_json)
    raise typer.Exit(0 if done.heard == len(done.rooms) else 1)


def _wait(folder: Path, id: str, longest_s: float, *, ended: bool) -> DrillReport | None:
    """The report of a drill that has begun, or has ended; None when it has not in this time."""
    until_s = time.monotonic() + longest_s
    while time.monotonic() < until_s:
        for one in read_drills(folder):
            if one.id == id and (one.ended_at is not None or not ended):
                return one
        time.sleep(LOOK_EVERY_S)
    return None


def _show(report: DrillReport, folder: Path, *, as_json: bool) -> None:
    if as_json:
        row = asdict(report) | {"acknowledged": _first(report, folder)}
        typer.echo(json.dumps(row, default=datetime.isoformat))
        return
    name = label_name(report.label)
    at = f"{report.began_at.astimezone():%Y-%m-%d %H:%M}"
    out.print(f"\n{at}  {name}: heard in {report.coverage}", highlight=False)
    out.print(_table(report.rooms))
    for line in (*_advice(report.rooms), *_chain(report, folder), NO_CERTIFICATE):
        out.print(line, highlight=False, markup=False)


def _table(rooms: Sequence[RoomReport]) -> Table:
    margin = Column("margin", no_wrap=True)
    table = Table("room", "heard", margin, "over the noise", "reported", "confirmed", "alarm",
                  box=None, header_style="bold")  # fmt: skip
    for room in rooms:
        if not room.heard:
            table.add_row(room.source, "[red]no[/red]", "", "", "", "", "")
            continue
        table.add_row(
            room.source,
            "[green]yes[/green]",
            _margin(room),
            "" if room.over_floor_db is None else f"{room.over_floor_db:.0f} dB",
            f"{room.suspected_s:.1f} s",
            "not" if room.confirmed_s is None else f"{room.confirmed_s:.1f} s",
            f"{room.pattern}, {room.pitch_hz} Hz, {room.cycles} cycles",
        )
    return table


def _margin(room: RoomReport) -> str:
    if room.margin_db is None:
        return "unknown"
    if room.between_db is not None:
        return "{:.0f} dB, at best {:.0f}".format(*room.between_db)
    return f"{'at least ' if room.margin_is_at_least else ''}{room.margin_db:.0f} dB"


def _advice(rooms: Sequence[RoomReport]) -> list[str]:
    low = [one.source for one in rooms if one.margin_is_low]
    deaf = [one.source for one in rooms if not one.heard]
    unknown = [one.source for one in rooms if one.heard and one.margin_db is None]
    advice = []
    if unknown:
        advice.append(
            f"{', '.join(unknown)}: no margin, for the room was not heard before the alarm. Wait half a "
            "minute before you press the button."
        )
    if low:
        advice.append(
            f"{', '.join(low)}: less than {LOW_MARGIN_DB:.0f} dB of margin; a closed door costs more. Move "
            "the microphone nearer, or raise its gain, and drill again with the doors closed."
        )
    if deaf:
        advice.append(
            f"{', '.join(deaf)}: not heard. Level and floor: earwitness explain -5m --source {deaf[0]}"
        )
    return advice


def _chain(report: DrillReport, folder: Path) -> list[str]:
    """When each receiver, and a person, acknowledged the test alert."""
    if not report.alert_ids:
        return ["No alert was raised: no rule names this alarm."] if report.heard else []
    lines = [f"{one.channel}: {_delivered(one)}" for one in report.deliveries]
    lines = lines or ["Nobody was notified: no receiver confirms deliveries."]
    return [*lines, _acknowledged(report, folder)]


def _delivered(one: DeliveryReport) -> str:
    return "not delivered yet" if one.seconds is None else f"delivered after {one.seconds:.1f} s"


def _acknowledged(report: DrillReport, folder: Path) -> str:
    found = _first(report, folder)
    if found is None:
        return "Nobody has acknowledged it; `earwitness drill --list` shows it when somebody does."
    return f"acknowledged by {found['by'] or 'somebody'} after {found['after_s']:.0f} s"


def _first(report: DrillReport, folder: Path) -> dict[str, Any] | None:
    """Who acknowledged the test alert first, and how long that took."""
    from monitor.clock import SystemClock
    from monitor.history.verdicts import Verdicts

    if not report.alert_ids:
        return None
    with Verdicts(folder, SystemClock()) as verdicts:
        found = verdicts.first_acknowledged(report.alert_ids)
    after_s = report.after_s(found.at) if found else None
    return None if found is None or after_s is None else {"by": found.by, "after_s": after_s}

"""`earwitness calibrate`: from dBFS to dB(A), once, beside a sound level meter."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Annotated

import typer

from monitor.cli.console import ConfigOption, config_in_force, err, out, warn, where_kept
from monitor.cli.house.changes import COMMAND_LINE, IN_FORCE, configured
from monitor.config.measured.calibration import HIGHEST_DB, LOWEST_DB, place_of
from monitor.config.model import Config
from monitor.config.overrides import apply
from monitor.errors import ConfigError, EarwitnessError, StoreError
from monitor.labels import did_you_mean
from monitor.loudness.spot import Spot, measured
from monitor.runtime.instance import is_running
from monitor.sources import SourceConfig

MEASURED_S = 10.0
"""Without a daemon: as long as a person holds still, and the mean of a steady noise is known to 0.3 dB."""
STEADY_DB = 6.0
"""Seconds that differ by more are no steady noise: the meter and we may have averaged something else."""
_MINUTE = timedelta(minutes=1)
NEXT_MINUTE_S = 150.0
"""A minute that has begun, the next one, and what the daemon takes to measure and keep it."""
LOOK_EVERY_S = 1.0
NO_METER = (
    "These are no figures of a certified sound level meter: laws on noise ask for one. Calibrate again after "
    "every change of gain, place or microphone."
)


def register(app: typer.Typer) -> None:
    """Add the command of this file."""
    app.command(rich_help_panel="Set up")(calibrate)


def calibrate(
    source: Annotated[str, typer.Argument(help="The source beside which the sound level meter is.")],
    dba: Annotated[float, typer.Option(min=30, max=120, help="What it shows, in dB(A).")],
    config: ConfigOption = None,
) -> None:
    """Calibrate the loudness of a source in dB(A), with a sound level meter beside its microphone.

    Set the meter to A and slow (or LAeq). Play something steady that is clearly louder than the room, such
    as pink noise at 60 to 75 dB(A). Keep it on until this command has ended: after ten seconds, or, if the
    daemon runs, at the end of the next full minute, which the daemon measures.

    The result (`calibration_db`) is kept in the state folder. `earwitness undo` takes it back. Rules with
    `level` need it.

    [bold]Examples[/bold]

      earwitness calibrate living_room --dba 62.5
      earwitness undo
    """
    settings = where_kept(config_in_force(config, uses=("sources",)), config)
    spot = _measured(settings, _block(settings, source))
    if spot.clipped:
        raise EarwitnessError(
            f"{source}: it is so loud that the microphone clips; turn its gain or the noise down"
        )
    if spot.spread_db > STEADY_DB:
        warn(f"{source}: the noise was not steady ({spot.spread_db:.0f} dB apart); better repeat it")
    found_db = round(dba - spot.laeq_dbfs, 1)
    if not LOWEST_DB <= found_db <= HIGHEST_DB:
        raise EarwitnessError(
            f"{source}: {dba:g} dB(A) at {spot.laeq_dbfs:.1f} dBFS cannot be; look at the meter"
        )
    why = f"{dba:g} dB(A) was {spot.laeq_dbfs:.1f} dBFS"
    place = place_of(source)
    apply(configured(config), {place: found_db}, by=COMMAND_LINE, at=datetime.now(UTC), why=why)
    out.print(f"{source}: {why}, so 0 dBFS is {found_db:g} dB(A)", highlight=False, markup=False)
    err.print(f"{IN_FORCE} `earwitness undo` takes it back. {NO_METER}", highlight=False)


def _block(settings: Config, source: str) -> SourceConfig:
    blocks = {one.name: one for one in settings.sources if one.enabled}
    if source not in blocks:
        raise ConfigError([f"no enabled source is named {source!r}{did_you_mean(source, blocks)}"])
    if blocks[source].is_external:
        raise ConfigError([f"{source}: another device listens there; its loudness is not known"])
    return blocks[source]


def _measured(settings: Config, block: SourceConfig) -> Spot:
    folder = settings.state_folder()
    if is_running(folder):
        if not settings.history_days:
            raise StoreError(
                "the daemon keeps nothing (`history_days: 0`); stop it, and calibrate without it"
            )
        return _next_minute(folder, block.name)
    from monitor.clock import SystemClock

    err.print(f"{block.name}: measuring for {MEASURED_S:.0f} s; keep the noise on", highlight=False)
    with block.build(SystemClock()) as opened:
        spot = measured(opened.pieces(), MEASURED_S)
    if spot is None:
        raise EarwitnessError(f"{block.name}: there is no sound; `earwitness devices` lists the microphones")
    return spot


def _next_minute(folder: Path, source: str) -> Spot:
    """The first full minute that begins from now on, as the running daemon measures it."""
    from monitor.clock import SystemClock
    from monitor.history.loudness.minutes import minutes_of
    from monitor.history.reader import History
    from monitor.history.recorder import SCORES

    clock, pause = SystemClock(), Event()
    begins = clock.now().replace(second=0, microsecond=0) + _MINUTE
    ends = (begins + _MINUTE).astimezone()
    err.print(f"{source}: the daemon measures the next minute; keep the noise on until {ends:%H:%M:%S}",
              highlight=False)  # fmt: skip
    until_s = clock.monotonic_s() + NEXT_MINUTE_S
    while clock.monotonic_s() < until_s:
        with History(folder / SCORES) as history:
            for level in minutes_of(history, begins, begins, source):
                return Spot(level.laeq_dbfs, clipped=level.clipped_s > 0)
        pause.wait(LOOK_EVERY_S)
    raise StoreError(
        f"{source}: the daemon has not measured this minute; it may be away, muted or silent: look with "
        "`earwitness explain -5m`"
    )

"""What the running daemon hears while somebody makes a sound: `earwitness teach --now`."""

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from threading import Event
from typing import TYPE_CHECKING

import typer

from monitor.cli.console import FIRST_SOURCES, err
from monitor.errors import StoreError
from monitor.labels import did_you_mean
from monitor.runtime.instance import is_running

if TYPE_CHECKING:
    from monitor.config.model import Config
    from monitor.teaching.taught.learning import Hearing

NOW_S = 180.0
"""How long the sounds are waited for."""
LOOK_EVERY_S = 1.0


def check_now(settings: "Config", source: str | None) -> None:
    """Nobody makes a sound five times for a microphone that is not there. Raises StoreError where no daemon
    runs, typer.BadParameter for a source that it has not."""
    folder = settings.state_folder()
    known = [one.name for one in settings.sources if one.enabled] if settings.file else list(FIRST_SOURCES)
    if source is not None and source not in known:
        raise typer.BadParameter(
            f"there is no source {source!r}{did_you_mean(source, known)}; there are {', '.join(known)}",
            param_hint="--source",
        )
    if not is_running(folder):
        raise StoreError(f"no daemon keeps its state in {folder}; --now needs one that runs: earwitness run")


def made_now(rows: sqlite3.Connection | None, source: str | None, count: int) -> Iterator["Hearing"]:
    """What the running daemon hears from now on, until there is enough. StoreError where it keeps nothing."""
    from monitor.clock import SystemClock
    from monitor.teaching.taught.heard import heard_since
    from monitor.teaching.taught.hearings import of_heard

    if rows is None:
        raise StoreError("the daemon has kept nothing yet; try again in a minute")
    clock, pause = SystemClock(), Event()
    begun, until_s = clock.now(), clock.monotonic_s() + NOW_S
    err.print(
        f"Make the sound {count} times within {NOW_S / 60:.0f} minutes, with five quiet seconds in between. "
        "Ctrl-C when done.",
        highlight=False,
    )
    seen: dict[str, Hearing] = {}
    with suppress(KeyboardInterrupt):
        while len(seen) < count and clock.monotonic_s() < until_s:
            for one in heard_since(rows, begun, source):
                if one.segment_id not in seen and len(seen) < count:
                    seen[one.segment_id] = of_heard(one)
                    err.print(f"  {len(seen)} of {count}: {seen[one.segment_id].name}", highlight=False)
            pause.wait(LOOK_EVERY_S)
    if len(seen) < count:
        err.print(f"Heard {len(seen)} of {count}.", highlight=False)
    yield from seen.values()

"""Which alarm has an empty battery: the chirps of the last days, and where they are loudest."""

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.clock import to_us
from monitor.store.codec import decode
from monitor.types import SoundEvent

LABEL = "low_battery_chirp"
SAME_PITCH = 0.05
"""Chirps whose pitches differ by less come from one device: a piezo keeps its own to a percent."""
STILL = timedelta(minutes=10)
"""Heard so lately it still chirps; some chirp once a minute, and one or two are drowned."""


@dataclass(frozen=True, slots=True)
class Chirping:
    """One device with an empty battery."""

    pitch_hz: float
    every_s: float
    since: datetime
    until: datetime
    over_noise_db: Mapping[str, float]
    """By source, the loudest, over the noise around its pitch."""

    def sentence(self, now: datetime) -> str:
        """As a person reads it; times in the local zone."""
        ranked = sorted(self.over_noise_db, key=lambda source: -self.over_noise_db[source])
        where = f"loudest in the {ranked[0]}" if len(ranked) > 1 else f"heard in the {ranked[0]}"
        levels = ", ".join(f"{source} {self.over_noise_db[source]:.0f} dB" for source in ranked)
        over = "" if now - self.until < STILL else f", last heard {_local(self.until, now)}"
        return (
            f"low-battery chirp every {self.every_s:.0f} s since {_local(self.since, now)}, {where} "
            f"({levels} over the noise, {self.pitch_hz / 1000:.1f} kHz){over}"
        )


def chirps(rows: sqlite3.Connection, since: datetime) -> list[Chirping]:
    """The devices that have chirped since then, the latest first."""
    found = rows.execute(
        "SELECT body, max(number) FROM said WHERE kind = 'SoundEvent' AND told_at >= ?"
        " AND json_extract(body, '$.label') = ? GROUP BY id ORDER BY number",
        (to_us(since), LABEL),
    )
    events = [event for body, _ in found if isinstance(event := decode(body), SoundEvent)]
    return sorted((_joined(own) for own in _devices(events)), key=lambda one: one.until, reverse=True)


def _devices(events: Sequence[SoundEvent]) -> Iterator[list[SoundEvent]]:
    """Grouped by pitch."""
    group: list[SoundEvent] = []
    for event in sorted(events, key=_pitch_hz):
        if group and _pitch_hz(event) > _pitch_hz(group[0]) * (1 + SAME_PITCH):
            yield group
            group = []
        group.append(event)
    if group:
        yield group


def _joined(own: Sequence[SoundEvent]) -> Chirping:
    levels: dict[str, float] = {}
    for event in own:
        levels[event.source] = max(levels.get(event.source, 0.0), float(event.evidence.get("snr_db", 0.0)))
    latest = max(own, key=lambda event: event.at)
    every_s = float(latest.evidence.get("on_s", 0.0)) + float(latest.evidence.get("off_s", 0.0))
    return Chirping(
        _pitch_hz(latest),
        every_s,
        min(event.started_at for event in own),
        max(event.ended_at or event.at for event in own),
        levels,
    )


def _pitch_hz(event: SoundEvent) -> float:
    return float(event.evidence.get("pitch_hz", 0.0))


def _local(at: datetime, now: datetime) -> str:
    local = at.astimezone()
    return f"{local:%H:%M}" if local.date() == now.astimezone().date() else f"{local:%Y-%m-%d %H:%M}"

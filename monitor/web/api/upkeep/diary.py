"""The diary: how long each sound was heard, by the hour, to be taken away with its sum; and what chirps."""

import hashlib
import io
import zipfile
from datetime import timedelta
from typing import Annotated

from pydantic import Field
from starlette.responses import Response

from monitor.history.diary.chirps import Chirping, chirps
from monitor.history.diary.hours import DiaryEntry, as_csv, entries, of_day
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model

CHIRPS_DAYS = 2


class DiaryQuery(Model):
    """How far back."""

    days: Annotated[float, Field(gt=0, le=400)] = 7


class DiaryRow(Model):
    """One sound, wherever it was heard; what two microphones heard at once counts once."""

    label: str
    minutes: float
    times: int
    hours: list[float]
    """Minutes by the hour of the day, 24 numbers; the first is from midnight to one, house time."""


class ChirpView(Model):
    """A device whose battery is empty."""

    every_s: float
    pitch_hz: float
    since: str
    until: str
    """When it was last heard."""
    loudest: str
    """The source."""
    over_noise_db: dict[str, float]
    """By source."""


class DiaryView(Model):
    """The sound that was heard longest first; of chirps those of two days, the latest first."""

    rows: list[DiaryRow]
    chirps: list[ChirpView]


def diary(ask: Ask) -> Answer:
    """For how long each sound was heard, and which alarm has an empty battery."""
    page = ask.page
    if not page.keeps_history():
        return DiaryView(rows=[], chirps=[])
    with page.rows() as rows:
        chirping = chirps(rows, page.clock.now() - timedelta(days=CHIRPS_DAYS))
    found = of_day(_entries(ask))
    return DiaryView(
        rows=[
            DiaryRow(label=one.label, minutes=round(sum(one.minutes), 2), times=one.events,
                     hours=[round(minutes, 2) for minutes in one.minutes])
            for one in found
        ],
        chirps=[_chirp(ask, one) for one in chirping],
    )  # fmt: skip


def taken_away(ask: Ask) -> Answer:
    """Every hour of every source as a table, and beside it its SHA-256 as `sha256sum -c` reads it."""
    page = ask.page
    if not page.keeps_history():
        raise Refusal(409, "there is nothing to export, because nothing is kept (`history_days`)")
    name = f"earwitness-{page.house.node}-diary-{page.time.today(page.clock.now()).isoformat()}"
    data, out = as_csv(_entries(ask)), io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", data)
        archive.writestr(f"{name}.csv.sha256", f"{hashlib.sha256(data).hexdigest()}  {name}.csv\n")
    headers = {"Content-Disposition": f'attachment; filename="{name}.zip"'}
    return Response(out.getvalue(), headers=headers, media_type="application/zip")


def _entries(ask: Ask) -> list[DiaryEntry]:
    page, wanted = ask.page, ask.query
    now = page.clock.now()
    with page.rows() as rows:
        return entries(rows, now - timedelta(days=wanted.days), now, page.time.zone)


def _chirp(ask: Ask, one: Chirping) -> ChirpView:
    iso, levels = ask.page.time.iso, one.over_noise_db
    return ChirpView(
        every_s=round(one.every_s, 1),
        pitch_hz=round(one.pitch_hz),
        since=iso(one.since),
        until=iso(one.until),
        loudest=max(levels, key=lambda source: levels[source]),
        over_noise_db={source: round(level, 1) for source, level in levels.items()},
    )


ROUTES = (
    Route("GET", "api/diary", "For how long each sound was heard, and what chirps", diary, query=DiaryQuery,
          answer=DiaryView),
    Route("GET", "api/diary.zip", "The diary to take away", taken_away, query=DiaryQuery,
          answer="application/zip", fails=(409,)),
)  # fmt: skip

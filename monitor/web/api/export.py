"""What can be taken away: tables, data, and clips with their sums."""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from starlette.responses import Response

from monitor.history import events as index
from monitor.web.api.events import MOST, Which, filter_of, one
from monitor.web.api.events import views as event_views
from monitor.web.api.explain import of_event
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.views import EventView

MOST_EXPORTED = 5000
MOST_CLIPS_BYTES = 200_000_000


class ExportQuery(Which):
    """What to take away."""

    format: Literal["csv", "json", "zip"] = "csv"


def export(ask: Ask) -> Answer:
    """Events with all that is said of them, to be taken away: the bark diary."""
    wanted: ExportQuery = ask.query
    events = list(_all(ask, wanted))
    name = f"earwitness-{ask.page.house.node}-{ask.page.time.today(ask.page.clock.now()).isoformat()}"
    if wanted.format == "json":
        return _attached(_json(events), f"{name}.json", "application/json")
    if wanted.format == "csv":
        return _attached(_csv(events), f"{name}.csv", "text/csv; charset=utf-8")
    if ask.visitor is None or not ask.page.may_hear(ask.visitor):
        raise Refusal(403, "you may not hear clips; take the table instead")
    return _attached(_zip(ask, events), f"{name}.zip", "application/zip")


def _all(ask: Ask, wanted: ExportQuery) -> Iterator[EventView]:
    if not ask.page.keeps_history():
        return
    before, left = None, MOST_EXPORTED
    with ask.page.rows() as rows:
        while left > 0:
            found = index.events(rows, filter_of(ask, wanted), before=before, limit=min(MOST, left))
            if not found:
                return
            yield from event_views(ask, rows, found)
            before, left = found[-1].cursor, left - len(found)


def _attached(content: bytes, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, headers=headers, media_type=media_type)


def _json(events: list[EventView]) -> bytes:
    rows = [event.model_dump(mode="json") for event in events]
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


_COLUMNS = ("id", "started_at", "ended_at", "source", "label", "certainty", "score", "classifier", "severity")


def _csv(events: list[EventView]) -> bytes:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow([*_COLUMNS, "rules", "verdict", "it_was"])
    for event in events:
        verdict = event.verdict
        rules = "; ".join(dict.fromkeys(alert.rule for alert in event.alerts))
        own = [getattr(event, column) for column in _COLUMNS]
        table.writerow(
            [_cell(cell) for cell in (*own, rules, verdict and verdict.verdict, verdict and verdict.label)]
        )
    return out.getvalue().encode()


def _cell(value: Any) -> Any:
    """A rule's name must not become a formula of a spreadsheet."""
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value


def _zip(ask: Ask, events: list[EventView]) -> bytes:
    files = {"events.csv": _csv(events), "events.json": _json(events)}
    size = 0
    for event in events:
        for name, content in _evidence(ask, event):
            size += len(content)
            if size > MOST_CLIPS_BYTES:
                raise Refusal(413, "more than 200 MB of clips: choose fewer days or sounds")
            files[f"clips/{name}"] = content
    return zipped(files)


def _evidence(ask: Ask, event: EventView) -> Iterator[tuple[str, bytes]]:
    at = datetime.fromisoformat(event.started_at)
    for file in ask.page.files.of(at, at).get(event.id, []):
        try:
            yield file.path.name, file.path.read_bytes()
        except OSError:
            continue  # it has just been let go


def zipped(files: dict[str, bytes]) -> bytes:
    """The files with their SHA-256 sums: whoever gets it can check that nothing was changed since."""
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in files.items())
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in {**files, "SHA256SUMS": sums.encode()}.items():
            kept = name.endswith((".flac", ".opus", ".png"))
            archive.writestr(name, content, zipfile.ZIP_STORED if kept else zipfile.ZIP_DEFLATED)
    return out.getvalue()


def bundle(ask: Ask) -> Answer:
    """One event with its sound, picture and explanation."""
    event, why = one(ask), of_event(ask)
    files = {
        "event.json": json.dumps(event.model_dump(mode="json"), indent=1).encode(),
        "why.json": why.model_dump_json(indent=1).encode(),
        "why.txt": "\n".join(line.text for line in why.sentences).encode(),
        **dict(_evidence(ask, event)),
    }
    return _attached(zipped(files), f"earwitness-{event.label}-{event.id}.zip", "application/zip")


ROUTES = (
    Route("GET", "api/export", "Events to take away", export, query=ExportQuery,
          answer="application/octet-stream", fails=(413,)),
    Route("GET", "api/events/{id}/bundle", "An event with its sound and why", bundle, "hear",
          answer="application/zip", fails=(404,)),
)  # fmt: skip

"""What can be taken away: tables, data, and clips with their sums."""

import io
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from html import escape
from typing import Annotated

from pydantic import Field
from starlette.responses import Response, StreamingResponse

from monitor.web.api.events import Which, filter_of, one
from monitor.web.api.explain import WhyView, of_event
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.trying.exporting import Archive, ExportFormat, Exporting
from monitor.web.trying.runner import JobFailed
from monitor.web.views import EventView
from monitor.web.words import label_words, room_words, sentence

_MEDIA = {"csv": "text/csv; charset=utf-8", "json": "application/json", "zip": "application/zip"}


class ExportQuery(Which):
    """What to take away."""

    format: ExportFormat = "csv"
    ids: Annotated[str, Field(pattern=r"^([0-9a-f]{12}(,[0-9a-f]{12}){0,499})?$")] = ""
    """Only these events."""


async def export(ask: Ask) -> Answer:
    """Events with all that is said of them, to be taken away: the bark diary."""
    wanted: ExportQuery = ask.query
    page = ask.page
    if not page.keeps_history():
        raise Refusal(409, "there is nothing to export, because nothing is kept (`history_days`)")
    if wanted.format == "zip" and (ask.visitor is None or not page.may_hear(ask.visitor)):
        raise Refusal(403, "you may not hear clips; take the table instead")
    chosen = replace(filter_of(ask, wanted), ids=wanted.ids.split(",") if wanted.ids else ())
    job = Exporting(page.folder, page.time.name, chosen, wanted.format)
    parts = page.trying.parts(job)
    try:
        await anext(parts)
    except JobFailed as error:
        raise Refusal(409, str(error)) from None
    name = f"earwitness-{page.house.node}-{page.time.today(page.clock.now()).isoformat()}.{wanted.format}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Accel-Buffering": "no"}
    return StreamingResponse(_to_the_end(parts), headers=headers, media_type=_MEDIA[wanted.format])


async def _to_the_end(parts: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    """Whoever hangs up ends it at once, not when the generator is collected."""
    async with aclosing(parts):
        async for part in parts:
            yield part


def bundle(ask: Ask) -> Answer:
    """One event with its sound, picture and explanation."""
    event, why = one(ask), of_event(ask)
    out = io.BytesIO()
    with Archive(out.write) as archive:
        archive.put("event.json", json.dumps(event.model_dump(mode="json"), indent=1).encode())
        archive.put("why.json", why.model_dump_json(indent=1).encode())
        files = ask.page.files.by_event().get(event.id, [])
        named = [file.path.name for file in files]
        lines = [line.text for line in why.sentences] + ([] if _has_sound(named) else [_no_sound(ask)])
        archive.put("why.txt", "\n".join(lines).encode())
        archive.put("index.html", _page(ask, event, why, named).encode())
        for file in files:
            archive.take(file.path.name, file)
    headers = {"Content-Disposition": f'attachment; filename="earwitness-{event.label}-{event.id}.zip"'}
    return Response(out.getvalue(), headers=headers, media_type="application/zip")


_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:2rem auto;padding:0 1rem}img{width:100%}"
)


def _has_sound(files: list[str]) -> bool:
    return any(not one.endswith(".png") for one in files)


def _no_sound(ask: Ask) -> str:
    """Why there is no clip among them: whoever opens the zip elsewhere cannot look it up."""
    kept = ask.page.whole.evidence
    if not kept.clips:
        return sentence("event.no_clip", ask.language, setting="evidence: {clips: true}")
    return sentence("event.no_clip_of_it", ask.language, days=f"{kept.keep_days:g}")


def _page(ask: Ask, event: EventView, why: WhyView, files: list[str]) -> str:
    """The event for any browser, without this house: what was heard, its sound and picture, and why."""
    name = escape(f"{label_words(event.label, ask.language)}, {room_words(event.source)}")
    parts = [f'<audio controls src="{one}"></audio>' for one in files if not one.endswith(".png")]
    parts += [] if parts else [f"<p>{escape(_no_sound(ask))}</p>"]
    parts += [f'<img src="{one}" alt="{name}">' for one in files if one.endswith(".png")]
    reasons = "".join(f"<li>{escape(line.text)}</li>" for line in why.sentences)
    return (
        f'<!doctype html><html lang="{ask.language}"><meta charset="utf-8"><title>{name}</title>'
        f"<style>{_STYLE}</style><h1>{name}</h1><p><time>{event.started_at}</time> · {event.score:.0%}</p>"
        f"{''.join(parts)}<h2>{sentence('event.why', ask.language)}</h2><ul>{reasons}</ul></html>\n"
    )


ROUTES = (
    Route("GET", "api/export", "Events to take away", export, query=ExportQuery,
          answer="application/octet-stream", waits=False, fails=(409,)),
    Route("GET", "api/events/{id}/bundle", "An event with its sound and why", bundle, "hear",
          answer="application/zip", fails=(404,)),
)  # fmt: skip

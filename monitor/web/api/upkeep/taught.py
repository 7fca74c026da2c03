"""Sounds of the house's own: which there are, what was heard that could become one, teaching and
forgetting."""

import json
from collections import deque
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, Field
from starlette.responses import StreamingResponse

from monitor.config.capabilities import taught_problems
from monitor.config.house import named_in_rules
from monitor.config.taught import forget_taught
from monitor.labels import check_taught_name
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.trying.teaching import Teaching, plain

MOST_HEARINGS = 20
MOST_HEARD = 200
HEARD_WITHIN = timedelta(minutes=5)
"""What was heard in so long is shown where nobody says since when."""
NOTHING_KEPT = "nothing is kept to teach from (`history_days`)"


class TaughtBeep(Model):
    """A beep of a rhythm: when it begins, after the first, its length, its pitch."""

    at_s: float
    on_s: float
    pitch_hz: float


class TaughtRhythm(Model):
    """The second factor of a taught sound: what has its rhythm needs less likeness to be taken for it."""

    beeps: list[TaughtBeep]
    shared: int
    """So many of its hearings have it."""
    of: int


class TaughtView(Model):
    """A taught sound and what to expect of it."""

    label: str
    taught_at: str
    learning_until: str | None
    """Until then its events are suspected at most; None: it has learnt."""
    heard: int
    """Of its own hearings so many would be heard, each judged by the others alone."""
    of: int
    false_a_week: float
    false_at_most: float | None
    """With 80 %; None where nothing of this house is known."""
    background_hours: float
    """Of this house, in which the false ones were counted."""
    weak_at: list[str]
    """What in the house is most like it."""
    came_before: int
    """So often it was heard before it was taught, by its likeness: none of these counts as false."""
    rhythm: TaughtRhythm | None
    """None: its hearings share none, or it was taught before anybody listened for one."""


class TaughtList(Model):
    """What this house has taught."""

    sounds: list[TaughtView]
    problems: list[str]
    """What keeps some from being heard, with the fix."""


class HeardQuery(Model):
    """Since when, and where."""

    since: AwareDatetime | None = None
    source: Annotated[str, Field(max_length=60)] = ""


class HeardView(Model):
    """A sound that is over, and that can be a hearing."""

    id: str
    at: str
    source: str
    taken_for: str | None
    """The label whose onset it reached; None: no label claims it."""


class HeardList(Model):
    """What was heard, the newest first; never speech."""

    heard: list[HeardView]


class NewSound(Model):
    """What is to be taught, and from what."""

    label: Annotated[str, Field(max_length=40)]
    """The house's name for it, such as `washer_done`."""
    hearings: Annotated[
        list[Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]], Field(min_length=1, max_length=MOST_HEARINGS)
    ]
    """Ids of events, or of what `api/taught/heard` lists: three at least, five are better."""
    false_a_week: Annotated[float, Field(ge=0.01, le=100)] = 1.0
    more: bool = False
    """These are further hearings of a sound that is taught already."""
    only_try: bool = False
    """Answer what would come of it, and keep nothing."""


def listed(ask: Ask) -> Answer:
    """All of them."""
    page = ask.page
    now = page.clock.now()
    return TaughtList(
        sounds=[
            _in_house_time(ask, TaughtView.model_validate(plain(one, now)))
            for one in page.whole.taught.sounds
        ],
        problems=taught_problems(page.whole),
    )


def _in_house_time(ask: Ask, view: TaughtView) -> TaughtView:
    iso = ask.page.time.iso
    until = view.learning_until
    return view.model_copy(
        update={
            "taught_at": iso(datetime.fromisoformat(view.taught_at)),
            "learning_until": iso(datetime.fromisoformat(until)) if until else None,
        }
    )


def heard(ask: Ask) -> Answer:
    """*Make the sound now*: what has been heard since, each a hearing that may be taught from."""
    page, wanted = ask.page, ask.query
    if not page.keeps_history():
        return HeardList(heard=[])
    from monitor.teaching.taught.heard import heard_since

    since = wanted.since or page.clock.now() - HEARD_WITHIN
    with page.rows() as rows:
        found = deque(heard_since(rows, since, wanted.source or None), maxlen=MOST_HEARD)
    iso = page.time.iso
    return HeardList(
        heard=[
            HeardView(id=one.segment_id, at=iso(one.at), source=one.source, taken_for=one.label)
            for one in reversed(found)
        ]
    )


def teach(ask: Ask) -> Answer:
    """Teach it. Lines of JSON: `progress` for each hearing, with `left_out` where it teaches nothing; at last
    `taught` or `refused` with the reason, or `problems`. Whoever hangs up ends it. The daemon takes a sound
    that is kept up within seconds."""
    wanted: NewSound = ask.body
    page = ask.page
    try:
        check_taught_name(wanted.label)
    except ValueError as error:
        raise Refusal(422, f"label: {error}") from None
    if wanted.more and wanted.label not in page.whole.taught.labels:
        raise Refusal(409, f"no sound {wanted.label} was taught; leave out `more`")
    if not page.keeps_history():
        raise Refusal(409, NOTHING_KEPT)
    once = tuple(dict.fromkeys(wanted.hearings))
    job = Teaching(
        page.whole, wanted.label, once, wanted.false_a_week, wanted.only_try, wanted.more, page.clock.now()
    )
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(ask, job), headers=headers, media_type="application/x-ndjson")


async def _lines(ask: Ask, job: Teaching) -> AsyncIterator[bytes]:
    async for document in ask.page.trying.run(job):
        if "taught" in document:
            view = TaughtView.model_validate(document["taught"])
            document["taught"] = _in_house_time(ask, view).model_dump()
        yield json.dumps(document, separators=(",", ":")).encode() + b"\n"


def forget(ask: Ask) -> Answer:
    """Forget a taught sound."""
    label, page = ask.path["label"], ask.page
    known = page.whole.taught.labels
    if label not in known:
        raise Refusal(404, f"no sound {label[:40]!r} was taught; `api/taught` lists them")
    if label in named_in_rules(page.whole):
        raise Refusal(409, f"a rule names {label}; take it out of the rule first")
    forget_taught(page.folder, label)
    page.apply(lambda now: label not in now.taught.labels)
    return None


ROUTES = (
    Route("GET", "api/taught", "The sounds that this house has taught", listed, answer=TaughtList),
    Route("GET", "api/taught/heard", "What was heard that may be taught", heard, "hear", query=HeardQuery,
          answer=HeardList),
    Route("POST", "api/taught", "Teach a sound", teach, "change", body=NewSound,
          answer="application/x-ndjson", waits=False, fails=(409,)),
    Route("DELETE", "api/taught/{label}", "Forget a taught sound", forget, "change", status=204,
          fails=(404, 409)),
)  # fmt: skip

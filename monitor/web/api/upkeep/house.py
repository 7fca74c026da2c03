"""Who is notified and when that last worked, which models listen, what is kept; the house's values."""

from typing import Annotated

from pydantic import Field

from monitor.clock import from_us
from monitor.delivery.deliveries import OUTBOX, last_deliveries
from monitor.drill.report import FILE as DRILLS
from monitor.drill.report import read_drills
from monitor.history.recorder import SCORES
from monitor.history.verdicts import FILE as VERDICTS
from monitor.types import Command
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model


class ReceiverView(Model):
    """Somebody or something that alerts go to."""

    name: str
    notifies: str | None
    """The notifier of the configuration whose channel this is; None for a publisher."""
    ready: bool | None
    """Whether it takes messages now; None where that is not known yet."""
    waiting: int
    waits_since: str | None
    """Since when the oldest has waited."""
    last_delivered_at: str | None
    """When it last acknowledged an event or alert, as far as the outbox remembers."""
    note: str
    """What is wrong with it, in the daemon's words."""


class ModelView(Model):
    """A classifier at work."""

    name: str
    type: str
    segments: int
    failures: int
    busy_share: float
    """Of the time since the start."""
    median_ms: float
    failing: str | None


class KeptView(Model):
    """One kind of what is kept here."""

    kind: str
    """`scores`, `clips`, `pictures`, `verdicts`, `drills`."""
    count: int | None
    megabytes: float
    since: str | None


class UpkeepView(Model):
    """What a look after the house needs."""

    receivers: list[ReceiverView]
    outbox_durable: bool | None
    """Whether alerts that wait outlive a power cut; None until the first report."""
    models: list[ModelView]
    kept: list[KeptView]
    watched: int
    """How many look at or hear a source live at this moment."""


class ValueView(Model):
    """What rules know of the house beside its sounds."""

    name: str
    options: list[str]
    value: str | None
    """None: unknown, which stops no rule."""
    from_topic: bool
    """Whether a device publishes it, so that nobody sets it here."""


class ValueList(Model):
    """All of them."""

    values: list[ValueView]


class NewValue(Model):
    """One of its options."""

    value: Annotated[str, Field(max_length=60)]


def upkeep(ask: Ask) -> Answer:
    """How everything beside the sounds is."""
    page = ask.page
    health = page.board.health.values if page.board.health else {}
    delivery = health.get("delivery", {})
    return UpkeepView(
        receivers=_receivers(ask, delivery, health.get("notes", {})),
        outbox_durable=delivery.get("durable"),
        models=[
            ModelView(
                name=name,
                type=next((one.type for one in page.whole.classifiers if one.name == name), ""),
                segments=each["segments"],
                failures=each["failures"],
                busy_share=each["share"],
                median_ms=each["median_ms"],
                failing=each["failing"],
            )
            for name, each in health.get("classifiers", {}).items()
        ],
        kept=list(_kept(ask)),
        watched=sum(page.scopes.watching(room.source) for room in page.house.sources),
    )


def _receivers(ask: Ask, delivery: dict[str, object], notes: dict[str, str]) -> list[ReceiverView]:
    page, iso = ask.page, ask.page.time.iso
    ready = delivery.get("ready")
    ready = ready if isinstance(ready, dict) else {}
    known = last_deliveries(page.folder / OUTBOX)
    notifiers = {channel: block.name for block in page.whole.notifiers for channel in block.channels}
    names = [*(block.name for block in page.whole.publishers), *notifiers]
    found = []
    for name in dict.fromkeys(names):
        own = known.get(name)
        found.append(
            ReceiverView(
                name=name,
                notifies=notifiers.get(name),
                ready=ready.get(name),
                waiting=own.waiting if own else 0,
                waits_since=iso(own.waits_since) if own and own.waits_since else None,
                last_delivered_at=iso(own.last_at) if own and own.last_at else None,
                note=notes.get(name, ""),
            )
        )
    return found


def _kept(ask: Ask) -> list[KeptView]:
    page, iso = ask.page, ask.page.time.iso

    def megabytes(*names: str) -> float:
        sizes = [(page.folder / name).stat().st_size for name in names if (page.folder / name).exists()]
        return round(sum(sizes) / 1e6, 1)

    events, since = _events(ask)
    found = [KeptView(kind="scores", count=events, megabytes=megabytes(SCORES, f"{SCORES}-wal"), since=since)]
    files = [one for each in page.files.by_event().values() for one in each]
    for kind, is_picture in (("clips", False), ("pictures", True)):
        own = [one for one in files if (one.path.suffix == ".png") == is_picture]
        oldest = min((one.started_at for one in own), default=None)
        size = round(sum(one.size_bytes for one in own) / 1e6, 1)
        found.append(
            KeptView(kind=kind, count=len(own), megabytes=size, since=iso(oldest) if oldest else None)
        )
    judged = sum(sum(words.values()) for words in page.verdicts.counts().values())
    found.append(KeptView(kind="verdicts", count=judged, megabytes=megabytes(VERDICTS), since=None))
    drills = read_drills(page.folder)
    first = iso(drills[0].began_at) if drills else None
    found.append(KeptView(kind="drills", count=len(drills), megabytes=megabytes(DRILLS), since=first))
    return found


def _events(ask: Ask) -> tuple[int, str | None]:
    if not ask.page.keeps_history():
        return 0, None
    with ask.page.rows() as rows:
        [(count, first_us)] = rows.execute("SELECT count(*), min(started_at) FROM event")
    return count, ask.page.time.iso(from_us(first_us)) if first_us is not None else None


def values(ask: Ask) -> Answer:
    """The values of the house."""
    now = ask.page.board.values()
    return ValueList(
        values=[
            ValueView(
                name=one.name,
                options=list(one.options),
                value=now.get(one.name),
                from_topic=one.topic is not None,
            )
            for one in ask.page.house.values
        ]
    )


def set_value(ask: Ask) -> Answer:
    """Set one, as Home Assistant would."""
    wanted: NewValue = ask.body
    name = ask.path["name"]
    value = next((one for one in ask.page.house.values if one.name == name), None)
    if value is None:
        raise Refusal(
            404, f"there is no value {name[:40]!r} of the house; `house:` in the configuration has them"
        )
    if value.topic is not None:
        raise Refusal(409, f"a device publishes {name} on {value.topic}; it cannot be set here")
    if wanted.value not in value.options:
        raise Refusal(422, f"value: {name} is one of {', '.join(value.options)}")
    ask.page.command(Command("house", name, wanted.value, by=f"page {ask.by}"))
    return None


ROUTES = (
    Route("GET", "api/upkeep", "Receivers, models and what is kept", upkeep, answer=UpkeepView),
    Route("GET", "api/values", "What rules know of the house", values, answer=ValueList),
    Route("PUT", "api/values/{name}", "Set a value of the house", set_value, "change", body=NewValue,
          status=204, fails=(404, 409)),
)  # fmt: skip

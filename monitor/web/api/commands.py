"""What can be asked of the daemon: the same commands as over MQTT."""

from typing import Annotated

from pydantic import Field

from monitor.types import Command
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.mutes import LONGEST_S


class Mute(Model):
    """Whether a source is muted. Smoke, CO and fire alarms are heard all the same."""

    muted: bool
    for_s: Annotated[float, Field(gt=0, le=LONGEST_S)] | None = None
    """Heard again after so long; by default when somebody says so."""


class Sensitivity(Model):
    """-1 (needs more to be sure) to 1 (hears more, and more that is wrong)."""

    sensitivity: Annotated[float, Field(ge=-1, le=1)]


def mute(ask: Ask) -> Answer:
    """Mute a source, or hear it again."""
    wanted: Mute = ask.body
    source = known_source(ask)
    ask.page.mutes.set(source, wanted.muted, wanted.for_s)
    ask.page.command(Command("mute", source, wanted.muted, by=f"page {ask.by}"))
    return None


def sensitivity(ask: Ask) -> Answer:
    """Set how much it takes to be sure."""
    wanted: Sensitivity = ask.body
    ask.page.command(Command("sensitivity", known_source(ask), wanted.sensitivity, by=f"page {ask.by}"))
    return None


def test(ask: Ask) -> Answer:
    """A test alert through rules, outbox, publishers and notifiers."""
    ask.page.command(Command("test", by=f"page {ask.by}"))
    return None


def known_source(ask: Ask) -> str:
    """The source that the path names. Raises Refusal."""
    name = ask.path["name"]
    if name not in (room.source for room in ask.page.house.sources):
        raise Refusal(404, f"there is no source {name[:60]!r}")
    return name


ROUTES = (
    Route("POST", "api/sources/{name}/mute", "Mute a source", mute, "change", body=Mute, status=204,
          fails=(404,)),
    Route("POST", "api/sources/{name}/sensitivity", "Set a source's sensitivity", sensitivity, "change",
          body=Sensitivity, status=204, fails=(404,)),
    Route("POST", "api/test", "Raise a test alert", test, "change", status=204),
)  # fmt: skip

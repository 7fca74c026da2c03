"""At most three questions a day: events whose verdict teaches most."""

from anyio import to_thread

from monitor.history import events as index
from monitor.history.events import EventFilter
from monitor.web.api.events import row_of, views
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model
from monitor.web.trying.reviewing import Reviewing
from monitor.web.views import EventView


class QuestionList(Model):
    """The most informative first. Answer with `PUT /api/events/{id}/verdict`, then say that it was asked."""

    events: list[EventView]
    left_today: int
    """So many more may be asked in these 24 hours, on the command line and here together."""


async def questions(ask: Ask) -> Answer:
    """Ask which sounds to judge; worked out in a process of its own."""
    page = ask.page
    if not page.keeps_history():
        return QuestionList(events=[], left_today=0)
    found = [line async for line in page.trying.run(Reviewing(page.whole, page.clock.now()))][-1]
    if "problems" in found:
        raise Refusal(409, "; ".join(found["problems"]))
    return await to_thread.run_sync(_shown, ask, found["ids"], found["left_today"])


def _shown(ask: Ask, ids: list[str], left_today: int) -> QuestionList:
    with ask.page.rows() as rows:
        found = {row.id: row for row in index.events(rows, EventFilter(ids=ids), limit=len(ids) or 1)}
        shown = views(ask, rows, [found[id] for id in ids if id in found])
    return QuestionList(events=shown, left_today=left_today)


def was_asked(ask: Ask) -> Answer:
    """Note that somebody was asked about an event, answered or not: it is not asked about again."""
    page = ask.page
    with page.rows() as rows:
        page.verdicts.ask(row_of(ask, rows).id, page.clock.now())
    return None


ROUTES = (
    Route("GET", "api/questions", "Which events are worth a verdict", questions, answer=QuestionList,
          waits=False, fails=(409,)),
    Route("POST", "api/questions/{id}", "Note that it was asked about", was_asked, "change", status=204,
          fails=(404,)),
)  # fmt: skip

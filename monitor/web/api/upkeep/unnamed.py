"""The question of the week: what keeps coming and has no name."""

from typing import Annotated, Literal

from pydantic import Field

from monitor.labels import sounds
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model


class QuestionView(Model):
    """Sounds that are alike and that no label claims."""

    id: str
    asked_at: str
    times: int
    days: int
    """On so many days."""
    hour: int
    """Of the day, at which it came most often; 0 to 23."""
    source: str
    last_at: str
    hearings: list[str]
    """Ids to teach it from: `POST /api/taught` with them names it."""


class UnnamedView(Model):
    """What is asked now."""

    question: QuestionView | None
    """None: nothing keeps coming, or it was asked within a week."""
    looked_at: str | None
    """When it was last looked for; every night."""


class NamingAnswer(Model):
    """What it is, where it gets no name of its own."""

    answer: Literal["ignored", "part_of"]
    label: Annotated[str, Field(max_length=40)] | None = None
    """With `part_of`: a sound that has a name. Of a taught one better `POST /api/taught` with `more`, which
    teaches it from these, too."""


def asked(ask: Ask) -> Answer:
    """The open question."""
    from monitor.teaching.taught.naming import read_naming

    iso, naming = ask.page.time.iso, read_naming(ask.page.folder)
    question = naming.question
    view = question and QuestionView(
        id=question.id,
        asked_at=iso(question.asked_at),
        times=question.times,
        days=question.days,
        hour=question.hour,
        source=question.source,
        last_at=iso(question.last_at),
        hearings=list(question.hearings),
    )
    return UnnamedView(question=view, looked_at=iso(naming.looked_at) if naming.looked_at else None)


def answered(ask: Ask) -> Answer:
    """Answer it without a name: it is not asked about again."""
    from monitor.teaching.taught.naming import answer

    wanted: NamingAnswer = ask.body
    if wanted.answer == "part_of" and wanted.label not in sounds():
        raise Refusal(422, "label: name the sound that it is part of; `api/sounds` lists them")
    label = wanted.label if wanted.answer == "part_of" else None
    if not answer(ask.page.folder, ask.path["id"], wanted.answer, label, ask.page.clock.now()):
        raise Refusal(404, "this is not asked (any more); `api/unnamed` has the open question")
    return None


ROUTES = (
    Route("GET", "api/unnamed", "What keeps coming and has no name", asked, answer=UnnamedView),
    Route("POST", "api/unnamed/{id}", "Answer that it needs no name", answered, "change", body=NamingAnswer,
          status=204, fails=(404,)),
)  # fmt: skip

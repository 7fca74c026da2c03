"""The question of the week: what keeps coming and has no name; and what people answered. A file of JSON."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import AwareDatetime, Field, ValidationError

from monitor.classifiers.taught.sound import Floats, Number, Space
from monitor.errors import StoreError
from monitor.logs import get_logger
from monitor.schema import Block
from monitor.store.files import write_private
from monitor.teaching.taught.unnamed import ALIKE, Unnamed
from monitor.types import new_id

log = get_logger()

FILE = "unnamed.json"
"""In the state folder."""
APART = timedelta(days=7)
"""No two questions come within a week; one that nobody answers makes way for the next."""
MOST_HEARINGS = 8
"""So many of a group are named, those nearest to its middle."""
MOST_ANSWERED = 200
MOST_BYTES = 4 * 2**20
"""Of the file: two hundred answers take 1.5 MB."""

NamingDecision = Literal["named", "ignored", "part_of"]
Middle = Annotated[tuple[Number, ...], Field(min_length=2, max_length=1024)]


class NamingQuestion(Block):
    """A group of sounds that are alike and that no label claims."""

    id: Annotated[str, Field(pattern=r"^[0-9a-f]{12}$")]
    asked_at: AwareDatetime
    times: Annotated[int, Field(ge=1)]
    days: Annotated[int, Field(ge=1)]
    hour: Annotated[int, Field(ge=0, le=23)]
    """Of the day, at which it came most often."""
    source: str
    """Where it was heard most often."""
    last_at: AwareDatetime
    hearings: Annotated[tuple[str, ...], Field(max_length=MOST_HEARINGS)]
    """Ids of some, to teach it from."""
    middle: Middle
    """The mean of their embeddings: whether the same comes again is seen by it."""


class Answered(Block):
    """What somebody said of a group: it is not asked about again."""

    at: AwareDatetime
    answer: NamingDecision
    label: str | None = None
    middle: Middle


class Naming(Block):
    """Everything that is remembered."""

    looked_at: AwareDatetime | None = None
    question: NamingQuestion | None = None
    """The one that is open."""
    answered: Annotated[tuple[Answered, ...], Field(max_length=MOST_ANSWERED)] = ()


@dataclass(frozen=True, slots=True)
class FoundGroup:
    """A group, and the mean of its embeddings as the model gives them, (n,)."""

    group: Unnamed
    middle: Floats


def asked(before: Naming, found: Sequence[FoundGroup], space: Space, now: datetime) -> Naming:
    """With the question that is due: of the groups, the largest first, the first that nobody has answered
    for. Pure."""
    looked = before.model_copy(update={"looked_at": now})
    if before.question is not None and _is_recent(before.question.asked_at, now):
        return looked
    known = [space.of(np.array(one.middle, np.float32)) for one in before.answered]
    last = before.question.asked_at if before.question else None
    last = max([one.at for one in before.answered] + ([last] if last else []), default=None)
    if last is not None and _is_recent(last, now):
        return looked
    for one in found:
        here = space.of(one.middle)
        if not any(len(each) == len(here) and float(each @ here) >= ALIKE for each in known):
            return looked.model_copy(update={"question": _question(one, now)})
    return looked.model_copy(update={"question": None})


def _is_recent(at: datetime, now: datetime) -> bool:
    """Within a week; a question from the time to come was asked while the clock was ahead, and holds back no
    other."""
    return now - APART < at <= now + APART


def _question(one: FoundGroup, now: datetime) -> NamingQuestion:
    group = one.group
    return NamingQuestion(
        id=new_id(),
        asked_at=now,
        times=len(group.sounds),
        days=group.days,
        hour=group.hour,
        source=group.source,
        last_at=max(each.at for each in group.sounds),
        hearings=tuple(each.segment_id for each in group.sounds[:MOST_HEARINGS]),
        middle=tuple(float(f"{value:.4g}") for value in one.middle),
    )


def read_naming(folder: Path) -> Naming:
    """What is remembered. A file that cannot be understood is as good as none: a question may come twice."""
    file = folder / FILE
    try:
        with file.open("rb") as opened:
            return Naming.model_validate(json.loads(opened.read(MOST_BYTES)))
    except FileNotFoundError:
        return Naming()
    except (OSError, ValueError, RecursionError, ValidationError) as error:
        log.warning("the earlier questions about sounds without a name are lost", why=str(error)[:200])
        return Naming()


def keep_naming(folder: Path, naming: Naming) -> None:
    """Whole or not at all. Raises StoreError."""
    write_private(folder / FILE, naming.model_dump_json().encode())


def answer(folder: Path, id: str, said: NamingDecision, label: str | None, now: datetime) -> bool:
    """Keep what somebody said of the open question; false where it is not (any more) that one. Raises
    StoreError."""
    before = read_naming(folder)
    question = before.question
    if question is None or question.id != id:
        return False
    one = Answered(at=now, answer=said, label=label, middle=question.middle)
    kept = (*before.answered, one)[-MOST_ANSWERED:]
    keep_naming(folder, before.model_copy(update={"question": None, "answered": kept}))
    return True


def was_taught(folder: Path, segment_ids: Sequence[str], label: str, now: datetime) -> None:
    """A sound was taught: if from the open question's, that is answered. Never raises."""
    question = read_naming(folder).question
    if question is not None and set(question.hearings) & set(segment_ids):
        try:
            answer(folder, question.id, "named", label, now)
        except StoreError as error:
            log.warning("the answer is not being kept; the question may come again", why=str(error))

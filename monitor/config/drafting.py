"""What can be understood of a document with mistakes in it, so that one run of `check` lists them all.

What is wrong is taken out, a key that is nearly ours gets its right name, and the rest is checked again: a
whole block is checked only when each of its keys is right.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monitor.config.model import SWITCHED, Config
from monitor.config.problems import meant_key, problem_line
from monitor.config.yaml_document import Document, KeyPath

MOST_ROUNDS = 6
"""A mistake that only shows when another is mended can hide a third; more than a few have not been seen."""
_NOBODY = {"type": "demo", "name": "nobody"}
"""Stands in for sources all of which have a mistake."""


@dataclass(frozen=True)
class Draft:
    """A configuration of what has no mistake in a document."""

    config: Config
    kept: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """Of a list from which some were left out: where those in `config` stand in the document."""
    wrong: frozenset[KeyPath] = frozenset()
    """Where the mistakes stand in the document."""
    short: frozenset[str] = frozenset()
    """Lists from which some were left out for a mistake."""

    def is_spoiled(self, place: KeyPath) -> bool:
        """Whether there is a mistake at or below that place of the document."""
        return any(found[: len(place)] == place for found in self.wrong)

    def knows_nobody(self, document: Document, part: str, missed: str) -> bool:
        """Whether nobody in a list has that name for certain: all names are known, those of blocks with a
        mistake too."""
        names = dict(self.names(part, document))
        all_known = (part,) not in self.wrong and len(names) == len(document.items(part))
        return all_known and missed not in names.values()

    def is_short(self, part: str) -> bool:
        """Whether a list lacks blocks that have a mistake."""
        return (part,) in self.wrong or part in self.short

    def original(self, place: KeyPath) -> KeyPath:
        """The place in the document of a place in `config`."""
        return _original(place, self.kept)

    def names(self, part: str, document: Document) -> Iterator[tuple[int, str]]:
        """Index in the document and name of every block of a list, of those with a mistake too."""
        blocks = getattr(self.config, part)
        known = dict(zip(self.kept.get(part, range(len(blocks))), blocks, strict=False))
        for i, item in enumerate(document.items(part)):
            name = known[i].name if i in known else item.get("name") if isinstance(item, dict) else None
            if isinstance(name, str):
                yield i, name


def drafted(document: Document) -> tuple[Draft | None, list[str]]:
    """A draft, None where nothing can be understood, and a line for each mistake."""
    mended = _Mended(document)
    for _ in range(MOST_ROUNDS):
        values, kept = mended.values()
        try:
            config = Config.model_validate(values)
            whole = Draft(config, kept, frozenset(mended.wrong), frozenset(kept))
            return _switched(whole), mended.problems
        except ValidationError as error:
            if not mended.take(error, kept):
                break
    return None, mended.problems


def _switched(draft: Draft) -> Draft:
    """Without the blocks that are switched off."""
    kept = dict(draft.kept)
    for part in SWITCHED:
        blocks = getattr(draft.config, part)
        places = kept.get(part, range(len(blocks)))
        if not all(block.enabled for block in blocks):
            kept[part] = [place for place, block in zip(places, blocks, strict=True) if block.enabled]
    return replace(draft, config=draft.config.switched(), kept=kept)


class _Mended:
    """A document without what was found wrong so far. Places are those of the document."""

    def __init__(self, document: Document) -> None:
        self.problems: list[str] = []
        self.wrong: set[KeyPath] = set()
        self._document = document
        self._gone: set[KeyPath] = set()
        self._renamed: dict[KeyPath, str] = {}
        self._dropped: set[KeyPath] = set()
        """Items of a list, and whole parts."""

    def values(self) -> tuple[dict[str, Any], dict[str, list[int]]]:
        """What is left, and of each list from which items are gone, where the others stand."""
        values = deepcopy(dict(self._document.values))
        for place, name in self._renamed.items():
            block = _at(values, place[:-1])
            block[name] = block.pop(place[-1])
        for place in sorted(self._gone, key=_last_first, reverse=True):
            del _at(values, place[:-1])[place[-1]]
        kept: dict[str, list[int]] = {}
        for part in {str(place[0]) for place in self._dropped if len(place) > 1}:
            kept[part] = [i for i in range(len(values[part])) if (part, i) not in self._dropped]
            values[part] = [values[part][i] for i in kept[part]]
        for place in self._dropped:
            if len(place) == 1:
                values.pop(str(place[0]), None)
        if self.wrong and not values.get("sources"):
            values["sources"] = [_NOBODY]
            kept["sources"] = []
        return values, kept

    def take(self, error: ValidationError, kept: Mapping[str, Sequence[int]]) -> bool:
        """Take in what was found wrong with what is left: whether there is anything to mend."""
        before = self._state()
        for found in error.errors(include_url=False, include_input=False):
            whole = _original(found["loc"], kept)
            place = self._document.nearest(whole)
            follows = self._follows(found, whole, place)
            if not follows and (line := problem_line(found, self._document, whole)):
                self.problems.append(line)
            self.wrong.add(place)
            self._mend(found, whole, place)
        return self._state() != before

    def _follows(self, found: ErrorDetails, whole: KeyPath, place: KeyPath) -> bool:
        """Whether it is wrong only because something there was taken out."""
        for gone in self._gone:
            names = [part for part in gone[len(place) :] if isinstance(part, str)]
            about = not names or whole[-1] in names or any(name in found["msg"] for name in names)
            if gone[: len(place)] == place and about:
                return True
        return False

    def _state(self) -> tuple[int, int, int]:
        return len(self._gone), len(self._renamed), len(self._dropped)

    def _mend(self, found: ErrorDetails, whole: KeyPath, place: KeyPath) -> None:
        if found["type"] == "extra_forbidden" and len(place) > 1 and place[-1] == whole[-1]:
            name = meant_key(str(place[-1]), place)
            block = self._document.value(place[:-1])
            if name and name not in block and place not in self._renamed:
                self._renamed[place] = name
                return
        if place in self._gone:  # it was wrong, and the block cannot be without it
            place = place[:-1]
        if len(place) < 2 or (len(place) == 2 and isinstance(place[1], int)):
            self._dropped.add(place or (str(whole[0]) if whole else "",))
        elif place in self._renamed:
            self._dropped.add(place[:2] if isinstance(place[1], int) else place[:1])
        elif not any(place[: len(gone)] == gone for gone in self._gone):
            self._gone = {gone for gone in self._gone if gone[: len(place)] != place} | {place}


def _at(values: Any, place: KeyPath) -> Any:
    for part in place:
        values = values[part]
    return values


def _last_first(place: KeyPath) -> tuple[Any, ...]:
    """Of the items of one list the last goes first: the others keep their numbers."""
    return tuple((isinstance(part, int), part) for part in place)


def _original(place: KeyPath, kept: Mapping[str, Sequence[int]]) -> KeyPath:
    if len(place) > 1 and isinstance(place[1], int) and place[0] in kept and kept[str(place[0])]:
        return (place[0], kept[str(place[0])][place[1]], *place[2:])
    return place

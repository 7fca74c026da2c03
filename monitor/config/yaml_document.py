"""A YAML document that remembers its lines, with `${NAME}` filled in from the environment.

Read with the safe loader, under limits, and stricter than YAML: no anchors (a few bytes of them can stand for
gigabytes), no key twice, no tags.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import yaml

from monitor.config.credentials import FOLDER, Credentials
from monitor.config.mistakes.yaml_advice import advise
from monitor.errors import ConfigError

MAX_BYTES = 1_000_000
MAX_DEPTH = 30
_PLACEHOLDER = re.compile(r"\$\$|\$\{([^}]*)\}")
_OF_TEXTS = bytes(each for each in range(256) if each >= 32 or each in b"\t\n\r\f\v\x1b")
"""Bytes that texts have, in one encoding or another."""
QUOTE = 'put the text in quotes if it is one: "..."'

KeyPath = tuple[str | int, ...]
"""The way from the top of the document to a value: keys and list indices."""


@dataclass(frozen=True)
class Document:
    """The values of a YAML file and where each stands."""

    name: str
    values: Mapping[str, Any]
    lines: Mapping[KeyPath, int] = field(default_factory=dict)
    """1-based line of every key and list item."""
    problems: tuple[str, ...] = ()
    """What is wrong with single values, each with its line: a variable that is not set, a key that stands
    twice."""
    unread: frozenset[KeyPath] = frozenset()
    """Where those values stand; what is found there instead means nothing."""
    unset: Mapping[KeyPath, str] = field(default_factory=dict)
    """Of these, where a variable is not set, and the problem."""
    filled: frozenset[KeyPath] = frozenset()
    """Where something was filled in for a `${NAME}`."""

    def without(self, unneeded: Callable[[str], bool]) -> Self:
        """The same, where variables that are not set are no problem in the parts that are not needed."""
        forgiven = {problem for place, problem in self.unset.items() if unneeded(str(place[0]))}
        return replace(self, problems=tuple(one for one in self.problems if one not in forgiven))

    def is_unread(self, place: KeyPath) -> bool:
        """Whether something at or below a place could not be read."""
        return any(found[: len(place)] == place for found in self.unread)

    def items(self, key: str) -> list[Any]:
        """The list under a key at the top; empty where there is none."""
        found = self.values.get(key)
        return found if isinstance(found, list) else []

    def value(self, place: Sequence[str | int]) -> Any:
        """What stands nearest to `place`."""
        found: Any = self.values
        for part in self.nearest(place):
            found = found[part]
        return found

    def nearest(self, place: Sequence[str | int]) -> KeyPath:
        """The deepest part of `place` that exists. Parts that are no key of the document are passed over:
        validators put the names of variants there."""
        found: KeyPath = ()
        for part in place:
            if (*found, part) in self.lines:
                found = (*found, part)
        return found

    def where(self, place: Sequence[str | int]) -> str:
        """`file:line` of what is nearest to `place`."""
        return f"{self.name}:{self.lines.get(self.nearest(place), 1)}"

    def about(self, place: Sequence[str | int], text: str) -> str:
        """A line about a place: `file:line: sources[0].url: text`."""
        return f"{self.where(place)}: {self.dotted(place)}: {text}"

    def dotted(self, place: Sequence[str | int]) -> str:
        """`place` as people write it, `sources[0].url`, also where its last part is a key that is missing."""
        found = self.nearest(place)
        last = place[-1] if place else ""
        # pydantic says [key] for a key itself, which stands before it already.
        if last != "[key]" and last not in found[-1:]:
            found = (*found, last)
        text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in found)
        return text.lstrip(".") or "document"


def read_document(path: Path, environment: Mapping[str, str] | None = None) -> Document:
    """Read a file. Raises ConfigError when it cannot be read as a whole; see `Document.problems`."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)  # a device has no end
    except OSError as error:
        start = "; copy config/minimal.yaml there" if isinstance(error, FileNotFoundError) else ""
        raise ConfigError([f"{path}: cannot be read ({error.strerror}){start}"]) from None
    return parse_document(data, str(path), environment, path.parent / FOLDER)


def parse_document(
    data: bytes, name: str, environment: Mapping[str, str] | None = None, credentials: Path | None = None
) -> Document:
    """Like `read_document`, from bytes. `environment` None means the process's; `credentials` is a folder of
    secrets. ConfigError with the line of each mistake."""
    if len(data) > MAX_BYTES:
        raise ConfigError([f"{name}: too long; a configuration may have at most {MAX_BYTES} bytes"])
    node = _compose(_text(data, name), name)
    if node is None:
        return Document(name, {})
    reader = _NodeReader(name, Credentials(os.environ if environment is None else environment, credentials))
    values = reader.read(node, ())
    if values is None:
        return Document(name, {})
    if not isinstance(values, dict):
        kind = "a list: begin with `sources:`, and indent it" if isinstance(values, list) else "one word"
        raise ConfigError([*reader.problems, f"{name}:1: expected `key: value` lines, found {kind}"])
    unread, filled = frozenset(reader.unread), frozenset(reader.filled)
    return Document(name, values, reader.lines, tuple(reader.problems), unread, reader.unset, filled)


def _text(data: bytes, name: str) -> str:
    """UTF-8, or UTF-16 as an editor of Windows writes it."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        # Two bytes in a hundred thousand begin like this by chance.
        with suppress(UnicodeDecodeError):
            return data.decode("utf-16")
    if _is_half_zeros(data):
        raise ConfigError([f"{name}: is UTF-16 without a byte order mark; save the file as UTF-8"])
    if len(data.translate(None, _OF_TEXTS)) > len(data) / 100:
        raise ConfigError([f"{name}: is not text; is it the right file?"])
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise ConfigError([f"{name}:{line}: a letter here is not UTF-8; save the file as UTF-8"]) from None


def _is_half_zeros(data: bytes) -> bool:
    """Whether every second byte is zero, mostly, and hardly any of the others."""
    halves = sorted((data[0::2].count(0), data[1::2].count(0)))
    return halves[1] > len(data) * 0.4 and halves[0] < len(data) * 0.05


def _compose(text: str, name: str) -> yaml.Node | None:
    try:
        events = yaml.parse(text, Loader=yaml.SafeLoader)
        _check_shape(events, name)
        return yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line, text = advise(error, text.splitlines())
        raise ConfigError([f"{name}:{line}: {text}"]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError([f"{name}: {' '.join(str(error).split())}"]) from None


def _check_shape(events: Iterator[yaml.Event], name: str) -> None:
    depth = 0
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise ConfigError([f"{name}:{line}: nested more than {MAX_DEPTH} deep"])
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise ConfigError([f"{name}:{line}: anchors and aliases (& and *) are not used here; {QUOTE}"])
        if getattr(event, "tag", None):
            raise ConfigError([f"{name}:{line}: tags (!) are not used here; {QUOTE}"])


class _NodeReader:
    """Turns nodes into values, keeping lines and collecting problems."""

    def __init__(self, name: str, credentials: Credentials) -> None:
        self.problems: list[str] = []
        self.lines: dict[KeyPath, int] = {}
        self.unread: set[KeyPath] = set()
        self.unset: dict[KeyPath, str] = {}
        self.filled: set[KeyPath] = set()
        self._name = name
        self._credentials = credentials
        self._scalars = yaml.SafeLoader("")

    def read(self, node: yaml.Node, place: KeyPath) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return [self._item(item, (*place, i)) for i, item in enumerate(node.value)]
        return self._scalar(node, place)

    def _item(self, node: yaml.Node, place: KeyPath) -> Any:
        self.lines[place] = node.start_mark.line + 1
        return self.read(node, place)

    def _mapping(self, node: yaml.MappingNode, place: KeyPath) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, yaml.ScalarNode) else ""
            self.lines[(*place, key)] = key_node.start_mark.line + 1
            if not key or not _is_text(key):
                self._problem(key_node, "a key must be a word")
            elif key in values:
                self._problem(key_node, f"{key!r} stands here twice")
            else:
                values[key] = self.read(value_node, (*place, key))
        return values

    def _scalar(self, node: yaml.Node, place: KeyPath) -> Any:
        if node.tag == "tag:yaml.org,2002:str":
            return self._filled(node, place)
        try:
            return self._scalars.construct_object(node)
        except (yaml.YAMLError, ValueError):
            self._problem(node, f"cannot read {str(node.value)[:40]!r} as a value")
            self.unread.add(place)
            return None

    def _filled(self, node: yaml.Node, place: KeyPath) -> str:
        """The text with `${NAME}` replaced (percent-encoded inside a URL) and `$$` as a plain `$`."""
        text = str(node.value)

        def fill(match: re.Match[str]) -> str:
            if match.group() == "$$":
                return "$"
            try:
                value = self._credentials.value(match.group(1))
            except LookupError as error:
                self._problem(node, f"{match.group()} {error}")
                self.unread.add(place)
                self.unset[place] = self.problems[-1]
                return match.group()
            self.filled.add(place)
            # A raw @ or / in a password would end the user part of a URL: the rest would go to a wrong host.
            return quote(value, safe="") if "://" in text[: match.start()] else value

        filled = _PLACEHOLDER.sub(fill, text)
        if not _is_text(filled):
            self._problem(
                node, "there is half a character in this text; write it out instead of \\ud800 and the like"
            )
            self.unread.add(place)
        return filled

    def _problem(self, node: yaml.Node, text: str) -> None:
        self.problems.append(f"{self._name}:{node.start_mark.line + 1}: {text}")


def _is_text(text: str) -> bool:
    """Whether UTF-8 can encode it. Otherwise the first alert with this text could not be sent or stored."""
    return not any("\ud800" <= letter <= "\udfff" for letter in text)

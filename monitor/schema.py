"""Building blocks of what people write in YAML: strict blocks, values that carry their unit, and paths: what
lies there, before anything waits for it. A pipe or a device has no end."""

import ast
import errno
import inspect
import os
import re
import stat
import sys
import unicodedata
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SecretStr,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from monitor.clock import span_of_day, time_of_day, written
from monitor.labels import check_sound

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
"""Plug-ins of other programs would see every password; to look for some takes 20 ms of each start."""
LABEL_LEVEL = "{label}"
"""Stands in another device's topic for the level that names the sound."""


class Described(BaseModel):
    """A model whose JSON schema carries what stands below each field."""

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """Read when somebody asks for the schema: pydantic's own `use_attribute_docstrings` reads and parses
        every source at each start, a tenth of what that takes."""
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for name, text in attribute_docs(cls).items():
            if field := cls.model_fields.get(name):
                properties.get(field.alias or name, {}).setdefault("description", text)
        return schema


class Block(Described):
    """A mapping of the configuration: frozen, and an unknown key is an error."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        validate_default=True,
        defer_build=True,  # a block's validator is built with that of the configuration, not for itself
        hide_input_in_errors=True,  # an error that is printed must not carry a password
    )


class Switched(Block):
    """A block that can be switched off and kept in the file."""

    enabled: bool = True
    """false: this entry is checked, but not used."""


def attribute_docs(of: type) -> dict[str, str]:
    """The docstring below each field of a class, and of those it builds on, by the field's name."""
    found: dict[str, str] = {}
    for one in reversed([each for each in of.__mro__ if each not in (object, BaseModel)]):
        found |= _docs_of_module(one.__module__).get(one.__qualname__, {})
    return found


@cache
def _docs_of_module(name: str) -> dict[str, dict[str, str]]:
    """The docstrings of each class of a module by its name: `inspect.getsource` would parse the module anew
    for every class."""
    found: dict[str, dict[str, str]] = {}
    _collect_docs(ast.parse(inspect.getsource(sys.modules[name])), "", found)
    return found


def _collect_docs(tree: ast.AST, within: str, found: dict[str, dict[str, str]]) -> None:
    for node in ast.iter_child_nodes(tree):
        match node:
            case ast.ClassDef(name=name):
                found[within + name] = _docs(node)
                _collect_docs(node, f"{within}{name}.", found)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                _collect_docs(node, f"{within}{name}.<locals>.", found)


def _docs(tree: ast.ClassDef) -> dict[str, str]:
    found: dict[str, str] = {}
    for field, text in pairwise(tree.body):
        match field, text:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(words))):
                found[name] = inspect.cleandoc(words)
    return found


LONGEST_SLUG = 48
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "å": "aa"})


def slug(text: str) -> str:
    """`text` as a slug: lower case, digits, `_` and `-`; safe in a topic, a file name and an entity id."""
    plain = unicodedata.normalize("NFKD", text.lower().translate(_UMLAUTS))
    plain = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9_-]+", "_", plain).strip("_-")[:LONGEST_SLUG] or "home"


def _check_slug(text: str) -> str:
    if text != slug(text):
        rest = f", at most {LONGEST_SLUG} of them" if len(text) > LONGEST_SLUG else ""
        raise ValueError(f"use lower-case letters, digits, _ and - only{rest}, for example {slug(text)!r}")
    return text


def _without(kind: type, name: str) -> Callable[[Any], Any]:
    def refuse(value: Any) -> Any:
        if isinstance(value, kind):
            raise ValueError(f"expected {name}, found {value!r}")
        return value

    return refuse


SoundLabel = Annotated[str, AfterValidator(check_sound)]
"""A label of `labels.csv` that is a sound, or one that this house has taught."""
PlainWord = str | bool | float
"""What may be written for one word."""


def plain_number(text: str) -> float:
    """A number as people and devices write it. ValueError for everything else, also for what Python would
    take: `1_000`, and digits of other scripts."""
    if "_" in text or not text.isascii():
        raise ValueError(f"{text!r} is no number")
    return float(text)


def plain_text(value: Any) -> Any:
    """A value of YAML or JSON as one word: true and ON are `on`. What is no single value stays as it is."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, int | float):
        return f"{value:g}"
    if isinstance(value, str):
        word = value.strip().lower()
        return {"true": "on", "false": "off"}.get(word, word)
    return value


def _one_line(value: Any) -> Any:
    """As a title and a header take it: YAML's `>` and `|` leave an end of line behind."""
    if not isinstance(value, str):
        return value
    line = " ".join(value.split())
    if any(unicodedata.category(letter) == "Cc" for letter in line):
        raise ValueError("has a control character in it; write letters, digits and signs")
    return line


OneLine = Annotated[str, BeforeValidator(_one_line, json_schema_input_type=str)]
"""What people call something: its lines are joined to one."""
_NO_BOOL = BeforeValidator(_without(bool, "a number"))

ESCALATION_CHANNEL = "escalation"
"""The outbox channel where an open alert waits until a person acknowledges it or every notifier was asked; no
publisher or notifier may have this name."""

RESERVED_SOURCES = ("test", "ack", "house", "verdict", "alert", "status", "health", "trouble")
"""No source has one of these names: a topic of the node's own would be the source's."""

TimeOfDay = Annotated[str, AfterValidator(lambda text: written(time_of_day(text)))]
"""`22:00`; the hour alone will do."""
SpanOfDay = Annotated[str, AfterValidator(lambda text: "-".join(map(written, span_of_day(text))))]
"""`22:00-07:00`; the hours alone will do."""
Slug = Annotated[str, AfterValidator(_check_slug), Field(min_length=1, max_length=48)]
"""A name that is used in topics, file names and entity ids."""
Seconds = Annotated[float, Field(ge=0), _NO_BOOL]
"""A length of time in seconds."""
Decibels = Annotated[float, Field(ge=0, le=120), _NO_BOOL]
"""A level difference in dB."""
Dbfs = Annotated[float, Field(ge=-120, le=0), _NO_BOOL]
"""A level in dB relative to full scale."""
Score = Annotated[float, Field(ge=0, le=1), _NO_BOOL]
"""A probability."""
Port = Annotated[int, Field(ge=1, le=65535), _NO_BOOL]
Secret = SecretStr
"""A secret: `${NAME}` in the file, never printed."""

_KINDS: tuple[tuple[Callable[[int], bool], str], ...] = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a disk"),
    (stat.S_ISSOCK, "a socket"),
)


def names_a_host(address: str) -> bool:
    """Whether a web address can be asked at all: with a host, and a port that there is."""
    try:
        parts = urlsplit(address)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port above 65535, a bracket without its end
        return False


def _check_host(address: str) -> str:
    if not names_a_host(address):
        raise ValueError("names no host that can be asked; write an address such as http://10.0.0.5:8000/v1")
    return address


WebAddress = Annotated[str, Field(pattern=r"^https?://"), AfterValidator(_check_host)]
"""An address, http or https."""


def kind_of(path: Path) -> str:
    """What is at `path` instead of a file; empty for a file, and where nothing is. Follows links."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        return ""
    return next((name for is_kind, name in _KINDS if is_kind(mode)), "")


def lost_link(path: Path) -> str:
    """What is wrong with a link that leads nowhere; empty where a link leads somewhere, or there is none."""
    try:
        os.stat(path)
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "is one of a circle of links"
        return "is a link that leads nowhere" if path.is_symlink() else ""
    return ""


def unreadable(path: Path) -> str:
    """Why a file cannot be read; empty when it can. It is not opened: a pipe would wait for its writer."""
    if found := kind_of(path):
        return f"{path} is {found} and no file"
    if not path.exists():
        return f"{path} {lost_link(path) or 'is not there'}"
    return "" if os.access(path, os.R_OK) else f"{path} cannot be read (permission denied)"


def read_file(path: Path, most_bytes: int = -1) -> bytes:
    """The content of a file, at most `most_bytes` of it. Raises OSError, at once for what is no file: opened
    as usual, a pipe would be waited for without end."""
    if found := kind_of(path):
        raise OSError(errno.EINVAL, f"is {found} and no file", str(path))
    with path.open("rb") as file:
        return file.read(most_bytes)


def read_text(path: Path) -> str:
    """The same as text. Raises UnicodeDecodeError, too."""
    return read_file(path).decode("utf-8")

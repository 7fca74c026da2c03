"""From a YAML file to a Config: read, checked as a whole, every problem told at once with file and line."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from monitor.capabilities import rule_findings
from monitor.config import Config
from monitor.document import Document, Place, parse_document, read_document
from monitor.errors import ConfigError
from monitor.labels import did_you_mean

SEARCHED = (
    Path("earwitness.yaml"),
    Path("~/.config/earwitness/earwitness.yaml"),
    Path("/etc/earwitness/earwitness.yaml"),
)
"""Where `earwitness run` looks when it is not told; the first one there is taken."""


def find_config() -> Path | None:
    """The first of `SEARCHED` that exists."""
    return next((path for place in SEARCHED if (path := place.expanduser()).is_file()), None)


def load_config(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read and check a file. Raises ConfigError with every problem found."""
    return check_document(read_document(path, environment))


def default_config(
    sources: list[dict[str, Any]], mqtt_port: int = 1883, mqtt_protocol: str = "auto"
) -> Config:
    """The configuration of a first run: the built-in rules, the embedded classifier, a broker on loopback."""
    text = files("monitor").joinpath("default.yaml").read_bytes()
    document = parse_document(
        text, "built-in defaults", {"MQTT_PORT": str(mqtt_port), "MQTT_PROTOCOL": mqtt_protocol}
    )
    return check_document(Document(document.name, {**document.values, "sources": sources}, document.lines))


def check_document(document: Document) -> Config:
    """A document as a configuration. Raises ConfigError with every problem found."""
    try:
        config = Config.model_validate(document.values)
    except ValidationError as error:
        raise ConfigError(_problems(error, document)) from None
    problems = list(_cross_checks(config, document)) or list(_rule_problems(config, document))
    if problems:
        raise ConfigError(problems)
    return config


def _problems(error: ValidationError, document: Document, place: Place = ()) -> list[str]:
    """One line per problem: `file:line: place: what is wrong`. Values are left out: they may be secrets."""
    seen: dict[str, None] = {}
    for found in error.errors(include_url=False, include_input=False):
        whole = (*place, *found["loc"])
        seen[f"{document.where(whole)}: {_dotted(whole, document)}: {_plain(found)}"] = None
    return list(seen)


def _plain(found: ErrorDetails) -> str:
    """A problem in the words of who wrote the file."""
    key = str(found["loc"][-1]) if found["loc"] else ""
    match found["type"]:
        case "extra_forbidden":
            return f"unknown key {key!r}{did_you_mean(key, _known_keys())}"
        case "missing":
            return "is required"
        case "union_tag_not_found":
            return "needs a `type`"
        case "union_tag_invalid":
            tag, known = str(found["ctx"]["tag"]), str(found["ctx"]["expected_tags"])
            hint = did_you_mean(tag, re.findall(r"'(\w+)'", known))
            return f"unknown type {tag!r}{hint} (there are {known})"
        case _:
            return found["msg"].removeprefix("Value error, ").replace("Input should be", "should be")


def _dotted(place: Place, document: Document) -> str:
    """`sources[0].url`, without the names of variants that validators put in between."""
    text = ""
    found: Place = ()
    for part in place:
        last = part == place[-1]
        if (*found, part) in document.lines or last:
            found = (*found, part)
            text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or "document"


@cache
def _known_keys() -> frozenset[str]:
    definitions = Config.model_json_schema()
    blocks = [definitions, *definitions.get("$defs", {}).values()]
    return frozenset(key for block in blocks for key in block.get("properties", {}))


def _cross_checks(config: Config, document: Document) -> Iterator[str]:
    """What only the whole can tell."""
    yield from _duplicates("sources", [s.name for s in config.sources], document)
    yield from _duplicates("classifiers", [c.name for c in config.classifiers], document)
    yield from _duplicates("publishers", [p.name for p in config.publishers], document)
    yield from _duplicates("notifiers", [n.name for n in config.notifiers], document)
    if not any(source.enabled for source in config.sources):
        yield f"{document.where(('sources',))}: sources: none is enabled; there would be nothing to listen to"
    for i, source in enumerate(config.sources):
        yield from _tried(partial(config.gate_of, source), document, ("sources", i, "gate"))
        yield from _tried(partial(config.labels_of, source), document, ("sources", i, "labels"))


def _duplicates(part: str, names: Iterable[str], document: Document) -> Iterator[str]:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield f"{document.where((part, i, 'name'))}: {part}[{i}].name: {name!r} is taken; names differ"
        seen.add(name)


def _tried(build: Callable[[], object], document: Document, place: Place) -> list[str]:
    try:
        build()
    except ValidationError as error:
        return _problems(error, document, place)
    return []


def _rule_problems(config: Config, document: Document) -> Iterator[str]:
    """Rules that can never come true; looked at when sources and thresholds are right."""
    for finding in rule_findings(config):
        if finding.fatal:
            yield f"{document.where(finding.place)}: {finding.text}"

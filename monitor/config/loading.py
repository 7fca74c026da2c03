"""From a YAML file to a Config: read, checked as a whole, all problems reported with file and line."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from monitor.config.capabilities import rule_findings, unknown_models
from monitor.config.drafting import Draft, drafted
from monitor.config.entrances import node_lines, source_lines
from monitor.config.model import Config, usual_state_folder
from monitor.config.overrides import with_overrides
from monitor.config.problems import ports_in_hosts, problem_lines
from monitor.config.receivers import receiver_lines
from monitor.config.taught import TaughtHere, read_taught
from monitor.config.yaml_document import Document, KeyPath, parse_document, read_document
from monitor.errors import ConfigError
from monitor.events.settings import LABELS
from monitor.labels import name_taught
from monitor.language.words import name_rooms, speak
from monitor.schema import ESCALATION_CHANNEL, RESERVED_SOURCES

SEARCHED = (
    Path("earwitness.yaml"),
    Path("~/.config/earwitness/earwitness.yaml"),
    Path("/etc/earwitness/earwitness.yaml"),
)
"""Where `earwitness run` looks without `--config`; the first existing file is used."""
OWN = SEARCHED[1]
"""The one that the page's set-up writes where there is none."""
BUILT_IN = Path(__file__).parents[1] / "default.yaml"
"""The defaults of a first run."""


def find_config() -> Path | None:
    """The first of `SEARCHED` that exists."""
    for place in SEARCHED:
        with suppress(RuntimeError):  # this user has no home
            if (path := place.expanduser()).is_file():
                return path
    return None


def load_config(
    path: Path, environment: Mapping[str, str] | None = None, *, uses: Collection[str] | None = None
) -> Config:
    """Read and check a file, and lay over it what was changed without it. Raises ConfigError with every
    problem found.

    Outside the parts that whoever asks `uses` (None: all of them) variables need not be set: a person who
    looks back has not the password of the broker.
    """
    return with_overrides(as_configured(path, environment, uses=uses))


def as_configured(
    path: Path, environment: Mapping[str, str] | None = None, *, uses: Collection[str] | None = None
) -> Config:
    """The same as the file has it, without what was changed elsewhere."""
    document = read_document(path, environment)
    needed = document if uses is None else document.without(lambda part: part not in {*uses, "language"})
    config = check_document(needed).of_file(path)
    speak(config.language)
    name_rooms({source.name: source.title for source in config.sources if source.title})
    return config


def default_config(
    sources: list[dict[str, Any]], mqtt_port: int = 1883, mqtt_protocol: str = "auto"
) -> Config:
    """The configuration of a first run: the built-in rules, the embedded classifier, a broker on loopback.

    The demo scene is not announced to Home Assistant: its smoke alarm must not ring in a house.
    """
    text = BUILT_IN.read_bytes()
    real = all(source.get("type") != "demo" for source in sources)
    filled_in = {
        "MQTT_PORT": str(mqtt_port),
        "MQTT_PROTOCOL": mqtt_protocol,
        "HOMEASSISTANT": str(real).lower(),
    }
    document = parse_document(text, "built-in defaults", filled_in)
    return check_document(replace(document, values={**document.values, "sources": sources}))


def check_document(document: Document) -> Config:
    """A document as a configuration. Raises ConfigError with every problem found."""
    draft, problems = examined(document)
    if problems:
        raise ConfigError(problems)
    assert draft is not None
    return draft.config


def examined(document: Document) -> tuple[Draft | None, list[str]]:
    """What can be understood of a document, and every problem, by line. What is wrong is left out and the
    rest is checked further."""
    problems = list(document.problems)
    taught = _taught_here(document)
    name_taught(taught.labels)
    draft, found = drafted(document)
    problems += found
    if draft is not None:
        draft = replace(draft, config=draft.config.with_taught(taught))
        problems += _cross_checks(draft, document)
        problems += rule_lines(draft, document, fatal=True)
    return draft, sorted(dict.fromkeys(problems), key=partial(_line, document))


def _taught_here(document: Document) -> TaughtHere:
    """What the house has taught: known before the document is checked, for its rules may name it."""
    stated = document.values.get("state_dir")
    try:
        folder = Path(stated).expanduser() if isinstance(stated, str) else usual_state_folder()
    except (RuntimeError, ConfigError):  # nobody's home; the check says so
        return TaughtHere()
    return read_taught(folder)


def retaught(config: Config) -> Config:
    """The same with what its house has taught by now: where there is no file, none is read anew."""
    taught = read_taught(config.state_folder())
    name_taught(taught.labels)
    return config.with_taught(taught)


def _line(document: Document, problem: str) -> int:
    """The line that a problem names; those of the whole file first."""
    found = re.match(r":(\d+)", problem.removeprefix(document.name))
    return int(found[1]) if found else 0


def _unreachable_values(config: Config, document: Document) -> Iterator[str]:
    """Values of the house that nobody could set: without a broker there is the page alone."""
    for name, value in config.house.items():
        if value.type == "topic":
            yield document.about(
                ("house", name), "its values come over MQTT; add a publisher of `type: mqtt`"
            )
        elif not config.web.enabled:
            fix = "it is set over MQTT or on the page; add a publisher of `type: mqtt`, or enable `web`"
            yield document.about(("house", name), fix)


def _cross_checks(draft: Draft, document: Document) -> Iterator[str]:
    """Problems between blocks."""
    config = draft.config
    yield from _duplicates(("sources",), draft, document, reserved=RESERVED_SOURCES)
    yield from _duplicates(("classifiers",), draft, document)
    # One outbox holds the messages of all receivers, under the receiver's name.
    yield from _duplicates(("publishers", "notifiers"), draft, document, reserved=(ESCALATION_CHANNEL,))
    has_broker = any(publisher.type == "mqtt" for publisher in config.publishers)
    if not has_broker and not draft.is_short("publishers"):
        yield from _unreachable_values(config, document)
    if not draft.is_short("sources") and not any(source.enabled for source in config.sources):
        yield document.about(("sources",), "none is enabled; there would be nothing to listen to")
    nobody = partial(draft.knows_nobody, document)
    yield from receiver_lines(config, document, draft.original, draft.is_spoiled, nobody)
    yield from source_lines(config, document, draft.original, draft.is_short)
    yield from node_lines(config, document, draft.is_short)
    yield from ports_in_hosts(document)
    for i, source in enumerate(document.items("sources")):
        for key, build in (("gate", config.merged_gate), ("labels", LABELS.validate_python)):
            place = ("sources", i, key)
            own = source.get(key) if isinstance(source, dict) else None
            if isinstance(own, dict) and not draft.is_spoiled(place):
                yield from _tried(partial(build, own), document, place)


def _duplicates(
    parts: Sequence[str], draft: Draft, document: Document, reserved: Collection[str] = ()
) -> Iterator[str]:
    seen: set[str] = set()
    for part in parts:
        for i, name in draft.names(part, document):
            if name in reserved:
                yield document.about((part, i, "name"), f"{name!r} is ours; choose another `name`")
            elif name in seen:
                text = (
                    f"{name!r} is taken; {' and '.join(parts)} differ in their names, choose another `name`"
                )
                yield document.about((part, i, "name"), text)
            seen.add(name)


def _tried(build: Callable[[], object], document: Document, place: KeyPath) -> list[str]:
    try:
        build()
    except ValidationError as error:
        return list(problem_lines(error, document, place))
    return []


_NAMES = {"sources": "sources", "notify": "notifiers"}
"""Keys of a rule that name blocks of a list."""
_STANDS_ON = {
    "hear": "classifiers",
    "then": "classifiers",
    "emotion": "classifiers",
    "say": "transcripts",
    "classifiers": "classifiers",
    "when": "house",
    "unless": "house",
    "demote_while": "house",
}
"""What must be right before a rule's key can be called wrong."""


def rule_lines(draft: Draft, document: Document, *, fatal: bool) -> Iterator[str]:
    """Rules that can never come true, or those that hardly mean what they say. Where nobody knows what a
    model hears, that is the one mistake."""
    # A source's own settings, which may be wrong, make no rule impossible.
    sources = [source.model_copy(update={"labels": {}, "gate": {}}) for source in draft.config.sources]
    unknown, in_vain = unknown_models(draft.config), False
    for finding in rule_findings(draft.config.model_copy(update={"sources": sources})):
        place = draft.original(finding.place)
        key = str(place[-1])
        ground = _STANDS_ON.get(key)
        if unknown and ground == "classifiers":
            in_vain = in_vain or finding.fatal
            continue
        part = _NAMES.get(key, "")
        short = finding.missed and draft.is_short(part)
        known = not short or draft.knows_nobody(document, part, finding.missed)
        if finding.fatal == fatal and known and not (ground and draft.is_spoiled((ground,))):
            yield f"{document.where(place)}: {finding.text}"
    if fatal and in_vain and not draft.is_spoiled(("classifiers",)):
        for i, reason in unknown.items():
            text = f"{reason}; so it is not known what it hears, and rules need that"
            yield document.about(draft.original(("classifiers", i, "model")), text)

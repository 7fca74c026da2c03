"""The configuration: one YAML document, checked as a whole, every problem told at once with file and line."""

import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from monitor.classifiers import ClassifierConfig
from monitor.document import Document, parse_document, read_document
from monitor.errors import ConfigError
from monitor.events.settings import LABELS, Labels, SoundLabel
from monitor.gate.config import GateConfig
from monitor.labels import did_you_mean
from monitor.publishers import PublisherConfig
from monitor.rules.model import Rule
from monitor.schema import Block, Slug, slug
from monitor.sources import SourceConfig

SEARCHED = (
    Path("earwitness.yaml"),
    Path("~/.config/earwitness/earwitness.yaml"),
    Path("/etc/earwitness/earwitness.yaml"),
)
"""Where `earwitness run` looks when it is not told; the first one there is taken."""


class LogConfig(Block):
    """What the daemon says about itself."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool | None = None
    """One JSON object per line; by default unless standard error is a terminal."""


class Config(Block):
    """The whole document."""

    node: Slug = Field(default_factory=lambda: slug(socket.gethostname().split(".")[0]))
    """Names this machine in topics and entities; by default its host name."""
    state_dir: Path | None = None
    """Where the outbox and history live; by default systemd's StateDirectory or ~/.local/state/earwitness."""
    sources: Annotated[list[SourceConfig], Field(min_length=1)]
    """What is listened to."""
    gate: GateConfig = GateConfig()
    """When a sound is worth hearing; a source may override parts under its own `gate`."""
    classifiers: list[ClassifierConfig] = []
    """What says what a sound is: the first fast one decides, a large one may confirm."""
    labels: Labels = {}
    """Thresholds per label; a source may override them under its own `labels`."""
    rules: list[Rule] = []
    """Which events matter."""
    entities: list[SoundLabel] | None = None
    """Labels that get a binary sensor; by default those in rules and those that warn."""
    publishers: list[PublisherConfig] = []
    """Who is told."""
    log: LogConfig = LogConfig()

    def gate_of(self, source: SourceConfig) -> GateConfig:
        """The gate's settings with the source's own laid over them."""
        return GateConfig.model_validate(self.gate.model_dump(exclude_unset=True) | source.gate)

    def labels_of(self, source: SourceConfig) -> Labels:
        """The thresholds that the source has of its own."""
        return LABELS.validate_python(source.labels)

    def state_folder(self, environment: Mapping[str, str] = os.environ) -> Path:
        """Where state is kept."""
        if self.state_dir is not None:
            return self.state_dir.expanduser()
        if given := environment.get("STATE_DIRECTORY"):
            return Path(given.split(":")[0])
        home = environment.get("XDG_STATE_HOME") or "~/.local/state"
        return Path(home).expanduser() / "earwitness"


def find_config() -> Path | None:
    """The first of `SEARCHED` that exists."""
    return next((path for place in SEARCHED if (path := place.expanduser()).is_file()), None)


def load_config(path: Path, environment: Mapping[str, str] | None = None) -> Config:
    """Read and check a file. Raises ConfigError with every problem found."""
    return check_document(read_document(path, environment))


def default_config(sources: list[dict[str, Any]], mqtt_port: int = 1883) -> Config:
    """The configuration of a first run: the built-in rules, the embedded classifier, a broker on loopback."""
    text = files("monitor").joinpath("default.yaml").read_bytes()
    document = parse_document(text, "built-in defaults", {"MQTT_PORT": str(mqtt_port)})
    return check_document(Document(document.name, {**document.values, "sources": sources}, document.lines))


def check_document(document: Document) -> Config:
    """A document as a configuration. Raises ConfigError with every problem found."""
    try:
        config = Config.model_validate(document.values)
    except ValidationError as error:
        raise ConfigError(_problems(error, document)) from None
    problems = list(_cross_checks(config, document))
    if problems:
        raise ConfigError(problems)
    return config


def _problems(error: ValidationError, document: Document, place: tuple[str | int, ...] = ()) -> list[str]:
    """One line per problem: `file:line: place: what is wrong`. Values are left out: they may be secrets."""
    seen: dict[str, None] = {}
    for found in error.errors(include_url=False, include_input=False):
        whole = (*place, *found["loc"])
        text = _plain(found["type"], found["msg"], str(found["loc"][-1]) if found["loc"] else "")
        seen[f"{document.where(whole)}: {_dotted(whole, document)}: {text}"] = None
    return list(seen)


def _plain(kind: str, message: str, key: str) -> str:
    if kind == "extra_forbidden":
        return f"unknown key {key!r}{did_you_mean(key, _known_keys())}"
    if kind == "missing":
        return "is required"
    return message.removeprefix("Value error, ").replace("Input should be", "should be")


def _dotted(place: tuple[str | int, ...], document: Document) -> str:
    """`sources[0].url`, without the names of variants that validators put in between."""
    text = ""
    found: tuple[str | int, ...] = ()
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
    for i, source in enumerate(config.sources):
        yield from _tried(lambda s=source: config.gate_of(s), document, ("sources", i, "gate"))
        yield from _tried(lambda s=source: config.labels_of(s), document, ("sources", i, "labels"))


def _duplicates(part: str, names: Iterable[str], document: Document) -> Iterator[str]:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if name in seen:
            yield f"{document.where((part, i, 'name'))}: {part}[{i}].name: {name!r} is taken; names differ"
        seen.add(name)


def _tried(build: Callable[[], object], document: Document, place: tuple[str | int, ...]) -> list[str]:
    try:
        build()
    except ValidationError as error:
        return _problems(error, document, place)
    return []


def json_schema() -> dict[str, Any]:
    """The JSON schema of the document, for editors."""
    schema = Config.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "earwitness"}

"""The configuration: one YAML document, checked as a whole, all problems reported with file and line."""

import os
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr, TypeAdapter, ValidationError, model_validator

from monitor.classifiers import ClassifierConfig, TranscriberConfig
from monitor.classifiers.pretrained import family_of
from monitor.classifiers.taggers.embedded import EmbeddedConfig
from monitor.classifiers.taggers.ensemble import Combination
from monitor.config.mistakes.plain_words import plain_words
from monitor.config.taught import TaughtHere
from monitor.config.upkeep import DigestConfig, DrillConfig
from monitor.config.web import WebConfig
from monitor.errors import ConfigError
from monitor.events.settings import LABELS, Labels
from monitor.evidence.keeper import EvidenceConfig
from monitor.gate.config import GateConfig, current_names
from monitor.labels import SEVERITIES
from monitor.language.words import Language
from monitor.notifiers import NotifierConfig
from monitor.publishers import PublisherConfig
from monitor.rules.house import HouseConfig, HouseName
from monitor.rules.model import Rule
from monitor.schema import Block, Seconds, Slug, SoundLabel, slug
from monitor.sources import SourceConfig


class LogConfig(Block):
    """The log of the daemon."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool | None = None
    """true: write one JSON object per line. By default this is so unless standard error is a terminal."""


def _at_home(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise ValueError(
            f"{path.parts[0]} is not the home folder of any user here; write the whole path"
        ) from None


def own_name() -> str:
    """What this machine is called."""
    return slug(socket.gethostname().split(".")[0])


class Config(Block):
    """The whole configuration."""

    node: Slug = Field(default_factory=own_name)
    """Name of this machine in topics and entities. By default its host name."""
    state_dir: Annotated[Path, AfterValidator(_at_home)] | None = None
    """Folder of the outbox and the history. By default systemd's StateDirectory or
    ~/.local/state/earwitness."""
    language: Language = "en"
    """Language of alerts: in notifications, when read aloud, and in MQTT messages. Names and topics stay
    as they are."""
    sources: Annotated[list[SourceConfig], Field(min_length=1)]
    """What is listened to."""
    gate: GateConfig = GateConfig()
    """When a sound is worth hearing. A source can change parts of it under its own `gate`."""
    classifiers: list[ClassifierConfig] = [EmbeddedConfig(type="embedded")]
    """Models that name sounds. The first fast one decides, a large one can confirm. By default the model
    that ships with earwitness. `[]` means none."""
    combine: Combination = "first"
    """How several small classifiers decide. first: each one by itself, under its own name. mean_log_odds:
    all together, under the name `ensemble`, by the mean of their log odds; then give a `calibration` to
    models that are not from earwitness."""
    transcripts: TranscriberConfig | None = None
    """Transcripts of speech, for rules with `say`. By default there are none."""
    labels: Labels = {}
    """Thresholds for each label. A source can change them under its own `labels`."""
    house: dict[HouseName, HouseConfig] = {}
    """Values of the house that rules can use in `when`, `unless` and `demote_while`: entities in Home
    Assistant, or MQTT topics."""
    rules: list[Rule] = []
    """Which events matter."""
    entities: list[SoundLabel] | None = None
    """Labels that get a binary sensor. By default the labels in rules and the labels that warn."""
    publishers: list[PublisherConfig] = []
    """Where events and alerts are published."""
    notifiers: list[NotifierConfig] = []
    """Who is notified of alerts. A rule can choose some of them with `notify`."""
    not_listening_after_s: Annotated[Seconds, Field(le=86_400)] = 300.0
    """When a source has been lost for this time, every notifier gets an alert. They get another one when
    it returns. 0: never."""
    drill: DrillConfig = DrillConfig()
    """A silent test of the way that alerts take."""
    digest: DigestConfig | None = None
    """A daily summary. By default there is none."""
    history_days: Annotated[float, Field(ge=0, le=90)] = 7.0
    """How long scores and decisions are kept for `earwitness explain` and `replay`. 0: they are not kept."""
    evidence: EvidenceConfig = EvidenceConfig()
    """Clips and pictures of events. By default there are none."""
    web: WebConfig = WebConfig()
    """The web page. It shows what was heard and why, and takes people's verdicts."""
    log: LogConfig = LogConfig()
    _taught: TaughtHere = PrivateAttr(TaughtHere())
    _off: Mapping[str, tuple["OptionalBlock", ...]] = PrivateAttr({})
    _file: Path | None = PrivateAttr(None)

    @model_validator(mode="after")
    def _warnings_reach_everybody(self) -> Self:
        self.rules[:] = notifying(self.rules, self.notifiers)
        return self

    @property
    def off(self) -> Mapping[str, tuple["OptionalBlock", ...]]:
        """By list, the blocks of the document that are switched off; a source that is off stays among the
        sources."""
        return self._off

    def off_names(self, part: str) -> frozenset[str]:
        """The names of those of one list; of the sources, too."""
        sources = [source.name for source in self.sources if not source.enabled]
        return frozenset(sources if part == "sources" else (block.name for block in self._off.get(part, ())))

    def off_rules(self) -> tuple[Rule, ...]:
        """The rules that are switched off."""
        return tuple(one for one in self._off.get("rules", ()) if isinstance(one, Rule))

    def switched(self) -> Self:
        """The same with what is switched off set aside in `off`, so that nobody uses it."""
        parts: dict[str, list[OptionalBlock]] = {part: getattr(self, part) for part in SWITCHED}
        found = {part: [one for one in blocks if not one.enabled] for part, blocks in parts.items()}
        if not any(found.values()):
            return self
        left: dict[str, Any] = {
            part: [one for one in blocks if one.enabled] for part, blocks in parts.items()
        }
        gone = [one.name for one in found["notifiers"]]
        told = tuple(name for name in self.digest.notify if name not in gone) if self.digest else ()
        digest = self.digest and self.digest.model_copy(update={"notify": told})
        changed = self.model_copy(update=left | {"digest": digest})
        changed._off = {part: (*self._off.get(part, ()), *off) for part, off in found.items()}
        return changed

    @property
    def taught(self) -> TaughtHere:
        """The sounds that this house has taught: no part of the document."""
        return self._taught

    def with_taught(self, taught: TaughtHere) -> Self:
        """The same in a house that has taught these."""
        changed = self.model_copy()
        changed._taught = taught
        return changed

    @property
    def file(self) -> Path | None:
        """The file that it was read from; None for the built-in defaults."""
        return self._file

    def of_file(self, file: Path) -> Self:
        """The same, read from `file`."""
        same = self.model_copy()
        same._file = file
        return same

    @property
    def can_end(self) -> bool:
        """Whether everything may have been heard one day: a device that publishes never ends."""
        return not any(source.enabled and source.is_external for source in self.sources)

    def gate_of(self, source: SourceConfig) -> GateConfig:
        """The gate's settings with the source's own laid over them."""
        return self.merged_gate(source.gate)

    def merged_gate(self, own: Mapping[str, Any]) -> GateConfig:
        """The same from what a source writes under `gate`. Raises pydantic's ValidationError."""
        return GateConfig.model_validate({**self.gate.model_dump(exclude_unset=True), **current_names(own)})

    def labels_of(self, source: SourceConfig) -> Labels:
        """The thresholds that the source has of its own."""
        return LABELS.validate_python(source.labels)

    def state_folder(self, environment: Mapping[str, str] = os.environ) -> Path:
        """Where state is kept."""
        return self.state_dir or usual_state_folder(environment)


OptionalBlock = ClassifierConfig | Rule | PublisherConfig | NotifierConfig
"""What can be switched off, beside sources."""
SWITCHED = ("classifiers", "rules", "publishers", "notifiers")
"""Lists of blocks that can be switched off."""


def notifying(rules: Sequence[Rule], notifiers: Sequence[NotifierConfig]) -> list[Rule]:
    """The rules with those whom they notify. One that names nobody and does more than inform notifies every
    notifier that takes its severity: whoever has written a notifier counts on it."""
    return [
        rule
        if "notify" in rule.model_fields_set or rule.gravest_severity == "info"
        else _to_everybody(rule, notifiers)
        for rule in rules
    ]


def _to_everybody(rule: Rule, notifiers: Sequence[NotifierConfig]) -> Rule:
    gravity = SEVERITIES.index(rule.gravest_severity)
    taking = [one.name for one in notifiers if one.enabled and SEVERITIES.index(one.min_severity) <= gravity]
    filled = rule.model_copy(update={"notify": tuple(taking)})
    # It is not written: what is kept of a rule that is changed on the page is what people wrote.
    filled.model_fields_set.discard("notify")
    return filled


def usual_state_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where state is kept if nothing else is said: systemd's folder for the service, else the user's own.
    Raises ConfigError for a user without a home."""
    if given := environment.get("STATE_DIRECTORY"):
        return Path(given.split(":")[0])
    home = Path(environment.get("XDG_STATE_HOME") or "~/.local/state")
    try:
        return home.expanduser() / "earwitness"
    except RuntimeError:
        raise ConfigError(["this user has no home; set HOME, or `state_dir` in the configuration"]) from None


LARGE_MODEL = "Qwen/Qwen2-Audio-7B-Instruct"
"""The large classifier that is asked where none is configured."""


def classifier_block(model: str) -> ClassifierConfig | None:
    """The settings for a model that no configuration names: an .onnx file of our own training, or the id or
    folder of a large classifier or a hub tagger. None for a word that is neither."""
    if not (model.endswith(".onnx") or "/" in model or Path(model).is_dir()):
        return None
    family = family_of(Path(model)) or model
    kind = "qwen" if "qwen" in family.lower() else "hub"
    values = {"type": "embedded"} if model.endswith(".onnx") else {"type": kind}
    reader: TypeAdapter[ClassifierConfig] = TypeAdapter(ClassifierConfig)
    try:
        return reader.validate_python({**values, "model": model})
    except ValidationError as error:
        raise ConfigError([f"{model}: {plain_words(found)}" for found in error.errors()]) from None


def large_classifiers(config: Config) -> list[str]:
    """Names of the classifiers that can answer in words."""
    return [block.name for block in config.classifiers if block.type in ("qwen", "remote")]


def json_schema() -> dict[str, Any]:
    """The JSON schema of the document, for editors."""
    schema = _standard(Config.model_json_schema())
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "earwitness"}


_STANDARD = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}


def _standard(node: Any) -> Any:
    """Limits in JSON schema's words: where a check stands before them, pydantic leaves its own names."""
    if isinstance(node, list):
        return [_standard(item) for item in node]
    if isinstance(node, dict):
        is_value = "type" in node and not isinstance(node["type"], dict)
        return {_STANDARD.get(key, key) if is_value else key: _standard(item) for key, item in node.items()}
    return node

"""Another device that detects sounds itself, and publishes over MQTT what it detected."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from monitor.clock import Clock
from monitor.errors import SourceUnavailable
from monitor.schema import LABEL_LEVEL, PlainWord, Score, Seconds, SoundLabel, plain_text
from monitor.sources.base import AnySourceConfig, Source

_WITHOUT_EARS = ("require", "gate", "labels", "sensitivity")


def _check_topic(topic: str) -> str:
    levels = topic.split("/")
    if not topic or set("#\0") & set(topic) or any("+" in level and level != "+" for level in levels):
        raise ValueError(
            f"{topic!r} cannot be listened to; write one topic, + for a level that may be anything, and "
            f"{LABEL_LEVEL} for the one that names the sound, as in frigate/porch/audio/{LABEL_LEVEL}"
        )
    if levels.count(LABEL_LEVEL) > 1 or any(re.search("[{}]", one) for one in levels if one != LABEL_LEVEL):
        raise ValueError(f"{topic!r}: {LABEL_LEVEL} stands once, alone between two slashes")
    return topic


DeviceWord = Annotated[str, AfterValidator(plain_text)]


class ExternalConfig(AnySourceConfig):
    """A device that detects sounds itself: a smart microphone, a camera's AI, Frigate, another earwitness.
    What it publishes becomes events of this source. They are only suspected, unless the device is
    trusted."""

    type: Literal["external"]
    topic: Annotated[str, AfterValidator(_check_topic), Field(max_length=256)]
    """The topic on which it publishes. `+` stands for any level, `{label}` for the level that names the
    sound."""
    path: str = ""
    """The path to the sound's name in its JSON, such as `after.label`. Empty: the payload is the name.
    Leave it out if the topic has `{label}`."""
    label_map: Annotated[dict[DeviceWord, SoundLabel], Field(min_length=1, max_length=64)]
    """The device's name of each sound, and our label for it. Other names are ignored."""
    where: dict[str, tuple[str, ...]] = {}
    """Use only messages in which each of these paths has one of these values, as in `{type: [new,
    update]}`. The path `.` is the whole payload."""
    score_path: str = ""
    """The path to the score in its JSON. Scores are 0 to 1 or 0 to 100. Empty: every detection counts as
    1."""
    min_score: Score = 0.0
    """A lower score is no detection. The device's scores are not ours, so our thresholds do not apply to
    them."""
    trusted: bool = False
    """true: its detections are confirmed, not suspected. The device alone can then raise an alarm."""
    hold_s: Annotated[Seconds, Field(gt=0, le=3600)] | None = None
    """The event ends this time after the last message. By default the label's own hold."""
    broker: str | None = None
    """Name of the `mqtt` publisher whose broker the device uses. By default the first one."""

    @field_validator("label_map", mode="before", json_schema_input_type=dict[str, str])
    @classmethod
    def _word_keys(cls, value: object) -> object:
        """YAML reads ON as a truth."""
        return {plain_text(key): label for key, label in value.items()} if isinstance(value, dict) else value

    @field_validator("where", mode="before", json_schema_input_type=dict[str, PlainWord | list[PlainWord]])
    @classmethod
    def _lists(cls, value: object) -> object:
        if not isinstance(value, dict):
            return value
        return {
            "" if path == "." else path: tuple(
                map(plain_text, words if isinstance(words, list | tuple) else [words])
            )
            for path, words in value.items()
        }

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.path and LABEL_LEVEL in self.topic:
            raise ValueError(f"path and {LABEL_LEVEL} in the topic both name the sound; leave out one")
        if self.min_score and not self.score_path:
            raise ValueError("min_score needs score_path: without it every detection counts as 1")
        for key in _WITHOUT_EARS:
            if key in self.model_fields_set:
                raise ValueError(
                    f"{key} is for sound that we hear ourselves; use min_score and where instead"
                )
        return self

    @property
    def is_external(self) -> bool:
        return True

    @property
    def origin(self) -> str:
        return f"device {self.broker or ''} {self.topic} {self.path or ''}"

    @property
    def known_labels(self) -> frozenset[str]:
        """What can be an event here."""
        return frozenset(self.label_map.values())

    def build(self, clock: Clock) -> Source:
        """Nothing to listen to. Raises SourceUnavailable."""
        raise SourceUnavailable(f"{self.name}: it publishes detections and no sound", refused=True)

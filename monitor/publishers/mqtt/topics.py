"""Where things are published on MQTT: every topic of a node, in one place."""

import re
from dataclasses import dataclass

from monitor.types import HOUSE

_STATE_PATH = re.compile(r"[a-z0-9_-]{1,64}(/[a-z0-9_-]{1,64}){0,2}")
"""What follows the root: the node's own topics, those of its sources, and the attributes of either."""


@dataclass(frozen=True, slots=True)
class Topics:
    """The topics of one node. All begin with `<prefix>/<node>/`; a source's with its name after that."""

    prefix: str
    node: str

    @property
    def root(self) -> str:
        """What all of them begin with, without the slash."""
        return f"{self.prefix}/{self.node}"

    @property
    def status(self) -> str:
        """`online` or `offline` (the last will); retained."""
        return f"{self.root}/status"

    @property
    def health(self) -> str:
        """Health snapshot, JSON; retained."""
        return f"{self.root}/health"

    @property
    def trouble(self) -> str:
        """`ON` while a model is missing or damaged, something has stopped moving, or a broker does not take
        or deliver what is published, else `OFF`; retained."""
        return f"{self.root}/trouble"

    @property
    def trouble_attributes(self) -> str:
        """What the trouble is (`notes`, `stalled`, `lagging`, `stuck`), JSON; retained."""
        return f"{self.root}/trouble/attributes"

    @property
    def version(self) -> str:
        """The version that runs (`installed_version`), JSON; retained."""
        return f"{self.root}/version"

    @property
    def version_latest(self) -> str:
        """The newest version, such as `0.3.0`; another program publishes it, never this daemon;
        retained."""
        return f"{self.root}/version/latest"

    @property
    def alert(self) -> str:
        """Alerts, JSON; not retained."""
        return f"{self.root}/alert"

    @property
    def alert_active(self) -> str:
        """`ON` while an alert of severity warning or critical waits for an acknowledgement, else `OFF`;
        retained."""
        return f"{self.root}/alert/active"

    @property
    def alert_active_attributes(self) -> str:
        """The gravest of them (`rule`, `severity`, `message`, `id`, `raised_at`) and their `count`, JSON;
        retained."""
        return f"{self.root}/alert/active/attributes"

    @property
    def chain(self) -> str:
        """Silent tests of the broker, JSON as an alert; not retained, and for nobody but this daemon and an
        automation that answers them."""
        return f"{self.root}/chain"

    @property
    def chain_set(self) -> str:
        """Command: the `id` of a silent test, from an automation that has received it."""
        return f"{self.root}/chain/set"

    @property
    def test_set(self) -> str:
        """Command: `PRESS` raises a test alert through the rules."""
        return f"{self.root}/test/set"

    @property
    def ack_set(self) -> str:
        """Command: `PRESS` acknowledges every alert, an alert's id only that one."""
        return f"{self.root}/ack/set"

    @property
    def nothing_set(self) -> str:
        """Command: an alert's id. It was nothing: the alert is acknowledged, and its events are noted as
        wrong."""
        return f"{self.root}/nothing/set"

    @property
    def verdict_set(self) -> str:
        """Command: `id` of an event, `verdict` (`right`, `wrong`, `unsure`), `label` it really was; JSON."""
        return f"{self.root}/verdict/set"

    @property
    def commands(self) -> tuple[str, ...]:
        """Filters that take in every command, known or not, so that the unknown are counted."""
        return (f"{self.root}/+/set", f"{self.root}/+/+/set")

    @property
    def statuses(self) -> tuple[str, ...]:
        """Filters that take in `online` and `offline` of ours: anybody could overwrite them."""
        return (self.status, self.source_status("+"))

    def source_status(self, source: str) -> str:
        """`online` or `offline`; retained."""
        return f"{self.root}/{source}/status"

    def source_status_attributes(self, source: str) -> str:
        """The reason of the source's status, JSON; retained."""
        return f"{self.root}/{source}/status/attributes"

    def event(self, source: str) -> str:
        """Events, JSON; not retained."""
        return f"{self.root}/{source}/event"

    def sounding(self, source: str, label: str) -> str:
        """`ON` while the label is heard, else `OFF`; retained."""
        return f"{self.root}/{source}/{label}/state"

    def count(self, source: str, label: str) -> str:
        """How often the label has begun since the daemon started; retained."""
        return f"{self.root}/{source}/{label}/count"

    def last_sound(self, source: str) -> str:
        """The label that began last; retained."""
        return f"{self.root}/{source}/last_sound"

    def level(self, source: str) -> str:
        """Level in dBFS; retained."""
        return f"{self.root}/{source}/level"

    def floor(self, source: str) -> str:
        """Noise floor in dBFS; retained."""
        return f"{self.root}/{source}/floor"

    def laeq(self, source: str) -> str:
        """How loud the last minute was: LAeq in dB(A) where the source is calibrated, else in dBFS; nothing
        of a minute in which it was muted, away or silent for more than 15 s; retained."""
        return f"{self.root}/{source}/laeq"

    def laeq_attributes(self, source: str) -> str:
        """That minute, JSON: `started_at`, `laeq_dbfs`, `laeq_dba` (null without a calibration), `covered_s`
        (seconds that were measured), `clipped_s` (seconds at full scale: it was louder); retained."""
        return f"{self.root}/{source}/laeq/attributes"

    def problem(self, source: str) -> str:
        """`ON` while the microphone's sound is sick, else `OFF`; retained."""
        return f"{self.root}/{source}/problem"

    def problem_attributes(self, source: str) -> str:
        """What is wrong with it (`kinds`), JSON; retained."""
        return f"{self.root}/{source}/problem/attributes"

    def image(self, source: str) -> str:
        """Picture of the sound heard last, PNG; retained."""
        return f"{self.root}/{source}/image"

    def image_attributes(self, source: str) -> str:
        """Whose picture it is (`event_id`, `label`), JSON; retained."""
        return f"{self.root}/{source}/image/attributes"

    def setting(self, source: str, name: str) -> str:
        """The current value of `mute` (`ON`, `OFF`) or `sensitivity` (-1 to 1); retained."""
        return f"{self.root}/{source}/{name}"

    def listened(self, source: str) -> str:
        """`ON` while somebody listens to it live on the page (`web: {live_audio: true}`), else `OFF`;
        retained."""
        return self.setting(source, "listened")

    def house_value(self, value: str) -> str:
        """A value of `house:` that Home Assistant sets: an option, or `on` and `off`; retained."""
        return self.setting(HOUSE, value)

    def house_value_set(self, value: str) -> str:
        """Command: sets it."""
        return self.setting_set(HOUSE, value)

    def setting_set(self, source: str, name: str) -> str:
        """Command: sets `mute` or `sensitivity`."""
        return f"{self.root}/{source}/{name}/set"


def may_be_state(topic: str, topics: Topics) -> bool:
    """Whether the node may keep a state there, in this version or an earlier one. Never a command's topic,
    and nothing that MQTT would not carry."""
    path = topic.removeprefix(topics.root + "/")
    return path != topic and _STATE_PATH.fullmatch(path) is not None and not path.endswith("/set")

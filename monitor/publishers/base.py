"""What a publisher promises."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from typing import Any, Protocol, Self, runtime_checkable

from monitor.types import Alert, Command, Findings, Message, SoundEvent, SourceStatus

OnCommand = Callable[[Command], None]
"""Where a publisher hands what was asked from outside; may be called from any thread, never blocks."""
InboundMessage = Command | Findings | SourceStatus
OnInbound = Callable[[InboundMessage], None]
"""The same of a publisher that also hands on what other devices detected."""
ALERTS = "alert"
"""The topic of every alert, relative to the node."""
CHAIN = "chain"
"""That of the silent tests of a broker."""


@dataclass(frozen=True, slots=True)
class Delivered:
    """The receiver has acknowledged the message."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The receiver does not take this topic now. The message waits in the outbox, and other topics go on."""

    reason: str
    keep_s: float | None = None
    """Given up once it has waited so long; None: kept as long as the outbox keeps anything."""
    unheard: bool = False
    """Nobody subscribes to the topic."""


@dataclass(frozen=True, slots=True)
class Failed:
    """The receiver took nothing. The message waits in the outbox, and what came after it waits behind it."""

    reason: str


PublishOutcome = Delivered | Refused | Failed
OnOutcome = Callable[[PublishOutcome], None]
"""Takes the one outcome of a message; may be called from any thread."""

DELIVERED = Delivered()


def topic_of(message: SoundEvent | Alert) -> str:
    """Where a message is published, relative to the node. A receiver may refuse one topic and take others."""
    if isinstance(message, Alert):
        return CHAIN if message.is_chain_test else ALERTS
    return f"{message.source}/event"


def ignore(outcome: PublishOutcome) -> None:
    """For a message whose outcome nobody waits for."""


def noop() -> None:
    """For a call-back that nobody has set."""


@dataclass(frozen=True, slots=True)
class House:
    """What publishers announce: the node, what each source can report, and the names of the rules."""

    node: str
    version: str
    sources: tuple["Room", ...]
    rules: tuple[str, ...] = ()
    page: str | None = None  # address of the page as others reach it
    values: tuple["HouseValue", ...] = ()
    devices: tuple["ExternalDevice", ...] = ()


@dataclass(frozen=True, slots=True)
class HouseValue:
    """Something that rules may ask of the house: an entity of ours, or what is published on a `topic`."""

    name: str
    options: tuple[str, ...]
    topic: str | None = None
    path: str = ""
    on_values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExternalDevice:
    """Another device whose detections are ours at `source`; `ExternalConfig` explains the fields."""

    source: str
    broker: str  # name of the publisher that is connected to it
    topic: str
    path: str
    label_map: Mapping[str, str]
    where: Mapping[str, tuple[str, ...]]
    score_path: str
    min_score: float
    trusted: bool
    hold_s: float | None


@dataclass(frozen=True, slots=True)
class Room:
    """One source as the house sees it."""

    source: str
    labels: tuple[str, ...]  # labels that get an entity of their own
    event_labels: tuple[str, ...]  # every label that an event of this source can have
    area: str | None = None
    title: str | None = None  # how a person writes the source's name, where that is known
    pictures: bool = False  # whether it shows pictures of what it heard
    hidden: frozenset[str] = frozenset()  # of `labels`, those whose entity a person has to switch on
    has_sound: bool = True  # whether we hear it ourselves; else a device publishes what it detects there
    calibrated: bool = False  # whether its loudness is in dB(A)
    level_in_rules: bool = False  # whether a rule asks how loud it is
    origin: str = ""  # where its sound comes from: tells a new name from a new source


class Publisher(Protocol):
    """Publishes to one receiver. It connects in the background: no method blocks on a network or raises for
    one, except `publish` of a notifier, which is called in its sender's thread alone."""

    name: str
    on_ready: Callable[[], None]
    """Set by the sender before entering: called from any thread when `ready` has become true."""
    connections: int
    """Rises with each connection: what was refused before may be taken now."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *exc: object) -> None:
        """Say goodbye (publish `offline`) and close within 2 s."""

    def announce(self, house: House) -> None:
        """What there is to hear; remembered, and published again to whoever comes back."""

    def ready(self) -> bool:
        """Whether events and alerts can be taken now."""

    def lost_since(self) -> datetime | None:
        """Once after each return of Home Assistant: what was delivered since this time may have been lost on
        it (120 s before it went away, or before it came back when nobody saw it go). None otherwise."""

    def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
        """Publish. States (status, level, problem, setting, sounding, health) are remembered and published
        again after a reconnect: the latest wins, and they have no outcome. The ON and OFF of a binary sensor
        comes as `LabelState`, at once; the event itself comes through the outbox, perhaps late, and must not
        move that state. For an event or alert `done` is called once, during the call or later; until then
        the publisher keeps it. `late` marks one that was held back or is sent again."""


@runtime_checkable
class Reports(Protocol):
    """A publisher that has something for the health report. From any thread."""

    name: str

    @property
    def refused_commands(self) -> int:
        """How many messages on command topics were none that we take."""

    def figures(self) -> dict[str, Any]:
        """How it stands with its receiver, as plain JSON values."""

    def notes(self) -> dict[str, str]:
        """What is wrong now and somebody should mend: makes *Trouble*. Empty while all is well."""


class Memory(Protocol):
    """Rows that survive a restart. Any thread."""

    changed: Event
    """Set while something is to be kept."""

    def rows(self) -> Mapping[str, Any]:
        """What is to be kept, as plain JSON values."""

    def found(self, rows: Mapping[str, Any]) -> None:
        """What an earlier run kept. Raises LookupError, TypeError or ValueError for anything else."""


@runtime_checkable
class Remembers(Protocol):
    """A receiver with something to remember. It begins without, and is given what was kept when the disk has
    it."""

    name: str

    @property
    def memory(self) -> Memory:
        """Its rows."""


def memory_file(name: str) -> str:
    """In the state folder: what the receiver of this name remembers."""
    return f"receiver-{name}.json"

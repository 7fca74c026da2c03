"""What a source of sound promises."""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Protocol, Self

from pydantic import Field

from monitor.audio import FRAME_S, Piece
from monitor.schema import Block, Slug, slug
from monitor.types import Frame

PIECE_S = 4 * FRAME_S
"""Sound of every source is handed on in pieces of this length: being woken costs several times what hearing a
frame does. The rhythm detector's blocks are as long, so that nothing waits twice."""
CALM_S = 8 * PIECE_S
"""Where nothing goes on, sound is handed on in pieces of up to this length. Chosen: a second costs little
more than half of one, for caches are cold at each waking. What would open the gate goes on at once; a tone
that is too faint for it is found up to a second late, and is followed from then on: an alarm's first cycle
lasts four. Longer, that cycle would be late, and the end of an event."""


class Source(Protocol):
    """Sound from one place, as frames of exactly 480 samples at 16 kHz. Entering opens it; each entering
    starts anew, so the same object can be opened again after a loss. Sources inherit from it: the properties
    are right for one that has no clock, no patience and no queue of its own."""

    name: str
    calm_below: float = 0.0
    """Mean square of 30 ms below which no sound of this source begins: such sound may be handed on in pieces
    of up to `CALM_S`, and whatever is louder goes on at once. 0 while something goes on. Written by whoever
    hears it, read by whoever captures it."""

    @property
    def patience_s(self) -> float:
        """How long it may give no frame and be well: its own limit, after which it counts itself as lost."""
        return 0.0

    @property
    def drift_ppm(self) -> float:
        """How much slower than our clock it runs, in parts per million."""
        return 0.0

    @property
    def clock_offset_s(self) -> float:
        """What the dates of its sound still lack to the clock."""
        return 0.0

    @property
    def overflows(self) -> int:
        """How often sound was lost since the start because nobody took it in time."""
        return 0

    @property
    def surplus(self) -> float:
        """How many seconds of sound it delivers a second, where that is too much for a microphone; else 1."""
        return 1.0

    @property
    def network(self) -> Mapping[str, float]:
        """Figures of the network that it comes over, for the health report; empty where there is none."""
        return {}

    def __enter__(self) -> Self:
        """Open. Raises SourceUnavailable when that is not possible now."""

    def __exit__(self, *exc: object) -> None: ...

    def pieces(self) -> Iterator[Piece]:
        """Sound as it is heard, some frames at a time; blocks for the next ones. Ends when `close` was called
        or, for a file, at its end (its last frame is filled up with silence). Raises SourceLost when the
        sound stops coming. One thread."""
        ...

    def frames(self) -> Iterator[Frame]:
        """The same, frame by frame."""
        for piece in self.pieces():
            yield from piece.frames()

    def close(self) -> None:
        """Make `frames` end soon (within 1 s). From any thread, more than once, also before opening."""


class AnySourceConfig(Block):
    """What every source of the configuration has. Subclasses add `type: Literal[...]`, their own fields and
    `build(self, clock: Clock) -> Source`."""

    name: Slug
    """Name of the source in topics, entities and rules."""
    area: str | None = None
    """The room. It is suggested to Home Assistant."""
    enabled: bool = True
    """false: this source is never opened."""
    require: Literal["speech"] | None = None
    """`speech`: the classifiers get only segments in which the voice-activity detector hears a voice."""
    sensitivity: Annotated[float, Field(ge=-1, le=1)] = 0.0
    """Shifts every onset threshold of this source: 1 hears more, -1 hears less. It never changes the alarm
    rhythms."""
    calibration_db: Annotated[float, Field(ge=0, le=200)] | None = None
    """The level in the room, in dB(A), at 0 dBFS. `earwitness calibrate` measures it. Without it levels
    are in dBFS."""
    labels: dict[str, dict[str, Any]] = {}
    """Thresholds of this source for each label, with the same keys as the top-level `labels`."""
    gate: dict[str, Any] = {}
    """Gate settings of this source, with the same keys as the top-level `gate`."""

    @property
    def title(self) -> str | None:
        """How a person writes the name, where it was made from the area, as set-up does: *Küche 2* for
        `kueche_2`."""
        if not self.area:
            return None
        made = re.fullmatch(re.escape(slug(self.area)) + r"(?:_(\d+))?", self.name)
        return made and " ".join(filter(None, [self.area, made[1]]))

    @property
    def is_hurried(self) -> bool:
        """Whether its sound is read as fast as it can be heard."""
        return False

    @property
    def is_external(self) -> bool:
        """Whether another device listens, and publishes what it detects: there is no sound to capture."""
        return False

    @property
    def known_labels(self) -> frozenset[str] | None:
        """What can be an event here; None: whatever the classifiers know."""
        return None

    @property
    def is_recorded(self) -> bool:
        """Whether its sound is not heard as it happens: its time is not the clock's."""
        return self.is_hurried

    @property
    def origin(self) -> str:
        """Where its sound comes from, whatever it is called; without secrets. Empty where that is not
        known."""
        return ""

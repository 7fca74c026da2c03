"""A house to listen to without a microphone: the built-in scene, again and again."""

import shutil
import struct
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from threading import Event
from typing import Annotated, Literal, Self

from pydantic import Field

from monitor.audio import Audio, Piece
from monitor.clock import Clock
from monitor.logs import get_logger
from monitor.sources.base import AnySourceConfig, Source
from monitor.sources.timing.framer import Framer
from monitor.sources.timing.pacing import Pacer

log = get_logger()

SPOKEN = "Good evening. I am just making some tea. Did somebody ring the door bell?"
_WAV_HEADER_BYTES = 44
_ESPEAK_TIMEOUT_S = 10.0


class DemoConfig(AnySourceConfig):
    """A computed scene: doorbell, knocks, a siren, a bang and a smoke alarm, every 75 seconds."""

    type: Literal["demo"]
    realtime: bool = True
    """true: at the speed of a real room. false: as fast as the machine can."""
    loop: bool = True
    """true: start again at the end."""
    speech: bool = True
    """true: somebody also speaks, if espeak-ng is installed."""
    seed: Annotated[int, Field(ge=0)] = 1
    """Another number makes another doorbell, knock and siren."""

    @property
    def is_hurried(self) -> bool:
        return not self.realtime

    def build(self, clock: Clock) -> "DemoSource":
        return DemoSource(self, clock)


class DemoSource(Source):
    """Plays the demonstration scene without a seam."""

    def __init__(self, config: DemoConfig, clock: Clock) -> None:
        self.name = config.name
        self._config = config
        self._clock = clock
        self._closed = Event()
        self._scene: Audio | None = None

    def __enter__(self) -> Self:
        """Makes the scene, which `close` breaks off: it then plays nothing."""
        # Only here: whoever listens to a real room does without 4 MB of synthesis.
        from monitor.synthesis.scene import NotWanted, demo_scene

        speech = spoken(SPOKEN) if self._config.speech else None
        with suppress(NotWanted):
            self._scene = demo_scene(self._config.seed, speech, lambda: not self._closed.is_set()).audio
        return self

    def __exit__(self, *exc: object) -> None:
        self._scene = None

    def close(self) -> None:
        self._closed.set()

    def pieces(self) -> Iterator[Piece]:
        """See Source.pieces. Never raises SourceLost."""
        if self._scene is None:  # closed while it was opened
            return
        pacer = Pacer(self._clock, self._closed, realtime=self._config.realtime)
        begins_at = self._begins_at(self._scene) + pacer.begins_in
        for piece in pacer.in_step(self._heard(self._scene, begins_at), lambda: self.calm_below):
            if not pacer.wait(piece):
                return
            yield pacer.dated(piece)

    def _begins_at(self, scene: Audio) -> datetime:
        """Now; heard once and as fast as can be, as long ago as it lasts: nothing is dated ahead of now. What
        goes on for ever, faster than time, cannot help it; `check` warns of that."""
        now = self._clock.now()
        once = self._config.is_hurried and not self._config.loop
        return now - timedelta(seconds=scene.duration_s) if once else now

    def _heard(self, scene: Audio, begins_at: datetime) -> Iterator[Piece]:
        framer = Framer(self.name)
        framer.begin(begins_at, scene.sample_rate_hz)
        yield from framer.push(scene.samples)
        while self._config.loop:
            yield from framer.push(scene.samples)
        yield from framer.finish()


def spoken(text: str, program: str = "espeak-ng") -> Audio | None:
    """`text` read aloud by espeak-ng; None where it is not installed or fails."""
    if shutil.which(program) is None:
        log.info("the demo scene has no speech: espeak-ng is not installed")
        return None
    command = [program, "-v", "en", "-s", "150", "--stdout", text]
    try:
        done = subprocess.run(
            command, capture_output=True, check=True, timeout=_ESPEAK_TIMEOUT_S, start_new_session=True
        )  # in a session of its own, for a terminal's Ctrl-C is meant for us
    except (OSError, subprocess.SubprocessError) as error:
        log.warning("the demo scene has no speech: espeak-ng failed", error=str(error))
        return None
    if len(done.stdout) <= _WAV_HEADER_BYTES:
        return None
    (sample_rate_hz,) = struct.unpack_from("<I", done.stdout, 24)
    return Audio.from_pcm16(done.stdout[_WAV_HEADER_BYTES:], sample_rate_hz)

"""A microphone on this machine, through PortAudio (ALSA, and behind it PulseAudio or PipeWire)."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event
from typing import Annotated, Any, Literal, Self

import numpy as np
import numpy.typing as npt
from pydantic import AfterValidator, Field

from monitor.audio import Piece
from monitor.clock import Clock
from monitor.errors import SourceError, SourceLost, SourceUnavailable
from monitor.logs import get_logger
from monitor.sources.base import PIECE_S, AnySourceConfig, Source
from monitor.sources.mixing import Mixer
from monitor.sources.portaudio.devices import InputDevice, check_device_name, chosen
from monitor.sources.portaudio.process import (
    PortAudioProcess,
    ProcessRecord,
    devices_in,
    silent_server,
    unavailable,
)
from monitor.sources.timing.live import LiveFramer
from monitor.sources.timing.timekeeper import Instant

log = get_logger()

OPEN_S = 8.0
NO_SOUND_S = 3.0
"""A sound server that freezes gives no sign; one that just started keeps us waiting for 1.5 s."""
USUAL_RATES_HZ = (48_000, 44_100, 16_000, 32_000, 96_000, 8_000)
DRIFT_WINDOW_S = 10.0
QUEUED_BLOCKS = 80
"""Ten seconds that nobody takes; then sound is lost and counted."""
_GLANCE_S = 0.25
"""How often a wait looks whether the source was closed."""


class MicrophoneConfig(AnySourceConfig):
    """A microphone of this machine."""

    type: Literal["microphone"]
    device: Annotated[str, AfterValidator(check_device_name)] = "default"
    """`default`, a part of its name, or its id. `earwitness devices` lists names and ids."""
    channel: Annotated[int, Field(ge=1, le=64)] | None = None
    """Number of the only channel to listen to, from 1. By default the mean of the first two channels."""
    sample_rate_hz: Annotated[int, Field(ge=8_000, le=192_000)] | None = None
    """Rate of the recording. By default 48 kHz, or what the device offers. The sound is then always
    resampled to 16 kHz."""
    sample_format: Literal["int16", "float32"] = "int16"
    """`float32` keeps more than 16 bits, if the device has them."""

    @property
    def origin(self) -> str:
        return f"microphone {self.device} {self.channel or ''}".strip()

    def build(self, clock: Clock) -> "MicrophoneSource":
        return MicrophoneSource(self, clock)


@dataclass(frozen=True, slots=True)
class NativeFormat:
    """How the device gives its sound: interleaved channels."""

    sample_rate_hz: int
    channels: int
    sample_format: str

    def planar(self, block: bytes) -> npt.NDArray[Any]:
        """A block as (channels, samples)."""
        return np.frombuffer(block, self.sample_format).reshape(-1, self.channels).T


class MicrophoneSource(Source):
    """Listens to a microphone until it is closed or lost. See Source; `close` is for good.

    PortAudio is in a process of its own, started on entering and killed on leaving.
    """

    def __init__(self, config: MicrophoneConfig, clock: Clock) -> None:
        self.name = config.name
        self._config = config
        self._clock = clock
        self._closed = Event()
        self._process = PortAudioProcess()
        self._true_rates_hz: dict[int, int] = {}
        self._begin()
        self._format: NativeFormat | None = None
        self._overflows = 0

    def _begin(self) -> None:
        channel = self._config.channel
        self._framer = LiveFramer(self.name, DRIFT_WINDOW_S, self._true_rates_hz)
        self._mixer = Mixer(self.name, None if channel is None else channel - 1)

    @property
    def patience_s(self) -> float:
        return NO_SOUND_S

    @property
    def drift_ppm(self) -> float:
        return self._framer.drift_ppm

    @property
    def clock_offset_s(self) -> float:
        return self._framer.clock_offset_s

    @property
    def overflows(self) -> int:
        return self._overflows

    def __enter__(self) -> Self:
        self._begin()
        self._format = None
        self._process = PortAudioProcess()
        self._process.__enter__()
        try:
            self._open()
        except BaseException as error:
            self._process.__exit__()
            if isinstance(error, SourceUnavailable):
                raise SourceUnavailable(f"{self.name}: {error}", refused=error.refused) from None
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        self._framer.close()
        self._process.__exit__(*exc)

    def close(self) -> None:
        self._closed.set()

    def pieces(self) -> Iterator[Piece]:
        """See Source.pieces."""
        try:
            while (record := self._heard()) is not None:
                yield from self._framed(record)
        except SourceLost:
            yield from self._framer.finish()
            raise

    def _framed(self, record: ProcessRecord) -> list[Piece]:
        assert self._format is not None
        if record.kind == b"L":
            self._overflows += 1
            self._framer.gap()
        rate_hz = self._format.sample_rate_hz
        samples = self._mixer.push(self._format.planar(record.data), rate_hz)
        return self._framer.push(samples, rate_hz, self._instant(record.at_s))

    def _open(self) -> None:
        if (listed := self._answer()) is None:
            return
        device = self._found(devices_in(listed))
        try:
            self._process.ask(self._request(device))
        except EOFError:
            raise silent_server() from None
        if (opened := self._answer()) is not None:
            self._format = NativeFormat(**json.loads(opened.data))
            log.info("microphone open", source=self.name, device=device.id, **json.loads(opened.data))

    def _answer(self) -> ProcessRecord | None:
        """The process's next word while opening; None once closed."""
        try:
            record = self._next(OPEN_S, silent_server)
        except EOFError:
            raise silent_server() from None
        if record is not None and record.kind == b"E":
            raise unavailable(record)
        return record

    def _heard(self) -> ProcessRecord | None:
        """The next block of sound; None once closed."""
        try:
            record = self._next(NO_SOUND_S, self._silence)
        except EOFError:
            record = None
        else:
            if record is None or record.kind != b"E":
                return record
        reason = "the microphone stopped; it was unplugged, or its sound server ended"
        log.debug(reason, source=self.name, told=record and record.data.decode())
        raise SourceLost(f"{self.name}: {reason}") from None

    def _next(self, patience_s: float, out_of_patience: Callable[[], SourceError]) -> ProcessRecord | None:
        for _ in range(round(patience_s / _GLANCE_S)):
            if self._closed.is_set():
                return None
            record = self._process.read(_GLANCE_S)
            if record is not None:
                return record
        raise out_of_patience()

    def _silence(self) -> SourceError:
        return SourceLost(
            f"{self.name}: no sound from the microphone for {NO_SOUND_S:.0f} s; "
            "is it still there, and does its sound server answer?"
        )

    def _instant(self, at_s: float) -> Instant:
        """The process dates blocks by the monotonic clock, which all processes share."""
        now = Instant.of(self._clock)
        return now.plus(at_s - now.monotonic_s)

    def _found(self, devices: list[InputDevice]) -> InputDevice:
        wanted = self._config.device
        match chosen(wanted, devices):
            case [device]:
                return device
            case []:
                what = "there is no microphone" if wanted == "default" else f"no input device {wanted!r}"
                raise SourceUnavailable(f"{what}; run `earwitness devices` to list them")
            case several:
                ids = ", ".join(device.id for device in several)
                raise SourceUnavailable(
                    f"{wanted!r} can be any of {ids}; run `earwitness devices` and use an id", refused=True
                )

    def _request(self, device: InputDevice) -> dict[str, Any]:
        """What to ask for: the rate of the configuration, else the first usual one that the device takes."""
        channels = self._config.channel or min(2, device.channels)
        if channels > device.channels:
            raise SourceUnavailable(
                f"{device.name!r} has no channel {channels}, only {device.channels}", refused=True
            )
        rate_hz = self._config.sample_rate_hz
        return {
            "index": device.index,
            "channels": channels,
            "sample_format": self._config.sample_format,
            "rates_hz": [rate_hz] if rate_hz else [48_000, device.sample_rate_hz, *USUAL_RATES_HZ],
            "block_s": PIECE_S,
            "queued_blocks": QUEUED_BLOCKS,
        }

"""WAV as most programs write it: one channel of linear 16-bit samples, read as it lies in the file.

FFmpeg would give the same samples, for several times the processor time and 20 MB of memory, most of it for
codecs that such a file has no use for.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Self

import numpy as np

from monitor.errors import SourceLost, SourceUnavailable
from monitor.sources.base import CALM_S
from monitor.sources.decoding import plain_reason
from monitor.sources.lengths import WavHeader, wav_header
from monitor.sources.recorded import RecordedSound, check_heard, check_promise
from monitor.sources.timing.framer import HIGHEST_RATE_HZ, LOWEST_RATE_HZ, as_float

_LINEAR = 1
_SAMPLE_BYTES = 2


class PlainWav:
    """One such file. See `Recording`."""

    @classmethod
    def of(cls, path: Path, track: int | None) -> Self | None:
        """The file, where it is one; None where it is something else or cannot be read, which FFmpeg can say
        better."""
        header = wav_header(path)
        return cls(path, header) if header is not None and track in (None, 1) and _is_plain(header) else None

    def __init__(self, path: Path, header: WavHeader) -> None:
        self._path = path
        self._header = header
        self._resources = ExitStack()
        self._file: BinaryIO | None = None
        self._left_bytes = self._heard_bytes = 0

    def __enter__(self) -> Self:
        try:
            self._file = self._resources.enter_context(self._path.open("rb"))
        except OSError as error:
            reason = f"{self._path}: cannot be read ({plain_reason(error)})"
            raise SourceUnavailable(reason, refused=True) from None
        self._begin()
        return self

    def __exit__(self, *exc: object) -> None:
        self._file = None
        self._resources.close()

    def _begin(self) -> None:
        assert self._file is not None
        self._file.seek(self._header.data_at)
        self._left_bytes, self._heard_bytes = self._header.data_size, 0

    @property
    def length_s(self) -> float:
        return self._seconds(min(self._header.data_size, self._header.there))

    def _seconds(self, size: int) -> float:
        return size / _SAMPLE_BYTES / self._header.shape.rate_hz

    def sounds(self) -> Iterator[RecordedSound]:
        """As much at a time as is heard at once in calm: nothing is kept, and nothing joined."""
        most_bytes = round(CALM_S * self._header.shape.rate_hz) * _SAMPLE_BYTES
        while data := self._read(min(most_bytes, self._left_bytes)):
            self._left_bytes -= len(data)
            samples = np.frombuffer(data, "<i2", len(data) // _SAMPLE_BYTES)
            self._heard_bytes += samples.nbytes
            if len(samples):
                yield RecordedSound(as_float(samples), self._header.shape.rate_hz)

    def _read(self, size: int) -> bytes:
        assert self._file is not None
        try:
            return self._file.read(size)
        except OSError as error:
            heard_s = self._seconds(self._heard_bytes)
            reason = f"{self._path}: breaks off after {heard_s:.1f} s ({plain_reason(error)})"
            raise SourceLost(reason) from None

    def rewind(self) -> None:
        check_heard(self._path, self._heard_bytes)
        self._begin()

    def check_whole(self) -> None:
        check_heard(self._path, self._heard_bytes)
        heard_s = self._seconds(self._heard_bytes)
        check_promise(self._path, heard_s, self._header.promised_s(self._path))


def _is_plain(header: WavHeader) -> bool:
    """Two channels may be DTS that calls itself linear, and a header without a size one that was never
    finished: FFmpeg knows what becomes of these."""
    shape = header.shape
    is_linear = (shape.kind, shape.channels, shape.bits, shape.align) == (_LINEAR, 1, 16, _SAMPLE_BYTES)
    return is_linear and LOWEST_RATE_HZ <= shape.rate_hz <= HIGHEST_RATE_HZ and header.data_size > 0

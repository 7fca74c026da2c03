"""A source as it is at this moment: who listens to it, and how far its sound reaches."""

import asyncio
from datetime import UTC, datetime

import numpy as np
import pytest

from monitor.audio import SAMPLE_RATE_HZ, Audio, Piece, Samples
from monitor.synthesis.room import coloured_noise
from monitor.types import Message, Setting
from monitor.web.live.audio import LiveAudio
from monitor.web.live.bandwidth import LEAST, Bandwidth


def room(seconds: int, ends_hz: float = 8000.0) -> Samples:
    """Its own noise at -60 dBFS, of which a codec leaves nothing above a frequency but the last bit."""
    rng = np.random.default_rng(4)
    samples = coloured_noise(rng, seconds * SAMPLE_RATE_HZ).astype(np.float64)
    spectrum = np.fft.rfft(samples * 1e-3 / samples.std())
    spectrum[np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE_HZ) > ends_hz] = 0
    quiet = np.fft.irfft(spectrum, len(samples))
    return (np.round(quiet * 32768 + rng.uniform(-0.5, 0.5, len(quiet))) / 32768).astype(np.float32)


@pytest.mark.parametrize(("ends_hz", "low", "high"), [(3400, 3200, 3700), (8000, 7000, 8000)])
def test_where_the_sound_ends_is_found(ends_hz: float, low: float, high: float) -> None:
    """A telephone's codec, and a line that carries everything; not before there is enough of it."""
    width, half = Bandwidth(), SAMPLE_RATE_HZ // 2
    samples = room(LEAST, ends_hz)
    for n in range(2 * LEAST):
        assert (width.hz is None) == (n < LEAST)
        width.push(samples[n * half : (n + 1) * half])
    assert width.hz is not None
    assert low <= width.hz <= high


def test_silence_says_nothing() -> None:
    """A source that delivers zeros has no bandwidth."""
    width = Bandwidth()
    for _ in range(2 * LEAST):
        width.push(np.zeros(SAMPLE_RATE_HZ // 2, np.float32))
    assert width.hz is None


def test_everybody_is_shown_that_somebody_listens() -> None:
    """On from the first listener to the last; off at the start, whatever an earlier run has left. They hear
    what comes, to the bit, and nobody hears another room."""
    shown: list[Message] = []

    async def listened() -> bytes:
        live = LiveAudio(shown.append, ["hall", "nursery"])
        loop = asyncio.get_running_loop()
        one, other = live.join("hall", loop), live.join("hall", loop)
        samples = np.array([0, 0.5, -1], np.float32)
        for source in ("nursery", "hall"):
            live.hear(Piece(source, datetime.now(UTC), Audio(samples, SAMPLE_RATE_HZ)))
        live.leave(other)
        assert live.listening("hall") == 1
        heard = await one.take(60)
        live.leave(one)
        assert live.listening("hall") == 0
        return heard

    heard = asyncio.run(listened())
    assert np.frombuffer(heard, "<i2").tolist() == [0, 16384, -32768]
    settings = [(one.source, one.value) for one in shown if isinstance(one, Setting)]
    assert settings == [("hall", False), ("nursery", False), ("hall", True), ("hall", True), ("hall", False)]

"""A Wyoming satellite streams to us; the package's own client plays it."""

import asyncio
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any

import numpy as np
import pytest
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe, Info

from monitor.audio import Audio
from monitor.clock import SystemClock
from monitor.errors import SourceLost, SourceUnavailable
from monitor.sources.wyoming import WyomingConfig, WyomingSource
from testkit.mosquitto import free_port
from testkit.recordings import pitch_hz, tone_at


def source(port: int, **options: Any) -> WyomingSource:
    block = {"type": "wyoming", "name": "den", "host": "127.0.0.1", "port": port, **options}
    return WyomingConfig.model_validate(block).build(SystemClock())


async def _stream(port: int, over: threading.Event, channels: int, answers: list[str]) -> None:
    tone = (tone_at(1000, 1, 16_000) * 32767).astype("<i2")
    blocks = np.repeat(tone.reshape(-1, 320), channels, axis=1) if channels > 1 else tone.reshape(-1, 320)
    async with AsyncTcpClient("127.0.0.1", port) as client:
        await client.write_event(Describe().event())
        event = await client.read_event()
        answers.append(event.type if event else "")
        await client.write_event(AudioStart(16_000, 2, channels).event())
        while not over.is_set():
            for block in blocks:
                await client.write_event(AudioChunk(16_000, 2, channels, block.tobytes()).event())
                await asyncio.to_thread(over.wait, 0.02)  # the pace of a microphone
                if over.is_set():
                    break
        await client.write_event(AudioStop().event())


@contextmanager
def streaming(port: int, channels: int = 1) -> Iterator[list[str]]:
    """A satellite as it streams a tone; what it was answered."""
    over, answers = threading.Event(), list[str]()
    thread = threading.Thread(target=lambda: asyncio.run(_stream(port, over, channels, answers)))
    thread.start()
    yield answers
    over.set()
    thread.join()


@pytest.mark.parametrize("channels", [1, 2])
def test_what_a_satellite_streams_is_heard(channels: int) -> None:
    """At its pitch, in one channel or two; it may ask first who we are."""
    port = free_port()
    with source(port, silent_after_s=120) as listening, streaming(port, channels) as answers:
        frames = list(islice(listening.frames(), 40))
    assert pitch_hz(Audio.join(frame.audio for frame in frames[10:]).samples) == pytest.approx(1000, abs=5)
    assert [Info.is_type(one) for one in answers] == [True]


def test_without_a_satellite_the_source_is_lost_with_the_reason() -> None:
    """And it can be opened again on the same port."""
    port = free_port()
    listening = source(port, silent_after_s=1)
    for _ in range(2):
        with listening, pytest.raises(SourceLost, match=f"does it connect to port {port}"):
            list(listening.frames())


def test_a_port_in_use_is_named() -> None:
    """The second source is offline with the reason."""
    port = free_port()
    with source(port), pytest.raises(SourceUnavailable, match="used by another program"):
        source(port).__enter__()


def test_a_hostile_client_is_hung_up_on_and_the_next_one_is_heard() -> None:
    """Messages that are none, that announce gigabytes, or whose format is no sound's."""
    port = free_port()
    chunk = {"type": "audio-chunk", "payload_length": 4}
    bad: list[bytes] = [
        b"no JSON\n",
        b"[]\n",
        b"{}\n",
        b'{"type": "audio-chunk"}\n',
        b"x" * 100_000 + b"\n",
        json.dumps(chunk | {"payload_length": 10**12}).encode() + b"\n",
        json.dumps(chunk | {"payload_length": "many"}).encode() + b"\n",
        json.dumps(chunk | {"data": {"rate": 1, "width": 2, "channels": 1}}).encode() + b"\n1234",
        json.dumps(chunk | {"data": {"rate": 16000, "width": 3, "channels": 0}}).encode() + b"\n1234",
    ]
    with source(port, silent_after_s=120) as listening:
        for message in bad:
            with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
                client.sendall(message)
                assert client.recv(10) == b"", message[:60]
        with streaming(port):
            assert len(list(islice(listening.frames(), 10))) == 10

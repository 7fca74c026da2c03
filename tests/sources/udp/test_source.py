"""The source on a real socket, with the sender that we ship."""

import socket
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.audio import Audio
from monitor.clock import SystemClock
from monitor.errors import SourceLost, SourceUnavailable
from monitor.sources.udp.source import UdpConfig, UdpSource
from testkit.mosquitto import free_port
from testkit.recordings import pitch_hz, tone_at
from testkit.udp_sender import KEY, SCRIPT, WiredSender

PORT = free_port()
ROOT = Path(__file__).parents[3]
COMPONENT = ROOT / "packaging" / "esphome" / "components" / "earwitness"
COMPONENT_HERE = ROOT / "testkit" / "esphome_sender.cpp"


def source(**options: Any) -> UdpSource:
    block = {"type": "udp", "name": "nursery", "host": "127.0.0.1", "key": KEY.hex(), **options}
    return UdpConfig.model_validate(block).build(SystemClock())


def shipped_script(port: int, key: bytes, folder: Path) -> list[str]:
    """How the script is started."""
    file = folder / "key"
    file.write_text(key.hex() + "\n")
    return [sys.executable, str(SCRIPT), "127.0.0.1", "--port", str(port), "--key-file", str(file)]


def esphome_component(port: int, key: bytes, folder: Path) -> list[str]:
    """The same of ESPHome's component, built for this machine, where it stops at an error of memory."""
    program = folder / "sender"
    flags = [
        "-std=c++17",
        "-Wall",
        "-Wextra",
        "-Werror",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover",
    ]
    subprocess.run(
        ["g++", *flags, f"-I{COMPONENT}", str(COMPONENT_HERE), "-lmbedcrypto", "-o", str(program)], check=True
    )
    return [str(program), "127.0.0.1", str(port), key.hex(), "16000"]


class Sending:
    """A sender as a process, fed with a tone at the pace of a microphone."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._feed)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        self._thread.join()
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.wait(60) == 0

    def _feed(self) -> None:
        assert self._process.stdin is not None
        tone = (tone_at(1000, 1, 16_000) * 32767).astype("<i2").tobytes()
        while not self._over.is_set():
            for begin in range(0, len(tone), 640):
                self._process.stdin.write(tone[begin : begin + 640])
                self._process.stdin.flush()
                if self._over.wait(0.02):
                    return


@pytest.mark.parametrize("sender", [shipped_script, esphome_component])
def test_a_tone_that_is_sent_is_heard(sender, tmp_path):
    """From both senders that we ship through a real socket, at its pitch, and the figures have it."""
    listening = source(port=PORT, silent_after_s=120)
    with listening, Sending(sender(listening.port, KEY, tmp_path)):
        frames = list(islice(listening.frames(), 50))
        figures = listening.network
        listening.close()
    assert pitch_hz(Audio.join(frame.audio for frame in frames[10:]).samples) == pytest.approx(1000, abs=5)
    assert figures["datagrams"] > 0
    assert figures["sessions"] == 1


@pytest.mark.parametrize("sender", [shipped_script, esphome_component])
def test_a_daemon_that_begins_anew_is_greeted_anew(sender, tmp_path):
    """The session ended with the daemon that had it; the sender begins another without being asked."""
    with Sending(sender(PORT, KEY, tmp_path)):
        with source(port=PORT, silent_after_s=120) as before:
            assert list(islice(before.frames(), 5))
            before.close()
        with source(port=PORT, silent_after_s=120) as after:
            frames = list(islice(after.frames(), 20))
            assert after.network["sessions"] == 1
            after.close()
    assert pitch_hz(Audio.join(frame.audio for frame in frames).samples) == pytest.approx(1000, abs=5)


def test_a_wrong_key_is_named_as_the_reason():
    """Whoever set it up reads what to look at."""
    with source(port=PORT, silent_after_s=1) as listening, WiredSender(bytes(32)) as sender:
        hello = sender.send(b"", 0.0)
        assert hello is not None
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
            wire.sendto(hello, ("127.0.0.1", listening.port))
        with pytest.raises(SourceLost) as lost:
            list(listening.frames())
    assert "made with another key" in str(lost.value)


def test_nobody_sends():
    """The reason names the port."""
    with source(port=PORT, silent_after_s=1) as listening, pytest.raises(SourceLost) as lost:
        list(listening.frames())
    assert f"does it send to port {PORT}" in str(lost.value)


def test_two_sources_cannot_wait_on_one_port():
    """The second is offline with the reason, and is tried again."""
    with source(port=PORT), pytest.raises(SourceUnavailable) as refused:
        source(port=PORT).__enter__()
    assert "is the port used by another program" in str(refused.value)


def test_the_error_about_a_key_does_not_carry_it():
    """It is a secret also where it is wrong."""
    with pytest.raises(ValidationError) as wrong:
        source(key="0123secret")
    assert "openssl rand -hex 32" in str(wrong.value)
    assert "0123secret" not in str(wrong.value)

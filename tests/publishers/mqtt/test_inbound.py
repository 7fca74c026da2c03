"""What of a broker's bytes comes through."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.publishers.mqtt.inbound import PacketLimit
from testkit.mosquitto import Mosquitto, Subscriber
from tests.publishers.conftest import Publish


def packet(kind: int, body: bytes) -> bytes:
    """One packet with its length in front."""
    head, length = bytearray([kind << 4]), len(body)
    while True:
        head.append(length & 0x7F | (0x80 if length > 0x7F else 0))
        length >>= 7
        if not length:
            return bytes(head) + body


def packets(stream: bytes) -> list[tuple[int, bytes]]:
    """The types and bodies that a client takes out of `stream`."""
    found, left = [], io.BytesIO(stream)
    while kind := left.read(1):
        length = shift = 0
        while True:
            byte = left.read(1)[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                break
        found.append((kind[0] >> 4, left.read(length)))
    return found


def arrived(stream: bytes, pieces: list[int], largest_bytes: int) -> bytes:
    """What comes through when the network delivers `stream` in pieces and stalls after each."""
    network = io.BytesIO(stream)
    left = iter(pieces)
    piece = 0

    def read(most: int) -> bytes:
        nonlocal piece
        if piece == 0:
            piece = next(left, len(stream) + 1)
            raise BlockingIOError
        data = network.read(min(most, piece))
        piece -= len(data)
        return data

    limit, through = PacketLimit(read, largest_bytes), b""
    while True:
        try:
            data = limit(1 if len(through) % 2 else 7)
        except BlockingIOError:
            continue
        if not data:
            return through
        through += data


bodies = st.lists(st.binary(max_size=400), max_size=5)


@given(bodies, st.lists(st.integers(1, 200), max_size=30), st.integers(1, 300))
def test_a_message_that_is_too_long_is_its_beginning(bodies, pieces, largest_bytes):
    """However the bytes arrive: the others come through whole, and none is out of step."""
    stream = b"".join(packet(3, body) for body in bodies)

    through = packets(arrived(stream, pieces, largest_bytes))

    assert through == [(3, body[:largest_bytes]) for body in bodies]


def test_what_is_no_message_and_too_long_ends_the_connection():
    """An acknowledgement of a megabyte is no MQTT."""
    with pytest.raises(ConnectionError, match="no message"):
        arrived(packet(9, b"x" * 2000), [], 1000)


def test_a_length_that_never_ends_ends_the_connection():
    """MQTT's lengths have four bytes at most."""
    with pytest.raises(ConnectionError, match="five bytes"):
        arrived(b"\x30" + b"\xff" * 8, [], 1000)


_MEASURED = """
import resource, sys, threading
from monitor.clock import SystemClock
from monitor.publishers.mqtt.config import MqttConfig
from testkit.builders import house
obeyed = threading.Event()
config = MqttConfig(type="mqtt", port=int(sys.argv[1]), protocol=sys.argv[2], homeassistant=False)
publisher = config.build("home", lambda command: obeyed.set(), SystemClock())
publisher.announce(house())
with publisher:
    while not publisher.ready():
        pass
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("ready", file=sys.stderr, flush=True)
    assert obeyed.wait(60)
    more = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    print(more, publisher.refused_commands, file=sys.stderr)
"""


@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_a_message_of_200_mb_takes_no_memory(tmp_path, life, protocol):
    """To a command's topic, from anyone who may write it: refused, and the next command is obeyed."""
    broker = life.enter_context(Mosquitto(tmp_path / "broker"))
    speaker = life.enter_context(Subscriber(broker, "earwitness/home/health"))
    command = [sys.executable, "-c", _MEASURED, str(broker.port), protocol]
    with (
        open(tmp_path / "log", "w") as log,
        subprocess.Popen(
            command, cwd=Path(__file__).parents[3], stdout=log, stderr=subprocess.PIPE, text=True
        ) as run,
    ):
        assert run.stderr is not None
        assert run.stderr.readline() == "ready\n"
        speaker.say("earwitness/home/test/set", bytes(200_000_000))
        speaker.say("earwitness/home/test/set", "PRESS")
        more_kb, refused = map(int, run.stderr.readline().split())

    assert more_kb < 20_000
    assert refused == (1 if protocol == "3.1.1" else 0)  # over 5 the broker keeps it back


def test_a_long_discovery_document_of_others_stops_nobody(broker, listener, publish: Publish):
    """Retained, in the folder that we read at the start."""
    listener.say("homeassistant/device/theirs/config", b'{"a":"' + b"x" * 1_000_000 + b'"}', retain=True)

    running = publish(port=broker.port, protocol="3.1.1")
    running.wait_ready()
    assert running.publisher.connections == 1

"""Sound through encrypted datagrams: loss, disorder, replays and forgery."""

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.audio import Piece
from monitor.sources.timing.timekeeper import Instant
from monitor.sources.udp.receiver import UdpReceiver
from monitor.sources.udp.sessions import MOST_BEGUN
from testkit.fakes import FakeClock
from testkit.udp_sender import KEY, WiredSender

BLOCK = 320
BLOCK_S = 0.02
ADDRESS = ("127.0.0.1", 1)
FILLED_BLOCKS = 12


class Network:
    """A sender, a receiver, and a clock; what is lost between them a test decides."""

    def __init__(self, key: bytes = KEY, receiver: UdpReceiver | None = None) -> None:
        self.clock = FakeClock()
        self.receiver = receiver or UdpReceiver("nursery", KEY)
        self.sender = WiredSender(key)
        self.pieces: list[Piece] = []

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, *exc: object) -> None:
        self.sender.__exit__()

    def carry(self, datagrams: Iterable[bytes]) -> list[bytes]:
        """To the receiver; its answers come back to the sender."""
        at = Instant.of(self.clock)
        self.pieces += self.receiver.take([(one, ADDRESS) for one in datagrams], at)
        answers = [answer for answer, _ in self.receiver.answers]
        self.receiver.answers.clear()
        for answer in answers:
            self.sender.take(answer, at.monotonic_s)
        return answers

    def begin(self) -> list[bytes]:
        """Hello and its answer."""
        hello = self.sender.send(b"", self.clock.monotonic_s())
        assert hello is not None
        self.carry([hello])
        return [hello]

    def block(self, number: int) -> bytes:
        """The datagram with the block of this number."""
        datagram = self.sender.send(pcm(number), self.clock.monotonic_s())
        assert datagram is not None
        return datagram

    def settle(self) -> None:
        """Time passes until nothing is waited for any more."""
        self.clock.advance(0.3)
        self.carry([])

    def heard(self) -> np.ndarray:
        return np.concatenate(
            [piece.audio.samples for piece in [*self.pieces, *self.receiver.framer.finish()]]
        )


def pcm(number: int) -> bytes:
    """No two blocks are alike, and none is silent."""
    return (np.arange(BLOCK, dtype="<i2") + 1 + 331 * (number % 90)).astype("<i2").tobytes()


def wanted(numbers: Iterable[int | None]) -> np.ndarray:
    """The sound of these blocks; None is silence of a block's length."""
    parts = [bytes(2 * BLOCK) if one is None else pcm(one) for one in numbers]
    return np.frombuffer(b"".join(parts), "<i2").astype(np.float32) / 32768


def same(heard: np.ndarray, expected: np.ndarray) -> bool:
    """But for the last frame, which may be incomplete."""
    shared = min(len(heard), len(expected))
    return abs(len(heard) - len(expected)) < 480 and bool(np.array_equal(heard[:shared], expected[:shared]))


def test_what_is_sent_is_heard_sample_by_sample() -> None:
    """And confirmed to the sender; the figures have no loss."""
    with Network() as net:
        net.begin()
        assert net.sender.is_heard
        for number in range(100):
            net.clock.advance(BLOCK_S)
            net.carry([net.block(number)])
        net.settle()
        assert same(net.heard(), wanted(range(100)))
        figures = net.receiver.figures
    assert {key: figures[key] for key in ("datagrams", "lost", "repeated", "strangers", "sessions")} == {
        "datagrams": 100, "lost": 0, "repeated": 0, "strangers": 0, "sessions": 1,
    }  # fmt: skip


@settings(max_examples=40)
@given(
    lost=st.sets(st.integers(1, 58)),
    twice=st.sets(st.integers(0, 59), max_size=10),
    swapped=st.sets(st.integers(0, 58), max_size=20),
    forged=st.dictionaries(st.integers(0, 59), st.integers(0, 10_000), max_size=20),
)
def test_loss_is_silence_in_its_place_and_nothing_forged_is_heard(
    lost: set[int], twice: set[int], swapped: set[int], forged: dict[int, int]
) -> None:
    """Whatever is lost, repeated, swapped with its neighbour or changed by a bit on the way."""
    lost -= {n for n in lost if {*range(n - FILLED_BLOCKS, n)} <= lost}  # longer holes: below
    with Network() as net:
        net.begin()
        sent: dict[int, bytes] = {}
        for number in range(60):
            sent[number] = net.block(number)
        order = list(range(60))
        for one in swapped - {n + 1 for n in swapped}:
            order[one], order[one + 1] = order[one + 1], order[one]
        for number in order:
            net.clock.advance(BLOCK_S)
            come = [] if number in lost else [sent[number]] * (1 + (number in twice))
            if number in forged:
                changed = bytearray(sent[number])
                changed[5 + forged[number] % (len(changed) - 5)] ^= 1 + forged[number] % 255
                come.insert(0, bytes(changed))
            net.carry(come)
        net.settle()
        last = max(set(range(60)) - lost)
        assert same(net.heard(), wanted(None if n in lost else n for n in range(last + 1)))
        assert net.receiver.figures["lost"] == len({n for n in lost if n < last})
        assert net.receiver.figures["strangers"] == len(forged)


def test_a_long_hole_is_a_gap_of_its_length() -> None:
    """Two seconds are lost: what follows is dated two seconds later by the sender's sample clock."""
    with Network() as net:
        net.begin()
        for number in range(200):
            net.clock.advance(BLOCK_S)
            datagram = net.block(number)
            net.carry([] if 60 <= number < 160 else [datagram])
        net.settle()
        [(before, after)] = [(a, b) for a, b in pairwise(net.pieces) if b.follows_gap]
    assert (after.captured_at - before.ends_at).total_seconds() == pytest.approx(2.0, abs=0.05)
    assert net.receiver.figures["lost"] == 100


def test_a_former_session_is_never_heard_again() -> None:
    """Hello, sound and all, recorded and sent again: it is answered, and nothing of it is heard."""
    with Network() as first:
        recorded = first.begin() + [first.block(number) for number in range(50)]
        first.carry(recorded[1:])
        with Network(receiver=first.receiver) as second:
            second.begin()
            second.carry([second.block(0)])
            heard = first.receiver.datagrams
            first.receiver.take([(one, ADDRESS) for one in recorded], Instant.of(second.clock))
            assert first.receiver.datagrams == heard
            assert first.receiver.figures["strangers"] == 50
            first.receiver.answers.clear()
            second.carry([second.block(1)])
            assert first.receiver.datagrams == heard + 1, "the session that goes on is not disturbed"


def test_another_key_is_a_stranger() -> None:
    """No answer, no sound; counted, and the log has one line of a flood."""
    from structlog.testing import capture_logs

    with Network(key=bytes(32)) as net, capture_logs() as lines:
        hello = net.sender.send(b"", 0.0)
        assert hello is not None
        for junk in (hello, b"", b"EWM1", b"EWM1\x03" + bytes(200), b"x" * 9000):
            for _ in range(200):
                net.clock.advance(0.01)
                assert net.carry([junk]) == []
        assert net.receiver.figures["strangers"] == 1000
    assert len(lines) == 1


def test_hellos_that_are_sent_again_fill_no_memory() -> None:
    """Each is answered with as many bytes as it has, and the oldest are let go."""
    receiver = UdpReceiver("nursery", KEY)
    for _ in range(MOST_BEGUN + 20):
        with Network(receiver=receiver) as net:
            hello = net.sender.send(b"", 0.0)
            assert hello is not None
            receiver.take([(hello, ADDRESS)], Instant.of(net.clock))
            assert [len(answer) for answer, _ in receiver.answers] == [len(hello)]
            receiver.answers.clear()
    assert len(receiver._sessions._begun) == MOST_BEGUN


def test_a_sender_that_is_not_confirmed_says_hello_again() -> None:
    """The daemon began anew and knows no session: the sender notices by itself."""
    with Network() as net:
        net.begin()
        net.carry([net.block(0)])
        net.receiver = UdpReceiver("nursery", KEY)
        kinds = []
        for number in range(1, 400):
            net.clock.advance(BLOCK_S)
            datagram = net.sender.send(pcm(number), net.clock.monotonic_s())
            if datagram is not None:
                kinds.append(datagram[4])
                net.carry([datagram])
        assert 1 in kinds
        assert net.sender.is_heard
        assert net.receiver.figures["sessions"] == 1

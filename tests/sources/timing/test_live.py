"""Live sound on two clocks."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.sources.timing.live import LiveFramer
from monitor.sources.timing.timekeeper import Instant
from monitor.types import Frame
from testkit.builders import START, in_frames

PACKET_S = 0.1
RATE_HZ = 8000
PACKET = np.zeros(round(PACKET_S * RATE_HZ), np.float32)


class Delivery:
    """A source of packets whose clock, delays and losses a test decides."""

    def __init__(self, window_s: float = 20.0) -> None:
        self.framer = LiveFramer("porch", window_s)
        self.frames: list[Frame] = []
        self.heard_s = 0.0
        """How far the source has recorded, by the true clock."""
        self.clock_set_s = 0.0
        """By how much the wall clock was set."""

    def deliver(self, duration_s: float, late_s: float = 0.0, ppm: float = 0.0) -> None:
        """Packets of so much sound, each `late_s` after its recording; `ppm` above 0 is a slow microphone."""
        for _ in range(round(duration_s / PACKET_S)):
            self.heard_s += PACKET_S * (1 + ppm * 1e-6)
            self.frames += in_frames(self.framer.push(PACKET, RATE_HZ, self.instant(self.heard_s + late_s)))

    def burst(self, duration_s: float) -> None:
        """As much sound that had been waiting arrives in this moment; time does not pass."""
        now = self.instant(self.heard_s)
        for _ in range(round(duration_s / PACKET_S)):
            self.frames += in_frames(self.framer.push(PACKET, RATE_HZ, now))

    def instant(self, at_s: float) -> Instant:
        return Instant(1000.0 + at_s, START + timedelta(seconds=at_s + self.clock_set_s))

    def lag_s(self) -> float:
        """The true time of the last frame's end, less the date it was given."""
        return self.heard_s + self.clock_set_s - (self.frames[-1].ends_at - START).total_seconds()

    def gaps(self) -> int:
        """Without the very first frame's."""
        return sum(frame.follows_gap for frame in self.frames) - 1


def test_sound_is_dated_when_it_was_recorded() -> None:
    """The first frame is dated by the first sample, not by its arrival."""
    delivery = Delivery()
    delivery.deliver(2)

    assert abs((delivery.frames[0].captured_at - START).total_seconds()) < 1e-3
    assert delivery.frames[0].follows_gap


def test_a_late_packet_moves_no_date() -> None:
    """Jitter of the network is not taken for time: one second's delay changes nothing."""
    delivery = Delivery()
    delivery.deliver(5)
    delivery.deliver(0.4, late_s=1.0)
    delivery.deliver(30)

    assert delivery.gaps() == 0
    assert delivery.lag_s() < 0.2


def test_sound_that_waited_before_opening_is_not_dated_in_the_future() -> None:
    """A server's backlog of four seconds, sent at once on opening, is dated four seconds back."""
    delivery = Delivery()
    delivery.burst(4)
    delivery.deliver(10)

    assert delivery.gaps() == 0
    assert abs((delivery.frames[0].captured_at - START).total_seconds() + 4) < 0.05
    assert all(frame.ends_at <= START + timedelta(seconds=10) for frame in delivery.frames)


def test_a_backlog_that_comes_later_dates_sound_anew_and_marks_it() -> None:
    """Ten seconds into the stream, two seconds too many come at once: dated back, marked as a gap once."""
    delivery = Delivery()
    delivery.deliver(10)
    delivery.burst(2)
    delivery.deliver(10)

    assert 1 <= delivery.gaps() <= 8
    assert delivery.lag_s() < 0.3


@settings(max_examples=5, deadline=None)
@given(ppm=st.integers(-300, 300))
def test_drift_is_followed_and_reported(ppm: int) -> None:
    """A microphone's clock that is off by up to 300 ppm is corrected without a gap, and named."""
    delivery = Delivery()
    delivery.deliver(600, ppm=ppm)

    assert delivery.gaps() == 0
    assert abs(delivery.lag_s()) < 0.12
    assert delivery.framer.drift_ppm == pytest.approx(ppm, abs=10)
    assert abs(delivery.framer.clock_offset_s) < 0.05


def test_drift_is_found_under_jitter() -> None:
    """Random delays up to 150 ms hide 100 ppm of drift from nobody."""
    delivery = Delivery()
    rng = np.random.default_rng(1)
    for _ in range(900 * 5):
        delivery.deliver(0.2, late_s=rng.uniform(0, 0.15), ppm=100)

    assert delivery.gaps() == 0
    assert delivery.framer.drift_ppm == pytest.approx(100, abs=30)


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_set_dates_sound_anew(hours: int) -> None:
    """The clock set by an hour marks one gap; no sample is lost and the next sound has the new time."""
    delivery = Delivery()
    delivery.deliver(5)
    delivery.clock_set_s = hours * 3600
    delivery.deliver(5)

    assert delivery.gaps() == 1
    assert abs(delivery.lag_s()) < 0.2
    assert len(delivery.frames) >= 10 / 0.03 - 6


def test_a_clock_that_is_slewed_is_followed_without_a_gap() -> None:
    """The network time service moving the clock by 200 ms is followed slowly."""
    delivery = Delivery()
    delivery.deliver(5)
    delivery.clock_set_s = 0.2
    delivery.deliver(300)

    assert delivery.gaps() == 0
    assert abs(delivery.lag_s()) < 0.15


def test_sound_lost_unseen_is_noticed_by_the_clock() -> None:
    """Three seconds that never came and that nobody reported are a gap within two windows."""
    delivery = Delivery(window_s=5)
    delivery.deliver(12)
    delivery.heard_s += 3
    delivery.deliver(12)

    assert delivery.gaps() == 1
    assert abs(delivery.lag_s()) < 0.2


def test_a_gap_of_known_length_is_skipped_exactly() -> None:
    """Half a second missing by the sender's word dates the next frame half a second on."""
    delivery = Delivery()
    delivery.deliver(4)
    delivery.framer.gap(0.5)
    delivery.heard_s += 0.5
    delivery.deliver(4)

    after = [frame for frame in delivery.frames if frame.follows_gap][1]
    assert delivery.gaps() == 1
    assert (after.captured_at - START).total_seconds() == pytest.approx(4.5, abs=0.03)


def test_a_gap_of_unknown_length_is_dated_by_arrival() -> None:
    """After an overflow the next sound is dated by when it came."""
    delivery = Delivery()
    delivery.deliver(4)
    delivery.framer.gap()
    delivery.heard_s += 7
    delivery.deliver(4)

    after = [frame for frame in delivery.frames if frame.follows_gap][1]
    assert delivery.gaps() == 1
    assert (after.captured_at - START).total_seconds() == pytest.approx(11, abs=0.001)


def test_a_change_of_rate_keeps_the_time() -> None:
    """A camera that switches from 8 to 48 kHz goes on where it was, the seam marked."""
    delivery = Delivery()
    delivery.deliver(4)
    wide = np.zeros(4800, np.float32)
    frames: list[Frame] = []
    for _ in range(50):
        delivery.heard_s += PACKET_S
        frames += in_frames(delivery.framer.push(wide, 48_000, delivery.instant(delivery.heard_s)))

    after = next(frame for frame in frames if frame.follows_gap)
    assert (after.captured_at - START).total_seconds() == pytest.approx(4, abs=0.03)


def test_a_source_that_lies_about_its_rate_is_measured() -> None:
    """A stream that claims 8 kHz and delivers two percent less is dated right and its error is named."""
    delivery = Delivery()
    delivery.deliver(600, ppm=20_000)

    assert abs(delivery.lag_s()) < 1.5
    assert delivery.framer.drift_ppm == pytest.approx(20_000, rel=0.1)


def test_what_was_held_back_comes_out_at_the_end() -> None:
    """A source that is lost before it settled has still been heard."""
    delivery = Delivery()
    delivery.burst(2)
    frames = in_frames(delivery.framer.finish())

    assert len(frames) == 66
    assert frames[-1].ends_at <= START

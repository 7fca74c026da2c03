"""Sample rates that are not what a source says."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.sources.timing.rate import USUAL_RATES_HZ, RateCheck, Surplus

PACKET_S = 0.02


def found(
    says_hz: int, delivers_hz: float, duration_s: float, jitter_s: float = 0.0
) -> tuple[int | None, float]:
    """What is found, and after how many seconds."""
    check, rng = RateCheck(), np.random.default_rng(1)
    arrived_s = 0.0
    for number in range(round(duration_s / PACKET_S)):
        arrived_s = max(arrived_s, number * PACKET_S + rng.uniform(0, jitter_s))
        rate_hz = check.push(PACKET_S * delivers_hz / says_hz, says_hz, arrived_s)
        if rate_hz is not None:
            return rate_hz, arrived_s
    return None, duration_s


@pytest.mark.parametrize("says_hz", USUAL_RATES_HZ)
@pytest.mark.parametrize("delivers_hz", USUAL_RATES_HZ)
def test_a_camera_that_lies_about_its_rate_is_found_out(says_hz: int, delivers_hz: int) -> None:
    """Every usual rate behind every other is found within 10 s, and the truth is believed."""
    rate_hz, after_s = found(says_hz, delivers_hz, 60)

    if not 0.1 < delivers_hz / says_hz < 10 or says_hz == delivers_hz:
        assert rate_hz is None
    else:
        assert rate_hz == delivers_hz
        assert after_s < 10


def test_a_rate_that_nobody_uses_is_found_within_a_minute() -> None:
    """9,300 samples a second."""
    rate_hz, after_s = found(8000, 9300, 120)

    assert rate_hz == pytest.approx(9300, abs=30)
    assert after_s < 65


def test_jitter_hides_the_true_rate_for_half_a_minute_at_most() -> None:
    """Packets that come up to a quarter of a second late."""
    rate_hz, after_s = found(8000, 16_000, 60, jitter_s=0.25)

    assert rate_hz == 16_000
    assert after_s < 40


@given(ppm=st.integers(-2000, 2000), jitter_ms=st.integers(0, 250))
def test_an_honest_source_is_believed(ppm: int, jitter_ms: int) -> None:
    """Drift of any crystal, and jitter, are no other rate."""
    assert found(8000, 8000 * (1 + ppm * 1e-6), 120, jitter_ms / 1000)[0] is None


def test_a_backlog_is_no_other_rate() -> None:
    """Ten seconds of sound that come in one, again and again, as over a bad radio."""
    check = RateCheck()
    for cycle in range(30):
        for packet in range(500):
            assert check.push(PACKET_S, 8000, cycle * 10.0 + packet * 0.002) is None


def test_sound_that_is_known_to_be_lost_counts_as_sent() -> None:
    """A network that loses half of all packets makes no source of half the rate."""
    check = RateCheck()
    for number in range(3000):
        assert check.push(PACKET_S, 16_000, number * 2 * PACKET_S) is None
        check.missing(PACKET_S)


def surplus(pace: float, duration_s: float, backlog_s: float = 0.0) -> float:
    """What is found of a source that sends so many seconds a second, after what it had kept."""
    check = Surplus()
    check.push(backlog_s, 0.0)
    for number in range(round(duration_s / PACKET_S)):
        check.push(PACKET_S * pace, number * PACKET_S)
    return check.times


def test_a_source_that_sends_more_than_time_passes_is_measured() -> None:
    """A recording that is served as a camera, or a clock that is wrong."""
    assert surplus(50, 40) == pytest.approx(50, rel=0.02)
    assert surplus(1.8, 40) == pytest.approx(1.8, rel=0.02)


@pytest.mark.parametrize(("pace", "backlog_s"), [(1, 0), (1, 60), (1.05, 30), (0.5, 0)])
def test_a_backlog_and_a_drift_are_no_surplus(pace: float, backlog_s: float) -> None:
    """A server begins with what it has kept, and a crystal is never quite right."""
    assert surplus(pace, 60, backlog_s) == 1


def test_a_rate_that_no_microphone_has_is_never_believed() -> None:
    """Of a camera that says 96 kHz and sends nine times as much: the daemon would end with an error."""
    assert found(96_000, 96_000 * 9.1, 120)[0] is None

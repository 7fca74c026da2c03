"""Cameras that lie: about their clock, their rate, their tracks, their codec. A real RTSP connection each."""

from collections.abc import Iterator
from itertools import islice

import numpy as np
import pytest
from structlog.testing import capture_logs

from monitor.audio import Audio
from monitor.clock import SystemClock
from monitor.errors import SourceLost, SourceUnavailable
from monitor.sources.stream.source import StreamConfig, StreamSource
from monitor.types import Frame
from testkit.builders import noise
from testkit.odd_camera import CameraTrack, OddCamera, back_channel, linear, undecodable
from testkit.recordings import pitch_hz, tone_at

PITCH_HZ = 1000
TONE = tone_at(PITCH_HZ, 2, 8_000)
SILENCE = np.zeros(8_000, np.float32)
JITTER_S = np.random.default_rng(3).uniform(0, 0.25, 10_000)
STREAMS: dict[str, list[CameraTrack]] = {
    "true": [linear(TONE, 8_000)],
    "unit": [linear(TONE, 8_000, stamp=lambda number, at_s: at_s * 90_000 / 8_000)],
    "unit-48": [linear(TONE, 8_000, stamp=lambda number, at_s: at_s * 6)],
    "zero": [linear(TONE, 8_000, stamp=lambda number, at_s: 0.0)],
    "jitter": [linear(TONE, 8_000, stamp=lambda number, at_s: at_s + JITTER_S[number])],
    "sending": [
        linear(
            TONE,
            8_000,
            stamp=lambda number, at_s: number // 10 * 0.2 + 0.2 + number % 10 * 0.001,
            leaves=lambda number, at_s: number // 10 * 0.2 + 0.2,
        )
    ],
    "stray": [linear(TONE, 8_000, stamp=lambda number, at_s: at_s + (20 if number % 100 == 99 else 0))],
    "liar": [linear(tone_at(PITCH_HZ, 2, 16_000), 16_000, says_hz=8_000)],
    "back-channel": [back_channel(), linear(TONE, 8_000)],
    "silent-first": [linear(SILENCE, 8_000), linear(TONE, 8_000)],
    "undecodable-first": [undecodable(), linear(TONE, 8_000)],
    "undecodable": [undecodable()],
}


@pytest.fixture(name="camera", scope="module")
def _camera() -> Iterator[OddCamera]:
    with OddCamera(STREAMS) as camera:
        yield camera


def stream(camera: OddCamera, path: str, **options: object) -> StreamSource:
    block = {"type": "stream", "name": "porch", "url": camera.url(path), "silent_after_s": 5, **options}
    return StreamConfig.model_validate(block).build(SystemClock())


def heard(source: StreamSource, duration_s: float) -> list[Frame]:
    with source:
        return list(islice(source.frames(), round(duration_s / 0.03)))


def sound(frames: list[Frame]) -> Audio:
    return Audio.join(frame.audio for frame in frames)


@pytest.mark.parametrize("path", ["true", "unit", "unit-48", "zero", "jitter", "sending", "stray"])
def test_whatever_a_camera_stamps_its_sound_is_heard_whole(camera: OddCamera, path: str) -> None:
    """Five seconds without a gap, on time, and not a sample of the tone is missing."""
    frames = heard(stream(camera, path), 5)
    lag_s = (SystemClock().now() - frames[-1].ends_at).total_seconds()

    audio = sound(frames).slice(0.5, 4.5)
    assert sum(frame.follows_gap for frame in frames) == 1
    assert pitch_hz(audio.samples) == pytest.approx(PITCH_HZ, abs=1)
    assert audio.rms_dbfs == pytest.approx(-20, abs=0.2)
    assert -0.3 < lag_s < 10


def test_a_camera_that_lies_about_its_rate_is_heard_at_the_true_one(camera: OddCamera) -> None:
    """It says 8 kHz and sends 16: found by what arrives, said with both figures, and right from the first
    second when it is opened again."""
    source = stream(camera, "liar")
    with capture_logs() as logs:
        frames = heard(source, 32)
    again = heard(source, 2)

    [line] = [line for line in logs if "sample rate is not the one it announces" in line["event"]]
    assert (line["says_hz"], line["delivers_hz"]) == (8_000, 16_000)
    assert pitch_hz(sound(frames[-60:]).samples) == pytest.approx(PITCH_HZ, abs=3)
    assert pitch_hz(sound(again).slice(0.5, 1.5).samples) == pytest.approx(PITCH_HZ, abs=3)


def test_a_rate_that_is_given_is_taken_for_true(camera: OddCamera) -> None:
    """`sample_rate_hz: 16000` hears the same camera rightly from its first second."""
    frames = heard(stream(camera, "liar", sample_rate_hz=16_000), 2)

    assert pitch_hz(sound(frames).slice(0.5, 1.5).samples) == pytest.approx(PITCH_HZ, abs=3)


@pytest.mark.parametrize("path", ["back-channel", "silent-first", "undecodable-first"])
def test_the_track_that_carries_sound_is_heard(camera: OddCamera, path: str) -> None:
    """A back channel, a silent track or one that nobody can decode is listed first."""
    frames = heard(stream(camera, path), 3)

    assert pitch_hz(sound(frames[-60:]).samples) == pytest.approx(PITCH_HZ, abs=3)


def test_a_track_that_is_asked_for_is_heard_alone(camera: OddCamera) -> None:
    """`track: 1` is silent here, and stays the one that is heard."""
    frames = heard(stream(camera, "silent-first", track=1), 2)

    assert sound(frames).peak_dbfs == -np.inf


def test_a_track_that_is_not_there_is_refused(camera: OddCamera) -> None:
    """The error says how many there are."""
    with pytest.raises(SourceUnavailable, match="no sound track 3 that can be decoded, of 2") as error:
        heard(stream(camera, "silent-first", track=3), 1)
    assert error.value.refused


def test_a_stream_that_cannot_be_decoded_is_offline_with_the_reason(camera: OddCamera) -> None:
    """Packets arrive and no sound is in them: that is not listening."""
    source = stream(camera, "undecodable")
    with pytest.raises(SourceLost, match=r"cannot be decoded .*choose another codec"), source:
        list(source.frames())


def test_inverted_stereo_over_the_network_is_heard() -> None:
    """Left and right cancel in their mean; one of them is heard alone."""
    left = tone_at(PITCH_HZ, 2, 8_000) + noise(1, -60)
    both = np.stack([left, -left], axis=1).ravel()
    track = linear(both, 16_000)
    stereo = CameraTrack(track.announced.replace("L16/16000", "L16/8000/2"), track.packets)
    with OddCamera({"stereo": [stereo]}) as camera:
        frames = heard(stream(camera, "stereo", sample_rate_hz=8_000), 3)

    assert sound(frames).slice(0.5, 2.5).rms_dbfs == pytest.approx(-20, abs=0.5)

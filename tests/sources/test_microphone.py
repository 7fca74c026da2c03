"""A real microphone on a real sound server (PulseAudio through ALSA and PortAudio)."""

import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.audio import Audio
from monitor.clock import SystemClock
from monitor.errors import SourceLost, SourceUnavailable
from monitor.sources.microphone import MicrophoneConfig, MicrophoneSource
from monitor.sources.portaudio.devices import chosen
from monitor.sources.portaudio.process import PortAudioProcess, ProcessRecord, devices_in, list_devices
from monitor.types import Frame
from testkit.pulse import HUM_HZ, PulseServer
from testkit.recordings import pitch_hz, record, tone_at

CLOCK = SystemClock()


def microphone(**options: Any) -> MicrophoneSource:
    config = MicrophoneConfig.model_validate({"type": "microphone", "name": "kitchen", **options})
    return config.build(CLOCK)


def record_of(process: PortAudioProcess) -> ProcessRecord:
    record = process.read(5)
    assert record is not None
    return record


def sound_of(frames: list[Frame]) -> Audio:
    return Audio.join(frame.audio for frame in frames)


def heard(source: MicrophoneSource, duration_s: float) -> list[Frame]:
    """So much sound, from where the source is now."""
    return list(islice(source.frames(), round(duration_s / 0.03)))


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"device": "hum", "sample_format": "float32"},
        {"device": "HUM", "sample_rate_hz": 44_100},
        {"device": "hum", "sample_rate_hz": 8_000, "channel": 2},
    ],
)
def test_a_tone_is_heard_at_its_pitch(sound_server: PulseServer, options: dict[str, Any]) -> None:
    """Whatever rate, format and channel the microphone is opened with, its tone keeps its pitch."""
    with microphone(**options) as source:
        frames = heard(source, 1.2)

    assert pitch_hz(sound_of(frames).slice(0.2, 1.2).samples) == pytest.approx(HUM_HZ, abs=2)
    assert [frame.follows_gap for frame in frames] == [True] + [False] * 39


def test_sound_is_dated_by_the_clock(sound_server: PulseServer) -> None:
    """A frame's end lies in the past, and not far, when it is handed over."""
    with microphone(device="porch") as source:
        last = heard(source, 1.5)[-1]
        lag_s = (CLOCK.now() - last.ends_at).total_seconds()

    assert 0 <= lag_s < 10


def test_what_is_played_is_heard(sound_server: PulseServer, tmp_path: Path) -> None:
    """A recording played into the room comes out of the microphone of that room."""
    recording = record(tmp_path / "tone.wav", tone_at(1000, 4, 48_000))
    with microphone(device="porch") as source:
        player = sound_server.play(recording)
        loud = _first_loud_second(source.frames())
        player.kill()
        player.wait()

    assert pitch_hz(loud.samples) == pytest.approx(1000, abs=2)


def _first_loud_second(frames: Iterator[Frame]) -> Audio:
    for frame in islice(frames, 300):
        if frame.audio.rms_dbfs > -30:
            return sound_of(list(islice(frames, 33)))
    raise AssertionError("nothing was heard")


def test_a_killed_sound_server_is_a_loss_and_the_microphone_opens_again(sound_server: PulseServer) -> None:
    """When the server dies the source is lost at once; while it is away it is unavailable; then it hears."""
    source = microphone()
    with source:
        frames = source.frames()
        next(frames)
        sound_server.kill()
        with pytest.raises(SourceLost, match=r"kitchen: .*(stopped|no sound)"):
            list(frames)
    with pytest.raises(SourceUnavailable, match=r"kitchen: .*earwitness devices"), source:
        pass
    sound_server.start()
    with source:
        again = heard(source, 0.9)

    assert again[0].follows_gap
    assert pitch_hz(sound_of(again).slice(0.2, 0.9).samples) == pytest.approx(HUM_HZ, abs=3)


def test_a_frozen_sound_server_hangs_nobody(sound_server: PulseServer) -> None:
    """A server that stops answering is a loss after the no-sound time; closing does not hang; when it goes
    on, so does the microphone."""
    source = microphone()
    with source:
        frames = source.frames()
        next(frames)
        sound_server.freeze()
        with pytest.raises(SourceLost, match="no sound from the microphone"):
            list(frames)
    with pytest.raises(SourceUnavailable, match="does not answer"), source:
        pass
    sound_server.thaw()
    with source:
        assert pitch_hz(sound_of(heard(source, 0.9)).slice(0.2, 0.9).samples) == pytest.approx(HUM_HZ, abs=3)


def test_closing_ends_the_frames(sound_server: PulseServer) -> None:
    """`close` from another thread ends frames that wait for sound which does not come; a wait that went on to
    its end would raise SourceLost."""
    source = microphone(device="porch")
    with source:
        frames = source.frames()
        next(frames)
        sound_server.freeze()
        threading.Thread(target=source.close).start()
        list(frames)
        sound_server.thaw()
    with source:
        assert list(source.frames()) == []


def test_two_microphones_at_once(sound_server: PulseServer) -> None:
    """Two microphones of one process are heard side by side, and one may leave while the other stays."""
    with microphone(device="hum") as hum:
        with microphone(device="porch") as porch:
            assert sound_of(heard(porch, 0.6)).rms_dbfs < -80
        assert sound_of(heard(hum, 0.6)).rms_dbfs > -20


def test_a_microphone_that_appears_later_is_found(sound_server: PulseServer, sound_directory: Path) -> None:
    """A microphone that was plugged in while another one is open is found, and the other hears on."""
    with microphone(device="porch") as porch:
        with pytest.raises(SourceUnavailable, match="no input device 'attic'"), microphone(device="attic"):
            pass
        with (sound_directory / ".asoundrc").open("a") as file:
            file.write('pcm.attic { type pulse device "hum" hint { show on description "Attic" } }')
        with microphone(device="attic") as attic:
            assert sound_of(heard(attic, 0.6)).rms_dbfs > -20
        assert sum(frame.follows_gap for frame in heard(porch, 1.5)) == 1


def test_sound_that_nobody_takes_is_marked(sound_server: PulseServer) -> None:
    """While one process is read, another one is not: its queue fills, sound is lost, and it says so."""
    with PortAudioProcess() as busy, PortAudioProcess() as idle:
        for process, queued_blocks in ((busy, 100), (idle, 2)):
            (device,) = chosen("porch", devices_in(record_of(process)))
            request = {"index": device.index, "channels": 2, "sample_format": "float32", "block_s": 0.06}
            process.ask({**request, "rates_hz": [96_000], "queued_blocks": queued_blocks})
            assert record_of(process).kind == b"F"
        first = record_of(idle)  # a sound server may take its time to begin
        while record_of(busy).at_s < first.at_s + 2:
            pass
        kinds = [record_of(idle).kind for _ in range(20)]

    assert b"L" in kinds


def test_devices_are_listed_by_name(sound_server: PulseServer) -> None:
    """The listing has what to write in the configuration."""
    devices = {device.name: device for device in list_devices()}

    assert {"default", "hum", "porch"} <= set(devices)
    assert devices["default"].is_default
    assert devices["hum"].id == "hum"
    assert devices["hum"].channels >= 1


def test_without_a_sound_server_there_is_no_microphone(sound_directory: Path) -> None:
    """No sound system: an empty list, and an error that names the command to look with."""
    assert list_devices() == []
    with pytest.raises(SourceUnavailable, match="kitchen: there is no microphone; run `earwitness devices`"):
        microphone().__enter__()


def test_an_unknown_name_is_said_with_the_fix(sound_server: PulseServer) -> None:
    """A name that no device has is named, with the command that lists them."""
    with pytest.raises(SourceUnavailable, match=r"no input device 'Yeti'; run `earwitness devices`"):
        microphone(device="Yeti").__enter__()


def test_a_channel_that_is_not_there_is_refused(sound_server: PulseServer) -> None:
    """Channel 40 of a device with 32 is a setting to correct, not weather."""
    with pytest.raises(SourceUnavailable, match="has no channel 40") as error:
        microphone(channel=40).__enter__()
    assert error.value.refused


@pytest.mark.parametrize("device", ["", "  ", "3", "hw:1,0", "plughw:2,0", "hw:0"])
def test_card_numbers_are_not_names(device: str) -> None:
    """Numbers that change from boot to boot are refused in the configuration."""
    with pytest.raises(ValidationError, match=r"earwitness devices"):
        MicrophoneConfig.model_validate({"type": "microphone", "name": "kitchen", "device": device})

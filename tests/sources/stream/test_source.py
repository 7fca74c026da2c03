"""Network streams: a real RTSP server, HTTP, HLS and UDP, and servers that misbehave."""

import subprocess
import threading
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from structlog.testing import capture_logs

from monitor.audio import FRAME_S, Audio
from monitor.clock import SystemClock
from monitor.errors import SourceError, SourceLost, SourceUnavailable
from monitor.sources.stream.source import StreamConfig, StreamSource
from monitor.types import Frame
from testkit.http_servers import http_server, raw_server, redirect, refuse, serve, serve_folder
from testkit.recordings import pitch_hz, record, tone_at
from testkit.rtsp import RtspServer

CLOCK = SystemClock()
PITCH_HZ = 1000


def stream(url: str, **options: Any) -> StreamSource:
    config = StreamConfig.model_validate(
        {
            "type": "stream",
            "name": "porch",
            "url": url,
            "connect_timeout_s": 2,
            "silent_after_s": 2,
            **options,
        }
    )
    return config.build(CLOCK)


def heard(source: StreamSource, duration_s: float = 1.2) -> Audio:
    """So much sound, from where the source is now."""
    return Audio.join(frame.audio for frame in islice(source.frames(), round(duration_s / 0.03)))


def everything_of(source: StreamSource) -> list[Frame]:
    """All its frames, until it is lost."""
    with source:
        return list(source.frames())


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten seconds of 1 kHz: a whole number of periods, so that a loop has no seam."""
    return record(tmp_path_factory.mktemp("tone") / "tone.wav", tone_at(PITCH_HZ, 10, 48_000))


@pytest.fixture
def camera(recording: Path) -> Iterator[RtspServer]:
    server = RtspServer(recording)
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="module")
def guarded_camera(recording: Path) -> Iterator[RtspServer]:
    """Asks for a user name and a password (digest)."""
    server = RtspServer(recording, "--user", "viewer", "--password", "pw:1@")
    server.start()
    yield server
    server.kill()


@pytest.mark.parametrize("path", ["aac", "pcma", "opus"])
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_a_camera_is_heard(camera: RtspServer, path: str, transport: str) -> None:
    """AAC, G.711 and Opus over TCP and UDP: the tone at its pitch and level, without a gap, on time."""
    with stream(camera.url(path), transport=transport) as source:
        frames = list(islice(source.frames(), 60))
        lag_s = (CLOCK.now() - frames[-1].ends_at).total_seconds()

    audio = Audio.join(frame.audio for frame in frames).slice(0.5, 1.5)
    assert pitch_hz(audio.samples) == pytest.approx(PITCH_HZ, abs=3)
    assert audio.rms_dbfs == pytest.approx(-20, abs=1.5)
    assert sum(frame.follows_gap for frame in frames) == 1
    assert -0.1 < lag_s < 10


def test_a_password_opens_a_guarded_camera(guarded_camera: RtspServer) -> None:
    """Digest authentication with a percent-encoded password."""
    with stream(guarded_camera.url("aac", "viewer:pw%3A1%40@")) as source:
        assert pitch_hz(heard(source).slice(0.2, 1.2).samples) == pytest.approx(PITCH_HZ, abs=3)


def test_a_wrong_password_is_refused_without_showing_it(guarded_camera: RtspServer) -> None:
    """401 names the fix, is marked as refused, and neither message nor log carries the credentials."""
    with (
        capture_logs() as logs,
        pytest.raises(SourceUnavailable, match=r"check user name and password.*401") as error,
    ):
        stream(guarded_camera.url("aac", "viewer:swordfish@")).__enter__()

    assert error.value.refused
    assert "swordfish" not in f"{error.value!r} {error.value.__cause__!r} {logs}"
    assert "viewer" not in str(error.value)


def test_an_unknown_path_is_refused(camera: RtspServer) -> None:
    """404 points at the path."""
    with pytest.raises(
        SourceUnavailable, match=r"porch: there is no such stream; check the path.*404"
    ) as error:
        stream(camera.url("nope")).__enter__()
    assert error.value.refused


def test_a_camera_without_sound_says_what_to_do(camera: RtspServer) -> None:
    """Pictures alone: switch sound on in the camera."""
    with pytest.raises(SourceUnavailable, match="no sound; switch it on") as error:
        stream(camera.url("picture")).__enter__()
    assert error.value.refused


def test_a_camera_that_will_not_send_sound_alone_is_asked_for_pictures_too(camera: RtspServer) -> None:
    """This server mostly falters when half of its film is asked for: the second opening hears it."""
    source = stream(camera.url("film"))
    try:
        with source:
            audio = heard(source)
    except SourceError:
        with source:
            audio = heard(source)

    assert pitch_hz(audio.slice(0.2, 1.2).samples) == pytest.approx(PITCH_HZ, abs=3)


def test_a_killed_camera_is_a_loss_and_is_heard_again(camera: RtspServer) -> None:
    """The end of the stream is a loss at once; when the camera is back, so is its sound."""
    source = stream(camera.url("pcma"))
    with source:
        frames = source.frames()
        next(frames)
        camera.kill()
        with pytest.raises(SourceLost, match=r"porch: the stream (ended|broke off)"):
            list(frames)
    with pytest.raises(SourceUnavailable, match=r"check host and port.*refused") as error:
        source.__enter__()
    assert not error.value.refused
    camera.start()
    with source:
        again = list(islice(source.frames(), 40))
    assert again[0].follows_gap
    assert pitch_hz(Audio.join(f.audio for f in again).slice(0.2, 1.2).samples) == pytest.approx(
        PITCH_HZ, abs=3
    )


def test_a_frozen_camera_is_a_loss(camera: RtspServer) -> None:
    """The connection lives and nothing comes: lost after `silent_after_s`, and leaving waits for nobody."""
    with stream(camera.url("aac")) as source:
        frames = source.frames()
        next(frames)
        camera.freeze()
        with pytest.raises(SourceLost, match=r"no sound for 2 s|broke off"):
            list(frames)


def test_closing_ends_a_blocked_read(camera: RtspServer) -> None:
    """`close` from another thread ends frames although the camera is frozen: a wait that went on to its
    end would raise SourceLost."""
    with stream(camera.url("aac"), silent_after_s=60) as source:
        frames = source.frames()
        next(frames)
        camera.freeze()
        threading.Thread(target=source.close).start()
        assert len(list(frames)) < 60 / FRAME_S, "what had arrived before the camera froze, at most"


def test_closing_ends_an_opening_that_hangs() -> None:
    """`close` also ends waiting for a server that accepts and says nothing."""
    with raw_server() as port:
        source = stream(f"rtsp://127.0.0.1:{port}/aac", connect_timeout_s=60)
        threading.Thread(target=source.close).start()
        with source:
            assert list(source.frames()) == []


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
def test_a_server_that_says_nothing_is_unavailable(scheme: str) -> None:
    """Accepting and then silence: given up after the connect timeout."""
    with raw_server() as port, pytest.raises(SourceUnavailable, match="cannot be opened"):
        stream(f"{scheme}://127.0.0.1:{port}/aac", connect_timeout_s=1).__enter__()


@pytest.mark.parametrize("scheme", ["rtsp", "http"])
@pytest.mark.parametrize(
    "answer",
    [
        b"\x00\xff" * 5000,
        b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nContent-Length: 99999999\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Type: audio/aac\r\n\r\n" + bytes(range(256)) * 400,
        b"$\x00\xff\xff" * 1000,
    ],
)
def test_garbage_is_unavailable(scheme: str, answer: bytes) -> None:
    """A server that talks nonsense is an error in one line, never a crash."""
    with raw_server(answer, then_close=True) as port, pytest.raises(SourceError) as error:
        everything_of(stream(f"{scheme}://user:swordfish@127.0.0.1:{port}/a", silent_after_s=1))
    assert "\n" not in str(error.value)
    assert "swordfish" not in str(error.value)


@pytest.mark.parametrize(
    ("status", "refused"), [(401, True), (403, True), (404, True), (500, False), (503, False)]
)
def test_http_refusals(status: int, refused: bool) -> None:
    """401, 403 and 404 will not change soon; a server's own trouble may."""
    with http_server(refuse(status)) as url, pytest.raises(SourceUnavailable) as error:
        stream(f"{url}/live.mp3").__enter__()
    assert error.value.refused is refused


def test_a_server_that_redirects_in_a_circle_is_unavailable() -> None:
    """FFmpeg calls it an input or output error; host and port are right."""
    with http_server(redirect("/again.mp3")) as url, pytest.raises(SourceUnavailable, match="in a circle"):
        stream(f"{url}/live.mp3").__enter__()


def test_nobody_listening_is_unavailable() -> None:
    """A closed port is weather: the camera may come back."""
    with raw_server() as port:
        pass
    with pytest.raises(SourceUnavailable, match=r"check host and port.*refused") as error:
        stream(f"rtsp://127.0.0.1:{port}/aac").__enter__()
    assert not error.value.refused


def test_an_http_stream_is_heard_and_its_end_is_a_loss(tmp_path: Path) -> None:
    """An MP3 over HTTP is heard whole; that it ends is a loss, for a live stream does not."""
    body = record(tmp_path / "tone.mp3", tone_at(PITCH_HZ, 3, 48_000)).read_bytes()
    frames: list[Frame] = []
    with (
        http_server(serve(body)) as url,
        stream(f"{url}/live.mp3") as source,
        pytest.raises(SourceLost, match="ended"),
    ):
        frames += source.frames()

    assert len(frames) > 90
    assert pitch_hz(Audio.join(f.audio for f in frames).slice(0.5, 2.5).samples) == pytest.approx(
        PITCH_HZ, abs=2
    )


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate of its own for 127.0.0.1, in one PEM file, as a camera has it."""
    return self_signed(tmp_path_factory.mktemp("tls"), "IP:127.0.0.1")


def self_signed(folder: Path, alternative_name: str) -> Path:
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=camera",
    ]
    files = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    extension = ["-addext", f"subjectAltName={alternative_name}"]
    subprocess.run([*command, *files, *extension], check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_bytes((folder / "key.pem").read_bytes() + (folder / "certificate.pem").read_bytes())
    return both


def test_rtsps_with_the_cameras_certificate_is_heard(recording: Path, certificate: Path) -> None:
    """RTSP over TLS; the certificate is checked against `ca_file`."""
    server = RtspServer(recording, "--certificate", str(certificate))
    server.start()
    try:
        url = server.url("aac").replace("rtsp:", "rtsps:")
        with stream(url, ca_file=certificate) as source:
            assert pitch_hz(heard(source).slice(0.2, 1.2).samples) == pytest.approx(PITCH_HZ, abs=3)
        with pytest.raises(SourceUnavailable, match="its certificate: give its `ca_file`"):
            stream(url).__enter__()
    finally:
        server.kill()


@pytest.mark.parametrize("alternative_name", ["IP:127.0.0.1", "DNS:other.example"])
def test_a_certificate_nobody_vouches_for_is_refused(tmp_path: Path, alternative_name: str) -> None:
    """HTTPS verifies the certificate, and with a known authority its name, unless told not to."""
    certificate = self_signed(tmp_path, alternative_name)
    body = record(tmp_path / "tone.mp3", tone_at(PITCH_HZ, 3, 48_000)).read_bytes()
    with http_server(serve(body), certificate) as url:
        ca_file = certificate if alternative_name.startswith("DNS") else None
        with pytest.raises(SourceUnavailable, match="certificate"):
            stream(f"{url}/live.mp3", ca_file=ca_file).__enter__()
        with stream(f"{url}/live.mp3", verify_tls=False) as source:
            assert len(heard(source)) > 0


def test_hls_is_heard(tmp_path: Path, recording: Path) -> None:
    """A playlist with AAC segments is read from the first to the last."""
    command = [
        "ffmpeg",
        "-v",
        "error",
        "-i",
        str(recording),
        "-c:a",
        "aac",
        "-hls_time",
        "2",
        "-hls_list_size",
        "0",
    ]
    subprocess.run([*command, str(tmp_path / "live.m3u8")], check=True)
    frames: list[Frame] = []
    with (
        http_server(serve_folder(tmp_path)) as url,
        stream(f"{url}/live.m3u8") as source,
        pytest.raises(SourceLost),
    ):
        frames += source.frames()

    assert len(frames) > 50
    assert pitch_hz(Audio.join(f.audio for f in frames).slice(0.2, 1.2).samples) == pytest.approx(
        PITCH_HZ, abs=3
    )


@pytest.mark.parametrize(
    "target", ["file://{path}", "{path}", "concat:{path}", "subfile,,start,0,end,0,,:{path}"]
)
def test_a_playlist_opens_no_local_file(tmp_path: Path, target: str) -> None:
    """A camera whose playlist names a file of ours gets nothing of it."""
    secret = record(tmp_path / "secret.ts", tone_at(PITCH_HZ, 3, 48_000))
    playlist = (
        "#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\n" + target.format(path=secret) + "\n#EXT-X-ENDLIST\n"
    )
    with http_server(serve(playlist.encode())) as url, pytest.raises(SourceUnavailable):
        everything_of(stream(f"{url}/live.m3u8"))


def test_mpegts_over_udp_is_heard(recording: Path) -> None:
    """A multicast-style UDP sender is heard, and its silence is a loss."""
    with raw_server() as free_port:
        pass
    command = ["ffmpeg", "-v", "quiet", "-re", "-i", str(recording), "-c:a", "aac", "-f", "mpegts"]
    sender = subprocess.Popen([*command, f"udp://127.0.0.1:{free_port}?pkt_size=1316"])
    try:
        with stream(f"udp://127.0.0.1:{free_port}", connect_timeout_s=30) as source:
            frames = source.frames()
            audio = Audio.join(frame.audio for frame in islice(frames, 60))
            sender.kill()
            with pytest.raises(SourceLost):
                list(frames)
    finally:
        sender.kill()
        sender.wait()
    assert pitch_hz(audio.slice(0.5, 1.5).samples) == pytest.approx(PITCH_HZ, abs=3)


def test_a_change_of_rate_in_the_stream_is_heard_on(tmp_path: Path) -> None:
    """Two MP3s of different rate and channel count in one stream: pitch and level stay."""
    body = b"".join(
        record(
            tmp_path / f"{rate_hz}.mp3",
            tone_at(PITCH_HZ, 3, rate_hz),
            sample_rate_hz=rate_hz,
            channels=channels,
        ).read_bytes()
        for rate_hz, channels in ((48_000, 1), (22_050, 2))
    )
    frames: list[Frame] = []
    with http_server(serve(body)) as url, stream(f"{url}/live.mp3") as source, pytest.raises(SourceLost):
        frames += source.frames()

    audio = Audio.join(frame.audio for frame in frames)
    for start_s in (0.5, 3.7):
        assert pitch_hz(audio.slice(start_s, start_s + 1.5).samples) == pytest.approx(PITCH_HZ, abs=3)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "porch",
        "file:///etc/passwd",
        "/etc/passwd",
        "concat:a|b",
        "rtsp://",
        "rtsp://u:swordfish@",
        "rtmp://h/a",
        "rtsp://u:swordfish@host:99999/a",
        "rtsp://u:sword/fish@host/a@b:c",
    ],
)
def test_an_address_of_another_kind_is_refused(url: str) -> None:
    """Only network schemes with a host; the error shows the form, never the value."""
    with pytest.raises(ValidationError, match="expected an address like") as error:
        stream(url)
    assert "swordfish" not in str(error.value)


@given(password=st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=12))
def test_a_password_is_never_printed(password: str) -> None:
    """Neither the configuration nor the source shows the address."""
    config = StreamConfig.model_validate(
        {"type": "stream", "name": "porch", "url": f"rtsp://viewer:{password}@10.0.0.7/stream2"}
    )

    assert (
        password
        not in f"{config!r} {config} {config.model_dump()} {config.model_dump_json()} {config.build(CLOCK)!r}"
    )


def test_silence_is_not_absence(tmp_path: Path) -> None:
    """A camera in a quiet room sends zeros: that is sound, and no loss."""
    body = record(tmp_path / "quiet.mp3", np.zeros(3 * 48_000, np.float32)).read_bytes()
    with http_server(serve(body)) as url, stream(f"{url}/live.mp3") as source:
        assert heard(source).rms_dbfs < -80

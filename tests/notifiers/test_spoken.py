"""Alerts read aloud: real espeak-ng, real HTTP, a real broker and a real sound server."""

import io
import json
import os
import re
import subprocess
import sys
import threading
import wave
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError
from structlog.testing import capture_logs

from monitor.delivery.coalescer import Coalescer
from monitor.delivery.outbox import SqliteOutbox
from monitor.errors import PublishError
from monitor.labels import LIFE_SAFETY
from monitor.notifiers.arriving import Arriving
from monitor.notifiers.speech import EspeakVoice, ServerVoice
from monitor.notifiers.spoken import LONGEST_WORDS, OLD_AFTER_S, SpokenConfig, SpokenPublisher, words
from monitor.publishers.base import DELIVERED, Failed, PublishOutcome
from monitor.types import Alert
from testkit import builders
from testkit.builders import START
from testkit.fakes import FakeClock, raise_it
from testkit.http_servers import dripping, http_server, serving
from testkit.mosquitto import Mosquitto, Subscriber
from testkit.pulse import PulseServer, sound_environment


def alert(severity: Any = "critical", message: str = "smoke_alarm in the kitchen") -> Alert:
    return Alert("a1", "Smoke alarm", severity, (), START, message, {})


def sounding(label: str, id: str, clock: FakeClock, rule: str = "Alarm") -> Alert:
    """An alert that is raised now."""
    return builders.alert(label, id, clock.now(), rule=rule)


class Speaker(ThreadingHTTPServer):
    """A media player and a voice server in one, that remembers what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.heard: list[tuple[str, dict[str, str], bytes]] = []
        self.status = 200
        self.answer = b""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Speaker

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.heard.append((self.path, dict(self.headers), body))
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing on the terminal."""


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    with Speaker() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def spoken(clock: FakeClock | None = None, **options: Any) -> SpokenPublisher:
    [publisher] = SpokenConfig.model_validate({"type": "spoken", **options}).build(clock or FakeClock())
    return publisher


def samples(sound: bytes) -> np.ndarray:
    with wave.open(io.BytesIO(sound)) as file:
        assert file.getnframes() * 2 == len(sound) - 44, "the header does not tell the length"
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_espeak_reads_an_alert_to_a_media_player(speaker: Speaker) -> None:
    """espeak-ng's words arrive as a WAV whose header tells its length, with the player's token, once for each
    repeat; then the alert counts as delivered."""
    delivered: list[int] = []
    player = {"type": "http", "url": speaker.url + "/say", "token": "open-sesame"}

    spoken(player=player, repeat=2).publish(alert(), lambda _: delivered.append(1))

    assert [path for path, _, _ in speaker.heard] == ["/say", "/say"]
    assert speaker.heard[0][1]["Authorization"] == "Bearer open-sesame"
    sound = samples(speaker.heard[0][2])
    assert len(sound) > 22_050
    assert np.abs(sound).max() > 3000
    assert delivered == [1]


def test_a_server_can_be_the_voice(speaker: Speaker) -> None:
    """An OpenAI-compatible server is asked for a WAV of the alert's words, and the player gets its answer."""
    speaker.answer = EspeakVoice().synthesize("hello")
    voice = {"type": "server", "url": speaker.url + "/v1", "model": "tts", "voice": "anna", "api_key": "k"}

    spoken(voice=voice, player={"type": "http", "url": speaker.url + "/say"}).publish(alert())

    (path, headers, body), (_, _, sound) = speaker.heard
    assert path == "/v1/audio/speech"
    assert headers["Authorization"] == "Bearer k"
    assert json.loads(body) == {
        "model": "tts",
        "voice": "anna",
        "input": "Alarm! Smoke alarm. smoke alarm in the kitchen",
        "response_format": "wav",
    }
    assert sound == speaker.answer


def test_a_player_can_listen_on_mqtt(tmp_path: Path) -> None:
    """The WAV is published on the player's topic and acknowledged by the broker."""
    with Mosquitto(tmp_path) as broker, Subscriber(broker) as listener:
        player = {"type": "mqtt", "host": "127.0.0.1", "port": broker.port, "topic": "kitchen/speaker/play"}
        spoken(player=player).publish(alert())
        listener.wait_until(lambda: len(listener.heard) == 1)

    [message] = listener.heard
    assert message.topic == "kitchen/speaker/play"
    assert np.abs(samples(bytes(message.payload))).max() > 3000


def test_a_loudspeaker_here_is_heard(tmp_path: Path) -> None:
    """Played through PortAudio, the alert can be recorded where the loudspeaker stands."""
    heard = recorded(tmp_path, {})

    assert np.abs(heard).max() > 3000
    assert (np.abs(heard) > 300).sum() > 4000


def test_a_voice_is_heard_while_it_is_still_being_made(tmp_path: Path) -> None:
    """Asked to stream, the server sends half of the sound, and the other half only when the first one has
    been recorded where the loudspeaker stands."""
    first_half, asked = threading.Event(), []
    tone = (8000 * np.sin(np.arange(24_000) * 0.2)).astype("<i2").tobytes()

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked.append(json.loads(handler.rfile.read(int(handler.headers["Content-Length"]))))
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(tone)
        handler.wfile.flush()
        if first_half.wait(100):
            handler.wfile.write(tone)

    with http_server(answer) as url:
        voice = {"type": "server", "url": f"{url}/v1", "model": "tts", "stream": True, "style": "calm"}
        voice["timeout_s"] = 120
        heard = recorded(tmp_path, {"voice": voice}, first_half)

    assert first_half.is_set()
    assert (np.abs(heard) > 3000).sum() > 20_000, "two seconds of a tone, not one"
    assert {key: asked[0][key] for key in ("stream", "response_format", "instructions")} == {
        "stream": True,
        "response_format": "pcm",
        "instructions": "calm",
    }


def recorded(tmp_path: Path, options: dict[str, Any], loud: threading.Event | None = None) -> np.ndarray:
    """What is heard at the loudspeaker while an alert is read, 16 kHz; sets `loud` with the first of it. In a
    process of its own, for PortAudio remembers the first sound server that a process saw."""
    program = (
        "from monitor.notifiers.spoken import SpokenConfig\n"
        "from monitor.publishers.base import DELIVERED\n"
        "from testkit.fakes import FakeClock\n"
        "from tests.notifiers.test_spoken import alert\n"
        f"[publisher] = SpokenConfig.model_validate({{'type': 'spoken', **{options!r}}}).build(FakeClock())\n"
        "ends = []\n"
        "publisher.publish(alert(), ends.append)\n"
        "assert ends == [DELIVERED], ends\n"
    )
    with sound_environment(tmp_path):
        server = PulseServer(tmp_path)
        server.start()
        recorder = subprocess.Popen(
            ["parec", "-d", "vmic.monitor", "--format=s16le", "--rate=16000", "--channels=1"],
            stdout=subprocess.PIPE,
        )
        assert recorder.stdout is not None
        recorder.stdout.read(3200)  # it records
        with ThreadPoolExecutor() as reading:
            # All the while: a pipe holds two seconds, and then the recorder would stand still.
            rest = reading.submit(_until_its_end, recorder.stdout, loud)
            try:
                environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
                subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=180)
            finally:
                recorder.terminate()
                heard = rest.result()
            recorder.stdout.close()
            recorder.wait()
            server.kill()
    return heard


def _until_its_end(recording: Any, loud: threading.Event | None) -> np.ndarray:
    pieces = []
    while piece := recording.read(3200):
        pieces.append(piece)
        if loud is not None and np.abs(np.frombuffer(piece[: len(piece) // 2 * 2], "<i2")).max() > 3000:
            loud.set()
    whole = b"".join(pieces)
    return np.frombuffer(whole[: len(whole) // 2 * 2], "<i2").astype(int)


def test_what_is_mild_is_let_go(speaker: Speaker) -> None:
    """An alert below `min_severity` is delivered without a word."""
    delivered: list[int] = []

    spoken(player={"type": "http", "url": speaker.url}).publish(alert("info"), lambda _: delivered.append(1))

    assert delivered == [1]
    assert speaker.heard == []


def test_an_alarm_that_waited_for_its_turn_is_read(speaker: Speaker, tmp_path: Path) -> None:
    """While one alert is being read the next waits, and a second alarm of a rule is held 20 s for company: in
    the outbox both become late, and both are read."""
    clock = FakeClock()
    publisher, storms = spoken(clock, player={"type": "http", "url": speaker.url}), Coalescer(pause_s=20.0)

    def read_next() -> None:
        for batch in storms.batches(outbox.waiting("spoken"), clock.monotonic_s()):
            publisher.publish(batch.message, late=batch.late)
            storms.delivered(batch, clock.monotonic_s())
            for entry in batch.entries:
                outbox.release(entry, clock.now())

    with SqliteOutbox(tmp_path / "outbox.db", clock, raise_it) as outbox:
        outbox.put(sounding("smoke_alarm", "a1", clock), ["spoken"])
        outbox.put(sounding("glass_break", "a2", clock, rule="Glass"), ["spoken"])
        read_next()
        clock.advance(6)
        read_next()
        outbox.put(sounding("co_alarm", "a3", clock), ["spoken"])
        clock.advance(20)
        read_next()

    assert len(speaker.heard) == 3


def test_what_is_old_is_let_go_and_said_so(speaker: Speaker) -> None:
    """What was raised more than 20 minutes ago is delivered without a word, and the log names the rule. A
    quarter of an hour, for which storms hold an alert, is not old, nor is what the clock alone made so."""
    clock = FakeClock()
    publisher = spoken(clock, player={"type": "http", "url": speaker.url})
    glass = sounding("glass_break", "a1", clock)
    delivered: list[int] = []

    clock.advance(900)
    publisher.publish(glass, lambda _: delivered.append(1), late=True)
    clock.advance(OLD_AFTER_S)
    publisher.publish(glass, lambda _: delivered.append(2), late=False)
    with capture_logs() as logs:
        publisher.publish(glass, lambda _: delivered.append(3), late=True)

    assert delivered == [1, 2, 3]
    assert len(speaker.heard) == 2
    assert [(line["log_level"], line["rule"], line["age"]) for line in logs] == [
        ("warning", "Alarm", "35 minutes")
    ]


@pytest.mark.parametrize("label", sorted(LIFE_SAFETY))
def test_a_real_alarm_is_read_however_late(speaker: Speaker, label: str) -> None:
    """Smoke, carbon monoxide and fire are called out also after a day without a player."""
    clock = FakeClock()
    publisher = spoken(clock, player={"type": "http", "url": speaker.url})
    alarm = sounding(label, "a1", clock)

    clock.advance(86_400)
    publisher.publish(alarm, late=True)

    assert len(speaker.heard) == 1


def test_what_is_read_late_says_how_late() -> None:
    """Whoever is called must know whether it is now; a long message is cut before its age."""
    said = words(alert("warning", "dog_bark"), 200.0)
    assert said == "Warning. Smoke alarm. dog bark. That was 3 minutes ago"
    assert words(alert(message="x" * 1000), 5000.0).endswith("x. That was 83 minutes ago")
    assert len(words(alert(message="x" * 1000), 200_000.0)) == LONGEST_WORDS
    assert "ago" not in words(alert(), 30.0)


def test_a_player_that_refuses_is_tried_again_later(speaker: Speaker) -> None:
    """The outcome names the fix; it is ready again after the pause, and then delivers."""
    clock = FakeClock()
    outcomes: list[PublishOutcome] = []
    publisher = spoken(clock, player={"type": "http", "url": speaker.url})
    speaker.status = 503

    publisher.publish(alert(), outcomes.append)
    assert outcomes == [Failed("the media player refused (503); check url and key")]
    assert not publisher.ready()
    clock.advance(1.3)
    assert publisher.ready()
    speaker.status = 204
    publisher.publish(alert(), outcomes.append)
    assert outcomes[1:] == [DELIVERED]


@pytest.mark.parametrize(
    ("options", "fix"),
    [
        ({"voice": {"type": "espeak", "language": "xx"}}, "espeak-ng --voices"),
        ({"voice": {"type": "server", "url": "http://127.0.0.1:9/v1", "model": "m"}}, "is it running"),
        ({"player": {"type": "http", "url": "http://127.0.0.1:9/"}}, "is it running"),
        ({"player": {"type": "mqtt", "host": "127.0.0.1", "port": 9, "topic": "t"}}, "cannot be reached"),
    ],
)
def test_what_is_not_there_is_named_with_the_fix(options: Any, fix: str) -> None:
    """A language, server, player or broker that is missing is said in one line."""
    outcomes: list[PublishOutcome] = []
    spoken(**options).publish(alert(), outcomes.append)
    (outcome,) = outcomes
    assert isinstance(outcome, Failed)
    assert fix in outcome.reason
    assert "\n" not in outcome.reason


def test_a_voice_that_drips_gets_no_more_than_its_time() -> None:
    """A byte now and then holds nobody: after `timeout_s` the next player or notifier has its turn."""
    with serving(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nRIFF", b"x")) as server:
        voice = ServerVoice(type="server", url=server.url, model="tts", timeout_s=0.3)
        with pytest.raises(PublishError, match="the voice server: no answer in time"):
            voice.synthesize("Smoke alarm in the kitchen")
        assert server.let_go.wait(60)


def test_a_loudspeaker_that_hangs_is_left_after_its_time(tmp_path: Path) -> None:
    """A sound server that never answers holds no thread but its own: the alert has failed and is kept,
    and the next attempt waits for nothing."""
    program = (
        "import os\n"
        "from monitor.notifiers import speech\n"
        "from monitor.notifiers.spoken import SpokenConfig\n"
        "from testkit.fakes import FakeClock\n"
        "from tests.notifiers.test_spoken import alert\n"
        "speech.OPEN_S = 0.5\n"
        "[publisher] = SpokenConfig(type='spoken').build(FakeClock())\n"
        "outcomes = []\n"
        "publisher.publish(alert(), outcomes.append)\n"
        "publisher.publish(alert(), outcomes.append)\n"
        "print(*(outcome.reason for outcome in outcomes), sep='\\n', flush=True)\n"
        "os._exit(0)\n"
    )
    with sound_environment(tmp_path):
        server = PulseServer(tmp_path)
        server.start()
        server.freeze()
        try:
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
            said = subprocess.check_output([sys.executable, "-c", program], env=environment, timeout=180)
        finally:
            server.kill()
    assert said.decode().splitlines()[-2:] == ["the player does not answer; is it switched on?"] * 2


def test_an_answer_that_is_no_wav_is_refused(speaker: Speaker) -> None:
    """A web page where a voice should be is not played."""
    speaker.answer = b"<html>"
    voice = {"type": "server", "url": speaker.url, "model": "m"}

    outcomes: list[PublishOutcome] = []
    spoken(voice=voice).publish(alert(), outcomes.append)
    (outcome,) = outcomes
    assert isinstance(outcome, Failed)
    assert "did not answer with a WAV" in outcome.reason


def test_a_voice_that_is_sent_as_it_is_made_is_whole_samples_and_may_be_read_again() -> None:
    """Pieces are cut anywhere; every reader gets all of them."""
    sound = Arriving(iter([b"\x01", b"\x02\x03", b"\x04\x05"]))

    assert [list(sound), list(sound)] == [[b"\x01\x02", b"\x03\x04"]] * 2


@pytest.mark.parametrize(
    ("status", "body", "fix"),
    [
        (400, b"{}", r"refused \(400\)"),
        (200, b"", "sent no sound"),
        (200, b"RIFF....", "leave out stream: true"),
    ],
)
def test_a_server_that_does_not_stream_is_named_with_the_fix(
    speaker: Speaker, status: int, body: bytes, fix: str
) -> None:
    """Before a loudspeaker is opened; an alert that was not read has failed."""
    speaker.status, speaker.answer = status, body
    voice = {"type": "server", "url": speaker.url + "/v1", "model": "tts", "stream": True}
    ends: list[PublishOutcome] = []

    spoken(voice=voice).publish(alert(), ends.append)

    [end] = ends
    assert isinstance(end, Failed)
    assert re.search(fix, end.reason)


def test_words_are_few_and_can_be_said() -> None:
    """Underscores are spoken as spaces, line breaks too, and a long message is cut."""
    assert words(alert("warning", "dog_bark\nin the_hall")) == "Warning. Smoke alarm. dog bark in the hall"
    assert len(words(alert(message="x" * 1000))) == LONGEST_WORDS


def test_an_option_cannot_be_smuggled_in_as_a_language() -> None:
    """The language becomes an argument of a program: only the name of one is taken."""
    with pytest.raises(ValidationError, match="language"):
        EspeakVoice(language="-w/etc/passwd")

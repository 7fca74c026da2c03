"""Words into sound, and sound into a room: the two halves of a spoken alert."""

import io
import os
import ssl
import struct
import subprocess
import time
import wave
from contextlib import closing, suppress
from typing import Annotated, Literal, Protocol

from pydantic import Field

from monitor.errors import PublishError
from monitor.http.client import HttpClient, json_body
from monitor.http.errors import AnswerTooLarge, HttpFailed
from monitor.schema import Block, Port, Secret

LARGEST_WAV = 8 << 20
"""Bytes; a minute and a half at 48 kHz, far more than an alert."""
OPEN_S = 10.0
"""What a loudspeaker may take to be opened."""
_ESPEAK_HEADER_BYTES = 44


class Voice(Protocol):
    """Reads a text aloud."""

    def synthesize(self, text: str) -> bytes:
        """A mono or stereo 16-bit WAV. Blocks; raises PublishError with the fix."""


class Player(Protocol):
    """Lets a room hear a WAV."""

    def play(self, sound: bytes) -> None:
        """Blocks until it has been played or taken. Raises PublishError with the fix."""

    def longest_s(self, sound: bytes) -> float:
        """What playing it may take; a player that has not ended by then hangs."""


class EspeakVoice(Block):
    """espeak-ng on this machine: needs no network and is understood."""

    type: Literal["espeak"] = "espeak"
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}[a-z0-9+-]*$")] = "en"
    """A voice of `espeak-ng --voices`."""
    words_per_minute: Annotated[int, Field(ge=80, le=450)] = 150

    def synthesize(self, text: str) -> bytes:
        """The text comes on standard input: as an argument it could pass for an option."""
        command = ["espeak-ng", "-v", self.language, "-s", str(self.words_per_minute), "--stdin", "--stdout"]
        try:
            done = subprocess.run(
                command,
                input=text.encode(),
                capture_output=True,
                check=True,
                timeout=20,
                # It opens the sound server even where it only writes; one that hangs would hang the voice.
                env={**os.environ, "PULSE_SERVER": "unix:/nonexistent"},
                start_new_session=True,  # the last alert is read to its end when somebody presses Ctrl-C
            )
        except FileNotFoundError as error:
            raise PublishError("espeak-ng is not installed; install it, or name another voice") from error
        except subprocess.TimeoutExpired as error:
            raise PublishError("espeak-ng does not come to an end; try it in a terminal") from error
        except subprocess.SubprocessError as error:
            raise PublishError(
                f"espeak-ng cannot speak {self.language!r}; see `espeak-ng --voices`"
            ) from error
        return _with_length(done.stdout)


def _with_length(streamed: bytes) -> bytes:
    """espeak-ng streams its WAV and cannot know the length it writes in front; players go by it."""
    if len(streamed) <= _ESPEAK_HEADER_BYTES:
        raise PublishError("espeak-ng had nothing to say")
    (sample_rate_hz,) = struct.unpack_from("<I", streamed, 24)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(sample_rate_hz)
        file.writeframes(streamed[_ESPEAK_HEADER_BYTES:])
    return buffer.getvalue()


class ServerVoice(Block):
    """An OpenAI-compatible server's /audio/speech, such as Qwen3-TTS on vLLM. It gets the alert's words."""

    type: Literal["server"]
    url: Annotated[str, Field(pattern=r"^https?://")]
    """Base address, for example http://10.0.0.5:8000/v1."""
    model: Annotated[str, Field(min_length=1)]
    voice: str = "default"
    style: Annotated[str, Field(max_length=400)] | None = None
    """How it is to be read, for servers that take `instructions`, such as Qwen3-TTS: "calm and slow"."""
    api_key: Secret | None = None
    """Sent as a bearer token."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 20.0

    def synthesize(self, text: str) -> bytes:
        """Ask for a WAV."""
        body = {"model": self.model, "voice": self.voice, "input": text, "response_format": "wav"}
        if self.style is not None:
            body["instructions"] = self.style
        sound = _post(
            f"{self.url.rstrip('/')}/audio/speech",
            self.api_key,
            self.timeout_s,
            "the voice server",
            json_body(body),
            "application/json",
        )
        if sound[:4] != b"RIFF":
            raise PublishError(
                "the voice server did not answer with a WAV; check url (it ends in /v1) and model"
            )
        return sound


class LocalPlayer(Block):
    """A loudspeaker of this machine."""

    type: Literal["local"] = "local"
    device: str | None = None
    """Name or part of it, as `earwitness devices` shows it; by default the system's."""

    def play(self, sound: bytes) -> None:
        """Play to the end."""
        import sounddevice

        try:
            with (
                wave.open(io.BytesIO(sound)) as file,
                sounddevice.RawOutputStream(
                    samplerate=file.getframerate(),
                    channels=file.getnchannels(),
                    dtype="int16",
                    device=self.device,
                ) as stream,
            ):
                stream.write(file.readframes(file.getnframes()))
        except wave.Error as error:
            raise PublishError(f"the voice gave no WAV that can be played ({error})") from error
        except (sounddevice.PortAudioError, ValueError) as error:
            raise PublishError(
                f"no loudspeaker can be opened ({error}); run `earwitness devices` to list them"
            ) from error

    def longest_s(self, sound: bytes) -> float:
        """Its length, and what a sleeping loudspeaker takes to wake."""
        with suppress(wave.Error, EOFError), wave.open(io.BytesIO(sound)) as file:
            length_s: float = file.getnframes() / file.getframerate()
            return OPEN_S + length_s
        return OPEN_S


class HttpPlayer(Block):
    """A media player that takes a WAV as the body of a POST."""

    type: Literal["http"]
    url: Annotated[str, Field(pattern=r"^https?://")]
    token: Secret | None = None
    """Sent as a bearer token."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0

    def play(self, sound: bytes) -> None:
        """Hand it over."""
        _post(self.url, self.token, self.timeout_s, "the media player", sound, "audio/wav")

    def longest_s(self, sound: bytes) -> float:
        """The whole call."""
        return self.timeout_s


class MqttPlayer(Block):
    """A media player that takes a WAV from an MQTT topic."""

    type: Literal["mqtt"]
    host: str
    topic: Annotated[str, Field(pattern=r"^[^#+]+$")]
    port: Port = 1883
    username: str | None = None
    password: Secret | None = None
    tls: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0

    def play(self, sound: bytes) -> None:
        """Hand it over, acknowledged by the broker."""
        from paho.mqtt.client import Client
        from paho.mqtt.enums import CallbackAPIVersion

        until_s = time.monotonic() + self.timeout_s
        client = Client(CallbackAPIVersion.VERSION2)
        client.connect_timeout = self.timeout_s
        if self.username is not None:
            password = self.password.get_secret_value() if self.password else None
            client.username_pw_set(self.username, password)
        if self.tls:
            client.tls_set_context(ssl.create_default_context())
        try:
            client.connect(self.host, self.port)
            client.loop_start()
            sent = client.publish(self.topic, sound, qos=1)
            sent.wait_for_publish(max(0.0, until_s - time.monotonic()))
            if not sent.is_published():
                raise PublishError(f"{self.host} did not take the sound; check user name, password and topic")
        except (OSError, RuntimeError, ValueError) as error:
            raise PublishError(f"{self.host}: the broker cannot be reached ({error})") from error
        finally:
            client.disconnect()
            client.loop_stop()

    def longest_s(self, sound: bytes) -> float:
        """Connecting and handing over; a broker that drips would take for ever."""
        return self.timeout_s


def _post(
    url: str,
    token: Secret | None,
    timeout_s: float,
    who: str,
    body: bytes,
    content_type: str,
) -> bytes:
    """The body of a 2xx answer, within `timeout_s` for the whole call and `LARGEST_WAV`."""
    headers = {"Content-Type": content_type}
    if token is not None:
        headers["Authorization"] = f"Bearer {token.get_secret_value()}"
    with closing(HttpClient()) as client:
        try:
            answer = client.request(
                "POST", url, timeout_s=timeout_s, max_bytes=LARGEST_WAV, headers=headers, body=body
            )
        except AnswerTooLarge as error:
            raise PublishError(f"{who} {error}") from error
        except HttpFailed as error:
            raise PublishError(f"{who}: {error}; is it running?") from error
    if not answer.ok:
        raise PublishError(f"{who} refused ({answer.status}); check url and key")
    return answer.content


VoiceConfig = Annotated[EspeakVoice | ServerVoice, Field(discriminator="type")]
PlayerConfig = Annotated[LocalPlayer | HttpPlayer | MqttPlayer, Field(discriminator="type")]

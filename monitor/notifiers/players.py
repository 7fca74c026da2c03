"""Where a room hears a sound: a loudspeaker here, or a media player."""

import io
import ssl
import time
import wave
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Annotated, Any, Literal

from pydantic import Field

from monitor.errors import PublishError
from monitor.notifiers.arriving import Arriving
from monitor.notifiers.sound_http import credentials, post
from monitor.schema import Block, Port, Secret, WebAddress

OPEN_S = 10.0
"""What a loudspeaker may take to be opened."""
LEAD_S = 0.25
"""So much of a voice that is still being made is waited for: a pause of the server shorter than that is not
heard."""


class LocalPlayer(Block):
    """A loudspeaker of this machine."""

    type: Literal["local"] = "local"
    device: str | None = None
    """Name or part of a name, as `earwitness devices` shows it. By default the system's loudspeaker."""

    def play(self, sound: bytes) -> None:
        """Play a WAV to its end. PublishError with the fix."""
        try:
            with (
                wave.open(io.BytesIO(sound)) as file,
                self._opened(file.getframerate(), file.getnchannels()) as stream,
            ):
                stream.write(file.readframes(file.getnframes()))
        except wave.Error as error:
            raise PublishError(f"the voice gave no WAV that can be played ({error})") from error

    def play_arriving(self, sound: Arriving, sample_rate_hz: int) -> None:
        """Play mono sound while it arrives, to the end. What arrives too slowly is heard with pauses."""
        pieces = iter(sound)
        lead = b""
        for piece in pieces:
            lead += piece
            if len(lead) >= 2 * LEAD_S * sample_rate_hz:
                break
        with self._opened(sample_rate_hz, 1) as stream:
            stream.write(lead)
            for piece in pieces:
                stream.write(piece)

    @contextmanager
    def _opened(self, sample_rate_hz: int, channels: int) -> Iterator[Any]:
        import sounddevice

        try:
            with sounddevice.RawOutputStream(
                samplerate=sample_rate_hz, channels=channels, dtype="int16", device=self.device
            ) as stream:
                yield stream
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
    url: WebAddress
    token: Secret | None = None
    """Sent as a bearer token."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 10.0

    def play(self, sound: bytes) -> None:
        """Hand it over."""
        headers = {"Content-Type": "audio/wav", **credentials(self.token)}
        post(self.url, headers, self.timeout_s, "the media player", sound)

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
        """Hand it over, acknowledged by the broker. PublishError with the fix."""
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


PlayerConfig = Annotated[LocalPlayer | HttpPlayer | MqttPlayer, Field(discriminator="type")]

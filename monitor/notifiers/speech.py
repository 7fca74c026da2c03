"""Words into sound, the first half of a spoken alert, and how a player gets it."""

import io
import os
import struct
import subprocess
import wave
from collections.abc import Callable, Iterator
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import Field

from monitor.errors import PublishError
from monitor.http.client import json_body
from monitor.language.words import house_language
from monitor.notifiers.arriving import Arriving
from monitor.notifiers.players import OPEN_S, LocalPlayer, PlayerConfig
from monitor.notifiers.sound_http import credentials, pieces, post
from monitor.schema import Block, Secret, WebAddress

_ESPEAK_HEADER_BYTES = 44
READ_S = 60.0
"""What reading an alert may take: its 300 characters take half of it, slowly read."""


class EspeakVoice(Block):
    """espeak-ng on this machine. It needs no network, and people understand it."""

    type: Literal["espeak"] = "espeak"
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}[a-z0-9+-]*$")] | None = None
    """A voice of `espeak-ng --voices`. By default the voice of the house's `language`."""
    words_per_minute: Annotated[int, Field(ge=80, le=450)] = 150

    def synthesize(self, text: str) -> bytes:
        """A WAV of the text. PublishError with the fix."""
        voice = self.language or house_language()
        # The text comes on standard input: as an argument it could pass for an option.
        command = ["espeak-ng", "-v", voice, "-s", str(self.words_per_minute), "--stdin", "--stdout"]
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
            raise PublishError(f"espeak-ng cannot speak {voice!r}; see `espeak-ng --voices`") from error
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
    """The /audio/speech of an OpenAI-compatible server, such as Qwen3-TTS on vLLM. It gets the words of
    the alert."""

    type: Literal["server"]
    url: WebAddress
    """Base address, for example http://10.0.0.5:8000/v1."""
    model: Annotated[str, Field(min_length=1)]
    voice: str = "default"
    style: Annotated[str, Field(max_length=400)] | None = None
    """How to read, for servers that take `instructions`, such as Qwen3-TTS: "calm and slow"."""
    api_key: Secret | None = None
    """Sent as a bearer token."""
    stream: bool = False
    """true: start to play before the whole voice is made. Only on a loudspeaker of this machine, and with
    servers that take `stream`, such as vLLM-Omni with Qwen3-TTS."""
    sample_rate_hz: Annotated[int, Field(ge=8000, le=96000)] = 24000
    """Rate of streamed sound, which does not state its rate. Qwen3-TTS gives 24,000."""
    timeout_s: Annotated[float, Field(gt=0, le=120)] = 20.0

    def synthesize(self, text: str) -> bytes:
        """A WAV of the text. PublishError with the fix."""
        headers, body = self._request(text, response_format="wav")
        sound = post(self._address, headers, self.timeout_s, "the voice server", body)
        if sound[:4] != b"RIFF":
            raise PublishError(
                "the voice server did not answer with a WAV; check url (it ends in /v1) and model"
            )
        return sound

    def streamed(self, text: str) -> Iterator[bytes]:
        """The sound as it is made: 16-bit mono PCM of `sample_rate_hz`. Raises PublishError with the fix."""
        headers, body = self._request(text, response_format="pcm", stream=True)
        for piece in pieces(self._address, headers, self.timeout_s, "the voice server", body):
            if piece[:4] == b"RIFF":
                raise PublishError("the voice server does not stream; leave out stream: true")
            yield piece

    @property
    def _address(self) -> str:
        return f"{self.url.rstrip('/')}/audio/speech"

    def _request(self, text: str, **more: Any) -> tuple[dict[str, str], bytes]:
        body = {"model": self.model, "voice": self.voice, "input": text, **more}
        if self.style is not None:
            body["instructions"] = self.style
        return {"Content-Type": "application/json", **credentials(self.api_key)}, json_body(body)


def reading(text: str, voice: "VoiceConfig", player: PlayerConfig) -> tuple[Callable[[], None], float]:
    """What plays a text to its end, as often as it is called, and the seconds that one time may take. A
    streamed voice on a loudspeaker here is played while it is made. Both raise PublishError with the fix."""
    if isinstance(voice, ServerVoice) and voice.stream and isinstance(player, LocalPlayer):
        sound = Arriving(voice.streamed(text))
        longest_s = OPEN_S + voice.timeout_s + READ_S
        return partial(player.play_arriving, sound, voice.sample_rate_hz), longest_s
    whole = voice.synthesize(text)
    return partial(player.play, whole), player.longest_s(whole)


VoiceConfig = Annotated[EspeakVoice | ServerVoice, Field(discriminator="type")]

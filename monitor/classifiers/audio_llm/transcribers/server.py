"""Transcripts by a server of OpenAI's `/audio/transcriptions` (vLLM, llama-server, `transformers serve`)."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal

from pydantic import Field

from monitor.audio import Audio
from monitor.classifiers.audio_llm.answers import WORDS_MAX, sanitize
from monitor.classifiers.audio_llm.bounds import LONGEST_S, bounded
from monitor.classifiers.audio_llm.engines.client import Api, wav
from monitor.classifiers.audio_llm.engines.dialects import recognized
from monitor.classifiers.audio_llm.engines.server import ServerOptions
from monitor.classifiers.audio_llm.transcribers.base import HotWord, Transcript, WordOptions, check_leave
from monitor.clock import Clock
from monitor.errors import ClassifyError, ModelError
from monitor.logs import get_logger

log = get_logger()


class RemoteAsrConfig(WordOptions, ServerOptions):
    """An OpenAI-compatible server's /audio/transcriptions. Words are speech: send_speech must be true."""

    type: Literal["remote"]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    """Code of the spoken language (ISO 639, for example en). By default the server detects it."""
    hot_words: list[HotWord] = []
    """Names and rare words to expect. They are sent as the server's `prompt`, together with the words of
    `say`."""
    to_english: bool = False
    """true: translate into English (/audio/translations), if the server can do this."""
    engine: Literal["auto", "llama", "openai"] = "auto"
    """Program that serves the model. auto asks the server. llama-server takes `prompt` for the whole
    instruction, and needs a limit, or it writes without end."""
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)] = 256
    """The longest transcript in tokens, for servers that take a limit (llama-server)."""

    def build(self) -> "RemoteAsr":
        """The transcriber; nothing is sent yet."""
        return RemoteAsr(self)


class RemoteAsr:
    """A transcription server. Sounds go out in parallel, `concurrency` at once."""

    longest_s = LONGEST_S

    def __init__(self, block: RemoteAsrConfig, clock: Clock | None = None) -> None:
        self.block = block
        self._clock = clock
        self._api: Api | None = None
        self._threads: ThreadPoolExecutor | None = None
        self._engine: str | None = None if block.engine == "auto" else block.engine

    @property
    def audio_goes_to(self) -> str:
        """Which audio goes where, in words."""
        return f"transcripts: {self.block.audio_goes_to}"

    def load(self) -> None:
        """Log where audio goes, and meet the server. Raises ModelError for a wrong key or model, or when
        `send_speech` is not allowed."""
        check_leave(self.block)
        self._api = Api(self.block, self._clock)
        self._threads = ThreadPoolExecutor(self.block.concurrency, "transcribe")
        log.info(self.audio_goes_to)
        try:
            self._meet(self._api)
        except ClassifyError as error:
            log.warning("the transcription server does not answer yet", reason=str(error))

    def transcribe(self, sounds: Sequence[Audio]) -> list[Transcript]:
        """See `Transcriber`."""
        api, threads = self._api, self._threads
        if api is None or threads is None:
            raise ClassifyError("transcripts: not connected; call load() first")
        if self._engine is None:
            self._meet_late(api)
        return list(threads.map(lambda sound: self._transcribed(api, sound), sounds))

    def close(self) -> None:
        """Close what connections are open."""
        if self._api is not None:
            self._api.close()
        if self._threads is not None:
            self._threads.shutdown(cancel_futures=True)
        self._api = self._threads = None

    def _meet(self, api: Api) -> None:
        models = api.check()
        self._engine = self._engine or recognized(api.url, models)

    def _meet_late(self, api: Api) -> None:
        try:
            self._meet(api)
        except ModelError as error:
            raise ClassifyError(str(error)) from error

    def _transcribed(self, api: Api, sound: Audio) -> Transcript:
        path = "/audio/translations" if self.block.to_english else "/audio/transcriptions"
        answer = api.post_form(path, self._form(sound))
        if not isinstance(text := answer.get("text"), str):
            raise ClassifyError("transcripts: the server's answer has no text; is it a transcription server?")
        language = answer.get("language")
        # Where a server passes on what Qwen3-ASR writes, this stands between the language and the words.
        words = sanitize(text.rpartition("<asr_text>")[2], WORDS_MAX)
        return Transcript(words, language if isinstance(language, str) else self.block.language)

    def _form(self, sound: Audio) -> dict[str, Any]:
        block = self.block
        form: dict[str, Any] = {
            "model": block.model,
            "response_format": "json",
            "file": ("sound.wav", wav(bounded(sound, self.longest_s)), "audio/wav"),
        }
        if block.language and not block.to_english:
            form["language"] = block.language
        words = ", ".join(block.hot_words)
        if self._engine == "llama":
            asked = f"{_INSTRUCTION} These words may occur: {words}." if words else _INSTRUCTION
            return {**form, "prompt": asked, "max_tokens": str(block.max_new_tokens), "temperature": "0"}
        return {**form, "prompt": words} if words else form


_INSTRUCTION = "Transcribe the audio to text."

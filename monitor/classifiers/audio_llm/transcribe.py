"""What was said, for rules that ask for words. Off unless configured.

A transcript is the most private thing that this program can hold: it is never logged above DEBUG, its `repr`
leaves the words out, and nothing here stores it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Protocol

from pydantic import AfterValidator, Field

from monitor.audio import Audio
from monitor.classifiers.audio_llm.answers import sanitize
from monitor.classifiers.audio_llm.bounds import bounded
from monitor.classifiers.audio_llm.engines.client import Api, wav
from monitor.classifiers.audio_llm.engines.server import Server
from monitor.classifiers.audio_llm.model import forget_generation_habits
from monitor.classifiers.audio_llm.remote import RemoteClassifier
from monitor.classifiers.base import Classifier, Describer
from monitor.classifiers.pretrained import (
    Device,
    Dtype,
    inference,
    limit_threads,
    loading,
    open_weights,
    pick_device,
    pick_dtype,
    quiet,
    safe,
)
from monitor.clock import Clock
from monitor.errors import ClassifyError, ModelError
from monitor.logs import get_logger
from monitor.schema import Block, Slug

log = get_logger()


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in a segment."""

    text: str = field(repr=False)
    language: str | None = None
    """As the model names it, for example "English"; None when it names none."""


class Transcriber(Protocol):
    """Turns speech into words. One thread calls it."""

    def load(self) -> None:
        """Bring the model into memory, or meet the server. Raises ModelError with the fix."""

    def transcribe(self, audio: Audio) -> Transcript:
        """The words of 0.1-30 s of sound. Raises ClassifyError."""

    def close(self) -> None:
        """Let go of model and connections."""


HotWord = Annotated[str, Field(min_length=1, max_length=80)]
ASR_LANGUAGES = {
    "ar": "Arabic", "cs": "Czech", "da": "Danish", "de": "German", "el": "Greek", "en": "English",
    "es": "Spanish", "fa": "Persian", "fi": "Finnish", "fil": "Filipino", "fr": "French", "hi": "Hindi",
    "hu": "Hungarian", "id": "Indonesian", "it": "Italian", "ja": "Japanese", "ko": "Korean",
    "mk": "Macedonian", "ms": "Malay", "nl": "Dutch", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian",
    "ru": "Russian", "sv": "Swedish", "th": "Thai", "tr": "Turkish", "vi": "Vietnamese", "yue": "Cantonese",
    "zh": "Chinese",
}  # fmt: skip
"""The languages that Qwen3-ASR writes, by code (its model card)."""


def _check_language(name: str) -> str:
    """The name under which the model knows a language, whichever case or code it was written in."""
    for code, language in ASR_LANGUAGES.items():
        if name.lower() in (code, language.lower()):
            return language
    raise ValueError(
        f"Qwen3-ASR does not write {name!r}; it writes {', '.join(sorted(ASR_LANGUAGES.values()))}"
    )


class Qwen3AsrConfig(Block):
    """Qwen3-ASR on this machine; needs `scripts/setup --qwen`."""

    type: Literal["qwen3_asr"]
    model: Annotated[str, Field(min_length=1)] = "Qwen/Qwen3-ASR-1.7B-hf"
    """Hub id or folder."""
    language: Annotated[str, AfterValidator(_check_language)] | None = None
    """Name or code of the language spoken, for example English or en; by default the model detects it."""
    hot_words: list[HotWord] = []
    """Names and words that are rare elsewhere. The words of the rules' `say` are added to them."""
    device: Device = "auto"
    """auto (the best there is), cpu, mps, cuda or cuda:1."""
    dtype: Dtype = "auto"
    """auto: bfloat16 on a GPU that computes in it, float32 elsewhere."""
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    """CPU threads; by default as many as cores, or OMP_NUM_THREADS."""
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)] = 256
    """The longest transcript, in tokens."""

    def build(self) -> "Qwen3Asr":
        """The transcriber, not yet loaded."""
        return Qwen3Asr(self)


class Qwen3Asr:
    """Qwen3-ASR through transformers."""

    def __init__(self, block: Qwen3AsrConfig) -> None:
        self.block = block
        self._model: Any = None
        self._processor: Any = None
        self._ends: Any = None

    def load(self) -> None:
        """Bring the model into memory. Raises ModelError with the fix."""
        block = self.block
        limit_threads(block.threads)
        with loading(block.model):
            import transformers

            quiet()
            device = pick_device(block.device)
            kind = transformers.AutoConfig.from_pretrained(block.model, **safe(block.model)).model_type
            if kind != "qwen3_asr":
                raise ModelError(
                    f"{block.model}: a {kind!r} model is not Qwen3-ASR; use Qwen/Qwen3-ASR-1.7B-hf"
                )
            model = open_weights(
                transformers.Qwen3ASRForConditionalGeneration,
                block.model,
                dtype=pick_dtype(block.dtype, device),
            )
            self._processor = transformers.AutoProcessor.from_pretrained(block.model, **safe(block.model))
            self._ends = model.generation_config.eos_token_id
            forget_generation_habits(model)
            self._model = model.to(device)

    def transcribe(self, audio: Audio) -> Transcript:
        """The words of 0.1-30 s of sound. Raises ClassifyError."""
        import torch
        from transformers import GenerationConfig

        if self._model is None:
            raise ClassifyError(f"{self.block.model}: the model is not loaded; call load() first")
        sound = bounded(audio)
        with inference(self.block.model, "transcribed"), torch.inference_mode():
            inputs = self._processor.apply_transcription_request(
                audio=[sound.samples],
                language=self.block.language,
                prompt=", ".join(self.block.hot_words) or None,
                return_tensors="pt",
            ).to(self._model.device, self._model.dtype)
            out = self._model.generate(
                **inputs,
                generation_config=GenerationConfig(
                    max_new_tokens=self.block.max_new_tokens,
                    do_sample=False,
                    eos_token_id=self._ends,
                    pad_token_id=self._processor.tokenizer.pad_token_id,
                ),
            )
        new = out[0, inputs["input_ids"].shape[1] :]
        parsed = self._processor.decode(new, return_format="parsed")
        return Transcript(sanitize(parsed["transcription"]), parsed["language"] or self.block.language)

    def close(self) -> None:
        """Let the model go."""
        self._model = self._processor = None


class RemoteAsrConfig(Server):
    """An OpenAI-compatible server's /audio/transcriptions. Words are speech: send_speech must be true."""

    type: Literal["remote"]
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}$")] | None = None
    """Code of the language spoken (ISO 639, for example en); by default the server detects it."""
    hot_words: list[HotWord] = []
    """Names and words that are rare elsewhere, sent as the server's `prompt` with the words of `say`."""
    to_english: bool = False
    """Translate into English (/audio/translations), where the server offers it."""

    def build(self) -> "RemoteAsr":
        """The transcriber; nothing is sent yet."""
        return RemoteAsr(self)


class RemoteAsr:
    """A transcription server."""

    def __init__(self, block: RemoteAsrConfig, clock: Clock | None = None) -> None:
        self.block = block
        self._clock = clock
        self._api: Api | None = None

    @property
    def audio_goes_to(self) -> str:
        """Which audio goes where, in words."""
        return f"transcripts: {self.block.audio_goes_to}"

    def load(self) -> None:
        """Say where audio goes, and meet the server. Raises ModelError for a wrong key or model, or when
        `send_speech` is not allowed."""
        _check_leave(self.block)
        self._api = Api(self.block, self._clock)
        log.info(self.audio_goes_to)
        try:
            self._api.check()
        except ClassifyError as error:
            log.warning("the transcription server does not answer yet", reason=str(error))

    def transcribe(self, audio: Audio) -> Transcript:
        """The words of 0.1-30 s of sound. Raises ClassifyError."""
        if self._api is None:
            raise ClassifyError("transcripts: not connected; call load() first")
        form: dict[str, Any] = {
            "model": self.block.model,
            "response_format": "json",
            "file": ("sound.wav", wav(bounded(audio)), "audio/wav"),
        }
        if self.block.language and not self.block.to_english:
            form["language"] = self.block.language
        if self.block.hot_words:
            form["prompt"] = ", ".join(self.block.hot_words)
        answer = self._api.post_form(
            "/audio/translations" if self.block.to_english else "/audio/transcriptions", form
        )
        if not isinstance(text := answer.get("text"), str):
            raise ClassifyError("transcripts: the server's answer has no text; is it a transcription server?")
        language = answer.get("language")
        return Transcript(sanitize(text), language if isinstance(language, str) else self.block.language)

    def close(self) -> None:
        """Close what connections are open."""
        if self._api is not None:
            self._api.close()
            self._api = None


class ListenerWordsConfig(Block):
    """A large classifier of `classifiers:` that also transcribes or translates speech. No second model is
    loaded; its `max_new_tokens` is the longest transcript."""

    type: Literal["listener"]
    name: Slug = "qwen"
    """The name of a `qwen` or `remote` classifier."""
    translate_to: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """Language to translate into, for example English; by default words are not translated."""

    def build(self, loaded: Sequence[Classifier]) -> "ListenerWords":
        """The transcriber, over one of these classifiers, which are loaded."""
        return ListenerWords(self, next((each for each in loaded if each.name == self.name), None))


class ListenerWords:
    """A classifier that answers questions as a transcriber. Opens and closes nothing: the pool does."""

    def __init__(self, block: ListenerWordsConfig, listener: Classifier | None) -> None:
        self.block = block
        self._listener = listener

    def load(self) -> None:
        """Raises ModelError when the classifier is not loaded, has no words, or may not be sent a voice."""
        listener = self._listener
        if not isinstance(listener, Describer):
            raise ModelError(
                f"transcripts: no listener named {self.block.name!r} is loaded that can answer in words; "
                "name a `qwen` or `remote` classifier"
            )
        if isinstance(listener, RemoteClassifier):
            _check_leave(listener.block)

    def transcribe(self, audio: Audio) -> Transcript:
        """The words of 0.1-30 s of sound. Raises ClassifyError."""
        if not isinstance(self._listener, Describer):
            raise ClassifyError("transcripts: the listener is not there; call load() first")
        into = self.block.translate_to
        wanted = f"Translate the speech in this audio into {into}. Give the translation" if into else _WRITE
        return Transcript(self._listener.ask(audio, f"{wanted} alone."), into)

    def close(self) -> None:
        """The pool closes its classifiers."""


_WRITE = "Transcribe the speech in this audio. Give the words"


def _check_leave(server: Server) -> None:
    if not server.send_speech:
        raise ModelError("transcripts: words are speech; allow sending it with send_speech: true")

"""Qwen3-ASR through transformers (model card: https://huggingface.co/Qwen/Qwen3-ASR-1.7B-hf)."""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.answers import WORDS_MAX, sanitize
from monitor.classifiers.audio_llm.batching import halving, in_batches
from monitor.classifiers.audio_llm.bounds import bounded
from monitor.classifiers.audio_llm.model import forget_generation_habits
from monitor.classifiers.audio_llm.transcribers.base import HotWord, Transcript, WordOptions
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
from monitor.errors import ClassifyError, ModelError

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


class Qwen3AsrConfig(WordOptions):
    """Qwen3-ASR on this machine. It needs `scripts/setup --qwen`."""

    type: Literal["qwen3_asr"]
    model: Annotated[str, Field(min_length=1)] = "Qwen/Qwen3-ASR-1.7B-hf"
    """Hub id or folder."""
    language: Annotated[str, AfterValidator(_check_language)] | None = None
    """Name or code of the spoken language, for example English or en. By default the model detects it."""
    hot_words: list[HotWord] = []
    """Names and rare words to expect. The words of the rules' `say` are added to them."""
    device: Device = "auto"
    """auto (the best device of this machine), cpu, mps, cuda or cuda:1."""
    dtype: Dtype = "auto"
    """auto: bfloat16 on a GPU that supports it, otherwise float32."""
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    """Number of CPU threads. By default the number of cores, or OMP_NUM_THREADS."""
    batch_size: Annotated[int, Field(ge=1, le=256)] = 8
    """Sounds transcribed in one pass."""
    max_new_tokens: Annotated[int, Field(ge=1, le=1024)] = 256
    """The longest transcript, in tokens."""
    aligner: Annotated[str, Field(min_length=1)] = "Qwen/Qwen3-ForcedAligner-0.6B-hf"
    """Hub id or folder of a second model that only `earwitness transcribe --timestamps` loads. The daemon
    never loads it."""

    def build(self) -> "Qwen3Asr":
        """The transcriber, not yet loaded."""
        return Qwen3Asr(self)


class Qwen3Asr:
    """Qwen3-ASR through transformers."""

    longest_s = 300.0
    """Its encoder works in windows of a second; longer sounds are for whoever has the memory."""

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

    def transcribe(self, sounds: Sequence[Audio]) -> list[Transcript]:
        """See `Transcriber`. Sounds of like length are transcribed together."""
        if self._model is None:
            raise ClassifyError(f"{self.block.model}: the model is not loaded; call load() first")
        ready = [bounded(sound, self.longest_s) for sound in sounds]
        found: dict[int, Transcript] = {}
        order = sorted(range(len(ready)), key=lambda i: len(ready[i]))
        with inference(self.block.model, "transcribed"):
            for batch in in_batches(order, self.block.batch_size):
                for some, texts in halving(batch, lambda these: self._written([ready[i] for i in these])):
                    found |= zip(some, texts, strict=True)
        return [found[i] for i in range(len(ready))]

    def request(self, sounds: Sequence[Audio], **more: Any) -> Any:
        """What the model is given for these sounds: the checkpoint's own chat template, the hot words as the
        system's text, and the language as the beginning of the answer."""
        return self._processor.apply_transcription_request(
            audio=[sound.samples for sound in sounds],
            language=self.block.language,
            prompt=", ".join(self.block.hot_words) or None,
            **more,
        )

    def _written(self, sounds: Sequence[Audio]) -> list[Transcript]:
        import torch
        from transformers import GenerationConfig

        inputs = self.request(sounds, return_tensors="pt", audio_kwargs={"sampling_rate": SAMPLE_RATE_HZ})
        with torch.inference_mode():
            inputs = inputs.to(self._model.device, self._model.dtype)
            out = self._model.generate(
                **inputs,
                generation_config=GenerationConfig(
                    max_new_tokens=self.block.max_new_tokens,
                    do_sample=False,
                    eos_token_id=self._ends,
                    pad_token_id=self._processor.tokenizer.pad_token_id,
                ),
            )
        new = out[:, inputs["input_ids"].shape[1] :]
        return [self._transcript(row) for row in self._processor.decode(new, return_format="parsed")]

    def _transcript(self, parsed: dict[str, Any]) -> Transcript:
        words = sanitize(parsed["transcription"], WORDS_MAX)
        return Transcript(words, parsed["language"] or self.block.language)

    def close(self) -> None:
        """Let the model go."""
        self._model = self._processor = None

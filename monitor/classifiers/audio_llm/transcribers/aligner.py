"""When each word was said: Qwen3-ForcedAligner through transformers.

Model card: https://huggingface.co/Qwen/Qwen3-ForcedAligner-0.6B-hf. It gives times in steps of 80 ms.
"""

from dataclasses import dataclass, field
from typing import Any

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.bounds import bounded
from monitor.classifiers.audio_llm.transcribers.base import Transcript
from monitor.classifiers.pretrained import (
    Dtype,
    inference,
    loading,
    open_weights,
    pick_device,
    pick_dtype,
    quiet,
    safe,
)
from monitor.errors import ClassifyError, ModelError

LANGUAGES = (
    "Cantonese", "Chinese", "English", "French", "German", "Italian", "Japanese", "Korean", "Portuguese",
    "Russian", "Spanish",
)  # fmt: skip
"""What it aligns (its model card)."""


@dataclass(frozen=True, slots=True)
class TimedWord:
    """A word without punctuation, and from when to when it was said, in seconds from the sound's start."""

    word: str = field(repr=False)
    start_s: float
    end_s: float


class Aligner:
    """One model, by its hub id or folder. Not for use from two threads at once."""

    longest_s = 300.0

    def __init__(self, name: str, device: str = "auto", dtype: Dtype = "auto") -> None:
        self.name = name
        self._device, self._dtype = device, dtype
        self._model: Any = None
        self._processor: Any = None

    def load(self) -> None:
        """Bring the model into memory. Raises ModelError with the fix."""
        with loading(self.name):
            import transformers

            quiet()
            device = pick_device(self._device)
            config = transformers.AutoConfig.from_pretrained(self.name, **safe(self.name))
            if "Qwen3ASRForTokenClassification" not in (config.architectures or ()):
                raise ModelError(
                    f"{self.name}: this is not Qwen3-ForcedAligner; use Qwen/Qwen3-ForcedAligner-0.6B-hf"
                )
            model = open_weights(
                transformers.Qwen3ASRForTokenClassification,
                self.name,
                dtype=pick_dtype(self._dtype, device),
            )
            self._processor = transformers.AutoProcessor.from_pretrained(self.name, **safe(self.name))
            self._model = model.to(device)

    def words(self, audio: Audio, said: Transcript) -> list[TimedWord]:
        """The words of a transcript of at most `longest_s`, with their times. Raises ClassifyError for a
        language that it does not align."""
        if self._model is None:
            raise ClassifyError(f"{self.name}: the model is not loaded; call load() first")
        if said.language is not None and said.language not in LANGUAGES:
            raise ClassifyError(f"{self.name} does not know {said.language}; it knows {', '.join(LANGUAGES)}")
        sound = bounded(audio, self.longest_s)
        with inference(self.name, "aligned"):
            return [
                TimedWord(
                    one["text"],
                    min(one["start_time"], sound.duration_s),
                    min(one["end_time"], sound.duration_s),
                )
                for one in self._aligned(sound, said)
            ]

    def close(self) -> None:
        """Let the model go."""
        self._model = self._processor = None

    def _aligned(self, sound: Audio, said: Transcript) -> list[dict[str, Any]]:
        import torch

        inputs, words = self._inputs(sound, said)
        if not words:
            return []
        with torch.inference_mode():
            logits = self._model(**inputs.to(self._model.device, self._model.dtype)).logits
        found: list[dict[str, Any]] = self._processor.decode_forced_alignment(
            logits, inputs["input_ids"], [words], self._model.config.timestamp_token_id
        )[0]
        return found

    def _inputs(self, sound: Audio, said: Transcript) -> tuple[Any, list[str]]:
        try:
            inputs, [words] = self._processor.prepare_forced_aligner_inputs(
                audio=[sound.samples],
                transcript=said.text,
                language=said.language,
                audio_kwargs={"sampling_rate": SAMPLE_RATE_HZ},
            )
        except ImportError as error:  # Japanese and Korean are cut into words by packages of their own
            raise ClassifyError(f"{self.name}: {error}") from error
        return inputs, words

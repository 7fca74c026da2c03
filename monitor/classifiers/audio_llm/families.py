"""What differs between the Qwen audio models: the text around the audio, and the encoder that hears it.

Each family gets its features from the model's own WhisperFeatureExtractor, so neither torchvision nor Pillow
is needed, which the Omni processors would ask for. Zeros are added behind the sound, as the models' own
processors do; a sound of 30 s fills the window.
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from monitor.audio import SAMPLE_RATE_HZ, Samples
from monitor.classifiers.audio_llm.bounds import LONGEST_S
from monitor.classifiers.audio_llm.prompts import BASE, INSTRUCT, OMNI, Prompts

_HOP = 160
_TAIL_SAMPLES = 5 * _HOP
"""Zeros behind the longest sound, so that the last frames see what they would see in a 30 s window."""


class Family:
    """One family of models. `classes` are names in `transformers`, `model_types` those of its config.json."""

    model_types: ClassVar[tuple[str, ...]]
    model_class: ClassVar[str]
    audio_bos: ClassVar[str]
    audio_eos: ClassVar[str]
    system: ClassVar[str]
    longest_s: ClassVar[float] = LONGEST_S
    """What it hears at once. Behind that a model would cut off, or lose the thread, without a word."""
    audio_title: ClassVar[str] = ""
    experts: ClassVar[bool] = False
    """Whether its language model is a mixture of experts."""

    def prefix(self, system: str | None, *, chat: bool) -> tuple[str, str]:
        """The text before and behind the audio, up to where a question begins.

        `chat` is the form of instruction-tuned models; base models are given the bare audio.
        """
        if not chat:
            return self.audio_bos, self.audio_eos
        words = self.system if system is None else system
        head = f"<|im_start|>system\n{words}<|im_end|>\n" if words else ""
        behind = f"{self.audio_eos}\n" if self.audio_title else self.audio_eos
        return f"{head}<|im_start|>user\n{self.audio_title}{self.audio_bos}", behind

    def prompts(self, *, chat: bool) -> Prompts:
        """What its checkpoints are asked; `chat` as in `prefix`."""
        return INSTRUCT if chat else BASE

    def words_only(self, text: str) -> str:
        """A request without a sound, in chat form."""
        head = f"<|im_start|>system\n{self.system}<|im_end|>\n" if self.system else ""
        return f"{head}<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"

    def question(self, text: str, *, chat: bool, opening: str = "") -> str:
        """A question as it follows the prefix, up to where the answer goes on after `opening`. Empty text is
        voice chat: the audio itself is the question."""
        if chat:
            return f"{text}<|im_end|>\n<|im_start|>assistant\n{opening}"
        # A base model goes on with what stands there; its own tasks end in a colon or a language tag.
        return text if text.endswith((":", "|>")) else f"{text}\nAnswer:"

    def features(self, extractor: Any, waves: Sequence[Samples], device: Any) -> tuple[Any, Any]:
        """Log-mel features (batch, 128, frames), computed on a CUDA device where there is one, and the number
        of frames that carry sound (batch,), on the host."""
        import torch

        window = round(self.longest_s * SAMPLE_RATE_HZ)
        longest = max(len(wave) for wave in waves)
        out = extractor(
            [*waves],
            sampling_rate=SAMPLE_RATE_HZ,
            padding="max_length",
            max_length=min(window, -(-longest // _HOP) * _HOP + _TAIL_SAMPLES),
            truncation=False,
            device=str(device) if device.type == "cuda" else "cpu",
            return_tensors="pt",
        )
        return out["input_features"], torch.tensor([-(-len(wave) // _HOP) for wave in waves])

    def trim(self, model: Any) -> None:
        """Let go of what a classifier never uses."""

    def encode(self, model: Any, extractor: Any, waves: Sequence[Samples]) -> list[Any]:
        """Each wave (16 kHz, 0.1-30 s) as a (tokens, hidden) tensor in the language model's space."""
        raise NotImplementedError


class Qwen2Audio(Family):
    """Qwen2-Audio-7B and -Instruct: a Whisper encoder with a fixed window of 30 s."""

    model_types = ("qwen2_audio",)
    model_class = "Qwen2AudioForConditionalGeneration"
    audio_bos, audio_eos = "<|audio_bos|>", "<|audio_eos|>"
    audio_title = "Audio 1: "
    system = "You are a helpful assistant."

    def encode(self, model: Any, extractor: Any, waves: Sequence[Samples]) -> list[Any]:
        features, frames = self.features(extractor, waves, model.device)
        # Two frames more than the longest sound: the convolutions look that far. Behind them the model would
        # only compute positions that its own mask then hides, for 2 s of sound fourteen fifteenths of them.
        longest = min(features.shape[-1], 2 * ((int(frames.max()) + 3) // 2))
        hidden = self._encoder(model.model.audio_tower, features[..., :longest], (frames - 1) // 2 + 1)
        projected = model.model.multi_modal_projector(hidden)
        tokens = ((frames - 1) // 2 - 1) // 2 + 1
        return [one[:n] for one, n in zip(projected, tokens.tolist(), strict=True)]

    def _encoder(self, tower: Any, features: Any, lengths: Any) -> Any:
        """Qwen2AudioEncoder.forward without its demand for 3000 frames: same modules, masks and result."""
        import torch
        from torch.nn.functional import gelu

        weight = tower.conv1.weight
        x = gelu(tower.conv2(gelu(tower.conv1(features.to(weight.device, weight.dtype))))).transpose(1, 2)
        x = x + tower.embed_positions.weight[: x.shape[1]]
        heard = torch.arange(x.shape[1], device=x.device) < lengths.to(x.device)[:, None]
        mask = heard[:, None, None, :].expand(-1, -1, x.shape[1], -1)
        for layer in tower.layers:
            x = layer(x, mask)
        return tower.layer_norm(tower.avg_pooler(x.transpose(1, 2)).transpose(1, 2))


class _Omni(Family):
    """The thinkers of the Omni models: encoders that work in short windows and never pad to 30 s."""

    def prompts(self, *, chat: bool) -> Prompts:
        return OMNI

    def trim(self, model: Any) -> None:
        """Let go of the eyes: over a gigabyte."""
        model.model.visual = None

    def encode(self, model: Any, extractor: Any, waves: Sequence[Samples]) -> list[Any]:
        import torch

        features, frames = self.features(extractor, waves, model.device)
        heard = (torch.arange(features.shape[-1]) < frames[:, None]).to(model.device)
        out = model.get_audio_features(
            features.to(model.device, model.dtype), feature_attention_mask=heard.long()
        )
        return list(out.last_hidden_state.split([self._tokens(int(n)) for n in frames]))

    def _tokens(self, frames: int) -> int:
        raise NotImplementedError


class Qwen25Omni(_Omni):
    """Qwen2.5-Omni 3B and 7B; of the whole model only the thinker is loaded. Its feature extractor takes five
    minutes (chunk_length 300)."""

    longest_s = 300.0

    model_types = ("qwen2_5_omni", "qwen2_5_omni_thinker")
    model_class = "Qwen2_5OmniThinkerForConditionalGeneration"
    audio_bos, audio_eos = "<|audio_bos|>", "<|audio_eos|>"
    system = (
        "You are Qwen, a virtual human developed by the Qwen Team, Alibaba Group, capable of perceiving "
        "auditory and visual inputs, as well as generating text and speech."
    )

    def _tokens(self, frames: int) -> int:
        return ((frames - 1) // 2 - 1) // 2 + 1


class Qwen3Omni(_Omni):
    """Qwen3-Omni-30B-A3B (mixture of experts); of the whole model only the thinker is loaded. Made for
    recordings of up to 40 minutes (arXiv:2509.17765)."""

    longest_s = 2400.0

    model_types = ("qwen3_omni_moe", "qwen3_omni_moe_thinker")
    model_class = "Qwen3OmniMoeThinkerForConditionalGeneration"
    audio_bos, audio_eos = "<|audio_start|>", "<|audio_end|>"
    system = ""
    experts = True

    def encode(self, model: Any, extractor: Any, waves: Sequence[Samples]) -> list[Any]:
        # Its convolutions pad to the longest window of the call, at most 1 s. A sound shorter than that would
        # be heard differently in company than alone.
        long = [wave for wave in waves if len(wave) >= SAMPLE_RATE_HZ]
        together = iter(super().encode(model, extractor, long) if long else [])
        return [
            next(together)
            if len(wave) >= SAMPLE_RATE_HZ
            else super(Qwen3Omni, self).encode(model, extractor, [wave])[0]
            for wave in waves
        ]

    def _tokens(self, frames: int) -> int:
        rest = frames % 100
        for _ in range(3):
            rest = (rest - 1) // 2 + 1
        return frames // 100 * 13 + rest


FAMILIES: dict[str, Family] = {
    model_type: family
    for family in (Qwen2Audio(), Qwen25Omni(), Qwen3Omni())
    for model_type in family.model_types
}

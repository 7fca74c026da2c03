"""Models behind `hub`: classifiers with classes of their own, and CLAP, which compares sound to words."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from monitor.audio import Samples
from monitor.classifiers.audio_llm.answers import ReadScores
from monitor.classifiers.audio_llm.families import FAMILIES
from monitor.classifiers.audio_llm.phrases import NO_SOUND, NOTHING, PHRASES
from monitor.classifiers.audio_llm.prompts import AnswerPhrase, Question
from monitor.classifiers.audio_llm.scoring import label_scores
from monitor.classifiers.pretrained import Dtype, loading, open_weights, pick_device, pick_dtype, quiet, safe
from monitor.classifiers.taggers.audioset import class_map
from monitor.errors import ModelError
from monitor.labels import emotions

EMOTION_WORDS = {
    "neutral": ("neu", "neutral", "calm"),
    "happy": ("hap", "happy", "happiness", "joy"),
    "sad": ("sad", "sadness"),
    "angry": ("ang", "angry", "anger"),
    "fearful": ("fea", "fear", "fearful"),
    "disgusted": ("dis", "disgust", "disgusted"),
    "surprised": ("sur", "surprise", "surprised", "ps", "pleasant_surprise"),
}
"""What emotion models call their classes (RAVDESS, IEMOCAP and MSP-Podcast names)."""


class HubOptions(Protocol):
    """The options that a model reads; `HubConfig` describes each."""

    @property
    def model(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def dtype(self) -> Dtype: ...
    @property
    def classes(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def exclusive(self) -> bool | None: ...
    @property
    def phrases(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def emotion(self) -> bool: ...
    @property
    def prior(self) -> float: ...
    @property
    def temperature(self) -> float: ...


class HubModel(Protocol):
    """A loaded model. `labels` are the sounds it knows: none for a model of emotions alone."""

    rate_hz: int
    labels: frozenset[str]

    def judge(self, waves: Sequence[Samples]) -> list[ReadScores]:
        """Scores of each of these windows: mono at `rate_hz`, all of one length, shape (samples,) each."""


def load(block: HubOptions, wanted: frozenset[str]) -> HubModel:
    """The model of that hub id or folder, in memory. ModelError names what is wrong and the fix."""
    with loading(block.model):
        import transformers

        quiet()
        config = transformers.AutoConfig.from_pretrained(block.model, **safe(block.model))
        if config.model_type in FAMILIES:
            raise ModelError(f"{block.model}: this is a Qwen audio model; write `type: qwen` for it")
        if config.model_type == "clap":
            return Clap(block, wanted)
        return Tagger(block, wanted)


def _open(block: HubOptions, model_class: Any) -> tuple[Any, Any]:
    """The model on its device, and its feature extractor."""
    import transformers

    device = pick_device(block.device)
    model = open_weights(model_class, block.model, dtype=pick_dtype(block.dtype, device))
    extractor = transformers.AutoFeatureExtractor.from_pretrained(block.model, **safe(block.model))
    return model.to(device), extractor


class Tagger:
    """A model with classes: AudioSet's, emotions, or others that the configuration maps to labels."""

    def __init__(self, block: HubOptions, wanted: frozenset[str]) -> None:
        import transformers

        self._model, self._extractor = _open(block, transformers.AutoModelForAudioClassification)
        self.rate_hz = int(self._extractor.sampling_rate)
        config = self._model.config
        is_ast = config.model_type == "audio-spectrogram-transformer"
        self._ast_filters = ast_filters(self._extractor) if is_ast else None
        names = [str(config.id2label[i]) for i in range(config.num_labels)]
        self._sounds = _sound_columns(names, block.classes, wanted)
        self._emotions = _emotion_columns(names)
        self.labels = frozenset(self._sounds)
        self._exclusive = _exclusive(config) if block.exclusive is None else block.exclusive
        if not self._sounds and not self._emotions:
            raise ModelError(
                f"{block.model}: none of its classes ({', '.join(names[:5])}, ...) is one of our labels, an "
                "AudioSet class or an emotion; map them under `classes:`"
            )

    def judge(self, waves: Sequence[Samples]) -> list[ReadScores]:
        """See `HubModel.judge`: for each wave, shape (samples,), its scores."""
        import torch

        with torch.inference_mode():
            features = {
                name: value.to(self._model.device, self._model.dtype if value.is_floating_point() else None)
                for name, value in self._features(waves).items()
            }
            logits = self._model(**features).logits.float().cpu()
            scores = (logits.softmax(-1) if self._exclusive else logits.sigmoid()).numpy()
        return [self._read(row) for row in scores]

    def _features(self, waves: Sequence[Samples]) -> dict[str, Any]:
        if self._ast_filters is not None:
            return {"input_values": ast_features(self._extractor, self._ast_filters, waves)}
        return dict(self._extractor([*waves], sampling_rate=self.rate_hz, return_tensors="pt"))

    def _read(self, row: Samples) -> ReadScores:
        # Classes that exclude one another add up to a label; independent ones are alternatives.
        together = np.sum if self._exclusive else np.max
        scores = {label: float(together(row[columns])) for label, columns in self._sounds.items()}
        emotion = {name: float(row[columns].sum()) for name, columns in self._emotions.items()}
        total = sum(emotion.values())
        return scores, {name: value / total for name, value in emotion.items()} if total > 0 else None


class Clap:
    """Zero-shot: how much nearer a sound is to a label's words than to those for nothing, silence set off."""

    def __init__(self, block: HubOptions, wanted: frozenset[str]) -> None:
        import transformers

        self._model, self._extractor = _open(block, transformers.ClapModel)
        self._tokenizer = transformers.AutoTokenizer.from_pretrained(block.model, **safe(block.model))
        self.rate_hz = int(self._extractor.sampling_rate)
        self.labels = wanted & (PHRASES.keys() | block.phrases.keys())
        self._asked = _clap_questions(self.labels, block)
        self._prior, self._temperature = block.prior, block.temperature
        self._words = self._embed_words([a.text for q in self._asked for a in q.answers])
        [self._in_silence] = self._compare([np.zeros(2 * self.rate_hz, np.float32)])

    def judge(self, waves: Sequence[Samples]) -> list[ReadScores]:
        """See `HubModel.judge`: for each wave, shape (samples,), its scores."""
        return [
            label_scores(self._asked, row, self._in_silence, self._prior, self._temperature)
            for row in self._compare(waves)
        ]

    def _embed_words(self, texts: list[str]) -> Any:
        import torch

        with torch.inference_mode():
            tokens = self._tokenizer(texts, padding=True, return_tensors="pt").to(self._model.device)
            return self._model.get_text_features(**tokens).pooler_output

    def _compare(self, waves: Sequence[Samples]) -> Any:
        """Scaled cosine of each wave with each text, the logits CLAP was trained with, (waves, texts)."""
        import torch

        with torch.inference_mode():
            features = self._extractor([*waves], sampling_rate=self.rate_hz, return_tensors="pt")
            # No window is longer than the model's: left to itself a fusion model would call one of them long,
            # at random, and hear it otherwise.
            features["is_longer"] = torch.zeros(len(waves), 1, dtype=torch.bool)
            features = features.to(self._model.device)
            features["input_features"] = features["input_features"].to(self._model.dtype)
            heard = self._model.get_audio_features(**features).pooler_output
            scale = self._model.logit_scale_a.exp()
            return (heard @ self._words.T * scale).double().cpu().numpy()


def _clap_questions(wanted: frozenset[str], block: HubOptions) -> tuple[Question, ...]:
    """The captions of every label, in the manner of CLAP's training, as one question; and of the emotions."""
    answers = [
        AnswerPhrase(caption, label)
        for label in sorted(wanted)
        for caption in block.phrases.get(label)
        or [f"This is a sound of {phrase}." for phrase in PHRASES[label]]
    ]
    nothing = [AnswerPhrase(f"This is a sound of {phrase}.", NOTHING) for phrase in NO_SOUND]
    felt = [AnswerPhrase(f"A person speaking in a {emotion} voice.", emotion) for emotion in emotions()]
    asked = (Question("", (*answers, *nothing)),)
    return (*asked, Question("", tuple(felt), "emotion")) if block.emotion else asked


def _sound_columns(
    names: Sequence[str], classes: Mapping[str, Sequence[str]], wanted: frozenset[str]
) -> dict[str, list[int]]:
    """Our sounds and the numbers of the model's classes that mean them."""
    known = class_map(names).columns
    by_name = {name.strip().lower(): number for number, name in enumerate(names)}
    columns = {}
    for label in sorted(wanted):
        given = classes.get(label)
        if given is not None:
            if unknown := [name for name in given if name.strip().lower() not in by_name]:
                raise ModelError(f"classes: {label}: the model has no class {unknown[0]!r}")
            columns[label] = [by_name[name.strip().lower()] for name in given]
        elif label in by_name:
            columns[label] = [by_name[label]]
        elif label in known:
            columns[label] = list(known[label])
    return columns


def _emotion_columns(names: Sequence[str]) -> dict[str, list[int]]:
    """Emotions and the classes that mean them; none unless the model has at least two."""
    found = {
        emotion: [number for number, name in enumerate(names) if name.strip().lower() in words]
        for emotion, words in EMOTION_WORDS.items()
    }
    found = {emotion: columns for emotion, columns in found.items() if columns}
    return found if len(found) > 1 else {}


def _exclusive(config: Any) -> bool:
    """AudioSet's classes overlap, whatever a model's configuration leaves unsaid; small sets exclude."""
    if config.problem_type is not None:
        return bool(config.problem_type == "single_label_classification")
    return bool(config.num_labels < 500)


def ast_filters(extractor: Any) -> Any:
    """AST's mel filters, transformers' own, (257, 128)."""
    from transformers.audio_utils import mel_filter_bank

    return mel_filter_bank(
        num_frequency_bins=257,
        num_mel_filters=extractor.num_mel_bins,
        min_frequency=20,
        max_frequency=extractor.sampling_rate // 2,
        sampling_rate=extractor.sampling_rate,
        norm=None,
        mel_scale="kaldi",
        triangularize_in_mel_space=True,
    )


def ast_features(extractor: Any, filters: Any, waves: Sequence[Samples]) -> Any:
    """Log-mel features for AST by transformers' own filterbank, (batch, frames, 128).

    Its extractor takes torchaudio's when that is installed, with other results: the same model would then
    score differently from machine to machine. See docs/decisions/torchaudio.md.
    """
    import torch
    from transformers.audio_utils import spectrogram, window_function

    features = np.zeros((len(waves), extractor.max_length, extractor.num_mel_bins), np.float32)
    for row, wave in zip(features, waves, strict=True):
        mel = spectrogram(
            wave,
            window_function(400, "hann", periodic=False),
            frame_length=400,
            hop_length=160,
            fft_length=512,
            power=2.0,
            center=False,
            preemphasis=0.97,
            mel_filters=filters,
            log_mel="log",
            mel_floor=float(np.finfo(np.float32).eps),
            remove_dc_offset=True,
        ).T[: extractor.max_length]
        row[: len(mel)] = mel
    return torch.from_numpy(extractor.normalize(features) if extractor.do_normalize else features)

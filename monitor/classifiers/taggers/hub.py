"""Any audio classifier of transformers: AudioSet taggers such as AST, emotion models such as wav2vec2 and
WavLM, and CLAP, whose labels are described in words (zero-shot)."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from monitor.classifiers.audio_llm.answers import ReadScores, detected, strongest
from monitor.classifiers.audio_llm.phrases import hearable
from monitor.classifiers.base import ClassifierDefaults
from monitor.classifiers.cascade import LabelSubset, SecondLook
from monitor.classifiers.pretrained import Device, Dtype, inference, limit_threads
from monitor.classifiers.taggers.hub_models import HubModel, load
from monitor.classifiers.taggers.windows import batches, cut
from monitor.errors import ClassifyError
from monitor.labels import VOICED
from monitor.logs import get_logger
from monitor.schema import Slug, SoundLabel
from monitor.types import Detection, Segment

log = get_logger()
GRAIN_S = 0.1
"""Sounds are filled up with silence to a multiple of this, so that like lengths share a batch; also the
shortest sound that the models take."""


class HubConfig(SecondLook, LabelSubset):
    """An audio classifier or CLAP model of the Hugging Face hub. It needs `scripts/setup --qwen`."""

    type: Literal["hub"]
    name: Slug = "hub"
    """Name of this classifier in events (`confirmed_by`) and logs."""
    model: Annotated[str, Field(min_length=1)]
    """Hub id or folder, for example MIT/ast-finetuned-audioset-10-10-0.4593 or laion/clap-htsat-unfused."""
    device: Device = "auto"
    """auto (the best device of this machine), cpu, mps, cuda or cuda:1."""
    dtype: Dtype = "float32"
    """float32 for these small models; auto, bfloat16 and float16 for large ones on a GPU."""
    threads: Annotated[int, Field(ge=1, le=256)] | None = None
    """Number of CPU threads. By default the number of cores, or OMP_NUM_THREADS."""
    batch_size: Annotated[int, Field(ge=1, le=256)] = 16
    """Windows judged in one pass."""
    window_s: Annotated[float, Field(ge=0.5, le=30)] = 10.0
    """Longer segments are judged in windows of this length."""
    classes: dict[SoundLabel, list[str]] = {}
    """For each label, the names of the model's classes that mean it. Needed only if the model uses neither
    our names nor AudioSet's."""
    exclusive: bool | None = None
    """true: only one of the model's classes can be right at a time. By default as in the model's
    configuration."""
    phrases: dict[SoundLabel, list[str]] = {}
    """CLAP: descriptions of labels, in place of the built-in ones."""
    prior: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """CLAP: how likely a sound is before anything is heard. Silence gets this score."""
    temperature: Annotated[float, Field(gt=0, le=100)] = 1.0
    """CLAP: above 1 softens the scores, below 1 sharpens them."""

    def build(self) -> "HubClassifier":
        """The classifier, not yet loaded."""
        return HubClassifier(self)


class HubClassifier(ClassifierDefaults):
    """A transformers model behind our labels. One thread at a time.

    Before `load` its `labels` are those asked for, or all that such models may know; then those it knows.
    """

    def __init__(self, block: HubConfig) -> None:
        self.block = block
        self.name = block.name
        self.labels = frozenset(block.labels) or hearable() | block.classes.keys() | block.phrases.keys()
        self.window_s = self.hop_s = block.window_s
        self._loaded: HubModel | None = None

    def load(self) -> None:
        """Bring the model into memory. Raises ModelError with the fix."""
        limit_threads(self.block.threads)
        self._loaded = load(self.block, self.labels)
        self.labels = self._loaded.labels or VOICED
        log.info("model loaded", classifier=self.name, model=self.block.model, labels=len(self.labels))

    def close(self) -> None:
        """Let the model go."""
        self._loaded = None

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        """Each label's highest score over the windows of each segment. Raises ClassifyError.

        A model of emotions alone has no scores of sounds: its voiced labels score the share of voice that the
        voice-activity detector heard.
        """
        model = self._loaded
        if model is None:
            raise ClassifyError(f"{self.name}: the model is not loaded; call load() first")
        sizes = [round(s * model.rate_hz) for s in (self.window_s, self.hop_s, GRAIN_S)]
        pieces = cut(segments, model.rate_hz, *sizes)
        judged: dict[int, ReadScores] = {}
        with inference(self.block.model, " ".join(segment.id for segment in segments)):
            for positions in batches(pieces, self.block.batch_size):
                found = model.judge([pieces[position].samples for position in positions])
                judged.update(zip(positions, found, strict=True))
        return [
            detection
            for number, segment in enumerate(segments)
            for detection in self._answer(
                segment, [judged[k] for k, piece in enumerate(pieces) if piece.segment == number]
            )
        ]

    def _answer(self, segment: Segment, judged: Sequence[ReadScores]) -> list[Detection]:
        scores, emotion = strongest(judged)
        # A model that knows emotions only must not be taken to have heard a scream: a score of 0 beside an
        # emotion neither begins an event nor doubts one.
        heard = scores or dict.fromkeys(sorted(VOICED), 0.0)
        return detected(segment, self.name, heard, emotion)

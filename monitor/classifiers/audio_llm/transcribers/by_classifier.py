"""Transcripts by a large classifier that is loaded already, with the instruction to transcribe."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from monitor.audio import Audio
from monitor.classifiers.audio_llm.bounds import LONGEST_S
from monitor.classifiers.audio_llm.remote import RemoteClassifier
from monitor.classifiers.audio_llm.transcribers.base import Transcript, WordOptions, check_leave
from monitor.classifiers.base import Classifier, Describer
from monitor.errors import ClassifyError, ModelError
from monitor.schema import Slug


class ClassifierTranscriberConfig(WordOptions):
    """A large classifier of `classifiers:` that also transcribes or translates speech. No second model is
    loaded. Its `max_new_tokens` limits the transcript."""

    type: Literal["listener"]
    name: Slug = "qwen"
    """The name of a `qwen` or `remote` classifier."""
    language: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """English name of the spoken language. By default the model detects it."""
    translate_to: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    """Language to translate into, for example English. By default words are not translated."""

    def build(self, loaded: Sequence[Classifier]) -> "ClassifierTranscriber":
        """The transcriber, over one of these classifiers, which are loaded."""
        return ClassifierTranscriber(self, next((each for each in loaded if each.name == self.name), None))


class ClassifierTranscriber:
    """A classifier that answers questions as a transcriber. Opens and closes nothing: the pool does."""

    longest_s = LONGEST_S

    def __init__(self, block: ClassifierTranscriberConfig, classifier: Classifier | None) -> None:
        self.block = block
        self._classifier = classifier

    def load(self) -> None:
        """Raises ModelError when the classifier is not loaded, has no words, or may not be sent a voice."""
        classifier = self._classifier
        if not isinstance(classifier, Describer):
            raise ModelError(
                f"transcripts: no classifier named {self.block.name!r} is loaded that can answer in words; "
                "name a `qwen` or `remote` classifier"
            )
        if isinstance(classifier, RemoteClassifier):
            check_leave(classifier.block)

    def transcribe(self, sounds: Sequence[Audio]) -> list[Transcript]:
        """See `Transcriber`."""
        classifier = self._classifier
        if not isinstance(classifier, Describer):
            raise ClassifyError("transcripts: the classifier is not loaded; call load() first")
        spoken, into = self.block.language, self.block.translate_to
        return [Transcript(classifier.write_down(sound, spoken, into), into or spoken) for sound in sounds]

    def close(self) -> None:
        """The pool closes its classifiers."""

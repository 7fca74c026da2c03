"""What a transcriber promises. Off unless configured.

A transcript is the most private thing that this program can hold: it is never logged above DEBUG, its `repr`
leaves the words out, and nothing here stores it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Protocol

from pydantic import Field

from monitor.audio import Audio
from monitor.classifiers.audio_llm.engines.server import ServerOptions
from monitor.errors import ModelError
from monitor.schema import Block

HotWord = Annotated[str, Field(min_length=1, max_length=80)]


class WordOptions(Block):
    """Options of every transcriber."""

    while_speaking: bool = True
    """While somebody speaks, also transcribe the last three seconds once a second. A rule's words are then
    found before the sentence ends. Words without a phrase of a rule are dropped at once."""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was said in a segment."""

    text: str = field(repr=False)
    language: str | None = None
    """As the model names it, for example "English"; None when it names none."""


class Transcriber(Protocol):
    """Turns speech into words. One thread calls it."""

    @property
    def longest_s(self) -> float:
        """How much sound it takes at once."""

    def load(self) -> None:
        """Bring the model into memory, or meet the server. Raises ModelError with the fix."""

    def transcribe(self, sounds: Sequence[Audio]) -> list[Transcript]:
        """The words of each sound of at most `longest_s`, in order. Raises ClassifyError when one of them
        cannot be transcribed."""

    def close(self) -> None:
        """Let go of model and connections."""


def check_leave(server: ServerOptions) -> None:
    """Raises ModelError unless speech may be sent to the server."""
    if not server.send_speech:
        raise ModelError("transcripts: transcripts need speech; allow sending it with send_speech: true")

"""A recording of any length in words: described or transcribed in one pass where a model hears so much at
once, else in parts."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

from monitor.audio import Audio
from monitor.classifiers.audio_llm.bounds import parts
from monitor.classifiers.audio_llm.transcribers.aligner import Aligner, TimedWord
from monitor.classifiers.audio_llm.transcribers.base import Transcriber, Transcript
from monitor.classifiers.base import Describer

MUSIC = {
    "genre": "What is the genre of this music? Answer with the genre alone.",
    "instruments": "Which instruments are played in this music? Answer with their names alone.",
    "tempo": "What is the tempo of this music? Answer with the tempo alone.",
    "mood": "What is the mood of this music? Answer with one or two words.",
}
"""What is asked about music, by the name of the answer."""


@dataclass(frozen=True, slots=True)
class RecordingPart:
    """A stretch of a recording, in seconds from its start, and what was heard in it."""

    start_s: float
    end_s: float
    words: str


@dataclass(frozen=True, slots=True)
class Description:
    """The parts of a recording in order, and all of it in a sentence or two; None where there is one part, or
    where the model cannot be asked for a summary."""

    parts: tuple[RecordingPart, ...]
    summary: str | None = None


def described(audio: Audio, talker: Describer) -> Description:
    """A recording in words. Blocks as long as the model needs; raises ClassifyError."""
    heard = tuple(_heard(audio, talker))
    return Description(heard, _summary(heard, talker) if len(heard) > 1 else None)


def music(audio: Audio, talker: Describer) -> dict[str, str]:
    """Genre, instruments, tempo and mood, in the model's words, of as much as it hears at once. Raises
    ClassifyError."""
    beginning = audio.slice(0, talker.longest_s)
    return {name: talker.ask(beginning, question) for name, question in MUSIC.items()}


def transcribed(audio: Audio, transcriber: Transcriber) -> list[tuple[float, Audio, Transcript]]:
    """What is said in a recording, in parts of at most the transcriber's `longest_s`: where each begins in
    seconds, its sound and its words. Raises ClassifyError."""
    pieces = parts(audio, transcriber.longest_s)
    starts_s = accumulate((piece.duration_s for piece in pieces[:-1]), initial=0.0)
    return list(zip(starts_s, pieces, transcriber.transcribe(pieces), strict=True))


def timed(said: Iterable[tuple[float, Audio, Transcript]], aligner: Aligner) -> list[TimedWord]:
    """Every word of such parts with its time in the whole recording. Raises ClassifyError."""
    return [
        TimedWord(each.word, round(start_s + each.start_s, 3), round(start_s + each.end_s, 3))
        for start_s, sound, words in said
        for each in aligner.words(sound, words)
    ]


def _heard(audio: Audio, talker: Describer) -> Iterator[RecordingPart]:
    start_s = 0.0
    for part in parts(audio, talker.longest_s):
        end_s = start_s + part.duration_s
        yield RecordingPart(start_s, end_s, talker.describe(part))
        start_s = end_s


def _summary(heard: tuple[RecordingPart, ...], talker: Describer) -> str | None:
    lines = "\n".join(f"{clock(part.start_s)} {part.words}" for part in heard)
    return talker.summarize(
        "Consecutive parts of one recording were described as follows, each with the time of its beginning:\n"
        f"{lines}\nSummarize in one or two sentences what happens in the whole recording."
    )


def clock(time_s: float) -> str:
    """A time in a recording as people write it: 0:30, 1:02:03."""
    minutes, seconds = divmod(round(time_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"

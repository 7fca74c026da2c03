"""Commands that put sound into words by a large model: describe, ask, chat, transcribe."""

import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from monitor.audio import Audio
from monitor.classifiers.base import Describer
from monitor.cli.console import ConfigOption, chosen_config, config_in_force, err, out, warn
from monitor.cli.files import ModelOption, named_classifier
from monitor.cli.recordings import FormatOption, OutputFormat
from monitor.errors import ClassifyError, PublishError

LONGEST_TURN_S = 30.0
"""How long somebody may speak in `chat`: as much as every large model hears at once."""
WAIT_FOR_VOICE_S = 15.0
"""After Enter nobody has spoken for so long: the question is put again."""


def register(app: typer.Typer) -> None:
    """Add the commands of this file."""
    for command in (describe, ask, chat, transcribe):
        app.command(rich_help_panel="Recordings")(command)


def describe(
    file: Annotated[Path, typer.Argument(help="A recording of any length and format.")],
    config: ConfigOption = None,
    model: ModelOption = None,
    music: Annotated[
        bool, typer.Option("--music", help="Describe music instead: genre, instruments, tempo, mood.")
    ] = False,
    format: FormatOption = OutputFormat.TEXT,
) -> None:
    """Describe a recording with a large model (Qwen2-Audio or a successor).

    The model hears only so much at once. A longer recording is described in parts, and then as a whole.

    [bold]Examples[/bold]

      earwitness describe doorbell.wav
      earwitness describe --music song.mp3
      earwitness describe --model nas night.flac
    """
    from monitor.recordings.descriptions import described
    from monitor.recordings.descriptions import music as music_of
    from monitor.sources.recording import read_audio

    audio, talker = read_audio(file, warn=warn), _talker(config, model)
    if music:
        _show_fields(music_of(audio, talker), format)
        return
    found = described(audio, talker)
    if format is OutputFormat.JSONL:
        typer.echo(json.dumps({"file": str(file), **asdict(found)}))
    else:
        _show_parts(found)


def ask(
    file: Annotated[
        Path, typer.Argument(help="A recording. The model hears only its first part, as much as it can.")
    ],
    question: Annotated[
        str,
        typer.Argument(
            help="For example: What happened here? Without a question, the model answers what is said in it."
        ),
    ] = "",
    config: ConfigOption = None,
    model: ModelOption = None,
) -> None:
    """Ask a large model a question about a recording, or let it answer what somebody says in it."""
    from monitor.sources.recording import read_audio

    talker = _talker(config, model)
    typer.echo(talker.ask(read_audio(file, warn=warn).slice(0, talker.longest_s), question))


def chat(
    config: ConfigOption = None,
    model: ModelOption = None,
    source: Annotated[
        str | None,
        typer.Option(help="Name of the microphone in the configuration. By default the first."),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="Print the answers without reading them aloud.")
    ] = False,
) -> None:
    """Talk with a large model: press Enter, speak, and it answers.

    Answers are printed and read aloud. The voice is that of the first `spoken` notifier, or espeak-ng. Your
    words are neither logged nor kept. Press Ctrl-C or Ctrl-D to end.
    """
    settings = config_in_force(config, uses=("classifiers", "sources", "notifiers"))
    blocks = {block.name: block for block in settings.sources if block.enabled}
    if source is not None and source not in blocks:
        raise typer.BadParameter(f"no such source; there are {', '.join(blocks)}", param_hint="--source")
    microphone = blocks[source] if source else next(iter(blocks.values()))
    talker = _talker(config, model)
    speak = _silent if quiet else _voice(settings)
    while _next_turn():
        heard = _listen(settings, microphone)
        if heard is None:
            err.print("Nobody spoke.")
            continue
        try:
            answer = talker.ask(heard)
        except ClassifyError as error:
            err.print(str(error), highlight=False)
            continue
        typer.echo(answer)
        speak(answer)


def transcribe(
    file: Annotated[Path, typer.Argument(help="A recording of any length and format.")],
    config: ConfigOption = None,
    timestamps: Annotated[
        bool, typer.Option("--timestamps", help="Print each word with its time (Qwen3-ASR and its aligner).")
    ] = False,
    format: FormatOption = OutputFormat.TEXT,
) -> None:
    """Write down what people say in a recording.

    The model is that of the configuration's `transcripts:`.

    [bold]Examples[/bold]

      earwitness transcribe voicemail.wav
      earwitness transcribe --timestamps --format jsonl voicemail.wav
    """
    from monitor.classifiers.audio_llm.transcribers.aligner import Aligner
    from monitor.recordings.descriptions import timed, transcribed
    from monitor.sources.recording import read_audio

    block = config_in_force(config).transcripts
    if block is None or block.type == "listener" or (timestamps and block.type != "qwen3_asr"):
        kinds = "qwen3_asr" if timestamps else "qwen3_asr or remote"
        raise typer.BadParameter(f"write a transcripts: block of type {kinds}", param_hint="--config")
    audio, transcriber = read_audio(file, warn=warn), block.build()
    transcriber.load()
    said = transcribed(audio, transcriber)
    if timestamps and block.type == "qwen3_asr":
        aligner = Aligner(block.aligner, block.device, block.dtype)
        aligner.load()
        _show_words([asdict(word) for word in timed(said, aligner)], format)
    elif format is OutputFormat.JSONL:
        typer.echo(json.dumps({"file": str(file), "text": " ".join(words.text for _, _, words in said)}))
    else:
        for _, _, words in said:
            typer.echo(words.text)


def _show_words(words: list[dict[str, Any]], format: OutputFormat) -> None:
    for each in words:
        line = f"{each['start_s']:.2f}-{each['end_s']:.2f}  {each['word']}"
        typer.echo(json.dumps(each) if format is OutputFormat.JSONL else line)


def _next_turn() -> bool:
    err.print(f"Press Enter and speak, at most {LONGEST_TURN_S:g} s.")
    try:
        input()
    except (EOFError, KeyboardInterrupt):
        return False
    return True


def _listen(settings: Any, block: Any) -> Audio | None:
    """What somebody says into a microphone, until they pause; None when nobody does."""
    from monitor.audio import FRAME_S
    from monitor.clock import SystemClock
    from monitor.gate.gate import Gate

    gate = Gate(block.name, settings.gate_of(block), require_speech=True)
    with block.build(SystemClock()) as microphone:
        waited_s = 0.0
        for frame in microphone.frames():
            waited_s += FRAME_S
            segments = gate.push(frame).segments
            if done := [one for one in segments if one.ended_by != "open"]:
                return done[0].audio.slice(0, LONGEST_TURN_S)
            if waited_s > (WAIT_FOR_VOICE_S if not segments else LONGEST_TURN_S):
                break
        rest = gate.finish("shutdown").segments
    return rest[0].audio.slice(0, LONGEST_TURN_S) if rest else None


def _voice(settings: Any) -> Callable[[str], None]:
    from monitor.notifiers.players import LocalPlayer
    from monitor.notifiers.speech import EspeakVoice, reading

    spoken = next((block for block in settings.notifiers if block.type == "spoken"), None)
    voice = spoken.voice if spoken else EspeakVoice()
    player = spoken.player if spoken else LocalPlayer()

    def speak(text: str) -> None:
        try:
            play, _ = reading(text, voice, player)
            play()
        except PublishError as error:
            err.print(f"not read aloud: {error}", highlight=False)

    return speak


def _silent(text: str) -> None:
    """Printed is enough."""


def _show_fields(fields: dict[str, str], format: OutputFormat) -> None:
    if format is OutputFormat.JSONL:
        typer.echo(json.dumps(fields))
        return
    for name, words in fields.items():
        out.print(f"{name:<12} {words}", highlight=False, markup=False)


def _show_parts(found: Any) -> None:
    from monitor.recordings.descriptions import clock

    if len(found.parts) == 1:
        typer.echo(found.parts[0].words)
        return
    for part in found.parts:
        typer.echo(f"{clock(part.start_s)}-{clock(part.end_s)}  {part.words}")
    if found.summary:
        typer.echo(found.summary)


def _talker(config: Path | None, name: str | None) -> Describer:
    """A large model that can answer in words, loaded."""
    from monitor.config.model import LARGE_MODEL, large_classifiers

    given, _ = chosen_config(config)
    large = large_classifiers(given) if given else []
    classifier = named_classifier(config, name or (large[0] if large else LARGE_MODEL))
    if not isinstance(classifier, Describer):
        raise typer.BadParameter(
            f"{name} scores sounds and has no words; name a Qwen audio model, for example {LARGE_MODEL}",
            param_hint="--model",
        )
    classifier.load()
    return classifier

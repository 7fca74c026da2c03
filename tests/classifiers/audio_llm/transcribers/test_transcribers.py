"""Transcripts, by Qwen3-ASR from disk, by a server, and by instruction."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.answers import sanitize
from monitor.classifiers.audio_llm.prompts import OMNI, writing_down
from monitor.classifiers.audio_llm.remote import RemoteConfig
from monitor.classifiers.audio_llm.transcribers.aligner import Aligner
from monitor.classifiers.audio_llm.transcribers.base import Transcript
from monitor.classifiers.audio_llm.transcribers.by_classifier import ClassifierTranscriberConfig
from monitor.classifiers.audio_llm.transcribers.qwen3_asr import Qwen3AsrConfig
from monitor.classifiers.audio_llm.transcribers.server import RemoteAsrConfig
from monitor.errors import ClassifyError, ModelError
from testkit import tiny_models
from testkit.builders import noise, tone
from testkit.fakes import ScriptedClassifier
from testkit.openai_server import MODEL, OpenAIServer

SPEECH = Audio(noise(1.5, -20), SAMPLE_RATE_HZ)


def test_qwen3_asr_writes_what_its_own_pipeline_writes(tmp_path: Path) -> None:
    """Loaded from disk it gives the words of transformers' own processor and generate(), as one line."""
    import torch

    folder = tiny_models.qwen3_asr(tmp_path)
    block = Qwen3AsrConfig(
        type="qwen3_asr",
        model=str(folder),
        device="cpu",
        dtype="float32",
        language="English",
        max_new_tokens=12,
    )
    transcriber = block.build()
    transcriber.load()

    [found] = transcriber.transcribe([SPEECH])

    processor, model = transcriber._processor, transcriber._model
    inputs = processor.apply_transcription_request(audio=[SPEECH.samples], language="English")
    with torch.inference_mode():
        out = model.generate(**inputs, max_new_tokens=12, do_sample=False)
    own = processor.decode(out[0, inputs["input_ids"].shape[1] :], return_format="transcription_only")
    assert len(own) > 3
    assert found.text == sanitize(own)
    assert found.language == "English"
    transcriber.close()
    with pytest.raises(ClassifyError, match="call load"):
        transcriber.transcribe([SPEECH])


def test_sounds_are_transcribed_together_as_its_own_pipeline_does(tmp_path: Path) -> None:
    """In batches of like length; each sound gets its own words, in the order given."""
    folder = tiny_models.qwen3_asr(tmp_path, seed=1)
    given = {"type": "qwen3_asr", "model": str(folder), "device": "cpu", "dtype": "float32", "language": "en"}
    block = Qwen3AsrConfig.model_validate({**given, "max_new_tokens": 12, "batch_size": 2})
    long, short, middle = (
        Audio(x, SAMPLE_RATE_HZ) for x in (noise(2.0, -20), tone(440, 0.7), tone(3000, 1.2))
    )
    transcriber = block.build()
    transcriber.load()

    found = [words.text for words in transcriber.transcribe([long, short, middle])]

    processor, model = transcriber._processor, transcriber._model
    own = []
    for batch in ([short, middle], [long]):
        inputs = processor.apply_transcription_request(
            audio=[sound.samples for sound in batch], language="English"
        )
        out = model.generate(**inputs, max_new_tokens=12, do_sample=False)
        own += processor.decode(out[:, inputs["input_ids"].shape[1] :], return_format="transcription_only")
    assert found == [sanitize(own[i]) for i in (2, 0, 1)]
    assert len(set(found)) == 3
    transcriber.close()


def test_every_word_gets_its_time_from_the_aligner(tmp_path: Path) -> None:
    """Those of transformers' own processor and forward, in order and within the sound."""
    import torch

    aligner = Aligner(str(tiny_models.qwen3_aligner(tmp_path)), "cpu", "float32")
    aligner.load()

    found = aligner.words(SPEECH, Transcript("Help me, please!", "English"))

    processor, model = aligner._processor, aligner._model
    inputs, words = processor.prepare_forced_aligner_inputs(
        audio=[SPEECH.samples], transcript="Help me, please!", language="English"
    )
    with torch.inference_mode():
        logits = model(**inputs).logits
    marker = processor.tokenizer.convert_tokens_to_ids("<timestamp>")
    [own] = processor.decode_forced_alignment(logits, inputs["input_ids"], words, marker)
    assert [each.word for each in found] == ["Help", "me", "please"]
    assert [each.end_s for each in found] == [min(each["end_time"], 1.5) for each in own]
    times_s = [time_s for each in found for time_s in (each.start_s, each.end_s)]
    assert times_s == sorted(times_s)
    assert aligner.words(SPEECH, Transcript("...", "English")) == []
    with pytest.raises(ClassifyError, match=r"does not know Thai; it knows Cantonese, .*, Spanish"):
        aligner.words(SPEECH, Transcript("Help", "Thai"))
    assert "Help" not in repr(found)
    aligner.close()
    with pytest.raises(ClassifyError, match="call load"):
        aligner.words(SPEECH, Transcript("Help", "English"))


def test_another_model_is_no_aligner(tmp_path: Path) -> None:
    """Qwen3-ASR itself is of the same family and cannot align."""
    with pytest.raises(ModelError, match=r"not Qwen3-ForcedAligner; use Qwen/Qwen3-ForcedAligner"):
        Aligner(str(tiny_models.qwen3_asr(tmp_path))).load()


def test_a_long_transcript_is_whole() -> None:
    """Half a minute of fast speech is more than a description may hold; its last words count like the
    first."""
    words = "and then she said " * 60 + "help"
    with OpenAIServer() as server:
        transcriber = RemoteAsrConfig(type="remote", url=server.url, model=MODEL, send_speech=True).build()
        transcriber.load()
        server.answers = [json.dumps({"text": words}).encode()]
        [found] = transcriber.transcribe([SPEECH])
        transcriber.close()

    assert found.text == words


@pytest.mark.parametrize(
    ("written", "language"), [("english", "English"), ("yue", "Cantonese"), ("DE", "German")]
)
def test_a_language_is_known_by_name_or_code(written: str, language: str) -> None:
    """In any case."""
    assert Qwen3AsrConfig(type="qwen3_asr", language=written).language == language


def test_a_language_that_nobody_writes_is_an_error_of_the_configuration() -> None:
    """Said by `check`, with those that there are, and not at the first words at night."""
    with pytest.raises(ValidationError, match=r"does not write 'Elvish'; it writes Arabic, .*, Vietnamese"):
        Qwen3AsrConfig(type="qwen3_asr", language="Elvish")
    with pytest.raises(ValidationError, match="language"):
        RemoteAsrConfig(type="remote", url="http://10.0.0.5/v1", model="m", language="Elvish")


def test_another_kind_of_model_is_refused(tmp_path: Path) -> None:
    """A Qwen2-Audio folder is not Qwen3-ASR, and the message names the one to use."""
    folder = tiny_models.qwen2_audio(tmp_path)

    with pytest.raises(ModelError, match="'qwen2_audio' model is not Qwen3-ASR; use Qwen/Qwen3-ASR"):
        Qwen3AsrConfig(type="qwen3_asr", model=str(folder)).build().load()


def test_a_server_is_sent_a_wav_and_gives_the_words() -> None:
    """The sound goes out as a form with a 16 kHz WAV; the text of the answer comes back."""
    with OpenAIServer() as server:
        transcriber = RemoteAsrConfig(
            type="remote", url=server.url, model=MODEL, send_speech=True, language="en"
        ).build()
        transcriber.load()
        [found] = transcriber.transcribe([SPEECH])
        transcriber.close()
    [form] = server.asked("/v1/audio/transcriptions")

    assert found == Transcript(f"heard {44 + 2 * len(SPEECH)} bytes", "en")
    assert form["file"][:4] == b"RIFF"
    assert (form["model"], form["language"]) == (MODEL.encode(), b"en")


def test_a_server_gets_words_only_with_leave() -> None:
    """Words are speech: without `send_speech` nothing is connected."""
    with OpenAIServer() as server, pytest.raises(ModelError, match="send_speech: true"):
        RemoteAsrConfig(type="remote", url=server.url, model=MODEL).build().load()
    assert server.requests == []


def test_hot_words_go_to_the_server_and_to_the_model(tmp_path: Path) -> None:
    """As the server's prompt, and as what stands before the sound for Qwen3-ASR: another answer comes."""
    with OpenAIServer() as server:
        transcriber = RemoteAsrConfig(
            type="remote", url=server.url, model=MODEL, send_speech=True, hot_words=["Ottilie", "help me"]
        ).build()
        transcriber.load()
        transcriber.transcribe([SPEECH])
        transcriber.close()
    [form] = server.asked("/v1/audio/transcriptions")
    assert form["prompt"] == b"Ottilie, help me"

    folder = tiny_models.qwen3_asr(tmp_path, seed=1)
    given = {"type": "qwen3_asr", "model": str(folder), "device": "cpu", "language": "en"}
    block = Qwen3AsrConfig.model_validate({**given, "max_new_tokens": 12})
    heard = []
    for words in ([], ["Ottilie"]):
        own = block.model_copy(update={"hot_words": words}).build()
        own.load()
        heard.append(own.transcribe([SPEECH])[0].text)
        own.close()
    assert heard[0] != heard[1]


def test_llama_server_is_given_an_instruction_and_a_limit() -> None:
    """Its `prompt` is the whole instruction, which hot words alone would replace; without a limit it writes
    until its context is full, and it samples unless told not to."""
    with OpenAIServer() as server:
        server.owner = "llamacpp"
        block = RemoteAsrConfig(
            type="remote", url=server.url, model=MODEL, send_speech=True, hot_words=["Ottilie"]
        )
        transcriber = block.build()
        transcriber.load()
        server.answers = [json.dumps({"text": "language English<asr_text>Ottilie, help!"}).encode()]
        [found] = transcriber.transcribe([SPEECH])
        transcriber.close()
    [form] = server.asked("/v1/audio/transcriptions")

    assert form["prompt"] == b"Transcribe the audio to text. These words may occur: Ottilie."
    assert (form["max_tokens"], form["temperature"]) == (b"256", b"0")
    assert found.text == "Ottilie, help!"


def test_a_server_that_was_down_at_the_start_is_recognized_later() -> None:
    """What it is decides how it is asked."""
    with OpenAIServer() as server:
        server.owner = "llamacpp"
        block = RemoteAsrConfig(type="remote", url=server.url, model=MODEL, send_speech=True)
        transcriber = block.build()
        server.answers = [503]
        transcriber.load()
        transcriber.transcribe([SPEECH])
        transcriber.close()
    [form] = server.asked("/v1/audio/transcriptions")
    assert form["prompt"] == b"Transcribe the audio to text."


def test_an_answer_without_text_is_one_clear_error() -> None:
    """JSON that is not a transcription names the fix."""
    with OpenAIServer() as server:
        transcriber = RemoteAsrConfig(
            type="remote", url=server.url, model=MODEL, send_speech=True, retries=0
        ).build()
        transcriber.load()
        server.answers = [b'{"error": 1}']
        with pytest.raises(ClassifyError, match="has no text"):
            transcriber.transcribe([SPEECH])
        transcriber.close()


class Parrot(ScriptedClassifier):
    """Answers with the question."""

    longest_s = 30.0

    def describe(self, audio: Audio) -> str:
        return "a parrot"

    def write_down(self, audio: Audio, language: str | None = None, translate_to: str | None = None) -> str:
        return writing_down(OMNI, language, translate_to)

    def summarize(self, words: str) -> str | None:
        return words

    def ask(self, audio: Audio, question: str = "") -> str:
        return question


def test_a_listening_model_transcribes_and_translates_by_instruction() -> None:
    """The listener of that name is asked in its own words, which name a language that is known."""
    listeners = [ScriptedClassifier({}, "small"), Parrot({}, "qwen")]
    plain = ClassifierTranscriberConfig(type="listener").build(listeners)
    french = ClassifierTranscriberConfig(type="listener", translate_to="French").build(listeners)
    plain.load()

    assert plain.transcribe([SPEECH])[0].text == "Transcribe the audio into text."
    german = ClassifierTranscriberConfig(type="listener", language="German").build(listeners)
    assert german.transcribe([SPEECH]) == [Transcript("Transcribe the German audio into text.", "German")]
    assert "in French" in french.transcribe([SPEECH])[0].text
    assert french.transcribe([SPEECH])[0].language == "French"


def test_a_listener_that_cannot_write_is_named() -> None:
    """One that is not loaded, one without words, and a server that may not be sent voices."""
    remote = RemoteConfig(type="remote", name="qwen", url="http://10.0.0.5/v1", model=MODEL).build()

    for listeners in ([], [ScriptedClassifier({}, "qwen")]):
        with pytest.raises(ModelError, match="no classifier named 'qwen' is loaded that can answer in words"):
            ClassifierTranscriberConfig(type="listener").build(listeners).load()
    with pytest.raises(ModelError, match="send_speech: true"):
        ClassifierTranscriberConfig(type="listener").build([remote]).load()


def test_a_transcript_does_not_print_its_words() -> None:
    """A log line or traceback with a transcript in it does not tell what was said."""
    assert "secret" not in repr(Transcript("a secret", "English"))


def test_more_than_thirty_seconds_is_refused(tmp_path: Path) -> None:
    """Nothing said may be left out unsaid."""
    with OpenAIServer() as server:
        transcriber = RemoteAsrConfig(type="remote", url=server.url, model=MODEL, send_speech=True).build()
        transcriber.load()
        with pytest.raises(ClassifyError, match="give it at most 30 s"):
            transcriber.transcribe([Audio(noise(31), SAMPLE_RATE_HZ)])
        transcriber.close()

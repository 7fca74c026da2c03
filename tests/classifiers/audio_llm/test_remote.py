"""The remote listener against a real HTTP server with a real (tiny, random) model behind it."""

import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.engines.breaker import Breaker
from monitor.classifiers.audio_llm.engines.client import Api, _failure
from monitor.classifiers.audio_llm.engines.server import at_home
from monitor.classifiers.audio_llm.qwen import QwenConfig
from monitor.classifiers.audio_llm.remote import RemoteClassifier, RemoteConfig
from monitor.config.model import Config
from monitor.errors import ClassifyError, ModelError
from monitor.web.trying.asking import Asking, model_to_ask
from testkit import tiny_models
from testkit.builders import heard, noise, segment, tone
from testkit.fakes import FakeClock
from testkit.http_servers import dripping, serving
from testkit.openai_server import MODEL, OpenAIServer
from testkit.wav import write_wav

LABELS = ["glass_break", "dog_bark", "cough", "scream"]


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The model that the server serves, on this side."""
    folder: Path = tiny_models.qwen2_audio(tmp_path_factory.mktemp("served"), seed=2)
    block = {"type": "qwen", "model": str(folder), "device": "cpu", "strategy": "choice", "labels": LABELS}
    classifier = QwenConfig.model_validate({**block, "emotion": True, "max_new_tokens": 8}).build()
    classifier.load()
    return classifier


@pytest.fixture
def server(local: Any) -> Iterator[OpenAIServer]:
    with OpenAIServer(local._model) as running:
        yield running


def connected(url: str, clock: FakeClock | None = None, **options: object) -> RemoteClassifier:
    given = {"type": "remote", "url": url, "model": MODEL, "labels": LABELS, "retry_wait_s": 0.001}
    block = RemoteConfig.model_validate({**given, "guided": "structured_outputs", **options})
    classifier = RemoteClassifier(block, clock)
    classifier.load()
    return classifier


def sound(samples: Any, id: str = "0123456789ab") -> Any:
    """A segment of 16-bit samples, which arrive exactly as they are sent."""
    return segment(Audio.from_pcm16(Audio(samples, SAMPLE_RATE_HZ).to_pcm16()).samples, id=id)


@pytest.mark.parametrize("audio_part", ["input_audio", "audio_url"])
def test_a_served_model_scores_as_it_would_here(server: OpenAIServer, local: Any, audio_part: str) -> None:
    """Over the wire, with log probabilities and guided choice, scores and emotions are those of the same
    model asked by multiple choice in this process."""
    remote = connected(server.url, audio_part=audio_part, emotion=True)
    segments = [sound(tone(900, 1.0), "000000000001"), sound(noise(2.0, -20), "000000000002")]

    here, there = local.classify(segments), remote.classify(segments)
    remote.close()

    by_key = {(d.segment_id, d.label): d for d in there}
    assert len(there) == len(here) == 2 * len(LABELS)
    assert {d.classifier for d in there} == {"remote"}
    for one in here:
        other = by_key[one.segment_id, one.label]
        assert other.score == pytest.approx(one.score, abs=1e-4)
        assert (other.emotion or {}) == pytest.approx(one.emotion or {}, abs=1e-4)


def test_half_a_character_in_an_answer_is_left_out(server: OpenAIServer) -> None:
    """JSON can say half of a surrogate pair, UTF-8 cannot: as a description it would stop the outbox, as an
    error the health message."""
    remote = connected(server.url, max_new_tokens=8)
    server.answers = [rb'{"choices":[{"message":{"content":"A door \ud83d slams \udc80"}}]}']
    answer = remote.ask(sound(noise(1.0, -20)).audio, "What?")
    remote.close()

    assert answer == "A door slams"
    assert str(_failure("nas", 400, rb'{"error":{"message":"bad \udc80 audio"}}')).encode()


def test_descriptions_and_answers_are_the_models_own(server: OpenAIServer, local: Any) -> None:
    """`ask`, `describe` and the description of a segment are what the served model writes, on one line."""
    remote = connected(server.url, describe=True, max_new_tokens=8)
    clip = sound(noise(1.0, -20))

    assert remote.ask(clip.audio, "What?") == local.ask(clip.audio, "What?")
    descriptions = [d.description for d in remote.classify([clip]) if d.description is not None]
    remote.close()
    assert descriptions == [local.describe(clip.audio)]


def test_a_label_that_is_only_named_gets_the_named_score(server: OpenAIServer) -> None:
    """Without log probabilities the named label scores `named_score`, and nothing is said of the others: that
    they were not named is no doubt."""
    server.logprobs = False
    remote = connected(server.url, named_score=0.7, logprobs=False)

    scores = [d.score for d in remote.classify([sound(tone(900, 1.0))])]
    remote.close()

    assert set(scores) <= {0.7}
    assert len(scores) <= 2  # one for each question, unless it is "none of these"


def test_the_key_is_sent_and_never_shown(server: OpenAIServer) -> None:
    """The API key goes out as a bearer token, and the block's repr does not hold it."""
    remote = connected(server.url, api_key="sesame-9", retries=0)
    remote.close()

    assert server.requests[-1][1]["Authorization"] == "Bearer sesame-9"
    assert "sesame-9" not in repr(remote.block)


def test_a_busy_server_is_asked_again(server: OpenAIServer) -> None:
    """429 and 503 are retried, and the scores come all the same."""
    remote = connected(server.url)
    server.answers = [429, 503]
    server.headers = {"Retry-After": "0"}

    assert len(remote.classify([sound(tone(900, 0.5))])) == len(LABELS)
    remote.close()


def test_a_server_that_stays_busy_is_left_alone_and_asked_again_later(server: OpenAIServer) -> None:
    """After `give_up_after` failures nothing is sent until `rest_s` has passed; then it is used again."""
    clock = FakeClock()
    remote = connected(
        server.url, clock, retries=0, give_up_after=2, rest_s=60, logprobs=False, labels=["cough"]
    )
    server.answers = [503, 503]
    for _ in range(2):
        with pytest.raises(ClassifyError, match=r"127\.0\.0\.1 is too busy \(503\)"):
            remote.classify([sound(tone(900, 0.5))])
    sent = len(server.requests)

    with pytest.raises(ClassifyError, match="no request for 60 s"):
        remote.classify([sound(tone(900, 0.5))])
    assert len(server.requests) == sent
    clock.advance(60)
    assert remote.classify([sound(tone(900, 0.5))])
    remote.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"<html>hello</html>", "did not answer in JSON"),
        (b"[" * 100_000, "did not answer in JSON"),
        (b"[1]", "something else than an object"),
        (b"{}", "has no choices"),
        (b'{"choices": [{"message": {"content": "No idea."}}]}', "set guided"),
        (401, "check api_key"),
        (404, "no such address or model"),
        (400, "check that the model takes audio"),
        (500, "is failing \\(500\\); its own log says why"),
    ],
)
def test_an_answer_that_makes_no_sense_is_one_clear_error(
    server: OpenAIServer, answer: int | bytes, words: str
) -> None:
    """Whatever the server says instead of an answer, the message names the host or listener and the fix."""
    remote = connected(server.url, retries=0, logprobs=False, labels=["cough"])
    server.answers = [answer]

    with pytest.raises(ClassifyError, match=words) as error:
        remote.classify([sound(tone(900, 0.5))])
    remote.close()
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"error": {"message": "no audio\\nhere"}}', "(400: no audio here)"),
        (b'{"detail": "Unexpected fields: logprobs"}', "(400: Unexpected fields: logprobs)"),
        (b'{"detail": [{"input": "UklGRg"}]}', "(400)"),
        (b"[]", "(400)"),
        (b"<html>", "(400)"),
    ],
)
def test_a_refusal_carries_the_servers_own_words(content: bytes, said: str) -> None:
    """One line of them, where it has any; what it echoes of the request is left out."""
    assert said in str(_failure("gpubox", 400, content))


def test_a_server_that_is_down_is_weather(server: OpenAIServer) -> None:
    """A refused connection does not stop the start; asking says that the server cannot be reached."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        remote = connected(f"http://127.0.0.1:{taken.getsockname()[1]}/v1", retries=0)
        assert remote.trouble == "127.0.0.1: cannot be reached; is the server running?"

        with pytest.raises(ClassifyError, match=r"127\.0\.0\.1: cannot be reached; is the server running"):
            remote.classify([sound(tone(900, 0.5))])
    remote.close()


def test_a_server_that_never_answers_times_out() -> None:
    """A server that accepts and stays silent is given `timeout_s`, no more."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        remote = connected(url, retries=0, timeout_s=0.1)

        with pytest.raises(ClassifyError, match="no answer in time; a slow machine needs a longer timeout_s"):
            remote.classify([sound(tone(900, 0.5))])
        remote.close()


def test_a_server_that_drips_gets_no_more_than_the_time_of_one_answer(server: OpenAIServer) -> None:
    """A byte every 50 ms is in time for each read, and no answer: `timeout_s` is for the whole call, with all
    attempts."""
    remote = connected(server.url, labels=["cough"], timeout_s=0.5, retries=3)
    with serving(dripping(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n", b" ")) as slow:
        block = remote.block.model_copy(update={"url": slow.url + "v1"})
        api = Api(block)
        with pytest.raises(ClassifyError, match="no answer in time"):
            api.post("/chat/completions", {})
        assert slow.connections == 1
        api.close()
    remote.close()


@pytest.mark.parametrize(("status", "words"), [(401, "check api_key"), (404, "no such address")])
def test_a_refusal_at_the_start_is_a_model_error(server: OpenAIServer, status: int, words: str) -> None:
    """What waiting does not mend, a wrong key or address, is said before anything is heard."""
    server.answers = [status]
    with pytest.raises(ModelError, match=words):
        connected(server.url)


def test_a_model_that_is_not_served_is_named_with_those_that_are(server: OpenAIServer) -> None:
    """The message lists what the server has."""
    with pytest.raises(ModelError, match=f"does not serve 'gpt-9'; it has {MODEL}"):
        connected(server.url, model="gpt-9")


def test_audio_does_not_follow_a_redirect(server: OpenAIServer) -> None:
    """A redirect could take audio elsewhere: it is refused, and nobody else is called."""
    remote = connected(server.url, retries=0, labels=["cough"])
    with OpenAIServer() as elsewhere:
        server.headers = {"Location": elsewhere.url + "/chat/completions"}
        server.answers = [307]

        with pytest.raises(ClassifyError, match=r"\(307\)"):
            remote.classify([sound(tone(900, 0.5))])
        assert elsewhere.requests == []
    remote.close()


def test_speech_is_withheld_unless_allowed(server: OpenAIServer) -> None:
    """A segment with a voice in it is not sent; `send_speech` sends it."""
    spoken = replace(sound(tone(200, 0.5)), speech_ratio=0.4)
    shy, open_ = connected(server.url), connected(server.url, send_speech=True)
    server.requests.clear()

    assert shy.classify([spoken]) == []
    assert server.asked("/v1/chat/completions") == []
    assert {d.label for d in open_.classify([spoken])} == set(LABELS)
    shy.close()
    open_.close()


def test_a_voice_that_only_the_classifier_heard_is_withheld_too() -> None:
    """The cascade asks the block, which also goes by what the small model heard: speech and singing."""
    block = RemoteConfig(type="remote", url="http://10.0.0.5/v1", model=MODEL)
    quiet = segment(tone(200, 0.5))

    assert block.may_hear(quiet, [heard("speech", 0.1), heard("dog_bark", 0.9)])
    assert not block.may_hear(quiet, [heard("speech", 0.3)])
    assert not block.may_hear(quiet, [heard("singing", 0.3)])


@pytest.mark.parametrize(
    ("host", "home"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("192.168.0.9", True),
        ("fd00::7", True),
        ("localhost", True),
        ("gpubox", True),
        ("gpubox.lan", True),
        ("gpubox.home.arpa", True),
        ("8.8.8.8", False),
        ("0.0.0.0", False),
        ("2001:4860:4860::8888", False),
        ("api.example.com", False),
        ("lan.example.com", False),
    ],
)
def test_what_counts_as_your_own_network(host: str, home: bool) -> None:
    """Loopback, private ranges and the names that homes use; nothing else."""
    assert at_home(host) is home


@pytest.mark.parametrize(
    ("url", "more", "words"),
    [
        ("https://api.example.com/v1", {}, "send_audio_off_site: true"),
        ("http://api.example.com/v1", {"send_audio_off_site": True}, "use https"),
        ("http://user:pass@10.0.0.5/v1", {}, "credentials as api_key"),
        ("ftp://10.0.0.5", {}, "http://host:port/v1"),
    ],
)
def test_an_address_that_would_give_audio_away_is_refused(url: str, more: Any, words: str) -> None:
    """Audio leaves the network only when that is written down, and then only over https."""
    with pytest.raises(ValidationError, match=words):
        RemoteConfig(type="remote", url=url, model=MODEL, **more)


@pytest.mark.parametrize("timeout_s", [0, 1e300])
def test_a_time_out_that_no_socket_takes_is_refused(timeout_s: float) -> None:
    """By `check`, not by the daemon's start or its first question."""
    block = {"type": "remote", "url": "http://127.0.0.1:9/v1", "model": "m", "timeout_s": timeout_s}
    with pytest.raises(ValidationError, match="timeout_s"):
        RemoteConfig.model_validate(block)


def test_a_home_name_that_points_away_is_refused_when_audio_would_go(server: OpenAIServer) -> None:
    """Name servers have a say in where audio goes: the address behind a name is checked before sending. An
    address outside the network stands in for such a name; nothing is sent to it."""
    block = RemoteConfig(type="remote", url="http://127.0.0.1/v1", model=MODEL)
    away = block.model_copy(update={"url": "http://192.0.0.9/v1"})
    remote = RemoteClassifier(away, FakeClock())
    remote.load()

    with pytest.raises(ClassifyError, match="outside your network"):
        remote.classify([sound(tone(900, 0.5))])
    remote.close()


def test_where_audio_goes_is_said_in_words() -> None:
    """`check` and the log name the host, whether it is at home, and whether speech is included."""
    home = RemoteConfig(type="remote", url="http://10.0.0.5:8000/v1", model=MODEL)
    away = RemoteConfig(
        type="remote",
        url="https://api.example.com/v1",
        model=MODEL,
        send_audio_off_site=True,
        send_speech=True,
    )

    assert home.build().audio_goes_to == "remote: sound without speech goes to 10.0.0.5 (your own network)"
    assert away.audio_goes_to == "sound, speech included goes to api.example.com (OUTSIDE YOUR NETWORK)"


def with_logprob(text: str) -> bytes:
    """An answer that gives letter A this log probability, in the server's own spelling."""
    first = f'{{"top_logprobs": [{{"token": "A", "logprob": {text}}}, {{"token": "B", "logprob": -1}}]}}'
    return f'{{"choices": [{{"message": {{}}, "logprobs": {{"content": [{first}]}}}}]}}'.encode()


@pytest.mark.parametrize("odd", ["NaN", "1e9", "Infinity"])
def test_a_log_probability_that_is_none_is_an_error(server: OpenAIServer, odd: str) -> None:
    """A model that overflows has heard nothing: an error, never a score."""
    remote = connected(server.url, labels=["cough"], retries=0)
    remote.classify([sound(tone(900, 0.5))])  # calibrated with sense
    server.answers = [with_logprob(odd)]

    with pytest.raises(ClassifyError, match=r"not numbers, because the model overflows"):
        remote.classify([sound(tone(900, 0.5))])
    remote.close()


@pytest.mark.parametrize("odd", ['"x"', "null", "{}", "-1" + 400 * "0"])
def test_a_log_probability_that_is_no_number_is_refused(server: OpenAIServer, odd: str) -> None:
    """What is not a number at all counts as none given."""
    remote = connected(server.url, labels=["cough"], retries=0)
    server.answers = [with_logprob(odd)]

    with pytest.raises(ClassifyError, match=r"no log probabilities; set logprobs: false|hold the model"):
        remote.classify([sound(tone(900, 0.5))])
    remote.close()


def test_the_breaker_lets_a_single_request_try() -> None:
    """While open, one request in `rest_s` goes through; a success closes it."""
    clock = FakeClock()
    breaker = Breaker(failures=1, rest_s=10, clock=clock)
    breaker.failed()

    assert not breaker.allows()
    clock.advance(10)
    assert [breaker.allows(), breaker.allows()] == [True, False]
    breaker.succeeded()
    assert breaker.allows()


def test_over_thirty_seconds_is_refused_or_heard_in_parts(server: OpenAIServer) -> None:
    """`ask` refuses 31 s before anything is sent; `classify` asks about both halves."""
    remote = connected(server.url, labels=["cough"], logprobs=False)
    long = sound(noise(31.0, -30))
    server.requests.clear()

    with pytest.raises(ClassifyError, match="give it at most 30 s"):
        remote.describe(long.audio)
    assert server.asked("/v1/chat/completions") == []
    remote.classify([long])
    remote.close()
    assert len(server.asked("/v1/chat/completions")) == 2


def test_the_page_asks_it_about_a_clip(server: OpenAIServer, tmp_path: Path) -> None:
    """With the question that somebody typed; its words come back, whatever they are worth."""
    clip = tmp_path / "clip.wav"
    write_wav(clip, tone(900, 0.5))
    block = {"type": "remote", "name": "nas", "url": server.url, "model": MODEL, "labels": LABELS}
    config = Config.model_validate(
        {
            "sources": [{"type": "demo", "name": "hall"}],
            "classifiers": [{"type": "embedded"}, {**block, "guided": "structured_outputs"}],
        }
    )
    assert model_to_ask(config) == "nas"
    lines: list[bytes] = []
    Asking(config, "nas", clip, "What broke?").work(lines.append)
    assert json.loads(lines[-1])["model"] == "nas"
    assert "What broke?" in json.dumps(server.asked("/v1/chat/completions")[-1]["messages"])

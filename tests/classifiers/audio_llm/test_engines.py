"""What a server's answers are worth: lists of log probabilities, and servers that hear nothing."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.classifiers.audio_llm.engines.connection import named_letter
from monitor.classifiers.audio_llm.engines.dialects import recognized
from monitor.classifiers.audio_llm.engines.letters import Letters, listed, read_letters
from monitor.classifiers.audio_llm.engines.probe import judge, judge_words, probe_sounds
from monitor.classifiers.audio_llm.prompts import Question, questions
from monitor.classifiers.audio_llm.remote import RemoteClassifier, RemoteConfig
from monitor.classifiers.audio_llm.scoring import label_scores, read_off_bounds
from monitor.errors import ClassifyError, ModelError
from monitor.events.settings import Thresholds
from monitor.events.tracker import Tracker
from testkit.builders import START, heard, noise, segment

LETTERS = ["A", "B", "C"]


def first(*rows: tuple[str, float], chosen: str | None = None) -> dict[str, Any]:
    """The first token of an answer in OpenAI's form."""
    top = [{"token": token, "logprob": nats} for token, nats in rows]
    return {"token": chosen or rows[0][0], "logprob": rows[0][1], "top_logprobs": top}


def read(*rows: tuple[str, float], exact: bool = False) -> Letters:
    found = listed(first(*rows), "nas")
    assert found is not None
    return read_letters(found, LETTERS, exact=exact)


def test_letters_are_found_whatever_surrounds_them() -> None:
    """Tokens such as " A" and "A." count for A and add up."""
    found = read(("A", np.log(0.5)), (" A", np.log(0.25)), ("Sure", np.log(0.2)), ("B.", np.log(0.05)))

    assert np.exp(found.least) == pytest.approx([0.75, 0.05, 0])
    assert found.mass == pytest.approx(0.8)


def test_an_unlisted_letter_may_be_anything_up_to_what_is_left_over() -> None:
    """It is not as likely as the least that is listed: it may be impossible, and at most it has the rest."""
    found = read(("A", np.log(0.6)), ("Sure", np.log(0.3)))

    assert np.isneginf(found.least[1:]).all()
    assert np.exp(found.most[1:]) == pytest.approx([0.1, 0.1], rel=1e-4)


def test_a_token_that_is_listed_for_being_chosen_bounds_nothing() -> None:
    """A server lists the chosen token too, however unlikely; others may be likelier than that one."""
    chosen = listed(first(("Q", -20.0), ("A", np.log(0.6)), ("the", np.log(0.1)), chosen="Q"), "nas")
    assert chosen is not None

    assert np.exp(read_letters(chosen, LETTERS).most[1]) == pytest.approx(0.1)


def test_masked_tokens_are_not_listed() -> None:
    """vLLM writes tokens that it was told not to give at -9999, others at -inf."""
    found = read(("A", np.log(0.7)), ("B", np.log(0.3)), ("!", -9999.0), ("C", -np.inf), exact=True)

    assert found.mass == pytest.approx(1)
    assert np.exp(found.most) == pytest.approx([0.7, 0.3, 1e-6], abs=1e-5)


@pytest.mark.parametrize("nats", [np.nan, np.inf, 1e9, 0.5])
def test_what_is_no_log_probability_is_an_error(nats: float) -> None:
    """A model that overflows has heard nothing."""
    with pytest.raises(ClassifyError, match="are not numbers, because the model overflows"):
        read(("A", -0.1), ("B", nats))


def test_more_than_all_probability_is_an_error() -> None:
    """Numbers that add up to 2 are those of something else."""
    with pytest.raises(ClassifyError, match="not a distribution"):
        read(("A", -0.01), ("B", -0.01))


# What is said of a sound, when only the top of the distribution is listed --------------------------------


def choice(*labels: str) -> Question:
    return questions("choice", frozenset(labels), emotion=False)[0]


def exactly(nats: Any) -> Letters:
    """Where every log probability is known, nats, shape (letters,)."""
    return Letters(nats, nats, min(1.0, float(np.exp(nats).sum())))


ASKED = choice("glass_break", "dog_bark", "doorbell")
OPTIONS = [answer.text for answer in ASKED.answers]
"""A, B, C and D, which stands for none of these."""
PRIOR = 0.05
words = st.lists(st.floats(-12, 6), min_size=4 + 12, max_size=4 + 12)
"""Logits of the four letters and of a dozen other words."""


def top(logits: list[float], count: int) -> tuple[Letters, np.ndarray[Any, Any]]:
    """What is known of the letters when the `count` likeliest of a vocabulary are listed, and the truth."""
    nats = np.array(logits) - np.logaddexp.reduce(logits)
    names = [*OPTIONS, *(f"word{i}" for i in range(len(logits) - 4))]
    order = np.argsort(-nats)[:count]
    found = listed(first(*((names[i], float(nats[i])) for i in order)), "nas")
    assert found is not None
    return read_letters(found, OPTIONS), nats[:4]


@given(words, words, st.integers(1, 16), st.integers(1, 16))
def test_nothing_is_said_that_the_whole_distribution_does_not_say(
    in_sound: list[float], in_silence: list[float], count: int, silent_count: int
) -> None:
    """However much is cut off, in silence and in sound: a label that speaks for itself does so at least as
    much in truth, one that is doubted is doubted at least as much, and the rest is left out."""
    (letters, nats), (habit, habit_nats) = top(in_sound, count), top(in_silence, silent_count)

    said, _ = read_off_bounds([(ASKED, letters, habit)], PRIOR, 1.0)
    truth, _ = label_scores([ASKED], nats, habit_nats, PRIOR, 1.0)

    for label, score in said.items():
        assert score == pytest.approx(truth[label], abs=1e-4) or (score > PRIOR) == (truth[label] > score)


@given(words, words)
def test_what_is_wholly_listed_is_said_exactly(in_sound: list[float], in_silence: list[float]) -> None:
    """With every letter listed the scores are those of the exact computation."""
    letters, habit = (exactly(top(logits, 16)[1]) for logits in (in_sound, in_silence))

    said, _ = read_off_bounds([(ASKED, letters, habit)], PRIOR, 1.0)
    truth, _ = label_scores([ASKED], letters.least, habit.least, PRIOR, 1.0)

    assert said == pytest.approx({label: truth[label] for label in said})
    assert all(truth[label] == pytest.approx(PRIOR, rel=2e-3) for label in truth.keys() - said.keys())


# Servers ------------------------------------------------------------------------------------------------


class Answering:
    """An HTTP server that answers a chat completion with whatever `answer(body)` gives: an object, bytes, or
    a status with either, and a request for its models with `models`. It knows no other address."""

    def __init__(self, answer: Callable[[dict[str, Any]], Any], models: Any) -> None:
        self.bodies: list[dict[str, Any]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._send(models)

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if not self.path.endswith("/chat/completions"):
                    return self._send((404, {}))
                server.bodies.append(body)
                return self._send(answer(body))

            def _send(self, answer: Any) -> None:
                status, answer = answer if isinstance(answer, tuple) else (200, answer)
                content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on the terminal."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@contextmanager
def answering(answer: Callable[[dict[str, Any]], Any], models: Any = None) -> Iterator[Answering]:
    server = Answering(answer, models or {"data": [{"id": "m"}]})
    try:
        yield server
    finally:
        server.close()


def remote(server: Answering, **options: Any) -> RemoteClassifier:
    given = {"type": "remote", "url": server.url, "model": "m", "labels": ["glass_break", "gunshot"]}
    block = RemoteConfig.model_validate({**given, "retries": 0, "retry_wait_s": 0.001, **options})
    return block.build()


def sound_of(body: dict[str, Any]) -> str:
    """The base64 text of the sound in a request."""
    [part] = [part for part in body["messages"][0]["content"] if part["type"] != "text"]
    return str(part[part["type"]].get("data", part[part["type"]].get("url")))


def level(body: dict[str, Any]) -> float:
    """The root mean square of the sound in a request, 0-1: all that these servers hear."""
    content = base64.b64decode(sound_of(body).rpartition(",")[2])
    return float(np.sqrt(np.mean((np.frombuffer(content[44:], np.int16) / 32768.0) ** 2)))


def is_silent(body: dict[str, Any]) -> bool:
    return level(body) == 0


def with_list(*rows: tuple[str, float], **message: Any) -> dict[str, Any]:
    """A chat completion whose first token has this list."""
    said = {"role": "assistant", "content": rows[0][0], **message}
    return {"choices": [{"message": said, "logprobs": {"content": [first(*rows)]}}]}


def peaked_in_silence(body: dict[str, Any]) -> dict[str, Any]:
    """Lists twenty tokens of which one is a letter: "none of these" in silence, and less surely in sound.
    What is likely beside it is words."""
    text = body["messages"][0]["content"][-1]["text"]
    none = next((line[0] for line in text.splitlines() if "none of these" in line), "A")
    nats = -0.01 if is_silent(body) else -0.2 - level(body)
    others = np.linspace(-6, -18, 19) if is_silent(body) else np.linspace(-3.5, -7, 19)
    return with_list((none, nats), *((f"word{i}", float(value)) for i, value in enumerate(others)))


def test_letters_that_are_not_listed_are_no_evidence() -> None:
    """Silence peaked, sound flat, and no letter listed but that of nothing: nothing is said of any label,
    where the least listed value would have made every one of them near certain."""
    with answering(peaked_in_silence) as server:
        listener = remote(server, labels=[])
        listener.load()
        found = listener.classify([segment(noise(5.0, -25))])
        listener.close()

    assert not [d for d in found if d.score > PRIOR]


def same(body: dict[str, Any]) -> dict[str, Any]:
    return with_list(("A", np.log(0.4)), ("B", np.log(0.3)), ("C", np.log(0.2)), ("D", np.log(0.05)))


def thinking(body: dict[str, Any]) -> dict[str, Any]:
    return with_list(("<think>", -0.0001), *((f"x{i}", -12.0 - i) for i in range(19)), content=None)


def overflowing(body: dict[str, Any]) -> bytes:
    return json.dumps(with_list(("A", float("nan")), ("B", -1.0))).encode()


def chatty(body: dict[str, Any]) -> dict[str, Any]:
    loud = is_silent(body)
    return with_list(("The", -0.05), ("A", -4.0 - loud), ("B", -4.5 + loud), ("C", -5.0), ("D", -6.0))


def told_nothing(body: dict[str, Any]) -> dict[str, Any]:
    return {"choices": [{"message": {"content": "I cannot hear audio."}}]}


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (same, "same answer to a tone, a voice and silence, so it does not hear"),
        (thinking, r"thinks aloud .* extra: \{chat_template_kwargs: \{enable_thinking: false\}\}"),
        (chatty, r"the letters get [23]\.\d % of the probability.*guided: structured_outputs"),
        (told_nothing, "asked in words, it named no letter; set guided"),
    ],
)
def test_a_server_that_is_no_listener_is_refused_at_the_start(answer: Any, words: str) -> None:
    """Before any segment: with the reason, and what to set."""
    with answering(answer) as server, pytest.raises(ModelError, match=words):
        remote(server).load()


def test_a_server_that_overflows_does_not_answer() -> None:
    """NaN at the probe is said as such; whether it mends itself is not known, so the start goes on."""
    with answering(overflowing) as server:
        listener = remote(server)
        listener.load()
        assert listener.trouble
        with pytest.raises(ClassifyError, match="not numbers, because the model overflows"):
            listener.classify([segment(noise(1.0, -20))])
        listener.close()


def held_to_letters(body: dict[str, Any]) -> dict[str, Any]:
    """A server that knows structured_outputs alone, and lists letters first also when it is not held."""
    letters = (body.get("structured_outputs") or {}).get("choice", ["A", "B", "C", "D"])
    rng = np.random.default_rng(round(1e6 * level(body)) + len(letters))
    nats = rng.standard_normal(len(letters)) * 3
    nats -= np.logaddexp.reduce(nats)
    rows = sorted(zip(letters, map(float, nats), strict=True), key=lambda row: -row[1])
    return with_list(*rows, *((word, -9999.0) for word in "!#$%&"))


@pytest.mark.parametrize("option", [{}, {"guided": "structured_outputs"}, {"engine": "vllm"}])
def test_the_best_means_that_works_is_found(option: dict[str, Any]) -> None:
    """A server that ignores what it does not know is asked by what it does know; scores come for all
    labels."""
    with answering(held_to_letters) as server:
        listener = remote(server, **option)
        listener.load()
        assert listener.found is not None
        assert listener.found.way.means == "structured_outputs"
        found = listener.classify([segment(noise(1.0, -20))])
        listener.close()

    assert {d.label for d in found} == {"glass_break", "gunshot"}


def test_a_field_that_is_ignored_with_200_is_not_taken_for_heeded() -> None:
    """guided_choice under a new name: the list is that of the free answer, and read as such."""
    with answering(peaked_in_silence) as server:
        listener = remote(server)
        listener.load()
        assert listener.found is not None
        assert listener.found.way.means == "listed"
        assert any("does not know the field" in why for why in listener.found.passed.values())
        listener.close()


def test_fields_of_the_owner_go_with_every_request() -> None:
    """`extra` is what a server knows and we do not."""
    thinks_not = {"chat_template_kwargs": {"enable_thinking": False}}
    with answering(held_to_letters) as server:
        listener = remote(server, extra=thinks_not)
        listener.load()
        listener.close()

    assert all(thinks_not.items() <= body.items() for body in server.bodies)


def test_a_field_that_is_refused_is_not_the_reason_of_a_server_without_numbers() -> None:
    """`transformers serve` refuses fields that it does not know. What counts is that it gives no log
    probabilities and names no letter."""

    def answer(body: dict[str, Any]) -> Any:
        unknown = body.keys() & {"structured_outputs", "guided_choice"}
        return (
            (422, {"detail": f"Unexpected fields in the request: {unknown}"})
            if unknown
            else told_nothing(body)
        )

    with answering(answer) as server, pytest.raises(ModelError) as error:
        remote(server).load()
    assert str(error.value) == (
        "127.0.0.1: it is not used, because it gives no log probabilities; asked in words, it named no "
        "letter; set guided where the server knows it, or take another model"
    )


@pytest.mark.parametrize(
    ("models", "model"),
    [((500, b"Internal Server Error"), "m"), ({"data": [{"id": "other"}]}, "/models/ours")],
)
def test_a_list_of_models_that_is_no_use_is_done_without(models: Any, model: str) -> None:
    """`transformers serve` fails over its list where there is no cache, and lists no folder it serves."""
    with answering(held_to_letters, models) as server:
        listener = remote(server, model=model)
        listener.load()
        assert listener.found is not None
        listener.close()


@pytest.mark.parametrize("drops", ["input_audio", "audio_url"])
def test_the_part_that_a_server_hears_is_found(drops: str) -> None:
    """One that drops a kind of audio part without a word answers alike to all; the other kind is tried."""

    def answer(body: dict[str, Any]) -> Any:
        hears = body["messages"][0]["content"][0]["type"] != drops
        return held_to_letters(body) if hears else same(body)

    with answering(answer) as server:
        listener = remote(server)
        listener.load()
        assert listener.found is not None
        assert listener.found.way.part != drops
        listener.close()


def test_a_server_that_comes_late_is_met_with_the_first_segment() -> None:
    """It was down at the start; it is asked whether it hears before it is believed."""
    down = threading.Event()
    down.set()

    def answer(body: dict[str, Any]) -> Any:
        return (503, {}) if down.is_set() else same(body)

    with answering(answer) as server:
        listener = remote(server)
        listener.load()
        assert listener.trouble
        down.clear()
        with pytest.raises(ClassifyError, match="it does not hear"):
            listener.classify([segment(noise(1.0, -20))])
        listener.close()


# From answers to events -----------------------------------------------------------------------------------

OPEN, OTHER = "glass_break", "gunshot"
rows = st.lists(
    st.tuples(
        st.sampled_from(["A", " A", "B", "B.", "C", "<think>", "The", "\ud83d", "", "A" * 3]),
        st.one_of(
            st.floats(-30, 0), st.sampled_from([-9999.0, float("-inf"), float("nan"), float("inf"), 3.0, 0.0])
        ),
    ),
    max_size=20,
)


@given(rows, rows)
def test_no_answer_opens_or_doubts_an_event_without_mass_and_certainty(
    in_sound: list[tuple[str, float]], in_silence: list[tuple[str, float]]
) -> None:
    """Whatever a server lists: an event begins or is doubted only on finite numbers with the stated mass, in
    the sound and in silence, and with the label listed where it counts."""
    asked = choice(OPEN, OTHER)
    options = [answer.text for answer in asked.answers]
    try:
        found = [listed(first(*each), "nas") if each else None for each in (in_sound, in_silence)]
    except ClassifyError:
        return
    letters = [read_letters(each, options) for each in found if each is not None]
    if len(letters) < 2 or min(each.mass for each in letters) < 0.2:
        return  # not usable: nothing is said
    said, _ = read_off_bounds([(asked, letters[0], letters[1])], PRIOR, 1.0)
    assert np.isfinite(list(said.values())).all()

    tracker = Tracker(Thresholds().of, verifiers=frozenset({"remote"}))
    one = heard(OPEN, 0.9, segment_id="0123456789ab")
    tracker.update([one], START + timedelta(seconds=1))
    second = [
        heard(label, score, segment_id=one.segment_id, classifier="remote") for label, score in said.items()
    ]
    events = {event.label: event for event in tracker.update(second, START + timedelta(seconds=2))}

    a, b, none = range(3)
    if OTHER in events:
        assert np.isfinite(letters[0].least[b])
    if OPEN in events and events[OPEN].certainty == "suspected":
        assert np.isfinite(letters[1].least[a])
        assert np.isfinite(letters[0].least[none])


bodies: st.SearchStrategy[Any] = st.one_of(
    rows.map(lambda each: with_list(*each) if each else {"choices": []}),
    st.sampled_from(
        [
            b"<!doctype html><title>Login</title>", b"", b"null", b"[" * 5000, (500, {}), (400, b"no"),
            {"choices": [{"message": None}]}, {"choices": [{"message": {"content": "A"}, "logprobs": None}]},
            {"choices": [{"message": {"content": "<think>"}, "logprobs": {"content": [{}]}}]},
            with_list(("B", "nan")), with_list(("A", None), ("B", -0.1)), with_list((7, -0.1)),  # type: ignore[arg-type]
        ]
    ),
)  # fmt: skip


def mass_of(body: Any) -> float:
    """The probability on the letters A, B and C in an answer, where it lists numbers of a distribution."""
    try:
        listed_ones = body["choices"][0]["logprobs"]["content"][0]["top_logprobs"]
        pairs = [(str(row["token"]), float(row["logprob"])) for row in listed_ones]
    except (TypeError, KeyError, IndexError, ValueError):
        return 0.0
    if any(np.isnan(nats) or nats > 0.01 for _, nats in pairs):
        return 0.0
    return sum(float(np.exp(nats)) for token, nats in pairs if token.strip(" .") in LETTERS)


def test_no_server_opens_or_doubts_an_event_with_less_than_the_stated_mass() -> None:
    """Whatever a server that was found to hear answers later, over HTTP: without numbers that carry the
    stated mass in sound and silence its word changes no event."""
    given_now: dict[str, Any] = {}

    def answer(body: dict[str, Any]) -> Any:
        return given_now["silence" if is_silent(body) else "sound"] if given_now else held_to_letters(body)

    one = segment(noise(0.3, -20))
    with answering(answer) as server:
        listener = remote(server, labels=[OPEN, OTHER], give_up_after=100, rest_s=0)
        listener.load()

        @settings(max_examples=60, deadline=None)
        @given(bodies, bodies)
        def whatever(in_sound: Any, in_silence: Any) -> None:
            given_now.update(sound=in_sound, silence=in_silence)
            listener._habits.clear()
            try:
                found = listener.classify([one])
            except ClassifyError:
                found = []
            tracker = Tracker(Thresholds().of, verifiers=frozenset({listener.name}))
            tracker.update([heard(OPEN, 0.9, segment_id=one.id)], START + timedelta(seconds=1))
            changed = tracker.update(found, START + timedelta(seconds=2))
            if min(mass_of(in_sound), mass_of(in_silence)) < 0.2:
                assert found == []
                assert changed == []

        whatever()
        listener.close()


def says(words: Any, **message: Any) -> Callable[[dict[str, Any]], Any]:
    """A server that hears, and writes that when it is asked for words."""

    def answer(body: dict[str, Any]) -> Any:
        if body["max_tokens"] == 1:
            return held_to_letters(body)
        return {"choices": [{"message": {"role": "assistant", "content": words, **message}}]}

    return answer


@pytest.mark.parametrize(
    ("words", "message", "error"),
    [
        ("", {}, "its answer is empty"),
        (" \n\u200b ", {}, "its answer is empty"),
        (None, {}, "its answer is empty"),
        ("<think>The user wants", {}, "thinks aloud before it answers"),
        ("<think></think>", {}, "its answer is empty"),
        ("", {"reasoning_content": "The user wants"}, "thinks aloud before it answers"),
    ],
)
def test_what_is_no_answer_is_an_error(words: Any, message: dict[str, Any], error: str) -> None:
    """An empty answer or unfinished thoughts describe nothing; a segment's scores are not lost by it."""
    with answering(says(words, **message)) as server:
        listener = remote(server, describe=True)
        listener.load()
        for ask in (listener.describe, listener.ask):
            with pytest.raises(ClassifyError, match=error):
                ask(segment(noise(0.3, -20)).audio)
        found = listener.classify([segment(noise(0.3, -20))])
        listener.close()

    assert {(d.label, d.description) for d in found} == {("glass_break", None), ("gunshot", None)}


@pytest.mark.parametrize(
    "words", ["A dog barks.", "<think>Hm.</think>\n\nA dog barks.", "Hm.</think> A dog barks."]
)
def test_thoughts_before_an_answer_are_left_out(words: str) -> None:
    """Those of a model that comes to an answer."""
    with answering(says(words)) as server:
        listener = remote(server, describe=True)
        listener.load()
        assert listener.describe(segment(noise(0.3, -20)).audio) == "A dog barks."
        [described] = {d.description for d in listener.classify([segment(noise(0.3, -20))])} - {None}
        listener.close()
    assert described == "A dog barks."


@pytest.mark.parametrize("answer", [same, thinking, chatty])
def test_a_server_that_is_refused_gives_no_words_either(answer: Any) -> None:
    """A description by a model that hears nothing would be made up."""
    down = threading.Event()
    down.set()
    with answering(lambda body: (503, {}) if down.is_set() else answer(body)) as server:
        listener = remote(server)
        listener.load()
        down.clear()
        for ask in (listener.describe, listener.ask):
            with pytest.raises(ClassifyError, match="it is not used"):
                ask(segment(noise(0.3, -20)).audio)
        listener.close()


# The rest -------------------------------------------------------------------------------------------------


def test_the_three_sounds_are_told_apart_by_whoever_hears_them() -> None:
    """Level and harmonics are different in each; a listener that goes by either tells all three apart."""

    def ask(sound: Any) -> Letters:
        share = np.array([np.abs(sound.samples).max(), (np.diff(sound.samples) ** 2).mean() * 5, 0.1, 0.05])
        return exactly(np.log(share / share.sum() + 1e-9))

    assert judge(ask).hears
    assert not judge(lambda sound: exactly(np.log(np.full(4, 0.25)))).hears
    assert judge_words(lambda sound: "C" if not sound.samples.any() else "A").hears
    assert not judge_words(lambda sound: "A").hears
    assert all(abs(sound.duration_s - 2) < 1e-6 for sound in probe_sounds().values())


@pytest.mark.parametrize(
    ("words", "letter"),
    [
        ("B", "B"),
        ("B. a voice", "B"),
        (" **C**", "C"),
        ("Answer: A", "A"),
        ("Bark", None),
        ("I hear", None),
        ("", None),
    ],
)
def test_a_letter_is_read_from_words(words: str, letter: str | None) -> None:
    """Only where an answer begins with one."""
    assert named_letter(words, LETTERS) == letter


@pytest.mark.parametrize(
    ("url", "owner", "engine"),
    [
        ("http://10.0.0.5:8000/v1", "vllm", "vllm"),
        ("http://10.0.0.5:8080/v1", "llamacpp", "llama"),
        ("http://10.0.0.5:11434/v1", "library", "ollama"),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "", "dashscope"),
        ("http://10.0.0.5:9000/v1", "somebody", "openai"),
    ],
)
def test_engines_are_recognized_by_what_they_say_of_themselves(url: str, owner: str, engine: str) -> None:
    """By the owner of their models, or by the host."""
    assert recognized(url, [{"id": "m", "owned_by": owner}]) == engine

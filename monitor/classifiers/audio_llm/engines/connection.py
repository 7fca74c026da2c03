"""A server that hears: which engine it is, how its letters are had, and whether it hears at all."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Any, Literal

from monitor.audio import Audio
from monitor.classifiers.audio_llm.answers import THINKS_ALOUD, THOUGHT
from monitor.classifiers.audio_llm.engines import probe
from monitor.classifiers.audio_llm.engines.client import Api, RequestRefused, wav_base64
from monitor.classifiers.audio_llm.engines.dialects import (
    DIALECTS,
    AudioPart,
    Dialect,
    EngineName,
    Means,
    Reply,
    ask_for,
    chat_body,
    held_to,
    read_events,
    read_reply,
    recognized,
)
from monitor.classifiers.audio_llm.engines.letters import Letters, Listed, listed, read_letters
from monitor.errors import ClassifyError

_HELD = 0.9999
"""With every letter listed and this mass on them, a server can have been held to the letters."""
_UNKNOWN_FIELD = "it does not know the field that holds a model to letters; leave `guided` out"
_NAME_TOKENS = 8
"""Where a letter is read from words, some come before it: "Answer: B", a quote, an asterisk."""


class UselessAnswers(ClassifyError):
    """The server answers, but its answers are useless; waiting does not help."""


class _Passed(Exception):
    """One way to get the letters' probabilities does not work with this server; the text has the reason."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a server is asked."""

    dialect: Dialect
    part: AudioPart
    means: Means


@dataclass(frozen=True, slots=True)
class ProbeFindings:
    """What the probe of a server found."""

    way: Way
    verdict: probe.ProbeAnswers
    passed: Mapping[str, str]
    """The means that were tried before, and why each was passed over."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """The owner's options for how a server is asked."""

    engine: EngineName | Literal["auto"] = "auto"
    part: AudioPart | None = None
    guided: Literal["structured_outputs", "guided_choice"] | None = None
    logprobs: bool = True
    min_mass: float = 0.2
    extra: Mapping[str, Any] | None = None


class Engine:
    """Questions about sounds to one server. From any thread, once `meet` has returned."""

    def __init__(self, api: Api, model: str, wishes: Wishes) -> None:
        self._api = api
        self._model = model
        self._wishes = wishes
        self._ids: dict[str, int] = {}
        self.found: ProbeFindings | None = None
        """What `meet` has found; None before."""

    def meet(self, within_s: float) -> ProbeFindings:
        """Ask which engine it is, then about a tone, a voice and silence by each means until one serves.

        Sends made-up sounds alone. Raises ModelError for a wrong key or model; UselessAnswers, with the
        reason and the option to set, where no means serves; ClassifyError where the server does not answer.
        """
        deadline_s = time.monotonic() + within_s
        models = self._api.check()
        wishes = self._wishes
        name = recognized(self._api.url, models) if wishes.engine == "auto" else wishes.engine
        dialect = DIALECTS[name]
        passed: dict[str, str] = {}
        for part in [wishes.part] if wishes.part else dialect.parts:
            for means in self._means(dialect):
                try:
                    self.found = self._try(Way(dialect, part, means), passed, deadline_s)
                except _Passed as why:
                    passed[f"{means} ({part})"] = str(why)
                else:
                    return self.found
        raise UselessAnswers(f"{self._api.host}: {_advice(passed)}")

    def letters(self, sound: Audio, text: str, letters: Sequence[str]) -> Letters:
        """What is known of the log probability of each letter as the first of an answer; where the server
        only names letters, the named one is certain and nothing is known of the others. ClassifyError where
        there is no answer, or one that is none of numbers."""
        return self._letters(self._met.way, sound, text, letters, None)[0]

    def words(self, sound: Audio | None, text: str, max_tokens: int) -> str:
        """The model's own words about a sound, or about the text alone. ClassifyError where there is no
        answer."""
        reply = self._ask(self._met.way, sound, text, max_tokens, {}, None)
        if reply.thinks and not reply.words.strip():
            raise ClassifyError(f"{self._api.host}: {THINKS_ALOUD}")
        return reply.words

    @property
    def names_only(self) -> bool:
        """Whether this server only names letters, without log probabilities."""
        return self._met.way.means == "named"

    def _means(self, dialect: Dialect) -> Sequence[Means]:
        if not self._wishes.logprobs:
            return ["named"]
        return [self._wishes.guided] if self._wishes.guided else dialect.means

    @property
    def _met(self) -> ProbeFindings:
        if self.found is None:
            raise ClassifyError(f"{self._api.host}: it has not been met yet")
        return self.found

    def _try(self, way: Way, passed: Mapping[str, str], deadline_s: float) -> ProbeFindings:
        try:
            if way.means == "token_ids":
                self._ids = {letter: self._token_id(letter, deadline_s) for letter in ascii_uppercase[:20]}
            verdict = self._judged(way, deadline_s)
        except RequestRefused as error:
            guessed = way.means in ("structured_outputs", "guided_choice") and self._wishes.guided is None
            raise _Passed(_UNKNOWN_FIELD if guessed else str(error)) from error
        if not verdict.hears:
            raise _Passed("it gives the same answer to a tone, a voice and silence, so it does not hear")
        return ProbeFindings(way, verdict, dict(passed))

    def _judged(self, way: Way, deadline_s: float) -> probe.ProbeAnswers:
        if way.means == "named":
            return probe.judge_words(lambda sound: self._named(way, sound, deadline_s))
        ask: Callable[[Audio], Letters] = lambda sound: self._probed(way, sound, deadline_s)  # noqa: E731
        verdict = probe.judge(ask)
        held = way.means in ("structured_outputs", "guided_choice")
        if held and self._wishes.guided is None:
            # A model restricted to the letters gives them all of the probability, whatever it would prefer.
            free = Way(way.dialect, way.part, "listed")
            self._probed(free, probe.probe_sounds()["silence"], deadline_s)
        return verdict

    def _probed(self, way: Way, sound: Audio, deadline_s: float) -> Letters:
        found, reply = self._letters(way, sound, probe.QUESTION, probe.LETTERS, deadline_s)
        if found.mass < self._wishes.min_mass:
            raise _Passed(_too_little(found.mass, reply, way.dialect.name))
        return found

    def _named(self, way: Way, sound: Audio, deadline_s: float) -> str:
        reply = self._ask_name(way, sound, probe.QUESTION, probe.LETTERS, deadline_s)
        if (letter := named_letter(reply.words, probe.LETTERS)) is None:
            raise _Passed(_unnamed(reply))
        return letter

    def _ask_name(
        self, way: Way, sound: Audio, text: str, letters: Sequence[str], deadline_s: float | None
    ) -> Reply:
        if (guided := self._wishes.guided) is None:
            return self._ask(way, sound, text, _NAME_TOKENS, {}, deadline_s)
        return self._ask(way, sound, text, 1, held_to(guided, letters), deadline_s)

    def _letters(
        self, way: Way, sound: Audio, text: str, letters: Sequence[str], deadline_s: float | None
    ) -> tuple[Letters, Reply]:
        if way.means == "named":
            reply = self._ask_name(way, sound, text, letters, deadline_s)
            if (letter := named_letter(reply.words, letters)) is None:
                raise ClassifyError(f"{self._api.host}: {_unnamed(reply)}")
            return Letters.named(letters.index(letter), len(letters)), reply
        ids = [self._ids[letter] for letter in letters] if way.means == "token_ids" else []
        more = ask_for(way.means, way.dialect, letters, ids)
        reply = self._ask(way, sound, text, 1, more, deadline_s)
        found = listed(reply.first, self._api.host) if reply.first is not None else None
        if found is None:
            raise _no_list(self._api.host, deadline_s is not None)
        return self._read(way.means, found, letters, probing=deadline_s is not None), reply

    def _read(self, means: Means, found: Listed, letters: Sequence[str], *, probing: bool) -> Letters:
        if means == "listed":
            return read_letters(found, letters)
        exact = read_letters(found, letters, exact=True)
        if means == "token_ids":
            # One that ignores the field lists what is likely instead.
            held = exact.complete and len(found.tokens) <= len(letters) + 1
        else:
            held = exact.complete and exact.mass >= _HELD
        if held:
            return exact
        if probing:
            raise _Passed(_UNKNOWN_FIELD)
        return read_letters(found, letters)

    def _ask(
        self,
        way: Way,
        sound: Audio | None,
        text: str,
        max_tokens: int,
        more: Mapping[str, Any],
        deadline_s: float | None,
    ) -> Reply:
        dialect = way.dialect
        heard = None if sound is None else wav_base64(sound)
        body = chat_body(dialect, self._model, heard, text, max_tokens, way.part)
        body = {**body, **more, **(self._wishes.extra or {})}
        left_s = None if deadline_s is None else max(0.05, deadline_s - time.monotonic())
        if dialect.native:
            answer = self._api.post("/api/chat", body, at_root=True, timeout_s=left_s)
        elif dialect.streams:
            events = self._api.post_for_events("/chat/completions", body, timeout_s=left_s)
            return read_events(events, self._api.host)
        else:
            answer = self._api.post("/chat/completions", body, timeout_s=left_s)
        return read_reply(dialect, answer, self._api.host)

    def _token_id(self, letter: str, deadline_s: float) -> int:
        body = {"model": self._model, "prompt": letter, "add_special_tokens": False}
        left_s = max(0.05, deadline_s - time.monotonic())
        tokens = self._api.post("/tokenize", body, at_root=True, timeout_s=left_s).get("tokens")
        if not isinstance(tokens, list) or len(tokens) != 1 or not isinstance(tokens[0], int):
            raise _Passed("its tokenizer spells a letter in several tokens")
        return tokens[0]


def named_letter(words: str, letters: Sequence[str]) -> str | None:
    """The letter that an answer begins with, behind "Answer:", spaces, quotes and asterisks; None if none."""
    bare = words.strip().removeprefix("Answer").lstrip(" \n:*(\"'#-")
    if bare[:1] in letters and not bare[1:2].isalnum():
        return bare[:1]
    return None


def _too_little(mass: float, reply: Reply, engine: EngineName) -> str:
    if reply.thinks or THOUGHT in _first_token(reply):
        return THINKS_ALOUD
    holds = "hold it to them with guided: structured_outputs, or " if engine in ("vllm", "openai") else ""
    return (
        f"the letters get {100 * mass:.1f} % of the probability: the model would rather say something else; "
        f"{holds}lower min_mass"
    )


def _first_token(reply: Reply) -> str:
    return str(reply.first.get("token", "")) if reply.first else reply.words[:8]


def _unnamed(reply: Reply) -> str:
    if reply.thinks or reply.words.lstrip().startswith(THOUGHT):
        return _too_little(0.0, reply, "openai")
    return "asked in words, it named no letter; set guided where the server knows it, or take another model"


def _no_list(host: str, probing: bool) -> Exception:
    if probing:
        return _Passed("it gives no log probabilities")
    return ClassifyError(f"{host}: the server's answer has no log probabilities; set logprobs: false")


def _advice(passed: Mapping[str, str]) -> str:
    """Every reason once: what is wrong with the sound is wrong with each means."""
    reasons = [why for why in dict.fromkeys(passed.values()) if why != _UNKNOWN_FIELD]
    return "it is not used, because " + "; ".join(reasons or [_UNKNOWN_FIELD])

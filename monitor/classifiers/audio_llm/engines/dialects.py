"""How each engine is asked about a sound, and where its answer holds words and log probabilities.

One table of what differs; everything else is OpenAI's chat completions. The documents that each row follows:
vLLM https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html and its own source of 0.32;
llama-server https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md;
Ollama https://docs.ollama.com/api/chat; OpenAI https://platform.openai.com/docs/api-reference/chat;
DashScope https://www.alibabacloud.com/help/en/model-studio/qwen-omni.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlsplit

from monitor.errors import ClassifyError

EngineName = Literal["vllm", "llama", "ollama", "openai", "dashscope"]
AudioPart = Literal["input_audio", "audio_url"]
AUDIO_PARTS: tuple[AudioPart, ...] = ("input_audio", "audio_url")
"""The form of a sound in a request: OpenAI's, or a data: address."""
Means = Literal["token_ids", "structured_outputs", "guided_choice", "listed", "named"]
"""Ways to get the letters' scores, the exact ones first: log probabilities of the letters by token id; the
model restricted to the letters, under two names; the likeliest tokens of all; only the letter that the model
answers."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """What one engine takes and gives."""

    name: EngineName
    means: tuple[Means, ...]
    """In the order in which they are tried."""
    top_logprobs: int = 20
    """Tokens that it lists for one position."""
    parts: tuple[AudioPart, ...] = AUDIO_PARTS
    """The kinds of audio part that are tried."""
    audio_prefix: str = ""
    """In front of the base64 text of an input_audio part."""
    streams: bool = False
    """Whether it answers in server-sent events alone."""
    native: bool = False
    """Whether it is asked through Ollama's own interface, for the compatible one takes no sound."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Fields of every request."""


DIALECTS: dict[EngineName, Dialect] = {
    "vllm": Dialect("vllm", ("token_ids", "structured_outputs", "guided_choice", "listed", "named")),
    # It lists as many tokens as it is asked for; a thousand hold every letter of a model that answers.
    "llama": Dialect("llama", ("listed", "named"), top_logprobs=1000, parts=("input_audio",)),
    "ollama": Dialect("ollama", ("listed", "named"), native=True, parts=("input_audio",)),
    "openai": Dialect("openai", ("structured_outputs", "guided_choice", "listed", "named")),
    "dashscope": Dialect(
        "dashscope",
        ("listed", "named"),
        top_logprobs=5,
        parts=("input_audio",),
        audio_prefix="data:;base64,",
        streams=True,
        fixed={"modalities": ["text"]},
    ),
}
_OWNERS: dict[str, EngineName] = {"vllm": "vllm", "llamacpp": "llama", "library": "ollama"}
"""By what an engine writes into `owned_by` of the models that it lists."""
_CLOUDS: dict[str, EngineName] = {"aliyuncs.com": "dashscope"}


def recognized(url: str, models: Sequence[Mapping[str, Any]]) -> EngineName:
    """The engine behind an address, by its host and by the list of its models; "openai" if neither
    shows it."""
    host = urlsplit(url).hostname or ""
    for domain, engine in _CLOUDS.items():
        if host == domain or host.endswith(f".{domain}"):
            return engine
    owners = {str(model.get("owned_by", "")) for model in models}
    return next((_OWNERS[owner] for owner in sorted(owners) if owner in _OWNERS), "openai")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: its words, and the first token's log probabilities in OpenAI's form where it has any."""

    words: str
    first: Mapping[str, Any] | None = None
    thinks: bool = False
    """Whether the model thinks aloud before it answers."""


def chat_body(
    dialect: Dialect,
    model: str,
    wav_base64: str | None,
    text: str,
    max_tokens: int,
    part: AudioPart,
) -> dict[str, Any]:
    """A question about a sound as the engine takes it; empty text asks nothing but what is in the sound.
    Without a sound it is about the text alone."""
    if dialect.native:
        message = {"role": "user", "content": text, **({"images": [wav_base64]} if wav_base64 else {})}
        options = {"temperature": 0, "num_predict": max_tokens}
        return {"model": model, "messages": [message], "stream": False, "options": options}
    parts = [_audio(dialect, wav_base64, part)] if wav_base64 else []
    parts += [{"type": "text", "text": text}] if text else []
    body = {
        "model": model,
        "messages": [{"role": "user", "content": parts}],
        "temperature": 0,
        "max_tokens": max_tokens,
        **dialect.fixed,
    }
    return {**body, "stream": True} if dialect.streams else body


def _audio(dialect: Dialect, wav_base64: str, part: AudioPart) -> dict[str, Any]:
    if part == "audio_url":
        return {"type": "audio_url", "audio_url": {"url": f"data:audio/wav;base64,{wav_base64}"}}
    return {
        "type": "input_audio",
        "input_audio": {"data": dialect.audio_prefix + wav_base64, "format": "wav"},
    }


def ask_for(means: Means, dialect: Dialect, letters: Sequence[str], ids: Sequence[int]) -> dict[str, Any]:
    """The fields that ask for the scores of letters; `ids` are their tokens, for "token_ids" alone."""
    if means == "named":
        return {}
    more: dict[str, Any] = {"logprobs": True, "top_logprobs": dialect.top_logprobs}
    if means == "token_ids":
        more["logprob_token_ids"] = list(ids)
    elif means in ("structured_outputs", "guided_choice"):
        more |= held_to(means, letters)
    return more


def held_to(means: Literal["structured_outputs", "guided_choice"], letters: Sequence[str]) -> dict[str, Any]:
    """The field that holds a model to letters, by its newer and its older name in vLLM."""
    if means == "guided_choice":
        return {means: list(letters)}
    return {means: {"choice": list(letters)}}


def read_reply(dialect: Dialect, answer: Mapping[str, Any], server: str) -> Reply:
    """The first answer of a whole reply. ClassifyError where there is none."""
    if dialect.native:
        return _reply(answer.get("message"), {"content": answer.get("logprobs")}, server)
    choices = answer.get("choices")
    if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
        raise ClassifyError(f"{server}: the server's answer has no choices; is it OpenAI-compatible?")
    return _reply(choices[0].get("message"), choices[0].get("logprobs"), server)


def read_events(events: Iterable[Mapping[str, Any]], server: str) -> Reply:
    """The same of a reply that came as server-sent events. ClassifyError where it reports an error."""
    words, thinks = "", False
    first: Mapping[str, Any] | None = None
    for event in events:
        if isinstance(error := event.get("error"), Mapping):
            raise ClassifyError(f"{server}: {error.get('message', 'the server reports an error')}")
        choices = event.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            continue
        part = _reply(choices[0].get("delta"), choices[0].get("logprobs"), server, partial=True)
        words += part.words
        thinks = thinks or part.thinks
        first = first or part.first
    return Reply(words, first, thinks)


def _reply(message: Any, logprobs: Any, server: str, *, partial: bool = False) -> Reply:
    if not isinstance(message, Mapping):
        if partial:
            message = {}
        else:
            raise ClassifyError(f"{server}: the server's answer has no message; is it OpenAI-compatible?")
    words = message.get("content")
    rows = logprobs.get("content") if isinstance(logprobs, Mapping) else None
    first = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], Mapping) else None
    thinks = any(message.get(name) for name in ("reasoning_content", "reasoning", "thinking"))
    return Reply(words if isinstance(words, str) else "", first, bool(thinks))

"""An HTTP server that speaks OpenAI's interface for audio, with a real (tiny, random) model behind it."""

import base64
import io
import json
import threading
import wave
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

import numpy as np

from monitor.audio import Audio
from monitor.classifiers.audio_llm.model import AudioLanguageModel

MODEL = "tiny-qwen"


class OpenAIServer:
    """Serves /v1/models, /v1/chat/completions, /v1/audio/transcriptions and /tokenize on a free port of
    loopback.

    `answers` holds replies that are given before the model's own: an HTTP status, or bytes sent with 200.
    """

    def __init__(self, listener: AudioLanguageModel | None = None) -> None:
        self.listener = listener
        self.logprobs = True
        self.token_ids = False
        """Whether it knows `logprob_token_ids` and /tokenize, as vLLM does."""
        self.owner = "nobody"
        self.answers: list[int | bytes] = []
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[str, dict[str, str], Any]] = []
        self._lock = threading.Lock()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def asked(self, path: str) -> list[Any]:
        """The bodies of all requests to `path` so far."""
        return [body for where, _, body in self.requests if where == path]

    def complete(self, body: dict[str, Any]) -> dict[str, Any]:
        """The model's answer to a chat completion of one audio part and perhaps a text part."""
        assert self.listener is not None
        question = "".join(part["text"] for part in body["messages"][0]["content"] if part["type"] == "text")
        audio = _audio(body["messages"][0]["content"][0])
        with self._lock:
            [heard] = self.listener.encode([audio])
            if body.get("max_tokens", 0) > 1:
                return _message(self.listener.write([heard], question, body["max_tokens"])[0])
            return self._one_token(heard, question, body)

    def _one_token(self, heard: Any, question: str, body: dict[str, Any]) -> dict[str, Any]:
        import torch

        assert self.listener is not None
        model, tokens = self.listener.model, self.listener.tokens
        asked = tokens(self.listener.family.question(question, chat=True))
        with torch.inference_mode():
            embeds = torch.cat([self.listener._prefix(heard), self.listener._embed(asked)])[None]
            hidden = model.model.language_model(inputs_embeds=embeds, use_cache=False).last_hidden_state
            logits = model.lm_head(hidden[0, -1]).float()
        if "logprob_token_ids" in body and self.token_ids:
            return self._by_token_id(logits.log_softmax(-1), body)
        if choices := body.get("structured_outputs", {}).get("choice"):
            allowed = torch.full_like(logits, -np.inf)
            allowed[[tokens(choice)[0] for choice in choices]] = 0
            logits = logits + allowed
        best = logits.log_softmax(-1).topk(body.get("top_logprobs", 1))
        words = [self.listener.tokenizer.decode([i]) for i in best.indices.tolist()]
        listed = [
            {"token": word, "logprob": value}
            for word, value in zip(words, best.values.tolist(), strict=True)
            if value > -np.inf
        ]
        choice = _message(words[0])
        if self.logprobs and body.get("logprobs"):
            choice["logprobs"] = {"content": [{**listed[0], "top_logprobs": listed}]}
        return choice

    def _by_token_id(self, nats: Any, body: dict[str, Any]) -> dict[str, Any]:
        """As vLLM answers `logprob_token_ids`: the chosen token, and those that were asked for."""
        assert self.listener is not None
        best = int(nats.argmax())
        ids = [best, *(i for i in body["logprob_token_ids"] if i != best)]
        words = [self.listener.tokenizer.decode([i]) for i in ids]
        rows = [{"token": word, "logprob": float(nats[i])} for word, i in zip(words, ids, strict=True)]
        return {**_message(words[0]), "logprobs": {"content": [{**rows[0], "top_logprobs": rows}]}}

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._answer(None)

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                self._answer(_body(self.headers["Content-Type"], content))

            def _answer(self, body: Any) -> None:
                server.requests.append((self.path, dict(self.headers), body))
                canned = server.answers.pop(0) if server.answers else None
                if isinstance(canned, int):
                    self._send(canned, b"{}")
                elif canned is not None:
                    self._send(200, canned)
                else:
                    self._send(200, json.dumps(self._reply(body)).encode())

            def _reply(self, body: Any) -> dict[str, Any]:
                if self.path == "/v1/models":
                    return {"data": [{"id": MODEL, "owned_by": server.owner}]}
                if self.path == "/tokenize":
                    assert server.listener is not None
                    return {"tokens": server.listener.tokens(body["prompt"])}
                if self.path == "/v1/audio/transcriptions":
                    return {"text": f"heard {len(body['file'])} bytes"}
                return {"choices": [server.complete(body)]}

            def _send(self, status: int, content: bytes) -> None:
                self.send_response(status)
                for name, value in server.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:
                """Nothing on the terminal."""

        return Handler


def _message(words: str) -> dict[str, Any]:
    return {"message": {"role": "assistant", "content": words}}


def _audio(part: dict[str, Any]) -> Audio:
    if part["type"] == "audio_url":
        data = part["audio_url"]["url"].removeprefix("data:audio/wav;base64,")
    else:
        assert part["input_audio"]["format"] == "wav"
        data = part["input_audio"]["data"]
    with wave.open(io.BytesIO(base64.b64decode(data))) as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return Audio.from_pcm16(file.readframes(file.getnframes()), file.getframerate())


def _body(content_type: str, content: bytes) -> Any:
    if content_type == "application/json":
        return json.loads(content)
    form = BytesParser().parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + content)
    return {
        part.get_param("name", header="content-disposition"): part.get_payload(decode=True)
        for part in form.get_payload()
        if not isinstance(part, str)
    }

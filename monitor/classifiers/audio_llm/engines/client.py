"""Requests to a server of OpenAI's HTTP interface, each within its time, with attempts and a circuit
breaker."""

import base64
import io
import json
import random
import threading
import time
import wave
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlsplit

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.answers import sanitize
from monitor.classifiers.audio_llm.engines.breaker import Breaker
from monitor.classifiers.audio_llm.engines.server import ServerOptions, is_private
from monitor.clock import Clock, SystemClock
from monitor.errors import ClassifyError, ModelError
from monitor.http.client import HttpClient, HttpResponse, json_body
from monitor.http.errors import AnswerTooLarge, HttpFailed, NoAnswerInTime

T = TypeVar("T")
CHECK_TIMEOUT_S = 3.0
"""What a silent server may delay the start."""
LARGEST_ANSWER = 4 << 20
"""Bytes of an answer that are read; more is a server gone wrong."""
REASON_MAX = 160
"""Characters of a server's own words that are passed on."""
BUSY = frozenset({429, 500, 502, 503, 504})
LONGEST_WAIT_S = 10.0
"""Between two attempts, whatever the server asks for."""


class Api:
    """Requests to one server, each within its `timeout_s`. From any thread."""

    def __init__(self, server: ServerOptions, clock: Clock | None = None) -> None:
        self._server = server
        self.url = server.url
        self.host = urlsplit(server.url).hostname or ""
        self.breaker = Breaker(server.give_up_after, server.rest_s, clock or SystemClock())
        guard = None if server.send_audio_off_site else self._stay_home
        self._http = HttpClient(server.concurrency, guard)
        self._closing = threading.Event()

    def check(self) -> list[dict[str, Any]]:
        """Ask once which models are served; the microphones wait for the answer. The list is empty where the
        server keeps none, or fails over it: `transformers serve` does where no model of the hub is on its
        machine. ModelError for what waiting does not mend: a wrong key, a wrong model. ClassifyError when the
        server is down."""
        try:
            answer = self._request("GET", "/models", timeout_s=CHECK_TIMEOUT_S, retries=0)
        except RequestRefused as refusal:
            raise ModelError(str(refusal)) from None
        except Broken:
            return []
        rows = answer.get("data")
        models = [one for one in rows if isinstance(one, dict)] if isinstance(rows, list) else []
        served = [str(one.get("id")) for one in models]
        # A folder is served under its path, and not listed by `transformers serve`.
        if served and self._server.model not in served and not self._server.model.startswith("/"):
            raise ModelError(
                f"{self.host} does not serve {self._server.model!r}; it has {', '.join(served[:5])}"
            )
        return models

    def post(
        self, path: str, body: Mapping[str, Any], *, at_root: bool = False, timeout_s: float | None = None
    ) -> dict[str, Any]:
        """The JSON answer to a JSON body; `at_root`: beside the `/v1` of the address. ClassifyError with the
        fix."""
        return self._request(
            "POST", path, at_root=at_root, timeout_s=timeout_s, body=json_body(body), headers=_JSON
        )

    def post_form(self, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON answer to a multipart form; a file is (name, bytes, type). ClassifyError with the fix."""
        return self._request("POST", path, fields=dict(fields))

    def post_for_events(
        self, path: str, body: Mapping[str, Any], *, timeout_s: float | None = None
    ) -> list[dict[str, Any]]:
        """The server-sent events that answer a JSON body, all of them. ClassifyError with the fix."""
        events: list[dict[str, Any]] = self._ask(
            "POST", path, _events, timeout_s=timeout_s, body=json_body(body), headers=_JSON
        )
        return events

    def close(self) -> None:
        """End what waits for another attempt, and close the connections."""
        self._closing.set()
        self._http.close()

    def _request(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._ask(method, path, _as_object, **more)
        return answer

    def _ask(self, method: str, path: str, parse: Callable[[str, bytes], T], **more: Any) -> T:
        """An answer that makes sense; one that makes none counts against the server like none at all."""
        if not self.breaker.allows():
            raise ClassifyError(
                f"{self.host} has failed repeatedly; it gets no request for {self._server.rest_s:g} s"
            )
        try:
            answer = parse(self.host, self._exchange(method, path, **more).content)
        except RequestRefused:
            self.breaker.succeeded()
            raise
        except ClassifyError:
            self.breaker.failed()
            raise
        self.breaker.succeeded()
        return answer

    def _exchange(
        self,
        method: str,
        path: str,
        *,
        at_root: bool = False,
        timeout_s: float | None = None,
        retries: int | None = None,
        **more: Any,
    ) -> HttpResponse:
        server = self._server
        deadline_s = time.monotonic() + (server.timeout_s if timeout_s is None else timeout_s)
        base = server.url.removesuffix("/v1") if at_root else server.url
        more["headers"] = {"Accept": "application/json", **self._credentials(), **more.get("headers", {})}
        last = server.retries if retries is None else retries
        for attempt in range(last + 1):
            answer, failure = self._attempt(method, base + path, deadline_s, more)
            if failure is None and answer is not None:
                return answer
            wait_s = self._wait_s(attempt, answer)
            too_late = time.monotonic() + wait_s >= deadline_s
            if (
                attempt == last
                or too_late
                or isinstance(failure, RequestRefused)
                or self._closing.wait(wait_s)
            ):
                break
        assert failure is not None
        raise failure

    def _attempt(
        self, method: str, url: str, deadline_s: float, more: Mapping[str, Any]
    ) -> tuple[HttpResponse | None, ClassifyError | None]:
        """The server's answer, and what is wrong with it."""
        left_s = max(0.0, deadline_s - time.monotonic())
        try:
            answer = self._http.request(method, url, timeout_s=left_s, max_bytes=LARGEST_ANSWER, **more)
        except AnswerTooLarge as error:
            raise ClassifyError(f"{self.host} {error}; is this an OpenAI-style server?") from error
        except NoAnswerInTime as error:
            return None, ClassifyError(f"{self.host}: {error}; a slow machine needs a longer timeout_s")
        except HttpFailed as error:
            return None, ClassifyError(f"{self.host}: {error}; is the server running?")
        return answer, None if answer.status == 200 else _failure(self.host, answer.status, answer.content)

    def _wait_s(self, attempt: int, answer: HttpResponse | None) -> float:
        """How long to wait before the next attempt, with jitter."""
        asked_for = answer.headers.get("retry-after", "") if answer else ""
        if asked_for.isdigit():
            return min(float(asked_for), LONGEST_WAIT_S)
        wait_s = self._server.retry_wait_s * 2**attempt
        return float(min(wait_s * random.uniform(1, 2), LONGEST_WAIT_S))  # noqa: S311 - not for a secret

    def _credentials(self) -> dict[str, str]:
        key = self._server.api_key
        return {} if key is None else {"Authorization": f"Bearer {key.get_secret_value()}"}

    def _stay_home(self, address: str) -> None:
        """Refuse a public address behind a private host name: otherwise a name server could decide where
        audio goes."""
        if not is_private(address):
            raise ClassifyError(
                f"{self.host} is {address}, outside your network; audio is sent there only with "
                "send_audio_off_site: true"
            )


_JSON = {"Content-Type": "application/json"}


class RequestRefused(ClassifyError):
    """The server is up and refuses the request, and would refuse it again."""


class Broken(ClassifyError):
    """The server is up and fails over the request (500)."""


def _failure(host: str, status: int, content: bytes) -> ClassifyError:
    if status in {401, 403}:
        return RequestRefused(f"{host} refuses us ({status}); check api_key")
    if status == 404:
        return RequestRefused(
            f"{host} has no such address or model (404); check url (it ends in /v1) and model"
        )
    if status in {429, 503}:
        return ClassifyError(f"{host} is too busy ({status}); give it more replicas or ask it less")
    if status in BUSY:
        kind = Broken if status == 500 else ClassifyError
        return kind(f"{host} is failing ({status}); its own log says why")
    return RequestRefused(
        f"{host} does not accept the request ({status}{_reason(content)}); check that the model takes audio, "
        "and that the server knows what `guided` and `logprobs` ask for"
    )


def _reason(content: bytes) -> str:
    """The server's reason, for a person: one short line, or nothing. Never an echo of our request."""
    try:
        answer = json.loads(content)
        reason = answer.get("error", answer.get("message", answer.get("detail")))
        reason = reason["message"] if isinstance(reason, dict) else reason
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ""
    return f": {sanitize(reason)[:REASON_MAX]}" if isinstance(reason, str) else ""


def _events(host: str, content: bytes) -> list[dict[str, Any]]:
    """The JSON objects behind `data:`; an answer without any is none of server-sent events."""
    lines = [line[5:].strip() for line in content.splitlines() if line.startswith(b"data:")]
    if not lines:
        raise ClassifyError(f"{host} did not answer in server-sent events; set engine: openai")
    return [_as_object(host, line) for line in lines if line != b"[DONE]"]


def _as_object(host: str, content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise ClassifyError(
            f"{host} did not answer in JSON; is this an OpenAI-style server (…/v1)?"
        ) from error
    if not isinstance(answer, dict):
        raise ClassifyError(
            f"{host} answered with something else than an object; is this an OpenAI-style server?"
        )
    return answer


def wav(audio: Audio) -> bytes:
    """16 kHz mono 16-bit WAV."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(audio.resampled(SAMPLE_RATE_HZ).to_pcm16())
    return buffer.getvalue()


def wav_base64(audio: Audio) -> str:
    """The same as text, for a JSON body."""
    return base64.b64encode(wav(audio)).decode("ascii")

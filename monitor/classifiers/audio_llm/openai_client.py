"""A server that speaks OpenAI's HTTP interface: where it is, whether audio may go there, how to ask it."""

import base64
import io
import ipaddress
import json
import socket
import threading
import wave
from collections.abc import Mapping
from typing import Annotated, Any, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from monitor.audio import SAMPLE_RATE_HZ, Audio
from monitor.classifiers.audio_llm.answers import tidy
from monitor.clock import Clock, SystemClock
from monitor.errors import ClassifyError, ModelError
from monitor.schema import Block, Seconds, Secret

CHECK_TIMEOUT_S = 3.0
"""What a silent server may delay the start."""
LARGEST_ANSWER = 4 << 20
"""Bytes of an answer that are read; more is a server gone wrong."""
SAID_MAX = 160
"""Characters of a server's own words that are passed on."""
BUSY = frozenset({429, 500, 502, 503, 504})
_HOME_NAMES = (".local", ".lan", ".home", ".home.arpa", ".internal", ".localdomain")


class Server(Block):
    """What a block says about the server it sends audio to."""

    url: str
    """Base address of an OpenAI-compatible server, for example http://10.0.0.5:8000/v1."""
    model: str = Field(min_length=1)
    """The name under which the server serves the model."""
    api_key: Secret | None = None
    """Sent as a bearer token."""
    send_audio_off_site: bool = False
    """Let audio leave your own network. Without it a URL outside loopback and private ranges is an error."""
    send_speech: bool = False
    """Also send segments with a voice in them; without it they are withheld."""
    timeout_s: Annotated[Seconds, Field(gt=0, le=3600)] = 30.0
    """For one answer."""
    retries: int = Field(default=2, ge=0, le=10)
    """Further attempts when the server is busy (429, 5xx) or the connection fails."""
    retry_wait_s: Seconds = 0.5
    """Before the first of them; doubled, with jitter, before each next."""
    concurrency: int = Field(default=4, ge=1, le=64)
    """Requests under way at once."""
    give_up_after: int = Field(default=3, ge=1, le=100)
    """Failed requests in a row after which the server is left alone for `rest_s`."""
    rest_s: Seconds = 60.0

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("write the server's address as http://host:port/v1 or https://host/v1")
        if parts.username or parts.password:
            raise ValueError("write credentials as api_key, not in the URL")
        return url.rstrip("/")

    @model_validator(mode="after")
    def _stays_home(self) -> Self:
        host = urlsplit(self.url).hostname or ""
        if not at_home(host):
            if not self.send_audio_off_site:
                raise ValueError(
                    f"{host} is outside your network; audio goes there only with send_audio_off_site: true"
                )
            if not self.url.startswith("https:"):
                raise ValueError(f"{host} is outside your network; use https, so that nobody listens in")
        return self

    @property
    def audio_goes_to(self) -> str:
        """Which audio goes where, in words for `check` and the log."""
        host = urlsplit(self.url).hostname or ""
        place = "your own network" if at_home(host) else "OUTSIDE YOUR NETWORK"
        what = "sound, speech included" if self.send_speech else "sound without speech"
        return f"{what} goes to {host} ({place})"


def at_home(host: str) -> bool:
    """Whether a host is this machine or on a private network, by its address or the kind of its name."""
    try:
        return _is_private(host)
    except ValueError:
        return "." not in host or host.lower().rstrip(".").endswith(_HOME_NAMES)


def _is_private(address: str) -> bool:
    ip = ipaddress.ip_address(address)
    return ip.is_loopback or ip.is_link_local or (ip.is_private and not ip.is_unspecified)


class Breaker:
    """Leaves a failing server alone: after so many failures in a row every request is refused at once, until
    a single one is let through after `rest_s` to see whether it has come back. From any thread."""

    def __init__(self, failures: int, rest_s: float, clock: Clock) -> None:
        self._limit, self._rest_s, self._clock = failures, rest_s, clock
        self._failures = 0
        self._next_s = 0.0
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether requests are refused."""
        return self._failures >= self._limit

    def allows(self) -> bool:
        """Whether a request may be made now."""
        with self._lock:
            if not self.is_open:
                return True
            now_s = self._clock.monotonic_s()
            if now_s < self._next_s:
                return False
            self._next_s = now_s + self._rest_s
            return True

    def succeeded(self) -> None:
        """The server answered."""
        with self._lock:
            self._failures = 0

    def failed(self) -> None:
        """The server did not answer, or not with sense."""
        with self._lock:
            self._failures += 1
            if self.is_open:
                self._next_s = self._clock.monotonic_s() + self._rest_s


class Api:
    """Requests to one server. From any thread."""

    def __init__(self, server: Server, clock: Clock | None = None) -> None:
        import urllib3

        self._server = server
        self._host = urlsplit(server.url).hostname or ""
        self.breaker = Breaker(server.give_up_after, server.rest_s, clock or SystemClock())
        self._pool = urllib3.PoolManager(
            maxsize=server.concurrency,
            timeout=urllib3.Timeout(connect=min(10.0, server.timeout_s), read=server.timeout_s),
            # No redirects: they could take the audio to another host than the one that was checked.
            retries=urllib3.Retry(
                total=server.retries,
                redirect=0,
                status_forcelist=BUSY,
                allowed_methods=None,
                backoff_factor=server.retry_wait_s,
                backoff_jitter=server.retry_wait_s,
                backoff_max=10,
                retry_after_max=10,
                raise_on_redirect=False,
                raise_on_status=False,
            ),
        )

    def check(self) -> None:
        """Ask once which models are served; the microphones wait for the answer. ModelError for what waiting
        does not mend: a wrong key, a wrong model. ClassifyError when the server is down."""
        try:
            answer = self._request("GET", "/models", timeout=CHECK_TIMEOUT_S, retries=False)
        except _Refused as refusal:
            raise ModelError(str(refusal)) from None
        listed = answer.get("data")
        listed = listed if isinstance(listed, list) else []
        served = [str(one.get("id")) for one in listed if isinstance(one, dict)]
        if served and self._server.model not in served:
            raise ModelError(
                f"{self._host} does not serve {self._server.model!r}; it has {', '.join(served[:5])}"
            )

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON answer to a JSON body. ClassifyError with the fix."""
        content = json.dumps(body, allow_nan=False).encode()
        return self._request("POST", path, body=content, headers={"Content-Type": "application/json"})

    def post_form(self, path: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The JSON answer to a multipart form; a file is (name, bytes, type). ClassifyError with the fix."""
        return self._request("POST", path, fields=dict(fields))

    def close(self) -> None:
        """Close what connections are open."""
        self._pool.clear()

    def _request(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        if not self.breaker.allows():
            raise ClassifyError(
                f"{self._host} has failed repeatedly; it is left alone for {self._server.rest_s:g} s"
            )
        try:
            self._stay_home()
            answer = self._exchange(method, path, **more)
        except _Refused:
            self.breaker.succeeded()
            raise
        except ClassifyError:
            self.breaker.failed()
            raise
        self.breaker.succeeded()
        return answer

    def _exchange(self, method: str, path: str, **more: Any) -> dict[str, Any]:
        import urllib3

        headers = {"Accept": "application/json", **more.pop("headers", {})}
        if self._server.api_key is not None:
            headers["Authorization"] = f"Bearer {self._server.api_key.get_secret_value()}"
        try:
            response = self._pool.request(
                method, self._server.url + path, headers=headers, preload_content=False, **more
            )
            content = response.read(LARGEST_ANSWER + 1)
            response.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise ClassifyError(f"{self._host}: {_reason(error)}; is the server running?") from error
        if response.status != 200:
            raise _failure(self._host, response.status, content)
        return _as_object(self._host, content)

    def _stay_home(self) -> None:
        """Refuse a host that its name calls home but its address does not: a name server has a say in where
        audio goes."""
        if self._server.send_audio_off_site:
            return
        try:
            found = socket.getaddrinfo(self._host, None, type=socket.SOCK_STREAM)
        except OSError as error:
            raise ClassifyError(f"{self._host}: no such host ({error.strerror}); check the url") from error
        if away := [
            str(entry[4][0]) for entry in found if not _is_private(str(entry[4][0]).partition("%")[0])
        ]:
            raise ClassifyError(
                f"{self._host} is {away[0]}, outside your network; audio goes there only with "
                "send_audio_off_site: true"
            )


class _Refused(ClassifyError):
    """The server is up and says no, and will say so again."""


def _failure(host: str, status: int, content: bytes) -> ClassifyError:
    if status in {401, 403}:
        return _Refused(f"{host} refuses us ({status}); check api_key")
    if status == 404:
        return _Refused(f"{host} has no such address or model (404); check url (it ends in /v1) and model")
    if status in {429, 503}:
        return ClassifyError(f"{host} is too busy ({status}); give it more replicas or ask it less")
    if status in BUSY:
        return ClassifyError(f"{host} is failing ({status}); its own log says why")
    return _Refused(
        f"{host} does not accept the request ({status}{_said(content)}); check that the model takes audio, "
        "and that the server knows what `guided` and `logprobs` ask for"
    )


def _said(content: bytes) -> str:
    """What the server says of it, for a person: one short line, or nothing. Never what it echoes of ours."""
    try:
        answer = json.loads(content)
        told = (
            answer["error"]["message"] if "error" in answer else answer.get("message", answer.get("detail"))
        )
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):
        return ""
    return f": {tidy(told)[:SAID_MAX]}" if isinstance(told, str) else ""


def _reason(error: Exception) -> str:
    import urllib3

    cause = getattr(error, "reason", None) or error
    if isinstance(cause, urllib3.exceptions.NewConnectionError):
        return "cannot be reached"
    slow = urllib3.exceptions.ConnectTimeoutError | urllib3.exceptions.ReadTimeoutError
    return "no answer in time" if isinstance(cause, slow) else "the connection broke"


def _as_object(host: str, content: bytes) -> dict[str, Any]:
    if len(content) > LARGEST_ANSWER:
        raise ClassifyError(
            f"{host} answered with over {LARGEST_ANSWER >> 20} MiB; is this an OpenAI-style server?"
        )
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

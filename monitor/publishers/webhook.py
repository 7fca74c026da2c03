"""Events and alerts as JSON to an address of one's own, signed."""

import hashlib
import hmac
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field

from monitor.clock import Attempts, Clock
from monitor.http.client import HttpClient
from monitor.http.errors import PASSING_STATUSES, HttpFailed
from monitor.labels import SEVERITIES, Severity
from monitor.logs import get_logger
from monitor.publishers.base import DELIVERED, Failed, OnCommand, OnOutcome, PublishOutcome, Refused, ignore
from monitor.publishers.documents import document, encoded
from monitor.publishers.local import Local
from monitor.schema import Secret, Slug, Switched, names_a_host
from monitor.types import Alert, Message, SoundEvent

log = get_logger()
MOST_ANSWER_BYTES = 64_000
"""Of an answer only the status counts."""


def _check_address(url: Secret) -> Secret:
    address = url.get_secret_value()
    if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", address) or not names_a_host(address):
        raise ValueError("write an address such as https://example.org/hook")
    return url


class WebhookConfig(Switched):
    """Sends alerts, and events if you want, as JSON by POST. Redirects are not followed."""

    type: Literal["webhook"]
    name: Slug = "webhook"
    """Name of this publisher in logs and in the outbox."""
    url: Annotated[Secret, AfterValidator(_check_address)]
    """Address, http or https. Write a key in it as `${NAME}`."""
    secret: Secret | None = None
    """Key of the signature: HMAC-SHA256 of `<timestamp>.<body>` in `X-Earwitness-Signature`."""
    events: bool = False
    """true: also send events, not only alerts."""
    min_severity: Severity = "info"
    """Milder alerts are not sent here."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Time limit of the whole call, until the receiver has answered."""

    def build(self, node: str, on_command: OnCommand, clock: Clock) -> "WebhookPublisher":
        """The publisher; nothing is opened yet."""
        return WebhookPublisher(self, node, clock)


class WebhookPublisher(Local):
    """See `Publisher`. Blocks in its sender's thread for `timeout_s` at most. What the receiver does not take
    stays in the outbox; after a failure `ready` is false until the next attempt is due (1-30 s, doubling)."""

    def __init__(self, config: WebhookConfig, node: str, clock: Clock) -> None:
        super().__init__(config.name)
        self._config = config
        self._node = node
        self._clock = clock
        self._attempts = Attempts(clock)
        self._client = HttpClient()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def ready(self) -> bool:
        """Whether the next attempt is due."""
        return self._attempts.due()

    def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
        """Send an event or alert and wait for the answer; states are not sent."""
        if isinstance(message, SoundEvent | Alert):
            done(self._sent(message, late=late) if self._is_wanted(message) else DELIVERED)

    def _is_wanted(self, message: SoundEvent | Alert) -> bool:
        if isinstance(message, SoundEvent):
            return self._config.events
        return SEVERITIES.index(message.severity) >= SEVERITIES.index(self._config.min_severity)

    def _sent(self, message: SoundEvent | Alert, *, late: bool) -> PublishOutcome:
        now = self._clock.now()
        body = encoded({"node": self._node, **document(message, now, late=late)})
        try:
            answer = self._client.request(
                "POST",
                self._config.url.get_secret_value(),
                timeout_s=self._config.timeout_s,
                max_bytes=MOST_ANSWER_BYTES,
                headers=self._headers(body, str(int(now.timestamp()))),
                body=body,
            )
        except HttpFailed as error:
            return self._failed(str(error))
        if answer.ok:
            if failed := self._attempts.worked():
                log.info("webhook works again", publisher=self.name, failed_attempts=failed)
            return DELIVERED
        if 400 <= answer.status < 500 and answer.status not in PASSING_STATUSES:
            self._failed(f"answers {answer.status}")
            return Refused(f"answers {answer.status}")
        return self._failed(f"answers {answer.status}" + (", a redirect" if answer.status < 400 else ""))

    def _headers(self, body: bytes, timestamp: str) -> dict[str, str]:
        """The timestamp is signed with the body: whoever records a request cannot send it another day."""
        headers = {"Content-Type": "application/json", "X-Earwitness-Timestamp": timestamp}
        if self._config.secret is not None:
            headers["X-Earwitness-Signature"] = signature(
                self._config.secret.get_secret_value(), timestamp, body
            )
        return headers

    def _failed(self, why: str) -> Failed:
        """The address is not named: it may hold a key."""
        if self._attempts.failed():
            log.warning(
                "the webhook does not accept messages; they are kept and sent again",
                publisher=self.name,
                reason=why,
            )
        return Failed(why)


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """`sha256=` and the HMAC-SHA256 (RFC 2104) of timestamp, a dot and body, in hexadecimal."""
    signed = timestamp.encode() + b"." + body
    return "sha256=" + hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()

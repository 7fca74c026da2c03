"""Alerts to people: ntfy, Telegram, e-mail, webhooks and a hundred more, through Apprise
(https://appriseit.com).

The second channel: it works when Home Assistant does not. Only alerts come here, put together by
`delivery.coalescer` so that nobody's telephone rings a hundred times for one thing.
"""

import logging
import re
from collections.abc import Callable
from typing import Annotated, Literal, Self
from urllib.parse import unquote

from pydantic import Field, model_validator

from monitor.clock import Attempts, Clock
from monitor.labels import SEVERITIES, Severity
from monitor.language.words import rule_words, say
from monitor.logs import get_logger
from monitor.notifiers.buttons import Buttons, ntfy_actions
from monitor.notifiers.pictures import PictureSender
from monitor.notifiers.replies import AnswersConfig
from monitor.notifiers.spoken import AGE_SAID_AFTER_S
from monitor.notifiers.workers import NotifierWorker
from monitor.publishers.base import DELIVERED, Failed, House, OnOutcome, PublishOutcome, ignore, noop
from monitor.schema import Seconds, Secret, Slug, Switched
from monitor.types import Alert, Message, Picture

log = get_logger()
_COMPARE = "compare it with https://appriseit.com/services/ (it is not shown here: it may hold a password)"
_KINDS = {"info": "info", "warning": "warning", "critical": "failure"}
_PRIORITIES = {"info": "default", "warning": "high", "critical": "max"}
_QUIET = "low"
"""ntfy shows it and does not ring."""


class NotifyConfig(Switched):
    """Notifies people through Apprise: of every warning, or of alerts of the rules that name it under
    `notify`."""

    type: Literal["notify"] = "notify"
    name: Slug = "notify"
    urls: Annotated[list[Secret], Field(min_length=1, max_length=20)]
    """Addresses, as Apprise URLs (https://appriseit.com/services/). Each one gets its own message, so a
    failure of one neither delays nor repeats the others. Write keys and passwords as `${NAME}`."""
    min_severity: Severity = "info"
    """Milder alerts are not sent here. A stale alert counts as `info`."""
    collapse_s: Seconds = 60.0
    """After an alert of a rule was sent, the rule's next alerts are collected for this time and sent as
    one. While alerts continue, the time becomes longer. For smoke, carbon monoxide and fire it is at
    most 20 s."""
    max_per_minute: Annotated[int, Field(ge=1, le=600)] = 10
    """Limit over all rules. Smoke, carbon monoxide and fire are always sent."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Time limit of the whole call, until the receiver has answered."""
    pictures: bool = False
    """true: after an alert, send the picture of its sound to services that take pictures. The picture
    leaves the house. Sounds with speech have no picture."""
    answers: AnswersConfig | None = None
    """Buttons under alerts in ntfy. By default there are none."""

    @model_validator(mode="after")
    def _buttons_somewhere(self) -> Self:
        if self.answers is not None and not any(takes_buttons(url) for url in self.urls):
            raise ValueError(
                "answers come from ntfy, and none of `urls` is one, such as ntfys://ntfy.sh/our-house"
            )
        return self

    @property
    def channels(self) -> tuple[str, ...]:
        """The outbox channels of this notifier, one per URL: `name`, `name#2`, `name#3`..."""
        return tuple(self.name if n == 1 else f"{self.name}#{n}" for n in range(1, len(self.urls) + 1))

    def not_understood(self) -> str:
        """What is wrong with the URLs, none of which is shown: they hold passwords. Nothing is sent."""
        import apprise

        logger = logging.getLogger("apprise")
        before, logger.disabled = logger.disabled, True  # it would log the URL
        try:
            known = [apprise.Apprise.instantiate(url.get_secret_value()) is not None for url in self.urls]
        finally:
            logger.disabled = before
        wrong = ", ".join(f"urls[{i}]" for i, right in enumerate(known) if not right)
        return f"Apprise does not understand {wrong}; {_COMPARE}" if wrong else ""

    def build(self, clock: Clock, buttons: Buttons | None = None) -> list["NotifyPublisher"]:
        """One publisher per URL; nothing is opened yet. `buttons` where there are `answers`."""
        return [
            NotifyPublisher(self, channel, url, clock, buttons)
            for channel, url in zip(self.channels, self.urls, strict=True)
        ]


class NotifyPublisher:
    """One Apprise URL. `publish` blocks until it has sent, for `timeout_s` at most, and is therefore called
    by a sender's thread only; when the receiver does not take an alert it has failed, and `ready` is false
    until the next attempt is due (1-30 s, doubling)."""

    connections = 0

    def __init__(
        self, config: NotifyConfig, name: str, url: Secret, clock: Clock, buttons: Buttons | None = None
    ) -> None:
        self.name = name
        self.on_ready: Callable[[], None] = noop
        self._config = config
        self._clock = clock
        self._attempts = Attempts(clock)
        self._worker = NotifierWorker(url.get_secret_value(), config.timeout_s)
        self._secrets = _secrets(url.get_secret_value())
        self._is_open = False
        self._is_ntfy = takes_buttons(url)
        self._ranks = self._is_ntfy and "priority=" not in url.get_secret_value()
        self._buttons = buttons if self._is_ntfy else None
        self._pictures: PictureSender | None = None
        if config.pictures:
            quiet = {"priority": _QUIET} if self._ranks else {}
            self._pictures = PictureSender(name, url.get_secret_value(), quiet, config.timeout_s, clock)

    def __enter__(self) -> Self:
        """Have Apprise loaded; nothing is sent."""
        self._worker.open()
        if self._pictures is not None:
            self._pictures.__enter__()
        self._is_open = True
        return self

    def __exit__(self, *exc: object) -> None:
        self._is_open = False
        if self._pictures is not None:
            self._pictures.__exit__(*exc)
        self._worker.close()

    def announce(self, house: House) -> None:
        """People need no announcement."""

    def ready(self) -> bool:
        """Whether the next attempt is due."""
        return self._is_open and self._attempts.due()

    def lost_since(self) -> None:
        """What these receivers have acknowledged, they keep."""

    def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
        """Send an alert and wait for the answer."""
        if isinstance(message, Alert) and self._wanted(message):
            done(self._sent(message, late=late))
        else:
            done(DELIVERED)

    def _wanted(self, alert: Alert) -> bool:
        return SEVERITIES.index(alert.severity) >= SEVERITIES.index(self._config.min_severity)

    def _sent(self, alert: Alert, *, late: bool) -> PublishOutcome:
        # By the wall clock, which may be set meanwhile: asked only of what waited.
        age_s = (self._clock.now() - alert.raised_at).total_seconds()
        title, body = wording(alert, late=late and age_s > AGE_SAID_AFTER_S)
        kind = "info" if alert.update else _KINDS[alert.severity]
        message = {"title": title, "body": body, "notify_type": kind, "query": self._query(alert)}
        why_not = self._without_secrets(self._worker.send(message))
        if why_not:
            self._put_off(why_not)
            return Failed(why_not)
        if failed := self._attempts.worked():
            log.info("notifier works again", notifier=self.name, failed_attempts=failed)
        if self._pictures is not None:
            self._pictures.sent(alert)
        return DELIVERED

    def show(self, picture: Picture) -> None:
        """A picture of an event was made. Never waits."""
        if self._pictures is not None and self._is_open:
            self._pictures.came(picture)

    def _query(self, alert: Alert) -> dict[str, str]:
        """What only ntfy knows: how loud, and buttons."""
        query = {}
        if self._ranks:
            query["priority"] = _PRIORITIES["info" if alert.update else alert.severity]
        if self._buttons is not None and self._config.answers is not None:
            url = self._config.answers.url.get_secret_value()
            query["actions"] = ntfy_actions(self._buttons.offered(alert), url)
        return query

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text[:300]

    def _put_off(self, why: str) -> None:
        if self._attempts.failed():
            log.warning(
                "the notifier's receiver does not accept alerts; they are kept and sent again",
                notifier=self.name,
                reason=why,
            )


def takes_buttons(url: Secret) -> bool:
    """Whether it is an ntfy server."""
    return re.match(r"ntfys?://|https://ntfy\.sh/", url.get_secret_value()) is not None


def wording(alert: Alert, *, late: bool) -> tuple[str, str]:
    """Title and text for a person, with the local time of the sound; a late one is marked. An update does not
    ring again."""
    at = alert.raised_at.astimezone()
    heard = at.strftime("%H:%M:%S")
    when = say("notice.late", when=f"{at:%Y-%m-%d} {heard}") if late else heard
    return _title(alert), f"{alert.message}\n{when}"


def _title(alert: Alert) -> str:
    rule = rule_words(alert.rule)
    if alert.update or alert.test:
        return say("notice.update" if alert.update else "notice.test", text=rule)
    return say(f"notice.title.{alert.severity}", rule=rule)


def _secrets(url: str) -> list[str]:
    """Everything in the URL but its scheme, and its host where there is also a user: for most services all of
    that is the key. Longest first."""
    _, _, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    parts = re.split(r"[:/?&=@,]", credentials) + re.split(r"[/?&=@,]", place)[1 if at else 0 :]
    found = {word for part in parts for word in (part, unquote(part)) if len(word) >= 3}
    return sorted(found, key=len, reverse=True)

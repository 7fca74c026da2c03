"""Events as manual events in Frigate, so that it keeps the video of what was heard.

https://docs.frigate.video/integrations/api/create-event-events-camera-name-label-create-post
"""

import json
import re
import threading
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, Field, model_validator

from monitor.clock import Attempts, Clock
from monitor.errors import PublishError
from monitor.http.client import HttpClient, HttpResponse
from monitor.http.errors import PASSING_STATUSES, HttpFailed
from monitor.labels import vocabulary
from monitor.logs import get_logger
from monitor.publishers.base import DELIVERED, Failed, House, OnCommand, OnOutcome, Refused, ignore
from monitor.publishers.documents import encoded
from monitor.publishers.local import Local
from monitor.schema import Secret, Slug, SoundLabel, Switched, names_a_host
from monitor.types import Message, SoundEvent

log = get_logger()
MOST_ANSWER_BYTES = 64_000
MOST_LINKS = 500
"""Events whose video is remembered: for their ends, and for the page."""


def _check_url(url: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/\S*)?", url) or not names_a_host(url):
        raise ValueError(
            "write an address such as http://frigate:5000; user and password have keys of their own"
        )
    return url.rstrip("/")


Url = Annotated[str, AfterValidator(_check_url)]


class FrigateConfig(Switched):
    """Frigate keeps the video of what was heard near a camera. Its event begins and ends together with
    ours."""

    type: Literal["frigate"]
    name: Slug = "frigate"
    """Name of this publisher in logs and in the outbox."""
    url: Url
    """Address of its API: `http://frigate:5000` without a login, `https://frigate:8971` with one."""
    user: str | None = None
    """An admin of Frigate. Only admins can create events."""
    password: Secret | None = None
    """The admin's password. Write it as `${NAME}`."""
    cameras: Annotated[
        dict[Slug, Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]], Field(min_length=1)
    ]
    """The name of our source, and the camera in Frigate that belongs to it."""
    labels: tuple[SoundLabel, ...] = ()
    """Only these sounds. By default the sounds that warn."""
    late_after_s: Annotated[float, Field(gt=0, le=600)] = 30.0
    """Frigate dates an event at the moment when it gets our message. A message that comes later than this
    after the sound is left out."""
    page_url: Url | None = None
    """Address of Frigate for browsers. By default `url`."""
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 10.0
    """Time limit of each call."""

    @model_validator(mode="after")
    def _a_whole_login(self) -> Self:
        if (self.user is None) != (self.password is None):
            raise ValueError("user and password go together; give both, or neither")
        return self

    def build(self, node: str, on_command: OnCommand, clock: Clock) -> "FrigatePublisher":
        """The publisher; nothing is opened yet."""
        return FrigatePublisher(self, clock)


class VideoLinks:
    """Which event of Frigate shows which of ours, of the newest. Any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, tuple[str, str]] = {}
        self.changed = threading.Event()
        """Set while something is to be kept."""

    def of(self, event_id: str) -> str | None:
        """Frigate's id."""
        with self._lock:
            return self._rows.get(event_id, (None, ""))[0]

    def add(self, event_id: str, frigate_id: str, page: str) -> None:
        """They belong together; `page` shows it."""
        with self._lock:
            self._rows[event_id] = (frigate_id, page)
            while len(self._rows) > MOST_LINKS:
                del self._rows[next(iter(self._rows))]
        self.changed.set()

    def rows(self) -> dict[str, tuple[str, str]]:
        """All of them, as they are kept."""
        with self._lock:
            return dict(self._rows)

    def found(self, rows: Mapping[str, Any]) -> None:
        """What an earlier run kept."""
        kept = {str(ours): (str(theirs), str(page)) for ours, (theirs, page) in rows.items()}
        with self._lock:
            self._rows = kept | self._rows


class FrigatePublisher(Local):
    """See `Publisher`. Blocks in its sender's thread for `timeout_s` a call. Only events are sent."""

    def __init__(self, config: FrigateConfig, clock: Clock) -> None:
        super().__init__(config.name)
        self.memory = VideoLinks()
        self._config = config
        self._clock = clock
        self._attempts = Attempts(clock)
        self._client = HttpClient()
        self._token = ""
        self._our_page: str | None = None
        self._labels = frozenset(config.labels) or frozenset(
            row.id for row in vocabulary().values() if row.severity_default != "info"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._client.close()

    def announce(self, house: House) -> None:
        """Frigate's event links to the page, where others reach that."""
        self._our_page = house.page

    def ready(self) -> bool:
        """Whether the next attempt is due."""
        return self._attempts.due()

    def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
        """Begin or end an event there, and wait for the answer."""
        if not isinstance(message, SoundEvent) or not self._is_wanted(message):
            done(DELIVERED)
            return
        try:
            (self._end if message.state == "ended" else self._begin)(message)
        except _NotTaken as refusal:
            self._complain(str(refusal))
            done(Refused(str(refusal), keep_s=self._config.late_after_s))
        except (HttpFailed, PublishError) as error:
            self._complain(str(error))
            done(Failed(str(error)))
        else:
            if failed := self._attempts.worked():
                log.info("frigate works again", publisher=self.name, failed_attempts=failed)
            done(DELIVERED)

    def _is_wanted(self, event: SoundEvent) -> bool:
        return event.source in self._config.cameras and event.label in self._labels

    def _begin(self, event: SoundEvent) -> None:
        if self.memory.of(event.id) is not None:
            return
        late_s = (self._clock.now() - event.started_at).total_seconds()
        if event.state == "updated" or late_s > self._config.late_after_s:
            if event.state == "started":
                log.info("not sent to frigate: too late for its video", id=event.id, late_s=round(late_s, 1))
            return
        body = {
            "sub_label": f"{event.certainty} {event.score:.2f}",
            "score": round(event.score, 4),
            "duration": None,  # until it is ended
            "include_recording": True,
        }
        path = f"/api/events/{quote(self._config.cameras[event.source])}/{quote(event.label)}/create"
        answer = self._asked("POST", path, body)
        try:
            frigate_id = str(json.loads(answer.content)["event_id"])
        except (ValueError, LookupError, TypeError, RecursionError):
            raise PublishError("its answer names no event; is this Frigate?") from None
        page = f"{self._config.page_url or self._config.url}/explore?event_id={quote(frigate_id)}"
        self.memory.add(event.id, frigate_id, page)

    def _end(self, event: SoundEvent) -> None:
        frigate_id = self.memory.of(event.id)
        if frigate_id is None:
            return
        path = f"/api/events/{quote(frigate_id)}"
        ended_at = event.ended_at or event.at
        try:
            self._asked("PUT", f"{path}/end", {"end_time": ended_at.timestamp()})
            if self._our_page:
                page = f"{self._our_page.rstrip('/')}/#/event/{event.id}"
                self._asked("POST", f"{path}/description", {"description": f"earwitness: {page}"})
        except _NotTaken as refusal:  # deleted there meanwhile, or a version without descriptions
            log.info("frigate did not accept the end of an event", id=event.id, reason=str(refusal))

    def _asked(self, method: str, path: str, body: Mapping[str, Any]) -> HttpResponse:
        answer = self._call(method, path, body)
        if answer.status == 401 and self._config.user is not None:
            self._log_in()
            answer = self._call(method, path, body)
        if answer.ok:
            return answer
        why = f"answers {answer.status}{_reason(answer)}"
        if 400 <= answer.status < 500 and answer.status not in PASSING_STATUSES and answer.status != 401:
            raise _NotTaken(why)
        raise PublishError(why + (": give `user` and `password` of an admin" if answer.status == 401 else ""))

    def _call(self, method: str, path: str, body: Mapping[str, Any]) -> HttpResponse:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return self._client.request(
            method,
            self._config.url + path,
            timeout_s=self._config.timeout_s,
            max_bytes=MOST_ANSWER_BYTES,
            headers=headers,
            body=encoded(body),
        )

    def _log_in(self) -> None:
        assert self._config.password is not None
        self._token = ""
        login = {"user": self._config.user, "password": self._config.password.get_secret_value()}
        answer = self._call("POST", "/api/login", login)
        found = re.search(r"frigate_token=([^;,\s]+)", answer.headers.get("set-cookie", ""))
        if not answer.ok or found is None:
            raise PublishError(f"does not let {self._config.user} in (answers {answer.status})")
        self._token = found[1]

    def _complain(self, why: str) -> None:
        if self._attempts.failed():
            log.warning("frigate does not accept events", publisher=self.name, reason=why)


class _NotTaken(Exception):
    """Frigate does not take it, and would not the next time."""


def _reason(answer: HttpResponse) -> str:
    try:
        return f": {str(json.loads(answer.content)['message'])[:100]}"
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""

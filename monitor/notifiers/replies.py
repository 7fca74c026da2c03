"""The way back from a phone: buttons post to a topic of an ntfy server, and we listen there.

Nothing has to reach the house: we hold the connection open. Anybody who knows the topic can post to it; only
the secret of a button counts, once.
"""

import json
import re
import threading
from collections.abc import Callable
from typing import Annotated, Any, Self

from pydantic import AfterValidator

from monitor.clock import Attempts, Clock
from monitor.http.client import HttpClient
from monitor.http.errors import HttpFailed
from monitor.logs import get_logger
from monitor.notifiers.buttons import SECRET_BYTES, VALID_S, Buttons
from monitor.publishers.base import OnCommand
from monitor.schema import Block, Secret, names_a_host

log = get_logger()

LISTEN_S = 300.0
"""Then the connection is made anew, from the last message on: routers forget silent ones without a word."""
MOST_BYTES = 4_000_000
"""A connection that brings more is made anew."""
PAUSE_S = 1.0
STOP_S = 1.0
_SECRET = re.compile(rf"[0-9a-f]{{{2 * SECRET_BYTES}}}")


def _check_topic(url: Secret) -> Secret:
    topic = url.get_secret_value()
    if not re.fullmatch(r"https?://[^\s/@]+/[A-Za-z0-9_-]{1,64}", topic) or not names_a_host(topic):
        raise ValueError("write a topic of an ntfy server such as https://ntfy.sh/a-long-name-nobody-guesses")
    return url


class AnswersConfig(Block):
    """Buttons *Acknowledge* and *It was nothing* under alerts in ntfy. They post to a separate topic that
    earwitness reads. So nothing has to reach the house from outside."""

    url: Annotated[Secret, AfterValidator(_check_topic)]
    """The topic for answers, such as `https://ntfy.sh/${ANSWER_TOPIC}`. It must not be the topic of the
    alerts. Phones must be allowed to write there without a login."""
    token: Secret | None = None
    """Access token for reading it, if the server asks for one."""


class ReplyReader:
    """Listens in a thread of its own, inside the `with` block. `on_command` is given what was answered; a bug
    reaches `failed`."""

    def __init__(
        self,
        name: str,
        config: AnswersConfig,
        buttons: Buttons,
        on_command: OnCommand,
        failed: Callable[[BaseException], None],
        clock: Clock,
    ) -> None:
        self.name = name
        self.memory = buttons
        self._config = config
        self._on_command = on_command
        self._failed = failed
        self._attempts = Attempts(clock)
        self._since = str(int(clock.now().timestamp() - VALID_S))
        """What was answered while we were away is taken, too; what we have taken already counts no more."""
        self._client = HttpClient()
        self._is_heard = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"{name}-answers", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stopping.set()
        self._client.hang_up()
        self._thread.join(STOP_S)
        self._client.close()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                if self._attempts.due():
                    self._try()
                else:
                    self._stopping.wait(0.5)
        except BaseException as error:  # noqa: BLE001 - the one place of this thread: the daemon stops with it
            self._failed(error)

    def _try(self) -> None:
        self._is_heard = False
        try:
            self._listen()
            why = "the connection ended"
        except HttpFailed as error:
            why = str(error)
        if self._is_heard:
            self._stopping.wait(PAUSE_S)  # a server that hangs up on everybody is not pestered
        elif not self._stopping.is_set() and self._attempts.failed():
            log.warning("answers from phones do not arrive", notifier=self.name, reason=why)

    def _listen(self) -> None:
        headers = {}
        if self._config.token is not None:
            headers["Authorization"] = f"Bearer {self._config.token.get_secret_value()}"
        lines = self._client.stream(
            "GET",
            f"{self._config.url.get_secret_value()}/json?since={self._since}",
            timeout_s=LISTEN_S,
            max_bytes=MOST_BYTES,
            headers=headers,
        )
        for status, line in lines:
            if status != 200:
                raise HttpFailed(f"answers {status}")
            self._heard(line)

    def _heard(self, line: bytes) -> None:
        """A message, or a sign of life."""
        try:
            news: Any = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(news, dict):
            return
        if not self._is_heard:
            self._is_heard = True
            if failed := self._attempts.worked():
                log.info("answers from phones arrive again", notifier=self.name, failed_attempts=failed)
        if news.get("event") != "message":
            return
        if isinstance(id := news.get("id"), str) and re.fullmatch(r"[A-Za-z0-9]{1,40}", id):
            self._since = id
        word = news.get("message")
        if isinstance(word, str) and _SECRET.fullmatch(word):
            for command in self.memory.pressed(word):
                log.info("answered on a phone", notifier=self.name, answer=command.name)
                self._on_command(command)

"""Alerts read aloud in the house: for whoever has no telephone at hand, and whoever sleeps."""

from collections.abc import Callable
from typing import Annotated, Literal, Self

from pydantic import Field

from monitor.clock import Attempts, Clock, length_in_words
from monitor.errors import PublishError
from monitor.labels import SEVERITIES, Severity
from monitor.language.words import length, rule_words, say
from monitor.logs import get_logger
from monitor.notifiers.players import LocalPlayer, PlayerConfig
from monitor.notifiers.speech import EspeakVoice, VoiceConfig, reading
from monitor.patience import Patience, Silent
from monitor.publishers.base import DELIVERED, Failed, House, OnOutcome, ignore, noop
from monitor.schema import Seconds, Slug, Switched
from monitor.types import Alert, Message

log = get_logger()
GRACE_S = 1.0
"""After its time a player is left; by then it has mostly named the fault itself."""
LONGEST_WORDS = 300
"""Characters; whoever listens has understood by then."""
OLD_AFTER_S = 1200.0
"""An older alert is not read. More than the quarter of an hour for which repeated alerts are collected at
most: a collected alert is not old."""
AGE_SAID_AFTER_S = 60.0
"""An older alert is read with its age."""


class SpokenConfig(Switched):
    """Reads alerts aloud: every warning, or alerts of the rules that name it under `notify`."""

    type: Literal["spoken"]
    name: Slug = "spoken"
    voice: VoiceConfig = EspeakVoice()
    """espeak (espeak-ng on this machine) or server (an OpenAI-compatible text-to-speech server)."""
    player: PlayerConfig = LocalPlayer()
    """local (a loudspeaker here), http or mqtt (a media player that takes a WAV)."""
    min_severity: Severity = "warning"
    """Milder alerts are not read."""
    repeat: Annotated[int, Field(ge=1, le=5)] = 1
    """How often each alert is read."""
    collapse_s: Seconds = 20.0
    """After an alert of a rule was read, the rule's next alerts are collected for this time and read as
    one."""
    max_per_minute: Annotated[int, Field(ge=1, le=60)] = 4
    """Limit over all rules. Smoke, carbon monoxide and fire are always read."""

    @property
    def channels(self) -> tuple[str, ...]:
        """The one outbox channel of this notifier."""
        return (self.name,)

    def build(self, clock: Clock) -> list["SpokenPublisher"]:
        """The publisher; nothing is opened yet."""
        return [SpokenPublisher(self, clock)]


class SpokenPublisher:
    """Reads alerts aloud, one after the other. `publish` blocks until the alert has been read, and is
    therefore called by a sender's thread only; when it cannot be read it has failed, and `ready` is false
    until the next attempt is due (1-30 s, doubling)."""

    connections = 0

    def __init__(self, config: SpokenConfig, clock: Clock) -> None:
        self.name = config.name
        self.on_ready: Callable[[], None] = noop
        self._config = config
        self._clock = clock
        self._attempts = Attempts(clock)
        self._patience = Patience(f"play-{config.name}", GRACE_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        """Nothing is held open between alerts."""

    def announce(self, house: House) -> None:
        """A voice needs no announcement."""

    def ready(self) -> bool:
        """Whether the next attempt is due."""
        return self._attempts.due()

    def lost_since(self) -> None:
        """None: a reading cannot be lost, since nobody can know who was there."""

    def publish(self, message: Message, done: OnOutcome = ignore, *, late: bool = False) -> None:
        """Read an alert. An old one is not read, only logged: a voice that reads old alerts frightens people
        for nothing, and the other notifiers send it with its time. Smoke, carbon monoxide and fire are read
        however old, with their age."""
        try:
            if isinstance(message, Alert) and self._wanted(message):
                self._read_or_let_go(message, self._age_s(message) if late else 0.0)
        except PublishError as error:
            self._put_off(error)
            done(Failed(str(error)))
        else:
            done(DELIVERED)

    def _age_s(self, alert: Alert) -> float:
        """Since it was raised, by the wall clock. It may be set meanwhile: asked only of what waited."""
        return (self._clock.now() - alert.raised_at).total_seconds()

    def _read_or_let_go(self, alert: Alert, age_s: float) -> None:
        if age_s > OLD_AFTER_S and not alert.is_life_safety:
            log.warning(
                "an alert was too old to be read aloud",
                notifier=self.name,
                rule=alert.rule,
                age=length_in_words(age_s),
            )
            return
        self._read(words(alert, age_s))

    def _wanted(self, alert: Alert) -> bool:
        return SEVERITIES.index(alert.severity) >= SEVERITIES.index(self._config.min_severity)

    def _read(self, text: str) -> None:
        play, longest_s = reading(text, self._config.voice, self._config.player)
        for _ in range(self._config.repeat):
            self._play(play, longest_s)
        if failed := self._attempts.worked():
            log.info("alerts are read aloud again", notifier=self.name, failed_attempts=failed)

    def _play(self, play: Callable[[], None], longest_s: float) -> None:
        """In a thread that can be left: a driver or a broker that never answers would hold every alert that
        is to be read after this one."""
        try:
            self._patience.do(play, more_s=longest_s)
        except Silent as error:
            raise PublishError("the player does not answer; is it switched on?") from error

    def _put_off(self, error: PublishError) -> None:
        if self._attempts.failed():
            log.warning("an alert could not be read aloud", notifier=self.name, reason=str(error))


def words(alert: Alert, age_s: float = 0.0) -> str:
    """The spoken text: the severity as a call (none for an update), the rule's name, the message, and its age
    if it is not new."""
    text = f"{rule_words(alert.rule)}. {alert.message}".replace("_", " ")
    text = text if alert.update else say(f"notice.call.{alert.severity}", text=text)
    age = say("notice.age", length=length(age_s)) if age_s > AGE_SAID_AFTER_S else ""
    return " ".join(text.split())[: LONGEST_WORDS - len(age)] + age

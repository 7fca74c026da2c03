"""What the page is made of: what it is given, what it remembers, and where it looks things up."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Condition, Event, Lock

from monitor.audio import Piece
from monitor.clock import Clock, to_us
from monitor.config.house import build_house
from monitor.config.model import Config
from monitor.history.reader import History
from monitor.history.recorder import SCORES
from monitor.history.verdicts import FILE as VERDICTS
from monitor.history.verdicts import Verdicts
from monitor.logs import Lapse, get_logger
from monitor.publishers.base import House
from monitor.schema import Secret
from monitor.types import Alert, Command, Health, Level, Message, Picture, Setting, SoundEvent, SoundLevel
from monitor.web.access.keys import Keys
from monitor.web.access.passwords import PasswordGuard, hashed, new_code
from monitor.web.access.visitors import Doorkeeper, Visitor
from monitor.web.board import Board
from monitor.web.feed import RESET, Feed, FeedItem
from monitor.web.files import KeptFiles
from monitor.web.house_time import HouseTime, house_zone
from monitor.web.live.audio import LiveAudio
from monitor.web.meters import Meters
from monitor.web.mutes import Mutes
from monitor.web.nodes.subscriber import NodeSubscriber
from monitor.web.scope import Scopes
from monitor.web.setup.listening import Trials
from monitor.web.tap import Recorder, Tap
from monitor.web.trying.runner import Runner
from monitor.web.views import feed_data

log = get_logger()

APPLYING_S = 5.0
"""The main thread takes milliseconds; where it hangs, whoever set something is not kept waiting."""
READING_S = 2.0
"""How long a question to the history may wait for the disk's lock."""


class Page:
    """One for the life of the daemon. `decided` and `alive` may be called from any thread and never wait."""

    nodes: NodeSubscriber | None = None
    """Every node on the broker; None where only this one is shown."""
    waiting: Callable[[], Sequence[Alert]]
    """Alerts that nobody has acknowledged, as the receivers know them: no disk is asked."""

    def __init__(
        self,
        config: Config,
        house: House,
        settings: Sequence[Setting],
        command: Callable[[Command], None],
        show: Callable[[Message], None],
        look: Callable[[], None],
        keys: Keys,
        verdicts: Verdicts,
        clock: Clock,
    ) -> None:
        self.whole = config
        self.config = config.web
        self.house = house
        self.command = command
        self.look = look
        """Has somebody look whether anything was changed from outside."""
        self._followed = Condition()
        self._is_ending = False
        self.trying = Runner()
        self.changing = Lock()
        """Held by whoever changes settings: one change after another."""
        self.keys = keys
        self.verdicts = verdicts
        self.clock = clock
        self.time = HouseTime(house_zone())
        self.feed = Feed()
        self.board = Board((room.source for room in house.sources), settings, clock)
        self.meters = Meters(self.feed, self.board, self.time)
        self.scopes = Scopes(self.board)
        live = (room.source for room in house.sources) if config.web.live_audio else ()
        self.audio = LiveAudio(show, live)
        self.trials = Trials(clock)
        self.doors = Doorkeeper(config.web, keys)
        self.guard = PasswordGuard(clock)
        self.folder = config.state_folder()
        self.files = KeptFiles(self.folder / "evidence", clock)
        self.mutes = Mutes(self.folder, command, clock)
        self.lapse = Lapse("the page cannot read what is kept", "the page reads what is kept again")
        self.begun = Event()
        """Set when the daemon hears something, runs, or ends: the page is served from then on."""
        self.closing = False
        self.is_open = False
        """Whether it is served."""
        self.fault = ""
        """Why it is no longer served, if it has failed; part of the daemon's trouble from then on."""
        self._code: str | None = None
        self._digests: dict[str, str] = {}

    def decided(self, message: Message, now: datetime) -> None:
        """What was decided, at the time that the history keeps it with. Never raises."""
        self.board.note(message)
        if isinstance(message, SoundEvent | Alert):
            self.feed.post(FeedItem(to_us(now), _kind(message), feed_data(message, self.time)))
        elif self.feed.watched and not isinstance(message, Picture | Level | SoundLevel):
            self.feed.post(
                FeedItem(0, _kind(message), {**feed_data(message, self.time), **self._until(message)})
            )

    def _until(self, message: Message) -> dict[str, str]:
        """When a source that was muted for a while is heard again."""
        if isinstance(message, Setting) and message.name == "mute" and message.value:
            until = self.mutes.until().get(message.source)
            return {"until": self.time.iso(until)} if until else {}
        return {}

    def follow(self, config: Config) -> None:
        """Other rules and thresholds are in force from now on. Of a new sound whoever looks has to know."""
        knows = self.whole.taught.labels == config.taught.labels
        with self._followed:
            self.whole, self.house = config, build_house(config)
            self._followed.notify_all()
        if not knows:
            self.feed.post(FeedItem(0, RESET, {}))

    def apply(self, is_applied: Callable[[Config], bool]) -> None:
        """Have settings that were just kept take effect, and wait for it, but not for long: the daemon may
        begin anew with them."""
        self.look()
        with self._followed:
            self._followed.wait_for(lambda: self._is_ending or is_applied(self.whole), APPLYING_S)

    def release(self) -> None:
        """The page ends: nobody waits for settings any more."""
        self.begun.set()
        with self._followed:
            self._is_ending = True
            self._followed.notify_all()

    def hear(self, piece: Piece) -> bool:
        """The next frames of a source; in that source's thread. Whether somebody looks or listens now."""
        self.begun.set()
        self.meters.hear(piece)
        self.scopes.hear(piece)
        self.audio.hear(piece)
        self.trials.hear(piece)
        return self.scopes.watching(piece.source) + self.audio.listening(piece.source) > 0

    def tap(self, record: Recorder) -> Tap:
        """Stands in for the record, so that the page sees what it is given."""
        return Tap(record, self)

    def alive(self, stalled: Sequence[str]) -> None:
        """The main thread has looked after everything."""
        self.begun.set()
        self.board.alive(stalled)
        self.mutes.due()

    def note_verdict(self, event_id: str) -> None:
        """Somebody judged an event: whoever looks sees it."""
        self.feed.post(FeedItem(0, "verdict", {"name": event_id}))

    def answered(self, answers: Sequence[Command]) -> None:
        """Somebody acknowledged or judged elsewhere, and it has been kept. In the thread that may wait for a
        disk, every two seconds."""
        self.mutes.keep()
        for answer in answers:
            kind = "ack" if answer.name == "ack" else "verdict"
            self.feed.post(FeedItem(0, kind, {"name": str(answer.value or "")}))

    def may_hear(self, visitor: Visitor) -> bool:
        """Whether they may hear clips and see spectrograms, from which speech can be read back."""
        return visitor.may_change or self.config.viewers_hear

    def one_time_code(self) -> str:
        """What whoever comes first must know; written to the log when it is asked for."""
        if self._code is None:
            self._code = new_code()
            log.warning("the page waits for its first visitor", code=self._code, page=self.address)
        return self._code

    def digest_of(self, secret: Secret) -> str:
        """Of a password that stands in the configuration: compared as slowly as any other."""
        text = secret.get_secret_value()
        return self._digests.setdefault(text, hashed(text))

    def forget_code(self) -> None:
        """It was used."""
        self._code = None

    @property
    def address(self) -> str:
        """Where a browser on this machine finds it."""
        host = self.config.host
        shown = "localhost" if host in ("127.0.0.1", "::1", "0.0.0.0", "::") else host  # noqa: S104
        return f"http://{shown}:{self.config.port}/"

    @property
    def is_local(self) -> bool:
        """Whether no other machine can reach it."""
        return self.config.host in ("127.0.0.1", "::1", "localhost")

    @contextmanager
    def history(self) -> Iterator[History]:
        """The history, read-only, with people's verdicts on it attached as `verdicts`."""
        with History(self.folder / SCORES, patience_s=READING_S) as history:
            history.attach(self.folder / VERDICTS, "verdicts")
            yield history
        self.lapse.end()

    @contextmanager
    def rows(self) -> Iterator[sqlite3.Connection]:
        """The same as a connection."""
        with self.history() as history, history.rows() as rows:
            yield rows

    def keeps_history(self) -> bool:
        """Whether there is anything to look up."""
        return self.whole.history_days > 0 and (self.folder / SCORES).exists()

    def close_streams(self) -> None:
        """Let everybody who looks go; in the web thread."""
        self.closing = True
        self.feed.wake_all()


def _kind(message: Message) -> str:
    return {
        SoundEvent: "event", Alert: "alert", Level: "level", Health: "health", Setting: "setting",
    }.get(type(message), type(message).__name__.lower())  # fmt: skip

"""What is said about how the daemon keeps up, and when the watchdog goes hungry."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Self

import numpy as np
from structlog.testing import capture_logs

from monitor.audio import Piece
from monitor.clock import Backoff
from monitor.errors import SourceLost
from monitor.runtime.capture import CaptureThread
from monitor.runtime.health import OPENING_S, STALLED_S, Checkup, summary
from monitor.runtime.mailbox import Mailbox
from monitor.runtime.worker import Worker
from monitor.sources.base import Source
from monitor.types import Detection, Findings, Frame, Segment
from testkit.builders import frames, noise, segment
from testkit.fakes import FakeClock, ScriptedClassifier


class Watched(Source):
    """A source in which something happens when it is opened and after every frame."""

    name = "kitchen"
    patience_s = 0.0
    clock_offset_s = 0.0
    drift_ppm = 0.0
    overflows = 0
    surplus = 1.0

    def __init__(
        self,
        sound: Sequence[Frame],
        then: Callable[[], None] = lambda: None,
        opening: Callable[[], None] = lambda: None,
        error: SourceLost | None = None,
    ) -> None:
        self._sound, self._then, self._opening, self._error = sound, then, opening, error
        self._opened = 0

    def __enter__(self) -> Self:
        self._opening()
        self._opened += 1
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def pieces(self) -> Iterator[Piece]:
        for frame in self._sound:
            yield Piece.of(frame)
            self._then()
        if self._error and self._opened == 1:
            raise self._error

    def close(self) -> None:
        pass


class Deaf:
    """Hears nothing."""

    calm_below = 0.0

    def hear(self, piece: Piece) -> Sequence[Findings]:
        return ()

    def finish(self, ended_by: str) -> None:
        return None


class Ward:
    """One listener under observation; `look` notes what is found wrong now."""

    def __init__(self, patience_s: float = 0.0) -> None:
        self.clock = FakeClock()
        self.found: list[list[str]] = []
        self._patience_s = patience_s
        self.others: list[CaptureThread] = []
        self.checkup = Checkup(list, [], {}, self.clock, frozenset())

    def listen(self, source: Watched) -> CaptureThread:
        at_once = Backoff(0, 0)
        failures: list[BaseException] = []
        source.patience_s = self._patience_s
        listener = CaptureThread(
            source, Deaf(), lambda item: None, failures.append, self.clock, at_once, at_once
        )
        self.checkup = Checkup(lambda: [listener, *self.others], [], {}, self.clock, frozenset())
        listener.run()
        assert failures == []
        return listener

    def look_after(self, seconds: float) -> Callable[[], None]:
        def look() -> None:
            self.clock.advance(seconds)
            self.found.append(self.checkup.stalled())

        return look


def test_an_online_source_without_a_frame_is_noticed():
    """Its own limit has passed and it neither delivers nor says that it is lost."""
    ward = Ward()
    ward.listen(Watched(frames(noise(0.03)), ward.look_after(STALLED_S + 1)))
    assert ward.found == [["source kitchen: no frame for 21 s"]]


def test_a_camera_that_may_be_silent_for_a_minute_feeds_the_watchdog_until_then():
    """`silent_after_s: 60` is the camera's own limit; before it has passed, all is well."""
    ward = Ward(patience_s=60)
    ward.listen(Watched(frames(noise(0.06)), ward.look_after(70)))
    assert ward.found == [[], []]


def test_a_single_source_that_hangs_starves_nobody():
    """The watchdog is fed while another source advances: the sick one is opened anew by itself."""
    ward = Ward()
    well = CaptureThread(Watched([]), Deaf(), lambda item: None, lambda error: None, ward.clock)
    ward.others = [well]
    ward.listen(Watched(frames(noise(0.03)), ward.look_after(STALLED_S + 1)))
    assert ward.found == [[]]


def test_a_source_that_is_being_opened_again_is_weather():
    """However long ago the last frame came: a camera that is off must not restart the daemon."""
    ward = Ward()
    looks: list[Callable[[], None]] = [lambda: None, ward.look_after(120)]
    source = Watched(frames(noise(0.03)), opening=lambda: looks.pop(0)(), error=SourceLost("gone"))
    ward.listen(source)
    assert ward.found == [[]]


def test_an_opening_that_never_ends_is_noticed():
    """A source that hangs where it has time-outs of its own would be deaf until the next restart."""
    ward = Ward()
    ward.listen(Watched([], opening=ward.look_after(OPENING_S + 1)))
    assert ward.found == [["source kitchen: has been opening for 301 s"]]


def test_a_source_that_has_ended_is_well():
    """A recording came to its end an hour ago."""
    ward = Ward()
    ward.listen(Watched(frames(noise(0.03))))
    ward.clock.advance(3600)
    assert ward.checkup.stalled() == []


def queue_checkup(clock: FakeClock) -> tuple[Mailbox[str], Checkup]:
    box: Mailbox[str] = Mailbox("decisions", 10, clock)
    return box, Checkup(list, [], {"decisions": box}, clock, frozenset({"decisions"}))


def test_a_queue_that_nobody_takes_from_is_noticed():
    """The decider hangs: the oldest waits, and nothing moves."""
    clock = FakeClock()
    box, checkup = queue_checkup(clock)
    box.put("a")
    clock.advance(STALLED_S + 1)
    assert checkup.stalled() == ["queue decisions: nobody has taken anything for 21 s"]


def test_a_long_queue_that_moves_feeds_the_watchdog():
    """A slow model on a busy evening drops and lags; restarting it would only make it deaf as well."""
    clock = FakeClock()
    box, checkup = queue_checkup(clock)
    for letter in "abc":
        box.put(letter)
    clock.advance(15)
    box.take(1)
    clock.advance(15)
    assert box.figures().oldest_s == 30
    assert checkup.stalled() == []


def test_a_quiet_room_starves_nobody():
    """Nothing is taken for hours because nothing comes; the first sound after it is no emergency."""
    clock = FakeClock()
    box, checkup = queue_checkup(clock)
    clock.advance(10_000)
    box.put("a")
    assert checkup.stalled() == []


class Lingering(ScriptedClassifier):
    """Takes its time, and looks around meanwhile."""

    def __init__(self, meanwhile: Callable[[], None]) -> None:
        super().__init__({"cough": 0.1})
        self._meanwhile = meanwhile

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        self._meanwhile()
        return super().classify(segments)


def linger(vital: frozenset[str]) -> list[list[str]]:
    clock = FakeClock()
    found: list[list[str]] = []

    def meanwhile() -> None:
        clock.advance(STALLED_S + 1)
        found.append(checkup.stalled())

    box: Mailbox[Segment] = Mailbox("embedded", 10, clock)
    failures: list[BaseException] = []
    worker = Worker(Lingering(meanwhile), box, lambda *batch: None, failures.append, clock=clock)
    checkup = Checkup(list, [worker], {"embedded": box}, clock, vital)
    box.put(segment(np.zeros(480, np.float32)))
    box.close()
    worker.run()
    assert failures == []
    return found


def test_a_model_that_hangs_in_a_quiet_room_is_noticed():
    """Nothing else waited, so no queue grew old; the batch in hand does."""
    assert linger(frozenset({"embedded"})) == [["classifier embedded: at the same batch for 21 s"]]


def test_a_large_model_that_hangs_takes_nobody_down():
    """The alarms do not depend on it."""
    assert linger(frozenset()) == [[]]


def test_the_processor_time_of_loading_is_not_counted_as_listening():
    """The first snapshots said that the daemon took more than a core."""
    began_s = time.process_time()
    while time.process_time() - began_s < 0.3:
        pass
    clock = FakeClock()
    checkup = Checkup(list, [], {}, clock, frozenset())
    clock.advance(0.1)
    assert checkup.snapshot().values["cpu_share"] < 1


def test_opening_a_source_is_no_gap():
    """The first frame of every opening follows one; only sound that is missing in between counts."""
    ward = Ward()
    whole = frames(noise(0.06))
    broken = [whole[0], *frames(noise(0.03))]
    assert ward.listen(Watched(whole)).figures().gaps == 0
    assert ward.listen(Watched(broken)).figures().gaps == 1


def test_lost_sound_is_counted_and_said_once():
    """A machine that cannot keep up loses sound before anything of ours sees it: only the source knows."""
    ward = Ward()
    source = Watched(frames(noise(0.06)))
    source.overflows = 0
    ward.listen(source)
    with capture_logs() as logged:
        assert ward.checkup.snapshot().values["sources"]["kitchen"]["overflows"] == 0
        assert logged == []
        for source.overflows in (3, 4):
            assert ward.checkup.snapshot().values["sources"]["kitchen"]["overflows"] == source.overflows

    assert [(line["event"], line["source"]) for line in logged] == [
        ("sound was lost: it was not read in time", "kitchen")
    ]


def test_a_snapshot_is_plain_json():
    """For MQTT, a dashboard, and whoever sends SIGUSR1."""
    ward = Ward()
    ward.listen(Watched(frames(noise(0.06))))
    health = ward.checkup.snapshot()
    values: dict[str, Any] = json.loads(json.dumps(dict(health.values)))
    assert values["sources"]["kitchen"]["frames"] == 2
    assert summary(health).startswith("0 of 1 sources online")

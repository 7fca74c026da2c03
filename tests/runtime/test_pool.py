"""Which classifier hears what, and what becomes of the answers."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from monitor.audio import SAMPLE_RATE_HZ
from monitor.classifiers.audio_llm.remote import RemoteConfig
from monitor.classifiers.cascade import Cascade
from monitor.errors import ClassifyError
from monitor.runtime.pool import WAITING, WAITING_AGAIN, ClassifierPool
from monitor.types import Detection, Findings, Segment
from testkit.builders import segment
from testkit.fakes import FakeClock, ScriptedClassifier


class Always:
    """Wants everything, and remembers what it was shown."""

    def __init__(self) -> None:
        self.shown: list[list[str]] = []
        self.withheld = 0

    def wants(self, segment: Segment, detections: Sequence[Detection]) -> bool:
        self.shown.append([detection.label for detection in detections])
        return True

    def narrowed(self, segment: Segment, detections: Sequence[Detection]) -> Segment:
        return segment


class Never:
    """Wants nothing."""

    withheld = 0

    def wants(self, segment: Segment, detections: Sequence[Detection]) -> bool:
        return False

    def narrowed(self, segment: Segment, detections: Sequence[Detection]) -> Segment:
        return segment


class Remembering(ScriptedClassifier):
    """Remembers what it was asked about."""

    def __init__(self, answer: Mapping[str, float], name: str) -> None:
        super().__init__(answer, name)
        self.asked: list[Segment] = []

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        self.asked += segments
        return super().classify(segments)


class Session:
    """A panel whose threads are run one after the other, small models first."""

    def __init__(
        self, first: Sequence[Any], second: Sequence[tuple[Any, Any]] = (), sources: int = 1
    ) -> None:
        self.heard: list[Findings] = []
        self.failures: list[BaseException] = []
        self.panel = ClassifierPool(
            first, second, self.heard.append, self.failures.append, FakeClock(), sources
        )

    def judge(self, *segments: Segment) -> list[list[tuple[str, str]]]:
        """Label and classifier of everything heard, batch by batch."""
        for each in segments:
            self.panel.submit(each)
        for worker in self.panel.workers:
            worker.mailbox.close()
            worker.run()
        return [[(d.label, d.classifier) for d in heard.detections] for heard in self.heard]


def sound(id: str = "0123456789ab", ended_by: Any = "silence") -> Segment:
    return replace(segment(np.zeros(480, np.float32), id=id), ended_by=ended_by)


def test_every_small_model_hears_every_segment():
    """None waits for another, and each answer goes on by itself."""
    session = Session([ScriptedClassifier({"cough": 0.9}, "one"), ScriptedClassifier({"cough": 0.8}, "two")])
    assert session.judge(sound()) == [[("cough", "one")], [("cough", "two")]]


def test_a_large_model_hears_what_the_small_one_leaves_open():
    """It is given what the small one detected, and answers after it."""
    cascade = Always()
    session = Session(
        [ScriptedClassifier({"cough": 0.5})], [(ScriptedClassifier({"cough": 0.9}, "qwen"), cascade)]
    )
    assert session.judge(sound()) == [[("cough", "embedded")], [("cough", "qwen")]]
    assert cascade.shown == [["cough"]]


def test_a_large_model_is_spared_what_it_does_not_want():
    """Only what is left open costs its time."""
    session = Session(
        [ScriptedClassifier({"cough": 0.5})], [(ScriptedClassifier({"cough": 0.9}, "qwen"), Never())]
    )
    assert session.judge(sound()) == [[("cough", "embedded")]]


def test_what_may_not_leave_this_machine_stands_in_the_figures():
    """A server that is not sent voices says in the health report how many it was not asked about."""
    shy = Cascade(RemoteConfig(type="remote", url="http://10.0.0.5/v1", model="m", everything=True))
    session = Session(
        [ScriptedClassifier({"speech": 0.9})], [(ScriptedClassifier({"cough": 0.9}, "remote"), shy)]
    )
    session.judge(sound(), sound("0123456789ac"))
    assert [worker.figures().withheld for worker in session.panel.workers] == [0, 2]


def test_overload_costs_the_large_model_first():
    """While both are behind, no segment is lost to the small model; the large one loses its oldest."""
    small, large = ScriptedClassifier({"cough": 0.9}), ScriptedClassifier({"cough": 0.9}, "qwen")
    session = Session([small], [(large, Always())])
    judged = session.judge(*(sound(f"{number:012x}") for number in range(WAITING)))
    dropped = {name: box.figures().dropped for name, box in session.panel.mailboxes.items()}
    assert dropped == {"embedded": 0, "qwen": WAITING - WAITING_AGAIN}
    assert judged.count([("cough", "embedded")]) == WAITING
    assert judged.count([("cough", "qwen")]) == WAITING_AGAIN


def test_a_large_model_that_is_behind_gets_the_newest_of_a_sound_and_what_has_ended_first():
    """A look that waits gives way to the next look at the same sound, and to the sound once it has ended;
    finished sounds go before looks at others."""
    large = Remembering({"cough": 0.9}, "qwen")
    session = Session([ScriptedClassifier({"cough": 0.9})], [(large, Always())])

    session.judge(
        sound("00000000000a", "open"),
        sound("00000000000a", "open"),
        sound("00000000000b", "open"),
        sound("00000000000a"),
        sound("00000000000c"),
    )

    assert [(each.id[-1], each.ended_by) for each in large.asked] == [
        ("a", "silence"),
        ("c", "silence"),
        ("b", "open"),
    ]


def test_without_a_small_model_the_large_one_hears_everything():
    """Nobody else would."""
    session = Session([], [(ScriptedClassifier({"cough": 0.9}, "qwen"), Always())])
    assert session.judge(sound()) == [[("cough", "qwen")]]


def test_a_look_that_waits_gives_way_to_a_newer_one_and_to_its_segment():
    """What the newer one holds is not judged twice, and no place in the queue is taken by what is old."""
    model = Remembering({"cough": 0.9}, "embedded")
    session = Session([model])
    judged = session.judge(sound(ended_by="open"), sound("00000000000b", "open"), sound(), sound("c"))
    assert judged == [[("cough", "embedded")]] * 3
    assert [(each.id[-1], each.ended_by) for each in model.asked] == [
        ("b", "silence"),
        ("b", "open"),
        ("c", "silence"),
    ]


def test_a_new_sound_goes_before_what_goes_on_and_costs_nothing_that_has_ended():
    """The first look at a sound passes all others. In a crowd the later looks are dropped, then
    the first ones, and what has ended stays."""

    def look(id: str, lasted_s: float) -> Segment:
        samples = np.zeros(round((0.51 + lasted_s) * SAMPLE_RATE_HZ), np.float32)
        return replace(segment(samples, id=id), ended_by="open", onset_s=0.51)

    model = Remembering({"cough": 0.9}, "embedded")
    waiting = [
        look("a", 1.02),
        sound("b"),
        look("c", 2.04),
        look("d", 1.53),
        look("e", 0.51),
        look("f", 0.84),
    ]
    Session([model]).judge(*waiting)
    assert [each.id for each in model.asked] == ["e", "a", "b", "c", "d", "f"]
    crowded = Remembering({"cough": 0.9}, "embedded")
    ended = [sound(f"over{n}") for n in range(WAITING - 2)]
    later, new = look("later", 1.02), look("new", 0.51)
    Session([crowded]).judge(later, *ended, new, sound("last"))
    assert [each.id for each in crowded.asked] == ["new", *(each.id for each in ended), "last"]
    full = Remembering({"cough": 0.9}, "embedded")
    ended = [sound(f"over{n}") for n in range(WAITING)]
    Session([full]).judge(*ended, new)
    assert [each.id for each in full.asked] == [each.id for each in ended]


def test_every_room_may_hear_the_same_slam_at_once():
    """With many sources two segments of each find room, however few fit of one source."""
    few, many = (Session([ScriptedClassifier({"cough": 0.9})], sources=count) for count in (1, 128))
    slams = [sound(f"{number:012x}") for number in range(256)]
    assert len(many.judge(*slams)) == 256
    assert len(few.judge(*slams)) == WAITING


def test_a_large_model_that_breaks_is_taken_off_and_named():
    """The alarms do not depend on it: listening goes on, and the health report says so."""
    broken = ScriptedClassifier(ZeroDivisionError("too hot"), "qwen")
    session = Session([ScriptedClassifier({"cough": 0.9})], [(broken, Always())])
    assert session.judge(sound()) == [[("cough", "embedded")]]
    assert session.failures == []
    assert "too hot" in session.panel.retired["qwen"]


def test_a_small_model_that_breaks_stops_the_daemon():
    """A bug where every alarm passes is not lived with."""
    session = Session([ScriptedClassifier(ZeroDivisionError())])
    session.judge(sound())
    assert [type(failure) for failure in session.failures] == [ZeroDivisionError]


def test_a_segment_that_cannot_be_judged_does_not_stop_the_panel():
    """It is counted; nothing is made up for it."""
    session = Session([ScriptedClassifier(ClassifyError("out of memory"))])
    assert session.judge(sound()) == []
    assert session.failures == []
    assert session.panel.workers[0].figures().failures == 1


def test_an_orderly_stop_judges_what_waits():
    """With its threads: what was submitted before the stop is posted before the pool is gone."""
    heard: list[Findings] = []
    failures: list[BaseException] = []
    with ClassifierPool(
        [ScriptedClassifier({"cough": 0.9})], [], heard.append, failures.append, FakeClock()
    ) as panel:
        for number in range(20):
            panel.submit(sound(f"{number:012x}"))
    assert [h.detections[0].segment_id for h in heard] == [f"{number:012x}" for number in range(20)]
    assert panel.idle


class Hanging(ScriptedClassifier):
    """Does not come back until it is let go."""

    def __init__(self) -> None:
        super().__init__({"cough": 0.9}, "qwen")
        self.begun = threading.Event()
        self.let_go = threading.Event()

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        self.begun.set()
        self.let_go.wait()
        return []


def test_a_model_that_hangs_does_not_hold_up_the_stop():
    """It is left behind after its time."""
    hanging = Hanging()
    failures: list[BaseException] = []
    with ClassifierPool([], [(hanging, Always())], lambda heard: None, failures.append, FakeClock()) as panel:
        panel.submit(sound())
        assert hanging.begun.wait(30)
        assert not panel.idle
    try:
        assert [worker.is_alive() for worker in panel.workers] == [True]
    finally:
        hanging.let_go.set()
        for worker in panel.workers:
            worker.join()


def test_large_models_are_let_go_when_memory_runs_out():
    """What waits for them is not judged, the small ones go on, and the health report says why."""
    large = Closable({"cough": 0.9}, "qwen")
    session = Session([ScriptedClassifier({"cough": 0.5})], [(large, Always())])
    assert session.panel.shed_large_models("700 MB of 500")
    assert not session.panel.shed_large_models("still 700 MB of 500")
    assert session.judge(sound()) == [[("cough", "embedded")]]
    assert large.closed
    assert session.panel.retired == {"qwen": "taken off: 700 MB of 500"}
    assert not Session([ScriptedClassifier({"cough": 0.5})]).panel.shed_large_models("700 MB of 500")


class Closable(ScriptedClassifier):
    closed = False

    def close(self) -> None:
        self.closed = True

"""Classifying what waits."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from structlog.testing import capture_logs

from monitor.errors import ClassifyError
from monitor.runtime.mailbox import Mailbox
from monitor.runtime.worker import Worker
from monitor.types import Detection, Segment
from testkit.builders import segment
from testkit.fakes import FakeClock, ScriptedClassifier


def worked(classifier: ScriptedClassifier, count: int) -> tuple[Worker, list[Any], list[BaseException]]:
    box: Mailbox[Segment] = Mailbox("segments", 100, FakeClock())
    for i in range(count):
        box.put(segment(np.zeros(480, np.float32), id=f"{i:012x}"))
    box.close()
    judged: list[Any] = []
    failures: list[BaseException] = []
    worker = Worker(classifier, box, lambda *batch: judged.append(batch), failures.append, batch=16)
    worker.run()
    return worker, judged, failures


def test_what_waits_becomes_one_batch():
    """Twenty segments are two calls of the model, and nothing is left at the end."""
    worker, judged, failures = worked(ScriptedClassifier({"cough": 0.9}), 20)
    assert [len(segments) for segments, _, _ in judged] == [16, 4]
    assert [len(detections) for _, detections, _ in judged] == [16, 4]
    assert worker.figures().segments == 20
    assert failures == []


def test_a_batch_that_cannot_be_judged_is_counted_and_passed_over():
    """One broken segment does not end the night."""
    worker, judged, failures = worked(ScriptedClassifier(ClassifyError("out of memory")), 3)
    assert (judged, failures) == ([], [])
    assert worker.figures().failures == 3


def test_one_broken_segment_costs_only_itself():
    """The others of its batch are judged one by one."""

    class Choosy(ScriptedClassifier):
        def classify(self, segments: Sequence[Segment]) -> list[Detection]:
            if any(segment.id == f"{1:012x}" for segment in segments):
                raise ClassifyError("broken")
            return super().classify(segments)

    worker, judged, failures = worked(Choosy({"cough": 0.9}), 3)
    assert [[segment.id[-1] for segment in segments] for segments, _, _ in judged] == [["0"], ["2"]]
    assert worker.figures().failures == 1
    assert failures == []


class Recovering(ScriptedClassifier):
    """Fails for the first segments, one of them for another reason, then returns what it was given."""

    @property
    def trouble(self) -> str:
        """As a server's client finds it at the start."""
        return "the server does not answer yet"

    def __init__(self, failures: Sequence[str]) -> None:
        super().__init__({"cough": 0.9})
        self._failures = list(failures)

    def classify(self, segments: Sequence[Segment]) -> list[Detection]:
        if self._failures:
            raise ClassifyError(self._failures.pop(0))
        return super().classify(segments)


def test_a_failing_model_stands_in_the_figures_until_it_recovers():
    """Why, and what to do; before the first segment it is what the model says of itself."""
    fresh, _, _ = worked(Recovering([]), 0)
    failing, _, _ = worked(Recovering(["no server"]), 1)
    recovered, _, _ = worked(Recovering(["no server"]), 2)
    assert fresh.figures().failing == "the server does not answer yet"
    assert failing.figures().failing == "no server"
    assert recovered.figures().failing is None


def test_a_failure_that_lasts_is_logged_once_and_its_end_too():
    """A server that is down all night must not fill the log."""
    reasons = ["no server", "left alone", "no server", "left alone", "no server"]
    with capture_logs() as logs:
        worked(Recovering(reasons), 6)
    errors = [entry["error"] for entry in logs if entry["log_level"] == "error"]
    assert sorted(errors) == ["left alone", "no server"]
    assert [entry["event"] for entry in logs if entry["log_level"] == "info"] == ["classifying again"]


def test_a_bug_in_a_classifier_reaches_the_daemon():
    """Anything else ends the thread with its error."""
    _, _, failures = worked(ScriptedClassifier(ZeroDivisionError()), 1)
    assert [type(f) for f in failures] == [ZeroDivisionError]


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -float("inf")])
def test_a_score_that_is_not_finite_is_an_error_of_its_classifier(score: float):
    """It reaches no tracker, costs no other segment, and stands in the figures with the fix."""

    class Overflowing(ScriptedClassifier):
        def classify(self, segments: Sequence[Segment]) -> list[Detection]:
            found = super().classify(segments)
            return [replace(one, score=score) if one.segment_id == f"{1:012x}" else one for one in found]

    worker, judged, failures = worked(Overflowing({"gunshot": 0.9}), 3)
    assert [[segment.id[-1] for segment in segments] for segments, _, _ in judged] == [["0"], ["2"]]
    assert worker.figures().failures == 1
    assert failures == []


def test_an_emotion_that_is_not_finite_is_an_error_too():
    """A rule may ask for it."""

    class Moody(ScriptedClassifier):
        def classify(self, segments: Sequence[Segment]) -> list[Detection]:
            return [replace(one, emotion={"angry": float("nan")}) for one in super().classify(segments)]

    worker, judged, _ = worked(Moody({"speech": 0.9}), 1)
    assert judged == []
    assert "its score of angry is nan" in (worker.figures().failing or "")

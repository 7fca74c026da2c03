"""A state folder of version 0.1.0 is taken up whole: nothing that waited, was kept or was set is lost.

`store/state-0.1.0.tar.gz` was written by that version's daemon on the built-in scene, with a webhook that did
not answer; then a threshold and a mute were set, and an event was marked as kept.
"""

import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.config.house import configured_settings
from monitor.config.model import Config
from monitor.config.overrides import with_overrides
from monitor.delivery.kept.active import ActiveAlerts
from monitor.delivery.kept.settings import KeptSettings
from monitor.delivery.outbox import SqliteOutbox
from monitor.events.settings import LABELS
from monitor.history.explain import explain_id
from monitor.history.reader import History
from monitor.history.replay import replay
from monitor.history.verdicts import Verdicts
from monitor.types import Alert, Setting
from testkit.fakes import FakeClock, raise_it

STATE = Path(__file__).parent / "store" / "state-0.1.0.tar.gz"
THEN = datetime(2026, 11, 29, 17, 6, 30, tzinfo=UTC)
SMOKE, LOUD = "0832c420571f", "818af56db241"
EVENT = "b2f0e869b3a5"


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """As an upgrade finds it."""
    with tarfile.open(STATE) as archive:
        archive.extractall(tmp_path, filter="data")
    return tmp_path / "state"


@pytest.fixture(name="config")
def _config(folder: Path) -> Config:
    rules = [
        {"name": "Smoke alarm", "hear": ["smoke_alarm"], "certainty": "confirmed", "severity": "critical"},
        {"name": "Loud", "hear": ["loud_noise"], "severity": "info"},
    ]
    return Config.model_validate(
        {"sources": [{"type": "demo", "name": "kitchen"}], "rules": rules, "state_dir": folder}
    )


def test_alerts_that_waited_are_delivered(folder: Path) -> None:
    """In their order, marked late, and not once more where they had arrived."""
    clock = FakeClock(THEN + timedelta(minutes=20))
    with capture_logs() as logs, SqliteOutbox(folder / "outbox.db", clock, raise_it) as outbox:
        waiting = [each for each in outbox.waiting("hook") if isinstance(each.message, Alert)]
        assert [(each.message.id, each.late) for each in waiting] == [(LOUD, True), (SMOKE, True)]
        assert not outbox.waiting("lines")
        for each in waiting:
            outbox.release(each, clock.now())
        assert not [each for each in outbox.waiting("hook") if isinstance(each.message, Alert)]
    assert not [line for line in logs if line["log_level"] in ("warning", "error")]


def test_what_was_heard_is_explained_and_decided_again(folder: Path, config: Config) -> None:
    """Scores, decisions and levels of the former version, by the code of this one."""
    with History(folder / "scores.db") as history:
        [trace] = explain_id(history, config, SMOKE).events
        outcomes = replay(history, config, THEN - timedelta(minutes=2), THEN + timedelta(minutes=2))
    assert (trace.event.id, trace.event.label) == (EVENT, "smoke_alarm")
    assert [alert.id for alert in trace.alerts] == [SMOKE]
    alerts = [(each.message.rule, each.change) for each in outcomes if isinstance(each.message, Alert)]
    assert alerts == [("Loud", "as before"), ("Smoke alarm", "as before")]


def test_what_was_set_and_what_nobody_answered_still_hold(folder: Path, config: Config) -> None:
    """Mute, thresholds, kept clips, and the alert that waits for an acknowledgement."""
    settings = KeptSettings(folder / "settings.json", configured_settings(config))
    settings.read()
    assert Setting("kitchen", "mute", True) in settings.in_force()
    [source] = with_overrides(config).sources
    assert LABELS.validate_python(source.labels)["dog_bark"].onset == 0.7
    active = ActiveAlerts(folder / "active.json")
    active.read()
    alert = active.state().alert
    assert alert is not None
    assert alert.id == SMOKE
    with Verdicts(folder, FakeClock(THEN)) as verdicts:
        assert EVENT in verdicts.kept([EVENT, "another"])

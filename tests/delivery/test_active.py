"""The alerts that nobody has acknowledged."""

import os
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from monitor.config.model import Config
from monitor.delivery.delivery import Delivery
from monitor.delivery.kept.active import MOST_KEPT, ActiveAlerts, of_one_incident
from monitor.types import ActiveAlert, Alert, Command
from testkit.builders import START, alert, event
from testkit.fakes import FakeClock, raise_it


def kept(folder: Path) -> ActiveAlerts:
    """As at a start."""
    found = ActiveAlerts(folder / "active.json")
    found.read()
    return found


def test_it_is_active_until_somebody_acknowledges(tmp_path: Path) -> None:
    """One by its id, or all."""
    active = kept(tmp_path)
    assert active.raised(alert(id="a1"))
    assert active.raised(alert(id="a2", at=START + timedelta(seconds=5)))
    assert active.state() == ActiveAlert(alert(id="a2", at=START + timedelta(seconds=5)), 2)

    assert active.acknowledged({"a2", "somebody else's"})
    assert active.state() == ActiveAlert(alert(id="a1"), 1)
    assert not active.acknowledged({"a2"})
    assert active.acknowledged(None)
    assert active.state() == ActiveAlert(None, 0)


def test_the_gravest_is_shown(tmp_path: Path) -> None:
    """A life danger before anything that came after it."""
    active = kept(tmp_path)
    for each in (alert("smoke_alarm", id="a1"), alert(id="a2", at=START + timedelta(hours=1))):
        active.raised(each)
    shown = active.state().alert
    assert shown is not None
    assert shown.id == "a1"


def test_who_has_seen_the_alarm_has_seen_that_it_might_be_one() -> None:
    """Of the same sound, and no graver; not the other way round, nor of another sound, nor a test."""
    perhaps = alert("smoke_alarm", id="a1", rule="Perhaps", severity="warning")
    alarm = alert("smoke_alarm", id="a2", rule="Smoke alarm")
    others = [
        alert(id="a3", severity="warning", events=(event("dog_bark", "e3"),)),
        replace(perhaps, id="a4", test=True),
    ]
    others += [
        replace(perhaps, id="a5", events=()),
        replace(alarm, id="a6", events=(*alarm.events, event("dog_bark", "e9"))),
    ]
    waiting = [perhaps, alarm, *others]
    assert of_one_incident(waiting, "a2") == {"a1", "a2"}
    assert of_one_incident(waiting, "a1") == {"a1"}
    assert of_one_incident(waiting, "a6") == {"a1", "a2", "a6"}
    assert of_one_incident(waiting, "gone") == {"gone"}


def test_one_answer_settles_one_incident(tmp_path: Path) -> None:
    """Alert active, and what is kept of who answered."""
    config = Config.model_validate(
        {
            "state_dir": str(tmp_path / "state"),
            "sources": [{"type": "demo", "name": "hall"}],
            "drill": {"chain_test": "never"},
        }
    )
    kept: list[Command] = []
    with Delivery(
        config, lambda _: None, lambda _: None, raise_it, FakeClock(), on_answer=kept.append
    ) as delivery:
        for one in (
            alert("smoke_alarm", id="a1", severity="warning"),
            alert("smoke_alarm", id="a2"),
            alert(id="a3", events=(event("dog_bark", "e3"),)),
        ):
            delivery.active.raised(one)
        delivery.command(Command("ack", value="a2", by="phone"))
        assert [one.id for one in delivery.active.waiting()] == ["a3"]
    assert kept == [Command("ack", value=id, by="phone") for id in ("a2", "a1")]


@pytest.mark.parametrize("one", [alert(test=True), alert(severity="info")])
def test_a_test_and_what_merely_informs_wait_for_nobody(tmp_path: Path, one: Alert) -> None:
    """Else the bell at the door would keep it on for ever."""
    active = kept(tmp_path)
    assert not active.raised(one)
    assert active.state().alert is None


def test_another_room_is_no_other_alert(tmp_path: Path) -> None:
    """The same id counts once, in its newest words."""
    active = kept(tmp_path)
    active.raised(alert())
    active.raised(replace(alert(), message="in two rooms", update=True))
    shown = active.state()
    assert shown.count == 1
    assert shown.alert is not None
    assert shown.alert.message == "in two rooms"


def test_it_outlasts_a_restart(tmp_path: Path) -> None:
    """The file is nobody else's."""
    before = kept(tmp_path)
    before.raised(alert())
    before.write()

    assert kept(tmp_path).state() == ActiveAlert(alert(), 1)
    assert (tmp_path / "active.json").stat().st_mode & 0o777 == 0o600


def test_what_is_acknowledged_before_the_file_is_read_stays_so(tmp_path: Path) -> None:
    """A disk may be slow, and a person fast."""
    before = kept(tmp_path)
    for id in ("a1", "a2"):
        before.raised(alert(id=id))
    before.write()

    one, everything = (ActiveAlerts(tmp_path / "active.json") for _ in range(2))
    one.acknowledged({"a1"})
    everything.acknowledged(None)
    assert [state.count for state in one.read()] == [1]
    assert everything.read() == []
    assert everything.state().alert is None


@pytest.mark.parametrize("content", ["", "[1]", '["{}"]', "\x00", "null", "[" * 100_000, '["[]"]'])
def test_a_damaged_file_costs_only_what_it_held(tmp_path: Path, content: str) -> None:
    """The start goes on, with one line."""
    (tmp_path / "active.json").write_text(content)
    with capture_logs() as logs:
        active = kept(tmp_path)
    assert active.state().alert is None
    assert len(logs) == 1


def test_a_house_in_which_nobody_acknowledges_fills_no_disk(tmp_path: Path) -> None:
    """The least severe oldest goes first."""
    active = kept(tmp_path)
    active.raised(alert("smoke_alarm", id="smoke"))
    for i in range(2 * MOST_KEPT):
        active.raised(alert(id=f"a{i}", at=START + timedelta(seconds=i)))
    shown = active.state()
    assert (shown.count, shown.alert and shown.alert.id) == (MOST_KEPT, "smoke")


def test_a_disk_that_takes_nothing_is_said_once(tmp_path: Path) -> None:
    """And what waits still waits; and that it is kept again."""
    os.mkdir(tmp_path / "active.json")
    active = ActiveAlerts(tmp_path / "active.json")
    with capture_logs() as logs:
        active.read()
        for _ in range(2):
            active.raised(alert())
            active.write()
        (tmp_path / "active.json").rmdir()
        active.write()
    assert [line["event"] for line in logs] == [
        "which alerts nobody has acknowledged is not known any more",
        "which alerts wait to be acknowledged is not kept; a restart takes up what was kept last",
        "alerts that wait to be acknowledged are kept again",
    ]
    assert active.state().count == 1

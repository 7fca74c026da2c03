"""`earwitness drill`, as it is typed."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from monitor.clock import SystemClock
from monitor.drill.report import DeliveryReport, DrillReport, RoomReport, keep_drill
from monitor.history.verdicts import Verdicts
from tests.cli.test_commands import earwitness, unboxed


def house(folder: Path) -> Path:
    path = folder / "house.yaml"
    path.write_text(f"state_dir: {folder}\nsources: [{{type: demo, name: hall}}]\n")
    return path


def test_without_a_daemon_nothing_is_asked(tmp_path, capsys):
    """At once, with what to do."""
    assert earwitness("drill", "--config", house(tmp_path)) == 1
    assert "start it with `earwitness run`" in unboxed(capsys.readouterr().err)
    assert earwitness("drill", "--list", "--config", house(tmp_path)) == 0
    assert "No drill was held yet" in capsys.readouterr().err


def test_a_report_names_what_to_do_and_is_no_certificate(tmp_path, capsys):
    """Rooms with figures, the deaf one, the receivers, and the person who acknowledged."""
    at = datetime.now(UTC)
    rooms = (
        RoomReport("hall", "T3", 3100, 2, 4.2, 8.2, 21.4, 14.5),
        RoomReport("bedroom", "T3", 3100, 2, 5.0, None, 9.0, 3.5),
        RoomReport("kitchen", "T3", 3100, 2, 4.0, 8.0, 30.2, 24.0, False, 15.0, 42.0),
        RoomReport("attic", "T3", 3100, 2, 4.0, 8.0),
        RoomReport("cellar"),
    )
    deliveries = (DeliveryReport("mqtt", 0.05), DeliveryReport("phones", None))
    keep_drill(tmp_path, DrillReport("d1", "smoke_alarm", at, rooms, at, ("a1",), at, deliveries))
    with Verdicts(tmp_path, SystemClock()) as verdicts:
        verdicts.acknowledge(["a1"], at + timedelta(seconds=40), "anna")
    assert earwitness("drill", "--list", "--config", house(tmp_path)) == 0
    text = unboxed(capsys.readouterr().out)
    for said in (
        "heard in 4 of 5 rooms", "14 dB", "15 dB, at best 42", "bedroom: less than 6 dB of margin",
        "attic: no margin", "cellar: not heard", "phones: not delivered yet",
        "acknowledged by anna after 40 s", "no certificate",
    ):  # fmt: skip
        assert said in text, said
    assert earwitness("drill", "--list", "--json", "--config", house(tmp_path)) == 0
    assert json.loads(capsys.readouterr().out)["acknowledged"] == {"by": "anna", "after_s": 40.0}

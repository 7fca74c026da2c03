"""Rules about how loud it is: parties, bangs, pauses, restarts."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.rules.checking.check import Capabilities, Finding, check_rules
from monitor.rules.engine import RuleEngine
from monitor.rules.house import SelectConfig
from monitor.rules.model import Rule
from monitor.types import Alert, SoundLevel

BERLIN = ZoneInfo("Europe/Berlin")
EVENING = datetime(2026, 1, 2, 20, 0, tzinfo=BERLIN).astimezone(UTC)
LOUD = {"above_dba": 70, "for_s": 600}
MINUTE = timedelta(minutes=1)


def rule(name: str = "Too loud", **more: Any) -> Rule:
    return Rule.model_validate({"name": name, "level": LOUD} | more)


def engine(*rules: Rule, **more: Any) -> RuleEngine:
    calibrations = {"calibrations": {"kitchen": 100.0, "hall": 110.0}}
    return RuleEngine(rules or [rule()], zone=BERLIN, sources=["kitchen", "hall"], **(calibrations | more))


def heard(
    made: RuleEngine,
    dba: Iterable[float | None],
    since: datetime = EVENING,
    source: str = "kitchen",
    **more: Any,
) -> list[Alert]:
    """The alerts of these minutes; None: that one was not measured."""
    alerts = []
    for number, level in enumerate(dba):
        if level is None:
            continue
        minute = SoundLevel(source, since + number * MINUTE, level - 100, 60.0, **more)
        calibrated = made.loudness.calibrated(minute)
        alerts += made.loudness.take(calibrated) if calibrated else []
    return alerts


def test_an_alert_is_raised_when_it_was_loud_for_the_whole_time():
    """Once, at the end of its last minute, however long it goes on."""
    [alert] = heard(engine(rule(notify=["phones"])), [60, *[74] * 30])
    assert alert.raised_at == EVENING + 11 * MINUTE
    assert (alert.rule, alert.severity, alert.notify, alert.events) == (
        "Too loud",
        "warning",
        ("phones",),
        (),
    )
    assert alert.message == "Loud in kitchen: 74 dB(A) for 10 minutes, the limit is 70"
    assert alert.why == {"level": "74 dB(A) for 10 min", "source": "kitchen", "for_s": 600.0}


@pytest.mark.parametrize(
    "levels",
    [
        [*[69.9] * 40],
        [*[50] * 10, 110, *[50] * 20],
        [*[74] * 8, *[60] * 10, *[74] * 8],
        [*[74] * 9, None, None, *[74] * 5],
        [*[74] * 9],
    ],
    ids=["below", "one bang", "an interruption", "too little was measured", "too short"],
)
def test_what_is_no_long_noise_raises_none(levels: list[float | None]):
    """One very loud minute has a mean of the hour above any limit: each minute counts by itself."""
    assert heard(engine(), levels) == []


@pytest.mark.parametrize("gap", [60.0, None], ids=["quieter", "not measured"])
def test_one_minute_in_ten_may_be_missing(gap: float | None):
    """Between two songs, or where a camera came back."""
    assert len(heard(engine(), [*[74] * 5, gap, *[74] * 5])) == 1
    short = engine(rule(level={"above_dba": 70, "for_s": 300}))
    assert heard(short, [*[74] * 3, gap, *[74] * 3]) == []


def test_music_at_the_limit_raises_one_alert():
    """It is over when it was quiet for five minutes, by 3 dB, and not with every song."""
    at_the_limit = [71, 71, 71, 69, 71, 71, 71, 71, 68, 71] * 6
    assert len(heard(engine(), [*[71] * 10, *at_the_limit])) == 1


def test_the_next_noise_is_told_again():
    """After five quiet minutes, or long after nothing was measured."""
    assert len(heard(engine(), [*[74] * 12, *[50] * 5, *[74] * 12])) == 2
    assert len(heard(engine(), [*[74] * 12, *[50] * 4, *[74] * 12])) == 1
    assert len(heard(engine(), [*[74] * 12, *[None] * 16, *[74] * 12])) == 2


def test_the_cool_down_outlasts_a_quiet_spell():
    """An hour after an alert there is no other."""
    levels = [*[74] * 12, *[50] * 5] * 5
    assert len(heard(engine(rule(cooldown_s=3600)), levels)) == 2


def test_every_room_is_a_matter_of_its_own():
    """The rule's rooms, or all; each by its own calibration."""
    both = engine()
    assert len(heard(both, [74] * 12) + heard(both, [64] * 12, source="hall")) == 2
    only = engine(rule(sources=["hall"]))
    assert heard(only, [74] * 12) == []
    unknown = engine(calibrations={})
    assert heard(unknown, [74] * 12) == []


def test_what_is_still_loud_at_ten_in_the_evening_is_told_then():
    """Hours and house stop the alert, and not what is known."""
    quiet_hours = rule(between="22:00-07:00")
    [alert] = heard(engine(quiet_hours), [74] * 180)
    assert alert.raised_at == datetime(2026, 1, 2, 22, 1, tzinfo=BERLIN)
    assert alert.why["between"] == "22:00"
    away = engine(rule(when={"mode": ["away"]}), house={"mode": SelectConfig(type="select")})
    away.note_house("mode", "home", EVENING)
    assert heard(away, [74] * 12) == []
    away.note_house("mode", "away", EVENING + 12 * MINUTE)
    assert len(heard(away, [74] * 2, EVENING + 12 * MINUTE)) == 1


def test_what_clipped_was_at_least_as_loud():
    """The measured level is then a lower bound."""
    [alert] = heard(engine(), [74] * 12, clipped_s=3.0)
    assert alert.message.startswith("Loud in kitchen: at least 74 dB(A)")


@given(st.lists(st.sampled_from([50, 68, 74, None]), max_size=60), st.integers(0, 60))
def test_a_restart_changes_nothing(levels: list[float | None], at: int):
    """What is known goes through a file; and the alert is neither lost nor raised twice."""
    whole = heard(engine(), levels)
    first, second = engine(), engine()
    before = heard(first, levels[:at])
    second.loudness.noises.found(json.loads(json.dumps(first.loudness.noises.rows())))
    after = heard(second, levels[at:], EVENING + at * MINUTE)
    assert [one.raised_at for one in before + after] == [one.raised_at for one in whole]


def test_a_changed_rule_goes_on_and_asks_anew():
    """The same level under another severity has had its alert; another level has not."""
    first = engine()
    assert len(heard(first, [74] * 12)) == 1
    same = engine(rule(severity="info"))
    same.take_over(first, [])
    assert heard(same, [74] * 3, EVENING + 12 * MINUTE) == []
    lower = engine(rule(level={"above_dba": 65, "for_s": 600}))
    lower.take_over(same, [])
    assert len(heard(lower, [74] * 3, EVENING + 15 * MINUTE)) == 1
    gone = engine(rule("Other"))
    gone.take_over(lower, [])
    assert gone.loudness.noises.rows() == {}


def test_a_test_alert_says_what_the_rule_would():
    """Whatever the hour."""
    alert = engine(rule(sources=["living_room"], between="22:00-07:00")).test(EVENING, "Too loud")
    assert alert.test
    assert alert.message == "Test: loud in living room: 70 dB(A) for 10 minutes, the limit is 70"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"hear": ["speech"]}, "`level` and `hear` exclude each other"),
        ({"unless_heard": {"hear": ["cat"], "from": "05:30", "by": "06:30"}}, "`level` and `unless_heard`"),
        ({"severity": "critical"}, "write severity: warning"),
        ({"level": {"above_dba": 20, "for_s": 600}}, "above_dba"),
        ({"level": {"above_dba": 70, "for_s": 30}}, "for_s"),
        ({"demote_while": {"tv": True}}, "`level` and `demote_while`"),
    ],
)
def test_what_a_level_cannot_go_with_is_named(more: dict[str, Any], says: str):
    """With the fix, where there is one."""
    with pytest.raises(ValidationError, match=says):
        rule(**more)


def findings(made: Rule, calibrated: Iterable[str]) -> list[Finding]:
    able = Capabilities(frozenset(), ("kitchen", "hall", "frigate"), {}, devices={"frigate": frozenset()},
                        calibrated=frozenset(calibrated))  # fmt: skip
    return check_rules([made], able)


def test_a_source_that_is_not_calibrated_is_named_with_the_command():
    """And keeps no daemon from starting: smoke alarms do not wait for a calibration."""
    assert findings(rule(), ["kitchen", "hall"]) == []
    [some] = findings(rule(), ["kitchen"])
    [none] = findings(rule(sources=["hall"]), ["kitchen"])
    for found, never in ((some, "never fires there"), (none, "can never fire")):
        assert not found.fatal
        assert found.place == ("rules", 0, "level")
        assert never in found.text
        assert "earwitness calibrate hall --dba" in found.text
    [device] = findings(rule(sources=["frigate"]), [])
    assert "the sound of frigate stays in another device" in device.text


def test_its_severity_is_a_warning_unless_it_says_less():
    """For notifiers that take no less than something."""
    assert rule().gravest_severity == "warning"
    assert rule(severity="info").gravest_severity == "info"

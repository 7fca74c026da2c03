"""Rules that can never fire, and other things hardly meant."""

import pytest

from monitor.labels import emotions, sounds
from monitor.rules.checking.check import Capabilities, Finding, check_rules
from monitor.rules.house import SelectConfig
from monitor.rules.model import Rule
from tests.rules.stories import rule


def able(**more: object) -> Capabilities:
    """A house with two sources where everything is heard from 0.5 on."""
    fields: dict[str, object] = {
        "produced": frozenset({*sounds(), *emotions()}),
        "sources": ("kitchen", "porch"),
        "onsets": {"kitchen": dict.fromkeys(sounds(), 0.5), "porch": dict.fromkeys(sounds(), 0.5)},
        "notifiers": {"phone": "info", "siren": "critical"},
    }
    return Capabilities(**(fields | more))  # type: ignore[arg-type]


def test_a_sound_rule_has_no_findings() -> None:
    """A rule that can fire and names what is there is silent."""
    one = rule(hear=["speech"], emotion=["angry"], min_score=0.5, sources=["porch"], notify=["phone"])

    assert check_rules([one], able()) == []


@pytest.mark.parametrize(
    ("one", "around", "finding"),
    [
        (
            rule("R", hear=["cat", "smoke_alarm"], cooldown_s=3600),
            able(),
            Finding(
                False,
                ("rules", 0, "cooldown_s"),
                "rule 'R': cooldown_s 3600 counts as 120 for smoke_alarm: a fire must not wait behind a "
                "false alarm",
            ),
        ),
        (
            rule("R", hear=["cat"], sources=["kichen"]),
            able(),
            Finding(
                True,
                ("rules", 0, "sources"),
                "rule 'R': no enabled source is named 'kichen'; did you mean 'kitchen'?",
                missed="kichen",
            ),
        ),
        (
            rule("R", hear=["cat"], notify=["phne"]),
            able(),
            Finding(
                True,
                ("rules", 0, "notify"),
                "rule 'R': no notifier is named 'phne'; did you mean 'phone'?",
                missed="phne",
            ),
        ),
        (
            rule("R", hear=["cat", "bird"]),
            able(produced=frozenset({"smoke_alarm"})),
            Finding(
                True,
                ("rules", 0, "hear"),
                "rule 'R' can never fire: no enabled classifier hears cat or bird; "
                "add a classifier that does",
            ),
        ),
        (
            rule("R", hear=["cat"], then={"hear": ["bird"], "within_s": 5}),
            able(produced=frozenset({"cat"})),
            Finding(
                True,
                ("rules", 0, "then"),
                "rule 'R' can never fire: no enabled classifier hears bird; add a classifier that does",
            ),
        ),
        (
            rule("R", hear=["speech"], emotion=["angry"]),
            able(produced=frozenset({"speech"})),
            Finding(
                True,
                ("rules", 0, "emotion"),
                "rule 'R' can never fire: no enabled classifier hears angry; add a classifier that does",
            ),
        ),
        (
            rule("R", hear=["speech"], say=["help"]),
            able(),
            Finding(
                True,
                ("rules", 0, "say"),
                "rule 'R' can never fire: nothing makes transcripts; set `transcripts:`",
            ),
        ),
        (
            rule("R", any=[{"hear": ["scream"]}, {"hear": ["loud_noise"]}]),
            able(produced=frozenset({"loud_noise"})),
            Finding(
                False,
                ("rules", 0, "any", 0, "hear"),
                "rule 'R' can never fire in this way: no enabled classifier hears scream; "
                "add a classifier that does",
            ),
        ),
        (
            rule("R", hear=["smoke_alarm", "fire_alarm"]),
            able(produced=frozenset({"smoke_alarm"})),
            Finding(False, ("rules", 0, "hear"), "rule 'R': no enabled classifier hears fire_alarm"),
        ),
        (
            rule("R", hear=["cat", "bird"], min_score=0.4, sources=["porch"]),
            able(onsets={"porch": {"cat": 0.6, "bird": 0.3}}),
            Finding(
                False,
                ("rules", 0, "min_score"),
                "rule 'R': min_score 0.4 is below the onset of cat (0.60) at porch, where events begin; "
                "lower the onset under `labels:` or leave min_score out",
            ),
        ),
        (
            rule("R", hear=["cat", "doorbell"], notify=["siren", "phone"]),
            able(),
            Finding(
                False,
                ("rules", 0, "notify"),
                "rule 'R' is of severity info; notifier 'siren' accepts nothing below critical, "
                "so it never gets its alerts",
            ),
        ),
        (
            rule("R", hear=["cat"], wait_for_verify_s=5),
            able(verifies=False),
            Finding(
                False,
                ("rules", 0, "wait_for_verify_s"),
                "rule 'R' waits for a large model, and there is none, so it will not wait",
            ),
        ),
        (
            rule("R", hear=["co_alarm"], wait_for_verify_s=5),
            able(),
            Finding(
                False,
                ("rules", 0, "wait_for_verify_s"),
                "rule 'R': smoke, CO and fire alarms never wait; leave wait_for_verify_s out",
            ),
        ),
    ],
)
def test_findings_name_the_thing_and_the_fix(one: Rule, around: Capabilities, finding: Finding) -> None:
    """Each finding says where, what is wrong, and what to do."""
    assert check_rules([one], around) == [finding]


def test_a_name_used_twice_is_an_error() -> None:
    """Rules are known by their names."""
    [finding] = check_rules([rule("R", hear=["cat"]), rule("R", hear=["bird"])], able())

    assert finding == Finding(True, ("rules",), "rule 'R' is there 2 times; give each rule its own name")


@pytest.mark.parametrize("min_score", [0.995, 1.0])
def test_a_score_that_no_rhythm_reaches_is_an_error(min_score: float) -> None:
    """The alarm would be found by its rhythm and the rule would never fire."""
    one = rule("R", hear=["smoke_alarm", "cat"], min_score=min_score)

    [finding] = check_rules([one], able(highest={"smoke_alarm": 0.99, "unknown_alarm": 0.9}))

    assert finding.fatal
    assert finding.place == ("rules", 0, "min_score")
    assert f"no rhythm scores as high as min_score {min_score:g}, at most smoke_alarm (0.99)" in finding.text


def test_a_score_that_the_rhythm_reaches_is_none() -> None:
    """Up to 0.99 a rule may ask."""
    one = rule("R", hear=["smoke_alarm"], min_score=0.99)

    assert check_rules([one], able(highest={"smoke_alarm": 0.99})) == []


def test_a_rule_that_its_own_condition_always_stops_is_named() -> None:
    """`when` and `unless` of one value."""
    one = rule("R", hear=["knock"], when={"mode": ["away", "night"]}, unless={"mode": ["away"]})
    house = {"mode": SelectConfig(type="select")}
    [found] = check_rules([one], able(house=house))
    assert (found.fatal, found.place) == (False, ("rules", 0, "unless"))
    assert "both name mode: away" in found.text

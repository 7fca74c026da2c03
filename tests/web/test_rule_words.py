"""A rule as the page reads it aloud."""

from monitor.rules.model import Rule
from monitor.web.rules.words import rule_words


def test_the_severity_is_the_gravest_that_an_alert_can_have() -> None:
    """Of what follows, too: knocking and then a scream is critical."""
    rule = Rule.model_validate({"name": "R", "hear": ["knock"], "then": {"hear": ["scream"], "within_s": 60}})
    assert "→ critical." in rule_words(rule, "en").lower()


def test_what_the_house_stops_and_lowers_is_in_the_sentence() -> None:
    """A sentence that leaves it out would promise an alert that does not come."""
    rule = Rule.model_validate(
        {
            "name": "R",
            "hear": ["dog_bark"],
            "when": {"mode": ["away", "vacation"]},
            "unless": {"guests": "on"},
            "demote_while": {"tv": "on"},
        }
    )
    words = rule_words(rule, "en")
    assert "while mode: away or vacation" in words
    assert "unless guests: on" in words
    assert "One severity lower while tv: on." in words
    assert "außer bei guests: on" in rule_words(rule, "de")


def test_how_loud_it_may_be_is_a_sentence() -> None:
    """With the room, the hours and the cool-down."""
    level = {"name": "R", "level": {"above_dba": 70, "for_s": 600}, "between": "22:00-07:00"}
    assert rule_words(Rule.model_validate(level), "en") == (
        "When it is as loud as 70 dB(A) for 10 min in any room between 22:00–07:00 → warning."
        " Then quiet for 60 s."
    )
    assert "10 min lang mindestens 70 dB(A) laut ist in Hall" in rule_words(
        Rule.model_validate(level | {"sources": ["hall"]}), "de"
    )


def test_what_is_waited_for_is_a_sentence() -> None:
    """Without the cool-down that it has not."""
    wait = {"hear": ["footsteps", "speech"], "from": "05:30", "by": "10:00"}
    rule = Rule.model_validate({"name": "R", "unless_heard": wait, "sources": ["hall"], "notify": ["phones"]})
    assert rule_words(rule, "en") == (
        "When Footsteps or Speech is not heard in Hall between 05:30–10:00 → warning. Notifies phones."
    )
    assert "in Hall nicht zu hören ist" in rule_words(rule, "de")

"""A rule as people write it."""

from typing import Any

import pytest
from pydantic import ValidationError

from monitor.rules.model import Rule
from monitor.schema import attribute_docs


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"hear": ["glas_break"]}, "unknown label 'glas_break'; did you mean 'glass_break'?"),
        ({"hear": ["fearful"]}, "an emotion goes under `emotion:`"),
        (
            {"hear": ["speech"], "emotion": ["fearfull"]},
            "unknown emotion 'fearfull'; did you mean 'fearful'?",
        ),
        ({"hear": ["cat"], "emotion": ["angry"]}, "only crying, scream, shout, speech have an emotion"),
        ({"hear": "cat"}, r"write a list: \[cat\]"),
        ({"hear": ["cat"], "sources": "kitchen"}, r"write a list: \[kitchen\]"),
        ({}, "a rule needs `hear`"),
        ({"any": [{"hear": ["cat"]}], "hear": ["cat"]}, "`any` and `hear` exclude each other"),
        ({"any": [{"hear": ["cat"]}], "min_score": 0.7}, "put `min_score` into each item of `any`"),
        ({"hear": ["cat"], "count": 3}, "count 3 needs `within_s`"),
        ({"hear": ["cat"], "within_s": 3}, "within_s goes with `count: 2` or more"),
        ({"hear": ["cat"], "count": 5, "within_s": 3}, "5 times do not fit into within_s 3.0"),
        ({"hear": ["cat"], "then": {"hear": [], "within_s": 3}}, "at least 1 item"),
        ({"hear": ["cat"], "then": {"hear": ["dog"], "within_s": 3}}, "unknown label 'dog'"),
        ({"hear": ["cat"], "between": "22-7 Uhr"}, "'22-7 Uhr' is not a time of day"),
        ({"hear": ["cat"], "between": "0-24"}, "leave `between` out for the whole day"),
        ({"hear": ["cat"], "between": "8-20-22"}, "is not a time of day"),
        ({"hear": ["cat"], "between": "25:00-07:00"}, 'write for example "22:00-07:00"'),
        ({"hear": ["cat"], "between": "22:00Z-06:00Z"}, "names a zone; local time is meant"),
        ({"hear": ["cat"], "between": "22:00-06:00+01:00"}, "names a zone; local time is meant"),
        ({"hear": ["cat"], "between": "07:00-07:00"}, "leave `between` out for the whole day"),
        ({"hear": ["cat"], "weekdays": ["monday"]}, "Input should be 'mon'"),
        ({"hear": ["cat"], "severity": "high"}, "Input should be 'info', 'warning' or 'critical'"),
        ({"hear": ["cat"], "escalate_after_s": 1e300}, "less than or equal to 86400"),
        ({"hear": ["cat"], "cooldown_s": -1}, "greater than or equal to 0"),
        ({"hear": ["cat"], "escalate_after_s": 60}, "calls nobody without `notify`"),
        ({"hear": ["cat"], "cooldown": 1}, "Extra inputs are not permitted"),
    ],
)
def test_what_makes_no_sense_is_refused(keys: dict[str, Any], said: str) -> None:
    """A wrong rule is refused with the fix in the message."""
    with pytest.raises(ValidationError, match=said.replace("'?", r"'\?")):
        Rule.model_validate({"name": "R"} | keys)


def test_a_rule_has_all_the_keys_of_the_design() -> None:
    """Every key that the design names is there, and `any`, `lasts_s` and the house besides."""
    of_the_design = """
        name hear min_score certainty emotion min_emotion_score sources severity count within_s then
        cooldown_s between weekdays say notify escalate_after_s stale_after_s wait_for_verify_s
    """
    assert set(Rule.model_fields) == {
        *of_the_design.split(),
        "any",
        "lasts_s",
        "when",
        "unless",
        "demote_while",
        "unless_heard",
        "level",
        "enabled",
    }


def test_every_key_is_explained() -> None:
    """The JSON schema describes each key, but for those whose name says it all."""
    assert Rule.model_fields.keys() - attribute_docs(Rule).keys() <= {"name", "min_emotion_score"}


@pytest.mark.parametrize(
    ("written", "name"),
    [("Smoke alarm\n", "Smoke alarm"), ("In the\n  hall", "In the hall"), ("👩‍🚒 Feuer", "👩‍🚒 Feuer")],
)
def test_a_name_is_one_line(written: str, name: str) -> None:
    """YAML's `>` ends with an end of line, and titles and headers take none."""
    assert Rule.model_validate({"name": written, "hear": ["smoke_alarm"]}).name == name


@pytest.mark.parametrize("name", ["Smoke\x1b[31m", "a\0b", " \n "])
def test_a_name_that_is_no_line_is_refused(name: str) -> None:
    """A control character in it, or nothing but spaces."""
    with pytest.raises(ValidationError, match="name"):
        Rule.model_validate({"name": name, "hear": ["smoke_alarm"]})

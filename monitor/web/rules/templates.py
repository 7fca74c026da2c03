"""Rules that most houses want, as a set-up and the page offer them: each one kind of sound and its rules.

Names and reasons are in the catalogue, so that what is written reads as its author speaks.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, get_args

from monitor.web.words import sentence

TemplateId = Literal["smoke", "co", "break_in", "baby", "dog", "water", "help", "door", "washing"]
TEMPLATE_IDS: tuple[TemplateId, ...] = get_args(TemplateId)
ALWAYS: frozenset[TemplateId] = frozenset({"smoke", "co"})
"""Nobody is asked whether a fire matters."""

_DISTRESS = ["scream", "shout", "crying", "groan"]
_RULES: Mapping[TemplateId, Sequence[tuple[str, Mapping[str, Any]]]] = {
    "smoke": (
        ("perhaps", {"hear": ["smoke_alarm", "fire_alarm"], "severity": "warning"}),
        ("sure", {"hear": ["smoke_alarm", "fire_alarm"], "certainty": "confirmed", "severity": "critical"}),
        ("beeping", {"hear": ["unknown_alarm"], "severity": "info"}),
        ("unknown", {"severity": "warning", "any": [
            {"hear": ["unknown_alarm"], "lasts_s": 45},
            {"hear": ["unknown_alarm"], "certainty": "confirmed"},
        ]}),
    ),
    "co": (
        ("perhaps", {"hear": ["co_alarm"], "severity": "warning"}),
        ("sure", {"hear": ["co_alarm"], "certainty": "confirmed", "severity": "critical"}),
    ),
    "break_in": (
        ("perhaps", {"hear": ["glass_break"], "severity": "warning"}),
        ("sure", {"severity": "critical", "any": [
            {"hear": ["glass_break"], "count": 2, "within_s": 60},
            {"hear": ["glass_break"],
             "then": {"hear": ["shout", "scream", "footsteps", "dog_bark"], "within_s": 30}},
        ]}),
    ),
    "baby": (("cries", {"hear": ["baby_cry"], "severity": "warning", "cooldown_s": 300}),),
    "dog": (("barks", {"hear": ["dog_bark", "dog_whimper"], "severity": "info", "cooldown_s": 600}),),
    "water": (("runs", {"hear": ["water_running"], "lasts_s": 600, "severity": "warning",
                        "cooldown_s": 3600}),),
    "help": (
        ("perhaps", {"hear": ["scream"], "severity": "warning"}),
        ("sure", {"hear": _DISTRESS, "count": 2, "within_s": 30, "severity": "critical"}),
    ),
    "door": (("rings", {"hear": ["doorbell", "knock"], "severity": "warning", "cooldown_s": 10}),),
    "washing": (("runs", {"hear": ["washing_machine", "appliance_beep"], "severity": "info",
                          "cooldown_s": 600}),),
}  # fmt: skip


def rules_of(template: TemplateId, language: str, notify: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Its rules as they are written in a configuration; those that warn or ring notify these people."""
    return [
        {"name": sentence(f"template.{template}.{key}", language), **values, **_people(values, notify)}
        for key, values in _RULES[template]
    ]


def _people(values: Mapping[str, Any], notify: Sequence[str]) -> dict[str, Any]:
    return {"notify": list(notify)} if notify and values["severity"] != "info" else {}


def chosen(wanted: Collection[TemplateId]) -> Iterator[TemplateId]:
    """Those that are wanted, and those that nobody is asked about, in our order."""
    return (one for one in TEMPLATE_IDS if one in wanted or one in ALWAYS)

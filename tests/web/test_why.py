"""Why something was raised, or was not: in the words of the page, and in its language."""

import re
from pathlib import Path
from typing import Any

import pytest

from monitor.language.words import LANGUAGES, Language
from monitor.rules.trace import ClauseResult, RuleTrace
from monitor.web.why import rule_sentence
from monitor.web.words import catalogue
from tests.rules.stories import engine, rule, sound

RULES = Path(__file__).parents[2] / "monitor" / "rules"


def stopped(clause: str, wanted: Any, found: Any, language: Language) -> str:
    """What is said of a rule that stopped there, from its colon on, with plain spaces."""
    trace = RuleTrace("Rule", 0, "stopped", (ClauseResult(clause, False, wanted, found),))
    return rule_sentence(trace, language).partition(": ")[2].replace("\N{NO-BREAK SPACE}", " ")


@pytest.mark.parametrize(
    ("clause", "wanted", "found", "english", "german"),
    [
        ("lasts_s", 45.0, 12.34, "45 s, found 12.34 s", "45 s, gefunden 12,34 s"),
        ("min_score", 0.95, 0.878, "95%, found 87.8%", "95 %, gefunden 87,8 %"),
        ("certainty", "confirmed", "suspected", "confirmed, found suspected", "bestätigt, gefunden vermutet"),
        ("hear", ["smoke_alarm"], "co_alarm", "Smoke alarm, found CO alarm",
         "Rauchmelder, gefunden CO-Melder"),
        ("sources", ["front_door"], "hall", "Front door, found Hall", "Front door, gefunden Hall"),
        ("weekdays", ["mon", "tue"], "wed", "Monday, Tuesday, found Wednesday",
         "Montag, Dienstag, gefunden Mittwoch"),
        ("between", "22:00-07:00", "12:30", "22:00-07:00, found 12:30", "22:00-07:00, gefunden 12:30"),
        ("count", "3 within 30 s", 1, "3 within 30 s, found 1", "3 innerhalb von 30 s, gefunden 1"),
        ("then", "knock, doorbell within 5 s", None, "Knock, Doorbell within 5 s, found nothing",
         "Klopfen, Türklingel innerhalb von 5 s, gefunden nichts"),
        ("when", {"mode": ["away"]}, {"mode": "home since 22:04"}, "mode: away, found mode: home since 22:04",
         "mode: abwesend, gefunden mode: zu Hause seit 22:04"),
        ("unless", {"guests": ["on"]}, {"guests": "unknown"}, "guests: on, found guests: unknown",
         "guests: an, gefunden guests: unbekannt"),
        ("emotion", {"fearful": 0.6}, {"fearful": 0.255}, "fearful: 60%, found fearful: 25.5%",
         "ängstlich: 60 %, gefunden ängstlich: 25,5 %"),
        ("say", ["nothing within reason", "unknown"], None, "nothing within reason, unknown, found nothing",
         "nothing within reason, unknown, gefunden nichts"),
        ("once", "an event of its own", "alerted before", "an event of its own, found alerted before",
         "ein eigenes Ereignis, gefunden schon gemeldet"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isidentifier() else "",
)  # fmt: skip
def test_what_a_rule_wanted_and_found_is_in_the_readers_language(
    clause: str, wanted: Any, found: Any, english: str, german: str
) -> None:
    """Sounds, rooms, days and numbers as the page has them elsewhere; what people wrote as it is."""
    assert stopped(clause, wanted, found, "en") == f"wanted {english}."
    assert stopped(clause, wanted, found, "de") == f"verlangt {german}."


def test_every_clause_has_a_name_on_the_page() -> None:
    """No sentence has a key of the configuration in it."""
    source = "".join(path.read_text() for path in RULES.rglob("*.py"))
    clauses = {*re.findall(r'ClauseResult\(\s*"(\w+)"', source), "when", "unless"}
    assert len(clauses) > 12
    assert {f"clause.{name}" for name in clauses} - catalogue().keys() == set()


def test_a_rule_of_the_default_that_waits_for_length_says_so() -> None:
    """A beeping that ended after ten seconds: by the engine that decides."""
    long = rule("Goes on", hear=["unknown_alarm"], lasts_s=45)
    event = sound("unknown_alarm")
    [trace] = engine(long).explain(event)
    for language in LANGUAGES:
        assert "lasts_s" not in rule_sentence(trace, language)
        assert "45\N{NO-BREAK SPACE}s" in rule_sentence(trace, language)

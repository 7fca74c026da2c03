"""What notifications say, in the house's language."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor.config.loading import load_config
from monitor.delivery.stuck import Still, StuckChannels
from monitor.history.digest.summary import DaySummary, lines
from monitor.labels import emotions, sounds
from monitor.language.words import (
    LANGUAGES,
    filled,
    house_language,
    lately,
    notice_catalogue,
    number,
    rule_words,
    speak,
)
from monitor.notifiers.apprise import wording
from monitor.notifiers.buttons import Buttons
from monitor.notifiers.speech import EspeakVoice
from monitor.notifiers.spoken import words
from monitor.rules.engine import RuleEngine
from monitor.rules.message import alert_message
from monitor.rules.outage import SourceOutage
from monitor.types import Alert, Problem, SourceStatus
from testkit.fakes import FakeClock
from tests.rules.stories import sound

MONITOR = Path(__file__).parents[2] / "monitor"
NOW = datetime(2026, 1, 31, 3, 4, 5, tzinfo=UTC)
T3 = {"pattern": "temporal_three", "pitch_hz": 3120, "cycles": 2}


def german_alert(folder: Path) -> Alert:
    """Of a house whose configuration says so."""
    file = folder / "earwitness.yaml"
    file.write_text(
        "language: de\nsources: [{type: demo, name: kueche}]\n"
        "rules: [{name: Smoke alarm, hear: [smoke_alarm], severity: critical}]\n"
    )
    (alert,) = RuleEngine(load_config(file).rules).decide(sound("smoke_alarm", 0, "kueche", evidence=T3))
    return alert


@pytest.mark.parametrize(
    ("language", "name", "area", "said"),
    [
        ("de", "kueche", "Küche", "Küche"),
        ("de", "kueche_2", "Küche", "Küche 2"),
        ("de", "tv-zimmer", "TV-Zimmer", "TV-Zimmer"),
        ("en", "salle_a_manger", "Salle à manger", "Salle à manger"),
        ("en", "room_8", "Room 8", "room 8"),
        ("en", "front_camera", "Porch", "front camera"),
    ],
)
def test_a_room_is_written_as_its_area(
    tmp_path: Path, language: str, name: str, area: str, said: str
) -> None:
    """Where set-up named the source after it; a name that somebody chose stays."""
    file = tmp_path / "earwitness.yaml"
    file.write_text(
        f"language: {language}\nsources: [{{type: demo, name: {name}, area: {area}}}]\n"
        "rules: [{name: Smoke alarm, hear: [smoke_alarm], severity: critical}]\n"
    )
    (alert,) = RuleEngine(load_config(file).rules).decide(sound("smoke_alarm", 0, name, evidence=T3))
    assert f" in {said} (" in alert.message


def test_an_alert_is_told_in_the_language_of_the_configuration(tmp_path: Path) -> None:
    """Message, title, buttons and voice; the rule's name stays."""
    alert = german_alert(tmp_path)
    assert alert.message == "Rauchmelder in Kueche (bestätigt, T3, 3,1 kHz)"
    assert alert.rule == "Smoke alarm"
    title, text = wording(replace(alert, severity="warning"), late=True)
    assert title == "Warnung: Smoke alarm"
    assert text.endswith("(verspätet zugestellt)")
    assert wording(replace(alert, update=True), late=False)[0] == "Neuer Stand: Smoke alarm"
    assert [each.label for each in Buttons(FakeClock()).offered(alert)] == ["Bestätigen", "Es war nichts"]
    assert words(alert, 300.0) == f"Alarm! Smoke alarm. {alert.message}. Das ist 5 Minuten her"


def test_a_number_has_the_minus_of_the_page() -> None:
    """And its comma."""
    assert (number(-65.4, 1, "de"), number(-65.4, 0, "en")) == ("−65,4", "−65")


def test_a_value_is_no_place_for_another() -> None:
    """Somebody's rule may be called anything."""
    words = {"said": {"en": "{rule} in {room}: {n}, {unknown}"}}
    assert filled(words, "said", "en", {"rule": "{room} {n}", "room": "{rule}", "n": 1}) == (
        "{room} {n} in {rule}: 1, {unknown}"
    )


def test_every_rhythm_has_plain_words(tmp_path: Path) -> None:
    """All that the detector reports: German alerts have no English in them."""
    reference = (MONITOR.parent / "docs" / "reference" / "rhythm.md").read_text()
    table = re.findall(r"^\| `\w+` \| (`[^|]+`) \|", reference, re.MULTILINE)
    patterns = {name for names in table for name in re.findall(r"`(\w+)`", names)}
    assert len(patterns) == 9
    assert {f"notice.pattern.{name}" for name in patterns} <= notice_catalogue().keys()
    german_alert(tmp_path)
    spoken = sound("unknown_alarm", 0, "flur", evidence={"pattern": "march_time", "pitch_hz": 520})
    assert alert_message([spoken]) == "Piepen wie ein Alarm in Flur (bestätigt, gleichmäßige Töne, 520 Hz)"


def test_a_house_without_a_word_is_told_in_english(tmp_path: Path) -> None:
    """Also after another was read in this process."""
    german_alert(tmp_path)
    (tmp_path / "earwitness.yaml").write_text("sources: [{type: demo, name: kitchen}]\n")
    load_config(tmp_path / "earwitness.yaml")
    assert house_language() == "en"


def test_a_part_of_a_configuration_has_the_language_too(tmp_path: Path) -> None:
    """Whoever looks back reads some parts alone."""
    german_alert(tmp_path)
    speak("en")
    load_config(tmp_path / "earwitness.yaml", uses=["sources"])
    assert house_language() == "de"


def test_a_source_that_is_not_heard_is_told_with_its_reason() -> None:
    """Ours in the house's language, one of a device as the device gives it."""
    speak("de")
    outage = SourceOutage(60.0, ())
    outage.note(SourceStatus("flur", True, NOW), 0.0)
    outage.note(Problem("flur", NOW, ("hum_only",)), 0.0)
    outage.note(SourceStatus("bad", False, NOW, "connection refused"), 0.0)
    first, second = sorted(alert.message for alert in outage.due(NOW, 300.0))
    assert first == "bad ist seit 5 Minuten nicht zu hören: connection refused"
    assert second.startswith("flur ist seit 5 Minuten nicht zu hören: es kommt nichts als Netzbrummen")
    assert rule_words("Not listening") == "Nicht zu hören"


def test_a_channel_that_takes_nothing_is_told_for_how_long() -> None:
    """In seconds, minutes, hours or days, each in its case."""
    speak("de")
    (alert,) = StuckChannels({}).look({"mqtt": Still(for_s=60.0)}, {"mqtt": 3}, NOW, 60.0)
    assert alert.message == "mqtt nimmt seit 1 Minute nichts mehr an; 3 Nachrichten warten"
    assert lately(3 * 86400.0) == "seit 3 Tagen"


def test_the_digest_is_told_too() -> None:
    """With its numbers in their forms."""
    speak("de")
    text = lines(DaySummary(events=1, new=("cat",)), ["flur"], {"last": None}, NOW)
    assert list(text) == [
        "Keine Meldungen",
        "1 von 1 Quelle gehört, 1 Geräusch benannt",
        "Neu nach einer Woche oder mehr: Katze",
        "Noch keine Übung: earwitness drill",
    ]


def said() -> set[str]:
    """Keys in Python, and beginnings of keys."""
    found: set[str] = set()
    for path in MONITOR.rglob("*.py"):
        found |= set(
            re.findall(r"""["']((?:notice|emotion|certainty|alert)\.[a-z_.]+)["'{]""", path.read_text())
        )
    return found


def test_every_sentence_is_there_in_every_language_and_none_is_left_over() -> None:
    """With the same values to be filled in; every sound and emotion has its name."""
    catalogue = notice_catalogue()
    for key, texts in catalogue.items():
        assert set(texts) == set(LANGUAGES), key
        values = {language: set(re.findall(r"\{(\w+)\}", text)) for language, text in texts.items()}
        assert values["en"] == values["de"], key
    assert {f"label.{one}" for one in sounds()} | {f"emotion.{one}" for one in emotions()} <= set(catalogue)
    keys = said()
    known = {
        key.removesuffix(".one").removesuffix(".other") for key in catalogue if key.startswith("notice.")
    }
    beginnings = tuple(one for one in keys if one.endswith("."))
    assert {key for key in known if key not in keys and not key.startswith(beginnings)} == set()
    assert {one for one in keys if one.startswith("notice.")} - set(beginnings) <= known


@pytest.mark.parametrize("language", LANGUAGES)
def test_espeak_reads_in_the_house_s_language(language: str) -> None:
    """Another voice reads the same text to another sound; a voice that is named counts more."""
    speak(language)  # type: ignore[arg-type]
    own, named = EspeakVoice(), EspeakVoice(language=language)
    other = EspeakVoice(language="de" if language == "en" else "en")
    assert own.synthesize("Alarm") == named.synthesize("Alarm") != other.synthesize("Alarm")

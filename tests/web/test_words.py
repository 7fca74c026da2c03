"""The catalogue: every sentence in every language, and none that nobody says."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from monitor.config.model import Config
from monitor.labels import sounds
from monitor.sources.stream.connection import StreamConnection
from monitor.types import ProblemKind
from monitor.web.words import LANGUAGES, catalogue, sentence

WEB = Path(__file__).parents[2] / "monitor/web"
SCRIPTS = sorted((WEB / "static").rglob("*.js"))
SENTENCES = (
    WEB / "why.py",
    WEB / "rules/words.py",
    *sorted((WEB / "setup").glob("*.py")),
    WEB / "rules/templates.py",
    WEB / "api/export.py",
)
FORMS = (".one", ".other")


def said() -> set[str]:
    """Keys that are written in full in the page's scripts and in Python."""
    found: set[str] = set()
    for path in SCRIPTS:
        text = path.read_text()
        found |= set(re.findall(r'\bt\(\s*"([a-z_.]+)"', text))
        found |= set(re.findall(r'"((?:keys|house|upkeep|drill)\.[a-z_]+)"', text))
        for one in re.findall(r'\bt\([^()"]*\? "([a-z_.]+)" : "([a-z_.]+)"', text):
            found |= set(one)
    for path in SENTENCES:
        found |= set(re.findall(r'"((?:why|rule|written)\.(?!json"|txt")[a-z_.]+)"', path.read_text()))
        found |= set(re.findall(r'\bsentence\("([a-z_.]+)"', path.read_text()))
    return found


def begun() -> set[str]:
    """Beginnings of keys whose end is a value."""
    found: set[str] = set()
    for path in (*SCRIPTS, *SENTENCES, WEB / "words.py"):
        found |= set(re.findall(r'[`"]([a-z]+(?:\.[a-z_]+)*\.)\$?\{', path.read_text()))
    return found


def known(key: str) -> bool:
    words = catalogue()
    return key in words or all(key + form in words for form in FORMS)


def test_every_sentence_is_there_in_every_language():
    """With the same values to be filled in."""
    for key, words in catalogue().items():
        assert set(words) == set(LANGUAGES), key
        values = {language: set(re.findall(r"\{(\w+)\}", text)) for language, text in words.items()}
        assert values["en"] == values["de"], key
        assert all(text.strip() for text in words.values()), key


@pytest.mark.parametrize("key", sorted(said()))
def test_what_is_said_has_words(key):
    """A missing key would stop the page."""
    assert known(key)


def test_no_sentence_is_left_over():
    """What nobody says any more is deleted."""
    keys = said()
    beginnings = tuple(begun())
    words = catalogue()
    counted = {key.removesuffix(".one") for key in words if key.endswith(".one")}
    whole = {key for key in words if key.rpartition(".")[0] not in counted} | counted
    left = {key for key in whole if key not in keys and not key.startswith(beginnings)}
    assert left == set()


def test_every_sound_severity_and_fault_has_a_name():
    """As they are kept by the daemon."""
    for label in sounds():
        assert known(f"label.{label}")
    for kind in ProblemKind.__args__:  # type: ignore[attr-defined]
        assert known(f"problem.{kind}")
        assert known(f"fix.{kind}")
    assert Config.model_fields["web"].annotation is not None


def test_a_number_takes_its_form():
    """One event, two events."""
    assert sentence("verdict.noted_many", "en", n=1) == "1 event noted."
    assert sentence("verdict.noted_many", "de", n=2) == "2 Ereignisse vermerkt."


def test_what_a_camera_lacks_is_said_in_the_readers_language():
    """In the words of the source itself, by the name that the page makes of them: a word changed there falls
    back to English here."""
    connection = StreamConnection(
        "porch", SecretStr("rtsp://10.0.0.7/1"), transport="tcp", verify_tls=True, ca_file=None,
        connect_timeout_s=10.0, read_timeout_s=10.0, track=None,
    )  # fmt: skip
    hints = [hint for why, hint in connection._hints().values() if why != "no_stream"]
    assert len(hints) == 4
    for hint in hints:
        key = "reason." + re.sub("[^a-z0-9]+", "_", hint.lower())
        assert catalogue()[key]["en"] == hint
        assert catalogue()[key]["de"] != hint

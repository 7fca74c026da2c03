"""What the guides print, `earwitness check` takes."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
import yaml

from monitor.config.capabilities import warnings
from monitor.config.loading import check_document
from monitor.config.model import Config
from monitor.config.yaml_document import Document, parse_document
from monitor.labels import LIFE_SAFETY
from monitor.rules.model import Rule

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guides").glob("*.md"))]
EXAMPLES = [*sorted((ROOT / "config").glob("*.yaml")), ROOT / "monitor" / "default.yaml"]
SECRETS = [
    "PORCH_PASSWORD",
    "MQTT_PASSWORD",
    "MAIL_PASSWORD",
    "API_KEY",
    "GPU_KEY",
    "NTFY_TOKEN",
    "ANSWER_TOPIC",
]
ENVIRONMENT = dict.fromkeys(SECRETS, "s3cret") | {
    "NURSERY_KEY": 32 * "5e",
    "GARDEN_KEY": 32 * "6f",
    "NTFY_URL": "ntfys://s3cret@ntfy.sh/house",
    "PARTNER_URL": "ntfys://s3cret@ntfy.sh/partner",
    "NEIGHBOUR_URL": "ntfys://s3cret@ntfy.sh/next-door",
    "HOOK_URL": "https://hook.example/alert",
    "HOOK_SECRET": "0123456789abcdef0123456789abcdef",
    "TELEGRAM_BOT": "123456789:AAABBBCCCDDDEEEFFFGGGHHHIIIJJJKKKLL",
    "TELEGRAM_CHAT": "12345678",
}
BLOCK = re.compile(r"^```yaml\n(.*?)^```", re.DOTALL | re.MULTILINE)
SECRET_IN_URL = re.compile(r'"(rtsp://[^"]*\$\{PORCH_PASSWORD\}[^"]*)"')


def read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def printed() -> Iterator[tuple[Path, str]]:
    """Every block of configuration with its page, but for those about a model file of one's own."""
    for page in PAGES:
        for text in BLOCK.findall(read(page)):
            values = yaml.safe_load(text)
            needs_files = "/srv/" in text
            if isinstance(values, dict) and set(Config.model_fields) & set(values) and not needs_files:
                yield page, text


PRINTED = [*printed()]


def pasted(name: str, text: str) -> Document:
    """config/minimal.yaml with the parts of `text` in place of its own."""
    minimal = parse_document((ROOT / "config" / "minimal.yaml").read_bytes(), "minimal.yaml")
    block = parse_document(text.encode(), name, ENVIRONMENT)
    return replace(block, values={**minimal.values, **block.values})


@pytest.mark.parametrize("name", ["rules.md", "alerts.md"])
def test_every_recipe_of_these_pages_is_tried(name: str) -> None:
    """No block is passed over because it looks like something else."""
    page = ROOT / "docs" / "guides" / name

    assert [text for where, text in PRINTED if where == page] == BLOCK.findall(read(page))
    assert read(page).count("```yaml") == len(BLOCK.findall(read(page)))


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")
@pytest.mark.parametrize(("page", "text"), PRINTED, ids=lambda value: getattr(value, "stem", ""))
def test_what_a_guide_prints_passes_the_check(page: Path, text: str) -> None:
    """Pasted into config/minimal.yaml it is a configuration without an error or a warning."""
    config = check_document(pasted(page.name, text))

    assert warnings(config) == []


def alarm_rules() -> Iterator[tuple[str, Rule]]:
    """Every rule about smoke, fire or CO that a guide or an example shows, with where it stands."""
    shown = [*PRINTED, *((path, read(path)) for path in EXAMPLES)]
    for path, text in shown:
        for rule in map(Rule.model_validate, yaml.safe_load(text).get("rules", [])):
            if any(LIFE_SAFETY & set(way.hear) for way in rule.ways):
                yield path.name, rule


@pytest.mark.parametrize(("where", "rule"), [*alarm_rules()], ids=lambda v: getattr(v, "name", v))
def test_suspected_warns_and_confirmed_rings_everywhere(where: str, rule: Rule) -> None:
    """No example wakes the house for a single beep that a model took for an alarm."""
    sure = all(way.certainty == "confirmed" for way in rule.ways)

    assert rule.severity == ("critical" if sure else "warning"), where


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_alarm_of_an_unknown_kind_is_alerted_by_every_example(path: Path) -> None:
    """Most alarms of EN 14604 fit no pattern: seen at once, they warn as they go on or a model agrees."""
    rules = [Rule.model_validate(rule) for rule in yaml.safe_load(read(path))["rules"]]
    [first, again] = [rule for rule in rules if "unknown_alarm" in rule.labels]

    assert (first.severity, first.lasts_s, first.certainty) == ("info", 0, "suspected")
    assert again.severity == "warning"
    assert {(way.lasts_s, way.certainty) for way in again.ways} == {(45, "suspected"), (0, "confirmed")}


@pytest.mark.parametrize("password", ["p@ss/w:rd #1", "ünlaut%41", "plain"])
def test_a_password_is_written_as_it_is(password: str) -> None:
    """As the guides say: a variable holds the password itself, and is percent-encoded inside the URL."""
    [url] = set(SECRET_IN_URL.findall(read(ROOT / "README.md")))
    text = f'sources: [{{type: stream, name: porch, url: "{url}"}}]'
    config = check_document(parse_document(text.encode(), "pasted", {"PORCH_PASSWORD": password}))
    parts = urlsplit(config.sources[0].url.get_secret_value())  # type: ignore[union-attr]

    assert unquote(parts.password or "") == password
    assert parts.hostname == "10.0.0.7"

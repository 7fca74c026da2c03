"""The documentation, held against what is there."""

import re
import shlex
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from typer.main import get_command

from monitor.cli.app import whole_command_line
from monitor.config.loading import check_document
from monitor.config.yaml_document import parse_document

ROOT = Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
TYPED = r"(?:\$ )?(?:sudo )?(?:\.venv/bin/)?(earwitness (?!told$)[a-z].*)"
"""A command of ours; `earwitness told` is the name of a helper in Home Assistant."""
COMMANDS: dict[str, Any] = get_command(whole_command_line()).commands  # type: ignore[attr-defined]
USAGE_ERROR: Any = typer.BadParameter.__mro__[1]
"""What every slip of the pen on a command line raises."""
ENVIRONMENT = {"PORCH_PASSWORD": "secret", "MQTT_PASSWORD": "secret"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path):
    """A reader at 11 p.m. finds no dead end."""
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
    missing = [link for link in links if not (page.parent / link).exists()]
    assert missing == []


def test_the_configuration_in_the_readme_is_right():
    """What is copied from the first page works."""
    [block] = re.findall(r"```yaml\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    config = check_document(parse_document(block.encode(), "README.md", ENVIRONMENT))
    assert config.sources
    assert config.rules


def test_the_readme_begins_with_two_commands():
    """One listens, one tests; both are there."""
    text = (ROOT / "README.md").read_text()
    first_screen = "\n".join(text.splitlines()[:25])
    for command in ("./scripts/run", "./scripts/test"):
        assert command in first_screen
        assert (ROOT / command).stat().st_mode & 0o111


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_page_names_a_folder_of_some_machine(page: Path):
    """Paths are those of a checkout or of an installed service."""
    assert not re.findall(r"/work/|/root/|/home/\w+/", page.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_stand_as_they_are_typed(page: Path):
    """In a checkout `earwitness` is not on PATH; only what is about the installed service may count on it."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", page.read_text(), re.S | re.M)
    lines = [line for kind, block in blocks if kind in ("", "sh", "console") for line in block.splitlines()]
    bare = [line for line in lines if re.match(r"\s*(sudo )?earwitness [a-z-]", line)]
    assert bare == [] or page.name == "service.md"


def typed(page: Path) -> list[str]:
    """Every command line of ours on a page, in blocks and between backquotes, without what is around it."""
    text = page.read_text()
    blocks = re.findall(r"^```(?:sh|console|)\n(.*?)^```", text, re.S | re.M)
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    lines += [span.replace("\n", " ") for span in re.findall(r"(?<!`)`([^`]+)`(?!`)", text)]
    found = [re.match(TYPED, line.strip()) for line in lines]
    return [match[1] for match in found if match]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_can_be_typed(page: Path):
    """Commands and options are those that there are; what stands for something (ID, CLIPS...) is a word."""
    wrong = {line: why for line in typed(page) if (why := why_not(line))}
    assert wrong == {}


def why_not(line: str) -> str:
    """What the program would say to a command line, without running it; empty when it is right."""
    line = re.sub(r"\b(\w+)(\|\w+)+", r"\1", line)  # one of several
    words = shlex.split(re.split(r"\s[|>#&]|;", line)[0].replace("…", "").replace("...", ""))[1:]
    if words[0] not in COMMANDS:
        return f"no command {words[0]!r}"
    try:
        with COMMANDS[words[0]].make_context(words[0], words[1:]):
            return ""
    except typer.Exit:
        return ""  # --help
    except USAGE_ERROR as error:
        # A command or an option may be spoken of without what it is about.
        is_unsaid = type(error).__name__ == "MissingParameter" or "requires an argument" in str(error)
        return "" if is_unsaid else str(error)


def rings(alerts: list[dict[str, Any]]) -> list[str]:
    """The messages that the guide's automation sends for these states of the alert's entity, one after the
    other; its conditions and actions are carried out as Home Assistant does."""
    guide = (ROOT / "docs/guides/homeassistant.md").read_text()
    [automation] = (yaml.safe_load(each[4:]) for each in guide.split("```") if each.startswith("yaml\nmode"))
    assert automation["mode"] == "queued"
    [notify] = automation["actions"]
    assert automation["triggers"] == [{"trigger": "state", "entity_id": "event.earwitness_home_alert"}]
    sent = []
    for before, alert in pairwise([{}, *alerts]):
        states = {
            "from_state": {"state": "2026-01-01", "attributes": before},
            "to_state": {"attributes": alert},
        }
        known: dict[str, Any] = {"trigger": states}
        if all(rendered(each, known) == "True" for each in automation["conditions"]):
            sent.append(rendered(notify["data"]["message"], known))
    return sent


def rendered(template: str, known: dict[str, Any]) -> str:
    """What Home Assistant makes of a template."""
    return str(pytest.importorskip("jinja2").Environment().from_string(template).render(known))


def test_the_guides_automation_rings_once_per_alert():
    """Not again when another room joins; a late one rings. A repeat of what it knows the entity passes over
    itself (`tests/publishers/mqtt/homeassistant/test_alerts.py`)."""
    alerts = [
        {"id": f"{i:012x}", "event_type": "critical", "late": False, "rule": "Smoke", "message": f"m{i}"}
        for i in range(15)
    ]
    again = [one | {"update": True} for one in alerts]
    late = alerts[0] | {"id": "f" * 12, "late": True, "message": "late"}
    mild = alerts[0] | {"id": "e" * 12, "event_type": "info"}
    published = [one | {"fired": [str(i)]} for i, one in enumerate([*alerts, *again, mild, late])]
    named_anew = published[-1] | {"friendly_name": "Alert of ours"}

    assert rings([*published, named_anew]) == [*(f"m{i}" for i in range(15)), "late"]


BLUEPRINTS = sorted((ROOT / "config/blueprints").glob("*.yaml"))


class _Blueprint(yaml.SafeLoader):
    """Reads Home Assistant's `!input`."""


_Blueprint.add_constructor("!input", lambda _, node: Input(node.value))


class Input(str):
    """The name of an input."""

    __slots__ = ()


@pytest.mark.parametrize("path", BLUEPRINTS, ids=lambda path: path.name)
def test_a_blueprint_uses_what_it_asks_for(path: Path):
    """Every input is used, none is unheard of, every template can be read, and the guide names the file."""

    def within(value: Any) -> list[Any]:
        items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [value, *(found for item in items for found in within(item))]

    document = yaml.load(path.read_text(), _Blueprint)
    used = {str(each) for each in within(document) if isinstance(each, Input)}
    assert used == set(document["blueprint"]["input"])
    environment = pytest.importorskip("jinja2").Environment()
    for text in within(document):
        if isinstance(text, str):
            environment.parse(text)
    assert f"`{path.name}`" in (ROOT / "docs/guides/homeassistant.md").read_text()

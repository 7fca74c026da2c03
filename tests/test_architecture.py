"""The rules of ARCHITECTURE.md, read from the imports."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "monitor").rglob("*.py"))
PACKAGES = ("sources", "gate", "rhythm", "classifiers", "events", "rules", "publishers", "store")
BASE = {"audio", "errors", "schema", "clock", "http", "labels", "logs", "types", "synthesis"}
HEAVY = {
    "torch",
    "transformers",
    "onnxruntime",
    "sounddevice",
    "av",
    "paho",
    "amqtt",
    "apprise",
    "matplotlib",
}


def part(path: Path) -> str:
    """The package or module of `monitor` that a file belongs to."""
    return path.relative_to(ROOT / "monitor").parts[0].removesuffix(".py")


def imported(path: Path, *, everywhere: bool) -> set[str]:
    """Names of the modules that a file imports; of its top level only, or in its functions too."""
    tree = ast.parse(path.read_text())
    nodes = ast.walk(tree) if everywhere else iter(tree.body)
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def ours(path: Path) -> set[tuple[str, ...]]:
    """What a file imports of `monitor`, as parts below it."""
    names = imported(path, everywhere=True)
    return {tuple(name.split(".")[1:]) for name in names if name.startswith("monitor.")}


@pytest.mark.parametrize("path", [p for p in MODULES if part(p) in PACKAGES], ids=str)
def test_packages_know_only_what_is_below_them(path: Path):
    """A source knows nothing of rules, a rule nothing of MQTT: each can be read, and replaced, alone."""
    allowed = BASE | {part(path)}
    assert {names[0] for names in ours(path)} <= allowed


@pytest.mark.parametrize("path", [p for p in MODULES if part(p) == "runtime"], ids=str)
def test_threads_know_only_protocols(path: Path):
    """`runtime` takes what it runs as a protocol: every part can be tried without a thread."""
    for names in ours(path):
        is_protocol = names[0] in PACKAGES and (len(names) == 1 or names[1] == "base")
        assert is_protocol or names[0] in BASE | {"runtime"}, names


@pytest.mark.parametrize("path", [p for p in MODULES if part(p) not in ("cli", "__main__")], ids=str)
def test_nothing_imports_the_top(path: Path):
    """Nothing depends on the command line, and on the daemon only the command line."""
    assert not {names[0] for names in ours(path)} & {"app", "cli"}


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_heavy_libraries_are_imported_where_they_are_used(path: Path):
    """`earwitness --help` and `check` stay quick, and the embedded daemon never imports torch."""
    assert not {name.split(".")[0] for name in imported(path, everywhere=False)} & HEAVY


def test_threads_start_only_in_the_runtime_and_at_the_edges():
    """Between source and publisher there is no thread."""
    threaded = {part(p) for p in MODULES if "threading" in imported(p, everywhere=True)}
    assert threaded <= {"runtime", "app", "sources", "publishers", "store", "classifiers", "http"}


def test_the_map_names_every_module():
    """ARCHITECTURE.md lists what there is, and nothing that is not."""
    listed = set(
        re.findall(r"^\| `monitor/([a-z_]+)(?:\.py|/)` \|", (ROOT / "ARCHITECTURE.md").read_text(), re.M)
    )
    there = {part(path) for path in MODULES} - {"__init__", "__main__"}
    assert listed == there

"""The support bundle: a few text files, each of which can be read before it is given away."""

import ast
import io
import json
import platform
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

import yaml

from monitor import __version__
from monitor.config.model import Config
from monitor.config.overrides import read_steps
from monitor.errors import StoreError
from monitor.support.plain import TEXT, configuration, known_words, plain

README = f"""\
Support bundle of earwitness {__version__}.

It has: versions, the configuration, what was changed beside it, figures of health, sizes of the files that
are kept, and the latest lines of the log.

It has not: passwords, tokens, addresses, user names, texts of yours, names of rules, sound, pictures, what
was spoken, and what sounds were like to a model. Every text that is not a word of ours stands as {TEXT}.
The names of your sources, classifiers and receivers stay, for without them nothing could be told apart.
"""
STATE_FILES = (
    "scores.db", "verdicts.db", "outbox.db", "settings.json", "active.json", "overrides.json", "habits.json",
    "mutes.json", "drills.json", "web.db", "setup.json",
)  # fmt: skip
_FRAME = re.compile(r'^\s*File ".*?((?:monitor|site-packages)/[^"]+|[^/"]+)", line (\d+), in (\w+)')
_KIND = re.compile(r"^([A-Za-z_.]*(?:Error|Exception|Exit|Interrupt|Timeout\w*|Lost|Unavailable))\b")


def bundle_files(
    config: Config, health: Mapping[str, Any] | None = None, log: Iterable[Mapping[str, Any]] = ()
) -> dict[str, str]:
    """The bundle's files by name. `health` is a snapshot's values, `log` lines as dictionaries."""
    words = known_words(config)
    files = {
        "README.txt": README,
        "versions.json": _json(_versions()),
        "configuration.yaml": yaml.safe_dump(configuration(config), sort_keys=False, allow_unicode=True),
        "changes.json": _json(_changes(config)),
        "state.json": _json(_state(config.state_folder())),
    }
    if health is not None:
        files["health.json"] = _json(_figures(health, words))
    if lines := [log_line(line, words) for line in log]:
        files["log.jsonl"] = "".join(json.dumps(line) + "\n" for line in lines)
    return files


def zipped(files: Mapping[str, str]) -> bytes:
    """The files in one."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(f"earwitness-support/{name}", text)
    return out.getvalue()


def log_line(line: Mapping[str, Any], words: frozenset[str]) -> dict[str, Any]:
    """One line of the log: when, how grave, what our code says, and of its values what may stay."""
    kept = {key: line[key] for key in ("timestamp", "level") if key in line}
    kept["event"] = _sentence(str(line.get("event", "")), words)
    rest = {key: value for key, value in line.items() if key not in (*kept, "exception")}
    values = {key: plain(value, words) for key, value in rest.items() if key.isidentifier()}
    where = [*_frames(str(line["exception"]))] if "exception" in line else []
    return {**kept, **values, **({"exception": where} if where else {})}


def _sentence(text: str, words: frozenset[str]) -> str:
    """What our code says is in our code; anything else is a text that came from elsewhere."""
    return text if text in _sentences() or text in words else TEXT


@cache
def _sentences() -> frozenset[str]:
    """Every text that stands in the code of this package."""
    texts = (path.read_text(encoding="utf-8") for path in Path(__file__).parent.parent.rglob("*.py"))
    nodes = (node for text in texts for node in ast.walk(ast.parse(text)))
    return frozenset(
        node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _frames(traceback: str) -> Iterable[str]:
    """Where it happened and what kind of error it was, without its message."""
    for line in traceback.splitlines():
        if found := _FRAME.match(line):
            yield f"{found[1]}:{found[2]} {found[3]}"
        elif found := _KIND.match(line):
            yield found[1]


def _figures(values: Any, words: frozenset[str]) -> Any:
    """Of a snapshot of health: its keys are ours but for names, and its texts go."""
    if isinstance(values, Mapping):
        return {
            str(key) if str(key).isidentifier() or str(key) in words else TEXT: _figures(value, words)
            for key, value in values.items()
        }
    return plain(values, words)


def _versions() -> dict[str, Any]:
    names = {re.split(r"[^A-Za-z0-9_.-]", one)[0] for one in requires("earwitness") or ()}
    found = {}
    for name in sorted(names):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "earwitness": __version__,
        "python": sys.version.split()[0],
        "system": platform.system(),
        "kernel": platform.release(),
        "machine": platform.machine(),
        "libc": " ".join(platform.libc_ver()),
        "packages": found,
    }


def _changes(config: Config) -> list[dict[str, Any]]:
    words = known_words(config)
    try:
        steps = read_steps(config.state_folder())
    except StoreError:
        return [{"problem": "overrides.json cannot be read"}]
    return [{"at": one.at.isoformat(), "set": plain(dict(one.values), words)} for one in steps[-50:]]


def _state(folder: Path) -> dict[str, Any]:
    now = datetime.now(UTC).timestamp()
    found: dict[str, Any] = {}
    for name in STATE_FILES:
        try:
            known = (folder / name).stat()
        except OSError:
            continue
        found[name] = {"bytes": known.st_size, "changed_s_ago": round(now - known.st_mtime)}
    try:
        sizes = [path.stat().st_size for path in (folder / "evidence").iterdir() if path.is_file()]
        found["evidence"] = {"files": len(sizes), "bytes": sum(sizes)}
    except OSError:
        pass
    return found


def _json(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"

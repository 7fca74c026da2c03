"""Whether two checkouts say the same: for a change that must not alter behaviour.

    python -m scripts.same_output BEFORE AFTER RECORDINGS... [--limit 200] [--demo]

BEFORE and AFTER are folders with a checkout each. Compares the lines of `earwitness analyze --format jsonl`
byte by byte, and with --demo what the built-in scene publishes over MQTT (a mosquitto of its own) but for
identifiers, times of day, versions, and what is measured anew each time (levels, health). Prints the first
differences; the exit code is 1 when there are any.
"""

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path

import yaml

from testkit.mosquitto import Mosquitto, Subscriber

SOUNDS = {".wav", ".flac", ".opus", ".ogg", ".mp3", ".m4a"}
SHOWN = 10
SCENE_S = 70.0
LEFT_OUT = re.compile(r"/(level|laeq|floor|health|status|noise_floor)(/|$)")
VARIES = [
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)"), "TIME"),
    (re.compile(r'"(id|[a-z_]*_ids?|sw_version|sw)": ?("[^"]*"|\[[^\]]*\])'), r'"\1": ANY'),
    (re.compile(r'"(lag_s|duration_s|onset_s)": ?[\d.]+'), r'"\1": ANY'),
]
"""What differs from run to run of one and the same program, and what stands in its place."""


def main() -> None:
    """Compare and say."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    parser.add_argument("recordings", type=Path, nargs="*", help="files, or folders of them")
    parser.add_argument("--limit", type=int, default=200, help="so many, drawn at random but always the same")
    parser.add_argument("--demo", action="store_true", help="also compare what the demo publishes over MQTT")
    options = parser.parse_args()
    files = drawn(options.recordings, options.limit)
    same = True
    if files:
        before, after = (analyzed(tree, files) for tree in (options.before, options.after))
        same &= reported(f"analyze, {len(files)} recordings, {len(before)} lines", before, after)
    if options.demo:
        before, after = (published(tree) for tree in (options.before, options.after))
        same &= reported(f"demo over MQTT, {len(before)} messages", before, after)
    sys.exit(0 if same else 1)


def drawn(places: Iterable[Path], limit: int) -> list[Path]:
    """At most `limit` recordings, the same ones every time."""
    found = [p for place in places for p in ([place] if place.is_file() else sorted(place.rglob("*")))]
    recordings = [path.resolve() for path in found if path.suffix in SOUNDS]
    return random.Random(7).sample(recordings, min(limit, len(recordings)))


def analyzed(tree: Path, files: Sequence[Path]) -> list[str]:
    """What one checkout's `analyze` prints; ends the program where a recording could not be analyzed."""
    command = [sys.executable, "-m", "monitor", "analyze", "--format", "jsonl", "-j", "1", *map(str, files)]
    done = subprocess.run(command, cwd=tree, env=_environment(tree), capture_output=True, text=True)
    if done.returncode:  # two that fail alike say the same, and prove nothing
        sys.exit(f"{tree}: analyze ended with {done.returncode}: {done.stderr.strip()[-400:]}")
    return done.stdout.splitlines()


def published(tree: Path) -> list[str]:
    """Topic and payload of everything that one checkout's demo publishes, without what varies, sorted."""
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name) / "broker") as broker:
        config = {
            "node": "same",
            "state_dir": f"{name}/state",
            "sources": [{"type": "demo", "name": "kitchen", "loop": False}],
            "classifiers": [{"type": "embedded"}],
            "publishers": [{"type": "mqtt", "host": "127.0.0.1", "port": broker.port}],
        }
        file = Path(name) / "earwitness.yaml"
        file.write_text(yaml.safe_dump(config))
        with Subscriber(broker) as subscriber:
            command = [sys.executable, "-m", "monitor", "run", "--config", str(file), "--json"]
            subprocess.run(
                command, cwd=tree, env=_environment(tree), capture_output=True, timeout=4 * SCENE_S
            )
            heard = [(message.topic, message.payload) for message in subscriber.heard]
    return sorted(f"{topic} {steady(text)}" for topic, text in heard if not LEFT_OUT.search(topic))


def steady(payload: bytes | bytearray) -> str:
    """A payload without what varies from run to run."""
    text = payload.decode("utf-8", "replace")
    if text.startswith("{"):
        text = json.dumps(json.loads(text), sort_keys=True)
    for pattern, instead in VARIES:
        text = pattern.sub(instead, text)
    return text


def reported(name: str, before: Sequence[str], after: Sequence[str]) -> bool:
    """Print whether both are the same, and if not where; returns whether they are."""
    apart = [(a, b) for a, b in zip_longest(before, after) if a != b]
    if not apart:
        print(f"same: {name}")
        return True
    print(f"DIFFERENT: {name}, {len(apart)} of {len(before)}")
    gone, new = Counter(before) - Counter(after), Counter(after) - Counter(before)
    for line in [*(f"- {one}" for one in gone), *(f"+ {one}" for one in new)][:SHOWN]:
        print(f"  {line[:400]}")
    return False


def _environment(tree: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(tree.resolve()), "OMP_NUM_THREADS": "1"}


if __name__ == "__main__":
    main()

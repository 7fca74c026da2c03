"""Writes docs/reference/benchmarks.md from the figures that the benchmarks left beside it."""

import argparse
import json
from pathlib import Path
from typing import Any

from testkit.machine import OtherWork, machine
from testkit.markdown import table

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference"
PAGE = REFERENCE / "benchmarks.md"
FIGURES = REFERENCE / "figures"

OTHER_WORK = OtherWork()
IDLE_CORES = 0.1
"""What other programs may take of an idle machine."""
HEAD = """# Benchmarks

Measured by `scripts/bench`; this page is written by `python scripts/bench page` from
`docs/reference/figures/`, so it cannot drift. All of it ran on an otherwise idle machine,
unless a part says otherwise. Machines differ: run them on yours.
"""
PARTS = {
    "latency": "From a sound's first sample to the message at an MQTT subscriber. `sound_s`, "
    "`judge_and_send_s` and `broker_s` are medians of the stages: sound that the decision needed; an eighth "
    "of a second at most until it is read, model, decision and outbox; until it arrived. *its own*: the "
    "first word that names the sound. Sounds made by arithmetic, 10, 20 and 30 dB above the floor in turn. "
    "Taken while other work kept both cores busy.",
    "peers": "Streams heard beside a peer that listens as Frigate does: one `ffmpeg` per stream, a gate by "
    "RMS, YAMNet. In turns; `ratio` is the median of the rounds.",
    "hearing": "Eight recordings heard in real time, a thread each, by one part of the ears, by two, by all: "
    "the difference is what a part adds. Last, the same frames heard in one go: the rest is the price of "
    "being woken, once a second where nothing goes on and eight times where something does.",
    "capacity": "A daemon that listens to recordings in real time, as it would to microphones. `quiet` is a "
    "room at night; in a `busy` one a sound begins every three seconds.",
    "analysis": "`earwitness analyze` on one core, over a minute of a quiet room and of a busy one.",
    "profile": "Where a second of sound goes, stage by stage, on one core with warm caches, and the floor "
    "that the machine's arithmetic sets.",
}


def main() -> None:
    """Write the page."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The page as it should stand."""
    kept = {name: text for name, text in PARTS.items() if (FIGURES / f"{name}.json").exists()}
    return "\n".join([HEAD, *(part for name, text in kept.items() for part in _part(name, text))])


def _part(name: str, text: str) -> list[str]:
    document = json.loads((FIGURES / f"{name}.json").read_text())
    others = document.get("other_programs_cores", 0.0)
    beside = f"; other programs took {others} cores meanwhile" if others > IDLE_CORES else ""
    head = f"## {name}\n\n{text}\n\n`{document['command']}` on {document['machine']}{beside}\n"
    return [head, _table(document["rows"]), ""]


def _table(rows: list[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return table(columns, ([row.get(column, "") for column in columns] for row in rows))


def save(name: str, rows: list[dict[str, Any]], command: str) -> None:
    """Leave figures for the page, with the machine that they are of."""
    FIGURES.mkdir(parents=True, exist_ok=True)
    others = round(OTHER_WORK.cores, 1)
    document = {"command": command, "machine": machine(), "other_programs_cores": others, "rows": rows}
    (FIGURES / f"{name}.json").write_text(json.dumps(document, indent=2) + "\n")

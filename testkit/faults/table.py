"""Breaks things under a running daemon and counts what was lost: the table of docs/reliability.md.

`python scripts/bench faults` runs everything in full (about an hour), `--short` what CI runs, `--only NAME`
some of it.
The figures go to docs/reliability.json, and the page is written from that file alone.
"""

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from testkit.faults import (
    camera,
    delivery,
    fuzz,
    network,
    overload,
    people,
    refusals,
    soak,
    stall,
    store,
    watchdog,
)
from testkit.faults.allowance import ALLOWANCE, SHORT
from testkit.faults.tested import tested_section
from testkit.machine import machine
from testkit.markdown import table
from testkit.noisy_house import FaultRow, Violation

DOCS = Path(__file__).parents[2] / "docs"
FIGURES = DOCS / "reliability.json"
PAGE = DOCS / "reliability.md"


@dataclass(frozen=True, slots=True)
class Fault:
    """A scenario with its two sizes."""

    run: Callable[..., FaultRow]
    short: Mapping[str, float]
    full: Mapping[str, float]


FAULTS: dict[str, Fault] = {
    "broker-down": Fault(
        delivery.broker_down,
        {"events": 20, "outage_s": 20, "every_s": 1.6},
        {"events": 200, "outage_s": 600, "every_s": 12.0},
    ),
    "broker-forgets": Fault(
        delivery.broker_forgets, {"events": 20, "outage_s": 0}, {"events": 200, "outage_s": 60}
    ),
    "broker-refuses": Fault(delivery.broker_refuses, {"events": 15}, {"events": 100}),
    "broker-takes-less": Fault(
        refusals.broker_takes_less, {"events": 6, "conditions": 1}, {"events": 20, "conditions": 7}
    ),
    "house-restarts": Fault(
        delivery.house_restarts, {"events": 8, "restarts": 1}, {"events": 20, "restarts": 10}
    ),
    "bad-network": Fault(network.bad_network, {"events": 20}, {"events": 200}),
    "stop-hung": Fault(delivery.stop_hung, {"times": 1}, {"times": 5}),
    "killed": Fault(delivery.killed, {"kills": 20}, {"kills": 200}),
    "disk-full": Fault(store.disk_full, {"events": 10}, {"events": 100}),
    "disk-unusable": Fault(store.disk_unusable, {"events": 10}, {"events": 100}),
    "store-overwritten": Fault(store.store_overwritten, {"events": 10}, {"events": 50}),
    "store-damaged": Fault(store.store_damaged, {"events": 10}, {"events": 50}),
    "disk-stalled": Fault(
        stall.while_running, {"events": 10, "within_s": 10.0}, {"events": 100, "within_s": 1.0}
    ),
    "disk-stalled-start": Fault(
        stall.at_the_start, {"events": 10, "within_s": 10.0}, {"events": 50, "within_s": 1.0}
    ),
    "disk-stalled-stop": Fault(stall.stopped, {"within_s": 30.0}, {"within_s": 3.0}),
    "ctrl-c": Fault(delivery.interrupted, {"times": 1}, {"times": 5}),
    "paused": Fault(delivery.paused, {"times": 1}, {"times": 5}),
    "notifiers-drip": Fault(
        people.drips, {"events": 10, "within_s": 30.0}, {"events": 100, "within_s": 10.0}
    ),
    "channels-stuck": Fault(
        people.stuck, {"within_s": 120.0, "until_back": False}, {"within_s": 90.0, "until_back": True}
    ),
    "camera-killed": Fault(camera.killed, {"times": 1}, {"times": 10}),
    "camera-frozen": Fault(camera.frozen, {"times": 1}, {"times": 10}),
    "camera-deaf": Fault(camera.deaf, {"times": 1}, {"times": 10}),
    "camera-garbage": Fault(camera.garbage, {"times": 1}, {"times": 10}),
    "camera-codec": Fault(camera.codec_at_the_address, {"times": 1}, {"times": 10}),
    "stream-codec": Fault(camera.codec_in_the_stream, {"times": 1}, {"times": 10}),
    "stream-rate": Fault(camera.rate_in_the_stream, {"times": 1}, {"times": 10}),
    "source-ill": Fault(
        watchdog.fed_whatever_is_ill, {"each_s": 6.0, "kinds": 1}, {"each_s": 30.0, "kinds": 10}
    ),
    "camera-reconnects": Fault(camera.reconnects, {"cycles": 5}, {"cycles": 100}),
    "fuzz-configuration": Fault(fuzz.configurations, {"inputs": 50}, {"inputs": 2000}),
    "fuzz-recordings": Fault(fuzz.recordings, {"inputs": 50}, {"inputs": 2000}),
    "fuzz-models": Fault(fuzz.models, {"inputs": 20}, {"inputs": 200}),
    "fuzz-commands": Fault(fuzz.commands, {"inputs": 100}, {"inputs": 2000}),
    "a-day": Fault(soak.a_day, {"hours": 2.0, "rooms": 2}, {"hours": 24, "rooms": 8}),
    "model-hangs": Fault(overload.model_hangs, {"alarms": 1, "rooms": 2}, {"alarms": 10, "rooms": 8}),
    "model-raises": Fault(overload.model_raises, {"alarms": 1, "rooms": 2}, {"alarms": 10, "rooms": 8}),
    "model-leaks": Fault(overload.model_leaks, {"alarms": 2, "rooms": 4}, {"alarms": 10, "rooms": 8}),
}


def run(name: str, *, short: bool) -> dict[str, Any]:
    """One fault in a folder of its own. What never happened is a fault that did not hold, not a crash."""
    fault = FAULTS[name]
    ALLOWANCE.set(SHORT if short else 1.0)
    with tempfile.TemporaryDirectory(prefix="earwitness-faults-") as folder:
        try:
            row = fault.run(Path(folder) / "house", **(fault.short if short else fault.full))
        except Violation as error:
            row = FaultRow(name, "", held=False, figures={"why": str(error)})
    return asdict(row) | {"at": f"{datetime.now(UTC):%Y-%m-%d}", "machine": machine()}


def keep(name: str, row: Mapping[str, Any]) -> None:
    """Write one row's figures, and the page anew."""
    figures = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    figures[name] = row
    ordered = {each: figures[each] for each in FAULTS if each in figures}
    FIGURES.write_text(json.dumps(ordered, indent=1) + "\n")
    PAGE.write_text(page(ordered))


def page(figures: Mapping[str, Any]) -> str:
    """docs/reliability.md, from the figures alone."""
    rows = table(
        ("fault", "must hold", "held", "figures"),
        (
            (
                row["fault"],
                row["must_hold"],
                "yes" if row["held"] else "**no**",
                "; ".join(f"{name} {value}" for name, value in row["figures"].items()),
            )
            for row in figures.values()
        ),
    )
    machines = sorted({f"{row['at']}: {row['machine']}" for row in figures.values()})
    missing = [name for name in FAULTS if name not in figures]
    unmeasured = f"\nWithout a full run that held: {', '.join(missing)}.\n" if missing else ""
    ran_on = "\n".join(f"- {each}" for each in machines) + "\n"
    return PREFACE + rows + "\n" + unmeasured + MEANING + ran_on + tested_section()


PREFACE = """\
# Reliability: what was broken, and what held

`python scripts/bench faults` writes this page from `docs/reliability.json`; do not edit it. Each row was run
with the real daemon in a process of its own. Recordings in real time are its sources. The broker is a real
mosquitto, and a subscriber records everything. `tests/faults` runs the same faults in a short form with every
change.

"""
MEANING = """
What the figures mean:

- *messages*: events and alerts that the daemon decided. They are known from its own JSON lines, which are
  delivered like any other channel.
- *lost*: the subscriber never got it.
- *strangers*: the subscriber got it, but the daemon never decided it. A duplicate with another id is one.
- *sent twice*: the subscriber got it again, with the same id.
- *stuck*: an event that began and never ended. Events that a kill -9 cut short end at the next start
  (`ended_by: restart`).
- *back after s*: from the broker's return to the first message that the subscriber gets.
- *start s*: from the start of the process until a room is heard and the subscriber knows it. *processor s*:
  the processor time of that.
- *load per core*: how busy the machine was with other work. Above 1 every process has to wait.
- *hours of sound*: of all sources together.
- *reconnects*: the comparison begins after a fifth of them. By then everything is there that is loaded or
  learned only once.

The bad network is made by the kernel, in a network namespace: with `tc netem` if the kernel has it, else with
`tc tbf`, which drops what does not fit through a narrow line.

Run on:

"""

"""The page: its first load, its answers over 100,000 events, and what it costs those who wait for an alarm.

The crowd and the browser run on the same machine as the daemon, and take their share of it.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page
from urllib3.exceptions import HTTPError

from monitor.audio import SAMPLE_RATE_HZ
from monitor.config.model import Config
from monitor.synthesis.room import coloured_noise
from scripts.bench.page import save
from scripts.bench.table import show
from testkit.judged_house import live
from testkit.long_history import write_history
from testkit.mosquitto import Mosquitto, Subscriber, free_port
from testkit.process import DaemonProcess
from testkit.visit import Chromium, Visit, wait_for_port
from testkit.wav import write_wav

EVENTS = 100_000
ASKED = 200
PHONE = {"latency": 40, "downloadThroughput": 10e6 / 8, "uploadThroughput": 5e6 / 8, "offline": False}
"""A phone in a house: 10 Mbit/s, 40 ms there and back."""
PHONE_SPEED = 400
"""Passes of `_SPEED` in a second, over ten. Lighthouse counts the same (BenchmarkIndex) and gives phones of
the middle 125 to 800; a faster browser is slowed down to this."""
BANGS_APART_S = 4.0
CROWD = (200, 20, 1000)
"""Viewers, of whom so many read nothing, and requests a second."""
TURN_S = 30.0

Row = dict[str, Any]


def main() -> None:
    """Measure and print; each line with its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--turns", type=int, default=4, help="turns of 30 s with and without the crowd")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds in which nobody looks")
    parser.add_argument("--save", action="store_true", help="keep the figures for the docs")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        parts = [Path(folder) / name for name in ("history", "idle", "alarm", "tried")]
        rows = [
            *over_a_long_history(parts[0]),
            *another_onset(parts[3]),
            *while_nobody_looks(parts[1], options.idle),
            *under_a_crowd(parts[2], options.turns),
        ]
    show(rows, "page_load")
    if options.save:
        save("page_load", rows, "python scripts/bench page_load --save")


def over_a_long_history(folder: Path) -> Iterator[Row]:
    """First load and answers."""
    ids = write_history(folder / "state", EVENTS, datetime.now(UTC))
    quiet = {"type": "demo", "name": "hall", "speech": False}
    with _daemon(folder, [quiet]) as (_, visit), Chromium() as chromium:
        rng = np.random.default_rng(1)
        cursors = [visit.get("/api/events").json()["next"]]
        lists, events = [], []
        for _ in range(ASKED):
            found, took_s = _timed(lambda: visit.get(f"/api/events?limit=50&before={cursors[-1]}").json())
            lists.append(took_s)
            cursors.append(found["next"])
            events.append(_timed(lambda: visit.get(f"/api/events/{ids[rng.integers(EVENTS)]}"))[1])
        yield _row("a page of 50 events, p95 ms", 1000 * _p95(lists), 50)
        yield _row("one event, p95 ms", 1000 * _p95(events), 30)
        yield from _first_load(chromium, f"http://localhost:{visit.port}/")


_SPEED = """() => {
    const [one, other] = [Array.from({ length: 100000 }, (_, n) => n), new Array(100000)];
    const began = performance.now();
    let passes = 0;
    for (; performance.now() - began < 500; passes++) for (let n = 0; n < one.length; n++) other[n] = one[n];
    return passes / 5;
}"""
_NO_ICON = ("Failed to load resource",)
"""A browser asks for one beside a file that is no page."""
_USABLE = """new MutationObserver((_, observer) => {
    if (!document.querySelector(".room")) return;
    observer.disconnect();
    console.debug(`usable ${performance.now()}`);
}).observe(document, { childList: true, subtree: true });"""
"""It says so by itself: to be asked, a page takes in 330 kB of the asker's script, as slowly as all else."""


def _first_load(chromium: Chromium, address: str) -> Iterator[Row]:
    usable_ms, size = [], 0
    with chromium.page(f"{address}app.js", allowed=_NO_ICON) as page:
        speed = page.evaluate(_SPEED)
    slower = max(1.0, speed / PHONE_SPEED)
    for _ in range(5):
        # A browser that is open already: what is measured is the page, not the start of a process.
        with chromium.page(address, begin=f"{address}app.js", allowed=_NO_ICON) as page:
            page.add_init_script(_USABLE)
            session = page.context.new_cdp_session(page)
            session.send("Network.enable")
            session.send("Network.emulateNetworkConditions", PHONE)
            session.send("Emulation.setCPUThrottlingRate", {"rate": slower})
            with page.expect_console_message(lambda message: message.text.startswith("usable ")) as said:
                page.goto(address, wait_until="commit")
            usable_ms.append(float(said.value.text.split()[1]))
            size = _shell_bytes(page)
    yield _row("first load of Now, kB", size / 1000, 60)
    yield _row(f"speed of this browser, of {PHONE_SPEED} for a phone", speed)
    yield _row(f"usable on a phone ({slower:.1f} times slower), median of 5, ms", np.median(usable_ms), 1000)


def _shell_bytes(page: Page) -> int:
    size: int = page.evaluate(
        "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
        ".filter((one) => !one.name.includes('/api/')).reduce((sum, one) => sum + one.encodedBodySize, 0)"
    )
    return size


def another_onset(folder: Path) -> Iterator[Row]:
    """A day of one label decided again with another onset, from the question to its last line: as the page
    asks, which has a process ready from when its button is seen, and as a script does."""
    folder.mkdir(parents=True)
    scores = np.random.default_rng(2).uniform(0.2, 0.99, 719)
    config = Config.model_validate(
        {"sources": [{"type": "demo", "name": "hall"}], "state_dir": str(folder / "state")}
    )
    live(config, list(scores), datetime.now(UTC))
    with _daemon(folder, [{"type": "demo", "name": "hall", "speech": False}]) as (_, visit):
        wanted = {"days": 1, "changes": ["dog_bark.onset=0.8"]}
        cold = [_timed(lambda: visit.ask("POST", "/api/whatif", wanted)) for _ in range(5)]
        warm = [_looked_at(visit, wanted) for _ in range(5)]
    assert all(b'"outcomes"' in answer.body for answer, _ in (*cold, *warm))
    name = "a day of a label with another onset"
    yield _row(f"{name}, median of 5, ms", 1000 * np.median([s for _, s in warm]), 1500)
    yield _row(f"{name}, by a script, ms", 1000 * np.median([s for _, s in cold]))


def _looked_at(visit: Visit, wanted: Row) -> tuple[Any, float]:
    """As long as somebody needs to see a slider and to move it."""
    visit.ask("POST", "/api/whatif/ready")
    time.sleep(5)  # a benchmark
    return _timed(lambda: visit.ask("POST", "/api/whatif", wanted))


def while_nobody_looks(folder: Path, idle_s: float) -> Iterator[Row]:
    """Two daemons side by side, one without a page."""
    quiet = [_recording(folder, bangs=0)]
    with (
        _daemon(folder / "with", quiet) as (paged, visit),
        _daemon(folder / "without", quiet, page=False) as (bare, _),
    ):
        visit.until("/api/house", lambda house: house["sources"][0]["online"])
        time.sleep(20)  # a benchmark: until both have settled
        before = paged.cpu_s(), bare.cpu_s()
        time.sleep(idle_s)
        used_s = paged.cpu_s() - before[0], bare.cpu_s() - before[1]
        yield _row("memory of the page while nobody looks, MB", paged.resident_mb() - bare.resident_mb(), 12)
        yield _row("processor while nobody looks, % of a core", 100 * (used_s[0] - used_s[1]) / idle_s, 0)


def under_a_crowd(folder: Path, turns: int) -> Iterator[Row]:
    """From a bang to its event over MQTT, turn by turn with and without the crowd, and to the feed; at last
    with the page's thread dead."""
    bangs = _recording(folder, bangs=15)
    with Mosquitto(folder / "broker") as broker, Subscriber(broker, "earwitness/#") as phone:
        mqtt = {"type": "mqtt", "host": "127.0.0.1", "port": broker.port}
        with _daemon(folder, [bangs], publishers=[mqtt], module="testkit.page_dies") as (_, visit):
            visit.until("/api/house", lambda house: house["sources"][0]["online"])
            seen = _reading_along(visit)
            spans: dict[str, list[tuple[float, float]]] = {"calm": [], "crowd": [], "dead": []}
            answered = 0
            for turn in range(2 * turns):
                began_s = time.monotonic()
                if turn % 2:
                    answered += _crowd(visit.port)
                else:
                    time.sleep(TURN_S)
                spans["crowd" if turn % 2 else "calm"].append((began_s, time.monotonic()))
            with suppress(HTTPError):
                visit.get("/die")
            began_s = time.monotonic()
            time.sleep(turns * TURN_S)
            spans["dead"].append((began_s, time.monotonic()))
    delays = {kind: _delays(phone, spans[kind]) for kind in spans}
    calm = _p95(delays["calm"])
    yield _row("from MQTT to the feed, p95 ms", 1000 * _p95(_behind(phone, seen)), 150)
    yield _row(f"bang to MQTT, calm, {len(delays['calm'])} bangs, p95 ms", 1000 * calm)
    for kind, words in (("crowd", "under the crowd"), ("dead", "with the page's thread dead")):
        name = f"bang to MQTT, {words}, {len(delays[kind])} bangs, p95 ms"
        yield _row(name, 1000 * _p95(delays[kind]), 1000 * calm + 100)
    yield _row("requests answered a second", answered / (turns * TURN_S))


def _crowd(port: int) -> int:
    command = [sys.executable, "-m", "testkit.crowd", str(port), *map(str, CROWD), str(TURN_S)]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _reading_along(visit: Visit) -> dict[tuple[str, str], float]:
    """When the feed posted each state of an event."""
    seen: dict[tuple[str, str], float] = {}

    def read() -> None:
        try:
            with visit.stream() as messages:
                for one in messages:
                    if one.get("event") == "event":
                        seen.setdefault((one["data"]["id"], one["data"]["state"]), time.monotonic())
        except (HTTPError, OSError):
            return  # the daemon is stopped at the end

    threading.Thread(target=read, daemon=True).start()
    return seen


def _events(phone: Subscriber) -> Iterator[tuple[float, Row]]:
    for message in phone.heard:
        if message.topic.endswith("/event"):
            yield message.timestamp, json.loads(message.payload)


def _behind(phone: Subscriber, seen: dict[tuple[str, str], float]) -> list[float]:
    """How much later than MQTT the feed was; earlier counts as 0."""
    keys = ((at_s, (event["id"], event["state"])) for at_s, event in _events(phone))
    return [max(seen[key] - at_s, 0) for at_s, key in keys if key in seen]


def _delays(phone: Subscriber, spans: list[tuple[float, float]]) -> list[float]:
    since_1970_s = time.time() - time.monotonic()
    return [
        at_s + since_1970_s - datetime.fromisoformat(event["started_at"]).timestamp()
        for at_s, event in _events(phone)
        if event["label"] == "loud_noise" and event["state"] == "started"
        if any(begin_s <= at_s < end_s for begin_s, end_s in spans)
    ]


@contextmanager
def _daemon(
    folder: Path, sources: list[Row], *, page: bool = True, module: str = "monitor", **more: Any
) -> Iterator[tuple[DaemonProcess, Visit]]:
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = {
        "node": "bench",
        "sources": sources,
        "classifiers": [{"type": "embedded"}],
        "history_days": 30,
        "web": {"enabled": page, "port": port},
        **more,
    }
    with ExitStack() as life:
        daemon = life.enter_context(DaemonProcess(config, folder, module=module))
        if page:
            wait_for_port(port)
        yield daemon, Visit(port, {"Host": f"localhost:{port}"})


def _recording(folder: Path, bangs: int) -> Row:
    """A source: a minute of a quiet room, with bangs in it."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(3)
    samples = coloured_noise(rng, 60 * SAMPLE_RATE_HZ).astype(np.float64)
    samples *= 10 ** (-60 / 20) / samples.std()
    for n in range(bangs):
        at = round((1 + n * BANGS_APART_S) * SAMPLE_RATE_HZ)
        samples[at : at + 1600] += 0.2 * rng.standard_normal(1600) * np.exp(-np.arange(1600) / 400)
    file = folder / "room.wav"
    write_wav(file, samples)
    return {"type": "file", "name": "hall", "path": str(file), "realtime": True, "loop": True}


def _timed(work: Callable[[], Any]) -> tuple[Any, float]:
    began_s = time.monotonic()
    return work(), time.monotonic() - began_s


def _p95(values: list[float]) -> float:
    return float(np.percentile(values, 95)) if values else float("nan")


def _row(what: str, value: float, bar: float | None = None) -> Row:
    row = {"what": what, "measured": round(float(value), 1)}
    return row if bar is None else {**row, "bar": round(bar, 1), "met": "yes" if value <= bar + 0.5 else "no"}

"""Figures for Prometheus, from the snapshot of health that there is anyway."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from monitor.delivery.deliveries import OUTBOX, last_deliveries
from monitor.drill.report import read_drills
from monitor.web.page import Page

if TYPE_CHECKING:
    from prometheus_client.core import Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

_SOURCE = {
    "online": ("earwitness_source_online", "Whether the source is heard (1) or not (0)."),
    "since_frame_s": ("earwitness_source_seconds_since_frame", "Since sound came last."),
    "reconnects": ("earwitness_source_reconnects_total", "How often it was opened again."),
}


def exposition(page: Page) -> bytes:
    """The figures in Prometheus' text format."""
    from prometheus_client import CollectorRegistry, generate_latest

    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector(page))
    return generate_latest(registry)


class _Collector:
    def __init__(self, page: Page) -> None:
        self._page = page

    def collect(self) -> Iterator["Metric"]:
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        def gauge(name: str, words: str, rows: Iterable[tuple[list[str], float]], *labels: str) -> Any:
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            family = kind(name, words, labels=labels)
            for values, number in rows:
                family.add_metric(values, number)
            return family

        page = self._page
        yield gauge("earwitness_well", "Whether everything moves.", [([], float(page.board.is_well))])
        info = GaugeMetricFamily("earwitness_build_info", "Which version runs.", labels=["version", "node"])
        info.add_metric([page.house.version, page.house.node], 1)
        yield info
        yield from self._levels(gauge)
        verdicts = page.verdicts.counts()
        yield gauge(
            "earwitness_verdicts_total",
            "What people said of events.",
            [([label, word], n) for label, words in verdicts.items() for word, n in words.items()],
            "label",
            "verdict",
        )
        counts = page.board.counts()
        for kind, labels in (("event", ("label", "source")), ("alert", ("rule", "severity"))):
            rows = [([one, other], n) for (of, one, other), n in counts.items() if of == kind]
            yield gauge(f"earwitness_{kind}s_total", f"{kind.capitalize()}s since the start.", rows, *labels)
        yield from self._drills(gauge)
        yield from self._oldest(gauge)
        health = page.board.health
        if health is not None:
            yield from _of_health(health.values, gauge)

    def _drills(self, gauge: Any) -> Iterator[Any]:
        drills = [one for one in read_drills(self._page.folder) if one.ended_at is not None and one.heard]
        last = drills[-1:]
        at: list[tuple[list[str], float]] = [([], one.began_at.timestamp()) for one in last]
        yield gauge("earwitness_last_drill_timestamp_seconds", "When an alarm was last heard in a drill.", at)
        rooms = [room for one in last for room in one.rooms if room.margin_db is not None]
        margins = [([room.source], float(room.margin_db or 0)) for room in rooms]
        words = "By so much the alarm of the last drill could have been quieter."
        yield gauge("earwitness_drill_margin_db", words, margins, "source")

    def _oldest(self, gauge: Any) -> Iterator[Any]:
        now = self._page.clock.now()
        rows = [
            ([channel], (now - one.waits_since).total_seconds() if one.waits_since else 0.0)
            for channel, one in last_deliveries(self._page.folder / OUTBOX).items()
        ]
        words = "How long the oldest message has waited for its receiver."
        yield gauge("earwitness_outbox_oldest_seconds", words, rows, "channel")

    def _levels(self, gauge: Any) -> Iterator[Any]:
        sources = self._page.board.sources()
        for key, words in _LEVELS.items():
            rows = [([name], each[key]) for name, each in sources.items() if each.get(key) is not None]
            yield gauge(f"earwitness_source_{key}", words, rows, "source")
        muted = [([name], float(bool(each.get("mute")))) for name, each in sources.items()]
        yield gauge("earwitness_source_muted", "Whether it is muted.", muted, "source")


_LEVELS = {
    "level_dbfs": "Level in dBFS.",
    "floor_dbfs": "Noise floor in dBFS.",
    "laeq_dbfs": "LAeq of the last minute, A-weighted, in dBFS.",
    "laeq_dba": "LAeq of the last minute in dB(A), of a source that is calibrated.",
}


def _of_health(values: Any, gauge: Any) -> Iterator[Any]:
    yield gauge("earwitness_uptime_seconds", "Since the start.", [([], values["uptime_s"])])
    yield gauge("earwitness_memory_bytes", "Resident memory.", [([], values["memory_mb"] * 1e6)])
    yield gauge("earwitness_cpu_share", "Of one core, since the start.", [([], values["cpu_share"])])
    sources = values["sources"]
    for key, (name, words) in _SOURCE.items():
        rows = [([source], float(each[key])) for source, each in sources.items() if each.get(key) is not None]
        yield gauge(name, words, rows, "source")
    queues = [([name], each["dropped"]) for name, each in values["queues"].items()]
    yield gauge("earwitness_queue_dropped_total", "Given up because a queue was full.", queues, "queue")
    busy = [([name], each["share"]) for name, each in values["classifiers"].items()]
    yield gauge("earwitness_classifier_busy_ratio", "Share of the time it worked.", busy, "classifier")
    delivery = values.get("delivery", {})
    waiting = [([channel], n) for channel, n in delivery.get("waiting", {}).items()]
    yield gauge("earwitness_outbox_waiting", "Messages not yet delivered.", waiting, "channel")
    ready = [([channel], float(each)) for channel, each in delivery.get("ready", {}).items()]
    yield gauge("earwitness_publisher_ready", "Whether it takes messages.", ready, "channel")

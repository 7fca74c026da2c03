"""Figures for Prometheus, from the snapshot of health that there is anyway."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

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
        health = page.board.health
        if health is not None:
            yield from _of_health(health.values, gauge)

    def _levels(self, gauge: Any) -> Iterator[Any]:
        sources = self._page.board.sources()
        for key, words in (("level_dbfs", "Level in dBFS."), ("floor_dbfs", "Noise floor in dBFS.")):
            rows = [([name], each[key]) for name, each in sources.items() if each.get(key) is not None]
            yield gauge(f"earwitness_source_{key}", words, rows, "source")
        muted = [([name], float(bool(each.get("mute")))) for name, each in sources.items()]
        yield gauge("earwitness_source_muted", "Whether it is muted.", muted, "source")


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

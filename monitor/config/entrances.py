"""What is wrong with sources that others connect to or publish for, and with the page over other nodes, in
the light of the rest of the configuration."""

from collections.abc import Callable, Iterator

from monitor.config.model import Config
from monitor.config.yaml_document import Document, KeyPath
from monitor.labels import did_you_mean
from monitor.publishers.mqtt.config import MqttConfig
from monitor.sources.external import ExternalConfig
from monitor.sources.udp.source import UdpConfig
from monitor.sources.wyoming import WyomingConfig


def source_lines(
    config: Config,
    document: Document,
    original: Callable[[KeyPath], KeyPath],
    is_short: Callable[[str], bool],
) -> Iterator[str]:
    """Every problem with its place. `original`: where a place of `config` stands in the document."""
    yield from _ports_taken_twice(config, document, original)
    brokers = _brokers(config)
    for i, source in enumerate(config.sources):
        place: KeyPath = ("sources", i)
        if isinstance(source, ExternalConfig) and not is_short("publishers"):
            for key, text in _of_device(source, config, brokers):
                yield document.about(original((*place, key)), text)


def node_lines(config: Config, document: Document, is_short: Callable[[str], bool]) -> Iterator[str]:
    """Other nodes that nobody could hear."""
    brokers, nodes = _brokers(config), config.web.nodes
    if nodes is None or is_short("publishers"):
        return
    if not brokers:
        text = f"other nodes are heard over MQTT; {_fix(config)}"
        yield document.about(("web", "nodes"), text)
    elif nodes.broker is not None and nodes.broker not in brokers:
        yield document.about(("web", "nodes", "broker"), _no_broker(nodes.broker, brokers))


def _brokers(config: Config) -> dict[str, MqttConfig]:
    return {one.name: one for one in config.publishers if isinstance(one, MqttConfig)}


def _fix(config: Config) -> str:
    off = [one.name for one in config.off.get("publishers", ()) if isinstance(one, MqttConfig)]
    return f"{off[0]!r} is off: write enabled: true" if off else "add a publisher of `type: mqtt`"


def _no_broker(name: str, brokers: dict[str, MqttConfig]) -> str:
    hint = did_you_mean(name, brokers) or f" (there is {', '.join(brokers)})"
    return f"no `mqtt` publisher is named {name!r}{hint}"


def _of_device(
    source: ExternalConfig, config: Config, brokers: dict[str, MqttConfig]
) -> Iterator[tuple[str, str]]:
    if not brokers:
        yield "type", f"what other devices detect comes over MQTT; {_fix(config)}"
    elif source.broker is not None and source.broker not in brokers:
        yield "broker", _no_broker(source.broker, brokers)
    for own in {f"{one.topic_prefix}/{config.node}/" for one in brokers.values()}:
        if source.topic.startswith(own):
            yield (
                "topic",
                f"this daemon publishes below {own}, so it would hear its own messages again and again",
            )


def _ports_taken_twice(
    config: Config, document: Document, original: Callable[[KeyPath], KeyPath]
) -> Iterator[str]:
    """Two sources that wait on one port: the second would never be heard."""
    taken: dict[tuple[str, int], str] = {}
    for i, source in enumerate(config.sources):
        if isinstance(source, UdpConfig | WyomingConfig) and source.enabled:
            first = taken.setdefault((source.type, source.port), source.name)
            if first != source.name:
                text = f"{first!r} uses port {source.port}; give each source its own `port`"
                yield document.about(original(("sources", i, "port")), text)

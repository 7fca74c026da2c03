"""What publishers announce, and the configured settings: pure functions of a configuration."""

from dataclasses import replace

from monitor import __version__
from monitor.config.capabilities import heard_where
from monitor.config.model import Config
from monitor.labels import sounds, taught, vocabulary
from monitor.publishers.base import ExternalDevice, House, HouseValue, Room
from monitor.rules.house import TopicConfig
from monitor.sources.external import ExternalConfig
from monitor.types import HOUSE, Setting


def configured_settings(config: Config) -> list[Setting]:
    """What can be set from outside, as it is before anybody does."""
    own = [Setting(HOUSE, value.name, None) for value in _values(config) if value.topic is None]
    return own + [
        setting
        for source in config.sources
        for setting in (
            Setting(source.name, "mute", False),
            *([] if source.is_external else [Setting(source.name, "sensitivity", source.sensitivity)]),
        )
    ]


def build_house(config: Config) -> House:
    """What publishers announce."""
    named = named_in_rules(config)
    shown = config.entities if config.entities is not None else named | _warning() | frozenset(taught())
    hidden = frozenset() if config.entities is not None else _warning() - named
    rooms = [
        Room(
            source=source.name,
            labels=tuple(
                label for label in sounds() if label in labels and (label in shown or source.is_external)
            ),
            event_labels=tuple(label for label in sounds() if label in labels),
            area=source.area,
            title=source.title,
            pictures=config.evidence.pictures and not source.is_external,
            hidden=frozenset() if source.is_external else hidden,
            has_sound=not source.is_external,
            calibrated=source.calibration_db is not None,
            level_in_rules=any(
                rule.level is not None and source.name in (rule.sources or (source.name,))
                for rule in config.rules
            ),
            origin=source.origin,
        )
        for source, labels in heard_where(config)
    ]
    rules = tuple(rule.name for rule in config.rules)
    return House(
        config.node, __version__, tuple(rooms), rules, config.web.address, _values(config), _devices(config)
    )


def _values(config: Config) -> tuple[HouseValue, ...]:
    return tuple(
        HouseValue(name, block.options, block.topic, block.path, block.on_values)
        if isinstance(block, TopicConfig)
        else HouseValue(name, block.options)
        for name, block in config.house.items()
    )


def _devices(config: Config) -> tuple[ExternalDevice, ...]:
    first = next((one.name for one in config.publishers if one.type == "mqtt"), "")
    return tuple(
        ExternalDevice(
            source=one.name,
            broker=one.broker or first,
            topic=one.topic,
            path=one.path,
            label_map=one.label_map,
            where=one.where,
            score_path=one.score_path,
            min_score=one.min_score,
            trusted=one.trusted,
            hold_s=one.hold_s,
        )
        for one in config.sources
        if isinstance(one, ExternalConfig) and one.enabled
    )


def is_alike(one: House, other: House) -> bool:
    """Whether they differ in nothing but the names of their rules and which entities are shown at first."""
    return _bare(one) == _bare(other)


def _bare(house: House) -> House:
    rooms = tuple(replace(room, hidden=frozenset(), level_in_rules=False) for room in house.sources)
    return replace(house, sources=rooms, rules=())


def named_in_rules(config: Config) -> frozenset[str]:
    """The labels named in a rule."""
    return frozenset(label for rule in config.rules for label in rule.labels)


def _warning() -> frozenset[str]:
    """The labels that warn by default."""
    return frozenset(row.id for row in vocabulary().values() if row.severity_default != "info")

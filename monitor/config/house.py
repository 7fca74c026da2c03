"""What publishers announce, and the configured settings: pure functions of a configuration."""

from monitor import __version__
from monitor.config.capabilities import producible
from monitor.config.model import Config
from monitor.labels import sounds, vocabulary
from monitor.types import House, Room, Setting


def configured_settings(config: Config) -> list[Setting]:
    """What can be set from outside, as it is before anybody does."""
    return [
        setting
        for source in config.sources
        for setting in (
            Setting(source.name, "mute", False),
            Setting(source.name, "sensitivity", source.sensitivity),
        )
    ]


def build_house(config: Config) -> House:
    """What publishers announce."""
    labels = producible(config)
    shown = config.entities if config.entities is not None else _entities(config)
    rooms = [
        Room(
            source=source.name,
            labels=tuple(label for label in sounds() if label in shown and label in labels),
            event_labels=tuple(label for label in sounds() if label in labels),
            area=source.area,
            pictures=config.evidence.pictures,
        )
        for source in config.sources
        if source.enabled
    ]
    return House(config.node, __version__, tuple(rooms))


def _entities(config: Config) -> set[str]:
    """The labels named in a rule, and those that warn by default."""
    clauses = [clause for rule in config.rules for clause in rule.ways]
    named = {label for clause in clauses for label in clause.hear}
    named |= {label for clause in clauses if clause.then for label in clause.then.hear}
    return named | {row.id for row in vocabulary().values() if row.severity_default != "info"}

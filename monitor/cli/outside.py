"""What a configuration names outside itself: files that must be there when it runs."""

import os
from collections.abc import Iterator
from pathlib import Path

from monitor.classifiers import ClassifierConfig
from monitor.config import Config
from monitor.document import read_document
from monitor.errors import ConfigError, ModelError
from monitor.publishers import PublisherConfig
from monitor.publishers.jsonl import JsonlConfig
from monitor.publishers.mqtt import MqttConfig
from monitor.rules.check import Finding
from monitor.sources import SourceConfig
from monitor.sources.file import FileConfig
from monitor.sources.stream import StreamConfig


def outside_findings(config: Config) -> Iterator[Finding]:
    """Files that are missing or of no use. Fatal: the daemon would not start; else it goes on without."""
    for i, source in enumerate(config.sources):
        if source.enabled:
            yield from _of_source(source, i)
    for i, classifier in enumerate(config.classifiers):
        yield from _of_classifier(classifier, i)
    for i, publisher in enumerate(config.publishers):
        yield from _of_publisher(publisher, i)


def check_outside(config: Config, path: Path) -> None:
    """Raises ConfigError, with file and line, for files without which the daemon would not start."""
    document = read_document(path)
    problems = [document.about(found.place, found.text) for found in outside_findings(config) if found.fatal]
    if problems:
        raise ConfigError(problems)


def _of_source(source: SourceConfig, i: int) -> Iterator[Finding]:
    if isinstance(source, FileConfig) and (reason := _unreadable(source.path)):
        yield Finding(False, ("sources", i, "path"), f"{reason}; the source is offline until it can be read")
    if isinstance(source, StreamConfig) and source.ca_file and (reason := _unreadable(source.ca_file)):
        yield Finding(False, ("sources", i, "ca_file"), f"{reason}; the source cannot connect without it")


def _of_classifier(block: ClassifierConfig, i: int) -> Iterator[Finding]:
    model = getattr(block, "model", None)
    if isinstance(model, Path) and (reason := _unreadable(model)):
        yield Finding(False, ("classifiers", i, "model"), f"{reason}; the house is heard without this model")
        return
    try:
        assert block.build().labels is not None
    except ModelError as error:
        yield Finding(False, ("classifiers", i), f"{error}; the house is heard without this model")


def _of_publisher(block: PublisherConfig, i: int) -> Iterator[Finding]:
    if isinstance(block, MqttConfig) and block.tls:
        for key, reason in block.tls.problems():
            yield Finding(True, ("publishers", i, "tls", key), reason)
    if isinstance(block, JsonlConfig) and block.path and not os.access(block.path.parent, os.W_OK):
        reason = f"{block.path.parent} is no folder that can be written; events wait until it is"
        yield Finding(False, ("publishers", i, "path"), reason)


def _unreadable(path: Path) -> str:
    """Why a file cannot be read; empty when it can."""
    try:
        with path.open("rb"):
            return ""
    except OSError as error:
        return f"{path} cannot be read ({error.strerror})"

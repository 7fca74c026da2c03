"""What a configuration names outside itself: files that must be there when it runs."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from monitor.classifiers import ClassifierConfig, TranscriberConfig
from monitor.classifiers.cascade import SecondLook
from monitor.classifiers.taggers.calibration import read_calibration
from monitor.classifiers.taggers.onnx import OnnxConfig
from monitor.config.model import Config
from monitor.config.yaml_document import read_document
from monitor.errors import ConfigError, ModelError
from monitor.publishers.command import CommandConfig
from monitor.publishers.jsonl import NO_PATH, JsonlConfig
from monitor.publishers.mqtt.config import MqttConfig
from monitor.rules.checking.check import Finding
from monitor.schema import kind_of, lost_link, unreadable
from monitor.sources import SourceConfig
from monitor.sources.file import FileConfig
from monitor.sources.stream.source import StreamConfig
from monitor.sources.udp.source import MISSING_EXTRA, UdpConfig
from monitor.sources.wyoming import MISSING_EXTRA as WYOMING_MISSING
from monitor.sources.wyoming import WyomingConfig


def outside_findings(config: Config) -> Iterator[Finding]:
    """Files that are missing or of no use. Fatal: the daemon would not start; else it goes on without."""
    for i, source in enumerate(config.sources):
        if source.enabled:
            yield from _of_source(source, i)
    for i, classifier in enumerate(config.classifiers):
        yield from _of_classifier(classifier, i)
    yield from _of_transcripts(config)
    yield from _of_combination(config)
    yield from _certificates(config)
    for i, publisher in enumerate(config.publishers):
        if isinstance(publisher, JsonlConfig):
            yield from _of_file(publisher, i)
        elif isinstance(publisher, CommandConfig):
            yield from _of_program(publisher, i)
    yield from _of_state(config.state_folder())


def check_outside(config: Config, path: Path) -> None:
    """Raises ConfigError, with file and line, for files without which the daemon would not start."""
    document = read_document(path)
    # Nothing but these is touched: a model may lie on a disk that does not answer, and is waited for later.
    problems = [document.about(found.place, found.text) for found in _certificates(config)]
    if problems:
        raise ConfigError(problems)


def _of_source(source: SourceConfig, i: int) -> Iterator[Finding]:
    if isinstance(source, FileConfig) and source.path.is_dir():
        text = f"{source.path} is a folder; a source plays one recording, `earwitness analyze` reads folders"
        yield Finding(False, ("sources", i, "path"), text)
    elif isinstance(source, FileConfig) and (reason := unreadable(source.path)):
        yield Finding(False, ("sources", i, "path"), f"{reason}; the source is offline until it can be read")
    elif isinstance(source, FileConfig) and not source.path.stat().st_size:
        text = f"{source.path} is empty; the source is offline until there is sound in it"
        yield Finding(False, ("sources", i, "path"), text)
    if isinstance(source, UdpConfig) and find_spec("cryptography") is None:
        yield Finding(False, ("sources", i, "type"), f"{MISSING_EXTRA}; the source is offline without it")
    if isinstance(source, WyomingConfig) and find_spec("wyoming") is None:
        text = f"{WYOMING_MISSING}; the source is offline without it"
        yield Finding(False, ("sources", i, "type"), text)
    if isinstance(source, StreamConfig) and source.ca_file and (reason := unreadable(source.ca_file)):
        yield Finding(False, ("sources", i, "ca_file"), f"{reason}; the source cannot connect without it")


def _of_classifier(block: ClassifierConfig, i: int) -> Iterator[Finding]:
    model = block.model
    reason = unreadable(model) if isinstance(model, Path) else _no_folder(block, model)
    if reason:
        yield Finding(False, ("classifiers", i, "model"), f"{reason}; the house is heard without this model")
        return
    try:
        assert block.build().labels is not None
        if isinstance(block, OnnxConfig) and block.calibration is not None:
            read_calibration(block.calibration)
    except ModelError as error:
        yield Finding(False, ("classifiers", i), f"{error}; the house is heard without this model")


def _no_folder(block: ClassifierConfig | TranscriberConfig, model: str | None) -> str:
    """Why a model that is named by its hub id or folder cannot lie there; empty where it can."""
    if model is None or block.type == "remote":  # a server knows it by that name
        return ""
    kind = kind_of(Path(model)) or ("a file" if Path(model).is_file() else "a folder")
    return "" if kind == "a folder" else f"{model} is {kind}; name the folder of a model, or its hub id"


def _of_transcripts(config: Config) -> Iterator[Finding]:
    block = config.transcripts
    for key in ("model", "aligner"):
        if block is not None and (reason := _no_folder(block, getattr(block, key, None))):
            yield Finding(False, ("transcripts", key), f"{reason}; no words are written down without it")


def _of_combination(config: Config) -> Iterator[Finding]:
    """Scores of which each means something else are not to be averaged."""
    if config.combine == "first":
        return
    small = [block for block in config.classifiers if not isinstance(block, SecondLook)]
    if len(small) < 2:
        yield Finding(
            False, ("combine",), f"there is nothing to combine: small classifiers here: {len(small)}"
        )
    for block in small:
        if isinstance(block, OnnxConfig) and block.calibration is None:
            yield Finding(
                False,
                ("combine",),
                f"the scores of {block.name} are not calibrated, and count for more or less than they "
                f"should; `earwitness eval CLIPS.csv --model {block.name} --calibration FILE` makes its "
                "`calibration:`",
            )


def _certificates(config: Config) -> Iterator[Finding]:
    for i, block in enumerate(config.publishers):
        if isinstance(block, MqttConfig) and block.tls:
            for key, reason in block.tls.problems():
                yield Finding(True, ("publishers", i, "tls", key), reason)


def _of_file(block: JsonlConfig, i: int) -> Iterator[Finding]:
    if block.path is None:
        return
    if found := kind_of(block.path):
        reason = f"{block.path} is {found} and no file; {NO_PATH}"
        yield Finding(False, ("publishers", i, "path"), reason)
    elif not os.access(block.path.parent, os.W_OK):
        reason = f"{block.path.parent} is no folder that can be written; events wait until it is"
        yield Finding(False, ("publishers", i, "path"), reason)


def _of_program(block: CommandConfig, i: int) -> Iterator[Finding]:
    program = Path(block.argv[0])
    if not program.is_file() or not os.access(program, os.X_OK):
        reason = f"{program} is no program that can be run; alerts wait until it is"
        yield Finding(False, ("publishers", i, "argv"), reason)


def _of_state(folder: Path) -> Iterator[Finding]:
    """Nothing is made here: the nearest folder that is there must let the daemon make it."""
    if reason := _useless(folder):
        lost = "nothing is kept: alerts that wait are lost with the daemon, and there is no page"
        yield Finding(False, ("state_dir",), f"{reason}; {lost}. Name a folder that can be written")
    elif not folder.is_absolute():
        reason = f"{folder} is another folder wherever earwitness is started from; write the whole path"
        yield Finding(False, ("state_dir",), reason)


def _useless(folder: Path) -> str:
    """Why nothing can be kept in a folder; empty when it can."""
    nearest = next(each for each in (folder.absolute(), *folder.absolute().parents) if os.path.lexists(each))
    if reason := lost_link(nearest):
        return f"{nearest} {reason}"
    if not nearest.is_dir():
        return f"{nearest} is a file and no folder"
    if not os.access(nearest, os.W_OK):
        return f"{nearest} cannot be written by this user"
    disk = os.statvfs(nearest)
    if not disk.f_blocks:
        return f"{nearest} is no place on a disk"
    return "" if disk.f_bavail else f"the disk of {nearest} is full"

"""What is wrong with receivers in the light of the rest of the configuration."""

from collections.abc import Callable, Iterator

from monitor.config.model import Config
from monitor.config.yaml_document import Document, KeyPath
from monitor.labels import did_you_mean
from monitor.notifiers.apprise import NotifyConfig
from monitor.publishers.command import CommandConfig
from monitor.publishers.frigate import FrigateConfig


def receiver_lines(
    config: Config,
    document: Document,
    original: Callable[[KeyPath], KeyPath],
    is_spoiled: Callable[[KeyPath], bool],
    nobody: Callable[[str, str], bool],
) -> Iterator[str]:
    """Every problem with its place. `original`: where a place of `config` stands in the document;
    `nobody`: whether certainly nothing in a list has that name."""
    for j, publisher in enumerate(config.publishers):
        place: KeyPath = ("publishers", j)
        if isinstance(publisher, CommandConfig):
            known = [rule.name for rule in (*config.rules, *config.off_rules())]
            for name in publisher.rules:
                if name not in known and nobody("rules", name):
                    text = f"no rule is named {name!r}{did_you_mean(name, known)}"
                    yield document.about(original((*place, "rules")), text)
        if isinstance(publisher, FrigateConfig):
            sources = [source.name for source in config.sources]
            for name in publisher.cameras:
                if name not in sources and nobody("sources", name):
                    text = f"no source is named {name!r}{did_you_mean(name, sources)}"
                    yield document.about(original((*place, "cameras")), text)
    yield from _digest_lines(config, document, nobody)
    for j, notifier in enumerate(config.notifiers):
        place = original(("notifiers", j, "urls"))
        if not isinstance(notifier, NotifyConfig):
            continue
        if notifier.pictures and not is_spoiled(("evidence",)):
            here = original(("notifiers", j, "pictures"))
            if not config.evidence.pictures:
                yield document.about(here, "there are none; set `evidence: {pictures: true}`")
            elif not config.evidence.no_speech:
                text = "pictures leave the house only without speech; leave `evidence: no_speech` at true"
                yield document.about(here, text)
        if document.is_unread(place):
            continue
        if reason := notifier.not_understood():
            yield document.about(place, reason)


def _digest_lines(config: Config, document: Document, nobody: Callable[[str, str], bool]) -> Iterator[str]:
    known = [*(notifier.name for notifier in config.notifiers), *config.off_names("notifiers")]
    for name in config.digest.notify if config.digest else ():
        if name not in known and nobody("notifiers", name):
            yield document.about(
                ("digest", "notify"), f"no notifier is named {name!r}{did_you_mean(name, known)}"
            )

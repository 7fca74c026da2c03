"""Builds the parts of the loop from a Config: the same ones for the daemon and for recordings."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from monitor.audio import Piece
from monitor.classifiers import TranscriberConfig
from monitor.classifiers.audio_llm.transcribers.base import Transcriber
from monitor.classifiers.audio_llm.transcribers.by_classifier import ClassifierTranscriberConfig
from monitor.classifiers.audio_llm.transcribers.words import NAME as WORDS
from monitor.classifiers.audio_llm.transcribers.words import TranscriptClassifier, Voices
from monitor.classifiers.base import Classifier, Wants
from monitor.classifiers.cascade import Cascade, SecondLook
from monitor.classifiers.taggers.ensemble import combined
from monitor.classifiers.taught.classifier import NAME as TAUGHT
from monitor.classifiers.taught.classifier import TaughtClassifier
from monitor.config.capabilities import thresholds
from monitor.config.house import build_house, is_alike
from monitor.config.model import Config
from monitor.config.taught import TaughtHere, built, unheard
from monitor.errors import ModelError
from monitor.events.tracker import Tracker
from monitor.gate.gate import Gate
from monitor.gate.habit import Habit
from monitor.logs import get_logger
from monitor.pipeline.decisions import DecisionEngine
from monitor.pipeline.front_end import FrontEnd
from monitor.rhythm.detector import RhythmDetector
from monitor.rules.clauses import says
from monitor.rules.engine import RuleEngine
from monitor.rules.outage import SourceOutage
from monitor.sources import SourceConfig

log = get_logger()


@dataclass(frozen=True)
class LoadedClassifiers:
    """The classifiers that could be loaded: those that always run (`first`), and verifiers (`second`), each
    with what it wants to judge."""

    first: tuple[Classifier, ...] = ()
    second: tuple[tuple[Classifier, Wants], ...] = ()
    missing: dict[str, str] = field(default_factory=dict)
    """The reason, by name, of each classifier that could not be loaded."""
    taught_classifiers: tuple[TaughtClassifier, ...] = ()
    """Those of `first`, or its members, that hear what the house has taught."""

    @property
    def all(self) -> Iterator[Classifier]:
        """Every classifier that is loaded."""
        yield from self.first
        yield from (classifier for classifier, _ in self.second)

    def taught(self, taught: TaughtHere) -> "LoadedClassifiers":
        """The same classifiers, which from the next look on hear what the house has taught by now."""
        for one in self.taught_classifiers:
            one.take(taught.sounds)
        others = {name: why for name, why in self.missing.items() if name != TAUGHT}
        return replace(self, missing=others | _unheard(taught, self.first))

    def close(self) -> None:
        """Unload all models."""
        for classifier in self.all:
            classifier.close()


def load_classifiers(config: Config) -> LoadedClassifiers:
    """Load every classifier of the configuration, and the transcriber if a rule asks for words.

    One that cannot be loaded is logged and left out: alarms are heard by their rhythm, and loud noises by the
    gate, whatever happens to a model.
    """
    first: list[Classifier] = []
    second: list[tuple[Classifier, Wants]] = []
    missing: dict[str, str] = {}
    for block in config.classifiers:
        if classifier := _loaded(block.name, partial(built, block, config.taught), missing):
            if isinstance(block, SecondLook):
                second.append((classifier, Cascade(block, _unsure_bands(first))))
            else:
                first.append(classifier)
    missing |= _unheard(config.taught, first)
    if config.transcripts is not None and (asked := _sources_asked_for_words(config)):
        options, phrases = config.transcripts, _awaited_phrases(config)
        writer = _transcriber(options, [classifier for classifier, _ in second], phrases)
        words = _loaded(
            WORDS, lambda: TranscriptClassifier(writer, lambda text: says(text, phrases)), missing
        )
        second += [(words, Voices(asked, while_speaking=options.while_speaking))] if words else []
    taught_classifiers = tuple(one for one in first if isinstance(one, TaughtClassifier))
    return LoadedClassifiers(combined(config.combine, first), tuple(second), missing, taught_classifiers)


def _unheard(taught: TaughtHere, first: Sequence[Classifier]) -> dict[str, str]:
    """What keeps taught sounds from being heard, logged; the last of it as `missing`."""
    problems = unheard(taught, frozenset().union(*(one.labels for one in first)))
    for problem in problems:
        log.warning("a taught sound cannot be heard", why=problem)
    return {TAUGHT: problems[-1]} if problems else {}


def _unsure_bands(first: Sequence[Classifier]) -> dict[str, tuple[float, float]]:
    """By label, the scores between which a small model itself asks for a second opinion."""
    bands: dict[str, tuple[float, float]] = {}
    for classifier in first:
        bands |= classifier.second_look
    return bands


def _loaded(name: str, build: Callable[[], Classifier], missing: dict[str, str]) -> Classifier | None:
    try:
        classifier = build()
        classifier.load()
    except ModelError as error:
        missing[name] = str(error)
        log.error("listening without this model", classifier=name, reason=str(error))
        return None
    return classifier


def _transcriber(
    block: TranscriberConfig, loaded: Sequence[Classifier], phrases: Sequence[str]
) -> Transcriber:
    """The transcriber, with the phrases of the rules: without them it writes a rare name as a common word."""
    if isinstance(block, ClassifierTranscriberConfig):
        return block.build(loaded)
    words = list(dict.fromkeys([*block.hot_words, *phrases]))
    return block.model_copy(update={"hot_words": words}).build()


def _awaited_phrases(config: Config) -> list[str]:
    """The phrases that rules wait for."""
    return [phrase for rule in config.rules for clause in rule.ways for phrase in clause.say]


def _sources_asked_for_words(config: Config) -> frozenset[str]:
    """The sources of rules with `say`: the others are never transcribed."""
    rules = [rule for rule in config.rules if any(clause.say for clause in rule.ways)]
    everywhere = [source.name for source in config.sources]
    return frozenset(name for rule in rules for name in rule.sources or everywhere)


def build_front_end(
    config: Config,
    source: SourceConfig,
    classifiers: LoadedClassifiers,
    remember: Callable[[Piece], bool] | None = None,
    habit: Habit | None = None,
) -> FrontEnd:
    """Gate and rhythm for one source. The gate names speech itself when no classifier can. `remember` is
    shown all sound; `habit` is how the source usually is."""
    hears_speech = any("speech" in classifier.labels for classifier in classifiers.first)
    gate = Gate(
        source.name,
        config.gate_of(source),
        require_speech=source.require == "speech",
        vad_speech=not hears_speech,
        habit=habit,
    )
    return FrontEnd(source.name, gate, RhythmDetector(source.name), remember)


def build_rules(config: Config, classifiers: LoadedClassifiers, *, replayed: bool = False) -> RuleEngine:
    """The rules of a configuration, with nothing remembered; `replayed`: see `AbsenceWatch`."""
    second = frozenset(classifier.name for classifier, _ in classifiers.second if classifier.labels)
    return RuleEngine(
        [rule.notifying_all_but(config.off_names("notifiers")) for rule in config.rules],
        verifiers=second,
        transcript_of=lambda event: event.transcript,
        house=config.house,
        sources=[source.name for source in config.sources if source.enabled],
        replayed=replayed,
        calibrations={
            one.name: one.calibration_db for one in config.sources if one.calibration_db is not None
        },
    )


def only_decisions_differ(config: Config, other: Config) -> bool:
    """Whether rules, thresholds and what the house has taught are all that differs, and the labels that rules
    show in Home Assistant and the words that they want written down are the same: no source has to know.
    Where a taught sound was forgotten, its events have to end."""
    return (
        _without_decisions(other) == _without_decisions(config)
        and set(config.taught.labels) <= set(other.taught.labels)
        and is_alike(build_house(_untaught(other)), build_house(_untaught(config)))
        and (_sources_asked_for_words(other), _awaited_phrases(other))
        == (_sources_asked_for_words(config), _awaited_phrases(config))
    )


def _without_decisions(config: Config) -> Config:
    sources = [source.model_copy(update={"labels": {}}) for source in config.sources]
    return _untaught(config.model_copy(update={"rules": [], "labels": {}, "sources": sources}))


def _untaught(config: Config) -> Config:
    return config.with_taught(TaughtHere())


def build_decision_engine(
    config: Config, classifiers: LoadedClassifiers, *, replayed: bool = False
) -> DecisionEngine:
    """Tracker and rules for all sources; `replayed`: of what was kept, not as it happens."""
    second = frozenset(classifier.name for classifier, _ in classifiers.second if classifier.labels)
    tracker = Tracker(thresholds(config, classifiers.first).of, verifiers=second)
    for source in config.sources:
        tracker.set_sensitivity(source.name, source.sensitivity)
    notifiers = [block.name for block in config.notifiers]
    outage = SourceOutage(config.not_listening_after_s, notifiers)
    return DecisionEngine(tracker, build_rules(config, classifiers, replayed=replayed), outage)

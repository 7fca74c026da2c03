"""What is wrong with rules beyond their grammar: names that nobody has, sounds that nobody hears."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from monitor.labels import LIFE_SAFETY, SEVERITIES, Severity, did_you_mean
from monitor.rules.checking.conditions import condition_problems
from monitor.rules.engine import duplicate_names
from monitor.rules.house import HouseConfig
from monitor.rules.model import LIFE_SAFETY_COOLDOWN_S, Clause, Rule, UnlessHeard

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What rules can count on in this house."""

    produced: frozenset[str]
    """Labels that some enabled classifier can hear, the emotions among them."""
    sources: tuple[str, ...]
    """Names of the enabled sources."""
    onsets: Mapping[str, Mapping[str, float]]
    """Source, label, onset score."""
    highest: Mapping[str, float] = field(default_factory=dict)
    """Label, highest score that the alarm rhythms give it; a score above is asked in vain."""
    starved: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Source, label, and why its event can never collect the hits it needs there."""
    devices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Sources at which another device listens, and the labels that it can report."""
    notifiers: Mapping[str, Severity] | None = None
    """Names that `notify` may use, and the mildest severity that each takes; None leaves that unchecked."""
    off: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Names of the sources and notifiers that are switched off, by the key of a rule that names them."""
    transcribes: bool = False
    """Whether `transcripts:` is set."""
    verifies: bool = True
    """Whether there is a large model to wait for."""
    classifies: bool = True
    """Whether there is any classifier."""
    calibrated: frozenset[str] = frozenset()
    """Names of the sources whose loudness is known in dB(A)."""
    house: Mapping[str, HouseConfig] = field(default_factory=dict)
    """What rules can ask of the house."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, or that was hardly meant."""

    fatal: bool
    """The rule can never fire or names what is not there: an error. Otherwise a warning."""
    place: KeyPath
    """Where in the document, for example ("rules", 2, "hear")."""
    text: str
    """Names the rule, the thing and the fix."""
    missed: str = ""
    """The name that nobody has, where it is about one."""


def check_rules(rules: Sequence[Rule], able: Capabilities) -> list[Finding]:
    """Everything that is wrong with the rules in this house, errors and warnings, in the order of rules."""
    found = [Finding(True, ("rules",), text) for text in duplicate_names(rules)]
    for i, rule in enumerate(rules):
        place: KeyPath = ("rules", i)
        found += _check_names(rule, place, able)
        found += _check_ways(rule, place, able)
        found += _check_wait(rule, place, able)
        found += _check_cooldown(rule, place)
        found += [
            Finding(bad, (*place, key), text) for bad, key, text in condition_problems(rule, able.house)
        ]
    in_vain = any(one.fatal and one.place[-1] in ("hear", "then") for one in found)
    return [*found, *_check_without_classifiers(rules, able, fatal=in_vain)]


def _check_without_classifiers(
    rules: Sequence[Rule], able: Capabilities, *, fatal: bool
) -> Iterator[Finding]:
    """`classifiers: []` is allowed; what it costs is listed as a whole, an error where a rule is in vain."""
    wanted = dict.fromkeys(label for rule in rules for label in rule.labels)
    unheard = [label for label in wanted if label not in able.produced]
    if unheard and not able.classifies:
        text = (
            f"classifiers: there are none, so nothing hears {_or(unheard)}, which rules ask for; leave "
            "`classifiers` out for the model that ships with earwitness"
        )
        yield Finding(fatal, ("classifiers",), text)


def _check_names(rule: Rule, place: KeyPath, able: Capabilities) -> Iterator[Finding]:
    notifiers = rule.notify if able.notifiers is None else able.notifiers
    for key, kind, names, known in (
        ("sources", "enabled source", rule.sources, able.sources),
        ("notify", "notifier", rule.notify, notifiers),
    ):
        off = able.off.get(key, frozenset())
        gone = [name for name in names if name in off and name not in known]
        yield from _check_off(rule, (*place, key), gone, [name for name in names if name not in gone])
        for name in names:
            if name not in known and name not in gone:
                text = f"rule {rule.name!r}: no {kind} is named {name!r}{did_you_mean(name, known)}"
                yield Finding(True, (*place, key), text, missed=name)
    gravest = rule.gravest_severity
    for name in rule.notify:
        least = (able.notifiers or {}).get(name, gravest)
        if SEVERITIES.index(gravest) < SEVERITIES.index(least):
            text = (
                f"rule {rule.name!r} is of severity {gravest}; notifier {name!r} accepts nothing below "
                f"{least}"
            )
            yield Finding(False, (*place, "notify"), f"{text}, so it never gets its alerts")


def _check_off(rule: Rule, place: KeyPath, gone: list[str], left: list[str]) -> Iterator[Finding]:
    """What is switched off is no mistake, and mostly to come back; until then it is missed."""
    if not gone:
        return
    costs = {
        "sources": ("hears nothing there", "hears nothing at all"),
        "notify": ("does not notify them", "notifies nobody"),
    }[str(place[-1])][not left]
    text = f"rule {rule.name!r} names {', '.join(gone)}, switched off (enabled: false), and {costs}"
    yield Finding(False, place, text)


def _check_ways(rule: Rule, place: KeyPath, able: Capabilities) -> Iterator[Finding]:
    if rule.unless_heard is not None:
        yield from _check_absence(rule, rule.unless_heard, place, able)
        return
    if rule.level is not None:
        yield from _check_level(rule, place, able)
        return
    problems = [_why_never(clause, able) for clause in rule.ways]
    hopeless = all(problems)
    for way, (clause, problem) in enumerate(zip(rule.ways, problems, strict=True)):
        here = (*place, "any", way) if rule.any else place
        if problem:
            key, text = problem
            scope = "can never fire" if hopeless else "can never fire in this way"
            yield Finding(hopeless, (*here, key), f"rule {rule.name!r} {scope}: {text}")
        else:
            yield from _check_labels(rule, clause, here, able)


def _check_absence(rule: Rule, block: UnlessHeard, place: KeyPath, able: Capabilities) -> Iterator[Finding]:
    """A sound that nobody can hear would be missed every day."""
    unheard = [label for label in block.hear if label not in able.produced]
    if unheard:
        text = f"rule {rule.name!r}: no enabled classifier hears {_or(unheard)}; add a classifier that does"
        yield Finding(unheard == list(block.hear), (*place, "unless_heard"), text)


def _check_level(rule: Rule, place: KeyPath, able: Capabilities) -> Iterator[Finding]:
    """Never an error: a calibration that is taken back must not keep the daemon from starting."""
    asked = [name for name in rule.sources or able.sources if name in able.sources]
    if deaf := [name for name in asked if name in able.devices and name in rule.sources]:
        away = f"the sound of {_or(deaf)} stays in another device"
        text = f"rule {rule.name!r}: {away}, so its loudness is not known"
        yield Finding(False, (*place, "level"), text)
    unknown = [name for name in asked if name not in able.calibrated and name not in able.devices]
    if unknown:
        never = "can never fire" if not able.calibrated.intersection(asked) else "never fires there"
        text = (
            f"rule {rule.name!r} {never}: how loud it is at {_or(unknown)} is not known in dB(A); calibrate "
            f"it by a sound level meter beside the microphone: earwitness calibrate {unknown[0]} --dba 62.5"
        )
        yield Finding(False, (*place, "level"), text)


def _why_never(clause: Clause, able: Capabilities) -> tuple[str, str] | None:
    """Key and reason if the clause cannot come true."""
    if not able.produced.intersection(clause.hear):
        return "hear", f"no enabled classifier hears {_or(clause.hear)}; add a classifier that does"
    if clause.then and not able.produced.intersection(clause.then.hear):
        return "then", f"no enabled classifier hears {_or(clause.then.hear)}; add a classifier that does"
    if clause.emotion and not able.produced.intersection(clause.emotion):
        return "emotion", f"no enabled classifier hears {_or(clause.emotion)}; add a classifier that does"
    if clause.say and not able.transcribes:
        return "say", "nothing makes transcripts; set `transcripts:`"
    return None


def _check_labels(rule: Rule, clause: Clause, place: KeyPath, able: Capabilities) -> Iterator[Finding]:
    for key, labels in (("hear", clause.hear), ("then", clause.then.hear if clause.then else ())):
        unheard = [label for label in labels if label not in able.produced]
        if unheard:
            text = f"rule {rule.name!r}: no enabled classifier hears {_or(unheard)}"
            yield Finding(False, (*place, key), text)
    yield from _check_reach(rule, clause, place, able)
    yield from _check_devices(rule, clause, place, able)
    for source in rule.sources or able.sources:
        starved = able.starved.get(source, {})
        for label in (label for label in clause.hear if label in starved):
            text = f"rule {rule.name!r}: no {label} event ever begins at {source}: {starved[label]}"
            yield Finding(False, (*place, "hear"), text)
        onsets = able.onsets.get(source, {})
        higher = {
            label: onsets[label] for label in clause.hear if onsets.get(label, 0) > clause.min_score > 0
        }
        if higher:
            those = ", ".join(f"{label} ({onset:.2f})" for label, onset in higher.items())
            text = (
                f"rule {rule.name!r}: min_score {clause.min_score:g} is below the onset of {those} "
                f"at {source}, where events begin; lower the onset under `labels:` or leave min_score out"
            )
            yield Finding(False, (*place, "min_score"), text)


def _check_devices(rule: Rule, clause: Clause, place: KeyPath, able: Capabilities) -> Iterator[Finding]:
    """A sound that none of the devices detects at which alone the rule listens."""
    sources = rule.sources or able.sources
    if sources and all(source in able.devices for source in sources):
        unknown = [label for label in clause.hear if not any(label in able.devices[one] for one in sources)]
        if unknown:
            those = f"the `label_map` of {_or(sources)} has no {_or(unknown)}"
            yield Finding(False, (*place, "hear"), f"rule {rule.name!r}: {those}; add it there")


def _check_reach(rule: Rule, clause: Clause, place: KeyPath, able: Capabilities) -> Iterator[Finding]:
    """An alarm that is found by its rhythm must be able to fire the rule."""
    lower = [label for label in clause.hear if able.highest.get(label, 1.0) < clause.min_score]
    if lower:
        those = ", ".join(f"{label} ({able.highest[label]:.2f})" for label in lower)
        text = (
            f"rule {rule.name!r}: no rhythm scores as high as min_score {clause.min_score:g}, at most "
            f"{those}; lower it, or ask for `certainty: confirmed` instead"
        )
        yield Finding(True, (*place, "min_score"), text)


def _check_wait(rule: Rule, place: KeyPath, able: Capabilities) -> Iterator[Finding]:
    if not rule.wait_for_verify_s:
        return
    here = (*place, "wait_for_verify_s")
    if not able.verifies:
        text = f"rule {rule.name!r} waits for a large model, and there is none, so it will not wait"
        yield Finding(False, here, text)
    elif LIFE_SAFETY.issuperset(label for clause in rule.ways for label in clause.hear):
        text = f"rule {rule.name!r}: smoke, CO and fire alarms never wait; leave wait_for_verify_s out"
        yield Finding(False, here, text)


def _check_cooldown(rule: Rule, place: KeyPath) -> Iterator[Finding]:
    dangers = [label for clause in rule.ways for label in clause.hear if label in LIFE_SAFETY]
    if dangers and rule.cooldown_s > LIFE_SAFETY_COOLDOWN_S:
        text = (
            f"rule {rule.name!r}: cooldown_s {rule.cooldown_s:g} counts as {LIFE_SAFETY_COOLDOWN_S:g} for "
            f"{_or(list(dict.fromkeys(dangers)))}: a fire must not wait behind a false alarm"
        )
        yield Finding(False, (*place, "cooldown_s"), text)


def _or(labels: Sequence[str]) -> str:
    return " or ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))

"""A rule as a sentence that can be read aloud."""

from collections.abc import Iterable, Iterator

from monitor.rules.model import Clause, Conditions, LevelAbove, Rule, UnlessHeard
from monitor.web.words import label_words, room_words, sentence


def rule_words(rule: Rule, language: str) -> str:
    """`When Breaking glass is heard in any room, between 22:00 and 07:00: critical. Notifies phones.`"""
    if rule.unless_heard is not None:
        return _absence(rule, rule.unless_heard, language)
    if rule.level is not None:
        return _level(rule, rule.level, language)
    ways = f" {sentence('rule.or', language)} ".join(_way(way, language) for way in rule.ways)
    where = _joined([room_words(name) for name in rule.sources], language)
    parts = [
        sentence("rule.when", language, what=ways),
        sentence("rule.in", language, rooms=where) if where else sentence("rule.anywhere", language),
        *_times(rule, language),
        *_house(rule, language),
    ]
    severity = sentence(f"severity.{rule.gravest_severity}", language)
    end = [sentence("rule.then_severity", language, severity=severity), *_people(rule, language)]
    if rule.demote_while:
        values = _values(rule.demote_while, language, "rule.or")
        end.append(sentence("rule.demoted", language, values=values))
    return " ".join([*parts, *end])


def _absence(rule: Rule, block: UnlessHeard, language: str) -> str:
    where = _joined([room_words(name) for name in rule.sources], language)
    parts = [
        sentence("rule.when", language, what=_labels(block.hear, language)),
        sentence("rule.in_not", language, rooms=where) if where else sentence("rule.nowhere", language),
        sentence("rule.between", language, between=f"{block.from_}\N{EN DASH}{block.by}"),
        *_times(rule, language),
        *_house(rule, language),
    ]
    severity = sentence(f"severity.{rule.gravest_severity}", language)
    end = sentence("rule.then_severity", language, severity=severity)
    return " ".join([*parts, end, *list(_people(rule, language))[:-1]])


def _level(rule: Rule, block: LevelAbove, language: str) -> str:
    where = _joined([room_words(name) for name in rule.sources], language)
    louder = sentence("rule.louder", language, above=f"{block.above_dba:g}", lasts=_s(block.for_s))
    parts = [
        sentence("rule.when", language, what=louder),
        sentence("rule.in_room", language, rooms=where) if where else sentence("rule.somewhere", language),
        *_times(rule, language),
        *_house(rule, language),
    ]
    severity = sentence(f"severity.{rule.gravest_severity}", language)
    end = sentence("rule.then_severity", language, severity=severity)
    return " ".join([*parts, end, *_people(rule, language)])


def _way(way: Clause, language: str) -> str:
    words = [_labels(way.hear, language)]
    if way.count > 1:
        words.append(sentence("rule.count", language, count=way.count, within=_s(way.within_s or 0)))
    if way.lasts_s:
        words.append(sentence("rule.lasts", language, lasts=_s(way.lasts_s)))
    if way.min_score:
        words.append(sentence("rule.min_score", language, score=f"{way.min_score:.0%}"))
    if way.certainty == "confirmed":
        words.append(sentence("rule.confirmed", language))
    if way.emotion:
        emotions = [sentence(f"emotion.{one}", language) for one in way.emotion]
        words.append(sentence("rule.emotion", language, emotions=_joined(emotions, language)))
    if way.say:
        words.append(sentence("rule.say", language, words=_joined([f"“{one}”" for one in way.say], language)))
    if way.then is not None:
        after = _labels(way.then.hear, language)
        words.append(sentence("rule.then", language, what=after, within=_s(way.then.within_s)))
    return " ".join(words)


def _times(rule: Rule, language: str) -> Iterator[str]:
    if rule.between:
        yield sentence("rule.between", language, between=rule.between.replace("-", "\N{EN DASH}"))
    if rule.weekdays:
        days = _joined([sentence(f"weekday.{day}", language) for day in rule.weekdays], language)
        yield sentence("rule.weekdays", language, days=days)


def _house(rule: Rule, language: str) -> Iterator[str]:
    if rule.when:
        yield sentence("rule.while", language, values=_values(rule.when, language, "rule.and"))
    if rule.unless:
        yield sentence("rule.unless", language, values=_values(rule.unless, language, "rule.or"))


def _values(conditions: Conditions, language: str, last: str) -> str:
    """`mode: away or vacation`, joined as the rule joins them."""
    return _joined(
        [f"{name}: {_joined(values, language)}" for name, values in conditions.items()], language, last
    )


def _people(rule: Rule, language: str) -> Iterator[str]:
    if rule.notify and rule.escalate_after_s is not None:
        first, *later = rule.notify
        after = _joined(later, language, "rule.and") or first
        yield sentence("rule.escalates", language, first=first, later=after, after=_s(rule.escalate_after_s))
    elif rule.notify:
        yield sentence("rule.notifies", language, who=_joined(rule.notify, language, "rule.and"))
    yield sentence("rule.cooldown", language, cooldown=_s(rule.cooldown_s))


def _labels(labels: Iterable[str], language: str) -> str:
    return _joined([label_words(label, language) for label in labels], language)


def _joined(words: Iterable[str], language: str, last: str = "rule.or") -> str:
    *first, final = [*words] or [""]
    return f"{', '.join(first)} {sentence(last, language)} {final}" if first else final


def _s(seconds: float) -> str:
    if seconds >= 120 and seconds % 60 == 0:
        return f"{seconds / 60:g} min"
    return f"{seconds:g} s"

"""Why something was raised, or was not, in sentences: `explain`'s findings in words of the catalogue."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from monitor.events.certainty import TAUGHT_RHYTHM
from monitor.history.explain import EventTrace, Explanation, LabelTrace, LookTrace
from monitor.language.words import Language, number, pattern_words, pitch
from monitor.rules.trace import ClauseResult, RuleTrace
from monitor.types import EXTERNAL, Alert, SoundEvent
from monitor.web.words import catalogue, label_words, room_words, sentence

CLASSES_SHOWN = 3


def why_sentences(
    found: Explanation, language: Language, event_id: str | None = None
) -> list[dict[str, Any]]:
    """Sentences in their order, each with how much it weighs: `fact`, `good` (it went on), `stop` (what
    decided against it)."""
    say = _Say(language)
    trace = next((one for one in found.events if one.event.id == event_id), None)
    return [*say.room(found), *(say.event(trace, found) if trace else say.silence(found))]


def rule_sentence(rule_trace: RuleTrace, language: Language) -> str:
    """How far an event came in one rule."""
    text: str = _Say(language).of_rule(rule_trace)["text"]
    return text


class _Say:
    def __init__(self, language: Language) -> None:
        self._language: Language = language

    def room(self, found: Explanation) -> Iterator[dict[str, Any]]:
        """How loud it was, and what was set from outside."""
        for level in found.levels[:1]:
            yield self._fact(
                "why.level",
                room=room_words(level.source),
                level=_db(level.level_dbfs),
                floor=_db(level.floor_dbfs),
            )
        for setting in found.settings:
            key = f"why.{setting.name}"
            if setting.name == "mute" and not setting.value:
                continue
            yield self._fact(key, room=room_words(setting.source), value=setting.value)

    def event(self, trace: EventTrace, found: Explanation) -> Iterator[dict[str, Any]]:
        """Who heard it, how sure, how it ended, and what the rules made of it."""
        event = trace.event
        yield from self._heard(event, found.looks)
        yield self._fact(f"why.{event.certainty}")
        if others := [name for name in event.confirmed_by if name != event.classifier]:
            yield self._fact("why.confirmed_by", names=", ".join(map(self._classifier, others)))
        if event.ended_by:
            yield self._fact(f"why.ended.{event.ended_by}")
        yield from self.rules(trace)

    def _heard(self, event: SoundEvent, looks: Sequence[LookTrace]) -> Iterator[dict[str, Any]]:
        label = label_words(event.label, self._language)
        yield from self._rhythm(event, label)
        if (share := event.evidence.get(TAUGHT_RHYTHM)) is not None:
            yield self._fact("why.taught_rhythm", label=label, share=_percent(share, self._language))
        if event.classifier == EXTERNAL:
            told = event.evidence
            yield self._fact("why.device", label=label, device=told.get("device"), named=told.get("named"))
        best: dict[str, tuple[int, LabelTrace]] = {}
        for trace in looks:
            for one in trace.best:
                if one.label != event.label or one.by_rhythm or trace.look.source != event.source:
                    continue
                count, known = best.get(trace.look.classifier, (0, one))
                better = one if one.score > known.score else known
                best[trace.look.classifier] = (count + one.reached, better)
        for classifier, (count, one) in best.items():
            key = "why.reached" if one.reached else "why.below"
            values = {
                "name": self._classifier(classifier),
                "label": label,
                "score": _percent(one.score, self._language),
                "onset": _percent(one.row.onset, self._language),
            }
            yield {**self._fact(key, **values), "weight": "good" if one.reached else "fact"}
            if one.row.hits > 1:
                yield self._fact("why.hits", n=one.row.hits, found=count)

    def _rhythm(self, event: SoundEvent, label: str) -> Iterator[dict[str, Any]]:
        pattern, pitch_hz = event.evidence.get("pattern"), event.evidence.get("pitch_hz")
        if not pattern:
            return
        words = pattern_words(pattern, self._language)
        if isinstance(pitch_hz, int | float):
            at = pitch(pitch_hz, self._language)
            yield self._fact("why.rhythm_pitch", label=label, pattern=words, pitch=at)
        else:
            yield self._fact("why.rhythm", label=label, pattern=words)

    def silence(self, found: Explanation) -> Iterator[dict[str, Any]]:
        """Nothing was raised: how close each sound came."""
        best: dict[str, tuple[str, LabelTrace]] = {}
        for trace in found.looks:
            for one in trace.best:
                if one.label not in best or best[one.label][1].score < one.score:
                    best[one.label] = (trace.look.classifier, one)
        ranked = sorted(best.values(), key=lambda pair: pair[1].score - pair[1].row.onset, reverse=True)
        for classifier, one in ranked[:CLASSES_SHOWN]:
            label = label_words(one.label, self._language)
            values = {
                "name": self._classifier(classifier),
                "label": label,
                "score": _percent(one.score, self._language),
                "onset": _percent(one.row.onset, self._language),
            }
            weight = "fact" if one.reached else "stop"
            yield {**self._fact("why.reached" if one.reached else "why.below", **values), "weight": weight}
            if one.reached and one.row.hits > 1:
                yield {**self._fact("why.needs_hits", n=one.row.hits, label=label), "weight": "stop"}
        if not ranked:
            yield self._fact("why.no_classifier" if found.cuts or found.levels else "why.unknown")

    def rules(self, trace: EventTrace) -> Iterator[dict[str, Any]]:
        """Rule by rule; those about other sounds in one sentence."""
        others = 0
        for rule_trace in trace.traces:
            stopped = rule_trace.stopped_by
            alert = next((one for one in trace.alerts if one.rule == rule_trace.rule), None)
            if stopped is not None and alert is not None:
                yield self._helped(trace.event, alert)
            elif stopped is not None and stopped.clause == "hear":
                others += 1
            else:
                yield self._rule(rule_trace, stopped)
        if others == len(trace.traces):
            label = label_words(trace.event.label, self._language)
            yield {**self._fact("why.no_rule", label=label), "weight": "stop"}

    def of_rule(self, rule_trace: RuleTrace) -> dict[str, Any]:
        """One rule."""
        return self._rule(rule_trace, rule_trace.stopped_by)

    def _helped(self, event: SoundEvent, alert: Alert) -> dict[str, Any]:
        """By itself it was stopped; a sound before or after it completed the alert."""
        labels = dict.fromkeys(one.label for one in alert.events if one.id != event.id)
        sounds = ", ".join(label_words(label, self._language) for label in labels)
        key = "why.rule.helped" if labels else "why.rule.alert"
        return {**self._fact(key, rule=alert.rule, sounds=sounds), "weight": "good"}

    def _rule(self, rule_trace: RuleTrace, stopped: ClauseResult | None) -> dict[str, Any]:
        if stopped is None:
            return {**self._fact(f"why.rule.{rule_trace.outcome}", rule=rule_trace.rule), "weight": "good"}
        key = "why.rule.waits_at" if rule_trace.outcome == "waits" else "why.rule.stopped_at"
        values = {
            "rule": rule_trace.rule,
            "clause": self._clause(stopped.clause),
            "wanted": self._value(stopped.wanted, stopped.clause),
            "found": self._value(stopped.found, stopped.clause),
        }
        return {**self._fact(key, **values), "weight": "stop"}

    def _clause(self, clause: str) -> str:
        known = catalogue().get(f"clause.{clause}")
        return known[self._language] if known else clause

    def _value(self, value: Any, clause: str) -> str:
        """What a clause asks for, or was found, with its unit, which a clause has at the end of its name."""
        if value is None:
            return sentence("why.nothing", self._language)
        if isinstance(value, Mapping):
            pairs = ((self._word(name, clause), self._value(one, clause)) for name, one in value.items())
            return ", ".join(f"{name}: {words}" for name, words in pairs)
        if isinstance(value, list | tuple):
            return ", ".join(self._value(one, clause) for one in value)
        if not isinstance(value, float):
            return self._word(str(value), clause)
        unit = f"{_GAP}s" if clause.endswith("_s") else _PERCENT[self._language]
        return _plain(value if clause.endswith("_s") else 100 * value, self._language) + unit

    def _word(self, text: str, clause: str) -> str:
        """A word of ours as the page has it elsewhere; what people wrote stays as it is."""
        what, _, length = text.partition(" within ")
        if length and clause in ("count", "then"):
            words = ", ".join(self._word(one, clause) for one in what.split(", "))
            return sentence("why.within", self._language, what=words, length=length.replace(" ", _GAP))
        value, _, since = text.partition(" since ")
        if since and clause in _OF_THE_HOUSE:
            return sentence("why.since", self._language, value=self._word(value, clause), time=since)
        if clause in ("hear", "then"):
            return label_words(text, self._language)
        if clause == "sources":
            return room_words(text)
        own = catalogue().get(f"{_WORDS[clause]}.{text}") if clause in _WORDS else None
        if clause != "say":
            own = own or catalogue().get(f"why.said.{text.replace(' ', '_')}")
        return own[self._language] if own else text

    def _classifier(self, name: str) -> str:
        known = catalogue().get(f"classifier.{name}")
        return known[self._language] if known else name

    def _fact(self, key: str, **values: Any) -> dict[str, Any]:
        return {"key": key, "weight": "fact", "text": sentence(key, self._language, **values)}


_GAP = "\N{NO-BREAK SPACE}"
_PERCENT = {"en": "%", "de": f"{_GAP}%"}
_OF_THE_HOUSE = ("when", "unless", "demote_while")
_WORDS = {"certainty": "certainty", "weekdays": "weekday", "emotion": "emotion"} | dict.fromkeys(
    _OF_THE_HOUSE, "value"
)
"""How the keys begin under which the catalogue has what these clauses ask for."""


def _plain(value: float, language: Language) -> str:
    """A number without needless digits."""
    digits = next(n for n in (0, 1, 2) if n == 2 or abs(value - round(value, n)) < 1e-9)
    return number(value, digits, language)


def _percent(score: float, language: Language) -> str:
    """As the page itself writes it."""
    return f"{100 * score:.0f}{_PERCENT[language]}"


def _db(level_dbfs: float) -> str:
    return f"{level_dbfs:.0f}".replace("-", "\N{MINUS SIGN}")

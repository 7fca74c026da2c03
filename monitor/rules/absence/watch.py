"""Waits for sounds that ought to be heard, and raises an alert when their time is over and none was."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from typing import Any

from monitor.clock import CLOCK_JUMP_S, length_in_words
from monitor.labels import label_name
from monitor.language.words import enumerated, label_words, length, places, say, within
from monitor.logs import get_logger
from monitor.rules.absence.vigil import Vigil, Vigils
from monitor.rules.absence.window import WatchWindow, window_at
from monitor.rules.house import HouseValues, house_steps_at
from monitor.rules.model import Rule
from monitor.rules.trace import ClauseResult, RuleTrace
from monitor.types import Alert, SoundEvent, SourceStatus, new_id

log = get_logger()

GRACE = timedelta(seconds=30)
"""After the window's end so long is waited: what was heard in its last moment is decided by then."""
MISSED_S = 300.0
"""A source that was not listened to for longer in all may have missed the sound: what counts as lost
elsewhere, too. In a short window a tenth of it."""
_KEEP_EVERY_S = 60.0


class AbsenceWatch:
    """The rules with `unless_heard`. Belongs to the thread of the rules; it has no clock.

    `sources` are the names of all sources; a source counts as listened to from its first `online` on. With
    `replayed` all are listened to until one is known to be away, and a long pause between two looks is none.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        sources: Sequence[str],
        house: HouseValues,
        zone: tzinfo | None = None,
        *,
        replayed: bool = False,
    ) -> None:
        self.vigils = Vigils()
        self._rules = [rule for rule in rules if rule.unless_heard is not None]
        self._sources = tuple(sources)
        self._house = house
        self._zone = zone
        self._replayed = replayed
        self._online = set(sources) if replayed else set()
        self._muted: set[str] = set()
        self._deaf: frozenset[str] = frozenset()
        self._looked_at: datetime | None = None

    def take_over(self, former: "AbsenceWatch") -> None:
        """Go on where `former` was; what it heard counts where the rule waits for the same."""
        self.vigils = former.vigils
        self._online, self._muted, self._deaf = former._online, former._muted, former._deaf
        self._looked_at = former._looked_at
        asked = {rule.name: (rule.unless_heard, rule.sources) for rule in former._rules}
        for rule in self._rules:
            vigil = self.vigils.by_rule.get(rule.name)
            if vigil is not None and asked.get(rule.name) != (rule.unless_heard, rule.sources):
                self.vigils.put(rule.name, replace(vigil, heard=""))

    def note_source(self, news: SourceStatus) -> None:
        """It came or went."""
        (self._online.add if news.online else self._online.discard)(news.source)

    def note_mute(self, source: str, muted: bool) -> None:
        """It was muted, or is heard again."""
        (self._muted.add if muted else self._muted.discard)(source)

    def note_deaf(self, sources: Collection[str]) -> None:
        """These deliver nothing that could be heard."""
        self._deaf = frozenset(sources)

    def note(self, event: SoundEvent) -> None:
        """An event began, goes on or has ended."""
        for rule in self._rules:
            vigil = self.vigils.by_rule.get(rule.name)
            if vigil is None or vigil.heard or vigil.is_over:
                continue
            if self._answers(rule, event) and _within(event, vigil.window):
                self._keep(rule, replace(vigil, heard=self._words(event)))

    def explain(self, event: SoundEvent) -> Iterator[RuleTrace]:
        """What the event means to each rule that waits for its label: none is raised, for it was heard."""
        for rule in self._rules:
            if not self._answers(rule, event):
                continue
            window = window_at(rule, event.started_at, self._zone)
            in_time = window is not None and _within(event, window)
            assert rule.unless_heard is not None
            heard = self._words(event) if in_time else "heard at another time"
            yield RuleTrace(
                rule.name, 0, "stopped", (ClauseResult("unless_heard", False, rule.unless_heard.span, heard),)
            )

    @property
    def waits(self) -> bool:
        """Whether any rule waits for a sound."""
        return bool(self._rules)

    def due(self, now: datetime) -> list[Alert]:
        """The alerts about sounds whose time is over. Call it a few times a second."""
        found = [self._looked(rule, now) for rule in self._rules]
        self._looked_at = now
        return [alert for alert in found if alert is not None]

    def _answers(self, rule: Rule, event: SoundEvent) -> bool:
        assert rule.unless_heard is not None
        return event.label in rule.unless_heard.hear and event.source in (rule.sources or (event.source,))

    def _looked(self, rule: Rule, now: datetime) -> Alert | None:
        window = window_at(rule, now, self._zone)
        if window is None:
            return None
        vigil = self._vigil(rule, window, now)
        vigil = self._counted(rule, vigil, min(now, window.end))
        is_due = not vigil.is_over and now >= window.end + GRACE
        if not is_due:
            self.vigils.put(rule.name, vigil)
            return None
        return self._decided(rule, vigil, window.end + GRACE if self._replayed else now)

    def _vigil(self, rule: Rule, window: WatchWindow, now: datetime) -> Vigil:
        """Of this window: the one that goes on, the one that an earlier run left, or a new one."""
        sources = rule.sources or self._sources
        vigil = self.vigils.by_rule.get(rule.name)
        if vigil is None or vigil.window != window:
            vigil = self._begun(rule, window, now, was_blind=vigil is not None and vigil.was_blind)
        kept = self.vigils.kept.get(rule.name)
        if kept is not None:
            self.vigils.kept = {name: each for name, each in self.vigils.kept.items() if name != rule.name}
            same = kept.window == window
            vigil = vigil.taken_up(kept, sources) if same else replace(vigil, was_blind=kept.was_blind)
        return vigil

    def _begun(self, rule: Rule, window: WatchWindow, now: datetime, *, was_blind: bool) -> Vigil:
        """A new one. Whoever comes later than the window's begin has missed what was before."""
        if self._looked_at is not None and self._looked_at <= window.begin:
            return Vigil(window, window.begin, window.begin, was_blind=was_blind)
        since = min(now, window.end)
        vigil = Vigil(window, since, since, was_blind=was_blind)
        vigil = vigil.missing((since - window.begin).total_seconds(), rule.sources or self._sources)
        over = now > window.end + GRACE and rule.name not in self.vigils.kept
        return replace(vigil, is_over=over)  # then nobody has asked us to watch it

    def _counted(self, rule: Rule, vigil: Vigil, now: datetime) -> Vigil:
        """With the time since the last look, for the sources that were not listened to in it."""
        passed_s = (now - vigil.looked_at).total_seconds()
        if passed_s == 0:
            return vigil
        sources = rule.sources or self._sources
        jumped = passed_s > CLOCK_JUMP_S and not self._replayed
        lost = sources if jumped else tuple(each for each in sources if not self._is_heard(each))
        counted = replace(vigil.missing(passed_s, lost), looked_at=now)
        if int(now.timestamp() / _KEEP_EVERY_S) != int(vigil.looked_at.timestamp() / _KEEP_EVERY_S):
            self.vigils.on_change()
        return counted

    def _is_heard(self, source: str) -> bool:
        return source in self._online and source not in self._muted and source not in self._deaf

    def _decided(self, rule: Rule, vigil: Vigil, at: datetime) -> Alert | None:
        """The window is over: the alert, or why there is none."""
        done = replace(vigil, is_over=True)
        blind = self._blind(vigil)
        if vigil.heard:
            self._keep(rule, replace(done, was_blind=False))
            return None
        steps = list(house_steps_at(rule, vigil.window.end, self._house, self._zone))
        if stopped := next((step for step in steps if not step.passed), None):
            log.info(
                "nothing was heard, and the state of the house stops the alert",
                rule=rule.name,
                because=stopped.found,
            )
            self._keep(rule, done)
            return None
        why = {"unless_heard": "nothing", **{step.clause: step.found for step in steps}}
        if not blind:
            self._keep(rule, replace(done, was_blind=False))
            return _alert(rule, at, say("notice.missed", what=_what(rule, self._sources)), why)
        text = ", ".join(f"{each} for {length_in_words(missed)}" for each, missed in blind.items())
        log.warning("it is not known whether the sound was missing", rule=rule.name, not_listened_to=text)
        self._keep(rule, replace(done, was_blind=True))
        if vigil.was_blind:
            return None
        missed = [say("notice.missed_for", source=each, length=length(s)) for each, s in blind.items()]
        what = _what(rule, self._sources)
        message = say("notice.not_judged", what=what, missed=", ".join(missed))
        return _alert(rule, at, message, why | {"missed_s": blind}, could_not_tell=True)

    def _blind(self, vigil: Vigil) -> dict[str, float]:
        """The sources that were not listened to for too long, and for how long."""
        length_s = (vigil.window.end - vigil.window.begin).total_seconds()
        bound_s = min(MISSED_S, length_s / 10)
        return {each: round(missed) for each, missed in vigil.missed_s.items() if missed > bound_s}

    def _keep(self, rule: Rule, vigil: Vigil) -> None:
        self.vigils.put(rule.name, vigil)
        self.vigils.on_change()

    def _words(self, event: SoundEvent) -> str:
        at = event.started_at.astimezone(self._zone)
        return f"{label_name(event.label)} in {event.source.replace('_', ' ')} at {at:%H:%M}"


def absence_test(rule: Rule, now: datetime) -> Alert:
    """The alert that the rule would raise, as a test."""
    alert = _alert(rule, now, say("notice.missed_test", what=_what(rule, ())), {"unless_heard": "a test"})
    return replace(alert, test=True)


def _within(event: SoundEvent, window: WatchWindow) -> bool:
    """Whether any of it sounded in the window."""
    return event.started_at <= window.end and (event.ended_at or event.at) >= window.begin


def _what(rule: Rule, sources: Sequence[str]) -> str:
    """`water running or footsteps in kitchen and hall, from 05:30 to 10:00`"""
    assert rule.unless_heard is not None
    labels = enumerated([within(label_words(label)) for label in rule.unless_heard.hear], "or")
    where = places(rule.sources or sources)
    begin, end = (f"{each:%H:%M}" for each in rule.unless_heard.times)
    key = "notice.missed_where" if where else "notice.missed_what"
    return say(key, labels=labels, places=where, begin=begin, end=end)


def _alert(
    rule: Rule, at: datetime, message: str, why: dict[str, Any], *, could_not_tell: bool = False
) -> Alert:
    return Alert(
        id=new_id(),
        rule=rule.name,
        severity="info" if could_not_tell else rule.severity or "warning",
        events=(),
        raised_at=at,
        message=message,
        why=why,
        notify=rule.notify,
        escalate_after_s=None if could_not_tell else rule.escalate_after_s,
        stale_after_s=rule.stale_after_s,
    )

"""How loud the minutes of all sources are, calibrated, and the alerts that it has been loud for a while."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from typing import Any

from monitor.language.words import length, places, say
from monitor.logs import get_logger
from monitor.rules.clauses import schedule_steps_at
from monitor.rules.house import HouseValues, house_steps_at
from monitor.rules.loudness.noise import Noise
from monitor.rules.loudness.noises import Noises
from monitor.rules.model import LevelAbove, Rule
from monitor.types import Alert, SoundLevel, new_id

log = get_logger()


class LoudnessWatch:
    """The rules with `level`. Belongs to the thread of the rules; it has no clock.

    `calibrations` are dB(A) at 0 dBFS, by source; of a source without one no rule knows how loud it is.
    """

    def __init__(
        self,
        rules: Sequence[Rule],
        calibrations: Mapping[str, float],
        house: HouseValues,
        zone: tzinfo | None = None,
    ) -> None:
        self.noises = Noises()
        self._rules = [rule for rule in rules if rule.level is not None]
        self._calibrations = dict(calibrations)
        self._house = house
        self._zone = zone
        self._muted: set[str] = set()
        self._was_muted: set[str] = set()
        """Sources of which the next minute was muted in part."""

    def take_over(self, former: "LoudnessWatch") -> None:
        """Go on where `former` was; a rule that asks for another level has had no alert yet."""
        self._muted, self._was_muted, self.noises = former._muted, former._was_muted, former.noises
        before = {rule.name: rule.level for rule in former._rules}
        self.noises.only({rule.name: before.get(rule.name) == rule.level for rule in self._rules})

    def note_mute(self, source: str, muted: bool) -> None:
        """It was muted, or is heard again."""
        if muted:
            self._muted.add(source)
        elif source in self._muted:
            self._muted.remove(source)
            self._was_muted.add(source)

    def calibrated(self, level: SoundLevel) -> SoundLevel | None:
        """The minute with its source's calibration; None where somebody did not want it heard."""
        if level.source in self._muted:
            return None
        if level.source in self._was_muted:
            self._was_muted.remove(level.source)
            return None
        return replace(level, calibration_db=self._calibrations.get(level.source, level.calibration_db))

    def take(self, level: SoundLevel) -> list[Alert]:
        """The alerts that a minute brings; one for each noise, until it has been quiet again."""
        if level.laeq_dba is None:
            return []
        rules = [rule for rule in self._rules if level.source in (rule.sources or (level.source,))]
        return [alert for rule in rules if (alert := self._held_against(rule, level)) is not None]

    def _held_against(self, rule: Rule, level: SoundLevel) -> Alert | None:
        assert rule.level is not None
        noise = self.noises.of(rule.name, level.source).then(level, rule.level)
        at = level.ends_at
        alert = None
        if noise.lasts(rule.level) and not noise.goes_on and not self._cools_down(rule, noise, at):
            alert = self._raised(rule, rule.level, noise, level.source, at)
        if alert is not None:
            noise = replace(noise, goes_on=True, raised_at=at)
        self.noises.put(rule.name, level.source, noise)
        return alert

    def _cools_down(self, rule: Rule, noise: Noise, at: datetime) -> bool:
        passed = None if noise.raised_at is None else (at - noise.raised_at).total_seconds()
        return passed is not None and 0 <= passed < rule.cooldown_s

    def _raised(self, rule: Rule, block: LevelAbove, noise: Noise, source: str, at: datetime) -> Alert | None:
        """The alert, unless hour or house stop it: then it comes as soon as they do not, if it is still
        loud."""
        during = noise.minutes[-1].started_at
        steps = [
            *schedule_steps_at(rule, during.astimezone(self._zone)),
            *house_steps_at(rule, at, self._house, self._zone),
        ]
        if stopped := next((step for step in steps if not step.passed), None):
            log.debug("it is loud, and nobody is to mind", rule=rule.name, because=stopped.found)
            return None
        mean = f"{noise.mean_dba:.0f} dB(A)"
        found = {step.clause: step.found for step in steps}
        at_least = "at least " if noise.clipped else ""
        why = {
            "level": f"{at_least}{mean} for {block.minutes} min",
            "source": source,
            "for_s": block.for_s,
        } | found
        measured = say("notice.at_least", mean=mean) if noise.clipped else mean
        return _alert(rule, at, say("notice.loud", what=_what(source, measured, block)), why)


def level_test(rule: Rule, now: datetime) -> Alert:
    """The alert that the rule would raise, as a test."""
    assert rule.level is not None
    source = rule.sources[0] if rule.sources else ""
    text = _what(source, f"{rule.level.above_dba:g} dB(A)", rule.level)
    return replace(_alert(rule, now, say("notice.loud_test", what=text), {"level": "a test"}), test=True)


def _what(source: str, mean: str, block: LevelAbove) -> str:
    """`in living room: 74 dB(A) for 10 minutes, more than 70`"""
    key = "notice.loud_in" if source else "notice.loud_somewhere"
    limit = f"{block.above_dba:g}"
    return say(key, place=places([source]), mean=mean, length=length(block.minutes * 60), limit=limit)


def _alert(rule: Rule, at: datetime, message: str, why: dict[str, Any]) -> Alert:
    return Alert(
        id=new_id(),
        rule=rule.name,
        severity=rule.severity or "warning",
        events=(),
        raised_at=at,
        message=message,
        why=why,
        notify=rule.notify,
        escalate_after_s=rule.escalate_after_s,
        stale_after_s=rule.stale_after_s,
    )

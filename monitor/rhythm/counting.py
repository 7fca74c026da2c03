"""Counts the cycles of smoke and CO alarms: the first makes a suspicion, the second makes it certain."""

from dataclasses import dataclass

from monitor.rhythm.cycles import Cycle
from monitor.rhythm.report import PatternReport
from monitor.rhythm.templates import Template

HOLD_S = {"temporal_three": 12.0, "temporal_four": 90.0}
"""Beyond the last tone heard. T3: two masked cycles are bridged, and the event ends within 15 s of silence.
T4: after four minutes a burst may come but once a minute."""

HIGHEST_SCORE = 0.99
"""Of a cycle that fits perfectly, however often it was repeated: a rhythm is never beyond doubt."""

_SAME_PITCH = 0.02
_SAME_CYCLE = 0.6  # of a nominal cycle: what is nearer than that to the last onset is the same cycle again
_OUT_OF_STEP = 0.12  # of each cycle since
_TOGETHER_HOPS = 15  # overtones of one sounder begin with it


@dataclass
class _Alarm:
    first: Cycle
    last: Cycle
    cycles: int = 1


class CycleCounter:
    """The alarms that now sound, by rhythm and pitch; several may sound at once."""

    def __init__(self) -> None:
        self._alarms: list[_Alarm] = []

    def forget(self, hop: int) -> None:
        """Drop the alarms that have been quiet for longer than their hold."""
        self._alarms = [
            a for a in self._alarms if hop - a.last.on_end <= 100 * HOLD_S[a.last.template.pattern]
        ]

    def is_known(self, template: Template, channel: int) -> bool:
        """Whether such an alarm was heard at this pitch: it may lose a beep and still be the same alarm."""
        return any(a.last.template is template and abs(a.last.channel - channel) <= 2 for a in self._alarms)

    def is_any_known(self, template: Template) -> bool:
        """Whether such an alarm sounds at all."""
        return any(alarm.last.template is template for alarm in self._alarms)

    def is_sounding(self, pitch_hz: float) -> bool:
        """Whether this pitch belongs to an alarm that sounds, as its own or as an overtone."""
        return any(_is_overtone(pitch_hz, alarm.last) for alarm in self._alarms)

    def count(self, cycle: Cycle) -> PatternReport | None:
        """What one more cycle makes of its alarm; None if that cycle was counted before."""
        alarm = next((a for a in self._alarms if _belongs(cycle, a.last)), None)
        if alarm is None:
            self._alarms.append(alarm := _Alarm(cycle, cycle))
        elif not _follows(cycle, alarm.last):
            return None
        else:
            alarm.last, alarm.cycles = cycle, alarm.cycles + 1
        return _heard(alarm)


def _follows(cycle: Cycle, last: Cycle) -> bool:
    """Whether this is a later cycle of the same alarm, and not the last one again or one out of step."""
    steps = (cycle.onset - last.onset) / cycle.template.cycle_hops
    if steps < _SAME_CYCLE:
        return False
    # The pause of T4 may be of any length up to a minute; T3 keeps its time.
    return bool(cycle.template.quiet_around_hops) or abs(steps - round(steps)) <= _OUT_OF_STEP * round(steps)


def _belongs(cycle: Cycle, last: Cycle) -> bool:
    """The same rhythm at the same pitch, at an overtone of it, or at the same moment."""
    if cycle.template is not last.template:
        return False
    at_once = abs(cycle.onset - last.onset) <= _TOGETHER_HOPS
    return at_once or _is_overtone(cycle.pitch_hz, last) or _is_overtone(last.pitch_hz, cycle)


def _is_overtone(pitch_hz: float, last: Cycle) -> bool:
    ratio = pitch_hz / last.pitch_hz
    return last.moving or (round(ratio) >= 1 and abs(ratio / round(ratio) - 1) < _SAME_PITCH)


def _heard(alarm: _Alarm) -> PatternReport:
    last, cycles = alarm.last, alarm.cycles
    return PatternReport(
        label=last.template.label,
        pattern=last.template.pattern,
        certainty="confirmed" if cycles > 1 else "suspected",
        score=min(HIGHEST_SCORE, 1 - 0.3 * (1.2 - last.fit) * 0.4 ** (cycles - 1)),
        onset=alarm.first.onset,
        end=last.on_end,
        cycles=cycles,
        on_s=last.on_s,
        off_s=last.off_s,
        pause_s=last.pause_s,
        pitch_hz=last.pitch_hz,
        snr_db=last.snr_db,
        hold_s=HOLD_S[last.template.pattern],
    )

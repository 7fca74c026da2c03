"""Counts the cycles of smoke and CO alarms: after the first an alarm is suspected, after the second
confirmed."""

from dataclasses import dataclass

from monitor.rhythm.cycles import Cycle
from monitor.rhythm.report import PatternReport
from monitor.rhythm.templates import Template

HOLD_S = {"temporal_three": 12.0, "temporal_four": 90.0}
"""How long an alarm is held after its last tone. T3: two masked cycles of 4 s are bridged, and the event ends
within 15 s. T4: after four minutes a burst may come only once a minute (NFPA 72, UL 2034); with 45 s such an
alarm is never confirmed (tests/rhythm/test_detector.py)."""

HIGHEST_SCORE = 0.99
"""The score never exceeds this, however well a cycle fits and however often it was repeated. Chosen: below 1,
because a score of 1 would mean that no doubt is possible."""

_SAME_PITCH_SHARE = 0.02
"""Pitches that differ by less than this share are one alarm's. Chosen: a piezo drifts by 1 %, and so wide is
a bin at 3 kHz. Trials: 0.01 and 0.03 change nothing."""
_SAME_CYCLE_SHARE = 0.6
"""An onset nearer than this share of a cycle to the last one is the same cycle, found again. By arithmetic:
0, or 0.9 and more, are the only times that the standards allow."""
_OUT_OF_STEP_SHARE = 0.12
"""How far a cycle may be from its place, as a share of each cycle since the last: the standards' 10 %, and 2
% for an onset that noise or a room hides. docs/decisions/rhythm-checks.md (*in_step*) shows what it
prevents."""
_TOGETHER_HOPS = 15
"""Tones of any pitch that begin within 0.15 s of each other are one sounder's overtones."""
SAME_CHANNELS = 2
"""An alarm may move by so many channels from cycle to cycle: the Hann window's main lobe reaches two bins."""
_DOUBT, _DOUBT_LEFT_SHARE, _FIT_BEYOND_DOUBT = 0.3, 0.4, 1.2
"""The score is 1 less 0.3 x (1.2 - fit), and each further cycle leaves 0.4 of that. Chosen: a first cycle
that just passes (fit 0.58) scores 0.81, a perfect one 0.94; the third cycle of either scores more than
0.96."""


@dataclass
class _Alarm:
    first: Cycle
    last: Cycle
    cycles: int = 1


class CycleCounter:
    """The alarms that sound now, by rhythm and pitch; several may sound at once."""

    def __init__(self) -> None:
        self._alarms: list[_Alarm] = []

    def forget(self, hop: int) -> None:
        """Drop the alarms that have been quiet for longer than their hold."""
        self._alarms = [
            a for a in self._alarms if hop - a.last.on_end <= 100 * HOLD_S[a.last.template.pattern]
        ]

    def is_known(self, template: Template, channel: int) -> bool:
        """Whether such an alarm is known at this pitch: its next cycles may lose a beep."""
        return any(
            a.last.template is template and abs(a.last.channel - channel) <= SAME_CHANNELS
            for a in self._alarms
        )

    def is_any_known(self, template: Template) -> bool:
        """Whether such an alarm sounds at all."""
        return any(alarm.last.template is template for alarm in self._alarms)

    def is_sounding(self, pitch_hz: float) -> bool:
        """Whether this pitch belongs to an alarm that sounds, as its own or as an overtone."""
        return any(_is_overtone(pitch_hz, alarm.last) for alarm in self._alarms)

    def count(self, cycle: Cycle) -> PatternReport | None:
        """Count a cycle and return the report on its alarm; None if it was counted before or is out of
        step."""
        alarm = next((a for a in self._alarms if _belongs(cycle, a.last)), None)
        if alarm is None:
            self._alarms.append(alarm := _Alarm(cycle, cycle))
        elif not _follows(cycle, alarm.last):
            return None
        else:
            alarm.last, alarm.cycles = cycle, alarm.cycles + 1
        return _heard(alarm)


def _follows(cycle: Cycle, last: Cycle) -> bool:
    """Whether this is a later cycle of the same alarm: not the last one again, and in step."""
    steps = (cycle.onset - last.onset) / cycle.template.cycle_hops
    if steps < _SAME_CYCLE_SHARE:
        return False
    # The pause of T4 may have any length up to a minute; T3 keeps its time.
    return bool(cycle.template.quiet_around_hops) or abs(steps - round(steps)) <= _OUT_OF_STEP_SHARE * round(
        steps
    )


def _belongs(cycle: Cycle, last: Cycle) -> bool:
    """The same rhythm at the same pitch, at an overtone of it, or at the same moment."""
    if cycle.template is not last.template:
        return False
    at_once = abs(cycle.onset - last.onset) <= _TOGETHER_HOPS
    return at_once or _is_overtone(cycle.pitch_hz, last) or _is_overtone(last.pitch_hz, cycle)


def _is_overtone(pitch_hz: float, last: Cycle) -> bool:
    ratio = pitch_hz / last.pitch_hz
    return last.moving or (round(ratio) >= 1 and abs(ratio / round(ratio) - 1) < _SAME_PITCH_SHARE)


def _heard(alarm: _Alarm) -> PatternReport:
    last, cycles = alarm.last, alarm.cycles
    return PatternReport(
        label=last.template.label,
        pattern=last.template.pattern,
        certainty="confirmed" if cycles > 1 else "suspected",
        score=min(
            HIGHEST_SCORE, 1 - _DOUBT * (_FIT_BEYOND_DOUBT - last.fit) * _DOUBT_LEFT_SHARE ** (cycles - 1)
        ),
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

"""Counts the cycles of smoke and CO alarms: after the first an alarm is suspected, after the second
confirmed."""

from dataclasses import dataclass, field

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
"""Tones of any pitch that begin within 0.15 s of each other are one sounder's overtones. Chosen: a room and
the search for a cycle move an onset by some hops. Trials: half and one and a half change nothing."""
_SAME_LEVEL_DB = 12.0
"""A later burst of T4 is as loud as the last one to this. Chosen: a door that is closed takes no more, nor
does a camera's gain control give it; coincidences in music were up to 42 dB fainter."""
_IN_STEP_CYCLES = 4
"""Up to so many cycles after a burst of T4 the next one is held to its place. By arithmetic: later any place
is within 12 % of each cycle, and after four minutes on air a burst may come once a minute."""
_AGAIN_CYCLES = 2
"""A drowned burst is believed when it comes again one or two cycles later. Chosen: an alarm that noise masks
more often is found by its next burst."""
_AGAIN_PITCH_SHARE, _AGAIN_LEVEL_DB, _AGAIN_S = 0.01, 6.0, 0.02
"""And is then the same in pitch, in level, and in time from tone to tone. Chosen: a piezo drifts by less, and
20 ms are two hops."""
SAME_CHANNELS = 2
"""An alarm may move by so many channels from cycle to cycle. By arithmetic: the Hann window's main lobe
reaches two bins."""
_DOUBT, _DOUBT_LEFT_SHARE, _FIT_BEYOND_DOUBT = 0.3, 0.4, 1.2
"""The score is 1 less 0.3 x (1.2 - fit), and each further cycle leaves 0.4 of that. Chosen: a first cycle
that just passes (fit 0.58) scores 0.81, a perfect one 0.94; the third cycle of either scores more than
0.96."""


@dataclass
class _KnownAlarm:
    first: Cycle
    last: Cycle
    cycles: int = 1
    last_burst: list[Cycle] = field(default_factory=list)
    """Of T4 all that was found of the last burst: its tone and overtones, 20 dB fainter, in any order."""

    def nearest(self, pitch_hz: float) -> Cycle:
        """What was found of the last burst nearest to this pitch: what is as loud as the next one there."""
        return min([self.last, *self.last_burst], key=lambda each: abs(each.pitch_hz - pitch_hz))

    def go_on(self, cycle: Cycle) -> None:
        """The next cycle of the alarm."""
        self.last, self.cycles = cycle, self.cycles + 1
        self.last_burst.clear()

    def add(self, cycle: Cycle) -> None:
        """The same burst, if it is one, found at another pitch."""
        if cycle.template.quiet_around_hops and abs(cycle.onset - self.last.onset) <= _TOGETHER_HOPS:
            self.last_burst.append(cycle)


class CycleCounter:
    """The alarms that sound now, by rhythm and pitch; several may sound at once."""

    def __init__(self) -> None:
        self._alarms: list[_KnownAlarm] = []
        self._drowned: list[Cycle] = []
        """Bursts that are believed when they come again."""

    def forget(self, hop: int) -> None:
        """Drop the alarms that have been quiet for longer than their hold."""
        self._alarms = [
            a for a in self._alarms if hop - a.last.on_end <= 100 * HOLD_S[a.last.template.pattern]
        ]
        self._drowned = [
            c for c in self._drowned if hop - c.onset <= (_AGAIN_CYCLES + 2) * c.template.cycle_hops
        ]

    def is_known(self, template: Template, channel: int) -> bool:
        """Whether such an alarm is known at this pitch: its next cycles may lose a beep."""
        return any(
            a.last.template is template and abs(a.last.channel - channel) <= SAME_CHANNELS
            for a in self._alarms
        )

    @property
    def is_any_sounding(self) -> bool:
        """Whether an alarm of any kind sounds."""
        return bool(self._alarms)

    def is_any_known(self, template: Template) -> bool:
        """Whether such an alarm sounds at all."""
        return any(alarm.last.template is template for alarm in self._alarms)

    def is_sounding(self, pitch_hz: float) -> bool:
        """Whether this pitch belongs to an alarm that sounds, as its own or as an overtone."""
        return any(_is_overtone(pitch_hz, alarm.last) for alarm in self._alarms)

    def count(self, cycle: Cycle, is_drowned: bool = False) -> PatternReport | None:
        """Count a cycle and return the report on its alarm; None if it was counted before, is out of step, or
        is drowned by louder tones of other pitches and is not known to come again."""
        alarm = next((a for a in self._alarms if _belongs(cycle, a.last)), None)
        if alarm is None:
            if is_drowned and not self._comes_again(cycle):
                return None
            self._alarms.append(alarm := _KnownAlarm(cycle, cycle))
        elif not _follows(cycle, alarm.nearest(cycle.pitch_hz), is_drowned):
            alarm.add(cycle)
            return None
        else:
            alarm.go_on(cycle)
        return _heard(alarm)

    def _comes_again(self, cycle: Cycle) -> bool:
        again = any(_is_again(cycle, before) for before in self._drowned)
        self._drowned.append(cycle)
        return again


def _is_again(cycle: Cycle, before: Cycle) -> bool:
    """Whether the same burst was there one or two cycles before, alike in everything."""
    steps = (cycle.onset - before.onset) / cycle.template.cycle_hops
    return (
        0 < round(steps) <= _AGAIN_CYCLES
        and abs(steps - round(steps)) <= _OUT_OF_STEP_SHARE * round(steps)
        and abs(cycle.pitch_hz / before.pitch_hz - 1) <= _AGAIN_PITCH_SHARE
        and abs(cycle.level_db - before.level_db) <= _AGAIN_LEVEL_DB
        and _keeps_time(cycle, before)
    )


def _keeps_time(cycle: Cycle, before: Cycle) -> bool:
    """Whether tones follow one another as quickly: a room moves the end of a tone, not the next one's
    beginning."""
    return abs(cycle.on_s + cycle.off_s - before.on_s - before.off_s) <= _AGAIN_S


def _follows(cycle: Cycle, last: Cycle, is_drowned: bool) -> bool:
    """Whether this is a later cycle of the same alarm: not the last one again, and in step."""
    steps = (cycle.onset - last.onset) / cycle.template.cycle_hops
    if steps < _SAME_CYCLE_SHARE:
        return False
    is_in_step = abs(steps - round(steps)) <= _OUT_OF_STEP_SHARE * round(steps)
    if not cycle.template.quiet_around_hops:
        return is_in_step
    # The pause of T4 may last up to a minute; T3 keeps its time.
    if abs(cycle.level_db - last.level_db) > _SAME_LEVEL_DB:
        return False
    if steps <= _IN_STEP_CYCLES:
        return is_in_step
    return not is_drowned or _keeps_time(cycle, last)


def _belongs(cycle: Cycle, last: Cycle) -> bool:
    """The same rhythm at the same pitch, at an overtone of it, or at the same moment."""
    if cycle.template is not last.template:
        return False
    at_once = abs(cycle.onset - last.onset) <= _TOGETHER_HOPS
    return at_once or _is_overtone(cycle.pitch_hz, last) or _is_overtone(last.pitch_hz, cycle)


def _is_overtone(pitch_hz: float, last: Cycle) -> bool:
    ratio = pitch_hz / last.pitch_hz
    return last.moving or (round(ratio) >= 1 and abs(ratio / round(ratio) - 1) < _SAME_PITCH_SHARE)


def _heard(alarm: _KnownAlarm) -> PatternReport:
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

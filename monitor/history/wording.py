"""An explanation in plain text, times in the local zone: what was decided first, then what it rests on."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from monitor.clock import length_in_words
from monitor.events.certainty import TAUGHT_RHYTHM
from monitor.history.explain import TOP_LABELS, EventTrace, Explanation, LabelTrace, LookTrace
from monitor.history.records import ScoreRecord, SegmentRecord
from monitor.rules.trace import RuleTrace
from monitor.types import EXTERNAL, Alert, Level, SoundEvent, SoundLevel

MOST_OTHERS = 3
"""Rules that wait for another sound are named up to here, and counted beyond it."""
MOST_SOUNDS = 30
"""Sounds that are listed one by one; of more, those that came closest to an event."""


def explanation_lines(found: Explanation) -> Iterator[str]:
    """The whole explanation, a line at a time."""
    for event in found.events:
        yield from _event_lines(event)
    if found.alert is not None:
        yield from _outage_lines(found.alert)
        if "source" not in found.alert.why:
            return
    if not found.events:
        yield f"no event from {_local(found.since)} to {_local(found.until)}"
    yield "heard:"
    for setting in found.settings:
        yield f"  {setting.source}: {setting.name} was set to {setting.value}"
    for line in [*_level_lines(found.levels), *_minute_lines(found.minutes)]:
        yield f"  {line}"
    yield from _sound_lines(found)
    if not (found.levels or found.minutes or found.cuts or found.looks):
        # A level is kept every few seconds while a source is listened to.
        yield "  nothing is known: nobody listened then, or it is longer ago than is kept"
    elif not found.cuts and not found.looks:
        yield "  nothing rose above the floor, and no classifier found anything"


def _outage_lines(alert: Alert) -> Iterator[str]:
    """An alert that no sound raised. Its message is not kept; what it was about is."""
    yield f"alert {alert.id}: {alert.rule}, {_local(alert.raised_at)}, {alert.severity}"
    why, reason = alert.why, alert.why.get("reason")
    if "level" in why:
        yield f"  it was loud at {why['source']}: {why['level']}"
    elif "source" in why:
        lasted = length_in_words(float(why.get("lost_for_s", 0.0)))
        words = f"was lost for {lasted}: {reason}" if reason else f"is back, after {lasted}"
        yield f"  no sound raised it: source {why['source']} {words}"
    else:
        still_s = float(why.get("stuck_for_s", 0.0))
        words = f"had taken nothing for {length_in_words(still_s)}" if still_s else "takes messages again"
        yield f"  no sound raised it: receiver {why.get('channel')} {words}" + (
            f": {reason}" if reason else ""
        )


def _level_lines(levels: Sequence[Level]) -> Iterator[str]:
    """A line for each source; over minutes there is a report every few seconds."""
    for source in dict.fromkeys(level.source for level in levels):
        own = [level for level in levels if level.source == source]
        level_dbfs, floor_dbfs = [one.level_dbfs for one in own], [one.floor_dbfs for one in own]
        yield f"{source}: level {_from_to(level_dbfs)} dBFS, floor {_from_to(floor_dbfs)} dBFS"


def _minute_lines(minutes: Sequence[SoundLevel]) -> Iterator[str]:
    """A line for each source; in dB(A) where it was calibrated then."""
    for source in dict.fromkeys(one.source for one in minutes):
        own = [one for one in minutes if one.source == source]
        known = [one.laeq_dba for one in own if one.laeq_dba is not None]
        figures, unit = (
            (known, "dB(A)") if len(known) == len(own) else ([one.laeq_dbfs for one in own], "dBFS")
        )
        span = f"{len(own)} minutes" if len(own) > 1 else "the minute"
        yield f"{source}: LAeq of {span} from {_local(own[0].started_at)}: {_from_to(figures)} {unit}"


def _from_to(figures: Sequence[float]) -> str:
    low, high = f"{min(figures):.0f}", f"{max(figures):.0f}"
    return low if low == high else f"{low} to {high}"


def _sound_lines(found: Explanation) -> Iterator[str]:
    """What the gate cut, then how classifiers scored it."""
    cuts, groups, left_out = _closest(found.cuts, _by_classifier(found.looks))
    for cut in cuts:
        yield f"  {_cut_line(cut)}"
    for traces in groups:
        yield f"  {_looks_line(traces)}"
    if left_out:
        yield f"  and {left_out} more sounds, farther from an event; name a time to see them"


def _closest(
    cuts: Sequence[SegmentRecord], groups: list[list[LookTrace]]
) -> tuple[list[SegmentRecord], list[list[LookTrace]], int]:
    """Those sounds that came closest to an event, in their order, and how many were left out."""
    closeness: dict[str | None, float] = {cut.id: -1.0 for cut in cuts}
    for traces in groups:
        own = max((_closeness(one) for trace in traces for one in trace.best), default=-1.0)
        segment_id = traces[0].look.segment_id
        closeness[segment_id] = max(own, closeness.get(segment_id, -1.0))
    shown = set(sorted(closeness, key=closeness.__getitem__, reverse=True)[:MOST_SOUNDS])
    return (
        [cut for cut in cuts if cut.id in shown],
        [traces for traces in groups if traces[0].look.segment_id in shown],
        len(closeness) - len(shown),
    )


def _closeness(one: LabelTrace) -> float:
    return 1.0 if one.by_rhythm else one.score - one.row.onset


def _cut_line(cut: SegmentRecord) -> str:
    above_db = cut.peak_dbfs - cut.floor_dbfs
    return (
        f"{cut.source}: segment {cut.id} at {_local(cut.started_at)}, {cut.duration_s:.1f} s, peak"
        f" {cut.peak_dbfs:.0f} dBFS, {above_db:.0f} dB above the floor, speech {cut.speech_ratio:.2f},"
        f" ended by {cut.ended_by}"
    )


def _by_classifier(traces: Iterable[LookTrace]) -> list[list[LookTrace]]:
    """Looks at the same segment by the same classifier together: a long sound has dozens."""
    groups: dict[tuple[str, str, str | None], list[LookTrace]] = {}
    for trace in traces:
        key = (trace.look.source, trace.look.classifier, trace.look.segment_id)
        groups.setdefault(key, []).append(trace)
    return list(groups.values())


def _looks_line(traces: Sequence[LookTrace]) -> str:
    best: dict[str, LabelTrace] = {}
    for one in sorted((one for trace in traces for one in trace.best), key=lambda one: -one.score):
        best.setdefault(one.label, one)
    look = traces[0].look
    labels = [_label_words(one, look) for one in list(best.values())[:TOP_LABELS]]
    times = f", {len(traces)} looks" if len(traces) > 1 else ""
    return f"{look.source}: {look.classifier} at {_local(look.started_at)}{times}: {', '.join(labels)}"


def _label_words(one: LabelTrace, look: ScoreRecord) -> str:
    if look.classifier == EXTERNAL:
        told = look.evidence.get(one.label, {})
        return f"{one.label} {one.score:.2f}, published on {told.get('device')} as {told.get('named')!r}"
    if one.by_rhythm:
        return f"{one.label} by its rhythm"
    needs = f" ({one.row.hits} hits needed)" if one.row.hits > 1 else ""
    share = look.evidence.get(one.label, {}).get(TAUGHT_RHYTHM)
    rhythm = f", {share:.0%} of its rhythm" if share is not None else ""
    if one.reached:
        return f"{one.label} {one.score:.2f} reaches {one.row.onset:.2f}{rhythm}{needs}"
    return f"{one.label} {one.score:.2f} below {one.row.onset:.2f}{rhythm}"


def _event_lines(trace: EventTrace) -> Iterator[str]:
    event = trace.event
    ended = f"ended by {event.ended_by}" if event.ended_at else "still going on"
    yield (
        f"event {event.id}: {event.label} at {event.source}, {_local(event.started_at)}, {event.score:.2f} by"
        f" {event.classifier}, {event.certainty}, {ended}"
    )
    others = []
    for rule_trace in trace.traces:
        stopped = rule_trace.stopped_by
        raised = [alert for alert in trace.alerts if alert.rule == rule_trace.rule]
        for alert in raised:
            yield f"  rule {rule_trace.rule}: {_raised_words(event, alert, rule_trace)}"
        if raised:
            continue
        if stopped is not None and stopped.clause == "hear":
            others.append(rule_trace.rule)
        else:
            yield f"  rule {rule_trace.rule}: {_trace_words(rule_trace)}"
    known = {rule_trace.rule for rule_trace in trace.traces}
    for alert in (one for one in trace.alerts if one.rule not in known):
        yield f"  rule {alert.rule}, which is no longer there: alert {alert.id}"
    if others:
        named = ", ".join(others) if len(others) <= MOST_OTHERS else f"the other {len(others)} rules"
        yield f"  not about {event.label}: {named}"


def _raised_words(event: SoundEvent, alert: Alert, rule_trace: RuleTrace) -> str:
    """By itself, or together with which other sounds."""
    others = [f"{one.label} at {one.source}" for one in alert.events if one.id != event.id]
    at = f"{alert.raised_at.astimezone():%H:%M:%S}"
    if rule_trace.outcome == "alert" or not others:
        return f"alert {alert.id} at {at} {_met(rule_trace)}".rstrip()
    return f"helped to raise alert {alert.id} at {at}, with {', '.join(others)}"


def _trace_words(rule_trace: RuleTrace) -> str:
    stopped = rule_trace.stopped_by
    if stopped is not None:
        doing = "waits at" if rule_trace.outcome == "waits" else "stopped at"
        return f"{doing} {stopped.clause}: wanted {_words(stopped.wanted)}, found {_words(stopped.found)}"
    return f"{rule_trace.outcome} {_met(rule_trace)}"


def _met(rule_trace: RuleTrace) -> str:
    met = ", ".join(f"{step.clause} {_words(step.found)}" for step in rule_trace.steps if step.passed)
    return f"({met})" if met else ""


def _words(value: Any) -> str:
    if isinstance(value, list | tuple):
        return " or ".join(str(item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items()) or "nothing"
    return "nothing" if value is None else str(value)


def _local(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M:%S}"

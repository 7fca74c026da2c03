"""The model card's section on onsets that continuous scenes chose, or raised after the model was made."""

from collections.abc import Sequence
from typing import Any

from testkit import markdown

RAISED = """
### Raised since

The onsets of these labels were raised later, by {scenes_hours} h of further continuous scenes and backgrounds
from held-out groups. The worth of an onset is the recall in the scenes, less 0.1 for every false event an
hour (0.5 for critical labels). Each onset was raised to where its worth is highest. None was lowered, so no
more events begin in the hours that chose the earlier onsets. *Before → now*:

| label | onset | false an hour of scenes | recall in scenes |
| --- | --- | --- | --- |
{rows}
"""
CHOSEN = """
These hours allow many thresholds. We took those that are worth most in {scenes_hours} h of continuous scenes
and backgrounds. Their recordings did not teach the network of the alert labels. The worth is the recall, less
0.1 for every false event an hour (0.5 for critical labels). The allowance of the critical labels goes to
where the scenes gain most. Labels that do not occur in the scenes keep the lowest allowed threshold.
"""
JUDGED = """
This table is of scenes and backgrounds of sources that were used neither for training nor for this choice.
False events are those of all alert labels.

| hours | sounds | macro recall | false an hour | of critical labels |
| --- | --- | --- | --- | --- |
{rows}
"""


def section(model: dict[str, Any]) -> str:
    """Nothing of a model whose onsets hours of background alone have chosen."""
    text = ""
    if chosen := model.get("by_scenes"):
        text += CHOSEN.format(**chosen) + _kept(chosen["kept"]) + _judged_by(chosen)
    if raised := model.get("raised"):
        rows = [_row(label, each) for label, each in raised["labels"].items()]
        text += RAISED.format(scenes_hours=raised["scenes_hours"], rows="\n".join(rows)) + _judged_by(raised)
    return text


def _kept(labels: Sequence[str]) -> str:
    """Why some labels have no part in the choice."""
    if not labels:
        return ""
    return (
        f"\nThese labels keep the thresholds that they had: {', '.join(labels)}. For the critical ones, "
        "more hours had chosen higher thresholds. For the others, people talk in recordings whose labels do "
        "not say so.\n"
    )


def _judged_by(choice: dict[str, Any]) -> str:
    judged = [_judged(each["before"], each["now"]) for each in choice.get("judged", [])]
    return JUDGED.format(rows="\n".join(judged)) if judged else ""


def _row(label: str, each: dict[str, Any]) -> str:
    before, now = each["before"], each["now"]
    cells = [
        label,
        _change(before, now, "onset", "{:.2f}"),
        _change(before, now, "scenes_false_an_hour", "{:.1f}"),
        _change(before, now, "scenes_recall", "{:.2f}"),
    ]
    return markdown.row(cells)


def _judged(before: dict[str, Any], now: dict[str, Any]) -> str:
    cells = [
        f"{now['hours']:.1f}",
        str(now["sounds"]),
        _change(before, now, "macro_recall", "{:.2f}") if now["sounds"] else "",
        _change(before, now, "false_an_hour", "{:.1f}"),
        _change(before, now, "critical_false_an_hour", "{:.1f}"),
    ]
    return markdown.row(cells)


def _change(before: dict[str, Any], now: dict[str, Any], name: str, form: str) -> str:
    if name not in now:
        return ""
    return f"{form.format(before[name])} → {form.format(now[name])}"

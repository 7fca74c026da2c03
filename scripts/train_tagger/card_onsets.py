"""The model card's section on onsets that continuous scenes chose, or raised after the model was made."""

from collections.abc import Sequence
from typing import Any

from testkit import markdown

RAISED = """
### Raised since

By {scenes_hours} h of further continuous scenes and backgrounds, of groups that were held out, the onsets of
these labels were raised to where they are worth most: recall in the scenes, less 0.1 for every false event an
hour (0.5 where it is critical). None was lowered, so no more events begin in the hours that chose it.
*Before → now*:

| label | onset | false an hour of scenes | recall in scenes |
| --- | --- | --- | --- |
{rows}
"""
CHOSEN = """
Of the thresholds that these hours allow, those were taken that are worth most in {scenes_hours} h of
continuous scenes and backgrounds, of recordings that did not teach the alert labels' network: recall, less
0.1 for every false event an hour (0.5 where it is critical). The allowance of the critical labels goes where
the scenes gain most. Labels that the scenes do not have keep the lowest threshold that is allowed.
"""
JUDGED = """
On scenes and backgrounds of sources that taught nothing and had no part in the choice; false events of all
alert labels:

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
        f"{', '.join(labels)} keep the thresholds they had: those of critical labels more hours chose, and "
        "higher; and people talk in recordings whose labels do not say so.\n"
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

"""The model card's section on onsets that were raised after the model was made."""

from typing import Any

HEAD = """
### Raised since

Hits are now counted by a sound's measured length, so that labels that need several reach them sooner, in
backgrounds too. With {scenes_hours} h of continuous scenes and backgrounds and further hours of household the
onsets of these labels were raised to where they are worth most: recall in the scenes, less 0.1 for every
false event an hour (0.5 where it is critical). None was lowered, because fewer hours chose than above.
*Before → now*:

| label | onset | false events in household | false an hour of scenes | recall in scenes |
| --- | --- | --- | --- | --- |
{rows}
"""
JUDGED = """
On scenes and backgrounds of sources that taught nothing and had no part in the choice; false events of all
alert labels:

| hours | sounds | macro recall | false an hour | of critical labels |
| --- | --- | --- | --- | --- |
{rows}
"""


def section(raised: dict[str, Any] | None) -> str:
    """Nothing of a model whose onsets are those it was made with."""
    if not raised:
        return ""
    rows = [_row(label, each) for label, each in raised["labels"].items()]
    text = HEAD.format(scenes_hours=raised["scenes_hours"], rows="\n".join(rows))
    judged = [_judged(each["before"], each["now"]) for each in raised.get("judged", [])]
    return text + (JUDGED.format(rows="\n".join(judged)) if judged else "")


def _row(label: str, each: dict[str, Any]) -> str:
    before, now = each["before"], each["now"]
    cells = [
        label,
        _change(before, now, "onset", "{:.2f}"),
        f"{_change(before, now, 'false_events', '{}')} ({each['background_hours']:.1f} h)",
        _change(before, now, "scenes_false_an_hour", "{:.1f}"),
        _change(before, now, "scenes_recall", "{:.2f}"),
    ]
    return f"| {' | '.join(cells)} |"


def _judged(before: dict[str, Any], now: dict[str, Any]) -> str:
    cells = [
        f"{now['hours']:.1f}",
        str(now["sounds"]),
        _change(before, now, "macro_recall", "{:.2f}") if now["sounds"] else "",
        _change(before, now, "false_an_hour", "{:.1f}"),
        _change(before, now, "critical_false_an_hour", "{:.1f}"),
    ]
    return f"| {' | '.join(cells)} |"


def _change(before: dict[str, Any], now: dict[str, Any], name: str, form: str) -> str:
    if name not in now:
        return ""
    return f"{form.format(before[name])} → {form.format(now[name])}"

"""Writes docs/reference/labels.md: `python -m scripts.docs.labels > docs/reference/labels.md`."""

import sys

from monitor.events.defaults import DEFAULTS
from monitor.labels import Label, vocabulary

_HEAD = """\
# Labels

What earwitness can hear, by the name it has in rules, topics and messages. This page is written by
`python -m scripts.docs.labels` from `monitor/labels.csv` and `monitor/events/defaults.py`.

An event begins when a listener's score reached *onset* in so many *hits*, half a second or more apart, within
*within* seconds; it lives on while the score reaches *off*, and ends when that did not happen for *hold*
seconds. All of it can be set under `labels:`, for everyone or per source: see
[rules](../guides/rules.md#when-a-sound-becomes-an-event). A model that ships thresholds for its own scores
replaces the onsets below.

## Sounds

| label | kind | severity | device class | onset | off | hits | within s | hold s | why |
|---|---|---|---|---|---|---|---|---|---|
"""
_EMOTIONS = """
## Emotions

An emotion is never an event of its own: it goes with a speech, shout, scream or crying event, and rules ask
for it under `emotion:`.

| emotion | severity |
|---|---|
"""


def labels_page() -> str:
    """The page as Markdown."""
    labels = vocabulary().values()
    rows = [_sound_row(label) for label in labels if label.kind != "emotion"]
    emotions = [f"| {label.id} | {label.severity_default} |" for label in labels if label.kind == "emotion"]
    return _HEAD + "\n".join(rows) + "\n" + _EMOTIONS + "\n".join(emotions) + "\n"


def _sound_row(label: Label) -> str:
    row = DEFAULTS[label.id]
    cells = (
        f"`{label.id}`",
        label.kind,
        label.severity_default,
        label.device_class or "",
        f"{row.onset:.2f}",
        f"{row.off:.2f}",
        str(row.hits),
        f"{row.within_s:g}",
        f"{row.hold_s:g}",
        row.reason,
    )
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.stdout.write(labels_page())

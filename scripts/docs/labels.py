"""Writes docs/reference/labels.md: `python -m scripts.docs.labels > docs/reference/labels.md`."""

import sys

from monitor.events.defaults import DEFAULTS
from monitor.labels import Label, vocabulary
from testkit.markdown import table

_HEAD = """\
# Labels

What earwitness can hear, by the name it has in rules, topics and messages. This page is written by
`python -m scripts.docs.labels` from `monitor/labels.csv` and `monitor/events/defaults.py`.

An event begins when a classifier's score reached *onset* in so many *hits*, half a second or more apart,
within *within* seconds; it lives on while the score reaches *off*, and ends when that did not happen for
*hold* seconds. All of it can be set under `labels:`, for everyone or per source: see
[rules](../guides/rules.md#when-a-sound-becomes-an-event). A model that ships thresholds for its own scores
replaces the onsets below.

## Sounds

"""
_EMOTIONS = """
## Emotions

An emotion is never an event of its own: it goes with a speech, shout, scream or crying event, and rules ask
for it under `emotion:`.

"""
_SOUND = ("label", "kind", "severity", "device class", "onset", "off", "hits", "within s", "hold s", "why")


def labels_page() -> str:
    """The page as Markdown."""
    labels = vocabulary().values()
    sounds = table(_SOUND, (_cells(label) for label in labels if label.kind != "emotion"))
    emotions = [(label.id, label.severity_default) for label in labels if label.kind == "emotion"]
    return f"{_HEAD}{sounds}\n{_EMOTIONS}{table(('emotion', 'severity'), emotions)}\n"


def _cells(label: Label) -> tuple[str, ...]:
    row = DEFAULTS[label.id]
    return (
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


if __name__ == "__main__":
    sys.stdout.write(labels_page())

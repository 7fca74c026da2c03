"""Writes docs/reference/labels.md: `python -m scripts.docs.labels > docs/reference/labels.md`."""

import sys
from collections.abc import Mapping

from monitor.classifiers.taggers.embedded import EmbeddedConfig
from monitor.events.defaults import DEFAULTS, Hysteresis
from monitor.events.settings import LABELS, Thresholds
from monitor.labels import Label, vocabulary
from testkit.markdown import table

_HEAD = """\
# Labels

What earwitness can hear, by the name it has in rules, topics and messages. This page is written by
`python -m scripts.docs.labels` from `monitor/labels.csv`, `monitor/events/defaults.py` and the embedded
model.

An event begins when a classifier's score reached *onset* in so many *hits*, half a second or more apart,
within *within* seconds; it lives on while the score reaches *off*, and ends when that did not happen for
*hold* seconds. All of it can be set under `labels:`, for everyone or per source: see
[rules](../guides/rules.md#when-a-sound-becomes-an-event).

These are the thresholds with the embedded model, which ships onsets for its own scores: what the daemon goes
by unless you change them, and what *Sounds* on the page shows, in percent. *Other onset* is for a model that
ships none.

## Sounds

"""
_EMOTIONS = """
## Emotions

An emotion is never an event of its own: it goes with a speech, shout, scream or crying event, and rules ask
for it under `emotion:`.

"""
_SOUND = (
    "label", "kind", "severity", "device class", "onset", "off", "hits", "within s", "hold s", "other onset",
    "why",
)  # fmt: skip


def labels_page() -> str:
    """The page as Markdown."""
    labels = vocabulary().values()
    shipped = EmbeddedConfig(type="embedded").build().thresholds
    in_force = Thresholds(model=LABELS.validate_python(shipped)).of("")
    sounds = table(_SOUND, (_cells(label, in_force) for label in labels if label.kind != "emotion"))
    emotions = [(label.id, label.severity_default) for label in labels if label.kind == "emotion"]
    return f"{_HEAD}{sounds}\n{_EMOTIONS}{table(('emotion', 'severity'), emotions)}\n"


def _cells(label: Label, in_force: Mapping[str, Hysteresis]) -> tuple[str, ...]:
    row = in_force[label.id]
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
        f"{DEFAULTS[label.id].onset:.2f}",
        row.reason,
    )


if __name__ == "__main__":
    sys.stdout.write(labels_page())

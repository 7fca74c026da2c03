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

This page lists the sounds that earwitness can hear, by the names that they have in rules, topics and
messages. `python -m scripts.docs.labels` writes it from `monitor/labels.csv`,
`monitor/events/defaults.py` and the embedded model.

An event begins when a classifier's score has reached *onset* in as many looks as *hits*, half a second
or more apart, within *within* seconds. It goes on while the score reaches *off*. It ends when the score
has not reached *off* for *hold* seconds. You can set all of these under `labels:`, for all sources or
for one: see [rules](../guides/rules.md#when-a-sound-becomes-an-event).

The thresholds are those with the embedded model, which brings onsets for its own scores. The daemon uses
them unless you change them. *Sounds* on the page shows the same onsets, in percent. *Other onset* is for
a model that brings none.

## Sounds

"""
_EMOTIONS = """
## Emotions

An emotion is never an event of its own. It belongs to an event of speech, shout, scream or crying, and
rules can ask for it with `emotion:`.

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

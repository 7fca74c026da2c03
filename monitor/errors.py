"""The errors that earwitness raises on purpose. Weather is retried; the rest ends the daemon.

A message names the thing and the fix, and never carries a credential.

    EarwitnessError
    ├── ConfigError              exit 78, systemd does not try again
    ├── SourceError              weather: the source is opened again with back-off
    │   ├── SourceUnavailable    it cannot be opened now
    │   └── SourceLost           it was open and has stopped
    ├── ClassifierError
    │   ├── ModelError           a model cannot be loaded
    │   └── ClassifyError        one batch failed: logged, counted, passed over
    │       ├── RequestRefused   a model's server would refuse it again
    │       ├── Broken           a model's server fails over it (500)
    │       └── UselessAnswers   a model's server answers, and nothing can be made of it
    ├── HttpFailed               a call over HTTP has no complete answer: its caller says what follows
    │   ├── AnswerTooLarge       it would be too large again
    │   └── NoAnswerInTime       its time has passed
    ├── PublishError             a receiver refuses: logged once, retried slowly
    └── StoreError               the disk keeps nothing: alerts go out from memory
        ├── DamagedStore         the file is no database of ours: it is put aside
        └── Silent               no answer in time: the work goes on, and may still succeed

Those with a home of their own stand beside what raises them. Other exceptions never leave their package: an
answer of the page or a line of the log is made of them there.
"""

from typing import Literal

Why = Literal["", "nobody", "password", "path", "no_sound", "no_stream"]
"""Why a camera cannot be heard: nobody answers there; it wants another password, or path; it has no sound;
what answers is no stream."""


class EarwitnessError(Exception):
    """Base of all our errors."""


class ConfigError(EarwitnessError):
    """The configuration is wrong: `problems` lists everything found, each with its place. Exit 78."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class SourceError(EarwitnessError):
    """Weather at a source: its capture thread closes it and opens it again with back-off."""


class SourceUnavailable(SourceError):
    """The source cannot be opened now. `refused` marks answers that patience will not change soon
    (wrong password, no such stream), which are retried more slowly. `why` names the usual causes for those
    who have words of their own for them."""

    def __init__(self, message: str, *, refused: bool = False, why: "Why" = "") -> None:
        super().__init__(message)
        self.refused = refused
        self.why = why


class SourceLost(SourceError):
    """The source was open and has stopped delivering. `for_good`: opening it again would bring the same, as
    with a damaged recording."""

    def __init__(self, message: str, *, for_good: bool = False) -> None:
        super().__init__(message)
        self.for_good = for_good


class ClassifierError(EarwitnessError):
    """Base of what goes wrong in a classifier."""


class ModelError(ClassifierError):
    """The model cannot be loaded: said before any microphone opens."""


class ClassifyError(ClassifierError):
    """One batch could not be classified: logged with its segments, counted, and passed over."""


class PublishError(EarwitnessError):
    """The receiver refused us (credentials, policy): said once, retried slowly."""


class StoreError(EarwitnessError):
    """The state directory cannot keep what it must: alerts go out live, history is not being kept."""

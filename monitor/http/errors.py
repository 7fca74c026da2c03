"""Why a call has no complete answer."""

from monitor.errors import EarwitnessError

PASSING_STATUSES = frozenset({408, 425, 429})
"""Of the 4xx, those that pass by themselves: request timeout, too early, too many requests."""


class HttpFailed(EarwitnessError):
    """A call without a complete answer. The text is for a person and names neither address nor credentials:
    "cannot be reached", "no answer in time", "the connection broke"."""


class AnswerTooLarge(HttpFailed):
    """The server sends more than the caller takes; it would do so again."""


class NoAnswerInTime(HttpFailed):
    """The time of the call has passed."""

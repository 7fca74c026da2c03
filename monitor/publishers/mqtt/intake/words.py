"""Single values in what others publish: anyone may have written it."""

import json
from typing import Any

from monitor.schema import plain_text

LARGEST_BYTES = 64_000
"""A larger payload holds nothing of ours."""
LONGEST_WORD = 64


def value_at(payload: bytes, path: str) -> Any:
    """What stands there in the JSON; the payload as text for an empty path; None where nothing does."""
    if len(payload) > LARGEST_BYTES:
        return None
    try:
        found: Any = payload.decode()
        if path:
            found = json.loads(found)
            for step in path.split("."):
                found = found[int(step)] if isinstance(found, list) else found[step]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return found


def word_at(payload: bytes, path: str) -> str | None:
    """The same as one word; None for anything else."""
    word = plain_text(value_at(payload, path))
    return word if isinstance(word, str) and 0 < len(word) <= LONGEST_WORD else None

"""What others publish, read with suspicion: anyone who may write on the broker may have written it."""

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LARGEST_BYTES = 64_000
"""Of a payload; the health report of a node with thirty sources has 20 kB."""
LONGEST = 200
"""Letters that are kept of a text."""
_PAGE = re.compile(r"https?://[^\s/@]+(/\S*)?")
_TIME = re.compile(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)", re.ASCII)
_NAME = re.compile(r"[a-z0-9_-]{1,64}")


def fields(payload: bytes) -> Mapping[str, Any] | None:
    """The JSON object that a payload is; None where it is none."""
    if len(payload) > LARGEST_BYTES:
        return None
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def text(value: Any) -> str:
    """A text in one line, cut where it is long; empty for anything else. A page escapes it as any other."""
    if not isinstance(value, str):
        return ""
    plain = " ".join(
        "".join(letter if letter.isprintable() else " " for letter in value[: 4 * LONGEST]).split()
    )
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


def name(value: Any) -> str:
    """A name as we give them to nodes, sources and labels; empty for anything else."""
    return value if isinstance(value, str) and _NAME.fullmatch(value) else ""


def moment(value: Any) -> datetime | None:
    """A time of this century with its offset, as we publish it."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.fromisoformat(value).astimezone(UTC)
    except ValueError:
        return None


def score(value: Any) -> float | None:
    """From 0 to 1."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(float(value), 3) if is_number and 0 <= value <= 1 else None


def seconds(value: Any) -> float | None:
    """A length of time, a century at most."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and 0 <= value < 3.2e9 and math.isfinite(value) else None


def page(value: Any) -> str | None:
    """The address of a page: http or https, without a name and a password in it."""
    return value if isinstance(value, str) and len(value) <= LONGEST and _PAGE.fullmatch(value) else None

"""A kept file as it is sent, whole or in the parts that a player asks for."""

import re

from starlette.responses import FileResponse
from starlette.types import Receive, Scope, Send

_RANGES = re.compile(rb"bytes=\s*[0-9]{0,18}-[0-9]{0,18}(\s*,\s*[0-9]{0,18}-[0-9]{0,18})*\s*")


class FileAnswer(FileResponse):
    """A file. A range that is none, in another unit, or of a request other than GET, gets the whole file, as
    HTTP has it (RFC 9110, 14.2); Starlette alone would refuse the request."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; one that lies beyond the end of the file is refused with 416."""
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"range" or (scope["method"] == "GET" and _is_range(value))
        ]
        await super().__call__({**scope, "headers": headers}, receive, send)


def _is_range(value: bytes) -> bool:
    if not _RANGES.fullmatch(value):
        return False
    pairs = (one.strip().partition(b"-") for one in value.partition(b"=")[2].split(b","))
    return all(int(first) <= int(last) if first and last else first or last for first, _, last in pairs)

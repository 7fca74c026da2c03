"""A kept file as it is sent, whole or in the parts that a player asks for, or that whoever asks has it."""

import re
from pathlib import Path

from anyio import to_thread
from starlette.datastructures import Headers
from starlette.responses import FileResponse, Response
from starlette.types import Receive, Scope, Send

_RANGES = re.compile(rb"bytes=\s*[0-9]{0,18}-[0-9]{0,18}(\s*,\s*[0-9]{0,18}-[0-9]{0,18})*\s*")


class FileAnswer(FileResponse):
    """A file. A range that is none, in another unit, or of a request other than GET, gets the whole file, as
    HTTP has it (RFC 9110, 14.2); Starlette alone would refuse the request. Who names the tag that it still
    has is told so, without the file (304)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; one that lies beyond the end of the file is refused with 416."""
        self.stat_result = await to_thread.run_sync(Path(self.path).stat)
        self.set_stat_headers(self.stat_result)
        if self._is_known(Headers(scope=scope)):
            kept = ("etag", "cache-control", "last-modified")
            known = {name: self.headers[name] for name in kept if name in self.headers}
            await Response(status_code=304, headers=known)(scope, receive, send)
            return
        headers = [
            (name, value)
            for name, value in scope["headers"]
            if name != b"range" or (scope["method"] == "GET" and _is_range(value))
        ]
        await super().__call__({**scope, "headers": headers}, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        """By tag alone, compared weakly (RFC 9110, 13.1.2)."""
        named = [one.strip().removeprefix("W/") for one in headers.get("if-none-match", "").split(",")]
        return "*" in named or self.headers["etag"] in named


def _is_range(value: bytes) -> bool:
    if not _RANGES.fullmatch(value):
        return False
    pairs = (one.strip().partition(b"-") for one in value.partition(b"=")[2].split(b","))
    return all(int(first) <= int(last) if first and last else first or last for first, _, last in pairs)

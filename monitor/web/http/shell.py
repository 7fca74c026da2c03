"""The page's own files: HTML, style sheets, modules, icons. The same for everybody, and no secret."""

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.requests import Request
from starlette.responses import Response

from monitor.web.words import LANGUAGES, catalogue

_TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "png": "image/png",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
}
_PACKED = frozenset({"html", "css", "js", "svg", "json", "webmanifest"})


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent."""

    body: bytes
    packed: bytes | None
    tag: str
    media_type: str


@cache
def shell() -> dict[str, File]:
    """Every file by its path below the page. What is not in here is not there: no path is ever opened."""
    found: dict[str, File] = {}
    _collect(files("monitor.web").joinpath("static"), "", found)
    for language in LANGUAGES:
        words = {key: sentence[language] for key, sentence in catalogue().items()}
        content = json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()
        found[f"words/{language}.json"] = made(content, "json")
    # In the page itself: fetched by its name the sprite would be asked for again and again.
    whole = found["index.html"].body.replace(b"<!-- icons.svg -->", found["icons.svg"].body)
    found[""] = found["index.html"] = made(whole, "html")
    return found


def _collect(folder: Traversable, prefix: str, found: dict[str, File]) -> None:
    for entry in folder.iterdir():
        kind = entry.name.rpartition(".")[2]
        if entry.is_dir():
            _collect(entry, f"{prefix}{entry.name}/", found)
        elif kind in _TYPES:
            found[prefix + entry.name] = made(entry.read_bytes(), kind)


def made(body: bytes, kind: str) -> File:
    """`body` ready to be sent."""
    packed = gzip.compress(body, 9, mtime=0) if kind in _PACKED else None
    return File(body, packed, f'"{hashlib.sha256(body).hexdigest()[:20]}"', _TYPES[kind])


def sent(file: File, request: Request) -> Response:
    """The file, or that the browser has it already. Asked for each time: an update shows at once."""
    headers = {"ETag": file.tag, "Cache-Control": "no-cache", "Vary": "Accept-Encoding"}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if file.packed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(
            file.packed, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.media_type
        )
    return Response(file.body, headers=headers, media_type=file.media_type)

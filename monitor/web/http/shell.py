"""The page's own files: HTML, style sheets, modules, icons. The same for everybody, and no secret."""

import gzip
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from monitor.web.http.bundle import bundled
from monitor.web.http.card import CARD, ELEMENTS, ICONS, card
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
ENTRY = "app.js"
FRONT = "index.html"
_NAMED_BY_CONTENT = ("app.css", ENTRY)
"""What the page names with its tag, so that a browser that has it asks for it no more."""
_CAME = "<!-- came -->"
YEAR_S = 365 * 86400


@dataclass(frozen=True, slots=True)
class File:
    """A file as it is sent, packed where that makes it smaller: kept once, since it is in memory for ever."""

    content: bytes
    is_packed: bool
    tag: str
    media_type: str

    @property
    def body(self) -> bytes:
        """For the few who do not unpack by themselves."""
        return gzip.decompress(self.content) if self.is_packed else self.content


@cache
def shell() -> dict[str, File]:
    """Every file by its path below the page. What is not in here is not there: no path is ever opened."""
    found: dict[str, bytes] = {}
    _collect(files("monitor.web").joinpath("static"), "", found)
    for language in LANGUAGES:
        found[f"words/{language}.json"] = _json(words_of(language)).encode()
    found["app.css"] = found["app.css"].replace(b"/* elements.css */\n", found[ELEMENTS])
    found[CARD] = card(found).encode()
    _bundle(found)
    # In the page itself: fetched by its name the sprite would be asked for again and again.
    found[FRONT] = found[FRONT].replace(b"<!-- icons.svg -->", found[ICONS])
    for name in _NAMED_BY_CONTENT:
        found[FRONT] = found[FRONT].replace(f'"{name}"'.encode(), f'"{_address(name, found[name])}"'.encode())
    all_made = {path: made(body, path.rpartition(".")[2]) for path, body in found.items()}
    return {**all_made, "": all_made[FRONT]}


def _collect(folder: Traversable, prefix: str, found: dict[str, bytes]) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            _collect(entry, f"{prefix}{entry.name}/", found)
        elif entry.name.rpartition(".")[2] in _TYPES:
            found[prefix + entry.name] = entry.read_bytes()


def _bundle(found: dict[str, bytes]) -> None:
    modules = {path: body.decode() for path, body in found.items() if path.endswith(".js")}
    bundle = bundled(modules, ENTRY)
    found[ENTRY] = bundle.text.encode()
    address = _address(ENTRY, found[ENTRY])
    for path in bundle.exported:
        if path != ENTRY:
            found[path] = bundle.stub(path, address).encode()


def _address(name: str, body: bytes) -> str:
    return f"{name}?v={_tag(body)}"


def _tag(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()[:20]


def made(body: bytes, kind: str) -> File:
    """A file of this kind, `css` or `json`, as it is sent."""
    is_packed = kind in _PACKED
    content = gzip.compress(body, 9, mtime=0) if is_packed else body
    return File(content, is_packed, _tag(body), _TYPES[kind])


def sent(file: File, request: Request) -> Response:
    """The file, or that the browser has it already. Asked for each time, so that an update shows at once,
    unless it was asked for by its tag."""
    is_this_one = request.query_params.get("v") == file.tag
    keep = f"public, max-age={YEAR_S}, immutable" if is_this_one else "no-cache"
    headers = {"ETag": f'"{file.tag}"', "Cache-Control": keep, "Vary": "Accept-Encoding"}
    if file.tag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    if file.is_packed and unpacks(request):
        return Response(
            file.content, headers={**headers, "Content-Encoding": "gzip"}, media_type=file.media_type
        )
    return Response(file.body, headers=headers, media_type=file.media_type)


def unpacks(request: Request) -> bool:
    """Whether the browser takes gzip."""
    return "gzip" in request.headers.get("accept-encoding", "")


def front(came: Mapping[str, Any]) -> bytes:
    """The page with its first answers in it, by their addresses."""
    text = _json(came).replace("<", "\\u003c")
    block = f'<script id="came" type="application/json">{text}</script>'
    return shell()[FRONT].body.replace(_CAME.encode(), block.encode())


def words_of(language: str) -> dict[str, str]:
    """The catalogue as the page asks for it."""
    return {key: sentence[language] for key, sentence in catalogue().items()}


def _json(document: Mapping[str, Any]) -> str:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))

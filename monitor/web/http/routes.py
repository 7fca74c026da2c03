"""One table says what the API has: who may ask, with what, and what is answered. OpenAPI is made from it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import anyio.to_thread
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from monitor.language.words import Language
from monitor.web.access.visitors import Visitor
from monitor.web.page import Page

Right = Literal["nobody", "look", "hear", "change"]
"""Who may ask: anybody; who may look; who may hear clips and see spectrograms; who may change things."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, checked: its parts are what the route's models say."""

    page: Page
    visitor: Visitor | None
    request: Request
    path: Mapping[str, str]
    query: Any = None
    body: Any = None

    @property
    def by(self) -> str:
        """Who asks, for the record."""
        return (self.visitor.name or self.visitor.via) if self.visitor else ""

    async def has_left(self) -> bool:
        """Whether the session has ended meanwhile; for streams."""
        return await anyio.to_thread.run_sync(self.page.doors.visitor, self.request) is None

    @property
    def language(self) -> Language:
        """`lang` of the query, else the first that we know of what the browser asks for."""
        wanted = self.request.query_params.get("lang") or self.request.headers.get("accept-language", "")
        return "de" if wanted.strip().lower().startswith("de") else "en"


Answer = BaseModel | Mapping[str, Any] | Response | None


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the table."""

    method: Literal["GET", "POST", "PUT", "DELETE"]
    path: str
    """Relative to the page, as in `api/events/{id}`."""
    summary: str
    handle: Callable[[Ask], Answer | Awaitable[Answer]]
    right: Right = "look"
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    answer: type[BaseModel] | str | None = None
    """A model, a media type, or None for no content."""
    status: int = 200
    waits: bool = True
    """Whether it may wait for a disk and so runs in a thread; otherwise it is a stream or quick."""
    fails: tuple[int, ...] = field(default=())
    """What it may answer besides, with a problem document."""

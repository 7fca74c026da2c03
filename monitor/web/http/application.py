"""The table of routes as a Starlette application: rights, limits, bodies and headers in one place."""

import asyncio
import json
from collections.abc import Callable, Sequence
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from inspect import isawaitable
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
from pydantic import BaseModel, ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.errors import StoreError
from monitor.logs import get_logger
from monitor.web.access.recent import NotAtOnce
from monitor.web.access.visitors import INGRESS, Visitor, check_origin
from monitor.web.http.front import front_page
from monitor.web.http.problems import Refusal, problem
from monitor.web.http.routes import Ask, Route
from monitor.web.http.shell import FRONT, sent, shell
from monitor.web.page import Page

log = get_logger()

LARGEST_BODY_BYTES = 1_000_000
BODY_S = 10.0
"""A body that takes longer to arrive is given up."""
THREADS = 8
_ANY = "/{path:path}"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:;"
    " media-src 'self' blob:; connect-src 'self'; font-src 'self'; manifest-src 'self'; base-uri 'none';"
    " form-action 'self'; frame-ancestors {}"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()",
}


def _lines(frames: str) -> list[tuple[bytes, bytes]]:
    headers = {**_HEADERS, "Content-Security-Policy": _POLICY.format(frames)}
    return [(key.lower().encode(), value.encode()) for key, value in headers.items()]


_ALONE, _IN_INGRESS = _lines("'none'"), _lines("'self'")
_NOT_KEPT = ((b"cache-control", b"no-store"),)


def build_application(page: Page, routes: Sequence[Route]) -> ASGIApp:
    """The whole page."""
    limiter = anyio.CapacityLimiter(THREADS)
    table = [
        StarletteRoute(f"/{route.path}", partial(_answered, page, route, limiter), methods=[route.method])
        for route in routes
    ]
    application = Starlette(
        routes=[
            *table,
            *(
                StarletteRoute(path, partial(front_page, page, routes), methods=["GET"])
                for path in ("/", f"/{FRONT}")
            ),
            StarletteRoute(_ANY, _shell, methods=["GET"]),
        ],
        exception_handlers={HTTPException: _http_error, Refusal: _refused},
    )
    return Headers(HeadAlone(application))


async def _answered(page: Page, route: Route, limiter: anyio.CapacityLimiter, request: Request) -> Response:
    try:
        if route.waits and route.body is None:  # one way to a thread and back for all of it
            answer = await _in_thread(limiter, partial(_handled, page, route, request))
        else:
            visitor = await _known(page, route, limiter, request)
            ask = _ask(page, route, request, visitor, await _body(route, request))
            work = partial(route.handle, ask)
            answer = await _in_thread(limiter, work) if route.waits else work()
        if isawaitable(answer):
            answer = await answer
    except Refusal as refusal:
        return problem(refusal.status, refusal.detail, refusal.headers)
    except StoreError as error:
        page.lapse.begin(why=str(error))
        return problem(503, "what is kept cannot be read now; the log says why")
    except ClientDisconnect:
        return Response(status_code=400)
    except Exception:
        log.exception("a request failed", path=route.path)
        return problem(500, "this is a bug of earwitness; its log has the traceback")
    return _response(answer, route)


def _handled(page: Page, route: Route, request: Request) -> Any:
    return route.handle(_ask(page, route, request, _admitted(page, route, request), None))


async def _known(
    page: Page, route: Route, limiter: anyio.CapacityLimiter, request: Request
) -> Visitor | None:
    """Who asks, if they may; in a thread only where that must be read first. Raises Refusal."""
    try:
        return _admitted(page, route, request, at_once=True)
    except NotAtOnce:
        visitor: Visitor | None = await _in_thread(limiter, partial(_admitted, page, route, request))
        return visitor


def _admitted(page: Page, route: Route, request: Request, *, at_once: bool = False) -> Visitor | None:
    """Who asks, if they may. Raises Refusal."""
    visitor = page.doors.visitor(request, at_once=at_once)
    check_origin(request, request.method, visitor)
    _check_right(page, route, visitor)
    return visitor


def _ask(page: Page, route: Route, request: Request, visitor: Visitor | None, body: BaseModel | None) -> Ask:
    return Ask(page, visitor, request, request.path_params, _query(route, request), body)


async def _in_thread(limiter: anyio.CapacityLimiter, work: Callable[[], Any]) -> Any:
    return await anyio.to_thread.run_sync(work, limiter=limiter)


def _check_right(page: Page, route: Route, visitor: Visitor | None) -> None:
    if route.right == "nobody":
        return
    if visitor is None:
        raise Refusal(401, "sign in on the page, or send a token (Authorization: Bearer ew_…)")
    if route.right == "change" and not visitor.may_change:
        raise Refusal(403, "you may look, but not change anything; sign in with the password of the house")
    if route.right == "hear" and not page.may_hear(visitor):
        raise Refusal(403, "you may not hear clips; `web: {viewers_hear: true}` would allow it")


def _query(route: Route, request: Request) -> BaseModel | None:
    if route.query is None:
        return None
    known = dict(request.query_params)
    known.pop("lang", None)
    try:
        return route.query.model_validate(known)
    except ValidationError as error:
        raise Refusal(422, _words(error)) from None


async def _body(route: Route, request: Request) -> BaseModel | None:
    if route.body is None:
        return None
    try:
        async with asyncio.timeout(BODY_S):
            content = await _read(request)
    except TimeoutError:
        raise Refusal(408, "the body took too long to arrive") from None
    try:
        return route.body.model_validate(json.loads(content))
    except ValidationError as error:
        raise Refusal(422, _words(error)) from None
    except (ValueError, RecursionError):
        raise Refusal(400, "the body is not JSON") from None


async def _read(request: Request) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BODY_BYTES:
            raise Refusal(413, f"a body may have {LARGEST_BODY_BYTES // 1000} kB")
        parts.append(part)
    return b"".join(parts)


def _words(error: ValidationError) -> str:
    problems = [f"{'.'.join(map(str, one['loc'])) or 'the body'}: {one['msg']}" for one in error.errors()]
    return "; ".join(problems[:5])


def _response(answer: Any, route: Route) -> Response:
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(status_code=204)
    content = answer.model_dump(mode="json") if isinstance(answer, BaseModel) else answer
    return JSONResponse(content, route.status)


async def _shell(request: Request) -> Response:
    file = shell().get(request.path_params["path"])
    return sent(file, request) if file is not None else _not_taken(request)


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _not_taken(request)
    return problem(error.status_code, error.detail, error.headers)


def _not_taken(request: Request) -> Response:
    """What was asked in a way that this address does not take, or where there is none. Starlette alone would
    name the methods of the first line that has the address."""
    path = request.scope["path"]
    methods = {"GET", "HEAD"} if path.removeprefix("/") in shell() else set[str]()
    for route in request.app.routes:
        if route.path != _ANY and route.path_regex.fullmatch(path):
            methods |= route.methods
    if not methods:
        return problem(404, "there is no such page; everything begins at the start page")
    taken = ", ".join(sorted(methods))
    return problem(405, f"this address takes {taken}", {"Allow": taken})


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    return problem(error.status, error.detail, error.headers)


class Headers:
    """Every answer carries what keeps a browser from doing more with it than showing it."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        own = _IN_INGRESS if scope.get(INGRESS) else _ALONE

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                fresh = () if any(name == b"cache-control" for name, _ in given) else _NOT_KEPT
                date = (b"date", formatdate(usegmt=True).encode())  # RFC 9110, 6.6.1
                message = {**message, "headers": [*given, *own, *fresh, date]}
            await send(message)

        await self._application(scope, receive, with_headers)


class HeadAlone:
    """Ends what never ends of itself, the feed or a room's sound, where only its headers are asked for:
    nobody would read it, and the house would be told that somebody listens."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._application(scope, receive, send)
            return

        async def with_an_end(message: Message) -> None:
            await send(message)
            if message["type"] == "http.response.start" and not _has_length(message):
                await send({"type": "http.response.body", "body": b""})
                whole.cancel()
                await anyio.lowlevel.checkpoint()  # where it ends, before it sends a body

        with anyio.CancelScope() as whole:
            await self._application(scope, receive, with_an_end)


def _has_length(start: Message) -> bool:
    return any(name == b"content-length" for name, _ in start["headers"])

"""The API described in OpenAPI 3.1, from the table of routes alone."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from monitor import __version__
from monitor.web.http.problems import MEDIA_TYPE
from monitor.web.http.routes import Route

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What to do instead."},
    },
}
_SECURITY: list[dict[str, list[str]]] = [{"token": []}, {"session": []}]
_WHY = {
    400: "The request is not what the schema says.",
    401: "Sign in, or send a token.",
    403: "Not with these rights, or not from another page.",
    404: "There is none.",
    409: "Not as things are.",
    413: "Too large.",
    422: "The request is not what the schema says.",
    429: "Too many tries; see Retry-After.",
    503: "Not now.",
}


def openapi(routes: Sequence[Route]) -> dict[str, Any]:
    """The document."""
    named = [m for route in routes for m in (route.body, route.answer) if not isinstance(m, str)]
    ordered = sorted({m for m in named if m is not None}, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "validation") for model in ordered], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(f"/{_plain(route.path)}", {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "earwitness",
            "version": __version__,
            "description": "What the house heard, why, and what people say of it. Times are RFC 3339 with the"
            " house's offset. Errors are problem documents (RFC 9457). With a session, what changes something"
            " needs the header `X-Earwitness: 1`; with a token it does not.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": _PROBLEM},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "earwitness"},
            },
        },
    }


def _plain(path: str) -> str:
    """Without Starlette's converters."""
    return re.sub(r"\{(\w+):\w+\}", r"{\1}", path)


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": _name(route),
        "parameters": [*_path_parameters(route.path), *_query_parameters(route.query)],
        "responses": {str(route.status): _answer(route), **_failures(route)},
        "security": [] if route.right == "nobody" else _SECURITY,
    }
    if route.body is not None:
        schema = {"$ref": f"#/components/schemas/{route.body.__name__}"}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _name(route: Route) -> str:
    words = re.sub(r"[^a-z_]+", "_", _plain(route.path).removeprefix("api/")).strip("_")
    return f"{route.method.lower()}_{words}"


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", _plain(path))
    ]


def _query_parameters(model: type[BaseModel] | None) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = model.model_json_schema()
    required = schema.get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": one.get("description", ""),
            "schema": {key: value for key, value in one.items() if key not in ("description", "title")},
        }
        for name, one in schema.get("properties", {}).items()
    ]


def _answer(route: Route) -> dict[str, Any]:
    if route.answer is None:
        return {"description": "Done."}
    if isinstance(route.answer, str):
        schema: dict[str, Any] = {"type": "string"}
        return {"description": route.summary, "content": {route.answer: {"schema": schema}}}
    reference = {"$ref": f"#/components/schemas/{route.answer.__name__}"}
    return {"description": route.summary, "content": {"application/json": {"schema": reference}}}


def _failures(route: Route) -> dict[str, Any]:
    codes = set(route.fails)
    if route.right != "nobody":
        codes |= {401, 403}
    if route.body is not None:
        codes |= {400, 403, 408, 413, 422}
    if route.query is not None:
        codes |= {422}
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {
        str(code): {"description": _WHY.get(code, "See `detail`."), "content": content}
        for code in sorted(codes)
    }

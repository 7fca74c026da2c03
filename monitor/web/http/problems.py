"""What an API says when it cannot do what was asked: a problem document (RFC 9457) that names the fix."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class Refusal(Exception):
    """What was asked cannot be done; `detail` names what a person can do instead."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None) -> "JSONResponse":
    """The document for one refusal."""
    from starlette.responses import JSONResponse

    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    return JSONResponse(document, status, dict(headers or {}), MEDIA_TYPE)

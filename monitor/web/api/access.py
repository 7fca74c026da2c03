"""Signing in and out, the first password, tokens."""

from typing import Annotated, Literal

from pydantic import Field
from starlette.responses import JSONResponse, Response

from monitor.web.access.keys import MOST_TOKENS, LoginSession, Scope
from monitor.web.access.passwords import LONGEST, SHORTEST, TooManyTries, hashed, same_code
from monitor.web.access.visitors import COOKIE
from monitor.web.http.problems import Refusal
from monitor.web.http.routes import Answer, Ask, Route
from monitor.web.model import Model

_AGE_S = 90 * 86400
Password = Annotated[str, Field(min_length=1, max_length=LONGEST)]


class SessionView(Model):
    """Who the caller is, or what they need to come in."""

    signed_in: bool
    needs: Literal["nothing", "password", "code"]
    """`code`: no password has been set yet, and the one-time code from the log sets the first."""
    name: str
    role: Literal["viewer", "admin"] | None
    via: str | None
    may_hear: bool
    can_sign_out: bool


class SignIn(Model):
    """The password of the house, or of those who only look."""

    password: Password
    name: Annotated[str, Field(max_length=40)] = ""
    """Who it is, for the record of verdicts and acknowledgements."""


class NewPassword(Model):
    """A password, and what proves that one may set it."""

    password: Annotated[str, Field(min_length=SHORTEST, max_length=LONGEST)]
    role: Literal["viewer", "admin"] = "admin"
    code: Annotated[str, Field(max_length=40)] = ""
    """The one-time code from the log, the first time."""
    current: Annotated[str, Field(max_length=LONGEST)] = ""
    """The present password, later on."""


class NewToken(Model):
    """A key for a script."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    scope: Literal["read", "write"] = "read"


class TokenView(Model):
    """A token as it is listed."""

    id: str
    name: str
    scope: Literal["read", "write"]
    made_at: str
    used_at: str | None
    key: str | None = None
    """Shown once, when it is made."""


class TokenList(Model):
    """Every token."""

    tokens: list[TokenView]


def session(ask: Ask) -> Answer:
    """Who asks. Whether there is a password was read to know it."""
    visitor, page = ask.visitor, ask.page
    needs: Literal["nothing", "password", "code"] = "nothing"
    if visitor is None:
        needs = "password" if page.doors.has_password() else "code"
    if needs == "code":
        page.one_time_code()
    return SessionView(
        signed_in=visitor is not None,
        needs=needs,
        name=visitor.name if visitor else "",
        role=visitor.role if visitor else None,
        via=visitor.via if visitor else None,
        may_hear=visitor is not None and page.may_hear(visitor),
        can_sign_out=visitor is not None and visitor.via == "session",
    )


def sign_in(ask: Ask) -> Answer:
    """A new session for the right password; an old one ends: no key from before a sign-in lives on."""
    wanted: SignIn = ask.body
    role = _role(ask, wanted.password)
    if role is None:
        raise Refusal(401, "this password is wrong")
    if old := ask.request.cookies.get(COOKIE):
        ask.page.keys.close_session(old)
    return _signed_in(ask, LoginSession(wanted.name.strip(), role))


def _role(ask: Ask, password: str) -> Literal["viewer", "admin"] | None:
    page, address = ask.page, ask.page.doors.address(ask.request)
    kept: list[tuple[Literal["viewer", "admin"], str]] = []
    for role, configured in (("admin", page.config.password), ("viewer", page.config.viewer_password)):
        digest = page.digest_of(configured) if configured else page.keys.password(role)  # type: ignore[arg-type]
        if digest:
            kept.append((role, digest))  # type: ignore[arg-type]
    try:
        return next((role for role, digest in kept if page.guard.compare(address, password, digest)), None)
    except TooManyTries as error:
        raise _wait(error) from None


def _wait(error: TooManyTries) -> Refusal:
    seconds = max(1, round(error.wait_s + 0.5))
    return Refusal(429, f"too many tries; wait {seconds} s", {"Retry-After": str(seconds)})


def _signed_in(ask: Ask, session: LoginSession) -> Response:
    """The cookie has no path: browsers then send it below the folder of this very address, whatever prefix a
    proxy has put before it, and nowhere else."""
    key = ask.page.keys.open_session(session)
    answer = JSONResponse({"signed_in": True, "role": session.role})
    answer.headers["Set-Cookie"] = _cookie(ask, key, _AGE_S)
    return answer


def _cookie(ask: Ask, key: str, age_s: int) -> str:
    secure = "; Secure" if ask.page.doors.is_https(ask.request) else ""
    return f"{COOKIE}={key}; Max-Age={age_s}; HttpOnly; SameSite=Lax{secure}"


def sign_out(ask: Ask) -> Answer:
    """The session ends."""
    if key := ask.request.cookies.get(COOKIE):
        ask.page.keys.close_session(key)
    answer = Response(status_code=204)
    answer.headers["Set-Cookie"] = _cookie(ask, "", 0)
    return answer


def set_password(ask: Ask) -> Answer:
    """The first password by the code from the log or from this machine; a later one by the present."""
    wanted: NewPassword = ask.body
    page = ask.page
    if page.config.password is not None and wanted.role == "admin":
        raise Refusal(409, "the password is in the configuration (`web: {password: …}`); change it there")
    if page.doors.has_password():
        if _role(ask, wanted.current) != "admin":
            raise Refusal(403, "the current password is wrong")
    elif ask.visitor is None:
        _check_code(ask, wanted.code)
    page.keys.set_password(wanted.role, hashed(wanted.password))
    page.forget_code()
    if wanted.role != "admin":
        return JSONResponse({"signed_in": ask.visitor is not None, "role": "admin"})
    return _signed_in(ask, LoginSession(ask.visitor.name if ask.visitor else "", "admin"))


def _check_code(ask: Ask, code: str) -> None:
    address = ask.page.doors.address(ask.request)
    try:
        ask.page.guard.admit(address)
    except TooManyTries as error:
        raise _wait(error) from None
    right = same_code(code, ask.page.one_time_code())
    ask.page.guard.note(address, right=right)
    if not right:
        raise Refusal(403, "this is not the code; the code is in the log (journalctl -u earwitness)")


def tokens(ask: Ask) -> Answer:
    """Every token, without its key."""
    iso = ask.page.time.iso
    return TokenList(
        tokens=[
            TokenView(
                id=one.id,
                name=one.name,
                scope=one.scope,
                made_at=iso(one.made_at),
                used_at=iso(one.used_at) if one.used_at else None,
            )
            for one in ask.page.keys.tokens()
        ]
    )


def make_token(ask: Ask) -> Answer:
    """A new token, with its key this once."""
    wanted: NewToken = ask.body
    if len(ask.page.keys.tokens()) >= MOST_TOKENS:
        raise Refusal(409, f"there are {MOST_TOKENS} tokens; delete one first")
    scope: Scope = wanted.scope
    token, key = ask.page.keys.make_token(wanted.name, scope)
    made_at = ask.page.time.iso(token.made_at)
    return TokenView(id=token.id, name=token.name, scope=scope, made_at=made_at, used_at=None, key=key)


def drop_token(ask: Ask) -> Answer:
    """It opens nothing any more."""
    if not ask.page.keys.drop_token(ask.path["id"]):
        raise Refusal(404, "there is no such token")
    return None


ROUTES = (
    Route("GET", "api/session", "Who the caller is", session, "nobody", answer=SessionView, waits=False),
    Route("POST", "api/session", "Sign in", sign_in, "nobody", body=SignIn, answer="application/json",
          fails=(401, 429)),
    Route("DELETE", "api/session", "Sign out", sign_out, "nobody", status=204),
    Route("PUT", "api/password", "Set a password", set_password, "nobody", body=NewPassword,
          answer="application/json", fails=(401, 403, 409, 429)),
    Route("GET", "api/tokens", "Every token", tokens, "change", answer=TokenList),
    Route("POST", "api/tokens", "Make a token", make_token, "change", body=NewToken, answer=TokenView,
          status=201, fails=(409,)),
    Route("DELETE", "api/tokens/{id}", "Delete a token", drop_token, "change", status=204, fails=(404,)),
)  # fmt: skip

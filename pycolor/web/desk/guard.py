"""Who may ask the desk: this machine's browser, by the address with the token, for short things."""

from __future__ import annotations

import re
import secrets
from http import HTTPStatus

from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pycolor.web.local_server import RefusedError, check_origin

LONGEST_PATH = 300  # characters, with the query
LONGEST_JSON = 256 << 10  # bytes
LONGEST_PICTURE = 64 << 20
PICTURES = ("image/png", "image/jpeg")
# The page brings all that it needs; nothing may be fetched from elsewhere, or frame it.
POLICY = (
    "default-src 'none'; img-src 'self' blob:; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Guard:
    """Refuses what the page would not ask, and hands on the rest without the token.

    Args:
        app: answers.
        token: the first part of every path.
        port: of the server.
    """

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self._app, self._token, self._port = app, token, port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI 3)."""
        if scope["type"] != "http":
            await _refuse_socket(scope, send)
            return
        try:
            handed_on = self._checked(scope)
        except RefusedError as e:
            await refusal(e)(scope, receive, with_headers(send))
            return
        try:
            await self._app(handed_on, receive, with_headers(send))
        except Exception:  # answered and told already; Starlette raises it once more for a log
            return

    def _checked(self, scope: Scope) -> Scope:
        headers = _headers(scope)
        check_origin(headers.get("host"), headers.get("origin"), self._port)
        if headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
            raise RefusedError(HTTPStatus.FORBIDDEN, "another site's page may not ask this")
        path = scope["path"]
        if len(path) + len(scope["query_string"]) > LONGEST_PATH:
            raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, "no path here is this long")
        _, token, rest = [*path.split("/", 2), "", ""][:3]
        if not secrets.compare_digest(token.encode(errors="replace"), self._token.encode()):
            raise RefusedError(HTTPStatus.FORBIDDEN, "open the address that the terminal shows")
        if path.count("/") < 2:
            raise RefusedError(HTTPStatus.NOT_FOUND, "the address ends with /")
        if scope["method"] not in ("GET", "POST"):
            raise RefusedError(HTTPStatus.METHOD_NOT_ALLOWED, "expected GET or POST")
        if scope["method"] == "POST":
            _check_body(headers)
        inner = f"/{rest}"
        return {**scope, "path": inner, "raw_path": inner.encode(errors="replace")}


def refusal(e: RefusedError) -> Response:
    """A sentence on what was not right."""
    return PlainTextResponse(str(e), e.status)


def with_headers(send: Send) -> Send:
    """What every answer says."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            told = [(k.lower().encode(), v.encode()) for k, v in HEADERS.items()]
            message = {**message, "headers": [*message.get("headers", ()), *told]}
        await send(message)

    return sending


def _headers(scope: Scope) -> dict[str, str]:
    """By name; of what decides, none may come twice."""
    found: dict[str, str] = {}
    for key, value in scope["headers"]:
        name = key.decode("latin-1").lower()
        if name in found and name in ("host", "origin", "content-length", "content-type"):
            raise RefusedError(HTTPStatus.BAD_REQUEST, f"the header {name} comes twice")
        found[name] = value.decode("latin-1")
    return found


def _check_body(headers: dict[str, str]) -> None:
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and kind not in PICTURES:
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected JSON, PNG or JPEG")
    length = headers.get("content-length")
    if length is None:
        raise RefusedError(HTTPStatus.LENGTH_REQUIRED, "expected a body of a told length")
    most = LONGEST_PICTURE if kind in PICTURES else LONGEST_JSON
    if not re.fullmatch(r"[0-9]{1,12}", length) or int(length) > most:
        raise RefusedError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"expected a body of {most} bytes or less"
        )


async def _refuse_socket(scope: Scope, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})

"""The desk's addresses: the page, its pictures, and what it may ask for."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable
from http import HTTPStatus
from importlib import resources
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from pycolor.errors import FilmError, PycolorError
from pycolor.web.desk.delivery import KINDS, Deliveries
from pycolor.web.desk.guard import PICTURES, Guard, refusal
from pycolor.web.desk.plan.changes import whole
from pycolor.web.desk.session import Desk
from pycolor.web.local_server import HERE, RefusedError, json_object

SCRIPTS = ("desk", "api", "viewer", "strip", "panel", "player", "tools", "deliver", "copier")
ASSETS = {
    "": ("page.html", "text/html"),
    "desk.css": ("desk.css", "text/css"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
    **{
        f"{name}.js": (f"{name}.js", "text/javascript")
        for name in (
            "desk",
            "api",
            "viewer",
            "strip",
            "panel",
            "player",
            "tools",
            "deliver",
            "copier",
        )
    },
}
MOST_CONNECTIONS = 64


def new_token() -> str:
    """A secret for an address."""
    return secrets.token_urlsafe(24)


def bind(port: int) -> socket.socket:
    """A socket of this machine's alone, listening.

    Args:
        port: 0 takes a free one.

    Raises:
        FilmError: the port is taken.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((HERE, port))
        listening.listen(MOST_CONNECTIONS)  # who opens the address at once waits
    except (OSError, OverflowError) as e:
        listening.close()
        why = getattr(e, "strerror", None) or e
        raise FilmError(f"port {port} cannot be used: {why}; --port 0 takes another.") from None
    return listening


def server_of(app: ASGIApp) -> uvicorn.Server:
    """What serves the desk; `run(sockets=[bind(port)])` until it is told to exit."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        ws="none",
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=10,
        timeout_graceful_shutdown=5,
    )
    return uvicorn.Server(config)


def desk_app(
    desk: Desk, token: str, port: int, deliveries: Deliveries, say: Callable[[str], None]
) -> ASGIApp:
    """The desk as an ASGI application.

    Args:
        desk: the film's project.
        token: the first part of every path.
        port: that the server listens at.
        deliveries: makes films.
        say: called with what fails on this side.
    """
    pages = _Pages(desk, deliveries)
    app = Starlette(
        routes=[
            Route("/api/state", pages.state),
            Route("/api/needs", pages.needs),
            Route("/api/alike", pages.alike),
            Route("/api/edit", pages.edit, methods=["POST"]),
            Route("/api/palette", pages.palette, methods=["POST"]),
            Route("/api/still", pages.still, methods=["POST"]),
            Route("/api/editor", pages.editor, methods=["POST"]),
            Route("/api/frame/{name:str}.png", pages.frame),
            Route("/api/small/{name:str}.jpg", pages.small),
            Route("/api/thumbnail/{name:str}.jpg", pages.thumbnail),
            Route("/api/delivery", pages.delivery, methods=["GET", "POST"]),
            Route("/api/delivery/cancel", pages.cancel, methods=["POST"]),
            Route("/", pages.asset),
            Route("/{name:str}", pages.asset),
        ],
        exception_handlers={
            RefusedError: _refused,
            PycolorError: _failed(say),
            Exception: _failed(say),
        },
    )
    return Guard(app, token, port)


class _Pages:
    """Answers; what takes time runs in threads."""

    def __init__(self, desk: Desk, deliveries: Deliveries) -> None:
        self._desk, self._deliveries = desk, deliveries
        folder = resources.files("pycolor.web.desk").joinpath("static")
        self._assets = {
            name: (folder.joinpath(file).read_bytes(), f"{kind}; charset=utf-8")
            for name, (file, kind) in ASSETS.items()
        }

    async def asset(self, request: Request) -> Response:
        found = self._assets.get(request.path_params.get("name", ""))
        if found is None:
            raise RefusedError(HTTPStatus.NOT_FOUND, "there is no such page")
        return Response(found[0], headers={"Content-Type": found[1]})

    async def state(self, request: Request) -> Response:
        since = request.query_params.get("since")
        if since is not None:
            revision = await run_in_threadpool(self._desk.revision)
            if str(revision) == since:
                return JSONResponse({"revision": revision, "news": self._desk.news})
        found = await run_in_threadpool(self._desk.state)
        found["presets"] = {name: told for name, (_, told) in KINDS.items()}
        return JSONResponse(found)

    async def needs(self, request: Request) -> Response:
        since = _number(request.query_params.get("since", "0"))
        return JSONResponse(await run_in_threadpool(self._desk.needs.told, since))

    async def alike(self, request: Request) -> Response:
        number = _number(request.query_params.get("shot", ""))
        return JSONResponse(await run_in_threadpool(self._desk.looks_like, number))

    async def edit(self, request: Request) -> Response:
        said = await _said(request)
        return JSONResponse(await run_in_threadpool(self._desk.edit, said))

    async def palette(self, request: Request) -> Response:
        said = await _said(request)
        return JSONResponse({"palette": await run_in_threadpool(self._desk.keep_palette, said)})

    async def still(self, request: Request) -> Response:
        if request.headers["content-type"].partition(";")[0].strip().lower() not in PICTURES:
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected PNG or JPEG")
        frame = _number(request.query_params.get("frame", ""))
        revision = _number(request.query_params.get("revision", ""))
        content = await request.body()
        return JSONResponse(await run_in_threadpool(self._desk.add_still, frame, revision, content))

    async def editor(self, request: Request) -> Response:
        frame = self._of_film(whole(await _said(request), "frame"))
        path = await run_in_threadpool(self._desk.give_to_editor, frame)
        return JSONResponse({"path": str(path.absolute())})

    async def frame(self, request: Request) -> Response:
        frame = self._frame(request)
        view = request.query_params.get("view", "color")
        how = request.query_params.get("how", "")
        found = await run_in_threadpool(self._desk.picture, frame, view, how)
        if found is None:
            return Response(status_code=HTTPStatus.NO_CONTENT)
        content, final = found
        headers = {"Pycolor-Final": "yes" if final else "no"}
        if "download" in request.query_params:
            headers["Content-Disposition"] = f'attachment; filename="frame-{frame:06d}.png"'
        return Response(content, media_type="image/png", headers=headers)

    async def small(self, request: Request) -> Response:
        return _jpeg(await run_in_threadpool(self._desk.small, self._frame(request)))

    async def thumbnail(self, request: Request) -> Response:
        frame = self._frame(request)
        return _jpeg(await run_in_threadpool(self._desk.playing.thumbnail, frame))

    async def delivery(self, request: Request) -> Response:
        if request.method == "POST":
            said = await _said(request)
            values = said.get("preset"), said.get("name"), said.get("overwrite") is True
            await run_in_threadpool(self._deliveries.start, *values)
        return JSONResponse(self._deliveries.state())

    async def cancel(self, request: Request) -> Response:
        await _said(request)
        await run_in_threadpool(self._deliveries.cancel)
        return JSONResponse(self._deliveries.state())

    def _frame(self, request: Request) -> int:
        return self._of_film(_number(request.path_params["name"]))

    def _of_film(self, frame: int) -> int:
        if not 0 <= frame < self._desk.plan.source.frames:
            raise RefusedError(HTTPStatus.NOT_FOUND, "the film has no such frame")
        return frame


async def _said(request: Request) -> dict[str, Any]:
    if request.headers["content-type"].partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected JSON")
    return json_object(await request.body())


def _jpeg(found: tuple[bytes, bool]) -> Response:
    """A picture, and whether it has its color."""
    headers = {"Pycolor-Final": "yes" if found[1] else "no"}
    return Response(found[0], media_type="image/jpeg", headers=headers)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= 9):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "expected a whole number")
    return int(text)


def _refused(_: Request, e: Exception) -> Response:
    assert isinstance(e, RefusedError)
    return refusal(e)


def _failed(say: Callable[[str], None]) -> Callable[[Request, Exception], Response]:
    """What fails here is a line on the terminal, and the page learns that it failed."""

    def failed(_: Request, e: Exception) -> Response:
        known = isinstance(e, PycolorError)
        say(f"pycolor: {e}" if known else f"a request failed: {type(e).__name__}: {e}")
        text = str(e) if known else "this failed; the terminal says why"
        return refusal(RefusedError(HTTPStatus.INTERNAL_SERVER_ERROR, text))

    return failed

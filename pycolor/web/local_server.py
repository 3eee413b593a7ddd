"""A page of one's own for the browser on this machine, and for nothing else.

Other sites' pages run in the same browser.  So the name and the port that a request is for, and
the site that it comes from, must be this server's; bodies are JSON, short, and of a declared
length; and who holds connections open without a word loses the oldest of them.
"""

from __future__ import annotations

import json
import re
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol

from pycolor.errors import FilmError, PycolorError

HERE = "127.0.0.1"
NAMES = (HERE, "localhost")
LONGEST_BODY = 4096  # bytes
MOST_CONNECTIONS = 32
SECONDS_OF_SILENCE = 10.0
# The page brings all that it needs; nothing may be fetched from elsewhere, or frame it.
POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class RefusedError(Exception):
    """A request that is not as the page makes it."""

    def __init__(self, status: HTTPStatus, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Reply:
    """What a request is answered with."""

    kind: str
    body: bytes
    status: HTTPStatus = HTTPStatus.OK


def json_reply(value: object) -> Reply:
    """A value as JSON."""
    return Reply("application/json", json.dumps(value, allow_nan=False).encode())


class Pages(Protocol):
    """What a server shows.

    Both methods may raise `RefusedError`, or a `PycolorError` where the machine is at fault.
    """

    def get(self, path: str) -> Reply:
        """The answer to GET."""
        ...

    def post(self, path: str, said: dict[str, Any]) -> Reply:
        """The answer to POST of a JSON object."""
        ...


def check_origin(host: str | None, origin: str | None, port: int) -> None:
    """Make sure that a request is for this server, and from its own page if from any.

    A name that another site has given this machine (rebinding), another port, and a page of
    another site are refused.

    Args:
        host: the request's header of this name, None without one.
        origin: likewise; pages of the same site send none with GET.
        port: of the server.

    Raises:
        RefusedError: it is not.
    """
    here = [f"{name}:{port}" for name in NAMES]
    if host not in here:
        raise RefusedError(HTTPStatus.FORBIDDEN, "this page is for this machine only")
    if origin is not None and origin not in [f"http://{name}" for name in here]:
        raise RefusedError(HTTPStatus.FORBIDDEN, "another site's page may not ask this")


def json_object(content: bytes) -> dict[str, Any]:
    """A body as the object that it must be.

    Raises:
        RefusedError: it is none.
    """
    try:
        said = json.loads(content)
    except (ValueError, RecursionError):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "expected JSON") from None
    if not isinstance(said, dict):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "expected an object")
    return said


class LocalServer(ThreadingHTTPServer):
    """Serves pages to this machine; `serve_forever` runs it.

    Args:
        pages: what it shows.
        port: 0 takes a free one; `server_port` has its number.
        say: called with what fails on this side.

    Raises:
        FilmError: the port is taken.
    """

    daemon_threads = True

    def __init__(
        self,
        pages: Pages,
        port: int,
        say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),
    ) -> None:
        self.pages, self.say = pages, say
        self._open: dict[Any, None] = {}  # connections, the oldest first
        self._lock = threading.Lock()
        try:
            super().__init__((HERE, port), _Handler)
        except (OSError, OverflowError) as e:
            why = getattr(e, "strerror", None) or e
            raise FilmError(f"port {port} cannot be used: {why}; --port 0 takes another.") from e

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread; beyond the bound, the connection that is open longest is closed."""
        with self._lock:
            self._open[request] = None
            late = list(self._open)[: max(0, len(self._open) - MOST_CONNECTIONS)]
            for connection in late:
                del self._open[connection]
        for connection in late:
            with suppress(OSError):  # it is closed already
                connection.shutdown(socket.SHUT_RDWR)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._lock:
            self._open.pop(request, None)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who hangs up is no error; anything else is one line, not a traceback."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):
            self.say(f"a request failed: {type(error).__name__}: {error}")


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer
    timeout = SECONDS_OF_SILENCE
    server_version, sys_version = "pycolor", ""

    def do_GET(self) -> None:
        self._reply(lambda: self.server.pages.get(self.path))

    def do_POST(self) -> None:
        self._reply(lambda: self.server.pages.post(self.path, self._said()))

    def _said(self) -> dict[str, Any]:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,9}", length) or int(length) > LONGEST_BODY:
            raise RefusedError(
                HTTPStatus.BAD_REQUEST, f"expected a body of {LONGEST_BODY} bytes or less"
            )
        # A page from elsewhere cannot send this type without being asked first, and is refused.
        if self.headers.get_content_type() != "application/json":
            raise RefusedError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "expected JSON")
        try:
            content = self.rfile.read(int(length))
        except TimeoutError:
            content = b""
        if len(content) != int(length):
            raise RefusedError(HTTPStatus.REQUEST_TIMEOUT, "the body is shorter than it says")
        return json_object(content)

    def _reply(self, make: Callable[[], Reply]) -> None:
        try:
            check_origin(
                self.headers.get("Host"), self.headers.get("Origin"), self.server.server_port
            )
            reply = make()
        except RefusedError as e:
            reply = _words(e.status, str(e))
        except PycolorError as e:
            self.server.say(f"pycolor: {e}")
            reply = _words(HTTPStatus.INTERNAL_SERVER_ERROR, str(e))
        except Exception as e:  # told in a line, and the page learns that it failed
            self.server.say(f"a request failed: {type(e).__name__}: {e}")
            reply = _words(HTTPStatus.INTERNAL_SERVER_ERROR, "this failed; the terminal says why")
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Nothing: the terminal is for the person who runs the server."""


def _words(status: HTTPStatus, text: str) -> Reply:
    return Reply("text/plain; charset=utf-8", text.encode(errors="replace"), status)

"""The local server among other sites, slow and broken clients, and files that are in the way."""

from __future__ import annotations

import csv
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pycolor.cli import main
from pycolor.errors import FilmError, UsageError
from pycolor.options import StudyOptions
from pycolor.web import local_server
from pycolor.web.local_server import LocalServer, RefusedError, Reply, json_reply
from pycolor.web.study.answers import Answer, AnswerFile, read_answers
from pycolor.web.study.design import find_gallery
from pycolor.web.study.results import results, write_results
from pycolor.web.study.server import Study, StudyPages


class Echo:
    """Answers what it is asked."""

    def get(self, path: str) -> Reply:
        if path == "/fails":
            raise ValueError("a fault of ours")
        if path == "/full":
            raise FilmError("the disk is full.")
        return json_reply(path)

    def post(self, path: str, said: dict[str, Any]) -> Reply:
        return json_reply(said)


@pytest.fixture
def said() -> list[str]:
    return []


def run(pages: Any, said: list[str]) -> Iterator[int]:
    with LocalServer(pages, 0, said.append) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.fixture
def port(said: list[str]) -> Iterator[int]:
    yield from run(Echo(), said)


def ask(port: int, method: str, path: str, body: object = None, **headers: str) -> HTTPResponse:
    connection = HTTPConnection("127.0.0.1", port, timeout=10)
    given = {"Content-Type": "application/json"} | {
        k.replace("_", "-"): v for k, v in headers.items()
    }
    content = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection.request(method, path, content, given)
    reply = connection.getresponse()
    reply.read()
    connection.close()
    return reply


def raw(port: int, text: str) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        client.sendall(text.encode("latin-1"))
        client.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: client.recv(4096), b""))


def test_this_name_this_port_and_this_site_alone(port: int) -> None:
    for name in ("127.0.0.1", "localhost"):
        here = f"{name}:{port}"
        assert ask(port, "GET", "/", Host=here).status == 200
        assert ask(port, "POST", "/", {}, Host=here, Origin=f"http://{here}").status == 200
    for host in (f"localhost:{port + 1}", "localhost", "127.0.0.1", f"evil.example:{port}", ""):
        assert ask(port, "GET", "/", Host=host).status == 403
    for origin in (
        "null",
        "http://evil.example",
        f"http://localhost:{port + 1}",
        f"https://localhost:{port}",
        "",
    ):
        assert ask(port, "POST", "/", {}, Origin=origin).status == 403
    assert b" 403 " in raw(port, "GET / HTTP/1.0\r\n\r\n")


@pytest.mark.parametrize("length", ["²", "-1", "+3", "1e3", "3.0", "", "9" * 5000, "99999"])
def test_a_length_that_is_none_is_a_bad_request(length: str, port: int, said: list[str]) -> None:
    request = (
        f"POST / HTTP/1.0\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {length}\r\n\r\n{{}}"
    )
    assert b" 400 " in raw(port, request).partition(b"\r\n")[0]
    assert said == []


@pytest.mark.parametrize(
    "body", [b"[" * 4000, b'{"a":' * 800, b"{", b"\xff\xfe", b"[]", b"3", b"{}{}"]
)
def test_a_body_that_is_no_object_is_a_bad_request(body: bytes, port: int, said: list[str]) -> None:
    assert ask(port, "POST", "/", body).status == 400
    assert said == []


def test_a_body_that_ends_early_is_told(port: int) -> None:
    request = (
        f"POST / HTTP/1.0\r\nHost: localhost:{port}\r\nContent-Type: application/json\r\n"
        "Content-Length: 20\r\n\r\n{}"
    )
    assert b" 408 " in raw(port, request).partition(b"\r\n")[0]


def test_slow_clients_hold_no_more_than_their_share(
    port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = threading.active_count()
    with ExitStack() as stack:
        for _ in range(3 * local_server.MOST_CONNECTIONS):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(b"GET ")
        assert ask(port, "GET", "/").status == 200
        assert threading.active_count() <= before + local_server.MOST_CONNECTIONS + 5


def test_what_fails_here_is_one_line_and_no_traceback(
    port: int, said: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(port, "GET", "/fails").status == 500
    assert ask(port, "GET", "/full").status == 500
    with socket.create_connection(("127.0.0.1", port)) as client:  # hangs up at once
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        client.sendall(f"GET / HTTP/1.0\r\nHost: localhost:{port}\r\n\r\n".encode())
    assert ask(port, "GET", "/").status == 200
    assert said == ["a request failed: ValueError: a fault of ours", "pycolor: the disk is full."]
    assert capsys.readouterr().err == ""


def test_no_other_site_may_frame_or_sniff_it(port: int) -> None:
    headers = ask(port, "GET", "/").headers
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Python" not in headers["Server"]


def test_a_port_that_is_none(said: list[str]) -> None:
    with pytest.raises(FilmError, match="port 99999 cannot be used"):
        LocalServer(Echo(), 99999)


# ---- the study ---------------------------------------------------------------------------------


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for way in ("=one", "two"):
        (tmp_path / "pictures" / way).mkdir(parents=True)
        for i in range(3):
            codes = np.full((8, 8, 3), 40 * i, np.uint8)
            Image.fromarray(codes).save(tmp_path / "pictures" / way / f"{i}.png")
    return tmp_path / "pictures"


ANSWER = Answer(
    time="", participant='=HYPERLINK("http://x")', question="natural", seed=0, trial=0,
    practice=False, picture="-a", way="=one", left="", answer="yes", believed=True,
    milliseconds=500,
)  # fmt: skip


def test_no_cell_is_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    AnswerFile(path).add(ANSWER)
    AnswerFile(path).add(replace(ANSWER, participant="'=quoted already"))
    assert read_answers(path) == [ANSWER, replace(ANSWER, participant="'=quoted already")]
    write_results(results([ANSWER]), tmp_path / "r.csv")
    for name in ("a.csv", "r.csv"):
        with (tmp_path / name).open(newline="", encoding="utf-8") as file:
            cells = [cell for row in csv.reader(file) for cell in row]
        assert not [c for c in cells if c.startswith(("=", "+", "-", "@"))]


def test_a_line_that_was_cut_is_left_out_and_takes_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    told: list[str] = []
    AnswerFile(path).add(ANSWER)
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines(keepends=True)[1][:20])
    said: list[str] = []
    AnswerFile(path, said.append).add(ANSWER)
    assert said == [f"note: {path}, line 3 is no answer and is left out"]
    assert read_answers(path, told.append) == [ANSWER, ANSWER]
    assert len(told) == 1
    path.write_bytes(b"\xff\xfe\0")
    with pytest.raises(UsageError, match="no answers of a study"):
        read_answers(path)


def test_an_answer_that_cannot_be_written_is_told_and_may_come_again(
    pictures: Path, tmp_path: Path, said: list[str]
) -> None:
    path = tmp_path / "answers.csv"
    study = Study(find_gallery(pictures, "truth", "natural"), StudyOptions(), AnswerFile(path))
    key = study.begin("p")["session"]
    sent = {"session": key, "trial": 0, "choice": "yes", "milliseconds": 1}
    (port,) = (generator := run(StudyPages(study), said), [next(generator)])[1]
    os.rename(path, tmp_path / "moved.csv")
    assert ask(port, "POST", "/answers", sent).status == 500
    assert not path.exists()
    assert said == [f"pycolor: {path} cannot be written: No such file or directory."]
    os.rename(tmp_path / "moved.csv", path)
    assert ask(port, "POST", "/answers", sent).status == 200
    assert ask(port, "POST", "/answers", sent).status == 409
    assert len(read_answers(path)) == 1
    assert next(generator, None) is None
    with pytest.raises(RefusedError):
        study.picture("nothing")


def test_results_before_any_answer(pictures: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["study", str(pictures), "--results"]) == 2
    assert "nobody has answered yet" in capsys.readouterr().err

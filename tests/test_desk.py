"""The desk: the page shows the film to come, and saves the plan; strangers get nothing."""

from __future__ import annotations

import http.client
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pycolor.cli import main
from pycolor.options import PredictOptions, VideoOptions
from pycolor.system.bounded import Bounded
from pycolor.video.film_plan import edit
from pycolor.video.io import Reader
from pycolor.video.io.frame.planes import chroma_planes
from pycolor.video.job.decisions.plan_file import read_plan_file, save_plan_file
from pycolor.video.job.decisions.project import Project, project_of
from pycolor.video.job.decisions.start_plan import start_plan
from pycolor.video.render.shown import shown_codes
from pycolor.web.desk.delivery import Deliveries
from pycolor.web.desk.plan.journal import Journal, difference
from pycolor.web.desk.server import bind, desk_app, server_of
from pycolor.web.desk.session import Desk
from tests.films import make_film

FRAMES, CUTS = 24, (8, 16)
QUICK = VideoOptions(predict=PredictOptions(short_side=64, dtype="float32", device="cpu"))
TOKEN = "not-a-secret"


@dataclass(kw_only=True)
class Page:
    """What a page does, without a browser."""

    desk: Desk
    port: int
    film: Path
    said: list[str]

    @property
    def plan(self) -> Path:
        return self.desk.path

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        named = {k.replace("_", "-"): v for k, v in headers.items()}
        try:
            connection.request(method, path, body, named)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def get(self, path: str) -> bytes:
        status, content = self.ask("GET", f"/{TOKEN}/{path}")
        assert status == 200, content
        return content

    def post(self, path: str, said: object) -> tuple[int, Any]:
        status, content = self.ask(
            "POST", f"/{TOKEN}/{path}", json.dumps(said).encode(), Content_Type="application/json"
        )
        return status, json.loads(content) if status == 200 else content.decode()

    def state(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.get("api/state"))
        return found

    def edit(self, **said: Any) -> dict[str, Any]:
        status, answer = self.post("api/edit", {"revision": self.state()["revision"], **said})
        assert status == 200, answer
        found: dict[str, Any] = answer
        return found

    def refused(self, **said: Any) -> tuple[int, str]:
        before = self.plan.read_bytes()
        status, answer = self.post("api/edit", {"revision": self.state()["revision"], **said})
        assert self.plan.read_bytes() == before
        return status, answer

    def codes(self, frame: int, view: str = "color") -> np.ndarray[Any, Any]:
        return pixels(self.get(f"api/frame/{frame}.png?view={view}"))


def pixels(content: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def make_started(folder: Path) -> Path:
    """A folder with a film of 24 frames in three shots, and its plan."""
    film = make_film(folder / "reel.mkv", frames=FRAMES, timecode="10:00:00:00")
    start_plan(film, project_of(film) / "plan.json")
    file = read_plan_file(project_of(film) / "plan.json")
    plan = file.plan
    for frame in CUTS:
        plan = edit.split_shot(plan, frame)
    save_plan_file(file.path, plan)
    return folder


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_started(tmp_path_factory.mktemp("desk"))


@contextmanager
def opened(film: Path, *, ahead: bool = False) -> Iterator[Page]:
    path = project_of(film) / "plan.json"
    file = read_plan_file(path)
    analysis = Project(file.project).load_analysis(file.plan.source.sha256)
    assert analysis is not None
    said: list[str] = []
    desk = Desk(film, path, QUICK, analysis, ahead=ahead)
    deliveries = Deliveries(film, file.project, QUICK, path)
    with bind(0) as listening:
        port = listening.getsockname()[1]
        server = server_of(desk_app(desk, TOKEN, port, deliveries, said.append))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield Page(desk=desk, port=port, film=film, said=said)
        finally:
            server.should_exit = True
            thread.join(30)
            deliveries.close()
            desk.close()


@pytest.fixture
def film(started: Path, tmp_path: Path) -> Path:
    shutil.copytree(started, tmp_path, dirs_exist_ok=True)
    return tmp_path / "reel.mkv"


@pytest.fixture
def page(film: Path) -> Iterator[Page]:
    with opened(film) as found:
        yield found


def test_the_page_shows_what_preview_makes(page: Page, tmp_path: Path) -> None:
    page.edit(do="set", shot=1, values={"saturation": 1.6, "warmth": 0.5})
    for frame in (3, 12):
        told = ["preview", str(page.film), str(tmp_path / f"{frame}.png"), "--frame", str(frame)]
        assert main([*told, "--short-side", "64", "--dtype", "float32"]) == 0
        assert np.array_equal(page.codes(frame), np.asarray(Image.open(tmp_path / f"{frame}.png")))
    gray = page.codes(12, "gray")
    assert (gray[..., 0] == gray[..., 1]).all()
    with Reader(page.film, frames=(12, 13)) as reader:
        luma = next(iter(reader)).luma
        black, white = reader.info.encoding.luma_code_range
    expected = (luma.astype(float) - black) / (white - black) * 255
    assert np.abs(gray[..., 0] - expected.clip(0, 255)).max() <= 0.5 + 1e-9


def test_color_that_is_made_ahead_is_the_same(film: Path) -> None:
    with opened(film) as page:
        alone = [page.codes(n) for n in range(8)]
    layer = Project(project_of(film)).layer
    assert not layer.exists()
    with opened(film, ahead=True) as page:
        page.codes(0)
        news = page.desk.frames._turns.news
        with news:  # ends when the piece is kept
            assert news.wait_for(lambda: len(list(layer.glob("[!.]*.npz"))) == 1, 60) or (
                list(layer.glob("[!.]*.npz"))
            )
        assert all(np.array_equal(page.codes(n), alone[n]) for n in range(8))


def test_a_point_colors_its_frame_and_no_other_shot(page: Page) -> None:
    before = page.codes(10), page.codes(20)
    answer = page.edit(do="mark", frame=10, kind="color", at=[30, 20], radius=9, color="#2040c0")
    (part,) = answer["parts"]
    assert (part["at"], part["removed"], answer["undo"]) == (1, 1, "mark color")
    after = page.codes(10)
    assert not np.array_equal(after, before[0])
    assert after[15:25, 25:35, 2].mean() > before[0][15:25, 25:35, 2].mean() + 2  # bluer
    assert np.array_equal(page.codes(20), before[1])
    page.edit(do="unmark", shot=1, entry=0)
    assert np.array_equal(page.codes(10), before[0])


def test_accepted_is_kept_and_lost_with_a_change(film: Path) -> None:
    with opened(film) as page:
        seen = page.state()["shots"][0]["digest"]
        page.edit(do="review", shot=0, state="accepted", seen=seen, reviewer="Ada")
    with opened(film) as page:
        shot = page.state()["shots"][0]
        assert (shot["shown_state"], shot["reviewer"]) == ("accepted", "Ada")
        page.edit(do="set", shot=0, values={"notes": "fine"})
        assert page.state()["shots"][0]["shown_state"] == "accepted"
        answer = page.edit(do="set", shot=0, values={"saturation": 0.5})
        assert answer["parts"][0]["shots"][0]["shown_state"] == "changed"
        status, why = page.refused(do="review", shot=0, state="accepted", seen=seen)
        assert (status, why) == (409, "shot 1 is no longer what was seen")


def test_undo_and_redo_over_a_restart(film: Path) -> None:
    plan = project_of(film) / "plan.json"

    def shots() -> Any:
        return json.loads(plan.read_text())["shots"]

    steps = [shots()]
    with opened(film) as page:
        for said in (
            {"do": "set", "shot": 2, "values": {"treatment": "black-and-white"}},
            {"do": "split", "frame": 4},
            {"do": "move-cut", "shot": 1, "frame": 5},
            {"do": "merge", "shot": 0},
            {"do": "transition", "shot": 1, "kind": "dissolve", "start": 6, "stop": 11},
            {"do": "same-as", "shot": 0, "as": 2},
        ):
            page.edit(**said)
            steps.append(shots())
    with opened(film) as page:
        for expected in steps[-2::-1]:
            page.edit(do="undo")
            assert shots() == expected
        assert page.refused(do="undo") == (400, "there is nothing to undo")
    with opened(film) as page:
        for expected in steps[1:4]:
            page.edit(do="redo")
            assert shots() == expected
        page.edit(do="set", shot=0, values={"warmth": 0.1})
        assert page.state()["redo"] is None


def test_a_journal_that_was_cut_and_a_step_that_was_not_saved(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    journal = Journal(path, 3)
    first = difference("first", [{"a": 1}, {"b": 1}], [{"a": 1}, {"b": 2}, {"c": 3}])
    (part,) = first.parts
    assert (part.at, part.old, part.new) == (1, [{"b": 1}], [{"b": 2}, {"c": 3}])
    journal.write("edit", 4, first)
    journal.write("edit", 5, replace(first, what="lost"))  # the machine ends before the plan is
    with path.open("ab") as file:
        file.write(b'{"step": "ed')
    again = Journal(path, 4)
    assert again.undo == first
    again.write("undo", 5)
    assert Journal(path, 5).undo is None
    assert Journal(path, 5).redo == first
    assert first.back().applied([{"a": 1}, {"b": 2}, {"c": 3}, {"d": 4}]) == [
        {"a": 1},
        {"b": 1},
        {"d": 4},
    ]
    assert first.applied([{"a": 1}, {"b": 7}]) is None


def test_two_pages_and_an_editor(page: Page) -> None:
    revision = page.state()["revision"]
    page.edit(do="set", shot=0, values={"notes": "mine"})
    said = {"do": "set", "shot": 0, "values": {"notes": "yours"}, "revision": revision}
    assert page.post("api/edit", said)[0] == 409
    assert page.state()["shots"][0]["notes"] == "mine"
    save_plan_file(page.plan, edit.set_shot(read_plan_file(page.plan).plan, 0, notes="by hand"))
    assert json.loads(page.get(f"api/state?since={revision + 1}"))["shots"][0]["notes"] == "by hand"
    latest = page.state()["revision"]
    assert json.loads(page.get(f"api/state?since={latest}")) == {"revision": latest, "news": []}
    assert page.refused(do="undo")[0] == 400  # the shot is not what was changed here


def test_a_still_leads_its_shot(page: Page, film: Path) -> None:
    before = page.codes(4)
    with Reader(film, frames=(4, 5)) as reader:
        gray = next(iter(reader)).luma
    file = io.BytesIO()
    Image.fromarray(np.stack([gray, gray // 2, gray // 3], 2)).save(file, "PNG")
    revision = page.state()["revision"]
    address = f"/{TOKEN}/api/still?frame=4&revision={revision}"
    status, _ = page.ask("POST", address, file.getvalue(), Content_Type="image/png")
    assert status == 200
    (entry,) = page.state()["shots"][0]["guidance"]
    assert (page.plan.parent / entry["path"]).read_bytes() == file.getvalue()
    after = page.codes(4).astype(int)
    assert (after[..., 0] - after[..., 2]).mean() > (
        before[..., 0].astype(int) - before[..., 2]
    ).mean() + 5
    address = address.replace(f"={revision}", f"={revision + 1}")
    for content in (b"GIF89a", b"\x89PNG\r\n\x1a\n and nothing"):
        status, _ = page.ask("POST", address, content, Content_Type="image/png")
        assert status == 400
    assert len(list((page.plan.parent / "stills").iterdir())) == 1
    assert page.state()["revision"] == revision + 1


def test_a_frame_goes_to_an_editor_and_comes_back(film: Path) -> None:
    with opened(film) as page:
        before = page.codes(4)
        status, answer = page.post("api/editor", {"frame": 4})
        assert status == 200
        path = Path(answer["path"])
        assert path.name == "frame-000004.png"
        assert np.array_equal(np.asarray(Image.open(path)), before)
        editor = page.desk.editor
        editor.look()
        assert page.state()["shots"][0]["guidance"] == []
        Image.fromarray(before[..., ::-1]).save(path)
        cut = path.with_name("frame-000005.png")
        cut.write_bytes(path.read_bytes()[:200])  # an editor is still at it
        editor.look()
        (entry,) = page.state()["shots"][0]["guidance"]
        assert (entry["kind"], entry["frame"]) == ("still", 4)
        (news,) = page.state()["news"]
        assert "frame 4 came back" in news["text"]
        cut.unlink()
        page.edit(do="undo")
        editor.look()
        assert page.state()["shots"][0]["guidance"] == []
        assert page.post("api/editor", {"frame": 99})[0] == 404
    Image.fromarray(before // 2).save(path)  # while no desk runs
    Image.fromarray(before[:9]).save(path.with_name("frame-000099 large.jpg"))
    with opened(film) as page:
        page.desk.editor.look()
        assert (
            "frame 99 came back from the editor, and cannot be used"
            in page.state()["news"][1]["text"]
        )
        Image.fromarray(before // 3).save(path)
        page.desk.editor.look()
        page.desk.editor.look()
        assert len(page.state()["news"]) == 3
        (entry,) = page.state()["shots"][0]["guidance"]  # the newest one alone
        assert entry["frame"] == 4


def test_a_frame_by_itself_first(film: Path) -> None:
    with opened(film) as page:
        quick = f"/{TOKEN}/api/frame/9.png?view=color&how=quick"
        assert page.ask("GET", f"/{TOKEN}/api/frame/9.png?how=made") == (204, b"")
        status, content = page.ask("GET", quick)
        assert status == 200
        final = page.codes(9)
        apart = np.abs(pixels(content).astype(int) - final).mean()
        assert apart < np.abs(page.codes(9, "gray").astype(int) - final).mean() / 2
        assert np.array_equal(pixels(page.ask("GET", quick)[1]), final)  # it is known now
        for how in ("made", "wait"):
            found = page.ask("GET", f"/{TOKEN}/api/frame/9.png?view=color&how={how}")
            assert np.array_equal(pixels(found[1]), final)
        assert page.ask("GET", quick.replace("quick", "never"))[0] == 400


def test_the_palette_is_the_project_s(film: Path) -> None:
    with opened(film) as page:
        assert page.post("api/palette", {"colors": ["#5a6b3c", "#102030"]})[0] == 200
        for colors in (["red"], [3], "x", None, ["#000000"] * 65):
            assert page.post("api/palette", {"colors": colors})[0] == 400
    with opened(film) as page:
        assert page.state()["palette"] == ["#5a6b3c", "#102030"]


WRONG: list[dict[str, Any]] = [
    {"do": "nothing"},
    {"do": "set", "shot": 0, "values": {"start": 3}},
    {"do": "set", "shot": 0, "values": {"saturation": "much"}},
    {"do": "set", "shot": 0, "values": {"saturation": 9}},
    {"do": "set", "shot": 99, "values": {"warmth": 0}},
    {"do": "set", "shot": -1, "values": {"warmth": 0}},
    {"do": "set", "shot": 0, "values": {"model": "nobody"}},
    {"do": "set", "shot": True, "values": {"warmth": 0}},
    {"do": "mark", "frame": 1, "kind": "color", "at": [900, 3], "color": "#102030"},
    {"do": "mark", "frame": 1, "kind": "color", "at": [3, 3], "color": "blue"},
    {"do": "mark", "frame": 99, "kind": "keep-gray", "at": [3, 3]},
    {"do": "mark", "frame": 1, "kind": "still", "path": "/etc/passwd"},
    {"do": "mark", "frame": 1, "kind": "only-here", "polygon": [[1, 1], [2, 2]]},
    {"do": "palette", "shot": 0, "colors": [{}]},
    {"do": "split", "frame": 0},
    {"do": "merge", "shot": 2},
    {"do": "move-cut", "shot": 0, "frame": 3},
    {"do": "transition", "shot": 1, "kind": "wipe", "start": 8, "stop": 8},
]


def test_what_cannot_be_is_refused_and_changes_nothing(page: Page) -> None:
    for said in WRONG:
        status, why = page.refused(**said)
        assert status == 400, (said, why)
        assert why
    assert page.said == []


def hostile(port: int) -> list[bytes]:
    """Requests that the page would never make."""
    host, home = f"Host: 127.0.0.1:{port}\r\n".encode(), f"/{TOKEN}/".encode()
    origin, evil = f"Origin: http://127.0.0.1:{port}\r\n".encode(), b"Origin: http://evil.test\r\n"
    json_kind = b"Content-Type: application/json\r\n"

    def post(path: bytes, body: bytes, head: bytes = host + json_kind, length: int | None = None):
        size = f"Content-Length: {len(body) if length is None else length}\r\n".encode()
        return b"POST " + home + path + b" HTTP/1.1\r\n" + head + size + b"\r\n" + body

    def get(path: bytes, head: bytes = host):
        return b"GET " + path + b" HTTP/1.1\r\n" + head + b"\r\n"

    return [
        get(home, b""),
        get(home, b"Host: evil.test\r\n"),
        get(home, f"Host: 127.0.0.1:{port + 1}\r\n".encode()),
        get(home, host + host),
        get(home, host + evil),
        get(home, host + b"Origin: null\r\n"),
        get(home, host + b"Sec-Fetch-Site: cross-site\r\n"),
        get(b"/"),
        get(b"/wrong/api/state"),
        get(home[:-1]),
        get(home + b"../../etc/passwd"),
        get(home + b"%2e%2e%2f%2e%2e%2fetc/passwd"),
        get(home + b"..%5c..%5cplan.json"),
        get(home + b"session.py"),
        get(home + b"api/frame/..%2f..%2fplan.png"),
        get(home + b"api/frame/-1.png"),
        get(home + b"api/frame/24.png"),
        get(home + b"api/frame/" + b"9" * 5000 + b".png"),
        get(home + b"api/frame/1.png?view=../x"),
        get(home + b"api/thumbnail/999999999.jpg"),
        get(home + b"a" * 2000),
        b"DELETE " + home + b"api/state HTTP/1.1\r\n" + host + b"\r\n",
        b"PUT " + home + b"desk.js HTTP/1.1\r\n" + host + b"Content-Length: 0\r\n\r\n",
        b"CONNECT evil.test:80 HTTP/1.1\r\n" + host + b"\r\n",
        b"GET http://evil.test/ HTTP/1.1\r\nHost: evil.test\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        post(b"api/edit", b"{}"),
        post(b"api/edit", b"{"),
        post(b"api/edit", b"[]"),
        post(b"api/edit", b"[" * 50000),
        post(b"api/edit", b'{"revision":NaN}'),
        post(b"api/edit", b"\xff\xfe\x00"),
        post(b"api/edit", b'{"revision":' + b"9" * 6000 + b"}"),
        post(b"api/edit", b'{"revision":1,"do":"undo"}', host + json_kind + evil),
        post(b"api/edit", b'{"revision":1}', host + b"Content-Type: text/plain\r\n"),
        post(b"api/edit", b'{"revision":1}', host),
        post(b"api/edit", b"", length=1 << 30),
        post(b"api/edit", b"{}", length=-5),
        post(b"api/edit", b"", host + b"Content-Type: image/png\r\n", length=0),
        post(b"api/still?frame=1&revision=1", b"", host + b"Content-Type: image/png\r\n", 1 << 40),
        post(b"api/still?frame=x&revision=1", b"x", host + b"Content-Type: image/png\r\n"),
        post(b"api/still?frame=1&revision=2", b"<svg/>", host + b"Content-Type: image/png\r\n"),
        post(b"api/still?frame=1&revision=2", b"{}"),
        post(b"api/palette", b'{"colors":["url(http://evil.test)"]}'),
        post(b"api/delivery", b'{"preset":"archive","name":"../../x"}', host + json_kind + origin),
        post(b"api/delivery", b'{"preset":"archive","name":"/etc/x"}'),
        post(b"api/delivery", b'{"preset":"archive","name":".."}'),
        post(b"api/delivery", b'{"preset":"rm -rf","name":"x"}'),
        post(b"api/delivery", b'{"preset":["archive"],"name":{}}'),
        b"POST " + home + b"api/edit HTTP/1.1\r\n" + host + json_kind
        + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    ]  # fmt: skip


def test_hostile_requests_are_refused(page: Page) -> None:
    before, folder = page.plan.read_bytes(), sorted(page.plan.parent.rglob("*"))
    for request in hostile(page.port):
        with socket.create_connection(("127.0.0.1", page.port), timeout=20) as client:
            client.sendall(request)
            status = client.recv(4096).split(b" ", 2)[1:2]
        assert status, request[:80]
        assert 400 <= int(status[0]) < 500, (status, request[:80])
    assert page.state()["revision"] > 0
    assert page.plan.read_bytes() == before
    assert sorted(page.plan.parent.rglob("*")) == folder
    assert page.said == []


def test_answers_say_that_nothing_may_come_from_elsewhere(page: Page) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", page.port, timeout=20)
    for path in (f"/{TOKEN}/", "/nothing"):
        connection.request("GET", path)
        reply = connection.getresponse()
        text = reply.read().decode()
        assert "frame-ancestors 'none'" in (reply.headers["Content-Security-Policy"] or "")
        assert reply.headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in reply.headers
        assert "http://" not in text
    connection.close()


def test_deliver(page: Page) -> None:
    page.edit(do="mark", frame=10, kind="color", at=[30, 20], radius=9, color="#2040c0")
    assert page.post("api/delivery", {"preset": "archive", "name": "master"})[0] == 200
    listening = [t for t in threading.enumerate() if "_listen" in t.name]
    for thread in listening:
        thread.join(240)
    told = json.loads(page.get("api/delivery"))
    assert told["state"] == "done", told
    assert told["done"] == FRAMES
    again = page.post("api/delivery", {"preset": "archive", "name": "master"})
    assert again == (409, "master.mkv is there already")
    with Reader(Path(told["folder"]) / "master.mkv") as reader:
        for frame in reader:
            if frame.index in (0, 10, 23):
                chroma = chroma_planes(frame)
                assert chroma is not None
                codes = shown_codes(frame.luma, chroma, reader.info.encoding)
                assert np.array_equal(codes, page.codes(frame.index))


def test_cancel(page: Page) -> None:
    assert page.post("api/delivery", {"preset": "h264", "name": "access"})[0] == 200
    assert page.post("api/delivery", {"preset": "h264", "name": "other"})[0] == 409
    status, told = page.post("api/delivery/cancel", {})
    assert (status, told["state"]) == (200, "canceled")
    assert not (Path(told["folder"]) / "access.mp4").exists()


def test_what_is_kept_has_a_bound() -> None:
    kept: Bounded[str] = Bounded(10)
    for n in range(5):
        kept.put(n, str(n), 4)
        kept.get(0)
    assert [n for n in range(5) if kept.get(n)] == [0, 4]
    kept.put("large", "x", 99)
    assert kept.get("large") == "x"
    assert kept.get(4) is None


def test_the_address_is_the_first_line(film: Path) -> None:
    command = [sys.executable, "-m", "pycolor", "desk", str(film), "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        port = int(address.split(":")[2].partition("/")[0])
        token = address.rstrip("/").rpartition("/")[2]
        assert len(token) >= 32
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", f"/{token}/api/state")
        assert json.loads(connection.getresponse().read())["film"]["frames"] == FRAMES
        connection.close()
        process.terminate()
        assert process.wait(60) in (0, 143, -15)


def test_wrong_commands_are_one_sentence(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["desk", str(film), "--port", "99999"]) == 2
    assert main(["desk", str(film.with_name("gone.mkv"))]) == 2
    with bind(0) as taken:
        assert main(["desk", str(film), "--port", str(taken.getsockname()[1])]) == 1
    assert "port" in capsys.readouterr().err


# ---- a real browser ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Chromium without a screen, where one is installed."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    path = next(filter(None, map(shutil.which, names)), None)
    if path is None:
        pytest.skip(f"no browser is installed ({', '.join(names)})")
    sandbox = [] if os.geteuid() else ["--no-sandbox"]  # root has none
    with playwright.sync_playwright() as p:
        launched = p.chromium.launch(executable_path=path, args=sandbox)
        yield launched
        launched.close()


CANVAS = """() => {
  const canvas = document.getElementById("frame");
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return [canvas.width, canvas.height, Array.from(data)];
}"""


def canvas(tab: Any) -> np.ndarray[Any, Any]:
    wide, tall, data = tab.evaluate(CANVAS)
    return np.array(data, np.uint8).reshape(tall, wide, 4)[..., :3]


def shown(tab: Any, frame: int, revision: int, view: str = "color") -> None:
    tab.wait_for_selector(f'#frame[data-shown="{frame} {view} {revision}"]', timeout=60_000)


def test_in_a_browser(browser: Any, page: Page, tmp_path: Path) -> None:
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    tab.set_default_timeout(60_000)
    troubles: list[str] = []
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on("console", lambda m: troubles.append(m.text) if m.type == "error" else None)
    tab.on("request", lambda r: None if f":{page.port}/" in r.url else troubles.append(r.url))
    address, revision = f"http://127.0.0.1:{page.port}/{TOKEN}/", page.state()["revision"]
    troubles.clear()
    tab.goto(address)
    shown(tab, 0, revision)
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("ArrowRight")
    shown(tab, 9, revision)
    assert np.array_equal(canvas(tab), page.codes(9))
    assert (tab.text_content("#place") or "").startswith("frame 9 of 24 · 10:00:00:09")
    before = canvas(tab)

    tab.fill("#hex", "#2040c0")
    tab.press("#hex", "Enter")
    tab.locator("#hex").blur()
    box = tab.locator("#frame").bounding_box()
    tab.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown(tab, 9, revision + 1)
    assert not np.array_equal(canvas(tab), before)
    assert np.array_equal(canvas(tab), page.codes(9))
    (mark,) = page.state()["shots"][1]["guidance"]
    width, height = page.state()["film"]["width"], page.state()["film"]["height"]
    assert abs(mark["at"][0] - width / 2) <= 1
    assert abs(mark["at"][1] - height / 2) <= 1

    tab.keyboard.press("a")
    shown(tab, 9, revision + 2)
    tab.reload()
    shown(tab, 0, revision + 2)
    assert tab.locator(".shot.accepted").count() == 1
    tab.locator(".shot.accepted").click()
    shown(tab, 8, revision + 2)
    assert tab.inner_text("#shot-state") == "accepted"
    tab.keyboard.press(".")
    shown(tab, 8, revision + 3)
    assert [s["start"] for s in page.state()["shots"]] == [0, 9, 16]
    tab.keyboard.press("z")
    shown(tab, 8, revision + 4)
    assert page.state()["shots"][1]["shown_state"] == "accepted"
    tab.keyboard.press("4")
    shown(tab, 8, revision + 4, "side")
    both = canvas(tab)
    assert np.array_equal(both[:, width:], page.codes(8, "gray"))
    tab.keyboard.press("1")
    shown(tab, 8, revision + 4)
    folder = Path(os.environ.get("PYCOLOR_SCREENSHOTS", tmp_path))
    tab.screenshot(path=str(folder / "desk.png"))
    overflow = "document.documentElement.scrollWidth > innerWidth || scrollY > 0"
    assert not tab.evaluate(overflow)
    tab.close()
    assert not troubles


def test_it_is_played_in_color_as_soon_as_that_is_made(browser: Any, film: Path) -> None:
    with opened(film, ahead=True) as page:
        tab = browser.new_page(viewport={"width": 1280, "height": 800})
        tab.goto(f"http://127.0.0.1:{page.port}/{TOKEN}/")
        shown(tab, 0, page.state()["revision"])
        tab.keyboard.press("l")
        tab.wait_for_selector('#frame[data-shown="5 play"]', timeout=60_000)  # and in a loop
        tab.wait_for_selector('#frame[data-shown="2 play"]', timeout=60_000)
        tab.keyboard.press("k")
        tab.wait_for_selector('#frame[data-shown*=" color "]')
        frame = int(tab.get_attribute("#frame", "data-shown").split()[0])
        shown(tab, frame, page.state()["revision"])
        assert np.array_equal(canvas(tab), page.codes(frame))
        tab.keyboard.press("6")
        shown(tab, frame, page.state()["revision"], "doubt")
        assert np.array_equal(canvas(tab), page.codes(frame, "doubt"))
        tab.close()

"""`pycolor weights`: fetching from a server of our own, the cache, and what goes wrong."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from pycolor.cli import main
from pycolor.errors import FilmError, UsageError
from pycolor.models.checkpoints import cache
from pycolor.models.checkpoints import published as catalog
from pycolor.models.checkpoints.published import PUBLISHED, ReleaseFile, published

CONTENT = bytes(range(256)) * 8000  # 2 MB, more than one chunk


@dataclass
class Server:
    """Serves one file below any path; `/short` breaks off, `/plain` knows no ranges, `/404`."""

    content: bytes = CONTENT
    ranges: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def server() -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers.get("Range")
            state.ranges.append(asked)
            begin = 0
            if self.path.startswith("/404"):
                self.send_error(404)
                return
            if asked and not self.path.startswith("/plain"):
                begin = int(asked.removeprefix("bytes=").removesuffix("-"))
                if begin >= len(state.content):
                    self.send_error(416)
                    return
            self.send_response(206 if begin else 200)
            self.send_header("Content-Length", str(len(state.content) - begin))
            self.end_headers()
            body = state.content[begin:]
            self.wfile.write(body[: len(body) // 2] if self.path.startswith("/short") else body)

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{http.server_address[1]}"
    yield state
    http.shutdown()
    http.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def cache_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setenv("PYCOLOR_CACHE", str(folder))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    return folder


def item(*urls: str, content: bytes = CONTENT, **other: object) -> ReleaseFile:
    base = ReleaseFile(
        name="toy",
        model="toy",
        urls=urls,
        bytes=len(content),
        digest=f"sha256:{hashlib.sha256(content).hexdigest()}",
        license="CC0",
    )
    return replace(base, **other)  # type: ignore[arg-type]


def test_fetched_once_then_offline(server: Server, cache_dir: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    toy = item(f"{server.url}/w.bin")
    path = cache.fetch(toy, lambda have, total: seen.append((have, total)))
    assert path == cache_dir / "downloads" / "w.bin"
    assert path.read_bytes() == CONTENT
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert server.ranges == [None]
    assert cache.fetch(replace(toy, urls=("http://127.0.0.1:9/w.bin",))) == path
    assert server.ranges == [None]
    assert [p.name for p in path.parent.iterdir()] == ["w.bin"]


def test_broken_download_goes_on_from_a_mirror(server: Server) -> None:
    toy = item(f"{server.url}/short/w.bin", f"{server.url}/w.bin")
    assert cache.fetch(toy).read_bytes() == CONTENT
    assert server.ranges == [None, f"bytes={len(CONTENT) // 2}-"]


def test_broken_download_goes_on_in_the_next_run(server: Server) -> None:
    toy = item(f"{server.url}/short/w.bin")
    with pytest.raises(FilmError, match="broke 1024000 bytes before the end"):
        cache.fetch(toy)
    again = replace(toy, urls=(f"{server.url}/w.bin",), bytes=None)
    assert cache.fetch(again).read_bytes() == CONTENT
    assert server.ranges[-1] == f"bytes={len(CONTENT) // 2}-"


def test_server_without_ranges_starts_over(server: Server) -> None:
    toy = item(f"{server.url}/short/w.bin", f"{server.url}/plain/w.bin")
    assert cache.fetch(toy).read_bytes() == CONTENT


@pytest.mark.parametrize("size", [len(CONTENT), None])
def test_complete_part_of_unknown_size(server: Server, size: int | None) -> None:
    toy = item(f"{server.url}/w.bin", bytes=size)
    part = cache.downloaded(toy).with_name("w.bin.part")
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT)
    assert cache.fetch(toy).read_bytes() == CONTENT


def test_wrong_file_is_thrown_away_and_the_mirror_asked(server: Server) -> None:
    toy = item(f"{server.url}/w.bin", content=CONTENT[::-1])
    with pytest.raises(FilmError, match=r"another file, its sha256 differs.*weights import w\.bin"):
        cache.fetch(toy)
    assert list(cache.downloaded(toy).parent.iterdir()) == []


def test_damaged_cache_is_fetched_again(server: Server) -> None:
    toy = item(f"{server.url}/w.bin")
    cache.fetch(toy).write_bytes(CONTENT[:-1] + b"!")
    assert cache.fetch(toy).read_bytes() == CONTENT


def test_failure_is_one_sentence_with_the_way_by_hand(server: Server) -> None:
    toy = item(f"{server.url}/404", "http://127.0.0.1:9/w.bin")
    with pytest.raises(FilmError) as e:
        cache.fetch(toy)
    text = str(e.value)
    assert "HTTP 404" in text
    assert "Connection refused" in text
    assert "pycolor weights import 404" in text
    assert "\n" not in text


def test_sha1_where_only_that_is_published(server: Server) -> None:
    toy = item(f"{server.url}/w.bin", digest=f"sha1:{hashlib.sha1(CONTENT).hexdigest()}")
    assert cache.fetch(toy).read_bytes() == CONTENT


def test_cache_folder_by_variable_then_xdg(
    monkeypatch: pytest.MonkeyPatch, cache_dir: Path
) -> None:
    assert cache.cache_folder() == cache_dir
    monkeypatch.delenv("PYCOLOR_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert cache.cache_folder() == Path("/somewhere/pycolor")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache.cache_folder() == Path.home() / ".cache" / "pycolor"


def test_published_list_is_sound() -> None:
    assert len({i.name for i in PUBLISHED}) == len(PUBLISHED)
    for i in PUBLISHED:
        algorithm, _, digest = i.digest.partition(":")
        assert len(bytes.fromhex(digest)) == hashlib.new(algorithm).digest_size
        assert all(url.startswith(("https://", "http://")) for url in i.urls)
    with pytest.raises(UsageError, match="vgg16"):
        published("vgg61")


def trunk(path: Path) -> None:
    features = {
        "features.0.weight": torch.rand(64, 3, 3, 3),
        "features.28.weight": torch.rand(512, 512, 3, 3),
    }
    torch.save(features, path)


def test_pull_writes_our_file_and_knows_it_again(
    server: Server,
    cache_dir: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    trunk(tmp_path / "vgg.pth")
    server.content = (tmp_path / "vgg.pth").read_bytes()
    toy = item(f"{server.url}/vgg.pth", content=server.content, name="vgg16", ask=True)
    monkeypatch.setattr(catalog, "PUBLISHED", [toy])
    assert main(["weights", "pull", "vgg16"]) == 2
    assert "--accept-license" in capsys.readouterr().err
    assert main(["weights", "pull", "vgg16", "--accept-license"]) == 0
    assert (cache_dir / "vgg16.safetensors").exists()
    assert "wrote" in capsys.readouterr().err
    assert main(["weights", "pull", "vgg16", "--accept-license"]) == 0
    assert "there already" in capsys.readouterr().err
    assert len(server.ranges) == 1
    assert main(["weights", "list"]) == 0
    assert "imported" in capsys.readouterr().out


def test_import_and_path(
    cache_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trunk(tmp_path / "vgg.pth")
    arguments = ["weights", "import", str(tmp_path / "vgg.pth")]
    assert main(arguments) == 0
    assert main(arguments) == 2
    assert "--overwrite" in capsys.readouterr().err
    assert main([*arguments, "--overwrite"]) == 0
    out = tmp_path / "mine.safetensors"
    assert main([*arguments, "--out", str(out)]) == 0
    assert out.exists()
    capsys.readouterr()
    assert main(["weights", "path"]) == 0
    assert capsys.readouterr().out.strip() == str(cache_dir)
    assert main(["weights", "path", "vgg16"]) == 0
    assert capsys.readouterr().out.strip() == str(cache_dir / "vgg16.safetensors")


def test_import_of_nothing_and_of_text(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["weights", "import"]) == 2
    assert "needs a FILE" in capsys.readouterr().err
    text = tmp_path / "notes.txt"
    text.write_text("not weights")
    assert main(["weights", "import", str(text)]) == 1
    assert "Caffe model" in capsys.readouterr().err


def test_a_cache_that_cannot_be_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("PYCOLOR_CACHE", str(tmp_path / "file" / "cache"))
    trunk(tmp_path / "vgg.pth")
    assert main(["weights", "import", str(tmp_path / "vgg.pth")]) == 1
    assert "PYCOLOR_CACHE names another place" in capsys.readouterr().err

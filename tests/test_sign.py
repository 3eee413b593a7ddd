"""Content Credentials: valid, the packets and pixels untouched, and no changed bit unnoticed."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID
from PIL import Image

from pycolor.cli import main
from pycolor.credentials.check import check_credentials
from pycolor.credentials.sign import SignOptions, sign_output
from pycolor.errors import UsageError
from tests.authority import Authority, Pair
from tests.films import make_film

FILMS = {".mp4": "mpeg4", ".mov": "mpeg4", ".mkv": "ffv1", ".webm": "libvpx", ".mxf": "mpeg2video"}
PICTURES = (".tif", ".jpg", ".png")
EMBEDDED = (".mp4", ".mov", *PICTURES)
ALL = (*FILMS, *PICTURES)
SMALL = ["--short-side", "32", "--progress", "none"]
WEIGHTS = "5f" * 32
SOURCE = "ab" * 32


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def signer(authority: Authority) -> Pair:
    return authority.issue("signer")


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise AssertionError("a test of signatures went to the network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def make_output(path: Path) -> Path:
    """What pycolor might have written, and the record of it."""
    if path.suffix in FILMS:
        make_film(path, codec=FILMS[path.suffix], frames=6, rate=25)
    else:
        codes = np.random.default_rng(1).integers(0, 255, (40, 56, 3), dtype=np.uint8)
        Image.fromarray(codes).save(path)
    write_record(path.with_suffix(".json"), path.name)
    return path


def write_record(path: Path, target: str, source: str = SOURCE) -> None:
    told = {
        "generator": "pycolor",
        "versions": {"pycolor": "0.2.0"},
        "target": target,
        "source": {"name": "reel 7.mov", "sha256": source},
        "model": {"name": "pycolor2026", "weights_sha256": WEIGHTS},
        "options": {
            "predict": {"reference": ["12=/home/anna/secret/still_12.png"], "saturation": 0.9}
        },
        "plan": {
            "shots": [{"guidance": [{"kind": "still", "frame": 3, "path": "a/b.png"}]}],
            "weights": {"pycolor2026": WEIGHTS, "zhang2016": "77" * 32},
        },
    }
    path.write_text(json.dumps(told), encoding="utf-8")


def packets(path: Path) -> list[tuple[Any, ...]]:
    with av.open(str(path)) as film:
        return [(p.stream.index, p.pts, p.dts, bytes(p)) for p in film.demux()]


def content(path: Path) -> Any:
    return packets(path) if path.suffix in FILMS else np.asarray(Image.open(path)).tobytes()


def places(suffix: str, plain: bytes, signed: bytes) -> list[int]:
    """Where in a signed file the bytes are that were there before."""
    if suffix in (".mp4", ".mov"):  # C2PA leaves the boxes ftyp and free out of the hash
        found: list[int] = []
        n = 0
        while n < len(signed):
            size, kind = int.from_bytes(signed[n : n + 4], "big"), signed[n + 4 : n + 8]
            found += range(n, n + size) if kind in (b"moov", b"mdat") else []
            n += size
        return found
    if suffix in (".jpg", ".png"):  # they follow the credentials
        return list(range(len(signed) - len(plain) + 64, len(signed)))
    return list(range(8, len(plain)))


def sign(path: Path, signer: Pair, **options: Any) -> Path:
    options |= {"certificate": signer.certificate, "key": signer.key}
    return sign_output(path, SignOptions(**options)).path


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    text = capsys.readouterr().err.strip()
    assert text.startswith("pycolor: "), text
    assert "unexpected" not in text
    assert len(text.splitlines()) == 1, text
    return text


@pytest.mark.parametrize("suffix", ALL)
def test_signed_is_valid_and_untouched(suffix: str, tmp_path: Path, authority: Authority) -> None:
    path = make_output(tmp_path / f"out{suffix}")
    before, held, names = content(path), path.read_bytes(), sorted(tmp_path.iterdir())
    path.chmod(0o640)
    assert check_credentials(path).state == "unsigned"
    where = sign(path, authority.issue("other"))
    assert content(path) == before
    assert path.stat().st_mode & 0o777 == 0o640
    if suffix in EMBEDDED:
        assert where == path
        assert sorted(tmp_path.iterdir()) == names
    else:
        assert where == tmp_path / "out.c2pa"
        assert path.read_bytes() == held
        # The hash of all bytes is in the statement: no need to trust one library's word for it.
        assert hashlib.sha256(held).digest() in where.read_bytes()
    found = check_credentials(path)
    assert (found.state, found.trusted, found.ok) == ("valid", None, True)
    trusted = check_credentials(path, authority.anchor)
    assert (trusted.state, trusted.trusted, trusted.ok) == ("valid", True, True)
    stranger = Authority(tmp_path / "stranger")
    unknown = check_credentials(path, stranger.anchor)
    assert (unknown.state, unknown.trusted, unknown.ok) == ("valid", False, False)


@pytest.mark.parametrize("suffix", ALL)
def test_one_changed_bit_is_noticed(suffix: str, tmp_path: Path, signer: Pair) -> None:
    path = make_output(tmp_path / f"out{suffix}")
    plain = path.read_bytes()
    where = sign(path, signer)
    signed = path.read_bytes()
    kept = places(suffix, plain, signed)
    assert len(kept) > 0.9 * (len(plain) - 64)
    random = np.random.default_rng(7)
    reasons = set()
    for place in (*random.choice(kept, 40), kept[-1]):
        changed = bytearray(signed)
        changed[place] ^= 1 << int(random.integers(8))
        path.write_bytes(changed)
        found = check_credentials(path)
        assert found.state == "invalid", place
        reasons.add(found.reason)
    assert "bytes of the file were changed after it was signed" in reasons
    path.write_bytes(signed)
    assert check_credentials(path).state == "valid"
    # And of what was signed: the model's digest, the source's, the signature.
    held = where.read_bytes()
    for words in (WEIGHTS, SOURCE, "compositeWithTrained"):
        changed = bytearray(held)
        changed[held.index(words.encode())] ^= 1
        where.write_bytes(changed)
        assert check_credentials(path).state == "invalid", words


def test_what_is_told(tmp_path: Path, signer: Pair) -> None:
    path = make_output(tmp_path / "out.mp4")
    sign(path, signer)
    store = check_credentials(path).store
    assert store is not None
    opened, edited = store.actions
    assert (opened["action"], edited["action"]) == ("c2pa.opened", "c2pa.edited")
    (source,) = store.active["ingredients"]
    assert opened["parameters"]["ingredients"][0]["url"].endswith(source["label"])
    assert (source["title"], source["relationship"]) == ("reel 7.mov", "parentOf")
    assert source["instance_id"] == f"sha256:{SOURCE}"
    kind = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
    assert edited["digitalSourceType"] == kind
    assert edited["softwareAgent"] == {"name": "pycolor", "version": "0.2.0"}
    assert edited["parameters"]["org.pycolor.color"] == {
        "model": "pycolor2026",
        "weights_sha256": WEIGHTS,
        "other_models": {"zhang2016": "77" * 32},
        "guidance": ["reference 12=still_12.png", "shot 1: still of frame 3 b.png"],
        "saturation": 0.9,
    }
    assert b"anna" not in path.read_bytes()  # no folder of a person's
    assert "signer" in store.signer


@pytest.mark.parametrize("kind", ["p384", "p521", "ed25519", "rsa"])
def test_kinds_of_keys(kind: str, tmp_path: Path, authority: Authority) -> None:
    path = make_output(tmp_path / "out.jpg")
    sign(path, authority.issue(kind, kind=kind))
    assert check_credentials(path, authority.anchor).ok


def test_an_encrypted_key(
    tmp_path: Path,
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = make_output(tmp_path / "out.jpg")
    pair = authority.issue("locked", passphrase=b"plain text")
    assert main(["sign", str(path), *pair.options]) == 2
    assert "expected its passphrase in PYCOLOR_KEY_PASSPHRASE" in sentence(capsys)
    monkeypatch.setenv("PYCOLOR_KEY_PASSPHRASE", "wrong")
    assert main(["sign", str(path), *pair.options]) == 2
    assert "does not open with this passphrase" in sentence(capsys)
    monkeypatch.setenv("PYCOLOR_KEY_PASSPHRASE", "plain text")
    assert main(["sign", str(path), *pair.options, "--quiet"]) == 0


def test_signed_once(tmp_path: Path, signer: Pair, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a.mp4", "b.mkv"):
        path = make_output(tmp_path / name)
        where = sign(path, signer)
        held = where.read_bytes()
        assert main(["sign", str(path), *signer.options]) == 2
        assert "is signed already; --overwrite replaces" in sentence(capsys)
        assert where.read_bytes() == held
        sign(path, signer, overwrite=True)
        assert where.read_bytes() != held
        assert abs(len(where.read_bytes()) - len(held)) < 64  # not one around the other
        assert check_credentials(path).state == "valid"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".tif"])
def test_nothing_is_left_where_signing_fails(
    suffix: str, tmp_path: Path, authority: Authority, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_output(tmp_path / f"out{suffix}")
    names, held = sorted(tmp_path.iterdir()), path.read_bytes()
    # A certificate that is for web servers.
    pair = authority.issue("server", use=ExtendedKeyUsageOID.SERVER_AUTH)
    assert main(["sign", str(path), *pair.options, "--quiet"]) == 1
    assert "could not be signed" in sentence(capsys)
    assert sorted(tmp_path.iterdir()) == names
    assert path.read_bytes() == held


def test_what_is_refused(
    tmp_path: Path, authority: Authority, signer: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_output(tmp_path / "out.mp4")
    other = authority.issue("another")
    (tmp_path / "notes.txt").write_text("no film")
    (tmp_path / "empty.mp4").touch()
    (tmp_path / "empty").mkdir()
    make_film(tmp_path / "alone.mkv", frames=2)

    def refused(what: Path, certificate: Path, key: Path, *more: str) -> str:
        options = ["--certificate", str(certificate), "--key", str(key), *more]
        assert main(["sign", str(what), *options]) == 2
        return sentence(capsys)

    good = (signer.certificate, signer.key)
    assert "nothing.mp4 does not exist" in refused(tmp_path / "nothing.mp4", *good)
    assert "is of no kind that is signed" in refused(tmp_path / "notes.txt", *good)
    assert "is empty" in refused(tmp_path / "empty.mp4", *good)
    assert "holds no picture" in refused(tmp_path / "empty", *good)
    assert "holds no picture" in refused(tmp_path / "a_%04d.dpx", *good)
    assert "there is no sidecar of" in refused(tmp_path / "alone.mkv", *good)
    assert "cannot be read: No such file" in refused(path, tmp_path / "no.pem", signer.key)
    assert "holds no certificate" in refused(path, signer.key, signer.key)
    assert "holds no private key" in refused(path, signer.certificate, signer.certificate)
    assert "is not the key of" in refused(path, signer.certificate, other.key)
    old = authority.issue("old", days=(-30, -3))
    assert "expected one that is valid today" in refused(path, old.certificate, old.key)
    own = authority.own_pair()
    assert "vouches for itself or for others" in refused(path, own.certificate, own.key)
    weak = authority.issue("weak", kind="p224")
    assert "does not take (secp224r1)" in refused(path, weak.certificate, weak.key)
    assert "is not the source" in refused(path, *good, "--source", str(tmp_path / "alone.mkv"))
    assert "must be an http" in refused(path, *good, "--timestamp", "ftp://a")
    assert check_credentials(path).state == "unsigned"
    with pytest.raises(UsageError, match="holds no certificate"):
        check_credentials(path, signer.key)


@pytest.mark.parametrize("target", ["scan_%04d.tif", "frames"])
def test_numbered_pictures(target: str, tmp_path: Path, signer: Pair) -> None:
    folder = tmp_path / "frames" if target == "frames" else tmp_path
    folder.mkdir(exist_ok=True)
    for number in range(1, 12):
        Image.new("RGB", (8, 6), (number, 2, 3)).save(folder / f"scan_{number:04d}.tif")
    path, stem = tmp_path / target, target.partition("_")[0]
    write_record(tmp_path / f"{stem}.json", target)
    held = {p: p.read_bytes() for p in folder.glob("*.tif")}
    assert sign(path, signer) == tmp_path / f"{stem}.c2pa"
    assert {p: p.read_bytes() for p in folder.glob("*.tif")} == held
    if shutil.which("sha256sum"):
        command = ["sha256sum", "--strict", "-c", f"{stem}.sha256"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert check_credentials(path).state == "valid"
    ninth = folder / "scan_0009.tif"
    changed = bytearray(held[ninth])
    changed[-1] ^= 128
    ninth.write_bytes(changed)
    found = check_credentials(path)
    assert (found.state, "changed: 1, first" in found.reason) == ("invalid", True)
    ninth.unlink()
    assert "missing: 1" in check_credentials(path).reason
    ninth.write_bytes(held[ninth])
    assert check_credentials(path).state == "valid"
    (folder / "scan_0012.tif").write_bytes(held[ninth])
    assert "added: 1" in check_credentials(path).reason
    (folder / "scan_0012.tif").unlink()
    sums = tmp_path / f"{stem}.sha256"
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(lines[:-1]))
    (folder / "scan_0011.tif").unlink()
    assert check_credentials(path).state == "invalid"  # the list itself is what is signed


def test_color_of_a_master(tmp_path: Path, signer: Pair) -> None:
    path = make_output(tmp_path / "out.mov")
    record = json.loads((tmp_path / "out.json").read_text())
    for name in ("model", "options", "plan", "versions"):
        del record[name]
    record["master"] = {"name": "in.color.mkv", "sha256": "cd" * 32}
    (tmp_path / "out.json").write_text(json.dumps(record))
    sign(path, signer)
    details = [c.detail for c in check_credentials(path).checks() if c.name == "signed color"]
    assert f"the master in.color.mkv, {'cd' * 32}" in details[0]


def test_two_outputs_of_one_name(tmp_path: Path, signer: Pair) -> None:
    one = make_output(tmp_path / "out.mkv")
    assert sign(one, signer).name == "out.c2pa"
    other = make_output(tmp_path / "out.webm")
    assert check_credentials(other).state == "unsigned"
    assert sign(other, signer).name == "out.webm.c2pa"
    write_record(tmp_path / "out.json", "out.mkv")
    assert [check_credentials(p).state for p in (one, other)] == ["valid", "valid"]


def test_credentials_of_the_source_are_taken_in(tmp_path: Path, signer: Pair) -> None:
    source = make_output(tmp_path / "in.mp4")
    sign(source, signer)
    told = hashlib.sha256(source.read_bytes()).hexdigest()
    path = make_output(tmp_path / "out.mp4")
    write_record(tmp_path / "out.json", path.name, told)
    sign(path, signer, source=source)
    found = check_credentials(path)
    assert (found.state, found.store is not None) == ("valid", True)
    assert found.store is not None
    (parent,) = found.store.active["ingredients"]
    assert parent["active_manifest"]
    states = {c.name: c.state for c in found.checks(source)}
    assert states == {
        "credentials": "note",
        "signed source": "ok",
        "signed color": "note",
        "signed record": "ok",
    }
    states = {c.name: c.state for c in found.checks(path)}
    assert states["signed source"] == "differs"


def test_verify_says_it(
    tmp_path: Path, authority: Authority, signer: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make_output(tmp_path / "out.mp4")
    trust = ["--trust", str(authority.anchor)]

    def verify(*arguments: str) -> tuple[int, dict[str, Any]]:
        code = main(["verify", *arguments, "--json"])
        return code, json.loads(capsys.readouterr().out)

    code, report = verify(str(path))
    assert (code, report["credentials"]["state"]) == (1, "unsigned")
    assert report["checks"][0]["detail"] == "unsigned: none are in it"
    assert main(["sign", str(path), *signer.options]) == 0
    assert "signed by CN=signer" in capsys.readouterr().err
    code, report = verify(str(path))
    assert (code, report["credentials"]["state"], report["ok"]) == (0, "valid", True)
    code, report = verify(str(path), *trust)
    assert (code, report["credentials"]["trusted"]) == (0, True)
    stranger = Authority(tmp_path / "stranger")
    code, report = verify(str(path), "--trust", str(stranger.anchor))
    assert (code, report["credentials"]["trusted"]) == (1, False)
    assert main(["verify", str(path), *trust]) == 0
    table = capsys.readouterr().out
    assert "trusted" in table
    assert WEIGHTS in re.sub(r"[\s│]", "", table), "digests are shown whole"
    record = path.with_suffix(".json")
    record.write_text(record.read_text().replace("0.9", "0.8"))
    code, report = verify(str(path))
    assert (code, report["ok"]) == (1, False)
    record.unlink()
    assert verify(str(path))[0] == 0  # a record may stay at home
    assert main(["verify"]) == 2
    assert "a signed OUT alone; got none" in sentence(capsys)


def test_a_film_without_its_signature_beside_it(tmp_path: Path, signer: Pair) -> None:
    path = make_output(tmp_path / "out.mkv")
    sign(path, signer).rename(tmp_path / "elsewhere.c2pa")
    found = check_credentials(path)
    assert (found.state, found.reason) == ("unsigned", "there is no out.c2pa beside it")


def test_without_the_library(
    tmp_path: Path,
    signer: Pair,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path, plain = make_output(tmp_path / "out.mp4"), make_output(tmp_path / "plain.mp4")
    sign(path, signer)
    monkeypatch.setitem(__import__("sys").modules, "c2pa", None)
    assert check_credentials(plain).state == "unsigned"
    found = check_credentials(path)
    assert (found.state, found.ok) == ("unchecked", False)
    assert [c.state for c in found.checks()] == ["note"]
    assert main(["verify", str(path)]) == 1
    assert "pip install" in capsys.readouterr().out
    assert main(["sign", str(plain), *signer.options, "--quiet"]) == 2
    assert "pip install 'pycolor-film[sign]'" in sentence(capsys)


def test_a_film_from_beginning_to_end(
    tmp_path: Path, authority: Authority, signer: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = make_film(tmp_path / "in.mkv", frames=4), tmp_path / "out.mp4"
    assert main(["video", str(source), str(target), *SMALL]) == 0
    assert main(["verify", str(source), str(target), "--json"]) == 0
    before = json.loads(capsys.readouterr().out)["checks"]
    arguments = ["sign", str(target), *signer.options, "--source", str(source)]
    assert main(arguments) == 0
    trust = ["--trust", str(authority.anchor)]
    assert main(["verify", str(source), str(target), "--json", *trust]) == 0
    after = json.loads(capsys.readouterr().out)["checks"]
    assert after[: len(before)] == before
    names = ["credentials", "signed source", "signed color", "signed record"]
    assert [(c["name"], c["state"]) for c in after[len(before) :]] == [
        (name, "note" if name == "signed color" else "ok") for name in names
    ]
    record = json.loads(target.with_suffix(".json").read_text())
    assert record["model"]["weights_sha256"] in after[-2]["detail"]


def test_a_picture_from_beginning_to_end(
    tmp_path: Path, signer: Pair, capsys: pytest.CaptureFixture[str]
) -> None:
    source, target = tmp_path / "in.png", tmp_path / "out.tif"
    Image.fromarray(np.tile(np.arange(64, dtype=np.uint8), (48, 1)) * 4).save(source)
    assert main(["image", str(source), str(target), *SMALL, "--record"]) == 0
    record = json.loads((tmp_path / "out.json").read_text())
    assert record["source"]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert main(["sign", str(target), *signer.options, "--source", str(source)]) == 0
    assert main(["verify", str(target), "--json"]) == 0
    told = capsys.readouterr().out
    assert record["model"]["weights_sha256"] in told
    # The record of another output is not overwritten.
    other = tmp_path / "out.jpg"
    assert main(["image", str(source), str(other), *SMALL, "--record"]) == 0
    assert json.loads((tmp_path / "out.json").read_text()) == record
    assert json.loads((tmp_path / "out.jpg.json").read_text())["target"] == "out.jpg"


@pytest.fixture
def timestamps(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """The address of a timestamp authority on this machine: OpenSSL's."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    monkeypatch.undo()  # this one test goes to its own machine
    pair = authority.issue("clock", kind="rsa", use=ExtendedKeyUsageOID.TIME_STAMPING)
    (tmp_path / "serial").write_text("01\n")
    settings = tmp_path / "tsa.cnf"
    signs = f"signer_cert = {pair.certificate}\nsigner_key = {pair.key}\n"
    settings.write_text(
        f"[tsa]\ndefault_tsa = t\n[t]\nserial = {tmp_path}/serial\n"
        f"{signs}certs = {authority.anchor}\nsigner_digest = sha256\n"
        "default_policy = 1.2.3.4\ndigests = sha256, sha384, sha512\n"
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = tmp_path / "query.tsq"
            query.write_bytes(self.rfile.read(int(self.headers["content-length"])))
            command = [
                "openssl",
                "ts",
                "-reply",
                "-config",
                str(settings),
                "-queryfile",
                str(query),
            ]
            reply = subprocess.run(command, capture_output=True, check=True).stdout
            self.send_response(200)
            self.send_header("content-type", "application/timestamp-reply")
            self.send_header("content-length", str(len(reply)))
            self.end_headers()
            self.wfile.write(reply)

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_timestamp(timestamps: str, tmp_path: Path, authority: Authority, signer: Pair) -> None:
    path = make_output(tmp_path / "out.mkv")
    sign(path, signer, timestamp=timestamps)
    found, trusted = check_credentials(path), check_credentials(path, authority.anchor)
    assert found.store is not None
    assert trusted.store is not None
    assert "not trusted" in found.store.time
    assert trusted.ok
    assert "T" in trusted.store.time
    assert "not trusted" not in trusted.store.time

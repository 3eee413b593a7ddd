"""C2PA manifest stores, written and read: the only file that knows the c2pa library."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pycolor.credentials.certificate import SigningKey
from pycolor.errors import FilmError
from pycolor.system.optional import extra

# Hashes of a file's bytes that are other than signed (C2PA 2.2, 15.2.2), and what that means.
_HASHES = {f"assertion.{kind}Hash.mismatch" for kind in ("data", "bmff", "boxes")}
_CHANGED = "bytes of the file were changed after it was signed"


@dataclass(frozen=True, kw_only=True)
class ManifestStore:
    """What credentials say, and whether it holds.

    Attributes:
        state: Trusted: valid, by a certificate that a trusted one vouches for; Valid; Invalid.
        failures: why it is invalid, in the library's words but for changed bytes.
        codes: what was found good or worth knowing, by C2PA's names (C2PA 2.2, 15.2).
        active: the manifest of the file itself, as the library gives it in JSON.
    """

    state: str
    failures: tuple[str, ...]
    codes: frozenset[str]
    active: Mapping[str, Any]

    @property
    def signer(self) -> str:
        """Whom the certificate names."""
        told = self.active.get("signature_info") or {}
        names = [told.get("common_name"), told.get("issuer")]
        return ", ".join(dict.fromkeys(filter(None, names))) or "an unnamed certificate"

    @property
    def time(self) -> str:
        """When it was signed, as a timestamp authority says; empty where none was asked."""
        time = str((self.active.get("signature_info") or {}).get("time") or "")
        doubt = "timeStamp.untrusted" in self.codes
        return f"{time} (says an authority that is not trusted)" if time and doubt else time

    def assertion(self, label: str) -> Any:
        """The content of an assertion; None if there is none."""
        found = (a.get("data") for a in self.active.get("assertions", ()) if a["label"] == label)
        return next(found, None)

    @property
    def actions(self) -> list[dict[str, Any]]:
        """What was done, in order."""
        told = self.assertion("c2pa.actions.v2") or self.assertion("c2pa.actions") or {}
        return list(told.get("actions", ()))


class CredentialsError(Exception):
    """The library takes a file for damaged, or refuses a certificate; a sentence says why."""


def write_store(
    path: Path,
    media_type: str,
    definition: Mapping[str, Any],
    key: SigningKey,
    *,
    into: Path | None,
    source: tuple[Path, str] | None = None,
    timestamp: str | None = None,
) -> bytes:
    """Sign a file.

    Args:
        path: of the file, which stays as it is.
        media_type: of it.
        definition: of the manifest.
        key: what signs.
        into: where a copy goes that holds the credentials; None for credentials beside the file.
        source: in place of the definition's ingredient, a file that has credentials of its own,
            and its media type: these are taken in.
        timestamp: URL of an authority (RFC 3161) that says when it was signed.

    Returns:
        The manifest store.

    Raises:
        CredentialsError: the library refuses.
        FilmError: a file cannot be read or written.
    """
    c2pa = extra("c2pa")
    told = dict(definition)
    ingredient = told.pop("ingredients")[0]
    try:
        context = c2pa.Context(settings=c2pa.Settings.from_dict(_settings()))
        info = c2pa.C2paSignerInfo(key.algorithm, key.certificates, key.key, timestamp)
        with c2pa.Signer.from_info(info) as signer:
            if source is None:
                told["ingredients"] = [ingredient]
            builder = c2pa.Builder(json.dumps(told), context=context)
            if source is not None:
                with source[0].open("rb") as f:
                    builder.add_ingredient(json.dumps(ingredient), source[1], f)
            with path.open("rb") as f:
                if into is not None:
                    with into.open("w+b") as copy:
                        return bytes(builder.sign(signer, media_type, f, copy))
                builder.set_no_embed()
                return bytes(builder.sign(signer, media_type, f, _Nowhere()))
    except c2pa.C2paError as error:
        raise CredentialsError(_sentence(error)) from error
    except OSError as error:
        raise FilmError(f"{error.filename or path}: {error.strerror}.") from error


def read_store(
    path: Path, media_type: str, manifest: Path | None, anchors: str | None = None
) -> ManifestStore | None:
    """Read and check the credentials of a file; None if it has none.

    Args:
        path: of the file.
        media_type: of it.
        manifest: of its credentials; None where they are inside.
        anchors: PEM of the certificates that are trusted to vouch for others.

    Raises:
        CredentialsError: the library cannot read them, or the file.
        FilmError: a file cannot be read.
    """
    c2pa = extra("c2pa")
    try:
        context = c2pa.Context(settings=c2pa.Settings.from_dict(_settings(anchors)))
        data = None if manifest is None else manifest.read_bytes()
        with path.open("rb") as f:
            reader = c2pa.Reader.try_create(media_type, f, data, context=context)
            if reader is None:
                return None
            with reader:
                told = json.loads(reader.json())
    except c2pa.C2paError as error:
        raise CredentialsError(_sentence(error)) from error
    except OSError as error:
        raise FilmError(f"{error.filename or path} cannot be read: {error.strerror}.") from error
    active = told["manifests"].get(told.get("active_manifest"), {})
    results = (told.get("validation_results") or {}).get("activeManifest") or {}
    failures = [
        _CHANGED if each["code"] in _HASHES else str(each.get("explanation") or each["code"])
        for each in results.get("failure", ())
        if each["code"] != "signingCredential.untrusted"
    ]
    return ManifestStore(
        state=str(told.get("validation_state")),
        failures=tuple(dict.fromkeys(failures)),
        codes=frozenset(
            each["code"] for kind in ("success", "informational") for each in results.get(kind, ())
        ),
        active=active,
    )


def _settings(anchors: str | None = None) -> dict[str, Any]:
    """No pictures inside the credentials, and nothing from a network while they are read."""
    told: dict[str, Any] = {
        "builder": {"thumbnail": {"enabled": False}},
        "verify": {
            "remote_manifest_fetch": False,
            "ocsp_fetch": False,
            "verify_after_sign": False,  # what was written is read back by whoever signs
            "verify_trust": anchors is not None,
        },
    }
    return told | ({} if anchors is None else {"trust": {"trust_anchors": anchors}})


def _sentence(error: Exception) -> str:
    """The library's message in one line, without the name of its kind."""
    text = " ".join(str(error).split())
    kind, colon, rest = text.partition(": ")
    return (rest if colon and kind.isalnum() else text).rstrip(".")


class _Nowhere(io.RawIOBase):
    """Takes what the library copies of a file whose credentials lie beside it, and keeps nothing.

    Without it the whole film would be held in memory.
    """

    def __init__(self) -> None:
        super().__init__()
        self._position = self._end = 0

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, _: Any) -> int:
        return 0

    def write(self, data: Any) -> int:
        self._position += len(data)
        self._end = max(self._end, self._position)
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._position = (0, self._position, self._end)[whence] + offset
        return self._position

    def tell(self) -> int:
        return self._position

"""Sign an output: the signature appears when it was read back as valid, or not at all."""

from __future__ import annotations

import hashlib
import math
import shutil
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pycolor.credentials.asset import EMBEDDED, Asset, asset_of, listed_sums
from pycolor.credentials.certificate import SigningKey, load_signing_key
from pycolor.credentials.manifest_store import CredentialsError, read_store, write_store
from pycolor.credentials.statement import manifest_of
from pycolor.errors import FilmError, UsageError
from pycolor.image.files.picture_files import read_image
from pycolor.options.checks import take_paths
from pycolor.record import read_sidecar
from pycolor.system.atomic_file import atomic_write
from pycolor.system.optional import extra
from pycolor.video.io.read.packets import packets_digest
from pycolor.video.job.record.source_digest import file_digest


@dataclass(frozen=True, kw_only=True)
class SignOptions:
    """Who signs, and with what.

    Attributes:
        certificate: PEM file of the signer's certificate, followed by those that vouch for it.
        key: PEM file of its private key; the passphrase of an encrypted one is asked for, or taken
            from PYCOLOR_KEY_PASSPHRASE.
        source: the source of OUT: it is compared with the recorded hash, and Content Credentials of
            its own are taken in.
        timestamp: URL of a timestamp authority (RFC 3161); with its word the signature outlives the
            certificate.
        overwrite: replace credentials that are there.
    """

    certificate: Path
    key: Path
    source: Path | None = None
    timestamp: str | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        take_paths(self, "certificate", "key", "source")
        if self.timestamp is not None and not self.timestamp.startswith(("http://", "https://")):
            raise UsageError(f"timestamp must be an http or https address, got {self.timestamp!r}.")


@dataclass(frozen=True, kw_only=True)
class Signed:
    """What was signed.

    Attributes:
        path: of the file that holds the credentials.
        signer: whom the certificate names.
    """

    path: Path
    signer: str


def sign_output(
    target: str | Path, options: SignOptions, *, say: Callable[[str], None] = lambda _: None
) -> Signed:
    """Put signed Content Credentials into an output, or beside it.

    They name the source by its hash, the model by the digest of its weights, and what guided it, as
    the record beside the output (`OUT.json`) says; the record's own hash is part of them.  The
    output's packets or pixels are compared before and after.

    Args:
        target: a file, a folder of pictures or a pattern of them that pycolor colored.
        options: who signs.
        say: called with each note.

    Raises:
        UsageError: there is no such output or no record of it, it is signed already, or certificate
            and key are of no use.
        FilmError: something cannot be read or written, or the library refuses.
    """
    extra("c2pa")  # before anything is read
    key = load_signing_key(options.certificate, options.key)
    asset = asset_of(Path(target))
    if asset.is_signed and not options.overwrite:
        raise UsageError(f"{target} is signed already; --overwrite replaces the credentials.")
    record_path, record = read_sidecar(asset.target)
    source = _source(options.source, record["source"]["sha256"])
    definition = manifest_of(
        record,
        title=asset.target.name,
        record_name=record_path.name,
        record_sha256=hashlib.sha256(record_path.read_bytes()).hexdigest(),
    )
    if options.timestamp is None:
        say("note: without --timestamp the signature ends with its certificate")
    job = _Signature(key=key, definition=definition, source=source, timestamp=options.timestamp)
    if asset.manifest is None:
        _sign_inside(asset, job)
        return Signed(path=asset.path, signer=key.signer)
    _sign_beside(asset, asset.manifest, job, overwrite=options.overwrite)
    return Signed(path=asset.manifest, signer=key.signer)


@dataclass(frozen=True, kw_only=True)
class _Signature:
    key: SigningKey
    definition: dict[str, object]
    source: tuple[Path, str] | None
    timestamp: str | None

    def of(self, asset: Asset, into: Path | None) -> bytes:
        try:
            return write_store(
                asset.path,
                asset.media_type,
                self.definition,
                self.key,
                into=into,
                source=self.source,
                timestamp=self.timestamp,
            )
        except CredentialsError as error:
            raise FilmError(f"{asset.target} could not be signed: {error}.") from error


def _source(path: Path | None, expected: str) -> tuple[Path, str] | None:
    """The source and its media type where it has credentials of its own.

    Raises:
        UsageError: it is not the one of the record.
    """
    if path is None:
        return None
    if not path.exists():
        raise UsageError(f"{path} does not exist; expected the source of the output.")
    found = file_digest(path)
    if found != expected:
        raise UsageError(
            f"{path} is not the source that the output was made of: its SHA-256 is {found}, "
            f"expected {expected}."
        )
    media_type = EMBEDDED.get(path.suffix.lower())
    if media_type is None or not path.is_file() or not asset_of(path).is_signed:
        return None
    return path, media_type


def _sign_inside(asset: Asset, job: _Signature) -> None:
    path = asset.path.resolve()  # a link goes on pointing to the output
    before = path.stat()
    with atomic_write(path, overwrite=True) as part:
        job.of(asset, into=part)
        _check_state(replace(asset, path=part))
        if _content(part, asset.media_type) != _content(path, asset.media_type):
            raise FilmError(
                f"{path} would not hold the same picture when signed; it stays as it was."
            )
        shutil.copymode(path, part)
        after = path.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise FilmError(f"{path} changed while it was signed; it stays as it is.")


def _sign_beside(asset: Asset, manifest: Path, job: _Signature, *, overwrite: bool) -> None:
    with ExitStack() as files:
        part = files.enter_context(atomic_write(manifest, overwrite=overwrite))
        signed = asset
        if asset.pictures:  # the list gets its name first: credentials are never without it
            sums = files.enter_context(atomic_write(asset.path, overwrite=overwrite))
            sums.write_text(listed_sums(asset.pictures, asset.path.parent), encoding="utf-8")
            signed = replace(asset, path=sums)
        part.write_bytes(job.of(signed, into=None))
        _check_state(replace(signed, manifest=part))


def _check_state(asset: Asset) -> None:
    """Read back what was written.

    Raises:
        FilmError: it is not valid.
    """
    try:
        store = read_store(asset.path, asset.media_type, asset.manifest)
        why = "no credentials are there" if store is None else "; ".join(store.failures)
    except CredentialsError as error:
        store, why = None, str(error)
    if store is None or store.state == "Invalid":
        raise FilmError(f"{asset.target} was not signed: its credentials would be invalid: {why}.")


def _content(path: Path, media_type: str) -> str:
    """A digest of all packets of a film, or of the pixels of a picture."""
    if media_type.startswith("video/"):
        return packets_digest(path)
    image = read_image(path, most_megapixels=math.inf)
    digest = hashlib.sha256(repr((image.pixels.shape, image.pixels.dtype)).encode())
    for samples in filter(lambda s: s is not None, (image.pixels, image.alpha)):
        digest.update(np.ascontiguousarray(samples).data)
    return digest.hexdigest()

"""Read and check the Content Credentials of an output."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pycolor.credentials.asset import Asset, asset_of, changed_pictures
from pycolor.credentials.certificate import check_certificates
from pycolor.credentials.manifest_store import CredentialsError, ManifestStore, read_store
from pycolor.credentials.statement import COLOR, RECORD
from pycolor.errors import UsageError
from pycolor.system.optional import installed
from pycolor.video.job.record.source_digest import file_digest
from pycolor.video.verify.report import Check, State


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """What the credentials of an output say, and whether they hold.

    Attributes:
        target: the output.
        state: valid; invalid: the output or its credentials were changed; unsigned; unchecked:
            there are some, and the library is not installed.
        trusted: whether a certificate that was given as trusted vouches for the signer; None where
            none was given.
        reason: why it is invalid, not trusted, or unsigned.
        store: what the library read; None where there is nothing to read.
    """

    target: Path
    state: Literal["valid", "invalid", "unsigned", "unchecked"]
    trusted: bool | None = None
    reason: str = ""
    store: ManifestStore | None = None

    @property
    def ok(self) -> bool:
        """Valid, and trusted where that was asked for."""
        return self.state == "valid" and self.trusted is not False

    def checks(self, source: Path | None = None) -> Iterator[Check]:
        """Lines for the report of `pycolor verify`.

        Args:
            source: of the output, to be compared with the one that the credentials name.

        Raises:
            FilmError: the source cannot be read.
        """
        state: State = "ok" if self.ok and self.trusted else "note" if self.ok else "differs"
        if self.state == "unchecked":
            state = "note"
        yield Check(name="credentials", state=state, detail=self._sentence())
        if self.store is None or self.state != "valid":
            return
        yield from _source(self.store, source)
        yield from _color(self.store)
        yield from _record(self.store, self.target)

    def _sentence(self) -> str:
        if self.store is None or self.state != "valid":
            return f"{self.state}: {self.reason}" if self.reason else self.state
        when = f" at {self.store.time}" if self.store.time else ""
        trust = "trusted" if self.trusted else f"not trusted: {self.reason}"
        return f"valid, signed by {self.store.signer}{when}; {trust}"

    def to_json(self) -> dict[str, Any]:
        """Plain values for `json.dumps`."""
        told: dict[str, Any] = {
            "state": self.state,
            "trusted": self.trusted,
            "reason": self.reason,
        }
        if self.store is not None:
            told |= {"signer": self.store.signer, "manifest": dict(self.store.active)}
        return told


def check_credentials(target: str | Path, trust: Path | None = None) -> Credentials:
    """Read and check the credentials of an output: inside it, or in `OUT.c2pa` beside it.

    Args:
        target: a file, or the folder or the pattern of numbered pictures.
        trust: PEM file of certificates that are trusted to vouch for signers.

    Raises:
        UsageError: there is no such output, or `trust` holds no certificate.
        FilmError: a file cannot be read.
    """
    asset = asset_of(Path(target))
    signed = asset.is_signed
    if not installed("c2pa"):
        if not signed and trust is None:
            return _unsigned(asset)
        reason = "c2pa-python is not installed: pip install 'pycolor-film[sign]'"
        return Credentials(target=asset.target, state="unchecked", reason=reason)
    anchors = None if trust is None else check_certificates(trust)
    if not signed:
        return _unsigned(asset)
    try:
        store = read_store(asset.path, asset.media_type, asset.manifest, anchors)
    except CredentialsError as error:
        return Credentials(target=asset.target, state="invalid", reason=str(error))
    return _judged(asset, store, trust)


def _unsigned(asset: Asset) -> Credentials:
    where = f"there is no {asset.manifest.name} beside it" if asset.manifest else "none are in it"
    return Credentials(target=asset.target, state="unsigned", reason=where)


def _judged(asset: Asset, store: ManifestStore | None, trust: Path | None) -> Credentials:
    target = asset.target
    if store is None:
        return Credentials(target=target, state="invalid", reason="the credentials are damaged")
    reasons = list(store.failures)
    if asset.pictures:
        reasons += filter(None, [changed_pictures(asset)])
    if store.state not in ("Valid", "Trusted") or (asset.pictures and reasons):
        reason = "; ".join(reasons)
        return Credentials(target=target, state="invalid", reason=reason, store=store)
    if trust is None:
        why, trusted = "no list of trusted certificates was given (--trust)", None
    else:
        trusted = store.state == "Trusted"
        why = "" if trusted else f"no certificate in {trust.name} vouches for it"
    return Credentials(target=target, state="valid", trusted=trusted, reason=why, store=store)


def checks_of_pair(source: Path, result: Path, trust: Path | None = None) -> list[Check]:
    """Lines about the credentials of a film's result; none where it is not signed.

    Raises:
        UsageError: `trust` holds no certificate.
        FilmError: a file cannot be read.
    """
    try:
        found = check_credentials(result, trust)
    except UsageError:
        if trust is not None:
            raise
        return []  # of no kind that is signed
    if found.state == "unsigned" and trust is None:
        return []
    return list(found.checks(source))


def _source(store: ManifestStore, source: Path | None) -> Iterator[Check]:
    parents = (i for i in store.active.get("ingredients", ()) if i["relationship"] == "parentOf")
    told = next(parents, None)
    if told is None:
        return
    name, digest = str(told.get("title")), _digest(told)
    detail = f"{name}, SHA-256 {digest or 'not told'}"
    if source is None or not digest:
        yield Check(name="signed source", state="note", detail=detail)
        return
    got = file_digest(source)
    detail = detail if got == digest else f"{detail}; {source.name} has {got}"
    state: State = "ok" if got == digest else "differs"
    yield Check(name="signed source", state=state, detail=detail, expected=digest, got=got)


def _digest(ingredient: dict[str, Any]) -> str:
    """The SHA-256 that pycolor writes into what describes an ingredient."""
    kind, _, digest = str(ingredient.get("description", "")).partition(" ")
    return digest if kind == "SHA-256" else ""


def _color(store: ManifestStore) -> Iterator[Check]:
    for action in store.actions:
        color = (action.get("parameters") or {}).get(COLOR)
        if not color:
            continue
        agent = action.get("softwareAgent") or {}
        led = ", ".join(color.get("guidance") or ()) or "nothing"
        made = f"{color.get('model')}, weights {color.get('weights_sha256')}; guided by {led}"
        if "master" in color:
            made = f"the master {color['master'].get('name')}, {color['master'].get('sha256')}"
        kind = str(action.get("digitalSourceType", "")).rpartition("/")[2]
        detail = f"{kind}, by {agent.get('name')} {agent.get('version')}, {made}"
        yield Check(name="signed color", state="note", detail=detail)


def _record(store: ManifestStore, target: Path) -> Iterator[Check]:
    told = store.assertion(RECORD)
    if not told:
        return
    path = target.with_name(str(told["name"]))
    try:
        same = hashlib.sha256(path.read_bytes()).hexdigest() == told["sha256"]
    except OSError:
        yield Check(name="signed record", state="note", detail=f"{path.name} is not there")
        return
    state: State = "ok" if same else "differs"
    words = "as it was signed" if same else "not the one that was signed"
    yield Check(name="signed record", state=state, detail=f"{path.name}: {words}")

"""A certificate and its private key, checked before anything is signed with them."""

from __future__ import annotations

import getpass
import os
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pycolor.errors import UsageError
from pycolor.system.optional import extra

PASSPHRASE = "PYCOLOR_KEY_PASSPHRASE"
# C2PA 2.2, 13.2.1: the curve of a key decides the algorithm.
_CURVES = {"secp256r1": "es256", "secp384r1": "es384", "secp521r1": "es512"}
_LEAST_RSA_BITS = 2048


@dataclass(frozen=True, kw_only=True)
class SigningKey:
    """What signs.

    Attributes:
        certificates: PEM, the signer's first, then those that vouch for it.
        key: PEM, PKCS #8, not encrypted; never printed.
        algorithm: by C2PA's name, es256 and others.
        signer: whom the certificate names.
    """

    certificates: bytes
    key: bytes = field(repr=False)
    algorithm: str
    signer: str


def load_signing_key(certificate: Path, key: Path) -> SigningKey:
    """Read a certificate (with those that vouch for it) and its key, both PEM.

    The passphrase of an encrypted key is taken from the environment (`PYCOLOR_KEY_PASSPHRASE`), or
    asked for on a terminal.

    Raises:
        UsageError: one of them cannot be read, is of no use for signing, or belongs to another.
    """
    x509, serialization = (
        extra(f"cryptography.{name}") for name in ("x509", "hazmat.primitives.serialization")
    )
    pem = _content(certificate)
    try:
        chain = x509.load_pem_x509_certificates(pem)
    except ValueError:
        raise UsageError(f"{certificate} holds no certificate; expected PEM.") from None
    private = _private_key(key, serialization)
    first = chain[0]
    if _public_bytes(private.public_key(), serialization) != _public_bytes(
        first.public_key(), serialization
    ):
        raise UsageError(f"{key} is not the key of the first certificate in {certificate}.")
    _check_use(first, certificate, x509)
    return SigningKey(
        certificates=b"".join(c.public_bytes(serialization.Encoding.PEM) for c in chain),
        key=private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
        algorithm=_algorithm(private, key),
        signer=first.subject.rfc4514_string(),
    )


def check_certificates(path: Path) -> str:
    """The PEM text of a file of certificates.

    Raises:
        UsageError: it cannot be read, or holds none.
    """
    pem = _content(path)
    try:
        extra("cryptography.x509").load_pem_x509_certificates(pem)
    except ValueError:
        raise UsageError(f"{path} holds no certificate; expected PEM.") from None
    return pem.decode("utf-8", "replace")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None


def _private_key(path: Path, serialization: Any) -> Any:
    pem = _content(path)
    passphrase: str | None = None
    try:
        try:
            return serialization.load_pem_private_key(pem, None)
        except TypeError:  # it is encrypted
            passphrase = _passphrase(path)
            return serialization.load_pem_private_key(pem, passphrase.encode())
    except ValueError:
        wrong = "does not open with this passphrase" if passphrase else "holds no private key"
        raise UsageError(f"{path} {wrong}; expected a PEM key.") from None
    except extra("cryptography.exceptions").UnsupportedAlgorithm:
        raise UsageError(f"{path} holds a key of a kind that C2PA does not know.") from None


def _passphrase(path: Path) -> str:
    told = os.environ.get(PASSPHRASE)
    if told:
        return told
    if not sys.stdin.isatty():
        raise UsageError(f"{path} is encrypted; expected its passphrase in {PASSPHRASE}.")
    return getpass.getpass(f"Passphrase of {path}: ")


def _public_bytes(public: Any, serialization: Any) -> bytes:
    found: bytes = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


def _check_use(certificate: Any, path: Path, x509: Any) -> None:
    """Refuse a certificate whose signature nobody would take."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if not begin <= datetime.now(UTC) <= end:
        raise UsageError(
            f"the certificate in {path} is valid from {begin:%Y-%m-%d} to {end:%Y-%m-%d}; expected "
            "one that is valid today."
        )
    try:
        basic = certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
        is_authority = bool(basic.ca)
    except x509.ExtensionNotFound:
        is_authority = False
    if is_authority or certificate.issuer == certificate.subject:
        raise UsageError(
            f"the first certificate in {path} vouches for itself or for others; expected one for "
            "signing, which an authority issued."
        )


def _algorithm(private: Any, path: Path) -> str:
    kind = type(private).__name__
    curve = getattr(getattr(private, "curve", None), "name", "")
    if curve in _CURVES:
        return _CURVES[curve]
    if "Ed25519" in kind:
        return "ed25519"
    if "RSA" in kind and private.key_size >= _LEAST_RSA_BITS:
        return "ps256"
    raise UsageError(
        f"{path} holds a key that C2PA does not take ({curve or kind.strip('_')}); expected one on "
        f"the curves {', '.join(_CURVES)}, Ed25519, or RSA of {_LEAST_RSA_BITS} bits or more."
    )

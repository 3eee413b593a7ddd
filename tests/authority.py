"""A certificate authority for the tests: it issues what signs, and what must not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

_USES = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
    *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def new_key(kind: str = "p256") -> Any:
    """A private key."""
    curves = {"p256": ec.SECP256R1(), "p384": ec.SECP384R1(), "p521": ec.SECP521R1()}
    if kind in curves:
        return ec.generate_private_key(curves[kind])
    if kind == "p224":
        return ec.generate_private_key(ec.SECP224R1())
    return ed25519.Ed25519PrivateKey.generate() if kind == "ed25519" else _rsa()


def _rsa() -> Any:
    return rsa.generate_private_key(65537, 2048)


@dataclass(frozen=True)
class Pair:
    """Files of a chain of certificates and of its first one's key."""

    certificate: Path
    key: Path

    @property
    def options(self) -> list[str]:
        return ["--certificate", str(self.certificate), "--key", str(self.key)]


class Authority:
    """Issues certificates into a folder; `anchor` is its own."""

    def __init__(self, folder: Path, name: str = "Test Archive CA") -> None:
        self.folder, self.name = folder, _name(name)
        folder.mkdir(parents=True, exist_ok=True)
        self._key = new_key()
        uses = {"key_cert_sign": True, "crl_sign": True}
        self.certificate = self._issue(self.name, self._key, uses, authority=True)
        self.anchor = folder / "anchor.pem"
        self.anchor.write_bytes(self.certificate.public_bytes(Encoding.PEM))

    def issue(
        self,
        name: str = "signer",
        *,
        kind: str = "p256",
        days: tuple[int, int] = (-1, 30),
        use: ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
        passphrase: bytes | None = None,
    ) -> Pair:
        """A certificate for signing, and its key."""
        key = new_key(kind)
        uses = {"digital_signature": True}
        leaf = self._issue(_name(name), key, uses, days=days, use=use)
        pair = Pair(self.folder / f"{name}.pem", self.folder / f"{name}.key.pem")
        chain = (leaf, self.certificate)
        pair.certificate.write_bytes(b"".join(c.public_bytes(Encoding.PEM) for c in chain))
        locked = BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
        pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, locked))
        return pair

    def own_pair(self) -> Pair:
        """The authority's own certificate and key, which must sign nothing but certificates."""
        pair = Pair(self.anchor, self.folder / "anchor.key.pem")
        pair.key.write_bytes(
            self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        return pair

    def _issue(
        self,
        name: x509.Name,
        key: Any,
        uses: dict[str, bool],
        *,
        days: tuple[int, int] = (-1, 30),
        authority: bool = False,
        use: ObjectIdentifier | None = None,
    ) -> x509.Certificate:
        now, public = datetime.now(UTC), key.public_key()
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + timedelta(days=days[0]))
            .not_valid_after(now + timedelta(days=days[1]))
            .add_extension(x509.BasicConstraints(authority, 0 if authority else None), True)
            .add_extension(x509.KeyUsage(**{**dict.fromkeys(_USES, False), **uses}), True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), False
            )
        )
        if use is not None:
            critical = use == ExtendedKeyUsageOID.TIME_STAMPING
            builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical)
        return builder.sign(self._key, hashes.SHA256())


def _name(name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test Archive"),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )

"""`pycolor sign`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from pycolor.commands.base import Command

EXAMPLES = """
pycolor sign out.mp4 --certificate chain.pem --key key.pem
pycolor sign "out_%06d.dpx" --certificate chain.pem --key key.pem
pycolor verify out.mp4 --trust anchors.pem
"""


@dataclass(frozen=True, kw_only=True)
class Flags(Command):
    """Sign an output with Content Credentials (C2PA): what the source is, which model made the
    color, what guided it. MP4, MOV, TIFF, JPEG and PNG hold them; for the others they are written
    beside the output, as OUT.c2pa. OUT.json, its record, must lie beside it.

    Attributes:
        target: what `pycolor video` or `pycolor image --record` wrote.
        certificate: PEM file of your certificate for signing, and those that vouch for it.
        key: PEM file of its private key; the passphrase of an encrypted one is asked for, or read
            from PYCOLOR_KEY_PASSPHRASE.
        source: the source of OUT, to be compared with the recorded hash; credentials that it holds
            are taken in.
        timestamp: ask this timestamp authority (RFC 3161), so that the signature outlives the
            certificate.
        overwrite: replace credentials that are there.
    """

    target: Annotated[Positional[Path], arg(metavar="OUT")]
    certificate: Path
    key: Path
    source: Annotated[Path | None, arg(metavar="IN")] = None
    timestamp: Annotated[str | None, arg(metavar="URL")] = None
    overwrite: bool = False


def run(flags: Flags) -> int:
    from pycolor.credentials.sign import SignOptions, sign_output

    options = SignOptions(
        certificate=flags.certificate,
        key=flags.key,
        source=flags.source,
        timestamp=flags.timestamp,
        overwrite=flags.overwrite,
    )
    signed = sign_output(flags.target, options, say=flags.output.say)
    flags.output.say(f"{signed.path}: signed by {signed.signer}")
    return 0

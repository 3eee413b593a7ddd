"""The header of a safetensors file in one order, so that equal weights are equal bytes."""

from __future__ import annotations

import json

_LENGTH = 8  # bytes of the header's length, little-endian; tensors begin at a multiple of it


def in_order(content: bytes) -> bytes:
    """A file whose header lists everything by name; the library orders metadata by chance.

    Args:
        content: of a safetensors file.
    """
    end = _LENGTH + int.from_bytes(content[:_LENGTH], "little")
    header = json.dumps(json.loads(content[_LENGTH:end]), sort_keys=True, separators=(",", ":"))
    text = header.encode()
    text += b" " * (-len(text) % _LENGTH)
    return len(text).to_bytes(_LENGTH, "little") + text + content[end:]

"""The checksums of FFV1's slices (RFC 9043, 4.9), which its decoder reads but does not report."""

from __future__ import annotations

import zlib

# slice_size in 3 bytes, error_status in 1, slice_crc_parity in 4.
_FOOTER = 8
# zlib's CRC takes the bits of a byte from the other end; whether it is 0 stays the same.
_MIRRORED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def slices_of(packet: bytes) -> tuple[int, int] | None:
    """(slices, those whose checksum fails) of a packet; None if its slices cannot be told apart.

    A slice and its footer together have the CRC 0, of ISO 3309's polynomial from an initial 0.
    A film coded without checksums has none that is right, except by chance of 1 in 2³².
    """
    end, count, wrong = len(packet), 0, 0
    while end > 0:
        if end < _FOOTER:
            return None
        size = int.from_bytes(packet[end - _FOOTER : end - _FOOTER + 3], "big") + _FOOTER
        if size > end:
            return None
        slice_ = packet[end - size : end].translate(_MIRRORED)
        count += 1
        wrong += zlib.crc32(slice_, 0xFFFFFFFF) != 0xFFFFFFFF
        end -= size
    return count, wrong


class SliceChecks:
    """Watches the packets of an FFV1 film go by; it speaks once a right checksum was seen."""

    def __init__(self) -> None:
        self._protected = False

    def add(self, packet: bytes) -> str:
        """What is wrong with a packet, in words; empty if nothing is."""
        found = slices_of(packet)
        if found is not None and found[1] < found[0]:
            self._protected = True
        if not self._protected:
            return ""
        if found is None:
            return "a frame's slices cannot be told apart"
        count, wrong = found
        return f"the checksum of {wrong} of {count} slices is wrong" if wrong else ""

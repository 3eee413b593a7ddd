"""Is a picture of Motion JPEG all there?  Its decoder leaves the missing rest as memory was."""

from __future__ import annotations

# ITU-T T.81, table B.1.
_START, _END = b"\xff\xd8", b"\xff\xd9"


class EndMarkers:
    """Watches the packets of a film go by; it speaks once a whole picture was seen.

    Some cameras leave the end marker out, and are not blamed for it.
    """

    def __init__(self) -> None:
        self._marked = False

    def add(self, packet: bytes) -> str:
        """What is wrong with a packet, in words; empty if nothing is."""
        whole = packet.startswith(_START) and packet.rstrip(b"\0").endswith(_END)
        self._marked = self._marked or whole
        return "a picture ends before its end marker" if self._marked and not whole else ""

"""On which line of a JSON text each of its values stands, and keys that stand there twice."""

from __future__ import annotations

import json
import re

Place = tuple[str | int, ...]  # keys and indices from the root

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')


class DuplicateKeyError(ValueError):
    """An object has a key twice.

    Attributes:
        line: of the second, from 1.
    """

    def __init__(self, key: str, line: int) -> None:
        super().__init__(f"the key {key!r} stands twice in one object")
        self.line = line


def lines_of(text: str) -> dict[Place, int]:
    """The line of each value, from 1; of an object's member that of its key.

    Args:
        text: JSON that a parser accepts.

    Raises:
        DuplicateKeyError: a parser would pass over it in silence.
    """
    found: dict[Place, int] = {(): 1}
    stack: list[tuple[str, Place]] = []  # open brackets, and the places of what they hold
    place: Place = ()
    index: list[int] = []  # of the next item of each open bracket
    key_next = False
    line, read = 1, 0
    for match in _TOKEN.finditer(text):
        token = match[0]
        line += text.count("\n", read, match.start())
        read = match.start()
        if stack and stack[-1][0] == "{" and key_next and token[0] == '"':
            place = (*stack[-1][1], str(json.loads(token)))
            if place in found:
                raise DuplicateKeyError(str(place[-1]), line)
            found[place], key_next = line, False
            continue
        if token in "{[":
            stack.append((token, place))
            index.append(0)
            key_next = token == "{"
            if token == "[":
                place = (*place, 0)
        elif token in "}]":
            place = stack.pop()[1]
            index.pop()
        elif token == ",":
            if stack[-1][0] == "[":
                index[-1] += 1
                place = (*stack[-1][1], index[-1])
            key_next = stack[-1][0] == "{"
            continue
        if token not in "}]:,":
            found.setdefault(place if token != "[" else place[:-1], line)
    return found


def line_of(lines: dict[Place, int], place: Place) -> int:
    """The line of a value, or of what should hold it."""
    while place not in lines:
        place = place[:-1]
    return lines[place]

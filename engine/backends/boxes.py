"""Boxes of the ISO base media file format: written, and read with every size checked (ISO/IEC 14496-12, 4.2).

A box is its length (4 bytes, or 8 more where that is 1), four letters and its payload; a full box begins its
payload with a version and three bytes of flags. Times and lengths take 4 bytes in version 0, 8 in version 1.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

LIMIT = 1 << 32


class Malformed(ValueError):
    """A file's boxes do not fit into each other."""


class Box(NamedTuple):
    """Where a box's payload lies in the bytes that were searched."""

    kind: bytes
    start: int
    end: int


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box with its payload."""
    payload = b"".join(parts)
    return struct.pack(">I4s", 8 + len(payload), kind) + payload


def full(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def wide(*values: int) -> tuple[int, str]:
    """The version that holds the values, and the letter by which struct packs them."""
    return (1, "Q") if max(values) >= LIMIT else (0, "I")


def children(data: bytes, start: int, end: int) -> Iterator[Box]:
    """The boxes that lie in a row between two places. Raises Malformed."""
    while start < end:
        kind, head, size = header(data[start : min(end, start + 16)], end - start)
        yield Box(kind, start + head, start + size)
        start += size


def header(data: bytes, room: int) -> tuple[bytes, int, int]:
    """Kind, length of the header and of the whole box that begins here. Raises Malformed if there is no room."""
    if len(data) < 8:
        raise Malformed("a box is cut off")
    size, kind = struct.unpack_from(">I4s", data)
    head = 8
    if size == 1 and len(data) >= 16:
        size, head = struct.unpack_from(">Q", data, 8)[0], 16
    elif size == 0:
        size = room
    if not head <= size <= room:
        raise Malformed(f"the size of box {kind!r} is wrong")
    return kind, head, size


def find(data: bytes, inside: Box, *path: bytes) -> Box | None:
    """The first box at a path."""
    for child in children(data, inside.start, inside.end):
        if child.kind == path[0]:
            return child if len(path) == 1 else find(data, child, *path[1:])
    return None


def need(data: bytes, inside: Box, *path: bytes) -> Box:
    """The first box at a path. Raises Malformed if there is none."""
    found = find(data, inside, *path)
    if found is None:
        raise Malformed(f"there is no box {b'/'.join(path).decode('latin-1')}")
    return found


def fields(data: bytes, inside: Box, at: int, shape: str) -> tuple[int, ...]:
    """Numbers in a box's payload, `at` bytes from its start. Raises Malformed if it is shorter."""
    if inside.start + at + struct.calcsize(shape) > inside.end:
        raise Malformed(f"box {inside.kind!r} is too short")
    return struct.unpack_from(shape, data, inside.start + at)

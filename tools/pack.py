#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Pack the ROM image for the decoder in rom/post/unpack_entry.S.

The stream is a sequence of tokens. A token is a run of literal bytes or a copy
of bytes that are already unpacked. Bits and bytes are interleaved in the order
in which the decoder reads them. Bits come from 16-bit words, high bit first;
each word is in the stream where its first bit is needed.

  number    the bits below the highest set bit, high bit first, each preceded by
            a 0 bit; then a 1 bit. 1 is "1", 2 is "0 0 1", 3 is "0 1 1"
  literals  number: count; then the bytes
  again     number: count; a copy with the distance of the previous copy
  copy      number: high byte of (distance - 1), plus 1; byte: low byte of
            -distance; number: count - 1
  end       a copy whose first number is 256

Before that, addresses in calls become absolute: then calls of one function are equal, wherever
they are. Each byte E8h counts as a call, with the next two bytes, unless these belong to the
call before. The decoder undoes it.

The first token is a run of literals. A bit selects the type of each further
token: after literals 0 is "again" and 1 is "copy"; after "again" or "copy"
0 is "literals" and 1 is "copy".
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

LEAST_DISTANCE = 2          # the decoder copies words
MOST_DISTANCE = 255 * 256   # a first number of 256 ends the stream
MOST_BYTES = 65535          # of data: the decoder has 16-bit counters
END = 256
NO_DISTANCE = MOST_BYTES + 1
SEARCH = 400                # most candidates examined for a match
LONG_MATCH = 64             # no search for other matches inside a longer one
MAX_ROUTES = 6              # most routes kept per position, with different distances


class PackError(Exception):
    """The data cannot be packed, or the stream is invalid; the text gives the reason."""


def number_bits(value: int) -> int:
    return 2 * value.bit_length() - 1


# ---- Calls ------------------------------------------------------------------------------


CALL = 0xE8
IMAGE_BEGINS = 0x78         # offset of the data in its segment: ROM_ENTRY


def _change_calls(data: bytes, change: Callable[[bytes, int], bytes]) -> bytes:
    """Replace the two address bytes of each call by what `change` returns for them and their
    offset in the segment."""
    out, at = bytearray(data), 0
    while (at := out.find(CALL, at) + 1) and len(out) - at > 2:
        out[at:at + 2] = change(out[at:at + 2], IMAGE_BEGINS + at)
        at += 2
    return bytes(out)


def absolute_calls(data: bytes) -> bytes:
    """The image with the addresses that the stream has: big-endian, and absolute, but
    counted from the end of the instruction's first byte as the decoder knows it."""
    return _change_calls(data, lambda bytes_, at: (
        int.from_bytes(bytes_, "little") + at & 0xFFFF).to_bytes(2, "big"))


def relative_calls(data: bytes) -> bytes:
    """The reverse of absolute_calls()."""
    return _change_calls(data, lambda bytes_, at: (
        int.from_bytes(bytes_, "big") - at & 0xFFFF).to_bytes(2, "little"))


# ---- Choice of tokens -----------------------------------------------------------------


def find_matches(data: bytes) -> list[list[tuple[int, int]] | None]:
    """Matches at each position as (length, distance), with ascending length and
    the least distance for it. None for positions inside a long match."""
    matches: list[list[tuple[int, int]] | None] = []
    last: dict[bytes, int] = {}
    before = [-1] * len(data)   # previous position of the same two bytes
    long_until = 0
    for at in range(len(data)):
        before[at] = last.get(data[at:at + 2], -1)
        if at < long_until:
            matches.append(None)
        else:
            matches.append(list(_matches_at(data, at, before)))
            if matches[at] and matches[at][-1][0] > LONG_MATCH:
                long_until = at + matches[at][-1][0]
        last[data[at:at + 2]] = at
    return matches


def _matches_at(data: bytes, at: int, before: list[int]):
    best, room, position = 1, len(data) - at, before[at]
    for _ in range(SEARCH):
        if position < 0 or at - position > MOST_DISTANCE or best >= room:
            return
        if at - position >= LEAST_DISTANCE and data[position + best] == data[at + best]:
            length = _same(data, position, at)
            if length > best:
                best = length
                yield length, at - position
        position = before[position]


def _same(data: bytes, one: int, other: int) -> int:
    """Number of equal bytes at `one` and `other`, where `other` is the higher position."""
    length, room = 0, len(data) - other
    while length < room and data[one + length] == data[other + length]:
        length += 1
    return length


@dataclass(slots=True)
class Route:
    """A sequence of tokens up to a position: its bits, the distance of the last
    copy, the last token and the route before that token."""
    bits: int
    distance: int
    copied: bool    # the last token is a copy
    length: int     # of the last token
    again: bool
    origin: Route | None


class Position:
    """The best routes to a position, for each distance of the last copy. Those
    that end with literals and those that end with a copy are separate."""

    def __init__(self) -> None:
        self.routes: tuple[dict[int, Route], dict[int, Route]] = ({}, {})
        self.worst = [1 << 60, 1 << 60]     # bits of the worst kept route, once all are in use

    def add(self, bits: int, distance: int, copied: bool, length: int, again: bool,
            origin: Route) -> None:
        routes = self.routes[copied]
        known = routes.get(distance)
        if bits >= self.worst[copied] or known and known.bits <= bits:
            return
        routes[distance] = Route(bits, distance, copied, length, again, origin)
        if len(routes) > MAX_ROUTES:
            del routes[max(routes, key=lambda d: routes[d].bits)]
        if len(routes) == MAX_ROUTES:
            self.worst[copied] = max(route.bits for route in routes.values())

    def best(self) -> Route:
        return min((route for routes in self.routes for route in routes.values()),
                   key=lambda route: route.bits)


def parse(data: bytes) -> list[Route]:
    """The tokens that take (nearly) the fewest bits. The first literals need no
    type bit."""
    matches = find_matches(data)
    positions = [Position() for _ in range(len(data) + 1)]
    positions[0].routes[1][NO_DISTANCE] = Route(-1, NO_DISTANCE, True, 0, False, None)
    for at in range(len(data)):
        position = positions[at]
        _add_literal(position, positions[at + 1])
        if at and matches[at] is not None:
            _add_again(data, at, position, positions)
            _add_copies(matches[at], at, position.best(), positions)
    tokens, route = [], positions[-1].best()
    while route.origin:
        tokens.append(route)
        route = route.origin
    return tokens[::-1]


def _add_literal(position: Position, following: Position) -> None:
    for route in position.routes[1].values():
        following.add(route.bits + 1 + number_bits(1) + 8, route.distance, False, 1, False, route)
    for route in position.routes[0].values():
        more = number_bits(route.length + 1) - number_bits(route.length)
        following.add(route.bits + more + 8, route.distance, False, route.length + 1, False,
                      route.origin)


def _add_again(data: bytes, at: int, position: Position, positions: list[Position]) -> None:
    for route in list(position.routes[0].values()):
        if route.distance <= at and data[at] == data[at - route.distance]:
            most = _same(data, at - route.distance, at)
            for length in _lengths(1, most):
                positions[at + length].add(route.bits + 1 + number_bits(length), route.distance, True,
                                           length, True, route)


def _add_copies(matches: list[tuple[int, int]], at: int, route: Route,
                positions: list[Position]) -> None:
    least = 2
    for most, distance in matches:
        bits = route.bits + 1 + number_bits((distance - 1 >> 8) + 1) + 8
        for length in _lengths(least, most):
            positions[at + length].add(bits + number_bits(length - 1), distance, True, length, False,
                                       route)
        least = most + 1


def _lengths(least: int, most: int):
    return range(least, most + 1) if most <= LONG_MATCH else (most,)


# ---- The stream -----------------------------------------------------------------------


class Writer:
    def __init__(self) -> None:
        self.out = bytearray()
        self._word, self._free = 0, 0   # offset of the current word, and its free bits

    def bit(self, bit: int) -> None:
        if not self._free:
            self._word, self._free = len(self.out), 16
            self.out += bytes(2)
        self._free -= 1
        self.out[self._word + self._free // 8] |= bit << self._free % 8

    def number(self, value: int) -> None:
        for shift in range(value.bit_length() - 2, -1, -1):
            self.bit(0)
            self.bit(value >> shift & 1)
        self.bit(1)


def pack(data: bytes) -> bytes:
    if not 0 < len(data) <= MOST_BYTES:
        raise PackError(f"{len(data)} bytes cannot be packed")
    writer, at, copied = Writer(), 0, None
    for token in parse(data):
        if copied is not None:
            writer.bit(int(token.copied and not token.again))
        if not token.copied:
            writer.number(token.length)
            writer.out += data[at:at + token.length]
        elif token.again:
            writer.number(token.length)
        else:
            writer.number((token.distance - 1 >> 8) + 1)
            writer.out.append(-token.distance & 0xFF)
            writer.number(token.length - 1)
        at, copied = at + token.length, token.copied
    writer.bit(1)
    writer.number(END)
    return bytes(writer.out)


class Reader:
    def __init__(self, stream: bytes):
        self._stream, self._at = stream, 0
        self._bits, self._left = 0, 0

    def byte(self) -> int:
        if self._at == len(self._stream):
            raise PackError("the stream is truncated")
        self._at += 1
        return self._stream[self._at - 1]

    def bit(self) -> int:
        if not self._left:
            self._bits, self._left = self.byte() | self.byte() << 8, 16
        self._left -= 1
        return self._bits >> self._left & 1

    def number(self) -> int:
        value = 1
        while not self.bit():
            value = value << 1 | self.bit()
            if value > MOST_BYTES:
                raise PackError("a number exceeds the decoder's 16 bits")
        return value

    def end(self) -> None:
        if self._at < len(self._stream):
            raise PackError(f"{len(self._stream) - self._at} bytes follow the end of the stream")


def _check_room(out: bytearray, length: int) -> None:
    if len(out) + length > MOST_BYTES:
        raise PackError(f"the stream unpacks to more than {MOST_BYTES} bytes")


def unpack(stream: bytes) -> bytes:
    """Decode a stream like the decoder in the ROM. Raises PackError for one that this
    decoder cannot decode, or that is not a whole stream and nothing else."""
    reader, out, distance, literals = Reader(stream), bytearray(), NO_DISTANCE, True
    while True:
        if literals:
            length = reader.number()
            _check_room(out, length)
            out += bytes(reader.byte() for _ in range(length))
            new = reader.bit()
            length = 0 if new else reader.number()
        else:
            new, length = 1, 0
        if new:
            high = reader.number()
            if high == END:
                reader.end()
                return bytes(out)
            distance = (high << 8) - reader.byte()
            length = reader.number() + 1
        if not LEAST_DISTANCE <= distance <= min(len(out), MOST_DISTANCE):
            raise PackError(f"a copy from {distance} bytes back, after {len(out)} bytes")
        _check_room(out, length)
        for _ in range(length):
            out.append(out[-distance])
        literals = not reader.bit()


# ---- The command ----------------------------------------------------------------------


def write_whole(path: Path, data: bytes) -> None:
    """Write a temporary file and rename it, so that `path` never has a part of the data.
    A symbolic link is followed."""
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and not target.is_file():
        raise PackError(f"{path} is not a file")
    handle, name = tempfile.mkstemp(dir=target.parent)
    temporary = Path(name)
    try:
        with open(handle, "wb") as file:
            file.write(data)
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="pack.py", description=__doc__.split("\n")[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("--output", "-o", type=Path, required=True)
    args = parser.parse_args(argv)
    try:
        data = args.image.read_bytes()
        stream = pack(absolute_calls(data))
        if relative_calls(unpack(stream)) != data:
            raise PackError("the packed data does not unpack to the input")
        write_whole(args.output, stream)
    except (PackError, OSError) as error:
        print(f"pack.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Pack the ROM image for rom/post/unpack_entry.S, which has the decoder.

The stream is a sequence of tokens, each a run of literal bytes or a copy of
bytes that have been unpacked before. Bits, numbers and bytes lie interleaved
as the decoder wants them: bits come from 16-bit words, high bit first, each
word where its first bit is needed.

  number    its bits below the highest one, high bit first, each behind a 0
            bit; a 1 bit ends it. 1 is "1", 2 is "0 0 1", 3 is "0 1 1"
  literals  number of bytes, the bytes
  again     number of bytes; from the distance of the copy before
  copy      number: high byte of the distance less 1, plus 1; byte: the low
            byte of the distance, negated; number of bytes less 1
  end       a copy whose first number is 256

The first token is a run of literals. A bit says what follows: behind literals
0 is "again" and 1 "copy", behind both copies 0 is "literals" and 1 "copy".
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

LEAST_DISTANCE = 2          # the decoder copies words
MOST_DISTANCE = 255 * 256   # a first number of 256 is the end
MOST_BYTES = 65535          # of all data: the decoder counts in 16 bits
END = 256
NO_DISTANCE = MOST_BYTES + 1
SEARCH = 400                # places to look at for a match
LONG_MATCH = 64             # inside of one nothing better is looked for
ARRIVALS = 6                # ways to a place that are followed, of different distances


class PackError(Exception):
    """The data cannot be packed, or the stream is none; the text says why."""


def number_bits(value: int) -> int:
    return 2 * value.bit_length() - 1


# ---- Which tokens ---------------------------------------------------------------------


def find_matches(data: bytes) -> list[list[tuple[int, int]] | None]:
    """For each place, what lies there again: (bytes, distance), for growing
    lengths the least distance. None inside of a long match."""
    matches: list[list[tuple[int, int]] | None] = []
    last: dict[bytes, int] = {}
    before = [-1] * len(data)   # where the same two bytes were
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
    best, room, place = 1, len(data) - at, before[at]
    for _ in range(SEARCH):
        if place < 0 or at - place > MOST_DISTANCE or best >= room:
            return
        if at - place >= LEAST_DISTANCE and data[place + best] == data[at + best]:
            length = _same(data, place, at)
            if length > best:
                best = length
                yield length, at - place
        place = before[place]


def _same(data: bytes, one: int, other: int) -> int:
    """How many bytes are the same; `other` is behind `one`."""
    length, room = 0, len(data) - other
    while length < room and data[one + length] == data[other + length]:
        length += 1
    return length


@dataclass(slots=True)
class Arrival:
    """A way to get to a place: bits spent, distance of the last copy, the last
    token and where it began."""
    bits: int
    distance: int
    copied: bool    # by a copy, not by literals
    length: int     # of the last token
    again: bool
    origin: Arrival | None


class Place:
    """The best ways to a place, those that end with literals and those that do
    not, each by distance."""

    def __init__(self) -> None:
        self.ways: tuple[dict[int, Arrival], dict[int, Arrival]] = ({}, {})
        self.worst = [1 << 60, 1 << 60]     # that is worth a look, once there are enough

    def add(self, bits: int, distance: int, copied: bool, length: int, again: bool,
            origin: Arrival) -> None:
        ways = self.ways[copied]
        known = ways.get(distance)
        if bits >= self.worst[copied] or known and known.bits <= bits:
            return
        ways[distance] = Arrival(bits, distance, copied, length, again, origin)
        if len(ways) > ARRIVALS:
            del ways[max(ways, key=lambda d: ways[d].bits)]
        if len(ways) == ARRIVALS:
            self.worst[copied] = max(way.bits for way in ways.values())

    def best(self) -> Arrival:
        return min((way for ways in self.ways for way in ways.values()), key=lambda way: way.bits)


def parse(data: bytes) -> list[Arrival]:
    """The tokens that take the fewest bits, or nearly so. The first literals
    come without a bit."""
    matches = find_matches(data)
    places = [Place() for _ in range(len(data) + 1)]
    places[0].ways[1][NO_DISTANCE] = Arrival(-1, NO_DISTANCE, True, 0, False, None)
    for at in range(len(data)):
        place = places[at]
        _add_literal(place, places[at + 1])
        if at and matches[at] is not None:
            _add_again(data, at, place, places)
            _add_copies(matches[at], at, place.best(), places)
    tokens, way = [], places[-1].best()
    while way.origin:
        tokens.append(way)
        way = way.origin
    return tokens[::-1]


def _add_literal(place: Place, following: Place) -> None:
    for way in place.ways[1].values():
        following.add(way.bits + 1 + number_bits(1) + 8, way.distance, False, 1, False, way)
    for way in place.ways[0].values():
        more = number_bits(way.length + 1) - number_bits(way.length)
        following.add(way.bits + more + 8, way.distance, False, way.length + 1, False, way.origin)


def _add_again(data: bytes, at: int, place: Place, places: list[Place]) -> None:
    for way in list(place.ways[0].values()):
        if way.distance <= at and data[at] == data[at - way.distance]:
            most = _same(data, at - way.distance, at)
            for length in _lengths(1, most):
                places[at + length].add(way.bits + 1 + number_bits(length), way.distance, True,
                                        length, True, way)


def _add_copies(matches: list[tuple[int, int]], at: int, way: Arrival, places: list[Place]) -> None:
    least = 2
    for most, distance in matches:
        bits = way.bits + 1 + number_bits((distance - 1 >> 8) + 1) + 8
        for length in _lengths(least, most):
            places[at + length].add(bits + number_bits(length - 1), distance, True, length, False,
                                    way)
        least = most + 1


def _lengths(least: int, most: int):
    return range(least, most + 1) if most <= LONG_MATCH else (most,)


# ---- The stream -----------------------------------------------------------------------


class Writer:
    def __init__(self) -> None:
        self.out = bytearray()
        self._word, self._free = 0, 0   # where the word with free bits is

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
            raise PackError("the stream is cut short")
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
        return value


def unpack(stream: bytes) -> bytes:
    """What the decoder makes of it."""
    reader, out, distance, literals = Reader(stream), bytearray(), NO_DISTANCE, True
    while True:
        if literals:
            out += bytes(reader.byte() for _ in range(reader.number()))
            new = reader.bit()
            length = 0 if new else reader.number()
        else:
            new, length = 1, 0
        if new:
            high = reader.number()
            if high == END:
                return bytes(out)
            distance = (high << 8) - reader.byte()
            length = reader.number() + 1
        if distance > len(out):
            raise PackError("a copy from before the beginning")
        for _ in range(length):
            out.append(out[-distance])
        literals = not reader.bit()


# ---- The command ----------------------------------------------------------------------


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="pack.py", description=__doc__.split("\n")[0])
    parser.add_argument("image", type=Path)
    parser.add_argument("--output", "-o", type=Path, required=True)
    args = parser.parse_args(argv)
    try:
        data = args.image.read_bytes()
        stream = pack(data)
        if unpack(stream) != data:
            raise PackError("what was packed unpacks differently")
        args.output.write_bytes(stream)
    except (PackError, OSError) as error:
        print(f"pack.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

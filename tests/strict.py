# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""What the tests on the strict virtual PC share: a booted machine and the
questions asked of it again and again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from machine import ROM_810, ROM_895A
from vpc.bus import Bus
from vpc.pc import BUFFER, PACKET, Pc
from vpc.target import Disk

OK, READ_FAILED, OVERRUN, TIMEOUT = 0x00, 0x20, 0x08, 0x80
NOT_READY = 0xAA
# docs/errors.md
STATUSES = {0x00, 0x01, 0x03, 0x04, 0x06, 0x08, 0x09, 0x10, 0x20, 0x31, 0x80, 0xAA, 0xB3, 0xFF}
SECOND = 1_000_000_000
FAMILIES = ["895A", "810"]
ROMS = {"895A": ROM_895A, "810": ROM_810}


def new_pc(family: str, targets: dict[int, object], **options) -> Pc:
    """A machine that has been through POST."""
    pc = Pc(ROMS[family], family, **options)
    pc.bus.targets = targets
    pc.power_on()
    return pc


def two_disks(family: str) -> Pc:
    """A booted machine with disks at IDs 0 and 3."""
    return new_pc(family, {0: Disk(), 3: Disk(content=lambda lba: bytes([3]) * 512)})


def disk(pc: Pc) -> Disk:
    return pc.bus.targets[0]


def expected(pc: Pc, lba: int, count: int) -> bytes:
    return b"".join(disk(pc).block(lba + i) for i in range(count))


def reads_well(pc: Pc, lba: int = 1000, count: int = 3) -> None:
    """A read of the first disk gives its data."""
    pc.poke(BUFFER, b"\xEE" * count * 512)
    result = pc.read(lba, count)
    assert (result.ah, result.cf) == (OK, False)
    assert pc.peek(BUFFER, count * 512) == expected(pc, lba, count)


def fails(pc: Pc, status: int, count: int = 3) -> None:
    """A read of the first disk ends with that status and no block is good."""
    result = pc.read(1000, count)
    assert (result.ah, result.cf) == (status, True)
    assert pc.word(PACKET + 2) == 0, "blocks done"


def ends_honestly(pc: Pc, lba: int = 7, count: int = 1) -> bool:
    """A read of the first disk either fails with a documented status or gives
    its data."""
    pc.poke(BUFFER, b"\xEE" * count * 512)
    result = pc.read(lba, count)
    if not result.cf:
        assert result.ah == OK
        assert pc.peek(BUFFER, count * 512) == expected(pc, lba, count)
    else:
        assert result.ah in STATUSES - {OK}
        assert pc.word(PACKET + 2) == 0, "blocks done"
    return not result.cf


def lives_on(pc: Pc) -> None:
    """After trouble: the other disk reads, and the first one does again."""
    disk(pc).data_hook = disk(pc).before_command = disk(pc).before_status = None
    disk(pc).status_hook = None
    result = pc.read(1, 1, drive=0x81)
    assert (result.ah, pc.peek(BUFFER, 512)) == (OK, bytes([3]) * 512)
    reads_well(pc)


def once(hook: Callable[[Bus, bytes], Iterator]) -> Callable[[Bus, bytes], Iterator]:
    """Only the first call of a hook misbehaves; later data comes as it should."""
    calls = []

    @functools.wraps(hook)
    def wrapped(bus, data):
        calls.append(1)
        if len(calls) == 1:
            yield from hook(bus, data)
        else:
            yield from Disk.data_in(data)

    return wrapped


class TroubleAt:
    """A session that does `event` in place of its nth bus event, once; every
    byte is an event."""

    def __init__(self, target: Disk, n: int, event):
        self._target, self._left, self._event = target, n, event
        self.done = False  # a session went by without reaching n

    def __call__(self, bus: Bus) -> Iterator:
        session, answer = type(self._target).session(self._target, bus), None
        while True:
            try:
                what = session.send(answer)
            except StopIteration:
                self.done = self._left > 0
                return
            length = len(what[1]) if isinstance(what, tuple) and isinstance(what[1], bytes) else 1
            if 0 < self._left <= length:
                if self._left > 1:
                    yield what[0], what[1][:self._left - 1]
                self._left = 0
                yield self._event
                return
            self._left -= length if self._left else 0
            answer = yield what

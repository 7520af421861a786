# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: helpers for tests of disks with blocks of 1024, 2048 and 4096 bytes."""

from __future__ import annotations

import functools
import random

from tests.model.bios_data import EBDA_KIB, MEMORY_SIZE
from tests.model.pc import BUFFER, Pc
from tests.model.target import Disk
from tests.rom.strict import OK, disk, new_data, new_pc, transfer

BLOCKS = 20000
READS, WRITES, VERIFIES, SEEKS = (0x02, 0x42), (0x03, 0x43), (0x04, 0x44), (0x0C, 0x47)


@functools.cache
def content(size: int, lba: int) -> bytes:
    return random.Random(lba).randbytes(size)


def large_disk(size: int, kind: type[Disk] = Disk, **options) -> Disk:
    return kind(**{"blocks": BLOCKS, "block_bytes": size,
                   "content": functools.partial(content, size), **options})


def with_blocks(size: int, variant: str = "895A", **options) -> Pc:
    """A machine with large blocks at ID 0 and 512-byte blocks at ID 3."""
    return new_pc(variant, {0: large_disk(size), 3: Disk(content=lambda lba: bytes([3]) * 512)},
                  **options)


def per_block(pc: Pc) -> int:
    return disk(pc).block_bytes // 512


def sectors(pc: Pc, lba: int, count: int) -> bytes:
    """The current content of the disk."""
    split = per_block(pc)
    first, last = lba // split, (lba + count - 1) // split
    data = b"".join(disk(pc).block(b) for b in range(first, last + 1))
    return data[lba % split * 512:][:count * 512]


def touched(pc: Pc, lba: int, count: int) -> set[int]:
    """The blocks that contain these sectors."""
    split = per_block(pc)
    return set(range(lba // split, (lba + count - 1) // split + 1))


class Write:
    """A write, and the sectors in and around its range before and after it."""

    def __init__(self, pc: Pc, lba: int, count: int, seed: int, address: int = BUFFER + 1,
                 function: int = 0x43, **options):
        self.blocks = sorted(touched(pc, lba, count))
        split = per_block(pc)
        start = self.blocks[0] * split
        self.new, disk(pc).written = new_data(seed, count), {}
        old = sectors(pc, start, len(self.blocks) * split)
        pc.poke(address, self.new)
        self.status, self.good = transfer(pc, function, lba, count, address, **options)
        now = sectors(pc, start, len(self.blocks) * split)
        before = (lba - start) * 512
        self.old, self.now = old[before:][:count * 512], now[before:][:count * 512]
        assert disk(pc).written.keys() <= set(self.blocks)
        assert now[:before] == old[:before], "sectors before the range have changed"
        assert (now[before + count * 512:]
                == old[before + count * 512:]), "sectors after the range have changed"

    def succeeded(self) -> bool:
        return self.status == OK and self.good * 512 == len(self.new) and self.now == self.new

    def check_and_succeeded(self) -> bool:
        """Checks that good sectors are new and all others old or new; then whether the
        write succeeded."""
        assert (self.status == OK) == (self.good * 512 == len(self.new))
        assert self.now[:self.good * 512] == self.new[:self.good * 512]
        for at in range(0, len(self.new), 512):
            assert self.now[at:at + 512] in (self.old[at:at + 512], self.new[at:at + 512])
        return self.status == OK


def check_read(pc: Pc, lba: int, count: int, address: int = BUFFER + 1, **options) -> None:
    pc.poke(address, b"\xEE" * count * 512)
    assert transfer(pc, 0x42, lba, count, address, **options) == (OK, count)
    assert pc.peek(address, count * 512) == sectors(pc, lba, count)


def kept_bytes(pc: Pc) -> int:
    """The memory that the ROM keeps, in bytes."""
    lowered = (EBDA_KIB - pc.word(MEMORY_SIZE)) * 1024
    return lowered + sum(len(b.place) for b in pc.bios.memory.blocks if b.permanent)

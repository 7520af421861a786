# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: answers of Virtual DMA Services that cannot be right. An address lies at the
same offset in its page as the memory; our own memory is not at the interrupt vectors,
in video memory or a ROM, and nothing wraps at 4 GiB. [VDS 1.0 "DMA descriptor structure"]
"""

from __future__ import annotations

import struct

import pytest

from tests.model.bios import Bios
from tests.model.pc import BUFFER, Pc
from tests.model.target import Disk
from tests.model.vds import EDDS, LOCK, LOCK_LIST, NO_BUFFER, PAGE, Lock, Vds
from tests.rom.strict import (BOUNDARY, CONTROLLER, OK, hexadecimal, new_pc, nothing_sent,
                              transfer)

moving = pytest.mark.parametrize("function", [0x02, 0x03, 0x42, 0x43], ids=hexadecimal)


class Liar(Vds):
    """Answers to locks of memory that must not move with `lie(address)`, and to lists with
    `pages`."""
    lie = staticmethod(lambda address: address)
    listed: list[tuple[int, int]] = []

    def _lock(self, fields, dx, pointer):
        super()._lock(fields, dx, pointer)
        if dx & NO_BUFFER:
            held = self.locks.pop()
            address = self.lie(held.physical) & 0xFFFFFFFF
            self.locks.append(Lock(LOCK, held.linear, held.size, address, held.buffer))
            self._write(pointer + 12, struct.pack("<I", address))

    def _lock_list(self, fields, dx, pointer):
        super()._lock_list(fields, dx, pointer)
        if self.listed:
            self._write(pointer + 14, struct.pack("<H", len(self.listed)))
            self._write(pointer + EDDS.size, b"".join(struct.pack("<II", *one) for one in self.listed))

    def check_access(self, physical, length):
        """Nothing is remapped: all stray accesses are found as such."""


def booted(**options) -> Pc:
    return new_pc("895A", {0: Disk(), 3: Disk()}, vds=Liar(**options))


LIES = {"zero": lambda address: 0, "vectors": lambda address: address % PAGE,
        "another offset": lambda address: address + 0x1000010,
        "video memory": lambda address: 0xB8000 + address % PAGE,
        "a ROM": lambda address: 0xF0000 + address % PAGE,
        "another controller's": lambda address: 0xC8000 + address % PAGE}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES.keys())
@moving
def test_impossible_address_of_our_memory_is_refused(lie, function):
    pc = booted()
    pc.vds.lie = lie
    with nothing_sent(pc):
        assert transfer(pc, function, 1000, 3) == (CONTROLLER, 0)
    assert pc.vds.locks == []
    pc.vds.lie = Liar.lie
    assert transfer(pc, function, 1000, 3) == (OK, 3)


def test_address_that_wraps_at_4_gib_is_refused():
    """The block buffer begins at 400h in a page, and has 4096 bytes."""
    pc = new_pc("895A", {0: Disk(block_bytes=4096, blocks=1000)}, vds=Liar(),
                bios=Bios(pmm="absent", ebda=False))
    buffer = pc.bios.running.workspace.start - PAGE
    assert buffer % PAGE == 0x400
    pc.vds.lie = lambda address: 0xFFFFF400 if address == buffer else address
    with nothing_sent(pc):
        assert transfer(pc, 0x42, 801, 3) == (CONTROLLER, 0)
    pc.vds.lie = Liar.lie
    assert transfer(pc, 0x42, 801, 3) == (OK, 3)


def test_other_addresses_of_our_memory_are_believed():
    pc = booted()
    pages = {page: 0xF00 + i for i, page in enumerate(
        range(pc.bios.running.workspace.start // PAGE, pc.bios.running.workspace.stop // PAGE + 1))}
    pc.vds.pages = pages
    assert transfer(pc, 0x42, 1000, 3) == (OK, 3)


LISTS = {"another offset": (1, [(BUFFER, 512)]),
         "later page": (9, [(BUFFER + 1, PAGE - 1), (0x300010, 513)]),
         "too long": (3, [(BUFFER + 1, PAGE)]), "too short": (1, [(BUFFER + 1, 100)])}


@pytest.mark.parametrize("count, listed", LISTS.values(), ids=LISTS.keys())
@moving
def test_impossible_list_is_not_used(count, listed, function):
    """A list that cannot be the buffer is refused, for each size of the piece."""
    pc = booted()
    pc.vds.listed = listed
    with nothing_sent(pc):
        assert transfer(pc, function, 1000, count, BUFFER + 1) == (BOUNDARY, 0)
    assert pc.vds.locks == []
    assert LOCK_LIST in [call[0] for call in pc.vds.calls]

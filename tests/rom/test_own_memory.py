# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: hostile buffers. Reads into the ROM's own memory are refused, and a read
over its own packet makes the ROM write nowhere else.
"""

from __future__ import annotations

import struct

import pytest

from tests.model.bios import Bios
from tests.model.bus import HANG
from tests.model.pc import PACKET, Pc
from tests.model.target import Disk
from tests.model.vds import NONE, SERVED, Vds
from tests.rom.strict import (BAD_SECTOR, BOUNDARY, OK, TIMEOUT, VARIANTS, by_packet, disk, expected,
                              hexadecimal, new_pc, nothing_sent, transfer)

KIB = 1024
MODES = {"real mode": None, "VDS": SERVED, "no VDS": NONE}

modes = pytest.mark.parametrize("services", MODES.values(), ids=MODES.keys())


def booted(variant: str = "895A", pmm: str = "1.01", services: str | None = None) -> Pc:
    return new_pc(variant, {0: Disk()}, bios=Bios(pmm=pmm),
                  vds=Vds(services=services) if services else None)


def workspace(pc: Pc) -> range:
    return pc.bios.running.workspace


def overlapping(space: range, bytes_: int) -> list[int]:
    """Addresses of buffers that have at least one byte in common with it."""
    return [space.start, space.start - bytes_ + 1, space.stop - 1, space.start + 1500,
            space.start - 1]


# ---- The workspace ---------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("pmm", ["1.01", "absent"])
@modes
def test_reads_into_the_workspace_are_refused(variant, pmm, services):
    pc = booted(variant, pmm, services)
    space = workspace(pc)
    assert len(space) == 3 * KIB
    for count in (1, 5):
        for address in overlapping(space, count * 512):
            before = pc.peek(space.start - 8 * KIB, 16 * KIB)
            with nothing_sent(pc):
                assert transfer(pc, 0x02, 1000, count, address) == (BOUNDARY, 0)
                assert transfer(pc, 0x42, 1000, count, address) == (BOUNDARY, 0)
                assert transfer(pc, 0x42, 1000, count, flat=address, size=24) == (BOUNDARY, 0)
            below = pc.peek(space.start - 8 * KIB, 8 * KIB)
            assert below == before[:8 * KIB]
    assert transfer(pc, 0x42, 1000, 1) == (OK, 1)


def test_other_segments_of_the_same_memory_are_refused():
    """A segment of the workspace, one far below it, and the largest read that reaches it."""
    pc = booted()
    start = workspace(pc).start
    for segment in (start >> 4, (start >> 4) - 0xF00, (start >> 4) + 100):
        offset = start + 1600 - segment * 16
        assert 0 <= offset <= 0xFFFF
        with nothing_sent(pc):
            result = pc.int13(ah=0x02, al=1, dl=0x80, cx=1, dh=0, es=segment, bx=offset, changes="ax")
        assert (result.ah, result.al) == (BOUNDARY, 0)
    with nothing_sent(pc):
        assert transfer(pc, 0x42, 0, 0xFFFF, flat=0x1000, size=24).status == BOUNDARY
        assert by_packet(pc, 0x42, 0, flat=0x1000, size=32, long_count=0x8000).ah == BOUNDARY


def test_flat_addresses_beyond_4_gib_are_refused():
    """The low dword alone would be the workspace, or wrap into it."""
    pc = booted()
    start = workspace(pc).start
    for flat in (1 << 32 | start, 0xFFFFFFFF_FFFFFE00, 0xFFFFFF00):
        with nothing_sent(pc):
            assert transfer(pc, 0x42, 1000, 1, flat=flat, size=24) == (BOUNDARY, 0)


def test_memory_after_the_workspace_is_read_into():
    """The BIOS's EBDA, as if it were a program's."""
    pc = booted(pmm="absent")
    address = workspace(pc).stop
    assert transfer(pc, 0x42, 1000, 1, address) == (OK, 1)
    assert pc.peek(address, 512) == expected(pc, 1000, 1)


@modes
@pytest.mark.parametrize("function", [0x03, 0x43], ids=hexadecimal)
def test_writes_from_the_workspace_are_allowed(services, function):
    pc = booted(services=services)
    drives = workspace(pc).start + 2048        # the table of drives, which a call does not change
    assert transfer(pc, function, 1000, 1, drives) == (OK, 1)
    assert disk(pc).written[1000] == pc.peek(drives, 512)


# ---- The packet ------------------------------------------------------------------------

# What the disk puts over a packet: one with the count FFh, and one with a short count
LONG, SHORT = b"\x20\0\xFF\0", b"\x10\0\x01\0"


def read_over(head: bytes, count: int, **fields: int) -> bytes:
    """The memory after a read of sectors 5 and 6 to the packet itself, of which the second
    fails. The disk has `head` at the place of the packet."""
    pc = new_pc("895A", {0: Disk(content=lambda lba: head + bytes([0x50 + lba]) * 508)})
    disk(pc).bad_blocks[6] = (3, 0x11, 0, True)
    pc.poke(PACKET, struct.pack("<BBHHHQQII", 32, 0, count, PACKET & 15, PACKET >> 4, 5,
                                fields.get("flat", 0), fields.get("long_count", 0), 0))
    result = pc.int13(range(PACKET, PACKET + 1024), ah=0x42, dl=0x80, ds=PACKET >> 4, si=PACKET & 15)
    assert result.ah == BAD_SECTOR
    return pc.peek(PACKET, 512)


def test_short_count_goes_where_it_was_read():
    data = read_over(LONG, 2)
    assert data == LONG[:2] + b"\x01\0" + b"\x55" * 508


def test_long_count_goes_where_it_was_read():
    data = read_over(SHORT, 0xFF, flat=PACKET, long_count=2)
    assert data == SHORT + b"\x55" * 0x14 + b"\x01\0\0\0" + b"\x55" * (512 - 0x1C)


def test_short_packet_at_the_end_of_memory():
    """The dword at 18h would lie past FFFF:FFFFh. The target hangs after the data."""
    at = 0x10FFF0 - 16
    pc = new_pc("895A", {0: Disk(content=lambda lba: bytes(496) + LONG + b"\x77" * 12)})
    disk(pc).before_status = lambda bus: iter([HANG])
    buffer = 0x10FFF0 - 512
    pc.poke(at, struct.pack("<BBHHHQ", 16, 0, 1, buffer - 0xFFFF0, 0xFFFF, 5))
    result = pc.int13(range(buffer, 0x10FFF0), ah=0x42, dl=0x80, ds=0xFFFF, si=at - 0xFFFF0)
    assert (result.ah, pc.peek(at, 16)) == (TIMEOUT, LONG[:2] + bytes(2) + b"\x77" * 12)

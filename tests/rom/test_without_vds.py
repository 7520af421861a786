# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: a memory manager without Virtual DMA Services, such as JEMM386 NOVDS, has
remapped memory: upper memory, an EMS frame, the high memory area, a page of
conventional memory. The chip accesses physical addresses, the CPU linear ones.
"""

from __future__ import annotations

import pytest

from tests.model.eltorito import FLOPPY_144, Disc, Entry, floppy, loader
from tests.model.devices import FwCfg
from tests.model.pc import BUFFER, Pc
from tests.model.target import Disk
from tests.model.vds import FAILING, NONE, PAGE, SERVED, SILENT, Vds
from tests.rom.cd.cdboot import CD, check_boot, check_sectors, move, with_cd
from tests.rom.strict import (BAD_SECTOR, BOUNDARY, OK, VARIANTS, WRITE_FAULT, by_packet, disk,
                              expected, hexadecimal, new_data, new_pc, nothing_sent, transfer)

UPPER, FRAME, HIGH = 0xD8000, 0xE0000, 0xFFFF0
EMS = (5, 2, 7, 0)      # the logical pages of 16 KiB that the frame shows
PAGES = ({(UPPER >> 12) + i: 0x700 + 3 * i for i in range(8)}
         | {(FRAME >> 12) + 4 * i + j: 0x800 + 4 * page + j
            for i, page in enumerate(EMS[:2]) for j in range(4)}
         | {0x100 + i: 0x900 + 2 * i for i in range(16)}
         | {(BUFFER >> 12) + 1: 0xA00, (BUFFER >> 12) + 2: 0xA08})
PLACES = {"upper": UPPER + 0x1F1, "frame": FRAME + 0x3E00, "high": 0x10FFF0 - 20 * 512,
          "start of high": HIGH + 0x20, "backfilled": BUFFER + 0xF00}
NATIVE = {"opt/lsi8xx-rom/native-blocks": b"1"}

managers = pytest.mark.parametrize("services", [NONE, FAILING, SILENT])
moving = pytest.mark.parametrize("function", [0x02, 0x03, 0x42, 0x43], ids=hexadecimal)


def manager(services: str = NONE, **options) -> Vds:
    return Vds(pages=dict(PAGES), services=services, **options)


def booted(variant: str = "895A", target: Disk | None = None, services: str = NONE, **options) -> Pc:
    return new_pc(variant, {0: target or Disk()}, vds=manager(services, strict=True), **options)


def check_data(pc: Pc, function: int, count: int, address: int, lba: int = 1000) -> None:
    """A transfer moves what the CPU finds at the address, and nothing around it."""
    data, target = new_data(count, count), disk(pc)
    pc.poke(address - 16, bytes(16) + data + bytes(16))
    before = expected(pc, lba, count)
    assert transfer(pc, function, lba, count, address) == (OK, count)
    now = data if function in (0x03, 0x43) else before
    assert pc.peek(address - 16, len(now) + 32) == bytes(16) + now + bytes(16)
    assert expected(pc, lba, count) == now
    target.written.clear()


@pytest.mark.parametrize("variant", VARIANTS)
@managers
@pytest.mark.parametrize("address", PLACES.values(), ids=PLACES.keys())
@moving
def test_data_moves_where_the_cpu_finds_the_buffer(variant, services, address, function):
    pc = booted(variant, services=services)
    for count in (1, 2, 17):
        check_data(pc, function, count, address)


def test_physical_memory_at_the_linear_address_stays():
    """The page that the manager has replaced there is another's."""
    pc = booted()
    at = (BUFFER >> 12) + 1
    pc.poke_physical(at * PAGE, b"other's " * 512)
    check_data(pc, 0x42, 8, at * PAGE)
    check_data(pc, 0x43, 8, at * PAGE)
    assert pc.peek_physical(at * PAGE, PAGE) == b"other's " * 512


@managers
@moving
def test_sectors_before_a_bad_one_count(services, function):
    """AL or the packet's count is exact, and later sectors stay as they were."""
    pc = booted(services=services)
    disk(pc).bad_blocks[1005] = (3, 0x11, 0, True)
    data = new_data(1, 10)
    pc.poke(UPPER, data)
    status = WRITE_FAULT if function in (0x03, 0x43) else BAD_SECTOR
    assert transfer(pc, function, 1000, 10, UPPER) == (status, 5)
    if status == WRITE_FAULT:
        assert b"".join(disk(pc).written[1000 + i] for i in range(5)) == data[:5 * 512]
        assert max(disk(pc).written) == 1004
    else:
        assert pc.peek(UPPER, 5 * 512) == expected(pc, 1000, 5)
        assert pc.peek(UPPER + 6 * 512, 4 * 512) == data[6 * 512:]


@managers
@pytest.mark.parametrize("size", [1024, 2048, 4096])
def test_parts_of_large_blocks_move(services, size):
    pc, split = booted(target=Disk(block_bytes=size, blocks=1000), services=services), size // 512
    target = disk(pc)
    for lba, count in ((800, 1), (803, 5), (800, 16), (805, 23)):
        first, last = lba // split, (lba + count - 1) // split
        before = b"".join(target.block(b) for b in range(first, last + 1))
        data, offset = new_data(lba, count), lba % split * 512
        pc.poke(UPPER + 1, data)
        assert transfer(pc, 0x43, lba, count, UPPER + 1) == (OK, count)
        now = b"".join(target.block(b) for b in range(first, last + 1))
        assert now == before[:offset] + data + before[offset + len(data):]
        pc.poke(UPPER + 1, bytes(len(data)))
        assert transfer(pc, 0x42, lba, count, UPPER + 1) == (OK, count)
        assert pc.peek(UPPER + 1, len(data)) == data


@managers
@pytest.mark.parametrize("size", [1024, 4096])
def test_native_blocks_move(services, size):
    pc = booted(target=Disk(block_bytes=size, blocks=1000), services=services, fwcfg=FwCfg(NATIVE))
    data = new_data(7, 3 * size // 512)
    pc.poke(UPPER + 1, data)
    assert by_packet(pc, 0x43, 5, 3, UPPER + 1, block_bytes=size).ah == OK
    assert b"".join(disk(pc).block(5 + i) for i in range(3)) == data
    pc.poke(UPPER + 1, bytes(len(data)))
    assert by_packet(pc, 0x42, 5, 3, UPPER + 1, block_bytes=size).ah == OK
    assert pc.peek(UPPER + 1, len(data)) == data


@managers
@pytest.mark.parametrize("function", [0x42, 0x43], ids=hexadecimal)
def test_flat_buffer_beyond_the_cpus_reach_is_refused(services, function):
    pc = booted(services=services)
    for flat in (0x200000, 0x10FFF0 - 511, 0xFFFFF000):
        with nothing_sent(pc):
            assert transfer(pc, function, 1000, 1, flat=flat, size=24) == (BOUNDARY, 0)
    data = new_data(1, 1)
    pc.poke(0x10FFF0 - 512, data)
    assert transfer(pc, function, 1000, flat=0x10FFF0 - 512, size=24) == (OK, 1)
    assert pc.peek(0x10FFF0 - 512, 512) == expected(pc, 1000, 1)


@managers
@pytest.mark.parametrize("function", [0x04, 0x0C, 0x44, 0x47], ids=hexadecimal)
def test_functions_without_data_work(services, function):
    pc = booted(services=services)
    assert transfer(pc, function, 1000, 20).status == OK


@managers
def test_cd_and_emulated_drive_are_read(services):
    entry = Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=1)
    disc = Disc(entry)
    pc = with_cd("895A", disc)
    check_boot(pc, disc, number=0)
    pc.vds = manager(services)
    pc.vds.start(pc)
    for first, count in ((1, 1), (3, 5), (18, 18)):
        for address in (UPPER + 0x140, 0x10FFF0 - 64 - count * 512):
            check_sectors(pc, disc, entry, first, count, 0, 0x02, address)


@managers
def test_cd_without_emulation_is_read(services):
    disc = Disc(Entry(loader(4), segment=0x1000))
    pc = with_cd("895A", disc)
    check_boot(pc, disc)
    pc.vds = manager(services)
    pc.vds.start(pc)
    for count, address in ((1, UPPER + 1), (4, FRAME + 0x3900)):
        pc.poke(address, bytes(count * 2048))
        assert move(pc, 0x42, 16, count, address, number=CD) == (OK, count)
        assert pc.peek(address, count * 2048) == disc.read(16, count)


def test_services_that_come_later_are_used():
    """The state of one call does not last until the next."""
    pc = booted()
    check_data(pc, 0x42, 3, UPPER)
    sent = len(disk(pc).commands)
    pc.vds.services = SERVED
    pc.vds.start(pc)
    check_data(pc, 0x42, 3, UPPER)
    assert len(disk(pc).commands) == sent + 1

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: disks with blocks of 1024, 2048 and 4096 bytes, which the caller sees as
drives with 512-byte sectors. With any alignment, exactly the requested sectors
are read or written.
"""

from __future__ import annotations

import functools

import pytest

from tests.model.bios import Bios
from tests.model.devices import FwCfg
from tests.model.hardware import HARDWARE
from tests.model.pc import BUFFER, Pc
from tests.model.target import READ10, SEEK10, VERIFY10, WRITE10, Disk, blocks_of
from tests.rom.disk.block_disks import (BLOCKS, READS, SEEKS, VERIFIES, WRITES, Write, check_read,
                                        content, kept_bytes, large_disk, per_block, sectors,
                                        touched, with_blocks)
from tests.rom.strict import (BAD_COMMAND, NOT_FOUND, OK, VARIANTS, by_packet, disk, edd,
                              hexadecimal, new_data, new_pc, nothing_sent, opcodes, simple_call,
                              transfer)

SIZES = [1024, 2048, 4096]
COUNTS = range(1, 21)
HIGH = 0x200001     # odd, above 1 MiB: not reachable by the CPU in real mode
NATIVE = "opt/lsi8xx-rom/native-blocks"

reading = pytest.mark.parametrize("function", READS, ids=hexadecimal)
writing = pytest.mark.parametrize("function", WRITES, ids=hexadecimal)
sized = pytest.mark.parametrize("size", SIZES)


@pytest.fixture(params=[(size, variant) for size in SIZES for variant in VARIANTS],
                ids=lambda p: f"{p[0]}-{p[1]}")
def pc(request) -> Pc:
    return with_blocks(*request.param)


# ---- Every alignment and count ---------------------------------------------------------


@reading
def test_reads_with_every_alignment_and_count(pc, function):
    for offset in range(per_block(pc)):
        for count in COUNTS:
            lba, address = 800 + offset, BUFFER + count * 3 | 1
            pc.poke(address, b"\xEE" * count * 512)
            assert transfer(pc, function, lba, count, address) == (OK, count)
            assert pc.peek(address, count * 512) == sectors(pc, lba, count)


@writing
def test_writes_with_every_alignment_and_count(pc, function):
    for offset in range(per_block(pc)):
        for count in COUNTS:
            assert Write(pc, 800 + offset, count, count, BUFFER + count * 3 | 1, function).succeeded()


@pytest.mark.parametrize("lba, count", [(0, 127), (1, 127), (3, 128), (5, 200), (8, 1000),
                                        (7, 1000)])
def test_large_ranges(pc, lba, count):
    assert Write(pc, lba, count, count).succeeded()
    check_read(pc, lba, count)


def test_flat_buffers_above_1_mib(pc):
    for offset in range(per_block(pc)):
        for count in (1, 2, 7, 9, 20):
            lba = 800 + offset
            assert Write(pc, lba, count, count, HIGH, flat=HIGH, size=24).succeeded()
            check_read(pc, lba, count, HIGH, flat=HIGH, size=24)


def test_drive_has_512_byte_sectors(pc):
    total = BLOCKS * per_block(pc)
    answer = edd(pc)
    assert (answer.sectors, answer.sector_bytes) == (total, 512)
    kind = pc.int13(changes="ah cx dx", ah=0x15, dl=0x80)
    assert kind.cx << 16 | kind.dx == total
    check_read(pc, total - 3, 3)
    assert Write(pc, total - 3, 3, 1).succeeded()
    for function in (*READS[1:], *WRITES[1:], *VERIFIES[1:]):
        with nothing_sent(pc):
            assert transfer(pc, function, total - 2, 3) == (NOT_FOUND, 0)


@writing
@pytest.mark.parametrize("blocks", [1, 2, 15])
def test_whole_blocks_are_written_without_a_read(pc, function, blocks):
    since, split = len(disk(pc).commands), per_block(pc)
    assert Write(pc, 800, blocks * split, 1, function=function).succeeded()
    assert set(opcodes(disk(pc), since)) == {WRITE10}


def test_write_reads_only_partial_blocks(pc):
    since, split = len(disk(pc).commands), per_block(pc)
    assert Write(pc, 801, 5 * split, 1).succeeded()
    read = [blocks_of(c) for c in disk(pc).commands[since:] if c[0] == READ10]
    assert read == [(800 // split, 1), ((801 + 5 * split) // split, 1)]


@pytest.mark.parametrize("al, opcode", [(0, 0x2A), (1, 0x2A), (2, 0x2E)], ids=hexadecimal)
def test_al_of_43h_applies_to_partial_blocks(pc, al, opcode):
    since = len(disk(pc).commands)
    assert Write(pc, 801, 12, 1, al=al).succeeded()
    assert set(opcodes(disk(pc), since)) == {READ10, opcode}


@pytest.mark.parametrize("lacks", [{0x2E}, {0x2E, 0x2F}], ids=["VERIFY", "READ"])
def test_partial_write_is_verified_without_write_and_verify(pc, lacks):
    disk(pc).unsupported = lacks
    for lba, count in ((800, 1), (801, 12), (807, 2), (803, 5)):
        assert Write(pc, lba, count, count, al=2).succeeded()


def test_medium_changed_within_a_partial_write_is_not_written():
    """The block read from the old medium must not be written to the new one."""
    pc = new_pc("895A", {0: large_disk(4096, removable=True), 3: Disk()})
    target = disk(pc)

    def hook(cdb):
        if cdb[0] != WRITE10:
            return None
        target.status_hook = None
        target.insert()
        return target.execute(cdb)
    target.status_hook = hook
    assert transfer(pc, 0x43, 801, 2) == (0x06, 0)
    assert target.written == {}
    assert Write(pc, 801, 2, 1).succeeded()


@sized
def test_block_size_may_change_with_the_medium(size):
    for first in (512, size):
        pc = new_pc("895A", {0: large_disk(first, removable=True), 3: Disk()})
        for next_size in (size, 512, 4096, first):
            disk(pc).insert(BLOCKS, functools.partial(content, next_size), next_size)
            assert transfer(pc, 0x42, 801, 3) == (0x06, 0)
            check_read(pc, 801, 21)
            assert Write(pc, 801, 21, 1).succeeded()
            assert edd(pc).sectors == BLOCKS * next_size // 512


def test_verify_covers_whole_blocks(pc):
    for offset in range(per_block(pc)):
        for count in (*COUNTS, 127, 128):
            since = len(disk(pc).commands)
            assert transfer(pc, 0x44, 800 + offset, count) == (OK, count)
            verified = [blocks_of(c) for c in disk(pc).commands[since:]]
            assert {VERIFY10} == set(opcodes(disk(pc), since))
            assert ({b for first, n in verified for b in range(first, first + n)}
                    == touched(pc, 800 + offset, count))


def test_verify_reads_whole_blocks_if_verify_is_unsupported(pc):
    disk(pc).unsupported = {VERIFY10}
    since = len(disk(pc).commands)
    assert transfer(pc, 0x44, 803, 20) == (OK, 20)
    read = [blocks_of(c) for c in disk(pc).commands[since:] if c[0] == READ10]
    assert {b for first, n in read for b in range(first, first + n)} == touched(pc, 803, 20)


@pytest.mark.parametrize("function", SEEKS, ids=hexadecimal)
def test_seek_addresses_the_block(pc, function):
    for lba in (0, 1, 7, 8, 15, 16, 999):
        assert transfer(pc, function, lba).status == OK
        assert disk(pc).commands[-1][0] == SEEK10
        assert blocks_of(disk(pc).commands[-1])[0] == lba // per_block(pc)


def test_partition_table_in_a_large_block_sets_the_geometry():
    """The table is in the first 512 bytes."""
    cylinder = 16 * 63
    entry = bytes([0x80, 1, 1, 0, 6, 15, 63, 99]) + (63).to_bytes(4, "little") + (
        100 * cylinder - 63).to_bytes(4, "little")
    mbr = (bytes(446) + entry).ljust(510, b"\0") + b"\x55\xAA"
    for size in SIZES:
        target = large_disk(size)
        target.written[0] = mbr + content(size, 0)[512:]
        answer = edd(new_pc("895A", {0: target}))
        assert (answer.heads, answer.sectors_per_track) == (16, 63)


@pytest.mark.parametrize("hardware", [t for t in HARDWARE if t != "86box"])
@pytest.mark.parametrize("size", [512, *SIZES])
def test_large_blocks_on_all_hardware(hardware, size):
    """86Box is excluded because it has no such disks."""
    pc = new_pc("895A", {0: large_disk(size, HARDWARE[hardware].disk)}, hardware=hardware)
    for offset in range(per_block(pc)):
        for count in (1, 2, 7, 8, 9, 16, 17, 127):
            assert Write(pc, 800 + offset, count, count).succeeded()
            check_read(pc, 800 + offset, count)


# ---- Native blocks -----------------------------------------------------------------------


def native(size: int, file: bytes = b"1") -> Pc:
    return with_blocks(size, fwcfg=FwCfg({NATIVE: file}))


@sized
@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 31, 63, 64, 100])
def test_native_blocks_are_transferred_unchanged(size, count):
    pc, memory = native(size), 0x200000
    data = new_data(count, count * size // 512)
    pc.poke(memory, data)
    for function in (0x43, 0x42, 0x44):
        result = by_packet(pc, function, 5, count, flat=memory, size=24, block_bytes=size)
        assert (result.ah, result.cf) == (OK, False)
        assert pc.peek(memory, len(data)) == data
    assert disk(pc).written == {5 + i: data[i * size:(i + 1) * size] for i in range(count)}
    answer = edd(pc)
    assert (answer.sectors, answer.sector_bytes) == (BLOCKS, size)
    assert transfer(pc, 0x44, BLOCKS - 1, 2) == (NOT_FOUND, 0)


@sized
@pytest.mark.parametrize("count", [1, 3])
def test_native_blocks_with_a_16_byte_packet(size, count):
    """The buffer is a segment and offset, as for 512-byte sectors."""
    pc = native(size)
    data = new_data(count, count * size // 512)
    pc.poke(BUFFER, data)
    assert by_packet(pc, 0x43, 5, count, block_bytes=size).ah == OK
    assert disk(pc).written == {5 + i: data[i * size:(i + 1) * size] for i in range(count)}
    pc.poke(BUFFER, bytes(len(data)))
    assert by_packet(pc, 0x42, 5, count, block_bytes=size).ah == OK
    assert pc.peek(BUFFER, len(data)) == data


@sized
@pytest.mark.parametrize("function", [0x02, 0x03, 0x04, 0x0C, 0x08], ids=hexadecimal)
def test_native_blocks_have_no_chs_functions(size, function):
    pc = native(size)
    with nothing_sent(pc):
        changes = "ah" if function in (0x08, 0x0C) else "ax"
        assert simple_call(pc, function, changes, al=1, ch=0, cl=1, dh=0).ah == BAD_COMMAND


@sized
def test_48h_reports_no_valid_chs_for_native_blocks(size):
    """The geometry would cover every block of this disk."""
    pc = new_pc("895A", {0: large_disk(size, blocks=20480)}, fwcfg=FwCfg({NATIVE: b"1"}))
    assert edd(pc).flags & 2 == 0


def test_native_blocks_switch_does_not_affect_512_byte_blocks():
    pc = native(4096)
    assert edd(pc, 0x81)[5:] == (65536, 512)
    assert transfer(pc, 0x02, 5, 1, drive=0x81) == (OK, 1)


@pytest.mark.parametrize("file", [b"0", b"", b"\0", b"2"], ids=repr)
def test_other_values_disable_native_blocks(file):
    pc = native(2048, file)
    assert edd(pc).sector_bytes == 512
    check_read(pc, 801, 3)


# ---- Unsupported sizes, and memory ---------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 128, 256, 511, 513, 520, 528, 1000, 1536, 3072, 4097,
                                  4160, 8192, 65536, 2**31, 2**32 - 1])
def test_unsupported_block_size_is_reported(size):
    target = Disk()
    target.capacity_data = lambda: (999).to_bytes(4, "big") + size.to_bytes(4, "big")
    pc = new_pc("895A", {0: target, 3: Disk()})
    assert f"ID 0 LUN 0 BENCH STRICT DISK: blocks of {size} bytes are not supported" in pc.text
    assert "80h: SCSI 00:04.0 ID 3" in pc.text and "81h" not in pc.text
    assert READ10 not in opcodes(target)
    check_80h_works(pc)


def check_80h_works(pc: Pc) -> None:
    assert transfer(pc, 0x42, 77, 1) == (OK, 1)
    assert pc.peek(BUFFER, 512) == Disk().block(77)


@pytest.mark.parametrize("pmm", ["1.01", "1.00", "absent", "refusing"])
def test_block_buffer_is_kept_only_if_needed(pmm):
    def boot(*disks: Disk) -> Pc:
        return new_pc("895A", dict(enumerate(disks)), bios=Bios(pmm=pmm))
    small = boot(Disk(), Disk())
    for disks in ([large_disk(4096)], [Disk(), large_disk(1024)], [large_disk(2048)] * 2):
        large = boot(*disks)
        assert kept_bytes(large) - kept_bytes(small) == 4096
        assert all(block.permanent for block in large.bios.memory.blocks), "temporary memory is freed"
        assert transfer(large, 0x42, 803, 5) == (OK, 5)
    refused = Disk()
    refused.capacity_data = lambda: (999).to_bytes(4, "big") + (520).to_bytes(4, "big")
    assert kept_bytes(boot(Disk(), refused)) == kept_bytes(small)

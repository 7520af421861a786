# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Writes and verifies in QEMU, with the image file compared on the host after
each call; large disks, flat buffers, blocks larger than 512 bytes (ring 2).
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import pytest

from tests.qemu.calls import (BAD_COMMAND, BOUNDARY, CONTROLLER, DRIVE, HIGH, NOT_FOUND,
                              NO_SEGMENT, OK, PIECE, SECTOR, WRITE_PROTECTED, Image, bench, block,
                              written_disk)

pytestmark = pytest.mark.qemu("writes, verifies, large blocks")

IMAGE_SECTORS = 8192  # 4 cylinders of 64 heads and 32 sectors
PATHS = ["microvm", "c810"]


@pytest.fixture(scope="module", params=PATHS)
def pc(request, agent_rom, tmp_path_factory):
    """One boot for all calls of a path; the image keeps the written data."""
    directory = tmp_path_factory.mktemp("writes")
    image = Image.of_pattern(directory / "disk.img", IMAGE_SECTORS)
    with bench(agent_rom, request.param, directory, *written_disk(image.file), image=image) as pc:
        yield pc


def odd_address(count: int) -> int:
    """An odd address near BUFFER; most such buffers cross a 64 KiB boundary."""
    return 0x10000 + (count * 1019 | 1)


def lba_for(count: int) -> int:
    return count * 401 % (IMAGE_SECTORS - 1100) + 1


# ---- Writing -----------------------------------------------------------------


@pytest.mark.parametrize("how", ["chs", "packet", "packet-verified", "packet-flag"])
def test_write_of_every_count_up_to_127_changes_only_its_sectors(pc, how):
    al = {"packet-verified": 2, "packet-flag": 1}.get(how, 0)
    for count in range(1, 128):
        lba, address, data = lba_for(count), odd_address(count), block(count << 8 | al, count)
        pc.put(address, data)
        pc.image.expect(lba, data)
        if how == "chs":
            assert pc.expect(pc.chs(0x03, lba, count, address), OK).al == count
        else:
            pc.expect(pc.edd(0x43, lba, count, address, al), OK)
            assert pc.count() == count
        pc.image.check()
        pc.check_memory(address, data)


@pytest.mark.parametrize("al", [0, 1, 2])
@pytest.mark.parametrize("count", [128, 254, 256, 1000])
def test_packet_write_larger_than_one_command_succeeds(pc, count, al):
    data = block(0xB16 << 16 | count | al << 12, count)
    pc.put(0x10001, data)
    pc.image.expect(77, data)
    pc.expect(pc.edd(0x43, 77, count, 0x10001, al), OK)
    assert pc.count() == count
    pc.image.check()


def test_chs_write_of_128_sectors_crosses_tracks_and_cylinders(pc):
    lba, data = 3 * 2048 - 60, block(0x128, 128)
    pc.put(0x10001, data)
    pc.image.expect(lba, data)
    assert pc.expect(pc.chs(0x03, lba, 128, 0x10001), OK).al == 128
    pc.image.check()


@pytest.mark.parametrize("lba", [0, IMAGE_SECTORS - 1])
def test_first_and_last_sector_are_writable(pc, lba):
    for function, call in [(0x03, pc.chs), (0x43, pc.edd)]:
        data = block(function << 16 | lba)
        pc.put(0x20001, data)
        pc.image.expect(lba, data)
        pc.expect(call(function, lba, 1, 0x20001), OK)
        pc.image.check()


def test_written_data_is_read_back(pc):
    data = block(0xBAC, 100)
    pc.put(0x10003, data)
    pc.image.expect(5000, data)
    pc.expect(pc.edd(0x43, 5000, 100, 0x10003), OK)
    pc.put(0x30005, bytes(len(data)))
    pc.expect(pc.chs(0x02, 5000, 100, 0x30005), OK)
    pc.check_memory(0x30005, data)


# ---- Verifying ---------------------------------------------------------------


def test_verify_of_every_count_up_to_127_transfers_nothing(pc):
    for count in range(1, 128):
        address = odd_address(count)
        pc.put(address, bytes(count))
        assert pc.expect(pc.chs(0x04, lba_for(count), count, address), OK).al == count
        pc.expect(pc.edd(0x44, lba_for(count), count, address), OK)
        assert pc.count() == count
        pc.check_memory(address, bytes(count))
    pc.image.check()


def test_44h_and_47h_ignore_buffer_address(pc):
    nowhere = 0xFFFFF  # a read to this address would be refused
    for function in (0x44, 0x47):
        pc.expect(pc.edd(function, 1, 1000, nowhere), OK)
        assert pc.count() == 1000
    assert pc.edd(0x43, 1, 1000, nowhere).ah == BOUNDARY
    pc.image.check()


# ---- Refused calls write nothing -------------------------------------------------


@pytest.mark.parametrize("function, lba, count, address, al, status", [
    (0x43, IMAGE_SECTORS, 1, 0x10001, 0, NOT_FOUND),
    (0x43, IMAGE_SECTORS - 1, 2, 0x10001, 0, NOT_FOUND),
    (0x43, IMAGE_SECTORS - 200, 201, 0x10001, 0, NOT_FOUND),
    (0x43, 1 << 32, 1, 0x10001, 0, NOT_FOUND),
    (0x43, 1 << 63, 1, 0x10001, 0, NOT_FOUND),
    (0x43, 1, 1, 0x10001, 3, BAD_COMMAND),
    (0x43, 1, 1, 0x10001, 0xFF, BAD_COMMAND),
    (0x43, 1, 2000, 0xFFFF0, 0, BOUNDARY),
    (0x44, IMAGE_SECTORS - 1, 2, 0x10001, 0, NOT_FOUND),
    (0x47, IMAGE_SECTORS, 1, 0x10001, 0, NOT_FOUND)])
def test_refused_packet_writes_nothing(pc, function, lba, count, address, al, status):
    pc.put(0x10001, block(0xBAD, 201))
    pc.expect(pc.edd(function, lba, count, address, al), status)
    assert pc.count() == (count if function == 0x47 or status == BAD_COMMAND else 0)
    pc.image.check()


@pytest.mark.parametrize("lba, count, status", [
    (0, 0, BAD_COMMAND), (0, 129, BAD_COMMAND), (0, 255, BAD_COMMAND),
    (IMAGE_SECTORS, 1, NOT_FOUND), (IMAGE_SECTORS - 1, 2, NOT_FOUND),
    (IMAGE_SECTORS - 127, 128, NOT_FOUND)])
def test_refused_chs_call_writes_nothing(pc, lba, count, status):
    pc.put(0x10001, block(0xBAD, 129))
    for function in (0x03, 0x04):
        assert pc.expect(pc.chs(function, lba, count, 0x10001), status).al == 0
    pc.image.check()


def test_43h_of_0_sectors_succeeds_and_writes_nothing(pc):
    for function in (0x43, 0x44):
        pc.expect(pc.edd(function, 5, 0), OK)
        assert pc.count() == 0
    pc.image.check()


def test_format_functions_are_refused(pc):
    for function in (0x05, 0x06, 0x07):
        pc.put(0x10001, block(0xF0, 32))
        pc.expect(pc.agent.int13(ah=function, al=1, dl=DRIVE, ch=1, cl=1, dh=1, es=0x1000, bx=1),
                  BAD_COMMAND)
    pc.image.check()


# ---- Failing writes ----------------------------------------------------------------

EIO, ENOSPC, EDOM, EBADE, ENODATA, EREMOTEIO = 5, 28, 33, 52, 61, 121
WRITE_FAULT, RESERVED = 0xCC, 0xB3


def blkdebug(image: Image, error: dict[str, object], writes_before: int = 0,
             extra: str = "") -> list[str]:
    """A disk with QEMU's blkdebug, whose state counts the writes."""
    options = [f"file.inject-error.0.{key}={value}" for key, value in error.items()]
    for i in range(writes_before):
        step = {"event": "write_aio", "state": i + 1, "new_state": i + 2}
        options += [f"file.set-state.{i}.{key}={value}" for key, value in step.items()]
    return written_disk(f"blkdebug::{image.file}", 0, ",werror=report" + extra,
                        ",".join(["format=raw", *options]))


def nth_write_fails(image: Image, nth: int, errno: int) -> list[str]:
    return blkdebug(image, {"event": "write_aio", "state": nth, "errno": errno,
                            "iotype": "write", "once": "on"}, nth - 1)


def sector_fails(image: Image, sector: int, errno: int) -> list[str]:
    """A disk on which every write of this sector fails."""
    return blkdebug(image, {"event": "none", "errno": errno, "iotype": "write", "sector": sector})


@pytest.fixture
def image(tmp_path):
    return Image.of_pattern(tmp_path / "disk.img", 4096)


def write_300(pc, al: int):
    pc.put(0x10001, block(0x300, 300))
    return pc.edd(0x43, 100, 300, 0x10001, al)


@pytest.mark.parametrize("al", [0, 2])
@pytest.mark.parametrize("errno, status", [
    (ENODATA, WRITE_FAULT), (ENOSPC, WRITE_PROTECTED), (EBADE, RESERVED)],
    ids=["medium-error", "data-protect", "reserved"])
@pytest.mark.parametrize("nth", [1, 2, 3])
def test_failing_write_returns_count_of_sectors_before_it(
        agent_rom, tmp_path, image, nth, errno, status, al):
    """300 sectors take three commands."""
    arguments = nth_write_fails(image, nth, errno)
    with bench(agent_rom, "microvm", tmp_path, *arguments, image=image) as pc:
        pc.expect(write_300(pc, al), status)
        good = PIECE * (nth - 1)
        assert pc.count() == good
        image.expect(100, block(0x300, 300)[:good * SECTOR])
        image.check()
        pc.expect(write_300(pc, al), OK)
        assert pc.count() == 300
        image.expect(100, block(0x300, 300))
        image.check()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("errno, status", [
    (ENODATA, WRITE_FAULT), (EIO, CONTROLLER), (EREMOTEIO, CONTROLLER)],
    ids=["medium-error", "aborted", "hardware-error"])
def test_unwritable_sector_returns_its_status_each_time(
        agent_rom, tmp_path, image, path, errno, status):
    bad = 100 + PIECE + 5  # in the second command
    with bench(agent_rom, path, tmp_path, *sector_fails(image, bad, errno), image=image) as pc:
        image.expect(100, block(0x300, PIECE))
        for _ in range(2):
            pc.expect(write_300(pc, 0), status)
            assert pc.count() == PIECE
            image.check()
        pc.put(0x10001, block(0x128, 128))
        assert pc.expect(pc.chs(0x03, bad - PIECE, 128, 0x10001), status).al == PIECE
        image.expect(bad - PIECE, block(0x128, PIECE))
        image.check()
        pc.expect(pc.edd(0x42, 0, 8), OK)
        pc.expect(pc.edd(0x43, bad + 1, 1), OK)


@pytest.mark.parametrize("errno", [EIO, EREMOTEIO, EDOM],
                         ids=["aborted", "hardware-error", "queue-full"])
def test_write_that_fails_once_is_retried(
        agent_rom, tmp_path, image, errno):
    arguments = nth_write_fails(image, 2, errno)
    with bench(agent_rom, "microvm", tmp_path, *arguments, image=image) as pc:
        pc.expect(write_300(pc, 0), OK)
        assert pc.count() == 300
        image.expect(100, block(0x300, 300))
        image.check()


@pytest.mark.parametrize("path", PATHS)
def test_read_only_disk_reads_but_returns_write_protected(agent_rom, tmp_path, image, path):
    arguments = written_disk(image.file, drive="format=raw,readonly=on")
    with bench(agent_rom, path, tmp_path, *arguments, image=image) as pc:
        pc.put(0x10001, block(7, 3))
        assert pc.expect(pc.chs(0x03, 9, 3, 0x10001), WRITE_PROTECTED).al == 0
        for al in (0, 1, 2):
            pc.expect(pc.edd(0x43, 9, 3, 0x10001, al), WRITE_PROTECTED)
            assert pc.count() == 0
        pc.expect(pc.edd(0x44, 9, 3), OK)
        pc.expect(pc.edd(0x42, 9, 3, 0x10001), OK)
        pc.check_memory(0x10001, image.content(9, 3))
        image.check()


# ---- Flat buffers and 32-bit counts ----------------------------------------------------

MEMORY_END = 1 << 32


@pytest.mark.parametrize("address", [0x10001, 0x100401, 0x10FFF1, HIGH, 0x2FFFFF, 0xFFFF01, 0x2000003],
                         ids=lambda value: f"{value:x}")
def test_flat_buffer_is_read_and_written(pc, address):
    for count in (1, 2, 127, 128, 300):
        data = block(address, count)
        pc.put(address, data)
        pc.image.expect(900, data)
        pc.expect(pc.flat(0x43, 900, count, address, al=count & 1), OK)
        assert pc.count() == count
        pc.image.check()
        pc.put(address, bytes(len(data)))
        pc.expect(pc.flat(0x42, 900, count, address), OK)
        assert pc.count() == count
        pc.check_memory(address, data)


@pytest.mark.parametrize("count", [0, 1, 127, 128, 255, 256, 1000, 8000])
def test_32_bit_count_is_read_and_written(pc, count):
    data = block(0x32B17, count)
    pc.put(HIGH, data)
    pc.image.expect(11, data)
    for function in (0x43, 0x44, 0x47):
        pc.expect(pc.long(function, 11, count, HIGH), OK)
        assert pc.long_count() == count
        pc.image.check()
    pc.put(HIGH, bytes(len(data)))
    pc.expect(pc.long(0x42, 11, count, HIGH), OK)
    assert pc.long_count() == count
    pc.check_memory(HIGH, data)


@pytest.mark.parametrize("address, count, status", [
    (MEMORY_END, 1, BOUNDARY), (MEMORY_END - 511, 1, BOUNDARY), (MEMORY_END - 512, 2, BOUNDARY),
    (1 << 63, 1, BOUNDARY), ((1 << 32) + HIGH, 1, BOUNDARY), ((1 << 64) - 512, 1, BOUNDARY)],
    ids=lambda value: f"{value:x}")
@pytest.mark.parametrize("function", [0x42, 0x43], ids=["read", "write"])
def test_flat_buffer_past_4_gib_is_refused(pc, function, address, count, status):
    pc.put(HIGH, bytes(1024))
    pc.expect(pc.flat(function, 5, count, address), status)
    assert pc.count() == 0
    pc.expect(pc.long(function, 5, count, address), status)
    assert pc.long_count() == 0
    pc.check_memory(HIGH, bytes(1024))
    pc.image.check()


@pytest.mark.parametrize("function, size, count, buffer", [
    (0x42, 16, 1, NO_SEGMENT), (0x43, 23, 1, NO_SEGMENT),
    (0x42, 16, 0xFF, 0x1000_0000), (0x43, 24, 0xFF, NO_SEGMENT), (0x42, 31, 0xFF, NO_SEGMENT),
    (0x44, 24, 0xFF, NO_SEGMENT), (0x47, 31, 0xFF, NO_SEGMENT)])
def test_packet_too_short_for_its_form_is_refused(pc, function, size, count, buffer):
    packet = struct.pack("<BBHIQQII", size, 0, count, buffer, 5, HIGH, 1, 0)
    pc.put(HIGH, bytes(1024))
    pc.expect(pc.packet(function, 0, DRIVE, packet), BAD_COMMAND)
    pc.check_memory(HIGH, bytes(1024))
    pc.image.check()


# ---- More than 2 TiB -----------------------------------------------------------------------

TERABYTES_3 = 3 << 40
LAST = TERABYTES_3 // SECTOR - 1
TWO_32 = 1 << 32
LARGE_PLACES = [
    (TWO_32 - 127, 127), (TWO_32 - 1, 1), (TWO_32 - 1, 2), (TWO_32 - 100, 200), (TWO_32, 1),
    (TWO_32 + 1, 127), (TWO_32 - 300, 1000), (0x123456789, 128), (LAST - 126, 127), (LAST, 1)]


@pytest.fixture
def large_disk(tmp_path) -> Path:
    image = tmp_path / "large.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", image, str(TERABYTES_3)], check=True)
    return image


def large_bench(agent_rom, path, directory, image):
    return bench(agent_rom, path, directory, *written_disk(image, drive="format=qcow2"))


def qcow2_sectors(image: Path, lba: int, count: int) -> bytes:
    """Sectors of the image, read by qemu-img after the machine has closed it."""
    out = image.with_suffix(".part")
    subprocess.run(["qemu-img", "dd", "-f", "qcow2", "-O", "raw", "bs=512", f"skip={lba}",
                    f"count={lba + count}", f"if={image}", f"of={out}"], check=True)
    return out.read_bytes()


@pytest.mark.parametrize("path", PATHS)
def test_3_tib_disk_reads_and_writes_around_lba_2_to_32(
        agent_rom, tmp_path, large_disk, path):
    expected = {}
    with large_bench(agent_rom, path, tmp_path, large_disk) as pc:
        for lba, count in LARGE_PLACES:
            for al in (0, 2):
                data = block(lba & 0xFFFFFFF0 | al, count)
                pc.put(0x10001, data)
                pc.expect(pc.edd(0x43, lba, count, 0x10001, al), OK)
                pc.put(0x10001, bytes(len(data)))
                pc.expect(pc.edd(0x42, lba, count, 0x10001), OK)
                assert pc.count() == count
                pc.check_memory(0x10001, data)
            expected |= {lba + i: data[i * SECTOR:(i + 1) * SECTOR] for i in range(count)}
        pc.machine.qmp("quit")
        pc.machine.process.wait()
    for lba, count in LARGE_PLACES:
        found = qcow2_sectors(large_disk, lba, count)
        assert found == b"".join(expected[lba + i] for i in range(count)), f"LBA {lba:x}"


@pytest.mark.parametrize("path", PATHS)
def test_3_tib_disk_reports_its_size_and_verifies_to_its_end(
        agent_rom, tmp_path, large_disk, path):
    with large_bench(agent_rom, path, tmp_path, large_disk) as pc:
        flags, _, heads, spt, sectors, size = struct.unpack_from("<HIIIQH", pc.parameters(), 2)
        assert (sectors, size, flags & 2) == (LAST + 1, SECTOR, 0)
        assert (heads, spt) == (255, 63)
        registers = pc.agent.int13("ah cx dx", ah=0x15, dl=DRIVE)
        assert (registers.ah, registers.cx << 16 | registers.dx) == (3, 0xFFFFFFFF)
        registers = pc.agent.int13("ax bl cx dx", ah=0x08, dl=DRIVE)
        assert (registers.cx, registers.dh) == (0xFFFF, 254)
        for function in (0x44, 0x47):
            for lba, count in LARGE_PLACES:
                pc.expect(pc.edd(function, lba, count), OK)
        for function in (0x42, 0x43, 0x44, 0x47):
            for lba in (LAST + 1, LAST + TWO_32, (1 << 64) - 1):
                pc.expect(pc.edd(function, lba, 1), NOT_FOUND)
        for function in (0x42, 0x43, 0x44):
            pc.expect(pc.edd(function, LAST, 2), NOT_FOUND)


def test_transfer_of_4_gib_or_more_is_refused(agent_rom, tmp_path, large_disk):
    with large_bench(agent_rom, "microvm", tmp_path, large_disk) as pc:
        for count in (0x800001, 0x1000000, 0xFFFFFFFF):
            pc.put(HIGH, bytes(1024))
            pc.expect(pc.long(0x42, 0, count, HIGH), BOUNDARY)
            assert pc.long_count() == 0
            pc.check_memory(HIGH, bytes(1024))


# ---- Blocks larger than 512 bytes -------------------------------------------------------------

def block_size(size: int) -> str:
    return f",logical_block_size={size},physical_block_size={size}"


BLOCK_IMAGE_SECTORS = 4096


@pytest.fixture(scope="module", params=[("microvm", 4096), ("c810", 4096), ("microvm", 2048),
                                        ("microvm", 1024)], ids=lambda p: f"{p[0]}-{p[1]}")
def big_blocks(request, agent_rom, tmp_path_factory):
    path, size = request.param
    directory = tmp_path_factory.mktemp("blocks")
    image = Image.of_pattern(directory / "disk.img", BLOCK_IMAGE_SECTORS)
    disk = written_disk(image.file, extra=block_size(size))
    with bench(agent_rom, path, directory, *disk, image=image) as pc:
        yield pc


@pytest.mark.parametrize("how", ["chs", "packet", "packet-verified"])
def test_large_blocks_transfer_at_every_alignment_and_count(big_blocks, how):
    pc = big_blocks
    for alignment in range(8):
        for count in range(1, 18):
            lba, data = 2000 + alignment, block(0x4B << 16 | alignment << 8 | count, count)
            pc.put(0x1FFF1, data)
            pc.image.expect(lba, data)
            write = (pc.chs(0x03, lba, count, 0x1FFF1) if how == "chs" else
                     pc.edd(0x43, lba, count, 0x1FFF1, 2 if how == "packet-verified" else 0))
            pc.expect(write, OK)
            assert (write.al if how == "chs" else pc.count()) == count
            pc.image.check()
            pc.put(0x2FFF3, bytes(len(data)))
            read = (pc.chs(0x02, lba, count, 0x2FFF3) if how == "chs"
                    else pc.edd(0x42, lba, count, 0x2FFF3))
            pc.expect(read, OK)
            pc.check_memory(0x2FFF3, data)


@pytest.mark.parametrize("lba, count", [(0, 1), (1, 127), (7, 128), (3, 1000), (9, 0),
                                        (BLOCK_IMAGE_SECTORS - 1, 1), (BLOCK_IMAGE_SECTORS - 300, 300)])
def test_large_blocks_transfer_any_range(big_blocks, lba, count):
    pc = big_blocks
    data = block(0x4A << 16 | lba, count)
    pc.put(0x10005, data)
    pc.image.expect(lba, data)
    pc.expect(pc.edd(0x43, lba, count, 0x10005), OK)
    pc.image.check()
    pc.expect(pc.edd(0x44, lba, count, 0x10005), OK)
    pc.check_memory(0x10005, data)
    pc.put(0x10005, bytes(len(data)))
    pc.expect(pc.edd(0x42, lba, count, 0x10005), OK)
    assert pc.count() == count
    pc.check_memory(0x10005, data)


def test_disk_with_large_blocks_reports_512_byte_sectors(big_blocks):
    sectors, size = struct.unpack_from("<QH", big_blocks.parameters(), 0x10)
    assert (sectors, size) == (BLOCK_IMAGE_SECTORS, SECTOR)
    registers = big_blocks.agent.int13("ah cx dx", ah=0x15, dl=DRIVE)
    assert registers.cx << 16 | registers.dx == BLOCK_IMAGE_SECTORS
    registers = big_blocks.agent.int13("ax bl cx dx", ah=0x08, dl=DRIVE)
    assert (registers.ch, registers.cl, registers.dh) == (BLOCK_IMAGE_SECTORS // 2048 - 1, 32, 63)


def test_access_past_end_of_disk_with_large_blocks_returns_04h(big_blocks):
    pc = big_blocks
    for function in (0x42, 0x43, 0x44):
        for before_end, count in [(0, 1), (1, 2), (8, 9)]:
            lba = BLOCK_IMAGE_SECTORS - before_end
            pc.put(0x10001, block(0xE0D, count))
            pc.expect(pc.edd(function, lba, count, 0x10001), NOT_FOUND)
            pc.check_memory(0x10001, block(0xE0D, count))
    pc.image.check()


@pytest.mark.parametrize("lba, count, bad, good", [
    (4001, 2, 4000, 0), (4004, 12, 4000, 0), (4004, 13, 4016, 12), (4000, 9, 4008, 8)],
    ids=["within-a-block", "head", "tail-after-head", "tail-after-block"])
@pytest.mark.parametrize("iotype", ["read", "write"])
def test_failed_read_modify_write_leaves_block_unchanged(
        agent_rom, tmp_path, image, iotype, lba, count, bad, good):
    error = {"event": "none", "errno": ENODATA, "iotype": iotype, "sector": bad}
    arguments = blkdebug(image, error, extra=block_size(4096))
    with bench(agent_rom, "microvm", tmp_path, *arguments, image=image) as pc:
        data = block(0xFA1, count)
        pc.put(0x10001, data)
        pc.expect(pc.edd(0x43, lba, count, 0x10001), WRITE_FAULT if iotype == "write" else 0x10)
        assert pc.count() <= good
        image.expect(lba, data[:pc.count() * SECTOR])
        image.check()
        pc.put(0x10001, block(0x600D, 3))
        pc.expect(pc.edd(0x43, 100, 3, 0x10001), OK)
        image.expect(100, block(0x600D, 3))
        image.check()


# ---- The switch native-blocks -----------------------------------------------------------------

NATIVE = ["-fw_cfg", "name=opt/lsi8xx-rom/native-blocks,string=1"]


@pytest.fixture(scope="module")
def native(agent_rom, tmp_path_factory):
    """A disk with native 4096-byte blocks, and one with 512-byte blocks."""
    directory = tmp_path_factory.mktemp("native")
    image = Image.of_pattern(directory / "disk.img", IMAGE_SECTORS)
    other = Image.of_pattern(directory / "other.img", 4096)
    disks = [*written_disk(image.file, 0, block_size(4096)), *written_disk(other.file, 1)]
    with bench(agent_rom, "microvm", directory, *NATIVE, *disks, image=image) as pc:
        yield pc


def test_48h_reports_native_blocks(native):
    sectors, size = struct.unpack_from("<QH", native.parameters(), 0x10)
    assert (sectors, size) == (IMAGE_SECTORS // 8, 4096)
    assert struct.unpack_from("<QH", native.parameters(drive=0x81), 0x10) == (4096, SECTOR)


@pytest.mark.parametrize("lba, count", [(0, 1), (1, 16), (5, 17), (899, 100), (1023, 1)])
def test_packets_count_native_blocks(native, lba, count):
    pc, data = native, block(0x4A7 << 16 | lba, count * 8)
    pc.put(0x10001, data)
    pc.image.expect(lba * 8, data)
    pc.expect(pc.edd(0x43, lba, count, 0x10001), OK)
    assert pc.count() == count
    pc.image.check()
    pc.put(0x10001, bytes(len(data)))
    pc.expect(pc.edd(0x42, lba, count, 0x10001), OK)
    assert pc.count() == count
    pc.check_memory(0x10001, data)
    pc.expect(pc.edd(0x44, lba, count), OK)


def test_chs_functions_are_refused_with_native_blocks(native):
    for function in (0x02, 0x03, 0x04, 0x0C):
        native.expect(native.chs(function, 0, 1), BAD_COMMAND)
    native.expect(native.agent.int13("ax bl cx dx", ah=0x08, dl=DRIVE), BAD_COMMAND)
    native.expect(native.chs(0x02, 0, 1, drive=0x81), OK)
    native.image.check()


def test_access_past_end_in_native_blocks_returns_04h(native):
    blocks = native.image.sectors // 8
    for function in (0x42, 0x43, 0x44):
        for lba, count in [(blocks, 1), (blocks - 1, 2)]:
            native.expect(native.edd(function, lba, count), NOT_FOUND)
    native.expect(native.edd(0x47, blocks - 1, 1), OK)
    native.expect(native.edd(0x47, blocks, 1), NOT_FOUND)
    native.image.check()


def test_native_blocks_0_keeps_512_byte_sectors(agent_rom, tmp_path, image):
    switch = ["-fw_cfg", "name=opt/lsi8xx-rom/native-blocks,string=0"]
    disk = written_disk(image.file, extra=block_size(4096))
    with bench(agent_rom, "microvm", tmp_path, *switch, *disk, image=image) as pc:
        assert struct.unpack_from("<QH", pc.parameters(), 0x10) == (4096, SECTOR)

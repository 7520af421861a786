# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Single INT 13h calls on each boot path (ring 2). Agent.int13() checks the
rules for every call: registers, flags, the caller's stack.
"""

from __future__ import annotations

import struct

import pytest

from tests.conftest import PATTERN_SECTORS
from tests.qemu import agent as agent_module
from tests.qemu.agent import BUFFER, PACKET
from tests.qemu.machine import PATHS, Machine, disk_arguments

pytestmark = pytest.mark.qemu("INT 13h, single calls")

OK, BAD_COMMAND, NOT_FOUND, BOUNDARY = 0x00, 0x01, 0x04, 0x09

DRIVE = 0x80
HEADS, SECTORS = 64, 32  # up to 1 GiB, without a partition table
CYLINDERS = PATTERN_SECTORS // HEADS // SECTORS

GUARD = 512  # guard bytes on both sides of a buffer
FILL = 0x5A


@pytest.fixture(scope="module", params=["microvm", "fwcfg", "c810", "nolsi"])
def pc(request, agent_rom, pattern_disk):
    """One boot for all calls of a path."""
    with Machine(PATHS[request.param], *disk_arguments(pattern_disk, 0),
                 with_agent=agent_rom) as machine:
        yield agent_module.Agent(machine)


def expect(pc, registers, status: int) -> None:
    """AH, carry and 40:74h all report this status."""
    assert registers.ah == status
    assert registers.cf == (status != OK)
    assert pc.last_status() == status


def prepare_buffer(pc, address: int, length: int) -> None:
    pc.fill(address - GUARD, length + 2 * GUARD, FILL)


def check_buffer(pc, address: int, data: bytes) -> None:
    found = pc.machine.read_memory(address - GUARD, len(data) + 2 * GUARD)
    guard = bytes([FILL]) * GUARD
    assert found[:GUARD] == guard, "written before the buffer"
    assert found[-GUARD:] == guard, "written after the buffer"
    assert found[GUARD:-GUARD] == data


def sectors(pattern: bytes, lba: int, count: int) -> bytes:
    return pattern[lba * 512:(lba + count) * 512]


# ---- Reading ---------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 7, 8, 63, 64, 127, 128])
def test_chs_read_returns_sectors_of_image(pc, pattern, count):
    for cylinder, head, sector in [(0, 0, 1), (0, 63, 32), (3, 5, 7), (CYLINDERS - 2, 1, 32)]:
        lba = (cylinder * HEADS + head) * SECTORS + sector - 1
        prepare_buffer(pc, BUFFER, count * 512)
        registers = pc.read_chs(DRIVE, cylinder, head, sector, count)
        expect(pc, registers, OK)
        assert registers.al == count
        check_buffer(pc, BUFFER, sectors(pattern, lba, count))


def test_02h_and_42h_read_every_count_up_to_127(pc, pattern):
    for count in range(1, 128):
        lba = count * 401 % (PATTERN_SECTORS - 128)
        cylinder, rest = divmod(lba, HEADS * SECTORS)
        registers = pc.read_chs(DRIVE, cylinder, rest // SECTORS, rest % SECTORS + 1, count)
        assert (registers.ah, registers.al) == (OK, count)
        data = sectors(pattern, lba, count)
        assert pc.machine.read_memory(BUFFER, len(data)) == data
        pc.fill(BUFFER, 512, FILL)
        expect(pc, pc.read_lba(DRIVE, lba, count), OK)
        assert pc.packet_count() == count
        assert pc.machine.read_memory(BUFFER, len(data)) == data


@pytest.mark.parametrize("lba, count", [
    (0, 1), (1, 1), (63, 9), (12345, 100), (40000, 127), (40001, 128), (20000, 254), (7, 1000),
    (PATTERN_SECTORS - 1, 1), (PATTERN_SECTORS - 127, 127)])
def test_packet_read_returns_sectors_of_image(pc, pattern, lba, count):
    prepare_buffer(pc, BUFFER, count * 512)
    expect(pc, pc.read_lba(DRIVE, lba, count), OK)
    assert pc.packet_count() == count
    check_buffer(pc, BUFFER, sectors(pattern, lba, count))


@pytest.mark.parametrize("segment, offset", [
    (0x1000, 0x0001), (0x1000, 0x0003), (0x1234, 0x5678), (0x1F00, 0x0FFF), (0x2FFF, 0xFFFF),
    (0x1FF0, 0x00F1), (0x3000, 0xFE01), (0xFFFF, 0x0230)],
    ids=lambda value: f"{value:04x}")
def test_read_to_any_alignment_and_across_64k_boundary(pc, pattern, segment, offset):
    address = segment * 16 + offset
    for count in (1, 3, 40):
        prepare_buffer(pc, address, count * 512)
        expect(pc, pc.read_lba(DRIVE, 777, count, segment, offset), OK)
        check_buffer(pc, address, sectors(pattern, 777, count))
        prepare_buffer(pc, address, count * 512)
        expect(pc, pc.read_chs(DRIVE, 1, 2, 3, count, segment, offset), OK)
        check_buffer(pc, address, sectors(pattern, (HEADS + 2) * SECTORS + 2, count))


def test_chs_read_crosses_tracks_and_cylinders(pc, pattern):
    expect(pc, pc.read_chs(DRIVE, 4, HEADS - 1, SECTORS, 2), OK)
    assert pc.read(BUFFER, 1024) == sectors(pattern, 5 * HEADS * SECTORS - 1, 2)


def test_packets_larger_than_16_bytes_are_accepted(pc, pattern):
    for size in (16, 17, 24, 32, 255):
        pc.fill(BUFFER, 512, FILL)
        expect(pc, pc.read_lba(DRIVE, 99, 1, size=size), OK)
        assert pc.read(BUFFER, 512) == sectors(pattern, 99, 1)


def test_packet_may_wrap_at_end_of_segment(pc, pattern):
    packet = struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, 1234)
    pc.write(0x30000 + 0xFFF8, packet)
    expect(pc, pc.int13(ah=0x42, dl=DRIVE, ds=0x3000, si=0xFFF8), OK)
    assert pc.read(BUFFER, 512) == sectors(pattern, 1234, 1)


def test_read_of_0_blocks_succeeds_and_transfers_nothing(pc):
    pc.fill(BUFFER, 512, FILL)
    expect(pc, pc.read_lba(DRIVE, 0, 0), OK)
    assert pc.read(BUFFER, 512) == bytes([FILL]) * 512


# ---- Invalid arguments -------------------------------------------------------


@pytest.mark.parametrize("cylinder, head, sector, count, status", [
    (0, 0, 1, 0, BAD_COMMAND), (0, 0, 1, 129, BAD_COMMAND), (0, 0, 1, 255, BAD_COMMAND),
    (0, 0, 0, 1, NOT_FOUND), (0, 0, SECTORS + 1, 1, NOT_FOUND), (0, HEADS, 1, 1, NOT_FOUND),
    (0, 255, 1, 1, NOT_FOUND), (CYLINDERS, 0, 1, 1, NOT_FOUND), (1023, 0, 1, 1, NOT_FOUND),
    (CYLINDERS - 1, HEADS - 1, SECTORS, 2, NOT_FOUND)])
def test_invalid_chs_arguments_are_refused_and_nothing_is_read(
        pc, cylinder, head, sector, count, status):
    prepare_buffer(pc, BUFFER, 1024)
    registers = pc.read_chs(DRIVE, cylinder, head, sector, count)
    expect(pc, registers, status)
    assert registers.al == 0
    check_buffer(pc, BUFFER, bytes([FILL]) * 1024)


@pytest.mark.parametrize("lba, count, segment, offset, size, status", [
    (PATTERN_SECTORS, 1, 0x1000, 0, 16, NOT_FOUND),
    (PATTERN_SECTORS - 1, 2, 0x1000, 0, 16, NOT_FOUND),
    (0, 0xFFFF, 0x1000, 0, 16, BOUNDARY),
    (0xFFFFFFFF, 1, 0x1000, 0, 16, NOT_FOUND),
    (0xFFFFFFFF, 0xFFFF, 0x1000, 0, 16, NOT_FOUND),
    (1 << 32, 1, 0x1000, 0, 16, NOT_FOUND),
    (1 << 63, 1, 0x1000, 0, 16, NOT_FOUND),
    (0, 1, 0xFFFF, 0xFFF0, 16, BOUNDARY),
    (0, 128, 0xFFFF, 0x0010, 16, BOUNDARY),
    (0, 1, 0x1000, 0, 0, BAD_COMMAND), (0, 1, 0x1000, 0, 15, BAD_COMMAND)])
def test_invalid_packets_are_refused_and_nothing_is_read(
        pc, lba, count, segment, offset, size, status):
    prepare_buffer(pc, BUFFER, 1024)
    expect(pc, pc.read_lba(DRIVE, lba, count, segment, offset, size), status)
    check_buffer(pc, BUFFER, bytes([FILL]) * 1024)
    if status != BAD_COMMAND:
        assert pc.packet_count() == 0


@pytest.mark.parametrize("size", [16, 23])
def test_packet_too_short_for_flat_address_is_refused(pc, size):
    pc.write(PACKET, struct.pack("<BBHIQQ", size, 0, 1, 0xFFFFFFFF, 0, BUFFER))
    expect(pc, pc.int13(ah=0x42, dl=DRIVE, ds=PACKET >> 4, si=0), BAD_COMMAND)


def test_unknown_functions_return_01h_and_change_nothing(pc):
    known = {*range(0x00, 0x05), 0x08, 0x09, *range(0x0C, 0x0E), 0x10, 0x11, 0x14, 0x15,
             *range(0x41, 0x4A), 0x4E}
    for function in set(range(256)) - known:
        expect(pc, pc.int13(ah=function, dl=DRIVE), BAD_COMMAND)


# Functions for removable disks only, and undefined subfunctions.
@pytest.mark.parametrize("function, al, status", [
    (0x16, 0, BAD_COMMAND), (0x43, 3, BAD_COMMAND), (0x45, 3, BAD_COMMAND),
    (0x46, 0, 0xB2), (0x46, 1, BAD_COMMAND),
    *((0x4E, al, BAD_COMMAND) for al in (0, 1, 2, 3, 4, 6, 7, 255))])
def test_unsupported_subfunctions_of_fixed_disk_are_refused(pc, function, al, status):
    pc.write(PACKET, struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, 0))
    expect(pc, pc.int13("ah", ah=function, al=al, dl=DRIVE, ds=PACKET >> 4, si=0), status)


# ---- Status and parameters ---------------------------------------------------


@pytest.mark.parametrize("function", [0x00, 0x0D], ids=["00h", "0dh"])
def test_read_works_after_reset(pc, pattern, function):
    expect(pc, pc.int13(ah=function, dl=DRIVE), OK)
    expect(pc, pc.read_lba(DRIVE, 5, 1), OK)
    assert pc.read(BUFFER, 512) == sectors(pattern, 5, 1)


def test_01h_returns_status_of_previous_call(pc):
    expect(pc, pc.read_lba(DRIVE, PATTERN_SECTORS, 1), NOT_FOUND)
    for _ in range(2):
        registers = pc.int13("ax", ah=0x01, dl=DRIVE)
        assert (registers.ah, registers.al, registers.cf) == (NOT_FOUND, NOT_FOUND, True)
    expect(pc, pc.int13(ah=0x10, dl=DRIVE), OK)
    registers = pc.int13("ax", ah=0x01, dl=DRIVE)
    assert (registers.ah, registers.al, registers.cf) == (OK, OK, False)


def test_08h_returns_last_cylinder_head_and_sector(pc, pattern):
    registers = pc.int13("ax bl cx dx", ah=0x08, dl=DRIVE)
    expect(pc, registers, OK)
    last_cylinder = registers.cl << 2 & 0x300 | registers.ch
    assert (last_cylinder, registers.dh, registers.cl & 0x3F) == (
        CYLINDERS - 1, HEADS - 1, SECTORS)
    assert registers.dl == pc.disk_count() == 1
    expect(pc, pc.read_chs(DRIVE, last_cylinder, registers.dh, SECTORS, 1), OK)
    assert pc.read(BUFFER, 512) == sectors(pattern, PATTERN_SECTORS - 1, 1)


@pytest.mark.parametrize("function", [0x09, 0x10, 0x11, 0x14], ids=lambda value: f"{value:02x}h")
def test_09h_10h_11h_and_14h_succeed_on_ready_drive(pc, function):
    expect(pc, pc.int13(ah=function, dl=DRIVE), OK)


@pytest.mark.parametrize("cylinder, head, sector, status", [
    (0, 0, 1, OK), (CYLINDERS - 1, HEADS - 1, SECTORS, OK), (CYLINDERS, 0, 1, NOT_FOUND),
    (0, HEADS, 1, NOT_FOUND), (0, 0, 0, NOT_FOUND), (0, 0, SECTORS + 1, NOT_FOUND)])
def test_seek_succeeds_only_to_existing_sector(pc, cylinder, head, sector, status):
    expect(pc, pc.int13(ah=0x0C, dl=DRIVE, ch=cylinder, cl=sector, dh=head), status)


@pytest.mark.parametrize("al", [0, 1, 2], ids=["lock", "unlock", "state"])
def test_45h_reports_fixed_disk_as_unlocked(pc, al):
    registers = pc.int13("ah al", ah=0x45, al=al, dl=DRIVE)
    expect(pc, registers, OK)
    assert registers.al == 0


def test_49h_reports_no_change_on_fixed_disk(pc):
    expect(pc, pc.int13(ah=0x49, al=0, dl=DRIVE), OK)


def test_4eh_al_5_succeeds_with_al_0(pc):
    registers = pc.int13("ah al", ah=0x4E, al=5, dl=DRIVE)
    expect(pc, registers, OK)
    assert registers.al == 0


def test_15h_returns_type_3_and_sector_count(pc):
    registers = pc.int13("ah cx dx", ah=0x15, dl=DRIVE)
    assert (registers.ah, registers.cf) == (3, False)
    assert registers.cx << 16 | registers.dx == PATTERN_SECTORS
    assert pc.last_status() == OK


def test_41h_requires_55aah_in_bx(pc):
    registers = pc.int13("ah bx cx", ah=0x41, bx=0x55AA, dl=DRIVE)
    assert (registers.ah, registers.bx, registers.cx, registers.cf) == (0x30, 0xAA55, 0xF, False)
    expect(pc, pc.int13(ah=0x41, bx=0xAA55, dl=DRIVE), BAD_COMMAND)


@pytest.mark.parametrize("room, filled", [
    (0x1A, 0x1A), (0x1D, 0x1A), (0x1E, 0x1E), (0x41, 0x1E), (0x42, 0x42), (0x49, 0x42),
    (0x4A, 0x4A), (0x4B, 0x4A), (0xFFFF, 0x4A)], ids=lambda value: f"{value:x}")
def test_48h_fills_largest_form_that_fits(pc, room, filled):
    pc.fill(PACKET, 0x80, FILL)
    pc.write(PACKET, struct.pack("<H", room))
    expect(pc, pc.int13(ah=0x48, dl=DRIVE, ds=PACKET >> 4, si=0), OK)
    answer = pc.read(PACKET, 0x80)
    assert struct.unpack_from("<HHIIIQH", answer) == (
        filled, 0x0B, CYLINDERS, HEADS, SECTORS, PATTERN_SECTORS, 512)
    assert answer[filled:] == bytes([FILL]) * (0x80 - filled)
    if filled >= 0x1E:
        offset, segment = struct.unpack_from("<HH", answer, 0x1A)
        dpte = pc.read(segment * 16 + offset, 16)
        assert dpte[0:2] != b"\0\0" and dpte[2:15] == b"\0\0\xE0\0" + dpte[6:7] + bytes(3) + b"\x10\0\0\0\x30"
        assert sum(dpte) & 0xFF == 0
    if filled >= 0x42:
        assert struct.unpack_from("<HB", answer, 0x1E) == (0xBEDD, filled - 0x1E)
        assert answer[0x24:0x38] == b"PCI SCSI    \0\4\0\0\0\0\0\0"  # 00:04.0, channel 0
        assert answer[0x38:filled - 1] == bytes(filled - 0x39), "ID 0, LUN 0"
        assert sum(answer[0x1E:filled]) & 0xFF == 0


@pytest.mark.parametrize("room", [0, 2, 0x19])
def test_48h_refuses_buffer_shorter_than_1ah(pc, room):
    pc.fill(PACKET, 0x80, FILL)
    pc.write(PACKET, struct.pack("<H", room))
    expect(pc, pc.int13(ah=0x48, dl=DRIVE, ds=PACKET >> 4, si=0), BAD_COMMAND)
    assert pc.read(PACKET + 2, 0x7E) == bytes([FILL]) * 0x7E


# ---- Flags, nesting, stack, other drives -------------------------------------


@pytest.mark.parametrize("flags", [0x002, 0x003, 0x202, 0x602, 0xAD7 & ~0x100])
def test_flags_except_carry_are_preserved(pc, flags):
    before = agent_module.Registers(flags=flags).with_halves(ah=0x10, dl=DRIVE)
    after = pc.interrupt(0x13, before)
    assert after.flags & ~1 == flags & ~1
    assert not after.cf


def test_nested_call_returns_aah_and_keeps_last_status(pc):
    """An interrupt handler that runs during a command finds the busy flag set.
    The test sets the flag itself to get the status that such a handler gets."""
    segment, offset = pc.workspace("WS_BUSY")
    pc.write(segment * 16 + offset, b"\1")
    before = pc.last_status()
    registers = pc.int13(ah=0x10, dl=DRIVE)
    assert (registers.ah, registers.cf) == (0xAA, True)
    assert pc.last_status() == before
    pc.write(segment * 16 + offset, b"\0")
    expect(pc, pc.int13(ah=0x10, dl=DRIVE), OK)


def test_stack_canary_is_intact_after_all_tests(pc):
    segment, _ = pc.workspace("WS_BUSY")
    assert pc.read(segment * 16, 4) == struct.pack("<I", pc.header("STACK_CANARY"))


@pytest.mark.parametrize("drive", [0x00, 0x01, 0x7F, 0x81, 0x9F, 0xA0, 0xE0, 0xFF],
                         ids=lambda value: f"{value:02x}h")
def test_calls_for_other_drives_reach_previous_handler_unchanged(pc, drive):
    with pc.recorded_previous_handler() as recorder:
        for busy in (b"\0", b"\1"):
            segment, offset = pc.workspace("WS_BUSY")
            pc.write(segment * 16 + offset, busy)
            before = agent_module.Registers(flags=0x0AD7 & ~0x100 | 2).with_halves(dl=drive)
            after = pc.interrupt(0x13, before)
            seen = recorder.seen()
            pc.write(segment * 16 + offset, b"\0")
            assert seen == recorder.expected_at_entry(before)
            assert after == recorder.result(before)

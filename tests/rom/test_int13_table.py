# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: every function number of INT 13h on a fixed disk, the subsets of 41h, 48h
with buffers of every size, and packets of all forms. Reads and writes are tested in
disk/test_writes.py.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from tests.model.pc import BUFFER, PACKET, Pc
from tests.model.pc_memory import MEMORY
from tests.model.target import Disk, blocks_of
from tests.rom.strict import (BAD_COMMAND, BOUNDARY, CHANGED, LAST_STATUS, NOT_FOUND, NOT_REMOVABLE,
                              OK, ROMS, VARIANTS, HighMemory, check_dpte, disk, edd, expected, hexadecimal,
                              new_data, new_pc, nothing_sent, opcodes, parameters, simple_call,
                              transfer, two_disks)

KNOWN = {0x00, 0x01, 0x02, 0x03, 0x04, 0x08, 0x09, 0x0C, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x16,
         0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4E}
FOUR_GIB = 1 << 32


booted: dict[str, Pc] = {}


@pytest.fixture(params=VARIANTS)
def machine(request) -> Iterator[Pc]:
    """A machine shared by all tests that leave no trace; a new one after a failure."""
    failed = request.session.testsfailed
    pc = booted.pop(request.param, None) or two_disks(request.param)
    yield pc
    if request.session.testsfailed == failed:
        booted[request.param] = pc


# ---- Every number ----------------------------------------------------------------------


@pytest.mark.parametrize("function", sorted(set(range(256)) - KNOWN), ids=hexadecimal)
def test_unknown_function_returns_01h_and_changes_nothing(machine, function):
    """The model checks that registers and memory are unchanged."""
    with nothing_sent(machine):
        assert simple_call(machine, function).ah == BAD_COMMAND
        assert simple_call(machine, function, eax=0xFFFF00FF | function << 8, ecx=0xFFFFFFFF, ebx=0,
                           ds=0, es=0, si=PACKET).ah == BAD_COMMAND


@pytest.mark.parametrize("function", sorted(KNOWN), ids=hexadecimal)
def test_known_function_succeeds(pc, function):
    """Each function gets valid arguments; its effect is tested elsewhere."""
    pc.poke(PACKET, struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, 5))
    if function == 0x48:
        pc.poke(PACKET, b"\x4A\0")
    result = pc.int13(range(PACKET, PACKET + 0x4A), range(BUFFER, BUFFER + 512),
                      changes="ax bx cx dx", ah=function, al={0x4E: 5, 0x46: 0, 0x45: 0}.get(
                          function, 1), bx=0x55AA if function == 0x41 else 0, ch=0, cl=1, dh=0,
                      dl=0x80, ds=PACKET >> 4, si=PACKET & 15, es=BUFFER >> 4)
    expected_ah = {0x15: 3, 0x16: BAD_COMMAND, 0x41: 0x30, 0x46: NOT_REMOVABLE}
    assert result.ah == expected_ah.get(function, OK)
    assert result.cf == (function in (0x16, 0x46))


@pytest.mark.parametrize("drive", [0x00, 0x7F, 0x82, 0xFF], ids=hexadecimal)
def test_functions_of_other_drives_are_passed_on(machine, drive):
    with nothing_sent(machine):
        for function in range(256):
            machine.bios.passed_on.clear()
            assert machine.int13(ah=function, dl=drive).cf
            assert [r["eax"] >> 8 & 0xFF for r in machine.bios.passed_on] == [function]


# ---- Functions without data ------------------------------------------------------------


@pytest.mark.parametrize("function", [0x09, 0x10, 0x11, 0x14], ids=hexadecimal)
def test_ready_functions_send_test_unit_ready(any_pc, function):
    pc, since = any_pc, len(disk(any_pc).commands)
    assert simple_call(pc, function).ah == OK
    assert opcodes(disk(pc), since) == [0x00]
    left = [True] * 7
    disk(pc).status_hook = lambda cdb: disk(pc).check(2, 4, 1) if left and left.pop() else None
    assert simple_call(pc, function).ah == OK, "the drive becomes ready in time"
    disk(pc).status_hook = lambda cdb: disk(pc).check(2, 4, 3)
    assert simple_call(pc, function).ah == 0xAA


@pytest.mark.parametrize("function, al, status", [
    (0x05, 1, BAD_COMMAND), (0x06, 1, BAD_COMMAND), (0x07, 1, BAD_COMMAND),
    (0x16, 0, BAD_COMMAND), (0x46, 0, NOT_REMOVABLE), (0x49, 0, OK), (0x49, 0xFF, OK),
    *((0x4E, al, OK if al == 5 else BAD_COMMAND) for al in (0, 1, 2, 3, 4, 5, 6, 7, 0x80, 0xFF))])
def test_functions_that_send_no_command(machine, function, al, status):
    with nothing_sent(machine):
        result = simple_call(machine, function, "ax" if status == OK else "ah", al=al)
    assert result.ah == status
    if function == 0x4E and status == OK:
        assert result.al == 0, "no other drive is affected"


@pytest.mark.parametrize("al", [0, 1, 2])
def test_lock_of_a_fixed_disk_has_no_effect(machine, al):
    with nothing_sent(machine):
        result = simple_call(machine, 0x45, "ax", al=al)
    assert (result.ah, result.al) == (OK, 0)


def test_01h_returns_the_last_status(pc):
    """The status of a call to another drive counts as well."""
    for function, status in [(0x77, BAD_COMMAND), (0x46, NOT_REMOVABLE), (0x10, OK)]:
        assert simple_call(pc, function, al=0).ah == status
        for _ in range(2):
            result = pc.int13(changes="ax", ah=0x01, al=0x77, dl=0x81)
            assert (result.ah, result.al, result.cf) == (status, status, status != OK)
            assert pc.peek(LAST_STATUS, 1)[0] == status
    pc.poke(LAST_STATUS, b"\xBB")
    result = pc.int13(changes="ax", ah=0x01, dl=0x80)
    assert (result.ah, result.al, result.cf, pc.peek(LAST_STATUS, 1)) == (0xBB, 0xBB, True, b"\xBB")


@pytest.mark.parametrize("function, ah", [(0x15, 3), (0x41, 0x30)], ids=hexadecimal)
def test_result_in_ah_is_not_stored_as_an_error(machine, function, ah):
    machine.poke(LAST_STATUS, b"\xBB")
    result = machine.int13(changes="ah bx cx dx", ah=function, bx=0x55AA, dl=0x80)
    assert (result.ah, result.cf, machine.peek(LAST_STATUS, 1)) == (ah, False, b"\0")


# ---- 41h -------------------------------------------------------------------------------


SUBSETS = {0: (0x42, 0x43, 0x44, 0x47, 0x48), 1: (0x45, 0x46, 0x49), 2: (0x48, 0x4E)}


def test_41h_returns_the_supported_subsets(machine):
    result = machine.int13(changes="ah bx cx", ah=0x41, bx=0x55AA, dl=0x80)
    assert (result.ah, result.bx, result.cf) == (0x30, 0xAA55, False)
    for bit, functions in SUBSETS.items():
        assert (result.cx >> bit & 1) == all(f in KNOWN for f in functions)
    assert result.cx >> 3 == 1, "only bit 3, flat buffers, is set in addition"


@pytest.mark.parametrize("bx", [0, 0x55AB, 0xAA55, 0xFFFF], ids="{:04X}".format)
def test_41h_with_wrong_signature_returns_01h(machine, bx):
    assert simple_call(machine, 0x41, bx=bx).ah == BAD_COMMAND


# ---- 48h -------------------------------------------------------------------------------


@pytest.mark.parametrize("room", range(0x61), ids="{:02X}h".format)
def test_48h_returns_the_largest_form_that_fits(machine, room):
    if room >= 0x1A:
        answer = parameters(machine, room)
        assert struct.unpack_from("<HHIIIQH", answer) == (len(answer), 0x000B, 32, 64, 32, 65536,
                                                          512)
    else:
        machine.poke(PACKET, struct.pack("<H", room))
        with nothing_sent(machine):
            assert simple_call(machine, 0x48, ds=PACKET >> 4, si=0).ah == BAD_COMMAND


@pytest.mark.parametrize("room", [0x4A, 0x4B, 0x60, 0x100, 0x7FFF, 0x8000, 0xFFFF], ids=hex)
def test_48h_returns_at_most_4ah_bytes(machine, room):
    assert len(parameters(machine, room)) == 0x4A


@pytest.mark.parametrize("room", [0x42, 0x4A], ids=hexadecimal)
@pytest.mark.parametrize("address, bdf", [(4 << 3, (0, 4, 0)), (0x02F9, (2, 0x1F, 1))],
                         ids=["00:04.0", "02:1f.1"])
@pytest.mark.parametrize("target", [0, 3, 6])
def test_48h_device_path_contains_controller_and_target(room, address, bdf, target):
    pc = new_pc("895A", {target: Disk()}, pci_address=address)
    answer = parameters(pc, room)
    key, length = struct.unpack_from("<HB", answer, 0x1E)
    assert (key, length) == (0xBEDD, room - 0x1E)
    assert answer[0x21:0x24] == bytes(3)
    assert answer[0x24:0x30] == b"PCI SCSI    "
    assert answer[0x30:0x38] == bytes([*bdf, 0, 0, 0, 0, 0])
    assert answer[0x38:room - 1] == struct.pack("<H", target).ljust(room - 0x39, b"\0")
    assert sum(answer[0x1E:room]) & 0xFF == 0


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("line, irq", [(11, 11), (0, 0), (0x0F, 15), (0x10, 0), (0xFF, 0)])
def test_48h_points_to_a_table_of_the_drive(variant, line, irq):
    """One table for all drives: each call adapts it."""
    pc = Pc(ROMS[variant], variant)
    pc.bus.targets = {0: Disk(), 3: Disk(removable=True), 6: Disk()}
    pc.pci.write(pc.pci_address, pc.pci.INTERRUPT, 1, line)
    pc.power_on()
    for drive, removable in [(0x80, False), (0x81, True), (0x81, True), (0x82, False), (0x81, True)]:
        for room in (0x1E, 0x42, 0x4A):
            pointer, = struct.unpack_from("<I", parameters(pc, room, drive), 0x1A)
            check_dpte(pc, pointer, removable, irq)


@pytest.mark.parametrize("blocks, valid", [
    (65536, True), (65535, False), (1, False), (2048, True), (2097152, True),
    (2097153, False), (900 * 255 * 63, True), (900 * 255 * 63 + 1, False),
    (963 * 255 * 63, True), (15482880, False), (964 * 255 * 63, False), (2**32 - 1, False)])
def test_48h_reports_valid_chs_if_it_covers_every_sector(blocks, valid):
    answer = edd(new_pc("895A", {0: Disk(blocks=blocks)}))
    assert answer.sectors == blocks
    assert answer.flags == (0x000B if valid else 0x0009), "DMA boundary and write verification flags"
    counted = answer.cylinders * answer.heads * answer.sectors_per_track
    assert (counted == blocks) >= valid


@pytest.mark.parametrize("segment, offset, status", [
    (0x3000, 0xFFF0, OK), (0xFFFF, 0x10000 - 0x4A - 0x20, OK), (0xFFFF, 0xFFB6, OK),
    (0xFFFF, 0xFFB7, BAD_COMMAND), (0xFFFF, 0xFFF0, BAD_COMMAND), (0x0100, 0x0001, OK)],
    ids=lambda v: f"{v:04X}")
def test_48h_at_the_end_of_segments_and_of_memory(machine, segment, offset, status):
    address = segment * 16 + offset
    machine.poke(address, struct.pack("<H", 0x4A))
    result = machine.int13(range(address, address + 0x4A), ah=0x48, dl=0x80, ds=segment,
                           si=offset)
    assert (result.ah, result.cf) == (status, status != OK)
    if status == OK:
        assert machine.peek(address, 4) == b"\x4A\0\x0B\0"


def test_48h_ignores_the_flags_word_on_entry(machine):
    """Some BIOSes require the flags word to be 0."""
    assert parameters(machine)[:4] == b"\x4A\0\x0B\0"


# ---- Cylinders, heads and sectors ------------------------------------------------------


GIB = 0x200000      # in sectors
AGREEMENTS = [1, 2, 31, 32, 33, 1008, 2047, 2048, 2049, 16064, 16065, 65535, 65536, 65537,
              1023 * 1008, 1024 * 1008, 1025 * 1008, 600 * 2016, 513 * 4032, 69 * 15120,
              130 * 16065, GIB - 1, GIB, GIB + 1, 15482879, 15482880, 15482881, 16450559,
              16450560, 16450561, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 3 << 31]


def reads_chs(pc: Pc, cylinder: int, head: int, sector: int) -> int:
    result = pc.int13(range(BUFFER, BUFFER + 512), changes="ax", ah=0x02, al=1, dl=0x80,
                      es=BUFFER >> 4, bx=0, ch=cylinder & 0xFF, cl=cylinder >> 2 & 0xC0 | sector,
                      dh=head)
    assert result.al == (result.ah == OK)
    return result.ah


@pytest.mark.parametrize("size", AGREEMENTS)
def test_08h_15h_48h_and_02h_agree_on_the_size(size):
    """The last cylinder is not reserved."""
    pc = new_pc("810", {0: Disk(blocks=size)})
    old = pc.int13(changes="ax bl cx dx", ah=0x08, dl=0x80)
    cylinders, heads = (old.ch | (old.cl & 0xC0) << 2) + 1, old.dh + 1
    per_track, answer = old.cl & 0x3F, edd(pc)
    kind = pc.int13(changes="ah cx dx", ah=0x15, dl=0x80)
    assert (answer.heads, answer.sectors_per_track, answer.sectors) == (heads, per_track, size)
    assert kind.cx << 16 | kind.dx == min(size, 2**32 - 1)
    assert cylinders == min(max(min(size, 2**32 - 1) // heads // per_track, 1), 1024)
    if bool(answer.flags & 2):
        assert answer.cylinders * heads * per_track == size
    last = cylinders * heads * per_track - 1
    assert reads_chs(pc, cylinders - 1, heads - 1, per_track) == (OK if last < size else NOT_FOUND)
    if last < size:
        assert pc.peek(BUFFER, 512) == disk(pc).block(last)
    for beyond in [(0, 0, 0), (0, 0, per_track + 1), (0, heads, 1), (cylinders, 0, 1)]:
        if beyond[0] < 1024 and beyond[1] < 256 and beyond[2] < 64:
            assert reads_chs(pc, *beyond) == NOT_FOUND


@pytest.mark.parametrize("heads, per_track", [(16, 63), (255, 63), (64, 32), (128, 63), (240, 63),
                                              (2, 18)])
def test_geometry_follows_the_partition_table(heads, per_track):
    """Sectors can be read by the CHS addresses in the MBR."""
    size, end = 400_000, 5 * heads * per_track - 1
    entry = (bytes([0x80, 1 if heads > 1 else 0, 1, 0, 6, heads - 1, per_track, 4])
             + struct.pack("<II", per_track, end + 1 - per_track))
    target = Disk(blocks=size)
    target.written[0] = (bytes(446) + entry).ljust(510, b"\0") + b"\x55\xAA"
    pc = new_pc("895A", {0: target})
    answer = edd(pc)
    assert (answer.heads, answer.sectors_per_track) == (heads, per_track)
    assert reads_chs(pc, 4, heads - 1, per_track) == OK
    assert pc.peek(BUFFER, 512) == target.block(end)


def dos_boot_sector(heads: int, per_track: int, sectors: int) -> bytes:
    """FAT16 on an unpartitioned medium: a BPB at the start, texts at the partition table."""
    bpb = struct.pack("<3s8sHBHBHHBHHHII", b"\xEB\x3C\x90", b"MSDOS5.0", 512, 4, 1, 2, 512, 0, 0xF8,
                      192, per_track, heads, 0, sectors)
    texts = (b"\r\nNon-System disk or disk error\r\nReplace and press any key when ready\r\n\0"
             b"IO      SYSMSDOS   SYS\0\0\x55\xAA")
    return bpb.ljust(512 - len(texts), b"\xF6") + texts


@pytest.mark.parametrize("medium", ["fixed", "before POST", "after POST"])
def test_unpartitioned_medium_has_the_geometry_in_its_boot_sector(medium):
    """Any SCSI BIOS uses this geometry for a medium of this size."""
    size, target = 196608, Disk(removable=medium != "fixed")
    sector = dos_boot_sector(64, 32, size)

    def content(lba):
        return struct.pack("<II", lba, 7) * 64 if lba else sector
    if medium == "after POST":
        pc = new_pc("895A", {0: target})
        target.insert(size, content)
        assert simple_call(pc, 0x16).ah == CHANGED
    else:
        target.blocks, target.content = size, content
        pc = new_pc("895A", {0: target})
    old = pc.int13(changes="ax bl cx dx", ah=0x08, dl=0x80)
    assert (old.dh + 1, old.cl & 63, edd(pc)[2:6]) == (64, 32, (96, 64, 32, size))
    for lba in (1, 31, 32, 2048, 70_000, size - 1):
        assert reads_chs(pc, lba // 2048, lba // 32 % 64, lba % 32 + 1) == OK
        assert pc.peek(BUFFER, 512) == content(lba)


# ---- Packets ---------------------------------------------------------------------------


@pytest.mark.parametrize("function, address", [
    *((f, at) for f in (0x42, 0x43) for at in (
        0x500, BUFFER + 1, 0x9FC01 - 1536, 0x100000, 0x123457, MEMORY - 1536, MEMORY - 512,
        FOUR_GIB - 1536, 0xFFFF0001, 0x7FFFFFFF)),
    (0x43, 0xFFF11)], ids=lambda v: f"{v:X}h")
@pytest.mark.parametrize("size", [24, 32, 255])
def test_flat_buffer_anywhere_below_4_gib(pc, function, size, address):
    """The test provides RAM at all addresses above 16 MiB."""
    memory, data = HighMemory(pc), new_data(3, 3)
    memory.write(address - 1, b"\xEE" + data)
    assert transfer(pc, function, 1000, 3, flat=address, size=size) == (OK, 3)
    assert memory.read(address - 1, 1537) == b"\xEE" + expected(pc, 1000, 3)
    assert (expected(pc, 1000, 3) == data) == (function == 0x43)
    assert memory.read(address + 1536, 1) in (b"\0", b"\xEE", b""), "the byte after the buffer"


@pytest.mark.parametrize("address", [FOUR_GIB - 1535, FOUR_GIB - 1, FOUR_GIB, FOUR_GIB + BUFFER,
                                     1 << 63, 2**64 - 1, 2**64 - 1536], ids=hex)
@pytest.mark.parametrize("function", [0x42, 0x43], ids=hexadecimal)
def test_flat_buffer_above_4_gib_returns_09h(pc, function, address):
    with nothing_sent(pc):
        assert transfer(pc, function, 1000, 3, flat=address, size=24) == (BOUNDARY, 0)


@pytest.mark.parametrize("size", [16, 17, 23])
@pytest.mark.parametrize("function", [0x42, 0x43], ids=hexadecimal)
def test_flat_address_in_a_short_packet_returns_01h(machine, function, size):
    with nothing_sent(machine):
        outcome = transfer(machine, function, 5, 1, flat=BUFFER, size=size)
    assert outcome.status == BAD_COMMAND


@pytest.mark.parametrize("function", [0x44, 0x47], ids=hexadecimal)
@pytest.mark.parametrize("size", [16, 24, 32])
def test_verify_and_seek_ignore_the_buffer(machine, function, size):
    assert transfer(machine, function, 5, 1, flat=2**64 - 1, size=size).status == OK


@pytest.mark.parametrize("size", [17, 24, 31, 32, 255])
@pytest.mark.parametrize("function", [0x42, 0x43, 0x44, 0x47], ids=hexadecimal)
def test_long_packet_may_have_a_far_buffer(pc, function, size):
    data = new_data(4, 1)
    pc.poke(BUFFER, data)
    assert transfer(pc, function, 99, 1, size=size).status == OK
    if function in (0x42, 0x43):
        assert expected(pc, 99, 1) == pc.peek(BUFFER, 512)


COUNTS = [1, 2, 126, 127, 128, 255, 256, 257, 1000, 4000]


@pytest.mark.parametrize("count", COUNTS)
@pytest.mark.parametrize("size", [32, 33, 255])
@pytest.mark.parametrize("function", [0x42, 0x43, 0x44], ids=hexadecimal)
def test_count_ffh_selects_the_long_count(machine, function, count, size):
    """The word stays FFh; the dword returns the number of good sectors."""
    pc, data = machine, new_data(count, count)
    pc.poke(0x200001, data)
    assert transfer(pc, function, 7, long_count=count, flat=0x200001, size=size) == (OK, 0xFF)
    assert struct.unpack("<II", pc.peek(PACKET + 0x18, 8)) == (count, 0)
    if function != 0x44:
        assert expected(pc, 7, count) == pc.peek(0x200001, count * 512)


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44], ids=hexadecimal)
@pytest.mark.parametrize("size", [16, 24, 31])
def test_count_ffh_in_a_short_packet_returns_01h(machine, function, size):
    with nothing_sent(machine):
        outcome = transfer(machine, function, 5, 0xFF, size=size)
    assert outcome.status == BAD_COMMAND


@pytest.mark.parametrize("count, lba, flat, status", [
    (65536 - 7 + 1, 7, 0x200000, NOT_FOUND), (2**32 - 1, 7, 0x200000, NOT_FOUND),
    (2**31, 0, 0x200000, NOT_FOUND), (2**23, 0, 0x200000, NOT_FOUND),
    (60000, 7, FOUR_GIB - 60000 * 512 + 1, BOUNDARY), (1, 7, FOUR_GIB, BOUNDARY)],
    ids=["one too many", "2^32-1", "2^31", "4 GiB", "buffer beyond", "buffer above"])
@pytest.mark.parametrize("function", [0x42, 0x43], ids=hexadecimal)
def test_invalid_long_count_is_refused(pc, function, count, lba, flat, status):
    with nothing_sent(pc):
        assert transfer(pc, function, lba, long_count=count, flat=flat, size=32) == (status, 0xFF)
    assert struct.unpack("<I", pc.peek(PACKET + 0x18, 4)) == (0,)


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44], ids=hexadecimal)
def test_long_count_0_succeeds(pc, function):
    pc.poke(PACKET, struct.pack("<BBHIQQQ", 32, 0, 0xFF, 0xFFFFFFFF, 5, BUFFER, 0))
    with nothing_sent(pc):
        result = pc.int13(range(PACKET + 0x18, PACKET + 0x1C), ah=function, al=0, dl=0x80,
                          ds=PACKET >> 4, si=0)
    assert (result.ah, result.cf) == (OK, False)


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44], ids=hexadecimal)
def test_failed_long_count_returns_good_sectors(pc, function):
    disk(pc).bad_blocks = {1300: (3, 0x11, 0, True)}
    status = 0xCC if function == 0x43 else 0x10
    assert transfer(pc, function, 1000, long_count=600, flat=0x200000, size=32) == (status, 0xFF)
    assert struct.unpack("<I", pc.peek(PACKET + 0x18, 4)) == (300,)


@pytest.mark.parametrize("size", range(16))
@pytest.mark.parametrize("function", [0x42, 0x43, 0x44, 0x47], ids=hexadecimal)
def test_packet_below_16_bytes_returns_01h(machine, function, size):
    with nothing_sent(machine):
        assert transfer(machine, function, 5, 1, size=size).status == BAD_COMMAND


@pytest.mark.parametrize("function, offset, size", [
    *((f, at, 16) for f in (0x42, 0x43, 0x44, 0x47) for at in (0xFFF1, 0xFFFF)),
    *((f, 0xFFE9, 24) for f in (0x42, 0x43)), *((f, 0xFFE1, 32) for f in (0x42, 0x43, 0x44))],
    ids=hexadecimal)
def test_packet_past_ffff_ffffh_returns_01h(machine, function, offset, size):
    """The size field in the first byte determines the length."""
    machine.poke(0xFFFF0 + offset, struct.pack("<BBHIQQQ", size, 0, 0xFF if size == 32 else 1,
                                               0xFFFFFFFF, 5, BUFFER, 1))
    with nothing_sent(machine):
        result = machine.int13(ah=function, al=0, dl=0x80, ds=0xFFFF, si=offset)
    assert (result.ah, result.cf) == (BAD_COMMAND, True)


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44, 0x47], ids=hexadecimal)
def test_reserved_bytes_of_a_packet_are_ignored(machine, function):
    machine.poke(PACKET, struct.pack("<BBHHHQ", 16, 0xFF, 1, 0, BUFFER >> 4, 5))
    result = machine.int13(range(PACKET + 2, PACKET + 4), range(BUFFER, BUFFER + 512),
                           ah=function, al=0, dl=0x80, ds=PACKET >> 4, si=0)
    assert (result.ah, machine.word(PACKET + 2)) == (OK, 1)
    assert blocks_of(disk(machine).commands[-1])[0] == 5

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A booted CD, tested by single INT 13h calls (ring 2). The boot image is the
agent itself, so the calls are made by the program that the CD booted.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import replace
from pathlib import Path

import pytest

from tests.boot.bootcds import (BLOCK, CATALOG_LBA, HARD_DISK, Disc, Entry, agent_code,
                                disc, geometry_of, pattern)
from tests.qemu.agent import IF, Agent, Registers
from tests.qemu.booted_cds import (CD, CD_ID, OUR_DISK, Entered, booted, drive_of, check_status,
                                   emulated_discs, image_of, of_each_kind, on_each_path,
                                   on_two_paths, other_disc, plain_disc, read_chs, check_read,
                                   check_read_chs, unreadable)
from tests.qemu.calls import (BAD_COMMAND, CHANGED, HIGH, NOT_FOUND, NO_MEDIUM, OK, SECTOR,
                              WRITE_PROTECTED, Bench)
from tests.qemu.machine import PATHS, Machine, cd_arguments, disk_arguments

pytestmark = pytest.mark.qemu("CDs and emulated drives, single calls")
LOCKED = 0xB1


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("discs")


@pytest.fixture(scope="module")
def plain(folder) -> Disc:
    return plain_disc(folder)


@pytest.fixture(scope="module")
def other(folder) -> Disc:
    return other_disc(folder)


@pytest.fixture(scope="module")
def emulated(folder) -> dict[int, Disc]:
    return emulated_discs(folder)


@pytest.fixture
def pc(path, tmp_path, plain):
    with booted(path, tmp_path, plain) as pc:
        yield pc


def call(pc: Bench, function: int, drive: int = CD, al: int = 0) -> Registers:
    return pc.agent.int13("ah al", ah=function, al=al, dl=drive)


def check_no_transfer(pc: Bench, function: int, status: int, lba: int = 5) -> None:
    mark = pattern(4, 0xA0)
    pc.put(0x10001, mark)
    pc.expect(pc.edd(function, lba, 1, 0x10001, drive=CD), status)
    assert pc.count() == 0
    pc.check_memory(0x10001, mark)


# ---- A boot image without emulation --------------------------------------------------


@on_each_path
def test_boot_image_is_entered_with_cd_number_in_dl(pc):
    entered = Entered.of(pc)
    assert (entered.registers.dl, entered.cs, entered.ip) == (CD, 0, 0x7C00)
    assert entered.registers.flags & IF
    image = agent_code().ljust(BLOCK, b"\0")
    assert pc.agent.read(0x7C00, BLOCK) == image[:BLOCK]


@pytest.mark.parametrize("path", ["microvm", "nolsi", "c810"])
def test_boot_image_gets_other_registers_of_bios_call(pc):
    """SeaBIOS calls a boot entry with AX=AA55h and all other registers 0."""
    registers = Entered.of(pc).registers
    assert replace(registers, flags=0, sp=0) == Registers(0, 0, 0, 0, CD, 0, 0xAA55, *[0] * 6)


@pytest.mark.parametrize("segment, cs, ip", [(0x7C0, 0, 0x7C00), (0x1000, 0x1000, 0),
                                             (0x3123, 0x3000, 0x1230)])
def test_boot_image_is_loaded_at_catalog_segment(segment, cs, ip, tmp_path):
    cd = disc(tmp_path / "cd.iso", Entry(agent_code() + pattern(20, 7), segment=segment, count=23))
    with booted("microvm", tmp_path, cd) as pc:
        entered = Entered.of(pc)
        assert (entered.cs, entered.ip, entered.registers.dl) == (cs, ip, CD)
        assert pc.agent.read(segment * 16, 23 * SECTOR) == image_of(cd)[:23 * SECTOR]


@on_each_path
def test_42h_reads_2048_byte_blocks_of_cd(pc):
    for lba, count in ((0, 1), (16, 5), (pc.disc.blocks - 1, 1), (1000, 60)):
        check_read(pc, lba, count)
    pc.ram[HIGH:HIGH + 300 * BLOCK] = bytes(300 * BLOCK)
    pc.expect(pc.long(0x42, 1700, 299, HIGH, drive=CD), OK)
    assert pc.ram[HIGH:HIGH + 300 * BLOCK] == pc.disc.blocks_from(1700, 299) + bytes(BLOCK)


@on_two_paths
def test_access_past_end_of_disc_returns_04h(pc):
    end = pc.disc.blocks
    check_no_transfer(pc, 0x42, NOT_FOUND, lba=end)
    pc.expect(pc.edd(0x42, end - 1, 2, drive=CD), NOT_FOUND)
    pc.expect(pc.edd(0x44, end - 1, 2, drive=CD), NOT_FOUND)
    pc.expect(pc.edd(0x47, end, 1, drive=CD), NOT_FOUND)
    for function in (0x44, 0x47):
        pc.expect(pc.edd(function, end - 1, 1, drive=CD), OK)


@on_each_path
def test_15h_41h_and_48h_describe_cd(pc):
    found = pc.agent.int13("ah bx cx", ah=0x41, bx=0x55AA, dl=CD)
    assert (found.ah, found.bx, found.cf) == (0x30, 0xAA55, False)
    found = pc.agent.int13("ah cx dx", ah=0x15, dl=CD)
    assert (found.ah, found.cf, found.cx << 16 | found.dx) == (3, False, pc.disc.blocks)
    flags, *_, sectors, size = struct.unpack_from("<HIIIQH", pc.parameters(drive=CD), 2)
    assert (sectors, size) == (pc.disc.blocks, BLOCK)
    assert flags & 0x76 == 0x34, "removable, change line, lockable; no CHS, medium present"
    assert pc.agent.disk_count() == 0


@on_two_paths
def test_unsupported_functions_of_cd_are_refused(pc):
    for function in (0x02, 0x04, 0x05, 0x08, 0x0C, 0x18, 0x4E, 0x50):
        check_status(call(pc, function, al=1), BAD_COMMAND)
    check_status(call(pc, 0x03, al=1), WRITE_PROTECTED)
    check_no_transfer(pc, 0x43, WRITE_PROTECTED)
    for function in (0x00, 0x0D, 0x09, 0x10, 0x11, 0x14, 0x16, 0x49):
        check_status(pc.agent.int13(ah=function, dl=CD), OK)
    check_read(pc, 5)


@on_two_paths
def test_numbers_above_last_cd_are_not_served(pc):
    assert call(pc, 0x10, CD + 1).cf and call(pc, 0x15, CD + 1).cf


# ---- Change and eject ----------------------------------------------------------------


@on_each_path
def test_disc_change_is_reported_once(pc, other):
    check_read(pc, 5)
    pc.tray.change(other)
    check_no_transfer(pc, 0x42, CHANGED)
    check_read(pc, other.blocks - 1, cd=other)
    assert struct.unpack_from("<Q", pc.parameters(drive=CD), 0x10)[0] == other.blocks
    pc.expect(call(pc, 0x49), CHANGED)
    pc.expect(call(pc, 0x49), OK)


@on_two_paths
def test_empty_drive_returns_31h(pc, plain):
    pc.tray.take_out()
    for _ in range(2):
        for function in (0x42, 0x44):
            check_no_transfer(pc, function, NO_MEDIUM)
        for function in (0x10, 0x46, 0x49):
            pc.expect(call(pc, function), NO_MEDIUM)
    pc.tray.put_in(plain)
    check_no_transfer(pc, 0x42, CHANGED)
    check_read(pc, 5)


@on_two_paths
def test_lock_blocks_eject_button_and_46h(pc):
    assert not pc.tray.locked
    assert pc.expect(call(pc, 0x45, al=0), OK).al == 1
    assert pc.tray.locked
    with pytest.raises(RuntimeError, match="is locked"):
        pc.tray.press_button()
    pc.expect(call(pc, 0x46), LOCKED)
    assert not pc.tray.is_open
    check_read(pc, 5)
    assert pc.expect(call(pc, 0x45, al=1), OK).al == 0
    assert not pc.tray.locked
    pc.expect(call(pc, 0x46), OK)
    assert pc.tray.is_open
    check_no_transfer(pc, 0x42, NO_MEDIUM)


@on_two_paths
def test_eject_button_removes_disc(pc):
    pc.tray.press_button()
    assert pc.tray.is_open
    check_no_transfer(pc, 0x42, NO_MEDIUM)


# ---- Unreadable blocks ---------------------------------------------------------------

REASONS = pytest.mark.parametrize("number, status", [(errno.EIO, 0x20), (errno.ENODATA, 0x10)],
                                  ids=["aborted", "medium-error"])


@REASONS
@on_two_paths
def test_bad_block_returns_its_status_and_others_are_readable(path, tmp_path, plain, number, status):
    with booted(path, tmp_path, plain, bad=(100, number)) as pc:
        for lba, count in ((100, 1), (97, 9)):
            pc.expect(pc.edd(0x42, lba, count, drive=CD), status)
            assert pc.count() == 0
        check_read(pc, 99)
        check_read(pc, 101, 20)


@of_each_kind
@on_two_paths
def test_bad_block_fails_only_its_four_sectors(path, tmp_path, emulated, medium):
    cd, block = emulated[medium], 7
    with booted(path, tmp_path, cd, bad=(cd.lbas[0] + block, errno.ENODATA)) as pc:
        number, image = drive_of(medium), image_of(cd)
        for sector in range(block * 4, block * 4 + 4):
            assert check_status(read_chs(pc, number, geometry_of(medium), sector, 1), 0x10).al == 0
        assert check_status(read_chs(pc, number, geometry_of(medium), block * 4 - 2, 5), 0x10).al <= 2
        check_read_chs(pc, number, medium, image, block * 4 - 1)
        check_read_chs(pc, number, medium, image, block * 4 + 4)


# ---- Discs that cannot boot ----------------------------------------------------------


def patched(offset: int, data: bytes):
    """A disc with these bytes at this offset of its catalog."""
    def make(file: Path) -> Disc:
        made = disc(file, Entry(agent_code()), blocks=50)
        at = CATALOG_LBA * BLOCK + offset
        content = made.content[:at] + data + made.content[at + len(data):]
        file.write_bytes(content)
        return Disc(file, content, made.lbas)
    return make


def with_entry(image: bytes, *arguments: int, **options: object):
    return lambda file: disc(file, Entry(image, *arguments, **options), blocks=50)


NOT_BOOTABLE = {
    "boot catalog damaged": patched(0x1E, b"\x55\x00"),
    "wrong catalog checksum": patched(0x04, b"X"),
    "no boot entry for this PC": with_entry(agent_code(), bootable=False),
    "unknown media type": with_entry(agent_code(), 7),
    "image beyond the end of the disc": patched(0x28, struct.pack("<I", 50)),
    "nothing to load": with_entry(agent_code(), count=0),
    "no room at its load address": with_entry(agent_code(), segment=0x9FC0),
    "no partition": with_entry(bytes(510) + b"\x55\xaa" + bytes(512), HARD_DISK),
}


@pytest.mark.parametrize("reason", NOT_BOOTABLE)
def test_reason_is_shown_for_unbootable_disc_and_next_cd_boots(reason, tmp_path, plain):
    bad = NOT_BOOTABLE[reason](tmp_path / "bad.iso")
    with booted("microvm", tmp_path, plain, *cd_arguments(bad.file, CD_ID - 1)) as pc:
        assert f"  not bootable: {reason}\n" in pc.machine.console.wait_for("E1h: ")
        assert Entered.of(pc).registers.dl == CD + 1
        check_read(pc, 45, drive=CD, cd=bad)


@REASONS
def test_status_is_shown_for_unreadable_boot_image(tmp_path, plain, other, number, status):
    bad = cd_arguments(unreadable(other, other.lbas[0], number)[0], CD_ID - 1)
    with booted("microvm", tmp_path, plain, *bad) as pc:
        assert f"  not bootable: status {status:02X}h\n" in pc.machine.console.wait_for("E1h: ")


@on_two_paths
def test_unbootable_cd_leaves_int_13h_vector_unchanged(path, agent_rom):
    """The agent's own ROM boots after the CD fails. The vector is compared with
    that of a machine in which the ROM boots first."""
    def vector_after_boot(cd_index: int, message: str) -> bytes:
        arguments = [*cd_arguments(None, CD_ID, f",bootindex={cd_index}"),
                     "-option-rom", f"{agent_rom},bootindex=2"]
        with Machine(PATHS[path], *arguments) as machine:
            agent = Agent(machine)
            machine.console.wait_for(message)
            assert agent.interrupt(0x13, Registers().with_halves(ax=0x1000, dl=CD)).cf
            return agent.read(0x13 * 4, 4)
    assert vector_after_boot(1, "not bootable: no medium") == vector_after_boot(3, "1 CD")


# ---- POST messages -------------------------------------------------------------------


@pytest.mark.parametrize("disks, cds, line", [
    (0, 1, "no disk, 1 CD"), (1, 1, "1 disk, 1 CD"), (2, 3, "2 disks, 3 CDs")])
def test_banner_counts_disks_and_cds(disks, cds, line, agent_rom, tmp_path, plain, start):
    image = tmp_path / "disk.img"
    image.write_bytes(OUR_DISK)
    arguments = [argument for i in range(disks) for argument in disk_arguments(image, 3 + i)]
    arguments += [argument for i in range(cds) for argument in cd_arguments(plain.file, i)]
    pc = start("microvm", *arguments)
    assert f"host ID 7, {line}\n" in pc.machine.console.wait_for("Booting from ROM")


def test_banner_reports_no_medium_for_empty_drive(start):
    pc = start("microvm", *cd_arguments(None, CD_ID))
    text = pc.machine.console.wait_for("Booting from ROM")
    assert f"  ID {CD_ID} LUN 0 QEMU QEMU CD-ROM: no medium\n" in text
    assert "no disk, 1 CD" in text


def test_boot_menu_lists_cd(plain):
    with Machine(PATHS["nolsi"], *cd_arguments(plain.file, CD_ID), "-boot", "menu=on") as machine:
        machine.console.wait_for("Press ESC for boot menu")
        machine.console.send("\x1b")
        text = machine.console.wait_for(f"SCSI 00:04.0 ID {CD_ID} LUN 0 QEMU QEMU CD-ROM")
        entry = next(line for line in text.splitlines() if "QEMU CD-ROM" in line)
        machine.console.send(entry.split(".")[0].strip())
        assert Agent(machine).disk_count() == 0

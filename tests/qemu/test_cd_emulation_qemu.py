# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Emulated drives of a booted CD, alone and together with real drives, tested
by single INT 13h calls (ring 2).
"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.boot.bootcds import (BLOCK, CATALOG_LBA, FLOPPY_1200, FLOPPY_1440, FLOPPY_2880,
                                HARD_DISK, NO_EMULATION, Disc, Entry, agent_code, disc,
                                geometry_of, pattern, sectors_of)
from tests.qemu.agent import BUFFER, FIXED_FLAG, IF, PACKET, Agent, Registers
from tests.qemu.booted_cds import (ANY, CD, CD_ID, DISK, ENTRY, ENTRY_BYTES, FLOPPY, KIND,
                                   OUR_DISK, Entered, booted, drive_of, check_status,
                                   emulated_discs, image_of, of_each_kind, on_each_path,
                                   on_two_paths, other_disc, plain_disc, read_chs, check_read,
                                   check_read_chs, sector_of)
from tests.qemu.calls import (BAD_COMMAND, CHANGED, FILL, HIGH, NOT_FOUND, NO_MEDIUM, OK, SECTOR,
                              WRITE_PROTECTED, Bench)
from tests.qemu.machine import PATHS, Machine, cd_arguments, disk_arguments

pytestmark = pytest.mark.qemu("CDs and emulated drives, single calls")

ALREADY_EMULATING = 0xB3
# paths whose BIOS drives IDE disks and floppies
on_whole_pcs = pytest.mark.parametrize("path", ["nolsi", "c810", "bochs"])


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


@pytest.fixture
def drive(path, medium, tmp_path, emulated):
    """A machine booted from an emulated drive."""
    with booted(path, tmp_path, emulated[medium]) as pc:
        pc.image = image_of(emulated[medium])
        yield pc


# ---- Emulated drives -----------------------------------------------------------------


@of_each_kind
@on_each_path
def test_emulated_drive_boots_as_00h_or_80h(drive, medium):
    entered = Entered.of(drive)
    assert (entered.registers.dl, entered.cs, entered.ip) == (drive_of(medium), 0, 0x7C00)
    assert entered.registers.flags & IF
    assert drive.agent.read(0x7C00, SECTOR) == sector_of(drive.image, 0)


@pytest.mark.parametrize("medium", [FLOPPY_1200, FLOPPY_1440, FLOPPY_2880, HARD_DISK], ids=KIND)
@on_two_paths
def test_emulated_drive_reads_512_byte_sectors_from_2048_byte_blocks(drive, medium):
    number, last = drive_of(medium), sectors_of(geometry_of(medium)) - 1
    for sector, count in ((0, 1), (1, 1), (2, 1), (3, 1), (1, 2), (3, 2), (3, 9), (7, 10), (8, 8),
                          (last, 1), (last - 3, 4)):
        check_read_chs(drive, number, medium, drive.image, sector, count)
    if medium != HARD_DISK:
        return check_status(drive.edd(0x42, 1, 1, 0x20003, drive=number), BAD_COMMAND)
    for sector, count in ((1, 1), (6, 100), (last, 1)):
        drive.put(0x20003, bytes(count * SECTOR))
        check_status(drive.edd(0x42, sector, count, 0x20003, drive=number), OK)
        drive.check_memory(0x20003, sector_of(drive.image, sector, count))
    drive.ram[HIGH:HIGH + 0x20000] = bytes(0x20000)
    check_status(drive.long(0x42, 5, 201, HIGH, drive=number), OK)
    assert drive.ram[HIGH:HIGH + 0x20000] == sector_of(drive.image, 5, 201).ljust(0x20000, b"\0")


@of_each_kind
@on_two_paths
def test_read_past_end_of_emulated_drive_is_refused(drive, medium):
    geometry = cylinders, heads, track = geometry_of(medium)
    number, end = drive_of(medium), sectors_of(geometry)
    assert read_chs(drive, number, geometry, end, 1).cf
    if medium == HARD_DISK:
        assert check_status(drive.edd(0x42, end, 1, drive=number), NOT_FOUND) and drive.count() == 0
        check_status(drive.edd(0x42, end - 1, 2, drive=number), NOT_FOUND)
    found = drive.agent.int13("ah al bx cx dx edi es", ah=0x08, dl=number, bx=0x5500)
    assert (found.ah, found.cf, found.dl) == (OK, False, 1)
    assert (found.ch | (found.cl & 0xC0) << 2, found.dh, found.cl & 0x3F) == (
        cylinders - 1, heads - 1, track)
    if medium != HARD_DISK:
        assert found.bl == {FLOPPY_1440: 4}[medium]
        vector = struct.unpack_from("<HH", drive.ram, 0x1E * 4)
        assert (found.edi & 0xFFFF, found.es) == vector


@of_each_kind
@on_two_paths
def test_15h_41h_and_48h_describe_emulated_drive(drive, medium):
    number, sectors = drive_of(medium), sectors_of(geometry_of(medium))
    found = drive.agent.int13("ah cx dx", ah=0x15, dl=number)
    if medium == HARD_DISK:
        assert (found.ah, found.cf, found.cx << 16 | found.dx) == (3, False, sectors)
    else:
        assert (found.ah, found.cf) == (2, False)
    if medium != HARD_DISK:
        return check_status(drive.agent.int13("ah", ah=0x41, bx=0x55AA, dl=number), BAD_COMMAND)
    found = drive.agent.int13("ah bx cx", ah=0x41, bx=0x55AA, dl=number)
    assert (found.ah, found.bx, found.cf) == (0x30, 0xAA55, False)
    check_status(emulation_call(drive, 0x48, number, b"\x1a\0"), OK)
    assert struct.unpack_from("<IIIQH", drive.ram, PACKET + 4) == (
        *geometry_of(medium), sectors, SECTOR)


@of_each_kind
@on_two_paths
def test_write_to_emulated_drive_returns_write_protected(drive, medium):
    number = drive_of(medium)
    drive.put(0x10001, pattern(1, 0xBAD & 0xFF))
    check_status(read_chs(drive, number, geometry_of(medium), 9, 1, function=0x03), WRITE_PROTECTED)
    check_status(drive.edd(0x43, 9, 1, 0x10001, drive=number),
                 WRITE_PROTECTED if medium == HARD_DISK else BAD_COMMAND)
    check_read_chs(drive, number, medium, drive.image, 9)
    assert drive.disc.file.read_bytes() == drive.disc.content


@on_two_paths
@pytest.mark.parametrize("medium", [FLOPPY_1440], ids=KIND)
def test_emulated_floppy_status_is_stored_at_40_41h(drive, medium):
    drive.ram[0x441], drive.ram[0x474] = 0x55, 0x66
    check_status(read_chs(drive, FLOPPY, geometry_of(medium), 9, 1, function=0x03), WRITE_PROTECTED)
    assert (drive.ram[0x441], drive.ram[0x474]) == (WRITE_PROTECTED, 0x66)


@of_each_kind
@on_two_paths
def test_cd_is_readable_while_its_emulated_drive_exists(drive, medium):
    drive.put(0x10001, bytes(BLOCK))
    check_status(drive.edd(0x42, CATALOG_LBA, 1, 0x10001, drive=CD), OK)
    drive.check_memory(0x10001, drive.disc.blocks_from(CATALOG_LBA, 1))


# ---- Real drives are renumbered during emulation ---------------------------------------

REAL_FLOPPY = pattern(sectors_of(geometry_of(FLOPPY_1440)), 0x0F)
REAL_DISK = pattern(16 * 63 * 20, 0x0D)


@pytest.fixture
def with_real_drives(path, medium, tmp_path, emulated):
    """A machine booted from an emulated drive that also has a real floppy, an
    IDE disk and a SCSI disk on our controller."""
    for name, data in (("floppy", REAL_FLOPPY), ("ide", REAL_DISK), ("scsi", OUR_DISK)):
        (tmp_path / name).write_bytes(data)
    drives = ["-drive", f"if=floppy,format=raw,file={tmp_path}/floppy,snapshot=on",
              "-drive", f"if=none,id=ide,format=raw,file={tmp_path}/ide,snapshot=on",
              "-device", "ide-hd,drive=ide", *disk_arguments(tmp_path / "scsi", 0)]
    with booted(path, tmp_path, emulated[medium], *drives, extra=",bootindex=0") as pc:
        pc.image = image_of(emulated[medium])
        yield pc


def check_drive(pc: Bench, number: int, content: bytes, interrupt: int = 0x13) -> None:
    """Sector 2 of the first track, read by CHS, has the data of this drive."""
    pc.put(BUFFER, bytes(SECTOR))
    registers = Registers(flags=FIXED_FLAG | IF).with_halves(
        ax=0x0201, cx=2, dh=0, dl=number, es=BUFFER >> 4, bx=0)
    assert not pc.agent.interrupt(interrupt, registers).cf
    pc.check_memory(BUFFER, sector_of(content, 1))


def drives_by_08h(pc: Bench, number: int) -> int:
    """The number of floppies or disks that AH=08h of this drive returns."""
    registers = pc.agent.interrupt(0x13, Registers(flags=FIXED_FLAG | IF).with_halves(
        ax=0x0800, dl=number))
    assert not registers.cf
    return registers.dl


def floppies(pc: Bench) -> int:
    """Number of floppy drives in the equipment word."""
    word = pc.ram[0x410]
    return (word >> 6) + 1 if word & 1 else 0


def floppies_of_bios(pc: Bench, path: str) -> int:
    """Number of real floppy drives that the BIOS detects. The Bochs BIOS reads
    it from CMOS 14h, which QEMU 10.0 does not fill in."""
    if path != "bochs":
        return 1
    pc.machine.qmp("human-monitor-command", command_line="o/b 0x70 0x14")
    answer = str(pc.machine.qmp("human-monitor-command", command_line="i/b 0x71"))
    return int(answer.split("=")[1], 16) & 1


def end_emulation(pc: Bench, drive: int = ANY) -> Registers:
    pc.ram[PACKET:PACKET + 0x20] = bytes([FILL]) * 0x20
    return pc.agent.int13("ah", ah=0x4B, al=0, dl=drive, ds=PACKET >> 4, si=PACKET & 15)


@on_whole_pcs
@pytest.mark.parametrize("medium", [FLOPPY_1440], ids=KIND)
def test_emulated_floppy_shifts_real_floppies_until_4bh_ends_it(with_real_drives, path, medium):
    real = floppies_of_bios(with_real_drives, path)
    assert floppies(with_real_drives) == real + 1 and with_real_drives.agent.disk_count() == 2
    check_drive(with_real_drives, 0x00, with_real_drives.image)
    check_drive(with_real_drives, 0x01, REAL_FLOPPY)
    check_drive(with_real_drives, 0x00, REAL_FLOPPY, interrupt=0x40)
    check_drive(with_real_drives, 0x80, REAL_DISK)
    check_drive(with_real_drives, 0x81, OUR_DISK)
    assert drives_by_08h(with_real_drives, 0x01) == real + 1
    check_status(end_emulation(with_real_drives), OK)
    assert floppies(with_real_drives) == real
    check_drive(with_real_drives, 0x00, REAL_FLOPPY)
    assert drives_by_08h(with_real_drives, 0x00) == 1
    check_drive(with_real_drives, 0x80, REAL_DISK)
    check_drive(with_real_drives, 0x81, OUR_DISK)


@on_whole_pcs
@pytest.mark.parametrize("medium", [HARD_DISK], ids=KIND)
def test_emulated_disk_shifts_real_disks_until_4bh_ends_it(with_real_drives, medium):
    assert with_real_drives.agent.disk_count() == 3
    check_drive(with_real_drives, 0x80, with_real_drives.image)
    check_drive(with_real_drives, 0x81, REAL_DISK)
    check_drive(with_real_drives, 0x82, OUR_DISK)
    check_drive(with_real_drives, 0x00, REAL_FLOPPY)
    for number in (0x80, 0x81, 0x82):
        assert drives_by_08h(with_real_drives, number) == 3
    check_status(end_emulation(with_real_drives), OK)
    assert with_real_drives.agent.disk_count() == 2
    check_drive(with_real_drives, 0x80, REAL_DISK)
    check_drive(with_real_drives, 0x81, OUR_DISK)
    assert drives_by_08h(with_real_drives, 0x81) == 2


# ---- Disc change under an emulated drive ---------------------------------------------


@of_each_kind
@on_two_paths
def test_emulated_drive_is_readable_only_from_its_own_disc(drive, medium, other):
    number, geometry = drive_of(medium), geometry_of(medium)
    check_read_chs(drive, number, medium, drive.image, 9)
    drive.tray.take_out()
    for sector in (9, 40):
        check_status(read_chs(drive, number, geometry, sector, 1), NO_MEDIUM)
    drive.tray.put_in(other)
    for sector in (9, 40):
        assert read_chs(drive, number, geometry, sector, 1).cf
    check_status(read_chs(drive, number, geometry, 9, 1), NO_MEDIUM)
    drive.tray.change(drive.disc)
    check_status(read_chs(drive, number, geometry, 9, 1), CHANGED)
    check_read_chs(drive, number, medium, drive.image, 9)
    check_read_chs(drive, number, medium, drive.image, 40)


# ---- 4Ah to 4Dh ----------------------------------------------------------------------


def specification(medium: int, drive: int, lba: int, segment: int = 0, count: int = 0,
                  chs: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    """The packet of 4Ah to 4Ch; the device is LUN 0 at the CD's ID."""
    return struct.pack("<BBBBIBBHHHBBB", 0x13, medium, drive, 0, lba, 0, CD_ID, 0, segment,
                       count, *chs)


def last_chs(medium: int) -> tuple[int, int, int]:
    """Geometry in the form of a packet and of AH=08h: CH, CL, DH."""
    cylinders, heads, track = geometry_of(medium)
    return (cylinders - 1) & 0xFF, (cylinders - 1) >> 2 & 0xC0 | track, heads - 1


def emulation_call(pc: Bench, function: int, drive: int, packet: bytes = bytes(0x13),
                   al: int = 0) -> Registers:
    pc.ram[PACKET:PACKET + 0x20] = packet.ljust(0x20, bytes([FILL]))
    return pc.agent.int13("ah", ah=function, al=al, dl=drive, ds=PACKET >> 4, si=PACKET & 15)


def filled(pc: Bench) -> bytes:
    """The packet that 4Bh filled in; nothing after it was written."""
    assert pc.ram[PACKET + 0x13:PACKET + 0x20] == bytes([FILL]) * 13
    return bytes(pc.ram[PACKET:PACKET + 0x13])


@on_two_paths
def test_4bh_returns_boot_specification_of_cd(pc):
    check_status(emulation_call(pc, 0x4B, CD, al=1), OK)
    assert filled(pc) == specification(NO_EMULATION, CD, pc.disc.lbas[0], count=4)


@of_each_kind
@on_two_paths
def test_4bh_returns_specification_during_and_after_emulation(drive, medium):
    number = drive_of(medium)
    expected = specification(medium, number, drive.disc.lbas[0], 0x7C0, 1, last_chs(medium))
    for queried in (number, CD, ANY):
        check_status(emulation_call(drive, 0x4B, queried, al=1), OK)
        assert filled(drive) == expected
    check_status(end_emulation(drive, number), OK)
    assert filled(drive) == expected
    assert read_chs(drive, number, geometry_of(medium), 0, 1).cf
    check_read(drive, CATALOG_LBA)


@on_two_paths
def test_4dh_reads_boot_catalog(pc):
    pc.put(0x10001, bytes(2 * BLOCK))
    packet = struct.pack("<BBHHH", 8, 2, 1, 0x1000, 0)
    check_status(emulation_call(pc, 0x4D, CD, packet), OK)
    pc.check_memory(0x10001, pc.disc.blocks_from(CATALOG_LBA, 2))
    packet = struct.pack("<BBHHH", 8, 1, 1, 0x1000, 1)
    check_status(emulation_call(pc, 0x4D, CD, packet), OK)
    pc.check_memory(0x10001, pc.disc.blocks_from(CATALOG_LBA + 1, 1) + pc.disc.blocks_from(
        CATALOG_LBA + 1, 1))
    assert emulation_call(pc, 0x4D, CD, struct.pack("<BBHHH", 7, 1, 1, 0x1000, 0)).ah == BAD_COMMAND
    assert emulation_call(pc, 0x4D, CD, packet, al=1).ah == BAD_COMMAND


WATCHED = [(0x000, 0x400), (0x410, 0x414), (0x475, 0x478)]


def state(pc: Bench) -> list[bytes]:
    """Interrupt vectors, equipment word, memory size and disk count."""
    return [bytes(pc.ram[start:end]) for start, end in WATCHED]


@of_each_kind
@on_each_path
def test_4bh_restores_state_from_before_4ah(pc, medium):
    number, which = drive_of(medium), {FLOPPY_1440: 1, HARD_DISK: 2}[medium]
    image, before = image_of(pc.disc, which), state(pc)
    disks, floppies_before = pc.agent.disk_count(), floppies(pc)
    check_status(emulation_call(pc, 0x4A, CD, specification(medium, number, pc.disc.lbas[which])), OK)
    assert (floppies(pc), pc.agent.disk_count()) == (
        floppies_before + (medium != HARD_DISK), disks + (medium == HARD_DISK))
    for sector, count in ((0, 1), (5, 20)):
        check_read_chs(pc, number, medium, image, sector, count)
    check_read(pc, 5)
    assert emulation_call(pc, 0x4A, CD, specification(medium, number, pc.disc.lbas[which])
                          ).ah == ALREADY_EMULATING
    check_status(end_emulation(pc), OK)
    assert state(pc) == before
    check_read(pc, 5)


@on_two_paths
def test_4ah_with_invalid_packet_changes_nothing(pc):
    before, lba = state(pc), pc.disc.lbas[1]
    good = specification(FLOPPY_1440, FLOPPY, lba)
    for packet, al, status in [
            (b"\x12" + good[1:], 0, BAD_COMMAND), (good, 1, BAD_COMMAND),
            (specification(0, FLOPPY, lba), 0, BAD_COMMAND),
            (specification(5, FLOPPY, lba), 0, BAD_COMMAND),
            (specification(FLOPPY_1440, DISK, lba), 0, BAD_COMMAND),
            (specification(HARD_DISK, FLOPPY, pc.disc.lbas[2]), 0, BAD_COMMAND),
            (specification(FLOPPY_1440, FLOPPY, pc.disc.blocks), 0, NOT_FOUND)]:
        check_status(emulation_call(pc, 0x4A, CD, packet, al), status)
        assert state(pc) == before
    check_read(pc, 5)


@pytest.mark.parametrize("medium", [NO_EMULATION, FLOPPY_1440, HARD_DISK], ids=KIND)
@on_two_paths
def test_4ch_boots_another_image_of_disc(pc, medium):
    """The running agent makes the call; the agent in the other image replies."""
    number = CD if medium == NO_EMULATION else drive_of(medium)
    which = {NO_EMULATION: 0, FLOPPY_1440: 1, HARD_DISK: 2}[medium]
    packet = specification(medium, number, pc.disc.lbas[which], segment=0x1000, count=4)
    pc.ram[PACKET:PACKET + 0x20] = packet.ljust(0x20, b"\0")
    pc.ram[ENTRY:ENTRY + ENTRY_BYTES] = bytes(ENTRY_BYTES)
    registers = Registers().with_halves(ax=0x4C00, dl=CD, ds=PACKET >> 4, si=PACKET & 15)
    pc.machine.com2.sendall(b"i" + struct.pack("<IB", 1, 0x13) + registers.pack())
    pc.agent = type(pc.agent)(pc.machine, pc.ram)
    entered = Entered.of(pc)
    assert (entered.registers.dl, entered.cs, entered.ip) == (number, 0x1000, 0)
    check_read(pc, 5)
    if medium != NO_EMULATION:
        check_read_chs(pc, number, medium, image_of(pc.disc, which), 9)


@on_two_paths
def test_failed_4ch_changes_nothing(pc):
    before = state(pc)
    for packet in (specification(FLOPPY_1440, FLOPPY, pc.disc.blocks, 0x1000, 1),
                   specification(9, FLOPPY, pc.disc.lbas[1], 0x1000, 1)):
        assert emulation_call(pc, 0x4C, CD, packet).cf
        assert state(pc) == before
    check_read(pc, 5)


# ---- Several images, several drives --------------------------------------------------


@pytest.fixture(scope="module")
def choice(folder) -> Disc:
    return disc(folder / "choice.iso", Entry(agent_code(), segment=0x1000),
                Entry(b"not for a PC", platform=0xEF, name="UEFI"),
                Entry(agent_code(), segment=0x2000, name="the other one"))


@pytest.mark.parametrize("path, key, cs", [
    ("microvm", "", 0x1000), ("nolsi", "2", 0x2000), ("c810", "1", 0x1000), ("nolsi", "\r", 0x1000),
    ("c810", "2", 0x2000)])
def test_several_boot_images_are_offered_in_menu(path, key, cs, tmp_path, choice):
    with Machine(PATHS[path], *cd_arguments(choice.file, CD_ID)) as machine:
        text = machine.console.wait_for("  Boot entry (1-2)? ")
        assert "  1 default entry\n" in text and "  2 the other one" in text
        machine.console.send(key)
        agent = Agent(machine)
        assert struct.unpack("<H", agent.read(ENTRY + 42, 2)) == (cs,)


@on_whole_pcs
def test_bios_cd_keeps_its_number(path, tmp_path, plain, other):
    """The BIOS has already assigned E0h to it: our CD gets E1h."""
    ide = ["-drive", f"if=none,id=idecd,media=cdrom,format=raw,file={other.file}",
           "-device", "ide-cd,drive=idecd"]
    with booted(path, tmp_path, plain, *ide, extra=",bootindex=0") as pc:
        assert Entered.of(pc).registers.dl == CD + 1
        check_read(pc, 100, drive=CD + 1)
        pc.put(0x10001, bytes(BLOCK))
        assert not pc.agent.interrupt(0x13, packet_read(pc, CD, 100)).cf
        pc.check_memory(0x10001, other.blocks_from(100, 1))


def packet_read(pc: Bench, drive: int, lba: int) -> Registers:
    pc.ram[PACKET:PACKET + 16] = struct.pack("<BBHHHQ", 16, 0, 1, 1, 0x1000, lba)
    return Registers().with_halves(ax=0x4200, dl=drive, ds=PACKET >> 4, si=PACKET & 15)


@on_each_path
def test_cd_with_lowest_bootindex_boots_and_both_are_readable(path, tmp_path, plain, other):
    second = cd_arguments(other.file, CD_ID + 1, ",bootindex=0")
    with booted(path, tmp_path, plain, *second, extra=",bootindex=1") as pc:
        numbers = {Entered.of(pc).registers.dl: other}
        numbers[CD + CD + 1 - next(iter(numbers))] = plain
        assert set(numbers) == {CD, CD + 1}
        for number, cd in numbers.items():
            check_read(pc, 100, drive=number, cd=cd)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A booted CD, one INT 13h call at a time (ring 2). The boot image is the
agent itself, so that the calls are made by what came from the CD: on a number
of its own, and on emulated drives beside real ones.
"""

from __future__ import annotations

import contextlib
import errno
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.boot.bootcds import (BLOCK, CATALOG_LBA, FLOPPY_1200, FLOPPY_1440, FLOPPY_2880,
                                HARD_DISK, NO_EMULATION, Disc, Entry, agent_code, disc,
                                drive_image, geometry_of, pattern, sectors_of)
from tests.qemu.agent import BUFFER, FIXED_FLAG, IF, PACKET, Agent, Registers
from tests.qemu.calls import (BAD_COMMAND, CHANGED, FILL, HIGH, NOT_FOUND, NO_MEDIUM, OK, SECTOR,
                              WRITE_PROTECTED, Bench, bench)
from tests.qemu.machine import PATHS, Machine, cd_arguments, disk_arguments

pytestmark = pytest.mark.qemu("CDs and emulated drives, one call at a time")

ALREADY_EMULATING = 0xB3
LOCKED = 0xB1
CD, FLOPPY, DISK, ANY = 0xE0, 0x00, 0x80, 0x7F
CD_ID = 2

on_each_path = pytest.mark.parametrize("path", ["microvm", "nolsi", "c810", "bochs"])
on_two_paths = pytest.mark.parametrize("path", ["microvm", "c810"])
on_whole_pcs = pytest.mark.parametrize("path", ["nolsi", "c810", "bochs"])  # IDE, floppies
KIND = {NO_EMULATION: "no-emulation", FLOPPY_1200: "1.2", FLOPPY_1440: "floppy",
        FLOPPY_2880: "2.88", HARD_DISK: "hard-disk"}.get
of_each_kind = pytest.mark.parametrize("medium", [FLOPPY_1440, HARD_DISK], ids=KIND)

# ---- What cdagent.S writes down ------------------------------------------------------

ENTRY = 0x3F00
ENTRY_BYTES = 46


@dataclass(frozen=True)
class Entered:
    """The registers that a boot image was entered with."""
    registers: Registers
    ss: int
    cs: int
    ip: int

    @classmethod
    def of(cls, pc: Bench) -> Entered:
        data = bytes(pc.ram[ENTRY:ENTRY + ENTRY_BYTES])
        return cls(Registers.unpack(data[:40]), *struct.unpack("<3H", data[40:]))


# ---- Discs and machines --------------------------------------------------------------


def drive_of(medium: int) -> int:
    return DISK if medium == HARD_DISK else FLOPPY


class Tray:
    """The CD drive from outside: QMP."""

    def __init__(self, machine: Machine):
        self._qmp = machine.qmp
        self._name = f"dev{CD_ID}"
        self._nodes = 0

    def press_button(self) -> None:
        self._qmp("eject", id=self._name)

    def take_out(self) -> None:
        self._qmp("blockdev-open-tray", id=self._name, force=True)
        self._qmp("blockdev-remove-medium", id=self._name)

    def put_in(self, new: Disc) -> None:
        self._nodes += 1
        node = f"medium{self._nodes}"
        self._qmp("blockdev-add", driver="raw", node_name=node, read_only=True,
                  file={"driver": "file", "filename": str(new.file)})
        self._qmp("blockdev-open-tray", id=self._name, force=True)
        self._qmp("blockdev-insert-medium", id=self._name, node_name=node)
        self._qmp("blockdev-close-tray", id=self._name)

    def change(self, new: Disc) -> None:
        self.take_out()
        self.put_in(new)

    def _state(self, key: str) -> bool:
        devices = {entry.get("qdev"): entry for entry in self._qmp("query-block")}
        return devices[self._name][key]

    @property
    def locked(self) -> bool:
        return self._state("locked")

    @property
    def is_open(self) -> bool:
        return self._state("tray_open")


@contextlib.contextmanager
def booted(path: str, directory: Path, cd: Disc, *arguments: str, extra: str = "",
           bad: tuple[int, int] | None = None) -> Iterator[Bench]:
    """The agent, when the CD has booted it; `bad` is a block that cannot be
    read, and why."""
    drive = cd_arguments(cd.file, CD_ID, extra)
    if bad:
        drive = cd_arguments(*unreadable(cd, *bad), extra)
    with bench(None, path, directory, *drive, *arguments) as pc:
        pc.tray = Tray(pc.machine)
        pc.disc = cd
        yield pc


def unreadable(cd: Disc, lba: int, number: int) -> tuple[str, int]:
    return (f"blkdebug::{cd.file},file.inject-error.0.event=read_aio,"
            f"file.inject-error.0.errno={number},file.inject-error.0.sector={lba * 4}", CD_ID)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("discs")


@pytest.fixture(scope="module")
def plain(folder) -> Disc:
    """No emulation; two images of drives that the catalog does not name."""
    return disc(folder / "plain.iso", Entry(agent_code()),
                more=(drive_image(FLOPPY_1440, agent_code(), 2),
                      drive_image(HARD_DISK, agent_code(), 3)),
                blocks=2000)


@pytest.fixture(scope="module")
def other(folder) -> Disc:
    """Larger, and different behind its boot image."""
    return disc(folder / "other.iso", Entry(agent_code()), more=(pattern(8000, 0xBB),), blocks=3000)


@pytest.fixture(scope="module")
def emulated(folder) -> dict[int, Disc]:
    """An emulated drive of each kind."""
    return {medium: disc(folder / f"emulated-{medium}.iso",
                         Entry(drive_image(medium, agent_code()), medium, 0x7C0, count=1))
            for medium in (FLOPPY_1200, FLOPPY_1440, FLOPPY_2880, HARD_DISK)}


@pytest.fixture
def pc(path, tmp_path, plain):
    with booted(path, tmp_path, plain) as pc:
        yield pc


@pytest.fixture
def drive(path, medium, tmp_path, emulated):
    """Booted from an emulated drive."""
    with booted(path, tmp_path, emulated[medium]) as pc:
        pc.image = image_of(emulated[medium])
        yield pc


def image_of(cd: Disc, number: int = 0) -> bytes:
    """What lies on the disc from one of its images to its end."""
    return cd.blocks_from(cd.lbas[number], cd.blocks - cd.lbas[number])


def ask(pc: Bench, function: int, drive: int = CD, al: int = 0) -> Registers:
    return pc.agent.int13("ah al", ah=function, al=al, dl=drive)


def ends_with(registers: Registers, status: int) -> Registers:
    assert (registers.ah, registers.cf) == (status, status != OK)
    return registers


def reads(pc: Bench, lba: int, count: int = 1, drive: int = CD, cd: Disc | None = None) -> None:
    """42h gives the blocks of the disc, and leaves what is beside the buffer."""
    pc.put(0x10001, bytes(count * BLOCK))
    pc.expect(pc.edd(0x42, lba, count, 0x10001, drive=drive), OK)
    pc.check_memory(0x10001, (cd or pc.disc).blocks_from(lba, count))


def gives_no_data(pc: Bench, function: int, status: int, lba: int = 5) -> None:
    mark = pattern(4, 0xA0)
    pc.put(0x10001, mark)
    pc.expect(pc.edd(function, lba, 1, 0x10001, drive=CD), status)
    assert pc.count() == 0
    pc.check_memory(0x10001, mark)


def sector_of(image: bytes, sector: int, count: int = 1) -> bytes:
    return image[sector * SECTOR:(sector + count) * SECTOR]


def read_chs(pc: Bench, drive: int, geometry: tuple[int, int, int], sector: int, count: int,
             address: int = 0x10001, function: int = 0x02) -> Registers:
    _, heads, track = geometry
    return pc.chs(function, sector, count, address, (heads, track), drive)


def reads_chs(pc: Bench, drive: int, medium: int, image: bytes, sector: int,
              count: int = 1) -> None:
    pc.put(0x10001, bytes(count * SECTOR))
    result = ends_with(read_chs(pc, drive, geometry_of(medium), sector, count), OK)
    assert result.al == count
    pc.check_memory(0x10001, sector_of(image, sector, count))


# ---- A boot image without emulation --------------------------------------------------


@on_each_path
def test_the_boot_image_is_entered_with_the_number_of_its_cd(pc):
    entered = Entered.of(pc)
    assert (entered.registers.dl, entered.cs, entered.ip) == (CD, 0, 0x7C00)
    assert entered.registers.flags & IF
    image = agent_code().ljust(BLOCK, b"\0")
    assert pc.agent.read(0x7C00, BLOCK) == image[:BLOCK]


@pytest.mark.parametrize("path", ["microvm", "nolsi", "c810"])
def test_the_other_registers_are_those_that_the_bios_called_with(pc):
    """SeaBIOS calls a boot entry with AX=AA55h and all others 0."""
    registers = Entered.of(pc).registers
    assert replace(registers, flags=0, sp=0) == Registers(0, 0, 0, 0, CD, 0, 0xAA55, *[0] * 6)


@pytest.mark.parametrize("segment, cs, ip", [(0x7C0, 0, 0x7C00), (0x1000, 0x1000, 0),
                                             (0x3123, 0x3000, 0x1230)])
def test_the_boot_image_is_loaded_where_the_catalog_says(segment, cs, ip, tmp_path):
    cd = disc(tmp_path / "cd.iso", Entry(agent_code() + pattern(20, 7), segment=segment, count=23))
    with booted("microvm", tmp_path, cd) as pc:
        entered = Entered.of(pc)
        assert (entered.cs, entered.ip, entered.registers.dl) == (cs, ip, CD)
        assert pc.agent.read(segment * 16, 23 * SECTOR) == image_of(cd)[:23 * SECTOR]


@on_each_path
def test_a_cd_is_read_in_blocks_of_2048_bytes(pc):
    for lba, count in ((0, 1), (16, 5), (pc.disc.blocks - 1, 1), (1000, 60)):
        reads(pc, lba, count)
    pc.ram[HIGH:HIGH + 300 * BLOCK] = bytes(300 * BLOCK)
    pc.expect(pc.long(0x42, 1700, 299, HIGH, drive=CD), OK)
    assert pc.ram[HIGH:HIGH + 300 * BLOCK] == pc.disc.blocks_from(1700, 299) + bytes(BLOCK)


@on_two_paths
def test_the_end_of_the_disc_is_the_end(pc):
    end = pc.disc.blocks
    gives_no_data(pc, 0x42, NOT_FOUND, lba=end)
    pc.expect(pc.edd(0x42, end - 1, 2, drive=CD), NOT_FOUND)
    pc.expect(pc.edd(0x44, end - 1, 2, drive=CD), NOT_FOUND)
    pc.expect(pc.edd(0x47, end, 1, drive=CD), NOT_FOUND)
    for function in (0x44, 0x47):
        pc.expect(pc.edd(function, end - 1, 1, drive=CD), OK)


@on_each_path
def test_a_cd_describes_itself(pc):
    found = pc.agent.int13("ah bx cx", ah=0x41, bx=0x55AA, dl=CD)
    assert (found.ah, found.bx, found.cf) == (0x30, 0xAA55, False)
    found = pc.agent.int13("ah cx dx", ah=0x15, dl=CD)
    assert (found.ah, found.cf, found.cx << 16 | found.dx) == (3, False, pc.disc.blocks)
    flags, *_, sectors, size = struct.unpack_from("<HIIIQH", pc.parameters(drive=CD), 2)
    assert (sectors, size) == (pc.disc.blocks, BLOCK)
    assert flags & 0x76 == 0x34, "removable, change line, lockable; no CHS, medium present"
    assert pc.agent.disk_count() == 0


@on_two_paths
def test_calls_that_a_cd_knows_not_are_refused(pc):
    for function in (0x02, 0x04, 0x05, 0x08, 0x0C, 0x18, 0x4E, 0x50):
        ends_with(ask(pc, function, al=1), BAD_COMMAND)
    ends_with(ask(pc, 0x03, al=1), WRITE_PROTECTED)
    gives_no_data(pc, 0x43, WRITE_PROTECTED)
    for function in (0x00, 0x0D, 0x09, 0x10, 0x11, 0x14, 0x16, 0x49):
        ends_with(pc.agent.int13(ah=function, dl=CD), OK)
    reads(pc, 5)


@on_two_paths
def test_numbers_behind_the_last_cd_are_not_ours(pc):
    assert ask(pc, 0x10, CD + 1).cf and ask(pc, 0x15, CD + 1).cf


# ---- Change and eject ----------------------------------------------------------------


@on_each_path
def test_a_change_is_told_once_and_the_new_disc_is_read(pc, other):
    reads(pc, 5)
    pc.tray.change(other)
    gives_no_data(pc, 0x42, CHANGED)
    reads(pc, other.blocks - 1, cd=other)
    assert struct.unpack_from("<Q", pc.parameters(drive=CD), 0x10)[0] == other.blocks
    pc.expect(ask(pc, 0x49), CHANGED)
    pc.expect(ask(pc, 0x49), OK)


@on_two_paths
def test_without_a_disc_there_is_no_medium(pc, plain):
    pc.tray.take_out()
    for _ in range(2):
        for function in (0x42, 0x44):
            gives_no_data(pc, function, NO_MEDIUM)
        for function in (0x10, 0x46, 0x49):
            pc.expect(ask(pc, function), NO_MEDIUM)
    pc.tray.put_in(plain)
    gives_no_data(pc, 0x42, CHANGED)
    reads(pc, 5)


@on_two_paths
def test_a_lock_holds_the_tray_against_button_and_call(pc):
    assert not pc.tray.locked
    assert pc.expect(ask(pc, 0x45, al=0), OK).al == 1
    assert pc.tray.locked
    with pytest.raises(RuntimeError, match="is locked"):
        pc.tray.press_button()
    pc.expect(ask(pc, 0x46), LOCKED)
    assert not pc.tray.is_open
    reads(pc, 5)
    assert pc.expect(ask(pc, 0x45, al=1), OK).al == 0
    assert not pc.tray.locked
    pc.expect(ask(pc, 0x46), OK)
    assert pc.tray.is_open
    gives_no_data(pc, 0x42, NO_MEDIUM)


@on_two_paths
def test_the_button_takes_the_disc_away(pc):
    pc.tray.press_button()
    assert pc.tray.is_open
    gives_no_data(pc, 0x42, NO_MEDIUM)


# ---- Blocks that cannot be read ------------------------------------------------------

REASONS = pytest.mark.parametrize("number, status", [(errno.EIO, 0x20), (errno.ENODATA, 0x10)],
                                  ids=["aborted", "medium-error"])


@REASONS
@on_two_paths
def test_a_bad_block_has_its_status_and_others_are_read(path, tmp_path, plain, number, status):
    with booted(path, tmp_path, plain, bad=(100, number)) as pc:
        for lba, count in ((100, 1), (97, 9)):
            pc.expect(pc.edd(0x42, lba, count, drive=CD), status)
            assert pc.count() == 0
        reads(pc, 99)
        reads(pc, 101, 20)


@of_each_kind
@on_two_paths
def test_a_bad_block_takes_its_four_sectors_only(path, tmp_path, emulated, medium):
    cd, block = emulated[medium], 7
    with booted(path, tmp_path, cd, bad=(cd.lbas[0] + block, errno.ENODATA)) as pc:
        number, image = drive_of(medium), image_of(cd)
        for sector in range(block * 4, block * 4 + 4):
            assert ends_with(read_chs(pc, number, geometry_of(medium), sector, 1), 0x10).al == 0
        assert ends_with(read_chs(pc, number, geometry_of(medium), block * 4 - 2, 5), 0x10).al <= 2
        reads_chs(pc, number, medium, image, block * 4 - 1)
        reads_chs(pc, number, medium, image, block * 4 + 4)


# ---- Emulated drives -----------------------------------------------------------------


@of_each_kind
@on_each_path
def test_an_emulated_drive_boots_under_the_first_number(drive, medium):
    entered = Entered.of(drive)
    assert (entered.registers.dl, entered.cs, entered.ip) == (drive_of(medium), 0, 0x7C00)
    assert entered.registers.flags & IF
    assert drive.agent.read(0x7C00, SECTOR) == sector_of(drive.image, 0)


@pytest.mark.parametrize("medium", [FLOPPY_1200, FLOPPY_1440, FLOPPY_2880, HARD_DISK], ids=KIND)
@on_two_paths
def test_sectors_of_512_bytes_are_cut_out_of_blocks(drive, medium):
    number, last = drive_of(medium), sectors_of(geometry_of(medium)) - 1
    for sector, count in ((0, 1), (1, 1), (2, 1), (3, 1), (1, 2), (3, 2), (3, 9), (7, 10), (8, 8),
                          (last, 1), (last - 3, 4)):
        reads_chs(drive, number, medium, drive.image, sector, count)
    for sector, count in ((1, 1), (6, 100), (last, 1)):
        drive.put(0x20003, bytes(count * SECTOR))
        ends_with(drive.edd(0x42, sector, count, 0x20003, drive=number), OK)
        drive.check_memory(0x20003, sector_of(drive.image, sector, count))
    drive.ram[HIGH:HIGH + 0x20000] = bytes(0x20000)
    ends_with(drive.long(0x42, 5, 201, HIGH, drive=number), OK)
    assert drive.ram[HIGH:HIGH + 0x20000] == sector_of(drive.image, 5, 201).ljust(0x20000, b"\0")


@of_each_kind
@on_two_paths
def test_an_emulated_drive_ends_where_its_geometry_does(drive, medium):
    geometry = cylinders, heads, track = geometry_of(medium)
    number, end = drive_of(medium), sectors_of(geometry)
    assert read_chs(drive, number, geometry, end, 1).cf
    assert ends_with(drive.edd(0x42, end, 1, drive=number), NOT_FOUND) and drive.count() == 0
    ends_with(drive.edd(0x42, end - 1, 2, drive=number), NOT_FOUND)
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
def test_an_emulated_drive_says_what_it_is(drive, medium):
    number, sectors = drive_of(medium), sectors_of(geometry_of(medium))
    found = drive.agent.int13("ah cx dx", ah=0x15, dl=number)
    if medium == HARD_DISK:
        assert (found.ah, found.cf, found.cx << 16 | found.dx) == (3, False, sectors)
    else:
        assert (found.ah, found.cf) == (2, False)
    found = drive.agent.int13("ah bx cx", ah=0x41, bx=0x55AA, dl=number)
    assert (found.ah, found.bx, found.cf) == (0x30, 0xAA55, False)
    ends_with(emulation_call(drive, 0x48, number, b"\x1a\0"), OK)
    assert struct.unpack_from("<IIIQH", drive.ram, PACKET + 4) == (
        *geometry_of(medium), sectors, SECTOR)


@of_each_kind
@on_two_paths
def test_nothing_is_written_to_an_emulated_drive(drive, medium):
    number = drive_of(medium)
    drive.put(0x10001, pattern(1, 0xBAD & 0xFF))
    ends_with(read_chs(drive, number, geometry_of(medium), 9, 1, function=0x03), WRITE_PROTECTED)
    ends_with(drive.edd(0x43, 9, 1, 0x10001, drive=number), WRITE_PROTECTED)
    reads_chs(drive, number, medium, drive.image, 9)
    assert drive.disc.file.read_bytes() == drive.disc.content


@on_two_paths
@pytest.mark.parametrize("medium", [FLOPPY_1440], ids=KIND)
def test_the_status_of_an_emulated_floppy_is_where_floppies_have_it(drive, medium):
    drive.ram[0x441], drive.ram[0x474] = 0x55, 0x66
    ends_with(drive.edd(0x43, 9, 1, drive=FLOPPY), WRITE_PROTECTED)
    assert (drive.ram[0x441], drive.ram[0x474]) == (WRITE_PROTECTED, 0x66)


@of_each_kind
@on_two_paths
def test_the_cd_itself_can_be_read_beside_its_emulated_drive(drive, medium):
    drive.put(0x10001, bytes(BLOCK))
    ends_with(drive.edd(0x42, CATALOG_LBA, 1, 0x10001, drive=CD), OK)
    drive.check_memory(0x10001, drive.disc.blocks_from(CATALOG_LBA, 1))


# ---- Real drives move up, and come back ----------------------------------------------


REAL_FLOPPY = pattern(sectors_of(geometry_of(FLOPPY_1440)), 0x0F)
REAL_DISK = pattern(16 * 63 * 20, 0x0D)
OUR_DISK = pattern(4096, 0x0C)


@pytest.fixture
def beside(path, medium, tmp_path, emulated):
    """Booted from an emulated drive beside a real floppy, an IDE disk and a
    disk of ours."""
    for name, data in (("floppy", REAL_FLOPPY), ("ide", REAL_DISK), ("scsi", OUR_DISK)):
        (tmp_path / name).write_bytes(data)
    drives = ["-drive", f"if=floppy,format=raw,file={tmp_path}/floppy,snapshot=on",
              "-drive", f"if=none,id=ide,format=raw,file={tmp_path}/ide,snapshot=on",
              "-device", "ide-hd,drive=ide", *disk_arguments(tmp_path / "scsi", 0)]
    with booted(path, tmp_path, emulated[medium], *drives, extra=",bootindex=0") as pc:
        pc.image = image_of(emulated[medium])
        yield pc


def is_drive(pc: Bench, number: int, content: bytes, interrupt: int = 0x13) -> None:
    """Sector 2 of the first track, read by CHS, is that of this drive."""
    pc.put(BUFFER, bytes(SECTOR))
    registers = Registers(flags=FIXED_FLAG | IF).with_halves(
        ax=0x0201, cx=2, dh=0, dl=number, es=BUFFER >> 4, bx=0)
    assert not pc.agent.interrupt(interrupt, registers).cf
    pc.check_memory(BUFFER, sector_of(content, 1))


def drives_told(pc: Bench, number: int) -> int:
    """How many drives of its class AH=08h of this one tells, whoever serves it."""
    registers = pc.agent.interrupt(0x13, Registers(flags=FIXED_FLAG | IF).with_halves(
        ax=0x0800, dl=number))
    assert not registers.cf
    return registers.dl


def floppies(pc: Bench) -> int:
    """How many the equipment word has."""
    word = pc.ram[0x410]
    return (word >> 6) + 1 if word & 1 else 0


def floppies_of_bios(pc: Bench, path: str) -> int:
    """How many real ones the BIOS has found. Bochs's believes CMOS 14h, where
    QEMU 10.0 forgets them."""
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
def test_an_emulated_floppy_moves_real_ones_up_until_it_ends(beside, path, medium):
    real = floppies_of_bios(beside, path)
    assert floppies(beside) == real + 1 and beside.agent.disk_count() == 2
    is_drive(beside, 0x00, beside.image)
    is_drive(beside, 0x01, REAL_FLOPPY)
    is_drive(beside, 0x00, REAL_FLOPPY, interrupt=0x40)
    is_drive(beside, 0x80, REAL_DISK)
    is_drive(beside, 0x81, OUR_DISK)
    assert drives_told(beside, 0x01) == real + 1
    ends_with(end_emulation(beside), OK)
    assert floppies(beside) == real
    is_drive(beside, 0x00, REAL_FLOPPY)
    assert drives_told(beside, 0x00) == 1
    is_drive(beside, 0x80, REAL_DISK)
    is_drive(beside, 0x81, OUR_DISK)


@on_whole_pcs
@pytest.mark.parametrize("medium", [HARD_DISK], ids=KIND)
def test_an_emulated_disk_moves_real_ones_up_until_it_ends(beside, medium):
    assert beside.agent.disk_count() == 3
    is_drive(beside, 0x80, beside.image)
    is_drive(beside, 0x81, REAL_DISK)
    is_drive(beside, 0x82, OUR_DISK)
    is_drive(beside, 0x00, REAL_FLOPPY)
    for number in (0x80, 0x81, 0x82):
        assert drives_told(beside, number) == 3
    ends_with(end_emulation(beside), OK)
    assert beside.agent.disk_count() == 2
    is_drive(beside, 0x80, REAL_DISK)
    is_drive(beside, 0x81, OUR_DISK)
    assert drives_told(beside, 0x81) == 2


# ---- An emulated drive whose disc changes --------------------------------------------


@of_each_kind
@on_two_paths
def test_another_disc_is_not_the_emulated_drive(drive, medium, other):
    number, geometry = drive_of(medium), geometry_of(medium)
    reads_chs(drive, number, medium, drive.image, 9)
    drive.tray.take_out()
    for sector in (9, 40):
        ends_with(read_chs(drive, number, geometry, sector, 1), NO_MEDIUM)
    drive.tray.put_in(other)
    for sector in (9, 40):
        assert read_chs(drive, number, geometry, sector, 1).cf
    ends_with(read_chs(drive, number, geometry, 9, 1), NO_MEDIUM)
    drive.tray.change(drive.disc)
    ends_with(read_chs(drive, number, geometry, 9, 1), CHANGED)
    reads_chs(drive, number, medium, drive.image, 9)
    reads_chs(drive, number, medium, drive.image, 40)


# ---- 4Ah to 4Dh ----------------------------------------------------------------------


def specification(medium: int, drive: int, lba: int, segment: int = 0, count: int = 0,
                  chs: tuple[int, int, int] = (0, 0, 0)) -> bytes:
    """The packet of 4Ah to 4Ch: the device is LUN 0 of the CD's ID."""
    return struct.pack("<BBBBIBBHHHBBB", 0x13, medium, drive, 0, lba, 0, CD_ID, 0, segment,
                       count, *chs)


def last_chs(medium: int) -> tuple[int, int, int]:
    """Geometry as a packet and AH=08h have it: CH, CL, DH."""
    cylinders, heads, track = geometry_of(medium)
    return (cylinders - 1) & 0xFF, (cylinders - 1) >> 2 & 0xC0 | track, heads - 1


def emulation_call(pc: Bench, function: int, drive: int, packet: bytes = bytes(0x13),
                   al: int = 0) -> Registers:
    pc.ram[PACKET:PACKET + 0x20] = packet.ljust(0x20, bytes([FILL]))
    return pc.agent.int13("ah", ah=function, al=al, dl=drive, ds=PACKET >> 4, si=PACKET & 15)


def filled(pc: Bench) -> bytes:
    """The packet that 4Bh filled in; it wrote nothing behind it."""
    assert pc.ram[PACKET + 0x13:PACKET + 0x20] == bytes([FILL]) * 13
    return bytes(pc.ram[PACKET:PACKET + 0x13])


@on_two_paths
def test_4bh_tells_how_the_cd_was_booted(pc):
    ends_with(emulation_call(pc, 0x4B, CD, al=1), OK)
    assert filled(pc) == specification(NO_EMULATION, CD, pc.disc.lbas[0], count=4)


@of_each_kind
@on_two_paths
def test_4bh_tells_of_an_emulation_and_of_its_end(drive, medium):
    number = drive_of(medium)
    expected = specification(medium, number, drive.disc.lbas[0], 0x7C0, 1, last_chs(medium))
    for asked in (number, CD, ANY):
        ends_with(emulation_call(drive, 0x4B, asked, al=1), OK)
        assert filled(drive) == expected
    ends_with(end_emulation(drive, number), OK)
    assert filled(drive) == expected
    assert read_chs(drive, number, geometry_of(medium), 0, 1).cf
    reads(drive, CATALOG_LBA)


@on_two_paths
def test_4dh_reads_the_boot_catalog(pc):
    pc.put(0x10001, bytes(2 * BLOCK))
    packet = struct.pack("<BBHHH", 8, 2, 1, 0x1000, 0)
    ends_with(emulation_call(pc, 0x4D, CD, packet), OK)
    pc.check_memory(0x10001, pc.disc.blocks_from(CATALOG_LBA, 2))
    packet = struct.pack("<BBHHH", 8, 1, 1, 0x1000, 1)
    ends_with(emulation_call(pc, 0x4D, CD, packet), OK)
    pc.check_memory(0x10001, pc.disc.blocks_from(CATALOG_LBA + 1, 1) + pc.disc.blocks_from(
        CATALOG_LBA + 1, 1))
    assert emulation_call(pc, 0x4D, CD, struct.pack("<BBHHH", 7, 1, 1, 0x1000, 0)).ah == BAD_COMMAND
    assert emulation_call(pc, 0x4D, CD, packet, al=1).ah == BAD_COMMAND


WATCHED = [(0x000, 0x400), (0x410, 0x414), (0x475, 0x478)]


def state(pc: Bench) -> list[bytes]:
    """Vectors, equipment, memory size and disks."""
    return [bytes(pc.ram[start:end]) for start, end in WATCHED]


@of_each_kind
@on_each_path
def test_4ah_begins_an_emulation_and_4bh_ends_it_without_a_trace(pc, medium):
    number, which = drive_of(medium), {FLOPPY_1440: 1, HARD_DISK: 2}[medium]
    image, before = image_of(pc.disc, which), state(pc)
    disks, floppies_before = pc.agent.disk_count(), floppies(pc)
    ends_with(emulation_call(pc, 0x4A, CD, specification(medium, number, pc.disc.lbas[which])), OK)
    assert (floppies(pc), pc.agent.disk_count()) == (
        floppies_before + (medium != HARD_DISK), disks + (medium == HARD_DISK))
    for sector, count in ((0, 1), (5, 20)):
        reads_chs(pc, number, medium, image, sector, count)
    reads(pc, 5)
    assert emulation_call(pc, 0x4A, CD, specification(medium, number, pc.disc.lbas[which])
                          ).ah == ALREADY_EMULATING
    ends_with(end_emulation(pc), OK)
    assert state(pc) == before
    reads(pc, 5)


@on_two_paths
def test_4ah_with_a_wrong_packet_changes_nothing(pc):
    before, lba = state(pc), pc.disc.lbas[1]
    good = specification(FLOPPY_1440, FLOPPY, lba)
    for packet, al, status in [
            (b"\x12" + good[1:], 0, BAD_COMMAND), (good, 1, BAD_COMMAND),
            (specification(0, FLOPPY, lba), 0, BAD_COMMAND),
            (specification(5, FLOPPY, lba), 0, BAD_COMMAND),
            (specification(FLOPPY_1440, DISK, lba), 0, BAD_COMMAND),
            (specification(HARD_DISK, FLOPPY, pc.disc.lbas[2]), 0, BAD_COMMAND),
            (specification(FLOPPY_1440, FLOPPY, pc.disc.blocks), 0, NOT_FOUND)]:
        ends_with(emulation_call(pc, 0x4A, CD, packet, al), status)
        assert state(pc) == before
    reads(pc, 5)


@pytest.mark.parametrize("medium", [NO_EMULATION, FLOPPY_1440, HARD_DISK], ids=KIND)
@on_two_paths
def test_4ch_boots_another_image_of_the_disc(pc, medium):
    """The agent asks, and the agent of that image answers."""
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
    reads(pc, 5)
    if medium != NO_EMULATION:
        reads_chs(pc, number, medium, image_of(pc.disc, which), 9)


@on_two_paths
def test_4ch_that_fails_changes_nothing(pc):
    before = state(pc)
    for packet in (specification(FLOPPY_1440, FLOPPY, pc.disc.blocks, 0x1000, 1),
                   specification(9, FLOPPY, pc.disc.lbas[1], 0x1000, 1)):
        assert emulation_call(pc, 0x4C, CD, packet).cf
        assert state(pc) == before
    reads(pc, 5)


# ---- More than one image, more than one drive ----------------------------------------


@pytest.fixture(scope="module")
def choice(folder) -> Disc:
    return disc(folder / "choice.iso", Entry(agent_code(), segment=0x1000),
                Entry(b"not for a PC", platform=0xEF, name="UEFI"),
                Entry(agent_code(), segment=0x2000, name="the other one"))


@pytest.mark.parametrize("path, key, cs", [
    ("microvm", "", 0x1000), ("nolsi", "2", 0x2000), ("c810", "1", 0x1000), ("nolsi", "\r", 0x1000),
    ("c810", "2", 0x2000)])
def test_more_than_one_image_is_a_choice(path, key, cs, tmp_path, choice):
    with Machine(PATHS[path], *cd_arguments(choice.file, CD_ID)) as machine:
        text = machine.console.wait_for("  Boot which (1-2)? ")
        assert "  1 default entry\n" in text and "  2 the other one" in text
        machine.console.send(key)
        agent = Agent(machine)
        assert struct.unpack("<H", agent.read(ENTRY + 42, 2)) == (cs,)


@on_whole_pcs
def test_a_cd_of_the_bios_keeps_its_number(path, tmp_path, plain, other):
    """It has given E0h away: ours is the next."""
    ide = ["-drive", f"if=none,id=idecd,media=cdrom,format=raw,file={other.file}",
           "-device", "ide-cd,drive=idecd"]
    with booted(path, tmp_path, plain, *ide, extra=",bootindex=0") as pc:
        assert Entered.of(pc).registers.dl == CD + 1
        reads(pc, 100, drive=CD + 1)
        pc.put(0x10001, bytes(BLOCK))
        assert not pc.agent.interrupt(0x13, packet_read(pc, CD, 100)).cf
        pc.check_memory(0x10001, other.blocks_from(100, 1))


def packet_read(pc: Bench, drive: int, lba: int) -> Registers:
    pc.ram[PACKET:PACKET + 16] = struct.pack("<BBHHHQ", 16, 0, 1, 1, 0x1000, lba)
    return Registers().with_halves(ax=0x4200, dl=drive, ds=PACKET >> 4, si=PACKET & 15)


@on_each_path
def test_the_cd_with_the_lowest_bootindex_boots_and_both_can_be_read(path, tmp_path, plain, other):
    second = cd_arguments(other.file, CD_ID + 1, ",bootindex=0")
    with booted(path, tmp_path, plain, *second, extra=",bootindex=1") as pc:
        numbers = {Entered.of(pc).registers.dl: other}
        numbers[CD + CD + 1 - next(iter(numbers))] = plain
        assert set(numbers) == {CD, CD + 1}
        for number, cd in numbers.items():
            reads(pc, 100, drive=number, cd=cd)


# ---- Discs that cannot boot ----------------------------------------------------------


def patched(offset: int, data: bytes):
    """A disc whose catalog has these bytes there."""
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
    "boot catalog: wrong checksum": patched(0x04, b"X"),
    "no bootable entry for this PC": with_entry(agent_code(), bootable=False),
    "media type not known": with_entry(agent_code(), 7),
    "image beyond the end of the disc": patched(0x28, struct.pack("<I", 50)),
    "nothing to load": with_entry(agent_code(), count=0),
    "no room at its load address": with_entry(agent_code(), segment=0x9FC0),
    "no boot sector": with_entry(pattern(720, 1), FLOPPY_1440),
    "no partition": with_entry(bytes(510) + b"\x55\xaa" + bytes(512), HARD_DISK),
}


@pytest.mark.parametrize("reason", NOT_BOOTABLE)
def test_a_disc_that_cannot_boot_says_why_and_the_next_cd_boots(reason, tmp_path, plain):
    bad = NOT_BOOTABLE[reason](tmp_path / "bad.iso")
    with booted("microvm", tmp_path, plain, *cd_arguments(bad.file, CD_ID - 1)) as pc:
        assert f"  not bootable: {reason}\n" in pc.machine.console.wait_for("E1h: ")
        assert Entered.of(pc).registers.dl == CD + 1
        reads(pc, 45, drive=CD, cd=bad)


@REASONS
def test_a_boot_image_that_cannot_be_read_says_why(tmp_path, plain, other, number, status):
    bad = cd_arguments(unreadable(other, other.lbas[0], number)[0], CD_ID - 1)
    with booted("microvm", tmp_path, plain, *bad) as pc:
        assert f"  not bootable: status {status:02X}h\n" in pc.machine.console.wait_for("E1h: ")


@on_two_paths
def test_a_cd_that_cannot_boot_leaves_int_13h_as_it_was(path, agent_rom):
    """The agent's own ROM boots next; and once more, with no CD before it."""
    def left(cd_index: int, said: str) -> bytes:
        arguments = [*cd_arguments(None, CD_ID, f",bootindex={cd_index}"),
                     "-option-rom", f"{agent_rom},bootindex=2"]
        with Machine(PATHS[path], *arguments) as machine:
            agent = Agent(machine)
            machine.console.wait_for(said)
            assert agent.interrupt(0x13, Registers().with_halves(ax=0x1000, dl=CD)).cf
            return agent.read(0x13 * 4, 4)
    assert left(1, "not bootable: no medium") == left(3, "1 CD")


# ---- What POST says ------------------------------------------------------------------


@pytest.mark.parametrize("disks, cds, line", [
    (0, 1, "no disk, 1 CD"), (1, 1, "1 disk, 1 CD"), (2, 3, "2 disks, 3 CDs")])
def test_post_counts_cds(disks, cds, line, agent_rom, tmp_path, plain, start):
    image = tmp_path / "disk.img"
    image.write_bytes(OUR_DISK)
    arguments = [argument for i in range(disks) for argument in disk_arguments(image, 3 + i)]
    arguments += [argument for i in range(cds) for argument in cd_arguments(plain.file, i)]
    pc = start("microvm", *arguments)
    assert f"host ID 7, {line}\n" in pc.machine.console.wait_for("Booting from ROM")


def test_post_says_what_an_empty_drive_lacks(start):
    pc = start("microvm", *cd_arguments(None, CD_ID))
    text = pc.machine.console.wait_for("Booting from ROM")
    assert f"  ID {CD_ID} LUN 0 QEMU QEMU CD-ROM: no medium\n" in text
    assert "no disk, 1 CD" in text


def test_the_boot_menu_names_the_cd(plain):
    with Machine(PATHS["nolsi"], *cd_arguments(plain.file, CD_ID), "-boot", "menu=on") as machine:
        machine.console.wait_for("Press ESC for boot menu")
        machine.console.send("\x1b")
        text = machine.console.wait_for(f"SCSI 00:04.0 ID {CD_ID} LUN 0 QEMU QEMU CD-ROM")
        entry = next(line for line in text.splitlines() if "QEMU CD-ROM" in line)
        machine.console.send(entry.split(".")[0].strip())
        assert Agent(machine).disk_count() == 0

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Detection and numbering of disks, faulty disks, geometry, and the memory that
the ROM keeps (ring 2).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable

import pytest
import romsign

from tests.build import ROM_895A, symbol
from tests.model.bios_data import SLACK_KIB, WORKSPACE_KIB
from tests.qemu.agent import BUFFER, PACKET, Agent, Registers, header_value
from tests.qemu.machine import PATHS, Machine, disk_arguments

pytestmark = pytest.mark.qemu("disks: numbers, order, faults, geometry")

OK, BAD_COMMAND, READ_ERROR, CONTROLLER, NO_MEDIUM, TIMEOUT = 0x00, 0x01, 0x10, 0x20, 0x31, 0x80

EIO, ENODATA = 5, 61
FAR_RETURN = 0xCB


def make_disk(directory, name: str, sectors: int = 4096, first: bytes = b"") -> str:
    """An image in which every sector begins with the disk's name."""
    image = directory / f"{name}.img"
    sector = name.encode().ljust(512, b".")
    image.write_bytes(first.ljust(512, b"\0")[:512] + sector * (sectors - 1) if first
                      else sector * sectors)
    return str(image)


def name_of(pc, drive: int) -> str:
    """The name of the disk with this BIOS drive number."""
    pc.fill(BUFFER, 512, 0)
    registers = pc.read_lba(drive, 1, 1)
    assert registers.ah == OK
    return pc.read(BUFFER, 16).decode().rstrip(".")


def banner(pc) -> str:
    """The console text up to the end of POST; lines wrapped at 80 columns are joined."""
    text = pc.machine.console.wait_for("Booting from ROM")
    return re.sub(r"(?m)^(.{80})\n", r"\1", text)


def blkdebug(image: str, errno: int, sector: int, event: str = "read_aio", once: bool = False) -> tuple[str, str]:
    """Image and -drive options of a disk that fails at one sector."""
    return (f"blkdebug::{image}",
            f"format=raw,file.inject-error.0.event={event},file.inject-error.0.errno={errno},"
            f"file.inject-error.0.sector={sector},file.inject-error.0.once={'on' if once else 'off'}")


# ---- Drive numbers -----------------------------------------------------------


def test_seven_disks_are_numbered_in_id_order(start, tmp_path):
    ids = [0, 1, 2, 3, 4, 5, 6]
    arguments = [a for i in reversed(ids)
                 for a in disk_arguments(make_disk(tmp_path, f"disk{i}"), i)]
    pc = start("microvm", *arguments)
    assert pc.disk_count() == 7
    assert [name_of(pc, 0x80 + i) for i in ids] == [f"disk{i}" for i in ids]
    assert pc.int13("ax bl cx dx", ah=0x08, dl=0x83).dl == 7
    assert ", 7 disks" in banner(pc)
    assert pc.int13(ah=0x10, dl=0x87).ah == BAD_COMMAND  # the BIOS's own answer


@pytest.mark.parametrize("path", ["microvm", "c810", "nolsi", "fwcfg"])
def test_bootindex_determines_drive_numbers(start, tmp_path, path):
    wanted = {0: 2, 3: 1, 5: 3}  # ID: bootindex; the agent has 0
    arguments = [a for i, index in wanted.items() for a in
                 disk_arguments(make_disk(tmp_path, f"disk{i}"), i, f",bootindex={index}")]
    arguments += disk_arguments(make_disk(tmp_path, "disk1"), 1)
    pc = start(path, *arguments)
    assert [name_of(pc, 0x80 + i) for i in range(4)] == ["disk3", "disk0", "disk5", "disk1"]


def test_ide_disk_with_lower_bootindex_is_80h(start, tmp_path):
    ide = make_disk(tmp_path, "ide")
    pc = start("nolsi", *disk_arguments(make_disk(tmp_path, "scsi"), 0, ",bootindex=2"),
               "-drive", f"if=none,id=ide,file={ide},format=raw,snapshot=on",
               "-device", "ide-hd,drive=ide,bootindex=1")
    assert pc.disk_count() == 2
    assert [pc.text_on(0x80, 1), name_of(pc, 0x81)] == ["ide", "scsi"]
    assert "81h: SCSI" in banner(pc)
    assert pc.int13("ax bl cx dx", ah=0x08, dl=0x81).dl == 2


def test_ide_disk_with_higher_bootindex_follows_ours(start, tmp_path):
    ide = make_disk(tmp_path, "ide")
    pc = start("nolsi", *disk_arguments(make_disk(tmp_path, "scsi"), 0, ",bootindex=1"),
               "-drive", f"if=none,id=ide,file={ide},format=raw,snapshot=on",
               "-device", "ide-hd,drive=ide,bootindex=2")
    assert [name_of(pc, 0x80), pc.text_on(0x81, 1)] == ["scsi", "ide"]


def test_ide_disk_between_ours_is_left_to_bios(start, tmp_path):
    """The BIOS calls our connection vectors in its own order, with others in between."""
    ide = make_disk(tmp_path, "ide")
    pc = start("nolsi", *disk_arguments(make_disk(tmp_path, "a"), 0),
               *disk_arguments(make_disk(tmp_path, "b"), 1),
               "-drive", f"if=none,id=ide,file={ide},format=raw,snapshot=on",
               "-device", "ide-hd,drive=ide,bootindex=5")
    names = [pc.text_on(0x80 + i, 1) for i in range(3)]
    assert sorted(names) == ["a", "b", "ide"]
    assert names.index("a") < names.index("b")


def connection_vector(read: Callable[[int, int], bytes]) -> int:
    """Offset of the connection vector of the first boot entry; `read` returns bytes of the ROM."""
    first, = struct.unpack("<H", read(header_value("ROM_PNP"), 2))
    return struct.unpack("<H", read(first + header_value("PNP_BCV"), 2))[0]


def test_disk_without_vector_call_gets_no_number(agent_rom, tmp_path):
    """SeaBIOS calls every vector. The test therefore replaces that of the first
    disk by a far return, without a change of the checksum."""
    disks = [*disk_arguments(make_disk(tmp_path, "a"), 0), *disk_arguments(make_disk(tmp_path, "b"), 1)]
    with Machine(PATHS["microvm"], *disks, with_agent=agent_rom) as machine:
        base = Agent(machine).rom_segment() * 16
    with Machine(PATHS["microvm"], *disks, with_agent=agent_rom, gdb=True) as machine:
        image = machine.gdb.run_to_image(base)
        machine.gdb.run_to(image + symbol("init_finish"))
        vector = base + connection_vector(lambda at, length: machine.gdb.memory(base + at, length))
        machine.gdb.write(vector, bytes([FAR_RETURN, sum(machine.gdb.memory(vector, 2)) - FAR_RETURN & 0xFF]))
        machine.gdb.go_on()
        pc = Agent(machine)
        assert pc.disk_count() == 1
        assert name_of(pc, 0x80) == "b"
        assert "80h: SCSI 00:04.0 ID 1" in banner(pc)


def test_vector_called_twice_counts_disk_once(agent_rom, tmp_path):
    disks = disk_arguments(make_disk(tmp_path, "a"), 0)
    with Machine(PATHS["microvm"], *disks, with_agent=agent_rom) as machine:
        pc = Agent(machine)
        # INT 60h -> far call of the vector, then IRET
        image = pc.rom_image()
        vector = connection_vector(lambda at, length: image[at:at + length])
        pc.write(0x5000, b"\x9a" + struct.pack("<HH", vector, pc.rom_segment()) + b"\xcf")
        pc.write(0x60 * 4, struct.pack("<HH", 0x5000, 0))
        before = Registers(flags=0x0AD7 & ~0x100 | 2)
        after = pc.interrupt(0x60, before)
        assert after == before, "all registers and flags are preserved"
        assert pc.disk_count() == 1
        assert name_of(pc, 0x80) == "a"


# ---- Missing and unusable disks ------------------------------------------------


def check_nothing_kept(pc) -> None:
    """INT 13h is not hooked, no drive is counted, no memory and no ROM is kept."""
    assert pc.disk_count() == 0
    assert pc.read(0x13 * 4 + 2, 2) == b"\x00\xf0"  # the BIOS's own INT 13h
    assert struct.unpack("<H", pc.read(0x413, 2))[0] == 639
    with pytest.raises(LookupError):
        pc.rom_segment()


def test_rom_keeps_nothing_without_controller(start):
    pc = start("nochip")
    assert re.search(r"^lsi8xx-rom \S+: no 53C8xx controller$", banner(pc), re.M)
    check_nothing_kept(pc)


def test_rom_keeps_nothing_without_disks(start):
    pc = start("microvm")
    assert re.search(r"^lsi8xx-rom \S+: 53C895A at PCI 00:04.0, host ID 7, no disk$",
                     banner(pc), re.M)
    check_nothing_kept(pc)


def test_read_only_rom_runs_from_copy_in_ram(tmp_path):
    """The Bochs BIOS runs the ROM in read-only memory. INT 13h points to the
    copy, which has no code for CDs. The workspace is above the copy, and both are above the
    size in 40:13h, with unused memory below them."""
    copy_kib = -(-(symbol("extra_end") + header_value("PNP_HEADER_BYTES")) // 1024)
    workspace_kib, slack_kib = header_value("WORKSPACE_KIB"), header_value("SLACK_KIB")
    with Machine(PATHS["bochs"], *disk_arguments(make_disk(tmp_path, "a"), 0)) as machine:
        machine.wait_for("80h: SCSI 00:")
        memory_kib = struct.unpack("<H", machine.read_memory(0x413, 2))[0]
        assert memory_kib == 639 - copy_kib - workspace_kib - slack_kib
        assert struct.unpack("<HH", machine.read_memory(0x13 * 4, 4)) == (
            symbol("rom_int13"), (memory_kib + slack_kib) * 64)
        assert machine.read_memory(0x475, 1) == b"\1"


def test_disk_without_blocks_is_listed_but_not_numbered(start, tmp_path):
    empty = tmp_path / "empty.img"
    empty.write_bytes(b"")
    pc = start("microvm", *disk_arguments(empty, 0), *disk_arguments(make_disk(tmp_path, "good"), 1))
    assert "ID 0 LUN 0 QEMU QEMU HARDDISK: not ready" in banner(pc)
    assert pc.disk_count() == 1
    assert name_of(pc, 0x80) == "good"


def test_removed_medium_returns_31h_and_other_disk_works(start, tmp_path):
    pc = start("microvm", *disk_arguments(make_disk(tmp_path, "a"), 0, ",removable=on"),
               *disk_arguments(make_disk(tmp_path, "b"), 1))
    assert name_of(pc, 0x80) == "a"
    pc.machine.qmp("blockdev-open-tray", id="dev0", force=True)
    pc.machine.qmp("blockdev-remove-medium", id="dev0")
    for _ in range(2):
        assert pc.read_lba(0x80, 0, 1).ah == NO_MEDIUM
        assert pc.int13(ah=0x10, dl=0x80).ah == NO_MEDIUM
        assert name_of(pc, 0x81) == "b"


def test_removed_disk_times_out_and_other_disk_works(start, tmp_path):
    pc = start("microvm", *disk_arguments(make_disk(tmp_path, "a"), 0),
               *disk_arguments(make_disk(tmp_path, "b"), 1))
    pc.machine.qmp("device_del", id="dev0")
    assert pc.read_lba(0x80, 0, 1).ah == TIMEOUT
    assert pc.packet_count() == 0
    assert name_of(pc, 0x81) == "b"


@pytest.mark.parametrize("size", [8192, 32768])
def test_unsupported_block_size_is_reported(start, tmp_path, size):
    image = make_disk(tmp_path, "big")
    pc = start("microvm", *disk_arguments(
        image, 0, f",logical_block_size={size},physical_block_size={size}"))
    assert f"ID 0 LUN 0 QEMU QEMU HARDDISK: blocks of {size} bytes are not supported" in banner(pc)
    assert pc.disk_count() == 0


# ---- Read errors ----------------------------------------------------------------


@pytest.mark.parametrize("path", ["microvm", "c810"])
@pytest.mark.parametrize("errno, status", [(EIO, CONTROLLER), (ENODATA, READ_ERROR)],
                         ids=["aborted", "medium-error"])
def test_unreadable_sector_returns_its_status_and_others_are_readable(
        start, tmp_path, path, errno, status):
    image, options = blkdebug(make_disk(tmp_path, "bad"), errno, sector=100)
    pc = start(path, *disk_arguments(image, 0, drive=options))
    for _ in range(3):
        registers = pc.read_lba(0x80, 96, 8)
        assert (registers.ah, registers.cf, pc.packet_count()) == (status, True, 0)
        assert pc.last_status() == status
        registers = pc.read_chs(0x80, 0, 3, 1, 8)
        assert (registers.ah, registers.al) == (status, 0)
        assert name_of(pc, 0x80) == "bad"


def test_single_read_error_is_retried(start, tmp_path):
    image, options = blkdebug(make_disk(tmp_path, "shaky"), EIO, sector=100, once=True)
    pc = start("microvm", *disk_arguments(image, 0, drive=options))
    assert pc.read_lba(0x80, 100, 1).ah == OK
    assert pc.read(BUFFER, 5) == b"shaky"


def test_disk_with_unreadable_partition_table_is_used(start, tmp_path):
    image, options = blkdebug(make_disk(tmp_path, "nombr"), ENODATA, sector=0)
    pc = start("microvm", *disk_arguments(image, 0, drive=options))
    assert name_of(pc, 0x80) == "nombr"
    assert pc.read_lba(0x80, 0, 1).ah == READ_ERROR


# ---- Slow disks --------------------------------------------------------------------


def test_read_from_slow_disk_succeeds(start, tmp_path):
    """At 32 KiB/s the second read takes two seconds, much longer than one poll."""
    pc = start("microvm", *disk_arguments(make_disk(tmp_path, "slow"), 0,
                                          drive="format=raw,snapshot=on,throttling.bps-read=32768"))
    for lba in (1, 128):
        assert pc.read_lba(0x80, lba, 127).ah == OK
        assert pc.read(BUFFER + 126 * 512, 4) == b"slow"


def test_hung_disk_times_out_and_other_disk_works(start, tmp_path):
    """At 1 KiB/s, 127 sectors take a minute, which exceeds the time limit."""
    pc = start("microvm",
               *disk_arguments(make_disk(tmp_path, "hung"), 0,
                               drive="format=raw,snapshot=on,throttling.bps-read=1024"),
               *disk_arguments(make_disk(tmp_path, "good"), 1))
    pc.machine.com2.settimeout(120)
    registers = pc.read_lba(0x80, 1, 127)
    registers = pc.read_lba(0x80, 1, 127) if registers.ah == OK else registers
    assert (registers.ah, registers.cf, pc.packet_count()) == (TIMEOUT, True, 0)
    assert name_of(pc, 0x81) == "good"


# ---- Geometry ------------------------------------------------------------------------


def mbr(*partitions: tuple[int, int, int, int]) -> bytes:
    """An MBR with partitions (start, sectors, heads, sectors per track)."""
    table = b""
    for start, count, heads, spt in partitions:
        def chs(lba: int) -> bytes:
            cylinder, rest = divmod(lba, heads * spt)
            if cylinder > 1023:
                cylinder, rest = 1023, heads * spt - 1
            return bytes([rest // spt, cylinder >> 2 & 0xC0 | rest % spt + 1, cylinder & 0xFF])
        table += b"\x80" + chs(start) + b"\x06" + chs(start + count - 1) + struct.pack("<II", start, count)
    return bytes(446) + table.ljust(64, b"\0") + b"\x55\xaa"


def geometry(pc, drive: int = 0x80) -> tuple[int, int, int]:
    registers = pc.int13("ax bl cx dx", ah=0x08, dl=drive)
    return (registers.cl << 2 & 0x300 | registers.ch) + 1, registers.dh + 1, registers.cl & 0x3F


@pytest.mark.parametrize("sectors, first, expected", [
    (0x10000, b"", (32, 64, 32)),
    (0x1FF800, b"", (1023, 64, 32)),
    (0x200000, b"", (1024, 64, 32)),
    (0x200001, b"", (130, 255, 63)),
    (0x4000000, b"", (1024, 255, 63)),
    (100, b"", (1, 64, 32)),
    (0x20000, mbr((63, 16065 * 8 - 63, 255, 63)), (8, 255, 63)),
    (0x20000, mbr((63, 1008 * 100 - 63, 16, 63)), (130, 16, 63)),
    (0x20000, mbr((17, 17 * 4 * 90 - 17, 4, 17), (17 * 4 * 90, 17 * 4 * 10, 4, 17)), (1024, 4, 17)),
    (0x20000, mbr((63, 1008 * 100 - 63, 16, 63), (1008 * 100, 16065, 255, 63)), (64, 64, 32)),
    (0x4000000, mbr((63, 0x3000000, 240, 63)), (1024, 240, 63)),
    (0x20000, mbr((1, 4, 255, 63)), (64, 64, 32)),
    (0x20000, mbr((63, 1008 * 100 - 63, 16, 63))[:510] + b"\0\0", (64, 64, 32)),
], ids=["64MiB", "below-1GiB", "1GiB", "above-1GiB", "32GiB", "tiny", "mbr-255-63", "mbr-16-63",
        "mbr-two-entries", "mbr-entries-disagree", "mbr-past-1023",
        "mbr-within-a-track", "mbr-unsigned"])
def test_geometry_follows_partition_table_or_size(start, tmp_path, sectors, first, expected):
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.write(first)
        file.truncate(sectors * 512)
    pc = start("microvm", *disk_arguments(image, 0))
    assert geometry(pc) == expected


@pytest.mark.parametrize("wanted, expected", [
    (",lcyls=100,lheads=16,lsecs=63", (100, 16, 63)),
    (",lcyls=1024,lheads=255,lsecs=63", (130, 16, 63)),  # more than the disk has
    ("", (130, 16, 63)),
], ids=["given", "too-large", "not-given"])
def test_geometry_of_host_overrides_partition_table(start, tmp_path, wanted, expected):
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.write(mbr((63, 1008 * 100 - 63, 16, 63)))
        file.truncate(0x20000 * 512)
    pc = start("microvm", *disk_arguments(make_disk(tmp_path, "a"), 0),
               *disk_arguments(image, 3, wanted))
    assert geometry(pc, 0x81) == expected


@pytest.mark.parametrize("sectors, valid", [(63 * 16 * 100, True), (63 * 16 * 100 + 1, False),
                                            (63 * 16 * 15360, True), (63 * 16 * 15361, False)])
def test_48h_reports_chs_valid_only_if_it_covers_every_sector(start, tmp_path, sectors, valid):
    image = tmp_path / "disk.img"
    with image.open("wb") as file:
        file.write(mbr((63, 1008 * 100 - 63, 16, 63)))
        file.truncate(sectors * 512)
    pc = start("microvm", *disk_arguments(image, 0))
    pc.write(PACKET, struct.pack("<H", 0x1A))
    assert pc.int13(ah=0x48, dl=0x80, ds=PACKET >> 4, si=0).ah == OK
    flags, cylinders, heads, spt, total = struct.unpack_from("<HIIIQ", pc.read(PACKET, 0x1A), 2)
    assert (bool(flags & 2), total) == (valid, sectors)
    assert cylinders == sectors // (16 * 63) and (heads, spt) == (16, 63)


def test_last_sectors_of_2_tib_disk_are_readable(start, tmp_path):
    """A sparse image, with a mark in the highest block that READ(10) can address."""
    image = tmp_path / "huge.img"
    sectors = 0xFFFFFFFF
    with image.open("wb") as file:
        file.truncate(sectors * 512)
        for lba in (0x7FFFFFFF, 0x80000000, sectors - 1):
            file.seek(lba * 512)
            file.write(f"block {lba:x}".encode())
    pc = start("microvm", *disk_arguments(image, 0))
    assert "2047 GiB" in banner(pc)
    for lba in (0x7FFFFFFF, 0x80000000, sectors - 1):
        assert pc.read_lba(0x80, lba, 1).ah == OK
        assert pc.read(BUFFER, 16).rstrip(b"\0") == f"block {lba:x}".encode()
    assert pc.read_lba(0x80, sectors, 1).ah == 0x04


# ---- Memory kept and returned ----------------------------------------------------------


@pytest.mark.parametrize("path", ["microvm", "c810", "nolsi", "fwcfg"])
def test_resident_image_is_valid_after_init(start, tmp_path, path):
    disks = [a for i in (0, 2, 5) for a in disk_arguments(make_disk(tmp_path, f"d{i}"), i)]
    pc = start(path, *disks)
    image = pc.rom_image()
    rom = romsign.verify(image, run_time=True)
    used = -(-symbol("text_end") // 16) * 16 + 3 * pc.header("PNP_SLOT_BYTES")
    assert len(image) == -(-used // 512) * 512
    assert [h.product for h in rom.pnp] == [
        f"SCSI 00:04.0 ID {i} LUN 0 QEMU QEMU HARDDISK" for i in (0, 2, 5)]
    segment, _ = pc.workspace("WS_BUSY")
    assert segment >= 0xC000, "PMM memory, not conventional memory"
    assert pc.header("WORKSPACE_KIB") == WORKSPACE_KIB
    assert struct.unpack("<H", pc.read(0x413, 2))[0] >= 639


def test_workspace_and_slack_are_below_ebda_without_pmm(start, tmp_path):
    pc = start("nopmm", *disk_arguments(make_disk(tmp_path, "a"), 0))
    assert name_of(pc, 0x80) == "a"
    top = struct.unpack("<H", pc.read(0x413, 2))[0]
    ebda = struct.unpack("<H", pc.read(0x40E, 2))[0]
    segment, _ = pc.workspace("WS_BUSY")
    assert segment == (top + pc.header("SLACK_KIB")) * 64
    assert segment + pc.header("WORKSPACE_KIB") * 64 == ebda
    assert (pc.header("SLACK_KIB"), pc.header("WORKSPACE_KIB")) == (SLACK_KIB, WORKSPACE_KIB)


def test_conventional_memory_is_returned_without_pmm_and_disks(start):
    check_nothing_kept(start("nopmm"))


def test_rom_without_device_address_finds_controller(start, tmp_path):
    """With -option-rom AX is 0, the address of the host bridge."""
    pc = start("microvm", "-option-rom", str(ROM_895A), *disk_arguments(make_disk(tmp_path, "a"), 0),
               rom=None)
    assert "53C895A at PCI 00:04.0" in banner(pc)
    assert name_of(pc, 0x80) == "a"


def test_rom_uses_controller_given_in_ax(start, tmp_path):
    """The other controller has a lower PCI address and a disk too."""
    other = make_disk(tmp_path, "other")
    pc = start("microvm", *disk_arguments(make_disk(tmp_path, "a"), 0),
               "-device", "lsi53c810,id=first,addr=3,rombar=0",
               "-drive", f"if=none,id=other,file={other},format=raw,snapshot=on",
               "-device", "scsi-hd,bus=first.0,scsi-id=0,drive=other")
    assert "53C895A at PCI 00:04.0" in banner(pc)
    assert pc.disk_count() == 1
    assert name_of(pc, 0x80) == "a"

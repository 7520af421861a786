# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: BIOSes without BBS that may call boot entries: disks and CDs are connected at
INT 19h, or at INT 18h after the BIOS has given up. With BBS, these vectors are not
hooked. (test_boards.py has BIOSes that call none.)
"""

from __future__ import annotations

import pytest

from tests.build import ROM_895A, bios_image
from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, BOCHS, BOOT_SECTOR, EBDA_KIB, HARD_DISKS, MEMORY_SIZE,
                                   NO_BBS, ROM_SEGMENT, SEABIOS, SPECIFICATION)
from tests.model.devices import FwCfg
from tests.model.eltorito import FLOPPY_144, PRIMARY, TERMINATOR, Disc, Entry, floppy, loader
from tests.model.pc import BUFFER, Pc, Result
from tests.model.target import Disk
from tests.rom.cd.cdboot import (CD, check_blocks, check_number_free, check_running, drive_with,
                                 lines_after, with_cd)
from tests.rom.strict import OK, VARIANTS, new_pc, transfer

BOOTABLE_SECTOR = bytes(range(255)) * 2 + b"\x55\xAA"
NOT_BOOTABLE = Disc(descriptors=(PRIMARY, TERMINATOR))
DISC = Disc(Entry(loader(8), count=8, segment=0x1000))
COMMAND_LINE = range(0x99000, 0x99800)

variants = pytest.mark.parametrize("variant", VARIANTS)
manners = pytest.mark.parametrize("manner", [NO_BBS, BOCHS])


def bootable() -> Disk:
    return Disk(content=lambda lba: BOOTABLE_SECTOR if lba == 0 else bytes([lba & 0xFF]) * 512)


def cd_first() -> FwCfg:
    return FwCfg({"bootorder": b"/pci@i0cf8/scsi@4/channel@0/disk@2,0\n"})


def machine(variant: str, manner: str, disc: Disc = DISC, disks: dict[int, Disk] | None = None,
            bios: dict | None = None, **options) -> Pc:
    return with_cd(variant, disc, {0: bootable()} if disks is None else disks,
                   bios=Bios(manner, **(bios or {})), **options)


def check_disk_boot(pc: Pc, result: Result, target: Disk) -> None:
    """The BIOS has read the boot sector of the disk and runs it."""
    assert result.booted
    assert (result.cs, result.eip, result.dl) == (0, 0x7C00, 0x80)
    assert pc.peek(BOOT_SECTOR.start, 512) == target.block(0)


def vector(pc: Pc, number: int) -> int:
    """The segment of an interrupt vector."""
    return pc.word(number * 4 + 2)


# ---- A read-only ROM image -------------------------------------------------------------


@variants
@manners
def test_read_only_image_runs_from_a_copy(variant, manner):
    pc = machine(variant, manner, rom_writable=False, bios={"pmm": "absent"})
    assert pc.peek(ROM_SEGMENT * 16, pc.bios.image_bytes) == bios_image(pc.rom)
    copy = vector(pc, 0x19) * 16
    length = pc.peek(copy + 2, 1)[0] * 512
    assert pc.word(MEMORY_SIZE) * 1024 < copy <= EBDA_KIB * 1024 - length
    assert sum(pc.peek(copy, length)) & 0xFF == 0
    check_disk_boot(pc, pc.bios.bootstrap(), pc.bus.targets[0])
    assert vector(pc, 0x13) * 16 == copy
    assert transfer(pc, 0x42, 5, 3) == (OK, 3)
    assert pc.peek(BUFFER, 1536) == b"".join(pc.bus.targets[0].block(5 + i) for i in range(3))


@variants
@manners
def test_cd_boots_with_a_copied_image(variant, manner):
    pc = with_cd(variant, DISC, bios=Bios(manner, pmm="absent"), rom_writable=False)
    check_running(pc, pc.bios.bootstrap(*DISC.loads), DISC, DISC.default)
    check_blocks(pc, DISC)


@pytest.mark.parametrize("pmm", ["1.01", "absent"])
def test_copied_image_stays_in_its_memory(pmm):
    """With CDs, the copy has no room for the boot entries of many drives."""
    disks = {scsi_id: Disk() for scsi_id in range(15) if scsi_id not in (2, 7)}
    pc = machine("895A", NO_BBS, disks=disks, rom_writable=False, bios={"pmm": pmm})
    copy = vector(pc, 0x19) * 16
    taken = [block.place.stop for block in pc.bios.memory.blocks if block.place.start == copy]
    # without PMM, the copy lies below the workspace
    assert copy + pc.peek(copy + 2, 1)[0] * 512 <= (taken or [pc.workspace.start])[0]
    pc.bios.bootstrap(*DISC.loads)
    assert pc.peek(HARD_DISKS, 1)[0] == len(disks)


@manners
@pytest.mark.parametrize("cd", [False, True], ids=["disk", "CD + disk"])
def test_copied_image_leaves_memory_for_linux(manner, cd):
    """Seen: GRUB follows the memory map of the BIOS, which does not follow 40:13h on Bochs.
    Linux's 16-bit part is loaded to 90000h, its command line to 99000h."""
    targets = {0: bootable(), **({2: drive_with(DISC)} if cd else {})}
    pc = new_pc("895A", targets, bios=Bios(manner, pmm="absent"), rom_writable=False)
    check_disk_boot(pc, pc.bios.bootstrap(), pc.bus.targets[0])
    assert pc.word(MEMORY_SIZE) * 1024 >= COMMAND_LINE.stop
    assert min(pc.workspace.start, vector(pc, 0x13) * 16) >= pc.word(MEMORY_SIZE) * 1024


@manners
def test_read_only_image_without_memory_leaves_no_trace(manner):
    """PMM 1.00 supplies temporary memory, so the image can be unpacked."""
    pc = Pc(ROM_895A, "895A", bios=Bios(manner, pmm="1.00"), rom_writable=False)
    pc.bus.targets = {0: bootable()}
    pc.poke(MEMORY_SIZE, b"\0\0")
    pc.power_on()
    assert "no memory for a copy of the ROM" in pc.text
    assert vector(pc, 0x19) == BIOS_SEGMENT
    assert pc.word(MEMORY_SIZE) == 0


@manners
def test_without_drives_the_copy_is_freed(manner):
    pc = new_pc("895A", {}, bios=Bios(manner, pmm="absent"), rom_writable=False)
    assert vector(pc, 0x19) == BIOS_SEGMENT
    assert pc.word(MEMORY_SIZE) == EBDA_KIB


# ---- Vectors that init hooks -----------------------------------------------------------


@variants
@manners
def test_init_hooks_only_int_19h(variant, manner):
    pc = machine(variant, manner)
    assert [vector(pc, n) for n in (0x13, 0x18, 0x19)] == [BIOS_SEGMENT, BIOS_SEGMENT, ROM_SEGMENT]
    assert pc.peek(0x475, 1) == b"\0"


@variants
@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_with_bbs_int_19h_is_not_hooked(variant, manner):
    pc = machine(variant, manner)
    assert [vector(pc, n) for n in (0x18, 0x19)] == [BIOS_SEGMENT] * 2


@manners
def test_disk_without_cd_hooks_int_19h(manner):
    pc = new_pc("895A", {0: bootable()}, bios=Bios(manner))
    check_disk_boot(pc, pc.bios.bootstrap(), pc.bus.targets[0])
    assert pc.peek(0x475, 1) == b"\x01"


@manners
def test_without_drives_nothing_is_hooked(manner):
    pc = new_pc("895A", {}, bios=Bios(manner))
    assert vector(pc, 0x19) == BIOS_SEGMENT


@pytest.mark.parametrize("pnp", ["bare", "bad checksum", "no BBS"])
def test_seabios_without_pnp_restores_int_19h(pnp):
    """Its boot entries still work."""
    pc = machine("895A", SEABIOS, bios={"pnp": pnp})
    assert vector(pc, 0x19) == BIOS_SEGMENT
    assert pc.peek(0x475, 1) == b"\x01"
    result = pc.bios.boot(pc.bios.entries[1], *DISC.loads)
    check_running(pc, result, DISC, DISC.default)
    assert transfer(pc, 0x42, 5, 1) == (OK, 1)


# ---- INT 19h ---------------------------------------------------------------------------


@variants
@manners
def test_disk_boots_first(variant, manner):
    pc = machine(variant, manner)
    check_disk_boot(pc, pc.bios.bootstrap(*DISC.loads), pc.bus.targets[0])
    assert pc.bios.noted == [0x19]
    assert "80h: SCSI 00:04.0 ID 0 LUN 0 BENCH STRICT DISK" in pc.text
    assert transfer(pc, 0x42, 5, 2) == (OK, 2)


@manners
def test_disk_boots_first_with_any_id(manner):
    """A CD at a lower ID comes first on the bus, but the boot order does not name it."""
    pc = machine("895A", manner, disks={5: bootable()})
    check_disk_boot(pc, pc.bios.bootstrap(*DISC.loads), pc.bus.targets[5])


@manners
def test_bios_disk_boots_before_a_cd(manner):
    pc = machine("895A", manner, disks={}, bios={"disks": 1, "answers": frozenset({0x80})})
    pc.poke(0x7DFE, b"\x55\xaa")
    result = pc.bios.bootstrap(*DISC.loads)
    assert (result.booted, result.dl, pc.bios.noted) == (True, 0x80, [0x19])


@pytest.mark.parametrize("order", [b"/pci@i0cf8/ide@1,1/drive@0/disk@0\n", b"\n",
                                   b"/pci@i0cf8/scsi@3/channel@0/disk@2,0\n"],
                         ids=["another device", "empty", "another controller"])
def test_cd_is_not_first_if_the_host_names_other_devices(order):
    pc = machine("895A", NO_BBS, fwcfg=FwCfg({"bootorder": order}), disks={5: bootable()})
    check_disk_boot(pc, pc.bios.bootstrap(*DISC.loads), pc.bus.targets[5])


def test_foreign_device_named_before_the_cd_boots_first():
    order = b"/pci@i0cf8/ide@1,1/drive@0/disk@0\n/pci@i0cf8/scsi@4/channel@0/disk@2,0\n"
    pc = machine("895A", NO_BBS, fwcfg=FwCfg({"bootorder": order}), disks={},
                 bios={"disks": 1, "answers": frozenset({0x80})})
    pc.poke(0x7DFE, b"\x55\xaa")
    result = pc.bios.bootstrap(*DISC.loads)
    assert (result.booted, result.dl, pc.bios.noted) == (True, 0x80, [0x19])


@variants
@manners
def test_cd_boots_first_if_the_host_names_it_first(variant, manner):
    pc = machine(variant, manner, fwcfg=cd_first())
    result = pc.bios.bootstrap(*DISC.loads)
    check_running(pc, result, DISC, DISC.default)
    assert pc.bios.noted == []
    check_blocks(pc, DISC)
    assert transfer(pc, 0x42, 5, 2) == (OK, 2), "the disk is connected too"


@variants
@manners
@pytest.mark.parametrize("disks", [{}, {0: Disk()}], ids=["no disk", "an empty disk"])
def test_cd_boots_after_the_bios_gives_up(variant, manner, disks):
    pc = machine(variant, manner, disks=disks)
    result = pc.bios.bootstrap(*DISC.loads)
    check_running(pc, result, DISC, DISC.default)
    assert pc.bios.noted == [0x19]
    check_blocks(pc, DISC)


@variants
@manners
@pytest.mark.parametrize("fwcfg", [None, cd_first()], ids=["disk first", "CD first"])
def test_without_bootable_media_int_18h_reaches_the_bios(variant, manner, fwcfg):
    pc = machine(variant, manner, NOT_BOOTABLE, {0: Disk()}, fwcfg=fwcfg)
    assert not pc.bios.bootstrap(*DISC.loads).booted
    assert pc.bios.noted == [0x19, 0x18]
    assert pc.text.count("not bootable: no boot record") == 1, "the CD is tried once only"
    assert transfer(pc, 0x42, 5, 1) == (OK, 1)


@variants
@manners
def test_disk_boots_after_a_failed_first_cd(variant, manner):
    pc = machine(variant, manner, NOT_BOOTABLE, fwcfg=cd_first())
    check_disk_boot(pc, pc.bios.bootstrap(*DISC.loads), pc.bus.targets[0])
    assert pc.text.count("not bootable: no boot record") == 1


@manners
def test_each_int_19h_retries_the_cd(manner):
    pc = machine("895A", manner, NOT_BOOTABLE, {0: Disk()})
    for times in (1, 2, 3):
        start = len(pc.text)
        assert not pc.bios.bootstrap(*DISC.loads).booted
        assert pc.bios.noted == [0x19, 0x18] * times
        printed = [line for line in lines_after(pc, start) if "not bootable" in line]
        assert printed == ["  not bootable: no boot record"]
        assert pc.peek(0x475, 1) == b"\x01", "no disk is connected twice"
    pc.bus.targets[2].insert(DISC.blocks, DISC.content)
    check_running(pc, pc.bios.bootstrap(*DISC.loads), DISC, DISC.default)


@manners
@pytest.mark.parametrize("fwcfg", [None, cd_first()], ids=["disk first", "CD first"])
def test_int_19h_boots_again_after_a_boot(manner, fwcfg):
    """A guest may restart with INT 19h."""
    pc = machine("895A", manner, fwcfg=fwcfg, disks={0: Disk()})
    for _ in range(3):
        check_running(pc, pc.bios.bootstrap(*DISC.loads), DISC, DISC.default)
        assert pc.peek(0x475, 1) == b"\x01"
        check_blocks(pc, DISC)


@manners
def test_all_cds_are_tried(manner):
    pc = new_pc("895A", {1: drive_with(NOT_BOOTABLE), 2: drive_with(Disc(catalog=bytes(2048))),
                         3: drive_with(DISC)}, bios=Bios(manner))
    check_running(pc, pc.bios.bootstrap(*DISC.loads), DISC, DISC.default, number=0xE2)
    reasons = [line.split(": ")[1] for line in lines_after(pc, 0) if "  not bootable" in line]
    assert reasons == ["no boot record", "boot catalog damaged"]


@manners
def test_disks_follow_those_of_the_bios(manner):
    pc = machine("895A", manner, bios={"disks": 1, "answers": frozenset({0x80})})
    pc.poke(0x7DFE, b"\x55\xaa")      # content of the BIOS disk's boot sector
    result = pc.bios.bootstrap(*DISC.loads)
    assert (result.booted, result.dl, pc.bios.noted) == (True, 0x80, [0x19])
    assert pc.peek(0x475, 1) == b"\x02"
    assert transfer(pc, 0x42, 5, 1, drive=0x81) == (OK, 1)
    assert pc.peek(BUFFER, 512) == b"\x05" * 512


@manners
def test_disks_are_connected_in_host_boot_order(manner):
    order = FwCfg({"bootorder": b"/pci@i0cf8/scsi@4/channel@0/disk@5,0\n"})
    pc = new_pc("895A", {i: Disk(content=lambda lba, i=i: bytes([i]) * 510 + b"\x55\xAA")
                         for i in (0, 3, 5)}, bios=Bios(manner), fwcfg=order)
    check_disk_boot(pc, pc.bios.bootstrap(), pc.bus.targets[5])
    found = []
    for number in (0x80, 0x81, 0x82):
        assert transfer(pc, 0x42, 9, 1, drive=number) == (OK, 1)
        found.append(pc.peek(BUFFER, 1)[0])
    assert found == [5, 0, 3]


@variants
@manners
def test_cd_number_of_the_bios_is_not_reused(variant, manner):
    pc = machine(variant, manner, disks={}, bios={"answers": frozenset({CD})})
    check_running(pc, pc.bios.bootstrap(*DISC.loads), DISC, DISC.default, number=0xE1)
    assert pc.int13(ah=0x41, bx=0x55AA, dl=CD, changes="ah bx cx").bx == 0xAA55


@manners
@pytest.mark.parametrize("pmm", ["absent", "1.01"])
def test_int_19h_boots_with_and_without_pmm(manner, pmm):
    pc = machine("895A", manner, disks={0: Disk()}, bios={"pmm": pmm})
    check_running(pc, pc.bios.bootstrap(*DISC.loads), DISC, DISC.default)
    assert transfer(pc, 0x42, 5, 2) == (OK, 2)


@variants
@pytest.mark.parametrize("disk, noted", [(bootable(), [0x19]), (Disk(), [0x19, 0x18])],
                         ids=["bootable disk", "nothing bootable"])
def test_int_18h_is_not_hooked_after_connection_calls(variant, disk, noted):
    """A BIOS that calls the boot entries handles the CD itself."""
    pc = machine(variant, SPECIFICATION, disks={0: disk}, bios={"pnp": "no BBS"})
    assert [vector(pc, n) for n in (0x18, 0x19)] == [BIOS_SEGMENT, ROM_SEGMENT]
    result = pc.bios.bootstrap(*DISC.loads)
    assert (result.booted, pc.bios.noted) == (noted == [0x19], noted)
    assert (vector(pc, 0x18), pc.peek(0x475, 1)) == (BIOS_SEGMENT, b"\x01")


@variants
def test_int_19h_connects_nothing_after_connection_calls(variant):
    """A BIOS that has called a connection vector needs no help at INT 19h."""
    pc = machine(variant, SEABIOS, bios={"pnp": "no BBS"})
    drives = pc.peek(0x475, 1)
    check_disk_boot(pc, pc.bios.bootstrap(*DISC.loads), pc.bus.targets[0])
    assert pc.peek(0x475, 1) == drives
    assert pc.text.count("80h: SCSI") == 1


# ---- INT 18h after a boot --------------------------------------------------------------


@variants
@manners
def test_disk_boots_after_int_18h_of_the_cd(variant, manner):
    """Loaders with nothing to boot give up by INT 18h."""
    pc = machine(variant, manner, fwcfg=cd_first())
    check_running(pc, pc.bios.bootstrap(*DISC.loads), DISC, DISC.default)
    check_disk_boot(pc, pc.boot_interrupt(0x18, BOOT_SECTOR, *DISC.loads), pc.bus.targets[0])
    assert pc.bios.noted == [0x19]
    assert not pc.boot_interrupt(0x18, BOOT_SECTOR, *DISC.loads).booted, "no boot device is left"
    assert pc.bios.noted == [0x19, 0x18]


@variants
@manners
def test_cd_boots_after_int_18h_of_the_disk(variant, manner):
    pc = machine(variant, manner)
    check_disk_boot(pc, pc.bios.bootstrap(*DISC.loads), pc.bus.targets[0])
    check_running(pc, pc.boot_interrupt(0x18, *DISC.loads), DISC, DISC.default)


@variants
@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_with_bbs_int_18h_of_the_cd_ends_emulation_and_reaches_the_bios(variant, manner):
    """The emulated drive must not renumber the next boot device."""
    disc = Disc(Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=1))
    pc = machine(variant, manner, disc)
    before = pc.peek(0x410, 2)
    check_running(pc, pc.bios.boot(pc.bios.entries[1], *disc.loads), disc, disc.default, number=0)
    assert pc.peek(0x410, 2) != before
    assert not pc.boot_interrupt(0x18, BOOT_SECTOR).booted
    assert (pc.bios.noted, pc.peek(0x410, 2)) == ([0x18], before)
    check_number_free(pc, 0x00)
    assert transfer(pc, 0x42, 5, 1) == (OK, 1)

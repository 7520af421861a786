# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: El Torito: loading and starting the boot image, and faults at boot."""

from __future__ import annotations

import struct

import pytest

from tests.model.bios import Bios
from tests.model.bios_data import EBDA_KIB, MEMORY_SIZE, SEABIOS, SPECIFICATION
from tests.model.bus import FREE, HANG
from tests.model.devices import TimerInterrupt
from tests.model.eltorito import (BLOCK, BOOT_SEGMENT, FLOPPY_144, HARD_DISK,
                                  NO_EMULATION, PRIMARY, TERMINATOR, Disc, Entry, floppy,
                                  hard_disk, loader)
from tests.model.pc import SEEDS, STACK_SEGMENT, STACK_TOP, Pc
from tests.model.target import READ10, READ_CAPACITY, READ_TOC, TEST_UNIT_READY, Disk
from tests.rom.cd.cdboot import (CD, CD_ID, boot, cd, cd_entries, check_blocks, check_boot,
                                 check_refused, check_running, drive_with, insert, lines_after,
                                 state, with_cd)
from tests.rom.cd.el_torito_discs import (BEYOND, DAMAGED, NOTHING, NO_RECORD, NO_ROOM, NO_TYPE,
                                          on_895a, variants)
from tests.rom.strict import BAD_COMMAND, NOT_READY, OK, SECOND, new_pc, opcodes, transfer

NO_PARTITION = "no partition"


# ---- Loading ---------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 31, 63, 64, 65, 127, 128, 255, 256, 509,
                                   1000])
def test_loads_the_number_of_sectors_in_the_catalog(variant, count):
    """The model rejects writes after the last sector."""
    disc = Disc(Entry(loader(count, 40), count=count))
    pc = with_cd(variant, disc)
    check_boot(pc, disc)


@variants
@pytest.mark.parametrize("segment", [0, BOOT_SEGMENT, 0x0070, 0x1000, 0x2345, 0x7FFF, 0x8001,
                                     0x9000])
def test_loads_at_the_load_segment(variant, segment):
    disc = Disc(Entry(loader(8), count=8, segment=segment))
    check_boot(with_cd(variant, disc), disc)


TOP = EBDA_KIB * 64     # the segment at which memory ends


@pytest.mark.parametrize("segment, count, fits", [
    (0x0060, 4, True), (0x005F, 4, False), (0x0001, 4, False), (0x0040, 1, False),
    (TOP - 32 * 8, 8, True), (TOP - 32 * 8 + 1, 8, False), (TOP - 32, 1, True),
    (TOP - 31, 1, False), (TOP, 1, False), (0x9FFF, 1, False), (0xA000, 4, False),
    (0xC800, 4, False), (0xF000, 4, False), (0xFFFF, 4, False), (0x1000, 1000, True),
    (0x1000, 2048, False), (0, 2048, False), (0, 65535, False), (0x1000, 1150, True),
    (0x1000, 1151, False)])
def test_image_must_fit_at_its_load_address(segment, count, fits):
    disc = Disc(Entry(loader(count, 41), count=count, segment=segment))
    pc = on_895a(disc)
    if fits:
        check_boot(pc, disc)
    else:
        check_refused(pc, NO_ROOM)


@pytest.mark.parametrize("kib", [638, 600, 128])
def test_image_must_end_below_the_40_13h_limit(kib):
    """Other ROMs may have lowered 40:13h."""
    image = loader(8)
    for segment, fits in ((kib * 64 - 256, True), (kib * 64 - 255, False)):
        disc = Disc(Entry(image, count=8, segment=segment))
        pc = on_895a(disc)
        pc.poke(MEMORY_SIZE, struct.pack("<H", kib))
        if fits:
            check_boot(pc, disc)
        else:
            check_refused(pc, NO_ROOM)


@pytest.mark.parametrize("segment, count, fits", [
    (0x0600, 1, True), (0x0600, 8, False), (0x06F0, 1, False), (0x06E0, 1, False),
    (0x0500, 200, False), (0x0720, 8, True)])
def test_image_may_not_overlap_low_bios_stack(segment, count, fits):
    """In the model the stack ends at 7000h, with some bytes in use."""
    disc = Disc(Entry(loader(count), count=count, segment=segment))
    pc = on_895a(disc)
    if fits:
        check_boot(pc, disc)
    else:
        check_refused(pc, NO_ROOM)


def test_image_may_not_overlap_the_workspace():
    """Without PMM the workspace is below 640 KiB."""
    disc = Disc(Entry(loader(8), count=8, segment=EBDA_KIB * 64 - 256))
    check_refused(on_895a(disc, bios=Bios(pmm="absent")), NO_ROOM)


SP = STACK_SEGMENT * 16 + STACK_TOP


@pytest.mark.parametrize("start, fits", [
    (SP - 0x2000, True), (SP - 0x1000, False), (SP - 0x400, False), (SP - 0x10, False),
    (SP + 0x100, True)])
def test_image_may_not_overlap_the_bios_stack(start, fits):
    disc = Disc(Entry(loader(8), count=8, segment=start // 16))
    pc = on_895a(disc)
    if fits:
        check_boot(pc, disc)
    else:
        check_refused(pc, NO_ROOM)


@pytest.mark.parametrize("media", range(5, 16))
@pytest.mark.parametrize("bits", [0, 0xC0])
def test_unknown_media_type_is_refused(media, bits):
    check_refused(on_895a(Disc(Entry(loader(), media=media | bits))), NO_TYPE)


@pytest.mark.parametrize("media", range(5))
@pytest.mark.parametrize("lba", [500, 501, 0x7FFFFFFF, 0xFFFFFFFF])
def test_image_beyond_the_disc_is_refused(media, lba):
    check_refused(on_895a(Disc(Entry(media=media, lba=lba, count=1), blocks=500)), BEYOND)


@pytest.mark.parametrize("count, fits", [(1, True), (4, True), (5, False), (8, False)])
def test_image_must_end_within_the_disc(count, fits):
    disc = Disc(Entry(lba=499, count=count), blocks=500)
    pc = on_895a(disc)
    if fits:
        check_boot(pc, disc)
    else:
        check_refused(pc, BEYOND)


@pytest.mark.parametrize("media, image", [
    (NO_EMULATION, loader()), (FLOPPY_144, floppy(FLOPPY_144)), (HARD_DISK, hard_disk(10, 4, 17))])
def test_sector_count_0_is_refused(media, image):
    check_refused(on_895a(Disc(Entry(image, media=media, count=0))), NOTHING)


@pytest.mark.parametrize("system, sector", [(0, 17), (6, 0), (0, 0), (6, 0xC0)])
def test_hard_disk_emulation_needs_a_partition(system, sector):
    image = bytearray(hard_disk(10, 4, 17))
    image[446 + 4], image[446 + 6] = system, sector
    check_refused(on_895a(Disc(Entry(bytes(image), media=HARD_DISK, count=1))), NO_PARTITION)


def test_image_without_emulation_needs_no_signature():
    disc = Disc(Entry(bytes(2048)))
    check_boot(on_895a(disc), disc)


# ---- Start of the image ----------------------------------------------------------------


@variants
@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_boot_image_starts_with_the_registers_of_the_bios(variant, manner):
    """ES:DI points to the PnP structure; DL is the drive."""
    disc = Disc()
    pc = with_cd(variant, disc, {0: Disk()}, bios=Bios(manner))
    result = check_boot(pc, disc)
    assert result.eflags & 0x600 == 0x200, "IF is set, DF is clear"
    ax = 0xAA55 if manner == SEABIOS else pc.pci_address
    expected = {**SEEDS, "eax": ax, "ebx": 0xFFFF, "edx": 0xFF00 | CD, "es": 0xF000, "edi": 0x0100}
    assert {n: result.registers[n] for n in expected} == expected
    assert transfer(pc, 0x42, 7, 1) == (OK, 1)
    check_blocks(pc, disc, 0, 20)


@variants
def test_boot_prints_one_line(variant):
    disc = Disc()
    pc = with_cd(variant, disc)
    start = len(pc.text)
    check_boot(pc, disc)
    assert [line for line in lines_after(pc, start) if line] == [
        f"E0h: SCSI 00:04.0 ID {CD_ID} LUN 0 BENCH STRICT CD-ROM 0 MiB, 2048-byte blocks"]


@variants
def test_failed_boot_leaves_no_trace(variant):
    """The next device can boot, and so can the CD after a good disc is inserted."""
    bad, good = Disc(descriptors=(PRIMARY, TERMINATOR)), Disc()
    pc = with_cd(variant, bad, {0: Disk()})
    for _ in range(3):
        check_refused(pc, NO_RECORD)
    assert transfer(pc, 0x42, 7, 1) == (OK, 1)
    insert(pc, good)
    check_boot(pc, good)
    check_blocks(pc, good)


@variants
def test_failed_boot_after_a_good_one_keeps_drive_numbers(variant):
    """The booted system calls INT 19h."""
    good = Disc()
    pc = with_cd(variant, good)
    check_boot(pc, good)
    before = state(pc)
    insert(pc, Disc(descriptors=(PRIMARY, TERMINATOR)))
    for _ in range(2):
        assert not boot(pc, *good.loads).booted
        assert pc.text.rstrip().endswith(f"not bootable: {NO_RECORD}")
        assert state(pc) == before
    assert transfer(pc, 0x42, 16, 1, drive=CD, block_bytes=BLOCK) == (OK, 1)
    insert(pc, good)
    check_boot(pc, good)


@variants
@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_disk_can_be_connected_after_a_failed_boot(variant, manner):
    pc = with_cd(variant, Disc(descriptors=(PRIMARY, TERMINATOR)), {0: Disk()},
                 bios=Bios(manner, choose=lambda entries: []))
    check_refused(pc, NO_RECORD)
    pc.booted = False
    pc.bios.connect(pc.bios.entries[0])
    pc.booted = True
    assert pc.peek(0x475, 1) == b"\x01"
    assert transfer(pc, 0x42, 7, 1) == (OK, 1)
    check_refused(pc, NO_RECORD)


@variants
def test_int13_in_timer_handler_does_not_disturb_a_boot(variant):
    """The handler reads drive 80h, which is refused while a command is active."""
    disc = Disc(Entry(loader(300), count=300))
    pc = with_cd(variant, disc, {0: Disk()}, timer=TimerInterrupt("calling"))

    def hook(bus, data):
        yield from Disk.data_in(data[:1000])
        yield from cd(pc).disconnect(ns=90_000_000)
        yield from Disk.data_in(data[1000:])
    cd(pc).data_hook = hook
    ticks = pc.timer.ticks
    check_boot(pc, disc)
    assert pc.timer.ticks - ticks > 5
    assert set(pc.timer.calls) <= {(OK, False), (NOT_READY, True), (BAD_COMMAND, True)}


@variants
def test_each_of_two_cds_boots_its_own_image(variant):
    discs = [Disc(Entry(loader(4, 50))), Disc(Entry(loader(4, 51)))]
    pc = new_pc(variant, {2: drive_with(discs[0]), 4: drive_with(discs[1])})
    check_boot(pc, discs[1], number=0xE1, index=1)
    check_boot(pc, discs[0], number=0xE0, index=0)
    for number, disc in ((0xE0, discs[0]), (0xE1, discs[1])):
        check_blocks(pc, disc, 64, 1, number)


def test_next_cd_boots_after_a_failed_boot():
    good = Disc()
    pc = new_pc("895A", {2: drive_with(Disc(catalog=bytes(BLOCK))), 4: drive_with(good)})
    check_refused(pc, DAMAGED)
    check_boot(pc, good, number=0xE1, index=1)


def test_loader_can_read_by_the_drive_in_dl():
    """isolinux reads this way: by DL, in blocks."""
    disc = Disc(blocks=2000)
    pc = on_895a(disc)
    drive = check_boot(pc, disc).dl
    for lba, count in ((16, 1), (64, 1), (1990, 10), (100, 31)):
        check_blocks(pc, disc, lba, count, drive)


# ---- Faults at boot --------------------------------------------------------------------


class FaultAtCommand:
    """Sends `event` in place of the status of the nth command from now on, once."""

    def __init__(self, target: Disk, n: int, event):
        self._last, self._event = len(target.commands) + n, event
        self._target, self.done, self.command = target, False, -1

    def __call__(self, bus):
        if not self.done and len(self._target.commands) == self._last:
            self.done, self.command = True, self._target.commands[-1][0]
            yield self._event


@variants
def test_hang_at_any_command_of_a_boot_is_reported(variant):
    """The reason is printed, and the next boot succeeds."""
    disc = Disc(Entry(loader(200), count=200))
    for n in range(1, 100):
        pc = with_cd(variant, disc)
        fault = FaultAtCommand(cd(pc), n, HANG)
        cd(pc).before_status = fault
        if not boot_with_fault(pc, disc, fault, "status 80h"):
            break
        check_boot(pc, disc)
    assert 5 < n < 99


@variants
def test_bus_free_at_any_command_of_a_boot_is_retried(variant):
    disc = Disc(Entry(loader(200), count=200))
    for n in range(1, 100):
        pc = with_cd(variant, disc)
        fault = FaultAtCommand(cd(pc), n, FREE)
        cd(pc).before_status = fault
        check_boot(pc, disc)
        if not fault.done:
            break
    assert 5 < n < 99


def boot_with_fault(pc: Pc, disc: Disc, fault: FaultAtCommand, reason: str) -> bool:
    """Returns False if the boot sent fewer commands and succeeded."""
    before, start = state(pc), len(pc.text)
    result = boot(pc, *disc.loads)
    if not fault.done or fault.command == READ_TOC:     # without it, the first session boots
        check_running(pc, result, disc, disc.default)
        return fault.done
    assert not result.booted
    assert f"  not bootable: {reason}" in lines_after(pc, start)
    assert state(pc) == before
    return True


OLD = Disc(Entry(loader(200), count=200))
NEW = Disc(Entry(loader(200, 2), count=200), seed=2)


def changing_at(opcode: int, n: int) -> Pc:
    """A machine whose disc is changed at the nth command with this opcode."""
    pc, seen = on_895a(OLD), []

    def hook(cdb):
        seen.extend([1] * (cdb[0] == opcode))
        if len(seen) == n:
            cd(pc).status_hook = None
            insert(pc, NEW)
            return cd(pc).execute(cdb)
        return None
    cd(pc).status_hook = hook
    return pc


@pytest.mark.parametrize("opcode", [TEST_UNIT_READY, READ_TOC, READ_CAPACITY],
                         ids=["ready", "sessions", "capacity"])
def test_disc_changed_before_the_first_read_boots(opcode):
    pc = changing_at(opcode, 1)
    check_boot(pc, NEW)


@pytest.mark.parametrize("n", range(1, 6))
def test_disc_changed_during_a_boot_fails_it(n):
    """A boot never mixes data of two discs; the next boot succeeds."""
    pc = changing_at(READ10, n)
    before, start = state(pc), len(pc.text)
    assert not boot(pc, *OLD.loads).booted
    assert "  not bootable: status 06h" in lines_after(pc, start)
    assert (cd(pc).status_hook, state(pc)) == (None, before)
    check_boot(pc, NEW)


def test_disc_inserted_after_post_boots():
    other = Disc(Entry(loader(4, 60)), seed=3)
    pc = on_895a(Disc(descriptors=(PRIMARY, TERMINATOR)))
    insert(pc, other)
    check_boot(pc, other)
    check_blocks(pc, other)


def test_boot_waits_for_a_new_disc_to_spin_up():
    disc = Disc()
    pc = on_895a(disc, drive={"medium": False})
    insert(pc, disc)
    cd(pc).ready_at = pc.chip.now + 4 * SECOND
    check_boot(pc, disc)


def test_post_reads_one_block_of_a_disc():
    pc = on_895a(Disc())
    assert opcodes(cd(pc)).count(READ10) == 1
    assert len(cd_entries(pc)) == 1

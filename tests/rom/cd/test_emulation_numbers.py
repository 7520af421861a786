# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: drive numbers shift while a drive is emulated, and shift back."""

from __future__ import annotations

import pytest

from tests.model import eltorito
from tests.model.bios import Bios
from tests.model.bios_data import EQUIPMENT, HARD_DISKS, OWN_SECTORS
from tests.model.eltorito import (FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK, PRIMARY,
                                  TERMINATOR, Disc, Entry, floppy)
from tests.model.pc import BUFFER, Pc
from tests.model.target import Disk
from tests.rom.cd.cdboot import (CD, CD_ID, Packet, boot, check_blocks, check_boot,
                                 check_number_free, check_refused, check_sectors, emulation, insert,
                                 state, with_cd)
from tests.rom.cd.el_torito_discs import NOTHING
from tests.rom.cd.emulated_drives import (ANY, BOTH, check_image, check_passed_as, disc_of,
                                          emulating, floppy_count, number_of, variants)
from tests.rom.strict import OK, VARIANTS, transfer


@pytest.fixture(scope="module", params=VARIANTS)
def reader(request) -> Pc:
    """A machine booted from a floppy, for tests that do not change its state."""
    return emulating(request.param, FLOPPY_144)


# ---- Numbers during emulation ----------------------------------------------------------


def with_floppies(variant: str, floppies: int, **options) -> Pc:
    return emulating(variant, FLOPPY_144, bios=Bios(
        floppies=floppies, answers=frozenset(range(floppies))), **options)


@variants
@pytest.mark.parametrize("floppies", range(5))
def test_emulated_floppy_is_counted(variant, floppies):
    """The equipment word counts at most four."""
    pc = with_floppies(variant, floppies)
    assert floppy_count(pc) == min(floppies + 1, 4)
    assert pc.word(EQUIPMENT) & ~0xC1 == 0x20
    assert pc.peek(HARD_DISKS, 1) == b"\0"
    result = pc.int13(ah=0x08, dl=0, changes="ax bl cx dx es edi")
    assert result.dl == min(floppies + 1, 4)
    check_image(pc, 17, 3)


@variants
def test_bios_floppies_shift_up(variant):
    pc = with_floppies(variant, 2)
    vector = pc.peek(0x40 * 4, 4)
    for number in (1, 2, 3):
        check_passed_as(pc, number, number - 1)
    for number in (0x80, 0x81, 0xDF, 0xE1):
        check_passed_as(pc, number, number)
    assert pc.peek(0x40 * 4, 4) == vector
    result = pc.int13(ah=0x08, dl=1, changes="ax bl cx dx")
    assert (result.cf, result.bl, result.cx, result.dh, result.dl) == (False, 4, 0x4F12, 1, 3)
    assert pc.int13(ah=0x15, dl=2).ah == 2
    assert pc.int13(ah=0x15, dl=3).cf, "there is no such floppy"


def with_disks(variant: str, disks: int = 1, **options) -> Pc:
    """A machine booted from a hard-disk image, with disks of the BIOS and of the ROM."""
    return emulating(variant, HARD_DISK, others={0: Disk()}, bios=Bios(
        disks=disks, answers=frozenset(range(0x80, 0x80 + disks))), **options)


@variants
@pytest.mark.parametrize("disks", [0, 1, 2])
def test_hard_disks_shift_up(variant, disks):
    """The disks of the BIOS shift up, followed by those of the ROM."""
    pc, disc = with_disks(variant, disks), disc_of(HARD_DISK)
    assert pc.peek(HARD_DISKS, 1) == bytes([disks + 2])
    for number in range(0x81, 0x81 + disks):
        check_passed_as(pc, number, number - 1)
        result = pc.int13(ah=0x08, dl=number, changes="ax bl cx dx")
        assert (result.cf, result.cx, result.dh, result.dl) == (False, 0xFEBF, 15, disks + 2)
        kind = pc.int13(ah=0x15, dl=number, changes="ah cx dx")
        assert (kind.ah, kind.cx << 16 | kind.dx) == (3, OWN_SECTORS), "DX holds no drive number"
    check_sectors(pc, disc, disc.default, 5, 9, 0x80)
    rom_disk = 0x81 + disks
    assert transfer(pc, 0x42, 1000, 5, drive=rom_disk) == (OK, 5)
    assert pc.peek(BUFFER, 2560) == b"".join(pc.bus.targets[0].block(1000 + i) for i in range(5))
    result = pc.int13(ah=0x08, dl=rom_disk, changes="ax bl cx dx")
    assert (result.cf, result.dl, result.dh, result.cl) == (False, disks + 2, 63, 32 | 0)
    kind = pc.int13(ah=0x15, dl=rom_disk, changes="ah cx dx")
    assert (kind.ah, kind.cx << 16 | kind.dx) == (3, 65536)
    assert transfer(pc, 0x43, 70, 1, drive=rom_disk) == (OK, 1)
    assert 70 in pc.bus.targets[0].written
    check_passed_as(pc, 0x00, 0x00)
    check_passed_as(pc, rom_disk + 1, rom_disk)


@variants
def test_emulation_shifts_only_drives_of_its_kind(variant):
    pc = emulating(variant, FLOPPY_144, others={0: Disk()})
    assert transfer(pc, 0x42, 7, 1, drive=0x80) == (OK, 1)
    assert pc.peek(BUFFER, 512) == pc.bus.targets[0].block(7)
    pc = emulating(variant, HARD_DISK, bios=Bios(floppies=2, answers=frozenset({0, 1})))
    assert floppy_count(pc) == 2
    check_passed_as(pc, 0, 0)
    check_passed_as(pc, 1, 1)


def test_flags_of_passed_on_calls_are_preserved(reader):
    for flags in (0x200, 0x201, 0x000, 0x001, 0xC95 & ~0x100):
        assert reader.int13(ah=0x02, dl=0x01, flags=flags).cf


@variants
def test_second_boot_counts_the_drive_once(variant):
    """A guest calls INT 19h."""
    for media in BOTH:
        pc = emulating(variant, media, others={0: Disk()}, bios=Bios(floppies=1,
                                                                     answers=frozenset({0})))
        for _ in range(2):
            check_boot(pc, disc_of(media), number=number_of(media))
            assert floppy_count(pc) == (2 if media == FLOPPY_144 else 1)
            assert pc.peek(HARD_DISKS, 1) == (b"\x01" if media == FLOPPY_144 else b"\x02")
            number = 0x80 if media == FLOPPY_144 else 0x81
            assert transfer(pc, 0x42, 7, 1, drive=number) == (OK, 1)


@variants
@pytest.mark.parametrize("media", BOTH)
def test_failed_boot_ends_the_previous_emulation(variant, media):
    """The next device boots with its usual drive number."""
    pc = emulating(variant, media, others={0: Disk()}, bios=Bios(floppies=1,
                                                                 answers=frozenset({0})))
    insert(pc, Disc(descriptors=(PRIMARY, TERMINATOR)))
    assert not boot(pc, *disc_of(media).loads).booted
    assert "  not bootable: no boot record" in pc.text
    assert (floppy_count(pc), pc.peek(HARD_DISKS, 1)) == (1, b"\x01")
    check_passed_as(pc, 0x00, 0x00)
    assert transfer(pc, 0x42, 7, 1, drive=0x80) == (OK, 1)
    check_number_free(pc, ANY)


def test_failed_boot_does_not_change_drive_counts():
    disc = Disc(Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=0))
    pc = with_cd("895A", disc, {0: Disk()}, bios=Bios(floppies=1, answers=frozenset({0})))
    check_refused(pc, NOTHING)
    assert floppy_count(pc) == 1
    check_passed_as(pc, 0, 0)


@variants
@pytest.mark.parametrize("media", BOTH)
@pytest.mark.parametrize("segment, count", [(0, 1), (0, 2), (0x1000, 3), (0x2345, 15), (0x0060, 4)])
def test_boot_from_emulated_drive_loads_its_sectors(variant, media, segment, count):
    disc = Disc(Entry(disc_of(media).default.image, media=media, segment=segment, count=count))
    pc = emulating(variant, media, disc)
    check_sectors(pc, disc, disc.default, 5, 3, number_of(media))


# ---- End of the emulation --------------------------------------------------------------


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK])
@pytest.mark.parametrize("number", ["emulated", "CD", "any"])
def test_4bh_restores_counts_and_numbers(variant, media, number):
    """The CD keeps its number."""
    disc = disc_of(media)
    pc = with_cd(variant, disc, {0: Disk()}, bios=Bios(floppies=1, disks=1,
                                                       answers=frozenset({0x00, 0x80})))
    vectors, data = state(pc)
    check_boot(pc, disc, number=number_of(media))
    assert state(pc)[1] != data
    number = {"emulated": number_of(media), "CD": CD, "any": ANY}[number]
    status, packet = emulation(pc, 0x4B, number=number)
    assert (status, packet.fields()[:3]) == (OK, (0x13, media, number_of(media)))
    after, data_after = state(pc)
    assert data_after == data
    for at in (0x13 * 4, 0x18 * 4):     # hooks that stay and pass all calls on
        after = after[:at] + vectors[at:at + 4] + after[at + 4:]
    assert after == vectors
    check_passed_as(pc, 0x00, 0x00)
    check_passed_as(pc, 0x80, 0x80)
    assert pc.int13(ah=0x08, dl=0, changes="ax bl cx dx").dl == 1
    assert transfer(pc, 0x42, 7, 1, drive=0x81) == (OK, 1)
    check_blocks(pc, disc, 64, 3)
    check_number_free(pc, ANY)


@variants
@pytest.mark.parametrize("media", BOTH)
def test_4ah_and_4bh_restore_all_bytes(variant, media):
    """Vectors and BIOS data area are compared completely."""
    disc = Disc(sections=(eltorito.Section((disc_of(media).default,)),))
    pc = with_cd(variant, disc, {0: Disk()}, bios=Bios(floppies=1, disks=1,
                                                       answers=frozenset({0x00, 0x80})))
    check_boot(pc, disc)
    image = disc.entries[1]
    before = state(pc)
    for _ in range(3):
        start = Packet.make(media, number_of(media), disc.lba(image), device=CD_ID << 8)
        assert emulation(pc, 0x4A, start)[0] == OK
        check_sectors(pc, disc, image, 5, 9, number_of(media))
        assert state(pc) != before
        assert emulation(pc, 0x4B, number=ANY)[0] == OK
        assert state(pc) == before
        check_passed_as(pc, number_of(media), number_of(media))

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: AH=4Ah to 4Dh on CDs with bootable images."""

from __future__ import annotations

import pytest

from tests.model.bios import Bios
from tests.model.bios_data import HARD_DISKS
from tests.model.eltorito import (BLOCK, CATALOG, FLOPPY_12, FLOPPY_144, FLOPPY_288, GEOMETRIES,
                                  HARD_DISK, PRIMARY, TERMINATOR, Disc, Entry, hard_disk, loader)
from tests.model.pc import BUFFER, PACKET, Pc
from tests.model.target import Disk
from tests.rom.cd.cdboot import (CD, CD_ID, WRONG_MEDIUM, Packet, catalog_of, cd, check_blocks,
                                 check_boot, check_number_free, check_running, check_sectors,
                                 drive_with, emulation, insert, move, simple_call, started, state,
                                 with_cd)
from tests.rom.cd.emulated_drives import (ANY, BOTH, FLOPPY_DISC, IMAGES, IMAGE_12, IMAGE_144,
                                          IMAGE_288, IMAGE_DISK, IN_USE, OTHER_PLAIN, PLAIN, SHAPE,
                                          check_image, check_passed_as, disc_of, emulating,
                                          floppy_count, number_of, packet_for, sectors_of,
                                          status_packet, track_of, variants)
from tests.rom.strict import (BAD_COMMAND, BAD_SECTOR, CHANGED, NOT_FOUND, NO_MEDIUM, OK, VARIANTS,
                              hexadecimal, transfer)


@pytest.fixture(scope="module", params=[(f, m) for f in VARIANTS for m in BOTH],
                ids=lambda p: f"{p[0]}-{'HD' if p[1] == HARD_DISK else 'floppy'}")
def emulated(request) -> tuple[Pc, int]:
    """The machine and the media type: a 1.44 MB floppy or a hard disk. For tests that
    do not change the state of the machine."""
    variant, media = request.param
    return emulating(variant, media), media


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    """A machine booted from a 1.44 MB floppy image."""
    return emulating(request.param, FLOPPY_144)


# ---- 4Bh -------------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK])
@pytest.mark.parametrize("bits", [0, 0x80, 0xC0])
def test_4bh_returns_the_emulation(variant, media, bits):
    entry = Entry(disc_of(media).default.image, media=media | bits, count=3, segment=0x1000)
    disc = Disc(entry)
    pc = with_cd(variant, disc)
    check_boot(pc, disc, number=number_of(media))
    before = state(pc)
    shape = SHAPE if media == HARD_DISK else GEOMETRIES[media]
    for number in (number_of(media), CD, ANY):
        packet = status_packet(pc, number)
        assert packet.fields() == (0x13, media | bits, number_of(media), 0, disc.lba(entry),
                                   CD_ID << 8, 0, 0x1000, 3)
        assert packet.chs == shape
    assert state(pc) == before
    check_sectors(pc, disc, entry, 5, 3, number_of(media))


@variants
def test_4bh_returns_a_boot_without_emulation(variant):
    disc = Disc(Entry(loader(8), count=8, segment=0x2000))
    pc = with_cd(variant, disc)
    check_boot(pc, disc)
    packet = status_packet(pc, CD)
    assert packet.fields() == (0x13, 0, CD, 0, 64, CD_ID << 8, 0, 0x2000, 8)
    assert packet[16:] == bytes(3)
    check_number_free(pc, ANY)


@variants
def test_4bh_of_an_unbooted_cd(variant):
    pc = with_cd(variant, Disc(), {5: drive_with(Disc())})
    check_boot(pc, Disc())
    packet = status_packet(pc, 0xE1)
    assert packet.fields() == (0x13, 0, 0xE1, 0, 0, 5 << 8, 0, 0, 0)
    assert packet[16:] == bytes(3)


def test_4bh_returns_the_lun_of_the_cd():
    target = Disk(version=5)
    target.luns = {3: drive_with(FLOPPY_DISC, lun=3, version=5)}
    pc = with_cd("895A", Disc(), {4: target})
    check_boot(pc, FLOPPY_DISC, number=0, index=1)
    assert status_packet(pc, 0).fields()[5] == 4 << 8 | 3


@pytest.mark.parametrize("al", [2, 3, 0x80, 0xFF])
def test_4bh_with_other_al_returns_01h(emulated, al):
    pc, media = emulated
    for number in (number_of(media), CD, ANY):
        status, packet = emulation(pc, 0x4B, number=number, al=al)
        assert (status, packet) == (BAD_COMMAND, b"\xEE" * 19)
    check_sectors(pc, disc_of(media), disc_of(media).default, 5, 3, number_of(media))


def test_4bh_of_other_drives_reaches_the_bios(pc):
    for number in (0xE1, 0x80):
        check_number_free(pc, number)
        passed = len(pc.bios.passed_on)
        assert pc.int13(ah=0x4B, al=1, dl=number).cf
        assert len(pc.bios.passed_on) == passed + 1


def test_4bh_without_emulation_changes_nothing(pc):
    assert emulation(pc, 0x4B, number=0)[0] == OK
    before = state(pc)
    emulation(pc, 0x4B, number=CD)
    assert state(pc) == before
    check_blocks(pc, FLOPPY_DISC)
    assert emulation(pc, 0x4A, Packet.make(FLOPPY_144, 0, 64, device=CD_ID << 8))[0] == OK
    check_image(pc, 5, 3)


# ---- 4Ah -------------------------------------------------------------------------------


@pytest.fixture
def plain() -> Pc:
    """A machine booted without emulation from a CD with many images. The BIOS has a
    floppy and a disk; the ROM serves another disk."""
    pc = with_cd("895A", IMAGES, {0: Disk()}, bios=Bios(
        floppies=1, disks=1, answers=frozenset({0x00, 0x80})))
    check_boot(pc, IMAGES, PLAIN)
    return pc


@pytest.mark.parametrize("entry", [IMAGE_12, IMAGE_144, IMAGE_288, IMAGE_DISK],
                         ids=["1.2", "1.44", "2.88", "disk"])
def test_4ah_starts_an_emulation(plain, entry):
    media = entry.media
    memory = plain.peek(0x7C00, 1024)
    assert emulation(plain, 0x4A, packet_for(entry))[0] == OK
    assert plain.peek(0x7C00, 1024) == memory, "nothing is loaded"
    check_sectors(plain, IMAGES, entry, 5, 9, number_of(media), 0x02, geometry=track_of(media))
    check_sectors(plain, IMAGES, entry, sectors_of(media) - 3, 3, number_of(media))
    packet = status_packet(plain, ANY)
    assert packet.fields()[:6] == (0x13, media, number_of(media), 0, IMAGES.lba(entry), CD_ID << 8)
    assert packet.chs == (SHAPE if media == HARD_DISK else GEOMETRIES[media])
    assert floppy_count(plain) == 2 - (media == HARD_DISK)
    assert plain.peek(HARD_DISKS, 1)[0] == 2 + (media == HARD_DISK)


@pytest.mark.parametrize("entry, drive, rom_disk", [
    (IMAGE_144, 1, 0x81), (IMAGE_DISK, 0x81, 0x82), (IMAGE_DISK, 0x82, 0x81)],
    ids=["second floppy", "second disk", "third disk"])
def test_4ah_accepts_the_next_drive_numbers(plain, entry, drive, rom_disk):
    """The drive is inserted after existing drives; lower numbers do not change."""
    assert emulation(plain, 0x4A, packet_for(entry, drive))[0] == OK
    check_sectors(plain, IMAGES, entry, 5, 9, drive)
    check_passed_as(plain, 0x00, 0x00)
    check_passed_as(plain, 0x80, 0x80)
    assert transfer(plain, 0x42, 7, 1, drive=rom_disk) == (OK, 1)
    assert plain.peek(BUFFER, 512) == plain.bus.targets[0].block(7)
    assert status_packet(plain, drive).fields()[2] == drive
    assert emulation(plain, 0x4B, number=drive)[0] == OK
    assert transfer(plain, 0x42, 7, 1, drive=0x81) == (OK, 1)


WRONG = {
    "size 0": (packet_for(IMAGE_144, size=0), BAD_COMMAND),
    "size 12h": (packet_for(IMAGE_144, size=0x12), BAD_COMMAND),
    "no emulation": (packet_for(PLAIN, media=0), BAD_COMMAND),
    **{f"media {m}": (packet_for(IMAGE_144, media=m), BAD_COMMAND) for m in (5, 6, 15)},
    "floppy with disk number": (packet_for(IMAGE_144, 0x80), BAD_COMMAND),
    "disk with floppy number": (packet_for(IMAGE_DISK, 0x00), BAD_COMMAND),
    "floppy with CD number": (packet_for(IMAGE_144, CD), BAD_COMMAND),
    "third floppy of one": (packet_for(IMAGE_144, 2), BAD_COMMAND),
    "floppy 7Fh": (packet_for(IMAGE_144, 0x7F), BAD_COMMAND),
    "fourth disk of two": (packet_for(IMAGE_DISK, 0x83), BAD_COMMAND),
    "disk FFh": (packet_for(IMAGE_DISK, 0xFF), BAD_COMMAND),
    "beyond the disc": (packet_for(IMAGE_144, lba=IMAGES.blocks), NOT_FOUND),
    "far beyond": (packet_for(IMAGE_144, lba=0xFFFFFFFF), NOT_FOUND),
    "a disk beyond": (packet_for(IMAGE_DISK, lba=IMAGES.blocks), NOT_FOUND),
    "disk without partitions": (packet_for(IMAGE_DISK, lba=IMAGES.lba(PLAIN)), WRONG_MEDIUM),
    "floppy image as a disk": (packet_for(IMAGE_DISK, lba=IMAGES.lba(IMAGE_144),
                                          media=HARD_DISK, drive=0x80), WRONG_MEDIUM),
}


@pytest.mark.parametrize("packet, status", WRONG.values(), ids=WRONG)
def test_4ah_refuses_bad_packets(plain, packet, status):
    before = state(plain)
    if packet.fields()[4] == IMAGES.lba(IMAGE_144) and status == WRONG_MEDIUM:
        IMAGES.patches[IMAGES.lba(IMAGE_144), 446] = bytes(64)
    assert emulation(plain, 0x4A, packet)[0] == status
    IMAGES.patches.clear()
    assert state(plain) == before
    check_passed_as(plain, 0x00, 0x00)
    check_number_free(plain, ANY)
    assert emulation(plain, 0x4A, packet_for(IMAGE_144))[0] == OK
    check_sectors(plain, IMAGES, IMAGE_144, 5, 9)


@pytest.mark.parametrize("al", [1, 2, 0xFF])
def test_4ah_with_other_al_returns_01h(plain, al):
    before = state(plain)
    assert emulation(plain, 0x4A, packet_for(IMAGE_144), al=al)[0] == BAD_COMMAND
    assert state(plain) == before


def test_4ah_needs_no_signature_for_a_floppy(plain):
    """A floppy need not be bootable."""
    assert emulation(plain, 0x4A, packet_for(IMAGE_144, lba=IMAGES.lba(PLAIN)))[0] == OK
    assert move(plain, 0x02, 0, 8, number=0) == (OK, 8)
    assert plain.peek(BUFFER, 4096) == PLAIN.image


@pytest.mark.parametrize("number", [0x00, CD])
def test_4ah_during_an_emulation_returns_in_use(plain, number):
    assert emulation(plain, 0x4A, packet_for(IMAGE_144))[0] == OK
    before = state(plain)
    for entry in (IMAGE_144, IMAGE_DISK):
        assert emulation(plain, 0x4A, packet_for(entry), number=number)[0] == IN_USE
    assert state(plain) == before
    check_sectors(plain, IMAGES, IMAGE_144, 5, 9)


@pytest.mark.parametrize("function", [0x4A, 0x4C], ids=hexadecimal)
def test_4ah_and_4ch_without_a_disc_return_31h(plain, function):
    before = state(plain)
    cd(plain).take_out()
    for entry in (IMAGE_144, IMAGE_DISK):
        if function == 0x4A:
            assert emulation(plain, function, packet_for(entry))[0] == NO_MEDIUM
        else:
            assert started(plain, packet_for(entry)).ah == NO_MEDIUM
    assert state(plain) == before


def test_4ah_for_other_drives_reaches_the_bios(plain):
    passed = len(plain.bios.passed_on)
    plain.poke(PACKET, packet_for(IMAGE_144))
    for number in (0x00, 0x7F, 0xE1):
        assert plain.int13(ah=0x4A, al=0, dl=number, ds=PACKET >> 4, si=PACKET & 15).cf
    assert len(plain.bios.passed_on) == passed + 3


# ---- 4Ch -------------------------------------------------------------------------------


def check_start(pc: Pc, entry: Entry, number: int = CD, **options) -> None:
    """4Ch starts this entry, which runs."""
    packet = packet_for(entry, **options)
    pc.poke(entry.load.start, b"\xEE" * len(entry.load))
    result = started(pc, packet, entry.load, number=number)
    check_running(pc, result, IMAGES, entry, packet.fields()[2])


@pytest.mark.parametrize("entry", [IMAGE_12, IMAGE_144, IMAGE_288, IMAGE_DISK, OTHER_PLAIN],
                         ids=["1.2", "1.44", "2.88", "disk", "no emulation"])
def test_4ch_boots_an_image(plain, entry):
    check_start(plain, entry)
    number = number_of(entry.media) if entry.media else CD
    if entry.media:
        check_sectors(plain, IMAGES, entry, 5, 9, number)
    assert status_packet(plain, number).fields() == (
        0x13, entry.media, number, 0, IMAGES.lba(entry), CD_ID << 8, 0, entry.segment, entry.count)


@pytest.mark.parametrize("number", ["emulated", "CD"])
@pytest.mark.parametrize("second", [IMAGE_288, IMAGE_DISK, OTHER_PLAIN],
                         ids=["2.88", "disk", "no emulation"])
@pytest.mark.parametrize("first", [IMAGE_144, IMAGE_DISK], ids=["from 1.44", "from disk"])
def test_4ch_ends_the_previous_emulation(plain, first, second, number):
    before = state(plain)
    check_start(plain, first)
    check_start(plain, second, number_of(first.media) if number == "emulated" else CD)
    assert floppy_count(plain) == 1 + (second is IMAGE_288)
    assert plain.peek(HARD_DISKS, 1)[0] == 2 + (second is IMAGE_DISK)
    if second.media:
        check_sectors(plain, IMAGES, second, 5, 9, number_of(second.media))
        assert emulation(plain, 0x4B, number=ANY)[0] == OK
    assert state(plain) == before
    check_passed_as(plain, 0x00, 0x00)
    assert transfer(plain, 0x42, 7, 1, drive=0x81) == (OK, 1)


@pytest.mark.parametrize("entry, highest", [(IMAGE_144, 1), (IMAGE_DISK, 0x82)],
                         ids=["floppy", "disk"])
def test_4ch_ignores_the_replaced_drive_in_the_number_limit(plain, entry, highest):
    """The highest number allowed is the same as for the first emulation."""
    check_start(plain, entry)
    before = state(plain)
    assert started(plain, packet_for(entry, highest + 1), entry.load).ah == BAD_COMMAND
    assert state(plain) == before
    check_start(plain, entry, drive=highest)
    check_sectors(plain, IMAGES, entry, 5, 9, highest)


def test_4bh_returns_ten_bits_of_cylinders():
    disc = Disc(Entry(hard_disk(1024, 1, 2), media=HARD_DISK, count=1))
    pc = emulating("895A", HARD_DISK, disc)
    assert status_packet(pc, ANY).chs == (1024, 1, 2)


BAD_STARTS = {
    "size": (packet_for(IMAGE_288, size=0x12), BAD_COMMAND),
    "media": (packet_for(IMAGE_288, media=5), BAD_COMMAND),
    "number": (packet_for(IMAGE_288, 0x80), BAD_COMMAND),
    "beyond the disc": (packet_for(IMAGE_288, lba=IMAGES.blocks), NOT_FOUND),
    "no partition": (packet_for(IMAGE_DISK, lba=IMAGES.lba(PLAIN)), WRONG_MEDIUM),
}


@pytest.mark.parametrize("packet, status", BAD_STARTS.values(), ids=BAD_STARTS)
@pytest.mark.parametrize("first", [None, IMAGE_144, IMAGE_DISK], ids=["plain", "1.44", "disk"])
def test_failed_4ch_changes_nothing(plain, first, packet, status):
    if first:
        check_start(plain, first)
    before = state(plain)
    result = started(plain, packet, IMAGE_288.load)
    assert (result.booted, result.ah, result.cf) == (False, status, True)
    assert state(plain) == before
    if first:
        check_sectors(plain, IMAGES, first, 5, 9, number_of(first.media))
    else:
        check_blocks(plain, IMAGES, 64, 3)


def test_4ch_with_a_read_error_changes_nothing(plain):
    check_start(plain, IMAGE_144)
    before = state(plain)
    cd(plain).bad_blocks[IMAGES.lba(IMAGE_288)] = (3, 0x11, 0, True)
    result = started(plain, packet_for(IMAGE_288), IMAGE_288.load)
    assert (result.booted, result.ah, state(plain)) == (False, BAD_SECTOR, before)
    check_sectors(plain, IMAGES, IMAGE_144, 5, 9)


@pytest.mark.parametrize("segment, count", [(0x0001, 4), (0xA000, 1), (0x9FFF, 1), (0, 65535)])
def test_4ch_refuses_a_load_address_without_room(plain, segment, count):
    before = state(plain)
    packet = packet_for(IMAGE_288, segment=segment, count=count)
    assert started(plain, packet).cf
    assert state(plain) == before


# ---- 4Dh -------------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("number", [CD, 0x00])
def test_4dh_reads_the_catalog(variant, number):
    pc = emulating(variant, FLOPPY_144)
    for first, count in ((0, 1), (1, 1), (0, 3), (2, 5)):
        pc.poke(BUFFER, b"\xEE" * (count * BLOCK + 64))
        assert catalog_of(pc, first, count, number) == OK
        assert pc.peek(BUFFER, count * BLOCK) == FLOPPY_DISC.read(CATALOG + first, count)
        assert pc.peek(BUFFER + count * BLOCK, 64) == b"\xEE" * 64


@pytest.mark.parametrize("address", [BUFFER + 3, 0x2FFFF, 0x7FE01])
def test_4dh_reads_to_any_buffer(plain, address):
    assert catalog_of(plain, 0, 2, address=address) == OK
    assert plain.peek(address, 2 * BLOCK) == IMAGES.read(CATALOG, 2)


@pytest.mark.parametrize("options, status", [
    ({"size": 0}, BAD_COMMAND), ({"size": 7}, BAD_COMMAND), ({"al": 1}, BAD_COMMAND),
    ({"al": 0xFF}, BAD_COMMAND), ({"first": 0xFFFF}, NOT_FOUND)], ids=str)
def test_4dh_refuses_bad_arguments(plain, options, status):
    plain.poke(BUFFER, b"\xEE" * BLOCK)
    assert catalog_of(plain, **options) == status
    assert plain.peek(BUFFER, BLOCK) == b"\xEE" * BLOCK


def test_4dh_without_boot_record_or_disc(plain):
    insert(plain, Disc(descriptors=(PRIMARY, TERMINATOR)))
    assert simple_call(plain, 0x16).ah == CHANGED
    assert catalog_of(plain) == WRONG_MEDIUM
    cd(plain).take_out()
    assert catalog_of(plain) == NO_MEDIUM

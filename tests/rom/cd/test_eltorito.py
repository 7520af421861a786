# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: El Torito. Boot records and catalogs of every shape, with every
damage; the choice between entries; what is loaded, and where.
"""

from __future__ import annotations

import dataclasses
import struct
from collections import deque

import pytest

from tests.model import eltorito
from tests.model.bios import EBDA_KIB, MEMORY_SIZE, SEABIOS, SPECIFICATION, Bios
from tests.model.bus import FREE, HANG
from tests.model.devices import TimerInterrupt
from tests.model.eltorito import (BLOCK, BOOT_SEGMENT, CATALOG, EFI, FLOPPY_12, FLOPPY_144,
                                  HARD_DISK, LAST, MAC, MORE, NOT_BOOTABLE, NO_EMULATION,
                                  OTHER_BOOT, POWERPC, PRIMARY, SUPPLEMENTARY, TERMINATOR, X86,
                                  Disc, Entry, Section, boot_record, descriptor, floppy, hard_disk,
                                  loader, validation)
from tests.model.pc import SEEDS, STACK_SEGMENT, STACK_TOP, Pc
from tests.model.target import READ10, READ_CAPACITY, TEST_UNIT_READY, Disk
from tests.rom.cd.cdboot import (CD, CD_ID, boot, boots, cd, cd_entries, drive_with, insert,
                                 lines_behind, reads_blocks, refused, runs, state, with_cd)
from tests.rom.strict import BAD_COMMAND, NOT_READY, OK, SECOND, VARIANTS, new_pc, opcodes, transfer

NO_RECORD, DAMAGED, CHECKSUM, NO_ENTRY = (
    "no boot record", "boot catalog damaged", "boot catalog: wrong checksum",
    "no bootable entry for this PC")
NO_TYPE, BEYOND, NOTHING, NO_ROOM = (
    "media type not known", "image beyond the end of the disc", "nothing to load",
    "no room at its load address")
NO_SECTOR, NO_PARTITION = "no boot sector", "no partition"
FAR = 120       # an LBA for images behind many descriptors

variants = pytest.mark.parametrize("variant", VARIANTS)


def on_895a(disc: Disc, **options) -> Pc:
    return with_cd("895A", disc, **options)


# ---- The boot record -------------------------------------------------------------------


def many(before: int, *rest: bytes) -> Disc:
    """A boot record behind that many other descriptors."""
    return Disc(descriptors=(*[SUPPLEMENTARY] * before, boot_record(FAR), *rest), catalog_lba=FAR,
                images=FAR + 8)


RECORDS = {
    "at 16": Disc(descriptors=(boot_record(), TERMINATOR)),
    "at 17": Disc(),
    "at 20": many(4, TERMINATOR),
    "the last of 64": many(63),
    "behind another boot system": Disc(descriptors=(PRIMARY, OTHER_BOOT, boot_record(),
                                                    TERMINATOR)),
    "before another": Disc(descriptors=(PRIMARY, boot_record(), OTHER_BOOT, TERMINATOR)),
    "no terminator": Disc(descriptors=(PRIMARY, boot_record())),
    "alone": Disc(descriptors=(boot_record(),)),
    "the first of two": Disc(descriptors=(PRIMARY, boot_record(), boot_record(FAR), TERMINATOR)),
    "catalog before it": Disc(descriptors=(PRIMARY, boot_record(10), TERMINATOR), catalog_lba=10),
    "catalog far away": Disc(catalog_lba=900_000, blocks=1_000_000),
    "catalog in the last block": Disc(catalog_lba=99, blocks=100),
}


@variants
@pytest.mark.parametrize("disc", RECORDS.values(), ids=RECORDS)
def test_the_boot_record_is_found_wherever_it_is(variant, disc):
    boots(with_cd(variant, disc), disc)


NO_RECORDS = {
    "none": Disc(descriptors=(PRIMARY, TERMINATOR)),
    "no descriptors": Disc(descriptors=(bytes(BLOCK),)),
    "behind the terminator": Disc(descriptors=(PRIMARY, TERMINATOR, boot_record())),
    "behind something else": Disc(descriptors=(PRIMARY, bytes(BLOCK), boot_record(), TERMINATOR)),
    "the 65th": many(64, TERMINATOR),
    "of another system": Disc(descriptors=(PRIMARY, OTHER_BOOT, TERMINATOR)),
    "almost the name": Disc(descriptors=(PRIMARY, boot_record(system=b"EL TORITO SPECIFICATIOM"))),
    "lower case": Disc(descriptors=(PRIMARY, boot_record(system=b"El Torito Specification"))),
    "another type": Disc(descriptors=(PRIMARY, b"\2" + boot_record()[1:], TERMINATOR)),
    "another standard": Disc(descriptors=(PRIMARY, descriptor(0, boot_record()[7:], b"CDROM"))),
}


@pytest.mark.parametrize("disc", NO_RECORDS.values(), ids=NO_RECORDS)
def test_a_disc_without_a_boot_record_is_named(disc):
    refused(on_895a(disc), NO_RECORD)


def test_descriptors_without_an_end_come_to_one():
    disc = many(1000)
    disc.blocks = 5000
    pc = on_895a(disc)
    before = len(cd(pc).commands)
    refused(pc, NO_RECORD)
    assert len(opcodes(cd(pc), before)) < 80


@pytest.mark.parametrize("lba", [200, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_a_catalog_beyond_the_disc_is_named(lba):
    refused(on_895a(Disc(descriptors=(PRIMARY, boot_record(lba), TERMINATOR), blocks=200)),
            "status 04h")


@variants
@pytest.mark.parametrize("lba", [16, 17, CATALOG, 64])
def test_a_block_that_cannot_be_read_is_named(variant, lba):
    """A descriptor, the record, the catalog, the image. Without a catalog's
    second block one can do."""
    disc = Disc()
    pc = with_cd(variant, disc)
    cd(pc).bad_blocks[lba] = (3, 0x11, 0, True)
    refused(pc, "status 10h", *disc.loads)
    cd(pc).bad_blocks.clear()
    boots(pc, disc)


# ---- The catalog -----------------------------------------------------------------------

EFI_ENTRY = Entry(loader(4, 77))
X86_ENTRY = Entry(loader(4, 78), segment=0x2000)
NO_ENTRY_HERE = Entry(loader(4, 79), indicator=NOT_BOOTABLE)

DAMAGES = {
    "header 0": (Disc(validation=validation(header=0)), DAMAGED),
    "header 2": (Disc(validation=validation(header=2)), DAMAGED),
    "header 88h": (Disc(validation=validation(header=0x88)), DAMAGED),
    "key bytes swapped": (Disc(validation=validation(key=b"\xAA\x55")), DAMAGED),
    "first key byte": (Disc(validation=validation(key=b"\x54\xAA")), DAMAGED),
    "second key byte": (Disc(validation=validation(key=b"\x55\xAB")), DAMAGED),
    "zeros": (Disc(catalog=bytes(BLOCK)), DAMAGED),
    "FFh": (Disc(catalog=b"\xFF" * BLOCK), DAMAGED),
    "text": (Disc(catalog=b"This is not a catalog. " * 80), DAMAGED),
    "sum 1": (Disc(validation=validation(wrong_by=1)), CHECKSUM),
    "sum 0100h": (Disc(validation=validation(wrong_by=0x100)), CHECKSUM),
    "sum 8000h": (Disc(validation=validation(wrong_by=0x8000)), CHECKSUM),
    "sum FFFFh": (Disc(validation=validation(wrong_by=0xFFFF)), CHECKSUM),
    "only a validation entry": (Disc(catalog=validation()), NO_ENTRY),
    "default not bootable": (Disc(NO_ENTRY_HERE), NO_ENTRY),
    **{f"indicator {i:02x}h": (Disc(Entry(loader(), indicator=i)), NO_ENTRY)
       for i in (0x01, 0x08, 0x80, 0x89, 0x90, 0x91, 0x44, 0xFF)},
    "EFI": (Disc(validation=validation(EFI)), NO_ENTRY),
    "PowerPC": (Disc(validation=validation(POWERPC)), NO_ENTRY),
    "Mac": (Disc(validation=validation(MAC)), NO_ENTRY),
    "EFI section only": (Disc(NO_ENTRY_HERE, (Section((EFI_ENTRY,), EFI),)), NO_ENTRY),
    "EFI and Mac": (Disc(validation=validation(EFI), sections=(
        Section((EFI_ENTRY, EFI_ENTRY), MAC), Section((EFI_ENTRY,), EFI))), NO_ENTRY),
    "section not bootable": (Disc(NO_ENTRY_HERE, (Section((NO_ENTRY_HERE,)),)), NO_ENTRY),
    "behind the last section": (Disc(NO_ENTRY_HERE, (
        Section((EFI_ENTRY,), EFI, header=LAST), Section((X86_ENTRY,)))), NO_ENTRY),
    "an empty section": (Disc(NO_ENTRY_HERE, (Section(()),)), NO_ENTRY),
    "a section without a header": (Disc(catalog=validation() + NO_ENTRY_HERE.packed(64)
                                        + X86_ENTRY.packed(65)), NO_ENTRY),
    "the 129th entry": (Disc(NO_ENTRY_HERE, (Section((*[NO_ENTRY_HERE] * 125, X86_ENTRY)),)),
                        NO_ENTRY),
}


@pytest.mark.parametrize("disc, reason", DAMAGES.values(), ids=DAMAGES)
def test_a_catalog_without_an_entry_for_us_says_why(disc, reason):
    refused(on_895a(disc), reason, *disc.loads)


WITH = {
    "EFI beside it": Disc(sections=(Section((EFI_ENTRY,), EFI),)),
    "many others": Disc(sections=(Section((EFI_ENTRY,), EFI), Section((EFI_ENTRY,) * 3, MAC),
                                  Section((EFI_ENTRY,), POWERPC))),
    "others not bootable": Disc(sections=(Section((NO_ENTRY_HERE,) * 2),)),
    "identification text": Disc(validation=validation(text=b"\x7F" * 24)),
    "no text": Disc(validation=validation(text=b"")),
    "reserved bytes": Disc(catalog=bytes([1, 0, 0x34, 0x12, *bytes(24)])
                           + struct.pack("<HH", -0x1235 - 0xAA55 & 0xFFFF, 0xAA55)
                           + Entry().packed(64)),
    "driver bits": Disc(Entry(loader(), media=0xC0)),
    "garbage behind it": Disc(patches={(CATALOG, 0x60): b"\xCC" * (BLOCK - 0x60)}),
    "zeros as a header": Disc(patches={(CATALOG, 0x40): bytes(32)}),
}


@variants
@pytest.mark.parametrize("disc", WITH.values(), ids=WITH)
def test_one_entry_for_us_boots_without_a_question(variant, disc):
    if not disc.read(disc.lba(disc.default), 1) or disc.catalog is not None:
        disc.patches[64, 0] = disc.default.image
    pc = with_cd(variant, disc)
    boots(pc, disc)
    assert "which" not in pc.text


IN_SECTIONS = {
    "default not bootable": (Disc(NO_ENTRY_HERE, (Section((X86_ENTRY,)),)), X86_ENTRY),
    "behind EFI": (Disc(validation=validation(EFI), sections=(Section((X86_ENTRY,)),)), X86_ENTRY),
    "the second section": (Disc(NO_ENTRY_HERE, (Section((EFI_ENTRY,), EFI),
                                                Section((X86_ENTRY,)))), X86_ENTRY),
    "behind an empty section": (Disc(NO_ENTRY_HERE, (Section((), EFI), Section((X86_ENTRY,)))),
                                X86_ENTRY),
    "before the end": (Disc(NO_ENTRY_HERE, (Section((X86_ENTRY,), header=MORE),)), X86_ENTRY),
    "the second entry": (Disc(NO_ENTRY_HERE, (Section((NO_ENTRY_HERE, X86_ENTRY)),)), X86_ENTRY),
    "one more promised": (Disc(NO_ENTRY_HERE, (Section((X86_ENTRY,), lies=1),)), X86_ENTRY),
    "65535 promised": (Disc(NO_ENTRY_HERE, (Section((X86_ENTRY,), lies=65534),)), X86_ENTRY),
    "the 64th entry": (Disc(NO_ENTRY_HERE, (Section((*[NO_ENTRY_HERE] * 60, X86_ENTRY)),)),
                       X86_ENTRY),
    "the 65th, in another block": (Disc(NO_ENTRY_HERE, (
        Section((*[NO_ENTRY_HERE] * 61, X86_ENTRY)),)), X86_ENTRY),
    "the 128th": (Disc(NO_ENTRY_HERE, (Section((*[NO_ENTRY_HERE] * 124, X86_ENTRY)),)), X86_ENTRY),
}


@variants
@pytest.mark.parametrize("disc, entry", IN_SECTIONS.values(), ids=IN_SECTIONS)
def test_an_entry_in_a_section_boots(variant, disc, entry):
    pc = with_cd(variant, disc)
    boots(pc, disc, entry)
    assert "which" not in pc.text


@variants
@pytest.mark.parametrize("extensions", [1, 2, 5, 31])
@pytest.mark.parametrize("platform", [X86, EFI], ids=["x86", "EFI"])
def test_extensions_are_passed_over(variant, extensions, platform):
    """Whatever is in them: these look like entries."""
    before = Entry(loader(4, 5), indicator=NOT_BOOTABLE if platform == X86 else 0x88,
                   extensions=extensions)
    disc = Disc(NO_ENTRY_HERE, (Section((before, before), platform), Section((X86_ENTRY,))))
    pc = with_cd(variant, disc)
    boots(pc, disc, X86_ENTRY)
    assert "which" not in pc.text


def test_an_entry_with_extensions_boots():
    entry = Entry(loader(4, 5), extensions=3)
    disc = Disc(NO_ENTRY_HERE, (Section((entry,)),))
    boots(on_895a(disc), disc, entry)


@pytest.mark.parametrize("fill", [
    eltorito.extension(more=True), eltorito.section(EFI, 0, header=MORE),
    eltorito.section(X86, 0xFFFF, header=MORE), NO_ENTRY_HERE.packed(64)],
    ids=["extensions", "empty sections", "sections", "entries"])
def test_a_catalog_without_an_end_comes_to_one(fill):
    entry = dataclasses.replace(NO_ENTRY_HERE, media=eltorito.CONTINUES)
    catalog = (validation() + NO_ENTRY_HERE.packed(64) + eltorito.section(X86, 0xFFFF, header=MORE)
               + entry.packed(64) + fill * 1000)
    disc = Disc(catalog=catalog, catalog_lba=100, blocks=200)
    refused(on_895a(disc), NO_ENTRY)


# ---- The choice ------------------------------------------------------------------------

CHOICE = Disc(Entry(loader(4, 10)),
              (Section((Entry(loader(4, 11), segment=0x1000),), text=b"Rescue system"),
               Section((EFI_ENTRY,), EFI, b"not for us"),
               Section((Entry(loader(4, 12), segment=0x2000),),
                       text=b"A text of 28 bytes, no zero!")))
OFFERED = [e for e in CHOICE.entries if e is not EFI_ENTRY]
LINES = ["  1 default entry", "  2 Rescue system", "  3 A text of 28 bytes, no zero!"]
ENTER, ESCAPE, F1, SPACE = 0x1C0D, 0x011B, 0x3B00, 0x3920


def digit(n: int) -> int:
    """AX of INT 16h for a key 1 to 9."""
    return (n + 1) << 8 | ord("0") + n


def with_keys(variant: str, disc: Disc, *keys: tuple[int, int], **options) -> Pc:
    return with_cd(variant, disc, bios=Bios(keys=deque(keys)), **options)


def question(pc: Pc) -> list[str]:
    """The lines of the choice."""
    lines = pc.text.replace("\r", "").split("\n")
    asked = next(i for i, line in enumerate(lines) if line.startswith("  Boot which"))
    first = next(i for i, line in enumerate(lines) if line.startswith("E0h: "))
    return [line.rstrip() for line in lines[first + 1:asked + 1]]


@variants
@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_key_chooses(variant, n):
    pc = with_keys(variant, CHOICE, (SECOND, digit(n)))
    boots(pc, CHOICE, OFFERED[n - 1])
    assert [line.rstrip() for line in question(pc)[:-1]] == LINES
    assert question(pc)[-1].startswith("  Boot which (1-3)?")
    assert not pc.bios.keys


@variants
@pytest.mark.parametrize("key", [ENTER, ESCAPE, F1, SPACE, digit(4), digit(9), 0x0B30, 0x2D78,
                                 0x1E61], ids=hex)
def test_any_other_key_means_the_first(variant, key):
    pc = with_keys(variant, CHOICE, (SECOND, key))
    before = pc.chip.now
    boots(pc, CHOICE)
    assert not pc.bios.keys and pc.chip.now - before < 3 * SECOND


@variants
def test_without_a_key_it_is_the_first_after_five_seconds(variant):
    pc = with_keys(variant, CHOICE, (8 * SECOND, digit(2)))
    before = pc.chip.now
    boots(pc, CHOICE)
    assert 4.9 * SECOND < pc.chip.now - before < 6 * SECOND
    assert len(pc.bios.keys) == 1, "which is for whoever boots"


def test_a_key_in_the_last_moment():
    boots(with_keys("895A", CHOICE, (4.8 * SECOND, digit(3))), CHOICE, OFFERED[2])


def test_only_one_key_is_taken():
    pc = with_keys("895A", CHOICE, (SECOND, digit(2)), (SECOND, digit(3)))
    boots(pc, CHOICE, OFFERED[1])
    assert len(pc.bios.keys) == 1


def test_the_keyboard_is_left_alone_without_a_choice():
    disc = Disc()
    pc = with_keys("895A", disc, (0, digit(2)))
    boots(pc, disc)
    assert len(pc.bios.keys) == 1


def test_each_boot_asks_anew():
    pc = with_keys("895A", CHOICE, (SECOND, digit(2)))
    boots(pc, CHOICE, OFFERED[1])
    pc.bios.keys.append((SECOND, digit(3)))
    boots(pc, CHOICE, OFFERED[2])


@variants
@pytest.mark.parametrize("entries, offered, n", [(9, 9, 9), (10, 9, 9), (12, 9, 3), (60, 9, 5)])
def test_nine_entries_are_the_most(variant, entries, offered, n):
    images = tuple(Entry(loader(1, 20 + i), count=1, segment=0x1000) for i in range(entries - 1))
    disc = Disc(sections=(Section(images, text=b"some"),))
    pc = with_keys(variant, disc, (SECOND, digit(n)))
    boots(pc, disc, images[n - 2])
    lines = question(pc)
    assert lines[-1].startswith(f"  Boot which (1-{offered})?")
    assert lines[:-1] == ["  1 default entry"] + [f"  {i} some" for i in range(2, offered + 1)]


def test_sections_without_a_bootable_default():
    first, second = Entry(loader(4, 30)), Entry(loader(4, 31), segment=0x3000)
    disc = Disc(NO_ENTRY_HERE, (Section((first, second), text=b"both"),))
    pc = with_keys("895A", disc, (0, digit(2)))
    boots(pc, disc, second)
    assert question(pc)[:-1] == ["  1 both", "  2 both"]


def test_texts_cannot_move_the_cursor_or_ring_the_bell():
    disc = Disc(sections=(Section((Entry(loader(4, 11)),), text=bytes(range(1, 29))),))
    pc = on_895a(disc)
    boots(pc, disc)
    assert not {c for c in pc.text if c < " "} - {"\r", "\n"}
    assert any(line.startswith("  2") for line in question(pc))


def test_the_chosen_entry_may_be_one_that_does_not_boot():
    """There is no way back to another: the next device has its turn."""
    bad = Entry(loader(4, 11), media=7)
    disc = Disc(sections=(Section((bad,), text=b"bad"),))
    pc = with_keys("895A", disc, (0, digit(2)))
    before, start = state(pc), len(pc.text)
    assert not boot(pc, *disc.loads).booted
    assert [line for line in lines_behind(pc, start) if line][-1] == f"  not bootable: {NO_TYPE}"
    assert state(pc) == before
    boots(pc, disc)


# ---- What is loaded --------------------------------------------------------------------


@variants
@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 7, 8, 31, 63, 64, 65, 127, 128, 255, 256, 509,
                                   1000])
def test_as_many_sectors_as_the_catalog_says(variant, count):
    """And not one byte more: the bench watches what lies behind."""
    disc = Disc(Entry(loader(count, 40), count=count))
    pc = with_cd(variant, disc)
    boots(pc, disc)


@variants
@pytest.mark.parametrize("segment", [0, BOOT_SEGMENT, 0x0070, 0x1000, 0x2345, 0x7FFF, 0x8001,
                                     0x9000])
def test_at_the_load_segment(variant, segment):
    disc = Disc(Entry(loader(8), count=8, segment=segment))
    boots(with_cd(variant, disc), disc)


TOP = EBDA_KIB * 64     # the segment at which memory ends


@pytest.mark.parametrize("segment, count, fits", [
    (0x0060, 4, True), (0x005F, 4, False), (0x0001, 4, False), (0x0040, 1, False),
    (TOP - 32 * 8, 8, True), (TOP - 32 * 8 + 1, 8, False), (TOP - 32, 1, True),
    (TOP - 31, 1, False), (TOP, 1, False), (0x9FFF, 1, False), (0xA000, 4, False),
    (0xC800, 4, False), (0xF000, 4, False), (0xFFFF, 4, False), (0x1000, 1000, True),
    (0x1000, 2048, False), (0, 2048, False), (0, 65535, False), (0x1000, 1150, True),
    (0x1000, 1151, False)])
def test_there_must_be_room_at_the_load_address(segment, count, fits):
    disc = Disc(Entry(loader(count, 41), count=count, segment=segment))
    pc = on_895a(disc)
    if fits:
        boots(pc, disc)
    else:
        refused(pc, NO_ROOM)


@pytest.mark.parametrize("kib", [638, 600, 128])
def test_room_ends_where_the_bios_says(kib):
    """40:13h, which others may have lowered too."""
    image = loader(8)
    for segment, fits in ((kib * 64 - 256, True), (kib * 64 - 255, False)):
        disc = Disc(Entry(image, count=8, segment=segment))
        pc = on_895a(disc)
        pc.poke(MEMORY_SIZE, struct.pack("<H", kib))
        if fits:
            boots(pc, disc)
        else:
            refused(pc, NO_ROOM)


@pytest.mark.parametrize("segment, count, fits", [
    (0x0600, 1, True), (0x0600, 8, False), (0x06F0, 1, False), (0x06E0, 1, False),
    (0x0500, 200, False), (0x0720, 8, True)])
def test_there_is_room_around_the_stack_of_the_bios(segment, count, fits):
    """In the bench it ends at 7000h, with some bytes in use."""
    disc = Disc(Entry(loader(count), count=count, segment=segment))
    pc = on_895a(disc)
    if fits:
        boots(pc, disc)
    else:
        refused(pc, NO_ROOM)


def test_our_own_memory_is_not_loaded_over():
    """Without a memory manager it lies below 640 KiB."""
    disc = Disc(Entry(loader(8), count=8, segment=EBDA_KIB * 64 - 256))
    refused(on_895a(disc, bios=Bios(pmm="absent")), NO_ROOM)


SP = STACK_SEGMENT * 16 + STACK_TOP


@pytest.mark.parametrize("start, fits", [
    (SP - 0x2000, True), (SP - 0x1000, False), (SP - 0x400, False), (SP - 0x10, False),
    (SP + 0x100, True)])
def test_the_stack_of_the_bios_is_not_loaded_over(start, fits):
    disc = Disc(Entry(loader(8), count=8, segment=start // 16))
    pc = on_895a(disc)
    if fits:
        boots(pc, disc)
    else:
        refused(pc, NO_ROOM)


@pytest.mark.parametrize("media", range(5, 16))
@pytest.mark.parametrize("bits", [0, 0xC0])
def test_media_types_that_nobody_knows(media, bits):
    refused(on_895a(Disc(Entry(loader(), media=media | bits))), NO_TYPE)


@pytest.mark.parametrize("media", range(5))
@pytest.mark.parametrize("lba", [500, 501, 0x7FFFFFFF, 0xFFFFFFFF])
def test_an_image_beyond_the_end_of_the_disc(media, lba):
    refused(on_895a(Disc(Entry(media=media, lba=lba, count=1), blocks=500)), BEYOND)


@pytest.mark.parametrize("count, fits", [(1, True), (4, True), (5, False), (8, False)])
def test_an_image_that_reaches_beyond_the_end(count, fits):
    disc = Disc(Entry(lba=499, count=count), blocks=500)
    pc = on_895a(disc)
    if fits:
        boots(pc, disc)
    else:
        refused(pc, BEYOND)


@pytest.mark.parametrize("media, image", [
    (NO_EMULATION, loader()), (FLOPPY_144, floppy(FLOPPY_144)), (HARD_DISK, hard_disk(10, 4, 17))])
def test_nothing_to_load(media, image):
    refused(on_895a(Disc(Entry(image, media=media, count=0))), NOTHING)


@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, HARD_DISK])
@pytest.mark.parametrize("signature", [b"\0\0", b"\xAA\x55", b"\x55\xAB", b"\x56\xAA"])
def test_emulation_needs_a_boot_sector(media, signature):
    image = bytearray(hard_disk(10, 4, 17))
    image[510:512] = signature
    refused(on_895a(Disc(Entry(bytes(image), media=media, count=1))), NO_SECTOR)


@pytest.mark.parametrize("system, sector", [(0, 17), (6, 0), (0, 0), (6, 0xC0)])
def test_hard_disk_emulation_needs_a_partition(system, sector):
    image = bytearray(hard_disk(10, 4, 17))
    image[446 + 4], image[446 + 6] = system, sector
    refused(on_895a(Disc(Entry(bytes(image), media=HARD_DISK, count=1))), NO_PARTITION)


def test_an_image_for_no_emulation_needs_no_signature():
    disc = Disc(Entry(bytes(2048)))
    boots(on_895a(disc), disc)


# ---- How it begins ---------------------------------------------------------------------


@variants
@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_what_is_booted_finds_the_registers_of_the_bios(variant, manner):
    """ES:DI points to the PnP structure, DL is the drive."""
    disc = Disc()
    pc = with_cd(variant, disc, {0: Disk()}, bios=Bios(manner))
    result = boots(pc, disc)
    assert result.eflags & 0x600 == 0x200, "interrupts open, strings go up"
    ax = 0xAA55 if manner == SEABIOS else pc.pci_address
    expected = {**SEEDS, "eax": ax, "ebx": 0xFFFF, "edx": 0xFF00 | CD, "es": 0xF000, "edi": 0x0100}
    assert {n: result.registers[n] for n in expected} == expected
    assert transfer(pc, 0x42, 7, 1) == (OK, 1)
    reads_blocks(pc, disc, 0, 20)


@variants
def test_a_boot_is_told_in_one_line(variant):
    disc = Disc()
    pc = with_cd(variant, disc)
    start = len(pc.text)
    boots(pc, disc)
    assert [line for line in lines_behind(pc, start) if line] == [
        f"E0h: SCSI 00:04.0 ID {CD_ID} LUN 0 BENCH STRICT CD-ROM 0 MiB, 2048-byte blocks"]


@variants
def test_a_boot_that_failed_leaves_no_trace(variant):
    """The next device boots; and the CD, once there is something in it."""
    bad, good = Disc(descriptors=(PRIMARY, TERMINATOR)), Disc()
    pc = with_cd(variant, bad, {0: Disk()})
    for _ in range(3):
        refused(pc, NO_RECORD)
    assert transfer(pc, 0x42, 7, 1) == (OK, 1)
    insert(pc, good)
    boots(pc, good)
    reads_blocks(pc, good)


@variants
def test_a_boot_that_fails_behind_one_that_did_not_keeps_the_numbers(variant):
    """As at INT 19h of a guest."""
    good = Disc()
    pc = with_cd(variant, good)
    boots(pc, good)
    before = state(pc)
    insert(pc, Disc(descriptors=(PRIMARY, TERMINATOR)))
    for _ in range(2):
        assert not boot(pc, *good.loads).booted
        assert pc.text.rstrip().endswith(f"not bootable: {NO_RECORD}")
        assert state(pc) == before
    assert transfer(pc, 0x42, 16, 1, drive=CD, block_bytes=BLOCK) == (OK, 1)
    insert(pc, good)
    boots(pc, good)


@variants
@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_a_disk_may_be_connected_behind_a_boot_that_failed(variant, manner):
    pc = with_cd(variant, Disc(descriptors=(PRIMARY, TERMINATOR)), {0: Disk()},
                 bios=Bios(manner, choose=lambda entries: []))
    refused(pc, NO_RECORD)
    pc.booted = False
    pc.bios.connect(pc.bios.entries[0])
    pc.booted = True
    assert pc.peek(0x475, 1) == b"\x01"
    assert transfer(pc, 0x42, 7, 1) == (OK, 1)
    refused(pc, NO_RECORD)


@variants
def test_a_timer_that_calls_during_a_boot(variant):
    """A handler that reads drive 80h is refused while a command runs; it does no
    harm to what is loaded."""
    disc = Disc(Entry(loader(300), count=300))
    pc = with_cd(variant, disc, {0: Disk()}, timer=TimerInterrupt("calling"))

    def hook(bus, data):
        yield from Disk.data_in(data[:1000])
        yield from cd(pc).disconnect(ns=90_000_000)
        yield from Disk.data_in(data[1000:])
    cd(pc).data_hook = hook
    ticks = pc.timer.ticks
    boots(pc, disc)
    assert pc.timer.ticks - ticks > 5
    assert set(pc.timer.calls) <= {(OK, False), (NOT_READY, True), (BAD_COMMAND, True)}


@variants
def test_each_of_two_cds_boots_its_own(variant):
    discs = [Disc(Entry(loader(4, 50))), Disc(Entry(loader(4, 51)))]
    pc = new_pc(variant, {2: drive_with(discs[0]), 4: drive_with(discs[1])})
    boots(pc, discs[1], number=0xE1, index=1)
    boots(pc, discs[0], number=0xE0, index=0)
    for number, disc in ((0xE0, discs[0]), (0xE1, discs[1])):
        reads_blocks(pc, disc, 64, 1, number)


def test_the_next_cd_has_its_turn():
    good = Disc()
    pc = new_pc("895A", {2: drive_with(Disc(catalog=bytes(BLOCK))), 4: drive_with(good)})
    refused(pc, DAMAGED)
    boots(pc, good, number=0xE1, index=1)


def test_a_loader_that_reads_on_after_a_boot():
    """As isolinux does: by DL, in blocks."""
    disc = Disc(blocks=2000)
    pc = on_895a(disc)
    drive = boots(pc, disc).dl
    for lba, count in ((16, 1), (64, 1), (1990, 10), (100, 31)):
        reads_blocks(pc, disc, lba, count, drive)


# ---- Trouble at boot -------------------------------------------------------------------


class TroubleAtCommand:
    """What happens in place of the status of the nth command from now on,
    once."""

    def __init__(self, target: Disk, n: int, event):
        self._last, self._event = len(target.commands) + n, event
        self._target, self.done = target, False

    def __call__(self, bus):
        if not self.done and len(self._target.commands) == self._last:
            self.done = True
            yield self._event


@variants
def test_a_drive_that_hangs_at_the_nth_command_of_a_boot(variant):
    """It is named, whichever it is, and boots the next time."""
    disc = Disc(Entry(loader(200), count=200))
    for n in range(1, 100):
        pc = with_cd(variant, disc)
        trouble = TroubleAtCommand(cd(pc), n, HANG)
        cd(pc).before_status = trouble
        if not boot_with_trouble(pc, disc, trouble, "status 80h"):
            break
        boots(pc, disc)
    assert 5 < n < 99


@variants
def test_a_drive_that_leaves_the_bus_at_the_nth_command_of_a_boot(variant):
    """Which is tried again."""
    disc = Disc(Entry(loader(200), count=200))
    for n in range(1, 100):
        pc = with_cd(variant, disc)
        trouble = TroubleAtCommand(cd(pc), n, FREE)
        cd(pc).before_status = trouble
        boots(pc, disc)
        if not trouble.done:
            break
    assert 5 < n < 99


def boot_with_trouble(pc: Pc, disc: Disc, trouble: TroubleAtCommand, reason: str) -> bool:
    """False if there were fewer commands than that, and it has booted."""
    before, start = state(pc), len(pc.text)
    result = boot(pc, *disc.loads)
    if not trouble.done:
        runs(pc, result, disc, disc.default)
        return False
    assert not result.booted
    assert f"  not bootable: {reason}" in lines_behind(pc, start)
    assert state(pc) == before
    return True


OLD = Disc(Entry(loader(200), count=200))
NEW = Disc(Entry(loader(200, 2), count=200), seed=2)


def changing_at(opcode: int, n: int) -> Pc:
    """A machine whose disc is changed at the nth command of that kind."""
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


@pytest.mark.parametrize("opcode", [TEST_UNIT_READY, READ_CAPACITY], ids=["ready", "capacity"])
def test_a_disc_that_is_changed_before_it_is_read_boots(opcode):
    pc = changing_at(opcode, 1)
    boots(pc, NEW)


@pytest.mark.parametrize("n", range(1, 6))
def test_a_disc_that_is_changed_in_mid_boot_boots_next_time(n):
    """What was begun with one disc is not ended with another."""
    pc = changing_at(READ10, n)
    before, start = state(pc), len(pc.text)
    assert not boot(pc, *OLD.loads).booted
    assert "  not bootable: status 06h" in lines_behind(pc, start)
    assert (cd(pc).status_hook, state(pc)) == (None, before)
    boots(pc, NEW)


def test_the_disc_that_is_in_at_boot_counts():
    """Whatever was in during POST."""
    other = Disc(Entry(loader(4, 60)), seed=3)
    pc = on_895a(Disc(descriptors=(PRIMARY, TERMINATOR)))
    insert(pc, other)
    boots(pc, other)
    reads_blocks(pc, other)


def test_a_disc_that_is_put_in_and_spins_up_at_boot():
    disc = Disc()
    pc = on_895a(disc, drive={"medium": False})
    insert(pc, disc)
    cd(pc).ready_at = pc.chip.now + 4 * SECOND
    boots(pc, disc)


def test_no_disc_is_read_before_somebody_boots():
    """POST reads one block of it."""
    pc = on_895a(Disc())
    assert opcodes(cd(pc)).count(READ10) == 1
    assert len(cd_entries(pc)) == 1

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: valid and damaged El Torito boot records and catalogs."""

from __future__ import annotations

import dataclasses
import struct

import pytest

from tests.model import eltorito
from tests.model.eltorito import (BLOCK, CATALOG, EFI, LAST, MAC, MORE, NOT_BOOTABLE, OTHER_BOOT,
                                  POWERPC, PRIMARY, SUPPLEMENTARY, TERMINATOR, X86, Disc, Entry,
                                  Section, boot_record, descriptor, loader, validation)
from tests.rom.cd.cdboot import CD_ID, cd, check_boot, check_refused, with_cd
from tests.rom.cd.el_torito_discs import (CHECKSUM, DAMAGED, EFI_ENTRY, NO_ENTRY, NO_ENTRY_HERE,
                                          NO_RECORD, on_895a, variants)
from tests.rom.strict import opcodes

FAR = 120       # an LBA of images after many descriptors


# ---- The boot record -------------------------------------------------------------------


def many(before: int, *rest: bytes) -> Disc:
    """A disc whose boot record follows this many other descriptors."""
    return Disc(descriptors=(*[SUPPLEMENTARY] * before, boot_record(FAR), *rest), catalog_lba=FAR,
                images=FAR + 8)


RECORDS = {
    "at 16": Disc(descriptors=(boot_record(), TERMINATOR)),
    "at 17": Disc(),
    "at 20": many(4, TERMINATOR),
    "the last of 64": many(63),
    "after another boot system": Disc(descriptors=(PRIMARY, OTHER_BOOT, boot_record(),
                                                   TERMINATOR)),
    "before another": Disc(descriptors=(PRIMARY, boot_record(), OTHER_BOOT, TERMINATOR)),
    "no terminator": Disc(descriptors=(PRIMARY, boot_record())),
    "alone": Disc(descriptors=(boot_record(),)),
    "the first of two": Disc(descriptors=(PRIMARY, boot_record(), boot_record(FAR), TERMINATOR)),
    "17 before 16": Disc(descriptors=(boot_record(FAR), boot_record(), TERMINATOR)),
    "17 alone": Disc(descriptors=(bytes(BLOCK), boot_record())),
    "17 after the terminator": Disc(descriptors=(TERMINATOR, boot_record())),
    "17 after another standard": Disc(descriptors=(descriptor(0, name=b"BEA01"), boot_record())),
    "catalog before it": Disc(descriptors=(PRIMARY, boot_record(10), TERMINATOR), catalog_lba=10),
    "catalog far away": Disc(catalog_lba=900_000, blocks=1_000_000),
    "catalog in the last block": Disc(catalog_lba=99, blocks=100),
}


@variants
@pytest.mark.parametrize("disc", RECORDS.values(), ids=RECORDS)
def test_boot_record_is_found_at_any_position(variant, disc):
    check_boot(with_cd(variant, disc), disc)


NO_RECORDS = {
    "none": Disc(descriptors=(PRIMARY, TERMINATOR)),
    "no descriptors": Disc(descriptors=(bytes(BLOCK),)),
    "after the terminator": Disc(descriptors=(PRIMARY, TERMINATOR, boot_record())),
    "after a non-descriptor": Disc(descriptors=(PRIMARY, bytes(BLOCK), boot_record(), TERMINATOR)),
    "the 65th": many(64, TERMINATOR),
    "of another system": Disc(descriptors=(PRIMARY, OTHER_BOOT, TERMINATOR)),
    "almost the name": Disc(descriptors=(PRIMARY, boot_record(system=b"EL TORITO SPECIFICATIOM"))),
    "lower case": Disc(descriptors=(PRIMARY, boot_record(system=b"El Torito Specification"))),
    "another type": Disc(descriptors=(PRIMARY, b"\2" + boot_record()[1:], TERMINATOR)),
    "another standard": Disc(descriptors=(PRIMARY, descriptor(0, boot_record()[7:], b"CDROM"))),
}


@pytest.mark.parametrize("disc", NO_RECORDS.values(), ids=NO_RECORDS)
def test_missing_boot_record_is_reported(disc):
    check_refused(on_895a(disc), NO_RECORD)


def test_search_ends_without_a_terminator():
    disc = many(1000)
    disc.blocks = 5000
    pc = on_895a(disc)
    before = len(cd(pc).commands)
    check_refused(pc, NO_RECORD)
    assert len(opcodes(cd(pc), before)) < 80


@pytest.mark.parametrize("lba", [200, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_catalog_beyond_the_disc_is_reported(lba):
    check_refused(on_895a(Disc(descriptors=(PRIMARY, boot_record(lba), TERMINATOR), blocks=200)),
                  "status 04h")


@variants
@pytest.mark.parametrize("sense", [(3, 0x11, 0), (5, 0x64, 0), (8, 0, 0)], ids=str)
def test_unreadable_block_before_the_boot_record_does_not_matter(variant, sense):
    """POST does not complain about it, either."""
    disc = Disc()
    pc = with_cd(variant, disc, drive={"bad_blocks": {16: (*sense, True)}})
    assert f"  ID {CD_ID} LUN 0" not in pc.text
    check_boot(pc, disc)


@variants
@pytest.mark.parametrize("sense", [(3, 0x11, 0), (5, 0x64, 0), (8, 0, 0)], ids=str)
def test_boot_record_at_16_is_found_if_17_is_unreadable(variant, sense):
    disc = Disc(descriptors=(boot_record(), TERMINATOR))
    pc = with_cd(variant, disc)
    cd(pc).bad_blocks[17] = (*sense, True)
    check_boot(pc, disc)


@variants
@pytest.mark.parametrize("lba", [17, CATALOG, 64])
def test_unreadable_block_is_reported(variant, lba):
    """The blocks of the boot record, the catalog and the image."""
    disc = Disc()
    pc = with_cd(variant, disc)
    cd(pc).bad_blocks[lba] = (3, 0x11, 0, True)
    check_refused(pc, "status 10h", *disc.loads)
    cd(pc).bad_blocks.clear()
    check_boot(pc, disc)


# ---- The catalog -----------------------------------------------------------------------

X86_ENTRY = Entry(loader(4, 78), segment=0x2000)

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
    "after the last section": (Disc(NO_ENTRY_HERE, (
        Section((EFI_ENTRY,), EFI, header=LAST), Section((X86_ENTRY,)))), NO_ENTRY),
    "an empty section": (Disc(NO_ENTRY_HERE, (Section(()),)), NO_ENTRY),
    "a section without a header": (Disc(catalog=validation() + NO_ENTRY_HERE.packed(64)
                                        + X86_ENTRY.packed(65)), NO_ENTRY),
    "the 129th entry": (Disc(NO_ENTRY_HERE, (Section((*[NO_ENTRY_HERE] * 125, X86_ENTRY)),)),
                        NO_ENTRY),
}


@pytest.mark.parametrize("disc, reason", DAMAGES.values(), ids=DAMAGES)
def test_catalog_without_usable_entry_prints_the_reason(disc, reason):
    check_refused(on_895a(disc), reason, *disc.loads)


ONE_USABLE = {
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
    "garbage after it": Disc(patches={(CATALOG, 0x60): b"\xCC" * (BLOCK - 0x60)}),
    "zeros as a header": Disc(patches={(CATALOG, 0x40): bytes(32)}),
}


@variants
@pytest.mark.parametrize("disc", ONE_USABLE.values(), ids=ONE_USABLE)
def test_single_usable_entry_boots_without_menu(variant, disc):
    if not disc.read(disc.lba(disc.default), 1) or disc.catalog is not None:
        disc.patches[64, 0] = disc.default.image
    pc = with_cd(variant, disc)
    check_boot(pc, disc)
    assert "which" not in pc.text


IN_SECTIONS = {
    "default not bootable": (Disc(NO_ENTRY_HERE, (Section((X86_ENTRY,)),)), X86_ENTRY),
    "after EFI": (Disc(validation=validation(EFI), sections=(Section((X86_ENTRY,)),)), X86_ENTRY),
    "the second section": (Disc(NO_ENTRY_HERE, (Section((EFI_ENTRY,), EFI),
                                                Section((X86_ENTRY,)))), X86_ENTRY),
    "after an empty section": (Disc(NO_ENTRY_HERE, (Section((), EFI), Section((X86_ENTRY,)))),
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
def test_entry_in_a_section_boots(variant, disc, entry):
    pc = with_cd(variant, disc)
    check_boot(pc, disc, entry)
    assert "which" not in pc.text


@variants
@pytest.mark.parametrize("extensions", [1, 2, 5, 31])
@pytest.mark.parametrize("platform", [X86, EFI], ids=["x86", "EFI"])
def test_section_extensions_are_skipped(variant, extensions, platform):
    """The extensions in this test look like entries."""
    before = Entry(loader(4, 5), indicator=NOT_BOOTABLE if platform == X86 else 0x88,
                   extensions=extensions)
    disc = Disc(NO_ENTRY_HERE, (Section((before, before), platform), Section((X86_ENTRY,))))
    pc = with_cd(variant, disc)
    check_boot(pc, disc, X86_ENTRY)
    assert "which" not in pc.text


def test_entry_with_extensions_boots():
    entry = Entry(loader(4, 5), extensions=3)
    disc = Disc(NO_ENTRY_HERE, (Section((entry,)),))
    check_boot(on_895a(disc), disc, entry)


@pytest.mark.parametrize("fill", [
    eltorito.extension(more=True), eltorito.section(EFI, 0, header=MORE),
    eltorito.section(X86, 0xFFFF, header=MORE), NO_ENTRY_HERE.packed(64)],
    ids=["extensions", "empty sections", "sections", "entries"])
def test_search_ends_in_an_endless_catalog(fill):
    entry = dataclasses.replace(NO_ENTRY_HERE, media=eltorito.CONTINUES)
    catalog = (validation() + NO_ENTRY_HERE.packed(64) + eltorito.section(X86, 0xFFFF, header=MORE)
               + entry.packed(64) + fill * 1000)
    disc = Disc(catalog=catalog, catalog_lba=100, blocks=200)
    check_refused(on_895a(disc), NO_ENTRY)

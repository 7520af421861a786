# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: helpers for tests of floppies and hard disks emulated from CD images."""

from __future__ import annotations

import functools

import pytest

from tests.model import eltorito
from tests.model.bios_data import EQUIPMENT
from tests.model.eltorito import (FLOPPY_12, FLOPPY_144, FLOPPY_288, GEOMETRIES, HARD_DISK, Disc,
                                  Entry, floppy, hard_disk, loader)
from tests.model.pc import SEEDS, Pc
from tests.rom.cd.cdboot import CD, CD_ID, Packet, check_boot, check_sectors, emulation, with_cd
from tests.rom.strict import OK, VARIANTS

IN_USE = 0xB3
EMULATED_FLOPPY, EMULATED_DISK, ANY = 0x00, 0x80, 0x7F
SHAPE = (20, 4, 17)     # cylinders, heads, sectors of the usual hard disk image

variants = pytest.mark.parametrize("variant", VARIANTS)


@functools.cache
def disc_of(media: int, **options) -> Disc:
    image = hard_disk(*SHAPE) if media == HARD_DISK else floppy(media)
    return Disc(Entry(image, media=media, count=1, **options))


def number_of(media: int) -> int:
    return EMULATED_DISK if media == HARD_DISK else EMULATED_FLOPPY


def track_of(media: int) -> tuple[int, int]:
    """Heads and sectors per track."""
    return SHAPE[1:] if media == HARD_DISK else GEOMETRIES[media][1:]


def sectors_of(media: int) -> int:
    cylinders, heads, sectors = SHAPE if media == HARD_DISK else GEOMETRIES[media]
    return cylinders * heads * sectors


def emulating(variant: str, media: int, disc: Disc | None = None, **options) -> Pc:
    """A machine booted from an image."""
    disc = disc or disc_of(media)
    pc = with_cd(variant, disc, **options)
    check_boot(pc, disc, number=number_of(media))
    return pc


BOTH = [FLOPPY_144, HARD_DISK]

FLOPPY_DISC = disc_of(FLOPPY_144)
IMAGE = FLOPPY_DISC.default


# A hard disk with the size and the tracks of that floppy: for functions that a floppy lacks
LARGE_DISC = Disc(Entry(hard_disk(80, 2, 18), media=HARD_DISK, count=1))


def check_image(pc: Pc, first: int, count: int, function: int | None = None, number: int = 0,
                **options) -> None:
    """A read of the floppy or, by number 80h, of the large hard disk is correct."""
    disc = LARGE_DISC if number else FLOPPY_DISC
    check_sectors(pc, disc, disc.default, first, count, number, function, **options)


def floppy_count(pc: Pc) -> int:
    word = pc.word(EQUIPMENT)
    return (word >> 6 & 3) + 1 if word & 1 else 0


def check_passed_as(pc: Pc, number: int, seen: int, **registers: int) -> None:
    """The BIOS sees a call for `number` as a call for `seen`; nothing else changes."""
    passed = len(pc.bios.passed_on)
    result = pc.int13(ah=0x02, dl=number, **registers)
    assert result.dl == number
    assert len(pc.bios.passed_on) == passed + 1
    call = pc.bios.passed_on[-1]
    expected = {**SEEDS, "eax": SEEDS["eax"] & ~0xFF00 | 0x200, "edx": SEEDS["edx"] & ~0xFF | seen}
    assert {name: call[name] for name in expected} == expected


def status_packet(pc: Pc, number: int) -> Packet:
    status, packet = emulation(pc, 0x4B, number=number, al=1)
    assert status == OK
    return packet


IMAGES = Disc(Entry(loader(8), count=8, segment=0x2000), (eltorito.Section((
    Entry(floppy(FLOPPY_12), media=FLOPPY_12, count=1),
    Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=4, segment=0x3000),
    Entry(floppy(FLOPPY_288), media=FLOPPY_288, count=1),
    Entry(hard_disk(*SHAPE), media=HARD_DISK, count=2, segment=0x3000),
    Entry(loader(20, 9), count=20, segment=0x1000)), text=b"images"),))
PLAIN, IMAGE_12, IMAGE_144, IMAGE_288, IMAGE_DISK, OTHER_PLAIN = IMAGES.entries


def packet_for(entry: Entry, drive: int | None = None, **options) -> Packet:
    if drive is None:
        drive = number_of(entry.media & 15) if entry.media else CD
    return Packet.make(**{"media": entry.media, "drive": drive, "lba": IMAGES.lba(entry),
                          "segment": entry.segment, "count": entry.count, "device": CD_ID << 8,
                          **options})

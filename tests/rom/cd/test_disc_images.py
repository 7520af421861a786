# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: discs that people have, whose images other BIOSes boot: an image that is the
whole disc, partitions that end at head 255, boot sectors without 55AAh.
"""

from __future__ import annotations

import functools

import pytest

from tests.model.eltorito import (FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK, Disc, Entry,
                                  floppy, hard_disk, loader)
from tests.model.pc import BUFFER
from tests.rom.cd.cdboot import (CD, CD_ID, Packet, check_boot, check_refused, check_sectors,
                                 emulation, move, simple_call, started, with_cd)
from tests.rom.cd.el_torito_discs import on_895a, variants
from tests.rom.cd.emulated_drives import check_passed_as, number_of
from tests.rom.strict import NOT_FOUND, OK

SHAPE = (20, 4, 17)
BOOT_SECTOR = hard_disk(*SHAPE)[:512]
LAST_CHS = slice(451, 454)      # of the first partition: head, sector and cylinder
SIGNATURE = slice(510, 512)


def changed(image: bytes, place: slice, data: bytes) -> bytes:
    return image[:place.start] + data + image[place.stop:]


# ---- An image that is the whole disc ----------------------------------------------------


def whole_disc(media: int = HARD_DISK, blocks: int = 400, seed: int = 0) -> Disc:
    """The image starts at LBA 0, before the volume descriptors."""
    first = BOOT_SECTOR if media == HARD_DISK else floppy(FLOPPY_144)[:512]
    return Disc(Entry(media=media, count=1, lba=0), patches={(0, 0): first}, blocks=blocks,
                seed=seed)


@variants
def test_hard_disk_image_at_lba_0_boots(variant):
    """It has all sectors of the disc; the shape is that of its first partition."""
    disc = whole_disc()
    pc = with_cd(variant, disc)
    check_boot(pc, disc, number=0x80)
    for first, count in ((0, 9), (63, 5), (1351, 9)):
        check_sectors(pc, disc, disc.default, first, count, 0x80, 0x02, geometry=SHAPE[1:])
    check_sectors(pc, disc, disc.default, 1590, 10, 0x80)
    assert move(pc, 0x42, 1599, 2, number=0x80) == (NOT_FOUND, 0)
    result = simple_call(pc, 0x08, 0x80, "ax bl cx dx")
    assert (result.ch, result.cl, result.dh) == (19, 17, 3)
    status, packet = emulation(pc, 0x4B, number=0x80, al=1)
    assert (status, packet.fields()[1:3], packet.chs) == (OK, (HARD_DISK, 0x80), SHAPE)


@pytest.mark.parametrize("media", [FLOPPY_144, HARD_DISK])
def test_image_at_lba_0_can_be_emulated_by_4ah_and_ended_by_4bh(media):
    """A floppy has the sectors of its type."""
    disc = whole_disc(media, blocks=1000)
    pc = on_895a(Disc(Entry(loader(), lba=900), blocks=1000, patches=disc.patches))
    check_boot(pc, Disc(Entry(lba=900), blocks=1000))
    number = number_of(media)
    packet = Packet.make(media, number, lba=0, device=CD_ID << 8)
    assert emulation(pc, 0x4A, packet)[0] == OK
    pc.poke(BUFFER, b"\xEE" * 512)
    assert move(pc, 0x02, 0, 1, number=number) == (OK, 1)
    assert pc.peek(BUFFER, 512) == disc.content(0)[:512]
    if media == FLOPPY_144:
        assert move(pc, 0x02, 2880, 1, number=number) == (NOT_FOUND, 0)
    status, found = emulation(pc, 0x4B)
    assert (status, found.fields()[1:5]) == (OK, (media, number, 0, 0))
    check_passed_as(pc, number, number)


def test_image_at_lba_0_can_be_started_by_4ch():
    disc = whole_disc()
    pc = on_895a(disc)
    check_boot(pc, disc, number=0x80)
    load = range(0x30000, 0x30800)
    result = started(pc, Packet.make(0, lba=0, segment=0x3000, count=4), load)
    assert (result.booted, result.dl) == (True, CD)
    assert pc.peek(load.start, len(load)) == disc.content(0)


def test_4bh_returns_the_image_at_lba_0_after_its_emulation():
    disc = whole_disc()
    pc = on_895a(disc)
    check_boot(pc, disc, number=0x80)
    assert emulation(pc, 0x4B)[1].fields()[1:3] == (HARD_DISK, 0x80)
    assert emulation(pc, 0x4B, al=1)[1].fields()[1:3] == (HARD_DISK, CD)


# ---- Hard disks whose partition ends at head 255 -------------------------------------------


@functools.cache
def ending(last: bytes) -> Disc:
    return Disc(Entry(changed(hard_disk(*SHAPE), LAST_CHS, last), media=HARD_DISK, count=1))


@variants
@pytest.mark.parametrize("last, sectors", [(b"\xFF\xFF\xFF", 63), (b"\xFF\x3F\x07", 63),
                                           (b"\xFF\x20\x00", 32), (b"\xFE\xFF\xFF", 63)], ids=str)
def test_hard_disk_whose_partition_ends_at_head_255_boots(variant, last, sectors):
    """08h and 02h agree on a shape; each sector of the image has an address in it."""
    disc = ending(last)
    pc = with_cd(variant, disc)
    check_boot(pc, disc, number=0x80)
    result = simple_call(pc, 0x08, 0x80, "ax bl cx dx")
    heads, track = result.dh + 1, result.cl & 63
    assert (heads, track) == (255, sectors)
    cylinders = (result.cl << 2 & 0x300 | result.ch) + 1
    total = SHAPE[0] * SHAPE[1] * SHAPE[2]
    assert cylinders * heads * track >= total
    for first, count in ((0, 1), (1, 9), (63, 9), (64, 1), (total - 9, 9)):
        check_sectors(pc, disc, disc.default, first, count, 0x80, 0x02, geometry=(heads, track))
        check_sectors(pc, disc, disc.default, first, count, 0x80)
    assert emulation(pc, 0x4B, al=1)[1].chs == (cylinders, heads, track)


@pytest.mark.parametrize("cylinder", [0, 1, 7, 1022, 1023])
def test_each_sector_before_an_end_at_head_255_has_an_address(cylinder):
    """An image of 256 heads: the last sector, by its address with 255 heads."""
    disc = ending(bytes([0xFF, cylinder >> 2 & 0xC0 | 1, cylinder & 0xFF]))
    pc = on_895a(disc)
    check_boot(pc, disc, number=0x80)
    last = min((cylinder + 1) * 256, 1360) - 1
    check_sectors(pc, disc, disc.default, last, 1, 0x80, 0x02, geometry=(255, 1))


# ---- Boot sectors without 55AAh --------------------------------------------------------------


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK])
@pytest.mark.parametrize("signature", [b"\0\0", b"\xAA\x55", b"\x55\xAB"], ids=str)
def test_image_without_55aah_boots(variant, media, signature):
    """Old Minix and PC booters. A hard disk has its shape in the same place."""
    image = hard_disk(*SHAPE) if media == HARD_DISK else floppy(media)
    disc = Disc(Entry(changed(image, SIGNATURE, signature), media=media, count=1))
    pc = with_cd(variant, disc)
    check_boot(pc, disc, number=number_of(media))
    track = SHAPE[1:] if media == HARD_DISK else (2, {1: 15, 2: 18, 3: 36}[media])
    check_sectors(pc, disc, disc.default, 40, 9, number_of(media), 0x02, geometry=track)


@pytest.mark.parametrize("first", [0x01, 0x7F, 0x81, 0xFF])
def test_hard_disk_without_55aah_needs_a_possible_first_entry(first):
    """Its byte 0 is 00h or 80h. With the signature other values are accepted."""
    image = changed(hard_disk(*SHAPE), slice(446, 447), bytes([first]))
    disc = Disc(Entry(image, media=HARD_DISK, count=1))
    check_boot(on_895a(disc), disc, number=0x80)
    bad = Disc(Entry(changed(image, SIGNATURE, b"\0\0"), media=HARD_DISK, count=1))
    check_refused(on_895a(bad), "no partition")

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: floppies and hard disks that are images on a CD. Their sectors, the
numbers that move up for them and come back, and AH=4Ah to 4Dh.
"""

from __future__ import annotations

import functools
import random
import struct

import pytest

from tests.model import eltorito
from tests.model.bios import EQUIPMENT, HARD_DISKS, OWN_SECTORS, Bios
from tests.model.bus import HANG, Delay
from tests.model.devices import TimerInterrupt
from tests.model.eltorito import (BLOCK, CATALOG, FLOPPY_12, FLOPPY_144, FLOPPY_288, GEOMETRIES,
                                  HARD_DISK, PRIMARY, TERMINATOR, Disc, Entry, floppy, hard_disk,
                                  loader)
from tests.model.pc import BUFFER, PACKET, SEEDS, Pc
from tests.model.registers import MS
from tests.model.target import READ10, SEEK10, TEST_UNIT_READY, VERIFY10, Disk
from tests.rom.cd.cdboot import (CD, CD_ID, WRONG_MEDIUM, Packet, asks, boot, boots, catalog_of,
                                 cd, drive_with, emulation, insert, move, number_is_free,
                                 reads_blocks, reads_sectors, refused, runs, started, state,
                                 with_cd)
from tests.rom.strict import (BAD_COMMAND, BAD_SECTOR, CHANGED, LOCKED, NOT_FOUND, NOT_READY,
                              NO_MEDIUM, OK, TIMEOUT, VARIANTS, WRITE_PROTECTED, hexadecimal,
                              nothing_sent, opcodes, transfer)

IN_USE = 0xB3
TYPES = {FLOPPY_12: 0x02, FLOPPY_144: 0x04, FLOPPY_288: 0x06}      # BL of AH=08h
EMULATED_FLOPPY, EMULATED_DISK, ANY = 0x00, 0x80, 0x7F
READS = (0x02, 0x42)
SHAPE = (20, 4, 17)     # cylinders, heads, sectors of the hard disk that most tests use

variants = pytest.mark.parametrize("variant", VARIANTS)
reads = pytest.mark.parametrize("function", READS, ids=hexadecimal)


@functools.cache
def disc_of(media: int, **options) -> Disc:
    image = hard_disk(*SHAPE) if media == HARD_DISK else floppy(media)
    return Disc(Entry(image, media=media, count=1, **options))


def number_of(media: int) -> int:
    return EMULATED_DISK if media == HARD_DISK else EMULATED_FLOPPY


def track_of(media: int) -> tuple[int, int]:
    """Heads and sectors."""
    return SHAPE[1:] if media == HARD_DISK else GEOMETRIES[media][1:]


def sectors_of(media: int) -> int:
    cylinders, heads, sectors = SHAPE if media == HARD_DISK else GEOMETRIES[media]
    return cylinders * heads * sectors


def emulating(variant: str, media: int, disc: Disc | None = None, **options) -> Pc:
    """Booted from an image."""
    disc = disc or disc_of(media)
    pc = with_cd(variant, disc, **options)
    boots(pc, disc, number=number_of(media))
    return pc


BOTH = [FLOPPY_144, HARD_DISK]


@pytest.fixture(scope="module", params=[(f, m) for f in VARIANTS for m in BOTH],
                ids=lambda p: f"{p[0]}-{'HD' if p[1] == HARD_DISK else 'floppy'}")
def emulated(request) -> tuple[Pc, int]:
    """The machine and the media type: a 1.44 MB floppy or a hard disk. For tests
    that leave it as it was."""
    variant, media = request.param
    return emulating(variant, media), media


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    """Booted from a 1.44 MB floppy image."""
    return emulating(request.param, FLOPPY_144)


@pytest.fixture(scope="module", params=VARIANTS)
def reader(request) -> Pc:
    """The same for tests that leave it as it was."""
    return emulating(request.param, FLOPPY_144)


FLOPPY_DISC = disc_of(FLOPPY_144)
IMAGE = FLOPPY_DISC.default


def reads_image(pc: Pc, first: int, count: int, function: int = 0x42, **options) -> None:
    reads_sectors(pc, FLOPPY_DISC, IMAGE, first, count, function=function, **options)


# ---- What it is ------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288])
@pytest.mark.parametrize("bits", [0, 0x80, 0x40])
def test_a_floppy_has_the_geometry_of_its_kind(variant, media, bits):
    disc = Disc(Entry(floppy(media), media=media | bits, count=1))
    pc = with_cd(variant, disc)
    boots(pc, disc, number=0)
    cylinders, heads, sectors = GEOMETRIES[media]
    result = pc.int13(ah=0x08, dl=0, changes="ax bl cx dx es edi")
    assert (result.ah, result.al, result.bl, result.cf) == (OK, 0, TYPES[media], False)
    assert (result.ch, result.cl, result.dh, result.dl) == (cylinders - 1, sectors, heads - 1, 1)
    assert (result.di, result.es) == (pc.word(0x78), pc.word(0x7A)), "INT 1Eh"
    kind = pc.int13(ah=0x15, dl=0)
    assert (kind.ah, kind.cf) == (2, False), "a floppy with a change line"


SHAPES = [(20, 4, 17), (1, 1, 63), (306, 4, 17), (10, 16, 63), (2, 255, 63), (600, 2, 9),
          (1024, 1, 1)]


@variants
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_hard_disk_has_the_geometry_of_its_partition(variant, shape):
    cylinders, heads, sectors = shape
    image = hard_disk(*shape) if cylinders > 1 or heads > 1 else one_track()
    disc = Disc(Entry(image, media=HARD_DISK, count=1, system=6))
    pc = with_cd(variant, disc)
    boots(pc, disc, number=0x80)
    result = pc.int13(ah=0x08, dl=0x80, changes="ax bl cx dx")
    assert (result.ah, result.al, result.bl, result.cf) == (OK, 0, 0, False)
    assert (result.ch | (result.cl & 0xC0) << 2, result.cl & 63, result.dh, result.dl) == (
        cylinders - 1, sectors, heads - 1, 1)
    kind = pc.int13(ah=0x15, dl=0x80, changes="ah cx dx")
    total = cylinders * heads * sectors
    assert (kind.ah, kind.cf, kind.cx << 16 | kind.dx) == (3, False, total)
    reads_sectors(pc, disc, disc.default, total - 1, 1, 0x80, 0x02, geometry=(heads, sectors))
    assert move(pc, 0x42, total, 1, number=0x80) == (NOT_FOUND, 0)


def one_track() -> bytes:
    """A disk whose partition begins in its second sector."""
    data = eltorito.noise(4, 63)
    entry = eltorito.partition((0, 0, 2), (0, 0, 63), 1, 62)
    return data[:446] + entry + bytes(48) + b"\x55\xAA" + data[512:]


@variants
def test_48h_of_an_image(variant):
    for media in (FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK):
        pc, number = emulating(variant, media), number_of(media)
        pc.poke(PACKET, b"\x1A\0")
        result = pc.int13(range(PACKET, PACKET + 0x1A), ah=0x48, dl=number, ds=PACKET >> 4, si=0)
        assert not result.cf
        flags, cylinders, heads, sectors, total, size = struct.unpack_from(
            "<2xHIIIQH", pc.peek(PACKET, 0x1A))
        assert (cylinders, heads, sectors) == (SHAPE if media == HARD_DISK else GEOMETRIES[media])
        assert (total, size) == (sectors_of(media), 512)
        assert flags & 0x06 == 0x06, "CHS is valid, the medium removable"


FUNCTIONS = {0x00, 0x01, 0x02, 0x04, 0x08, 0x09, 0x0C, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x16, 0x41,
             0x42, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4B, 0x4D}


def test_every_function_number(emulated):
    """With arguments that are right for those that have any."""
    pc, media = emulated
    for function in range(0x100):
        packet = {0x48: b"\x4A\0", 0x4D: struct.pack("<BBHHH", 8, 1, 0, BUFFER >> 4, 0)}.get(
            function, struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, 16))
        pc.poke(PACKET, packet)
        al = {0x45: 2, 0x46: 0}.get(function, 1)
        al = 0 if function == 0x4D else al
        result = pc.int13(range(BUFFER, BUFFER + BLOCK), range(PACKET, PACKET + 0x50),
                          ah=function, al=al, bx=0x55AA if function == 0x41 else 0, cx=1, dh=0,
                          es=BUFFER >> 4, dl=number_of(media), ds=PACKET >> 4, si=PACKET & 15,
                          changes="ax bx cx dx es edi" if function in (8, 0x15, 0x41) else "ax")
        assert result.cf == (function not in FUNCTIONS), hex(function)
        if result.cf:
            expected = WRITE_PROTECTED if function in (0x03, 0x43) else BAD_COMMAND
            assert result.ah == expected, hex(function)
        if function == 0x46:
            insert(pc, disc_of(media))
            assert asks(pc, 0x16, number_of(media)).ah == CHANGED


# ---- Sectors ---------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK])
def test_the_corners_of_every_geometry_by_chs(variant, media):
    """First and last cylinder, head and sector, and each that is one beyond."""
    pc, number, (heads, sectors) = emulating(variant, media), number_of(media), track_of(media)
    disc, cylinders = disc_of(media), sectors_of(media) // heads // sectors
    for cylinder in (0, 1, cylinders - 1, cylinders):
        for head in (0, heads - 1, heads):
            for sector in (0, 1, 2, sectors - 1, sectors, sectors + 1):
                inside = cylinder < cylinders and head < heads and 0 < sector <= sectors
                lba = (cylinder * heads + head) * sectors + sector - 1
                at = {"ch": cylinder, "cl": sector, "dh": head}
                pc.poke(BUFFER, b"\xEE" * 512)
                assert move(pc, 0x02, 0, number=number, **at) == ((OK, 1) if inside
                                                                   else (NOT_FOUND, 0))
                expected = disc.sectors(disc.default, lba, 1) if inside else b"\xEE" * 512
                assert pc.peek(BUFFER, 512) == expected


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK])
def test_every_track_ends_where_the_next_begins(variant, media):
    pc, number, track = emulating(variant, media), number_of(media), track_of(media)
    disc, sectors = disc_of(media), track[1]
    for end in range(sectors, sectors_of(media), sectors * 7):
        reads_sectors(pc, disc, disc.default, end - 1, 2, number, 0x02, geometry=track)


@variants
@pytest.mark.parametrize("function", READS, ids=hexadecimal)
@pytest.mark.parametrize("first", [0, 1, 2, 3, 2876 - 9])
def test_sectors_are_cut_out_of_blocks(variant, first, function):
    """From each sector of a block, over up to four blocks."""
    pc = emulating(variant, FLOPPY_144)
    for count in range(1, 13):
        reads_image(pc, first, count, function)


@reads
@pytest.mark.parametrize("first, count", [(0, 64), (1, 63), (3, 100), (2, 127), (5, 128),
                                          (2752, 128)])
def test_many_sectors(reader, function, first, count):
    reads_image(reader, first, count if function == 0x02 else min(count, 127), function)


@pytest.mark.parametrize("address", [BUFFER + 1, 0x2FF03, 0x2FE01, 0x3FFFF, 0x80003], ids=hex)
def test_any_buffer(reader, address):
    for first, count in ((0, 9), (1, 3), (2, 2), (3, 30)):
        reads_image(reader, first, count, address=address)


@variants
def test_any_sectors_of_a_hard_disk(variant):
    pc, disc, chance = emulating(variant, HARD_DISK), disc_of(HARD_DISK), random.Random(5)
    for _ in range(60):
        count = chance.randrange(1, 40)
        first = chance.randrange(sectors_of(HARD_DISK) - count)
        reads_sectors(pc, disc, disc.default, first, count, 0x80, chance.choice(READS),
                      geometry=SHAPE[1:])


@pytest.mark.parametrize("flat", [0x100000, 0x10FDF0, 0x10FE00, 0x10FFEF,
                                  0x10FFF0, 0x123401])
@pytest.mark.parametrize("first, count", [(0, 1), (1, 1), (3, 2), (2, 9), (0, 4), (7, 64)])
def test_buffers_around_and_above_1_mib(pc, flat, first, count):
    pc.poke(flat - 64, b"\xEE" * (count * 512 + 128))
    assert move(pc, 0x42, first, count, number=0, flat=flat, size=24) == (OK, count)
    assert pc.peek(flat, count * 512) == FLOPPY_DISC.sectors(IMAGE, first, count)
    assert pc.peek(flat - 64, 64) == pc.peek(flat + count * 512, 64) == b"\xEE" * 64


def test_a_long_count(reader):
    assert move(reader, 0x42, 1, number=0, flat=0x200000, size=32, long_count=2879) == (OK, 2879)
    assert reader.peek(0x200000, 2879 * 512) == FLOPPY_DISC.sectors(IMAGE, 1, 2879)


@pytest.mark.parametrize("function", [0x02, 0x04, 0x42, 0x44], ids=hexadecimal)
def test_beyond_the_last_sector(emulated, function):
    pc, media = emulated
    options = {"number": number_of(media), "geometry": track_of(media)}
    last = sectors_of(media) - 1
    assert move(pc, function, last, 1, **options) == (OK, 1)
    with nothing_sent(pc):
        assert move(pc, function, last, 2, **options) == (NOT_FOUND, 0)
        if function > 0x40:
            for lba in (last + 1, 2**31, 2**32 - 1, 2**32, 2**54, 2**63):
                assert move(pc, function, lba, 1, **options) == (NOT_FOUND, 0)


@pytest.mark.parametrize("count", [0, 129, 255])
@pytest.mark.parametrize("function", [0x02, 0x04], ids=hexadecimal)
def test_counts_that_are_none(reader, function, count):
    with nothing_sent(reader):
        assert move(reader, function, 5, count, number=0).status == BAD_COMMAND


@pytest.mark.parametrize("function, command", [(0x04, VERIFY10), (0x44, VERIFY10), (0x0C, SEEK10),
                                               (0x47, SEEK10)], ids=hexadecimal)
def test_verifies_and_seeks_move_nothing(reader, function, command):
    sent = len(cd(reader).commands)
    reader.poke(BUFFER, b"\xEE" * 512)
    assert move(reader, function, 9, 4, number=0).status == OK
    assert set(opcodes(cd(reader), sent)) == {command}
    assert reader.peek(BUFFER, 512) == b"\xEE" * 512


@pytest.mark.parametrize("function", [0x03, 0x43], ids=hexadecimal)
@pytest.mark.parametrize("lba, count", [(0, 1), (5, 3), (100, 17)])
def test_nothing_can_be_written(emulated, function, lba, count):
    pc, media = emulated
    with nothing_sent(pc):
        outcome = move(pc, function, lba, count, number=number_of(media), geometry=track_of(media))
    assert outcome.status == WRITE_PROTECTED
    assert not outcome.good or function == 0x43


def test_an_image_that_the_disc_ends_before():
    """What there is of it can be read."""
    disc = Disc(Entry(floppy(FLOPPY_144)[:100 * BLOCK], media=FLOPPY_144, count=1))
    pc = emulating("895A", FLOPPY_144, disc)
    reads_sectors(pc, disc, disc.default, 390, 10)
    assert move(pc, 0x42, 400, 1, number=0) == (NOT_FOUND, 0)
    assert move(pc, 0x02, 399, 2, number=0) == (NOT_FOUND, 0)
    assert pc.int13(ah=8, dl=0, changes="ax bl cx dx es edi").ch == 79


def test_a_bad_block_of_an_image(pc):
    cd(pc).bad_blocks[64 + 3] = (3, 0x11, 0, True)
    assert move(pc, 0x42, 13, 1, number=0) == (BAD_SECTOR, 0)
    assert move(pc, 0x02, 8, 20, number=0) == (BAD_SECTOR, 4)
    reads_image(pc, 8, 4)
    reads_image(pc, 16, 4)


# ---- The cache -------------------------------------------------------------------------


def commands_of(pc: Pc, first: int, count: int, **options) -> list[int]:
    """What a read of the floppy sends."""
    sent = len(cd(pc).commands)
    assert move(pc, 0x42, first, count, number=0, **options) == (OK, count)
    return opcodes(cd(pc), sent)


def test_a_part_of_the_block_that_is_there_is_not_read_again(pc):
    assert commands_of(pc, 41, 1) == [READ10]
    for first, count in ((40, 1), (41, 1), (42, 2), (43, 1), (40, 3)):
        pc.poke(BUFFER, b"\xEE" * 2048)
        assert commands_of(pc, first, count) == [TEST_UNIT_READY]
        assert pc.peek(BUFFER, count * 512) == FLOPPY_DISC.sectors(IMAGE, first, count)
    assert commands_of(pc, 45, 1) == [READ10]
    assert commands_of(pc, 46, 1) == [TEST_UNIT_READY]
    assert commands_of(pc, 41, 1) == [READ10]


def test_by_chs_too(pc):
    """A loader that reads sector by sector: a read for each block."""
    sent = len(cd(pc).commands)
    for lba in range(100, 120):
        reads_image(pc, lba, 1, 0x02)
    told = opcodes(cd(pc), sent)
    assert (told.count(READ10), told.count(TEST_UNIT_READY), len(told)) == (5, 15, 20)


def test_other_reads_leave_the_cache_right(pc):
    """Of the CD, of whole blocks, of other parts."""
    reads_image(pc, 41, 1)
    reads_blocks(pc, FLOPPY_DISC, 64 + 10, 3)
    reads_image(pc, 42, 1)
    reads_image(pc, 80, 8)
    reads_image(pc, 43, 1)
    reads_image(pc, 83, 3)
    reads_image(pc, 40, 1)


def test_a_buffer_above_1_mib_goes_by_the_cache(pc):
    assert commands_of(pc, 41, 1, flat=0x200000, size=24) == [READ10]
    assert commands_of(pc, 41, 1, flat=0x200000, size=24) == [READ10]
    pc.poke(0x200000, b"\xEE" * 512)
    reads_image(pc, 42, 1)
    assert move(pc, 0x42, 43, 1, number=0, flat=0x200000, size=24) == (OK, 1)
    assert pc.peek(0x200000, 512) == FLOPPY_DISC.sectors(IMAGE, 43, 1)


def test_a_read_that_failed_leaves_nothing_in_the_cache(pc):
    reads_image(pc, 41, 1)
    cd(pc).bad_blocks[64 + 11] = (3, 0x11, 0, False)
    assert move(pc, 0x42, 45, 1, number=0) == (BAD_SECTOR, 0)
    assert move(pc, 0x42, 45, 1, number=0) == (BAD_SECTOR, 0)
    cd(pc).bad_blocks.clear()
    reads_image(pc, 45, 1)
    reads_image(pc, 41, 1)


def test_a_hang_leaves_nothing_in_the_cache(pc):
    reads_image(pc, 41, 1)

    def hook(bus, data):
        yield from Disk.data_in(bytes(700))
        yield HANG
    cd(pc).data_hook = hook
    assert move(pc, 0x42, 45, 1, number=0) == (TIMEOUT, 0)
    cd(pc).data_hook = None
    assert move(pc, 0x42, 45, 1, number=0) == (CHANGED, 0), "the drive was reset"
    reads_image(pc, 45, 1)
    reads_image(pc, 41, 1)


@variants
def test_a_disk_with_large_blocks_does_not_disturb_the_cache(variant):
    """It uses the same memory."""
    large = Disk(block_bytes=4096, blocks=1000)
    pc = emulating(variant, FLOPPY_144, others={0: large})
    for first in (41, 42, 43):
        reads_image(pc, first, 1)
        assert transfer(pc, 0x42, 81, 2) == (OK, 2)
        assert pc.peek(BUFFER, 1024) == large.block(10)[512:1536]


def test_a_cache_hit_hears_of_a_medium_that_has_gone(pc):
    reads_image(pc, 41, 1)
    cd(pc).take_out()
    assert move(pc, 0x42, 42, 1, number=0) == (NO_MEDIUM, 0)


# ---- Media -----------------------------------------------------------------------------

SAME_START = Disc(Entry(floppy(FLOPPY_144)[:BLOCK] + floppy(FLOPPY_144, 9)[BLOCK:],
                        media=FLOPPY_144, count=1), seed=4)
OTHER = Disc(Entry(floppy(FLOPPY_144, 8), media=FLOPPY_144, count=1), seed=5)


@pytest.mark.parametrize("function", [0x02, 0x04, 0x42, 0x44], ids=hexadecimal)
def test_the_same_disc_back_is_a_change_and_no_more(pc, function):
    reads_image(pc, 41, 1)
    cd(pc).take_out()
    for _ in range(2):
        assert move(pc, function, 42, 1, number=0) == (NO_MEDIUM, 0)
    insert(pc, FLOPPY_DISC)
    assert move(pc, function, 42, 1, number=0) == (CHANGED, 0)
    assert move(pc, function, 42, 1, number=0) == (OK, 1)
    reads_image(pc, 41, 3)


@pytest.mark.parametrize("blocks", [20, 64, 65, 70])
def test_with_a_short_disc_the_image_is_gone(pc, blocks):
    """One that ends before it, or within it."""
    insert(pc, Disc(blocks=blocks, seed=9))
    assert move(pc, 0x42, 42, 1, number=0) == (CHANGED, 0)
    for function in (0x02, 0x42, 0x44):
        assert move(pc, function, 42, 1, number=0) == (NO_MEDIUM, 0)
    insert(pc, FLOPPY_DISC)
    assert move(pc, 0x42, 42, 1, number=0) == (CHANGED, 0)
    reads_image(pc, 41, 3)


@pytest.mark.parametrize("function", [0x02, 0x04, 0x42, 0x44], ids=hexadecimal)
def test_with_another_disc_the_image_is_gone(pc, function):
    reads_image(pc, 41, 1)
    insert(pc, OTHER)
    assert move(pc, function, 42, 1, number=0) == (CHANGED, 0)
    for _ in range(3):
        assert move(pc, function, 42, 1, number=0) == (NO_MEDIUM, 0)
    reads_blocks(pc, OTHER, 64, 2)
    insert(pc, FLOPPY_DISC)
    assert move(pc, function, 42, 1, number=0) == (CHANGED, 0)
    reads_image(pc, 41, 3)


def test_a_disc_with_the_same_beginning_will_do(pc):
    """And what was in the cache is of the old one."""
    reads_image(pc, 41, 1)
    insert(pc, SAME_START)
    assert move(pc, 0x42, 42, 1, number=0) == (CHANGED, 0)
    for first in (41, 42, 0, 3):
        reads_sectors(pc, SAME_START, SAME_START.default, first, 2)


@pytest.mark.parametrize("sense", [(6, 0x28, 0), (6, 0x29, 0), (6, 0x29, 2), (6, 0x2A, 1)],
                         ids=str)
@pytest.mark.parametrize("first", [42, 45], ids=["in the cache", "not there"])
def test_any_attention_may_be_a_change(pc, first, sense):
    """A drive that was switched off and on says no more than that. The image
    is still there."""
    reads_image(pc, 41, 1)
    cd(pc).attentions = [sense]
    assert move(pc, 0x42, first, 1, number=0) == (CHANGED, 0)
    reads_image(pc, first, 1)


def test_a_change_that_the_cd_number_heard_of(pc):
    reads_image(pc, 41, 1)
    insert(pc, OTHER)
    assert move(pc, 0x42, 16, 1) == (CHANGED, 0)
    reads_blocks(pc, OTHER, 16)
    assert move(pc, 0x42, 42, 1, number=0) == (NO_MEDIUM, 0)
    insert(pc, SAME_START)
    assert asks(pc, 0x49).ah == CHANGED
    assert move(pc, 0x42, 42, 1, number=0) == (OK, 1)
    assert pc.peek(BUFFER, 512) == SAME_START.sectors(SAME_START.default, 42, 1)


@pytest.mark.parametrize("function", [0x16, 0x49], ids=hexadecimal)
def test_who_asks_hears_of_a_change(pc, function):
    assert asks(pc, function, 0).ah == OK
    insert(pc, FLOPPY_DISC)
    assert [asks(pc, function, 0).ah for _ in range(2)] == [CHANGED, OK]
    reads_image(pc, 41, 3)
    cd(pc).take_out()
    assert [asks(pc, function, 0).ah for _ in range(2)] == [NO_MEDIUM] * 2


def test_locks_are_those_of_the_drive(pc):
    assert asks(pc, 0x45, 0, "ax", al=0).al == 1
    assert cd(pc).locked
    assert asks(pc, 0x45, CD, "ax", al=2).al == 1
    assert asks(pc, 0x46, CD, al=0).ah == LOCKED
    assert asks(pc, 0x45, CD, "ax", al=1).al == 0
    assert not cd(pc).locked


# ---- Numbers ---------------------------------------------------------------------------


def floppies_said(pc: Pc) -> int:
    word = pc.word(EQUIPMENT)
    return (word >> 6 & 3) + 1 if word & 1 else 0


def with_floppies(variant: str, floppies: int, **options) -> Pc:
    return emulating(variant, FLOPPY_144, bios=Bios(
        floppies=floppies, answers=frozenset(range(floppies))), **options)


@variants
@pytest.mark.parametrize("floppies", range(5))
def test_a_floppy_is_counted(variant, floppies):
    """Up to four, which is all that fits."""
    pc = with_floppies(variant, floppies)
    assert floppies_said(pc) == min(floppies + 1, 4)
    assert pc.word(EQUIPMENT) & ~0xC1 == 0x20
    assert pc.peek(HARD_DISKS, 1) == b"\0"
    result = pc.int13(ah=0x08, dl=0, changes="ax bl cx dx es edi")
    assert result.dl == min(floppies + 1, 4)
    reads_image(pc, 17, 3)


def passed_as(pc: Pc, number: int, seen: int, **registers: int) -> None:
    """A call for that number reaches the BIOS as one for another, and nothing
    else is changed."""
    passed = len(pc.bios.passed_on)
    result = pc.int13(ah=0x02, dl=number, **registers)
    assert result.dl == number
    assert len(pc.bios.passed_on) == passed + 1
    call = pc.bios.passed_on[-1]
    expected = {**SEEDS, "eax": SEEDS["eax"] & ~0xFF00 | 0x200, "edx": SEEDS["edx"] & ~0xFF | seen}
    assert {name: call[name] for name in expected} == expected


@variants
def test_floppies_of_the_bios_move_up(variant):
    pc = with_floppies(variant, 2)
    vector = pc.peek(0x40 * 4, 4)
    for number in (1, 2, 3):
        passed_as(pc, number, number - 1)
    for number in (0x80, 0x81, 0xDF, 0xE1):
        passed_as(pc, number, number)
    assert pc.peek(0x40 * 4, 4) == vector
    result = pc.int13(ah=0x08, dl=1, changes="ax bl cx dx")
    assert (result.cf, result.bl, result.cx, result.dh, result.dl) == (False, 4, 0x4F12, 1, 3)
    assert pc.int13(ah=0x15, dl=2).ah == 2
    assert pc.int13(ah=0x15, dl=3).cf, "there is none"


def with_disks(variant: str, disks: int = 1, **options) -> Pc:
    """Booted from a hard-disk image; the BIOS has disks, and so have we."""
    return emulating(variant, HARD_DISK, others={0: Disk()}, bios=Bios(
        disks=disks, answers=frozenset(range(0x80, 0x80 + disks))), **options)


@variants
@pytest.mark.parametrize("disks", [0, 1, 2])
def test_hard_disks_move_up(variant, disks):
    """Those of the BIOS, and ours behind them."""
    pc, disc = with_disks(variant, disks), disc_of(HARD_DISK)
    assert pc.peek(HARD_DISKS, 1) == bytes([disks + 2])
    for number in range(0x81, 0x81 + disks):
        passed_as(pc, number, number - 1)
        result = pc.int13(ah=0x08, dl=number, changes="ax bl cx dx")
        assert (result.cf, result.cx, result.dh, result.dl) == (False, 0xFEBF, 15, disks + 2)
        kind = pc.int13(ah=0x15, dl=number, changes="ah cx dx")
        assert (kind.ah, kind.cx << 16 | kind.dx) == (3, OWN_SECTORS), "DX is no drive number"
    reads_sectors(pc, disc, disc.default, 5, 9, 0x80)
    ours = 0x81 + disks
    assert transfer(pc, 0x42, 1000, 5, drive=ours) == (OK, 5)
    assert pc.peek(BUFFER, 2560) == b"".join(pc.bus.targets[0].block(1000 + i) for i in range(5))
    result = pc.int13(ah=0x08, dl=ours, changes="ax bl cx dx")
    assert (result.cf, result.dl, result.dh, result.cl) == (False, disks + 2, 63, 32 | 0)
    kind = pc.int13(ah=0x15, dl=ours, changes="ah cx dx")
    assert (kind.ah, kind.cx << 16 | kind.dx) == (3, 65536)
    assert transfer(pc, 0x43, 70, 1, drive=ours) == (OK, 1)
    assert 70 in pc.bus.targets[0].written
    passed_as(pc, 0x00, 0x00)
    passed_as(pc, ours + 1, ours)


@variants
def test_a_floppy_moves_no_disk_and_a_disk_no_floppy(variant):
    pc = emulating(variant, FLOPPY_144, others={0: Disk()})
    assert transfer(pc, 0x42, 7, 1, drive=0x80) == (OK, 1)
    assert pc.peek(BUFFER, 512) == pc.bus.targets[0].block(7)
    pc = emulating(variant, HARD_DISK, bios=Bios(floppies=2, answers=frozenset({0, 1})))
    assert floppies_said(pc) == 2
    passed_as(pc, 0, 0)
    passed_as(pc, 1, 1)


def test_flags_and_results_of_others_come_through(reader):
    """A failure and a success, with interrupts open and closed."""
    for flags in (0x200, 0x201, 0x000, 0x001, 0xC95 & ~0x100):
        assert reader.int13(ah=0x02, dl=0x01, flags=flags).cf


@variants
def test_a_second_boot_counts_once(variant):
    """As INT 19h of a guest makes it."""
    for media in BOTH:
        pc = emulating(variant, media, others={0: Disk()}, bios=Bios(floppies=1,
                                                                      answers=frozenset({0})))
        for _ in range(2):
            boots(pc, disc_of(media), number=number_of(media))
            assert floppies_said(pc) == (2 if media == FLOPPY_144 else 1)
            assert pc.peek(HARD_DISKS, 1) == (b"\x01" if media == FLOPPY_144 else b"\x02")
            number = 0x80 if media == FLOPPY_144 else 0x81
            assert transfer(pc, 0x42, 7, 1, drive=number) == (OK, 1)


@variants
@pytest.mark.parametrize("media", BOTH)
def test_a_boot_that_fails_ends_what_was_there(variant, media):
    """The next device is booted without a drive in its way."""
    pc = emulating(variant, media, others={0: Disk()}, bios=Bios(floppies=1,
                                                                  answers=frozenset({0})))
    insert(pc, Disc(descriptors=(PRIMARY, TERMINATOR)))
    assert not boot(pc, *disc_of(media).loads).booted
    assert "  not bootable: no boot record" in pc.text
    assert (floppies_said(pc), pc.peek(HARD_DISKS, 1)) == (1, b"\x01")
    passed_as(pc, 0x00, 0x00)
    assert transfer(pc, 0x42, 7, 1, drive=0x80) == (OK, 1)
    number_is_free(pc, ANY)


def test_a_boot_that_fails_ends_no_count_and_leaves_none():
    disc = Disc(Entry(floppy(FLOPPY_144)[:510] + bytes(1538), media=FLOPPY_144, count=1))
    pc = with_cd("895A", disc, {0: Disk()}, bios=Bios(floppies=1, answers=frozenset({0})))
    refused(pc, "no boot sector")
    assert floppies_said(pc) == 1
    passed_as(pc, 0, 0)


@variants
@pytest.mark.parametrize("media", BOTH)
@pytest.mark.parametrize("segment, count", [(0, 1), (0, 2), (0x1000, 3), (0x2345, 15), (0x0060, 4)])
def test_sectors_of_an_emulated_drive_are_loaded(variant, media, segment, count):
    disc = Disc(Entry(disc_of(media).default.image, media=media, segment=segment, count=count))
    pc = emulating(variant, media, disc)
    reads_sectors(pc, disc, disc.default, 5, 3, number_of(media))


# ---- The end of it ---------------------------------------------------------------------


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK])
@pytest.mark.parametrize("number", ["emulated", "CD", "any"])
def test_4bh_puts_everything_back(variant, media, number):
    """Counts and numbers; the CD keeps its own."""
    disc = disc_of(media)
    pc = with_cd(variant, disc, {0: Disk()}, bios=Bios(floppies=1, disks=1,
                                                      answers=frozenset({0x00, 0x80})))
    vectors, data = state(pc)
    boots(pc, disc, number=number_of(media))
    assert state(pc)[1] != data
    number = {"emulated": number_of(media), "CD": CD, "any": ANY}[number]
    status, packet = emulation(pc, 0x4B, number=number)
    assert (status, packet.fields()[:3]) == (OK, (0x13, media, number_of(media)))
    after, data_after = state(pc)
    assert data_after == data
    for at in (0x13 * 4, 0x18 * 4):     # doors that stay, and pass everything on
        after = after[:at] + vectors[at:at + 4] + after[at + 4:]
    assert after == vectors
    passed_as(pc, 0x00, 0x00)
    passed_as(pc, 0x80, 0x80)
    assert pc.int13(ah=0x08, dl=0, changes="ax bl cx dx").dl == 1
    assert transfer(pc, 0x42, 7, 1, drive=0x81) == (OK, 1)
    reads_blocks(pc, disc, 64, 3)
    number_is_free(pc, ANY)


@variants
@pytest.mark.parametrize("media", BOTH)
def test_4ah_and_4bh_leave_no_trace(variant, media):
    """To the byte: vectors and data area."""
    disc = Disc(sections=(eltorito.Section((disc_of(media).default,)),))
    pc = with_cd(variant, disc, {0: Disk()}, bios=Bios(floppies=1, disks=1,
                                                      answers=frozenset({0x00, 0x80})))
    boots(pc, disc)
    image = disc.entries[1]
    before = state(pc)
    for _ in range(3):
        start = Packet.make(media, number_of(media), disc.lba(image), device=CD_ID << 8)
        assert emulation(pc, 0x4A, start)[0] == OK
        reads_sectors(pc, disc, image, 5, 9, number_of(media))
        assert state(pc) != before
        assert emulation(pc, 0x4B, number=ANY)[0] == OK
        assert state(pc) == before
        passed_as(pc, number_of(media), number_of(media))


# ---- 4Bh -------------------------------------------------------------------------------


def status_packet(pc: Pc, number: int) -> Packet:
    status, packet = emulation(pc, 0x4B, number=number, al=1)
    assert status == OK
    return packet


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK])
@pytest.mark.parametrize("bits", [0, 0x80, 0xC0])
def test_4bh_tells_of_the_emulation(variant, media, bits):
    entry = Entry(disc_of(media).default.image, media=media | bits, count=3, segment=0x1000)
    disc = Disc(entry)
    pc = with_cd(variant, disc)
    boots(pc, disc, number=number_of(media))
    before = state(pc)
    shape = SHAPE if media == HARD_DISK else GEOMETRIES[media]
    for number in (number_of(media), CD, ANY):
        packet = status_packet(pc, number)
        assert packet.fields() == (0x13, media | bits, number_of(media), 0, disc.lba(entry),
                                   CD_ID << 8, 0, 0x1000, 3)
        assert packet.chs == shape
    assert state(pc) == before
    reads_sectors(pc, disc, entry, 5, 3, number_of(media))


@variants
def test_4bh_tells_of_a_boot_without_emulation(variant):
    disc = Disc(Entry(loader(8), count=8, segment=0x2000))
    pc = with_cd(variant, disc)
    boots(pc, disc)
    packet = status_packet(pc, CD)
    assert packet.fields() == (0x13, 0, CD, 0, 64, CD_ID << 8, 0, 0x2000, 8)
    assert packet[16:] == bytes(3)
    number_is_free(pc, ANY)


@variants
def test_4bh_of_a_cd_that_was_not_booted(variant):
    pc = with_cd(variant, Disc(), {5: drive_with(Disc())})
    boots(pc, Disc())
    packet = status_packet(pc, 0xE1)
    assert packet.fields() == (0x13, 0, 0xE1, 0, 0, 5 << 8, 0, 0, 0)
    assert packet[16:] == bytes(3)


def test_4bh_of_a_cd_behind_a_lun():
    target = Disk(version=5)
    target.luns = {3: drive_with(FLOPPY_DISC, lun=3, version=5)}
    pc = with_cd("895A", Disc(), {4: target})
    boots(pc, FLOPPY_DISC, number=0, index=1)
    assert status_packet(pc, 0).fields()[5] == 4 << 8 | 3


@pytest.mark.parametrize("al", [2, 3, 0x80, 0xFF])
def test_other_values_of_al_are_refused_by_4bh(emulated, al):
    pc, media = emulated
    for number in (number_of(media), CD, ANY):
        status, packet = emulation(pc, 0x4B, number=number, al=al)
        assert (status, packet) == (BAD_COMMAND, b"\xEE" * 19)
    reads_sectors(pc, disc_of(media), disc_of(media).default, 5, 3, number_of(media))


def test_4bh_of_other_drives_goes_to_the_bios(pc):
    for number in (0xE1, 0x80):
        number_is_free(pc, number)
        passed = len(pc.bios.passed_on)
        assert pc.int13(ah=0x4B, al=1, dl=number).cf
        assert len(pc.bios.passed_on) == passed + 1


def test_4bh_without_emulation_changes_nothing(pc):
    assert emulation(pc, 0x4B, number=0)[0] == OK
    before = state(pc)
    emulation(pc, 0x4B, number=CD)
    assert state(pc) == before
    reads_blocks(pc, FLOPPY_DISC)
    assert emulation(pc, 0x4A, Packet.make(FLOPPY_144, 0, 64, device=CD_ID << 8))[0] == OK
    reads_image(pc, 5, 3)


# ---- 4Ah -------------------------------------------------------------------------------

IMAGES = Disc(Entry(loader(8), count=8, segment=0x2000), (eltorito.Section((
    Entry(floppy(FLOPPY_12), media=FLOPPY_12, count=1),
    Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=4, segment=0x3000),
    Entry(floppy(FLOPPY_288), media=FLOPPY_288, count=1),
    Entry(hard_disk(*SHAPE), media=HARD_DISK, count=2, segment=0x3000),
    Entry(loader(20, 9), count=20, segment=0x1000)), text=b"images"),))
PLAIN, IMAGE_12, IMAGE_144, IMAGE_288, IMAGE_DISK, OTHER_PLAIN = IMAGES.entries


@pytest.fixture
def plain() -> Pc:
    """Booted without emulation from a CD with many images. The BIOS has a
    floppy and a disk, we have a disk."""
    pc = with_cd("895A", IMAGES, {0: Disk()}, bios=Bios(
        floppies=1, disks=1, answers=frozenset({0x00, 0x80})))
    boots(pc, IMAGES, PLAIN)
    return pc


def packet_for(entry: Entry, drive: int | None = None, **options) -> Packet:
    if drive is None:
        drive = number_of(entry.media & 15) if entry.media else CD
    return Packet.make(**{"media": entry.media, "drive": drive, "lba": IMAGES.lba(entry),
                          "segment": entry.segment, "count": entry.count, "device": CD_ID << 8,
                          **options})


@pytest.mark.parametrize("entry", [IMAGE_12, IMAGE_144, IMAGE_288, IMAGE_DISK],
                         ids=["1.2", "1.44", "2.88", "disk"])
def test_4ah_begins_an_emulation(plain, entry):
    media = entry.media
    memory = plain.peek(0x7C00, 1024)
    assert emulation(plain, 0x4A, packet_for(entry))[0] == OK
    assert plain.peek(0x7C00, 1024) == memory, "nothing is loaded"
    reads_sectors(plain, IMAGES, entry, 5, 9, number_of(media), 0x02, geometry=track_of(media))
    reads_sectors(plain, IMAGES, entry, sectors_of(media) - 3, 3, number_of(media))
    packet = status_packet(plain, ANY)
    assert packet.fields()[:6] == (0x13, media, number_of(media), 0, IMAGES.lba(entry), CD_ID << 8)
    assert packet.chs == (SHAPE if media == HARD_DISK else GEOMETRIES[media])
    assert floppies_said(plain) == 2 - (media == HARD_DISK)
    assert plain.peek(HARD_DISKS, 1)[0] == 2 + (media == HARD_DISK)


@pytest.mark.parametrize("entry, drive, ours", [
    (IMAGE_144, 1, 0x81), (IMAGE_DISK, 0x81, 0x82), (IMAGE_DISK, 0x82, 0x81)],
    ids=["second floppy", "second disk", "third disk"])
def test_4ah_may_name_another_number(plain, entry, drive, ours):
    """One next to those there; lower ones stay where they are."""
    assert emulation(plain, 0x4A, packet_for(entry, drive))[0] == OK
    reads_sectors(plain, IMAGES, entry, 5, 9, drive)
    passed_as(plain, 0x00, 0x00)
    passed_as(plain, 0x80, 0x80)
    assert transfer(plain, 0x42, 7, 1, drive=ours) == (OK, 1)
    assert plain.peek(BUFFER, 512) == plain.bus.targets[0].block(7)
    assert status_packet(plain, drive).fields()[2] == drive
    assert emulation(plain, 0x4B, number=drive)[0] == OK
    assert transfer(plain, 0x42, 7, 1, drive=0x81) == (OK, 1)


WRONG = {
    "size 0": (packet_for(IMAGE_144, size=0), BAD_COMMAND),
    "size 12h": (packet_for(IMAGE_144, size=0x12), BAD_COMMAND),
    "no emulation": (packet_for(PLAIN, media=0), BAD_COMMAND),
    **{f"media {m}": (packet_for(IMAGE_144, media=m), BAD_COMMAND) for m in (5, 6, 15)},
    "a floppy as a disk": (packet_for(IMAGE_144, 0x80), BAD_COMMAND),
    "a disk as a floppy": (packet_for(IMAGE_DISK, 0x00), BAD_COMMAND),
    "a floppy as a CD": (packet_for(IMAGE_144, CD), BAD_COMMAND),
    "third floppy of one": (packet_for(IMAGE_144, 2), BAD_COMMAND),
    "floppy 7Fh": (packet_for(IMAGE_144, 0x7F), BAD_COMMAND),
    "fourth disk of two": (packet_for(IMAGE_DISK, 0x83), BAD_COMMAND),
    "disk FFh": (packet_for(IMAGE_DISK, 0xFF), BAD_COMMAND),
    "beyond the disc": (packet_for(IMAGE_144, lba=IMAGES.blocks), NOT_FOUND),
    "far beyond": (packet_for(IMAGE_144, lba=0xFFFFFFFF), NOT_FOUND),
    "a disk beyond": (packet_for(IMAGE_DISK, lba=IMAGES.blocks), NOT_FOUND),
    "a disk without partitions": (packet_for(IMAGE_DISK, lba=IMAGES.lba(PLAIN)), WRONG_MEDIUM),
    "a floppy as a disk image": (packet_for(IMAGE_DISK, lba=IMAGES.lba(IMAGE_144),
                                            media=HARD_DISK, drive=0x80), WRONG_MEDIUM),
}


@pytest.mark.parametrize("packet, status", WRONG.values(), ids=WRONG)
def test_4ah_refuses(plain, packet, status):
    before = state(plain)
    if packet.fields()[4] == IMAGES.lba(IMAGE_144) and status == WRONG_MEDIUM:
        IMAGES.patches[IMAGES.lba(IMAGE_144), 446] = bytes(64)
    assert emulation(plain, 0x4A, packet)[0] == status
    IMAGES.patches.clear()
    assert state(plain) == before
    passed_as(plain, 0x00, 0x00)
    number_is_free(plain, ANY)
    assert emulation(plain, 0x4A, packet_for(IMAGE_144))[0] == OK
    reads_sectors(plain, IMAGES, IMAGE_144, 5, 9)


@pytest.mark.parametrize("al", [1, 2, 0xFF])
def test_4ah_wants_al_0(plain, al):
    before = state(plain)
    assert emulation(plain, 0x4A, packet_for(IMAGE_144), al=al)[0] == BAD_COMMAND
    assert state(plain) == before


def test_4ah_needs_no_signature_for_a_floppy(plain):
    """Not every floppy can be booted."""
    assert emulation(plain, 0x4A, packet_for(IMAGE_144, lba=IMAGES.lba(PLAIN)))[0] == OK
    assert move(plain, 0x02, 0, 8, number=0) == (OK, 8)
    assert plain.peek(BUFFER, 4096) == PLAIN.image


@pytest.mark.parametrize("number", [0x00, CD])
def test_4ah_while_there_is_an_emulation(plain, number):
    assert emulation(plain, 0x4A, packet_for(IMAGE_144))[0] == OK
    before = state(plain)
    for entry in (IMAGE_144, IMAGE_DISK):
        assert emulation(plain, 0x4A, packet_for(entry), number=number)[0] == IN_USE
    assert state(plain) == before
    reads_sectors(plain, IMAGES, IMAGE_144, 5, 9)


@pytest.mark.parametrize("function", [0x4A, 0x4C], ids=hexadecimal)
def test_they_need_a_disc(plain, function):
    before = state(plain)
    cd(plain).take_out()
    for entry in (IMAGE_144, IMAGE_DISK):
        if function == 0x4A:
            assert emulation(plain, function, packet_for(entry))[0] == NO_MEDIUM
        else:
            assert started(plain, packet_for(entry)).ah == NO_MEDIUM
    assert state(plain) == before


def test_the_number_of_a_drive_of_others_is_not_for_4ah(plain):
    passed = len(plain.bios.passed_on)
    plain.poke(PACKET, packet_for(IMAGE_144))
    for number in (0x00, 0x7F, 0xE1):
        assert plain.int13(ah=0x4A, al=0, dl=number, ds=PACKET >> 4, si=PACKET & 15).cf
    assert len(plain.bios.passed_on) == passed + 3


# ---- 4Ch -------------------------------------------------------------------------------


def starts(pc: Pc, entry: Entry, number: int = CD, **options) -> None:
    """4Ch, and it runs."""
    packet = packet_for(entry, **options)
    pc.poke(entry.load.start, b"\xEE" * len(entry.load))
    result = started(pc, packet, entry.load, number=number)
    runs(pc, result, IMAGES, entry, packet.fields()[2])


@pytest.mark.parametrize("entry", [IMAGE_12, IMAGE_144, IMAGE_288, IMAGE_DISK, OTHER_PLAIN],
                         ids=["1.2", "1.44", "2.88", "disk", "no emulation"])
def test_4ch_boots_an_image(plain, entry):
    starts(plain, entry)
    number = number_of(entry.media) if entry.media else CD
    if entry.media:
        reads_sectors(plain, IMAGES, entry, 5, 9, number)
    assert status_packet(plain, number).fields() == (
        0x13, entry.media, number, 0, IMAGES.lba(entry), CD_ID << 8, 0, entry.segment, entry.count)


@pytest.mark.parametrize("number", ["emulated", "CD"])
@pytest.mark.parametrize("second", [IMAGE_288, IMAGE_DISK, OTHER_PLAIN],
                         ids=["2.88", "disk", "no emulation"])
@pytest.mark.parametrize("first", [IMAGE_144, IMAGE_DISK], ids=["from 1.44", "from disk"])
def test_4ch_ends_what_was_there(plain, first, second, number):
    before = state(plain)
    starts(plain, first)
    starts(plain, second, number_of(first.media) if number == "emulated" else CD)
    assert floppies_said(plain) == 1 + (second is IMAGE_288)
    assert plain.peek(HARD_DISKS, 1)[0] == 2 + (second is IMAGE_DISK)
    if second.media:
        reads_sectors(plain, IMAGES, second, 5, 9, number_of(second.media))
        assert emulation(plain, 0x4B, number=ANY)[0] == OK
    assert state(plain) == before
    passed_as(plain, 0x00, 0x00)
    assert transfer(plain, 0x42, 7, 1, drive=0x81) == (OK, 1)


@pytest.mark.parametrize("entry, highest", [(IMAGE_144, 1), (IMAGE_DISK, 0x82)],
                         ids=["floppy", "disk"])
def test_4ch_counts_the_drive_that_it_ends_for_none(plain, entry, highest):
    """Numbers go no higher than for the first one."""
    starts(plain, entry)
    before = state(plain)
    assert started(plain, packet_for(entry, highest + 1), entry.load).ah == BAD_COMMAND
    assert state(plain) == before
    starts(plain, entry, drive=highest)
    reads_sectors(plain, IMAGES, entry, 5, 9, highest)


def test_a_packet_has_ten_bits_for_cylinders():
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
def test_4ch_that_fails_changes_nothing(plain, first, packet, status):
    if first:
        starts(plain, first)
    before = state(plain)
    result = started(plain, packet, IMAGE_288.load)
    assert (result.booted, result.ah, result.cf) == (False, status, True)
    assert state(plain) == before
    if first:
        reads_sectors(plain, IMAGES, first, 5, 9, number_of(first.media))
    else:
        reads_blocks(plain, IMAGES, 64, 3)


def test_4ch_whose_load_fails_changes_nothing(plain):
    starts(plain, IMAGE_144)
    before = state(plain)
    cd(plain).bad_blocks[IMAGES.lba(IMAGE_288)] = (3, 0x11, 0, True)
    result = started(plain, packet_for(IMAGE_288), IMAGE_288.load)
    assert (result.booted, result.ah, state(plain)) == (False, BAD_SECTOR, before)
    reads_sectors(plain, IMAGES, IMAGE_144, 5, 9)


@pytest.mark.parametrize("segment, count", [(0x0001, 4), (0xA000, 1), (0x9FFF, 1), (0, 65535)])
def test_4ch_needs_room(plain, segment, count):
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
def test_4dh_reads_into_any_buffer(plain, address):
    assert catalog_of(plain, 0, 2, address=address) == OK
    assert plain.peek(address, 2 * BLOCK) == IMAGES.read(CATALOG, 2)


@pytest.mark.parametrize("options, status", [
    ({"size": 0}, BAD_COMMAND), ({"size": 7}, BAD_COMMAND), ({"al": 1}, BAD_COMMAND),
    ({"al": 0xFF}, BAD_COMMAND), ({"first": 0xFFFF}, NOT_FOUND)], ids=str)
def test_4dh_refuses(plain, options, status):
    plain.poke(BUFFER, b"\xEE" * BLOCK)
    assert catalog_of(plain, **options) == status
    assert plain.peek(BUFFER, BLOCK) == b"\xEE" * BLOCK


def test_4dh_without_a_record_or_a_disc(plain):
    insert(plain, Disc(descriptors=(PRIMARY, TERMINATOR)))
    assert asks(plain, 0x16).ah == CHANGED
    assert catalog_of(plain) == WRONG_MEDIUM
    cd(plain).take_out()
    assert catalog_of(plain) == NO_MEDIUM


# ---- Two drives ------------------------------------------------------------------------


OTHER_CD = Disc(Entry(floppy(FLOPPY_144, 6), media=FLOPPY_144, count=1), seed=6)


@variants
@pytest.mark.parametrize("index", [0, 1])
def test_the_image_is_on_the_drive_that_was_booted(variant, index):
    pc = with_cd(variant, FLOPPY_DISC, {5: drive_with(OTHER_CD)})
    discs = [FLOPPY_DISC, OTHER_CD]
    boots(pc, discs[index], number=0, index=index)
    reads_sectors(pc, discs[index], discs[index].default, 5, 9)
    for number, disc in zip((0xE0, 0xE1), discs):
        reads_blocks(pc, disc, 64, 2, number)
    assert status_packet(pc, 0).fields()[5] == (CD_ID, 5)[index] << 8
    reads_sectors(pc, discs[index], discs[index].default, 6, 1)
    boots(pc, discs[1 - index], number=0, index=1 - index)
    reads_sectors(pc, discs[1 - index], discs[1 - index].default, 5, 9)
    assert floppies_said(pc) == 1


def test_what_is_read_of_the_other_cd_is_not_taken_for_the_image():
    """A boot from there that fails has had a look at it."""
    pc = with_cd("895A", FLOPPY_DISC, {5: drive_with(OTHER_CD)})
    boots(pc, FLOPPY_DISC, number=0)
    reads_image(pc, 1, 1)
    for options in ({"segment": 1}, {"count": 0}, {"segment": 0x1000, "lba": 65}):
        packet = Packet.make(**{"media": FLOPPY_144, "lba": 64, "count": 1, **options})
        assert started(pc, packet, range(0x10000, 0x10200), number=0xE1).cf
        for first in (1, 5, 0):
            reads_image(pc, first, 1)


def test_the_catalog_of_the_other_cd_is_not_taken_for_the_image():
    """Whose boot record lies where the image is."""
    disc = Disc(Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=1), images=18, catalog_lba=800,
                blocks=900, descriptors=(PRIMARY, eltorito.boot_record(800)))
    other = Disc(descriptors=(PRIMARY, PRIMARY, PRIMARY, eltorito.boot_record(), TERMINATOR))
    pc = with_cd("895A", disc, {5: drive_with(other)})
    boots(pc, disc, number=0)
    reads_sectors(pc, disc, disc.default, 5, 1)
    assert catalog_of(pc, number=0xE1) == OK
    for first in (5, 1, 9):
        reads_sectors(pc, disc, disc.default, first, 1)


@variants
@pytest.mark.parametrize("media", BOTH)
def test_interrupts_come_while_an_image_is_read(variant, media):
    """A handler that reads drive 80h, the image itself or another, is refused
    and disturbs nothing."""
    pc = emulating(variant, media, others={0: Disk()}, timer=TimerInterrupt("calling"))
    disc = disc_of(media)

    def hook(bus, data):
        for i in range(4):
            yield from Disk.data_in(data[i * 512:i * 512 + 512])
            yield from cd(pc).disconnect(ns=90_000_000)
    cd(pc).data_hook = hook
    pc.timer.calls.clear()
    for first, count in ((5, 1), (10, 2), (17, 3)):
        reads_sectors(pc, disc, disc.default, first, count, number_of(media))
    assert len(pc.timer.calls) > 10 and set(pc.timer.calls) == {(NOT_READY, True)}


def test_an_image_of_the_other_drive(plain):
    """4Ah for a CD of two."""
    pc = with_cd("895A", IMAGES, {5: drive_with(FLOPPY_DISC)})
    boots(pc, IMAGES, PLAIN)
    assert emulation(pc, 0x4A, Packet.make(FLOPPY_144, 0, 64, device=5 << 8), 0xE1)[0] == OK
    reads_sectors(pc, FLOPPY_DISC, IMAGE, 5, 9)
    assert status_packet(pc, 0xE1).fields()[5] == 5 << 8
    assert emulation(pc, 0x4A, packet_for(IMAGE_144))[0] == IN_USE
    assert emulation(pc, 0x4B, number=CD)[0] == OK
    reads_sectors(pc, FLOPPY_DISC, IMAGE, 5, 9)     # it was not that drive's to end
    assert emulation(pc, 0x4B, number=0xE1)[0] == OK
    passed_as(pc, 0x00, 0x00)


@variants
def test_emulation_without_a_memory_manager(variant):
    """Workspace and buffer lie below 640 KiB."""
    pc = emulating(variant, FLOPPY_144, bios=Bios(pmm="absent"))
    for first in range(8):
        reads_image(pc, first, 5)
    assert boot(pc, *FLOPPY_DISC.loads).booted


@variants
def test_interrupts_come_while_a_renumbered_disk_works(variant):
    """Ours, 81h behind an emulated 80h: it hears of its caller's IF."""
    disc = disc_of(HARD_DISK)
    pc = with_cd(variant, disc, {0: Disk()}, timer=TimerInterrupt("alive"))
    boots(pc, disc, number=0x80)
    pc.bus.targets[0].before_status = lambda bus: iter([Delay(300 * MS)])
    before = pc.timer.ticks
    assert transfer(pc, 0x42, 7, 1, drive=0x81) == (OK, 1)
    assert pc.timer.ticks - before >= 5

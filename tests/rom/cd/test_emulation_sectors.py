# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: floppies and hard disks emulated from CD images: functions, sectors and
the block cache.
"""

from __future__ import annotations

import random
import struct

import pytest

from tests.model import eltorito
from tests.model.bus import HANG
from tests.model.eltorito import (BLOCK, FLOPPY_12, FLOPPY_144, FLOPPY_288, GEOMETRIES, HARD_DISK,
                                  Disc, Entry, floppy, hard_disk)
from tests.model.pc import BUFFER, PACKET, Pc
from tests.model.rules import RuleViolation
from tests.model.target import READ10, SEEK10, TEST_UNIT_READY, VERIFY10, Disk
from tests.rom.cd.cdboot import (cd, check_blocks, check_boot, check_sectors, insert, move,
                                 simple_call, with_cd)
from tests.rom.cd.emulated_drives import (BOTH, FLOPPY_DISC, IMAGE, LARGE_DISC, SHAPE, check_image, disc_of,
                                          emulating, number_of, sectors_of, track_of, variants)
from tests.rom.strict import (BAD_COMMAND, BAD_SECTOR, CHANGED, NOT_FOUND, NO_MEDIUM, OK, TIMEOUT,
                              VARIANTS, WRITE_PROTECTED, hexadecimal, nothing_sent, opcodes,
                              transfer)

TYPES = {FLOPPY_12: 0x02, FLOPPY_144: 0x04, FLOPPY_288: 0x06}      # BL of AH=08h
READS = (0x02, 0x42)
EXTENSIONS = range(0x41, 0x49)


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


@pytest.fixture(scope="module", params=VARIANTS)
def reader(request) -> Pc:
    """As `pc`, for tests that do not change the state of the machine."""
    return emulating(request.param, FLOPPY_144)


@pytest.fixture(params=VARIANTS)
def large(request) -> Pc:
    """A machine booted from a hard disk image of the same size and tracks."""
    return emulating(request.param, HARD_DISK, LARGE_DISC)


@pytest.fixture(scope="module", params=VARIANTS)
def large_reader(request) -> Pc:
    """As `large`, for tests that do not change the state of the machine."""
    return emulating(request.param, HARD_DISK, LARGE_DISC)


# ---- Parameters ------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288])
@pytest.mark.parametrize("bits", [0, 0x80, 0x40])
def test_floppy_has_the_geometry_of_its_media_type(variant, media, bits):
    disc = Disc(Entry(floppy(media), media=media | bits, count=1))
    pc = with_cd(variant, disc)
    check_boot(pc, disc, number=0)
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
def test_hard_disk_has_the_geometry_of_its_partition(variant, shape):
    cylinders, heads, sectors = shape
    image = hard_disk(*shape) if cylinders > 1 or heads > 1 else one_track()
    disc = Disc(Entry(image, media=HARD_DISK, count=1, system=6))
    pc = with_cd(variant, disc)
    check_boot(pc, disc, number=0x80)
    result = pc.int13(ah=0x08, dl=0x80, changes="ax bl cx dx")
    assert (result.ah, result.al, result.bl, result.cf) == (OK, 0, 0, False)
    assert (result.ch | (result.cl & 0xC0) << 2, result.cl & 63, result.dh, result.dl) == (
        cylinders - 1, sectors, heads - 1, 1)
    kind = pc.int13(ah=0x15, dl=0x80, changes="ah cx dx")
    total = cylinders * heads * sectors
    assert (kind.ah, kind.cf, kind.cx << 16 | kind.dx) == (3, False, total)
    check_sectors(pc, disc, disc.default, total - 1, 1, 0x80, 0x02, geometry=(heads, sectors))
    assert move(pc, 0x42, total, 1, number=0x80) == (NOT_FOUND, 0)


def one_track() -> bytes:
    """A disk whose partition starts in its second sector."""
    data = eltorito.noise(4, 63)
    entry = eltorito.partition((0, 0, 2), (0, 0, 63), 1, 62)
    return data[:446] + entry + bytes(48) + b"\x55\xAA" + data[512:]


@variants
def test_48h_of_an_emulated_hard_disk(variant):
    """In sectors of 512 bytes, also without a disc."""
    pc = emulating(variant, HARD_DISK)
    pc.poke(PACKET, b"\x1A\0")
    result = pc.int13(range(PACKET, PACKET + 0x1A), ah=0x48, dl=0x80, ds=PACKET >> 4, si=0)
    assert not result.cf
    flags, *shape, total, size = struct.unpack_from("<2xHIIIQH", pc.peek(PACKET, 0x1A))
    assert (tuple(shape), total, size) == (SHAPE, sectors_of(HARD_DISK), 512)
    assert flags & 0x0E == 0x06, "CHS is valid, the medium is removable, no write with verify"
    cd(pc).take_out()
    assert simple_call(pc, 0x16, 0x80).ah == NO_MEDIUM
    result = pc.int13(range(PACKET, PACKET + 0x1A), ah=0x48, dl=0x80, ds=PACKET >> 4, si=0)
    flags, size = struct.unpack_from("<2xH20xH", pc.peek(PACKET, 0x1A))
    assert (result.cf, flags & 0x40, size) == (False, 0x40, 512)


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288])
def test_floppy_has_no_extensions(variant, media):
    """41h to 48h end with 01h, send no command and change nothing; BX stays 55AAh."""
    pc = emulating(variant, media)
    packet = struct.pack("<BBHHHQ", 16, 0, 1, BUFFER & 15, BUFFER >> 4, 0)
    with nothing_sent(pc):
        for function in EXTENSIONS:
            pc.poke(PACKET, b"\x4A\0" if function == 0x48 else packet)
            result = simple_call(pc, function, 0, "ah", al=0, bx=0x55AA, ds=PACKET >> 4, si=0)
            assert (result.ah, result.bx) == (BAD_COMMAND, 0x55AA), hex(function)


def test_cd_of_an_emulated_floppy_has_extensions(pc):
    check_blocks(pc, FLOPPY_DISC, 64, 2)
    result = pc.int13(ah=0x41, bx=0x55AA, dl=0xE0, changes="ah bx cx")
    assert (result.cf, result.bx) == (False, 0xAA55)


FUNCTIONS = {0x00, 0x01, 0x02, 0x04, 0x08, 0x09, 0x0C, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x16, 0x41,
             0x42, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4B, 0x4D}


def test_only_documented_functions_succeed_on_emulated_drives(emulated):
    """Functions with arguments get valid ones."""
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
        lacks = media != HARD_DISK and function in EXTENSIONS
        assert result.cf == (function not in FUNCTIONS or lacks), hex(function)
        if result.cf:
            expected = (WRITE_PROTECTED if function in (0x03, 0x43) and not lacks
                        else BAD_COMMAND)
            assert result.ah == expected, hex(function)
        if function == 0x46 and not lacks:
            insert(pc, disc_of(media))
            assert simple_call(pc, 0x16, number_of(media)).ah == CHANGED


# ---- Sectors ---------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("media", [FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK])
def test_reads_at_the_corners_of_every_geometry(variant, media):
    """First, last and one-beyond-last cylinder, head and sector."""
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
def test_reads_across_track_ends(variant, media):
    pc, number, track = emulating(variant, media), number_of(media), track_of(media)
    disc, sectors = disc_of(media), track[1]
    for end in range(sectors, sectors_of(media), sectors * 7):
        check_sectors(pc, disc, disc.default, end - 1, 2, number, 0x02, geometry=track)


@variants
@pytest.mark.parametrize("function", READS, ids=hexadecimal)
@pytest.mark.parametrize("first", [0, 1, 2, 3, 2876 - 9])
def test_reads_at_any_sector_of_a_block(variant, first, function):
    """From each sector of a block, over up to four blocks."""
    pc = emulating(variant, HARD_DISK, LARGE_DISC)
    for count in range(1, 13):
        check_image(pc, first, count, function, 0x80)


@pytest.mark.parametrize("first", [0, 1, 2, 3, 2876 - 9])
def test_reads_of_a_floppy_at_any_sector_of_a_block(reader, first):
    for count in range(1, 13):
        check_image(reader, first, count)


@pytest.mark.parametrize("first, count", [(0, 64), (1, 63), (3, 100), (2, 127), (5, 128),
                                          (2752, 128)])
def test_reads_many_sectors(reader, large_reader, first, count):
    check_image(reader, first, count)
    check_image(large_reader, first, min(count, 127), 0x42, 0x80)


@pytest.mark.parametrize("address", [BUFFER + 1, 0x2FF03, 0x2FE01, 0x3FFFF, 0x80003], ids=hex)
def test_reads_to_any_buffer(reader, address):
    for first, count in ((0, 9), (1, 3), (2, 2), (3, 30)):
        check_image(reader, first, count, address=address)


@variants
def test_random_reads_of_a_hard_disk(variant):
    pc, disc, chance = emulating(variant, HARD_DISK), disc_of(HARD_DISK), random.Random(5)
    for _ in range(60):
        count = chance.randrange(1, 40)
        first = chance.randrange(sectors_of(HARD_DISK) - count)
        check_sectors(pc, disc, disc.default, first, count, 0x80, chance.choice(READS),
                      geometry=SHAPE[1:])


@pytest.mark.parametrize("flat", [0x100000, 0x10FDF0, 0x10FE00, 0x10FFEF,
                                  0x10FFF0, 0x123401])
@pytest.mark.parametrize("first, count", [(0, 1), (1, 1), (3, 2), (2, 9), (0, 4), (7, 64)])
def test_reads_to_buffers_around_and_above_1_mib(large_reader, flat, first, count):
    pc = large_reader
    pc.poke(flat - 64, b"\xEE" * (count * 512 + 128))
    assert move(pc, 0x42, first, count, number=0x80, flat=flat, size=24) == (OK, count)
    assert pc.peek(flat, count * 512) == LARGE_DISC.sectors(LARGE_DISC.default, first, count)
    assert pc.peek(flat - 64, 64) == pc.peek(flat + count * 512, 64) == b"\xEE" * 64


@pytest.mark.parametrize("count", [1, 3])
def test_read_to_buffer_that_ends_at_4_gib_goes_there_by_dma(large, count):
    """Address and length add up to 2^32. The PC has no memory there, which its model reports."""
    flat = 2**32 - count * 512
    with pytest.raises(RuleViolation, match=f"DMA outside memory: write of {flat:#x}"):
        move(large, 0x42, 1, count, number=0x80, flat=flat, size=24)


def test_read_with_a_long_count(large_reader):
    pc = large_reader
    assert move(pc, 0x42, 1, number=0x80, flat=0x200000, size=32, long_count=2879) == (OK, 2879)
    assert pc.peek(0x200000, 2879 * 512) == LARGE_DISC.sectors(LARGE_DISC.default, 1, 2879)


@pytest.mark.parametrize("function", [0x02, 0x04, 0x42, 0x44], ids=hexadecimal)
def test_access_past_end_returns_04h(emulated, function):
    pc, media = emulated
    options = {"number": number_of(media), "geometry": track_of(media)}
    last = sectors_of(media) - 1
    if media != HARD_DISK and function > 0x40:
        assert move(pc, function, last, 1, **options) == (BAD_COMMAND, 1)
        return
    assert move(pc, function, last, 1, **options) == (OK, 1)
    with nothing_sent(pc):
        assert move(pc, function, last, 2, **options) == (NOT_FOUND, 0)
        if function > 0x40:
            for lba in (last + 1, 2**31, 2**32 - 1, 2**32, 2**54, 2**63):
                assert move(pc, function, lba, 1, **options) == (NOT_FOUND, 0)


@pytest.mark.parametrize("count", [0, 129, 255])
@pytest.mark.parametrize("function", [0x02, 0x04], ids=hexadecimal)
def test_invalid_count_returns_01h(reader, function, count):
    with nothing_sent(reader):
        assert move(reader, function, 5, count, number=0).status == BAD_COMMAND


@pytest.mark.parametrize("function, command", [(0x04, VERIFY10), (0x44, VERIFY10), (0x0C, SEEK10),
                                               (0x47, SEEK10)], ids=hexadecimal)
def test_verify_and_seek_transfer_no_data(reader, large_reader, function, command):
    for pc, number in ((reader, 0), (large_reader, 0x80)):
        sent = len(cd(pc).commands)
        pc.poke(BUFFER, b"\xEE" * 512)
        lacks = not number and function > 0x40
        assert move(pc, function, 9, 4, number=number).status == (BAD_COMMAND if lacks else OK)
        assert set(opcodes(cd(pc), sent)) == (set() if lacks else {command})
        assert pc.peek(BUFFER, 512) == b"\xEE" * 512


@pytest.mark.parametrize("function", [0x03, 0x43], ids=hexadecimal)
@pytest.mark.parametrize("lba, count", [(0, 1), (5, 3), (100, 17)])
def test_write_returns_03h(emulated, function, lba, count):
    pc, media = emulated
    with nothing_sent(pc):
        outcome = move(pc, function, lba, count, number=number_of(media), geometry=track_of(media))
    lacks = media != HARD_DISK and function == 0x43
    assert outcome.status == (BAD_COMMAND if lacks else WRITE_PROTECTED)
    assert not outcome.good or function == 0x43


def test_image_truncated_by_the_disc_end():
    """The part on the disc can be read."""
    disc = Disc(Entry(floppy(FLOPPY_144)[:100 * BLOCK], media=FLOPPY_144, count=1))
    pc = emulating("895A", FLOPPY_144, disc)
    check_sectors(pc, disc, disc.default, 390, 10)
    assert move(pc, 0x02, 400, 1, number=0) == (NOT_FOUND, 0)
    assert move(pc, 0x02, 399, 2, number=0) == (NOT_FOUND, 0)
    assert pc.int13(ah=8, dl=0, changes="ax bl cx dx es edi").ch == 79


def test_bad_block_of_an_image_returns_10h(pc):
    cd(pc).bad_blocks[64 + 3] = (3, 0x11, 0, True)
    assert move(pc, 0x02, 13, 1, number=0) == (BAD_SECTOR, 0)
    assert move(pc, 0x02, 8, 20, number=0) == (BAD_SECTOR, 4)
    check_image(pc, 8, 4)
    check_image(pc, 16, 4)


# ---- The cache -------------------------------------------------------------------------


def commands_of(pc: Pc, first: int, count: int, function: int = 0x02, number: int = 0,
                **options) -> list[int]:
    """The commands that a read of the floppy sends."""
    sent = len(cd(pc).commands)
    assert move(pc, function, first, count, number=number, **options) == (OK, count)
    return opcodes(cd(pc), sent)


def test_cached_block_is_not_read_again(pc):
    assert commands_of(pc, 41, 1) == [READ10]
    for first, count in ((40, 1), (41, 1), (42, 2), (43, 1), (40, 3)):
        pc.poke(BUFFER, b"\xEE" * 2048)
        assert commands_of(pc, first, count) == [TEST_UNIT_READY]
        assert pc.peek(BUFFER, count * 512) == FLOPPY_DISC.sectors(IMAGE, first, count)
    assert commands_of(pc, 45, 1) == [READ10]
    assert commands_of(pc, 46, 1) == [TEST_UNIT_READY]
    assert commands_of(pc, 41, 1) == [READ10]


def test_chs_reads_use_the_cache(pc):
    """A loader that reads single sectors sends one READ per block."""
    sent = len(cd(pc).commands)
    for lba in range(100, 120):
        check_image(pc, lba, 1, 0x02)
    sent_now = opcodes(cd(pc), sent)
    assert (sent_now.count(READ10), sent_now.count(TEST_UNIT_READY), len(sent_now)) == (5, 15, 20)


def test_other_reads_do_not_corrupt_the_cache(pc):
    """Reads of the CD, of whole blocks and of parts of other blocks."""
    check_image(pc, 41, 1)
    check_blocks(pc, FLOPPY_DISC, 64 + 10, 3)
    check_image(pc, 42, 1)
    check_image(pc, 80, 8)
    check_image(pc, 43, 1)
    check_image(pc, 83, 3)
    check_image(pc, 40, 1)


def test_read_to_high_buffer_bypasses_the_cache(large):
    high = {"number": 0x80, "flat": 0x200000, "size": 24}
    assert commands_of(large, 41, 1, 0x42, **high) == [READ10]
    assert commands_of(large, 41, 1, 0x42, **high) == [READ10]
    large.poke(0x200000, b"\xEE" * 512)
    check_image(large, 42, 1, number=0x80)
    assert move(large, 0x42, 43, 1, **high) == (OK, 1)
    assert large.peek(0x200000, 512) == LARGE_DISC.sectors(LARGE_DISC.default, 43, 1)


def test_failed_read_is_not_cached(pc):
    check_image(pc, 41, 1)
    cd(pc).bad_blocks[64 + 11] = (3, 0x11, 0, False)
    assert move(pc, 0x02, 45, 1, number=0) == (BAD_SECTOR, 0)
    assert move(pc, 0x02, 45, 1, number=0) == (BAD_SECTOR, 0)
    cd(pc).bad_blocks.clear()
    check_image(pc, 45, 1)
    check_image(pc, 41, 1)


def test_timed_out_read_is_not_cached(pc):
    check_image(pc, 41, 1)

    def hook(bus, data):
        yield from Disk.data_in(bytes(700))
        yield HANG
    cd(pc).data_hook = hook
    assert move(pc, 0x02, 45, 1, number=0) == (TIMEOUT, 0)
    cd(pc).data_hook = None
    assert move(pc, 0x02, 45, 1, number=0) == (CHANGED, 0), "the drive was reset"
    check_image(pc, 45, 1)
    check_image(pc, 41, 1)


@variants
def test_disk_with_large_blocks_does_not_corrupt_the_cache(variant):
    """Both use the same memory."""
    large = Disk(block_bytes=4096, blocks=1000)
    pc = emulating(variant, FLOPPY_144, others={0: large})
    for first in (41, 42, 43):
        check_image(pc, first, 1)
        assert transfer(pc, 0x42, 81, 2) == (OK, 2)
        assert pc.peek(BUFFER, 1024) == large.block(10)[512:1536]


def test_cached_read_reports_a_removed_medium(pc):
    check_image(pc, 41, 1)
    cd(pc).take_out()
    assert move(pc, 0x02, 42, 1, number=0) == (NO_MEDIUM, 0)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: CHS arithmetic, and the geometry of a disk by its partition table, boot
sector or size.
"""

from __future__ import annotations

import ctypes
import random
import struct
import subprocess

import pytest

from tests.build import ROM_895A, TOP
from tests.model.pc import SEEDS, Pc


@pytest.fixture(scope="module")
def pc() -> Pc:
    pc = Pc(ROM_895A)
    pc.unpack_image()
    return pc


# ---- Cylinders, heads and sectors ----------------------------------------------------


NO_LBA = 0xFFFFFFFF


def packed(cylinders: int, heads: int, sectors: int) -> bytes:
    """struct geometry, struct chs"""
    return struct.pack("<HBB", cylinders, heads, sectors)


@pytest.fixture(scope="module")
def geometry_lba(tmp_path_factory):
    """The inline function, compiled for the host."""
    source = tmp_path_factory.mktemp("geometry") / "geometry.c"
    source.write_text('#include "int13/geometry.h"\n'
                      "u32 lba(const struct geometry *geometry, const struct chs *chs);\n"
                      "u32 lba(const struct geometry *geometry, const struct chs *chs)\n"
                      "{ return geometry_lba(geometry, *chs); }\n")
    library = source.with_suffix(".so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-fshort-enums", f"-I{TOP}", source, "-o", library], check=True)
    function = ctypes.CDLL(str(library)).lba
    function.restype = ctypes.c_uint32
    return function


@pytest.mark.parametrize("geometry", [(1, 1, 1), (2, 16, 63), (1024, 255, 63), (1024, 64, 32),
                                      (17, 3, 5)], ids=repr)
def test_geometry_lba_converts_chs_and_rejects_invalid_addresses(geometry_lba, geometry):
    cylinders, heads, sectors = geometry
    for c in {0, 1, cylinders // 2, cylinders - 1, cylinders, 1023, 65535}:
        for h in {0, 1, heads - 1, heads, 255}:
            for s in {0, 1, 2, sectors, sectors + 1, 63, 255}:
                lba = geometry_lba(packed(*geometry), packed(c, h, s))
                inside = c < cylinders and h < heads and 1 <= s <= sectors
                assert lba == ((c * heads + h) * sectors + s - 1 if inside else NO_LBA)


def chs(geometry: tuple[int, int], lba: int) -> bytes:
    """The CHS address of an LBA in a partition entry. An LBA after cylinder 1023 has the
    highest address."""
    heads, sectors = geometry
    c, h, s = lba // sectors // heads, lba // sectors % heads, lba % sectors + 1
    if c > 1023:
        c, h, s = 1023, heads - 1, sectors
    return bytes([h, s | c >> 2 & 0xC0, c & 0xFF])


def part(geometry: tuple[int, int], start: int, sectors: int, kind: int = 0x83) -> bytes:
    """A consistent partition entry."""
    return (b"\0" + chs(geometry, start) + bytes([kind]) + chs(geometry, start + sectors - 1)
            + struct.pack("<II", start, sectors))


def table(*entries: bytes, signature: int = 0xAA55) -> bytes:
    return b"".join(entries).ljust(64, b"\0") + struct.pack("<H", signature)


def with_byte(entry: bytes, at: int, value: int) -> bytes:
    assert entry[at] != value
    return entry[:at] + bytes([value]) + entry[at + 1:]


def choose(pc: Pc, sectors: int, mbr: bytes | None) -> tuple[int, int, int]:
    """Calls geometry_choose; FS points to the first sector."""
    pc.poke(SEEDS["fs"] * 16, b"\xEE" * 446 + (mbr or b"\xEE" * 66))
    value = pc.call_c("geometry_choose", sectors, mbr is not None).eax
    return value & 0xFFFF, value >> 16 & 0xFF, value >> 24


GIB = 0x200000  # in sectors
SHAPES = [(64, 32), (16, 63), (255, 63), (32, 63), (64, 63), (128, 63), (240, 63)]


@pytest.mark.parametrize("sectors, expected", [
    # no shape covers every sector
    (1, (1, 64, 32)), (31, (1, 64, 32)), (2047, (1, 64, 32)), (2049, (1, 64, 32)),
    (4095, (1, 64, 32)), (65535, (31, 64, 32)), (65537, (32, 64, 32)), (GIB - 1, (1023, 64, 32)),
    # the first shape that does
    (0, (1, 64, 32)), (2048, (1, 64, 32)), (4096, (2, 64, 32)), (GIB, (1024, 64, 32)),
    (1008, (1, 16, 63)), (100 * 1008, (100, 16, 63)), (1023 * 1008, (1023, 16, 63)),
    (1024 * 1008, (504, 64, 32)), (16065, (1, 255, 63)), (61 * 16065, (61, 255, 63)),
    (130 * 16065, (130, 255, 63)), (600 * 2016, (600, 32, 63)), (1023 * 2016, (1023, 32, 63)),
    (513 * 4032, (513, 64, 63)), (1008 * 15, (15, 16, 63)), (69 * 15120, (69, 240, 63)),
    (1025 * 1008, (504, 64, 32)),
    # above 1 GiB
    (GIB + 1, (130, 255, 63)), (131 * 16065, (131, 255, 63)),
    (1024 * 255 * 63 - 1, (1023, 255, 63)), (1024 * 255 * 63, (1024, 255, 63)),
    (1024 * 255 * 63 + 1, (1024, 255, 63)), (1025 * 255 * 63, (1024, 255, 63)),
    (2**31, (1024, 255, 63)), (2**32 - 1, (1024, 255, 63))])
def test_geometry_follows_the_size_without_a_partition_table(pc, sectors, expected):
    assert choose(pc, sectors, None) == expected
    assert choose(pc, sectors, bytes(66)) == expected


def shape_of(sectors: int) -> tuple[int, int]:
    """The first shape that covers every sector of a small disk."""
    fits = [(h, s) for h, s in SHAPES if sectors % (h * s) == 0 and sectors // (h * s) <= 1024]
    return (255, 63) if sectors > GIB else [*fits, (64, 32)][0]


def test_small_disk_has_the_first_shape_that_covers_every_sector(pc):
    """Whole cylinders of each shape, and one sector more or less."""
    numbers = random.Random(9)
    for heads, per_track in SHAPES:
        for cylinders in [1, 2, 3, 511, 1023, 1024, 1025, *numbers.sample(range(1, 1025), 20)]:
            for sectors in range(cylinders * heads * per_track - 1,
                                 cylinders * heads * per_track + 2):
                h, s = shape_of(sectors)
                counted = min(max(sectors // h // s, 1), 1024)
                assert choose(pc, sectors, None) == (counted, h, s), sectors


AT, LARGE = (16, 63), (255, 63)
CYLINDER = 16 * 63
FIRST = part(AT, 63, 100 * CYLINDER - 63)
SECOND = part(AT, 100 * CYLINDER, 50 * CYLINDER)
SIZE = 400 * CYLINDER + 1       # 196 MiB; no shape covers all sectors
BY_SIZE = (SIZE // 2048, 64, 32)


@pytest.mark.parametrize("mbr, expected", [
    (table(FIRST), (400, 16, 63)),
    (table(bytes(16), SECOND), (400, 16, 63)),
    (table(FIRST, SECOND), (400, 16, 63)),
    (table(part(LARGE, 63, 10 * 255 * 63 - 63)), (25, 255, 63)),
    (table(part((240, 63), 63, 10 * 240 * 63 - 63)), (26, 240, 63)),
    (table(part((2, 1), 2, 398)), (1024, 2, 1)),
    (table(FIRST, signature=0), BY_SIZE),
    (table(FIRST, signature=0x55AA), BY_SIZE),
    (table(with_byte(FIRST, 4, 0)), BY_SIZE),
    (table(FIRST[:12] + bytes(4)), BY_SIZE),
    (table(FIRST, part(LARGE, 100 * CYLINDER, 255 * 63 * 5)), BY_SIZE),
    (table(with_byte(FIRST, 1, 7)), BY_SIZE),
    (table(with_byte(FIRST, 5, 14)), BY_SIZE),
    (table(with_byte(FIRST, 5, 255)), BY_SIZE),
    (table(with_byte(FIRST, 6, 0)), BY_SIZE),
    (table(with_byte(FIRST, 6, 62)), BY_SIZE),
    (table(with_byte(FIRST, 7, 98)), BY_SIZE),
    (table(FIRST[:8] + struct.pack("<I", 64) + FIRST[12:]), BY_SIZE),
    (table(part(AT, 1, 20)), BY_SIZE),
    (table(FIRST, with_byte(SECOND, 4, 0)), (400, 16, 63)),
], ids=["one", "second entry", "two", "255 heads", "240 heads", "2 heads", "no signature",
        "wrong signature", "type 0", "no sectors", "two that disagree", "start head",
        "end head", "head 255", "end sector 0", "end sector", "end cylinder", "start LBA",
        "all in cylinder 0", "one unused"])
def test_geometry_follows_a_consistent_partition_table(pc, mbr, expected):
    assert choose(pc, SIZE, mbr) == expected


@pytest.mark.parametrize("status, trusted", [(0x00, True), (0x80, True), (0x01, False),
                                             (0x20, False), (0x7F, False), (0x81, False),
                                             (0xFF, False)])
def test_entry_with_invalid_status_byte_is_ignored(pc, status, trusted):
    entry = bytes([status]) + FIRST[1:]
    expected = (400, 16, 63) if trusted else BY_SIZE
    assert choose(pc, SIZE, table(entry)) == expected
    assert choose(pc, SIZE, table(bytes([status]) + part(AT, 2048, 300_001)[1:])) == expected
    assert choose(pc, SIZE, table(SECOND, entry)) == expected
    assert choose(pc, SIZE, table(SECOND, with_byte(entry, 4, 0))) == (400, 16, 63), "unused"


def boot_sector_end(text: bytes) -> bytes:
    """The bytes at the place of a partition table."""
    return text[-66:].rjust(66, b"\0")


BOOT_SECTORS = {
    "MS-DOS": b"\r\nNon-System disk or disk error\r\nReplace and press any key when ready\r\n\0"
              b"IO      SYSMSDOS   SYS\0\0\x55\xaa",
    "Windows 95": b"\r\nInvalid system disk\xff\r\nDisk I/O error\xff\r\nReplace the disk, and "
                  b"then press any key\r\n\0\0IO      SYSMSDOS   SYS\x7f\x01\0\x41\xbb\0\x07\x60"
                  b"\x66\x6a\0\xe9\x3b\xff\0\0\x55\xaa",
    "text": b"Please remove this disk, insert one to boot from and press any key.\r\n\0\x55\xaa"}


@pytest.mark.parametrize("end", BOOT_SECTORS.values(), ids=BOOT_SECTORS.keys())
@pytest.mark.parametrize("sectors, expected", [
    (196608, (96, 64, 32)), (489532, (239, 64, 32)), (248826, (121, 64, 32)),
    (246528, (120, 64, 32)), (2880, (1, 64, 32)), (446325, (217, 64, 32)),
    (4194304, (261, 255, 63))],
    ids=["ZIP 100", "ZIP 250", "MO 128", "LS-120", "1.44", "MO 230", "2 GiB"])
def test_boot_sector_without_partition_table_is_ignored(pc, sectors, expected, end):
    """The boot sector of an unpartitioned medium has text or code there."""
    assert choose(pc, sectors, boot_sector_end(end)) == expected


@pytest.mark.parametrize("shape, cylinders", [((16, 63), 400), ((255, 63), 25), ((64, 32), 196),
                                              ((32, 63), 200), ((240, 63), 26)])
def test_unaligned_partitions_determine_the_shape(pc, shape, cylinders):
    """Today's partitions start at 1 MiB; their addresses fit one shape only."""
    mbr = table(part(shape, 2048, 300_001), part(shape, 302_080, 100_000))
    assert choose(pc, SIZE, mbr) == (cylinders, *shape)


@pytest.mark.parametrize("heads", [255, 240, 128, 16])
def test_partition_past_cylinder_1023_determines_the_heads(pc, heads):
    size = 4000 * heads * 63
    mbr = table(part((heads, 63), 63, size - 63))
    assert choose(pc, size, mbr) == (1024, heads, 63)


def test_geometry_is_valid_with_any_partition_table(pc):
    """Random and extreme tables, with values up to 2^32 - 1."""
    numbers = random.Random(3)
    extreme = [0, 1, 2, 63, 2**31, 2**32 - 2, 2**32 - 1]
    for _ in range(400):
        entries = [numbers.randbytes(8) + struct.pack("<II", numbers.choice(extreme),
                                                      numbers.choice(extreme))
                   if numbers.random() < 0.5 else part((numbers.randint(1, 256), numbers.randint(
                       1, 63)), numbers.randrange(10**6), numbers.randint(1, 10**6))
                   for _ in range(4)]
        sectors = numbers.choice([*extreme, numbers.randrange(2**32)])
        cylinders, heads, per_track = choose(pc, sectors, table(*entries))
        assert 1 <= cylinders <= 1024 and 1 <= heads <= 255 and 1 <= per_track <= 63
        assert cylinders == 1 or cylinders * heads * per_track <= sectors


# ---- Addresses that a table cannot hold ----------------------------------------------------


MIB = 2048                           # in sectors
CHS_MOST = 1024 * 255 * 63
FE, FF, NONE = b"\xFE\xFF\xFF", b"\xFF\xFF\xFF", b"\0\0\0"


def raw(first: bytes, last: bytes, kind: int, start: int, sectors: int) -> bytes:
    """A partition entry with the stored addresses `first` and `last`."""
    return b"\0" + first + bytes([kind]) + last + struct.pack("<II", start, sectors)


def protective(sectors: int, last: bytes) -> bytes:
    """The table of a disk with a GPT [UEFI "Protective MBR"]."""
    return table(raw(b"\0\2\0", last, 0xEE, 1, sectors - 1))


def by_size(sectors: int) -> tuple[int, int, int]:
    heads, per_track = shape_of(sectors)
    return min(sectors // heads // per_track, 1024), heads, per_track


@pytest.mark.parametrize("last", [FE, FF, NONE], ids=["FE FF FF", "FF FF FF", "00 00 00"])
@pytest.mark.parametrize("mib", [400, 504, 505, 900, 1023, 1024, 1025, 1100, 2000, 4000, 8032, 8100,
                                 100_000, 2**21])
def test_gpt_disk_loses_less_than_a_cylinder(pc, mib, last):
    """Its entry shows no geometry: the size decides."""
    sectors = min(mib * MIB, 2**32 - 1)
    cylinders, heads, per_track = choose(pc, sectors, protective(sectors, last))
    assert (cylinders, heads, per_track) == by_size(sectors)
    assert cylinders * heads * per_track > min(sectors, CHS_MOST) - heads * per_track


@pytest.mark.parametrize("sectors", [900 * MIB, 900 * MIB + 1, 1100 * MIB, 4000 * MIB])
@pytest.mark.parametrize("shape", [LARGE, AT, (64, 32), (240, 63)])
def test_protective_entry_shows_no_geometry(pc, sectors, shape):
    """Some tools store an address for its end, right or cut off at cylinder 1023."""
    assert choose(pc, sectors, protective(sectors, chs(shape, sectors - 1))) == by_size(sectors)


@pytest.mark.parametrize("kind", [0x07, 0x0C, 0x0F, 0x83])
@pytest.mark.parametrize("last", [FE, FF])
@pytest.mark.parametrize("first, start", [(b"\x01\x01\0", 63), (b"\x20\x21\0", 2048)], ids=["63", "2048"])
@pytest.mark.parametrize("mib", [100, 400, 510, 900, 1100, 2000, 4000, 8000, 20_000])
def test_partition_with_the_highest_end_has_255_heads(pc, mib, first, start, last, kind):
    """Whatever its size, programs store FE FF FF for the end. It fits 255/63 only."""
    sectors = mib * MIB
    expected = min(sectors // LARGE[0] // LARGE[1], 1024), *LARGE
    assert choose(pc, sectors, table(raw(first, last, kind, start, sectors - start))) == expected


@pytest.mark.parametrize("last, expected", [
    (b"\x0E\xFF\xFF", AT), (b"\x0F\xFF\xFF", AT),            # heads 14, 15 of 16
    (b"\x0F\xC1\xFF", AT),                                      # sector 1
    (b"\x10\xFF\xFF", None), (b"\x0F\xC0\xFF", None),        # head 16, sector 0
    (b"\x0F\x3F\x20", None), (b"\x0F\xFF\xFE", None),        # cylinders 32, 1022
], ids=["14", "15", "sector 1", "head 16", "sector 0", "cylinder 32", "cylinder 1022"])
@pytest.mark.parametrize("at_start", [False, True])
def test_address_past_cylinder_1023_has_head_and_sector_of_the_shape(pc, last, expected, at_start):
    """The first entry fits 16/63 and no other shape."""
    sectors, start = 1000 * MIB, 1024 * CYLINDER
    second = raw(last if at_start else chs(AT, start), last, 6, start, 100 * CYLINDER + 5)
    mbr = table(part(AT, 2 * CYLINDER + 5, 300_000), second)
    assert choose(pc, sectors, mbr)[1:] == (expected or by_size(sectors)[1:])


def test_address_past_cylinder_1023_may_lack_its_upper_bits(pc):
    start, sectors = 1024 * CYLINDER, 1000 * MIB
    beyond = [chs(AT, start + lba) for lba in (0, 5_000)]
    assert choose(pc, sectors, table(part(AT, 2 * CYLINDER + 5, 300_000),
                                     raw(chs(AT, 0), chs(AT, 5_000), 6, start, 5_001)))[1:] == AT
    assert beyond[0] == beyond[1] == b"\x0F\xFF\xFF"
    assert choose(pc, sectors, table(part(AT, 2 * CYLINDER + 5, 300_000),
                                     raw(chs(AT, 0), chs(AT, 5_001), 6, start, 5_001)))[1:] == (64, 32)


@pytest.mark.parametrize("mib", [400, 900, 1100, 4000])
@pytest.mark.parametrize("last", [FE, FF])
def test_hybrid_table_has_the_geometry_of_its_other_entries(pc, mib, last):
    sectors = mib * MIB
    gpt = raw(b"\0\2\0", last, 0xEE, 1, 2047)
    for shape in ((240, 63), (64, 32), (255, 63), (128, 63)):
        end = 20 * shape[0] * shape[1]
        mbr = table(gpt, part(shape, 2048, end - 2048))
        assert choose(pc, sectors, mbr)[1:] == shape


@pytest.mark.parametrize("address", [FE, FF, NONE])
@pytest.mark.parametrize("shape", [(64, 32), (128, 63), AT])
def test_partition_added_past_cylinder_1023_keeps_the_shape(pc, shape, address):
    """The first partition ends with a cylinder of the shape; the second has no address."""
    cylinder = shape[0] * shape[1]
    mbr = table(part(shape, shape[1], 900 * cylinder - shape[1], 6),
                raw(address, address, 0x83, 1100 * cylinder, 800 * cylinder))
    assert choose(pc, 2000 * cylinder, mbr)[1:] == shape


def test_extended_partition_past_cylinder_1023_keeps_the_shape(pc):
    """As DOS's FDISK stores it."""
    for shape in ((64, 32), (128, 63), (240, 63), (255, 63)):
        cylinder = shape[0] * shape[1]
        mbr = table(part(shape, shape[1], 900 * cylinder - shape[1], 6),
                    part(shape, 900 * cylinder, 600 * cylinder, 5))
        assert choose(pc, 1500 * cylinder, mbr)[1:] == shape


# ---- Disks without partitions --------------------------------------------------------------


def boot_sector(heads: int = 32, per_track: int = 48, jump: bytes = b"\xEB\x3C\x90", sector_bytes: int = 512,
                cluster: int = 8, media: int = 0xF8, ntfs: bool = False) -> bytes:
    """The first 446 bytes of the boot sector of a FAT or NTFS file system."""
    bpb = struct.pack("<3s8sHBHBHHBHHHII", jump, b"NTFS    " if ntfs else b"MSDOS5.0", sector_bytes,
                      cluster, 0 if ntfs else 1, 0 if ntfs else 2, 0 if ntfs else 512, 0, media,
                      0 if ntfs else 200, per_track, heads, 0, 0 if ntfs else 900_000)
    return bpb.ljust(446, b"\xF6")


def choose_by(pc: Pc, sectors: int, code: bytes, mbr: bytes = table()) -> tuple[int, int, int]:
    pc.poke(SEEDS["fs"] * 16, code + mbr)
    value = pc.call_c("geometry_choose", sectors, 1).eax
    return value & 0xFFFF, value >> 16 & 0xFF, value >> 24


SUPERFLOPPY = 1_000_000


@pytest.mark.parametrize("options, shape", [
    ({}, (32, 48)), ({"ntfs": True}, (32, 48)), ({"jump": b"\xE9\x3B\x01"}, (32, 48)),
    ({"heads": 1, "per_track": 1}, (1, 1)), ({"heads": 255, "per_track": 63}, (255, 63)),
    ({"cluster": 1}, (32, 48)), ({"cluster": 128}, (32, 48)), ({"media": 0xF0}, (32, 48)),
    ({"heads": 0}, None), ({"heads": 256}, None), ({"heads": 0x4020}, None),
    ({"per_track": 0}, None), ({"per_track": 64}, None), ({"per_track": 0x130}, None),
    ({"sector_bytes": 0}, None), ({"sector_bytes": 1024}, None), ({"sector_bytes": 513}, None),
    ({"cluster": 0}, None), ({"cluster": 3}, None), ({"media": 0xEF}, None), ({"media": 0}, None),
    ({"jump": b"\xFA\x31\xC0"}, None), ({"jump": bytes(3)}, None)], ids=str)
def test_boot_sector_without_partitions_has_the_geometry(pc, options, shape):
    expected = shape or by_size(SUPERFLOPPY)[1:]
    code = boot_sector(**options)
    for mbr in (table(), table(signature=0), boot_sector_end(BOOT_SECTORS["Windows 95"])):
        assert choose_by(pc, SUPERFLOPPY, code, mbr)[1:] == expected


def test_boot_sector_of_exfat_has_no_geometry(pc):
    """Its bytes 11 to 63 are zero."""
    code = (b"\xEB\x76\x90EXFAT   " + bytes(53)).ljust(446, b"\xF4")
    assert choose_by(pc, SUPERFLOPPY, code) == by_size(SUPERFLOPPY)


def test_partition_table_counts_before_the_boot_sector(pc):
    """Loaders keep the fields of an earlier file system when they replace an MBR."""
    code = boot_sector()
    assert choose_by(pc, SIZE, code, table(FIRST)) == (400, 16, 63)
    assert choose_by(pc, 900 * MIB, code, protective(900 * MIB, FE)) == (900, 64, 32)
    assert choose_by(pc, SIZE, code, table(raw(b"\1\1\0", FE, 12, 63, 99)))[1:] == LARGE


def test_code_that_looks_like_a_table_does_not_hide_the_boot_sector(pc):
    code = boot_sector()
    for junk in (b"\0" + b"\x8B\x36\x2A" * 5, b"\x80" + b"r\xE1\x66" * 5, b"Invalid system d"):
        assert choose_by(pc, SUPERFLOPPY, code, table(junk))[1:] == (32, 48)


def test_geometry_is_valid_with_any_boot_sector(pc):
    numbers = random.Random(5)
    for _ in range(300):
        code = bytearray(boot_sector())
        for _ in range(numbers.randint(1, 4)):
            code[numbers.choice([0, 11, 12, 13, 21, 24, 25, 26, 27])] = numbers.randrange(256)
        sectors = numbers.choice([0, 1, 2**31, 2**32 - 1, numbers.randrange(2**32)])
        cylinders, heads, per_track = choose_by(pc, sectors, bytes(code))
        assert 1 <= cylinders <= 1024 and 1 <= heads <= 255 and 1 <= per_track <= 63

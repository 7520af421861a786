# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: C functions of the ROM image, called one by one on the virtual PC and
compared with the standards: CHS arithmetic, partition tables, command blocks, sense
data, texts.
"""

from __future__ import annotations

import ctypes
import random
import re
import struct
import subprocess

import pytest

from tests.build import ROM_895A, TOP
from tests.model.pc import ROM_SEGMENT, SEEDS, Pc, symbol
from tests.model.rules import RuleViolation


@pytest.fixture(scope="module")
def pc() -> Pc:
    pc = Pc(ROM_895A)
    pc.unpack_image()
    return pc


def enum(file: str, name: str) -> dict[str, int]:
    """The names of a C enumeration that counts up from 0."""
    body = re.search(rf"enum {name} {{(.*?)}};", (TOP / file).read_text(), re.S).group(1)
    body = re.sub(r"/\*.*?\*/", "", body, flags=re.S)
    return {n: i for i, n in enumerate(re.findall(r"(\w+)(?: = 0)?,", body))}


RESULT = enum("scsi/scsi.h", "scsi_result")
ACTION = enum("scsi/sense.h", "scsi_action")


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


# ---- Command blocks [SCSI-2] ---------------------------------------------------------


REQUEST = struct.Struct("<BBBB16sIIIIIIH")
NAMES = ["target", "lun", "direction", "bytes", "cdb", "timeout", "length", "address", "room",
         "more", "least", "patience"]


def build_request(pc: Pc, function: str, target: int, lun: int, *arguments: int,
                  cdb_lun: int = 0) -> dict[str, object]:
    """The request that a cdb function makes from one filled with EEh."""
    pointer = pc.allocate(b"\xEE" * 60)
    device = pc.allocate(bytes([target, lun, cdb_lun]))
    pc.call_c(function, pointer, device, *arguments)
    return dict(zip(NAMES, REQUEST.unpack_from(pc.argument(pointer, 60))))


LIMIT = 1 << 32


@pytest.mark.parametrize("target, lun", [(0, 0), (6, 7), (15, 3)])
@pytest.mark.parametrize("blocks", [1, 127, 255, 65535])
@pytest.mark.parametrize("opcode", [0x28, 0x2A, 0x2E, 0x2F], ids=hex)
def test_block_commands_use_16_bytes_if_10_do_not_reach(pc, opcode, blocks, target,
                                                                    lun):
    for lba in (0, 1, 0x12345678, 2**31, LIMIT - blocks, LIMIT - blocks + 1, LIMIT - 1, LIMIT,
                0x123456789ABC, 2**63):
        request = build_request(pc, "cdb_blocks", target, lun,
                                pc.allocate(struct.pack("<QIB", lba, blocks, opcode)), cdb_lun=0x60)
        if lba + blocks <= LIMIT:
            expected = struct.pack(">BBIBHB", opcode, 0x60, lba, 0, blocks, 0)
        else:
            expected = struct.pack(">BBQIBB", opcode + 0x60, 0x60, lba, blocks, 0, 0)
        assert request["cdb"][:len(expected)] == expected
        assert request["bytes"] == len(expected)
        assert (request["target"], request["lun"]) == (target, lun)
        assert (request["direction"], request["length"]) == (0xEE, 0xEEEEEEEE), "not changed"


@pytest.mark.parametrize("function, argument, cdb, length", [
    ("cdb_simple", 0x07D00000, "00 {:02x} 00 00 00 00", 0),
    ("cdb_simple", 0x021B, "1b {:02x} 00 00 02 00", 0),
    ("cdb_simple", 0x011B, "1b {:02x} 00 00 01 00", 0),
    ("cdb_simple", 0x011E, "1e {:02x} 00 00 01 00", 0),
    ("cdb_request_sense", 0, "03 {:02x} 00 00 12 00", 18),
    ("cdb_inquiry", 0, "12 {:02x} 00 00 24 00", 36),
    ("cdb_report_luns", 136, "a0 {:02x} 00 00 00 00 00 00 00 88 00 00", 136),
    ("cdb_read_capacity", 8, "25 {:02x} 00 00 00 00 00 00 00 00", 8),
    ("cdb_read_capacity", 32, "9e 10" + " 00" * 11 + " 20 00 00", 32)],
    ids=["TEST UNIT READY", "eject", "START UNIT", "PREVENT", "REQUEST SENSE", "INQUIRY",
         "REPORT LUNS", "READ CAPACITY(10)", "READ CAPACITY(16)"])
@pytest.mark.parametrize("cdb_lun", [0, 0xA0])
def test_other_cdbs(pc, function, argument, cdb, length, cdb_lun):
    expected = bytes.fromhex(cdb.format(cdb_lun))
    request = build_request(pc, function, 4, 5, argument, cdb_lun=cdb_lun)
    assert request["cdb"] == expected.ljust(16, b"\0")
    assert (request["bytes"], request["target"], request["lun"]) == (len(expected), 4, 5)
    assert (request["direction"], request["length"]) == (int(length > 0), length)
    slow = {0x1B: 60_000, 0x25: 10_000, 0x9E: 10_000}   # commands that move or read the medium
    assert request["timeout"] == slow.get(expected[0], 5000)
    assert request["patience"] == (argument >> 16 if function == "cdb_simple" else 5000)


# ---- Sense data [SCSI-2 "Sense data format"] -----------------------------------------


def sense(key: int, asc: int = 0, ascq: int = 0, code: int = 0x70, additional: int = 10) -> bytes:
    return bytes([code, 0, key, 1, 2, 3, 4, additional, 5, 6, 7, 8, asc, ascq, 9, 0, 0, 0])


def verdict(pc: Pc, data: bytes, length: int | None = None) -> tuple[str, str]:
    result = pc.call_c("sense_verdict", pc.allocate(data), len(data) if length is None else length)
    return list(RESULT)[result.eax & 0xFF][5:], list(ACTION)[result.eax >> 8 & 0xFF][7:]


@pytest.mark.parametrize("data, expected", [
    (sense(0), ("ABORTED", "RETRY")), (sense(1), ("OK", "DONE")),
    (sense(1, 0x17, 1), ("OK", "DONE")), (sense(2), ("NOT_READY", "START")),
    (sense(2, 0x04, 0), ("NOT_READY", "START")), (sense(2, 0x04, 1), ("NOT_READY", "WAIT")),
    (sense(2, 0x04, 2), ("NOT_READY", "START")), (sense(2, 0x04, 3), ("NOT_READY", "DONE")),
    (sense(2, 0x04, 4), ("NOT_READY", "WAIT")), (sense(2, 0x3A), ("NO_MEDIUM", "DONE")),
    (sense(2, 0x3A, 1), ("NO_MEDIUM", "DONE")), (sense(2, 0x3E), ("NOT_READY", "WAIT")),
    (sense(3, 0x11), ("MEDIUM_ERROR", "DONE")), (sense(4, 0x44), ("HARDWARE_ERROR", "RETRY")),
    (sense(5, 0x20), ("ILLEGAL_REQUEST", "DONE")), (sense(5, 0x24), ("ILLEGAL_REQUEST", "DONE")),
    (sense(5, 0x21), ("LBA_OUT_OF_RANGE", "DONE")),
    (sense(6, 0x28), ("MEDIUM_CHANGED", "ATTENTION")),
    (sense(6, 0x29, 1), ("ATTENTION", "ATTENTION")), (sense(7, 0x27), ("WRITE_PROTECTED", "DONE")),
    (sense(8), ("BLANK", "DONE")), (sense(9), ("HARDWARE_ERROR", "DONE")),
    (sense(0xA), ("HARDWARE_ERROR", "DONE")), (sense(0xB, 0x47), ("ABORTED", "RETRY")),
    (sense(0xC), ("HARDWARE_ERROR", "DONE")), (sense(0xD), ("HARDWARE_ERROR", "DONE")),
    (sense(0xE), ("HARDWARE_ERROR", "DONE")), (sense(0xF), ("HARDWARE_ERROR", "DONE")),
    (sense(0xE3, 0x11), ("MEDIUM_ERROR", "DONE")),              # FILEMARK, EOM, ILI
    (sense(5, 0x21, code=0xF0), ("LBA_OUT_OF_RANGE", "DONE")),  # information is valid
    (sense(3, 0x11, code=0x71), ("HARDWARE_ERROR", "RETRY")),   # deferred
    (sense(3, 0x11, code=0xF1), ("HARDWARE_ERROR", "RETRY")),
    (sense(3, 0x11, code=0x72), ("SENSE_FAILED", "RETRY")),     # descriptors
    (sense(3, 0x11, code=0x00), ("SENSE_FAILED", "RETRY")),
    (sense(3, 0x11, code=0x7F), ("SENSE_FAILED", "RETRY")),
    (sense(5, 0x21, additional=5), ("LBA_OUT_OF_RANGE", "DONE")),
    (sense(5, 0x21, additional=4), ("ILLEGAL_REQUEST", "DONE")),
    (sense(2, 0x04, 3, additional=5), ("NOT_READY", "START")),
    (sense(2, 0x04, 3, additional=0), ("NOT_READY", "START")),
    (sense(5, 0x21, additional=255), ("LBA_OUT_OF_RANGE", "DONE")),
])
def test_sense_data_has_its_verdict(pc, data, expected):
    assert verdict(pc, data) == expected


@pytest.mark.parametrize("length, expected", [
    (0, ("SENSE_FAILED", "RETRY")), (2, ("SENSE_FAILED", "RETRY")),
    (3, ("ILLEGAL_REQUEST", "DONE")), (8, ("ILLEGAL_REQUEST", "DONE")),
    (12, ("ILLEGAL_REQUEST", "DONE")), (13, ("LBA_OUT_OF_RANGE", "DONE")),
    (18, ("LBA_OUT_OF_RANGE", "DONE"))])
def test_truncated_sense_data_is_used_as_far_as_it_goes(pc, length, expected):
    assert verdict(pc, sense(5, 0x21), length) == expected


# ---- Texts and far pointers ----------------------------------------------------------


def text(pc: Pc, function: str, *arguments: int, before: bytes = b"") -> bytes:
    pointer = pc.allocate(struct.pack("<I80s", len(before), before) + b"\xEE" * 4)
    pc.call_c(function, pointer, *arguments)
    length, data, guard = struct.unpack("<I80s4s", pc.argument(pointer, 88))
    assert guard == b"\xEE" * 4 and length <= 80
    return data[:length]


@pytest.mark.parametrize("value", [0, 1, 9, 10, 99, 100, 65535, 10**9 - 1, 10**9, 2**32 - 1])
def test_decimal_numbers(pc, value):
    assert text(pc, "text_decimal", value) == b"%d" % value
    assert text(pc, "text_decimal", value, before=b"x" * 78) == (b"x" * 78 + b"%d" % value)[:80]


@pytest.mark.parametrize("value, digits", [(0, 1), (0xA, 1), (0x1F, 2), (0xABCD, 4), (5, 4)])
def test_hexadecimal_numbers(pc, value, digits):
    assert text(pc, "text_hex", value, digits) == b"%0*x" % (digits, value)


@pytest.mark.parametrize("field, expected", [
    (b"QEMU    ", b"QEMU"), (b"        ", b""), (b"\0" * 8, b""), (b"A B \0\0 ", b"A B"),
    (b"\x1b[2J\xff\x7f~ ", b"?[2J??~"), (b"  x", b"  x"), (b"", b"")])
def test_device_strings_are_trimmed_and_printable(pc, field, expected):
    assert text(pc, "text_field", pc.allocate(field + b"END"), len(field)) == expected


@pytest.mark.parametrize("segment", [0, 0x1234, 0xF000, 0xFFFE, 0xFFFF])
@pytest.mark.parametrize("offset", [0, 0xF, 0x10, 0xFFF0, 0xFFF1, 0xFFFF])
@pytest.mark.parametrize("length", [1, 16, 0x1E])
def test_far_range_never_wraps(pc, segment, offset, length):
    start = pc.call_c("far_open_range", segment, offset, length).eax
    linear = segment * 16 + offset
    if linear + length > 0x10FFF0:
        assert start == 0xFFFFFFFF
    else:
        assert start + length <= 0x10000
        assert pc.get("fs") * 16 + start == linear


# ---- The model itself ----------------------------------------------------------------


def test_model_reports_write_outside_the_arguments(pc):
    with pytest.raises(RuleViolation, match="write outside buffer and workspace"):
        pc.call_c("drives_connect", pc.allocate(bytes(64)), pc.allocate(bytes(16)))  # 40:75h


@pytest.mark.parametrize("code, rule", [
    ("66 31 db 66 c3", "register not preserved"),   # xor ebx, ebx; retl
    ("66 59 66 6a 00 66 51 66 c3", "stack not restored"),
    ("66 5b eb fe", "step bound"),
], ids=["EBX", "stack", "endless"])
def test_model_reports_abi_violations(code, rule):
    pc = Pc(ROM_895A)
    pc.unpack_image()
    pc.poke(ROM_SEGMENT * 16 + symbol("geometry_choose"), bytes.fromhex(code))
    with pytest.raises(RuleViolation, match=rule):
        pc.call_c("geometry_choose", 0, 0)

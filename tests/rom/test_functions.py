# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: C functions of the ROM image, called one by one on the virtual PC and
compared with the standards: command blocks, sense data, texts.
"""

from __future__ import annotations

import re
import struct

import pytest

from tests.build import ROM_895A, TOP
from tests.model.pc import ROM_SEGMENT, Pc, symbol
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

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The Virtual DMA Services of the virtual PC, called directly: regions they
lock and refuse, and how the chip and the CPU address remapped memory.
"""

from __future__ import annotations

import struct

import pytest

from tests.model.bios_data import ROM_SEGMENT
from tests.model.pc import BUFFER, Pc, symbol
from tests.model.rules import RuleViolation
from tests.model.target import Disk
from tests.model.vds import BUFFER_AREA, Vds
from tests.rom.strict import new_pc

AT = 0x1000             # the structure
LOCK, UNLOCK, LOCK_LIST, UNLOCK_LIST = range(0x8103, 0x8107)
COPY, NO_BUFFER, IN_64K = 2, 4, 16
FAR = 0x300             # a physical page above 1 MiB
BELOW = BUFFER // 4096  # the linear page of the buffer
# pages 1 and 2 of the buffer are remapped, to contiguous pages
PAGES = {BELOW + 1: FAR, BELOW + 2: FAR + 1}


def machine(**options) -> Pc:
    pc = new_pc("895A", {0: Disk()}, vds=Vds(**options))
    pc.allow_post_writes()
    pc.writable += [range(AT, AT + 0x200), range(BUFFER, BUFFER + 0x4000)]
    return pc


def lock(pc: Pc, linear: int, size: int, flags: int = 0) -> tuple[int, tuple[int, ...]]:
    """Error, and the fields of the structure: size, offset, segment, buffer, physical."""
    pc.poke(AT, struct.pack("<IIHHI", size, linear, 0, 0xEEEE, 0xEEEEEEEE))
    error, _ = pc.vds.call(LOCK, flags, AT)
    return error, struct.unpack("<IIHHI", pc.peek(AT, 16))


def lock_list(pc: Pc, linear: int, size: int, room: int = 17) -> tuple[int, int, list]:
    """Error, size, and the physical parts."""
    pc.poke(AT, struct.pack("<IIHHHH", size, linear, 0, 0, room, 0xEEEE) + b"\xEE" * 256)
    error, _ = pc.vds.call(LOCK_LIST, 0, AT)
    size, used = struct.unpack("<I", pc.peek(AT, 4))[0], pc.word(AT + 14)
    return error, size, [struct.unpack("<II", pc.peek(AT + 16 + 8 * i, 8)) for i in range(used)]


# ---- Remapped memory ------------------------------------------------------------------


@pytest.mark.parametrize("pages, places", [
    ({}, [(0x20800, 0x1000)]),
    ({0x20: FAR}, [(FAR * 4096 + 0x800, 0x800), (0x21000, 0x800)]),
    (PAGES, [(0x20800, 0x800), (FAR * 4096, 0x800)]),
    ({0x20: 0x21, 0x21: 0x20}, [(0x21800, 0x800), (0x20000, 0x800)]),
], ids=["none", "first", "second", "exchanged"])
def test_chip_reads_cpu_data_at_the_physical_address(pages, places):
    pc = machine(pages=pages)
    data = bytes(range(256)) * 16
    pc.poke(0x20800, data)
    assert b"".join(pc.peek_physical(*place) for place in places) == data


def test_each_physical_page_keeps_its_own_data():
    """Each physical page has one place, even in a chain of remappings."""
    pc = machine(pages={0x20: 0x21, 0x21: FAR})
    for number, page in enumerate((0x20, 0x21, FAR), 1):
        pc.poke_physical(page * 4096, bytes([number]) * 4096)
    assert [pc.peek_physical(page * 4096 + 5, 1)[0] for page in (0x20, 0x21, FAR)] == [1, 2, 3]
    assert (pc.peek(0x20000, 1), pc.peek(0x21000, 1)) == (b"\x02", b"\x03")


def test_no_page_is_remapped_before_the_manager_is_loaded():
    pc = Pc(new_pc("895A", {0: Disk()}).rom, vds=Vds(pages=PAGES))
    pc.poke(BUFFER + 4096, b"here")
    assert pc.peek_physical(BUFFER + 4096, 4) == b"here" and pc.peek(0x47B, 1) == b"\0"


def test_services_set_their_flag_and_report_version():
    assert machine().peek(0x47B, 1)[0] & 0x20
    assert machine().vds.call(0x8102, 0, 0)[1]["ax"] == 0x0100


def run(pc: Pc, code: str) -> None:
    """Run code in the ROM's segment, followed by HLT."""
    at = ROM_SEGMENT * 16 + symbol("text_end")
    pc.poke(at, bytes.fromhex(code) + b"\x90\xF4")
    pc.vds.start(pc)
    pc.set("cs", ROM_SEGMENT)
    pc._go(at, at + len(code) // 2 + 1)


# ---- SMSW ------------------------------------------------------------------------------


@pytest.mark.parametrize("v86", [True, False])
@pytest.mark.parametrize("code, register", [("0f01e0", "eax"), ("660f01e3", "ebx"),
                                            ("0f01e7", "edi")])
def test_smsw_shows_v86_mode(code, register, v86):
    pc = machine(v86=v86)
    pc.set(register, 0xFFFF)
    run(pc, code)
    assert pc.get(register) & 1 == v86


@pytest.mark.parametrize("refuse, al, cf", [(set(), 0x03, 0), ({7}, 0x07, 1)],
                         ids=["locked", "refused"])
def test_int_4bh_returns_al_and_carry(refuse, al, cf):
    pc = machine(refuse=refuse)
    pc.poke(AT, struct.pack("<IIHHI", 512, BUFFER, 0, 0, 0))
    for name, value in {"eax": LOCK, "edx": 0, "es": AT >> 4, "edi": 0, "ss": 0x900,
                        "esp": 0x800, "eflags": 2 | 1 - cf}.items():
        pc.set(name, value)
    run(pc, "cd4b")
    assert (pc.get("eax"), pc.get("eflags") & 1) == (0x8100 | al, cf)


# ---- Regions ---------------------------------------------------------------------------


def test_contiguous_region_is_locked_in_place():
    pc = machine(pages=PAGES)
    assert lock(pc, BUFFER, 4096, NO_BUFFER | 8) == (0, (4096, BUFFER, 0, 0, BUFFER))
    error, dds = lock(pc, BUFFER + 4096 + 5, 8000)
    assert (error, dds[3], dds[4]) == (0, 0, FAR * 4096 + 5)
    assert len(pc.vds.locks) == 2


def test_segment_and_offset_give_the_address():
    pc = machine()
    pc.poke(AT, struct.pack("<IIHHI", 10, 0x1234, 0x2000, 0, 0))
    assert pc.vds.call(LOCK, 0, AT)[0] == 0
    assert struct.unpack("<I", pc.peek(AT + 12, 4))[0] == 0x21234


@pytest.mark.parametrize("flags, start, error, together", [
    (NO_BUFFER, BUFFER + 100, 1, 3996), (NO_BUFFER, BUFFER + 0x2FF0, 1, 16),
    (NO_BUFFER | IN_64K, BUFFER + 0xF000, 2, 0x1000)])
def test_scattered_region_is_refused_without_a_buffer(flags, start, error, together):
    pc = machine(pages=PAGES)
    found, dds = lock(pc, start, 8000, flags)
    assert (found, dds[0], pc.vds.locks) == (error, together, [])


@pytest.mark.parametrize("copy", [0, COPY])
def test_scattered_region_is_copied_through_a_buffer(copy):
    pc = machine(pages=PAGES)
    pc.poke(BUFFER, b"caller's" * 1024)
    pc.poke_physical(BUFFER_AREA, b"leftover" * 1024)
    error, (size, _, _, number, physical) = lock(pc, BUFFER, 8192, copy)
    assert (error, size, number, physical) == (0, 8192, 1, BUFFER_AREA)
    assert pc.peek_physical(physical, 8) == (b"caller's" if copy else b"leftover")
    pc.poke_physical(physical, b"fromdisk" * 1024)
    assert pc.vds.call(UNLOCK, copy, AT)[0] == 0 and not pc.vds.locks
    assert pc.peek(BUFFER, 8192) == (b"fromdisk" if copy else b"caller's") * 1024


@pytest.mark.parametrize("options, size, error", [
    ({"buffers": 0}, 8192, 4), ({"buffer_bytes": 8191}, 8192, 5), ({}, 8192, 6)],
    ids=["none", "small", "in use"])
def test_lock_without_available_buffer_fails(options, size, error):
    pc = machine(pages=PAGES, **options)
    if error == 6:
        assert lock(pc, BUFFER, size)[0] == 0
    assert lock(pc, BUFFER, size)[0] == error


def test_missing_memory_cannot_be_locked():
    assert lock(machine(), 0xFFFFFF, 2)[0] == 7


# ---- Lists -----------------------------------------------------------------------------


def test_list_has_one_entry_per_contiguous_part():
    pc = machine(pages=PAGES)
    parts = [(BUFFER + 4000, 96), (FAR * 4096, 8192), (BUFFER + 0x3000, 1000)]
    assert lock_list(pc, BUFFER + 4000, 96 + 8192 + 1000) == (0, 9288, parts)
    assert pc.vds.call(UNLOCK_LIST, 0, AT)[0] == 0 and not pc.vds.locks


@pytest.mark.parametrize("room, together", [(0, 0), (1, 96), (2, 96 + 8192)])
def test_too_short_list_locks_nothing(room, together):
    pc = machine(pages=PAGES)
    error, size, parts = lock_list(pc, BUFFER + 4000, 9288, room)
    assert (error, size, len(parts), pc.vds.locks) == (9, together, 3, [])


def test_lock_list_may_be_unsupported():
    pc = machine(scatter_gather=False)
    assert lock_list(pc, BUFFER, 512)[0] == 0x0F


@pytest.mark.parametrize("refuse, errors", [
    ({LOCK_LIST}, (0, 0x0F)), ({LOCK}, (0x0F, 0)), ({LOCK_LIST, 3}, (0, 3)), ({3}, (3, 3)),
    ({LOCK, LOCK_LIST, 7}, (7, 7))], ids=str)
def test_refused_services_return_their_error(refuse, errors):
    pc = machine(refuse=refuse)
    assert (lock(pc, BUFFER, 512)[0], lock_list(pc, BUFFER, 512)[0]) == errors


def test_refused_unlock_releases_without_copy():
    pc = machine(pages=PAGES, refuse={UNLOCK, 8})
    pc.poke(BUFFER, b"caller's")
    lock(pc, BUFFER, 8192)
    assert pc.vds.call(UNLOCK, COPY, AT)[0] == 8
    assert not pc.vds.locks and pc.peek(BUFFER, 8) == b"caller's"


def test_calls_are_recorded_with_their_structure():
    pc = machine()
    lock(pc, BUFFER, 512, NO_BUFFER)
    lock_list(pc, BUFFER, 1024, 3)
    assert pc.vds.calls == [
        (LOCK, NO_BUFFER, {"size": 512, "offset": BUFFER, "segment": 0, "buffer": 0xEEEE,
                           "physical": 0xEEEEEEEE}),
        (LOCK_LIST, 0, {"size": 1024, "offset": BUFFER, "segment": 0, "reserved": 0,
                        "available": 3, "used": 0xEEEE})]


# ---- Rules; tests/model/test_rules.py has the others --------------------------------------------


@pytest.mark.parametrize("page", [FAR, FAR + 1, BELOW + 1, BUFFER_AREA // 4096],
                         ids=["target page", "second target page", "remapped page", "buffer"])
def test_unlocked_dma_to_remapped_memory_is_detected(page):
    pc = machine(pages=PAGES)
    for access in (lambda at: pc._dma_read(at, 4), lambda at: pc._dma_write(at, b"data")):
        with pytest.raises(RuleViolation, match="vds-unlocked"):
            access(page * 4096 + 4090)


def test_locked_memory_is_accessible():
    pc = machine(pages=PAGES)
    lock(pc, BUFFER + 4096, 8192)
    pc._dma_write(FAR * 4096 + 4000, b"data" * 48)
    assert pc.peek(BUFFER + 4096 + 4000, 192) == b"data" * 48
    assert pc._dma_read(FAR * 4096 + 4000, 192) == b"data" * 48
    assert pc._dma_read(BUFFER, 4) is not None, "memory that is not remapped needs no lock"


def test_write_to_remapped_memory_is_checked_at_its_linear_address():
    pc = machine(pages={0x55: FAR})
    lock(pc, 0x55000, 512)
    with pytest.raises(RuleViolation, match="write outside buffer and workspace"):
        pc._dma_write(FAR * 4096, b"data")


@pytest.mark.parametrize("ax, dx, dds", [
    (0x8107, 0, (512, BUFFER, 0)), (0x810B, 0, (512, BUFFER, 0)), (LOCK, 1, (512, BUFFER, 0)),
    (UNLOCK, 4, (512, BUFFER, 0)), (LOCK_LIST, 0x40, (512, BUFFER, 0)),
    (LOCK, 0, (0, BUFFER, 0)), (LOCK, 0, (512, 0x10000, 1)), (UNLOCK, 0, (512, BUFFER, 0)),
    (UNLOCK_LIST, 0, (512, BUFFER, 0))])
def test_invalid_vds_call_is_detected(ax, dx, dds):
    pc = machine()
    pc.poke(AT, struct.pack("<IIHHI", *dds, 0, 0))
    with pytest.raises(RuleViolation, match="vds-call"):
        pc.vds.call(ax, dx, AT)


@pytest.mark.parametrize("field", range(5))
def test_unlock_must_match_the_lock(field):
    pc = machine(pages=PAGES)
    _, dds = lock(pc, BUFFER, 8192)
    changed = [value + (i == field) for i, value in enumerate(dds)]
    pc.poke(AT, struct.pack("<IIHHI", *changed))
    with pytest.raises(RuleViolation, match="vds-call"):
        pc.vds.call(UNLOCK, 0, AT)

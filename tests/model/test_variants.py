# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The chip model for every chip of the family: registers and bits that only
some have. test_chip_*.py test the common behaviour.

The tables here were written from the manuals and drivers that variants.py
names, not from that file.
"""

from __future__ import annotations

import pytest

from tests.model.board import Board, Player
from tests.model.bus import DATA_OUT, HANG, STATUS
from tests.model.registers import DSP, MS, US
from tests.model.target import Disk
from tests.model.variants import OTHER_FAMILIES, VARIANTS

SCNTL3, SCID, SXFER, DSTAT, SSTAT0, ISTAT, ISTAT1 = 0x03, 0x04, 0x05, 0x0C, 0x0D, 0x14, 0x15
CTEST0, CTEST2, CTEST3, DFIFO, CTEST5, DBC = 0x18, 0x1A, 0x1B, 0x20, 0x22, 0x24
DMODE, DCNTL, SIST, STIME0, RESPID0, RESPID1 = 0x38, 0x3B, 0x42, 0x48, 0x4A, 0x4B
STEST1, STEST2, CCNTL0, SCNTL4, AIPCNTL1, DFBC = 0x4D, 0x4E, 0x56, 0xBC, 0xBF, 0xF0
OLF, ORF, DFS, SIP, DIP, DFE, MA, SGE, STO = 0x20, 0x40, 0x20, 2, 1, 0x80, 0x80, 0x08, 0x400

NARROW = {"810", "810A", "810AP", "815", "860"}
FIRST = {"810", "815", "820", "825"}            # no LOAD and STORE, no prefetch
SMALL = {*FIRST, "810A", "810AP", "860"}        # no SCRIPTS RAM, one FIFO size
LATE = {"895A", "875A", "896", "1010-33-0", "1010-33", "1010-66"}
THE_1010 = {"1010-33-0", "1010-33", "1010-66"}
ULTRA2 = {*LATE, "895", "1510"}
AT_80_MHZ = {"860", "875-1"}
ALL = list(VARIANTS)
DEVICES = {
    0x0001: {"810", "810A"}, 0x0002: {"820"}, 0x0003: {"825", "825A"}, 0x0004: {"815"},
    0x0005: {"810AP"}, 0x0006: {"860"}, 0x000A: {"1510"}, 0x000B: {"896"}, 0x000C: {"895"},
    0x000D: {"885"}, 0x000F: {"875-1", "875", "876"}, 0x0012: {"895A"}, 0x0013: {"875A"},
    0x0020: {"1010-33-0", "1010-33"}, 0x0021: {"1010-66"}, 0x008F: {"875J"}}
FIFO = {**dict.fromkeys(ALL, 88), **dict.fromkeys(SMALL, 80), **dict.fromkeys(ULTRA2, 112)}
LARGE_FIFO = {**dict.fromkeys(set(ALL), 536), **dict.fromkeys(LATE, 944), "895": 816, "1510": 816}
RAM = {**dict.fromkeys(ALL, 4096), **dict.fromkeys(SMALL, 0), **dict.fromkeys(LATE, 8192),
       "875A": 4096}

BUFFER, AT, DONE = 0x4000, 0x1000, 0xD0
INT, SELECT_3, TABLE = (0x98080000, DONE), (0x40030000, 0), 0x6000
SELECT_BY_TABLE, DSA = (0x42000000, 0), 0x10
WHEN_STATUS = (0x980B0000 | STATUS << 24, DONE)

chips = pytest.mark.parametrize("chip", ALL)


def ready(chip: str) -> Board:
    """A board that a driver has set up correctly."""
    board = Board(chip)
    board.set_up()
    board.write(SCNTL3, 0 if chip in THE_1010 else 5 if chip in AT_80_MHZ else 3)
    board.write(DCNTL, 0 if chip in THE_1010 else 0x03)
    for register, value in ERRATA.get(chip, ()):
        board.write(register, value)
    board.objections.clear()
    return board


# Register values that errata require, by chip
ERRATA = {
    **dict.fromkeys(["875-1", "875", "876"], [(CTEST0, 0x20)]), "896": [(CCNTL0, 0x01)],
    "1010-33-0": [(STEST1, 0x30), (CCNTL0, 0x02)], "1010-66": [(AIPCNTL1, 0x08)]}


def objections(chip: str, register: int, value: int, size: int = 1) -> list[str]:
    board = ready(chip)
    board.write(register, value, size)
    return board.objections


def play(board: Board, *events, target: int = 3) -> None:
    """Add a target that performs the events."""
    def life(bus):
        for event in events:
            yield event

    board.bus.targets[target] = Player(life)


# ---- Identification --------------------------------------------------------------------


def test_pci_ids_match_the_pci_id_list():
    assert {device: {k for k, f in VARIANTS.items() if f.device == device}
            for device in {f.device for f in VARIANTS.values()}} == DEVICES
    assert {f.device for f in OTHER_FAMILIES.values()} == {0x0010, 0x0030, 0x0031}


@pytest.mark.parametrize("older, newer, first", [
    ("810", "810A", 0x10), ("825", "825A", 0x10), ("875-1", "875", 2), ("1010-33-0", "1010-33", 1)])
def test_revision_distinguishes_chips_with_one_id(older, newer, first):
    assert VARIANTS[older].revision < first <= VARIANTS[newer].revision


@chips
def test_scripts_ram_has_its_size(chip):
    assert len(Board(chip).chip.ram) == RAM[chip]


# ---- Registers -------------------------------------------------------------------------


REGISTERS = {
    RESPID1: set(ALL) - NARROW, 0x51: set(ALL) - NARROW, 0x60: set(ALL) - SMALL,
    ISTAT1: LATE, 0x16: LATE, 0x17: LATE, CCNTL0: LATE, 0x57: LATE, 0x80: LATE, 0xA0: LATE,
    0xB8: LATE, 0xC0: LATE, SCNTL4: THE_1010, AIPCNTL1: THE_1010, 0xE2: THE_1010,
    0x53: set(), 0xF8: set()}


@pytest.mark.parametrize("register", REGISTERS, ids=hex)
def test_register_exists_on_these_chips_only(register):
    assert {chip for chip in ALL
            if "register space" not in objections(chip, register, 0)} == REGISTERS[register]


def test_word_access_past_the_existing_registers_is_detected():
    assert "register space" in objections("810", RESPID0, 0x80, 2)
    assert "register space" not in objections("875", RESPID0, 0x80, 2)


@pytest.mark.parametrize("chip", OTHER_FAMILIES)
def test_controller_of_another_family_must_not_be_accessed(chip):
    for touch in (lambda board: board.read(ISTAT), lambda board: board.write(ISTAT, 0)):
        board = Board(chip)
        touch(board)
        assert "register space" in board.objections


BITS = {
    (SCNTL3, 0x03): set(ALL) - THE_1010, (SCNTL3, 0x08): set(ALL) - NARROW,
    (SCID, 0x08): set(ALL) - NARROW, (SXFER, 0x40): set(ALL) - THE_1010,
    (SCNTL3, 0x80): set(ALL) - FIRST - {"810A", "810AP", "825A"} - THE_1010,
    (CTEST2, 0x01): set(ALL) - THE_1010, (CTEST3, 0x10): set(ALL) - THE_1010,
    (CTEST5, DFS): set(ALL) - SMALL - THE_1010, (CTEST5, 0x01): set(ALL) - THE_1010,
    (DCNTL, 0x01): set(ALL) - THE_1010, (DCNTL, 0x02): set(ALL) - THE_1010,
    (DCNTL, 0x20): set(ALL) - FIRST, (STEST1, 0x30): THE_1010,
    (STEST1, 0x08): ULTRA2 | {"875", "875J", "876", "885"}, (STEST2, 0x02): set(ALL) - THE_1010}


@pytest.mark.parametrize("register, value", BITS, ids=str)
def test_bit_exists_on_these_chips_only(register, value):
    there = {chip for chip in ALL
             if "reserved bits written" not in objections(chip, register, value)}
    assert there == BITS[register, value]


@chips
def test_reserved_bits_read_as_0(chip):
    board = ready(chip)
    board.write(DCNTL, 0x03)
    assert board.read(DCNTL) == (0 if chip in THE_1010 else 3)


@pytest.mark.parametrize("chip, rules", [("1010-33", ["reserved bits written"]), ("895A", [])])
def test_reserved_bits_in_target_table_are_detected(chip, rules):
    board = ready(chip)
    play(board, (STATUS, 0), HANG)
    board.write(DSA, TABLE, 4)
    board.load(TABLE, 0x03030000)
    board.run(*SELECT_BY_TABLE, *WHEN_STATUS)
    assert board.objections == rules


def test_1010_loads_scntl4_from_target_table():
    for chip, loaded in (("1010-66", 0x0F), ("895A", 0)):
        board = ready(chip)
        play(board, (STATUS, 0), HANG)
        board.write(DSA, TABLE, 4)
        board.load(TABLE, 0x0003000F if chip in THE_1010 else 0x0303000F)
        board.run(*SELECT_BY_TABLE, *WHEN_STATUS)
        assert board.read(SCNTL4) == loaded


# ---- Starting a program ----------------------------------------------------------------


@chips
def test_chip_set_up_correctly_breaks_no_rule(chip):
    board = ready(chip)
    play(board, (STATUS, 0), HANG)
    assert board.run(*SELECT_3, *WHEN_STATUS) & (SIP | DIP) == DIP
    assert board.objections == []


@pytest.mark.parametrize("chip, register", [(c, r) for c, rows in ERRATA.items() for r, _ in rows],
                         ids=str)
def test_erratum_must_be_handled(chip, register):
    board = ready(chip)
    board.write(register, 0)
    board.run(*INT)
    assert board.objections == ["erratum forgotten"]


@pytest.mark.parametrize("register, bit", [(DMODE, 0x08), (DMODE, 0x04), (CTEST3, 0x01)], ids=hex)
def test_cache_line_cycles_must_stay_off_on_810a_and_860(register, bit):
    """[53C810A DEL 352]"""
    for chip in ("810A", "860"):
        board = ready(chip)
        board.write(register, bit)
        board.run(*INT)
        assert board.objections == ["erratum forgotten"]


def test_first_1010_raises_sge_on_a_narrow_bus():
    board = ready("1010-33-0")
    board.write(STEST1, 0)
    board.bus.targets[3] = Disk()
    assert board.run(*SELECT_3, *WHEN_STATUS) & SIP
    assert board.read(SIST, 2) & SGE


@chips
def test_interrupt_pin_must_stay_disabled(chip):
    """The 53C1010 has no IRQD bit."""
    board = ready(chip)
    board.write(DCNTL, 0 if chip in THE_1010 else 0x01)
    board.run(*INT)
    assert ("interrupt pin enabled" in board.objections) == (chip not in THE_1010)
    board.write(0x39, 0x04)
    board.objections.clear()
    board.read(DSTAT)
    board.run(*INT)
    assert "interrupt pin enabled" in board.objections


@chips
def test_register_instructions_need_com_if_it_exists(chip):
    board = ready(chip)
    board.write(DCNTL, 0 if chip in THE_1010 else 0x02)
    board.run(0x70000100, 0, *INT)
    assert board.objections == ([] if chip in THE_1010 else
                                ["register instruction without DCNTL.COM"])


@chips
def test_first_chips_have_no_load_and_store(chip):
    board = ready(chip)
    board.run(0xE1340001, BUFFER, *INT)
    assert board.objections == (["illegal instruction"] if chip in FIRST else [])


# ---- The clock -------------------------------------------------------------------------


@pytest.mark.parametrize("divider", range(1, 8))
@chips
def test_divider_must_match_the_clock(chip, divider):
    """[895A 2-41]; for 40 MHz drivers use 3 and the table says 4."""
    board = ready(chip)
    board.write(SCNTL3, divider)
    board.objections.clear()
    play(board, (STATUS, 0), HANG)
    board.run(*SELECT_3, *WHEN_STATUS)
    fits = divider == 5 if chip in AT_80_MHZ else divider in (3, 4)
    assert (board.objections == []) == (fits or chip in THE_1010)


@pytest.mark.parametrize("chip, divider", [("875", 5), ("875J", 5), ("885", 5), ("895", 7),
                                           ("895A", 7), ("896", 7), ("1510", 7)])
def test_divider_must_match_the_multiplied_clock(chip, divider):
    board = ready(chip)
    board.write(STEST1, 0x0C)
    play(board, (STATUS, 0), HANG)
    board.run(*SELECT_3, *WHEN_STATUS)
    assert board.objections == ["clock not set"]
    board = ready(chip)
    board.write(STEST1, 0x0C)
    board.write(SCNTL3, divider)
    play(board, (STATUS, 0), HANG)
    board.run(*SELECT_3, *WHEN_STATUS)
    assert board.objections == []


@chips
def test_selection_time_out_is_256_or_205_milliseconds(chip):
    """200 us are added for the end of the selection. [875A 4-84, 896 4-87]"""
    board = ready(chip)
    begun = board.chip.now
    board.run(*SELECT_3, *WHEN_STATUS)
    assert board.read(SIST, 2) & STO
    period = 204_800 if chip in AT_80_MHZ else 256_000
    assert 0 <= board.chip.now - begun - (period + 200) * US < MS


# ---- Wide and narrow -------------------------------------------------------------------


@pytest.mark.parametrize("target", [0, 6, 8, 9, 15])
@chips
def test_only_wide_chips_select_ids_above_7(chip, target):
    board = ready(chip)
    play(board, (STATUS, 0), HANG, target=target)
    ends = board.run(0x40000000 | target << 16, 0, *WHEN_STATUS)
    assert bool(ends & DIP) == (target < 8 or chip not in NARROW)


# ---- Residual counts -------------------------------------------------------------------


COUNTS = [(1, 0), (2, 1), (80, 0), (81, 1), (90, 1), (113, 0), (300, 299), (540, 2), (1000, 1),
          (3000, 5), (3000, 2999)]


def cut_short(chip: str, count: int, moved: int, large: bool = False) -> Board:
    board = ready(chip)
    play(board, *[(DATA_OUT, None)] * moved, (STATUS, 2), HANG)
    board.write(CTEST5, DFS if large else 0)
    assert board.run(*SELECT_3, 0x08000000 | count, BUFFER, *INT) & SIP
    assert board.read(SIST, 2) & MA
    return board


@pytest.mark.parametrize("count, moved", COUNTS)
@pytest.mark.parametrize("chip", [c for c in ALL if c not in THE_1010])
def test_small_fifo_counts_in_7_bits(chip, count, moved):
    board = cut_short(chip, count, moved)
    counter = board.read(DBC, 4) & 0xFFFFFF
    in_fifo = board.read(DFIFO) - counter & 0x7F
    assert counter + in_fifo + bool(board.read(SSTAT0) & OLF) == count - moved
    assert in_fifo <= FIFO[chip]
    assert in_fifo == FIFO[chip] - bool(moved) or not counter
    assert not board.read(SSTAT0) & ORF
    assert board.objections == []


@pytest.mark.parametrize("count, moved", COUNTS)
@pytest.mark.parametrize("chip", [c for c in ALL if c not in SMALL | THE_1010])
def test_large_fifo_counts_in_10_bits(chip, count, moved):
    board = cut_short(chip, count, moved, large=True)
    counter = board.read(DBC, 4) & 0xFFFFFF
    offset = (board.read(CTEST5) & 3) << 8 | board.read(DFIFO)
    in_fifo = offset - counter & 0x3FF
    assert counter + in_fifo + bool(board.read(SSTAT0) & OLF) == count - moved
    assert in_fifo == LARGE_FIFO[chip] - bool(moved) or not counter
    assert board.objections == []


@pytest.mark.parametrize("count, moved", COUNTS)
@pytest.mark.parametrize("chip", sorted(THE_1010))
def test_1010_reports_fifo_content_in_dfbc(chip, count, moved):
    """DFIFO and ORF are meaningless there."""
    board = cut_short(chip, count, moved)
    counter, in_fifo = board.read(DBC, 4) & 0xFFFFFF, board.read(DFBC, 2)
    assert counter + in_fifo + bool(board.read(SSTAT0) & OLF) == count - moved
    assert bool(board.read(DSTAT) & DFE) == (not in_fifo)
    assert (board.read(DFIFO), board.read(SSTAT0) & ORF) == (0, ORF)
    board.write(CTEST3, 0x04)
    assert board.read(DFBC, 2) == 0


@chips
def test_only_late_chips_have_srun(chip):
    board = ready(chip)
    board.load(AT, 0x80880000, 0x00FFFFF8)        # a jump to itself
    board.write(DSP, AT, 4)
    board.pass_time(MS)
    assert board.read(ISTAT1) & 2 == (2 if chip in LATE else 0)
    assert ("register access while SCRIPTS runs" in board.objections) == (chip not in LATE)

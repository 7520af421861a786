# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The chip model and a target that are set alike and differently: the rules, and what
the hardware does. [SCSI-2 "Asynchronous and synchronous information transfer", "Message
system specification"; 895A 4-75, SGE]
"""

from __future__ import annotations

import pytest

from tests.model.board import Board
from tests.model.bus import DATA_IN, DATA_OUT, HANG, STATUS, Take
from tests.model.chip_programs import (BUFFER, DBC, DONE, MS, PAR, SCNTL3, SGE, SIST, STEST3, SXFER,
                                       interrupt, move, play, ready, select, stop_when)
from tests.model.transfer import Agreement

STEST1, SCNTL4, MULTIPLY, EWS, ULTRA = 0x4D, 0xBC, 0x0C, 0x08, 0x80
NARROW, WIDE = Agreement(), Agreement(width=1)
FAST, FAST_WIDE = Agreement(8, 0, 25), Agreement(8, 1, 25)
ULTRA_WIDE = Agreement(16, 1, 12)
DATA = bytes(n * 7 & 0xFF for n in range(64))


def set_up(chip: str, agreed: Agreement, known: Agreement, registers: dict[int, int]) -> Board:
    """SCNTL3 and others of the chip, and a target 3 that is about to be added."""
    board = ready(chip)
    for register, value in registers.items():
        board.chip.registers[register] = value
    board.agreements = agreed, known
    return board


def add(board: Board, *events) -> None:
    play(board, *events)
    board.bus.targets[3].agreed, board.bus.targets[3].known = board.agreements


def receive(board: Board, count: int = len(DATA), data: bytes = DATA) -> bytes:
    add(board, (DATA_IN, data), (STATUS, 0), HANG)
    board.run(*select(3), *move(DATA_IN, count), *stop_when(STATUS), ns=MS)
    return bytes(board.memory[BUFFER:BUFFER + count])


def send(board: Board, count: int = len(DATA)) -> tuple[bytes | None, ...]:
    """What the target has taken when it goes on."""
    taken = []

    def life(bus):
        taken.append((yield Take(DATA_OUT, count)))
        yield STATUS, 0
        yield HANG
    board.memory[BUFFER:BUFFER + len(DATA)] = DATA
    add(board, HANG)
    board.bus.targets[3].session = life
    board.run(*select(3), *move(DATA_OUT, len(DATA)), *stop_when(STATUS), ns=MS)
    return tuple(taken)


# ---- The rules -------------------------------------------------------------------------------

# Chip, what was agreed, registers
AGREED = {
    "asynchronous": ("810", NARROW, {SCNTL3: 0x33, SXFER: 0x40}),
    "wide": ("825", WIDE, {SCNTL3: 0x03 | EWS}),
    "Fast-10": ("810", FAST, {SCNTL3: 0x13, SXFER: 8}),
    "slower than agreed": ("810", FAST, {SCNTL3: 0x13, SXFER: 0x28}),
    "wide Ultra": ("875", ULTRA_WIDE, {STEST1: MULTIPLY, SCNTL3: 0x15 | ULTRA | EWS, SXFER: 16}),
    "wide Ultra2": ("895", Agreement(31, 1, 10), {STEST1: MULTIPLY, SCNTL3: 0x17 | ULTRA | EWS, SXFER: 31}),
    "31 ns": ("895A", Agreement(31, 1, 11), {STEST1: MULTIPLY, SCNTL3: 0x17 | ULTRA | EWS, SXFER: 0x3F}),
    "1010": ("1010-66", Agreement(31, 1, 10), {STEST1: MULTIPLY, SCNTL3: 0x10 | EWS, SXFER: 31})}
NOT_AGREED = {
    "an offset": ("810", NARROW, {SCNTL3: 0x13, SXFER: 8}),
    "width": ("825", NARROW, {SCNTL3: 0x03 | EWS}),
    "no offset": ("810", FAST, {SCNTL3: 0x13, SXFER: 0}),
    "no width": ("825", WIDE, {SCNTL3: 0x03}),
    "a larger offset": ("875", FAST, {SCNTL3: 0x13, SXFER: 9}),
    "a smaller offset": ("810", FAST, {SCNTL3: 0x13, SXFER: 7}),
    "too fast": ("810", Agreement(8, 0, 50), {SCNTL3: 0x13, SXFER: 8}),
    "too slow to receive": ("810", FAST, {SCNTL3: 0x33, SXFER: 8}),
    "double transitions": ("1010-66", NARROW, {SCNTL4: 0x80})}
BEYOND = {
    "offset 9 of an 810": ("810", Agreement(9, 0, 25), {SCNTL3: 0x13, SXFER: 9}),
    "offset 17 of an 875": ("875", Agreement(17, 0, 25), {SCNTL3: 0x13, SXFER: 17}),
    "offset 62 without double transitions": ("1010-66", Agreement(62, 0, 25), {SCNTL3: 0x13, SXFER: 62}),
    "Ultra2 of an 875A": ("875A", Agreement(31, 0, 10), {STEST1: MULTIPLY, SCNTL3: 0x17 | ULTRA, SXFER: 31}),
    "Ultra without ULTRA": ("860", Agreement(8, 0, 12), {SCNTL3: 0x15, SXFER: 8}),
    "Ultra without TE": ("860", Agreement(8, 0, 12), {SCNTL3: 0x15 | ULTRA, SXFER: 8, STEST3: 0})}


def objections(chip: str, agreed: Agreement, registers: dict[int, int], phase: int) -> list[str]:
    """Of the data phase; the clock and the rest of the chip are not the subject."""
    board = set_up(chip, agreed, agreed, registers)
    (receive if phase == DATA_IN else send)(board)
    return [rule for rule in dict.fromkeys(board.objections) if "transfer" in rule]


phases = pytest.mark.parametrize("phase", [DATA_IN, DATA_OUT], ids=["in", "out"])


@phases
@pytest.mark.parametrize("chip, agreed, registers", AGREED.values(), ids=AGREED.keys())
def test_registers_that_match_the_agreement_break_no_rule(chip, agreed, registers, phase):
    assert objections(chip, agreed, registers, phase) == []


@phases
@pytest.mark.parametrize("chip, agreed, registers", NOT_AGREED.values(), ids=NOT_AGREED.keys())
def test_registers_must_match_the_agreement(chip, agreed, registers, phase):
    assert objections(chip, agreed, registers, phase) == ["transfer not agreed"]


@phases
@pytest.mark.parametrize("chip, agreed, registers", BEYOND.values(), ids=BEYOND.keys())
def test_transfer_must_not_exceed_the_chip(chip, agreed, registers, phase):
    assert "transfer beyond the chip" in objections(chip, agreed, registers, phase)


@pytest.mark.parametrize("agreed", [WIDE, FAST])
def test_agreement_that_the_driver_cannot_know_breaks_no_rule(agreed):
    board = set_up("825", agreed, NARROW, {})
    receive(board)
    assert board.objections == []


# ---- The hardware: sides that agree ------------------------------------------------------------


@pytest.mark.parametrize("chip, agreed, registers", AGREED.values(), ids=AGREED.keys())
def test_sides_that_agree_move_all_bytes(chip, agreed, registers):
    assert receive(set_up(chip, agreed, agreed, registers)) == DATA
    assert send(set_up(chip, agreed, agreed, registers)) == (DATA,)


# ---- The hardware: sides that differ -----------------------------------------------------------

FAST_REGISTERS, WIDE_REGISTERS = {SCNTL3: 0x13, SXFER: 8}, {SCNTL3: 0x03 | EWS}


def test_wide_target_and_narrow_chip_move_half_words():
    half = DATA[::2]
    assert receive(set_up("825", WIDE, NARROW, {})) == half + bytes(len(half))
    doubled = bytes(half for low in DATA[:32] for half in (low, 0))
    assert send(set_up("825", WIDE, NARROW, {})) == (doubled,)


def test_narrow_target_and_wide_chip_see_bad_parity_or_lose_bytes():
    board = set_up("825", NARROW, NARROW, WIDE_REGISTERS)
    assert receive(board, 128) == bytes(half for low in DATA for half in (low, 0))
    assert board.read(SIST, 2) & PAR
    assert send(set_up("825", NARROW, NARROW, WIDE_REGISTERS), 32) == (DATA[::2],)


# Agreement, registers; bytes that move before the hang
HANGS = {"synchronous target": (FAST, {}, 64 - 7),
         "asynchronous target": (NARROW, FAST_REGISTERS, 1)}


@pytest.mark.parametrize("agreed, registers, moved", HANGS.values(), ids=HANGS.keys())
def test_offset_on_one_side_hangs(agreed, registers, moved):
    board = set_up("825", agreed, NARROW, registers)
    assert receive(board) == DATA[:moved] + bytes(64 - moved)
    assert board.chip.scripts.running and board.bus.connected == 3
    board = set_up("825", agreed, NARROW, registers)
    assert send(board) == ()
    assert board.chip.scripts.running and board.bus.connected == 3


def test_too_many_requests_are_a_gross_error():
    board = set_up("825", FAST, NARROW, {SCNTL3: 0x13, SXFER: 5})
    assert receive(board)[:6] == DATA[:5] + b"\0"
    assert board.read(SIST, 2) & SGE and board.read(DBC, 4) & 0xFFFFFF == 64 - 5
    board = set_up("825", FAST, NARROW, {SCNTL3: 0x13, SXFER: 5})
    assert send(board) == ()
    assert board.read(SIST, 2) & SGE


def test_offset_of_the_chip_may_be_larger():
    assert receive(set_up("875", FAST, NARROW, {SCNTL3: 0x13, SXFER: 16})) == DATA


def test_side_that_is_too_slow_loses_a_transfer():
    slow = {SCNTL3: 0x33, SXFER: 8}     # receives at 200 ns
    board = set_up("810", FAST, NARROW, slow)
    assert receive(board) == DATA[:8] + DATA[9:] + b"\0"
    assert board.bus.connected == 3
    board = set_up("810", Agreement(8, 0, 50), NARROW, FAST_REGISTERS)
    assert send(board) == () and board.bus.connected == 3


@pytest.mark.parametrize("factor, ns", [(10, 25), (11, 30.3), (12, 50), (25, 100), (50, 200)])
def test_slower_side_sets_the_pace(factor, ns):  # [SPI-2 "Transfer period factor"]
    board = set_up("895A", Agreement(31, 0, factor), NARROW,
                   {STEST1: MULTIPLY, SCNTL3: 0x17 | ULTRA, SXFER: 31})
    receive(board)
    assert board.bus.data_ns == int(64 * ns)


def test_permitted_rule_is_not_raised():
    board = set_up("825", NARROW, NARROW, FAST_REGISTERS)
    del board.chip.rule
    board.chip.permits |= {"transfer not agreed"}
    play(board, (DATA_IN, DATA), (STATUS, 0), HANG)
    board.run(*select(3), *move(DATA_IN, 64), *interrupt(DONE), ns=MS)
    assert board.bus.connected == 3

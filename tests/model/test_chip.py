# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The chip model against the tables of the chip manuals.

A `Board` is a chip on a bus: no PC, no ROM of ours. Every expectation was read
in a manual and none in the model. The tags name the manual and its page:

    [895A] [896] [875A] [876] [825A] [810A]  technical manuals, LSI53C895A and so on
    [875 D] [876 D] [825A D]                 the older data manuals, SYM53C875 and so on
    [825A 4.2 ...]                           that section, read in a summary only

A page of a sister chip is named where its text holds for the whole family.
"""

from __future__ import annotations

import pytest

from tests.model.board import Board, Player
from tests.model.bus import (COMMAND, DATA_IN, DATA_OUT, FREE, HANG, MSG_IN, MSG_OUT, RESET,
                             STATUS, Bad, Delay, Reselect)

US, MS = 1_000, 1_000_000

# Registers, and their bits
SCNTL0, SCNTL1, SCNTL2, SCNTL3, SCID, SXFER, SDID = range(7)
SFBR, SOCL, SSID, SBCL, DSTAT, SSTAT0, SSTAT1, SSTAT2 = range(8, 16)
DSA, ISTAT, ISTAT1, MBOX0, MBOX1 = 0x10, 0x14, 0x15, 0x16, 0x17
CTEST2, CTEST3, TEMP, DFIFO, CTEST6, DBC, DCMD = 0x1A, 0x1B, 0x1C, 0x20, 0x23, 0x24, 0x27
DSP, DSPS, SCRATCHA, DMODE, DCNTL = 0x2C, 0x30, 0x34, 0x38, 0x3B
SIEN0, SIEN1, SIST, STIME0, STIME1, RESPID0 = 0x40, 0x41, 0x42, 0x48, 0x49, 0x4A
STEST0, STEST3 = 0x4C, 0x4F
DIP, SIP, INTF, CON, SEM, SIGP, SRST, ABRT = (1 << bit for bit in range(8))      # ISTAT
IID, SIR, SSI, ABORTED, DFE = 0x01, 0x04, 0x08, 0x10, 0x80                       # DSTAT
PAR, RST, UDC, SGE, RSL, SEL, CMP, MA, HTH, GEN, STO = (1 << bit for bit in range(11))  # SIST
FATAL = PAR | RST | UDC | SGE | MA | STO
SDU, OLF, CLF, CSF = 0x80, 0x20, 0x04, 0x02
REQ, ACK, BSY, ATN = 0x80, 0x40, 0x20, 0x08                                      # SBCL, SOCL

# Instructions
BUFFER, TABLE, ELSEWHERE, AT = 0x4000, 0x6000, 0x2000, 0x1000
TRUE, CARRY, DATA, PHASE, WAIT = 1 << 19, 1 << 21, 1 << 18, 1 << 17, 1 << 16
JUMP, CALL, RETURN, INT, INTFLY = 0x80000000, 0x88000000, 0x90000000, 0x98000000, 0x98100000
WAIT_DISCONNECT, WAIT_RESELECT = (0x48000000, 0), (0x50000000, ELSEWHERE)
SET_ATN, CLEAR_ATN, CLEAR_ACK = (0x58000008, 0), (0x60000008, 0), (0x60000040, 0)
SET_CARRY, CLEAR_CARRY = (0x58000400, 0), (0x60000400, 0)
SDU_OFF = (0x7C027F00, 0)
FOR_EVER = (0x80880000, 0x00FFFFF8)          # a jump to itself
DONE, OTHER, AWAY = 0xD0, 0x07E4, 0xA3A4


def move(phase: int, count: int, address: int = BUFFER) -> tuple:
    return 0x08000000 | phase << 24 | count, address


def select(target: int, atn: bool = False) -> tuple:
    return 0x40000000 | atn << 24 | target << 16, ELSEWHERE


def interrupt(code: int) -> tuple:
    return INT | TRUE, code


def stop_when(phase: int, code: int = DONE) -> tuple:
    return INT | TRUE | PHASE | WAIT | phase << 24, code


def to_sfbr(value: int) -> tuple:
    return 0x70000000 | value << 8, 0


@pytest.fixture(params=["810", "895A"])
def variant(request) -> str:
    return request.param


@pytest.fixture
def board(variant: str) -> Board:
    return ready(variant)


@pytest.fixture
def new() -> Board:
    """The chip with what old ones lack."""
    return ready("895A")


def ready(variant: str) -> Board:
    board = Board(variant)
    board.set_up()
    board.load(ELSEWHERE, *interrupt(OTHER))
    board.objections.clear()
    return board


def play(board: Board, *events, target: int = 3) -> list[int]:
    """A target that goes through the events; returns what it will hear."""
    heard = []

    def life(bus):
        for event in events:
            answer = yield event
            if isinstance(event, tuple) and event[1] is None:
                heard.append(answer)

    board.bus.targets[target] = Player(life)
    return heard


def code(board: Board, *program: int, **options) -> int:
    """Run a program that ends with INT; returns its code."""
    assert board.run(*program, **options) & (SIP | DIP) == DIP
    assert board.read(DSTAT) & ~DFE == SIR
    return board.read(DSPS, 4)


def scsi_stop(board: Board, *program: int, **options) -> int:
    """Run a program that a SCSI event ends; returns the fatal causes."""
    assert board.run(*program, **options) & (SIP | DIP) == SIP
    assert not board.chip.scripts.running
    return board.read(SIST, 2) & FATAL


def dma_stop(board: Board, *program: int, **options) -> int:
    """Run a program that the DMA core ends; returns its causes."""
    assert board.run(*program, **options) & (SIP | DIP) == DIP
    return board.read(DSTAT) & ~DFE


def leave(board: Board, *events) -> None:
    """Target 3 is selected, disconnects, and then goes through the events."""
    play(board, (MSG_IN, 4), FREE, *events)
    assert code(board, *select(3), *move(MSG_IN, 1), *SDU_OFF, *CLEAR_ACK, *WAIT_DISCONNECT,
                *interrupt(AWAY), ns=MS) == AWAY
    board.read(SIST, 2)


def test_the_board_stops_its_clock_with_the_program(board):
    board.run(*interrupt(DONE))
    assert board.chip.now < MS


# ---- Registers after a reset ----

RESET_VALUES = [  # register, the bits the manual gives, their value
    (SCNTL0, 0xFB, 0xC0),   # [825A 4-20]
    (SCNTL2, 0xFF, 0x00),   # [875A 4-26]
    (SCNTL3, 0xFF, 0x00),   # [825A 4.2 SCNTL3]
    (SCID, 0x6F, 0x00),     # [875A 4-30]
    (SDID, 0x07, 0x00),     # [810A 5-15]
    (SFBR, 0xFF, 0x00),     # [810A 5-17]
    (SSID, 0x87, 0x00),     # [875A 4-38]
    (DSTAT, 0xFD, 0x80),    # [810A 5-20]
    (SSTAT1, 0xF0, 0x00),   # [810A 5-24]
    (ISTAT, 0xFF, 0x00),    # [876 4-50]
    (SIST, 0xFF, 0x00),     # [810A 5-51]
    (SIST + 1, 0x07, 0x00),  # [876 4-79]
    (STIME0, 0xFF, 0x00),   # [896 4-87]
]
MORE_RESET_VALUES = [
    ("810", STEST0, 0x0B, 0x03),    # [810A 5-60]
    ("895A", STEST0, 0x0B, 0x03),   # [895A 4-89]
    ("895A", SSTAT2, 0xF2, 0x02),   # [875A 4-46]
    ("895A", ISTAT1, 0x07, 0x00),   # [875A 4-51]
    ("895A", CTEST6, 0xFF, 0x00),   # [875A 4-62]
    ("895A", DCMD, 0xC0, 0x40),     # [875A 4-63]
]


@pytest.mark.parametrize("chip, register, known, value", MORE_RESET_VALUES + [
    (chip, *row) for chip in ("810", "895A") for row in RESET_VALUES])
def test_reset_value(chip, register, known, value):
    assert Board(chip).read(register) & known == value


def test_software_reset_restores_the_reset_values_but_com(board):
    board.write(ISTAT, SRST)
    board.pass_time(10 * MS)
    assert board.read(ISTAT) & SRST                 # it does not clear itself [875 D 5-23]
    board.write(ISTAT, 0)
    assert [board.read(r) & known for r, known, _ in RESET_VALUES] == [v for *_, v in RESET_VALUES]
    assert board.read(DCNTL) == 0x01                # COM stays, IRQD goes [875 D 5-23]


def test_software_reset_drops_our_lines_and_nobody_elses(board):  # [875 D 5-23]
    play(board, (MSG_IN, 0x80), HANG)
    code(board, *select(3, atn=True), *move(MSG_IN, 1), *interrupt(DONE))
    assert board.read(SBCL) & (BSY | ACK | ATN) == BSY | ACK | ATN
    board.run(*WAIT_DISCONNECT, ns=MS)
    board.write(ISTAT, SRST)
    board.pass_time(MS)
    board.write(ISTAT, 0)
    assert not board.chip.scripts.running
    assert board.read(SBCL) & (BSY | ACK | ATN) == BSY    # the target still holds the bus
    assert not board.read(SIST, 2) & RST                  # RST was not raised


@pytest.mark.parametrize("register", [SFBR, SSID, SBCL, DSTAT, SSTAT0, SSTAT1, SSTAT2, SIST,
                                      STEST0])
def test_read_only_registers(board, register):  # "Read Only" in [875A 4.2]; SFBR [810A 5-17]
    before = board.read(register)
    board.write(register, before ^ 0xFF)
    assert board.read(register) == before


# ---- Read/Write instructions [875A 5-24 t5.3; 810A 6-26 t6.2] ----

# (result, carry or None where the table gives none) of register, data, carry
OPERATORS = {
    0: lambda r, d, c: (d, None),
    1: lambda r, d, c: (r << 1 & 0xFF | c, r >> 7),
    2: lambda r, d, c: (r | d, None),
    3: lambda r, d, c: (r ^ d, None),
    4: lambda r, d, c: (r & d, None),
    5: lambda r, d, c: (r >> 1 | c << 7, r & 1),
    6: lambda r, d, c: (r + d & 0xFF, r + d >> 8),
    7: lambda r, d, c: (r + d + c & 0xFF, r + d + c >> 8),
}
OPERANDS = [(0x81, 0x7E, 0), (0x81, 0x7F, 1), (0xFF, 0x01, 1), (0x5A, 0xC3, 0), (0x00, 0x00, 1),
            (0x7E, 0x81, 1)]
FROM_SFBR, TO_SFBR, MODIFY, MODIFY_BY_SFBR = 0x68000000, 0x70000000, 0x78000000, 0x78800000


@pytest.mark.parametrize("register, data, carry", OPERANDS)
@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("form", [FROM_SFBR, TO_SFBR, MODIFY, MODIFY_BY_SFBR])
def test_operator(board, form, operator, register, data, carry):
    result, carried = OPERATORS[operator](register, data, carry)
    unused = register ^ 0x33
    scratch, sfbr = {FROM_SFBR: (unused, register), TO_SFBR: (register, unused),
                     MODIFY: (register, unused), MODIFY_BY_SFBR: (register, data)}[form]
    if form == MODIFY_BY_SFBR:                    # [896 5-23]
        data = unused
    board.write(SCRATCHA, scratch)
    found = code(board, *to_sfbr(sfbr), *(SET_CARRY if carry else CLEAR_CARRY),
                 form | operator << 24 | SCRATCHA << 16 | data << 8, 0,
                 INT | CARRY | TRUE, 1, *interrupt(0))
    expected = (register, result) if form == TO_SFBR else (result, sfbr)
    assert (board.read(SCRATCHA), board.read(SFBR)) == expected
    assert carried is None or found == carried


@pytest.mark.parametrize("register", [0x80, 0x9C])
def test_register_numbers_above_7f(new, register):  # A7 is bit 7 [896 5-23]
    new.write(register & 0x7F, 0x11 if register & 0x7F else 0xCA)
    low = new.read(register & 0x7F)
    code(new, MODIFY | (register & 0x7F) << 16 | 0x5A << 8 | 0x80, 0, *interrupt(DONE))
    assert (new.read(register), new.read(register & 0x7F)) == (0x5A, low)


def test_register_instructions_ask_for_com(board):  # [896 5-23]
    code(board, *to_sfbr(1), *interrupt(DONE))
    assert board.objections == []
    board.write(DCNTL, 0x02)
    board.run(*to_sfbr(1), *interrupt(DONE))
    assert board.objections


# ---- Block moves ----

@pytest.mark.parametrize("phase", [DATA_IN, STATUS, MSG_IN])
@pytest.mark.parametrize("length", [1, 2, 3, 129])
def test_move_from_the_target(board, phase, length):  # [895A 5-11, 875 D 5-16]
    data = bytes(0xC0 ^ n & 0xFF for n in range(length))
    play(board, *((phase, byte) for byte in data), HANG)
    board.memory[BUFFER + length] = 0xEE
    assert code(board, *select(3), *move(phase, length), *interrupt(DONE)) == DONE
    assert board.memory[BUFFER:BUFFER + length] == data
    assert board.memory[BUFFER + length] == 0xEE
    assert board.read(SFBR) == data[0]              # the first byte, not the last
    assert board.read(SSTAT1) & 7 == phase          # latched with REQ [876 4-47]


@pytest.mark.parametrize("phase", [DATA_OUT, COMMAND, MSG_OUT])
@pytest.mark.parametrize("length", [1, 2, 81, 1000])
def test_move_to_the_target(board, phase, length):  # [895A 5-11]
    heard = play(board, *[(phase, None)] * length, HANG)
    board.memory[BUFFER:BUFFER + length] = bytes(n * 7 & 0xFF for n in range(length))
    assert code(board, *select(3), *move(phase, length), *interrupt(DONE)) == DONE
    assert bytes(heard) == board.memory[BUFFER:BUFFER + length]
    assert board.read(DSTAT) & DFE


def test_move_indirect(board):  # bit 29: the address of the address [825A D 6-4]
    play(board, (DATA_IN, 1), (DATA_IN, 2), HANG)
    board.load(TABLE, 0x4321)
    code(board, *select(3), 0x29000002, TABLE, *interrupt(DONE))
    assert board.memory[0x4321:0x4323] == b"\1\2"


@pytest.mark.parametrize("offset", [0, 0x18, 0x00FFFFF0, 0xFFFFFFF0, 0x12000010])
def test_move_by_table(board, offset):  # 24 bits, signed, the top byte ignored [895A 5-7]
    play(board, (DATA_IN, 1), (DATA_IN, 2), (DATA_IN, 3), HANG)
    board.write(DSA, TABLE, 4)
    distance = (offset & 0xFFFFFF ^ 0x800000) - 0x800000
    board.load(TABLE + distance, 3, 0x4321)
    code(board, *select(3), 0x19000000, offset, *interrupt(DONE))
    assert board.memory[0x4321:0x4324] == b"\1\2\3"


@pytest.mark.parametrize("instruction", [(0x09000000, BUFFER), (0x19000000, 0)])
def test_a_count_of_zero_is_illegal(board, instruction):  # [875A 4-63]
    play(board, (DATA_IN, 0x55), HANG)
    board.write(DSA, TABLE, 4)
    board.load(TABLE, 0, BUFFER)
    code(board, *select(3), *stop_when(DATA_IN))
    assert board.objections == []
    assert dma_stop(board, *instruction, *interrupt(DONE)) == IID
    assert board.memory[BUFFER] == 0
    assert board.objections


def test_bit_27_clear_is_no_plain_move(board):  # reserved or CHMOV [810A 6-9, 875A 5-10]
    play(board, (DATA_IN, 0x55), (DATA_IN, 0x66), HANG)
    code(board, *select(3), *move(DATA_IN, 1), *interrupt(DONE))
    assert board.objections == []
    board.run(0x01000001, BUFFER, *interrupt(DONE))
    assert board.objections


def test_dbc_and_dcmd_hold_the_fetched_instruction(board):  # [875A 4-63]
    code(board, *interrupt(DONE))
    assert board.read(DBC, 4) == INT | TRUE


@pytest.mark.parametrize("wanted, found", [
    (DATA_IN, STATUS), (DATA_OUT, STATUS), (COMMAND, MSG_IN), (STATUS, DATA_IN),
    (MSG_OUT, COMMAND), (MSG_IN, DATA_OUT), (DATA_OUT, DATA_IN), (DATA_IN, MSG_OUT)])
def test_mismatch_before_the_move(board, wanted, found):  # not executed [895A 5-11]
    play(board, (found, None if found in (DATA_OUT, COMMAND, MSG_OUT) else 0x77), HANG)
    board.memory[BUFFER] = 0xEE
    board.memory[BUFFER + 512] = 0xEE
    assert scsi_stop(board, *select(3), *move(wanted, 512), *interrupt(DONE)) == MA
    assert board.memory[BUFFER] == 0xEE
    assert board.read(SSTAT1) & 7 == found
    assert board.read(DSP, 4) == AT + 16
    assert board.read(SBCL) & (REQ | ACK) == REQ    # the byte is still to be taken
    assert board.read(SIST, 2) == 0 and not board.read(ISTAT) & SIP    # read away [810A 5-51]


@pytest.mark.parametrize("count, moved", [(2, 1), (80, 79), (200, 1), (512, 511), (1000, 137),
                                          (70000, 300)])
def test_mismatch_while_receiving(board, count, moved):
    data = bytes(n * 5 + 1 & 0xFF for n in range(moved))
    play(board, *((DATA_IN, byte) for byte in data), (STATUS, 2), HANG)
    board.memory[BUFFER + moved] = 0xEE
    assert scsi_stop(board, *select(3), *move(DATA_IN, count), *interrupt(DONE)) == MA
    assert board.read(DBC, 4) & 0xFFFFFF == count - moved     # [875A 4-62]
    assert board.memory[BUFFER:BUFFER + moved + 1] == data + b"\xEE"
    assert board.read(DSTAT) & DFE                  # sent to memory first [875A 2-38]
    assert (board.read(SFBR), board.read(SSTAT1) & 7) == (data[0], STATUS)


def test_the_counter_holds_what_the_table_says(board):  # [810A 6-12]
    play(board, (STATUS, 0), HANG)
    board.write(DSA, TABLE, 4)
    board.load(TABLE, 0x12345, BUFFER)
    assert scsi_stop(board, *select(3), 0x19000000, 0) == MA
    assert board.read(DBC, 4) & 0xFFFFFF == 0x12345


def test_the_target_leaves_in_the_middle(board):  # what came is in memory [875A 2-38, 4-62]
    play(board, (DATA_IN, 1), (DATA_IN, 2), (DATA_IN, 3))
    assert scsi_stop(board, *select(3), *move(DATA_IN, 10)) == UDC
    assert board.memory[BUFFER:BUFFER + 4] == b"\1\2\3\0"
    assert board.read(DBC, 4) & 0xFFFFFF == 7


LENGTHS = [1, 2, 3, 4, 79, 80, 81, 112, 113, 127, 128, 129, 200, 256, 1000]


@pytest.mark.parametrize("count, moved", [(n, k) for n in LENGTHS
                                          for k in sorted({0, 1, n // 2, n - 1} - {n})])
def test_mismatch_while_sending(variant, board, count, moved):  # [895A 4-59, 810A 2-9]
    heard = play(board, *[(DATA_OUT, None)] * moved, (STATUS, 2), HANG)
    board.memory[BUFFER:BUFFER + count] = bytes(n * 3 & 0xFF for n in range(count))
    assert scsi_stop(board, *select(3), *move(DATA_OUT, count), *interrupt(DONE)) == MA
    counter = board.read(DBC, 4) & 0xFFFFFF
    in_fifo = board.read(DFIFO) - counter & 0x7F
    assert counter + in_fifo + bool(board.read(SSTAT0) & OLF) == count - moved
    assert bytes(heard) == board.memory[BUFFER:BUFFER + moved]
    assert in_fifo <= {"810": 80, "895A": 112}[variant]
    assert not (in_fifo and board.read(DSTAT) & DFE)


def test_dfe_is_about_the_dma_fifo_only(board):  # not about SODL [876 4-42, 895A 4-59]
    play(board, *[(DATA_OUT, None)] * 9, (STATUS, 2), HANG)
    scsi_stop(board, *select(3), *move(DATA_OUT, 10), *interrupt(DONE))
    empty = not board.read(DFIFO) - board.read(DBC, 4) & 0x7F
    assert bool(board.read(DSTAT) & DFE) is empty


def leave_a_fifo(board: Board) -> None:
    play(board, *[(DATA_OUT, None)] * 5, (STATUS, 2), HANG)
    assert scsi_stop(board, *select(3), *move(DATA_OUT, 500)) == MA


def test_clf_clears_the_dma_fifo(board):  # [875A 2-38]; it clears itself [825A 4.2 CTEST3]
    leave_a_fifo(board)
    board.write(CTEST3, 0)
    assert not board.read(DSTAT) & DFE
    board.write(CTEST3, CLF)
    board.write(STEST3, 0x80 | CSF)
    board.pass_time(MS)
    assert board.read(DSTAT) & DFE
    assert not (board.read(CTEST3) & CLF or board.read(STEST3) & CSF)
    assert code(board, *move(STATUS, 1), *interrupt(DONE)) == DONE


def test_csf_clears_the_full_flags(board):  # [825A 4.2 STEST3]
    leave_a_fifo(board)
    board.write(CTEST3, CLF)
    board.write(STEST3, 0x80 | CSF)
    board.pass_time(MS)
    assert not board.read(SSTAT0) & OLF


# ---- ACK and ATN ----

@pytest.mark.parametrize("phase, held", [(MSG_IN, True), (STATUS, False), (DATA_IN, False)])
def test_ack_is_held_behind_message_in_only(board, phase, held):  # [895A 5-11 item 7]
    passed = []

    def life(bus):
        for byte in (1, 2):
            yield phase, byte
            passed.append(byte)
        yield HANG

    board.bus.targets[3] = Player(life)
    code(board, *select(3), *move(phase, 2), *interrupt(DONE))
    board.pass_time(MS)
    assert passed == ([1] if held else [1, 2])    # the last byte of the move is meant
    assert bool(board.read(SBCL) & ACK) is held
    code(board, *CLEAR_ACK, *interrupt(DONE))
    assert passed == [1, 2]
    assert not board.read(SBCL) & ACK


def watch_atn(board: Board, count: int) -> list[bool]:
    """Target 3 takes so many message bytes; ATN before and behind each."""
    seen = []

    def life(bus):
        seen.append(bus.atn)
        for _ in range(count):
            yield MSG_OUT, None
            seen.append(bus.atn)
        yield STATUS, 0

    board.bus.targets[3] = Player(life)
    return seen


@pytest.mark.parametrize("atn", [False, True])
@pytest.mark.parametrize("target", [0, 3, 6])
def test_select_with_and_without_atn(board, atn, target):  # [895A 5-16]
    seen = []

    def life(bus):
        seen.append(bus.atn)
        yield COMMAND, None

    board.bus.targets[target] = Player(life)
    assert code(board, *select(target, atn), *stop_when(COMMAND)) == DONE
    assert seen == [atn]
    assert board.read(SDID) & 7 == target           # [875A 4-35]


@pytest.mark.parametrize("moves, expected", [
    ([1], [True, False]), ([3], [True, True, True, False]), ([1, 2], [True, False, False, False]),
    ([2, 1], [True, True, False, False])])
def test_atn_drops_with_the_last_byte_of_the_first_move(board, moves, expected):  # [810A 6-11]
    seen = watch_atn(board, sum(moves))
    steps = [word for count in moves for word in move(MSG_OUT, count)]
    assert code(board, *select(3, atn=True), *steps, *stop_when(STATUS)) == DONE
    assert seen == expected


def test_set_and_clear_atn(board):  # [875A 5-21]
    play(board, (MSG_IN, 0x80), (STATUS, 0))
    code(board, *select(3), *move(MSG_IN, 1), *SET_ATN, *interrupt(DONE))
    assert board.bus.atn and board.read(SBCL) & ATN
    code(board, *CLEAR_ATN, *interrupt(DONE))
    assert not (board.bus.atn or board.read(SBCL) & ATN)


def test_socl_shows_what_set_and_clear_do(board):  # [875A 5-21]
    play(board, (MSG_IN, 0x80), (STATUS, 0))
    code(board, *select(3), *move(MSG_IN, 1), *SET_ATN, *interrupt(DONE))
    assert board.read(SOCL) & ATN
    code(board, *CLEAR_ATN, *interrupt(DONE))
    assert not board.read(SOCL) & ATN


def test_atn_raised_by_set_drops_in_the_same_way(board):  # [895A 5-11 item 6]
    seen = watch_atn(board, 2)
    code(board, *select(3), *stop_when(MSG_OUT))
    code(board, *SET_ATN, *move(MSG_OUT, 2), *stop_when(STATUS))
    assert seen == [False, True, False]


# ---- Selection and reselection ----

@pytest.mark.parametrize("offset", [0, 0x20, 0xFFFFE0])
def test_select_by_table_loads_three_registers(board, offset):  # [895A 5-18]
    play(board, (COMMAND, None), HANG, target=6)
    board.write(DSA, TABLE, 4)
    board.load(TABLE + (offset ^ 0x800000) - 0x800000, 0x05062800)
    assert code(board, 0x42000000 | offset, ELSEWHERE, *stop_when(COMMAND)) == DONE
    assert (board.read(SCNTL3), board.read(SXFER), board.read(SDID) & 7) == (0x05, 0x28, 6)


def test_direct_select_leaves_the_transfer_settings(board):  # [895A 5-16]
    play(board, (COMMAND, None), HANG)
    board.write(SXFER, 0x28)
    code(board, *select(3), *stop_when(COMMAND))
    assert (board.read(SCNTL3), board.read(SXFER)) == (0x03, 0x28)


PERIODS = [(1, 125 * US), (4, MS), (9, 32 * MS), (0xC, 256 * MS), (0xD, 512 * MS)]  # [896 4-87]


@pytest.mark.parametrize("setting, period", PERIODS)
def test_selection_time_out(board, setting, period):
    board.write(STIME0, setting)
    board.run(*select(5, atn=True), *stop_when(COMMAND), ns=period - 10 * US)
    assert board.chip.scripts.running
    board.pass_time(period // 20 + 300 * US)        # 200 us for the abort [875A 4-84]
    assert not board.chip.scripts.running
    assert board.read(ISTAT) & (SIP | DIP | CON) == SIP
    assert board.read(SIST, 2) & STO                # [875A 4-79]
    assert not board.bus.atn                        # [875A 4-22]


def test_the_time_out_counts_as_unexpected_disconnect(board):
    board.run(*select(5), *stop_when(COMMAND))      # with STO or behind it [825A D 5-42]
    causes = 0
    while board.read(ISTAT) & SIP:
        causes |= board.read(SIST, 2)
    assert causes & FATAL == STO | UDC


def test_without_a_setting_there_is_no_selection_time_out(board):  # [896 4-87]
    board.write(STIME0, 0)
    assert not board.run(*select(5), *stop_when(COMMAND), ns=60_000 * MS) & (SIP | DIP)
    assert board.chip.scripts.running


def test_the_program_goes_on_during_a_selection(board):  # [895A 5-16]
    board.write(SCRATCHA, 0)
    board.run(*select(5), MODIFY | SCRATCHA << 16 | 0x5A00, 0, *stop_when(COMMAND), ns=MS)
    assert board.chip.scripts.running
    board.pass_time(300 * MS)
    assert board.read(ISTAT) & SIP
    assert board.read(SCRATCHA) == 0x5A


def test_connected(board):  # [875A 4-24, 876 4-50]
    play(board, (COMMAND, None), Delay(MS))
    code(board, *select(3), *stop_when(COMMAND))
    assert (board.read(ISTAT) & CON, board.read(SCNTL1) & 0x10) == (CON, 0x10)
    code(board, *move(COMMAND, 1), *SDU_OFF, *WAIT_DISCONNECT, *interrupt(DONE))
    assert (board.read(ISTAT) & CON, board.read(SCNTL1) & 0x10) == (0, 0)
    assert board.read(SIST, 2) & FATAL == 0         # expected, as SDU was off [875A 4-26]
    assert board.objections == []


def test_wait_disconnect_waits(board):  # [895A 5-16]
    play(board, (COMMAND, None), Delay(5 * MS))
    program = *select(3), *move(COMMAND, 1), *SDU_OFF, *WAIT_DISCONNECT, *interrupt(DONE)
    board.run(*program, ns=4 * MS)
    assert board.chip.scripts.running
    board.pass_time(2 * MS)
    assert board.read(ISTAT) & (SIP | DIP) == DIP


def test_wait_disconnect_ends_at_a_request(board):  # illegal [825A 4.2 DSTAT]
    play(board, (STATUS, 0), HANG)
    code(board, *select(3), *stop_when(STATUS))
    assert dma_stop(board, *SDU_OFF, *WAIT_DISCONNECT, *interrupt(DONE)) == IID


@pytest.mark.parametrize("relative", [False, True])
def test_wait_reselect(board, relative):  # [875 D 6-10]
    leave(board, Delay(5 * MS), Reselect(), (MSG_IN, 0x80), HANG)
    word, address = WAIT_RESELECT
    board.run(*to_sfbr(0x5A), word | relative << 26, address, *stop_when(MSG_IN), ns=4 * MS)
    assert board.chip.scripts.running and not board.read(ISTAT) & CON
    board.pass_time(2 * MS)
    assert board.read(ISTAT) & (SIP | DIP | CON) == DIP | CON
    assert board.read(DSTAT) & ~DFE == SIR and board.read(DSPS, 4) == DONE
    assert board.read(SSID) & 0x87 == 0x83          # VAL and the ID [875A 4-38]
    assert board.read(SFBR) == 0x5A                 # COM keeps it from the ID [825A 4.2 DCNTL]


@pytest.mark.parametrize("word, other", [
    (0x50000000, ELSEWHERE), (0x54000000, ELSEWHERE - AT - 8), (0x54000000, 0x00FFFFF0),
    (0x54000000, 0xFFFFFFF0)])
def test_sigp_diverts_wait_reselect(board, word, other):  # [810A 5-27, 896 5-19]
    board.load(AT - 8, *interrupt(OTHER))
    board.run(word, other, *interrupt(DONE), ns=MS)
    assert board.chip.scripts.running
    board.write(ISTAT, SIGP)
    board.pass_time(MS)
    assert board.read(ISTAT) & (SIP | DIP) == DIP
    assert board.read(DSPS, 4) == OTHER


def test_sigp_does_not_divert_select(board):  # [810A 5-27]
    play(board, (COMMAND, None), HANG)
    board.write(ISTAT, SIGP)
    assert code(board, *select(3), *stop_when(COMMAND)) == DONE
    assert board.objections == []


@pytest.mark.parametrize("word, other", [
    (0x40040000, ELSEWHERE), (0x44040000, ELSEWHERE - AT - 8),
    (0x42000000, ELSEWHERE), (0x46000000, ELSEWHERE - AT - 8)])
def test_select_gives_way_to_a_reselection(board, word, other):  # [895A 5-16, 896 5-19]
    leave(board, Reselect(), (MSG_IN, 0x80), HANG)
    heard = play(board, (COMMAND, None), HANG, target=4)
    board.write(DSA, TABLE, 4)
    board.load(TABLE, 0x03040000)
    board.pass_time(MS)
    assert code(board, word, other, *move(COMMAND, 1), *interrupt(DONE)) == OTHER
    assert board.read(SSID) & 0x87 == 0x83
    assert board.read(ISTAT) & CON and not heard


@pytest.mark.parametrize("register, value", [(SCID, 0x07), (RESPID0, 0x00), (RESPID0, 0x40)])
def test_reselection_needs_rre_and_the_id(board, register, value):  # [875A 4-30, 895A 4-88]
    leave(board, Delay(5 * MS), Reselect(), (MSG_IN, 0x80), HANG)
    board.write(register, value)
    assert not board.run(*WAIT_RESELECT, *interrupt(DONE), ns=100 * MS) & (SIP | DIP | CON)
    assert board.chip.scripts.running


# ---- SDU and UDC [875A 4-26] ----

@pytest.mark.parametrize("reselected", [False, True])
def test_a_connection_sets_sdu(board, reselected):
    leave(board, Delay(5 * MS), Reselect(), (MSG_IN, 0x80), HANG)
    play(board, (MSG_IN, 0x80), HANG, target=4)
    assert not board.read(SCNTL2) & SDU
    code(board, *(WAIT_RESELECT if reselected else select(4)), *stop_when(MSG_IN))
    assert board.read(SCNTL2) & SDU
    assert bool(board.read(SIST, 2) & RSL) is reselected


@pytest.mark.parametrize("waiting", [WAIT_DISCONNECT, move(STATUS, 1), stop_when(STATUS)])
def test_bus_free_with_sdu_is_unexpected(board, waiting):
    play(board, (COMMAND, None), Delay(MS))
    assert scsi_stop(board, *select(3), *move(COMMAND, 1), *waiting, *interrupt(DONE)) == UDC
    assert not board.read(ISTAT) & CON


# ---- Transfer control [896 5-27, 5-32; 895A 5-29; 875A 5-30] ----

@pytest.mark.parametrize("instruction", [JUMP, CALL])
@pytest.mark.parametrize("relative, address, expected", [
    (0, ELSEWHERE, OTHER), (1 << 23, 8, 2), (1 << 23, 0x00FFFFF0, 3), (1 << 23, 0xFFFFFFF0, 3)])
def test_jump_and_call(board, instruction, relative, address, expected):
    board.load(AT - 8, *interrupt(3))
    program = instruction | TRUE | relative, address, *interrupt(1), *interrupt(2)
    board.write(TEMP, 0, 4)
    assert code(board, *program) == expected
    assert board.read(TEMP, 4) == (AT + 8 if instruction == CALL else 0)


@pytest.mark.parametrize("word, expected", [(RETURN | TRUE, 1), (RETURN, 4)])
def test_return(board, word, expected):
    board.load(ELSEWHERE, word, 0, *interrupt(4))
    assert code(board, CALL | TRUE, ELSEWHERE, *interrupt(1)) == expected


@pytest.mark.parametrize("word", [JUMP, CALL, INT, INTFLY, RETURN])
def test_no_comparison_is_true_so_a_false_test_does_nothing(board, word):
    assert code(board, word, ELSEWHERE, *interrupt(DONE)) == DONE
    assert not board.read(ISTAT) & INTF


def test_interrupt(board):
    assert code(board, *interrupt(0xFEDCBA98)) == 0xFEDCBA98
    assert board.read(DSP, 4) == AT + 8


def test_interrupt_on_the_fly(board):  # cleared by writing 1 [875A 2-38]
    assert board.run(INTFLY | TRUE, 0, *interrupt(2)) & (INTF | DIP) == INTF | DIP
    board.write(ISTAT, 0)
    assert board.read(ISTAT) & INTF
    board.write(ISTAT, INTF)
    assert board.read(ISTAT) & (INTF | DIP) == DIP
    board.read(DSTAT)
    assert not board.run(INTFLY | TRUE, 0, *WAIT_RESELECT, ns=MS) & (SIP | DIP)
    assert board.read(ISTAT) & INTF and board.chip.scripts.running


@pytest.mark.parametrize("sfbr, value, mask, equal", [
    (0x5A, 0x5A, 0x00, True), (0x5A, 0x5B, 0x00, False), (0x5A, 0x5B, 0x01, True),
    (0xC1, 0x80, 0x7F, True), (0x41, 0x80, 0x7F, False), (0x00, 0xFF, 0xFF, True),
    (0x5A, 0xA5, 0xFE, False)])
def test_compare_data_with_mask(board, sfbr, value, mask, equal):  # a mask bit set: ignored
    for wanted in (True, False):
        word = INT | DATA | wanted << 19 | mask << 8 | value
        assert code(board, *to_sfbr(sfbr), word, 1, *interrupt(0)) == (equal is wanted)


@pytest.mark.parametrize("carry", [True, False])
def test_carry(board, carry):
    for wanted in (True, False):
        program = *(SET_CARRY if carry else CLEAR_CARRY), INT | CARRY | wanted << 19, 1
        assert code(board, *program, *interrupt(0)) == (carry is wanted)


@pytest.mark.parametrize("wait", [WAIT, 0])
@pytest.mark.parametrize("phase", [DATA_OUT, DATA_IN, COMMAND, STATUS, MSG_OUT, MSG_IN])
def test_compare_phase(board, phase, wait):
    play(board, (phase, None if phase in (DATA_OUT, COMMAND, MSG_OUT) else 1), HANG)
    code(board, *select(3), *stop_when(phase))
    for other in range(8):
        for wanted in (True, False):
            word = INT | PHASE | wait | wanted << 19 | other << 24
            assert code(board, word, 1, *interrupt(0)) == ((phase == other) is wanted)


def test_if_sees_the_last_phase_and_when_waits_for_the_next(board):
    play(board, (COMMAND, None), Delay(MS), (DATA_IN, 1), HANG)
    test = INT | TRUE | PHASE
    program = *select(3), *move(COMMAND, 1), test | COMMAND << 24, 5, *interrupt(0)
    assert code(board, *program) == 5
    assert code(board, test | WAIT | COMMAND << 24, 6, test | DATA_IN << 24, 7, *interrupt(0)) == 7


@pytest.mark.parametrize("phase, value, when_true, when_false", [
    (STATUS, 0x5A, 1, 0), (STATUS, 0x5B, 0, 0), (DATA_IN, 0x5A, 0, 0), (DATA_IN, 0x5B, 0, 1)])
def test_phase_and_data_together(board, phase, value, when_true, when_false):
    play(board, (STATUS, 0), HANG)                  # both, or neither [875A 5-30]
    code(board, *select(3), *stop_when(STATUS))
    word = INT | PHASE | DATA | phase << 24 | value
    assert code(board, *to_sfbr(0x5A), word | TRUE, 1, *interrupt(0)) == when_true
    assert code(board, word, 1, *interrupt(0)) == when_false


@pytest.mark.parametrize("word", [
    INT | CARRY | DATA, INT | CARRY | PHASE | TRUE,                    # [876 D 4-33]
    JUMP | 1 << 22, JUMP | TRUE | 1 << 22,                             # reserved [876 D 4-33]
    0xA0080000, 0xB8000000, 0xB8080000,                                # reserved [896 5-27]
    0x49000000, 0x51000000, 0x59000008, 0x61000040])                   # bit 24 [810A 6-21]
def test_illegal_instruction(board, word):
    assert dma_stop(board, word, ELSEWHERE, *interrupt(DONE)) == IID
    assert board.read(DSP, 4) == AT + 8


@pytest.mark.parametrize("word", [0xC2000004, 0xD0000004])              # reserved [876 D 4-33]
def test_illegal_memory_move(board, word):
    assert dma_stop(board, word, BUFFER, BUFFER, *interrupt(DONE)) == IID
    assert board.read(DSP, 4) == AT + 12


# ---- Memory ----

@pytest.mark.parametrize("count, source, target", [
    (1, 0x4000, 0x5000), (4, 0x4002, 0x5006), (3, 0x4001, 0x5001), (1000, 0x4003, 0x5007)])
def test_memory_move(board, count, source, target):
    data = bytes(n * 11 & 0xFF for n in range(count))
    board.memory[source:source + count] = data
    board.memory[target + count] = 0xEE
    assert code(board, 0xC0000000 | count, source, target, *interrupt(DONE)) == DONE
    assert board.memory[target:target + count + 1] == data + b"\xEE"


def test_memory_move_preserves_temp(board):  # [896 4-60]
    board.write(TEMP, 0x12345678, 4)
    code(board, 0xC0000004, 0x4000, 0x5000, *interrupt(DONE))
    assert board.read(TEMP, 4) == 0x12345678


def test_memory_move_wants_equal_alignment(board):  # [876 D 4-33]
    board.memory[0x4001] = 0x55
    assert dma_stop(board, 0xC0000001, 0x4001, 0x5002, *interrupt(DONE)) == IID
    assert board.memory[0x5002] == 0


SIZES = [(lane, size) for lane in range(4) for size in range(1, 5 - lane)]


@pytest.mark.parametrize("lane, size", SIZES)
@pytest.mark.parametrize("flags, address", [
    (0, TABLE), (1 << 28, 0x20), (1 << 28, 0x00FFFFE0), (1 << 28 | 1 << 25, 0x20)])
def test_load_and_store(new, flags, address, lane, size):  # [810A 6-39]
    new.write(DSA, TABLE, 4)
    place = TABLE + (address ^ 0x800000) - 0x800000 if flags else address
    expected = bytearray(b"\xE0\xE1\xE2\xE3")
    new.memory[place:place + 4] = b"\xA0\xA1\xA2\xA3"
    expected[lane:lane + size] = new.memory[place + lane:place + lane + size]
    new.write(SCRATCHA, 0xE3E2E1E0, 4)
    operand = flags | SCRATCHA + lane << 16 | size, address + lane
    code(new, 0xE1000000 | operand[0], operand[1], *interrupt(DONE))
    assert new.read(SCRATCHA, 4).to_bytes(4, "little") == expected
    new.write(SCRATCHA, 0x13121110, 4)
    code(new, 0xE0000000 | operand[0], operand[1], *interrupt(DONE))
    expected = bytearray(b"\xA0\xA1\xA2\xA3")
    expected[lane:lane + size] = b"\x10\x11\x12\x13"[lane:lane + size]
    assert new.memory[place:place + 4] == expected


@pytest.mark.parametrize("word", [0xE0000000, 0xE1000000])
@pytest.mark.parametrize("register, size, address", [
    (0x34, 0, 0x4000), (0x34, 5, 0x4000), (0x35, 4, 0x4001), (0x34, 2, 0x4001), (0x37, 2, 0x4003)])
def test_load_and_store_have_limits(new, word, register, size, address):  # [876 D 4-33]
    assert dma_stop(new, word | register << 16 | size, address, *interrupt(DONE)) == IID


@pytest.mark.parametrize("word", [0xE0340004, 0xE1340004])
def test_the_old_chip_has_no_load_and_store(word):  # memory move, reserved bits [876 D 4-33]
    assert dma_stop(ready("810"), word, BUFFER, BUFFER, *interrupt(DONE)) == IID


def test_a_program_runs_in_scripts_ram(new):  # 8 KiB on this chip [896 2-21]
    assert len(new.chip.ram) == 8192
    new.load(BUFFER, *interrupt(DONE))
    program = 0xC0000008, BUFFER, new.chip.ram_base + 8184, JUMP | TRUE, new.chip.ram_base + 8184
    assert code(new, *program) == DONE
    assert new.chip.ram[8184:] == new.memory[BUFFER:BUFFER + 8]


# ---- Interrupts ----

def test_reading_clears_dstat_but_not_dfe(board):  # [876 4-42, 875A 2-39]
    assert board.read(DSTAT) == DFE
    assert not board.read(ISTAT) & DIP
    board.run(*interrupt(DONE))
    assert [board.read(DSTAT), board.read(DSTAT)] == [DFE | SIR, DFE]
    assert not board.read(ISTAT) & (SIP | DIP)


@pytest.mark.parametrize("later, causes", [([FREE], UDC), ([FREE, Delay(MS), RESET], UDC | RST)])
def test_events_behind_a_pending_one_are_stacked(board, later, causes):  # [875A 2-41]
    play(board, (COMMAND, None), Delay(MS), *later, HANG)
    board.run(*select(3), *move(COMMAND, 1), *interrupt(DONE))
    board.pass_time(10 * MS)
    assert board.read(ISTAT) & (SIP | DIP) == DIP
    assert board.read(DSTAT) & ~DFE == SIR
    assert board.read(ISTAT) & (SIP | DIP) == SIP
    assert board.read(SIST, 2) & FATAL == causes    # what came later shares the second level
    assert not board.read(ISTAT) & (SIP | DIP)


def test_a_dma_event_behind_a_scsi_event_is_stacked(board):  # [875A 2-41]
    play(board, (STATUS, 0), HANG)
    board.run(*select(3), *move(DATA_IN, 1))
    board.write(ISTAT, ABRT)
    board.write(ISTAT, 0)
    assert board.read(ISTAT) & (SIP | DIP) == SIP
    assert board.read(SIST, 2) & FATAL == MA
    assert board.read(ISTAT) & (SIP | DIP) == DIP
    assert board.read(DSTAT) & ~DFE == ABORTED


def test_a_masked_nonfatal_event_does_not_stack(board):  # [875A 2-41]
    play(board, (STATUS, 0), HANG)
    board.write(STIME1, 1)
    board.pass_time(MS)
    assert not board.read(ISTAT) & SIP
    board.run(*select(3), *move(DATA_IN, 1))
    assert board.read(SIST, 2) & (MA | GEN) == MA | GEN


@pytest.mark.parametrize("enabled", [False, True])
@pytest.mark.parametrize("event, first", [(CMP, select(4)), (RSL, WAIT_RESELECT)])
def test_a_nonfatal_event_stops_only_if_enabled(board, event, first, enabled):
    leave(board, Delay(5 * MS), Reselect(), (MSG_IN, 0x80), HANG)    # [810A 2-18, 5-51, 5-52]
    play(board, (MSG_IN, 0x80), HANG, target=4)
    board.write(SIEN0, event * enabled)
    assert board.run(*first, *stop_when(MSG_IN)) & (SIP | DIP) == (SIP if enabled else DIP)
    assert board.read(SIST, 2) & event


@pytest.mark.parametrize("setting, period", PERIODS)
def test_general_purpose_timer(board, setting, period):  # [896 4-90]
    board.write(STIME1, setting)
    board.pass_time(period - 10 * US)
    assert not board.read(SIST, 2) & GEN
    board.pass_time(period // 20 + 20 * US)
    assert board.read(SIST, 2) & GEN


def test_a_timer_is_off_at_0_and_starts_anew_from_0(board):  # [896 4-90]
    for setting, ns in (9, 30 * MS), (0, 5_000 * MS), (9, 30 * MS):
        board.write(STIME1, setting)
        board.pass_time(ns)
        assert not board.read(SIST, 2) & GEN


@pytest.mark.parametrize("enabled", [False, True])
def test_a_timer_stops_the_program_only_if_enabled(board, enabled):  # [810A 2-18]
    board.write(SIEN1, enabled * GEN >> 8)
    board.write(STIME1, 6)
    board.run(*WAIT_RESELECT, ns=3 * MS)
    assert board.chip.scripts.running
    board.pass_time(2 * MS)
    assert board.chip.scripts.running is not enabled
    assert board.read(ISTAT) & (SIP | DIP) == enabled * SIP
    board.write(ISTAT, SIGP)
    board.pass_time(MS)
    assert board.read(SIST, 2) & GEN


@pytest.mark.parametrize("enabled", [False, True])
@pytest.mark.parametrize("gap, expired", [(MS, False), (10 * MS, True)])
def test_handshake_timer(board, enabled, gap, expired):  # ACK to ACK [896 4-87]
    play(board, (COMMAND, None), Delay(gap), (COMMAND, None), (STATUS, 0), HANG)
    board.write(STIME0, 0x6C)
    board.write(SIEN1, enabled * HTH >> 8)
    istat = board.run(*select(3), *move(COMMAND, 2), *stop_when(STATUS), ns=gap + 2 * MS)
    assert istat & (SIP | DIP) == (SIP if enabled and expired else DIP)
    assert bool(board.read(SIST, 2) & HTH) is expired


@pytest.mark.parametrize("scntl0, reported, atn", [
    (0xCA, True, True), (0xC8, True, False), (0xC2, False, False), (0xC0, False, False)])
def test_parity_error(board, scntl0, reported, atn):  # EPC and AAP [875A 4-22]
    seen = []

    def life(bus):
        yield DATA_IN, 0x11
        yield Bad(DATA_IN, 0x22)
        seen.append(bus.atn)                      # before ACK went away
        yield DATA_IN, 0x33
        yield STATUS, 0

    board.bus.targets[3] = Player(life)
    board.write(SCNTL0, scntl0)
    istat = board.run(*select(3), *move(DATA_IN, 3), *stop_when(STATUS))
    assert seen == [atn]
    assert board.memory[BUFFER:BUFFER + 3] == b"\x11\x22\x33"    # the transfer goes on
    assert istat & (SIP | DIP) == (SIP if reported else DIP)
    assert board.read(SIST, 2) & FATAL == (PAR if reported else 0)


def test_our_bus_reset(board):  # edge triggered [810A 5-49]; the RST line [875A 4-43, 4-24]
    play(board, (COMMAND, None), HANG)
    code(board, *select(3), *stop_when(COMMAND))
    board.write(SCNTL1, 0x08)
    board.pass_time(30 * US)
    assert board.read(SSTAT0) & 0x02 and board.read(ISTAT) & SIP
    assert board.read(SIST, 2) & RST
    assert not board.read(SBCL) & BSY
    board.pass_time(30 * US)
    board.write(SCNTL1, 0)
    board.pass_time(MS)
    assert not (board.read(SSTAT0) & 0x02 or board.read(ISTAT) & SIP or board.read(SIST, 2) & RST)


def test_a_foreign_bus_reset_stops_the_program(board):  # [810A 5-49]
    play(board, (COMMAND, None), RESET)
    assert scsi_stop(board, *select(3), *move(COMMAND, 6), *interrupt(DONE)) & RST


# ---- Abort ----

def aborted(board: Board, *program: int) -> None:
    play(board, HANG)
    board.run(*program, ns=100 * US)
    assert board.chip.scripts.running
    board.write(ISTAT, ABRT)
    board.pass_time(MS)
    assert not board.chip.scripts.running
    assert board.read(ISTAT) & (SIP | DIP) == DIP


@pytest.mark.parametrize("program", [
    FOR_EVER, WAIT_RESELECT, (*select(3), *move(COMMAND, 1)), (*select(3), *WAIT_DISCONNECT)])
def test_abort(board, program):  # [875 D 5-23]
    aborted(board, *program)
    board.write(ISTAT, 0)
    assert board.read(DSTAT) & ~DFE == ABORTED
    board.pass_time(MS)
    assert not board.read(ISTAT) & (SIP | DIP)
    assert bool(board.read(SBCL) & BSY) is (len(program) == 4)    # it frees no bus


def test_abort_comes_again_while_its_bit_is_set(board):  # [875 D 5-23]
    aborted(board, *FOR_EVER)
    for _ in range(2):
        assert board.read(DSTAT) & ~DFE == ABORTED
        board.pass_time(MS)
        assert board.read(ISTAT) & DIP
    assert board.objections
    board.write(ISTAT, 0)
    board.read(DSTAT)
    board.pass_time(MS)
    assert not board.read(ISTAT) & DIP


# ---- The CPU and a running program ----

OPEN = {"810": {ISTAT}, "895A": {ISTAT, ISTAT1, MBOX0, MBOX1}}  # [875 D 5-23, 895A 4-19]


@pytest.mark.parametrize("register", [SCNTL0, SFBR, DSTAT, ISTAT, ISTAT1, MBOX0, MBOX1, CTEST2,
                                      DBC, SCRATCHA, SIST, STIME0, 0x5C])
@pytest.mark.parametrize("access", ["read", "write"])
def test_register_access_while_scripts_runs(variant, board, register, access):
    board.run(*WAIT_RESELECT, ns=MS)
    board.objections.clear()
    _ = board.read(register) if access == "read" else board.write(register, 0)
    assert (not board.objections) is (register in OPEN[variant])


def test_semaphore_and_signal_process(board):  # [810A 5-27]; CTEST2 resets SIGP
    board.write(ISTAT, SEM | SIGP)
    assert board.read(ISTAT) & (SEM | SIGP) == SEM | SIGP
    assert board.read(CTEST2) & 0x40
    assert board.read(ISTAT) & (SEM | SIGP) == SEM
    assert not board.read(CTEST2) & 0x40
    board.write(ISTAT, 0)
    assert not board.read(ISTAT) & SEM
    code(board, 0x7A000000 | ISTAT << 16 | SEM << 8, 0, *interrupt(DONE))    # SCRIPTS may set it
    assert board.read(ISTAT) & SEM


def test_the_new_chip_shows_that_it_runs_and_has_mailboxes(new):  # [875A 4-51, 895A 4-19]
    new.write(MBOX0, 0x12)
    new.write(MBOX1, 0x34)
    new.run(*WAIT_RESELECT, ns=MS)
    assert new.read(ISTAT1) & 2
    new.write(ISTAT, SIGP)
    new.pass_time(MS)
    assert not new.read(ISTAT1) & 2
    assert (new.read(MBOX0), new.read(MBOX1)) == (0x12, 0x34)


def test_the_top_byte_of_dsp_starts_the_program(board):  # [825A 4.2 DSP]
    board.load(AT, *WAIT_RESELECT)
    for place, byte in enumerate(AT.to_bytes(4, "little")):
        assert not board.chip.scripts.running
        board.write(DSP + place, byte)
    assert board.chip.scripts.running


def test_manual_start(board):  # DMODE.MAN, DCNTL.STD [825A 4.2 DMODE]
    board.write(DMODE, 0x01)
    board.load(AT, *interrupt(DONE))
    board.write(DSP, AT, 4)
    board.pass_time(MS)
    assert not board.read(ISTAT) & DIP
    board.write(DCNTL, 0x07)
    board.pass_time(MS)
    assert board.read(ISTAT) & DIP


def test_single_step(board):  # [875A 4-71]
    board.write(DCNTL, 0x13)
    assert dma_stop(board, 0x80000000, 0, 0x80000000, 0) == SSI
    assert board.read(DSP, 4) == AT + 8


@pytest.mark.parametrize("spoil, address", [  # [810A 2-17, 6-2; 875 D 5-23; 875A 4-71]
    (lambda board: board.run(*interrupt(DONE)), AT), (lambda board: board.run(*WAIT_RESELECT, ns=MS), AT),
    (lambda board: board.write(ISTAT, ABRT), AT), (lambda board: board.write(SCNTL1, 0x08), AT),
    (lambda board: board.write(DCNTL, 0x13), AT), (lambda board: board.write(DMODE, 0x01), AT),
    (leave_a_fifo, AT), (lambda board: None, AT + 2)])
def test_what_must_not_be_at_the_start_of_a_program(board, spoil, address):
    board.load(AT, *interrupt(DONE))
    spoil(board)
    board.pass_time(MS)                             # long enough to have been noticed
    board.objections.clear()
    board.write(DSP, address, 4)
    board.pass_time(MS)
    assert board.objections


@pytest.mark.parametrize("length", [1, 512])
def test_a_whole_command_by_the_book(board, length):
    heard = play(board, (MSG_OUT, None), *[(COMMAND, None)] * 6, *[(DATA_IN, 0xAB)] * length,
                 (STATUS, 0x02), (MSG_IN, 0x00))
    board.memory[TABLE:TABLE + 7] = b"\x80\x08\x01\x02\x03\x01\x00"
    assert code(board, *select(3, atn=True), JUMP | PHASE | WAIT | MSG_OUT << 24, ELSEWHERE,
                *move(MSG_OUT, 1, TABLE), *move(COMMAND, 6, TABLE + 1), *move(DATA_IN, length),
                *move(STATUS, 1, TABLE + 8), *move(MSG_IN, 1, TABLE + 9), *SDU_OFF, *CLEAR_ACK,
                *WAIT_DISCONNECT, *interrupt(DONE)) == DONE
    assert bytes(heard) == board.memory[TABLE:TABLE + 7]
    assert board.memory[BUFFER:BUFFER + length] == b"\xAB" * length
    assert board.memory[TABLE + 8:TABLE + 10] == b"\x02\x00"
    assert board.read(SIST, 2) & FATAL == 0
    assert board.objections == []

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""SCRIPTS programs for the tests of the chip model.

A `Board` is a chip on a bus, without a PC or our ROM. Every expected value in
the tests comes from a manual, none from the model. The tags name the manual
and its page:

    [895A] [896] [875A] [876] [825A] [810A]  technical manuals, LSI53C895A and so on
    [875 D] [876 D] [825A D]                 the older data manuals, SYM53C875 and so on
    [825A 4.2 ...]                           that section, known from a summary only

A page of a sister chip is cited where its text holds for the whole family.
"""

from __future__ import annotations

from tests.model.board import Board, Player
from tests.model.bus import DATA_OUT, FREE, HANG, MSG_IN, STATUS

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
SDU_OFF = (0x7C027F00, 0)
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


def ready(variant: str) -> Board:
    board = Board(variant)
    board.set_up()
    board.load(ELSEWHERE, *interrupt(OTHER))
    board.objections.clear()
    return board


def play(board: Board, *events, target: int = 3) -> list[int]:
    """Add a target that performs the events; returns a list that collects the
    bytes it receives."""
    received = []

    def life(bus):
        for event in events:
            answer = yield event
            if isinstance(event, tuple) and event[1] is None:
                received.append(answer)

    board.bus.targets[target] = Player(life)
    return received


def code(board: Board, *program: int, **options) -> int:
    """Run a program that ends with INT; returns the INT code."""
    assert board.run(*program, **options) & (SIP | DIP) == DIP
    assert board.read(DSTAT) & ~DFE == SIR
    return board.read(DSPS, 4)


def scsi_stop(board: Board, *program: int, **options) -> int:
    """Run a program that a SCSI event stops; returns the fatal causes."""
    assert board.run(*program, **options) & (SIP | DIP) == SIP
    assert not board.chip.scripts.running
    return board.read(SIST, 2) & FATAL


def dma_stop(board: Board, *program: int, **options) -> int:
    """Run a program that the DMA core stops; returns the DSTAT causes."""
    assert board.run(*program, **options) & (SIP | DIP) == DIP
    return board.read(DSTAT) & ~DFE


def leave(board: Board, *events) -> None:
    """Target 3 is selected, disconnects, and then performs the events."""
    play(board, (MSG_IN, 4), FREE, *events)
    assert code(board, *select(3), *move(MSG_IN, 1), *SDU_OFF, *CLEAR_ACK, *WAIT_DISCONNECT,
                *interrupt(AWAY), ns=MS) == AWAY
    board.read(SIST, 2)


FROM_SFBR, TO_SFBR, MODIFY, MODIFY_BY_SFBR = 0x68000000, 0x70000000, 0x78000000, 0x78800000


def leave_a_fifo(board: Board) -> None:
    play(board, *[(DATA_OUT, None)] * 5, (STATUS, 2), HANG)
    assert scsi_stop(board, *select(3), *move(DATA_OUT, 500)) == MA


PERIODS = [(1, 125 * US), (4, MS), (9, 32 * MS), (0xC, 256 * MS), (0xD, 512 * MS)]  # [896 4-87]

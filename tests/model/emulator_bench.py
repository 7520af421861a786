# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""SCRIPTS programs for the emulator models and for the installed QEMU.

[chip-facts 6.1] is the source of facts about QEMU, [chip-facts 6.2] of those
about 86Box.
"""

from __future__ import annotations

import struct

from tests.model.board import Board
from tests.model.bus import COMMAND, MSG_IN, MSG_OUT, STATUS
from tests.model.hardware import HARDWARE
from tests.model.registers import (CTEST3, DBC, DCNTL, DFE, DSP, DSPS, DSTAT, D_SIR, ISTAT,
                                   RESPID0, SCID, SCNTL0, SCNTL1, SCNTL3, SIST0, SSTAT1, STEST3,
                                   STIME0, US)

# Memory addresses
MESSAGE, CDB, TABLE = 0x100, 0x110, 0x120
GOT_STATUS, GOT_MESSAGES, DATA = 0x140, 0x141, 0x2000
ALTERNATE, PROGRAM = 0x1800, 0x1000

SCRATCHA = 0x34
CONNECTED = 0x10

# Instructions
SELECT, SELECT_NO_ATN, SELECT_ABSENT = ((first, ALTERNATE) for first in (0x41000000, 0x40000000,
                                                                         0x41050000))
WAIT_DISCONNECT, WAIT_RESELECT = (0x48000000, 0), (0x50000000, ALTERNATE)
ENDLESS = (0x80080000, PROGRAM)
# DBC 7:0 and 15:8 to SCRATCHA 7:0 and 15:8
READ_DBC = [(0x72240000, 0), (0x6A340000, 0), (0x72250000, 0), (0x6A350000, 0)]

TEST_UNIT_READY, INQUIRY = bytes(6), bytes([0x12, 0, 0, 0, 36, 0])
SENSE = bytes([3, 0, 0, 0, 18, 0])
FLUSH, START = b"\x35" + bytes(9), bytes([0x1B, 0, 0, 0, 1, 0])


def read10(blocks: int) -> bytes:
    return struct.pack(">BBIBHB", 0x28, 0, 5, 0, blocks, 0)


def move(phase: int, count: int, address: int) -> tuple[int, int]:
    return 0x08000000 | phase << 24 | count, address


def interrupt(code: int) -> tuple[int, int]:
    return 0x98080000, code


def interrupt_when(phase: int, code: int) -> tuple[int, int]:
    return 0x980B0000 | phase << 24, code


IDENTIFY = move(MSG_OUT, 1, MESSAGE)
TAKE_STATUS, TAKE_MESSAGE = move(STATUS, 1, GOT_STATUS), move(MSG_IN, 1, GOT_MESSAGES)


def send(cdb: bytes) -> list[tuple[int, int]]:
    """Selection to COMMAND; Bench.do() puts the CDB itself into memory."""
    return [SELECT, IDENTIFY, move(COMMAND, len(cdb), CDB)]


TO_END = [TAKE_STATUS, TAKE_MESSAGE, WAIT_DISCONNECT]


class Bench:
    """A chip with one disk at ID 0 that reports no errors."""

    def put(self, address: int, data: bytes) -> None:
        raise NotImplementedError

    def get(self, address: int, length: int) -> bytes:
        raise NotImplementedError

    def read(self, offset: int, size: int = 1) -> int:
        raise NotImplementedError

    def write(self, offset: int, value: int, size: int = 1) -> None:
        raise NotImplementedError

    def wait(self, stops: bool) -> None:
        """Let the program run until it stops or, if stops is False, as far as it can."""
        raise NotImplementedError

    def set_up(self) -> None:
        for offset, value in {SCNTL0: 0xCA, SCNTL3: 3, SCID: 0x47, RESPID0: 0x80, STIME0: 0x0C,
                              CTEST3: 0, DCNTL: 0x03, STEST3: 0x80}.items():
            self.write(offset, value)

    def run(self, *instructions: tuple[int, int], stops: bool = True) -> int:
        """Returns ISTAT."""
        dwords = [dword for instruction in instructions for dword in instruction]
        self.put(PROGRAM, struct.pack(f"<{len(dwords)}I", *dwords))
        self.write(DSP, PROGRAM, 4)
        self.wait(stops)
        return self.read(ISTAT)

    def do(self, cdb: bytes, *rest: tuple[int, int], message: bytes = b"\x80") -> int:
        """Send a command, then run the rest of the program."""
        self.put(MESSAGE, message)
        self.put(CDB, cdb.ljust(16, b"\0"))
        return self.run(*send(cdb), *rest)

    def causes(self) -> tuple[int, int]:
        """SIST and DSTAT."""
        return self.read(SIST0, 2), self.read(DSTAT)

    def ends_with(self, code: int) -> bool:
        """Has the program ended in that INT, with no other cause?"""
        return self.causes() == (0, DFE | D_SIR) and self.read(DSPS, 4) == code

    def comes_to(self, code: int) -> bool:
        """Does a stopped program continue without the CPU and reach that INT?"""
        for _ in range(50):
            if self.read(DSPS, 4) == code:
                return self.causes() == (0, DFE | D_SIR)
            self.wait(stops=False)
        return False

    def drain(self) -> None:
        """Clear the disk's unit attention and all causes."""
        self.do(TEST_UNIT_READY, *TO_END, interrupt(1))
        assert self.ends_with(1)

    def dbc(self) -> int:
        return self.read(DBC, 4) & 0xFFFFFF

    def phase(self) -> int:
        return self.read(SSTAT1) & 7

    def connected(self) -> bool:
        return bool(self.read(SCNTL1) & CONNECTED)


class Model(Bench):
    def __init__(self, hardware: str, variant: str = "895A", **options):
        self.disk = HARDWARE[hardware].disk(**options)
        self.board = Board(variant, HARDWARE[hardware].chip)
        self.board.bus.targets[0] = self.disk
        self.get = lambda address, length: bytes(self.board.memory[address:address + length])
        self.put = self.board._write
        self.read, self.write = self.board.read, self.board.write
        self.set_up()

    def wait(self, stops: bool) -> None:
        for _ in range(20):
            self.board.pass_time(500 * US)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Rules that no mutant of the ROM breaks (test_mutants.py has the others),
broken directly; and a check that every rule has a test that names it.
"""

from __future__ import annotations

import struct

import pytest

from tests.build import ROM_895A, TOP
from tests.model.board import Board, Player
from tests.model.bus import HANG
from tests.model.pc import SEEDS, Pc, Result
from tests.model.registers import (ABRT, DSA, DSP, DSTAT, D_SIR, ISTAT, MA, MS, RST_LINE, SCNTL1,
                                   SIST0, SRST, US)
from tests.model.rules import RULES, RuleViolation
from tests.model.target import Answer, Disk
from tests.model.vds import Lock, Vds
from tests.rom.strict import SECOND, new_pc, two_disks

MOVE_BY_TABLE = 0x1E000000, 0   # MSG OUT
INT, SELECT_3, WHEN_STATUS = (0x98080000, 1), (0x41030000, 0), (0x980B0000 | 3 << 24, 1)


def read_dstat_before_sist(board: Board) -> None:
    board.chip.sist, board.chip.dstat = MA, D_SIR
    board.read(DSTAT)


def start_with_cause_pending(board: Board) -> None:
    board.chip.raise_scsi(MA)
    board.pass_time(100 * US)
    board.run(*INT)


def start_with_full_fifo(board: Board) -> None:
    board.chip.scsi_fifo = True
    board.run(*INT)


def return_with_full_fifo(board: Board) -> None:
    board.chip.scsi_fifo = True
    board.chip.check_idle()


def return_with_abrt_set(board: Board) -> None:
    board.write(ISTAT, ABRT)
    board.chip.check_idle()


def short_reset(board: Board) -> None:
    board.write(SCNTL1, RST_LINE)
    board.pass_time(20 * US)
    board.write(SCNTL1, 0)


def select_in_reset(board: Board) -> None:
    board.bus.stuck_reset = True
    board.read(SIST0, 2)
    board.run(*SELECT_3, *INT, ns=US)


def drop_connection(board: Board) -> None:
    board.bus.targets[3] = Player(lambda bus: iter([HANG]))
    board.run(*SELECT_3, *WHEN_STATUS, ns=MS)
    board.write(ISTAT, ABRT)
    board.write(SCNTL1, 0)


def abort_with_sdu(board: Board) -> None:
    board.bus.targets[3] = Disk()
    board._write(0x100, b"\x80\x06")
    board.run(*SELECT_3, 0x0E000002, 0x100, *INT)


def read_while_running(board: Board) -> None:
    board.chip.scripts.running = True
    board.read(DSTAT)


def start_while_running(board: Board) -> None:
    board.chip.scripts.running = True
    board.write(DSP, 0x1000, 4)


def reset_while_running(board: Board) -> None:
    board.chip.scripts.running = True
    board.write(ISTAT, SRST)


def use_misaligned_table(board: Board) -> None:
    board.bus.targets[3] = Disk()
    board.write(DSA, 0x101, 4)
    board.run(*SELECT_3, *MOVE_BY_TABLE, *INT)


def use_25_bit_count(board: Board) -> None:
    board.bus.targets[3] = Disk()
    board.write(DSA, 0x100, 4)
    board._write(0x100, struct.pack("<II", 1 << 24 | 1, 0x200))
    board.run(*SELECT_3, *MOVE_BY_TABLE, *INT)


BROKEN = {
    "SIST byte read": ("SIST read in bytes", lambda board: board.read(SIST0)),
    "DSTAT read first": ("DSTAT read before SIST", read_dstat_before_sist),
    "start with pending cause": ("SCRIPTS started with causes pending", start_with_cause_pending),
    "start with full FIFO": ("SCRIPTS started with a FIFO not empty", start_with_full_fifo),
    "ABORT with SDU": ("SDU left on", abort_with_sdu),
    "start during bus reset": ("SCRIPTS started during a bus reset",
                               lambda board: (board.write(SCNTL1, RST_LINE), board.run(*INT))),
    "start with ABRT": ("SCRIPTS started with ABRT set",
                          lambda board: (board.write(ISTAT, ABRT), board.run(*INT))),
    "short bus reset": ("bus reset too short", short_reset),
    "DSTAT read while running": ("register access while SCRIPTS runs", read_while_running),
    "DSP write while running": ("register access while SCRIPTS runs", start_while_running),
    "SRST while running": ("SRST without ABRT", reset_while_running),
    "SELECT while RST is held": ("SELECT while RST is held", select_in_reset),
    "SCNTL1 write while connected": ("connection dropped by SCNTL1", drop_connection),
    "return with RST set": ("bus left in reset",
                 lambda board: (board.write(SCNTL1, RST_LINE), board.chip.check_idle())),
    "return with full FIFO": ("FIFO left full", return_with_full_fifo),
    "misaligned table": ("table not aligned", use_misaligned_table),
    "table count above 24 bits": ("top byte of a table count not 0", use_25_bit_count),
    "return with ABRT set": ("ABRT left set", return_with_abrt_set),
}


@pytest.mark.parametrize("rule, act", BROKEN.values(), ids=BROKEN.keys())
def test_chip_violation_names_its_rule(rule, act):
    board = Board()
    board.set_up()
    assert not board.objections
    act(board)
    assert rule in board.objections


@pytest.mark.parametrize("offset", [0x14, 0x15, 0x16, 0x17])
def test_free_register_is_accessible_while_a_program_runs(offset):
    board = Board()
    board.chip.scripts.running = True
    board.read(offset)
    board.write(offset, 0)
    assert not board.objections


def test_dma_into_rom_is_detected():
    with pytest.raises(RuleViolation, match="DMA into ROM"):
        two_disks("895A").read(0, 1, address=0xE0000)


@pytest.mark.parametrize("rule, act", [
    ("vds-unlocked", lambda pc: pc._dma_read(0x300000, 4)),
    ("vds-leak", lambda pc: (pc.vds.locks.append(Lock(0x8103, 0x20000, 512)),
                             pc.int13(changes="ax", ah=0x01, dl=0x80))),
    ("vds-call", lambda pc: pc.vds.call(0x8109, 0, 0x1000)),
], ids=["DMA while unlocked", "not unlocked", "copy function"])
def test_vds_violation_names_its_rule(rule, act):
    pc = new_pc("895A", {0: Disk()}, vds=Vds(pages={0x20: 0x300}))
    with pytest.raises(RuleViolation, match=rule):
        act(pc)


def test_verify_with_bytchk_is_detected():
    with pytest.raises(RuleViolation, match="VERIFY of bytes"):
        Disk().execute(bytes([0x2F, 2, 0, 0, 0, 0, 0, 0, 1, 0]))


@pytest.mark.parametrize("register", ["ebx", "esi", "fs", "gs", "ds"])
def test_changed_register_is_detected(register):
    after = Result({**SEEDS, register: SEEDS[register] ^ 0x10, "eflags": 0x202})
    with pytest.raises(RuleViolation, match=f"register not preserved: {register}"):
        Pc(ROM_895A)._check_registers(SEEDS, after, ["ah"], 0x202)


@pytest.mark.parametrize("answer, seconds", [(Answer(status=8), 140), (Answer(), 70)])
def test_long_wait_is_detected(answer, seconds):
    """Time counts from the first selection or the last good answer."""
    pc = Pc(ROM_895A)
    pc.bus.targets = {0: Disk()}
    pc.bus.restart_waiting()
    pc.bus.now = 900 * SECOND
    pc.bus.select(0, atn=True)
    pc.bus.now += 70 * SECOND
    pc.bus.targets[0].note(pc.bus, bytes([0x28]), answer)
    pc.bus.now += 70 * SECOND
    with pytest.raises(RuleViolation, match=f"waits too long: {seconds} s"):
        pc._check_wait(40 * SECOND)
    pc._check_wait(seconds * SECOND)


def test_every_rule_has_a_test_that_names_it():
    text = "".join(file.read_text() for file in (TOP / "tests").rglob("test_*.py"))
    assert [rule for rule in RULES if rule not in text] == []


def test_unlisted_rule_raises_key_error():
    with pytest.raises(KeyError):
        RuleViolation("thou shalt not pass")

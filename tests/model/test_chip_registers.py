# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The chip model against the manuals: reset values, interrupts, abort, and CPU
access during a program. chip_programs.py lists the tags of the manuals.
"""

from __future__ import annotations

import pytest

from tests.model.board import Board, Player
from tests.model.bus import (COMMAND, DATA_IN, FREE, HANG, MSG_IN, MSG_OUT, RESET, STATUS, Bad,
                             Delay, Reselect)
from tests.model.chip_programs import (ABORTED, ABRT, ACK, AT, ATN, BSY, BUFFER, CLEAR_ACK, CMP,
                                       CTEST2, CTEST6, DBC, DCMD, DCNTL, DFE, DIP, DMODE, DONE,
                                       DSP, DSTAT, ELSEWHERE, FATAL, GEN, HTH, ISTAT, ISTAT1, JUMP,
                                       MA, MBOX0, MBOX1, MS, PAR, PERIODS, PHASE, RSL, RST, SBCL,
                                       SCID, SCNTL0, SCNTL1, SCNTL2, SCNTL3, SCRATCHA, SDID,
                                       SDU_OFF, SEM, SFBR, SIEN0, SIEN1, SIGP, SIP, SIR, SIST,
                                       SRST, SSI, SSID, SSTAT0, SSTAT1, SSTAT2, STEST0, STIME0,
                                       STIME1, TABLE, UDC, US, WAIT, WAIT_DISCONNECT,
                                       WAIT_RESELECT, code, dma_stop, interrupt, leave,
                                       leave_a_fifo, move, play, ready, scsi_stop, select,
                                       stop_when)

ENDLESS_LOOP = (0x80880000, 0x00FFFFF8)          # a jump to itself


@pytest.fixture(params=["810", "895A"])
def variant(request) -> str:
    return request.param


@pytest.fixture
def board(variant: str) -> Board:
    return ready(variant)


@pytest.fixture
def new() -> Board:
    """A chip with features that old ones lack."""
    return ready("895A")


def test_board_run_returns_when_the_program_stops(board):
    board.run(*interrupt(DONE))
    assert board.chip.now < MS


# ---- Registers after a reset ----

RESET_VALUES = [  # register, bits specified by the manual, their value
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
def test_register_has_its_reset_value(chip, register, known, value):
    assert Board(chip).read(register) & known == value


def test_software_reset_restores_all_values_but_com(board):
    board.write(ISTAT, SRST)
    board.pass_time(10 * MS)
    assert board.read(ISTAT) & SRST                 # it does not clear itself [875 D 5-23]
    board.write(ISTAT, 0)
    assert [board.read(r) & known for r, known, _ in RESET_VALUES] == [v for *_, v in RESET_VALUES]
    assert board.read(DCNTL) == 0x01                # COM is kept, IRQD is cleared [875 D 5-23]


def test_software_reset_drops_only_our_lines(board):  # [875 D 5-23]
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
def test_read_only_register_ignores_writes(board, register):  # "Read Only" in [875A 4.2]; SFBR [810A 5-17]
    before = board.read(register)
    board.write(register, before ^ 0xFF)
    assert board.read(register) == before


# ---- Interrupts ----


def test_reading_clears_dstat_but_not_dfe(board):  # [876 4-42, 875A 2-39]
    assert board.read(DSTAT) == DFE
    assert not board.read(ISTAT) & DIP
    board.run(*interrupt(DONE))
    assert [board.read(DSTAT), board.read(DSTAT)] == [DFE | SIR, DFE]
    assert not board.read(ISTAT) & (SIP | DIP)


@pytest.mark.parametrize("later, causes", [([FREE], UDC), ([FREE, Delay(MS), RESET], UDC | RST)])
def test_events_after_a_pending_one_are_stacked(board, later, causes):  # [875A 2-41]
    play(board, (COMMAND, None), Delay(MS), *later, HANG)
    board.run(*select(3), *move(COMMAND, 1), *interrupt(DONE))
    board.pass_time(10 * MS)
    assert board.read(ISTAT) & (SIP | DIP) == DIP
    assert board.read(DSTAT) & ~DFE == SIR
    assert board.read(ISTAT) & (SIP | DIP) == SIP
    assert board.read(SIST, 2) & FATAL == causes    # all later ones share the second level
    assert not board.read(ISTAT) & (SIP | DIP)


def test_dma_event_after_a_scsi_event_is_stacked(board):  # [875A 2-41]
    play(board, (STATUS, 0), HANG)
    board.run(*select(3), *move(DATA_IN, 1))
    board.write(ISTAT, ABRT)
    board.write(ISTAT, 0)
    assert board.read(ISTAT) & (SIP | DIP) == SIP
    assert board.read(SIST, 2) & FATAL == MA
    assert board.read(ISTAT) & (SIP | DIP) == DIP
    assert board.read(DSTAT) & ~DFE == ABORTED


def test_masked_nonfatal_event_does_not_stack(board):  # [875A 2-41]
    play(board, (STATUS, 0), HANG)
    board.write(STIME1, 1)
    board.pass_time(MS)
    assert not board.read(ISTAT) & SIP
    board.run(*select(3), *move(DATA_IN, 1))
    assert board.read(SIST, 2) & (MA | GEN) == MA | GEN


@pytest.mark.parametrize("enabled", [False, True])
@pytest.mark.parametrize("event, first", [(CMP, select(4)), (RSL, WAIT_RESELECT)])
def test_nonfatal_event_stops_program_only_if_enabled(board, event, first, enabled):
    leave(board, Delay(5 * MS), Reselect(), (MSG_IN, 0x80), HANG)    # [810A 2-18, 5-51, 5-52]
    play(board, (MSG_IN, 0x80), HANG, target=4)
    board.write(SIEN0, event * enabled)
    assert board.run(*first, *stop_when(MSG_IN)) & (SIP | DIP) == (SIP if enabled else DIP)
    assert board.read(SIST, 2) & event


@pytest.mark.parametrize("setting, period", PERIODS)
def test_general_purpose_timer_expires_after_its_period(board, setting, period):  # [896 4-90]
    board.write(STIME1, setting)
    board.pass_time(period - 10 * US)
    assert not board.read(SIST, 2) & GEN
    board.pass_time(period // 20 + 20 * US)
    assert board.read(SIST, 2) & GEN


def test_timer_is_off_at_0_and_restarts_from_0(board):  # [896 4-90]
    for setting, ns in (9, 30 * MS), (0, 5_000 * MS), (9, 30 * MS):
        board.write(STIME1, setting)
        board.pass_time(ns)
        assert not board.read(SIST, 2) & GEN


@pytest.mark.parametrize("enabled", [False, True])
def test_timer_stops_program_only_if_enabled(board, enabled):  # [810A 2-18]
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
def test_handshake_timer_expires_after_a_long_gap(board, enabled, gap, expired):  # ACK to ACK [896 4-87]
    play(board, (COMMAND, None), Delay(gap), (COMMAND, None), (STATUS, 0), HANG)
    board.write(STIME0, 0x6C)
    board.write(SIEN1, enabled * HTH >> 8)
    istat = board.run(*select(3), *move(COMMAND, 2), *stop_when(STATUS), ns=gap + 2 * MS)
    assert istat & (SIP | DIP) == (SIP if enabled and expired else DIP)
    assert bool(board.read(SIST, 2) & HTH) is expired


@pytest.mark.parametrize("scntl0, reported, atn", [
    (0xCA, True, True), (0xC8, True, False), (0xC2, False, False), (0xC0, False, False)])
def test_parity_error_is_reported_if_enabled(board, scntl0, reported, atn):  # EPC and AAP [875A 4-22]
    seen = []

    def life(bus):
        yield DATA_IN, 0x11
        yield Bad(DATA_IN, 0x22)
        seen.append(bus.atn)                      # before ACK is dropped
        yield DATA_IN, 0x33
        yield STATUS, 0

    board.bus.targets[3] = Player(life)
    board.write(SCNTL0, scntl0)
    istat = board.run(*select(3), *move(DATA_IN, 3), *stop_when(STATUS))
    assert seen == [atn]
    assert board.memory[BUFFER:BUFFER + 3] == b"\x11\x22\x33"    # the transfer continues
    assert istat & (SIP | DIP) == (SIP if reported else DIP)
    assert board.read(SIST, 2) & FATAL == (PAR if reported else 0)


def test_our_bus_reset_raises_rst_once(board):  # edge-triggered [810A 5-49]; RST [875A 4-43, 4-24]
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


def test_foreign_bus_reset_stops_program(board):  # [810A 5-49]
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
    ENDLESS_LOOP, WAIT_RESELECT, (*select(3), *move(COMMAND, 1)), (*select(3), *WAIT_DISCONNECT)])
def test_abort_stops_program_but_keeps_the_bus(board, program):  # [875 D 5-23]
    aborted(board, *program)
    board.write(ISTAT, 0)
    assert board.read(DSTAT) & ~DFE == ABORTED
    board.pass_time(MS)
    assert not board.read(ISTAT) & (SIP | DIP)
    assert bool(board.read(SBCL) & BSY) is (len(program) == 4)    # an abort does not free the bus


def test_abort_is_raised_again_while_abrt_is_set(board):  # [875 D 5-23]
    aborted(board, *ENDLESS_LOOP)
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
def test_only_open_registers_are_accessible_while_scripts_runs(variant, board, register, access):
    board.run(*WAIT_RESELECT, ns=MS)
    board.objections.clear()
    _ = board.read(register) if access == "read" else board.write(register, 0)
    assert (not board.objections) is (register in OPEN[variant])


def test_ctest2_read_clears_sigp_but_not_sem(board):  # [810A 5-27]; CTEST2 resets SIGP
    board.write(ISTAT, SEM | SIGP)
    assert board.read(ISTAT) & (SEM | SIGP) == SEM | SIGP
    assert board.read(CTEST2) & 0x40
    assert board.read(ISTAT) & (SEM | SIGP) == SEM
    assert not board.read(CTEST2) & 0x40
    board.write(ISTAT, 0)
    assert not board.read(ISTAT) & SEM
    code(board, 0x7A000000 | ISTAT << 16 | SEM << 8, 0, *interrupt(DONE))    # SCRIPTS may set it
    assert board.read(ISTAT) & SEM


def test_895a_has_srun_and_mailboxes(new):  # [875A 4-51, 895A 4-19]
    new.write(MBOX0, 0x12)
    new.write(MBOX1, 0x34)
    new.run(*WAIT_RESELECT, ns=MS)
    assert new.read(ISTAT1) & 2
    new.write(ISTAT, SIGP)
    new.pass_time(MS)
    assert not new.read(ISTAT1) & 2
    assert (new.read(MBOX0), new.read(MBOX1)) == (0x12, 0x34)


def test_top_byte_of_dsp_starts_program(board):  # [825A 4.2 DSP]
    board.load(AT, *WAIT_RESELECT)
    for place, byte in enumerate(AT.to_bytes(4, "little")):
        assert not board.chip.scripts.running
        board.write(DSP + place, byte)
    assert board.chip.scripts.running


def test_manual_mode_starts_program_with_std(board):  # DMODE.MAN, DCNTL.STD [825A 4.2 DMODE]
    board.write(DMODE, 0x01)
    board.load(AT, *interrupt(DONE))
    board.write(DSP, AT, 4)
    board.pass_time(MS)
    assert not board.read(ISTAT) & DIP
    board.write(DCNTL, 0x07)
    board.pass_time(MS)
    assert board.read(ISTAT) & DIP


def test_single_step_stops_after_each_instruction(board):  # [875A 4-71]
    board.write(DCNTL, 0x13)
    assert dma_stop(board, 0x80000000, 0, 0x80000000, 0) == SSI
    assert board.read(DSP, 4) == AT + 8


@pytest.mark.parametrize("spoil, address", [  # [810A 2-17, 6-2; 875 D 5-23; 875A 4-71]
    (lambda board: board.run(*interrupt(DONE)), AT), (lambda board: board.run(*WAIT_RESELECT, ns=MS), AT),
    (lambda board: board.write(ISTAT, ABRT), AT), (lambda board: board.write(SCNTL1, 0x08), AT),
    (lambda board: board.write(DCNTL, 0x13), AT), (lambda board: board.write(DMODE, 0x01), AT),
    (leave_a_fifo, AT), (lambda board: None, AT + 2)])
def test_start_in_invalid_state_breaks_a_rule(board, spoil, address):
    board.load(AT, *interrupt(DONE))
    spoil(board)
    board.pass_time(MS)                             # enough for the causes to count as noticed
    board.objections.clear()
    board.write(DSP, address, 4)
    board.pass_time(MS)
    assert board.objections


@pytest.mark.parametrize("length", [1, 512])
def test_complete_command_breaks_no_rule(board, length):
    received = play(board, (MSG_OUT, None), *[(COMMAND, None)] * 6, *[(DATA_IN, 0xAB)] * length,
                 (STATUS, 0x02), (MSG_IN, 0x00))
    board.memory[TABLE:TABLE + 7] = b"\x80\x08\x01\x02\x03\x01\x00"
    assert code(board, *select(3, atn=True), JUMP | PHASE | WAIT | MSG_OUT << 24, ELSEWHERE,
                *move(MSG_OUT, 1, TABLE), *move(COMMAND, 6, TABLE + 1), *move(DATA_IN, length),
                *move(STATUS, 1, TABLE + 8), *move(MSG_IN, 1, TABLE + 9), *SDU_OFF, *CLEAR_ACK,
                *WAIT_DISCONNECT, *interrupt(DONE)) == DONE
    assert bytes(received) == board.memory[TABLE:TABLE + 7]
    assert board.memory[BUFFER:BUFFER + length] == b"\xAB" * length
    assert board.memory[TABLE + 8:TABLE + 10] == b"\x02\x00"
    assert board.read(SIST, 2) & FATAL == 0
    assert board.objections == []

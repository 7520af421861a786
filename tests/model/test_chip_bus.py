# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The chip model against the manuals: ACK, ATN, selection, reselection, SDU.
chip_programs.py lists the tags of the manuals.
"""

from __future__ import annotations

import pytest

from tests.model.board import Board, Player
from tests.model.bus import COMMAND, DATA_IN, HANG, MSG_IN, MSG_OUT, STATUS, Delay, Reselect
from tests.model.chip_programs import (ACK, AT, ATN, CLEAR_ACK, CLEAR_ATN, CON, DFE, DIP, DONE,
                                       DSA, DSPS, DSTAT, ELSEWHERE, FATAL, IID, ISTAT, MODIFY, MS,
                                       OTHER, PERIODS, RESPID0, RSL, SBCL, SCID, SCNTL1, SCNTL2,
                                       SCNTL3, SCRATCHA, SDID, SDU, SDU_OFF, SET_ATN, SFBR, SIGP,
                                       SIP, SIR, SIST, SOCL, SSID, STIME0, STO, SXFER, TABLE, UDC,
                                       US, WAIT_DISCONNECT, WAIT_RESELECT, code, dma_stop,
                                       interrupt, leave, move, play, ready, scsi_stop, select,
                                       stop_when, to_sfbr)


@pytest.fixture(params=["810", "895A"])
def variant(request) -> str:
    return request.param


@pytest.fixture
def board(variant: str) -> Board:
    return ready(variant)


# ---- ACK and ATN ----


@pytest.mark.parametrize("phase, held", [(MSG_IN, True), (STATUS, False), (DATA_IN, False)])
def test_ack_is_held_after_message_in_only(board, phase, held):  # [895A 5-11 item 7]
    passed = []

    def life(bus):
        for byte in (1, 2):
            yield phase, byte
            passed.append(byte)
        yield HANG

    board.bus.targets[3] = Player(life)
    code(board, *select(3), *move(phase, 2), *interrupt(DONE))
    board.pass_time(MS)
    assert passed == ([1] if held else [1, 2])    # ACK is held for the last byte of the move
    assert bool(board.read(SBCL) & ACK) is held
    code(board, *CLEAR_ACK, *interrupt(DONE))
    assert passed == [1, 2]
    assert not board.read(SBCL) & ACK


def watch_atn(board: Board, count: int) -> list[bool]:
    """Target 3 receives `count` message bytes; records ATN before the first and after each."""
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
def test_select_asserts_atn_if_requested(board, atn, target):  # [895A 5-16]
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


def test_set_and_clear_atn_drive_the_line(board):  # [875A 5-21]
    play(board, (MSG_IN, 0x80), (STATUS, 0))
    code(board, *select(3), *move(MSG_IN, 1), *SET_ATN, *interrupt(DONE))
    assert board.bus.atn and board.read(SBCL) & ATN
    code(board, *CLEAR_ATN, *interrupt(DONE))
    assert not (board.bus.atn or board.read(SBCL) & ATN)


def test_socl_shows_atn_after_set_and_clear(board):  # [875A 5-21]
    play(board, (MSG_IN, 0x80), (STATUS, 0))
    code(board, *select(3), *move(MSG_IN, 1), *SET_ATN, *interrupt(DONE))
    assert board.read(SOCL) & ATN
    code(board, *CLEAR_ATN, *interrupt(DONE))
    assert not board.read(SOCL) & ATN


def test_atn_asserted_by_set_drops_with_the_last_byte(board):  # [895A 5-11 item 6]
    seen = watch_atn(board, 2)
    code(board, *select(3), *stop_when(MSG_OUT))
    code(board, *SET_ATN, *move(MSG_OUT, 2), *stop_when(STATUS))
    assert seen == [False, True, False]


# ---- Selection and reselection ----


@pytest.mark.parametrize("offset", [0, 0x20, 0xFFFFE0])
def test_table_select_loads_three_registers(board, offset):  # [895A 5-18]
    play(board, (COMMAND, None), HANG, target=6)
    board.write(DSA, TABLE, 4)
    board.load(TABLE + (offset ^ 0x800000) - 0x800000, 0x05062800)
    assert code(board, 0x42000000 | offset, ELSEWHERE, *stop_when(COMMAND)) == DONE
    assert (board.read(SCNTL3), board.read(SXFER), board.read(SDID) & 7) == (0x05, 0x28, 6)


def test_direct_select_keeps_transfer_settings(board):  # [895A 5-16]
    play(board, (COMMAND, None), HANG)
    board.write(SXFER, 0x28)
    code(board, *select(3), *stop_when(COMMAND))
    assert (board.read(SCNTL3), board.read(SXFER)) == (0x03, 0x28)


@pytest.mark.parametrize("setting, period", PERIODS)
def test_selection_of_absent_target_times_out(board, setting, period):
    board.write(STIME0, setting)
    board.run(*select(5, atn=True), *stop_when(COMMAND), ns=period - 10 * US)
    assert board.chip.scripts.running
    board.pass_time(period // 20 + 300 * US)        # 200 us for the abort [875A 4-84]
    assert not board.chip.scripts.running
    assert board.read(ISTAT) & (SIP | DIP | CON) == SIP
    assert board.read(SIST, 2) & STO                # [875A 4-79]
    assert not board.bus.atn                        # [875A 4-22]


def test_selection_time_out_also_raises_udc(board):
    board.run(*select(5), *stop_when(COMMAND))      # with STO or after it [825A D 5-42]
    causes = 0
    while board.read(ISTAT) & SIP:
        causes |= board.read(SIST, 2)
    assert causes & FATAL == STO | UDC


def test_selection_time_out_is_off_at_setting_0(board):  # [896 4-87]
    board.write(STIME0, 0)
    assert not board.run(*select(5), *stop_when(COMMAND), ns=60_000 * MS) & (SIP | DIP)
    assert board.chip.scripts.running


def test_program_continues_during_selection(board):  # [895A 5-16]
    board.write(SCRATCHA, 0)
    board.run(*select(5), MODIFY | SCRATCHA << 16 | 0x5A00, 0, *stop_when(COMMAND), ns=MS)
    assert board.chip.scripts.running
    board.pass_time(300 * MS)
    assert board.read(ISTAT) & SIP
    assert board.read(SCRATCHA) == 0x5A


def test_istat_and_scntl1_show_the_connection(board):  # [875A 4-24, 876 4-50]
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


def test_wait_disconnect_ends_when_another_target_reselects(board):     # [895A 5-16]
    play(board, (COMMAND, None), Delay(2 * MS))
    board.bus.begin(4, iter([Delay(MS), Reselect(), (MSG_IN, 0x80), HANG]))
    program = *select(3), *move(COMMAND, 1), *SDU_OFF, *WAIT_DISCONNECT, *interrupt(DONE)
    assert code(board, *program) == DONE
    assert board.read(ISTAT) & CON and board.read(SSID) & 0x87 == 0x84


def test_wait_disconnect_raises_iid_at_a_request(board):  # illegal [825A 4.2 DSTAT]
    play(board, (STATUS, 0), HANG)
    code(board, *select(3), *stop_when(STATUS))
    assert dma_stop(board, *SDU_OFF, *WAIT_DISCONNECT, *interrupt(DONE)) == IID


@pytest.mark.parametrize("relative", [False, True])
def test_wait_reselect_ends_at_reselection(board, relative):  # [875 D 6-10]
    leave(board, Delay(5 * MS), Reselect(), (MSG_IN, 0x80), HANG)
    word, address = WAIT_RESELECT
    board.run(*to_sfbr(0x5A), word | relative << 26, address, *stop_when(MSG_IN), ns=4 * MS)
    assert board.chip.scripts.running and not board.read(ISTAT) & CON
    board.pass_time(2 * MS)
    assert board.read(ISTAT) & (SIP | DIP | CON) == DIP | CON
    assert board.read(DSTAT) & ~DFE == SIR and board.read(DSPS, 4) == DONE
    assert board.read(SSID) & 0x87 == 0x83          # VAL and the ID [875A 4-38]
    assert board.read(SFBR) == 0x5A                 # with COM, SFBR does not get the ID [825A 4.2 DCNTL]


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
def test_select_jumps_to_alternate_after_reselection(board, word, other):  # [895A 5-16, 896 5-19]
    leave(board, Reselect(), (MSG_IN, 0x80), HANG)
    received = play(board, (COMMAND, None), HANG, target=4)
    board.write(DSA, TABLE, 4)
    board.load(TABLE, 0x03040000)
    board.pass_time(MS)
    assert code(board, word, other, *move(COMMAND, 1), *interrupt(DONE)) == OTHER
    assert board.read(SSID) & 0x87 == 0x83
    assert board.read(ISTAT) & CON and not received


@pytest.mark.parametrize("register, value", [(SCID, 0x07), (RESPID0, 0x00), (RESPID0, 0x40)])
def test_reselection_needs_rre_and_respid(board, register, value):  # [875A 4-30, 895A 4-88]
    leave(board, Delay(5 * MS), Reselect(), (MSG_IN, 0x80), HANG)
    board.write(register, value)
    assert not board.run(*WAIT_RESELECT, *interrupt(DONE), ns=100 * MS) & (SIP | DIP | CON)
    assert board.chip.scripts.running


# ---- SDU and UDC [875A 4-26] ----


@pytest.mark.parametrize("reselected", [False, True])
def test_connection_sets_sdu(board, reselected):
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

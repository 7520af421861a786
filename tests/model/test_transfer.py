# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The rates of the chip model against the manuals' tables, and the time that data takes.
chip_programs.py lists the tags of the manuals.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.model.board import Board
from tests.model.bus import COMMAND, DATA_IN, DATA_OUT, HANG, MSG_IN, STATUS, Take
from tests.model.chip_programs import (BUFFER, DONE, SCNTL3, SXFER, code, interrupt, move, play,
                                       ready, select, stop_when)
from tests.model.transfer import Agreement, setting_of

STEST1, SCNTL4, MULTIPLY, EWS, ULTRA = 0x4D, 0xBC, 0x0C, 0x08, 0x80


# Clock, SCF, XFERP; the periods of sending and of receiving in ns
PERIODS = [
    (50, "/2", 4, 160, 160), (50, "/2", 5, 200, 160),       # [810A 5-13]
    (50, "/1", 5, 100, 80), (40, "/1", 4, 100, 100),        # [810A 2-13]
    (80, "/1", 4, 50, 50), (80, "/2", 4, 100, 100), (40, "/2", 11, 550, 200),   # [876 D 2-21]
    (160, "/1", 8, 50, 25),                                 # [875A 2-35] example 1
    (160, "/1", 4, 25, 25),                                 # [895A 2-41] example
    (160, "/8", 11, 550, 200), (160, "/1.5", 4, 37.5, 37.5), (160, "/6", 4, 150, 150)]
SCF = {"/1": 1, "/1.5": 2, "/2": 3, "/3": 4, "/4": 5, "/6": 6, "/8": 7}


@pytest.mark.parametrize("clock, scf, xferp, sending, receiving", PERIODS)
def test_period_matches_the_tables(clock, scf, xferp, sending, receiving):
    chip = Board("895A").chip
    chip.variant = replace(chip.variant, clock_mhz=clock)
    chip.registers[SCNTL3], chip.registers[SXFER] = SCF[scf] << 4, xferp - 4 << 5 | 8
    setting = setting_of(chip)
    assert (setting.send_ps, setting.receive_ps) == (sending * 1000, receiving * 1000)


def test_scf_0_divides_by_3():  # [895A 2-41]
    chip = Board("895A").chip
    chip.registers[SXFER] = 8
    assert setting_of(chip).send_ps == 3 * 100_000


@pytest.mark.parametrize("scntl4, sending", [(0, 25), (0x04, 31.25), (0x01, 31.25), (0x05, 37.5), (0x0A, 25)])
def test_1010_has_extra_clocks_in_place_of_tp(scntl4, sending):
    """Those of double transition transfers do not count."""
    chip = Board("1010-33").chip
    chip.registers[STEST1], chip.registers[SCNTL3] = MULTIPLY, SCF["/1"] << 4
    chip.registers[SXFER], chip.registers[SCNTL4] = 62, scntl4
    setting = setting_of(chip)
    assert (setting.offset, setting.send_ps, setting.receive_ps) == (62, sending * 1000, sending * 1000)


@pytest.mark.parametrize("chip, factor", [("810", 1), ("875", 2), ("895", 4), ("1010-66", 4)])
@pytest.mark.parametrize("stest1, selected", [(0, False), (0x08, False), (0x04, False), (0x0C, True)])
def test_multiplier_counts_once_it_is_on_and_selected(chip, factor, stest1, selected):
    chip = Board(chip).chip
    chip.registers[SCNTL3], chip.registers[SXFER], chip.registers[STEST1] = SCF["/2"] << 4, 8, stest1
    assert setting_of(chip).send_ps == 200_000 // (factor if selected else 1)


# ---- Time ------------------------------------------------------------------------------------

COUNT = 6000
# Chip, STEST1, SCNTL3, SXFER; MB/s
RATES = {
    "asynchronous": ("810", 0, 0x03, 0x00, 3),
    "wide asynchronous": ("825", 0, 0x03 | EWS, 0x00, 6),
    "offset 0 with a period": ("810", 0, 0x13, 0x20, 3),
    "Fast-10": ("810", 0, 0x13, 0x08, 10),
    "wide Fast-10": ("875", 0, 0x13 | EWS, 0x10, 20),
    "Fast-20": ("860", 0, 0x15 | ULTRA, 0x08, 20),
    "wide Fast-20": ("875", MULTIPLY, 0x15 | ULTRA | EWS, 0x10, 40),
    "wide Fast-40": ("895A", MULTIPLY, 0x17 | ULTRA | EWS, 0x1F, 80),
    "wide Fast-20 of a 1010": ("1010-33", MULTIPLY, 0x30 | EWS, 0x1F, 40)}


FACTORS = {25_000: 10, 50_000: 12, 100_000: 25}


def data_time(board: Board, phase: int) -> int:
    """Time of COUNT bytes; that of their instruction is not counted."""
    play(board, (phase, bytes(COUNT)) if phase == DATA_IN else Take(phase, COUNT), (STATUS, 0), HANG)
    setting = setting_of(board.chip)
    factor = FACTORS[setting.receive_ps] if setting.offset else 0
    target = board.bus.targets[3]
    target.agreed = target.known = Agreement(setting.offset, setting.width, factor)
    code(board, *select(3), *stop_when(phase))
    begun = board.chip.now
    code(board, *move(phase, COUNT), *stop_when(STATUS))
    return board.chip.now - begun - 600


@pytest.mark.parametrize("phase", [DATA_IN, DATA_OUT], ids=["in", "out"])
@pytest.mark.parametrize("name, stest1, scntl3, sxfer, rate", RATES.values(), ids=RATES.keys())
def test_data_takes_bus_time_by_the_registers(name, stest1, scntl3, sxfer, rate, phase):
    board = ready(name)
    for register, value in (STEST1, stest1), (SCNTL3, scntl3), (SXFER, sxfer):
        board.chip.registers[register] = value
    time = data_time(board, phase)
    assert board.bus.data_ns == time
    assert abs(COUNT * 1000 / time - rate) < 0.01 * rate


def test_period_of_sending_does_not_slow_reception():  # [895A 2-40]
    times = []
    for phase in (DATA_IN, DATA_OUT):
        board = ready("810")
        board.chip.registers[SCNTL3], board.chip.registers[SXFER] = 0x13, 0x88
        times.append(data_time(board, phase))
    assert times == [COUNT * 100, COUNT * 200]


@pytest.mark.parametrize("phase", [MSG_IN, STATUS, COMMAND])
def test_other_phases_are_asynchronous(phase):  # [810A 5-15]
    times = []
    for sxfer in (0, 8):
        board = ready("810")
        board.write(SXFER, sxfer)
        play(board, (phase, None if phase == COMMAND else 0x80), HANG)
        begun = board.chip.now
        assert code(board, *select(3), *move(phase, 1, BUFFER), *interrupt(DONE)) == DONE
        times.append(board.chip.now - begun)
        assert board.bus.data_ns == 0
    assert times[0] == times[1]

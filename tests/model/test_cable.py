# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A cable that fails above a rate or a width, and parity over 16 bits [875A 4-75]."""

from __future__ import annotations

import pytest

from tests.model.bus import DATA_IN, DATA_OUT
from tests.model.cable import Cable
from tests.model.chip_programs import PAR, SCNTL3, SIST, SXFER
from tests.model.test_disagreement import DATA, EWS, FAST, FAST_WIDE, NARROW, WIDE, receive, send, set_up

REGISTERS = {NARROW: {}, FAST: {SCNTL3: 0x13, SXFER: 8}, WIDE: {SCNTL3: 0x03 | EWS},
             FAST_WIDE: {SCNTL3: 0x13 | EWS, SXFER: 8}}
SLOW, EIGHT_BITS = {"fastest_ns": 200}, {"widest": 0}
CASES = [(SLOW, NARROW, False), (SLOW, FAST, True), (SLOW, WIDE, False), (SLOW, FAST_WIDE, True),
         (EIGHT_BITS, NARROW, False), (EIGHT_BITS, FAST, False), (EIGHT_BITS, WIDE, True),
         (EIGHT_BITS, FAST_WIDE, True), ({"fastest_ns": 100}, FAST, False)]


@pytest.mark.parametrize("silent", [False, True])
@pytest.mark.parametrize("at", [0, 7])
@pytest.mark.parametrize("limits, agreed, fails", CASES)
def test_cable_changes_data_above_its_limits(limits, agreed, fails, at, silent):
    spoiled = DATA[:at] + bytes([DATA[at] ^ (3 if silent else 1)]) + DATA[at + 1:]
    for phase in DATA_IN, DATA_OUT:
        board = set_up("825", agreed, agreed, REGISTERS[agreed])
        cable = board.bus.cable = Cable(**limits, at=at, silent=silent)
        moved = receive(board) if phase == DATA_IN else send(board)[0]
        assert moved == (spoiled if fails else DATA) and cable.failures == fails
        assert bool(board.read(SIST, 2) & PAR) == (fails and phase == DATA_IN and not silent)

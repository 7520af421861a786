# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Odd bytes of wide transfers, and the counts after an interruption: SWIDE, WSR, WSS, the
latches. [895A 2-53; 896 2-33, 2-55; 875A 4-26; SPI-2 "IGNORE WIDE RESIDUE"]
"""

from __future__ import annotations

import pytest

from tests.model.board import Board
from tests.model.bus import DATA_IN, DATA_OUT, HANG, MSG_IN, STATUS, Bad, Take
from tests.model.chip_programs import (BUFFER, DBC, DFIFO, DONE, MA, PAR, SCNTL2, SCNTL3, SSTAT0,
                                       SSTAT2, SXFER, code, interrupt, move, play, ready, scsi_stop,
                                       select)
from tests.model.target import Disk
from tests.model.transfer import Agreement

CTEST5, DFS, SWIDE, SODL = 0x22, 0x20, 0x45, 0x54
EWS, WSS, WSR = 0x08, 0x08, 0x01
OLF, ORF = 0x20, 0x40
DATA = bytes(range(1, 41))


def chmov(phase: int, count: int, address: int = BUFFER) -> tuple:
    return phase << 24 | count, address


def wide(*events, chip: str = "825", sxfer: int = 0) -> Board:
    board = ready(chip)
    board.write(SCNTL3, (0x10 if chip.startswith("1010") else 0x13) | EWS)
    board.write(SXFER, sxfer)
    board.objections.clear()
    play(board, *events)
    agreed = Agreement(sxfer, 1, 25 if sxfer else 0)
    board.bus.targets[3].agreed = board.bus.targets[3].known = agreed
    board.memory[BUFFER:BUFFER + 40] = DATA
    return board


def got(board: Board, count: int) -> bytes:
    return bytes(board.memory[BUFFER:BUFFER + count])


# ---- In ----


@pytest.mark.parametrize("instruction", [move, chmov])
def test_odd_byte_in_stays_in_swide(instruction):
    board = wide((DATA_IN, DATA), HANG)
    code(board, *select(3), *instruction(DATA_IN, 5), *interrupt(DONE))
    assert (board.read(SWIDE), board.read(SCNTL2) & WSR) == (6, WSR)
    assert got(board, 6) == DATA[:5] + b"\x06", "memory after the bytes counted is unchanged"
    board.write(SCNTL2, WSR)        # clears it
    assert not board.read(SCNTL2) & WSR


def test_chmov_begins_with_swide():
    board = wide((DATA_IN, bytes(range(101, 113))), (STATUS, 0), HANG)
    code(board, *select(3), *chmov(DATA_IN, 5), *chmov(DATA_IN, 1, BUFFER + 5), *chmov(DATA_IN, 3, BUFFER + 6),
         *chmov(DATA_IN, 3, BUFFER + 9), *interrupt(DONE))
    assert got(board, 12) == bytes(range(101, 113))
    assert not board.read(SCNTL2) & WSR and board.objections == []


def test_move_drops_swide():
    board = wide((DATA_IN, bytes(range(101, 113))), HANG)
    code(board, *select(3), *chmov(DATA_IN, 5), *move(DATA_IN, 4, BUFFER + 5), *interrupt(DONE))
    assert got(board, 9) == bytes([101, 102, 103, 104, 105, 107, 108, 109, 110])
    assert board.objections == ["wide data cut at an odd byte"]


def test_message_ends_wsr():
    board = wide((DATA_IN, DATA), (MSG_IN, 2), HANG)
    code(board, *select(3), *move(DATA_IN, 39), *move(MSG_IN, 1, 0x5000), *interrupt(DONE))
    assert not board.read(SCNTL2) & WSR


def test_mismatch_before_the_next_chmov_keeps_swide():
    board = wide((DATA_IN, DATA[:6]), (STATUS, 0), HANG)
    assert scsi_stop(board, *select(3), *chmov(DATA_IN, 5), *chmov(DATA_IN, 7)) == MA
    assert (board.read(DBC, 4) & 0xFFFFFF, board.read(SWIDE), board.read(SCNTL2) & WSR) == (7, 6, WSR)


def test_bad_parity_is_seen_in_wide_words():
    board = wide((DATA_IN, DATA[:4]), Bad(DATA_IN, 6, b"\5"), HANG)
    assert scsi_stop(board, *select(3), *move(DATA_IN, 6)) == PAR


# ---- Out ----


def sent(*instructions, chip: str = "825") -> tuple[list[bytes], Board]:
    board, taken = wide(HANG, chip=chip), []

    def life(bus):
        taken.append((yield Take(DATA_OUT, 12)))
        yield STATUS, 0
        yield HANG
    board.bus.targets[3].session = life
    steps = [word for instruction in instructions for word in instruction]
    code(board, *select(3), *steps, *interrupt(DONE))
    return taken, board


@pytest.mark.parametrize("second", [move, chmov])
def test_chmov_keeps_the_odd_byte_for_the_next_move(second):
    taken, board = sent(chmov(DATA_OUT, 5), second(DATA_OUT, 7, BUFFER + 5))
    assert taken == [DATA[:12]] and not board.read(SCNTL2) & WSS and board.objections == []


def test_kept_byte_shows_in_wss_and_olf():
    _, board = sent(chmov(DATA_OUT, 5))
    assert (board.read(SODL), board.read(SCNTL2) & WSS, board.read(SSTAT0) & OLF) == (5, WSS, OLF)


def test_move_sends_half_a_word():
    taken, board = sent(move(DATA_OUT, 5), move(DATA_OUT, 6, BUFFER + 5))
    assert taken[0][:5] + taken[0][6:] == DATA[:11] and board.objections == ["wide data cut at an odd byte"]


# Chip, offset; SSTAT0, SSTAT2
LATCHES = [("825", 0, OLF, OLF), ("825", 8, OLF | ORF, OLF | ORF), ("875", 0, OLF, OLF)]


@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("moved", [2, 4, 38])
@pytest.mark.parametrize("chip, offset, low, high", LATCHES)
def test_residual_counts_all_latches(chip, offset, low, high, moved, large):
    board = wide(Take(DATA_OUT, moved), (STATUS, 0), HANG, chip=chip, sxfer=offset)
    board.chip.registers[CTEST5] = DFS if large and chip == "875" else 0
    assert scsi_stop(board, *select(3), *move(DATA_OUT, 40)) == MA
    counter = board.read(DBC, 4) & 0xFFFFFF
    mask = 0x3FF if board.read(CTEST5) & DFS else 0x7F
    left = counter + ((board.read(CTEST5) & 3) << 8 | board.read(DFIFO)) - counter & mask
    flags = board.read(SSTAT0) & low, board.read(SSTAT2) & high
    assert left + sum(flag.bit_count() for flag in flags) == 40 - moved
    if moved < 38:
        assert flags == (low, high)


def test_kept_byte_counts_after_a_mismatch():
    board = wide(Take(DATA_OUT, 4), (STATUS, 0), HANG)
    assert scsi_stop(board, *select(3), *chmov(DATA_OUT, 5), *chmov(DATA_OUT, 7, BUFFER + 5)) == MA
    counter = board.read(DBC, 4) & 0xFFFFFF
    assert counter + (board.read(DFIFO) - counter & 0x7F) + bool(board.read(SSTAT0) & OLF) == 8


@pytest.mark.parametrize("instruction", [move, chmov])
def test_residual_of_an_odd_count_is_exact(instruction):
    board = wide(Take(DATA_OUT, 2), (STATUS, 0), HANG)
    assert scsi_stop(board, *select(3), *instruction(DATA_OUT, 9)) == MA
    counter = board.read(DBC, 4) & 0xFFFFFF
    latches = (board.read(SSTAT0) & OLF).bit_count() + (board.read(SSTAT2) & OLF).bit_count()
    assert counter + (board.read(DFIFO) - counter & 0x7F) + latches == 7


@pytest.mark.parametrize("chip", ["810", "825"])
def test_chmov_needs_a_wide_transfer(chip):
    board = ready(chip)
    play(board, (DATA_IN, DATA), HANG)
    board.run(*select(3), *chmov(DATA_IN, 4))
    assert board.objections == ["CHMOV in place of MOVE"]


# ---- Targets ----


def test_wide_target_completes_half_a_word_and_says_so():
    disk = Disk(agreed=Agreement(width=1))
    events = [(DATA_IN, b"abc"), (DATA_IN, b"de"), (MSG_IN, 2), (DATA_IN, b"fg"), (STATUS, 0)]
    assert list(disk.in_words(iter_events(events))) == [
        (DATA_IN, b"ab"), (DATA_IN, b"cd"), (DATA_IN, b"e"), (MSG_IN, b"\x23\x01"), (MSG_IN, 2), (DATA_IN, b"fg"),
        (STATUS, 0)]


def iter_events(events):
    yield from events


def test_second_byte_of_a_word_out_is_for_the_next_event():
    seen = []

    def takes():
        for count in (3, 2, 1):
            seen.append((yield Take(DATA_OUT, count)))
    events = Disk().in_words(takes())
    assert next(events) == Take(DATA_OUT, 4)
    assert events.send(b"abcd") == Take(DATA_OUT, 2)
    with pytest.raises(StopIteration):
        events.send(b"ef")
    assert seen == [b"abc", b"de", b"f"]

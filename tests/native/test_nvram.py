# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""lsi/post/nvram.c on x86-64 with the EEPROM models: what it finds, reads and writes, and
that each fault of the bus or the chip ends in a status, in time. After each call the
pins are checked (Chip.check_idle()).
"""

from __future__ import annotations

import ctypes
import random
from pathlib import Path

import pytest

from tests.model.chip_faults import removed_at
from tests.model.eeprom import (BYTES, PAGE_BYTES, SCL, SDA, Eeprom, Faults, PowerLoss, TekramEeprom,
                                tekram_image, tekram_words)
from tests.model.emulated_86box import Box86Eeprom
from tests.model.registers import GPCNTL, GPREG, MS
from tests.native.native import Native

RANDOM = random.Random(24).randbytes(BYTES)
NEW = random.Random(16).randbytes(BYTES)
BLANK = b"\xFF" * BYTES
CHIPS = ["NONE", "24C16", "93C46", "STUCK"]
RESULTS = ["OK", "NO_ACKNOWLEDGE", "BUSY", "DIFFERS"]
BYTE_NS = 9 * 2 * 10_000        # most, of a byte on the bus
LATE_NS = 60 * MS               # for a chip that does not answer
# GPREG and GPCNTL as firmware may leave them: inputs; outputs low; GPIO0 as a fetch
# indicator; outputs high; an activity LED and terminators
BOARDS = [(0x0F, 0x0F), (0x00, 0x1C), (0x12, 0x2F), (0x1F, 0x00), (0x08, 0x4E),
          (0x03, 0xEC)]


class Card(Native):
    """A controller with an EEPROM; lsi_open() has not been called. Register accesses are
    quick: only delays make the bus slow enough."""

    access_ns = 30

    def __init__(self, library: Path, eeprom: Eeprom | TekramEeprom | None = None,
                 board: tuple[int, int] = (0x0F, 0x0F), hardware: str = "silicon", variant: str = "875"):
        self.eeprom, self._board = eeprom, board
        super().__init__(library, {}, hardware, variant)

    def _start(self) -> None:
        if self.eeprom:
            self.chip.plug_eeprom(self.eeprom)
        self.chip.set_board(*self._board, stest2=0, dcntl=0)
        self.chip.advance(10 * MS)
        assert self.stop() == "OK"

    def _call(self, function: str, *arguments) -> int:
        self.chip.advance(10_000)
        return super()._call(function, *arguments)

    def detect(self) -> str:
        return CHIPS[self._call("native_detect")]

    def load(self, at: int, count: int) -> bytes | str:
        """The bytes, or the status."""
        bytes_read = (ctypes.c_uint8 * count)()
        result = RESULTS[self._call("native_load", at, bytes_read, count)]
        return bytes(bytes_read) if result == "OK" else result

    def store(self, at: int, data: bytes) -> str:
        return RESULTS[self._call("native_store", at, data, len(data))]


def changed(at: int, data: bytes, content: bytes = RANDOM) -> bytes:
    return content[:at] + data + content[at + len(data):]


def pages(at: int, count: int) -> list[tuple[int, int]]:
    """The write cycles that a range needs."""
    ends = [at + count, *range(at // PAGE_BYTES * PAGE_BYTES + PAGE_BYTES, at + count, PAGE_BYTES)]
    cycles = []
    for end in sorted(ends):
        cycles.append((at, end - at))
        at = end
    return cycles


# ---- Detection ---------------------------------------------------------------------------


@pytest.mark.parametrize("board", BOARDS, ids=str)
@pytest.mark.parametrize("eeprom, found", [
    (lambda: None, "NONE"),
    (lambda: Eeprom(RANDOM), "24C16"),
    (lambda: Eeprom(bytes(BYTES)), "24C16"),
    (lambda: Eeprom(tekram_image()), "24C16"),
    (lambda: Eeprom(faults=Faults(stuck={SDA: 0})), "STUCK"),
    (lambda: Eeprom(faults=Faults(stuck={SDA: 1})), "NONE"),
    (lambda: Eeprom(faults=Faults(stuck={SCL: 0})), "NONE"),
    (lambda: Eeprom(faults=Faults(stuck={SCL: 1})), "NONE"),
], ids=["none", "24C16", "zeros", "Tekram's 24C16", "SDA low", "SDA high", "SCL low", "SCL high"])
def test_chip_is_found(library, eeprom, found, board):
    assert Card(library, eeprom(), board).detect() == found


# Others have their GPIO4 high, which would select the chip.
TEKRAM_BOARDS = [board for board in BOARDS if not board[0] & ~board[1] & 0x10]


@pytest.mark.parametrize("board", TEKRAM_BOARDS, ids=str)
@pytest.mark.parametrize("words, found", [(tekram_words(), "93C46"), ([0] * 64, "NONE")], ids=["93C46", "another sum"])
def test_93c46_is_found_by_its_sum(library, words, found, board):
    assert Card(library, TekramEeprom(words), board).detect() == found


@pytest.mark.parametrize("variant", ["810", "895A", "1010-33"])
def test_chip_is_found_by_every_core(library, variant):
    assert Card(library, Eeprom(RANDOM), variant=variant).detect() == "24C16"


def test_missing_chip_is_found_within_3_ms_and_few_clocks(library):
    card = Card(library)
    begun = card.chip.now
    assert card.detect() == "NONE"
    assert card.chip.now - begun < 3 * MS


def test_detection_writes_nothing(library):
    eeprom = Eeprom(RANDOM)
    card = Card(library, eeprom)
    card.detect()
    card.load(0, BYTES)
    assert eeprom.content == RANDOM and not eeprom.cycles


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("byte", [0x00, 0xFF, 0x55])
def test_chip_that_a_reset_left_in_a_read_is_freed(library, byte, bits):
    eeprom = Eeprom(bytes([byte]) * BYTES).sending(0x80, bits)
    card = Card(library, eeprom)
    assert card.detect() == "24C16"
    assert card.load(0x80, 20) == bytes([byte]) * 20
    assert not eeprom.cycles


@pytest.mark.parametrize("clocks", range(1, 60))
def test_chip_that_a_reset_left_in_a_write_stores_no_more(library, clocks):
    """The machine is reset after each number of clocks in the first bytes of a page. The
    reset itself releases both lines, which may be a STOP."""
    eeprom = Eeprom(RANDOM, faults=Faults(power_lost_at_clock=clocks))
    with pytest.raises(PowerLoss):
        Card(library, eeprom).store(0x120, NEW[:16])
    eeprom.faults.power_lost_at_clock = None
    eeprom.resumes = True
    eeprom.restart_time()
    card = Card(library, eeprom)
    before, content = eeprom.cycles, eeprom.content
    assert card.detect() == "24C16"
    assert card.load(0x120, 16) == content[0x120:0x130]
    assert eeprom.cycles == before


@pytest.mark.parametrize("n", range(1, 40, 3))
def test_card_that_is_removed_ends_in_none(library, n):
    card = Card(library)
    with removed_at(card.chip, n):
        assert card.detect() == "NONE"


def test_stop_reports_a_chip_that_does_not_answer(library):
    card = Card(library)
    with removed_at(card.chip, 1):
        assert card.stop() == "CHIP"


# ---- Reading and writing -----------------------------------------------------------------


RANGES = [(0, 1), (0, 16), (15, 2), (0x0F8, 20), (0x100, 368), (0x26A, 6), (0x300, 32), (0x7FF, 1), (0x7F0, 16)]


@pytest.mark.parametrize("at, count", RANGES)
def test_read(library, at, count):
    assert Card(library, Eeprom(RANDOM)).load(at, count) == RANDOM[at:at + count]


def test_read_of_all(library):
    assert Card(library, Eeprom(RANDOM)).load(0, BYTES) == RANDOM


@pytest.mark.parametrize("write_ns", [5 * MS, 10 * MS])
@pytest.mark.parametrize("at, count", RANGES)
def test_write_is_split_into_pages(library, at, count, write_ns):
    eeprom = Eeprom(RANDOM, write_ns)
    data = NEW[:count]
    assert Card(library, eeprom).store(at, data) == "OK"
    assert eeprom.content == changed(at, data)
    assert eeprom.written == pages(at, count)


def test_write_after_lsi_open(library):
    """From the set-up screen"""
    eeprom = Eeprom(RANDOM)
    card = Card(library, eeprom)
    assert card.open() == "OK"
    assert card.store(0x100, NEW[:40]) == "OK"
    assert card.load(0x100, 40) == NEW[:40]


@pytest.mark.parametrize("at, count", RANGES)
def test_86box(library, at, count):
    eeprom = Box86Eeprom(RANDOM)
    card = Card(library, eeprom, (0x00, 0x03), "86box")
    assert card.detect() == "24C16"
    assert card.load(at, count) == RANDOM[at:at + count]
    assert card.store(at, NEW[:count]) == "OK"
    assert eeprom.content == changed(at, NEW[:count])


def test_86box_with_a_new_eeprom(library):
    assert Card(library, None, (0x00, 0x03), "86box").load(0x100, 368) == bytes(368)


# ---- Faults ------------------------------------------------------------------------------


def test_missing_chip_does_not_acknowledge(library):
    card = Card(library)
    assert card.load(0x100, 16) == "NO_ACKNOWLEDGE"
    assert card.store(0x100, NEW[:16]) == "NO_ACKNOWLEDGE"


def test_write_protected_chip_differs(library):
    eeprom = Eeprom(BLANK, faults=Faults(write_protected=True))
    assert Card(library, eeprom).store(0x100, NEW[:40]) == "DIFFERS"
    assert eeprom.content == BLANK


@pytest.mark.parametrize("count", [1, 16, 17])
def test_endless_write_cycle_is_busy(library, count):
    card = Card(library, Eeprom(RANDOM, faults=Faults(endless_write=True)))
    assert card.store(0x100, NEW[:count]) == "BUSY"
    assert card.chip.now < LATE_NS


QUICK_NS = MS // 2      # write cycles: the host asks five times whether one is over


def clocks_of(library: Path, act) -> int:
    eeprom = Eeprom(RANDOM, QUICK_NS)
    act(Card(library, eeprom))
    return eeprom.clocks


def in_time(card: Card, act, count: int):
    begun = card.chip.now
    result = act(card)
    assert card.chip.now - begun < LATE_NS + 2 * count * BYTE_NS
    return result


COUNT = 20
read_some = (lambda card: card.load(0x108, COUNT))
write_some = (lambda card: card.store(0x108, NEW[:COUNT]))


def test_chip_that_falls_silent_at_any_clock_of_a_read(library):
    """From then on it reads as ones."""
    for clock in range(clocks_of(library, read_some) + 1):
        result = in_time(Card(library, Eeprom(RANDOM, faults=Faults(silent_from_clock=clock))), read_some, COUNT)
        assert result == "NO_ACKNOWLEDGE" or len(result) == COUNT
        if clock < 29:      # the three bytes before the data
            assert result == "NO_ACKNOWLEDGE"


sweeps = pytest.mark.parametrize("step", [7, pytest.param(1, marks=pytest.mark.long)])    # prime to 9


@sweeps
def test_chip_that_falls_silent_at_any_clock_of_a_write(library, step):
    last = clocks_of(library, write_some)
    seen = set()
    for clock in range(0, last, step):
        eeprom = Eeprom(RANDOM, QUICK_NS, Faults(silent_from_clock=clock))
        result = in_time(Card(library, eeprom), write_some, COUNT)
        seen.add(result)
        assert result != "OK" or eeprom.content == changed(0x108, NEW[:COUNT]), clock
    assert seen >= {"NO_ACKNOWLEDGE", "BUSY", "DIFFERS"}


@sweeps
@pytest.mark.parametrize("act", [read_some, write_some], ids=["read", "write"])
def test_chip_that_holds_sda_from_any_clock(library, act, step):
    for clock in range(1, clocks_of(library, act), step):
        result = in_time(Card(library, Eeprom(RANDOM, QUICK_NS, Faults(holds_from_clock=clock))), act, COUNT)
        assert result == "NO_ACKNOWLEDGE" or act is write_some and result == "BUSY", clock


def test_chip_that_falls_silent_or_holds_sda_in_detection(library):
    """Ten clocks make it acknowledge."""
    for clock in range(12):
        silent, held = Faults(silent_from_clock=clock), Faults(holds_from_clock=clock)
        assert Card(library, Eeprom(RANDOM, faults=silent)).detect() == ("NONE" if clock < 10 else "24C16"), clock
        assert Card(library, Eeprom(RANDOM, faults=held)).detect() == "STUCK", clock


# ---- Loss of power -----------------------------------------------------------------------


TORN = {"old": lambda old, new: old, "new": lambda old, new: new, "erased": lambda old, new: b"\xFF" * len(old),
        "half": lambda old, new: new[:7] + old[7:], "erased half": lambda old, new: new[:3] + b"\xFF" * (len(old) - 3)}


@sweeps
@pytest.mark.parametrize("torn", TORN.values(), ids=TORN.keys())
def test_power_lost_at_any_clock_changes_no_other_page(library, torn, step):
    """Pages before the one in which it happens are new, pages after it are old."""
    new = changed(0x108, NEW[:40])
    for clock in range(1, clocks_of(library, lambda card: card.store(0x108, NEW[:40])) + 1, 3 * step):
        eeprom = Eeprom(RANDOM, QUICK_NS, Faults(power_lost_at_clock=clock, torn=torn))
        with pytest.raises(PowerLoss):
            Card(library, eeprom).store(0x108, NEW[:40])
        left = eeprom.without_power().content
        kinds = ["new" if left[at:at + 16] == new[at:at + 16] else
                 "old" if left[at:at + 16] == RANDOM[at:at + 16] else "torn" for at in (0x100, 0x110, 0x120)]
        assert left[:0x100] == RANDOM[:0x100] and left[0x130:] == RANDOM[0x130:]
        assert "".join(kind[0] for kind in kinds) in ("nnn", "nno", "nnt", "noo", "nto", "ooo", "too"), kinds


@pytest.mark.parametrize("board", BOARDS, ids=str)
def test_other_pins_do_not_change_at_any_time(library, board):
    """On a board with a 24C16. Terminators may be there."""
    card = Card(library, Eeprom(RANDOM), board)
    chip, drive, others = card.chip, card.chip._drive_pins, 0x1C

    def watched(changed: int) -> None:
        outputs = ~chip.registers[GPCNTL] & others
        assert outputs == ~board[1] & others
        assert chip.registers[GPREG] & outputs == board[0] & outputs
        drive(changed)
    chip._drive_pins = watched
    assert card.detect() == "24C16"
    assert card.load(0, 1) == RANDOM[:1]
    assert card.store(0, b"1") == "OK"


@pytest.mark.parametrize("gpreg, gpcntl", BOARDS)
def test_pins_are_as_found(library, gpreg, gpcntl):
    card = Card(library, Eeprom(RANDOM), (gpreg, gpcntl))
    card.load(0, 1)
    card.store(0, b"1")
    registers = card.chip.registers
    outputs = ~gpcntl & 0x1F
    assert (registers[GPREG] & outputs, registers[GPCNTL]) == (gpreg & outputs, gpcntl)

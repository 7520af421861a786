# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The EEPROM models, driven by the registers of a chip: what they answer, when they do not,
and the rules of their buses.
"""

from __future__ import annotations

import random

import pytest

from tests.model.board import Board
from tests.model.chip import Chip
from tests.model.eeprom import (BYTES, PAGE_BYTES, Eeprom, Faults, PowerLoss, TekramEeprom,
                                tekram_block, tekram_image, tekram_words)
from tests.model.emulated_86box import Box86Chip
from tests.model.registers import GPCNTL, GPREG, ISTAT, MS, SRST, US
from tests.model.rules import RULES

RANDOM = random.Random(16).randbytes(BYTES)
OUTPUTS = 0x0C      # GPCNTL: GPIO0 and GPIO1 are outputs


class Host(Board):
    """A two-wire master. SDA is released as an input, or with `push`, driven high."""

    def __init__(self, eeprom: Eeprom | None = None, chip_class: type[Chip] = Chip,
                 half_ns: int = 5 * US, push: bool = False):
        super().__init__("875", chip_class)
        if eeprom:
            self.chip.plug_eeprom(eeprom)
        self.half_ns, self.push = half_ns, push
        self.lines(1, 1)

    def lines(self, sda: int, scl: int, released: bool | None = None) -> None:
        released = sda and not self.push if released is None else released
        self.write(GPCNTL, OUTPUTS | released)
        self.write(GPREG, scl << 1 | sda)
        self.pass_time(self.half_ns)

    def start(self) -> None:
        self.lines(1, 0)
        self.lines(1, 1)
        self.lines(0, 1)
        self.lines(0, 0)

    def stop(self) -> None:
        self.lines(0, 0)
        self.lines(0, 1)
        self.lines(1, 1)

    def bit(self, sda: int, released: bool | None = None) -> int:
        self.lines(sda, 0, released)
        self.lines(sda, 1, released)
        value = self.read(GPREG) & 1
        self.lines(sda, 0, released)
        return value

    def send(self, byte: int) -> bool:
        """Whether it was acknowledged."""
        for n in range(7, -1, -1):
            self.bit(byte >> n & 1)
        return not self.bit(1, True)

    def receive(self, more: bool) -> int:
        byte = 0
        for _ in range(8):
            byte = byte << 1 | self.bit(1, True)
        self.bit(not more)
        return byte

    def address(self, at: int) -> bool:
        self.start()
        return self.send(0xA0 | at >> 7 & 0x0E) and self.send(at & 0xFF)

    def load(self, at: int, count: int) -> bytes | None:
        if not self.address(at):
            return None
        self.start()
        if not self.send(0xA1 | at >> 7 & 0x0E):
            return None
        data = bytes(self.receive(n < count - 1) for n in range(count))
        self.stop()
        return data

    def store(self, at: int, data: bytes) -> bool:
        acknowledged = self.address(at) and all(self.send(byte) for byte in data)
        self.stop()
        return acknowledged


def content_with(*changes: tuple[int, bytes]) -> bytes:
    content = bytearray(RANDOM)
    for at, data in changes:
        content[at:at + len(data)] = data
    return bytes(content)


@pytest.mark.parametrize("at, count", [(0, 1), (0xFF, 2), (0x100, 368), (0x7F8, 8)])
def test_bytes_are_read_from_any_address(at, count):
    host = Host(Eeprom(RANDOM))
    assert host.load(at, count) == RANDOM[at:at + count]
    assert not host.objections


def test_reading_wraps_after_the_last_byte():
    assert Host(Eeprom(RANDOM)).load(0x7FE, 4) == RANDOM[-2:] + RANDOM[:2]


def test_master_that_drives_ones_reads_too():
    """As Linux does. It objects only while the chip acknowledges a byte that ends in a one."""
    host = Host(Eeprom(RANDOM), push=True)
    assert host.load(0x100, 16) == RANDOM[0x100:0x110]
    assert set(host.objections) == {"EEPROM line driven against the chip"}


def test_page_is_written_after_a_write_cycle():
    eeprom = Eeprom(RANDOM)
    host = Host(eeprom)
    assert host.store(0x120, bytes(16))
    assert not host.address(0x120), "it does not acknowledge"
    host.stop()
    host.pass_time(7 * MS)
    assert host.load(0x110, 48) == content_with((0x120, bytes(16)))[0x110:0x140]
    assert eeprom.written == [(0x120, 16)]
    assert not host.objections


def test_writing_wraps_within_a_page():
    eeprom = Eeprom(RANDOM)
    assert Host(eeprom).store(0x12E, b"abcd")
    assert eeprom.content == content_with((0x12E, b"ab"), (0x120, b"cd"))


def test_write_without_stop_stores_nothing():
    eeprom = Eeprom(RANDOM)
    host = Host(eeprom)
    host.address(0x120)
    host.send(0x55)
    host.start()
    host.send(0xA1)
    assert eeprom.content == RANDOM


def test_other_device_codes_are_not_acknowledged():
    host = Host(Eeprom())
    host.start()
    assert not host.send(0xB0)


def test_without_an_eeprom_all_lines_are_high():
    host = Host()
    assert host.load(0, 1) is None
    assert host.read(GPREG) & 1


def test_direction_of_a_pin_decides_what_is_read():
    host = Host()
    host.write(GPREG, 0x00)
    host.write(GPCNTL, 0x0C)
    assert host.read(GPREG) == 0x0C
    host.write(GPCNTL, 0x0F)
    assert host.read(GPREG) == 0x0F


def test_software_reset_makes_the_pins_inputs():
    host = Host(Eeprom())
    host.lines(0, 0)
    host.write(ISTAT, SRST)
    host.write(ISTAT, 0)
    assert host.read(GPREG) & 3 == 3


# ---- Faults -----------------------------------------------------------------------------


@pytest.mark.parametrize("line, level, seen", [(1, 0, "acknowledged"), (1, 1, "none"), (2, 0, "none"),
                                               (2, 1, "none")])
def test_stuck_line(line, level, seen):
    host = Host(Eeprom(RANDOM, faults=Faults(stuck={line: level})))
    assert host.address(0) == (seen == "acknowledged")


def test_silent_chip_no_longer_acknowledges():
    host = Host(Eeprom(RANDOM, faults=Faults(silent_from_clock=15)))
    host.start()
    assert host.send(0xA0)
    assert not host.send(0)


def test_chip_that_holds_sda_never_releases_it():
    host = Host(Eeprom(RANDOM, faults=Faults(holds_from_clock=9)))
    host.start()
    host.send(0xA0)
    host.lines(1, 1)
    assert not host.read(GPREG) & 1


def test_write_protected_chip_keeps_its_content():
    eeprom = Eeprom(RANDOM, faults=Faults(write_protected=True))
    assert Host(eeprom).store(0x120, bytes(16))
    assert eeprom.content == RANDOM


def test_endless_write_cycle():
    host = Host(Eeprom(faults=Faults(endless_write=True)))
    host.store(0, b"1")
    host.pass_time(1000 * MS)
    assert not host.address(0)


@pytest.mark.parametrize("bits", range(1, 9))
def test_chip_left_in_a_read_is_freed_by_nine_clocks_and_stop(bits):
    host = Host(Eeprom(RANDOM).sending(0x33, bits))
    for _ in range(9):
        host.bit(1)
    host.stop()
    assert host.load(0x33, 2) == RANDOM[0x33:0x35]
    assert not host.objections


@pytest.mark.parametrize("torn, left", [(lambda old, new: old, RANDOM),
                                        (lambda old, new: new[:4] + old[4:], content_with((0x120, bytes(4))))])
def test_power_lost_in_a_write_cycle_leaves_part_of_a_page(torn, left):
    eeprom = Eeprom(RANDOM, faults=Faults(torn=torn))
    host = Host(eeprom)
    host.store(0x120, bytes(16))
    eeprom.faults.power_lost_at_clock = eeprom.clocks + 1
    with pytest.raises(PowerLoss):
        host.address(0)
    assert eeprom.without_power().content == left


def test_power_lost_after_a_byte_drops_the_page():
    eeprom = Eeprom(RANDOM, faults=Faults(power_lost_after_byte=2))
    with pytest.raises(PowerLoss):
        Host(eeprom).store(0x120, bytes(16))
    assert eeprom.without_power().content == RANDOM


# ---- Rules ------------------------------------------------------------------------------


def test_lines_that_change_too_fast_break_a_rule():
    host = Host(Eeprom(RANDOM), half_ns=4 * US)
    host.load(0, 1)
    assert set(host.objections) == {"EEPROM bus too fast"}


def test_shortest_times_break_no_rule():
    host = Host(Eeprom(RANDOM), half_ns=4700)
    host.load(0, 1)
    assert not host.objections


def short(name: str, *steps: tuple[int, int, int], push: bool = False):
    """Lines and the time after each."""
    def act(host: Host) -> None:
        host.start()
        host.push = push
        for sda, scl, ns in steps:
            host.half_ns = ns
            host.lines(sda, scl)
    return pytest.param(act, name, id=name)


ENOUGH = 5000


@pytest.mark.parametrize("act, name", [
    short("SCL low", (1, 0, ENOUGH), (1, 1, ENOUGH), (1, 0, 2000), (1, 1, ENOUGH)),
    short("SCL high", (1, 0, ENOUGH), (1, 1, 2000), (1, 0, ENOUGH)),
    short("start set-up", (1, 0, ENOUGH), (1, 1, 3000), (0, 1, ENOUGH)),
    short("start hold", (1, 0, ENOUGH), (1, 1, ENOUGH), (0, 1, 3000), (0, 0, ENOUGH)),
    short("data set-up", (0, 0, ENOUGH), (1, 0, 200), (1, 1, ENOUGH)),
    short("stop set-up", (0, 0, ENOUGH), (0, 1, 3000), (1, 1, ENOUGH)),
    short("bus free", (0, 0, ENOUGH), (0, 1, ENOUGH), (1, 1, 3000), (0, 1, ENOUGH)),
    short("together", (0, 0, ENOUGH), (0, 1, ENOUGH), (0, 0, ENOUGH), (1, 1, ENOUGH), push=True),
])
def test_each_minimum_time_is_checked(act, name):
    host = Host(Eeprom())
    said = []
    host.chip.rule = lambda rule, detail: said.append(f"{rule}: {detail}")
    act(host)
    assert [text for text in said if name in text and "EEPROM bus too fast" in text]


def _stop_in_byte(host: Host) -> None:
    host.start()
    for _ in range(3):
        host.bit(1)
    host.stop()


def _drive_against_acknowledge(host: Host) -> None:
    host.push = True
    host.start()
    host.send(0xA1)


@pytest.mark.parametrize("rule, act", [("EEPROM line driven against the chip", _drive_against_acknowledge),
                                       ("EEPROM byte cut short", _stop_in_byte)])
def test_broken_rule_is_named(rule, act):
    assert rule in RULES
    host = Host(Eeprom())
    act(host)
    assert rule in host.objections


# ---- 86Box ------------------------------------------------------------------------------


def test_86box_has_a_blank_eeprom():
    host = Host(chip_class=Box86Chip)
    assert host.load(0x100, 8) == bytes(8)


def test_86box_reads_and_writes():
    host = Host(chip_class=Box86Chip)
    assert host.store(0x12E, b"abcd"), "a write does not wrap within a page"
    assert host.load(0x12C, 8) == b"\0\0abcd\0\0"


def test_86box_sees_directions_only_with_the_next_write_of_gpreg():
    host = Host(chip_class=Box86Chip)
    host.lines(0, 1)
    host.write(GPCNTL, 0x0F)
    assert not host.read(GPREG) & 1
    host.write(GPREG, 0x02)
    assert host.read(GPREG) & 1


# ---- 93C46 ------------------------------------------------------------------------------


class TekramHost(Board):
    """GPIO0 is an input; GPIO1, 2 and 4 are outputs."""

    def __init__(self, eeprom: TekramEeprom, half_ns: int = US):
        super().__init__("875")
        self.chip.plug_eeprom(eeprom)
        self.half_ns = half_ns
        self.pins(0)
        self.write(GPCNTL, 0x09)

    def pins(self, value: int) -> None:
        self.write(GPREG, value)
        self.pass_time(self.half_ns)

    def bit(self, value: int = 0) -> int:
        self.pins(0x10 | value << 1)
        self.pins(0x14 | value << 1)
        self.pins(0x10 | value << 1)
        return self.read(GPREG) & 1

    def word(self, address: int, command: int = 0b110) -> int | None:
        for n in range(8, -1, -1):
            dummy = self.bit((command << 6 | address) >> n & 1)
        if dummy:
            return None
        word = 0
        for _ in range(16):
            word = word << 1 | self.bit()
        self.pins(0)
        return word


def test_93c46_is_read_word_by_word():
    host = TekramHost(TekramEeprom(tekram_words()))
    words = [host.word(n) for n in range(64)]
    assert words == tekram_words()
    assert sum(words) & 0xFFFF == 0x1234
    assert not host.objections


def test_93c46_is_not_written_to():
    host = TekramHost(TekramEeprom(tekram_words()))
    host.word(0, 0b101)
    assert host.objections == ["93C46 written to"]


def test_fast_93c46_breaks_a_rule():
    host = TekramHost(TekramEeprom(tekram_words()), 500)
    host.word(0)
    assert set(host.objections) == {"EEPROM bus too fast"}


def test_output_against_the_93c46_breaks_a_rule():
    host = TekramHost(TekramEeprom(tekram_words()))
    host.write(GPCNTL, 0x08)
    host.pins(0x10)
    assert "EEPROM line driven against the chip" in host.objections


def test_93c46_on_two_wires_does_not_answer():
    """As long as it is not selected."""
    host = Host()
    host.chip.plug_eeprom(TekramEeprom(tekram_words()))
    assert host.load(0, 1) is None
    assert not host.objections


def test_later_tekram_board_has_the_block_in_a_24c16():
    block = Host(Eeprom(tekram_image())).load(0x40, 128)
    assert block == tekram_block() and len(block) == 128 and PAGE_BYTES == 16

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""How data moves: what a target has agreed to; clock, period, offset and width of a chip by
its registers; and the time that this takes on the bus.

    sending     SCNTL3.SCF divides the clock, SXFER.TP the result by 4 to 11
    receiving   SCNTL3.SCF divides the clock, and four of its periods are one transfer
    53C1010     SCF divides 160 MHz; four periods, and one more for each extra clock of
                setup and hold in SCNTL4, for both directions

[810A 2-13, 5-13; 875A 2-35; 895A 2-41; for the 53C1010 the drivers that variants.py names]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.model.registers import (EWS, MULTIPLIED, SCNTL3, SCNTL4, STEST1, STEST3, SXFER, TE,
                                   ULTRA, XCLKH_ST, XCLKS_ST)

if TYPE_CHECKING:
    from tests.model.chip import Chip

ASYNCHRONOUS_PS = 333_333       # of a handshake: 3.0 MB/s with 8 bits
FACTORS = {10: 25_000, 11: 30_300, 12: 50_000}     # others are multiples of 4 ns
HALVES = (6, 2, 3, 4, 6, 8, 12, 16)     # divisors of SCF and CCF, in halves


@dataclass(frozen=True)
class Agreement:
    """Of a target with its initiator: offset and period factor of SDTR, width of WDTR. Without
    an offset it is asynchronous."""
    offset: int = 0
    width: int = 0
    factor: int = 0

    @property
    def period_ps(self) -> int:
        """[SPI-2 "Transfer period factor"]"""
        return FACTORS.get(self.factor, self.factor * 4_000) if self.offset else 0


NONE = Agreement()


@dataclass(frozen=True)
class Setting:
    """Of a chip for the connected target. Without an offset it is asynchronous. The periods
    are in ps: of a transfer that it sends, and the shortest that it can receive."""
    offset: int = 0
    width: int = 0
    send_ps: int = ASYNCHRONOUS_PS
    receive_ps: int = ASYNCHRONOUS_PS

    def data_ps(self, count: int, sends: bool, target_ps: int = 0) -> int:
        """Time of a data phase with so many bytes. The slower side decides."""
        period = self.send_ps if sends else self.receive_ps
        return (count + self.width >> self.width) * max(period, target_ps)


NARROW, WIDE = Setting(), Setting(width=1)


def clock_mhz(chip: Chip) -> int:
    """Of the SCSI core: SCLK, or a multiple of it."""
    selected = chip.registers[STEST1] & MULTIPLIED == MULTIPLIED
    return chip.variant.clock_mhz * (chip.variant.multiplier if selected else 1)


def setting_of(chip: Chip) -> Setting:
    """What SXFER, SCNTL3 and SCNTL4 select."""
    registers = chip.registers
    offset = registers[SXFER] & (0x3F if chip.variant.core_1010 else 0x1F)
    width = int(bool(registers[SCNTL3] & EWS))
    if not offset:
        return WIDE if width else NARROW
    tick_ps = 500_000 * HALVES[registers[SCNTL3] >> 4 & 7] // clock_mhz(chip)
    if chip.variant.core_1010:
        extra = bool(registers[SCNTL4] & XCLKS_ST) + bool(registers[SCNTL4] & XCLKH_ST)
        return Setting(offset, width, tick_ps * (4 + extra), tick_ps * (4 + extra))
    return Setting(offset, width, tick_ps * (4 + (registers[SXFER] >> 5)), tick_ps * 4)


def matches(setting: Setting, agreed: Agreement) -> bool:
    """The chip sends no faster than agreed, and can receive at the agreed period."""
    return ((setting.offset, setting.width) == (agreed.offset, agreed.width)
            and (not agreed.offset or setting.receive_ps <= agreed.period_ps <= setting.send_ps))


def beyond(chip: Chip, setting: Setting) -> str:
    """Why the chip cannot do that, if it cannot: its offset and rate; periods below 100 ns
    need SCNTL3.ULTRA and active negation. [875A 2-20, 4-27]"""
    variant, registers = chip.variant, chip.registers
    if setting.offset > variant.most_offset:
        return f"offset {setting.offset}"
    if setting.offset and setting.send_ps < variant.fastest_ns * 1000:
        return f"{setting.send_ps} ps"
    if setting.offset and setting.send_ps < 100_000:
        if not (registers[SCNTL3] & ULTRA or variant.core_1010):
            return "SCNTL3.ULTRA is off"
        if not registers[STEST3] & TE:
            return "STEST3.TE is off"
    return ""

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""How a chip moves data: its clock, period, offset and width by its registers, and the
time that this takes on the bus.

    sending     SCNTL3.SCF divides the clock, SXFER.TP the result by 4 to 11
    receiving   SCNTL3.SCF divides the clock, and four of its periods are one transfer
    53C1010     SCF divides 160 MHz; four periods, and one more for each extra clock of
                setup and hold in SCNTL4, for both directions

[810A 2-13, 5-13; 875A 2-35; 895A 2-41; for the 53C1010 the drivers that variants.py names]
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.model.registers import (EWS, MULTIPLIED, SCNTL3, SCNTL4, STEST1, SXFER, XCLKH_ST,
                                   XCLKS_ST)

if TYPE_CHECKING:
    from tests.model.chip import Chip

ASYNCHRONOUS_PS = 333_333       # of a handshake: 3.0 MB/s with 8 bits
HALVES = (6, 2, 3, 4, 6, 8, 12, 16)     # divisors of SCF and CCF, in halves


@dataclass(frozen=True)
class Setting:
    """Of a chip for the connected target. Without an offset it is asynchronous. The periods
    are in ps: of a transfer that it sends, and the shortest that it can receive."""
    offset: int = 0
    width: int = 0
    send_ps: int = ASYNCHRONOUS_PS
    receive_ps: int = ASYNCHRONOUS_PS

    def data_ps(self, count: int, sends: bool) -> int:
        """Time of a data phase with so many bytes."""
        return (count + self.width >> self.width) * (self.send_ps if sends else self.receive_ps)


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

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""What a driver of DOS or Windows, or another ROM, leaves in the chip and in the
targets between two of our calls. The PC's other code is not simulated: each function
here sets the state in which it would have left.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.model.pc import Pc
from tests.model.registers import (COM, DCNTL, DIEN, DSA, EWS, ISTAT, MS, RESPID0, SCID, SCNTL3, SGE,
                                   SIEN0, SIEN1, SIGP, SRST, STIME0, SXFER)
from tests.model.scripts import RELATIVE_IO

PROGRAM = 0x6000        # of the other driver, in its memory
TABLE = 0x6100
WAIT_RESELECT = struct.pack("<II", 0x50000000 | RELATIVE_IO, 0)


def speed_up_targets(pc: Pc) -> None:
    """All targets are left wide and synchronous."""
    for target in pc.bus.targets.values():
        target.fast_and_wide = True


def reset_chip(pc: Pc) -> None:
    chip = pc.chip
    chip.cpu_write(ISTAT, SRST, 1)
    chip.cpu_write(ISTAT, 0, 1)


def set_up_transfers(pc: Pc) -> None:
    """The registers that hold the agreement with the last target, and a table."""
    chip = pc.chip
    chip.cpu_write(SXFER, 0x08, 1)
    chip.cpu_write(SCNTL3, 0x13 | (EWS if chip.variant.wide else 0), 1)
    chip.cpu_write(DSA, TABLE, 4)


def set_up_chip(pc: Pc) -> None:
    """A driver with interrupts and another SCSI ID."""
    chip = pc.chip
    set_up_transfers(pc)
    for register, value in ((SCID, 0x46), (RESPID0, 0x40), (STIME0, 0x00), (DIEN, 0x7D), (SIEN0, 0x9F),
                            (SIEN1, 0x04), (DCNTL, COM)):
        chip.cpu_write(register, value, 1)


# ---- Drivers, by what they leave -------------------------------------------------------


def leaves_targets(pc: Pc) -> None:
    """The chip is as we left it."""
    speed_up_targets(pc)


def leaves_reset_chip(pc: Pc) -> None:
    reset_chip(pc)
    speed_up_targets(pc)


def leaves_its_set_up(pc: Pc) -> None:
    reset_chip(pc)
    set_up_chip(pc)
    speed_up_targets(pc)


def leaves_program(pc: Pc) -> None:
    """Its program waits for a reselection."""
    leaves_its_set_up(pc)
    pc.poke(PROGRAM, WAIT_RESELECT)
    pc.chip.write(ISTAT, SIGP)
    pc.chip.write(ISTAT, 0)
    pc.chip.scripts.start(PROGRAM)
    pc.chip.advance(MS)


def leaves_interrupt(pc: Pc) -> None:
    """A cause is pending, and the interrupt pin is active."""
    leaves_its_set_up(pc)
    pc.chip.raise_scsi(SGE)


def leaves_transfers(pc: Pc) -> None:
    """A ROM that has reset the chip in its POST only, and polls."""
    set_up_transfers(pc)
    speed_up_targets(pc)


DRIVERS: dict[str, Callable[[Pc], None]] = {
    name.removeprefix("leaves_"): function for name, function in list(globals().items())
    if name.startswith("leaves_")}

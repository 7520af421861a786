# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A chip on a bus with 64 KiB of memory and no PC: for tests of the model
itself, and for experiments with SCRIPTS programs.

Broken rules are recorded in `objections` and raise nothing; the chip then does
what the hardware would do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator

from tests.model.bus import Bus
from tests.model.chip import Chip
from tests.model.registers import (CTEST3, DCNTL, DSP, ISTAT, MS, RESPID0, SCID, SCNTL0, SCNTL3,
                                   STEST3, STIME0)
from tests.model.variants import variant_named

MEMORY_BYTES = 0x10000
SETTLE_NS = 300 * MS


class Player:
    """A target driven by a generator function, called at each selection."""

    def __init__(self, life: Callable[[Bus], Iterator]):
        self.session = life

    def reset(self) -> None:
        """There is no state to reset."""


class Board:
    def __init__(self, variant: str = "895A", chip_class: type[Chip] = Chip):
        self.memory = bytearray(MEMORY_BYTES)
        self.objections: list[str] = []
        self.bus = Bus()
        self.chip = chip_class(variant_named(variant), self.bus, self._read, self._write)
        self.chip.rule = lambda rule, detail="": self.objections.append(rule)

    def _read(self, address: int, length: int) -> bytes:
        return bytes(self.memory[address:address + length])

    def _write(self, address: int, data: bytes) -> None:
        self.memory[address:address + len(data)] = data

    def read(self, offset: int, size: int = 1) -> int:
        return self.chip.cpu_read(offset, size)

    def write(self, offset: int, value: int, size: int = 1) -> None:
        self.chip.cpu_write(offset, value, size)

    def pass_time(self, ns: int) -> None:
        self.chip.advance(ns)

    def set_up(self) -> None:
        """Write the registers that a driver sets before its first program."""
        for offset, value in {SCNTL0: 0xCA, SCNTL3: 3, SCID: 0x47, RESPID0: 0x80, STIME0: 0x0C,
                              CTEST3: 0, DCNTL: 0x03, STEST3: 0x80}.items():
            self.write(offset, value)

    def load(self, address: int, *dwords: int) -> None:
        self._write(address, struct.pack(f"<{len(dwords)}I", *dwords))

    def run(self, *dwords: int, at: int = 0x1000, ns: int = 2_000 * MS) -> int:
        """Load a program, start it, and let time pass until it stops or `ns`
        have passed. Returns ISTAT."""
        self.load(at, *dwords)
        self.write(DSP, at, 4)
        end = self.chip.now + ns
        while self.chip.scripts.running and self.chip.now < end:
            self.chip.step(end)
        return self.read(ISTAT)

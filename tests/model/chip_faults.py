# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Faults of a chip and of the bus to its memory. Each lasts for a `with` block, and
yields a list that shows whether it occurred.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.model.chip import Chip
from tests.model.registers import CLF, CTEST3, D_ABRT, DmaFault
from tests.model.scripts import WAIT

MEMORY = ("_read_main", "_write_main")
ALL_ONES = {size: (1 << 8 * size) - 1 for size in (1, 2, 4)}


@contextmanager
def pci_fault(chip: Chip, n: int, cause: int) -> Iterator[list[int]]:
    """The nth access to memory fails: a fetch of an instruction or a transfer of data."""
    real, left, seen = {name: getattr(chip, name) for name in MEMORY}, [n], []

    def counted(access):
        def call(*arguments):
            left[0] -= 1
            if left[0] == 0:
                seen.append(cause)
                raise DmaFault(cause)
            return access(*arguments)
        return call
    for name, access in real.items():
        setattr(chip, name, counted(access))
    yield seen
    for name, access in real.items():
        setattr(chip, name, access)


@contextmanager
def removed_at(chip: Chip, n: int) -> Iterator[list[int]]:
    """From the nth register access on, all reads return ones, as if the card had been
    removed. Later the chip is back in its power-on state."""
    read, write, check_idle, left, seen = chip.cpu_read, chip.cpu_write, chip.check_idle, [n], []

    def removed() -> bool:
        left[0] -= 1
        if left[0] == 0:
            seen.append(n)
        return left[0] <= 0
    chip.cpu_read = lambda at, size: ALL_ONES[size] if removed() else read(at, size)
    chip.cpu_write = lambda at, value, size: None if removed() else write(at, value, size)
    chip.check_idle = lambda: None
    yield seen
    chip.cpu_read, chip.cpu_write, chip.check_idle = read, write, check_idle
    if seen:
        chip.power_on()


@contextmanager
def stuck_program(chip: Chip) -> Iterator[None]:
    """A program that runs and never stops."""
    scripts = chip.scripts
    start = scripts.start

    def stuck(address):
        scripts.running, scripts._steps = True, iter(())
    scripts.start = stuck
    yield
    scripts.start = start


@contextmanager
def program_stops_before(chip: Chip, n: int) -> Iterator[list[int]]:
    """The nth instruction is fetched, but not done before ABRT stops the program: what a
    time limit sees that expires there."""
    scripts, seen = chip.scripts, []
    execute, last = scripts._execute, scripts.instructions + n

    def stopping():
        for cost in execute():
            if scripts.instructions == last and not seen:
                seen.append(n)
                while True:
                    yield WAIT
            yield cost
    scripts._execute = stopping
    yield seen
    scripts._execute = execute


@contextmanager
def deaf_to_abrt(chip: Chip) -> Iterator[None]:
    """ABRT stops the program, but raises no interrupt."""
    raise_dma = chip.raise_dma

    def deaf(cause):
        if cause == D_ABRT:
            chip.scripts.stop()
        else:
            raise_dma(cause)
    chip.raise_dma = deaf
    yield
    chip.raise_dma = raise_dma


@contextmanager
def stuck_clf(chip: Chip) -> Iterator[None]:
    """The DMA FIFO is never cleared."""
    read = chip.read
    chip.read = lambda at: read(at) | (CLF if at == CTEST3 else 0)
    yield
    chip.read = read

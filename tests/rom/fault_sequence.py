# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A sequence of transfers and faults of every kind on the strict virtual PC. A
correct ROM passes it on any chip; a broken one does not.
"""

from __future__ import annotations

from pathlib import Path

from tests.model.bus import DATA_IN, FREE, HANG, MSG_IN, MSG_OUT, Bus
from tests.model.devices import TimerInterrupt
from tests.model.faults import bus_free_in_command, short_command
from tests.model.pc import Pc
from tests.model.registers import MS
from tests.model.target import DISCONNECT, SAVE, Disk


def disconnecting_disk() -> Disk:
    """Sends a message that must be rejected and disconnects during its data."""
    disk = Disk()

    def offer(bus: Bus):
        yield MSG_IN, 0x13
        while bus.atn:
            yield MSG_OUT, None

    def data(bus: Bus, data: bytes):
        yield from disk.disconnect()
        yield from Disk.data_in(data[:100])
        yield from disk.disconnect()
        yield from Disk.data_in(data[100:])
    disk.before_command, disk.data_hook = offer, data
    return disk


def run_fault_sequence(rom: Path, variant: str, timer: str = "dead") -> None:
    """Boot, successful reads and faults of every kind."""
    pc = Pc(rom, variant, timer=TimerInterrupt(timer))
    pc.chip.set_board(gpreg=0x15, gpcntl=0x2F, stest2=0x20, dcntl=0x08)
    disk = disconnecting_disk()
    pc.bus.targets = {0: disk, 3: Disk()}
    pc.power_on()
    pc.int13(ah=0x10, dl=0x80, flags=0x400)     # DF
    good = disk.data_hook
    for fault in (lambda bus, data: Disk.data_in(data + b"too much"),
                  lambda bus, data: iter([(DATA_IN, data), (MSG_IN, SAVE), (DATA_IN, data)]),
                  lambda bus, data: iter([(4, 0)]),
                  lambda bus, data: iter([FREE]),
                  lambda bus, data: Disk.data_in(data[:7]),
                  lambda bus, data: iter([HANG]),
                  lambda bus, data: iter([(MSG_IN, DISCONNECT), FREE, HANG])):
        disk.data_hook = fault
        assert pc.read(5, 2).cf
    disk.data_hook = good
    assert not pc.read(5, 2).cf
    disk.before_command = disk.data_hook = None
    disk.session = short_command(disk)
    pc.read(5, 2)
    disk.session = bus_free_in_command(disk)
    pc.read(5, 2)
    pc.bus.reset()      # by another initiator, between two calls
    pc.bus.on_reset()
    pc.chip.advance(MS)
    assert not pc.read(5, 2).cf

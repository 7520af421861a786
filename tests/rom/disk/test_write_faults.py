# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: faults at every bus event of a write. A write succeeds only if the disk
has stored all data.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.bus import FREE, HANG, RESET, Delay
from tests.model.pc import BUFFER
from tests.model.registers import BF, MDPE, US, DmaFault
from tests.model.target import Disk
from tests.rom.disk.transfers import LBA, blocks
from tests.rom.strict import OK, FaultAt, check_recovery, disk, new_data, transfer

OTHER_INITIATOR = 6


class TwoBlocks:
    """Overwrites two blocks on the disk. Each block is stored as soon as it has arrived;
    the disk disconnects within and after both."""

    def __init__(self, pc):
        self.pc, self.target, self.seed = pc, disk(pc), 0

    def hook(self, bus, count) -> Iterator:
        data = yield from Disk.data_out(300)
        yield from self.target.disconnect()
        yield from Disk.data_out(100)
        yield from self.target.disconnect(save=False)
        data += yield from Disk.data_out(212)
        self.target.store(self.target.commands[-1], data)
        yield from self.target.disconnect()
        data += yield from Disk.data_out(512)
        self.target.store(self.target.commands[-1], data)
        yield from self.target.disconnect()
        return data

    def overwrite(self) -> bool:
        """Writes new data. Each block must be old or new, and good ones must be new.
        Returns whether the write succeeded."""
        self.seed += 1
        old, new = blocks(LBA, new_data(-self.seed, 2)), blocks(LBA, new_data(self.seed, 2))
        self.target.written, self.target.write_hook = dict(old), self.hook
        self.pc.poke(BUFFER + 1, b"".join(new.values()))
        status, good = transfer(self.pc, 0x43, LBA, 2, BUFFER + 1)
        now = self.target.written
        assert now.keys() == old.keys()
        assert all(now[lba] in (old[lba], new[lba]) for lba in now)
        assert all(now[LBA + i] == new[LBA + i] for i in range(good))
        assert (good == 2) == (status == OK)
        return status == OK


def is_tested(n: int) -> bool:
    """A hang costs 10 virtual seconds, and data bytes are alike: test all events outside
    the data, and one data byte in 16."""
    return n % 16 == 0 or n < 30 or 290 < n < 340 or 410 < n < 440 or n > 1100


@pytest.mark.parametrize("pc", ["895A", pytest.param("810", marks=pytest.mark.long)], indirect=True)
@pytest.mark.parametrize("event", [FREE, RESET, HANG], ids=repr)
def test_fault_at_any_bus_event_of_a_write(pc, event):
    two, good = TwoBlocks(pc), 0
    for n in filter(lambda n: event is not HANG or is_tested(n), range(1, 3000)):
        disk(pc).session = fault = FaultAt(disk(pc), n, event)
        good += two.overwrite()
        del disk(pc).session
        check_recovery(pc)
        if fault.done:
            break
    assert fault.done and n > 1124, "all bytes of CDB, data, status and messages are covered"
    if event is HANG:
        assert good == 1, "a hang is not retried"
    else:
        assert good > n - 20, "the write is retried unless the disk is gone"


@pytest.mark.parametrize("cause", [BF, MDPE], ids=["BF", "MDPE"])
def test_pci_fault_at_any_memory_access_of_a_write(pc, cause):
    chip, two, left = pc.chip, TwoBlocks(pc), [0]
    real = {name: getattr(chip, name) for name in ("_read_main", "_write_main")}

    def counted(access):
        def call(*arguments):
            left[0] -= 1
            if left[0] == 0:
                raise DmaFault(cause)
            return access(*arguments)
        return call
    for n in range(1, 2000):
        left[0] = n
        for name, access in real.items():
            setattr(chip, name, counted(access))
        good = two.overwrite()
        assert good == (left[0] > 0), "a PCI fault is reported and not retried"
        left[0] = 0     # no more faults
        check_recovery(pc)
        if good:
            break
    assert good and n > 25


def test_bus_reset_at_any_time_of_a_write(pc):
    two = TwoBlocks(pc)

    def reset_after(ns):
        yield Delay(ns)
        yield RESET
    for ns in range(1, 450 * US, 2_300):
        pc.bus.begin(OTHER_INITIATOR, reset_after(ns))
        two.overwrite()
        check_recovery(pc)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: faults at every bus event of a write. A write succeeds only if the disk
has stored all data.
"""

from __future__ import annotations

import pytest

from tests.model.bus import FREE, HANG, RESET
from tests.model.chip_faults import pci_fault
from tests.model.faults import OTHER_INITIATOR, FaultAt, leaves_in_write, reset_after
from tests.model.pc import BUFFER
from tests.model.registers import BF, MDPE, US
from tests.rom.disk.transfers import LBA, blocks
from tests.rom.strict import OK, check_recovery, disk, new_data, transfer


class TwoBlocks:
    """Overwrites two blocks on the disk."""

    def __init__(self, pc):
        self.pc, self.target, self.seed = pc, disk(pc), 0

    def overwrite(self) -> bool:
        """Writes new data. Each block must be old or new, and good ones must be new.
        Returns whether the write succeeded."""
        self.seed += 1
        old, new = blocks(LBA, new_data(-self.seed, 2)), blocks(LBA, new_data(self.seed, 2))
        self.target.written, self.target.write_hook = dict(old), leaves_in_write(self.target)
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
    two = TwoBlocks(pc)
    for n in range(1, 2000):
        with pci_fault(pc.chip, n, cause) as seen:
            good = two.overwrite()
        assert good != bool(seen), "a PCI fault is reported and not retried"
        check_recovery(pc)
        if good:
            break
    assert good and n > 25


def test_bus_reset_at_any_time_of_a_write(pc):
    two = TwoBlocks(pc)
    for ns in range(1, 450 * US, 2_300):
        pc.bus.begin(OTHER_INITIATOR, reset_after(ns))
        two.overwrite()
        check_recovery(pc)

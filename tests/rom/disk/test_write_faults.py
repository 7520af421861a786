# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: trouble at every bus event of a write. A write is a success only if
the disk has all of it.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.model.bus import FREE, HANG, RESET, Delay
from tests.model.pc import BUFFER
from tests.model.registers import BF, MDPE, US, DmaFault
from tests.model.target import Disk
from tests.rom.disk.transfers import LBA, blocks
from tests.rom.strict import OK, TroubleAt, disk, fresh, lives_on, transfer

OTHER_INITIATOR = 6


class TwoBlocks:
    """Two blocks on the disk, overwritten by two others. Each is on the medium
    as soon as it has come; the disk leaves the bus in and behind both."""

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

    def overwritten(self) -> bool:
        """Write. Each block is either old or new, and those that count as good
        are new."""
        self.seed += 1
        old, new = blocks(LBA, fresh(-self.seed, 2)), blocks(LBA, fresh(self.seed, 2))
        self.target.written, self.target.write_hook = dict(old), self.hook
        self.pc.poke(BUFFER + 1, b"".join(new.values()))
        status, good = transfer(self.pc, 0x43, LBA, 2, BUFFER + 1)
        now = self.target.written
        assert now.keys() == old.keys()
        assert all(now[lba] in (old[lba], new[lba]) for lba in now)
        assert all(now[LBA + i] == new[LBA + i] for i in range(good))
        assert (good == 2) == (status == OK)
        return status == OK


def interesting(n: int) -> bool:
    """A hang costs 10 virtual seconds, and one byte of data is like another:
    the events that are no data, and one byte in sixteen."""
    return n % 16 == 0 or n < 30 or 290 < n < 340 or 410 < n < 440 or n > 1100


@pytest.mark.parametrize("event", [FREE, RESET, HANG], ids=repr)
def test_trouble_at_the_nth_bus_event_of_a_write_for_every_n(pc, event):
    two, good = TwoBlocks(pc), 0
    for n in filter(lambda n: event is not HANG or interesting(n), range(1, 3000)):
        disk(pc).session = trouble = TroubleAt(disk(pc), n, event)
        good += two.overwritten()
        del disk(pc).session
        lives_on(pc)
        if trouble.done:
            break
    assert trouble.done and n > 1124, "every byte of CDB, data, status and messages"
    if event is HANG:
        assert good == 1, "not tried again"
    else:
        assert good > n - 20, "tried again, if the disk has not left for ever"


@pytest.mark.parametrize("cause", [BF, MDPE], ids=["BF", "MDPE"])
def test_a_pci_fault_at_the_nth_memory_access_of_a_write_for_every_n(pc, cause):
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
        good = two.overwritten()
        assert good == (left[0] > 0), "a fault is reported, not tried again"
        left[0] = 0     # no more faults
        lives_on(pc)
        if good:
            break
    assert good and n > 25


def test_a_bus_reset_at_every_moment_of_a_write(pc):
    two = TwoBlocks(pc)

    def reset_after(ns):
        yield Delay(ns)
        yield RESET
    for ns in range(1, 450 * US, 2_300):
        pc.bus.begin(OTHER_INITIATOR, reset_after(ns))
        two.overwritten()
        lives_on(pc)

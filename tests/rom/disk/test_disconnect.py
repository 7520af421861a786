# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: tests of faults and of data that moves again once more, with targets that have the
disconnect privilege and obey it. In the other files they have none, and disconnect all the same.
"""

from __future__ import annotations

import pytest

from tests.model.bus import FREE, HANG, RESET, Delay
from tests.model.registers import MS
from tests.model.target import Disk
from tests.model.vds import Vds
from tests.rom.disk import test_data_again, test_faults, test_write_faults
from tests.rom.strict import VARIANTS, check_read, disk, grant_disconnects, new_pc, two_disks

# Tests of these files run here with the fixture below; those that take long are in sweeps of their own.
SLOW = "test_fault_at_any_bus_event"
for file in (test_data_again, test_faults, test_write_faults):
    globals().update({name: test for name, test in vars(file).items()
                      if name.startswith("test_") and not name.startswith(SLOW)})


@pytest.fixture
def vds() -> bool:
    """Tests of test_data_again.py set it."""
    return False


@pytest.fixture(params=VARIANTS)
def pc(request, vds):
    machine = two_disks(request.param, **({"vds": Vds(pages=test_data_again.MOVED_PAGES)} if vds else {}))
    grant_disconnects(machine)
    return machine


@pytest.mark.long
@pytest.mark.parametrize("sweep", [test_faults.test_fault_at_any_bus_event,
                                   test_write_faults.test_fault_at_any_bus_event_of_a_write], ids=["read", "write"])
@pytest.mark.parametrize("event", [FREE, RESET, HANG], ids=repr)
def test_any_bus_event(pc, sweep, event):
    sweep(pc, event)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("privilege", [False, True], ids=["80h", "C0h"])
def test_disk_leaves_the_bus_only_with_the_privilege(variant, privilege):
    machine, free = new_pc(variant, {0: Disk(obeys_privilege=True)}), []
    if privilege:
        grant_disconnects(machine)

    def hook(bus, data):
        for step in disk(machine).disconnect(ns=MS):
            if isinstance(step, Delay):
                free.append(bus.connected is None)
            yield step
        yield from Disk.data_in(data)
    disk(machine).messages.clear()
    disk(machine).data_hook = hook
    check_read(machine)
    assert free == [privilege]
    assert disk(machine).messages == [[0xC0 if privilege else 0x80]]

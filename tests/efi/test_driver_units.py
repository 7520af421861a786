# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The UEFI driver on the strict chip model: which units it finds, and their device paths.
[UEFI 2.10 "EFI_EXT_SCSI_PASS_THRU_PROTOCOL.GetNextTargetLun()", "SCSI Device Path"]
"""

from __future__ import annotations

import ctypes
from ctypes import c_uint64

import pytest

from tests.efi.model import uefi
from tests.efi.model.driver import Computer, target_address
from tests.model.bus import FREE, HANG
from tests.model.target import Disk
from tests.native.machine import OTHER, SECOND


@pytest.fixture
def computer(driver_library) -> Computer:
    return Computer(driver_library)


def iterate(computer: Computer) -> list[tuple[int, int]]:
    """By GetNextTargetLun()"""
    target = (ctypes.c_uint8 * 16)(*[0xFF] * 16)
    pointer, lun = ctypes.c_void_p(ctypes.addressof(target)), c_uint64(0)
    found = []
    while True:
        status = computer.controller.call("get_next_target_lun", ctypes.addressof(pointer), ctypes.addressof(lun))
        if status != uefi.SUCCESS:
            assert status == uefi.NOT_FOUND
            return found
        assert not any(target[1:])
        found.append((target[0], lun.value))


def test_iteration_finds_the_units(computer):
    computer.bus.targets[9] = Disk(version=5, luns={4: Disk(lun=4, version=5)})
    assert iterate(computer) == [(0, 0), (OTHER, 0), (9, 0), (9, 4)]
    computer.check_read()


@pytest.mark.parametrize("version, found", [(1, [0]), (2, [0]), (5, list(range(8)))])
def test_unit_of_a_device_that_ignores_luns_appears_once(computer, version, found):
    """From SPC on, INQUIRY to a LUN that a device does not have is answered as the standard says."""
    computer.bus.targets[9] = Disk(version=version, ignores_luns=True)
    assert [lun for target, lun in iterate(computer) if target == 9] == found
    computer.check_read()


def test_equal_units_of_different_size_are_all_found(computer):
    computer.bus.targets[9] = Disk(version=2, blocks=1000, luns={1: Disk(lun=1, version=2, blocks=2000)})
    assert [lun for target, lun in iterate(computer) if target == 9] == [0, 1]


@pytest.mark.parametrize("event, tries", [(HANG, 1), (FREE, 3)], ids=["hangs", "leaves"])
def test_iteration_survives_a_broken_target(computer, event, tries):
    """A target that hangs is asked once."""
    selected = []

    def session(bus):
        selected.append(bus.now)
        yield event
    computer.disk.session = session
    assert (OTHER, 0) in iterate(computer)
    assert len(selected) == tries
    computer.check_recovery()


def test_iteration_on_a_hung_bus_ends(computer):
    """Not every ID costs its time limit."""
    computer.bus.stuck_busy = True
    begun = computer.chip.now
    assert iterate(computer) == []
    assert computer.chip.now - begun < 20 * SECOND
    computer.bus.stuck_busy = False
    computer.check_recovery()


def test_iteration_on_an_empty_bus(computer):
    computer.bus.targets.clear()
    assert iterate(computer) == []


def test_path_round_trip(computer):
    for target, lun in ((0, 0), (3, 7), (15, 1)):
        path, pointer = ctypes.c_void_p(), target_address(0)
        assert computer.controller.call("build_device_path", target_address(target), c_uint64(lun),
                                        ctypes.addressof(path)) == uefi.SUCCESS
        node = uefi.DevicePath.from_address(path.value)
        assert (node.type, node.sub_type, node.length, node.pun, node.lun) == (3, 2, 8, target, lun)
        back, where = c_uint64(99), ctypes.c_void_p(ctypes.addressof(pointer))
        assert computer.controller.call("get_target_lun", path.value, ctypes.addressof(where),
                                        ctypes.addressof(back)) == uefi.SUCCESS
        assert (list(pointer), back.value) == ([target] + [0] * 15, lun)
        assert computer.firmware._free_pool(path.value) == uefi.SUCCESS

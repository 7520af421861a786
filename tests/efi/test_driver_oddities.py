# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Unusual packets and devices: the UEFI driver on the strict chip model."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from ctypes import c_uint8, c_uint64

import pytest

from tests.efi.model import uefi
from tests.efi.model.driver import TARGET_BYTES, Computer
from tests.model.bus import HANG
from tests.model.target import CHECK_CONDITION, Answer, Disk
from tests.native.machine import SECTOR

TASK_ABORTED = 0x40     # [SAM-3 "Status"]
ILLEGAL_REQUEST = 5
SELF_TEST, PROTECTED = 0x20, 0x20   # bits of byte 1 where SCSI-2 has the LUN


@pytest.fixture
def computer(driver_library) -> Computer:
    return Computer(driver_library)


@pytest.mark.parametrize("opcode, least", [(0x00, 6), (0x2A, 10), (0x55, 10), (0x8A, 16), (0xAA, 12)])
def test_cdb_shorter_than_its_operation_code_demands_is_not_sent(computer, opcode, least):
    for length in range(1, least):
        result = computer.controller.pass_thru(bytes([opcode, *bytes(length - 1)]), data_out=bytes(SECTOR))
        assert (result.status, result.length) == (uefi.INVALID_PARAMETER, SECTOR)
    assert not computer.disk.commands


def test_cdb_longer_than_its_operation_code_demands_is_sent(computer):
    assert computer.controller.pass_thru(bytes(12)).status == uefi.SUCCESS
    assert computer.disk.commands == [bytes(6)]


@pytest.mark.parametrize("cdb", [bytes([0x28, PROTECTED, 0, 0, 0, 0, 0, 0, 1, 0]), bytes([0x1D, SELF_TEST, 0, 0, 0, 0])],
                         ids=["READ(10)", "SEND DIAGNOSTIC"])
def test_sense_data_after_a_cdb_with_bits_in_place_of_the_lun(computer, cdb):
    computer.disk.version = 3   # it rejects those bits, in REQUEST SENSE, too
    result = computer.controller.pass_thru(cdb, data_in=SECTOR)
    assert (result.status, result.host, result.target_status) == (uefi.SUCCESS, uefi.HOST_OK, CHECK_CONDITION)
    assert result.sense[2] == ILLEGAL_REQUEST


def test_aborted_task_is_not_good(computer):
    computer.disk.status_hook = lambda cdb: Answer(status=TASK_ABORTED)
    result = computer.controller.test_unit_ready()
    assert (result.status, result.target_status) == (uefi.SUCCESS, TASK_ABORTED)


def test_luns_after_one_that_hangs_are_not_asked(computer):
    asked = []

    def hang(bus) -> Iterator:
        if computer.disk.selected_lun:
            asked.append(computer.disk.selected_lun)
            yield HANG
    computer.disk.version = 3   # such a target may have gaps
    computer.disk.before_status = hang
    for lun in range(1, 8):
        computer.disk.luns[lun] = Disk(version=3, lun=lun, before_status=hang)
    target, lun = (c_uint8 * TARGET_BYTES)(*[0xFF] * TARGET_BYTES), c_uint64()
    place = ctypes.c_void_p(ctypes.addressof(target))
    assert computer.controller.call("get_next_target_lun", ctypes.addressof(place),
                                    ctypes.addressof(lun)) == uefi.SUCCESS
    assert (target[0], lun.value) == (0, 0)
    assert asked == [1]

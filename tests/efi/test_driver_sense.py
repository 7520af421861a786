# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The UEFI driver on the strict chip model: statuses, and the sense data that comes with a
packet. [UEFI 2.10 "EFI_EXT_SCSI_PASS_THRU_PROTOCOL.PassThru()"]
"""

from __future__ import annotations

import pytest

from tests.efi.model import uefi
from tests.efi.model.driver import SENSE_BYTES, Computer
from tests.efi.test_driver_packets import CHIPS, ends
from tests.model.bus import FREE, HANG
from tests.model.faults import MEDIUM_ERRORS, UNUSABLE_SENSE
from tests.model.target import (BUSY, CHECK_CONDITION, READ10, REQUEST_SENSE, RESERVATION_CONFLICT, Answer,
                                Disk)

MOST_ROOM = 252     # bytes of sense data that a target can have

chips = pytest.mark.parametrize("variant", CHIPS)


@pytest.fixture
def computer(driver_library) -> Computer:
    return Computer(driver_library)


def refuse_reads(disk: Disk, sense: bytes | None = None) -> None:
    """Each READ ends with CHECK CONDITION: MEDIUM ERROR, or other sense data."""
    disk.status_hook = lambda cdb: disk.check(3, 0x11) if cdb[0] == READ10 else None
    if sense is not None:
        disk.sense_data = lambda: sense


@chips
def test_sense_data_comes_with_the_packet(driver_library, variant):
    computer = Computer(driver_library, variant)
    refuse_reads(computer.disk)
    result = computer.controller.read()
    assert ends(result) == (uefi.SUCCESS, uefi.HOST_OK, CHECK_CONDITION)
    assert len(result.sense) == SENSE_BYTES and (result.sense[2], result.sense[12]) == (3, 0x11)
    assert result.length == 0
    assert [cdb[0] for cdb in computer.disk.commands] == [READ10, REQUEST_SENSE], "nothing is repeated"
    computer.check_recovery()


@pytest.mark.parametrize("sense", [*MEDIUM_ERRORS.values(), *(s for s in UNUSABLE_SENSE.values() if s)],
                         ids=[*MEDIUM_ERRORS, *(name for name, s in UNUSABLE_SENSE.items() if s)])
def test_sense_data_is_passed_on_as_it_is(computer, sense):
    refuse_reads(computer.disk, sense)
    assert computer.controller.read().sense == sense


@pytest.mark.parametrize("room", [1, 4, 17, 18, 19, 252, 255])
def test_sense_data_is_limited_by_the_room(computer, room):
    everything = bytes(range(0x70, 0x100)) * 2
    refuse_reads(computer.disk, everything)
    result = computer.controller.read(sense=room)
    assert ends(result) == (uefi.SUCCESS, uefi.HOST_OK, CHECK_CONDITION)
    assert result.sense == everything[:min(room, MOST_ROOM)]
    assert computer.disk.commands[-1][4] == min(room, MOST_ROOM)


def test_without_room_no_sense_data_is_fetched(computer):
    refuse_reads(computer.disk)
    result = computer.controller.read(sense=0)
    assert ends(result) == (uefi.SUCCESS, uefi.HOST_OK, CHECK_CONDITION)
    assert [cdb[0] for cdb in computer.disk.commands] == [READ10]


def without_sense(answer: Answer):
    """REQUEST SENSE is refused, or gives nothing."""
    def prepare(disk: Disk) -> None:
        execute = disk.execute
        disk.execute = lambda cdb: answer if cdb[0] == REQUEST_SENSE else execute(cdb)
    return prepare


def hangs_in_sense(disk: Disk) -> None:
    disk.before_status = lambda bus: iter([HANG] if disk.commands[-1][0] == REQUEST_SENSE else [])


def leaves_in_sense(disk: Disk) -> None:
    disk.before_status = lambda bus: iter([FREE] if disk.commands[-1][0] == REQUEST_SENSE else [])


SENSE_FAULTS = {"BUSY": without_sense(Answer(status=BUSY)), "nothing": without_sense(Answer()),
                "CHECK CONDITION": without_sense(Answer(status=CHECK_CONDITION)), "hang": hangs_in_sense,
                "bus free": leaves_in_sense}


@pytest.mark.parametrize("prepare", SENSE_FAULTS.values(), ids=SENSE_FAULTS)
def test_missing_sense_data_is_reported(computer, prepare):
    refuse_reads(computer.disk)
    prepare(computer.disk)
    result = computer.controller.read()
    assert ends(result) == (uefi.DEVICE_ERROR, uefi.HOST_SENSE_FAILED, CHECK_CONDITION)
    assert result.sense == b""
    vars(computer.disk).pop("execute", None)
    computer.check_recovery()


@pytest.mark.parametrize("status", [BUSY, RESERVATION_CONFLICT, 0x28])
def test_other_statuses_have_no_sense_data(computer, status):
    computer.disk.status_hook = lambda cdb: Answer(status=status)
    result = computer.controller.read()
    assert ends(result) == (uefi.SUCCESS, uefi.HOST_OK, status)
    assert result.sense == b"" and len(computer.disk.commands) == 1, "PassThru() does not try again"

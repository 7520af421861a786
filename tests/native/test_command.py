# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""scsi/command.c on x86-64: which result each status, sense key and failure of the chip
driver has, how often the command is sent again, and for how long (scsi/scsi.h,
scsi/command.h). On the strict chip model and on that of QEMU.
"""

from __future__ import annotations

import pytest

from tests.model.bus import FREE, HANG, RESET, STATUS, Bad, Delay
from tests.model.emulated_qemu import QemuDisk
from tests.model.faults import (MEDIUM_ERRORS, OTHER_INITIATOR, UNUSABLE_SENSE, bad_phase, data_then, hangs, once,
                                parity_and_mismatch, phase_out)
from tests.model.registers import MS
from tests.model.target import (BUSY, CHECK_CONDITION, INQUIRY, QUEUE_FULL, READ10, REQUEST_SENSE,
                                RESERVATION_CONFLICT, START_STOP, Answer, Disk)
from tests.native.machine import FILL, SECOND, SECTOR, Machine, on
from tests.native.native import DATA_IN, read10
from tests.native.test_native import scsi_result

LBA, BLOCKS = 1000, 3
ALL = BLOCKS * SECTOR
INQUIRY_BYTES, INQUIRY_LEAST = 36, 5
PAUSED = 52     # tries with pauses of 100 ms in 5 s, and a period of the clock, at most

SILICON, QEMU = on("silicon", ["895A", "810"]), on("qemu", ["895A"])
hardware = pytest.mark.parametrize("hardware, variant", SILICON + QEMU)
silicon = pytest.mark.parametrize("hardware, variant", SILICON)
qemu = pytest.mark.parametrize("hardware, variant", QEMU)


@pytest.fixture
def machine(library, hardware, variant) -> Machine:
    return Machine(library, hardware, variant)


class Result:
    """Of a read by scsi_command()."""

    def __init__(self, machine: Machine, timeout_ms: int = 1000):
        machine.prepare(read10(LBA, BLOCKS), DATA_IN, ALL, timeout_ms=timeout_ms)
        machine.set_data(bytes([FILL]) * ALL)
        begun, since = machine.chip.now, len(machine.disk.commands)
        self.name = scsi_result(machine.command())
        self.seconds = (machine.chip.now - begun) / SECOND
        self.sent = [cdb[0] for cdb in machine.disk.commands[since:]]
        if self.name == "SCSI_OK":
            assert machine.data() == machine.stored(LBA, BLOCKS)

    @property
    def tries(self) -> int:
        return self.sent.count(READ10)


# ---- Statuses and sense data ---------------------------------------------------------------


SENSES = {
    # key, ASC, ASCQ: result, tries
    (0x0, 0x00, 0): ("SCSI_ABORTED", 5), (0x2, 0x3A, 0): ("SCSI_NO_MEDIUM", 1),
    (0x2, 0x30, 0): ("SCSI_BAD_MEDIUM", 1), (0x2, 0x04, 3): ("SCSI_NOT_READY", 1),
    (0x2, 0x04, 0): ("SCSI_NOT_READY", PAUSED), (0x2, 0x04, 1): ("SCSI_NOT_READY", PAUSED),
    (0x2, 0x04, 2): ("SCSI_NOT_READY", PAUSED), (0x2, 0x00, 0): ("SCSI_NOT_READY", PAUSED),
    (0x3, 0x11, 0): ("SCSI_MEDIUM_ERROR", 1), (0x3, 0x30, 0): ("SCSI_BAD_MEDIUM", 1),
    (0x3, 0x57, 0): ("SCSI_BAD_MEDIUM", 1), (0x4, 0x44, 0): ("SCSI_HARDWARE_ERROR", 5),
    (0x5, 0x21, 0): ("SCSI_LBA_OUT_OF_RANGE", 1), (0x5, 0x20, 0): ("SCSI_ILLEGAL_REQUEST", 1),
    (0x5, 0x64, 0): ("SCSI_WRONG_TRACK", 1), (0x6, 0x28, 0): ("SCSI_MEDIUM_CHANGED", 17),
    (0x6, 0x29, 0): ("SCSI_ATTENTION", 17), (0x7, 0x27, 0): ("SCSI_WRITE_PROTECTED", 1),
    (0x8, 0x00, 0): ("SCSI_BLANK", 1), (0x9, 0x80, 0): ("SCSI_HARDWARE_ERROR", 1),
    (0xA, 0x00, 0): ("SCSI_HARDWARE_ERROR", 1), (0xB, 0x47, 0): ("SCSI_ABORTED", 5),
    (0xE, 0x1D, 0): ("SCSI_HARDWARE_ERROR", 1),
}


@hardware
def test_each_sense_key_has_its_result(machine):
    target = machine.disk
    for sense, (name, tries) in SENSES.items():
        target.status_hook = lambda cdb, sense=sense: target.check(*sense) if cdb[0] == READ10 else None
        result = Result(machine)
        assert result.name == name, sense
        assert result.tries == tries or tries == PAUSED and 50 <= result.tries <= PAUSED, sense
        assert result.seconds < 6
        machine.check_recovery()


@hardware
def test_stopped_disk_is_started_once(machine):
    target = machine.disk
    target.status_hook = lambda cdb: target.check(2, 4, 2) if cdb[0] == READ10 else None
    assert Result(machine).sent.count(START_STOP) == 1


STATUSES = {BUSY: ("SCSI_BUSY", PAUSED), QUEUE_FULL: ("SCSI_BUSY", PAUSED),
            RESERVATION_CONFLICT: ("SCSI_RESERVED", 1),
            **{status: ("SCSI_ABORTED", 5) for status in (0x04, 0x10, 0x14, 0x22, 0x30, 0x3E, 0x40)}}


@hardware
def test_each_status_has_its_result(machine):
    for status, (name, tries) in STATUSES.items():
        machine.disk.status_hook = lambda cdb, status=status: Answer(status=status)
        result = Result(machine)
        assert result.name == name, hex(status)
        assert result.tries == tries or tries == PAUSED and 50 <= result.tries <= PAUSED
        machine.check_recovery()


@hardware
def test_recovered_error_is_a_success_if_all_data_came(machine):
    target = machine.disk
    for length, name in ((0, "SCSI_SHORT_DATA"), (1000, "SCSI_SHORT_DATA"), (ALL, "SCSI_OK")):
        target.status_hook = lambda cdb, length=length: (
            Answer(machine.stored()[:length], target.check(1, 0x17).status) if cdb[0] == READ10 else None)
        assert Result(machine).name == name
        machine.check_recovery()


@hardware
def test_sense_data_in_any_format(machine):
    target = machine.disk
    target.status_hook = lambda cdb: Answer(status=CHECK_CONDITION) if cdb[0] == READ10 else None
    for formats, name in ((MEDIUM_ERRORS, "SCSI_MEDIUM_ERROR"), (UNUSABLE_SENSE, "SCSI_SENSE_FAILED")):
        for sense in formats.values():
            target.sense_data = lambda sense=sense: sense
            assert Result(machine).name == name
            assert machine.sense()[:len(sense)] == sense


@hardware
@pytest.mark.parametrize("status", [BUSY, QUEUE_FULL, CHECK_CONDITION])
def test_refused_request_sense_is_a_failure(machine, status):
    target = machine.disk
    target.status_hook = lambda cdb: Answer(status=CHECK_CONDITION) if cdb[0] == READ10 else None
    execute = target.execute
    target.execute = lambda cdb: Answer(status=status) if cdb[0] == REQUEST_SENSE else execute(cdb)
    assert Result(machine).name == "SCSI_SENSE_FAILED"
    del target.execute
    machine.check_recovery()


@hardware
def test_several_unit_attentions_are_cleared(machine):
    machine.disk.attentions = [(6, 0x29, 0), (6, 0x28, 0), (6, 0x2A, 1)] * 3
    assert Result(machine).name == "SCSI_OK"


# ---- Failures of the chip driver -----------------------------------------------------------------


BUS_FAULTS = {
    # a data hook: result, tries
    "data out": (phase_out, "SCSI_BUS_ERROR", 5), "reserved phase": (bad_phase, "SCSI_BUS_ERROR", 5),
    "bus free": (data_then(300, FREE), "SCSI_BUS_ERROR", 5), "bus reset": (data_then(0, RESET), "SCSI_BUS_ERROR", 5),
    "parity": (data_then(7, Bad(STATUS, 0)), "SCSI_BUS_ERROR", 5),
    "parity and mismatch": (parity_and_mismatch, "SCSI_BUS_ERROR", 5),
    "hang": (hangs, "SCSI_TIMEOUT", 1),
    "short": (lambda bus, data: Disk.data_in(data[:700]), "SCSI_SHORT_DATA", 5),
    "nothing": (lambda bus, data: iter([]), "SCSI_SHORT_DATA", 5),
    "too much": (lambda bus, data: Disk.data_in(data + b"\xBB"), "SCSI_OVERRUN", 5),
}


@silicon
@pytest.mark.parametrize("hook, name, tries", BUS_FAULTS.values(), ids=BUS_FAULTS)
def test_failures_of_the_bus_are_retried(machine, hook, name, tries):
    target = machine.disk
    target.reset = target.end_agreement     # so that REQUEST SENSE after it is not counted
    target.data_hook = hook
    result = Result(machine)
    assert (result.name, result.tries) == (name, tries)
    target.data_hook = once(hook)
    assert Result(machine).name == ("SCSI_OK" if tries > 1 else name)
    machine.check_recovery()


@hardware
def test_absent_target_is_not_retried(machine):
    target = machine.bus.targets.pop(0)
    result = Result(machine)
    assert result.name == "SCSI_NO_TARGET" and result.seconds < 1
    machine.bus.targets[0] = target
    machine.check_recovery()


@silicon
def test_selection_is_retried_if_the_target_has_answered_before(machine):
    target = machine.disk

    def deaf():
        del machine.bus.targets[0]
        yield Delay(900 * MS)
        machine.bus.targets[0] = target

    def hook(bus, data):
        yield FREE
        machine.bus.begin(OTHER_INITIATOR, deaf())
    target.data_hook = once(hook)
    assert Result(machine).name == "SCSI_OK"


# ---- Data that may be short -----------------------------------------------------------------------


@hardware
@pytest.mark.parametrize("length, name", [(0, "SCSI_SHORT_DATA"), (4, "SCSI_SHORT_DATA"), (5, "SCSI_OK"),
                                          (INQUIRY_BYTES, "SCSI_OK"), (INQUIRY_BYTES + 9, "SCSI_OK")])
def test_inquiry_needs_its_first_bytes(machine, length, name):
    machine.disk.execute = lambda cdb: Answer((bytes(range(INQUIRY_BYTES)) + b"more then 9")[:length])
    machine.prepare(bytes([INQUIRY, 0, 0, 0, INQUIRY_BYTES, 0]), DATA_IN, INQUIRY_BYTES)
    machine.set_data(bytes([FILL]) * INQUIRY_BYTES)
    machine.request.least_bytes = INQUIRY_LEAST
    assert scsi_result(machine.command()) == name
    arrived = min(length, INQUIRY_BYTES)
    assert machine.request.moved == arrived
    assert machine.data() == bytes(range(arrived)) + bytes([FILL]) * (INQUIRY_BYTES - arrived)
    del machine.disk.execute
    machine.check_recovery()


# ---- QEMU's disks -----------------------------------------------------------------------------------


@qemu
@pytest.mark.parametrize("old", [False, True], ids=["7.2.11", "7.2.0"])
def test_error_of_the_host_is_reported(library, hardware, variant, old):
    """While the target is disconnected, between two chunks, and after the last one."""
    machine = Machine(library, "qemu-7.2.0" if old else hardware, variant)
    target: QemuDisk = machine.disk
    target.chunk = SECTOR
    for after in (0, SECTOR, 2 * SECTOR):
        target.fails_after = after
        result = Result(machine)
        assert (result.name, result.sent) == ("SCSI_ABORTED", [READ10, REQUEST_SENSE] * 5)
        target.fails_after = None
        machine.check_recovery()


@qemu
def test_host_may_be_slow_but_not_hang(machine):
    target: QemuDisk = machine.disk
    target.host_ns = SECOND // 2
    assert Result(machine).name == "SCSI_OK"
    target.host_ns = 3600 * SECOND
    assert Result(machine).name == "SCSI_TIMEOUT"
    target.host_ns = 1000
    machine.check_recovery()


@qemu
def test_hang_is_a_time_out(machine):
    machine.disk.data_hook = lambda bus, data: iter([HANG])
    assert Result(machine).name == "SCSI_TIMEOUT"
    machine.check_recovery()

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""scsi/post/service.c on x86-64, with disks that format themselves (tests/model/formatting.py).
The time of a format is not limited, and the disk gets no ABORT and no reset on the way.
"""

from __future__ import annotations

import pytest

from tests.model.bus import FREE, HANG, RESET
from tests.model.formatting import CORRUPTED, FORMAT_UNIT, FORMATTING, MINUTE, FormatDisk
from tests.model.target import BUSY, MEDIUM_CHANGED, POWER_ON, REQUEST_SENSE, START_STOP, TEST_UNIT_READY
from tests.native.native import Native
from tests.native.test_native import scsi_result

HOUR = 60 * MINUTE
DONE = 0xFFFF
HEADER, IMMEDIATE_HEADER = bytes(4), bytes([0, 2, 0, 0])
QUIET = {"attentions": []}


class Formatter(Native):
    """One disk, and the set-up screen that formats it."""

    pause_us = 60_000_000

    def __init__(self, library, disconnects: int = 0, **options):
        self.disk = FormatDisk(**QUIET, obeys_privilege=True, **options)
        super().__init__(library, {0: self.disk}, "silicon", "895A", disconnects=disconnects)
        self.disk.attentions = list(options.get("attentions", []))
        self.disk.written[5] = b"old" * 170 + b"!!"

    def start(self) -> str:
        return scsi_result(self.format())

    def ask(self) -> str:
        return scsi_result(self.format_progress())

    def wait(self, ns: int) -> None:
        self.chip.advance(ns)

    def sent(self, opcode: int) -> list[bytes]:
        return [cdb for cdb in self.disk.commands if cdb[0] == opcode]

    def check_kept(self) -> None:
        """Blocks have their size, and the lists of defects are used."""
        assert self.disk.block_bytes == 512 and self.disk.grown_defects == 5
        assert not self.disk.damaged and not self.disk.aborts and not self.disk.device_resets

    def check_formatted(self) -> None:
        self.check_kept()
        assert self.disk.formatted == 1 and self.disk.block(5) == bytes(512)


# ---- With IMMED -----------------------------------------------------------------------------


@pytest.mark.parametrize("disconnects", [0, 0xFFFF], ids=["80h", "C0h"])
def test_format_returns_at_once_and_reports_progress(library, disconnects):
    machine = Formatter(library, disconnects, format_ns=4 * HOUR)
    begun = machine.chip.now
    assert machine.start() == "SCSI_OK" and machine.progress == 0
    assert machine.chip.now - begun < MINUTE
    assert machine.disk.lists == [IMMEDIATE_HEADER]
    assert machine.sent(FORMAT_UNIT) == [bytes([FORMAT_UNIT, 0x10, 0, 0, 0, 0])]
    for quarter in (1, 2, 3):
        machine.wait(HOUR)
        assert machine.ask() == "SCSI_OK"
        assert abs(machine.progress - quarter * 0x4000) < 0x100
    machine.wait(HOUR)
    assert machine.ask() == "SCSI_OK" and machine.progress == DONE
    machine.check_formatted()


def test_progress_is_not_done_before_the_end(library):
    """A disk may report FFFFh on the way."""
    machine = Formatter(library)
    assert machine.start() == "SCSI_OK"
    machine.disk.begun -= machine.disk.format_ns - 1000 * 1000
    machine.disk.format_ns += HOUR
    machine.disk.sense_data = lambda: bytes([0x70, 0, 2, 0, 0, 0, 0, 10, 0, 0, 0, 0, 4, 4, 0, 0x80, 0xFF, 0xFF])
    assert machine.ask() == "SCSI_OK" and machine.progress == DONE - 1


SILENT = {
    "04/04": FORMATTING, "04/00": (2, 0x04, 0x00), "04/01": (2, 0x04, 0x01), "04/07": (2, 0x04, 0x07), "BUSY": BUSY}


@pytest.mark.parametrize("meanwhile", SILENT.values(), ids=SILENT)
def test_disk_without_progress_is_asked_whether_it_is_ready(library, meanwhile):
    """It is not started, and one that starts again is not thought to be ready."""
    machine = Formatter(library, progress=False, meanwhile=meanwhile)
    assert machine.start() == "SCSI_OK"
    for _ in range(3):
        machine.wait(20 * MINUTE)
        machine.disk.commands.clear()
        assert machine.ask() == "SCSI_OK" and machine.progress == 0
        assert len(machine.disk.commands) <= 3, "no pauses: the screen takes keys"
    machine.wait(HOUR)
    assert machine.ask() == "SCSI_OK" and machine.progress == DONE
    assert not machine.sent(START_STOP)
    machine.check_formatted()


@pytest.mark.parametrize("after", [[POWER_ON], [MEDIUM_CHANGED], [POWER_ON] * 5 + [(6, 0x2A, 1)]])
@pytest.mark.parametrize("progress", [True, False])
def test_attentions_at_the_end_are_cleared(library, after, progress):
    machine = Formatter(library, after=after, progress=progress)
    assert machine.start() == "SCSI_OK"
    machine.wait(2 * HOUR)
    assert machine.ask() == "SCSI_OK" and machine.progress == DONE
    assert machine.disk.attentions == []
    machine.check_formatted()


def test_sense_data_without_specific_bytes_have_no_progress(library):
    """Garbage past the additional length is not used."""
    machine = Formatter(library)
    assert machine.start() == "SCSI_OK"
    for length, additional, valid in ((18, 6, 0x80), (14, 10, 0x80), (14, 6, 0x80), (18, 10, 0)):
        data = bytes([0x70, 0, 2, 0, 0, 0, 0, additional, 0, 0, 0, 0, 4, 4, 0, valid, 0x70, 0][:length])
        machine.disk.sense_data = lambda: data
        machine.disk.progress = True
        assert machine.ask() == "SCSI_OK" and machine.progress == 0


# ---- Without IMMED --------------------------------------------------------------------------


@pytest.mark.parametrize("disconnects", [0, 0xFFFF], ids=["80h", "C0h"])
@pytest.mark.parametrize("immediate, lists", [("rejected", [IMMEDIATE_HEADER, HEADER]), ("no list", [])])
def test_format_without_immed_takes_days(library, immediate, lists, disconnects):
    machine = Formatter(library, disconnects, immediate=immediate, format_ns=30 * HOUR)
    begun = machine.chip.now
    assert machine.start() == "SCSI_OK" and machine.progress == DONE
    assert 30 * HOUR <= machine.chip.now - begun < 31 * HOUR
    assert machine.disk.lists == lists
    assert machine.sent(FORMAT_UNIT)[-1][1] == (0x10 if lists else 0)
    machine.check_formatted()


def test_disk_that_ignores_immed_is_waited_for(library):
    machine = Formatter(library, immediate="ignored", format_ns=30 * HOUR)
    assert machine.start() == "SCSI_OK" and machine.progress == 0
    assert machine.ask() == "SCSI_OK" and machine.progress == DONE
    assert len(machine.sent(FORMAT_UNIT)) == 1
    machine.check_formatted()


# ---- Refusals and failures ------------------------------------------------------------------


REFUSALS = {"DATA PROTECT": ((7, 0x27, 0), "SCSI_WRITE_PROTECTED"), "HARDWARE ERROR": ((4, 0x44, 0), "SCSI_HARDWARE_ERROR"),
            "ABORTED COMMAND": ((0xB, 0, 0), "SCSI_ABORTED"), "NOT READY": ((2, 0x04, 0x02), "SCSI_NOT_READY"),
            "becoming ready": ((2, 0x04, 0x01), "SCSI_NOT_READY"), "changed": (MEDIUM_CHANGED, "SCSI_MEDIUM_CHANGED"),
            "MEDIUM ERROR": ((3, 0x32, 0), "SCSI_MEDIUM_ERROR")}


@pytest.mark.parametrize("refusal, result", REFUSALS.values(), ids=REFUSALS)
def test_refused_format_is_sent_once(library, refusal, result):
    machine = Formatter(library, refusal=refusal)
    assert machine.start() == result
    assert len(machine.sent(FORMAT_UNIT)) == 1 and not machine.sent(START_STOP)
    assert (machine.sense()[2] & 0x0F, machine.sense()[12], machine.sense()[13]) == refusal
    assert machine.disk.written and machine.disk.formatted == 0


def test_illegal_request_is_tried_in_three_forms(library):
    machine = Formatter(library, refusal=(5, 0x20, 0))
    assert machine.start() == "SCSI_ILLEGAL_REQUEST"
    assert [cdb[1] for cdb in machine.sent(FORMAT_UNIT)] == [0x10, 0x10, 0]


def test_reservation_is_respected(library):
    machine = Formatter(library, reserved=True)
    assert machine.start() == "SCSI_RESERVED"
    assert len(machine.sent(FORMAT_UNIT)) == 1 and not machine.disk.formatted
    machine.disk.reserved = False
    assert machine.start() == "SCSI_OK"
    machine.disk.reserved, machine.disk.progress = True, False
    assert machine.ask() == "SCSI_RESERVED"


def test_attentions_before_do_not_prevent_a_format(library):
    machine = Formatter(library)
    machine.disk.attentions = [POWER_ON, MEDIUM_CHANGED]
    assert machine.start() == "SCSI_OK"
    assert len(machine.sent(FORMAT_UNIT)) == 1


def test_damaged_disk_can_be_formatted(library):
    """It is not ready before that."""
    machine = Formatter(library, medium_sense=CORRUPTED)
    assert machine.start() == "SCSI_OK"
    machine.disk.medium_sense = None
    machine.wait(2 * HOUR)
    assert machine.ask() == "SCSI_OK" and machine.progress == DONE
    machine.check_formatted()


@pytest.mark.parametrize("progress", [True, False])
def test_failure_on_the_way_is_reported(library, progress):
    """As a deferred error, then by each command."""
    machine = Formatter(library, fails=(3, 0x31, 0x01), progress=progress)
    assert machine.start() == "SCSI_OK"
    machine.wait(44 * MINUTE)
    assert machine.ask() == "SCSI_OK" and machine.progress != DONE
    machine.wait(2 * MINUTE)
    assert machine.ask() == "SCSI_HARDWARE_ERROR"
    assert machine.sense()[0] == 0x71 and machine.sense()[12:14] == b"\x31\x01"
    assert machine.ask() == "SCSI_MEDIUM_ERROR" and machine.progress != DONE
    assert not machine.disk.aborts and not machine.disk.device_resets


def test_failure_at_the_end_of_a_format_without_immed(library):
    machine = Formatter(library, immediate="rejected", fails=(3, 0x31, 0x01), format_ns=30 * HOUR)
    assert machine.start() == "SCSI_MEDIUM_ERROR"
    assert len(machine.sent(FORMAT_UNIT)) == 2
    assert machine.sense()[12:14] == b"\x31\x01"


def test_stopped_or_missing_disk_is_no_format(library):
    """04/02, and no answer."""
    machine = Formatter(library, progress=False)
    machine.disk.medium_sense = (2, 0x04, 0x02)
    assert machine.ask() == "SCSI_NOT_READY"
    assert not machine.sent(START_STOP)
    machine.bus.targets.clear()
    assert machine.ask() == "SCSI_NO_TARGET"
    assert machine.start() == "SCSI_NO_TARGET"


@pytest.mark.parametrize("event", [RESET, FREE], ids=repr)
def test_reset_or_bus_free_ends_the_wait(library, event):
    """The command is not sent again."""
    machine = Formatter(library, immediate="ignored", format_ns=HOUR)
    machine.disk.before_status = lambda bus: iter([event] if machine.disk.commands[-1][0] == FORMAT_UNIT else [])
    begun = machine.chip.now
    assert machine.start() == "SCSI_BUS_ERROR"
    assert HOUR < machine.chip.now - begun < 2 * HOUR
    assert len(machine.sent(FORMAT_UNIT)) == 1


@pytest.mark.parametrize("opcode", [REQUEST_SENSE, TEST_UNIT_READY])
def test_slow_answer_on_the_way_is_waited_for(library, opcode):
    """An ABORT or a reset would destroy the format."""
    machine = Formatter(library, progress=opcode == REQUEST_SENSE)
    assert machine.start() == "SCSI_OK"
    machine.wait(10 * MINUTE)

    def hook(bus):
        if machine.disk.commands[-1][0] == opcode:
            yield from machine.disk.disconnect(ns=20 * MINUTE)
    machine.disk.before_status = hook
    assert machine.ask() == "SCSI_OK" and machine.progress != DONE
    machine.disk.before_status = None
    machine.wait(2 * HOUR)
    assert machine.ask() == "SCSI_OK" and machine.progress == DONE
    machine.check_formatted()


def test_doubtful_agreement_reaches_the_driver(library):
    """The next try offers one."""
    machine = Formatter(library)
    assert machine.start() == "SCSI_OK"
    machine.wait(2 * HOUR)
    answers = [machine.disk.check(0xB, 0x47)]
    machine.disk.status_hook = lambda cdb: answers.pop() if answers and cdb[0] == TEST_UNIT_READY else None
    assert machine.ask() == "SCSI_OK" and machine.progress == DONE
    assert [0x80, 1, 2, 3, 0] in machine.disk.messages


def test_usual_time_limits_return_afterwards(library):
    machine = Formatter(library)
    assert machine.start() == "SCSI_OK"
    machine.wait(2 * HOUR)
    assert machine.ask() == "SCSI_OK"
    assert machine.start() == "SCSI_OK"
    assert machine._call("native_waited") == 0
    machine.wait(2 * HOUR)
    machine.pause_us = 1000
    machine.disk.before_status = lambda bus: iter([HANG])
    machine.prepare(bytes(6), timeout_ms=400)
    assert scsi_result(machine.command()) == "SCSI_TIMEOUT"


@pytest.mark.parametrize("lun", [0, 3])
def test_unit_above_0_is_formatted(library, lun):
    """LUN bits and options share a byte of the CDB."""
    machine = Formatter(library)
    unit = FormatDisk(**QUIET, lun=3)
    machine.disk.luns[3] = unit
    assert scsi_result(machine.format(0, lun)) == "SCSI_OK"
    formatted, other = (unit, machine.disk) if lun else (machine.disk, unit)
    assert [cdb[1] for cdb in formatted.commands if cdb[0] == FORMAT_UNIT] == [lun << 5 | 0x10]
    assert not [cdb for cdb in other.commands if cdb[0] == FORMAT_UNIT]
    assert formatted.begun is not None and other.begun is None



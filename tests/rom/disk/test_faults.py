# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: faults at every bus event, time and memory access of one read, and faults
of chips and buses. In every case the call returns a status, success means that the
data has arrived, and the next command works on both disks.
"""

from __future__ import annotations

import pytest

from tests.model.bus import DATA_IN, FREE, HANG, RESET, Delay
from tests.model.chip_faults import deaf_to_abrt, pci_fault, removed_at, stuck_clf, stuck_program
from tests.model.faults import (OTHER_INITIATOR, WRONG_RESELECTIONS, FaultAt, comes_back_after, hangs,
                                leaves_in_read, once, parity_and_mismatch, parity_hook, reselects_as,
                                reselects_without_identify, reset_after)
from tests.model.manners import status_without_data, tag_after_identify
from tests.model.pc import BUFFER
from tests.model.registers import BF, MDPE, MS, SBMC, US
from tests.model.target import REJECT, Disk
from tests.rom.strict import (OK, READ_FAILED, SECOND, TIMEOUT, VARIANTS, check_failure, check_read,
                              check_read_or_error, check_recovery, disk, new_pc)


# ---- At every event, time and access ---------------------------------------------------


def is_tested(n: int) -> bool:
    """A hang costs 10 virtual seconds, and data bytes are alike: test all events outside
    the data, and one data byte in 16."""
    return n % 16 == 0 or n < 30 or 290 < n < 330 or n > 1332


@pytest.mark.parametrize("pc", ["895A", pytest.param("810", marks=pytest.mark.long)], indirect=True)
@pytest.mark.parametrize("event", [FREE, RESET, HANG], ids=repr)
def test_fault_at_any_bus_event(pc, event):
    """The fault replaces the nth byte or message of a read of two sectors with
    disconnections, until a read has fewer events."""
    target, good = disk(pc), 0
    for n in filter(lambda n: event is not HANG or is_tested(n), range(1, 2000)):
        target.data_hook = leaves_in_read(target)
        target.session = fault = FaultAt(target, n, event)
        good += check_read_or_error(pc, count=2)
        del target.session
        check_recovery(pc)
        if fault.done:
            break
    assert fault.done and n > 1332, "all bytes of CDB, data, status and messages are covered"
    if event is HANG:
        assert good == 1, "a hang is not retried"
    else:
        assert good > n - 10, "the read is retried unless the disk is gone"


def test_bus_reset_at_any_time(pc):
    """Another initiator resets the bus: in each phase, after each stop of the SCRIPTS
    program, and between two calls."""
    for ns in range(1, 250 * US, 1_300):
        pc.bus.begin(OTHER_INITIATOR, reset_after(ns))
        assert check_read_or_error(pc)
        check_recovery(pc)


@pytest.mark.parametrize("cause", [BF, MDPE], ids=["BF", "MDPE"])
def test_pci_fault_at_any_memory_access(pc, cause):
    """The accesses are instruction fetches, table fetches and data transfers."""
    for n in range(1, 200):
        with pci_fault(pc.chip, n, cause) as seen:
            good = check_read_or_error(pc)
        assert good != bool(seen), "a PCI fault is reported and not retried"
        check_recovery(pc)
        if good:
            break
    assert good and n > 25


def test_stale_reselection_at_any_time(pc):
    """The target has a command from before the boot."""
    for ns in range(1, 250 * US, 3_700):
        pc.bus.begin(OTHER_INITIATOR, comes_back_after(ns))
        assert check_read_or_error(pc)
        check_recovery(pc)


def test_chip_that_vanishes_at_any_access(pc):
    """All reads return ones, as if the card had been removed. Later the chip is back in
    its power-on state."""
    for n in range(1, 40):
        with removed_at(pc.chip, n):
            good = check_read_or_error(pc)
        if good:
            break
        check_recovery(pc)
    assert good and 4 < n < 30


# ---- Parity -----------------------------------------------------------------------------


@pytest.mark.parametrize("takes_message", [True, False], ids=["takes message", "ignores ATN"])
@pytest.mark.parametrize("place", ["data", "message", "status"])
def test_single_parity_error_is_retried(pc, place, takes_message):
    disk(pc).data_hook = once(parity_hook(place, takes_message, []))
    check_read(pc)
    check_recovery(pc)


@pytest.mark.parametrize("place", ["data", "message", "status"])
def test_persistent_parity_error_is_an_error(pc, place):
    disk(pc).data_hook = parity_hook(place, True, [])
    check_failure(pc, READ_FAILED)
    check_recovery(pc)


def test_parity_error_followed_by_phase_mismatch(pc):
    disk(pc).data_hook = parity_and_mismatch
    check_failure(pc, READ_FAILED)
    disk(pc).data_hook = once(parity_and_mismatch)
    check_read(pc)
    check_recovery(pc)


# ---- Invalid reselection --------------------------------------------------------------------


@pytest.mark.parametrize("target, messages", WRONG_RESELECTIONS.values(), ids=WRONG_RESELECTIONS)
def test_invalid_reselection_transfers_no_data(pc, target, messages):
    """A wrong target, LUN or message ends the command."""
    disk(pc).data_hook = reselects_as(target, messages, b"\xBB" * 512)
    pc.poke(BUFFER, b"\xEE" * 512)
    check_failure(pc, READ_FAILED)
    assert pc.peek(BUFFER, 512) == b"\xEE" * 512
    check_recovery(pc)


def test_reserved_bits_of_identify_are_ignored(pc):
    disk(pc).data_hook = reselects_as(0, [0xC0])
    check_read(pc)
    check_recovery(pc)


def test_reselection_without_identify_transfers_no_data(pc):
    disk(pc).data_hook = reselects_without_identify
    pc.poke(BUFFER, b"\xEE" * 512)
    check_failure(pc, READ_FAILED)
    assert pc.peek(BUFFER, 512) == b"\xEE" * 512
    check_recovery(pc)


@pytest.mark.parametrize("place", ["before_command", "before_status"])
def test_disk_may_disconnect_around_every_command(place):
    """The disk, at an ID above 7, disconnects before COMMAND and after the data."""
    target = Disk()
    setattr(target, place, lambda bus: target.disconnect())
    pc = new_pc("895A", {11: target})
    assert "80h: SCSI 00:04.0 ID 11 " in pc.text
    pc.poke(BUFFER, b"\xEE" * 512)
    assert pc.read(9, 1).ah == OK
    assert pc.peek(BUFFER, 512) == target.block(9)


def test_tag_message_after_identify_is_rejected(pc):
    """The ROM sends no tags, so the command continues."""
    seen = []
    disk(pc).data_hook = tag_after_identify(disk(pc), seen)
    check_read(pc)
    assert seen == [REJECT]


# ---- Buses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ns, status", [(50 * MS, OK), (5 * SECOND, OK), (60 * SECOND, TIMEOUT)],
                         ids=["50ms", "5s", "60s"])
def test_busy_bus_is_waited_for(pc, ns, status):
    pc.bus.busy_until = pc.chip.now + ns
    assert pc.read(0, 1).ah == status
    pc.bus.busy_until = 0
    check_recovery(pc)


def test_selection_after_a_reset_is_retried(pc):
    target = disk(pc)

    def deaf():
        del pc.bus.targets[0]
        yield Delay(900 * MS)
        pc.bus.targets[0] = target

    def hook(bus, data):
        yield DATA_IN, data[:5]
        yield FREE
        pc.bus.begin(OTHER_INITIATOR, deaf())
    target.data_hook = once(hook)
    check_read(pc)


@pytest.mark.parametrize("udc", ["before", "with", "after"])
def test_removed_disk_times_out_and_works_again(pc, udc):
    """A selection timeout is accompanied by an unexpected disconnection."""
    pc.chip.time_out_udc = udc
    target = pc.bus.targets.pop(0)
    assert pc.read(0, 1).ah == TIMEOUT
    pc.bus.targets[0] = target
    check_recovery(pc)


@pytest.mark.parametrize("variant", VARIANTS)
def test_old_transfer_agreement_is_ended(variant):
    """After a warm start a disk may still be in synchronous and wide mode, which would
    corrupt its data."""
    pc = new_pc(variant, {0: Disk(fast_and_wide=True)})
    check_read(pc)


def test_bus_mode_change_is_handled_as_a_reset(pc):
    """LVD chips report it some time after a software reset, and when a device is
    plugged in."""
    pc.chip.mode_change_ns = 3 * MS

    def hook(bus, data):
        yield DATA_IN, data[:5]
        pc.chip.raise_scsi(SBMC)
        yield HANG
    disk(pc).data_hook = once(hook)
    check_read(pc)
    check_recovery(pc)


# ---- Chips --------------------------------------------------------------------------------------


def test_stuck_scripts_program_times_out(pc):
    with stuck_program(pc.chip):
        assert pc.read(0, 1).ah == TIMEOUT
    check_recovery(pc)


def test_wait_for_an_abort_is_limited(pc):
    disk(pc).data_hook = hangs
    with deaf_to_abrt(pc.chip):
        assert pc.read(0, 1).ah == TIMEOUT
    check_recovery(pc)


def test_wait_for_clf_is_limited(pc):
    disk(pc).session = status_without_data(disk(pc))
    with stuck_clf(pc.chip):
        assert pc.read(0, 1).cf
    del disk(pc).session
    check_recovery(pc)

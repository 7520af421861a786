# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: recovery of the bus after a command that did not end. The mildest action
comes first: none on a working bus, ABORT for a disconnected target, BUS DEVICE
RESET for one that ignores it, and a bus reset as the last resort.
"""

from __future__ import annotations

import functools

import pytest

from tests.model.bus import FREE, HANG, MSG_IN, RESET, Delay, Reselect
from tests.model.devices import FwCfg
from tests.model.faults import hangs, never_reconnects, slow_until_atn
from tests.model.pc import Pc
from tests.model.registers import MS
from tests.model.target import (ABORT, BUSY, DISCONNECT, POWER_ON, RESERVATION_CONFLICT,
                                TEST_UNIT_READY, Answer, Disk)
from tests.rom.strict import (CHANGED, CONTROLLER, NOT_FOUND, OK, RESET_FAILED, SECOND, TIMEOUT,
                              VARIANTS, check_failure, check_read, check_read_or_error,
                              check_recovery, disk, hexadecimal, new_pc, nothing_sent, opcodes,
                              simple_call, transfer)

resets = pytest.mark.parametrize("function", [0x00, 0x0D], ids=hexadecimal)


def bus_resets(pc: Pc) -> list[int]:
    """A list that grows with each bus reset, as seen by the other disk."""
    other, seen = pc.bus.targets[3], []

    def reset():
        seen.append(pc.chip.now)
        Disk.reset(other)
    other.reset = reset
    return seen


def with_disconnected_disk(pc: Pc, **hooks) -> Disk:
    """The first disk disconnects in a read and never reselects."""
    target = disk(pc)
    target.data_hook = never_reconnects()
    for name, value in hooks.items():
        setattr(target, name, value)
    check_failure(pc, TIMEOUT)
    target.data_hook = None
    return target


# ---- A working bus -----------------------------------------------------------------------


@resets
def test_reset_on_a_working_bus_sends_nothing(any_pc, function):
    with nothing_sent(any_pc):
        assert simple_call(any_pc, function).ah == OK
    check_read(any_pc)
    with nothing_sent(any_pc):
        assert simple_call(any_pc, function).ah == OK
        assert simple_call(any_pc, function, dl=0x81).ah == OK


@resets
def test_reset_after_a_wrong_argument_sends_nothing(pc, function):
    check_read(pc)
    assert transfer(pc, 0x42, 65536, 1) == (NOT_FOUND, 0)
    with nothing_sent(pc):
        assert simple_call(pc, function).ah == OK


@resets
@pytest.mark.parametrize("event", [FREE, RESET], ids=repr)
def test_reset_after_a_recovered_fault_sends_nothing(pc, function, event):
    left = [event]
    disk(pc).before_status = lambda bus: iter([left.pop()] if left else [])
    check_read(pc)
    with nothing_sent(pc):
        assert simple_call(pc, function).ah == OK


# ---- A bus after a fault -----------------------------------------------------------------


@resets
@pytest.mark.parametrize("event, status", [(HANG, TIMEOUT), (FREE, CONTROLLER)], ids=repr)
def test_reset_after_a_fault_sends_test_unit_ready_once(pc, function, event, status):
    disk(pc).before_status = lambda bus: iter([event])
    check_failure(pc, status)
    disk(pc).before_status = None
    since = len(disk(pc).commands)
    assert simple_call(pc, function).ah == OK
    assert set(opcodes(disk(pc), since)) <= {TEST_UNIT_READY, 0x03}
    assert TEST_UNIT_READY in opcodes(disk(pc), since)
    with nothing_sent(pc):
        assert simple_call(pc, function).ah == OK
    check_recovery(pc)


@resets
def test_reset_checks_the_drive_after_a_fault_of_another(pc, function):
    disk(pc).before_status = hangs
    check_failure(pc, TIMEOUT)
    disk(pc).before_status = None
    since = len(pc.bus.targets[3].commands)
    assert simple_call(pc, function, dl=0x81).ah == OK
    assert TEST_UNIT_READY in opcodes(pc.bus.targets[3], since)
    check_recovery(pc)


@resets
def test_reset_after_a_good_command_sends_nothing(pc, function):
    disk(pc).before_status = hangs
    check_failure(pc, TIMEOUT)
    check_recovery(pc)
    with nothing_sent(pc):
        assert simple_call(pc, function).ah == OK


@resets
def test_reset_of_a_missing_drive_returns_05h(pc, function):
    target = pc.bus.targets.pop(0)
    check_failure(pc, TIMEOUT)
    for _ in range(2):
        assert simple_call(pc, function).ah == RESET_FAILED
    assert simple_call(pc, function, dl=0x81).ah == OK
    pc.bus.targets[0] = target
    check_read(pc)
    assert simple_call(pc, function).ah == OK


@resets
@pytest.mark.parametrize("place", ["session", "before_command", "before_status"])
def test_reset_of_a_hanging_drive_returns_05h(pc, function, place):
    target = disk(pc)
    setattr(target, place, hangs)
    check_failure(pc, TIMEOUT)
    assert simple_call(pc, function).ah == RESET_FAILED
    delattr(target, place)      # restores the method of the class
    assert simple_call(pc, function).ah == OK
    check_recovery(pc)


@resets
def test_reset_retries_after_another_hang(pc, function):
    target, left = disk(pc), [HANG, HANG]
    target.before_status = lambda bus: iter([left.pop()] if left else [])
    check_failure(pc, TIMEOUT)
    assert simple_call(pc, function).ah == OK
    assert left == []
    check_recovery(pc)


@resets
@pytest.mark.parametrize("answer", [
    lambda disk: disk.check(2, 4, 3), lambda disk: disk.check(4, 0x44),
    lambda disk: Answer(status=BUSY), lambda disk: Answer(status=RESERVATION_CONFLICT)],
    ids=["not ready", "hardware error", "busy", "reserved"])
def test_reset_succeeds_with_any_status_of_the_drive(pc, function, answer):
    target = disk(pc)
    target.before_status = hangs
    check_failure(pc, TIMEOUT)
    target.before_status, target.status_hook = None, lambda cdb: answer(target)
    assert simple_call(pc, function).ah == OK
    check_recovery(pc)


# ---- A target that holds the bus ---------------------------------------------------------


@pytest.mark.parametrize("place", ["before_command", "before_status"])
@pytest.mark.parametrize("lba, function", [(1000, 0x42), (1000, 0x43), (1000, 0x44)])
def test_target_that_holds_the_bus_causes_a_bus_reset(pc, place, function, lba):
    target, seen = disk(pc), bus_resets(pc)
    setattr(target, place, hangs)
    assert transfer(pc, function, lba, 3) == (TIMEOUT, 0)
    assert (len(seen), target.aborts, target.device_resets) == (1, 0, 0)
    check_recovery(pc)


# ---- A disconnected target ---------------------------------------------------------------


@pytest.mark.parametrize("save", [True, False], ids=["saved", "not-saved"])
@pytest.mark.parametrize("at", [0, 1, 700, 1536])
@pytest.mark.parametrize("function", [0x42, 0x43], ids=hexadecimal)
def test_disconnected_target_receives_abort(pc, function, at, save):
    target, seen = disk(pc), bus_resets(pc)
    target.data_hook = target.write_hook = never_reconnects(at, save)
    assert transfer(pc, function, 1000, 3) == (TIMEOUT, 0)
    assert [0x80, ABORT] in target.messages, "in one MSG OUT"
    assert (target.aborts, target.device_resets, seen) == (1, 0, [])
    assert pc.bus.away == []
    assert POWER_ON not in pc.bus.targets[3].attentions
    check_recovery(pc)


def test_target_that_ignores_abort_receives_bus_device_reset(pc):
    seen = bus_resets(pc)
    target = with_disconnected_disk(pc, deaf_to_abort=True)
    assert (target.aborts, target.device_resets, seen) == (1, 1, [])
    assert target.attentions == [POWER_ON] and pc.bus.targets[3].attentions == []
    assert pc.bus.away == []
    check_recovery(pc)


def test_target_that_ignores_messages_causes_a_bus_reset(pc):
    seen = bus_resets(pc)
    target = with_disconnected_disk(pc, deaf=True)
    assert target.aborts >= 1 and len(seen) == 1
    target.deaf = False
    check_recovery(pc)


def test_target_that_vanishes_during_a_disconnection_times_out(pc):
    target = disk(pc)

    def hook(bus, data):
        yield MSG_IN, DISCONNECT
        yield FREE
        del pc.bus.targets[0]
        yield HANG
    target.data_hook = hook
    check_failure(pc, TIMEOUT)
    pc.bus.targets[0] = target
    check_recovery(pc)


def test_target_that_hangs_after_selection_causes_a_bus_reset(pc):
    """The target responds to the selection for ABORT and then hangs."""
    seen, target = bus_resets(pc), disk(pc)

    def hook(bus, data):
        yield MSG_IN, DISCONNECT
        target.session = hangs
        yield FREE
        yield HANG
    target.data_hook = hook
    check_failure(pc, TIMEOUT)
    assert len(seen) == 1
    del target.session
    check_recovery(pc)


@pytest.mark.parametrize("ns", range(9_900_000_000, 10_700_000_000, 37_000_000))
def test_reselection_around_the_timeout_does_no_harm(pc, ns):
    """The timeout of a read is 10 s."""
    target = disk(pc)

    def hook(bus, data):
        yield from Disk.data_in(data[:100])
        yield from target.disconnect(ns=ns)
        target.data_hook = None
        yield from Disk.data_in(data[100:])
    target.data_hook = hook
    check_read_or_error(pc)
    check_recovery(pc)


def test_reselection_after_the_timeout_does_no_harm(pc):
    target = with_disconnected_disk(pc)

    def reselects():
        yield Delay(500_000)
        yield Reselect(0)
        yield MSG_IN, 0x80
        yield from Disk.data_in(b"\xBB" * 512)
    for _ in range(3):
        pc.bus.begin(0, reselects())
        check_read_or_error(pc)
    check_recovery(pc)
    assert target.aborts >= 1


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("lun", [1, 5, 7])
def test_abort_is_sent_to_the_disconnected_lun_only(variant, lun):
    target = Disk(version=5)
    target.luns = {lun: Disk(lun=lun, version=5)}
    pc = new_pc(variant, {0: target, 3: Disk()})
    target.luns[lun].data_hook = never_reconnects(100)
    assert transfer(pc, 0x42, 5, 3, drive=0x81) == (TIMEOUT, 0)
    assert [0x80 | lun, ABORT] in target.messages
    assert all(m[0] == 0x80 | lun for m in target.messages if ABORT in m)
    target.luns[lun].data_hook = None
    assert transfer(pc, 0x42, 5, 3, drive=0x81) == (OK, 3)
    assert transfer(pc, 0x42, 5, 3, drive=0x80) == (OK, 3)


@pytest.mark.parametrize("deaf", [dict(), dict(deaf_to_abort=True), dict(deaf=True)],
                         ids=["accepts ABORT", "ignores ABORT", "ignores all"])
@resets
def test_reset_succeeds_after_a_lost_disconnection(pc, function, deaf):
    target = with_disconnected_disk(pc, **deaf)
    target.deaf = target.deaf_to_abort = False
    assert simple_call(pc, function).ah == OK
    with nothing_sent(pc):
        assert simple_call(pc, function).ah == OK
    check_recovery(pc)


@pytest.mark.parametrize("deaf", [dict(), dict(deaf_to_abort=True), dict(deaf=True)],
                         ids=["accepts ABORT", "ignores ABORT", "ignores all"])
def test_recovery_takes_at_most_3_3_s_after_the_timeout(pc, deaf):
    begun = pc.chip.now
    with_disconnected_disk(pc, **deaf)
    assert 10 * SECOND <= pc.chip.now - begun < 10 * SECOND + 3 * SECOND + 300 * MS


@resets
def test_hang_is_recovered_on_all_hardware(any_pc, function):
    target = disk(any_pc)
    target.data_hook = hangs
    check_failure(any_pc, TIMEOUT)
    target.data_hook = None
    assert simple_call(any_pc, function).ah == OK
    check_recovery(any_pc)


@pytest.mark.parametrize("variant", VARIANTS)
def test_change_during_a_timeout_is_reported(variant):
    """The reset of the drive must not hide the change."""
    pc = new_pc(variant, {0: Disk(removable=True), 3: Disk()})
    target = disk(pc)

    def hook(bus, data):
        target.insert(1000)
        yield from never_reconnects()(bus, data)
    target.data_hook = hook
    assert transfer(pc, 0x42, 5, 1) == (TIMEOUT, 0)
    target.data_hook = None
    assert [transfer(pc, 0x42, 5, 1).status for _ in range(2)] == [CHANGED, OK]
    assert transfer(pc, 0x42, 1000, 1).status == NOT_FOUND


@pytest.mark.parametrize("place", ["before_command", "before_status"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_bus_reset_by_the_rom_is_reported_as_a_change(variant, place):
    """The reset clears a pending unit attention for a change, in the drive that hung
    and in every other drive on the bus."""
    pc = new_pc(variant, {0: Disk(removable=True), 3: Disk(removable=True)})
    for target in pc.bus.targets.values():
        target.attentions.clear()
        target.reset = functools.partial(clear_attentions, target)
    setattr(disk(pc), place, hangs)
    assert transfer(pc, 0x43, 5, 1) == (TIMEOUT, 0)
    setattr(disk(pc), place, None)
    disk(pc).written.clear()
    for drive, target in ((0x80, disk(pc)), (0x81, pc.bus.targets[3])):
        assert transfer(pc, 0x43, 5, 1, drive=drive) == (CHANGED, 0)
        assert target.written == {}
        assert transfer(pc, 0x43, 5, 1, drive=drive) == (OK, 1)
        assert [simple_call(pc, 0x16, dl=drive).ah for _ in range(2)] == [CHANGED, OK]


def clear_attentions(target: Disk) -> None:
    """After a reset only its own unit attention is pending."""
    target.attentions = [POWER_ON]


@pytest.mark.parametrize("variant", VARIANTS)
def test_abort_is_sent_to_a_target_that_responds_to_atn(variant):
    """The target is slow but accepts ABORT; no reset is needed."""
    pc = new_pc(variant, {0: Disk(), 3: Disk(content=lambda lba: bytes([3]) * 512)})
    target, resets_seen = disk(pc), bus_resets(pc)
    target.data_hook = slow_until_atn(target)
    check_failure(pc, TIMEOUT)
    assert (target.aborts, target.device_resets, resets_seen) == (1, 0, [])
    check_recovery(pc)


@pytest.mark.parametrize("variant", VARIANTS)
def test_qemu_model_is_not_waited_for(variant):
    """On QEMU the targets respond as soon as the reset ends, unlike those of a real
    chip. QEMU never clears CLF, so that is not waited for either."""
    model, chip = (new_pc(variant, {0: Disk()}, qemu_model=qemu, fwcfg=FwCfg())
                   for qemu in (True, False))
    assert model.read(0, 1).ah == chip.read(0, 1).ah == OK
    assert chip.chip.now - model.chip.now > 200 * MS
    assert model.chip.reads < chip.chip.reads

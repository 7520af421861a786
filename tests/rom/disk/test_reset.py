# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: what is done to a bus on which a command did not end. The least
first: nothing to a healthy one, ABORT to a target that has left, BUS DEVICE
RESET to one that does not listen, a bus reset where nothing else is left.
"""

from __future__ import annotations

import functools

import pytest

from tests.model.bus import FREE, HANG, MSG_IN, RESET, Delay, Reselect
from tests.model.devices import FwCfg
from tests.model.pc import Pc
from tests.model.registers import MS
from tests.model.target import (ABORT, BUSY, DISCONNECT, POWER_ON, RESERVATION_CONFLICT, SAVE,
                                TEST_UNIT_READY, Answer, Disk)
from tests.rom.strict import (CHANGED, CONTROLLER, NOT_FOUND, OK, RESET_FAILED, SECOND, TIMEOUT,
                              VARIANTS, asks, disk, ends_honestly, fails, hexadecimal, lives_on,
                              new_pc, nothing_sent, opcodes, reads_well, transfer)

resets = pytest.mark.parametrize("function", [0x00, 0x0D], ids=hexadecimal)


def bus_resets(pc: Pc) -> list[int]:
    """Grows with each reset of the whole bus, as the other disk sees it."""
    other, seen = pc.bus.targets[3], []

    def reset():
        seen.append(pc.chip.now)
        Disk.reset(other)
    other.reset = reset
    return seen


def leaves_for_ever(at: int = 0, save: bool = True):
    """A data hook of reads and, by `data_out`, of writes."""
    def hook(bus, data):
        if isinstance(data, bytes):
            yield from Disk.data_in(data[:at])
        else:
            yield from Disk.data_out(at)
        if save:
            yield MSG_IN, SAVE
        yield MSG_IN, DISCONNECT
        yield FREE
        yield HANG
    return hook


def hangs(bus):
    """A session, or a part of one."""
    yield HANG


def gone_away(pc: Pc, **hooks) -> Disk:
    """The first disk leaves the bus in a read and does not come back."""
    target = disk(pc)
    target.data_hook = leaves_for_ever()
    for name, value in hooks.items():
        setattr(target, name, value)
    fails(pc, TIMEOUT)
    target.data_hook = None
    return target


# ---- A healthy bus ---------------------------------------------------------------------


@resets
def test_nothing_is_sent_on_a_healthy_bus(any_pc, function):
    with nothing_sent(any_pc):
        assert asks(any_pc, function).ah == OK
    reads_well(any_pc)
    with nothing_sent(any_pc):
        assert asks(any_pc, function).ah == OK
        assert asks(any_pc, function, dl=0x81).ah == OK


@resets
def test_a_wrong_argument_makes_no_bus_sick(pc, function):
    reads_well(pc)
    assert transfer(pc, 0x42, 65536, 1) == (NOT_FOUND, 0)
    with nothing_sent(pc):
        assert asks(pc, function).ah == OK


@resets
@pytest.mark.parametrize("event", [FREE, RESET], ids=repr)
def test_what_was_repaired_needs_no_reset(pc, function, event):
    left = [event]
    disk(pc).before_status = lambda bus: iter([left.pop()] if left else [])
    reads_well(pc)
    with nothing_sent(pc):
        assert asks(pc, function).ah == OK


# ---- A bus on which something went wrong -----------------------------------------------


@resets
@pytest.mark.parametrize("event, status", [(HANG, TIMEOUT), (FREE, CONTROLLER)], ids=repr)
def test_a_drive_is_asked_once_after_trouble(pc, function, event, status):
    disk(pc).before_status = lambda bus: iter([event])
    fails(pc, status)
    disk(pc).before_status = None
    since = len(disk(pc).commands)
    assert asks(pc, function).ah == OK
    assert set(opcodes(disk(pc), since)) <= {TEST_UNIT_READY, 0x03}
    assert TEST_UNIT_READY in opcodes(disk(pc), since)
    with nothing_sent(pc):
        assert asks(pc, function).ah == OK
    lives_on(pc)


@resets
def test_trouble_with_one_drive_is_trouble_of_the_bus(pc, function):
    disk(pc).before_status = hangs
    fails(pc, TIMEOUT)
    disk(pc).before_status = None
    since = len(pc.bus.targets[3].commands)
    assert asks(pc, function, dl=0x81).ah == OK
    assert TEST_UNIT_READY in opcodes(pc.bus.targets[3], since)
    lives_on(pc)


@resets
def test_a_good_command_in_between_makes_the_bus_healthy(pc, function):
    disk(pc).before_status = hangs
    fails(pc, TIMEOUT)
    lives_on(pc)
    with nothing_sent(pc):
        assert asks(pc, function).ah == OK


@resets
def test_a_drive_that_is_gone_cannot_be_reset(pc, function):
    target = pc.bus.targets.pop(0)
    fails(pc, TIMEOUT)
    for _ in range(2):
        assert asks(pc, function).ah == RESET_FAILED
    assert asks(pc, function, dl=0x81).ah == OK
    pc.bus.targets[0] = target
    reads_well(pc)
    assert asks(pc, function).ah == OK


@resets
@pytest.mark.parametrize("place", ["session", "before_command", "before_status"])
def test_a_drive_that_hangs_for_ever_cannot_be_reset(pc, function, place):
    target = disk(pc)
    setattr(target, place, hangs)
    fails(pc, TIMEOUT)
    assert asks(pc, function).ah == RESET_FAILED
    delattr(target, place)      # to what the class has
    assert asks(pc, function).ah == OK
    lives_on(pc)


@resets
def test_a_drive_that_hangs_once_more_is_asked_again(pc, function):
    target, left = disk(pc), [HANG, HANG]
    target.before_status = lambda bus: iter([left.pop()] if left else [])
    fails(pc, TIMEOUT)
    assert asks(pc, function).ah == OK
    assert left == []
    lives_on(pc)


@resets
@pytest.mark.parametrize("answer", [
    lambda disk: disk.check(2, 4, 3), lambda disk: disk.check(4, 0x44),
    lambda disk: Answer(status=BUSY), lambda disk: Answer(status=RESERVATION_CONFLICT)],
    ids=["not ready", "hardware error", "busy", "reserved"])
def test_whatever_a_drive_answers_it_is_no_matter_of_the_bus(pc, function, answer):
    target = disk(pc)
    target.before_status = hangs
    fails(pc, TIMEOUT)
    target.before_status, target.status_hook = None, lambda cdb: answer(target)
    assert asks(pc, function).ah == OK
    lives_on(pc)


# ---- A target that holds the bus -------------------------------------------------------


@pytest.mark.parametrize("place", ["before_command", "before_status"])
@pytest.mark.parametrize("lba, function", [(1000, 0x42), (1000, 0x43), (1000, 0x44)])
def test_a_target_that_holds_the_bus_gets_a_bus_reset(pc, place, function, lba):
    target, seen = disk(pc), bus_resets(pc)
    setattr(target, place, hangs)
    assert transfer(pc, function, lba, 3) == (TIMEOUT, 0)
    assert (len(seen), target.aborts, target.device_resets) == (1, 0, 0)
    lives_on(pc)


# ---- A target that has left ------------------------------------------------------------


@pytest.mark.parametrize("save", [True, False], ids=["saved", "not-saved"])
@pytest.mark.parametrize("at", [0, 1, 700, 1536])
@pytest.mark.parametrize("function", [0x42, 0x43], ids=hexadecimal)
def test_a_target_that_has_left_is_told_to_forget_the_command(pc, function, at, save):
    target, seen = disk(pc), bus_resets(pc)
    target.data_hook = target.write_hook = leaves_for_ever(at, save)
    assert transfer(pc, function, 1000, 3) == (TIMEOUT, 0)
    assert [0x80, ABORT] in target.messages, "in one MSG OUT"
    assert (target.aborts, target.device_resets, seen) == (1, 0, [])
    assert pc.bus.away == []
    assert POWER_ON not in pc.bus.targets[3].attentions
    lives_on(pc)


def test_a_target_that_ignores_abort_is_reset(pc):
    seen = bus_resets(pc)
    target = gone_away(pc, deaf_to_abort=True)
    assert (target.aborts, target.device_resets, seen) == (1, 1, [])
    assert target.attentions == [POWER_ON] and pc.bus.targets[3].attentions == []
    assert pc.bus.away == []
    lives_on(pc)


def test_a_target_that_ignores_all_messages_gets_a_bus_reset(pc):
    seen = bus_resets(pc)
    target = gone_away(pc, deaf=True)
    assert target.aborts >= 1 and len(seen) == 1
    target.deaf = False
    lives_on(pc)


def test_a_target_that_left_and_has_vanished_is_a_time_out(pc):
    target = disk(pc)

    def hook(bus, data):
        yield MSG_IN, DISCONNECT
        yield FREE
        del pc.bus.targets[0]
        yield HANG
    target.data_hook = hook
    fails(pc, TIMEOUT)
    pc.bus.targets[0] = target
    lives_on(pc)


def test_a_target_that_hangs_when_it_is_told_gets_a_bus_reset(pc):
    """It lets itself be selected, and that is all."""
    seen, target = bus_resets(pc), disk(pc)

    def hook(bus, data):
        yield MSG_IN, DISCONNECT
        target.session = hangs
        yield FREE
        yield HANG
    target.data_hook = hook
    fails(pc, TIMEOUT)
    assert len(seen) == 1
    del target.session
    lives_on(pc)


@pytest.mark.parametrize("ns", range(9_900_000_000, 10_700_000_000, 37_000_000))
def test_a_target_that_comes_back_just_then_does_no_harm(pc, ns):
    """The time limit of a read is 10 s."""
    target = disk(pc)

    def hook(bus, data):
        yield from Disk.data_in(data[:100])
        yield from target.disconnect(ns=ns)
        target.data_hook = None
        yield from Disk.data_in(data[100:])
    target.data_hook = hook
    ends_honestly(pc)
    lives_on(pc)


def test_a_target_that_comes_back_much_later_has_nothing_to_say(pc):
    target = gone_away(pc)

    def comes_back():
        yield Delay(500_000)
        yield Reselect(0)
        yield MSG_IN, 0x80
        yield from Disk.data_in(b"\xBB" * 512)
    for _ in range(3):
        pc.bus.begin(0, comes_back())
        ends_honestly(pc)
    lives_on(pc)
    assert target.aborts >= 1


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("lun", [1, 5, 7])
def test_only_the_unit_that_left_is_told(variant, lun):
    target = Disk(version=5)
    target.luns = {lun: Disk(lun=lun, version=5)}
    pc = new_pc(variant, {0: target, 3: Disk()})
    target.luns[lun].data_hook = leaves_for_ever(100)
    assert transfer(pc, 0x42, 5, 3, drive=0x81) == (TIMEOUT, 0)
    assert [0x80 | lun, ABORT] in target.messages
    assert all(m[0] == 0x80 | lun for m in target.messages if ABORT in m)
    target.luns[lun].data_hook = None
    assert transfer(pc, 0x42, 5, 3, drive=0x81) == (OK, 3)
    assert transfer(pc, 0x42, 5, 3, drive=0x80) == (OK, 3)


@pytest.mark.parametrize("deaf", [dict(), dict(deaf_to_abort=True), dict(deaf=True)],
                         ids=["hears", "hears a reset", "deaf"])
@resets
def test_behind_it_all_the_drive_can_be_asked(pc, function, deaf):
    target = gone_away(pc, **deaf)
    target.deaf = target.deaf_to_abort = False
    assert asks(pc, function).ah == OK
    with nothing_sent(pc):
        assert asks(pc, function).ah == OK
    lives_on(pc)


@pytest.mark.parametrize("deaf", [dict(), dict(deaf_to_abort=True), dict(deaf=True)],
                         ids=["hears", "hears a reset", "deaf"])
def test_it_takes_little_more_than_the_time_limit(pc, deaf):
    begun = pc.chip.now
    gone_away(pc, **deaf)
    assert 10 * SECOND <= pc.chip.now - begun < 10 * SECOND + 3 * SECOND + 300 * MS


@resets
def test_on_all_hardware_a_hang_is_repaired(any_pc, function):
    target = disk(any_pc)
    target.data_hook = lambda bus, data: hangs(bus)
    fails(any_pc, TIMEOUT)
    target.data_hook = None
    assert asks(any_pc, function).ah == OK
    lives_on(any_pc)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_removable_drive_that_was_reset_still_tells_of_its_medium(variant):
    """A change during the trouble is not lost with it."""
    pc = new_pc(variant, {0: Disk(removable=True), 3: Disk()})
    target = disk(pc)

    def hook(bus, data):
        target.insert(1000)
        yield from leaves_for_ever()(bus, data)
    target.data_hook = hook
    assert transfer(pc, 0x42, 5, 1) == (TIMEOUT, 0)
    target.data_hook = None
    assert [transfer(pc, 0x42, 5, 1).status for _ in range(2)] == [CHANGED, OK]
    assert transfer(pc, 0x42, 1000, 1).status == NOT_FOUND


@pytest.mark.parametrize("place", ["before_command", "before_status"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_behind_our_bus_reset_no_medium_is_taken_for_granted(variant, place):
    """The drive that hung, and one that was only on the same bus: with the reset
    they forget that there was a change to tell of."""
    pc = new_pc(variant, {0: Disk(removable=True), 3: Disk(removable=True)})
    for target in pc.bus.targets.values():
        target.attentions.clear()
        target.reset = functools.partial(forgets, target)
    setattr(disk(pc), place, hangs)
    assert transfer(pc, 0x43, 5, 1) == (TIMEOUT, 0)
    setattr(disk(pc), place, None)
    disk(pc).written.clear()
    for drive, target in ((0x80, disk(pc)), (0x81, pc.bus.targets[3])):
        assert transfer(pc, 0x43, 5, 1, drive=drive) == (CHANGED, 0)
        assert target.written == {}
        assert transfer(pc, 0x43, 5, 1, drive=drive) == (OK, 1)
        assert [asks(pc, 0x16, dl=drive).ah for _ in range(2)] == [CHANGED, OK]


def forgets(target: Disk) -> None:
    """All that a reset leaves is the news of it."""
    target.attentions = [POWER_ON]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_target_that_holds_the_bus_is_told_by_atn(variant):
    """It is slow, not dead: it hears ABORT, and nobody else hears anything."""
    pc = new_pc(variant, {0: Disk(), 3: Disk(content=lambda lba: bytes([3]) * 512)})
    target, resets_seen = disk(pc), bus_resets(pc)

    def slow(bus, data):
        while not bus.atn:
            yield Delay(100 * MS)
        yield from target.dismissed(bus, (yield from target.message_out(bus)))
        yield FREE
    target.data_hook = slow
    fails(pc, TIMEOUT)
    assert (target.aborts, target.device_resets, resets_seen) == (1, 0, [])
    lives_on(pc)


@pytest.mark.parametrize("variant", VARIANTS)
def test_drives_behind_qemus_model_are_not_waited_for(variant):
    """They are there as soon as the reset ends; those behind a chip are not. Nor is
    CLF waited for, which the model never clears."""
    model, chip = (new_pc(variant, {0: Disk()}, qemu_model=qemu, fwcfg=FwCfg())
                   for qemu in (True, False))
    assert model.read(0, 1).ah == chip.read(0, 1).ah == OK
    assert chip.chip.now - model.chip.now > 200 * MS
    assert model.chip.reads < chip.chip.reads

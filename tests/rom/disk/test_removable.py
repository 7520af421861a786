# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: removable disks: lock counts, ejects, and drives without a medium."""

from __future__ import annotations

import pytest

from tests.model.bus import Delay
from tests.model.pc import Pc
from tests.model.target import (MEDIUM_CHANGED, POWER_ON, PREVENT_ALLOW, START_STOP,
                                TEST_UNIT_READY, WRITE10, Disk)
from tests.rom.disk.removable_drives import (LOCK, MODE_PARAMETERS, STATE, UNLOCK, ZIP, attentions,
                                             changed, check_new_medium, data_functions, eject, lock,
                                             other_content, reset_by_other_initiator, reset_by_rom,
                                             with_drive)
from tests.rom.strict import (BAD_COMMAND, CHANGED, LOCKED, NOT_EJECTED, NOT_FOUND, NOT_LOCKED,
                              NO_MEDIUM, OK, SECOND, TIMEOUT, TOO_MANY_LOCKS, VARIANTS,
                              WRITE_PROTECTED, check_recovery, disk, edd, hexadecimal, new_pc,
                              nothing_sent, opcodes, simple_call, transfer)

READY_FUNCTIONS = (0x09, 0x10, 0x11, 0x14)
FLAGS, FLAGS_EMPTY = 0x3F, 0x7D     # of 48h


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    return with_drive(request.param)


@pytest.fixture(params=VARIANTS)
def empty(request) -> Pc:
    """The drive has no medium during POST."""
    return with_drive(request.param, medium=False)


# ---- Locking ---------------------------------------------------------------------------


def test_each_lock_and_the_last_unlock_are_sent_to_the_drive(pc):
    sent = len(disk(pc).commands)
    for _ in range(3):
        assert lock(pc, LOCK) == (OK, 1)
        assert lock(pc, STATE) == (OK, 1)
    assert disk(pc).locked
    assert [lock(pc, UNLOCK) for _ in range(3)] == [(OK, 1), (OK, 1), (OK, 0)]
    assert lock(pc, STATE) == (OK, 0)
    assert not disk(pc).locked
    sent_commands = [(cdb[0], cdb[4]) for cdb in disk(pc).commands[sent:]]
    assert sent_commands == [(PREVENT_ALLOW, 1)] * 3 + [(PREVENT_ALLOW, 0)]


def test_256th_lock_returns_b4h(pc):
    assert [lock(pc, LOCK) for _ in range(255)] == [(OK, 1)] * 255
    with nothing_sent(pc):
        assert lock(pc, LOCK)[0] == TOO_MANY_LOCKS
        assert lock(pc, LOCK)[0] == TOO_MANY_LOCKS
        assert [lock(pc, UNLOCK) for _ in range(254)] == [(OK, 1)] * 254
    assert lock(pc, UNLOCK) == (OK, 0)
    assert lock(pc, UNLOCK)[0] == NOT_LOCKED


def test_unlock_without_lock_returns_b0h(pc):
    with nothing_sent(pc):
        assert lock(pc, UNLOCK)[0] == NOT_LOCKED
        assert lock(pc, STATE) == (OK, 0)


@pytest.mark.parametrize("al", [3, 4, 0x80, 0xFF])
def test_45h_with_other_al_returns_01h(pc, al):
    with nothing_sent(pc):
        assert simple_call(pc, 0x45, al=al).ah == BAD_COMMAND
    assert lock(pc, STATE) == (OK, 0)


@pytest.mark.parametrize("asc", [0x20, 0x24], ids=hexadecimal)
def test_locks_are_counted_if_the_drive_does_not_support_them(pc, asc):
    disk(pc).status_hook = lambda cdb: disk(pc).check(5, asc) if cdb[0] == PREVENT_ALLOW else None
    assert lock(pc, LOCK) == (OK, 1)
    assert eject(pc) == LOCKED
    assert lock(pc, UNLOCK) == (OK, 0)
    assert eject(pc) == OK


def test_lock_works_without_a_medium(empty):
    assert lock(empty, LOCK) == (OK, 1)
    assert disk(empty).locked
    assert lock(empty, UNLOCK) == (OK, 0)


def test_failed_lock_is_not_counted(pc):
    target = pc.bus.targets.pop(0)
    assert simple_call(pc, 0x45, "ax", al=LOCK).ah == TIMEOUT
    pc.bus.targets[0] = target
    assert lock(pc, STATE) == (OK, 0)


@pytest.mark.parametrize("by", [reset_by_other_initiator, reset_by_rom])
def test_next_lock_restores_a_lock_cleared_by_a_bus_reset(pc, by):
    """The drive stays locked until the count is 0."""
    assert lock(pc, LOCK) == (OK, 1)
    by(pc)
    assert not disk(pc).locked
    assert lock(pc, LOCK) == (OK, 1)
    assert disk(pc).locked
    assert (lock(pc, UNLOCK), disk(pc).locked) == ((OK, 1), True)
    assert (lock(pc, UNLOCK), disk(pc).locked) == ((OK, 0), False)


@pytest.mark.parametrize("attentions", [[POWER_ON], [POWER_ON] * 3,
                                        [POWER_ON, MODE_PARAMETERS, MEDIUM_CHANGED]],
                         ids=["one", "three", "all kinds"])
def test_lock_succeeds_with_pending_unit_attentions(pc, attentions):
    """The change is reported by the next call that can report it."""
    disk(pc).attentions = list(attentions)
    assert lock(pc, LOCK) == (OK, 1)
    assert disk(pc).locked
    assert (changed(pc), changed(pc)) == (CHANGED, OK)


def test_each_drive_has_its_own_lock_count():
    pc = new_pc("895A", {0: Disk(removable=True), 3: Disk(removable=True)})
    assert lock(pc, LOCK, drive=0x81) == (OK, 1)
    assert lock(pc, STATE) == (OK, 0)
    assert (disk(pc).locked, pc.bus.targets[3].locked) == (False, True)
    assert (eject(pc, 0x81), eject(pc)) == (LOCKED, OK)


# ---- Ejecting --------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [0x86, 0x00], ids=["no INT 15h handler", "allowed"])
def test_46h_ejects_the_medium(pc, answer):
    pc.bios.eject_answer = answer
    assert eject(pc) == OK
    assert pc.bios.eject_asked == [0x80]
    assert (disk(pc).ejected, disk(pc).medium) == (1, False)
    assert [c[4] for c in disk(pc).commands if c[0] == START_STOP] == [2], "LoEj without Start"
    assert transfer(pc, 0x42, 0, 1) == (NO_MEDIUM, 0)


@pytest.mark.parametrize("ah", [0xB1, 0xB3, 0x01, 0xAA], ids=hexadecimal)
def test_int_15h_may_refuse_an_eject(pc, ah):
    pc.bios.eject_answer = ah
    assert eject(pc) == ah
    assert (disk(pc).ejected, disk(pc).medium) == (0, True)
    assert START_STOP not in opcodes(disk(pc))
    pc.bios.eject_answer = 0x00
    assert eject(pc) == OK


def test_int_15h_receives_the_drive_number():
    pc = new_pc("810", {0: Disk(), 3: Disk(removable=True)})
    assert eject(pc, 0x81) == OK
    assert (pc.bios.eject_asked, pc.bus.targets[3].ejected) == ([0x81], 1)


@pytest.mark.parametrize("al", [1, 2, 0xFF])
def test_46h_with_other_al_returns_01h(pc, al):
    with nothing_sent(pc):
        assert simple_call(pc, 0x46, al=al).ah == BAD_COMMAND
    assert pc.bios.eject_asked == []


def test_eject_of_a_locked_medium_returns_b1h(pc):
    lock(pc, LOCK)
    lock(pc, LOCK)
    lock(pc, UNLOCK)
    assert eject(pc) == LOCKED
    assert (pc.bios.eject_asked, START_STOP in opcodes(disk(pc))) == ([], False)
    lock(pc, UNLOCK)
    assert eject(pc) == OK


def test_eject_of_an_empty_drive_returns_31h(empty):
    assert eject(empty) == NO_MEDIUM
    assert (empty.bios.eject_asked, START_STOP in opcodes(disk(empty))) == ([], False)


@pytest.mark.parametrize("asc, ascq", [(0x20, 0), (0x24, 0), (0x53, 0), (0x53, 2)],
                         ids=["unknown", "invalid field", "load failed", "held by another"])
def test_eject_refused_by_the_drive_returns_b5h(pc, asc, ascq):
    target = disk(pc)
    target.status_hook = lambda cdb: target.check(5, asc, ascq) if cdb[0] == START_STOP else None
    assert eject(pc) == NOT_EJECTED
    assert disk(pc).medium
    check_recovery(pc)


@pytest.mark.parametrize("seconds", [7, 50])
def test_eject_waits_for_the_drive_to_spin_down(pc, seconds):
    def slowly(bus):
        if disk(pc).commands[-1][0] == START_STOP:
            yield Delay(seconds * SECOND)
    disk(pc).before_status = slowly
    assert eject(pc) == OK
    assert (disk(pc).ejected, disk(pc).aborts, disk(pc).device_resets) == (1, 0, 0)
    assert opcodes(disk(pc)).count(START_STOP) == 1


# ---- Change status -----------------------------------------------------------------------


@pytest.mark.parametrize("function", [0x16, 0x49], ids=hexadecimal)
def test_unchanged_medium_returns_00h_after_test_unit_ready(pc, function):
    for _ in range(2):
        sent = len(disk(pc).commands)
        assert changed(pc, function) == OK
        assert opcodes(disk(pc), sent) == [TEST_UNIT_READY]


@pytest.mark.parametrize("first", [0x16, 0x49], ids=hexadecimal)
@pytest.mark.parametrize("second", [0x16, 0x49], ids=hexadecimal)
def test_16h_and_49h_report_a_change_once(pc, first, second):
    disk(pc).insert(content=other_content)
    assert changed(pc, first) == CHANGED
    assert changed(pc, second) == OK
    check_new_medium(pc, 5)


@attentions
@pytest.mark.parametrize("function", [0x16, 0x49], ids=hexadecimal)
def test_any_unit_attention_is_reported_as_a_change_once(pc, function, attentions):
    """After power-on or a reset a drive cannot report whether its medium has changed."""
    disk(pc).attentions = list(attentions)
    assert [changed(pc, function) for _ in range(3)] == [CHANGED, OK, OK]


def test_change_before_or_during_post_is_not_reported(pc):
    target = Disk(removable=True, attentions=[POWER_ON, MEDIUM_CHANGED])
    pc = new_pc(pc.variant, {0: target, 3: Disk()})
    assert transfer(pc, 0x42, 5, 1) == (OK, 1)
    assert changed(pc) == OK


@pytest.mark.parametrize("function", [0x16, 0x49, *READY_FUNCTIONS], ids=hexadecimal)
def test_empty_drive_returns_31h(empty, function):
    assert changed(empty, function) == NO_MEDIUM
    assert changed(empty, function) == NO_MEDIUM
    disk(empty).insert(ZIP)
    assert changed(empty, function) == CHANGED


@pytest.mark.parametrize("function", READY_FUNCTIONS, ids=hexadecimal)
def test_ready_functions_report_a_change_once(pc, function):
    disk(pc).insert(content=other_content)
    assert changed(pc, function) == CHANGED
    assert changed(pc, function) == OK
    assert changed(pc, 0x16) == CHANGED, "AH=16h reports the change too"
    assert changed(pc, 0x16) == OK


# ---- Drives without a medium ---------------------------------------------------------------


def test_empty_drive_has_a_number_and_a_post_line(empty):
    assert "80h: SCSI 00:04.0 ID 0 " in empty.text and "81h: SCSI 00:04.0 ID 3 " in empty.text
    assert "no medium" in empty.text
    assert empty.peek(0x475, 1) == b"\x02"
    assert len(empty.bios.entries) == 2


@data_functions
def test_transfer_with_an_empty_drive_returns_31h(empty, function):
    outcome = transfer(empty, function, 5, 3)
    assert outcome.status == NO_MEDIUM
    assert not outcome.good
    assert transfer(empty, 0x42, 1, 1, drive=0x81) == (OK, 1)


def test_48h_of_an_empty_drive_returns_the_maximum_geometry(empty):
    answer = edd(empty)
    assert answer.flags == FLAGS_EMPTY
    assert answer[2:] == (1024, 255, 63, 16450560, 512)


@data_functions
def test_medium_inserted_after_post_is_reported_and_served(empty, function):
    disk(empty).insert(ZIP, other_content)
    assert transfer(empty, function, 5, 3).status == CHANGED
    assert disk(empty).written == {}
    assert transfer(empty, function, ZIP - 3, 3).status == OK
    answer = edd(empty)
    assert (answer.flags, answer[2:]) == (FLAGS, (96, 64, 32, ZIP, 512))


@data_functions
def test_inserted_medium_is_reported_without_unit_attention(empty, function):
    """The drive has no unit attentions, or another initiator has read them."""
    assert transfer(empty, 0x42, 5, 1) == (NO_MEDIUM, 0)
    disk(empty).insert(ZIP, other_content)
    disk(empty).attentions.clear()
    assert transfer(empty, function, 5, 3).status == CHANGED
    assert disk(empty).written == {}
    assert transfer(empty, function, ZIP - 3, 3).status == OK


@pytest.mark.parametrize("blocks", [1, 2880, 65536, ZIP, 489532, 2**21 + 1])
def test_08h_15h_48h_agree_on_a_new_medium(empty, blocks):
    """The last sector can be read, and the next one cannot."""
    pc = empty
    disk(pc).insert(blocks, other_content)
    assert transfer(pc, 0x42, 0, 1) == (CHANGED, 0)
    answer = edd(pc)
    old = pc.int13(changes="ax bl cx dx", ah=0x08, dl=0x80)
    kind = pc.int13(changes="ah cx dx", ah=0x15, dl=0x80)
    assert answer.sectors == kind.cx << 16 | kind.dx == blocks
    assert (old.dh + 1, old.cl & 63) == (answer.heads, answer.sectors_per_track)
    assert transfer(pc, 0x42, blocks - 1, 1) == (OK, 1)
    assert transfer(pc, 0x42, blocks, 1) == (NOT_FOUND, 0)


@data_functions
def test_removed_medium_returns_31h(pc, function):
    disk(pc).take_out()
    for _ in range(2):
        outcome = transfer(pc, function, 5, 3)
        assert outcome.status == NO_MEDIUM and not outcome.good
    assert (changed(pc), changed(pc, 0x49)) == (NO_MEDIUM, NO_MEDIUM)
    assert edd(pc).flags == FLAGS_EMPTY
    disk(pc).insert(ZIP, other_content)
    assert transfer(pc, function, 5, 3).status == CHANGED
    assert transfer(pc, function, ZIP - 3, 3).status == OK


def test_medium_removed_between_two_commands_keeps_the_count(pc):
    target = disk(pc)
    target.data_hook = lambda bus, data: (target.take_out(), Disk.data_in(data))[1]
    assert transfer(pc, 0x42, 1000, 200) == (NO_MEDIUM, 127)


@pytest.mark.parametrize("block_bytes", [256, 520, 8192])
def test_medium_with_unsupported_block_size_is_an_error(empty, block_bytes):
    disk(empty).insert(1000, lambda lba: bytes(block_bytes), block_bytes)
    for function in (0x42, 0x43, 0x42, 0x43):
        outcome = transfer(empty, function, 5, 1)
        assert outcome.status != OK and outcome.good == 0
    assert disk(empty).written == {}
    disk(empty).insert(1000, other_content, 512)
    assert transfer(empty, 0x42, 5, 1) == (CHANGED, 0)
    check_new_medium(empty, 5)


def test_write_protected_medium_returns_03h(pc):
    disk(pc).write_protected = True
    assert transfer(pc, 0x43, 5, 1) == (WRITE_PROTECTED, 0)
    assert transfer(pc, 0x03, 5, 1) == (WRITE_PROTECTED, 0)
    assert WRITE10 in opcodes(disk(pc)) and disk(pc).written == {}


def test_reinserted_medium_is_reported_as_a_change(pc):
    assert eject(pc) == OK
    assert transfer(pc, 0x42, 5, 1) == (NO_MEDIUM, 0)
    disk(pc).insert()
    assert transfer(pc, 0x42, 5, 1) == (CHANGED, 0)
    check_new_medium(pc, 5)
    check_recovery(pc)


def test_48h_flags_of_a_removable_drive(pc):
    """Removable, change line, lockable; CHS is valid for all sectors."""
    assert edd(pc).flags == FLAGS

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: removable disks. Locks are counted, an eject asks whoever has a say,
and drives without a medium.
"""

from __future__ import annotations

import pytest

from tests.model.bus import Delay
from tests.model.pc import Pc
from tests.model.target import (MEDIUM_CHANGED, POWER_ON, PREVENT_ALLOW, START_STOP,
                                TEST_UNIT_READY, WRITE10, Disk)
from tests.rom.disk.removable_drives import (LOCK, MODE_PARAMETERS, STATE, UNLOCK, ZIP, attentions,
                                             changed, data_functions, eject, lock, other,
                                             reads_new_medium, reset_by_others, reset_by_us,
                                             with_drive)
from tests.rom.strict import (BAD_COMMAND, CHANGED, LOCKED, NOT_EJECTED, NOT_FOUND, NOT_LOCKED,
                              NO_MEDIUM, OK, SECOND, TIMEOUT, TOO_MANY_LOCKS, VARIANTS,
                              WRITE_PROTECTED, asks, disk, edd, hexadecimal, lives_on, new_pc,
                              nothing_sent, opcodes, transfer)

ASKING = (0x09, 0x10, 0x11, 0x14)
FLAGS, FLAGS_EMPTY = 0x3F, 0x7D     # of 48h


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    return with_drive(request.param)


@pytest.fixture(params=VARIANTS)
def empty(request) -> Pc:
    """No medium during POST."""
    return with_drive(request.param, medium=False)


# ---- Locking ---------------------------------------------------------------------------


def test_locks_are_counted_and_the_drive_is_told_of_each_and_of_the_last_unlock(pc):
    sent = len(disk(pc).commands)
    for _ in range(3):
        assert lock(pc, LOCK) == (OK, 1)
        assert lock(pc, STATE) == (OK, 1)
    assert disk(pc).locked
    assert [lock(pc, UNLOCK) for _ in range(3)] == [(OK, 1), (OK, 1), (OK, 0)]
    assert lock(pc, STATE) == (OK, 0)
    assert not disk(pc).locked
    told = [(cdb[0], cdb[4]) for cdb in disk(pc).commands[sent:]]
    assert told == [(PREVENT_ALLOW, 1)] * 3 + [(PREVENT_ALLOW, 0)]


def test_255_locks_are_the_most(pc):
    assert [lock(pc, LOCK) for _ in range(255)] == [(OK, 1)] * 255
    with nothing_sent(pc):
        assert lock(pc, LOCK)[0] == TOO_MANY_LOCKS
        assert lock(pc, LOCK)[0] == TOO_MANY_LOCKS
        assert [lock(pc, UNLOCK) for _ in range(254)] == [(OK, 1)] * 254
    assert lock(pc, UNLOCK) == (OK, 0)
    assert lock(pc, UNLOCK)[0] == NOT_LOCKED


def test_what_is_not_locked_cannot_be_unlocked(pc):
    with nothing_sent(pc):
        assert lock(pc, UNLOCK)[0] == NOT_LOCKED
        assert lock(pc, STATE) == (OK, 0)


@pytest.mark.parametrize("al", [3, 4, 0x80, 0xFF])
def test_other_values_of_al_are_refused_by_45h(pc, al):
    with nothing_sent(pc):
        assert asks(pc, 0x45, al=al).ah == BAD_COMMAND
    assert lock(pc, STATE) == (OK, 0)


@pytest.mark.parametrize("asc", [0x20, 0x24], ids=hexadecimal)
def test_locks_count_though_the_drive_knows_of_none(pc, asc):
    disk(pc).status_hook = lambda cdb: disk(pc).check(5, asc) if cdb[0] == PREVENT_ALLOW else None
    assert lock(pc, LOCK) == (OK, 1)
    assert eject(pc) == LOCKED
    assert lock(pc, UNLOCK) == (OK, 0)
    assert eject(pc) == OK


def test_locking_works_without_a_medium(empty):
    assert lock(empty, LOCK) == (OK, 1)
    assert disk(empty).locked
    assert lock(empty, UNLOCK) == (OK, 0)


def test_a_lock_that_did_not_reach_the_drive_does_not_count(pc):
    target = pc.bus.targets.pop(0)
    assert asks(pc, 0x45, "ax", al=LOCK).ah == TIMEOUT
    pc.bus.targets[0] = target
    assert lock(pc, STATE) == (OK, 0)


@pytest.mark.parametrize("by", [reset_by_others, reset_by_us])
def test_a_lock_that_a_bus_reset_has_opened_is_closed_by_the_next(pc, by):
    """And stays so until the count is 0."""
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
def test_a_lock_gets_past_attentions(pc, attentions):
    """They are left to the next who asks."""
    disk(pc).attentions = list(attentions)
    assert lock(pc, LOCK) == (OK, 1)
    assert disk(pc).locked
    assert (changed(pc), changed(pc)) == (CHANGED, OK)


def test_each_drive_has_its_own_count():
    pc = new_pc("895A", {0: Disk(removable=True), 3: Disk(removable=True)})
    assert lock(pc, LOCK, drive=0x81) == (OK, 1)
    assert lock(pc, STATE) == (OK, 0)
    assert (disk(pc).locked, pc.bus.targets[3].locked) == (False, True)
    assert (eject(pc, 0x81), eject(pc)) == (LOCKED, OK)


# ---- Ejecting --------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [0x86, 0x00], ids=["absent", "agreed"])
def test_a_medium_is_ejected(pc, answer):
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


def test_int_15h_is_asked_for_the_right_drive():
    pc = new_pc("810", {0: Disk(), 3: Disk(removable=True)})
    assert eject(pc, 0x81) == OK
    assert (pc.bios.eject_asked, pc.bus.targets[3].ejected) == ([0x81], 1)


@pytest.mark.parametrize("al", [1, 2, 0xFF])
def test_other_values_of_al_are_refused_by_46h(pc, al):
    with nothing_sent(pc):
        assert asks(pc, 0x46, al=al).ah == BAD_COMMAND
    assert pc.bios.eject_asked == []


def test_a_locked_medium_stays_in(pc):
    lock(pc, LOCK)
    lock(pc, LOCK)
    lock(pc, UNLOCK)
    assert eject(pc) == LOCKED
    assert (pc.bios.eject_asked, START_STOP in opcodes(disk(pc))) == ([], False)
    lock(pc, UNLOCK)
    assert eject(pc) == OK


def test_nothing_is_ejected_from_an_empty_drive(empty):
    assert eject(empty) == NO_MEDIUM
    assert (empty.bios.eject_asked, START_STOP in opcodes(disk(empty))) == ([], False)


@pytest.mark.parametrize("asc, ascq", [(0x20, 0), (0x24, 0), (0x53, 0), (0x53, 2)],
                         ids=["unknown", "invalid field", "load failed", "held by another"])
def test_a_drive_that_refuses_is_named(pc, asc, ascq):
    target = disk(pc)
    target.status_hook = lambda cdb: target.check(5, asc, ascq) if cdb[0] == START_STOP else None
    assert eject(pc) == NOT_EJECTED
    assert disk(pc).medium
    lives_on(pc)


@pytest.mark.parametrize("seconds", [7, 50])
def test_a_drive_that_spins_down_first_is_waited_for(pc, seconds):
    def slowly(bus):
        if disk(pc).commands[-1][0] == START_STOP:
            yield Delay(seconds * SECOND)
    disk(pc).before_status = slowly
    assert eject(pc) == OK
    assert (disk(pc).ejected, disk(pc).aborts, disk(pc).device_resets) == (1, 0, 0)
    assert opcodes(disk(pc)).count(START_STOP) == 1


# ---- Asking for a change ---------------------------------------------------------------


@pytest.mark.parametrize("function", [0x16, 0x49], ids=hexadecimal)
def test_an_unchanged_medium_is_asked_for_and_named_so(pc, function):
    for _ in range(2):
        sent = len(disk(pc).commands)
        assert changed(pc, function) == OK
        assert opcodes(disk(pc), sent) == [TEST_UNIT_READY]


@pytest.mark.parametrize("first", [0x16, 0x49], ids=hexadecimal)
@pytest.mark.parametrize("second", [0x16, 0x49], ids=hexadecimal)
def test_a_change_is_told_once(pc, first, second):
    disk(pc).insert(content=other)
    assert changed(pc, first) == CHANGED
    assert changed(pc, second) == OK
    reads_new_medium(pc, 5)


@attentions
@pytest.mark.parametrize("function", [0x16, 0x49], ids=hexadecimal)
def test_any_attention_may_mean_a_change_and_is_told_once(pc, function, attentions):
    """A drive that was switched off or reset does not know what it had in it."""
    disk(pc).attentions = list(attentions)
    assert [changed(pc, function) for _ in range(3)] == [CHANGED, OK, OK]


def test_a_change_before_or_during_post_is_no_news(pc):
    target = Disk(removable=True, attentions=[POWER_ON, MEDIUM_CHANGED])
    pc = new_pc(pc.variant, {0: target, 3: Disk()})
    assert transfer(pc, 0x42, 5, 1) == (OK, 1)
    assert changed(pc) == OK


@pytest.mark.parametrize("function", [0x16, 0x49, *ASKING], ids=hexadecimal)
def test_an_empty_drive_says_so(empty, function):
    assert changed(empty, function) == NO_MEDIUM
    assert changed(empty, function) == NO_MEDIUM
    disk(empty).insert(ZIP)
    assert changed(empty, function) == CHANGED


@pytest.mark.parametrize("function", ASKING, ids=hexadecimal)
def test_a_ready_drive_with_another_medium_says_so_once(pc, function):
    disk(pc).insert(content=other)
    assert changed(pc, function) == CHANGED
    assert changed(pc, function) == OK
    assert changed(pc, 0x16) == CHANGED, "remembered"
    assert changed(pc, 0x16) == OK


# ---- A medium that is not there --------------------------------------------------------


def test_an_empty_drive_has_its_number_and_its_line(empty):
    assert "80h: SCSI 00:04.0 ID 0 " in empty.text and "81h: SCSI 00:04.0 ID 3 " in empty.text
    assert "no medium" in empty.text
    assert empty.peek(0x475, 1) == b"\x02"
    assert len(empty.bios.entries) == 2


@data_functions
def test_an_empty_drive_moves_nothing(empty, function):
    outcome = transfer(empty, function, 5, 3)
    assert outcome.status == NO_MEDIUM
    assert not outcome.good
    assert transfer(empty, 0x42, 1, 1, drive=0x81) == (OK, 1)


def test_48h_of_an_empty_drive_gives_a_geometry_for_any(empty):
    answer = edd(empty)
    assert answer.flags == FLAGS_EMPTY
    assert answer[2:] == (1024, 255, 63, 16450560, 512)


@data_functions
def test_a_medium_that_arrives_later_is_told_once_and_served(empty, function):
    disk(empty).insert(ZIP, other)
    assert transfer(empty, function, 5, 3).status == CHANGED
    assert disk(empty).written == {}
    assert transfer(empty, function, ZIP - 3, 3).status == OK
    answer = edd(empty)
    assert (answer.flags, answer[2:]) == (FLAGS, (96, 64, 32, ZIP, 512))


@data_functions
def test_a_medium_that_arrives_in_silence_is_told_all_the_same(empty, function):
    """A drive without unit attentions, or one that somebody else has asked."""
    assert transfer(empty, 0x42, 5, 1) == (NO_MEDIUM, 0)
    disk(empty).insert(ZIP, other)
    disk(empty).attentions.clear()
    assert transfer(empty, function, 5, 3).status == CHANGED
    assert disk(empty).written == {}
    assert transfer(empty, function, ZIP - 3, 3).status == OK


@pytest.mark.parametrize("blocks", [1, 2880, 65536, ZIP, 489532, 2**21 + 1])
def test_all_that_tells_of_a_new_medium_agrees(empty, blocks):
    """08h, 15h, 48h, and the last sector of all three."""
    pc = empty
    disk(pc).insert(blocks, other)
    assert transfer(pc, 0x42, 0, 1) == (CHANGED, 0)
    answer = edd(pc)
    old = pc.int13(changes="ax bl cx dx", ah=0x08, dl=0x80)
    kind = pc.int13(changes="ah cx dx", ah=0x15, dl=0x80)
    assert answer.sectors == kind.cx << 16 | kind.dx == blocks
    assert (old.dh + 1, old.cl & 63) == (answer.heads, answer.sectors_per_track)
    assert transfer(pc, 0x42, blocks - 1, 1) == (OK, 1)
    assert transfer(pc, 0x42, blocks, 1) == (NOT_FOUND, 0)


@data_functions
def test_a_medium_that_is_gone_is_missed(pc, function):
    disk(pc).take_out()
    for _ in range(2):
        outcome = transfer(pc, function, 5, 3)
        assert outcome.status == NO_MEDIUM and not outcome.good
    assert (changed(pc), changed(pc, 0x49)) == (NO_MEDIUM, NO_MEDIUM)
    assert edd(pc).flags == FLAGS_EMPTY
    disk(pc).insert(ZIP, other)
    assert transfer(pc, function, 5, 3).status == CHANGED
    assert transfer(pc, function, ZIP - 3, 3).status == OK


def test_a_medium_that_goes_between_two_commands_leaves_what_was_done(pc):
    target = disk(pc)
    target.data_hook = lambda bus, data: (target.take_out(), Disk.data_in(data))[1]
    assert transfer(pc, 0x42, 1000, 200) == (NO_MEDIUM, 127)


@pytest.mark.parametrize("block_bytes", [256, 520, 8192])
def test_a_medium_with_blocks_that_are_not_supported_is_not_misread(empty, block_bytes):
    disk(empty).insert(1000, lambda lba: bytes(block_bytes), block_bytes)
    for function in (0x42, 0x43, 0x42, 0x43):
        outcome = transfer(empty, function, 5, 1)
        assert outcome.status != OK and outcome.good == 0
    assert disk(empty).written == {}
    disk(empty).insert(1000, other, 512)
    assert transfer(empty, 0x42, 5, 1) == (CHANGED, 0)
    reads_new_medium(empty, 5)


def test_a_write_protected_medium_is_named(pc):
    disk(pc).write_protected = True
    assert transfer(pc, 0x43, 5, 1) == (WRITE_PROTECTED, 0)
    assert transfer(pc, 0x03, 5, 1) == (WRITE_PROTECTED, 0)
    assert WRITE10 in opcodes(disk(pc)) and disk(pc).written == {}


def test_an_ejected_medium_that_comes_back_is_a_change(pc):
    assert eject(pc) == OK
    assert transfer(pc, 0x42, 5, 1) == (NO_MEDIUM, 0)
    disk(pc).insert()
    assert transfer(pc, 0x42, 5, 1) == (CHANGED, 0)
    reads_new_medium(pc, 5)
    lives_on(pc)


def test_flags_of_48h_say_what_a_removable_drive_can(pc):
    """Removable, tells of changes, can be locked; CHS counts every sector."""
    assert edd(pc).flags == FLAGS

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: removable disks. Locks are counted, an eject asks whoever has a say,
a change of the medium is told once, and no write ever goes to a medium that
the caller does not know of.
"""

from __future__ import annotations

import struct

import pytest

from tests.model.bus import DATA_IN, DATA_OUT, FREE, HANG, MSG_IN, RESET, Bad, Delay
from tests.model.pc import BUFFER, PACKET, Pc, symbol
from tests.model.registers import MS
from tests.model.target import (BUSY, CHECK_CONDITION, MEDIUM_CHANGED, POWER_ON, PREVENT_ALLOW,
                                READ10, READ_CAPACITY, REQUEST_SENSE, START_STOP, TEST_UNIT_READY,
                                WRITE10, Answer, Disk)
from tests.rom.strict import (BAD_COMMAND, CHANGED, CONTROLLER, LOCKED, NOT_EJECTED, NOT_FOUND,
                              NOT_LOCKED, NOT_READY, NO_MEDIUM, OK, SECOND, TIMEOUT,
                              TOO_MANY_LOCKS, VARIANTS, WRITE_PROTECTED, asks, chs, disk, edd,
                              fresh, hexadecimal, lives_on, new_pc, nothing_sent, opcodes, transfer)

READS, WRITES = (0x02, 0x42), (0x03, 0x43)
DATA_FUNCTIONS = (*READS, *WRITES, 0x04, 0x44, 0x0C, 0x47)
ASKING = (0x09, 0x10, 0x11, 0x14)
LOCK, UNLOCK, STATE = 0, 1, 2
MODE_PARAMETERS = (6, 0x2A, 1)      # have changed
SPARE_STACK = 64    # of ours, below what the deepest call takes
ZIP = 196608        # blocks: 96 cylinders of 64 heads and 32 sectors
FLAGS, FLAGS_EMPTY = 0x3F, 0x7D     # of 48h

data_functions = pytest.mark.parametrize("function", DATA_FUNCTIONS, ids=hexadecimal)


def with_drive(variant: str, **options) -> Pc:
    """A removable disk at ID 0, a fixed one at ID 3."""
    return new_pc(variant, {0: Disk(removable=True, **options),
                           3: Disk(content=lambda lba: bytes([3]) * 512)})


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    return with_drive(request.param)


@pytest.fixture(params=VARIANTS)
def empty(request) -> Pc:
    """No medium during POST."""
    return with_drive(request.param, medium=False)


def other(lba: int) -> bytes:
    """What is on another medium."""
    return struct.pack("<II", lba, 0x07E3) * 64


def lock(pc: Pc, al: int, drive: int = 0x80) -> tuple[int, int]:
    result = asks(pc, 0x45, "ax", al=al, dl=drive)
    return result.ah, result.al


def eject(pc: Pc, drive: int = 0x80) -> int:
    return asks(pc, 0x46, al=0, dl=drive).ah


def changed(pc: Pc, function: int = 0x16, drive: int = 0x80) -> int:
    return asks(pc, function, dl=drive).ah


def reset_by_others(pc: Pc) -> None:
    """Another initiator resets the bus between two calls."""
    pc.bus.reset()
    pc.bus.on_reset()
    pc.chip.advance(MS)


def reset_by_us(pc: Pc) -> None:
    """The other disk breaks the protocol."""
    strange, left = pc.bus.targets[3], [(DATA_OUT, None)]
    strange.before_status = lambda bus: iter([left.pop()] if left else [])
    assert transfer(pc, 0x42, 1, 1, drive=0x81) == (OK, 1)
    strange.before_status = None


def reads_new_medium(pc: Pc, lba: int) -> None:
    assert transfer(pc, 0x42, lba, 1) == (OK, 1)
    assert pc.peek(BUFFER, 512) == disk(pc).block(lba)


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


ATTENTIONS = {
    "changed": [MEDIUM_CHANGED], "twice": [MEDIUM_CHANGED] * 2, "power on": [POWER_ON],
    "reset": [(6, 0x29, 2)], "power on twice": [POWER_ON] * 2, "mode": [MODE_PARAMETERS],
    "power on, changed": [POWER_ON, MEDIUM_CHANGED],
    "changed, power on": [MEDIUM_CHANGED, POWER_ON],
    "three": [POWER_ON, MODE_PARAMETERS, MEDIUM_CHANGED], "many": [POWER_ON] * 5}

attentions = pytest.mark.parametrize("attentions", ATTENTIONS.values(), ids=ATTENTIONS.keys())


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


# ---- A medium that changes -------------------------------------------------------------


@data_functions
def test_a_change_ends_the_next_call_with_nothing_done(pc, function):
    """And the call after it works on the new medium, to its end."""
    target, data = disk(pc), fresh(1, 3)
    target.insert(ZIP, other)
    pc.poke(BUFFER, data)
    assert transfer(pc, function, 1000, 3) == (CHANGED, None if function in (0x0C, 0x47) else 0)
    assert target.written == {} and pc.peek(BUFFER, 1536) == data
    assert edd(pc).sectors == ZIP
    assert transfer(pc, function, ZIP - 3, 3).status == OK
    assert (target.written != {}) == (function in WRITES)
    assert (changed(pc), changed(pc, 0x49)) == (CHANGED, OK)


@data_functions
def test_a_change_met_by_another_function_does_not_come_again(pc, function):
    """Who has asked 16h knows of it."""
    disk(pc).insert(ZIP, other)
    assert changed(pc) == CHANGED
    assert transfer(pc, function, ZIP - 1, 1).status == OK


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44], ids=hexadecimal)
def test_a_change_between_two_commands_of_a_call_ends_it(pc, function):
    """What had gone to the old medium may count; the new one is not touched."""
    target = disk(pc)

    def hook(cdb):
        if cdb[0] in (0x28, 0x2A, 0x2F) and cdb[2:6] != (1000).to_bytes(4, "big"):
            target.status_hook = None
            target.insert(content=other)
            return target.execute(cdb)
        return None
    target.status_hook = hook
    status, good = transfer(pc, function, 1000, 200)
    assert (status, target.written) == (CHANGED, {})
    assert good in (0, 127)
    assert transfer(pc, function, 1000, 200) == (OK, 200)


@pytest.mark.parametrize("function", WRITES, ids=hexadecimal)
@pytest.mark.parametrize("at", [0, 1, 512, 1000, 1536])
def test_a_change_in_the_middle_of_a_write_is_never_written_over(pc, function, at):
    """The target leaves the bus in the data; the write is not tried again on
    what is found in the drive then."""
    target = disk(pc)

    def hook(bus, count):
        yield from Disk.data_out(at)
        target.insert(content=other)
        target.write_hook = None
        yield FREE
    target.write_hook = hook
    assert transfer(pc, function, 1000, 3) == (CHANGED, 0)
    assert target.written == {}
    reads_new_medium(pc, 1000)


@pytest.mark.parametrize("function", READS, ids=hexadecimal)
def test_a_change_in_the_middle_of_a_read_is_told(pc, function):
    target = disk(pc)

    def hook(bus, data):
        yield from Disk.data_in(data[:700])
        target.insert(content=other)
        target.data_hook = None
        yield FREE
    target.data_hook = hook
    assert transfer(pc, function, 1000, 3) == (CHANGED, 0)
    reads_new_medium(pc, 1000)


@data_functions
def test_a_change_while_the_drive_is_busy_is_told(pc, function):
    target, left = disk(pc), [True] * 3

    def hook(cdb):
        if left:
            left.pop()
            if not left:
                target.insert(content=other)
            return Answer(status=BUSY)
        return None
    target.status_hook = hook
    assert transfer(pc, function, 1000, 3).status == CHANGED
    assert target.written == {}
    assert transfer(pc, function, 1000, 3).status == OK


@attentions
@data_functions
def test_attentions_are_told_once_and_nothing_is_done(pc, function, attentions):
    """Whichever they are: the medium may be another one."""
    target, data = disk(pc), fresh(1, 3)
    target.insert(ZIP, other)
    target.attentions = list(attentions)
    pc.poke(BUFFER, data)
    outcome = transfer(pc, function, 1000, 3)
    assert outcome.status == CHANGED and not outcome.good
    assert target.written == {} and pc.peek(BUFFER, 1536) == data
    assert transfer(pc, function, ZIP - 3, 3).status == OK
    assert edd(pc).sectors == ZIP


@pytest.mark.parametrize("by", [reset_by_others, reset_by_us])
def test_a_change_that_a_bus_reset_has_wiped_out_is_told(pc, by):
    """Only the reset is news then."""
    target = disk(pc)
    target.insert(ZIP, other)
    by(pc)
    target.attentions = [POWER_ON]
    assert transfer(pc, 0x43, 5, 2) == (CHANGED, 0)
    assert target.written == {}
    assert transfer(pc, 0x43, ZIP - 2, 2) == (OK, 2)


LOST_SENSE = {
    "bus free": dict(before_command=FREE), "bus reset": dict(before_command=RESET),
    "parity": dict(data=Bad(DATA_IN, 0)), "free in the data": dict(data=FREE),
    "no data": dict(answer=b""), "2 bytes": dict(answer=bytes([0x70, 0])),
    "descriptors": dict(answer=bytes([0x72, 6, 0x28, 0, 0, 0, 0, 0])),
    "busy": dict(status=BUSY), "refused": dict(status=CHECK_CONDITION)}


class LosesSense(Disk):
    """The sense data of its next attention is lost on the way, once."""
    lost: dict | None = None

    def session(self, bus):
        attention = self.sense[0] == 6 and self.lost
        if attention and "before_command" in self.lost:
            yield from self.message_out(bus)
            yield self._lose("before_command")
            return
        yield from super().session(bus)

    def execute(self, cdb):
        attention = cdb[0] == REQUEST_SENSE and self.sense[0] == 6 and self.lost
        answer = super().execute(cdb)
        if attention and "answer" in self.lost:
            answer.data = self._lose("answer")
        elif attention and "status" in self.lost:
            answer = Answer(status=self._lose("status"))
        return answer

    def transfer(self, bus, cdb, answer):
        if cdb[0] == REQUEST_SENSE and answer.data[2:3] == b"\x06" and "data" in (self.lost or {}):
            yield from self.data_in(answer.data[:9])
            yield self._lose("data")
            yield from self.data_in(answer.data[9:])
        else:
            yield from super().transfer(bus, cdb, answer)

    def _lose(self, place):
        what, self.lost = self.lost[place], None
        return what


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("lost", LOST_SENSE.values(), ids=LOST_SENSE.keys())
@pytest.mark.parametrize("function", [*WRITES, 0x42, 0x44], ids=hexadecimal)
def test_a_change_whose_sense_data_is_lost_is_told(variant, function, lost):
    """The drive has said it, and does not say it again."""
    target = LosesSense(removable=True)
    pc = new_pc(variant, {0: target, 3: Disk()})
    target.insert(ZIP, other)
    target.lost = lost
    assert transfer(pc, function, 1000, 3) == (CHANGED, 0)
    assert (target.lost, target.written) == (None, {})
    assert transfer(pc, function, ZIP - 3, 3) == (OK, 3)
    assert edd(pc).sectors == ZIP


HIDING = {
    "lock": lambda pc: lock(pc, LOCK)[0],
    "unlock": lambda pc: (lock(pc, LOCK), disk(pc).insert(content=other), lock(pc, UNLOCK)[0])[-1],
    "ready": lambda pc: changed(pc, 0x10),
    "16h": changed,
    "49h": lambda pc: changed(pc, 0x49),
    "48h": lambda pc: asks_48h(pc),
    "reset": lambda pc: reset_behind_trouble(pc),
    "refused eject": lambda pc: refused_eject(pc),
}


def asks_48h(pc: Pc) -> int:
    pc.poke(PACKET, b"\x4A\0")
    return pc.int13(range(PACKET, PACKET + 0x4A), ah=0x48, dl=0x80, ds=PACKET >> 4, si=0).ah


def reset_behind_trouble(pc: Pc) -> int:
    """The change comes while the disk hangs."""
    target = disk(pc)
    target.attentions.clear()
    target.before_status = lambda bus: iter([HANG])
    assert transfer(pc, 0x42, 5, 1).status == TIMEOUT
    target.before_status = None
    target.insert(content=other)
    return asks(pc, 0x00).ah


def refused_eject(pc: Pc) -> int:
    pc.bios.eject_answer = 0xB1
    return eject(pc)


@pytest.mark.parametrize("call", HIDING.values(), ids=HIDING.keys())
def test_no_function_hides_a_change_from_the_caller(pc, call):
    """Whatever meets it, either says so or leaves it to the next write to say
    so: there is no write to a medium that nobody was told of."""
    disk(pc).insert(content=other)
    told = call(pc) == CHANGED
    status, good = transfer(pc, 0x43, 5, 2)
    assert (status, good) == ((OK, 2) if told else (CHANGED, 0))
    assert (disk(pc).written != {}) == told
    assert transfer(pc, 0x43, 5, 2) == (OK, 2)


@pytest.mark.parametrize("call", ["48h", "16h", "ready", "lock"])
def test_a_medium_that_arrives_is_not_written_to_unannounced(empty, call):
    """The same for a drive that was empty."""
    disk(empty).insert(ZIP, other)
    told = HIDING[call](empty) == CHANGED
    assert transfer(empty, 0x43, 5, 2) == ((OK, 2) if told else (CHANGED, 0))
    assert transfer(empty, 0x43, 5, 2) == (OK, 2)
    assert edd(empty).sectors == ZIP


def reset_of_a_standing_drive(pc: Pc) -> int:
    """Behind trouble with the other disk the drive is asked."""
    strange = pc.bus.targets[3]
    strange.before_status = lambda bus: iter([FREE])
    assert transfer(pc, 0x42, 1, 1, drive=0x81) == (CONTROLLER, 0)
    return asks(pc, 0x00).ah


# And what it says of the drive, if it has no time to wait for it
STANDING = {
    "00h": (reset_of_a_standing_drive, OK), "16h": (changed, NOT_READY),
    "49h": (lambda pc: changed(pc, 0x49), NOT_READY),
    "45h": (lambda pc: lock(pc, LOCK)[0], NOT_READY),
    "46h": (refused_eject, 0xB1), "10h": (lambda pc: changed(pc, 0x10), CHANGED),
    "42h": (lambda pc: transfer(pc, 0x42, 5, 1).status, CHANGED)}


@pytest.mark.parametrize("call, status", STANDING.values(), ids=STANDING.keys())
def test_a_change_that_start_unit_hears_of_is_told(pc, call, status):
    """The drive stands still, and another medium comes in before it is started."""
    target = disk(pc)

    def stands(cdb):
        target.status_hook = None
        target.insert(ZIP, other)
        return target.check(2, 4, 2)
    target.status_hook = stands
    assert call(pc) == status
    assert target.status_hook is None and MEDIUM_CHANGED not in target.attentions
    assert START_STOP in opcodes(target)
    if status != CHANGED:
        assert transfer(pc, 0x43, 5, 2) == (CHANGED, 0)
    assert target.written == {}
    assert transfer(pc, 0x43, ZIP - 2, 2) == (OK, 2)


@data_functions
def test_a_change_that_start_unit_hears_of_when_patience_is_over_is_told(pc, function):
    """The drive was busy for as long as we wait."""
    target, busy = disk(pc), [True] * 50

    def hook(cdb):
        if busy:
            busy.pop()
            return Answer(status=BUSY)
        target.status_hook = None
        target.insert(ZIP, other)
        return target.check(2, 4, 2)
    target.status_hook = hook
    assert transfer(pc, function, 1000, 3).status == NOT_READY
    assert START_STOP in opcodes(target)
    assert transfer(pc, function, 1000, 3).status == CHANGED
    assert target.written == {}
    assert transfer(pc, function, ZIP - 3, 3).status == OK


def measures_another(pc: Pc) -> None:
    """A medium whose change is known gives way to one of 1000 blocks when it
    has told its size."""
    target = disk(pc)
    target.insert(ZIP, other)
    assert changed(pc) == CHANGED

    def hook(cdb):
        if cdb[0] != READ_CAPACITY:
            return None
        target.status_hook = None
        answer = target.execute(cdb)
        target.insert(1000, other)
        return answer
    target.status_hook = hook


@data_functions
def test_a_change_between_size_and_partition_table_is_told(pc, function):
    measures_another(pc)
    outcome = transfer(pc, function, 500, 3)
    assert outcome.status == CHANGED and not outcome.good
    assert disk(pc).written == {}
    assert transfer(pc, function, 1000, 1).status == NOT_FOUND
    assert transfer(pc, function, 997, 3).status == OK
    assert edd(pc).sectors == 1000


@pytest.mark.parametrize("function", [0x08, 0x15, 0x48], ids=hexadecimal)
def test_a_change_between_size_and_partition_table_is_told_by_who_asks_for_them(pc, function):
    measures_another(pc)
    pc.poke(PACKET, b"\x4A\0")
    result = pc.int13(changes="ax", ah=function, dl=0x80, ds=PACKET >> 4, si=0)
    assert (result.ah, result.cf) == (CHANGED, True)
    assert edd(pc).sectors == 1000
    assert transfer(pc, 0x43, 997, 3) == (OK, 3)


class Talking(Disk):
    """Says something ahead of the data of one command, once."""
    ahead: tuple[int, list] = (0, [])

    def transfer(self, bus, cdb, answer):
        opcode, events = self.ahead
        if cdb[0] == opcode:
            self.ahead = 0, []
            yield from events
            if FREE in events:
                return
            if bus.atn:
                yield from self.message_out(bus)
        yield from super().transfer(bus, cdb, answer)


SDTR = [(MSG_IN, byte) for byte in (1, 3, 1, 25, 15)]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("opcode", [READ_CAPACITY, READ10], ids=["capacity", "first block"])
@pytest.mark.parametrize("events", [SDTR, [*SDTR[:2], FREE]], ids=["SDTR", "half of a message"])
@pytest.mark.parametrize("function", [*DATA_FUNCTIONS, 0x08, 0x15, 0x48], ids=hexadecimal)
def test_a_new_medium_is_measured_with_stack_to_spare(variant, function, events, opcode):
    """By whichever function, with trouble at the deepest place."""
    target = Talking(removable=True)
    pc = new_pc(variant, {0: target, 3: Disk()}, measure=True)
    target.insert(ZIP, other)
    assert changed(pc) == CHANGED
    target.ahead = opcode, list(events)
    pc.poke(PACKET, struct.pack("<BBHHHQ", 0x4A if function == 0x48 else 16, 0, 1, 0,
                                BUFFER >> 4, 5))
    result = pc.int13(range(PACKET, PACKET + 0x4A), range(BUFFER, BUFFER + 512), ah=function, al=1,
                      dl=0x80, ds=PACKET >> 4, si=0, es=BUFFER >> 4, bx=0, **chs(5),
                      changes="ax bl cx dx")
    assert not result.cf
    assert target.ahead == (0, [])
    assert result.own_stack_used <= symbol("workspace") - SPARE_STACK


def test_a_new_medium_may_take_its_time(pc):
    """It is spun up first."""
    target = disk(pc)
    target.insert(ZIP, other)
    ready_at = pc.chip.now + 3 * SECOND
    target.status_hook = lambda cdb: (target.check(2, 4, 1) if pc.chip.now < ready_at else None)
    assert transfer(pc, 0x42, 5, 1) == (CHANGED, 0)
    assert transfer(pc, 0x42, ZIP - 1, 1) == (OK, 1)


def test_a_verified_write_meets_a_change_as_well(pc):
    disk(pc).insert(content=other)
    assert transfer(pc, 0x43, 5, 2, al=2) == (CHANGED, 0)
    assert disk(pc).written == {}


@pytest.mark.parametrize("blocks", [100, ZIP, 65535, 2880])
def test_the_range_of_the_new_medium_counts(pc, blocks):
    disk(pc).insert(blocks, other)
    assert transfer(pc, 0x42, 99999, 1).status in (CHANGED, NOT_FOUND)
    changed(pc)
    for function in (0x42, 0x43, 0x44):
        assert transfer(pc, function, blocks, 1) == (NOT_FOUND, 0)
        assert transfer(pc, function, blocks - 1, 1) == (OK, 1)


def test_a_change_in_one_drive_is_no_news_of_another():
    pc = new_pc("895A", {0: Disk(removable=True), 3: Disk(removable=True)})
    disk(pc).insert(ZIP, other)
    assert transfer(pc, 0x42, 5, 1) == (CHANGED, 0)
    assert (changed(pc, drive=0x81), changed(pc)) == (OK, CHANGED)
    assert (edd(pc).sectors, edd(pc, 0x81).sectors) == (ZIP, 65536)


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

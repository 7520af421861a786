# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: a change of the medium is told once, and no write ever goes to a
medium that the caller does not know of.
"""

from __future__ import annotations

import struct

import pytest

from tests.model.bus import DATA_IN, FREE, HANG, RESET, Bad
from tests.model.pc import BUFFER, PACKET, Pc
from tests.model.target import (BUSY, CHECK_CONDITION, MEDIUM_CHANGED, POWER_ON, READ10,
                                READ_CAPACITY, REQUEST_SENSE, START_STOP, Answer, Disk)
from tests.rom.disk.removable_drives import (DATA_FUNCTIONS, LOCK, READS, SDTR, STACK_ROOM, UNLOCK,
                                             WRITES, ZIP, Talking, attentions, changed,
                                             data_functions, eject, lock, other, reads_new_medium,
                                             reset_by_others, reset_by_us, with_drive)
from tests.rom.strict import (CHANGED, CONTROLLER, NOT_FOUND, NOT_READY, OK, SECOND, TIMEOUT,
                              VARIANTS, asks, chs, disk, edd, fresh, hexadecimal, new_pc, opcodes,
                              transfer)


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    return with_drive(request.param)


@pytest.fixture(params=VARIANTS)
def empty(request) -> Pc:
    """No medium during POST."""
    return with_drive(request.param, medium=False)


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
    assert result.own_stack_used <= STACK_ROOM


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

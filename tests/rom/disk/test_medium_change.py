# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: a medium change is reported once, and no write reaches a medium whose
change has not been reported to the caller.
"""

from __future__ import annotations

import struct

import pytest

from tests.model.bus import DATA_IN, FREE, HANG, MSG_IN, RESET, Bad
from tests.model.pc import BUFFER, PACKET, Pc, symbol
from tests.model.target import (BUSY, CHECK_CONDITION, MEDIUM_CHANGED, POWER_ON, READ10,
                                READ_CAPACITY, REQUEST_SENSE, START_STOP, Answer, Disk)
from tests.params import mostly_long
from tests.rom.disk.removable_drives import (DATA_FUNCTIONS, LOCK, READS, UNLOCK, WRITES, ZIP,
                                             attentions, changed, check_new_medium, data_functions,
                                             eject, lock, other_content, reset_by_other_initiator,
                                             reset_by_rom, with_drive)
from tests.rom.strict import (CHANGED, CONTROLLER, NOT_FOUND, NOT_READY, OK, SECOND, TIMEOUT,
                              VARIANTS, chs, disk, edd, hexadecimal, new_data, new_pc, opcodes,
                              simple_call, transfer)

SPARE_STACK = 64    # bytes that the deepest call must leave unused


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    return with_drive(request.param)


@pytest.fixture(params=VARIANTS)
def empty(request) -> Pc:
    """The drive has no medium during POST."""
    return with_drive(request.param, medium=False)


@data_functions
def test_change_fails_the_next_call_without_data_transfer(pc, function):
    """The call after it works on the new medium, up to its last sector."""
    target, data = disk(pc), new_data(1, 3)
    target.insert(ZIP, other_content)
    pc.poke(BUFFER, data)
    assert transfer(pc, function, 1000, 3) == (CHANGED, None if function in (0x0C, 0x47) else 0)
    assert target.written == {} and pc.peek(BUFFER, 1536) == data
    assert edd(pc).sectors == ZIP
    assert transfer(pc, function, ZIP - 3, 3).status == OK
    assert (target.written != {}) == (function in WRITES)
    assert (changed(pc), changed(pc, 0x49)) == (CHANGED, OK)


@data_functions
def test_change_reported_by_16h_is_not_reported_again(pc, function):
    disk(pc).insert(ZIP, other_content)
    assert changed(pc) == CHANGED
    assert transfer(pc, function, ZIP - 1, 1).status == OK


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44], ids=hexadecimal)
def test_change_between_two_commands_ends_the_call(pc, function):
    """Sectors of the old medium may count as good; the new medium is not written."""
    target = disk(pc)

    def hook(cdb):
        if cdb[0] in (0x28, 0x2A, 0x2F) and cdb[2:6] != (1000).to_bytes(4, "big"):
            target.status_hook = None
            target.insert(content=other_content)
            return target.execute(cdb)
        return None
    target.status_hook = hook
    status, good = transfer(pc, function, 1000, 200)
    assert (status, target.written) == (CHANGED, {})
    assert good in (0, 127)
    assert transfer(pc, function, 1000, 200) == (OK, 200)


@pytest.mark.parametrize("function", WRITES, ids=hexadecimal)
@pytest.mark.parametrize("at", [0, 1, 512, 1000, 1536])
def test_write_interrupted_by_a_change_is_not_retried(pc, function, at):
    """The target frees the bus during the data, and then another medium is in the drive."""
    target = disk(pc)

    def hook(bus, count):
        yield from Disk.data_out(at)
        target.insert(content=other_content)
        target.write_hook = None
        yield FREE
    target.write_hook = hook
    assert transfer(pc, function, 1000, 3) == (CHANGED, 0)
    assert target.written == {}
    check_new_medium(pc, 1000)


@pytest.mark.parametrize("function", READS, ids=hexadecimal)
def test_change_during_a_read_is_reported(pc, function):
    target = disk(pc)

    def hook(bus, data):
        yield from Disk.data_in(data[:700])
        target.insert(content=other_content)
        target.data_hook = None
        yield FREE
    target.data_hook = hook
    assert transfer(pc, function, 1000, 3) == (CHANGED, 0)
    check_new_medium(pc, 1000)


@data_functions
def test_change_while_the_drive_is_busy_is_reported(pc, function):
    target, left = disk(pc), [True] * 3

    def hook(cdb):
        if left:
            left.pop()
            if not left:
                target.insert(content=other_content)
            return Answer(status=BUSY)
        return None
    target.status_hook = hook
    assert transfer(pc, function, 1000, 3).status == CHANGED
    assert target.written == {}
    assert transfer(pc, function, 1000, 3).status == OK


@attentions
@data_functions
def test_any_unit_attention_is_reported_once_without_data_transfer(pc, function, attentions):
    """Any unit attention may mean another medium."""
    target, data = disk(pc), new_data(1, 3)
    target.insert(ZIP, other_content)
    target.attentions = list(attentions)
    pc.poke(BUFFER, data)
    outcome = transfer(pc, function, 1000, 3)
    assert outcome.status == CHANGED and not outcome.good
    assert target.written == {} and pc.peek(BUFFER, 1536) == data
    assert transfer(pc, function, ZIP - 3, 3).status == OK
    assert edd(pc).sectors == ZIP


@pytest.mark.parametrize("by", [reset_by_other_initiator, reset_by_rom])
def test_change_hidden_by_a_bus_reset_is_reported(pc, by):
    """The drive then reports only the reset."""
    target = disk(pc)
    target.insert(ZIP, other_content)
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
    """Its sense data for the next unit attention gets lost, once."""
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
        event, self.lost = self.lost[place], None
        return event


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("lost", LOST_SENSE.values(), ids=LOST_SENSE.keys())
@pytest.mark.parametrize("function", [*WRITES, 0x42, 0x44], ids=hexadecimal)
def test_change_is_reported_if_its_sense_data_is_lost(variant, function, lost):
    """The drive has cleared the unit attention and does not report it again."""
    target = LosesSense(removable=True)
    pc = new_pc(variant, {0: target, 3: Disk()})
    target.insert(ZIP, other_content)
    target.lost = lost
    assert transfer(pc, function, 1000, 3) == (CHANGED, 0)
    assert (target.lost, target.written) == (None, {})
    assert transfer(pc, function, ZIP - 3, 3) == (OK, 3)
    assert edd(pc).sectors == ZIP


OTHER_CALLS = {
    "lock": lambda pc: lock(pc, LOCK)[0],
    "unlock": lambda pc: (lock(pc, LOCK), disk(pc).insert(content=other_content),
                          lock(pc, UNLOCK)[0])[-1],
    "ready": lambda pc: changed(pc, 0x10),
    "16h": changed,
    "49h": lambda pc: changed(pc, 0x49),
    "48h": lambda pc: call_48h(pc),
    "reset": lambda pc: reset_after_hang(pc),
    "refused eject": lambda pc: refused_eject(pc),
}


def call_48h(pc: Pc) -> int:
    pc.poke(PACKET, b"\x4A\0")
    return pc.int13(range(PACKET, PACKET + 0x4A), ah=0x48, dl=0x80, ds=PACKET >> 4, si=0).ah


def reset_after_hang(pc: Pc) -> int:
    """The medium changes while the disk hangs."""
    target = disk(pc)
    target.attentions.clear()
    target.before_status = lambda bus: iter([HANG])
    assert transfer(pc, 0x42, 5, 1).status == TIMEOUT
    target.before_status = None
    target.insert(content=other_content)
    return simple_call(pc, 0x00).ah


def refused_eject(pc: Pc) -> int:
    pc.bios.eject_answer = 0xB1
    return eject(pc)


@pytest.mark.parametrize("call", OTHER_CALLS.values(), ids=OTHER_CALLS.keys())
def test_no_function_hides_a_change(pc, call):
    """A function either reports the change or leaves it to the next write: no write
    reaches a medium whose change has not been reported."""
    disk(pc).insert(content=other_content)
    reported = call(pc) == CHANGED
    status, good = transfer(pc, 0x43, 5, 2)
    assert (status, good) == ((OK, 2) if reported else (CHANGED, 0))
    assert (disk(pc).written != {}) == reported
    assert transfer(pc, 0x43, 5, 2) == (OK, 2)


@pytest.mark.parametrize("call", ["48h", "16h", "ready", "lock"])
def test_inserted_medium_is_reported_before_a_write(empty, call):
    """As above, for a drive that was empty."""
    disk(empty).insert(ZIP, other_content)
    reported = OTHER_CALLS[call](empty) == CHANGED
    assert transfer(empty, 0x43, 5, 2) == ((OK, 2) if reported else (CHANGED, 0))
    assert transfer(empty, 0x43, 5, 2) == (OK, 2)
    assert edd(empty).sectors == ZIP


def reset_of_a_stopped_drive(pc: Pc) -> int:
    """After a fault of the other disk, the reset function sends a command to the drive."""
    faulty = pc.bus.targets[3]
    faulty.before_status = lambda bus: iter([FREE])
    assert transfer(pc, 0x42, 1, 1, drive=0x81) == (CONTROLLER, 0)
    return simple_call(pc, 0x00).ah


# Calls to a stopped drive, and their status, for which they do not wait
STOPPED = {
    "00h": (reset_of_a_stopped_drive, OK), "16h": (changed, NOT_READY),
    "49h": (lambda pc: changed(pc, 0x49), NOT_READY),
    "45h": (lambda pc: lock(pc, LOCK)[0], NOT_READY),
    "46h": (refused_eject, 0xB1), "10h": (lambda pc: changed(pc, 0x10), CHANGED),
    "42h": (lambda pc: transfer(pc, 0x42, 5, 1).status, CHANGED)}


@pytest.mark.parametrize("call, status", STOPPED.values(), ids=STOPPED.keys())
def test_change_reported_to_start_unit_is_reported(pc, call, status):
    """The drive is stopped, and another medium is inserted before START UNIT."""
    target = disk(pc)

    def stopped(cdb):
        target.status_hook = None
        target.insert(ZIP, other_content)
        return target.check(2, 4, 2)
    target.status_hook = stopped
    assert call(pc) == status
    assert target.status_hook is None and MEDIUM_CHANGED not in target.attentions
    assert START_STOP in opcodes(target)
    if status != CHANGED:
        assert transfer(pc, 0x43, 5, 2) == (CHANGED, 0)
    assert target.written == {}
    assert transfer(pc, 0x43, ZIP - 2, 2) == (OK, 2)


@data_functions
def test_change_reported_to_start_unit_after_a_wait_is_reported(pc, function):
    """The drive is busy for most of the patience."""
    target, busy = disk(pc), [True] * 40

    def hook(cdb):
        if busy:
            busy.pop()
            return Answer(status=BUSY)
        target.status_hook = None
        target.insert(ZIP, other_content)
        return target.check(2, 4, 2)
    target.status_hook = hook
    assert transfer(pc, function, 1000, 3).status == CHANGED
    assert START_STOP in opcodes(target)
    assert target.written == {}
    assert transfer(pc, function, ZIP - 3, 3).status == OK


def change_during_measurement(pc: Pc) -> None:
    """A change that is already reported, followed by a change to a medium of 1000
    blocks after READ CAPACITY."""
    target = disk(pc)
    target.insert(ZIP, other_content)
    assert changed(pc) == CHANGED

    def hook(cdb):
        if cdb[0] != READ_CAPACITY:
            return None
        target.status_hook = None
        answer = target.execute(cdb)
        target.insert(1000, other_content)
        return answer
    target.status_hook = hook


@data_functions
def test_change_between_capacity_and_partition_table_is_reported(pc, function):
    change_during_measurement(pc)
    outcome = transfer(pc, function, 500, 3)
    assert outcome.status == CHANGED and not outcome.good
    assert disk(pc).written == {}
    assert transfer(pc, function, 1000, 1).status == NOT_FOUND
    assert transfer(pc, function, 997, 3).status == OK
    assert edd(pc).sectors == 1000


@pytest.mark.parametrize("function", [0x08, 0x15, 0x48], ids=hexadecimal)
def test_change_between_capacity_and_partition_table_is_reported_by_08h_15h_48h(pc, function):
    change_during_measurement(pc)
    pc.poke(PACKET, b"\x4A\0")
    result = pc.int13(changes="ax", ah=function, dl=0x80, ds=PACKET >> 4, si=0)
    assert (result.ah, result.cf) == (CHANGED, True)
    assert edd(pc).sectors == 1000
    assert transfer(pc, 0x43, 997, 3) == (OK, 3)


class MessageBeforeData(Disk):
    """Sends events before the data of one command, once."""
    events_before: tuple[int, list] = (0, [])

    def transfer(self, bus, cdb, answer):
        opcode, events = self.events_before
        if cdb[0] == opcode:
            self.events_before = 0, []
            yield from events
            if FREE in events:
                return
            if bus.atn:
                yield from self.message_out(bus)
        yield from super().transfer(bus, cdb, answer)


SDTR = [(MSG_IN, byte) for byte in (1, 3, 1, 25, 15)]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("opcode", [READ_CAPACITY, READ10], ids=["capacity", "first block"])
@pytest.mark.parametrize("events", [SDTR, [*SDTR[:2], FREE]], ids=["SDTR", "incomplete message"])
@pytest.mark.parametrize("function", mostly_long([*DATA_FUNCTIONS, 0x08, 0x15, 0x48], 0x02, 0x43, 0x48),
                         ids=hexadecimal)
def test_measuring_a_new_medium_leaves_spare_stack(variant, function, events, opcode):
    """Every function, with events at the deepest point of the stack."""
    target = MessageBeforeData(removable=True)
    pc = new_pc(variant, {0: target, 3: Disk()}, measure=True)
    target.insert(ZIP, other_content)
    assert changed(pc) == CHANGED
    target.events_before = opcode, list(events)
    pc.poke(PACKET, struct.pack("<BBHHHQ", 0x4A if function == 0x48 else 16, 0, 1, 0,
                                BUFFER >> 4, 5))
    result = pc.int13(range(PACKET, PACKET + 0x4A), range(BUFFER, BUFFER + 512), ah=function, al=1,
                      dl=0x80, ds=PACKET >> 4, si=0, es=BUFFER >> 4, bx=0, **chs(5),
                      changes="ax bl cx dx")
    assert not result.cf
    assert target.events_before == (0, [])
    assert result.own_stack_used <= symbol("workspace") - SPARE_STACK


def test_new_medium_may_need_time_to_spin_up(pc):
    target = disk(pc)
    target.insert(ZIP, other_content)
    ready_at = pc.chip.now + 3 * SECOND
    target.status_hook = lambda cdb: (target.check(2, 4, 1) if pc.chip.now < ready_at else None)
    assert transfer(pc, 0x42, 5, 1) == (CHANGED, 0)
    assert transfer(pc, 0x42, ZIP - 1, 1) == (OK, 1)


def test_change_fails_a_verified_write(pc):
    disk(pc).insert(content=other_content)
    assert transfer(pc, 0x43, 5, 2, al=2) == (CHANGED, 0)
    assert disk(pc).written == {}


@pytest.mark.parametrize("blocks", [100, ZIP, 65535, 2880])
def test_range_check_uses_the_new_medium(pc, blocks):
    disk(pc).insert(blocks, other_content)
    assert transfer(pc, 0x42, 99999, 1).status in (CHANGED, NOT_FOUND)
    changed(pc)
    for function in (0x42, 0x43, 0x44):
        assert transfer(pc, function, blocks, 1) == (NOT_FOUND, 0)
        assert transfer(pc, function, blocks - 1, 1) == (OK, 1)


def test_change_in_one_drive_does_not_affect_another():
    pc = new_pc("895A", {0: Disk(removable=True), 3: Disk(removable=True)})
    disk(pc).insert(ZIP, other_content)
    assert transfer(pc, 0x42, 5, 1) == (CHANGED, 0)
    assert (changed(pc, drive=0x81), changed(pc)) == (OK, CHANGED)
    assert (edd(pc).sectors, edd(pc, 0x81).sectors) == (ZIP, 65536)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: targets that move data more than once. DISCONNECT without SAVE DATA POINTER and
RESTORE POINTERS take the pointer back. The data that a target moves after that must
reach the end, or the call fails: its last pass decides what is in the buffer or on the
disk. Without further data, what has moved before counts. Also targets that request the
command or send a status more than once. [SCSI-2 "SCSI pointers", "DISCONNECT", "RESTORE
POINTERS"]
"""

from __future__ import annotations

import pytest

from tests.model.bus import COMMAND, MSG_IN, STATUS, Take
from tests.model.pc import BUFFER
from tests.model.target import GOOD, READ10, RESERVATION_CONFLICT, RESTORE, SAVE, WRITE10, Disk
from tests.model.vds import PAGE, Vds
from tests.rom.strict import (OK, READ_FAILED, VARIANTS, check_read, check_recovery, disk,
                              new_data, new_pc, transfer, two_disks)

COUNT = 9
ALL = COUNT * 512
LBA = 1000
MOVED_PAGES = {BUFFER // PAGE + i: page for i, page in enumerate((0x500, 0x700, 0x600))}

# A step: bytes that move, or an event
LEAVE, LEAVE_SAVED, SAVED, RESTORED = "leave", "leave, saved", "save", "restore"
COMPLETE_PASS = {
    "all, then disconnected": [ALL, LEAVE],
    "all, disconnected twice": [ALL, LEAVE, LEAVE],
    "all, disconnected, restored": [ALL, LEAVE, RESTORED],
    "all, disconnected, saved": [ALL, LEAVE, SAVED],
    "all, saved, restored": [ALL, SAVED, RESTORED],
    "all twice": [ALL, LEAVE, ALL],
    "all twice, then disconnected": [ALL, LEAVE, ALL, LEAVE],
    "all after a part": [27, LEAVE, ALL],
    "again in pieces": [ALL, LEAVE, 27, SAVED, ALL - 27 - 512, LEAVE_SAVED, 512],
    "the rest after a save": [1000, SAVED, ALL - 1000, LEAVE, ALL - 1000],
    "disconnected after the rest": [1000, LEAVE_SAVED, ALL - 1000, LEAVE],
    "restored after a disconnection": [1000, LEAVE, RESTORED, ALL],
}
SHORT_PASS = {
    "a part of it again": [ALL, LEAVE, 27],
    "one byte again": [ALL, LEAVE, 1],
    "all but one byte again": [ALL, LEAVE, ALL - 1],
    "whole sectors again": [ALL, LEAVE, 512],
    "whole pages again": [ALL, LEAVE, PAGE],
    "a part, then disconnected": [ALL, LEAVE, 27, LEAVE],
    "two parts, each from the start": [ALL, LEAVE, ALL - 27, LEAVE, 27],
    "a part after a restore": [ALL, LEAVE, RESTORED, 27],
    "a part after a save": [1000, LEAVE_SAVED, ALL - 1000, LEAVE, 27],
    "all, then restored": [ALL, RESTORED],
    "all, restored after a save": [1000, SAVED, ALL - 1000, RESTORED],
    "restored, a part, disconnected": [ALL, RESTORED, 27, LEAVE],
    "a part again, saved": [ALL, LEAVE, 27, LEAVE_SAVED],
}
machines = pytest.mark.parametrize("vds", [False, True], ids=["one piece", "pages"])


@pytest.fixture(params=VARIANTS)
def pc(request, vds):
    """With `vds`, the buffer consists of pages that are not in sequence."""
    if not vds:
        return two_disks(request.param)
    other = Disk(content=lambda lba: bytes([3]) * 512)
    return new_pc(request.param, {0: Disk(), 3: other}, vds=Vds(pages=MOVED_PAGES))


def moves(target: Disk, steps: list, move):
    """Plays the steps. `move(start, stop)` moves data."""
    at = saved = 0
    for step in steps:
        if isinstance(step, int):
            yield from move(at, at + step)
            at += step
        elif step in (LEAVE, LEAVE_SAVED):
            saved = at if step == LEAVE_SAVED else saved
            yield from target.disconnect(save=step == LEAVE_SAVED)
            at = saved
        elif step == SAVED:
            yield MSG_IN, SAVE
            saved = at
        else:
            yield MSG_IN, RESTORE
            at = saved


def play_read(target: Disk, steps: list) -> None:
    """Data of a pass that must not count is wrong, as that of a pass that a further one
    replaces may be."""
    def hook(bus, data):
        right = steps in COMPLETE_PASS.values()
        yield from moves(target, steps, lambda start, stop: Disk.data_in(
            data[start:stop] if right else bytes(stop - start)))
    target.data_hook = hook


def play_write(target: Disk, steps: list) -> None:
    """The target stores what it has taken last at each place."""
    def hook(bus, count):
        taken = bytearray(count)

        def move(start, stop):
            taken[start:stop] = yield from Disk.data_out(stop - start)
        yield from moves(target, steps, move)
        return bytes(taken)
    target.write_hook = hook


@machines
@pytest.mark.parametrize("steps", COMPLETE_PASS.values(), ids=COMPLETE_PASS)
def test_data_whose_last_pass_is_complete_is_good(pc, steps):
    play_read(disk(pc), steps)
    pc.poke(BUFFER, b"\xEE" * ALL)
    commands = len(disk(pc).commands)
    assert transfer(pc, 0x42, LBA, COUNT) == (OK, COUNT)
    assert pc.peek(BUFFER, ALL) == b"".join(disk(pc).block(LBA + i) for i in range(COUNT))
    assert len(disk(pc).commands) == commands + 1, "no second try"
    data = new_data(1, COUNT)
    play_write(disk(pc), steps)
    pc.poke(BUFFER, data)
    assert transfer(pc, 0x43, LBA, COUNT) == (OK, COUNT)
    assert b"".join(disk(pc).block(LBA + i) for i in range(COUNT)) == data
    assert len(disk(pc).commands) == commands + 2


@machines
@pytest.mark.parametrize("steps", SHORT_PASS.values(), ids=SHORT_PASS)
def test_data_whose_last_pass_is_short_is_an_error(pc, steps):
    play_read(disk(pc), steps)
    play_write(disk(pc), steps)
    assert transfer(pc, 0x42, LBA, COUNT) == (READ_FAILED, 0)
    pc.poke(BUFFER, new_data(1, COUNT))
    assert transfer(pc, 0x43, LBA, COUNT) == (READ_FAILED, 0)
    check_recovery(pc)


def test_short_second_pass_is_tried_again():
    """The next try succeeds."""
    machine = two_disks("895A")
    tries = []

    def hook(bus, data):
        tries.append(1)
        yield from Disk.data_in(data)
        if len(tries) == 1:
            yield from disk(machine).disconnect(save=False)
            yield from Disk.data_in(bytes(27))
    disk(machine).data_hook = hook
    assert transfer(machine, 0x42, LBA, COUNT) == (OK, COUNT)
    assert len(tries) == 2
    assert machine.peek(BUFFER, 512) == disk(machine).block(LBA)


# ---- The command again -----------------------------------------------------------------

RESERVED = 0xB3


def check_write(pc, sectors: int = COUNT) -> None:
    data = new_data(2, sectors)
    pc.poke(BUFFER, data)
    assert transfer(pc, 0x43, LBA, sectors) == (OK, sectors)
    assert b"".join(disk(pc).block(LBA + i) for i in range(sectors)) == data


def takes_a_part_of_the_command(target: Disk, length: int, event, more: list[int]) -> None:
    """The next WRITE: the target takes a part of the CDB, sends a message, and requests the
    command again, all of it."""
    def session(bus):
        yield from target.message_out(bus)
        begin = yield Take(COMMAND, length)
        del target.session
        assert begin[0] == WRITE10
        yield MSG_IN, event
        for _ in range(10):
            more.append((yield COMMAND, None))
        yield from target.transfer(bus, bytes(more), target.execute(bytes(more)))
        yield STATUS, GOOD
        yield MSG_IN, 0
    target.session = session


@pytest.mark.parametrize("length", [1, 2, 6, 9])
@pytest.mark.parametrize("variant", VARIANTS)
def test_rest_of_a_command_is_not_replaced_by_its_beginning(variant, length):
    """Without RESTORE POINTERS the target would take the next bytes of the CDB."""
    pc, more = two_disks(variant), []
    check_read(pc)
    takes_a_part_of_the_command(disk(pc), length, SAVE, more)
    check_write(pc)
    assert more == [], "tried again after a bus reset"


@pytest.mark.parametrize("length", [1, 2, 6, 9])
@pytest.mark.parametrize("variant", VARIANTS)
def test_restore_pointers_restarts_the_command(variant, length):
    pc, more = two_disks(variant), []
    check_read(pc)
    takes_a_part_of_the_command(disk(pc), length, RESTORE, more)
    check_write(pc)
    assert more[0] == WRITE10 and len(more) == 10


@pytest.mark.parametrize("saved", [True, False], ids=["saved", "not-saved"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_command_after_a_part_of_the_data(variant, saved):
    """SAVE DATA POINTER and DISCONNECT after it have their usual effect, or the command
    fails."""
    pc = two_disks(variant)
    target = disk(pc)
    check_read(pc)
    seen = []

    def hook(bus, count):
        begin = yield from Disk.data_out(600)
        if saved:
            yield MSG_IN, SAVE
        seen.append((yield Take(COMMAND, 10)))
        begin += yield from Disk.data_out(100)
        yield from target.disconnect()
        return begin + (yield from Disk.data_out(count - 700))
    target.write_hook = hook
    if saved:
        check_write(pc)
        assert [cdb[0] for cdb in seen] == [WRITE10]
    else:
        assert transfer(pc, 0x43, LBA, COUNT) == (READ_FAILED, 0)
        assert seen == [] and target.written == {}
    check_recovery(pc)


# ---- Several statuses --------------------------------------------------------------------


@pytest.mark.parametrize("statuses, ah", [((GOOD, RESERVATION_CONFLICT), RESERVED),
                                          ((RESERVATION_CONFLICT, GOOD), OK)])
@pytest.mark.parametrize("leaves", [True, False], ids=["disconnected between", "at once"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_last_status_counts(variant, leaves, statuses, ah):
    pc = two_disks(variant)
    check_read(pc)
    target = disk(pc)

    def session(bus):
        events, answer = Disk.session(target, bus), None
        while True:
            try:
                event = events.send(answer)
            except StopIteration:
                return
            if event == (STATUS, GOOD) and target.commands[-1][0] == READ10:
                yield STATUS, statuses[0]
                if leaves:
                    yield from target.disconnect()
                event = STATUS, statuses[1]
            answer = yield event
    target.session = session
    assert transfer(pc, 0x42, LBA, COUNT) == (ah, 0 if ah else COUNT)
    del target.session
    check_recovery(pc)

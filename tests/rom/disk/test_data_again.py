# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: targets that move data more than once. DISCONNECT without SAVE DATA POINTER and
RESTORE POINTERS take the pointer back. The data that a target moves after that must
reach the end, or the call fails: its last pass decides what is in the buffer or on the
disk. Without further data, what has moved before counts. [SCSI-2 "SCSI pointers",
"DISCONNECT", "RESTORE POINTERS"]
"""

from __future__ import annotations

import pytest

from tests.model.bus import MSG_IN
from tests.model.pc import BUFFER
from tests.model.target import RESTORE, SAVE, Disk
from tests.model.vds import PAGE, Vds
from tests.rom.strict import (OK, READ_FAILED, VARIANTS, check_recovery, disk, new_data, new_pc,
                              transfer, two_disks)

COUNT = 9
ALL = COUNT * 512
LBA = 1000
MOVED_PAGES = {BUFFER // PAGE + i: page for i, page in enumerate((0x500, 0x700, 0x600))}

# A step: bytes that move, or an event
LEAVE, LEAVE_SAVED, SAVED, RESTORED = "leave", "leave, saved", "save", "restore"
GOOD = {
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
SHORT = {
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
        right = steps in GOOD.values()
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
@pytest.mark.parametrize("steps", GOOD.values(), ids=GOOD)
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
@pytest.mark.parametrize("steps", SHORT.values(), ids=SHORT)
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

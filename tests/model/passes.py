# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Targets that move data more than once, request the command again, or send several
statuses. DISCONNECT without SAVE DATA POINTER and RESTORE POINTERS take the pointer
back. The data that a target moves after that must reach the end, or the command has
moved too little: its last pass decides. Without further data, what has moved before
counts. [SCSI-2 "SCSI pointers", "DISCONNECT", "RESTORE POINTERS"]
"""

from __future__ import annotations

from tests.model.bus import COMMAND, MSG_IN, STATUS, Take
from tests.model.target import GOOD, READ10, RESTORE, SAVE, WRITE10, Disk

COUNT = 9
ALL = COUNT * 512
PAGE = 4096

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


def moves(target: Disk, steps: list, move):
    """Plays the steps. `move(start, stop)` moves data."""
    at = saved = 0
    for step in steps:
        if isinstance(step, int):
            yield from move(at, at + step)
            at += step
        elif step in (LEAVE, LEAVE_SAVED):
            if (yield from target.disconnect(save=step == LEAVE_SAVED)):
                saved = at if step == LEAVE_SAVED else saved
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


def requests_command_in_data(target: Disk, saved: bool, seen: list[bytes]) -> None:
    """A write: the target requests the command again after 600 bytes, and disconnects after
    700."""
    def hook(bus, count):
        begin = yield from Disk.data_out(600)
        if saved:
            yield MSG_IN, SAVE
        seen.append((yield Take(COMMAND, 10)))
        begin += yield from Disk.data_out(100)
        yield from target.disconnect()
        return begin + (yield from Disk.data_out(count - 700))
    target.write_hook = hook


def sends_two_statuses(target: Disk, statuses: tuple[int, int], leaves: bool) -> None:
    """After each READ, perhaps with a disconnection between the statuses."""
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

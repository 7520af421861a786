# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""What targets may do in a command, as hooks of a Disk (target.py). It then still ends
with all its data. [SCSI-2 "SCSI bus phase sequences", "Message system specification"]
"""

from __future__ import annotations

from tests.model.bus import COMMAND, MSG_IN, MSG_OUT, STATUS
from tests.model.target import COMPLETE, REJECT, RESTORE, SAVE, Disk

ODD_PIECES = [1, 2, 3, 5, 7, 11, 101, 400, 3, 1]

# Messages of a target, and what answers them
OFFERS = {
    "SDTR": ([1, 3, 1, 25, 15], [1, 3, 1, 25, 0]),      # offset 0
    "WDTR": ([1, 2, 3, 1], [1, 2, 3, 0]),               # 8 bits
    "PPR": ([1, 6, 4, 9, 0, 62, 1, 2], [REJECT]),
    "extended": ([1, 1, 0x55], [REJECT]),               # unknown
    "256-bytes": ([1, 0] + [9] * 256, [REJECT]),        # the longest message
    "two-byte": ([0x22, 5], [REJECT]),                  # unknown
    "one-byte": ([0x13], [REJECT]),                     # unknown
}


# ---- Disconnections and pointers, in a read --------------------------------------------------


def leaves_at(target: Disk, at: int, save: bool):
    """Without SAVE DATA POINTER the target resumes at the last saved pointer, which is the
    start."""
    def hook(bus, data):
        yield from Disk.data_in(data[:at])
        left = yield from target.disconnect(save)
        yield from Disk.data_in(data[0 if left and not save else at:])
    return hook


def leaves_often(target: Disk, sizes: list[int]):
    """A disconnection after each piece."""
    def hook(bus, data):
        at = 0
        for size in sizes:
            yield from Disk.data_in(data[at:at + size])
            at += size
            yield from target.disconnect()
        yield from Disk.data_in(data[at:])
    return hook


def leaves_after_all(target: Disk):
    def hook(bus, data):
        yield from Disk.data_in(data)
        yield from target.disconnect(save=False)
    return hook


def restores_at(at: int):
    """Wrong data is replaced after RESTORE POINTERS."""
    def hook(bus, data):
        yield from Disk.data_in(bytes(at))
        yield MSG_IN, RESTORE
        yield from Disk.data_in(data)
    return hook


def restores_to_saved(bus, data):
    yield from Disk.data_in(data[:600])
    yield MSG_IN, SAVE
    yield from Disk.data_in(bytes(300))
    yield MSG_IN, RESTORE
    yield from Disk.data_in(data[600:])


# ---- In a write ------------------------------------------------------------------------------


def takes_again(saved: int, at: int):
    """RESTORE POINTERS: the data restarts at the saved pointer, or at the start if none was
    saved."""
    def hook(bus, count):
        first = yield from Disk.data_out(saved)
        if saved:
            yield MSG_IN, SAVE
        yield from Disk.data_out(at)
        yield MSG_IN, RESTORE
        return first + (yield from Disk.data_out(count - saved))
    return hook


def offers_in_write(offer: list[int], seen: list[int]):
    """A message after 700 bytes."""
    def hook(bus, count):
        first = yield from Disk.data_out(700)
        yield from offers(offer, seen)(bus)
        return first + (yield from Disk.data_out(count - 700))
    return hook


# ---- Messages, for `before_command` and `before_status` --------------------------------------


def offers(messages: list[int], seen: list[int], taken: int | None = None):
    """Sends messages and takes the answer; with `taken`, only so many bytes of it."""
    def hook(bus):
        for byte in messages:
            yield MSG_IN, byte
        while bus.atn and taken is None or len(seen) < (taken or 0):
            seen.append((yield MSG_OUT, None))
    return hook


def identify_again(seen: list):
    def hook(bus):
        byte = yield MSG_OUT, None
        seen.append((byte, bus.atn))
    return hook


def command_again(bus):
    for _ in range(10):
        yield COMMAND, None


def tag_after_identify(target: Disk, seen: list[int]):
    """A data hook: the target sends a tag, although it has received none."""
    def hook(bus, data):
        yield from target.disconnect()
        yield from offers([0x20, 7], seen)(bus)
        yield from Disk.data_in(data)
    return hook


def more_after_status(target: Disk, place: str):
    """A session with a disconnection or a message between the status and COMMAND COMPLETE."""
    real_session = target.session

    def session(bus):
        events, answer = real_session(bus), None
        while True:
            try:
                event = events.send(answer)
            except StopIteration:
                return
            if event == (MSG_IN, COMPLETE) and place == "disconnect":
                yield from target.disconnect()
            elif event == (MSG_IN, COMPLETE):
                yield MSG_IN, REJECT
            answer = yield event
    return session


def status_without_data(target: Disk):
    """A session of a target that asks for one byte of the command only."""
    def session(bus):
        yield from target.message_out(bus)
        yield COMMAND, None
        yield STATUS, 0
        yield MSG_IN, COMPLETE
    return session

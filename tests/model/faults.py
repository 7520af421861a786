# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""What targets and other initiators do wrong, as hooks of a Disk (target.py) and as
events on the bus. The tests of the ROM, of lsi/ on x86-64 and of the UEFI driver
put the same faults in.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator

from tests.model.bus import (COMMAND, DATA_IN, DATA_OUT, FREE, HANG, MSG_IN, MSG_OUT, RESET, STATUS, Bad,
                             Bus, Delay, Reselect, Take)
from tests.model.registers import MS, US
from tests.model.target import CHECK_CONDITION, COMPLETE, DISCONNECT, REJECT, SAVE, Disk

OTHER_INITIATOR = 6  # or a target whose ID no disk has

Hook = Callable[..., Iterator]


def once(hook: Hook) -> Hook:
    """Only the first call of the data hook sends its events; later data is sent normally."""
    calls = []

    @functools.wraps(hook)
    def wrapped(bus, data):
        calls.append(1)
        if len(calls) == 1:
            yield from hook(bus, data)
        else:
            yield from Disk.data_in(data)

    return wrapped


class FaultAt:
    """A session that sends `event` in place of its nth bus event, once; every byte
    counts as an event."""

    def __init__(self, target: Disk, n: int, event):
        self._target, self._left, self._event = target, n, event
        self.done = False  # a session has ended before event n
        self.cuts_in = False     # the target holds the bus at event n, and would not leave it

    def __call__(self, bus: Bus) -> Iterator:
        session, answer = type(self._target).session(self._target, bus), None
        while True:
            try:
                sent = session.send(answer)
            except StopIteration:
                self.done = self._left > 0
                return
            length = self._length(sent)
            if 0 < self._left <= length:
                if self._left > 1:
                    yield self._begin(sent, self._left - 1)
                self._left = 0
                self.cuts_in = bus.connected is not None and sent is not FREE
                yield self._event
                return
            self._left -= length if self._left else 0
            answer = yield sent

    @staticmethod
    def _length(what) -> int:
        if isinstance(what, Take):
            return what.count
        return len(what[1]) if isinstance(what, tuple) and isinstance(what[1], bytes) else 1

    @staticmethod
    def _begin(what, length: int):
        """The first bytes of an event with several."""
        return Take(what.phase, length) if isinstance(what, Take) else (what[0], what[1][:length])


def leaves_in_read(target: Disk) -> Hook:
    """Two blocks are read, with two disconnections."""
    def hook(bus, data):
        yield from target.disconnect()
        yield from Disk.data_in(data[:300])
        left = yield from target.disconnect(save=False)
        yield from Disk.data_in(data[0 if left else 300:])
    return hook


def leaves_in_write(target: Disk) -> Hook:
    """Two blocks are written. Each is stored as soon as it has arrived; the disk disconnects
    within and after both."""
    def hook(bus, count):
        data = yield from Disk.data_out(300)
        yield from target.disconnect()
        more = yield from Disk.data_out(100)
        if (yield from target.disconnect(save=False)):
            more = b""
        data += more + (yield from Disk.data_out(212 - len(more)))
        target.store(target.commands[-1], data)
        yield from target.disconnect()
        data += yield from Disk.data_out(512)
        target.store(target.commands[-1], data)
        yield from target.disconnect()
        return data
    return hook


# ---- In the data -----------------------------------------------------------------------


def phase_out(bus, data):
    """Requests DATA OUT on a read."""
    yield from ((DATA_OUT, None) for _ in range(4))


def bad_phase(bus, data):
    yield 4, 0


def data_then(at: int, event) -> Hook:
    """An event after that many bytes of a read."""
    def hook(bus, data):
        yield from Disk.data_in(data[:at])
        yield event
    return hook


def hangs(bus, data=None):
    """A session, a part of one, or a data hook that hangs."""
    yield HANG


def parity_hook(place: str, takes_message: bool, seen: list[int]) -> Hook:
    """A read with one bad byte, after which the target may accept a message."""
    def hook(bus, data):
        if place == "data":
            yield DATA_IN, data[:10]
            yield Bad(DATA_IN, data[10] ^ 1)
            data = data[11:]
        if place == "message":
            yield Bad(MSG_IN, REJECT)
        while bus.atn and takes_message:
            seen.append((yield MSG_OUT, None))
        yield from Disk.data_in(data)
        if place == "status":
            yield Bad(STATUS, 0)
            yield MSG_IN, COMPLETE
    return hook


def parity_and_mismatch(bus, data):
    """PAR and MA are set at the same time."""
    yield DATA_IN, data[:10]
    yield Bad(DATA_IN, 0)


def in_pieces(target: Disk, sizes: list[int], save: bool = True) -> Hook:
    """A write that is taken in these pieces, with a disconnection after each."""
    def hook(bus, count):
        taken = b""
        for size in sizes:
            taken += yield from Disk.data_out(size)
            yield from target.disconnect(save)
        return taken + (yield from Disk.data_out(count - len(taken)))
    return hook


# ---- Disconnections ----------------------------------------------------------------------

# Who reselects, and the messages that follow
WRONG_RESELECTIONS = {"no such target": (5, [0x80]), "another disk": (3, [0x80]), "wrong LUN": (0, [0x81]),
                      "no IDENTIFY": (0, [0x00]), "DISCONNECT": (0, [0x04])}


def reselects_as(target: int, messages: list[int], data: bytes | None = None) -> Hook:
    """A read with a disconnection, after which a target reselects with these messages. It
    sends other data than the disk's, unless `data` is None."""
    def hook(bus, right):
        yield MSG_IN, DISCONNECT
        yield FREE
        yield Delay(10 * US)
        yield Reselect(target)
        for byte in messages:
            yield MSG_IN, byte
        yield from Disk.data_in(right if data is None else data)
    return hook


def reselects_without_identify(bus, data):
    yield MSG_IN, DISCONNECT
    yield FREE
    yield Reselect()
    yield from Disk.data_in(data)


def never_reconnects(at: int = 0, save: bool = True) -> Hook:
    """A data hook for reads and for writes that disconnects and never reselects."""
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


def slow_until_atn(target: Disk) -> Hook:
    """A data hook of a target that sends nothing, but accepts ABORT."""
    def hook(bus, data):
        while not bus.atn:
            yield Delay(100 * MS)
        yield from target.dismissed(bus, (yield from target.message_out(bus)))
        yield FREE
    return hook


# ---- In the command ------------------------------------------------------------------------


def short_command(target: Disk, taken: int = 5, opcode: int | None = None) -> Hook:
    """A session that ends one command after that many CDB bytes, with ABORTED COMMAND; with
    `opcode`, each such command, while others of 6 bytes run normally."""
    def session(bus: Bus):
        yield from target.message_out(bus)
        first = yield COMMAND, None
        if opcode not in (None, first):
            yield from plain_command(target, first)
            return
        for _ in range(taken - 1):
            yield COMMAND, None
        if opcode is None:
            del target.session
        target.sense = (0xB, 0x47, 0)
        yield STATUS, CHECK_CONDITION
        yield MSG_IN, COMPLETE
    return session


def plain_command(target: Disk, first: int) -> Iterator:
    """The rest of a command of 6 bytes."""
    cdb = bytes([first]) + (yield Take(COMMAND, 5))
    answer = target.execute(cdb)
    yield from Disk.data_in(answer.data)
    yield STATUS, answer.status
    yield MSG_IN, COMPLETE


def bus_free_in_command(target: Disk) -> Hook:
    """Goes to bus free in the middle of the command."""
    def session(bus: Bus):
        yield from target.message_out(bus)
        yield COMMAND, None
        del target.session
        yield FREE
    return session


# ---- Sense data [SCSI-2 "Sense data format"] -------------------------------------------------

MEDIUM_ERRORS = {
    "seven bytes": bytes([0x70, 0, 3, 0, 0, 0, 0]),
    "no additional length": bytes([0x70, 0, 3, 0, 0, 0, 0, 0]) + b"\xFF" * 10,
    "additional length beyond": bytes([0x70, 0, 3, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0x11, 0, 0, 0, 0,
                                       0]),
    "valid bit and information": bytes([0xF0, 0, 3, 1, 2, 3, 4, 10, 0, 0, 0, 0, 0x11, 0, 0, 0, 0,
                                        0]),
    "filemark bits": bytes([0x70, 0, 0xE3, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0]),
}
UNUSABLE_SENSE = {"none": b"", "1": b"\x70", "2": b"\x70\0", "zeros": bytes(18), "descriptor": b"\x72" + bytes(17)}


# ---- Other initiators ----------------------------------------------------------------------


def reset_after(ns: int) -> Iterator:
    yield Delay(ns)
    yield RESET


def comes_back_after(ns: int) -> Iterator:
    """The target has a command from before."""
    yield Delay(ns)
    yield Reselect()
    yield MSG_IN, 0x80
    yield DATA_IN, b"\xBB" * 512
    yield STATUS, 0
    yield MSG_IN, COMPLETE

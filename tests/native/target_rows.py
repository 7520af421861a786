# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Tables of what a target does in one command, and how the command must end. The ends
follow from scsi/hba.h and SCSI-2. The tests of lsi/ and of the UEFI driver go through
the same rows.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass

from tests.model import faults, manners, passes
from tests.model.bus import DATA_IN, DATA_OUT, FREE, HANG, MSG_IN, RESET, STATUS, Bad, Delay
from tests.model.registers import MS
from tests.model.target import (BUSY, CHECK_CONDITION, COMPLETE, GOOD, QUEUE_FULL, READ10, REJECT,
                                RESERVATION_CONFLICT, RESTORE, SAVE, Answer, Disk)
from tests.native.machine import SECTOR

BLOCKS = 3
ALL = BLOCKS * SECTOR
ENDS = {FREE: "BUS_FREE", RESET: "BUS_RESET", HANG: "TIMEOUT"}

Hooks = Callable[[Disk], dict[str, object]]


@dataclass(frozen=True)
class Row:
    """`hooks` are attributes of the disk. With OK: `moved` bytes, `status` and `overrun`. Several
    results: which of them is not defined."""
    hooks: Hooks
    result: str | tuple[str, ...] = "OK"
    moved: int = ALL
    status: int = GOOD
    overrun: bool = False
    emulated: bool = False  # it can occur on QEMU, too

    def put(self, disk: Disk) -> None:
        for name, value in self.hooks(disk).items():
            setattr(disk, name, value)


def hook(**hooks) -> Hooks:
    """Hooks that do not depend on the disk."""
    return lambda disk: hooks


def moving(make: Callable[[Disk], object]) -> Hooks:
    return lambda disk: {"data_hook": make(disk)}


def taking(make: Callable[[Disk], object]) -> Hooks:
    return lambda disk: {"write_hook": make(disk)}


def event(what) -> Callable:
    """A hook of one event."""
    return lambda *arguments: iter([what])


def without_status(disk: Disk):
    """COMMAND COMPLETE in place of the status."""
    return lambda bus: iter([(MSG_IN, COMPLETE), FREE])


def hangs_when_selected_again(disk: Disk) -> dict[str, object]:
    """It disconnects for ever, and does not answer the messages after the next selection."""
    def hook(bus, data):
        disk.session = faults.hangs
        yield from faults.never_reconnects(save=False)(bus, data)
    return {"data_hook": hook}


def status_only(status: int) -> Hooks:
    return hook(status_hook=lambda cdb: Answer(status=status))


def data_and_status(status: int) -> Hooks:
    """All data, then this status."""
    def make(disk: Disk) -> dict[str, object]:
        def answer(cdb):
            lba = int.from_bytes(cdb[2:6], "big")
            blocks = b"".join(disk.block(lba + i) for i in range(BLOCKS))
            return Answer(blocks, status) if cdb[0] == READ10 else None
        return {"status_hook": answer}
    return make


def two_statuses(first: int, second: int, leaves: bool) -> Hooks:
    def make(disk: Disk) -> dict[str, object]:
        passes.sends_two_statuses(disk, (first, second), leaves)
        return {}
    return make


def part_of_command(length: int, message: int) -> Hooks:
    def make(disk: Disk) -> dict[str, object]:
        passes.takes_a_part_of_the_command(disk, length, message, [])
        return {}
    return make


def command_in_data(saved: bool) -> Hooks:
    def make(disk: Disk) -> dict[str, object]:
        passes.requests_command_in_data(disk, saved, [])
        return {}
    return make


def of_messages(*bytes_sent: int) -> Callable:
    return lambda bus, *data: iter([(MSG_IN, byte) for byte in bytes_sent])


# ---- In any command -------------------------------------------------------------------------

PLACES = ("before_command", "before_status")
ANY = {
    **{f"{event_!r} {place}": Row(hook(**{place: event(event_)}), ENDS[event_])
       for event_ in ENDS for place in PLACES},
    **{f"{event_!r} after selection": Row(hook(session=event(event_)), ENDS[event_]) for event_ in ENDS},
    **{f"requests {name} {place}": Row(hook(**{place: event((phase, 0))}), "PROTOCOL")
       for name, phase in (("phase 4", 4), ("phase 5", 5)) for place in PLACES},
    "restores without end": Row(hook(before_status=lambda bus: itertools.cycle([Delay(MS), (MSG_IN, RESTORE)])),
                                "TIMEOUT"),
    "no status": Row(lambda disk: {"before_status": without_status(disk)}, "BUS_FREE"),
    "status FFh": Row(hook(before_status=lambda bus: iter([(STATUS, 0xFF), (MSG_IN, COMPLETE), FREE])),
                      ("PROTOCOL", "BUS_FREE")),
    "status FFh after a good one": Row(
        hook(before_status=lambda bus: iter([(STATUS, 0), (STATUS, 0xFF), (MSG_IN, COMPLETE), FREE])),
        ("PROTOCOL", "BUS_FREE")),
    "does not leave after the status": Row(hook(before_status=lambda bus: iter([(STATUS, 0), HANG])), "TIMEOUT"),
    "does not leave after COMMAND COMPLETE": Row(
        hook(before_status=lambda bus: iter([(STATUS, 0), (MSG_IN, COMPLETE), HANG])), "TIMEOUT"),
    "bad parity of a message": Row(hook(before_status=event(Bad(MSG_IN, REJECT))), "PARITY"),
    "bad parity of the status": Row(hook(before_status=event(Bad(STATUS, 0))), "PARITY"),
    **{f"{n} bytes of a message": Row(hook(before_status=of_messages(*[1, 3, 1, 25][:n])), "PROTOCOL")
       for n in (1, 2, 3, 4)},
    "first byte of a two-byte message": Row(hook(before_status=of_messages(0x20)), "PROTOCOL"),
    "slow status": Row(hook(before_status=event(Delay(300 * MS))), emulated=True),
    "too slow": Row(hook(before_status=event(Delay(500 * MS))), "TIMEOUT"),
    **{f"{name} {place}": Row(lambda disk, place=place, offer=offer: {place: manners.offers(offer, [])})
       for place in PLACES for name, (offer, _) in manners.OFFERS.items()},
    **{f"message {message:02x} before the command": Row(hook(before_command=event((MSG_IN, message))))
       for message in (REJECT, SAVE, RESTORE)},
    **{f"takes {n} bytes of the answer": Row(
        hook(before_command=lambda bus, n=n: manners.offers(manners.OFFERS["SDTR"][0], [], n)(bus)))
       for n in (1, 2, 4)},
    "IDENTIFY again": Row(lambda disk: {"before_command": manners.identify_again([])}),
    "command again": Row(hook(before_command=manners.command_again)),
    "ignores ATN": Row(hook(ignores_atn=True)),
    **{f"leaves {place}": Row(lambda disk, place=place: {place: lambda bus: disk.disconnect()})
       for place in PLACES},
    "message before COMMAND COMPLETE": Row(lambda disk: {"session": manners.more_after_status(disk, "message")}),
    "leaves before COMMAND COMPLETE": Row(
        lambda disk: {"session": manners.more_after_status(disk, "disconnect")}),
    **{f"status {status:02x}": Row(status_only(status), moved=0, status=status, emulated=True)
       for status in (CHECK_CONDITION, BUSY, QUEUE_FULL, RESERVATION_CONFLICT, 0x04, 0x10, 0x14, 0x22, 0x30,
                      0x3E, 0x40, 0xC1)},
    **{f"CHECK CONDITION after {n} bytes of the command": Row(
        lambda disk, n=n: {"session": faults.short_command(disk, n, None)}, moved=0, status=CHECK_CONDITION)
       for n in (1, 5, 9)},
    "bus free in the command": Row(lambda disk: {"session": faults.bus_free_in_command(disk)}, "BUS_FREE"),
}

# ---- In a read ------------------------------------------------------------------------------

READS = {
    **ANY,
    "requests data out": Row(hook(data_hook=faults.phase_out), "PROTOCOL"),
    **{f"{event_!r} after {at} bytes": Row(hook(data_hook=faults.data_then(at, event_)), ENDS[event_])
       for event_ in ENDS for at in (0, 1, 300, 512, 1000, ALL)},
    **{f"bad parity of {place}, {name}": Row(hook(data_hook=faults.parity_hook(place, takes, [])), "PARITY")
       for place in ("data", "message", "status") for name, takes in (("takes message", True), ("ignores ATN", False))},
    "bad parity and mismatch": Row(hook(data_hook=faults.parity_and_mismatch), "PARITY"),
    **{f"reselection: {name}": Row(hook(data_hook=faults.reselects_as(*wrong, b"\xBB" * ALL)), "PROTOCOL", moved=0)
       for name, wrong in faults.WRONG_RESELECTIONS.items()},
    "reselection without a message": Row(hook(data_hook=faults.reselects_without_identify), "PROTOCOL"),
    "reserved bits in IDENTIFY": Row(hook(data_hook=faults.reselects_as(0, [0xC0]))),
    **{f"never reconnects after {at} bytes{', saved' * save}": Row(
        hook(data_hook=faults.never_reconnects(at, save)), "TIMEOUT")
       for at in (0, 1, 700, ALL) for save in (True, False)},
    "never reconnects, ignores ABORT": Row(
        hook(data_hook=faults.never_reconnects(), deaf_to_abort=True), "TIMEOUT"),
    "never reconnects, ignores messages": Row(hook(data_hook=faults.never_reconnects(), deaf=True), "TIMEOUT"),
    "hangs when selected again": Row(hangs_when_selected_again, "TIMEOUT"),
    "sends nothing but accepts ABORT": Row(moving(faults.slow_until_atn), "TIMEOUT"),
    **{f"{n} bytes of data": Row(hook(data_hook=lambda bus, data, n=n: Disk.data_in(data[:n])), moved=n,
                                 emulated=True)
       for n in (0, 1, 511, 512, 1535)},
    **{f"{n} bytes too many": Row(hook(data_hook=lambda bus, data, n=n: Disk.data_in(data + b"\xBB" * n)),
                                  overrun=True, emulated=n < 1000)
       for n in (1, 2, 512, 4000)},
    "all data twice": Row(
        hook(data_hook=lambda bus, data: iter([(DATA_IN, data), (MSG_IN, SAVE), (DATA_IN, data)])), overrun=True),
    "data revoked": Row(hook(data_hook=lambda bus, data: iter([(DATA_IN, data), (MSG_IN, RESTORE)])), moved=0),
    **{f"leaves at {at}{', saved' * save}": Row(
        moving(lambda disk, at=at, save=save: manners.leaves_at(disk, at, save)))
       for at in (0, 1, 511, 512, 513, ALL - 1, ALL) for save in (True, False)},
    "leaves often": Row(moving(lambda disk: manners.leaves_often(disk, manners.ODD_PIECES))),
    "leaves after all data": Row(moving(manners.leaves_after_all)),
    **{f"restored at {at}": Row(hook(data_hook=manners.restores_at(at))) for at in (1, 700, ALL)},
    "restored to the saved pointer": Row(hook(data_hook=manners.restores_to_saved)),
    "tag after IDENTIFY": Row(moving(lambda disk: manners.tag_after_identify(disk, []))),
    "data and CHECK CONDITION": Row(data_and_status(CHECK_CONDITION), status=CHECK_CONDITION, emulated=True),
    "data and a status with reserved bits": Row(data_and_status(0xC1), status=0xC1, emulated=True),
    **{f"statuses {a:02x} {b:02x}{', leaves' * leaves}": Row(two_statuses(a, b, leaves), status=b)
       for a, b in ((GOOD, RESERVATION_CONFLICT), (RESERVATION_CONFLICT, GOOD)) for leaves in (True, False)},
}

# ---- In a write -----------------------------------------------------------------------------


def taken_then(at: int, what) -> Callable:
    def hook(bus, count):
        yield from Disk.data_out(at)
        yield what
    return hook


def takes_too_much(leaves: bool) -> Hooks:
    def make(disk: Disk):
        def hook(bus, count):
            data = yield from Disk.data_out(count)
            if leaves:
                yield from disk.disconnect()
            yield DATA_OUT, None
            raise AssertionError("a byte was invented")
            return data
        return hook
    return taking(make)


WRITES = {
    **ANY,
    **{f"{event_!r} after {at} bytes": Row(hook(write_hook=taken_then(at, event_)), ENDS[event_])
       for event_ in ENDS for at in (0, 1, 7, 300, 512, 1000, ALL)},
    **{f"takes {n} bytes": Row(hook(write_hook=lambda bus, count, n=n: Disk.data_out(n)), moved=n, emulated=True)
       for n in (0, 1, 511, 512, 1535)},
    "takes too much": Row(takes_too_much(False), "PROTOCOL"),
    "takes too much after a disconnection": Row(takes_too_much(True), "PROTOCOL"),
    "sends data": Row(hook(write_hook=lambda bus, count: iter([(DATA_IN, b"x" * 9)])), moved=0, overrun=True),
    **{f"never reconnects after {at} bytes{', saved' * save}": Row(
        hook(write_hook=faults.never_reconnects(at, save)), "TIMEOUT")
       for at in (0, 1, 700, ALL) for save in (True, False)},
    "takes odd pieces": Row(taking(lambda disk: faults.in_pieces(disk, manners.ODD_PIECES))),
    **{f"takes {at} bytes after {saved} again": Row(hook(write_hook=manners.takes_again(saved, at)))
       for saved in (0, 1, 600, 1024) for at in (1, 511, 512)},
    "SDTR in the data": Row(lambda disk: {"write_hook": manners.offers_in_write(manners.OFFERS["SDTR"][0], [])}),
    **{f"saves after {n} bytes of the command": Row(part_of_command(n, SAVE), "PROTOCOL") for n in (1, 2, 6, 9)},
    **{f"restores after {n} bytes of the command": Row(part_of_command(n, RESTORE)) for n in (1, 2, 6, 9)},
    "command after saved data": Row(command_in_data(True)),
    "command after data": Row(command_in_data(False), "PROTOCOL"),
}

# ---- In a command without data -----------------------------------------------------------------

WITHOUT_DATA = {
    **{name: row for name, row in ANY.items()},
    "sends data": Row(hook(before_status=event((DATA_IN, b"x" * 9))), overrun=True),
    "requests data": Row(hook(before_status=event((DATA_OUT, None))), "PROTOCOL"),
}

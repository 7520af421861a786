# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""SCSI disks and CD-ROM drives, and the ways in which real ones differ or
misbehave.

`Disk.session()` is the life of one command on the bus. Its behaviour is put
together from small hooks, each a place where a test may put something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from .bus import (COMMAND, DATA_IN, DATA_OUT, FREE, MSG_IN, MSG_OUT, STATUS, Bus, Delay,
                  Reselect)

GOOD, CHECK_CONDITION, BUSY, RESERVATION_CONFLICT, QUEUE_FULL = 0x00, 0x02, 0x08, 0x18, 0x28

COMPLETE, SAVE, RESTORE, DISCONNECT, REJECT = 0x00, 0x02, 0x03, 0x04, 0x07

CDB_BYTES = {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}
DISK, CD_ROM = 0x00, 0x05
POWER_ON = (0x6, 0x29, 0x00)


@dataclass
class Answer:
    """What a command comes to: data for the initiator, then a status."""
    data: bytes = b""
    status: int = GOOD


@dataclass
class Disk:
    """`content` maps an LBA to a block; `blocks` is what READ CAPACITY says."""
    blocks: int = 65536
    block_bytes: int = 512
    content: Callable[[int], bytes] | None = None
    type: int = DISK
    removable: bool = False
    vendor: bytes = b"BENCH   "
    product: bytes = b"STRICT DISK     "
    revision: bytes = b"1.0 "
    attentions: list[tuple[int, int, int]] = field(default_factory=lambda: [POWER_ON])
    sense: tuple[int, int, int] = (0, 0, 0)
    fast_and_wide: bool = False  # an agreement from before our time; a reset ends it
    # hooks: each may replace what the disk does at that point
    status_hook: Callable[[bytes], Answer | None] | None = None
    data_hook: Callable[[Bus, bytes], Iterator] | None = None
    before_command: Callable[[Bus], Iterator] | None = None
    before_status: Callable[[Bus], Iterator] | None = None
    ignores_atn: bool = False
    lun: int = 0
    selected_lun: int = 0
    messages: list[list[int]] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)

    def reset(self) -> None:
        self.attentions = [POWER_ON]
        self.fast_and_wide = False

    def block(self, lba: int) -> bytes:
        if self.content:
            return self.content(lba)
        return lba.to_bytes(4, "little") * (self.block_bytes // 4)

    # ---- Commands ---------------------------------------------------------------

    def check(self, key: int, asc: int, ascq: int = 0) -> Answer:
        """CHECK CONDITION, with the sense data that will follow."""
        self.sense = (key, asc, ascq)
        return Answer(status=CHECK_CONDITION)

    def inquiry_data(self) -> bytes:
        return (bytes([self.type, self.removable << 7, 2, 2, 31, 0, 0, 0]) + self.vendor
                + self.product + self.revision)

    def capacity_data(self) -> bytes:
        return (self.blocks - 1).to_bytes(4, "big") + self.block_bytes.to_bytes(4, "big")

    def sense_data(self) -> bytes:
        key, asc, ascq = self.sense
        self.sense = (0, 0, 0)
        return bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0])

    def execute(self, cdb: bytes) -> Answer:
        if self.selected_lun != self.lun:
            return self._nobody(cdb)
        if cdb[0] == 0x12:
            return Answer(self.inquiry_data()[:cdb[4]])
        if cdb[0] == 0x03:
            return Answer(self.sense_data()[:cdb[4]])
        self.sense = (0, 0, 0)      # gone with the next command
        if self.attentions:
            return self.check(*self.attentions.pop(0))
        if self.status_hook and (answer := self.status_hook(cdb)) is not None:
            return answer
        if cdb[0] in (0x00, 0x1B):
            return Answer()
        if cdb[0] == 0x25:
            return Answer(self.capacity_data())
        if cdb[0] == 0x28:
            lba, count = int.from_bytes(cdb[2:6], "big"), int.from_bytes(cdb[7:9], "big")
            if lba + count > self.blocks:
                return self.check(5, 0x21)
            return Answer(b"".join(self.block(lba + i) for i in range(count)))
        return self.check(5, 0x20)

    def _nobody(self, cdb: bytes) -> Answer:
        """There is no such logical unit. [SCSI-2 "Incorrect logical unit selection"]"""
        if cdb[0] == 0x12:
            return Answer((b"\x7F" + self.inquiry_data()[1:])[:cdb[4]])
        if cdb[0] == 0x03:
            return Answer(bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x25, 0, 0, 0, 0,
                                 0])[:cdb[4]])
        return Answer(status=CHECK_CONDITION)

    # ---- Phases -------------------------------------------------------------------

    def message_out(self, bus: Bus) -> Iterator:
        """Take messages while ATN is up; returns the bytes."""
        taken = []
        while bus.atn:
            taken.append((yield MSG_OUT, None))
        self.messages.append(taken)
        return taken

    def listen(self, bus: Bus) -> Iterator:
        """Between two phases: whoever raises ATN is heard."""
        if bus.atn and not self.ignores_atn:
            yield from self.message_out(bus)

    def command(self) -> Iterator:
        cdb = bytearray([(yield COMMAND, None)])
        while len(cdb) < CDB_BYTES.get(cdb[0] >> 5, 6):
            cdb.append((yield COMMAND, None))
        self.commands.append(bytes(cdb))
        return bytes(cdb)

    def disconnect(self, save: bool = True, ns: int = 50_000) -> Iterator:
        """Leave the bus and come back later."""
        if save:
            yield MSG_IN, SAVE
        yield MSG_IN, DISCONNECT
        yield FREE
        yield Delay(ns)
        yield Reselect()
        yield MSG_IN, 0x80 | self.lun

    @staticmethod
    def data_in(data: bytes) -> Iterator:
        if data:
            yield DATA_IN, bytes(data)

    @staticmethod
    def data_out(count: int) -> Iterator:
        taken = bytearray()
        while len(taken) < count:
            taken.append((yield DATA_OUT, None))
        return bytes(taken)

    def session(self, bus: Bus) -> Iterator:
        if not self.ignores_atn and bus.atn:
            first = (yield from self.message_out(bus))[0]
            if first & 0xB8 != 0x80:
                return      # no IDENTIFY: no nexus
            self.selected_lun = first & 7
        if self.before_command:
            yield from self.before_command(bus)
        cdb = yield from self.command()
        yield from self.listen(bus)
        answer = self.execute(cdb)
        if self.fast_and_wide:     # what a narrow, asynchronous ear hears
            answer.data = answer.data[::2]
        if self.data_hook and answer.status == GOOD and cdb[0] == 0x28:
            yield from self.data_hook(bus, answer.data)
        else:
            yield from self.data_in(answer.data)
        yield from self.listen(bus)
        if self.before_status:
            yield from self.before_status(bus)
        yield STATUS, answer.status
        yield from self.listen(bus)
        yield MSG_IN, COMPLETE


def cd_rom(**options) -> Disk:
    """A CD-ROM drive with a disc in it."""
    return Disk(**{"type": CD_ROM, "removable": True, "block_bytes": 2048, "blocks": 1000,
                   "product": b"STRICT CD-ROM   ", **options})

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Disks that format themselves, and what they report meanwhile.

[SCSI-2 "FORMAT UNIT command", "Deferred errors"; SPC-3 "Sense key specific", progress
indication]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from tests.model.bus import Bus
from tests.model.target import (BUSY, CHECK_CONDITION, GOOD, INQUIRY, NO_SENSE, REQUEST_SENSE, RESERVATION_CONFLICT, Answer,
                                Disk)

FORMAT_UNIT = 0x04
FORMAT_DATA, COMPLETE_LIST = 0x10, 0x08     # in byte 1
VALID_OPTIONS, IMMEDIATE = 0x80, 0x02       # in byte 1 of the parameter list
WITHOUT_VALID_OPTIONS = 0x7C                # these are 0 then
HEADER_BYTES = 4
FORMATTING, CORRUPTED = (2, 0x04, 0x04), (3, 0x31, 0x00)
DEFERRED = 0x71
MINUTE = 60 * 1_000_000_000


@dataclass
class FormatDisk(Disk):
    """`format_ns` is the time that a format takes. `formatted` counts those that have ended
    well; then the blocks are 0. A reset or an abort on the way damages the medium."""
    format_ns: int = 90 * MINUTE
    immediate: str = "obeyed"       # or "rejected", "ignored", "no list": FORMAT_DATA is rejected
    progress: bool = True           # REQUEST SENSE reports it
    meanwhile: tuple[int, int, int] | int = FORMATTING  # sense data of other commands, or a status
    fails: tuple[int, int, int] | None = None   # half-way
    after: list[tuple[int, int, int]] = field(default_factory=list)     # attentions at the end
    refusal: tuple[int, int, int] | None = None     # of FORMAT UNIT
    reserved: bool = False          # for another initiator
    begun: int | None = None        # when the format under way has begun
    formatted: int = 0
    damaged: bool = False
    grown_defects: int = 5
    lists: list[bytes] = field(default_factory=list)    # parameter lists
    deferred: bool = False          # the sense data belong to an earlier command

    # ---- Time -------------------------------------------------------------------------

    def _ends_at(self) -> int:
        return self.begun + self.format_ns // (2 if self.fails else 1)

    def _pass_time(self) -> None:
        if self.begun is not None and self.now >= self._ends_at():
            self._end()
            if self.fails:
                self.sense, self.deferred = self.fails, True

    def _end(self) -> None:
        self.begun = None
        if self.fails:
            self.damage()
            return
        self.written.clear()
        self.content = lambda lba: bytes(self.block_bytes)
        self.formatted += 1
        self.attentions += self.after

    def damage(self) -> None:
        self.begun, self.damaged, self.medium_sense = None, True, CORRUPTED

    def reset(self) -> None:
        super().reset()
        if self.begun is not None:
            self.damage()

    def dismissed(self, bus: Bus, messages: list[int]) -> Iterator:
        aborts = self.aborts
        over = yield from super().dismissed(bus, messages)
        if self.aborts > aborts and self.begun is not None:
            self.damage()
        return over

    # ---- Commands ------------------------------------------------------------------------

    def execute(self, cdb: bytes) -> Answer:
        self._pass_time()
        if self.reserved and cdb[0] not in (INQUIRY, REQUEST_SENSE):
            return Answer(status=RESERVATION_CONFLICT)
        if self.deferred and cdb[0] not in (INQUIRY, REQUEST_SENSE):
            return Answer(status=CHECK_CONDITION)
        if self.begun is not None and cdb[0] == REQUEST_SENSE:
            if self.progress and self.sense == NO_SENSE:
                self.sense = FORMATTING
            if self.meanwhile == BUSY:
                return Answer(status=BUSY)
        elif self.begun is not None and cdb[0] != INQUIRY:
            return (self.check(*self.meanwhile) if isinstance(self.meanwhile, tuple)
                    else Answer(status=self.meanwhile))
        return super().execute(cdb)

    def sense_data(self) -> bytes:
        reports, deferred = self.progress and self.sense == FORMATTING, self.deferred
        data = bytearray(super().sense_data())
        self.deferred = False
        if deferred:
            data[0] = DEFERRED
        if reports and self.begun is not None:
            part = (self.now - self.begun) * 65536 // self.format_ns
            data[15:18] = 0x80, part >> 8, part & 0xFF
        return bytes(data)

    def _format_unit(self, cdb: bytes) -> Answer:
        if self.refusal:
            return self.check(*self.refusal)
        if cdb[1] & 7 or any(cdb[3:6]) or cdb[1] & FORMAT_DATA and self.immediate == "no list":
            return self.check(5, 0x24)
        return Answer(wants=HEADER_BYTES if cdb[1] & FORMAT_DATA else 0)

    def _list_answer(self, data: bytes) -> Answer:
        """On a parameter list: a header, without defects."""
        self.lists.append(data)
        flags = data[1]
        if data[0] or any(data[2:]) or not flags & VALID_OPTIONS and flags & WITHOUT_VALID_OPTIONS:
            return self.check(5, 0x26)
        if flags & IMMEDIATE and self.immediate == "rejected":
            return self.check(5, 0x26)
        return Answer()

    def transfer(self, bus: Bus, cdb: bytes, answer: Answer) -> Iterator:
        if cdb[0] != FORMAT_UNIT or answer.status != GOOD:
            yield from super().transfer(bus, cdb, answer)
            return
        flags = 0
        if answer.wants:
            data = yield from self.data_out(answer.wants)
            flags, answer.status = data[1], self._list_answer(data).status
        if answer.status != GOOD:
            return
        if cdb[1] & COMPLETE_LIST:
            self.grown_defects = 0
        self.begun = bus.now
        if not flags & IMMEDIATE or self.immediate == "ignored":
            yield from self._format_now(answer)

    def _format_now(self, answer: Answer) -> Iterator:
        """The status comes at the end."""
        yield from self.disconnect(save=False, ns=self._ends_at() - self.begun)
        self._end()
        if self.fails:
            answer.status = self.check(*self.fails).status

    COMMANDS: ClassVar[dict[int, Callable[[Disk, bytes], Answer]]] = {**Disk.COMMANDS, FORMAT_UNIT: _format_unit}

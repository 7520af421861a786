# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Calls that no sane program makes, for tests/rom/fuzz_calls.py: packets in buffers, buffers
in packets, the ROM and its memory as buffers, addresses at the end of memory, stacks without
room, calls inside calls. Whatever the status, only the buffer, the packet's count and the
ROM's memory may change, and 00h means right data. After each, a plain read works.

[EDD-4 "Device address packet"; docs/errors.md]
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.model.bios_data import BIOS_SEGMENT, ROM_SEGMENT, SERVICE
from tests.model.bus import DATA_IN
from tests.model.pc import BUFFER, Result
from tests.model.pc_cpu import CF, IF
from tests.rom.oracle import COUNT_IS_LONG, REAL_MODE_END, Drive
from tests.rom.strict import BAD_COMMAND, NOT_READY, OK, far

if TYPE_CHECKING:
    from tests.rom.fuzz_calls import Fuzz

READ, WRITE, VERIFY, EJECT = 0x42, 0x43, 0x44, 0x46
COUNT, LONG_COUNT = range(2, 4), range(24, 28)      # in the packet
STACK_ROOM = 64
HOOK, NESTED_STATUS = 0x9000, 0x9080    # linear: a handler of INT 15h, what its own call returned
OVERLAPS = range(0x30000, 0x3C000)


class HostileCaller:
    """Makes its calls on the machine of random calls, to fixed disks and others."""

    def __init__(self, fuzz: Fuzz):
        self.fuzz, self.pc, self.random = fuzz, fuzz.pc, fuzz.random
        self.call = ""      # a description of the current call
        self.after: list[Callable[[], None]] = []
        self.pc.code.append(range(HOOK, HOOK + 0x80))

    def run_call(self) -> None:
        self.fuzz.disturbed = False
        self.fuzz.journal.clear()
        kind = self.random.choice([
            self._overlap, self._overlap, self._overlap, self._own_memory, self._from_rom,
            self._end_of_memory, self._packet_at_the_end, self._small_stack, self._nested])
        self.call = kind.__name__.strip("_")
        self.after = []
        try:
            kind()
        finally:
            for undo in self.after:
                undo()
        self._plain_read()

    def _far(self, linear: int) -> tuple[int, int]:
        return far(linear) if linear >= 0xFFFF0 else self.fuzz._far(linear)

    # ---- Packet and buffer ------------------------------------------------------------

    def _drive(self) -> Drive:
        return self.random.choice(list(self.fuzz.drives.values()))

    def _packet(self, drive: Drive, size: int, count: int, lba: int, buffer: int, packet: int) -> bytes:
        """16 bytes: seg:off; 24: a flat address; 32: a long count, too."""
        segment, offset = self._far(buffer) if size == 16 else (0xFFFF, 0xFFFF)
        self.call += (f", drive {drive.number:02X}h, packet of {size} bytes at {packet:#x}, lba {lba}, "
                      f"count {count}, buffer {buffer:#x}")
        return struct.pack("<BBHHHQQII", size, 0, COUNT_IS_LONG if size == 32 else count, offset, segment,
                           lba, buffer, count, 0)[:size]

    def _lba(self, drive: Drive, count: int) -> int:
        last = max(drive.sectors - count, 0)
        return self.random.choice([0, self.random.randint(0, last), last, last + 1])

    def _by_packet(self, function: int, drive: Drive, packet: int, *writable: range, **options) -> Result:
        segment, offset = self._far(packet)
        return self.pc.int13(*writable, ah=function, al=0, dl=drive.number, ds=segment, si=offset, **options)

    def _overlap(self) -> None:
        """The packet lies in the buffer, or one covers the begin or end of the other."""
        drive, size = self._drive(), self.random.choice([16, 24, 32])
        count = self.random.choice([1, 1, 2, 3, 9])
        length = count * drive.sector_bytes
        buffer = self.random.randrange(OVERLAPS.start, OVERLAPS.stop - length - 64)
        packet = self.random.choice([buffer - self.random.randrange(1, size), buffer,
                                     buffer + self.random.randrange(length),
                                     buffer + length - self.random.randrange(1, size)])
        if self.random.randrange(3) == 0:
            self._fail_late(drive)
            packet = self.random.choice([packet, buffer + length - COUNT.start - 1])
        self._moves(self.random.choice([READ, READ, READ, WRITE, VERIFY]), drive, size, count, buffer, packet)

    def _fail_late(self, drive: Drive) -> None:
        """Reads fail after all data has arrived: the drive sends more."""
        unit, hook = drive.unit, drive.unit.data_hook

        def too_much(bus, data):
            yield DATA_IN, data + b"more"
        unit.data_hook = too_much
        self.after.append(lambda: setattr(unit, "data_hook", hook))

    def _moves(self, function: int, drive: Drive, size: int, count: int, buffer: int, packet: int) -> None:
        lba, length = self._lba(drive, count), count * drive.sector_bytes
        self.pc.poke(packet, self._packet(drive, size, count, lba, buffer, packet))
        before = self.pc.peek(buffer, length)
        # The form of the packet when the call begins decides where the count is.
        at = LONG_COUNT if size == 32 else COUNT
        at = range(packet + at.start, packet + at.stop)
        writable = [at, *([range(buffer, buffer + length)] if function == READ else [])]
        result = self._by_packet(function, drive, packet, *writable)
        self._check(function, drive, lba, result)
        if result.ah != OK:
            return
        assert lba + count <= drive.sectors, "success beyond the end"
        wanted, got = drive.read(lba, count), self.pc.peek(buffer, length)
        if function == WRITE:
            assert wanted == before, "reported as written, but is not"
        elif function == READ:
            keep = [i for i in range(length) if buffer + i not in at]
            assert all(got[i] == wanted[i] for i in keep), "wrong data"

    def _check(self, function: int, drive: Drive, lba: int, result: Result) -> None:
        assert result.cf == (result.ah != OK), f"AH={result.ah:02x}h, CF={result.cf}"
        if function != WRITE:
            assert not self.fuzz.journal, "a read or verify has written"
        assert all(unit is drive.unit for unit, _, _ in self.fuzz.journal), "written to another disk"
        if result.ah in (OK, 0x06):     # a change of the medium is reported, or there is none
            drive.change_pending = bool(drive.unit.attentions)
        drive.change_possible = drive.unit.removable

    # ---- Memory that is no buffer -----------------------------------------------------

    def _own_memory(self) -> None:
        """A read into the workspace is refused, a write from it is harmless."""
        drive, function = self._drive(), self.random.choice([READ, READ, WRITE])
        count = self.random.choice([1, 2, 8])
        space, length = self.pc.workspace, count * drive.sector_bytes
        buffer = self.random.choice([space.start, space.stop - 1, self.random.choice(space),
                                     space.start - length + 1, space.start - length // 2])
        packet, lba = OVERLAPS.start, self.random.randrange(max(drive.sectors - count, 1))
        size = self.random.choice([16, 24, 32])
        self.pc.poke(packet, self._packet(drive, size, count, lba, buffer, packet))
        at = LONG_COUNT if size == 32 else COUNT
        own = [] if function == WRITE else [range(buffer, buffer + length)]
        result = self._by_packet(function, drive, packet, range(packet + at.start, packet + at.stop), *own)
        self._check(function, drive, lba, result)
        assert function == WRITE or result.ah != OK, "read into the workspace"

    def _from_rom(self) -> None:
        """Data that is written may come from the ROM."""
        drive = self._drive()
        buffer = ROM_SEGMENT * 16 + self.random.randrange(0x2000)
        self._moves(WRITE, drive, self.random.choice([16, 24, 32]), self.random.choice([1, 4]), buffer,
                    OVERLAPS.start)

    def _end_of_memory(self) -> None:
        """A buffer ends at FFFF:FFFFh, or one byte after it."""
        drive, count = self._drive(), self.random.choice([1, 2, 16])
        count = min(count, (REAL_MODE_END - 0x100000) // drive.sector_bytes)     # not the ROM below 1 MiB
        length, over = count * drive.sector_bytes, self.random.choice([0, 1, 511])
        buffer = REAL_MODE_END - length + over
        self.call += f" {buffer:#x}, {over} bytes over"
        if not over:
            self._moves(self.random.choice([READ, WRITE]), drive, 16, count, buffer, OVERLAPS.start)
            return
        lba = self.random.randrange(max(drive.sectors - count, 1))
        self.pc.poke(OVERLAPS.start, struct.pack("<BBHHHQ", 16, 0, count, buffer - 0xFFFF0, 0xFFFF, lba))
        result = self._by_packet(READ, drive, OVERLAPS.start, range(OVERLAPS.start + 2, OVERLAPS.start + 4))
        self._check(READ, drive, lba, result)
        assert result.ah != OK, "read past FFFF:FFFFh"

    def _packet_at_the_end(self) -> None:
        """A packet that ends at FFFF:FFFFh is served, one that does not fit is refused. Its
        own buffer may cover it, by a flat address."""
        drive, size = self._drive(), self.random.choice([16, 24, 32])
        over = self.random.choice([0, 0, 1, size - 1])
        packet, count = REAL_MODE_END - size + over, self.random.choice([1, 2])
        buffer = self.random.choice([OVERLAPS.start, packet, packet - 100])
        if size == 16 and buffer != OVERLAPS.start:
            buffer = OVERLAPS.start
        if not over:
            self._moves(self.random.choice([READ, WRITE]), drive, size, count, buffer, packet)
            return
        lba = self._lba(drive, count)
        self.pc.poke(packet, self._packet(drive, size, count, lba, buffer, packet))
        result = self.pc.int13(ah=READ, dl=drive.number, ds=0xFFFF, si=packet - 0xFFFF0)
        assert (result.ah, result.cf) == (BAD_COMMAND, True), f"AH={result.ah:02x}h for a packet beyond memory"

    # ---- Stack and calls in calls -----------------------------------------------------

    def _small_stack(self) -> None:
        """SP may be odd, the stack anywhere, and only 64 bytes of it free."""
        drive, count = self._drive(), 1
        segment = self.random.choice([0x4000, 0x4001, 0x7123])
        sp = self.random.choice([STACK_ROOM, STACK_ROOM + 1, 0xFFFF, 0xFFFE, self.random.randrange(STACK_ROOM, 0x8000)])
        flags = self.random.choice([0, CF]) | self.random.choice([0, IF]) | self.random.choice([0, 0x400])
        lba, top = self._lba(drive, count), segment * 16 + sp
        packet = OVERLAPS.start
        self.pc.poke(packet, self._packet(drive, 16, count, lba, OVERLAPS.start + 0x100, packet))
        self.call += f", SS:SP {segment:04x}:{sp:04x}, flags {flags:03x}"
        result = self._by_packet(
            READ, drive, packet, range(packet + 2, packet + 4), range(top - STACK_ROOM, top),
            range(OVERLAPS.start + 0x100, OVERLAPS.start + 0x100 + drive.sector_bytes),
            flags=flags, stack=(segment, sp))
        self._check(READ, drive, lba, result)
        if result.ah == OK:
            assert self.pc.peek(packet + 0x100, drive.sector_bytes) == drive.read(lba, count), "wrong data"

    def _nested(self) -> None:
        """A handler of INT 15h AH=52h calls INT 13h: AAh, and the outer call goes on."""
        drive = self.random.choice(self.fuzz.removable)
        inner = self.random.choice(list(self.fuzz.drives))
        function = self.random.choice([READ, WRITE, 0x02, 0x08, 0x00, 0x48, self.random.randrange(256)])
        self.call += f": AH={function:02X}h of {inner:02X}h inside AH=46h of {drive.number:02X}h"
        # PUSHA, PUSH DS and ES, the call, store AH, restore, JMP FAR to the BIOS's handler
        code = (b"\x60\x1e\x06\xb8\x00" + bytes([function]) + b"\xb2" + bytes([inner]) + b"\xcd\x13"
                + b"\x31\xdb\x8e\xdb\x88\x26" + struct.pack("<H", NESTED_STATUS) + b"\x07\x1f\x61\xea"
                + struct.pack("<HH", SERVICE + 0x15 * 16, BIOS_SEGMENT))
        self.pc.poke(HOOK, code)
        self.pc.poke(NESTED_STATUS, b"\xEE")
        vector = self.pc.peek(0x15 * 4, 4)
        self.pc.poke(0x15 * 4, struct.pack("<HH", HOOK & 15, HOOK >> 4))
        try:
            result = self.pc.int13(range(NESTED_STATUS, NESTED_STATUS + 1), ah=EJECT, al=0, dl=drive.number)
        finally:
            self.pc.poke(0x15 * 4, vector)
        seen = self.pc.peek(NESTED_STATUS, 1)[0]
        assert seen in (0xEE, NOT_READY), f"AH={seen:02x}h of a call inside a call"
        assert not self.fuzz.journal and result.cf == (result.ah != OK)
        drive.change_possible = True

    # ---- Afterwards -------------------------------------------------------------------

    def _plain_read(self) -> None:
        """A read of a fixed disk returns its data."""
        drive = next(d for d in self.fuzz.drives.values() if not d.unit.removable)
        unit, size = drive.unit, drive.sector_bytes
        hooks = unit.status_hook, unit.data_hook
        unit.status_hook = unit.data_hook = None
        self.pc.poke(BUFFER, b"\xEE" * size)
        self.pc.poke(OVERLAPS.start, struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, 7))
        result = self._by_packet(READ, drive, OVERLAPS.start, range(BUFFER, BUFFER + size),
                                 range(OVERLAPS.start + 2, OVERLAPS.start + 4))
        assert (result.ah, self.pc.peek(BUFFER, size)) == (OK, drive.read(7, 1)), (
            f"the next plain read fails with {result.ah:02x}h")
        unit.status_hook, unit.data_hook = hooks

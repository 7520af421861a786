#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""INT 13h calls with random registers, packets and memory, on disks that
misbehave now and then. Every law of the bench holds during each of them, and
the answer must be one that the documents know.

    tests/fuzz.py [--calls N] [--seed S] [--family 895A|810]

The seed is printed; the same seed makes the same calls.
"""

from __future__ import annotations

import argparse
import random
import struct
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tools"), str(TOP / "tests")]

from strict import FAMILIES, STATUSES, new_pc  # noqa: E402
from vpc.bus import (COMMAND, DATA_IN, DATA_OUT, FREE, HANG, MSG_IN, MSG_OUT,  # noqa: E402
                     RESET, STATUS, Bad, Bus)
from vpc.pc import Result  # noqa: E402
from vpc.target import BUSY, RESERVATION_CONFLICT, RESTORE, SAVE, Answer, Disk  # noqa: E402

# what each function may change beside AH
CHANGES = {0x02: "al", 0x08: "al bl cx dx", 0x15: "cx dx", 0x41: "bx cx"}
SUCCESS_AH = {0x15: 0x03, 0x41: 0x30}
LAST_STATUS = 0x474
FOR_BUFFERS, FOR_PACKETS = range(0x10000, 0x70000), range(0x70000, 0x7F000)
REAL_MODE_END = 0x10FFF0
BLOCKS = {0: 70_000, 3: 300}            # of the two disks
TROUBLE_IN, HANG_IN = 20, 500         # one read in so many


def block(target: int, lba: int) -> bytes:
    return struct.pack("<II", lba, target) * 64


@dataclass
class Call:
    """What goes in, and what may come of it."""
    registers: dict[str, int]
    packet: bytes = b""
    lba: int | None = None
    count: int = 0
    buffer: int = 0

    @property
    def ah(self) -> int:
        return self.registers["eax"] >> 8 & 0xFF

    @property
    def drive(self) -> int:
        return self.registers["edx"] & 0xFF


class Fuzz:
    def __init__(self, family: str, seed: int):
        self.random = random.Random(f"{seed} {family}")
        self.disks = {i: Disk(blocks=n, content=lambda lba, i=i: block(i, lba))
                      for i, n in BLOCKS.items()}
        self.pc = new_pc(family, self.disks)
        for disk in self.disks.values():
            disk.status_hook = lambda cdb, disk=disk: self._status(disk)
            disk.data_hook = self._data
        for memory in (FOR_BUFFERS, FOR_PACKETS):
            self.pc.poke(memory.start, self.random.randbytes(len(memory)))
        self.statuses: Counter = Counter()

    # ---- Disks that misbehave now and then ------------------------------------------

    def _one_in(self, n: int) -> bool:
        return self.random.randrange(n) == 0

    def _status(self, disk: Disk) -> Answer | None:
        if not self._one_in(TROUBLE_IN):
            return None
        return self.random.choice([
            Answer(status=BUSY), Answer(status=RESERVATION_CONFLICT), Answer(status=0x3E),
            disk.check(self.random.randrange(16), self.random.randrange(256),
                       self.random.randrange(256))])

    def _data(self, bus: Bus, data: bytes) -> Iterator:
        if self._one_in(HANG_IN):
            yield HANG
        if not self._one_in(TROUBLE_IN):
            yield DATA_IN, data
            return
        at = self.random.randrange(len(data))
        yield from Disk.data_in(data[:at])
        yield self.random.choice([FREE, RESET, Bad(DATA_IN, 0), (MSG_IN, SAVE), (MSG_IN, RESTORE),
                                  (DATA_IN, data), (MSG_IN, self.random.randrange(5, 256)),
                                  (DATA_OUT, None), (COMMAND, None), (MSG_OUT, None), (STATUS, 0),
                                  (4, 0), (5, 0)])
        yield from Disk.data_in(data[at:])

    # ---- Calls ----------------------------------------------------------------------------

    def _far(self, linear: int) -> tuple[int, int]:
        """A random segment:offset that names the linear address."""
        offset = self.random.choice([linear & 15, 0xFFF0 | linear & 15,
                                     self.random.randrange(0x1000) << 4 | linear & 15])
        segment = (linear - offset) >> 4
        if not 0 <= segment <= 0xFFFF:
            segment, offset = linear >> 4, linear & 15
        return segment, offset

    def _place(self, where: range, size: int) -> int:
        return self.random.randrange(where.start, where.stop - size)

    def _count(self) -> int:
        return self.random.choice([0, 1, 1, 2, 3, self.random.randrange(128), 127, 128,
                                   self.random.randrange(256)])

    def _lba(self, disk: int) -> int:
        end = BLOCKS.get(disk, 1000)
        return self.random.choice([0, self.random.randrange(end), end - 1, end, end + 1,
                                   self.random.getrandbits(32), self.random.getrandbits(64)])

    def _random_registers(self) -> dict[str, int]:
        names = ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp")
        registers = {name: self.random.getrandbits(32) for name in names}
        registers.update({name: self.random.getrandbits(16) for name in ("ds", "es", "fs", "gs")})
        function = self.random.choice([0x02, 0x42, 0x48, 0x08, 0x15, 0x41, 0x10, 0x00, 0x01,
                                       self.random.randrange(256)])
        drive = self.random.choice([0x80, 0x80, 0x81, 0x81, 0x82, self.random.randrange(256)])
        registers["eax"] = registers["eax"] & 0xFFFF00FF | function << 8
        registers["edx"] = registers["edx"] & 0xFFFFFF00 | drive
        return registers

    def make_call(self) -> Call:
        call = Call(self._random_registers())
        if call.ah == 0x02:
            self._make_chs_read(call)
        elif call.ah in (0x42, 0x48):
            self._make_packet(call)
        elif call.ah == 0x41 and not self._one_in(4):
            self._set_low(call, "ebx", 0x55AA)
        return call

    @staticmethod
    def _set_low(call: Call, name: str, value: int) -> None:
        call.registers[name] = call.registers[name] & 0xFFFF0000 | value

    def _make_chs_read(self, call: Call) -> None:
        call.count = self._count()
        call.registers["eax"] = call.registers["eax"] & 0xFFFFFF00 | call.count & 0xFF
        call.buffer = self._place(FOR_BUFFERS, call.count * 512)
        call.registers["es"], offset = self._far(call.buffer)
        self._set_low(call, "ebx", offset)
        # 64 heads, 32 sectors: disks of less than 1 GiB
        cylinder, sector = self.random.randrange(40), self.random.randrange(34)
        self._set_low(call, "ecx", cylinder << 8 | sector)
        head = self.random.randrange(66)
        self._set_low(call, "edx", head << 8 | call.drive)
        if 1 <= sector <= 32 and head < 64:
            call.lba = (cylinder * 64 + head) * 32 + sector - 1

    def _make_packet(self, call: Call) -> None:
        call.registers["ds"], offset = self._far(self._place(FOR_PACKETS, 64))
        self._set_low(call, "esi", offset)
        if call.ah == 0x48 or self._one_in(20):
            size = self.random.choice([0, 1, 0x19, 0x1A, 0x1D, 0x1E, 0x42, 0xFFFF])
            call.packet = struct.pack("<H", size) + self.random.randbytes(30)
            return
        call.count = self._count()
        call.buffer = self._place(FOR_BUFFERS, call.count * 512)
        segment, offset = self._far(call.buffer)
        if self._one_in(10):
            segment, offset = 0xFFFF, self.random.choice([0xFFFF, 0xFFF0, 0xFE10, 0x10])
            call.buffer = segment * 16 + offset
        call.lba = self._lba(call.drive - 0x80 and 3)
        size = self.random.choice([16, 16, 16, 24, 32, 255, self.random.randrange(16)])
        call.packet = struct.pack("<BBHHHQ", size, self.random.randrange(256), call.count, offset,
                                  segment, call.lba)

    # ---- Judging -------------------------------------------------------------------------------

    def _writable(self, call: Call) -> list[range]:
        """What the caller has given away."""
        ranges = []
        if call.lba is not None and call.buffer + call.count * 512 <= REAL_MODE_END:
            ranges.append(range(call.buffer, call.buffer + call.count * 512))
        if call.packet:
            start = call.registers["ds"] * 16 + (call.registers["esi"] & 0xFFFF)
            ranges.append(range(start + 2, start + 4) if call.ah == 0x42
                          else range(start, start + 30))
        return ranges

    def one(self) -> None:
        call = self.make_call()
        if call.packet:
            at = call.registers["ds"] * 16 + (call.registers["esi"] & 0xFFFF)
            self.pc.poke(at, call.packet)
        flags = self.random.choice([0, 1]) | self.random.choice([0, 0x400]) \
            | self.random.choice([0, 0x200]) | self.random.choice([0, 0x8D4])
        changes = f"ah {CHANGES.get(call.ah, '')}"
        result = self.pc.int13(*self._writable(call), changes=changes, flags=flags,
                               **call.registers)
        if 0x80 <= call.drive <= 0x81:
            self._judge(call, result)

    def _judge(self, call: Call, result: Result) -> None:
        if call.ah == 0x01:
            status = result.ah
        else:
            good = not result.cf
            status = 0 if good else result.ah
            assert good == (result.ah == SUCCESS_AH.get(call.ah, 0) and not status)
            assert self.pc.peek(LAST_STATUS, 1)[0] == status
        assert status in STATUSES and result.cf == (status != 0), f"status {status:02x}h"
        self.statuses[status] += 1
        if call.ah in (0x02, 0x42) and not result.cf:
            self._check_data(call, result)

    def _check_data(self, call: Call, result: Result) -> None:
        if call.ah == 0x42 and not call.count:
            return
        assert call.lba is not None
        target = {0x80: 0, 0x81: 3}[call.drive]
        wanted = b"".join(block(target, call.lba + i) for i in range(call.count))
        assert self.pc.peek(call.buffer, len(wanted)) == wanted, "wrong data"
        if call.ah == 0x02:
            assert result.al == call.count


def run(family: str, calls: int, seed: int) -> Counter:
    """Make so many calls. Returns how often each status came."""
    fuzz = Fuzz(family, seed)
    for number in range(calls):
        try:
            fuzz.one()
        except Exception as error:
            error.add_note(f"{family}: call {number} of seed {seed}")
            raise
    return fuzz.statuses


def main() -> int:
    parser = argparse.ArgumentParser(description="random INT 13h calls on the strict virtual PC")
    parser.add_argument("--calls", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--family", choices=FAMILIES)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    for family in [options.family] if options.family else FAMILIES:
        statuses = run(family, options.calls, options.seed)
        counts = ", ".join(f"{status:02X}h {n}" for status, n in sorted(statuses.items()))
        print(f"{family}: {options.calls} calls, no law broken; AH {counts}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

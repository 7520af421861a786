# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Devices, first sectors, memory managers and files of the host that answer anything, for
tests/rom/fuzz_machines.py. A device may refuse, lie, be late or send too little or too much,
but the blocks that it sends are those that it has: 00h must mean that the caller has them.

[SCSI-2; SPC-3; SBC-2]
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.model.bus import DATA_IN, FREE, HANG, RESET, STATUS, Bus, Delay
from tests.model.devices import FwCfg
from tests.model.registers import MS
from tests.model.target import (BUSY, CD_ROM, CHECK_CONDITION, INQUIRY, OPTICAL, QUEUE_FULL, READS,
                                REPORT_LUNS, REQUEST_SENSE, RESERVATION_CONFLICT,
                                SEEK10, VERIFIES, WRITES, Answer, Disk, blocks_of)
from tests.model.vds import ENTRY, LOCK, LOCK_LIST, NO_BUFFER, Vds

SECTOR, MOST_BLOCK = 512, 65536
TYPES = [0] * 12 + [CD_ROM] * 3 + [OPTICAL, 1, 2, 3, 8, 0x0D, 0x1F, 0x20, 0x60, 0x7F, 0x85]
SIZES = [1, 2, 63, 64, 2048, 65536, 1_032_192, 2_097_152, 4_194_304, 15_482_880, 16_514_064, (1 << 32) - 1,
         1 << 32, (1 << 32) + 1, (1 << 40) - 1]
BLOCK_SIZES = [512] * 8 + [1024, 2048, 4096]
CLAIMS = [0, 1, 256, 511, 512, 513, 520, 1024, 2048, 4096, 4097, 8192, 65536, 0x80000000, 0xFFFFFFFF]
SENSES = [(0, 0, 0), (1, 0x17, 1), (2, 4, 0), (2, 4, 1), (2, 4, 2), (2, 4, 3), (2, 0x3A, 0), (2, 0x30, 0),
          (3, 0x11, 0), (3, 0x57, 0), (4, 0x44, 0), (5, 0x20, 0), (5, 0x21, 0), (5, 0x24, 0), (5, 0x25, 0),
          (5, 0x64, 0), (6, 0x28, 0), (6, 0x29, 0), (6, 0x2A, 1), (6, 0x3A, 0), (7, 0x27, 0), (8, 0, 0),
          (0xB, 0x47, 0), (0xB, 0x48, 0), (0xE, 0x1D, 0), (0xF, 0, 0)]
STATUSES = [CHECK_CONDITION] * 4 + [BUSY, QUEUE_FULL, RESERVATION_CONFLICT, 0x04, 0x10, 0x14, 0x22, 0x30, 0x3E,
                                    0x40, 0xC0, 0x01, 0xFF]
UNUSED_COMMANDS = [*VERIFIES, SEEK10, REPORT_LUNS, 0x1B, 0x1E, *WRITES, READS[1]]
DELAYS = [0] * 20 + [1, 50, 1000, 6000, 20_000]     # ms
PACES = [0] * 12 + [100, 1900, 4900, 9900]  # ms before each status
MOODS = [None] * 16 + [(2, 4, 1), (2, 4, 2), (2, 4, 0), (6, 0x29, 0), (0xB, 0x47, 0), BUSY, QUEUE_FULL]  # always
TEMPERS = [0, 0, 0.02, 0.1, 0.4, 1]     # how often a command ends in another way
LARGE_FILE = 300_000                    # bytes
ONCE_IN_A_WHILE = 400                   # commands


def content(seed: int, block_bytes: int, first: bytes) -> Callable[[int], bytes]:
    """Every block of every device differs; `first` is the beginning of the first one."""
    def block(lba: int) -> bytes:
        data = struct.pack("<QQ", lba, seed) * (block_bytes // 16 + 1)
        return (first + data[len(first):] if lba == 0 else data)[:block_bytes]
    return block


# ---- First sectors ---------------------------------------------------------------------


def partition(rng: random.Random) -> bytes:
    shapes = [(1, 1, 0), (0xFE, 0xFF, 0xFF), (0xFF, 0xFF, 0xFF), (0, 2, 0), (0, 0, 0), (15, 0x3F, 0x20),
              (63, 32, 0x80), tuple(rng.randbytes(3))]
    begin, end = rng.choice(shapes), rng.choice(shapes)
    start = rng.choice([0, 1, 32, 63, 64, 2048, rng.getrandbits(20), rng.getrandbits(32)])
    sectors = rng.choice([0, 1, 1000, rng.getrandbits(20), rng.getrandbits(32), 0xFFFFFFFF])
    active = rng.choice([0, 0x80, rng.randrange(256)])
    system = rng.choice([0, 6, 0xC, 0xEE, 5, rng.randrange(256)])
    return bytes([active, *begin, system, *end]) + struct.pack("<II", start, sectors)


def boot_record(rng: random.Random) -> bytes:
    """A partition table, a FAT boot sector, or neither, with some bytes changed."""
    data = bytearray(rng.randbytes(SECTOR) if rng.randrange(2) else SECTOR)
    if rng.randrange(3):
        entries = b"".join(partition(rng) if rng.randrange(2) else bytes(16) for _ in range(4))
        data[446:510] = entries
    if rng.randrange(3) == 0:
        heads = rng.choice([0, 1, 16, 64, 255, 256, rng.getrandbits(16)])
        sectors = rng.choice([0, 1, 17, 32, 63, 64, rng.getrandbits(16)])
        data[:36] = b"\xEB\x3C\x90MSDOS5.0" + struct.pack(
            "<HBHBHHBHHHII", rng.choice([512, 0, 1024, 4096]), rng.choice([1, 4, 0]), 1, rng.choice([2, 0]), 512,
            rng.getrandbits(16), rng.choice([0xF8, 0xF0, rng.randrange(256)]), 200, sectors, heads,
            rng.choice([0, 63, sectors, rng.getrandbits(32)]), rng.getrandbits(32))
    if rng.randrange(4):
        data[510:] = b"\x55\xAA"
    for _ in range(rng.choice([0, 0, 1, 4])):
        data[rng.randrange(SECTOR)] = rng.randrange(256)
    return bytes(data)


# ---- Devices ---------------------------------------------------------------------------


class HostileDisk(Disk):
    """A device whose answers are drawn from `rng`."""

    rng: random.Random
    temper: float
    pace: int
    mood: tuple[int, int, int] | int | None     # sense data or a status, for commands on the medium
    claims: tuple[int, int] | None      # blocks and bytes of a block, if they are not true

    def inquiry_data(self) -> bytes:
        rng, data = self.rng, super().inquiry_data()
        kind = rng.randrange(12)
        if kind == 0:
            return rng.randbytes(rng.randrange(100))
        if kind == 1:
            return data[:rng.randrange(37)]
        if kind == 2:
            return data + rng.randbytes(rng.randrange(64))
        if kind == 3:
            return data[:8] + rng.randbytes(28)
        return data

    def _claimed(self) -> tuple[int, int]:
        if self.claims is None or self.rng.randrange(8) == 0:
            return self.blocks, self.block_bytes
        return self.claims

    def capacity_data(self) -> bytes:
        blocks, length = self._claimed()
        return struct.pack(">II", min(blocks - 1 & (1 << 64) - 1, 0xFFFFFFFF), length)

    def capacity16_data(self) -> bytes:
        blocks, length = self._claimed()
        return struct.pack(">QI", blocks - 1 & (1 << 64) - 1, length) + self.rng.randbytes(20)

    def sense_data(self) -> bytes:
        rng, data = self.rng, super().sense_data()
        if rng.random() >= self.temper / 4:
            return data
        return rng.choice([b"", data[:rng.randrange(18)], rng.randbytes(rng.randrange(40)),
                           bytes([rng.choice([0x71, 0x72, 0x73, 0x7F, 0x00])]) + data[1:],
                           data + rng.randbytes(30)])

    def lun_list_data(self) -> bytes:
        rng = self.rng
        if rng.randrange(3):
            return super().lun_list_data()
        entries = b"".join(rng.choice([bytes([0, rng.randrange(256)]), rng.randbytes(2)])
                           + rng.choice([bytes(6), rng.randbytes(6)]) for _ in range(rng.randrange(12)))
        length = rng.choice([len(entries), 0, 1, 7, 0xFFFFFFFF, 0x80000000, rng.getrandbits(32)])
        return struct.pack(">II", length, 0) + entries + bytes(8)

    def execute(self, cdb: bytes) -> Answer:
        rng = self.rng
        if self.mood and cdb[0] not in (INQUIRY, REQUEST_SENSE, REPORT_LUNS):
            return Answer(status=self.mood) if isinstance(self.mood, int) else self.check(*self.mood)
        if cdb[0] not in (INQUIRY, REQUEST_SENSE) and rng.random() < self.temper / 3:
            return self._refused(cdb)
        answer = super().execute(cdb)
        if answer.data and rng.random() < self.temper / 6:
            more = b"" if cdb[0] in READS else rng.randbytes(rng.randrange(5))
            cut = rng.choice([0, 1, 2, rng.randrange(len(answer.data))])
            answer.data = answer.data[:len(answer.data) - cut] + more
        if answer.data and rng.random() < self.temper / 12:
            answer.data += rng.randbytes(rng.choice([1, 2, 512, 3000]))
        return answer

    def _refused(self, cdb: bytes) -> Answer:
        """Another status, perhaps with sense data and some data."""
        rng = self.rng
        status = rng.choice(STATUSES)
        if status == CHECK_CONDITION:
            self.check(*rng.choice([*SENSES, tuple(rng.randbytes(3))]))
            self.information = rng.getrandbits(32), rng.randrange(2) == 0
        data = rng.randbytes(512)
        if cdb[0] in READS:
            lba, count = blocks_of(cdb)
            data = b"".join(self.block(lba + i) for i in range(min(count, 256)))
        return Answer(status=status, data=data[:rng.choice([0, 0, 0, 1, 18, 512, len(data)])])

    def _missing_unit(self, cdb: bytes) -> Answer:
        """Not all targets know what to say for a LUN that they do not have."""
        kind = self.rng.randrange(5)
        if kind == 0:
            return self._refused(cdb)
        if kind == 1 and cdb[0] == INQUIRY:
            return Answer(self.inquiry_data()[:cdb[4]])
        return super()._missing_unit(cdb)

    def late(self, bus: Bus) -> Iterator:
        """Before the status byte: a pause, or something worse once in a while."""
        rng = self.rng
        if self.pace:
            yield Delay(self.pace * MS)
        if rng.random() < self.temper:
            delay = rng.choice(DELAYS)
            if delay:
                yield Delay(delay * MS)
        if rng.random() * ONCE_IN_A_WHILE < self.temper:
            yield rng.choice([FREE, HANG, RESET, (DATA_IN, 0), (STATUS, 0xFF)])


def device(rng: random.Random, seed: int, luns: int = 0) -> HostileDisk:
    block_bytes, blocks = rng.choice(BLOCK_SIZES), rng.choice([*SIZES, rng.getrandbits(34) + 1])
    unit = HostileDisk(
        type=rng.choice(TYPES), blocks=blocks, block_bytes=block_bytes, removable=rng.randrange(4) == 0,
        content=content(seed, block_bytes, boot_record(rng)), version=rng.choice([0, 1, 2, 3, 4, 5, 7, 0xFF]),
        vendor=rng.choice([b"BENCH   ", rng.randbytes(8)]),
        product=rng.choice([b"HOSTILE DISK    ", rng.randbytes(16)]),
        ignores_luns=rng.randrange(8) == 0, medium=rng.randrange(6) > 0, write_protected=rng.randrange(8) == 0,
        unsupported=set(rng.sample(UNUSED_COMMANDS, rng.choice([0, 0, 2, 6]))),
        attentions=[rng.choice(SENSES) for _ in range(rng.choice([0, 1, 1, 2, 5, 17]))],
        ready_at=rng.choice([0] * 8 + [1, 4, 29, 35]) * 1000 * MS,
        synchronous=False)
    unit.rng, unit.temper, unit.pace, unit.mood = rng, rng.choice(TEMPERS), rng.choice(PACES), rng.choice(MOODS)
    unit.claims = None if rng.randrange(4) else (rng.choice([0, *SIZES]), rng.choice(CLAIMS))
    unit.before_status = unit.late
    if not unit.removable:
        unit.medium = True
    for lun in rng.sample(range(1, 8), luns):
        further = device(rng, seed + (lun << 32))
        further.lun = lun
        unit.luns[lun] = further
    return unit


# ---- The host and its memory manager ---------------------------------------------------


def files(rng: random.Random) -> FwCfg:
    """Switches, boot order and geometry with right and wrong content."""
    number = [b"0", b"1", b"2", b"60", b"61", b"-1", b"", b"x", b"1 ", b"00000000000000001", b"\xff" * 40]
    paths = [b"/pci@i0cf8/scsi@4/channel@0/disk@%x,%x" % (rng.randrange(20), rng.randrange(10)) for _ in range(4)]
    lines = rng.choices([*paths, b"", b"/pci@i0cf8/scsi@4", b"/", rng.randbytes(20), paths[0] * 5], k=6)
    order = rng.choice([b"\n", b"\0", b"\r\n"]).join(lines)
    numbers = [0, 1, 16, 63, 255, 256, 1024, 1 << 31]
    shapes = b"\n".join(b"%s %d %d %d" % (rng.choice(lines), *rng.choices(numbers, k=3)) for _ in range(4))
    found = {"bootorder": order, "bios-geometry": shapes}
    for name in ("banner", "verbose", "native-blocks", "take-over", "boot-timeout", "host-id", "bus-reset"):
        if rng.randrange(4) == 0:
            found[f"opt/lsi8xx-rom/{name}"] = rng.choice(number)
    found = dict(rng.sample(sorted(found.items()), rng.randrange(len(found) + 1)))
    if rng.randrange(4) == 0:
        found[rng.choice(["bootorder", "bios-geometry"])] = rng.choice([b"x", b"/", b"\n", b"\0"]) * LARGE_FILE
    if rng.randrange(4):
        return FwCfg(found)
    lengths = [0, 1, 0x7FFFFFFF, 0xFFFFFFFF]
    directory = struct.pack(">I", rng.choice([len(found), len(found) + 5, 0xFFFFFFFF])) + b"".join(
        struct.pack(">IHH56s", rng.choice(lengths), FwCfg.FIRST_FILE + i, 0, name.encode())
        for i, name in enumerate(found))
    return FwCfg(found, directory=directory)


class HostileVds(Vds):
    """Services whose answers are sometimes such that a caller can see that they are wrong:
    parts that do not add up, none at all, too many, an address with another page offset."""

    rng: random.Random
    honest = False

    def call(self, ax: int, dx: int, pointer: int) -> tuple[int, dict[str, int]]:
        locked = list(self.locks)
        error, registers = super().call(ax, dx, pointer)
        if self.honest or error or ax not in (LOCK, LOCK_LIST) or self.rng.randrange(3):
            return error, registers
        if self.rng.randrange(3) == 0:
            self.locks = locked
            return self.rng.choice([1, 2, 3, 9, 0x0F, 0xFF]), {}
        if ax == LOCK_LIST:
            self._lie_in_list(pointer)
        elif dx & NO_BUFFER:
            self._move(pointer)
        return error, registers

    def _move(self, pointer: int) -> None:
        """The region is said to lie elsewhere in its page."""
        lock = self.locks.pop()
        wrong = lock.physical + self.rng.choice([1, 16, 0x800, -16]) & 0xFFFFFFFF
        self.locks.append(replace(lock, physical=wrong))
        self._write(pointer + 12, struct.pack("<I", wrong))

    def _lie_in_list(self, pointer: int) -> None:
        """The number of entries, or the length of one, is wrong."""
        fields = self._fields(LOCK_LIST, pointer)
        if self.rng.randrange(2):
            wrong = self.rng.choice([0, fields["available"] + 1, 0xFFFF])
            self._write(pointer + 14, struct.pack("<H", wrong))
        else:
            address, length = ENTRY.unpack(self._pc.peek(pointer + 16, 8))
            self._write(pointer + 16, ENTRY.pack(address, self.rng.choice([0, length - 1, length + 4096])))


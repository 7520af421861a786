# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Helpers for tests on the strict virtual PC: a booted machine, and calls with
checks that most tests need.
"""

from __future__ import annotations

import contextlib
import random
import struct
from collections.abc import Iterator
from typing import NamedTuple

from tests.build import ROM_810, ROM_895A
from tests.model.hardware import HARDWARE
from tests.model.pc import BUFFER, PACKET, Pc, Result
from tests.model.pc_memory import MEMORY
from tests.model.target import Disk, blocks_of

OK, READ_FAILED, OVERRUN, TIMEOUT = 0x00, 0x20, 0x08, 0x80
NOT_READY = 0xAA
BAD_COMMAND, WRITE_PROTECTED, NOT_FOUND, RESET_FAILED, CHANGED = 0x01, 0x03, 0x04, 0x05, 0x06
BOUNDARY, BAD_SECTOR, CONTROLLER, NO_MEDIUM, WRITE_FAULT = 0x09, 0x10, 0x20, 0x31, 0xCC
NOT_LOCKED, LOCKED, NOT_REMOVABLE, TOO_MANY_LOCKS, NOT_EJECTED = 0xB0, 0xB1, 0xB2, 0xB4, 0xB5
# Documented in docs/errors.md
STATUSES = {0x00, 0x01, 0x03, 0x04, 0x05, 0x06, 0x08, 0x09, 0x0C, 0x10, 0x20, 0x31, 0x80, 0xAA, 0xB0,
            0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xCC, 0xFF}
LAST_STATUS = 0x474
SECOND = 1_000_000_000
VARIANTS = ["895A", "810"]
ROMS = {"895A": ROM_895A, "810": ROM_810}
ANY_PC = [(hardware, variant) for hardware in HARDWARE for variant in VARIANTS]


def new_pc(variant: str, targets: dict[int, object], **options) -> Pc:
    """A machine after POST."""
    pc = Pc(ROMS[variant], variant, **options)
    pc.bus.targets = targets
    pc.power_on()
    return pc


def two_disks(variant: str, **options) -> Pc:
    """A machine after POST with disks at IDs 0 and 3."""
    return new_pc(variant, {0: Disk(), 3: Disk(content=lambda lba: bytes([3]) * 512)}, **options)


IDENTIFY, PRIVILEGE = 0x80, 0x40
MOST_TARGETS = 16
USUAL_MEDIA_TIMEOUT_S = 10


def table_of_targets(pc: Pc, entry: bytes) -> int:
    """The address of a table in the workspace that has the same entry for each target."""
    table, space = entry * MOST_TARGETS, pc.workspace
    own = pc.peek(space.start, len(space))
    assert own.count(table) == 1
    return space.start + own.index(table)


def grant_disconnects(pc: Pc) -> None:
    """All targets get the disconnect privilege, as if the NVRAM said so (lsi/lsi.h, `identify`), and obey it."""
    pc.poke(table_of_targets(pc, bytes([IDENTIFY])), bytes([IDENTIFY | PRIVILEGE]) * MOST_TARGETS)
    for target in pc.bus.targets.values():
        target.obeys_privilege = True


def set_media_timeout(pc: Pc, target: int, seconds: int) -> None:
    """The time limit of its commands on blocks, as if the NVRAM said so (scsi/hba.h, `media_timeout_s`)."""
    table = table_of_targets(pc, USUAL_MEDIA_TIMEOUT_S.to_bytes(2, "little"))
    pc.poke(table + 2 * target, seconds.to_bytes(2, "little"))


def disk(pc: Pc) -> Disk:
    return pc.bus.targets[0]


def expected(pc: Pc, lba: int, count: int) -> bytes:
    return b"".join(disk(pc).block(lba + i) for i in range(count))


# ---- Calls ----------------------------------------------------------------------------


def chs(lba: int, heads: int = 64, sectors: int = 32) -> dict[str, int]:
    """The registers that address an LBA by CHS."""
    cylinder, head, sector = lba // sectors // heads, lba // sectors % heads, lba % sectors + 1
    return {"ch": cylinder & 0xFF, "cl": cylinder >> 2 & 0xC0 | sector, "dh": head}


def far(address: int) -> tuple[int, int]:
    """A segment and an offset for an address up to FFFF:FFFFh."""
    segment = min(address >> 4, 0xFFFF)
    return segment, address - segment * 16


def by_chs(pc: Pc, function: int, lba: int, count: int = 1, address: int = BUFFER,
           drive: int = 0x80, **registers: int) -> Result:
    """AH=02h, 03h, 04h or 0Ch. Only a read may change memory, and only the buffer."""
    buffers = [range(address, address + count * 512)] if function == 0x02 else []
    segment, offset = far(address)
    return pc.int13(*buffers, changes="ah" if function == 0x0C else "ax",
                    **{"ah": function, "al": count, "dl": drive, "es": segment, "bx": offset,
                       **chs(lba), **registers})


def by_packet(pc: Pc, function: int, lba: int, count: int = 1, address: int = BUFFER,
              drive: int = 0x80, *, size: int = 16, flat: int | None = None,
              long_count: int = 0, block_bytes: int = 512, al: int = 0) -> Result:
    """AH=42h, 43h, 44h or 47h. With `flat` the packet has a flat buffer address; with
    `long_count` its count is FFh and the dword at 18h holds the number of blocks."""
    segment, offset = far(address) if flat is None else (0xFFFF, 0xFFFF)
    word = 0xFF if long_count else count
    pc.poke(PACKET, struct.pack("<BBHHHQQII", size, 0, word, offset, segment, lba, flat or 0,
                                long_count, 0))
    writable = [] if function == 0x47 else [COUNT32 if long_count else COUNT16]
    if function == 0x42:
        start = address if flat is None else flat
        writable.append(range(start, min(start + (long_count or count) * block_bytes, MEMORY)))
    return pc.int13(*writable, ah=function, al=al, dl=drive, ds=PACKET >> 4, si=PACKET & 15)


COUNT16, COUNT32 = range(PACKET + 2, PACKET + 4), range(PACKET + 0x18, PACKET + 0x1C)


class Outcome(NamedTuple):
    """The status of a call, and the number of good sectors: None if the function does
    not return it."""
    status: int
    good: int | None


def transfer(pc: Pc, function: int, lba: int, count: int = 1, address: int = BUFFER,
             **options) -> Outcome:
    """02h to 04h, 0Ch, 42h to 44h or 47h. AH, CF and 40:74h must agree."""
    result = (by_chs if function < 0x40 else by_packet)(pc, function, lba, count, address,
                                                        **options)
    assert result.cf == (result.ah != OK)
    assert pc.peek(LAST_STATUS, 1) == bytes([result.ah])
    if function in (0x0C, 0x47):
        return Outcome(result.ah, None)
    if function < 0x40:
        return Outcome(result.ah, result.al)
    return Outcome(result.ah, pc.word(COUNT16.start))


def simple_call(pc: Pc, function: int, changes: str = "ah", **registers: int) -> Result:
    """A function without data. AH, CF and 40:74h must agree."""
    result = pc.int13(changes=changes, ah=function, **{"dl": 0x80, **registers})
    assert result.cf == (result.ah != OK)
    assert pc.peek(LAST_STATUS, 1) == bytes([result.ah])
    return result


FILL = 0xEE
ROOM_AND_FILLED = [(0x1A, 0x1A), (0x1E, 0x1E), (0x42, 0x42), (0x4A, 0x4A)]


def parameters(pc: Pc, room: int = 0x4A, drive: int = 0x80) -> bytes:
    """The result of 48h. Memory after it must not change."""
    filled = max(f for least, f in ROOM_AND_FILLED if room >= least)
    pc.poke(PACKET, struct.pack("<H", room) + bytes([FILL]) * 0x62)
    result = pc.int13(range(PACKET, PACKET + filled), ah=0x48, dl=drive, ds=PACKET >> 4,
                      si=PACKET & 15)
    assert (result.ah, result.cf) == (OK, False)
    assert pc.peek(PACKET + filled, 0x64 - filled) == bytes([FILL]) * (0x64 - filled)
    return pc.peek(PACKET, filled)


class Parameters(NamedTuple):
    """The first fields of the result of 48h."""
    size: int
    flags: int
    cylinders: int
    heads: int
    sectors_per_track: int
    sectors: int
    sector_bytes: int


def edd(pc: Pc, drive: int = 0x80) -> Parameters:
    return Parameters(*struct.unpack_from("<HHIIIQH", parameters(pc, drive=drive)))


def check_dpte(pc: Pc, pointer: int, removable: bool = False, irq: int = 0) -> None:
    """The table at seg:off that 48h returns [EDD-4 "Device parameter table extension"]"""
    dpte = pc.peek((pointer >> 16) * 16 + (pointer & 0xFFFF), 16)
    ata, options = bytes(3), 0x10 | 0x20 * removable    # LBA, removable
    assert dpte[:15] == struct.pack("<HHBBB3sHHB", pc.bar0 & ~3 & 0xFFFF, 0, 0xE0, 0, irq, ata, options, 0, 0x30)
    assert sum(dpte) & 0xFF == 0


class HighMemory:
    """All memory below 4 GiB. Only the chip reaches addresses above 16 MiB; they hold
    FILL at first, and writes to them are not restricted."""

    FILL, PAGE = b"\xEE", 4096

    def __init__(self, pc: Pc):
        self._pc, self._pages = pc, {}
        self._below = pc.chip._read_main, pc.chip._write_main
        pc.chip._read_main, pc.chip._write_main = self._chip_reads, self._chip_writes

    def _byte(self, address: int) -> tuple[bytearray, int]:
        page = self._pages.setdefault(address // self.PAGE, bytearray(self.FILL * self.PAGE))
        return page, address % self.PAGE

    def _get(self, address: int) -> int:
        page, at = self._byte(address)
        return page[at]

    def _set(self, address: int, value: int) -> None:
        page, at = self._byte(address)
        page[at] = value

    def _split(self, address: int, length: int) -> tuple[range, range]:
        """The parts below and above 16 MiB."""
        end = address + length
        assert end <= 1 << 32, "DMA beyond 4 GiB"
        return range(address, min(end, MEMORY)), range(max(address, MEMORY), end)

    def _chip_reads(self, address: int, length: int) -> bytes:
        low, high = self._split(address, length)
        return (self._below[0](low.start, len(low)) if low else b"") + bytes(map(self._get, high))

    def _chip_writes(self, address: int, data: bytes) -> None:
        low, high = self._split(address, len(data))
        if low:
            self._below[1](low.start, data[:len(low)])
        for at, value in zip(high, data[len(low):]):
            self._set(at, value)

    def read(self, address: int, length: int) -> bytes:
        low, high = self._split(address, min(length, (1 << 32) - address))
        return (self._pc.peek(low.start, len(low)) if low else b"") + bytes(map(self._get, high))

    def write(self, address: int, data: bytes) -> None:
        low, high = self._split(address, len(data))
        if low:
            self._pc.poke(low.start, data[:len(low)])
        for at, value in zip(high, data[len(low):]):
            self._set(at, value)


def new_data(seed: int, sectors: int) -> bytes:
    """Data that no disk contains yet."""
    return random.Random(seed).randbytes(sectors * 512)


def opcodes(target: Disk, since: int = 0) -> list[int]:
    """The opcodes of the commands sent to a disk."""
    return [cdb[0] for cdb in target.commands[since:]]


def covers(cdbs: list[bytes], lba: int, count: int) -> bool:
    """Whether the commands cover the range in order, without gaps or overlaps."""
    for start, blocks in map(blocks_of, cdbs):
        if start != lba:
            return False
        lba, count = lba + blocks, count - blocks
    return count == 0


def hexadecimal(value: object) -> str | None:
    """For parametrize ids."""
    return f"{value:02X}h" if isinstance(value, int) else None


@contextlib.contextmanager
def nothing_sent(pc: Pc) -> Iterator[None]:
    """No target is selected in the block."""
    before = {i: len(target.messages) for i, target in pc.bus.targets.items()}
    yield
    assert {i: len(target.messages) for i, target in pc.bus.targets.items()} == before


def check_read(pc: Pc, lba: int = 1000, count: int = 3, far_call: bool = False) -> None:
    """A read of the first disk returns its data."""
    pc.poke(BUFFER, b"\xEE" * count * 512)
    result = pc.read(lba, count, far_call=far_call)
    assert (result.ah, result.cf) == (OK, False)
    assert pc.peek(BUFFER, count * 512) == expected(pc, lba, count)


def check_failure(pc: Pc, status: int, count: int = 3) -> None:
    """A read of the first disk returns this status and no good blocks."""
    result = pc.read(1000, count)
    assert (result.ah, result.cf) == (status, True)
    assert pc.word(PACKET + 2) == 0, "blocks done"


def check_read_or_error(pc: Pc, lba: int = 7, count: int = 1) -> bool:
    """A read of the first disk either returns its data or a documented error. Returns
    whether it succeeded."""
    pc.poke(BUFFER, b"\xEE" * count * 512)
    result = pc.read(lba, count)
    if not result.cf:
        assert result.ah == OK
        assert pc.peek(BUFFER, count * 512) == expected(pc, lba, count)
    else:
        assert result.ah in STATUSES - {OK}
        assert pc.word(PACKET + 2) == 0, "blocks done"
    return not result.cf


def check_recovery(pc: Pc) -> None:
    """After a fault both disks can be read again."""
    disk(pc).data_hook = disk(pc).before_command = disk(pc).before_status = None
    disk(pc).status_hook = disk(pc).write_hook = None
    result = pc.read(1, 1, drive=0x81)
    assert (result.ah, pc.peek(BUFFER, 512)) == (OK, bytes([3]) * 512)
    check_read(pc)

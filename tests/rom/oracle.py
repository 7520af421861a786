# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The expected results of INT 13h calls to drives of the ROM, implemented a second
time without the ROM's code, for tests/rom/fuzz.py: the statuses that an undisturbed
call may return, and the results of the simple functions.

[EDD-4; docs/errors.md]
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.model.target import START_STOP, Disk, blocks_of
from tests.rom.strict import check_dpte

if TYPE_CHECKING:
    from tests.model.pc import Pc, Result

READS, WRITES, SEEKS = (0x02, 0x42), (0x03, 0x43), (0x0C, 0x47)
CHS, EDD = (0x02, 0x03, 0x04, 0x0C), (0x42, 0x43, 0x44, 0x47)
RESETS, READY, CHANGE = (0x00, 0x0D), (0x09, 0x10, 0x11, 0x14), (0x16, 0x49)
GEOMETRY, TYPE, EXTENSIONS, LOCK, EJECT, PARAMETERS, CONFIGURE = (
    0x08, 0x15, 0x41, 0x45, 0x46, 0x48, 0x4E)
KNOWN = {*CHS, *EDD, *RESETS, *READY, *CHANGE, 0x01, GEOMETRY, TYPE, EXTENSIONS, LOCK, EJECT,
         PARAMETERS, CONFIGURE}

OK, BAD, PROTECTED, NOT_FOUND, CHANGED, BOUNDARY, NO_MEDIUM = 0, 1, 3, 4, 6, 9, 0x31
NOT_LOCKED, LOCKED, NOT_REMOVABLE, LOCK_COUNT, NOT_EJECTED = 0xB0, 0xB1, 0xB2, 0xB4, 0xB5
MEDIUM_ERROR, WRITE_FAULT = 0x10, 0xCC
AFTER_A_BAD_BLOCK = {OK, BAD, MEDIUM_ERROR, 0x20, WRITE_FAULT}  # OK: recovered or not accessed

SECTOR = 512
COUNT_IS_LONG = 0xFF
REAL_MODE_END, FLAT_END = 0x10FFF0, 1 << 32
MOST_LOCKS = 255
CHS_MOST_SECTORS = 15_482_880

SMALL = [(64, 32), (16, 63), (255, 63), (32, 63), (64, 63), (128, 63), (240, 63)]


def geometry(sectors: int) -> tuple[int, int, int]:
    """Geometry of a disk without a partition table."""
    heads, per_track = 255, 63
    if sectors <= 2 * 1024 * 1024:
        heads, per_track = next((shape for shape in SMALL
                                 if sectors % (shape[0] * shape[1]) == 0
                                 and sectors // (shape[0] * shape[1]) <= 1024), SMALL[0])
    return min(max(sectors // (heads * per_track), 1), 1024), heads, per_track


def answer_bytes(room: int) -> int:
    """The number of result bytes that AH=48h writes."""
    return next((size for size in (0x4A, 0x42, 0x1E, 0x1A) if room >= size), 0)


class Unit(Disk):
    """A disk that records each written block with its previous content."""

    journal: list[tuple[Unit, int, bytes]]

    def store(self, cdb: bytes, data: bytes) -> None:
        first = blocks_of(cdb)[0]
        self.journal += [(self, first + i, self.block(first + i))
                         for i in range(len(data) // self.block_bytes)]
        super().store(cdb, data)


@dataclass
class Drive:
    """A unit as seen by the caller, with the state that the ROM has to track."""
    unit: Unit
    target: int
    native: bool            # sectors are as large as blocks
    number: int
    locks: int = 0
    change_pending: bool = False      # a medium change not yet reported to the caller
    change_possible: bool = False     # a fault that the ROM may have taken for such a change
    changed: bool = False   # since the last AH=16h or 49h

    @property
    def sector_bytes(self) -> int:
        return self.unit.block_bytes if self.native else SECTOR

    @property
    def split(self) -> int:
        """Sectors per block."""
        return self.unit.block_bytes // self.sector_bytes

    @property
    def sectors(self) -> int:
        return self.unit.blocks * self.split

    @property
    def geometry(self) -> tuple[int, int, int]:
        return geometry(self.sectors)

    @property
    def is_512(self) -> bool:
        return self.sector_bytes == SECTOR

    def blocks(self, lba: int, count: int) -> tuple[int, int]:
        """First and last block of a range of sectors."""
        return lba // self.split, (lba + count - 1) // self.split

    def read(self, lba: int, count: int) -> bytes:
        first, last = self.blocks(lba, count)
        data = b"".join(self.unit.block(block) for block in range(first, last + 1))
        begin = (lba - first * self.split) * self.sector_bytes
        return data[begin:begin + count * self.sector_bytes]

    def ready(self) -> set[int]:
        """The statuses that an otherwise successful command may return."""
        if not self.unit.removable:
            return {OK}
        absent = set() if self.unit.medium else {NO_MEDIUM}
        if self.change_pending:
            return absent | {CHANGED}
        return (absent or {OK}) | self.change_statuses()

    def change_statuses(self) -> set[int]:
        """The statuses that any call to the unit may return because of a change."""
        return {CHANGED} if self.change_pending or self.change_possible else set()

    def before(self) -> None:
        """A unit attention may mean another medium."""
        if self.unit.removable and self.unit.attentions:
            self.change_pending = self.changed = True

    def after(self, call: Call, status: int, disturbed: bool) -> None:
        """Updates the state after a call."""
        if disturbed:
            self.change_possible = self.unit.removable
        elif status == CHANGED or status == OK and call.accesses:
            self.change_possible = False
        if status == CHANGED:
            self.change_pending = bool(self.unit.attentions)
        if call.ah in CHANGE and status in (OK, CHANGED):
            self.changed = False
        if call.ah == LOCK and status == OK and self.unit.removable:
            self.locks += {0: 1, 1: -1}.get(call.al, 0)


@dataclass(repr=False)
class Call:
    """The input of a call, and the errors that it must cause: `wrong` is empty if all
    arguments are valid."""
    registers: dict[str, int]
    drive: Drive | None
    packet: int = 0         # its address
    size: int = 0           # its size field
    is_long: bool = False
    is_flat: bool = False
    lba: int = 0
    count: int = 0
    buffer: int = 0
    data: bytes = b""       # data to write
    wrong: set[int] = field(default_factory=set)

    def __repr__(self) -> str:
        drive = f"{self.drive.number:02X}h" if self.drive else "of others"
        kinds = ", long" * self.is_long + ", flat" * self.is_flat
        return (f"AX={self.registers['eax'] & 0xFFFF:04X}h, drive {drive}, lba {self.lba}, count "
                f"{self.count}, buffer {self.buffer:#x}, packet of {self.size} bytes{kinds}, "
                f"wrong {self.wrong or 'nothing'}")

    @property
    def ah(self) -> int:
        return self.registers["eax"] >> 8 & 0xFF

    @property
    def al(self) -> int:
        return self.registers["eax"] & 0xFF

    @property
    def known(self) -> bool:
        return self.ah in KNOWN

    @property
    def bytes(self) -> int:
        return self.count * self.drive.sector_bytes if self.drive else 0

    @property
    def accesses(self) -> bool:
        """The call reads, writes or verifies sectors, or seeks."""
        return self.ah in (*CHS, *EDD) and not self.wrong and self.count > 0

    def set_low(self, name: str, value: int) -> None:
        self.registers[name] = self.registers[name] & 0xFFFF0000 | value

    def set_al(self, value: int) -> None:
        self.registers["eax"] = self.registers["eax"] & ~0xFF | value

    def judge_chs(self, drive: Drive, cylinder: int, head: int, sector: int) -> None:
        cylinders, heads, sectors = drive.geometry
        if not 1 <= self.count <= 128 or not drive.is_512:
            self.wrong.add(BAD)
        if cylinder >= cylinders or head >= heads or not 1 <= sector <= sectors:
            self.wrong.add(NOT_FOUND)
        self.lba = (cylinder * heads + head) * sectors + sector - 1
        self._judge_range(drive)

    def judge_packet(self, drive: Drive) -> None:
        moves = self.ah in (*READS, *WRITES)
        needed = 32 if self.is_long else 24 if self.is_flat and moves else 16
        if self.size < needed or self.ah == 0x43 and self.al > 2:
            self.wrong.add(BAD)
        self._judge_range(drive)

    def _judge_range(self, drive: Drive) -> None:
        if self.lba + (1 if self.ah in SEEKS else self.count) > drive.sectors:
            self.wrong.add(NOT_FOUND)
        end = FLAT_END if self.is_flat else REAL_MODE_END
        if self.ah in (*READS, *WRITES) and self.buffer + self.count * drive.sector_bytes > end:
            self.wrong.add(BOUNDARY)


def outcomes(call: Call, eject_answer: int) -> set[int]:
    """The statuses that an undisturbed call may return."""
    drive = call.drive
    if not call.known:
        return {BAD}
    if call.ah in (*CHS, *EDD):
        return _transfer(call, drive)
    if call.ah in READY:
        return drive.ready() | ({OK} if drive.change_pending else set())
    if call.ah in (GEOMETRY, TYPE):
        good = OK if drive.is_512 or call.ah == TYPE else BAD
        return {good} | drive.ready() - {OK}
    if call.ah in CHANGE:
        return _change(call, drive)
    if call.ah == LOCK:
        return _lock(call, drive)
    if call.ah == EJECT:
        return _eject(call, drive, eject_answer)
    if call.ah == PARAMETERS:
        return {OK if answer_bytes(call.size) else BAD} | drive.change_statuses()
    if call.ah == EXTENSIONS:
        return {OK if call.registers["ebx"] & 0xFFFF == 0x55AA else BAD}
    if call.ah == CONFIGURE:
        return {OK if call.al == 5 else BAD}
    return {OK}


def known_good(call: Call, status: int) -> int | None:
    """The number of sectors before a bad block that the sense data names; None if it
    names none or the call failed for another reason."""
    bad = call.drive.unit.bad_blocks
    if status not in (MEDIUM_ERROR, WRITE_FAULT) or not call.accesses or call.ah in SEEKS:
        return None
    block, (*_, valid) = next(iter(bad.items()))
    named = valid and block < 1 << 32   # the INFORMATION field has 32 bits
    return max(block * call.drive.split - call.lba, 0) if named else None


def _transfer(call: Call, drive: Drive) -> set[int]:
    # The old medium may be smaller
    ready = drive.ready() | ({NOT_FOUND} if drive.change_pending else set())
    if call.ah in EDD and call.count == 0 and BAD not in call.wrong:
        return {OK, *call.wrong} | (ready if call.ah in SEEKS else set())
    if call.wrong:
        return call.wrong | ready - {OK}
    if OK in ready and drive.unit.bad_blocks:
        protected = {PROTECTED} if drive.unit.write_protected else set()
        return AFTER_A_BAD_BLOCK | protected | drive.change_statuses()
    if OK in ready and drive.unit.write_protected and call.ah in WRITES:
        return {PROTECTED} | drive.change_statuses()
    return ready


def _change(call: Call, drive: Drive) -> set[int]:
    if not drive.unit.removable:
        return {OK if call.ah == 0x49 else BAD}
    if not drive.unit.medium:
        return {NO_MEDIUM, CHANGED}
    return {CHANGED} if drive.changed else {OK, CHANGED}


def _lock(call: Call, drive: Drive) -> set[int]:
    if call.al > 2:
        return {BAD}
    if not drive.unit.removable or call.al == 2:
        return {OK}
    if call.al == 0 and drive.locks == MOST_LOCKS:
        return {LOCK_COUNT}
    if call.al == 1 and drive.locks == 0:
        return {NOT_LOCKED}
    return {OK} | drive.change_statuses()


def _eject(call: Call, drive: Drive, answer: int) -> set[int]:
    unit = drive.unit
    if call.al:
        return {BAD}
    if not unit.removable:
        return {NOT_REMOVABLE}
    if drive.locks:
        return {LOCKED}
    if not unit.medium:
        return drive.ready()
    changes = drive.change_statuses()
    if answer not in (0, 0x86):
        return {answer, *changes}
    refused = START_STOP in unit.unsupported or unit.locked
    return {NOT_EJECTED if refused else OK, *changes}


# ---- Results --------------------------------------------------------------------------


def check_answer(call: Call, result: Result, pc: Pc) -> None:
    """Checks the result of a successful function. It may still describe the last
    medium that the ROM has read."""
    drive = call.drive
    if drive.change_pending or drive.unit.removable and not drive.unit.medium:
        return
    if call.ah == GEOMETRY:
        cylinders, heads, sectors = drive.geometry
        assert result.ch | (result.cl & 0xC0) << 2 == cylinders - 1
        assert (result.dh, result.cl & 0x3F, result.dl) == (heads - 1, sectors,
                                                            pc.peek(0x475, 1)[0])
    elif call.ah == TYPE:
        assert result.cx << 16 | result.dx == min(drive.sectors, 0xFFFFFFFF)
    elif call.ah == EXTENSIONS:
        assert (result.bx, result.cx) == (0xAA55, 0x000F)
    elif call.ah == LOCK:
        locks = drive.locks + {0: 1, 1: -1}.get(call.al, 0) * drive.unit.removable
        assert result.al == (locks > 0)
    elif call.ah == CONFIGURE:
        assert result.al == 0
    elif call.ah == PARAMETERS:
        check_parameters(drive, pc.peek(call.packet, 0x4A), pc)


def check_parameters(drive: Drive, answer: bytes, pc: Pc) -> None:
    """Result of AH=48h [EDD-4 "AH=48h"]"""
    (size, flags, cylinders, heads, per_track, sectors, sector_bytes,
     dpte) = struct.unpack_from("<HHIIIQHI", answer)
    removable = drive.unit.removable
    assert size in (0x4A, 0x42, 0x1E, 0x1A)
    assert (flags & 0x01, bool(flags & 0x04), flags & 0x08) == (1, removable, 8)
    assert flags & 0x70 == 0x30 * removable
    assert (heads, per_track, sectors) == (*drive.geometry[1:], drive.sectors)
    valid = sectors <= CHS_MOST_SECTORS and cylinders * heads * per_track == sectors
    assert bool(flags & 2) == (valid and drive.is_512)
    assert sector_bytes == drive.sector_bytes
    if size > 0x1A:
        check_dpte(pc, dpte, removable)
    if size > 0x1E:
        check_path(drive, answer[:size], pc.pci_address)


def check_path(drive: Drive, answer: bytes, pci_address: int) -> None:
    length = {0x4A: 0x2C, 0x42: 0x24}[len(answer)]
    assert answer[0x1E:0x24] == struct.pack("<HBBH", 0xBEDD, length, 0, 0)
    assert answer[0x24:0x30] == b"PCI SCSI    "
    assert answer[0x30:0x33] == bytes([pci_address >> 8, pci_address >> 3 & 31, pci_address & 7])
    wide = length == 0x2C
    assert answer[0x38] == drive.target and answer[0x3A if wide else 0x39] == drive.unit.lun
    assert sum(answer[0x1E:]) & 0xFF == 0

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A memory manager that has put the CPU into virtual-8086 mode and remapped memory,
and its Virtual DMA Services, INT 4Bh, unless it has none.

Unicorn stays in real mode: its memory is linear memory, as the CPU sees it. The
CPU accesses a remapped page at its linear address, and the chip at its physical
address; `places()` returns where Unicorn stores physical memory.

[VDS 1.0; RBIL INT 4Bh]
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.model.bios_data import MEMORY_KIB
from tests.model.rules import RuleViolation
from tests.model.v86 import Monitor

if TYPE_CHECKING:
    from tests.model.pc import Pc

PRESENT_FLAG, PRESENT = 0x47B, 0x20     # 40:7Bh
PAGE = 4096
BUFFER_AREA = 0xC00000      # physical address of the services' buffers
DDS, EDDS = struct.Struct("<IIHHI"), struct.Struct("<IIHHHH")
ENTRY = struct.Struct("<II")

VERSION, LOCK, UNLOCK, LOCK_LIST, UNLOCK_LIST = range(0x8102, 0x8107)
FLAGS = {VERSION: 0x00, LOCK: 0x3E, UNLOCK: 0x02, LOCK_LIST: 0x00, UNLOCK_LIST: 0x00}
COPY, NO_BUFFER, IN_64K, IN_128K = 0x02, 0x04, 0x10, 0x20   # DX

NOT_CONTIGUOUS, CROSSES, CANNOT_LOCK, NO_SUCH_BUFFER, TOO_LARGE, IN_USE = range(1, 7)
INVALID_REGION, TABLE_TOO_SMALL, INVALID_FUNCTION = 0x07, 0x09, 0x0F

SERVED, NONE, FAILING, SILENT = "served", "none", "failing", "silent"

SMSW, PREFIXES = b"\x0F\x01", b"\x66"
REGISTERS = ("eax", "ecx", "edx", "ebx", "esp", "ebp", "esi", "edi")
PROTECTED = 0x80000011      # CR0: PG, ET, PE


class Refused(Exception):
    """A failed service: the error in AL, and the size that would succeed."""

    def __init__(self, error: int, size: int | None = None):
        super().__init__(f"error {error:#04x}")
        self.error, self.size = error, size


@dataclass(frozen=True)
class Lock:
    """A locked region, as reported to the caller. `buffer` is 0 without one."""
    function: int
    linear: int
    size: int
    physical: int = 0
    buffer: int = 0


@dataclass
class Vds:
    """`pages` maps linear to physical pages, where they differ. `refuse` holds
    functions (8103h ...) that fail, and the error to fail with (default 0Fh);
    an error without functions applies to all lock functions. `v86` False: the
    services are present, but the CPU is in real mode. `services`: NONE if the manager
    has none and says so; FAILING if it announces them, and each fails; SILENT if it
    announces them, and INT 4Bh is an IRET."""
    pages: dict[int, int] = field(default_factory=dict)
    scatter_gather: bool = True
    buffers: int = 1
    buffer_bytes: int = 0x8000
    refuse: set[int] = field(default_factory=set)
    v86: bool = True
    services: str = SERVED
    strict: bool = False        # also checks each instruction, which takes time
    calls: list[tuple[int, int, dict[str, int]]] = field(default_factory=list)
    locks: list[Lock] = field(default_factory=list)
    running: bool = False
    _worked_out: tuple[dict[int, int], dict[int, int]] = field(     # cache: pages, result
        default=({}, {}), init=False, repr=False)

    def start(self, pc: Pc) -> None:
        """Load the memory manager, some time after POST."""
        self._pc = pc
        self.running = True
        self._smsw: str | None = None       # register to correct
        if self.services != NONE:
            pc.poke(PRESENT_FLAG, bytes([pc.peek(PRESENT_FLAG, 1)[0] | PRESENT]))
        self.monitor = Monitor(pc) if self.strict else None
        if self.v86:
            self._watch_smsw()

    # ---- SMSW -------------------------------------------------------------------------

    def _watch_smsw(self) -> None:
        """Hook each SMSW in an image, to correct its result after it has run."""
        for copy in self._pc.bios.copies:
            self._watch_smsw_in(range(copy.runs_at * 16, copy.runs_at * 16 + copy.kept))

    def _watch_smsw_in(self, image: range) -> None:
        code = self._pc.peek(image.start, len(image))
        at = code.find(SMSW)
        while 0 <= at < len(code) - 2:
            if code[at + 2] >> 3 & 7 == 4:
                for begin in (at, at - 1) if code[at - 1:at] in PREFIXES else (at,):
                    self._pc.hook_at(image.start + begin, self._at_smsw)
                self._pc.hook_at(image.start + at + 3, self._after_smsw)
            at = code.find(SMSW, at + 1)

    def _at_smsw(self, address: int) -> None:
        operand = self._pc.peek(address, 4).lstrip(PREFIXES)[2]
        if operand < 0xC0:
            raise RuleViolation("not modelled", "SMSW to memory")
        self._smsw = REGISTERS[operand & 7]

    def _after_smsw(self, address: int) -> None:
        if self._smsw and self.v86:
            self._pc.set(self._smsw, self._pc.get(self._smsw) & ~0xFFFF | PROTECTED & 0xFFFF)
            self._smsw = None

    # ---- Memory -----------------------------------------------------------------------

    def _moved(self) -> dict[int, int]:
        """Physical page to page of Unicorn's memory, where they differ."""
        if self._worked_out[0] != self.pages:
            self._worked_out = dict(self.pages), self._work_out()
        return self._worked_out[1]

    def _work_out(self) -> dict[int, int]:
        """A physical page that is no longer mapped is stored in place of the page
        mapped to its address."""
        kept = {physical: linear for linear, physical in self.pages.items()}
        hidden = sorted(set(kept.values()) - set(kept))
        kept.update(zip(hidden, sorted(set(kept) - set(kept.values()))))
        return {physical: page for physical, page in kept.items() if physical != page}

    def places(self, physical: int, length: int) -> Iterator[tuple[int, int]]:
        """Address and length of each piece in Unicorn's memory."""
        moved = self._moved() if self.running else {}
        end = physical + length
        while physical < end:
            piece = min(end, (physical // PAGE + 1) * PAGE) - physical if moved else end - physical
            page = moved.get(physical // PAGE, physical // PAGE)
            yield page * PAGE + physical % PAGE, piece
            physical += piece

    def _physical(self, linear: int) -> int:
        return self.pages.get(linear // PAGE, linear // PAGE) * PAGE + linear % PAGE

    def _runs(self, linear: int, size: int) -> list[tuple[int, int]]:
        """Physical address and length of each contiguous part."""
        runs: list[tuple[int, int]] = []
        end = linear + size
        while linear < end:
            piece = min(end, (linear // PAGE + 1) * PAGE) - linear
            physical = self._physical(linear)
            if runs and sum(runs[-1]) == physical:
                runs[-1] = runs[-1][0], runs[-1][1] + piece
            else:
                runs.append((physical, piece))
            linear += piece
        return runs

    def _buffer_at(self, number: int) -> int:
        """Address of a buffer; they are numbered from 1."""
        return BUFFER_AREA + (number - 1) * (self.buffer_bytes + PAGE - 1 & ~(PAGE - 1))

    def is_buffer(self, physical: int, length: int = 1) -> bool:
        return (self.running and BUFFER_AREA <= physical
                and physical + length <= self._buffer_at(self.buffers + 1))

    def check_access(self, physical: int, length: int) -> None:
        """Memory that is remapped, or a buffer, must be locked when the chip accesses it."""
        if not self.running or self.services != SERVED:
            return
        moved = self._moved()
        for page in range(physical // PAGE, (physical + length - 1) // PAGE + 1):
            if (page in moved or self.is_buffer(page * PAGE)) and not self._is_locked(page):
                raise RuleViolation("vds-unlocked", f"physical page {page:#x}")

    def _is_locked(self, page: int) -> bool:
        return any(run // PAGE <= page <= (run + size - 1) // PAGE
                   for lock in self.locks for run, size in self._locked_runs(lock))

    def _locked_runs(self, lock: Lock) -> list[tuple[int, int]]:
        return [(lock.physical, lock.size)] if lock.buffer else self._runs(lock.linear, lock.size)

    def check_released(self) -> None:
        """Check on return to the caller that nothing is locked."""
        if self.locks:
            raise RuleViolation("vds-leak", f"{self.locks}")

    # ---- INT 4Bh ----------------------------------------------------------------------

    def call(self, ax: int, dx: int, pointer: int) -> tuple[int, dict[str, int]]:
        """Handle one service; its structure is at linear address `pointer`.
        Returns the error (0 for none) and registers."""
        if not self.running or self.services == NONE or ax not in FLAGS or dx & ~FLAGS[ax]:
            raise RuleViolation("vds-call", f"AX={ax:04x}h DX={dx:04x}h")
        fields = self._fields(ax, pointer)
        self.calls.append((ax, dx, dict(fields)))
        if self.services == FAILING:
            return INVALID_FUNCTION, {}
        try:
            if ax == VERSION:
                return 0, self._version()
            self._check_fields(fields)
            {LOCK: self._lock, UNLOCK: self._unlock, LOCK_LIST: self._lock_list,
             UNLOCK_LIST: self._unlock_list}[ax](fields, dx, pointer)
        except Refused as refusal:
            if refusal.size is not None:
                self._write(pointer, struct.pack("<I", refusal.size))
            return refusal.error, {}
        return 0, {}

    def _fields(self, ax: int, pointer: int) -> dict[str, int]:
        if ax == VERSION:
            return {}
        if ax in (LOCK, UNLOCK):
            names, layout = ("size", "offset", "segment", "buffer", "physical"), DDS
        else:
            names, layout = ("size", "offset", "segment", "reserved", "available", "used"), EDDS
        return dict(zip(names, layout.unpack(self._pc.peek(pointer, layout.size))))

    @staticmethod
    def _check_fields(fields: dict[str, int]) -> None:
        if not fields["size"]:
            raise RuleViolation("vds-call", "the region is empty")
        if fields["segment"] and fields["offset"] > 0xFFFF:
            raise RuleViolation("vds-call", "a segment with a 32-bit offset")

    def _check_refused(self, ax: int, together: int | None = None) -> None:
        """`together`: number of contiguous bytes that could be locked."""
        functions = {one for one in self.refuse if one > 0xFF}
        error = min(self.refuse - functions, default=INVALID_FUNCTION)
        if ax in functions or self.refuse and not functions and ax in (LOCK, LOCK_LIST):
            raise Refused(error, together if error <= CANNOT_LOCK else None)
        if ax == LOCK_LIST and not self.scatter_gather:
            raise Refused(INVALID_FUNCTION)

    def _write(self, address: int, data: bytes) -> None:
        self._pc.write_for("VDS", address, data)

    def _version(self) -> dict[str, int]:
        most = self.buffer_bytes if self.buffers else 0
        return {"ax": 0x0100, "bx": 0x4C53, "cx": 0x0001, "dx": 0, "si": most >> 16,
                "di": most & 0xFFFF}

    def _linear(self, fields: dict[str, int]) -> int:
        linear = fields["segment"] * 16 + fields["offset"]
        if linear + fields["size"] > MEMORY_KIB * 1024:
            raise Refused(INVALID_REGION)
        return linear

    def _lock(self, fields: dict[str, int], dx: int, pointer: int) -> None:
        linear, size = self._linear(fields), fields["size"]
        runs = self._runs(linear, size)
        self._check_refused(LOCK, runs[0][1])
        reach = self._reach(runs[0][0], dx)
        physical, number = runs[0][0], 0
        if runs[0][1] < size or reach < size:
            if dx & NO_BUFFER:
                raise Refused(NOT_CONTIGUOUS if runs[0][1] < size else CROSSES,
                              min(runs[0][1], reach))
            number = self._free_buffer(size)
            physical = self._buffer_at(number)
        self.locks.append(Lock(LOCK, linear, size, physical, number))
        if number and dx & COPY:
            self._pc.poke(physical, self._pc.peek(linear, size))
        self._write(pointer + 10, struct.pack("<HI", number, physical))

    @staticmethod
    def _reach(physical: int, dx: int) -> int:
        """Bytes up to the boundary that must not be crossed."""
        boundary = 0x10000 if dx & IN_64K else 0x20000 if dx & IN_128K else 1 << 32
        return boundary - physical % boundary

    def _free_buffer(self, size: int) -> int:
        if not self.buffers:
            raise Refused(NO_SUCH_BUFFER)
        if size > self.buffer_bytes:
            raise Refused(TOO_LARGE)
        free = set(range(1, self.buffers + 1)) - {lock.buffer for lock in self.locks}
        if not free:
            raise Refused(IN_USE)
        return min(free)

    def _unlock(self, fields: dict[str, int], dx: int, pointer: int) -> None:
        linear, size = self._linear(fields), fields["size"]
        self._take_lock(Lock(LOCK, linear, size, fields["physical"], fields["buffer"]))
        self._check_refused(UNLOCK)
        if fields["buffer"] and dx & COPY:
            self._write(linear, self._pc.peek(fields["physical"], size))

    def _lock_list(self, fields: dict[str, int], dx: int, pointer: int) -> None:
        linear, size = self._linear(fields), fields["size"]
        runs, room = self._runs(linear, size), fields["available"]
        self._check_refused(LOCK_LIST)
        self._write(pointer + 14, struct.pack("<H", len(runs)))
        if len(runs) > room:
            raise Refused(TABLE_TOO_SMALL, sum(length for _, length in runs[:room]))
        self.locks.append(Lock(LOCK_LIST, linear, size))
        self._write(pointer + EDDS.size, b"".join(ENTRY.pack(*run) for run in runs))

    def _unlock_list(self, fields: dict[str, int], dx: int, pointer: int) -> None:
        self._take_lock(Lock(LOCK_LIST, self._linear(fields), fields["size"]))
        self._check_refused(UNLOCK_LIST)

    def _take_lock(self, lock: Lock) -> None:
        if lock not in self.locks:
            raise RuleViolation("vds-call", f"{lock} was not locked")
        self.locks.remove(lock)

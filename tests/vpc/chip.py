# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Registers of a 53C8xx as the CPU sees them, with their side effects, and
the rules for touching them. The program runs in scripts.py.

[LSI53C895A technical manual chapters 2 and 4; SYM53C810A data manual]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .bus import Bus
from .law import LawBroken
from .scripts import Scripts

US = 1_000
MS = 1_000_000

# Offsets
SCNTL0, SCNTL1, SCNTL2, SCNTL3, SCID, SXFER, SDID, GPREG = range(8)
SFBR, SOCL, SSID, SBCL, DSTAT, SSTAT0, SSTAT1, SSTAT2 = range(8, 16)
DSA, ISTAT, ISTAT1, MBOX0, MBOX1 = 0x10, 0x14, 0x15, 0x16, 0x17
CTEST3, TEMP, DFIFO, CTEST4, CTEST5 = 0x1B, 0x1C, 0x20, 0x21, 0x22
DBC, DCMD, DNAD, DSP, DSPS = 0x24, 0x27, 0x28, 0x2C, 0x30
DMODE, DIEN, DCNTL, SIEN0, SIEN1, SIST0, SIST1 = 0x38, 0x39, 0x3B, 0x40, 0x41, 0x42, 0x43
MACNTL, GPCNTL, STIME0, STIME1, RESPID0, RESPID1 = 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B
STEST1, STEST2, STEST3 = 0x4D, 0x4E, 0x4F

# Bits
RST_LINE = 0x08           # SCNTL1
SDU = 0x80                # SCNTL2
RRE = 0x40                # SCID
ABRT, SRST, SIP, DIP = 0x80, 0x40, 0x02, 0x01   # ISTAT
SRUN = 0x02               # ISTAT1
DFE, D_ABRT, D_SIR, D_IID = 0x80, 0x10, 0x04, 0x01  # DSTAT
MA, SGE, UDC, RST, PAR, STO = 0x0080, 0x0008, 0x0004, 0x0002, 0x0001, 0x0400  # SIST
CLF, CSF = 0x04, 0x02     # CTEST3, STEST3
COM, IRQD, SSM = 0x01, 0x02, 0x10               # DCNTL

RST_HOLD_NS = 25 * US
RST_TO_SELECTION_NS = 250 * MS
SELECTION_PERIOD_NS = {0: 0, 0xC: 256 * MS}     # STIME0 3:0; doubles per step


@dataclass(frozen=True)
class Family:
    """How chips differ in what this model shows."""
    name: str
    device: int
    registers: int      # bytes of register space
    istat1: bool        # ISTAT1 and MBOX0/1, allowed while SCRIPTS runs


FAMILIES = {
    "810": Family("53C810", 0x0001, 0x80, False),
    "895A": Family("53C895A", 0x0012, 0x100, True),
}


class Chip:
    """One controller on one bus. `read` and `write` reach main memory."""

    def __init__(self, family: Family, bus: Bus, read: Callable[[int, int], bytes],
                 write: Callable[[int, bytes], None]):
        self.family = family
        self.bus = bus
        self.memory_read = read
        self.memory_write = write
        self.now = 0
        self.accesses = 0           # by the CPU, for the counters
        self.rst_since: int | None = None
        self.rst_ended = -RST_TO_SELECTION_NS
        self.registers = bytearray(0x100)
        self.scripts = Scripts(self)
        self.in_reset = False
        self._to_defaults()

    # ---- State -------------------------------------------------------------------

    def _to_defaults(self) -> None:
        """Values after a software reset; COM stays."""
        com = self.registers[DCNTL] & COM
        self.registers[:] = bytes(0x100)
        self.registers[SCNTL0] = 0xC0
        self.registers[DCNTL] = com
        self.registers[GPCNTL] = 0x0F
        self.sist = 0
        self.dstat = 0
        self.fifo_dirty = False
        self.ack_held = False
        self.scripts.stop()

    def raise_scsi(self, cause: int) -> None:
        """A fatal SCSI cause: SCRIPTS stops."""
        self.sist |= cause
        self.scripts.stop()

    def raise_dma(self, cause: int) -> None:
        self.dstat |= cause
        self.scripts.stop()

    @property
    def istat(self) -> int:
        connected = 0x08 if self.bus.connected is not None else 0
        return (self.registers[ISTAT] & (ABRT | SRST | 0x30) | connected
                | (SIP if self.sist else 0) | (DIP if self.dstat else 0))

    # ---- Time --------------------------------------------------------------------

    def advance(self, ns: int) -> None:
        """Let time pass for chip and bus."""
        end = self.now + ns
        while self.now < end:
            step = self.scripts.run(end - self.now) if self.scripts.running else 0
            if not step:
                step = min(end - self.now, self._until_event())
            self.now += max(step, 1)
            self.bus.now = self.now
            self.bus.poll()
            self.notice_bus()

    def _until_event(self) -> int:
        times = [self.scripts.wakes_at] if self.scripts.wakes_at else []
        if self.bus.delayed:
            times.append(self.bus.ready_at)
        ahead = [t - self.now for t in times if t > self.now]
        return min(ahead, default=1 << 62)

    def next_event(self) -> int | None:
        """Nanoseconds until something is known to happen, None if never."""
        ahead = self._until_event()
        return None if ahead == 1 << 62 else ahead

    def notice_bus(self) -> None:
        """Take note of a bus reset or of a target that has left."""
        bus = self.bus
        if bus.was_reset:
            bus.was_reset = False
            self.ack_held = False
            self.raise_scsi(RST)
        if bus.fell_free:
            bus.fell_free = False
            self.scripts.bus_freed(self.registers[SCNTL2] & SDU != 0)

    # ---- The CPU's side ------------------------------------------------------------

    def _law(self, law: str, detail: str) -> None:
        raise LawBroken(law, detail)

    def _may_touch(self, offset: int, size: int, what: str) -> None:
        if offset + size > self.family.registers:
            self._law("register space", f"{what} at {offset:#04x}")
        free = {ISTAT} | ({ISTAT1, MBOX0, MBOX1} if self.family.istat1 else set())
        touched = set(range(offset, offset + size))
        if self.scripts.running and not touched <= free:
            self._law("register access while SCRIPTS runs", f"{what} of {offset:#04x}")
        if self.in_reset and not touched <= {ISTAT}:
            self._law("SRST left set", f"{what} of {offset:#04x} in software reset")

    def cpu_read(self, offset: int, size: int) -> int:
        self.accesses += 1
        self._may_touch(offset, size, "read")
        return int.from_bytes(bytes(self._read(offset + i, offset, size) for i in range(size)),
                              "little")

    def _read(self, at: int, first: int, size: int) -> int:
        if at == ISTAT:
            return self.istat
        if at == ISTAT1:
            return SRUN if self.family.istat1 and self.scripts.running else 0
        if at in (SIST0, SIST1):
            if (first, size) != (SIST0, 2):
                self._law("SIST read in bytes", f"{size} bytes at {first:#04x}")
            value = self.sist & 0xFF if at == SIST0 else self.sist >> 8
            self.sist &= 0xFF00 if at == SIST0 else 0
            return value
        if at == DSTAT:
            if self.sist and self.dstat:
                self._law("DSTAT read before SIST", f"SIST {self.sist:#06x} is pending")
            value = self.dstat | (0 if self.fifo_dirty else DFE)
            if self.registers[ISTAT] & ABRT:
                self._law("DSTAT read with ABRT set", "it would come again")
            self.dstat = 0
            return value
        if at == SSTAT0:
            return self.registers[SSTAT0] | (RST if self.bus.stuck_reset else 0)
        return self.registers[at]

    def cpu_write(self, offset: int, value: int, size: int) -> None:
        self.accesses += 1
        self._may_touch(offset, size, "write")
        if offset <= DSP < offset + size and (offset, size) != (DSP, 4):
            self._law("DSP written in parts", f"{size} bytes at {offset:#04x}")
        for i in range(size):
            self._write(offset + i, value >> 8 * i & 0xFF)
        if (offset, size) == (DSP, 4):
            self._start(value)

    def _write(self, at: int, value: int) -> None:
        if at == ISTAT:
            self._write_istat(value)
        elif at == SCNTL1:
            self._write_scntl1(value)
        elif at == CTEST3:
            self.registers[at] = value & ~CLF
            if value & CLF:
                self.fifo_dirty = False
        elif at == STEST3:
            self.registers[at] = value & ~CSF
        elif at == SFBR:
            self._law("SFBR written by the CPU", f"{value:#04x}")
        elif at in (DSTAT, SSTAT0, SSTAT1, SSTAT2, SSID, SBCL, SIST0, SIST1):
            self._law("read-only register written", f"{at:#04x}")
        else:
            self.registers[at] = value

    def _write_istat(self, value: int) -> None:
        before = self.registers[ISTAT]
        self.registers[ISTAT] = value & (ABRT | SRST | 0x30)
        if value & SRST and not before & SRST:
            if self.scripts.running:
                self._law("SRST without ABRT", "SCRIPTS is running")
            self._to_defaults()
            self.registers[ISTAT] = value & (ABRT | SRST)
        self.in_reset = bool(value & SRST)
        if value & ABRT and not before & ABRT:
            self.raise_dma(D_ABRT)

    def _write_scntl1(self, value: int) -> None:
        before = self.registers[SCNTL1]
        self.registers[SCNTL1] = value
        if value & RST_LINE and not before & RST_LINE:
            self.rst_since = self.now
            self.ack_held = False
            self.bus.reset()
            self.sist |= RST
        if before & RST_LINE and not value & RST_LINE:
            held = self.now - self.rst_since
            if held < RST_HOLD_NS:
                self._law("bus reset too short", f"{held} ns")
            self.rst_ended = self.now

    def _start(self, address: int) -> None:
        if self.scripts.running:
            self._law("DSP written while SCRIPTS runs", f"{address:#x}")
        if self.sist or self.dstat:
            self._law("SCRIPTS started with causes pending",
                      f"SIST {self.sist:#06x}, DSTAT {self.dstat:#04x}")
        if self.fifo_dirty:
            self._law("SCRIPTS started with a FIFO not empty", "CTEST3.CLF and STEST3.CSF")
        if self.registers[DCNTL] & SSM or self.registers[DMODE] & 1:
            self._law("SCRIPTS started in a manual mode", "DCNTL.SSM or DMODE.MAN")
        if self.registers[SCNTL1] & RST_LINE:
            self._law("SCRIPTS started during a bus reset", "SCNTL1.RST is set")
        if (self.registers[DIEN] or self.registers[SIEN0] or self.registers[SIEN1]
                or not self.registers[DCNTL] & IRQD):
            self._law("interrupt pin enabled", "DIEN, SIEN or DCNTL.IRQD")
        self.scripts.start(address)

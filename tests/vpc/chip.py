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
CTEST1, CTEST2, CTEST3, TEMP, DFIFO, CTEST4, CTEST5 = 0x19, 0x1A, 0x1B, 0x1C, 0x20, 0x21, 0x22
DBC, DCMD, DNAD, DSP, DSPS = 0x24, 0x27, 0x28, 0x2C, 0x30
DMODE, DIEN, DCNTL, SIEN0, SIEN1, SIST0, SIST1 = 0x38, 0x39, 0x3B, 0x40, 0x41, 0x42, 0x43
MACNTL, GPCNTL, STIME0, STIME1, RESPID0, RESPID1 = 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B
STEST0, STEST1, STEST2, STEST3 = 0x4C, 0x4D, 0x4E, 0x4F
CCNTL0 = 0x56
READ_ONLY = {SSID, SBCL, DSTAT, SSTAT0, SSTAT1, SSTAT2, SIST0, SIST1, DFIFO, CTEST1, STEST0}

# Bits
EPC, AAP = 0x08, 0x02                           # SCNTL0
RST_LINE, CONNECTED1 = 0x08, 0x10               # SCNTL1
SDU = 0x80                                      # SCNTL2
RRE = 0x40                                      # SCID
ABRT, SRST, SIGP, SEM, CON, INTF, SIP, DIP = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01
SRUN = 0x02                                     # ISTAT1
DFE, MDPE, BF, D_ABRT, D_SSI, D_SIR, D_IID = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x01  # DSTAT
OLF, RST_NOW = 0x20, 0x02                       # SSTAT0
LDSC = 0x02                                     # SSTAT2
ATN_LINE, ACK_LINE = 0x08, 0x40                 # SOCL, SBCL
CTEST2_SIGP = 0x40
CLF, CSF = 0x04, 0x02                           # CTEST3, STEST3
COM, IRQD, STD, IRQM, SSM = 0x01, 0x02, 0x04, 0x08, 0x10   # DCNTL
MAN = 0x01                                      # DMODE
DIF = 0x20                                      # STEST2
ENPMJ = 0x80                                    # CCNTL0
# SIST, SIST1 in the high byte
MA, CMP, SEL, RSL, SGE, UDC, RST, PAR = 0x80, 0x40, 0x20, 0x10, 0x08, 0x04, 0x02, 0x01
STO, GEN, HTH = 0x0400, 0x0200, 0x0100
NONFATAL = CMP | SEL | RSL | GEN | HTH          # unless enabled in SIEN

RST_HOLD_NS = 25 * US
RST_TO_SELECTION_NS = 250 * MS
UNAVOIDABLE_NS = 50 * US    # between the last look at ISTAT and the write to DSP
RAM_BASE = 0xF8000000                           # SCRIPTS RAM, until a BIOS says otherwise
CHIP_TYPE = {0x0001: 0x40, 0x0012: 0xF0}        # MACNTL 7:4


def timer_ns(code: int) -> int:
    """Period of a timer: 1 is 125 us, each step doubles; 0 is off."""
    return 125 * US << (code - 1) if code else 0


class DmaFault(Exception):
    """Raised by whoever answers memory accesses: the PCI cycle failed."""

    def __init__(self, cause: int = BF):
        super().__init__(f"DSTAT {cause:#04x}")
        self.cause = cause


@dataclass(frozen=True)
class Family:
    """How chips differ in what this model shows."""
    name: str
    device: int
    registers: int      # bytes of register space
    istat1: bool        # ISTAT1 and MBOX0/1, allowed while SCRIPTS runs
    load_store: bool
    ram: int            # bytes of SCRIPTS RAM


FAMILIES = {
    "810": Family("53C810", 0x0001, 0x80, False, False, 0),
    "895A": Family("53C895A", 0x0012, 0x100, True, True, 8192),
}


class Chip:
    """One controller on one bus. `read` and `write` reach main memory."""

    scripts_class = Scripts

    def __init__(self, family: Family, bus: Bus, read: Callable[[int, int], bytes],
                 write: Callable[[int, bytes], None]):
        self.family = family
        self.bus = bus
        self._read_main = read
        self._write_main = write
        self.ram = bytearray(family.ram)
        self.ram_base = RAM_BASE
        self.now = 0
        self.reads = self.writes = 0    # by the CPU
        self.time_out_udc = "behind"
        self.rst_ended = -RST_TO_SELECTION_NS
        self.rst_since = 0
        self.registers = bytearray(0x100)
        self.scripts = self.scripts_class(self)
        self.in_reset = False
        bus.on_free = self._bus_free
        bus.on_reset = self._bus_reset
        self._to_defaults()
        self.board = self._board_settings()

    def law(self, law: str, detail: str = "") -> None:
        """A rule was broken. Where this returns, the chip goes on as the
        hardware would."""
        raise LawBroken(law, detail)

    # ---- State -------------------------------------------------------------------

    def power_on(self) -> None:
        """As new, on a bus where everybody is."""
        self.registers[:] = bytes(0x100)
        self.in_reset = False
        self._to_defaults()
        self.bus.reset()

    def _to_defaults(self) -> None:
        """Values after a software reset; COM stays."""
        com = self.registers[DCNTL] & COM
        self.registers[:] = bytes(0x100)
        self.registers[SCNTL0] = 0xC0
        self.registers[GPREG] = 0x0F
        self.registers[CTEST1] = 0xF0
        self.registers[DCNTL] = com
        self.registers[STEST0] = 0x03
        self.registers[SSTAT2] = LDSC
        self.registers[DCMD] = 0x40
        self.registers[MACNTL] = CHIP_TYPE[self.family.device]
        self.registers[GPCNTL] = 0x0F
        self.sist = self.dstat = self.cause_at = 0  # first level
        self.sist_behind = self.dstat_behind = 0    # second level
        self.sist_locked_out = 0                    # until the DMA FIFO is empty
        self.dma_fifo = self.scsi_fifo = False      # bytes are left in there
        self.ack_held = False
        self.connected = False
        self.uninvited = False      # a target came back while nothing ran
        self.handshake_at: int | None = None
        self.general_timer_ends: int | None = None
        self.scripts.stop()

    def _board_settings(self) -> tuple[int, int, int]:
        """What firmware has set for this board and nobody may lose."""
        registers = self.registers
        return registers[GPCNTL], registers[STEST2] & DIF, registers[DCNTL] & IRQM

    def set_board(self, gpcntl: int, stest2: int, dcntl: int) -> None:
        """As the board's firmware would at power-on."""
        self.registers[GPCNTL], self.registers[STEST2] = gpcntl, stest2
        self.registers[DCNTL] |= dcntl
        self.board = self._board_settings()

    # ---- Causes ------------------------------------------------------------------

    @property
    def fatal(self) -> int:
        """SIST bits that stop SCRIPTS and show in SIP."""
        enabled = self.registers[SIEN0] | self.registers[SIEN1] << 8
        return 0xFFFF & ~NONFATAL | enabled

    @property
    def istat(self) -> int:
        return (self.registers[ISTAT] & (ABRT | SRST | SIGP | SEM | INTF)
                | (CON if self.connected else 0)
                | (SIP if self.sist & self.fatal else 0) | (DIP if self.dstat else 0))

    def raise_scsi(self, cause: int) -> None:
        """SCSI causes. Fatal ones stop SCRIPTS, wait behind what is already
        pending, and are locked out while the DMA FIFO holds bytes after a DMA
        cause. [8xx-TM "Stacked interrupts"]"""
        if not cause & self.fatal:
            self.sist |= cause
            return
        self.scripts.stop()
        self.cause_at = self.now
        if self.dma_fifo and self.dstat:
            self.sist_locked_out |= cause
        elif self.istat & (SIP | DIP):
            self.sist_behind |= cause
        else:
            self.sist |= cause

    def raise_selection_time_out(self) -> None:
        """A disconnection that nobody expected comes with it: before it,
        together, or behind. [825A "SIST0, UDC"]"""
        first, second = {"before": (UDC, STO), "with": (STO | UDC, 0),
                         "behind": (STO, UDC)}[self.time_out_udc]
        self.raise_scsi(first)
        if second:
            self.raise_scsi(second)

    def raise_dma(self, cause: int) -> None:
        self.scripts.stop()
        self.cause_at = self.now
        if self.istat & (SIP | DIP):
            self.dstat_behind |= cause
        else:
            self.dstat |= cause

    def _surface(self) -> None:
        """What waits behind the first level moves up when that is empty."""
        if self.istat & (SIP | DIP):
            return
        self.sist |= self.sist_behind
        self.dstat |= self.dstat_behind
        self.sist_behind = self.dstat_behind = 0

    def _dma_fifo_emptied(self) -> None:
        self.dma_fifo = False
        late, self.sist_locked_out = self.sist_locked_out, 0
        if late:
            self.raise_scsi(late)

    def _bus_free(self) -> None:
        """The target has left the bus."""
        self.bus.atn = False
        if not self.connected:
            return
        self.connected = self.uninvited = False
        if self.registers[SCNTL2] & SDU:
            self.scripts.left_with_sdu()
            self.raise_scsi(UDC)

    def _bus_reset(self) -> None:
        """Somebody else has reset the bus."""
        self.rst_ended = self.now
        self.ack_held = self.connected = False
        self.raise_scsi(RST)

    # ---- Memory ------------------------------------------------------------------

    def _in_ram(self, address: int) -> bool:
        return self.ram_base <= address < self.ram_base + len(self.ram)

    def dma_read(self, address: int, length: int) -> bytes:
        if self._in_ram(address):
            return bytes(self.ram[address - self.ram_base:][:length])
        return self._read_main(address, length)

    def dma_write(self, address: int, data: bytes) -> None:
        if self._in_ram(address):
            at = address - self.ram_base
            self.ram[at:at + len(data)] = data
        else:
            self._write_main(address, data)

    # ---- Time --------------------------------------------------------------------

    def advance(self, ns: int) -> None:
        """Let time pass for chip and bus."""
        end = self.now + ns
        while self.now < end:
            self.step(end)

    def step(self, end: int) -> None:
        """Run to the next event, or to that time."""
        self._notice()
        ahead = self.next_event()
        until = end if ahead is None else min(end, self.now + ahead)
        if not self.scripts.run(until):
            self.spend(until - self.now)
        self._notice()

    def _notice(self) -> None:
        self.bus.poll()
        self._answer_reselection()
        self._timers()

    def spend(self, ns: int) -> None:
        self.now += ns
        self.bus.now = self.now

    def next_event(self) -> int | None:
        """Nanoseconds until something is known to happen, None if never."""
        times = [self.scripts.wakes_at, self.bus.next_event(), self._handshake_timer_ends(),
                 self.general_timer_ends]
        return min((t - self.now for t in times if t is not None and t > self.now), default=None)

    def _answer_reselection(self) -> None:
        """The hardware answers, whatever the program does."""
        who = self.bus.reselector()
        if (who and not self.connected and not self.scripts.selecting and not self.in_reset
                and self._may_be_reselected()):
            self.registers[SSID] = 0x80 | who.wants_back
            self.uninvited = not self.scripts.running
            self.begin_connection()
            self.raise_scsi(RSL)
            self.bus.reconnect()

    def _may_be_reselected(self) -> bool:
        own = self.registers[SCID] & 0x0F
        return bool(self.registers[SCID] & RRE
                    and self.registers[RESPID0 + own // 8] >> own % 8 & 1)

    def begin_connection(self) -> None:
        self.connected = True
        self.registers[SCNTL2] |= SDU
        self.handshake_at = self.now
        self.scripts.connection_begins()

    def _handshake_timer_ends(self) -> int | None:
        period = timer_ns(self.registers[STIME0] >> 4)
        return self.handshake_at + period if period and self.connected else None

    def _timers(self) -> None:
        ends = self._handshake_timer_ends()
        if ends is not None and self.now >= ends:
            self.handshake_at = self.now
            self.raise_scsi(HTH)
        if self.general_timer_ends is not None and self.now >= self.general_timer_ends:
            self.general_timer_ends = None
            self.raise_scsi(GEN)

    # ---- The CPU's side ------------------------------------------------------------

    def _may_touch(self, offset: int, size: int, what: str) -> None:
        if offset + size > self.family.registers:
            self.law("register space", f"{what} at {offset:#04x}")
        free = {ISTAT} | ({ISTAT1, MBOX0, MBOX1} if self.family.istat1 else set())
        touched = set(range(offset, offset + size))
        if self.scripts.running and not touched <= free:
            self.law("register access while SCRIPTS runs", f"{what} of {offset:#04x}")
        if self.in_reset and not touched <= {ISTAT}:
            self.law("SRST left set", f"{what} of {offset:#04x} in software reset")

    def cpu_read(self, offset: int, size: int) -> int:
        self.reads += 1
        self._may_touch(offset, size, "read")
        if offset <= SIST1 and offset + size > SIST0 and (offset, size) != (SIST0, 2):
            self.law("SIST read in bytes", f"{size} bytes at {offset:#04x}")
        return int.from_bytes(bytes(self.read(offset + i) for i in range(size)), "little")

    def read(self, at: int) -> int:
        """One register byte, with the side effects of reading it."""
        if at == ISTAT:
            return self.istat
        if at == ISTAT1 and self.family.istat1:
            return self.registers[at] & ~SRUN | (SRUN if self.scripts.running else 0)
        if at in (SIST0, SIST1):
            return self._read_sist(at)
        if at == DSTAT:
            return self._read_dstat()
        if at == SCNTL1:
            return self.registers[at] | (CONNECTED1 if self.connected else 0)
        if at == SFBR:
            return self.scripts.sfbr
        if at == SOCL:
            return (ATN_LINE if self.bus.atn else 0) | (ACK_LINE if self.ack_held else 0)
        if at == SBCL:
            return self._lines()
        if at == SSTAT0:
            asserted = self.bus.stuck_reset or self.registers[SCNTL1] & RST_LINE
            return self.registers[at] | (RST_NOW if asserted else 0)
        if at == CTEST2:
            signalled = self.registers[ISTAT] & SIGP
            self.registers[ISTAT] &= ~SIGP
            return self.registers[at] | (CTEST2_SIGP if signalled else 0)
        return self.registers[at]

    def _read_sist(self, at: int) -> int:
        value = self.sist & 0xFF if at == SIST0 else self.sist >> 8
        self.sist &= 0xFF00 if at == SIST0 else 0x00FF
        if at == SIST1:
            self._surface()
        return value

    def _read_dstat(self) -> int:
        if self.sist & self.fatal and self.dstat:
            self.law("DSTAT read before SIST", f"SIST {self.sist:#06x} is pending")
        value = self.dstat | (0 if self.dma_fifo else DFE)
        self.dstat = 0
        if self.registers[ISTAT] & ABRT:
            self.law("DSTAT read with ABRT set", "it comes again")
            self.dstat = D_ABRT
        self._surface()
        return value

    def _lines(self) -> int:
        """REQ ACK BSY SEL ATN MSG C/D I/O as they are."""
        request = self.bus.request
        return ((0x80 if request and not self.ack_held else 0) | self.read(SOCL)
                | (0x20 if self.bus.nexus or self.bus.stuck_busy else 0)
                | (request.phase if request else 0))

    def cpu_write(self, offset: int, value: int, size: int) -> None:
        self.writes += 1
        self._may_touch(offset, size, "write")
        if offset <= DSP + 3 and offset + size > DSP and (offset, size) != (DSP, 4):
            self.law("DSP written in parts", f"{size} bytes at {offset:#04x}")
        for i in range(size):
            self.write(offset + i, value >> 8 * i & 0xFF)
        if offset <= DSP + 3 < offset + size:
            self._start()

    def write(self, at: int, value: int) -> None:
        """One register byte, with the side effects of writing it."""
        if at in READ_ONLY:
            self.law("read-only register written", f"{at:#04x}")
        elif at == SFBR:
            self.law("SFBR written by the CPU", f"{value:#04x}")
        elif at == ISTAT:
            self._write_istat(value)
        elif at == SCNTL1:
            self._write_scntl1(value)
        elif at == CTEST3:
            self.registers[at] = value & ~CLF
            if value & CLF:
                self._dma_fifo_emptied()
        elif at == STEST3:
            self.registers[at] = value & ~CSF
            if value & CSF:
                self.scsi_fifo = False
                self.registers[SSTAT0] &= ~OLF
        elif at == DCNTL:
            self.registers[at] = value & ~STD
            if value & STD:
                self.scripts.start(self.scripts.dsp)
        elif at == STIME1:
            self.registers[at] = value
            period = timer_ns(value & 0x0F)
            self.general_timer_ends = self.now + period if period else None
        elif at == CCNTL0 and value & ENPMJ and self.family.istat1:
            self.law("not modelled", "phase mismatch jump, CCNTL0.ENPMJ")
        else:
            self.registers[at] = value

    def _write_istat(self, value: int) -> None:
        before = self.registers[ISTAT]
        if value & SRST and not before & SRST:
            if self.scripts.running:
                self.law("SRST without ABRT", "SCRIPTS is running")
            self._let_go()
            self._to_defaults()
        kept = before & INTF & ~value   # INTF is cleared by writing 1
        self.registers[ISTAT] = value & (ABRT | SRST | SIGP | SEM) | kept
        self.in_reset = bool(value & SRST)
        if value & ABRT and not before & ABRT:
            self.scripts.abort()
            self.raise_dma(D_ABRT)

    def _let_go(self) -> None:
        """All lines we drive drop; the target still holds the bus."""
        self.bus.atn = False
        self.connected = False
        if self.ack_held:
            self.ack_held = False
            self.bus.release()

    def _write_scntl1(self, value: int) -> None:
        before = self.registers[SCNTL1]
        self.registers[SCNTL1] = value
        if value & RST_LINE and not before & RST_LINE:
            self.rst_since = self.now
            self.ack_held = self.connected = False
            self.bus.reset()
            self.raise_scsi(RST)
        if before & RST_LINE and not value & RST_LINE:
            held = self.now - self.rst_since
            if held < RST_HOLD_NS:
                self.law("bus reset too short", f"{held} ns")
            self.rst_ended = self.now

    def _start(self) -> None:
        """The last byte of DSP was written."""
        pending = self.istat & (SIP | DIP)
        if pending and self.now - self.cause_at > UNAVOIDABLE_NS:
            self.law("SCRIPTS started with causes pending",
                     f"SIST {self.sist:#06x}, DSTAT {self.dstat:#04x}")
        if self.dma_fifo or self.scsi_fifo:
            self.law("SCRIPTS started with a FIFO not empty", "CTEST3.CLF and STEST3.CSF")
        if self.registers[DCNTL] & SSM or self.registers[DMODE] & MAN:
            self.law("SCRIPTS started in a manual mode", "DCNTL.SSM or DMODE.MAN")
        if self.registers[SCNTL1] & RST_LINE:
            self.law("SCRIPTS started during a bus reset", "SCNTL1.RST is set")
        if self.registers[ISTAT] & ABRT:
            self.law("SCRIPTS started with ABRT set")
        if (self.registers[DIEN] or self.registers[SIEN0] or self.registers[SIEN1]
                or not self.registers[DCNTL] & IRQD):
            self.law("interrupt pin enabled", "DIEN, SIEN or DCNTL.IRQD")
        if not pending and not self.registers[DMODE] & MAN:
            self.scripts.start(self.scripts.dsp)

    # ---- Between two calls -------------------------------------------------------------

    def check_idle(self) -> None:
        """The laws for a driver that has returned to its caller."""
        if self.scripts.running:
            self.law("SCRIPTS left running", f"DSP {self.scripts.dsp:#x}")
        if self.istat & (SIP | DIP) or self.sist_behind or self.dstat_behind:
            self.law("causes left pending", f"SIST {self.sist:#x} DSTAT {self.dstat:#x}")
        if self.bus.nexus and not self.uninvited:
            self.law("target left connected", str(self.bus.connected))
        if self.dma_fifo or self.scsi_fifo:
            self.law("FIFO left full")
        if self.in_reset:
            self.law("SRST left set", "on return")
        if self.registers[ISTAT] & ABRT:
            self.law("ABRT left set")
        if self._board_settings() != self.board:
            self.law("board setting lost", f"{self.board} became {self._board_settings()}")

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Registers of a 53C8xx as the CPU sees them, with their side effects and the
rules for accessing them. scripts.py runs the program.

[LSI53C895A technical manual chapters 2 and 4; SYM53C810A data manual]
"""

from __future__ import annotations

from collections.abc import Callable

from tests.model.bus import Bus
from tests.model.eeprom import Eeprom, TekramEeprom
from tests.model.registers import (ABRT, ACK_LINE, ATN_LINE, CHIP_TYPE, CLF, COM, CON, CONNECTED1,
                                   CSF, CTEST1, CTEST2, CTEST2_SIGP, CTEST3, CTEST5, DCMD, DCNTL,
                                   DFBC, DFE, DFIFO, DFS, DIEN, DIF, DIP, DMODE, DSP, DSTAT,
                                   D_ABRT, FE, GEN, GPCNTL, GPIO0, GPIO1, GPREG, HTH, INTF, IRQD,
                                   IRQM, ISTAT, ISTAT1, LDSC, LED, LEDC, MACNTL, MAN, MBOX0, MBOX1,
                                   ME, NONFATAL, NOT_MODELLED, NO_SGE, OLF, OLF1, ORF, ORF1, PINS, RAM_BASE,
                                   READ_ONLY, RESPID0, RRE, RSL, RST, RST_HOLD_NS, RST_LINE,
                                   RST_NOW, RST_TO_SELECTION_NS, SBCL, SBMC, SCID, SCNTL0, SCNTL1,
                                   SCNTL2, SDU, SEM, SFBR, SGE, SIEN0, SIEN1, SIGP, SIP, SIST0,
                                   SIST1, SOCL, SRST, SRUN, SSID, SSM, SSTAT0, SSTAT1, SSTAT2, STD,
                                   STEST0, STEST1, STEST2, STEST3, STIME0, STIME1, STO, UDC,
                                   UNAVOIDABLE_NS, WSR, WSS, timer_ns)
from tests.model.rules import RuleViolation
from tests.model.scripts import Scripts
from tests.model.transfer import setting_of
from tests.model.variants import Variant


class Chip:
    """One controller on one bus. `read` and `write` access main memory."""

    scripts_class = Scripts

    def __init__(self, variant: Variant, bus: Bus, read: Callable[[int, int], bytes],
                 write: Callable[[int, bytes], None]):
        self.variant = variant
        self._reserved, self._reserved_bits = variant.reserved, variant.reserved_bits
        self.bus = bus
        self._read_main = read
        self._write_main = write
        self.ram = bytearray(variant.ram)
        self.ram_base = RAM_BASE
        self.now = 0
        self.reads = self.writes = 0    # by the CPU
        self.permits: set[str] = set()  # rules that a test breaks to see what the hardware does
        self.own_id_is_free = False     # a target may use the chip's ID, as in QEMU
        self.time_out_udc = "after"
        self.unavoidable_ns = UNAVOIDABLE_NS    # causes that the driver cannot know
        self.led = False                # GPIO0 of the board drives an activity LED, on while it is 0
        self.led_changes: list[tuple[int, bool]] = []   # when the program turned it on or off
        self.mode_change_ns: int | None = None  # SBMC this long after SRST, as on LVD chips
        self.mode_changes_at: int | None = None
        self.reset_to_selection_ns = RST_TO_SELECTION_NS
        self.rst_ended = -RST_TO_SELECTION_NS
        self.rst_since = 0
        self.registers = bytearray(0x100)
        self.eeprom: Eeprom | TekramEeprom | None = None
        self.scripts = self.scripts_class(self)
        self.in_reset = False
        bus.setting = lambda: setting_of(self)
        bus.on_free = self._bus_free
        bus.on_reset = self._bus_reset
        self._to_defaults()
        self.board = self._board_settings()

    def rule(self, rule: str, detail: str = "") -> None:
        """Report a broken rule. If this returns, the chip continues as the
        hardware would."""
        if rule not in self.permits:
            raise RuleViolation(rule, detail)

    # ---- State -------------------------------------------------------------------

    def power_on(self) -> None:
        """Reset chip and bus to their state after power-on."""
        self.registers[:] = bytes(0x100)
        self.in_reset = False
        self._to_defaults()
        self.bus.reset()

    def _to_defaults(self) -> None:
        """Set the values after a software reset; COM is kept."""
        self.scripts.stop()
        com = self.registers[DCNTL] & COM
        self.registers[:] = bytes(0x100)
        self.registers[SCNTL0] = 0xC0
        self.registers[GPREG] = 0x0F
        self.registers[CTEST1] = 0xF0
        self.registers[DCNTL] = com
        self.registers[STEST0] = 0x03
        self.registers[SSTAT2] = LDSC
        self.registers[DCMD] = 0x40
        self.registers[MACNTL] = CHIP_TYPE.get(self.variant.device, 0)
        self.registers[GPCNTL] = 0x0F
        self.sist = self.dstat = self.cause_at = 0  # first level
        self.clf_stays = False  # QEMU's model never clears CLF
        self.late_causes = 0    # raised by other devices after the end of a program
        self.sist_queued = self.dstat_queued = 0    # second level
        self.sist_locked_out = 0                    # until the DMA FIFO is empty
        self.dma_fifo = self.scsi_fifo = False      # True: bytes are left in the FIFO
        self.ack_held = False
        self.connected = False
        self.reselected_while_idle = False      # a target reselected while no program ran
        self.handshake_at: int | None = None
        self.general_timer_ends: int | None = None
        self._drive_pins(GPCNTL)

    # ---- General-purpose pins --------------------------------------------------------

    def plug_eeprom(self, eeprom: Eeprom | TekramEeprom | None) -> None:
        self.eeprom = eeprom
        if eeprom:
            eeprom.rule = lambda rule, detail: self.rule(rule, detail)

    def _drive_pins(self, changed: int) -> None:
        """A register, GPREG or GPCNTL, has changed. A pin is an output if its bit in GPCNTL is clear; as an
        indicator of fetches, bus mastering or activity, it is high while the chip is idle."""
        gpcntl = self.registers[GPCNTL]
        indicators = (GPIO0 if gpcntl & (FE | LEDC) else 0) | (GPIO1 if gpcntl & ME else 0)
        if self.eeprom:
            self.eeprom.drive(self.now, (self.registers[GPREG] | indicators) & PINS, ~gpcntl & PINS)

    def _read_pins(self) -> int:
        """Outputs as written; inputs as the lines are, which are high if nothing pulls them
        down."""
        inputs = self.registers[GPCNTL] & PINS
        low = self.eeprom.pulled(self.now) if self.eeprom else 0
        return self.registers[GPREG] & ~inputs | inputs & ~low

    def _board_settings(self) -> tuple[int, ...]:
        """Settings that firmware made for this board; a driver must keep them."""
        registers = self.registers
        outputs = registers[GPREG] & ~(registers[GPCNTL] & PINS)
        return (outputs, registers[GPCNTL], registers[STEST2] & DIF,
                registers[DCNTL] & IRQM)

    def set_led(self) -> None:
        """A board with an activity LED. Its firmware has made GPIO0 an output, and left the LED on; a driver
        turns it off."""
        self.led = True
        self.registers[GPCNTL] &= ~LED
        self.registers[GPREG] |= LED
        self.board = self._board_settings()
        self.registers[GPREG] &= ~LED

    @property
    def led_is_on(self) -> bool:
        return self.led and not (self.registers[GPREG] | self.registers[GPCNTL]) & LED

    def program_writes_pins(self, value: int) -> None:
        """The program may switch the LED, and nothing else."""
        if not self.led or (self.registers[GPREG] ^ value) & ~(LED | self.registers[GPCNTL]) & PINS:
            self.rule("board setting lost", f"the program writes {value:#04x} to GPREG")
        self.led_changes.append((self.now, not value & LED))

    def set_board(self, gpreg: int, gpcntl: int, stest2: int, dcntl: int) -> None:
        """Make the settings of the board's firmware at power-on."""
        self.registers[GPREG], self.registers[GPCNTL] = gpreg, gpcntl
        self._drive_pins(GPCNTL)
        self.registers[STEST2] = stest2
        self.registers[DCNTL] |= dcntl
        self.board = self._board_settings()

    # ---- Causes ------------------------------------------------------------------

    @property
    def fatal(self) -> int:
        """SIST bits that stop SCRIPTS and set SIP."""
        enabled = self.registers[SIEN0] | self.registers[SIEN1] << 8
        return 0xFFFF & ~NONFATAL | enabled

    @property
    def _holds_bus(self) -> bool:
        """From the end of arbitration to the end of the connection."""
        return self.connected or self.scripts.selecting is not None

    @property
    def istat(self) -> int:
        return (self.registers[ISTAT] & (ABRT | SRST | SIGP | SEM | INTF)
                | (CON if self._holds_bus else 0)
                | (SIP if self.sist & self.fatal else 0) | (DIP if self.dstat else 0))

    def raise_scsi(self, cause: int) -> None:
        """Raise SCSI causes. Fatal ones stop SCRIPTS, queue at the second level
        if others are pending, and are locked out while the DMA FIFO holds bytes
        after a DMA cause. [8xx-TM "Stacked interrupts"]"""
        if not cause & self.fatal:
            self.sist |= cause
            return
        self.scripts.stop()
        self.cause_at = self.now
        if self.dma_fifo and self.dstat:
            self.sist_locked_out |= cause
        elif self.istat & (SIP | DIP):
            self.sist_queued |= cause
        else:
            self.sist |= cause

    def raise_selection_time_out(self) -> None:
        """An unexpected disconnect is raised too: before the time-out, with it
        or after it. [825A "SIST0, UDC"]"""
        first, second = {"before": (UDC, STO), "with": (STO | UDC, 0),
                         "after": (STO, UDC)}[self.time_out_udc]
        self.raise_scsi(first)
        if second:
            self.raise_scsi(second)

    def raise_dma(self, cause: int) -> None:
        self.scripts.stop()
        self.cause_at = self.now
        if self.istat & (SIP | DIP):
            self.dstat_queued |= cause
        else:
            self.dstat |= cause

    def _promote_second_level(self) -> None:
        """Second-level causes move up when the first level is empty."""
        if self.istat & (SIP | DIP):
            return
        self.sist |= self.sist_queued
        self.dstat |= self.dstat_queued
        self.sist_queued = self.dstat_queued = 0

    def _dma_fifo_emptied(self) -> None:
        self.dma_fifo = False
        self.registers[DFBC:DFBC + 2] = bytes(2)
        late, self.sist_locked_out = self.sist_locked_out, 0
        if late:
            self.raise_scsi(late)

    def _bus_free(self) -> None:
        """The target has left the bus."""
        self.bus.atn = False
        if not self.connected:
            return
        self.connected = self.reselected_while_idle = False
        self.scripts.target_left()
        if self.registers[SCNTL2] & SDU:
            self.scripts.left_with_sdu()
            self.raise_scsi(UDC)

    def _bus_reset(self) -> None:
        """Another device has reset the bus."""
        self.rst_ended = self.now
        self.ack_held = self.connected = False
        if not self.scripts.running:
            self.late_causes |= RST
        self.raise_scsi(RST)

    # ---- Memory ------------------------------------------------------------------

    def _in_ram(self, address: int) -> bool:
        return 0 <= address - self.ram_base < len(self.ram)

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
        """Let time pass for the chip and the bus."""
        end = self.now + ns
        while self.now < end:
            if self._is_asleep():
                self.spend(end - self.now)
            else:
                self.step(end)

    def _is_asleep(self) -> bool:
        """No event can occur, however much time passes."""
        return not (self.scripts.running or self.scripts.wakes_at is not None or self.bus.is_alive
                    or self.connected or self.general_timer_ends is not None
                    or self.mode_changes_at is not None)

    def step(self, end: int) -> None:
        """Run to the next event, at most until `end`."""
        self._process_events()
        ahead, was_running = self.next_event(), self.scripts.running
        until = end if ahead is None else min(end, self.now + ahead)
        if not self.scripts.run(until) and self.scripts.running == was_running:
            self.spend(until - self.now)
        self._process_events()

    def _process_events(self) -> None:
        self.bus.poll()
        self._answer_reselection()
        self._timers()

    def spend(self, ns: int) -> None:
        self.now += ns
        self.bus.now = self.now

    def next_event(self) -> int | None:
        """Nanoseconds until the next known event; None if there is none."""
        soonest, now = None, self.now
        for at in (self.scripts.wakes_at, self.bus.next_event(), self._handshake_timer_ends(),
                   self.general_timer_ends, self.mode_changes_at):
            if at is not None and at > now and (soonest is None or at < soonest):
                soonest = at
        return None if soonest is None else soonest - now

    def _answer_reselection(self) -> None:
        """The hardware responds to a reselection, whatever the program does."""
        nexus = self.bus.reselector()
        if (nexus and not self.connected and not self.scripts.selecting and not self.in_reset
                and self.may_be_reselected()):
            self.registers[SSID] = 0x80 | nexus.reselect_id
            self.reselected_while_idle = (not self.scripts.running
                                          or self.scripts.command_over)
            self.begin_connection()
            self.raise_scsi(RSL)
            self.bus.reconnect()

    def may_be_reselected(self) -> bool:
        own = self.registers[SCID] & 0x0F
        return bool(self.registers[SCID] & RRE
                    and self.registers[RESPID0 + own // 8] >> own % 8 & 1)

    def begin_connection(self) -> None:
        self.connected = True
        self.registers[SCNTL2] |= SDU
        self.handshake_at = self.now
        self.scripts.connection_begins()
        # The first 53C1010-33 reports SGE on a narrow bus unless NO_SGE is set
        if (STEST1, NO_SGE) in self.variant.must_set and not self.registers[STEST1] & NO_SGE:
            self.raise_scsi(SGE)

    def timer_ns(self, code: int) -> int:
        return timer_ns(code, self.variant.clock_mhz)

    def _handshake_timer_ends(self) -> int | None:
        if not self.connected:
            return None
        period = self.timer_ns(self.registers[STIME0] >> 4)
        return self.handshake_at + period if period else None

    def _timers(self) -> None:
        ends = self._handshake_timer_ends()
        if ends is not None and self.now >= ends:
            self.handshake_at = self.now
            self.raise_scsi(HTH)
        if self.general_timer_ends is not None and self.now >= self.general_timer_ends:
            self.general_timer_ends = None
            self.raise_scsi(GEN)
        if self.mode_changes_at is not None and self.now >= self.mode_changes_at:
            self.mode_changes_at = None
            self.raise_scsi(SBMC)

    # ---- The CPU's side ------------------------------------------------------------

    def _check_access(self, offset: int, size: int, what: str) -> None:
        if offset + size > self.variant.registers:
            self.rule("register space", f"{what} at {offset:#04x}")
        free = {ISTAT} | ({ISTAT1, MBOX0, MBOX1} if self.variant.istat1 else set())
        touched = set(range(offset, offset + size))
        if self.scripts.running and not touched <= free:
            self.rule("register access while SCRIPTS runs", f"{what} of {offset:#04x}")
        if self.in_reset and not touched <= {ISTAT}:
            self.rule("SRST left set", f"{what} of {offset:#04x} in software reset")

    def cpu_read(self, offset: int, size: int) -> int:
        self.reads += 1
        self._check_access(offset, size, "read")
        if offset <= SIST1 and offset + size > SIST0 and (offset, size) != (SIST0, 2):
            self.rule("SIST read in bytes", f"{size} bytes at {offset:#04x}")
        return int.from_bytes(bytes(self.read(offset + i) for i in range(size)), "little")

    def read(self, at: int) -> int:
        """Read one register byte, with its side effects."""
        if at == ISTAT:
            return self.istat
        if at == ISTAT1 and self.variant.istat1:
            return self.registers[at] & ~SRUN | (SRUN if self.scripts.running else 0)
        if at in (SIST0, SIST1):
            return self._read_sist(at)
        if at == DSTAT:
            return self._read_dstat()
        if at == SCNTL1:
            return self.registers[at] | (CONNECTED1 if self._holds_bus else 0)
        if at == GPREG:
            return self._read_pins()
        if at == SFBR:
            return self.scripts.sfbr
        if at == SOCL:
            return (ATN_LINE if self.bus.atn else 0) | (ACK_LINE if self.ack_held else 0)
        if at == SBCL:
            return self._lines()
        if at == SSTAT1 and self.bus.request:   # latched by REQ
            self.registers[at] = self.registers[at] & ~7 | self.bus.request.phase
        if at == SSTAT0:
            asserted = self.bus.stuck_reset or self.registers[SCNTL1] & RST_LINE
            return (self.registers[at] | (RST_NOW if asserted else 0)
                    | (ORF if self.variant.core_1010 else 0))    # meaningless on the 1010
        if at == CTEST2:
            signalled = self.registers[ISTAT] & SIGP
            self.registers[ISTAT] &= ~SIGP
            return self.registers[at] | (CTEST2_SIGP if signalled else 0)
        return self.registers[at]

    def _read_sist(self, at: int) -> int:
        value = self.sist & 0xFF if at == SIST0 else self.sist >> 8
        self.sist &= 0xFF00 if at == SIST0 else 0x00FF
        if at == SIST1:
            self._promote_second_level()
        return value

    def _read_dstat(self) -> int:
        if self.sist & self.fatal and self.dstat:
            self.rule("DSTAT read before SIST", f"SIST {self.sist:#06x} is pending")
        value = self.dstat | (0 if self.dma_fifo else DFE)
        self.dstat = 0
        if self.registers[ISTAT] & ABRT:
            self.rule("DSTAT read with ABRT set", "ABRT is raised again")
            self.dstat = D_ABRT
        self._promote_second_level()
        return value

    def _lines(self) -> int:
        """The lines REQ ACK BSY SEL ATN MSG C/D I/O."""
        request = self.bus.request
        return ((0x80 if request and not self.ack_held else 0) | self.read(SOCL)
                | (0x20 if self.bus.nexus or self.bus.stuck_busy else 0)
                | (request.phase if request else 0))

    def cpu_write(self, offset: int, value: int, size: int) -> None:
        self.writes += 1
        self._check_access(offset, size, "write")
        if offset <= DSP + 3 and offset + size > DSP and (offset, size) != (DSP, 4):
            self.rule("DSP written in parts", f"{size} bytes at {offset:#04x}")
        for i in range(size):
            self.write(offset + i, value >> 8 * i & 0xFF)
        if offset <= DSP + 3 < offset + size:
            self._start()

    def write(self, at: int, value: int) -> None:
        """Write one register byte, with its side effects."""
        value = self.existing_bits(at, value)
        if at in self._reserved:
            self.rule("register space", f"write at {at:#04x}: reserved")
        elif at in READ_ONLY:
            self.rule("read-only register written", f"{at:#04x}")
        elif at == SFBR:
            self.rule("SFBR written by the CPU", f"{value:#04x}")
        elif at == ISTAT:
            self._write_istat(value)
        elif at == SCNTL1:
            self._write_scntl1(value)
        elif at == SCNTL2:
            flags = self.registers[at] & ~value & (WSS | WSR)   # writing 1 clears them
            self.registers[at] = value & ~(WSS | WSR) | flags
        elif at == CTEST3:
            self.registers[at] = value if self.clf_stays else value & ~CLF
            if value & CLF:
                self._dma_fifo_emptied()
        elif at == STEST3:
            self.registers[at] = value & ~CSF
            if value & CSF:
                self.scsi_fifo = False
                self.registers[SSTAT0] &= ~(OLF | ORF)
                self.registers[SSTAT2] &= ~(OLF1 | ORF1)
        elif at == DCNTL:
            self.registers[at] = value & ~STD
            if value & STD:
                self._start(manual=True)
        elif at == STIME1:
            self.registers[at] = value
            period = self.timer_ns(value & 0x0F)
            self.general_timer_ends = self.now + period if period else None
        else:
            if value & NOT_MODELLED.get(at, 0):
                self.rule("not modelled", f"{value:#04x} in {at:#04x}")
            self.registers[at] = value
            if at in (GPREG, GPCNTL):
                self._drive_pins(at)

    def existing_bits(self, at: int, value: int) -> int:
        """Drop bits that the register does not have."""
        reserved = self._reserved_bits.get(at, 0)
        if value & reserved:
            self.rule("reserved bits written", f"{value:#04x} in {at:#04x}")
        return value & ~reserved

    def _write_istat(self, value: int) -> None:
        before = self.registers[ISTAT]
        if value & SRST and not before & SRST:
            if self.scripts.running:
                self.rule("SRST without ABRT", "SCRIPTS is running")
            self._release_lines()
            self._write_scntl1(0)       # also drops RST
            self._to_defaults()
            if self.mode_change_ns:
                self.mode_changes_at = self.now + self.mode_change_ns
        kept = before & INTF & ~value   # writing 1 clears INTF
        self.registers[ISTAT] = value & (ABRT | SRST | SIGP | SEM) | kept
        self.in_reset = bool(value & SRST)
        if value & ABRT and not before & ABRT:
            self.scripts.abort()
            self.raise_dma(D_ABRT)

    def _release_lines(self) -> None:
        """Release all lines the chip drives; the target still holds the bus."""
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
        if self.connected and not value & (CONNECTED1 | RST_LINE):
            self.rule("connection dropped by SCNTL1")
            self.connected = False
        if before & RST_LINE and not value & RST_LINE:
            held = self.now - self.rst_since
            if held < RST_HOLD_NS:
                self.rule("bus reset too short", f"{held} ns")
            self.rst_ended = self.now

    def _start(self, manual: bool = False) -> None:
        """Start the program: the last byte of DSP or DCNTL.STD was written."""
        self.late_causes = 0
        pending = self.istat & (SIP | DIP)
        if pending and self.now - self.cause_at > self.unavoidable_ns:
            self.rule("SCRIPTS started with causes pending",
                      f"SIST {self.sist:#06x}, DSTAT {self.dstat:#04x}")
        if self.dma_fifo or self.scsi_fifo:
            self.rule("SCRIPTS started with a FIFO not empty", "CTEST3.CLF and STEST3.CSF")
        if not manual and (self.registers[DCNTL] & SSM or self.registers[DMODE] & MAN):
            self.rule("SCRIPTS started in a manual mode", "DCNTL.SSM or DMODE.MAN")
        if self.registers[SCNTL1] & RST_LINE:
            self.rule("SCRIPTS started during a bus reset", "SCNTL1.RST is set")
        if self.registers[ISTAT] & ABRT:
            self.rule("SCRIPTS started with ABRT set")
        self._check_pin()
        self._check_errata()
        if not pending and (manual or not self.registers[DMODE] & MAN):
            self.scripts.start(self.scripts.dsp)

    def _check_pin(self) -> None:
        """The 53C1010 has no IRQD: the masks alone must disable the pin."""
        registers = self.registers
        if (registers[DIEN] or registers[SIEN0] or registers[SIEN1]
                or not (registers[DCNTL] & IRQD or self.variant.core_1010)):
            self.rule("interrupt pin enabled", "DIEN, SIEN or DCNTL.IRQD")

    def _check_errata(self) -> None:
        for at, bits in self.variant.must_set:
            if self.registers[at] & bits != bits:
                self.rule("erratum forgotten", f"{bits:#04x} is not set in {at:#04x}")
        for at, bits in self.variant.must_clear:
            if self.registers[at] & bits:
                self.rule("erratum forgotten", f"{bits:#04x} is not clear in {at:#04x}")

    def show_residual(self, left: int, full: tuple[tuple[int, int], ...], ahead: int) -> None:
        """Set the counters after an interrupted data out: `left` bytes were not
        sent; `ahead` of them had been fetched, and those of `full` are in latches."""
        registers = self.registers
        in_latch = len(full)
        registers[SSTAT0] = registers[SSTAT0] & ~(OLF | ORF) | sum(flags[0] for flags in full)
        registers[SSTAT2] = registers[SSTAT2] & ~(OLF1 | ORF1) | sum(flags[1] for flags in full)
        if self.variant.core_1010:
            registers[DFBC:DFBC + 2] = (ahead - in_latch).to_bytes(2, "little")
        else:
            counter = left - in_latch
            if registers[CTEST5] & DFS:
                registers[CTEST5] = registers[CTEST5] & ~3 | counter >> 8 & 3
            elif self.variant.fifo[1]:
                counter ^= 0x80     # bit 7 is undocumented for the small FIFO
            registers[DFIFO] = counter & (0xFF if self.variant.fifo[1] else 0x7F)
        self.dma_fifo, self.scsi_fifo = ahead > in_latch, True

    # ---- Between two calls -------------------------------------------------------------

    def check_idle(self) -> None:
        """Check the rules for a driver that has returned to its caller."""
        if self.scripts.running:
            self.rule("SCRIPTS left running", f"DSP {self.scripts.dsp:#x}")
        fatal = self.sist & self.fatal & ~self.late_causes
        if fatal or self.dstat or self.sist_queued or self.dstat_queued:
            self.rule("causes left pending", f"SIST {self.sist:#x} DSTAT {self.dstat:#x}")
        if self.bus.nexus and not self.reselected_while_idle:
            self.rule("target left connected", str(self.bus.connected))
        if self.dma_fifo or self.scsi_fifo:
            self.rule("FIFO left full")
        if self.in_reset:
            self.rule("SRST left set", "on return")
        if self.registers[ISTAT] & ABRT:
            self.rule("ABRT left set")
        if self.registers[ISTAT] & (INTF | SIGP):
            self.rule("causes left pending", "ISTAT.INTF or SIGP")
        if self.registers[SCNTL1] & RST_LINE:
            self.rule("bus left in reset")
        if self._board_settings() != self.board:
            self.rule("board setting lost", f"{self.board} became {self._board_settings()}")

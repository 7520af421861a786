# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The part of Pc that is time and ports."""

from __future__ import annotations

from tests.model.devices import PIT_COMMAND, PIT_COUNTER, FwCfg, PciSpace
from tests.model.pc_cpu import MOST_READS
from tests.model.registers import DSP, MS
from tests.model.rules import RuleViolation

IO_BASE, IO_BYTES, ISTAT = 0xC000, 0x100, 0x14
EOI_PORT = 0x20
PORT_NS = 700
POLL_NS = 10_000        # time of a read of ISTAT while SCRIPTS runs
FIRST_RUN_CLOCK_READ_NS = 50_000  # time of the first clock read after a start of SCRIPTS ...
FIRST_CLOCK_READ_NS = 1_000       # ... or, while it is idle, after a wait or a write
LONGEST_CLOCK_READ_NS = 10 * MS   # each further read takes twice as long; when idle, up to this
MOST_STEPS = 1_000_000   # of time, of any length
POST_WAIT_NS, CALL_WAIT_NS, SLOW_CALL_WAIT_NS = (seconds * 1000 * MS for seconds in (60, 60, 140))


class Ports:
    """The part of Pc that is time and ports."""

    def pass_time(self, ns: int) -> None:
        """Let time pass, with that of the accesses to the 8254 before."""
        self.chip.advance(ns + self._clock_ports_ns)
        self._clock_ports_ns = 0
        self._steps += 1
        if (self.chip.now > self._deadline or self._steps > MOST_STEPS
                or self.chip.reads > self._most_reads):
            raise RuleViolation("step bound", f"{self._steps} steps of time")

    def wait_for_user(self) -> None:
        """The ROM waits for a key without limit: all its bounds begin again."""
        self._deadline, self._steps = self.chip.now + self.most_post_ns, 0
        self._most_reads = self.chip.reads + MOST_READS
        self.bus.restart_waiting()

    def _check_wait(self, limit_ns: int) -> None:
        """The time between the last read of the 8254 and the end of its round is lost to the ROM,
        whose waits may be longer by that."""
        self.bus.got_further()
        if self._error:
            return
        round_ns = self.pit.period_ns // (2 if self.pit.mode == 3 else 1)
        lost_ns = min(self.most_idle_ns, round_ns - 1)
        if self.bus.waited_ns * (round_ns - lost_ns) > limit_ns * round_ns:
            raise RuleViolation("waits too long", f"{self.bus.waited_ns // (1000 * MS)} s")

    def _stop_for_timer(self) -> None:
        if self.timer.due(self.chip.now):
            self.uc.emu_stop()

    def _is_chip(self, port: int) -> bool:
        if not self.present or not IO_BASE <= port < IO_BASE + IO_BYTES:
            return False
        if not self.pci.command & PciSpace.IO:
            raise RuleViolation("I/O space not enabled", f"port {port:#x}")
        return True

    def _is_fwcfg(self, port: int, size: int, wanted: tuple[int, int]) -> bool:
        """QEMU's device is accessible in POST only: the system may use it later."""
        return self.fwcfg is not None and not self.booted and (port, size) == wanted

    def _is_config(self, port: int) -> bool:
        """A BIOS with PCI services uses these ports itself."""
        return port in PciSpace.PORTS and not self.bios.pci and not self.booted

    def _port_in(self, uc, port, size, _) -> int:
        self._port_accesses += 1
        if (port, size) == (PIT_COUNTER, 1):
            self._clock_ports_ns += PORT_NS
            return self.pit.read()
        self.pass_time(PORT_NS)
        self._stop_for_timer()
        if self._is_chip(port):
            self._restart_time_steps(self._clock_reads > 1)    # otherwise the driver is polling
            if port % IO_BYTES == ISTAT and self.chip.scripts.running:
                self.pass_time(POLL_NS)
            return self.chip.cpu_read(port - IO_BASE, size)
        if self._is_fwcfg(port, size, (FwCfg.DATA, 1)):
            return self.fwcfg.read()
        if self._is_config(port):
            return self.pci.port_read(port, size)
        raise RuleViolation("port not ours", f"read of {port:#x}")

    def _port_out(self, uc, port, size, value, _) -> None:
        self._port_accesses += 1
        if (port, size) == (PIT_COMMAND, 1):
            self._clock_ports_ns += PORT_NS
            self._read_clock()
            self._stop_for_timer()
            self.pit.command(value, self.chip.now)
            return
        self.pass_time(PORT_NS)
        self._stop_for_timer()
        if self._is_chip(port):
            self._restart_time_steps(True)
            if port % IO_BYTES == DSP:
                self._run_clock_read_ns = FIRST_RUN_CLOCK_READ_NS
            self.chip.cpu_write(port - IO_BASE, value, size)
        elif (port, size) == (PIT_COUNTER, 1):
            self.pit.write(value, self.chip.now)
        elif self._is_fwcfg(port, size, (FwCfg.SELECT, 2)):
            self.fwcfg.select(value)
        elif self._is_config(port):
            self.pci.port_write(port, size, value)
        elif not (self.timer.running and (port, size, value) == (EOI_PORT, 1, 0x20)):
            raise RuleViolation("port not ours", f"write of {value:#x} to {port:#x}")

    def _restart_time_steps(self, ends: bool) -> None:
        """The chip is accessed: time passes in small steps again."""
        self._clock_reads = 0
        if ends:
            self._clock_read_ns = FIRST_CLOCK_READ_NS

    def _read_clock(self) -> None:
        """If nothing is active, time jumps ahead, in steps that make no wait more
        than twice as long."""
        if self.timer.running:
            return
        event = self.chip.next_event()
        if event is not None:
            step = event or self.most_idle_ns
        elif self.chip.scripts.running:
            step, self._run_clock_read_ns = self._run_clock_read_ns, self._run_clock_read_ns * 2
        else:
            step = self._clock_read_ns
            self._clock_read_ns = min(step * 2, LONGEST_CLOCK_READ_NS)
            self._clock_reads += 1
        self.pass_time(min(step, self.most_idle_ns))

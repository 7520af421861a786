# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The part of Pc that is the CPU."""

from __future__ import annotations

import struct

from unicorn import UcError, x86_const as x86

from tests.model.bios_data import BIOS_SEGMENT, STOP
from tests.model.pc_memory import MEMORY
from tests.model.registers import MS
from tests.model.rules import RuleViolation
from tests.model.watchdog import WATCHDOG

MOST_NS = 600_000 * MS  # bounds for one call, if a test sets no other
MOST_READS = 100_000    # of the chip's registers
MOST_INSTRUCTIONS = 100_000_000
NAMES = ["eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp", "eip", "eflags",
         "cs", "ds", "es", "fs", "gs", "ss"]
IDS = {name: getattr(x86, f"UC_X86_REG_{name.upper()}") for name in NAMES}
FIXED, CF, TF, IF = 0x002, 0x001, 0x100, 0x200
STI, HLT = 0xFB, 0xF4


class Cpu:
    """The part of Pc that is the CPU."""

    def get(self, name: str) -> int:
        return self.uc.reg_read(IDS[name])

    def set(self, name: str, value: int) -> None:
        self.uc.reg_write(IDS[name], value)

    def registers(self) -> dict[str, int]:
        return {name: self.get(name) for name in NAMES}

    def _ip(self) -> int:
        """Unicorn leaves a linear address in EIP when a port hook stops it."""
        ip = self.get("eip")
        return ip if ip <= 0xFFFF else ip - (self.get("cs") << 4) & 0xFFFF

    def _at(self) -> int:
        """Linear address of the next instruction."""
        return (self.get("cs") << 4) + self._ip()

    def _in_bios(self, uc, address, size, _) -> None:
        offset = address - (BIOS_SEGMENT << 4)
        timer = self.timer
        if address == self._served:     # the timer stopped the CPU here; it continues
            self._served = None
        elif timer.HANDLER <= offset <= timer.end:
            timer.running = offset != timer.end
            if offset == timer.called:
                timer.calls.append((self.get("eax") >> 8 & 0xFF, bool(self.get("eflags") & CF)))
        elif offset != STOP:
            self.bios.service(offset)
            if timer.due(self.chip.now):
                self._served = address
                self.uc.emu_stop()

    def _astray(self, uc, address, size, _) -> None:
        """Stop if loaded code is reached, which is not under test; other code is an error."""
        if any(address in code for code in self.code):
            return
        if any(address in load for load in self._loads):
            self._landed = True
            self.uc.emu_stop()
            return
        raise RuleViolation("code outside the ROM run", f"at {address:#x}")

    def _go(self, address: int, home: int) -> None:
        """Run until the HLT at `home`, or until loaded code is reached."""
        self._error = self._served = None
        self._landed = False
        self._restart_time_steps(True)
        most_ns = self.most_post_ns if self._in_post else self.most_call_ns
        self._deadline, self._steps = self.chip.now + most_ns, 0
        self._most_reads = self.chip.reads + MOST_READS
        if self.irq0_after:
            self._execute(address, self.irq0_after)
            self.irq0_after, self.timer.due_at = 0, self.chip.now
            address = self._interrupt(home)
        while self._execute(address, self._bound()) != home + 1:
            if self._landed:
                return
            if not self.timer.due(self.chip.now):
                raise self._explain_stop()
            address = self._interrupt(home)

    def _bound(self) -> int:
        """Instructions to count to, 0 for no limit. Counting halves the speed,
        but lets an interrupt stop the CPU between any two instructions."""
        return 0 if self.timer.due_at is None else MOST_INSTRUCTIONS

    def _execute(self, address: int, count: int) -> int:
        """Returns the address of the next instruction."""
        while True:
            self._vector = None
            try:
                with WATCHDOG.watching(self.uc, lambda: self.chip.now):
                    self.uc.emu_start(address, MEMORY, count=count)
            except UcError as error:
                self._error = self._error or RuleViolation("CPU exception", f"{error} {self._where()}")
            if self._error:
                raise self._error
            if self._vector is None:
                return self._at()
            address = self._enter(self._vector)

    def _software_interrupt(self, uc, vector, _) -> None:
        """Unicorn does not execute INT n by itself."""
        self._vector = vector
        self.uc.emu_stop()

    def _enter(self, vector: int) -> int:
        """Enter an interrupt as the CPU does; returns the handler's address."""
        frame = [self._ip(), self.get("cs"), self.get("eflags") & 0xFFFF]
        sp = self.get("esp") - 6 & 0xFFFF
        self.poke((self.get("ss") << 4) + sp, struct.pack("<3H", *frame))
        self.set("esp", self.get("esp") & 0xFFFF0000 | sp)
        self.set("eflags", frame[2] & ~(IF | TF))
        offset, segment = struct.unpack("<HH", self.peek(vector * 4, 4))
        self.set("cs", segment)
        return (segment << 4) + offset

    def _where(self) -> str:
        return f"at {self.get('cs'):04x}:{self._ip():04x}"

    def _explain_stop(self) -> RuleViolation:
        halt = self._at() - 1
        if self.peek(halt, 1) != bytes([HLT]):
            return RuleViolation("step bound", f"still running {self._where()}")
        kept = any(halt in copy.image[:copy.kept] for copy in self.bios.copies)
        if self.booted and self._in_image(halt, halt + 1) and not kept:
            return RuleViolation("given-back code run", self._where())
        return RuleViolation("CPU halted", self._where())

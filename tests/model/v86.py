# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A virtual-8086 monitor, such as EMM386, and the instructions it rejects. It
emulates CLI, STI, INT, and 16-bit PUSHF, POPF and IRET; it checks and then
allows port accesses. Any other fault ends the program.

Unicorn stays in real mode, where none of these instructions fault: each
instruction of the ROM is checked before it runs.

[Intel 386 manual, "Virtual 8086 mode", "Sensitive instructions"]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from unicorn import UC_HOOK_CODE, UC_HOOK_MEM_WRITE

from tests.model.rules import RuleViolation

if TYPE_CHECKING:
    from tests.model.pc import Pc

OPERAND_SIZE = 0x66
PREFIXES = (OPERAND_SIZE, 0x67, 0xF0, 0xF2, 0xF3, 0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65)
MOST_BYTES = 15         # of an instruction

ONE_BYTE = {0x63: "ARPL", 0xF1: "INT1", 0xF4: "HLT"}
TWO_BYTES = {0x00: "SLDT to VERW", 0x02: "LAR", 0x03: "LSL", 0x05: "SYSCALL", 0x06: "CLTS",
             0x07: "SYSRET", 0x08: "INVD", 0x09: "WBINVD", 0x20: "MOV from CR", 0x21: "MOV from DR",
             0x22: "MOV to CR", 0x23: "MOV to DR", 0x24: "MOV from TR", 0x26: "MOV to TR",
             0x30: "WRMSR", 0x31: "RDTSC", 0x32: "RDMSR", 0x33: "RDPMC", 0x34: "SYSENTER",
             0x35: "SYSEXIT"}
GROUP_7 = {2: "LGDT", 3: "LIDT", 6: "LMSW", 7: "INVLPG"}       # 0F 01 with a memory operand
WIDE = {0x9C: "PUSHFD", 0x9D: "POPFD", 0xCF: "IRETD"}           # some monitors lack these
SMSW, LMSW = 4, 6
SEGMENTS = ("cs", "ds", "es", "fs", "gs", "ss")


def faulting(code: bytes) -> str | None:
    """Name of the instruction at the start of `code` if it faults, else None."""
    at = 0
    while at < len(code) and code[at] in PREFIXES:
        at += 1
    opcode, second, third = (code + bytes(3))[at:at + 3]
    if opcode != 0x0F:
        return ONE_BYTE.get(opcode) or (WIDE.get(opcode) if OPERAND_SIZE in code[:at] else None)
    if second != 0x01:
        return TWO_BYTES.get(second)
    function = third >> 3 & 7
    if third >= 0xC0 and function not in (SMSW, LMSW):
        return "0F 01 with a register"
    return GROUP_7.get(function)


class Monitor:
    """Loaded after POST. `ran` maps the address of each ROM instruction that has
    run since then to the number of its checked memory writes."""

    CHECKED_WRITES = 4       # writes checked per instruction: more take too long

    def __init__(self, pc: Pc):
        self._pc = pc
        self.ran: dict[int, int] = {}
        self._at = 0
        for copy in pc.bios.copies:
            image = range(copy.runs_at * 16, copy.runs_at * 16 + copy.kept)
            pc.uc.ctl_remove_cache(image.start, image.stop)     # translated without hooks
            pc.uc.hook_add(UC_HOOK_CODE, pc._guarded(self._runs), begin=image.start,
                           end=image.stop - 1)
        # no hook for reads: with one, Unicorn executes RETF wrongly
        pc.uc.hook_add(UC_HOOK_MEM_WRITE, pc._guarded(self._writes))

    def _runs(self, uc, address: int, size: int, _) -> None:
        self._at = address
        if address in self.ran:
            return
        self.ran[address] = 0
        name = faulting(self._pc.peek(address, MOST_BYTES))
        if name:
            raise RuleViolation("v86-fault", f"{name} at {address:#x}")

    def _writes(self, uc, access: int, address: int, size: int, value: int, _) -> None:
        """A segment ends at FFFFh, even with 32-bit address registers."""
        if self.ran.get(self._at, self.CHECKED_WRITES) >= self.CHECKED_WRITES:
            return
        self.ran[self._at] += 1
        bases = [self._pc.get(name) << 4 for name in SEGMENTS]
        if not any(base <= address and address + size <= base + 0x10000 for base in bases):
            raise RuleViolation("v86-fault", f"{address:#x} is outside of all segments")

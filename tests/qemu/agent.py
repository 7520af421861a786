# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Python side of the test agent (tests/qemu/guest/agent.S). Makes INT 13h calls
in a running machine and checks the rules that apply to every call.
"""

from __future__ import annotations

import contextlib
import re
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

from media import one_at_a_time

from tests.build import BUILD, TOP
from tests.qemu.machine import Machine

RECORDER = 0x4000     # linear address of tests/qemu/guest/recorder.S
RECORD = RECORDER + 0x80
RECORDED_AX = 0x9876
AGENT_BLOCKS = 2
STEP, STEP_BYTES = 0x3000, 48   # linear address of `step` in tests/qemu/guest/agent.S
SENT_ECX = 0x3040 + 40 + 20     # linear address of ECX in `sent`, same file

STACK_BASE = 0x2000   # linear address of STACK_SEGMENT in agent.S
STACK_BYTES = 0x1000
STACK_FILL = 0xA5
STACK_BUDGET = 64     # bytes of the caller's stack that INT 13h may use
INT_FRAME = 6
MAX_TRIES = 10_000

PACKET = 0x0500       # default address of packets and result buffers
BUFFER = 0x10000      # default address of data

BDA_DISK_STATUS = 0x474
BDA_DISK_COUNT = 0x475
BDA_TICKS = 0x46C

CF, ZF, SF, IF, DF, OF = 0x001, 0x040, 0x080, 0x200, 0x400, 0x800
FIXED_FLAG = 0x002


@one_at_a_time
def assemble(name: str, *options: str) -> bytes:
    """Assemble tests/qemu/guest/<name>.S into a flat binary."""
    out = BUILD / "tests" / name
    out.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["gcc", "-m16", "-c", str(TOP / f"tests/qemu/guest/{name}.S"), *options,
                    "-o", f"{out}.o"], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext", "0", "--oformat", "binary",
                    "-o", f"{out}.bin", f"{out}.o"], check=True)
    return out.with_suffix(".bin").read_bytes()


@one_at_a_time
def option_rom(name: str, blocks: int) -> Path:
    """Assemble tests/qemu/guest/<name>.S into an option ROM with one $PnP header."""
    code = assemble(name, f"-DROM_BLOCKS={blocks}")
    image = bytearray(code.ljust(blocks * 512, b"\0"))
    assert len(image) == blocks * 512
    pnp = struct.unpack_from("<H", image, 0x1A)[0]
    image[pnp + 9] = -sum(image[pnp:pnp + 32]) & 0xFF
    image[-1] = -sum(image) & 0xFF
    rom = BUILD / "tests" / f"{name}.rom"
    if not rom.exists() or rom.read_bytes() != image:
        rom.write_bytes(image)
    return rom


def build_agent() -> Path:
    return option_rom("agent", AGENT_BLOCKS)


@dataclass(frozen=True)
class Registers:
    """CPU registers at a software interrupt, in the agent's order. All default
    values differ, so that a swapped or clobbered register is detected."""
    edi: int = 0xD1D1_5D01
    esi: int = 0x5151_5E02
    ebp: int = 0xB9B9_5B03
    ebx: int = 0xBBBB_5B04
    edx: int = 0xDDDD_5D05
    ecx: int = 0xCCCC_5C06
    eax: int = 0xAAAA_5A07
    ds: int = 0x1234
    es: int = 0x2345
    fs: int = 0x3456
    gs: int = 0x4567
    flags: int = FIXED_FLAG | IF
    sp: int = 0

    FORMAT = "<7I6H"

    def pack(self) -> bytes:
        return struct.pack(self.FORMAT, *(getattr(self, f.name) for f in fields(self)))

    @classmethod
    def unpack(cls, data: bytes) -> Registers:
        return cls(*struct.unpack(cls.FORMAT, data))

    def _half(self, name: str) -> int:
        value = getattr(self, f"e{name[0]}x")
        return {"x": value & 0xFFFF, "l": value & 0xFF, "h": value >> 8 & 0xFF}[name[1]]

    def __getattr__(self, name: str) -> int:
        if len(name) == 2 and name[0] in "abcd" and name[1] in "xlh":
            return self._half(name)
        raise AttributeError(name)

    @property
    def cf(self) -> bool:
        return bool(self.flags & CF)

    def with_halves(self, **values: int) -> Registers:
        """A copy with registers set by any of their names (ax, dl, esi, si, ...)."""
        changed = {}
        for name, value in values.items():
            if name in self.__dataclass_fields__:
                changed[name] = value
            elif name in ("si", "di", "bp"):
                old = changed.get(f"e{name}", getattr(self, f"e{name}"))
                changed[f"e{name}"] = old & 0xFFFF0000 | value
            else:
                full = f"e{name[0]}x"
                old = changed.get(full, getattr(self, full))
                keep, shift = {"x": (0xFFFF0000, 0), "l": (0xFFFFFF00, 0),
                               "h": (0xFFFF00FF, 8)}[name[1]]
                changed[full] = old & keep | value << shift
        return replace(self, **changed)


def header_value(name: str) -> int:
    """Value of a constant defined in rom/workspace.h or rom/layout.h."""
    source = f'#include "rom/workspace.h"\n#include "rom/layout.h"\nvalue {name}\n'
    out = subprocess.run(["gcc", "-E", "-P", "-x", "assembler-with-cpp", f"-I{TOP}", "-"],
                         input=source, capture_output=True, text=True, check=True).stdout
    expression = re.search(r"value (.*)", out).group(1)
    if not re.fullmatch(r"[0-9a-fx+*() -]+", expression):
        raise ValueError(f"{name} is not defined")
    return eval(expression)  # digits and operators only


class Recorder:
    """Records the registers that our handler passes to the previous INT 13h handler."""

    def __init__(self, agent: Agent):
        self._agent = agent

    def seen(self) -> Registers:
        return Registers.unpack(self._agent.read(RECORD, len(Registers().pack())))

    @staticmethod
    def expected_at_entry(registers: Registers) -> Registers:
        """INT clears IF and pushes three words."""
        return replace(registers, flags=registers.flags & ~IF, sp=STACK_BYTES - 6)

    @staticmethod
    def result(registers: Registers) -> Registers:
        return replace(registers.with_halves(ax=RECORDED_AX), flags=registers.flags | CF)


class RuleViolation(AssertionError):
    """An INT 13h call broke a rule that applies to every call."""


def linear(segment: int, offset: int) -> int:
    return segment * 16 + offset


class Agent:
    """Sends commands to the agent in a running machine."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self._socket = machine.com2
        hello = self._receive(1)
        assert hello == b"A"

    def _receive(self, length: int) -> bytes:
        data = b""
        while len(data) < length:
            part = self._socket.recv(length - len(data))
            if not part:
                raise ConnectionError(f"the agent closed the connection: {self.machine.stderr()}")
            data += part
        return data

    def _command(self, data: bytes) -> None:
        self._socket.sendall(data)
        assert self._receive(1) == b"K"

    def write(self, address: int, data: bytes) -> None:
        self._command(b"w" + struct.pack("<II", address, len(data)) + data)

    def fill(self, address: int, length: int, value: int) -> None:
        self._command(b"f" + struct.pack("<IIB", address, length, value))

    def read(self, address: int, length: int) -> bytes:
        if length > 256:
            return self.machine.read_memory(address, length)
        self._socket.sendall(b"r" + struct.pack("<II", address, length))
        return self._receive(length)

    def interrupt(self, number: int, registers: Registers, count: int = 1) -> Registers:
        """Make `count` calls with the same registers; returns those after the last one."""
        self._command(b"i" + struct.pack("<IB", count, number) + registers.pack())
        return Registers.unpack(self._receive(len(registers.pack())))

    def int13(self, changes: str = "ah", **values: int) -> Registers:
        """INT 13h with the named registers set. Registers and flags that are not
        named in `changes` must be preserved; CF may always change.

        AH and CF initially indicate failure, so that a call that does not set
        them is caught.
        """
        before = Registers(flags=FIXED_FLAG | IF | CF).with_halves(**values)
        self.fill(STACK_BASE, STACK_BYTES, STACK_FILL)
        ticks = self.ticks()
        after = self.interrupt(0x13, before)
        self._check_rules(before, after, changes.split())
        self._check_stack(ticks)
        return after

    def _check_rules(self, before: Registers, after: Registers, changes: list[str]) -> None:
        masked = after
        for name in changes:
            masked = masked.with_halves(**{name: getattr(before, name) if name in
                                           before.__dataclass_fields__ else before._half(name)})
        masked = replace(masked, flags=masked.flags & ~CF | before.flags & CF)
        for f in fields(before):
            if f.name != "flags" and getattr(masked, f.name) != getattr(before, f.name):
                raise RuleViolation(f"{f.name} changed from {getattr(before, f.name):#x} "
                                    f"to {getattr(after, f.name):#x}")
        if masked.flags != before.flags:
            raise RuleViolation(f"flags changed from {before.flags:#x} to {after.flags:#x}")

    def _check_stack(self, ticks_before: int) -> None:
        """A timer interrupt can arrive on the caller's stack while the chip
        works. The stack that its handler uses is not charged to the call."""
        used = self.stack_used()
        if used > STACK_BUDGET and self.ticks() != ticks_before:
            used -= self._timer_handler_stack()
        if used > STACK_BUDGET:
            raise RuleViolation(f"{used} bytes of the caller's stack used")

    def _timer_handler_stack(self) -> int:
        """Stack bytes that the BIOS timer handler uses, measured during calls of
        an interrupt that does nothing."""
        self.fill(STACK_BASE, STACK_BYTES, STACK_FILL)
        for _ in range(MAX_TRIES):
            self.interrupt(0x1C, Registers(), 1000)
            if (used := self.stack_used()) > INT_FRAME:
                return used
        raise RuleViolation("no timer interrupt arrived")

    def ticks(self) -> int:
        return int.from_bytes(self.read(BDA_TICKS, 4), "little")

    def stack_used(self) -> int:
        """Bytes of the caller's stack that the last call touched."""
        stack = self.read(STACK_BASE, STACK_BYTES)
        untouched = len(stack) - len(stack.lstrip(bytes([STACK_FILL])))
        return STACK_BYTES - untouched

    # ---- Common calls ------------------------------------------------------

    def read_chs(self, drive: int, cylinder: int, head: int, sector: int, count: int,
                 segment: int = BUFFER >> 4, offset: int = 0) -> Registers:
        return self.int13("ah al", ah=0x02, al=count, ch=cylinder & 0xFF,
                          cl=cylinder >> 2 & 0xC0 | sector, dh=head, dl=drive,
                          es=segment, bx=offset)

    def read_lba(self, drive: int, lba: int, count: int, segment: int = BUFFER >> 4,
                 offset: int = 0, size: int = 16) -> Registers:
        self.write(PACKET, struct.pack("<BBHHHQ", size, 0, count, offset, segment, lba))
        return self.int13(ah=0x42, dl=drive, ds=PACKET >> 4, si=PACKET & 15)

    def without_checks(self, **values: int) -> Registers:
        """INT 13h for a foreign drive or through a foreign handler, which may use
        more stack or change other flags than ours."""
        return self.interrupt(0x13, Registers(flags=FIXED_FLAG | IF | CF).with_halves(**values))

    def text_on(self, drive: int, lba: int) -> str:
        """The text at the start of a block, on our drives and on foreign ones."""
        self.write(PACKET, struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, lba))
        self.fill(BUFFER, 16, 0)
        registers = self.without_checks(ah=0x42, dl=drive, ds=PACKET >> 4, si=PACKET & 15)
        assert (registers.ah, registers.cf) == (0, False)
        return self.read(BUFFER, 16).decode().rstrip(".")

    def packet_count(self) -> int:
        return struct.unpack("<H", self.read(PACKET + 2, 2))[0]

    def last_status(self) -> int:
        return self.read(BDA_DISK_STATUS, 1)[0]

    def disk_count(self) -> int:
        return self.read(BDA_DISK_COUNT, 1)[0]

    # ---- The ROM's own memory ----------------------------------------------

    def rom_segment(self) -> int:
        """Segment at which the BIOS placed our ROM."""
        area = self.machine.read_memory(0xC0000, 0x30000)
        for offset in range(0, len(area), 2048):
            rom = area[offset:offset + 64]
            if rom[:2] == b"\x55\xaa" and rom[0x1C:0x20] == b"PCIR" and rom[0x20:0x22] == b"\x00\x10":
                return (0xC0000 + offset) >> 4
        raise LookupError("our ROM is not in memory")

    def rom_image(self) -> bytes:
        """The ROM image that the BIOS keeps after init."""
        base = self.rom_segment() * 16
        return self.machine.read_memory(base, self.machine.read_memory(base, 3)[2] * 512)

    def workspace(self, name: str) -> tuple[int, int]:
        """Segment and offset of an item defined in rom/workspace.h."""
        image = self.rom_image()
        segment = struct.unpack_from("<H", image, header_value("ROM_WORKSPACE_SEGMENT"))[0]
        return segment, header_value(name)

    @staticmethod
    def header(name: str) -> int:
        return header_value(name)

    @contextlib.contextmanager
    def recorded_previous_handler(self) -> Iterator[Recorder]:
        """Replace the handler that ours chains to by the recorder."""
        segment, offset = self.workspace("WS_PREVIOUS")
        previous = self.read(segment * 16 + offset, 4)
        self.write(RECORDER, assemble("recorder"))
        self.write(segment * 16 + offset, struct.pack("<HH", 0, RECORDER >> 4))
        try:
            yield Recorder(self)
        finally:
            self.write(segment * 16 + offset, previous)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The PC around the chip: a CPU (Unicorn, 16-bit), memory, the BIOS services
an option ROM may use, and the laws for memory, ports and registers.

BIOS services are addresses in the F000 segment that Python answers. Time is
virtual: it passes with port accesses, and jumps ahead while nobody has
anything to do.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from unicorn import UC_ARCH_X86, UC_HOOK_CODE, UC_HOOK_INSN, UC_HOOK_MEM_WRITE, UC_MODE_16, Uc
from unicorn import x86_const as x86

from .bus import Bus
from .chip import FAMILIES, MS, Chip
from .law import LawBroken

MEMORY = 0x200000
ROM_SEGMENT = 0xC800
BIOS_SEGMENT = 0xF000
STOP = 0xFF00           # F000: a HLT to which calls return
SERVICE = 0xE000        # F000: one service each 16 bytes
PMM_ENTRY = 0xD000
PMM_TABLE = 0xF0000
PMM_BLOCKS = 0xE8000    # what PMM gives out
PNP_OFFSET = 0x0100
EBDA_KIB = 639
PCI_ADDRESS = 4 << 3
IO_BASE = 0xC000

STACK_SEGMENT, STACK_TOP = 0x0900, 0x1000
STACK_FILL = 0xA5
STACK_BUDGET = 64
BUFFER = 0x20000
PACKET = 0x1000

PIT_HZ = 1_193_182
PORT_NS = 700
IDLE_NS = 20 * MS       # the most that time jumps at one look at the clock
LOOK_NS = 500_000       # one look at the clock while the chip is idle

NAMES = ["eax", "ebx", "ecx", "edx", "esi", "edi", "ebp", "esp", "eip", "eflags",
         "cs", "ds", "es", "fs", "gs", "ss"]
IDS = {name: getattr(x86, f"UC_X86_REG_{name.upper()}") for name in NAMES}
SEEDS = {"eax": 0xAAAA5A07, "ebx": 0xBBBB5B04, "ecx": 0xCCCC5C06, "edx": 0xDDDD5D05,
         "esi": 0x51515E02, "edi": 0xD1D15D01, "ebp": 0xB9B95B03,
         "ds": 0x1234, "es": 0x2345, "fs": 0x3456, "gs": 0x4567}
CF, IF = 0x001, 0x200


@dataclass
class Result:
    """Registers after a call."""
    registers: dict[str, int]
    stack_used: int = 0

    def __getattr__(self, name: str) -> int:
        registers = self.__dict__["registers"]
        if name in registers:
            return registers[name]
        value = registers[f"e{name[0]}x"]
        return {"x": value & 0xFFFF, "l": value & 0xFF, "h": value >> 8 & 0xFF}[name[1]]

    @property
    def cf(self) -> bool:
        return bool(self.registers["eflags"] & CF)


@dataclass
class Pc:
    """A machine with one controller. Give it targets, then power_on()."""
    rom: Path
    family: str = "895A"
    pmm: bool = True
    bus: Bus = field(default_factory=Bus)

    def __post_init__(self) -> None:
        self.uc = Uc(UC_ARCH_X86, UC_MODE_16)
        self.uc.mem_map(0, MEMORY)
        self.chip = Chip(FAMILIES[self.family], self.bus, self._dma_read, self._dma_write)
        self.text = ""
        self.step_seconds = 60
        self._error: Exception | None = None
        self.command_register = 0
        self.booted = False
        self.workspace: range | None = None
        self.writable: list[range] = [range(0, MEMORY)]
        self._pmm_next = PMM_BLOCKS
        self._pit_latched: list[int] = []
        self._setup_memory()
        self._setup_hooks()

    # ---- Set-up -------------------------------------------------------------------

    def _setup_memory(self) -> None:
        for vector in range(256):
            self.poke(vector * 4, struct.pack("<HH", SERVICE + vector * 16, BIOS_SEGMENT))
            self.poke((BIOS_SEGMENT << 4) + SERVICE + vector * 16, b"\xcf")
        self.poke((BIOS_SEGMENT << 4) + STOP, b"\xf4")
        self.poke((BIOS_SEGMENT << 4) + PMM_ENTRY, b"\xcb")
        self.poke(0x40E, struct.pack("<H", EBDA_KIB * 64))
        self.poke(0x413, struct.pack("<H", EBDA_KIB))
        if self.pmm:
            table = bytearray(b"$PMM\x01\x10\x00" + struct.pack("<HH", PMM_ENTRY, BIOS_SEGMENT)
                              + bytes(5))
            table[6] = -sum(table) & 0xFF
            self.poke(PMM_TABLE, bytes(table))
        pnp = bytearray(b"$PnP\x10\x21" + bytes(27))
        pnp[8] = -sum(pnp) & 0xFF
        self.poke((BIOS_SEGMENT << 4) + PNP_OFFSET, bytes(pnp))
        self.poke(ROM_SEGMENT * 16, self.rom.read_bytes())

    def _setup_hooks(self) -> None:
        base = BIOS_SEGMENT << 4
        guarded = self._guarded
        self.uc.hook_add(UC_HOOK_CODE, guarded(self._service), begin=base, end=base + 0xFFFF)
        self.uc.hook_add(UC_HOOK_MEM_WRITE, guarded(self._cpu_wrote))
        self.uc.hook_add(UC_HOOK_INSN, guarded(self._port_in), None, 1, 0, x86.UC_X86_INS_IN)
        self.uc.hook_add(UC_HOOK_INSN, guarded(self._port_out), None, 1, 0, x86.UC_X86_INS_OUT)

    def _guarded(self, hook):
        """An exception in a hook stops the CPU and is raised by _run()."""
        def call(*arguments):
            try:
                return hook(*arguments) or 0
            except Exception as error:  # whatever it is, it goes to the test
                self._error = self._error or error
                self.uc.emu_stop()
                return 0
        return call

    # ---- Memory ---------------------------------------------------------------------

    def peek(self, address: int, length: int) -> bytes:
        return bytes(self.uc.mem_read(address, length))

    def poke(self, address: int, data: bytes) -> None:
        self.uc.mem_write(address, data)

    def word(self, address: int) -> int:
        return struct.unpack("<H", self.peek(address, 2))[0]

    def _check_write(self, who: str, address: int, length: int) -> None:
        if not any(address in r and address + length - 1 in r for r in self.writable):
            raise LawBroken("write outside buffer and workspace",
                            f"{who} wrote {length} bytes at {address:#x}")

    def _cpu_wrote(self, uc, access, address, size, value, _) -> None:
        self._check_write("CPU", address, size)

    def _dma_read(self, address: int, length: int) -> bytes:
        if not self.command_register & 4:
            raise LawBroken("bus mastering not enabled", f"DMA from {address:#x}")
        if address + length > MEMORY:
            raise LawBroken("DMA outside memory", f"read of {address:#x}")
        return self.peek(address, length)

    def _dma_write(self, address: int, data: bytes) -> None:
        self._check_write("chip", address, len(data))
        if 0xC0000 <= address < 0xE8000 or address >= 0xF0000 and address < 0x100000:
            raise LawBroken("DMA into ROM", f"{address:#x}")
        self.poke(address, data)

    # ---- Ports ------------------------------------------------------------------------

    def _port_in(self, uc, port, size, _) -> int:
        self.chip.advance(PORT_NS)
        if IO_BASE <= port < IO_BASE + 0x100:
            if port - IO_BASE == 0x14 and self.chip.scripts.running:
                self.chip.advance(10_000)
            return self.chip.cpu_read(port - IO_BASE, size)
        if port == 0x40 and size == 1 and self._pit_latched:
            return self._pit_latched.pop(0)
        raise LawBroken("port not ours", f"read of {port:#x}")

    def _port_out(self, uc, port, size, value, _) -> None:
        self.chip.advance(PORT_NS)
        if IO_BASE <= port < IO_BASE + 0x100:
            self.chip.cpu_write(port - IO_BASE, value, size)
        elif port == 0x43 and value == 0xC2:
            self._look_at_clock()
        else:
            raise LawBroken("port not ours", f"write of {value:#x} to {port:#x}")

    def _look_at_clock(self) -> None:
        """Latch counter 0; with nothing going on, time jumps ahead."""
        if self.chip.scripts.running or self.bus.delayed:
            event = self.chip.next_event()
            self.chip.advance(min(event or IDLE_NS, IDLE_NS))
        else:
            self.chip.advance(LOOK_NS)
        count = -(self.chip.now * PIT_HZ // 1_000_000_000) & 0xFFFF
        self._pit_latched = [0x34, count & 0xFF, count >> 8]

    # ---- Services ----------------------------------------------------------------------

    def _get(self, name: str) -> int:
        return self.uc.reg_read(IDS[name])

    def _set(self, name: str, value: int) -> None:
        self.uc.reg_write(IDS[name], value)

    def _carry_on_stack(self, carry: bool) -> None:
        at = (self._get("ss") << 4) + (self._get("esp") + 4 & 0xFFFF)
        flags = self.word(at) & ~CF | carry
        self.poke(at, struct.pack("<H", flags))

    def _service(self, uc, address, size, _) -> None:
        offset = address - (BIOS_SEGMENT << 4)
        if offset == PMM_ENTRY:
            self._pmm()
        elif offset == SERVICE + 0x10 * 16:
            self._int10()
        elif offset == SERVICE + 0x1A * 16:
            self._int1a()
        elif offset == SERVICE + 0x13 * 16:
            self._carry_on_stack(True)
            self._set("eax", self._get("eax") & 0xFFFF00FF | 0x0100)
        elif offset != STOP:
            raise LawBroken("BIOS service not expected", f"F000:{offset:04x}")

    def _int10(self) -> None:
        if self._get("eax") >> 8 & 0xFF == 0x0E:
            self.text += chr(self._get("eax") & 0xFF)

    def _pmm(self) -> None:
        stack = (self._get("ss") << 4) + (self._get("esp") & 0xFFFF) + 4
        function = self.word(stack)
        result = 0
        if function == 0:
            length = struct.unpack("<I", self.peek(stack + 2, 4))[0] * 16
            result, self._pmm_next = self._pmm_next, self._pmm_next + length
        self._set("eax", self._get("eax") & 0xFFFF0000 | result & 0xFFFF)
        self._set("edx", self._get("edx") & 0xFFFF0000 | result >> 16)

    def _config(self, register: int) -> int:
        values = {0x00: FAMILIES[self.family].device << 16 | 0x1000,
                  0x04: self.command_register, 0x10: IO_BASE | 1}
        return values.get(register, 0)

    def _int1a(self) -> None:
        function = self._get("eax") & 0xFFFF
        address = self._get("ebx") & 0xFFFF
        register = self._get("edi") & 0xFFFF
        ours = address == PCI_ADDRESS
        good = True
        if function == 0xB101:
            self._set("edx", 0x20494350)
            self._set("ebx", 0x0210)
        elif function == 0xB102:
            good = (self._get("edx") & 0xFFFF == 0x1000 and self._get("esi") & 0xFFFF == 0
                    and self._get("ecx") & 0xFFFF == FAMILIES[self.family].device)
            if good:
                self._set("ebx", PCI_ADDRESS)
        elif function == 0xB10A:
            self._set("ecx", self._config(register) if ours else 0xFFFFFFFF)
        elif function == 0xB10C and ours and register == 4:
            self.command_register = self._get("ecx") & 0xFFFF
        else:
            good = False
        status = 0 if good else 0x86
        self._set("eax", self._get("eax") & 0xFFFF00FF | status << 8)
        self._carry_on_stack(not good)

    # ---- Calls ----------------------------------------------------------------------------

    def _run(self, segment: int, offset: int, frame: list[int], registers: dict[str, int],
             flags: int) -> Result:
        """Run until the code returns to STOP; `frame` is what CALL or INT has
        pushed above the return address."""
        self.poke(STACK_SEGMENT * 16, bytes([STACK_FILL]) * STACK_TOP)
        words = [STOP, BIOS_SEGMENT, *frame]
        sp = STACK_TOP - 2 * len(words)
        self.poke(STACK_SEGMENT * 16 + sp, struct.pack(f"<{len(words)}H", *words))
        for name, value in {**SEEDS, **registers, "cs": segment, "ss": STACK_SEGMENT,
                            "esp": sp}.items():
            self._set(name, value)
        self._set("eflags", flags)
        self._error = None
        self.uc.emu_start(segment * 16 + offset, 0, timeout=self.step_seconds * 1_000_000)
        if self._error:
            raise self._error
        after = {name: self._get(name) for name in NAMES}
        if (after["cs"], after["eip"]) != (BIOS_SEGMENT, STOP + 1):
            raise LawBroken("step bound", f"ended at {after['cs']:04x}:{after['eip']:04x}")
        stack = self.peek(STACK_SEGMENT * 16, STACK_TOP)
        used = STACK_TOP - (len(stack) - len(stack.lstrip(bytes([STACK_FILL]))))
        if after["ss"] != STACK_SEGMENT or after["esp"] & 0xFFFF != STACK_TOP - 2 * (
                0 if len(frame) == 1 else len(frame)):
            raise LawBroken("stack not restored", f"{after['ss']:04x}:{after['esp']:08x}")
        return Result(after, used)

    def power_on(self, bdf: int = PCI_ADDRESS) -> None:
        """Init and every boot connection vector, as SeaBIOS calls them; then
        the ROM area is read-only."""
        common = {"ebx": 0xFFFF, "edx": 0xFFFF, "es": BIOS_SEGMENT, "edi": PNP_OFFSET}
        self._run(ROM_SEGMENT, 3, [], {**common, "eax": bdf}, 0x002)
        base = ROM_SEGMENT * 16
        if self.peek(base + 2, 1) != b"\0":
            segment = self.word(base + 8)
            self.workspace = range(segment * 16, segment * 16 + 2048)
            header = self.word(base + 0x1A)
            while header:
                self._run(ROM_SEGMENT, self.word(base + header + 0x16), [],
                          {**common, "eax": 0}, 0x002)
                header = self.word(base + header + 6)
        self.booted = True
        self._check_idle()

    @contextmanager
    def _only(self, *ranges: range) -> Iterator[None]:
        """Writes only there, and where every call may."""
        stack = range(STACK_SEGMENT * 16, STACK_SEGMENT * 16 + STACK_TOP)
        self.writable = [stack, range(0x474, 0x475), self.workspace, *ranges]
        try:
            yield
        finally:
            self.writable = [range(0, MEMORY)]

    def int13(self, *buffers: range, changes: str = "ah", **values: int) -> Result:
        """INT 13h with the named registers set; `buffers` may be written to.
        All laws are watched. Registers may be given by any of their names."""
        registers = dict(SEEDS)
        for name, value in values.items():
            self._place(registers, name, value)
        offset, segment = struct.unpack("<HH", self.peek(0x13 * 4, 4))
        with self._only(*buffers):
            flags = 0x002 | IF | CF
            result = self._run(segment, offset, [flags], registers, 0x002)
        self._check_registers(registers, result, changes.split(), flags)
        if result.stack_used > STACK_BUDGET:
            raise LawBroken("caller's stack", f"{result.stack_used} bytes")
        self._check_idle()
        return result

    @staticmethod
    def _place(registers: dict[str, int], name: str, value: int) -> None:
        if name in registers:
            registers[name] = value
        elif name in ("si", "di", "bp"):
            registers[f"e{name}"] = registers[f"e{name}"] & 0xFFFF0000 | value
        else:
            full = f"e{name[0]}x"
            keep, shift = {"x": (0xFFFF0000, 0), "l": (0xFFFFFF00, 0), "h": (0xFFFF00FF, 8)}[name[1]]
            registers[full] = registers[full] & keep | value << shift

    def _check_registers(self, before: dict[str, int], result: Result, changes: list[str],
                         flags: int) -> None:
        after = dict(result.registers)
        for name in changes:
            before_value = Result(before).__getattr__(name)
            self._place(after, name, before_value)
        for name, value in before.items():
            if after[name] != value:
                raise LawBroken("register not preserved", f"{name}: {value:#x} became {after[name]:#x}")
        if (result.registers["eflags"] ^ flags) & 0xFFFF & ~CF:
            raise LawBroken("flags not preserved", f"{flags:#x} became {result.registers['eflags']:#x}")

    def _check_idle(self) -> None:
        chip = self.chip
        if chip.scripts.running:
            raise LawBroken("SCRIPTS left running", f"DSP {chip.scripts.dsp:#x}")
        if chip.sist or chip.dstat:
            raise LawBroken("causes left pending", f"SIST {chip.sist:#x} DSTAT {chip.dstat:#x}")
        if self.bus.connected is not None:
            raise LawBroken("target left connected", str(self.bus.connected))
        if chip.fifo_dirty:
            raise LawBroken("FIFO left full", "")
        if chip.in_reset:
            raise LawBroken("SRST left set", "on return")

    # ---- The calls that most tests make ------------------------------------------------------

    def read(self, lba: int, count: int, drive: int = 0x80, address: int = BUFFER) -> Result:
        """AH=42h; writes are allowed to the buffer and the packet's count."""
        packet = struct.pack("<BBHHHQ", 16, 0, count, address & 15, address >> 4, lba)
        self.poke(PACKET, packet)
        return self.int13(range(address, address + count * 512), range(PACKET + 2, PACKET + 4),
                          ah=0x42, dl=drive, ds=PACKET >> 4, si=PACKET & 15)

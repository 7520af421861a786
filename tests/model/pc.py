# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The PC around the chip: a CPU (Unicorn, 16-bit), memory, ports, and the
rules for memory, ports, registers and stacks. The BIOS is in bios.py, other
devices are in devices.py.

Time is virtual: it passes with port accesses and BIOS services, and jumps
ahead while nothing is active.
"""

from __future__ import annotations

import ctypes
import mmap
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from unicorn import (UC_ARCH_X86, UC_HOOK_CODE, UC_HOOK_INSN, UC_HOOK_INTR, UC_HOOK_MEM_WRITE_PROT,
                     UC_MODE_16, UC_PROT_ALL, UC_PROT_EXEC, UC_PROT_READ, Uc, x86_const as x86)

from tests.build import IMAGE, PACKED_FROM, symbol
from tests.model.bios import Bios, Copy
from tests.model.bios_data import (BIOS_SEGMENT, DISKETTE_STATUS, DISK_STATUS, EQUIPMENT,
                                   HARD_DISKS, JUNK, MEMORY_SIZE, ROM_SEGMENT, STOP)
from tests.model.bus import Bus
from tests.model.devices import FwCfg, PciSpace, Pit, TimerInterrupt
from tests.model.eeprom import Eeprom, TekramEeprom
from tests.model.hardware import HARDWARE
from tests.model.pc_cpu import CF, FIXED, HLT, IF, MOST_NS, MOST_READS, STI, TF, Cpu
from tests.model.pc_dma import Dma
from tests.model.pc_memory import MEMORY, Memory
from tests.model.pc_ports import (CALL_WAIT_NS, FIRST_CLOCK_READ_NS, FIRST_RUN_CLOCK_READ_NS, IO_BASE,
                                  POST_WAIT_NS, SLOW_CALL_WAIT_NS, Ports)
from tests.model.registers import MS
from tests.model.rules import RuleViolation
from tests.model.target import CD_ROM, Disk
from tests.model.variants import variant_named
from tests.model.vds import Vds

PCI_ADDRESS = 4 << 3

STACK_SEGMENT, STACK_TOP = 0x0600, 0x1000
STACK = range(STACK_SEGMENT * 16, STACK_SEGMENT * 16 + STACK_TOP)
STACK_FILL = 0xA5
STACK_BUDGET = 64
CANARY = b"tack"
LEAST_UNWATCHED = 256   # bytes: writes to shorter ranges are hooked and found allowed
BUFFER = 0x20000
PACKET = 0x1000

C_SEGMENT, C_STACK_TOP, C_END = 0x3000, 0x2000, 0xF000   # arguments are above the stack
C_RETURN = 0xFFF0                       # in the ROM's segment: a HLT
FREE_MEMORY = range(0x600, 0xA0000)
C_MEMORY = range(C_SEGMENT * 16, C_SEGMENT * 16 + 0x10000)

WAITED_NS, WAITED_AT_ONCE = 1000, 16    # with Pc.measure: time per waiting instruction, batch size

SEEDS = {"eax": 0xAAAA5A07, "ebx": 0xBBBB5B04, "ecx": 0xCCCC5C06, "edx": 0xDDDD5D05,
         "esi": 0x51515E02, "edi": 0xD1D15D01, "ebp": 0xB9B95B03,
         "ds": 0x1234, "es": 0x2345, "fs": 0x3456, "gs": 0x4567}
PARTS = {"x": (0xFFFF0000, 0), "l": (0xFFFFFF00, 0), "h": (0xFFFF00FF, 8)}   # mask, shift
BOOT_INTERRUPTS = (0x13, 0x18, 0x19)
INT_FRAME = 6           # bytes
STACK_USED = 64         # by a board's BIOS before it calls a boot interrupt


class Returned(NamedTuple):
    """Return value of a C function."""
    eax: int
    edx: int


@dataclass
class Result:
    """Registers after a call, and its costs. Instructions and own stack are
    counted only with Pc.measure. `waiting` of the instructions ran while
    SCRIPTS did: the driver could only wait."""
    registers: dict[str, int]
    stack_used: int = 0
    own_stack_used: int = 0
    instructions: int = 0
    register_reads: int = 0
    register_writes: int = 0
    scripts_instructions: int = 0
    ns: int = 0
    waiting: int = 0
    port_accesses: int = 0      # IN and OUT of any port: each causes a VM exit
    booted: bool = False        # the call did not return but jumped to the program it loaded

    def __getattr__(self, name: str) -> int:
        registers = self.__dict__["registers"]
        if name in registers:
            return registers[name]
        if name in ("si", "di", "bp", "sp"):
            return registers[f"e{name}"] & 0xFFFF
        if len(name) != 2 or f"e{name[0]}x" not in registers:
            raise AttributeError(name)
        value = registers[f"e{name[0]}x"]
        return {"x": value & 0xFFFF, "l": value & 0xFF, "h": value >> 8 & 0xFF}[name[1]]

    @property
    def cf(self) -> bool:
        return bool(self.registers["eflags"] & CF)


@dataclass
class Pc(Memory, Dma, Ports, Cpu):
    """A machine with one controller. Add targets, then call power_on()."""
    rom: Path
    variant: str = "895A"
    bus: Bus = field(default_factory=Bus)
    eeprom: Eeprom | TekramEeprom | None = None     # of the controller
    bios: Bios = field(default_factory=Bios)
    pit: Pit = field(default_factory=Pit)
    timer: TimerInterrupt = field(default_factory=TimerInterrupt)
    fwcfg: FwCfg | None = None      # None: not QEMU, and these ports must not be accessed
    present: bool = True            # the controller is in its slot
    pci_address: int = PCI_ADDRESS
    bar0: int = IO_BASE | 1
    pci_command: int = 0            # COMMAND as the BIOS left it
    rom_writable: bool = True       # while init runs
    measure: bool = False
    most_idle_ns: int = 20 * MS     # longest jump of time at one read of the clock
    most_post_ns: int = MOST_NS     # bounds for each call of the ROM by the BIOS in POST, ...
    most_call_ns: int = MOST_NS     # ... and later
    hardware: str = "silicon"         # key of HARDWARE
    vds: Vds | None = None          # services of a memory manager loaded after POST
    qemu_model: bool = False        # the controller identifies as QEMU; no delay after a reset

    def __post_init__(self) -> None:
        self.uc = Uc(UC_ARCH_X86, UC_MODE_16)
        self._memory = mmap.mmap(-1, MEMORY)    # shared with Unicorn: reading it is cheap
        self._address = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        self.uc.mem_map_ptr(0, MEMORY, UC_PROT_ALL, self._address)
        self._plug_in()
        self.text = ""
        self.booted = False
        self.booting = False        # a BEV, INT 19h or INT 18h is running
        self.workspace: range | None = None
        self.kept_memory: list[range] = []      # the workspace and the memory around it
        self.post_kib = 0                       # 40:13h after POST
        self.boot_kib = 0                       # and the largest since
        self._left_kib = 0                      # after the last boot
        self.writable: list[range] = [STACK]    # for the current call
        self._in_post = False
        self._loads: tuple[range, ...] = ()     # where a loaded program may run
        self._landed = False
        self._error: Exception | None = None
        self._vector: int | None = None     # of an INT instruction or exception
        self._clock_read_ns, self._run_clock_read_ns = FIRST_CLOCK_READ_NS, FIRST_RUN_CLOCK_READ_NS
        self._clock_reads = 0             # reads of the clock since the last chip access
        self._served: int | None = None     # BIOS service handled, but not yet left
        self._deadline = MOST_NS
        self._most_reads = MOST_READS
        self._steps = 0             # of time, in this call
        self._instructions = self._waiting = 0
        self._port_accesses = 0
        self._clock_ports_ns = 0        # time of accesses to the 8254 that has not passed yet
        self.irq0_after = 0         # instructions until IRQ0 in the next call; 0: by time
        self._unwatched: tuple[range, ...] = ()
        self._write_hooks: list[int] = []
        self._c_next = C_STACK_TOP
        self.bios.attach(self)
        self.code: list[range] = []     # code of other programs, and image copies in RAM
        self._code_places: list[range] | None = None
        self._astray_hooks: list[int] = []
        self.poke(ROM_SEGMENT * 16 + C_RETURN, bytes([HLT]))
        self._set_up_timer()
        self._set_up_hooks()

    @property
    def stack(self) -> range:
        """The BIOS's stack"""
        return STACK

    # ---- Set-up -----------------------------------------------------------------------

    def _plug_in(self) -> None:
        self.chip = HARDWARE[self.hardware].chip(variant_named(self.variant), self.bus, self._dma_read,
                                                 self._dma_write)
        if self.eeprom:
            self.chip.plug_eeprom(self.eeprom)
        self.pci = PciSpace(self.pci_address, self.chip.variant if self.present else None,
                            self.bar0, self.fwcfg is not None)
        self.chip.own_id_is_free = self.fwcfg is not None
        self.pci.set_command(self.pci_address, self.pci_command)
        if self.qemu_model:
            self.pci.set_qemu_model(self.pci_address)
            self.chip.reset_to_selection_ns = 0
            self.chip.clf_stays = True

    def _set_up_timer(self) -> None:
        if self.timer.kind != "dead":
            base = BIOS_SEGMENT << 4
            self.poke(8 * 4, struct.pack("<HH", self.timer.HANDLER, BIOS_SEGMENT))
            self.poke(base + self.timer.HANDLER, self.timer.code)
            self.poke(self.timer.PACKET, self.timer.packet)

    def _set_up_hooks(self) -> None:
        base = BIOS_SEGMENT << 4
        add, guarded = self.uc.hook_add, self._guarded
        add(UC_HOOK_CODE, guarded(self._in_bios), begin=base, end=base + 0xFFFF)
        self.images_changed()
        add(UC_HOOK_CODE, guarded(self._astray), begin=base + 0x10000, end=MEMORY - 1)
        add(UC_HOOK_INTR, guarded(self._software_interrupt))
        add(UC_HOOK_MEM_WRITE_PROT, lambda *_: True)    # ignored, as by a real ROM
        add(UC_HOOK_INSN, guarded(self._port_in), None, 1, 0, x86.UC_X86_INS_IN)
        add(UC_HOOK_INSN, guarded(self._port_out), None, 1, 0, x86.UC_X86_INS_OUT)
        if self.measure:
            add(UC_HOOK_CODE, guarded(self._count), begin=0, end=base - 1)

    def images_changed(self) -> None:
        """A copy of the ROM was added or moved, or may unpack itself: hook all
        other addresses, where no code may run."""
        home = ROM_SEGMENT * 16 + C_RETURN
        places = [place for copy in self.bios.copies
                  for place in (copy.image, copy.room, copy.far_code) if place]
        if self._in_post:
            places += self.bios.temporary_memory()
        top = self.word(MEMORY_SIZE) * 1024     # far code below it has been given back
        self._images = [place for copy in self.bios.copies for place in (copy.image, copy.far_code)
                        if place.start >= top]
        if places == self._code_places:
            return
        self._code_places = places
        for hook in self._astray_hooks:
            self.uc.hook_del(hook)
        self._astray_hooks = [
            self.uc.hook_add(UC_HOOK_CODE, self._guarded(self._astray), begin=begin, end=end)
            for begin, end in self._gaps(0, BIOS_SEGMENT << 4, *places, range(home, home + 1))]

    @staticmethod
    def _code_in_memory(copy: Copy) -> list[range]:
        """Base memory that a copy has taken, without its workspace, may contain code."""
        space = copy.workspace or range(0)
        return [part for place in copy.memory if place.stop <= 640 * 1024
                for part in (range(place.start, space.start), range(space.stop, place.stop))
                if len(part) and place.start <= space.start < place.stop]

    def hook_at(self, address: int, hook: Callable[[int], None]) -> None:
        """Call `hook` before the instruction at `address`, even if it has run before."""
        self.uc.ctl_remove_cache(address, address + 1)
        self.uc.hook_add(UC_HOOK_CODE, self._guarded(lambda uc, at, *_: hook(at)), begin=address,
                         end=address)

    def _guarded(self, hook):
        """An exception in a hook stops the CPU; _go() raises it. Instructions
        that the CPU executes before it stops do not matter."""
        def call(*arguments):
            if self._error:
                return 0
            try:
                return hook(*arguments) or 0
            except Exception as error:  # of any kind; passed on to the test
                self._error = error
                self.uc.emu_stop()
                return 0
        return call

    @staticmethod
    def _gaps(start: int, stop: int, *ranges: range) -> list[tuple[int, int]]:
        """First and last address of each gap between the ranges."""
        gaps = []
        for r in sorted(ranges, key=lambda r: r.start):
            if r.start > start:
                gaps.append((start, r.start - 1))
            start = max(start, r.stop)
        return [*gaps, (start, stop - 1)]

    def _count(self, *_) -> None:
        """With `measure`, waiting instructions take time, as on a slow processor:
        code that only polls memory sees SCRIPTS end before its time-out."""
        self._instructions += 1
        if self.chip.scripts.running:
            self._waiting += 1
            if self._waiting % WAITED_AT_ONCE == 0:
                self.pass_time(WAITED_AT_ONCE * WAITED_NS)

    # ---- IRQ0 -------------------------------------------------------------------------

    def _interrupt(self, home: int) -> int:
        """Enter the handler of IRQ0 as soon as the CPU accepts it; returns the
        address to continue at. Time passes at port accesses only; a varying
        number of further instructions lets the interrupt occur anywhere."""
        address = self._execute(self._at(), 1 + self.timer.ticks * 5 % 7)
        while address != home + 1 and not self._landed and (closed := self._instructions_closed()):
            address = self._execute(address, closed)
        if address == home + 1 or self._landed:
            return home if address == home + 1 else address     # pending until the next call
        if self.get("ss") not in (STACK_SEGMENT, 0) and self.get("cs") != BIOS_SEGMENT:
            raise RuleViolation("interrupt on our stack", self._where())
        self.timer.enter(self.chip.now, self.pit.period_ns)
        return self._enter(8)

    def _instructions_closed(self) -> int:
        """How many instructions to execute before checking again whether the CPU
        accepts interrupts; 0 if it does. STI, MOV SS and POP SS block them for
        one instruction."""
        if not self.get("eflags") & IF:
            return 1
        before = self.peek(self._at() - 2, 2)
        return int(before[1] in (STI, 0x17) or before[0] == 0x8E and before[1] & 0x38 == 0x10)

    # ---- Calls ------------------------------------------------------------------------

    def _run(self, segment: int, offset: int, frame: list[int], registers: dict[str, int],
             flags: int, deeper: int = 0, stack: tuple[int, int] | None = None) -> Result:
        """Run until the code returns to STOP. `frame` holds the words that CALL
        or INT pushed above the return address. The BIOS may use `deeper` bytes
        of stack below that before a program boots."""
        self.poke(STACK.start, bytes([STACK_FILL]) * STACK_TOP)
        words = [STOP, BIOS_SEGMENT, *frame]
        stack = stack or (STACK_SEGMENT, STACK_TOP)
        sp = stack[1] - 2 * len(words)
        self.frame = stack[0], sp
        self.poke(stack[0] * 16 + sp, struct.pack(f"<{len(words)}H", *words))
        for name, value in {**SEEDS, **registers, "cs": segment, "ss": stack[0],
                            "esp": sp}.items():
            self.set(name, value)
        self.set("eflags", flags)
        result = self._counted(segment * 16 + offset, (BIOS_SEGMENT << 4) + STOP)
        result.stack_used = len(self.peek(STACK.start, STACK_TOP).lstrip(bytes([STACK_FILL])))
        result.booted = self._landed
        if result.booted:
            result.registers["eip"] = self._ip()
            self._check_landing(result, STACK_TOP - 2 * len(words) - deeper)
        elif (result.ss, result.esp) != stack:
            raise RuleViolation("stack not restored", f"{result.ss:04x}:{result.esp:08x}")
        self._check_own_stack()
        self.pit.check_idle()
        return result

    def _check_landing(self, result: Result, sp: int) -> None:
        """A loaded program starts on the BIOS's stack, no deeper than at the
        call and at most the call's frame shallower."""
        low = [range(stack.stop - INT_FRAME - STACK_USED, stack.stop + 1) for stack in self.bios.stacks]
        if (result.ss != STACK_SEGMENT or not sp <= result.esp <= STACK_TOP) and not (
                result.ss == 0 and any(result.esp in stack for stack in low)):
            raise RuleViolation("stack not restored", f"{result.ss:04x}:{result.esp:08x} at boot")

    def _counted(self, address: int, home: int) -> Result:
        before = self._counters()
        self._instructions = self._waiting = self._port_accesses = 0
        if self.measure and self.workspace:
            self.poke(self._own_stack.start, bytes([STACK_FILL]) * len(self._own_stack))
        self._go(address, home)
        after = [now - then for now, then in zip(self._counters(), before)]
        result = Result(self.registers(), 0, 0, self._instructions, *after,
                        waiting=self._waiting, port_accesses=self._port_accesses)
        if self.measure and self.workspace:
            stack = self.peek(self._own_stack.start, len(self._own_stack))
            result.own_stack_used = len(stack.lstrip(bytes([STACK_FILL])))
        return result

    def _counters(self) -> tuple[int, int, int, int]:
        chip = self.chip
        return chip.reads, chip.writes, chip.scripts.instructions, chip.now

    @property
    def _own_stack(self) -> range:
        """Our stack without the canary; our structures begin above it."""
        return range(self.workspace.start + len(CANARY),
                     self.workspace.start + symbol("workspace"))

    def _check_own_stack(self) -> None:
        for space in self.workspaces:
            if self.peek(space.start, len(CANARY)) != CANARY:
                raise RuleViolation("our stack overflowed", f"canary at {space.start:#x}")

    def allow_post_writes(self) -> None:
        self.writable = [*self.bios.post_memory(), STACK]
        self._watch_writes(*(r for r in self.writable if len(r) >= LEAST_UNWATCHED))

    def far_call(self, segment: int, offset: int, registers: dict[str, int],
                 frame: Sequence[int] = ()) -> Result:
        """A far call as the BIOS makes it during POST, interrupts enabled."""
        self.allow_post_writes()
        self._in_post = True
        self.images_changed()
        self.bus.restart_waiting()
        try:
            return self._run(segment, offset, [*frame], registers, FIXED | (0 if frame else IF))
        finally:
            self._in_post = False
            self._check_wait(POST_WAIT_NS)

    def post_interrupt(self, vector: int, registers: dict[str, int]) -> Result:
        """An interrupt that the BIOS calls during POST."""
        offset, segment = struct.unpack("<HH", self.peek(vector * 4, 4))
        return self.far_call(segment, offset, registers, [FIXED | IF])

    def _post(self, *bdfs: int) -> None:
        self.bios.run_post(*(bdfs or [self.pci_address]))

    def has_cd(self) -> bool:
        """Whether the copy that is being initialised can find a CD-ROM drive."""
        return self._is_cd_on(self.bus)

    @staticmethod
    def _is_cd_on(bus: Bus) -> bool:
        return any(unit.type == CD_ROM for target in bus.targets.values()
                   if isinstance(target, Disk) for unit in (target, *target.luns.values()))

    def _leave_devices(self) -> None:
        """The BIOS restarts: COMMAND is as at power-on."""
        self.pci.set_command(self.pci_address, self.pci_command)

    def warm_boot(self, *bdfs: int, junk: bool = False) -> None:
        """POST again. The chip keeps its registers, memory its contents unless `junk`."""
        if junk:
            self.poke(FREE_MEMORY.start, bytes([JUNK]) * len(FREE_MEMORY))
        self.booted, self.workspace, self.kept_memory, self.text = False, None, [], ""
        self.code = []
        self._leave_devices()
        self.bios.attach(self)
        self.power_on(*bdfs)

    def power_on(self, *bdfs: int) -> None:
        """POST, as self.bios runs it; then the ROM area is read-only. `bdfs`
        replaces the controller's address in AX; with several, there is a copy
        of the ROM for each."""
        self.timer.start(self.chip.now, self.pit.period_ns)
        area = self.bios.image.start & ~0xFFF, len(self.bios.image) + 0xFFF & ~0xFFF
        if not self.rom_writable:
            self.uc.mem_protect(*area, UC_PROT_READ | UC_PROT_EXEC)
        self._post(*bdfs)
        if not self.rom_writable:
            self.uc.mem_protect(*area, UC_PROT_ALL)
        self.images_changed()
        self.kept_memory = self.bios.kept_memory()
        self.post_kib = self.boot_kib = self._left_kib = self.word(MEMORY_SIZE)
        self.booted = True
        self.chip.check_idle()
        if self.vds:
            self.vds.start(self)

    def _boot(self, run: Callable[[], Result], loads: tuple[range, ...]) -> Result:
        """Set the memory that may be written at boot: drive vectors and counts,
        and the areas to load to. Loaded code may run in those areas."""
        ours = [STACK, *(self.kept_memory if self.workspace else []), *self.bios.stacks,
                *(range(at, at + 1) for at in (DISKETTE_STATUS, DISK_STATUS, HARD_DISKS)),
                *(range(at, at + 2) for at in (EQUIPMENT, MEMORY_SIZE)),
                *(range(n * 4, n * 4 + 4) for n in BOOT_INTERRUPTS)]
        self._watch_writes(*ours)
        self.writable = [*ours, *loads]
        self._loads, self.booting = loads, True
        size_kib = self.word(MEMORY_SIZE)
        self._note_memory_size(size_kib)
        try:
            result = run()
        finally:
            self._loads, self.booting = (), False
        self.chip.check_idle()
        self.bios.settle_memory(size_kib)
        self._left_kib = self.word(MEMORY_SIZE)
        self.images_changed()
        self.kept_memory = self.bios.kept_memory()
        return result

    def _note_memory_size(self, kib: int) -> None:
        """40:13h at the start of a boot. If it is lower than the last boot left it, another
        program has taken memory below that of the ROM."""
        lower = max(self._left_kib - kib, 0)
        self.post_kib -= lower
        self.boot_kib = max(self.boot_kib - lower, kib)

    def boot_call(self, segment: int, offset: int, registers: dict[str, int],
                  *loads: range) -> Result:
        """Call a bootstrap entry vector as the BIOS does: a far call, interrupts
        enabled."""
        return self._boot(lambda: self._run(segment, offset, [], registers, FIXED | IF), loads)

    def boot_interrupt(self, vector: int, *loads: range,
                       stack: tuple[int, int] | None = None) -> Result:
        """INT 18h or 19h; INT 19h may call INT 18h."""
        offset, segment = struct.unpack("<HH", self.peek(vector * 4, 4))
        deeper = INT_FRAME + (STACK_USED if self.bios.stacks else 0)
        return self._boot(lambda: self._run(segment, offset, [FIXED | IF], {}, FIXED, deeper, stack),
                          loads)

    def int13(self, *buffers: range, changes: str = "ah", flags: int = IF | CF,
              loads: tuple[range, ...] = (), far_call: bool = False,
              stack: tuple[int, int] | None = None, **values: int) -> Result:
        """INT 13h with the named registers set, with all rules checked.
        Registers may be given by any of their names. `buffers` may be written.
        `loads`: memory of a program that the call loads and jumps to.
        `far_call`: the call comes from another hook by PUSHF and CALL, which
        leaves IF unchanged. `stack`: SS and SP; it needs a range of `buffers`."""
        registers = dict(SEEDS)
        for name, value in values.items():
            self._place(registers, name, value)
        offset, segment = struct.unpack("<HH", self.peek(0x13 * 4, 4))
        flags |= FIXED
        status = DISK_STATUS if registers["edx"] & 0xFF >= 0x80 else DISKETTE_STATUS
        always = [STACK, range(status, status + 1)]
        if self.workspace:
            always += [*self.kept_memory, *self.taken_at_boot()]
        self._watch_writes(*always)
        self.writable = [*always, *buffers, *loads]
        self._loads = loads
        entered = flags if far_call else flags & ~(IF | TF)
        self.bus.restart_waiting()
        try:
            result = self._run(segment, offset, [flags], registers, entered, stack=stack)
        finally:
            self._loads = ()
        self._check_registers(registers, result, changes.split(), flags)
        if result.stack_used > STACK_BUDGET + (self.timer.STACK_BYTES if self.timer.ticks else 0):
            raise RuleViolation("caller's stack", f"{result.stack_used} bytes")
        self.chip.check_idle()
        self._check_wait(SLOW_CALL_WAIT_NS if self.bus.slow_command else CALL_WAIT_NS)
        if self.vds:
            self.vds.check_released()
        return result

    @staticmethod
    def _place(registers: dict[str, int], name: str, value: int) -> None:
        if name in registers:
            registers[name] = value
        elif name in ("si", "di", "bp"):
            registers[f"e{name}"] = registers[f"e{name}"] & 0xFFFF0000 | value
        else:
            full = f"e{name[0]}x"
            keep, shift = PARTS[name[1]]
            registers[full] = registers[full] & keep | value << shift

    def _check_registers(self, before: dict[str, int], result: Result, changes: list[str],
                         flags: int) -> None:
        after = dict(result.registers)
        for name in changes:
            before_value = getattr(Result(before), name)
            self._place(after, name, before_value)
        for name, value in before.items():
            if after[name] != value:
                raise RuleViolation("register not preserved",
                                    f"{name}: {value:#x} became {after[name]:#x}")
        now = result.registers["eflags"]
        if (now ^ flags) & 0xFFFF & ~CF:
            raise RuleViolation("flags not preserved", f"{flags:#x} became {now:#x}")

    # ---- The calls that most tests make -----------------------------------------------

    def read(self, lba: int, count: int, drive: int = 0x80, address: int = BUFFER,
             far_call: bool = False) -> Result:
        """AH=42h; writes are allowed to the buffer and the packet's count."""
        packet = struct.pack("<BBHHHQ", 16, 0, count, address & 15, address >> 4, lba)
        self.poke(PACKET, packet)
        return self.int13(range(address, address + count * 512), range(PACKET + 2, PACKET + 4),
                          far_call=far_call, ah=0x42, dl=drive, ds=PACKET >> 4, si=PACKET & 15)

    # ---- C functions, one by one ------------------------------------------------------

    def unpack_image(self) -> None:
        """Put the unpacked image in place of the ROM file: before POST, no C
        function could be called otherwise."""
        place, image = ROM_SEGMENT * 16 + PACKED_FROM, IMAGE.read_bytes()
        self.poke(place, image)
        self.bios.running.size = PACKED_FROM + len(image)
        self.images_changed()

    def allocate(self, data: bytes) -> int:
        """Allocate memory for an argument of call_c(), with that content. Returns
        a pointer for C. Memory is reused after some 50 KiB."""
        if self._c_next + len(data) > C_END:
            self._c_next = C_STACK_TOP
        pointer = self._c_next
        self._c_next += len(data) + 3 & ~3
        self.poke(C_MEMORY.start + pointer, data)
        return pointer

    def argument(self, pointer: int, length: int) -> bytes:
        """The current content of an argument."""
        return self.peek(C_MEMORY.start + pointer, length)

    def call_c(self, name: str, *arguments: int) -> Returned:
        """Call a function of the image (-m16 -mregparm=3: EAX, EDX, ECX) as our C
        does. DS, ES and SS are C_SEGMENT."""
        assert len(arguments) <= 3
        sp = C_STACK_TOP - 2
        self.poke(C_MEMORY.start + sp, struct.pack("<H", C_RETURN))
        halves = {r: SEEDS[r] & 0xFFFF for r in ("ebx", "esi", "edi", "ebp")}
        registers = {**SEEDS, **halves, "ds": C_SEGMENT, "es": C_SEGMENT, "ss": C_SEGMENT, "esp": sp,
                     "gs": ROM_SEGMENT, "cs": ROM_SEGMENT, "eflags": FIXED}
        registers.update(zip(("eax", "edx", "ecx"), arguments))
        for register, value in registers.items():
            self.set(register, value)
        self._watch_writes(C_MEMORY)
        self.writable = [C_MEMORY]
        self._go(ROM_SEGMENT * 16 + symbol(name), ROM_SEGMENT * 16 + C_RETURN)
        kept = ("ebx", "esi", "edi", "ebp", "ds", "es", "ss", "gs")
        for register in kept:
            if (self.get(register) ^ registers[register]) & 0xFFFF:
                raise RuleViolation("register not preserved", f"{register} by {name}()")
        if self.get("esp") != sp + 2:
            raise RuleViolation("stack not restored", f"{self.get('esp'):#x} by {name}()")
        return Returned(self.get("eax"), self.get("edx"))

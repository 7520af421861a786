# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The BIOS of the virtual PC: its services, its tables, and how it treats an
option ROM during POST and at boot. Each service is an address in the F000
segment; Python handles calls to it.

[PCI-BIOS 2.1; PnP-BIOS 1.0A; BBS 1.01; PCI firmware 3.0; PMM 1.01; RBIL]
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from tests import build
from tests.model.bios_data import (BASE_MEMORY, BIOS_SEGMENT, BOCHS, BOOT_KIB, BOOTSTRAP, BOOTSTRAP_CODE, BOOT_SECTOR,
                                   BOOT_VECTORS, CONNECT_AS_IPL, EBDA_KIB, EBDA_POINTER, EQUIPMENT,
                                   GIVEN_BACK, HARD_DISKS, INIT, INIT_SEGMENT, JUNK, KEYBOARD, KEYBOARD_101, MEMORY_SIZE,
                                   MOST_WITHOUT_PMM,
                                   NO_BBS, OPENING, PCI_3, PERMANENT_AREA, PMM_ENTRY, PMM_TABLE,
                                   PNP_ENTRY, PNP_KINDS, PNP_OFFSET, RESET_FLAG, ROM_ALIGNMENT, ROM_SEGMENT,
                                   RUN_TIME_BLOCKS, SCRATCH_KIB, SEABIOS, SEABIOS_BOOT, SERVICE,
                                   STOP, TEMPORARY_AREA, TICKS, UNPACKED_KIB, VIDEO_COLUMNS, VIDEO_MODE,
                                   WITHOUT_BBS, checksummed)
from tests.model.bios_entries import BootEntry, Entries
from tests.model.bios_hooks import Hooks
from tests.model.bios_services import Services
from tests.model.pmm import Block, Pmm
from tests.model.rules import RuleViolation
from tests.model.screen import Screen

if TYPE_CHECKING:
    from tests.model.pc import Pc, Result


@dataclass(eq=False)
class Copy:
    """The ROM in memory; there is one copy for each controller. `segment` is
    where init runs, and after init, where the kept part of the image is."""
    data: bytes
    segment: int
    size: int               # bytes the copy may use at `segment`
    bdf: int = 0            # AX at init
    stays_at: int = 0       # segment that init has to move the code to; 0: no move
    initialised: bool = False
    init_result: Result | None = None
    kept: int = 0           # bytes of the image left after init
    runs_at: int = 0        # segment of the code after init, possibly a copy in RAM
    entries: list[BootEntry] = field(default_factory=list)
    memory: list[range] = field(default_factory=list)   # memory it keeps permanently
    workspace: range | None = None
    far_code: range = range(0)   # far code, if it is not part of the image,
    far_segment: int = 0         # and the segment in which it runs

    @property
    def image(self) -> range:
        return range(self.segment * 16, self.segment * 16 + self.size)

    @property
    def room(self) -> range:
        """Destination of the move in init: the maximum run-time size if the
        image declares one, otherwise the size of the whole image."""
        pcir = int.from_bytes(self.data[0x18:0x1A], "little") + RUN_TIME_BLOCKS
        blocks = int.from_bytes(self.data[pcir:pcir + 2], "little") or len(self.data) // 512
        return range(self.stays_at * 16, self.stays_at * 16 + blocks * 512) if self.stays_at \
            else range(0)


@dataclass
class Bios(Services, Entries, Hooks):
    """Options of a BIOS, and a record of the calls it received. `choose` is the
    user's boot order: it returns the entries whose vectors are called, in order."""
    manner: str = SEABIOS
    pmm: str = "1.01"
    pci: bool = True
    pci_version: int = 0    # BX of INT 1Ah B101h; 0: the default for `manner`
    in_place: bool = False  # init runs at the final segment, even with PCI 3.0
    downwards: bool = False # run-time segments of PCI 3.0 go down from E8000h
    bx: int | None = None   # BX at init; None: the run-time segment if there is one, else FFFFh
    pointer: tuple[int, int] | None = None  # ES and DI at init, if not those of the PnP structure
    ebda: bool = True
    pnp: str = ""           # one of PNP_KINDS; "": the default for `manner`
    disks: int = 0          # the BIOS's own hard disks, counted at 40:75h
    floppies: int = 0       # its own floppy drives, counted at 40:10h
    answers: frozenset[int] = frozenset()   # drives that its INT 13h supports
    keys: deque = field(default_factory=deque)  # (ns after the first poll, AX of INT 16h)
    keyboard: bool = False      # 40:96h reports one, and the ROM may boot the machine again
    screen: Screen = field(default_factory=Screen)
    # returns the next key, as AX of INT 16h, when the ROM waits for one in POST
    user: Callable[[Pc], int] | None = None
    stacks: ClassVar[tuple[range, ...]] = ()    # in segment 0, that it or an MBR uses at boot
    choose: Callable[[list[BootEntry]], list[BootEntry]] = lambda entries: entries
    # runs other ROMs after each copy of ours: (machine, copies so far)
    others: Callable[[Pc, int], None] = lambda pc, copies: None
    copies: list[Copy] = field(default_factory=list)
    running: Copy | None = None     # in POST: the current copy; later: the first
    noted: list[int] = field(default_factory=list)      # calls of INT 18h and 19h
    eject_answer: int = 0x86    # AH that INT 15h AH=52h returns; CF is set unless it is 0
    eject_asked: list[int] = field(default_factory=list)    # DL of each such call
    passed_on: deque = field(default_factory=lambda: deque(maxlen=16))  # registers of calls to INT 13h

    def attach(self, pc: Pc) -> None:
        """Lay out the memory of a machine at power-on."""
        self._pc = pc
        self.memory = Pmm(self.pmm)
        self.pci_version = self.pci_version or (0x0300 if self.manner == PCI_3 else 0x0210)
        rom = build.bios_image(pc.rom)
        self.image_bytes = len(rom)
        self._top_kib = self._memory_before = EBDA_KIB + (not self.ebda)
        self._post_memory = [range(MEMORY_SIZE, MEMORY_SIZE + 2), BOOT_VECTORS["INT 13h"],
                             BOOT_VECTORS["40:75h"],
                             *([range(RESET_FLAG, RESET_FLAG + 2)] if self.keyboard else [])]
        self._set_up_services()
        self._set_up_data_areas()
        self._first_poll_at: int | None = None  # time of the first keyboard poll
        self.calls_none = False     # boot entries, as the copy being initialised sees it
        pc.poke(PMM_TABLE, self.memory.table())
        self.pnp = self.pnp or {NO_BBS: "absent", BOCHS: "no BBS"}.get(self.manner, "BBS")
        assert self.pnp in PNP_KINDS
        pc.poke((BIOS_SEGMENT << 4) + PNP_OFFSET, self._pnp_table())
        self.copies = [self._place(rom, ROM_SEGMENT)]

    def type_after(self, pc: Pc, ns: int, key: int) -> None:
        """Type a key after that time, once a key has been polled for."""
        self.keys.append((pc.chip.now - self._first_poll_at + ns, key))

    def _pnp_table(self) -> bytes:
        """[PnP-BIOS 1.0A 4.4] "bare" is a SeaBIOS without PnP: it has the
        signature as a string, followed by unrelated bytes."""
        if self.pnp in ("absent", "bare"):
            return b"$PnP\0" + b"pirates!" * 4 if self.pnp == "bare" else b""
        table = checksummed(b"$PnP\x10\x21" + bytes(7) + struct.pack(
            "<HHHIIHI", PNP_ENTRY, BIOS_SEGMENT, PNP_ENTRY, BIOS_SEGMENT << 4, 0, BIOS_SEGMENT,
            BIOS_SEGMENT << 4), 8)
        return table[:8] + bytes([table[8] ^ (self.pnp == "bad checksum")]) + table[9:]

    def _set_up_services(self) -> None:
        base = BIOS_SEGMENT << 4
        for vector in range(256):
            self._pc.poke(vector * 4, struct.pack("<HH", SERVICE + vector * 16, BIOS_SEGMENT))
            self._pc.poke(base + SERVICE + vector * 16, OPENING if vector == 0x10 else b"\xcf")
        jump = struct.pack("<Bh", 0xE9, BOOTSTRAP - (SERVICE + 0x19 * 16) - 3)
        self._pc.poke(base + SERVICE + 0x19 * 16, jump)
        self._pc.poke(base + BOOTSTRAP, BOOTSTRAP_CODE)
        self._pc.poke(base + STOP, b"\xf4")
        self._pc.poke(base + PMM_ENTRY, b"\xcb")
        self._pc.poke(base + PNP_ENTRY, b"\xcb")

    def _set_up_data_areas(self) -> None:
        words = {EQUIPMENT: 0x0020, MEMORY_SIZE: self._top_kib, VIDEO_MODE: 3, VIDEO_COLUMNS: 80,
                 TICKS: 0x1234, EBDA_POINTER: 0}
        if self.ebda:
            words |= {EBDA_POINTER: EBDA_KIB * 64, EBDA_KIB * 1024: 1}
        for address, value in words.items():
            self._pc.poke(address, struct.pack("<H", value))
        self._pc.poke(HARD_DISKS, bytes([self.disks]))
        self._pc.poke(KEYBOARD, bytes([KEYBOARD_101 * self.keyboard]))
        if self.floppies:
            self._pc.poke(EQUIPMENT, bytes([0x21 | self.floppies - 1 << 6]))

    # ---- Copies of the ROM --------------------------------------------------------------

    @property
    def image(self) -> range:
        return self.running.image

    @property
    def kept(self) -> int:
        return self.running.kept

    @property
    def init_result(self) -> Result | None:
        return self.running.init_result

    @property
    def entries(self) -> list[BootEntry]:
        return [entry for copy in self.copies for entry in copy.entries]

    def _place(self, data: bytes, segment: int, bdf: int = 0) -> Copy:
        """Put a copy at its final segment or, if init moves it, where init runs."""
        moves = self.pci_version >= 0x0300 and not self.in_place
        copy = Copy(data, INIT_SEGMENT if moves else segment, len(data), bdf,
                    segment if moves else 0)
        self._pc.poke(copy.image.start, data)
        self.running = copy
        return copy

    def _next_segment(self, data: bytes, copies: list[Copy]) -> int:
        """The segment after, or below, the kept parts of the copies so far."""
        if self.downwards:
            start = min((c.segment * 16 for c in copies), default=PERMANENT_AREA.start)
            return (start - len(data)) // ROM_ALIGNMENT * ROM_ALIGNMENT // 16
        end = max((c.segment * 16 + c.kept for c in copies), default=ROM_SEGMENT * 16)
        return (end + ROM_ALIGNMENT - 1) // ROM_ALIGNMENT * ROM_ALIGNMENT // 16

    # ---- Memory during POST -----------------------------------------------------------

    @property
    def taken(self) -> range:
        """Base memory that the copy being initialised has taken."""
        return range(self._pc.word(MEMORY_SIZE) * 1024, self._memory_before * 1024)

    def kept_memory(self) -> list[range]:
        """Memory that the ROM keeps permanently, and has not given back."""
        return [place for copy in self.copies for place in self.kept_by(copy)]

    def kept_by(self, copy: Copy) -> list[range]:
        top = self._pc.word(MEMORY_SIZE) * 1024
        return [range(max(place.start, top), place.stop) if place.stop <= BASE_MEMORY else place
                for place in copy.memory]

    def _own_blocks(self) -> list[Block]:
        """PMM blocks of the copy being initialised."""
        others = [place for copy in self.copies if copy is not self.running for place in copy.memory]
        return [block for block in self.memory.blocks if block.place not in others]

    @property
    def scratch(self) -> list[range]:
        """Unallocated memory that the copy being initialised may also use. Our stack may
        lie there: then the copy goes below it."""
        if self.running.initialised or not self.memory.refused:
            return []
        top, stack = self._memory_before, self._pc.stack
        low = top - SCRATCH_KIB
        if low * 1024 <= stack.start < top * 1024:
            low = min(low, stack.start // 1024 - UNPACKED_KIB)
        return [range(low * 1024, top * 1024)] if 0 < low and top <= 640 else []

    def temporary_memory(self) -> list[range]:
        """Where the image may be unpacked and run before init returns."""
        return [*(b.place for b in self._own_blocks() if not b.permanent), *self.scratch]

    def post_memory(self) -> list[range]:
        """Where an option ROM may write during POST."""
        places = [*(b.place for b in self._own_blocks()), *self.running.memory, self.image,
                  self.taken, *self.scratch, *self._post_memory]
        if not self.running.initialised:
            places += [BOOT_VECTORS["INT 18h"], BOOT_VECTORS["INT 19h"], self.running.room,
                       *self.vectors_of_copies()]
        return places

    def move_ebda(self, kib: int) -> None:
        """Another ROM takes this much base memory and leaves the EBDA at the
        bottom of it, directly above program memory."""
        pc = self._pc
        size = pc.word(MEMORY_SIZE) - kib
        ebda = pc.peek(pc.word(EBDA_POINTER) * 16, 1024)
        pc.poke(pc.word(EBDA_POINTER) * 16, bytes([JUNK]) * 1024)
        pc.poke(size * 1024, ebda + bytes([JUNK]) * (kib - 1) * 1024)
        pc.poke(EBDA_POINTER, struct.pack("<H", size * 64))
        pc.poke(MEMORY_SIZE, struct.pack("<H", size))

    def settle_memory(self, before: int) -> None:
        """40:13h was `before` KiB. At boot a ROM may take a buffer from base memory, and
        give back what it has taken, if there is nothing below it."""
        pc, after = self._pc, self._pc.word(MEMORY_SIZE)
        ours = [place for copy in self.copies for place in (*copy.memory, copy.far_code)]
        freed = range(max(before, pc.post_kib) * 1024, after * 1024, 1024)
        if not all(any(place.start < at + 1024 and at < place.stop for place in ours) for at in freed):
            raise RuleViolation("memory of others given back", f"{before} KiB became {after}")
        if after < pc.post_kib - BOOT_KIB * len(self.copies):
            raise RuleViolation("memory taken at boot", f"{before} KiB became {after}")

    # ---- POST -------------------------------------------------------------------------

    def run_post(self, *bdfs: int, roms: Sequence[bytes] = ()) -> None:
        """Initialise a copy of the ROM for each address and connect their
        drives. `roms` holds the ROM images if they differ."""
        for number, bdf in enumerate(bdfs):
            if number or roms:
                data = roms[number] if roms else self.copies[0].data
                segment = self._next_segment(data, self.copies[:number])
                self.copies[number:] = [self._place(data, segment)]
                self._pc.images_changed()
            self.running.bdf = bdf
            self._initialise(self.running)
            self._pc.images_changed()
            self._after_init(self.running)
            self.others(self._pc, number + 1)
        self._after_roms()
        self.running = self.copies[0]
        self._reclaim_memory()

    def _after_init(self, copy: Copy) -> None:
        """What a BIOS does before it initialises the next ROM."""

    def _after_roms(self) -> None:
        if self.manner not in WITHOUT_BBS:
            self._connect()

    def _initialise(self, copy: Copy) -> None:
        pc = self._pc
        before = {name: pc.peek(p.start, len(p)) for name, p in BOOT_VECTORS.items()}
        self._memory_before = pc.word(MEMORY_SIZE)
        self.memory.refused = not self.memory.is_there
        registers = self._init_registers(copy)
        self.calls_none = self.calls_no_entries(registers)
        copy.init_result = pc.far_call(copy.segment, INIT, registers)
        hooks = self.hooks_allowed()
        self._check_temporary_memory()
        if self.manner == SEABIOS:      # SeaBIOS restores INT 19h
            pc.poke(BOOT_VECTORS["INT 19h"].start, before["INT 19h"])
        for name, place in BOOT_VECTORS.items():
            if name not in hooks and pc.peek(place.start, len(place)) != before[name]:
                raise RuleViolation("boot vector hooked in init", name)
        if copy.stays_at:
            pc.poke(copy.image.start, bytes([JUNK]) * copy.size)
            copy.segment, copy.size = copy.stays_at, len(copy.room)
        copy.kept = self._check_image(copy)
        if copy.kept > MOST_WITHOUT_PMM and pc.rom_writable and not self.memory.is_there:
            raise RuleViolation("too much ROM kept", f"{copy.kept} bytes")
        copy.memory = [*(b.place for b in self._own_blocks() if b.permanent), self.taken]
        if copy.kept:
            copy.workspace = pc.note_workspace()
            if pc.note_far_code(copy):
                copy.memory[-1:] = [range(self.taken.start, copy.far_code.start),
                                    range(copy.far_code.stop, self.taken.stop)]
            if self.manner not in WITHOUT_BBS:
                copy.entries = list(self._walk())
        pc.poke(copy.image.start + copy.kept, bytes([GIVEN_BACK]) * (copy.size - copy.kept))
        self._memory_before = pc.word(MEMORY_SIZE)
        copy.initialised = True

    def _check_temporary_memory(self) -> None:
        """No temporary block is kept; the contents of freed scratch memory are lost."""
        if kept := [block.place for block in self._own_blocks() if not block.permanent]:
            raise RuleViolation("temporary memory kept", f"{kept[0].start:#x}")
        for place in self.scratch:
            free = range(place.start, min(place.stop, self._pc.word(MEMORY_SIZE) * 1024))
            self._pc.poke(free.start, bytes([GIVEN_BACK]) * len(free))

    def _init_registers(self, copy: Copy) -> dict[str, int]:
        bx = 0xFFFF if self.bx is None else self.bx
        if copy.stays_at and self.bx is None:
            bx = copy.stays_at
        if self.pnp == "absent":
            return {"ebx": bx} if bx != 0xFFFF else {}
        registers = {**self._pnp_registers(copy.bdf), "ebx": bx}
        if self.pointer:
            registers["es"], registers["edi"] = self.pointer
        return registers

    def _pnp_registers(self, ax: int) -> dict[str, int]:
        """BX and DX of FFFFh mean no ISA PnP card. ES:DI is our PnP structure."""
        return {"eax": ax, "ebx": 0xFFFF, "edx": 0xFFFF, "es": BIOS_SEGMENT, "edi": PNP_OFFSET}

    def _check_image(self, copy: Copy) -> int:
        """Size of the kept image as the BIOS sees it after init."""
        start = copy.image.start
        head = self._pc.peek(start, 3)
        if head[:2] != b"\x55\xaa" and copy.stays_at:
            raise RuleViolation("no image at the run-time segment", f"{copy.segment:04x}h")
        length = head[2] * 512
        if length > copy.size:
            raise RuleViolation("ROM header wrong", f"{length} bytes, which exceeds the space available")
        if sum(self._pc.peek(start, length)) & 0xFF:
            raise RuleViolation("ROM checksum wrong", f"after init, {length} bytes")
        return length

    def _connect(self) -> None:
        for entry in self.choose(self.entries):
            if entry.bcv:
                self.connect(entry)

    def connect(self, entry: BootEntry) -> Result:
        """Call a boot connection vector."""
        self.running = next(c for c in self.copies if entry in c.entries)
        ax = 0 if self.manner == SEABIOS else CONNECT_AS_IPL
        return self._pc.far_call(entry.segment, entry.bcv, self._pnp_registers(ax))

    def disconnect(self, entry: BootEntry) -> Result:
        """Call a disconnect vector: the BIOS has not booted from the device and
        reuses its drive number for another."""
        return self._pc.boot_call(entry.segment, entry.disconnect, {})

    def boot(self, entry: BootEntry, *loads: range) -> Result:
        """Call a bootstrap entry vector; `loads` is memory for the loaded
        program. The vector returns or jumps to that program."""
        ax = SEABIOS_BOOT if self.manner == SEABIOS else entry.bdf
        self._first_poll_at = None
        return self._pc.boot_call(entry.segment, entry.bev, self._pnp_registers(ax), *loads)

    def bootstrap(self, *loads: range) -> Result:
        """INT 19h with all its hooks: one of them boots, or all fail."""
        self._first_poll_at = None
        return self._pc.boot_interrupt(0x19, BOOT_SECTOR, *loads)

    def _reclaim_memory(self) -> None:
        """Memory that is not kept belongs to the BIOS or the operating system."""
        pc = self._pc
        pc.poke(TEMPORARY_AREA.start, bytes([JUNK]) * len(TEMPORARY_AREA))
        for block in self.memory.blocks:
            if not block.permanent:
                pc.poke(block.place.start, bytes([JUNK]) * len(block.place))
        for copy in self.copies:
            if copy.workspace and copy.workspace.start < pc.word(MEMORY_SIZE) * 1024:
                raise RuleViolation("workspace in free memory", f"{copy.workspace.start:#x}")

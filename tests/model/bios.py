# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The BIOS of the bench: its services, its tables, and how it treats an
option ROM during POST and at boot. Each service is an address in the F000
segment that Python answers.

[PCI-BIOS 2.1; PnP-BIOS 1.0A; BBS 1.01; PCI firmware 3.0; PMM 1.01; RBIL]
"""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.model.rules import RuleViolation

if TYPE_CHECKING:
    from tests.model.pc import Pc, Result

BIOS_SEGMENT = 0xF000
STOP = 0xFF00           # F000: a HLT to which calls return
SERVICE = 0xE000        # F000: one service each 16 bytes, an IRET, ...
OPENING = b"\xfb\x90\xcf"    # ... but video BIOSes let interrupts in: STI NOP IRET
PMM_ENTRY, PNP_ENTRY = 0xD000, 0xD100
BOOTSTRAP = 0xC800      # F000: what INT 19h does
PNP_OFFSET = 0x0100
PMM_TABLE = 0xF0000

ROM_SEGMENT = 0xC800
INIT_SEGMENT = 0x6000   # where a PCI 3.0 BIOS runs init
INIT, RUN_TIME_BLOCKS = 3, 0x16     # offsets: in the ROM header, in its PCI data structure
ROM_ALIGNMENT = 2048    # of each copy of a ROM
EBDA_KIB = 639
MEMORY_KIB = 16 * 1024

PERMANENT_AREA = range(0xE8000, 0xF0000)    # what PMM gives out
TEMPORARY_AREA = range(0x50000, 0x60000)
SCRATCH_KIB = 68        # below 40:13h, for a ROM that PMM gives nothing, until it returns
JUNK = 0x5A             # what the BIOS leaves in memory that it takes back
GIVEN_BACK = 0xF4       # HLT, where init has given a part of the image back, or memory

EQUIPMENT, MEMORY_SIZE, EBDA_POINTER = 0x410, 0x413, 0x40E
VIDEO_MODE, VIDEO_COLUMNS, TICKS = 0x449, 0x44A, 0x46C
DISKETTE_STATUS, DISK_STATUS, HARD_DISKS = 0x441, 0x474, 0x475
BOOT_SECTOR = range(0x7C00, 0x7E00)
BOOT_VECTORS = {"INT 9h": range(0x24, 0x28), "INT 10h": range(0x40, 0x44),
                "INT 13h": range(0x4C, 0x50), "INT 18h": range(0x60, 0x64),
                "INT 19h": range(0x64, 0x68), "40:75h": range(HARD_DISKS, HARD_DISKS + 1)}

CF, ZF, IF = 0x001, 0x040, 0x200
CHARACTER_NS = 100_000  # a teletype that also goes to a serial line

MOST_TEXT = 20_000

# BOCHS has a $PnP structure, but neither BBS nor boot connection vectors.
SEABIOS, SPECIFICATION, PCI_3, NO_BBS, BOCHS = (
    "SeaBIOS", "specification", "PCI 3.0", "no BBS", "Bochs")
WITHOUT_BBS = (NO_BBS, BOCHS)
PNP_KINDS = ("BBS", "no BBS", "bare", "bad checksum", "absent")
GET_BBS_VERSION, BBS_VERSION, PNP_UNSUPPORTED = 0x60, 0x0101, 0x82
CONNECT_AS_IPL = 0x0004     # AX for a boot connection vector [PnP-BIOS 1.0A]
SEABIOS_BOOT = 0xAA55       # AX for a bootstrap entry vector

PCI_STACK, PMM_STACK, PNP_STACK = 1024, 256, 1024   # bytes that a caller has to offer
# the first sector of drive 80h, and if there is none to run, INT 18h
BOOTSTRAP_CODE = bytes.fromhex(
    "31f6 8ec6 bb007c b80102 b90100 ba8000 cd13 720e 26813efe7d55aa 7505 ea007c0000 cd18 cf")
OWN_SECTORS = 0x12345678    # of each hard disk of the BIOS
KEY_NS = 50_000             # one look at the keyboard
PCI_UNSUPPORTED, PCI_NOT_FOUND, PCI_BAD_REGISTER = 0x81, 0x86, 0x87


def checksummed(table: bytes, at: int) -> bytes:
    """The table with a byte that makes its sum 0."""
    out = bytearray(table)
    out[at] = -sum(out) & 0xFF
    return bytes(out)


@dataclass(frozen=True)
class BootEntry:
    """What a BIOS reads from a PnP header, and in which copy of the ROM it is."""
    header: int
    bcv: int
    product: str
    bev: int = 0
    disconnect: int = 0
    segment: int = ROM_SEGMENT
    bdf: int = field(default=0, compare=False)


@dataclass
class Block:
    """Memory that PMM has given out."""
    place: range
    permanent: bool


@dataclass(eq=False)
class Copy:
    """The ROM in memory: a BIOS finds one for each controller. `segment` is
    where init runs, and later where what is kept of it stays."""
    data: bytes
    segment: int
    size: int               # bytes that it may use there
    bdf: int = 0            # what AX says at init
    stays_at: int = 0       # where it has to move to in init, 0 if nowhere
    initialised: bool = False
    init_result: Result | None = None
    kept: int = 0           # bytes of the image after init
    runs_at: int = 0        # segment, after init: it may be a copy in RAM
    entries: list[BootEntry] = field(default_factory=list)
    memory: list[range] = field(default_factory=list)   # what it has taken for good
    workspace: range | None = None

    @property
    def image(self) -> range:
        return range(self.segment * 16, self.segment * 16 + self.size)

    @property
    def room(self) -> range:
        """Where it has to move to in init: for what it says that it keeps at
        most, or for all of it."""
        pcir = int.from_bytes(self.data[0x18:0x1A], "little") + RUN_TIME_BLOCKS
        blocks = int.from_bytes(self.data[pcir:pcir + 2], "little") or len(self.data) // 512
        return range(self.stays_at * 16, self.stays_at * 16 + blocks * 512) if self.stays_at \
            else range(0)


class Pmm:
    """POST memory manager. Kinds: "1.01", "1.00" (knows no permanent blocks),
    "refusing", "unsupported", "bad checksum", "absent"."""

    CONVENTIONAL, PERMANENT = 1, 8
    UNSUPPORTED = 0xFFFFFFFF
    ALLOCATE, FIND, DEALLOCATE = 0, 1, 2

    def __init__(self, kind: str):
        assert kind in ("1.01", "1.00", "refusing", "unsupported", "bad checksum", "absent")
        self.kind = kind
        self.blocks: list[Block] = []
        self.refused = not self.is_there    # there is no memory to be had

    @property
    def is_there(self) -> bool:
        """Without it nobody can rely on boot entries, whatever BBS says."""
        return self.kind not in ("absent", "bad checksum")

    def table(self) -> bytes:
        if self.kind == "absent":
            return b""
        head = b"$PMM\x01\x10\0" + struct.pack("<HH", PMM_ENTRY, BIOS_SEGMENT) + bytes(5)
        return head if self.kind == "bad checksum" else checksummed(head, 6)

    def call(self, words: tuple[int, ...]) -> int:
        """What DX:AX becomes. `words` are the arguments on the stack."""
        if self.kind == "bad checksum":
            raise RuleViolation("PMM misused", "its table is broken")
        if self.kind == "unsupported":
            self.refused = True
            return self.UNSUPPORTED
        if words[0] == self.ALLOCATE:
            return self._allocate(words[1] | words[2] << 16, words[5])
        if words[0] == self.FIND:
            return 0
        if words[0] == self.DEALLOCATE:
            return self._deallocate(words[1] | words[2] << 16)
        raise RuleViolation("PMM misused", f"function {words[0]}")

    def _allocate(self, paragraphs: int, flags: int) -> int:
        if not flags & self.CONVENTIONAL:
            raise RuleViolation("PMM misused", f"flags {flags:#x}: real mode needs conventional memory")
        if self.kind == "refusing":
            self.refused = True
            return 0
        permanent = self.kind == "1.01" and bool(flags & self.PERMANENT)
        area = PERMANENT_AREA if permanent else TEMPORARY_AREA
        start = max((b.place.stop for b in self.blocks if b.place.start in area),
                    default=area.start)
        if start + paragraphs * 16 > area.stop:
            self.refused = True
            return 0
        self.blocks.append(Block(range(start, start + paragraphs * 16), permanent))
        return start

    def _deallocate(self, address: int) -> int:
        for block in self.blocks:
            if block.place.start == address:
                self.blocks.remove(block)
                return 0
        raise RuleViolation("PMM misused", f"{address:#x} is not a block")


@dataclass
class Bios:
    """Options of a BIOS, and what it has seen. `choose` is the user's boot
    order: of the entries found, those whose vectors are called, in order."""
    manner: str = SEABIOS
    pmm: str = "1.01"
    pci: bool = True
    pci_version: int = 0    # BX of INT 1Ah B101h; 0 is what goes with the manner
    in_place: bool = False  # init runs where the image stays, even with PCI 3.0
    downwards: bool = False # run-time segments of PCI 3.0 go down from E8000h
    bx: int | None = None   # BX at init; None: the run-time segment if there is one, else FFFFh
    pointer: tuple[int, int] | None = None  # ES and DI at init, if not those of its structure
    ebda: bool = True
    pnp: str = ""           # one of PNP_KINDS; "" is what goes with the manner
    disks: int = 0          # hard disks of its own, counted at 40:75h
    floppies: int = 0       # and floppies, counted at 40:10h
    answers: frozenset[int] = frozenset()   # drives that its INT 13h knows
    keys: deque = field(default_factory=deque)  # (ns after the first look, AX of INT 16h)
    choose: Callable[[list[BootEntry]], list[BootEntry]] = lambda entries: entries
    # other ROMs, run behind each copy of ours: (machine, copies so far)
    others: Callable[[Pc, int], None] = lambda pc, copies: None
    copies: list[Copy] = field(default_factory=list)
    running: Copy | None = None     # in POST; later the first
    noted: list[int] = field(default_factory=list)      # INT 18h and 19h
    eject_answer: int = 0x86    # AH of INT 15h AH=52h: CF comes with it, but for 0
    eject_asked: list[int] = field(default_factory=list)    # DL
    passed_on: deque = field(default_factory=lambda: deque(maxlen=16))  # registers at INT 13h

    def attach(self, pc: Pc) -> None:
        """Lay out the memory of a machine at power-on."""
        self._pc = pc
        self.memory = Pmm(self.pmm)
        self.pci_version = self.pci_version or (0x0300 if self.manner == PCI_3 else 0x0210)
        self.image_bytes = pc.rom.stat().st_size
        self._top_kib = self._memory_before = EBDA_KIB + (not self.ebda)
        self._post_memory = [range(MEMORY_SIZE, MEMORY_SIZE + 2), BOOT_VECTORS["INT 13h"],
                             BOOT_VECTORS["40:75h"]]
        self._set_up_services()
        self._set_up_data_areas()
        self._looked_at: int | None = None  # when the keyboard was looked at first
        pc.poke(PMM_TABLE, self.memory.table())
        self.pnp = self.pnp or {NO_BBS: "absent", BOCHS: "no BBS"}.get(self.manner, "BBS")
        assert self.pnp in PNP_KINDS
        pc.poke((BIOS_SEGMENT << 4) + PNP_OFFSET, self._pnp_table())
        self.copies = [self._place(pc.rom.read_bytes(), ROM_SEGMENT)]

    def _pnp_table(self) -> bytes:
        """[PnP-BIOS 1.0A 4.4] "bare" is a SeaBIOS without PnP: a text, and
        behind it whatever comes."""
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
        """Put a copy where it stays, or where its init runs."""
        moves = self.pci_version >= 0x0300 and not self.in_place
        copy = Copy(data, INIT_SEGMENT if moves else segment, len(data), bdf,
                    segment if moves else 0)
        self._pc.poke(copy.image.start, data)
        self.running = copy
        return copy

    def _next_segment(self, data: bytes, copies: list[Copy]) -> int:
        """Behind what is kept of the copies so far, or below it."""
        if self.downwards:
            start = min((c.segment * 16 for c in copies), default=PERMANENT_AREA.start)
            return (start - len(data)) // ROM_ALIGNMENT * ROM_ALIGNMENT // 16
        end = max((c.segment * 16 + c.kept for c in copies), default=ROM_SEGMENT * 16)
        return (end + ROM_ALIGNMENT - 1) // ROM_ALIGNMENT * ROM_ALIGNMENT // 16

    # ---- Memory during POST -----------------------------------------------------------

    @property
    def _taken(self) -> range:
        """From the 640 KiB, by the copy that is initialised."""
        return range(self._pc.word(MEMORY_SIZE) * 1024, self._memory_before * 1024)

    def kept_memory(self) -> list[range]:
        """What the ROM has taken for good."""
        return [place for copy in self.copies for place in copy.memory]

    def _own_blocks(self) -> list[Block]:
        """What PMM has given to the copy that is initialised."""
        others = [place for copy in self.copies if copy is not self.running for place in copy.memory]
        return [block for block in self.memory.blocks if block.place not in others]

    @property
    def scratch(self) -> list[range]:
        """Memory of nobody that the copy which is initialised may use, too."""
        if self.running.initialised or not self.memory.refused:
            return []
        top = self._memory_before
        return [range((top - SCRATCH_KIB) * 1024, top * 1024)] if SCRATCH_KIB < top <= 640 else []

    def temporary_memory(self) -> list[range]:
        """Where the image may be unpacked, and run, until init returns."""
        return [*(b.place for b in self._own_blocks() if not b.permanent), *self.scratch]

    def post_memory(self) -> list[range]:
        """Where an option ROM may write during POST."""
        places = [*(b.place for b in self._own_blocks()), *self.running.memory, self.image,
                  self._taken, *self.scratch, *self._post_memory]
        if not self.running.initialised:
            places += [BOOT_VECTORS["INT 19h"], self.running.room]
        return places

    def move_ebda(self, kib: int) -> None:
        """Another ROM wants so much of the memory, and leaves the EBDA at its
        foot, where the memory of programs ends."""
        pc = self._pc
        size = pc.word(MEMORY_SIZE) - kib
        ebda = pc.peek(pc.word(EBDA_POINTER) * 16, 1024)
        pc.poke(pc.word(EBDA_POINTER) * 16, bytes([JUNK]) * 1024)
        pc.poke(size * 1024, ebda + bytes([JUNK]) * (kib - 1) * 1024)
        pc.poke(EBDA_POINTER, struct.pack("<H", size * 64))
        pc.poke(MEMORY_SIZE, struct.pack("<H", size))

    # ---- POST -------------------------------------------------------------------------

    def run_post(self, *bdfs: int, roms: Sequence[bytes] = ()) -> None:
        """Initialise a copy of the ROM for each address, and make their drives
        boot devices. `roms` are the files, if they are not all the same."""
        for number, bdf in enumerate(bdfs):
            if number or roms:
                data = roms[number] if roms else self.copies[0].data
                segment = self._next_segment(data, self.copies[:number])
                self.copies[number:] = [self._place(data, segment)]
                self._pc.images_changed()
            self.running.bdf = bdf
            self._initialise(self.running)
            self._pc.images_changed()
            self.others(self._pc, number + 1)
        if self.manner not in WITHOUT_BBS:
            self._connect()
        self.running = self.copies[0]
        self._take_back_memory()

    def _initialise(self, copy: Copy) -> None:
        pc = self._pc
        before = {name: pc.peek(p.start, len(p)) for name, p in BOOT_VECTORS.items()}
        self._memory_before = pc.word(MEMORY_SIZE)
        self.memory.refused = not self.memory.is_there
        copy.init_result = pc.far_call(copy.segment, INIT, self._init_registers(copy))
        self._check_temporary_memory()
        if self.manner == SEABIOS:      # it is not one for hooks of INT 19h
            pc.poke(BOOT_VECTORS["INT 19h"].start, before["INT 19h"])
        for name, place in BOOT_VECTORS.items():
            allowed = name == "INT 19h" and not (self.pnp == "BBS" and self.memory.is_there)
            if not allowed and pc.peek(place.start, len(place)) != before[name]:
                raise RuleViolation("boot vector hooked in init", name)
        if copy.stays_at:
            pc.poke(copy.image.start, bytes([JUNK]) * copy.size)
            copy.segment, copy.size = copy.stays_at, len(copy.room)
        copy.kept = self._check_image(copy)
        copy.memory = [*(b.place for b in self._own_blocks() if b.permanent), self._taken]
        if copy.kept:
            copy.workspace = pc.note_workspace()
            if self.manner not in WITHOUT_BBS:
                copy.entries = list(self._walk())
        pc.poke(copy.image.start + copy.kept, bytes([GIVEN_BACK]) * (copy.size - copy.kept))
        self._memory_before = pc.word(MEMORY_SIZE)
        copy.initialised = True

    def _check_temporary_memory(self) -> None:
        """Nothing of it is kept, and what was in it is gone."""
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
        """No ISA PnP card: BX and DX say so. ES:DI is our PnP structure."""
        return {"eax": ax, "ebx": 0xFFFF, "edx": 0xFFFF, "es": BIOS_SEGMENT, "edi": PNP_OFFSET}

    def _check_image(self, copy: Copy) -> int:
        """Bytes that the ROM keeps, as the BIOS sees it after init."""
        start = copy.image.start
        head = self._pc.peek(start, 3)
        if head[:2] != b"\x55\xaa" and copy.stays_at:
            raise RuleViolation("no image at the run-time segment", f"{copy.segment:04x}h")
        length = head[2] * 512
        if length > copy.size:
            raise RuleViolation("ROM header wrong", f"{length} bytes, more than there was room for")
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
        """Call a disconnect vector: the BIOS has not booted from it, and wants
        its number for another device."""
        return self._pc.boot_call(entry.segment, entry.disconnect, {})

    def boot(self, entry: BootEntry, *loads: range) -> Result:
        """Call a bootstrap entry vector, with memory for what it loads. It
        returns, or goes to something that it has loaded."""
        ax = SEABIOS_BOOT if self.manner == SEABIOS else entry.bdf
        self._looked_at = None
        return self._pc.boot_call(entry.segment, entry.bev, self._pnp_registers(ax), *loads)

    def bootstrap(self, *loads: range) -> Result:
        """INT 19h, with whoever has hooked it. Somebody boots, or all give up."""
        self._looked_at = None
        return self._pc.boot_interrupt(0x19, BOOT_SECTOR, *loads)

    def _walk(self):
        """The chain of PnP headers; SeaBIOS looks at their signatures only."""
        start, seen = self.image.start, set()
        header = self._pc.word(start + 0x1A)
        while header:
            if header in seen:
                raise RuleViolation("PnP header wrong", f"{header:#x}: the chain is a ring")
            seen.add(header)
            if self.manner != SEABIOS:
                self._check_header(header)
            elif self._pc.peek(start + header, 4) != b"$PnP":
                return
            product = self._string(self._pc.word(start + header + 0x10))
            bcv, disconnect, bev = struct.unpack("<3H", self._pc.peek(start + header + 0x16, 6))
            yield BootEntry(header, bcv, product, bev, disconnect, start // 16, self.running.bdf)
            header = self._pc.word(start + header + 6)

    def _string(self, offset: int) -> str:
        kept = self._pc.peek(self.image.start, self.kept)
        if not 0 < offset < len(kept) or b"\0" not in kept[offset:]:
            raise RuleViolation("PnP header wrong", f"no text at {offset:#x}")
        return kept[offset:kept.index(b"\0", offset)].decode("ascii")

    def _check_header(self, offset: int) -> None:
        """[PnP-BIOS 1.0A "Expansion header for Plug and Play"]"""
        data = self._pc.peek(self.image.start + offset, 0x20)
        kept = self.kept
        bcv, bev, manufacturer = (struct.unpack_from("<H", data, at)[0] for at in (0x16, 0x1A, 0xE))
        wrong = {"signature": data[:4] != b"$PnP", "place": offset % 16 or offset + 0x20 > kept,
                 "revision": data[4] != 1, "length": data[5] != 2, "checksum": sum(data) & 0xFF,
                 "device type": data[0x12] != 1, "boot connection vector": bcv >= kept,
                 "bootstrap entry vector": bev >= kept, "no vector": not (bcv or bev),
                 "both vectors": bcv and bev,
                 "disconnect vector": struct.unpack_from("<H", data, 0x18)[0] >= kept}
        for what, is_wrong in wrong.items():
            if is_wrong:
                raise RuleViolation("PnP header wrong", f"{offset:#x}: {what}")
        self._string(manufacturer)

    def _take_back_memory(self) -> None:
        """What is not kept belongs to the BIOS or the operating system."""
        pc = self._pc
        pc.poke(TEMPORARY_AREA.start, bytes([JUNK]) * len(TEMPORARY_AREA))
        for block in self.memory.blocks:
            if not block.permanent:
                pc.poke(block.place.start, bytes([JUNK]) * len(block.place))
        for copy in self.copies:
            if copy.workspace and copy.workspace.start < pc.word(MEMORY_SIZE) * 1024:
                raise RuleViolation("workspace in free memory", f"{copy.workspace.start:#x}")

    # ---- Services ---------------------------------------------------------------------

    def service(self, offset: int) -> None:
        """The CPU has come to F000:offset."""
        if offset in (PMM_ENTRY, PNP_ENTRY):
            (self._pmm_call if offset == PMM_ENTRY else self._pnp_call)()
            return
        if offset in range(BOOTSTRAP, BOOTSTRAP + len(BOOTSTRAP_CODE)):
            return
        number = (offset - SERVICE) // 16
        if number == 0x10 and offset > SERVICE + number * 16:
            return
        if offset != SERVICE + number * 16 or number not in range(256):
            raise RuleViolation("BIOS service not expected", f"F000:{offset:04x}")
        if number == 0x1C and self._pc.timer.running:
            return
        answer = self.SERVICES.get(number)
        allowed = self.AT_BOOT if self._pc.booting else self.AFTER_BOOT
        if answer is None or (self._pc.booted and number not in allowed):
            raise RuleViolation("BIOS service not expected", f"INT {number:02x}h")
        answer(self)

    def _get(self, name: str) -> int:
        """A register, or its lower half by its 16-bit name."""
        return self._pc.get(name) if name[0] == "e" and len(name) == 3 else (
            self._pc.get(f"e{name}") & 0xFFFF)

    def _set(self, name: str, value: int) -> None:
        if name[0] == "e" and len(name) == 3:
            self._pc.set(name, value)
        else:
            self._pc.set(f"e{name}", self._pc.get(f"e{name}") & 0xFFFF0000 | value & 0xFFFF)

    def _set_ah(self, value: int) -> None:
        self._set("ax", self._get("ax") & 0x00FF | value << 8)

    def _return_flag(self, flag: int, on: bool) -> None:
        """Set a flag in the frame that INT has pushed."""
        at = (self._pc.get("ss") << 4) + (self._get("sp") + 4 & 0xFFFF)
        flags = self._pc.word(at) & ~flag | (flag if on else 0)
        self._pc.poke(at, struct.pack("<H", flags))

    def _need_stack(self, least: int, who: str) -> None:
        """Our own stack has its end; the one of the bench has enough."""
        stack, sp = self._pc.get("ss") << 4, self._get("sp")
        ours = [*self.kept_memory(), *(block.place for block in self._own_blocks()), self._taken]
        if any(stack in place for place in ours) and sp - 4 < least:
            raise RuleViolation("stack too small for the BIOS", f"{sp - 4} bytes for {who}")

    def _int10(self) -> None:
        function = self._get("ax") >> 8
        if function == 0x0E:
            self._pc.text += chr(self._get("ax") & 0xFF)
            if len(self._pc.text) > MOST_TEXT:
                raise RuleViolation("step bound", "it does not stop printing")
            self._pc.pass_time(CHARACTER_NS)
        elif function == 0x0F:
            self._set("ax", 80 << 8 | 3)
            self._set("bx", self._get("bx") & 0xFF)
        elif function == 0x03:
            self._set("cx", 0x0607)
            self._set("dx", 0)
        else:
            raise RuleViolation("BIOS service not expected", f"INT 10h AH={function:02x}h")

    def _int11(self) -> None:
        self._set("ax", self._pc.word(EQUIPMENT))

    def _int12(self) -> None:
        self._set("ax", self._pc.word(MEMORY_SIZE))

    def _int13(self) -> None:
        """The handler from before: no function is known, for any drive but
        those that have answers."""
        self.passed_on.append(self._pc.registers())
        good = self._get("dx") & 0xFF in self.answers and self._int13_answer(
            self._get("ax") >> 8, self._get("dx") & 0xFF)
        if not good:
            self._set_ah(0x01)
        self._return_flag(CF, not good)

    def _int13_answer(self, function: int, drive: int) -> bool:
        """For a drive of the BIOS. False if it does not know the function."""
        floppy = drive < 0x80
        if function == 0x08:
            of_its_kind = sum((d < 0x80) == floppy for d in self.answers if d < 0xE0)
            self._set("ax", 0)
            self._set("bx", self._get("bx") & 0xFF00 | (4 if floppy else 0))
            self._set("cx", 0x4F12 if floppy else 0xFEBF)
            self._set("dx", of_its_kind | (0x0100 if floppy else 0x0F00))
        elif function == 0x15:
            self._set_ah(2 if floppy else 3)
            if not floppy:
                self._set("cx", OWN_SECTORS >> 16)
                self._set("dx", OWN_SECTORS)
        elif function == 0x41 and not floppy:
            self._set("bx", 0xAA55)
            self._set("cx", 0x0001)
            self._set_ah(0x21)
        elif function in (0x00, 0x02, 0x42):
            self._set_ah(0)
        else:
            return False
        return True

    def _int15(self) -> None:
        if self._pc.booted:
            self._eject_asked()
        elif self._get("ax") == 0xE820:
            self._memory_map()
        elif self._get("ax") >> 8 == 0x88:
            self._set("ax", MEMORY_KIB - 1024)
            self._return_flag(CF, False)
        else:
            self._set_ah(0x86)
            self._return_flag(CF, True)

    def _eject_asked(self) -> None:
        """[EDD-3 "INT 15h AH=52h"] No other function is there for a disk driver."""
        if self._get("ax") >> 8 != 0x52:
            raise RuleViolation("BIOS service not expected", f"INT 15h AX={self._get('ax'):04x}h")
        self.eject_asked.append(self._get("dx") & 0xFF)
        self._set_ah(self.eject_answer)
        self._return_flag(CF, self.eject_answer != 0)

    def _memory_map(self) -> None:
        usable, reserved = 1, 2
        ends = [(0, self._pc.word(MEMORY_SIZE) * 1024, usable),
                (self._top_kib * 1024, 0xA0000, reserved), (0xE8000, 0x100000, reserved),
                (0x100000, MEMORY_KIB * 1024, usable)]
        index = self._get("ebx")
        good = index < len(ends) and self._get("ecx") >= 20
        self._return_flag(CF, not good)
        if good:
            start, end, kind = ends[index]
            self._pc.poke((self._pc.get("es") << 4) + self._get("di"),
                          struct.pack("<QQI", start, end - start, kind))
            self._set("eax", 0x534D4150)
            self._set("ecx", 20)
            self._set("ebx", (index + 1) % len(ends))

    def _int16(self) -> None:
        """The keys of `keys`, each when its time has come."""
        function, now = self._get("ax") >> 8, self._pc.chip.now
        self._looked_at = now if self._looked_at is None else self._looked_at
        typed = bool(self.keys) and now >= self._looked_at + self.keys[0][0]
        if function in (0x01, 0x11):
            self._pc.pass_time(KEY_NS)
            self._return_flag(ZF, not typed)
            if typed:
                self._set("ax", self.keys[0][1])
        elif function in (0x00, 0x10) and typed:
            self._set("ax", self.keys.popleft()[1])
        elif function in (0x02, 0x12):
            self._set("ax", function << 8)
        else:
            raise RuleViolation("BIOS service not expected", f"INT 16h AH={function:02x}h")

    def _int18(self) -> None:
        self.noted.append(0x18)

    def _int19(self) -> None:
        self.noted.append(0x19)

    # ---- INT 1Ah ----------------------------------------------------------------------

    def _int1a(self) -> None:
        function = self._get("ax")
        if function >> 8 == 0x00:
            ticks = self._pc.word(TICKS) | self._pc.word(TICKS + 2) << 16
            self._set("cx", ticks >> 16)
            self._set("dx", ticks)
            self._set("ax", 0)
        elif function >> 8 == 0xB1 and self.pci:
            self._need_stack(PCI_STACK, "INT 1Ah")
            status = self._pci(function & 0xFF)
            self._set_ah(status)
            self._return_flag(CF, status != 0)
        else:
            self._return_flag(CF, True)

    def _pci(self, function: int) -> int:
        """A PCI BIOS function; returns its status."""
        if function == 0x01:
            self._set("edx", 0x20494350)
            self._set("bx", self.pci_version)
            self._set("cx", self._get("cx") & 0xFF00 | self._pc.pci.last_bus)
            self._set("ax", 0x0001)
            return 0
        if function == 0x02:
            return self._pci_found(self._pc.pci.find(
                self._get("cx") << 16 | self._get("dx"), self._get("si")))
        if function == 0x03:
            return self._pci_found(self._pc.pci.find_class(
                self._get("ecx") & 0xFFFFFF, self._get("si")))
        if 0x08 <= function <= 0x0D:
            return self._pci_register(function)
        return PCI_UNSUPPORTED

    def _pci_found(self, address: int | None) -> int:
        if address is None:
            return PCI_NOT_FOUND
        self._set("bx", address)
        return 0

    def _pci_register(self, function: int) -> int:
        size = 1 << (function - 8) % 3
        address, register = self._get("bx"), self._get("di")
        if register + size > 256 or register % size:
            return PCI_BAD_REGISTER
        mask = (1 << 8 * size) - 1
        if function < 0x0B:
            self._set("ecx", self._get("ecx") & ~mask & 0xFFFFFFFF
                      | self._pc.pci.read(address, register, size))
        else:
            self._pc.pci.write(address, register, size, self._get("ecx") & mask)
        return 0

    # ---- INT 4Bh ----------------------------------------------------------------------

    def _int4b(self) -> None:
        """There is none but that of a memory manager."""
        if self._pc.vds is None:
            raise RuleViolation("BIOS service not expected", "INT 4bh")
        pointer = (self._pc.get("es") << 4) + self._get("di")
        error, registers = self._pc.vds.call(self._get("ax"), self._get("dx"), pointer)
        for name, value in registers.items():
            self._set(name, value)
        if error:
            self._set("ax", self._get("ax") & 0xFF00 | error)
        self._return_flag(CF, error != 0)

    # ---- PMM --------------------------------------------------------------------------

    def _pmm_call(self) -> None:
        if self._pc.booted:
            raise RuleViolation("PMM misused", "it is gone after POST")
        self._need_stack(PMM_STACK, "PMM")
        stack = (self._pc.get("ss") << 4) + self._get("sp") + 4
        before = [block.place for block in self.memory.blocks]
        result = self.memory.call(struct.unpack("<6H", self._pc.peek(stack, 12)))
        for place in before:
            if place not in [block.place for block in self.memory.blocks]:
                self._pc.poke(place.start, bytes([GIVEN_BACK]) * len(place))
        self._pc.allow_post_writes()
        self._pc.images_changed()
        self._set("ax", result)
        self._set("dx", result >> 16)

    # ---- PnP --------------------------------------------------------------------------

    def _pnp_call(self) -> None:
        """[PnP-BIOS 1.0A 4.5; BBS 1.01 "Get version and installation check"]"""
        if self.pnp in ("bad checksum", "bare") or self._pc.booted:
            raise RuleViolation("PnP BIOS misused", "nobody offers it")
        self._need_stack(PNP_STACK, "the PnP BIOS")
        stack = (self._pc.get("ss") << 4) + self._get("sp") + 4
        function, offset, segment, selector = struct.unpack("<4H", self._pc.peek(stack, 8))
        if function != GET_BBS_VERSION or selector != BIOS_SEGMENT:
            raise RuleViolation("PnP BIOS misused", f"function {function:02x}h, DS {selector:04x}h")
        if self.pnp == "BBS":
            self._pc.write_for("PnP BIOS", segment * 16 + offset, struct.pack("<H", BBS_VERSION))
        self._set("ax", 0 if self.pnp == "BBS" else PNP_UNSUPPORTED)

    SERVICES = {0x10: _int10, 0x11: _int11, 0x12: _int12, 0x13: _int13, 0x15: _int15,
                0x16: _int16, 0x18: _int18, 0x19: _int19, 0x1A: _int1a, 0x4B: _int4b}
    AFTER_BOOT = {0x13, 0x15, 0x18, 0x19, 0x4B}
    AT_BOOT = {*AFTER_BOOT, 0x10, 0x11, 0x12, 0x16, 0x1A}

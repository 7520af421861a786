# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""How BIOSes of the 1990s, and the Bochs BIOS, treat an option ROM that has
disks. Each kind is a row of KINDS; boards.S has the code with which it boots.

Seen: 15 boards in 86Box, with all their calls of INT 13h, 18h and 19h. Bochs:
its source. Where a row names something that was not seen, its comment says so.
"""

from __future__ import annotations

import functools
import struct
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.model.bios import BootEntry, Bios, Copy
from tests.model.bios_data import (BIOS_SEGMENT, BOARD, BOOTSTRAP, BOOT_SECTOR, BOOT_VECTORS,
                                   CONNECT_AS_IPL, DISK_STATUS, EBDA_POINTER, HARD_DISKS, JUNK,
                                   PNP_OFFSET, SERVICE)

if TYPE_CHECKING:
    from tests.model.pc import Pc, Result

SOURCE = Path(__file__).with_suffix(".S")
SECOND = 1_000_000_000
NO_DEVICE, A_DRIVE, NETWORK = 0, 1, 2           # answers of PICK
GARBAGE = (0xF000, 0x1D2E)                      # ES:DI at init
LOW_STACK, HIGH_STACK = range(0x7800, 0x7C00), range(0xF800, 0xFFFE)    # in segment 0
EBDA_KIB_LATER = 2
IDE_SECTOR = struct.pack("<8s", b"IDE disk")


@dataclass(frozen=True)
class Kind:
    """One kind of BIOS. `code` is its INT 19h handler, a label of boards.S."""
    code: str
    takes_19h: str = ""         # label that replaces INT 19h after the ROM scan
    takes_13h: str = ""         # "all": after the scan; "hooked": if a ROM has hooked it
    calls: str = ""             # boot connection vectors, right after each init: "first", "all"
    calls_late: bool = False    # all of them 2 s after the ROM scan
    calls_bev: bool = False             # of a CD, if no disk boots
    points_at_pnp: bool = False         # ES:DI at init
    counts_ide_late: bool = False       # its own drives, after init and before connection
    asks_early: bool = False            # AH=41h of drive 80h after the ROM scan
    grows_ebda: bool = False            # after the ROM scan
    drive: int = 0x80                   # DL for a boot sector of the first hard disk
    network: bool = True                # a dispatcher takes an INT 18h vector for a device
    pnp: str = "no BBS"
    takes_18h: str = ""                 # label that INT 18h jumps to
    stacks: tuple[range, ...] = (LOW_STACK,)    # in segment 0: that of an MBR, its own


PHOENIX = dict(code="FOUR_TRIES", points_at_pnp=True, counts_ide_late=True, drive=0x00)
MEDALLION = dict(code="CHAINED", takes_19h="DISPATCHER", takes_13h="all")
BOCHS_CODE = dict(code="BOCHS", takes_18h="BOCHS_18H", points_at_pnp=True,
                  stacks=(LOW_STACK, HIGH_STACK))

KINDS = {
    # ASUS P3B-F and others: saves our INT 19h and calls it from its dispatcher
    "Medallion": Kind(**MEDALLION),
    # P3B-F: calls boot entries after it has decided that there is no hard disk
    "Medallion, late calls": Kind(**MEDALLION, calls_late=True),
    # P3B-F: its boot order has the network only if the user chooses it
    "Medallion, no network": Kind(**MEDALLION, network=False),
    # Supermicro P5MMS98 and others: never calls our INT 19h
    "AMI": Kind("CHAINED", takes_19h="AMI", takes_13h="hooked"),
    "AMI, early question": Kind("CHAINED", takes_19h="AMI", takes_13h="hooked", asks_early=True),
    # ABIT BF6: decides between ROM scan and INT 19h
    "Award BF6": Kind("DECIDED"),
    # ASUS P2B-LS and P55T2P4, Intel VS440FX and TC430HX, MSI MS-6119, 4SAW2
    "P2B-LS": Kind("STAYS"),
    # Whether a BIOS calls only the first header was not seen.
    "Phoenix": Kind(**PHOENIX, calls="first"),
    "Phoenix, all headers": Kind(**PHOENIX, calls="all"),
    # Micronics M7S-Hi: calls bootstrap entry vectors after INT 19h has found no disk
    "Phoenix, calls CDs": Kind(**PHOENIX, calls="all", calls_bev=True),
    # Intel AN430TX: hangs in POST if more than 16 KiB stay, which all models check
    "AN430TX": Kind(**PHOENIX, calls="all", grows_ebda=True),
    # Bochs: from 2.4 on; before 2.3.7 it knew bootstrap entry vectors only, which it
    # does not call unless its boot order names them
    "Bochs": Kind(**BOCHS_CODE, calls="first", pnp="BBS"),
    "Bochs 2.3": Kind(**BOCHS_CODE, pnp="bare"),
}
WITH_CALLS = [name for name, kind in KINDS.items() if kind.points_at_pnp]
WITHOUT_CALLS = [name for name, kind in KINDS.items() if not kind.points_at_pnp]


@functools.cache
def assembled() -> tuple[bytes, dict[str, int]]:
    """boards.S for BOOTSTRAP, and its labels."""
    with tempfile.TemporaryDirectory() as folder:
        elf = f"{folder}/boards.elf"
        subprocess.run(["gcc", "-m16", "-c", str(SOURCE), "-o", f"{elf}.o"], check=True)
        subprocess.run(["ld", "-m", "elf_i386", "-e", "0", f"-Ttext={BOOTSTRAP:#x}",
                        f"--defsym=SERVICE_13H={SERVICE + 0x13 * 16}", "-o", elf, f"{elf}.o"],
                       check=True)
        subprocess.run(["objcopy", "-O", "binary", "-j", ".text", elf, f"{elf}.bin"], check=True)
        names = subprocess.run(["nm", elf], check=True, capture_output=True, text=True).stdout
        labels = {name: int(at, 16) for at, _, name in map(str.split, names.splitlines())}
        return Path(f"{elf}.bin").read_bytes(), labels


def label(name: str) -> int:
    return assembled()[1][name]


def ide_sector(lba: int) -> bytes:
    """A sector of the board's own hard disk; the first is a boot sector."""
    return (IDE_SECTOR + struct.pack("<I", lba)).ljust(510, b"\xFE") + b"\x55\xAA"


@dataclass
class BoardBios(Bios):
    """A BIOS of one of KINDS. `disks`: its own hard disks."""
    manner: str = BOARD
    pmm: str = "absent"
    kind: str = "P2B-LS"
    ide: Callable[[int], bytes] = ide_sector
    asked: Result | None = None     # the answer to the early question
    counted: int = 0                # 40:75h after the ROM scan
    hooked: list[set[str]] = field(default_factory=list)    # boot vectors, by each init
    picks: list[tuple[int, int]] = field(default_factory=list)  # devices not yet tried, and DL

    @property
    def row(self) -> Kind:
        return KINDS[self.kind]

    @property
    def code_length(self) -> int:
        return len(assembled()[0])

    @property
    def stacks(self) -> tuple[range, ...]:
        return self.row.stacks

    def attach(self, pc: Pc) -> None:
        self.pnp = self.pnp or self.row.pnp
        self.answers = frozenset(range(0x80, 0x80 + self.disks))
        super().attach(pc)
        if self.row.counts_ide_late:
            pc.poke(HARD_DISKS, b"\0")

    def _set_up_services(self) -> None:
        super()._set_up_services()
        self._pc.poke((BIOS_SEGMENT << 4) + BOOTSTRAP, assembled()[0])
        self._jump_from(SERVICE + 0x19 * 16, self.row.code)
        if self.row.takes_18h:
            self._jump_from(SERVICE + 0x18 * 16, self.row.takes_18h)

    def _jump_from(self, offset: int, name: str) -> None:
        self._pc.poke((BIOS_SEGMENT << 4) + offset,
                      struct.pack("<BH", 0xE9, label(name) - offset - 3 & 0xFFFF))

    def _keep(self, name: str, data: bytes) -> None:
        """Store data of boards.S."""
        self._pc.poke((BIOS_SEGMENT << 4) + label(name), data)

    # ---- POST -------------------------------------------------------------------------

    def _init_registers(self, copy: Copy) -> dict[str, int]:
        registers = super()._init_registers(copy)
        if self.row.code == "BOCHS":
            registers |= {"eax": BIOS_SEGMENT, "ebx": 0, "ecx": copy.segment}
        if not self.pointer and not self.row.points_at_pnp:
            registers["es"], registers["edi"] = GARBAGE
        return registers

    def post_memory(self) -> list[range]:
        """Ours; what INT 13h handlers write: other copies' memory, and the status; and the
        mark of a boot sector that an earlier boot has left."""
        left = [range(BOOT_SECTOR.stop - 2, BOOT_SECTOR.stop)] * (
            self._pc.word(BOOT_SECTOR.stop - 2) == 0xAA55)
        return [*super().post_memory(), *self.kept_memory(), range(DISK_STATUS, DISK_STATUS + 1), *left]

    def _after_init(self, copy: Copy) -> None:
        self.hooked.append({name for name in ("INT 13h", "INT 18h", "INT 19h")
                            if copy.kept and self._segment_of(name) in (copy.segment, copy.runs_at)})
        if self.row.counts_ide_late and copy is self.copies[0]:
            ours = self._pc.peek(HARD_DISKS, 1)[0]
            self._pc.poke(HARD_DISKS, bytes([ours + self.disks]))
        if copy.kept and (self.row.calls or self.row.calls_late):
            copy.entries = list(self._walk())
        if self.row.calls:
            self._call_entries(copy)
        if self.row.calls_bev:
            for entry in [e for e in copy.entries if e.bev][:1]:
                self._keep("bootstrap_entry", struct.pack("<HH", entry.bev, entry.segment))

    def _segment_of(self, vector: str) -> int:
        return self._pc.word(BOOT_VECTORS[vector].start + 2)

    def _call_entries(self, copy: Copy) -> None:
        """Only the first header, or all. One without a boot connection vector is not called."""
        entries = copy.entries[:1] if self.row.calls == "first" else copy.entries
        for entry in entries:
            if entry.bcv:
                self.connect(entry)

    def connect(self, entry: BootEntry) -> Result:
        self.running = next(c for c in self.copies if entry in c.entries)
        registers = {"eax": CONNECT_AS_IPL, "ebx": entry.bdf, "ecx": 0x0103, "edx": 0xFFFF,
                     "es": BIOS_SEGMENT, "edi": PNP_OFFSET}
        if self.row.code == "BOCHS":
            registers |= {"eax": entry.bcv, "ebx": BIOS_SEGMENT, "ecx": entry.segment}
        return self._pc.far_call(entry.segment, entry.bcv, registers)

    def _after_roms(self) -> None:
        pc, row = self._pc, self.row
        self.counted = pc.peek(HARD_DISKS, 1)[0]
        self._keep("counted", bytes([self.counted]))
        if row.asks_early:
            self.asked = pc.post_interrupt(0x13, {"eax": 0x4100, "ebx": 0x55AA, "edx": 0x80})
        if row.calls_late:
            pc.pass_time(2 * SECOND)
            for copy in self.copies:
                self._call_entries(copy)
        if row.grows_ebda:
            self._grow_ebda()
        if row.takes_13h == "all" or row.takes_13h and self._segment_of("INT 13h") != BIOS_SEGMENT:
            self._take_13h()
        if row.takes_19h:
            self._keep("saved_19h", pc.peek(0x19 * 4, 4))
            pc.poke(0x19 * 4, struct.pack("<HH", label(row.takes_19h), BIOS_SEGMENT))

    def _grow_ebda(self) -> None:
        """Seen: the EBDA moves below 40:13h, which decreases by 1, but its size becomes
        2 KiB: the upper one belongs to a ROM that has taken memory."""
        pc = self._pc
        self.move_ebda(1)
        start = pc.word(EBDA_POINTER) * 16
        ebda = range(start, start + EBDA_KIB_LATER * 1024)
        pc.poke(start, bytes([EBDA_KIB_LATER]) + bytes([JUNK]) * (len(ebda) - 1))
        for copy in self.copies:
            copy.memory = [range(max(place.start, ebda.stop), place.stop)
                           if place.start < ebda.stop and place.stop > ebda.start else place
                           for place in copy.memory]

    def _take_13h(self) -> None:
        """An AMI takes calls for floppies only: it finds hard disks of its own after ours."""
        first = 0x80 if self.row.takes_13h == "hooked" else 0x80 + self.disks
        self._keep("below_13h", self._pc.peek(0x13 * 4, 4))
        self._keep("passed_from", bytes([first]))
        self._pc.poke(0x13 * 4, struct.pack("<HH", label("HANDLER_13H"), BIOS_SEGMENT))

    # ---- Boot -------------------------------------------------------------------------

    def give_up(self, *loads: range) -> Result:
        """The program that was booted has nothing to start: INT 18h on an MBR's usual stack."""
        return self._pc.boot_interrupt(0x18, *loads, stack=(0, LOW_STACK.stop))

    def service(self, offset: int) -> None:
        name = next((n for n in self.LABELS if label(n) == offset), None)
        if name:
            self.LABELS[name](self)
        elif not BOOTSTRAP <= offset < BOOTSTRAP + self.code_length:
            super().service(offset)

    def _begin(self) -> None:
        """The boot order. A dispatcher counts hard disks right after the ROM scan; an
        INT 18h vector that is not the BIOS's is a network card."""
        if self.row.takes_19h == "DISPATCHER":
            network = self.row.network and self._segment_of("INT 18h") != BIOS_SEGMENT
            scsi = self.counted > self.disks
            self.picks = [*[(A_DRIVE, 0x80)] * bool(self.disks), *[(NETWORK, 0)] * network,
                          *[(A_DRIVE, 0x80 + self.disks)] * scsi]
        else:
            self.picks = [(A_DRIVE, 0x80), (A_DRIVE, 0x00)]

    def _pick(self) -> None:
        device, drive = self.picks.pop(0) if self.picks else (NO_DEVICE, 0)
        self._set("ax", device)
        self._set("dx", drive)

    def _take_if_counted(self) -> None:
        if self._segment_of("INT 13h") != BIOS_SEGMENT:
            self._take_13h()

    def _failed(self) -> None:
        self.noted.append(0x18)

    def _own_stack(self) -> None:
        segment, sp = self._pc.frame
        self._pc.set("ss", segment)
        self._pc.set("esp", sp)

    LABELS = {"DISPATCHER": _begin, "BOCHS": _begin, "PICK": _pick, "TAKE_13H": _take_if_counted,
              "FAILED": _failed, "OWN_STACK": _own_stack}

    def _int13_answer(self, function: int, drive: int) -> bool:
        """Its own hard disks have data."""
        if function == 0x02 and drive in self.answers:
            count, cx, dh = self._get("ax") & 0xFF, self._get("cx"), self._get("dx") >> 8
            cylinder = cx >> 8 | (cx & 0xC0) << 2
            lba = (cylinder * 16 + dh) * 63 + (cx & 0x3F) - 1
            at = (self._pc.get("es") << 4) + self._get("bx")
        elif function == 0x42 and drive in self.answers:
            packet = (self._pc.get("ds") << 4) + self._get("si")
            count, offset, segment, lba = struct.unpack("<HHHQ", self._pc.peek(packet + 2, 14))
            at = segment * 16 + offset
        else:
            return super()._int13_answer(function, drive)
        self._pc.poke(at, b"".join(self.ide(lba + i) for i in range(count)))
        self._set_ah(0)
        return True

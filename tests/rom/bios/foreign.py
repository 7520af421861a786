# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Another ROM beside ours: one that drives our controller, as SDMS does, or a
neighbour with disks of its own. And a machine that starts again with what the
one before has left in its memory and its chip.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

from tests.model.bios import Bios
from tests.model.bios_data import EBDA_KIB, HARD_DISKS, MEMORY_SIZE
from tests.model.devices import PciSpace
from tests.model.pc import Pc
from tests.model.registers import CTEST3, CTEST5, DCNTL, DMODE, IRQM, SCNTL0, SCNTL3, STIME0
from tests.rom.bios.multi_controller import named_disk
from tests.rom.strict import ROMS

INT13 = 0x13 * 4
ENABLED = PciSpace.IO | 2 | PciSpace.MASTER
SCSI, IDE, RAID = (1, 0), (1, 1), (1, 4)
ITS_DRIVE, ITS_AL = 0x80, 0x5D      # if it is the first; AL that its INT 13h returns
RAM_KIB = 2                         # taken from the top of memory for its handler
ENTRY = 0x10

# As Linux's driver finds them on cards with SDMS, and as it leaves them itself
SDMS = {"810": {SCNTL3: 0x03, DMODE: 0x80, DCNTL: 0x00},
        "875": {SCNTL3: 0x05, DMODE: 0x4E, DCNTL: 0x80, CTEST3: 0x01, CTEST5: 0x24},
        "895A": {SCNTL3: 0x07, DMODE: 0x4E, DCNTL: 0xA0, CTEST3: 0x01, CTEST5: 0x24}}
BOARDS = {"1010-33": dict(gpreg=0x0F, gpcntl=0x0F, stest2=0, dcntl=IRQM)}    # their settings
LINUX = {SCNTL0: 0xCA, SCNTL3: 0x03, STIME0: 0x0C, DMODE: 0x0E, DCNTL: 0xA1, CTEST3: 0x01}


@dataclass
class ForeignRom:
    """A ROM that has finished its init. `registers`: what it has set in our chip."""
    device: int = 0x0001
    vendor: int = 0x1000
    kind: tuple[int, int] = SCSI    # class and subclass
    segment: int = 0xD800
    blocks: int = 32                # that it keeps
    first_blocks: int = 32          # that it had
    pcir: int = 0x40
    changes: dict[int, bytes] = field(default_factory=dict)     # to its image
    registers: dict[int, int] = field(default_factory=dict)
    disks: int = 1
    hooks: bool = True              # INT 13h
    drive: int = ITS_DRIVE          # its number, from install()

    def image(self) -> bytes:
        image = bytearray(512 * self.first_blocks)
        image[:3] = b"\x55\xaa" + bytes([self.blocks])
        struct.pack_into("<H", image, 0x18, self.pcir)
        base, sub = self.kind
        pcir = struct.pack("<4sHHHHB3sHHBB", b"PCIR", self.vendor, self.device, 0, 0x18, 0,
                           bytes([0, sub, base]), self.first_blocks, 0, 0, 0x80)
        image[self.pcir:self.pcir + len(pcir)] = pcir
        for at, data in self.changes.items():
            image[at:at + len(data)] = data
        return bytes(image)

    def install(self, pc: Pc) -> None:
        """Its init: an image, chip registers, and a handler in RAM that answers
        for its drive."""
        pc.poke(self.segment * 16, self.image())
        for register, value in self.registers.items():
            pc.chip.registers[register] = value
        self.drive = ITS_DRIVE + pc.peek(HARD_DISKS, 1)[0]
        pc.poke(HARD_DISKS, bytes([pc.peek(HARD_DISKS, 1)[0] + self.disks]))
        if self.hooks:
            self._hook(pc)

    def _hook(self, pc: Pc) -> None:
        kib = pc.word(MEMORY_SIZE) - RAM_KIB
        pc.poke(MEMORY_SIZE, struct.pack("<H", kib))
        code = (bytes([0x80, 0xFA, self.drive, 0x75, 0x0C,       # cmp dl; jne
                       0xB8, ITS_AL, 0x00,                      # AH = 0
                       0x55, 0x8B, 0xEC, 0x80, 0x66, 0x06, 0xFE, 0x5D, 0xCF,    # clear CF; iret
                       0xEA]) + pc.peek(INT13, 4))              # jmp to the old handler
        at = kib * 1024 + ENTRY
        pc.poke(at, code)
        pc.code.append(range(at, at + len(code)))
        pc.poke(INT13, struct.pack("<HH", ENTRY, kib * 64))


def sdms(variant: str, **options) -> ForeignRom:
    """A live driver of our controller."""
    return ForeignRom(registers=SDMS[variant], **options)


def machine(variant: str, *roms: ForeignRom, command: int = ENABLED, **options) -> Pc:
    """A machine with disks at IDs 0 and 3, before our init and after that of `roms`."""
    pc = Pc(ROMS.get(variant, ROMS["895A"]), variant, pci_command=command, **options)
    pc.bus.targets = {i: named_disk(0, i) for i in (0, 3)}
    if variant in BOARDS:
        pc.chip.set_board(**BOARDS[variant])
    for rom in roms:
        rom.install(pc)
    return pc


def warm_boot(before: Pc, *roms: ForeignRom, **options) -> Pc:
    """The same machine again. Memory that the BIOS does not set up, the registers
    of the chip and its PCI command keep their content. The ROMs run first."""
    pc = Pc(before.rom, before.variant, pci_command=before.pci.command,
            bios=replace_bios(before.bios), **options)
    image = pc.peek(pc.bios.image.start, len(pc.bios.image))
    for start, stop in ((0x8000, EBDA_KIB * 1024), (0xC0000, 0xF0000)):
        pc.poke(start, before.peek(start, stop - start))
    pc.poke(pc.bios.image.start, image)
    pc.bus.targets = before.bus.targets
    pc.chip.registers[:] = before.chip.registers
    pc.chip.board = before.chip.board
    for rom in roms:
        rom.install(pc)
    return pc


def replace_bios(bios: Bios) -> Bios:
    """A BIOS with the same options, before POST."""
    return replace(Bios(), **{name: getattr(bios, name) for name in (
        "manner", "pmm", "pnp", "pci", "disks", "choose")})

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The chips of the family, and how they differ in the model.

    key         chip
    "876"       same PCI ID as a 53C875, another revision
    "875-1"     the first 53C875, on boards with 80 MHz and without a doubler
    "1010-33-0" the first 53C1010-33, with an erratum that later ones lack

OTHER_FAMILIES are controllers of the same vendor from other families; their
registers must not be accessed.

[the technical manuals and data manuals of the 53C810A, 825A, 860, 875, 876,
895, 895A, 875A, 896 and 1010R, "Registers" and "Data paths"; errata from
existing drivers: 53C876 DEL 441, 53C810A DEL 352, 53C896, 53C1010]
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from tests.model.registers import (AIPCNTL1, CCNTL0, CCNTL1, COM, CTEST0, CTEST2, CTEST3, CTEST5,
                                   DCNTL, DFBC, DFIFO, DFS, DILS, DISAIP, DMODE, DPR, ERL, ERMP,
                                   EWS, IRQD, ISTAT1, MBOX0, MBOX1, MULTIPLIED, NO_OVERLAP, NO_SGE,
                                   PFEN, PFF, RESPID1, SCID, SCNTL3, SCNTL4, STEST1, STEST2,
                                   STEST4, SXFER, ULTRA, WRIE)

SCSI, RAID = 0x010000, 0x010400     # PCI class codes
SMALL_FIFO, ULTRA_FIFO, ULTRA2_FIFO, LATE_FIFO = (80, 0), (88, 536), (112, 816), (112, 944)

# Registers that only some chips have
HIGH_BYTES = {0x45, 0x51, 0x55, 0x59, RESPID1}  # for a 16-bit bus
SCRATCH_C_TO_J = set(range(0x60, 0x80))
SINCE_895A = {ISTAT1, MBOX0, MBOX1, CCNTL0, CCNTL1}
CORE_1010 = {*range(SCNTL4, 0xC0), *range(0xE0, 0xE8), DFBC, DFBC + 1}
NOWHERE = {0x53, *range(0xE8, 0x100)} - CORE_1010
BITS_NOT_ON_1010 = {SCNTL3: ULTRA | 0x07, SXFER: 0xC0, CTEST2: 0x87, CTEST3: 0xF0, CTEST5: 0xFB,
                    DCNTL: IRQD | COM, STEST2: 0x02}


@dataclass(frozen=True)
class Variant:
    """`fifo`: bytes that data out fetches ahead with CTEST5.DFS clear and with
    it set (0: no such bit). `must_set` and `must_clear` are the errata:
    registers with bits that are needed while a program runs."""
    name: str
    device: int
    revision: int = 1
    pci_class: int = SCSI
    wide: bool = True
    ultra: bool = True
    fastest_ns: int = 50            # shortest synchronous period, and largest offset
    most_offset: int = 16
    load_store: bool = True         # also stands for prefetch, which came with it
    scratch: bool = True            # has SCRATCHC to J
    ram: int = 4096                 # bytes of SCRIPTS RAM
    fifo: tuple[int, int] = ULTRA_FIFO
    clock_mhz: int = 40
    multiplier: int = 1             # of the clock, if STEST1 selects it
    lvd: bool = False               # has STEST4
    istat1: bool = False            # ISTAT1 and MBOX0/1, allowed while SCRIPTS runs; CCNTL0/1;
                                    # 256 bytes of registers
    core_1010: bool = False         # no clock divider, COM, IRQD or DFIFO; DFBC instead
    registers: int = 0x80           # bytes of register space
    must_set: tuple[tuple[int, int], ...] = ()
    must_clear: tuple[tuple[int, int], ...] = ()

    @property
    def ids(self) -> int:
        return 16 if self.wide else 8

    @property
    def reserved(self) -> set[int]:
        """Registers that the chip does not have."""
        missing = set(NOWHERE)
        if not self.wide:
            missing |= HIGH_BYTES
        if not self.scratch:
            missing |= SCRATCH_C_TO_J
        if not self.lvd:
            missing.add(STEST4)
        if not self.istat1:
            missing |= SINCE_895A
        return missing | ({DFIFO} if self.core_1010 else CORE_1010)

    @property
    def reserved_bits(self) -> dict[int, int]:
        """Bits that the chip does not have, by register."""
        if self.core_1010:
            return dict(BITS_NOT_ON_1010)
        bits = {STEST1: 0x33 | (MULTIPLIED if self.multiplier == 1 else 0), SCID: 0x90}
        if not self.wide:
            bits[SCID] |= 0x08
        bits[SCNTL3] = (0 if self.wide else EWS) | (0 if self.ultra else ULTRA)
        if not self.load_store:
            bits[DCNTL] = PFF | PFEN
        if not self.fifo[1]:
            bits[CTEST5] = DFS
        return bits

    def dividers(self, stest1: int) -> tuple[int, ...]:
        """Valid values of SCNTL3.CCF. For 40 MHz the manuals' table says 4, but
        all drivers use 3."""
        selected = self.multiplier if stest1 & MULTIPLIED == MULTIPLIED else 1
        return {40: (3, 4), 80: (5,), 160: (7,)}[self.clock_mhz * selected]


ULTRA2 = {"fastest_ns": 25, "most_offset": 31}
LATE = {**ULTRA2, "ram": 8192, "fifo": LATE_FIFO, "multiplier": 4, "lvd": True, "istat1": True,
        "registers": 0x100}
OLD = {"fastest_ns": 100, "most_offset": 8, "ultra": False, "load_store": False, "scratch": False,
       "ram": 0, "fifo": SMALL_FIFO}
F810 = Variant("53C810", 0x0001, wide=False, **OLD)
F810A = replace(F810, name="53C810A", revision=0x11, load_store=True,
                must_clear=((DMODE, ERL | ERMP), (CTEST3, WRIE)))
F825 = Variant("53C825", 0x0003, **OLD)
F875 = Variant("53C875", 0x000F, 0x04, multiplier=2, must_set=((CTEST0, NO_OVERLAP),))
F895 = Variant("53C895", 0x000C, fifo=ULTRA2_FIFO, multiplier=4, lvd=True, **ULTRA2)
F1010 = Variant("53C1010-33", 0x0020, core_1010=True, **LATE)

VARIANTS = {
    "810": F810,
    "810A": F810A,
    "810AP": replace(F810A, name="53C810AP", device=0x0005),
    "815": replace(F810, name="53C815", device=0x0004, revision=0x04),
    "820": replace(F825, name="53C820", device=0x0002, revision=0x00),
    "825": F825,
    "825A": replace(F825, name="53C825A", revision=0x26, load_store=True, scratch=True, ram=4096,
                    fifo=ULTRA_FIFO),
    "860": replace(F810A, name="53C860", device=0x0006, revision=0x01, ultra=True, fastest_ns=50,
                   clock_mhz=80),
    "875-1": replace(F875, revision=0x01, clock_mhz=80, multiplier=1),
    "875": F875,
    "875J": replace(F875, name="53C875J", device=0x008F, must_set=()),
    "876": replace(F875, name="53C876", revision=0x14),
    "885": replace(F875, name="53C885", device=0x000D, must_set=()),
    "895": F895,
    "895A": Variant("53C895A", 0x0012, **LATE),
    "875A": Variant("53C875A", 0x0013, **{**LATE, "ram": 4096, "fastest_ns": 50}),
    "896": Variant("53C896", 0x000B, 0x04, must_set=((CCNTL0, DPR),), **LATE),
    "1010-33-0": replace(F1010, revision=0x00, must_set=((STEST1, NO_SGE), (CCNTL0, DILS))),
    "1010-33": F1010,
    "1010-66": replace(F1010, name="53C1010-66", device=0x0021, must_set=((AIPCNTL1, DISAIP),)),
    "1510": replace(F895, name="53C1510", device=0x000A, revision=0x00),
}

OTHER_FAMILIES = {
    "1510-RAID": Variant("53C1510", 0x0010, pci_class=RAID, registers=0),
    "1030": Variant("53C1030", 0x0030, revision=0x07, registers=0),
    "1030ZC": Variant("53C1030ZC", 0x0031, registers=0),
}


def variant_named(key: str) -> Variant:
    return VARIANTS[key] if key in VARIANTS else OTHER_FAMILIES[key]

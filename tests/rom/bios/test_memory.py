# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: memory that the BIOS gives out, and what the ROM takes of it."""

from __future__ import annotations

import struct

import pytest

from tests.build import ROM_895A
from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, EBDA_KIB, HARD_DISKS, MEMORY_SIZE, NO_BBS,
                                   PERMANENT_AREA, SPECIFICATION, TEMPORARY_AREA)
from tests.model.devices import PciSpace
from tests.model.pc import ROM_SEGMENT, Pc
from tests.rom.bios.one_controller import (INT13, PNP_MANNERS, ROMS, booted, id_of, machine,
                                           passes_on)

WORKSPACE_KIB = 2

NO_PERMANENT = ["absent", "1.00", "refusing", "unsupported", "bad checksum"]


def left_nothing(pc: Pc) -> None:
    """Memory, vectors and counts are as before POST, and the image is gone."""
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert pc.bios.memory.blocks == []
    assert pc.word(INT13 + 2) == BIOS_SEGMENT
    assert pc.peek(HARD_DISKS, 1) == bytes([pc.bios.disks])
    assert pc.bios.kept == 0 and pc.bios.entries == []
    assert pc.bios.init_result.ax == 0
    passes_on(pc, 0x80)


@pytest.mark.parametrize("signature", [b"$PMM", b"$PnP"])
def test_a_register_that_the_bios_saved_is_no_table(signature):
    """Seen: SeaBIOS's timer interrupt has its stack in the E segment, and
    saves there what it interrupts: us, when we look for that signature."""
    pc = machine(0, 3)
    pc.poke(0xE0000, signature + struct.pack("<III", 5, 0x20, 0xD326))
    pc.power_on()
    assert [id_of(pc, drive) for drive in (0x80, 0x81)] == [0, 3]


@pytest.mark.parametrize("variant", ROMS)
@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_permanent_memory_costs_the_640_kib_nothing(variant, manner):
    pc = booted(variant=variant, bios=Bios(manner))
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert [(b.permanent, len(b.place)) for b in pc.bios.memory.blocks] == [(True, 2048)]
    assert pc.workspace == pc.bios.memory.blocks[0].place
    assert pc.workspace.start in PERMANENT_AREA
    assert (id_of(pc, 0x80), id_of(pc, 0x81)) == (0, 3)


@pytest.mark.parametrize("pmm", NO_PERMANENT)
def test_without_permanent_memory_40_13h_is_lowered(pmm):
    pc = booted(bios=Bios(pmm=pmm))
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - WORKSPACE_KIB
    assert pc.workspace.start == (EBDA_KIB - WORKSPACE_KIB) * 1024
    assert pc.bios.memory.blocks == [], "the block for first sectors was given back"
    pc.poke(TEMPORARY_AREA.start, b"\xCC" * (pc.workspace.start - TEMPORARY_AREA.start))
    assert (id_of(pc, 0x80), id_of(pc, 0x81)) == (0, 3)


@pytest.mark.parametrize("kib", [600, 128])
def test_memory_is_taken_below_what_others_have_taken(kib):
    pc = machine(0, bios=Bios(pmm="absent"))
    pc.poke(MEMORY_SIZE, struct.pack("<H", kib))
    pc.power_on()
    assert pc.word(MEMORY_SIZE) == kib - WORKSPACE_KIB
    assert pc.workspace.stop == kib * 1024
    assert id_of(pc, 0x80) == 0


@pytest.mark.parametrize("kib", [0, 1, 63, 641, 0xFFFF])
def test_a_memory_size_that_cannot_be_is_left_alone(kib):
    pc = machine(0, bios=Bios(pmm="absent"))
    pc.poke(MEMORY_SIZE, struct.pack("<H", kib))
    pc.power_on()
    assert "no memory" in pc.text
    assert pc.word(MEMORY_SIZE) == kib
    assert (pc.workspace, pc.bios.kept) == (None, 0)


@pytest.mark.parametrize("manner", [*PNP_MANNERS, NO_BBS])
@pytest.mark.parametrize("pmm", ["1.01", *NO_PERMANENT])
def test_without_disks_nothing_is_left_behind(pmm, manner):
    pc = machine(bios=Bios(manner, pmm=pmm))
    pc.power_on()
    assert "no disk" in pc.text
    left_nothing(pc)


@pytest.mark.parametrize("pmm", ["1.01", *NO_PERMANENT])
def test_without_a_controller_nothing_is_left_behind(pmm):
    pc = booted(present=False, bios=Bios(pmm=pmm))
    assert "no 53C8xx controller" in pc.text
    left_nothing(pc)
    assert pc.chip.reads == pc.chip.writes == 0


@pytest.mark.parametrize("bar0", [1, 0, 0xFEBF0000, 0x00010001, 0xFFFFFFFF],
                         ids=["none", "zero", "memory", "above 64 KiB", "all ones"])
@pytest.mark.parametrize("pmm", ["1.01", "absent"])
def test_a_controller_without_ports_leaves_nothing_behind(pmm, bar0):
    pc = booted(bar0=bar0, bios=Bios(pmm=pmm))
    assert "no I/O address" in pc.text
    left_nothing(pc)
    assert pc.chip.reads == pc.chip.writes == 0
    assert pc.pci.command == 0, "or it would answer at ports of others"


def test_without_drives_the_controller_is_no_bus_master_any_more():
    pc = machine(bios=Bios())
    pc.bus.targets = {}
    pc.power_on()
    assert "no disk" in pc.text
    assert pc.pci.command & (PciSpace.IO | PciSpace.MASTER) == PciSpace.IO


def test_a_read_only_image_leaves_nothing_behind():
    """A BIOS with BBS calls into it, and what init wrote to it is lost: all boot
    entries of the file are seen and called, and must do nothing. (Without BBS:
    test_bootstrap.py.)"""
    pc = booted(rom_writable=False, bios=Bios(SPECIFICATION))
    assert "the ROM image is read-only" in pc.text
    assert pc.peek(ROM_SEGMENT * 16, pc.bios.kept) == ROM_895A.read_bytes()
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert pc.bios.memory.blocks == []
    assert pc.peek(HARD_DISKS, 1) == b"\0"
    passes_on(pc, 0x80)


def test_without_a_pci_bios_nothing_is_left_behind():
    pc = booted(bios=Bios(pci=False))
    assert "no 53C8xx controller" in pc.text
    left_nothing(pc)


@pytest.mark.parametrize("bdf", [0x0000, 0x0018, 0xFFFF])
def test_a_controller_that_the_bios_does_not_name_is_found(bdf):
    pc = machine(0)
    pc.power_on(bdf)
    assert "PCI 00:04.0" in pc.text
    assert id_of(pc, 0x80) == 0


def test_a_controller_behind_a_bridge_is_served():
    pc = booted(3, pci_address=0x02F9)
    assert pc.bios.entries[0].product.startswith("SCSI 02:1f.1 ID 3 LUN 0 ")
    assert id_of(pc, 0x80) == 3


def test_the_controller_may_use_the_bus_afterwards():
    pc = booted()
    assert pc.pci.command & 7 == 7

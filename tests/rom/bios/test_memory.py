# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: memory allocated from the BIOS, and how much of it the ROM keeps."""

from __future__ import annotations

import struct

import pytest

from tests.build import ROM_895A, bios_image
from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, EBDA_KIB, HARD_DISKS, MEMORY_SIZE, NO_BBS, PERMANENT_AREA,
                                   SLACK_KIB, SPECIFICATION, TEMPORARY_AREA, WORKSPACE_KIB)
from tests.model.devices import PciSpace
from tests.model.pc import ROM_SEGMENT, Pc
from tests.rom.bios.one_controller import (INT13, PNP_MANNERS, ROMS, booted, check_passed_on, id_of,
                                           machine)

WITHOUT_PMM = ["absent", "bad checksum"]

NO_PERMANENT = ["absent", "1.00", "refusing", "unsupported", "bad checksum"]


def check_nothing_left(pc: Pc) -> None:
    """Memory, vectors and drive counts are as before POST; the ROM image is gone."""
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert pc.bios.memory.blocks == []
    assert pc.word(INT13 + 2) == BIOS_SEGMENT
    assert pc.peek(HARD_DISKS, 1) == bytes([pc.bios.disks])
    assert pc.bios.kept == 0 and pc.bios.entries == []
    assert pc.bios.init_result.ax == 0
    check_passed_on(pc, 0x80)


@pytest.mark.parametrize("signature", [b"$PMM", b"$PnP"])
def test_signature_in_saved_registers_is_not_taken_for_a_table(signature):
    """SeaBIOS runs its timer interrupt on a stack in the E segment and saves the
    interrupted registers there. One of them may hold the signature that the ROM
    compares with."""
    pc = machine(0, 3)
    pc.poke(0xE0000, signature + struct.pack("<III", 5, 0x20, 0xD326))
    pc.power_on()
    assert [id_of(pc, drive) for drive in (0x80, 0x81)] == [0, 3]


@pytest.mark.parametrize("variant", ROMS)
@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_permanent_memory_leaves_base_memory_size_unchanged(variant, manner):
    pc = booted(variant=variant, bios=Bios(manner))
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert [(b.permanent, len(b.place)) for b in pc.bios.memory.blocks] == [(True, WORKSPACE_KIB * 1024)]
    assert pc.workspace == pc.bios.memory.blocks[0].place
    assert pc.workspace.start in PERMANENT_AREA
    assert (id_of(pc, 0x80), id_of(pc, 0x81)) == (0, 3)


@pytest.mark.parametrize("pmm", NO_PERMANENT)
def test_without_permanent_memory_40_13h_is_lowered(pmm):
    pc = booted(bios=Bios(pmm=pmm))
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - WORKSPACE_KIB - (SLACK_KIB if pmm in WITHOUT_PMM else 0)
    assert pc.workspace.start == (EBDA_KIB - WORKSPACE_KIB) * 1024
    assert pc.bios.memory.blocks == [], "the block for first sectors is freed"
    pc.poke(TEMPORARY_AREA.start, b"\xCC" * (pc.workspace.start - TEMPORARY_AREA.start))
    assert (id_of(pc, 0x80), id_of(pc, 0x81)) == (0, 3)


@pytest.mark.parametrize("kib", [600, 128])
def test_workspace_is_allocated_below_memory_of_other_roms(kib):
    pc = machine(0, bios=Bios(pmm="absent"))
    pc.poke(MEMORY_SIZE, struct.pack("<H", kib))
    pc.power_on()
    assert pc.word(MEMORY_SIZE) == kib - WORKSPACE_KIB - SLACK_KIB
    assert pc.workspace.stop == kib * 1024
    assert id_of(pc, 0x80) == 0


@pytest.mark.parametrize("kib", [0, 1, 63, 641, 0xFFFF])
def test_impossible_memory_size_is_left_unchanged(kib):
    pc = machine(0, bios=Bios(pmm="absent"))
    pc.poke(MEMORY_SIZE, struct.pack("<H", kib))
    pc.power_on()
    assert "no memory" in pc.text
    assert pc.word(MEMORY_SIZE) == kib
    assert (pc.workspace, pc.bios.kept) == (None, 0)


@pytest.mark.parametrize("manner", [*PNP_MANNERS, NO_BBS])
@pytest.mark.parametrize("pmm", ["1.01", *NO_PERMANENT])
def test_rom_without_disks_leaves_no_trace(pmm, manner):
    pc = machine(bios=Bios(manner, pmm=pmm))
    pc.power_on()
    assert "no disk" in pc.text
    check_nothing_left(pc)


@pytest.mark.parametrize("pmm", ["1.01", *NO_PERMANENT])
def test_rom_without_controller_leaves_no_trace(pmm):
    pc = booted(present=False, bios=Bios(pmm=pmm))
    assert "no 53C8xx controller" in pc.text
    check_nothing_left(pc)
    assert pc.chip.reads == pc.chip.writes == 0


@pytest.mark.parametrize("bar0", [1, 0, 0xFEBF0000, 0x00010001, 0xFFFFFFFF],
                         ids=["none", "zero", "memory", "above 64 KiB", "all ones"])
@pytest.mark.parametrize("pmm", ["1.01", "absent"])
def test_controller_without_ports_leaves_no_trace(pmm, bar0):
    pc = booted(bar0=bar0, bios=Bios(pmm=pmm))
    assert "no I/O address" in pc.text
    check_nothing_left(pc)
    assert pc.chip.reads == pc.chip.writes == 0
    assert pc.pci.command == 0, "the chip would claim I/O ports of other devices"


def test_without_drives_bus_mastering_is_disabled():
    pc = machine(bios=Bios())
    pc.bus.targets = {}
    pc.power_on()
    assert "no disk" in pc.text
    assert pc.pci.command & (PciSpace.IO | PciSpace.MASTER) == PciSpace.IO


def test_read_only_image_leaves_no_trace():
    """A BIOS with BBS calls the image, whose changes by init are lost. It sees and
    calls all boot entries of the file, which must do nothing. (test_bootstrap.py
    covers a BIOS without BBS.)"""
    pc = booted(rom_writable=False, bios=Bios(SPECIFICATION))
    assert "ROM is read-only, enable shadowing" in pc.text
    assert pc.peek(ROM_SEGMENT * 16, pc.bios.kept) == bios_image(ROM_895A)
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert pc.bios.memory.blocks == []
    assert pc.peek(HARD_DISKS, 1) == b"\0"
    check_passed_on(pc, 0x80)


def test_rom_without_pci_bios_leaves_no_trace():
    pc = booted(bios=Bios(pci=False))
    assert "no 53C8xx controller" in pc.text
    check_nothing_left(pc)


@pytest.mark.parametrize("bdf", [0x0000, 0x0018, 0xFFFF])
def test_controller_is_found_if_the_bios_passes_another_address(bdf):
    pc = machine(0)
    pc.power_on(bdf)
    assert "PCI 00:04.0" in pc.text
    assert id_of(pc, 0x80) == 0


def test_controller_behind_bridge_is_served():
    pc = booted(3, pci_address=0x02F9)
    assert pc.bios.entries[0].product.startswith("SCSI 02:1f.1 ID 3 LUN 0 ")
    assert id_of(pc, 0x80) == 3


def test_bus_mastering_is_enabled_after_post():
    pc = booted()
    assert pc.pci.command & 7 == 7

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: every BIOS with every chip. Each combination runs POST, connects and
reads the disks, and boots a CD.
"""

from __future__ import annotations

import pytest

from tests.build import ROM_810, ROM_895A
from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, BOCHS, BOOT_SECTOR, EBDA_KIB, HARD_DISKS,
                                   MEMORY_SIZE, NO_BBS, PCI_3, SEABIOS, SPECIFICATION, WITHOUT_BBS)
from tests.model.multi_pc import Card, MultiControllerPc
from tests.model.variants import VARIANTS
from tests.rom.bios.multi_controller import (BRIDGES, CD_ID, PLACES, all_disks, disc_of,
                                             entries_of, named_disk, owners)
from tests.rom.cd.cdboot import CD, check_blocks, check_running, drive_with

# How a BIOS handles boot entries, and the values with which it calls init
BIOSES = {"SeaBIOS": dict(manner=SEABIOS), "PnP and BBS": dict(manner=SPECIFICATION),
          "PnP alone": dict(manner=SPECIFICATION, pnp="no BBS"),
          "PCI 3.0": dict(manner=PCI_3), "PCI 3.0 in place": dict(manner=PCI_3, in_place=True),
          "neither": dict(manner=NO_BBS), "Bochs": dict(manner=BOCHS),
          "neither, PCI 3.0": dict(manner=NO_BBS, pci_version=0x0300)}
PMMS = ["1.01", "1.00", "absent", "refusing"]
EXTREMES = ["810", "895A"]
OTHERS = [name for name in VARIANTS if name not in EXTREMES]

bioses = pytest.mark.parametrize("bios", BIOSES.values(), ids=BIOSES.keys())
pmms = pytest.mark.parametrize("pmm", PMMS)


def machine(bios: Bios, *variants: str) -> MultiControllerPc:
    """One controller per variant, the later ones behind bridges. Each has a disk
    that cannot be booted; the last one also has a CD."""
    cards = []
    for number, (variant, address) in enumerate(zip(variants, PLACES.values())):
        card = Card(ROM_810 if variant == "810" else ROM_895A, variant, address)
        card.bus.targets = {1: named_disk(number, 1)}
        card.bus.targets[1].content = without_signature(card.bus.targets[1].content)
        cards.append(card)
    if cards:
        cards[-1].bus.targets[CD_ID] = drive_with(disc_of(0))
    return MultiControllerPc(ROM_895A, bios=bios, cards=cards, bridges=BRIDGES)


def without_signature(content):
    return lambda lba: content(lba)[:510] + bytes(2) if lba == 0 else content(lba)


def check_cd_boot(pc: MultiControllerPc) -> None:
    """The CD boots from its boot entry, or when the BIOS finds no bootable disk."""
    disc = disc_of(0)
    if pc.bios.manner in WITHOUT_BBS:
        result = pc.bios.bootstrap(BOOT_SECTOR, *disc.loads)
    else:
        entry = next(e for e in entries_of(pc, len(pc.cards) - 1) if e.bev)
        result = pc.bios.boot(entry, *disc.loads)
    check_running(pc, result, disc, disc.default)
    check_blocks(pc, disc, number=CD)


def check_combination(bios: dict, pmm: str, *variants: str) -> None:
    pc = machine(Bios(**bios, pmm=pmm), *variants)
    pc.power_on()
    check_cd_boot(pc)
    assert sorted(owners(pc)) == all_disks(pc) and len(all_disks(pc)) == len(variants)


@bioses
@pmms
@pytest.mark.parametrize("variant", EXTREMES)
def test_one_controller(bios, pmm, variant):
    check_combination(bios, pmm, variant)


@bioses
@pmms
def test_two_controllers(bios, pmm):
    check_combination(bios, pmm, "895A", "810")


@bioses
@pytest.mark.parametrize("pmm, variants", [
    ("absent", ("810", "895A", "895A")), ("1.01", ("895A", "810", "810", "895A"))],
    ids=["three", "four"])
def test_more_controllers(bios, pmm, variants):
    check_combination(bios, pmm, *variants)


@pytest.mark.parametrize("kind", ["SeaBIOS", "PnP and BBS", "PCI 3.0", "neither"])
@pytest.mark.parametrize("variant", OTHERS)
def test_other_chips(kind, variant):
    check_combination(BIOSES[kind], PMMS[OTHERS.index(variant) % len(PMMS)], variant)


@bioses
@pmms
def test_no_controller(bios, pmm):
    pc = machine(Bios(**bios, pmm=pmm, disks=1))
    pc.power_on(0x0020)
    assert "no 53C8xx controller" in pc.text
    assert (pc.word(MEMORY_SIZE), pc.bios.memory.blocks, pc.bios.kept) == (EBDA_KIB, [], 0)
    assert [pc.word(vector * 4 + 2) for vector in (0x13, 0x18, 0x19)] == [BIOS_SEGMENT] * 3
    assert pc.peek(HARD_DISKS, 1) == b"\x01"

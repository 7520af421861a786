# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: up to 32 drives; each further one is named on the screen."""

from __future__ import annotations

import pytest

from tests.build import LIMITS
from tests.model.bios import Bios
from tests.model.bios_data import (BOCHS, EBDA_KIB, HARD_DISKS, MEMORY_SIZE, NO_BBS, PCI_3, SEABIOS,
                                   SLACK_KIB, SPECIFICATION, WORKSPACE_KIB)
from tests.model.boards import BoardBios
from tests.model.pc import Pc
from tests.model.target import INQUIRY
from tests.rom.cd.cdboot import boot as boot_cd, check_blocks, check_running, drive_with
from tests.rom.bios.multi_controller import disc_of
from tests.rom.disk.test_luns import drives, with_units
from tests.rom.strict import ROMS, opcodes

LUNS = 8
MOST = 32

pmm_bioses = pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION, PCI_3])


def machine(count: int, variant: str = "895A", version: int = 5, **options) -> Pc:
    """A machine before POST, with that many disks at IDs and LUNs."""
    pc = Pc(ROMS[variant], variant, **options)
    pc.bus.targets = {scsi_id: with_units(*range(1, min(count - scsi_id * LUNS, LUNS)), target=scsi_id,
                                          version=version)
                      for scsi_id in range(-(-count // LUNS))}
    return pc


def booted(count: int, **options) -> Pc:
    pc = machine(count, **options)
    pc.power_on()
    return pc


def units(count: int) -> list[tuple[int, int]]:
    return [(i // LUNS, i % LUNS) for i in range(count)]


def refused(pc: Pc) -> list[str]:
    return [line for line in pc.text.replace("\r", "").split("\n") if "too many drives" in line]


def name(target: int, lun: int) -> str:
    return f"ID {target} LUN {lun} BENCH UNIT {target} {lun}"


@pmm_bioses
@pytest.mark.parametrize("count", [17, 31, 32])
@pytest.mark.parametrize("variant", ROMS)
def test_each_drive_has_an_entry_a_number_and_a_name(manner, count, variant):
    pc = booted(count, variant=variant, bios=Bios(manner))
    assert [entry.product for entry in pc.bios.entries] == [
        f"SCSI 00:04.0 {name(*unit)}" for unit in units(count)]
    assert pc.peek(HARD_DISKS, 1) == bytes([count])
    assert drives(pc) == units(count)
    for i, unit in enumerate(units(count)):
        assert f"{0x80 + i:02X}h: SCSI 00:04.0 {name(*unit)}" in pc.text
    assert refused(pc) == []


@pmm_bioses
def test_the_33rd_drive_is_named_and_not_served(manner):
    pc = booted(34, bios=Bios(manner))
    assert drives(pc) == units(MOST) and len(pc.bios.entries) == MOST
    assert len(refused(pc)) == 2
    assert all(name(*unit) in line for unit, line in zip(units(34)[MOST:], refused(pc)))


@pmm_bioses
@pytest.mark.parametrize("count", [1, 32])
def test_workspace_has_room_for_all_drives(manner, count):
    pc = booted(count, bios=Bios(manner))
    assert [(block.permanent, len(block.place)) for block in pc.bios.memory.blocks] == [(True, 1024 * WORKSPACE_KIB)]
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert opcodes(pc.bus.targets[0]).count(INQUIRY) == 1


@pytest.mark.parametrize("pmm", ["refusing", "unsupported", "1.00"])
def test_conventional_memory_is_taken_if_pmm_has_none(pmm):
    pc = booted(MOST, bios=Bios(SPECIFICATION, pmm=pmm))
    assert drives(pc) == units(MOST)
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - WORKSPACE_KIB


WITHOUT_PMM = {"no BBS": lambda: Bios(NO_BBS, pmm="absent"), "Bochs": lambda: Bios(BOCHS, pmm="absent"),
               "Phoenix": lambda: BoardBios(kind="Phoenix"), "P2B-LS": lambda: BoardBios(kind="P2B-LS")}


@pytest.mark.parametrize("bios", WITHOUT_PMM.values(), ids=WITHOUT_PMM.keys())
@pytest.mark.parametrize("count", [17, 34])
def test_without_pmm_32_drives_are_served(bios, count):
    pc = booted(count, bios=bios())
    pc.bios.bootstrap()
    served = min(count, MOST)
    assert drives(pc) == units(served)
    assert len(refused(pc)) == count - served
    assert all(name(*unit) in line for unit, line in zip(units(count)[served:], refused(pc)))
    assert EBDA_KIB - pc.word(MEMORY_SIZE) == WORKSPACE_KIB + SLACK_KIB


def test_scsi_2_targets_reach_32_drives():
    """They are not sent REPORT LUNS."""
    pc = booted(MOST, version=2, bios=Bios(SPECIFICATION))
    assert drives(pc) == units(MOST)


# ---- With a CD -------------------------------------------------------------------------


def with_cd(count: int, manner: str, cd_id: int) -> Pc:
    pc = machine(count, bios=Bios(manner))
    pc.bus.targets[cd_id] = drive_with(disc_of(0))
    pc.bus.targets = dict(sorted(pc.bus.targets.items()))
    pc.power_on()
    return pc


@pmm_bioses
@pytest.mark.parametrize("cd_id", [5, 15])
@pytest.mark.parametrize("count", [10, 20, 31])
def test_cd_boots_beside_many_disks(manner, count, cd_id):
    """If there is no room for the entries of all disks, those without one are connected
    after the last disk that has one."""
    pc = with_cd(count, manner, cd_id)
    assert drives(pc) == units(count)
    assert pc.bios.kept <= LIMITS["FILE"]
    if count < 28:      # all have entries
        disc = disc_of(0)
        check_running(pc, boot_cd(pc, *disc.loads), disc, disc.default)
        check_blocks(pc, disc)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: how much memory the ROM keeps on BIOSes without PMM, and that each warm
reboot finds the machine as the first boot did.
"""

from __future__ import annotations

import pytest

from tests.model.bios_data import (EBDA_KIB, FAR_KIB, HARD_DISKS, MEMORY_SIZE, SLACK_KIB, WORKSPACE_KIB)
from tests.model.boards import KINDS
from tests.rom.bios.boards import (DOUBLE, SINGLE, boot, booted, boot_all, drives, expected_cds,
                                   expected_drives)

MOST_BLOCKS = 32            # Seen: a board hangs in POST if more stay; SDMS leaves as many
MOST_KIB = WORKSPACE_KIB + SLACK_KIB
MOST_KIB_WITH_CD = MOST_KIB + FAR_KIB
REBOOTS = 10

kinds = pytest.mark.parametrize("kind", KINDS)
machines = pytest.mark.parametrize("name", SINGLE)
# Each kind with one machine, the next kind with the next machine; all other pairs are long
pairs = pytest.mark.parametrize("kind, name", [
    pytest.param(kind, name, id=f"{kind}-{name}", marks=() if n == k % len(SINGLE) else pytest.mark.long)
    for k, kind in enumerate(KINDS) for n, name in enumerate(SINGLE)])


def taken_kib(pc) -> int:
    """Base memory that ROMs have taken, without the growth of the EBDA."""
    return EBDA_KIB - pc.word(MEMORY_SIZE) - pc.bios.row.grows_ebda


@kinds
@machines
def test_at_most_16_kib_stay_in_the_rom_area(kind, name):
    pc = booted(kind, name)
    assert pc.bios.kept <= MOST_BLOCKS * 512


@kinds
@machines
def test_little_base_memory_is_taken(kind, name):
    pc = booted(kind, name)
    most = MOST_KIB_WITH_CD if expected_cds(pc) else MOST_KIB
    assert taken_kib(pc) <= most
    assert all(place.start >= pc.word(MEMORY_SIZE) * 1024 for place in pc.bios.kept_memory())


@kinds
@pytest.mark.parametrize("name", DOUBLE)
def test_each_copy_keeps_to_the_limits(kind, name):
    pc = booted(kind, name)
    assert all(copy.kept <= MOST_BLOCKS * 512 for copy in pc.bios.copies)
    most = MOST_KIB_WITH_CD if expected_cds(pc) else MOST_KIB
    assert taken_kib(pc) <= most * len(pc.bios.copies)


@pairs
@pytest.mark.parametrize("junk", [False, True], ids=["memory kept", "junk"])
def test_ten_warm_reboots(kind, name, junk):
    """Each boots the same, with the same memory and drives."""
    pc = booted(kind, name)
    first, found = None, None
    for _ in range(REBOOTS):
        state = pc.word(MEMORY_SIZE), pc.bios.kept, pc.peek(HARD_DISKS, 1), boot(pc)
        first, found = first or state, found or drives(pc)
        assert state == first and found == drives(pc) == expected_drives(pc)
        assert state[-1] == [*expected_drives(pc), *expected_cds(pc)][0]
        pc.warm_boot(junk=junk)


@pytest.mark.long
@kinds
@pytest.mark.parametrize("name", ["CD + disk", "IDE + CD + disk", "two controllers with CDs"])
def test_ten_warm_reboots_after_all_programs_gave_up(kind, name):
    pc = booted(kind, name)
    first = None
    for _ in range(REBOOTS):
        state = pc.word(MEMORY_SIZE), pc.bios.kept, pc.peek(HARD_DISKS, 1), boot_all(pc)
        first = first or state
        assert state == first
        pc.warm_boot()

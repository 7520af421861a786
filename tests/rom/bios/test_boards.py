# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: BIOSes of the 1990s and Bochs, each with disks, CDs and an IDE disk: who
boots, under which number, and what follows if it gives up.
"""

from __future__ import annotations

import pytest

from tests.model.bios_data import HARD_DISKS
from tests.model.boards import KINDS
from tests.rom.bios.boards import (DOUBLE, SINGLE, boot, boot_all, booted, cds_that_boot, drives,
                                   expected_cds, expected_drives)

kinds = pytest.mark.parametrize("kind", KINDS)
singles = pytest.mark.parametrize("name", SINGLE)
doubles = pytest.mark.parametrize("name", DOUBLE)


def check_boot(kind: str, name: str, **options) -> None:
    """Hard disks boot before CDs. The board's own disk keeps number 80h."""
    pc = booted(kind, name, **options)
    expected = [*expected_drives(pc), *expected_cds(pc)]
    assert boot(pc) == expected[0], pc.text
    assert pc.peek(HARD_DISKS, 1) == bytes([len(expected_drives(pc))])
    assert drives(pc) == expected_drives(pc)


def check_giving_up(kind: str, name: str, **options) -> None:
    """No program is started twice. CDs follow disks, and without CDs INT 18h is the
    BIOS's, which starts nothing else."""
    pc = booted(kind, name, **options)
    expected = [*expected_drives(pc), *expected_cds(pc)]
    names, cds = boot_all(pc), cds_that_boot(pc)
    assert names[:1] == expected[:1], pc.text
    assert len(set(names)) == len(names) and set(names) <= set(expected)
    assert [n for n in names if n in expected_cds(pc)] == cds, pc.text
    if not cds:
        assert names == expected[:1]
    assert drives(pc) == expected_drives(pc)


@kinds
@singles
def test_disks_boot_before_cds(kind, name):
    check_boot(kind, name)


@kinds
@doubles
def test_copies_of_the_rom_connect_in_their_order(kind, name):
    check_boot(kind, name)


@kinds
@singles
def test_nothing_is_started_twice(kind, name):
    check_giving_up(kind, name)


@kinds
@doubles
def test_nothing_is_started_twice_with_two_copies(kind, name):
    check_giving_up(kind, name)


@pytest.mark.long
@kinds
@pytest.mark.parametrize("name", [*SINGLE, *DOUBLE])
@pytest.mark.parametrize("variant", ["810", "875"])
def test_other_chips(kind, name, variant):
    check_boot(kind, name, variant=variant)
    check_giving_up(kind, name, variant=variant)

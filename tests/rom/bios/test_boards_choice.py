# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the key C puts CDs before disks for one boot. Then what some boards do
besides: late calls of boot entries, an early question, hooks that init may set.
"""

from __future__ import annotations

import pytest

from tests.model.bios_data import BIOS_SEGMENT, HARD_DISKS
from tests.model.boards import KINDS, WITHOUT_CALLS
from tests.rom.bios.boards import (KEY_C, SINGLE, boot, boot_all, booted, drives, expected_cds,
                                   expected_drives, machine)
from tests.rom.strict import SECOND

DELETE, KEY_CAPITAL_C = 0x5300, 0x2E43
WITH_CD_AND_DISK = ["CD + disk", "IDE + CD", "IDE + CD + disk"]
SPIN_UP = 5 * SECOND

kinds = pytest.mark.parametrize("kind", KINDS)
cds_and_disks = pytest.mark.parametrize("name", WITH_CD_AND_DISK)


@kinds
@cds_and_disks
def test_key_c_boots_the_cd_first(kind, name):
    pc = booted(kind, name, keys=[(0, KEY_C)])
    assert not pc.bios.keys, "the BIOS does not see it"
    assert boot(pc) == "CD 0", pc.text
    assert drives(pc) == expected_drives(pc)


@kinds
@cds_and_disks
def test_disks_follow_the_cd_after_key_c(kind, name):
    pc = booted(kind, name, keys=[(0, KEY_C)])
    names = boot_all(pc)
    assert names[:1] == ["CD 0"] and len(set(names)) == len(names), pc.text
    assert expected_drives(pc)[0] in names[1:]


@kinds
def test_key_c_is_read_until_the_scan_ends(kind):
    """A disk spins up for five seconds; the key comes after four."""
    pc = machine(kind, "CD + disk", keys=[(4 * SECOND, KEY_CAPITAL_C)],
                 disks={"ready_at": SPIN_UP})
    pc.power_on()
    assert boot(pc) == "CD 0", pc.text


@kinds
def test_key_c_is_valid_for_one_boot(kind):
    pc = booted(kind, "CD + disk", keys=[(0, KEY_C)])
    assert boot(pc) == "CD 0", pc.text
    pc.warm_boot()
    assert boot(pc) == "disk 0.3"


@kinds
@pytest.mark.parametrize("name", SINGLE)
@pytest.mark.parametrize("keys", [(DELETE,), (DELETE, KEY_C)], ids=["Del", "Del and C"])
def test_other_keys_are_left_for_the_bios(kind, name, keys):
    pc = booted(kind, name, keys=[(0, key) for key in keys])
    assert [key for _, key in pc.bios.keys][:1] == [DELETE]
    assert boot(pc) == [*expected_drives(pc), *expected_cds(pc)][0]


@kinds
def test_key_c_adds_no_wait(kind):
    def time(keys):
        pc = booted(kind, "CD + disk", keys=keys)
        return pc.chip.now
    assert abs(time([(0, KEY_C)]) - time([])) < 0.1 * SECOND


# ---- Other habits ----------------------------------------------------------------------


@pytest.mark.parametrize("name", SINGLE)
def test_late_call_of_a_boot_entry_changes_nothing(name):
    pc = booted("Medallion, late calls", name)
    ours = len(expected_drives(pc)) - pc.bios.disks
    assert pc.peek(HARD_DISKS, 1)[0] == pc.bios.counted == len(expected_drives(pc))
    assert pc.text.count("h: SCSI") == ours


@pytest.mark.parametrize("name", SINGLE)
def test_question_before_the_boot_reaches_the_first_drive(name):
    pc = booted("AMI, early question", name)
    exists = bool(expected_drives(pc))
    assert pc.bios.asked.cf != exists
    assert pc.bios.asked.ah == (pc.bios.asked.ah if exists else 0x01)
    assert (pc.bios.asked.bx == 0xAA55) == exists


@pytest.mark.parametrize("kind", WITHOUT_CALLS)
@pytest.mark.parametrize("name", SINGLE)
def test_init_connects_disks_and_hooks_int_18h_for_cds_only(kind, name):
    pc = booted(kind, name)
    ours, cds = expected_drives(pc)[pc.bios.disks:], expected_cds(pc)
    hooked = pc.bios.hooked[0]
    assert "INT 19h" in hooked and ("INT 18h" in hooked) == bool(cds)
    assert "INT 13h" in hooked or not ours
    assert pc.bios.counted == len(expected_drives(pc))
    assert pc.text.count("h: SCSI") == len(ours)


@pytest.mark.parametrize("kind", KINDS)
def test_without_drives_nothing_is_hooked(kind):
    pc = machine(kind, "disk")
    pc.bus.targets = {}
    pc.power_on()
    assert pc.bios.hooked == [set()] and pc.word(0x13 * 4 + 2) == BIOS_SEGMENT

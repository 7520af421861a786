# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the code for CDs in conventional memory, on BIOSes without PMM. It is given
back when something else boots, and taken again for a CD if it is still intact.
"""

from __future__ import annotations

import struct

import pytest

from tests.model.bios_data import (BOOT_KIB, EBDA_KIB, EBDA_POINTER, FAR_KIB, JUNK, MEMORY_SIZE, SLACK_KIB,
                                   WORKSPACE_KIB)
from tests.model.boards import KINDS
from tests.model.pc import Pc
from tests.rom.bios.boards import boot, booted, give_up

# KiB off the 639
AFTER_INIT, AFTER_A_DISK = WORKSPACE_KIB + FAR_KIB + SLACK_KIB, WORKSPACE_KIB
CD_RUNNING = WORKSPACE_KIB + FAR_KIB + BOOT_KIB
GIVES_BACK = ["Award BF6", "P2B-LS", "Phoenix", "Phoenix, all headers", "Bochs"]    # their INT 19h is ours
CONNECTED = "E0h: SCSI"

gives_back = pytest.mark.parametrize("kind", GIVES_BACK)


def taken_kib(pc: Pc) -> int:
    return EBDA_KIB - pc.word(MEMORY_SIZE)


def set_taken(pc: Pc, kib: int) -> None:
    pc.poke(MEMORY_SIZE, struct.pack("<H", EBDA_KIB - kib))


def given_back(pc: Pc) -> range:
    return range(pc.post_kib * 1024, pc.word(MEMORY_SIZE) * 1024)


@gives_back
def test_40_13h_at_each_moment_with_a_disk_first(kind):
    pc = booted(kind, "CD + disk")
    assert taken_kib(pc) == AFTER_INIT
    assert boot(pc) == "disk 0.3" and taken_kib(pc) == AFTER_A_DISK
    assert give_up(pc) == "CD 0" and taken_kib(pc) == CD_RUNNING
    assert give_up(pc) == "" and taken_kib(pc) <= CD_RUNNING


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "AN430TX"])
def test_40_13h_while_a_first_cd_runs(kind):
    pc = booted(kind, "CD")
    assert taken_kib(pc) == AFTER_INIT
    assert boot(pc) == "CD 0" and taken_kib(pc) == CD_RUNNING


@pytest.mark.parametrize("kind", KINDS)
def test_without_cds_workspace_and_slack_are_taken(kind):
    pc = booted(kind, "two disks")
    before = taken_kib(pc) - pc.bios.row.grows_ebda
    boot(pc)
    assert before == taken_kib(pc) - pc.bios.row.grows_ebda == WORKSPACE_KIB + SLACK_KIB


@gives_back
@pytest.mark.parametrize("at", [1024, 1024 + 2500, -1024 - 21], ids=["first", "middle", "last dword"])
def test_code_that_was_overwritten_is_not_run(kind, at):
    """The system has used the memory. The CD is not tried, and the BIOS goes on."""
    pc = booted(kind, "CD + disk")
    assert boot(pc) == "disk 0.3"
    code = pc.bios.copies[0].far_code
    place = code.start + at - 1024 if at > 0 else code.stop + at + 1024
    assert place in given_back(pc)
    pc.poke(place, bytes([pc.peek(place, 1)[0] ^ 1]))
    assert give_up(pc) == "" and pc.bios.noted[-1] == 0x18
    assert taken_kib(pc) == AFTER_A_DISK and CONNECTED not in pc.text


@gives_back
@pytest.mark.parametrize("change", [-4, -1, 1], ids=str)
def test_memory_is_not_taken_if_another_program_has_changed_40_13h(kind, change):
    pc = booted(kind, "CD + disk")
    assert boot(pc) == "disk 0.3"
    set_taken(pc, AFTER_A_DISK - change)
    assert give_up(pc) == ""
    assert taken_kib(pc) == AFTER_A_DISK - change and CONNECTED not in pc.text


@gives_back
def test_memory_is_not_given_back_over_that_of_another_program(kind):
    pc = booted(kind, "CD + disk")
    set_taken(pc, AFTER_INIT + 4)
    assert boot(pc) == "disk 0.3" and taken_kib(pc) == AFTER_INIT + 4
    assert give_up(pc) == "CD 0"


def test_buffer_lies_below_an_ebda_that_has_grown():
    """The BIOS has moved its EBDA onto the unused KiB after init."""
    pc = booted("AN430TX", "CD")
    start = pc.word(EBDA_POINTER) * 16
    assert taken_kib(pc) == AFTER_INIT + 1 and start == pc.word(MEMORY_SIZE) * 1024
    ebda = pc.peek(start, 2048)
    assert ebda[:2] == bytes([2, JUNK])
    assert boot(pc) == "CD 0"
    assert pc.word(MEMORY_SIZE) * 1024 == start - 2048
    assert pc.peek(start, 2048) == ebda


def test_memory_above_an_ebda_that_has_grown_is_kept():
    pc = booted("AN430TX", "CD + disk")
    before = taken_kib(pc)
    assert boot(pc) == "disk 0.3" and taken_kib(pc) == before
    assert give_up(pc) == "CD 0"

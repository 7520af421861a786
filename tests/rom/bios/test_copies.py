# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the order in which INT 19h passes the copies of the ROM on a BIOS that calls
no boot entries. Init puts a copy after those that were there first.
"""

from __future__ import annotations

import functools

import pytest

from tests.model.bios import Bios
from tests.model.bios_data import BIOS_SEGMENT, NO_BBS
from tests.model.bios_hooks import previous_vectors
from tests.model.multi_pc import MultiControllerPc
from tests.model.pc import symbol
from tests.rom.bios.multi_controller import all_disks, booted_with, owners

def chain(pc: MultiControllerPc) -> list[int]:
    """Numbers of the copies that INT 19h passes, in order; the BIOS follows the last."""
    found, at = [], 0x19 * 4
    while (segment := pc.word(at + 2)) != BIOS_SEGMENT:
        copy = next(copy for copy in pc.bios.copies if copy.runs_at == segment)
        found.append(pc.bios.copies.index(copy))
        at = copy.workspace.start + previous_vectors()[1]
    return found


def change_code(pc: MultiControllerPc, copies: int, number: int) -> None:
    """After the init of that copy, change a byte of a text in its resident part."""
    copy = pc.bios.copies[copies - 1]
    if copies == number + 1:
        at = copy.runs_at * 16 + symbol("text_end") - 8
        pc.poke(at, bytes([pc.peek(at, 1)[0] ^ 1]))


@pytest.mark.parametrize("name", ["two", "three", "four"])
@pytest.mark.parametrize("cds", [False, True], ids=["disks", "CDs"])
def test_copies_take_part_in_int_19h_in_their_order(name, cds):
    pc = booted_with(name, cds=cds, bios=Bios(NO_BBS, pmm="absent"))
    assert chain(pc) == list(range(len(pc.cards)))


@pytest.mark.parametrize("number, expected", [(0, [1, 2, 0]), (1, [0, 2, 1]), (2, [0, 1, 2])])
def test_a_copy_of_another_build_is_not_touched(number, expected):
    """Its workspace may have other fields at the same places: a copy after it would
    overwrite one. It is then called later than the copy that comes after it."""
    others = functools.partial(change_code, number=number)
    pc = booted_with("three", bios=Bios(NO_BBS, pmm="absent", others=others))
    assert chain(pc) == expected
    pc.bios.bootstrap()
    assert sorted(owners(pc)) == all_disks(pc)

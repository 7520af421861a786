# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: memory that init cannot have, because the BIOS's stack lies there."""

from __future__ import annotations

import pytest

from tests.model import pc as pc_module
from tests.model.bios_data import EBDA_KIB, FAR_KIB, MEMORY_SIZE, WORKSPACE_KIB
from tests.model.pc import Pc
from tests.model.rules import RuleViolation
from tests.rom.bios.boards import boot, machine

VS440FX = range(0x9A000, 0x9BF9C)       # Seen: SS:SP = 9A00:1F9C


@pytest.fixture
def init_on(monkeypatch):
    """Runs POST of a machine on a stack of the BIOS, which boots on another one."""
    def run(pc: Pc, stack: range) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(pc_module, "STACK", stack)
            patch.setattr(pc_module, "STACK_SEGMENT", stack.start // 16)
            patch.setattr(pc_module, "STACK_TOP", len(stack))
            pc.power_on()
    return run


def check_kept(pc: Pc) -> None:
    """After boot no workspace lies in memory that the system may use."""
    top = pc.word(MEMORY_SIZE) * 1024
    assert all(copy.workspace.start >= top for copy in pc.bios.copies)


@pytest.mark.parametrize("name", ["CD", "CD + disk"])
def test_no_slack_where_the_stack_is(init_on, name):
    """Then no memory is given back, nor the slack used for the buffer of a CD."""
    end = (EBDA_KIB - WORKSPACE_KIB - FAR_KIB) * 1024 - 256
    pc = machine("P2B-LS", name)
    init_on(pc, range(end - 2048, end))
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - WORKSPACE_KIB - FAR_KIB
    assert boot(pc) == ("CD 0" if name == "CD" else "disk 0.3"), pc.text
    check_kept(pc)


def test_stack_of_a_board_below_two_copies(init_on):
    pc = machine("P2B-LS", "two controllers")
    init_on(pc, VS440FX)
    assert boot(pc) == "disk 0.0"
    check_kept(pc)


def test_stack_of_a_board_in_the_place_of_far_code(init_on):
    """Limit: the far code of the second copy then stays in the ROM area."""
    pc = machine("P2B-LS", "two controllers with CDs")
    with pytest.raises(RuleViolation, match="too much ROM kept"):
        init_on(pc, VS440FX)


@pytest.mark.parametrize("above", [64, 200])
@pytest.mark.parametrize("name", ["disk", "CD"])
def test_stack_that_would_grow_into_our_memory(init_on, name, above):
    """SP is a few bytes above the highest byte of the workspace, or of far code."""
    for top_kib in (EBDA_KIB, EBDA_KIB - WORKSPACE_KIB):
        end = top_kib * 1024 + above
        pc = machine("P2B-LS", name)
        init_on(pc, range(end - 2048, end))
        memory = pc.word(MEMORY_SIZE) * 1024
        assert memory >= end or memory + 1024 * WORKSPACE_KIB >= end - above

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""What a call may take (ring 1): the counts of docs/performance.md, which no
noise of a machine can hide. The budgets stand in benchmark/budgets.py.
"""

from __future__ import annotations

import pytest

from tests.benchmark import budgets, counts, report, sizes
from tests.benchmark.timing import READ, READ_CHS, WRITE, Call
from tests.model.bus import Delay
from tests.model.registers import MS
from tests.rom.strict import VARIANTS, disk

BLOCKS = [1, 8, 127]


@pytest.fixture(scope="module", params=VARIANTS)
def pc(request):
    """Instructions and our stack are counted."""
    return counts.measured_pc(request.param)


@pytest.mark.parametrize("blocks", BLOCKS)
def test_a_read_touches_few_registers(pc, blocks):
    result = counts.one_call(pc, Call(READ, blocks))
    assert counts.register_accesses(result) <= budgets.REGISTER_ACCESSES_PER_READ


@pytest.mark.parametrize("blocks", BLOCKS)
def test_a_read_makes_few_port_accesses_of_any_kind(pc, blocks):
    """The clock counts as well: under KVM every port is an exit."""
    result = counts.one_call(pc, Call(READ, blocks))
    assert result.port_accesses <= budgets.PORT_ACCESSES_PER_READ


def test_a_read_of_one_sector_takes_few_instructions(pc):
    result = counts.one_call(pc, Call(READ, 1))
    assert counts.instructions(result) <= budgets.INSTRUCTIONS_PER_READ


def test_instructions_do_not_grow_with_the_blocks_of_one_command(pc):
    few, many = (counts.one_call(pc, Call(READ, blocks)) for blocks in (1, 127))
    assert counts.instructions(many) <= counts.instructions(few)


@pytest.mark.parametrize("function", [READ_CHS, READ, WRITE], ids="{:02X}h".format)
def test_a_call_leaves_room_on_both_stacks(pc, function):
    result = counts.one_call(pc, Call(function, 1))
    assert 0 < result.stack_used <= budgets.CALLERS_STACK_BYTES
    assert 0 < result.own_stack_used < counts.own_stack_room()


def test_no_conventional_memory_is_lost_where_there_is_pmm():
    assert counts.memory_lost() == budgets.CONVENTIONAL_KIB_LOST


# ---- The counters themselves -----------------------------------------------------------


def test_the_wait_is_told_from_work(pc):
    """A disk that takes its time costs looks at memory and chip, but no work."""
    target = disk(pc)
    quick = counts.one_call(pc, Call(READ, 1))
    target.before_command = lambda bus: iter([Delay(50 * MS)])
    slow = counts.one_call(pc, Call(READ, 1))
    target.before_command = None
    assert slow.ns - quick.ns > 40 * MS
    assert slow.waiting > quick.waiting
    # not always the same few of its loop lie behind its end
    assert abs(counts.instructions(slow) - counts.instructions(quick)) < 60


def test_accesses_are_counted_by_request_and_dwords_once():
    """As QEMU's trace has them: byte by byte."""
    def line(kind: str, address: int, device: str = counts.CHIP) -> str:
        return f"1@2.3:memory_region_ops_{kind} cpu 0 mr 0x1 addr {address:#x} value 0x0 size 1 name '{device}'\n"

    start = "".join(line("write", 0xC02C + i) for i in range(4))
    request = (line("read", 0x3FD, counts.AGENTS_LINE) + line("read", 0xC00C)
               + line("read", 0x40, "pit"))
    assert counts.accesses(start + request + start + request + start) == ([2, 2], [1, 1])


def test_a_broken_budget_is_told_and_makes_the_bench_fail(capsys):
    told = report.Report()
    told.budget("kept", 4, 4)
    told.budget("slow", 2, 1, must_hold=False)
    assert not told.broken
    told.budget("broken", 5, 4)
    told.say_budgets()
    assert told.broken == ["broken"]
    kept, slow, broken = capsys.readouterr().out.splitlines()[-4:-1]
    assert report.MET in kept and report.NOT_MET in slow and report.NOT_MET in broken


def test_sizes_meet_their_budgets():
    """With the gcc of Debian 12 or 13. Another one meets the linker's limits first."""
    found = sizes.rows(sizes.said())
    assert [name for name, _, _ in found if name.startswith("resident after init, 1 disk")]
    assert not [row for row in found if row[1] > row[2]]


def test_sizes_are_held_against_the_stricter_limit():
    text = ("budget         bytes   limit    left\n"
            "ROM file a.rom 30000   32768    2768\n"
            "with a CD      20000   23552    3552\n"
            "\nsections: .text 15228, .pnp 96\n")
    assert sizes.rows(text) == [("ROM file a.rom", 30000, budgets.FILE_BYTES),
                                ("with a CD", 20000, 23552)]

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The calls that `make bench` times in QEMU move the right data, and wrong data
is an error. No time is checked."""

from __future__ import annotations

import pytest
from tests.benchmark import blocks, compare
from tests.benchmark.baseline import Baseline
from tests.benchmark.sides import BARE, DISK_SECTORS, MAIN_SIDES, OURS, SEABIOS, disk_bench
from tests.benchmark.timing import (RANDOM, READ, READ_CHS, WRITE, WRITE_CHS, Call, Plan, WrongData, Runner,
                              measure)
from tests.boot.bootcds import pattern
from tests.build import TOP

pytestmark = pytest.mark.qemu("calls that make bench measures")

CALLS = [Call(READ, 8), Call(READ, 127, RANDOM), Call(READ_CHS, 8), Call(WRITE, 8),
         Call(READ, 1, cd=True)]


def test_each_side_completes_each_kind_of_call():
    times = measure(Plan(CALLS, MAIN_SIDES, rounds=1, run_s=0.01), "tcg")
    assert times.keys() == set(CALLS)
    for row in times.values():
        assert row.keys() == {OURS, SEABIOS, BARE}
        assert all(len(runs) == 1 and runs[0] > 0 for runs in row.values())


def test_both_compared_roms_complete_each_call():
    """The ROM of this build stands in for the baseline's."""
    plan = Plan([], [], rounds=1, run_s=0.01)
    times = compare.measure(plan, "tcg", Baseline(TOP, "copy"))
    assert times.keys() == set(compare.CALLS)
    pairs = {call: compare.SHORTER * (3 if call == compare.BUDGETED else 1)
             for call in compare.CALLS}
    for call, row in times.items():
        assert {name: len(runs) for name, runs in row.items()} == dict.fromkeys(
            (OURS, "copy"), pairs[call])


@pytest.mark.parametrize("call", [Call(READ, 1), Call(WRITE, 1), Call(WRITE_CHS, 1)],
                         ids=["read", "write", "write by CHS"])
def test_wrong_data_raises_an_error(call, tmp_path):
    """The data is compared with another image."""
    with disk_bench(MAIN_SIDES[0], tmp_path, "tcg") as bench:
        runner = Runner(bench, run_s=0.01, hz=1.0)
        bench.image = tmp_path / "other.img"
        bench.image.write_bytes(pattern(DISK_SECTORS, 1))
        with pytest.raises(WrongData, match="moved wrong data"):
            runner.microseconds(call, 1)


# ---- UEFI ---------------------------------------------------------------------------------


def test_block_io_of_each_side_reads_the_disk():
    times = blocks.measure("tcg", rounds=1).times
    assert times.keys() == {64 * blocks.KIB, 1024 * blocks.KIB}
    for row in times.values():
        assert row.keys() == blocks.NAMES.keys()
        assert all(len(runs) == 1 and runs[0] > 0 for runs in row.values())


@pytest.mark.parametrize("line", ["wrong data: driver, 65536, status 0", "no disk: virtio-scsi", ""])
def test_block_io_that_fails_is_an_error(line):
    text = f"ticks in a second: 1000\nrun driver, 65536, 500\n{line}\n"
    with pytest.raises(WrongData):
        blocks.runs_of(text + ("end of runs\n" if line else ""))

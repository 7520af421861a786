# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Comparison of this build with the baseline: sizes, and times measured in turn."""

from __future__ import annotations

import re
import statistics
from dataclasses import replace

from . import budgets, sizes
from .baseline import Baseline
from .report import Report, spread
from .sides import OURS, SIDES
from .timing import (READ, READ_CHS, WRITE, WRITE_CHS, Call, Plan, Times, measure_disks, rate_cell,
                     ratios)

BUDGETED = Call(READ_CHS, 1)
CALLS = [Call(function, blocks) for function in (READ_CHS, READ, WRITE_CHS, WRITE)
         for blocks in budgets.BUDGETED_SECTORS]
MORE_PAIRS = [BUDGETED] * 2     # further runs per round, for a smaller error of the median
SHORTER = 3     # more but shorter runs: the machine's load changes less between two

# ---- Sizes ---------------------------------------------------------------------------

# How `make size` of the baseline names this row, and a sentence with another size
BASELINE_ONE_DISK = "resident after init, 1 disk"
SENTENCE = re.compile(r"^16 disks \d+; with media .* (\d+)$", re.M)


def baseline_sizes(text: str) -> dict[str, int]:
    """Bytes by row name of the current `make size`."""
    found = {name: value for name, value, _ in sizes.rows(text)}
    if BASELINE_ONE_DISK in found:
        found[sizes.ONE_DISK] = found[BASELINE_ONE_DISK]
    if sentence := SENTENCE.search(text):
        found[sizes.WITHOUT_PMM] = int(sentence[1])
    return found


def size_rows(ours: str, theirs: str) -> list[list[str]]:
    """Rows from the output of `make size` in both trees."""
    old = baseline_sizes(theirs)
    return [[name, str(value), str(old[name]) if name in old else "-"]
            for name, value, _ in sizes.rows(ours)]


def report_sizes(report: Report, baseline: Baseline) -> None:
    report.text(f"Bytes, compared with commit {baseline.name}:")
    report.table(["size", OURS, baseline.name],
                 size_rows(sizes.make_size_output(), baseline.make("size")))


# ---- Times ---------------------------------------------------------------------------


def measure(plan: Plan, accelerator: str, baseline: Baseline) -> Times:
    """Measure both ROMs on machines that are otherwise identical."""
    ours = next(side for side in SIDES if side.name == OURS)
    old = replace(ours, name=baseline.name, rom=baseline.rom("895A"))
    pairs = replace(plan, calls=CALLS + MORE_PAIRS, disk_sides=[ours, old],
                    rounds=plan.rounds * SHORTER, run_s=plan.run_s / SHORTER)
    return measure_disks(pairs, accelerator)


def report_times(report: Report, times: Times, accelerator: str, name: str) -> None:
    """Report ratios to the baseline `name`; the budget applies to KVM only."""
    rows = []
    for call, row in times.items():
        found = ratios(row, name)
        limit = budgets.AGAINST_BASELINE if (accelerator, call) == ("kvm", BUDGETED) else None
        if limit:
            report.budget(f"{accelerator.upper()}, {call.name}: time against {name}",
                          statistics.median(found), limit, must_hold=False,
                          shown=spread(found, 2))
        rows.append([call.name, rate_cell(call, row[OURS]), rate_cell(call, row[name]),
                     spread(found, 2), f"{limit:g}" if limit else "-"])
    report.text("Requests per second: median (smallest-largest), then MB/s. Time of this ROM as a "
                f"part of that of {name}: median of the rounds (smallest-largest), and the budget.")
    report.table(["call, blocks", OURS, name, f"of {name}'s time", "budget"], rows)


def report_measured_times(report: Report, plan: Plan, accelerator: str, baseline: Baseline) -> None:
    report.heading(f"Requests, {accelerator.upper()}, compared with commit {baseline.name}")
    report_times(report, measure(plan, accelerator, baseline), accelerator, baseline.name)

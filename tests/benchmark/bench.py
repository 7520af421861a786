#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make bench`: sizes, counts and times of this ROM against their budgets
(docs/performance.md), printed as Markdown that is also written to a file.

Exit status 1 if a budget of sizes, counts or stacks is exceeded. Times only get
a verdict: they are not reliable on a machine that is busy with other work.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP), str(TOP / "tools")]

import qemu  # noqa: E402

from tests.benchmark import baseline, blocks, compare, counts, post, sizes, timing  # noqa: E402
from tests.benchmark.report import Report  # noqa: E402
from tests.tools.compatibility import commit_here, name_of_qemu  # noqa: E402

PARTS = ["sizes", "counts", "traced", "times", "post", "blocks"]


def kvm_error() -> str:
    """Empty if KVM works; otherwise QEMU's error message."""
    result = subprocess.run(
        [*qemu.command(), "-accel", "kvm", "-machine", "pc", "-nodefaults", "-display", "none",
         "-S", "-monitor", "stdio"], input="quit\n", capture_output=True, text=True)
    return result.stderr.strip().splitlines()[-1] if result.returncode else ""


def _first(pattern: str, file: str) -> str:
    found = re.search(pattern, Path(file).read_text(), re.M)
    return found[1] if found else "unknown"


def report_machine(report: Report, no_kvm: str) -> None:
    report.text(
        f"{name_of_qemu()}. {_first(r'^model name.*: (.*)', '/proc/cpuinfo')}, "
        f"{os.cpu_count()} processors, Linux {platform.release()}, load "
        f"{os.getloadavg()[0]:.1f} at the start. ROM: commit {commit_here()}. KVM: "
        f"{f'not usable, {no_kvm}' if no_kvm else 'used'}.")


def report_parts(args: argparse.Namespace, report: Report, accelerators: list[str],
              old: baseline.Baseline | None) -> None:
    if "sizes" in args.only:
        sizes.report_sizes(report)
        if old:
            compare.report_sizes(report, old)
    if "counts" in args.only:
        counts.report_exact_counts(report, old)
        post.report_exact_post(report)
    if "traced" in args.only:
        counts.report_traced_counts(report, accelerators)
    if "times" in args.only:
        plan = timing.Plan.quick() if args.quick else timing.Plan.full()
        qemu_major = int(qemu.version().split(".")[0])
        for accelerator in accelerators:
            timing.report_measured_times(report, plan, accelerator, qemu_major)
            if old:
                compare.report_measured_times(report, plan, accelerator, old)
    if "post" in args.only:
        for accelerator in accelerators[:1] if args.quick else accelerators:
            post.report_post(report, accelerator, 1 if args.quick else 3)
        post.report_linux(report, 1 if args.quick else 3)
    if "blocks" in args.only:
        blocks.report_exact(report)
        for accelerator in accelerators:
            blocks.report_times(report, accelerator)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.py", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="fewer rounds, drivers and calls")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART",
                        help=f"run only these parts: {', '.join(PARTS)}")
    parser.add_argument("--output", type=Path, default=TOP / "build" / "bench.md",
                        help="Markdown output file (default: build/bench.md)")
    args = parser.parse_args(argv)

    report = Report()
    no_kvm = kvm_error()
    report_machine(report, no_kvm)
    compared = set(args.only) - {"traced", "post", "blocks"}
    with baseline.built(report) if compared else contextlib.nullcontext() as old:
        report_parts(args, report, ["tcg"] if no_kvm else ["tcg", "kvm"], old)
    report.report_budgets()
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(report.page())
    for what in report.broken:
        print(f"bench.py: budget exceeded: {what}", file=sys.stderr)
    return int(bool(report.broken))


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Sizes: the output of `make size` against the budgets."""

from __future__ import annotations

import re
import subprocess

from tests.build import TOP

from .report import Report

ROW = re.compile(r"^(\S.*?) +(\d+) +(\d+) +-?\d+", re.M)
FILE, EFI_IMAGE, WHOLE_FILE, ONE_DISK, MOST_DISKS, CD, WITHOUT_PMM, CD_WITHOUT_PMM, FIRST_ENTRY, CD_CODE, TAKEN, TAKEN_FOR_CD, \
    TAKEN_BY_CD, WORKSPACE, BLOCK_BUFFER = NAMES = [
        "ROM file: header and packed image", "EFI image for x64", "ROM file: BIOS and EFI image",
        "stays: PMM, 1 disk", "stays: PMM, 32 disks",
        "stays: PMM, a disk and a CD", "stays: no PMM, no boot entries, disks",
        "stays: no PMM, no boot entries, CDs too", "stays: no PMM, two boot entries, CDs too",
        "code for CDs in memory of its own", "taken: no PMM, disks",
        "taken: no PMM, CDs too, until something boots", "taken: no PMM, a CD has booted",
        "workspace: stack and structure, without drives", "block buffer, where a disk needs it"]


def rows(text: str) -> list[tuple[str, int, int]]:
    """Name, bytes and limit of each row."""
    return [(name, int(value), int(limit)) for name, value, limit in ROW.findall(text)]


def make_size_output() -> str:
    """From the table on; the output of a build, if there is one, precedes it."""
    out = subprocess.run(["make", "-s", "--no-print-directory", "size"], cwd=TOP,
                         capture_output=True, text=True).stdout
    return re.sub(r"\A.*?^(?=budget )", "", out, flags=re.S | re.M)


def report_sizes(report: Report) -> None:
    report.heading("Sizes")
    text = make_size_output()
    found = rows(text)
    for name in NAMES:
        if name not in [row[0] for row in found]:
            raise RuntimeError(f"`make size` has no row: {name}\n{text}")
    report.text(f"```\n{text.rstrip()}\n```")
    for name, value, limit in found:
        report.budget(f"{name}, bytes", value, limit)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Sizes: what `make size` says, against the budgets."""

from __future__ import annotations

import re
import subprocess

from . import budgets
from .report import Report

from tests.build import TOP

ROW = re.compile(r"^(\S.*?) +(\d+) +(\d+) +-?\d+", re.M)
LIMITS = {"ROM file": budgets.FILE_BYTES, "resident after init, 1 disk": budgets.RESIDENT_BYTES,
          "workspace": budgets.WORKSPACE_BYTES}


def rows(text: str) -> list[tuple[str, int, int]]:
    """Name, bytes and limit: that of the budgets, or else the linker's."""
    out = []
    for name, value, limit in ROW.findall(text):
        stricter = [number for start, number in LIMITS.items() if name.startswith(start)]
        out.append((name, int(value), stricter[0] if stricter else int(limit)))
    return out


def said() -> str:
    return subprocess.run(["make", "-s", "--no-print-directory", "size"], cwd=TOP,
                          capture_output=True, text=True).stdout


def say_sizes(report: Report) -> None:
    report.heading("Sizes")
    text = said()
    found = rows(text)
    for start in LIMITS:
        if not any(name.startswith(start) for name, _, _ in found):
            raise RuntimeError(f"`make size` does not say: {start}\n{text}")
    report.text(f"```\n{text.rstrip()}\n```")
    for name, value, limit in found:
        report.budget(f"{name}, bytes", value, limit)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The report of `make bench`: Markdown tables that are also readable on a terminal."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

MET, NOT_MET = "met", "NOT MET"


def spread(values: Sequence[float], digits: int = 0) -> str:
    """Median, smallest and largest."""
    low, middle, high = (f"{v:.{digits}f}" for v in (min(values), statistics.median(values),
                                                     max(values)))
    return f"{middle} ({low}-{high})"


class Report:
    """Prints each part on the terminal as soon as it is available."""

    def __init__(self) -> None:
        self.markdown = ""
        self.broken: list[str] = []     # budgets that must hold
        self._budgets: list[list[str]] = []

    def _write(self, text: str) -> None:
        self.markdown += text + "\n"
        print(text, flush=True)

    def heading(self, text: str) -> None:
        self._write(f"## {text}\n")

    def text(self, text: str) -> None:
        self._write(f"{text}\n")

    def table(self, columns: list[str], rows: list[list[str]]) -> None:
        """The first column is left-aligned, the others right-aligned."""
        widths = [max(len(row[i]) for row in [columns, *rows]) for i in range(len(columns))]
        def line(cells: list[str]) -> str:
            return "| " + " | ".join([cells[0].ljust(widths[0]), *(
                cell.rjust(width) for cell, width in zip(cells[1:], widths[1:]))]) + " |"
        rule = "|" + "|".join(["-" * (widths[0] + 2), *("-" * (w + 1) + ":" for w in widths[1:])]) + "|"
        self._write("\n".join([line(columns), rule, *map(line, rows)]) + "\n")

    def budget(self, what: str, value: float, limit: float, *, must_hold: bool = True,
               shown: str = "") -> None:
        """Add one line to the budget table at the end."""
        verdict = MET if value <= limit else NOT_MET
        if value > limit and must_hold:
            self.broken.append(what)
        self._budgets.append([what, shown or f"{value:g}", f"{limit:g}", verdict,
                              "fails `make bench`" if must_hold else "reported only"])

    def report_budgets(self) -> None:
        self.heading("Budgets")
        self.table(["budget", "value", "limit", "verdict", "if not met"], self._budgets)
        self._budgets = []

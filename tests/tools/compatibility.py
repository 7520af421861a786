#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make test-matrix`: runs every test that starts QEMU with the QEMU of this
machine and with that of Debian 13, and writes the table of docs/compatibility.md.

conftest.py records the topic of each test and the boot paths of the machines that
it started. With --table no tests run; the table is made from the last results.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as xml
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP), str(TOP / "tools")]

import qemu  # noqa: E402

from tests.qemu.machine import PATHS  # noqa: E402

RESULTS = TOP / "build" / "matrix"
PAGE = TOP / "docs" / "compatibility.md"
BEGIN, END = "<!-- make test-matrix writes from here -->\n", "<!-- to here -->\n"
NO_PATH = "-"
MAIN_BIOS = "seabios/bios-256k.bin"
PYTEST = [sys.executable, "-m", "pytest", "-q", "-n", "3", "--dist", "loadfile", "-m", "qemu",
          "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning", "tests"]


@dataclass
class Column:
    """The results for one QEMU."""
    name: str = ""
    cells: dict[tuple[str, str], Counter] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def name_of_qemu() -> str:
    """Version of QEMU and of the SeaBIOS that belongs to it."""
    bios = qemu.share(MAIN_BIOS).read_bytes()
    found = re.search(rb"(?:rel-)?(\d+\.\d+\.\d+)[-\w.]*\0", bios)
    return f"QEMU {qemu.version()}, SeaBIOS {found[1].decode() if found else 'of unknown version'}"


def run(tree: Path) -> bool:
    """Run all tests with the QEMU of a tree; True if all pass."""
    os.environ["LSI8XX_QEMU"] = str(tree)
    name = name_of_qemu()
    print(f"  TEST  {name}", flush=True)
    RESULTS.mkdir(parents=True, exist_ok=True)
    file = RESULTS / f"{tree.name or 'host'}.xml"
    file.unlink(missing_ok=True)    # an interrupted run must not leave old results
    return not subprocess.run([*PYTEST, f"--junitxml={file}", "-o", "junit_family=xunit1",
                               "-o", f"junit_suite_name={name}"], cwd=TOP).returncode


def read(file: Path) -> Column:
    """Results from a JUnit file."""
    column = Column()
    for suite in xml.parse(file).getroot().iter("testsuite"):
        column.name = suite.get("name")
        for case in suite.iter("testcase"):
            properties = [(p.get("name"), p.get("value")) for p in case.iter("property")]
            topic = next((value for key, value in properties if key == "topic"), "")
            paths = [value for key, value in properties if key == "path"] or [NO_PATH]
            good = not case.findall("failure") and not case.findall("error")
            for path in paths:
                column.cells.setdefault((path, topic), Counter())[good] += 1
            if not good:
                column.failed.append(f"{case.get('classname').split('.')[-1]}: {case.get('name')}")
    return column


def cell(count: Counter | None) -> str:
    if not count:
        return NO_PATH
    bad = count[False]
    return f"{bad} of {count.total()} failed" if bad else f"{count[True]} passed"


def table(columns: list[Column]) -> str:
    """A row for each recorded pair of boot path and topic."""
    order = [*PATHS, NO_PATH]
    rows = sorted({row for column in columns for row in column.cells},
                  key=lambda row: (order.index(row[0]), row[1]))
    lines = ["| path | what | " + " | ".join(column.name for column in columns) + " |",
             "|---|---|" + "---|" * len(columns)]
    for path, topic in rows:
        shown = path if path == NO_PATH else f"`{path}`"
        lines.append(f"| {shown} | {topic} | "
                     + " | ".join(cell(column.cells.get((path, topic))) for column in columns) + " |")
    for column in columns:
        if column.failed:
            lines += ["", f"Failed with {column.name}:", ""]
            lines += [f"- `{test}`" for test in column.failed]
    return "\n".join(lines) + "\n"


def replace_table(page: str, text: str) -> str:
    """Replace the text between the two marks of the page."""
    head, rest = page.split(BEGIN)
    return f"{head}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="compatibility.py", description=__doc__.split("\n")[0])
    parser.add_argument("--table", action="store_true", help="only rewrite the table")
    args = parser.parse_args(argv)
    try:
        trees = [Path("/"), qemu.fetch()]
        good = args.table or all([run(tree) for tree in trees])
        columns = [read(RESULTS / f"{tree.name or 'host'}.xml") for tree in trees]
        PAGE.write_text(replace_table(PAGE.read_text(), table(columns)))
    except (qemu.QemuError, OSError) as error:
        print(f"compatibility.py: {error}", file=sys.stderr)
        return 1
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make size`: sizes of a build compared with their budgets, and its largest parts.

Exit status 1 if a budget is exceeded.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

import stack

TOP = Path(__file__).resolve().parent.parent
BUILD = TOP / "build"
LARGEST = 12
NAME_COLUMNS = 56
HEADERS = ("rom/workspace.h", "rom/layout.h")


def run(*command: str) -> str:
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout


def values(*expressions: str) -> list[int]:
    """Values of C expressions with the ROM's types and constants, as evaluated by
    the compiler. No value may be 0."""
    source = "".join(f'#include "{header}"\n' for header in HEADERS) + "".join(
        f"const unsigned value_{i} = {text};\n" for i, text in enumerate(expressions))
    out = subprocess.run(
        ["gcc", "-m16", "-std=gnu11", "-ffreestanding", "-fshort-enums", "-I.", "-S", "-x", "c", "-",
         "-o", "-"], input=source, cwd=TOP, capture_output=True, text=True, check=True).stdout
    return [int(number) for number in re.findall(r"^value_\d+:\s*\.long\s+(\d+)", out, re.M)]


def sections(elf: str) -> dict[str, tuple[int, int]]:
    """Maps a section name to (address, size)."""
    out = run("objdump", "-h", f"build/{elf}.elf")
    return {m[1]: (int(m[3], 16), int(m[2], 16)) for m in
            re.finditer(r"\d+ (\.\w+) +([0-9a-f]+) +([0-9a-f]+)", out)}


def symbols() -> list[tuple[int, str]]:
    out = run("nm", "-S", "build/rom.elf")
    return sorted(((int(m[1], 16), m[2]) for m in
                   re.finditer(r"^\w+ (\w+) \w (\S+)$", out, re.M)), reverse=True)


def stack_frames() -> list[tuple[int, str]]:
    """Stack frames as reported by the compiler, largest first."""
    frames = []
    for file in BUILD.rglob("*.su"):
        for line in file.read_text().splitlines():
            place, size, _ = line.split("\t")
            frames.append((int(size), place.rsplit(":", 1)[1]))
    return sorted(frames, reverse=True)


def calls() -> stack.Calls:
    return stack.Calls(BUILD, [
        file for file in sorted(BUILD.rglob("*.o"))
        if (TOP / file.relative_to(BUILD)).with_suffix(".c").exists()])


@dataclass(frozen=True)
class Row:
    """A budget and the bytes that this build uses of it."""
    name: str
    used: int
    limit: int

    @property
    def over(self) -> bool:
        return self.used > self.limit

    def __str__(self) -> str:
        return (f"{self.name:{NAME_COLUMNS}} {self.used:7} {self.limit:7} "
                f"{self.limit - self.used:7}{'  OVER' if self.over else ''}")


def rows(limits: dict[str, int], image: dict[str, tuple[int, int]],
         file: dict[str, tuple[int, int]]) -> list[Row]:
    """All budgets: the file, the resident part by kind of machine, then RAM.
    `limits` come from the Makefile; `image` and `file` are the sections of the
    unpacked image and of the ROM file."""
    block, slot, slots, stack_bytes, structure, workspace, disk_block, buffer = values(
        "ROM_BLOCK_BYTES", "PNP_SLOT_BYTES", "MOST_DISKS", "STACK_BYTES", "sizeof(struct workspace)",
        "WORKSPACE_KIB * 1024", "1 << MOST_BLOCK_SHIFT", "BLOCK_BUFFER_BYTES")

    def in_blocks(end: int) -> int:
        return (end + block - 1) // block * block

    def entries(count: int) -> Row:
        """Each fixed disk has one boot entry."""
        return Row(f"resident after init, {count} disk{'s' if count > 1 else ''}",
                   in_blocks(image[".pnp"][0] + count * slot),
                   in_blocks(limits["RESIDENT"] + (count - 1) * slot))

    return [
        Row("ROM file: header and packed image", sum(file[".packed"]), limits["FILE"]),
        *(Row(f"ROM file {rom}", (BUILD / rom).stat().st_size, limits["FILE"])
          for rom in ("lsi53c895a.rom", "lsi53c810.rom")),
        entries(1),
        entries(slots),
        Row("resident after init, no boot entries or removable media",
            in_blocks(sum(image[".extra"])), limits["EXTRA"]),
        Row("resident after init, with a CD", in_blocks(sum(image[".cd"])), limits["CD"]),
        Row("workspace: stack and structure", stack_bytes + structure, workspace),
        Row("block buffer, where a drive needs it", disk_block, buffer),
    ]


def stack_row(found: stack.Calls) -> Row:
    stack_bytes, canary = values("STACK_BYTES", "sizeof(workspace_canary)")
    return Row("own stack: deepest call, computed", found.deepest_entry()[0], stack_bytes - canary)


def limit(text: str) -> tuple[str, int]:
    name, value = text.split("=")
    return name, int(value, 0)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="size.py", description=__doc__.split("\n")[0])
    parser.add_argument("limits", nargs="+", type=limit, metavar="NAME=BYTES",
                        help="budget limits of the Makefile")
    args = parser.parse_args(argv)

    image, file = sections("rom"), sections("unpack")
    found = calls()
    depth = stack_row(found)
    budgets = [*rows(dict(args.limits), image, file), depth]
    print(f"{'budget':{NAME_COLUMNS}} {'bytes':>7} {'limit':>7} {'free':>7}")
    for row in budgets:
        print(row)

    def sizes(sections: dict[str, tuple[int, int]]) -> str:
        return ", ".join(f"{name} {size}" for name, (_, size) in sections.items() if size)

    stack_bytes, structure = values("STACK_BYTES", "sizeof(struct workspace)")
    print("\nResident parts are whole blocks of 512 bytes.")
    print("The file is at least as large as the largest resident part.")
    print(f"file: {sizes(file)}")
    print(f"image {sum(image['.post'])}: {sizes(image)}")
    print(f"workspace: stack {stack_bytes}, structure {structure}")
    print("\nlargest functions and tables")
    for size, name in symbols()[:LARGEST]:
        print(f"  {size:5}  {name}")
    print("largest stack frames")
    for size, name in stack_frames()[:LARGEST // 2]:
        print(f"  {size:5}  {name}")
    print("deepest call on our own stack")
    print(textwrap.fill(" ".join(found.deepest_entry()[1]), 100, initial_indent="  ", subsequent_indent="  "))
    print(f"room for a BIOS service: {depth.limit - found.deepest_entry(stack.BIOS_BEGINS)[0]}")
    return int(any(row.over for row in budgets))


if __name__ == "__main__":
    sys.exit(main())

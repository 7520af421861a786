#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make size`: what a build knows of the budgets, and where the bytes go.

Exit status 1 if a budget is broken.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BUILD = TOP / "build"
LARGEST = 12


def run(*command: str) -> str:
    return subprocess.run(command, cwd=TOP, capture_output=True, text=True, check=True).stdout


def constant(name: str) -> int:
    """A number that rom/workspace.h or rom/image.h defines."""
    text = "".join((TOP / f"rom/{f}.h").read_text() for f in ("workspace", "image"))
    return int(re.search(rf"^#define {name} (\w+)", text, re.M).group(1), 0)


def sections(elf: str) -> dict[str, tuple[int, int]]:
    """Name to (address, size)."""
    out = run("objdump", "-h", f"build/{elf}.elf")
    return {m[1]: (int(m[3], 16), int(m[2], 16)) for m in
            re.finditer(r"\d+ (\.\w+) +([0-9a-f]+) +([0-9a-f]+)", out)}


def symbols() -> list[tuple[int, str]]:
    out = run("nm", "-S", "build/rom.elf")
    return sorted(((int(m[1], 16), m[2]) for m in
                   re.finditer(r"^\w+ (\w+) \w (\S+)$", out, re.M)), reverse=True)


def workspace_used() -> int:
    """Size of struct workspace, as the compiler lays it out."""
    out = subprocess.run(
        ["gcc", "-m16", "-std=gnu11", "-ffreestanding", "-fshort-enums", "-I.", "-S", "-x", "c", "-", "-o", "-"],
        input='#include "rom/workspace.h"\nunsigned size_ = sizeof(struct workspace);\n',
        cwd=TOP, capture_output=True, text=True, check=True).stdout
    return int(re.search(r"size_:\s*\.long\s+(\d+)", out).group(1))


def stack_frames() -> list[tuple[int, str]]:
    """Largest frames by the compiler's own report."""
    frames = []
    for file in BUILD.glob("*/*.su"):
        for line in file.read_text().splitlines():
            place, size, _ = line.split("\t")
            frames.append((int(size), place.rsplit(":", 1)[1]))
    return sorted(frames, reverse=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="size.py", description=__doc__.split("\n")[0])
    parser.add_argument("--file-limit", type=int, required=True)
    parser.add_argument("--resident-limit", type=int, required=True)
    parser.add_argument("--cd-limit", type=int, required=True)
    args = parser.parse_args(argv)

    block = constant("ROM_BLOCK_BYTES")
    place, file = sections("rom"), sections("unpack")
    slots = constant("PNP_SLOTS")
    slot = constant("PNP_SLOT_BYTES")

    def in_blocks(end: int) -> int:
        return (end + block - 1) // block * block

    def resident(disks: int) -> int:
        return in_blocks(place[".pnp"][0] + disks * slot)

    with_cd = in_blocks(sum(place[".cd"]))
    stack = constant("STACK_BYTES")
    used = workspace_used()
    rows = [
        ("ROM file: header and packed image", sum(file[".packed"]), args.file_limit),
        ("ROM file lsi53c895a.rom", (BUILD / "lsi53c895a.rom").stat().st_size, args.file_limit),
        ("ROM file lsi53c810.rom", (BUILD / "lsi53c810.rom").stat().st_size, args.file_limit),
        ("resident after init, 1 disk", resident(1), args.resident_limit),
        ("resident after init, with a CD", with_cd, args.cd_limit),
        ("workspace: stack and structure", stack + used, constant("WORKSPACE_BYTES")),
    ]
    print(f"{'budget':34} {'bytes':>7} {'limit':>7} {'left':>7}")
    for name, value, limit in rows:
        print(f"{name:34} {value:7} {limit:7} {limit - value:7}"
              + ("  OVER" if value > limit else ""))

    def sizes(sections: dict[str, tuple[int, int]]) -> str:
        return ", ".join(f"{name} {size}" for name, (_, size) in sections.items() if size)

    print(f"\n{slots} disks {resident(slots)}; with media that can be removed, or without BBS "
          f"{in_blocks(sum(place['.extra']))}")
    print("The file is as large as what may stay where it was, if that is more.")
    print(f"file: {sizes(file)}")
    print(f"image {sum(place['.post'])}: {sizes(place)}")
    print(f"workspace: stack {stack}, structure {used}")
    print("\nlargest functions and tables")
    for size, name in symbols()[:LARGEST]:
        print(f"  {size:5}  {name}")
    print("largest stack frames")
    for size, name in stack_frames()[:LARGEST // 2]:
        print(f"  {size:5}  {name}")
    return int(any(value > limit for _, value, limit in rows))


if __name__ == "__main__":
    sys.exit(main())

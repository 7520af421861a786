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

import romsign
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


def offsets() -> dict[str, int]:
    """Values of the symbols of the unpacked image."""
    return {name: int(value, 16) for value, name in
            re.findall(r"^(\w+) \w (\w+)$", run("nm", "build/rom.elf"), re.M)}


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


def files(limits: dict[str, int]) -> list[Row]:
    """The images of ROM files. The EFI image is the same in all, except for its IDs."""
    contents = {rom: (BUILD / rom).read_bytes() for rom in ("lsi53c895a.rom", "lsi53c810.rom")}
    roms = {rom: romsign.parse(file) for rom, file in contents.items()}
    first = next(iter(roms))
    efi, = romsign.efi_images(contents[first], roms[first])
    block = romsign.BLOCK
    return [*(Row(f"BIOS image of {name}", rom.blocks * block, limits["FILE"]) for name, rom in roms.items()),
            Row("EFI image for x64", efi.pcir.blocks * block, limits["EFI"]),
            Row("ROM file: BIOS and EFI image", len(contents[first]), limits["WHOLE_FILE"])]


def stays(limits: dict[str, int], end: dict[str, int]) -> list[Row]:
    """What stays in the area of ROMs, by kind of machine. `end` maps a symbol to the
    offset where a part of the image ends."""
    block, slot, header, most = values("ROM_BLOCK_BYTES", "PNP_SLOT_BYTES", "PNP_HEADER_BYTES", "MOST_DISKS")

    def row(machine: str, bytes_: int, limit_: int) -> Row:
        used, limit_ = ((n + block - 1) // block * block for n in (bytes_, limit_))
        return Row(f"stays: {machine}", used, limit_)

    disks = [row(f"PMM, {n} disk{'s' if n > 1 else ''}", end["text_end"] + n * slot,
                 limits["RESIDENT"] + (n - 1) * slot) for n in (1, most)]
    return [*disks,
            row("PMM, a disk and a CD", end["cd_end"] + 2 * slot, limits["CD"]),
            row("no PMM, no boot entries, disks", end["extra_end"] + header, limits["WITHOUT_PMM"]),
            row("no PMM, no boot entries, CDs too", end["far_rom_end"] + header, limits["WITHOUT_PMM"]),
            row("no PMM, two boot entries, CDs too", end["far_rom_end"] + 2 * slot, limits["WITHOUT_PMM"])]


def taken(limits: dict[str, int], end: dict[str, int]) -> list[Row]:
    """What is taken from the 640 KiB without PMM, if all disks are fixed and have
    sectors of 512 bytes."""
    workspace, slack, buffer, disks_limit, cd_limit = values(
        "WORKSPACE_KIB * 1024", "SLACK_KIB * 1024", "CD_BUFFER_KIB * 1024", "4 * 1024", "12 * 1024")
    far_code = (end["cd_bytes"] + 1023) // 1024 * 1024
    return [Row("code for CDs in memory of its own", end["cd_bytes"], limits["CD_MEMORY"]),
            Row("taken: no PMM, disks", workspace + slack, disks_limit),
            Row("taken: no PMM, CDs too, until something boots", workspace + slack + far_code, cd_limit),
            Row("taken: no PMM, a CD has booted", workspace + buffer + far_code, cd_limit)]


def rows(limits: dict[str, int], end: dict[str, int], file: dict[str, tuple[int, int]]) -> list[Row]:
    """All budgets: the file, what stays resident and what is taken by kind of machine,
    then RAM. `limits` come from the Makefile; `end` has the symbols of the unpacked
    image, `file` the sections of the ROM file."""
    stack_bytes, structure, room, disk_block, buffer = values(
        "STACK_BYTES", "sizeof(struct workspace)", "WS_DRIVES", "1 << MOST_BLOCK_SHIFT", "BLOCK_BUFFER_BYTES")
    return [
        Row("ROM file: header and packed image", sum(file[".packed"]), limits["FILE"]),
        *files(limits), *stays(limits, end), *taken(limits, end),
        Row("workspace: stack and structure, without drives", stack_bytes + structure, room),
        Row("block buffer, where a disk needs it", disk_block, buffer),
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
    budgets = [*rows(dict(args.limits), offsets(), file), depth]
    print(f"{'budget':{NAME_COLUMNS}} {'bytes':>7} {'limit':>7} {'free':>7}")
    for row in budgets:
        print(row)

    def sizes(sections: dict[str, tuple[int, int]]) -> str:
        return ", ".join(f"{name} {size}" for name, (_, size) in sections.items() if size)

    stack_bytes, structure, disk = values("STACK_BYTES", "sizeof(struct workspace)", "sizeof(struct disk)")
    print("\nResident parts are whole blocks of 512 bytes.")
    print("The file is at least as large as the largest resident part.")
    print(f"file: {sizes(file)}")
    print(f"image {sum(image['.post'])}: {sizes(image)}")
    print(f"workspace: stack {stack_bytes}, structure {structure}, {disk} for each drive")
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

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Build outputs of `make`: the ROM files and the addresses of their symbols; size limits."""

from __future__ import annotations

import functools
import re
import subprocess
from pathlib import Path

import romsign

TOP = Path(__file__).resolve().parent.parent
BUILD = TOP / "build"
ROM_895A = BUILD / "lsi53c895a.rom"
ROM_810 = BUILD / "lsi53c810.rom"
ROM_EPROM = BUILD / "lsi53c8xx.rom"  # 32 KiB, without the set-up screen
IMAGE = BUILD / "image.bin"  # the unpacked image, without the ROM header
PACKED_FROM = 0x78  # length of the ROM header
# Size limits in bytes, by name
LIMITS = {name: int(limit) for name, limit in
          re.findall(r"^(\w+)_LIMIT := (\d+)$", (TOP / "Makefile").read_text(), re.M)}


def bios_image(rom: Path) -> bytes:
    """The image at the start of a ROM file that a BIOS copies from the ROM BAR; EFI
    images may follow it there. [PCI 3.0 firmware "Expansion ROM"]"""
    file = rom.read_bytes()
    return file[:file[2] * 512]


def without_efi(rom: Path, folder: Path) -> Path:
    """A copy of a ROM file with the BIOS image only."""
    pcir = romsign.parse(rom.read_bytes()).pcir
    out = folder / f"bios-{rom.name}"
    out.write_bytes(romsign.stamp(rom.read_bytes(), pcir.vendor, pcir.device, pcir.devices, drop_efi=True))
    return out


@functools.cache
def _names(elf: str) -> str:
    """The output of nm, which no test changes: it would take most of the time of a short test."""
    return subprocess.run(["nm", str(BUILD / f"{elf}.elf")], capture_output=True, text=True, check=True).stdout


@functools.cache
def symbol(name: str, elf: str = "rom") -> int:
    """Offset of a function or object in the unpacked ROM image or, with
    elf="unpack", in the ROM file."""
    return int(re.search(rf"^([0-9a-f]+) . {name}$", _names(elf), re.M).group(1), 16)

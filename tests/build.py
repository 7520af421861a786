# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Build outputs of `make`: the ROM files and the addresses of their symbols; size limits."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
BUILD = TOP / "build"
ROM_895A = BUILD / "lsi53c895a.rom"
ROM_810 = BUILD / "lsi53c810.rom"
IMAGE = BUILD / "image.bin"  # the unpacked image, without the ROM header
PACKED_FROM = 0x78  # length of the ROM header
# Size limits in bytes, by name
LIMITS = {name: int(limit) for name, limit in
          re.findall(r"^(\w+)_LIMIT := (\d+)$", (TOP / "Makefile").read_text(), re.M)}


def symbol(name: str, elf: str = "rom") -> int:
    """Offset of a function or object in the unpacked ROM image or, with
    elf="unpack", in the ROM file."""
    out = subprocess.run(["nm", str(BUILD / f"{elf}.elf")], capture_output=True, text=True, check=True)
    return int(re.search(rf"^([0-9a-f]+) . {name}$", out.stdout, re.M).group(1), 16)

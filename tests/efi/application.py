# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Builds the test application in tests/efi/app and a FAT image from which UEFI starts it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.build import BUILD, TOP

APP = TOP / "tests/efi/app"
SKELETON = ["start", "text", "memory", "check", "scsi"]
CHECKS = [*SKELETON, "checks", "driver"]

# As the driver's (Makefile)
CFLAGS = ["-m64", "-std=gnu11", "-O1", "-ffreestanding", "-fno-stack-protector", "-mno-red-zone",
          "-mgeneral-regs-only", "-fpie", "-fvisibility=hidden", "-fno-ident",
          "-fno-asynchronous-unwind-tables", "-fcf-protection=none", "-fshort-wchar",
          "-Wall", "-Wextra", "-Werror", "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wconversion",
          "-Wno-missing-field-initializers", f"-I{TOP}/efi", f"-I{TOP}", f"-I{BUILD}"]
LDFLAGS = ["-m", "i386pep", "--subsystem", "10", "--image-base", "0", "--file-alignment", "32", "-s",
           "-e", "efi_main"]
EFI_FILE = "::EFI/BOOT/BOOTX64.EFI"


def groups() -> list[str]:
    """The groups of checks in their order; each is a C file."""
    return re.findall(r'^\t\{"(\w+)", check_', (APP / "checks.c").read_text(), re.M)


def names() -> list[str]:
    """The names of all checks in the sources, as the application prints them."""
    return [f"{group}: {name}" for group in groups()
            for name in re.findall(r'(?:\bcheck_\w+\(|\.name = )"([^"]+)"', (APP / f"{group}.c").read_text())]


def build(directory: Path, files: list[str], *options: str) -> Path:
    """Compile and link these files of tests/efi/app. `options` go to the compiler."""
    objects = []
    for name in files:
        objects.append(str(directory / f"{name}.o"))
        subprocess.run(["gcc", *CFLAGS, *options, "-c", "-o", objects[-1], str(APP / f"{name}.c")], check=True)
    program = directory / "app.efi"
    subprocess.run(["ld", *LDFLAGS, "-o", str(program), *objects], check=True)
    return program


def fat_image(directory: Path, program: Path) -> Path:
    """A disk image without partitions from whose fallback path UEFI starts the program."""
    image = directory / "boot.img"
    image.write_bytes(b"")
    with image.open("r+b") as file:
        file.truncate(4 << 20)
    for command in (["mformat", "-i", image, "::"], ["mmd", "-i", image, "::EFI", "::EFI/BOOT"],
                    ["mcopy", "-i", image, program, EFI_FILE]):
        subprocess.run(list(map(str, command)), check=True)
    return image

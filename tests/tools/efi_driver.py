# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A BIOS image without EFI images; a small EFI driver file, and the places of its
fields by the PE-COFF specification; for tests of tools/romsign.py.
"""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

import romsign

from tests.build import BUILD, LIMITS

# The table needs relocations, `count` has no content in the file.
SOURCE = """
typedef unsigned long long u64;
static u64 first(u64 x) { return x; }
static u64 second(u64 x) { return x + 1; }
u64 (*volatile table[])(u64) __attribute__((visibility("hidden"))) = {first, second};
static volatile u64 count;
u64 efi_main(u64 image, u64 table_of_system);
u64 efi_main(u64 image, u64 table_of_system) { return table[count++ & 1](image ^ table_of_system); }
"""
COMPILE = ["-m64", "-Os", "-ffreestanding", "-fpic", "-fno-stack-protector", "-fcf-protection=none",
           "-fno-asynchronous-unwind-tables"]
LINK = ["-m", "i386pep", "--subsystem", "11", "--image-base", "0", "--file-alignment", "32",
        "--no-insert-timestamp", "-e", "efi_main"]

# Offsets from the PE signature [PE-COFF "COFF File Header", "Optional Header"]
MACHINE, SECTIONS, OPTIONAL_BYTES, FLAGS = 0x04, 0x06, 0x14, 0x16
MAGIC, ENTRY, ALIGNMENT, IMAGE_BYTES, HEADER_BYTES = 0x18, 0x28, 0x38, 0x50, 0x54
SUBSYSTEM, DIRECTORIES = 0x5C, 0x84
CERTIFICATES, RELOCATIONS = 0xA8, 0xB0     # data directories 4 and 5: address and size
SECTION_TABLE = 0x108                      # after 16 directories
VIRTUAL_BYTES, ADDRESS, FILE_BYTES, FILE_AT, SECTION_FLAGS = 0x08, 0x0C, 0x10, 0x14, 0x24
WIDTHS = {MACHINE: "H", SECTIONS: "H", OPTIONAL_BYTES: "H", FLAGS: "H", MAGIC: "H", SUBSYSTEM: "H"}


def bios_image() -> bytes:
    """For the 53C895A, as in its ROM file."""
    return romsign.stamp((BUILD / "rom.bin").read_bytes(), 0x1000, 0x12, run_time=LIMITS["FILE"])


def build(folder: Path, *compile_more: str, link: list[str] = [*LINK, "-s"]) -> bytes:
    """The driver for x64, made by gcc and ld."""
    (folder / "driver.c").write_text(SOURCE)
    for command in (["gcc", *COMPILE, *(compile_more or ["-fno-ident"]), "-c", "driver.c", "-o", "driver.o"],
                    ["ld", *link, "driver.o", "-o", "driver.efi"]):
        subprocess.run(command, cwd=folder, check=True)
    return (folder / "driver.efi").read_bytes()


def start(driver: bytes) -> int:
    """Offset of the PE signature."""
    return struct.unpack_from("<I", driver, 0x3C)[0]


def get(driver: bytes, field: int) -> int:
    return struct.unpack_from(f"<{WIDTHS.get(field, 'I')}", driver, start(driver) + field)[0]


def change(driver: bytes, field: int, value: int) -> bytes:
    """A copy with another value of a field of the headers."""
    out = bytearray(driver)
    struct.pack_into(f"<{WIDTHS.get(field, 'I')}", out, start(driver) + field, value)
    return bytes(out)


def section(driver: bytes, name: str) -> int:
    """Offset of a section header, to be added to a field of it."""
    for number in range(get(driver, SECTIONS)):
        at = SECTION_TABLE + 40 * number
        if driver[start(driver) + at:][:8].rstrip(b"\0") == name.encode():
            return at
    raise LookupError(name)


def for_machine(driver: bytes, machine: int) -> bytes:
    return change(driver, MACHINE, machine)


def signed(driver: bytes, certificate: bytes = bytes(range(1, 41))) -> bytes:
    """With a table of certificates at the end. [PE-COFF "Attribute Certificate Table"]"""
    driver += bytes(-len(driver) % 8)
    table = struct.pack("<IHH", 8 + len(certificate), 0x0200, 2) + certificate
    return change(change(driver, CERTIFICATES, len(driver)), CERTIFICATES + 4, len(table)) + table

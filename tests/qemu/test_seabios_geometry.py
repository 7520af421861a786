# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""AH=08h of disks with a GPT and of disks with a file system but no partitions, by
this ROM and by SeaBIOS's own driver (ring 2). docs/seabios.md has the results.
"""

from __future__ import annotations

import re
import struct

import pytest

from tests.build import TOP
from tests.qemu.machine import disk_arguments
from tests.qemu.test_disks import geometry

pytestmark = pytest.mark.qemu("compared with SeaBIOS's own driver: geometry")

MIB = 2048      # in sectors
SIZES = [500, 900, 1100, 2000, 4000, 8100]
HIGHEST = {"FE FF FF": b"\xFE\xFF\xFF", "FF FF FF": b"\xFF\xFF\xFF"}


def protective(sectors: int, end: bytes) -> bytes:
    """The first sector of a disk with a GPT [UEFI "Protective MBR"]."""
    return bytes(446) + b"\0\0\2\0\xEE" + end + struct.pack("<II", 1, sectors - 1) + bytes(48) + b"\x55\xAA"


def superfloppy(sectors: int) -> bytes:
    """The boot sector of a FAT file system made for 128 heads and 63 sectors."""
    bpb = struct.pack("<3s8sHBHBHHBHHHII", b"\xEB\x3C\x90", b"MSDOS5.0", 512, 64, 1, 2, 512, 0, 0xF8,
                      250, 63, 128, 0, sectors)
    return bpb.ljust(510, b"\0") + b"\x55\xAA"


def disks(directory, first_sector) -> list[str]:
    arguments = []
    for scsi_id, mib in enumerate(SIZES):
        image = directory / f"{mib}.img"
        with image.open("wb") as file:
            file.write(first_sector(mib * MIB))
            file.truncate(mib << 20)
        arguments += disk_arguments(image, scsi_id)
    return arguments


def share(mib: int, shape: tuple[int, int, int]) -> str:
    """Sectors with a CHS address, of all that could have one."""
    cylinders, heads, per_track = shape
    return f"{100 * cylinders * heads * per_track // min(mib * MIB, 1024 * 255 * 63)} %"


def documented() -> dict[int, list[str]]:
    """Rows of the table: the shapes of SeaBIOS and of this ROM, and their shares."""
    rows = re.findall(r"^\| (\d+) MiB \| (.*?) \| (.*?) \| (\d+ %) \| (\d+ %) \|$",
                      (TOP / "docs" / "seabios.md").read_text(), re.M)
    return {int(size): rest for size, *rest in rows}


@pytest.mark.parametrize("end", HIGHEST.values(), ids=HIGHEST)
@pytest.mark.parametrize("path, column", [("seabios", 0), ("microvm", 1)])
def test_geometry_of_gpt_disks(start, tmp_path, path, column, end):
    pc = start(path, *disks(tmp_path, lambda sectors: protective(sectors, end)))
    shapes = {mib: geometry(pc, 0x80 + i) for i, mib in enumerate(SIZES)}
    assert {mib: ["/".join(map(str, shape)), share(mib, shape)] for mib, shape in shapes.items()} == {
        mib: row[column::2] for mib, row in documented().items()}


def test_geometry_of_disks_without_partitions(start, tmp_path):
    pc = start("microvm", *disks(tmp_path, superfloppy))
    assert [geometry(pc, 0x80 + i) for i in range(len(SIZES))] == [
        (min(mib * MIB // (128 * 63), 1024), 128, 63) for mib in SIZES]

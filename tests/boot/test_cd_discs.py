# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Discs that people have, booted on each path (ring 3): an image that is the whole disc,
a partition that ends at head 255, a floppy without 55AAh, a boot record that follows no
other descriptor. QEMU's drives have one session and blocks of 2048 bytes.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.boot import bootcds
from tests.boot.bootcds import BLOCK, FLOPPY_1440, HARD_DISK, Disc, Entry
from tests.qemu.agent import assemble
from tests.qemu.machine import PATHS, Console, Machine, cd_arguments

pytestmark = pytest.mark.qemu("discs of other makers")

LAST_CHS = 446 + 5      # in a boot sector: the end of the first partition
on_each_path = pytest.mark.parametrize("path", ["microvm", "nolsi", "c810", "bochs"])


def check_output(path: str, disc: Disc, output: str) -> None:
    with Machine(PATHS[path], *cd_arguments(disc.file, 2)) as machine:
        Console(machine.com2).wait_for(output)


@on_each_path
def test_hard_disk_image_that_is_the_whole_disc(path, tmp_path):
    """Every sector by CHS."""
    disc = bootcds.whole_disc(tmp_path / "disc.iso", assemble("cdcheck"))
    check_output(path, disc, bootcds.checked(disc.content, bootcds.DISK, 0x80, drives=1, bx=0))


@on_each_path
def test_partition_that_ends_at_head_255_is_read_as_dos_reads(path, tmp_path):
    image = bytearray(bootcds.drive_image(HARD_DISK, bootcds.dos_code()))
    image[LAST_CHS:LAST_CHS + 3] = b"\xFF\xFF\xFF"
    disc = bootcds.disc(tmp_path / "disc.iso", Entry(bytes(image), HARD_DISK, count=1))
    check_output(path, disc, bootcds.read_as_dos(bytes(image), 0x80))


@on_each_path
def test_floppy_without_55aah_and_other_descriptors_is_read_as_dos_reads(path, tmp_path):
    """Block 16 is zero, as is the place of the signature."""
    image = bytearray(bootcds.drive_image(FLOPPY_1440, bootcds.dos_code()))
    image[510:512] = bytes(2)
    disc = bootcds.disc(tmp_path / "disc.iso", Entry(bytes(image), FLOPPY_1440, count=1))
    without_primary(disc.file)
    check_output(path, disc, bootcds.read_as_dos(bytes(image), 0x00))


@pytest.mark.qemu("GRUB on an emulated hard disk")
@pytest.mark.parametrize("path", ["c810", "bochs"])
def test_grub_reads_files_from_emulated_hard_disk(path):
    """By AH=42h, in sectors of 512 bytes."""
    with Machine(PATHS[path], *cd_arguments(bootcds.grub_disk_cd(), 2)) as machine:
        machine.console.wait_for(f"{bootcds.GRUB_SAYS}: hd0,msdos1")


def without_primary(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[16 * BLOCK:17 * BLOCK] = bytes(BLOCK)
    file.write_bytes(content)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Loaders, tools and Linux booted from a CD, and emulated drives (ring 3). With
the Bochs BIOS the text is read from the screen.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import media
import pytest

from tests.boot import bootcds
from tests.boot.bootcds import FLOPPY_1200, FLOPPY_1440, FLOPPY_2880, HARD_DISK
from tests.params import mostly_long
from tests.qemu.agent import assemble
from tests.qemu.machine import PATHS, WAIT_S, Console, Machine, cd_arguments

pytestmark = pytest.mark.qemu("Linux from a CD")

RAM = ["-m", "256"]  # for Linux
SCREEN = ["-device", "VGA"]  # for a path without a screen
CD_ID = 2
FLOPPY_DRIVE, DISK_DRIVE = 0x00, 0x80
CMOS_TYPES = {FLOPPY_1200: 0x02, FLOPPY_1440: 0x04, FLOPPY_2880: 0x06, HARD_DISK: 0}


def on_each_path(normal: str) -> pytest.MarkDecorator:
    """`make test` takes one path."""
    return pytest.mark.parametrize("path", mostly_long(["microvm", "nolsi", "c810", "bochs"], normal))



def booted(path: str, cd: Path, *arguments: str) -> Machine:
    return Machine(PATHS[path], *cd_arguments(cd, CD_ID), *arguments)


def type_into(path: str, machine: Machine, keys: str) -> None:
    """Type on the keyboard with the Bochs BIOS, which has no serial console."""
    if path == "bochs":
        machine.type(keys)
    else:
        machine.console.send(keys.replace("\n", "\r"))


# ---- Loaders and tools ------------------------------------------------------------


@pytest.mark.qemu("isolinux")
@on_each_path("nolsi")
def test_isolinux_shows_file_and_prompt(path):
    cd = bootcds.isolinux_cd()
    with booted(path, cd) as machine:
        machine.wait_for("boot:")
        text = machine.wait_for(bootcds.DISPLAYED)
    name = f"SCSI 00:04.0 ID {CD_ID} LUN 0 QEMU QEMU CD-ROM"
    assert f"E0h: {name} {cd.stat().st_size >> 20} MiB, 2048-byte blocks" in text
    assert "not bootable" not in text


@pytest.mark.qemu("GRUB rescue CD")
@on_each_path("bochs")
def test_grub_rescue_cd_lists_its_files(path):
    with booted(path, bootcds.GRUB_RESCUE) as machine:
        machine.wait_for("executed automatically")
        type_into(path, machine, "c")
        machine.wait_for("grub>")
        type_into(path, machine, "ls (cd)/\n")
        machine.wait_for("boot/ boot.catalog")


@pytest.mark.qemu("iPXE CD")
@on_each_path("c810")
def test_ipxe_cd_starts_ipxe(path):
    """The CD uses isolinux and has a second catalog entry, for UEFI, which the ROM ignores."""
    with booted(path, bootcds.IPXE) as machine:
        text = machine.wait_for("Features: ", 3 * WAIT_S)    # iPXE unpacks itself; 20 to 80 s on Bochs
    assert "Loading ipxe.krn... ok" in text
    assert "Boot entry" not in text


@pytest.mark.qemu("memtest86+ CD")
@on_each_path("microvm")
def test_memtest86_cd_tests_memory(path):
    """The CD emulates a floppy, whose boot sector does not use EDD. Its catalog
    also has an entry for UEFI."""
    with booted(path, bootcds.MEMTEST, *([] if path == "bochs" else SCREEN)) as machine:
        machine.wait_for("<Enter> to start testing")
        machine.type("\n")
        assert "Memtest86+ v" in machine.wait_for("Status: Testing")


# ---- Emulated drives -----------------------------------------------------------------


@pytest.mark.qemu("emulated drives, every sector")
@pytest.mark.parametrize("path, medium", [
    ("microvm", FLOPPY_1200), ("c810", FLOPPY_2880), ("nolsi", FLOPPY_1440), ("bochs", HARD_DISK),
    *(pytest.param(path, medium, marks=pytest.mark.long) for path, medium in [
        ("microvm", FLOPPY_1440), ("c810", FLOPPY_1440), ("bochs", FLOPPY_1440), ("microvm", HARD_DISK),
        ("nolsi", HARD_DISK), ("c810", HARD_DISK)])])
def test_guest_reads_each_sector_of_emulated_drive_by_chs(path, medium):
    drive = DISK_DRIVE if medium == HARD_DISK else FLOPPY_DRIVE
    image = bootcds.drive_image(medium, assemble("cdcheck"))
    with booted(path, bootcds.emulation_cd(medium)) as machine:
        Console(machine.com2).wait_for(bootcds.checked(
            image, bootcds.geometry_of(medium), drive, drives=1, bx=CMOS_TYPES[medium]))


@pytest.mark.qemu("syslinux on emulated drives")
@pytest.mark.parametrize("medium", [FLOPPY_1440, HARD_DISK], ids=["floppy", "hard-disk"])
@on_each_path("nolsi")
def test_syslinux_reads_files_from_emulated_drive(path, medium):
    with booted(path, bootcds.syslinux_cd(medium)) as machine:
        machine.wait_for(bootcds.SYSLINUX_SAYS)
        machine.wait_for("boot:")


# ---- Linux ------------------------------------------------------------------------------


def check_linux(machine: Machine) -> None:
    """The kernel loaded through the ROM mounts the CD with its own driver and
    reads the correct files."""
    text = machine.console.wait_for(bootcds.GUEST_DONE)
    assert f"{media.GUEST_MOUNTED} /dev/sr0 (sym53c8xx): {bootcds.FILE_LINE}" in text
    kernel = next((media.kernel() / "boot").glob("vmlinuz-*"))
    assert f"kernel: {hashlib.sha1(kernel.read_bytes()).hexdigest()}" in text


@pytest.mark.parametrize("path", mostly_long(["c810", "bochs"], "bochs"))
def test_isolinux_boots_linux_from_cd(path):
    with booted(path, bootcds.isolinux_cd(), *RAM) as machine:
        machine.console.wait_for("boot:")
        machine.console.send("linux\r")
        check_linux(machine)


@pytest.mark.parametrize("path", mostly_long(["microvm", "nolsi"], "microvm"))
def test_grub_boots_linux_from_cd(path):
    with booted(path, bootcds.grub_cd(), *RAM) as machine:
        machine.console.wait_for("GRUB: loading Linux from")
        check_linux(machine)

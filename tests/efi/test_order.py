# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Which disk OVMF boots: boot order on several disks and controllers, the README's line, and a
ROM file without a UEFI driver.
"""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import qemu

from tests.build import BUILD, TOP
from tests.efi.efidisks import SAYS, named_disk
from tests.efi.efimachine import SHELL_BEGINS, Shell, boot
from tests.qemu.machine import PATHS, Machine, controller_arguments, disk_arguments

pytestmark = pytest.mark.qemu("UEFI: boot order, controllers")

BIOS_ONLY = BUILD / "lsi53c8xx.rom"
SECOND = "lsi53c810"
NO_FILE = ["-device", f"{SECOND},id=second,addr=5,romfile="]
OWN_FILE = controller_arguments(SECOND, "second", "addr=5")
# Name of a disk: controller and ID
DISKS = {"first-0": ("scsi", 0), "first-5": ("scsi", 5), "second-0": ("second", 0), "second-6": ("second", 6)}


def disks(directory: Path, order: list[str]) -> list[str]:
    """All of DISKS, some with a bootindex."""
    out = []
    for name, (controller, scsi_id) in DISKS.items():
        extra = f",bootindex={order.index(name)}" if name in order else ""
        out += disk_arguments(named_disk(directory / f"{name}.img", name), scsi_id, extra,
                              controller=controller)
    return out


def names(text: str) -> list[str]:
    """The disks that were booted, in this order; each returns an error to the firmware."""
    return re.findall(rf"{SAYS} (\S+)\.$", text, re.M)


@pytest.mark.parametrize("path, order, second_file", [
    ("ovmf", ["second-6", "first-5", "first-0", "second-0"], NO_FILE),
    *(pytest.param(path, order, file, marks=pytest.mark.long) for path, order, file in [
        ("ovmf", ["first-0", "second-0", "second-6", "first-5"], OWN_FILE),
        ("ovmf", ["second-0", "first-5"], NO_FILE),
        ("ovmf-810", ["first-5", "second-6", "first-0", "second-0"], OWN_FILE),
        ("ovmf-q35", ["second-6", "second-0", "first-5", "first-0"], OWN_FILE),
        ("ovmf-q35-810", ["second-0", "first-0", "first-5", "second-6"], NO_FILE)])])
def test_bootindex_orders_the_disks_of_two_controllers(tmp_path, path, order, second_file):
    """The driver is for all chips: the second controller needs no ROM file. Disks without a
    bootindex are not booted."""
    text = boot(path, *second_file, *disks(tmp_path, order), until=SHELL_BEGINS)
    assert names(text) == order


@pytest.mark.long
@pytest.mark.parametrize("path", ["ovmf", "ovmf-810", "ovmf-q35", "ovmf-q35-810"])
def test_all_disks_are_booted_without_a_bootindex(tmp_path, path):
    assert sorted(names(boot(path, *NO_FILE, *disks(tmp_path, []), until=SHELL_BEGINS))) == sorted(DISKS)


@pytest.mark.long
def test_line_of_the_readme_boots_on_stock_firmware(tmp_path):
    """QEMU finds OVMF.fd in Debian by this name."""
    line = re.search(r"^    (qemu-system-x86_64 -bios OVMF\.fd .*\\\n.*)$", (TOP / "README.md").read_text(), re.M)[1]
    disk = named_disk(tmp_path / "disk.img", "readme")
    words = [str(disk).join(word.split("disk.img")) for word in shlex.split(line.replace("\\\n", ""))]
    process = subprocess.Popen([*qemu.adapted(words), "-nic", "none"], cwd=TOP, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE)
    try:
        out = b""
        while f"{SAYS} readme.".encode() not in out:
            part = process.stdout.read1(65536)
            assert part and SHELL_BEGINS.encode() not in out, out.decode("latin1")[-3000:]
            out += part
    finally:
        process.kill()
        process.wait()


# ---- A ROM file without a UEFI driver --------------------------------------------


def test_file_without_a_driver_does_no_harm(tmp_path):
    """OVMF ignores it; its shell has no disk of the controller, and works."""
    disk = named_disk(tmp_path / "disk.img", "unreachable")
    with Machine(PATHS["ovmf"], *disk_arguments(disk, 0, ",bootindex=0"), rom=BIOS_ONLY) as machine:
        shell = Shell(machine)
        assert "No mapping found" in shell.run("map")
        assert "PciRoot" in shell.run("devices")


@pytest.mark.long
def test_file_without_a_driver_leaves_other_disks_bootable(tmp_path):
    other = ["-drive", f"if=none,id=v,format=raw,snapshot=on,file={named_disk(tmp_path / 'v.img', 'virtio')}",
             "-device", "virtio-blk-pci,drive=v"]
    disk = disk_arguments(named_disk(tmp_path / "disk.img", "unreachable"), 0, ",bootindex=0")
    assert names(boot("ovmf", *disk, *other, until=SHELL_BEGINS, rom=BIOS_ONLY)) == ["virtio"]

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A CD drive and a disk in one machine: which of them boots, and which is next if
it cannot boot (ring 3). Both start the same program, which prints its drive
number.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.boot import bootcds
from tests.boot.bootcds import FLOPPY_1440, HARD_DISK
from tests.qemu.agent import assemble
from tests.qemu.machine import PATHS, Console, Machine, cd_arguments, disk_arguments

pytestmark = pytest.mark.qemu("CD or disk first")

CD_ID, DISK_ID = 2, 0
FIRST, SECOND = ",bootindex=1", ",bootindex=2"
CD_BOOTED, DISK_BOOTED = "00", "80"

on_each_path = pytest.mark.parametrize("path", ["microvm", "nolsi", "c810", "bochs"])
on_bootindex_paths = pytest.mark.parametrize("path", ["microvm", "nolsi", "nopmm", "c810", "bochs"])


def booted_drive(path: str, cd: Path | None, *arguments: str, index: str = "", message: str = "") -> str:
    """The drive that cdcheck was booted from; waits for the text `message` too."""
    with Machine(PATHS[path], *cd_arguments(cd, CD_ID, index), *arguments) as machine:
        text = Console(machine.com2).wait_for(" 00")  # DL of the CD, BX of the disk
        machine.wait_for(message)
        return text.removeprefix("cdcheck: ")[:2]


@pytest.fixture(scope="session")
def floppy_cd() -> Path:
    return bootcds.emulation_cd(FLOPPY_1440)


@pytest.fixture(scope="module")
def disk(tmp_path_factory) -> Path:
    image = tmp_path_factory.mktemp("disk") / "disk.img"
    image.write_bytes(bootcds.drive_image(HARD_DISK, assemble("cdcheck")))
    return image


@pytest.fixture(scope="module")
def unbootable_disk(tmp_path_factory) -> Path:
    image = tmp_path_factory.mktemp("disk") / "unbootable.img"
    image.write_bytes(bytes(1 << 20))
    return image


@pytest.fixture(scope="module")
def unbootable_disc(tmp_path_factory) -> Path:
    return bootcds.disc(tmp_path_factory.mktemp("cd") / "unbootable.iso", boot_record=False,
                        blocks=100).file


@on_bootindex_paths
def test_disk_with_lower_bootindex_boots(path, disk, floppy_cd):
    assert booted_drive(path, floppy_cd, *disk_arguments(disk, DISK_ID, FIRST),
                        index=SECOND) == DISK_BOOTED


@on_bootindex_paths
def test_cd_with_lower_bootindex_boots(path, disk, floppy_cd):
    assert booted_drive(path, floppy_cd, *disk_arguments(disk, DISK_ID, SECOND),
                        index=FIRST) == CD_BOOTED


SLOW_POST = ["-fw_cfg", "name=opt/lsi8xx-rom/scan-delay,string=2"]  # time to press a key


@pytest.mark.parametrize("key, booted", [("c", CD_BOOTED), ("x", DISK_BOOTED)])
@pytest.mark.parametrize("ide", [False, True], ids=["scsi", "ide"])
def test_key_c_boots_cd_before_disk_on_bochs(key, booted, ide, disk, floppy_cd):
    """Also before a disk of the BIOS."""
    more = ["-drive", f"if=none,id=ide,file={disk},format=raw,snapshot=on",
            "-device", "ide-hd,drive=ide"] if ide else []
    with Machine(PATHS["bochs"], *cd_arguments(floppy_cd, CD_ID), *disk_arguments(disk, DISK_ID),
                 *more, *SLOW_POST) as machine:
        machine.wait_for("53C895A at PCI")
        machine.type(key)
        assert Console(machine.com2).wait_for(" 00").removeprefix("cdcheck: ")[:2] == booted
        assert "host ID 7, C: CD first, 1 disk, 1 CD" in machine.screen()


@pytest.mark.parametrize("path", ["microvm", "bochs"])
def test_disk_boots_without_bootindex(path, disk, floppy_cd):
    assert booted_drive(path, floppy_cd, *disk_arguments(disk, DISK_ID)) == DISK_BOOTED


@on_each_path
def test_cd_boots_without_bootindex_if_disk_cannot(path, unbootable_disk, floppy_cd):
    assert booted_drive(path, floppy_cd, *disk_arguments(unbootable_disk, DISK_ID)) == CD_BOOTED


@on_each_path
def test_disk_boots_after_empty_cd_drive(path, disk):
    assert booted_drive(path, None, *disk_arguments(disk, DISK_ID, SECOND), index=FIRST,
                        message="  not bootable: no medium") == DISK_BOOTED


@on_each_path
def test_disk_boots_after_disc_without_boot_record(path, disk, unbootable_disc):
    assert booted_drive(path, unbootable_disc, *disk_arguments(disk, DISK_ID, SECOND), index=FIRST,
                        message="  not bootable: no boot record") == DISK_BOOTED


@on_each_path
def test_second_cd_boots_after_empty_drive(path, floppy_cd):
    assert booted_drive(path, None, *cd_arguments(floppy_cd, CD_ID + 1, SECOND), index=FIRST,
                        message="  not bootable: no medium") == CD_BOOTED

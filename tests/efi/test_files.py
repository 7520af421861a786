# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Files that OVMF's shell writes through the driver, compared from outside, and the boot of a
system which it has installed.
"""

from __future__ import annotations

import hashlib
import random
from pathlib import Path

import media
import pytest

from tests.efi.efidisks import SAYS, START, fat_disk, fat_of, naming_program
from tests.efi.efimachine import Shell, wait_for
from tests.qemu.machine import PATHS, Machine, disk_arguments

FILE_BYTES = 64 << 20
DISK_SECTORS = 200 * 2048
ENTRY = "entry-of-the-test"
COMMANDS = ["fs0:", r"mkdir \EFI", r"mkdir \EFI\lsi8xx", r"cp loader.efi \EFI\lsi8xx\loader.efi", "cp file copy",
            rf"bcfg boot add 0 fs0:\EFI\lsi8xx\loader.efi {ENTRY}"]


def digest(file: Path) -> bytes:
    return hashlib.sha256(file.read_bytes()).digest()


@pytest.fixture
def disk(tmp_path) -> Path:
    """FAT32, with a file of 64 MiB and a loader that is not on the fallback path."""
    (tmp_path / "file").write_bytes(random.Random(20).randbytes(FILE_BYTES))
    files = {"file": tmp_path / "file", "loader.efi": naming_program(tmp_path, "installed")}
    return fat_disk(tmp_path / "disk.img", files, DISK_SECTORS, "-F", "-c", "4")


@pytest.mark.qemu("UEFI: written files, boot entries")
@pytest.mark.parametrize("path", ["ovmf", pytest.param("ovmf-q35-810", marks=pytest.mark.long)])
def test_shell_copies_64_mib_and_installs_a_boot_entry(tmp_path, disk, path):
    """The firmware's FAT driver reads and writes. After a reset, the firmware finds the boot
    entry's device path and program."""
    with Machine(PATHS[path], *disk_arguments(disk, 4, drive="format=raw"), reboot=True) as machine:
        shell = Shell(machine)
        for command in COMMANDS:
            printed = shell.run(command, until=r"FS0:\> ")
            assert ("[ok]" in printed) == command.startswith("cp"), printed
        shell.run("reset", until=f'starting Boot0003 "{ENTRY}"')
        wait_for(machine, f"{SAYS} installed.", shell=True)
    for copy, original in [("copy", "file"), ("EFI/lsi8xx/loader.efi", "installed.efi")]:
        media.run("mcopy", "-o", "-i", fat_of(disk), f"::{copy}", tmp_path / "copied")
        assert digest(tmp_path / "copied") == digest(tmp_path / original)
    partition = tmp_path / "partition"
    partition.write_bytes(disk.read_bytes()[START * media.SECTOR:])
    media.run("fsck.fat", "-n", partition)

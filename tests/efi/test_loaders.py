# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Loaders and Linux from our controller under OVMF: GRUB, systemd-boot, a CD, Secure Boot."""

from __future__ import annotations

import re
from dataclasses import replace

import media
import pytest
import qemu

from tests.boot import bootcds
from tests.efi import efidisks
from tests.efi.efimachine import NOTHING_BOOTS, POWERED_OFF, boot, wait_for
from tests.params import mostly_long
from tests.qemu.machine import PATHS, STRICT_NX, Machine, cd_arguments, disk_arguments

pytestmark = pytest.mark.qemu("UEFI: loaders and Linux")

PLAIN_PATHS = ["ovmf", "ovmf-810", "ovmf-q35", "ovmf-q35-810"]
HAS_STRICT_NX = (qemu.share("OVMF") / STRICT_NX[0]).exists()
SECURE_PATHS = ["secure", "secure-810", *(["strictnx", "strictnx-810"] if HAS_STRICT_NX else [])]
MOUNTED = f"{media.GUEST_MOUNTED} the ext4 file system of /dev/sda (sym53c8xx), booted by UEFI"
FOUR_GIB = 1 << 32
LOW_RAM = "max-ram-below-4g=64M"    # leaves the firmware too little for a large file


def assert_in_order(text: str, *sentences: str) -> None:
    places = [text.index(sentence) for sentence in sentences]
    assert places == sorted(places)


@pytest.mark.long
@pytest.mark.parametrize("path", PLAIN_PATHS)
def test_grub_starts_linux_from_a_gpt_disk(path):
    text = boot(path, *disk_arguments(efidisks.linux_disk("grub"), 0))
    assert_in_order(text, "Scsi(0x0,0x0)", "GRUB: loading Linux from hd0,gpt1", MOUNTED)


@pytest.mark.long
@pytest.mark.parametrize("path", PLAIN_PATHS)
def test_systemd_boot_starts_linux(path):
    text = boot(path, *disk_arguments(efidisks.linux_disk("systemd-boot"), 3))
    assert_in_order(text, "Scsi(0x3,0x0)", MOUNTED)
    assert "GRUB" not in text


@pytest.mark.parametrize("path", mostly_long(["ovmf", "ovmf-810"], "ovmf"))
def test_systemd_boot_reads_a_file_to_memory_above_4_gib(path):
    """A machine with 6 GiB. The kernel prints where its initramfs was loaded."""
    disk = disk_arguments(efidisks.linux_disk("systemd-boot-large"), 0)
    with Machine(replace(PATHS[path], machine=f"pc,{LOW_RAM}"), *disk, "-m", "6G") as machine:
        text = wait_for(machine, POWERED_OFF)
    address = int(re.search(r"RAMDISK: \[mem (0x\w+)-", text)[1], 16)
    assert address >= FOUR_GIB
    assert_in_order(text, MOUNTED, efidisks.large_line())


@pytest.mark.parametrize("path, bridge", [
    ("ovmf-q35-810", "pcie-pci-bridge"),
    pytest.param("ovmf-q35", "", marks=pytest.mark.long),
    pytest.param("ovmf-810", "", marks=pytest.mark.long),
    pytest.param("ovmf", "pci-bridge,chassis_nr=1", marks=pytest.mark.long)])
def test_cd_boots_by_its_efi_image(path, bridge):
    """With and without a PCI bridge before the controller."""
    with Machine(replace(PATHS[path], bridge=bridge), *cd_arguments(efidisks.grub_cd(), 2)) as machine:
        text = wait_for(machine, POWERED_OFF)
    places = r"PciRoot\(0x0\)/Pci\(0x\w+,0x0\)/" + (r"Pci\(0x4,0x0\)/" if bridge else "")
    assert re.search(rf"starting Boot\d+ .* from {places}Scsi\(0x2,0x0\)", text)
    assert_in_order(text, "GRUB: loading Linux from cd0",
                    f"{media.GUEST_MOUNTED} /dev/sr0 (sym53c8xx): {bootcds.FILE_LINE}")


@pytest.mark.qemu("UEFI: Secure Boot")
@pytest.mark.parametrize("path", mostly_long(SECURE_PATHS, "secure"))
def test_secure_boot_with_microsofts_keys(path):
    """OVMF starts the driver in an option ROM unsigned; shim, GRUB and the kernel are signed."""
    text = boot(path, *disk_arguments(efidisks.linux_disk("signed"), 0))
    assert_in_order(text, "GRUB: loading Linux from hd0,gpt1", "Secure boot enabled", MOUNTED)


@pytest.mark.qemu("UEFI: Secure Boot")
@pytest.mark.long
def test_secure_boot_refuses_an_unsigned_loader():
    text = boot("secure", *disk_arguments(efidisks.linux_disk("grub"), 0), until=NOTHING_BOOTS)
    assert re.search(r"failed to load Boot\d+ .*Scsi\(0x0,0x0\): Access Denied", text)


def test_debian_13_has_the_strict_build():
    """So that its tests are not missing there in silence."""
    assert HAS_STRICT_NX == ("deb13" in qemu.version())

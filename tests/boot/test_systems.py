# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Operating systems and loaders that lean on more than a read: EDD data in
Linux, DOS-like access by CHS, files far behind the beginning of a disk, and
a disk with 4096-byte blocks (ring 3).
"""

from __future__ import annotations

import re

import media
import pytest

from tests.boot import bootdisks
from tests.qemu.machine import PATHS, Machine, disk_arguments

pytestmark = pytest.mark.qemu("DOS-like boot sectors")

RAM = ["-m", "256"]
QCOW2 = "format=qcow2,snapshot=on"
GIVEN = {"cyls": 100, "heads": 16, "secs": 63}  # to the first disk, by the host
LINUX_DISK_SECTORS = media.DISK_MIB * 2048
TWO_TIB = 1 << 32  # in sectors
SECTORS_8_4_GB = 1024 * 255 * 63  # all that CHS can name
END = "reboot: Power down"


def said_by(path: str, *arguments: str, until: str = END) -> str:
    """All that the console said."""
    with Machine(PATHS[path], *arguments, *RAM) as machine:
        return machine.console.wait_for(until)


@pytest.fixture(scope="session")
def linux_disk():
    return media.linux_disk("test.img", "poweroff", ("sg_inq", "sg_readcap"))


def edd_file(text: str, name: str) -> list[str]:
    """The lines of a file below /sys/firmware/edd/int13_dev80."""
    return [" ".join(line.split()) for line in re.findall(rf"^edd {name}: (.*)$", text, re.M)]


# ---- Linux: the module edd ---------------------------------------------------


@pytest.fixture(scope="module", params=[("microvm", 3), ("c810", 0)],
                ids=lambda p: f"{p[0]}-ID-{p[1]}")
def linux_edd(request, linux_disk) -> tuple[str, int]:
    """What Linux made of our AH=41h, 48h and 08h, and the disk's ID."""
    path, scsi_id = request.param
    geometry = "".join(f",l{name}={value}" for name, value in GIVEN.items())
    return said_by(path, *disk_arguments(linux_disk, scsi_id, geometry)), scsi_id


@pytest.mark.qemu("Linux edd")
def test_linux_edd_names_controller_and_disk(linux_edd):
    text, scsi_id = linux_edd
    assert edd_file(text, "host_bus") == ["PCI 00:04.0 channel: 0"]
    assert edd_file(text, "interface") == [f"SCSI id: {scsi_id} lun: 0"]
    assert edd_file(text, "pci_dev") == ["/sys/devices/pci0000:00/0000:00:04.0"]


@pytest.mark.qemu("Linux edd")
def test_linux_edd_has_version_and_extensions(linux_edd):
    text, _ = linux_edd
    assert edd_file(text, "version") == ["0x30"]
    assert edd_file(text, "extensions") == [
        "Fixed disk access", "Device locking and ejecting", "Enhanced Disk Drive support",
        "64-bit extensions"]
    flags = edd_file(text, "info_flags")
    assert "DMA boundary error transparent" in flags and "write verify" in flags


@pytest.mark.qemu("Linux edd")
def test_linux_edd_has_size_signature_and_geometry(linux_edd):
    text, _ = linux_edd
    expected = {
        "sectors": LINUX_DISK_SECTORS, "mbr_signature": f"{media.DISK_SIGNATURE:#x}",
        "legacy_max_cylinder": GIVEN["cyls"] - 1, "legacy_max_head": GIVEN["heads"] - 1,
        "legacy_sectors_per_track": GIVEN["secs"], "default_heads": GIVEN["heads"],
        "default_sectors_per_track": GIVEN["secs"]}
    assert {name: edd_file(text, name) for name in expected} == {
        name: [str(value)] for name, value in expected.items()}


# ---- By cylinder, head and sector ---------------------------------------------------


@pytest.fixture(scope="module")
def dos_disk(tmp_path_factory):
    return bootdisks.dos_disk(tmp_path_factory.mktemp("dos"))


@pytest.mark.parametrize("path", ["microvm", "c810", "nolsi"])
def test_a_disk_partitioned_under_255_63_boots_by_chs(path, dos_disk):
    said_by(path, *disk_arguments(dos_disk, 0), until=bootdisks.LINE)


def test_the_geometry_that_seabios_takes_does_not_boot_it(dos_disk):
    """Its own driver goes by the size of the disk: so the boot sectors bite."""
    said_by("seabios", *disk_arguments(dos_disk, 0), until="chsboot: read erro")


# ---- Far behind the beginning ----------------------------------------------------------

FAR = {"8.4-gb": ("dos", 20_000_000, 24_000_000), "2-tib": ("gpt", TWO_TIB + 2048, TWO_TIB * 3 // 2)}


@pytest.fixture(params=FAR)
def far(request) -> tuple[str, int, int]:
    label, start, sectors = FAR[request.param]
    assert start > (TWO_TIB if label == "gpt" else SECTORS_8_4_GB)
    return label, start, sectors


@pytest.mark.qemu("GRUB and Linux far behind the beginning")
def test_grub_loads_itself_and_linux_from_far_behind(far):
    text = said_by("microvm", *disk_arguments(bootdisks.grub_disk(*far), 0, drive=QCOW2))
    assert "GRUB: loading Linux from hd0" in text
    assert f"{media.GUEST_MOUNTED} the ext4 file system of /dev/sda" in text
    assert edd_file(text, "sectors") == [str(far[2])]


@pytest.mark.qemu("syslinux and Linux far behind the beginning")
def test_syslinux_loads_itself_and_linux_from_far_behind(far):
    """Beyond 2 TiB through gptmbr.bin, which hands the boot sector a 64-bit
    address of its partition; the parameter block of FAT has but 32 bits."""
    text = said_by("microvm", *disk_arguments(bootdisks.syslinux_disk(*far), 0, drive=QCOW2))
    assert "SYSLINUX 6" in text
    assert edd_file(text, "mbr_signature") == [f"{media.DISK_SIGNATURE:#x}"]
    assert edd_file(text, "sectors") == [str(far[2])]


# ---- 4096-byte blocks ---------------------------------------------------------------------


@pytest.mark.qemu("GRUB and Linux from 4096-byte blocks")
def test_an_ordinary_disk_image_boots_from_a_drive_with_4096_byte_blocks(linux_disk):
    """Not a byte of it is changed. The guest's own driver sees 4096-byte
    blocks: it finds the file system by its place."""
    size = ",logical_block_size=4096,physical_block_size=4096"
    text = said_by("microvm", *disk_arguments(linux_disk, 0, size))
    assert "GRUB: loading Linux" in text
    assert edd_file(text, "sectors") == [str(LINUX_DISK_SECTORS)]
    assert f"{media.GUEST_MOUNTED} the ext4 file system of /dev/sda" in text
    assert "Logical block length=4096 bytes" in text

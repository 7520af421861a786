# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Operating systems and loaders that use more than plain reads: EDD data in
Linux, DOS-like access by CHS, files far into a disk, and a disk with 4096-byte
blocks (ring 3).
"""

from __future__ import annotations

import re

import media
import pytest

from tests.boot import bootdisks
from tests.params import mostly_long
from tests.qemu.machine import PATHS, Machine, disk_arguments

pytestmark = pytest.mark.qemu("DOS-like boot sectors")

RAM = ["-m", "256"]
QCOW2 = "format=qcow2,snapshot=on"
GEOMETRY = {"cyls": 100, "heads": 16, "secs": 63}  # set by the host for the first disk
LINUX_DISK_SECTORS = media.DISK_MIB * 2048
TWO_TIB = 1 << 32  # in sectors
SECTORS_8_4_GB = 1024 * 255 * 63  # the largest disk that CHS can address
END = "reboot: Power down"


def console_text(path: str, *arguments: str, until: str = END) -> str:
    """The console output up to `until`."""
    with Machine(PATHS[path], *arguments, *RAM) as machine:
        return machine.console.wait_for(until)


@pytest.fixture(scope="session")
def linux_disk():
    return media.linux_disk("test.img", "poweroff", ("sg_inq", "sg_readcap"))


def edd_file(text: str, name: str) -> list[str]:
    """The lines of a file below /sys/firmware/edd/int13_dev80."""
    return [" ".join(line.split()) for line in re.findall(rf"^edd {name}: (.*)$", text, re.M)]


# ---- Linux: the module edd ---------------------------------------------------


@pytest.fixture(scope="module", params=mostly_long([("microvm", 3), ("c810", 0)], ("microvm", 3)),
                ids=lambda p: f"{p[0]}-ID-{p[1]}")
def linux_edd(request, linux_disk) -> tuple[str, int]:
    """Console output with the data that Linux got from AH=41h, 48h and 08h, and
    the disk's ID."""
    path, scsi_id = request.param
    geometry = "".join(f",l{name}={value}" for name, value in GEOMETRY.items())
    return console_text(path, *disk_arguments(linux_disk, scsi_id, geometry)), scsi_id


@pytest.mark.qemu("Linux edd")
def test_linux_edd_shows_controller_and_disk(linux_edd):
    text, scsi_id = linux_edd
    assert edd_file(text, "host_bus") == ["PCI 00:04.0 channel: 0"]
    assert edd_file(text, "interface") == [f"SCSI id: {scsi_id} lun: 0"]
    assert edd_file(text, "pci_dev") == ["/sys/devices/pci0000:00/0000:00:04.0"]


@pytest.mark.qemu("Linux edd")
def test_linux_edd_shows_version_and_extensions(linux_edd):
    text, _ = linux_edd
    assert edd_file(text, "version") == ["0x30"]
    assert edd_file(text, "extensions") == [
        "Fixed disk access", "Device locking and ejecting", "Enhanced Disk Drive support",
        "64-bit extensions"]
    flags = edd_file(text, "info_flags")
    assert "DMA boundary error transparent" in flags and "write verify" in flags


@pytest.mark.qemu("Linux edd")
def test_linux_edd_shows_size_signature_and_geometry(linux_edd):
    text, _ = linux_edd
    expected = {
        "sectors": LINUX_DISK_SECTORS, "mbr_signature": f"{media.DISK_SIGNATURE:#x}",
        "legacy_max_cylinder": GEOMETRY["cyls"] - 1, "legacy_max_head": GEOMETRY["heads"] - 1,
        "legacy_sectors_per_track": GEOMETRY["secs"], "default_heads": GEOMETRY["heads"],
        "default_sectors_per_track": GEOMETRY["secs"]}
    assert {name: edd_file(text, name) for name in expected} == {
        name: [str(value)] for name, value in expected.items()}


# ---- Access by cylinder, head and sector --------------------------------------------


@pytest.fixture(scope="module")
def dos_disk(tmp_path_factory):
    return bootdisks.dos_disk(tmp_path_factory.mktemp("dos"))


@pytest.mark.parametrize("path", ["microvm", "c810", "nolsi"])
def test_disk_partitioned_with_255_63_boots_by_chs(path, dos_disk):
    console_text(path, *disk_arguments(dos_disk, 0), until=bootdisks.LINE)


def test_seabios_driver_does_not_boot_disk_partitioned_with_255_63(dos_disk):
    """SeaBIOS's driver derives the geometry from the size. This proves that the
    boot sectors depend on the geometry."""
    console_text("seabios", *disk_arguments(dos_disk, 0), until="chsboot: read erro")


# ---- Files far into the disk -----------------------------------------------------------

FAR = {"8.4-gb": ("dos", 20_000_000, 24_000_000), "2-tib": ("gpt", TWO_TIB + 2048, TWO_TIB * 3 // 2)}


def far(name: str) -> tuple[str, int, int]:
    label, start, sectors = FAR[name]
    assert start > (TWO_TIB if label == "gpt" else SECTORS_8_4_GB)
    return label, start, sectors


@pytest.mark.qemu("GRUB and Linux far into the disk")
@pytest.mark.parametrize("place", mostly_long(FAR, "2-tib"))
def test_grub_loads_itself_and_linux_from_far_into_disk(place):
    label, start, sectors = far(place)
    text = console_text("microvm", *disk_arguments(bootdisks.grub_disk(label, start, sectors), 0, drive=QCOW2))
    assert "GRUB: loading Linux from hd0" in text
    assert f"{media.GUEST_MOUNTED} the ext4 file system of /dev/sda" in text
    assert edd_file(text, "sectors") == [str(sectors)]


@pytest.mark.qemu("syslinux and Linux far into the disk")
@pytest.mark.parametrize("place", mostly_long(FAR, "8.4-gb"))
def test_syslinux_loads_itself_and_linux_from_far_into_disk(place):
    """Beyond 2 TiB, gptmbr.bin passes the boot sector a 64-bit partition address;
    the FAT parameter block has only 32 bits for it."""
    label, start, sectors = far(place)
    text = console_text("microvm", *disk_arguments(bootdisks.syslinux_disk(label, start, sectors), 0, drive=QCOW2))
    assert "SYSLINUX 6" in text
    assert edd_file(text, "mbr_signature") == [f"{media.DISK_SIGNATURE:#x}"]
    assert edd_file(text, "sectors") == [str(sectors)]


# ---- 4096-byte blocks ---------------------------------------------------------------------


@pytest.mark.qemu("GRUB and Linux from 4096-byte blocks")
def test_image_for_512_byte_sectors_boots_from_drive_with_4096_byte_blocks(linux_disk):
    """The image is unmodified. The guest's own driver sees 4096-byte blocks and
    therefore mounts the file system by its offset."""
    size = ",logical_block_size=4096,physical_block_size=4096"
    text = console_text("microvm", *disk_arguments(linux_disk, 0, size))
    assert "GRUB: loading Linux" in text
    assert edd_file(text, "sectors") == [str(LINUX_DISK_SECTORS)]
    assert f"{media.GUEST_MOUNTED} the ext4 file system of /dev/sda" in text
    assert "Logical block length=4096 bytes" in text

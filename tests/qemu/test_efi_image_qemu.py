# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A ROM file with EFI images on a BIOS, which must leave these alone (rings 2 and 3)."""

from __future__ import annotations

import re

import pytest
import romsign

from tests.build import BUILD, ROM_895A, bios_image, without_efi
from tests.qemu.agent import Agent
from tests.qemu.machine import PATHS, Machine, disk_arguments
from tests.qemu.test_disks import banner, make_disk, name_of
from tests.qemu.test_other_roms import bootable_disk

pytestmark = pytest.mark.qemu("several controllers, other drives, other ROMs, sanboot")

ROM_AREA = range(0xC0000, 0xF0000)


def roms_in_memory(machine: Machine) -> list[bytes]:
    """The start of each ROM that the BIOS has kept, by address."""
    area = machine.read_memory(ROM_AREA.start, len(ROM_AREA))
    return [area[at:at + 0x40] for at in range(0, len(area), 2048) if area[at:at + 2] == b"\x55\xaa"]


@pytest.mark.parametrize("path, cards", [("microvm", ["e1000", "virtio-net-pci"]),
                                         ("fwcfg", ["e1000", "virtio-net-pci"]), ("nopmm", ["e1000"])],
                         ids=["microvm", "fwcfg", "nopmm"])
def test_file_fits_beside_vga_bios_and_ipxe(start, tmp_path, path, cards):
    """On `fwcfg`, SeaBIOS needs room for the whole file at first. Without PMM, iPXE stays
    as large as its file."""
    pc = start(path, *(word for device in ["VGA", *cards] for word in ("-device", device)),
               *disk_arguments(make_disk(tmp_path, "a"), 0))
    assert name_of(pc, 0x80) == "a"
    text = banner(pc)
    assert text.count("53C895A at PCI 00:04.0") == 1 and text.count("iPXE (http") == len(cards)
    ours = [rom for rom in roms_in_memory(pc.machine) if rom[0x1C:0x22] == b"PCIR\x00\x10"]
    assert len(ours) == 1 and ours[0][0x1C + 0x14] == 0, "only the BIOS image is in memory"


def test_bochs_bios_does_not_run_the_efi_image(tmp_path):
    """The image begins at 2 KiB, where this BIOS looks for a ROM."""
    driver = (BUILD / "efi/driver.efi").read_bytes()
    file = tmp_path / "aligned.rom"
    file.write_bytes(romsign.stamp(bios_image(ROM_895A), 0x1000, 0x12, run_time=36 * 1024, drivers=[driver],
                                   drop_efi=True))
    efi, = romsign.efi_images(file.read_bytes(), romsign.parse(file.read_bytes()))
    assert efi.at % 2048 == 0
    disk = bootable_disk(tmp_path, "a")
    with Machine(PATHS["bochs"], *disk_arguments(disk, 0), rom=file) as machine:
        pc = Agent(machine)
        assert (pc.text_on(0x80, 100), pc.disk_count()) == ("a", 1)
        in_memory = machine.read_memory(PATHS["bochs"].address + efi.at, 512 * efi.pcir.blocks)
        assert in_memory[:2] == b"\x55\xaa" and in_memory == file.read_bytes()[efi.at:]
        assert len(re.findall("53C895A at PCI", machine.screen())) == 1


def test_file_without_efi_image_is_the_same_to_the_bios(start, tmp_path):
    """The resident image differs in the indicator and the checksum only."""
    alone = without_efi(ROM_895A, tmp_path)
    disk = disk_arguments(make_disk(tmp_path, "a"), 0)
    images = [start("microvm", *disk, rom=rom).rom_image() for rom in (ROM_895A, alone)]
    assert len(images[0]) == len(images[1])
    assert {at for at, pair in enumerate(zip(*images)) if pair[0] != pair[1]} == {0x06, 0x1C + 0x15}

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Boot order: `bootindex` on disks and CDs, together with disks of the BIOS,
`-boot strict=on` and `-boot menu=on` (rings 2 and 3). Every drive boots the agent,
and the tests check from which drive it was booted.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.boot import bootcds
from tests.boot.bootcds import Entry
from tests.qemu.agent import Agent
from tests.qemu.machine import PATHS, Machine, cd_arguments, disk_arguments
from tests.qemu.test_disks import make_disk

pytestmark = pytest.mark.qemu("boot order, menu, strict")

ENTRY_REGISTERS = 0x3F00  # registers stored by tests/qemu/guest/cdagent.S; EDX is the fifth
DISKS, CDS, OTHERS = ("disk0", "disk5"), ("cd2", "cd6"), ("ide", "virtio")
ALL = DISKS + CDS + OTHERS
FIRST_DISK, FIRST_CD = 0x80, 0xE0


def bootable_disk(directory: Path, name: str) -> Path:
    """A disk with the agent, followed by sectors that begin with the disk's name."""
    image = Path(make_disk(directory, name))
    with image.open("r+b") as file:
        file.write(bootcds.agent_code())
    return image


def bootable_cd(directory: Path, name: str) -> Path:
    """A CD with the agent, followed by a block that begins with the CD's name."""
    return bootcds.disc(directory / f"{name}.iso", Entry(bootcds.agent_code()),
                        more=(name.encode().ljust(bootcds.BLOCK, b"."),)).file


def bios_disk(directory: Path, name: str, index: str = "") -> list[str]:
    """A bootable disk that SeaBIOS drives itself."""
    device = {"ide": "ide-hd", "virtio": "virtio-blk-pci,addr=5"}[name]
    return ["-drive", f"if=none,id={name},file={bootable_disk(directory, name)},format=raw,snapshot=on",
            "-device", f"{device},drive={name}{index}"]


def drives(directory: Path, **indices: int) -> list[str]:
    """All drives in ALL, each bootable; `indices` gives some of them a bootindex."""
    out = []
    for name in ALL:
        index = f",bootindex={indices[name]}" if name in indices else ""
        if name in DISKS:
            out += disk_arguments(bootable_disk(directory, name), int(name[-1]), index)
        elif name in CDS:
            out += cd_arguments(bootable_cd(directory, name), int(name[-1]), index)
        else:
            out += bios_disk(directory, name, index)
    return out


def booted_drive(pc: Agent) -> int:
    """DL at the entry of the boot sector."""
    return pc.read(ENTRY_REGISTERS + 16, 1)[0]


def name_of(pc: Agent, drive: int) -> str:
    """The name stored after the agent on a disk or CD."""
    return pc.text_on(drive, bootcds.FIRST_IMAGE_LBA + 1 if drive >= 0xE0 else 100)


def names(pc: Agent) -> list[str]:
    return [name_of(pc, 0x80 + i) for i in range(pc.disk_count())]


# ---- bootindex --------------------------------------------------------------------------


def test_disks_at_all_ids_are_numbered_by_bootindex(start, tmp_path):
    """Includes ID 7, the controller's own ID, at which QEMU permits a disk."""
    ids = list(range(8))
    arguments = [a for i in ids for a in
                 disk_arguments(make_disk(tmp_path, f"disk{i}"), i, f",bootindex={8 - i}")]
    pc = start("microvm", *arguments)
    assert names(pc) == [f"disk{i}" for i in reversed(ids)]


@pytest.mark.parametrize("first", ALL)
def test_only_drive_with_bootindex_boots(tmp_path, first):
    with Machine(PATHS["c810"], *drives(tmp_path, **{first: 1})) as machine:
        pc = Agent(machine)
        assert booted_drive(pc) == (FIRST_CD if first in CDS else FIRST_DISK)
        assert name_of(pc, booted_drive(pc)) == first
        assert sorted(names(pc)) == sorted(DISKS + OTHERS)
        if first in CDS:  # the other CD follows
            assert {first, name_of(pc, FIRST_CD + 1)} == set(CDS)


# ---- The boot menu ----------------------------------------------------------------------


def test_boot_menu_lists_our_drives_and_boots_selected_one(tmp_path):
    """SeaBIOS applies a bootindex only to the first entry of a ROM. Our other
    entries follow, disks before CDs."""
    with Machine(PATHS["c810"], *drives(tmp_path, ide=1, cd6=2, virtio=3),
                 "-boot", "menu=on") as machine:
        machine.console.wait_for("Press ESC")
        machine.console.send("\x1b")
        text = machine.console.wait_for("ID 2 LUN 0 QEMU QEMU CD-ROM")
        lines = re.findall(r"^\d\. (.*)$", text, re.M)
        assert lines[0].startswith("ata1-0: QEMU HARDDISK") and lines[2].startswith("Virtio disk")
        assert [line for line in lines if "SCSI" in line] == [
            f"SCSI 00:04.0 ID {unit}" for unit in (
                "6 LUN 0 QEMU QEMU CD-ROM", "0 LUN 0 QEMU QEMU HARDDISK",
                "5 LUN 0 QEMU QEMU HARDDISK", "2 LUN 0 QEMU QEMU CD-ROM")]
        assert lines.index("SCSI 00:04.0 ID 6 LUN 0 QEMU QEMU CD-ROM") == 1
        machine.console.send(text[text.index(" SCSI 00:04.0 ID 5") - 2])
        pc = Agent(machine)
        assert booted_drive(pc) == 0x80
        assert names(pc) == ["disk5", "ide", "virtio", "disk0"]


# ---- strict=on --------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["disk5", "cd6"])
def test_strict_boots_drive_with_bootindex(tmp_path, first):
    """Our disks are numbered with or without a bootindex, unlike SeaBIOS's own."""
    with Machine(PATHS["c810"], *drives(tmp_path, **{first: 1}), "-boot", "strict=on") as machine:
        pc = Agent(machine)
        assert name_of(pc, booted_drive(pc)) == first
        assert set(DISKS) <= set(names(pc))


def test_strict_boots_nothing_else(tmp_path):
    """Only an empty drive may boot. Without strict=on the next drive would boot."""
    with Machine(PATHS["c810"], *cd_arguments(None, 3, ",bootindex=1"), *drives(tmp_path),
                 "-boot", "strict=on") as machine:
        text = machine.console.wait_for("No bootable device.")
        assert "  not bootable: no medium" in text
        assert "Booting from Hard Disk" not in text


# ---- -boot ------------------------------------------------------------------------------

IDE_CD = "idecd"


def bios_cd(directory: Path) -> list[str]:
    return ["-drive", f"if=none,id=idecd,media=cdrom,file={bootable_cd(directory, IDE_CD)},"
                      "format=raw,read-only=on", "-device", "ide-cd,drive=idecd,bus=ide.1"]


@pytest.mark.parametrize("boot, more, cd_index, first", [
    ("", [], "", "disk0"), ("d", [], "", "cd2"), ("n", [], "", "cd2"), ("c", [], "", "disk0"),
    ("dc", [], "", "disk0"), ("nc", [], "", "cd2"),
    ("", ["ide"], "", "ide"), ("d", ["ide"], "", "ide"), ("n", ["ide"], "", "cd2"),
    ("", [IDE_CD], "", "disk0"), ("d", [IDE_CD], "", IDE_CD), ("n", [IDE_CD], "", "cd2"),
    ("c", [], ",bootindex=1", "cd2"), ("", ["ide", IDE_CD], ",bootindex=1", "cd2"),
    ("d", ["ide", IDE_CD], ",bootindex=1", "cd2"),
], ids=lambda value: (value if isinstance(value, str) else "+".join(value)).strip(",") or "-")
def test_boot_option_of_qemu(tmp_path, boot, more, cd_index, first):
    """The table of the README. For SeaBIOS, `d` means CDs that it drives itself, and `n`
    boot entries such as those of network cards and of our CDs; a bootindex goes before both."""
    arguments = [*disk_arguments(bootable_disk(tmp_path, "disk0"), 0),
                 *cd_arguments(bootable_cd(tmp_path, "cd2"), 2, cd_index),
                 *(bios_disk(tmp_path, "ide") if "ide" in more else []),
                 *(bios_cd(tmp_path) if IDE_CD in more else [])]
    with Machine(PATHS["c810"], *arguments, *(["-boot", boot] if boot else [])) as machine:
        pc = Agent(machine)
        assert name_of(pc, booted_drive(pc)) == first


NETWORK, CD = "starting execution", "E0h: SCSI"


@pytest.mark.parametrize("boot", ["d", "n"])
@pytest.mark.parametrize("slot, index, first", [(3, "", NETWORK), (8, "", CD), (3, ",bootindex=1", CD)],
                         ids=["card-before-ours", "card-after-ours", "bootindex"])
def test_boot_option_with_a_network_card(tmp_path, boot, slot, index, first):
    """Network cards and CDs boot by slot, before our disk."""
    arguments = [*disk_arguments(bootable_disk(tmp_path, "disk0"), 0),
                 *cd_arguments(bootable_cd(tmp_path, "cd2"), 2, index),
                 "-netdev", "user,id=net", "-device", f"virtio-net-pci,netdev=net,addr={slot}"]
    with Machine(PATHS["c810"], *arguments, "-boot", boot) as machine:
        text = machine.console.wait_for(first)
        assert re.findall(f"{NETWORK}|{CD}|Booting from Hard Disk", text) == [first]

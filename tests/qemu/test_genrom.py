# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The ROM as a file that belongs to no device (`-option-rom`), beside a BIOS
whose own driver serves the controller already, and with one that has none
(rings 2 and 3).
"""

from __future__ import annotations

import re

import pytest

from tests.boot import bootcds
from tests.boot.bootcds import FLOPPY_1440, Entry
from tests.build import ROM_895A
from tests.qemu.agent import FIXED_FLAG, IF, Agent, Registers
from tests.qemu.machine import PATHS, Machine, cd_arguments, disk_arguments
from tests.qemu.test_disks import banner, make_disk, name_of

pytestmark = pytest.mark.qemu("a ROM of no device, take-over")

PCI_SLOT, PCI_COMMAND = 4, 0x04
MEMORY_BAR_BYTES, REGISTER_BYTES = 0x400, 0x60
IVT_AND_BDA = range(0, 0x500)
CURSOR, TICKS = range(0x450, 0x460), range(0x46C, 0x470)
CD_ID = 2

TAKE_OVER = ["-fw_cfg", "name=opt/lsi8xx-rom/take-over,string=1"]
FIRST = f"{ROM_895A},bootindex=1"  # before the BIOS's own entries


def disks_and_cd(directory) -> list[str]:
    return [*disk_arguments(make_disk(directory, "a"), 0), *disk_arguments(make_disk(directory, "b"), 1),
            *cd_arguments(bootcds.emulation_cd(FLOPPY_1440), CD_ID)]


def pci_dword(pc: Agent, register: int) -> int:
    registers = Registers(flags=FIXED_FLAG | IF).with_halves(ax=0xB10A, bx=PCI_SLOT << 3, di=register)
    return pc.interrupt(0x1A, registers).ecx


def chip_registers(machine: Machine) -> bytes:
    """All operating registers, by way of the chip's memory BAR."""
    device = next(d for bus in machine.qmp("query-pci") for d in bus["devices"]
                  if d["slot"] == PCI_SLOT)
    base = next(r["address"] for r in device["regions"] if r["size"] == MEMORY_BAR_BYTES)
    return machine.read_memory(base, REGISTER_BYTES)


def found(pc: Agent) -> dict[str, object]:
    """What a ROM that leaves everything alone leaves alone."""
    memory = bytearray(pc.machine.read_memory(0, IVT_AND_BDA.stop))
    for moving in (CURSOR, TICKS):
        memory[moving.start:moving.stop] = bytes(len(moving))
    return {"text": banner(pc).split("Booting from")[0], "vectors and data": bytes(memory),
            "command": pci_dword(pc, PCI_COMMAND), "chip": chip_registers(pc.machine)}


@pytest.fixture(scope="module")
def without_the_rom(agent_rom, tmp_path_factory) -> dict[str, object]:
    directory = tmp_path_factory.mktemp("alone")
    with Machine(PATHS["seabios"], *disks_and_cd(directory), with_agent=agent_rom, rom=None) as machine:
        return found(Agent(machine))


# ---- Beside the BIOS's own driver -----------------------------------------------------


@pytest.mark.parametrize("path, rom", [("genrom", "default"), ("seabios", f"{ROM_895A},rombar=0")],
                         ids=["option-rom", "rombar=0"])
def test_disks_that_the_bios_drives_are_left_to_it(start, tmp_path, without_the_rom, path, rom):
    """One line, and all else is as on a machine without the ROM."""
    pc = start(path, *disks_and_cd(tmp_path), rom=rom)
    now = found(pc)
    lines = re.findall(r"^lsi8xx-rom .*\n", now["text"], re.M)
    assert [re.sub(r"rom \S+:", "rom:", line) for line in lines] == [
        "lsi8xx-rom: 53C895A at PCI 00:04.0 is served by the BIOS (see take-over)\n"]
    now["text"] = now["text"].replace(lines[0], "")
    assert now == without_the_rom
    with pytest.raises(LookupError):
        pc.rom_segment()
    assert [pc.text_on(drive, 1) for drive in (0x80, 0x81)] == ["a", "b"]


def test_with_take_over_both_drivers_read_the_disks(start, tmp_path):
    """SeaBIOS has entries of its own by then, which no ROM can take away. A
    ROM with a bootindex has the first number; the drivers share the chip."""
    pc = start("genrom", *disks_and_cd(tmp_path), *TAKE_OVER, rom=FIRST)
    assert re.findall(r"^(\w+): SCSI 00:04.0 ID (\d)", banner(pc), re.M) == [("80h", "0"), ("83h", "1")]
    assert pc.disk_count() == 4
    for _ in range(2):
        assert [pc.text_on(0x80 + i, 1) for i in range(4)] == ["a", "a", "b", "b"]
    assert [name_of(pc, 0x80), name_of(pc, 0x83)] == ["a", "b"]


def test_with_take_over_a_cd_boots_through_the_rom(tmp_path):
    disc = bootcds.disc(tmp_path / "cd.iso", Entry(bootcds.agent_code()), more=(b"on the CD.......",))
    with Machine(PATHS["genrom"], *cd_arguments(disc.file, CD_ID, ",bootindex=2"), *TAKE_OVER,
                 rom=FIRST) as machine:
        pc = Agent(machine)
        machine.console.wait_for("E1h: SCSI 00:04.0 ID 2")
        for number in (0xE0, 0xE1):  # SeaBIOS's and ours
            assert pc.text_on(number, disc.lbas[1]) == "on the CD"


# ---- With a BIOS that has no driver -----------------------------------------------------


def test_a_rom_of_no_device_serves_a_controller_that_nobody_serves(start, tmp_path):
    pc = start("genrom-nolsi", *disks_and_cd(tmp_path))
    assert "53C895A at PCI 00:04.0, host ID 7, 2 disks, 1 CD" in banner(pc)
    assert [name_of(pc, 0x80), name_of(pc, 0x81)] == ["a", "b"]

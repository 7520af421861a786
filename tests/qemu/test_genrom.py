# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The ROM as a file that belongs to no device (`-option-rom`): with a BIOS whose
own driver already serves the controller, and with a BIOS that has no driver for
it (rings 2 and 3).
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

pytestmark = pytest.mark.qemu("ROM without a device, take-over")

PCI_SLOT, PCI_COMMAND = 4, 0x04
MEMORY_BAR_BYTES, REGISTER_BYTES = 0x400, 0x60
IVT_AND_BDA = range(0, 0x500)
CURSOR, TICKS = range(0x450, 0x460), range(0x46C, 0x470)
CD_ID = 2

TAKE_OVER = ["-fw_cfg", "name=opt/lsi8xx-rom/take-over,string=1"]
FIRST = f"{ROM_895A},bootindex=1"  # ahead of the BIOS's own entries


def disks_and_cd(directory) -> list[str]:
    return [*disk_arguments(make_disk(directory, "a"), 0), *disk_arguments(make_disk(directory, "b"), 1),
            *cd_arguments(bootcds.emulation_cd(FLOPPY_1440), CD_ID)]


def pci_dword(pc: Agent, register: int) -> int:
    registers = Registers(flags=FIXED_FLAG | IF).with_halves(ax=0xB10A, bx=PCI_SLOT << 3, di=register)
    return pc.interrupt(0x1A, registers).ecx


def chip_registers(machine: Machine) -> bytes:
    """All operating registers, read through the chip's memory BAR."""
    device = next(d for bus in machine.qmp("query-pci") for d in bus["devices"]
                  if d["slot"] == PCI_SLOT)
    base = next(r["address"] for r in device["regions"] if r["size"] == MEMORY_BAR_BYTES)
    return machine.read_memory(base, REGISTER_BYTES)


def observable_state(pc: Agent) -> dict[str, object]:
    """The state that the ROM must not change if it does not take the controller."""
    memory = bytearray(pc.machine.read_memory(0, IVT_AND_BDA.stop))
    for moving in (CURSOR, TICKS):
        memory[moving.start:moving.stop] = bytes(len(moving))
    return {"text": banner(pc).split("Booting from")[0], "vectors and data": bytes(memory),
            "command": pci_dword(pc, PCI_COMMAND), "chip": chip_registers(pc.machine)}


@pytest.fixture(scope="module")
def without_the_rom(agent_rom, tmp_path_factory) -> dict[str, object]:
    directory = tmp_path_factory.mktemp("alone")
    with Machine(PATHS["seabios"], *disks_and_cd(directory), with_agent=agent_rom, rom=None) as machine:
        return observable_state(Agent(machine))


# ---- With the BIOS's own driver -------------------------------------------------------


@pytest.mark.parametrize("path, rom", [("genrom", "default"), ("seabios", f"{ROM_895A},rombar=0")],
                         ids=["option-rom", "rombar=0"])
def test_disks_served_by_bios_are_left_alone(start, tmp_path, without_the_rom, path, rom):
    """The ROM prints one line; the rest is the same as on a machine without it."""
    pc = start(path, *disks_and_cd(tmp_path), rom=rom)
    now = observable_state(pc)
    lines = re.findall(r"^lsi8xx-rom .*\n", now["text"], re.M)
    assert [re.sub(r"rom \S+:", "rom:", line) for line in lines] == [
        "lsi8xx-rom: 53C895A at PCI 00:04.0: used by the BIOS, set take-over to 1\n"]
    now["text"] = now["text"].replace(lines[0], "")
    assert now == without_the_rom
    with pytest.raises(LookupError):
        pc.rom_segment()
    assert [pc.text_on(drive, 1) for drive in (0x80, 0x81)] == ["a", "b"]


def test_take_over_lets_both_drivers_read_disks(start, tmp_path):
    """SeaBIOS has its own boot entries by then, which a ROM cannot remove. A ROM
    with a bootindex gets the first number. Both drivers share the chip."""
    pc = start("genrom", *disks_and_cd(tmp_path), *TAKE_OVER, rom=FIRST)
    assert re.findall(r"^(\w+): SCSI 00:04.0 ID (\d)", banner(pc), re.M) == [("80h", "0"), ("83h", "1")]
    assert pc.disk_count() == 4
    for _ in range(2):
        assert [pc.text_on(0x80 + i, 1) for i in range(4)] == ["a", "a", "b", "b"]
    assert [name_of(pc, 0x80), name_of(pc, 0x83)] == ["a", "b"]


def test_take_over_boots_cd_through_rom(tmp_path):
    disc = bootcds.disc(tmp_path / "cd.iso", Entry(bootcds.agent_code()), more=(b"on the CD.......",))
    with Machine(PATHS["genrom"], *cd_arguments(disc.file, CD_ID, ",bootindex=2"), *TAKE_OVER,
                 rom=FIRST) as machine:
        pc = Agent(machine)
        machine.console.wait_for("E1h: SCSI 00:04.0 ID 2")
        for number in (0xE0, 0xE1):  # SeaBIOS's drive and ours
            assert pc.text_on(number, disc.lbas[1]) == "on the CD"


# ---- With a BIOS without a driver -------------------------------------------------------


def test_rom_serves_controller_that_bios_does_not_serve(start, tmp_path):
    pc = start("genrom-nolsi", *disks_and_cd(tmp_path))
    assert "53C895A at PCI 00:04.0, host ID 7, 2 disks, 1 CD" in banner(pc)
    assert [name_of(pc, 0x80), name_of(pc, 0x81)] == ["a", "b"]

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The ROM as a file that belongs to no device (`-option-rom`, `genroms/` of coreboot): with
a BIOS whose own driver already serves the controller, and with a BIOS that has no
driver for it (rings 2 and 3).
"""

from __future__ import annotations

import re
import shutil

import pytest
import romsign

from tests.boot import bootcds
from tests.boot.bootcds import FLOPPY_1440, Entry
from tests.boot.test_reboot import wait_until
from tests.build import ROM_895A, ROM_EPROM
from tests.qemu.agent import FIXED_FLAG, IF, Agent, Registers
from tests.qemu.machine import PATHS, BootPath, Machine, cd_arguments, disk_arguments
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


# ---- Several controllers ----------------------------------------------------------------


def controllers(*devices: str) -> list[str]:
    """Further controllers, which have no ROM of their own; the first is at slot 5."""
    return [argument for slot, device in enumerate(devices, 5)
            for argument in ("-device", f"{device},id=at{slot},addr={slot},rombar=0")]


def further_copies(directory, count: int) -> list[str]:
    """SeaBIOS runs one ROM of each file name."""
    copies = [shutil.copy(ROM_895A, directory / f"copy{number}.rom") for number in range(count)]
    return [argument for copy in copies for argument in ("-option-rom", copy)]


def disk_at(directory, slot: int, name: str) -> list[str]:
    return disk_arguments(make_disk(directory, name), 0, controller=f"at{slot}")


def results(pc: Agent) -> list[str]:
    """Slot and result in each line about a controller."""
    return [f"{slot} {result}" for slot, result in re.findall(
        r"at PCI 00:0(\d)\.0(?:, host ID 7)?[,:] (.*)\n", banner(pc))]


def test_rom_goes_on_from_an_empty_controller(start, tmp_path):
    pc = start("genrom-nolsi", *controllers("lsi53c895a"), *disk_at(tmp_path, 5, "a"))
    assert results(pc) == ["4 no disk", "5 1 disk"]
    assert [name_of(pc, 0x80), pc.disk_count()] == ["a", 1]


def test_two_roms_serve_the_two_controllers_with_disks(start, tmp_path):
    """Each copy tries the empty controller."""
    pc = start("genrom-nolsi", *controllers("lsi53c895a", "lsi53c810"), *further_copies(tmp_path, 1),
               *disk_at(tmp_path, 5, "a"), *disk_at(tmp_path, 6, "b"))
    assert results(pc) == ["4 no disk", "5 1 disk", "4 no disk", "6 1 disk"]
    assert [name_of(pc, 0x80), name_of(pc, 0x81), pc.disk_count()] == ["a", "b", 2]


def test_rom_without_a_controller_left_says_so(start, tmp_path):
    pc = start("genrom-nolsi", *further_copies(tmp_path, 1), *disk_arguments(make_disk(tmp_path, "a"), 0))
    assert results(pc) == ["4 1 disk"]
    assert re.findall(r"^lsi8xx-rom \S+: (all .*)\n", banner(pc), re.M) == ["all 53C8xx controllers are served"]
    assert [name_of(pc, 0x80), pc.disk_count()] == ["a", 1]


def test_rom_goes_on_from_a_controller_that_the_bios_serves(start, tmp_path):
    """SeaBIOS has no driver for the 53C810."""
    pc = start("genrom", *controllers("lsi53c810"), *disk_arguments(make_disk(tmp_path, "a"), 0),
               *disk_at(tmp_path, 5, "b"))
    assert results(pc) == ["4 used by the BIOS, set take-over to 1", "5 1 disk"]
    assert sorted(pc.text_on(drive, 1) for drive in (0x80, 0x81)) == ["a", "b"]


def test_copies_serve_the_same_controllers_after_a_reset(tmp_path, agent_rom):
    """Memory keeps the copies of the boot before."""
    arguments = [*controllers("lsi53c895a", "lsi53c810"), *further_copies(tmp_path, 1),
                 *disk_at(tmp_path, 5, "a"), *disk_at(tmp_path, 6, "b")]
    with Machine(PATHS["genrom-nolsi"], *arguments, with_agent=agent_rom, reboot=True) as machine:
        for boots in range(1, 4):
            wait_until("POST", lambda: machine.console.text.count("Booting from ROM") == boots)
            text = machine.console.text
            assert text.count("at PCI 00:04.0, host ID 7, no disk") == 2 * boots
            assert [text.count(f"at PCI 00:0{slot}.0, host ID 7, 1 disk") for slot in (5, 6)] == [boots] * 2
            machine.qmp("system_reset")


# ---- Registers at init ------------------------------------------------------------------

PLACE = 0xC0000  # of the ROM that SeaBIOS runs first, without a VGA BIOS
INIT = 3
SECOND_CONTROLLER = 5 << 3
ISA_BRIDGE = 1 << 3
FILLED = {name: 0x5A5A_1234 for name in ("ecx", "edx", "esi", "edi", "ebp")}

WITHOUT_PMM = BootPath(build=True, option_rom=True, without=("PMM",))


def started_with(machine: Machine, **registers: int) -> Agent:
    """The agent, after an init of the ROM with these registers."""
    machine.gdb.run_to(PLACE + INIT)
    machine.gdb.set_registers(**registers)
    machine.gdb.go_on()
    return Agent(machine)


@pytest.mark.parametrize("ax, bx, served", [
    (0, 0xFFFF, 4), (0xFFFF, 0, 4), (ISA_BRIDGE, 0xC000, 4), (0x5A5A_0000, 0x5A5A_D000, 4),
    (SECOND_CONTROLLER, 0xD000, 5), (0x5A5A_0000 | SECOND_CONTROLLER, 0xFFFF, 5),
], ids=["zero", "ffff", "another-device", "upper-half", "second-controller", "second-upper-half"])
def test_registers_at_init(agent_rom, tmp_path, ax, bx, served):
    """AX names a controller or means nothing, BX is a segment only for PCI 3.0."""
    arguments = [*controllers("lsi53c810"), *disk_arguments(make_disk(tmp_path, "at4"), 0),
                 *disk_at(tmp_path, 5, "at5")]
    with Machine(PATHS["genrom-nolsi"], *arguments, with_agent=agent_rom, gdb=True) as machine:
        pc = started_with(machine, eax=ax, ebx=bx, **FILLED)
        assert results(pc) == [f"{served} 1 disk"]
        assert (name_of(pc, 0x80), pc.disk_count(), pc.rom_segment()) == (f"at{served}", 1, PLACE // 16)


@pytest.mark.parametrize("di, entries", [(None, 3), (0x1234, 0)], ids=["$PnP", "nothing"])
def test_di_decides_without_pmm(agent_rom, tmp_path, di, entries):
    """If ES:DI does not point at $PnP, init connects the disks and there are no boot entries."""
    disks = [a for i in range(3) for a in disk_arguments(make_disk(tmp_path, f"disk{i}"), i)]
    with Machine(WITHOUT_PMM, *disks, with_agent=agent_rom, gdb=True) as machine:
        pc = started_with(machine, eax=0, **({} if di is None else {"edi": di}))
        assert len([h for h in romsign.parse(pc.rom_image()).pnp if h.bcv]) == entries
        assert [name_of(pc, 0x80 + i) for i in range(pc.disk_count())] == ["disk0", "disk1", "disk2"]
        assert re.findall(r"^(8\dh): SCSI 00:04.0 ID (\d)", banner(pc), re.M) == [
            ("80h", "0"), ("81h", "1"), ("82h", "2")]


def test_rom_behind_a_vga_bios(start, tmp_path):
    pc = start("genrom-nolsi", "-device", "VGA", *disks_and_cd(tmp_path))
    assert pc.rom_segment() * 16 > PLACE
    assert results(pc) == ["4 2 disks, 1 CD"]
    assert [name_of(pc, 0x80), name_of(pc, 0x81)] == ["a", "b"]


@pytest.mark.parametrize("copies", [1, 2])
def test_bochs_bios_with_an_empty_first_controller(tmp_path, copies):
    """The Bochs BIOS passes no address. A second file of more than 32 KiB would not fit below its area."""
    disk = tmp_path / "disk.img"
    disk.write_bytes(bootcds.agent_code().ljust(100 * 512, b"\0") + b"at5".ljust(512 * 100, b"."))
    first = ROM_EPROM
    second = ["-device", f"loader,file={first},addr=0xd8000,force-raw=on"]
    with Machine(PATHS["bochs"], *controllers("lsi53c810"), *second[:2 * (copies - 1)],
                 *disk_arguments(disk, 0, controller="at5"), rom=first) as machine:
        pc = Agent(machine)
        assert (pc.text_on(0x80, 100), pc.disk_count()) == ("at5", 1)
        text = machine.screen()
        assert [text.count(f"at PCI 00:0{slot}.0") for slot in (4, 5)] == [copies, 1]


# ---- A BIOS without PCI services ----------------------------------------------------------


def test_rom_serves_its_controller_without_a_pci_bios(start, tmp_path):
    """SeaBIOS names the controller in AX."""
    pc = start("nopcibios", *disks_and_cd(tmp_path))
    assert pc.interrupt(0x1A, Registers(flags=FIXED_FLAG | IF).with_halves(ax=0xB101)).flags & 1
    assert "53C895A at PCI 00:04.0, host ID 7, 2 disks, 1 CD" in banner(pc)
    assert [name_of(pc, 0x80), name_of(pc, 0x81)] == ["a", "b"]

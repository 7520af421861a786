# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: a ROM that drives our controller has run before us, or a neighbour of
the same vendor that has not; both again after warm boots, which keep the
registers of the chip.
"""

from __future__ import annotations

from collections import deque

import pytest

from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, BOOT_SECTOR, HARD_DISKS, MEMORY_SIZE, NO_BBS,
                                   SEABIOS, SPECIFICATION)
from tests.model.devices import FwCfg
from tests.model.pc import Pc
from tests.model.registers import SCNTL0
from tests.rom.bios.foreign import (BOARDS, IDE, INT13, ITS_AL, ITS_DRIVE, LINUX, RAID, SDMS,
                                    ForeignRom, machine, sdms, warm_boot)
from tests.rom.bios.multi_controller import lines, owner
from tests.rom.strict import OK

T, LOWER_T, X = 0x1454, 0x1474, 0x2D78      # AX of INT 16h
WARM_BOOTS = 10
BIOSES = {"BBS": dict(manner=SPECIFICATION), "SeaBIOS": dict(manner=SEABIOS),
          "no BBS": dict(manner=NO_BBS, pmm="absent")}

variants = pytest.mark.parametrize("variant", SDMS)
bioses = pytest.mark.parametrize("bios", BIOSES.values(), ids=BIOSES)


def check_left_alone(pc: Pc, rom: ForeignRom, command: int = 7) -> None:
    """One line; chip, vectors and memory are as the other driver has left them."""
    name = pc.chip.variant.name
    assert lines(pc)[-1:] == [f"lsi8xx-rom 0.1.0: {name} at PCI 00:04.0: in use by the ROM at "
                              f"{rom.segment:04X}h (T: take over)"]
    assert pc.chip.writes == 0 and pc.pci.command == command
    assert (pc.bios.kept, pc.bios.init_result.ax, pc.bios.memory.blocks) == (0, 0, [])
    assert pc.word(INT13 + 2) == pc.word(MEMORY_SIZE) * 64
    assert pc.peek(HARD_DISKS, 1)[0] == rom.disks
    check_its_drive(pc)


def check_its_drive(pc: Pc, drive: int = ITS_DRIVE) -> None:
    result = pc.int13(changes="ax", ah=0x02, dl=drive)
    assert (result.ah, result.al, result.cf) == (OK, ITS_AL, False)


def check_served(pc: Pc, first: int = 0x81) -> None:
    """Our disks are there, and the drive of the other ROM still is if it has one."""
    if pc.bios.manner == NO_BBS:
        pc.bios.bootstrap(BOOT_SECTOR)
    assert [owner(pc, first + i) for i in (0, 1)] == [(0, 0), (0, 3)]
    if pc.code and first == 0x81:
        check_its_drive(pc)


# ---- A driver of our controller ----------------------------------------------------------


@variants
@bioses
def test_controller_of_a_live_driver_is_left_alone(variant, bios):
    rom = sdms(variant)
    pc = machine(variant, rom, bios=Bios(**bios))
    pc.power_on()
    check_left_alone(pc, rom)


@pytest.mark.parametrize("device", [0x0001, 0x0003, 0x000F, 0x0012, 0x0021])
def test_its_rom_may_be_for_any_chip_of_the_family(device):
    """A board's BIOS has one image for all chips."""
    rom = sdms("875", device=device, segment=0xE080)
    pc = machine("875", rom)
    pc.power_on()
    check_left_alone(pc, rom)


def test_its_rom_may_have_shortened_its_length():
    """The PCI data structure is at the end of the original image."""
    rom = sdms("895A", blocks=16, pcir=0x3FC5)
    pc = machine("895A", rom)
    pc.power_on()
    check_left_alone(pc, rom)


@variants
def test_live_driver_is_recognised_after_each_warm_boot(variant):
    rom = sdms(variant)
    pc = machine(variant, rom)
    pc.power_on()
    for _ in range(WARM_BOOTS):
        check_left_alone(pc, rom)
        pc = warm_boot(pc, rom)
        pc.power_on()
    check_left_alone(pc, rom)


def test_running_program_shows_a_driver_on_a_chip_that_reports_it():
    """No other register may be read then."""
    rom = ForeignRom()
    pc = machine("895A", rom)
    scripts = pc.chip.scripts
    scripts.running, scripts._steps = True, iter([])
    scripts.run = lambda until: False
    scripts.check_idle = lambda: None
    pc.chip.check_idle = lambda: None
    pc.power_on()
    assert "in use by the ROM at D800h" in pc.text
    assert pc.chip.writes == 0


@bioses
@pytest.mark.parametrize("variant", ["810", "895A"])
@pytest.mark.parametrize("key", [T, LOWER_T])
def test_key_t_takes_the_controller_over(variant, bios, key):
    rom = sdms(variant)
    pc = machine(variant, rom, bios=Bios(**bios, keys=deque([(0, key), (0, X)])))
    pc.power_on()
    assert "in use" not in pc.text
    assert list(pc.bios.keys) == [(0, X)]
    check_served(pc)
    again = warm_boot(pc, rom)
    again.power_on()
    check_left_alone(again, rom)


def test_other_key_stays_and_changes_nothing():
    rom = sdms("895A")
    pc = machine("895A", rom, bios=Bios(keys=deque([(0, X), (0, T)])))
    pc.power_on()
    assert len(pc.bios.keys) == 2
    check_left_alone(pc, rom)


def test_key_is_not_taken_without_another_driver():
    pc = machine("895A", bios=Bios(keys=deque([(0, T)])))
    pc.power_on()
    assert len(pc.bios.keys) == 1
    check_served(pc, 0x80)


@pytest.mark.parametrize("value, taken", [(b"1", True), (b"0", False)])
def test_take_over_switch(value, taken):
    rom = sdms("810")
    pc = machine("810", rom, fwcfg=FwCfg({"opt/lsi8xx-rom/take-over": value}))
    pc.power_on()
    if taken:
        check_served(pc)
    else:
        check_left_alone(pc, rom)


def test_banner_switch_hides_the_line():
    pc = machine("810", sdms("810"), fwcfg=FwCfg({"opt/lsi8xx-rom/banner": b"0"}))
    pc.power_on()
    assert (pc.text, pc.bios.kept, pc.chip.writes) == ("", 0, 0)


# ---- No driver of our controller ---------------------------------------------------------


# Each lacks one of the four signs
NO_DRIVER = {
    "no disk found": (sdms("895A", disks=0, hooks=False), {}),
    "no disk counted": (sdms("895A", disks=0), {}),
    "INT 13h of the BIOS": (sdms("895A", hooks=False), {}),
    "chip not set up": (ForeignRom(), {}),
    "ports disabled": (sdms("895A"), dict(command=2)),
    "another vendor": (sdms("895A", vendor=0x1001), {}),
    "another device": (sdms("895A", device=0x0407), {}),
    "no signature": (sdms("895A", changes={0: b"\x55\xab"}), {}),
    "no length": (sdms("895A", blocks=0), {}),
    "no PCI structure": (sdms("895A", changes={0x40: b"PCIX"}), {}),
    "structure beyond the image": (sdms("895A", blocks=8, pcir=0x1FF0, changes={0x2000: b"\x08\0"}), {}),
    "structure beyond the segment": (sdms("895A", changes={0x18: b"\xf0\xff"}), {}),
    "structure in the header": (sdms("895A", changes={0x18: b"\0\0", 0: b"\x55\xaa\x20"}), {}),
    "not on a boundary": (sdms("895A", segment=0xD840), {}),
    "ours": (sdms("895A", changes={0x0A: b"lsi8"}), {}),
}


@pytest.mark.parametrize("rom, options", NO_DRIVER.values(), ids=NO_DRIVER)
def test_controller_is_served_if_a_sign_of_a_driver_is_missing(rom, options):
    pc = machine("895A", rom, **options)
    pc.power_on()
    check_served(pc, 0x80 + rom.disks)


def test_chip_that_does_not_answer_is_not_in_use():
    pc = machine("895A", ForeignRom())
    pc.chip.cpu_write = lambda *_: None
    pc.chip.cpu_read = lambda offset, size: (1 << 8 * size) - 1
    pc.power_on()
    assert "chip failed" in pc.text


NEIGHBOURS = {
    "IDE": ForeignRom(device=0x0A00, kind=IDE), "RAID": ForeignRom(device=0x1960, kind=RAID),
    "IDE for a chip's ID": ForeignRom(device=0x0001, kind=IDE),
    "RAID for a chip's ID": ForeignRom(device=0x000B, kind=RAID),
    "1030": ForeignRom(device=0x0030), "1510 RAID": ForeignRom(device=0x0010),
    "SDMS for another controller": ForeignRom(device=0x0001),
}


def warm_boot_machines() -> list:
    """Each neighbour with one chip and one BIOS, the next one with others; the rest is long."""
    chips, kinds = [*SDMS, "1010-33"], ["SeaBIOS", "no BBS"]
    return [pytest.param(NEIGHBOURS[name], chip, BIOSES[kind], id=f"{kind}-{chip}-{name}",
                         marks=() if c == n % len(chips) and k == n // 2 % len(kinds) else pytest.mark.long)
            for n, name in enumerate(NEIGHBOURS) for c, chip in enumerate(chips) for k, kind in enumerate(kinds)]


@pytest.mark.parametrize("rom, variant, bios", warm_boot_machines())
def test_neighbour_is_not_a_driver_after_any_warm_boot(rom, variant, bios):
    """The registers are those that we have left. A board's setting of the interrupt
    pin, which we keep, is in DCNTL too; the first boot is without the neighbour then."""
    first = [] if variant in BOARDS else [rom]
    pc = machine(variant, *first, bios=Bios(**bios))
    pc.power_on()
    check_served(pc, 0x80 + len(first))
    for _ in range(WARM_BOOTS):
        assert pc.chip.registers[SCNTL0] == 0xCA
        pc = warm_boot(pc, rom)
        pc.power_on()
        check_served(pc)


@pytest.mark.parametrize("name", ["IDE", "RAID", "RAID for a chip's ID", "1030"])
@pytest.mark.parametrize("variant", SDMS)
def test_neighbour_is_not_a_driver_after_linux(name, variant):
    pc = machine(variant, NEIGHBOURS[name])
    pc.chip.registers[SCNTL0] = 0xCA
    for register, value in LINUX.items():
        pc.chip.registers[register] = value
    pc.power_on()
    check_served(pc)


@bioses
@variants
def test_rom_that_comes_after_ours_changes_nothing_for_us(variant, bios):
    """There is nothing to see in our init."""
    rom = ForeignRom()
    pc = machine(variant, bios=Bios(**bios, others=lambda pc, n: rom.install(pc)))
    pc.power_on()
    assert "2 disks" in pc.text
    first = 0x80 if pc.bios.manner == NO_BBS else 0x81      # where init connects the disks
    check_served(pc, first)
    assert rom.drive == (0x82 if first == 0x80 else 0x80)
    check_its_drive(pc, rom.drive)
    assert pc.word(INT13 + 2) != BIOS_SEGMENT

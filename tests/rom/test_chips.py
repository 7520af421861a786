# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the ROM on every chip of the family: detection, name, initialisation with
clock and errata settings, and use of existing registers only. Other devices are
skipped.

The model checks its rules in every test: reserved registers and bits, errata, and the
clock divider. (test_variants.py tests the model.)
"""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

import pytest

import romsign

from tests.build import BUILD
from tests.model.bios_data import BIOS_SEGMENT, EBDA_KIB, HARD_DISKS, MEMORY_SIZE
from tests.model.bus import DATA_IN, HANG
from tests.model.faults import hangs, in_pieces, once
from tests.model.hardware import HARDWARE
from tests.model.pc import BUFFER, Pc
from tests.model.registers import MS
from tests.model.target import Disk
from tests.model.variants import OTHER_FAMILIES, VARIANTS, variant_named
from tests.rom.fault_sequence import run_fault_sequence
from tests.rom.strict import (OK, TIMEOUT, check_read, check_recovery, disk, expected, new_data,
                              transfer)

SCNTL3, CTEST0, CTEST3, CTEST5, DMODE = 0x03, 0x18, 0x1B, 0x22, 0x38
SCID, RESPID0, RESPID1, STEST1, CCNTL0, CCNTL1, AIPCNTL1 = 0x04, 0x4A, 0x4B, 0x4D, 0x56, 0x57, 0xBF
COMMAND, IO_MEMORY_MASTER = 4, 7

ALL = list(VARIANTS)
NARROW = ["810", "810A", "810AP", "815", "860"]
LVD = ["895", "895A", "875A", "896", "1010-33-0", "1010-33", "1010-66", "1510"]
THE_1010 = ["1010-33-0", "1010-33", "1010-66"]
NAMES = {**{key: f"53C{key}" for key in ALL}, "875-1": "53C875", "1010-33-0": "53C1010-33"}
DIVIDERS = {**dict.fromkeys(ALL, 3), "860": 5, "875-1": 5, **dict.fromkeys(THE_1010, 0)}
ERRATA_REGISTERS = (CTEST0, STEST1, CCNTL0, AIPCNTL1)
ERRATA = {
    **{key: (0, 0, 0, 0) for key in ALL}, **dict.fromkeys(["875-1", "875", "876"], (0x20, 0, 0, 0)),
    "896": (0, 0, 0x01, 0), "1010-33-0": (0, 0x30, 0x02, 0), "1010-66": (0, 0, 0, 0x08)}
BOX86 = ["810", "815", "820", "825A", "860", "875"]     # the chips that 86Box has

chips = pytest.mark.parametrize("chip", ALL)
OTHER = bytes([3]) * 512


@pytest.fixture(scope="session")
def rom_for(tmp_path_factory):
    """rom_for(chip): the ROM with the PCI ID of the chip, from build/ or stamped here."""
    folder = tmp_path_factory.mktemp("roms")

    @functools.cache
    def rom(device: int) -> Path:
        name = next(f.name for f in VARIANTS.values() if f.device == device)
        built = BUILD / f"lsi{name.lower()}.rom"
        if built.exists():
            return built
        stamped = folder / built.name
        stamped.write_bytes(romsign.stamp((BUILD / "rom.bin").read_bytes(), 0x1000, device))
        return stamped
    return lambda chip: rom(variant_named(chip).device)


@pytest.fixture
def start(rom_for):
    """start(chip, ...): new_pc() with the ROM for the chip."""
    return lambda chip, *options, **named: new_pc(rom_for(chip), chip, *options, **named)


@pytest.fixture(scope="module", params=ALL)
def pc(request, rom_for) -> Pc:
    """A machine for tests that leave no trace."""
    return new_pc(rom_for(request.param), request.param)


def new_pc(rom: Path, chip: str, targets: dict | None = None, **options) -> Pc:
    """A machine after POST."""
    pc = Pc(rom, chip, **options)
    kind = HARDWARE[pc.hardware].disk
    pc.bus.targets = targets or {0: kind(), 3: kind(content=lambda lba: OTHER)}
    pc.power_on()
    return pc


def registers(pc: Pc, *offsets: int) -> tuple[int, ...]:
    return tuple(pc.chip.registers[offset] for offset in offsets)


def drives(pc: Pc) -> int:
    return pc.peek(HARD_DISKS, 1)[0]


# ---- Detection and names ---------------------------------------------------------------


def test_every_chip_is_named_and_its_disks_are_found(pc):
    assert f": {NAMES[pc.variant]} at PCI 00:04.0, host ID 7, 2 disks\r\n" in pc.text
    assert drives(pc) == 2
    assert [entry.product.split()[:4] for entry in pc.bios.entries] == [
        ["SCSI", "00:04.0", "ID", "0"], ["SCSI", "00:04.0", "ID", "3"]]


@pytest.mark.parametrize("chip, revision, name", [
    ("810", 0x00, "53C810"), ("810", 0x0F, "53C810"), ("810", 0x10, "53C810A"),
    ("810", 0xFF, "53C810A"), ("825", 0x0F, "53C825"), ("825", 0x10, "53C825A"),
    ("1010-33", 0xFF, "53C1010-33"), ("875", 0x0F, "53C875"), ("875", 0x10, "53C876"),
    ("875", 0x1F, "53C876"), ("875", 0x26, "53C875E"), ("875", 0x37, "53C876")])
def test_chip_name_depends_on_the_revision(start, monkeypatch, chip, revision, name):
    monkeypatch.setitem(VARIANTS, "of that revision", replace(VARIANTS[chip], revision=revision))
    pc = start("of that revision")
    assert f": {name} at PCI 00:04.0," in pc.text
    check_read(pc)


@pytest.mark.parametrize("like, revision", [("875-1", 0), ("875-1", 1), ("875", 2), ("875", 0xFF),
                                            ("1010-33-0", 0), ("1010-33", 1)])
def test_initialisation_depends_on_the_revision(start, monkeypatch, like, revision):
    monkeypatch.setitem(VARIANTS, "of that revision", replace(VARIANTS[like], revision=revision))
    pc = start("of that revision")
    assert registers(pc, SCNTL3, *ERRATA_REGISTERS) == (DIVIDERS[like], *ERRATA[like])
    check_read(pc)


# ---- Initialisation --------------------------------------------------------------------


def check_registers(pc: Pc, chip: str) -> None:
    assert registers(pc, SCNTL3) == (DIVIDERS[chip],)
    assert registers(pc, *ERRATA_REGISTERS) == ERRATA[chip]
    assert registers(pc, CTEST3, CTEST5, DMODE) == (0, 0, 0)
    assert registers(pc, SCID, RESPID0, RESPID1) == (0x47, 0x80, 0)


@chips
def test_clock_and_errata_settings_survive_timeouts_and_resets(start, chip):
    pc = start(chip)
    check_registers(pc, chip)
    disk(pc).data_hook = lambda bus, data: iter([(DATA_IN, data[:7]), HANG])
    result = pc.read(5, 2)
    assert (result.ah, result.cf) == (TIMEOUT, True)
    check_recovery(pc)
    check_registers(pc, chip)
    assert not pc.int13(ah=0x0D, dl=0x80).cf
    check_registers(pc, chip)


@chips
def test_only_existing_registers_are_accessed(rom_for, chip):
    """From POST on, including a timeout."""
    pc = Pc(rom_for(chip), chip)
    pc.bus.targets = {0: Disk(), 3: Disk(content=lambda lba: OTHER)}
    touched, read, write = set(), pc.chip.cpu_read, pc.chip.cpu_write

    def spy(call):
        def wrapped(offset, *rest):
            touched.update(range(offset, offset + rest[-1]))
            return call(offset, *rest)
        return wrapped
    pc.chip.cpu_read, pc.chip.cpu_write = spy(read), spy(write)
    pc.power_on()
    disk(pc).data_hook = once(hangs)
    disk(pc).write_hook = in_pieces(disk(pc), [1, 2, 3])
    pc.read(5, 2)
    assert transfer(pc, 0x43, 5, 1) == (OK, 1)
    check_recovery(pc)
    assert SCID in touched and max(touched) < pc.chip.variant.registers
    assert not touched & pc.chip.variant.reserved


@chips
def test_running_scripts_program_is_stopped_before_the_reset(rom_for, chip):
    """A 53C876 or 53C896 may hang if it is reset while a program runs."""
    pc = Pc(rom_for(chip), chip)
    pc.bus.targets = {0: Disk()}
    pc.pci.write(pc.pci_address, COMMAND, 2, IO_MEMORY_MASTER)
    pc.poke(0x8000, bytes.fromhex("00000050 00800000"))     # WAIT RESELECT
    pc.chip.scripts.start(0x8000)
    pc.chip.advance(MS)
    assert pc.chip.scripts.running
    pc.power_on()
    check_read(pc)


@pytest.mark.parametrize("chip", LVD)
def test_bus_mode_change_after_a_reset_is_no_error(rom_for, chip):
    pc = Pc(rom_for(chip), chip)
    pc.chip.mode_change_ns = 3 * MS
    pc.bus.targets = {0: Disk()}
    pc.power_on()
    check_read(pc)


@chips
def test_host_id_in_scid_is_kept(rom_for, chip):
    pc = Pc(rom_for(chip), chip)
    own = 5 if chip in NARROW else 13
    pc.chip.registers[SCID] = own
    pc.bus.targets = {0: Disk(), 7: Disk()}
    pc.power_on()
    assert f"host ID {own}, 2 disks" in pc.text
    assert registers(pc, SCID, RESPID0, RESPID1) == (0x40 | own, *(1 << own).to_bytes(2, "little"))
    check_read(pc)


# ---- Wide and narrow -------------------------------------------------------------------


@chips
def test_ids_8_to_15_are_found_on_wide_chips_only(start, chip):
    """The targets disconnect, so reselection is tested as well."""
    ids = [0, 8, 10, 15]
    targets = {i: Disk(content=functools.partial(lambda i, lba: bytes([i]) * 512, i)) for i in ids}
    for target in targets.values():
        target.before_command = lambda bus, target=target: target.disconnect()
    pc = start(chip, targets)
    seen = ids[:1] if chip in NARROW else ids
    assert drives(pc) == len(seen)
    for drive, scsi_id in enumerate(seen, 0x80):
        assert pc.read(1, 1, drive=drive).ah == OK
        assert pc.peek(BUFFER, 512) == bytes([scsi_id]) * 512
    assert [bool(target.commands) for target in targets.values()] == [i in seen for i in ids]


# ---- Data ------------------------------------------------------------------------------


COUNTS = (1, 3, 127)


def test_reads_of_several_lengths(pc):
    for count in COUNTS:
        for function in (0x02, 0x42):
            pc.poke(BUFFER, b"\xEE" * (count * 512 + 2))
            assert transfer(pc, function, 1000 + count, count, BUFFER + 1) == (OK, count)
            assert (pc.peek(BUFFER, count * 512 + 2)
                    == b"\xEE" + expected(pc, 1000 + count, count) + b"\xEE")


def test_writes_of_several_lengths(pc):
    for count in COUNTS:
        for function in (0x03, 0x43):
            data = new_data(count + function, count)
            disk(pc).written.clear()
            pc.poke(BUFFER + 1, data)
            assert transfer(pc, function, 77, count, BUFFER + 1) == (OK, count)
            assert expected(pc, 77, count) == data
            assert len(disk(pc).written) == count


# The sizes of all FIFOs and of 7-bit and 10-bit counters; from the start and from the end
EDGES = sorted({n + d for n in (0, 1, 80, 88, 112, 128, 256, 512, 536, 816, 944, 1023)
                for d in (-1, 0, 1, 2)} & set(range(1, 1024)))
POSITIONS = sorted({*EDGES, *(1024 - n for n in EDGES)})


def test_interrupted_write_resumes_at_the_right_byte(pc):
    """The data is interrupted at every limit of a counter or a FIFO."""
    data = new_data(9, 2)
    pieces = [b - a for a, b in zip([0, *POSITIONS], POSITIONS)]
    disk(pc).write_hook = in_pieces(disk(pc), pieces)
    pc.poke(BUFFER + 1, data)
    assert transfer(pc, 0x43, 77, 2, BUFFER + 1) == (OK, 2)
    assert expected(pc, 77, 2) == data
    check_recovery(pc)


def test_interrupted_large_write_resumes_at_the_right_byte(pc):
    """The residual is larger than any FIFO."""
    data = new_data(10, 100)
    disk(pc).write_hook = in_pieces(disk(pc), [1, 2, 500, 4096, 80, 112, 1, 30000, 7])
    pc.poke(BUFFER, data)
    assert transfer(pc, 0x43, 77, 100) == (OK, 100)
    assert expected(pc, 77, 100) == data
    check_recovery(pc)


def test_interrupted_read_resumes_at_the_right_byte(pc):
    def hook(bus, data):
        at = 0
        for size in (1, 2, 3, 80, 113, 400, 1):
            yield DATA_IN, data[at:at + size]
            yield from disk(pc).disconnect()
            at += size
        yield from Disk.data_in(data[at:])
    disk(pc).data_hook = hook
    check_read(pc)
    check_recovery(pc)


# ---- Faults ------------------------------------------------------------------------------


@chips
def test_every_chip_passes_the_fault_sequence(rom_for, chip):
    """The settings of GPIO pins (terminators) and differential transceivers must be kept."""
    run_fault_sequence(rom_for(chip), chip)


@chips
def test_hanging_write_is_recovered(start, chip):
    """The FIFO contains data when the target hangs."""
    pc = start(chip)

    def hook(bus, count):
        yield from Disk.data_out(7)
        yield HANG
    disk(pc).write_hook = hook
    assert transfer(pc, 0x43, 5, 2).status == TIMEOUT
    check_recovery(pc)


@pytest.mark.parametrize("chip, hardware", [*((c, "86box") for c in BOX86),
                                            *((c, t) for c in ("810", "895A")
                                            for t in ("qemu", "qemu-7.2.0"))])
def test_emulated_chips_read_and_write(start, chip, hardware):
    pc, data = start(chip, hardware=hardware), new_data(11, 3)
    assert f": {NAMES[chip]} at PCI 00:04.0, host ID 7, 2 disks\r\n" in pc.text
    check_read(pc)
    pc.poke(BUFFER, data)
    assert transfer(pc, 0x43, 5, 3) == (OK, 3)
    assert expected(pc, 5, 3) == data


# ---- Other devices -----------------------------------------------------------------------


@pytest.mark.parametrize("device, name", [("1510-RAID", "53C1510"), ("1030", "53C1030"),
                                          ("1030ZC", "53C1030ZC")])
def test_unsupported_controller_is_named_and_skipped(rom_for, device, name):
    pc = Pc(rom_for("895A"), device)
    pc.bus.targets = {0: Disk()}
    before = bytes(pc.pci._spaces[pc.pci_address])
    pc.power_on()
    line, = pc.text.strip().splitlines()
    assert line.startswith("lsi8xx-rom ") and name in line
    assert line.endswith(" at PCI 00:04.0 is not supported")
    assert bytes(pc.pci._spaces[pc.pci_address]) == before
    assert (pc.chip.reads, pc.chip.writes) == (0, 0)
    assert not pc.bus.targets[0].messages
    check_nothing_left(pc)


def check_nothing_left(pc: Pc) -> None:
    assert (pc.bios.kept, pc.bios.entries, drives(pc)) == (0, [], 0)
    assert pc.word(MEMORY_SIZE) == EBDA_KIB and pc.bios.memory.blocks == []
    assert pc.word(0x13 * 4 + 2) == BIOS_SEGMENT


def test_unsupported_controllers_are_not_among_the_variants():
    assert not {f.device for f in OTHER_FAMILIES.values()} & {f.device for f in VARIANTS.values()}

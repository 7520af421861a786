# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The models of boards.py, without our ROM: each kind boots a small ROM with one
disk (boardrom.S) as the board did, and each rule is seen broken.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, BOCHS, BOOT_SECTOR, EBDA_KIB, EBDA_POINTER, HARD_DISKS, JUNK,
                                   MEMORY_SIZE, NO_BBS, PNP_OFFSET, SPECIFICATION)
from tests.model.boards import KINDS, WITH_CALLS, WITHOUT_CALLS, BoardBios, ide_sector
from tests.model.pc import BUFFER, ROM_SEGMENT, Pc
from tests.model.rules import RuleViolation
from tests.model.target import cd_rom

SOURCE = Path(__file__).with_name("boardrom.S")
DECIDED_AFTER_THE_SCAN = [n for n in WITHOUT_CALLS if n != "P2B-LS"]
MEDALLIONS = [n for n in KINDS if n.startswith("Medallion")]
AMIS = [n for n in KINDS if n.startswith("AMI")]


def small(folder: Path, kind: str, *habits: str, disks: int = 0, cd: bool = False, pmm: str = "1.01",
          **values: int) -> Pc:
    """A machine after POST. `labels` has the places of the ROM's labels."""
    options = [f"-Wa,--defsym,{name}={value}" for name, value in
               {**dict.fromkeys(habits, 1), **values}.items()]
    elf = folder / "rom.elf"
    subprocess.run(["gcc", "-m16", "-c", str(SOURCE), *options, "-o", f"{elf}.o"], check=True)
    subprocess.run(["ld", "-m", "elf_i386", "-Ttext", "0", "-o", elf, f"{elf}.o"], check=True)
    subprocess.run(["objcopy", "-O", "binary", "-j", ".text", elf, f"{elf}.bin"], check=True)
    names = subprocess.run(["nm", elf], check=True, capture_output=True, text=True).stdout
    file = Path(f"{elf}.bin")
    image = bytearray(file.read_bytes())
    for header in (match.start() for match in re.finditer(rb"\$PnP", image)):
        image[header + 9] = -sum(image[header:header + 0x20]) & 0xFF
    file.write_bytes(image)
    pc = Pc(file, bios=BoardBios(kind=kind, disks=disks) if kind in KINDS else Bios(kind, pmm=pmm))
    pc.labels = {n: ROM_SEGMENT * 16 + int(at, 16)
                 for at, n in re.findall(r"^(\S+) . (\w+)$", names, re.M)}
    pc.bus.targets = {2: cd_rom()} if cd else {}
    pc.calls = []
    for name in ("connect", "int18", "int19"):
        pc.hook_at(pc.labels[name], lambda at, name=name: pc.calls.append((name, pc.registers())))
    pc.power_on()
    return pc


def names_of(pc: Pc) -> list[str]:
    return [name for name, _ in pc.calls]


def check_boots(pc: Pc, first: bytes, drive: int) -> None:
    result = pc.bios.bootstrap()
    assert (result.booted, result.cs, result.eip, result.dl) == (True, 0, 0x7C00, drive)
    assert pc.peek(BOOT_SECTOR.start, len(first)) == first


# ---- How each kind boots ---------------------------------------------------------------


@pytest.mark.parametrize("kind", WITHOUT_CALLS)
def test_disk_connected_in_init_boots(tmp_path, kind):
    check_boots(small(tmp_path, kind, "IN_INIT"), b"mo", 0x80)


@pytest.mark.parametrize("kind", ["Phoenix", "Phoenix, all headers", "AN430TX", "Bochs"])
def test_disk_connected_by_the_boot_entry_boots(tmp_path, kind):
    check_boots(small(tmp_path, kind, "VECTOR"), b"mo", KINDS[kind].drive)


@pytest.mark.parametrize("kind", DECIDED_AFTER_THE_SCAN)
@pytest.mark.parametrize("habit", ["AT_19H", "VECTOR"])
def test_disk_connected_later_does_not_boot(tmp_path, kind, habit):
    """Observed on all these boards: they boot only what init has connected."""
    pc = small(tmp_path, kind, habit)
    assert not pc.bios.bootstrap().booted
    assert pc.bios.noted[-1] == 0x18


@pytest.mark.parametrize("kind", ["P2B-LS", "Phoenix", "AN430TX", "Bochs", "Bochs 2.3"])
def test_disk_connected_at_int_19h_boots_if_the_vector_stays(tmp_path, kind):
    check_boots(small(tmp_path, kind, "AT_19H"), b"mo", KINDS[kind].drive)


@pytest.mark.parametrize("kind", KINDS)
def test_own_disk_boots_first(tmp_path, kind):
    pc = small(tmp_path, kind, "VECTOR" if kind in WITH_CALLS else "IN_INIT", disks=1)
    check_boots(pc, b"IDE disk", KINDS[kind].drive)
    assert pc.peek(HARD_DISKS, 1) == (b"\1" if kind == "Bochs 2.3" else b"\2")
    assert pc.read(77, 2).ah == 0
    assert pc.peek(BUFFER, 1024) == ide_sector(77) + ide_sector(78)


@pytest.mark.parametrize("kind", [name for name, kind in KINDS.items() if not kind.calls_bev])
def test_without_disks_the_bios_gives_up(tmp_path, kind):
    pc = small(tmp_path, kind)
    assert not pc.bios.bootstrap().booted
    assert pc.bios.noted[-1] == 0x18


@pytest.mark.parametrize("kind", MEDALLIONS)
def test_dispatcher_loads_a_sector_then_calls_int_19h(tmp_path, kind):
    pc = small(tmp_path, kind, "IN_INIT", "HOOK_19H", disks=1)
    seen = []
    pc.hook_at(pc.labels["int19"], lambda at: seen.append(pc.peek(BOOT_SECTOR.start, 8)))
    assert pc.word(0x19 * 4 + 2) == BIOS_SEGMENT
    check_boots(pc, b"IDE disk", 0x80)
    assert seen == [b"IDE disk"]
    assert names_of(pc).count("int19") == 1


@pytest.mark.parametrize("kind", [kind for kind in MEDALLIONS if KINDS[kind].network])
def test_dispatcher_tries_an_int_18h_hook_before_the_scsi_disk(tmp_path, kind):
    pc = small(tmp_path, kind, "IN_INIT", "HOOK_18H", "HOOK_19H", cd=True)
    check_boots(pc, b"mo", 0x80)
    assert names_of(pc) == ["connect", "int19", "int18", "int19"]


@pytest.mark.parametrize("kind", AMIS)
def test_ami_calls_int_18h_but_never_int_19h(tmp_path, kind):
    pc = small(tmp_path, kind, "HOOK_18H", "HOOK_19H", cd=True)
    assert not pc.bios.bootstrap().booted
    (name, registers), = pc.calls
    assert (name, registers["ss"], registers["esp"]) == ("int18", 0, 0x7C00 - 6)


def test_ami_reads_only_drives_that_are_counted(tmp_path):
    pc = small(tmp_path, "AMI", "HOOK_19H")
    pc.bios.bootstrap()
    assert {r["edx"] & 0xFF for r in pc.bios.passed_on} == {0}


@pytest.mark.parametrize("habits, answer", [((), (0x01, True)), (("IN_INIT",), (0x41, False))])
def test_ami_asks_before_it_boots(tmp_path, habits, answer):
    asked = small(tmp_path, "AMI, early question", *habits).bios.asked
    assert (asked.ah, asked.cf) == answer


@pytest.mark.parametrize("kind, calls", [("Phoenix", 1), ("Phoenix, all headers", 2), ("AN430TX", 2),
                                         ("Bochs", 1), ("Bochs 2.3", 0), ("P2B-LS", 0),
                                         ("Medallion", 0), ("Medallion, late calls", 2)])
def test_boot_entries_are_called_as_observed(tmp_path, kind, calls):
    pc = small(tmp_path, kind, "VECTOR")
    assert names_of(pc) == ["connect"] * calls
    for _, registers in pc.calls:
        assert (registers["es"], registers["edi"]) == (BIOS_SEGMENT, PNP_OFFSET)
        if kind != "Bochs":
            assert [registers[n] for n in ("eax", "ebx", "ecx", "edx")] == [4, 0x20, 0x103, 0xFFFF]


@pytest.mark.parametrize("kind", KINDS)
def test_entry_without_boot_connection_vector_is_not_called(tmp_path, kind):
    assert names_of(small(tmp_path, kind)) == []


def test_phoenix_counts_its_disks_before_ours(tmp_path):
    pc = small(tmp_path, "Phoenix", "VECTOR", disks=1)
    assert pc.peek(HARD_DISKS, 1) == b"\2"
    assert pc.read(5, 1).ah == 0 and pc.peek(BUFFER, 512) == ide_sector(5)
    with pytest.raises(RuleViolation, match="boot vector hooked in init"):
        small(tmp_path, "Phoenix", "IN_INIT", disks=1)


@pytest.mark.parametrize("kind", KINDS)
def test_init_gets_the_pnp_structure_only_from_some(tmp_path, kind):
    registers = small(tmp_path, kind).bios.init_result
    at = registers.es * 16 + registers.di
    assert (registers.es == BIOS_SEGMENT and registers.di == PNP_OFFSET) == (kind in WITH_CALLS)
    pc = small(tmp_path, kind)
    assert (pc.peek(at, 4) == b"$PnP") == (kind in WITH_CALLS)


# ---- Memory ----------------------------------------------------------------------------


def test_an430tx_grows_its_ebda_into_memory_above_40_13h(tmp_path):
    pc = small(tmp_path, "AN430TX", TAKE_KIB=2)
    size, start = pc.word(MEMORY_SIZE), pc.word(EBDA_POINTER) * 16
    assert size == EBDA_KIB - 3 and start == size * 1024
    assert pc.peek(start, 2) == bytes([2, JUNK]) and pc.peek(start + 2047, 1) == bytes([JUNK])
    assert pc.bios.kept_memory()[0] == range((size + 2) * 1024, EBDA_KIB * 1024)


@pytest.mark.parametrize("kind", [*KINDS, NO_BBS, BOCHS, SPECIFICATION])
def test_at_most_16_kib_stay_without_pmm(tmp_path, kind):
    small(tmp_path, kind, BLOCKS=32, pmm="absent")
    with pytest.raises(RuleViolation, match="too much ROM kept"):
        small(tmp_path, kind, BLOCKS=33, pmm="absent")


def test_more_may_stay_with_pmm(tmp_path):
    small(tmp_path, SPECIFICATION, BLOCKS=33, pmm="1.01")


def change_memory_size(pc: Pc, kib: int) -> None:
    """As the ROM's INT 19h handler would do it."""
    at = pc.labels["int19"] - ROM_SEGMENT * 16
    pc.poke(pc.labels["int19"], bytes.fromhex("31c08ed883061304") + bytes([kib & 0xFF])
            + b"\xcf")
    assert pc.word(0x19 * 4) == at
    pc.bios.bootstrap()


@pytest.mark.parametrize("kib", [1, 2])
def test_memory_may_be_given_back_from_below(tmp_path, kib):
    pc = small(tmp_path, "P2B-LS", "HOOK_19H", TAKE_KIB=3)
    change_memory_size(pc, kib)
    assert pc.bios.kept_memory() == [range((EBDA_KIB - 3 + kib) * 1024, EBDA_KIB * 1024)]


def test_memory_of_others_may_not_be_given_back(tmp_path):
    pc = small(tmp_path, "P2B-LS", "HOOK_19H", TAKE_KIB=3)
    with pytest.raises(RuleViolation, match="memory of others given back"):
        change_memory_size(pc, 4)


def test_a_copy_takes_at_most_2_kib_at_boot(tmp_path):
    pc = small(tmp_path, "P2B-LS", "HOOK_19H", TAKE_KIB=3)
    change_memory_size(pc, -2)
    with pytest.raises(RuleViolation, match="memory taken at boot"):
        pc.bios.bootstrap()


@pytest.mark.parametrize("junk", [False, True])
def test_warm_boot_restores_what_the_bios_owns(tmp_path, junk):
    pc = small(tmp_path, "AN430TX", "VECTOR", TAKE_KIB=2)
    before = pc.word(MEMORY_SIZE), pc.word(EBDA_POINTER), pc.peek(HARD_DISKS, 1)
    pc.poke(0x30000, b"left")
    pc.warm_boot(junk=junk)
    assert (pc.word(MEMORY_SIZE), pc.word(EBDA_POINTER), pc.peek(HARD_DISKS, 1)) == before
    assert pc.peek(0x30000, 4) == (bytes([JUNK]) * 4 if junk else b"left")
    check_boots(pc, b"mo", 0x00)


# ---- Vectors in init -------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("habits, cd", [(("IN_INIT",), False), (("HOOK_18H",), True),
                                        (("HOOK_18H",), False)],
                         ids=["INT 13h", "INT 18h and a CD", "INT 18h without a CD"])
def test_vectors_other_than_int_19h_need_a_bios_that_calls_nothing(tmp_path, kind, habits, cd):
    if kind in WITHOUT_CALLS and (cd or "IN_INIT" in habits):
        small(tmp_path, kind, *habits, cd=cd)
        return
    with pytest.raises(RuleViolation, match="boot vector hooked in init"):
        small(tmp_path, kind, *habits, cd=cd)


@pytest.mark.parametrize("kind", [SPECIFICATION, NO_BBS])
def test_with_pmm_init_does_not_connect(tmp_path, kind):
    with pytest.raises(RuleViolation, match="boot vector hooked in init"):
        small(tmp_path, kind, "IN_INIT")


@pytest.mark.parametrize("kind", KINDS)
def test_any_kind_lets_init_hook_int_19h(tmp_path, kind):
    small(tmp_path, kind, "HOOK_19H")


# ---- INT 18h of a program --------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_program_gives_up_on_a_low_stack(tmp_path, kind):
    connects = "VECTOR" if kind in WITH_CALLS else "IN_INIT"
    pc = small(tmp_path, kind, connects, "HOOK_19H")
    pc.bios.bootstrap()
    seen = []
    pc.hook_at(BIOS_SEGMENT * 16 + 0xE180, lambda at: seen.append((pc.get("ss"), pc.get("esp"))))
    assert not pc.bios.give_up().booted
    assert seen[0] == (0, 0x7C00 - 6) and pc.bios.noted[-1] == 0x18

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: boot entries, and INT 15h after boot."""

from __future__ import annotations

import pytest

from tests.build import ROM_895A, bios_image
from tests.model.bios import Bios
from tests.model.bios_data import HARD_DISKS, NO_BBS, SEABIOS
from tests.model.pc import ROM_SEGMENT, SEEDS, Pc, symbol
from tests.model.rules import RuleViolation
from tests.rom.bios.one_controller import (INT13, PNP_MANNERS, SECOND, booted, check_passed_on,
                                           id_of, machine)


# ---- Boot entries --------------------------------------------------------------------


@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_init_returns_its_result_in_ax_only(manner):
    result = booted(bios=Bios(manner)).bios.init_result
    assert result.ax == 0x0120, "an INT 13h device is attached"
    entry = {**SEEDS, "ebx": 0xFFFF, "edx": 0xFFFF, "es": 0xF000, "edi": 0x0100}
    assert {n: result.registers[n] for n in entry if n != "eax"} == {
        n: v for n, v in entry.items() if n != "eax"}
    assert result.eflags & 0xFFFF == 0x202
    assert result.stack_used <= 512


@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_each_disk_has_one_boot_entry(manner):
    pc = booted(2, 0, bios=Bios(manner))
    assert [e.product for e in pc.bios.entries] == [
        f"SCSI 00:04.0 ID {i} LUN 0 BENCH STRICT DISK" for i in (0, 2)]


@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_boot_connection_preserves_registers_and_flags(manner):
    pc = machine(0, bios=Bios(manner, choose=lambda entries: []))
    pc.power_on()
    pc.booted = False
    result = pc.bios.connect(pc.bios.entries[0])
    entry = {**SEEDS, "eax": 0 if manner == SEABIOS else 4, "ebx": 0xFFFF, "edx": 0xFFFF,
             "es": 0xF000, "edi": 0x0100}
    assert {n: result.registers[n] for n in entry} == entry
    assert result.eflags & 0xFFFF == 0x202
    assert result.stack_used <= 64


@pytest.mark.parametrize("manner", PNP_MANNERS)
@pytest.mark.parametrize("choose, drives", [
    (lambda e: e, [0, 3, 5]), (lambda e: e[::-1], [5, 3, 0]), (lambda e: e[1:2], [3]),
    (lambda e: [e[2], e[2], e[0], e[2]], [5, 0]), (lambda e: [], []),
], ids=["in order", "reverse", "only the second", "called again", "none"])
def test_drives_appear_in_the_order_of_connection_calls(choose, drives, manner):
    pc = booted(0, 3, 5, bios=Bios(manner, choose=choose))
    assert pc.peek(HARD_DISKS, 1) == bytes([len(drives)])
    assert [id_of(pc, 0x80 + i) for i in range(len(drives))] == drives
    check_passed_on(pc, 0x80 + len(drives))
    assert (pc.word(INT13 + 2) == ROM_SEGMENT) == bool(drives)
    assert pc.text.count("h: SCSI") == len(drives), "one line for each"


def test_bios_disks_keep_their_numbers():
    pc = booted(bios=Bios(disks=2))
    assert pc.peek(HARD_DISKS, 1) == b"\x04"
    assert (id_of(pc, 0x82), id_of(pc, 0x83)) == (0, 3)
    for drive in (0x00, 0x01, 0x7F, 0x80, 0x81, 0x84, 0xFF):
        check_passed_on(pc, drive)


@pytest.mark.parametrize("disks, numbers", [(30, 2), (31, 1), (32, 0), (255, 0)])
def test_drive_numbers_end_at_9fh(disks, numbers):
    pc = booted(bios=Bios(disks=disks))
    assert pc.text.count("no drive number is free") == 2 - numbers
    assert pc.peek(HARD_DISKS, 1) == bytes([disks + numbers])
    assert [id_of(pc, 0x80 + disks + i) for i in range(numbers)] == [0, 3][:numbers]
    check_passed_on(pc, 0x80)


@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_full_bus_is_served(manner):
    ids = [i for i in range(16) if i != 7]
    pc = booted(*ids, bios=Bios(manner))
    assert [id_of(pc, 0x80 + i) for i in range(15)] == ids


@pytest.mark.parametrize("pmm", ["1.01", "absent"])
def test_without_bbs_bios_drives_are_unchanged_by_post(pmm):
    """The registers at init are arbitrary and there is no PnP structure. The drives
    are connected at INT 19h; until then those of the BIOS are unchanged."""
    pc = booted(bios=Bios(NO_BBS, pmm=pmm, disks=1))
    assert "2 disks" in pc.text
    check_passed_on(pc, 0x80)


# These succeed with the registers that the model sets; the others lack an argument.
SUCCEEDS = (0x00, 0x01, 0x08, 0x09, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x49)


def test_functions_work_within_the_kept_image_length():
    """The model overwrites the rest of the image with HLTs."""
    pc = booted()
    assert pc.bios.kept < len(bios_image(ROM_895A))
    for function in range(0x100):
        result = pc.int13(range(SEEDS["ds"] * 16, SEEDS["ds"] * 16 + 0x20000), ah=function,
                          dl=0x80, changes="ax bx cx dx")
        assert result.cf == (function not in SUCCEEDS), hex(function)


def test_model_measures_the_cost_of_a_call():
    pc = booted(measure=True)
    small, large = pc.int13(ah=0x77, dl=0x80), pc.read(0, 8)
    assert (small.register_reads, small.register_writes, small.scripts_instructions) == (0, 0, 0)
    assert large.register_reads and large.register_writes and large.scripts_instructions > 10
    assert 50 < small.instructions < 500 < large.instructions
    assert 40 < small.own_stack_used < large.own_stack_used < symbol("workspace") - 64
    assert small.stack_used == large.stack_used == 20
    assert small.ns == 0 < large.ns < SECOND


# ---- INT 15h after boot ----------------------------------------------------------------


def call_15h(pc: Pc, ax: int, dl: int) -> tuple[int, bool]:
    """AH and CF after an INT 15h from the ROM segment."""
    at = ROM_SEGMENT * 16 + symbol("text_end")
    pc.poke(at, bytes.fromhex("cd15f4"))
    for name, value in {"cs": ROM_SEGMENT, "ss": 0x900, "esp": 0x800, "eax": ax, "edx": dl,
                        "eflags": 2}.items():
        pc.set(name, value)
    pc._go(at, at + 2)
    return pc.get("eax") >> 8, bool(pc.get("eflags") & 1)


@pytest.mark.parametrize("bios, answer", [
    (Bios(), (0x86, True)), (Bios(eject_answer=0), (0, False)),
    (Bios(eject_answer=0xB1), (0xB1, True))], ids=["not supported", "allowed", "refused"])
def test_int_15h_eject_request_reaches_the_bios(bios, answer):
    pc = machine(0, bios=bios)
    pc.power_on()
    assert call_15h(pc, 0x5200, 0x81) == answer
    assert bios.eject_asked == [0x81]
    with pytest.raises(RuleViolation, match="BIOS service not expected"):
        call_15h(pc, 0x8800, 0)

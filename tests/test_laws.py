# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The laws that no mutant of the ROM breaks (test_mutants.py has the others),
broken by hand; and that every law has a test that names it.
"""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from machine import ROM_895A
from strict import new_pc, two_disks
from vpc.bus import HANG
from vpc.law import LAWS, LawBroken
from vpc.pc import SEEDS, Pc, Result
from vpc.registers import ABRT, DSA, DSP, DSTAT, D_SIR, ISTAT, MA, MS, RST_LINE, SCNTL1, SIST0, SRST, US
from vpc.rig import Player, Rig
from vpc.target import Disk
from vpc.vds import Lock, Vds

MOVE_BY_TABLE = 0x1E000000, 0   # MSG OUT
INT, SELECT_3, WHEN_STATUS = (0x98080000, 1), (0x41030000, 0), (0x980B0000 | 3 << 24, 1)


def causes_of_both_kinds(rig: Rig) -> None:
    rig.chip.sist, rig.chip.dstat = MA, D_SIR
    rig.read(DSTAT)


def pending(rig: Rig) -> None:
    rig.chip.raise_scsi(MA)
    rig.pass_time(100 * US)
    rig.run(*INT)


def full_fifo(rig: Rig) -> None:
    rig.chip.scsi_fifo = True
    rig.run(*INT)


def full_fifo_on_return(rig: Rig) -> None:
    rig.chip.scsi_fifo = True
    rig.chip.check_idle()


def abort_left_set(rig: Rig) -> None:
    rig.write(ISTAT, ABRT)
    rig.chip.check_idle()


def short_reset(rig: Rig) -> None:
    rig.write(SCNTL1, RST_LINE)
    rig.pass_time(20 * US)
    rig.write(SCNTL1, 0)


def select_in_reset(rig: Rig) -> None:
    rig.bus.stuck_reset = True
    rig.read(SIST0, 2)
    rig.run(*SELECT_3, *INT, ns=US)


def drop_connection(rig: Rig) -> None:
    rig.bus.targets[3] = Player(lambda bus: iter([HANG]))
    rig.run(*SELECT_3, *WHEN_STATUS, ns=MS)
    rig.write(ISTAT, ABRT)
    rig.write(SCNTL1, 0)


def abort_with_sdu(rig: Rig) -> None:
    rig.bus.targets[3] = Disk()
    rig._write(0x100, b"\x80\x06")
    rig.run(*SELECT_3, 0x0E000002, 0x100, *INT)


def touch_while_running(rig: Rig) -> None:
    rig.chip.scripts.running = True
    rig.read(DSTAT)


def start_while_running(rig: Rig) -> None:
    rig.chip.scripts.running = True
    rig.write(DSP, 0x1000, 4)


def reset_while_running(rig: Rig) -> None:
    rig.chip.scripts.running = True
    rig.write(ISTAT, SRST)


def table_one_byte_off(rig: Rig) -> None:
    rig.bus.targets[3] = Disk()
    rig.write(DSA, 0x101, 4)
    rig.run(*SELECT_3, *MOVE_BY_TABLE, *INT)


def count_of_25_bits(rig: Rig) -> None:
    rig.bus.targets[3] = Disk()
    rig.write(DSA, 0x100, 4)
    rig._write(0x100, struct.pack("<II", 1 << 24 | 1, 0x200))
    rig.run(*SELECT_3, *MOVE_BY_TABLE, *INT)


BROKEN = {
    "a byte of SIST": ("SIST read in bytes", lambda rig: rig.read(SIST0)),
    "DSTAT first": ("DSTAT read before SIST", causes_of_both_kinds),
    "a start with a cause": ("SCRIPTS started with causes pending", pending),
    "a start with a FIFO full": ("SCRIPTS started with a FIFO not empty", full_fifo),
    "ABORT with SDU": ("SDU left on", abort_with_sdu),
    "a start in a bus reset": ("SCRIPTS started during a bus reset",
                               lambda rig: (rig.write(SCNTL1, RST_LINE), rig.run(*INT))),
    "a start with ABRT": ("SCRIPTS started with ABRT set",
                          lambda rig: (rig.write(ISTAT, ABRT), rig.run(*INT))),
    "a short reset": ("bus reset too short", short_reset),
    "DSTAT of a running chip": ("register access while SCRIPTS runs", touch_while_running),
    "DSP of a running chip": ("register access while SCRIPTS runs", start_while_running),
    "SRST of a running chip": ("SRST without ABRT", reset_while_running),
    "SELECT while RST is held": ("SELECT while RST is held", select_in_reset),
    "SCNTL1 while connected": ("connection dropped by SCNTL1", drop_connection),
    "RST left": ("bus left in reset",
                 lambda rig: (rig.write(SCNTL1, RST_LINE), rig.chip.check_idle())),
    "a full FIFO left": ("FIFO left full", full_fifo_on_return),
    "a table off": ("table not aligned", table_one_byte_off),
    "a count with a top byte": ("top byte of a table count not 0", count_of_25_bits),
    "ABRT left": ("ABRT left set", abort_left_set),
}


@pytest.mark.parametrize("law, act", BROKEN.values(), ids=BROKEN.keys())
def test_a_rule_of_the_chip_is_named(law, act):
    rig = Rig()
    rig.set_up()
    assert not rig.objections
    act(rig)
    assert law in rig.objections


@pytest.mark.parametrize("offset", [0x14, 0x15, 0x16, 0x17])
def test_what_is_free_while_a_program_runs(offset):
    rig = Rig()
    rig.chip.scripts.running = True
    rig.read(offset)
    rig.write(offset, 0)
    assert not rig.objections


def test_dma_into_rom_is_named():
    with pytest.raises(LawBroken, match="DMA into ROM"):
        two_disks("895A").read(0, 1, address=0xE0000)


@pytest.mark.parametrize("law, act", [
    ("vds-unlocked", lambda pc: pc._dma_read(0x300000, 4)),
    ("vds-leak", lambda pc: (pc.vds.locks.append(Lock(0x8103, 0x20000, 512)),
                             pc.int13(ah=0x01, dl=0x80))),
    ("vds-call", lambda pc: pc.vds.call(0x8109, 0, 0x1000)),
], ids=["not locked", "not unlocked", "copying"])
def test_a_rule_of_the_dma_services_is_named(law, act):
    pc = new_pc("895A", {0: Disk()}, vds=Vds(pages={0x20: 0x300}))
    with pytest.raises(LawBroken, match=law):
        act(pc)


def test_verify_that_compares_is_named():
    with pytest.raises(LawBroken, match="VERIFY of bytes"):
        Disk().execute(bytes([0x2F, 2, 0, 0, 0, 0, 0, 0, 1, 0]))


@pytest.mark.parametrize("register", ["ebx", "esi", "fs", "gs", "ds"])
def test_a_register_not_restored_is_named(register):
    after = Result({**SEEDS, register: SEEDS[register] ^ 0x10, "eflags": 0x202})
    with pytest.raises(LawBroken, match=f"register not preserved: {register}"):
        Pc(ROM_895A)._check_registers(SEEDS, after, ["ah"], 0x202)


def test_every_law_has_a_test_that_names_it():
    text = "".join(file.read_text() for file in Path(__file__).parent.glob("test_*.py"))
    assert [law for law in LAWS if law not in text] == []


def test_a_law_that_is_not_listed_cannot_be_broken():
    with pytest.raises(KeyError):
        LawBroken("thou shalt not pass")

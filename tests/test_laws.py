# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Each law of the strict bench is shown to bite: the SCRIPTS program in the
ROM image is broken at one instruction, or one register write of the CPU is
lost or changed, and the bench names what is wrong.
"""

from __future__ import annotations

import struct

import pytest

from machine import ROM_895A, symbol
from vpc.chip import DCNTL, RESPID0, SCID, SIST0, STIME0
from vpc.law import LawBroken
from vpc.pc import ROM_SEGMENT, SEEDS, Pc, Result
from vpc.target import Disk

NOP = (0x80000000, 0)
SDU_OFF = (0x7C027F00, 0)
CLEAR_ACK, CLEAR_ACK_ATN = (0x60000040, 0), (0x60000048, 0)
MOVE_MSG_OUT, MOVE_COMMAND, MOVE_STATUS = 0x1E000000, 0x1A000000, 0x1B000000
SELECT = 0x47000000


def broken_rom(tmp_path, old: int, new: tuple[int, int] | int):
    """The ROM with every instruction whose first dword is `old` replaced; an
    int replaces the first dword only."""
    image = ROM_895A.read_bytes()
    start = image.index(struct.pack("<I", SELECT))
    script = bytearray(image[start:start + 520])
    hits = 0
    for at in range(0, len(script) - 8, 8):
        if struct.unpack_from("<I", script, at)[0] == old:
            hits += 1
            if isinstance(new, tuple):
                struct.pack_into("<II", script, at, *new)
            else:
                struct.pack_into("<I", script, at, new)
    assert hits, "the program has no such instruction any more"
    file = tmp_path / "broken.rom"
    file.write_bytes(image[:start] + bytes(script) + image[start + len(script):])
    return file


def disconnecting() -> Disk:
    disk = Disk()

    def hook(bus, data):
        yield from disk.disconnect()
        yield from Disk.data_in(data)
    disk.data_hook = hook
    return disk


@pytest.mark.parametrize("old, new, law", [
    (CLEAR_ACK_ATN[0], NOP, "ACK still asserted|bus free with ACK"),
    (CLEAR_ACK[0], NOP, "ACK still asserted|bus free with ACK"),
    (SDU_OFF[0], NOP, "SDU left on"),
    (MOVE_STATUS, MOVE_STATUS & ~0x08000000, "CHMOV"),
    (MOVE_COMMAND, 0x0A000000, "block move of 0 bytes"),
    (0x878B0000, 0x878A0000, "stale phase tested"),
    (0x60000040, 0x61000040, "bit 24 on an I/O instruction"),
    (0x58000008, 0x58000048, "SET ACK"),
], ids=["complete without CLEAR ACK", "message without CLEAR ACK", "SDU", "CHMOV", "count 0",
        "IF for WHEN", "bit 24", "SET ACK"])
def test_a_wrong_instruction_is_named(tmp_path, old, new, law):
    pc = Pc(broken_rom(tmp_path, old, new))
    disk = disconnecting()
    pc.bus.targets[0] = disk

    def offer(bus):
        yield 7, 0x13  # a message that has to be refused
        while bus.atn:
            yield 6, None
    disk.before_command = offer
    with pytest.raises(LawBroken, match=law):
        pc.power_on()


def writes(pc: Pc, change) -> None:
    """Pass every register write of the CPU through change(offset, value),
    which returns the value, or None to lose it."""
    real = pc.chip.cpu_write

    def write(offset: int, value: int, size: int) -> None:
        value = change(offset, value)
        if value is not None:
            real(offset, value, size)
    pc.chip.cpu_write = write


@pytest.mark.parametrize("change, law", [
    (lambda o, v: None if o == STIME0 else v, "no selection time-out"),
    (lambda o, v: 0x40 if o == SCID else v, "own ID clashes"),
    (lambda o, v: 0x07 if o == SCID else v, "cannot be reselected"),
    (lambda o, v: None if o == RESPID0 else v, "cannot be reselected"),
    (lambda o, v: v & ~1 if o == DCNTL else v, "register instruction without DCNTL.COM"),
    (lambda o, v: v & ~2 if o == DCNTL else v, "interrupt pin enabled"),
    (lambda o, v: None if o == 0x14 and v == 0 else v, "SRST left set"),
], ids=["STIME0", "ID 0", "RRE", "RESPID", "COM", "IRQD", "SRST"])
def test_a_register_not_set_is_named(change, law):
    pc = Pc(ROM_895A)
    pc.bus.targets[0] = Disk()
    writes(pc, change)
    with pytest.raises(LawBroken, match=law):
        pc.power_on()


@pytest.mark.parametrize("act, law", [
    (lambda chip: chip.cpu_read(0x0C, 1), "register access while SCRIPTS runs"),
    (lambda chip: chip.cpu_write(0x2C, 0x1000, 4), "register access while SCRIPTS runs"),
    (lambda chip: chip.cpu_read(0x42, 2), "register access while SCRIPTS runs"),
], ids=["DSTAT", "DSP", "SIST"])
def test_touching_a_running_chip_is_named(act, law):
    pc = Pc(ROM_895A)
    pc.bus.targets[0] = Disk()
    pc.power_on()
    pc.chip.scripts.running = True
    with pytest.raises(LawBroken, match=law):
        act(pc.chip)
    assert pc.chip.cpu_read(0x14, 1) is not None, "ISTAT is allowed"


def test_reading_sist_in_bytes_and_dstat_first_is_named():
    pc = Pc(ROM_895A)
    pc.chip.sist, pc.chip.dstat = 0x80, 0x04
    with pytest.raises(LawBroken, match="SIST read in bytes"):
        pc.chip.cpu_read(SIST0, 1)
    with pytest.raises(LawBroken, match="DSTAT read before SIST"):
        pc.chip.cpu_read(0x0C, 1)


def test_starting_with_something_pending_is_named():
    pc = Pc(ROM_895A)
    pc.chip.sist = 0x80
    with pytest.raises(LawBroken, match="causes pending"):
        pc.chip.cpu_write(0x2C, 0x1000, 4)
    pc.chip.sist, pc.chip.fifo_dirty = 0, True
    with pytest.raises(LawBroken, match="FIFO not empty"):
        pc.chip.cpu_write(0x2C, 0x1000, 4)


def test_resetting_a_chip_that_runs_is_named():
    pc = Pc(ROM_895A)
    pc.chip.scripts.running = True
    with pytest.raises(LawBroken, match="SRST without ABRT"):
        pc.chip.cpu_write(0x14, 0x40, 1)


def test_a_short_bus_reset_is_named():
    pc = Pc(ROM_895A)
    pc.chip.cpu_write(0x01, 0x08, 1)
    pc.chip.advance(20_000)
    with pytest.raises(LawBroken, match="bus reset too short"):
        pc.chip.cpu_write(0x01, 0x00, 1)


@pytest.mark.parametrize("code, law", [
    ("31 db 8e e3 64 c6 06 90 04 01", "write outside buffer and workspace"),  # 0:490h = 1
    ("31 db 8e e3 64 c6 06 00 00 01", "write outside buffer and workspace"),  # a vector
    ("e6 80", "port not ours"),                                              # out 80h
    ("eb fe", "step bound"),                                                 # jmp .
], ids=["BIOS data", "vector", "port", "endless loop"])
def test_what_a_handler_must_not_do_is_named(code, law):
    """int13_10_ready is replaced by a few instructions and a return."""
    pc = Pc(ROM_895A)
    pc.bus.targets[0] = Disk()
    pc.power_on()
    pc.poke(ROM_SEGMENT * 16 + symbol("int13_10_ready"),
            bytes.fromhex(code) + bytes.fromhex("66 31 c0 66 c3"))  # xor eax, eax; retl
    pc.step_seconds = 1
    with pytest.raises(LawBroken, match=law):
        pc.int13(ah=0x10, dl=0x80)


@pytest.mark.parametrize("register", ["ebx", "esi", "fs", "gs", "ds"])
def test_a_register_not_restored_is_named(register):
    """The previous handler's answer is compared with what the caller had."""
    pc = Pc(ROM_895A)
    pc.bus.targets[0] = Disk()
    pc.power_on()
    before = dict(SEEDS)
    after = Result({**before, register: before[register] ^ 0x10, "eflags": 0x202})
    with pytest.raises(LawBroken, match=f"register not preserved: {register}"):
        pc._check_registers(before, after, ["ah"], 0x202)

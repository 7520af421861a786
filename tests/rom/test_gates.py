# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the gates between far code and the rest of the ROM (rom/gates/gates.S), one by
one: with far code in the ROM image, and in memory of its own.
"""

from __future__ import annotations

import random
import struct

import pytest
from unicorn import UC_ARCH_X86, UC_HOOK_CODE, UC_MODE_16, Uc
from unicorn import x86_const as x86

from tests.build import BUILD, IMAGE, PACKED_FROM, symbol
from tests.model.bios import Bios
from tests.model.bios_data import NO_BBS, SPECIFICATION
from tests.model.pc import BUFFER
from tests.model.target import Disk
from tests.rom.bios.multi_controller import disc_of
from tests.rom.cd.cdboot import CD, check_blocks, drive_with
from tests.rom.disk.removable_drives import ZIP
from tests.rom.strict import OK, VARIANTS, by_chs, chs, new_pc, transfer

ROM, FAR, STACK = 0xC800, 0x9A00, 0x2000
ROM_FAR = 0x14          # rom/layout.h
CALL_AT = 0xF000        # of the caller, in its own segment
SP = 0x1000
REGISTERS = ["EAX", "EBX", "ECX", "EDX", "ESI", "EDI", "EBP", "ESP", "DS", "ES", "FS", "GS", "SS", "EFLAGS"]
GATE_BYTES = 4          # of stack, until the return
FLAGS = [0x002, 0xCD7 & ~0x100, 0x246]      # none, all but TF and IF, some with IF


def gates(file: str) -> dict[str, str]:
    """Maps a gate to the function that it calls."""
    return {gate: name for name, gate in
            (line.split() for line in (BUILD / f"gates.{file}").read_text().splitlines())}


GATES = [(gate, name, True) for gate, name in gates("in").items()] + \
        [(gate, name, False) for gate, name in gates("out").items()]


class Machine:
    """The unpacked image, and far code in its own segment or in the image."""

    def __init__(self, apart: bool):
        self.rom, self.far = ROM, FAR if apart else ROM
        self.uc = Uc(UC_ARCH_X86, UC_MODE_16)
        self.uc.mem_map(0, 0x100000)
        self.uc.mem_write(ROM * 16 + PACKED_FROM, IMAGE.read_bytes())
        first, end = symbol("gates_first"), symbol("cd_end")
        if apart:
            removable = symbol("removable_first")
            self.uc.mem_write(FAR * 16 + removable, bytes(self.uc.mem_read(ROM * 16 + removable, end - removable)))
            self.uc.mem_write(ROM * 16 + removable, b"\xCC" * (end - removable))
        assert first <= symbol("far_rom") < end
        self.uc.mem_write(ROM * 16 + ROM_FAR, struct.pack("<H", self.far))
        self.uc.mem_write(self.far * 16 + symbol("far_rom"), struct.pack("<H", self.rom))

    def registers(self) -> dict[str, int]:
        return {name: self.uc.reg_read(getattr(x86, f"UC_X86_REG_{name}")) for name in REGISTERS}

    def call(self, gate: str, name: str, inwards: bool, registers: dict[str, int]) -> list[dict[str, int]]:
        """Call the function through the gate. It returns at once. Registers in the
        function and after the call."""
        caller, callee = (self.rom, self.far) if inwards else (self.far, self.rom)
        at, target = caller * 16 + CALL_AT, callee * 16 + symbol(name)
        self.uc.mem_write(at, b"\xE8" + struct.pack("<H", symbol(gate) - CALL_AT - 3 & 0xFFFF) + b"\xF4")
        self.uc.mem_write(target, b"\xC3")
        found = []
        self.uc.hook_add(UC_HOOK_CODE, lambda *_: found.append(self.registers()), begin=target, end=target)
        for register, value in {**registers, "CS": caller}.items():
            self.uc.reg_write(getattr(x86, f"UC_X86_REG_{register}"), value)
        self.uc.emu_start(at, at + 3, count=100)
        assert self.uc.reg_read(x86.UC_X86_REG_CS) == caller
        return [*found, self.registers()]


@pytest.mark.parametrize("apart", [False, True], ids=["in the image", "in memory"])
@pytest.mark.parametrize("flags", FLAGS, ids=hex)
@pytest.mark.parametrize("gate, name, inwards", GATES, ids=[gate for gate, _, _ in GATES])
def test_gate_preserves_registers_flags_and_stack(gate, name, inwards, flags, apart):
    numbers = random.Random(f"{gate}{flags}")
    values = {register: numbers.getrandbits(16 if register[1] == "S" else 32) for register in REGISTERS}
    values |= {"SS": STACK, "ESP": SP, "EFLAGS": flags}
    machine = Machine(apart)
    above = numbers.randbytes(64)
    machine.uc.mem_write(STACK * 16 + SP, above)
    called = machine.call(gate, name, inwards, values)
    assert len(called) == 2, "the function is called once"
    inside, after = called
    assert after == values
    assert inside == {**values, "ESP": SP - 2 - GATE_BYTES}
    assert bytes(machine.uc.mem_read(STACK * 16 + SP, 64)) == above


# ---- Far code that runs --------------------------------------------------------------------


BIOSES = {"PMM": dict(manner=SPECIFICATION), "no PMM": dict(manner=NO_BBS, pmm="absent")}
bioses = pytest.mark.parametrize("bios", BIOSES.values(), ids=BIOSES.keys())
variants = pytest.mark.parametrize("variant", VARIANTS)


def partitioned(heads: int, sectors: int, cylinders: int = 50) -> bytes:
    """A partition table whose entry ends on a cylinder of that geometry."""
    end = bytes([heads - 1, sectors, cylinders - 1])
    entry = bytes([0x80, 1, 1, 0, 0x06]) + end + struct.pack("<II", sectors, heads * sectors * cylinders - sectors)
    return bytes(446) + entry + bytes(48) + b"\x55\xAA"


def content(heads: int, sectors: int):
    table = partitioned(heads, sectors)
    return lambda lba: table if lba == 0 else struct.pack("<HHI", heads, sectors, lba) * 64


def shape(pc, drive: int = 0x80) -> tuple[int, int]:
    """Heads and sectors per track."""
    result = pc.int13(ah=0x08, dl=drive, changes="ax bl cx dx")
    assert not result.cf
    return result.dh + 1, result.cl & 0x3F


def in_far_memory(pc) -> bool:
    copy = pc.bios.copies[0]
    return bool(copy.far_code) and copy.far_segment < 0xA000


@variants
@bioses
def test_exchanged_medium_gets_its_own_geometry(variant, bios):
    """The code that chooses it is far code."""
    pc = new_pc(variant, {0: Disk(removable=True, blocks=ZIP, content=content(64, 32))}, bios=Bios(**bios))
    assert in_far_memory(pc) == (bios.get("pmm") == "absent")
    pc.bios.bootstrap()
    assert shape(pc) == (64, 32)
    for heads, sectors in ((16, 63), (128, 17), (64, 32)):
        pc.bus.targets[0].insert(ZIP, content(heads, sectors))
        while (outcome := transfer(pc, 0x42, 5, 1)) == (0x06, 0):
            pass
        assert outcome == (OK, 1) and shape(pc) == (heads, sectors)
        assert by_chs(pc, 0x02, 5, **chs(5, heads, sectors)).ah == OK
        assert pc.peek(BUFFER, 512) == pc.bus.targets[0].block(5)


@variants
@bioses
@pytest.mark.parametrize("removable", [False, True])
def test_cds_and_removable_disks_share_far_memory(variant, bios, removable):
    disc = disc_of(0)
    pc = new_pc(variant, {0: Disk(removable=removable), 4: drive_with(disc)}, bios=Bios(**bios))
    apart = bios.get("pmm") == "absent"
    assert in_far_memory(pc) == apart
    if apart:
        assert pc.bios.copies[0].far_code.start % 1024 == 0
        result = pc.bios.bootstrap(*disc.loads)
    else:
        result = pc.bios.boot(next(entry for entry in pc.bios.entries if entry.bev), *disc.loads)
    assert result.booted and result.dl == CD
    check_blocks(pc, disc)
    assert transfer(pc, 0x42, 5, 1) == (OK, 1)
    assert shape(pc) == (64, 32)

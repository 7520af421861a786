# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: helpers for tests of removable disks."""

from __future__ import annotations

import struct

import pytest

from tests.model.bus import DATA_OUT
from tests.model.pc import BUFFER, Pc
from tests.model.registers import MS
from tests.model.target import MEDIUM_CHANGED, POWER_ON, Disk
from tests.rom.strict import OK, disk, hexadecimal, new_pc, simple_call, transfer

READS, WRITES = (0x02, 0x42), (0x03, 0x43)
DATA_FUNCTIONS = (*READS, *WRITES, 0x04, 0x44, 0x0C, 0x47)
LOCK, UNLOCK, STATE = 0, 1, 2
MODE_PARAMETERS = (6, 0x2A, 1)      # MODE PARAMETERS CHANGED
ZIP = 196608        # blocks: 96 cylinders of 64 heads and 32 sectors

data_functions = pytest.mark.parametrize("function", DATA_FUNCTIONS, ids=hexadecimal)


def with_drive(variant: str, **options) -> Pc:
    """A machine with a removable disk at ID 0 and a fixed one at ID 3."""
    return new_pc(variant, {0: Disk(removable=True, **options),
                            3: Disk(content=lambda lba: bytes([3]) * 512)})


def other_content(lba: int) -> bytes:
    """A block of another medium."""
    return struct.pack("<II", lba, 0x07E3) * 64


def lock(pc: Pc, al: int, drive: int = 0x80) -> tuple[int, int]:
    result = simple_call(pc, 0x45, "ax", al=al, dl=drive)
    return result.ah, result.al


def eject(pc: Pc, drive: int = 0x80) -> int:
    return simple_call(pc, 0x46, al=0, dl=drive).ah


def changed(pc: Pc, function: int = 0x16, drive: int = 0x80) -> int:
    return simple_call(pc, function, dl=drive).ah


def reset_by_other_initiator(pc: Pc) -> None:
    """Another initiator resets the bus between two calls."""
    pc.bus.reset()
    pc.bus.on_reset()
    pc.chip.advance(MS)


def reset_by_rom(pc: Pc) -> None:
    """The ROM resets the bus, because the other disk violates the protocol."""
    faulty, left = pc.bus.targets[3], [(DATA_OUT, None)]
    faulty.before_status = lambda bus: iter([left.pop()] if left else [])
    assert transfer(pc, 0x42, 1, 1, drive=0x81) == (OK, 1)
    faulty.before_status = None


def check_new_medium(pc: Pc, lba: int) -> None:
    assert transfer(pc, 0x42, lba, 1) == (OK, 1)
    assert pc.peek(BUFFER, 512) == disk(pc).block(lba)


ATTENTIONS = {
    "changed": [MEDIUM_CHANGED], "twice": [MEDIUM_CHANGED] * 2, "power on": [POWER_ON],
    "reset": [(6, 0x29, 2)], "power on twice": [POWER_ON] * 2, "mode": [MODE_PARAMETERS],
    "power on, changed": [POWER_ON, MEDIUM_CHANGED],
    "changed, power on": [MEDIUM_CHANGED, POWER_ON],
    "three": [POWER_ON, MODE_PARAMETERS, MEDIUM_CHANGED], "many": [POWER_ON] * 5}

attentions = pytest.mark.parametrize("attentions", ATTENTIONS.values(), ids=ATTENTIONS.keys())

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: removable disks, for the tests."""

from __future__ import annotations

import struct

import pytest

from tests.model.bus import DATA_OUT, FREE, MSG_IN
from tests.model.pc import BUFFER, Pc, symbol
from tests.model.registers import MS
from tests.model.target import MEDIUM_CHANGED, POWER_ON, Disk
from tests.rom.strict import OK, asks, disk, hexadecimal, new_pc, transfer

READS, WRITES = (0x02, 0x42), (0x03, 0x43)
DATA_FUNCTIONS = (*READS, *WRITES, 0x04, 0x44, 0x0C, 0x47)
LOCK, UNLOCK, STATE = 0, 1, 2
MODE_PARAMETERS = (6, 0x2A, 1)      # have changed
ZIP = 196608        # blocks: 96 cylinders of 64 heads and 32 sectors

data_functions = pytest.mark.parametrize("function", DATA_FUNCTIONS, ids=hexadecimal)


def with_drive(variant: str, **options) -> Pc:
    """A removable disk at ID 0, a fixed one at ID 3."""
    return new_pc(variant, {0: Disk(removable=True, **options),
                            3: Disk(content=lambda lba: bytes([3]) * 512)})


def other(lba: int) -> bytes:
    """What is on another medium."""
    return struct.pack("<II", lba, 0x07E3) * 64


def lock(pc: Pc, al: int, drive: int = 0x80) -> tuple[int, int]:
    result = asks(pc, 0x45, "ax", al=al, dl=drive)
    return result.ah, result.al


def eject(pc: Pc, drive: int = 0x80) -> int:
    return asks(pc, 0x46, al=0, dl=drive).ah


def changed(pc: Pc, function: int = 0x16, drive: int = 0x80) -> int:
    return asks(pc, function, dl=drive).ah


def reset_by_others(pc: Pc) -> None:
    """Another initiator resets the bus between two calls."""
    pc.bus.reset()
    pc.bus.on_reset()
    pc.chip.advance(MS)


def reset_by_us(pc: Pc) -> None:
    """The other disk breaks the protocol."""
    strange, left = pc.bus.targets[3], [(DATA_OUT, None)]
    strange.before_status = lambda bus: iter([left.pop()] if left else [])
    assert transfer(pc, 0x42, 1, 1, drive=0x81) == (OK, 1)
    strange.before_status = None


def reads_new_medium(pc: Pc, lba: int) -> None:
    assert transfer(pc, 0x42, lba, 1) == (OK, 1)
    assert pc.peek(BUFFER, 512) == disk(pc).block(lba)


ATTENTIONS = {
    "changed": [MEDIUM_CHANGED], "twice": [MEDIUM_CHANGED] * 2, "power on": [POWER_ON],
    "reset": [(6, 0x29, 2)], "power on twice": [POWER_ON] * 2, "mode": [MODE_PARAMETERS],
    "power on, changed": [POWER_ON, MEDIUM_CHANGED],
    "changed, power on": [MEDIUM_CHANGED, POWER_ON],
    "three": [POWER_ON, MODE_PARAMETERS, MEDIUM_CHANGED], "many": [POWER_ON] * 5}

attentions = pytest.mark.parametrize("attentions", ATTENTIONS.values(), ids=ATTENTIONS.keys())


class Talking(Disk):
    """Says something ahead of the data of one command, once."""
    ahead: tuple[int, list] = (0, [])

    def transfer(self, bus, cdb, answer):
        opcode, events = self.ahead
        if cdb[0] == opcode:
            self.ahead = 0, []
            yield from events
            if FREE in events:
                return
            if bus.atn:
                yield from self.message_out(bus)
        yield from super().transfer(bus, cdb, answer)


SDTR = [(MSG_IN, byte) for byte in (1, 3, 1, 25, 15)]
STACK_ROOM = symbol("workspace") - 64   # bytes of ours that the deepest call may take

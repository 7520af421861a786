# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: our stack at the deepest place of a call. A new medium is measured,
it changes again meanwhile, and the drive offers synchronous transfer before it
sends the sense data.
"""

from __future__ import annotations

import struct

import pytest

from tests.model.eltorito import Disc, Entry, loader
from tests.model.pc import BUFFER, PACKET, Pc, symbol
from tests.model.target import (CD_ROM, MEDIUM_CHANGED, READ16, REQUEST_SENSE, TEST_UNIT_READY,
                                VERIFY16, WRITES, Answer, Disk)
from tests.model.vds import Vds
from tests.rom.cd.cdboot import CD, CD_ID, Packet, check_boot
from tests.rom.disk.removable_drives import ZIP, changed
from tests.rom.disk.test_medium_change import SDTR, SPARE_STACK, MessageBeforeData
from tests.rom.strict import CHANGED, chs, hexadecimal, new_pc

DISC = Disc(Entry(loader(8), count=8, segment=0x2000))
STACK_ROOM = symbol("workspace") - SPARE_STACK


def changes_twice(drive: MessageBeforeData) -> None:
    """READ CAPACITY ends with an attention, and so does the TEST UNIT READY that
    follows."""
    def hook(cdb: bytes) -> Answer | None:
        if cdb[0] != TEST_UNIT_READY:
            return None
        drive.status_hook = None
        drive.events_before = REQUEST_SENSE, list(SDTR)
        return drive.check(*MEDIUM_CHANGED)
    drive.attentions.append(MEDIUM_CHANGED)
    drive.status_hook = hook


def under_vds(pc: Pc, vds: bool) -> None:
    if vds:
        pc.vds = Vds()
        pc.vds.start(pc)


def deepest(pc: Pc, drive: MessageBeforeData, number: int, function: int, packet: bytes,
            **options) -> int:
    """Bytes of our stack that the call takes."""
    assert changed(pc, drive=number) == CHANGED
    changes_twice(drive)
    pc.poke(PACKET, packet)
    result = pc.int13(range(PACKET, PACKET + 0x4A), changes="ax", ah=function, dl=number,
                      al=function < 0x40, ds=PACKET >> 4, si=0, es=BUFFER >> 4, bx=0, **chs(5),
                      **options)
    assert (result.ah, drive.events_before) == (CHANGED, (0, []))
    return result.own_stack_used


both_modes = pytest.mark.parametrize("vds", [False, True], ids=["real mode", "VDS"])
PACKETS = {0x4C: Packet.make(0, CD, DISC.lba(DISC.default), 0x2000, 8, device=CD_ID << 8),
           0x4D: struct.pack("<BBHHH", 8, 1, 0, BUFFER >> 4, 0),
           0x42: struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, 5), 0x02: b""}


@both_modes
@pytest.mark.parametrize("function", PACKETS, ids=hexadecimal)
def test_stack_of_a_call_that_measures_a_disc(vds, function):
    drive = MessageBeforeData(type=CD_ROM, removable=True, block_bytes=2048, content=DISC.content,
                    blocks=DISC.blocks, unsupported={*WRITES, READ16, VERIFY16})
    pc = new_pc("895A", {CD_ID: drive, 3: Disk()}, measure=True)
    check_boot(pc, DISC)
    under_vds(pc, vds)
    drive.insert()
    loads = {"loads": DISC.loads} if function == 0x4C else {}
    assert deepest(pc, drive, CD, function, PACKETS[function], **loads) <= STACK_ROOM


@both_modes
@pytest.mark.parametrize("function", [0x42, 0x02], ids=hexadecimal)
def test_stack_of_a_call_that_measures_a_removable_disk(vds, function):
    drive = MessageBeforeData(removable=True)
    pc = new_pc("895A", {0: drive, 3: Disk()}, measure=True)
    under_vds(pc, vds)
    drive.insert(ZIP)
    assert deepest(pc, drive, 0x80, function, PACKETS[function]) <= STACK_ROOM

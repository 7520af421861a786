# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Helpers for tests with several controllers: machines with several cards, whose
disks identify themselves, and functions that read all of their drives.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tests.model.bios import BootEntry
from tests.model.bios_data import HARD_DISKS, SLACK_KIB, WORKSPACE_KIB
from tests.model.eltorito import Disc, Entry, loader
from tests.model.multi_pc import Card, MultiControllerPc
from tests.model.pc import BUFFER, PACKET, Pc
from tests.model.target import Disk
from tests.rom.cd.cdboot import drive_with
from tests.rom.strict import OK, ROMS, by_packet

LBA = 77
TAKEN_KIB = WORKSPACE_KIB + SLACK_KIB   # off the 640 KiB by a copy without PMM and CDs
CD_ID = 4

# A bridge in slot 6 of bus 0 to bus 1, and one in slot 3 of that to bus 2
BRIDGES = {0x0030: (1, 2), 0x0118: 2}
PLACES = {"895A": 0x0020, "810": 0x0028, "895A behind a bridge": 0x0108,
          "810 behind two bridges": 0x0238}
CARD_SETS = {"one": ["895A"], "two": ["895A", "810"],
             "three": ["810", "895A", "895A behind a bridge"], "four": list(PLACES)}


def content(card: int, scsi_id: int):
    """Each sector names its disk and is a valid boot sector."""
    return lambda lba: struct.pack("<HHI", card, scsi_id, lba) + bytes(502) + b"\x55\xAA"


def named_disk(card: int, scsi_id: int, **options) -> Disk:
    return Disk(content=content(card, scsi_id), **options)


def disc_of(card: int) -> Disc:
    """A CD that boots without emulation; its content depends on the card."""
    return Disc(Entry(loader(8, seed=100 + card), count=8, segment=0x1000 + 0x100 * card), seed=card)


def card_at(number: int, place: str, ids: Sequence[int], cd: bool = False, **options) -> Card:
    variant = place.split()[0]
    card = Card(ROMS[variant], variant, PLACES[place], **options)
    card.bus.targets = {scsi_id: named_disk(number, scsi_id) for scsi_id in ids}
    if cd:
        card.bus.targets[CD_ID] = drive_with(disc_of(number))
        card.bus.targets = dict(sorted(card.bus.targets.items()))
    return card


def machine_with(name: str, ids: Sequence[int] = (0, 3), cds: bool = False,
                 **options) -> MultiControllerPc:
    """A machine before POST. Each card has disks at these IDs."""
    cards = [card_at(i, place, ids, cds) for i, place in enumerate(CARD_SETS[name])]
    return MultiControllerPc(ROMS["895A"], cards=cards, bridges=BRIDGES, **options)


def booted_with(name: str, *bdfs: int, **options) -> MultiControllerPc:
    pc = machine_with(name, **options)
    pc.power_on(*bdfs)
    return pc


def machine(*ids: int, variant: str = "895A", **options) -> Pc:
    """One controller, before POST."""
    pc = Pc(ROMS[variant], variant, **options)
    pc.bus.targets = {scsi_id: named_disk(0, scsi_id) for scsi_id in ids or (0, 3)}
    return pc


def booted(*ids: int, **options) -> Pc:
    pc = machine(*ids, **options)
    pc.power_on()
    return pc


# ---- Drives ------------------------------------------------------------------------------


def owner(pc: Pc, drive: int) -> tuple[int, int]:
    """Card and SCSI ID of the disk that answers under a drive number."""
    pc.poke(BUFFER, b"\xEE" * 1024)
    result = pc.read(LBA, 2, drive)
    assert (result.ah, result.cf) == (OK, False)
    first, second = pc.peek(BUFFER, 512), pc.peek(BUFFER + 512, 512)
    card, scsi_id, lba = struct.unpack_from("<HHI", first)
    assert lba == LBA and second == content(card, scsi_id)(LBA + 1)
    return card, scsi_id


def owners(pc: Pc) -> list[tuple[int, int]]:
    """The owners of all drives counted in 40:75h."""
    return [owner(pc, 0x80 + i) for i in range(pc.peek(HARD_DISKS, 1)[0])]


def all_disks(pc: MultiControllerPc) -> list[tuple[int, int]]:
    """Card and SCSI ID of each disk, in the order of detection."""
    return [(number, scsi_id) for number, card in enumerate(pc.cards)
            for scsi_id, target in card.bus.targets.items() if target.type == 0]


def check_write_target(pc: MultiControllerPc, drive: int, data: bytes, card: int, scsi_id: int) -> None:
    """The data reaches that disk and no other."""
    pc.poke(BUFFER, data)
    count = len(data) // 512
    result = by_packet(pc, 0x43, LBA, count, drive=drive)
    assert (result.ah, result.cf, pc.word(PACKET + 2)) == (OK, False, count)
    written = {(n, i) for n, other in enumerate(pc.cards) for i, target in other.bus.targets.items()
               if target.written.get(LBA) == data[:512]}
    assert written == {(card, scsi_id)}


def entries_of(pc: MultiControllerPc, card: int) -> list[BootEntry]:
    """The boot entries of the ROM copy that serves a card."""
    copy = pc.cards[card].server
    return copy.entries if copy else []


def lines(pc: Pc) -> list[str]:
    return [line for line in pc.text.replace("\r", "").split("\n") if line]

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Helpers for tests on the BIOSes of tests/model/boards.py: machines with disks,
CDs and the board's own IDE disk, all of which can be booted and say who they are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from tests.build import BUILD
from tests.model.bios_data import BOOT_SECTOR, HARD_DISKS
from tests.model.boards import BoardBios, ide_sector
from tests.model.eltorito import Disc, Entry, loader
from tests.model.multi_pc import Card, MultiControllerPc
from tests.model.pc import BUFFER, Pc, Result
from tests.model.target import Disk
from tests.rom.bios.multi_controller import content
from tests.rom.cd.cdboot import CD, drive_with
from tests.rom.strict import OK

FILES = {"810": "lsi53c810.rom", "875": "lsi53c875.rom", "895A": "lsi53c895a.rom"}
PLACES = (0x0020, 0x0028)       # PCI addresses of the controllers
CD_ID, LBA = 2, 77

# IDE disks; then for each controller, SCSI IDs of disks, and whether there is a CD.
# The CD has an ID between those of the disks.
MACHINES = {
    "disk": (0, ((0,), False)),
    "two disks": (0, ((0, 3), False)),
    "CD": (0, ((), True)),
    "CD + disk": (0, ((3,), True)),
    "IDE + disk": (1, ((0,), False)),
    "IDE + CD": (1, ((), True)),
    "IDE + CD + disk": (1, ((3,), True)),
    "two controllers": (0, ((0, 3), False), ((0,), False)),
    "two controllers with CDs": (0, ((0,), True), ((3,), True)),
    "IDE + two controllers with CDs": (1, ((0,), True), ((3,), True)),
}
SINGLE = [name for name in MACHINES if "controllers" not in name]
DOUBLE = [name for name in MACHINES if "controllers" in name]
KEY_C = 0x2E63


def disc_of(card: int) -> Disc:
    """A CD whose loader is loaded to the usual place."""
    return Disc(Entry(loader(4, seed=60 + card), count=4), seed=card)


def machine(kind: str, name: str, variant: str = "895A", disks: dict | None = None,
            keys: Sequence[tuple[int, int]] = (), bios: dict | None = None, **options) -> Pc:
    """A machine before POST. `disks`: options of each SCSI disk."""
    ide, *buses = MACHINES[name]
    board = BoardBios(kind=kind, disks=ide, keys=deque(keys), **(bios or {}))
    rom = BUILD / FILES[variant]
    if len(buses) == 1:
        pc = Pc(rom, variant, bios=board, **options)
        pc.bus.targets = targets_of(0, *buses[0], disks or {})
        return pc
    cards = [Card(rom, variant, place) for place in PLACES]
    for number, card in enumerate(cards):
        card.bus.targets = targets_of(number, *buses[number], disks or {})
    return MultiControllerPc(rom, variant, cards=cards, bios=board, **options)


def targets_of(card: int, ids: Sequence[int], cd: bool, options: dict) -> dict[int, Disk]:
    targets = {i: Disk(**{"content": content(card, i), **options}) for i in ids}
    if cd:
        targets[CD_ID] = drive_with(disc_of(card))
    return dict(sorted(targets.items()))


def booted(*arguments, **options) -> Pc:
    pc = machine(*arguments, **options)
    pc.power_on()
    return pc


def buses(pc: Pc) -> list:
    return [card.bus for card in pc.cards] if isinstance(pc, MultiControllerPc) else [pc.bus]


def cards(pc: Pc) -> list[int]:
    """Numbers of the controllers in the order in which their disks are connected. A BIOS
    that may call entries, and calls none, leaves that to INT 19h, where the last copy
    of the ROM comes first."""
    numbers = list(range(len(buses(pc))))
    return numbers[::-1] if pc.bios.kind == "Bochs 2.3" else numbers


def expected_drives(pc: Pc) -> list[str]:
    """The names of the hard disks in the order of their numbers."""
    ours = [f"disk {card}.{i}" for card in cards(pc)
            for i, target in buses(pc)[card].targets.items() if not target.type]
    return ["IDE"] * pc.bios.disks + ours


def expected_cds(pc: Pc) -> list[str]:
    return [f"CD {card}" for card, bus in enumerate(buses(pc)) if CD_ID in bus.targets]


def cds_that_boot(pc: Pc) -> list[str]:
    """CDs that boot if each program gives up. If a disk has booted, the last copy of the
    ROM has given back its code for CDs, and the buffer of the first CD overwrites that.
    To be called when all have been tried."""
    given_back = pc.boot_kib > pc.post_kib
    return expected_cds(pc)[:1] if given_back else expected_cds(pc)


# ---- Who is it? ------------------------------------------------------------------------


def name_of_block(pc: Pc, data: bytes, lba: int) -> str:
    """The disk that a sector comes from."""
    if data == ide_sector(lba):
        return "IDE"
    for card, bus in enumerate(buses(pc)):
        for scsi_id, target in bus.targets.items():
            if not target.type and data == target.block(lba):
                return f"disk {card}.{scsi_id}"
    return f"unknown: {data[:16].hex()}"


def drives(pc: Pc) -> list[str]:
    """All hard disks that 40:75h counts, by what a read returns."""
    found = []
    for number in range(0x80, 0x80 + pc.peek(HARD_DISKS, 1)[0]):
        pc.poke(BUFFER, b"\xEE" * 512)
        result = pc.read(LBA, 1, number)
        assert (result.ah, result.cf) == (OK, False), f"{number:02X}h"
        found.append(name_of_block(pc, pc.peek(BUFFER, 512), LBA))
    return found


def program(pc: Pc, result: Result) -> str:
    """The program that the BIOS or the ROM has started."""
    for card, bus in enumerate(buses(pc)):
        disc = disc_of(card)
        if pc.peek(disc.default.load.start, 2048) == disc.sectors(disc.default, 0, 4):
            assert (result.cs, result.eip) == disc.default.start and result.dl >= CD
            return f"CD {card}"
    name = name_of_block(pc, pc.peek(BOOT_SECTOR.start, 512), 0)
    first = name == expected_drives(pc)[0]
    assert (result.cs, result.eip) == (0, BOOT_SECTOR.start), name
    expected = pc.bios.row.drive if first else 0x80 + expected_drives(pc).index(name)
    assert result.dl == expected, name
    return name


def boot(pc: Pc) -> str:
    """Boot; returns the name of what was started, "" if nothing was."""
    result = pc.bios.bootstrap(*disc_of(0).loads)
    return program(pc, result) if result.booted else ""


def give_up(pc: Pc) -> str:
    """The program that runs executes INT 18h: returns what is started next."""
    result = pc.bios.give_up(BOOT_SECTOR, *disc_of(0).loads)
    return program(pc, result) if result.booted else ""


def boot_all(pc: Pc) -> list[str]:
    """What boots if each program gives up. In the end, the BIOS learns of it."""
    names = [boot(pc)]
    while names[-1] and len(names) < 10:
        names.append(give_up(pc))
    assert names[-1] == "" and pc.bios.noted[-1:] == [0x18], f"{names}: {pc.bios.noted}"
    return names[:-1]

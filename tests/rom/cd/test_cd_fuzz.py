# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: random calls to CDs and emulated drives while discs are changed. The
rules of the model hold, reads return the data of the disc, drive counts and
numbers match the emulation, and at the end the initial state is restored.
"""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass

import pytest

from tests.model.bios import Bios
from tests.model.bios_data import EQUIPMENT, HARD_DISKS
from tests.model.bus import FREE, HANG
from tests.model.eltorito import (BLOCK, FLOPPY_12, FLOPPY_144, FLOPPY_288, GEOMETRIES, HARD_DISK,
                                  Disc, Entry, Section, floppy, hard_disk, loader)
from tests.model.pc import BUFFER, PACKET
from tests.model.target import Disk
from tests.rom.cd.cdboot import (CD, CD_ID, COUNTS, SPEC_BYTES, WRONG_MEDIUM, Packet, check_boot,
                                 drive_with, state, with_cd)
from tests.rom.strict import OK, STATUSES, VARIANTS, far

CALLS = 700
FIRST = Disc(Entry(loader(8), count=8, segment=0x2000), (Section((
    Entry(floppy(FLOPPY_12), media=FLOPPY_12), Entry(floppy(FLOPPY_144), media=FLOPPY_144),
    Entry(floppy(FLOPPY_288), media=FLOPPY_288), Entry(hard_disk(20, 4, 17), media=HARD_DISK))),))
SECOND = Disc(Entry(floppy(FLOPPY_144, 5), media=FLOPPY_144, count=1), seed=5)
EMPTY = Disc(Entry(loader(4, 6)), seed=6)
ANY = 0x7F
NUMBERS = (0x00, 0x01, 0x80, 0x81, 0x82, CD, CD + 1, CD + 2, ANY)
ON_BLOCKS, BY_CHS = (0x42, 0x43, 0x44, 0x47), (0x02, 0x03, 0x04, 0x0C)
FUNCTIONS = (*ON_BLOCKS * 3, *BY_CHS * 3, *(0x4A, 0x4B, 0x4C) * 3, 0x4D, 0x00, 0x01, 0x08, 0x15,
             0x10, 0x16, 0x41, 0x45, 0x48, 0x49)
LOAD = range(0x30000, 0x34000)


@dataclass
class Emulation:
    """The active emulation: drive number, media type, SCSI ID and LBA of the image,
    and its cylinders, heads and sectors."""
    number: int
    media: int
    target: int
    lba: int
    shape: tuple[int, int, int]


class RandomCalls:
    """Makes random calls and checks their results."""

    def __init__(self, variant: str, seed: int):
        self.random = random.Random(seed)
        self.pc = with_cd(variant, FIRST, {0: Disk(), 5: drive_with(SECOND)}, bios=Bios(
            floppies=1, disks=1, answers=frozenset({0x00, 0x80})))
        check_boot(self.pc, FIRST)
        self.before = state(self.pc)
        self.emulation: Emulation | None = None

    def step(self) -> None:
        if self.random.random() < 0.06:
            self._change_drive()
        function = self.random.choice(FUNCTIONS)
        number = self.random.choice(NUMBERS)
        if self.emulation and self.random.random() < 0.3:
            number = self.emulation.number
        if function in (0x4A, 0x4C):
            self._begin(function, number)
        elif function == 0x4B:
            self._end(number)
        elif function in ON_BLOCKS:
            self._blocks(function, number)
        elif function in BY_CHS:
            self._chs(function, number)
        else:
            self._other(function, number)
        self._counts_agree()

    # ---- Events at drives ---------------------------------------------------------

    def _change_drive(self) -> None:
        target = self.pc.bus.targets[self.random.choice((CD_ID, 5))]
        event = self.random.randrange(5)
        if event == 0:
            target.take_out()
        elif event < 4:
            disc = self.random.choice((FIRST, SECOND, EMPTY))
            target.insert(disc.blocks, disc.content)
        else:
            fault = self.random.choice((HANG, FREE))

            def once(bus):
                target.before_status = None
                yield fault
            target.before_status = once

    # ---- Calls --------------------------------------------------------------------

    def _call(self, *writable: range, changes: str = "ah", **values):
        values.setdefault("al", 0)
        result = self.pc.int13(*writable, *COUNTS, changes=changes, ds=PACKET >> 4, si=PACKET & 15,
                               **values)
        assert result.cf or result.ah == OK or values["ah"] in (0x15, 0x41)
        if result.cf:
            assert result.ah in STATUSES | {WRONG_MEDIUM} and result.ah != OK
        return result

    def _spec_packet(self) -> Packet:
        entry = self.random.choice(FIRST.entries + SECOND.entries)
        disc = FIRST if any(entry is e for e in FIRST.entries) else SECOND
        media = self.random.choice((entry.media, entry.media, self.random.randrange(6)))
        drive = self.random.choice((0x80 if media == HARD_DISK else 0x00 if media else CD,
                                    self.random.choice(NUMBERS)))
        lba = self.random.choice((disc.lba(entry), disc.lba(entry), self.random.randrange(4000)))
        return Packet.make(media, drive, lba, LOAD.start >> 4, self.random.randrange(1, 5),
                           device=self.random.choice((CD_ID << 8, 5 << 8)),
                           size=self.random.choice((19, 19, 19, 19, 18)))

    def _begin(self, function: int, number: int) -> None:
        packet = self._spec_packet()
        self.pc.poke(PACKET, packet)
        result = self._call(changes="ah dl", ah=function, dl=number,
                            **({"loads": (LOAD,)} if function == 0x4C else {}))
        emulated = self._is_emulated(number)
        if result.cf and not result.booted or number < CD and not emulated:
            return
        target = self.emulation.target if emulated else (CD_ID, 5)[number - CD]
        media, drive, lba = packet[1] & 15, packet[2], packet.fields()[4]
        if function == 0x4C:
            cd = CD + (target == 5)
            assert (result.cs, result.eip, result.dl) == (0x3000, 0, drive if media else cd)
        if function == 0x4A:
            assert self.emulation is None
        self.emulation = Emulation(drive, media, target, lba, self._shape(
            media, self.pc.bus.targets[target].block(lba))) if media else None

    @staticmethod
    def _shape(media: int, first: bytes) -> tuple[int, int, int]:
        """A hard disk's geometry is the end of its first partition entry, valid or not."""
        if media != HARD_DISK:
            return GEOMETRIES[media]
        head, sector, cylinder = first[446 + 5:446 + 8]
        return (cylinder | (sector & 0xC0) << 2) + 1, head + 1, sector & 63

    def _end(self, number: int) -> None:
        al = self.random.choice((0, 0, 1, 2))
        result = self._call(range(PACKET, PACKET + SPEC_BYTES), ah=0x4B, al=al, dl=number)
        if result.cf or not self.emulation:
            return
        number_of, media, lba = self.emulation.number, self.emulation.media, self.emulation.lba
        packet = Packet(self.pc.peek(PACKET, SPEC_BYTES))
        if number in (number_of, ANY):
            assert packet.fields()[:5] == (19, media, number_of, 0, lba)
            assert packet.chs == self.emulation.shape
        if al == 0 and number in (number_of, ANY, CD + (self.emulation.target == 5)):
            self.emulation = None   # only the drive that emulates can end it

    def _place(self, bytes_moved: int) -> int:
        return BUFFER + self.random.randrange(0x8000) if bytes_moved < 0x8000 else BUFFER

    def _blocks(self, function: int, number: int) -> None:
        count = self.random.choice((1, 1, 2, 5, self.random.randrange(1, 40)))
        lba = self.random.choice((self.random.randrange(100), self.random.randrange(3000)))
        size = BLOCK if number >= CD else 512
        address = self._place(count * size)
        segment, offset = far(address)
        self.pc.poke(PACKET, struct.pack("<BBHHHQ", 16, 0, count, offset, segment, lba))
        result = self._call(range(address, address + count * size), range(PACKET + 2, PACKET + 4),
                            ah=function, dl=number)
        if self._is_emulated(number) and number < 0x80:
            assert (result.cf, result.ah) == (True, 0x01), "a floppy has no extensions"
        if function == 0x42 and not result.cf:
            self._compare(number, lba, count, address)

    def _chs(self, function: int, number: int) -> None:
        heads, sectors = self.emulation.shape[1:] if self.emulation else (2, 18)
        cylinder, head, sector = (self.random.randrange(85),
                                  self.random.randrange(min(heads + 1, 256)),
                                  self.random.randrange(min(sectors + 2, 64)))
        count = self.random.randrange(0, 20)
        address = self._place(count * 512)
        segment, offset = far(address)
        result = self._call(range(address, address + count * 512),
                            changes="ah" if function == 0x0C else "ax", ah=function, al=count,
                            dl=number, ch=cylinder, cl=sector, dh=head, es=segment, bx=offset)
        if function == 0x02 and not result.cf and self._is_emulated(number):
            lba = (cylinder * heads + head) * sectors + sector - 1
            self._compare(number, lba, count, address)

    def _other(self, function: int, number: int) -> None:
        packet = {0x48: b"\x4A\0", 0x4D: struct.pack("<BBHHH", 8, 2, 0, BUFFER >> 4, 0)}
        self.pc.poke(PACKET, packet.get(function, b""))
        self._call(range(PACKET, PACKET + 0x4A), range(BUFFER, BUFFER + 2 * BLOCK),
                   changes="ax bx cx dx es edi", ah=function, dl=number, bx=0x55AA,
                   al=self.random.choice((0, 1, 2)) if function == 0x45 else 0)

    # ---- Checks -------------------------------------------------------------------

    def _is_emulated(self, number: int) -> bool:
        return self.emulation is not None and number == self.emulation.number

    def _compare(self, number: int, lba: int, count: int, address: int) -> None:
        """The data read is that of the disc or of the disk."""
        targets = self.pc.bus.targets
        if number in (CD, CD + 1):
            block = targets[(CD_ID, 5)[number - CD]].block
            expected = b"".join(block(lba + i) for i in range(count))
        elif self._is_emulated(number):
            block, at = targets[self.emulation.target].block, self.emulation.lba * 4 + lba
            data = b"".join(block(i) for i in range(at // 4, (at + count + 3) // 4))
            expected = data[at % 4 * 512:][:count * 512]
        elif number == 0x81 + (self.emulation is not None and 0x80 <= self.emulation.number <= 0x81):
            block = targets[0].block
            expected = b"".join(block(lba + i) for i in range(count))
        else:
            return
        assert self.pc.peek(address, len(expected)) == expected

    def _counts_agree(self) -> None:
        floppies = (self.pc.word(EQUIPMENT) >> 6 & 3) + 1
        disks = self.pc.peek(HARD_DISKS, 1)[0]
        disk = self.emulation is not None and self.emulation.media == HARD_DISK
        floppy_too = self.emulation is not None and not disk
        assert (floppies, disks) == (1 + floppy_too, 2 + disk)

    def finish(self) -> None:
        """Ends the emulation; the initial state must be restored."""
        pc = self.pc
        for target in pc.bus.targets.values():
            target.before_status = None
        if self.emulation:
            assert not pc.int13(*COUNTS, range(PACKET, PACKET + SPEC_BYTES), ah=0x4B, al=0, dl=ANY,
                                ds=PACKET >> 4, si=PACKET & 15).cf
        assert state(pc) == self.before
        pc.bus.targets[CD_ID].insert(FIRST.blocks, FIRST.content)
        check_boot(pc, FIRST)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("seed", [1, 2])
def test_random_calls_on_cds(variant: str, seed: int):
    calls = RandomCalls(variant, seed)
    for _ in range(CALLS):
        calls.step()
    calls.finish()

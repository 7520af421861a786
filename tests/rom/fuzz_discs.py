# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""CDs with boot records, catalogs and images of random form, some of their bytes changed, some
of their blocks unreadable, in a machine that boots each of them. What is loaded is what the
catalog names and nothing else changes; a boot that fails leaves no trace; an emulated drive
has the sectors of its image in the shape that 08h returns, and its end restores everything.

[El Torito 1.0]
"""

from __future__ import annotations

import random
import struct
from collections import deque
from collections.abc import Iterator
from dataclasses import replace

from tests.model.bios import Bios
from tests.model.bios_data import BOOT_KIB, MEMORY_SIZE
from tests.model.eltorito import (BLOCK, CATALOG, CHECKSUM, EFI, ENTRY, FIRST_DESCRIPTOR, FLOPPY_12,
                                  FLOPPY_144, FLOPPY_288, HARD_DISK, IMAGES, LAST, MORE, NO_EMULATION,
                                  NOT_BOOTABLE, OTHER_BOOT, PRIMARY, SECTOR, SUPPLEMENTARY, TERMINATOR, X86, Disc,
                                  Entry, Section, boot_record, floppy, hard_disk, loader, partition, validation)
from tests.model.pc import BUFFER, PACKET, STACK, Result
from tests.model.target import Disk, blocks_of
from tests.rom.cd.cdboot import (CD, CD_ID, COUNTS as STATE_BYTES, SPEC_BYTES, Packet, boot, cd, check_boot,
                                 state, with_cd)
from tests.rom.hostile_devices import boot_record as first_sector, content
from tests.rom.strict import OK, VARIANTS, far

PER_SEED = 10
PLAIN_ID, PLAIN_LBA = 5, 77
FIRST_LOAD = 0x600
SESSION = 30_000        # where a further session begins
VALID = Disc(Entry(loader(8), count=8, segment=0x2000))
ANY = 0x7F
DWORDS = [0, 1, 16, 17, 63, 64, 65, 1000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]
SEGMENTS = [0, 0x07C0, 0x0060, 0x005F, 0x0061, 0x06C0, 0x06F8, 0x0700, 0x2000,
            0x9F00, 0x9FC0, 0xA000, 0xC800, 0xE800, 0xF000, 0xFFFF]
COUNTS = [0, 1, 1, 4, 4, 5, 128, 1280, 0x4FF, 0xFFFF]
SHAPES = [(20, 4, 17), (2, 255, 63), (1, 1, 8), (3, 16, 63)]
PLACES = [0, 0, 0x2000, 0x1000]
PARTS = ("none", "load", "load", "entry", "place", "section", "descriptors", "validation", "end", "bytes",
         "bytes", "sum", "blocks", "sessions", "first sector", "first sector")
PMMS = ("1.01", "1.01", "absent")


class Discs:
    def __init__(self, seed: int):
        self.random = rng = random.Random(f"disc {seed}")
        self.seed, self.number = seed, 0
        self.plain = Disk(content=content(seed, SECTOR, b"plain"), attentions=[])
        self.pc = with_cd(VARIANTS[seed % 2], VALID, {PLAIN_ID: self.plain}, bios=Bios(
            pmm=rng.choice(PMMS), floppies=rng.randrange(2), disks=1, answers=frozenset({0x00, 0x80})))
        check_boot(self.pc, VALID)
        self.story = self.focus = ""

    def run(self) -> None:
        for self.number in range(PER_SEED):
            disc = self._disc()
            self._insert(disc)
            self._try(disc)
            self._plain_read()

    # ---- Discs ------------------------------------------------------------------------

    def _image(self) -> tuple[bytes, int]:
        rng = self.random
        media = rng.choice([NO_EMULATION, FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK, HARD_DISK])
        if media == NO_EMULATION:
            return loader(rng.choice([4, 9, 40]), rng.randrange(9)), media
        image = floppy(media) if media != HARD_DISK else hard_disk(*rng.choice(SHAPES))
        if not self._odd("first sector"):
            return image, media
        end = rng.choice([(1023, 255, 63), (1023, 254, 63), (0, 0, 0), tuple(rng.randbytes(3))])
        entry = partition((0, 0, 2), (end[0], end[1] & 255, end[2] & 63), 1, 5000, 0xEE)
        return rng.choice([image[:446] + entry + image[462:], first_sector(rng) + image[SECTOR:],
                           image[:SECTOR], image[:BLOCK]]), media

    def _odd(self, part: str) -> bool:
        """Mostly one part of a disc is odd, so that the others let the ROM get that far."""
        return part == self.focus or self.random.randrange(20) == 0

    def _entry(self) -> Entry:
        rng = self.random
        image, media = self._image()
        entry = Entry(image, media=media, count=4 if media == NO_EMULATION else 1, segment=rng.choice(PLACES))
        if self._odd("load"):
            entry = replace(entry, count=rng.choice(COUNTS), segment=rng.choice(SEGMENTS), system=rng.randrange(256))
        if self._odd("entry"):
            entry = replace(entry, media=rng.choice([media, rng.randrange(256)]), extensions=rng.choice([0, 1, 3]),
                            indicator=rng.choice([0x88, 0x88, NOT_BOOTABLE, 0x91, 0x44, 0x77]))
        if self._odd("place"):
            entry = replace(entry, lba=rng.choice(DWORDS))
        return entry

    def _section(self) -> Section:
        rng = self.random
        entries = tuple(self._entry() for _ in range(rng.choice([0, 1, 1, 2, 5])))
        if not self._odd("section"):
            return Section(entries)
        return Section(entries, platform=rng.choice([X86, EFI, rng.randrange(256)]),
                       text=b"\xFFtext"[:rng.randrange(6)], lies=rng.choice([0, 1, 200]),
                       header=rng.choice([None, MORE, LAST, rng.randrange(256)]))

    def _descriptors(self, catalog: int) -> tuple[bytes, ...]:
        record = boot_record(catalog)
        if not self._odd("descriptors"):
            return PRIMARY, record, TERMINATOR
        wrong = boot_record(self.random.choice(DWORDS))
        return self.random.choice([
            (PRIMARY, wrong, TERMINATOR), (record,), (record, PRIMARY), (PRIMARY, OTHER_BOOT, SUPPLEMENTARY, record),
            (bytes(BLOCK), record), (PRIMARY,) * 20 + (record,), (TERMINATOR, record)])

    def _disc(self) -> Disc:
        rng = self.random
        self.focus = rng.choice(PARTS)
        sections = tuple(self._section() for _ in range(rng.choice([0, 0, 1, 2])))
        disc = Disc(self._entry(), sections, descriptors=self._descriptors(CATALOG), seed=rng.getrandbits(32),
                    validation=validation(EFI if self._odd("validation") else X86,
                                          wrong_by=int(self.focus == "validation" and rng.randrange(3) == 0)))
        if self._odd("end"):
            disc.blocks = rng.choice([disc.blocks + 150, disc.blocks - 1, IMAGES, IMAGES + 1, CATALOG, 17, 18,
                                      0xFFFFFFFF])
        for _ in range(rng.choice([1, 1, 2, 4, 16]) if self._odd("bytes") else 0):
            block = rng.choice([FIRST_DESCRIPTOR, FIRST_DESCRIPTOR + 1, *[CATALOG] * 6, IMAGES])
            offset = rng.choice([rng.randrange(BLOCK), rng.randrange(8 * ENTRY), rng.randrange(ENTRY), 0x47, 0x1FE])
            disc.patches[block, offset] = rng.choice([
                bytes([rng.choice([0, 1, 0x88, 0x90, 0x91, 0x44, 0xFF])]), rng.randbytes(1), rng.randbytes(4),
                struct.pack("<I", rng.choice(DWORDS))])[:BLOCK - offset]
        if self.focus == "sum":
            self._correct_sum(disc)
        return disc

    def _correct_sum(self, disc: Disc) -> None:
        """A changed validation entry whose words sum to 0 again."""
        at = self.random.randrange(0, ENTRY, 2)
        disc.patches[CATALOG, at] = self.random.randbytes(2)
        words = struct.unpack("<16H", disc.content(CATALOG)[:ENTRY])
        disc.patches[CATALOG, CHECKSUM] = struct.pack("<H", words[CHECKSUM // 2] - sum(words) & 0xFFFF)

    def _insert(self, disc: Disc) -> None:
        rng, drive = self.random, cd(self.pc)
        drive.insert(disc.blocks, disc.content)
        drive.bad_blocks = {}
        if self._odd("blocks"):
            sense = rng.choice([(3, 0x11, 0), (5, 0x64, 0), (4, 0x44, 0), (1, 0x17, 1), (2, 0x3A, 0)])
            bad = rng.choice([16, 17, CATALOG, IMAGES, IMAGES + 1, rng.randrange(80)])
            drive.bad_blocks = {bad: (*sense, rng.randrange(2) == 0)}
        drive.sessions, drive.toc_hook = (0,), None
        if self._odd("sessions"):
            self._add_sessions(disc, drive)
        if rng.randrange(60) == 0:
            drive.take_out()

    def _add_sessions(self, disc: Disc, drive: Disk) -> None:
        """The descriptors are in the last session, or the table of contents is wrong."""
        rng = self.random
        start = rng.choice([SESSION, SESSION, 1, 0xFFFFFFEF, 0xFFFFFFFF])
        if start == SESSION:
            disc.blocks = max(disc.blocks, SESSION + 100)
            ours = range(SESSION, SESSION + CATALOG)
            drive.insert(disc.blocks, lambda lba: disc.content(lba - SESSION if lba in ours else lba))
        drive.sessions = rng.choice([(0, start), (0, 0, start), (start,)])
        drive.toc_hook = rng.choice([None, None, lambda toc: toc[:rng.randrange(len(toc))],
                                     lambda toc: rng.randbytes(12), lambda toc: b"\xFF\xFF" + toc[2:]])

    # ---- Boot -------------------------------------------------------------------------

    @property
    def _loads(self) -> tuple[range, range]:
        """Memory that an image may be loaded to: not the BIOS's data and stack."""
        return range(FIRST_LOAD, STACK.start), range(STACK.stop, self.pc.word(MEMORY_SIZE) * 1024)

    def _try(self, disc: Disc) -> None:
        pc, rng = self.pc, self.random
        for load in self._loads:
            pc.poke(load.start, b"\xEE" * len(load))
        pc.bios.keys = deque([(0, rng.choice([0x0231, 0x0332, 0x1C0D]))] * rng.randrange(2))
        before, text, commands = state(pc), len(pc.text), len(cd(pc).commands)
        self.story = "boot"
        result = boot(pc, *self._loads)
        self.story = pc.text[text:].strip()[-200:]
        records = list(self._records(disc, commands))
        if not result.booted:
            assert "not bootable: " in pc.text[text:], "a boot failed without a reason"
            assert state(pc) == before, "a boot that failed has left a trace"
            self._check_memory([load for load, _, _ in records])
            return
        start = result.cs * 16 + result.eip
        matching = [record for record in records if record[0].start == start and self._holds(disc, record)]
        assert matching, f"{result.cs:04x}:{result.eip:04x} is not what the catalog says"
        self._check_memory([max((load for load, _, _ in matching), key=len)])
        self._use(disc, result, {record[1] for record in matching})
        assert state(pc) == before, "the end of the emulation has left a trace"

    def _records(self, disc: Disc, commands: int) -> Iterator[tuple[range, int, int]]:
        """Where each record of the blocks that were read could be loaded to, the LBA of its
        image, and the media type."""
        read = {block for cdb in cd(self.pc).commands[commands:] if cdb[0] == 0x28
                for first, count in [blocks_of(cdb)] if count == 1 for block in [first]}
        for block in read:
            data = cd(self.pc).block(block)
            for at in range(0, BLOCK, ENTRY):
                media, segment, count, lba = struct.unpack_from("<xBHxxHI", data, at)
                start = (segment or 0x07C0) * 16
                if start >= FIRST_LOAD and count:
                    yield range(start, start + count * SECTOR), lba, media & 15

    def _holds(self, disc: Disc, record: tuple[range, int, int]) -> bool:
        load, lba, _ = record
        if load.stop > self._loads[1].stop + 1024 * BOOT_KIB or load.stop > 0xA0000:
            return False
        blocks = -(-len(load) // BLOCK)
        return self.pc.peek(load.start, len(load)) == disc.read(lba, blocks)[:len(load)]

    def _check_memory(self, loads: list[range]) -> None:
        """Only memory to load to has changed."""
        for place in self._loads:
            at = place.start
            for load in sorted(loads, key=lambda load: load.start):
                if at < load.start:
                    self._check_unchanged(at, min(load.start, place.stop))
                at = max(at, load.stop)
            self._check_unchanged(at, place.stop)

    def _check_unchanged(self, start: int, stop: int) -> None:
        data = self.pc.peek(start, stop - start) if start < stop else b""
        left = len(data) - len(data.lstrip(b"\xEE"))
        assert left == len(data), f"memory at {start + left:#x} has changed"

    # ---- The drive of an image --------------------------------------------------------

    def _int13(self, *buffers: range, changes: str = "ah", **registers: int) -> Result:
        self.story += f"; {({n: hex(v) for n, v in registers.items()})}"
        result = self.pc.int13(*buffers, *STATE_BYTES, changes=changes, **registers)
        self.story += f" {result.ah:02X}h"
        assert result.cf == (result.ah != OK)
        return result

    def _use(self, disc: Disc, result: Result, lbas: set[int]) -> None:
        """Calls to the drive in DL, then the end of its emulation."""
        number = result.dl
        if number >= CD:
            self._read_blocks(disc, number)
            return
        for _ in range(3):
            self._by_chs(disc, number, lbas)
        self._by_lba(disc, number, lbas)
        self._hostile_packet()
        result = self._int13(range(PACKET, PACKET + SPEC_BYTES), ah=0x4B, al=0, dl=ANY, ds=PACKET >> 4, si=0)
        assert result.ah == OK, "the emulation does not end"

    def _read_blocks(self, disc: Disc, number: int) -> None:
        lba, count = self.random.choice([0, 16, 63, disc.blocks - 1, disc.blocks]), self.random.choice([1, 3])
        self.pc.poke(PACKET, struct.pack("<BBHHHQ", 16, 0, count, *far(BUFFER)[::-1], lba))
        result = self._int13(range(BUFFER, BUFFER + count * BLOCK), range(PACKET + 2, PACKET + 4), ah=0x42, dl=number,
                             ds=PACKET >> 4, si=0)
        if result.ah == OK:
            assert lba + count <= disc.blocks, "a read beyond the disc"
            assert self.pc.peek(BUFFER, count * BLOCK) == disc.read(lba, count), "wrong data"

    def _check_sectors(self, disc: Disc, lbas: set[int], first: int, count: int) -> None:
        got = self.pc.peek(BUFFER, count * SECTOR)
        for lba in lbas:
            blocks = range(lba + first // 4, lba + (first + count + 3) // 4)
            data = disc.read(blocks.start, len(blocks))[first % 4 * SECTOR:][:count * SECTOR]
            if data == got and blocks.stop <= max(disc.blocks, lba + 1):
                return
        raise AssertionError(f"sectors from {first} on are not those of the image, or lie beyond the disc")

    def _by_chs(self, disc: Disc, number: int, lbas: set[int]) -> None:
        shape = self._int13(ah=0x08, dl=number, changes="ax bl cx dx es di")
        if shape.cf:
            return
        rng, heads, sectors = self.random, shape.dh + 1, shape.cl & 63
        cylinders = (shape.ch | (shape.cl & 0xC0) << 2) + 1
        assert sectors, "a track without sectors"
        count, head = rng.choice([1, 2, 9]), rng.choice([0, rng.randrange(heads), min(heads, 255)])
        cylinder = rng.choice([0, rng.randrange(cylinders), min(cylinders, 1023)])
        sector = rng.choice([1, rng.randint(1, sectors)])
        result = self._int13(range(BUFFER, BUFFER + count * SECTOR), changes="ax", ah=0x02, al=count, dl=number,
                             ch=cylinder & 0xFF, cl=cylinder >> 2 & 0xC0 | sector, dh=head, es=BUFFER >> 4, bx=0)
        if result.ah == OK:
            assert head < heads and cylinder < cylinders, "a read outside of the shape"
            self._check_sectors(disc, lbas, (cylinder * heads + head) * sectors + sector - 1, count)

    def _by_lba(self, disc: Disc, number: int, lbas: set[int]) -> None:
        first, count = self.random.choice([0, 1, 5, 2879, 2880, 100_000]), self.random.choice([1, 4, 7])
        self.pc.poke(PACKET, struct.pack("<BBHHHQ", 16, 0, count, *far(BUFFER)[::-1], first))
        result = self._int13(range(BUFFER, BUFFER + count * SECTOR), range(PACKET + 2, PACKET + 4), ah=0x42, dl=number,
                             ds=PACKET >> 4, si=0)
        if result.ah == OK:
            self._check_sectors(disc, lbas, first, count)

    def _hostile_packet(self) -> None:
        """4Ah while an image is emulated is refused; 4Dh returns blocks of the catalog."""
        rng = self.random
        packet = Packet.make(rng.randrange(256), rng.randrange(256), rng.choice(DWORDS), rng.choice(SEGMENTS),
                             rng.choice(COUNTS), device=rng.choice([CD_ID << 8, 0xFFFF]),
                             size=rng.choice([0, 18, 19, 255]))
        self.pc.poke(PACKET, packet)
        assert self._int13(ah=0x4A, al=0, dl=CD, ds=PACKET >> 4, si=0).cf, "a second emulation has begun"
        count, first = rng.choice([1, 2]), rng.choice([0, 1, 0xFFFF])
        self.pc.poke(PACKET, struct.pack("<BBHHH", rng.choice([8, 7, 255]), count, 0, BUFFER >> 4, first))
        self._int13(range(BUFFER, BUFFER + count * BLOCK), ah=0x4D, al=0, dl=CD, ds=PACKET >> 4, si=0)

    def _plain_read(self) -> None:
        pc = self.pc
        pc.poke(BUFFER, b"\xEE" * SECTOR)
        result = pc.read(PLAIN_LBA, 1, 0x81)
        assert (result.ah, pc.peek(BUFFER, SECTOR)) == (OK, self.plain.block(PLAIN_LBA)), (
            f"the next plain read fails with {result.ah:02x}h")


def run(seed: int) -> None:
    discs = Discs(seed)
    try:
        discs.run()
    except Exception as error:
        error.add_note(f"seed {seed}, disc {discs.number}, PMM {discs.pc.bios.pmm}: {discs.story}")
        raise



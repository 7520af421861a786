# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Machines of every kind of BIOS with hostile devices (hostile_devices.py): POST, the boot
by INT 19h, and calls to each drive. All rules of the model hold, both take a bounded time, a
read returns 00h only with the blocks that the device has, CHS and LBA agree, and the plain
disk in each machine is served whatever the others do.
"""

from __future__ import annotations

import functools
import random
import re
import struct
from collections import deque
from collections.abc import Callable

import size
from tests.model.bios import Bios
from tests.model.bios_data import BOCHS, BOOT_SECTOR, HARD_DISKS, NO_BBS, PCI_3, SEABIOS, SPECIFICATION
from tests.model.boards import KINDS, BoardBios
from tests.model.eltorito import Disc
from tests.model.pc import BUFFER, PACKET, Pc, Result
from tests.model.target import CD_ROM, OPTICAL, Disk
from tests.rom.cd.cdboot import drive_with
from tests.rom.hostile_devices import HostileDisk, HostileVds, content, device, files
from tests.rom.strict import OK, ROMS, far

PER_SEED = 1
PLAIN_ID, PLAIN_LBA = 0, 77
MANNERS = (SEABIOS, SPECIFICATION, PCI_3, NO_BBS, BOCHS)
PMMS = ("1.01", "1.01", "1.00", "refusing", "unsupported", "bad checksum", "absent")
MOST_DRIVES = 3         # that are called
NUMBERS = re.compile(r"(\w\w)h: SCSI \S+ ID (\d+)(?: LUN (\d+))?")
LOADS = (BOOT_SECTOR, *Disc().loads)


@functools.cache
def drive_table() -> tuple[int, ...]:
    """Where the workspace has the number of drives, and their table; bytes of a row; its
    flags, and the flag of CDs."""
    return tuple(size.values("FIELD(int13.disks)", "WS_DRIVES", "sizeof(struct disk)",
                             "offsetof(struct disk, flags)", "DISK_CD"))


class HostilePc(Pc):
    """Which devices have said that they are CD-ROM drives, only the ROM knows."""

    def has_cd(self) -> bool:
        copy = self.bios.running
        space = self.word((copy.stays_at or copy.segment) * 16 + 8) * 16
        disks, table, row, flags, cd = drive_table()
        return any(self.peek(space + table + i * row + flags, 1)[0] & cd
                   for i in range(self.peek(space + disks, 1)[0]))


class Machine:
    def __init__(self, seed: int):
        self.random = random.Random(f"machine {seed}")
        self.seed = seed
        self.call = "POST"      # a description of the current call
        rng = self.random
        variant = rng.choice(sorted(ROMS))
        self.pc = HostilePc(ROMS[variant], variant, bios=self._bios(),
                            fwcfg=files(rng) if rng.randrange(4) == 0 else None)
        self.plain = Disk(content=content(seed, 512, b"plain"), attentions=[])
        ids = rng.sample(range(1, 7), rng.choice([1, 1, 2, 3]))
        hostile: dict[int, Disk] = {i: device(rng, seed << 8 | i, rng.choice([0, 0, 0, 1, 3])) for i in ids}
        if rng.randrange(6) == 0:
            hostile[6] = drive_with(Disc())
        self.pc.bus.targets = dict(sorted({PLAIN_ID: self.plain, **hostile}.items()))

    def __repr__(self) -> str:
        bios = self.pc.bios
        devices = {i: f"type {t.type:#x}, {t.blocks} blocks of {t.block_bytes}, temper {t.temper}, claims {t.claims}, "
                      f"LUNs {sorted(t.luns)}"
                   for i, t in self.pc.bus.targets.items() if isinstance(t, HostileDisk)}
        return (f"{self.call}; {self.pc.variant}, {getattr(bios, 'kind', bios.manner)}, PMM {bios.pmm}, "
                f"{'VDS, ' if self.pc.vds else ''}{devices}")

    def _bios(self) -> Bios:
        rng = self.random
        keys = deque([(rng.choice([0, 10**9]), rng.choice([0x2E63, 0x1474, 0x0231]))] * rng.randrange(2))
        if rng.randrange(2):
            return BoardBios(kind=rng.choice(sorted(KINDS)), disks=rng.randrange(2), keys=keys)
        return Bios(rng.choice(MANNERS), pmm=rng.choice(PMMS), ebda=rng.randrange(4) > 0, keys=keys)

    # ---- POST and boot ----------------------------------------------------------------

    def run(self) -> None:
        pc = self.pc
        pc.power_on()
        if self.random.randrange(3) == 0 or not pc.word(HARD_DISKS) & 0xFF:
            self.call = "INT 19h"
            pc.bios.bootstrap(*LOADS)
        if self.random.randrange(4) == 0:
            pc.vds = HostileVds(scatter_gather=self.random.randrange(3) > 0)
            pc.vds.rng = self.random
            pc.vds.start(pc)
        drives = self._drives()
        self._check_plain(drives, "after POST")
        for number in self.random.sample(sorted(drives), min(len(drives), MOST_DRIVES)):
            self._call(number, drives[number])
        self._check_plain(drives, "after the calls")

    def _drives(self) -> dict[int, Disk]:
        """The drives by the numbers that were printed, if they were."""
        found = {}
        for number, target, lun in NUMBERS.findall(self.pc.text):
            unit = self.pc.bus.targets.get(int(target))
            if unit and int(number, 16) >= 0x80:
                lun = 0 if unit.ignores_luns else int(lun or 0)
                found[int(number, 16)] = unit.luns.get(lun, unit)
        return found

    def _check_plain(self, drives: dict[int, Disk], when: str) -> None:
        """The plain disk is the first on its bus, which is scanned in order of ID."""
        numbers = [number for number, unit in drives.items() if unit is self.plain]
        if not numbers:
            return
        self.call = f"a plain read of {numbers[0]:02X}h {when}"
        if self.pc.vds:
            self.pc.vds.honest = True
        self.pc.poke(BUFFER, b"\xEE" * 512)
        result = self.pc.read(PLAIN_LBA, 1, numbers[0])
        if self.pc.vds:
            self.pc.vds.honest = False
        assert result.ah == OK, f"AH={result.ah:02x}h"
        assert self.pc.peek(BUFFER, 512) == self.plain.block(PLAIN_LBA), "wrong data"

    # ---- Calls ------------------------------------------------------------------------

    def _call(self, number: int, unit: Disk) -> None:
        functions: list[Callable] = [self._parameters, self._read, self._chs, self._write, self._simple]
        for function in self.random.choices(functions, k=3):
            self.call = f"{function.__name__} of {number:02X}h"
            function(number, unit)

    def _int13(self, *buffers: range, changes: str = "ah", **registers: int) -> Result:
        self.call += f", {({n: hex(v) for n, v in registers.items()})}"
        result = self.pc.int13(*buffers, changes=changes, **registers)
        self.call += f": {result.ah:02X}h"
        return result

    def _sector_bytes(self, number: int) -> int:
        """By AH=48h; 0 if it fails."""
        self.pc.poke(PACKET, struct.pack("<H", 0x1A) + bytes(24))
        result = self._int13(range(PACKET, PACKET + 0x1A), ah=0x48, dl=number, ds=PACKET >> 4, si=0)
        return 0 if result.cf else struct.unpack_from("<H", self.pc.peek(PACKET, 26), 24)[0]

    def _sectors(self, number: int) -> int:
        return struct.unpack_from("<Q", self.pc.peek(PACKET, 26), 16)[0] if self._sector_bytes(number) else 1

    def _parameters(self, number: int, unit: Disk) -> None:
        """48h, 08h and 15h: values that no program divides by 0 with, and that agree."""
        size = self._sector_bytes(number)
        if not size:
            return
        _, flags, cylinders, heads, per_track, sectors, _ = struct.unpack("<HHIIIQH", self.pc.peek(PACKET, 26))
        assert size in (512, 1024, 2048, 4096), f"sectors of {size} bytes"
        result = self._int13(ah=0x08, dl=number, changes="ax bl cx dx es di")
        if result.cf or number >= 0xE0:
            return
        last = result.ch | (result.cl & 0xC0) << 2
        assert 1 <= result.cl & 63 and result.dh < 255 and last < 1024
        assert (result.dh + 1, result.cl & 63) == (heads, per_track) and cylinders >= last

    def _expected(self, unit: Disk, size: int, lba: int, count: int) -> bytes:
        """Sectors of what the device has."""
        at, end = lba * size, (lba + count) * size
        first, last = at // unit.block_bytes, (end - 1) // unit.block_bytes
        data = b"".join(unit.block(block) for block in range(first, last + 1))
        return data[at - first * unit.block_bytes:][:end - at]

    def _packet(self, lba: int, count: int) -> None:
        self.pc.poke(PACKET, struct.pack("<BBHHHQ", 16, 0, count, *far(BUFFER)[::-1], lba))
        self.call += f", lba {lba}, count {count}"

    def _place(self, number: int) -> tuple[int, int, int]:
        """Sector size, LBA and count."""
        size = self._sector_bytes(number) or 512
        sectors = self._sectors(number)
        count = self.random.choice([1, 1, 2, 7, 9, 127])
        last = max(sectors - count, 0)
        return size, self.random.choice([0, 1, last, last + 1, self.random.randint(0, last)]), count

    def _read(self, number: int, unit: Disk) -> None:
        size, lba, count = self._place(number)
        self._packet(lba, count)
        result = self._int13(range(BUFFER, BUFFER + count * size), range(PACKET + 2, PACKET + 4), ah=0x42, dl=number,
                             ds=PACKET >> 4, si=0)
        if result.ah == OK:
            self._compare(unit, size, lba, count)

    def _compare(self, unit: Disk, size: int, lba: int, count: int) -> None:
        wanted = self._expected(unit, size, lba, count)
        assert self.pc.peek(BUFFER, len(wanted)) == wanted, "wrong data with 00h"

    def _chs(self, number: int, unit: Disk) -> None:
        """02h reads what 08h says is there."""
        shape = self._int13(ah=0x08, dl=number, changes="ax bl cx dx es di")
        if shape.cf or number >= 0xE0:
            return
        heads, per_track = shape.dh + 1, shape.cl & 63
        cylinder = self.random.randint(0, shape.ch | (shape.cl & 0xC0) << 2)
        head, sector = self.random.randrange(heads), self.random.randint(1, per_track)
        count = self.random.choice([1, 2, 128])
        result = self._int13(range(BUFFER, BUFFER + count * 512), changes="ax", ah=0x02, al=count, dl=number,
                             ch=cylinder & 0xFF, cl=cylinder >> 2 & 0xC0 | sector, dh=head, es=BUFFER >> 4, bx=0)
        if result.ah == OK:
            self._compare(unit, 512, (cylinder * heads + head) * per_track + sector - 1, count)

    def _write(self, number: int, unit: Disk) -> None:
        size, lba, count = self._place(number)
        data = self.random.randbytes(count * size)
        self.pc.poke(BUFFER, data)
        self._packet(lba, count)
        result = self._int13(range(PACKET + 2, PACKET + 4), ah=0x43, al=self.random.randrange(3), dl=number,
                             ds=PACKET >> 4, si=0)
        if result.ah == OK:
            assert unit.type not in (CD_ROM, OPTICAL) or size == 512, "a CD was written"
            assert self._expected(unit, size, lba, count) == data, "reported as written, but is not"

    def _simple(self, number: int, unit: Disk) -> None:
        function = self.random.choice([0x00, 0x01, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x16, 0x41, 0x45, 0x46, 0x49])
        result = self._int13(ah=function, al=0, dl=number, bx=0x55AA, changes="ax bx cx dx")
        assert not result.cf or result.ah


def run(seed: int) -> None:
    machine = Machine(seed)
    try:
        machine.run()
    except Exception as error:
        error.add_note(f"seed {seed}: {machine}")
        raise

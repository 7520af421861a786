# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""El Torito discs, built in memory from the specification: volume descriptors,
a boot catalog of any shape, boot images. Each part can be made invalid.

[El Torito 1.0; ECMA-119 8.1 to 8.4]
"""

from __future__ import annotations

import functools
import random
import struct
from dataclasses import dataclass, field

BLOCK, SECTOR, ENTRY = 2048, 512, 32
FIRST_DESCRIPTOR = 16
CATALOG, IMAGES = 40, 64        # default LBAs
CHECKSUM = 0x1C                 # of the validation entry: a word

X86, POWERPC, MAC, EFI = 0x00, 0x01, 0x02, 0xEF
BOOTABLE, NOT_BOOTABLE = 0x88, 0x00
NO_EMULATION, FLOPPY_12, FLOPPY_144, FLOPPY_288, HARD_DISK = range(5)
MORE, LAST = 0x90, 0x91         # section headers
EXTENSION, CONTINUES = 0x44, 0x20
GEOMETRIES = {FLOPPY_12: (80, 2, 15), FLOPPY_144: (80, 2, 18), FLOPPY_288: (80, 2, 36)}
BOOT_SEGMENT = 0x07C0


def descriptor(kind: int, body: bytes = b"", name: bytes = b"CD001") -> bytes:
    """A volume descriptor: type, standard identifier, version."""
    return (bytes([kind]) + name + b"\x01" + body).ljust(BLOCK, b"\0")


PRIMARY = descriptor(1, bytes(1) + b"LINUX".ljust(32) + b"BENCH".ljust(32))
SUPPLEMENTARY = descriptor(2)
TERMINATOR = descriptor(255)
OTHER_BOOT = descriptor(0, b"ANOTHER BOOT SYSTEM".ljust(64, b"\0") + bytes(4))


def boot_record(catalog: int = CATALOG, system: bytes = b"EL TORITO SPECIFICATION") -> bytes:
    """The boot system identifier is padded with zeros; the catalog's LBA is at 47h."""
    return descriptor(0, system.ljust(32, b"\0") + bytes(32) + struct.pack("<I", catalog))


# ---- Images ----------------------------------------------------------------------------


@functools.cache
def noise(seed: int, sectors: int) -> bytes:
    return random.Random(seed).randbytes(sectors * SECTOR)


def loader(sectors: int = 4, seed: int = 1) -> bytes:
    """An image that is loaded without emulation."""
    return noise(seed, sectors)


def _signed(sector: bytes, table: bytes = b"") -> bytes:
    return sector[:510 - len(table)] + table + b"\x55\xAA"


@functools.cache
def floppy(media: int, seed: int = 2) -> bytes:
    cylinders, heads, sectors = GEOMETRIES[media]
    data = noise(seed, cylinders * heads * sectors)
    return _signed(data[:SECTOR]) + data[SECTOR:]


def partition(first: tuple[int, int, int], last: tuple[int, int, int], start: int, sectors: int,
              system: int = 0x06) -> bytes:
    """An active entry of a partition table."""
    def chs(cylinder: int, head: int, sector: int) -> bytes:
        return bytes([head, cylinder >> 2 & 0xC0 | sector, cylinder & 0xFF])
    return (b"\x80" + chs(*first) + bytes([system]) + chs(*last)
            + struct.pack("<II", start, sectors))


@functools.cache
def hard_disk(cylinders: int, heads: int, sectors: int, system: int = 0x06, seed: int = 3) -> bytes:
    """One partition from the second track to the end."""
    total = cylinders * heads * sectors
    first = (0, 1, 1) if heads > 1 else (1, 0, 1)
    data = noise(seed, total)
    entry = partition(first, (cylinders - 1, heads - 1, sectors), sectors, total - sectors, system)
    return _signed(data[:SECTOR], entry + bytes(48)) + data[SECTOR:]


# ---- The catalog -----------------------------------------------------------------------


def validation(platform: int = X86, text: bytes = b"BENCH", header: int = 1,
               key: bytes = b"\x55\xAA", wrong_by: int = 0) -> bytes:
    """A validation entry whose words sum to `wrong_by`."""
    entry = bytearray(bytes([header, platform, 0, 0]) + text.ljust(24, b"\0") + bytes(2) + key)
    words = sum(struct.unpack("<16H", entry))
    struct.pack_into("<H", entry, CHECKSUM, wrong_by - words & 0xFFFF)
    return bytes(entry)


def section(platform: int, entries: int, text: bytes = b"", header: int = LAST) -> bytes:
    return struct.pack("<BBH", header, platform, entries) + text.ljust(28, b"\0")


def extension(more: bool = False, data: bytes = b"\x88") -> bytes:
    """A section entry extension with selection criteria. Code that does not
    skip it takes its content for an entry."""
    return bytes([EXTENSION, CONTINUES if more else 0]) + data * (30 // len(data))


@dataclass(frozen=True)
class Entry:
    """An image and how to boot it; `lba` None: assigned when the disc is built."""
    image: bytes = b""
    media: int = NO_EMULATION
    count: int = 4
    segment: int = 0
    system: int = 0
    indicator: int = BOOTABLE
    extensions: int = 0             # that follow it; only in a section
    lba: int | None = None

    def packed(self, lba: int) -> bytes:
        media = self.media | (CONTINUES if self.extensions else 0)
        data = struct.pack("<BBHBBHI", self.indicator, media, self.segment, self.system, 0,
                           self.count, lba).ljust(ENTRY, b"\0")
        return data + b"".join(extension(i < self.extensions - 1) for i in range(self.extensions))

    @property
    def load(self) -> range:
        """Memory it is loaded to; for a floppy or hard disk, the boot sector only."""
        start = (self.segment or BOOT_SEGMENT) * 16
        return range(start, start + self.count * SECTOR)

    @property
    def start(self) -> tuple[int, int]:
        """CS and IP."""
        segment = self.segment or BOOT_SEGMENT
        return segment & 0xF000, segment << 4 & 0xFFFF


@dataclass(frozen=True)
class Section:
    """`lies` is added to the number of entries in the header."""
    entries: tuple[Entry, ...]
    platform: int = X86
    text: bytes = b""
    header: int | None = None
    lies: int = 0


@dataclass
class Disc:
    """The content of a disc, or of a later session that begins at `start`. `blocks` is
    the size of the disc; `patches` overwrites the result: bytes by (LBA, offset)."""
    default: Entry = field(default_factory=lambda: Entry(loader()))
    sections: tuple[Section, ...] = ()
    descriptors: tuple[bytes, ...] | None = None
    catalog_lba: int = CATALOG
    images: int = IMAGES
    validation: bytes = field(default_factory=validation)
    catalog: bytes | None = None        # replaces the valid catalog
    blocks: int = 0
    patches: dict[tuple[int, int], bytes] = field(default_factory=dict)
    seed: int = 0                       # of the filler between the parts
    start: int = 0

    def __post_init__(self) -> None:
        self._pieces: list[tuple[int, bytes]] = []
        self._next = self.images
        self._places: dict[int, int] = {}
        catalog = self._catalog()
        if self.descriptors is None:
            self.descriptors = (PRIMARY, boot_record(self.catalog_lba), TERMINATOR)
        self._pieces += [(self.start + FIRST_DESCRIPTOR, b"".join(self.descriptors)),
                         (self.catalog_lba, catalog)]
        self.blocks = self.blocks or self._next

    def _catalog(self) -> bytes:
        right = self.validation + self._entry(self.default)
        for i, part in enumerate(self.sections):
            header = part.header or (LAST if i == len(self.sections) - 1 else MORE)
            right += section(part.platform, len(part.entries) + part.lies, part.text, header)
            right += b"".join(self._entry(e) for e in part.entries)
        data = right if self.catalog is None else self.catalog
        return data + bytes(-len(data) % BLOCK)

    def _entry(self, entry: Entry) -> bytes:
        lba = entry.lba
        if lba is None:
            lba = self._next
            self._pieces.append((lba, entry.image))
            self._next += max(1, -(-len(entry.image) // BLOCK))
        self._places[id(entry)] = lba
        return entry.packed(lba)

    def lba(self, entry: Entry) -> int:
        """LBA of the entry's image."""
        return self._places[id(entry)]

    @property
    def entries(self) -> list[Entry]:
        return [self.default, *(e for s in self.sections for e in s.entries)]

    @property
    def loads(self) -> list[range]:
        """All memory that booting may load to."""
        return [e.load for e in self.entries]

    def content(self, lba: int) -> bytes:
        """One block, as a drive reads it."""
        data = bytearray(struct.pack("<II", lba ^ 0x5A5A5A5A, self.seed) * (BLOCK // 8))
        for start, piece in self._pieces:
            at = (lba - start) * BLOCK
            part = piece[at:at + BLOCK] if at >= 0 else b""
            data[:len(part)] = part
        for (block, offset), patch in self.patches.items():
            if block == lba:
                data[offset:offset + len(patch)] = patch
        return bytes(data)

    def read(self, lba: int, blocks: int) -> bytes:
        return b"".join(self.content(lba + i) for i in range(blocks))

    def sectors(self, entry: Entry, first: int, count: int) -> bytes:
        """512-byte sectors of an entry's image, as stored on the disc."""
        at = self.lba(entry) * 4 + first
        data = self.read(at // 4, (at % 4 + count + 3) // 4)
        return data[at % 4 * SECTOR:][:count * SECTOR]


@dataclass
class TwoSessions:
    """A disc with two sessions. LBAs in catalogs are those of the disc."""
    first: Disc
    last: Disc

    @property
    def blocks(self) -> int:
        return self.last.blocks

    def content(self, lba: int) -> bytes:
        return (self.first if lba < self.last.start else self.last).content(lba)


def later_session(start: int, **options) -> Disc:
    """A session whose catalog and images follow its descriptors."""
    return Disc(**{"start": start, "catalog_lba": start + 24, "images": start + 32,
                   "descriptors": (PRIMARY, boot_record(start + 24), TERMINATOR), "seed": 1,
                   "default": Entry(loader(4, 91)), **options})

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Helpers for tests of CD-ROM drives: a machine with a disc in a drive, its boot,
and INT 13h calls to the drive numbers assigned at boot.
"""

from __future__ import annotations

import struct

from tests.model.bios import BootEntry
from tests.model.bios_data import BOOT_SECTOR
from tests.model.eltorito import BLOCK, GEOMETRIES, Disc, Entry
from tests.model.pc import BUFFER, PACKET, SEEDS, Pc, Result
from tests.model.pc_cpu import IF
from tests.model.pc_memory import MEMORY
from tests.model.target import Disk, cd_rom
from tests.rom.strict import COUNT16, COUNT32, OK, Outcome, by_chs, by_packet, chs, new_pc

CD = 0xE0               # the first CD drive number
CD_ID = 2
WRONG_MEDIUM = 0x0C
STATUS_BYTES = (0x441, 0x474)
VECTORS, DATA_AREA = range(0x400), range(0x400, 0x500)
SPEC_BYTES = 0x13


def drive_with(disc: Disc, **options) -> Disk:
    return cd_rom(**{"content": disc.content, "blocks": disc.blocks, **options})


def with_cd(variant: str, disc: Disc | None = None, others: dict[int, Disk] | None = None,
            drive: dict | None = None, **options) -> Pc:
    """A machine after POST: a CD-ROM drive at ID 2, and the other targets."""
    targets = {CD_ID: drive_with(disc or Disc(), **(drive or {})), **(others or {})}
    return new_pc(variant, dict(sorted(targets.items())), **options)


def cd(pc: Pc) -> Disk:
    return pc.bus.targets[CD_ID]


def insert(pc: Pc, disc: Disc) -> None:
    cd(pc).insert(disc.blocks, disc.content)


def cd_entries(pc: Pc) -> list[BootEntry]:
    return [e for e in pc.bios.entries if e.bev]


# ---- Boot ------------------------------------------------------------------------------


def boot(pc: Pc, *loads: range, index: int = 0) -> Result:
    """Calls the boot entry vector of a CD; `loads` are the places it may write."""
    return pc.bios.boot(cd_entries(pc)[index], *loads)


def check_running(pc: Pc, result: Result, disc: Disc, entry: Entry, number: int = CD) -> None:
    """The boot image is loaded unchanged and runs."""
    assert result.booted, pc.text
    assert (result.cs, result.eip) == entry.start
    assert result.dl == number
    assert result.eflags & IF
    expected = disc.sectors(entry, 0, entry.count)
    assert pc.peek(entry.load.start, len(entry.load)) == expected


def check_boot(pc: Pc, disc: Disc, entry: Entry | None = None, number: int = CD,
               index: int = 0) -> Result:
    """Boots the CD and checks that this entry runs, by default the default entry."""
    entry = entry or disc.default
    for load in disc.loads:
        pc.poke(load.start, b"\xEE" * len(load))
    result = boot(pc, *disc.loads, index=index)
    check_running(pc, result, disc, entry, number)
    return result


def lines_after(pc: Pc, start: int) -> list[str]:
    return pc.text[start:].replace("\r", "").split("\n")


def state(pc: Pc) -> tuple[bytes, bytes]:
    """Interrupt vectors and BIOS data area, without the status bytes and the clock."""
    data = bytearray(pc.peek(DATA_AREA.start, len(DATA_AREA)))
    for at in (*STATUS_BYTES, *range(0x46C, 0x470)):
        data[at - DATA_AREA.start] = 0
    return pc.peek(VECTORS.start, len(VECTORS)), bytes(data)


def check_refused(pc: Pc, reason: str, *loads: range, index: int = 0, number: int = CD) -> None:
    """The boot returns with a line that states the reason and leaves no trace."""
    before, start = state(pc), len(pc.text)
    result = boot(pc, *(loads or [BOOT_SECTOR]), index=index)
    assert not result.booted, f"{result.cs:04x}:{result.eip:04x}"
    lines = lines_after(pc, start)
    assert lines[0].startswith(f"{number:X}h: {cd_entries(pc)[index].product}")
    assert [line for line in lines[1:] if line] == [f"  not bootable: {reason}"]
    assert state(pc) == before
    check_number_free(pc, number)


def check_number_free(pc: Pc, number: int) -> None:
    """The call reaches the BIOS with its registers unchanged."""
    passed = len(pc.bios.passed_on)
    result = pc.int13(ah=0x10, dl=number)
    assert (result.ah, result.cf, len(pc.bios.passed_on)) == (0x01, True, passed + 1)
    assert pc.bios.passed_on[-1]["edx"] == SEEDS["edx"] & ~0xFF | number


# ---- INT 13h ---------------------------------------------------------------------------


def status_byte(pc: Pc, number: int) -> int:
    return pc.peek(STATUS_BYTES[number >= 0x80], 1)[0]


def simple_call(pc: Pc, function: int, number: int = CD, changes: str = "ah", **registers) -> Result:
    """Calls a function; AH, CF and the status byte must agree."""
    result = pc.int13(changes=changes, ah=function, **{"dl": number, **registers})
    assert result.cf == (result.ah != OK)
    assert status_byte(pc, number) == result.ah
    return result


def move(pc: Pc, function: int, lba: int, count: int = 1, address: int = BUFFER,
         number: int = CD, geometry: tuple[int, int] = (2, 18), **options) -> Outcome:
    """Functions 02h to 04h, 0Ch, 42h to 44h or 47h on any drive; the geometry (heads,
    sectors) is for calls by CHS."""
    if function < 0x40:
        result = by_chs(pc, function, lba, count, address, number,
                        **{**chs(lba, *geometry), **options})
    else:
        options.setdefault("block_bytes", BLOCK if number >= CD else 512)
        result = by_packet(pc, function, lba, count, address, number, **options)
    assert result.cf == (result.ah != OK)
    assert status_byte(pc, number) == result.ah
    if function in (0x0C, 0x47):
        return Outcome(result.ah, None)
    if function < 0x40:
        return Outcome(result.ah, result.al)
    at = COUNT32 if options.get("long_count") else COUNT16
    return Outcome(result.ah, int.from_bytes(pc.peek(at.start, len(at)), "little"))


def check_blocks(pc: Pc, disc: Disc, lba: int = 16, count: int = 1, number: int = CD) -> None:
    """A read of a CD returns its data."""
    pc.poke(BUFFER, b"\xEE" * count * BLOCK)
    assert move(pc, 0x42, lba, count, number=number) == (OK, count)
    assert pc.peek(BUFFER, count * BLOCK) == disc.read(lba, count)


def check_sectors(pc: Pc, disc: Disc, entry: Entry, first: int, count: int, number: int = 0,
                  function: int | None = None, address: int = BUFFER,
                  geometry: tuple[int, int] | None = None) -> None:
    """A read of an emulated drive returns sectors of its image and writes nothing
    around the buffer. By default a floppy is read by 02h, a hard disk by 42h."""
    margin = 64
    function = function or (0x42 if number >= 0x80 else 0x02)
    geometry = geometry or GEOMETRIES.get(entry.media & 15, (80, 2, 18))[1:]
    start, size = max(address - margin, 0), count * 512
    pc.poke(start, b"\xEE" * (size + 2 * margin))
    assert move(pc, function, first, count, address, number, geometry) == (OK, count)
    assert pc.peek(address, size) == disc.sectors(entry, first, count)
    assert pc.peek(start, address - start) == b"\xEE" * (address - start)
    assert pc.peek(address + size, margin) == b"\xEE" * margin


# ---- Emulation -------------------------------------------------------------------------

COUNTS = (range(0x410, 0x412), range(0x475, 0x476), *(range(at, at + 1) for at in STATUS_BYTES))


class Packet(bytes):
    """The specification packet."""

    @classmethod
    def make(cls, media: int = 0, drive: int = 0, lba: int = 0, segment: int = 0, count: int = 0,
             chs: bytes = bytes(3), size: int = SPEC_BYTES, controller: int = 0, device: int = 0,
             cache: int = 0) -> Packet:
        return cls(struct.pack("<BBBBIHHHH", size, media, drive, controller, lba, device, cache,
                               segment, count) + chs)

    def fields(self) -> tuple[int, ...]:
        """Size, media type, drive, controller, LBA, device, cache, segment, count."""
        return struct.unpack_from("<BBBBIHHHH", self)

    @property
    def chs(self) -> tuple[int, int, int]:
        """Cylinders, heads and sectors."""
        low, high, head = self[16:19]
        return (low | (high & 0xC0) << 2) + 1, head + 1, high & 0x3F


def emulation(pc: Pc, function: int, packet: bytes = b"", number: int = CD, al: int = 0,
              **options) -> tuple[int, Packet]:
    """4Ah or 4Bh: returns the status and the packet after the call."""
    pc.poke(PACKET, packet or b"\xEE" * SPEC_BYTES)
    pc.poke(PACKET + SPEC_BYTES, b"\xEE" * 32)
    at = [] if function == 0x4A else [range(PACKET, PACKET + SPEC_BYTES)]
    result = pc.int13(*COUNTS, *at, ah=function, al=al, dl=number, ds=PACKET >> 4, si=PACKET & 15,
                      changes="ah", **options)
    assert result.cf == (result.ah != OK)
    assert pc.peek(PACKET + SPEC_BYTES, 32) == b"\xEE" * 32
    return result.ah, Packet(pc.peek(PACKET, SPEC_BYTES))


def started(pc: Pc, packet: bytes, *loads: range, number: int = CD) -> Result:
    """4Ch: either jumps to an image or returns an error."""
    pc.poke(PACKET, packet)
    result = pc.int13(*COUNTS, *loads, loads=loads, changes="ah dl", ah=0x4C, al=0, dl=number,
                      ds=PACKET >> 4, si=PACKET & 15)
    assert result.booted or result.cf and result.ah != OK
    return result


def catalog_of(pc: Pc, first: int = 0, count: int = 1, number: int = CD, size: int = 8, al: int = 0,
               address: int = BUFFER) -> int:
    """4Dh: returns the status."""
    pc.poke(PACKET, struct.pack("<BBHHH", size, count, address & 15, address >> 4, first))
    result = pc.int13(range(address, min(address + count * BLOCK, MEMORY)), ah=0x4D, al=al,
                      dl=number, ds=PACKET >> 4, si=PACKET & 15)
    assert result.cf == (result.ah != OK)
    return result.ah

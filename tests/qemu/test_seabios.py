# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Makes the same INT 13h calls to this ROM and to SeaBIOS's own driver for the
same chip (ring 2). docs/seabios.md lists each difference and its reason. A
difference without a row fails, and so does a row without a difference.
"""

from __future__ import annotations

import re
import struct
import subprocess
from dataclasses import dataclass, field

import pytest

from tests.build import TOP
from tests.qemu.agent import CF, FIXED_FLAG, IF, PACKET, Registers
from tests.qemu.calls import (BUFFER, COUNT_IN_DWORD, FILL, HIGH, NO_SEGMENT, SECTOR, Image, bench,
                              written_disk)

pytestmark = pytest.mark.qemu("compared with SeaBIOS's own driver")

TABLE = TOP / "docs" / "seabios.md"
PATHS = {"SeaBIOS": "seabios", "ours": "microvm"}

SECTORS = 16384
GEOMETRY = (8, 64, 32)  # set by the host for both
BAD_SECTOR = 100
ROOM = 0x100           # bytes for the packet

# Watched memory: name, address, bytes, and fill value before a call. The last
# place is the target of a flat address if it is taken for a segment and offset.
PLACES = [("", BUFFER, 1000 * SECTOR, 0xB0), ("the flat address", HIGH, 1000 * SECTOR, 0xF1),
          ("FFFF:FFFFh", 0x10FE00, 4 * SECTOR, 0xE5)]

# Default registers of a call: transfer one sector, the second one of the disk,
# to or from BUFFER.
DEFAULTS = {"al": 1, "cx": 2, "dh": 0, "dl": 0x80, "es": BUFFER >> 4, "bx": 0,
            "ds": PACKET >> 4, "si": PACKET & 15}


def packet(size: int = 16, count: int = 1, lba: int = 1, buffer: int = (BUFFER >> 4) << 16,
           flat: int = 0, long_count: int = 0) -> bytes:
    return struct.pack("<BBHIQQII", size, 0, count, buffer, lba, flat, long_count, 0)


@dataclass(frozen=True)
class Case:
    function: int
    arguments: str = "right"                       # description in the table
    registers: dict[str, int] = field(default_factory=dict)
    packet: bytes = packet()
    before: tuple[tuple[int, dict[str, int]], ...] = ()  # calls made before this one
    alone: bool = False  # changes state: the next case needs a new machine

    @property
    def key(self) -> tuple[str, str]:
        return f"{self.function:02X}h", self.arguments


def drive(number: int, name: str, functions: list[int], **registers: int) -> list[Case]:
    return [Case(f, name, {"dl": number, **registers}) for f in functions]


def removable(function: int, arguments: str, **registers: int) -> Case:
    return Case(function, f"removable disk, {arguments}", {"dl": 0x82, **registers})


def edd(arguments: str, functions: list[int], **fields: int) -> list[Case]:
    return [Case(f, arguments, {"al": 0}, packet(**fields)) for f in functions]


def chs(arguments: str, **registers: int) -> list[Case]:
    return [Case(f, arguments, registers) for f in (0x02, 0x03, 0x04)]


def room(bytes_: int, name: str = "", dl: int = 0x80) -> Case:
    return Case(0x48, f"{name}room for {bytes_:02X}h bytes", {"dl": dl},
                struct.pack("<H", bytes_).ljust(32, bytes([FILL])))


EXTENSIONS = {0x41: {"bx": 0x55AA}, 0x43: {"al": 0}, 0x4E: {"al": 5}}
MOVES = [0x42, 0x43, 0x44]
REMOVABLE = {"dl": 0x82, "al": 0}
LOCK, EJECT = (0x45, REMOVABLE), (0x46, REMOVABLE)
PAST_THE_END = (0x02, {"al": 2, "cx": 0x0720, "dh": 63})

CASES = [
    *(Case(f, registers=EXTENSIONS.get(f, {"al": 0} if f in (0x45, 0x46, 0x49) else {}))
      for f in range(0x4F) if f != 0x48),
    *chs("AL=0", al=0), *chs("AL=128", al=128), *chs("AL=129", al=129), *chs("AL=255", al=255),
    *chs("sector 0", cx=0), *chs("sector past the track", cx=33),
    *chs("head past the last", dh=64), *chs("cylinder past the last", cx=0x0801),
    *chs("runs past the end of the disk", al=2, cx=0x0720, dh=63),
    *chs("last sector of the disk", cx=0x0720, dh=63),
    *chs("buffer at FFFF:FF00h", es=0xFFFF, bx=0xFF00),
    *(Case(0x0C, name, registers) for name, registers in [
        ("cylinder past the last", {"cx": 0x0801}), ("head past the last", {"dh": 64}),
        ("sector 0", {"cx": 0})]),
    Case(0x41, "BX=AA55h", {"bx": 0xAA55}), Case(0x41, "BX=0", {"bx": 0}),
    *(Case(0x43, f"AL={al}", {"al": al}) for al in (1, 2, 3)),
    *edd("packet of 0Fh bytes", [*MOVES, 0x47], size=15),
    *edd("packet of 0 bytes", [*MOVES, 0x47], size=0),
    *edd("packet of 18h bytes", MOVES, size=24), *edd("packet of FFh bytes", MOVES, size=255),
    *edd("no sectors", [*MOVES, 0x47], count=0), *edd("9 sectors", MOVES, count=9),
    *edd("128 sectors", MOVES, count=128), *edd("1000 sectors", MOVES, count=1000),
    *edd("LBA past the end", [*MOVES, 0x47], lba=SECTORS),
    *edd("LBA of 33 bits", [*MOVES, 0x47], lba=1 << 32),
    *edd("LBA FFFFFFFFFFFFFFFFh", [*MOVES, 0x47], lba=(1 << 64) - 1),
    *edd("range past the end", MOVES, lba=SECTORS - 1, count=2),
    *edd("last sector", [*MOVES, 0x47], lba=SECTORS - 1),
    *edd("buffer past FFFF:FFFFh", MOVES, buffer=0xFFFF_FFF0),
    *edd("flat address", MOVES, size=24, buffer=NO_SEGMENT, flat=HIGH),
    *edd("flat address in a packet of 10h bytes", MOVES, buffer=NO_SEGMENT, flat=HIGH),
    *edd("flat address past 4 GiB", MOVES, size=24, buffer=NO_SEGMENT, flat=1 << 32),
    *edd("count FFh with 32-bit count 3", MOVES, size=32, count=COUNT_IN_DWORD, flat=HIGH,
         long_count=3),
    *edd("count FFh in a packet of 10h bytes", MOVES, count=COUNT_IN_DWORD),
    *(Case(0x45, f"AL={al}", {"al": al}) for al in (1, 2, 3)), Case(0x46, "AL=1", {"al": 1}),
    *(room(n) for n in (0, 0x19, 0x1A, 0x1D, 0x1E, 0x41, 0x42, 0x49, 0x4A, 0xFF)),
    *(Case(0x4E, f"AL={al}", {"al": al}) for al in (0, 1, 2, 3, 4, 6, 7, 0xFF)),
    *drive(0x81, "disk without a geometry", [0x08]), room(0x1E, "disk without a geometry, ", 0x81),
    *drive(0x82, "removable disk", [0x02, 0x10, 0x15, 0x16, 0x49]),
    Case(0x41, "removable disk", {"dl": 0x82, "bx": 0x55AA}), room(0x4A, "removable disk, ", 0x82),
    removable(0x45, "AL=2", al=2), removable(0x45, "AL=1 and not locked", al=1),
    removable(0x45, "AL=3", al=3), removable(0x46, "AL=1", al=1),
    Case(0x45, "removable disk, AL=0", REMOVABLE, alone=True),
    Case(0x46, "removable disk, AL=0", REMOVABLE, alone=True),
    Case(0x46, "removable disk, locked", REMOVABLE, before=(LOCK,), alone=True),
    *(Case(f, "removable disk, after 46h", REMOVABLE | {"al": 1}, before=(EJECT,), alone=True)
      for f in (0x02, 0x10, 0x16, 0x49)),
    Case(0x42, "after a read that failed", before=(PAST_THE_END,), alone=True),
    Case(0x42, "after a read that failed and 00h", before=(PAST_THE_END, (0x00, {})), alone=True),
    *drive(0x83, "read-only disk", [0x03, 0x04]),
    *(Case(f, "read-only disk", {"dl": 0x83, "al": 0}) for f in (0x43, 0x44)),
    *drive(0x84, "unreadable sector", [0x02], cx=5, dh=3),
    Case(0x02, "unreadable sector after 3 good ones", {"dl": 0x84, "al": 8, "cx": 2, "dh": 3}),
    Case(0x42, "unreadable sector", {"dl": 0x84}, packet(lba=BAD_SECTOR)),
    Case(0x42, "unreadable sector after 4 good ones", {"dl": 0x84},
         packet(lba=BAD_SECTOR - 4, count=8)),
    room(0x1E, "3 TiB disk, ", 0x85), *drive(0x85, "3 TiB disk", [0x08, 0x15]),
    Case(0x42, "3 TiB disk, LBA 100000000h", {"dl": 0x85}, packet(lba=1 << 32)),
    *drive(0x86, "disk with 4096-byte blocks", [0x02, 0x08, 0x10, 0x15]),
    Case(0x42, "disk with 4096-byte blocks", {"dl": 0x86}),
    Case(0x41, "disk with 4096-byte blocks", {"dl": 0x86, "bx": 0x55AA}),
    *drive(0x87, "no such drive", [0x00, 0x02, 0x08, 0x10, 0x15]),
]


# ---- One call and a description of its effects --------------------------------------


def changed_registers(before: Registers, after: Registers) -> list[str]:
    """All changed registers except AH and CF; a low half has its 16-bit name."""
    words = []
    for name in ("ax", "bx", "cx", "dx"):
        old, new = before._half(name), after._half(name)
        if name == "ax":
            old, new, name = old & 0xFF, new & 0xFF, "al"
        if old != new:
            words.append(f"{name.upper()}={new:0{2 if name == 'al' else 4}X}h")
    for name in ("eax", "ebx", "ecx", "edx"):
        if (getattr(before, name) ^ getattr(after, name)) >> 16:
            words.append(f"high half of {name.upper()} lost")
    words += [f"{name.upper()} lost" for name in ("esi", "edi", "ebp", "ds", "es", "fs", "gs")
              if getattr(before, name) != getattr(after, name)]
    if (before.flags ^ after.flags) & ~CF:
        words.append(f"flags {before.flags | CF:X}h became {after.flags | CF:X}h")
    return words


def sectors(number: int) -> str:
    return f"{number} sector{'s' if number != 1 else ''}"


def read_data(pc) -> list[str]:
    words = []
    for name, address, length, fill in PLACES:
        memory = pc.ram[address:address + length]
        changed = sum(memory[i:i + SECTOR] != bytes([fill]) * SECTOR
                      for i in range(0, length, SECTOR))
        if changed and name == "FFFF:FFFFh":
            words.append("memory at FFFF:FFFFh overwritten")
        elif changed:
            words.append(f"{sectors(changed)} read" + (f" to {name}" if name else ""))
    return words


def written_data(pc) -> list[str]:
    """Sectors that differ in the image; the image is then restored."""
    words = []
    found = pc.image.file.read_bytes()
    changed = [found[i:i + SECTOR] for i in range(0, len(found), SECTOR)
               if found[i:i + SECTOR] != pc.image.expected[i:i + SECTOR]]
    for name, _, _, fill in PLACES:
        if number := changed.count(bytes([fill]) * SECTOR):
            words.append(f"{sectors(number)} written" + (f" from {name}" if name else ""))
    if changed:
        pc.image.file.write_bytes(pc.image.expected)
    return words


def packet_after(case: Case, after: bytes) -> list[str]:
    """The returned sector counts that differ from those in the packet."""
    words = []
    for name, form, offset in (("count", "<H", 2), ("32-bit count", "<I", 0x18)):
        old, new = (struct.unpack_from(form, data, offset)[0] for data in (case.packet, after))
        if old != new:
            words.append(f"{name} {new}")
    return words


def parameters(pc, after: bytes) -> list[str]:
    """The fields that AH=48h filled in, up to the size that it returned."""
    size, flags, cylinders, heads, spt, sectors, sector_bytes = struct.unpack_from("<HHIIIQH", after)
    words = [f"{size:02X}h bytes", f"flags {flags:02X}h", f"CHS {cylinders}/{heads}/{spt}",
             f"{sectors} sectors of {sector_bytes}"]
    if size >= 0x1E:
        offset, segment = struct.unpack_from("<HH", after, 0x1A)
        dpte = bytes(pc.ram[segment * 16 + offset:segment * 16 + offset + 16])
        words.append(f"DPTE with options {dpte[10]:02x}h, sum {sum(dpte) & 0xFF}")
    if size >= 0x42:
        bus, interface = (after[a:b].decode("latin1").rstrip() for a, b in ((0x24, 0x28), (0x28, 0x30)))
        words += [f"{bus} {after[0x30]:02x}:{after[0x31]:02x}.{after[0x32]} channel {after[0x33]}",
                  f"{interface} path {after[0x38:size - 1].hex()}",
                  f"path length {after[0x20]:02X}h, sum {sum(after[0x1E:size]) & 0xFF}"]
    if any(b != FILL for b in after[max(size, 2):ROOM]):
        words.append("bytes after these written")
    return words


def call(pc, function: int, registers: dict[str, int]) -> tuple[Registers, Registers]:
    before = Registers(flags=FIXED_FLAG | IF | CF).with_halves(
        ah=function, **{**DEFAULTS, **registers})
    return before, pc.agent.interrupt(0x13, before)


def outcome(pc, case: Case) -> str:
    for function, registers in case.before:
        call(pc, function, registers)
    pc.ram[PACKET:PACKET + ROOM] = case.packet.ljust(ROOM, bytes([FILL]))
    for _, address, length, fill in PLACES:
        pc.ram[address:address + length] = bytes([fill]) * length
    before, after = call(pc, case.function, case.registers)
    words = [f"AH={after.ah:02X}h" + (" CF" if after.cf else "")]
    status = pc.agent.last_status()
    words += [f"40:74h={status:02X}h"] if status != after.ah else []
    words += changed_registers(before, after) + read_data(pc) + written_data(pc)
    memory = pc.ram[PACKET:PACKET + ROOM]
    if case.function == 0x48 and not after.cf:
        words += parameters(pc, memory)
    else:
        words += packet_after(case, memory)
    return ", ".join(words)


# ---- Both drivers, and the table -------------------------------------------------------


def disks(directory, image: Image) -> list[str]:
    """Disks 80h to 86h: with a geometry, without one, removable, read-only, with
    a bad sector, of 3 TiB, with 4096-byte blocks."""
    for name in ("plain", "removable", "readonly", "bad", "big"):
        (directory / name).write_bytes(bytes(image.expected))
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", directory / "large", "3T"], check=True)
    geometry = ",lcyls={},lheads={},lsecs={}".format(*GEOMETRY)
    error = f"file.inject-error.0.event=read_aio,file.inject-error.0.errno=61," \
            f"file.inject-error.0.sector={BAD_SECTOR}"
    return [
        *written_disk(image.file, 0, geometry),
        *written_disk(directory / "plain", 1),
        *written_disk(directory / "removable", 2, ",removable=on" + geometry),
        *written_disk(directory / "readonly", 3, geometry, "format=raw,readonly=on"),
        *written_disk(f"blkdebug::{directory / 'bad'}", 4, geometry, f"format=raw,{error}"),
        *written_disk(directory / "large", 5, drive="format=qcow2"),
        *written_disk(directory / "big", 6, ",logical_block_size=4096,physical_block_size=4096"),
    ]


def can_read(pc) -> bool:
    return not call(pc, 0x02, {})[1].cf


def all_outcomes(agent_rom, path: str, directory) -> dict[tuple[str, str], str]:
    """Outcome of each case. A new machine is started after a case that changes
    state or after which the disk cannot be read."""
    directory.mkdir()
    image = Image.of_pattern(directory / "disk.img", SECTORS)
    arguments = disks(directory, image)
    outcomes = {}
    pending = CASES[::-1]
    while pending:
        with bench(agent_rom, path, directory, *arguments, image=image) as pc:
            new_machine = False
            while pending and not new_machine:
                case = pending.pop()
                outcomes[case.key] = outcome(pc, case)
                new_machine = case.alone or not can_read(pc)
    return outcomes


@pytest.fixture(scope="module")
def found(agent_rom, tmp_path_factory) -> dict[str, dict]:
    directory = tmp_path_factory.mktemp("seabios")
    return {driver: all_outcomes(agent_rom, path, directory / driver) for driver, path in PATHS.items()}


def documented() -> dict[tuple[str, str], tuple[str, str, str]]:
    """Rows of the table: maps (function, arguments) to (SeaBIOS, ours, reason)."""
    rows = re.findall(r"^\| ([0-9A-F]{2}h) \| (.+?) \| (.+?) \| (.+?) \| (.*?) \|$",
                      TABLE.read_text(), re.M)
    table = {(function, arguments): tuple(rest) for function, arguments, *rest in rows}
    assert len(table) == len(rows), "two rows for the same call"
    return table


def differences(found) -> dict[tuple[str, str], tuple[str, str]]:
    return {key: (theirs, found["ours"][key]) for key, theirs in found["SeaBIOS"].items()
            if theirs != found["ours"][key]}


def as_rows(rows: dict[tuple[str, str], tuple[str, str]]) -> str:
    """Rows to paste into the table, with the existing reason if there is one."""
    old = documented()
    return "\n".join(f"| {' | '.join((*key, *values, old[key][2] if key in old else ''))} |"
                     for key, values in rows.items())


def test_case_names_are_unique():
    assert len({case.key for case in CASES}) == len(CASES)


def test_every_function_up_to_4eh_is_compared():
    assert {case.function for case in CASES} == set(range(0x4F))


def test_each_difference_has_a_row(found):
    table = documented()
    missing = {key: values for key, values in differences(found).items()
               if key not in table or table[key][:2] != values}
    assert not missing, f"rows missing from {TABLE.name}:\n{as_rows(missing)}"


def test_each_row_is_a_difference(found):
    gone = [key for key in documented() if key not in differences(found)]
    assert not gone, f"rows of {TABLE.name} without a difference: {gone}"


def test_each_row_has_a_reason():
    without = [key for key, (_, _, reason) in documented().items() if not reason.strip()]
    assert not without

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Helpers for tests that make single INT 13h calls in QEMU: guest memory and
disk images that the test can access, and a method for each kind of call.
"""

from __future__ import annotations

import contextlib
import mmap
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.qemu.agent import BUFFER, PACKET, Agent, Registers
from tests.qemu.machine import PATHS, Machine, disk_arguments

OK, BAD_COMMAND, WRITE_PROTECTED, NOT_FOUND = 0x00, 0x01, 0x03, 0x04
CHANGED, BOUNDARY, CONTROLLER, NO_MEDIUM = 0x06, 0x09, 0x20, 0x31

SECTOR = 512
DRIVE = 0x80
PIECE = 127          # most sectors that one command transfers
RAM_BYTES = 64 << 20
CONVENTIONAL = 0xA0000
HIGH = 0x200001      # above 1 MiB, where real mode cannot reach; odd
NO_SEGMENT = 0xFFFF_FFFF  # seg:off of a packet with a flat address
COUNT_IN_DWORD = 0xFF  # packet count that selects the 32-bit count at offset 18h
FILL = 0x5A
GUARD = 1024


def block(seed: int, sectors: int = 1) -> bytes:
    """Data that differs for each seed and each sector."""
    return b"".join(struct.pack("<II", seed, i) * (SECTOR // 8) for i in range(sectors))


class Image:
    """A raw image file on the host, and its expected contents."""

    def __init__(self, file: Path, content: bytes):
        self.file = file
        self.expected = bytearray(content)
        file.write_bytes(content)

    @classmethod
    def of_pattern(cls, file: Path, sectors: int) -> Image:
        return cls(file, block(0xD15C_0000, sectors))

    @property
    def sectors(self) -> int:
        return len(self.expected) // SECTOR

    def expect(self, lba: int, data: bytes) -> None:
        """Set the expected contents of sectors."""
        self.expected[lba * SECTOR:lba * SECTOR + len(data)] = data

    def content(self, lba: int, sectors: int) -> bytes:
        return bytes(self.expected[lba * SECTOR:(lba + sectors) * SECTOR])

    def check(self) -> None:
        """Compare the whole file, so that a misplaced write is detected too."""
        found = self.file.read_bytes()
        if found != self.expected:
            wrong = [i for i in range(self.sectors)
                     if found[i * SECTOR:(i + 1) * SECTOR] != self.content(i, 1)]
            raise AssertionError(f"image differs in {len(wrong)} sectors, first {wrong[:5]}")


class MappedAgent(Agent):
    """Reads and writes conventional memory through the host's mapping of guest memory."""

    def __init__(self, machine: Machine, ram: mmap.mmap):
        super().__init__(machine)
        self._ram = ram

    def read(self, address: int, length: int) -> bytes:
        if address + length > CONVENTIONAL:
            return super().read(address, length)
        return self._ram[address:address + length]

    def fill(self, address: int, length: int, value: int) -> None:
        assert address + length <= CONVENTIONAL
        self._ram[address:address + length] = bytes([value]) * length


class Bench:
    """A machine with the agent, its memory and its disk image."""

    def __init__(self, machine: Machine, ram: mmap.mmap, image: Image | None):
        self.agent = MappedAgent(machine, ram)
        self.machine = machine
        self.ram = ram
        self.image = image

    def expect(self, registers: Registers, status: int) -> Registers:
        """AH, carry and 40:74h all report this status."""
        assert (registers.ah, registers.cf) == (status, status != OK)
        assert self.agent.last_status() == status
        return registers

    # ---- Memory --------------------------------------------------------

    def put(self, address: int, data: bytes) -> None:
        """Fill a buffer, with guard bytes on both sides."""
        self.ram[address - GUARD:address + len(data) + GUARD] = (
            bytes([FILL]) * GUARD + data + bytes([FILL]) * GUARD)

    def check_memory(self, address: int, data: bytes) -> None:
        """The buffer holds this data and the guard bytes are intact."""
        guard = bytes([FILL]) * GUARD
        assert self.ram[address - GUARD:address] == guard
        assert self.ram[address:address + len(data)] == data
        assert self.ram[address + len(data):address + len(data) + GUARD] == guard

    # ---- Calls -----------------------------------------------------------

    def chs(self, function: int, lba: int, count: int, address: int = BUFFER,
            geometry: tuple[int, int] = (64, 32), drive: int = DRIVE) -> Registers:
        heads, spt = geometry
        cylinder, rest = divmod(lba, heads * spt)
        return self.agent.int13("ah al", ah=function, al=count, dl=drive, dh=rest // spt,
                                ch=cylinder & 0xFF, cl=cylinder >> 2 & 0xC0 | rest % spt + 1,
                                es=address >> 4, bx=address & 15)

    def edd(self, function: int, lba: int, count: int, address: int = BUFFER,
            al: int = 0, drive: int = DRIVE) -> Registers:
        """A packet with a segment and an offset."""
        return self.packet(function, al, drive, struct.pack(
            "<BBHHHQ", 16, 0, count, address & 15, address >> 4, lba))

    def flat(self, function: int, lba: int, count: int, address: int,
             al: int = 0, drive: int = DRIVE) -> Registers:
        """A packet with a 64-bit address."""
        return self.packet(function, al, drive, struct.pack(
            "<BBHIQQ", 24, 0, count, NO_SEGMENT, lba, address))

    def long(self, function: int, lba: int, count: int, address: int,
             al: int = 0, drive: int = DRIVE) -> Registers:
        """A packet with a 64-bit address and a 32-bit count."""
        return self.packet(function, al, drive, struct.pack(
            "<BBHIQQII", 32, 0, COUNT_IN_DWORD, 0, lba, address, count, 0))

    def packet(self, function: int, al: int, drive: int, data: bytes) -> Registers:
        self.ram[PACKET:PACKET + len(data)] = data
        return self.agent.int13(ah=function, al=al, dl=drive, ds=PACKET >> 4, si=PACKET & 15)

    def count(self) -> int:
        """The sector count that the last call returned in its packet."""
        return struct.unpack_from("<H", self.ram, PACKET + 2)[0]

    def long_count(self) -> int:
        assert self.count() == COUNT_IN_DWORD
        return struct.unpack_from("<I", self.ram, PACKET + 0x18)[0]

    def parameters(self, room: int = 0x4A, drive: int = DRIVE) -> bytes:
        """The bytes that AH=48h fills in."""
        self.ram[PACKET:PACKET + 0x100] = bytes([FILL]) * 0x100
        self.ram[PACKET:PACKET + 2] = struct.pack("<H", room)
        self.expect(self.agent.int13(ah=0x48, dl=drive, ds=PACKET >> 4, si=PACKET & 15), OK)
        filled = struct.unpack_from("<H", self.ram, PACKET)[0]
        return self.ram[PACKET:PACKET + filled]


@contextlib.contextmanager
def bench(agent_rom: Path, path: str, directory: Path, *arguments: str,
          image: Image | None = None,
          before_start: Callable[[Machine], None] | None = None) -> Iterator[Bench]:
    """Start a machine with the agent; its memory is a file that the test maps."""
    memory = directory / "ram"
    with memory.open("w+b") as file:
        file.truncate(RAM_BYTES)
        ram = mmap.mmap(file.fileno(), RAM_BYTES)
    shared = ["-object", f"memory-backend-file,id=ram,size={RAM_BYTES},mem-path={memory},share=on",
              "-machine", "memory-backend=ram"]
    try:
        with Machine(PATHS[path], *shared, *arguments, with_agent=agent_rom, paused=True) as machine:
            if before_start:
                before_start(machine)
            machine.qmp("cont")
            yield Bench(machine, ram, image)
    finally:
        ram.close()
        memory.unlink()


def written_disk(image: Path | str, scsi_id: int = 0, extra: str = "",
                 drive: str = "format=raw") -> list[str]:
    """A disk whose image file receives the writes."""
    return disk_arguments(image, scsi_id, extra, drive)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""INT 13h called in virtual-8086 mode, under a memory manager whose page tables
map linear addresses to other physical addresses (ring 2).

The agent itself runs under tests/qemu/guest/v86.S, so the usual rules for calls
are checked too. Physical memory and the disk image are read from the host.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.model.bios_data import WORKSPACE_KIB
from tests.qemu.agent import BUFFER, PACKET, Registers, assemble
from tests.qemu.calls import (DRIVE, FILL, OK, SECTOR, Bench, Image, MappedAgent, bench, block,
                              written_disk)

pytestmark = pytest.mark.qemu("INT 13h in virtual-8086 mode")

PAGE = 4096
MONITOR = 0x30000               # above the agent and its stack
MONITOR_INT = 0x60
PAGE_DIRECTORY, PAGE_TABLE = 0x200000, 0x201000
MAPPED_PAGES = 1024
WRITABLE, READ_ONLY = 0x07, 0x05
DMA_BUFFER, DMA_BUFFER_BYTES = 0x380000, 0x8000
OFFERED, NO_LISTS, FAILING = 0x01, 0x02, 0x04  # `services` of v86.S
SETTINGS, COUNTERS, REPORT = 4, 8, 28  # offsets there
IOPL_BITS = 0x3000
TICKS = 0x46C
WORKSPACE_BYTES = 1024 * WORKSPACE_KIB

# Linear memory that is mapped elsewhere, to physical pages in descending order:
# upper memory, and a part of conventional memory. The pages of our workspace must
# be physically contiguous; without services they stay where they are.
UPPER, UPPER_BYTES, UPPER_HOME = 0xD8000, 0x8000, 0x300000
MOVED, MOVED_BYTES, MOVED_HOME = 0x40000, 0x10000, 0x310000
WORKSPACE_HOME = 0x330000
IMAGE_SECTORS = 4096


def backwards(linear: int, size: int, home: int) -> dict[int, int]:
    return {linear + i: home + size - PAGE - i for i in range(0, size, PAGE)}


SCATTERED = backwards(UPPER, UPPER_BYTES, UPPER_HOME) | backwards(MOVED, MOVED_BYTES, MOVED_HOME)


def pages_of(linear: int, size: int) -> range:
    return range(linear & -PAGE, linear + size, PAGE)


class Trapped(AssertionError):
    """The monitor stopped at a fault that it does not handle."""


class GuestAgent(MappedAgent):
    """The agent under the monitor. Its greeting has already been received."""

    def __init__(self, agent: MappedAgent):
        self.machine, self._socket, self._ram = agent.machine, agent._socket, agent._ram

    def _command(self, data: bytes) -> None:
        try:
            super()._command(data)
        except AssertionError:
            vector, error, eip, cs, _ = struct.unpack_from("<5I", self._ram, MONITOR + REPORT)
            raise Trapped(f"vector {vector}, error {error:#x} at {cs:04x}:{eip:04x}") from None

    def interrupt(self, number: int, registers: Registers, count: int = 1) -> Registers:
        """With IOPL 3 the program sees the IOPL bits in its flags."""
        after = super().interrupt(number, registers, count)
        return replace(after, flags=after.flags & ~IOPL_BITS)


@dataclass(frozen=True)
class Setting:
    """A boot path and the properties of the memory manager on it."""
    path: str
    iopl: int
    services: int = 0

    @property
    def vds(self) -> bool:
        return self.services & (OFFERED | FAILING) == OFFERED

    @property
    def has_timer(self) -> bool:
        """The microvm build of SeaBIOS leaves IRQ 0 masked."""
        return self.path == "c810"

    @property
    def buffers(self) -> list[int]:
        """Buffer addresses: page-aligned, odd, and in remapped memory."""
        return [BUFFER, BUFFER + 3, MOVED, MOVED + 0x5FF, UPPER, UPPER + 1]

    def room(self, buffer: int) -> int:
        """Most sectors that one call can transfer there."""
        return 127 if buffer < UPPER else (UPPER + UPPER_BYTES - buffer) // SECTOR


class Guest:
    """A machine whose agent runs under the monitor."""

    def __init__(self, pc: Bench, setting: Setting):
        self.pc = pc
        self.ram = pc.ram
        self.setting = setting
        self._pages = {i * PAGE: i * PAGE for i in range(MAPPED_PAGES)}
        self.real_mode_results = self.query()
        rom = pc.agent.rom_segment() * 16
        self._read_only = pages_of(rom, len(pc.agent.rom_image()))
        workspace = pc.agent.workspace("WS_PREVIOUS")[0] * 16
        moved = pages_of(workspace, WORKSPACE_BYTES) if setting.vds else []
        self._pages |= SCATTERED | dict(zip(moved, range(WORKSPACE_HOME, DMA_BUFFER, PAGE)))
        self._write_tables()
        self._start()
        for page in moved:  # an access to the old pages now finds garbage
            self.ram[page:page + PAGE] = bytes([FILL]) * PAGE

    def _write_tables(self) -> None:
        table = [physical | (READ_ONLY if linear in self._read_only else WRITABLE)
                 for linear, physical in self._pages.items()]
        self.ram[PAGE_TABLE:PAGE_TABLE + PAGE] = struct.pack(f"<{MAPPED_PAGES}I", *table)
        self.ram[PAGE_DIRECTORY:PAGE_DIRECTORY + PAGE] = struct.pack(
            "<I", PAGE_TABLE | WRITABLE).ljust(PAGE, b"\0")

    def _start(self) -> None:
        names = {"MONITOR": MONITOR, "PAGE_DIRECTORY": PAGE_DIRECTORY, "PAGE_TABLE": PAGE_TABLE,
                 "BUFFER": DMA_BUFFER, "BUFFER_BYTES": DMA_BUFFER_BYTES}
        code = bytearray(assemble("v86", *(f"-D{name}={value:#x}" for name, value in names.items())))
        code[SETTINGS:SETTINGS + 2] = self.setting.iopl, self.setting.services
        self.ram[MONITOR:MONITOR + len(code)] = code
        self.ram[MONITOR_INT * 4:MONITOR_INT * 4 + 4] = struct.pack("<HH", 0, MONITOR >> 4)
        self.pc.agent = GuestAgent(self.pc.agent)
        self.pc.agent.interrupt(MONITOR_INT, Registers())

    # ---- Memory at linear addresses ----------------------------------------------

    def _parts(self, linear: int, size: int) -> Iterator[slice]:
        """Physical ranges of a linear range."""
        end = linear + size
        while linear < end:
            part = min(PAGE - linear % PAGE, end - linear)
            physical = self._pages[linear & -PAGE] + linear % PAGE
            yield slice(physical, physical + part)
            linear += part

    def get(self, linear: int, size: int) -> bytes:
        return b"".join(self.ram[part] for part in self._parts(linear, size))

    def put(self, linear: int, data: bytes) -> None:
        for part in self._parts(linear, len(data)):
            size = part.stop - part.start
            self.ram[part], data = data[:size], data[size:]

    def counters(self) -> tuple[int, ...]:
        """Emulated instructions, locks held now, locks in total, and how many of
        these used the buffer or a page list."""
        return struct.unpack_from("<5I", self.ram, MONITOR + COUNTERS)

    # ---- Calls -------------------------------------------------------------------

    def query(self) -> list[tuple[int, ...]]:
        """Results of the functions that transfer no sectors."""
        def call(changes: str, **values: int) -> tuple[int, ...]:
            after = self.pc.agent.int13(changes, dl=DRIVE, **values)
            return tuple(after.with_halves(flags=after.flags & 1).pack())

        result = b"\x1A\0".ljust(0x1A, b"\0")
        self.ram[PACKET:PACKET + len(result)] = result
        return [
            call("ah", ah=0x00), call("ax", ah=0x01), call("ax bl cx dx", ah=0x08),
            call("ah", ah=0x0D), call("ah", ah=0x10), call("ah cx dx", ah=0x15),
            call("ah bx cx", ah=0x41, bx=0x55AA),
            call("ah", ah=0x48, ds=PACKET >> 4, si=PACKET & 15),
            tuple(self.ram[PACKET:PACKET + len(result)])]


TESTED_SETTINGS = {
    "lists-iopl-0": Setting("microvm", 0, OFFERED),
    "buffer-iopl-3": Setting("c810", 3, OFFERED | NO_LISTS),
    "no-services-iopl-0": Setting("c810", 0),
    "failing-services-iopl-3": Setting("microvm", 3, OFFERED | FAILING),
}


@pytest.fixture(scope="module", params=TESTED_SETTINGS.values(), ids=TESTED_SETTINGS)
def guest(request, agent_rom, tmp_path_factory) -> Iterator[Guest]:
    directory = tmp_path_factory.mktemp("v86")
    image = Image.of_pattern(directory / "disk.img", IMAGE_SECTORS)
    with bench(agent_rom, request.param.path, directory, *written_disk(image.file),
               image=image) as pc:
        yield Guest(pc, request.param)


def test_functions_return_same_as_in_real_mode(guest):
    assert guest.query() == guest.real_mode_results


@pytest.mark.parametrize("count", [1, 9, 127])
@pytest.mark.parametrize("how", ["chs", "packet"])
def test_read_data_arrives_at_linear_address(guest, how, count):
    pc = guest.pc
    for number, buffer in enumerate(guest.setting.buffers):
        sectors, lba = min(count, guest.setting.room(buffer)), 200 * number + count
        guest.put(buffer, bytes([FILL]) * sectors * SECTOR)
        guest.ram[MOVED:MOVED + MOVED_BYTES] = bytes([FILL]) * MOVED_BYTES
        pc.expect(pc.chs(0x02, lba, sectors, buffer) if how == "chs"
                  else pc.edd(0x42, lba, sectors, buffer), OK)
        assert guest.get(buffer, sectors * SECTOR) == pc.image.content(lba, sectors), hex(buffer)
        assert set(guest.ram[MOVED:MOVED + MOVED_BYTES]) == {FILL}


@pytest.mark.parametrize("count", [1, 9, 127])
@pytest.mark.parametrize("how", ["chs", "packet"])
def test_data_at_linear_address_is_written(guest, how, count):
    pc = guest.pc
    for number, buffer in enumerate(guest.setting.buffers):
        sectors, lba = min(count, guest.setting.room(buffer)), 200 * number + count
        data = block(number << 8 | count, sectors)
        guest.put(buffer, data)
        pc.image.expect(lba, data)
        pc.expect(pc.chs(0x03, lba, sectors, buffer) if how == "chs"
                  else pc.edd(0x43, lba, sectors, buffer), OK)
        pc.image.check()


def test_reads_succeed_while_irqs_arrive(guest):
    before = guest.pc.agent.read(TICKS, 4)
    for _ in range(500):
        guest.pc.expect(guest.pc.edd(0x42, 0, 127), OK)
        if guest.pc.agent.read(TICKS, 4) != before or not guest.setting.has_timer:
            return
    raise AssertionError("no IRQ 0")


def test_every_lock_is_released(guest):
    """Runs after all other tests: the monitor was active, and exactly the
    services of this setting were used."""
    faults, held, ever, copied, listed = guest.counters()
    assert faults and held == 0
    assert bool(ever) == guest.setting.vds
    assert bool(copied) == guest.setting.vds  # 127 sectors use the buffer even with lists
    assert bool(listed) == (guest.setting.services == OFFERED)

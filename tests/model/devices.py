# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Devices of a PC besides CPU, memory and controller: the 8254 with its
interrupt, QEMU's fw_cfg, and PCI configuration space.

[Intel 8254 data sheet; QEMU docs/specs/fw_cfg; PCI 2.1]
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.model.rules import RuleViolation
from tests.model.variants import Variant

PIT_HZ = 1_193_182
PIT_COUNTER, PIT_COMMAND = 0x40, 0x43
READ_BACK, NOT_COUNT, NOT_STATUS, COUNTERS, COUNTER_0 = 0xC0, 0x20, 0x10, 0x0E, 0x02
LATCH, BOTH_BYTES = 0, 3
OUT_PIN, NULL_COUNT = 0x80, 0x40
NEVER_SET = 0x46        # status of an unset counter in QEMU: null count, no bytes, mode 3


class Pit:
    """Counter 0 of the 8254. It belongs to the BIOS; other code may only latch
    and read it. `mode` 0: the BIOS has not programmed it, and only one byte
    can be read."""

    def __init__(self, mode: int = 2, reload: int = 0x10000):
        self.mode = mode
        self.reload = reload
        self._since = 0
        self._latched: list[int] = []       # values of the next reads
        self._setting: tuple[int, list[int]] | None = None  # mode, bytes of the reload value

    @property
    def period_ns(self) -> int:
        """Time between two IRQ0."""
        return self.reload * 1_000_000_000 // PIT_HZ

    def count(self, now: int) -> int:
        ticks = (now - self._since) * PIT_HZ // 1_000_000_000
        if self.mode == 3:
            ticks *= 2
        return self.reload - ticks % self.reload & 0xFFFF

    def _status(self, now: int) -> int:
        if not self.mode:
            return NEVER_SET
        ticks = (now - self._since) * PIT_HZ // 1_000_000_000
        high = self.mode == 2 or ticks % self.reload < self.reload // 2
        return (OUT_PIN if high else 0) | BOTH_BYTES << 4 | self.mode << 1

    def _latch_count(self, now: int) -> None:
        if not self._latched:
            count = self.count(now)
            self._latched = [count & 0xFF, count >> 8 if self.mode else count & 0xFF]

    def command(self, value: int, now: int) -> None:
        """Write to port 43h."""
        if value & READ_BACK == READ_BACK:
            if value & COUNTERS != COUNTER_0:
                raise RuleViolation("port not ours", f"8254 read-back command {value:#04x}")
            fresh = not self._latched
            if not value & NOT_COUNT:
                self._latch_count(now)
            if not value & NOT_STATUS and fresh:
                self._latched.insert(0, self._status(now))
        elif value & READ_BACK:
            raise RuleViolation("port not ours", f"8254 command {value:#04x} selects another counter")
        elif value >> 4 == LATCH:
            self._latch_count(now)
        else:
            self._begin_setting(value)

    def _begin_setting(self, value: int) -> None:
        mode = value >> 1 & 3
        if self.mode:
            raise RuleViolation("8254 set anew", f"command {value:#04x}, but the counter is programmed")
        if value >> 4 != BOTH_BYTES or value & 1 or mode < 2:
            raise RuleViolation("8254 set anew", f"{value:#04x} is not a valid mode for a system timer")
        self._setting = mode, []

    def write(self, value: int, now: int) -> None:
        """Write a byte of the reload value to port 40h."""
        if self._setting is None:
            raise RuleViolation("8254 set anew", f"reload value {value:#04x} without a command")
        mode, data = self._setting
        data.append(value)
        if len(data) == 2:
            self.mode, self.reload = mode, int.from_bytes(data, "little") or 0x10000
            self._since, self._setting = now, None

    def read(self) -> int:
        """Read port 40h."""
        if not self._latched:
            raise RuleViolation("8254 out of step", "read without a latched count")
        return self._latched.pop(0)

    def check_idle(self) -> None:
        """The next reader must not get bytes latched earlier."""
        if self._latched or self._setting:
            raise RuleViolation("8254 out of step", f"{len(self._latched)} bytes left to read")


class TimerInterrupt:
    """IRQ0. "dead": it never occurs. "alive": a handler counts the tick and
    calls INT 1Ch, as every BIOS does; it also reads the 8254, as programs that
    measure time do. "calling": it also reads a sector of drive 80h through
    INT 13h; `calls` records the AH and CF returned."""

    HANDLER = 0xC000    # F000
    STACK_BYTES = 64    # stack space it needs from the interrupted program
    COUNTER = 0x46C
    PACKET = 0x7F000    # linear; the sector is stored after it
    BUFFER = range(PACKET, PACKET + 0x20 + 512)

    def __init__(self, kind: str = "dead"):
        assert kind in ("dead", "alive", "calling")
        self.kind = kind
        self.due_at: int | None = None
        self.running = False
        self.ticks = 0
        self.calls: list[tuple[int, bool]] = []
        call = bytes.fromhex("60 b8 00 7f 8e d8 31 f6 b8 00 42 b2 80 cd 13 90 61")
        code = (bytes.fromhex("50 1e 31 c0 8e d8 66 ff 06 6c 04 b0 00 e6 43 e4 40 e4 40 cd 1c")
                + (call if kind == "calling" else b"")
                + bytes.fromhex("b0 20 e6 20 1f 58 cf"))
        self.code = code
        self.end = self.HANDLER + len(code) - 1                 # its IRET
        self.called = self.HANDLER + code.find(b"\x90\x61")     # after its INT 13h

    @property
    def packet(self) -> bytes:
        return struct.pack("<BBHHHQ", 16, 0, 1, 0x20, self.PACKET >> 4, 0)

    def start(self, now: int, period_ns: int) -> None:
        self.due_at = None if self.kind == "dead" else now + period_ns

    def enter(self, now: int, period_ns: int) -> None:
        """The CPU enters the handler."""
        self.running = True
        self.ticks += 1
        self.due_at = now + period_ns

    def due(self, now: int) -> bool:
        return self.due_at is not None and now >= self.due_at and not self.running


class FwCfg:
    """QEMU's configuration device with some files. `directory` replaces the
    directory built from them. `present` False: the machine identifies itself
    as QEMU, but no device responds at the ports."""

    SELECT, DATA = 0x510, 0x511
    SIGNATURE, DIRECTORY, FIRST_FILE = 0x00, 0x19, 0x20

    def __init__(self, files: dict[str, bytes] | None = None, present: bool = True,
                 directory: bytes | None = None):
        files = files or {}
        self._items = {self.SIGNATURE: b"QEMU", self.DIRECTORY: directory or self._list(files)}
        self._items.update(enumerate(files.values(), self.FIRST_FILE))
        self.present = present
        self._rest = b""

    def _list(self, files: dict[str, bytes]) -> bytes:
        entries = [struct.pack(">IHH56s", len(data), key, 0, name.encode())
                   for key, (name, data) in enumerate(files.items(), self.FIRST_FILE)]
        return struct.pack(">I", len(entries)) + b"".join(entries)

    def select(self, key: int) -> None:
        self._rest = self._items.get(key, b"")

    def read(self) -> int:
        """The next byte; zeros past the end."""
        if not self.present:
            return 0xFF
        byte, self._rest = self._rest[:1], self._rest[1:]
        return byte[0] if byte else 0


class PciSpace:
    """Configuration space: a host bridge at 0, controllers (one may be of another
    family, which the ROM must not touch), and bridges to further buses."""

    ID, COMMAND, CLASS, BAR0, SUBSYSTEM = 0x00, 0x04, 0x08, 0x10, 0x2C
    HEADER_TYPE, BUS_NUMBERS, BRIDGE_HEADER = 0x0E, 0x18, 0x01
    CACHE_LINE, LATENCY, INTERRUPT = 0x0C, 0x0D, 0x3C
    IO, MASTER = 1, 4
    WRITABLE = {COMMAND, COMMAND + 1, CACHE_LINE, LATENCY, INTERRUPT}
    BRIDGE, OURS = 0x12378086, 0x1000
    QEMU = 0x11001AF4
    ADDRESS_PORT, DATA_PORT, PORTS, ENABLE = 0xCF8, 0xCFC, range(0xCF8, 0xD00), 0x80000000
    QEMU_MODEL = 0x10000000     # subsystem ID of a QEMU controller; vendor 0

    def __init__(self, address: int, variant: Variant | None, bar0: int, qemu: bool):
        self._ours = address
        self._controllers: set[int] = set() if variant else {address}
        self.aliases = False    # single-function devices respond at all eight functions
        self.mechanism_1 = False    # the host bridge has the ports CF8h and CFCh
        self.selected = 0           # content of CF8h
        self.on_write: Callable[[int], None] = lambda address: None
        self._spaces = {0: bytearray(256)}
        self._set(0, self.ID, self.BRIDGE)
        self._set(0, self.CLASS, 0x06000002)
        self._set(0, self.SUBSYSTEM, self.QEMU if qemu else 0)
        if variant is not None:
            self.add_controller(address, variant, bar0)

    def add_controller(self, address: int, variant: Variant, bar0: int) -> None:
        if variant.registers:
            self._controllers.add(address)
        self._spaces[address] = bytearray(256)
        self._set(address, self.ID, variant.device << 16 | self.OURS)
        self._set(address, self.CLASS, variant.pci_class << 8 | variant.revision)
        self._set(address, self.BAR0, bar0)

    def add_bridge(self, address: int, secondary: int, last: int | None = None) -> None:
        """A bridge to bus `secondary`; the buses up to `last` are below it."""
        self._spaces[address] = bytearray(256)
        self._set(address, self.ID, 0x00011B36)
        self._set(address, self.CLASS, 0x06040000)
        self._spaces[address][self.HEADER_TYPE] = self.BRIDGE_HEADER
        self._set(address, self.BUS_NUMBERS,
                  address >> 8 | secondary << 8 | (last or secondary) << 16)

    def _set(self, address: int, register: int, value: int) -> None:
        struct.pack_into("<I", self._spaces[address], register, value)

    def read(self, address: int, register: int, size: int) -> int:
        if self.aliases and address not in self._spaces:
            address &= ~7
        space = self._spaces.get(address, b"\xff" * 256)
        return int.from_bytes(space[register:register + size], "little")

    def write(self, address: int, register: int, size: int, value: int) -> None:
        touched = set(range(register, register + size))
        if address not in self._controllers or not touched <= self.WRITABLE:
            raise RuleViolation("PCI register not ours", f"{register:#04x} of {address:#06x}")
        self.on_write(address)
        if address in self._spaces:
            self._spaces[address][register:register + size] = value.to_bytes(size, "little")

    def _selected(self, port: int, size: int) -> tuple[int, int]:
        """PCI address and register of an access to the data port."""
        enabled = self.mechanism_1 and self.selected & self.ENABLE
        if not enabled or port < self.DATA_PORT or port % size:
            raise RuleViolation("port not ours", f"{size} bytes at {port:#x}")
        return self.selected >> 8 & 0xFFFF, self.selected & 0xFC | port & 3

    def port_read(self, port: int, size: int) -> int:
        """Configuration mechanism 1 [PCI 2.1]. The address port has 32 bits."""
        if port == self.ADDRESS_PORT and size == 4:
            return self.selected if self.mechanism_1 else 0xFFFFFFFF
        return self.read(*self._selected(port, size), size)

    def port_write(self, port: int, size: int, value: int) -> None:
        if port == self.ADDRESS_PORT and size == 4:
            self.selected = value & 0x80FFFFFC
        else:
            self.write(*self._selected(port, size), size, value)

    def find(self, vendor_device: int, index: int) -> int | None:
        """Address of the index-th device with this vendor and device ID."""
        found = [a for a, s in sorted(self._spaces.items()) if s[:4] == struct.pack(
            "<I", vendor_device)]
        return found[index] if index < len(found) else None

    def find_class(self, code: int, index: int) -> int | None:
        found = [a for a, s in sorted(self._spaces.items())
                 if int.from_bytes(s[9:12], "little") == code]
        return found[index] if index < len(found) else None

    @property
    def last_bus(self) -> int:
        return max(self._spaces) >> 8

    @property
    def command(self) -> int:
        """COMMAND register of our controller."""
        return self.command_of(self._ours)

    def command_of(self, address: int) -> int:
        space = self._spaces.get(address)
        return space[self.COMMAND] | space[self.COMMAND + 1] << 8 if space else 0

    def set_qemu_model(self, address: int) -> None:
        self._set(address, self.SUBSYSTEM, self.QEMU_MODEL)

    def set_command(self, address: int, value: int) -> None:
        """Set COMMAND as the BIOS does."""
        if address in self._spaces:
            self._spaces[address][self.COMMAND:self.COMMAND + 2] = value.to_bytes(2, "little")

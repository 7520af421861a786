# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A PCI device with a chip model behind it, and its PCI I/O protocol. The chip reaches
memory at bus addresses that Map() has given, in the direction that was named, and no
other memory. Data is copied, as firmware does for buffers that lie too high: it is in
the caller's buffer only after Unmap().

[UEFI 2.10 "EFI PCI I/O Protocol"]
"""

from __future__ import annotations

import ctypes
import mmap
from ctypes import c_uint8, c_uint32
from dataclasses import dataclass, field

from tests.efi.model import uefi
from tests.efi.model.firmware import P, PP, PU64, U32, U64, Firmware, FirmwareError
from tests.model.bus import Bus
from tests.model.hardware import HARDWARE
from tests.model.variants import variant_named

FIRST_BUS_ADDRESS, GAP = 0x2000_0000, 0x1_0000
INTERRUPTED_NS = 200_000    # the driver waits, or an interrupt handler runs, before it starts a program
STALE = 0xDD                # what a copy holds before the chip has written to it
VENDOR = 0x1000
WIDTHS = (1, 2, 4)
REGISTERS_BAR = 0
SUPPORTED = (uefi.ATTRIBUTE_IO | uefi.ATTRIBUTE_MEMORY | uefi.ATTRIBUTE_BUS_MASTER
             | uefi.ATTRIBUTE_DUAL_ADDRESS)
SERVICES = {
    **{name: (U64, [P, U32, c_uint8, U64, U64, P]) for name in ("mem_read", "mem_write", "io_read", "io_write")},
    **{name: (U64, [P, U32, U32, U64, P]) for name in ("config_read", "config_write")},
    "map": (U64, [P, U32, P, PU64, PU64, PP]), "unmap": (U64, [P, P]),
    "allocate_buffer": (U64, [P, U32, U32, U64, PP, U64]), "free_buffer": (U64, [P, U64, P]),
    "attributes": (U64, [P, U32, U64, PU64]), "flush": (U64, [P]),
}


@dataclass
class Mapping:
    """Memory of the host at a bus address. `copy`: what the chip sees; None: the host's memory."""
    operation: int
    host: int
    size: int
    address: int
    copy: bytearray | None = field(default=None, repr=False)

    def offset(self, address: int, length: int) -> int | None:
        at = address - self.address
        return at if 0 <= at <= self.size - length else None


class PciDevice:
    """One function of a PCI card. `found` are the attributes that the firmware has set."""

    def __init__(self, firmware: Firmware, targets: dict[int, object], variant: str = "895A",
                 hardware: str = "silicon", found: int = 0):
        self.firmware, self.found, self.enabled = firmware, found, found
        self.bus = Bus()
        self.bus.targets = targets
        self.chip = HARDWARE[hardware].chip(variant_named(variant), self.bus, self._dma_read, self._dma_write)
        self.chip.power_on()
        if hardware.startswith("qemu"):
            self.chip.clf_stays = True
        self.chip.unavoidable_ns = INTERRUPTED_NS
        self.accesses: list[tuple[str, int]] = []       # to registers
        self.answers: int | None = None     # register accesses until all further ones fail
        self._unflushed = False             # data may be on its way
        self.mappings: dict[int, Mapping] = {}
        self.buffers: dict[int, mmap.mmap] = {}
        self.place: int | None = None           # bus address of data
        self.place_of_page: int | None = None   # of common buffers
        self.fixed_config: bytes | None = None
        self.most_mapped = 1 << 40  # bytes
        self.direct = False         # data is not copied
        self.other_memory: dict[int, bytes] = {}    # of another driver
        self._next_address = FIRST_BUS_ADDRESS
        places = (c_uint32 * 4)()
        count = firmware.c.own_places(places)
        self._own_places = [(places[2 * i], places[2 * i + 1]) for i in range(count)]
        self.table = firmware.table(uefi.PciIo, uefi.PCI_IO_SERVICES, SERVICES, self)
        self.handle = firmware.new_handle()
        firmware.install(self.handle, uefi.PCI_IO, ctypes.addressof(self.table))
        firmware.devices.append(self)

    def check_idle(self) -> None:
        self.chip.check_idle()

    # ---- Registers --------------------------------------------------------------------

    def _check_register(self, name: str, width: int, bar: int, offset: int, count: int) -> int:
        if not self.enabled & uefi.ATTRIBUTE_IO:
            raise FirmwareError("I/O is not enabled")
        if bar != REGISTERS_BAR or count != 1 or width >= len(WIDTHS) or offset % WIDTHS[width]:
            raise FirmwareError(f"{name}: BAR {bar}, width {width}, offset {offset:#x}, count {count}")
        self.accesses.append((name, offset))
        self.firmware.access()
        return WIDTHS[width]

    def _is_gone(self) -> bool:
        """The firmware reports an error for each access from now on."""
        if self.answers:
            self.answers -= 1
        return self.answers == 0

    def _io_read(self, this: int, width: int, bar: int, offset: int, count: int, buffer: int) -> int:
        if self._is_gone():
            return uefi.DEVICE_ERROR
        size = self._check_register("read", width, bar, offset, count)
        ctypes.memmove(buffer, self.chip.cpu_read(offset, size).to_bytes(size, "little"), size)
        return uefi.SUCCESS

    def _io_write(self, this: int, width: int, bar: int, offset: int, count: int, buffer: int) -> int:
        if self._is_gone():
            return uefi.DEVICE_ERROR
        size = self._check_register("write", width, bar, offset, count)
        self.firmware.restart_waiting()
        self.chip.cpu_write(offset, int.from_bytes(ctypes.string_at(buffer, size), "little"), size)
        return uefi.SUCCESS

    @property
    def config(self) -> bytes:
        chip = self.chip.variant
        ids = VENDOR.to_bytes(2, "little") + chip.device.to_bytes(2, "little")
        command = 0x0001 * bool(self.enabled & uefi.ATTRIBUTE_IO)
        kind = (chip.pci_class << 8 | chip.revision).to_bytes(4, "little")
        return (ids + command.to_bytes(2, "little") + bytes(2) + kind).ljust(256, b"\0")

    def _config_read(self, this: int, width: int, offset: int, count: int, buffer: int) -> int:
        size = WIDTHS[width]
        config = self.fixed_config or self.config
        ctypes.memmove(buffer, config[offset:offset + size * count], size * count)
        return uefi.SUCCESS

    def _attributes(self, this: int, operation: int, attributes: int, result) -> int:
        if operation in (uefi.ATTRIBUTES_GET, uefi.ATTRIBUTES_SUPPORTED):
            result[0] = self.enabled if operation == uefi.ATTRIBUTES_GET else SUPPORTED
            return uefi.SUCCESS
        if attributes & ~SUPPORTED:
            return uefi.UNSUPPORTED
        self.enabled = {uefi.ATTRIBUTES_SET: attributes, uefi.ATTRIBUTES_ENABLE: self.enabled | attributes,
                        uefi.ATTRIBUTES_DISABLE: self.enabled & ~attributes}[operation]
        return uefi.SUCCESS

    # ---- Memory ---------------------------------------------------------------------------

    def _allocate_buffer(self, this: int, kind: int, memory_type: int, pages: int, memory, attributes: int) -> int:
        if kind != 0 or not pages:
            return uefi.INVALID_PARAMETER
        block = mmap.mmap(-1, pages * uefi.PAGE)
        block[:] = b"\xA5" * len(block)
        address = ctypes.addressof(c_uint8.from_buffer(block))
        self.buffers[address] = block
        memory[0] = address
        return uefi.SUCCESS

    def _free_buffer(self, this: int, pages: int, memory: int) -> int:
        if memory not in self.buffers or len(self.buffers[memory]) != pages * uefi.PAGE:
            raise FirmwareError(f"FreeBuffer() of {pages} pages at {memory:#x}")
        if any(mapping.host == memory for mapping in self.mappings.values()):
            raise FirmwareError("FreeBuffer() of memory that is mapped")
        del self.buffers[memory]
        return uefi.SUCCESS

    def _map(self, this: int, operation: int, host: int, size, address, mapping) -> int:
        if operation > uefi.COMMON_BUFFER or not size[0]:
            return uefi.INVALID_PARAMETER
        made = Mapping(operation, host, min(size[0], self.most_mapped), self._next_address + host % uefi.PAGE)
        if operation == uefi.COMMON_BUFFER:
            if host not in self.buffers:
                raise FirmwareError("a common buffer that AllocateBuffer() has not allocated")
            made.address = made.address if self.place_of_page is None else self.place_of_page
        else:
            made.address = made.address if self.place is None else self.place
            made.copy = None if self.direct else self._copy_of(made)
        self._next_address += made.size + GAP & ~(uefi.PAGE - 1)
        number = next(self.firmware._numbers)
        self.mappings[number] = made
        size[0], address[0], mapping[0] = made.size, made.address, number
        return uefi.SUCCESS

    @staticmethod
    def _copy_of(mapping: Mapping) -> bytearray:
        if mapping.operation == uefi.BUS_MASTER_READ:
            return bytearray(ctypes.string_at(mapping.host, mapping.size))
        return bytearray([STALE]) * mapping.size

    def _unmap(self, this: int, mapping: int) -> int:
        if mapping not in self.mappings:
            raise FirmwareError(f"Unmap() of {mapping}")
        undone = self.mappings.pop(mapping)
        if undone.operation == uefi.BUS_MASTER_WRITE and self._unflushed:
            raise FirmwareError("Unmap() before Flush()")
        if undone.operation == uefi.BUS_MASTER_WRITE and undone.copy is not None:
            ctypes.memmove(undone.host, bytes(undone.copy), undone.size)
        return uefi.SUCCESS

    def _flush(self, this: int) -> int:
        self._unflushed = False
        return uefi.SUCCESS

    # ---- The chip's accesses to memory -----------------------------------------------------

    def _mapping(self, address: int, length: int, operation: int) -> tuple[Mapping, int]:
        if not self.enabled & uefi.ATTRIBUTE_BUS_MASTER:
            raise FirmwareError("the device is no bus master")
        for mapping in self.mappings.values():
            at = mapping.offset(address, length)
            if at is not None and mapping.operation in (operation, uefi.COMMON_BUFFER):
                return mapping, at
        raise FirmwareError(f"the chip accesses {length} bytes at {address:#x}")

    def poke(self, address: int, data: bytes) -> None:
        """Code of another driver"""
        self.other_memory[address] = data

    def _dma_read(self, address: int, length: int) -> bytes:
        if address in self.other_memory:
            return self.other_memory[address][:length]
        mapping, at = self._mapping(address, length, uefi.BUS_MASTER_READ)
        if mapping.copy is not None:
            return bytes(mapping.copy[at:at + length])
        return ctypes.string_at(mapping.host + at, length)

    def _dma_write(self, address: int, data: bytes) -> None:
        mapping, at = self._mapping(address, len(data), uefi.BUS_MASTER_WRITE)
        self._unflushed |= mapping.operation == uefi.BUS_MASTER_WRITE
        if mapping.operation == uefi.COMMON_BUFFER and not any(
                start <= at and at + len(data) <= start + size for start, size in self._own_places):
            raise FirmwareError(f"the chip writes {len(data)} bytes at {at:#x} of the driver's page")
        if mapping.copy is not None:
            mapping.copy[at:at + len(data)] = data
        else:
            ctypes.memmove(mapping.host + at, data, len(data))

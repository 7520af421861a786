# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The UEFI driver, compiled for the machine that runs the tests, and commands for it."""

from __future__ import annotations

import ctypes
import subprocess
from ctypes import c_uint8, c_uint64
from dataclasses import dataclass
from pathlib import Path

from tests.build import BUILD, TOP
from tests.efi.model import uefi
from tests.efi.model.firmware import Firmware
from tests.efi.model.pci import PciDevice
from tests.model.hardware import HARDWARE
from tests.model.target import CHECK_CONDITION, GOOD, Disk
from tests.native.machine import LIMIT_MS, OTHER, RECOVERY_NS, SECTOR, Outcome, calm
from tests.native.native import read10, write10

SOURCES = [*sorted((TOP / "efi").glob("*.c")), *sorted((TOP / "lsi").glob("*.c")),
           *sorted((TOP / "lsi/post").glob("*.[cS]")), TOP / "scsi/cdb.c", Path(__file__).parent / "entry.c"]
CFLAGS = ["-m64", "-O1", "-g", "-std=gnu11", "-fPIC", "-ffreestanding", "-fshort-wchar", "-Wall", "-Wextra",
          "-Werror", "-DEFIAPI=", "-DLSI_SPINS_UNDER_UEFI=8", '-DVERSION="test"', f"-I{TOP / 'efi'}", f"-I{TOP}",
          f"-I{BUILD}", f"-Wa,-I{TOP}"]
FILL, GUARD = 0xEE, 64
STATUS_BITS, TASK_ABORTED = 0x3E, 0x40      # [SCSI-2 "Status", SAM-3 "Status"]
SENSE_BYTES, TARGET_BYTES = 18, 16
UNITS_PER_MS = 10_000       # of 100 ns
# What PassThru() returns for each end of a command (scsi/hba.h) [UEFI 2.10
# "EFI_EXT_SCSI_PASS_THRU_PROTOCOL.PassThru()"]
ENDS = {
    (uefi.TIMEOUT, uefi.HOST_SELECTION): "NO_TARGET", (uefi.TIMEOUT, uefi.HOST_TIMEOUT_COMMAND): "TIMEOUT",
    (uefi.DEVICE_ERROR, uefi.HOST_BUS_RESET): "BUS_RESET", (uefi.DEVICE_ERROR, uefi.HOST_BUS_FREE): "BUS_FREE",
    (uefi.DEVICE_ERROR, uefi.HOST_PHASE): "PROTOCOL", (uefi.DEVICE_ERROR, uefi.HOST_PARITY): "PARITY",
    (uefi.DEVICE_ERROR, uefi.HOST_OTHER): "CHIP",
}


def build(target: Path) -> Path:
    """The shared library."""
    subprocess.run(["gcc", *CFLAGS, "-shared", "-Wl,-z,defs,-z,noexecstack", "-o", str(target), *map(str, SOURCES)],
                   check=True)
    return target


class Buffer:
    """Memory of the caller between two guards, at any address modulo a page."""

    def __init__(self, content: bytes, odd: int = 0):
        self.size = len(content)
        self._at = GUARD + odd
        self._memory = ctypes.create_string_buffer(bytes([FILL]) * self._at + content + bytes([FILL]) * GUARD)
        self.address = ctypes.addressof(self._memory) + self._at

    def content(self) -> bytes:
        """The guards have not changed."""
        everything = self._memory.raw[:-1]
        around = everything[:self._at] + everything[self._at + self.size:]
        assert around == bytes([FILL]) * len(around), "bytes outside the buffer have changed"
        return everything[self._at:self._at + self.size]


@dataclass
class Result:
    """The status of PassThru(), and what is in the packet."""
    status: int
    host: int
    target_status: int
    length: int
    data: bytes
    sense: bytes

    @property
    def outcome(self) -> Outcome:
        """As the tests of lsi/ have it"""
        end = self.status, self.host
        if end in ENDS:
            assert (self.target_status, self.length, self.sense) == (GOOD, 0, b"")
            return Outcome(ENDS[end])
        overrun = end == (uefi.DEVICE_ERROR, uefi.HOST_OVERRUN)
        assert overrun or end == (uefi.SUCCESS, uefi.HOST_OK), f"{self.status:#x}, {self.host:#x}"
        assert bool(self.sense) == (self.target_status == CHECK_CONDITION)
        return Outcome("OK", self.length, self.target_status, overrun)


def target_address(target: int) -> ctypes.Array:
    return (c_uint8 * TARGET_BYTES)(target)


class Driver:
    """The driver in memory, after its entry."""

    def __init__(self, firmware: Firmware):
        self.firmware = firmware
        self.image = firmware.new_handle()
        self.loaded = uefi.LoadedImage(system=ctypes.addressof(firmware.system))
        firmware.install(self.image, uefi.LOADED_IMAGE, ctypes.addressof(self.loaded))

    def load(self) -> int:
        return self.firmware.start_image(self.image)

    @property
    def binding(self) -> uefi.DriverBinding:
        return uefi.DriverBinding.from_address(self.firmware.protocols[self.image][uefi.DRIVER_BINDING])

    def _bind(self, function: str, handle: int, *more) -> int:
        binding = self.binding
        return self.firmware.call(getattr(binding, function), ctypes.addressof(binding), handle, *more)

    def supported(self, handle: int) -> int:
        return self._bind("supported", handle, None)

    def start(self, handle: int) -> int:
        return self._bind("start", handle, None)

    def stop(self, handle: int) -> int:
        return self._bind("stop", handle, 0, None)

    def unload(self) -> int:
        return self.firmware.call(self.loaded.unload, self.image, tpl=uefi.TPL_APPLICATION)


class Controller:
    """A controller that the driver manages."""

    def __init__(self, firmware: Firmware, device: PciDevice):
        self.firmware, self.device = firmware, device
        self.protocol = uefi.PassThru.from_address(firmware.protocols[device.handle][uefi.EXT_SCSI_PASS_THRU])
        self.mode = uefi.Mode.from_address(self.protocol.mode)

    def call(self, function: str, *arguments, tpl: int | None = None) -> int:
        return self.firmware.call(getattr(self.protocol, function), ctypes.addressof(self.protocol), *arguments,
                                  tpl=tpl)

    def pass_thru(self, cdb: bytes, target: int = 0, lun: int = 0, *, data_in: int = 0,
                  data_out: bytes | None = None, sense: int = SENSE_BYTES, timeout_ms: int = LIMIT_MS,
                  odd: int = 0, tpl: int | None = None) -> Result:
        """One command. Memory around the buffers must not change."""
        cdb_buffer, sense_buffer = Buffer(cdb), Buffer(bytes([FILL]) * sense)
        data = Buffer(bytes([FILL]) * data_in if data_out is None else data_out, odd)
        packet = uefi.Packet(timeout=timeout_ms * UNITS_PER_MS, cdb=cdb_buffer.address, cdb_length=len(cdb),
                             sense=sense_buffer.address, sense_length=sense, host_status=0xEE, target_status=0xEE)
        if data_out is None:
            packet.direction, packet.in_buffer, packet.in_length = uefi.DIRECTION_READ, data.address, data_in
        else:
            packet.direction, packet.out_buffer, packet.out_length = (
                uefi.DIRECTION_WRITE, data.address, len(data_out))
        status = self.send(packet, target, lun, timeout_ms, tpl)
        assert cdb_buffer.content() == cdb
        if data_out is not None:
            assert data.content() == data_out
        return Result(status, packet.host_status, packet.target_status,
                      packet.in_length if data_out is None else packet.out_length, data.content(),
                      sense_buffer.content()[:packet.sense_length])

    def send(self, packet: uefi.Packet, target: int = 0, lun: int = 0, timeout_ms: int = LIMIT_MS,
             tpl: int | None = None) -> int:
        """PassThru(). It ends in time, and leaves no mapping but that of the driver's page."""
        begun, events = self.device.chip.now, len(self.firmware.events)
        status = self.call("pass_thru", target_address(target), c_uint64(lun), ctypes.addressof(packet), None,
                           tpl=tpl)
        slower = 1 if self.firmware.timers_run else 4
        assert self.device.chip.now - begun <= slower * timeout_ms * 1_000_000 + RECOVERY_NS * slower, "too long"
        assert [m.operation for m in self.device.mappings.values()] == [uefi.COMMON_BUFFER]
        assert len(self.firmware.events) == events
        return status

    def read(self, lba: int = 1000, count: int = 3, target: int = 0, **options) -> Result:
        return self.pass_thru(read10(lba, count), target, data_in=count * SECTOR, **options)

    def write(self, data: bytes, lba: int = 1000, target: int = 0, **options) -> Result:
        return self.pass_thru(write10(lba, len(data) // SECTOR), target, data_out=data, **options)

    def test_unit_ready(self, target: int = 0, **options) -> Result:
        return self.pass_thru(bytes(6), target, **options)

    def reset_channel(self) -> int:
        return self.call("reset_channel")

    def reset_target(self, target: int, lun: int = 0) -> int:
        return self.call("reset_target_lun", target_address(target), c_uint64(lun))


class Computer:
    """A firmware with the driver and one controller. Disks at IDs 0 and 3, whose attentions have
    been reported. The tests of lsi/ run on it, too: read(), write(), test_unit_ready() and
    reset_target() are those of tests/native/machine.py."""

    def __init__(self, library: Path, variant: str = "895A", hardware: str = "silicon", *, started: bool = True,
                 found: int = 0):
        kind = HARDWARE[hardware].disk
        self.disk: Disk = kind()
        other = kind(content=lambda lba: bytes([OTHER]) * SECTOR)
        self.firmware = Firmware(library)
        self.device = PciDevice(self.firmware, {0: self.disk, OTHER: other}, variant, hardware, found)
        self.bus, self.chip, self.poke = self.device.bus, self.device.chip, self.device.poke
        self.driver = Driver(self.firmware)
        assert self.driver.load() == uefi.SUCCESS
        if started:
            self.start()

    def start(self) -> None:
        assert self.driver.supported(self.device.handle) == uefi.SUCCESS
        assert self.driver.start(self.device.handle) == uefi.SUCCESS
        self.controller = Controller(self.firmware, self.device)
        self.no_attentions()

    def no_attentions(self) -> None:
        for target in self.bus.targets.values():
            target.attentions.clear()

    def read(self, lba: int = 1000, count: int = 3, target: int = 0, **options) -> Outcome:
        result = self.controller.read(lba, count, target, **options)
        self._data = result.data
        return result.outcome

    def write(self, data: bytes, lba: int = 1000, **options) -> Outcome:
        return self.controller.write(data, lba, **options).outcome

    def test_unit_ready(self, target: int = 0) -> Outcome:
        return self.controller.test_unit_ready(target).outcome

    def reset_target(self, target: int) -> int:
        return self.controller.reset_target(target)

    def status_of(self, status: int) -> int:
        """In the packet, if a target sends this one: without reserved bits"""
        return status if status == TASK_ABORTED else status & STATUS_BITS

    def data(self) -> bytes:
        """What the last read has left in the caller's buffer."""
        return self._data

    def stored(self, lba: int = 1000, count: int = 3, target: int = 0) -> bytes:
        """The blocks of a disk."""
        return b"".join(self.bus.targets[target].block(lba + i) for i in range(count))

    def check_read(self, lba: int = 1000, count: int = 3, target: int = 0) -> None:
        assert self.read(lba, count, target) == Outcome("OK", count * SECTOR)
        assert self.data() == self.stored(lba, count, target)

    def check_recovery(self) -> None:
        """The next commands end with a status, at once, and transfer data. A disk that has been reset
        reports it first."""
        calm(self.disk)
        for target in (OTHER, 0):
            outcome = self.test_unit_ready(target)
            assert outcome.result == "OK" and outcome.status in (GOOD, CHECK_CONDITION)
            self.no_attentions()
            self.check_read(7, 2, target)

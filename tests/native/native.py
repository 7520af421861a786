# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""scsi/ and lsi/ compiled for the machine that runs the tests, on the chip
model. The machine interface is that of tests/native/pc.
"""

from __future__ import annotations

import ctypes
import mmap
import subprocess
from pathlib import Path

from tests.build import BUILD, TOP
from tests.model.bus import Bus
from tests.model.hardware import HARDWARE
from tests.model.rules import RuleViolation
from tests.model.variants import variant_named

NATIVE = TOP / "tests/native"
FOLDERS = ["lsi", "lsi/post", "scsi", "scsi/post"]
CFLAGS = ["-m64", "-O1", "-g", "-std=gnu11", "-fPIC", "-ffreestanding", "-Wall", "-Wextra", "-Werror",
          "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wconversion", "-Wswitch-enum",
          f"-I{NATIVE}", f"-I{BUILD}", f"-I{TOP}", f"-Wa,-I{TOP}"]

MEMORY_BYTES = 24 << 20
BUS_ADDRESS = 0x3000_0000   # of the memory; nowhere near its place in the process
STACK_ADDRESS, STACK_BYTES = 0x5000_0000, 0x4000    # of the stack, for functions that have objects there
DATA_AT = 1 << 20           # where commands have their data
MIB = 1 << 20
LATE_US = 1 << 40           # more than any time limit
ACCESS_NS = 700             # of a register access
SENSE_BYTES = 18

HBA = ["OK", "NO_TARGET", "TIMEOUT", "BUS_RESET", "BUS_FREE", "PROTOCOL", "PARITY", "CHIP"]
NO_DATA, DATA_IN, DATA_OUT = 0, 1, 2
INSTANT, NO_PARITY, LED = 1, 2, 4   # flags of native_open()


def sources(folders: list[str] = FOLDERS) -> list[Path]:
    return sorted(path for folder in folders for path in (TOP / folder).glob("*.[cS]"))


def build(target: Path) -> Path:
    """The shared library."""
    files = map(str, [*sources(), NATIVE / "native.c"])
    subprocess.run(["gcc", *CFLAGS, "-shared", "-Wl,-z,defs,-z,noexecstack", "-o", str(target), *files],
                   check=True)
    return target


class Range(ctypes.Structure):
    """struct phys_range"""
    _fields_ = [("address", ctypes.c_uint32), ("bytes", ctypes.c_uint32)]


class Request(ctypes.Structure):
    """struct hba_request"""
    _fields_ = [("target", ctypes.c_uint8), ("lun", ctypes.c_uint8), ("direction", ctypes.c_uint8),
                ("cdb_bytes", ctypes.c_uint8), ("cdb", ctypes.c_uint8 * 16),
                ("timeout_ms", ctypes.c_uint32), ("data_bytes", ctypes.c_uint32), ("data", Range),
                ("more", ctypes.POINTER(Range)), ("least_bytes", ctypes.c_uint32),
                ("patience_ms", ctypes.c_uint16), ("status", ctypes.c_uint8), ("overrun", ctypes.c_bool),
                ("moved", ctypes.c_uint32)]


READ = ctypes.CFUNCTYPE(ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32)
WRITE = ctypes.CFUNCTYPE(None, ctypes.c_uint32, ctypes.c_uint32, ctypes.c_uint32)
PASS = ctypes.CFUNCTYPE(ctypes.c_uint64, ctypes.c_uint64)
PAUSE = ctypes.CFUNCTYPE(None)
WAIT = ctypes.CFUNCTYPE(ctypes.c_uint64)


class Model(ctypes.Structure):
    """struct model"""
    _fields_ = [("read", READ), ("write", WRITE), ("pass_us", PASS), ("pause", PAUSE),
                ("wait", WAIT)]


class Native:
    """One controller with its driver, and targets on its bus."""

    access_ns = ACCESS_NS
    pause_us = 1000     # most between two polls of memory: so that a test with a time-out is quick

    def __init__(self, library: Path, targets: dict[int, object], hardware: str = "silicon",
                 variant: str = "895A", *, disconnects: int = 0, parity: bool = True, led: bool = False):
        self._c = ctypes.CDLL(str(library))
        self._c.native_stack.restype = ctypes.c_uint64
        self.bus = Bus()
        self.bus.targets = targets
        self.memory = mmap.mmap(-1, MEMORY_BYTES)
        self.chip = HARDWARE[hardware].chip(variant_named(variant), self.bus, self._dma_read, self._dma_write)
        self.chip.power_on()
        if led:
            self.chip.set_led()
        emulated = hardware.startswith("qemu")    # whose model takes no time for a reset
        if emulated:
            self.chip.reset_to_selection_ns = 0
            self.chip.clf_stays = True
        self._failure: BaseException | None = None
        self._late_us = 0
        self._idle_ns = ACCESS_NS
        self._place = (ctypes.c_uint8 * MEMORY_BYTES).from_buffer(self.memory)
        self._c.native_place(self._place, MEMORY_BYTES, BUS_ADDRESS)
        assert self._c.native_driver_bytes() <= DATA_AT
        assert self._c.native_request_bytes() == ctypes.sizeof(Request)
        self.request = Request.from_buffer(self.memory, self._c.native_request_at())
        self._model = Model(READ(self._guarded(self._read, 0xFFFFFFFF)),
                            WRITE(self._guarded(self._write, None)),
                            PASS(self._guarded(self._pass_us, None)),
                            PAUSE(self._guarded(self._pause, None)),
                            WAIT(self._guarded(self._wait, None)))
        self._more = None
        self._moved = self._c.native_moved_at(), self._c.native_moved_bytes()
        self._sense_at = self._c.native_sense_at()
        self.ranges: list[Range] = []
        self.other_memory: dict[int, bytes] = {}    # of another driver
        chip = self.chip.variant
        flags = INSTANT * emulated | NO_PARITY * (not parity) | LED * led
        self._options = ctypes.byref(self._model), chip.device, chip.revision, flags, disconnects
        self._start()

    def _start(self) -> None:
        assert self.stop() == self.open() == "OK"

    # ---- The model's side

    def _guarded(self, method, otherwise):
        """An exception cannot pass through C: keep it, and let the driver give
        up at once."""
        def call(*arguments):
            if self._failure is None:
                try:
                    return method(*arguments)
                except BaseException as failure:
                    self._failure = failure
            self._late_us += LATE_US
            return self._late_us if method in (self._pass_us, self._wait) else otherwise
        return call

    def _read(self, offset: int, size: int) -> int:
        self.chip.advance(self.access_ns)
        return self.chip.cpu_read(offset, size)

    def _write(self, offset: int, size: int, value: int) -> None:
        self.chip.advance(self.access_ns)
        self._idle_ns = ACCESS_NS
        self.chip.cpu_write(offset, value, size)

    def _pass_us(self, us: int) -> int:
        self.chip.advance(us * 1000)
        return self.chip.now // 1000

    def _pause(self) -> None:
        """Shorter if the program stops."""
        chip = self.chip
        end = chip.now + self.pause_us * 1000
        while chip.scripts.running and chip.now < end:
            chip.step(end)
        chip.advance(ACCESS_NS)

    def _wait(self) -> int:
        """Each wait in a row is longer while no program runs."""
        if self.chip.scripts.running:
            self._pause()
        else:
            self.chip.advance(self._idle_ns)
            self._idle_ns = min(2 * self._idle_ns, self.pause_us * 1000)
        return self.chip.now // 1000

    def _offset(self, address: int, length: int) -> int:
        at = address - BUS_ADDRESS
        if not 0 <= at <= MEMORY_BYTES - length:
            raise RuleViolation("DMA outside memory", f"{address:#x}")
        return at

    @staticmethod
    def _on_stack(address: int, length: int) -> bool:
        return 0 <= address - STACK_ADDRESS <= STACK_BYTES - length

    def poke(self, address: int, data: bytes) -> None:
        """Code of another driver"""
        self.other_memory[address] = data

    def _dma_read(self, address: int, length: int) -> bytes:
        if address in self.other_memory:
            return self.other_memory[address][:length]
        if self._on_stack(address, length):
            return ctypes.string_at(self._c.native_stack() + address - STACK_ADDRESS, length)
        at = self._offset(address, length)
        return self.memory[at:at + length]

    def _dma_write(self, address: int, data: bytes) -> None:
        at = self._offset(address, len(data))
        self._check_own_memory(address, len(data))
        self.memory[at:at + len(data)] = data

    def _check_own_memory(self, address: int, length: int) -> None:
        """The chip writes into the caller's data and into members that are meant for it."""
        places = [(BUS_ADDRESS + at, size) for at, size in (self._moved, (self._sense_at, SENSE_BYTES))]
        if self.request.direction == DATA_IN:
            places += [(r.address, r.bytes) for r in self.ranges]
        if not any(start <= address and address + length <= start + size for start, size in places):
            raise RuleViolation("DMA into our memory", f"{length} bytes at {address:#x}")

    # ---- The driver's side

    def _call(self, function: str, *arguments) -> int:
        result = self._call_within(function, *arguments)
        self.chip.check_idle()
        return result

    def _call_within(self, function: str, *arguments) -> int:
        """A call after which the driver is not done."""
        result = getattr(self._c, function)(self._place, *arguments)
        if self._failure is not None:
            failure, self._failure = self._failure, None
            raise failure
        return result

    def prepare(self, cdb: bytes, direction: int = NO_DATA, data_bytes: int = 0, target: int = 0, *,
                lun: int = 0, timeout_ms: int = 10_000, pieces: list[int] | None = None) -> None:
        """Fill in the request. The data lies at DATA_AT, or in pieces of these
        lengths with a gap after each."""
        request = self.request
        request.target, request.lun, request.direction = target, lun, direction
        request.cdb_bytes = len(cdb)
        request.cdb[:len(cdb)] = cdb
        request.timeout_ms, request.patience_ms = timeout_ms, 5_000
        request.data_bytes = request.least_bytes = data_bytes
        at, ranges = BUS_ADDRESS + DATA_AT, []
        for length in pieces or [data_bytes]:
            ranges.append(Range(at, length))
            at += length + GAP
        self.ranges = ranges
        request.data = ranges[0]
        self._more = (Range * len(ranges[1:]))(*ranges[1:])
        request.more = self._more
        request.moved = 0xEEEEEEEE

    def data(self) -> bytes:
        """The content of the memory of the request's data."""
        return b"".join(self._dma_read(r.address, r.bytes) for r in self.ranges)

    def set_data(self, data: bytes) -> None:
        for r in self.ranges:
            at = self._offset(r.address, r.bytes)
            self.memory[at:at + r.bytes] = data[:r.bytes]
            data = data[r.bytes:]

    def stop(self) -> str:
        """lsi_stop(): enum hba_result without its prefix."""
        return HBA[self._call_within("native_stop", *self._options)]

    def open(self) -> str:
        """lsi_open(): enum hba_result without its prefix."""
        return HBA[self._call("native_open", *self._options)]

    def execute(self) -> str:
        """lsi_execute(): enum hba_result without its prefix."""
        return HBA[self._call("native_execute")]

    def command(self) -> int:
        """scsi_command(): enum scsi_result."""
        return self._call("native_command")

    def format(self, target: int = 0, lun: int = 0) -> int:
        """service_format(): enum scsi_result; then `progress` is set."""
        self.request.target, self.request.lun, self.request.direction = target, lun, NO_DATA
        return self._call("native_format")

    def format_progress(self) -> int:
        """service_format_progress() of the same unit: enum scsi_result."""
        return self._call("native_format_progress")

    @property
    def progress(self) -> int:
        return self._call("native_progress")

    def reset(self) -> bool:
        """scsi_reset(): whether the bus is suspect then."""
        return bool(self._call("native_reset"))

    def reset_target(self, target: int, lun: int = 0) -> str:
        """lsi_reset_target(): enum hba_result without its prefix."""
        self.request.target, self.request.lun = target, lun
        return HBA[self._call("native_reset_target")]

    def sense(self) -> bytes:
        return self.memory[self._sense_at:self._sense_at + SENSE_BYTES]


GAP = 4096


def read10(lba: int, count: int) -> bytes:
    return bytes([0x28, 0, *lba.to_bytes(4, "big"), 0, *count.to_bytes(2, "big"), 0])


def write10(lba: int, count: int) -> bytes:
    return bytes([0x2A, *read10(lba, count)[1:]])

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The drivers compared: a machine for each driver, all with the same medium, and
the agent in the guest that makes the calls.

A machine runs only during an order: an agent that waits for orders would take a
whole processor from the machine being timed.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tests.boot import bootcds
from tests.build import TOP
from tests.qemu.agent import (PACKET, SENT_ECX, STEP, STEP_BYTES, Agent, Registers, assemble,
                              build_agent)
from tests.qemu.machine import PATHS, BootPath, Machine, cd_arguments

OURS, SEABIOS, BARE = "this ROM", "SeaBIOS", "bare loop"

SECTOR = 512
DISK_SECTORS = 65536     # 32 MiB
CD_BLOCKS = 8192         # 16 MiB
DISK_DRIVE, CD_DRIVE = 0x80, 0xE0
DISK_ID, CD_ID = 0, 2

BARE_BASE, BARE_VECTOR = 0x5000, 0x60
BAR0 = 0x10
MOST_ATTENTIONS = 8      # unit attentions after power-on

PLAIN = "format=raw"    # no snapshot: reads come from the file itself


@dataclass(frozen=True)
class Side:
    """A driver: how its machine is started, and the option ROM of its
    controller."""
    name: str
    path: BootPath
    rom: Path | None = None
    disk: str = "scsi-hd,bus=scsi.0,scsi-id=0"
    vector: int = 0x13
    writes: bool = True


SIDES = [
    Side(OURS, PATHS["microvm"], PATHS["microvm"].rom),
    Side(SEABIOS, PATHS["seabios"]),
    Side(BARE, PATHS["microvm"], vector=BARE_VECTOR),
    Side("virtio-scsi", BootPath(device="virtio-scsi-pci")),
    Side("AHCI", BootPath(device="ich9-ahci"), disk="ide-hd,bus=scsi.0"),
    # On QEMU 10.0 its driver hangs after a write
    Side("AM53C974", BootPath(device="am53c974"), writes=False),
]
MAIN_SIDES = SIDES[:3]


class Outcome(NamedTuple):
    """Result of a run: the place of the last step (an LBA, or the ECX of a call),
    the number of calls with CF set, and the guest's time-stamp counter at the
    start and the end."""
    place: int
    failed: int
    began: int
    ended: int


class Bench:
    """A machine of one side; it is stopped between orders."""

    def __init__(self, side: Side, machine: Machine, drive: int, image: Path):
        self.side = side
        self.machine = machine
        self.drive = drive
        self.image = image
        self.agent = Agent(machine)
        self.machine.qmp("stop")

    @contextlib.contextmanager
    def running(self) -> Iterator[Agent]:
        self.machine.qmp("cont")
        try:
            yield self.agent
        finally:
            self.machine.qmp("stop")

    def put_steps(self, into_ecx: bool, *numbers: int) -> None:
        """Set how each call differs from the previous one: state, factor, addend,
        mask, base (tests/qemu/guest/agent.S)."""
        at = SENT_ECX if into_ecx else PACKET + 8
        self.agent.write(STEP, struct.pack("<7I", at, *numbers, 0))

    def outcome(self) -> Outcome:
        """The outcome of the last order. QEMU reads it: under KVM each byte on
        the agent's serial line causes several exits."""
        _, state, _, _, mask, base, failed, _, began, ended = struct.unpack(
            "<8I2Q", self.machine.read_memory(STEP, STEP_BYTES))
        return Outcome((state >> 8 & mask) + base, failed, began, ended)

    # ---- The bare loop -----------------------------------------------------------

    def load_bare_loop(self, target: int, block_shift: int) -> None:
        """Put the loop into memory with the address of the chip, and clear the
        unit attentions."""
        io = self._io_base()
        program = assemble("bare", f"-I{TOP}", f"-Wa,-I{TOP}", f"-DBASE={BARE_BASE}", f"-DIO={io}",
                           f"-DTARGET={target}", f"-DBLOCK_SHIFT={block_shift}")
        self.agent.write(BARE_BASE, program)
        self.agent.write(BARE_VECTOR * 4, struct.pack("<HH", 0, BARE_BASE >> 4))
        for _ in range(MOST_ATTENTIONS):
            if not self.agent.interrupt(BARE_VECTOR, Registers().with_halves(ah=0)).cf:
                return
        raise RuntimeError("the bare loop cannot access its unit")

    def _pci_bios(self, **values: int) -> Registers:
        after = self.agent.interrupt(0x1A, Registers().with_halves(**values))
        if after.cf:
            raise RuntimeError("the bare loop finds no chip")
        return after

    def _io_base(self) -> int:
        """I/O base of the first 53C895A; enables its I/O space and bus mastering."""
        where = self._pci_bios(ax=0xB102, cx=0x0012, dx=0x1000, si=0).bx
        self._pci_bios(ax=0xB10C, bx=where, di=4, cx=0x0007)
        return self._pci_bios(ax=0xB10A, bx=where, di=BAR0).ecx & ~3


# ---- Machines ------------------------------------------------------------------------


def pattern_disk(file: Path) -> Path:
    """A disk in which every dword differs."""
    file.write_bytes(bootcds.pattern(DISK_SECTORS, 0))
    return file


def disk_unit(side: Side, image: Path, number: int = 0) -> list[str]:
    """Arguments for a disk on this side's controller."""
    place = side.disk.replace("scsi-id=0", f"scsi-id={number}")
    return ["-drive", f"if=none,id=disk{number},file={image},{PLAIN}",
            "-device", f"{place},drive=disk{number}"]


@contextlib.contextmanager
def disk_bench(side: Side, directory: Path, accelerator: str, *more: str) -> Iterator[Bench]:
    """A machine with its own disk, which may be written."""
    image = pattern_disk(directory / f"{side.name}-{accelerator}.img")
    with Machine(side.path, *disk_unit(side, image), *more, accelerator=accelerator,
                 rom=side.rom, with_agent=build_agent()) as machine:
        bench = Bench(side, machine, DISK_DRIVE, image)
        if side.name == BARE:
            with bench.running():
                bench.load_bare_loop(DISK_ID, 9)
        yield bench
    image.unlink()


@contextlib.contextmanager
def cd_bench(side: Side, directory: Path, accelerator: str) -> Iterator[Bench]:
    """The agent boots from the CD, since a BIOS has drive numbers only for booted
    CDs. The bare loop needs no drive number, and its BIOS has no driver."""
    disc = bootcds.disc(directory / f"{side.name}-{accelerator}.iso",
                        bootcds.Entry(bootcds.agent_code(), count=8), blocks=CD_BLOCKS)
    with Machine(side.path, *cd_arguments(disc.file, CD_ID), accelerator=accelerator,
                 rom=side.rom,
                 with_agent=build_agent() if side.name == BARE else None) as machine:
        bench = Bench(side, machine, CD_DRIVE, disc.file)
        if side.name == BARE:
            with bench.running():
                bench.load_bare_loop(CD_ID, 11)
        yield bench
    disc.file.unlink()

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A machine that has booted the agent from a CD, and helpers for CD tests (ring 2)."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.boot.bootcds import (BLOCK, FLOPPY_1200, FLOPPY_1440, FLOPPY_2880, HARD_DISK,
                                NO_EMULATION, Disc, Entry, agent_code, disc, drive_image,
                                geometry_of, pattern)
from tests.qemu.agent import Registers
from tests.qemu.calls import OK, SECTOR, Bench, bench
from tests.qemu.machine import Machine, cd_arguments

CD, FLOPPY, DISK, ANY = 0xE0, 0x00, 0x80, 0x7F
CD_ID = 2

on_each_path = pytest.mark.parametrize("path", ["microvm", "nolsi", "c810", "bochs"])
on_two_paths = pytest.mark.parametrize("path", ["microvm", "c810"])
KIND = {NO_EMULATION: "no-emulation", FLOPPY_1200: "1.2", FLOPPY_1440: "floppy",
        FLOPPY_2880: "2.88", HARD_DISK: "hard-disk"}.get
of_each_kind = pytest.mark.parametrize("medium", [FLOPPY_1440, HARD_DISK], ids=KIND)

ENTRY = 0x3F00
ENTRY_BYTES = 46


@dataclass(frozen=True)
class Entered:
    """CPU registers at the entry of a boot image."""
    registers: Registers
    ss: int
    cs: int
    ip: int

    @classmethod
    def of(cls, pc: Bench) -> Entered:
        data = bytes(pc.ram[ENTRY:ENTRY + ENTRY_BYTES])
        return cls(Registers.unpack(data[:40]), *struct.unpack("<3H", data[40:]))


def drive_of(medium: int) -> int:
    return DISK if medium == HARD_DISK else FLOPPY


class Tray:
    """Controls the CD drive from the host, through QMP."""

    def __init__(self, machine: Machine):
        self._qmp = machine.qmp
        self._name = f"dev{CD_ID}"
        self._nodes = 0

    def press_button(self) -> None:
        self._qmp("eject", id=self._name)

    def take_out(self) -> None:
        self._qmp("blockdev-open-tray", id=self._name, force=True)
        self._qmp("blockdev-remove-medium", id=self._name)

    def put_in(self, new: Disc) -> None:
        self._nodes += 1
        node = f"medium{self._nodes}"
        self._qmp("blockdev-add", driver="raw", node_name=node, read_only=True,
                  file={"driver": "file", "filename": str(new.file)})
        self._qmp("blockdev-open-tray", id=self._name, force=True)
        self._qmp("blockdev-insert-medium", id=self._name, node_name=node)
        self._qmp("blockdev-close-tray", id=self._name)

    def change(self, new: Disc) -> None:
        self.take_out()
        self.put_in(new)

    def _state(self, key: str) -> bool:
        devices = {entry.get("qdev"): entry for entry in self._qmp("query-block")}
        return devices[self._name][key]

    @property
    def locked(self) -> bool:
        return self._state("locked")

    @property
    def is_open(self) -> bool:
        return self._state("tray_open")


@contextlib.contextmanager
def booted(path: str, directory: Path, cd: Disc, *arguments: str, extra: str = "",
           bad: tuple[int, int] | None = None) -> Iterator[Bench]:
    """The agent, booted from the CD. `bad` is an unreadable block and its error
    number."""
    drive = cd_arguments(cd.file, CD_ID, extra)
    if bad:
        drive = cd_arguments(*unreadable(cd, *bad), extra)
    with bench(None, path, directory, *drive, *arguments) as pc:
        pc.tray = Tray(pc.machine)
        pc.disc = cd
        yield pc


def unreadable(cd: Disc, lba: int, number: int) -> tuple[str, int]:
    return (f"blkdebug::{cd.file},file.inject-error.0.event=read_aio,"
            f"file.inject-error.0.errno={number},file.inject-error.0.sector={lba * 4}", CD_ID)


def image_of(cd: Disc, number: int = 0) -> bytes:
    """Contents of the disc from the start of one of its images to the end of the disc."""
    return cd.blocks_from(cd.lbas[number], cd.blocks - cd.lbas[number])


def check_status(registers: Registers, status: int) -> Registers:
    assert (registers.ah, registers.cf) == (status, status != OK)
    return registers


def check_read(pc: Bench, lba: int, count: int = 1, drive: int = CD, cd: Disc | None = None) -> None:
    """AH=42h reads the blocks of the disc and writes nothing beside the buffer."""
    pc.put(0x10001, bytes(count * BLOCK))
    pc.expect(pc.edd(0x42, lba, count, 0x10001, drive=drive), OK)
    pc.check_memory(0x10001, (cd or pc.disc).blocks_from(lba, count))


def sector_of(image: bytes, sector: int, count: int = 1) -> bytes:
    return image[sector * SECTOR:(sector + count) * SECTOR]


def read_chs(pc: Bench, drive: int, geometry: tuple[int, int, int], sector: int, count: int,
             address: int = 0x10001, function: int = 0x02) -> Registers:
    _, heads, track = geometry
    return pc.chs(function, sector, count, address, (heads, track), drive)


def check_read_chs(pc: Bench, drive: int, medium: int, image: bytes, sector: int,
                   count: int = 1) -> None:
    pc.put(0x10001, bytes(count * SECTOR))
    result = check_status(read_chs(pc, drive, geometry_of(medium), sector, count), OK)
    assert result.al == count
    pc.check_memory(0x10001, sector_of(image, sector, count))


OUR_DISK = pattern(4096, 0x0C)


def plain_disc(folder: Path) -> Disc:
    """A no-emulation boot image, and two drive images that are not in the catalog."""
    return disc(folder / "plain.iso", Entry(agent_code()),
                more=(drive_image(FLOPPY_1440, agent_code(), 2),
                      drive_image(HARD_DISK, agent_code(), 3)),
                blocks=2000)


def other_disc(folder: Path) -> Disc:
    """Larger than `plain_disc`, with other data after its boot image."""
    return disc(folder / "other.iso", Entry(agent_code()), more=(pattern(8000, 0xBB),), blocks=3000)


def emulated_discs(folder: Path) -> dict[int, Disc]:
    """A disc with an emulated drive for each media type."""
    return {medium: disc(folder / f"emulated-{medium}.iso",
                         Entry(drive_image(medium, agent_code()), medium, 0x7C0, count=1))
            for medium in (FLOPPY_1200, FLOPPY_1440, FLOPPY_2880, HARD_DISK)}

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: a machine with one controller, for the BIOS tests."""

from __future__ import annotations

import struct

from tests.build import ROM_810, ROM_895A
from tests.model.bios_data import SEABIOS, SPECIFICATION
from tests.model.devices import FwCfg
from tests.model.pc import BUFFER, SEEDS, Pc
from tests.model.target import Disk

ROMS = {"895A": ROM_895A, "810": ROM_810}
OK, BAD_COMMAND, TIMEOUT, NOT_READY = 0x00, 0x01, 0x80, 0xAA
SECOND = 1_000_000_000
INT13 = 0x13 * 4
PNP_MANNERS = [SEABIOS, SPECIFICATION]


def named_disk(scsi_id: int, **options) -> Disk:
    """A disk whose sectors contain its SCSI ID."""
    return Disk(content=lambda lba: bytes([scsi_id]) * 508 + lba.to_bytes(4, "little"), **options)


def machine(*ids: int, variant: str = "895A", **options) -> Pc:
    """A machine before POST, with disks at these IDs."""
    pc = Pc(ROMS[variant], variant, **options)
    pc.bus.targets = {scsi_id: named_disk(scsi_id) for scsi_id in ids}
    return pc


def booted(*ids: int, **options) -> Pc:
    pc = machine(*(ids or (0, 3)), **options)
    pc.power_on()
    return pc


def id_of(pc: Pc, drive: int) -> int:
    """The SCSI ID of the disk that answers under a drive number."""
    pc.poke(BUFFER, b"\xEE" * 1024)
    result = pc.read(77, 2, drive)
    assert (result.ah, result.cf) == (OK, False)
    data = pc.peek(BUFFER, 1024)
    assert data[508:512] == struct.pack("<I", 77) and data[1020:] == struct.pack("<I", 78)
    return data[0]


def check_passed_on(pc: Pc, drive: int) -> None:
    """The call for a drive of the BIOS reaches the BIOS with all registers unchanged."""
    before = len(pc.bios.passed_on)
    result = pc.int13(ah=0x02, dl=drive)
    assert (result.ah, result.cf) == (BAD_COMMAND, True)
    seen = pc.bios.passed_on[-1]
    assert len(pc.bios.passed_on) == before + 1
    expected = {**SEEDS, "eax": 0xAAAA0207, "edx": 0xDDDD5D00 | drive}
    assert {name: seen[name] for name in expected} == expected


def host(order: bytes | None = None, geometry: bytes | None = None, **options) -> FwCfg:
    files = {"etc/something": b"x" * 100, "bootorder": order, "bios-geometry": geometry}
    return FwCfg({n: d for n, d in files.items() if d is not None}, **options)


def geometry(pc: Pc, drive: int = 0x80) -> tuple[int, int, int]:
    result = pc.int13(ah=0x08, dl=drive, changes="ax bl cx dx")
    assert not result.cf
    return (result.ch | (result.cl & 0xC0) << 2) + 1, result.dh + 1, result.cl & 0x3F

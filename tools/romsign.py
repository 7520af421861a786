#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Stamp, inspect and verify a PCI option ROM file of lsi8xx-rom.

A file has a BIOS image and may have EFI images after it, one for each machine.
Stamping writes the PCI IDs, the device list, the lengths and all checksums into
the BIOS image, pads it, and makes EFI images from driver files. [PCI 3.0 firmware
"Expansion ROM", PnP-BIOS 1.0A "Option ROM header", UEFI 2.10 "PCI Option ROMs",
PE-COFF]
"""

from __future__ import annotations

import argparse
import os
import re
import struct
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = 512
MAX_BLOCKS = 128  # 64 KiB: one segment, the limit of 86Box and of our EPROMs
LEAST_FILE_BYTES = 4096  # UEFI takes a ROM BAR of 2 KiB, the smallest one, for none
USUAL_BAR_BYTES = 64 * 1024
ROM_SIGNATURE = b"\x55\xaa"
CHECKSUM_AT = 0x06
PCIR_POINTER_AT = 0x18
PNP_POINTER_AT = 0x1A
PCIR_FORMAT = "<4sHHHHB3sHHBBHHH"
PCIR_BYTES = struct.calcsize(PCIR_FORMAT)
PNP_FORMAT = "<4sBBHBBIHH3sBHHHHH"
PNP_BYTES = struct.calcsize(PNP_FORMAT)
PNP_CHECKSUM_AT = 9
PNP_MOST_HEADERS = 64
DEVICE_LIST_WORDS = 24  # as reserved by rom/header.S
LAST_IMAGE = 0x80
EPROM_KIB = (16, 32, 64)
CODE_TYPE_PC = 0
CODE_TYPE_EFI = 3
CLASS_SCSI = bytes([0x00, 0x00, 0x01])

EFI_FORMAT = "<2sHIHHH8xHH"
EFI_SIGNATURE = 0x0EF1
EFI_PCIR_AT = 0x1C
EFI_MOST_BLOCKS = 255   # a BIOS that scans memory reads one byte of the length
EFI_SUM = 0xFF          # of all bytes: such a BIOS runs an image whose sum is 0
X64, AARCH64 = 0x8664, 0xAA64
MACHINES = {X64: "x64", AARCH64: "AArch64"}
SUBSYSTEM_DRIVER = 11   # boot service driver

DOS_FORMAT = "<2s58xI"
PE_FORMAT = "<4sHH12xHH"
PE_BYTES = struct.calcsize(PE_FORMAT)
OPTIONAL_FORMAT = "<H14xI12xI20xII4xH38xI"   # without the data directories
OPTIONAL_BYTES = struct.calcsize(OPTIONAL_FORMAT)
MOST_DIRECTORIES = 16
PE32_PLUS = 0x020B
DIRECTORY_CERTIFICATES, DIRECTORY_RELOCATIONS = 4, 5
SECTION_FORMAT = "<8sIIII12xI"
SECTION_BYTES = struct.calcsize(SECTION_FORMAT)
PAGE = 4096
RELOCATIONS_STRIPPED = 0x0001
SECTION_EXECUTE, SECTION_WRITE = 0x20000000, 0x80000000
RELOCATION_NONE, RELOCATION_64_BITS = 0, 10


class RomError(Exception):
    """The image or an argument is invalid; the text gives the reason."""


@dataclass
class Pcir:
    offset: int
    vendor: int
    device: int
    list_pointer: int
    length: int
    revision: int
    device_class: bytes
    blocks: int
    code_revision: int
    code_type: int
    indicator: int
    run_time_blocks: int
    config_pointer: int
    clp_pointer: int
    devices: list[int] = field(default_factory=list)


@dataclass
class Pnp:
    offset: int
    revision: int
    length: int
    next: int
    eisa_id: int
    manufacturer: str
    product: str
    device_type: bytes
    indicators: int
    bcv: int
    disconnect: int
    bev: int


@dataclass
class Rom:
    """The BIOS image, the first of a file."""
    blocks: int
    entry: int
    pcir: Pcir
    pnp: list[Pnp]


@dataclass
class Section:
    """A section of a driver: where it is in memory and in the file."""
    name: str
    virtual_bytes: int
    address: int
    file_bytes: int
    file_at: int
    flags: int

    @property
    def memory(self) -> range:
        return range(self.address, self.address + (self.virtual_bytes or self.file_bytes))

    @property
    def content(self) -> range:
        return range(self.file_at, self.file_at + self.file_bytes)


@dataclass
class Pe:
    """The headers of a driver file."""
    machine: int
    flags: int
    table_at: int       # of the section headers
    entry: int
    alignment: int
    image_bytes: int
    header_bytes: int
    subsystem: int
    directories: list[tuple[int, int]]
    sections: list[Section]

    def directory(self, number: int) -> tuple[int, int]:
        """Address and size; (0, 0) if there is none."""
        return self.directories[number] if number < len(self.directories) else (0, 0)


@dataclass
class Efi:
    """An EFI image. The offsets of PE and PCIR are from its start."""
    at: int             # in the file
    used_blocks: int    # without padding after the driver
    signature: int
    subsystem: int
    machine: int
    compression: int
    pe_at: int
    pcir: Pcir
    sum: int            # of the bytes that a BIOS would check
    driver: bytes


# ---- The BIOS image ----------------------------------------------------------------


def _need(image: bytes, offset: int, size: int, what: str) -> None:
    if offset < 0 or offset + size > len(image):
        raise RomError(f"{what} at {offset:#x} is outside the image")


def _word(image: bytes, offset: int) -> int:
    return struct.unpack_from("<H", image, offset)[0]


def _text(image: bytes, offset: int) -> str:
    if not offset:
        return ""
    end = image.find(b"\0", offset)
    if end < 0:
        raise RomError(f"text at {offset:#x} is not terminated")
    return image[offset:end].decode("ascii", "replace")


def parse_pcir(image: bytes) -> Pcir:
    """The PCI data structure; raises RomError if there is none."""
    offset = _word(image, PCIR_POINTER_AT)
    _need(image, offset, PCIR_BYTES, "PCIR")
    if offset % 4:
        raise RomError(f"PCIR at {offset:#x} is not aligned to 4 bytes")
    magic, *values = struct.unpack_from(PCIR_FORMAT, image, offset)
    if magic != b"PCIR":
        raise RomError(f"no PCIR signature at {offset:#x}")
    pcir = Pcir(offset, *values)
    if pcir.list_pointer:
        at = offset + pcir.list_pointer
        while True:
            _need(image, at, 2, "device list")
            device = _word(image, at)
            if not device:
                break
            pcir.devices.append(device)
            at += 2
    return pcir


def parse_pnp(image: bytes) -> list[Pnp]:
    """The chain of PnP headers; raises RomError if a link is broken."""
    headers: list[Pnp] = []
    offset = _word(image, PNP_POINTER_AT)
    while offset:
        _need(image, offset, PNP_BYTES, "PnP header")
        (magic, revision, length, next_offset, _, _, eisa, maker, product,
         kind, indicators, bcv, disconnect, bev, _, _) = struct.unpack_from(
            PNP_FORMAT, image, offset)
        if magic != b"$PnP":
            raise RomError(f"no $PnP signature at {offset:#x}")
        if any(offset == seen.offset for seen in headers):
            raise RomError(f"PnP header chain loops to {offset:#x}")
        if len(headers) == PNP_MOST_HEADERS:
            raise RomError("PnP header chain is too long")
        headers.append(Pnp(offset, revision, length, next_offset, eisa,
                           _text(image, maker), _text(image, product), kind,
                           indicators, bcv, disconnect, bev))
        offset = next_offset
    return headers


def parse(image: bytes) -> Rom:
    """Decode all headers; raises RomError if one is missing or invalid."""
    if len(image) < 0x1C:
        raise RomError(f"not an option ROM: only {len(image)} bytes")
    if image[:2] != ROM_SIGNATURE:
        raise RomError("no 55 AA signature")
    if struct.unpack_from("<I", image, 4)[0] == EFI_SIGNATURE:
        raise RomError("the first image is an EFI image, not a BIOS image")
    if image[3] != 0xE9:
        raise RomError("no near jump at the entry point")
    entry = (6 + struct.unpack_from("<h", image, 4)[0]) & 0xFFFF
    return Rom(image[2], entry, parse_pcir(image), parse_pnp(image))


def _check_pc(image: bytes, rom: Rom, run_time: bool) -> None:
    """Check the BIOS image at the start of `image`."""
    size = rom.blocks * BLOCK
    if not size or size > len(image):
        raise RomError(f"length byte gives {size} bytes, but there are {len(image)}")
    if rom.pcir.blocks != rom.blocks:
        raise RomError(f"PCIR gives {rom.pcir.blocks} blocks, but the ROM header {rom.blocks}")
    if rom.pcir.run_time_blocks > rom.blocks:
        raise RomError("run-time length is larger than the image")
    if sum(image[:size]) & 0xFF:
        raise RomError(f"checksum of the image is {sum(image[:size]) & 0xFF:#04x}, not 0")
    _check_pcir(rom.pcir)
    if rom.pcir.code_type != CODE_TYPE_PC:
        raise RomError("PCIR does not describe a BIOS image")
    if rom.pcir.list_pointer and rom.pcir.device not in rom.pcir.devices:
        raise RomError("device list lacks the image's own device ID")
    if not run_time and not rom.entry < size:
        raise RomError("entry point is outside the image")
    if not rom.pnp:
        raise RomError("no PnP header")
    for header in rom.pnp:
        _check_pnp(image[:size], header, run_time and len(rom.pnp) == 1)


def _check_pcir(pcir: Pcir) -> None:
    if pcir.revision != 3 or pcir.length != PCIR_BYTES:
        raise RomError("PCIR revision is not 3")
    if pcir.device_class != CLASS_SCSI:
        raise RomError("PCIR class is not 01 00 00 (SCSI controller)")
    if pcir.indicator not in (0, LAST_IMAGE):
        raise RomError(f"PCIR indicator is {pcir.indicator:#04x}, not 0 or 0x80")
    if not pcir.vendor or not pcir.device:
        raise RomError("PCI vendor or device ID is missing")


def _check_pnp(image: bytes, header: Pnp, may_boot_nothing: bool) -> None:
    where = f"PnP header at {header.offset:#x}"
    body = image[header.offset:header.offset + header.length * 16]
    if header.length * 16 != PNP_BYTES:
        raise RomError(f"{where} has a wrong length")
    if header.offset + PNP_BYTES > len(image):
        raise RomError(f"{where} is outside the image")
    if sum(body) & 0xFF:
        raise RomError(f"{where} has a wrong checksum")
    if not header.bcv and not header.bev and not may_boot_nothing:
        raise RomError(f"{where} has neither BCV nor BEV")
    if max(header.bcv, header.bev, header.disconnect) >= len(image):
        raise RomError(f"{where} points outside the image")


# ---- EFI drivers: PE32+ files ------------------------------------------------------


def parse_pe(pe: bytes) -> Pe:
    """The headers of a driver file; raises RomError if one is missing or is of
    another kind of file."""
    if len(pe) < struct.calcsize(DOS_FORMAT) or pe[:2] != b"MZ":
        raise RomError("not an EFI file: no MZ header")
    at = struct.unpack_from(DOS_FORMAT, pe)[1]
    _need(pe, at, PE_BYTES + OPTIONAL_BYTES, "PE header")
    magic, machine, count, optional_bytes, flags = struct.unpack_from(PE_FORMAT, pe, at)
    if magic != b"PE\0\0":
        raise RomError(f"no PE signature at {at:#x}")
    at += PE_BYTES
    kind, entry, alignment, image_bytes, header_bytes, subsystem, directories = struct.unpack_from(
        OPTIONAL_FORMAT, pe, at)
    if kind != PE32_PLUS:
        raise RomError(f"not a PE32+ file: optional header {kind:#06x}")
    if directories > MOST_DIRECTORIES or optional_bytes != OPTIONAL_BYTES + 8 * directories:
        raise RomError(f"optional header of {optional_bytes} bytes for {directories} directories")
    table_at = at + optional_bytes
    _need(pe, table_at, count * SECTION_BYTES, "section header")
    sections = [struct.unpack_from(SECTION_FORMAT, pe, table_at + i * SECTION_BYTES)
                for i in range(count)]
    return Pe(machine, flags, table_at, entry, alignment, image_bytes, header_bytes, subsystem,
              [struct.unpack_from("<II", pe, at + OPTIONAL_BYTES + 8 * i) for i in range(directories)],
              [Section(name.rstrip(b"\0").decode("ascii", "replace"), *rest)
               for name, *rest in sections])


def check_driver(pe: bytes) -> Pe:
    """Check everything for which firmware refuses a driver, or loads it and then
    fails; raises RomError."""
    headers = parse_pe(pe)
    if headers.machine not in MACHINES:
        known = ", ".join(f"{number:04X}h {name}" for number, name in MACHINES.items())
        raise RomError(f"machine type {headers.machine:04X}h is unknown; known are {known}")
    if headers.subsystem != SUBSYSTEM_DRIVER:
        raise RomError(f"subsystem is {headers.subsystem}, not {SUBSYSTEM_DRIVER} (boot service driver)")
    if headers.alignment < PAGE or headers.alignment & (headers.alignment - 1):
        raise RomError(f"section alignment {headers.alignment:#x} is not a number of pages")
    end_of_table = headers.table_at + len(headers.sections) * SECTION_BYTES
    if not end_of_table <= headers.header_bytes <= len(pe) or headers.header_bytes >= headers.image_bytes:
        raise RomError(f"size of headers {headers.header_bytes:#x} does not fit")
    _check_sections(pe, headers)
    _check_relocations(pe, headers)
    _check_rest(pe, headers)
    return headers


def _check_sections(pe: bytes, headers: Pe) -> None:
    memory_end = headers.header_bytes
    for section in headers.sections:
        where = f"section {section.name!r}"
        if not section.memory:
            raise RomError(f"{where} is empty")
        if section.address % headers.alignment:
            raise RomError(f"{where} is not aligned to {headers.alignment:#x}")
        if section.address < memory_end:
            raise RomError(f"{where} overlaps headers or another section in memory")
        if section.memory.stop > headers.image_bytes:
            raise RomError(f"{where} is outside the image of {headers.image_bytes:#x} bytes")
        if section.content and section.content.stop > len(pe):
            raise RomError(f"{where} is truncated: it ends at {section.content.stop:#x} "
                           f"of {len(pe):#x} bytes")
        if section.flags & SECTION_EXECUTE and section.flags & SECTION_WRITE:
            raise RomError(f"{where} is both writable and executable")
        memory_end = section.memory.stop
    if not any(headers.entry in s.memory for s in headers.sections if s.flags & SECTION_EXECUTE):
        raise RomError(f"entry point {headers.entry:#x} is outside the executable sections")


def _check_relocations(pe: bytes, headers: Pe) -> None:
    """Without relocations, a driver runs at its linked address only, which is not free,
    unless it relocates itself: ours for AArch64 does, and has none."""
    address, size = headers.directory(DIRECTORY_RELOCATIONS)
    if headers.flags & RELOCATIONS_STRIPPED or not size and headers.machine == X64:
        raise RomError("the driver has no relocations")
    if not size:
        return
    section = next((s for s in headers.sections if address in s.memory), None)
    if not section or address + size > section.address + section.file_bytes:
        raise RomError(f"relocations at {address:#x} are outside the sections")
    at = section.file_at + address - section.address
    blocks = pe[at:at + size]
    while blocks:
        if len(blocks) < 8:
            raise RomError("relocations are truncated")
        page, length = struct.unpack_from("<II", blocks)
        if length < 8 or length % 4 or length > len(blocks):
            raise RomError(f"relocations of page {page:#x} have a wrong length")
        for (word,) in struct.iter_unpack("<H", blocks[8:length]):
            _check_relocation(word >> 12, page + (word & 0xFFF), headers)
        blocks = blocks[length:]


def _check_relocation(kind: int, place: int, headers: Pe) -> None:
    if kind not in (RELOCATION_NONE, RELOCATION_64_BITS):
        raise RomError(f"relocation of type {kind} at {place:#x}: the driver cannot run at any address")
    if kind and not any(place in s.memory and place + 7 in s.memory for s in headers.sections):
        raise RomError(f"relocation at {place:#x} is outside the sections")


def _check_rest(pe: bytes, headers: Pe) -> None:
    """Certificates end the file; every other byte belongs to the headers or to one
    section, or is zero."""
    end, size = headers.directory(DIRECTORY_CERTIFICATES)
    if not size:
        end = len(pe)
    elif end % 8 or size % 8 or end + size != len(pe):
        raise RomError("certificates are not the end of the file")
    parts = sorted((s.file_at, s.content.stop) for s in headers.sections if s.content)
    before = headers.header_bytes
    for start, stop in [*parts, (end, end)]:
        if start < before:
            raise RomError(f"headers, sections or certificates overlap in the file at {start:#x}")
        if any(pe[before:start]):
            raise RomError(f"bytes at {before:#x} belong to no section")
        before = stop


# ---- EFI images ------------------------------------------------------------------------


def _parse_efi(image: bytes, at: int) -> Efi:
    """`image` begins with the image and may be followed by others."""
    if len(image) < EFI_PCIR_AT:
        raise RomError(f"truncated to {len(image)} bytes")
    magic, used, signature, subsystem, machine, compression, pe_at, _ = struct.unpack_from(EFI_FORMAT, image)
    if magic != ROM_SIGNATURE:
        raise RomError("no 55 AA signature")
    pcir = parse_pcir(image)
    size = pcir.blocks * BLOCK
    if not size:
        raise RomError("PCIR gives 0 blocks")
    if size > len(image):
        raise RomError(f"truncated: PCIR gives {size} bytes, but there are {len(image)}")
    checked = image[:(used & 0xFF) * BLOCK]
    return Efi(at, used, signature, subsystem, machine, compression, pe_at, pcir, sum(checked) & 0xFF,
               image[pe_at:min(used * BLOCK, size)])


def _check_efi(efi: Efi, first: Pcir) -> None:
    pcir = efi.pcir
    _check_pcir(pcir)
    if pcir.code_type != CODE_TYPE_EFI or efi.signature != EFI_SIGNATURE:
        raise RomError(f"code type {pcir.code_type} and signature {efi.signature:#06x} are not those "
                       "of an EFI image")
    if (pcir.vendor, pcir.device, pcir.devices) != (first.vendor, first.device, first.devices):
        raise RomError("PCI IDs differ from those of the first image")
    if efi.compression:
        raise RomError("compressed images are not supported")
    if not 0 < efi.used_blocks <= min(pcir.blocks, EFI_MOST_BLOCKS):
        raise RomError(f"header gives {efi.used_blocks} blocks, PCIR {pcir.blocks}")
    list_end = pcir.offset + PCIR_BYTES + 2 * (len(pcir.devices) + 1)
    if efi.pe_at % 8 or efi.pe_at < list_end:
        raise RomError(f"driver at {efi.pe_at:#x} is not aligned to 8 bytes or overlaps the headers")
    headers = check_driver(efi.driver)
    if (headers.machine, headers.subsystem) != (efi.machine, efi.subsystem):
        raise RomError("machine or subsystem differ from those of the driver")
    if efi.sum != EFI_SUM:
        raise RomError(f"checksum is {efi.sum:#04x}, not {EFI_SUM:#04x}" + (
            "" if efi.sum else ": a BIOS would run the image"))


def _efi_image(driver: bytes, machine: int, first: Pcir, pad_to: int, last: bool) -> bytes:
    """An image of a driver that check_driver() has accepted, for the PCI IDs of the
    first image. The driver ends at a whole block: bytes after it would be taken for
    a part of it, and its signature would not match."""
    devices = struct.pack(f"<{len(first.devices) + 1}H", *first.devices, 0) if first.devices else b""
    driver += bytes(-len(driver) % 8)
    headers = EFI_PCIR_AT + PCIR_BYTES + len(devices)
    blocks = -(-(headers + 1 + len(driver)) // BLOCK)
    if blocks > EFI_MOST_BLOCKS:
        raise RomError(f"the driver of {len(driver)} bytes is too large")
    pe_at = blocks * BLOCK - len(driver)
    out = bytearray(max(blocks * BLOCK, pad_to))
    struct.pack_into(EFI_FORMAT, out, 0, ROM_SIGNATURE, blocks, EFI_SIGNATURE, SUBSYSTEM_DRIVER, machine, 0,
                     pe_at, EFI_PCIR_AT)
    struct.pack_into(PCIR_FORMAT, out, EFI_PCIR_AT, b"PCIR", first.vendor, first.device,
                     PCIR_BYTES if devices else 0, PCIR_BYTES, 3, CLASS_SCSI, len(out) // BLOCK,
                     first.code_revision, CODE_TYPE_EFI, LAST_IMAGE if last else 0, 0, 0, 0)
    out[EFI_PCIR_AT + PCIR_BYTES:headers] = devices
    out[pe_at:blocks * BLOCK] = driver
    out[headers] = (EFI_SUM - sum(out)) & 0xFF
    return bytes(out)


# ---- Files with several images ------------------------------------------------------------


def bar_bytes(file_bytes: int) -> int:
    """Size of the ROM BAR for a file: a power of two."""
    return max(2048, 1 << (file_bytes - 1).bit_length())


def efi_images(file: bytes, rom: Rom) -> list[Efi]:
    """The images after the first one; raises RomError if the chain is broken."""
    found: list[Efi] = []
    at, indicator = rom.pcir.blocks * BLOCK, rom.pcir.indicator
    while not indicator & LAST_IMAGE:
        try:
            efi = _parse_efi(file[at:], at)
        except RomError as error:
            raise RomError(f"image at {at:#x}: {error}") from None
        found.append(efi)
        at, indicator = at + efi.pcir.blocks * BLOCK, efi.pcir.indicator
    if at != len(file):
        raise RomError(f"images end at {at:#x}, but the file has {len(file):#x} bytes")
    return found


def checked_efi_images(file: bytes, rom: Rom) -> list[Efi]:
    """efi_images(); raises RomError if one is invalid."""
    images = efi_images(file, rom)
    for efi in images:
        try:
            _check_efi(efi, rom.pcir)
        except RomError as error:
            raise RomError(f"image at {efi.at:#x}: {error}") from None
    return images


def _check_memory_scan(file: bytes, start: int) -> None:
    """A BIOS that finds ROMs in memory by their signature and sum must find none after
    `start`. It looks at each 2 KiB; other firmware at each block."""
    for at in range(start, len(file), BLOCK):
        if file[at:at + 2] == ROM_SIGNATURE and not sum(file[at:at + file[at + 2] * BLOCK]) & 0xFF:
            raise RomError(f"a BIOS would take the bytes at {at:#x} for a ROM")


def verify(image: bytes, run_time: bool = False) -> Rom:
    """Check everything that a BIOS and UEFI firmware check, and our own rules, in all
    images of a file. Returns the headers of the first one.

    run_time: `image` was read from memory after init and may be followed by
    other bytes.
    """
    rom = parse(image)
    _check_pc(image, rom, run_time)
    if run_time:
        return rom
    if len(image) < LEAST_FILE_BYTES:
        raise RomError(f"the file of {len(image)} bytes is smaller than {LEAST_FILE_BYTES}: UEFI ignores it")
    machines: set[int] = set()
    for efi in checked_efi_images(image, rom):
        if efi.machine in machines:
            raise RomError(f"there are two images for {MACHINES[efi.machine]}")
        machines.add(efi.machine)
    _check_memory_scan(image, rom.blocks * BLOCK)
    return rom


# ---- Stamping ------------------------------------------------------------------------------


def _stamp_device_list(image: bytearray, pcir: Pcir, devices: list[int]) -> None:
    """Write the device list over the old one and the zero words after it. An image
    without a list has room for one directly after the PCIR. Without devices there
    is no list, and the pointer is 0."""
    pointer = pcir.list_pointer or PCIR_BYTES
    struct.pack_into("<H", image, pcir.offset + 8, pointer if devices else 0)
    if not devices and not pcir.list_pointer:
        return
    at = pcir.offset + pointer
    room = len(pcir.devices) + bool(pcir.list_pointer)
    while (room < DEVICE_LIST_WORDS and at + 2 * room + 2 <= len(image)
           and not _word(image, at + 2 * room)):
        room += 1
    if len(devices) >= room or at + 2 * room > len(image):
        raise RomError(f"no room for {len(devices)} devices: the list can hold {room - 1}")
    words = devices + [0] * (room - len(devices))
    struct.pack_into(f"<{room}H", image, at, *words)


def _padded(image: bytes, size: int | None, least: int) -> bytearray:
    """The image padded to `size`, by default to a whole block and at least to
    `least` bytes. Existing padding may be removed."""
    if size is None:
        size = -(-max(len(image), least) // BLOCK) * BLOCK
    if size > MAX_BLOCKS * BLOCK:
        raise RomError(f"size {size} exceeds the limit of {MAX_BLOCKS * BLOCK}")
    content = image.rstrip(b"\0")
    if len(content) > size:
        raise RomError(f"the image of {len(content)} bytes does not fit into {size} bytes")
    return bytearray(content.ljust(size, b"\0"))


def _stamp_pc(image: bytes, ids: tuple[int, int, list[int]], size: int | None, run_time: int | None,
              last: bool) -> bytes:
    """The BIOS image with these PCI IDs, sizes and indicator, and with its checksums."""
    rom = parse(image)
    out = _padded(image, size, run_time or rom.pcir.run_time_blocks * BLOCK)
    blocks = len(out) // BLOCK
    stay = -(-run_time // BLOCK) if run_time is not None else rom.pcir.run_time_blocks or blocks
    if not 0 < stay <= blocks:
        raise RomError(f"run-time length of {stay} blocks is not from 1 to {blocks}")
    vendor, device, devices = ids
    out[2] = blocks
    struct.pack_into("<HH", out, rom.pcir.offset + 4, vendor, device)
    struct.pack_into("<H", out, rom.pcir.offset + 0x10, blocks)
    out[rom.pcir.offset + 0x15] = LAST_IMAGE if last else 0
    struct.pack_into("<H", out, rom.pcir.offset + 0x16, stay)
    _stamp_device_list(out, rom.pcir, devices)
    for header in rom.pnp:
        body = out[header.offset:header.offset + PNP_BYTES]
        out[header.offset + PNP_CHECKSUM_AT] = (body[PNP_CHECKSUM_AT] - sum(body)) & 0xFF
    out[CHECKSUM_AT] = (out[CHECKSUM_AT] - sum(out)) & 0xFF
    return bytes(out)


def is_unsigned(rom: Rom) -> bool:
    """The result of the build (build/rom.bin): no PCI IDs and no checksum yet."""
    return not rom.pcir.vendor and not rom.pcir.device


def _check_input(image: bytes, rom: Rom) -> None:
    """Signing makes lengths and checksums right, so the image must be whole before it."""
    if not is_unsigned(rom):
        _check_pc(image, rom, False)
    elif -(-len(image) // BLOCK) != rom.blocks:
        raise RomError(f"the unsigned image of {len(image)} bytes is damaged: it declares {rom.blocks} blocks of {BLOCK}")


def _machines(drivers: list[bytes]) -> list[int]:
    """The machine of each driver, after a check of it."""
    machines = [check_driver(driver).machine for driver in drivers]
    for machine in machines:
        if machines.count(machine) > 1:
            raise RomError(f"two drivers for {MACHINES[machine]}; --drop-efi leaves out those of the input")
    return machines


def stamp(image: bytes, vendor: int | None = None, device: int | None = None,
          devices: list[int] | None = None, size: int | None = None, run_time: int | None = None, drivers: Sequence[bytes] = (),
          drop_efi: bool = False, large_bar: bool = False) -> bytes:
    """A signed copy of the file, for `device` alone or for all `devices`. Without any of these,
    a signed file keeps its IDs.

    size: bytes to pad the file to (default: whole blocks, at least the resident part).
    run_time: the most bytes that stay resident after init (default: the value in
    the image, or all of it if there is none). The resident part must fit into the
    image's place in memory, although the packed image may be smaller.
    drivers: EFI drivers to append to those of the file; drop_efi: instead of those.
    large_bar: the file may need a ROM BAR of more than 64 KiB."""
    if size is not None and size % BLOCK:
        raise RomError(f"size {size} is not a multiple of {BLOCK}")
    rom = parse(image)
    _check_input(image, rom)
    if vendor is None and device is None and devices is None and not is_unsigned(rom):
        devices = rom.pcir.devices
    vendor, device = vendor or rom.pcir.vendor, device or rom.pcir.device
    if not vendor or not device:
        raise RomError("an unsigned image requires --vendor and --device")
    if not rom.pcir.indicator & LAST_IMAGE:
        drivers = [*([] if drop_efi else (efi.driver for efi in checked_efi_images(image, rom))), *drivers]
        image = image[:rom.pcir.blocks * BLOCK]
    machines = _machines(list(drivers))
    out = _stamp_pc(image, (vendor, device, devices or []), None if drivers else size, run_time, not drivers)
    for number, driver in enumerate(drivers, 1):
        last = number == len(drivers)
        out += _efi_image(driver, machines[number - 1], parse_pcir(out), (size or 0) - len(out) if last else 0, last)
    if size is not None and len(out) != size:
        raise RomError(f"the images of {len(out)} bytes do not fit into {size} bytes")
    if bar_bytes(len(out)) > USUAL_BAR_BYTES and not large_bar:
        raise RomError(f"the file of {len(out)} bytes needs a ROM BAR of {bar_bytes(len(out)) // 1024} KiB, "
                       "which only --large-bar permits")
    verify(out)
    return out


# ---- Text ----------------------------------------------------------------------------------


def _pcir_lines(pcir: Pcir) -> list[str]:
    return [f"PCIR    at {pcir.offset:#04x}, revision {pcir.revision}, "
            f"ID {pcir.vendor:04x}:{pcir.device:04x}, class "
            f"{pcir.device_class[::-1].hex(' ')}, {pcir.blocks} blocks of {BLOCK} bytes, run-time "
            f"{pcir.run_time_blocks} blocks, code type {pcir.code_type}, "
            f"indicator {pcir.indicator:#04x}",
            "DEVICES " + (" ".join(f"{d:04x}" for d in pcir.devices) or "none")]


def _sum_in_words(image: bytes, rom: Rom) -> str:
    checksum = sum(image[:rom.blocks * BLOCK]) & 0xFF
    if is_unsigned(rom):
        return "not signed yet"
    return f"checksum {f'bad: {checksum:#04x}, not 0' if checksum else 'ok'}"


def describe(image: bytes) -> str:
    """The headers of all images as text, one line each."""
    rom = parse(image)
    others = [] if is_unsigned(rom) else efi_images(image, rom)
    lines = [
        f"FILE    {len(image)} bytes, {1 + len(others)} image{'s' if others else ''}, "
        f"ROM BAR of {bar_bytes(len(image)) // 1024} KiB",
        f"ROM     at 0x0, {rom.blocks} blocks of {BLOCK} bytes declared, "
        f"entry {rom.entry:#06x}, {_sum_in_words(image, rom)}",
        *_pcir_lines(rom.pcir),
    ]
    if not rom.pnp:
        lines.append("PNP     none")
    for h in rom.pnp:
        lines.append(
            f"PNP     at {h.offset:#06x}, revision {h.revision}, type "
            f"{h.device_type.hex(' ')}, indicators {h.indicators:#04x}, BCV "
            f"{h.bcv:#06x}, BEV {h.bev:#06x}, {h.manufacturer!r} {h.product!r}")
    for efi in others:
        lines += [
            f"EFI     at {efi.at:#x}, {efi.used_blocks} blocks used, signature {efi.signature:04X}h, "
            f"subsystem {efi.subsystem}, machine {efi.machine:04X}h ({MACHINES.get(efi.machine, 'unknown')}), "
            f"compression {efi.compression}, PE at {efi.pe_at:#x} of {len(efi.driver)} bytes, sum {efi.sum:#04x}",
            *_pcir_lines(efi.pcir)]
    if not others:
        lines.append("EFI     none: for BIOS only")
    return "\n".join(lines)


# ---- The command -----------------------------------------------------------------------------


def _hex16(text: str) -> int:
    """int() alone accepts signs, spaces, underscores, a prefix and other digits than ASCII's."""
    value = int(text, 16) if re.fullmatch("[0-9a-fA-F]{1,4}", text) else 0
    if not value:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an ID from 1 to ffff in hexadecimal digits without 0x")
    return value


def _hex16_list(text: str) -> list[int]:
    return [_hex16(part) for part in text.replace(" ", ",").split(",")]


def _size(text: str) -> int:
    if not re.fullmatch("0[xX][0-9a-fA-F]{1,8}|[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of bytes, such as 32768 or 0x8000")
    return int(text, 16 if "x" in text.lower() else 10)


def _driver(path: Path) -> bytes:
    """A driver file that firmware would load."""
    driver = path.read_bytes()
    try:
        check_driver(driver)
    except RomError as error:
        raise RomError(f"{path}: {error}") from None
    return driver


EXAMPLES = """\
examples:
  romsign.py lsi53c875.rom --info
  romsign.py lsi53c8xx.rom --output 875.bin --vendor 1000 --device 000f --eprom 32
        for the EPROM of a 53C875 and a BIOS that reads no device list
  romsign.py lsi53c895a.rom --output bios.rom --drop-efi
        without the UEFI driver; the IDs stay
"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise RomError(message)


def _write_checked(path: Path, image: bytes) -> None:
    """Write a temporary file, read it back, verify it, then rename it to `path`, or to
    the file to which a symbolic link `path` leads."""
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and not target.is_file():
        raise RomError(f"{path} is not a file")
    temporary = None
    try:
        handle, name = tempfile.mkstemp(dir=target.parent)
        temporary = Path(name)
        with open(handle, "wb") as file:
            file.write(image)
        reread = temporary.read_bytes()
        if reread != image:
            raise RomError(f"{path}: the file read back differs from the data written")
        verify(reread)
        temporary.chmod(0o644)
        temporary.replace(target)
    except OSError as error:    # names the temporary file
        raise RomError(f"{path} cannot be written: {error.strerror}") from None
    finally:
        if temporary:
            temporary.unlink(missing_ok=True)


def _run(argv: list[str] | None) -> None:
    parser = _Parser(prog="romsign.py", description=__doc__.split("\n")[0], epilog=EXAMPLES,
                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path, help="option ROM image to read")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--info", action="store_true", help="print all headers")
    action.add_argument("--verify", action="store_true", help="check a signed image")
    action.add_argument("--output", "-o", type=Path, help="write a signed image to this file, in one step; "
                        "a symbolic link is followed, other hard links keep the old image")
    parser.add_argument("--vendor", type=_hex16, metavar="HEX", help="PCI vendor ID to stamp, such as 1000 (default: as in the image)")
    parser.add_argument("--device", type=_hex16, metavar="HEX", help="PCI device ID to stamp, such as 0012 (default: as in the image)")
    parser.add_argument("--device-list", type=_hex16_list,
                        help="comma-separated device IDs that the ROM supports (default: as in the image "
                        "without --vendor and --device, else only --device)")
    padding = parser.add_mutually_exclusive_group()
    padding.add_argument("--size", type=_size, help="pad the file to this many bytes")
    padding.add_argument("--eprom", type=_size, choices=EPROM_KIB, help="pad the file to an EPROM of this many KiB")
    parser.add_argument("--run-time", type=_size, help="most bytes that stay resident after init")
    parser.add_argument("--efi", type=Path, action="append", metavar="DRIVER", help="append an EFI image of "
                        "this driver file; once for each machine, after those that the file has")
    parser.add_argument("--drop-efi", action="store_true", default=None, help="leave out the EFI images of the file")
    parser.add_argument("--large-bar", action="store_true", default=None,
                        help="permit a file that needs a ROM BAR of more than 64 KiB")
    args = parser.parse_args(argv)

    stamping = (args.vendor, args.device, args.device_list, args.size, args.eprom, args.run_time, args.efi,
                args.drop_efi, args.large_bar)
    if not args.output and any(value is not None for value in stamping):
        raise RomError("IDs, sizes and drivers require --output")
    drivers = [_driver(path) for path in args.efi or []]
    try:
        result = _result(args, args.image.read_bytes(), drivers)
    except RomError as error:
        raise RomError(f"{args.image}: {error}") from None
    if args.output:
        _write_checked(args.output, result)
    else:
        print(result)


def _result(args: argparse.Namespace, image: bytes, drivers: list[bytes]) -> str | bytes:
    """The text to print, or the file to write."""
    if args.info:
        return describe(image)
    if args.verify:
        verify(image)
        return f"{args.image}: ok"
    size = args.eprom * 1024 if args.eprom else args.size
    return stamp(image, args.vendor, args.device, args.device_list, size, args.run_time, drivers,
                 bool(args.drop_efi), bool(args.large_bar))


def main(argv: list[str] | None = None) -> int:
    try:
        _run(argv)
    except (RomError, OSError) as error:
        print(f"romsign.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Stamp, inspect and verify a PCI option ROM image of lsi8xx-rom.

Stamping writes the PCI IDs, the device list, the lengths and all checksums into
an image and pads it. [PCI 3.0 firmware "Expansion ROM", PnP-BIOS 1.0A "Option
ROM header"]
"""

from __future__ import annotations

import argparse
import os
import re
import struct
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

BLOCK = 512
MAX_BLOCKS = 128  # 64 KiB: one segment, the limit of 86Box and of our EPROMs
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
CLASS_SCSI = bytes([0x00, 0x00, 0x01])


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
    blocks: int
    entry: int
    pcir: Pcir
    pnp: list[Pnp]


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
    if image[3] != 0xE9:
        raise RomError("no near jump at the entry point")
    entry = (6 + struct.unpack_from("<h", image, 4)[0]) & 0xFFFF
    return Rom(image[2], entry, parse_pcir(image), parse_pnp(image))


def verify(image: bytes, run_time: bool = False) -> Rom:
    """Check everything that a BIOS checks, and our own rules.

    run_time: `image` was read from memory after init and may be followed by
    other bytes.
    """
    rom = parse(image)
    size = rom.blocks * BLOCK
    if not size or size > len(image):
        raise RomError(f"length byte gives {size} bytes, but there are {len(image)}")
    if not run_time and size != len(image):
        raise RomError(f"length byte gives {size} bytes, but the file has {len(image)}")
    if rom.pcir.blocks != rom.blocks:
        raise RomError(f"PCIR gives {rom.pcir.blocks} blocks, but the ROM header {rom.blocks}")
    if rom.pcir.run_time_blocks > rom.blocks:
        raise RomError("run-time length is larger than the image")
    if sum(image[:size]) & 0xFF:
        raise RomError(f"checksum of the image is {sum(image[:size]) & 0xFF:#04x}, not 0")
    if rom.pcir.revision != 3 or rom.pcir.length != PCIR_BYTES:
        raise RomError("PCIR revision is not 3")
    if rom.pcir.device_class != CLASS_SCSI:
        raise RomError("PCIR class is not 01 00 00 (SCSI controller)")
    if rom.pcir.code_type != CODE_TYPE_PC or rom.pcir.indicator != LAST_IMAGE:
        raise RomError("PCIR does not describe a single PC image")
    if not rom.pcir.vendor or not rom.pcir.device:
        raise RomError("PCI vendor or device ID is missing")
    if rom.pcir.list_pointer and rom.pcir.device not in rom.pcir.devices:
        raise RomError("device list lacks the image's own device ID")
    if not run_time and not rom.entry < size:
        raise RomError("entry point is outside the image")
    if not rom.pnp:
        raise RomError("no PnP header")
    for header in rom.pnp:
        where = f"PnP header at {header.offset:#x}"
        body = image[header.offset:header.offset + header.length * 16]
        if header.length * 16 != PNP_BYTES:
            raise RomError(f"{where} has a wrong length")
        if header.offset + PNP_BYTES > size:
            raise RomError(f"{where} is outside the image")
        if sum(body) & 0xFF:
            raise RomError(f"{where} has a wrong checksum")
        if not header.bcv and not header.bev and not (run_time and len(rom.pnp) == 1):
            raise RomError(f"{where} has neither BCV nor BEV")
        if max(header.bcv, header.bev, header.disconnect) >= size:
            raise RomError(f"{where} points outside the image")
    return rom


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
    if size % BLOCK:
        raise RomError(f"size {size} is not a multiple of {BLOCK}")
    if size > MAX_BLOCKS * BLOCK:
        raise RomError(f"size {size} exceeds the limit of {MAX_BLOCKS * BLOCK}")
    content = image.rstrip(b"\0")
    if len(content) > size:
        raise RomError(f"the image of {len(content)} bytes does not fit into {size} bytes")
    return bytearray(content.ljust(size, b"\0"))


def stamp(image: bytes, vendor: int, device: int, devices: list[int] | None = None,
          size: int | None = None, run_time: int | None = None) -> bytes:
    """A signed copy of the image, for `device` alone or for all `devices`.

    size: bytes to pad to (default: whole blocks, at least the resident part).
    run_time: the most bytes that stay resident after init (default: the value in
    the image, or all of it if there is none). The resident part must fit into the
    image's place in memory, although the packed image may be smaller."""
    rom = parse(image)
    if len(image) < rom.blocks * BLOCK:
        raise RomError(f"the image is truncated: its length byte gives {rom.blocks * BLOCK} bytes, "
                       f"but there are {len(image)}")
    out = _padded(image, size, run_time or rom.pcir.run_time_blocks * BLOCK)
    blocks = len(out) // BLOCK
    stay = -(-run_time // BLOCK) if run_time is not None else rom.pcir.run_time_blocks or blocks
    if not 0 < stay <= blocks:
        raise RomError(f"run-time length of {stay} blocks is not from 1 to {blocks}")
    out[2] = blocks
    struct.pack_into("<HH", out, rom.pcir.offset + 4, vendor, device)
    struct.pack_into("<H", out, rom.pcir.offset + 0x10, blocks)
    struct.pack_into("<H", out, rom.pcir.offset + 0x16, stay)
    _stamp_device_list(out, rom.pcir, devices or [])
    for header in rom.pnp:
        body = out[header.offset:header.offset + PNP_BYTES]
        out[header.offset + PNP_CHECKSUM_AT] = (body[PNP_CHECKSUM_AT] - sum(body)) & 0xFF
    out[CHECKSUM_AT] = (out[CHECKSUM_AT] - sum(out)) & 0xFF
    verify(bytes(out))
    return bytes(out)


def describe(image: bytes) -> str:
    """All headers as text, one line each."""
    rom = parse(image)
    pcir = rom.pcir
    checksum = sum(image[:rom.blocks * BLOCK]) & 0xFF
    lines = [
        f"ROM     {len(image)} bytes in file, {rom.blocks} blocks declared, "
        f"entry {rom.entry:#06x}, checksum {'ok' if not checksum else f'{checksum:#04x}'}",
        f"PCIR    at {pcir.offset:#04x}, revision {pcir.revision}, "
        f"ID {pcir.vendor:04x}:{pcir.device:04x}, class "
        f"{pcir.device_class[::-1].hex(' ')}, {pcir.blocks} blocks, run-time "
        f"{pcir.run_time_blocks} blocks, code type {pcir.code_type}, "
        f"indicator {pcir.indicator:#04x}",
        "DEVICES " + (" ".join(f"{d:04x}" for d in pcir.devices) or "none"),
    ]
    for h in rom.pnp:
        lines.append(
            f"PNP     at {h.offset:#06x}, revision {h.revision}, type "
            f"{h.device_type.hex(' ')}, indicators {h.indicators:#04x}, BCV "
            f"{h.bcv:#06x}, BEV {h.bev:#06x}, {h.manufacturer!r} {h.product!r}")
    return "\n".join(lines)


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


class _Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise RomError(message)


def _write_checked(path: Path, image: bytes) -> None:
    """Write a temporary file, read it back, verify it, then rename it to `path`, or to
    the file to which a symbolic link `path` leads."""
    target = Path(os.path.realpath(path))
    if os.path.lexists(target) and not target.is_file():
        raise RomError(f"{path} is not a file")
    handle, name = tempfile.mkstemp(dir=target.parent)
    temporary = Path(name)
    try:
        with open(handle, "wb") as file:
            file.write(image)
        reread = temporary.read_bytes()
        if reread != image:
            raise RomError(f"{path}: the file read back differs from the data written")
        verify(reread)
        temporary.chmod(0o644)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _run(argv: list[str] | None) -> None:
    parser = _Parser(prog="romsign.py", description=__doc__.split("\n")[0])
    parser.add_argument("image", type=Path, help="option ROM image to read")
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument("--info", action="store_true", help="print all headers")
    action.add_argument("--verify", action="store_true", help="check a signed image")
    action.add_argument("--output", "-o", type=Path, help="write a signed image to this file, in one step; "
                        "a symbolic link is followed, other hard links keep the old image")
    parser.add_argument("--vendor", type=_hex16, metavar="HEX", help="PCI vendor ID to stamp, such as 1000")
    parser.add_argument("--device", type=_hex16, metavar="HEX", help="PCI device ID to stamp, such as 0012")
    parser.add_argument("--device-list", type=_hex16_list,
                        help="comma-separated device IDs that the ROM supports (default: only --device)")
    padding = parser.add_mutually_exclusive_group()
    padding.add_argument("--size", type=_size, help="pad to this many bytes")
    padding.add_argument("--eprom", type=_size, choices=EPROM_KIB, help="pad to an EPROM of this many KiB")
    parser.add_argument("--run-time", type=_size, help="most bytes that stay resident after init")
    args = parser.parse_args(argv)

    stamping = (args.vendor, args.device, args.device_list, args.size, args.eprom, args.run_time)
    if not args.output and any(value is not None for value in stamping):
        raise RomError("IDs and sizes require --output")
    image = args.image.read_bytes()
    if args.info:
        print(describe(image))
    elif args.verify:
        verify(image)
        print(f"{args.image}: ok")
    else:
        if args.vendor is None or args.device is None:
            raise RomError("--output requires --vendor and --device")
        size = args.eprom * 1024 if args.eprom else args.size
        _write_checked(args.output, stamp(image, args.vendor, args.device, args.device_list, size,
                                          args.run_time))


def main(argv: list[str] | None = None) -> int:
    try:
        _run(argv)
    except (RomError, OSError) as error:
        print(f"romsign.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

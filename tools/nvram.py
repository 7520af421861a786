#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Print, check and edit the settings in a 2 KiB image of a controller's NVRAM.

An image is a dump of the card's 24C16, or a file of 86Box (nvr/ncr53c875_1.nvr). It has
Symbios's block, which Linux and the BSDs read too, and a block of our own
(docs/nvram.md). Tekram's block is recognised and never changed.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import struct
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

IMAGE_BYTES = 2048
CARD_AT, CARD_BYTES, SUMMED_BYTES = 0x100, 368, 356
SUM_AT, SUMMED_AT, TRAILER_AT = CARD_AT + 4, CARD_AT + 6, CARD_AT + 0x16A
TRAILER = b"\xFE\xFE\0\0\0\0"
HOST_AT, HOSTS, HOST_BYTES = CARD_AT + 0x1A, 4, 14
TARGET_AT, TARGETS, TARGET_BYTES = CARD_AT + 0x52, 16, 8
SCAM_AT, SCAMS = CARD_AT + 0xD2, 4
SPARE_AT, SPARE_BYTES = CARD_AT + 0xF2, 120
OWN_AT, OWN_BYTES, OWN_VERSION = 0x300, 32, 1
OWN_SIGNATURE = b"sl8x"
TEKRAM_AT, TEKRAM_BYTES, TEKRAM_SUM = 0x40, 128, 0x1234
VENDOR = 0x1000

# Chips by the names of their ROM files: PCI device ID, bits of the bus
CHIPS = {"810": (0x0001, 8), "820": (0x0002, 16), "825": (0x0003, 16), "815": (0x0004, 8), "860": (0x0006, 8),
         "1510": (0x000A, 16), "896": (0x000B, 16), "895": (0x000C, 16), "885": (0x000D, 16),
         "875": (0x000F, 16), "895a": (0x0012, 16), "875a": (0x0013, 16), "1010-33": (0x0020, 16),
         "1010-66": (0x0021, 16), "875j": (0x008F, 16)}


class NvramError(Exception):
    """The reason, in one line, why nothing was done."""


# ---- Values -----------------------------------------------------------------------


@dataclass(frozen=True)
class Number:
    least: int
    most: int
    hexadecimal: bool = False

    def show(self, value: int) -> str:
        return f"{value:#06x}" if self.hexadecimal else str(value)

    def parse(self, text: str) -> int:
        if not re.fullmatch(r"0[xX][0-9A-Fa-f]+|[0-9]+", text, re.A):
            raise NvramError(f"is {self.range}")
        return int(text, 16) if text[:2] in ("0x", "0X") else int(text)

    def holds(self, value: int) -> bool:
        return self.least <= value <= self.most

    @property
    def range(self) -> str:
        return f"{self.show(self.least)} to {self.show(self.most)}"


@dataclass(frozen=True)
class Words:
    """A word for each value"""
    words: dict[int, str]

    def show(self, value: int) -> str:
        return self.words.get(value, str(value))

    def parse(self, text: str) -> int:
        for value, word in self.words.items():
            if word == text:
                return value
        raise NvramError(f"is {self.range}")

    def holds(self, value: int) -> bool:
        return value in self.words

    @property
    def range(self) -> str:
        *others, last = self.words.values()
        return f"{', '.join(others)} or {last}"


class Slot(Number):
    """A PCI device and function"""

    def show(self, value: int) -> str:
        return f"{value >> 3}.{value & 7}"

    def parse(self, text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,2}\.[0-7]", text, re.A):
            raise NvramError(f"is {self.range}")
        device, function = map(int, text.split("."))
        return device << 3 | function


class IdOrNone(Number):
    """0 to 15, or FFh"""

    def show(self, value: int) -> str:
        return "none" if value == 0xFF else str(value)

    def parse(self, text: str) -> int:
        return 0xFF if text == "none" else super().parse(text)

    def holds(self, value: int) -> bool:
        return value == 0xFF or super().holds(value)

    @property
    def range(self) -> str:
        return super().range + ", or none"


BYTE, WORD = Number(0, 0xFF), Number(0, 0xFFFF)
HEX = Number(0, 0xFFFF, hexadecimal=True)
ID, ID_OR_NONE = Number(0, 15), IdOrNone(0, 15)


@dataclass(frozen=True)
class Field:
    """`mask` selects a bit; the value is then 0 or 1, or the opposite if `inverted`."""
    name: str
    at: int
    size: int
    kind: Number | Words
    text: str
    mask: int = 0
    inverted: bool = False

    def raw(self, image: bytes) -> int:
        return int.from_bytes(image[self.at:self.at + self.size], "little")

    def get(self, image: bytes) -> int:
        value = self.raw(image)
        return (bool(value & self.mask) != self.inverted) if self.mask else value

    def put(self, image: bytearray, value: int) -> None:
        if self.mask:
            others = self.raw(image) & ~self.mask
            value = others | self.mask if bool(value) != self.inverted else others
        image[self.at:self.at + self.size] = value.to_bytes(self.size, "little")

    def show(self, image: bytes) -> str:
        value = self.get(image)
        return self.kind.show(value) + ("" if self.kind.holds(value) else " (not valid)")

    def set(self, image: bytearray, text: str) -> None:
        try:
            value = self.kind.parse(text)
            if not self.kind.holds(value):
                raise NvramError(f"is {self.kind.range}")
        except NvramError as error:
            raise NvramError(f"{self.name} {error}, not {text!r}") from None
        self.put(image, value)

    @property
    def is_own(self) -> bool:
        return self.at >= OWN_AT


def bit(name: str, at: int, size: int, mask: int, text: str, words: tuple[str, str] = ("off", "on"),
        inverted: bool = False) -> Field:
    return Field(name, at, size, Words(dict(enumerate(words))), text, mask, inverted)


# ---- Fields -----------------------------------------------------------------------

CARD = [
    Field("major", CARD_AT + 6, 1, BYTE, "version of the block"),
    Field("minor", CARD_AT + 7, 1, BYTE, "second part of it"),
    bit("scam", CARD_AT + 12, 2, 1, "SCAM; not used by this ROM"),
    bit("parity", CARD_AT + 12, 2, 2, "check the parity of the SCSI bus"),
    bit("verbose", CARD_AT + 12, 2, 4, "print details of each device in POST"),
    bit("geometry", CARD_AT + 12, 2, 8, "CHS of disks without a partition table", ("cam", "size")),
    bit("scan-order", CARD_AT + 14, 2, 1, "from the lowest ID up, or from the highest down", ("up", "down")),
    Field("termination", CARD_AT + 16, 2, Words({0: "fixed", 1: "on", 2: "off"}), "as drivers see it"),
    Field("removable", CARD_AT + 18, 2, Words({0: "none", 1: "boot", 2: "all"}), "removable disks that are served"),
    Field("host-id", CARD_AT + 20, 1, ID, "SCSI ID of the controller"),
    bit("bus-reset", CARD_AT + 25, 1, 4, "reset the SCSI bus in POST", inverted=True),
]
OWN = [
    bit("banner", OWN_AT + 7, 1, 1, "print lines in POST", inverted=True),
    bit("cd-first", OWN_AT + 7, 1, 2, "boot a CD before disks"),
    bit("native-blocks", OWN_AT + 7, 1, 4, "serve disks with blocks of 4096 bytes as they are"),
    Field("scan-delay", OWN_AT + 8, 1, Number(0, 60), "seconds before the scan"),
    Field("spin-up-delay", OWN_AT + 9, 1, Number(0, 15), "seconds from one START UNIT to the next"),
    Field("boot-timeout", OWN_AT + 10, 1, Number(0, 60), "seconds of the boot menu of a CD"),
    Field("window", OWN_AT + 11, 1, Number(0, 10), "seconds in which a key opens the set-up"),
    *(Field(f"boot{n + 1}", OWN_AT + 12 + n, 1, ID_OR_NONE, f"SCSI ID of drive {n + 1} in the boot order")
      for n in range(4)),
]


def host_fields(n: int) -> list[Field]:
    at, name = HOST_AT + n * HOST_BYTES, f"host{n + 1}"
    return [
        Field(f"{name}-type", at, 2, Words({0: "none", 4: "53c8xx"}), "kind of this controller of the boot order"),
        Field(f"{name}-vendor", at + 4, 2, HEX, "its PCI vendor"),
        Field(f"{name}-device", at + 2, 2, HEX, "its PCI device ID"),
        Field(f"{name}-bus", at + 6, 1, BYTE, "its PCI bus"),
        Field(f"{name}-slot", at + 7, 1, Slot(0, 0xFF), "its PCI device and function"),
        bit(f"{name}-boots", at + 10, 2, 1, "it is scanned, and boots"),
        Field(f"{name}-io", at + 12, 2, HEX, "its I/O ports"),
    ]


def target_fields(n: int) -> list[Field]:
    at, name = TARGET_AT + n * TARGET_BYTES, f"target{n}"
    return [
        bit(f"{name}-disconnect", at, 1, 1, "may leave the bus during a command"),
        bit(f"{name}-scan", at, 1, 2, "is looked for in POST"),
        bit(f"{name}-luns", at, 1, 4, "its other LUNs, too"),
        bit(f"{name}-tags", at, 1, 8, "tagged commands, by drivers of operating systems"),
        Field(f"{name}-width", at + 2, 1, Words({8: "8", 16: "16"}), "bits"),
        Field(f"{name}-offset", at + 3, 1, Number(0, 62), "synchronous offset; 0 is asynchronous"),
        Field(f"{name}-period", at + 4, 2, WORD, "period, 4 x its factor: 100 is 10 MT/s, 48 is 20, 40 is 40, 36 is 80"),
        Field(f"{name}-timeout", at + 6, 2, Number(0, 9999), "seconds of a command; 0: no limit"),
    ]


def scam_fields(n: int) -> list[Field]:
    at, name = SCAM_AT + n * 8, f"scam{n + 1}"
    return [
        Field(f"{name}-id", at, 2, HEX, "entry of the SCAM table"),
        Field(f"{name}-method", at + 2, 2, Words({0: "default", 1: "none", 2: "id", 3: "order"}), "how it is assigned"),
        Field(f"{name}-status", at + 4, 2, Words({0: "unknown", 1: "missing", 2: "unset", 3: "valid"}), "its state"),
        Field(f"{name}-target", at + 6, 1, ID, "the SCSI ID"),
    ]


CARD_USED = [field for field in CARD if field.name not in ("major", "minor", "scam", "termination")]
HOST_ROWS = [host_fields(n) for n in range(HOSTS)]
TARGET_ROWS = [target_fields(n) for n in range(TARGETS)]
SCAM_ROWS = [scam_fields(n) for n in range(SCAMS)]
FIELDS = {field.name: field for row in (CARD, *HOST_ROWS, *TARGET_ROWS, *SCAM_ROWS, OWN) for field in row}


# ---- Blocks -----------------------------------------------------------------------


def byte_sum(image: bytes) -> int:
    return sum(image[SUMMED_AT:SUMMED_AT + SUMMED_BYTES]) & 0xFFFF


def crc16(data: bytes) -> int:
    """CRC-16-CCITT, from FFFFh"""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


def is_blank(data: bytes) -> bool:
    return data in (bytes(len(data)), b"\xFF" * len(data))


def card_fault(image: bytes) -> str:
    """Why Symbios's block is not valid, or nothing."""
    kind, size, stored = struct.unpack_from("<HHH", image, CARD_AT)
    if is_blank(image[CARD_AT:CARD_AT + CARD_BYTES]):
        return "blank"
    if image[TRAILER_AT:TRAILER_AT + len(TRAILER)] != TRAILER:
        return "no trailer: it was not written to the end"
    if (kind, size) != (0, SUMMED_BYTES):
        return f"type {kind} with {size} bytes, not 0 with {SUMMED_BYTES}"
    if stored != byte_sum(image):
        return f"sum {stored:04x}h, not {byte_sum(image):04x}h"
    return ""


def own_fault(image: bytes) -> str:
    block = image[OWN_AT:OWN_AT + OWN_BYTES]
    if block[:4] != OWN_SIGNATURE:
        return "none"
    stored, right = int.from_bytes(block[4:6], "little"), crc16(block[6:])
    if stored != right:
        return f"CRC {stored:04x}h, not {right:04x}h"
    return "" if block[6] == OWN_VERSION else f"version {block[6]}, not {OWN_VERSION}"


def has_tekram(image: bytes) -> bool:
    words = struct.unpack_from(f"<{TEKRAM_BYTES // 2}H", image, TEKRAM_AT)
    return sum(words) & 0xFFFF == TEKRAM_SUM


def seal(image: bytearray) -> None:
    """Set sum and trailer of Symbios's block."""
    image[TRAILER_AT:TRAILER_AT + len(TRAILER)] = TRAILER
    struct.pack_into("<H", image, SUM_AT, byte_sum(image))


def seal_own(image: bytearray) -> None:
    """Set the CRC of our block: not that of a damaged one, which would then seem valid."""
    struct.pack_into("<H", image, OWN_AT + 4, crc16(image[OWN_AT + 6:OWN_AT + OWN_BYTES]))


def set_own_defaults(image: bytearray) -> None:
    image[OWN_AT:OWN_AT + OWN_BYTES] = struct.pack("<4sHBBBBBB4s16x", OWN_SIGNATURE, 0, OWN_VERSION, 0, 0, 0, 5, 1,
                                                   b"\xFF" * 4)
    seal_own(image)


def make_blocks(image: bytearray, chip: str) -> None:
    """New blocks in place of what is there"""
    device, width = CHIPS[chip]
    image[CARD_AT:CARD_AT + CARD_BYTES] = bytes(CARD_BYTES)
    struct.pack_into("<HHHBB", image, CARD_AT, 0, SUMMED_BYTES, 0, 0, 0x30)
    struct.pack_into("<HHHHBBB", image, CARD_AT + 12, 0x0A, 0, 0, 2, 7, HOSTS, TARGETS)
    struct.pack_into("<HHHBBHHH", image, HOST_AT, 4, device, VENDOR, 0, 0, 0, 1, 0)
    for n in range(TARGETS):
        struct.pack_into("<BBBBHH", image, TARGET_AT + n * TARGET_BYTES, 0x0F, 0, width, width, 100, 10)
    seal(image)
    set_own_defaults(image)


def set_defaults(image: bytearray, chip: str) -> None:
    """Both blocks, as "Defaults" of the set-up screen makes them. A block that is valid keeps what this ROM does not
    use, and the controllers."""
    new = bytearray(image)
    make_blocks(new, chip)
    if not card_fault(image):
        for field in [*CARD_USED, *chain.from_iterable(TARGET_ROWS)]:
            field.put(image, field.get(new))
        seal(image)
    else:
        image[CARD_AT:CARD_AT + CARD_BYTES] = new[CARD_AT:CARD_AT + CARD_BYTES]
    if not own_fault(image):
        for field in OWN:
            field.put(image, field.get(new))
        seal_own(image)
    else:
        set_own_defaults(image)


def faults(image: bytes) -> Iterator[str]:
    """Everything that makes a reader use defaults."""
    if fault := card_fault(image):
        yield f"Symbios's block: {fault}"
        return
    if (fault := own_fault(image)) not in ("", "none"):
        yield f"our block: {fault}"
    for field in FIELDS.values():
        if (not field.is_own or not fault) and not field.kind.holds(field.get(image)):
            yield f"{field.name} is {field.kind.show(field.get(image))}"


# ---- Printing ---------------------------------------------------------------------


def in_columns(rows: list[list[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows)]
    for row in rows:
        yield "  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths)).rstrip()


def table(rows: list[list[Field]], image: bytes) -> Iterator[str]:
    """A line for each target, host or SCAM entry"""
    titles = [field.name.split("-", 1)[1] for field in rows[0]]
    yield from in_columns([["", *titles], *([row[0].name.split("-")[0], *(f.show(image) for f in row)] for row in rows)])


def listing(fields: list[Field], image: bytes) -> Iterator[str]:
    yield from in_columns([[field.name, field.show(image), field.text] for field in fields])


def report(image: bytes) -> Iterator[str]:
    """The lines that describe an image"""
    fault = card_fault(image)
    yield f"Symbios's block (100h): {fault or 'valid'}"
    if has_tekram(image):
        yield "Tekram's block (40h): present; it belongs to Tekram's BIOS and is not changed"
    if fault == "blank":
        return
    yield from listing(CARD, image)
    yield "Controllers in boot order:"
    yield from table(HOST_ROWS, image)
    yield "Targets:"
    yield from table(TARGET_ROWS, image)
    if any(image[SCAM_AT:SPARE_AT]):
        yield "SCAM:"
        yield from table(SCAM_ROWS, image)
    if any(image[SPARE_AT:SPARE_AT + SPARE_BYTES]):
        yield "The spare bytes are not 0; they are kept."
    fault = own_fault(image)
    yield f"Our block (300h): {fault or 'valid'}"
    if fault != "none":
        yield from listing(OWN, image)


# ---- Files ------------------------------------------------------------------------


def read_image(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            image = file.read(IMAGE_BYTES + 1)
    except OSError as error:
        raise NvramError(f"{path}: {error.strerror}") from None
    if len(image) != IMAGE_BYTES:
        size = "longer" if len(image) > IMAGE_BYTES else f"{len(image)} bytes"
        raise NvramError(f"{path} is {size}, not {IMAGE_BYTES} bytes")
    return image


def write_image(path: Path, image: bytes) -> None:
    """Replace a file in one step, or leave it as it is."""
    target = Path(os.path.realpath(path))
    try:
        handle, name = tempfile.mkstemp(dir=target.parent)
        try:
            with open(handle, "wb") as file:
                file.write(image)
            if target.exists():
                shutil.copymode(target, name)
            else:
                os.chmod(name, 0o644)
            os.replace(name, target)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise NvramError(f"{path}: {error.strerror}") from None


# ---- Commands ---------------------------------------------------------------------


def fields_named(name: str) -> list[Field]:
    """One, or that of all targets"""
    if name in FIELDS:
        return [FIELDS[name]]
    if name.startswith("targets-"):
        found = [FIELDS[each] for n in range(TARGETS) if (each := f"target{n}{name[7:]}") in FIELDS]
        if found:
            return found
    raise NvramError(f"there is no setting {name!r} (--help lists them)")


def require_own(image: bytearray) -> None:
    """Make our block if it is missing or damaged."""
    fault = own_fault(image)
    if fault.startswith("version"):
        raise NvramError(f"our block: {fault}; --defaults makes a new one")
    if fault not in ("", "none"):
        print(f"nvram.py: our block: {fault}; its settings begin from the defaults", file=sys.stderr)
    if fault:
        set_own_defaults(image)


def edit(image: bytes, settings: list[str], chip: str | None) -> bytes:
    new = bytearray(image)
    if chip:
        set_defaults(new, chip)
    elif fault := card_fault(image):
        raise NvramError(f"Symbios's block: {fault}; --defaults makes a new one")
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            raise NvramError(f"{setting!r} is not NAME=VALUE")
        for field in fields_named(name):
            if field.is_own:
                require_own(new)
            field.set(new, text)
            (seal_own if field.is_own else seal)(new)
    return bytes(new)


def help_fields() -> Iterator[str]:
    yield "settings:"
    for title, fields in (("", [*CARD, *OWN]), ("controller 1 of 4 in boot order", HOST_ROWS[0]),
                          ("target 0 of 16, or targets-... for all", TARGET_ROWS[0]),
                          ("entry 1 of 4 of the SCAM table, which this ROM does not use", SCAM_ROWS[0])):
        if title:
            yield f"  {title}:"
        yield from in_columns([[field.name, field.kind.range, field.text] for field in fields])


EXAMPLES = """examples:
  nvram.py ncr53c875_1.nvr                        print all settings
  nvram.py --check dump.bin                       exit status 0 if all is valid
  nvram.py dump.bin --set host-id=6 target3-scan=off
  nvram.py dump.bin --set targets-width=8 --output new.bin
  nvram.py new.nvr --defaults 875 --set boot1=2   a blank image gets settings
"""


class Parser(argparse.ArgumentParser):
    def error(self, message: str):
        raise NvramError(message)


def make_parser() -> Parser:
    parser = Parser(prog="nvram.py", description=__doc__.split("\n")[0],
                    formatter_class=argparse.RawDescriptionHelpFormatter,
                    epilog=EXAMPLES + "\n" + "\n".join(help_fields()))
    parser.add_argument("file", type=Path, help="image of 2048 bytes")
    parser.add_argument("--check", action="store_true", help="print only what is not valid; exit status 1 if there is any")
    parser.add_argument("--set", nargs="+", action="extend", default=[], metavar="NAME=VALUE",
                        help="change settings; unknown bits of the blocks stay")
    parser.add_argument("--defaults", choices=CHIPS, metavar="CHIP", help="first set all to the defaults for this chip ("
                        + ", ".join(CHIPS) + "); valid blocks keep what this ROM does not use, and the controllers")
    parser.add_argument("--output", "-o", type=Path, metavar="FILE", help="write there, and leave the image as it is")
    return parser


def run(argv: list[str] | None) -> int:
    arguments = make_parser().parse_args(argv)
    changes = arguments.set or arguments.defaults
    if arguments.output and not changes:
        raise NvramError("--output needs --set or --defaults")
    if arguments.check and changes:
        raise NvramError("--check changes nothing")
    image = read_image(arguments.file)
    if changes:
        write_image(arguments.output or arguments.file, edit(image, arguments.set, arguments.defaults))
        return 0
    if arguments.check:
        found = list(faults(image))
        for fault in found:
            print(f"{arguments.file}: {fault}", file=sys.stderr)
        return int(bool(found))
    print("\n".join(report(image)))
    return 0


def main(argv: list[str] | None = None) -> int:
    try:
        return run(argv)
    except NvramError as error:
        print(f"nvram.py: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())

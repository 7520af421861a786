# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The blocks of settings in a 24C16: that of Symbios, by the structure that Linux's driver
reads (drivers/scsi/sym53c8xx_2/sym_nvram.h), and the ROM's own (docs/settings.md).

SDMS_810 and SDMS_875 are what SDMS 4.0 has written to a blank chip in 86Box.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from tests.model.eeprom import BYTES, OWN_AT, SYMBIOS_AT

CARD_BYTES, OWN_BYTES = 368, 32
SUMMED = slice(6, 362)
TRAILER = bytes.fromhex("FEFE00000000")
SIGNATURE = b"sl8x"
NOWHERE = 0xFF      # no boot ID

# Bits of Card.flags, flags1 and flags2, Target.flags, Host.flags, Own.flags
SCAM, PARITY, VERBOSE, CHS_ALTERNATE = 1, 2, 4, 8
SCAN_DOWN = 1
AVOID_RESET = 4
DISCONNECTS, SCANNED, LUNS, TAGS = 1, 2, 4, 8
BOOTS = 1
QUIET, CD_FIRST, NATIVE_BLOCKS = 1, 2, 4
NONE, BOOT_DRIVE, ALL = range(3)    # removable media


@dataclass
class Host:
    device: int = 0x0012
    pci_address: int = 0x0020
    flags: int = BOOTS
    io: int = 0xC000
    type: int = 4
    vendor: int = 0x1000

    def pack(self) -> bytes:
        return struct.pack("<HHHBBHHH", self.type, self.device, self.vendor, self.pci_address >> 8,
                           self.pci_address & 0xFF, 0, self.flags, self.io)


EMPTY = Host(0, 0, 0, 0, 0, 0)


@dataclass
class Target:
    flags: int = DISCONNECTS | SCANNED | LUNS | TAGS
    width: int = 8
    offset: int = 8
    period: int = 100
    timeout: int = 10
    reserved: int = 0

    def pack(self) -> bytes:
        return struct.pack("<BBBBHH", self.flags, self.reserved, self.width, self.offset, self.period,
                           self.timeout)


@dataclass
class Card:
    """Symbios's block"""
    flags: int = PARITY | CHS_ALTERNATE
    flags1: int = 0
    flags2: int = 0
    termination: int = 0
    removable: int = ALL
    host_id: int = 7
    hosts: list[Host] = field(default_factory=list)
    targets: dict[int, Target] = field(default_factory=dict)    # those that differ from Target()
    version: tuple[int, int] = (0, 0x30)
    boot_crc: int = 0
    counts: tuple[int, int, int, int] = (4, 16, 0, 0)   # hosts, targets, SCAM entries
    type: int = 0
    length: int = 356
    spare: bytes = bytes(152)
    trailer: bytes = TRAILER

    def pack(self, sum_: int | None = None) -> bytes:
        body = struct.pack("<BBIHHHHBBBBBB", *self.version, self.boot_crc, self.flags, self.flags1,
                           self.termination, self.removable, self.host_id, *self.counts, self.flags2)
        body += b"".join(host.pack() for host in [*self.hosts, *[EMPTY] * (4 - len(self.hosts))])
        body += b"".join(self.targets.get(i, Target()).pack() for i in range(16))
        body += self.spare
        sum_ = sum(body) & 0xFFFF if sum_ is None else sum_
        block = struct.pack("<HHH", self.type, self.length, sum_) + body + self.trailer
        assert len(block) == CARD_BYTES
        return block


SDMS_810 = Card(flags=PARITY | VERBOSE, removable=NONE, hosts=[Host(0x0001)])
SDMS_875 = Card(flags=PARITY | VERBOSE | CHS_ALTERNATE, removable=ALL, hosts=[Host(0x000F)])


def crc16(data: bytes) -> int:
    """CRC-16-CCITT, from FFFFh"""
    crc = 0xFFFF
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xFFFF
    return crc


@dataclass
class Own:
    """The ROM's block"""
    flags: int = 0
    scan_delay: int = 0
    spin_up_delay: int = 0
    boot_timeout: int = 5
    window: int = 1
    boot_ids: list[int] = field(default_factory=list)
    reserved: bytes = bytes(16)
    version: int = 1
    signature: bytes = SIGNATURE

    def pack(self, crc: int | None = None) -> bytes:
        ids = bytes(self.boot_ids).ljust(4, bytes([NOWHERE]))
        body = bytes([self.version, self.flags, self.scan_delay, self.spin_up_delay, self.boot_timeout,
                      self.window]) + ids + self.reserved
        block = self.signature + struct.pack("<H", crc16(body) if crc is None else crc) + body
        assert len(block) == OWN_BYTES
        return block


def image(card: Card | bytes | None = None, own: Own | bytes | None = None, blank: int = 0xFF) -> bytes:
    """The whole chip."""
    content = bytearray([blank]) * BYTES
    for at, block in ((SYMBIOS_AT, card), (OWN_AT, own)):
        if block is not None:
            block = block if isinstance(block, bytes) else block.pack()
            content[at:at + len(block)] = block
    return bytes(content)

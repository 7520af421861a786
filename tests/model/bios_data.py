# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Addresses and values of the virtual PC's BIOS.

[PCI-BIOS 2.1; PnP-BIOS 1.0A; BBS 1.01; PCI firmware 3.0; PMM 1.01; RBIL]
"""

from __future__ import annotations


BIOS_SEGMENT = 0xF000
STOP = 0xFF00           # F000: a HLT, the return address of calls
RESET_VECTOR = 0xFFF0   # F000: where the CPU begins
SERVICE = 0xE000        # F000: one service each 16 bytes, an IRET, ...
OPENING = b"\xfb\x90\xcf"    # ... but video BIOSes enable interrupts: STI NOP IRET
PMM_ENTRY, PNP_ENTRY = 0xD000, 0xD100
BOOTSTRAP = 0xC800      # F000: the INT 19h handler
PNP_OFFSET = 0x0100
PMM_TABLE = 0xF0000

ROM_SEGMENT = 0xC800
INIT_SEGMENT = 0x6000   # where a PCI 3.0 BIOS runs init
INIT, RUN_TIME_BLOCKS = 3, 0x16     # offsets in the ROM header, in its PCI data structure
ROM_ALIGNMENT = 2048    # of each ROM copy
EBDA_KIB = 639
MEMORY_KIB = 16 * 1024
BASE_MEMORY = 640 * 1024

# What a copy of the ROM takes, in KiB. Without PMM, all of it is base memory, and a CD's
# buffer may use the slack.
WORKSPACE_KIB = 3
SLACK_KIB = 1           # unused below all of it, only without PMM
FAR_KIB = 7             # code for CDs, without PMM
BOOT_KIB = 2            # most base memory that it takes at boot: the buffer of a CD

PERMANENT_AREA = range(0xE8000, 0xF0000)    # PMM allocates from these two
TEMPORARY_AREA = range(0x50000, 0x60000)
MOST_WITHOUT_PMM = 16 * 1024    # of a ROM that stays
SCRATCH_KIB = 92        # below 40:13h, usable until init returns by a ROM that PMM refuses
UNPACKED_KIB = 61       # most that the unpacked ROM needs
JUNK = 0x5A             # fills memory that the BIOS reclaims
GIVEN_BACK = 0xF4       # HLT: fills image parts and memory that init has released

EQUIPMENT, MEMORY_SIZE, EBDA_POINTER = 0x410, 0x413, 0x40E
VIDEO_MODE, VIDEO_COLUMNS, TICKS = 0x449, 0x44A, 0x46C
RESET_FLAG, WARM_BOOT = 0x472, 0x1234
KEYBOARD, KEYBOARD_101 = 0x496, 0x10    # 40:96h bit 4: a keyboard of 101 keys
DISKETTE_STATUS, DISK_STATUS, HARD_DISKS = 0x441, 0x474, 0x475
BOOT_SECTOR = range(0x7C00, 0x7E00)
BOOT_VECTORS = {"INT 9h": range(0x24, 0x28), "INT 10h": range(0x40, 0x44),
                "INT 13h": range(0x4C, 0x50), "INT 18h": range(0x60, 0x64),
                "INT 19h": range(0x64, 0x68), "40:75h": range(HARD_DISKS, HARD_DISKS + 1)}

CF, ZF, IF = 0x001, 0x040, 0x200
CHARACTER_NS = 100_000  # teletype output that also goes to a serial line

MOST_TEXT = 20_000

# BOCHS: a BIOS with a $PnP structure that reports no BBS and calls no boot entry. The
# models of the real Bochs BIOS, which does both, are in boards.py.
# BOARD: boards.py.
SEABIOS, SPECIFICATION, PCI_3, NO_BBS, BOCHS, BOARD = (
    "SeaBIOS", "specification", "PCI 3.0", "no BBS", "Bochs", "board")
WITHOUT_BBS = (NO_BBS, BOCHS, BOARD)
PNP_KINDS = ("BBS", "no BBS", "bare", "bad checksum", "absent")
GET_BBS_VERSION, BBS_VERSION, PNP_UNSUPPORTED = 0x60, 0x0101, 0x82
CONNECT_AS_IPL = 0x0004     # AX for a boot connection vector [PnP-BIOS 1.0A]
SEABIOS_BOOT = 0xAA55       # AX for a bootstrap entry vector

# Stack bytes a caller must provide; for others: what `make size` calls room for a BIOS service
PCI_STACK, PMM_STACK, PNP_STACK, ANY_STACK = 1024, 256, 1024, 128
# Load and start the boot sector of drive 80h; if it has none, INT 18h
BOOTSTRAP_CODE = bytes.fromhex(
    "31f6 8ec6 bb007c b80102 b90100 ba8000 cd13 720e 26813efe7d55aa 7505 ea007c0000 cd18 cf")
OWN_SECTORS = 0x12345678    # size of each of the BIOS's own hard disks
KEY_NS = 50_000             # time of one keyboard poll
PCI_UNSUPPORTED, PCI_NOT_FOUND, PCI_BAD_REGISTER = 0x81, 0x86, 0x87


def checksummed(table: bytes, at: int) -> bytes:
    """The table with its checksum byte set so that all bytes sum to 0."""
    out = bytearray(table)
    out[at] = -sum(out) & 0xFF
    return bytes(out)

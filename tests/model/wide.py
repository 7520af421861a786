# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The odd bytes of a wide chip, and the bytes in its output latches.

    receiving   the upper half of the last word stays in SWIDE, and WSR is set. The next
                CHMOV begins with it, MOVE drops it
    sending     CHMOV leaves the last byte in SODL, and sets WSS. The next move begins with
                it. MOVE sends a word whose upper half is no data

WSR and WSS end with a transfer in the other direction or with 8 bits, as all messages are,
and are cleared by writing 1. [895A 2-53; 896 2-54, 2-55; 875A 4-26, 4-27; 1010 2-58]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.model.disagreement import PAD
from tests.model.registers import CHM, OLF, OLF1, ORF, ORF1, SCNTL2, SODL, SSTAT0, SWIDE, WSR, WSS
from tests.model.transfer import Setting

if TYPE_CHECKING:
    from tests.model.chip import Chip

# The order in which the bytes that wait are in the latches: SSTAT0, SSTAT2
SODL_ONLY = ((OLF, 0), (0, OLF1))
SODR_FIRST = ((ORF, 0), (0, ORF1), *SODL_ONLY)


def begin_move(chip: Chip, chained: bool) -> None:
    """A block move sets or clears chained mode. [875A 4-26]"""
    chip.registers[SCNTL2] = chip.registers[SCNTL2] & ~CHM | CHM * chained


def _end(chip: Chip, flags: int) -> bool:
    ended = chip.registers[SCNTL2] & flags
    chip.registers[SCNTL2] &= ~ended
    if ended & WSS:
        chip.registers[SSTAT0] &= ~OLF
    return bool(ended)


def no_chain(chip: Chip) -> None:
    """A transfer with 8 bits."""
    _end(chip, WSS | WSR)


def first_received(chip: Chip) -> bytes:
    """What a wide move begins with."""
    _end(chip, WSS)
    if not _end(chip, WSR):
        return b""
    if not chip.registers[SCNTL2] & CHM:
        chip.rule("wide data cut at an odd byte", "MOVE drops the byte in SWIDE")
        return b""
    return bytes([chip.registers[SWIDE]])


def keep_odd(chip: Chip, taken: bytes, wanted: int) -> bytes:
    """The bytes of the words taken that go to memory. A 53C1010 keeps the odd one in chained
    mode only."""
    if len(taken) > wanted:
        chip.registers[SWIDE] = taken[wanted]
        if chip.registers[SCNTL2] & CHM or not chip.variant.core_1010:
            chip.registers[SCNTL2] |= WSR
    return taken[:wanted]


def to_send(chip: Chip, data: bytes) -> tuple[bytes, bytes, int]:
    """Of a wide move with this data: the bytes to send with those from before, the byte that
    CHMOV keeps, and how many of the former are no data."""
    _end(chip, WSR)
    if _end(chip, WSS):
        data = bytes([chip.registers[SODL]]) + data
    if len(data) % 2 == 0:
        return data, b"", 0
    if chip.registers[SCNTL2] & CHM:
        return data[:-1], data[-1:], 0
    return data + bytes([PAD]), b"", 1


def keep_last(chip: Chip, kept: bytes) -> None:
    """All others are sent. Its latch is full. [896 2-33]"""
    if kept:
        chip.registers[SODL] = kept[0]
        chip.registers[SCNTL2] |= WSS
        chip.registers[SSTAT0] |= OLF


def latches(chip: Chip, setting: Setting, left: int, begun: bool) -> tuple[tuple[int, int], ...]:
    """Full flags in SSTAT0 and SSTAT2 of an interrupted move out, one for each byte that waits
    in SODL, or in SODR if it is synchronous. [896 2-33]"""
    if not begun:
        return SODL_ONLY[:1] if chip.registers[SCNTL2] & WSS else ()
    places = SODR_FIRST if setting.offset and not chip.variant.core_1010 else SODL_ONLY
    narrow = places[::2]
    return (places if setting.width else narrow)[:left]

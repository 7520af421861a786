# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""rom/post/settings.c on x86-64: which blocks are valid, what is used in place of damaged ones
and of values out of range, and in which order blocks are written.
"""

from __future__ import annotations

import ctypes
import random
import re
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tests.build import TOP
from tests.model.eeprom import BYTES, OWN_AT, SYMBIOS_AT
from tests.model.nvram_blocks import (ALL, BOOT_DRIVE, CARD_BYTES, CD_FIRST, NATIVE_BLOCKS, NOWHERE, OWN_BYTES, PARITY,
                                      QUIET, SDMS_810, SDMS_875, SUMMED, TRAILER, Card, Host, Own, Target, crc16, image)
from tests.native.native import CFLAGS, NATIVE

OWN_IN_MEMORY, AFTER = CARD_BYTES, CARD_BYTES + OWN_BYTES
DEFAULT, STORED, INVALID, FOREIGN, IGNORED = range(5)       # enum settings_source
ABSENT, C24C16, C93C46, STUCK = range(4)                    # enum nvram_chip
OK, NO_ACKNOWLEDGE, BUSY = range(3)                         # enum nvram_result
C810, C875, C895A, C1010 = (1, 1), (0x0F, 4), (0x12, 1), (0x20, 1)
PCI_ADDRESS = 0x0128
SUM_AT, TRAILER_AT = SYMBIOS_AT + 4, SYMBIOS_AT + CARD_BYTES - len(TRAILER)

chips = pytest.mark.parametrize("chip", [C810, C875, C895A, C1010], ids=["810", "875", "895A", "1010-33"])


def is_wide(chip: tuple[int, int]) -> bool:
    return chip != C810


class Settings:
    """The C code with a chip that has this content."""

    def __init__(self, library: Path):
        self._c = ctypes.CDLL(str(library))
        self._content = (ctypes.c_uint8 * BYTES).in_dll(self._c, "native_chip")
        self._settings = (ctypes.c_uint8 * (AFTER + 3)).in_dll(self._c, "settings")
        self._writes = (ctypes.c_uint32 * 2 * 8).in_dll(self._c, "native_writes")

    def set(self, name: str, value: int, kind: type = ctypes.c_uint32) -> None:
        kind.in_dll(self._c, name).value = value

    def read(self, content: bytes, chip: tuple[int, int] = C895A, kind: int = C24C16, accesses: int = 99) -> Settings:
        self.content = content
        self.set("native_kind", kind, ctypes.c_uint8)
        self.set("native_left", accesses)
        self._c.native_read(*chip, PCI_ADDRESS)
        return self

    def write(self, accesses: int = 99) -> int:
        self.set("native_left", accesses)
        return self._c.native_write()

    def ignore(self) -> None:
        self._c.native_ignore()

    @property
    def content(self) -> bytes:
        return bytes(self._content)

    @content.setter
    def content(self, content: bytes) -> None:
        ctypes.memmove(self._content, content, BYTES)

    @property
    def writes(self) -> list[tuple[int, int]]:
        """Offset and length of each in the last write()"""
        count = ctypes.c_uint32.in_dll(self._c, "native_written").value
        return [tuple(self._writes[i]) for i in range(count)]

    @property
    def memory(self) -> bytes:
        """Both blocks as they are used"""
        return bytes(self._settings[:AFTER])

    @memory.setter
    def memory(self, blocks: bytes) -> None:
        ctypes.memmove(self._settings, blocks, AFTER)

    @property
    def source(self) -> int:
        return self._settings[AFTER]

    @property
    def damaged(self) -> bool:
        return bool(self._settings[AFTER + 2])


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Settings:
    library = tmp_path_factory.mktemp("settings") / "settings.so"
    files = [NATIVE / "settings.c", TOP / "rom/post/settings.c", TOP / "lsi/post/chips.c"]
    subprocess.run(["gcc", *CFLAGS, "-fshort-enums", "-D__seg_gs=", "-D__seg_fs=", "-shared", "-o", library, *files],
                   check=True)
    return Settings(library)


def usual(chip: tuple[int, int] = C895A) -> Card:
    width = 16 if is_wide(chip) else 8
    return Card(hosts=[Host(chip[0], PCI_ADDRESS)],
                targets={i: Target(width=width, offset=width) for i in range(16)})


def usual_blocks(chip: tuple[int, int] = C895A) -> bytes:
    """The defaults in memory; our block has signature and CRC only when it is written."""
    return usual(chip).pack(0)[:-6] + bytes(6) + own_in_memory(Own())


def own_in_memory(own: Own) -> bytes:
    return bytes(7) + own.pack()[7:]


def in_place(valid: bytes, changes: dict[int, int]) -> bytes:
    """The blocks in memory after bytes were replaced."""
    block = bytearray(valid)
    for at, value in changes.items():
        block[at] = value
    return bytes(block)


# ---- Which blocks are valid --------------------------------------------------------------


@chips
@pytest.mark.parametrize("kind", [ABSENT, STUCK])
def test_defaults_without_a_chip(settings, chip, kind):
    settings.read(image(Card(host_id=3)), chip, kind)
    assert (settings.source, settings.damaged) == (DEFAULT, False)
    assert settings.memory == usual_blocks(chip)


@pytest.mark.parametrize("blank", [0x00, 0xFF])
def test_blank_chip_is_no_damage(settings, blank):
    settings.read(image(blank=blank))
    assert (settings.source, settings.damaged) == (DEFAULT, False)
    assert settings.memory == usual_blocks()


def test_our_block_alone_does_not_count(settings):
    settings.read(image(None, Own(scan_delay=5)))
    assert (settings.source, settings.damaged) == (DEFAULT, False)
    assert settings.memory == usual_blocks()


def test_tekrams_chip_is_not_read(settings):
    settings.read(image(Card(host_id=3)), kind=C93C46)
    assert (settings.source, settings.damaged) == (FOREIGN, False)
    assert settings.memory == usual_blocks()


def settings_written_by_sdms() -> dict[str, tuple[Card, tuple[int, int]]]:
    return {"810": (SDMS_810, C810), "875": (SDMS_875, C875), "host ID": (replace(SDMS_875, host_id=5), C875)}


@pytest.mark.parametrize("card, chip", settings_written_by_sdms().values(), ids=settings_written_by_sdms().keys())
def test_block_of_sdms_is_used_as_it_is(settings, card, chip):
    settings.read(image(card), chip)
    assert (settings.source, settings.damaged) == (STORED, False)
    assert settings.memory == card.pack() + own_in_memory(Own())


def test_samples_have_the_sums_that_sdms_has_stored():
    """The tests above then use what SDMS has written."""
    assert [struct.unpack_from("<H", card.pack(), 4)[0] for card in (SDMS_810, SDMS_875)] == [0x0A17, 0x0A2F]


FULL = Card(flags=0xFFF7, flags1=0xFFFF, flags2=0xFF, termination=0x1234, removable=BOOT_DRIVE, host_id=15,
            hosts=[Host(0x000F, 0x0A28, io=0xFC00), Host(0x0001, 0x0140, flags=0xFFFE), Host(type=2, io=0x330)],
            targets={i: Target(0xF0 | i, 16, i, 25 + i, 9999 - i, 0xAA) for i in range(0, 16, 2)},
            version=(9, 99), boot_crc=0x12345678, counts=(3, 15, 4, 2), spare=random.Random(1).randbytes(152))
FULL_OWN = Own(0xFF, 60, 15, 60, 10, [15, 0, NOWHERE, 7])


def test_every_field_in_range_is_kept_bit_for_bit(settings):
    settings.read(image(FULL, FULL_OWN))
    assert (settings.source, settings.damaged) == (STORED, False)
    assert settings.memory == FULL.pack() + FULL_OWN.pack()


@pytest.mark.parametrize("version", [(0, 0), (0, 1), (0x30, 0), (255, 255)])
def test_versions_of_symbios_have_the_same_structure(settings, version):
    settings.read(image(replace(FULL, version=version), FULL_OWN))
    assert (settings.source, settings.memory[:CARD_BYTES]) == (STORED, replace(FULL, version=version).pack())


BAD_CARDS = {
    "type": replace(FULL, type=1), "type, high byte": replace(FULL, type=0x100), "length": replace(FULL, length=355),
    "long": replace(FULL, length=357), "length, high byte": replace(FULL, length=100),
    "sum + 1": FULL.pack(sum(FULL.pack()[SUMMED]) + 1 & 0xFFFF),
    "sum of bytes": FULL.pack(sum(FULL.pack()[SUMMED]) & 0xFF), "no sum": FULL.pack(0), "no trailer": replace(FULL, trailer=bytes(6)),
    **{f"trailer {i}": replace(FULL, trailer=in_place(TRAILER, {i: TRAILER[i] ^ 1})) for i in range(6)},
    "text": b"settings".ljust(CARD_BYTES, b"!"), "one byte": bytes(CARD_BYTES - 1) + b"\1", "AAh": b"\xAA" * CARD_BYTES,
    "one bit of FFh": b"\xFF" * 99 + b"\xFE" + b"\xFF" * (CARD_BYTES - 100)}


@pytest.mark.parametrize("card", BAD_CARDS.values(), ids=BAD_CARDS.keys())
def test_invalid_block_is_damage(settings, card):
    settings.read(image(card, FULL_OWN))
    assert (settings.source, settings.damaged) == (INVALID, True)
    assert settings.memory == usual_blocks()


def test_each_wrong_bit_of_the_block_is_noticed(settings):
    """All that the sum covers, and what tells where it is"""
    valid = image(FULL, FULL_OWN)
    for bit in range(8 * CARD_BYTES):
        settings.read(in_place(valid, {SYMBIOS_AT + bit // 8: valid[SYMBIOS_AT + bit // 8] ^ 1 << bit % 8}))
        assert settings.source == INVALID, bit


BAD_OWN = {"CRC": FULL_OWN.pack(crc16(b"")), "CRC 0": FULL_OWN.pack(0)}
OTHER_OWN = {
    "zeros": bytes(32), "blank": b"\xFF" * 32, "signature": replace(FULL_OWN, signature=b"SL8X"),
    "version 0": replace(FULL_OWN, version=0), "version 2": replace(FULL_OWN, version=2),
    "version FFh": replace(FULL_OWN, version=255), "other data": bytes(range(32))}


@pytest.mark.parametrize("own, damaged", [*((own, True) for own in BAD_OWN.values()),
                                          *((own, False) for own in OTHER_OWN.values())],
                         ids=[*BAD_OWN, *OTHER_OWN])
def test_defaults_take_the_place_of_our_block(settings, own, damaged):
    """Only of ours. Data of others at its place is no damage."""
    settings.read(image(FULL, own))
    assert (settings.source, settings.damaged) == (STORED, damaged)
    assert settings.memory[:CARD_BYTES] == FULL.pack()
    assert settings.memory[OWN_IN_MEMORY:] == own_in_memory(Own())


def test_each_wrong_bit_of_our_block_is_noticed(settings):
    valid = image(FULL, FULL_OWN)
    for bit in range(8 * OWN_BYTES):
        settings.read(in_place(valid, {OWN_AT + bit // 8: valid[OWN_AT + bit // 8] ^ 1 << bit % 8}))
        assert settings.memory == FULL.pack() + own_in_memory(Own()), bit


@pytest.mark.parametrize("accesses, source", [(0, INVALID), (1, STORED), (2, STORED)])
def test_chip_that_stops_answering_is_damage(settings, accesses, source):
    settings.read(image(FULL, FULL_OWN), accesses=accesses)
    assert (settings.source, settings.damaged) == (source, accesses < 2)
    assert (settings.memory[:CARD_BYTES] == FULL.pack()) == (accesses > 0)
    assert (settings.memory[OWN_IN_MEMORY:] == FULL_OWN.pack()) == (accesses > 1)


def test_settings_are_ignored_on_request(settings):
    settings.read(image(FULL, FULL_OWN)).ignore()
    assert (settings.source, settings.memory) == (IGNORED, usual_blocks())


# ---- Values out of range -------------------------------------------------------------------


@chips
def test_values_out_of_range_are_replaced_one_by_one(settings, chip):
    last_id, width = (15, 16) if is_wide(chip) else (7, 8)
    good = replace(FULL, host_id=last_id, targets={i: Target(0, 8, 62, 0, 9999) for i in range(16)})
    good_own = Own(0xFF, 60, 15, 60, 10, [last_id, 0, NOWHERE, 1])
    cases = [(replace(good, host_id=value), good_own, {20: 7}) for value in (last_id + 1, 16, 255)]
    cases += [(replace(good, removable=value), good_own, {18: at, 19: 0})
              for value, at in ((3, 2), (255, 2), (0x100, 0), (0xFFFF, 2))]
    for i in range(16):
        at = 82 + 8 * i
        bad = {"width": [0, 7, 9, 15, 17, 32, 255, *([] if is_wide(chip) else [16])], "offset": [63, 255],
               "timeout": [10000, 0xFFFF]}
        put = {"width": {at + 2: width}, "offset": {at + 3: width}, "timeout": {at + 6: 10, at + 7: 0}}
        cases += [(replace(good, targets={**good.targets, i: replace(good.targets[i], **{name: value})}), good_own,
                   put[name]) for name, values in bad.items() for value in values]
    for field, at, most, usually in (("scan_delay", 8, 60, 0), ("spin_up_delay", 9, 15, 0),
                                     ("boot_timeout", 10, 60, 5), ("window", 11, 10, 1)):
        cases += [(good, replace(good_own, **{field: value}), {CARD_BYTES + at: usually}) for value in (most + 1, 255)]
    cases += [(good, replace(good_own, boot_ids=[bad if i == n else 0 for i in range(4)]), {CARD_BYTES + 12 + n: NOWHERE})
              for n in range(4) for bad in (last_id + 1, 16, 254)]
    for card, own, changes in [(good, good_own, {}), *cases]:
        settings.read(image(card, own), chip)
        assert (settings.source, settings.damaged) == (STORED, False)
        assert settings.memory == in_place(card.pack() + own.pack(), changes), changes


def in_range(blocks: bytes, chip: tuple[int, int]) -> bool:
    last_id = 15 if is_wide(chip) else 7
    removable, host_id = struct.unpack_from("<HB", blocks, 18)
    targets = [struct.unpack_from("<BBBBHH", blocks, 82 + 8 * i) for i in range(16)]
    scan_delay, spin_up, boot_timeout, window, *boot_ids = blocks[CARD_BYTES + 8:CARD_BYTES + 16]
    return (removable <= ALL and host_id <= last_id
            and all(width in ((8, 16) if is_wide(chip) else (8,)) and offset <= 62 and timeout <= 9999
                    for _, _, width, offset, _, timeout in targets)
            and scan_delay <= 60 and spin_up <= 15 and boot_timeout <= 60 and window <= 10
            and all(i <= last_id or i == NOWHERE for i in boot_ids))


def random_chip(numbers: random.Random) -> bytes:
    """Blocks with random bytes. Most have a valid sum and CRC, so that the bytes count."""
    card = bytearray(random_bytes(numbers, CARD_BYTES))
    if numbers.random() < 0.9:
        card[:4], card[-6:] = b"\0\0\x64\1", TRAILER
        card[4:6] = struct.pack("<H", sum(card[SUMMED]) & 0xFFFF)
    own = bytearray(random_bytes(numbers, OWN_BYTES))
    if numbers.random() < 0.9:
        own[:4], own[6] = b"sl8x", numbers.choice([1, 1, 1, 0, 2])
        own[4:6] = struct.pack("<H", crc16(own[6:]))
    return image(bytes(card), bytes(own), numbers.choice([0x00, 0xFF]))


def random_bytes(numbers: random.Random, length: int) -> bytes:
    mask = numbers.choice([0xFF, 0x0F, 0x03, 0x00])
    return bytes(byte & mask for byte in numbers.randbytes(length))


@pytest.mark.parametrize("count", [2_000, pytest.param(100_000, marks=pytest.mark.long)])
def test_random_blocks_are_used_only_if_valid_and_in_range(settings, count):
    numbers, seen = random.Random(count), set()
    for number in range(count):
        chip = numbers.choice([C810, C875, C895A, C1010])
        content = random_chip(numbers)
        settings.read(content, chip)
        card, own = settings.memory[:CARD_BYTES], settings.memory[OWN_IN_MEMORY:]
        assert in_range(settings.memory, chip), number
        stored = content[SYMBIOS_AT:SYMBIOS_AT + CARD_BYTES]
        valid = (stored[:4] == b"\0\0\x64\1" and stored[-6:] == TRAILER
                 and stored[4:6] == struct.pack("<H", sum(stored[SUMMED]) & 0xFFFF))
        assert settings.source == (STORED if valid else INVALID if len(set(stored)) > 1 else DEFAULT), number
        if valid:    # what has no range is as it was
            assert card[:18] + card[21:82] + card[-158:] == stored[:18] + stored[21:82] + stored[-158:], number
        else:
            assert settings.memory == usual_blocks(chip), number
        assert settings.content == content, number
        seen.add((settings.source, own[:4] == b"sl8x", settings.damaged))
    assert len(seen) >= 4


# ---- Writing -----------------------------------------------------------------------------

STEPS = [(TRAILER_AT, 6), (OWN_AT, 32), (SYMBIOS_AT, 362), (TRAILER_AT, 6)]


@chips
@pytest.mark.parametrize("content", [image(), image(blank=0), image(BAD_CARDS["text"], b"\xAA" * 32, blank=0x55)],
                         ids=["FFh", "00h", "damaged"])
def test_defaults_are_written_as_valid_blocks(settings, chip, content):
    assert settings.read(content, chip).write() == OK
    assert settings.writes == STEPS
    assert (settings.source, settings.damaged) == (STORED, False)
    assert settings.content == in_place(content, dict(enumerate(usual(chip).pack(), SYMBIOS_AT))
                                        | dict(enumerate(Own().pack(), OWN_AT)))
    settings.read(settings.content, chip)
    assert (settings.source, settings.memory) == (STORED, usual(chip).pack() + Own().pack())


def test_writing_keeps_what_is_not_changed(settings):
    content = image(FULL, FULL_OWN, blank=0x5A)
    settings.read(content)
    assert settings.write() == OK
    assert settings.content == content


def test_written_changes_have_a_sum_and_a_crc(settings):
    settings.read(image(FULL, FULL_OWN))
    card, own = replace(FULL, host_id=3, flags=PARITY), Own(QUIET, boot_ids=[2])
    settings.memory = card.pack(0) + own.pack(0)
    assert settings.write() == OK
    assert settings.content == image(card, own)


@pytest.mark.parametrize("accesses", range(4))
def test_no_mixture_is_left_when_a_write_fails(settings, accesses):
    """The step that fails has written the first half of its bytes."""
    old, old_own = replace(FULL, host_id=5), Own(CD_FIRST | NATIVE_BLOCKS, 1, 2, 3, 4, [5])
    settings.read(image(old, old_own))
    settings.memory = FULL.pack(0) + FULL_OWN.pack(0)
    assert settings.write(accesses) == BUSY
    assert settings.writes == STEPS[:accesses + 1]
    assert settings.source == STORED, "what is in memory still is what the user wants"
    settings.read(settings.content)
    assert (settings.source, settings.damaged, settings.memory) == (INVALID, True, usual_blocks())


# ---- The structures ----------------------------------------------------------------------


def test_bits_of_the_structures_are_those_of_linux():
    """By the names in its sym_nvram.h, which this test repeats."""
    header = (TOP / "rom/post/settings.h").read_text()
    bits = dict(re.findall(r"#define ((?:SYMBIOS|TARGET|OWN)_\w+) +\(1u << (\d+)\)", header))
    assert {name: int(bit) for name, bit in bits.items()} == {
        "SYMBIOS_SCAM": 0, "SYMBIOS_PARITY": 1, "SYMBIOS_VERBOSE": 2, "SYMBIOS_CHS_ALTERNATE": 3,
        "SYMBIOS_SCAN_DOWN": 0, "SYMBIOS_AVOID_RESET": 2, "SYMBIOS_HOST_BOOTS": 0, "TARGET_DISCONNECTS": 0,
        "TARGET_SCANNED": 1, "TARGET_LUNS": 2, "TARGET_TAGS": 3, "OWN_QUIET": 0, "OWN_CD_FIRST": 1,
        "OWN_NATIVE_BLOCKS": 2}

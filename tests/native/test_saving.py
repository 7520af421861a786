# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""rom/post/settings.c above lsi/post/nvram.c on x86-64, with the EEPROM model: power that is
lost at any clock of settings_write(), and chips that fail in it. What the card has then is
what it had, what was to be written, or no valid settings; never a mixture. An independent
reader (tools/nvram.py) and settings_read() must agree.
"""

from __future__ import annotations

import ctypes
import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import nvram
import pytest

from tests.build import TOP
from tests.model.eeprom import BYTES, OWN_AT, PAGE_BYTES, SYMBIOS_AT, Eeprom, Faults, tekram_image
from tests.model.nvram_blocks import SDMS_875, Card, Own, Target, image
from tests.native.native import CFLAGS, NATIVE, sources
from tests.native.test_nvram import Card as CardWithEeprom

RESULTS = ["OK", "NO_ACKNOWLEDGE", "BUSY", "DIFFERS"]
CARD_BYTES, OWN_BYTES = 368, 32
SOME = 40       # settings_read() reads one of so many invalid ones: it takes long
BLOCKS = CARD_BYTES + OWN_BYTES     # at the start of struct settings

# Content of a page whose write cycle was cut short
TORN: list[Callable[[bytes, bytes], bytes]] = [
    lambda old, new: old,
    lambda old, new: new,
    lambda old, new: b"\xFF" * PAGE_BYTES,
    lambda old, new: bytes(PAGE_BYTES),
    lambda old, new: new[:8] + old[8:],
    lambda old, new: old[:8] + new[8:],
    lambda old, new: new[:12] + b"\xFF" * 4,
    lambda old, new: bytes(a | b for a, b in zip(old, new)),
    lambda old, new: bytes(a & b for a, b in zip(old, new)),
    lambda old, new: random.Random(old + new).randbytes(PAGE_BYTES),
]


class Recorder(Eeprom):
    """`left`: each content that a loss of power would have left, by the clock."""

    def __init__(self, content: bytes):
        super().__init__(content)
        self.left: dict[bytes, int] = {content: 0}
        self._seen: object = None

    def _count_clock(self) -> None:
        super()._count_clock()
        if self._seen == (self._cycle, len(self.written)):
            return      # nothing has changed since the last clock
        self._seen = self._cycle, len(self.written)
        for content in self._all_left():
            self.left.setdefault(content, self.clocks)

    def _all_left(self) -> Iterator[bytes]:
        stored = bytes(self._content)
        yield stored
        if self._cycle:
            page, new = self._cycle
            for torn in TORN:
                yield stored[:page] + torn(stored[page:page + PAGE_BYTES], new) + stored[page + PAGE_BYTES:]


class Saver(CardWithEeprom):
    def __init__(self, library: Path, eeprom: Eeprom, variant: str = "875"):
        super().__init__(library, eeprom, variant=variant)
        self._settings = (ctypes.c_uint8 * BLOCKS).in_dll(self._c, "settings")

    def read_settings(self) -> bytes:
        """Both blocks as they are used"""
        self._call("native_read_settings", self.chip.variant.device, self.chip.variant.revision)
        return bytes(self._settings)

    def write_settings(self, blocks: bytes) -> str:
        ctypes.memmove(self._settings, blocks, BLOCKS)
        return RESULTS[self._call("native_write_settings")]


@pytest.fixture(scope="module")
def saver(tmp_path_factory) -> Path:
    """The library"""
    target = tmp_path_factory.mktemp("saving") / "saving.so"
    files = [*sources(), TOP / "rom/post/settings.c", NATIVE / "native.c", NATIVE / "saving.c"]
    subprocess.run(["gcc", *CFLAGS, "-D__seg_gs=", "-D__seg_fs=", "-shared", "-Wl,-z,defs,-z,noexecstack", "-o",
                    target, *files], check=True)
    return target


def stored(content: bytes) -> tuple[bytes, bytes] | None:
    """What the independent reader finds: both blocks, or nothing"""
    if nvram.card_fault(content):
        return None
    own = content[OWN_AT:OWN_AT + OWN_BYTES]
    return content[SYMBIOS_AT:SYMBIOS_AT + CARD_BYTES], b"" if nvram.own_fault(content) else own


OLD = {
    "ours": image(Card(host_id=5, removable=0), Own(scan_delay=9, window=3)),
    "SDMS": image(SDMS_875),
    "FFh": b"\xFF" * BYTES,
    "zeros": bytes(BYTES),
    "random": random.Random(1).randbytes(BYTES),
    "Tekram": tekram_image(),
}


def other_settings(blocks: bytes) -> bytes:
    """New values for fields in every page of both blocks. Sum, CRC, signature and trailer are
    left to settings_write()."""
    card = Card(host_id=2, removable=1, flags2=4, targets={n: Target(flags=n, timeout=n * 7) for n in range(16)})
    own = Own(scan_delay=3, spin_up_delay=4)
    new = bytearray(card.pack() + own.pack())
    new[0x1F2 - 0x100:0x26A - 0x100] = random.Random(2).randbytes(120)     # spare
    for at, count in ((4, 2), (0x16A, 6), (CARD_BYTES, 7)):
        new[at:at + count] = bytes(count)
    return bytes(new)


def save(library: Path, eeprom: Eeprom) -> tuple[str, bytes]:
    saver = Saver(library, eeprom)
    new = other_settings(saver.read_settings())
    return saver.write_settings(new), new


@pytest.mark.parametrize("old", OLD.values(), ids=OLD.keys())
def test_power_lost_at_any_clock_leaves_old_settings_new_ones_or_none(saver, old):
    eeprom = Recorder(old)
    result, _ = save(saver, eeprom)
    assert result == "OK"
    before, after = stored(old), stored(eeprom.content)
    assert after and after != before
    used = {None: Saver(saver, Eeprom(b"\xFF" * BYTES)).read_settings()}
    used.update({state: Saver(saver, Eeprom(content)).read_settings()
                 for state, content in ((before, old), (after, eeprom.content)) if state})
    seen: dict[object, int] = {}
    for content, clock in eeprom.left.items():
        state = stored(content)
        assert state in (before, after, None), clock
        seen[state] = seen.get(state, 0) + 1
        if state or seen[state] % SOME == 1:
            assert Saver(saver, Eeprom(content)).read_settings() == used[state], clock
    assert seen.keys() == {before, after, None} and seen[None] > 100


@pytest.mark.parametrize("old", OLD.values(), ids=OLD.keys())
def test_saving_changes_only_the_two_blocks(saver, old):
    eeprom = Eeprom(old)
    result, new = save(saver, eeprom)
    assert result == "OK"
    content = eeprom.content
    assert content[:SYMBIOS_AT] == old[:SYMBIOS_AT] and content[0x270:OWN_AT] == old[0x270:OWN_AT]
    assert content[OWN_AT + OWN_BYTES:] == old[OWN_AT + OWN_BYTES:]
    assert content[0x106:0x26A] == new[6:0x16A] and content[0x307:0x320] == new[CARD_BYTES + 7:]
    assert not list(nvram.faults(content))


def test_trailer_is_invalidated_first_and_written_last(saver):
    eeprom = Eeprom(OLD["ours"])
    save(saver, eeprom)
    trailer = (0x26A, 6)
    assert eeprom.written[0] == eeprom.written[-1] == trailer
    middle = eeprom.written[1:-1]
    assert sorted(at for first, count in middle for at in range(first, first + count)) == [
        *range(0x100, 0x26A), *range(0x300, 0x320)]


@pytest.mark.parametrize("step", [1009, pytest.param(97, marks=pytest.mark.long)])
@pytest.mark.parametrize("fault", ["silent_from_clock", "holds_from_clock"])
def test_chip_that_fails_at_any_clock_leaves_old_settings_new_ones_or_none(saver, fault, step):
    """OK is returned only if they are saved."""
    old = OLD["ours"]
    good = Eeprom(old)
    save(saver, good)
    before, after = stored(old), stored(good.content)
    for clock in range(1, good.clocks, step):
        eeprom = Eeprom(old)
        card = Saver(saver, eeprom)
        new = other_settings(card.read_settings())
        eeprom.clocks = 0
        setattr(eeprom.faults, fault, clock)
        result = card.write_settings(new)
        left = stored(eeprom.content)
        assert left in (before, after, None), clock
        assert result != "OK" or left == after, clock


def test_write_protected_card_keeps_its_settings(saver):
    eeprom = Eeprom(OLD["ours"], faults=Faults(write_protected=True))
    result, _ = save(saver, eeprom)
    assert result == "DIFFERS" and eeprom.content == OLD["ours"]


@pytest.mark.parametrize("variant", ["810", "875", "895A", "1010-33"])
def test_defaults_of_the_tool_are_those_of_the_rom(saver, variant):
    """As they are saved to a blank chip"""
    eeprom, image_of_tool = Eeprom(b"\xFF" * BYTES), bytearray(b"\xFF" * BYTES)
    card = Saver(saver, eeprom, variant)
    assert card.write_settings(card.read_settings()) == "OK"
    nvram.set_defaults(image_of_tool, variant.lower())
    nvram.seal(image_of_tool)
    assert eeprom.content == bytes(image_of_tool)


def test_image_of_the_tool_is_used_by_the_rom(saver):
    content = nvram.edit(b"\xFF" * BYTES, ["host-id=3", "scan-delay=4", "targets-timeout=77"], "875")
    blocks = Saver(saver, Eeprom(content)).read_settings()
    assert blocks == content[SYMBIOS_AT:SYMBIOS_AT + CARD_BYTES] + content[OWN_AT:OWN_AT + OWN_BYTES]

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the boot menu of an El Torito catalog."""

from __future__ import annotations

from collections import deque

import pytest

from tests.model.bios import Bios
from tests.model.eltorito import EFI, Disc, Entry, Section, loader
from tests.model.pc import Pc
from tests.rom.cd.cdboot import boot, check_boot, lines_after, state, with_cd
from tests.rom.cd.el_torito_discs import EFI_ENTRY, NO_ENTRY_HERE, NO_TYPE, on_895a, variants
from tests.rom.strict import SECOND

CHOICE = Disc(Entry(loader(4, 10)),
              (Section((Entry(loader(4, 11), segment=0x1000),), text=b"Rescue system"),
               Section((EFI_ENTRY,), EFI, b"not for us"),
               Section((Entry(loader(4, 12), segment=0x2000),),
                       text=b"A text of 28 bytes, no zero!")))
OFFERED = [e for e in CHOICE.entries if e is not EFI_ENTRY]
LINES = ["  1 default entry", "  2 Rescue system", "  3 A text of 28 bytes, no zero!"]
ENTER, ESCAPE, F1, SPACE = 0x1C0D, 0x011B, 0x3B00, 0x3920


def digit(n: int) -> int:
    """AX of INT 16h for the keys 1 to 9."""
    return (n + 1) << 8 | ord("0") + n


def with_keys(variant: str, disc: Disc, *keys: tuple[int, int], **options) -> Pc:
    return with_cd(variant, disc, bios=Bios(keys=deque(keys)), **options)


def menu_lines(pc: Pc) -> list[str]:
    """The lines of the menu."""
    lines = pc.text.replace("\r", "").split("\n")
    prompt = next(i for i, line in enumerate(lines) if line.startswith("  Boot entry"))
    first = next(i for i, line in enumerate(lines) if line.startswith("E0h: "))
    return [line.rstrip() for line in lines[first + 1:prompt + 1]]


@variants
@pytest.mark.parametrize("n", [1, 2, 3])
def test_key_selects_the_entry(variant, n):
    pc = with_keys(variant, CHOICE, (SECOND, digit(n)))
    check_boot(pc, CHOICE, OFFERED[n - 1])
    assert [line.rstrip() for line in menu_lines(pc)[:-1]] == LINES
    assert menu_lines(pc)[-1].startswith("  Boot entry (1-3)?")
    assert not pc.bios.keys


@variants
@pytest.mark.parametrize("key", [ENTER, ESCAPE, F1, SPACE, digit(4), digit(9), 0x0B30, 0x2D78,
                                 0x1E61], ids=hex)
def test_any_other_key_selects_the_first_entry(variant, key):
    pc = with_keys(variant, CHOICE, (SECOND, key))
    before = pc.chip.now
    check_boot(pc, CHOICE)
    assert not pc.bios.keys and pc.chip.now - before < 3 * SECOND


@variants
def test_first_entry_boots_after_five_seconds(variant):
    pc = with_keys(variant, CHOICE, (8 * SECOND, digit(2)))
    before = pc.chip.now
    check_boot(pc, CHOICE)
    assert 4.9 * SECOND < pc.chip.now - before < 6 * SECOND
    assert len(pc.bios.keys) == 1, "the key is left for the booted system"


def test_key_just_before_the_timeout_is_accepted():
    check_boot(with_keys("895A", CHOICE, (4.8 * SECOND, digit(3))), CHOICE, OFFERED[2])


def test_menu_reads_only_one_key():
    pc = with_keys("895A", CHOICE, (SECOND, digit(2)), (SECOND, digit(3)))
    check_boot(pc, CHOICE, OFFERED[1])
    assert len(pc.bios.keys) == 1


def test_without_menu_the_keyboard_is_not_read():
    disc = Disc()
    pc = with_keys("895A", disc, (0, digit(2)))
    check_boot(pc, disc)
    assert len(pc.bios.keys) == 1


def test_each_boot_shows_the_menu():
    pc = with_keys("895A", CHOICE, (SECOND, digit(2)))
    check_boot(pc, CHOICE, OFFERED[1])
    pc.bios.keys.append((SECOND, digit(3)))
    check_boot(pc, CHOICE, OFFERED[2])


@variants
@pytest.mark.parametrize("entries, offered, n", [(9, 9, 9), (10, 9, 9), (12, 9, 3), (60, 9, 5)])
def test_menu_offers_at_most_nine_entries(variant, entries, offered, n):
    images = tuple(Entry(loader(1, 20 + i), count=1, segment=0x1000) for i in range(entries - 1))
    disc = Disc(sections=(Section(images, text=b"some"),))
    pc = with_keys(variant, disc, (SECOND, digit(n)))
    check_boot(pc, disc, images[n - 2])
    lines = menu_lines(pc)
    assert lines[-1].startswith(f"  Boot entry (1-{offered})?")
    assert lines[:-1] == ["  1 default entry"] + [f"  {i} some" for i in range(2, offered + 1)]


def test_menu_without_bootable_default_entry():
    first, second = Entry(loader(4, 30)), Entry(loader(4, 31), segment=0x3000)
    disc = Disc(NO_ENTRY_HERE, (Section((first, second), text=b"both"),))
    pc = with_keys("895A", disc, (0, digit(2)))
    check_boot(pc, disc, second)
    assert menu_lines(pc)[:-1] == ["  1 both", "  2 both"]


def test_control_characters_in_section_texts_are_not_printed():
    disc = Disc(sections=(Section((Entry(loader(4, 11)),), text=bytes(range(1, 29))),))
    pc = on_895a(disc)
    check_boot(pc, disc)
    assert not {c for c in pc.text if c < " "} - {"\r", "\n"}
    assert any(line.startswith("  2") for line in menu_lines(pc))


def test_failure_of_the_selected_entry_ends_the_boot():
    """The menu is not shown again; the BIOS tries the next device."""
    bad = Entry(loader(4, 11), media=7)
    disc = Disc(sections=(Section((bad,), text=b"bad"),))
    pc = with_keys("895A", disc, (0, digit(2)))
    before, start = state(pc), len(pc.text)
    assert not boot(pc, *disc.loads).booted
    assert [line for line in lines_after(pc, start) if line][-1] == f"  not bootable: {NO_TYPE}"
    assert state(pc) == before
    check_boot(pc, disc)

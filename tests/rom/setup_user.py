# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A user of the set-up screen. A script is a generator: each key that it yields is typed when
the ROM waits for one, so the screen is complete when it goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.model.bios_data import WARM_BOOT
from tests.model.bios_services import Rebooted
from tests.model.pc import Pc
from tests.model.rules import RuleViolation
from tests.model.screen import Screen

ENTER, ESC, PLUS, MINUS = 0x1C0D, 0x011B, 0x4E2B, 0x4A2D
UP, DOWN, LEFT, RIGHT, HOME, END, PAGE_UP, PAGE_DOWN = (
    0x4800, 0x5000, 0x4B00, 0x4D00, 0x4700, 0x4F00, 0x4900, 0x5100)
F1, F2 = 0x3B00, 0x3C00
KEY_S, CTRL_C = 0x1F73, 0x2E03
TITLE, REASON, DATA, STATE, FIRST_ROW, WORK, LIST, NOTE, HELP, KEYS = 0, 1, 2, 3, 5, 17, 18, 21, 22, 23
LOCKED = "Locked, cannot be saved. NVRAM: "

Script = Callable[[Screen], Iterator[int]]


def use(pc: Pc, script: Script, key: int = KEY_S) -> Screen:
    """Boot the machine, press the key for the set-up screen, and use it by the script, which has
    to leave it by a restart."""
    steps = script(pc.bios.screen)

    def type_next(_: Pc) -> int:
        try:
            return next(steps)
        except StopIteration:
            raise RuleViolation("step bound", "the user types nothing more") from None
    pc.bios.user = type_next
    pc.bios.keys.append((0, key))
    with pytest.raises(Rebooted) as caught:
        (pc.warm_boot if pc.text else pc.power_on)()
    assert caught.value.args == (WARM_BOOT,)
    assert next(steps, None) is None, "the script was not used up"
    pc.bios.user = None
    return pc.bios.screen


def chosen(screen: Screen) -> str:
    line, = (line for line in screen.lines[FIRST_ROW:NOTE] if line.startswith("> "))
    return line[2:]


def rows(screen: Screen) -> list[str]:
    return [line for line in screen.lines[FIRST_ROW:NOTE] if line]


def row(screen: Screen, label: str) -> str:
    """The value of a row"""
    line, = (line for line in screen.lines[FIRST_ROW:NOTE] if line[2:].startswith(label))
    return line[2:].removeprefix(label).strip()


def go_to(screen: Screen, label: str) -> Iterator[int]:
    labels = [line[2:] for line in rows(screen)]
    at = next((i for i, text in enumerate(labels) if text.startswith(label)), None)
    assert at is not None, f"no row {label}"
    way = at - labels.index(chosen(screen))
    yield from [DOWN if way > 0 else UP] * abs(way)
    assert chosen(screen).startswith(label)


def enter(screen: Screen, *labels: str) -> Iterator[int]:
    for label in labels:
        yield from go_to(screen, label)
        yield ENTER


def change(screen: Screen, label: str, *keys: int) -> Iterator[int]:
    yield from go_to(screen, label)
    yield from keys


def first_page(screen: Screen) -> Iterator[int]:
    while not screen.lines[TITLE].endswith(": controllers"):
        yield ESC


def leave(screen: Screen, how: str) -> Iterator[int]:
    """Restart, from any page."""
    while not screen.lines[TITLE].endswith(": leave"):
        yield ESC
    yield from enter(screen, how)


def save(screen: Screen) -> Iterator[int]:
    yield from leave(screen, "Save")


def discard(screen: Screen) -> Iterator[int]:
    yield from leave(screen, "Discard")

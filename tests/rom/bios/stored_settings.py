# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: machines whose controllers have a 24C16 with settings, and what their ROM does."""

from __future__ import annotations

import pytest

from tests.build import BUILD
from tests.model.eeprom import Eeprom
from tests.model.nvram_blocks import Card, Own, Target, image
from tests.model.pc import Pc
from tests.model.registers import SCID
from tests.model.target import Disk
from tests.rom.bios.multi_controller import named_disk

VARIANTS = ["810", "875", "895A", "1010-33"]
WIDE = VARIANTS[1:]
KEY_D, KEY_CAPITAL_D = 0x2064, 0x2044


def long(*values):
    """Values of a test that only `make test-all` runs"""
    return pytest.param(*values, marks=pytest.mark.long)


def rom_of(variant: str):
    return BUILD / f"lsi53c{variant.lower()}.rom"


def chip_with(card: Card | bytes | None = None, own: Own | bytes | None = None) -> Eeprom:
    return Eeprom(image(card, own))


def machine(variant: str, card: Card | bytes | None = None, own: Own | bytes | None = None,
            targets: dict[int, Disk] | None = None, **options) -> Pc:
    """A machine before POST, with disks at IDs 0 and 3 if no targets are given."""
    options.setdefault("eeprom", chip_with(card, own))
    pc = Pc(rom_of(variant), variant, **options)
    pc.bus.targets = {i: named_disk(0, i) for i in (0, 3)} if targets is None else targets
    return pc


def booted(*arguments, **options) -> Pc:
    pc = machine(*arguments, **options)
    pc.power_on()
    return pc


def own_id(pc: Pc) -> int:
    return pc.chip.registers[SCID] & 0x0F


def each(**changes) -> dict[int, Target]:
    """All targets alike"""
    return {i: Target(**changes) for i in range(16)}


def counting_resets(pc: Pc) -> list[int]:
    resets, reset = [], pc.bus.reset
    pc.bus.reset = lambda: (resets.append(pc.chip.now), reset())
    return resets


def sent(pc: Pc) -> dict[int, list[tuple]]:
    """All that the targets have received, by ID"""
    return {i: [tuple(map(tuple, target.messages)), *map(bytes, target.commands)]
            for i, target in pc.bus.targets.items()}

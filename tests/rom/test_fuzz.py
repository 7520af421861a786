# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Random INT 13h calls on the strict virtual PC, other ones in each run;
tests/rom/fuzz.py repeats a run from its seed. And that such a run notices what it
has to.
"""

from __future__ import annotations

import random

import pytest

from tests.model.bus import DATA_IN
from tests.model.target import MEDIUM_CHANGED
from tests.rom import fuzz
from tests.rom.oracle import Unit
from tests.rom.strict import VARIANTS

CALLS = 50_000  # on each family


@pytest.mark.parametrize("variant", VARIANTS)
def test_random_calls_break_no_rule(variant, note):
    seed = random.randrange(1 << 32)
    note(f"fuzz: {CALLS} calls on {variant}, seed {seed}")
    statuses = fuzz.run(variant, CALLS, seed)
    assert len(statuses) >= 15, f"hardly anything happened: {statuses}"


def test_the_same_seed_makes_the_same_calls():
    runs = []
    for _ in range(2):
        machine = fuzz.Fuzz("895A", 7)
        for _ in range(300):
            machine.one()
        runs.append((machine.statuses, machine.pc.chip.now, machine.random.random()))
    assert runs[0] == runs[1]


def keeps_nothing(unit: Unit, cdb: bytes, data: bytes) -> None:
    """A drive that forgets what it was sent."""


def writes_too_much(unit: Unit, cdb: bytes, data: bytes) -> None:
    store(unit, cdb, data + bytes(unit.block_bytes))


store = Unit.store


@pytest.mark.parametrize("broken, what", [(keeps_nothing, "called written, but is not"),
                                          (writes_too_much, "neither old nor new")])
def test_a_write_that_goes_wrong_is_noticed(monkeypatch, broken, what):
    monkeypatch.setattr(Unit, "store", broken)
    with pytest.raises(AssertionError, match=what):
        fuzz.run("895A", 2_000, 1)


def test_a_read_that_goes_wrong_is_noticed(monkeypatch):
    monkeypatch.setattr(fuzz.Fuzz, "_data", lambda self, bus, data: iter(
        [(DATA_IN, data[16:] + data[:16])]))
    with pytest.raises(AssertionError, match="wrong data"):
        fuzz.run("895A", 2_000, 1)


def test_a_new_medium_that_no_caller_is_told_of_is_noticed(monkeypatch):
    insert = Unit.insert

    def silent(unit: Unit, *arguments) -> None:
        insert(unit, *arguments)
        unit.attentions.remove(MEDIUM_CHANGED)
    monkeypatch.setattr(Unit, "insert", silent)
    with pytest.raises(AssertionError, match="made known first|not one of"):
        fuzz.run("895A", 5_000, 1)

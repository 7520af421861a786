# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Random INT 13h calls on the strict virtual PC, different ones in each run;
tests/rom/fuzz.py repeats a run from its seed. Further tests verify that a run
detects faults.
"""

from __future__ import annotations

import random

import pytest

from tests.model.bus import DATA_IN
from tests.model.target import MEDIUM_CHANGED
from tests.rom import fuzz
from tests.rom.oracle import Unit
from tests.rom.strict import VARIANTS

@pytest.mark.parametrize("calls", [10_000, pytest.param(50_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_random_calls_break_no_rule(variant, calls, note):
    seed = random.randrange(1 << 32)
    note(f"fuzz: {calls} calls on {variant}, seed {seed}")
    statuses = fuzz.run(variant, calls, seed)
    assert len(statuses) >= 15, f"too few different statuses: {statuses}"


def test_same_seed_makes_the_same_calls():
    runs = []
    for _ in range(2):
        machine = fuzz.Fuzz("895A", 7)
        for _ in range(300):
            machine.run_call()
        runs.append((machine.statuses, machine.pc.chip.now, machine.random.random()))
    assert runs[0] == runs[1]


def stores_nothing(unit: Unit, cdb: bytes, data: bytes) -> None:
    """A drive that discards written data."""


def stores_too_much(unit: Unit, cdb: bytes, data: bytes) -> None:
    store(unit, cdb, data + bytes(unit.block_bytes))


store = Unit.store


@pytest.mark.parametrize("broken, message", [(stores_nothing, "reported as written, but is not"),
                                             (stores_too_much, "neither old nor new")])
def test_wrong_write_is_detected(monkeypatch, broken, message):
    monkeypatch.setattr(Unit, "store", broken)
    with pytest.raises(AssertionError, match=message):
        fuzz.run("895A", 2_000, 1)


def test_wrong_read_is_detected(monkeypatch):
    monkeypatch.setattr(fuzz.Fuzz, "_data", lambda self, bus, data: iter(
        [(DATA_IN, data[16:] + data[:16])]))
    with pytest.raises(AssertionError, match="wrong data"):
        fuzz.run("895A", 2_000, 1)


def test_unreported_medium_change_is_detected(monkeypatch):
    insert = Unit.insert

    def silent(unit: Unit, *arguments) -> None:
        insert(unit, *arguments)
        unit.attentions.remove(MEDIUM_CHANGED)
    monkeypatch.setattr(Unit, "insert", silent)
    with pytest.raises(AssertionError, match="reported first|not one of"):
        fuzz.run("895A", 5_000, 1)

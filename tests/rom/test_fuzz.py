# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A few seeds of each kind of tests/rom/fuzz.py, and random calls that differ in each run.
Further tests verify that a run detects faults.
"""

from __future__ import annotations

import random

import pytest

from tests.model.bus import DATA_IN
from tests.model.eltorito import Disc
from tests.model.target import MEDIUM_CHANGED
from tests.rom import fuzz, fuzz_calls, fuzz_discs, fuzz_machines
from tests.rom.hostile_devices import HostileDisk
from tests.rom.oracle import Unit
from tests.rom.strict import VARIANTS

# The seeds of each kind that `make test` tries
SEEDS = {"calls": range(4), "machines": range(30), "discs": range(10), "dialogues": range(8)}


@pytest.mark.parametrize("kind", fuzz.KINDS)
def test_hostile_input_breaks_no_rule(kind):
    assert fuzz.run_seeds(kind, SEEDS[kind]) == []


@pytest.mark.parametrize("calls", [5_000, pytest.param(50_000, marks=pytest.mark.long)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_random_calls_break_no_rule(variant, calls, note):
    seed = random.randrange(1 << 32)
    note(f"fuzz: {calls} calls on {variant}, seed {seed}")
    statuses = fuzz_calls.run_calls(variant, calls, seed)
    assert len(statuses) >= 15, f"too few different statuses: {statuses}"


def test_same_seed_makes_the_same_calls():
    runs = []
    for _ in range(2):
        machine = fuzz_calls.Fuzz("895A", 7)
        for _ in range(300):
            machine.run_call()
        runs.append((machine.statuses, machine.pc.chip.now, machine.random.random()))
    assert runs[0] == runs[1]


def test_command_line_names_failed_seeds(monkeypatch, capsys):
    monkeypatch.setattr(fuzz, "run_seeds", lambda kind, seeds: [f"{kind}, seed {s}" for s in seeds if s == 21])
    monkeypatch.setattr(fuzz, "ProcessPoolExecutor", InThisProcess)
    assert fuzz.main(["--kind", "machines", "--others", "30", "--seed", "5"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "machines, seed 21"
    assert lines[1].startswith("machines: 30 cases, seeds 5 to 34: 1 failed")
    assert lines[2] == "fuzz: machines: 1 seed failed"


class InThisProcess:
    def __init__(self, workers: int):
        self.map = map

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass


# ---- Faults are detected ---------------------------------------------------------------


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
        fuzz_calls.run_calls("895A", 2_000, 1)


def test_wrong_read_is_detected(monkeypatch):
    monkeypatch.setattr(fuzz_calls.Fuzz, "_data", lambda self, bus, data: iter(
        [(DATA_IN, data[16:] + data[:16])]))
    with pytest.raises(AssertionError, match="wrong data|plain read fails"):
        fuzz_calls.run_calls("895A", 2_000, 1)


def test_unreported_medium_change_is_detected(monkeypatch):
    insert = Unit.insert

    def silent(unit: Unit, *arguments) -> None:
        insert(unit, *arguments)
        unit.attentions.remove(MEDIUM_CHANGED)
    monkeypatch.setattr(Unit, "insert", silent)
    with pytest.raises(AssertionError, match="reported first|not one of"):
        fuzz_calls.run_calls("895A", 5_000, 1)


def test_wrong_data_of_a_hostile_device_is_detected(monkeypatch):
    """The device sends other blocks than those it has."""
    device = fuzz_machines.device
    monkeypatch.setattr(fuzz_machines, "device", lambda *arguments: reversed_blocks(device(*arguments)))
    assert any("wrong data" in story for story in fuzz.run_seeds("machines", range(30)))


def reversed_blocks(unit: HostileDisk) -> HostileDisk:
    unit.data_hook = lambda bus, data: iter([(DATA_IN, data[::-1])])
    return unit


def test_wrong_image_of_a_disc_is_detected(monkeypatch):
    """The drive returns other blocks than those of the disc."""
    content = Disc.content
    monkeypatch.setattr(fuzz_discs.Discs, "_insert", lambda self, disc: fuzz_discs.cd(self.pc).insert(
        disc.blocks, lambda lba: content(disc, lba)[::-1] if lba >= fuzz_discs.IMAGES else content(disc, lba)))
    stories = fuzz.run_seeds("discs", range(3))
    assert any("is not what the catalog says" in story for story in stories), stories

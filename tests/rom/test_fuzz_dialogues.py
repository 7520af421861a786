# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The random bus dialogues of fuzz_dialogues.py are repeated by their seed, and detect
broken laws. test_fuzz.py and `make fuzz` try seeds.
"""

from __future__ import annotations

import pytest

from tests.model.target import Disk
from tests.rom import fuzz_dialogues
from tests.rom.fuzz_dialogues import Machine, Pointers, Talker


def test_same_seed_makes_the_same_dialogues():
    stories = []
    for _ in range(2):
        machine = Machine(7)
        for _ in range(10):
            machine.run_dialogue()
        stories.append((machine.story(), machine.pc.chip.now))
    assert stories[0] == stories[1]


def detected(message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        for seed in range(4):
            fuzz_dialogues.run(seed)


def test_wrong_data_is_detected(monkeypatch):
    """The pointers imply other data than the target sends."""
    move = Pointers.move
    monkeypatch.setattr(Pointers, "move", lambda self, data: move(self, data[::-1]))
    detected("(?s)seed .* wrong data in the buffer.*AH=.2h, lba")


def test_data_that_does_not_count_is_detected(monkeypatch):
    """By the law, DISCONNECT would revoke data that has moved."""
    monkeypatch.setattr(Pointers, "reconnect", Pointers.restore)
    detected("AH=00 without good status and all data")


def test_wrong_write_is_detected(monkeypatch):
    monkeypatch.setattr(Talker, "_wanted", lambda self: self.sent_data[::-1])
    detected("wrong data sent")


def test_bus_that_does_not_recover_is_detected(monkeypatch):
    monkeypatch.setattr(Disk, "test_unit_ready", lambda self, cdb: self.check(3, 0x11))
    with pytest.raises(AssertionError, match="the next call fails"):
        machine = Machine(1)
        machine._check_usable()

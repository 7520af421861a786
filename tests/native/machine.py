# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Helpers for tests of lsi/ on x86-64 with two disks: commands whose results, data and
time are checked.
"""

from __future__ import annotations

import functools
import random
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.model.hardware import HARDWARE
from tests.model.target import CHECK_CONDITION, GOOD, Disk
from tests.native.native import DATA_IN, DATA_OUT, NO_DATA, Native, read10, write10

SECOND = 1_000_000_000
LIMIT_MS = 400              # time limit of a command, unless the test names one
RECOVERY_NS = 3 * SECOND    # scsi/hba.h: about 2 s
FILL = 0xEE
SECTOR = 512
OTHER = 3                   # ID of the second disk
# The chips that differ most in what a driver sees
SILICON = ["895A", "810", "1010-33", "875", "896"]
IN_LONG_TESTS = {"875", "896"}


def on(hardware: str, variants: list[str]) -> list:
    """Parameters for tests that take long"""
    return [pytest.param(hardware, variant, id=f"{hardware}-{variant}",
                         marks=[pytest.mark.long] if variant in IN_LONG_TESTS else [])
            for variant in variants]


# IDENTIFY of all targets, as parameters of a fixture: without and with the disconnect privilege
PRIVILEGES = {"params": [0, 0xFFFF], "ids": ["80h", "C0h"]}
machines = pytest.mark.parametrize("hardware, variant", [*on("silicon", SILICON), *on("qemu", ["895A", "810"])])


class Outcome(NamedTuple):
    """enum hba_result, and the results in the request if it is OK."""
    result: str
    moved: int = 0
    status: int = GOOD
    overrun: bool = False


@functools.cache
def new_data(seed: int, sectors: int) -> bytes:
    """Data that no disk contains yet."""
    return random.Random(seed).randbytes(sectors * SECTOR)


class Machine(Native):
    """Disks at IDs 0 and 3 whose attentions have been reported. With `disconnects`, they obey the
    privilege; without, they disconnect all the same."""

    def __init__(self, library: Path, hardware: str = "silicon", variant: str = "895A", **options):
        kind = HARDWARE[hardware].disk
        obedient = {"obeys_privilege": True} if options.get("disconnects") and hardware == "silicon" else {}
        self.disk: Disk = kind(**obedient)
        other = kind(content=lambda lba: bytes([OTHER]) * SECTOR, **obedient)
        super().__init__(library, {0: self.disk, OTHER: other}, hardware, variant, **options)
        self.no_attentions()

    def no_attentions(self) -> None:
        for target in self.bus.targets.values():
            target.attentions.clear()

    def _execute(self, timeout_ms: int) -> Outcome:
        """lsi_execute(), within its time."""
        begun = self.chip.now
        result = self.execute()
        assert self.chip.now - begun <= timeout_ms * 1_000_000 + RECOVERY_NS, "too long"
        request = self.request
        if result != "OK":
            return Outcome(result)
        assert request.moved <= request.data_bytes
        return Outcome(result, request.moved, request.status, request.overrun)

    def read(self, lba: int = 1000, count: int = 3, target: int = 0, timeout_ms: int = LIMIT_MS,
             **options) -> Outcome:
        """Bytes of the buffer that did not move are FILL afterwards."""
        self.prepare(read10(lba, count), DATA_IN, count * SECTOR, target, timeout_ms=timeout_ms, **options)
        self.set_data(bytes([FILL]) * (count * SECTOR))
        return self._execute(timeout_ms)

    def write(self, data: bytes, lba: int = 1000, timeout_ms: int = LIMIT_MS, **options) -> Outcome:
        self.prepare(write10(lba, len(data) // SECTOR), DATA_OUT, len(data), timeout_ms=timeout_ms, **options)
        self.set_data(data)
        outcome = self._execute(timeout_ms)
        assert self.data() == data, "a write changes no memory"
        return outcome

    def status_of(self, status: int) -> int:
        """The status in the results of a command, if a target sends this one."""
        return status

    def test_unit_ready(self, target: int = 0, timeout_ms: int = LIMIT_MS) -> Outcome:
        self.prepare(bytes(6), NO_DATA, 0, target, timeout_ms=timeout_ms)
        return self._execute(timeout_ms)

    def stored(self, lba: int = 1000, count: int = 3, target: int = 0) -> bytes:
        """The blocks of a disk."""
        return b"".join(self.bus.targets[target].block(lba + i) for i in range(count))

    def check_read(self, lba: int = 1000, count: int = 3, target: int = 0) -> None:
        assert self.read(lba, count, target) == Outcome("OK", count * SECTOR)
        assert self.data() == self.stored(lba, count, target)

    def check_recovery(self) -> None:
        """The next commands end with a status, at once, and transfer data. A disk that has been reset
        reports it first."""
        calm(self.disk)
        for target in (OTHER, 0):
            outcome = self.test_unit_ready(target)
            assert outcome.result == "OK" and outcome.status in (GOOD, CHECK_CONDITION), outcome
            self.no_attentions()
            self.check_read(7, 2, target)


def calm(disk: Disk) -> None:
    """Remove all hooks."""
    disk.data_hook = disk.write_hook = disk.status_hook = None
    disk.before_command = disk.before_status = None
    disk.deaf = disk.deaf_to_abort = disk.ignores_atn = False
    vars(disk).pop("session", None)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""lsi/ on x86-64 with targets that do all that target_rows.py lists, in a read, a write
and a command without data. In every case the result is that of the contract (scsi/hba.h),
OK only comes with the data that has moved, and the next commands work.
"""

from __future__ import annotations

import pytest

from tests.model.manners import OFFERS, offers, offers_in_write
from tests.model.passes import COMPLETE_PASS, COUNT, LEAVE, LEAVE_SAVED, SAVED, SHORT_PASS, play_read, play_write
from tests.model.target import GOOD
from tests.native.machine import FILL, PRIVILEGES, Machine, Outcome, calm, machines, new_data, on
from tests.native.target_rows import ALL, BLOCKS, READS, WITHOUT_DATA, WRITES, Row
from tests.rom.fuzz_dialogues import Pointers

LBA = 1000


@pytest.fixture(**PRIVILEGES)
def machine(request, library, hardware, variant) -> Machine:
    return Machine(library, hardware, variant, disconnects=request.param)


def check_outcome(outcome: Outcome, row: Row, moved: int | None = None) -> None:
    if outcome.result == "OK":
        wanted = Outcome("OK", row.moved if moved is None else moved, row.status, row.overrun)
        assert outcome == wanted
    assert outcome.result == row.result or outcome.result in row.result


def rows_on(hardware: str, rows: dict[str, Row]) -> dict[str, Row]:
    """Those that can occur there"""
    return {name: row for name, row in rows.items() if row.emulated or hardware == "silicon"}


def tell(name: str, check) -> None:
    try:
        check()
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from error


@machines
def test_reads_end_as_the_contract_says(machine, hardware):
    def check(row: Row) -> None:
        row.put(machine.disk)
        outcome = machine.read(LBA, BLOCKS)
        check_outcome(outcome, row)
        if outcome.result == "OK":
            assert machine.data()[:row.moved] == machine.stored(LBA, BLOCKS)[:row.moved]
        if row.moved == 0 and row.status == GOOD and "revoked" not in name:
            assert machine.data() == bytes([FILL]) * ALL, "no byte has moved"
        machine.check_recovery()
    for name, row in rows_on(hardware, READS).items():
        tell(name, lambda: check(row))


@machines
def test_writes_end_as_the_contract_says(machine, hardware):
    data = new_data(1, BLOCKS)

    def check(row: Row) -> None:
        machine.disk.written.clear()
        row.put(machine.disk)
        outcome = machine.write(data)
        check_outcome(outcome, row)
        if outcome.result == "OK" and row.moved == ALL and not row.status:
            assert machine.stored() == data
        assert machine.disk.written.items() <= {LBA + i: data[i * 512:][:512] for i in range(BLOCKS)}.items()
        machine.check_recovery()
    for name, row in rows_on(hardware, WRITES).items():
        tell(name, lambda: check(row))


@machines
def test_commands_without_data_end_as_the_contract_says(machine, hardware):
    def check(row: Row) -> None:
        row.put(machine.disk)
        check_outcome(machine.test_unit_ready(), row, 0)
        machine.check_recovery()
    for name, row in rows_on(hardware, WITHOUT_DATA).items():
        tell(name, lambda: check(row))


@pytest.mark.parametrize("hardware, variant", on("silicon", ["895A", "810"]))
def test_offers_of_a_target_are_answered(machine):
    """Offset 0, 8 bits, or MESSAGE REJECT, before the command, before the status, and in the
    data of a write."""
    for offer, answer in OFFERS.values():
        for place in ("before_command", "before_status"):
            seen = []
            setattr(machine.disk, place, offers(offer, seen))
            machine.check_read()
            assert seen == answer
            calm(machine.disk)
        seen = []
        machine.disk.write_hook = offers_in_write(offer, seen)
        assert machine.write(new_data(1, BLOCKS)) == Outcome("OK", ALL)
        assert seen == answer
        calm(machine.disk)


# ---- Data that moves more than once -----------------------------------------------------------


def reach_of(steps: list) -> int:
    """Where the last data ends, by the pointers of SCSI-2."""
    pointers = Pointers(COUNT * 512)
    for step in steps:
        if isinstance(step, int):
            pointers.move(bytes(step))
        elif step == SAVED:
            pointers.save()
        elif step in (LEAVE, LEAVE_SAVED):
            if step == LEAVE_SAVED:
                pointers.save()
            pointers.reconnect()
        else:
            pointers.restore()
    return pointers.reach


@pytest.mark.parametrize("hardware, variant", on("silicon", ["895A", "810"]))
def test_last_pass_of_the_data_decides(machine):
    data = new_data(2, COUNT)

    def check(steps: list, moved: int) -> None:
        play_read(machine.disk, steps)
        assert machine.read(LBA, COUNT) == Outcome("OK", moved)
        if moved == len(data):
            assert machine.data() == machine.stored(LBA, COUNT)
        machine.disk.written.clear()
        play_write(machine.disk, steps)
        assert machine.write(data, LBA) == Outcome("OK", moved)
        if moved == len(data):
            assert machine.stored(LBA, COUNT) == data
        machine.check_recovery()
    for name, steps in COMPLETE_PASS.items():
        tell(name, lambda: check(steps, COUNT * 512))
    for name, steps in SHORT_PASS.items():
        assert reach_of(steps) < COUNT * 512
        tell(name, lambda: check(steps, reach_of(steps)))

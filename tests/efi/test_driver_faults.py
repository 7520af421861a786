# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The UEFI driver on the strict chip model: every fault of tests/native, in commands of
PassThru(). In every case the packet has the right statuses and lengths, success only
comes with the data that has moved, nothing stays mapped, and the next commands work.
"""

from __future__ import annotations

import pytest

from tests.efi.model.driver import Computer
from tests.model.bus import FREE, HANG, RESET
from tests.model.faults import comes_back_after, reset_after
from tests.model.registers import BF, MDPE, MS
from tests.native import test_bus_faults as shared
from tests.native.machine import SECOND, Outcome, new_data, on
from tests.native.target_rows import ALL, BLOCKS, READS, WITHOUT_DATA, WRITES, Row
from tests.native.test_random import run_dialogues
from tests.native.test_target_faults import rows_on, tell
from tests.rom.other_driver import DRIVERS

LBA = 1000

machines = pytest.mark.parametrize("hardware, variant", [*on("silicon", ["895A", "810", "896"]), *on("qemu", ["895A"])])
variants = pytest.mark.parametrize("hardware, variant", on("silicon", ["895A"]))


@pytest.fixture
def machine(driver_library, hardware, variant) -> Computer:
    return Computer(driver_library, variant, hardware)


# ---- What a target does ------------------------------------------------------------------------


def check_outcome(machine: Computer, outcome: Outcome, row: Row, moved: int) -> None:
    if outcome.result == "OK":
        assert outcome == Outcome("OK", moved, machine.status_of(row.status), row.overrun)
    assert outcome.result == row.result or outcome.result in row.result


@machines
def test_reads_end_as_specified(machine, hardware):
    def check(row: Row) -> None:
        row.put(machine.disk)
        outcome = machine.read(LBA, BLOCKS)
        check_outcome(machine, outcome, row, row.moved)
        if outcome.result == "OK":
            assert machine.data()[:row.moved] == machine.stored(LBA, BLOCKS)[:row.moved]
        machine.check_recovery()
    for name, row in rows_on(hardware, READS).items():
        tell(name, lambda: check(row))


@machines
def test_writes_end_as_specified(machine, hardware):
    data = new_data(1, BLOCKS)

    def check(row: Row) -> None:
        machine.disk.written.clear()
        row.put(machine.disk)
        outcome = machine.write(data)
        check_outcome(machine, outcome, row, row.moved)
        if outcome.result == "OK" and row.moved == ALL and not row.status:
            assert machine.stored() == data
        assert machine.disk.written.items() <= {LBA + i: data[i * 512:][:512] for i in range(BLOCKS)}.items()
        machine.check_recovery()
    for name, row in rows_on(hardware, WRITES).items():
        tell(name, lambda: check(row))


@machines
def test_commands_without_data_end_as_specified(machine, hardware):
    def check(row: Row) -> None:
        row.put(machine.disk)
        check_outcome(machine, machine.test_unit_ready(), row, 0)
        machine.check_recovery()
    for name, row in rows_on(hardware, WITHOUT_DATA).items():
        tell(name, lambda: check(row))


@pytest.mark.parametrize("seeds", [range(3), pytest.param(range(100, 250), marks=pytest.mark.long)])
def test_random_dialogues(driver_library, seeds):
    """By the laws of tests/native/test_random.py. The chip writes into the caller's buffer, which shows
    what has moved."""
    def start(variant: str) -> Computer:
        computer = Computer(driver_library, variant)
        computer.device.direct = True
        return computer
    for seed in seeds:
        run_dialogues(seed, start)


# ---- At every event, time and access --------------------------------------------------------------

transfers = pytest.mark.parametrize("transfer", [shared.Read, shared.Write])


@transfers
@pytest.mark.parametrize("event", [FREE, RESET, HANG], ids=repr)
@variants
def test_fault_at_bus_events(machine, transfer, event):
    shared.check_events(transfer(machine), event, shared.sample(shared.EDGES[transfer], 400, 4))


@transfers
@variants
@pytest.mark.parametrize("step_ns", [shared.FAST * 3, pytest.param(shared.SLOW, marks=pytest.mark.long)])
def test_bus_reset_at_any_time(machine, transfer, step_ns):
    assert shared.check_times(transfer(machine), reset_after, step_ns) == {"OK", "BUS_RESET"}


@transfers
@variants
@pytest.mark.parametrize("step_ns", [shared.FAST * 3, pytest.param(shared.SLOW, marks=pytest.mark.long)])
def test_stale_reselection_at_any_time(machine, transfer, step_ns):
    assert shared.check_times(transfer(machine), comes_back_after, step_ns) >= {"OK", "BUS_RESET"}


@transfers
@pytest.mark.parametrize("cause", [BF, MDPE], ids=["BF", "MDPE"])
@variants
def test_pci_fault_at_any_memory_access(machine, transfer, cause):
    shared.test_pci_fault_at_any_memory_access(machine, transfer, cause)


@transfers
@variants
def test_chip_that_vanishes_at_any_register_access(machine, transfer):
    shared.test_chip_that_vanishes_at_any_register_access(machine, transfer)


# ---- Chips and buses ---------------------------------------------------------------------------------

SHARED = {test.__name__: test for test in (
    shared.test_stuck_program_times_out, shared.test_wait_for_an_abort_is_limited,
    shared.test_wait_for_clf_is_limited, shared.test_bus_mode_change_is_a_bus_reset,
    shared.test_bus_stuck_busy_times_out, shared.test_bus_held_in_reset_is_a_failure_of_the_chip,
    shared.test_target_that_vanishes_while_it_is_disconnected)}
chips = pytest.mark.parametrize("hardware, variant", on("silicon", ["895A", "810", "1010-33", "875", "896"]))


@pytest.mark.parametrize("test", SHARED.values(), ids=SHARED)
@chips
def test_chip_or_bus(machine, test):
    test(machine)


@pytest.mark.parametrize("udc", ["before", "with", "after"])
@chips
def test_absent_target(machine, udc):
    shared.test_absent_target_is_no_target(machine, udc)


@pytest.mark.parametrize("ns, result", [(50 * MS, "OK"), (5 * SECOND, "OK"), (60 * SECOND, "TIMEOUT")])
@variants
def test_busy_bus_is_waited_for(machine, ns, result):
    shared.test_busy_bus_is_waited_for(machine, ns, result)


@pytest.mark.parametrize("hooks, messages", shared.RECOVERIES.values(), ids=shared.RECOVERIES)
@variants
def test_bus_is_reset_as_the_last_resort(machine, hooks, messages):
    shared.test_bus_is_reset_as_the_last_resort(machine, hooks, messages)


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("hardware, variant", on("silicon", ["895A", "810", "875", "896"]))
def test_command_after_another_driver(machine, driver):
    """A system loader, or another UEFI driver, that has used the chip"""
    shared.test_command_after_another_driver(machine, driver)

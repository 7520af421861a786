# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""lsi/ on x86-64: faults at every bus event, time, memory access and register access of
a read or a write, and faults of chips and buses. In every case the result is that of
the contract (scsi/hba.h), OK only comes with all data, and the next commands work.
"""

from __future__ import annotations

import pytest

from tests.model.bus import FREE, HANG, RESET
from tests.model.chip_faults import deaf_to_abrt, pci_fault, program_stops_before, removed_at, stuck_clf, stuck_program
from tests.model.faults import (OTHER_INITIATOR, FaultAt, comes_back_after, data_then, hangs, leaves_in_read,
                                leaves_in_write, never_reconnects, reset_after)
from tests.model.manners import status_without_data
from tests.model.registers import BF, MDPE, MS, SBMC, US
from tests.model.target import CHECK_CONDITION, POWER_ON, Disk
from tests.native.machine import LIMIT_MS, OTHER, PRIVILEGES, SECOND, SECTOR, SILICON, Machine, Outcome, calm, new_data
from tests.native.target_rows import ENDS
from tests.rom.other_driver import DRIVERS

variants = pytest.mark.parametrize("variant", ["895A", "810", "1010-33"])
each_variant = pytest.mark.parametrize("variant", SILICON)
LBA, BLOCKS = 1000, 2
ALL = BLOCKS * SECTOR


@pytest.fixture(**PRIVILEGES)
def machine(request, library, variant) -> Machine:
    return Machine(library, "silicon", variant, disconnects=request.param)


# ---- A read and a write with disconnections ----------------------------------------------------


class Transfer:
    """Two blocks that move, with disconnections. `good` when all has moved."""

    def __init__(self, machine: Machine):
        self.machine, self.disk, self.seed = machine, machine.disk, 0

    def run(self) -> Outcome:
        raise NotImplementedError


class Read(Transfer):
    def run(self) -> Outcome:
        self.disk.data_hook = leaves_in_read(self.disk)
        outcome = self.machine.read(LBA, BLOCKS)
        if outcome == Outcome("OK", ALL):
            assert self.machine.data() == self.machine.stored(LBA, BLOCKS)
        return outcome


class Write(Transfer):
    def run(self) -> Outcome:
        """Each block is old or new afterwards."""
        self.seed += 1
        old, new = self.blocks(-self.seed), self.blocks(self.seed)
        self.disk.written, self.disk.write_hook = dict(old), leaves_in_write(self.disk)
        outcome = self.machine.write(b"".join(new.values()), LBA)
        assert all(self.disk.written[lba] in (old[lba], new[lba]) for lba in old)
        assert self.disk.written.keys() == old.keys()
        if outcome == Outcome("OK", ALL):
            assert self.disk.written == new
        return outcome

    @staticmethod
    def blocks(seed: int) -> dict[int, bytes]:
        data = new_data(seed, BLOCKS)
        return {LBA + i: data[i * SECTOR:][:SECTOR] for i in range(BLOCKS)}


transfers = pytest.mark.parametrize("transfer", [Read, Write])


def check_event(transfer: Transfer, event, n: int) -> bool:
    """The fault in place of event n. Returns whether the command has fewer events."""
    machine = transfer.machine
    machine.disk.session = fault = FaultAt(machine.disk, n, event)
    outcome = transfer.run()
    if fault.done:
        wanted = "OK"
    elif event is RESET or fault.cuts_in:
        wanted = ENDS[event]
    else:
        wanted = "TIMEOUT"      # the target does not come back
    assert outcome.result == wanted, f"event {n}"
    if wanted == "OK":
        assert outcome == Outcome("OK", ALL)
    machine.check_recovery()
    return fault.done


def check_events(transfer: Transfer, event, numbers) -> None:
    last = next(n for n in numbers if check_event(transfer, event, n))
    assert last > ALL + 20, "all bytes of CDB, data, status and messages are covered"


def sample(edges: list[int], every: int = 97, around: int = 9) -> list[int]:
    """The events outside the data, and some of the data."""
    return [n for n in range(1, 3000)
            if n % every == 0 or n < 3 * around or any(abs(n - edge) < around for edge in edges)]


EDGES = {Read: [319, 1348], Write: [316, 420, 638, 1157]}


@transfers
@pytest.mark.parametrize("event", [FREE, RESET, HANG], ids=repr)
@pytest.mark.parametrize("variant", ["895A"])
def test_fault_at_bus_events(machine, transfer, event):
    check_events(transfer(machine), event, sample(EDGES[transfer]))


@pytest.mark.long
@transfers
@pytest.mark.parametrize("event", [FREE, RESET, HANG], ids=repr)
@variants
def test_fault_at_any_bus_event(machine, transfer, event):
    check_events(transfer(machine), event, range(1, 3000))


# ---- Other initiators, at any time --------------------------------------------------------------


def check_time(transfer: Transfer, events) -> set[str]:
    """Whatever another initiator does, the command ends, and succeeds if it is tried again."""
    machine, results = transfer.machine, set()
    machine.pause_us = 5
    machine.bus.begin(OTHER_INITIATOR, events)
    for _ in range(4):
        outcome = transfer.run()
        results.add(outcome.result)
        assert outcome.result != "OK" or outcome.status == CHECK_CONDITION or outcome.moved == ALL
        machine.no_attentions()
    assert outcome == Outcome("OK", ALL)
    machine.pause_us = Machine.pause_us
    machine.check_recovery()
    return results


def check_times(transfer: Transfer, events, step_ns: int) -> set[str]:
    results = set()
    for ns in range(1, 450 * US, step_ns):
        results |= check_time(transfer, events(ns))
    return results


FAST, SLOW = 9_100, 1_300


@transfers
@pytest.mark.parametrize("variant", ["895A"])
@pytest.mark.parametrize("step_ns", [FAST, pytest.param(SLOW, marks=pytest.mark.long)])
def test_bus_reset_at_any_time(machine, transfer, step_ns):
    assert check_times(transfer(machine), reset_after, step_ns) == {"OK", "BUS_RESET"}


@transfers
@pytest.mark.parametrize("variant", ["895A"])
@pytest.mark.parametrize("step_ns", [FAST, pytest.param(SLOW, marks=pytest.mark.long)])
def test_stale_reselection_at_any_time(machine, transfer, step_ns):
    """A target reselects for a command from before. It holds the bus, so the bus is reset."""
    assert check_times(transfer(machine), comes_back_after, step_ns) == {"OK", "PROTOCOL", "BUS_RESET"}


# ---- The chip's accesses to memory, and the CPU's to registers -----------------------------------


@transfers
@pytest.mark.parametrize("cause", [BF, MDPE], ids=["BF", "MDPE"])
@variants
def test_pci_fault_at_any_memory_access(machine, transfer, cause):
    moves, n = transfer(machine), 0
    while True:
        n += 1
        with pci_fault(machine.chip, n, cause) as seen:
            outcome = moves.run()
        assert outcome == (Outcome("CHIP") if seen else Outcome("OK", ALL)), f"access {n}"
        machine.check_recovery()
        if not seen:
            break
    assert n > 25


@transfers
@variants
def test_chip_that_vanishes_at_any_register_access(machine, transfer):
    """The next command finds a chip that is not set up."""
    moves, n = transfer(machine), 0
    while True:
        n += 1
        with removed_at(machine.chip, n) as seen:
            outcome = moves.run()
        assert outcome.result not in ("OK", "NO_TARGET") if seen else outcome == Outcome("OK", ALL)
        if not seen:
            break
        calm(machine.disk)
        assert machine.test_unit_ready() == Outcome("BUS_RESET"), "without a selection"
        machine.check_recovery()
    assert n > 4


# ---- Chips ----------------------------------------------------------------------------------------


@each_variant
def test_stuck_program_times_out(machine):
    with stuck_program(machine.chip):
        assert machine.read() == Outcome("TIMEOUT")
    machine.check_recovery()


@transfers
@pytest.mark.parametrize("variant", ["895A", "810"])
def test_time_out_before_any_instruction(machine, transfer):
    """Also when the target waits for the last handshake before it leaves."""
    transfer = transfer(machine)
    for n in range(1, 500):
        with program_stops_before(machine.chip, n) as seen:
            outcome = transfer.run()
        assert outcome.result == ("TIMEOUT" if seen else "OK"), f"instruction {n}"
        machine.check_recovery()
        if not seen:
            break
    assert 30 < n < 499


@each_variant
def test_wait_for_an_abort_is_limited(machine):
    machine.disk.data_hook = hangs
    with deaf_to_abrt(machine.chip):
        assert machine.read() == Outcome("TIMEOUT")
    machine.check_recovery()


@each_variant
def test_wait_for_clf_is_limited(machine):
    machine.disk.session = status_without_data(machine.disk)
    with stuck_clf(machine.chip):
        assert machine.read() == Outcome("OK", 0)
    machine.check_recovery()


@each_variant
def test_bus_mode_change_is_a_bus_reset(machine):
    def hook(bus, data):
        yield from Disk.data_in(data[:5])
        machine.chip.raise_scsi(SBMC)
        yield HANG
    machine.disk.data_hook = hook
    assert machine.read() == Outcome("BUS_RESET")
    machine.check_recovery()


# ---- Buses ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ns, result", [(50 * MS, "OK"), (5 * SECOND, "OK"), (60 * SECOND, "TIMEOUT")])
@variants
def test_busy_bus_is_waited_for(machine, ns, result):
    machine.bus.busy_until = machine.chip.now + ns
    assert machine.read(timeout_ms=10_000).result == result
    machine.bus.busy_until = 0
    machine.check_recovery()


@variants
def test_bus_stuck_busy_times_out(machine):
    machine.bus.stuck_busy = True
    assert machine.read() == Outcome("TIMEOUT")
    machine.bus.stuck_busy = False
    machine.check_recovery()


@variants
def test_bus_held_in_reset_is_a_failure_of_the_chip(machine):
    machine.bus.stuck_reset = True
    assert machine.read() == Outcome("CHIP")
    assert machine.read() == Outcome("CHIP")
    machine.bus.stuck_reset = False
    assert machine.read() == Outcome("BUS_RESET"), "the chip is set up again"
    machine.check_recovery()


@pytest.mark.parametrize("udc", ["before", "with", "after"])
@each_variant
def test_absent_target_is_no_target(machine, udc):
    """An unexpected disconnection accompanies the selection time-out."""
    machine.chip.time_out_udc = udc
    target = machine.bus.targets.pop(0)
    assert machine.read() == Outcome("NO_TARGET")
    machine.bus.targets[0] = target
    machine.check_recovery()


@variants
def test_target_that_vanishes_while_it_is_disconnected(machine):
    target = machine.disk

    def hook(bus, data):
        del machine.bus.targets[0]
        yield from never_reconnects(save=False)(bus, data)
    target.data_hook = hook
    assert machine.read() == Outcome("TIMEOUT")
    machine.bus.targets[0] = target
    machine.check_recovery()


@each_variant
def test_id_above_7_and_lun(library, variant):
    """On a wide chip; the target disconnects around the command."""
    machine = Machine(library, "silicon", variant)
    target = 11 if machine.chip.variant.wide else 5
    unit = Disk(lun=6, version=5, content=lambda lba: bytes([lba & 0xFF]) * SECTOR)
    machine.bus.targets[target] = Disk(version=5, luns={6: unit})
    unit.attentions.clear()
    unit.before_command = unit.before_status = lambda bus: unit.disconnect()
    assert machine.read(9, 1, target, lun=6) == Outcome("OK", SECTOR)
    assert machine.data() == bytes([9]) * SECTOR


# ---- Recovery is as mild as possible ----------------------------------------------------------------


RECOVERIES = {
    # hooks; aborts, device resets, bus resets
    "accepts ABORT": ({"data_hook": never_reconnects()}, (1, 0, 0)),
    "ignores ABORT": ({"data_hook": never_reconnects(), "deaf_to_abort": True}, (1, 1, 0)),
    "ignores all": ({"data_hook": never_reconnects(), "deaf": True}, (1, 1, 1)),
    "holds the bus": ({"data_hook": data_then(100, HANG)}, (0, 0, 1)),
    "leaves the bus": ({"data_hook": data_then(100, FREE)}, (0, 0, 0)),
    "sends too little": ({"data_hook": lambda bus, data: Disk.data_in(data[:100])}, (0, 0, 0)),
}


@pytest.mark.parametrize("hooks, messages", RECOVERIES.values(), ids=RECOVERIES)
@variants
def test_bus_is_reset_as_the_last_resort(machine, hooks, messages):
    for name, value in hooks.items():
        setattr(machine.disk, name, value)
    machine.read()
    aborts, device_resets, bus_resets = messages
    assert machine.disk.device_resets == device_resets and machine.disk.aborts >= aborts
    assert bool(machine.disk.aborts) == bool(aborts)
    assert (POWER_ON in machine.bus.targets[OTHER].attentions) == bool(bus_resets)
    machine.check_recovery()


@pytest.mark.parametrize("ns", range((LIMIT_MS - 50) * MS, (LIMIT_MS + 600) * MS, 37 * MS))
@pytest.mark.parametrize("variant", ["895A"])
def test_reselection_around_the_time_out_does_no_harm(machine, ns):
    def hook(bus, data):
        yield from Disk.data_in(data[:100])
        yield from machine.disk.disconnect(ns=ns)
        yield from Disk.data_in(data[100:])
    machine.disk.data_hook = hook
    assert machine.read().result in ("OK", "TIMEOUT")
    machine.check_recovery()


# ---- One target is reset ----------------------------------------------------------------------------


@each_variant
def test_reset_of_a_target(machine):
    assert machine.reset_target(0) == "OK"
    assert machine.disk.messages[-1] == [0x80, 0x0C]
    assert (machine.disk.attentions, machine.bus.targets[OTHER].attentions) == ([POWER_ON], [])
    machine.check_recovery()


@variants
def test_reset_of_an_absent_target(machine):
    assert machine.reset_target(5) == "NO_TARGET"
    machine.check_recovery()


@pytest.mark.parametrize("hooks", [{"deaf": True}, {"session": hangs}, {"ignores_atn": True},
                                   {"session": lambda bus: iter([FREE])}],
                         ids=["ignores messages", "hangs", "ignores ATN", "leaves"])
@variants
def test_target_that_cannot_be_reset_causes_a_bus_reset(machine, hooks):
    for name, value in hooks.items():
        setattr(machine.disk, name, value)
    assert machine.reset_target(0) == "BUS_RESET"
    assert machine.disk.attentions == machine.bus.targets[OTHER].attentions == [POWER_ON]
    machine.check_recovery()


@variants
def test_reset_of_a_target_on_a_bus_that_is_held_in_reset(machine):
    machine.bus.stuck_reset = True
    assert machine.reset_target(0) == "CHIP"
    machine.bus.stuck_reset = False
    assert machine.reset_target(0) == "BUS_RESET"
    machine.check_recovery()


# ---- Another driver has used the chip -----------------------------------------------------------------


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("variant", ["895A", "810", "875", "896"])
def test_command_after_another_driver(machine, driver):
    """The targets are left wide and synchronous. A trace in the chip is noticed before a
    selection; without one, the data comes short."""
    driver(machine)
    sent = len(machine.disk.messages)
    outcome = machine.read()
    if outcome.result == "BUS_RESET":
        assert len(machine.disk.messages) == sent
    else:
        assert outcome.result in ("PROTOCOL", "TIMEOUT") or outcome.moved < 3 * SECTOR
        machine.bus.reset()
        machine.bus.on_reset()
        machine.read()
    machine.check_recovery()
    assert not machine.disk.fast_and_wide

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""lsi/ on x86-64 with the options of a user: disconnect privilege, parity, activity LED, and a
command without a time limit.
"""

from __future__ import annotations

import pytest

from tests.model.bus import FREE, HANG, RESET, STATUS, Bad, Delay
from tests.model.eeprom import BYTES, Eeprom
from tests.model.faults import never_reconnects, parity_hook
from tests.model.registers import AAP, EPC, GPCNTL, GPREG, LED, MS, SCNTL0
from tests.model.rules import RuleViolation
from tests.model.target import Disk
from tests.native.machine import SECOND, SILICON, Machine, Outcome, calm, new_data
from tests.native.native import NO_DATA, Native
from tests.native.target_rows import ALL, BLOCKS, READS, WITHOUT_DATA, WRITES

each_variant = pytest.mark.parametrize("variant", SILICON)
LBA = 1000
HOUR = 3600 * SECOND
NO_TIME_LIMIT = 0xFFFFFFFF      # CLOCK_NEVER_MS in tests/native/pc/clock.h


# ---- The disconnect privilege ------------------------------------------------------------------


@pytest.mark.parametrize("variant, ids", [("895A", range(16)), ("810", range(8))])
@pytest.mark.parametrize("disconnects", [0, 0xFFFF, 0x0001, 0x8000, 0xA5A5])
def test_identify_grants_the_privilege_to_these_targets(library, variant, ids, disconnects):
    disks = {i: Disk(attentions=[], luns={5: Disk(lun=5, attentions=[])}) for i in ids if i != 7}
    native = Native(library, disks, "silicon", variant, disconnects=disconnects)
    for target, disk in disks.items():
        privilege = 0x40 * (disconnects >> target & 1)
        for lun in (0, 5):
            native.prepare(bytes(6), NO_DATA, 0, target, lun=lun)
            assert native.execute() == "OK"
            assert disk.messages.pop() == [0x80 | privilege | lun]


@each_variant
@pytest.mark.parametrize("disconnects", [0, 0xFFFF], ids=["80h", "C0h"])
def test_obedient_target_leaves_the_bus_only_with_the_privilege(library, variant, disconnects):
    machine, free = Machine(library, "silicon", variant, disconnects=disconnects), []
    machine.disk.obeys_privilege = True

    def hook(bus, data):
        steps = machine.disk.disconnect(ns=MS)
        for step in steps:
            if isinstance(step, Delay):
                free.append(bus.connected is None)
            yield step
        yield from Disk.data_in(data)
    machine.disk.data_hook = hook
    assert machine.read(LBA, BLOCKS) == Outcome("OK", ALL)
    assert machine.data() == machine.stored(LBA, BLOCKS)
    assert free == [bool(disconnects)]


# ---- Parity ------------------------------------------------------------------------------------


@each_variant
@pytest.mark.parametrize("place", ["data", "message", "status"])
def test_parity_error_is_not_seen_without_parity(library, variant, place):
    """The data is then wrong, and nothing shows it. ATN stays off."""
    machine, seen = Machine(library, "silicon", variant, parity=False), []
    assert not machine.chip.registers[SCNTL0] & (EPC | AAP)
    if place == "status":
        machine.disk.before_status = lambda bus: iter([Bad(STATUS, 0)])
    else:
        machine.disk.data_hook = parity_hook(place, True, seen)
    assert machine.read(LBA, BLOCKS) == Outcome("OK", ALL)
    assert seen == []
    right = machine.stored(LBA, BLOCKS)
    assert sum(a != b for a, b in zip(machine.data(), right)) == (place == "data")
    calm(machine.disk)
    machine.check_read()


@each_variant
def test_parity_stays_off_after_a_reset(library, variant):
    machine = Machine(library, "silicon", variant, parity=False)
    machine.disk.data_hook = lambda bus, data: iter([RESET])
    assert machine.read().result == "BUS_RESET"
    assert machine.chip.registers[SCNTL0] == 0xC0
    machine.check_recovery()


@each_variant
@pytest.mark.parametrize("parity", [True, False])
def test_our_chip_is_recognised_without_parity(library, variant, parity):
    """After a warm boot; not one that another driver has set up with other arbitration. The 1010 shows
    nothing: it has 0 in DMODE and DCNTL."""
    machine = Machine(library, "silicon", variant, parity=parity)
    chip = machine.chip.variant
    assert not machine._call("native_found_in_use", chip.device, chip.revision)
    machine.chip.registers[SCNTL0] ^= 0x10      # WATN
    assert machine._call("native_found_in_use", chip.device, chip.revision) != chip.core_1010


# ---- The activity LED --------------------------------------------------------------------------


def led_machine(library, variant: str = "895A") -> Machine:
    return Machine(library, "silicon", variant, led=True)


@each_variant
def test_led_is_on_from_the_command_to_the_end(library, variant):
    """Also while the target has disconnected, and without an access of the CPU."""
    machine = led_machine(library, variant)
    chip, seen = machine.chip, []

    def hook(bus, data):
        seen.append(chip.led_is_on)
        yield from machine.disk.disconnect(ns=MS)
        seen.append(chip.led_is_on)
        yield from Disk.data_in(data)
    machine.disk.data_hook, machine.disk.before_command = hook, lambda bus: seen.append(chip.led_is_on) or iter(())
    accesses = chip.reads + chip.writes
    assert machine.read(LBA, BLOCKS) == Outcome("OK", ALL)
    plain = Machine(library, "silicon", variant)
    plain.disk.data_hook = lambda bus, data: (e for part in (plain.disk.disconnect(ns=MS), Disk.data_in(data)) for e in part)
    before = plain.chip.reads + plain.chip.writes
    assert plain.read(LBA, BLOCKS) == Outcome("OK", ALL)
    assert chip.reads + chip.writes - accesses == plain.chip.reads + plain.chip.writes - before
    assert seen == [False, True, True] and not chip.led_is_on
    assert [on for _, on in chip.led_changes] == [True, False]
    assert chip.led_changes[1][0] - chip.led_changes[0][0] > MS


@each_variant
def test_led_stays_off_without_a_target(library, variant):
    machine = led_machine(library, variant)
    machine.prepare(bytes(6), NO_DATA, 0, 5)
    assert machine.execute() == "NO_TARGET"
    assert machine.chip.led_changes == []


@each_variant
def test_led_is_off_after_all_that_a_target_does(library, variant):
    """check_idle() checks the pin after each command, too."""
    machine, data = led_machine(library, variant), new_data(1, BLOCKS)
    for rows, run in ((READS, lambda: machine.read(LBA, BLOCKS)), (WRITES, lambda: machine.write(data)),
                      (WITHOUT_DATA, machine.test_unit_ready)):
        for name, row in rows.items():
            row.put(machine.disk)
            outcome = run()
            assert outcome.result == row.result or outcome.result in row.result, name
            assert not machine.chip.led_is_on, name
            machine.check_recovery()


@each_variant
def test_led_is_off_after_failed_recovery(library, variant):
    """The target hangs, and ignores each message: the bus is reset."""
    machine = led_machine(library, variant)
    machine.disk.data_hook, machine.disk.deaf = never_reconnects(), True
    assert machine.read().result == "TIMEOUT"
    assert machine.chip.registers[GPREG] & LED and not machine.chip.registers[GPCNTL] & LED
    machine.check_recovery()


@each_variant
def test_pins_are_not_touched_without_a_led(library, variant):
    """The rule is enforced: a program that is for a board with a LED breaks it."""
    machine = led_machine(library, variant)
    machine.chip.led = False
    with pytest.raises(RuleViolation, match="board setting lost"):
        machine.read()
    plain = Machine(library, "silicon", variant)
    plain.check_read()
    assert plain.chip.led_changes == []


@each_variant
def test_led_on_the_wire_of_an_eeprom_does_it_no_harm(library, variant):
    """SDA moves while SCL is high: beginnings and ends of transfers in which nothing is sent."""
    machine = led_machine(library, variant)
    content = new_data(7, BYTES // 512)
    machine.chip.plug_eeprom(eeprom := Eeprom(content))
    for _ in range(20):
        machine.check_read()
    machine.disk.data_hook = lambda bus, data: iter([FREE])
    assert machine.read().result == "BUS_FREE"
    assert len(machine.chip.led_changes) == 41
    assert eeprom.content == content and eeprom.clocks == eeprom.cycles == 0


# ---- A command without a time limit --------------------------------------------------------------


@each_variant
@pytest.mark.parametrize("leaves", [False, True])
def test_command_without_time_limit_takes_days(library, variant, leaves):
    machine = Machine(library, "silicon", variant, disconnects=0xFFFF)
    machine.pause_us = 60_000_000

    def hook(bus):
        if leaves:
            yield from machine.disk.disconnect(ns=50 * HOUR)
        else:
            yield Delay(50 * HOUR)
    machine.disk.before_status = hook
    begun = machine.chip.now
    machine.prepare(bytes(6), timeout_ms=NO_TIME_LIMIT)
    assert machine.execute() == "OK"
    assert 50 * HOUR <= machine.chip.now - begun < 51 * HOUR


@pytest.mark.parametrize("event, result", [(FREE, "BUS_FREE"), (RESET, "BUS_RESET"), (HANG, None)])
def test_only_the_bus_ends_a_command_without_time_limit(library, event, result):
    """A target that hangs is waited for; 30 hours are tried here."""
    machine = Machine(library)
    machine.pause_us = 60_000_000
    machine.disk.before_status = lambda bus: iter([Delay(30 * HOUR), event])
    machine.prepare(bytes(6), timeout_ms=NO_TIME_LIMIT)
    if result:
        assert machine.execute() == result
        assert machine.chip.now > 30 * HOUR
        machine.check_recovery()
        return
    wait, end = machine.chip.now, machine.chip.now + 40 * HOUR
    pause = machine._pause

    def pause_until_late():
        if machine.chip.now > end:
            raise TimeoutError
        pause()
    machine._pause = pause_until_late
    with pytest.raises(TimeoutError):
        machine._call("native_execute")
    assert machine.chip.now > wait + 40 * HOUR and machine.disk.aborts == 0

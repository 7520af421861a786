# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: settings stored in the NVRAM of the card: those of the SCSI bus and of each device
change what they name (docs/settings.md).
"""

from __future__ import annotations

from functools import cache

import pytest

from tests.model.bus import HANG, Delay
from tests.model.nvram_blocks import (AVOID_RESET, CHS_ALTERNATE, DISCONNECTS, LUNS, PARITY, SCAN_DOWN, SCANNED, TAGS,
                                      Card, Own, Target)
from tests.model.pc import Pc
from tests.model.registers import MS
from tests.model.target import INQUIRY, REPORT_LUNS, REQUEST_SENSE, START_STOP, TEST_UNIT_READY, Disk, cd_rom
from tests.rom.bios.multi_controller import lines, named_disk, owners
from tests.rom.bios.stored_settings import (VARIANTS, WIDE, booted, chip_with, counting_resets, each, long,
                                            machine, own_id, sent)
from tests.rom.disk.test_patience import stopped
from tests.rom.strict import OK, SECOND, TIMEOUT, check_read, disk

variants = pytest.mark.parametrize("variant", VARIANTS)
SCNTL0, CHECKS_PARITY = 0x00, 0x0A


# ---- The host adapter --------------------------------------------------------------------


@pytest.mark.parametrize("variant, host_id", [*((v, 6) for v in VARIANTS), ("810", 0), *((v, 15) for v in WIDE),
                                              ("895A", 8)])
def test_host_id(variant, host_id):
    """A disk may have the usual ID of the controller then."""
    disks = {i: named_disk(0, i) for i in (1, 7)}
    pc = booted(variant, Card(host_id=host_id), targets=disks)
    assert own_id(pc) == host_id
    assert f", host ID {host_id}," in pc.text
    assert owners(pc) == [(0, 1), (0, 7)]


@pytest.mark.parametrize("host_id", [8, long(15), 255])
def test_host_id_that_the_bus_does_not_have_is_replaced(host_id):
    assert own_id(booted("810", Card(host_id=host_id))) == 7


@variants
@pytest.mark.parametrize("flags, checked", [(PARITY, CHECKS_PARITY), (0, 0)])
def test_parity(variant, flags, checked):
    pc = booted(variant, Card(flags=CHS_ALTERNATE | flags), targets={0: Disk()})
    assert pc.chip.registers[SCNTL0] & CHECKS_PARITY == checked
    check_read(pc)
    assert pc.chip.registers[SCNTL0] & CHECKS_PARITY == checked, "after POST"


@variants
@pytest.mark.parametrize("flags2, times", [(AVOID_RESET, 0), (0xFF & ~AVOID_RESET, 1)])
def test_avoided_bus_reset(variant, flags2, times):
    pc = machine(variant, Card(flags2=flags2))
    resets = counting_resets(pc)
    pc.power_on()
    assert len(resets) == times
    assert owners(pc) == [(0, 0), (0, 3)]


@variants
@pytest.mark.parametrize("flags1", [SCAN_DOWN, 0xFFFE])
def test_scan_order(variant, flags1):
    order, ids = [], [0, 2, 6, *([9, 15] if variant != "810" else [])]
    pc = machine(variant, Card(flags1=flags1), targets={i: named_disk(0, i) for i in ids})
    for scsi_id, target in pc.bus.targets.items():
        def note(bus, scsi_id=scsi_id):
            order.append(scsi_id)
            yield from ()
        target.before_command = note
    pc.power_on()
    expected = ids[::-1] if flags1 & SCAN_DOWN else ids
    assert list(dict.fromkeys(order)) == expected
    assert owners(pc) == [(0, i) for i in expected]


@pytest.mark.parametrize("variant, seconds", [("810", 0), ("875", 3), ("895A", 60), ("1010-33", 1)])
def test_scan_delay(variant, seconds):
    pc = machine(variant, Card(), Own(scan_delay=seconds))
    resets, commands = counting_resets(pc), []

    def note(bus):
        commands.append(pc.chip.now)
        yield from ()
    disk(pc).before_command = note
    pc.power_on()
    assert seconds <= (commands[0] - resets[0]) / SECOND <= seconds * 1.5 + 1


@variants
@pytest.mark.parametrize("gpcntl, block, used", [(0x2E, Card(), True), (0x2F, Card(), False), long(0x2E, None, False),
                                                 (0x2E, b"\x55" * 368, False)],
                         ids=["output", "input", "blank", "damaged"])
def test_activity_led(variant, gpcntl, block, used):
    """Only on a board with settings of Symbios, whose firmware has made the pin an output"""
    pc = machine(variant, block)
    pc.chip.set_board(gpreg=0x1C, gpcntl=gpcntl, stest2=0, dcntl=0)
    if used:
        pc.chip.set_led()
    pc.power_on()
    assert owners(pc) == [(0, 0), (0, 3)]
    assert bool(pc.chip.led_changes) == used and not pc.chip.led_is_on


# ---- Spin-up -----------------------------------------------------------------------------


def start_times(pc: Pc) -> dict[int, list[float]]:
    """When each target got START UNIT, in seconds; filled during POST. The delays do not count
    for the model's rule that POST gets further within a minute."""
    times = {}
    for scsi_id, target in pc.bus.targets.items():
        def hook(cdb, scsi_id=scsi_id, inner=target.status_hook):
            if cdb[0] == START_STOP:
                times.setdefault(scsi_id, []).append(pc.chip.now / SECOND)
                pc.bus.got_further()
            return inner(cdb) if inner else None
        target.status_hook = hook
    return times


@pytest.mark.parametrize("variant, delay", [("810", 4), ("875", 0), ("895A", 1), ("1010-33", 4)])
def test_spin_up_delay_lies_between_two_starts(variant, delay):
    """Not before the first, nor for disks that run. The order is that of the scan."""
    targets = {0: stopped(), 1: named_disk(0, 1), 3: stopped(), 5: stopped(), 6: Disk()}
    pc = machine(variant, Card(flags1=SCAN_DOWN), Own(spin_up_delay=delay), targets, most_idle_ns=1 * MS)
    times = start_times(pc)
    pc.power_on()
    assert list(times) == [5, 3, 0] and all(len(t) == 1 for t in times.values())
    (first,), (second,), (third,) = times.values()
    assert first < 4, "9 selection time-outs on a wide bus"
    assert delay <= second - first < delay * 1.5 + 1 and delay <= third - second < delay * 1.5 + 1
    assert pc.bios.entries[0].product.startswith("SCSI 00:04.0 ID 6")
    assert len(pc.bios.entries) == 5


def test_long_delays_do_not_end_the_scan():
    """14 delays of 15 s, where POST ends after a minute without progress. No line names a
    disk that only waits for its turn."""
    targets = {i: stopped(1 * SECOND) for i in range(16) if i != 7}
    pc = machine("895A", Card(), Own(spin_up_delay=15), targets, most_idle_ns=5 * MS)
    times = start_times(pc)
    pc.power_on()
    begun = [t for (t,) in times.values()]
    assert len(begun) == 15 and all(b - a >= 15 for a, b in zip(begun, begun[1:]))
    assert len(pc.bios.entries) == 15
    assert "waiting for" not in pc.text and "skipped" not in pc.text


def test_disks_that_do_not_stop_are_not_delayed():
    pc = booted("895A", Card(), Own(spin_up_delay=15))
    assert pc.chip.now < 6 * SECOND


# ---- Devices -----------------------------------------------------------------------------


@variants
def test_target_that_is_not_scanned_gets_no_command(variant):
    """Neither message nor command; not even in later calls."""
    pc = booted(variant, Card(targets={0: Target(DISCONNECTS | LUNS | TAGS)}))
    assert sent(pc)[0] == [()]
    assert owners(pc) == [(0, 3)]
    pc.int13(ah=0x00, dl=0x80)
    assert sent(pc)[0] == [()]


def test_absent_target_that_is_not_scanned_costs_no_time():
    times = [booted("895A", Card(targets=targets)).chip.now for targets in (
        {}, {i: Target(LUNS) for i in range(16) if i not in (0, 3)})]
    assert times[0] - times[1] > 2 * SECOND, "13 selection time-outs of 250 ms"


def with_luns() -> Disk:
    return Disk(product=b"LUN 0           ", version=3, luns={1: Disk(product=b"LUN 1           ", lun=1, version=3)})


@pytest.mark.parametrize("variant, version", [("810", 2), ("875", 3), ("895A", 2), ("1010-33", 3)])
def test_luns(variant, version):
    """Of ID 1 they are not wanted."""
    def target() -> Disk:
        return Disk(version=version, luns={1: Disk(product=b"BEHIND          ", lun=1, version=version)})
    pc = booted(variant, Card(targets={1: Target(SCANNED)}), targets={0: target(), 1: target()})
    found = [e.product[13:23] for e in pc.bios.entries]
    assert found == ["ID 0 LUN 0", "ID 0 LUN 1", "ID 1 LUN 0"]
    messages = {message[0] & 0x87 for message in pc.bus.targets[1].messages}
    assert messages == {0x80} and not pc.bus.targets[1].strays
    assert not [c for c in pc.bus.targets[1].commands if c[0] == REPORT_LUNS]


@variants
def test_disconnect_privilege(variant):
    """By IDENTIFY, for the targets that have it, in POST and later."""
    ids = [0, 3, 5] if variant == "810" else [0, 3, 15]
    card = Card(targets={3: Target(SCANNED | LUNS | TAGS)})
    pc = booted(variant, card, targets={i: named_disk(0, i) for i in ids})
    assert owners(pc) == [(0, i) for i in ids]
    for scsi_id, target in pc.bus.targets.items():
        assert {m[0] & 0xF8 for m in target.messages} == {0x80 if scsi_id == 3 else 0xC0}


@pytest.mark.parametrize("variant, timeout", [("810", 2), ("875", 25), ("895A", 2), ("1010-33", 10)])
def test_timeout(variant, timeout):
    """Of ID 0 only"""
    pc = booted(variant, Card(targets={0: Target(timeout=timeout)}), most_idle_ns=1 * MS)
    seconds = {}
    for drive, scsi_id in ((0x80, 0), (0x81, 3)):
        target = pc.bus.targets[scsi_id]
        target.data_hook = lambda bus, data: iter([HANG])
        before = pc.chip.now
        assert pc.read(77, 1, drive).ah == TIMEOUT
        seconds[scsi_id] = (pc.chip.now - before) / SECOND
        target.data_hook = None
    assert timeout <= seconds[0] < timeout + 5 and 10 <= seconds[3] < 15
    assert owners(pc) == [(0, 0), (0, 3)]


@pytest.mark.parametrize("timeout, status", [(0, OK), (10, TIMEOUT), long(1300, OK), long(9999, OK)])
def test_no_timeout_and_long_ones(timeout, status):
    """A disk that needs 20 s"""
    pc = booted("895A", Card(targets=each(timeout=timeout)), most_idle_ns=5 * MS)
    disk(pc).before_status = lambda bus: iter([Delay(20 * SECOND)])
    assert pc.read(77, 1).ah == status


# ---- Nothing else changes ------------------------------------------------------------------


@cache
def machine_without_nvram(variant: str) -> Pc:
    return booted(variant, targets=targets_of_all_kinds(), eeprom=None)


def targets_of_all_kinds() -> dict[int, Disk]:
    return {0: named_disk(0, 0), 1: with_luns(), 2: cd_rom(), 3: Disk(type=1), 4: stopped(0), 5: Disk(removable=True),
            6: Disk(attentions=[(6, 0x29, 0)] * 3)}


@variants
@pytest.mark.parametrize("block", [bytes(368), b"\xFF" * 368, b"\xAA" * 368], ids=["zeros", "FFh", "damaged"])
def test_without_stored_settings_post_is_as_without_nvram(variant, block):
    """The same messages and commands; a line only about damage. IDENTIFY has no privilege."""
    reference = machine_without_nvram(variant)
    pc = booted(variant, block, targets=targets_of_all_kinds())
    assert all(message[0] & 0xF8 == 0x80 for target in pc.bus.targets.values() for message in target.messages)
    started = [c[0] for c in pc.bus.targets[4].commands if c[0] not in (INQUIRY, REQUEST_SENSE)]
    assert started[:4] == [TEST_UNIT_READY, TEST_UNIT_READY, START_STOP, TEST_UNIT_READY]
    assert sent(pc) == sent(reference)
    damage = [line for line in lines(pc) if "damaged" in line]
    assert damage == [f"lsi8xx-rom 0.1.0: 53C{variant} at PCI 00:04.0: settings in NVRAM are damaged, "
                      "using defaults"] * (block[0] == 0xAA)
    assert [line for line in lines(pc) if line not in damage] == lines(reference)


@variants
def test_nvram_is_not_written(variant):
    chip = chip_with(Card(host_id=16, removable=9), Own(window=99))
    before = chip.content
    pc = booted(variant, eeprom=chip)
    assert owners(pc) == [(0, 0), (0, 3)]
    assert (chip.content, chip.cycles) == (before, 0)

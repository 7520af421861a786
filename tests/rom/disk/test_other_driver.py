# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: another driver has used the chip between two of our calls, or before POST.
Our next call notices it, sets up the chip, ends the agreements of the targets, and
succeeds.
"""

from __future__ import annotations

import pytest

from tests.build import BUILD
from tests.model.agreement import SDTR, WDTR, offers_in
from tests.model.bus import FREE, HANG, MSG_OUT
from tests.model.devices import FwCfg
from tests.model.pc import BUFFER, Pc
from tests.model.target import Disk
from tests.rom.other_driver import DRIVERS, leaves_its_set_up, leaves_transfers, reset_chip
from tests.rom.strict import (CHANGED, OK, RESET_FAILED, ROMS, TIMEOUT, check_read, disk, hexadecimal,
                              new_data, simple_call,
                              transfer)

CHIPS = {**ROMS, "875": BUILD / "lsi53c875.rom"}
THREES = bytes([3]) * 512

chips = pytest.mark.parametrize("variant", CHIPS)
bus_reset = pytest.mark.parametrize("bus_reset", [1, 0], ids=["bus-reset", "bus-kept"])
drivers = pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
resets = pytest.mark.parametrize("function", [0x00, 0x0D], ids=hexadecimal)


def machine(variant: str, bus_reset: int = 1, **options) -> Pc:
    """A machine after POST with disks at IDs 0 and 3."""
    files = {"opt/lsi8xx-rom/bus-reset": b"0"}
    pc = Pc(CHIPS[variant], variant, fwcfg=None if bus_reset else FwCfg(files))
    pc.bus.targets = {0: Disk(**options), 3: Disk(content=lambda lba: THREES, **options)}
    pc.power_on()
    return pc


def resets_of(pc: Pc) -> list[int]:
    """A list that grows with each reset of the bus."""
    seen, reset = [], pc.bus.reset
    pc.bus.reset = lambda: (seen.append(pc.chip.now), reset())
    return seen


def check_both(pc: Pc) -> None:
    check_read(pc)
    assert pc.read(7, 1, drive=0x81).ah == OK
    assert pc.peek(BUFFER, 512) == THREES
    assert not any(target.fast_and_wide or target.synchronous for target in pc.bus.targets.values())


# ---- Between two calls -----------------------------------------------------------------


@chips
@bus_reset
@drivers
def test_read_after_another_driver(variant, bus_reset, driver):
    pc = machine(variant, bus_reset)
    check_read(pc)
    seen = resets_of(pc)
    driver(pc)
    check_both(pc)
    assert bus_reset or not seen, "the bus is kept"


@chips
@bus_reset
@drivers
@pytest.mark.parametrize("function", [0x43, 0x03], ids=hexadecimal)
def test_write_after_another_driver(variant, bus_reset, driver, function):
    pc = machine(variant, bus_reset)
    check_read(pc)
    driver(pc)
    for drive, target in ((0x80, disk(pc)), (0x81, pc.bus.targets[3])):
        data = new_data(drive, 3)
        pc.poke(BUFFER, data)
        assert transfer(pc, function, 50, 3, drive=drive) == (OK, 3)
        assert b"".join(target.written[50 + i] for i in range(3)) == data
    check_both(pc)


@chips
@bus_reset
@drivers
@resets
def test_reset_after_another_driver(variant, bus_reset, driver, function):
    """The next write then transfers no wrong data, not even to be written again."""
    pc = machine(variant, bus_reset)
    check_read(pc)
    driver(pc)
    assert simple_call(pc, function).ah == OK
    stored = []
    for target in pc.bus.targets.values():
        store = target.store
        target.store = lambda cdb, data, store=store: (stored.append(data), store(cdb, data))
    data = new_data(1, 2)
    for drive in (0x80, 0x81):
        pc.poke(BUFFER, data)
        assert transfer(pc, 0x43, 50, 2, drive=drive) == (OK, 2)
    assert stored == [data, data]
    check_both(pc)


@chips
@bus_reset
def test_two_drivers_in_turn(variant, bus_reset):
    """A ROM that came after ours: each of its calls resets the chip, sets it up and makes
    its own agreements."""
    pc = machine(variant, bus_reset)
    for _ in range(5):
        leaves_its_set_up(pc)
        check_read(pc)
        leaves_transfers(pc)
        check_both(pc)


@pytest.mark.parametrize("variant", ROMS)
def test_synchronous_target_is_mended_by_the_time_out(variant):
    """It waits for ACKs that the chip does not send. Without a trace in the chip this
    looks like a target that hangs: no retry, but the recovery resets the bus."""
    pc = machine(variant)
    for target in pc.bus.targets.values():
        target.synchronous = True
    assert pc.read(1000, 3).ah == TIMEOUT
    check_both(pc)


@chips
@bus_reset
@resets
def test_synchronous_target_is_mended_by_a_reset(variant, bus_reset, function):
    pc = machine(variant, bus_reset)
    for target in pc.bus.targets.values():
        target.synchronous = True
    assert simple_call(pc, function).ah == OK
    check_both(pc)


@pytest.mark.parametrize("variant", ROMS)
@bus_reset
def test_reset_fails_if_the_bus_is_stuck(variant, bus_reset):
    pc = machine(variant, bus_reset)
    check_read(pc)
    reset_chip(pc)
    pc.bus.stuck_reset = True
    assert simple_call(pc, 0x00).ah == RESET_FAILED
    pc.bus.stuck_reset = False
    assert simple_call(pc, 0x00).ah == OK
    check_both(pc)


@pytest.mark.parametrize("variant", ROMS)
@drivers
def test_change_of_medium_is_not_missed(variant, driver):
    """The sense data of a wide target is cut in half, too."""
    pc = Pc(CHIPS[variant], variant)
    pc.bus.targets = {0: Disk(removable=True), 3: Disk()}
    pc.power_on()
    driver(pc)
    disk(pc).insert(1000)
    statuses = []
    while not statuses or statuses[-1] == CHANGED:
        assert not disk(pc).written, "nothing is written before the change is reported"
        statuses.append(transfer(pc, 0x43, 5, 1).status)
    assert statuses == [CHANGED, OK]


# ---- In POST -----------------------------------------------------------------------------


@chips
@pytest.mark.parametrize("agreement, known", [
    ("fast_and_wide", (SDTR, WDTR)), ("synchronous", (SDTR, WDTR)), ("fast_and_wide", (WDTR,)),
    ("synchronous", (SDTR,))], ids=["wide, both", "synchronous, both", "wide, WDTR", "synchronous, SDTR"])
def test_post_ends_agreements_without_a_bus_reset(variant, agreement, known):
    """A target that implements only one of the messages has no other agreement."""
    pc = machine(variant, 0, negotiates=known, **{agreement: True})
    assert "wrong data length" not in pc.text
    check_both(pc)


@chips
def test_target_without_these_messages_is_served(variant):
    pc = machine(variant, 0, negotiates=())
    check_both(pc)
    offers = [m for m in disk(pc).messages if 0x01 in m]
    assert len(offers) == 2, "WDTR and SDTR, once"


# ---- Nothing but what is needed ------------------------------------------------------------


@chips
def test_undisturbed_chip_is_not_set_up_again(variant):
    pc = machine(variant)
    seen = resets_of(pc)
    for lba in range(3):
        check_read(pc, lba)
    assert not seen and all(len(m) == 1 for m in disk(pc).messages)


# ---- Targets that do not endure an offer ------------------------------------------------------


class LeavesTheBus(Disk):
    """Goes bus free, or hangs, after WDTR or SDTR. Some SCSI-1 targets hang."""

    end: object = FREE

    def negotiate(self, bus, messages):
        if offers_in(messages):
            yield self.end
        return (yield from super().negotiate(bus, messages))


@chips
@bus_reset
@pytest.mark.parametrize("end, failures", [(FREE, 0), (HANG, 1)], ids=["bus free", "hangs"])
def test_target_that_does_not_endure_an_offer(variant, bus_reset, end, failures):
    """After a reset function it is offered once, and then served without."""
    pc = machine(variant, bus_reset)
    old = pc.bus.targets[0] = LeavesTheBus()
    old.end = end
    assert simple_call(pc, 0x00).ah == OK
    statuses = [pc.read(1000, 3).ah for _ in range(3)]
    assert statuses == [TIMEOUT] * failures + [OK] * (3 - failures)
    check_read(pc)


@chips
def test_answered_offer_is_not_sent_again(variant):
    """The offer of the first command after AH=00h has been answered. A target that then
    requests the messages again gets none that was not sent before."""
    pc, seen = machine(variant), []
    check_read(pc)
    assert simple_call(pc, 0x00).ah == OK
    disk(pc).messages.clear()

    def hook(bus):
        disk(pc).before_command = None
        for _ in range(5):
            seen.append((yield MSG_OUT, None))
    disk(pc).before_command = hook
    check_read(pc)
    assert disk(pc).messages[0] == [0x80, 1, 2, WDTR, 0] and seen == []

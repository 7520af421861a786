# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the timer interrupt IRQ0 and the 8254."""

from __future__ import annotations

import pytest

from tests.model.bios import Bios
from tests.model.bus import HANG
from tests.model.devices import Pit, TimerInterrupt
from tests.model.target import Disk
from tests.rom.bios.one_controller import (BAD_COMMAND, NOT_READY, PNP_MANNERS, SECOND,
                                           TIMEOUT, booted, id_of, machine)


# ---- IRQ0 ----------------------------------------------------------------------------


def disconnecting(disk: Disk, times: int = 5):
    """A data hook in which the disk disconnects, so that time passes."""
    def hook(bus, data):
        for i in range(times):
            yield from Disk.data_in(data[i * 100:i * 100 + 100])
            yield from disk.disconnect(ns=90_000_000)
        yield from Disk.data_in(data[times * 100:])
    return hook


@pytest.mark.parametrize("variant", ["895A", pytest.param("810", marks=pytest.mark.long)])
@pytest.mark.parametrize("manner", PNP_MANNERS)
@pytest.mark.parametrize("irq0", ["dead", "alive", "calling"])
def test_reads_succeed_with_any_timer_interrupt(irq0, manner, variant):
    timer = TimerInterrupt(irq0)
    pc = booted(variant=variant, timer=timer, bios=Bios(manner))
    ticks = pc.word(timer.COUNTER)
    timer.calls.clear()
    before = timer.ticks
    pc.bus.targets[0].data_hook = disconnecting(pc.bus.targets[0])
    for _ in range(20):
        assert id_of(pc, 0x80) == 0
        assert id_of(pc, 0x81) == 3
    received = timer.ticks - before
    assert received >= 100 if irq0 != "dead" else received == 0
    assert pc.word(timer.COUNTER) - ticks & 0xFFFF == received
    assert timer.calls == [(NOT_READY, True)] * (received if irq0 == "calling" else 0)


def test_int13_in_timer_handler_does_not_change_an_error():
    pc = booted(timer=TimerInterrupt("calling"))
    pc.bus.targets[0].data_hook = lambda bus, data: iter([])
    pc.timer.calls.clear()
    result = pc.read(0, 1)
    assert (result.ah, result.cf) == (0x20, True)
    del pc.bus.targets[0]
    result = pc.read(0, 1)
    assert (result.ah, result.cf) == (TIMEOUT, True)
    assert set(pc.timer.calls) <= {(NOT_READY, True)} and pc.timer.calls
    assert id_of(pc, 0x81) == 3


@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_int13_during_boot_connection_is_refused(manner):
    """The connection code has hooked INT 13h but is still printing."""
    ids = [i for i in range(16) if i != 7]
    pc = booted(*ids, timer=TimerInterrupt("calling"), bios=Bios(manner))
    assert (NOT_READY, True) in pc.timer.calls
    assert [id_of(pc, 0x80 + i) for i in range(15)] == ids


def test_int13_during_post_reaches_the_bios():
    pc = machine(0, timer=TimerInterrupt("calling"), bios=Bios(choose=lambda entries: []))
    pc.power_on()
    assert pc.timer.ticks > 10
    assert set(pc.timer.calls) == {(BAD_COMMAND, True)}


# ---- The 8254 ------------------------------------------------------------------------


@pytest.mark.parametrize("pit, poll_ms", [
    (Pit(2), 20), (Pit(3), 20), (Pit(0), 20), (Pit(2, 0x8000), 20), (Pit(3, 0xFFFE), 20),
    (Pit(2, 11932), 1)],
    ids=["mode 2", "mode 3", "unset", "36 Hz", "odd", "100 Hz"])
def test_no_8254_setting_shortens_timeouts(pit, poll_ms):
    """The timeout of a hung target is ten seconds, plus half a second each for ABORT
    and for the target reset. The time between the last poll and the end of a
    counter period is lost; no more than that."""
    was_set = pit.mode
    pc = booted(pit=pit, most_idle_ns=poll_ms * 1_000_000)
    assert pit.mode == (was_set or 2)
    pc.bus.targets[0].data_hook = hang
    before = pc.chip.now
    assert pc.read(0, 1).ah == TIMEOUT
    took = pc.chip.now - before
    round_ns = pit.period_ns / (2 if pit.mode == 3 else 1)
    longest = 11.1 * SECOND * round_ns / (round_ns - poll_ms * 1_000_000)
    assert 10 * SECOND <= took <= longest
    assert id_of(pc, 0x81) == 3


def hang(bus, data):
    yield HANG

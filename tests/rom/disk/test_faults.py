# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: trouble at every bus event, at every moment and at every memory
access of one read, and chips and buses that fail. Whatever happens, a call
ends with a status, success means that the data is there, and the next command
works on both disks.
"""

from __future__ import annotations

import pytest

from tests.model.bus import (COMMAND, DATA_IN, FREE, HANG, MSG_IN, MSG_OUT, RESET, STATUS, Bad,
                             Delay, Reselect)
from tests.model.pc import BUFFER
from tests.model.registers import BF, CLF, CTEST3, D_ABRT, MDPE, MS, SBMC, US, DmaFault
from tests.model.target import COMPLETE, DISCONNECT, REJECT, Disk
from tests.rom.strict import (OK, READ_FAILED, SECOND, TIMEOUT, VARIANTS, TroubleAt, disk,
                              ends_honestly, fails, lives_on, new_pc, once, reads_well)

OTHER_INITIATOR = 6  # or a target that no disk of ours has the ID of


# ---- At every event, moment and access ------------------------------------------------


def interesting(n: int) -> bool:
    """A hang costs 10 virtual seconds, and one byte of data is like another:
    the events that are no data, and one byte in sixteen."""
    return n % 16 == 0 or n < 30 or 290 < n < 330 or n > 1332


@pytest.mark.parametrize("event", [FREE, RESET, HANG], ids=repr)
def test_trouble_at_the_nth_bus_event_for_every_n(pc, event):
    """In place of the nth byte or message of a read of two sectors that
    disconnects, until a read gets by without trouble."""
    target = disk(pc)

    def hook(bus, data):
        yield from target.disconnect()
        yield from Disk.data_in(data[:300])
        yield from target.disconnect(save=False)
        yield from Disk.data_in(data)
    good = 0
    for n in filter(lambda n: event is not HANG or interesting(n), range(1, 2000)):
        target.data_hook = hook
        target.session = trouble = TroubleAt(target, n, event)
        good += ends_honestly(pc, count=2)
        del target.session
        lives_on(pc)
        if trouble.done:
            break
    assert trouble.done and n > 1332, "every byte of CDB, data, status and messages"
    if event is HANG:
        assert good == 1, "not tried again"
    else:
        assert good > n - 10, "tried again, if the disk has not left for ever"


def test_a_bus_reset_at_every_moment(pc):
    """By another initiator: in each phase, behind each stop of the program,
    and between two calls."""
    def reset_after(ns):
        yield Delay(ns)
        yield RESET
    for ns in range(1, 250 * US, 1_300):
        pc.bus.begin(OTHER_INITIATOR, reset_after(ns))
        assert ends_honestly(pc)
        lives_on(pc)


@pytest.mark.parametrize("cause", [BF, MDPE], ids=["BF", "MDPE"])
def test_a_pci_fault_at_the_nth_memory_access_for_every_n(pc, cause):
    """Fetches of the program, of the table, and data."""
    chip = pc.chip
    real, left = {"_read_main": chip._read_main, "_write_main": chip._write_main}, [0]

    def counted(access):
        def call(*arguments):
            left[0] -= 1
            if left[0] == 0:
                raise DmaFault(cause)
            return access(*arguments)
        return call
    for n in range(1, 200):
        left[0] = n
        for name, access in real.items():
            setattr(chip, name, counted(access))
        good = ends_honestly(pc)
        assert good == (left[0] > 0), "a fault is reported, not tried again"
        left[0] = 0  # no more faults
        lives_on(pc)
        if good:
            break
    assert good and n > 25


def test_a_stale_target_that_reselects_at_every_moment(pc):
    """A command from before our time comes back."""
    def comes_back_after(ns):
        yield Delay(ns)
        yield Reselect()
        yield MSG_IN, 0x80
        yield DATA_IN, b"\xBB" * 512
        yield STATUS, 0
        yield MSG_IN, COMPLETE
    for ns in range(1, 250 * US, 3_700):
        pc.bus.begin(OTHER_INITIATOR, comes_back_after(ns))
        assert ends_honestly(pc)
        lives_on(pc)


def test_a_chip_that_vanishes_at_the_nth_access_for_every_n(pc):
    """All ones from the bus, as a card that has left it. It comes back as it
    is after power-on."""
    chip = pc.chip
    read, write, check_idle = chip.cpu_read, chip.cpu_write, chip.check_idle
    left = [0]

    def gone() -> bool:
        left[0] -= 1
        return left[0] <= 0
    for n in range(1, 40):
        left[0] = n
        chip.cpu_read = lambda at, size: (1 << 8 * size) - 1 if gone() else read(at, size)
        chip.cpu_write = lambda at, value, size: None if gone() else write(at, value, size)
        chip.check_idle = lambda: None
        good = ends_honestly(pc)
        chip.cpu_read, chip.cpu_write, chip.check_idle = read, write, check_idle
        if good:
            break
        chip.power_on()
        lives_on(pc)
    assert good and 4 < n < 30


# ---- Parity -----------------------------------------------------------------------------


def parity_hook(place: str, takes_message: bool, seen: list[int]):
    """A read with one bad byte; the target may then take what we have to say."""
    def hook(bus, data):
        if place == "data":
            yield DATA_IN, data[:10]
            yield Bad(DATA_IN, data[10] ^ 1)
            data = data[11:]
        if place == "message":
            yield Bad(MSG_IN, REJECT)
        while bus.atn and takes_message:
            seen.append((yield MSG_OUT, None))
        yield from Disk.data_in(data)
        if place == "status":
            yield Bad(STATUS, 0)
            yield MSG_IN, COMPLETE
    return hook


@pytest.mark.parametrize("takes_message", [True, False], ids=["listens", "deaf"])
@pytest.mark.parametrize("place", ["data", "message", "status"])
def test_bad_parity_once_is_not_seen_by_the_caller(pc, place, takes_message):
    disk(pc).data_hook = once(parity_hook(place, takes_message, []))
    reads_well(pc)
    lives_on(pc)


@pytest.mark.parametrize("place", ["data", "message", "status"])
def test_bad_parity_for_ever_is_an_error(pc, place):
    disk(pc).data_hook = parity_hook(place, True, [])
    fails(pc, READ_FAILED)
    lives_on(pc)


def test_bad_parity_with_a_phase_mismatch_behind_it(pc):
    """PAR and MA come together."""
    def hook(bus, data):
        yield DATA_IN, data[:10]
        yield Bad(DATA_IN, 0)
    disk(pc).data_hook = hook
    fails(pc, READ_FAILED)
    disk(pc).data_hook = once(hook)
    reads_well(pc)
    lives_on(pc)


# ---- Reselection that is not ours -----------------------------------------------------------


@pytest.mark.parametrize("target, message", [
    (5, [0x80]), (3, [0x80]), (0, [0x81]), (0, [0x00]), (0, [0x04]), (0, [0xC0])],
    ids=["nobody", "another disk", "wrong LUN", "no IDENTIFY", "DISCONNECT", "disconnect bit"])
def test_a_wrong_reselection_gets_no_data(pc, target, message):
    """Bits that mean nothing from a target are ignored; a wrong target, LUN or
    message ends the command."""
    def hook(bus, data):
        yield MSG_IN, DISCONNECT
        yield FREE
        yield Delay(10 * US)
        yield Reselect(target)
        for byte in message:
            yield MSG_IN, byte
        yield from Disk.data_in(b"\xBB" * len(data) if message != [0xC0] else data)
    disk(pc).data_hook = hook
    if message == [0xC0]:
        reads_well(pc)
    else:
        fails(pc, READ_FAILED)
    lives_on(pc)


def test_a_reselection_without_any_message_gets_no_data(pc):
    def hook(bus, data):
        yield MSG_IN, DISCONNECT
        yield FREE
        yield Reselect()
        yield from Disk.data_in(data)
    disk(pc).data_hook = hook
    pc.poke(BUFFER, b"\xEE" * 512)
    fails(pc, READ_FAILED)
    assert pc.peek(BUFFER, 512) == b"\xEE" * 512
    lives_on(pc)


@pytest.mark.parametrize("place", ["before_command", "before_status"])
def test_a_disk_may_leave_around_every_command(place):
    """Also before COMMAND and behind the data; at an ID above 7."""
    target = Disk()
    setattr(target, place, lambda bus: target.disconnect())
    pc = new_pc("895A", {11: target})
    assert "80h: SCSI 00:04.0 ID 11 " in pc.text
    pc.poke(BUFFER, b"\xEE" * 512)
    assert pc.read(9, 1).ah == OK
    assert pc.peek(BUFFER, 512) == target.block(9)


def test_a_tag_behind_identify_is_refused_and_the_command_goes_on(pc):
    """We send no tags, so no tag can be ours."""
    seen = []

    def hook(bus, data):
        yield from disk(pc).disconnect()
        yield MSG_IN, bytes([0x20, 7])
        while bus.atn:
            seen.append((yield MSG_OUT, None))
        yield from Disk.data_in(data)
    disk(pc).data_hook = hook
    reads_well(pc)
    assert seen == [REJECT]


# ---- Buses ------------------------------------------------------------------------------------


@pytest.mark.parametrize("ns, status", [(50 * MS, OK), (5 * SECOND, OK), (60 * SECOND, TIMEOUT)],
                         ids=["50ms", "5s", "60s"])
def test_a_bus_in_use_by_others_is_waited_for(pc, ns, status):
    pc.bus.busy_until = pc.chip.now + ns
    assert pc.read(0, 1).ah == status
    pc.bus.busy_until = 0
    lives_on(pc)


def test_a_disk_that_is_deaf_after_a_reset_is_asked_again(pc):
    target = disk(pc)

    def deaf():
        del pc.bus.targets[0]
        yield Delay(900 * MS)
        pc.bus.targets[0] = target

    def hook(bus, data):
        yield DATA_IN, data[:5]
        yield FREE
        pc.bus.begin(OTHER_INITIATOR, deaf())
    target.data_hook = once(hook)
    reads_well(pc)


@pytest.mark.parametrize("udc", ["before", "with", "behind"])
def test_a_disk_that_is_taken_away_and_comes_back(pc, udc):
    """A selection time-out brings an unexpected disconnection with it."""
    pc.chip.time_out_udc = udc
    target = pc.bus.targets.pop(0)
    assert pc.read(0, 1).ah == TIMEOUT
    pc.bus.targets[0] = target
    lives_on(pc)


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_agreement_from_before_our_time_is_ended(variant):
    """A warm start may leave a disk synchronous and wide: its data would be
    garbage to us."""
    pc = new_pc(variant, {0: Disk(fast_and_wide=True)})
    reads_well(pc)


def test_a_change_of_the_bus_mode_is_a_reset(pc):
    """LVD chips report it some time after a software reset, and whenever
    somebody plugs in another device."""
    pc.chip.mode_change_ns = 3 * MS

    def hook(bus, data):
        yield DATA_IN, data[:5]
        pc.chip.raise_scsi(SBMC)
        yield HANG
    disk(pc).data_hook = once(hook)
    reads_well(pc)
    lives_on(pc)


# ---- Chips --------------------------------------------------------------------------------------


def test_a_program_that_does_nothing_times_out(pc):
    scripts = pc.chip.scripts
    start = scripts.start

    def stuck(address):
        scripts.running, scripts._steps = True, iter(())
    scripts.start = stuck
    assert pc.read(0, 1).ah == TIMEOUT
    scripts.start = start
    lives_on(pc)


def test_an_abort_without_an_answer_is_not_waited_for_for_ever(pc):
    chip, raise_dma = pc.chip, pc.chip.raise_dma

    def deaf(cause):
        if cause == D_ABRT:
            chip.scripts.stop()
        else:
            raise_dma(cause)
    chip.raise_dma = deaf
    disk(pc).data_hook = lambda bus, data: iter([HANG])
    assert pc.read(0, 1).ah == TIMEOUT
    chip.raise_dma = raise_dma
    lives_on(pc)


def test_a_clear_fifo_bit_that_sticks_is_not_waited_for_for_ever(pc):
    chip, read = pc.chip, pc.chip.read
    chip.read = lambda at: read(at) | (CLF if at == CTEST3 else 0)

    def session(bus):
        yield from disk(pc).message_out(bus)
        yield COMMAND, None
        yield STATUS, 0
        yield MSG_IN, COMPLETE
    disk(pc).session = session
    assert pc.read(0, 1).cf
    del disk(pc).session
    chip.read = read
    lives_on(pc)

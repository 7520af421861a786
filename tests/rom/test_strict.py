# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the shipped ROM on the strict virtual PC, with targets that follow SCSI and
targets that violate it. The model checks its rules during every call; see
tests/model.
"""

from __future__ import annotations

import pytest

from tests.model.bus import FREE, HANG, MSG_IN, RESET, Delay
from tests.model.devices import TimerInterrupt
from tests.model.faults import (UNUSABLE_SENSE, bad_phase, data_then, never_reconnects, once, phase_out, reselects_as,
                                short_command)
from tests.model.manners import (ODD_PIECES, OFFERS, command_again, identify_again, leaves_after_all, leaves_at,
                                 leaves_often, more_after_status, offers, restores_at, restores_to_saved)
from tests.model.pc import BUFFER, Pc
from tests.model.pc_cpu import CF, IF
from tests.model.target import (BUSY, CHECK_CONDITION, QUEUE_FULL, REJECT, RESERVATION_CONFLICT,
                                RESTORE, SAVE, Answer, Disk)
from tests.params import mostly_long
from tests.qemu.agent import header_value
from tests.rom.strict import (ANY_PC, BAD_COMMAND, OK, OVERRUN, READ_FAILED, SECOND, TIMEOUT, VARIANTS,
                              check_failure, check_read, check_recovery, disk, expected, new_pc,
                              simple_call)

# ---- POST ---------------------------------------------------------------------------


def test_post_finds_the_disks_with_the_fewest_commands(pc):
    assert "ID 0 LUN 0 BENCH STRICT DISK 32 MiB, 512-byte blocks" in pc.text
    assert "81h: SCSI 00:04.0 ID 3" in pc.text
    assert [c[0] for c in disk(pc).commands] == [0x12, 0x00, 0x03, 0x00, 0x25, 0x28]


def test_every_command_begins_with_one_identify(pc):
    check_read(pc)
    assert all(m in ([0x80], [0x81]) for m in disk(pc).messages), "POST also tries LUN 1"


def test_unused_ids_cost_one_selection_timeout_each(pc):
    other_ids = {"895A": 13, "810": 5}[pc.variant]
    assert pc.chip.now < (other_ids * 0.26 + 1) * SECOND


# ---- Valid target behaviour ----------------------------------------------------------


@pytest.mark.parametrize("save", [True, False], ids=["saved", "not-saved"])
@pytest.mark.parametrize("at", [0, 1, 511, 512, 513, 1535, 1536])
def test_disconnection_in_the_data_loses_nothing(pc, at, save):
    disk(pc).data_hook = leaves_at(disk(pc), at, save)
    check_read(pc)


def test_many_disconnections_with_odd_pieces(pc):
    disk(pc).data_hook = leaves_often(disk(pc), ODD_PIECES)
    check_read(pc)


def test_disconnection_without_save_after_all_data(pc):
    """All data has been transferred, whatever the saved pointer is."""
    disk(pc).data_hook = leaves_after_all(disk(pc))
    check_read(pc)
    assert sum(c[0] == 0x28 for c in disk(pc).commands) == 2, "one READ of POST and one of the call"


@pytest.mark.parametrize("at", [1, 700, 1536])
def test_data_after_restore_pointers_replaces_the_old(pc, at):
    disk(pc).data_hook = restores_at(at)
    check_read(pc)


def test_restore_pointers_resumes_at_the_saved_pointer(pc):
    disk(pc).data_hook = restores_to_saved
    check_read(pc)


@pytest.mark.parametrize("offer, answer", OFFERS.values(), ids=OFFERS)
@pytest.mark.parametrize("place", ["before_command", "before_status"])
def test_negotiation_messages_are_refused(pc, offer, answer, place):
    seen = []
    setattr(disk(pc), place, offers(offer, seen))
    check_read(pc)
    assert seen == answer


def test_target_may_ignore_atn(pc):
    disk(pc).ignores_atn = True
    check_read(pc)


@pytest.mark.parametrize("message", [REJECT, SAVE, RESTORE], ids=["reject", "save", "restore"])
def test_messages_before_the_command_are_accepted(pc, message):
    disk(pc).before_command = lambda bus: iter([(MSG_IN, message)])
    check_read(pc)


@pytest.mark.parametrize("taken", [1, 2, 4])
def test_incomplete_message_out_is_dropped(pc, taken):
    """The target offers SDTR, takes a part of the answer, and continues."""
    disk(pc).before_command = lambda bus: offers(OFFERS["SDTR"][0], [], taken)(bus)
    check_read(pc)


@pytest.mark.parametrize("taken", [1, 5, 9])
def test_incomplete_cdb_ends_with_the_status_of_the_target(pc, taken):
    """The target takes only a part of the CDB and reports ABORTED COMMAND."""
    disk(pc).session = short_command(disk(pc), taken, 0x28)
    assert pc.read(0, 1).ah == READ_FAILED
    del disk(pc).session
    check_recovery(pc)


def test_identify_is_repeated_on_request(pc):
    seen = []
    disk(pc).before_command = identify_again(seen)
    check_read(pc)
    assert seen == [(0x80, False)]


def test_cdb_is_repeated_on_request(pc):
    disk(pc).before_command = command_again
    check_read(pc)


def test_slow_target_is_waited_for(pc):
    def hook(bus, data):
        yield Delay(4 * SECOND)
        yield from Disk.data_in(data)
    disk(pc).data_hook = hook
    check_read(pc)


# ---- Status and sense data -------------------------------------------------------------


@pytest.mark.parametrize("status", [BUSY, QUEUE_FULL], ids=["busy", "queue-full"])
def test_busy_target_is_retried(any_pc, status):
    left = [status] * 7
    disk(any_pc).status_hook = lambda cdb: Answer(status=left.pop()) if left else None
    check_read(any_pc)
    assert not left


def test_permanently_busy_target_returns_aah(any_pc):
    disk(any_pc).status_hook = lambda cdb: Answer(status=BUSY)
    assert any_pc.read(0, 1).ah == 0xAA
    check_recovery(any_pc)


def test_reservation_conflict_is_not_retried(any_pc):
    disk(any_pc).status_hook = lambda cdb: Answer(status=RESERVATION_CONFLICT)
    before = len(disk(any_pc).commands)
    assert any_pc.read(0, 1).ah == 0xB3
    assert len(disk(any_pc).commands) == before + 1
    check_recovery(any_pc)


def test_several_unit_attentions_are_cleared(any_pc):
    disk(any_pc).attentions = [(6, 0x29, 0), (6, 0x28, 0), (6, 0x2A, 1)] * 3
    check_read(any_pc)


PAUSED = 51     # tries with pauses of 100 ms in 5 s, at most
# What a command's status and sense data mean is the same on all hardware.
silicon = pytest.mark.parametrize("any_pc", mostly_long(ANY_PC, *(("silicon", v) for v in VARIANTS)), ids="-".join,
                                  indirect=True)


@silicon
@pytest.mark.parametrize("key, asc, ascq, status, tries", [
    (0x2, 0x3A, 0, 0x31, 1), (0x2, 0x04, 3, 0xAA, 1), (0x3, 0x11, 0, 0x10, 1),
    (0x4, 0x44, 0, 0x20, 5), (0x5, 0x21, 0, 0x04, 1), (0x5, 0x20, 0, 0x01, 1),
    (0x7, 0x27, 0, 0x03, 1), (0x8, 0x00, 0, 0x04, 1), (0xB, 0x47, 0, 0x20, 5),
    (0x0, 0x00, 0, 0x20, 5), (0x9, 0x80, 0, 0x20, 1), (0xD, 0x00, 0, 0x20, 1),
    (0xE, 0x1D, 0, 0x20, 1), (0x6, 0x28, 0, 0x06, 17), (0x6, 0x29, 0, 0x20, 17),
    (0xA, 0x00, 0, 0x20, 1), (0xC, 0x00, 0, 0x20, 1), (0xF, 0x00, 0, 0x20, 1),
    (0x5, 0x24, 0, 0x01, 1), (0x2, 0x04, 1, 0xAA, PAUSED), (0x2, 0x04, 2, 0xAA, PAUSED),
    (0x2, 0x04, 0, 0xAA, PAUSED), (0x2, 0x00, 0, 0xAA, PAUSED)])
def test_each_sense_key_has_its_status(any_pc, key, asc, ascq, status, tries):
    target = disk(any_pc)
    target.status_hook = lambda cdb: target.check(key, asc, ascq) if cdb[0] == 0x28 else None
    before = sum(c[0] == 0x28 for c in target.commands)
    result = any_pc.read(0, 1)
    assert (result.ah, result.cf) == (status, True)
    sent = sum(c[0] == 0x28 for c in target.commands) - before
    assert sent == tries or tries == PAUSED and 48 <= sent <= PAUSED
    check_recovery(any_pc)


@pytest.mark.parametrize("length, status", [(0, READ_FAILED), (1000, READ_FAILED), (1536, 0)])
def test_recovered_error_is_a_success_if_all_data_arrived(any_pc, length, status):
    target = disk(any_pc)

    def hook(cdb):
        if cdb[0] == 0x28:
            answer = target.check(1, 0x17)
            return Answer(expected(any_pc, 1000, 3)[:length], answer.status)
        return None
    target.status_hook = hook
    result = any_pc.read(1000, 3)
    assert (result.ah, result.cf) == (status, status != 0)
    check_recovery(any_pc)


@silicon
@pytest.mark.parametrize("status", [0x04, 0x10, 0x14, 0x22, 0x30, 0x3E])
def test_other_statuses_are_retried_errors(any_pc, status):
    disk(any_pc).status_hook = lambda cdb: Answer(status=status) if cdb[0] == 0x28 else None
    before = len(disk(any_pc).commands)
    check_failure(any_pc, READ_FAILED)
    assert len(disk(any_pc).commands) == before + 5
    check_recovery(any_pc)


def test_reserved_bits_of_the_status_are_ignored(any_pc):
    """SCSI-1 devices may set them."""
    target = disk(any_pc)
    target.status_hook = lambda cdb: (Answer(expected(any_pc, 1000, 3), 0xC1) if cdb[0] == 0x28
                                      else None)
    check_read(any_pc)


def elapsed(pc, call) -> float:
    """The virtual time of a call in seconds."""
    begun = pc.chip.now
    call()
    return (pc.chip.now - begun) / SECOND


@pytest.mark.parametrize("status", [BUSY, QUEUE_FULL], ids=["busy", "queue-full"])
def test_busy_timeouts_have_their_length(any_pc, status):
    """5 s for a read, 2 s for AH=10h; clock reads may lengthen them."""
    disk(any_pc).status_hook = lambda cdb: Answer(status=status)
    assert 5 <= elapsed(any_pc, lambda: check_failure(any_pc, 0xAA)) < 8
    assert 2 <= elapsed(any_pc, lambda: any_pc.int13(ah=0x10, dl=0x80)) < 3.5


def test_start_unit_may_take_50_seconds(any_pc):
    target, stopped = disk(any_pc), [True]

    def before_status(bus):
        if target.commands[-1][0] == 0x1B:
            yield Delay(50 * SECOND)
            stopped.clear()
    target.status_hook = lambda cdb: (target.check(2, 4, 2) if stopped and cdb[0] != 0x1B
                                      else None)
    target.before_status = before_status
    assert 50 <= elapsed(any_pc, lambda: check_read(any_pc)) < 52
    assert sum(c[0] == 0x1B for c in target.commands) == 1


def test_stopped_disk_is_started(pc):
    target = disk(pc)
    stopped = [True]

    def hook(cdb):
        if cdb[0] == 0x1B and cdb[4] & 1:
            stopped.clear()
        return target.check(2, 4, 2) if stopped else None
    target.status_hook = hook
    check_read(pc)


def test_disk_becoming_ready_is_waited_for(any_pc):
    target = disk(any_pc)
    ready_at = any_pc.chip.now + 3 * SECOND
    target.status_hook = lambda cdb: (target.check(2, 4, 1) if any_pc.chip.now < ready_at else None)
    check_read(any_pc)


@silicon
@pytest.mark.parametrize("sense", UNUSABLE_SENSE.values(), ids=UNUSABLE_SENSE)
def test_unusable_sense_data_returns_ffh(any_pc, sense):
    target = disk(any_pc)
    target.status_hook = lambda cdb: Answer(status=CHECK_CONDITION) if cdb[0] == 0x28 else None
    target.sense_data = lambda: sense
    result = any_pc.read(0, 1)
    assert (result.ah, result.cf) == (0xFF, True)
    del target.sense_data
    check_recovery(any_pc)


# ---- Wrong amounts of data ---------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1535])
def test_short_data_is_an_error(any_pc, length):
    disk(any_pc).data_hook = lambda bus, data: Disk.data_in(data[:length])
    result = any_pc.read(0, 3)
    assert (result.ah, result.cf) == (READ_FAILED, True)
    assert any_pc.word(0x1002) == 0, "blocks done"
    check_recovery(any_pc)


@pytest.mark.parametrize("place", ["disconnect", "message"])
def test_short_data_is_an_error_if_more_events_follow_the_status(pc, place):
    target = disk(pc)
    target.session = more_after_status(target, place)
    check_read(pc)
    target.data_hook = lambda bus, data: Disk.data_in(data[:700])
    check_failure(pc, READ_FAILED)
    del target.session
    check_recovery(pc)


def test_data_revoked_by_restore_pointers_is_an_error(any_pc):
    """The target sends all data, RESTORE POINTERS, and GOOD without the data again."""
    def hook(bus, data):
        yield from Disk.data_in(data)
        yield MSG_IN, RESTORE
    disk(any_pc).data_hook = hook
    result = any_pc.read(0, 3)
    assert (result.ah, result.cf) == (READ_FAILED, True)
    check_recovery(any_pc)


def test_short_data_is_retried(any_pc):
    disk(any_pc).data_hook = once(lambda bus, data: Disk.data_in(data[:100]))
    check_read(any_pc)


@pytest.mark.parametrize("extra", [1, 2, 512, 4000])
def test_excess_data_is_discarded_and_an_error(any_pc, extra):
    disk(any_pc).data_hook = lambda bus, data: Disk.data_in(data + b"\xBB" * extra)
    result = any_pc.read(0, 3)
    gives_up = any_pc.hardware == "qemu-7.2.0" and extra == 4000     # instruction limit
    assert (result.ah, result.cf) == (READ_FAILED if gives_up else OVERRUN, True)
    check_recovery(any_pc)


# ---- Protocol violations -----------------------------------------------------------------


BROKEN = {
    "data out": (phase_out, READ_FAILED),
    "reserved phase": (bad_phase, READ_FAILED),
    "bus free before the data": (lambda bus, data: iter([FREE]), READ_FAILED),
    "bus reset": (lambda bus, data: iter([RESET]), READ_FAILED),
    "hang before the data": (lambda bus, data: iter([HANG]), TIMEOUT),
}


@pytest.mark.parametrize("hook, status", BROKEN.values(), ids=BROKEN.keys())
def test_protocol_violation_returns_a_status_and_the_bus_recovers(pc, hook, status):
    disk(pc).data_hook = hook
    pc.poke(BUFFER, b"\xEE" * 512)
    result = pc.read(0, 1)
    assert (result.ah, result.cf) == (status, True)
    check_recovery(pc)


@pytest.mark.parametrize("hook", [h for h, s in BROKEN.values() if s != TIMEOUT],
                         ids=[k for k, (_, s) in BROKEN.items() if s != TIMEOUT])
def test_single_protocol_violation_is_retried(pc, hook):
    disk(pc).data_hook = once(hook)
    check_read(pc)


@pytest.mark.parametrize("at", [1, 300, 512, 1000])
@pytest.mark.parametrize("event", [FREE, HANG, RESET], ids=repr)
def test_fault_in_the_middle_of_the_data(pc, event, at):
    disk(pc).data_hook = data_then(at, event)
    result = pc.read(0, 3)
    assert (result.ah, result.cf) == (TIMEOUT if event is HANG else READ_FAILED, True)
    check_recovery(pc)


@pytest.mark.parametrize("phase", ["before_command", "before_status"])
@pytest.mark.parametrize("event", [FREE, HANG, RESET], ids=repr)
def test_fault_in_other_phases(pc, event, phase):
    setattr(disk(pc), phase, lambda bus: iter([event]))
    result = pc.read(0, 1)
    assert (result.ah, result.cf) == (TIMEOUT if event is HANG else READ_FAILED, True)
    check_recovery(pc)


def test_reselection_by_another_target_transfers_no_data(pc):
    disk(pc).data_hook = reselects_as(5, [0x80], b"\xBB" * 512)
    pc.poke(BUFFER, b"\xEE" * 512)
    assert pc.read(0, 1).ah == READ_FAILED
    assert pc.peek(BUFFER, 512) == b"\xEE" * 512
    check_recovery(pc)


def test_disconnected_target_that_never_reselects_times_out(pc):
    disk(pc).data_hook = never_reconnects(save=False)
    assert pc.read(0, 1).ah == TIMEOUT
    check_recovery(pc)


def test_bus_stuck_busy_times_out(pc):
    pc.bus.stuck_busy = True
    assert pc.read(0, 1).ah == TIMEOUT
    pc.bus.stuck_busy = False
    check_recovery(pc)


def test_bus_held_in_reset_is_an_error(pc):
    pc.bus.stuck_reset = True
    assert pc.read(0, 1).cf
    pc.bus.stuck_reset = False
    check_recovery(pc)


def test_call_is_marked_busy_only_while_it_runs(pc):
    """The mark refuses calls from interrupt handlers (rom/entry.S)."""
    mark = pc.workspace.start + header_value("WS_BUSY")
    seen = []

    def hook(bus, data):
        seen.append(pc.peek(mark, 1)[0] & 1)
        yield from Disk.data_in(data)
    disk(pc).data_hook = hook
    check_read(pc)
    assert (seen, pc.peek(mark, 1)[0] & 1) == ([1], 0)


# ---- Calls with interrupts enabled -------------------------------------------------------
# Another INT 13h hook passes calls on by PUSHF and CALL, perhaps after STI.


@pytest.fixture(params=VARIANTS)
def ticking(request) -> Pc:
    """A machine with IRQ0, whose handler reads the 8254."""
    return new_pc(request.param, {0: Disk(), 3: Disk()}, timer=TimerInterrupt("alive"))


def test_interrupt_never_runs_on_the_rom_stack(ticking):
    """An interrupt at any instruction runs on the caller's stack or is delayed."""
    for n in [*range(1, 80), *range(80, 600, 13)]:
        ticks, ticking.irq0_after = ticking.timer.ticks, n
        assert simple_call(ticking, 0x10, far_call=True).ah == OK
        assert ticking.timer.ticks > ticks


def test_interrupts_are_delayed_between_port_accesses(ticking):
    """An interrupt handler cannot read the 8254 between two reads by the ROM."""
    for ns in range(0, 40_000, 350):
        ticks, ticking.timer.due_at = ticking.timer.ticks, ticking.chip.now + ns
        check_read(ticking, far_call=True)
        assert ticking.timer.ticks > ticks


@pytest.mark.parametrize("flags", [0, IF, CF, IF | CF], ids=hex)
@pytest.mark.parametrize("far_call", [False, True], ids=["INT", "CALL"])
def test_passed_on_call_keeps_if_and_cf(pc, far_call, flags):
    for function in (0x02, 0x42):
        pc.bios.passed_on.clear()
        assert pc.int13(ah=function, dl=0x82, flags=flags, far_call=far_call).ah == BAD_COMMAND
        if_passed = flags & IF if far_call else 0
        assert [r["eflags"] & (IF | CF) for r in pc.bios.passed_on] == [if_passed | flags & CF]


def test_stack_reserve_is_never_used(pc):
    """The lowest stack bytes are as init left them."""
    check_read(pc)
    low = pc.workspace.start
    assert pc.peek(low, 4) == b"tack"
    assert pc.peek(low + 4, 100) == bytes(100)

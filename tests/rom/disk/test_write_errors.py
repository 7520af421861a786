# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: what the disk answers to a read, write, verify or seek, and what it
does with the data. What is counted as good is good.
"""

from __future__ import annotations

import pytest

from tests.model.bus import DATA_OUT, FREE, MSG_IN, MSG_OUT, STATUS, Bad, Delay
from tests.model.pc import BUFFER
from tests.model.target import (BUSY, COMPLETE, QUEUE_FULL, READ10, REJECT, RESERVATION_CONFLICT,
                                RESTORE, SAVE, SEEK10, VERIFY10, WRITE10, Answer, Disk, blocks_of)
from tests.rom.disk.transfers import (COUNT, LBA, MOVING, READS, SEEKS, VERIFIES, WRITES, blocks,
                                      moving, taking, with_information, write, writing,
                                      written_well)
from tests.rom.strict import (BAD_SECTOR, CONTROLLER, NOT_READY, OK, SECOND, TIMEOUT, WRITE_FAULT,
                              WRITE_PROTECTED, disk, expected, fresh, hexadecimal, lives_on,
                              opcodes, transfer)

ALL = (*MOVING, *SEEKS)
COMMAND_OF = {**dict.fromkeys(READS, READ10), **dict.fromkeys(WRITES, WRITE10),
              **dict.fromkeys(VERIFIES, VERIFY10), **dict.fromkeys(SEEKS, SEEK10)}

functions = pytest.mark.parametrize("function", ALL, ids=hexadecimal)


def writes_well(pc) -> None:
    """A write succeeds, and the disk has it all."""
    assert write(pc) == (OK, COUNT)
    written_well(pc)


def write_fails(pc, status: int) -> None:
    """No block counts as good."""
    assert write(pc) == (status, 0)


# ---- What the disk says ----------------------------------------------------------------


@writing
@pytest.mark.parametrize("al", [0, 2])
def test_a_write_protected_disk_is_named_and_still_read(any_pc, function, al):
    if function == 0x03 and al:
        al = 0      # AL is a count there
    disk(any_pc).write_protected = True
    assert write(any_pc, function, **({"al": al} if al else {})) == (WRITE_PROTECTED, 0)
    assert disk(any_pc).written == {}
    assert transfer(any_pc, 0x44, LBA, COUNT) == (OK, COUNT)
    lives_on(any_pc)


@pytest.mark.parametrize("valid", [True, False], ids=["valid", "invalid"])
@pytest.mark.parametrize("bad", [0, 1, 5, 9])
@moving
def test_sectors_before_a_bad_one_are_good_if_the_disk_names_it(pc, function, bad, valid):
    target = disk(pc)
    target.bad_blocks = {LBA + bad: (3, 0x11, 0, valid)}
    data = fresh(7, 10)
    pc.poke(BUFFER, data)
    status = WRITE_FAULT if function in WRITES else BAD_SECTOR
    assert transfer(pc, function, LBA, 10) == (status, bad if valid else 0)
    if function in READS and valid:
        assert pc.peek(BUFFER, bad * 512) == expected(pc, LBA, bad)
    assert target.written.items() <= blocks(LBA, data).items()
    target.bad_blocks = {}
    lives_on(pc)


@pytest.mark.parametrize("valid", [True, False], ids=["valid", "invalid"])
@pytest.mark.parametrize("bad", [0, 126, 127, 128, 150, 199])
@pytest.mark.parametrize("function", [0x42, 0x43, 0x44], ids=hexadecimal)
def test_commands_before_a_failed_one_count(pc, function, bad, valid):
    target = disk(pc)
    target.bad_blocks = {LBA + bad: (3, 0x11, 0, valid)}
    data, since = fresh(8, 200), len(target.commands)
    pc.poke(BUFFER, data)
    status, good = transfer(pc, function, LBA, 200)
    assert status == (WRITE_FAULT if function in WRITES else BAD_SECTOR)
    failed = [c for c in target.commands[since:] if c[0] == COMMAND_OF[function]][-1]
    whole = blocks_of(failed)[0] - LBA
    assert whole <= bad and good == (bad if valid else whole)
    if function == 0x43:
        assert all(target.written[LBA + i] == data[i * 512:][:512] for i in range(good))
    if function == 0x42:
        assert pc.peek(BUFFER, good * 512) == expected(pc, LBA, good)


@pytest.mark.parametrize("function", [0x03, 0x04, 0x43, 0x44], ids=hexadecimal)
@pytest.mark.parametrize("information", [0, LBA - 1, LBA + 10, LBA + 11, 2**32 - 1])
def test_a_bad_block_outside_the_range_is_not_believed(pc, function, information):
    target, opcode = disk(pc), COMMAND_OF[function]
    target.status_hook = lambda cdb: (with_information(target, (3, 0x11, 0), information)
                                      if cdb[0] == opcode else None)
    status = WRITE_FAULT if function in WRITES else BAD_SECTOR
    assert transfer(pc, function, LBA, 10) == (status, 0)


@pytest.mark.parametrize("arrived, named, good", [
    (0, 5, 0), (511, 5, 0), (512, 5, 1), (1800, 5, 3), (5 * 512, 5, 5), (10 * 512, 5, 5),
    (10 * 512, 9, 9), (10 * 512, 0, 0), (3 * 512, 10, 0)])
def test_only_sectors_that_arrived_are_good(any_pc, arrived, named, good):
    pc, target = any_pc, disk(any_pc)
    target.status_hook = lambda cdb: (with_information(
        target, (3, 0x11, 0), LBA + named, expected(pc, LBA, 10)[:arrived])
        if cdb[0] == READ10 else None)
    for function in READS:
        assert transfer(pc, function, LBA, 10) == (BAD_SECTOR, good)
        assert pc.peek(BUFFER, good * 512) == expected(pc, LBA, good)
    target.status_hook = None
    lives_on(pc)


@pytest.mark.parametrize("function", [0x03, 0x04, 0x43, 0x44], ids=hexadecimal)
@pytest.mark.parametrize("code, status, good", [(0xF0, CONTROLLER, 1), (0xF1, CONTROLLER, 0),
                                                (0x70, CONTROLLER, 0)],
                         ids=["current", "deferred", "not valid"])
def test_a_hardware_error_that_names_a_block(pc, function, code, status, good):
    """A deferred error is one of another command."""
    target, opcode = disk(pc), COMMAND_OF[function]
    target.status_hook = lambda cdb: (
        taking(cdb, with_information(target, (4, 0x44, 0), LBA + 1, code=code))
        if cdb[0] == opcode else None)
    assert transfer(pc, function, LBA, 3) == (status, good)
    target.status_hook = None
    lives_on(pc)


@writing
@pytest.mark.parametrize("taken, good", [(0, 0), (511, 0), (512, 1), (1023, 1), (1024, 2), (1536, 2)])
def test_what_was_not_taken_is_not_good(pc, function, taken, good):
    """Whatever block the disk blames."""
    target = disk(pc)
    target.status_hook = lambda cdb: (
        taking(cdb, with_information(target, (3, 0x0C, 0), LBA + 2)) if cdb[0] == WRITE10 else None)
    target.write_hook = lambda bus, count: target.data_out(taken)
    assert write(pc, function) == (WRITE_FAULT, good)


@pytest.mark.parametrize("key, asc, ascq, status, tries", [
    (0x2, 0x3A, 0, 0x31, 1), (0x2, 0x04, 3, 0xAA, 1), (0x3, 0x0C, 0, 0xCC, 1),
    (0x4, 0x44, 0, 0x20, 5), (0x5, 0x21, 0, 0x04, 1), (0x5, 0x20, 0, 0x01, 1),
    (0x5, 0x24, 0, 0x01, 1), (0x7, 0x27, 0, 0x03, 1), (0x7, 0x00, 0, 0x03, 1),
    (0x8, 0x00, 0, 0x04, 1), (0xB, 0x47, 0, 0x20, 5), (0x0, 0x00, 0, 0x20, 5),
    (0x6, 0x28, 0, 0x06, 17), (0x6, 0x29, 0, 0x20, 17), (0x9, 0x80, 0, 0x20, 1),
    (0xD, 0x00, 0, 0x20, 1), (0x2, 0x04, 1, 0xAA, 51), (0x2, 0x04, 2, 0xAA, 51)])
def test_each_sense_key_of_a_write_has_its_status(any_pc, key, asc, ascq, status, tries):
    target = disk(any_pc)
    target.status_hook = lambda cdb: target.check(key, asc, ascq) if cdb[0] == WRITE10 else None
    since = len(target.commands)
    write_fails(any_pc, status)
    assert opcodes(target, since).count(WRITE10) == tries
    lives_on(any_pc)
    assert target.written == {}


@pytest.mark.parametrize("answer", [BUSY, QUEUE_FULL], ids=["BUSY", "QUEUE FULL"])
def test_a_write_is_sent_again_to_a_busy_disk(any_pc, answer):
    left = [answer] * 7
    disk(any_pc).status_hook = lambda cdb: Answer(status=left.pop()) if left else None
    writes_well(any_pc)
    disk(any_pc).status_hook = lambda cdb: Answer(status=answer)
    write_fails(any_pc, NOT_READY)


def test_a_reserved_disk_is_not_written_to(any_pc):
    disk(any_pc).status_hook = lambda cdb: Answer(status=RESERVATION_CONFLICT)
    since = len(disk(any_pc).commands)
    write_fails(any_pc, 0xB3)
    assert opcodes(disk(any_pc), since) == [WRITE10]
    lives_on(any_pc)


@moving
def test_unit_attentions_of_a_fixed_disk_are_drained(any_pc, function):
    disk(any_pc).attentions = [(6, 0x29, 0), (6, 0x28, 0), (6, 0x2A, 1)] * 3
    assert transfer(any_pc, function, LBA, COUNT) == (OK, COUNT)


def test_a_recovered_error_is_a_success_if_the_disk_took_the_data(pc):
    target = disk(pc)

    def recovered(bus):
        if target.commands[-1][0] == WRITE10:
            yield STATUS, target.check(1, 0x17).status
            yield MSG_IN, COMPLETE
            yield FREE
    target.before_status = recovered
    since = len(target.commands)
    writes_well(pc)
    assert opcodes(target, since) == [WRITE10, 0x03]


@pytest.mark.parametrize("function", SEEKS, ids=hexadecimal)
def test_a_seek_that_fails_says_so(any_pc, function):
    target = disk(any_pc)
    target.status_hook = lambda cdb: target.check(3, 0x02) if cdb[0] == SEEK10 else None
    assert transfer(any_pc, function, LBA).status == BAD_SECTOR
    lives_on(any_pc)


@functions
def test_a_disk_that_is_gone_is_a_time_out(pc, function):
    target = pc.bus.targets.pop(0)
    assert transfer(pc, function, LBA, COUNT) == (TIMEOUT, None if function in SEEKS else 0)
    pc.bus.targets[0] = target
    lives_on(pc)


# ---- What the target does with the data ------------------------------------------------


@pytest.mark.parametrize("save", [True, False], ids=["saved", "not-saved"])
def test_disconnecting_at_every_odd_place_of_a_write_loses_nothing(pc, save):
    """Without SAVE DATA POINTER the target takes all of it again."""
    target = disk(pc)

    def leaves_at(at):
        def hook(bus, count):
            first = yield from Disk.data_out(at)
            yield from target.disconnect(save)
            kept = first if save else b""
            return kept + (yield from Disk.data_out(count - len(kept)))
        return hook
    for at in [*range(1, COUNT * 512, 2), 0, 512, 1024, COUNT * 512]:
        target.write_hook = leaves_at(at)
        target.written.clear()
        writes_well(pc)


def test_a_write_in_odd_pieces(pc):
    target = disk(pc)

    def hook(bus, count):
        taken = b""
        for size in [1, 2, 3, 5, 7, 11, 101, 400, 3, 1]:
            taken += yield from Disk.data_out(size)
            yield from target.disconnect()
        return taken + (yield from Disk.data_out(count - len(taken)))
    target.write_hook = hook
    writes_well(pc)


@pytest.mark.parametrize("saved", [0, 1, 600, 1024])
@pytest.mark.parametrize("at", [1, 511, 512])
def test_restore_pointers_takes_the_data_again(pc, saved, at):
    """From the saved place, which is the start if there is none."""
    def hook(bus, count):
        first = yield from Disk.data_out(saved)
        if saved:
            yield MSG_IN, SAVE
        yield from Disk.data_out(at)
        yield MSG_IN, RESTORE
        return first + (yield from Disk.data_out(count - saved))
    disk(pc).write_hook = hook
    writes_well(pc)


def test_messages_in_the_data_of_a_write_change_nothing(pc):
    """An offer of SDTR is answered with offset 0."""
    seen = []

    def hook(bus, count):
        first = yield from Disk.data_out(700)
        for byte in [1, 3, 1, 25, 15]:
            yield MSG_IN, byte
        while bus.atn:
            seen.append((yield MSG_OUT, None))
        return first + (yield from Disk.data_out(count - 700))
    disk(pc).write_hook = hook
    writes_well(pc)
    assert seen == [1, 3, 1, 25, 0]


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1535])
def test_a_disk_that_takes_too_little_has_not_written(any_pc, length):
    target = disk(any_pc)
    target.write_hook = lambda bus, count: Disk.data_out(length)
    for function in WRITES:
        assert write(any_pc, function) == (CONTROLLER, 0)
    lives_on(any_pc)


def test_a_disk_that_took_too_little_once_gets_it_again(any_pc):
    lengths = [100, COUNT * 512]
    disk(any_pc).write_hook = lambda bus, count: Disk.data_out(lengths.pop(0))
    writes_well(any_pc)
    assert lengths == []


@pytest.mark.parametrize("place", ["at once", "after a disconnect"])
def test_data_out_is_never_made_up(pc, place):
    """A target that asks for more than there is gets a bus reset."""
    made_up, target = [], disk(pc)

    def hook(bus, count):
        data = yield from Disk.data_out(count)
        if place != "at once":
            yield from target.disconnect()
        made_up.append((yield DATA_OUT, None))
        return data
    target.write_hook = hook
    write_fails(pc, CONTROLLER)
    assert made_up == [] and target.written == {}
    lives_on(pc)


@pytest.mark.parametrize("function", [0x04, 0x44, 0x0C, 0x47, 0x10], ids=hexadecimal)
def test_no_data_is_given_to_a_command_that_has_none(pc, function):
    made_up = []

    def hook(bus):
        made_up.append((yield DATA_OUT, None))
    disk(pc).before_status = hook
    status = (pc.int13(ah=0x10, dl=0x80).ah if function == 0x10
              else transfer(pc, function, LBA, 1).status)
    assert (status, made_up) == (CONTROLLER, [])
    lives_on(pc)


@pytest.mark.parametrize("event", [Bad(STATUS, 0), Bad(MSG_IN, REJECT)], ids=["status", "message"])
def test_bad_parity_once_behind_a_write_is_not_seen_by_the_caller(pc, event):
    left = [event]

    def hook(bus):
        if left:
            yield left.pop()
            yield MSG_IN, COMPLETE
            yield FREE
    disk(pc).before_status = hook
    writes_well(pc)
    lives_on(pc)


def test_a_slow_write_is_waited_for(pc):
    disk(pc).before_status = lambda bus: iter([Delay(4 * SECOND)])
    writes_well(pc)

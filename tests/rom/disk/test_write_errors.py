# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: error responses to reads, writes, verifies and seeks, and how targets
take the data. Sectors that are counted as good must be good.
"""

from __future__ import annotations

import pytest

from tests.model.bus import DATA_OUT, FREE, MSG_IN, STATUS, Bad, Delay
from tests.model.faults import in_pieces
from tests.model.manners import ODD_PIECES, OFFERS, offers_in_write, takes_again
from tests.model.pc import BUFFER
from tests.model.target import (BUSY, COMPLETE, QUEUE_FULL, READ10, REJECT, RESERVATION_CONFLICT,
                                SEEK10, VERIFY10, WRITE10, Answer, Disk, blocks_of)
from tests.rom.disk.transfers import (COUNT, LBA, MOVING, READS, SEEKS, VERIFIES, WRITES,
                                      after_data, blocks, check_written, moving, with_information,
                                      write, writing)
from tests.rom.strict import (BAD_SECTOR, CONTROLLER, NOT_READY, OK, SECOND, TIMEOUT, WRITE_FAULT,
                              WRITE_PROTECTED, check_recovery, disk, expected, hexadecimal,
                              new_data, opcodes, transfer)

ALL = (*MOVING, *SEEKS)
COMMAND_OF = {**dict.fromkeys(READS, READ10), **dict.fromkeys(WRITES, WRITE10),
              **dict.fromkeys(VERIFIES, VERIFY10), **dict.fromkeys(SEEKS, SEEK10)}

functions = pytest.mark.parametrize("function", ALL, ids=hexadecimal)


def check_write(pc) -> None:
    """A write succeeds, and the disk has stored all data."""
    assert write(pc) == (OK, COUNT)
    check_written(pc)


def check_write_failure(pc, status: int) -> None:
    """A write fails with this status and no good block."""
    assert write(pc) == (status, 0)


# ---- Status and sense data -----------------------------------------------------------------


@writing
@pytest.mark.parametrize("al", [0, 2])
def test_write_protected_disk_returns_03h_and_can_be_read(any_pc, function, al):
    if function == 0x03 and al:
        al = 0      # AL of 03h is a count
    disk(any_pc).write_protected = True
    assert write(any_pc, function, **({"al": al} if al else {})) == (WRITE_PROTECTED, 0)
    assert disk(any_pc).written == {}
    assert transfer(any_pc, 0x44, LBA, COUNT) == (OK, COUNT)
    check_recovery(any_pc)


@pytest.mark.parametrize("valid", [True, False], ids=["valid", "invalid"])
@pytest.mark.parametrize("bad", [0, 1, 5, 9])
@moving
def test_sectors_before_a_named_bad_block_are_counted(pc, function, bad, valid):
    target = disk(pc)
    target.bad_blocks = {LBA + bad: (3, 0x11, 0, valid)}
    data = new_data(7, 10)
    pc.poke(BUFFER, data)
    status = WRITE_FAULT if function in WRITES else BAD_SECTOR
    assert transfer(pc, function, LBA, 10) == (status, bad if valid else 0)
    if function in READS and valid:
        assert pc.peek(BUFFER, bad * 512) == expected(pc, LBA, bad)
    assert target.written.items() <= blocks(LBA, data).items()
    target.bad_blocks = {}
    check_recovery(pc)


@pytest.mark.parametrize("valid", [True, False], ids=["valid", "invalid"])
@pytest.mark.parametrize("bad", [0, 126, 127, 128, 150, 199])
@pytest.mark.parametrize("function", [0x42, 0x43, 0x44], ids=hexadecimal)
def test_sectors_of_earlier_commands_are_counted(pc, function, bad, valid):
    target = disk(pc)
    target.bad_blocks = {LBA + bad: (3, 0x11, 0, valid)}
    data, since = new_data(8, 200), len(target.commands)
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
def test_named_block_outside_the_range_is_ignored(pc, function, information):
    target, opcode = disk(pc), COMMAND_OF[function]
    target.status_hook = lambda cdb: (with_information(target, (3, 0x11, 0), information)
                                      if cdb[0] == opcode else None)
    status = WRITE_FAULT if function in WRITES else BAD_SECTOR
    assert transfer(pc, function, LBA, 10) == (status, 0)


@pytest.mark.parametrize("arrived, named, good", [
    (0, 5, 0), (511, 5, 0), (512, 5, 1), (1800, 5, 3), (5 * 512, 5, 5), (10 * 512, 5, 5),
    (10 * 512, 9, 9), (10 * 512, 0, 0), (3 * 512, 10, 0)])
def test_only_received_sectors_are_counted(any_pc, arrived, named, good):
    pc, target = any_pc, disk(any_pc)
    target.status_hook = lambda cdb: (with_information(
        target, (3, 0x11, 0), LBA + named, expected(pc, LBA, 10)[:arrived])
        if cdb[0] == READ10 else None)
    for function in READS:
        assert transfer(pc, function, LBA, 10) == (BAD_SECTOR, good)
        assert pc.peek(BUFFER, good * 512) == expected(pc, LBA, good)
    target.status_hook = None
    check_recovery(pc)


@pytest.mark.parametrize("function", [0x03, 0x04, 0x43, 0x44], ids=hexadecimal)
@pytest.mark.parametrize("code, status, good", [(0xF0, CONTROLLER, 1), (0xF1, CONTROLLER, 0),
                                                (0x70, CONTROLLER, 0)],
                         ids=["current", "deferred", "not valid"])
def test_hardware_error_with_a_named_block(pc, function, code, status, good):
    """A deferred error belongs to another command."""
    target, opcode = disk(pc), COMMAND_OF[function]
    target.status_hook = lambda cdb: (
        after_data(cdb, with_information(target, (4, 0x44, 0), LBA + 1, code=code))
        if cdb[0] == opcode else None)
    assert transfer(pc, function, LBA, 3) == (status, good)
    target.status_hook = None
    check_recovery(pc)


@writing
@pytest.mark.parametrize("taken, good", [(0, 0), (511, 0), (512, 1), (1023, 1), (1024, 2), (1536, 2)])
def test_only_taken_sectors_are_counted(pc, function, taken, good):
    """The disk always names the third block."""
    target = disk(pc)
    target.status_hook = lambda cdb: (
        after_data(cdb, with_information(target, (3, 0x0C, 0), LBA + 2)) if cdb[0] == WRITE10 else None)
    target.write_hook = lambda bus, count: target.data_out(taken)
    assert write(pc, function) == (WRITE_FAULT, good)


PAUSED = 51     # tries with pauses of 100 ms in 5 s, at most


@pytest.mark.parametrize("key, asc, ascq, status, tries", [
    (0x2, 0x3A, 0, 0x31, 1), (0x2, 0x04, 3, 0xAA, 1), (0x3, 0x0C, 0, 0xCC, 1),
    (0x4, 0x44, 0, 0x20, 5), (0x5, 0x21, 0, 0x04, 1), (0x5, 0x20, 0, 0x01, 1),
    (0x5, 0x24, 0, 0x01, 1), (0x7, 0x27, 0, 0x03, 1), (0x7, 0x00, 0, 0x03, 1),
    (0x8, 0x00, 0, 0x04, 1), (0xB, 0x47, 0, 0x20, 5), (0x0, 0x00, 0, 0x20, 5),
    (0x6, 0x28, 0, 0x06, 17), (0x6, 0x29, 0, 0x20, 17), (0x9, 0x80, 0, 0x20, 1),
    (0xD, 0x00, 0, 0x20, 1), (0x2, 0x04, 1, 0xAA, PAUSED), (0x2, 0x04, 2, 0xAA, PAUSED)])
def test_each_sense_key_of_a_write_has_its_status(any_pc, key, asc, ascq, status, tries):
    target = disk(any_pc)
    target.status_hook = lambda cdb: target.check(key, asc, ascq) if cdb[0] == WRITE10 else None
    since = len(target.commands)
    check_write_failure(any_pc, status)
    sent = opcodes(target, since).count(WRITE10)
    assert sent == tries or tries == PAUSED and 48 <= sent <= PAUSED
    check_recovery(any_pc)
    assert target.written == {}


@pytest.mark.parametrize("answer", [BUSY, QUEUE_FULL], ids=["BUSY", "QUEUE FULL"])
def test_write_to_a_busy_disk_is_retried(any_pc, answer):
    left = [answer] * 7
    disk(any_pc).status_hook = lambda cdb: Answer(status=left.pop()) if left else None
    check_write(any_pc)
    disk(any_pc).status_hook = lambda cdb: Answer(status=answer)
    check_write_failure(any_pc, NOT_READY)


def test_reservation_conflict_is_not_retried(any_pc):
    disk(any_pc).status_hook = lambda cdb: Answer(status=RESERVATION_CONFLICT)
    since = len(disk(any_pc).commands)
    check_write_failure(any_pc, 0xB3)
    assert opcodes(disk(any_pc), since) == [WRITE10]
    check_recovery(any_pc)


@moving
def test_unit_attentions_of_a_fixed_disk_are_cleared(any_pc, function):
    disk(any_pc).attentions = [(6, 0x29, 0), (6, 0x28, 0), (6, 0x2A, 1)] * 3
    assert transfer(any_pc, function, LBA, COUNT) == (OK, COUNT)


def test_recovered_error_is_a_success_if_all_data_was_taken(pc):
    target = disk(pc)

    def recovered(bus):
        if target.commands[-1][0] == WRITE10:
            yield STATUS, target.check(1, 0x17).status
            yield MSG_IN, COMPLETE
            yield FREE
    target.before_status = recovered
    since = len(target.commands)
    check_write(pc)
    assert opcodes(target, since) == [WRITE10, 0x03]


@pytest.mark.parametrize("function", SEEKS, ids=hexadecimal)
def test_failed_seek_returns_its_status(any_pc, function):
    target = disk(any_pc)
    target.status_hook = lambda cdb: target.check(3, 0x02) if cdb[0] == SEEK10 else None
    assert transfer(any_pc, function, LBA).status == BAD_SECTOR
    check_recovery(any_pc)


@functions
def test_missing_disk_returns_80h(pc, function):
    target = pc.bus.targets.pop(0)
    assert transfer(pc, function, LBA, COUNT) == (TIMEOUT, None if function in SEEKS else 0)
    pc.bus.targets[0] = target
    check_recovery(pc)


# ---- Data phases ---------------------------------------------------------------------------


@pytest.mark.parametrize("save", [True, False], ids=["saved", "not-saved"])
def test_disconnection_at_any_place_of_a_write(pc, save):
    """Without SAVE DATA POINTER the target takes all data again."""
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
        check_write(pc)


def test_write_in_odd_pieces(pc):
    disk(pc).write_hook = in_pieces(disk(pc), ODD_PIECES)
    check_write(pc)


@pytest.mark.parametrize("saved", [0, 1, 600, 1024])
@pytest.mark.parametrize("at", [1, 511, 512])
def test_restore_pointers_sends_the_data_again(pc, saved, at):
    disk(pc).write_hook = takes_again(saved, at)
    check_write(pc)


def test_sdtr_in_the_data_of_a_write_is_answered(pc):
    """The answer to SDTR has offset 0."""
    offer, answer = OFFERS["SDTR"]
    seen = []
    disk(pc).write_hook = offers_in_write(offer, seen)
    check_write(pc)
    assert seen == answer


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1535])
def test_write_with_too_little_data_taken_is_an_error(any_pc, length):
    target = disk(any_pc)
    target.write_hook = lambda bus, count: Disk.data_out(length)
    for function in WRITES:
        assert write(any_pc, function) == (CONTROLLER, 0)
    check_recovery(any_pc)


def test_write_with_too_little_data_taken_is_retried(any_pc):
    lengths = [100, COUNT * 512]
    disk(any_pc).write_hook = lambda bus, count: Disk.data_out(lengths.pop(0))
    check_write(any_pc)
    assert lengths == []


@pytest.mark.parametrize("place", ["at once", "after a disconnect"])
def test_excess_data_out_is_never_invented(pc, place):
    """A target that requests more data than the command has causes a bus reset."""
    invented, target = [], disk(pc)

    def hook(bus, count):
        data = yield from Disk.data_out(count)
        if place != "at once":
            yield from target.disconnect()
        invented.append((yield DATA_OUT, None))
        return data
    target.write_hook = hook
    check_write_failure(pc, CONTROLLER)
    assert invented == [] and target.written == {}
    check_recovery(pc)


@pytest.mark.parametrize("function", [0x04, 0x44, 0x0C, 0x47, 0x10], ids=hexadecimal)
def test_command_without_data_sends_no_data_out(pc, function):
    invented = []

    def hook(bus):
        invented.append((yield DATA_OUT, None))
    disk(pc).before_status = hook
    status = (pc.int13(ah=0x10, dl=0x80).ah if function == 0x10
              else transfer(pc, function, LBA, 1).status)
    assert (status, invented) == (CONTROLLER, [])
    check_recovery(pc)


@pytest.mark.parametrize("event", [Bad(STATUS, 0), Bad(MSG_IN, REJECT)], ids=["status", "message"])
def test_single_parity_error_after_a_write_is_retried(pc, event):
    left = [event]

    def hook(bus):
        if left:
            yield left.pop()
            yield MSG_IN, COMPLETE
            yield FREE
    disk(pc).before_status = hook
    check_write(pc)
    check_recovery(pc)


def test_slow_write_is_waited_for(pc):
    disk(pc).before_status = lambda bus: iter([Delay(4 * SECOND)])
    check_write(pc)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: faults and disconnections on disks with blocks of 1024, 2048 and 4096
bytes.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.model.bus import FREE, HANG, RESET, STATUS
from tests.model.faults import FaultAt
from tests.model.pc import BUFFER, Pc
from tests.model.target import READ10, WRITE10, Answer, Disk, blocks_of
from tests.rom.disk.block_disks import (READS, VERIFIES, WRITES, Write, check_read, large_disk,
                                        sectors, with_blocks)
from tests.rom.strict import (BAD_SECTOR, CONTROLLER, OK, TIMEOUT, VARIANTS, WRITE_FAULT, disk,
                              hexadecimal, new_pc, transfer)


@pytest.fixture(params=VARIANTS)
def pc_1024(request) -> Pc:
    """A machine whose blocks are small enough to test every position."""
    return with_blocks(1024, request.param)


# ---- Writes that fail in part ------------------------------------------------------------

RANGES = {
    # first sector and number of sectors, in blocks of 4096 bytes
    "one edge, front": (800, 3), "one edge, back": (805, 3), "one edge, inside": (802, 3),
    "edge and blocks": (803, 21), "blocks and edge": (800, 21), "both edges": (805, 30),
    "two edges alone": (806, 4),
}
ranges = pytest.mark.parametrize("lba, count", RANGES.values(), ids=RANGES.keys())


def at_nth_access(target: Disk, n: int, act: Callable[[bytes], Answer | None]) -> list[bytes]:
    """Runs `act` at the nth READ or WRITE, and at its repetitions. Returns a list that
    will contain the CDB."""
    seen, hit = [0], []

    def hook(cdb):
        if cdb[0] not in (READ10, WRITE10):
            return None
        seen[0] += 1
        if seen[0] == n:
            hit.append(cdb)
        return act(cdb) if hit == [cdb] else None
    target.status_hook = hook
    return hit


@pytest.mark.parametrize("key, asc", [(3, 0x11), (4, 0x44), (0xB, 0x47)],
                         ids=["medium", "hardware", "aborted"])
@ranges
def test_write_with_any_failing_command_reports_good_sectors(lba, count, key, asc):
    pc = with_blocks(4096)
    target = disk(pc)
    for n in range(1, 9):
        hit = at_nth_access(target, n, lambda cdb: target.check(key, asc))
        write = Write(pc, lba, count, n)
        assert write.check_and_succeeded() == (not hit)
        if hit and key == 3:
            statuses = (WRITE_FAULT,) if hit[0][0] == WRITE10 else (WRITE_FAULT, BAD_SECTOR)
            assert write.status in statuses
        elif hit:
            assert write.status == CONTROLLER
        target.status_hook = None
        if not hit:
            break
    assert not hit and n > 2


@ranges
def test_partial_block_is_not_written_if_its_read_fails(lba, count):
    pc = with_blocks(4096)
    target = disk(pc)
    since = len(target.commands)
    target.status_hook = lambda cdb: target.check(3, 0x11) if cdb[0] == READ10 else None
    write = Write(pc, lba, count, 1)
    assert not write.check_and_succeeded()
    edges = {lba // 8} if lba % 8 else {(lba + count - 1) // 8}
    wrote = {blocks_of(c)[0] for c in target.commands[since:] if c[0] == WRITE10}
    assert not wrote & edges
    target.status_hook = None
    assert Write(pc, lba, count, 1).succeeded()


@ranges
def test_partial_block_is_unchanged_if_its_write_fails(lba, count):
    pc = with_blocks(4096)
    target = disk(pc)
    target.status_hook = lambda cdb: target.check(3, 0x0C) if cdb[0] == WRITE10 else None
    write = Write(pc, lba, count, 1)
    assert (write.status, write.good, write.now) == (WRITE_FAULT, 0, write.old)


@pytest.mark.parametrize("bad", range(100, 105))
@pytest.mark.parametrize("valid", [True, False], ids=["valid", "invalid"])
@pytest.mark.parametrize("function", [*READS, *WRITES, *VERIFIES], ids=hexadecimal)
def test_sectors_before_a_bad_block_are_counted(function, bad, valid):
    """The disk names a block; the call for sectors 803 to 837 returns sectors."""
    pc = with_blocks(4096)
    disk(pc).bad_blocks = {bad: (3, 0x11, 0, valid)}
    if function in WRITES:
        write = Write(pc, 803, 35, 1, function=function)
        assert not write.check_and_succeeded()
        good = write.good
    else:
        status, good = transfer(pc, function, 803, 35)
        assert status == BAD_SECTOR
        assert function in VERIFIES or pc.peek(BUFFER, good * 512) == sectors(pc, 803, good)
    reached = max(0, bad * 8 - 803)
    assert good == reached if valid else good <= reached


@pytest.mark.parametrize("event", [FREE, RESET], ids=repr)
@pytest.mark.parametrize("lba, count", [(801, 2), (801, 1)], ids=["two edges", "one edge"])
def test_fault_at_any_bus_event_of_a_partial_write(pc_1024, lba, count, event):
    """The write sends READ and WRITE for one or two blocks."""
    pc, good = pc_1024, 0
    steps = range(1, count * 2 * 1100, 29)
    for n in steps:
        disk(pc).session = FaultAt(disk(pc), n, event)
        good += Write(pc, lba, count, n).check_and_succeeded()
        del disk(pc).session
        check_recovery(pc)
    assert good == len(steps), "every write is retried"


@pytest.mark.parametrize("at", [0, 1, 511, 512, 513, 1023], ids=str)
@pytest.mark.parametrize("opcode", [READ10, WRITE10], ids=hexadecimal)
def test_hang_in_a_partial_write_times_out(pc_1024, opcode, at):
    pc, target = pc_1024, disk(pc_1024)

    def data_in(bus, data):
        yield from Disk.data_in(data[:at])
        yield HANG

    def data_out(bus, count):
        yield from Disk.data_out(at)
        yield HANG
    target.data_hook, target.write_hook = (
        (data_in, None) if opcode == READ10 else (None, data_out))
    write = Write(pc, 801, 1, 1)
    assert (write.status, write.good, write.now) == (TIMEOUT, 0, write.old)
    check_recovery(pc)


@pytest.mark.parametrize("function", READS, ids=hexadecimal)
@pytest.mark.parametrize("size", [512, 1024])
def test_bad_block_does_not_affect_the_next_call(function, size):
    pc = new_pc("895A", {0: large_disk(size)})

    def hang(bus, data):
        yield HANG
    disk(pc).bad_blocks = {1005 * 512 // size: (3, 0x11, 0, True)}
    assert transfer(pc, function, 1000, 8).good
    disk(pc).bad_blocks, disk(pc).data_hook = {}, hang
    assert transfer(pc, function, 1000, 8) == (TIMEOUT, 0)


def check_recovery(pc: Pc) -> None:
    target = disk(pc)
    target.data_hook = target.write_hook = target.status_hook = None
    assert transfer(pc, 0x42, 1, 1, drive=0x81) == (OK, 1)
    assert pc.peek(BUFFER, 512) == bytes([3]) * 512
    check_read(pc, 803, 5)


# ---- Disconnections --------------------------------------------------------------------

PLACES = sorted({0, 1, 511, 512, 513, 1023, 1024, 1025, 1535, 1536, 1537, 2047, 2048,
                 *range(3, 2048, 38)})


@pytest.mark.parametrize("save", [True, False], ids=["saved", "not-saved"])
def test_disconnection_at_any_place_of_a_partial_read(pc_1024, save):
    """Sectors 801 and 802, whose blocks also contain sectors that are not requested."""
    pc, target = pc_1024, disk(pc_1024)

    def leaves_at(at):
        def hook(bus, data):
            yield from Disk.data_in(data[:at])
            yield from target.disconnect(save)
            yield from Disk.data_in(data[at if save else 0:])
        return hook
    for at in PLACES:
        target.data_hook = leaves_at(at)
        check_read(pc, 801, 2)
        check_read(pc, 801, 3)


@pytest.mark.parametrize("save", [True, False], ids=["saved", "not-saved"])
def test_disconnection_at_any_place_of_a_partial_write(pc_1024, save):
    pc, target = pc_1024, disk(pc_1024)

    def leaves_at(at):
        def hook(bus, count):
            first = yield from Disk.data_out(min(at, count))
            yield from target.disconnect(save)
            kept = first if save else b""
            return kept + (yield from Disk.data_out(count - len(kept)))
        return hook
    for at in PLACES:
        target.write_hook = leaves_at(at)
        assert Write(pc, 801, 2, at).succeeded()
        assert Write(pc, 800, 4, at).succeeded()


def test_partial_transfers_in_odd_pieces(pc_1024):
    pc, target = pc_1024, disk(pc_1024)

    def data_in(bus, data):
        at = 0
        for size in [1, 2, 3, 5, 7, 11, 101, 400, 3, 1]:
            yield from Disk.data_in(data[at:at + size])
            at += size
            yield from target.disconnect()
        yield from Disk.data_in(data[at:])

    def data_out(bus, count):
        taken = b""
        for size in [1, 2, 3, 5, 7, 11, 101, 400, 3, 1]:
            taken += yield from Disk.data_out(size)
            yield from target.disconnect()
        return taken + (yield from Disk.data_out(count - len(taken)))
    target.data_hook, target.write_hook = data_in, data_out
    for lba in (800, 801):
        for count in (1, 2, 3, 4, 5):
            assert Write(pc, lba, count, count).succeeded()
            check_read(pc, lba, count)


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1023, 1024, 1536, 2047])
def test_short_partial_transfer_is_an_error(pc_1024, length):
    pc, target = pc_1024, disk(pc_1024)
    target.data_hook = lambda bus, data: Disk.data_in(data[:min(length, len(data) - 1)])
    assert transfer(pc, 0x42, 801, 2) == (CONTROLLER, 0)
    write = Write(pc, 801, 1, 1)
    assert (write.status, write.good, write.now) == (CONTROLLER, 0, write.old)
    target.data_hook = None
    target.write_hook = lambda bus, count: Disk.data_out(min(length, count - 1))
    write = Write(pc, 801, 2, 1)
    assert (write.status, write.good, write.now) == (CONTROLLER, 0, write.old)
    check_recovery(pc)


@pytest.mark.parametrize("at", [0, 1, 511, 512, 513, 1023], ids=str)
@pytest.mark.parametrize("status", [0, 0xFF], ids=hexadecimal)
@pytest.mark.parametrize("lba, count", [(801, 1), (800, 1), (800, 2)],
                         ids=["second half", "first half", "whole"])
def test_data_out_after_status_is_an_error(pc_1024, lba, count, status, at):
    pc = pc_1024

    def continue_after_status(bus, size):
        first = yield from Disk.data_out(at)
        yield STATUS, status
        return first + (yield from Disk.data_out(size - at))
    disk(pc).write_hook = continue_after_status
    write = Write(pc, lba, count, at)
    assert (write.status, write.good, write.now) == (CONTROLLER, 0, write.old)
    check_recovery(pc)


@pytest.mark.parametrize("first", [0, 2, 8, 0x18, 0xFF], ids=hexadecimal)
def test_two_statuses_without_data_are_an_error(pc_1024, first):
    pc = pc_1024

    def none(*_):
        yield STATUS, first
        return b""
    disk(pc).data_hook = disk(pc).write_hook = none
    pc.poke(BUFFER, bytes(512))
    assert transfer(pc, 0x42, 801, 1) == (CONTROLLER, 0)
    write = Write(pc, 800, 2, 1)
    assert (write.status, write.good, write.now) == (CONTROLLER, 0, write.old)
    check_recovery(pc)

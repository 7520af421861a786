# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: a memory manager has remapped the caller's buffer or the workspace, and
provides Virtual DMA Services. The model checks that the chip accesses only locked
memory, and that every lock is released.
"""

from __future__ import annotations

import pytest

from tests.model.bios import Bios
from tests.model.bus import FREE, HANG, RESET
from tests.model.faults import FaultAt
from tests.model.pc import BUFFER, PACKET, Pc
from tests.model.target import READ10, WRITE10, Disk
from tests.model.vds import CANNOT_LOCK, PAGE, Refused, Vds
from tests.rom.strict import (BAD_SECTOR, BOUNDARY, CHANGED, CONTROLLER, NO_MEDIUM, OK, SECOND,
                              TIMEOUT, VARIANTS, WRITE_FAULT, WRITE_PROTECTED, disk, expected,
                              hexadecimal, new_data, new_pc, nothing_sent, opcodes,
                              simple_call, transfer)

LOCK, UNLOCK, LOCK_LIST, UNLOCK_LIST = range(0x8103, 0x8107)
COPY, FOR_THE_WORKSPACE = 0x02, 0x0C    # DX
FIRST, PAGES = BUFFER // PAGE, 40       # linear pages of the buffer
FAR = 0x400                             # free physical pages
READS, WRITES = (0x02, 0x42), (0x03, 0x43)
HIGH = 0x300001

# Physical pages of the buffer: scattered, backwards, moved but contiguous, in place
SCATTERED = {FIRST + i: FAR + 2 * i for i in range(PAGES)}
BACKWARDS = {FIRST + i: FAR + PAGES - i for i in range(PAGES)}
TOGETHER = {FIRST + i: FAR + i for i in range(PAGES)}
EXCHANGED = {FIRST + i: FIRST + (i ^ 1) for i in range(PAGES)}
PLACES = {"scattered": SCATTERED, "backwards": BACKWARDS, "together": TOGETHER,
          "exchanged": EXCHANGED, "in place": {}}

# How a buffer can be locked
MANNERS = {"list": dict(), "buffer": dict(scatter_gather=False, buffer_bytes=0x10000),
           "small buffer": dict(scatter_gather=False, buffer_bytes=1024),
           "pieces": dict(scatter_gather=False, buffers=0)}

manners = pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS.keys())
moving = pytest.mark.parametrize("function", [*READS, *WRITES], ids=hexadecimal)


def booted(variant: str = "895A", target: Disk | None = None, bios: Bios | None = None,
           **options) -> Pc:
    """Disks at IDs 0 and 3; the options are for Vds."""
    return new_pc(variant, {0: target or Disk(), 3: Disk()}, bios=bios or Bios(),
                  vds=Vds(**options))


def check_transfer(pc: Pc, function: int, count: int, address: int = BUFFER + 1, lba: int = 1000,
                   **options) -> None:
    """Transfers data and compares the disk with the caller's memory."""
    data = new_data(count, count)
    pc.poke(address, data)
    disk(pc).written.clear()
    assert transfer(pc, function, lba, count, address, **options) == (OK, count)
    assert expected(pc, lba, count) == pc.peek(address, count * 512)
    assert (expected(pc, lba, count) == data) == (function in WRITES)


def calls(pc: Pc, *functions: int) -> list[tuple[int, int, dict[str, int]]]:
    return [call for call in pc.vds.calls if call[0] in functions]


def caller_calls(pc: Pc, *functions: int) -> list[tuple[int, int, dict[str, int]]]:
    """Calls for memory that does not belong to the ROM."""
    return [call for call in calls(pc, *functions)
            if not any(call[2]["segment"] * 16 + call[2]["offset"] in kept
                       for kept in pc.kept_memory)]


# ---- The caller's buffer ---------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("pages", PLACES.values(), ids=PLACES.keys())
@moving
def test_scattered_buffer_is_locked_with_a_list(variant, pages, function):
    pc = booted(variant, pages=pages)
    for count in (1, 2, 7, 8, 9, 15, 16, 17, 33, 64, 65, 100, 127, 128):
        for address in (BUFFER, BUFFER + 1, BUFFER + 511, BUFFER + PAGE - 513):
            check_transfer(pc, function, count, address)
            if count <= 16:
                assert caller_calls(pc, LOCK_LIST) and not caller_calls(pc, LOCK)


@pytest.mark.parametrize("pages", PLACES.values(), ids=PLACES.keys())
@moving
def test_scattered_buffer_is_copied_if_lists_are_unsupported(pages, function):
    pc = booted(pages=pages, scatter_gather=False, buffer_bytes=0x10000)
    for count in (1, 2, 7, 8, 9, 17, 64, 100, 128):
        check_transfer(pc, function, count, BUFFER + 1)
        check_transfer(pc, function, count, BUFFER + PAGE - 1)
    copies = {COPY} if function in WRITES else {0}
    assert {dx for _, dx, _ in caller_calls(pc, LOCK)} == copies
    assert {dx for _, dx, _ in caller_calls(pc, UNLOCK)} == {0, COPY} - copies


@pytest.mark.parametrize("buffer_bytes", [512, 1024, 1500, 4096, 32768])
@moving
def test_transfer_is_split_for_small_vds_buffers(function, buffer_bytes):
    pc = booted(pages=SCATTERED, scatter_gather=False, buffer_bytes=buffer_bytes)
    for count in (1, 2, 7, 9, 64, 128):
        check_transfer(pc, function, count, BUFFER + 1)


@pytest.mark.parametrize("manner", [dict(scatter_gather=False, buffers=0),
                                    dict(refuse={LOCK_LIST}, buffers=0),
                                    dict(refuse={LOCK_LIST, CANNOT_LOCK}, buffers=0)], ids=str)
@moving
def test_without_lists_and_buffers_only_contiguous_sectors_are_transferred(function, manner):
    """A sector that crosses pages that are not contiguous cannot be transferred."""
    pc = booted(pages=SCATTERED, **manner)
    for count in (1, 7, 8, 9, 64, 128):
        check_transfer(pc, function, count, BUFFER)
    assert transfer(pc, function, 1000, 20, BUFFER + PAGE - 1024 - 100) == (BOUNDARY, 2)
    assert transfer(pc, function, 1000, 1, BUFFER + PAGE - 1) == (BOUNDARY, 0)
    pc.vds.pages = TOGETHER
    check_transfer(pc, function, 20, BUFFER + PAGE - 1024 - 100)


def test_sectors_before_an_unreachable_page_are_transferred():
    pc = booted(pages=SCATTERED, scatter_gather=False, buffers=0)
    start = BUFFER + PAGE - 1024 - 100
    pc.poke(start, b"\xEE" * 2048)
    assert transfer(pc, 0x42, 1000, 4, start) == (BOUNDARY, 2)
    assert pc.peek(start, 1024) == expected(pc, 1000, 2)
    pc.poke(start, new_data(1, 4))
    assert transfer(pc, 0x43, 1000, 4, start) == (BOUNDARY, 2)
    assert disk(pc).written == {1000: new_data(1, 4)[:512], 1001: new_data(1, 4)[512:1024]}


@pytest.mark.parametrize("error", range(1, 0x11), ids=hexadecimal)
@moving
def test_buffer_is_tried_after_any_error_of_the_list(function, error):
    pc = booted(pages=SCATTERED, refuse={LOCK_LIST, error})
    check_transfer(pc, function, 20)
    assert caller_calls(pc, LOCK_LIST) and caller_calls(pc, LOCK)


class WorkspaceOnly(Vds):
    """Locks the workspace only."""

    def _lock(self, fields, dx, pointer):
        if dx == FOR_THE_WORKSPACE:
            super()._lock(fields, dx, pointer)
        else:
            raise Refused(self.error)


@pytest.mark.parametrize("error", range(1, 0x11), ids=hexadecimal)
@moving
def test_unlockable_buffer_returns_09h(function, error):
    """Even a single sector cannot be locked."""
    vds = WorkspaceOnly(pages=SCATTERED, refuse={LOCK_LIST, error})
    vds.error = error
    pc = new_pc("895A", {0: Disk(), 3: Disk()}, vds=vds)
    with nothing_sent(pc):
        assert transfer(pc, function, 1000, 128 if function < 0x40 else 200) == (BOUNDARY, 0)
    sizes = [fields["size"] for _, _, fields in caller_calls(pc, LOCK)]
    assert sizes[-1] == 512 and sizes == sorted(sizes, reverse=True)


@manners
def test_call_with_many_commands_locks_each_piece(manner):
    pc = booted(pages=SCATTERED, **manner)
    check_transfer(pc, 0x42, 200, BUFFER)
    check_transfer(pc, 0x43, 200, BUFFER)


@manners
def test_pages_may_move_between_two_calls(manner):
    pc = booted(**manner)
    for pages in (SCATTERED, {}, BACKWARDS, TOGETHER, EXCHANGED):
        pc.vds.pages = dict(pages)
        check_transfer(pc, 0x43, 8, BUFFER)
        check_transfer(pc, 0x42, 8, BUFFER)


@manners
@pytest.mark.parametrize("function", [0x42, 0x43], ids=hexadecimal)
def test_flat_addresses_are_linear(function, manner):
    pages = {(HIGH >> 12) + i: FAR + 2 * i for i in range(PAGES)}
    pc = booted(pages=pages, **manner)
    address = HIGH if manner.get("buffers", 1) else HIGH - 1    # odd if the manager supports it
    for count in (1, 9, 64, 127):
        check_transfer(pc, function, count, address, flat=address, size=24)


def test_one_command_covers_several_pages():
    pc = booted(pages=SCATTERED)
    since = len(disk(pc).commands)
    check_transfer(pc, 0x42, 24, BUFFER + 1)
    assert opcodes(disk(pc), since) == [READ10], "one command for 4 pages"


# ---- The workspace ---------------------------------------------------------------------


def workspace_pages(pc: Pc) -> list[int]:
    return sorted({page for kept in pc.kept_memory
                   for page in range(kept.start // PAGE, (kept.stop - 1) // PAGE + 1)})


def with_moved_workspace(variant: str = "895A", target: Disk | None = None,
                         bios: Bios | None = None, **options) -> Pc:
    pc = booted(variant, target, bios, **options)
    pc.vds.pages = {**pc.vds.pages,
                    **{page: 0x800 + i for i, page in enumerate(workspace_pages(pc))}}
    return pc


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("pmm", ["1.01", "absent"])
@manners
def test_remapped_workspace_works(variant, pmm, manner):
    pc = with_moved_workspace(variant, bios=Bios(pmm=pmm), pages=SCATTERED, **manner)
    for function in (*WRITES, *READS):
        check_transfer(pc, function, 20, BUFFER)
    assert transfer(pc, 0x44, 5, 20) == (OK, 20)
    for function in (0x00, 0x0D, 0x09, 0x10, 0x11, 0x14):
        assert simple_call(pc, function).ah == OK
    assert transfer(pc, 0x0C, 5).status == transfer(pc, 0x47, 5).status == OK
    locks = [call for call in calls(pc, LOCK) if call not in caller_calls(pc, LOCK)]
    assert locks and {dx for _, dx, _ in locks} == {FOR_THE_WORKSPACE}


def test_removable_drive_works_with_a_remapped_workspace():
    pc = with_moved_workspace(target=Disk(removable=True))
    assert simple_call(pc, 0x16).ah == OK
    assert simple_call(pc, 0x45, "ax", al=0).ah == OK
    disk(pc).insert(1000)
    assert transfer(pc, 0x42, 5, 1) == (0x06, 0)
    check_transfer(pc, 0x43, 3, lba=900)
    assert simple_call(pc, 0x45, "ax", al=1).ah == OK
    assert simple_call(pc, 0x46, al=0).ah == OK
    assert transfer(pc, 0x42, 5, 1) == (NO_MEDIUM, 0)


class RefusingFixed(Vds):
    """Refuses locks of memory that must not be copied or remapped."""

    def _lock(self, fields, dx, pointer):
        if dx & FOR_THE_WORKSPACE:
            raise Refused(CANNOT_LOCK)
        super()._lock(fields, dx, pointer)


@pytest.mark.parametrize("function", [*READS, *WRITES, 0x04, 0x44, 0x0C, 0x47], ids=hexadecimal)
def test_unlockable_workspace_returns_20h_without_a_command(function):
    pc = new_pc("895A", {0: Disk(), 3: Disk()}, vds=RefusingFixed(pages=SCATTERED))
    with nothing_sent(pc):
        outcome = transfer(pc, function, 1000, 3)
    assert outcome.status == CONTROLLER and not outcome.good
    assert pc.vds.locks == []
    pc.vds = None
    pc.poke(0x47B, b"\0")
    assert transfer(pc, function, 1000, 3).status == OK


# ---- Every lock is released ------------------------------------------------------------


FAILURES = {
    "medium error": (lambda d: d.bad_blocks.update({1005: (3, 0x11, 0, True)}), BAD_SECTOR,
                     WRITE_FAULT, 5),
    "hardware error": (lambda d: setattr(d, "status_hook", lambda cdb: d.check(4, 0x44)),
                       CONTROLLER, CONTROLLER, 0),
    "hang": (lambda d: setattr(d, "before_status", lambda bus: iter([HANG])), TIMEOUT, TIMEOUT, 0),
    "bus free": (lambda d: setattr(d, "before_status", lambda bus: iter([FREE])), CONTROLLER,
                 CONTROLLER, 0),
    "write protected": (lambda d: setattr(d, "write_protected", True), OK, WRITE_PROTECTED, 0),
}


@manners
@pytest.mark.parametrize("failure, read, write, good", FAILURES.values(), ids=FAILURES.keys())
@moving
def test_locks_are_released_after_a_failure(function, failure, read, write, good, manner):
    pc = with_moved_workspace(pages=SCATTERED, **manner)
    failure(disk(pc))
    status = write if function in WRITES else read
    pc.poke(BUFFER, new_data(1, 10))
    outcome = transfer(pc, function, 1000, 10)
    assert outcome == (status, 10 if status == OK else good)
    if function in READS:
        assert pc.peek(BUFFER, outcome.good * 512) == expected(pc, 1000, outcome.good)
    assert pc.vds.locks == []
    target = disk(pc)
    target.bad_blocks, target.write_protected = {}, False
    target.status_hook = target.before_status = None
    check_transfer(pc, function, 10, BUFFER)


@manners
def test_locks_are_released_after_a_selection_timeout(manner):
    pc = with_moved_workspace(pages=SCATTERED, **manner)
    target = pc.bus.targets.pop(0)
    assert transfer(pc, 0x42, 5, 10) == (TIMEOUT, 0)
    pc.bus.targets[0] = target
    check_transfer(pc, 0x42, 10, BUFFER)


@manners
@pytest.mark.parametrize("event", [FREE, RESET], ids=repr)
@moving
def test_locks_are_released_after_a_fault_at_any_bus_event(function, event, manner):
    pc = with_moved_workspace(pages=SCATTERED, **manner)
    for n in [*range(1, 40, 3), *range(41, 1600, 101)]:
        disk(pc).session = FaultAt(disk(pc), n, event)
        check_transfer(pc, function, 3, BUFFER)
        del disk(pc).session


@moving
def test_failed_copy_of_a_read_is_an_error(function):
    """Data read has not reached the caller then; data written has reached the disk."""
    pc = booted(pages=SCATTERED, scatter_gather=False, refuse={UNLOCK})
    pc.poke(BUFFER, b"\xEE" * 4096)
    status, good = transfer(pc, function, 1000, 8, BUFFER + 1)
    if function in READS:
        assert status != OK and good == 0
    assert pc.vds.locks == []


# How memory can be locked if its unlock then fails
UNLOCKING = {"list": dict(refuse={UNLOCK_LIST}),
             "buffer": dict(scatter_gather=False, refuse={UNLOCK}),
             "pieces": dict(scatter_gather=False, buffers=0, refuse={UNLOCK})}

failing_to_unlock = pytest.mark.parametrize("manner", UNLOCKING.values(), ids=UNLOCKING.keys())


@failing_to_unlock
@moving
def test_change_is_reported_if_the_unlock_fails(function, manner):
    """The ROM must not retry with smaller pieces."""
    pc = booted(target=Disk(removable=True), pages=SCATTERED, **manner)
    target = disk(pc)
    target.insert(1000, lambda lba: bytes([lba & 0xFF]) * 512)
    since = len(target.commands)
    assert transfer(pc, function, 500, 8) == (CHANGED, 0)
    assert len([c for c in opcodes(target, since) if c in (READ10, WRITE10)]) == 1
    assert target.written == {}
    pc.vds.refuse = set()
    check_transfer(pc, function, 8, BUFFER, lba=900)


@failing_to_unlock
@pytest.mark.parametrize("failure", ["medium error", "hardware error", "hang", "bus free"])
@moving
def test_first_error_is_reported_if_the_unlock_fails(function, failure, manner):
    """No command is repeated for smaller pieces, and no sector counts as good, because
    data read may not have been copied."""
    pc = booted(pages=SCATTERED, **manner)
    inject, read, write, _ = FAILURES[failure]
    inject(disk(pc))
    begun = pc.chip.now
    assert transfer(pc, function, 1000, 8) == (write if function in WRITES else read, 0)
    assert pc.chip.now - begun < 16 * SECOND, "only one timeout"
    assert pc.vds.locks == []


@manners
def test_invalid_arguments_lock_nothing(manner):
    pc = booted(pages=SCATTERED, **manner)
    for function, lba, count in ((0x42, 65536, 1), (0x43, 65535, 2), (0x42, 5, 0)):
        transfer(pc, function, lba, count)
    assert transfer(pc, 0x42, 5, 1, 0x10FFF0 - 511) == (BOUNDARY, 0)
    assert not caller_calls(pc, LOCK, LOCK_LIST)


# ---- Calls without VDS -----------------------------------------------------------------


@pytest.mark.parametrize("options, flag", [(dict(v86=False), True), (dict(), False)],
                         ids=["real mode", "not announced"])
@moving
def test_vds_is_not_called_if_not_needed(function, options, flag):
    """The CPU is in real mode, or bit 5 of 40:7Bh is clear."""
    pc = booted(**options)
    if not flag:
        pc.poke(0x47B, bytes([pc.peek(0x47B, 1)[0] & ~0x20]))
    check_transfer(pc, function, 100)
    assert pc.vds.calls == []


def test_functions_without_a_buffer_lock_nothing():
    pc = booted(pages=SCATTERED)
    for function in (0x00, 0x01, 0x08, 0x0D, 0x15, 0x41, 0x49, 0x4E, 0x77):
        pc.int13(changes="ax bl cx dx", ah=function, al=5, bx=0, dl=0x80)
    pc.poke(PACKET, b"\x4A\0")
    pc.int13(range(PACKET, PACKET + 0x4A), ah=0x48, dl=0x80, ds=PACKET >> 4, si=0)
    for function in (0x04, 0x44, 0x0C, 0x47):
        assert transfer(pc, function, 5, 20).status == OK
    assert caller_calls(pc, LOCK, UNLOCK, LOCK_LIST, UNLOCK_LIST) == []


# ---- Large blocks ----------------------------------------------------------------------


@pytest.mark.parametrize("size", [1024, 4096])
@manners
def test_partial_blocks_with_a_remapped_workspace(size, manner):
    """The block buffer is remapped, too."""
    target = Disk(blocks=1000, block_bytes=size)
    pc = with_moved_workspace(target=target, pages=SCATTERED, **manner)
    split = size // 512
    for lba, count in ((800, 1), (801, 1), (801, 2), (803, 5), (800, 16), (805, 30), (801, 127)):
        first, last = lba // split, (lba + count - 1) // split
        before = b"".join(target.block(b) for b in range(first, last + 1))
        data, offset = new_data(lba, count), lba % split * 512
        pc.poke(BUFFER, data)
        assert transfer(pc, 0x43, lba, count) == (OK, count)
        now = b"".join(target.block(b) for b in range(first, last + 1))
        assert now == before[:offset] + data + before[offset + len(data):]
        pc.poke(BUFFER, bytes(len(data)))
        assert transfer(pc, 0x42, lba, count) == (OK, count)
        assert pc.peek(BUFFER, len(data)) == data
    assert WRITE10 in opcodes(target)

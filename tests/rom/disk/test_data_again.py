# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: targets that move data more than once. DISCONNECT without SAVE DATA POINTER and
RESTORE POINTERS take the pointer back. The data that a target moves after that must
reach the end, or the call fails: its last pass decides what is in the buffer or on the
disk. Without further data, what has moved before counts. Also targets that request the
command or send a status more than once. [SCSI-2 "SCSI pointers", "DISCONNECT", "RESTORE
POINTERS"]
"""

from __future__ import annotations

import pytest

from tests.model.passes import (ALL, COMPLETE_PASS, COUNT, PAGE, SHORT_PASS, play_read, play_write,
                                requests_command_in_data, sends_two_statuses,
                                takes_a_part_of_the_command)
from tests.model.pc import BUFFER
from tests.model.target import GOOD, RESERVATION_CONFLICT, RESTORE, SAVE, WRITE10, Disk
from tests.model.vds import Vds
from tests.rom.strict import (OK, READ_FAILED, VARIANTS, check_read, check_recovery, disk,
                              new_data, new_pc, transfer, two_disks)

LBA = 1000
MOVED_PAGES = {BUFFER // PAGE + i: page for i, page in enumerate((0x500, 0x700, 0x600))}

machines = pytest.mark.parametrize("vds", [False, True], ids=["one piece", "pages"])


@pytest.fixture(params=VARIANTS)
def pc(request, vds):
    """With `vds`, the buffer consists of pages that are not in sequence."""
    if not vds:
        return two_disks(request.param)
    other = Disk(content=lambda lba: bytes([3]) * 512)
    return new_pc(request.param, {0: Disk(), 3: other}, vds=Vds(pages=MOVED_PAGES))


@machines
@pytest.mark.parametrize("steps", COMPLETE_PASS.values(), ids=COMPLETE_PASS)
def test_data_whose_last_pass_is_complete_is_good(pc, steps):
    play_read(disk(pc), steps)
    pc.poke(BUFFER, b"\xEE" * ALL)
    commands = len(disk(pc).commands)
    assert transfer(pc, 0x42, LBA, COUNT) == (OK, COUNT)
    assert pc.peek(BUFFER, ALL) == b"".join(disk(pc).block(LBA + i) for i in range(COUNT))
    assert len(disk(pc).commands) == commands + 1, "no second try"
    data = new_data(1, COUNT)
    play_write(disk(pc), steps)
    pc.poke(BUFFER, data)
    assert transfer(pc, 0x43, LBA, COUNT) == (OK, COUNT)
    assert b"".join(disk(pc).block(LBA + i) for i in range(COUNT)) == data
    assert len(disk(pc).commands) == commands + 2


@machines
@pytest.mark.parametrize("steps", SHORT_PASS.values(), ids=SHORT_PASS)
def test_data_whose_last_pass_is_short_is_an_error(pc, steps):
    play_read(disk(pc), steps)
    play_write(disk(pc), steps)
    assert transfer(pc, 0x42, LBA, COUNT) == (READ_FAILED, 0)
    pc.poke(BUFFER, new_data(1, COUNT))
    assert transfer(pc, 0x43, LBA, COUNT) == (READ_FAILED, 0)
    check_recovery(pc)


def test_short_second_pass_is_tried_again():
    """The next try succeeds."""
    machine = two_disks("895A")
    tries = []

    def hook(bus, data):
        tries.append(1)
        yield from Disk.data_in(data)
        if len(tries) == 1:
            yield from disk(machine).disconnect(save=False)
            yield from Disk.data_in(bytes(27))
    disk(machine).data_hook = hook
    assert transfer(machine, 0x42, LBA, COUNT) == (OK, COUNT)
    assert len(tries) == 2
    assert machine.peek(BUFFER, 512) == disk(machine).block(LBA)


# ---- The command again -----------------------------------------------------------------

RESERVED = 0xB3


def check_write(pc, sectors: int = COUNT) -> None:
    data = new_data(2, sectors)
    pc.poke(BUFFER, data)
    assert transfer(pc, 0x43, LBA, sectors) == (OK, sectors)
    assert b"".join(disk(pc).block(LBA + i) for i in range(sectors)) == data


@pytest.mark.parametrize("length", [1, 2, 6, 9])
@pytest.mark.parametrize("variant", VARIANTS)
def test_rest_of_a_command_is_not_replaced_by_its_beginning(variant, length):
    """Without RESTORE POINTERS the target would take the next bytes of the CDB."""
    pc, more = two_disks(variant), []
    check_read(pc)
    takes_a_part_of_the_command(disk(pc), length, SAVE, more)
    check_write(pc)
    assert more == [], "tried again after a bus reset"


@pytest.mark.parametrize("length", [1, 2, 6, 9])
@pytest.mark.parametrize("variant", VARIANTS)
def test_restore_pointers_restarts_the_command(variant, length):
    pc, more = two_disks(variant), []
    check_read(pc)
    takes_a_part_of_the_command(disk(pc), length, RESTORE, more)
    check_write(pc)
    assert more[0] == WRITE10 and len(more) == 10


@pytest.mark.parametrize("saved", [True, False], ids=["saved", "not-saved"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_command_after_a_part_of_the_data(variant, saved):
    """SAVE DATA POINTER and DISCONNECT after it have their usual effect, or the command
    fails."""
    pc, seen = two_disks(variant), []
    check_read(pc)
    requests_command_in_data(disk(pc), saved, seen)
    if saved:
        check_write(pc)
        assert [cdb[0] for cdb in seen] == [WRITE10]
    else:
        assert transfer(pc, 0x43, LBA, COUNT) == (READ_FAILED, 0)
        assert seen == [] and disk(pc).written == {}
    check_recovery(pc)


# ---- Several statuses --------------------------------------------------------------------


@pytest.mark.parametrize("statuses, ah", [((GOOD, RESERVATION_CONFLICT), RESERVED),
                                          ((RESERVATION_CONFLICT, GOOD), OK)])
@pytest.mark.parametrize("leaves", [True, False], ids=["disconnected between", "at once"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_last_status_counts(variant, leaves, statuses, ah):
    pc = two_disks(variant)
    check_read(pc)
    sends_two_statuses(disk(pc), statuses, leaves)
    assert transfer(pc, 0x42, LBA, COUNT) == (ah, 0 if ah else COUNT)
    del disk(pc).session
    check_recovery(pc)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: INT 13h on drive numbers of CD-ROM drives."""

from __future__ import annotations

import functools
import random
import struct

import pytest

from tests.model.bus import FREE, HANG
from tests.model.devices import TimerInterrupt
from tests.model.eltorito import BLOCK, Disc
from tests.model.pc import BUFFER, Pc
from tests.model.target import (MEDIUM_CHANGED, POWER_ON, PREVENT_ALLOW, READ10, SEEK10,
                                START_STOP, VERIFY10, WRITE10, Disk, cd_rom)
from tests.rom import strict
from tests.rom.cd.cdboot import (CD, CD_ID, WRONG_MEDIUM, boot, cd, check_blocks, check_boot,
                                 insert, move, simple_call, with_cd)
from tests.rom.cd.readers import DISC, LOCK, LOCK_STATE, UNLOCK, variants
from tests.rom.strict import (BAD_COMMAND, BAD_SECTOR, BOUNDARY, CHANGED, CONTROLLER, LOCKED,
                              NOT_EJECTED, NOT_FOUND, NOT_LOCKED, NOT_READY, NO_MEDIUM, OK, PACKET,
                              READ_FAILED, SECOND, TIMEOUT, TOO_MANY_LOCKS, VARIANTS,
                              WRITE_PROTECTED, hexadecimal, nothing_sent, opcodes, transfer)

READY_FUNCTIONS = (0x09, 0x10, 0x11, 0x14)
ON_BLOCKS = (0x42, 0x44, 0x47)
OTHER = Disc(blocks=700, seed=7)

on_blocks = pytest.mark.parametrize("function", ON_BLOCKS, ids=hexadecimal)


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    """A machine booted from the CD, which is E0h; a disk is 80h."""
    pc = with_cd(request.param, DISC, {0: Disk()})
    check_boot(pc, DISC)
    return pc


@pytest.fixture(scope="module", params=VARIANTS)
def reader(request) -> Pc:
    """As `pc`, for tests that do not change the state of the machine."""
    pc = with_cd(request.param, DISC, {0: Disk()})
    check_boot(pc, DISC)
    return pc


# ---- Every function --------------------------------------------------------------------

REFUSED = {0x02: BAD_COMMAND, 0x03: WRITE_PROTECTED, 0x04: BAD_COMMAND, 0x08: BAD_COMMAND,
           0x0C: BAD_COMMAND, 0x43: WRITE_PROTECTED}
SUCCEEDS = {0x00, 0x01, 0x09, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x16, 0x41, 0x42, 0x44, 0x45, 0x46,
            0x47, 0x48, 0x49, 0x4B, 0x4D}


@variants
def test_only_documented_functions_succeed_on_a_cd(variant):
    """Functions with arguments get valid ones."""
    pc = with_cd(variant, DISC)
    check_boot(pc, DISC)
    for function in range(0x100):
        packet = {0x48: b"\x4A\0", 0x4D: struct.pack("<BBHHH", 8, 1, 0, BUFFER >> 4, 0)}.get(
            function, struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, 16))
        pc.poke(PACKET, packet)
        al = LOCK_STATE if function == 0x45 else int(function in (0x02, 0x03, 0x04, 0x4B))
        result = pc.int13(range(BUFFER, BUFFER + BLOCK), range(PACKET, PACKET + 0x50),
                          ah=function, al=al, bx=0x55AA, dl=CD, ds=PACKET >> 4, si=PACKET & 15,
                          changes="ax bx cx dx" if function in (0x15, 0x41) else "ax")
        assert result.cf == (function not in SUCCEEDS), hex(function)
        if result.cf:
            assert result.ah == REFUSED.get(function, BAD_COMMAND), hex(function)
        if function == 0x46:
            insert(pc, DISC)
            assert simple_call(pc, 0x16).ah == CHANGED


@pytest.mark.parametrize("function, status", REFUSED.items(), ids=hexadecimal)
def test_unsupported_function_sends_no_command(reader, function, status):
    with nothing_sent(reader):
        assert move(reader, function, 16, 1).status == status


@pytest.mark.parametrize("function", [0x00, 0x0D, *READY_FUNCTIONS], ids=hexadecimal)
def test_ready_drive_returns_00h(reader, function):
    assert simple_call(reader, function).ah == OK


def test_01h_returns_the_last_status(reader):
    def last_status() -> int:
        result = simple_call(reader, 0x01, changes="ax")
        assert result.al == result.ah
        return result.ah

    assert last_status() == OK
    assert move(reader, 0x42, 5000, 1) == (NOT_FOUND, 0)
    assert last_status() == NOT_FOUND
    assert transfer(reader, 0x42, 5, 1) == (OK, 1)
    assert last_status() == OK, "the status byte is shared by all drives"


def test_15h_returns_the_number_of_blocks(reader):
    result = reader.int13(ah=0x15, dl=CD, changes="ah cx dx")
    assert (result.ah, result.cf, result.cx << 16 | result.dx) == (3, False, DISC.blocks)


def test_41h_returns_the_supported_subsets(reader):
    result = reader.int13(ah=0x41, bx=0x55AA, dl=CD, changes="ah bx cx")
    assert (result.cf, result.ah, result.bx) == (False, 0x30, 0xAA55)
    assert result.cx & 0x07 == 0x07, "packet access, lock and eject, 48h"
    assert simple_call(reader, 0x41, bx=0x55AB).ah == BAD_COMMAND


CHS_VALID, REMOVABLE, WRITE_VERIFY, CHANGE_LINE, LOCKABLE, EMPTY = 0x02, 0x04, 0x08, 0x10, 0x20, 0x40

parameters = functools.partial(strict.parameters, drive=CD)


@pytest.mark.parametrize("room", [0x1A, 0x1D, 0x1E, 0x41, 0x42, 0x49, 0x4A, 0x4B, 0xFFFF])
def test_48h_of_a_disc(reader, room):
    answer = parameters(reader, room)
    size, flags = struct.unpack_from("<HH", answer)
    sectors, sector_bytes = struct.unpack_from("<QH", answer, 16)
    assert (size, sectors, sector_bytes) == (len(answer), DISC.blocks, BLOCK)
    assert flags & (CHS_VALID | REMOVABLE | WRITE_VERIFY | CHANGE_LINE | LOCKABLE | EMPTY) == (
        REMOVABLE | CHANGE_LINE | LOCKABLE)


def test_48h_has_a_device_path(reader):
    answer = parameters(reader)
    assert struct.unpack_from("<H", answer, 0x1E)[0] == 0xBEDD
    assert answer[0x24:0x30] == b"PCI SCSI    "
    assert answer[0x30:0x33] == bytes([0, 4, 0]) and answer[0x38] == CD_ID
    assert sum(answer[0x1E:]) & 0xFF == 0


@pytest.mark.parametrize("room", [0, 2, 0x19])
def test_48h_with_short_buffer_returns_01h(reader, room):
    reader.poke(PACKET, struct.pack("<H", room))
    assert simple_call(reader, 0x48, ds=PACKET >> 4, si=0).ah == BAD_COMMAND


def test_48h_of_an_empty_drive(pc):
    cd(pc).take_out()
    assert simple_call(pc, 0x16).ah == NO_MEDIUM
    flags, sector_bytes = struct.unpack_from("<2xH20xH", parameters(pc))
    assert flags & EMPTY and flags & REMOVABLE and not flags & CHS_VALID
    assert sector_bytes == BLOCK


# ---- Reads -----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 2, 15, 31, 32, 33, 63, 64, 100, 127])
def test_reads_any_number_of_blocks(reader, count):
    check_blocks(reader, DISC, 60, count)


@pytest.mark.parametrize("address", [BUFFER + 1, BUFFER + 0x7FF, 0x2FF3, 0x2FF00, 0x3FFFE, 0x7FE01],
                         ids=hex)
def test_reads_to_any_buffer(reader, address):
    reader.poke(address - 64, b"\xEE" * (5 * BLOCK + 128))
    assert move(reader, 0x42, 300, 5, address) == (OK, 5)
    assert reader.peek(address, 5 * BLOCK) == DISC.read(300, 5)
    assert reader.peek(address - 64, 64) == reader.peek(address + 5 * BLOCK, 64) == b"\xEE" * 64


@pytest.mark.parametrize("flat", [0x100000, 0x123457, 0xFFF000 - 70 * BLOCK])
def test_reads_with_flat_buffers_and_long_counts(reader, flat):
    assert move(reader, 0x42, 200, 70, flat=flat, size=24) == (OK, 70)
    assert reader.peek(flat, 70 * BLOCK) == DISC.read(200, 70)
    reader.poke(flat, bytes(70 * BLOCK))
    assert move(reader, 0x42, 200, flat=flat, size=32, long_count=70) == (OK, 70)
    assert reader.peek(flat, 70 * BLOCK) == DISC.read(200, 70)


@on_blocks
@pytest.mark.parametrize("lba, count", [(1000, 1), (999, 2), (998, 127), (2**32 - 1, 1),
                                        (2**32, 1), (2**32 + 16, 1), (2**63, 1)])
def test_access_past_end_returns_04h(reader, function, lba, count):
    if function != 0x47 or lba >= DISC.blocks:
        with nothing_sent(reader):
            outcome = move(reader, function, lba, count)
        assert outcome.status == NOT_FOUND and not outcome.good


@on_blocks
def test_last_block_is_accessible(reader, function):
    assert move(reader, function, 999, 1).status == OK


@pytest.mark.parametrize("function, command", [(0x44, VERIFY10), (0x47, SEEK10)], ids=hexadecimal)
def test_verify_and_seek_transfer_no_data(reader, function, command):
    sent = len(cd(reader).commands)
    reader.poke(BUFFER, b"\xEE" * BLOCK)
    assert move(reader, function, 100, 4).status == OK
    assert opcodes(cd(reader), sent) == [command]
    assert reader.peek(BUFFER, BLOCK) == b"\xEE" * BLOCK


def test_read_of_0_blocks_sends_no_command(reader):
    with nothing_sent(reader):
        assert move(reader, 0x42, 16, 0) == (OK, 0)


@pytest.mark.parametrize("size", [0, 8, 15])
def test_short_packet_returns_01h(reader, size):
    with nothing_sent(reader):
        assert move(reader, 0x42, 16, 1, size=size).status == BAD_COMMAND


def test_buffer_past_ffff_ffffh_returns_09h(reader):
    assert move(reader, 0x42, 16, 2, 0x10FFF0 - BLOCK) == (BOUNDARY, 0)
    assert move(reader, 0x42, 16, 1, 0x10FFF0 - BLOCK).status == OK


def test_random_reads(reader):
    chance = random.Random(2)
    for _ in range(60):
        count = chance.randrange(1, 20)
        check_blocks(reader, DISC, chance.randrange(0, 1000 - count), count)


# ---- Faults ----------------------------------------------------------------------------

SENSES = {
    (2, 0x04, 0x03): NOT_READY, (2, 0x3A, 0): NO_MEDIUM, (2, 0x3A, 1): NO_MEDIUM,
    (3, 0x11, 0): BAD_SECTOR, (3, 0x02, 0): BAD_SECTOR, (4, 0x15, 1): CONTROLLER,
    (5, 0x21, 0): NOT_FOUND, (5, 0x64, 0): WRONG_MEDIUM, (8, 0, 0): NOT_FOUND,
    (8, 0x64, 0): NOT_FOUND, (2, 0x30, 0): WRONG_MEDIUM, (3, 0x30, 0): WRONG_MEDIUM,
    (5, 0x30, 0): WRONG_MEDIUM, (3, 0x57, 0): WRONG_MEDIUM, (5, 0x20, 0): BAD_COMMAND,
    (1, 0x17, 0): OK, (11, 0, 0): CONTROLLER, (6, 0x28, 0): CHANGED, (6, 0x29, 0): CHANGED, (6, 0x2A, 1): CHANGED}


@pytest.mark.parametrize("sense, status", SENSES.items(), ids=str)
def test_sense_data_of_a_read_has_its_status(pc, sense, status):
    target = cd(pc)

    def hook(cdb):
        if cdb[0] != READ10:
            return None
        if sense[0] in (1, 6):
            target.status_hook = None
        answer = target.check(*sense)
        if sense[0] == 1:
            answer.data = DISC.content(100)
        return answer
    target.status_hook = hook
    assert move(pc, 0x42, 100, 1) == (status, int(status == OK))
    target.status_hook = None
    target.medium = True
    if sense[:2] == (2, 0x3A):
        assert move(pc, 0x42, 100, 1) == (CHANGED, 0)
    check_blocks(pc, DISC, 100)


def test_blocks_before_a_bad_one_are_counted(pc):
    cd(pc).bad_blocks[105] = (3, 0x11, 0, True)
    assert move(pc, 0x42, 100, 10) == (BAD_SECTOR, 5)
    assert pc.peek(BUFFER, 5 * BLOCK) == DISC.read(100, 5)


@pytest.mark.parametrize("fault, status", [(HANG, TIMEOUT), (FREE, READ_FAILED)],
                         ids=["hang", "bus free"])
def test_drive_works_after_a_hang_or_bus_free(pc, fault, status):
    cd(pc).before_status = lambda bus: iter([fault])
    assert move(pc, 0x42, 100, 1) == (status, 0)
    cd(pc).before_status = None
    assert simple_call(pc, 0x00).ah == OK
    if fault is HANG:
        assert move(pc, 0x42, 100, 1) == (CHANGED, 0), "the drive was reset"
    check_blocks(pc, DISC, 100)
    assert transfer(pc, 0x42, 5, 2) == (OK, 2)


def test_missing_drive_returns_80h(pc):
    target = pc.bus.targets.pop(CD_ID)
    assert move(pc, 0x42, 100, 1) == (TIMEOUT, 0)
    assert transfer(pc, 0x42, 5, 2) == (OK, 2)
    pc.bus.targets[CD_ID] = target
    check_blocks(pc, DISC, 100)


@pytest.mark.parametrize("kind", ["alive", "calling"])
def test_int13_in_timer_handler_is_refused_during_a_read(kind):
    """The handler reads drive 80h."""
    pc = with_cd("895A", DISC, {0: Disk()}, timer=TimerInterrupt(kind))
    check_boot(pc, DISC)
    target = cd(pc)

    def hook(bus, data):
        for i in range(8):
            yield from Disk.data_in(data[i * 256:i * 256 + 256])
            yield from target.disconnect(ns=90_000_000)
    target.data_hook = hook
    pc.timer.calls.clear()
    before = pc.timer.ticks
    check_blocks(pc, DISC, 100)
    received = pc.timer.ticks - before
    assert received >= 5
    assert pc.timer.calls == [(NOT_READY, True)] * (received if kind == "calling" else 0)


# ---- Disc changes ----------------------------------------------------------------------


@on_blocks
@pytest.mark.parametrize("attentions", [[MEDIUM_CHANGED], [POWER_ON, MEDIUM_CHANGED]],
                         ids=["changed", "after a reset"])
def test_change_is_reported_once(pc, function, attentions):
    insert(pc, OTHER)
    cd(pc).attentions = list(attentions)
    pc.poke(BUFFER, b"\xEE" * BLOCK)
    assert move(pc, function, 100, 1).status == CHANGED
    assert pc.peek(BUFFER, BLOCK) == b"\xEE" * BLOCK
    assert move(pc, function, 699, 1).status == OK
    assert move(pc, function, 700, 1).status == NOT_FOUND
    check_blocks(pc, OTHER, 690, 5)
    assert struct.unpack_from("<Q", parameters(pc), 16)[0] == 700


@pytest.mark.parametrize("function", [0x16, 0x49, *READY_FUNCTIONS], ids=hexadecimal)
def test_status_functions_report_a_change_once(pc, function):
    insert(pc, OTHER)
    assert [simple_call(pc, function).ah for _ in range(2)] == [CHANGED, OK]
    check_blocks(pc, OTHER, 50)


@on_blocks
def test_removed_and_reinserted_disc(pc, function):
    cd(pc).take_out()
    for _ in range(2):
        assert move(pc, function, 100, 1).status == NO_MEDIUM
    assert [simple_call(pc, f).ah for f in (0x16, 0x49, *READY_FUNCTIONS)] == [NO_MEDIUM] * 6
    insert(pc, OTHER)
    assert move(pc, function, 100, 1).status == CHANGED
    check_blocks(pc, OTHER, 100)


def test_new_disc_may_need_time_to_spin_up(pc):
    insert(pc, OTHER)
    cd(pc).ready_at = pc.chip.now + 3 * SECOND
    assert move(pc, 0x42, 100, 1) == (CHANGED, 0)
    check_blocks(pc, OTHER, 100)


def test_locks_are_counted(pc):
    def lock(al: int) -> tuple[int, int]:
        result = simple_call(pc, 0x45, al=al, changes="ax")
        return result.ah, result.al
    assert [lock(al) for al in (LOCK, LOCK, LOCK_STATE, UNLOCK, UNLOCK, LOCK_STATE)] == [
        (OK, 1), (OK, 1), (OK, 1), (OK, 1), (OK, 0), (OK, 0)]
    assert lock(UNLOCK)[0] == NOT_LOCKED
    assert [c[4] for c in cd(pc).commands if c[0] == PREVENT_ALLOW] == [1, 1, 0]
    assert simple_call(pc, 0x45, al=3).ah == BAD_COMMAND
    assert [lock(LOCK) for _ in range(255)] == [(OK, 1)] * 255
    assert lock(LOCK)[0] == TOO_MANY_LOCKS
    assert simple_call(pc, 0x46, al=0).ah == LOCKED


def test_46h_ejects_the_disc(pc):
    assert simple_call(pc, 0x46, al=0).ah == OK
    assert (cd(pc).ejected, pc.bios.eject_asked) == (1, [CD])
    assert [c[4] for c in cd(pc).commands if c[0] == START_STOP] == [2]
    assert simple_call(pc, 0x46, al=0).ah == NO_MEDIUM
    assert simple_call(pc, 0x46, al=1).ah == BAD_COMMAND
    insert(pc, OTHER)
    assert move(pc, 0x42, 16, 1) == (CHANGED, 0)
    check_blocks(pc, OTHER)


def test_eject_can_be_refused_by_the_bios_or_the_drive(pc):
    pc.bios.eject_answer = 0xB1
    assert simple_call(pc, 0x46, al=0).ah == LOCKED
    pc.bios.eject_answer = 0x86
    cd(pc).status_hook = lambda cdb: cd(pc).check(5, 0x53, 2) if cdb[0] == START_STOP else None
    assert simple_call(pc, 0x46, al=0).ah == NOT_EJECTED
    assert cd(pc).ejected == 0
    check_blocks(pc, DISC)


def test_change_in_one_drive_does_not_affect_another():
    pc = with_cd("895A", DISC, {5: cd_rom(content=OTHER.content, blocks=OTHER.blocks)})
    check_boot(pc, DISC)
    pc.bus.targets[5].insert(DISC.blocks, DISC.content)
    check_blocks(pc, DISC, 100)
    assert move(pc, 0x42, 100, number=0xE1) == (CHANGED, 0)
    check_blocks(pc, DISC, 100, number=0xE1)
    assert simple_call(pc, 0x49).ah == OK


@pytest.mark.parametrize("hardware", ["qemu", "qemu-7.2.0", "86box"])
@variants
def test_cd_works_on_emulated_hardware(variant, hardware):
    pc = with_cd(variant, DISC, {0: Disk()}, hardware=hardware)
    check_boot(pc, DISC)
    for lba, count in ((16, 1), (100, 33), (900, 64)):
        check_blocks(pc, DISC, lba, count)
    cd(pc).take_out()
    assert move(pc, 0x42, 100, 1) == (NO_MEDIUM, 0)
    insert(pc, OTHER)
    assert move(pc, 0x42, 100, 1) == (CHANGED, 0)
    check_blocks(pc, OTHER, 100)
    assert transfer(pc, 0x42, 7, 3) == (OK, 3)


@variants
def test_no_function_writes_to_the_cd(variant):
    """Neither the boot nor any function sends a write command."""
    pc = with_cd(variant, DISC)
    check_boot(pc, DISC)
    for function in range(0x100):
        pc.poke(PACKET, struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, 16))
        pc.int13(range(BUFFER, BUFFER + BLOCK), range(PACKET, PACKET + 0x50), ah=function, al=2,
                 bx=0x55AA, dl=CD, ds=PACKET >> 4, si=PACKET & 15, changes="ax bx cx dx")
    assert not {WRITE10, 0x2E, 0x8A, 0x8E, 0x0A} & set(opcodes(cd(pc)))
    assert boot(pc, *DISC.loads).booted

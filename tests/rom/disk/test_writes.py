# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: functions that read, write, verify and seek, with every count and invalid
arguments, and on disks that do not support a command.
"""

from __future__ import annotations

import contextlib
import struct

import pytest

from tests.model.bus import FREE, MSG_IN, Delay
from tests.model.pc import BUFFER
from tests.model.registers import MS
from tests.model.target import (POWER_ON, READ10, REQUEST_SENSE, SAVE, SEEK10, VERIFY10, WRITE10,
                                WRITE_VERIFY10, Disk, blocks_of)
from tests.rom.disk.transfers import (COUNT, LBA, READS, SEEKS, VERIFIES, WRITES, after_data,
                                      blocks, check_written, moving, with_information, write,
                                      writing)
from tests.rom.strict import (BAD_COMMAND, BOUNDARY, NOT_FOUND, OK, SECOND, TIMEOUT, WRITE_FAULT,
                              by_chs, check_read, check_recovery, covers, disk, expected,
                              hexadecimal, new_data, nothing_sent, opcodes, transfer)

HEADS, SECTORS, CYLINDERS, BLOCKS = 64, 32, 32, 65536       # of the disk at ID 0


def counts(function: int) -> list[int]:
    return [*range(1, 129), *([200] if function >= 0x40 else [])]


def reaches(cdb: bytes, lba: int) -> bool:
    first, count = blocks_of(cdb)
    return first <= lba < first + count


# ---- Valid arguments -----------------------------------------------------------------------


@writing
def test_writes_of_every_count_from_odd_buffers(pc, function):
    for count in counts(function):
        lba, address, data = count * 401 % 60000, BUFFER + count * 3 | 1, new_data(count, count)
        disk(pc).written.clear()
        pc.poke(address, data)
        assert transfer(pc, function, lba, count, address) == (OK, count)
        assert disk(pc).written == blocks(lba, data)
        assert pc.peek(address, len(data)) == data
    assert pc.bus.targets[3].written == {}


@pytest.mark.parametrize("function", READS, ids=hexadecimal)
def test_reads_of_every_count_to_odd_buffers(pc, function):
    for count in counts(function):
        lba, address = count * 401 % 60000, BUFFER + count * 3 | 1
        pc.poke(address - 1, b"\xEE" * (count * 512 + 2))
        assert transfer(pc, function, lba, count, address) == (OK, count)
        assert pc.peek(address - 1, count * 512 + 2) == b"\xEE" + expected(pc, lba, count) + b"\xEE"


@pytest.mark.parametrize("function", VERIFIES, ids=hexadecimal)
def test_verifies_of_every_count_transfer_no_data(pc, function):
    """BYTCHK is 0, and the buffer address is not checked."""
    for count in counts(function):
        lba, sent = count * 401 % 60000, len(disk(pc).commands)
        assert transfer(pc, function, lba, count, 0x10FFEF) == (OK, count)
        commands = disk(pc).commands[sent:]
        assert covers(commands, lba, count)
        assert {(c[0], c[1]) for c in commands} == {(VERIFY10, 0)}


@pytest.mark.parametrize("function", SEEKS, ids=hexadecimal)
@pytest.mark.parametrize("lba", [0, 1, 2047, 40000, BLOCKS - 1])
def test_seek_is_sent_to_the_disk(pc, function, lba):
    """The number of sectors and the buffer are ignored."""
    for count in (0, 1, 200) if function == 0x0C else (1,):
        assert transfer(pc, function, lba, count, 0x10FFEF) == (OK, None)
        command = disk(pc).commands[-1]
        assert (command[0], blocks_of(command)[0]) == (SEEK10, lba)


def test_commands_transfer_less_than_64_kib(pc):
    """Some emulators have a 16-bit count (docs/flow.md)."""
    for function in (0x42, 0x43, 0x44):
        sent = len(disk(pc).commands)
        assert transfer(pc, function, 3, 1000) == (OK, 1000)
        commands = disk(pc).commands[sent:]
        assert covers(commands, 3, 1000)
        assert max(blocks_of(c)[1] for c in commands) == 127


@pytest.mark.parametrize("address", [0x10FFF0 - 512, 0x2FE01, 0x2FFFF, 0x30000 - 512, 0x500],
                         ids=hex)
def test_any_buffer_below_fff0h_in_the_high_memory_area_works(any_pc, address):
    pc = any_pc
    for function in (*READS, *WRITES):
        data = new_data(function, 1)
        pc.poke(address, data)
        assert transfer(pc, function, 9, 1, address) == (OK, 1)
        assert disk(pc).block(9) == pc.peek(address, 512)
        assert (disk(pc).block(9) == data) == (function in WRITES)


@moving
def test_ranges_may_cross_tracks_and_cylinders(pc, function):
    for lba in (SECTORS - 1, HEADS * SECTORS - 1, BLOCKS - 2):
        data = new_data(lba, 2)
        pc.poke(BUFFER, data)
        assert transfer(pc, function, lba, 2) == (OK, 2)
        if function not in VERIFIES:
            assert expected(pc, lba, 2) == pc.peek(BUFFER, 1024)


def test_written_data_can_be_verified_and_read(any_pc):
    for count in (1, 3, 127):
        pc, data = any_pc, new_data(count, count)
        pc.poke(BUFFER + 1, data)
        for function in (0x03, 0x43, 0x04, 0x44, 0x02, 0x42):
            assert transfer(pc, function, 77, count, BUFFER + 1) == (OK, count)
            assert pc.peek(BUFFER + 1, count * 512) == data == expected(pc, 77, count)


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44], ids=hexadecimal)
@pytest.mark.parametrize("al", [0, 1, 2])
def test_count_0_succeeds_without_a_command(pc, function, al):
    with nothing_sent(pc):
        assert transfer(pc, function, 5, 0, al=al) == (OK, 0)


@pytest.mark.parametrize("al, sent", [(0, WRITE10), (1, WRITE10), (2, WRITE_VERIFY10)],
                         ids=hexadecimal)
def test_al_2_of_43h_verifies_the_write(any_pc, al, sent):
    since = len(disk(any_pc).commands)
    assert write(any_pc, al=al) == (OK, COUNT)
    check_written(any_pc)
    if any_pc.hardware == "silicon":
        assert opcodes(disk(any_pc), since) == [sent]


# ---- Invalid arguments ---------------------------------------------------------------------

CHS_ERRORS = {
    "no sectors": (dict(al=0), BAD_COMMAND), "129 sectors": (dict(al=129), BAD_COMMAND),
    "255 sectors": (dict(al=255), BAD_COMMAND),
    "sector 0": (dict(cl=0), NOT_FOUND), "sector 33": (dict(cl=33), NOT_FOUND),
    "sector 63": (dict(cl=63), NOT_FOUND), "head 64": (dict(dh=64), NOT_FOUND),
    "head 255": (dict(dh=255), NOT_FOUND), "cylinder 32": (dict(ch=32), NOT_FOUND),
    "cylinder 1023": (dict(ch=255, cl=0xC1), NOT_FOUND),
    "beyond the end": (dict(ch=31, dh=63, cl=32, al=2), NOT_FOUND),
}


@pytest.mark.parametrize("registers, status", CHS_ERRORS.values(), ids=CHS_ERRORS.keys())
@pytest.mark.parametrize("function", [0x02, 0x03, 0x04, 0x0C], ids=hexadecimal)
def test_invalid_registers_are_refused_without_a_command(pc, function, registers, status):
    if function == 0x0C and "al" in registers:
        status = OK     # a seek ignores the count
    with nothing_sent(pc) if status else contextlib.nullcontext():
        result = by_chs(pc, function, 0, **registers)
    assert (result.ah, result.cf) == (status, status != OK)
    if function != 0x0C:
        assert result.al == 0, "number of good sectors"


PACKET_ERRORS = {
    # lba, count, buffer, packet size
    "size 0": (5, 1, BUFFER, 0, BAD_COMMAND), "size 15": (5, 1, BUFFER, 15, BAD_COMMAND),
    "after the end": (BLOCKS, 1, BUFFER, 16, NOT_FOUND),
    "across the end": (BLOCKS - 1, 2, BUFFER, 16, NOT_FOUND),
    "200 across the end": (BLOCKS - 199, 200, BUFFER, 16, NOT_FOUND),
    "2^32 - 1": (2**32 - 1, 1, BUFFER, 16, NOT_FOUND), "2^32": (2**32, 1, BUFFER, 16, NOT_FOUND),
    "2^32 + 5": (2**32 + 5, 1, BUFFER, 16, NOT_FOUND),
    "2^63": (2**63, 1, BUFFER, 16, NOT_FOUND), "2^64 - 1": (2**64 - 1, 2, BUFFER, 16, NOT_FOUND),
    "buffer beyond": (5, 1, 0x10FFF1 - 512, 16, BOUNDARY),
    "buffer at the end": (5, 1, 0x10FFEE, 16, BOUNDARY),
    "large buffer beyond": (5, 0x3000, BUFFER, 16, BOUNDARY),
}


@pytest.mark.parametrize("lba, count, address, size, status", PACKET_ERRORS.values(),
                         ids=PACKET_ERRORS.keys())
@pytest.mark.parametrize("function", [0x42, 0x43, 0x44, 0x47], ids=hexadecimal)
def test_invalid_packets_are_refused_without_a_command(pc, function, lba, count, address, size,
                                                       status):
    if function in (0x44, 0x47) and status == BOUNDARY:
        address, lba = BUFFER, BLOCKS       # these functions use no buffer
        status = NOT_FOUND
    if function == 0x47 and lba < BLOCKS and status == NOT_FOUND:
        lba = BLOCKS                        # a seek ignores the count
    with nothing_sent(pc):
        outcome = transfer(pc, function, lba, count, address, size=size)
    assert outcome.status == status
    if status != BAD_COMMAND and function != 0x47:
        assert outcome.good == 0


@pytest.mark.parametrize("al", [3, 4, 0x7F, 0x80, 0xFF])
def test_43h_with_other_al_returns_01h(pc, al):
    with nothing_sent(pc):
        assert write(pc, al=al).status == BAD_COMMAND


@pytest.mark.parametrize("function", [0x42, 0x44, 0x47], ids=hexadecimal)
def test_al_is_ignored_by_other_packet_functions(pc, function):
    assert transfer(pc, function, 5, 1, al=0xFF).status == OK


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44, 0x47], ids=hexadecimal)
def test_packet_may_cross_the_end_of_its_segment(pc, function):
    packet = struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, 1234)
    pc.poke(0x3FFF8, packet)
    result = pc.int13(range(0x3FFFA, 0x3FFFC), range(BUFFER, BUFFER + 512), ah=function, al=0,
                      dl=0x80, ds=0x3000, si=0xFFF8)
    assert (result.ah, result.cf) == (OK, False)
    assert blocks_of(disk(pc).commands[-1])[0] == 1234


# ---- Unsupported commands ------------------------------------------------------------------


@pytest.mark.parametrize("function, al, lacks, sent", [
    (0x04, 0, {VERIFY10}, [VERIFY10, READ10]), (0x44, 0, {VERIFY10}, [VERIFY10, READ10]),
    (0x43, 2, {WRITE_VERIFY10}, [WRITE_VERIFY10, WRITE10, VERIFY10]),
    (0x43, 2, {WRITE_VERIFY10, VERIFY10}, [WRITE_VERIFY10, WRITE10, VERIFY10, READ10])],
    ids=["04h", "44h", "43h", "43h without VERIFY"])
def test_unsupported_command_is_replaced(any_pc, function, al, lacks, sent):
    """Data read for a verification is discarded."""
    target = disk(any_pc)
    target.unsupported = lacks
    since = len(target.commands)
    outcome = write(any_pc, function, al=al) if al else transfer(any_pc, function, LBA, COUNT)
    assert outcome == (OK, COUNT)
    for opcode in sent:
        assert covers([c for c in target.commands[since:] if c[0] == opcode], LBA, COUNT)
    assert set(opcodes(target, since)) == {*sent, REQUEST_SENSE}
    if function == 0x43:
        check_written(any_pc)
    check_recovery(any_pc)


@pytest.mark.parametrize("count", [127, 128, 200])
def test_verify_by_read_covers_a_large_range(pc, count):
    disk(pc).unsupported = {VERIFY10}
    since = len(disk(pc).commands)
    assert transfer(pc, 0x44, 5, count) == (OK, count)
    assert covers([c for c in disk(pc).commands[since:] if c[0] == READ10], 5, count)


def disconnecting(target, data, at):
    yield from Disk.data_in(data[:at])
    yield from target.disconnect()
    yield from Disk.data_in(data[at:])


def disconnecting_unsaved(target, data, at):
    """The target resumes at the start of the data."""
    yield from Disk.data_in(data[:at])
    yield from target.disconnect(save=False)
    yield from Disk.data_in(data)


def saving(target, data, at):
    yield from Disk.data_in(data[:at])
    yield MSG_IN, SAVE
    yield from Disk.data_in(data[at:])


def in_pieces(target, data, at):
    step = max(at, 37)
    for i in range(0, len(data), step):
        yield MSG_IN, SAVE
        yield from Disk.data_in(data[i:i + step])


@pytest.mark.parametrize("manner", [disconnecting, disconnecting_unsaved, saving, in_pieces])
@pytest.mark.parametrize("at", [0, 1, 100, 511, 512])
@pytest.mark.parametrize("function, al", [(0x04, 0), (0x44, 0), (0x43, 2)], ids=hexadecimal)
def test_verify_by_read_survives_interrupted_data(pc, function, al, at, manner):
    """No block is read twice, and the bus is not reset."""
    target = disk(pc)
    target.unsupported = {VERIFY10, WRITE_VERIFY10}
    target.data_hook = lambda bus, data: manner(target, data, at)
    since = len(target.commands)
    outcome = write(pc, function, al=al) if al else transfer(pc, function, LBA, COUNT)
    assert outcome == (OK, COUNT)
    assert covers([c for c in target.commands[since:] if c[0] == READ10], LBA, COUNT)
    assert POWER_ON not in pc.bus.targets[3].attentions
    target.data_hook = None
    check_read(pc)


def test_endless_verify_by_read_times_out(pc):
    """The disk repeats SAVE DATA POINTER and data forever."""
    target = disk(pc)
    target.unsupported = {VERIFY10}

    def hook(bus, data):
        while not bus.atn:
            yield MSG_IN, SAVE
            yield from Disk.data_in(data)
            yield Delay(40 * MS)
        yield from target.dismissed(bus, (yield from target.message_out(bus)))
        yield FREE
    target.data_hook = hook
    begun = pc.chip.now
    assert transfer(pc, 0x44, LBA, COUNT) == (TIMEOUT, 0)
    assert 10 * SECOND <= pc.chip.now - begun < 14 * SECOND
    target.data_hook = None
    check_recovery(pc)


@pytest.mark.parametrize("function", SEEKS, ids=hexadecimal)
def test_seek_succeeds_if_the_disk_does_not_support_it(any_pc, function):
    disk(any_pc).unsupported = {SEEK10}
    assert transfer(any_pc, function, LBA).status == OK
    assert transfer(any_pc, 0x47, BLOCKS).status == NOT_FOUND


@writing
def test_write_to_a_disk_without_write_returns_01h(pc, function):
    disk(pc).unsupported = {WRITE10}
    assert write(pc, function) == (BAD_COMMAND, 0)
    check_recovery(pc)


@pytest.mark.parametrize("lacks", [set(), {WRITE_VERIFY10}, {WRITE_VERIFY10, VERIFY10}],
                         ids=["WRITE AND VERIFY", "VERIFY", "READ"])
def test_failed_verification_fails_the_write(pc, lacks):
    """The blocks before the bad one are written and verified."""
    target = disk(pc)
    target.unsupported = lacks
    verifies = READ10 if VERIFY10 in lacks else VERIFY10 if lacks else WRITE_VERIFY10
    target.status_hook = lambda cdb: (after_data(cdb, with_information(target, (3, 0x11, 0), LBA + 1))
                                      if cdb[0] == verifies and reaches(cdb, LBA + 1) else None)
    assert write(pc, al=2) == (WRITE_FAULT, 1)
    target.status_hook = None
    check_recovery(pc)

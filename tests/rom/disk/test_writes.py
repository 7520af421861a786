# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: functions that read, write, verify and seek, with every count, every
wrong argument and every failure. A write is a success only if the disk has all
of it, and what is counted as good is good.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator

import pytest

from tests.model.bus import DATA_OUT, FREE, HANG, MSG_IN, MSG_OUT, RESET, STATUS, Bad, Delay
from tests.model.pc import BUFFER
from tests.model.registers import BF, MDPE, MS, US, DmaFault
from tests.model.target import (BUSY, CHECK_CONDITION, COMPLETE, POWER_ON, QUEUE_FULL, READ10,
                                REJECT, REQUEST_SENSE, RESERVATION_CONFLICT, RESTORE, SAVE, SEEK10,
                                VERIFY10, WRITE10, WRITE_VERIFY10, Answer, Disk, blocks_of)
from tests.rom.strict import (BAD_COMMAND, BAD_SECTOR, BOUNDARY, CONTROLLER, NOT_FOUND, NOT_READY,
                              OK, SECOND, TIMEOUT, WRITE_FAULT, WRITE_PROTECTED, TroubleAt, by_chs,
                              covers, disk, expected, fresh, hexadecimal, lives_on, nothing_sent,
                              opcodes, reads_well, transfer)

READS, WRITES, VERIFIES, SEEKS = (0x02, 0x42), (0x03, 0x43), (0x04, 0x44), (0x0C, 0x47)
MOVING = (*READS, *WRITES, *VERIFIES)
ALL = (*MOVING, *SEEKS)
COMMAND_OF = {**dict.fromkeys(READS, READ10), **dict.fromkeys(WRITES, WRITE10),
              **dict.fromkeys(VERIFIES, VERIFY10), **dict.fromkeys(SEEKS, SEEK10)}
HEADS, SECTORS, CYLINDERS, BLOCKS = 64, 32, 32, 65536       # of the disk at ID 0
LBA, COUNT = 1000, 3
OTHER_INITIATOR = 6
DATA = fresh(1, COUNT)

functions = pytest.mark.parametrize("function", ALL, ids=hexadecimal)
moving = pytest.mark.parametrize("function", MOVING, ids=hexadecimal)
writing = pytest.mark.parametrize("function", WRITES, ids=hexadecimal)


def counts(function: int) -> list[int]:
    return [*range(1, 129), *([200] if function >= 0x40 else [])]


def blocks(lba: int, data: bytes) -> dict[int, bytes]:
    """What Disk.written then holds."""
    return {lba + i: data[i * 512:i * 512 + 512] for i in range(len(data) // 512)}


def reaches(cdb: bytes, lba: int) -> bool:
    first, count = blocks_of(cdb)
    return first <= lba < first + count


def write(pc, function: int = 0x43, **options):
    """Three blocks from an odd buffer."""
    pc.poke(BUFFER + 1, DATA)
    return transfer(pc, function, LBA, COUNT, BUFFER + 1, **options)


def written_well(pc) -> None:
    assert disk(pc).written == blocks(LBA, DATA)


def writes_well(pc) -> None:
    """A write succeeds, and the disk has it all."""
    assert write(pc) == (OK, COUNT)
    written_well(pc)


def write_fails(pc, status: int) -> None:
    """No block counts as good."""
    assert write(pc) == (status, 0)


# ---- Right arguments -------------------------------------------------------------------


@writing
def test_every_count_is_written_from_odd_buffers_and_nothing_else(pc, function):
    for count in counts(function):
        lba, address, data = count * 401 % 60000, BUFFER + count * 3 | 1, fresh(count, count)
        disk(pc).written.clear()
        pc.poke(address, data)
        assert transfer(pc, function, lba, count, address) == (OK, count)
        assert disk(pc).written == blocks(lba, data)
        assert pc.peek(address, len(data)) == data
    assert pc.bus.targets[3].written == {}


@pytest.mark.parametrize("function", READS, ids=hexadecimal)
def test_every_count_is_read_to_odd_buffers(pc, function):
    for count in counts(function):
        lba, address = count * 401 % 60000, BUFFER + count * 3 | 1
        pc.poke(address - 1, b"\xEE" * (count * 512 + 2))
        assert transfer(pc, function, lba, count, address) == (OK, count)
        assert pc.peek(address - 1, count * 512 + 2) == b"\xEE" + expected(pc, lba, count) + b"\xEE"


@pytest.mark.parametrize("function", VERIFIES, ids=hexadecimal)
def test_every_count_is_verified_by_the_disk_alone(pc, function):
    """BYTCHK 0, no data, and the buffer may be anywhere."""
    for count in counts(function):
        lba, sent = count * 401 % 60000, len(disk(pc).commands)
        assert transfer(pc, function, lba, count, 0x10FFEF) == (OK, count)
        commands = disk(pc).commands[sent:]
        assert covers(commands, lba, count)
        assert {(c[0], c[1]) for c in commands} == {(VERIFY10, 0)}


@pytest.mark.parametrize("function", SEEKS, ids=hexadecimal)
@pytest.mark.parametrize("lba", [0, 1, 2047, 40000, BLOCKS - 1])
def test_a_seek_is_sent(pc, function, lba):
    """The number of sectors and the buffer mean nothing."""
    for count in (0, 1, 200) if function == 0x0C else (1,):
        assert transfer(pc, function, lba, count, 0x10FFEF) == (OK, None)
        command = disk(pc).commands[-1]
        assert (command[0], blocks_of(command)[0]) == (SEEK10, lba)


def test_no_command_moves_64_kib(pc):
    """An emulator counts in 16 bits (docs/flow.md)."""
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
        data = fresh(function, 1)
        pc.poke(address, data)
        assert transfer(pc, function, 9, 1, address) == (OK, 1)
        assert disk(pc).block(9) == pc.peek(address, 512)
        assert (disk(pc).block(9) == data) == (function in WRITES)


@moving
def test_a_range_runs_on_over_tracks_and_cylinders_to_the_last_sector(pc, function):
    for lba in (SECTORS - 1, HEADS * SECTORS - 1, BLOCKS - 2):
        data = fresh(lba, 2)
        pc.poke(BUFFER, data)
        assert transfer(pc, function, lba, 2) == (OK, 2)
        if function not in VERIFIES:
            assert expected(pc, lba, 2) == pc.peek(BUFFER, 1024)


def test_what_is_written_is_read_and_verified(any_pc):
    """On all hardware."""
    for count in (1, 3, 127):
        pc, data = any_pc, fresh(count, count)
        pc.poke(BUFFER + 1, data)
        for function in (0x03, 0x43, 0x04, 0x44, 0x02, 0x42):
            assert transfer(pc, function, 77, count, BUFFER + 1) == (OK, count)
            assert pc.peek(BUFFER + 1, count * 512) == data == expected(pc, 77, count)


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44], ids=hexadecimal)
@pytest.mark.parametrize("al", [0, 1, 2])
def test_no_blocks_are_a_success_without_a_command(pc, function, al):
    with nothing_sent(pc):
        assert transfer(pc, function, 5, 0, al=al) == (OK, 0)


@pytest.mark.parametrize("al, sent", [(0, WRITE10), (1, WRITE10), (2, WRITE_VERIFY10)],
                         ids=hexadecimal)
def test_al_of_43h_asks_for_verification(any_pc, al, sent):
    since = len(disk(any_pc).commands)
    assert write(any_pc, al=al) == (OK, COUNT)
    written_well(any_pc)
    if any_pc.hardware == "silicon":
        assert opcodes(disk(any_pc), since) == [sent]


# ---- Wrong arguments -------------------------------------------------------------------


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
def test_wrong_registers_are_refused_and_nothing_is_done(pc, function, registers, status):
    if function == 0x0C and "al" in registers:
        status = OK     # a seek goes to one sector
    with nothing_sent(pc) if status else contextlib.nullcontext():
        result = by_chs(pc, function, 0, **registers)
    assert (result.ah, result.cf) == (status, status != OK)
    if function != 0x0C:
        assert result.al == 0, "good sectors"


PACKET_ERRORS = {
    # lba, count, buffer, packet size
    "size 0": (5, 1, BUFFER, 0, BAD_COMMAND), "size 15": (5, 1, BUFFER, 15, BAD_COMMAND),
    "behind the end": (BLOCKS, 1, BUFFER, 16, NOT_FOUND),
    "over the end": (BLOCKS - 1, 2, BUFFER, 16, NOT_FOUND),
    "200 over the end": (BLOCKS - 199, 200, BUFFER, 16, NOT_FOUND),
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
def test_wrong_packets_are_refused_and_nothing_is_done(pc, function, lba, count, address, size,
                                                       status):
    if function in (0x44, 0x47) and status == BOUNDARY:
        address, lba = BUFFER, BLOCKS       # they have no buffer
        status = NOT_FOUND
    if function == 0x47 and lba < BLOCKS and status == NOT_FOUND:
        lba = BLOCKS                        # and a seek goes to one sector
    with nothing_sent(pc):
        outcome = transfer(pc, function, lba, count, address, size=size)
    assert outcome.status == status
    if status != BAD_COMMAND and function != 0x47:
        assert outcome.good == 0


@pytest.mark.parametrize("al", [3, 4, 0x7F, 0x80, 0xFF])
def test_other_values_of_al_are_refused_by_43h(pc, al):
    with nothing_sent(pc):
        assert write(pc, al=al).status == BAD_COMMAND


@pytest.mark.parametrize("function", [0x42, 0x44, 0x47], ids=hexadecimal)
def test_al_means_nothing_to_the_others(pc, function):
    assert transfer(pc, function, 5, 1, al=0xFF).status == OK


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44, 0x47], ids=hexadecimal)
def test_a_packet_may_lie_across_the_end_of_its_segment(pc, function):
    packet = struct.pack("<BBHHHQ", 16, 0, 1, 0, BUFFER >> 4, 1234)
    pc.poke(0x3FFF8, packet)
    result = pc.int13(range(0x3FFFA, 0x3FFFC), range(BUFFER, BUFFER + 512), ah=function, al=0,
                      dl=0x80, ds=0x3000, si=0xFFF8)
    assert (result.ah, result.cf) == (OK, False)
    assert blocks_of(disk(pc).commands[-1])[0] == 1234


# ---- Disks that lack a command ---------------------------------------------------------


@pytest.mark.parametrize("function, al, lacks, sent", [
    (0x04, 0, {VERIFY10}, [VERIFY10, READ10]), (0x44, 0, {VERIFY10}, [VERIFY10, READ10]),
    (0x43, 2, {WRITE_VERIFY10}, [WRITE_VERIFY10, WRITE10, VERIFY10]),
    (0x43, 2, {WRITE_VERIFY10, VERIFY10}, [WRITE_VERIFY10, WRITE10, VERIFY10, READ10])],
    ids=["04h", "44h", "43h", "43h without VERIFY"])
def test_a_disk_without_the_command_is_served_by_others(any_pc, function, al, lacks, sent):
    """What is read to verify goes nowhere."""
    target = disk(any_pc)
    target.unsupported = lacks
    since = len(target.commands)
    outcome = write(any_pc, function, al=al) if al else transfer(any_pc, function, LBA, COUNT)
    assert outcome == (OK, COUNT)
    for opcode in sent:
        assert covers([c for c in target.commands[since:] if c[0] == opcode], LBA, COUNT)
    assert set(opcodes(target, since)) == {*sent, REQUEST_SENSE}
    if function == 0x43:
        written_well(any_pc)
    lives_on(any_pc)


@pytest.mark.parametrize("count", [127, 128, 200])
def test_a_large_range_is_verified_by_reading_all_of_it(pc, count):
    disk(pc).unsupported = {VERIFY10}
    since = len(disk(pc).commands)
    assert transfer(pc, 0x44, 5, count) == (OK, count)
    assert covers([c for c in disk(pc).commands[since:] if c[0] == READ10], 5, count)


def away(target, data, at):
    yield from Disk.data_in(data[:at])
    yield from target.disconnect()
    yield from Disk.data_in(data[at:])


def away_not_saved(target, data, at):
    """The pointers are where the data began."""
    yield from Disk.data_in(data[:at])
    yield from target.disconnect(save=False)
    yield from Disk.data_in(data)


def saves(target, data, at):
    yield from Disk.data_in(data[:at])
    yield MSG_IN, SAVE
    yield from Disk.data_in(data[at:])


def in_pieces(target, data, at):
    step = max(at, 37)
    for i in range(0, len(data), step):
        yield MSG_IN, SAVE
        yield from Disk.data_in(data[i:i + step])


@pytest.mark.parametrize("manner", [away, away_not_saved, saves, in_pieces])
@pytest.mark.parametrize("at", [0, 1, 100, 511, 512])
@pytest.mark.parametrize("function, al", [(0x04, 0), (0x44, 0), (0x43, 2)], ids=hexadecimal)
def test_a_disk_that_is_verified_by_reading_may_interrupt_its_data(pc, function, al, at, manner):
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
    reads_well(pc)


def test_a_verification_that_never_ends_is_ended_by_its_time_limit(pc):
    """The disk saves its pointers and sends more, for ever."""
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
    lives_on(pc)


@pytest.mark.parametrize("function", SEEKS, ids=hexadecimal)
def test_a_disk_without_seek_needs_none(any_pc, function):
    disk(any_pc).unsupported = {SEEK10}
    assert transfer(any_pc, function, LBA).status == OK
    assert transfer(any_pc, 0x47, BLOCKS).status == NOT_FOUND


@writing
def test_a_disk_without_write_says_so(pc, function):
    disk(pc).unsupported = {WRITE10}
    assert write(pc, function) == (BAD_COMMAND, 0)
    lives_on(pc)


@pytest.mark.parametrize("lacks", [set(), {WRITE_VERIFY10}, {WRITE_VERIFY10, VERIFY10}],
                         ids=["WRITE AND VERIFY", "VERIFY", "READ"])
def test_a_verification_that_fails_fails_the_write(pc, lacks):
    """The blocks before the bad one are written and verified."""
    target = disk(pc)
    target.unsupported = lacks
    verifies = READ10 if VERIFY10 in lacks else VERIFY10 if lacks else WRITE_VERIFY10
    target.status_hook = lambda cdb: (taking(cdb, with_information(target, (3, 0x11, 0), LBA + 1))
                                      if cdb[0] == verifies and reaches(cdb, LBA + 1) else None)
    assert write(pc, al=2) == (WRITE_FAULT, 1)
    target.status_hook = None
    lives_on(pc)


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


def taking(cdb: bytes, answer: Answer) -> Answer:
    """The disk takes the data of a write before it fails."""
    if cdb[0] in (WRITE10, WRITE_VERIFY10):
        answer.wants = blocks_of(cdb)[1] * 512
    return answer


def with_information(target: Disk, sense: tuple[int, int, int], information: int,
                     data: bytes = b"", code: int = 0xF0) -> Answer:
    """CHECK CONDITION behind so much data; its sense data names a block."""
    key, asc, ascq = sense

    def sense_data() -> bytes:
        del target.sense_data
        return (bytes([code, 0, key]) + information.to_bytes(4, "big")
                + bytes([10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0]))
    target.sense_data = sense_data
    return Answer(data, CHECK_CONDITION)


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


# ---- Trouble at every event ------------------------------------------------------------


class TwoBlocks:
    """Two blocks on the disk, overwritten by two others. Each is on the medium
    as soon as it has come; the disk leaves the bus in and behind both."""

    def __init__(self, pc):
        self.pc, self.target, self.seed = pc, disk(pc), 0

    def hook(self, bus, count) -> Iterator:
        data = yield from Disk.data_out(300)
        yield from self.target.disconnect()
        yield from Disk.data_out(100)
        yield from self.target.disconnect(save=False)
        data += yield from Disk.data_out(212)
        self.target.store(self.target.commands[-1], data)
        yield from self.target.disconnect()
        data += yield from Disk.data_out(512)
        self.target.store(self.target.commands[-1], data)
        yield from self.target.disconnect()
        return data

    def overwritten(self) -> bool:
        """Write. Each block is either old or new, and those that count as good
        are new."""
        self.seed += 1
        old, new = blocks(LBA, fresh(-self.seed, 2)), blocks(LBA, fresh(self.seed, 2))
        self.target.written, self.target.write_hook = dict(old), self.hook
        self.pc.poke(BUFFER + 1, b"".join(new.values()))
        status, good = transfer(self.pc, 0x43, LBA, 2, BUFFER + 1)
        now = self.target.written
        assert now.keys() == old.keys()
        assert all(now[lba] in (old[lba], new[lba]) for lba in now)
        assert all(now[LBA + i] == new[LBA + i] for i in range(good))
        assert (good == 2) == (status == OK)
        return status == OK


def interesting(n: int) -> bool:
    """A hang costs 10 virtual seconds, and one byte of data is like another:
    the events that are no data, and one byte in sixteen."""
    return n % 16 == 0 or n < 30 or 290 < n < 340 or 410 < n < 440 or n > 1100


@pytest.mark.parametrize("event", [FREE, RESET, HANG], ids=repr)
def test_trouble_at_the_nth_bus_event_of_a_write_for_every_n(pc, event):
    two, good = TwoBlocks(pc), 0
    for n in filter(lambda n: event is not HANG or interesting(n), range(1, 3000)):
        disk(pc).session = trouble = TroubleAt(disk(pc), n, event)
        good += two.overwritten()
        del disk(pc).session
        lives_on(pc)
        if trouble.done:
            break
    assert trouble.done and n > 1124, "every byte of CDB, data, status and messages"
    if event is HANG:
        assert good == 1, "not tried again"
    else:
        assert good > n - 20, "tried again, if the disk has not left for ever"


@pytest.mark.parametrize("cause", [BF, MDPE], ids=["BF", "MDPE"])
def test_a_pci_fault_at_the_nth_memory_access_of_a_write_for_every_n(pc, cause):
    chip, two, left = pc.chip, TwoBlocks(pc), [0]
    real = {name: getattr(chip, name) for name in ("_read_main", "_write_main")}

    def counted(access):
        def call(*arguments):
            left[0] -= 1
            if left[0] == 0:
                raise DmaFault(cause)
            return access(*arguments)
        return call
    for n in range(1, 2000):
        left[0] = n
        for name, access in real.items():
            setattr(chip, name, counted(access))
        good = two.overwritten()
        assert good == (left[0] > 0), "a fault is reported, not tried again"
        left[0] = 0     # no more faults
        lives_on(pc)
        if good:
            break
    assert good and n > 25


def test_a_bus_reset_at_every_moment_of_a_write(pc):
    two = TwoBlocks(pc)

    def reset_after(ns):
        yield Delay(ns)
        yield RESET
    for ns in range(1, 450 * US, 2_300):
        pc.bus.begin(OTHER_INITIATOR, reset_after(ns))
        two.overwritten()
        lives_on(pc)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: disks with blocks of 1024, 2048 and 4096 bytes, which are drives of
512-byte sectors to a caller. Whatever the alignment, all sectors that are read
or written are the right ones and no other one changes.
"""

from __future__ import annotations

import functools
import random
from collections.abc import Callable

import pytest

from tests.model.bios import EBDA_KIB, MEMORY_SIZE, Bios
from tests.model.bus import FREE, HANG, RESET, STATUS
from tests.model.devices import FwCfg
from tests.model.hardware import HARDWARE
from tests.model.pc import BUFFER, Pc
from tests.model.target import READ10, SEEK10, VERIFY10, WRITE10, Answer, Disk, blocks_of
from tests.rom.strict import (BAD_COMMAND, BAD_SECTOR, CONTROLLER, NOT_FOUND, OK, TIMEOUT,
                              VARIANTS, WRITE_FAULT, TroubleAt, asks, by_packet, disk, edd, fresh,
                              hexadecimal, new_pc, nothing_sent, opcodes, transfer)

SIZES = [1024, 2048, 4096]
BLOCKS = 20000
READS, WRITES, VERIFIES, SEEKS = (0x02, 0x42), (0x03, 0x43), (0x04, 0x44), (0x0C, 0x47)
COUNTS = range(1, 21)
HIGH = 0x200001     # odd, above 1 MiB: no CPU gets there
NATIVE = "opt/lsi8xx-rom/native-blocks"

reading = pytest.mark.parametrize("function", READS, ids=hexadecimal)
writing = pytest.mark.parametrize("function", WRITES, ids=hexadecimal)
sized = pytest.mark.parametrize("size", SIZES)


@functools.cache
def content(size: int, lba: int) -> bytes:
    return random.Random(lba).randbytes(size)


def large_disk(size: int, kind: type[Disk] = Disk, **options) -> Disk:
    return kind(**{"blocks": BLOCKS, "block_bytes": size,
                   "content": functools.partial(content, size), **options})


def with_blocks(size: int, variant: str = "895A", **options) -> Pc:
    """The disk at ID 0 has large blocks, that at ID 3 has not."""
    return new_pc(variant, {0: large_disk(size), 3: Disk(content=lambda lba: bytes([3]) * 512)},
                  **options)


@pytest.fixture(params=[(size, variant) for size in SIZES for variant in VARIANTS],
                ids=lambda p: f"{p[0]}-{p[1]}")
def pc(request) -> Pc:
    return with_blocks(*request.param)


@pytest.fixture(params=VARIANTS)
def pc_1024(request) -> Pc:
    """Where every place in a block is tried."""
    return with_blocks(1024, request.param)


def per_block(pc: Pc) -> int:
    return disk(pc).block_bytes // 512


def sectors(pc: Pc, lba: int, count: int) -> bytes:
    """What is on the disk now."""
    split = per_block(pc)
    first, last = lba // split, (lba + count - 1) // split
    data = b"".join(disk(pc).block(b) for b in range(first, last + 1))
    return data[lba % split * 512:][:count * 512]


def touched(pc: Pc, lba: int, count: int) -> set[int]:
    """Blocks of the disk with one of these sectors."""
    split = per_block(pc)
    return set(range(lba // split, (lba + count - 1) // split + 1))


class Written:
    """A write, and what has become of the sectors of it and around it."""

    def __init__(self, pc: Pc, lba: int, count: int, seed: int, address: int = BUFFER + 1,
                 function: int = 0x43, **options):
        self.blocks = sorted(touched(pc, lba, count))
        split = per_block(pc)
        start = self.blocks[0] * split
        self.new, disk(pc).written = fresh(seed, count), {}
        old = sectors(pc, start, len(self.blocks) * split)
        pc.poke(address, self.new)
        self.status, self.good = transfer(pc, function, lba, count, address, **options)
        now = sectors(pc, start, len(self.blocks) * split)
        ahead = (lba - start) * 512
        self.old, self.now = old[ahead:][:count * 512], now[ahead:][:count * 512]
        assert disk(pc).written.keys() <= set(self.blocks)
        assert now[:ahead] == old[:ahead], "sectors before"
        assert now[ahead + count * 512:] == old[ahead + count * 512:], "sectors behind"

    def well(self) -> bool:
        return self.status == OK and self.good * 512 == len(self.new) and self.now == self.new

    def honestly(self) -> bool:
        """What counts as good is new; what does not is old or new."""
        assert (self.status == OK) == (self.good * 512 == len(self.new))
        assert self.now[:self.good * 512] == self.new[:self.good * 512]
        for at in range(0, len(self.new), 512):
            assert self.now[at:at + 512] in (self.old[at:at + 512], self.new[at:at + 512])
        return self.status == OK


def reads_well(pc: Pc, lba: int, count: int, address: int = BUFFER + 1, **options) -> None:
    pc.poke(address, b"\xEE" * count * 512)
    assert transfer(pc, 0x42, lba, count, address, **options) == (OK, count)
    assert pc.peek(address, count * 512) == sectors(pc, lba, count)


# ---- Every alignment and count ---------------------------------------------------------


@reading
def test_every_alignment_and_count_is_read(pc, function):
    for ahead in range(per_block(pc)):
        for count in COUNTS:
            lba, address = 800 + ahead, BUFFER + count * 3 | 1
            pc.poke(address, b"\xEE" * count * 512)
            assert transfer(pc, function, lba, count, address) == (OK, count)
            assert pc.peek(address, count * 512) == sectors(pc, lba, count)


@writing
def test_every_alignment_and_count_is_written(pc, function):
    for ahead in range(per_block(pc)):
        for count in COUNTS:
            assert Written(pc, 800 + ahead, count, count, BUFFER + count * 3 | 1, function).well()


@pytest.mark.parametrize("lba, count", [(0, 127), (1, 127), (3, 128), (5, 200), (8, 1000),
                                        (7, 1000)])
def test_large_ranges_are_read_and_written(pc, lba, count):
    assert Written(pc, lba, count, count).well()
    reads_well(pc, lba, count)


def test_flat_buffers_above_1_mib_are_read_and_written(pc):
    for ahead in range(per_block(pc)):
        for count in (1, 2, 7, 9, 20):
            lba = 800 + ahead
            assert Written(pc, lba, count, count, HIGH, flat=HIGH, size=24).well()
            reads_well(pc, lba, count, HIGH, flat=HIGH, size=24)


def test_the_caller_sees_512_byte_sectors(pc):
    total = BLOCKS * per_block(pc)
    answer = edd(pc)
    assert (answer.sectors, answer.sector_bytes) == (total, 512)
    kind = pc.int13(changes="ah cx dx", ah=0x15, dl=0x80)
    assert kind.cx << 16 | kind.dx == total
    reads_well(pc, total - 3, 3)
    assert Written(pc, total - 3, 3, 1).well()
    for function in (*READS[1:], *WRITES[1:], *VERIFIES[1:]):
        with nothing_sent(pc):
            assert transfer(pc, function, total - 2, 3) == (NOT_FOUND, 0)


@writing
@pytest.mark.parametrize("blocks", [1, 2, 15])
def test_whole_blocks_are_written_without_reading(pc, function, blocks):
    since, split = len(disk(pc).commands), per_block(pc)
    assert Written(pc, 800, blocks * split, 1, function=function).well()
    assert set(opcodes(disk(pc), since)) == {WRITE10}


def test_only_blocks_at_the_edges_are_read_for_a_write(pc):
    since, split = len(disk(pc).commands), per_block(pc)
    assert Written(pc, 801, 5 * split, 1).well()
    read = [blocks_of(c) for c in disk(pc).commands[since:] if c[0] == READ10]
    assert read == [(800 // split, 1), ((801 + 5 * split) // split, 1)]


@pytest.mark.parametrize("al, opcode", [(0, 0x2A), (1, 0x2A), (2, 0x2E)], ids=hexadecimal)
def test_al_of_43h_holds_for_parts_of_blocks(pc, al, opcode):
    since = len(disk(pc).commands)
    assert Written(pc, 801, 12, 1, al=al).well()
    assert set(opcodes(disk(pc), since)) == {READ10, opcode}


@pytest.mark.parametrize("lacks", [{0x2E}, {0x2E, 0x2F}], ids=["VERIFY", "READ"])
def test_parts_are_verified_by_a_disk_that_cannot_do_both_at_once(pc, lacks):
    disk(pc).unsupported = lacks
    for lba, count in ((800, 1), (801, 12), (807, 2), (803, 5)):
        assert Written(pc, lba, count, count, al=2).well()


def test_a_medium_that_changes_between_the_halves_of_a_write_is_not_written_to():
    """What was read of the old block has no place on the new medium."""
    pc = new_pc("895A", {0: large_disk(4096, removable=True), 3: Disk()})
    target = disk(pc)

    def hook(cdb):
        if cdb[0] != WRITE10:
            return None
        target.status_hook = None
        target.insert()
        return target.execute(cdb)
    target.status_hook = hook
    assert transfer(pc, 0x43, 801, 2) == (0x06, 0)
    assert target.written == {}
    assert Written(pc, 801, 2, 1).well()


@sized
def test_media_of_all_sizes_fit_a_removable_drive(size):
    """Whatever was in it during POST."""
    for first in (512, size):
        pc = new_pc("895A", {0: large_disk(first, removable=True), 3: Disk()})
        for next_size in (size, 512, 4096, first):
            disk(pc).insert(BLOCKS, functools.partial(content, next_size), next_size)
            assert transfer(pc, 0x42, 801, 3) == (0x06, 0)
            reads_well(pc, 801, 21)
            assert Written(pc, 801, 21, 1).well()
            assert edd(pc).sectors == BLOCKS * next_size // 512


def test_a_part_is_verified_with_its_block(pc):
    for ahead in range(per_block(pc)):
        for count in (*COUNTS, 127, 128):
            since = len(disk(pc).commands)
            assert transfer(pc, 0x44, 800 + ahead, count) == (OK, count)
            verified = [blocks_of(c) for c in disk(pc).commands[since:]]
            assert {VERIFY10} == set(opcodes(disk(pc), since))
            assert ({b for first, n in verified for b in range(first, first + n)}
                    == touched(pc, 800 + ahead, count))


def test_a_disk_without_verify_is_read_in_its_blocks(pc):
    disk(pc).unsupported = {VERIFY10}
    since = len(disk(pc).commands)
    assert transfer(pc, 0x44, 803, 20) == (OK, 20)
    read = [blocks_of(c) for c in disk(pc).commands[since:] if c[0] == READ10]
    assert {b for first, n in read for b in range(first, first + n)} == touched(pc, 803, 20)


@pytest.mark.parametrize("function", SEEKS, ids=hexadecimal)
def test_a_seek_goes_to_the_block(pc, function):
    for lba in (0, 1, 7, 8, 15, 16, 999):
        assert transfer(pc, function, lba).status == OK
        assert disk(pc).commands[-1][0] == SEEK10
        assert blocks_of(disk(pc).commands[-1])[0] == lba // per_block(pc)


def test_a_partition_table_in_a_large_block_decides_the_geometry():
    """It is in the first 512 bytes."""
    cylinder = 16 * 63
    entry = bytes([0x80, 1, 1, 0, 6, 15, 63, 99]) + (63).to_bytes(4, "little") + (
        100 * cylinder - 63).to_bytes(4, "little")
    mbr = (bytes(446) + entry).ljust(510, b"\0") + b"\x55\xAA"
    for size in SIZES:
        target = large_disk(size)
        target.written[0] = mbr + content(size, 0)[512:]
        answer = edd(new_pc("895A", {0: target}))
        assert (answer.heads, answer.sectors_per_track) == (16, 63)


@pytest.mark.parametrize("hardware", [t for t in HARDWARE if t != "86box"])
@pytest.mark.parametrize("size", [512, *SIZES])
def test_large_blocks_on_all_hardware(hardware, size):
    """But 86Box, where there are none."""
    pc = new_pc("895A", {0: large_disk(size, HARDWARE[hardware].disk)}, hardware=hardware)
    for ahead in range(per_block(pc)):
        for count in (1, 2, 7, 8, 9, 16, 17, 127):
            assert Written(pc, 800 + ahead, count, count).well()
            reads_well(pc, 800 + ahead, count)


# ---- Halves that fail ------------------------------------------------------------------


RANGES = {
    # first sector, sectors; of blocks of 4096 bytes
    "one edge, front": (800, 3), "one edge, back": (805, 3), "one edge, inside": (802, 3),
    "edge and blocks": (803, 21), "blocks and edge": (800, 21), "both edges": (805, 30),
    "two edges alone": (806, 4),
}
ranges = pytest.mark.parametrize("lba, count", RANGES.values(), ids=RANGES.keys())


def at_nth_access(target: Disk, n: int, act: Callable[[bytes], Answer | None]) -> list[bytes]:
    """Something happens to the nth command that reads or writes, and to each
    after it for the same blocks. Returns where its CDB will be."""
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
def test_a_write_whose_nth_command_fails_is_honest_for_every_n(lba, count, key, asc):
    pc = with_blocks(4096)
    target = disk(pc)
    for n in range(1, 9):
        hit = at_nth_access(target, n, lambda cdb: target.check(key, asc))
        write = Written(pc, lba, count, n)
        assert write.honestly() == (not hit)
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
def test_an_edge_that_cannot_be_read_is_not_written(lba, count):
    pc = with_blocks(4096)
    target = disk(pc)
    since = len(target.commands)
    target.status_hook = lambda cdb: target.check(3, 0x11) if cdb[0] == READ10 else None
    write = Written(pc, lba, count, 1)
    assert not write.honestly()
    edges = {lba // 8} if lba % 8 else {(lba + count - 1) // 8}
    wrote = {blocks_of(c)[0] for c in target.commands[since:] if c[0] == WRITE10}
    assert not wrote & edges
    target.status_hook = None
    assert Written(pc, lba, count, 1).well()


@ranges
def test_an_edge_that_can_only_be_read_stays_as_it_was(lba, count):
    pc = with_blocks(4096)
    target = disk(pc)
    target.status_hook = lambda cdb: target.check(3, 0x0C) if cdb[0] == WRITE10 else None
    write = Written(pc, lba, count, 1)
    assert (write.status, write.good, write.now) == (WRITE_FAULT, 0, write.old)


@pytest.mark.parametrize("bad", range(100, 105))
@pytest.mark.parametrize("valid", [True, False], ids=["valid", "invalid"])
@pytest.mark.parametrize("function", [*READS, *WRITES, *VERIFIES], ids=hexadecimal)
def test_sectors_before_a_bad_block_are_good(function, bad, valid):
    """The disk names a block; the caller hears of sectors: 803 to 837."""
    pc = with_blocks(4096)
    disk(pc).bad_blocks = {bad: (3, 0x11, 0, valid)}
    if function in WRITES:
        write = Written(pc, 803, 35, 1, function=function)
        assert not write.honestly()
        good = write.good
    else:
        status, good = transfer(pc, function, 803, 35)
        assert status == BAD_SECTOR
        assert function in VERIFIES or pc.peek(BUFFER, good * 512) == sectors(pc, 803, good)
    reached = max(0, bad * 8 - 803)
    assert good == reached if valid else good <= reached


@pytest.mark.parametrize("event", [FREE, RESET], ids=repr)
@pytest.mark.parametrize("lba, count", [(801, 2), (801, 1)], ids=["two edges", "one edge"])
def test_trouble_at_the_nth_bus_event_of_a_write_of_parts(pc_1024, lba, count, event):
    """READ and WRITE of one or two blocks: whatever happens to them."""
    pc, good = pc_1024, 0
    steps = range(1, count * 2 * 1100, 29)
    for n in steps:
        disk(pc).session = TroubleAt(disk(pc), n, event)
        good += Written(pc, lba, count, n).honestly()
        del disk(pc).session
        lives_on_with_blocks(pc)
    assert good == len(steps), "tried again"


@pytest.mark.parametrize("at", [0, 1, 511, 512, 513, 1023], ids=str)
@pytest.mark.parametrize("opcode", [READ10, WRITE10], ids=hexadecimal)
def test_a_hang_in_a_part_of_a_block_is_a_time_out(pc_1024, opcode, at):
    pc, target = pc_1024, disk(pc_1024)

    def data_in(bus, data):
        yield from Disk.data_in(data[:at])
        yield HANG

    def data_out(bus, count):
        yield from Disk.data_out(at)
        yield HANG
    target.data_hook, target.write_hook = (
        (data_in, None) if opcode == READ10 else (None, data_out))
    write = Written(pc, 801, 1, 1)
    assert (write.status, write.good, write.now) == (TIMEOUT, 0, write.old)
    lives_on_with_blocks(pc)


@pytest.mark.parametrize("function", READS, ids=hexadecimal)
@pytest.mark.parametrize("size", [512, 1024])
def test_a_bad_block_of_an_earlier_call_says_nothing_of_a_later_one(function, size):
    pc = new_pc("895A", {0: large_disk(size)})

    def hang(bus, data):
        yield HANG
    disk(pc).bad_blocks = {1005 * 512 // size: (3, 0x11, 0, True)}
    assert transfer(pc, function, 1000, 8).good
    disk(pc).bad_blocks, disk(pc).data_hook = {}, hang
    assert transfer(pc, function, 1000, 8) == (TIMEOUT, 0)


def lives_on_with_blocks(pc: Pc) -> None:
    target = disk(pc)
    target.data_hook = target.write_hook = target.status_hook = None
    assert transfer(pc, 0x42, 1, 1, drive=0x81) == (OK, 1)
    assert pc.peek(BUFFER, 512) == bytes([3]) * 512
    reads_well(pc, 803, 5)


# ---- Disconnections --------------------------------------------------------------------


PLACES = sorted({0, 1, 511, 512, 513, 1023, 1024, 1025, 1535, 1536, 1537, 2047, 2048,
                 *range(3, 2048, 38)})


@pytest.mark.parametrize("save", [True, False], ids=["saved", "not-saved"])
def test_disconnecting_anywhere_in_a_block_that_is_read_loses_nothing(pc_1024, save):
    """Sectors 801 and 802, with those around them for nobody."""
    pc, target = pc_1024, disk(pc_1024)

    def leaves_at(at):
        def hook(bus, data):
            yield from Disk.data_in(data[:at])
            yield from target.disconnect(save)
            yield from Disk.data_in(data[at if save else 0:])
        return hook
    for at in PLACES:
        target.data_hook = leaves_at(at)
        reads_well(pc, 801, 2)
        reads_well(pc, 801, 3)


@pytest.mark.parametrize("save", [True, False], ids=["saved", "not-saved"])
def test_disconnecting_anywhere_in_a_block_that_is_written_loses_nothing(pc_1024, save):
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
        assert Written(pc, 801, 2, at).well()
        assert Written(pc, 800, 4, at).well()


def test_odd_pieces_of_parts(pc_1024):
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
            assert Written(pc, lba, count, count).well()
            reads_well(pc, lba, count)


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1023, 1024, 1536, 2047])
def test_too_little_of_a_block_is_never_success(pc_1024, length):
    pc, target = pc_1024, disk(pc_1024)
    target.data_hook = lambda bus, data: Disk.data_in(data[:min(length, len(data) - 1)])
    assert transfer(pc, 0x42, 801, 2) == (CONTROLLER, 0)
    write = Written(pc, 801, 1, 1)
    assert (write.status, write.good, write.now) == (CONTROLLER, 0, write.old)
    target.data_hook = None
    target.write_hook = lambda bus, count: Disk.data_out(min(length, count - 1))
    write = Written(pc, 801, 2, 1)
    assert (write.status, write.good, write.now) == (CONTROLLER, 0, write.old)
    lives_on_with_blocks(pc)


@pytest.mark.parametrize("at", [0, 1, 511, 512, 513, 1023], ids=str)
@pytest.mark.parametrize("status", [0, 0xFF], ids=hexadecimal)
@pytest.mark.parametrize("lba, count", [(801, 1), (800, 1), (800, 2)],
                         ids=["second half", "first half", "whole"])
def test_a_disk_that_wants_more_behind_its_status_gets_nothing(pc_1024, lba, count, status, at):
    pc = pc_1024

    def goes_on(bus, size):
        first = yield from Disk.data_out(at)
        yield STATUS, status
        return first + (yield from Disk.data_out(size - at))
    disk(pc).write_hook = goes_on
    write = Written(pc, lba, count, at)
    if (status, at, count) == (0xFF, 512, 1):   # between two segments it is as if it had not come
        assert write.well()
    else:
        assert (write.status, write.good, write.now) == (CONTROLLER, 0, write.old)
    lives_on_with_blocks(pc)


@pytest.mark.parametrize("first", [0, 2, 8, 0x18, 0xFF], ids=hexadecimal)
def test_two_statuses_and_no_data_are_never_success(pc_1024, first):
    pc = pc_1024

    def none(*_):
        yield STATUS, first
        return b""
    disk(pc).data_hook = disk(pc).write_hook = none
    pc.poke(BUFFER, bytes(512))
    assert transfer(pc, 0x42, 801, 1) == (CONTROLLER, 0)
    write = Written(pc, 800, 2, 1)
    assert (write.status, write.good, write.now) == (CONTROLLER, 0, write.old)
    lives_on_with_blocks(pc)


# ---- Blocks as they are ----------------------------------------------------------------


def native(size: int, file: bytes = b"1") -> Pc:
    return with_blocks(size, fwcfg=FwCfg({NATIVE: file}))


@sized
@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 31, 63, 64, 100])
def test_a_switch_shows_blocks_as_they_are(size, count):
    pc, memory = native(size), 0x200000
    data = fresh(count, count * size // 512)
    pc.poke(memory, data)
    for function in (0x43, 0x42, 0x44):
        result = by_packet(pc, function, 5, count, flat=memory, size=24, block_bytes=size)
        assert (result.ah, result.cf) == (OK, False)
        assert pc.peek(memory, len(data)) == data
    assert disk(pc).written == {5 + i: data[i * size:(i + 1) * size] for i in range(count)}
    answer = edd(pc)
    assert (answer.sectors, answer.sector_bytes) == (BLOCKS, size)
    assert transfer(pc, 0x44, BLOCKS - 1, 2) == (NOT_FOUND, 0)


@sized
@pytest.mark.parametrize("count", [1, 3])
def test_blocks_as_they_are_fit_a_plain_packet(size, count):
    """Segment and offset, as for sectors of 512 bytes."""
    pc = native(size)
    data = fresh(count, count * size // 512)
    pc.poke(BUFFER, data)
    assert by_packet(pc, 0x43, 5, count, block_bytes=size).ah == OK
    assert disk(pc).written == {5 + i: data[i * size:(i + 1) * size] for i in range(count)}
    pc.poke(BUFFER, bytes(len(data)))
    assert by_packet(pc, 0x42, 5, count, block_bytes=size).ah == OK
    assert pc.peek(BUFFER, len(data)) == data


@sized
@pytest.mark.parametrize("function", [0x02, 0x03, 0x04, 0x0C, 0x08], ids=hexadecimal)
def test_a_drive_with_its_own_blocks_has_no_geometry(size, function):
    pc = native(size)
    with nothing_sent(pc):
        changes = "ah" if function in (0x08, 0x0C) else "ax"
        assert asks(pc, function, changes, al=1, ch=0, cl=1, dh=0).ah == BAD_COMMAND


@sized
def test_the_geometry_of_a_drive_without_one_is_not_valid(size):
    """Though it would account for every block."""
    pc = new_pc("895A", {0: large_disk(size, blocks=20480)}, fwcfg=FwCfg({NATIVE: b"1"}))
    assert edd(pc).flags & 2 == 0


def test_the_switch_is_for_large_blocks_only():
    pc = native(4096)
    assert edd(pc, 0x81)[5:] == (65536, 512)
    assert transfer(pc, 0x02, 5, 1, drive=0x81) == (OK, 1)


@pytest.mark.parametrize("file", [b"0", b"", b"\0", b"2"], ids=repr)
def test_anything_else_in_the_switch_is_off(file):
    pc = native(2048, file)
    assert edd(pc).sector_bytes == 512
    reads_well(pc, 801, 3)


# ---- Sizes that are refused, and memory ------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 128, 256, 511, 513, 520, 528, 1000, 1536, 3072, 4097,
                                  4160, 8192, 65536, 2**31, 2**32 - 1])
def test_other_sizes_are_refused_by_name(size):
    target = Disk()
    target.capacity_data = lambda: (999).to_bytes(4, "big") + size.to_bytes(4, "big")
    pc = new_pc("895A", {0: target, 3: Disk()})
    assert f"ID 0 LUN 0 BENCH STRICT DISK: blocks of {size} bytes are not supported" in pc.text
    assert "80h: SCSI 00:04.0 ID 3" in pc.text and "81h" not in pc.text
    assert READ10 not in opcodes(target)
    lives_on_at_80h(pc)


def lives_on_at_80h(pc: Pc) -> None:
    assert transfer(pc, 0x42, 77, 1) == (OK, 1)
    assert pc.peek(BUFFER, 512) == Disk().block(77)


def kept(pc: Pc) -> int:
    """Bytes of memory that nobody else can have now."""
    lowered = (EBDA_KIB - pc.word(MEMORY_SIZE)) * 1024
    return lowered + sum(len(b.place) for b in pc.bios.memory.blocks if b.permanent)


@pytest.mark.parametrize("pmm", ["1.01", "1.00", "absent", "refusing"])
def test_memory_for_a_block_is_kept_only_where_it_is_needed(pmm):
    def boot(*disks: Disk) -> Pc:
        return new_pc("895A", dict(enumerate(disks)), bios=Bios(pmm=pmm))
    small = boot(Disk(), Disk())
    for disks in ([large_disk(4096)], [Disk(), large_disk(1024)], [large_disk(2048)] * 2):
        large = boot(*disks)
        assert kept(large) - kept(small) == 4096
        assert all(block.permanent for block in large.bios.memory.blocks), "given back"
        assert transfer(large, 0x42, 803, 5) == (OK, 5)
    refused = Disk()
    refused.capacity_data = lambda: (999).to_bytes(4, "big") + (520).to_bytes(4, "big")
    assert kept(boot(Disk(), refused)) == kept(small)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: disks around and above 2^32 sectors. 16-byte commands are sent only where
10-byte ones do not reach. 08h, 15h and 48h return the size, or the nearest value
that fits.
"""

from __future__ import annotations

import pytest

from tests.model.devices import FwCfg
from tests.model.pc import BUFFER, Pc
from tests.model.target import (READ10, READ16, READ_CAPACITY, READ_CAPACITY16, SEEK10, VERIFY10,
                                VERIFY16, WRITE10, WRITE16, WRITE_VERIFY10, WRITE_VERIFY16, Disk,
                                blocks_of)
from tests.rom.strict import (NOT_FOUND, OK, VARIANTS, edd, expected, hexadecimal, new_data, new_pc,
                              nothing_sent, opcodes, transfer)

LIMIT = 1 << 32
TIB = 1 << 31       # in sectors
SIZES = [LIMIT - 1, LIMIT, LIMIT + 1, LIMIT + 127, 3 * TIB, 1 << 40]
LARGE = [size for size in SIZES if size > LIMIT]
SHORT, LONG = 0, 1
# function and AL: the 10-byte and the 16-byte command
COMMANDS = {(0x42, 0): (READ10, READ16), (0x43, 0): (WRITE10, WRITE16),
            (0x43, 2): (WRITE_VERIFY10, WRITE_VERIFY16), (0x44, 0): (VERIFY10, VERIFY16)}

sized = pytest.mark.parametrize("size", SIZES, ids=hex)
large = pytest.mark.parametrize("size", LARGE, ids=hex)
commands = pytest.mark.parametrize("function, al", COMMANDS, ids=hexadecimal)


def with_disk(size: int, variant: str = "895A", **options) -> Pc:
    return new_pc(variant, {0: Disk(blocks=size), 3: Disk()}, **options)


def check_transfer(pc: Pc, function: int, al: int, lba: int, count: int) -> list[int]:
    """Transfers these sectors and checks the data. Returns the opcodes sent."""
    target, data = pc.bus.targets[0], new_data(lba, count)
    since = len(target.commands)
    target.written.clear()
    pc.poke(BUFFER, data)
    assert transfer(pc, function, lba, count, al=al) == (OK, count)
    if function == 0x43:
        assert target.written == {lba + i: data[i * 512:][:512] for i in range(count)}
    elif function == 0x42:
        assert pc.peek(BUFFER, count * 512) == expected(pc, lba, count)
    else:
        assert pc.peek(BUFFER, count * 512) == data
    return opcodes(target, since)


# ---- Size --------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@sized
def test_48h_returns_the_size(variant, size):
    """READ CAPACITY(16) is sent only if READ CAPACITY(10) returns FFFFFFFFh."""
    pc = with_disk(size, variant)
    asked = opcodes(pc.bus.targets[0])
    assert (READ_CAPACITY in asked, READ_CAPACITY16 in asked) == (True, size >= LIMIT)
    answer = edd(pc)
    assert (answer.sectors, answer.sector_bytes, answer.flags) == (size, 512, 0x0009)


@sized
def test_15h_returns_at_most_ffffffffh(size):
    pc = with_disk(size)
    result = pc.int13(changes="ah cx dx", ah=0x15, dl=0x80)
    assert (result.ah, result.cx << 16 | result.dx) == (3, min(size, LIMIT - 1))


@sized
def test_08h_returns_the_largest_geometry(size):
    pc = with_disk(size)
    result = pc.int13(changes="ax bl cx dx", ah=0x08, dl=0x80)
    assert (result.ch | (result.cl & 0xC0) << 2, result.dh, result.cl & 0x3F) == (1023, 254, 63)
    answer = edd(pc)
    assert (answer.heads, answer.sectors_per_track) == (255, 63)
    assert answer.cylinders in {min(size, LIMIT - 1) // (255 * 63), size // (255 * 63)}
    assert pc.int13(range(BUFFER, BUFFER + 512), changes="ax", ah=0x02, al=1, ch=0xFF, cl=0xFF,
                    dh=254, dl=0x80, es=BUFFER >> 4, bx=0).ah == OK
    assert pc.peek(BUFFER, 512) == pc.bus.targets[0].block(1024 * 255 * 63 - 1)


@pytest.mark.parametrize("blocks, block_bytes", [(LIMIT // 8, 4096), (LIMIT // 8 + 1, 4096),
                                                 (LIMIT - 1, 4096), (LIMIT, 4096),
                                                 (LIMIT + 1, 1024), (3 * TIB // 4, 2048)])
def test_large_disks_with_large_blocks(blocks, block_bytes):
    pc = new_pc("895A", {0: Disk(blocks=blocks, block_bytes=block_bytes)})
    split = block_bytes // 512
    total = blocks * split
    assert edd(pc).sectors == total
    for lba in (total - 1, total - split, total - 3, LIMIT - 1, LIMIT, LIMIT + 5):
        if lba < total:
            assert transfer(pc, 0x42, lba, 1) == (OK, 1)
            block = pc.bus.targets[0].block(lba // split)
            assert pc.peek(BUFFER, 512) == block[lba % split * 512:][:512]
    assert transfer(pc, 0x42, total, 1) == (NOT_FOUND, 0)
    assert (READ16 in opcodes(pc.bus.targets[0])) == (blocks > LIMIT)


# ---- Command forms -------------------------------------------------------------------------


@commands
@pytest.mark.parametrize("lba, count, form", [
    (0, 1, SHORT), (LIMIT // 2, 127, SHORT), (LIMIT - 1, 1, SHORT), (LIMIT - 127, 127, SHORT),
    (LIMIT - 1, 2, LONG), (LIMIT - 126, 127, LONG), (LIMIT, 1, LONG), (LIMIT + 1, 100, LONG),
    (3 * TIB - 127, 127, LONG), (3 * TIB - 1, 1, LONG)],
    ids=["first", "middle", "last short", "up to the limit", "over the limit", "mostly below",
         "at the limit", "above", "the end", "the last"])
def test_16_byte_commands_are_sent_only_if_needed(function, al, lba, count, form):
    pc = with_disk(3 * TIB)
    assert set(check_transfer(pc, function, al, lba, count)) == {COMMANDS[function, al][form]}


@commands
@pytest.mark.parametrize("lba, count", [(LIMIT - 200, 300), (LIMIT - 127, 254),
                                        (LIMIT - 500, 1000)])
@pytest.mark.parametrize("variant", VARIANTS)
def test_call_may_cross_the_limit(variant, function, al, lba, count):
    assert set(check_transfer(with_disk(3 * TIB, variant), function, al, lba, count)) == set(
        COMMANDS[function, al])


@commands
def test_disk_that_ends_at_the_limit_gets_no_16_byte_command(function, al):
    """Such a disk may not support them."""
    for size in (LIMIT - 1, LIMIT):
        pc = with_disk(size)
        for lba, count in ((size - 1, 1), (size - 127, 127), (size - 200, 200)):
            assert set(check_transfer(pc, function, al, lba, count)) == {COMMANDS[function, al][SHORT]}


@pytest.mark.parametrize("function", [0x42, 0x43, 0x44, 0x47], ids=hexadecimal)
@sized
def test_access_past_end_returns_04h(size, function):
    pc = with_disk(size)
    counts = (1,) if function == 0x47 else (1, 2, 127, 200)
    for count in counts:
        assert transfer(pc, function, size - count, count).status == OK
        for lba in (size - count + 1, size, size + LIMIT, 2**63, 2**64 - count):
            with nothing_sent(pc):
                assert transfer(pc, function, lba, count).status == NOT_FOUND


@large
def test_lba_is_not_truncated_to_32_bits(size):
    """A sector written above the limit does not appear below it."""
    pc = with_disk(size)
    check_transfer(pc, 0x43, 0, LIMIT, 1)
    assert pc.bus.targets[0].written.keys() == {LIMIT}
    assert transfer(pc, 0x42, 0, 1) == (OK, 1)
    assert pc.peek(BUFFER, 512) == Disk().block(0)


@large
def test_seek_above_the_limit_is_only_checked(size):
    pc = with_disk(size)
    target = pc.bus.targets[0]
    for lba in (0, LIMIT - 1):
        assert transfer(pc, 0x47, lba).status == OK
        assert (target.commands[-1][0], blocks_of(target.commands[-1])[0]) == (SEEK10, lba)
    for lba in (LIMIT, size - 1):
        with nothing_sent(pc):
            assert transfer(pc, 0x47, lba).status == OK
    assert transfer(pc, 0x47, size).status == NOT_FOUND


@pytest.mark.parametrize("lacks, function, al, sent", [
    ({VERIFY16}, 0x44, 0, {VERIFY16, READ16}), ({WRITE_VERIFY16}, 0x43, 2,
                                               {WRITE_VERIFY16, WRITE16, VERIFY16}),
    ({WRITE_VERIFY16, VERIFY16}, 0x43, 2, {WRITE_VERIFY16, WRITE16, VERIFY16, READ16})],
    ids=["VERIFY", "WRITE AND VERIFY", "both"])
def test_unsupported_16_byte_command_is_replaced(lacks, function, al, sent):
    pc = with_disk(3 * TIB)
    pc.bus.targets[0].unsupported = lacks
    assert set(check_transfer(pc, function, al, LIMIT + 5, 20)) - {0x03} == sent


@commands
def test_bad_block_above_the_limit_has_no_information(function, al):
    """VALID is clear then, and no sector counts as good."""
    pc = with_disk(3 * TIB)
    pc.bus.targets[0].bad_blocks = {LIMIT + 7: (3, 0x11, 0, True)}
    assert transfer(pc, function, LIMIT + 5, 5, al=al) == (0xCC if function == 0x43 else 0x10, 0)


# ---- READ CAPACITY(16) that fails or is wrong ----------------------------------------------


def with_capacity_data(**answers) -> Disk:
    """A disk of 3 TiB that returns `short` and `long` as its capacity data."""
    target = Disk(blocks=3 * TIB)
    if "short" in answers:
        target.capacity_data = lambda: answers["short"]
    if "long" in answers:
        target.capacity16_data = lambda: answers["long"]
    return target


def long_answer(last: int, block_bytes: int = 512, length: int = 32) -> bytes:
    return (last.to_bytes(8, "big") + block_bytes.to_bytes(4, "big") + bytes(20))[:length]


def check_other_disk(pc: Pc, drive: int) -> None:
    assert transfer(pc, 0x42, 77, 1, drive=drive) == (OK, 1)
    assert pc.peek(BUFFER, 512) == Disk().block(77)


@pytest.mark.parametrize("asc", [0x20, 0x24])
def test_without_read_capacity_16_2_tib_are_served(asc):
    target = Disk(blocks=3 * TIB)
    target.status_hook = lambda cdb: target.check(5, asc) if cdb[0] == READ_CAPACITY16 else None
    pc = new_pc("895A", {0: target, 3: Disk()})
    assert edd(pc).sectors in (LIMIT - 1, LIMIT)
    assert transfer(pc, 0x42, LIMIT - 2, 1) == (OK, 1)
    assert pc.peek(BUFFER, 512) == target.block(LIMIT - 2)
    assert transfer(pc, 0x42, LIMIT, 1) == (NOT_FOUND, 0)
    check_other_disk(pc, 0x81)


REFUSED = {
    "2^64 blocks": long_answer(2**64 - 1), "2^63 blocks": long_answer(2**63 - 1),
    "blocks of 0 bytes": long_answer(3 * TIB - 1, 0),
    "blocks of 520 bytes": long_answer(3 * TIB - 1, 520),
    "blocks of 4096 bytes": long_answer(3 * TIB - 1, 4096),
    "blocks of 2^32-1 bytes": long_answer(3 * TIB - 1, 2**32 - 1),
    "11 bytes": long_answer(3 * TIB - 1, length=11), "no data": b"",
    "all ones": b"\xFF" * 32, "zeros": bytes(32),
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED.keys())
def test_invalid_read_capacity_16_data_is_refused(data):
    target = with_capacity_data(long=data)
    pc = new_pc("895A", {0: target, 3: Disk()})
    assert "ID 0 LUN 0 BENCH STRICT DISK: " in pc.text
    assert pc.peek(0x475, 1) == b"\1"
    assert READ10 not in opcodes(target)
    check_other_disk(pc, 0x80)


@pytest.mark.parametrize("blocks", [1, 2, 100, TIB, LIMIT - 1, LIMIT, 2 * TIB + 5], ids=hex)
def test_smaller_size_of_read_capacity_16_is_used(blocks):
    target = with_capacity_data(long=long_answer(blocks - 1))
    pc = new_pc("895A", {0: target, 3: Disk()})
    assert edd(pc).sectors == blocks
    assert transfer(pc, 0x42, blocks - 1, 1) == (OK, 1)
    assert pc.peek(BUFFER, 512) == target.block(blocks - 1)
    assert transfer(pc, 0x42, blocks, 1) == (NOT_FOUND, 0)
    check_other_disk(pc, 0x81)


def test_access_past_the_real_end_returns_04h():
    pc = new_pc("895A", {0: with_capacity_data(long=long_answer(2**40 - 1)), 3: Disk()})
    assert edd(pc).sectors == 2**40
    assert transfer(pc, 0x42, 3 * TIB - 1, 2) == (NOT_FOUND, 0)
    assert transfer(pc, 0x43, 3 * TIB - 1, 2) == (NOT_FOUND, 0)


def test_12_bytes_of_read_capacity_16_data_are_sufficient():
    """Older disks return no more."""
    pc = new_pc("895A", {0: with_capacity_data(long=long_answer(3 * TIB - 1, length=12)), 3: Disk()})
    assert edd(pc).sectors == 3 * TIB


def test_disk_of_2_to_the_32_blocks():
    pc = with_disk(LIMIT)
    assert edd(pc).sectors == LIMIT
    assert transfer(pc, 0x42, LIMIT - 1, 1) == (OK, 1)
    assert transfer(pc, 0x42, LIMIT, 1) == (NOT_FOUND, 0)


@large
def test_native_blocks_of_a_large_disk(size):
    pc = new_pc("895A", {0: Disk(blocks=size, block_bytes=4096)},
                fwcfg=FwCfg({"opt/lsi8xx-rom/native-blocks": b"1"}))
    answer = edd(pc)
    assert (answer.sectors, answer.sector_bytes) == (size, 4096)
    pc.poke(BUFFER, new_data(1, 8))
    assert transfer(pc, 0x43, size - 1, 1) == (OK, 1)
    assert pc.bus.targets[0].written == {size - 1: new_data(1, 8)}


GIB, PIB, EIB = TIB >> 10, TIB << 10, TIB << 20


@pytest.mark.parametrize("sectors, text", [
    (1, "0 MiB"), (2047, "0 MiB"), (2048, "1 MiB"), (GIB, "1024 MiB"),
    (10 * GIB - 1, "10239 MiB"), (10 * GIB, "10 GiB"), (2 * TIB - 1, "2047 GiB"),
    (10 * TIB - 1, "10239 GiB"), (10 * TIB, "10 TiB"),
    (4 * PIB - 1, "4095 TiB"), (4 * PIB, "4096 TiB"), (4 * PIB + 1, "4096 TiB"),
    (10 * PIB - 1, "10239 TiB"), (10 * PIB, "10 PiB"), (8 * EIB, "8192 PiB"),
    (10 * EIB - 1, "10239 PiB"), (10 * EIB, "10 EiB"), ((1 << 56) - 1, "31 EiB")])
def test_size_is_printed_in_a_unit_of_which_there_are_10_to_10239(sectors, text):
    """2^56 blocks are refused as not plausible."""
    pc = new_pc("895A", {0: Disk(blocks=sectors)})
    assert f" STRICT DISK {text}, 512-byte blocks\r\n" in pc.text


@pytest.mark.parametrize("native", [False, True])
def test_size_of_the_largest_disk_with_large_blocks(native):
    pc = new_pc("895A", {0: Disk(blocks=(1 << 56) - 1, block_bytes=4096)},
                fwcfg=FwCfg({"opt/lsi8xx-rom/native-blocks": b"1"} if native else {}))
    assert " STRICT DISK 255 EiB, 4096-byte blocks\r\n" in pc.text

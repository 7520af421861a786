# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: helpers for tests of functions that read, write, verify and seek."""

from __future__ import annotations

import pytest

from tests.model.pc import BUFFER
from tests.model.target import CHECK_CONDITION, WRITE10, WRITE_VERIFY10, Answer, Disk, blocks_of
from tests.rom.strict import disk, hexadecimal, new_data, transfer

READS, WRITES, VERIFIES, SEEKS = (0x02, 0x42), (0x03, 0x43), (0x04, 0x44), (0x0C, 0x47)
MOVING = (*READS, *WRITES, *VERIFIES)
LBA, COUNT = 1000, 3
DATA = new_data(1, COUNT)
moving = pytest.mark.parametrize("function", MOVING, ids=hexadecimal)
writing = pytest.mark.parametrize("function", WRITES, ids=hexadecimal)


def blocks(lba: int, data: bytes) -> dict[int, bytes]:
    """The value of Disk.written after these blocks are written."""
    return {lba + i: data[i * 512:i * 512 + 512] for i in range(len(data) // 512)}


def write(pc, function: int = 0x43, **options):
    """Writes three blocks from a buffer at an odd address."""
    pc.poke(BUFFER + 1, DATA)
    return transfer(pc, function, LBA, COUNT, BUFFER + 1, **options)


def check_written(pc) -> None:
    assert disk(pc).written == blocks(LBA, DATA)


def after_data(cdb: bytes, answer: Answer) -> Answer:
    """An answer before which the disk takes the data of a write."""
    if cdb[0] in (WRITE10, WRITE_VERIFY10):
        answer.wants = blocks_of(cdb)[1] * 512
    return answer


def with_information(target: Disk, sense: tuple[int, int, int], information: int,
                     data: bytes = b"", code: int = 0xF0) -> Answer:
    """CHECK CONDITION after this data, with sense data that names a block."""
    key, asc, ascq = sense

    def sense_data() -> bytes:
        del target.sense_data
        return (bytes([code, 0, key]) + information.to_bytes(4, "big")
                + bytes([10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0]))
    target.sense_data = sense_data
    return Answer(data, CHECK_CONDITION)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: devices whose INQUIRY, READ CAPACITY or sense data is short, long
or nonsense, and devices that are no disks. POST names what it cannot use, and
serves the honest disk beside it.
"""

from __future__ import annotations

import pytest

from tests.model.bus import DATA_IN, FREE, HANG, MSG_IN, STATUS
from tests.model.pc import BUFFER
from tests.model.target import BUSY, CHECK_CONDITION, COMPLETE, QUEUE_FULL, Answer, Disk, cd_rom
from tests.rom.strict import OK, VARIANTS, new_pc

HONEST = "80h: SCSI 00:04.0 ID 3"


@pytest.fixture(params=VARIANTS)
def beside(request):
    """Boot with a device at ID 0 and an honest disk at ID 3."""
    def boot(device):
        return new_pc(request.param, {0: device, 3: Disk()})
    return boot


def honest_disk_works(pc, drive: int = 0x80) -> None:
    pc.poke(BUFFER, b"\xEE" * 512)
    assert pc.read(77, 1, drive=drive).ah == OK
    assert pc.peek(BUFFER, 512) == Disk().block(77)


# ---- INQUIRY ----------------------------------------------------------------------------


def answering(data: bytes) -> Disk:
    disk = Disk()
    disk.inquiry_data = lambda: data
    return disk


INQUIRIES = {
    # what the device says: whether it is a drive, what POST prints of it
    "nothing": (b"", False, "wrong data length"),
    "four bytes": (bytes(4), False, "wrong data length"),
    "five bytes": (bytes(5), True, "80h: SCSI 00:04.0 ID 0 LUN 0"),
    "nine bytes": (bytes(8) + b"X", True, "80h: SCSI 00:04.0 ID 0 LUN 0 X"),
    "binary": (bytes(8) + bytes(range(28)), True, "80h: SCSI 00:04.0 ID 0 LUN 0"),
    "all ones": (b"\xFF" * 36, False, None),
    "no such LUN": (b"\x7F" + bytes(35), False, None),
    "LUN not connected": (b"\x20" + bytes(35), False, None),
    "a processor": (b"\x03" + bytes(35), False, None),
    "a tape": (b"\x01\x80" + bytes(34), False, None),
}


@pytest.mark.parametrize("data, drive, line", INQUIRIES.values(), ids=INQUIRIES.keys())
def test_strange_inquiry_data(beside, data, drive, line):
    pc = beside(answering(data))
    if line:
        assert line in pc.text
    if not drive:
        assert ("ID 0" in pc.text) == (line is not None)
        assert HONEST in pc.text
    assert all(c in "\r\n" or " " <= c <= "~" for c in pc.text)
    honest_disk_works(pc, 0x81 if drive else 0x80)


def test_more_inquiry_data_than_asked_for(beside):
    """Only bad manners."""
    disk = Disk()
    disk.execute = lambda cdb: (Answer(disk.inquiry_data() + b"more") if cdb[0] == 0x12
                                else Disk.execute(disk, cdb))
    pc = beside(disk)
    assert "80h: SCSI 00:04.0 ID 0 LUN 0 BENCH STRICT DISK" in pc.text
    honest_disk_works(pc)


def test_a_cd_rom_is_left_to_others(beside):
    pc = beside(cd_rom())
    assert HONEST in pc.text and "ID 0" not in pc.text
    honest_disk_works(pc)


# ---- READ CAPACITY -------------------------------------------------------------------------


def capacity(last: int, block_bytes: int) -> bytes:
    return last.to_bytes(4, "big") + block_bytes.to_bytes(4, "big")


@pytest.mark.parametrize("data", [b"", b"\0", capacity(999, 512)[:7]], ids=["0", "1", "7"])
def test_too_little_capacity_data(beside, data):
    disk = Disk()
    disk.capacity_data = lambda: data
    pc = beside(disk)
    assert "ID 0 LUN 0 BENCH STRICT DISK: wrong data length" in pc.text
    assert HONEST in pc.text
    honest_disk_works(pc)


def test_too_much_capacity_data(beside):
    disk = Disk()
    disk.capacity_data = lambda: capacity(999, 512) + b"\0"
    pc = beside(disk)
    assert "ID 0 LUN 0 BENCH STRICT DISK: wrong data length" in pc.text
    honest_disk_works(pc)


@pytest.mark.parametrize("size", [0, 1, 3, 256, 511, 513, 520, 4097, 8192, 0x80000000,
                                  0xFFFFFFFF])
def test_other_block_sizes_are_refused_by_name(beside, size):
    disk = Disk()
    disk.capacity_data = lambda: capacity(999, size)
    pc = beside(disk)
    assert f"ID 0 LUN 0 BENCH STRICT DISK: blocks of {size} bytes are not supported" in pc.text
    assert HONEST in pc.text
    honest_disk_works(pc)


@pytest.mark.parametrize("last, sectors", [
    (0, 1), (1, 2), (0xFFFFFFFE, 0xFFFFFFFF)])
def test_the_smallest_and_the_largest_disks(beside, last, sectors):
    disk = Disk(blocks=1 << 32)
    disk.capacity_data = lambda: capacity(last, 512)
    pc = beside(disk)
    result = pc.int13(changes="ah cx dx", ah=0x15, dl=0x80)
    assert (result.cx << 16 | result.dx) == sectors
    assert pc.read(sectors - 1, 1).ah == OK
    assert pc.peek(BUFFER, 512) == disk.block(sectors - 1)
    assert pc.read(sectors, 1).ah == 0x04


def test_a_disk_smaller_than_it_said(beside):
    disk = Disk(blocks=100)
    disk.capacity_data = lambda: capacity(999, 512)
    pc = beside(disk)
    assert pc.read(99, 1).ah == OK
    assert pc.read(99, 2).ah == 0x04
    assert pc.read(100, 1).ah == 0x04


# ---- Sense data ------------------------------------------------------------------------------


SENSES = {
    "seven bytes": bytes([0x70, 0, 3, 0, 0, 0, 0]),
    "no additional length": bytes([0x70, 0, 3, 0, 0, 0, 0, 0]) + b"\xFF" * 10,
    "additional length beyond": bytes([0x70, 0, 3, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0x11, 0, 0, 0, 0,
                                       0]),
    "valid bit and information": bytes([0xF0, 0, 3, 1, 2, 3, 4, 10, 0, 0, 0, 0, 0x11, 0, 0, 0, 0,
                                        0]),
    "filemark bits": bytes([0x70, 0, 0xE3, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0]),
}


@pytest.mark.parametrize("sense", SENSES.values(), ids=SENSES.keys())
def test_a_medium_error_however_it_is_said(beside, sense):
    disk = Disk()
    pc = beside(disk)
    disk.status_hook = lambda cdb: Answer(status=CHECK_CONDITION) if cdb[0] == 0x28 else None
    disk.sense_data = lambda: sense
    assert pc.read(0, 1).ah == 0x10
    honest_disk_works(pc, 0x81)


def test_sense_data_longer_than_asked_for(beside):
    disk = Disk()
    pc = beside(disk)
    disk.status_hook = lambda cdb: disk.check(3, 0x11) if cdb[0] == 0x28 else None
    disk.execute = lambda cdb: (Answer(disk.sense_data() + bytes(40)) if cdb[0] == 0x03
                                else Disk.execute(disk, cdb))
    assert pc.read(0, 1).ah == 0x10
    honest_disk_works(pc, 0x81)


@pytest.mark.parametrize("answer, status", [
    (Answer(status=BUSY), 0xFF), (Answer(status=QUEUE_FULL), 0xFF),
    (Answer(status=CHECK_CONDITION), 0xFF)], ids=["BUSY", "QUEUE FULL", "CHECK CONDITION"])
def test_request_sense_that_is_refused(beside, answer, status):
    disk = Disk()
    pc = beside(disk)
    disk.status_hook = lambda cdb: Answer(status=CHECK_CONDITION) if cdb[0] == 0x28 else None
    disk.execute = lambda cdb: answer if cdb[0] == 0x03 else Disk.execute(disk, cdb)
    assert pc.read(0, 1).ah == status
    honest_disk_works(pc, 0x81)


def test_a_disk_that_frees_the_bus_in_request_sense(beside):
    disk = Disk()
    pc = beside(disk)
    disk.status_hook = lambda cdb: Answer(status=CHECK_CONDITION) if cdb[0] == 0x28 else None
    life = disk.session

    def session(bus):
        if disk.commands and disk.commands[-1][0] == 0x28:
            yield FREE
            disk.commands.append(b"\0")
        else:
            yield from life(bus)
    disk.session = session
    assert pc.read(0, 1).cf
    honest_disk_works(pc, 0x81)


# ---- POST does not hang or die ------------------------------------------------------------


@pytest.mark.parametrize("life, line", [
    (lambda bus: iter([HANG]), "timed out"),
    (lambda bus: iter([FREE]), "bus error"),
    (lambda bus: iter([(STATUS, 0), (MSG_IN, COMPLETE)]), "wrong data length"),
    (lambda bus: iter([(DATA_IN, bytes(100))]), "bus error"),
], ids=["hangs", "leaves", "answers nothing", "data and nothing else"])
def test_a_device_that_does_not_even_answer_inquiry(beside, life, line):
    disk = Disk()
    disk.session = life
    pc = beside(disk)
    assert f"ID 0 LUN 0  : {line}" in pc.text
    assert HONEST in pc.text
    honest_disk_works(pc)


def every_id(variant: str) -> list[int]:
    return [i for i in range({"895A": 16, "810": 8}[variant]) if i != 7]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_bus_with_invalid_answers_leaves_nothing_behind(variant):
    pc = new_pc(variant, {i: answering(bytes(i % 5)) for i in every_id(variant)})
    assert "no disk" in pc.text and "80h" not in pc.text
    assert pc.workspace is None


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_disk_at_every_id(variant):
    ids = every_id(variant)
    pc = new_pc(variant, {i: Disk(content=lambda lba, i=i: bytes([i]) * 512) for i in ids})
    for number, i in enumerate(ids, 0x80):
        assert f"{number:X}h: SCSI 00:04.0 ID {i} " in pc.text
        assert (pc.read(1, 1, drive=number).ah, pc.peek(BUFFER, 512)) == (OK, bytes([i]) * 512)

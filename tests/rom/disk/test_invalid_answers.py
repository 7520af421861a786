# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: devices that return short, long or invalid INQUIRY, READ CAPACITY or sense
data, and devices that are not disks. POST reports what it cannot use, and serves
the valid disk on the same bus.
"""

from __future__ import annotations

import pytest

from tests.model.bus import DATA_IN, FREE, HANG, MSG_IN, STATUS
from tests.model.faults import MEDIUM_ERRORS
from tests.model.pc import BUFFER
from tests.model.target import BUSY, CHECK_CONDITION, COMPLETE, QUEUE_FULL, Answer, Disk, cd_rom
from tests.rom.strict import OK, VARIANTS, new_pc

VALID_DISK = "80h: SCSI 00:04.0 ID 3"


@pytest.fixture(params=VARIANTS)
def boot_beside(request):
    """Boots with a device at ID 0 and a valid disk at ID 3."""
    def boot(device):
        return new_pc(request.param, {0: device, 3: Disk()})
    return boot


def check_valid_disk(pc, drive: int = 0x80) -> None:
    pc.poke(BUFFER, b"\xEE" * 512)
    assert pc.read(77, 1, drive=drive).ah == OK
    assert pc.peek(BUFFER, 512) == Disk().block(77)


# ---- INQUIRY ----------------------------------------------------------------------------


def with_inquiry_data(data: bytes) -> Disk:
    disk = Disk()
    disk.inquiry_data = lambda: data
    return disk


INQUIRIES = {
    # INQUIRY data: is the device a drive, and what POST prints for it
    "no data": (b"", False, "wrong data length"),
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
def test_invalid_inquiry_data(boot_beside, data, drive, line):
    pc = boot_beside(with_inquiry_data(data))
    if line:
        assert line in pc.text
    if not drive:
        assert ("ID 0" in pc.text) == (line is not None)
        assert VALID_DISK in pc.text
    assert all(c in "\r\n" or " " <= c <= "~" for c in pc.text)
    check_valid_disk(pc, 0x81 if drive else 0x80)


def test_excess_inquiry_data_is_accepted(boot_beside):
    disk = Disk()
    disk.execute = lambda cdb: (Answer(disk.inquiry_data() + b"more") if cdb[0] == 0x12
                                else Disk.execute(disk, cdb))
    pc = boot_beside(disk)
    assert "80h: SCSI 00:04.0 ID 0 LUN 0 BENCH STRICT DISK" in pc.text
    check_valid_disk(pc)


def test_cd_rom_is_not_a_disk(boot_beside):
    pc = boot_beside(cd_rom())
    assert VALID_DISK in pc.text and "ID 0" not in pc.text
    check_valid_disk(pc)


# ---- READ CAPACITY -------------------------------------------------------------------------


def capacity(last: int, block_bytes: int) -> bytes:
    return last.to_bytes(4, "big") + block_bytes.to_bytes(4, "big")


@pytest.mark.parametrize("data", [b"", b"\0", capacity(999, 512)[:7]], ids=["0", "1", "7"])
def test_short_capacity_data_is_reported(boot_beside, data):
    disk = Disk()
    disk.capacity_data = lambda: data
    pc = boot_beside(disk)
    assert "ID 0 LUN 0 BENCH STRICT DISK: wrong data length" in pc.text
    assert VALID_DISK in pc.text
    check_valid_disk(pc)


def test_long_capacity_data_is_reported(boot_beside):
    disk = Disk()
    disk.capacity_data = lambda: capacity(999, 512) + b"\0"
    pc = boot_beside(disk)
    assert "ID 0 LUN 0 BENCH STRICT DISK: wrong data length" in pc.text
    check_valid_disk(pc)


@pytest.mark.parametrize("size", [0, 1, 3, 256, 511, 513, 520, 4097, 8192, 0x80000000,
                                  0xFFFFFFFF])
def test_unsupported_block_size_is_reported(boot_beside, size):
    disk = Disk()
    disk.capacity_data = lambda: capacity(999, size)
    pc = boot_beside(disk)
    assert f"ID 0 LUN 0 BENCH STRICT DISK: blocks of {size} bytes are not supported" in pc.text
    assert VALID_DISK in pc.text
    check_valid_disk(pc)


@pytest.mark.parametrize("last, sectors", [
    (0, 1), (1, 2), (0xFFFFFFFE, 0xFFFFFFFF)])
def test_smallest_and_largest_capacities(boot_beside, last, sectors):
    disk = Disk(blocks=1 << 32)
    disk.capacity_data = lambda: capacity(last, 512)
    pc = boot_beside(disk)
    result = pc.int13(changes="ah cx dx", ah=0x15, dl=0x80)
    assert (result.cx << 16 | result.dx) == sectors
    assert pc.read(sectors - 1, 1).ah == OK
    assert pc.peek(BUFFER, 512) == disk.block(sectors - 1)
    assert pc.read(sectors, 1).ah == 0x04


def test_disk_smaller_than_its_capacity_data(boot_beside):
    disk = Disk(blocks=100)
    disk.capacity_data = lambda: capacity(999, 512)
    pc = boot_beside(disk)
    assert pc.read(99, 1).ah == OK
    assert pc.read(99, 2).ah == 0x04
    assert pc.read(100, 1).ah == 0x04


# ---- Sense data ------------------------------------------------------------------------------


@pytest.mark.parametrize("sense", MEDIUM_ERRORS.values(), ids=MEDIUM_ERRORS)
def test_medium_error_in_any_sense_format(boot_beside, sense):
    disk = Disk()
    pc = boot_beside(disk)
    disk.status_hook = lambda cdb: Answer(status=CHECK_CONDITION) if cdb[0] == 0x28 else None
    disk.sense_data = lambda: sense
    assert pc.read(0, 1).ah == 0x10
    check_valid_disk(pc, 0x81)


def test_excess_sense_data_is_accepted(boot_beside):
    disk = Disk()
    pc = boot_beside(disk)
    disk.status_hook = lambda cdb: disk.check(3, 0x11) if cdb[0] == 0x28 else None
    disk.execute = lambda cdb: (Answer(disk.sense_data() + bytes(40)) if cdb[0] == 0x03
                                else Disk.execute(disk, cdb))
    assert pc.read(0, 1).ah == 0x10
    check_valid_disk(pc, 0x81)


@pytest.mark.parametrize("answer, status", [
    (Answer(status=BUSY), 0xFF), (Answer(status=QUEUE_FULL), 0xFF),
    (Answer(status=CHECK_CONDITION), 0xFF)], ids=["BUSY", "QUEUE FULL", "CHECK CONDITION"])
def test_refused_request_sense_returns_ffh(boot_beside, answer, status):
    disk = Disk()
    pc = boot_beside(disk)
    disk.status_hook = lambda cdb: Answer(status=CHECK_CONDITION) if cdb[0] == 0x28 else None
    disk.execute = lambda cdb: answer if cdb[0] == 0x03 else Disk.execute(disk, cdb)
    assert pc.read(0, 1).ah == status
    check_valid_disk(pc, 0x81)


def test_bus_free_in_request_sense_is_an_error(boot_beside):
    disk = Disk()
    pc = boot_beside(disk)
    disk.status_hook = lambda cdb: Answer(status=CHECK_CONDITION) if cdb[0] == 0x28 else None
    real_session = disk.session

    def session(bus):
        if disk.commands and disk.commands[-1][0] == 0x28:
            yield FREE
            disk.commands.append(b"\0")
        else:
            yield from real_session(bus)
    disk.session = session
    assert pc.read(0, 1).cf
    check_valid_disk(pc, 0x81)


# ---- POST always ends -----------------------------------------------------------------------


@pytest.mark.parametrize("session, line", [
    (lambda bus: iter([HANG]), "timed out"),
    (lambda bus: iter([FREE]), "bus error"),
    (lambda bus: iter([(STATUS, 0), (MSG_IN, COMPLETE)]), "wrong data length"),
    (lambda bus: iter([(DATA_IN, bytes(100))]), "bus error"),
], ids=["hang", "bus free", "no data", "data only"])
def test_device_without_inquiry_data_is_reported(boot_beside, session, line):
    disk = Disk()
    disk.session = session
    pc = boot_beside(disk)
    assert f"ID 0 LUN 0  : {line}" in pc.text
    assert VALID_DISK in pc.text
    check_valid_disk(pc)


def every_id(variant: str) -> list[int]:
    return [i for i in range({"895A": 16, "810": 8}[variant]) if i != 7]


@pytest.mark.parametrize("variant", VARIANTS)
def test_invalid_devices_only_leave_no_trace(variant):
    pc = new_pc(variant, {i: with_inquiry_data(bytes(i % 5)) for i in every_id(variant)})
    assert "no disk" in pc.text and "80h" not in pc.text
    assert pc.workspace is None


@pytest.mark.parametrize("variant", VARIANTS)
def test_disk_at_every_id(variant):
    ids = every_id(variant)
    pc = new_pc(variant, {i: Disk(content=lambda lba, i=i: bytes([i]) * 512) for i in ids})
    for number, i in enumerate(ids, 0x80):
        assert f"{number:X}h: SCSI 00:04.0 ID {i} " in pc.text
        assert (pc.read(1, 1, drive=number).ah, pc.peek(BUFFER, 512)) == (OK, bytes([i]) * 512)

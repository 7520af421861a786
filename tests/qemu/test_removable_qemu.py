# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A removable disk: insertion, removal and change of the medium through QMP,
lock and tray state as QEMU reports them (ring 2).
"""

from __future__ import annotations

import struct

import pytest

from tests.qemu.agent import assemble
from tests.qemu.calls import (BAD_COMMAND, CHANGED, DRIVE, NOT_FOUND, NO_MEDIUM, OK, SECTOR, Image,
                              bench, block, written_disk)

pytestmark = pytest.mark.qemu("removable media")

NOT_LOCKED, LOCKED, NOT_REMOVABLE, LOCK_COUNT = 0xB0, 0xB1, 0xB2, 0xB4

FIXED = DRIVE + 1
LOCK, UNLOCK, STATE = 0, 1, 2

FLAG_CHS_VALID, FLAG_REMOVABLE = 1 << 1, 1 << 2
FLAG_CHANGE_LINE, FLAG_LOCKABLE, FLAG_NO_MEDIUM = 1 << 4, 1 << 5, 1 << 6


class Drive:
    """Controls the removable disk from the host, through QMP."""

    def __init__(self, machine):
        self._qmp = machine.qmp
        self._nodes = 0

    def open_tray(self, force: bool = True) -> None:
        self._qmp("blockdev-open-tray", id="dev0", force=force)

    def close_tray(self) -> None:
        self._qmp("blockdev-close-tray", id="dev0")

    def eject(self) -> None:
        """Same effect as the eject button."""
        self._qmp("eject", id="dev0")

    def take_out(self) -> None:
        self.open_tray()
        self._qmp("blockdev-remove-medium", id="dev0")

    def put_in(self, image: Image) -> None:
        self._nodes += 1
        name = f"medium{self._nodes}"
        self._qmp("blockdev-add", driver="raw", node_name=name,
                  file={"driver": "file", "filename": str(image.file)})
        self.open_tray()  # a machine reset closes it
        self._qmp("blockdev-insert-medium", id="dev0", node_name=name)
        self.close_tray()

    def change(self, image: Image) -> None:
        self.take_out()
        self.put_in(image)

    def state(self, key: str) -> bool:
        devices = {entry.get("qdev"): entry for entry in self._qmp("query-block")}
        return devices["dev0"][key]

    @property
    def locked(self) -> bool:
        return self.state("locked")

    @property
    def tray_open(self) -> bool:
        return self.state("tray_open")


@pytest.fixture
def first(tmp_path) -> Image:
    return Image.of_pattern(tmp_path / "first.img", 4096)


@pytest.fixture
def second(tmp_path) -> Image:
    """Larger than the first medium, with different data in each sector."""
    return Image(tmp_path / "second.img", block(0x2ED, 8192))


@pytest.fixture
def fixed(tmp_path) -> Image:
    return Image(tmp_path / "fixed.img", block(0xF1ED, 4096))


def removable_bench(agent_rom, path, directory, first, fixed, **options):
    disks = [*written_disk(first.file, 0, ",removable=on"), *written_disk(fixed.file, 1)]
    return bench(agent_rom, path, directory, *disks, image=first, **options)


@pytest.fixture(params=["microvm", "c810"])
def pc(request, agent_rom, tmp_path, first, fixed):
    """80h is removable and holds the first medium; 81h is fixed."""
    with removable_bench(agent_rom, request.param, tmp_path, first, fixed) as pc:
        pc.drive = Drive(pc.machine)
        yield pc


@pytest.fixture(params=["microvm", "c810"])
def empty(request, agent_rom, tmp_path, first, fixed):
    """The same, but 80h has no medium at power-on."""
    with removable_bench(agent_rom, request.param, tmp_path, first, fixed,
                         before_start=lambda machine: Drive(machine).take_out()) as pc:
        pc.drive = Drive(pc.machine)
        yield pc


def call(pc, function: int, al: int = 0, drive: int = DRIVE):
    return pc.agent.int13("ah al", ah=function, al=al, dl=drive)


def flags(pc) -> int:
    return struct.unpack_from("<H", pc.parameters(), 2)[0]


def total_sectors(pc) -> int:
    return struct.unpack_from("<Q", pc.parameters(), 0x10)[0]


def check_read(pc, image: Image, lba: int, drive: int = DRIVE) -> None:
    pc.put(0x10001, bytes(SECTOR))
    pc.expect(pc.edd(0x42, lba, 1, 0x10001, drive=drive), OK)
    pc.check_memory(0x10001, image.content(lba, 1))


def check_no_transfer(pc, function: int, status: int, lba: int = 5) -> None:
    """The call returns this status and transfers nothing."""
    mark = block(0xA0, 1)
    pc.put(0x10001, mark)
    pc.expect(pc.edd(function, lba, 1, 0x10001), status)
    assert pc.count() == 0
    pc.check_memory(0x10001, mark)


# ---- Medium present -----------------------------------------------------------


def test_removable_disk_reads_and_writes(pc, first):
    check_read(pc, first, 5)
    pc.put(0x10001, block(0x111, 9))
    first.expect(77, block(0x111, 9))
    pc.expect(pc.edd(0x43, 77, 9, 0x10001), OK)
    first.check()
    found = flags(pc)
    assert found & (FLAG_REMOVABLE | FLAG_CHANGE_LINE | FLAG_LOCKABLE) == 0x34
    assert not found & FLAG_NO_MEDIUM and found & FLAG_CHS_VALID


def test_16h_and_49h_report_no_change_for_same_medium(pc):
    for _ in range(2):
        for function in (0x16, 0x49):
            pc.expect(call(pc, function), OK)


@pytest.mark.parametrize("function, al, status, al_after", [
    (0x16, 0, BAD_COMMAND, 0), (0x49, 0, OK, 0), (0x49, 7, OK, 7), (0x46, 0, NOT_REMOVABLE, 0),
    (0x45, LOCK, OK, 0), (0x45, UNLOCK, OK, 0), (0x45, STATE, OK, 0)])
def test_change_lock_and_eject_functions_of_fixed_disk(pc, function, al, status, al_after):
    assert pc.expect(call(pc, function, al, FIXED), status).al == al_after
    assert not pc.drive.locked and not pc.drive.tray_open


def test_48h_flags_mark_fixed_disk_as_not_removable(pc):
    found = struct.unpack_from("<H", pc.parameters(drive=FIXED), 2)[0]
    assert not found & (FLAG_REMOVABLE | FLAG_CHANGE_LINE | FLAG_LOCKABLE | FLAG_NO_MEDIUM)


# ---- Medium change ----------------------------------------------------------------


@pytest.mark.parametrize("function", [0x02, 0x42, 0x44])
def test_first_call_after_change_returns_06h_and_next_succeeds(
        pc, first, second, function):
    check_read(pc, first, 5)
    pc.drive.change(second)
    if function == 0x02:
        pc.put(0x10001, bytes(SECTOR))
        assert pc.expect(pc.chs(0x02, 5, 1, 0x10001), CHANGED).al == 0
        pc.check_memory(0x10001, bytes(SECTOR))
    else:
        check_no_transfer(pc, function, CHANGED)
    check_read(pc, second, 5)


@pytest.mark.parametrize("function", [0x03, 0x43])
def test_first_write_after_change_returns_06h_and_writes_nothing(pc, second, function):
    pc.drive.change(second)
    pc.put(0x10001, block(0xBAD))
    call = pc.chs if function == 0x03 else pc.edd
    pc.expect(call(function, 5, 1, 0x10001), CHANGED)
    second.check()
    second.expect(5, block(0xBAD))
    pc.expect(call(function, 5, 1, 0x10001), OK)
    second.check()


def test_capacity_follows_new_medium(pc, first, second):
    assert total_sectors(pc) == first.sectors
    check_no_transfer(pc, 0x42, NOT_FOUND, lba=second.sectors - 1)
    pc.drive.change(second)
    check_no_transfer(pc, 0x42, CHANGED)
    check_read(pc, second, second.sectors - 1)
    check_no_transfer(pc, 0x42, NOT_FOUND, lba=second.sectors)
    assert total_sectors(pc) == second.sectors
    registers = pc.agent.int13("ah cx dx", ah=0x15, dl=DRIVE)
    assert registers.cx << 16 | registers.dx == second.sectors


def test_access_past_end_of_smaller_medium_returns_04h(pc, first, tmp_path):
    small = Image.of_pattern(tmp_path / "small.img", 100)
    pc.drive.change(small)
    check_no_transfer(pc, 0x42, CHANGED)
    check_no_transfer(pc, 0x43, NOT_FOUND, lba=100)
    check_read(pc, small, 99)
    small.check()


@pytest.mark.parametrize("function", [0x16, 0x49])
def test_16h_and_49h_report_change_once(pc, second, function):
    pc.drive.change(second)
    pc.expect(call(pc, function), CHANGED)
    pc.expect(call(pc, function), OK)
    check_read(pc, second, 5)


@pytest.mark.parametrize("function", [0x16, 0x49])
def test_16h_and_49h_report_change_already_returned_by_read(pc, second, function):
    pc.drive.change(second)
    check_no_transfer(pc, 0x42, CHANGED)
    check_read(pc, second, 5)
    pc.expect(call(pc, function), CHANGED)
    pc.expect(call(pc, function), OK)


def test_fixed_disk_works_while_medium_changes(pc, second, fixed):
    pc.drive.take_out()
    check_read(pc, fixed, 9, FIXED)
    check_no_transfer(pc, 0x42, NO_MEDIUM)
    pc.drive.put_in(second)
    check_read(pc, fixed, 10, FIXED)
    check_no_transfer(pc, 0x42, CHANGED)
    check_read(pc, fixed, 11, FIXED)


# ---- No medium ------------------------------------------------------------------


def test_calls_without_medium_return_31h(pc, second):
    pc.drive.take_out()
    for _ in range(2):
        for function in (0x42, 0x43, 0x44):
            check_no_transfer(pc, function, NO_MEDIUM)
        for function in (0x10, 0x16, 0x46, 0x49):
            pc.expect(call(pc, function), NO_MEDIUM)
        assert pc.expect(pc.chs(0x02, 5, 1), NO_MEDIUM).al == 0
    assert flags(pc) & FLAG_REMOVABLE


def test_reinserted_medium_reports_change_once(pc, first, second):
    pc.drive.take_out()
    check_no_transfer(pc, 0x42, NO_MEDIUM)
    pc.drive.put_in(second)
    check_no_transfer(pc, 0x42, CHANGED)
    check_read(pc, second, second.sectors - 1)


def test_empty_drive_is_numbered_and_returns_31h(empty, fixed):
    text = empty.machine.console.wait_for("Booting from ROM")
    assert "ID 0 LUN 0 QEMU QEMU HARDDISK" in text and "no medium" in text
    assert empty.agent.disk_count() == 2
    check_no_transfer(empty, 0x42, NO_MEDIUM)
    for function in (0x10, 0x16, 0x49, 0x46):
        empty.expect(call(empty, function), NO_MEDIUM)
    check_read(empty, fixed, 7, FIXED)


def test_empty_drive_has_maximum_geometry(empty):
    found, cylinders, heads, spt, sectors, size = struct.unpack_from(
        "<HIIIQH", empty.parameters(), 2)
    assert found & (FLAG_NO_MEDIUM | FLAG_REMOVABLE | FLAG_CHS_VALID) == (
        FLAG_NO_MEDIUM | FLAG_REMOVABLE)
    assert (cylinders, heads, spt, sectors, size) == (1024, 255, 63, 16_450_560, SECTOR)


def test_medium_inserted_after_post_reports_change_once(empty, second):
    check_no_transfer(empty, 0x42, NO_MEDIUM)
    empty.drive.put_in(second)
    check_no_transfer(empty, 0x42, CHANGED)
    check_read(empty, second, second.sectors - 1)
    assert total_sectors(empty) == second.sectors
    assert not flags(empty) & FLAG_NO_MEDIUM
    empty.put(0x10001, block(0x222, 3))
    second.expect(9, block(0x222, 3))
    empty.expect(empty.edd(0x43, 9, 3, 0x10001), OK)
    second.check()


# ---- Lock and tray ------------------------------------------------------------------


def test_drive_stays_locked_until_lock_count_is_0(pc):
    assert not pc.drive.locked
    for _ in range(2):
        assert pc.expect(call(pc, 0x45, LOCK), OK).al == 1
        assert pc.drive.locked
    assert pc.expect(call(pc, 0x45, STATE), OK).al == 1
    assert pc.expect(call(pc, 0x45, UNLOCK), OK).al == 1
    assert pc.drive.locked
    assert pc.expect(call(pc, 0x45, UNLOCK), OK).al == 0
    assert not pc.drive.locked
    assert pc.expect(call(pc, 0x45, STATE), OK).al == 0
    pc.expect(call(pc, 0x45, UNLOCK), NOT_LOCKED)
    pc.expect(call(pc, 0x45, 3), BAD_COMMAND)


def test_lock_count_is_limited_to_255(pc):
    for _ in range(255):
        pc.expect(call(pc, 0x45, LOCK), OK)
    pc.expect(call(pc, 0x45, LOCK), LOCK_COUNT)
    for _ in range(255):
        assert pc.drive.locked
        pc.expect(call(pc, 0x45, UNLOCK), OK)
    assert not pc.drive.locked
    pc.expect(call(pc, 0x45, UNLOCK), NOT_LOCKED)


def test_eject_of_locked_drive_returns_b1h(pc, first):
    pc.expect(call(pc, 0x45, LOCK), OK)
    pc.expect(call(pc, 0x46), LOCKED)
    assert not pc.drive.tray_open
    check_read(pc, first, 5)
    pc.expect(call(pc, 0x45, UNLOCK), OK)
    pc.expect(call(pc, 0x46), OK)
    assert pc.drive.tray_open


def test_eject_button_of_locked_drive_has_no_effect(pc, first):
    pc.expect(call(pc, 0x45, LOCK), OK)
    with pytest.raises(RuntimeError, match="is locked"):
        pc.drive.eject()
    assert not pc.drive.tray_open
    check_read(pc, first, 5)
    pc.expect(call(pc, 0x45, UNLOCK), OK)
    pc.drive.eject()
    check_no_transfer(pc, 0x42, NO_MEDIUM)


def test_ejected_medium_is_absent_until_tray_closes(pc, first):
    pc.expect(call(pc, 0x46, 1), BAD_COMMAND)
    assert not pc.drive.tray_open
    pc.expect(call(pc, 0x46), OK)
    assert pc.drive.tray_open
    check_no_transfer(pc, 0x42, NO_MEDIUM)
    pc.expect(call(pc, 0x46), NO_MEDIUM)
    pc.drive.close_tray()
    check_no_transfer(pc, 0x42, CHANGED)
    check_read(pc, first, 5)


def test_empty_drive_can_be_locked(empty):
    assert empty.expect(call(empty, 0x45, LOCK), OK).al == 1
    assert empty.drive.locked
    assert empty.expect(call(empty, 0x45, UNLOCK), OK).al == 0
    assert not empty.drive.locked


# ---- INT 15h AH=52h before an ejection --------------------------------------------------

HANDLER = 0x5000
PREVIOUS, RECORDED_DL, ANSWER = HANDLER + 0x80, HANDLER + 0x84, HANDLER + 0x85


@pytest.mark.parametrize("answer_ah, answer_cf, status", [
    (0xB1, 1, 0xB1), (0x03, 1, 0x03), (0x86, 1, OK), (0x00, 0, OK)],
    ids=["refused", "refused-with-other-status", "unsupported", "allowed"])
def test_int_15h_handler_can_refuse_ejection(pc, answer_ah, answer_cf, status):
    code = assemble("int15")
    vector = pc.ram[0x15 * 4:0x15 * 4 + 4]
    pc.agent.write(HANDLER, code.ljust(0x88, b"\0"))
    pc.agent.write(PREVIOUS, vector + bytes([0xFF, answer_ah, answer_cf]))
    pc.agent.write(0x15 * 4, struct.pack("<HH", 0, HANDLER >> 4))
    pc.expect(call(pc, 0x46), status)
    assert pc.ram[RECORDED_DL] == DRIVE
    assert pc.drive.tray_open == (status == OK)

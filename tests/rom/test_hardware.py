# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the ROM on the models of QEMU and 86Box."""

from __future__ import annotations

import pytest

from tests.model.bus import HANG
from tests.model.emulated_qemu import QemuDisk
from tests.model.hardware import HARDWARE
from tests.model.pc import BUFFER, Pc
from tests.model.registers import MS
from tests.model.target import Disk
from tests.rom.strict import (OK, OVERRUN, READ_FAILED, SECOND, TIMEOUT, disk, fails, lives_on,
                              new_pc, reads_well)

EMULATORS = ["qemu", "qemu-7.2.0", "86box"]
QEMUS = ["qemu", "qemu-7.2.0"]


def booted(hardware: str, variant: str) -> Pc:
    kind = HARDWARE[hardware].disk
    return new_pc(variant, {0: kind(), 3: kind(content=lambda lba: bytes([3]) * 512)},
                  hardware=hardware)


@pytest.fixture(params=[(t, f) for t in EMULATORS for f in ("895A", "810")], ids="-".join)
def pc(request) -> Pc:
    return booted(*request.param)


@pytest.fixture(params=[(t, f) for t in QEMUS for f in ("895A", "810")], ids="-".join)
def qemu_pc(request) -> Pc:
    return booted(*request.param)


def test_rom_post_finds_the_disks_and_nobody_else(pc):
    assert "ID 0 LUN 0 BENCH STRICT DISK 32 MiB, 512-byte blocks" in pc.text
    assert pc.text.count("32 MiB") == 2
    assert "81h: SCSI 00:04.0 ID 3" in pc.text


def test_rom_post_waits_for_no_absent_id(pc):
    """250 ms are for the bus reset."""
    assert pc.chip.now < 0.4 * SECOND


@pytest.mark.parametrize("count", [1, 3, 127])
def test_rom_reads(pc, count):
    reads_well(pc, 1000, count)


def test_rom_reads_both_disks_by_turns(pc):
    for lba in range(4):
        reads_well(pc, lba, 1)
        result = pc.read(lba, 2, drive=0x81)
        assert (result.ah, pc.peek(BUFFER, 1024)) == (OK, bytes([3]) * 1024)


def test_rom_asks_an_absent_disk_and_the_next_command_works(pc):
    gone = pc.bus.targets.pop(3)
    assert pc.read(1, 1, drive=0x81).ah == TIMEOUT
    pc.bus.targets[3] = gone
    lives_on(pc)


@pytest.mark.parametrize("key, asc, status", [(0x3, 0x11, 0x10), (0x5, 0x21, 0x04),
                                              (0x2, 0x3A, 0x31)])
def test_rom_reports_what_the_sense_data_say(pc, key, asc, status):
    target = disk(pc)
    target.status_hook = lambda cdb: target.check(key, asc) if cdb[0] == 0x28 else None
    fails(pc, status)
    lives_on(pc)


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1024, 1535])
def test_rom_never_takes_short_data_for_success(pc, length):
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data[:length])
    fails(pc, READ_FAILED)
    lives_on(pc)


def test_rom_never_takes_64_kib_that_did_not_come_for_success(pc):
    """Only the low bytes of DBC can be read: no command may be that long."""
    disk(pc).data_hook = lambda bus, data: iter([])
    fails(pc, READ_FAILED, 128)


def test_rom_reads_again_what_was_short_once(pc):
    lengths = [100]
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data[:lengths.pop() if lengths else None])
    reads_well(pc)


@pytest.mark.parametrize("extra", [1, 512, 1000])
def test_rom_reports_too_much_data(pc, extra):
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data + b"\xBB" * extra)
    fails(pc, OVERRUN)
    lives_on(pc)


def test_rom_survives_more_data_than_the_chip_has_patience_for(pc):
    """Old QEMU ends the program after 10,000 instructions."""
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data + b"\xBB" * 4_000)
    assert pc.read(1000, 3).cf
    lives_on(pc)


def test_rom_times_out_on_data_that_do_not_come_and_recovers_the_chip(pc):
    resets = []
    disk(pc).reset = lambda: resets.append(1)
    disk(pc).data_hook = lambda bus, data: iter([HANG])
    begun = pc.chip.now
    fails(pc, TIMEOUT)
    assert 10 * SECOND <= pc.chip.now - begun < 15 * SECOND
    assert resets, "the emulator's disks are reset"
    lives_on(pc)


def test_rom_times_out_on_a_host_that_does_not_answer(qemu_pc):
    disk(qemu_pc).host_ns = 3600 * SECOND
    fails(qemu_pc, TIMEOUT)
    disk(qemu_pc).host_ns = MS
    lives_on(qemu_pc)


def test_rom_waits_for_a_slow_host(qemu_pc):
    disk(qemu_pc).host_ns = 4 * SECOND
    reads_well(qemu_pc)


def test_rom_reports_an_error_while_the_target_is_away(qemu_pc):
    """And neither resets the chip then, which QEMU would not survive, nor
    gives up after one try."""
    target = disk(qemu_pc)
    target.fails_after = 0
    before = len(target.commands)
    fails(qemu_pc, READ_FAILED)
    assert [c[0] for c in target.commands[before:]] == [0x28, 0x03] * 5
    target.fails_after = None
    lives_on(qemu_pc)


def test_rom_reads_again_after_an_error_while_the_target_is_away(qemu_pc):
    target = disk(qemu_pc)
    reads = []

    def fail_once(cdb: bytes) -> None:
        reads.append(cdb[0] == 0x28)
        target.fails_after = 0 if reads.count(True) == 1 else None
    target.status_hook = fail_once
    reads_well(qemu_pc)
    assert reads.count(True) == 2


@pytest.mark.parametrize("behind", [512, 1024])
def test_rom_reports_an_error_between_two_chunks(qemu_pc, behind):
    """Old QEMU runs on behind that mismatch."""
    target: QemuDisk = disk(qemu_pc)
    target.chunk, target.fails_after = 512, behind
    fails(qemu_pc, READ_FAILED)
    target.fails_after = None
    lives_on(qemu_pc)


@pytest.mark.parametrize("chunk", [512, 1024, 700])
def test_rom_reads_in_chunks(qemu_pc, chunk):
    disk(qemu_pc).chunk = chunk
    reads_well(qemu_pc)


def test_rom_drains_unit_attentions(qemu_pc):
    disk(qemu_pc).attentions = [(6, 0x29, 0), (6, 0x28, 0), (6, 0x2A, 1)] * 2
    reads_well(qemu_pc)

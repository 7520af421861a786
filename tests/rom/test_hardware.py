# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the ROM on models of the emulated controllers of QEMU and 86Box."""

from __future__ import annotations

import pytest

from tests.model.bus import HANG
from tests.model.emulated_qemu import QemuDisk
from tests.model.hardware import HARDWARE
from tests.model.pc import BUFFER, Pc
from tests.model.registers import MS
from tests.model.target import Disk
from tests.rom.strict import (OK, OVERRUN, READ_FAILED, SECOND, TIMEOUT, check_failure, check_read,
                              check_recovery, disk, new_pc)

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


def test_post_finds_only_the_disks(pc):
    assert "ID 0 LUN 0 BENCH STRICT DISK 32 MiB, 512-byte blocks" in pc.text
    assert pc.text.count("32 MiB") == 2
    assert "81h: SCSI 00:04.0 ID 3" in pc.text


def test_post_does_not_wait_for_unused_ids(pc):
    """The bus reset takes 250 ms of the limit, reading the EEPROM of 86Box's card 150."""
    assert pc.chip.now < (0.55 if pc.hardware == "86box" else 0.4) * SECOND


@pytest.mark.parametrize("count", [1, 3, 127])
def test_read_returns_data(pc, count):
    check_read(pc, 1000, count)


def test_reads_alternate_between_disks(pc):
    for lba in range(4):
        check_read(pc, lba, 1)
        result = pc.read(lba, 2, drive=0x81)
        assert (result.ah, pc.peek(BUFFER, 1024)) == (OK, bytes([3]) * 1024)


def test_selection_timeout_does_not_affect_the_next_command(pc):
    gone = pc.bus.targets.pop(3)
    assert pc.read(1, 1, drive=0x81).ah == TIMEOUT
    pc.bus.targets[3] = gone
    check_recovery(pc)


@pytest.mark.parametrize("key, asc, status", [(0x3, 0x11, 0x10), (0x5, 0x21, 0x04),
                                              (0x2, 0x3A, 0x31)])
def test_sense_data_has_its_status(pc, key, asc, status):
    target = disk(pc)
    target.status_hook = lambda cdb: target.check(key, asc) if cdb[0] == 0x28 else None
    check_failure(pc, status)
    check_recovery(pc)


@pytest.mark.parametrize("length", [0, 1, 511, 512, 1024, 1535])
def test_short_data_is_an_error(pc, length):
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data[:length])
    check_failure(pc, READ_FAILED)
    check_recovery(pc)


def test_missing_64_kib_is_an_error(pc):
    """Only the low 16 bits of DBC can be read, so no command may be that long."""
    disk(pc).data_hook = lambda bus, data: iter([])
    check_failure(pc, READ_FAILED, 128)


def test_short_data_is_retried(pc):
    lengths = [100]
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data[:lengths.pop() if lengths else None])
    check_read(pc)


@pytest.mark.parametrize("extra", [1, 512, 1000])
def test_excess_data_returns_08h(pc, extra):
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data + b"\xBB" * extra)
    check_failure(pc, OVERRUN)
    check_recovery(pc)


def test_large_excess_data_is_an_error(pc):
    """Old QEMU stops the SCRIPTS program after 10,000 instructions."""
    disk(pc).data_hook = lambda bus, data: Disk.data_in(data + b"\xBB" * 4_000)
    assert pc.read(1000, 3).cf
    check_recovery(pc)


def test_hang_in_data_times_out_and_resets_the_chip(pc):
    resets = []
    disk(pc).reset = lambda: resets.append(1)
    disk(pc).data_hook = lambda bus, data: iter([HANG])
    begun = pc.chip.now
    check_failure(pc, TIMEOUT)
    assert 10 * SECOND <= pc.chip.now - begun < 15 * SECOND
    assert resets, "the emulator has reset its disks"
    check_recovery(pc)


def test_hanging_host_times_out(qemu_pc):
    disk(qemu_pc).host_ns = 3600 * SECOND
    check_failure(qemu_pc, TIMEOUT)
    disk(qemu_pc).host_ns = MS
    check_recovery(qemu_pc)


def test_slow_host_is_waited_for(qemu_pc):
    disk(qemu_pc).host_ns = 4 * SECOND
    check_read(qemu_pc)


def test_error_during_disconnection_is_reported(qemu_pc):
    """The ROM retries, and does not reset the chip during the disconnection, because
    QEMU would not survive that."""
    target = disk(qemu_pc)
    target.fails_after = 0
    before = len(target.commands)
    check_failure(qemu_pc, READ_FAILED)
    assert [c[0] for c in target.commands[before:]] == [0x28, 0x03] * 5
    target.fails_after = None
    check_recovery(qemu_pc)


def test_error_during_disconnection_is_retried(qemu_pc):
    target = disk(qemu_pc)
    reads = []

    def fail_once(cdb: bytes) -> None:
        reads.append(cdb[0] == 0x28)
        target.fails_after = 0 if reads.count(True) == 1 else None
    target.status_hook = fail_once
    check_read(qemu_pc)
    assert reads.count(True) == 2


@pytest.mark.parametrize("after", [512, 1024])
def test_error_between_two_chunks_is_reported(qemu_pc, after):
    """Old QEMU continues the program after that phase mismatch."""
    target: QemuDisk = disk(qemu_pc)
    target.chunk, target.fails_after = 512, after
    check_failure(qemu_pc, READ_FAILED)
    target.fails_after = None
    check_recovery(qemu_pc)


@pytest.mark.parametrize("chunk", [512, 1024, 700])
def test_read_in_chunks(qemu_pc, chunk):
    disk(qemu_pc).chunk = chunk
    check_read(qemu_pc)


def test_unit_attentions_are_cleared(qemu_pc):
    disk(qemu_pc).attentions = [(6, 0x29, 0), (6, 0x28, 0), (6, 0x2A, 1)] * 2
    check_read(qemu_pc)

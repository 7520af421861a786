# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""scsi/ and lsi/ on another machine than a PC in real mode: compiled for
x86-64, driving the chip model (native.py).
"""

from __future__ import annotations

import itertools
import random
import re
import subprocess
from pathlib import Path

import pytest

from tests.build import BUILD, TOP
from tests.model.bus import HANG, Delay
from tests.model.hardware import HARDWARE
from tests.model.rules import RuleViolation
from tests.model.target import Disk
from tests.native.native import DATA_IN, DATA_OUT, FOLDERS, MIB, Native, read10, write10

BLOCKS_PER_MIB = MIB // 512
SHORT_DATA, LBA_OUT_OF_RANGE = "SCSI_SHORT_DATA", "SCSI_LBA_OUT_OF_RANGE"
CHECK_CONDITION = 0x02
FAR_BLOCK = 0x7FFFFFFF      # beyond the end of a disk


def scsi_result(value: int) -> str:
    """The name of a value of enum scsi_result."""
    body = re.search(r"enum scsi_result \{(.*?)\};", (TOP / "scsi/scsi.h").read_text(), re.S)[1]
    return re.findall(r"^\s*(SCSI_\w+)", body, re.M)[value]


def one_disk(library: Path, hardware: str = "silicon") -> tuple[Native, Disk]:
    """A disk at ID 2, whose UNIT ATTENTION after the reset has been reported."""
    disk = HARDWARE[hardware].disk()
    native = Native(library, {2: disk}, hardware)
    disk.attentions.clear()
    return native, disk


def blocks(disk: Disk, lba: int, count: int) -> bytes:
    return b"".join(disk.block(lba + i) for i in range(count))


def reads_well(native: Native, disk: Disk) -> None:
    native.prepare(read10(1000, 3), DATA_IN, 3 * 512, 2)
    assert native.execute() == "OK"
    assert (native.request.status, native.request.moved) == (0, 3 * 512)
    assert native.data() == blocks(disk, 1000, 3)


# ---- The sources ----------------------------------------------------------------------

REAL_MODE = r"__seg_|\bfar_|\bu16\s+\w*port|\b(in|out)[bwl]\(|__asm__|\basm\b|\bpc/(far|bda|bios|port)\.h"


def code_of(path: Path) -> str:
    return re.sub(r"/\*.*?\*/", "", path.read_text(), flags=re.S)


@pytest.mark.parametrize("folder", FOLDERS)
def test_sources_contain_nothing_of_real_mode(folder):
    paths = [*(TOP / folder).glob("*.c"), *(TOP / folder).glob("*.h")]
    assert paths
    assert {path.name: found for path in paths if (found := re.findall(REAL_MODE, code_of(path)))} == {}


def test_only_the_machine_interface_of_pc_is_included():
    used = {name for folder in FOLDERS for path in (TOP / folder).glob("*.[ch]")
            for name in re.findall(r'#include "pc/(\w+\.h)"', path.read_text())}
    assert used <= {"types.h", "range.h", "kinds.h", "io.h", "clock.h", "phys.h"}


def headers() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (TOP / folder).glob("*.h"))


@pytest.mark.parametrize("header", headers(), ids=lambda path: str(path.relative_to(TOP)))
def test_headers_compile_with_clang_for_real_mode(header):
    subprocess.run(["clang", "-m16", "-std=gnu11", "-ffreestanding", "-fshort-enums", "-Wall", "-Werror",
                    f"-I{TOP}", f"-I{BUILD}", "-fsyntax-only", "-x", "c", "-include", str(header),
                    "/dev/null"],
                   check=True)


# ---- Commands --------------------------------------------------------------------------


@pytest.mark.parametrize("hardware", HARDWARE)
def test_read_returns_the_blocks(library, hardware):
    reads_well(*one_disk(library, hardware))


@pytest.mark.parametrize("hardware", HARDWARE)
def test_write_stores_the_blocks(library, hardware):
    native, disk = one_disk(library, hardware)
    data = random.Random(1).randbytes(5 * 512)
    native.prepare(write10(77, 5), DATA_OUT, len(data), 2)
    native.set_data(data)
    assert native.execute() == "OK"
    assert (native.request.status, native.request.moved) == (0, len(data))
    assert blocks(disk, 77, 5) == data


@pytest.mark.parametrize("hardware", ["silicon", "qemu", "86box"])
@pytest.mark.parametrize("pieces", [
    None, [1, 3 * MIB, 512, MIB - 513], [0, 1024, 0, 4 * MIB - 1024]],
    ids=["one-piece", "scattered", "empty-pieces"])
def test_4_mib_move_in_one_command(library, hardware, pieces):
    native, disk = one_disk(library, hardware)
    count = 4 * BLOCKS_PER_MIB
    data = random.Random(2).randbytes(4 * MIB)
    native.prepare(write10(16, count), DATA_OUT, 4 * MIB, 2, pieces=pieces)
    native.set_data(data)
    assert native.execute() == "OK"
    assert native.request.moved == 4 * MIB
    native.set_data(bytes(4 * MIB))
    native.prepare(read10(16, count), DATA_IN, 4 * MIB, 2, pieces=pieces)
    assert native.execute() == "OK"
    assert native.request.moved == 4 * MIB
    assert native.data() == data
    assert len(disk.commands) == 2


def test_4_mib_take_two_data_moves(library):
    """One move carries up to 2 MiB."""
    native, disk = one_disk(library)
    starts = []
    start = native.chip.scripts.start
    native.chip.scripts.start = lambda address: (starts.append(address), start(address))
    native.prepare(read10(0, 4 * BLOCKS_PER_MIB), DATA_IN, 4 * MIB, 2)
    assert native.execute() == "OK"
    assert len(starts) == 2


def test_absent_target_is_a_selection_time_out(library):
    native, disk = one_disk(library)
    native.prepare(read10(0, 1), DATA_IN, 512, target=5)
    assert native.execute() == "NO_TARGET"
    reads_well(native, disk)


def test_check_condition_returns_its_sense_data(library):
    native, disk = one_disk(library)
    native.prepare(read10(FAR_BLOCK, 1), DATA_IN, 512, 2)
    assert scsi_result(native.command()) == LBA_OUT_OF_RANGE
    assert native.sense()[2] & 0x0F == 5 and native.sense()[12:14] == bytes([0x21, 0])
    assert native.request.status == CHECK_CONDITION


def test_time_limit_of_minutes_is_kept(library):
    """A target that takes 100 s is served, with 120 s allowed."""
    native, disk = one_disk(library)

    def slow(bus):
        yield Delay(100_000_000_000)
    disk.before_status = slow
    native.prepare(read10(1, 1), DATA_IN, 512, 2, timeout_ms=120_000)
    assert native.execute() == "OK"


@pytest.mark.parametrize("deaf", [False, True], ids=["aborted", "bus-reset"])
def test_hung_target_is_a_time_out_and_the_next_command_works(library, deaf):
    native, disk = one_disk(library)

    def hangs(bus, data):
        yield from Disk.data_in(data[:100])
        yield HANG
    disk.data_hook, disk.deaf = hangs, deaf
    before = native.chip.now
    native.prepare(read10(1, 2), DATA_IN, 1024, 2, timeout_ms=3_000)
    assert native.execute() == "TIMEOUT"
    assert 3 <= (native.chip.now - before) / 1e9 < 5
    disk.data_hook, disk.deaf = None, False
    disk.attentions.clear()
    reads_well(native, disk)


def test_object_outside_the_reachable_memory_is_refused(library):
    """The model reaches nothing but the memory that it was given."""
    native, disk = one_disk(library)
    native.prepare(read10(1, 1), DATA_IN, 512, 2)
    native.request.data.address = 0x1000
    with pytest.raises(RuleViolation, match="DMA outside memory"):
        native.execute()


# ---- Short ends -------------------------------------------------------------------------

LONG_MOVE = MIB
OWN_BITS = 0x260000     # DBC on a chip, when an instruction reads its bits 23:16
# Ends at every multiple of 64 KiB, and one or 256 bytes before and after. There are residuals in
# which only the low, the middle or the high byte is not 0
ENDS = sorted({end for k, off in itertools.product(range(17), (-256, -1, 0, 1, 256))
               if 0 <= (end := k * 0x10000 + off) < LONG_MOVE})


def end_in_after(disk: Disk, end: int) -> None:
    def hook(bus, data):
        yield from Disk.data_in(data[:end])
    disk.data_hook = hook


def end_out_after(disk: Disk, end: int) -> None:
    def hook(bus, count):
        return (yield from Disk.data_out(end))
    disk.write_hook = hook


@pytest.mark.parametrize("hardware", ["silicon", "qemu", "86box"])
@pytest.mark.parametrize("direction", [DATA_IN, DATA_OUT], ids=["in", "out"])
def test_short_end_of_a_long_move_is_counted_exactly(library, hardware, direction):
    native, disk = one_disk(library, hardware)
    count = LONG_MOVE // 512
    good = blocks(disk, 0, count)
    for end in ENDS:
        (end_in_after if direction == DATA_IN else end_out_after)(disk, end)
        native.prepare((read10 if direction == DATA_IN else write10)(0, count), direction, LONG_MOVE, 2)
        native.set_data(b"\xEE" * LONG_MOVE if direction == DATA_IN else good)
        assert native.execute() == "OK", end
        assert native.request.moved == end
        if direction == DATA_IN:
            assert native.data() == good[:end] + b"\xEE" * (LONG_MOVE - end)


@pytest.mark.parametrize("hardware", ["silicon", "qemu", "86box"])
@pytest.mark.parametrize("direction", [DATA_IN, DATA_OUT], ids=["in", "out"])
@pytest.mark.parametrize("end", [0, 0x10000, 0x80000, 0xF0000, LONG_MOVE - 1])
def test_short_end_of_a_long_move_is_reported_as_short_data(library, hardware, direction, end):
    native, disk = one_disk(library, hardware)
    (end_in_after if direction == DATA_IN else end_out_after)(disk, end)
    count = LONG_MOVE // 512
    native.prepare((read10 if direction == DATA_IN else write10)(0, count), direction, LONG_MOVE, 2)
    assert scsi_result(native.command()) == SHORT_DATA


@pytest.mark.parametrize("hardware", ["silicon", "qemu", "86box"])
def test_short_end_in_either_of_two_moves_is_counted_exactly(library, hardware):
    """4 MiB are two moves. With one move, the residual could be OWN_BITS."""
    native, disk = one_disk(library, hardware)
    for end in [0, 1, MIB, 4 * MIB - OWN_BITS, 2 * MIB - 1, 2 * MIB, 2 * MIB + 1, 3 * MIB, 4 * MIB - 0x10000]:
        end_in_after(disk, end)
        native.prepare(read10(0, 4 * BLOCKS_PER_MIB), DATA_IN, 4 * MIB, 2)
        assert native.execute() == "OK", end
        assert native.request.moved == end

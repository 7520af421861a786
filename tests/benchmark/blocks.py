# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Sequential reads through UEFI's block I/O, under OVMF. All disks are in one machine and have
the same image; the application in tests/efi/app reads them in turn.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.efi import application
from tests.efi.model.driver import Computer, build as build_driver
from tests.qemu.machine import BootPath, Machine, disk_arguments

from . import budgets
from .counts import EVENTS, accesses
from .report import Report, spread
from .sides import pattern_disk
from .timing import MEMORY_DISK, WrongData

DRIVER, LIMITED, VIRTIO_SCSI, VIRTIO_BLK = "driver", "limited", "virtio-scsi", "virtio-blk"
NAMES = {DRIVER: "this driver", LIMITED: "this driver, commands of 60 KiB", VIRTIO_SCSI: "OVMF's virtio-scsi",
         VIRTIO_BLK: "OVMF's virtio-blk"}

RUN_BYTES = 16 << 20        # as in tests/efi/app/bench.c
ROUNDS = 15
KIB, SECTOR = 1024, 512
MOVE_BYTES = 2 << 20        # of one data move of the SCRIPTS program
COUNTED = [512, 60 * KIB, 1024 * KIB, 4096 * KIB]
WAIT_S = 300
OVMF = BootPath(bios="../ovmf/OVMF.fd", more=("-m", "512"))


@dataclass
class Runs:
    """Seconds of each run, by request size and side, and the accesses of each command."""
    times: dict[int, dict[str, list[float]]] = field(default_factory=dict)
    accesses: dict[int, list[int]] = field(default_factory=dict)


def machine_arguments(boot: Path, image: Path) -> list[str]:
    """The application's disk and those that it reads; PCI devices as in tests/efi/app/bench.c."""
    shared = "format=raw,read-only=on"
    return ["-drive", f"if=none,id=boot,file={boot},{shared}",
            "-device", "virtio-blk-pci,addr=3,drive=boot,bootindex=0",
            *disk_arguments(image, 0, drive=shared),
            "-device", "virtio-scsi-pci,id=virtio,addr=5",
            *disk_arguments(image, 0, drive=shared, controller="virtio"),
            "-drive", f"if=none,id=blk,file={image},{shared}", "-device", "virtio-blk-pci,addr=6,drive=blk"]


def console_of(accelerator: str, rounds: int, log: Path | None = None) -> str:
    """What the application prints. `log`: the file for QEMU's trace of its reads."""
    with tempfile.TemporaryDirectory(prefix="lsi8xx-bench-",
                                     dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None) as name:
        directory = Path(name)
        program = application.build(directory, [*application.SKELETON, "bench"], f"-DROUNDS={rounds}")
        arguments = machine_arguments(application.fat_image(directory, program),
                                      pattern_disk(directory / "disk.img"))
        with Machine(OVMF, *arguments, *(["-D", str(log)] if log else []), accelerator=accelerator) as machine:
            if log:
                machine.console.wait_for("ticks in a second")
                for event in EVENTS:
                    machine.qmp("trace-event-set-state", name=event, enable=True)
            end = time.monotonic() + WAIT_S
            while machine.process.poll() is None and time.monotonic() < end:
                time.sleep(0.2)
            return machine.console.text


def runs_of(text: str) -> Runs:
    found = re.search(r"^ticks in a second: (\d+)$", text, re.M)
    wrong = re.search(r"^(wrong data|no disk): .*$", text, re.M)
    if not found or wrong or "end of runs" not in text:
        raise WrongData(wrong[0] if wrong else f"the application did not end:\n{text}")
    runs = Runs()
    for side, size, ticks in re.findall(r"^run ([\w-]+), (\d+), (\d+)$", text, re.M):
        runs.times.setdefault(int(size), {}).setdefault(side, []).append(int(ticks) / int(found[1]))
    return runs


def measure(accelerator: str, rounds: int = ROUNDS) -> Runs:
    return runs_of(console_of(accelerator, rounds))


# ---- Register accesses ----------------------------------------------------------------------

MARK = re.compile(r"memory_region_ops_write .* addr 0x[0-9a-f]+(34|35) value 0x([0-9a-f]+) .* name 'lsi-io'")


def by_size(log: str) -> dict[int, str]:
    """The parts of the trace by the size of the requests. The application writes it to SCRATCHA, of
    which QEMU shows each byte: KiB, or 0 for anything else."""
    parts: dict[int, list[str]] = {}
    size = low = 0
    for line in log.splitlines():
        mark = MARK.search(line)
        if not mark:
            parts.setdefault(size, []).append(line)
        elif mark[1] == "34":
            low = int(mark[2], 16)
        else:
            size = (low | int(mark[2], 16) << 8) * KIB
    return {size: "\n".join(lines) for size, lines in parts.items()}


def traced(accelerator: str) -> dict[int, list[int]]:
    """The number of accesses of each command, by the size of its request."""
    with tempfile.TemporaryDirectory(prefix="lsi8xx-bench-") as name:
        log = Path(name) / "trace.log"
        runs_of(console_of(accelerator, 1, log))
        return {size: accesses(part)[0] for size, part in by_size(log.read_text()).items() if size}


def exact() -> dict[int, int]:
    """Accesses of a READ(10) on the strict chip model, by its bytes."""
    with tempfile.TemporaryDirectory(prefix="lsi8xx-bench-") as name:
        computer = Computer(build_driver(Path(name) / "driver.so"))
        counts = {}
        for size in COUNTED:
            computer.device.accesses.clear()
            computer.controller.read(0, size // SECTOR, timeout_ms=60_000)
            counts[size] = len(computer.device.accesses)
        return counts


def limit(size: int) -> int:
    """The budget of a command of this many bytes."""
    further = (size - 1) // MOVE_BYTES
    return budgets.UEFI_REGISTER_ACCESSES + budgets.UEFI_FURTHER_ACCESSES * further


# ---- Report ---------------------------------------------------------------------------------


def report_exact(report: Report) -> None:
    report.heading("UEFI: register accesses of a command, exact (strict chip model)")
    counts = exact()
    report.table(["READ(10), KiB", "accesses", "budget"],
                 [[f"{size / KIB:g}", str(count), str(limit(size))] for size, count in counts.items()])
    for size, count in counts.items():
        report.budget(f"UEFI, register accesses of a command of {size / KIB:g} KiB", count, limit(size),
                      must_hold=size <= MOVE_BYTES)


def report_times(report: Report, accelerator: str) -> None:
    report.heading(f"UEFI: sequential reads through block I/O, {accelerator.upper()}")
    times = measure(accelerator).times
    report.text("MB/s: median (smallest-largest).")
    report.table(["request, KiB", *NAMES.values()], [
        [str(size // KIB), *(spread([RUN_BYTES / 1e6 / seconds for seconds in row[side]]) for side in NAMES)]
        for size, row in times.items()])
    report.text("Time of this driver as a part of the other's, round by round.")
    limits = {VIRTIO_SCSI: dict.fromkeys(times, budgets.AGAINST_VIRTIO_SCSI),
              LIMITED: {max(times): budgets.AGAINST_60_KIB}}
    rows = []
    for size, row in times.items():
        cells = [str(size // KIB)]
        for other in list(NAMES)[1:]:
            found = [ours / theirs for ours, theirs in zip(row[DRIVER], row[other])]
            most = limits.get(other, {}).get(size)
            cells += [spread(found, 2)]
            if most:
                report.budget(f"{accelerator.upper()}, UEFI, {size // KIB} KiB: time against {NAMES[other]}",
                              statistics.median(found), most, must_hold=False, shown=spread(found, 2))
        rows.append(cells)
    report.table(["request, KiB", *list(NAMES.values())[1:]], rows)
    report.text("Register accesses of a command by QEMU's trace, which makes the driver poll more often: " + "; ".join(
        f"{size // KIB} KiB: {spread(counts)}" for size, counts in traced(accelerator).items()) + ".")

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""POST: how long the controller is busy before the boot, and the number of SCSI
commands; and the time until Linux starts.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from pathlib import Path

import media

from . import budgets
from .report import Report, spread
from .sides import OURS, SEABIOS, SIDES, Side, disk_unit, pattern_disk

from tests.model.target import Disk
from tests.qemu.agent import Agent, build_agent
from tests.qemu.machine import Machine, disk_arguments
from tests.rom.strict import VARIANTS, new_pc

DISK_NUMBERS = (0, 1, 7)
PAIR = [side for side in SIDES if side.name in (OURS, SEABIOS)]

# ---- QEMU ------------------------------------------------------------------------------

STAMP = re.compile(r"@(\d+\.\d+):lsi_reg_")


def post_of(side: Side, disks: int, directory: Path, accelerator: str) -> tuple[float, int]:
    """Milliseconds from the first register access to the last, and the number of
    SCSI commands, until the agent starts in place of a boot disk."""
    log = directory / "post.log"
    log.unlink(missing_ok=True)
    units = [word for number in range(disks)
             for word in disk_unit(side, directory / f"{number}.img", number)]
    trace = [word for event in ("lsi_reg_read", "lsi_reg_write", "scsi_req_parsed")
             for word in ("-trace", event)]
    with Machine(side.path, *units, *trace, "-D", str(log), "-msg", "timestamp=on",
                 rom=side.rom, accelerator=accelerator,
                 with_agent=build_agent()) as machine:
        Agent(machine)
    text = log.read_text()
    stamps = [float(stamp) for stamp in STAMP.findall(text)]
    return (stamps[-1] - stamps[0]) * 1000, len(re.findall(r":scsi_req_parsed ", text))


def report_post(report: Report, accelerator: str, rounds: int) -> None:
    report.heading(f"POST, {accelerator.upper()}")
    report.text("Milliseconds from the first to the last access to the chip: median "
                "(smallest-largest); SCSI commands meanwhile.")
    rows = []
    with tempfile.TemporaryDirectory(prefix="lsi8xx-bench-") as name:
        directory = Path(name)
        for number in range(max(DISK_NUMBERS)):
            pattern_disk(directory / f"{number}.img")
        for disks in DISK_NUMBERS:
            found = {side.name: [] for side in PAIR}
            for _ in range(rounds):
                for side in PAIR:
                    found[side.name].append(post_of(side, disks, directory, accelerator))
            times = {name: [ms for ms, _ in runs] for name, runs in found.items()}
            ratios = [a / b for a, b in zip(times[OURS], times[SEABIOS])]
            rows.append([f"{disks} disks", *(cell for name, runs in found.items() for cell in (
                spread(times[name], 1), str(max(count for _, count in runs))))])
            if disks == 1:
                report.budget(f"{accelerator.upper()}, POST with one disk: time against {SEABIOS}",
                              statistics.median(ratios), budgets.POST_AGAINST_SEABIOS,
                              must_hold=False, shown=spread(ratios, 2))
    report.table(["on the bus", *(column for side in PAIR for column in (
        f"{side.name}, ms", "commands"))], rows)


# ---- Ring 1 ----------------------------------------------------------------------------


def report_exact_post(report: Report) -> None:
    """Exact counts of init. Its waits for bus and chip are in virtual time."""
    report.heading("Init, exact (strict virtual PC)")
    rows = []
    for variant in VARIANTS:
        for disks in DISK_NUMBERS:
            pc = new_pc(variant, {i: Disk() for i in range(disks)}, measure=True)
            result = pc.bios.copies[0].init_result
            commands = sum(len(target.commands) for target in pc.bus.targets.values())
            rows.append([f"53C{variant}, {disks} disks", str(result.instructions),
                         str(result.register_reads + result.register_writes),
                         str(commands), f"{result.ns / 1e6:.0f}"])
    report.table(["chip", "CPU instructions", "register accesses", "SCSI commands",
                  "ms of the virtual clock"], rows)


# ---- Linux -----------------------------------------------------------------------------

LINES = {"GRUB: loading Linux": "GRUB's line", media.GUEST_MOUNTED: "the guest's own line"}
GUEST_MEMORY = ("-m", "512")


def seconds_to_lines(side: Side, image: Path) -> list[float]:
    """Seconds from the start of QEMU to each of LINES."""
    start = time.perf_counter()
    with Machine(side.path, *GUEST_MEMORY, *disk_arguments(image, 0),
                 rom=side.rom) as machine:
        out = []
        for line in LINES:
            machine.console.wait_for(line, 300)
            out.append(time.perf_counter() - start)
    return out


def report_linux(report: Report, rounds: int) -> None:
    report.heading("Linux disk of `make run`, TCG")
    image = media.linux_disk()
    found = {side.name: [] for side in PAIR}
    for _ in range(rounds):
        for side in PAIR:
            found[side.name].append(seconds_to_lines(side, image))
    report.text("Seconds from power-on: median (smallest-largest).")
    report.table(["until", *found], [
        [what, *(spread([run[i] for run in runs], 1) for runs in found.values())]
        for i, what in enumerate(LINES.values())])

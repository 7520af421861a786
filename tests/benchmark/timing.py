# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Requests per second. Each round measures every side in turn, so that a noisy
machine favours none of them.

The agent makes all calls of a run inside the guest, advances the LBA by itself
and measures the time. After each run the moved data is checked.
"""

from __future__ import annotations

import contextlib
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from . import budgets
from .report import Report, spread
from .sides import (BARE, CD_BLOCKS, DISK_SECTORS, MAIN_SIDES, OURS, SEABIOS, SECTOR, SIDES, Bench,
                    Side, cd_bench, disk_bench)

from tests.qemu.agent import BUFFER, PACKET, Agent, Registers

CD_BLOCK = 2048
FILL, FILL_BYTES = 0xEE, 16     # at the end of the buffer: shows data that was not moved
READ_CHS, WRITE_CHS, READ, WRITE = 0x02, 0x03, 0x42, 0x43
BY_PACKET = {READ_CHS: READ, WRITE_CHS: WRITE}
TRACK = 32               # sectors per track that every geometry here has
HEADS = 64               # of this ROM's geometry: no other side writes by CHS
FEWEST_CALLS, MOST_CALLS = 8, 20_000    # per run
NOTHING = 0x1C           # an interrupt whose handler does nothing
CALIBRATION_S = 0.3

SEQUENTIAL, RANDOM = "sequential", "random"
FACTOR, ADDEND = 1_664_525, 1_013_904_223    # [Knuth, TAOCP 2, 3.3.4]
MEMORY_DISK = Path("/dev/shm")


class WrongData(RuntimeError):
    """A call that failed or moved the wrong data."""


@dataclass(frozen=True)
class Call:
    """A kind of request."""
    function: int
    blocks: int
    order: str = SEQUENTIAL
    cd: bool = False

    @property
    def block_bytes(self) -> int:
        return CD_BLOCK if self.cd else SECTOR

    @property
    def length(self) -> int:
        return self.blocks * self.block_bytes

    @property
    def name(self) -> str:
        what = "write" if self.writes else "read"
        kind = "CD " if self.cd else ""
        return f"AH={self.function:02X}h {kind}{what}, {self.blocks}, {self.order}"

    @property
    def writes(self) -> bool:
        return self.function in (WRITE_CHS, WRITE)

    @property
    def by_chs(self) -> bool:
        return self.function in BY_PACKET

    @property
    def first(self) -> int:
        """Writes go to the upper half of the disk, so that reads find the
        original data in the lower half."""
        return DISK_SECTORS // 2 if self.writes else 0

    @property
    def base(self) -> int:
        """The lowest place: an LBA, or ECX with cylinder and sector."""
        if not self.by_chs:
            return self.first
        return self.first // (HEADS * TRACK) << 8 | 1

    def lba(self, place: int) -> int:
        """LBA of a place that the agent used."""
        return place - self.base + self.first

    def steps(self, seed: int) -> tuple[int, int, int, int, int]:
        """State, factor, addend, mask, base for the agent."""
        mask = (CD_BLOCKS if self.cd else DISK_SECTORS) // 4 - 1
        if self.order == RANDOM:
            return seed, FACTOR, ADDEND, mask, self.first
        state = (seed * self.blocks & mask) << 8
        if self.by_chs:     # within one track
            mask = TRACK - 1
        return state, 1, self.blocks << 8, mask, self.base


CALLS = [
    *(Call(READ, n) for n in (1, 8, 64, 127)),
    *(Call(READ, n, RANDOM) for n in (1, 8, 64, 127)),
    *(Call(READ_CHS, n) for n in (1, 8)),
    *(Call(WRITE, n) for n in (1, 8, 127)),
    *(Call(READ, n, order, cd=True) for order in (SEQUENTIAL, RANDOM) for n in (1, 16)),
]
QUICK_CALLS = [Call(READ, 1), Call(READ, 8), Call(READ, 127), Call(READ, 1, RANDOM),
               Call(READ_CHS, 1), Call(WRITE, 8), Call(READ, 1, cd=True)]


@dataclass
class Plan:
    """The calls and sides to measure, the number of rounds, and the length of a run."""
    calls: list[Call]
    disk_sides: list[Side]
    rounds: int
    run_s: float

    @classmethod
    def quick(cls) -> Plan:
        return cls(QUICK_CALLS, MAIN_SIDES, 3, 0.08)

    @classmethod
    def full(cls) -> Plan:
        return cls(CALLS, SIDES, 7, 0.15)


# ---- One run -------------------------------------------------------------------------


def registers_for(bench: Bench, call: Call) -> tuple[int, Registers]:
    """Function and registers of a call. The bare loop supports packets only."""
    function = call.function
    if bench.side.name == BARE:
        function = BY_PACKET.get(function, function)
    values = {"ah": function, "dl": bench.drive}
    if function in BY_PACKET:
        values |= {"al": call.blocks, "ecx": 1, "dh": 0, "es": BUFFER >> 4, "bx": BUFFER & 15}
    else:
        values |= {"al": 0, "ds": PACKET >> 4, "si": PACKET & 15}
    return function, Registers().with_halves(**values)


def ticks_per_second(bench: Bench) -> float:
    """Rate of the guest's time-stamp counter, by the host's clock."""
    def both() -> tuple[float, int]:
        agent.interrupt(NOTHING, Registers())
        return time.perf_counter(), bench.outcome().ended

    with bench.running() as agent:
        seconds, ticks = both()
        time.sleep(CALIBRATION_S)
        later, more = both()
    return (more - ticks) / (later - seconds)


@dataclass
class Runner:
    """Times calls on one machine."""
    bench: Bench
    run_s: float
    hz: float       # of the guest's time-stamp counter
    counts: dict[Call, int] = field(default_factory=dict)   # number of calls that take run_s

    def microseconds(self, call: Call, seed: int) -> float:
        """Time per call. The first run of each kind is a warm-up."""
        if call not in self.counts:
            self._warm_up(call, seed)
        return self._run(call, seed, self.counts[call]) * 1e6

    def _warm_up(self, call: Call, seed: int) -> None:
        """Determine how many calls fill a run."""
        count, wanted = FEWEST_CALLS, self.run_s
        while (spent := self._run(call, seed, count) * count) < wanted / 4 and count < MOST_CALLS:
            count *= 4
        self.counts[call] = max(FEWEST_CALLS, min(MOST_CALLS, round(count * wanted / spent)))

    def _run(self, call: Call, seed: int, count: int) -> float:
        """Run `count` calls; returns seconds per call."""
        bench = self.bench
        function, registers = registers_for(bench, call)
        with bench.running() as agent:
            if call.writes:
                expected = self._load_buffer(agent, call, seed)
            else:
                agent.fill(BUFFER + call.length - FILL_BYTES, FILL_BYTES, FILL)
            agent.write(PACKET, struct.pack("<BBHHHQ", 16, 0, call.blocks, BUFFER & 15,
                                            BUFFER >> 4, 0))
            bench.put_steps(function in BY_PACKET, *call.steps(seed))
            try:
                agent.interrupt(bench.side.vector, registers, count)
            except TimeoutError:
                raise WrongData(f"{bench.side.name}: {count} calls of {call.name} did not end") from None
        if not call.writes:
            expected = bench.machine.read_memory(BUFFER, call.length)
        outcome = bench.outcome()
        lba = call.lba(outcome.place) if function in BY_PACKET else outcome.place
        self._check(call, outcome.failed, lba, expected)
        return (outcome.ended - outcome.began) / self.hz / count

    def _check(self, call: Call, failed: int, lba: int, expected: bytes) -> None:
        """`expected`: content of the medium at the place of the last call."""
        name = self.bench.side.name
        if failed:
            raise WrongData(f"{name}: {failed} calls of {call.name} failed")
        if self._on_medium(lba * call.block_bytes, call.length) != expected:
            raise WrongData(f"{name}: {call.name} moved wrong data at {lba}")

    def _load_buffer(self, agent: Agent, call: Call, seed: int) -> bytes:
        """Fill the buffer with data to write: a part of the lower half, different in each round."""
        bench = self.bench
        lba = seed * 257 % (DISK_SECTORS // 2 - call.blocks)
        agent.write(PACKET, struct.pack("<BBHHHQ", 16, 0, call.blocks, BUFFER & 15,
                                        BUFFER >> 4, lba))
        bench.put_steps(False, 0, 0, lba << 8, 0xFFFFFF, 0)
        agent.interrupt(bench.side.vector, registers_for(bench, Call(READ, call.blocks))[1])
        return self._on_medium(lba * SECTOR, call.length)

    def _on_medium(self, offset: int, length: int) -> bytes:
        with self.bench.image.open("rb") as file:
            file.seek(offset)
            return file.read(length)


# ---- All of them ---------------------------------------------------------------------

Times = dict[Call, dict[str, list[float]]]      # microseconds by call and side


def measure_in_turn(runners: list[Runner], calls: list[Call], rounds: int) -> Times:
    """Each round begins with a different side."""
    times: Times = {call: {} for call in calls}
    for number in range(rounds):
        first = number % len(runners)
        for call in calls:
            for runner in runners[first:] + runners[:first]:
                side = runner.bench.side
                if side.writes or not call.writes:
                    times[call].setdefault(side.name, []).append(
                        runner.microseconds(call, 1 + number))
    return times


def measure(plan: Plan, accelerator: str) -> Times:
    """Measure disks, then CDs; the latter with the drivers for this chip only."""
    return {**measure_disks(plan, accelerator),
            **_measure(plan, MAIN_SIDES, cd_bench, accelerator, cd=True)}


def measure_disks(plan: Plan, accelerator: str) -> Times:
    return _measure(plan, plan.disk_sides, disk_bench, accelerator, cd=False)


def _measure(plan: Plan, sides: list[Side], start: Callable, accelerator: str, *,
             cd: bool) -> Times:
    calls = [call for call in plan.calls if call.cd == cd]
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(
            prefix="lsi8xx-bench-", dir=MEMORY_DISK if MEMORY_DISK.is_dir() else None)))
        benches = [stack.enter_context(start(side, directory, accelerator)) for side in sides]
        # One rate for all sides: its error must not favour one of them.
        hz = statistics.median(map(ticks_per_second, benches))
        return measure_in_turn([Runner(bench, plan.run_s, hz) for bench in benches], calls, plan.rounds)


def ratios(times: dict[str, list[float]], other: str) -> list[float]:
    """Time of this ROM relative to another side, round by round."""
    return [ours / theirs for ours, theirs in zip(times[OURS], times[other])]


# ---- Report --------------------------------------------------------------------------


def rate_cell(call: Call, microseconds: list[float]) -> str:
    per_second = [1e6 / t for t in microseconds]
    return f"{spread(per_second)}, {statistics.median(per_second) * call.length / 1e6:.1f}"


def report_rates(report: Report, times: Times) -> None:
    sides = [side.name for side in SIDES if any(side.name in row for row in times.values())]
    report.text("Requests per second: median (smallest-largest), then MB/s.")
    report.table(["call, blocks", *sides], [
        [call.name, *(rate_cell(call, row[side]) if side in row else "-" for side in sides)]
        for call, row in times.items()])


def report_ratios(report: Report, times: Times, accelerator: str, qemu_major: int) -> None:
    """Each ratio is followed by its budget; both are also in the budget table."""
    rows = []
    for call, row in times.items():
        cells = [call.name]
        limits = {SEABIOS: None, BARE: budgets.AGAINST_BARE_LOOP}
        if call.function == READ and not call.cd:
            limits[SEABIOS] = budgets.against_seabios(qemu_major, accelerator, call.blocks)
        for other, limit in limits.items():
            found = ratios(row, other)
            cells += [spread(found, 2), f"{limit:g}" if limit else "-"]
            if limit:
                report.budget(f"{accelerator.upper()}, {call.name}: time against {other}",
                              statistics.median(found), limit, must_hold=False,
                              shown=spread(found, 2))
        rows.append(cells)
    report.text("Time of this ROM as a part of the other's: median of the rounds "
                "(smallest-largest), and the budget.")
    report.table(["call, blocks", "of SeaBIOS's", "budget", "of the bare loop's", "budget"], rows)


def report_measured_times(report: Report, plan: Plan, accelerator: str, qemu_major: int) -> None:
    report.heading(f"Requests, {accelerator.upper()}")
    times = measure(plan, accelerator)
    report_rates(report, times)
    report_ratios(report, times, accelerator, qemu_major)

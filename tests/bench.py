#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make bench`: what a read costs, counted exactly on the strict virtual PC;
and its time through this ROM against SeaBIOS's own driver for the same chip,
in the same QEMU, in pairs taken in turn.

The agent makes the calls inside the guest, so that no host round trip is
part of a request. Nothing here is a test.
"""

from __future__ import annotations

import statistics
import struct
import sys
import tempfile
import time
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tools"), str(TOP / "tests")]

from agent import BUFFER, PACKET, Agent, Registers, build_agent  # noqa: E402
from machine import PATHS, Machine, disk_arguments  # noqa: E402
from strict import FAMILIES, new_pc  # noqa: E402
from vpc.target import Disk  # noqa: E402

DISK_BYTES = 32 << 20
ROUNDS = 9
CALLS = {1: 2000, 8: 2000, 127: 600}
BUDGET = 0.42  # design.md section 7, QEMU 7.2
PAIR = {"ours": "microvm", "SeaBIOS": "seabios"}


def seconds_per_call(agent: Agent, sectors: int) -> float:
    """AH=42h from the same place, again and again."""
    agent.write(PACKET, struct.pack("<BBHHHQ", 16, 0, sectors, 0, BUFFER >> 4, 1000))
    registers = Registers().with_halves(ah=0x42, dl=0x80, ds=PACKET >> 4, si=PACKET & 15)
    start = time.perf_counter()
    after = agent.interrupt(0x13, registers, CALLS[sectors])
    spent = time.perf_counter() - start
    if after.cf:
        raise RuntimeError(f"read failed with status {after.ah:02x}h")
    return spent / CALLS[sectors]


def print_counters() -> None:
    """One AH=42h from a disk that answers at once."""
    print("AH=42h, counted on the strict virtual PC")
    for family in FAMILIES:
        pc = new_pc(family, {0: Disk()}, measure=True)
        for sectors in CALLS:
            result = pc.read(1000, sectors)
            print(f"{sectors:4} sectors  {pc.chip.family.name:8}  "
                  f"{result.instructions} instructions, {result.register_reads} register reads, "
                  f"{result.register_writes} writes, {result.scripts_instructions} SCRIPTS "
                  f"instructions, stack {result.stack_used} of the caller's, "
                  f"{result.own_stack_used} of ours")


def main() -> int:
    print_counters()
    agent_rom = build_agent()
    with tempfile.TemporaryDirectory() as directory:
        image = Path(directory) / "disk.img"
        image.write_bytes(bytes(range(256)) * (DISK_BYTES // 256))
        machines = {name: Machine(PATHS[path], *disk_arguments(image, 0), with_agent=agent_rom)
                    for name, path in PAIR.items()}
        try:
            agents = {name: Agent(machine) for name, machine in machines.items()}
            print("AH=42h, microseconds a call: median of "
                  f"{ROUNDS} rounds (smallest to largest), QEMU with TCG")
            for sectors in CALLS:
                times: dict[str, list[float]] = {name: [] for name in agents}
                for _ in range(ROUNDS):
                    for name, agent in agents.items():
                        times[name].append(seconds_per_call(agent, sectors) * 1e6)
                ratios = [a / b for a, b in zip(times["ours"], times["SeaBIOS"])]
                ratio = statistics.median(ratios)
                row = "  ".join(f"{name} {statistics.median(t):7.1f} ({min(t):.1f}-{max(t):.1f})"
                                for name, t in times.items())
                print(f"{sectors:4} sectors  {row}  ratio {ratio:.2f} "
                      f"({min(ratios):.2f}-{max(ratios):.2f}), budget {BUDGET}: "
                      f"{'met' if ratio <= BUDGET else 'not met'}")
        finally:
            for machine in machines.values():
                machine.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The costs of a request: exact counts on the strict virtual PC, and counts from
QEMU's trace.
"""

from __future__ import annotations

import re
import struct
import tempfile
from pathlib import Path

from tests.qemu.agent import BUFFER, PACKET, Agent
from tests.rom.strict import VARIANTS, by_chs, by_packet, new_pc
from tests.model.pc import CANARY, Pc, Result, symbol
from tests.model.target import Disk

from . import budgets
from .baseline import Baseline
from .report import Report, spread
from .sides import MAIN_SIDES, Bench, disk_bench
from .timing import READ, READ_CHS, WRITE, WRITE_CHS, Call, registers_for

LBA = 1000
MEMORY_SIZE = 0x413     # KiB of conventional memory
COUNTED_CALLS = 50
KVM_CALLS = 500

ONE_SECTOR = [Call(function, 1) for function in (READ, READ_CHS, WRITE, WRITE_CHS)]
CALLS = [Call(READ, 1), Call(READ, 8), Call(READ, 127), *ONE_SECTOR[1:]]


# ---- Ring 1 ----------------------------------------------------------------------------


def measured_pc(variant: str) -> Pc:
    """A PC after POST with one disk; it counts instructions."""
    return new_pc(variant, {0: Disk()}, measure=True)


class OtherBuildPc(Pc):
    """For a ROM that is not in build/. The size of its stack is unknown, so the
    use of that stack is not measured."""
    _own_stack = range(0)


def other_pc(rom: Path, variant: str) -> Pc:
    """Like measured_pc(), with the ROM of another build."""
    pc = OtherBuildPc(rom, variant, measure=True)
    pc.bus.targets = {0: Disk()}
    pc.power_on()
    return pc


def one_call(pc: Pc, call: Call) -> Result:
    """Make one call as any program would. It must succeed."""
    if call.by_chs:
        result = by_chs(pc, call.function, LBA, call.blocks)
    else:
        result = by_packet(pc, call.function, LBA, call.blocks)
    if result.cf:
        raise RuntimeError(f"{call.name} failed with status {result.ah:02x}h")
    return result


def register_accesses(result: Result) -> int:
    return result.register_reads + result.register_writes


def instructions(result: Result) -> int:
    """CPU instructions, without those that only wait for the chip."""
    return result.instructions - result.waiting


def own_stack_room() -> int:
    """Bytes of our stack, without the canary."""
    return symbol("workspace") - len(CANARY)


def report_exact_counts(report: Report, baseline: Baseline | None) -> None:
    """Exact counts, with the baseline's CPU instructions for comparison."""
    report.heading("Counts of one call, exact (strict virtual PC)")
    rows, results = [], []
    for variant in VARIANTS:
        pc = measured_pc(variant)
        old = baseline and other_pc(baseline.rom(variant), variant)
        for call in CALLS:
            result = one_call(pc, call)
            results.append((call, result))
            rows.append([f"53C{variant}, AH={call.function:02X}h, {call.blocks}",
                         f"{result.register_reads} + {result.register_writes}",
                         str(result.port_accesses), str(result.scripts_instructions),
                         str(instructions(result)),
                         *([str(instructions(one_call(old, call)))] if old else []),
                         str(result.waiting), str(result.stack_used), str(result.own_stack_used)])
    report.table(["chip, call, blocks", "register reads + writes", "IN and OUT, all ports",
                  "SCRIPTS instructions", "CPU instructions",
                  *([f"the same, {baseline.name}"] if baseline else []), "more while SCRIPTS ran",
                  "caller's stack", "our stack"], rows)
    lost = memory_lost()
    report.text(f"Conventional memory lost with PMM: {lost} KiB.")
    report_count_budgets(report, results)
    report.budget("conventional memory lost with PMM, KiB", lost, budgets.CONVENTIONAL_KIB_LOST)


def report_count_budgets(report: Report, results: list[tuple[Call, Result]]) -> None:
    reads = [result for call, result in results if call.function == READ]
    every = [result for _, result in results]
    report.budget("register accesses of a read", max(map(register_accesses, reads)),
                  budgets.REGISTER_ACCESSES)
    report.budget("register accesses of any of these calls", max(map(register_accesses, every)),
                  budgets.REGISTER_ACCESSES)
    report.budget("IN and OUT of a read, all ports", max(r.port_accesses for r in reads),
                  budgets.PORT_ACCESSES)
    for one in ONE_SECTOR:
        report.budget(f"CPU instructions of a one-sector AH={one.function:02X}h, without the wait",
                      max(instructions(result) for call, result in results if call == one),
                      budgets.INSTRUCTIONS[one.function])
    report.budget("caller's stack, bytes", max(r.stack_used for r in every),
                  budgets.CALLERS_STACK_BYTES)
    report.budget("our stack in a call, bytes", max(r.own_stack_used for r in every),
                  own_stack_room())


def memory_lost() -> int:
    """KiB of conventional memory that POST takes if PMM is present."""
    pc = Pc(measured_pc(VARIANTS[0]).rom, VARIANTS[0])
    pc.bus.targets = {0: Disk()}
    before = pc.word(MEMORY_SIZE)
    pc.power_on()
    return before - pc.word(MEMORY_SIZE)


# ---- QEMU ------------------------------------------------------------------------------

EVENTS = ("memory_region_ops_read", "memory_region_ops_write")
LINE = re.compile(r"memory_region_ops_(read|write) .* addr 0x([0-9a-f]+) .* name '([^']*)'")
CHIP, AGENT_SERIAL = "lsi-io", "serial"
WHOLE_REGISTERS = (0x10, 0x2C, 0x30)    # DSA, DSP, DSPS
LAST_OF_DSP = 0x2F


def accesses(log: str) -> tuple[list[int], list[int]]:
    """For each request, from one start of SCRIPTS to the next: the number of
    accesses to the chip, and to other devices except the agent's serial line.
    QEMU's chip splits accesses into bytes: those of one dword count as one."""
    chip, others = [0], [0]
    for kind, address, device in LINE.findall(log):
        offset = int(address, 16) & 0xFF
        if device != CHIP:
            others[-1] += device != AGENT_SERIAL
        elif not (offset & 3 and offset & ~3 in WHOLE_REGISTERS):
            chip[-1] += 1
        if (device, kind, offset) == (CHIP, "write", LAST_OF_DSP):
            chip.append(0)
            others.append(0)
    return chip[1:-1], others[1:-1]     # drop accesses before the first and after the last start


def read_one_sector(bench: Bench, agent: Agent, count: int) -> None:
    """Read the same sector by AH=42h, `count` times."""
    _, registers = registers_for(bench, Call(READ, 1))
    agent.write(PACKET, struct.pack("<BBHHHQ", 16, 0, 1, BUFFER & 15, BUFFER >> 4, LBA))
    if agent.interrupt(bench.side.vector, registers, count).cf:
        raise RuntimeError(f"{bench.side.name}: read failed")


def traced_accesses(bench: Bench, log: Path) -> tuple[list[int], list[int]]:
    """accesses() of each request."""
    def trace(enable: bool) -> None:
        for event in EVENTS:
            bench.machine.qmp("trace-event-set-state", name=event, enable=enable)

    with bench.running() as agent:
        read_one_sector(bench, agent, 1)
    trace(True)
    with bench.running() as agent:
        read_one_sector(bench, agent, COUNTED_CALLS)
    trace(False)
    return accesses(log.read_text())


KVM_STATISTICS = {"exits": "exits", "insn_emulation": "instructions emulated by the kernel"}


def kvm_statistics(bench: Bench) -> dict[str, float]:
    """KVM's statistics per request, without the cost of the order to the agent."""
    def now() -> dict[str, int]:
        answer = bench.machine.qmp("query-stats", target="vcpu", providers=[
            {"provider": "kvm", "names": list(KVM_STATISTICS)}])
        return {stat["name"]: stat["value"] for stat in answer[0]["stats"]}

    def taken(count: int) -> dict[str, int]:
        before = now()
        with bench.running() as agent:
            read_one_sector(bench, agent, count)
        return {name: value - before[name] for name, value in now().items()}

    taken(COUNTED_CALLS)
    one, many = taken(1), taken(1 + KVM_CALLS)
    return {name: (many[name] - one[name]) / KVM_CALLS for name in many}


def report_traced_counts(report: Report, accelerators: list[str]) -> None:
    """Counts from QEMU's trace. Tracing makes the chip slower, so a driver that
    polls it makes more accesses than without."""
    report.heading("Counts of one call in QEMU (AH=42h, 1 sector)")
    rows = []
    for accelerator in accelerators:
        with tempfile.TemporaryDirectory(prefix="lsi8xx-bench-") as name:
            for side in MAIN_SIDES:
                log = Path(name) / f"{side.name}.log"
                with disk_bench(side, Path(name), accelerator, "-D", str(log)) as bench:
                    kvm = kvm_statistics(bench) if accelerator == "kvm" else {}
                    chip, others = traced_accesses(bench, log)
                rows.append([f"{side.name}, {accelerator.upper()}", spread(chip), spread(others),
                             *(f"{kvm[name]:.1f}" if name in kvm else "-"
                               for name in KVM_STATISTICS)])
    report.table(["driver, accelerator", "register accesses", "other ports",
                  *KVM_STATISTICS.values()], rows)

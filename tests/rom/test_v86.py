# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: INT 13h under a virtual-8086 monitor with upper memory, like EMM386. The
model checks each instruction of the ROM before it runs (tests/model/v86.py);
instructions that no test runs are checked in the disassembled image.
"""

from __future__ import annotations

import functools
import re
import subprocess

import pytest

from tests.build import BUILD
from tests.model.bios import Bios
from tests.model.bus import FREE, HANG
from tests.model.devices import TimerInterrupt
from tests.model.eltorito import FLOPPY_144, HARD_DISK, Disc, Entry, floppy, hard_disk, loader
from tests.model.pc import PACKET, ROM_SEGMENT, SEEDS, Pc
from tests.model.rules import RuleViolation
from tests.model.target import Disk
from tests.model.v86 import faulting
from tests.model.vds import PAGE, Vds
from tests.rom.bios.multi_controller import all_disks, booted_with, owners
from tests.rom.cd.cdboot import CD, check_blocks, check_boot, check_sectors, move, with_cd
from tests.rom.strict import (NO_MEDIUM, OK, SECOND, TIMEOUT, VARIANTS, disk, expected, new_data,
                              new_pc, simple_call, transfer)
from tests.rom.test_vds import workspace_pages

UMB, UMB_PAGES = 0xD8000, 16            # linear addresses after the ROM
FRAME = 0x700                           # physical pages: extended memory
UPPER = {UMB // PAGE + i: FRAME + 3 * i for i in range(UMB_PAGES)}
TOGETHER = {UMB // PAGE + i: FRAME + i for i in range(UMB_PAGES)}
READS, WRITES = (0x02, 0x42), (0x03, 0x43)

# How a memory manager supports scattered memory
MANNERS = {"lists": dict(), "a buffer": dict(scatter_gather=False, buffer_bytes=0x8000),
           "neither": dict(scatter_gather=False, buffers=0)}

variants = pytest.mark.parametrize("variant", VARIANTS)
manners = pytest.mark.parametrize("manner", MANNERS.values(), ids=MANNERS.keys())


def monitor(pages: dict[int, int] | None = None, **options) -> Vds:
    return Vds(pages=dict(UPPER if pages is None else pages), strict=True, **options)


def booted(variant: str = "895A", target: Disk | None = None, bios: Bios | None = None,
           moved: bool = False, timer: TimerInterrupt | None = None, **options) -> Pc:
    """Disks at IDs 0 and 3; with `moved`, the workspace is remapped too."""
    pc = new_pc(variant, {0: target or Disk(), 3: Disk(content=lambda lba: bytes([3]) * 512)},
                bios=bios or Bios(), vds=monitor(**options), timer=timer or TimerInterrupt())
    if moved:
        move_workspace(pc)
    return pc


def move_workspace(pc: Pc) -> None:
    """Adjacent pages stay contiguous, because the ROM requests no scatter/gather list
    for them."""
    pc.vds.pages |= {page: 0x900 + i for i, page in enumerate(workspace_pages(pc))}


def check_data(pc: Pc, function: int, count: int, address: int = UMB + 0x100, lba: int = 1000) -> None:
    """Transfers data between the disk and upper memory."""
    data = new_data(count, count)
    pc.poke(address, data)
    disk(pc).written.clear()
    assert transfer(pc, function, lba, count, address) == (OK, count)
    assert expected(pc, lba, count) == pc.peek(address, count * 512)
    assert (expected(pc, lba, count) == data) == (function in WRITES)


# ---- Disks -------------------------------------------------------------------------------


@variants
@manners
@pytest.mark.parametrize("moved", [False, True], ids=["workspace in place", "workspace moved"])
def test_buffers_in_upper_memory_are_reached(variant, manner, moved):
    pc = booted(variant, moved=moved, **manner)
    for function in (*READS, *WRITES):
        for count, address in ((1, UMB), (1, UMB + PAGE - 256), (7, UMB + 0x1F2), (40, UMB + 1)):
            if manner.get("buffers", 1) or address % 512 == 0:
                check_data(pc, function, count, address)
    assert content_of_second_disk(pc) == 3


def content_of_second_disk(pc: Pc) -> int:
    assert transfer(pc, 0x42, 9, 1, UMB, drive=0x81) == (OK, 1)
    return pc.peek(UMB, 1)[0]


def test_contiguous_upper_memory_is_reached_without_copies():
    pc = booted(pages=TOGETHER, scatter_gather=False, buffers=0)
    for function in (*READS, *WRITES):
        check_data(pc, function, 60, UMB + 0x1F2)


@variants
def test_all_functions_run_under_the_monitor(variant):
    pc = booted(variant, moved=True)
    writable = range(SEEDS["ds"] * 16, SEEDS["ds"] * 16 + 0x20000)
    for function in range(0x100):
        pc.int13(writable, ah=function, dl=0x80, changes="ax bx cx dx")
        pc.int13(ah=function, dl=0x85, changes="ax bx cx dx")
    assert len(pc.vds.monitor.ran) > 900


@variants
@pytest.mark.parametrize("size", [1024, 2048, 4096])
def test_partial_blocks_are_transferred_under_the_monitor(variant, size):
    """The block buffer belongs to the workspace and is remapped as well."""
    pc = booted(variant, Disk(block_bytes=size, blocks=8192), moved=True)
    for lba, count in ((1, 1), (7, 2), (3, 13)):
        data = new_data(lba, count)
        pc.poke(UMB, data)
        assert transfer(pc, 0x43, lba, count, UMB) == (OK, count)
        pc.poke(UMB, bytes(len(data)))
        assert transfer(pc, 0x42, lba, count, UMB) == (OK, count)
        assert pc.peek(UMB, len(data)) == data


@variants
def test_removable_drive_works_under_the_monitor(variant):
    pc = booted(variant, Disk(removable=True), moved=True)
    assert simple_call(pc, 0x16).ah == OK
    assert simple_call(pc, 0x45, "ax", al=0).ah == OK
    assert simple_call(pc, 0x45, "ax", al=1).ah == OK
    disk(pc).insert(1000)
    assert transfer(pc, 0x42, 5, 1, UMB) == (0x06, 0)
    for function in (*READS, *WRITES):
        check_data(pc, function, 3, lba=900)
    assert simple_call(pc, 0x46, al=0).ah == OK
    assert transfer(pc, 0x42, 5, 1, UMB) == (NO_MEDIUM, 0)


def set_hang(target: Disk) -> None:
    target.deaf, target.data_hook = True, lambda bus, data: iter([HANG])


FAILURES = {
    "hang": set_hang, "bus free": lambda t: setattr(t, "data_hook", lambda bus, data: iter([FREE])),
    "short data": lambda t: setattr(t, "data_hook", lambda bus, data: Disk.data_in(data[:100])),
    "medium error": lambda t: t.bad_blocks.update({1001: (0x3, 0x11, 0, True)}),
    "not ready": lambda t: setattr(t, "ready_at", 10_000 * SECOND)}


@variants
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES.keys())
def test_failures_are_handled_under_the_monitor(variant, failure):
    """The handling includes timeouts, ABORT, resets and sense data."""
    pc = booted(variant, moved=True)
    failure(disk(pc))
    assert transfer(pc, 0x42, 1000, 3, UMB).status != OK
    disk(pc).deaf, disk(pc).data_hook, disk(pc).ready_at = False, None, 0
    disk(pc).bad_blocks.clear()
    simple_call(pc, 0x0D)
    check_data(pc, 0x42, 3)


def test_missing_target_returns_80h():
    pc = booted(moved=True)
    del pc.bus.targets[0]
    assert transfer(pc, 0x42, 1, 1, UMB).status == TIMEOUT
    assert content_of_second_disk(pc) == 3


@pytest.mark.parametrize("irq0", ["alive", "calling"])
def test_interrupts_are_served_during_a_command(irq0):
    pc = booted(timer=TimerInterrupt(irq0), moved=True)
    ticks = pc.timer.ticks

    def disconnecting(bus, data):
        yield from Disk.data_in(data[:100])
        yield from disk(pc).disconnect(ns=90_000_000)
        yield from Disk.data_in(data[100:])
    disk(pc).data_hook = disconnecting
    assert transfer(pc, 0x42, 1000, 1, UMB) == (OK, 1)
    assert pc.timer.ticks > ticks


# ---- CDs ---------------------------------------------------------------------------------


def load_monitor(pc: Pc, **options) -> Pc:
    """The monitor is loaded after the boot."""
    pc.vds = monitor(**options)
    pc.vds.start(pc)
    move_workspace(pc)
    return pc


@variants
@manners
def test_cd_reads_to_upper_memory(variant, manner):
    disc = Disc(Entry(loader(4), segment=0x1000))
    pc = with_cd(variant, disc)
    check_boot(pc, disc)
    load_monitor(pc, **manner)
    check_blocks(pc, disc)
    for count, address in ((1, UMB), (4, UMB + 0x800)):
        pc.poke(address, bytes(count * 2048))
        done = move(pc, 0x42, 16, count, address, number=CD)
        if manner.get("buffers", 1):
            assert done == (OK, count)
            assert pc.peek(address, count * 2048) == disc.read(16, count)
    assert cd_fails(pc) == OK


def cd_fails(pc: Pc) -> int:
    return pc.int13(ah=0x41, bx=0x55AA, dl=CD, changes="ah bx cx").cf


@variants
@pytest.mark.parametrize("entry, number, geometry", [
    (Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=1), 0x00, (2, 18)),
    (Entry(hard_disk(20, 4, 17), media=HARD_DISK, count=1), 0x80, (4, 17))],
    ids=["floppy", "hard disk"])
def test_emulated_drive_is_read_under_the_monitor(variant, entry, number, geometry):
    """DOS booted from a CD loads EMM386 from the emulated drive."""
    disc = Disc(entry)
    pc = with_cd(variant, disc)
    (check_boot(pc, disc, number=number) if number == 0
     else pc.bios.boot(pc.bios.entries[0], *disc.loads))
    load_monitor(pc)
    for function in (0x02, 0x42) if number else (0x02,):
        for first, count in ((1, 1), (3, 5), (18, 18)):
            check_sectors(pc, disc, entry, first, count, number, function, UMB + 0x140, geometry)


# ---- Several controllers -----------------------------------------------------------------


def test_two_controllers_under_one_monitor():
    pc = booted_with("two", vds=monitor())
    move_workspace(pc)
    assert owners(pc) == all_disks(pc)
    ran = pc.vds.monitor.ran
    assert all(any(address in copy.image for address in ran) for copy in pc.bios.copies)
    assert len(pc.bios.copies) == 2


# ---- Ports -------------------------------------------------------------------------------


@pytest.mark.parametrize("port", [0x00, 0x0A, 0x20, 0x60, 0x64, 0x80, 0x92, 0xA1, 0xC0, 0xCF8])
@pytest.mark.parametrize("code", ["ec", "ee"], ids=["IN", "OUT"])
def test_model_rejects_ports_that_a_monitor_traps(port, code):
    """The monitor passes only ports of the chip and of the 8254."""
    pc = booted()
    pc.poke(ROM_SEGMENT * 16 + pc.word(0x4C), b"\xba" + port.to_bytes(2, "little")
            + bytes.fromhex(code) + b"\xcf")
    with pytest.raises(RuleViolation, match="port not ours"):
        pc.int13(ah=0x77, dl=0x80)


# ---- The image ---------------------------------------------------------------------------

FORBIDDEN = re.compile(
    r"^(arpl|int1|icebp|hlt|l[gl]dt\w*|lidt\w*|s[gil]dt\w*|ltr|str|ver[rw]|lar\w*|lsl\w*|clts|lmsw|inv\w+"
    r"|wb\w*invd|[rw]drand|wrmsr|rd\w+|sys\w+|(push|pop)f[lq]|iret[lq]|cpuid|f\w+|v\w+)$")
LINE = re.compile(r"^\s*([0-9a-f]+):\t((?:[0-9a-f]{2} )+)\s*\t(?:(?:rep\w*|data\w*|addr\w*|[c-g]s) )*"
                  r"(\S+)(.*)$")


def listing() -> dict[int, tuple[bytes, str, str]]:
    """The instructions of the image by offset: bytes, mnemonic, operands."""
    text = subprocess.run(["objdump", "-d", "-M", "i8086", "--insn-width=15", str(BUILD / "rom.elf")],
                          capture_output=True, text=True, check=True).stdout
    matches = (LINE.match(line) for line in text.splitlines())
    return {int(m[1], 16): (bytes.fromhex(m[2]), m[3], m[4]) for m in matches if m}


@functools.cache
def resident(symbols: str = "cd_end") -> int:
    text = subprocess.run(["nm", str(BUILD / "rom.elf")], capture_output=True, text=True,
                          check=True).stdout
    return int(re.search(rf"^([0-9a-f]+) \w {symbols}$", text, re.M)[1], 16)


SLOT_STUBS = 0x60       # rom/layout.h


def is_data(at: int) -> bool:
    """In code sections: the model of a boot entry up to its stubs, and the segments of
    far code."""
    for name, length in (("entry_model", SLOT_STUBS), ("far_workspace", 4)):
        if resident(name) <= at < resident(name) + length:
            return True
    return False


def test_resident_code_has_no_instruction_that_faults_in_v86_mode():
    end = resident()
    code = {at: line for at, line in listing().items() if at < end and not is_data(at)}
    assert len(code) > 3000
    faults = [f"{at:#x}: {mnemonic}{operands}" for at, (_, mnemonic, operands) in code.items()
              if FORBIDDEN.match(mnemonic) or re.search(r"%(cr|db|dr|tr)\d", operands)]
    assert faults == []


@variants
def test_executed_instructions_are_in_the_listing(variant):
    """Verifies that no code runs from the middle of a checked instruction."""
    pc = booted(variant)
    check_data(pc, 0x42, 3)
    lines = listing()
    ran = {at - ROM_SEGMENT * 16 for at in pc.vds.monitor.ran}
    assert len(ran) > 500
    assert ran <= lines.keys()
    for at, (data, mnemonic, operands) in lines.items():
        known = FORBIDDEN.match(mnemonic) or re.search(r"%(cr|db|dr|tr)\d", operands)
        if faulting(data) and not is_data(at):
            assert known, f"{at:#x}: {mnemonic}"


# ---- The model detects violations --------------------------------------------------------

FAULTING = {
    "HLT": "f4", "CLTS": "0f06", "LGDT": "0f0116 0010", "LIDT": "670f011d 00100000", "LMSW": "0f01f0",
    "LMSW from memory": "0f0136 0010", "INVLPG": "0f013e 0010", "INVD": "0f08", "WBINVD": "0f09",
    "MOV from CR0": "0f20c0", "MOV to CR0": "0f22c0", "MOV from DR7": "0f21f8", "MOV to DR7": "0f23f8",
    "RDMSR": "0f32", "WRMSR": "0f30", "RDTSC": "0f31", "STR": "0f00c8", "LLDT": "0f00d0",
    "VERR": "0f00e0", "LAR": "0f02c0", "LSL": "0f03c0", "ARPL": "63c0", "PUSHFD": "669c",
    "POPFD": "669d", "IRETD": "66cf", "with prefixes": "662ef4", "VMCALL": "0f01c1"}
HARMLESS = {"CLI": "fa", "STI": "fb", "PUSHF": "9c", "POPF": "9d", "IRET": "cf", "INT": "cd13",
            "SMSW": "660f01e0", "SIDT": "0f010e 0010", "IN": "ec", "REP MOVSD": "f366a5",
            "MOV": "668b04", "MOVZX": "0fb6c0", "BT": "0fa3c0", "MOV FS": "8ee0", "prefix only": "2e"}


@pytest.mark.parametrize("code", FAULTING.values(), ids=FAULTING.keys())
def test_faulting_instruction_is_recognised(code):
    assert faulting(bytes.fromhex(code.replace(" ", "")))


@pytest.mark.parametrize("code", HARMLESS.values(), ids=HARMLESS.keys())
def test_emulated_instruction_is_accepted(code):
    assert not faulting(bytes.fromhex(code.replace(" ", "")))


@pytest.mark.parametrize("code", ["0f20c0", "669c 669d", "66b800002000 678800"],
                         ids=["a control register", "flags of 32 bits", "beyond a segment"])
def test_model_reports_faulting_int13_entry(code):
    """The code replaces the INT 13h entry."""
    pc = booted()
    pc.poke(ROM_SEGMENT * 16 + pc.word(0x4C), bytes.fromhex(code.replace(" ", "")) + b"\xcf")
    pc.vds.start(pc)
    with pytest.raises(RuleViolation, match="v86-fault"):
        pc.int13(ah=0x77, dl=0x80, ds=PACKET >> 4)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The shipped ROM under many BIOSes: how memory is given out, how boot
entries are called, what timers do, what the host says. The bench watches its
laws during every call (tests/model); at the end stand those of the BIOS side,
each shown to bite.
"""

from __future__ import annotations

import struct

import pytest

from tests.build import ROM_810, ROM_895A
from tests.model.bios import (BIOS_SEGMENT, EBDA_KIB, HARD_DISKS, MEMORY_SIZE, NO_BBS, PCI_3,
                              PERMANENT_AREA, SEABIOS, SPECIFICATION, TEMPORARY_AREA, Bios)
from tests.model.bus import HANG
from tests.model.devices import FwCfg, PciSpace, Pit, TimerInterrupt
from tests.model.pc import BUFFER, IO_BASE, ROM_SEGMENT, SEEDS, Pc, symbol
from tests.model.rules import RuleViolation
from tests.model.target import Disk

ROMS = {"895A": ROM_895A, "810": ROM_810}
OK, BAD_COMMAND, TIMEOUT, NOT_READY = 0x00, 0x01, 0x80, 0xAA
SECOND = 1_000_000_000
INT13 = 0x13 * 4
WORKSPACE_KIB = 2

NO_PERMANENT = ["absent", "1.00", "refusing", "unsupported", "bad checksum"]
PNP_MANNERS = [SEABIOS, SPECIFICATION]


def named_disk(scsi_id: int, **options) -> Disk:
    """A disk whose sectors say which one it is."""
    return Disk(content=lambda lba: bytes([scsi_id]) * 508 + lba.to_bytes(4, "little"), **options)


def machine(*ids: int, variant: str = "895A", **options) -> Pc:
    """A machine before POST, with disks at these IDs."""
    pc = Pc(ROMS[variant], variant, **options)
    pc.bus.targets = {scsi_id: named_disk(scsi_id) for scsi_id in ids}
    return pc


def booted(*ids: int, **options) -> Pc:
    pc = machine(*(ids or (0, 3)), **options)
    pc.power_on()
    return pc


def id_of(pc: Pc, drive: int) -> int:
    """Which disk answers under a drive number."""
    pc.poke(BUFFER, b"\xEE" * 1024)
    result = pc.read(77, 2, drive)
    assert (result.ah, result.cf) == (OK, False)
    data = pc.peek(BUFFER, 1024)
    assert data[508:512] == struct.pack("<I", 77) and data[1020:] == struct.pack("<I", 78)
    return data[0]


def passes_on(pc: Pc, drive: int) -> None:
    """A drive that is not ours: the BIOS's handler gets the call as it came."""
    before = len(pc.bios.passed_on)
    result = pc.int13(ah=0x02, dl=drive)
    assert (result.ah, result.cf) == (BAD_COMMAND, True)
    seen = pc.bios.passed_on[-1]
    assert len(pc.bios.passed_on) == before + 1
    expected = {**SEEDS, "eax": 0xAAAA0207, "edx": 0xDDDD5D00 | drive}
    assert {name: seen[name] for name in expected} == expected


def left_nothing(pc: Pc) -> None:
    """Memory, vectors and counts are as before POST, and the image is gone."""
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert pc.bios.memory.blocks == []
    assert pc.word(INT13 + 2) == BIOS_SEGMENT
    assert pc.peek(HARD_DISKS, 1) == bytes([pc.bios.disks])
    assert pc.bios.kept == 0 and pc.bios.entries == []
    assert pc.bios.init_result.ax == 0
    passes_on(pc, 0x80)


# ---- Memory --------------------------------------------------------------------------


@pytest.mark.parametrize("signature", [b"$PMM", b"$PnP"])
def test_a_register_that_the_bios_saved_is_no_table(signature):
    """Seen: SeaBIOS's timer interrupt has its stack in the E segment, and
    saves there what it interrupts: us, when we look for that signature."""
    pc = machine(0, 3)
    pc.poke(0xE0000, signature + struct.pack("<III", 5, 0x20, 0xD326))
    pc.power_on()
    assert [id_of(pc, drive) for drive in (0x80, 0x81)] == [0, 3]


@pytest.mark.parametrize("variant", ROMS)
@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_permanent_memory_costs_the_640_kib_nothing(variant, manner):
    pc = booted(variant=variant, bios=Bios(manner))
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert [(b.permanent, len(b.place)) for b in pc.bios.memory.blocks] == [(True, 2048)]
    assert pc.workspace == pc.bios.memory.blocks[0].place
    assert pc.workspace.start in PERMANENT_AREA
    assert (id_of(pc, 0x80), id_of(pc, 0x81)) == (0, 3)


@pytest.mark.parametrize("pmm", NO_PERMANENT)
def test_without_permanent_memory_40_13h_is_lowered(pmm):
    pc = booted(bios=Bios(pmm=pmm))
    assert pc.word(MEMORY_SIZE) == EBDA_KIB - WORKSPACE_KIB
    assert pc.workspace.start == (EBDA_KIB - WORKSPACE_KIB) * 1024
    assert pc.bios.memory.blocks == [], "the block for first sectors was given back"
    pc.poke(TEMPORARY_AREA.start, b"\xCC" * (pc.workspace.start - TEMPORARY_AREA.start))
    assert (id_of(pc, 0x80), id_of(pc, 0x81)) == (0, 3)


@pytest.mark.parametrize("kib", [600, 128])
def test_memory_is_taken_below_what_others_have_taken(kib):
    pc = machine(0, bios=Bios(pmm="absent"))
    pc.poke(MEMORY_SIZE, struct.pack("<H", kib))
    pc.power_on()
    assert pc.word(MEMORY_SIZE) == kib - WORKSPACE_KIB
    assert pc.workspace.stop == kib * 1024
    assert id_of(pc, 0x80) == 0


@pytest.mark.parametrize("kib", [0, 1, 63, 641, 0xFFFF])
def test_a_memory_size_that_cannot_be_is_left_alone(kib):
    pc = machine(0, bios=Bios(pmm="absent"))
    pc.poke(MEMORY_SIZE, struct.pack("<H", kib))
    pc.power_on()
    assert "no memory" in pc.text
    assert pc.word(MEMORY_SIZE) == kib
    assert (pc.workspace, pc.bios.kept) == (None, 0)


@pytest.mark.parametrize("manner", [*PNP_MANNERS, NO_BBS])
@pytest.mark.parametrize("pmm", ["1.01", *NO_PERMANENT])
def test_without_disks_nothing_is_left_behind(pmm, manner):
    pc = machine(bios=Bios(manner, pmm=pmm))
    pc.power_on()
    assert "no disk" in pc.text
    left_nothing(pc)


@pytest.mark.parametrize("pmm", ["1.01", *NO_PERMANENT])
def test_without_a_controller_nothing_is_left_behind(pmm):
    pc = booted(present=False, bios=Bios(pmm=pmm))
    assert "no 53C8xx controller" in pc.text
    left_nothing(pc)
    assert pc.chip.reads == pc.chip.writes == 0


@pytest.mark.parametrize("bar0", [1, 0, 0xFEBF0000, 0x00010001, 0xFFFFFFFF],
                         ids=["none", "zero", "memory", "above 64 KiB", "all ones"])
@pytest.mark.parametrize("pmm", ["1.01", "absent"])
def test_a_controller_without_ports_leaves_nothing_behind(pmm, bar0):
    pc = booted(bar0=bar0, bios=Bios(pmm=pmm))
    assert "no I/O address" in pc.text
    left_nothing(pc)
    assert pc.chip.reads == pc.chip.writes == 0
    assert pc.pci.command == 0, "or it would answer at ports of others"


def test_without_drives_the_controller_is_no_bus_master_any_more():
    pc = machine(bios=Bios())
    pc.bus.targets = {}
    pc.power_on()
    assert "no disk" in pc.text
    assert pc.pci.command & (PciSpace.IO | PciSpace.MASTER) == PciSpace.IO


def test_a_read_only_image_leaves_nothing_behind():
    """A BIOS with BBS calls into it, and what init wrote to it is lost: all boot
    entries of the file are seen and called, and must do nothing. (Without BBS:
    test_bootstrap.py.)"""
    pc = booted(rom_writable=False, bios=Bios(SPECIFICATION))
    assert "the ROM image is read-only" in pc.text
    assert pc.peek(ROM_SEGMENT * 16, pc.bios.kept) == ROM_895A.read_bytes()
    assert pc.word(MEMORY_SIZE) == EBDA_KIB
    assert pc.bios.memory.blocks == []
    assert pc.peek(HARD_DISKS, 1) == b"\0"
    passes_on(pc, 0x80)


def test_without_a_pci_bios_nothing_is_left_behind():
    pc = booted(bios=Bios(pci=False))
    assert "no 53C8xx controller" in pc.text
    left_nothing(pc)


@pytest.mark.parametrize("bdf", [0x0000, 0x0018, 0xFFFF])
def test_a_controller_that_the_bios_does_not_name_is_found(bdf):
    pc = machine(0)
    pc.power_on(bdf)
    assert "PCI 00:04.0" in pc.text
    assert id_of(pc, 0x80) == 0


def test_a_controller_behind_a_bridge_is_served():
    pc = booted(3, pci_address=0x02F9)
    assert pc.bios.entries[0].product.startswith("SCSI 02:1f.1 ID 3 LUN 0 ")
    assert id_of(pc, 0x80) == 3


def test_the_controller_may_use_the_bus_afterwards():
    pc = booted()
    assert pc.pci.command & 7 == 7


# ---- Boot entries --------------------------------------------------------------------


@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_init_says_what_it_found_and_changes_no_other_register(manner):
    result = booted(bios=Bios(manner)).bios.init_result
    assert result.ax == 0x0120, "an INT 13h device is attached"
    entry = {**SEEDS, "ebx": 0xFFFF, "edx": 0xFFFF, "es": 0xF000, "edi": 0x0100}
    assert {n: result.registers[n] for n in entry if n != "eax"} == {
        n: v for n, v in entry.items() if n != "eax"}
    assert result.eflags & 0xFFFF == 0x202
    assert result.stack_used <= 512


@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_there_is_an_entry_for_each_disk_and_no_more(manner):
    pc = booted(2, 0, bios=Bios(manner))
    assert [e.product for e in pc.bios.entries] == [
        f"SCSI 00:04.0 ID {i} LUN 0 BENCH STRICT DISK" for i in (0, 2)]


@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_a_boot_connection_vector_preserves_all(manner):
    pc = machine(0, bios=Bios(manner, choose=lambda entries: []))
    pc.power_on()
    pc.booted = False
    result = pc.bios.connect(pc.bios.entries[0])
    entry = {**SEEDS, "eax": 0 if manner == SEABIOS else 4, "ebx": 0xFFFF, "edx": 0xFFFF,
             "es": 0xF000, "edi": 0x0100}
    assert {n: result.registers[n] for n in entry} == entry
    assert result.eflags & 0xFFFF == 0x202
    assert result.stack_used <= 64


@pytest.mark.parametrize("manner", PNP_MANNERS)
@pytest.mark.parametrize("choose, drives", [
    (lambda e: e, [0, 3, 5]), (lambda e: e[::-1], [5, 3, 0]), (lambda e: e[1:2], [3]),
    (lambda e: [e[2], e[2], e[0], e[2]], [5, 0]), (lambda e: [], []),
], ids=["in order", "reverse", "only the second", "called again", "none"])
def test_drives_are_those_whose_vectors_are_called(choose, drives, manner):
    pc = booted(0, 3, 5, bios=Bios(manner, choose=choose))
    assert pc.peek(HARD_DISKS, 1) == bytes([len(drives)])
    assert [id_of(pc, 0x80 + i) for i in range(len(drives))] == drives
    passes_on(pc, 0x80 + len(drives))
    assert (pc.word(INT13 + 2) == ROM_SEGMENT) == bool(drives)
    assert pc.text.count("h: SCSI") == len(drives), "one line for each"


def test_disks_of_the_bios_keep_their_numbers():
    pc = booted(bios=Bios(disks=2))
    assert pc.peek(HARD_DISKS, 1) == b"\x04"
    assert (id_of(pc, 0x82), id_of(pc, 0x83)) == (0, 3)
    for drive in (0x00, 0x01, 0x7F, 0x80, 0x81, 0x84, 0xFF):
        passes_on(pc, drive)


@pytest.mark.parametrize("disks, numbers", [(30, 2), (31, 1), (32, 0), (255, 0)])
def test_numbers_end_at_9fh(disks, numbers):
    pc = booted(bios=Bios(disks=disks))
    assert pc.text.count("no drive number is free") == 2 - numbers
    assert pc.peek(HARD_DISKS, 1) == bytes([disks + numbers])
    assert [id_of(pc, 0x80 + disks + i) for i in range(numbers)] == [0, 3][:numbers]
    passes_on(pc, 0x80)


@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_a_full_bus_is_served(manner):
    ids = [i for i in range(16) if i != 7]
    pc = booted(*ids, bios=Bios(manner))
    assert [id_of(pc, 0x80 + i) for i in range(15)] == ids


@pytest.mark.parametrize("pmm", ["1.01", "absent"])
def test_without_bbs_nothing_breaks(pmm):
    """Registers are anything, there is no PnP structure. Drives appear with a
    later issue; until then the BIOS's own are as they were."""
    pc = booted(bios=Bios(NO_BBS, pmm=pmm, disks=1))
    assert "2 disks" in pc.text
    passes_on(pc, 0x80)


# With the registers as the bench seeds them; the others miss something in them.
SUCCEEDS = (0x00, 0x01, 0x08, 0x09, 0x0D, 0x10, 0x11, 0x14, 0x15, 0x49)


def test_the_image_in_use_is_what_the_length_says():
    """All functions work although the rest has become HLTs."""
    pc = booted()
    assert pc.bios.kept < len(ROM_895A.read_bytes())
    for function in range(0x100):
        result = pc.int13(range(SEEDS["ds"] * 16, SEEDS["ds"] * 16 + 0x20000), ah=function,
                          dl=0x80, changes="ax bx cx dx")
        assert result.cf == (function not in SUCCEEDS), hex(function)


def test_what_a_call_took_is_counted():
    pc = booted(measure=True)
    small, large = pc.int13(ah=0x77, dl=0x80), pc.read(0, 8)
    assert (small.register_reads, small.register_writes, small.scripts_instructions) == (0, 0, 0)
    assert large.register_reads and large.register_writes and large.scripts_instructions > 10
    assert 50 < small.instructions < 500 < large.instructions
    assert 40 < small.own_stack_used < large.own_stack_used < symbol("workspace") - 64
    assert small.stack_used == large.stack_used == 20
    assert small.ns == 0 < large.ns < SECOND


# ---- IRQ0 ----------------------------------------------------------------------------


def leaving(disk: Disk, times: int = 5):
    """A data hook that lets the disk leave the bus, so that time passes."""
    def hook(bus, data):
        for i in range(times):
            yield from Disk.data_in(data[i * 100:i * 100 + 100])
            yield from disk.disconnect(ns=90_000_000)
        yield from Disk.data_in(data[times * 100:])
    return hook


@pytest.mark.parametrize("variant", ROMS)
@pytest.mark.parametrize("manner", PNP_MANNERS)
@pytest.mark.parametrize("irq0", ["dead", "alive", "calling"])
def test_the_timer_may_be_dead_alive_or_call_us(irq0, manner, variant):
    timer = TimerInterrupt(irq0)
    pc = booted(variant=variant, timer=timer, bios=Bios(manner))
    ticks = pc.word(timer.COUNTER)
    timer.calls.clear()
    before = timer.ticks
    pc.bus.targets[0].data_hook = leaving(pc.bus.targets[0])
    for _ in range(20):
        assert id_of(pc, 0x80) == 0
        assert id_of(pc, 0x81) == 3
    came = timer.ticks - before
    assert came >= 100 if irq0 != "dead" else came == 0
    assert pc.word(timer.COUNTER) - ticks & 0xFFFF == came
    assert timer.calls == [(NOT_READY, True)] * (came if irq0 == "calling" else 0)


def test_a_timer_that_calls_does_not_disturb_an_error():
    pc = booted(timer=TimerInterrupt("calling"))
    pc.bus.targets[0].data_hook = lambda bus, data: iter([])
    pc.timer.calls.clear()
    result = pc.read(0, 1)
    assert (result.ah, result.cf) == (0x20, True)
    del pc.bus.targets[0]
    result = pc.read(0, 1)
    assert (result.ah, result.cf) == (TIMEOUT, True)
    assert set(pc.timer.calls) <= {(NOT_READY, True)} and pc.timer.calls
    assert id_of(pc, 0x81) == 3


@pytest.mark.parametrize("manner", PNP_MANNERS)
def test_a_timer_that_calls_while_a_boot_vector_runs(manner):
    """The vector has hooked INT 13h and still prints: it takes no calls yet."""
    ids = [i for i in range(16) if i != 7]
    pc = booted(*ids, timer=TimerInterrupt("calling"), bios=Bios(manner))
    assert (NOT_READY, True) in pc.timer.calls
    assert [id_of(pc, 0x80 + i) for i in range(15)] == ids


def test_a_timer_that_calls_in_post_gets_the_answer_of_the_bios():
    pc = machine(0, timer=TimerInterrupt("calling"), bios=Bios(choose=lambda entries: []))
    pc.power_on()
    assert pc.timer.ticks > 10
    assert set(pc.timer.calls) == {(BAD_COMMAND, True)}


# ---- The 8254 ------------------------------------------------------------------------


@pytest.mark.parametrize("pit, look_ms", [
    (Pit(2), 20), (Pit(3), 20), (Pit(0), 20), (Pit(2, 0x8000), 20), (Pit(3, 0xFFFE), 20),
    (Pit(2, 11932), 1)],
    ids=["mode 2", "mode 3", "unset", "36 Hz", "odd", "100 Hz"])
def test_no_setting_of_the_8254_makes_waits_shorter(pit, look_ms):
    """A hung target is waited for ten seconds, and half a second each when it is
    told to forget the command and to reset itself. What the last look before the
    end of a round did not see is lost, and no more than that."""
    was_set = pit.mode
    pc = booted(pit=pit, most_idle_ns=look_ms * 1_000_000)
    assert pit.mode == (was_set or 2)
    pc.bus.targets[0].data_hook = hang
    before = pc.chip.now
    assert pc.read(0, 1).ah == TIMEOUT
    took = pc.chip.now - before
    round_ns = pit.period_ns / (2 if pit.mode == 3 else 1)
    longest = 11.1 * SECOND * round_ns / (round_ns - look_ms * 1_000_000)
    assert 10 * SECOND <= took <= longest
    assert id_of(pc, 0x81) == 3


def hang(bus, data):
    yield HANG


# ---- The host's wishes ---------------------------------------------------------------


def path(scsi_id: int, slot: int = 4) -> bytes:
    return b"/pci@i0cf8/scsi@%x/channel@0/disk@%x,0" % (slot, scsi_id)


def host(order: bytes | None = None, geometry: bytes | None = None, **options) -> FwCfg:
    files = {"etc/something": b"x" * 100, "bootorder": order, "bios-geometry": geometry}
    return FwCfg({n: d for n, d in files.items() if d is not None}, **options)


def ids_in_order(pc: Pc) -> list[int]:
    return [int(e.product.split()[3]) for e in pc.bios.entries]


@pytest.mark.parametrize("order, ids", [
    (path(5) + b"\n" + path(0) + b"\n", [5, 0, 3]),
    (path(5), [5, 0, 3]),
    (path(3) + b"\n" + path(3) + b"\n" + path(0), [3, 0, 5]),
    (path(5, slot=3) + b"\n", [0, 3, 5]),
    (b"/pci@i0cf8/ide@1,1/drive@0/disk@0\n" + path(3) + b"\n\0", [3, 0, 5]),
    (path(5) + b"\n" + path(3) + b"\0", [5, 3, 0]),
    (b"", [0, 3, 5]),
    (b"\n" * 5000, [0, 3, 5]),
    (b"/" * 10000, [0, 3, 5]),
    (path(5) + b"0" * 10000, [5, 0, 3]),
    (path(0x100000005), [0, 3, 5]),
    (path(5, slot=0x100000004), [0, 3, 5]),
    (path(5) + b"x", [0, 3, 5]),
    (b"x" * 10000 + b"\n" + path(3), [3, 0, 5]),
    (bytes(range(256)) * 20, [0, 3, 5]),
    (b"/pci@i0cf8/scsi@4/channel@0/disk@\n/pci@i0cf8/scsi@\n/pci@i0cf8/\n@,@,\n", [0, 3, 5]),
    (bytes(20000), [0, 3, 5]),
], ids=["two", "no newline", "named twice", "other slot", "others too", "zero at the end", "empty",
        "empty lines", "one long line", "long number", "ID of 33 bits",
        "slot of 33 bits", "text behind", "behind a long line", "binary", "cut short",
        "zeros"])
def test_the_boot_order_of_the_host(order, ids):
    pc = booted(0, 3, 5, fwcfg=host(order))
    assert ids_in_order(pc) == ids
    assert [id_of(pc, 0x80 + i) for i in range(3)] == ids


@pytest.mark.parametrize("fwcfg", [
    None, FwCfg(), host(geometry=b"x"), FwCfg(present=False), FwCfg(directory=b"\xff" * 8000),
    FwCfg(directory=bytes(4)), FwCfg(directory=b"\0\0\x04\0" + b"\xff" * 70000),
    FwCfg(directory=struct.pack(">IIHH56s", 1, 0x40000, 0x77, 0, b"bootorder")),
    FwCfg(directory=struct.pack(">IIHH56s", 1, 10, 0x20, 0, b"bootorder" + b"x" * 47))],
    ids=["a real machine", "no files", "no order", "nobody answers", "too many files", "0 files",
         "1024 files", "a file that is not there", "a longer name"])
def test_without_a_boot_order_it_is_that_of_the_ids(fwcfg):
    pc = booted(5, 0, fwcfg=fwcfg)
    assert ids_in_order(pc) == [0, 5]
    assert (id_of(pc, 0x80), id_of(pc, 0x81)) == (0, 5)


def geometry(pc: Pc, drive: int = 0x80) -> tuple[int, int, int]:
    result = pc.int13(ah=0x08, dl=drive, changes="ax bl cx dx")
    assert not result.cf
    return (result.ch | (result.cl & 0xC0) << 2) + 1, result.dh + 1, result.cl & 0x3F


BY_SIZE = (32, 64, 32)  # 32 MiB


@pytest.mark.parametrize("file, expected", [
    (path(0) + b" 100 16 40\n", (100, 16, 40)),
    (path(3) + b" 7 7 7\n" + path(0) + b" 1 1 1", (1, 1, 1)),
    (path(0) + b" 1024 1 63\n", (1024, 1, 63)),
    (path(0) + b" 0 16 63\n", BY_SIZE), (path(0) + b" 10 0 63\n", BY_SIZE),
    (path(0) + b" 10 16 0\n", BY_SIZE), (path(0) + b" 1025 2 2\n", BY_SIZE),
    (path(0) + b" 10 256 2\n", BY_SIZE), (path(0) + b" 10 10 64\n", BY_SIZE),
    (path(0) + b" 1024 255 63\n", BY_SIZE),
    (path(0) + b" 4294967297 16 63\n", BY_SIZE), (path(0) + b" 10 4294967297 63\n", BY_SIZE),
    (path(0) + b" -1 16 63\n", BY_SIZE), (path(0) + b" 10 16\n", BY_SIZE),
    (path(0) + b"\n", BY_SIZE), (path(0) + b" 10" + b" " * 5000 + b"16 63\n", BY_SIZE),
    (path(0) + b" 10 1x 63\n", BY_SIZE), (b"\xff" * 3000, BY_SIZE), (b"", BY_SIZE),
], ids=["good", "second line", "largest", "0 cylinders", "0 heads", "0 sectors", "1025 cylinders",
        "256 heads", "64 sectors", "more than there is", "cylinders wrap", "heads wrap",
        "negative", "two numbers", "none", "spaces", "no number", "binary", "empty"])
def test_the_geometry_of_the_host(file, expected):
    pc = booted(0, fwcfg=host(geometry=file))
    assert geometry(pc) == expected
    assert id_of(pc, 0x80) == 0


# ---- INT 15h after boot ----------------------------------------------------------------


def call_15h(pc: Pc, ax: int, dl: int) -> tuple[int, bool]:
    """AH and CF, by an INT 15h in the ROM's segment."""
    at = ROM_SEGMENT * 16 + symbol("pnp_slots")
    pc.poke(at, bytes.fromhex("cd15f4"))
    for name, value in {"cs": ROM_SEGMENT, "ss": 0x900, "esp": 0x800, "eax": ax, "edx": dl,
                        "eflags": 2}.items():
        pc.set(name, value)
    pc._go(at, at + 2)
    return pc.get("eax") >> 8, bool(pc.get("eflags") & 1)


@pytest.mark.parametrize("bios, answer", [
    (Bios(), (0x86, True)), (Bios(eject_answer=0), (0, False)),
    (Bios(eject_answer=0xB1), (0xB1, True))], ids=["not known", "yes", "no"])
def test_the_bios_is_asked_whether_a_medium_may_go(bios, answer):
    pc = machine(0, bios=bios)
    pc.power_on()
    assert call_15h(pc, 0x5200, 0x81) == answer
    assert bios.eject_asked == [0x81]
    with pytest.raises(RuleViolation, match="BIOS service not expected"):
        call_15h(pc, 0x8800, 0)


# ---- The laws of the BIOS side bite --------------------------------------------------

RETF = "cb"
SET_VECTOR = "31c0 8ed8 c706 4c00 3412"     # 0:4Ch = 1234h
# 1 KiB at 50000h from PMM; and given back
GET_BLOCK = "6a01 6a00 6a00 6a00 6a40 6a00 9a 00d0 00f0 83c40c"
FREE_BLOCK = "6a05 6a00 6a02 9a 00d0 00f0 83c406"
SCRATCH = "31c0 8ed8 a11304 83e8{:02x} c1e006 8ed8 c606 0000 01"    # so many KiB below 40:13h
PCI_COMMAND = "b80cb1 bb{:02x}00 bf{:02x}00 b90700 cd1a"


def small_rom(tmp_path, code: str, blocks: int = 1, **options) -> Pc:
    """A machine with a ROM whose init is a few instructions."""
    image = bytearray(512 * blocks)
    image[:6] = b"\x55\xaa" + bytes([blocks]) + b"\xe9\x3a\x00"     # jmp 40h
    code = bytes.fromhex(code.replace(" ", ""))
    image[0x40:0x40 + len(code)] = code
    image[-1] = -sum(image) & 0xFF
    file = tmp_path / "small.rom"
    file.write_bytes(image)
    return Pc(file, **options)


@pytest.mark.parametrize("code, rule", [
    ("31c0 8ed8 c606 9004 01", "write not allowed in POST"),            # 0:490h
    ("31c0 8ed8 c606 0070 01", "write not allowed in POST"),            # free memory
    ("b800f0 8ed8 c606 0000 01", "write not allowed in POST"),          # the BIOS
    (GET_BLOCK + "b84050 8ed8 c606 0000 01", "write not allowed in POST"),      # behind it
    (GET_BLOCK + "b83f50 8ed8 c706 0f00 0000", "write not allowed in POST"),    # and half so
    (GET_BLOCK + "b8ff4f 8ed8 c706 0f00 0000", "write not allowed in POST"),
    (GET_BLOCK + FREE_BLOCK + "b80050 8ed8 c606 0000 01", "write not allowed in POST"),
    (SET_VECTOR, "boot vector hooked in init"),
    ("31c0 8ed8 fe06 7504", "boot vector hooked in init"),              # 40:75h
    ("0e 1f c606 0200 02", "ROM header wrong"),                         # twice the length
    ("0e 1f c606 8000 02", "ROM checksum wrong"),
    (f"ba{IO_BASE & 0xFF:02x}{IO_BASE >> 8:02x} ec", "I/O space not enabled"),
    (PCI_COMMAND.format(0, 4), "PCI register not ours"),                # the bridge
    (PCI_COMMAND.format(0x20, 0x10), "PCI register not ours"),          # BAR 0
    ("b034 e643", "8254 set anew"),
    ("e440", "8254 out of step"),
    ("b000 e643 e440", "8254 out of step"),                             # half a count
    ("b0e8 e643", "port not ours"),                                     # counter 2
    ("ba1005 31c0 ef", "port not ours"),                                # fw_cfg, not QEMU
    ("b020 e620", "port not ours"),                                     # EOI
    ("f4", "CPU halted"),
    ("ea 0000 0030", "code outside the ROM run"),
    ("0f0b", "CPU exception"),                                           # UD2
    ("31c9 f7f1", "BIOS service not expected: INT 00h"),                # division by 0
    ("cd17", "BIOS service not expected"),
    ("b400 cd16", "BIOS service not expected"),                         # no key comes
    ("eb fe", "step bound"),
    ("6a00 6a00 6a00 6a00 6a07 9a 00d0 00f0", "PMM misused"),           # function 7
    ("6a00 6800 06 6a00 6a02 9a 00d0 00f0", "PMM misused"),             # not a block
    ("6a02 6a00 6a00 6a00 6a40 6a00 9a 00d0 00f0", "PMM misused"),      # no conventional memory
    ("1e", "code outside the ROM run"),                                 # DS as return address
    ("ca 0200", "stack not restored"),
    (GET_BLOCK, "temporary memory kept"),
    (GET_BLOCK + FREE_BLOCK + "9a 0000 0050", "code outside the ROM run"),
], ids=lambda value: value[:30])
def test_a_rule_of_post_is_named(tmp_path, code, rule):
    with pytest.raises(RuleViolation, match=rule):
        small_rom(tmp_path, code + RETF).power_on()


@pytest.mark.parametrize("kib, pmm", [(69, "absent"), (68, "1.01"), (1, "1.00"), (69, "bad checksum")])
def test_free_memory_is_free_only_without_pmm_and_near_the_top(tmp_path, kib, pmm):
    with pytest.raises(RuleViolation, match="write not allowed in POST"):
        small_rom(tmp_path, SCRATCH.format(kib) + RETF, bios=Bios(pmm=pmm)).power_on()


def test_a_small_rom_that_breaks_no_rule_passes(tmp_path):
    """So that it is the code above which is objected to."""
    small_rom(tmp_path, PCI_COMMAND.format(0x20, 4) + "ba00c0 ec" + RETF).power_on()
    small_rom(tmp_path, GET_BLOCK + "b83f50 8ed8 c706 0e00 0000" + FREE_BLOCK + RETF).power_on()
    small_rom(tmp_path, SCRATCH.format(68) + RETF, bios=Bios(pmm="absent")).power_on()
    small_rom(tmp_path, "6a01 6a00 6a00 6a00 6a40 6a00 9a 00d0 00f0 83c40c 92 8cca" + FREE_BLOCK
              + RETF).power_on()


COPY_TO_BX = "8ec3 0e 1f 31f6 31ff b90001 f3a5"


def test_a_pci_3_rom_moves_to_the_segment_it_is_given(tmp_path):
    small_rom(tmp_path, COPY_TO_BX + RETF, bios=Bios(PCI_3)).power_on()
    with pytest.raises(RuleViolation, match="no image at the run-time segment"):
        small_rom(tmp_path, RETF, bios=Bios(PCI_3)).power_on()


def test_a_pci_bios_call_on_a_small_stack_is_named(tmp_path):
    code = ("31c0 8ed8 c706 1304 7d02 b8409f 8ed0 bc0002"   # 637 KiB, SS:SP = 9F40:0200
            "2ea30800 b801b1 cd1a")                         # noted in the image
    with pytest.raises(RuleViolation, match="stack too small for the BIOS"):
        small_rom(tmp_path, code + RETF).power_on()


@pytest.mark.parametrize("code, rule", [
    ("0e 1f c606 0000 01", "ROM written after boot"),
    ("b401 cd10", "BIOS service not expected"),
    ("b801b1 cd1a", "BIOS service not expected"),
    ("ba1005 31c0 ef", "port not ours"),
], ids=["ROM", "INT 10h", "INT 1Ah", "fw_cfg"])
def test_a_rule_of_the_running_system_is_named(code, rule):
    """The ROM's INT 13h door becomes a few instructions."""
    pc = booted(fwcfg=host())
    pc.poke(ROM_SEGMENT * 16 + pc.word(INT13), bytes.fromhex(code.replace(" ", "")) + b"\xcf")
    with pytest.raises(RuleViolation, match=rule):
        pc.int13(ah=0x77, dl=0x80)


def test_dma_into_the_rom_after_boot_is_named():
    pc = booted()
    with pytest.raises(RuleViolation, match="ROM written after boot"):
        pc.read(0, 1, address=ROM_SEGMENT * 16 + 0x400)


def test_calling_what_was_given_back_is_named():
    pc = booted()
    pc.poke(ROM_SEGMENT * 16 + pc.word(INT13), b"\xe9" + struct.pack(
        "<H", pc.bios.kept - pc.word(INT13) - 3 & 0xFFFF))
    with pytest.raises(RuleViolation, match="given-back code run"):
        pc.int13(ah=0x77, dl=0x80)


def test_code_that_has_run_and_then_changes_is_not_run_as_it_was():
    """So that the tests above show what they say."""
    pc = booted()
    assert (id_of(pc, 0x80), id_of(pc, 0x81)) == (0, 3)
    seen, door = [], ROM_SEGMENT * 16 + pc.word(INT13)
    pc.hook_at(door, seen.append)
    assert id_of(pc, 0x80) == 0
    assert seen == [door]
    pc.poke(door, b"\xf4")
    with pytest.raises(RuleViolation, match="CPU halted"):
        pc.int13(ah=0x77, dl=0x80)


def test_an_overflow_of_our_stack_is_named():
    pc = booted()
    pc.poke(pc.workspace.start, b"tick")
    with pytest.raises(RuleViolation, match="our stack overflowed"):
        pc.int13(ah=0x77, dl=0x80)


@pytest.mark.parametrize("at, value", [(0, 0x25), (4, 2), (5, 3), (9, 0x55), (0x0F, 0xFF),
                                       (0x11, 0xFF), (0x17, 0xFF), (0x12, 2)])
def test_a_broken_pnp_header_is_named(at, value):
    """The specification's BIOS checks what SeaBIOS does not."""
    class Breaking(Bios):
        def _walk(self):
            place = self.image.start + self._pc.word(self.image.start + 0x1A) + at
            assert self._pc.peek(place, 1) != bytes([value])
            self._pc.poke(place, bytes([value]))
            if at not in (0, 9):
                header = place - at
                data = bytearray(self._pc.peek(header, 0x20))
                data[9] = data[9] - sum(data) & 0xFF
                self._pc.poke(header, bytes(data))
            return super()._walk()
    pc = machine(0, bios=Breaking(SPECIFICATION))
    with pytest.raises(RuleViolation, match="PnP header wrong"):
        pc.power_on()


def test_a_workspace_in_free_memory_is_named():
    class Forgetting(Bios):
        def _take_back_memory(self):
            self._pc.poke(MEMORY_SIZE, struct.pack("<H", EBDA_KIB))
            super()._take_back_memory()
    pc = machine(0, bios=Forgetting(pmm="absent"))
    with pytest.raises(RuleViolation, match="workspace in free memory"):
        pc.power_on()

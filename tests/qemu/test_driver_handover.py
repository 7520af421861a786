# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The state in which the ROM leaves the chip: an operating system's driver must
not be able to detect that the ROM has used it (rings 2 and 3).

The machines have controllers of both kinds, with and without disks, each of
them twice: with our ROM and without a ROM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.boot import driverdisk
from tests.build import ROM_810, ROM_895A
from tests.qemu.agent import Agent
from tests.qemu.machine import PATHS, Machine, disk_arguments

pytestmark = pytest.mark.qemu("chip state left for Linux's driver")

IDS = (0, 3)
EIO = 5
BAD_SECTOR = 100


@dataclass(frozen=True)
class Controller:
    """A controller; `ours` puts our ROM into its ROM BAR."""
    slot: int
    device: str
    ours: bool
    disks: bool

    @property
    def name(self) -> str:
        # the boot path itself adds this controller
        return "scsi" if self.slot == PATH_SLOT else f"scsi{self.slot}"

    def arguments(self) -> list[str]:
        rom = {"lsi53c895a": ROM_895A, "lsi53c810": ROM_810}[self.device] if self.ours else ""
        return ["-device", f"{self.device},id={self.name},addr={self.slot},romfile={rom}"]


PATH_SLOT = 4

# Linux's driver attaches to them in this order. There are two interrupt lines,
# and each controller of ours shares one with an earlier controller. If our
# interrupt pin were active, the driver would be interrupted as soon as it
# installs the handler for the first controller.
CONTROLLERS = [
    Controller(slot, device, ours, disks) for slot, (device, ours, disks) in enumerate([
        ("lsi53c895a", False, True), ("lsi53c895a", False, False),
        ("lsi53c895a", True, True), ("lsi53c895a", True, False),
        ("lsi53c810", False, True), ("lsi53c810", False, False),
        ("lsi53c810", True, True), ("lsi53c810", True, False)], 2)]
OURS = [controller for controller in CONTROLLERS if controller.ours]
assert CONTROLLERS[PATH_SLOT - 2] == OURS[0]


def named(controller: Controller) -> str:
    return f"{controller.device}-{'disks' if controller.disks else 'no-disks'}"


def machine(controllers: list[Controller], images: dict[int, list[str]], **options) -> Machine:
    """`images` maps a SCSI ID to arguments of disk_arguments()."""
    arguments = [a for c in controllers if c.slot != PATH_SLOT for a in c.arguments()]
    arguments += [a for c in controllers if c.disks for scsi_id, image in images.items()
                  for a in disk_arguments(image[0], scsi_id, *image[1:], controller=c.name)]
    return Machine(PATHS["microvm"], *arguments, *driverdisk.RAM, "-trace", "lsi_update_irq",
                   **options)


# ---- Linux --------------------------------------------------------------------------


@pytest.fixture(scope="module")
def console() -> str:
    """Console output of a boot: GRUB reads the kernel through our 895A and the
    initramfs through our 810."""
    image = [driverdisk.driver_disk("hd2,msdos1")]
    with machine(CONTROLLERS, {scsi_id: image for scsi_id in IDS}) as pc:
        text = pc.console.wait_for(driverdisk.READS_ON)
    for controller in CONTROLLERS:
        line = f"PCI 00:{controller.slot:02x}.0, host ID 7, {'2 disks' if controller.disks else 'no disk'}"
        assert (line in text) == controller.ours
    assert "GRUB: kernel from hd0,msdos1, the rest from hd2,msdos1" in text
    return text


@pytest.fixture(scope="module")
def log(console) -> list[str]:
    """The kernel's log, each line with its level but without the time."""
    text = console.split(driverdisk.LOG_BEGINS)[1].split(driverdisk.LOG_ENDS)[0]
    return re.sub(r"(?m)^(<\d+>)\[ *[\d.]+\] ", r"\1", text).strip().splitlines()


def adapter(log: list[str], controller: Controller) -> int:
    """The number that the driver assigns to a controller."""
    line = rf"<6>sym(\d+): .* at pci 0000:00:{controller.slot:02x}\.0 irq \d+"
    return next(int(found[1]) for found in (re.fullmatch(line, text) for text in log) if found)


def disk_names(log: list[str], number: int) -> dict[str, str]:
    """Maps sdX to its ID: the order of the names differs from boot to boot."""
    found = (re.search(rf"sd {number}:0:(\d):0: \[(sd\w)\]", line) for line in log)
    return {line[2]: f"disk at ID {line[1]}" for line in found if line}


def lines_of(log: list[str], controller: Controller) -> list[str]:
    """All kernel messages about a controller and its disks, sorted, without the
    numbers and addresses that differ between controllers."""
    number = adapter(log, controller)
    disks = disk_names(log, number)
    own = rf"\b(sym{number}|host{number}|target{number}|scsi {number}|sd {number})\b"
    own += "".join(rf"|\b{disk}\d*\b" for disk in disks)
    lines = [line for line in log if re.search(own, line)]
    for disk, place in disks.items():
        lines = [line.replace(disk, place) for line in lines]
    return sorted(re.sub(rf"\b(sym|host|target|scsi |sd ){number}\b|pci \S+ irq \d+", r"\1", line)
                  for line in lines)


@pytest.mark.parametrize("controller", OURS, ids=named)
def test_linux_logs_same_lines_for_our_controller_and_for_unused_one(controller, log):
    untouched = next(c for c in CONTROLLERS if not c.ours and named(c) == named(controller))
    lines = lines_of(log, controller)
    assert lines == lines_of(log, untouched)
    # these lines are always present
    assert sum("reset" in line for line in lines) == (3 if controller.disks else 1)
    assert sum("mounted filesystem" in line for line in lines) == controller.disks * len(IDS)


# Other warnings can result from a slow host.
RELEVANT = r"sym|scsi|\bsd|irq|DMA|I/O|EXT4|pci|PCI"
EXPECTED = (r"<4>sym\d: No NVRAM, ID 7, Fast-\d+, \w+, parity checking"
            r"|<4>sd \S+ Power-on or device reset occurred")


def test_linux_logs_no_unexpected_warning(log):
    begin = next(i for i, line in enumerate(log) if "SCSI subsystem initialized" in line)
    warnings = [line for line in log[begin:] if re.match(r"<[0-4]>", line)]
    assert [line for line in warnings
            if re.search(RELEVANT, line) and not re.fullmatch(EXPECTED, line)] == []


def test_linux_reads_every_disk_through_sym53c8xx(console):
    found = re.findall(rf"{driverdisk.READ} 0000:00:(\w+)\.0/\S+/\d+:0:(\d):0 (\w{{32}}) (\w+)", console)
    assert {(int(slot, 16), int(scsi_id)) for slot, scsi_id, _, _ in found} == {
        (c.slot, scsi_id) for c in CONTROLLERS if c.disks for scsi_id in IDS}
    assert len({md5 for _, _, md5, _ in found}) == 1
    assert {driver for _, _, _, driver in found} == {"sym53c8xx"}


# ---- Chip registers ------------------------------------------------------------------

# Name to offset, mask of the checked bits, and their required value
# [8xx-TM "Registers"]. QEMU keeps CTEST3.CLF set and does not model STIME1.
REQUIRED = {
    "SCNTL1": (0x01, 0x18, 0),      # CON, RST: not connected, no bus reset
    "SCNTL2": (0x02, 0xFF, 0),
    "SCNTL3": (0x03, 0xF8, 0),      # ULTRA, SCF, EWS: narrow
    "SCID": (0x04, 0xFF, 0x47),
    "SXFER": (0x05, 0xFF, 0),       # asynchronous
    "DSTAT": (0x0C, 0x7F, 0),
    "ISTAT": (0x14, 0xFF, 0x10),    # SEM only, which has no effect: the mark of our set-up
    "CTEST5": (0x22, 0x20, 0),      # small FIFO
    "DMODE": (0x38, 0x01, 0),
    "DIEN": (0x39, 0xFF, 0),
    "DCNTL": (0x3B, 0x12, 0x02),    # no single step; pin off
    "SIEN0": (0x40, 0xFF, 0),
    "SIEN1": (0x41, 0xFF, 0),
    "SIST0": (0x42, 0xFF, 0),
    "SIST1": (0x43, 0xFF, 0),
    "STEST1": (0x4D, 0x0C, 0),      # clock multiplier
}
REQUIRED_895A = {
    "ISTAT1": (0x15, 0x07, 0),      # SCRIPTS does not run
    "CCNTL0": (0x56, 0xFF, 0),      # no phase mismatch jump
}
REGISTERS_BYTES = 0x60


def registers(pc: Machine, controller: Controller) -> bytes:
    """All registers, read through the memory BAR. Reading clears pending
    interrupts."""
    devices = {device["slot"]: device for bus in pc.qmp("query-pci") for device in bus["devices"]}
    bar = next(r for r in devices[controller.slot]["regions"] if r["bar"] == 1)
    return pc.read_memory(bar["address"], REGISTERS_BYTES)


def wrong_registers(values: bytes, device: str) -> dict[str, int]:
    table = REQUIRED | (REQUIRED_895A if device == "lsi53c895a" else {})
    return {name: values[offset] for name, (offset, mask, value) in table.items()
            if values[offset] & mask != value}


@pytest.fixture(scope="module")
def agent(agent_rom: Path, pattern_disk: Path):
    """A machine with the agent; disks at ID 0 have a bad sector."""
    bad = [f"blkdebug::{pattern_disk}", "", "format=raw,read-only=on,"
           f"file.inject-error.0.event=read_aio,file.inject-error.0.errno={EIO},"
           f"file.inject-error.0.sector={BAD_SECTOR}"]
    with machine(OURS, {0: bad, 3: [pattern_disk]}, with_agent=agent_rom) as pc:
        yield Agent(pc)


# The order matters: each test checks the state after its call.
CALLS = {
    "POST": lambda agent, drive: None,
    "a read": lambda agent, drive: agent.read_lba(drive + 1, 7, 100).ah == 0,
    "a read that failed": lambda agent, drive: agent.read_lba(drive, BAD_SECTOR - 4, 8).ah != 0,
    "a call with a wrong argument": lambda agent, drive: agent.read_chs(drive, 0, 0, 0, 1).ah != 0,
}


@pytest.mark.parametrize("call", CALLS)
def test_chip_is_idle_with_nothing_pending_and_all_masked(call, agent):
    with_disks = [c for c in OURS if c.disks]
    for number, controller in enumerate(with_disks):
        assert CALLS[call](agent, 0x80 + number * len(IDS)) in (None, True)
    for controller in OURS:
        values = registers(agent.machine, controller)
        assert wrong_registers(values, controller.device) == {}, named(controller)


def test_interrupt_pin_is_never_asserted(agent):
    """QEMU traces each change of the pin."""
    assert "lsi_update_irq" not in agent.machine.stderr()

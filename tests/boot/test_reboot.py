# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Machines that are reset repeatedly during reads (ring 3)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.boot import driverdisk
from tests.qemu.agent import assemble
from tests.qemu.machine import PATHS, Machine, Timeout, disk_arguments

pytestmark = pytest.mark.qemu("resets during reads")

READING = 0x500       # rereader.S
RESETS = 9            # plus one from Linux
SLOW = 1              # I/O operations per second: one is always pending
LINUX_READS = 20


@pytest.fixture(scope="module")
def rereader(pattern: bytes, tmp_path_factory) -> Path:
    """A disk that boots the program rereader.S."""
    code = assemble("rereader")
    image = tmp_path_factory.mktemp("reboot") / "rereader.img"
    image.write_bytes(code + pattern[len(code):2 << 20])
    return image


def completed_reads(machine: Machine) -> int:
    """Reads completed by all disks so far."""
    return sum(device["stats"]["rd_operations"] for device in machine.qmp("query-blockstats"))


def wait_until(what: str, condition) -> None:
    end = time.monotonic() + 60
    while not condition():
        if time.monotonic() > end:
            raise Timeout(what)
        time.sleep(0.005)


class Reader:
    """A machine whose first boot disk is `rereader`."""

    def __init__(self, machine: Machine):
        self.machine = machine
        self._reads = 0

    def wait_for_a_pass(self) -> None:
        """Wait until the program has booted and has read the disk once. Output
        from before the reset is ignored."""
        output = b""
        while b"B" not in output or b"." not in output.split(b"B")[-1]:
            output += self.machine.com2.recv(64)
            assert b"E" not in output and b"D" not in output, output

    def slow_down(self, *devices: str, rate: int = SLOW) -> None:
        for device in devices:
            output = self.machine.qmp("human-monitor-command",
                                      command_line=f"block_set_io_throttle {device} 0 0 0 {rate} 0 0")
            assert output == ""

    def in_same_read(self) -> bool:
        """True if the read that was pending at the previous call is still pending."""
        before, self._reads = self._reads, completed_reads(self.machine)
        return self.machine.read_memory(READING, 1) == b"\1" and self._reads == before

    def reset_in_a_read(self, command: str = "system_reset", **arguments: object) -> None:
        """Reset the machine while the ROM waits for the disk."""
        self.slow_down("dev0")
        wait_until("a read", self.in_same_read)
        self.machine.qmp(command, **arguments)
        self.slow_down("dev0", rate=0)


def test_machine_reboots_after_ten_resets_during_reads(rereader):
    """The last reset happens while Linux reads with its own driver, which has
    negotiated transfer parameters with the disks that the ROM did not."""
    linux = driverdisk.driver_disk()
    with Machine(PATHS["microvm"], *disk_arguments(rereader, 0, ",bootindex=1"),
                 *disk_arguments(linux, 1, ",bootindex=2"), *driverdisk.RAM, reboot=True) as machine:
        reader = Reader(machine)
        reader.wait_for_a_pass()
        for _ in range(RESETS - 1):
            reader.reset_in_a_read()
            reader.wait_for_a_pass()

        first = {"path": "/machine/peripheral/dev1", "property": "bootindex"}
        machine.qmp("qom-set", **first, value=0)
        reader.reset_in_a_read()
        machine.console.wait_for(driverdisk.READS_ON)
        machine.qmp("qom-set", **first, value=2)
        before = completed_reads(machine)
        wait_until("Linux reads", lambda: completed_reads(machine) > before + LINUX_READS)
        reader.slow_down("dev0", "dev1")
        machine.qmp("system_reset")
        reader.slow_down("dev0", "dev1", rate=0)
        reader.wait_for_a_pass()
        assert machine.console.text.count("lsi8xx-rom 0") == RESETS + 2


@pytest.mark.parametrize("path", ["nolsi", "nopmm", "c810"])
def test_machine_reboots_after_ctrl_alt_del_during_reads(path, rereader):
    with Machine(PATHS[path], *disk_arguments(rereader, 0), reboot=True) as machine:
        reader = Reader(machine)
        reader.wait_for_a_pass()
        for _ in range(2):
            reader.reset_in_a_read("send-key", keys=[{"type": "qcode", "data": key}
                                                     for key in ("ctrl", "alt", "delete")])
            reader.wait_for_a_pass()

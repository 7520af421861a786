# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The switches in the README's table (ring 2). One machine has them set, some to
bad values; another one has the banner switched off. The tests for take-over are
in test_genrom.py, those for native-blocks in test_writes_qemu.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.boot import bootcds
from tests.boot.bootcds import Entry
from tests.qemu.agent import FIXED_FLAG, IF, Agent, Registers
from tests.qemu.machine import PATHS, Machine, cd_arguments, disk_arguments
from tests.qemu.test_disks import make_disk, name_of
from tests.qemu.test_genrom import chip_registers

pytestmark = pytest.mark.qemu("switches")

SCID = 0x04
OWN_ID = 5
DELAY_S = 5

# Guest time advances with executed instructions, independent of the host's load.
# The real-time clock runs on guest time and starts at a known value.
VIRTUAL_TIME = ["-icount", "shift=7,sleep=off", "-rtc", "base=2000-01-01T00:00:00,clock=vm"]
DISK_RESETS = ["-trace", "scsi_device_set_ua"]


def switches(**values: object) -> list[str]:
    return [a for name, value in values.items() for a in (
        "-fw_cfg", f"name=opt/lsi8xx-rom/{name.replace('_', '-')},string={value}")]


@dataclass(frozen=True)
class Post:
    """Effects of POST that can be observed afterwards."""
    text: str
    seconds: int   # since power-on
    resets: int    # of the first disk
    own_id: int
    disks: list[str]


def bcd(value: int) -> int:
    return (value >> 4) * 10 + (value & 15)


def seconds_of_clock(pc: Agent) -> int:
    now = pc.interrupt(0x1A, Registers(flags=FIXED_FLAG | IF).with_halves(ah=0x02))
    return bcd(now.cl) * 60 + bcd(now.dh)


def post(directory: Path, agent_rom: Path, **values: object) -> Post:
    """Run POST with two good disks, a disk without blocks and an empty CD drive."""
    empty = directory / "empty.img"
    empty.write_bytes(b"")
    with Machine(PATHS["c810"], *VIRTUAL_TIME, *DISK_RESETS, *switches(**values),
                 *disk_arguments(make_disk(directory, "a"), 0), *disk_arguments(empty, 1),
                 *cd_arguments(None, 2), *disk_arguments(make_disk(directory, "b"), 3),
                 with_agent=agent_rom) as machine:
        pc = Agent(machine)
        seconds = seconds_of_clock(pc)
        text = machine.console.wait_for("Booting from ROM")
        return Post(re.sub(r"(?m)^(.{80})\n", r"\1", text), seconds,
                    machine.stderr().count("set_ua target 0 "),
                    chip_registers(machine)[SCID] & 15,
                    [name_of(pc, 0x80 + i) for i in range(pc.disk_count())])


@pytest.fixture(scope="module")
def with_switches(agent_rom, tmp_path_factory) -> Post:
    return post(tmp_path_factory.mktemp("set"), agent_rom, verbose=1, scan_delay=DELAY_S,
                host_id=OWN_ID, bus_reset=0, boot_timeout=61, native_blocks="yes")


@pytest.fixture(scope="module")
def silent(agent_rom, tmp_path_factory) -> Post:
    return post(tmp_path_factory.mktemp("silent"), agent_rom, banner=0, boot_timeout=61)


def test_verbose_lists_every_unit(with_switches):
    assert re.findall(r"^  (ID .*)$", with_switches.text, re.M) == [
        "ID 0 LUN 0 QEMU QEMU HARDDISK: ready", "ID 1 LUN 0 QEMU QEMU HARDDISK: not ready",
        "ID 2 LUN 0 QEMU QEMU CD-ROM: no medium", "ID 3 LUN 0 QEMU QEMU HARDDISK: ready"]


def test_bad_values_are_reported_and_ignored(with_switches):
    found = re.findall(r"^lsi8xx-rom \S+: opt/lsi8xx-rom/(.*)$", with_switches.text, re.M)
    assert sorted(found) == ["boot-timeout: bad value, ignored", "native-blocks: bad value, ignored"]
    assert with_switches.disks == ["a", "b"], "disks are still readable"


def test_host_id_sets_id_of_controller(with_switches, silent):
    assert f"53C810 at PCI 00:04.0, host ID {OWN_ID}\n" in with_switches.text
    assert (with_switches.own_id, silent.own_id) == (OWN_ID, 7)


def test_scan_delay_delays_scan(with_switches, silent):
    assert with_switches.seconds - silent.seconds >= DELAY_S


def test_bus_reset_0_omits_bus_reset(with_switches, silent):
    """QEMU also resets the disks when the chip is reset."""
    assert silent.resets - with_switches.resets == 1


def test_banner_0_suppresses_post_output(silent):
    lines = [line for line in silent.text.splitlines() if line]
    assert [line.split()[0] for line in lines] == ["SeaBIOS", "Booting"]
    assert silent.disks == ["a", "b"]


@pytest.mark.parametrize("timeout, menu", [(0, False), (1, True)])
def test_boot_timeout_0_suppresses_image_menu(tmp_path, timeout, menu):
    disc = bootcds.disc(tmp_path / "cd.iso", Entry(bootcds.agent_code()), Entry(b"\xf4" * 2048))
    with Machine(PATHS["c810"], *switches(boot_timeout=timeout),
                 *cd_arguments(disc.file, 2)) as machine:
        Agent(machine)
        text = machine.console.wait_for("Boot entry" if menu else "2048-byte blocks")
        assert ("Boot entry" in text) == menu

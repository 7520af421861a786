# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Boots real loaders and Linux through the ROM (ring 3), and compares the data
that the ROM read with the output of sg3_utils.
"""

from __future__ import annotations

import re
import shlex
import struct
import subprocess
from pathlib import Path

import media
import pytest
import qemu

from tests.boot import bootcds
from tests.build import TOP, symbol
from tests.params import mostly_long
from tests.qemu.agent import Agent
from tests.qemu.machine import PATHS, Machine, disk_arguments

pytestmark = pytest.mark.qemu("GRUB and Linux from a disk")

RAM = ["-m", "256"]
INQUIRY_BYTES = 36


@pytest.fixture(scope="session")
def linux_disk():
    """A disk with GRUB and Linux; the guest runs sg3_utils and powers off."""
    return media.linux_disk("test.img", "poweroff", ("sg_inq", "sg_readcap"))


def boot(path: str, linux_disk) -> str:
    """Console output from power-on until the guest powers off."""
    with Machine(PATHS[path], *disk_arguments(linux_disk, 0), *RAM) as machine:
        machine.console.wait_for("sg_readcap:")
        return machine.console.wait_for("reboot: Power down")


@pytest.fixture(scope="session")
def microvm_boot(linux_disk) -> str:
    return boot("microvm", linux_disk)


@pytest.mark.parametrize("path", mostly_long(["microvm", "fwcfg", "c810", "nolsi"], "microvm"))
def test_grub_and_linux_boot_from_scsi_disk(path, linux_disk, request):
    text = (request.getfixturevalue("microvm_boot") if path == "microvm"
            else boot(path, linux_disk))
    order = ["lsi8xx-rom ", "80h: SCSI 00:04.0 ID 0", "GRUB: loading Linux", media.GUEST_MOUNTED]
    places = [text.index(sentence) for sentence in order]
    assert places == sorted(places)
    signature = f"{media.DISK_SIGNATURE:#x}"
    assert f"BIOS drive int13_dev80: signature {signature}, {media.DISK_MIB * 2048} sectors" in text
    assert (f"{media.GUEST_MOUNTED} the ext4 file system of /dev/sda (sym53c8xx), "
            f"BIOS drive 80h by its signature {signature}") in text


def test_stock_seabios_does_not_run_rom_of_895a(linux_disk):
    """SeaBIOS's own driver claims the device, which is why the other boot paths
    exist. If this test fails, the README's table needs a new row."""
    with Machine(PATHS["seabios"], *disk_arguments(linux_disk, 0), *RAM) as machine:
        assert "lsi8xx-rom 0" not in machine.console.wait_for("GRUB: loading Linux")


# ---- sg3_utils on data that the ROM read -----------------------------------------


@pytest.fixture(scope="module")
def captured(agent_rom, linux_disk):
    """INQUIRY, READ CAPACITY and sense data from the ROM's memory, read at
    breakpoints during POST, and the console output."""
    with Machine(PATHS["microvm"], *disk_arguments(linux_disk, 0), with_agent=agent_rom) as machine:
        base = Agent(machine).rom_segment() * 16
        console = machine.console.wait_for("Booting from ROM")
    with Machine(PATHS["microvm"], *disk_arguments(linux_disk, 0), gdb=True) as machine:
        gdb = machine.gdb
        image = gdb.run_to_image(base)
        gdb.run_to(image + symbol("sense_verdict"))  # (sense, length)
        registers = gdb.registers()
        sense = gdb.memory(registers["ds"] * 16 + registers["rax"], registers["rdx"])
        gdb.run_to(image + symbol("banner_unit"))  # (text, device, inquiry), and the capacity
        registers = gdb.registers()
        address = registers["ds"] * 16 + registers["rcx"]
        inquiry = gdb.memory(address, INQUIRY_BYTES)
        blocks, block_bytes = struct.unpack("<QI", gdb.memory(address + INQUIRY_BYTES, 12))
        return {"sense": sense, "inquiry": inquiry, "console": console,
                "capacity": struct.pack(">II", blocks - 1, block_bytes)}


def hex_dump(text: str, tool: str) -> bytes:
    """The bytes of a tool's hexadecimal dump in the guest's output."""
    part = text[text.index(f"{tool}:"):]
    rows = re.findall(r"^\s*[0-9a-f]{2} {1,5}((?:[0-9a-f]{2}[ -]*){1,16})", part, re.M)
    return bytes.fromhex("".join(re.sub(r"[^0-9a-f]", "", row) for row in rows))


@pytest.mark.qemu("sg3_utils compared with the ROM's data")
def test_inquiry_data_matches_sg_inq(captured, microvm_boot, tmp_path):
    assert hex_dump(microvm_boot, "sg_inq")[:INQUIRY_BYTES] == captured["inquiry"]
    file = tmp_path / "inquiry.hex"
    file.write_text(captured["inquiry"].hex(" "))
    out = subprocess.run(["sg_inq", f"--inhex={file}"], capture_output=True, text=True,
                         check=True).stdout
    found = [re.search(rf"{what}: *(.*?) *$", out, re.M).group(1) for what in
             ("Vendor identification", "Product identification", "Product revision level")]
    assert "Peripheral device type: disk" in out
    assert f"80h: SCSI 00:04.0 ID 0 LUN 0 {' '.join(found[:2])} " in captured["console"]


@pytest.mark.qemu("sg3_utils compared with the ROM's data")
def test_capacity_matches_sg_readcap(captured, microvm_boot):
    assert hex_dump(microvm_boot, "sg_readcap")[:8] == captured["capacity"]
    blocks = int(re.search(r"Number of logical blocks=(\d+)", microvm_boot).group(1))
    size = int(re.search(r"Logical block length=(\d+) bytes", microvm_boot).group(1))
    assert f" {blocks * size >> 20} MiB, {size}-byte blocks" in captured["console"]
    assert blocks == media.DISK_MIB * 2048


@pytest.mark.qemu("sg3_utils compared with the ROM's data")
def test_first_sense_data_is_unit_attention_after_reset(captured):
    out = subprocess.run(["sg_decode_sense", *(f"{b:02x}" for b in captured["sense"])],
                         capture_output=True, text=True, check=True).stdout
    assert "Unit Attention" in out
    assert "Power on, reset, or bus device reset occurred" in out


# ---- The README ----------------------------------------------------------------------


def readme_commands() -> dict[str, str]:
    """Maps a boot path to its command line in the README's table."""
    rows = re.findall(r"^\| `(\w+)`.*?\| `(qemu-system-x86_64 .*?)` \| tested \|$",
                      (TOP / "README.md").read_text(), re.M)
    return dict(rows)


README_PATHS = ["microvm", "fwcfg", "nolsi", "c810", "bochs", "genrom"]


def test_readme_has_command_for_each_tested_path():
    assert set(readme_commands()) == set(README_PATHS)


def run_readme_command(path: str, *more: str | Path) -> str:
    """Run the command until QEMU exits; returns its terminal output."""
    if path == "nolsi":
        subprocess.run([TOP / "tools/media.py", "nolsi"], check=True)  # as in the README
    command = [*qemu.adapted(shlex.split(readme_commands()[path])), *more, "-no-reboot"]
    if path == "bochs":
        command += ["-display", "none"]     # this path has a VGA screen
    result = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True,
                            timeout=120)
    return result.stdout.decode("latin1")


@pytest.mark.qemu("the README's command lines")
@pytest.mark.parametrize("path", README_PATHS)
def test_readme_command_lines_boot_linux(path, linux_disk):
    output = run_readme_command(
        path, "-drive", f"if=none,id=d,file={linux_disk},format=raw,snapshot=on",
        "-device", "scsi-hd,bus=scsi.0,scsi-id=0,drive=d")
    assert media.GUEST_MOUNTED in output
    assert "BIOS drive 80h by its signature" in output
    assert "80h: SCSI 00:" in output or path == "bochs", "not booted through our ROM"


@pytest.mark.qemu("the README's command lines")
@pytest.mark.parametrize("path", mostly_long(README_PATHS, "nolsi", "genrom"))
def test_readme_command_lines_boot_cd(path):
    options = re.search(r"\*\*A CD\*\* .*? `(.*?)`", (TOP / "README.md").read_text(), re.S)[1]
    output = run_readme_command(path, *shlex.split(options.replace("cd.iso", str(bootcds.grub_cd()))))
    assert f"{media.GUEST_MOUNTED} /dev/sr0" in output
    assert re.search(r"^E\dh: SCSI 00:", output, re.M) or path == "bochs", "not booted through our ROM"

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 2: the set-up screen under SeaBIOS, with a keyboard and a VGA screen, and on a serial
console. QEMU's controllers have no NVRAM.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.qemu import terminal
from tests.qemu.machine import PATHS, Machine, Timeout, disk_arguments

pytestmark = pytest.mark.qemu("set-up screen")

WAIT_S = 60
VGA = ("-device", "VGA")
SERIAL_KEYS = {"ret": "\r", "esc": "\x1b", "down": "\x1b[B", "up": "\x1b[A", "end": "\x1b[F", "kp_add": "+", "s": "s",
               "ctrl-c": "\x03"}


class User:
    """Keys and the screen, of the console or of the PC"""

    def __init__(self, machine: Machine, serial: bool):
        self.machine, self.serial = machine, serial

    def type(self, *keys: str) -> None:
        for key in keys:
            if self.serial:
                self.machine.console.send(SERIAL_KEYS[key])
                time.sleep(0.3)     # SeaBIOS takes ESC and more for one key if they come together
            else:
                self.machine.qmp("send-key", keys=[{"type": "qcode", "data": name} for name in key.split("-")])
                time.sleep(0.1)

    @property
    def lines(self) -> list[str]:
        if self.serial:
            return terminal.screen(self.machine.console._raw)
        return self.machine.screen().split("\n")

    def wait_for(self, *texts: str) -> list[str]:
        end = time.monotonic() + WAIT_S
        while True:
            lines = self.lines
            if all(any(text in line for line in lines) for text in texts):
                return lines
            if time.monotonic() > end:
                raise Timeout(f"no {texts} on the screen:\n" + "\n".join(lines))
            time.sleep(0.1)


def with_setup(path: str, image, serial: bool, use: Callable[[User], None], key: str = "s") -> None:
    """Press the key for the set-up screen, use it, and see QEMU end as the ROM restarts it."""
    with Machine(PATHS[path], *([] if serial else VGA), "-fw_cfg", "name=opt/lsi8xx-rom/setup-wait,string=10",
                 *disk_arguments(image, 0), *disk_arguments(image, 3)) as machine:
        user = User(machine, serial)
        user.wait_for("S: set-up")
        user.type(key)
        use(user)
        assert machine.process.wait(WAIT_S) == 0


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    file = tmp_path_factory.mktemp("setup") / "disk"
    with file.open("wb") as out:
        out.truncate(20 << 20)
    return file


# The BIOS of path fwcfg has no driver for a PS/2 keyboard.
@pytest.mark.parametrize("path, serial", [("fwcfg", True), ("c810", True), ("c810", False)],
                         ids=["895A, serial", "810, serial", "810, keyboard"])
def test_pages(path, serial, image):
    chip = "53C810" if path == "c810" else "53C895A"

    def use(user):
        user.wait_for("set-up: controllers", "Locked, cannot be saved. NVRAM: none", f"> {chip}")
        user.type("ret")
        user.wait_for(f"set-up: {chip}", "> Devices", "Host ID           7")
        user.type("ret")
        user.wait_for("> ID 0  QEMU QEMU HARDDISK", "ID 3  QEMU QEMU HARDDISK", "ID 4  no device")
        user.type("down", "down", "down", "ret")
        user.wait_for("ready, 20 MiB, blocks of 512", "> Scan              yes")
        user.type("kp_add", "end", "up", "up")
        user.wait_for("> Verify", "Scan              yes")
        user.type("ret")
        user.wait_for("Verified 100 %; bad (hex): 0", "Done")
        user.type("ret", "esc", "esc", "esc", "esc")
        user.wait_for("set-up: leave")
        user.type("down", "ret")
    with_setup(path, image, serial, use)


def test_ctrl_c_on_a_serial_console(image):
    def use(user):
        user.wait_for("set-up: controllers")
        user.type("esc")
        user.wait_for("> Save and restart")
        user.type("ret")
    with_setup("fwcfg", image, True, use, "ctrl-c")


def test_no_offer_and_no_wait_unless_asked_for(image):
    with Machine(PATHS["fwcfg"], *disk_arguments(image, 0)) as machine:
        text = machine.console.wait_for("1 disk")
        assert "set-up" not in text

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Boots under OVMF: waits that end early if nothing boots, and OVMF's shell.

The paths named `ovmf`, `secure` and `strictnx` are in tests/qemu/machine.py.
"""

from __future__ import annotations

import time
from pathlib import Path

from tests.qemu.machine import PATHS, Machine, Timeout

WAIT_S = 240        # for any expected output: OVMF and Linux without KVM, beside other tests
POWERED_OFF = "reboot: Power down"
SHELL_BEGINS = "UEFI Interactive Shell"
NOTHING_BOOTS = "No bootable option"     # of a build without a shell
PROMPT = "Shell> "
TAIL = 3000         # characters of the console in an error


class NothingBoots(Timeout):
    """OVMF has started its shell or its menu, as there was nothing that it could boot."""


def wait_for(machine: Machine, sentence: str, seconds: float = WAIT_S, shell: bool = False) -> str:
    """Wait until the console has `sentence`; returns its text. OVMF's shell is an error unless
    `shell`, and so is the end of QEMU."""
    end = time.monotonic() + seconds
    ended = False
    while sentence not in (text := machine.console.text):
        if NOTHING_BOOTS in text or SHELL_BEGINS in text and not shell:
            raise NothingBoots(text[-TAIL:])
        if ended or time.monotonic() > end:
            raise Timeout(f"no {sentence!r} in the console output, which ends so:\n{text[-TAIL:]}"
                          f"\n{machine.stderr()}")
        ended = machine.console.ended
        time.sleep(0.05)
    return text


def boot(path: str, *arguments: str, until: str = POWERED_OFF, rom: Path | None | str = "default") -> str:
    """Console output from power-on to `until`."""
    with Machine(PATHS[path], *arguments, rom=rom) as machine:
        return wait_for(machine, until)


class Shell:
    """OVMF's shell on a machine that boots nothing else."""

    def __init__(self, machine: Machine):
        self.machine = machine
        wait_for(machine, "any other key to continue", shell=True)
        machine.console.send("x")       # the shell does not wait for startup.nsh
        wait_for(machine, PROMPT, shell=True)

    def run(self, command: str, until: str = PROMPT) -> str:
        """Type a command; returns what is printed up to `until`. The plain prompt is an error
        if another text is expected."""
        before = len(self.machine.console.text)
        self.machine.console.send(f"{command}\r")
        end = time.monotonic() + WAIT_S
        while until not in (text := self.machine.console.text[before:]):
            if time.monotonic() > end or PROMPT in text:
                raise Timeout(f"{command}: no {until!r} in\n{text[-TAIL:]}")
            time.sleep(0.05)
        return text

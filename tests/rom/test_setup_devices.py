# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the set-up screen's page of a device: what it is, and its state."""

from __future__ import annotations

import pytest

from tests.model.target import Disk, cd_rom
from tests.rom.setup_user import DATA, ESC, STATE, Script, discard, enter, row, use
from tests.rom.test_setup import DEVICE, machine

def on_device(*then) -> Script:
    """Open the page of ID 3, do the steps, and leave."""
    def script(screen):
        yield from enter(screen, *DEVICE)
        for step in then:
            yield from step(screen)
        yield from discard(screen)
    return script


def without_disc() -> Disk:
    drive = cd_rom()
    drive.take_out()
    return drive


# ---- State -------------------------------------------------------------------------------


@pytest.mark.parametrize("device, state", [
    (Disk(blocks=8_000_000), "ready, 3906 MiB, blocks of 512, asynchronous, 8 bits"),
    (Disk(block_bytes=4096, blocks=1000), "ready, 3 MiB, blocks of 4096, asynchronous, 8 bits"),
    (Disk(blocks=1 << 33), "ready, 4194304 MiB, blocks of 512, asynchronous, 8 bits"),
    (without_disc(), "no medium, 0 MiB, blocks of 0, asynchronous, 8 bits"),
], ids=["disk", "large blocks", "4 TiB", "empty CD drive"])
def test_state(device, state):
    def check(screen):
        assert screen.lines[STATE] == state
        yield ESC
    use(machine(targets={3: device}), on_device(check))


def test_page_of_an_id_without_device():
    def check(screen):
        assert screen.lines[DATA] == "ID 3    no device"
        assert screen.lines[STATE].startswith("does not answer")
        assert row(screen, "Time-out") == "10 s"
        yield ESC
    use(machine(targets={0: Disk()}), on_device(check))

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""An AArch64 processor may reorder accesses to memory and to registers. QEMU does not, so
that the barriers are looked for in the code.
"""

from __future__ import annotations

import subprocess

import pytest

from tests.build import BUILD

pytestmark = pytest.mark.aarch64

BARRIER, FIRMWARE_CALL = "dmb", "blr"


def order(function: str) -> list[str]:
    """The barriers and the calls of the firmware in a function of efi/io.c, one after the other."""
    text = subprocess.run(["aarch64-linux-gnu-objdump", "-d", f"--disassemble={function}", "--no-show-raw-insn",
                           BUILD / "efi/aa64/efi/io.o"], check=True, capture_output=True, text=True).stdout
    return [word for word in text.split() if word in (BARRIER, FIRMWARE_CALL)]


def test_memory_is_written_before_a_register():
    assert order("io_write") == [BARRIER, FIRMWARE_CALL]


def test_memory_is_read_after_a_register():
    assert order("io_read") == [FIRMWARE_CALL, BARRIER]

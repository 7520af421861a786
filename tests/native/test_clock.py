# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""pc/clock.c on x86-64, with an 8254 that counts a fixed step between two reads."""

from __future__ import annotations

import ctypes
import re
import subprocess

import pytest

from tests.build import TOP

STEP = 30_000               # ticks of the 8254 between two calls, 25 ms
TICKS_PER_MS = 1193.182
HOURS_PER_POLL = STEP / TICKS_PER_MS / 3_600_000


@pytest.fixture(scope="module")
def clock(tmp_path_factory):
    target = tmp_path_factory.mktemp("clock") / "clock.so"
    subprocess.run(["gcc", "-O1", "-std=gnu11", "-fPIC", "-shared", "-Wall", "-Wextra", "-Werror", f"-I{TOP}/tests/native",
                    f"-I{TOP}", "-include", TOP / "tests/native/pc/kinds.h", "-o", str(target),
                    TOP / "tests/native/real_clock.c"], check=True)
    return ctypes.CDLL(str(target))


def constant(name: str) -> int:
    return int(re.search(rf"#define {name} (\w+?)u", (TOP / "pc/clock.h").read_text())[1], 0)


@pytest.mark.parametrize("mode, factor", [(4, 1), (6, 2)], ids=["mode 2", "mode 3"])
@pytest.mark.parametrize("timeout_ms", [1, 400, 5_000, 60_000, 1_200_000])
def test_time_limit_ends_when_it_has_passed(clock, timeout_ms, mode, factor):
    """Never earlier; in mode 3 the counter counts down by two."""
    polls = clock.polls_until(timeout_ms, 1 << 20, STEP, mode)
    passed = polls * STEP / TICKS_PER_MS / factor
    assert timeout_ms <= passed + STEP / TICKS_PER_MS
    assert passed <= 2.2 * timeout_ms + 60      # a wrap of the counter loses a part


def test_no_time_limit_never_ends(clock):
    polls = 2_000_000
    assert polls * HOURS_PER_POLL / 2 > 6
    assert clock.polls_until(constant("CLOCK_NEVER_MS"), polls, STEP, 4) == polls

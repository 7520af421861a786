# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Random INT 13h calls on the strict virtual PC, other ones in each run;
tests/fuzz.py repeats a run from its seed.
"""

from __future__ import annotations

import random

import pytest

import fuzz
from strict import FAMILIES

CALLS = 50_000  # on each family


@pytest.mark.parametrize("family", FAMILIES)
def test_random_calls_break_no_law(family, note):
    seed = random.randrange(1 << 32)
    note(f"fuzz: {CALLS} calls on {family}, seed {seed}")
    statuses = fuzz.run(family, CALLS, seed)
    assert len(statuses) >= 8, f"hardly anything happened: {statuses}"

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The budgets, for `make bench` and tests/benchmark/test_budgets.py alike."""

from __future__ import annotations

# ---- Sizes in bytes. The linker enforces the Makefile's limits ----------------

FILE_BYTES = 24 * 1024
RESIDENT_BYTES = 12 * 1024      # with one disk
WORKSPACE_BYTES = 2 * 1024

# ---- Counts, exact on the strict virtual PC ----------------------------------

REGISTER_ACCESSES_PER_READ = 4
PORT_ACCESSES_PER_READ = 4      # of any port: each leaves the guest under KVM
INSTRUCTIONS_PER_READ = 500     # of one sector by AH=42h, without the wait
CALLERS_STACK_BYTES = 64
CONVENTIONAL_KIB_LOST = 0       # with PMM

# ---- Times: printed with a verdict, never a failure --------------------------

AGAINST_BARE_LOOP = 1.15
AGAINST_SEABIOS_KVM = 1.0
POST_AGAINST_SEABIOS = 1.0      # one disk
BUDGETED_SECTORS = (1, 8, 127)


def against_seabios(qemu_major: int, accelerator: str, sectors: int) -> float | None:
    """Time for a read by AH=42h, as a part of what SeaBIOS's driver takes."""
    if sectors not in BUDGETED_SECTORS:
        return None
    if accelerator == "kvm":
        return AGAINST_SEABIOS_KVM
    if qemu_major < 10:
        return 0.42
    return 1.0 if sectors == 1 else 0.8

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The budgets for `make bench` and tests/benchmark/test_budgets.py. Size budgets
are in the Makefile; `make size` prints them.
"""

from __future__ import annotations

# ---- Counts, exact on the strict virtual PC ----------------------------------

REGISTER_ACCESSES = 4   # per call
PORT_ACCESSES = 4       # of any port: each is a VM exit under KVM
# CPU instructions without the wait, for one sector, by function
INSTRUCTIONS = {0x02: 720, 0x03: 720, 0x42: 705, 0x43: 705}
CALLERS_STACK_BYTES = 64
CONVENTIONAL_KIB_LOST = 0       # with PMM

# Of the UEFI driver, for a command of up to 60 KiB, and for each further stop of its program
UEFI_REGISTER_ACCESSES, UEFI_FURTHER_ACCESSES = 6, 2

# ---- Times: printed with a verdict, never a failure --------------------------

AGAINST_BASELINE = 0.80         # one sector by AH=02h; where KVM emulates real mode
AGAINST_BARE_LOOP = 1.15
AGAINST_SEABIOS_KVM = 1.0
POST_AGAINST_SEABIOS = 1.0      # one disk
AGAINST_VIRTIO_SCSI = 1.25      # UEFI, sequential reads
AGAINST_60_KIB = 0.7            # UEFI, 1 MiB, against commands of 60 KiB
BUDGETED_SECTORS = (1, 8, 127)


def against_seabios(qemu_major: int, accelerator: str, sectors: int) -> float | None:
    """Budget for the time of an AH=42h read, relative to SeaBIOS's driver."""
    if sectors not in BUDGETED_SECTORS:
        return None
    if accelerator == "kvm":
        return AGAINST_SEABIOS_KVM
    if qemu_major < 10:
        return 0.42
    return 1.0 if sectors == 1 else 0.8

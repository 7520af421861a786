# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The hardware a driver runs on: silicon, or one of the emulators.

    hardware      chip          disk         behaves like
    silicon       Chip          Disk         the manual: the strict model
    qemu          QemuChip      QemuDisk     QEMU 7.2.11 and later
    qemu-7.2.0    OldQemuChip   QemuDisk     QEMU 7.2.0 to 7.2.10
    86box         Box86Chip     Box86Disk    86Box

Only behaviour that a driver can see is modelled.
"""

from __future__ import annotations

from dataclasses import dataclass

from tests.model.chip import Chip
from tests.model.emulated_86box import Box86Chip, Box86Disk
from tests.model.emulated_qemu import OldQemuChip, QemuChip, QemuDisk
from tests.model.target import Disk


@dataclass(frozen=True)
class Hardware:
    chip: type[Chip]
    disk: type[Disk]


HARDWARE = {
    "silicon": Hardware(Chip, Disk),
    "qemu": Hardware(QemuChip, QemuDisk),
    "qemu-7.2.0": Hardware(OldQemuChip, QemuDisk),
    "86box": Hardware(Box86Chip, Box86Disk),
}

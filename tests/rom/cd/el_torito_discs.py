# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: discs for the El Torito tests."""

from __future__ import annotations

import pytest

from tests.model.eltorito import NOT_BOOTABLE, Disc, Entry, loader
from tests.model.pc import Pc
from tests.rom.cd.cdboot import with_cd
from tests.rom.strict import VARIANTS

NO_RECORD, DAMAGED, CHECKSUM, NO_ENTRY = (
    "no boot record", "boot catalog damaged", "wrong catalog checksum",
    "no boot entry for this PC")
NO_TYPE, BEYOND, NOTHING, NO_ROOM = (
    "unknown media type", "image beyond the end of the disc", "nothing to load",
    "no room at its load address")

variants = pytest.mark.parametrize("variant", VARIANTS)


def on_895a(disc: Disc, **options) -> Pc:
    return with_cd("895A", disc, **options)


EFI_ENTRY = Entry(loader(4, 77))
NO_ENTRY_HERE = Entry(loader(4, 79), indicator=NOT_BOOTABLE)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Which interrupt vectors a ROM may hook in init."""

from __future__ import annotations

import functools

import size
from tests import build
from tests.model.bios_data import BIOS_SEGMENT, PNP_OFFSET

FIELDS = ("FIELD(previous_int18)", "FIELD(previous_int19)")     # rom/workspace.h


@functools.cache
def previous_vectors() -> list[int]:
    """Offsets in the workspace of the old vectors that init keeps."""
    return size.values(*FIELDS)


@functools.cache
def resident_code() -> bytes:
    """The part of the ROM that stays on any machine, without its header."""
    return build.IMAGE.read_bytes()[:build.symbol("text_end") - build.PACKED_FROM]


class Hooks:
    """The part of Bios that knows who may hook what."""

    def calls_no_entries(self, registers: dict[str, int]) -> bool:
        """What the ROM can know of it in init: there is no PMM, and ES:DI does not point at
        the PnP structure."""
        pointer = registers.get("es"), registers.get("edi")
        return not self.memory.is_there and pointer != (BIOS_SEGMENT, PNP_OFFSET)

    def hooks_allowed(self) -> set[str]:
        """Boot vectors that init may hook. A BIOS with PMM, or one that points at its
        PnP structure, may call boot entries: INT 19h is for the case that it does not.
        Any other calls none, so init connects the disks, and hooks INT 18h for CDs."""
        if self.pnp == "BBS" and self.memory.is_there:
            return set()
        if not self.calls_none:
            return {"INT 19h"}
        return {"INT 13h", "INT 19h", "40:75h", *(["INT 18h"] if self._pc.has_cd() else [])}

    def vectors_of_copies(self) -> list[range]:
        """Where no boot entry is called, init puts itself after the copies of the ROM
        that were there first, if they are of the same build: it changes the old vectors
        that these keep in their workspaces."""
        if not self.calls_none:
            return []
        return [range(copy.workspace.start + at, copy.workspace.start + at + 4)
                for copy in self.copies if copy is not self.running and copy.kept and self._is_same_build(copy)
                for at in previous_vectors()]

    def _is_same_build(self, copy) -> bool:
        code = resident_code()
        return self._pc.peek(copy.runs_at * 16 + build.PACKED_FROM, len(code)) == code

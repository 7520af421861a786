# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""POST memory manager. [PMM 1.01]"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from tests.model.bios_data import (BIOS_SEGMENT, PERMANENT_AREA, PMM_ENTRY, TEMPORARY_AREA,
                                   checksummed)
from tests.model.rules import RuleViolation


@dataclass
class Block:
    """Memory that PMM has given out."""
    place: range
    permanent: bool


class Pmm:
    """POST memory manager. Kinds: "1.01", "1.00" (no permanent blocks),
    "refusing", "unsupported", "bad checksum", "absent"."""

    CONVENTIONAL, PERMANENT = 1, 8
    UNSUPPORTED = 0xFFFFFFFF
    ALLOCATE, FIND, DEALLOCATE = 0, 1, 2

    def __init__(self, kind: str):
        assert kind in ("1.01", "1.00", "refusing", "unsupported", "bad checksum", "absent")
        self.kind = kind
        self.blocks: list[Block] = []
        self.refused = not self.is_there    # a request for memory would fail

    @property
    def is_there(self) -> bool:
        """Without PMM, boot entries are not reliable, whatever BBS says."""
        return self.kind not in ("absent", "bad checksum")

    def table(self) -> bytes:
        if self.kind == "absent":
            return b""
        head = b"$PMM\x01\x10\0" + struct.pack("<HH", PMM_ENTRY, BIOS_SEGMENT) + bytes(5)
        return head if self.kind == "bad checksum" else checksummed(head, 6)

    def call(self, words: tuple[int, ...]) -> int:
        """Returns DX:AX. `words` are the arguments on the stack."""
        if self.kind == "bad checksum":
            raise RuleViolation("PMM misused", "its table has a bad checksum")
        if self.kind == "unsupported":
            self.refused = True
            return self.UNSUPPORTED
        if words[0] == self.ALLOCATE:
            return self._allocate(words[1] | words[2] << 16, words[5])
        if words[0] == self.FIND:
            return 0
        if words[0] == self.DEALLOCATE:
            return self._deallocate(words[1] | words[2] << 16)
        raise RuleViolation("PMM misused", f"function {words[0]}")

    def _allocate(self, paragraphs: int, flags: int) -> int:
        if not flags & self.CONVENTIONAL:
            raise RuleViolation("PMM misused", f"flags {flags:#x}: real mode needs conventional memory")
        if self.kind == "refusing":
            self.refused = True
            return 0
        permanent = self.kind == "1.01" and bool(flags & self.PERMANENT)
        area = PERMANENT_AREA if permanent else TEMPORARY_AREA
        start = max((b.place.stop for b in self.blocks if b.place.start in area),
                    default=area.start)
        if start + paragraphs * 16 > area.stop:
            self.refused = True
            return 0
        self.blocks.append(Block(range(start, start + paragraphs * 16), permanent))
        return start

    def _deallocate(self, address: int) -> int:
        for block in self.blocks:
            if block.place.start == address:
                self.blocks.remove(block)
                return 0
        raise RuleViolation("PMM misused", f"{address:#x} is not a block")

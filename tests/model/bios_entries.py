# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The boot entries of a ROM, as a BIOS reads them from its PnP headers.

[PnP-BIOS 1.0A; BBS 1.01]
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from tests.model.bios_data import ROM_SEGMENT, SEABIOS
from tests.model.rules import RuleViolation


@dataclass(frozen=True)
class BootEntry:
    """The data a BIOS reads from a PnP header, and the ROM copy it belongs to."""
    header: int
    bcv: int
    product: str
    bev: int = 0
    disconnect: int = 0
    segment: int = ROM_SEGMENT
    bdf: int = field(default=0, compare=False)


class Entries:
    """The part of Bios that reads PnP headers."""

    def _walk(self):
        """Walk the chain of PnP headers; SeaBIOS checks their signatures only."""
        start, seen = self.image.start, set()
        header = self._pc.word(start + 0x1A)
        while header:
            if header in seen:
                raise RuleViolation("PnP header wrong", f"{header:#x}: the chain is a ring")
            seen.add(header)
            if self.manner != SEABIOS:
                self._check_header(header)
            elif self._pc.peek(start + header, 4) != b"$PnP":
                return
            product = self._string(self._pc.word(start + header + 0x10))
            bcv, disconnect, bev = struct.unpack("<3H", self._pc.peek(start + header + 0x16, 6))
            yield BootEntry(header, bcv, product, bev, disconnect, start // 16, self.running.bdf)
            header = self._pc.word(start + header + 6)

    def _string(self, offset: int) -> str:
        kept = self._pc.peek(self.image.start, self.kept)
        if not 0 < offset < len(kept) or b"\0" not in kept[offset:]:
            raise RuleViolation("PnP header wrong", f"no text at {offset:#x}")
        return kept[offset:kept.index(b"\0", offset)].decode("ascii")

    def _check_header(self, offset: int) -> None:
        """[PnP-BIOS 1.0A "Expansion header for Plug and Play"] Without any boot entry,
        there may be one header without vectors."""
        data = self._pc.peek(self.image.start + offset, 0x20)
        kept = self.kept
        alone = offset == self._pc.word(self.image.start + 0x1A) and not any(data[6:8])
        bcv, bev, manufacturer = (struct.unpack_from("<H", data, at)[0] for at in (0x16, 0x1A, 0xE))
        wrong = {"signature": data[:4] != b"$PnP", "place": offset % 16 or offset + 0x20 > kept,
                 "revision": data[4] != 1, "length": data[5] != 2, "checksum": sum(data) & 0xFF,
                 "device type": data[0x12] != 1, "boot connection vector": bcv >= kept,
                 "bootstrap entry vector": bev >= kept,
                 "no vector": not (bcv or bev) and not alone,
                 "both vectors": bcv and bev,
                 "disconnect vector": struct.unpack_from("<H", data, 0x18)[0] >= kept}
        for what, is_wrong in wrong.items():
            if is_wrong:
                raise RuleViolation("PnP header wrong", f"{offset:#x}: {what}")
        self._string(manufacturer)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""A cable that fails at a high rate or with 16 bits: `bus.cable = Cable(...)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.model.transfer import Agreement

if TYPE_CHECKING:
    from tests.model.bus import Request


@dataclass
class Cable:
    """Shorter periods or more than 8 << `widest` bits change a bit of the byte at `at` in each
    data phase. The chip sees bad parity then, unless `silent`: two bits have changed."""
    fastest_ns: int = 0
    widest: int = 1
    at: int = 0
    silent: bool = False
    failures: int = 0

    def carry(self, request: Request, agreed: Agreement) -> None:
        too_fast = agreed.offset and agreed.period_ps < self.fastest_ns * 1000
        if not too_fast and agreed.width <= self.widest:
            return
        self.failures += 1
        if request.data is None:
            seen = request.seen
            request.seen = lambda given: self._spoil(seen(given))
        else:
            request.data = self._spoil(request.data)
            request.bad_parity |= not self.silent

    def _spoil(self, data: bytes) -> bytes:
        at = min(self.at, len(data) - 1)
        return data[:at] + bytes([data[at] ^ (3 if self.silent else 1)]) + data[at + 1:]

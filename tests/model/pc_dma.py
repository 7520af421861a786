# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The part of Pc that is the chip's access to memory. Of the ROM's own memory the chip
writes only the bytes that lsi/ and scsi/ declare for it, the bounce sector, the block
buffer, and, on our stack, answers that are no blocks.
"""

from __future__ import annotations

import functools

import size
from tests.model.bus import Bus
from tests.model.devices import PciSpace
from tests.model.pc_memory import MEMORY, WORKSPACE_BYTES
from tests.model.rules import RuleViolation

STACK_SEGMENT = 0x0600      # of the BIOS
CANARY_BYTES = 4
# Members of struct workspace
WRITTEN = ("lsi.moved.status", "lsi.moved.msg_in", "lsi.moved.msg_more", "lsi.moved.sink",
           "int13.bus.sense")
BUFFER_SEGMENT, BUFFER_BYTES = "int13.buffer_segment", "int13.buffer_bytes"
BLOCK_READS = {0x08, 0x28, 0x88, 0xA8, 0xBE}


@functools.cache
def offsets() -> dict[str, int]:
    names = (*WRITTEN, BUFFER_SEGMENT, BUFFER_BYTES)
    found = size.values("STACK_BYTES", *(f"FIELD({name})" for name in names))
    return dict(zip(("end of stack", *names), found))


@functools.cache
def written() -> tuple[range, ...]:
    """Where the chip may write, by offset in the workspace."""
    sector, sector_bytes, *lengths = size.values(
        "WS_SECTOR", "1 << SECTOR_SHIFT", *(f"sizeof(workspace.{name})" for name in WRITTEN))
    return (range(sector, sector + sector_bytes),
            *(range(offsets()[name], offsets()[name] + length) for name, length in zip(WRITTEN, lengths)))


def holds(outer: range, inner: range) -> bool:
    return outer.start <= inner.start and inner.stop <= outer.stop


def meets(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


class Dma:
    """The part of Pc that is the chip's access to memory."""

    _post_stack = 0     # linear address of the stack of the copy that is being initialised

    @property
    def _dma_bus(self) -> Bus:
        """That of the chip which accesses memory."""
        return self.bus

    def _dma_read(self, address: int, length: int) -> bytes:
        self._check_master(address)
        if address + length > MEMORY:
            raise RuleViolation("DMA outside memory", f"read of {address:#x}")
        if not self.vds:
            return self.peek(address, length)
        self.vds.check_access(address, length)
        return self.peek_physical(address, length)

    def _dma_write(self, address: int, data: bytes) -> None:
        self._check_master(address)
        if address + len(data) > MEMORY:
            raise RuleViolation("DMA outside memory", f"write of {address:#x}")
        if self.vds:
            self.vds.check_access(address, len(data))
        if not (self.vds and self.vds.is_buffer(address, len(data))):
            self._check_dma_write(address, len(data))
        self.poke_physical(address, data)

    def _check_dma_write(self, address: int, length: int) -> None:
        for place, part in self._places(address, length):
            if self.booted and self._in_image(place, place + part):
                raise RuleViolation("ROM written after boot", f"by the chip at {place:#x}")
            self._check_write("chip", place, part)
            self._check_own_memory(place, part)
        if 0xC0000 <= address < 0xE8000 or address >= 0xF0000 and address < 0x100000:
            raise RuleViolation("DMA into ROM", f"{address:#x}")

    def _check_master(self, address: int) -> None:
        if not self.pci.command & PciSpace.MASTER:
            raise RuleViolation("bus mastering not enabled", f"DMA at {address:#x}")

    # ---- Our own memory ---------------------------------------------------------------

    def _own_spaces(self) -> list[range]:
        """Workspaces. In init, our stack is at the start of one."""
        if not self._in_post:
            return self.workspaces
        segment = self.get("ss")
        if segment not in (0, STACK_SEGMENT) and not self.timer.running:
            self._post_stack = segment * 16
        start = self._post_stack
        return [*self.workspaces, *([range(start, start + WORKSPACE_BYTES)] if start else [])]

    def _check_own_memory(self, address: int, length: int) -> None:
        place, spaces = range(address, address + length), self._own_spaces()
        space = next((space for space in spaces if meets(space, place)), None)
        if space:
            good = self._is_written(space, place)
        else:
            ours = self.bios.post_memory() if self._in_post else self.kept_memory
            good = not any(part and meets(part, place) for part in ours) or any(
                holds(self._block_buffer(space), place) for space in spaces)
        if not good:
            where = f"{address - space.start:#x} of the workspace" if space else f"{address:#x}"
            raise RuleViolation("DMA into our memory",
                                f"{length} bytes at {where}, command {self._dma_bus.cdb.hex(' ')}")

    def _is_written(self, space: range, place: range) -> bool:
        inside = range(place.start - space.start, place.stop - space.start)
        if any(holds(part, inside) for part in written()):
            return True
        ours = self.get("ss") * 16 == space.start
        used = range(max(CANARY_BYTES, self.get("esp") & 0xFFFF if ours else 0), offsets()["end of stack"])
        return holds(used, inside) and BLOCK_READS.isdisjoint(self._dma_bus.cdb[:1])

    def _block_buffer(self, space: range) -> range:
        start = self.word(space.start + offsets()[BUFFER_SEGMENT]) * 16
        return range(start, start + self.word(space.start + offsets()[BUFFER_BYTES]))

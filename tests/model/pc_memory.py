# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The part of Pc that is its memory, with the write checks."""

from __future__ import annotations

import functools
import struct
from collections.abc import Iterable
from typing import TYPE_CHECKING

from unicorn import UC_HOOK_MEM_WRITE

from tests import build
from tests.model.bios_data import BIOS_SEGMENT, DISK_STATUS, MEMORY_SIZE, WORKSPACE_KIB
from tests.model.rules import RuleViolation

if TYPE_CHECKING:
    from tests.model.bios import Copy

MEMORY = 0x1000000
CODE = range(0x50000, 0x100000)         # copies of the ROM, packed or not, and the BIOS
WORKSPACE_BYTES = 1024 * WORKSPACE_KIB

symbol = functools.cache(build.symbol)


class Memory:
    """The part of Pc that is its memory, with the write checks."""

    def peek(self, address: int, length: int) -> bytes:
        if length and not 0 <= address <= MEMORY - length:
            raise IndexError(f"no memory at {address:#x}")
        return self._memory[address:address + length]

    def poke(self, address: int, data: bytes) -> None:
        """Write through Unicorn and drop its translation of old code, which it
        does not notice by itself."""
        self.uc.mem_write(address, data)
        if data and address < CODE.stop and address + len(data) > CODE.start:
            self.uc.ctl_remove_cache(address, address + len(data))

    def peek_physical(self, address: int, length: int) -> bytes:
        """Read memory as the chip does."""
        if not self.vds:
            return self.peek(address, length)
        return b"".join(self.peek(*place) for place in self._places(address, length))

    def poke_physical(self, address: int, data: bytes) -> None:
        done = 0
        for place, length in self._places(address, len(data)):
            self.poke(place, data[done:done + length])
            done += length

    def _places(self, address: int, length: int) -> Iterable[tuple[int, int]]:
        """Linear pieces that hold this physical memory."""
        return self.vds.places(address, length) if self.vds else [(address, length)]

    def word(self, address: int) -> int:
        return struct.unpack("<H", self.peek(address, 2))[0]

    def _watch_writes(self, *unwatched: range) -> None:
        """Pass CPU writes to _cpu_wrote(), except in these ranges. A write that
        begins just below the end of a range may extend beyond it."""
        if unwatched == self._unwatched:
            return
        for hook in self._write_hooks:
            self.uc.hook_del(hook)
        watch = self._guarded(self._cpu_wrote)
        self._write_hooks = [
            self.uc.hook_add(UC_HOOK_MEM_WRITE, watch, begin=max(begin - 3, 0), end=end)
            for begin, end in self._gaps(0, MEMORY, *unwatched)]
        self._unwatched = unwatched

    def _cpu_wrote(self, uc, access, address, size, value, _) -> None:
        self._check_write("CPU", address, size)

    def _check_write(self, source: str, address: int, length: int) -> None:
        end = address + length
        if self._may_write(address, end):
            return
        what = f"{source} wrote {length} bytes at {address:#x}"
        if self.booting and any(address in taken and end <= taken.stop for taken in self.taken_at_boot()):
            return
        if self.timer.running and self._timer_may_write(address):
            return
        if self._in_post:
            self.allow_post_writes()    # 40:13h may have changed
            if not self._may_write(address, end):
                raise RuleViolation("write not allowed in POST", what)
        elif self.booted and self._in_image(address, end):
            raise RuleViolation("ROM written after boot", what)
        elif source == "CPU" and self._stack_wrapped():
            raise RuleViolation("our stack overflowed", what)
        else:
            raise RuleViolation("write outside buffer and workspace", what)

    def _in_image(self, start: int, end: int) -> bool:
        return any(start < image.stop and end > image.start for image in self._images)

    @property
    def workspaces(self) -> list[range]:
        return [copy.workspace for copy in self.bios.copies if copy.workspace]

    def _stack_wrapped(self) -> bool:
        """Our stack has gone below offset 0, so SP is large again."""
        return (self.get("ss") << 4 in [space.start for space in self.workspaces]
                and self.get("esp") & 0xFFFF > WORKSPACE_BYTES)

    def _may_write(self, start: int, end: int) -> bool:
        return any(r.start <= start and end <= r.stop for r in self.writable)

    def _timer_may_write(self, address: int) -> bool:
        """The tick count; in POST and at boot, also the data of an INT 13h call."""
        ticks = range(self.timer.COUNTER, self.timer.COUNTER + 4)
        return address in ticks or (self._in_post or self.booting) and address in (
            *self.timer.BUFFER, DISK_STATUS)

    def write_for(self, source: str, address: int, data: bytes) -> None:
        """A BIOS or VDS service writes to the caller's memory."""
        self._check_write(source, address, len(data))
        self.poke(address, data)

    def note_workspace(self) -> range | None:
        """Find the workspace: its segment is at +8 of the image, 0 if there is
        none. If the image is read-only and INT 19h is hooked, use the copy of
        the image that INT 19h points to."""
        image = self.bios.image.start
        if not self.rom_writable and self.word(0x19 * 4 + 2) != BIOS_SEGMENT:
            image = self.word(0x19 * 4 + 2) * 16
            self.code.append(range(image, image + self.peek(image + 2, 1)[0] * 512))
        self.bios.running.runs_at = image // 16
        start = self.word(image + 8) * 16
        space = range(start, self._end_of_workspace(start)) if start else None
        self.workspace = self.workspace or space
        return space

    def _end_of_workspace(self, start: int) -> int:
        """That of its PMM block, or else of the base memory that init has taken; a copy
        of the image in RAM lies above it."""
        ends = [self.bios.taken.stop, self.bios.running.runs_at * 16,
                *(block.place.stop for block in self.bios.memory.blocks)]
        return min(end for end in ends if end > start)

    def note_far_code(self, copy: Copy) -> bool:
        """Does the far code of a copy have memory of its own? Its segment is at +14h
        of the image, and it has the same offset there as in the image. The memory
        begins at a KiB, with or without the part for disks with removable media."""
        segment = self.word(copy.runs_at * 16 + 0x14)
        if segment in (0, copy.runs_at):
            return False
        copy.far_segment = segment
        first = next(at for at in (symbol("removable_first"), symbol("gates_first"))
                     if (segment * 16 + at) % 1024 == 0)
        end = symbol("cd_end") if self.has_cd() else symbol("media_end")
        copy.far_code = range(segment * 16 + first, segment * 16 + end)
        return True

    def taken_at_boot(self) -> list[range]:
        """Memory that the ROM has taken after POST. Far code in it that has not been
        given back stays as it is."""
        begin, end = self.word(MEMORY_SIZE) * 1024, self.boot_kib * 1024
        if begin < end and end in [place.start for place in self.kept_memory]:
            end += 1024     # taken in POST and not used then
        code = [copy.far_code for copy in self.bios.copies if begin <= copy.far_code.start < end]
        return [range(first, last + 1) for first, last in self._gaps(begin, end, *code) if first <= last]

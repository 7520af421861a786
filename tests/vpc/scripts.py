# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The SCRIPTS processor: instructions an initiator can use.

The processor is a generator that yields the nanoseconds each step takes, or
WAIT while it waits for the bus. [LSI53C895A technical manual chapter 5]
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

from . import bus as b
from .law import LawBroken

if TYPE_CHECKING:
    from .chip import Chip

WAIT = 0
INSTRUCTION_NS = 300
BYTE_NS = 200
FIFO_BYTES = 80        # how far data out is fetched ahead
ARBITRATION_NS = 5_000


def signed24(value: int) -> int:
    value &= 0xFFFFFF
    return value - 0x1000000 if value & 0x800000 else value


class Scripts:
    def __init__(self, chip: Chip):
        self.chip = chip
        self.running = False
        self.wakes_at = 0          # when a waiting instruction goes on by itself
        self.instructions = 0
        self.sfbr = 0
        self.carry = False
        self._steps: Iterator[int] | None = None
        self._phase_fresh = False  # the phase was looked at since the last ACK
        self._selecting = False    # SELECT done, no WHEN yet
        self._expects_free = False # SDU is off and the last message allows it

    # ---- Control -------------------------------------------------------------------

    def start(self, address: int) -> None:
        self.chip.registers[0x2C:0x30] = struct.pack("<I", address)
        self.running = True
        self._steps = self._execute()

    def stop(self) -> None:
        self.running = False
        self.wakes_at = 0

    def run(self, budget: int) -> int:
        """Run for up to `budget` ns; returns what was used, 0 if waiting."""
        used = 0
        while self.running and used < budget:
            cost = next(self._steps, WAIT)
            self.chip.bus.now = self.chip.now + used
            if cost == WAIT:
                break
            used += cost
        return used

    def bus_freed(self, sdu: bool) -> None:
        """The target left the bus."""
        from .chip import UDC
        self._selecting = False
        if self.chip.ack_held:
            self._law("bus free with ACK asserted", "")
        if sdu:
            if self._last_message in (0x00, 0x04):
                self._law("SDU left on", f"message {self._last_message:#04x}, then bus free")
            self.chip.raise_scsi(UDC)

    _last_message: int | None = None

    def _law(self, law: str, detail: str) -> None:
        raise LawBroken(law, f"{detail} (DSP {self.dsp:#x})")

    @property
    def dsp(self) -> int:
        return struct.unpack_from("<I", self.chip.registers, 0x2C)[0]

    @dsp.setter
    def dsp(self, value: int) -> None:
        struct.pack_into("<I", self.chip.registers, 0x2C, value & 0xFFFFFFFF)

    @property
    def dsa(self) -> int:
        return struct.unpack_from("<I", self.chip.registers, 0x10)[0]

    def _set_dbc(self, value: int) -> None:
        self.chip.registers[0x24:0x27] = (value & 0xFFFFFF).to_bytes(3, "little")

    def _table(self, offset: int, size: int) -> bytes:
        address = (self.dsa + signed24(offset)) & 0xFFFFFFFF
        if address % 4:
            self._law("table not aligned", f"{address:#x}")
        return self.chip.memory_read(address, size)

    # ---- Fetch and decode ------------------------------------------------------------

    def _execute(self) -> Iterator[int]:
        while self.running:
            address = self.dsp
            if address % 4:
                self._law("SCRIPTS not aligned", f"{address:#x}")
            first, second = struct.unpack("<II", self.chip.memory_read(address, 8))
            self.dsp = address + 8
            self.chip.registers[0x27] = first >> 24
            self.chip.registers[0x30:0x34] = struct.pack("<I", second)
            self.instructions += 1
            yield INSTRUCTION_NS
            kind = first >> 30
            if kind == 0:
                yield from self._block_move(first, second)
            elif kind == 1:
                if (first >> 27 & 7) < 5:
                    yield from self._io(first, second)
                else:
                    self._register(first)
            elif kind == 2:
                yield from self._transfer_control(first, second)
            else:
                self._law("instruction not modelled", f"{first:#010x}")

    def _illegal(self, law: str, first: int) -> None:
        self._law(law, f"instruction {first:#010x}")

    # ---- Block moves -------------------------------------------------------------------

    def _block_move(self, first: int, second: int) -> Iterator[int]:
        if not first & 1 << 27:
            self._illegal("CHMOV in place of MOVE", first)
        if first & 1 << 29:
            self._illegal("indirect block move not modelled", first)
        phase = first >> 24 & 7
        if first & 1 << 28:
            count, address = struct.unpack("<II", self._table(second, 8))
            if count >> 24:
                self._law("top byte of a table count not 0", f"{count:#010x}")
        else:
            count, address = first & 0xFFFFFF, second
        if count == 0:
            self._illegal("block move of 0 bytes", first)
        self._set_dbc(count)
        yield from self._handshakes(phase, count, address)

    def _handshakes(self, phase: int, count: int, address: int) -> Iterator[int]:
        chip, bus = self.chip, self.chip.bus
        outgoing = phase in b.OUTGOING
        done = 0
        data = chip.memory_read(address, count) if outgoing else b""
        taken = bytearray()
        while done < count:
            yield from self._request()
            if not self.running:
                return
            self._latch_phase()
            if bus.request[0] != phase:
                self._cut_short(outgoing, count, done, taken, address)
                return
            last = done == count - 1
            if phase == b.MSG_OUT and last:
                bus.atn = False    # in time for the target to see it
            value = bus.take(data[done] if outgoing else None)
            done += 1
            if not outgoing:
                if done == 1:
                    self.sfbr = value
                taken.append(value)
            self._phase_fresh = False
            if phase == b.MSG_IN:
                self._last_message = taken[0] if len(taken) == 1 else self._last_message
            if phase == b.MSG_IN and last:
                chip.ack_held = True   # until CLEAR ACK
            else:
                bus.release()
            yield BYTE_NS
        if taken:
            chip.memory_write(address, bytes(taken))
        self._set_dbc(0)

    def _cut_short(self, outgoing: bool, count: int, done: int, taken: bytearray,
                   address: int) -> None:
        """Phase mismatch, with honest counters."""
        from .chip import MA
        chip = self.chip
        if taken:
            chip.memory_write(address, bytes(taken))
        left = count - done
        if outgoing:
            ahead = min(left, FIFO_BYTES)          # fetched, not sent
            self._set_dbc(left - ahead)
            in_latch = 1 if ahead and done else 0
            chip.registers[0x0D] = chip.registers[0x0D] & ~0x20 | 0x20 * in_latch
            chip.registers[0x20] = (left - ahead + ahead - in_latch) & 0x7F
            chip.fifo_dirty = ahead > 0
        else:
            self._set_dbc(left)
        chip.raise_scsi(MA)

    def _request(self) -> Iterator[int]:
        """Wait for REQ."""
        chip, bus = self.chip, self.chip.bus
        if chip.ack_held:
            self._law("ACK still asserted", "no CLEAR ACK since the last message byte")
        while bus.request is None:
            chip.notice_bus()
            if not self.running:
                return
            if bus.connected is None and not self._selecting:
                self._law("phase wanted on a free bus", "")
            yield WAIT
        self._selecting = False

    def _latch_phase(self) -> None:
        chip = self.chip
        chip.registers[0x0E] = chip.registers[0x0E] & ~7 | chip.bus.request[0]

    # ---- I/O instructions --------------------------------------------------------------

    def _io(self, first: int, second: int) -> Iterator[int]:
        opcode = first >> 27 & 7
        if opcode and first & 1 << 24:
            self._illegal("bit 24 on an I/O instruction that is not SELECT", first)
        alternate = (self.dsp + signed24(second) if first & 1 << 26 else second) & 0xFFFFFFFF
        if opcode == 0:
            yield from self._select(first, alternate)
        elif opcode == 1:
            yield from self._wait_disconnect()
        elif opcode == 2:
            yield from self._wait_reselect(alternate)
        elif opcode == 3:
            if first & 0x40:
                self._illegal("SET ACK", first)
            if first & 0x08:
                self.chip.bus.atn = True
        else:
            if first & 0x08:
                self.chip.bus.atn = False
            if first & 0x40 and self.chip.ack_held:
                self.chip.ack_held = False
                self.chip.bus.release()
                self.chip.notice_bus()

    def _select(self, first: int, alternate: int) -> Iterator[int]:
        from .chip import RST_TO_SELECTION_NS, RRE, SELECTION_PERIOD_NS, STO
        chip, bus = self.chip, self.chip.bus
        registers = chip.registers
        if first & 1 << 25:
            entry = self._table(first & 0xFFFFFF, 4)
            registers[0x03], registers[0x05] = entry[3], entry[1]
            target = entry[2] & 0x0F
        else:
            target = first >> 16 & 0x0F
        registers[0x06] = target
        own = registers[0x04] & 0x0F
        period = registers[0x48] & 0x0F
        if period == 0:
            self._law("no selection time-out", "STIME0.SEL is 0")
        if own in bus.targets or target == own:
            self._law("own ID clashes", f"SCID says {own}")
        if not registers[0x04] & RRE or not registers[0x4A + own // 8] >> own % 8 & 1:
            self._law("cannot be reselected", "SCID.RRE or RESPID")
        if registers[0x03] & 7 not in (3, 4, 5):
            self._law("clock not set", f"SCNTL3.CCF is {registers[0x03] & 7}")
        if chip.now - chip.rst_ended < RST_TO_SELECTION_NS:
            self._law("selection too soon after a bus reset", f"{chip.now - chip.rst_ended} ns")
        while bus.stuck_busy or bus.stuck_reset:
            yield WAIT
        if bus.waiting_reselect is not None:
            self._reselected()
            self.dsp = alternate
            return
        yield ARBITRATION_NS
        atn = bool(first & 1 << 24)
        if bus.select(target, atn):
            registers[0x02] |= 0x80          # SDU
            self._selecting = True
            self._phase_fresh = False
            self._last_message = None
            return
        # Nobody: the next instruction that needs the bus waits for the end
        # of the selection.
        duration = SELECTION_PERIOD_NS[0xC] >> (0xC - period)
        self.wakes_at = chip.now + duration
        while chip.now < self.wakes_at:
            yield WAIT
        chip.raise_scsi(STO)
        yield WAIT

    def _wait_disconnect(self) -> Iterator[int]:
        if self.chip.ack_held:
            self._law("ACK still asserted", "the target cannot leave the bus")
        while self.chip.bus.connected is not None:
            yield WAIT

    def _reselected(self) -> None:
        registers = self.chip.registers
        registers[0x0A] = 0x80 | self.chip.bus.reconnect()
        registers[0x02] |= 0x80
        self._phase_fresh = False

    def _wait_reselect(self, alternate: int) -> Iterator[int]:
        while self.chip.bus.waiting_reselect is None:
            if self.chip.registers[0x14] & 0x20:   # SIGP
                self.dsp = alternate
                return
            yield WAIT
        self._reselected()

    # ---- Registers ---------------------------------------------------------------------

    def _register(self, first: int) -> None:
        from .chip import COM
        if not self.chip.registers[0x3B] & COM:
            self._illegal("register instruction without DCNTL.COM", first)
        opcode, operator = first >> 27 & 7, first >> 24 & 7
        register, data = first >> 16 & 0x7F | first & 0x80, first >> 8 & 0xFF
        value = self.sfbr if opcode == 5 or register == 8 else self.chip.registers[register]
        operand = self.sfbr if first & 1 << 23 and opcode == 7 else data
        if operator == 0:
            value = operand
        elif operator == 2:
            value |= operand
        elif operator == 3:
            value ^= operand
        elif operator == 4:
            value &= operand
        elif operator == 6:
            value = value + operand & 0xFF
        else:
            self._illegal("operator not modelled", first)
        if opcode == 6:
            self.sfbr = value
        else:
            self.chip.registers[register] = value

    # ---- Transfer control -----------------------------------------------------------------

    def _transfer_control(self, first: int, second: int) -> Iterator[int]:
        want = bool(first & 1 << 19)
        found = []   # each comparison's outcome
        if first & 1 << 17:
            if first & 1 << 16:
                yield from self._request()
                if not self.running:
                    return
                self._latch_phase()
                self._phase_fresh = True
            elif not self._phase_fresh:
                self._illegal("stale phase tested", first)
            found.append(self.chip.registers[0x0E] & 7 == first >> 24 & 7)
        if first & 1 << 18:
            ignore = first >> 8 & 0xFF
            found.append(self.sfbr & ~ignore & 0xFF == first & ~ignore & 0xFF)
        if any(outcome != want for outcome in found or [True]):
            return
        opcode = first >> 27 & 7
        relative = bool(first & 1 << 23)
        target = (self.dsp + signed24(second) if relative else second) & 0xFFFFFFFF
        if opcode == 0:
            self.dsp = target
        elif opcode == 3:
            if relative:
                self._illegal("relative INT", first)
            from .chip import D_SIR
            self.chip.raise_dma(D_SIR)
            yield WAIT
        else:
            self._illegal("CALL and RETURN not modelled", first)

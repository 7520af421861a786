# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The SCRIPTS processor: the instructions of an initiator.

The processor is a generator that yields the nanoseconds each step takes, or
WAIT while it waits for the bus. [LSI53C895A technical manual chapter 5]
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.model import bus as b
from tests.model import wide
from tests.model.registers import (AAP, CMP, COM, CTEST5, DBC, DCNTL, DFS, DNAD, DSA, DSP, DSPS,
                                   D_IID, D_SIR, D_SSI, EPC, GPREG, INTF, ISTAT, MA, PAR, SCID,
                                   SCNTL0, SCNTL2, SCNTL3, SCNTL4, SDID, SDU, SGE, SIGP, SSM,
                                   SSTAT1, STEST1, STIME0, SXFER, TEMP, U3EN, DmaFault)
from tests.model.transfer import NARROW, NONE, beyond, matches, setting_of

if TYPE_CHECKING:
    from tests.model.chip import Chip

DWORDS = {n: struct.Struct(f"<{n}I") for n in (1, 2)}
DWORD = DWORDS[1]
WAIT = 0
INSTRUCTION_NS = 300
BYTE_NS = 200           # of commands, messages and statuses
ARBITRATION_NS = 5_000
SELECTION_ABORT_NS = 200_000

# Bits of a first dword that several instructions share
RELATIVE_IO, TABLE_IO, SELECT_ATN = 1 << 26, 1 << 25, 1 << 24
SET_CARRY, SET_TARGET, SET_ACK, SET_ATN = 1 << 10, 1 << 9, 1 << 6, 1 << 3
RELATIVE, CARRY_TEST, ON_THE_FLY, IF_TRUE = 1 << 23, 1 << 21, 1 << 20, 1 << 19
DATA_TEST, PHASE_TEST, WAIT_FOR_PHASE = 1 << 18, 1 << 17, 1 << 16

# COMMAND COMPLETE, DISCONNECT; sent by us: ABORT, BUS DEVICE RESET, ABORT TAG, CLEAR QUEUE
LEAVING, SENDING_AWAY = (0x00, 0x04), (0x06, 0x0C, 0x0D, 0x0E)


def signed24(value: int) -> int:
    value &= 0xFFFFFF
    return value - 0x1000000 if value & 0x800000 else value


@dataclass
class Move:
    """A block move: what it sends; its bytes."""
    data: bytes
    count: int
    begun: bool = False
    wide: bool = False
    kept: bytes = b""       # the byte that CHMOV does not send yet
    padding: int = 0        # bytes at the end of `data` that are none

    def left(self, done: int) -> int:
        """Bytes of memory that have not moved."""
        return self.count - done - self.padding + len(self.kept)


class Scripts:
    def __init__(self, chip: Chip):
        self.chip = chip
        self.running = False
        self.wakes_at: int | None = None    # when a waiting instruction continues by itself
        self.instructions = 0
        self.sfbr = 0
        self.carry = False
        self.selecting: tuple[int, bool] | None = None  # ID, ATN: arbitration is won
        self._steps: Iterator[int] = iter(())
        self._phase_fresh = False           # tested since the last handshake
        self._last_message: int | None = None
        self._target_left = False           # and no WAIT DISCONNECT has noticed it
        self.command_over = False           # it left after COMMAND COMPLETE
        self._message = bytearray()
        self._moving = False                # within a data move
        self._unsent: tuple[int, bool] | None = None    # bytes left, any sent: in a move out

    # ---- Control -------------------------------------------------------------------

    def start(self, address: int) -> None:
        self.dsp = address
        self.running = True
        self._moving = self._target_left = self.command_over = False
        self._steps = self._execute()

    def stop(self) -> None:
        self.running = False
        self.wakes_at = self.selecting = None
        if self._unsent and self._unsent[0]:
            self._cut_short(True, *self._unsent)
        self._unsent = None

    def connection_begins(self) -> None:
        self._phase_fresh = self.command_over = False
        self._last_message = None
        self._message = bytearray()

    def abort(self) -> None:
        """Stop within an instruction: DMA causes do not empty the FIFOs."""
        self.selecting = None
        if self._moving:
            self.chip.dma_fifo = self.chip.scsi_fifo = True

    def run(self, until: int) -> bool:
        """Run until that time. False if no progress was possible."""
        chip, begun = self.chip, self.chip.now
        while self.running and chip.now < until:
            try:
                cost = next(self._steps, WAIT)
            except DmaFault as fault:
                self.abort()
                chip.raise_dma(fault.cause)
                break
            if cost == WAIT:
                break
            chip.spend(cost)
        return chip.now > begun

    def target_left(self) -> None:
        """The bus is free: another target may reselect before the next instruction."""
        self._target_left = True
        self.command_over = self._last_message == 0x00

    def left_with_sdu(self) -> None:
        """The target left while SDU was set: a driver error if the target may leave."""
        if self._last_message in LEAVING:
            self._rule("SDU left on", f"message {self._last_message:#04x}, then bus free")

    def _rule(self, rule: str, detail: str = "") -> None:
        self.chip.rule(rule, f"{detail} (DSP {self.dsp:#x})")

    def _register32(self, at: int) -> int:
        return DWORD.unpack_from(self.chip.registers, at)[0]

    def _set_register32(self, at: int, value: int) -> None:
        DWORD.pack_into(self.chip.registers, at, value & 0xFFFFFFFF)

    @property
    def dsp(self) -> int:
        return self._register32(DSP)

    @dsp.setter
    def dsp(self, value: int) -> None:
        self._set_register32(DSP, value)

    def _set_dbc(self, value: int) -> None:
        self.chip.registers[DBC:DBC + 3] = (value & 0xFFFFFF).to_bytes(3, "little")

    def _from_dsa(self, offset: int) -> int:
        return (self._register32(DSA) + signed24(offset)) & 0xFFFFFFFF

    def _table(self, offset: int, size: int) -> bytes:
        address = self._from_dsa(offset)
        if address % 4:
            self._rule("table not aligned", f"{address:#x}")
        return self.chip.dma_read(address, size)

    def _jump_target(self, relative: bool, second: int) -> int:
        return (self.dsp + signed24(second) if relative else second) & 0xFFFFFFFF

    # ---- Fetch and decode ------------------------------------------------------------

    def _fetch(self, dwords: int) -> tuple[int, ...]:
        address = self.dsp
        if address % 4:
            self._rule("SCRIPTS not aligned", f"{address:#x}")
        self.dsp = address + 4 * dwords
        return DWORDS[dwords].unpack(self.chip.dma_read(address, 4 * dwords))

    def _execute(self) -> Iterator[int]:
        while self.running:
            first, second = self._fetch(2)
            self._set_register32(DBC, first)       # DBC and DCMD
            self._set_register32(DSPS, second)      # DSPS
            self.instructions += 1
            yield INSTRUCTION_NS
            kind = first >> 29
            if kind < 2:
                yield from self._block_move(first, second)
            elif kind < 4 and (first >> 27 & 7) < 5:
                yield from self._io(first, second)
            elif kind < 4:
                self._register(first)
            elif kind < 6:
                yield from self._transfer_control(first, second)
            elif kind == 6:
                self._memory_move(first, second)
            else:
                self._load_store(first, second)
            if self.chip.registers[DCNTL] & SSM and self.running:
                self.chip.raise_dma(D_SSI)

    def _illegal(self, rule: str, first: int) -> None:
        """An invalid instruction: DSTAT.IID stops the program."""
        self._rule(rule, f"instruction {first:#010x}")
        self.chip.raise_dma(D_IID)

    # ---- Block moves -------------------------------------------------------------------

    def _block_move(self, first: int, second: int) -> Iterator[int]:
        indirect, table = bool(first & 1 << 29), bool(first & 1 << 28)
        chained = not first & 1 << 27
        if chained and (setting_of(self.chip).width == 0 or first >> 24 & 7 > b.DATA_IN):
            self._illegal("CHMOV in place of MOVE", first)
        elif indirect and table:
            self._illegal("illegal instruction", first)
        else:
            count, address = first & 0xFFFFFF, second
            if table:
                count, address = struct.unpack("<II", self._table(second, 8))
            elif indirect:
                address = struct.unpack("<I", self.chip.dma_read(second, 4))[0]
            if count >> 24:
                self._rule("top byte of a table count not 0", f"{count:#010x}")
                count &= 0xFFFFFF
            if count == 0:
                self._illegal("block move of 0 bytes", first)
            else:
                wide.begin_move(self.chip, chained)
                self._set_dbc(count)
                yield from self._handshakes(first >> 24 & 7, count, address)

    def _handshakes(self, phase: int, count: int, address: int) -> Iterator[int]:
        chip, bus = self.chip, self.chip.bus
        outgoing, done, causes = phase in b.OUTGOING, 0, 0
        self._moving = phase <= b.DATA_IN
        move = Move(chip.dma_read(address, count) if outgoing else b"", count)
        while not move.begun or done < move.count:
            self._unsent = (move.left(done), move.begun) if outgoing else None
            yield from self._request()
            if not self.running:
                return
            request = bus.request
            if request.phase != phase:
                self._unsent = None
                self._cut_short(outgoing, move.left(done), move.begun)
                causes |= MA
                break
            self._check_agreement(phase)
            causes |= self._parity(request)
            target_ps = bus.agreed.period_ps
            if not move.begun:
                done = self._begin(move, phase, address)
                if done == move.count:
                    break
            if outgoing:
                moved = self._send(phase, move, done)
            else:
                moved = self._receive(phase, move, done, address)
            done += moved
            yield self._data_ns(phase, moved, target_ps) if self._moving else BYTE_NS * moved
            if request.gross_error and not bus.request:
                self._unsent = None
                self._cut_short(outgoing, move.left(done), True)
                causes |= SGE
                break
        self._end_move(move, address + done, causes)

    def _begin(self, move: Move, phase: int, address: int) -> int:
        """The first REQ: the move is wide or not. Returns how many bytes have been received
        before."""
        chip, move.begun = self.chip, True
        move.wide = self._moving and setting_of(chip).width == 1
        if not move.wide:
            wide.no_chain(chip)
        elif phase == b.DATA_OUT:
            move.data, move.kept, move.padding = wide.to_send(chip, move.data)
            move.count = len(move.data)
        elif first := wide.first_received(chip):
            chip.dma_write(address, first)
            self._set_dbc(move.count - 1)
            return 1
        return 0

    def _end_move(self, move: Move, address: int, causes: int) -> None:
        self._moving, self._unsent = False, None
        self._set_register32(DNAD, address)
        if causes & ~PAR == 0:
            self._set_dbc(0)
            wide.keep_last(self.chip, move.kept)
        if causes:
            self.chip.raise_scsi(causes)

    def _data_ns(self, phase: int, count: int, target_ps: int) -> int:
        ns = setting_of(self.chip).data_ps(count, phase == b.DATA_OUT, target_ps) // 1000
        self.chip.bus.data_ns += ns
        return ns

    def _send(self, phase: int, move: Move, done: int) -> int:
        """Send as many of the remaining bytes as the target requests."""
        bus, left = self.chip.bus, move.count - done
        moved = min(left, bus.request.requested)
        self._unsent = move.left(done + moved), True
        if phase == b.MSG_OUT and moved == left:
            bus.atn = False    # before the target receives the byte
            self._note_own_messages(b.message_codes(move.data))
        bus.give(move.data[done:done + moved])
        if move.padding and moved == left and bus.request.requested:
            self._rule("wide data cut at an odd byte", "MOVE sends half a word")
        self._handshaken()
        bus.release()
        return moved

    def _note_own_messages(self, codes: list[int]) -> None:
        self._last_message = codes[-1]
        if set(codes) & set(SENDING_AWAY) and self.chip.registers[SCNTL2] & SDU:
            self._rule("SDU left on", f"while messages {codes} are sent")

    def _receive(self, phase: int, move: Move, done: int, address: int) -> int:
        chip, count = self.chip, move.count
        taken = chip.bus.take(count - done + move.wide * (count - done & 1))
        if move.wide:
            taken = wide.keep_odd(chip, taken, count - done)
        if done == 0:
            self.sfbr = taken[0]
        if phase == b.MSG_IN:
            self._note_message(taken)
        chip.dma_write(address + done, taken)
        self._set_dbc(count - done - len(taken))
        self._handshaken()
        if phase == b.MSG_IN and done + len(taken) == count:
            chip.ack_held = True   # until CLEAR ACK
        else:
            chip.bus.release()
        return len(taken)

    def _note_message(self, taken: bytes) -> None:
        """Record the first byte of the last complete message; ignore its other bytes."""
        for byte in taken:
            self._message.append(byte)
            kind = self._message[0]
            length = 2 if 0x20 <= kind <= 0x2F else 1
            if kind == 0x01:
                length = 2 + (self._message[1] or 256) if len(self._message) > 1 else 2
            self._last_message = kind if len(self._message) == length and kind != 1 else None
            if len(self._message) >= length and (kind != 1 or len(self._message) > 1):
                self._message.clear()

    def _handshaken(self) -> None:
        self._phase_fresh = False
        self.chip.handshake_at = self.chip.now

    def _parity(self, request: b.Request) -> int:
        """A bad byte is accepted; the move continues to its end."""
        if not request.bad_parity or not self.chip.registers[SCNTL0] & EPC:
            return 0
        if self.chip.registers[SCNTL0] & AAP:
            self.chip.bus.atn = True
        return PAR

    def _check_agreement(self, phase: int) -> None:
        """In data phases the registers match the agreement that was made by messages, and what
        the chip can."""
        if phase > b.DATA_IN:
            return
        chip, known, setting = self.chip, self.chip.bus.known, setting_of(self.chip)
        if known is not NONE or setting is not NARROW or chip.registers[SCNTL4] & U3EN:
            if not matches(setting, known) or chip.registers[SCNTL4] & U3EN:
                self._rule("transfer not agreed", f"{setting} for {known}")
            if reason := beyond(chip, setting):
                self._rule("transfer beyond the chip", reason)

    def _cut_short(self, outgoing: bool, left: int, begun: bool) -> None:
        """End a move at a phase mismatch, with correct counters."""
        registers = self.chip.registers
        if not outgoing:
            self._set_dbc(left)
            return
        full = wide.latches(self.chip, setting_of(self.chip) if self._moving else NARROW, left, begun)
        if not begun:
            left += len(full)       # from the move before
        room = self.chip.variant.fifo[bool(registers[CTEST5] & DFS)]
        ahead = min(left, max(room, len(full)))     # fetched but not sent
        self._set_dbc(left - ahead)
        self.chip.show_residual(left, full, ahead)

    def _request(self) -> Iterator[int]:
        """Wait for REQ and latch its phase."""
        chip, bus = self.chip, self.chip.bus
        if chip.ack_held:
            self._rule("ACK still asserted", "no CLEAR ACK since the last message byte")
        yield from self._selection_end()
        while self.running and (bus.request is None or chip.ack_held):
            if not chip.connected:
                self._rule("phase test on a free bus")
            yield WAIT
        if self.running:
            chip.registers[SSTAT1] = chip.registers[SSTAT1] & ~7 | bus.request.phase

    # ---- I/O instructions --------------------------------------------------------------

    def _io(self, first: int, second: int) -> Iterator[int]:
        opcode = first >> 27 & 7
        alternate = self._jump_target(bool(first & RELATIVE_IO), second)
        if opcode and first & SELECT_ATN:
            self._illegal("illegal instruction", first)
        elif opcode == 0:
            yield from self._select(first, alternate)
        elif opcode == 1:
            yield from self._wait_disconnect()
        elif opcode == 2:
            yield from self._wait_reselect(alternate)
        else:
            self._set_or_clear(first, opcode == 3)

    def _set_or_clear(self, first: int, on: bool) -> None:
        chip = self.chip
        if first & SET_TARGET:
            chip.registers[SCNTL0] = chip.registers[SCNTL0] & ~1 | on
        if first & SET_CARRY:
            self.carry = on
        if first & SET_ATN:
            chip.bus.atn = on
        if first & SET_ACK and on:
            self._rule("SET ACK", f"instruction {first:#010x}")
        elif first & SET_ACK and chip.ack_held:
            chip.ack_held = False
            chip.bus.release()

    def _check_selection(self, target: int) -> None:
        chip, registers = self.chip, self.chip.registers
        own = registers[SCID] & 0x0F
        if registers[STIME0] & 0x0F == 0:
            self._rule("no selection time-out", "STIME0.SEL is 0")
        if chip.bus.stuck_reset:
            self._rule("SELECT while RST is held")
        if (own in chip.bus.targets or target == own) and not chip.own_id_is_free:
            self._rule("own ID clashes", f"SCID says {own}")
        if not chip.may_be_reselected():
            self._rule("cannot be reselected", "SCID.RRE or RESPID")
        if registers[SCNTL0] & 0xC0 != 0xC0:
            self._rule("not modelled", "SCNTL0.ARB: SELECT needs full arbitration")
        fitting = chip.variant.dividers(registers[STEST1])
        if registers[SCNTL3] & 7 not in fitting and not chip.variant.core_1010:
            self._rule("clock not set", f"SCNTL3.CCF is {registers[SCNTL3] & 7}, not of {fitting}")
        if chip.now - chip.rst_ended < chip.reset_to_selection_ns:
            self._rule("selection too soon after a bus reset", f"{chip.now - chip.rst_ended} ns")

    def _select(self, first: int, alternate: int) -> Iterator[int]:
        chip, bus = self.chip, self.chip.bus
        registers = chip.registers
        target = first >> 16 & 0x0F
        if first & TABLE_IO:
            target = self._load_agreement(self._table(first & 0xFFFFFF, 4))
        target &= chip.variant.ids - 1
        registers[SDID] = target
        self._check_selection(target)
        while self.running:
            while self.running and not bus.free and not chip.connected:
                yield WAIT
            if not self.running:
                return
            if chip.connected:      # a target reselected first
                self.dsp = alternate
                return
            yield ARBITRATION_NS
            if bus.free and not bus.reselector() and not chip.connected:
                break               # won
        self.selecting = target, bool(first & SELECT_ATN)

    def _load_agreement(self, entry: bytes) -> int:
        """Load an entry of the target table; returns the ID in it."""
        chip = self.chip
        for register, value in ((SXFER, entry[1]), (SCNTL3, entry[3])):
            chip.registers[register] = chip.existing_bits(register, value)
        if chip.variant.core_1010:
            chip.registers[SCNTL4] = entry[0]
        return entry[2] & 0x0F

    def _selection_end(self) -> Iterator[int]:
        """The program continues during a selection until the first instruction
        that needs the target."""
        if self.selecting is None:
            return
        chip = self.chip
        target, atn = self.selecting
        if target in chip.bus.targets:
            self.selecting = None
            chip.begin_connection()
            chip.raise_scsi(CMP)
            chip.bus.select(target, atn)
            return
        period = chip.timer_ns(chip.registers[STIME0] & 0x0F)
        self.wakes_at = chip.now + period + SELECTION_ABORT_NS if period else None
        while self.running and (self.wakes_at is None or chip.now < self.wakes_at):
            yield WAIT
        if self.running:
            chip.raise_selection_time_out()
            yield WAIT

    def _wait_disconnect(self) -> Iterator[int]:
        yield from self._selection_end()
        if self.chip.ack_held:
            self._rule("ACK still asserted", "the target cannot leave the bus")
        while self.chip.connected and self.running and not self._target_left:
            if self.chip.bus.request and not self.chip.ack_held:
                self.chip.raise_dma(D_IID)  # the target requests a transfer
            yield WAIT
        self._target_left = False

    def _wait_reselect(self, alternate: int) -> Iterator[int]:
        while not self.chip.connected:
            if self.chip.registers[ISTAT] & SIGP:
                self.dsp = alternate
                return
            yield WAIT

    # ---- Registers ---------------------------------------------------------------------

    def _register(self, first: int) -> None:
        if not (self.chip.registers[DCNTL] & COM or self.chip.variant.core_1010):
            self._rule("register instruction without DCNTL.COM", f"instruction {first:#010x}")
        opcode, operator = first >> 27 & 7, first >> 24 & 7
        register = first >> 16 & 0x7F | first & 0x80
        if register >= self.chip.variant.registers:
            self._illegal("illegal instruction", first)
            return
        operand = self.sfbr if first & RELATIVE and opcode == 7 else first >> 8 & 0xFF
        # operator 0 moves the operand, to any destination, without a read
        value = self._operand(opcode, register) if operator else 0
        result = self._operate(operator, value, operand)
        if opcode == 6 or register == 8:
            self.sfbr = result
        else:
            if register == GPREG:
                self.chip.program_writes_pins(result)
            self.chip.write(register, result)

    def _operand(self, opcode: int, register: int) -> int:
        return self.sfbr if opcode == 5 or register == 8 else self.chip.read(register)

    def _operate(self, operator: int, value: int, operand: int) -> int:
        carry = self.carry
        if operator == 0:
            return operand
        if operator == 1:
            self.carry = bool(value & 0x80)
            return value << 1 & 0xFF | carry
        if operator == 2:
            return value | operand
        if operator == 3:
            return value ^ operand
        if operator == 4:
            return value & operand
        if operator == 5:
            self.carry = bool(value & 1)
            return value >> 1 | carry << 7
        total = value + operand + (carry if operator == 7 else 0)
        self.carry = total > 0xFF
        return total & 0xFF

    # ---- Transfer control -----------------------------------------------------------------

    def _transfer_control(self, first: int, second: int) -> Iterator[int]:
        opcode, relative = first >> 27 & 7, bool(first & RELATIVE)
        if (first & CARRY_TEST and first & (DATA_TEST | PHASE_TEST) or first & 1 << 22
                or opcode > 3 or opcode > 1 and relative):
            self._illegal("illegal instruction", first)
            return
        if first & WAIT_FOR_PHASE:
            yield from self._request()
            if not self.running:
                return
            self._phase_fresh = True
        if not self._condition(first):
            return
        if opcode == 3:
            self._interrupt(first)
            yield WAIT
        elif opcode == 2:
            self.dsp = self._register32(TEMP)
        else:
            if opcode == 1:
                self._set_register32(TEMP, self.dsp)
            self.dsp = self._jump_target(relative, second)

    def _condition(self, first: int) -> bool:
        """Evaluate the comparison; all of its parts must match."""
        found = []
        if first & CARRY_TEST:
            found.append(self.carry)
        if first & PHASE_TEST:
            if not self._phase_fresh:
                self._rule("stale phase tested", f"instruction {first:#010x}")
            found.append(self.chip.registers[SSTAT1] & 7 == first >> 24 & 7)
        if first & DATA_TEST:
            ignore = first >> 8 & 0xFF
            found.append(self.sfbr & ~ignore & 0xFF == first & ~ignore & 0xFF)
        wanted = bool(first & IF_TRUE)
        return all(outcome == wanted for outcome in found or [True])

    def _interrupt(self, first: int) -> None:
        if first & ON_THE_FLY:
            self.chip.registers[ISTAT] |= INTF
            return
        if self.selecting is not None:
            self._rule("INT during a selection")
        self.chip.raise_dma(D_SIR)

    # ---- Memory --------------------------------------------------------------------------

    def _memory_move(self, first: int, source: int) -> None:
        target, = self._fetch(1)
        count = first & 0xFFFFFF
        if count == 0 or (source ^ target) & 3 or first >> 25 & 0xF:
            self._illegal("illegal instruction", first)
            return
        self.chip.dma_write(target, self.chip.dma_read(source, count))
        self._set_dbc(0)

    def _load_store(self, first: int, second: int) -> None:
        count, register = first & 7, first >> 16 & 0xFF
        address = self._from_dsa(second) if first & 1 << 28 else second
        if (not self.chip.variant.load_store or not 1 <= count <= 4
                or (address ^ register) & 3 or register % 4 + count > 4):
            self._illegal("illegal instruction", first)
        elif first & 1 << 24:
            for i, byte in enumerate(self.chip.dma_read(address, count)):
                self.chip.write(register + i, byte)
        else:
            self.chip.dma_write(address, bytes(self.chip.read(register + i)
                                                  for i in range(count)))

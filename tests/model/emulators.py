# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Common parts of the QEMU and 86Box models. [chip-facts 6.1, 6.2]

Neither emulator models handshakes: a program takes no time, the phase is always
known, ACK and SDU have no effect, FIFOs are empty, and causes do not queue.
Rules about these are not checked here. All other rules are, so that a driver
cannot rely on an emulator's tolerance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from tests.model.bus import COMMAND, DATA_IN, MSG_IN, MSG_OUT, STATUS, Bus
from tests.model.chip import Chip
from tests.model.registers import (ABRT, CTEST3, CTEST5, DBC, DCMD, DCNTL, DFE, DFIFO, DIP, DNAD,
                                   D_ABRT, GEN, INTF, ISTAT, MA, RESPID0, SCID, SDID, SEM, SIGP,
                                   SIP, SRST, SSTAT1, SSTAT2, STEST3, STIME1, STO)
from tests.model.scripts import (BYTE_NS, CARRY_TEST, DATA_TEST, IF_TRUE, PHASE_TEST, RELATIVE_IO,
                                 SET_ATN, TABLE_IO, WAIT, Scripts)
from tests.model.target import (ABORT, COMPLETE, DEVICE_RESET, DISCONNECT, GOOD, READS, REJECT,
                                Answer, Disk)

NOTHING_TESTED = CARRY_TEST | IF_TRUE | DATA_TEST | PHASE_TEST
CTEST0, CTEST6, SLPAR, SWIDE, SIDL1, STEST4 = 0x18, 0x23, 0x44, 0x45, 0x51, 0x52

IDENTIFY, EXTENDED, NO_OPERATION = 0x80, 0x01, 0x08
QUEUE_TAGS = {0x20, 0x21, 0x22}
ENDING_MESSAGES = {0x04, 0x06, 0x0C, 0x0D, 0x0E}    # DISCONNECT and all kinds of ABORT
WRONG_LUN, WRONG_OPCODE = (0x5, 0x25), (0x5, 0x20)


class EmulatedScripts(Scripts):
    """86Box's model is derived from QEMU's. [chip-facts 6.1, 6.2]"""

    limit = 0           # instructions executed without a pause
    when_stuck = 0      # the same, while an aborted wait is pending
    most_cdb = 0        # bytes of a CDB that are used
    chip: EmulatedChip

    def __init__(self, chip: EmulatedChip):
        super().__init__(chip)
        self.stuck = False

    def run(self, until: int) -> bool:
        """Run the program until it waits or ends; it takes no time."""
        if self.wakes_at is not None and self.chip.now < self.wakes_at:
            return False
        self.wakes_at = None
        before, progress = self.instructions, False
        while self.running and next(self._steps, WAIT) != WAIT:
            progress = True
            if self.instructions - before > (self.when_stuck if self.stuck else self.limit):
                self._stop_at_limit()            # the last one is fetched, not executed
                break
        return progress

    def _stop_at_limit(self) -> None:
        if self.stuck:
            self._steps = iter(())          # SRUN stays set
        else:
            self._over_limit()

    def _over_limit(self) -> None:
        """The program has reached the instruction limit."""
        raise NotImplementedError

    def abort(self) -> None:
        """ABRT stops the program, but not its wait for the target."""
        self.stuck |= self.running and self.wakes_at is None

    def _fetch(self, dwords: int) -> tuple[int, ...]:
        """An opcode of 0 is one dword that does nothing."""
        while dwords == 2 and self.chip.dma_read(self.dsp, 4) == bytes(4):
            self.dsp += 4
        return super()._fetch(dwords)

    def _set_register32(self, at: int, value: int) -> None:
        """Fetching an instruction does not change DBC."""
        if at == DBC:
            self.chip.registers[DCMD] = value >> 24
        else:
            super()._set_register32(at, value)

    # ---- Phases

    def see_phase(self) -> int:
        """SSTAT1 shows the phase the target requests now. It shows DATA IN during
        a slow command and after a reselection."""
        bus, registers = self.chip.bus, self.chip.registers
        if bus.request:
            registers[SSTAT1] = bus.request.phase
        elif bus.nexus and registers[SSTAT1] in (COMMAND, MSG_IN):
            registers[SSTAT1] = DATA_IN
        return registers[SSTAT1]

    def _request(self) -> Iterator[int]:
        """No test waits, connected or not."""
        self.see_phase()
        return iter(())

    def _condition(self, first: int) -> bool:
        self.see_phase()
        self._phase_fresh = True
        return super()._condition(first)

    def _transfer_control(self, first: int, second: int) -> Iterator[int]:
        if first & NOTHING_TESTED and self._selection_failed():
            return iter(())
        return super()._transfer_control(first, second)

    # ---- Selection

    def _select(self, first: int, alternate: int) -> Iterator[int]:
        """Completes at once; MSG OUT follows with or without ATN. The other
        bytes of the table entry, SCNTL3 and SXFER, are not loaded."""
        chip = self.chip
        target = first >> 16 & 0x0F
        if first & TABLE_IO:
            target = self._table(first & 0xFFFFFF, 4)[2] & 0x0F
        chip.registers[SDID] = target
        self._check_selection(target)
        if chip.connected:
            self.dsp = alternate
        elif target in chip.bus.targets:
            self.stuck = False
            chip.begin_connection()
            chip.bus.select(target, True)
        else:
            chip.lose_target()
            chip.raise_scsi(STO)
        return iter(())

    def _selection_failed(self) -> bool:
        """STO does not stop the program; while it is pending, the next
        instruction that uses the bus does."""
        if not self.chip.sist & STO:
            return False
        self.stop()
        return True

    # ---- Block moves

    def _block_move(self, first: int, second: int) -> Iterator[int]:
        if self._selection_failed():
            return iter(())
        return super()._block_move(first, second)

    def _handshakes(self, phase: int, count: int, address: int) -> Iterator[int]:
        if self.see_phase() != phase:
            self.chip.raise_scsi(MA)
        elif phase <= DATA_IN:
            yield from self._move_data(phase, count, address)
        elif self.chip.bus.request:
            self._set_register32(DNAD, address)
            self._move_other(phase, count, address)
            self._show_count()

    def _show_count(self) -> None:
        """DFIFO and CTEST5 show the count at the time a move ends or starts
        to wait."""
        registers = self.chip.registers
        registers[DFIFO] = registers[DBC]
        registers[CTEST5] = registers[CTEST5] & ~3 | registers[DBC + 1] & 3

    def _move_data(self, phase: int, count: int, address: int) -> Iterator[int]:
        """Decrements DBC; SFBR is unchanged."""
        left, waited = count, False
        self._set_register32(DNAD, address)
        while left:
            if self.chip.bus.request is None:
                if not waited:
                    self._show_count()
                waited = True
                yield WAIT
            elif self.see_phase() != phase:
                break
            else:
                moved = self._transfer(phase, left, address + count - left)
                left -= moved
                self._set_dbc(left)
                self._set_register32(DNAD, address + count - left)
                yield BYTE_NS * moved
        if not waited:
            self._show_count()
        if left:
            self._data_ended_early(waited)
        else:
            yield from self._end_of_data()

    def _transfer(self, phase: int, most: int, address: int) -> int:
        bus = self.chip.bus
        if phase == DATA_IN:
            taken = bus.take(most)
            self.chip.dma_write(address, taken)
            moved = len(taken)
        else:
            moved = min(most, bus.request.requested)
            bus.give(self.chip.dma_read(address, moved))
        bus.release()
        return moved

    def _data_ended_early(self, waited: bool) -> None:
        """The target ended the data phase before the move was complete."""
        raise NotImplementedError

    def _end_of_data(self) -> Iterator[int]:
        """The move has transferred all its bytes."""
        return iter(())

    def _move_other(self, phase: int, count: int, address: int) -> None:
        if phase == COMMAND:
            self._send_command(self.chip.dma_read(address, min(count, self.most_cdb)))
        elif phase == MSG_OUT:
            self._send_message(self.chip.dma_read(address, count), address)
        else:
            self._take_byte(phase, count, address)

    def _send_command(self, cdb: bytes) -> None:
        """The device receives one CDB, whatever the length of the move."""
        bus = self.chip.bus
        self._set_dbc(len(cdb))
        self.sfbr = cdb[0]
        for byte in cdb.ljust(self.most_cdb, b"\0"):
            if self.see_phase() == COMMAND:
                bus.give(bytes([byte]))
                bus.release()

    def _send_message(self, message: bytes, address: int) -> None:
        """The device receives all bytes of the move: dropping ATN has no effect."""
        bus = self.chip.bus
        for left, byte in zip(range(len(message) - 1, -1, -1), message):
            if self.see_phase() == MSG_OUT:
                bus.atn = left > 0
                bus.give(bytes([byte]))
                bus.release()
        self.sfbr = message[-1]
        self._set_dbc(0)
        self._set_register32(DNAD, address + len(message))

    def _take_byte(self, phase: int, count: int, address: int) -> None:
        """A MSG IN move ends with the last byte available, and so does the
        connection; DBC is not decremented."""
        bus = self.chip.bus
        if phase == STATUS:
            count = 1
            self._set_dbc(count)
        taken = bus.take(count)
        self.sfbr = taken[0]
        self.chip.dma_write(address, taken)
        bus.release()

    # ---- Other I/O instructions

    def _io(self, first: int, second: int) -> Iterator[int]:
        self._set_register32(DNAD, self._jump_target(bool(first & RELATIVE_IO), second))
        return super()._io(first, second)

    def _wait_disconnect(self) -> Iterator[int]:
        """Does not wait."""
        self.chip.connected = False
        return iter(())

    def _wait_reselect(self, alternate: int) -> Iterator[int]:
        while not self.chip.registers[ISTAT] & SIGP:
            if self._reselected():
                return
            yield WAIT
        self.dsp = alternate

    def _reselected(self) -> bool:
        return False

    def _set_or_clear(self, first: int, on: bool) -> None:
        """SET ATN switches the target to MSG OUT at once."""
        super()._set_or_clear(first, on)
        bus = self.chip.bus
        if on and first & SET_ATN:
            self.chip.registers[SSTAT1] = MSG_OUT
            if bus.nexus:
                bus.select(bus.connected, True)

    # ---- Registers

    def _operand(self, opcode: int, register: int) -> int:
        """SFBR reads as 0 through its register address."""
        return self.sfbr if opcode == 5 else self.chip.read(register)


class EmulatedChip(Chip):
    scripts_class = EmulatedScripts
    constant: ClassVar[dict[int, int]] = {}     # registers with a fixed read value
    scripts: EmulatedScripts

    def _to_defaults(self) -> None:
        """COM is not kept."""
        super()._to_defaults()
        registers = self.registers
        registers[SCID], registers[RESPID0], registers[DCNTL] = 0x07, 0x80, 0
        self.scripts.stuck = False

    @property
    def istat(self) -> int:
        """No CON; every cause is visible, and SRST reads as 0."""
        return (self.registers[ISTAT] & (ABRT | SIGP | SEM | INTF)
                | (SIP if self.sist else 0) | (DIP if self.dstat else 0))

    def raise_scsi(self, cause: int) -> None:
        self.sist |= cause
        self.cause_at = self.now
        if cause & self.fatal & ~STO:
            self.scripts.stop()

    def raise_dma(self, cause: int) -> None:
        self.dstat |= cause
        self.cause_at = self.now
        self.scripts.stop()

    def _start(self) -> None:
        """Starts even with causes pending."""
        pending = self.istat & (SIP | DIP)
        super()._start()
        if pending:
            self.scripts.start(self.scripts.dsp)

    # ---- Connection

    def begin_connection(self) -> None:
        self.connected = True

    def lose_target(self) -> None:
        self.connected = False
        self.registers[SSTAT1] = self._free_phase()

    def _free_phase(self) -> int:
        """The phase in SSTAT1 on a free bus."""
        return 0

    def _bus_free(self) -> None:
        """SDU has no effect."""
        self.lose_target()

    def _answer_reselection(self) -> None:
        """Only instructions respond to a reselection."""

    def _handshake_timer_ends(self) -> int | None:
        """There is no such timer."""
        return None

    # ---- Registers

    def read(self, at: int) -> int:
        if at in self.constant:
            return self.constant[at]
        if at == SSTAT1:
            return self.scripts.see_phase()
        if at == SSTAT2:
            return 0x00 if self.connected else 0x02
        return super().read(at)

    def _read_dstat(self) -> int:
        if self.sist & self.fatal and self.dstat:
            self.rule("DSTAT read before SIST", f"SIST {self.sist:#06x} is pending")
        if self.registers[ISTAT] & ABRT:
            self.rule("DSTAT read with ABRT set", "on silicon ABRT is raised again")
        value = self.dstat | DFE
        if not self.registers[ISTAT] & INTF:
            self.dstat = 0
        return value

    def write(self, at: int, value: int) -> None:
        if at == CTEST3:
            self.registers[at] = value & 0x0F
        elif at == STEST3:
            self.registers[at] = value
        elif at == STIME1 and value & 0x0F:
            self.raise_scsi(GEN)
        else:
            super().write(at, value)

    def _write_istat(self, value: int) -> None:
        """SRST also resets the disks. Every write of ABRT is an abort."""
        kept = self.registers[ISTAT] & INTF & ~value
        if value & SRST and not self.registers[ISTAT] & SRST:
            if self.scripts.running:
                self.rule("SRST without ABRT", "SCRIPTS is running")
            self._cold_reset()
        elif value & ABRT:
            self.scripts.abort()
            self.raise_dma(D_ABRT)
        self.registers[ISTAT] = value & (ABRT | SRST | SIGP | SEM) | kept
        self.in_reset = bool(value & SRST)

    def _cold_reset(self) -> None:
        self.bus.reset()
        self._to_defaults()


class EmulatedDisk(Disk):
    """Treats the bytes of one move as one list of messages. [chip-facts 6.1, 6.2]"""

    swallowed: ClassVar[set[int]] = set()   # extended messages it does not answer

    def __post_init__(self) -> None:
        assert not self.luns, "an emulated target has LUN 0 only"

    def _handle_messages(self, message: list[int]) -> str:
        """The action that follows the messages of one move."""
        leads_to, at = "more", 0
        while at < len(message) and leads_to not in ("leave", "refuse"):
            leads_to, length = self._handle_message(message[at:], leads_to)
            at += length
        return leads_to

    def _handle_message(self, message: list[int], before: str) -> tuple[str, int]:
        """The action that follows the first message, and its length."""
        code = message[0]
        if code & IDENTIFY:
            self.selected_lun = code & 7
        if code & IDENTIFY or code == NO_OPERATION:
            return "command", 1
        if code in ENDING_MESSAGES:
            self.aborts += code == ABORT
            self.device_resets += code == DEVICE_RESET
            return "leave", 1
        if code in QUEUE_TAGS:
            return before, 2
        if code == EXTENDED and set(message[2:3]) & self.swallowed:
            return before, 2 + message[1]
        return "refuse", 1

    def message_out(self, bus: Bus) -> Iterator:
        """MSG OUT phase until a message leads to another action; returns that action."""
        leads_to = "more"
        while leads_to == "more":
            message = [(yield MSG_OUT, None)]
            while bus.atn:
                message.append((yield MSG_OUT, None))
            self.messages.append(message)
            leads_to = self._handle_messages(message)
        if leads_to == "refuse":
            yield MSG_IN, REJECT
        return leads_to

    def session(self, bus: Bus) -> Iterator:
        if (yield from self.message_out(bus)) == "leave":
            if self.messages[-1][-1] != DISCONNECT:
                bus.abandon()
            return
        if self.before_command:
            yield from self.before_command(bus)
        cdb = yield from self.command()
        answer = yield from self.perform(bus, cdb)
        if self.before_status:
            yield from self.before_status(bus)
        yield STATUS, answer.status
        yield MSG_IN, COMPLETE

    def perform(self, bus: Bus, cdb: bytes) -> Iterator:
        """From COMMAND to STATUS; returns the answer."""
        answer = self.execute(cdb)
        self.note(bus, cdb, answer)
        if answer.wants:
            return (yield from self.take_blocks(bus, cdb, answer))
        if cdb[0] in READS and answer.status == GOOD:
            return (yield from self.send_blocks(bus, answer))
        yield from self.data_in(answer.data)
        return answer

    def take_blocks(self, bus: Bus, cdb: bytes, answer: Answer) -> Iterator:
        """Receive the data of a write; returns the answer, possibly a new one."""
        yield from self.transfer(bus, cdb, answer)
        return answer

    def send_blocks(self, bus: Bus, answer: Answer) -> Iterator:
        """Send the data of a read; returns the answer, possibly a new one."""
        yield from (self.data_hook or self.blocks_in)(bus, answer.data)
        return answer

    def blocks_in(self, bus: Bus, data: bytes) -> Iterator:
        yield from self.data_in(data)

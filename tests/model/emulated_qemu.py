# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""QEMU as a driver sees it, in two generations. [chip-facts 6.1]"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from tests.model.bus import FREE, MSG_IN, Bus, Delay, Nexus, Reselect
from tests.model.emulators import (CTEST0, CTEST6, SIDL1, SLPAR, STEST4, SWIDE, WRONG_LUN,
                                   EmulatedChip, EmulatedDisk, EmulatedScripts)
from tests.model.registers import (CTEST1, CTEST2, DCNTL, DIF, GPCNTL, GPREG, IRQM, MA, MACNTL,
                                   RST_LINE, SFBR, SSID, STEST0, STEST2, STIME1, UDC, US)
from tests.model.scripts import WAIT
from tests.model.target import (DISCONNECT, GOOD, INQUIRY, NO_SENSE, REPORT_LUNS, REQUEST_SENSE,
                                SAVE, VERIFIES, Answer, Disk)

ENDED = 0x100           # with the ID in a Reselect: the command has ended, no target reconnects

PAUSE_NS = 500 * US     # QEMU's pause after too many instructions
HOST_READ_NS = 300 * US
CHUNK_BYTES = 131_072   # QEMU's disk reads this much at a time
SYNCHRONIZE_CACHE = 0x35
HOST_ERROR = (0xB, 0x00, 0x06)


class EmulatorDied(AssertionError):
    """The emulator's process would end here, on one of its own assertions."""


class QemuScripts(EmulatedScripts):
    limit = 100
    when_stuck = 1
    most_cdb = 16
    _busy: Nexus | None = None  # runs a command without data that takes time
    chip: QemuChip

    def start(self, address: int) -> None:
        """The program runs within the write of DSP."""
        super().start(address)
        self.run(self.chip.now)

    def _over_limit(self) -> None:
        self.wakes_at = self.chip.now + PAUSE_NS

    def _data_ended_early(self, waited: bool) -> None:
        self._mismatch(waited)

    def _mismatch(self, asynchronous: bool) -> None:
        self.chip.raise_scsi(MA)

    def _end_of_data(self) -> Iterator[int]:
        """Wait for the next chunk or the status."""
        bus = self.chip.bus
        while bus.nexus and bus.request is None:
            yield WAIT

    def _wait_disconnect(self) -> Iterator[int]:
        """A target with its data ready reselects within the instruction."""
        self.chip.connected = False
        nexus = self.chip.bus.reselector()
        if nexus and not nexus.reselect_id & ENDED:
            self._reconnect(nexus)
        return iter(())

    def _reselected(self) -> bool:
        bus = self.chip.bus
        nexus = bus.reselector()
        if nexus and nexus.reselect_id & ENDED:
            self._end_disconnected_command(nexus)
            self._mismatch(True)
        elif nexus:
            self._reconnect(nexus)
        return bool(bus.nexus)

    def _reconnect(self, nexus: Nexus) -> None:
        self.chip.registers[SSID] = 0x80 | nexus.reselect_id
        self.chip.begin_connection()
        self.chip.bus.reconnect()

    def _end_disconnected_command(self, nexus: Nexus) -> None:
        """The phase becomes STATUS without a connection, and QEMU leaves the
        request in its queue."""
        nexus.reselect_id &= ~ENDED
        self.chip.lost_requests += 1
        self.chip.bus.reconnect()
        self.see_phase()

    def _send_command(self, cdb: bytes) -> None:
        super()._send_command(cdb)
        self._busy = None if self.chip.bus.request else self.chip.bus.nexus

    def handle_command_end(self) -> None:
        """The end of a command restarts a stopped program."""
        bus = self.chip.bus
        nexus = bus.reselector()
        away = nexus and nexus.reselect_id & ENDED and not self.running
        here = self._busy and self._busy is bus.nexus and bus.request
        if away:
            self._end_disconnected_command(nexus)
        if here:
            self._busy = None
        if (away or here) and not self.running:
            self.start(self.dsp)


class OldQemuScripts(QemuScripts):
    limit = 10_000

    def _over_limit(self) -> None:
        self.chip.bus.nexus = self.chip.bus.request = None
        self.chip.lose_target()
        self.chip.raise_scsi(UDC)

    def _mismatch(self, asynchronous: bool) -> None:
        """An asynchronous mismatch does not stop the program."""
        if asynchronous:
            self.chip.sist |= MA
        else:
            self.chip.raise_scsi(MA)


class QemuChip(EmulatedChip):
    scripts_class = QemuScripts
    constant = {SFBR: 0x00, GPREG: 0x7F, CTEST0: 0xFF, CTEST1: 0x00, CTEST6: 0x00, MACNTL: 0x0F,
                GPCNTL: 0x0F, STEST4: 0xE0,
                **dict.fromkeys([SLPAR, SWIDE, STIME1, STEST0, SIDL1, 0x53, 0x54, 0x55, 0x5A,
                                 0x5B, *range(0xBC, 0xC0), *range(0xE0, 0x100)], 0xFF)}
    lost_requests = 0

    def power_on(self) -> None:
        super().power_on()
        self.lost_requests = 0

    def _to_defaults(self) -> None:
        super()._to_defaults()
        self.registers[CTEST2] = 0x11

    def _answer_reselection(self) -> None:
        self.scripts.handle_command_end()

    def _board_settings(self) -> tuple[int, int, int]:
        """GPCNTL cannot be written."""
        return 0, self.registers[STEST2] & DIF, self.registers[DCNTL] & IRQM

    def _write_scntl1(self, value: int) -> None:
        """RST does not end an interrupted wait either."""
        if value & RST_LINE:
            self.scripts.abort()
        super()._write_scntl1(value)

    def _cold_reset(self) -> None:
        if self.lost_requests:
            raise EmulatorDied("SRST with a request lost in the queue")
        super()._cold_reset()


class OldQemuChip(QemuChip):
    scripts_class = OldQemuScripts


@dataclass
class QemuDisk(EmulatedDisk):
    """The host reads the blocks while the target is off the bus, whatever
    IDENTIFY allowed; for writes the target stays connected. All other commands
    complete at once, and VERIFY checks nothing."""
    version: int = 5
    host_ns: int = HOST_READ_NS
    chunk: int = CHUNK_BYTES
    fails_after: int | None = None  # bytes of a read or write before the host reports an error
    swallowed: ClassVar[set[int]] = {0x01, 0x03, 0x04}
    COMMANDS = {**Disk.COMMANDS, **dict.fromkeys(VERIFIES, Disk.test_unit_ready)}

    def execute(self, cdb: bytes) -> Answer:
        """Sense data lasts until the next command. REQUEST SENSE itself fails
        if it is the first command after a unit attention."""
        if cdb[0] == REQUEST_SENSE and self.attentions and self.sense[0] != 6:
            return self.check(*self.attentions.pop(0))
        if cdb[0] != REQUEST_SENSE:
            self.sense = NO_SENSE
        if self.selected_lun:
            return self._missing_unit(cdb)
        if cdb[0] == SYNCHRONIZE_CACHE and not self.attentions:
            return Answer()
        return super().execute(cdb)

    def _missing_unit(self, cdb: bytes) -> Answer:
        """Answer for a missing LUN."""
        if cdb[0] == INQUIRY:
            return Answer((b"\x7F" + self.inquiry_data()[1:])[:cdb[4]])
        if cdb[0] in (REQUEST_SENSE, REPORT_LUNS):
            return super().execute(cdb)
        return self.check(*WRONG_LUN)

    def inquiry_data(self) -> bytes:
        data = bytearray(super().inquiry_data())
        data[3:8] = 0x12, data[4], 0x00, 0x00, 0x12   # SPC-3, tagged commands
        return bytes(data)

    def perform(self, bus: Bus, cdb: bytes) -> Iterator:
        answer = yield from super().perform(bus, cdb)
        if cdb[0] == SYNCHRONIZE_CACHE and answer.status == GOOD:
            yield Delay(self.host_ns)
        return answer

    def send_blocks(self, bus: Bus, answer: Answer) -> Iterator:
        me = bus.connected
        yield MSG_IN, bytes([SAVE, DISCONNECT])
        yield FREE
        yield Delay(self.host_ns)
        if self.fails_after == 0:
            yield Reselect(me | ENDED)
        else:
            yield Reselect()
            yield MSG_IN, 0x80
            yield from (self.data_hook or self.blocks_in)(bus, answer.data[:self.fails_after])
        return answer if self.fails_after is None else self.check(*HOST_ERROR)

    def take_blocks(self, bus: Bus, cdb: bytes, answer: Answer) -> Iterator:
        """The host writes each chunk before the target requests the next one."""
        fails, taken = self.fails_after is not None, b""
        if self.write_hook:
            taken = (yield from self.write_hook(bus, answer.wants)) or b""
        else:
            while len(taken) < answer.wants and not (fails and len(taken) > self.fails_after):
                taken += yield from self.data_out(min(self.chunk, answer.wants - len(taken)))
                yield Delay(self.host_ns)
        self.store(cdb, taken[:answer.keeps][:self.fails_after])
        return self.check(*HOST_ERROR) if fails else answer

    def blocks_in(self, bus: Bus, data: bytes) -> Iterator:
        """Each chunk takes the host's time; so does an error after the last one."""
        for at in range(0, len(data), self.chunk):
            yield from self.data_in(data[at:at + self.chunk])
            if at + self.chunk < len(data) or self.fails_after is not None:
                yield Delay(self.host_ns)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""86Box as a driver sees it. [chip-facts 6.2]"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from tests.model.bus import COMMAND, DATA_IN, MSG_IN
from tests.model.emulators import (CTEST0, CTEST6, STEST4, WRONG_OPCODE, EmulatedChip,
                                   EmulatedDisk, EmulatedScripts)
from tests.model.registers import (CONNECTED1, CTEST1, CTEST2, CTEST3, DCMD, DFIFO, GPCNTL, ISTAT1,
                                   MACNTL, MBOX0, MBOX1, RRE, RST, RST_HOLD_NS, RST_LINE, SBCL,
                                   SCID, SCNTL1, SCNTL3, SFBR, SOCL, STEST0, STIME0, STIME1, STO,
                                   US)
from tests.model.scripts import WAIT
from tests.model.target import (GOOD, NO_SENSE, PREVENT_ALLOW, READ10, READ_CAPACITY,
                                REQUEST_SENSE, SEEK10, START_STOP, TEST_UNIT_READY, VERIFY10,
                                WRITE10, WRITE_VERIFY10, Answer, Disk)

TICK_NS = 40 * US       # 86Box's timer
TRANSFER_NS = 300 * US  # 86Box's time for the data of a command
CCNTL0, CCNTL1 = 0x56, 0x57


class Box86Scripts(EmulatedScripts):
    limit = 100
    most_cdb = 12
    chip: Box86Chip

    def start(self, address: int) -> None:
        """The write of DSP starts a timer."""
        super().start(address)
        self.wakes_at = self.chip.now + TICK_NS

    def _over_limit(self) -> None:
        self.wakes_at = self.chip.now + TICK_NS

    def _data_ended_early(self, waited: bool) -> None:
        """No cause is raised: DBC keeps the missing count, and the program continues."""

    def _handshakes(self, phase: int, count: int, address: int) -> Iterator[int]:
        yield from super()._handshakes(phase, count, address)
        if phase == COMMAND and self.chip.bus.nexus and self.see_phase() <= DATA_IN:
            self.wakes_at = self.chip.now + TRANSFER_NS
            yield WAIT

    def _send_message(self, message: bytes, address: int) -> None:
        self.chip.lun = next((byte & 7 for byte in message if byte & 0x80), self.chip.lun)
        super()._send_message(message, address)

    def _send_command(self, cdb: bytes) -> None:
        """A missing LUN looks like a missing target."""
        chip = self.chip
        if chip.lun:
            chip.bus.nexus = chip.bus.request = None
            chip.lose_target()
            chip.raise_scsi(STO)
        else:
            super()._send_command(cdb)


class Box86Chip(EmulatedChip):
    """86Box has no 53C895A: that ROM is tested on its 53C875."""
    scripts_class = Box86Scripts
    constant = {SFBR: 0x00, SOCL: 0x00, CTEST0: 0xFF, CTEST1: 0xF0, DFIFO: 0x00, CTEST6: 0x00,
                MACNTL: 0x4F, STEST4: 0xE0,
                **dict.fromkeys([ISTAT1, MBOX0, MBOX1, STIME1, STEST0, 0x53, 0x54, 0x55, CCNTL0,
                                 CCNTL1, *range(0x80, 0x100)], 0x00)}
    lun = 0

    def _to_defaults(self) -> None:
        super()._to_defaults()
        registers = self.registers
        registers[GPCNTL], registers[STIME0], registers[CTEST2] = 0x03, 0x01, 0x11
        registers[SCNTL3] = 0x08 if self.variant.wide or self.variant.device == 0x0006 else 0x00

    def _free_phase(self) -> int:
        """Depends on the last instruction."""
        return MSG_IN if self.registers[DCMD] & 1 else 0

    def read(self, at: int) -> int:
        if at == SCID:
            return self.registers[at] & ~RRE
        if at == SBCL:
            return self.scripts.see_phase()
        if at == CTEST3:
            return self.registers[at] & 0x0B
        return super().read(at)

    def _write_scntl1(self, value: int) -> None:
        """RST only sets SIST; it does not reach the devices."""
        before = self.registers[SCNTL1]
        self.registers[SCNTL1] = value
        if value & RST_LINE and not before & RST_LINE:
            self.rst_since = self.now
            self.connected = bool(value & CONNECTED1)
            self.raise_scsi(RST)
        if before & RST_LINE and not value & RST_LINE:
            if self.now - self.rst_since < RST_HOLD_NS:
                self.rule("bus reset too short", f"{self.now - self.rst_since} ns")
            self.rst_ended = self.now


@dataclass
class Box86Disk(EmulatedDisk):
    """A disk without disconnection or unit attention and with few commands, of
    which VERIFY and SEEK check nothing. A read that fails sends no data."""
    most_cdb: ClassVar[int] = 12
    attentions: list[tuple[int, int, int]] = field(default_factory=list)
    swallowed: ClassVar[set[int]] = {0x01, 0x03, 0x05}

    def _read(self, cdb: bytes) -> Answer:
        answer = Disk.COMMANDS[READ10](self, cdb)
        return answer if answer.status == GOOD else Answer(status=answer.status)

    COMMANDS = {**{known: Disk.COMMANDS[known] for known in (
        TEST_UNIT_READY, START_STOP, PREVENT_ALLOW, READ_CAPACITY, WRITE10, WRITE_VERIFY10)},
        READ10: _read, **dict.fromkeys((VERIFY10, SEEK10), Disk.test_unit_ready)}

    def reset(self) -> None:
        self.sense = NO_SENSE

    def execute(self, cdb: bytes) -> Answer:
        if cdb[0] != REQUEST_SENSE:
            self.sense = NO_SENSE
        if cdb[0] == START_STOP and not self.removable:
            return self.check(*WRONG_OPCODE)
        return super().execute(cdb)

    def inquiry_data(self) -> bytes:
        data = bytearray(super().inquiry_data())
        data[6:8] = 0x01, 0x22      # wide, tagged commands
        return bytes(data)

    def sense_data(self) -> bytes:
        return b"\xF0" + super().sense_data()[1:]

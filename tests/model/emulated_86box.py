# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""86Box as a driver sees it. [chip-facts 6.2]"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from tests.model.bus import COMMAND, DATA_IN, MSG_IN
from tests.model.eeprom import BYTES, DEVICE_CODE, SCL, SDA, Eeprom
from tests.model.emulators import (CTEST0, CTEST6, STEST4, WRONG_OPCODE, EmulatedChip,
                                   EmulatedDisk, EmulatedScripts)
from tests.model.registers import (CONNECTED1, CTEST1, CTEST2, CTEST3, DCMD, DFIFO, GPCNTL, GPREG,
                                   ISTAT1,
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


class Box86Eeprom(Eeprom):
    """Zeros when new. It answers at rising edges of SCL, stores each byte at once, and a
    write does not wrap within its page."""

    def __init__(self, content: bytes = bytes(BYTES)):
        super().__init__(content, 0)
        self._started = False
        self._sends = self._addressed = False
        self._pos = 0

    @property
    def content(self) -> bytes:
        return bytes(self._content)

    def drive(self, now: int, high: int, driven: int) -> None:
        before, self._host = self._host, (high | ~driven) & (SDA | SCL)
        sda = bool(self._host & SDA)
        if before & self._host & SCL:
            if (before ^ self._host) & SDA:
                self._started, self._pulls, self._pos = not sda, False, 0
                self._stage = "device" if self._started else ""
                self._sends = False
        elif self._host & SCL and self._started:
            self._clock(sda)
        elif before & SCL and self._pos != 8:
            self._pulls = False

    def pulled(self, now: int) -> int:
        return ~(self._host & ~(SDA if self._pulls else 0)) & (SDA | SCL)

    def _clock(self, sda: bool) -> None:
        self.clocks += 1
        self._pos += 1
        if self._pos <= 8:
            if self._sends:
                self._pulls = not self._byte & 0x80
            self._byte = self._byte << 1 & 0xFF | (0 if self._sends else sda)
        if self._pos == 8 and not self._sends:
            self._pulls = self._accepts(self._byte)
        elif self._pos == 9:
            self._pos = 0
            if self._sends and not sda or self._stage == "read":
                self._sends, self._stage = True, ""
                self._byte = self._content[self._counter]
                self._counter = (self._counter + 1) % BYTES

    def _accepts(self, byte: int) -> bool:
        if self._stage == "device":
            self._addressed = byte & 0xF0 == DEVICE_CODE
            if not byte & 1:
                self._counter = (byte & 0x0E) << 7
            self._stage = "read" if byte & 1 else "address"
        elif self._stage == "address":
            self._counter = self._counter & 0x700 | byte
            self._stage = "data"
        elif self._addressed:
            self._content[self._counter] = byte
            self.written.append((self._counter, 1))
            self._counter = (self._counter + 1) % BYTES
        return self._addressed


class Box86Chip(EmulatedChip):
    """86Box has no 53C895A: that ROM is tested on its 53C875."""
    scripts_class = Box86Scripts
    constant = {SFBR: 0x00, SOCL: 0x00, CTEST0: 0xFF, CTEST1: 0xF0, DFIFO: 0x00, CTEST6: 0x00,
                MACNTL: 0x4F, STEST4: 0xE0,
                **dict.fromkeys([ISTAT1, MBOX0, MBOX1, STIME1, STEST0, 0x53, 0x54, 0x55, CCNTL0,
                                 CCNTL1, *range(0x80, 0x100)], 0x00)}
    lun = 0

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.plug_eeprom(Box86Eeprom())

    def _drive_pins(self, changed: int) -> None:
        """A write of GPCNTL acts with the next one of GPREG."""
        if changed == GPREG:
            super()._drive_pins(changed)

    def _read_pins(self) -> int:
        """The other inputs read as 0."""
        return super()._read_pins() & ~(self.registers[GPCNTL] & ~(SDA | SCL))

    def _to_defaults(self) -> None:
        super()._to_defaults()
        registers = self.registers
        registers[GPREG], registers[GPCNTL], registers[STIME0], registers[CTEST2] = (
            0x00, 0x03, 0x01, 0x11)
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

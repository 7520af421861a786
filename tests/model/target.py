# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""SCSI disks and CD-ROM drives, with the differences and faults of real ones.

`Disk.session()` handles one command on the bus. It is made of small hooks that
a test can replace. A target is its LUN 0; `luns` holds its further units.

[SCSI-2; SPC-3; SBC-2]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from tests.model.agreement import FAST_10, SDTR, WDTR, Negotiator, View
from tests.model.bus import (COMMAND, DATA_IN, DATA_OUT, FREE, MSG_IN, MSG_OUT, STATUS, Bus, Delay,
                             Reselect, Take, message_codes)
from tests.model.rules import RuleViolation
from tests.model.transfer import NONE, Agreement

GOOD, CHECK_CONDITION, BUSY, RESERVATION_CONFLICT, QUEUE_FULL = 0x00, 0x02, 0x08, 0x18, 0x28

COMPLETE, SAVE, RESTORE, DISCONNECT, REJECT = 0x00, 0x02, 0x03, 0x04, 0x07
ABORT, DEVICE_RESET = 0x06, 0x0C

# Commands
TEST_UNIT_READY, REQUEST_SENSE, INQUIRY, START_STOP, PREVENT_ALLOW = 0x00, 0x03, 0x12, 0x1B, 0x1E
READ_CAPACITY, READ_CAPACITY16, REPORT_LUNS = 0x25, 0x9E, 0xA0
READ_TOC, MODE_SELECT = 0x43, 0x15
READ10, WRITE10, SEEK10, WRITE_VERIFY10, VERIFY10 = 0x28, 0x2A, 0x2B, 0x2E, 0x2F
READ16, WRITE16, WRITE_VERIFY16, VERIFY16 = 0x88, 0x8A, 0x8E, 0x8F
READS, VERIFIES = (READ10, READ16), (VERIFY10, VERIFY16)
WRITES = (WRITE10, WRITE_VERIFY10, WRITE16, WRITE_VERIFY16)

CDB_BYTES = {0: 6, 1: 10, 2: 10, 4: 16, 5: 12}
DISK, CD_ROM, OPTICAL = 0x00, 0x05, 0x07
NO_SENSE, POWER_ON, MEDIUM_CHANGED = (0, 0, 0), (0x6, 0x29, 0x00), (0x6, 0x28, 0x00)
RECOVERED = 0x1     # a sense key that comes with good data
FURTHER = (*READS, *WRITES, *VERIFIES, SEEK10, READ_CAPACITY, READ_CAPACITY16)


@dataclass
class Answer:
    """Result of a command: data for the initiator, or the number of bytes
    requested from it, of which `keeps` are stored; then a status."""
    data: bytes = b""
    status: int = GOOD
    wants: int = 0
    keeps: int = 0


def blocks_of(cdb: bytes) -> tuple[int, int]:
    """First block and number of blocks of a medium access command."""
    if cdb[0] == SEEK10:
        return int.from_bytes(cdb[2:6], "big"), 1
    lba, count = (cdb[2:6], cdb[7:9]) if CDB_BYTES[cdb[0] >> 5] == 10 else (cdb[2:10], cdb[10:14])
    return int.from_bytes(lba, "big"), int.from_bytes(count, "big")


def on_medium(command: Callable[[Disk, bytes], Answer]) -> Callable[[Disk, bytes], Answer]:
    """Decorator for a command that needs a medium."""
    def call(disk: Disk, cdb: bytes) -> Answer:
        ready = disk.test_unit_ready(cdb)
        return command(disk, cdb) if ready.status == GOOD else ready
    return call


@dataclass
class Disk(Negotiator):
    """`content` maps an LBA to a block; `blocks` is the size in READ CAPACITY."""
    most_cdb: ClassVar[int] = 16    # bytes of a CDB that are used
    blocks: int = 65536
    block_bytes: int = 512
    content: Callable[[int], bytes] | None = None
    type: int = DISK
    removable: bool = False
    vendor: bytes = b"BENCH   "
    product: bytes = b"STRICT DISK     "
    revision: bytes = b"1.0 "
    version: int = 2                # of SCSI; from 3 on, a CDB contains no LUN
    attentions: list[tuple[int, int, int]] = field(default_factory=lambda: [POWER_ON])
    sense: tuple[int, int, int] = NO_SENSE
    information: tuple[int, bool] = (0, False)  # in the sense data: an LBA, and VALID
    # transfers (agreement.py). A reset ends an agreement
    able: Agreement | None = None
    agreed: Agreement = NONE
    known: Agreement = NONE
    fast_and_wide: bool | None = View("width", {"width": 1})
    synchronous: bool | None = View("offset", {"offset": 8, "factor": FAST_10})
    negotiates: tuple[int, ...] = (SDTR, WDTR)
    answer_offer: Callable[[int, int], bytes | None] | None = None
    # hooks: each may replace the disk's behaviour at that point
    status_hook: Callable[[bytes], Answer | None] | None = None
    data_hook: Callable[[Bus, bytes], Iterator] | None = None
    write_hook: Callable[[Bus, int], Iterator] | None = None    # returns the bytes received
    before_command: Callable[[Bus], Iterator] | None = None
    before_status: Callable[[Bus], Iterator] | None = None
    ignores_atn: bool = False
    obeys_privilege: bool = False   # it disconnects only if IDENTIFY allows that
    may_disconnect: bool = False    # in this command, by IDENTIFY
    deaf: bool = False              # ignores ABORT and BUS DEVICE RESET
    deaf_to_abort: bool = False     # ignores ABORT only
    aborts: int = 0                 # how often they were sent, obeyed or ignored
    device_resets: int = 0
    unsupported: set[int] = field(default_factory=set)          # opcodes
    # the medium
    written: dict[int, bytes] = field(default_factory=dict)     # blocks by LBA
    write_protected: bool = False
    bad_blocks: dict[int, tuple[int, int, int, bool]] = field(default_factory=dict)  # sense, VALID
    medium: bool = True             # only a removable one can be missing
    medium_sense: tuple[int, int, int] | None = None    # fails all medium accesses
    read_sense: tuple[int, int, int] | None = None      # fails all reads
    ready_at: int = 0               # it spins up until then
    locked: bool = False
    ejected: int = 0                # START STOP UNIT commands, by request
    started: int = 0
    # units
    lun: int = 0
    luns: dict[int, Disk] = field(default_factory=dict)         # further units of this target
    lun_list: bytes | None = None   # replaces the answer of REPORT LUNS
    ignores_luns: bool = False      # responds at every LUN
    selected_lun: int = 0
    now: int = 0                    # time of the last command
    messages: list[list[int]] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)
    strays: list[bytes] = field(default_factory=list)           # commands for missing units

    def reset(self) -> None:
        """A pending MEDIUM CHANGED attention survives the reset."""
        changed = MEDIUM_CHANGED in self.attentions and self.removable
        self.attentions = [POWER_ON, MEDIUM_CHANGED] if changed else [POWER_ON]
        self.locked = False
        self.end_agreement()
        for unit in self.luns.values():
            unit.reset()

    def block(self, lba: int) -> bytes:
        if lba in self.written:
            return self.written[lba]
        if self.content:
            return self.content(lba)
        digits = 4 if lba < 1 << 32 else 8
        return lba.to_bytes(digits, "little") * (self.block_bytes // digits)

    def insert(self, blocks: int | None = None, content: Callable[[int], bytes] | None = None,
               block_bytes: int | None = None) -> None:
        """Insert a medium; parameters not given keep their value."""
        self.blocks = blocks or self.blocks
        self.content = content or self.content
        self.block_bytes = block_bytes or self.block_bytes
        self.medium = True
        self.written.clear()
        if MEDIUM_CHANGED not in self.attentions:
            self.attentions.append(MEDIUM_CHANGED)

    def take_out(self) -> None:
        """Remove the medium, even if it is locked."""
        self.medium = False

    # ---- Identification and sense data ---------------------------------------------

    def check(self, key: int, asc: int, ascq: int = 0) -> Answer:
        """CHECK CONDITION, with the sense data that will follow."""
        self.sense, self.information = (key, asc, ascq), (0, False)
        return Answer(status=CHECK_CONDITION)

    def inquiry_data(self) -> bytes:
        return (bytes([self.type, self.removable << 7, self.version, 2, 31, 0, 0, self.transfer_flags])
                + self.vendor + self.product + self.revision)

    def capacity_data(self) -> bytes:
        last = min(self.blocks - 1, 0xFFFFFFFF)
        return last.to_bytes(4, "big") + self.block_bytes.to_bytes(4, "big")

    def capacity16_data(self) -> bytes:
        return ((self.blocks - 1).to_bytes(8, "big") + self.block_bytes.to_bytes(4, "big")
                + bytes(20))

    def sense_data(self) -> bytes:
        """Fixed format, with 32 bits for an LBA. They are meaningless without
        VALID."""
        (key, asc, ascq), (lba, valid) = self.sense, self.information
        self.sense, self.information = NO_SENSE, (0, False)
        valid = valid and lba < 1 << 32
        return (bytes([0x70 | valid << 7, 0, key]) + (lba & 0xFFFFFFFF).to_bytes(4, "big")
                + bytes([10, 0, 0, 0, 0, asc, ascq, 0, 0, 0, 0]))

    def lun_list_data(self) -> bytes:
        if self.lun_list is not None:
            return self.lun_list
        entries = b"".join(bytes([0, lun, 0, 0, 0, 0, 0, 0]) for lun in sorted({0, *self.luns}))
        return len(entries).to_bytes(4, "big") + bytes(4) + entries

    # ---- Commands ---------------------------------------------------------------

    def execute(self, cdb: bytes) -> Answer:
        """Execute a command for this unit."""
        if cdb[0] in VERIFIES and cdb[1] & 2:
            raise RuleViolation("VERIFY of bytes", "BYTCHK is set")
        if self.version >= 3 and cdb[1] & 0xE0:
            return self.check(5, 0x24)
        if cdb[0] == INQUIRY:
            return Answer(self.inquiry_data()[:cdb[4]])
        if cdb[0] == REQUEST_SENSE:
            return Answer(self.sense_data()[:cdb[4]])
        self.sense, self.information = NO_SENSE, (0, False)     # lost at the next command
        if self.attentions and cdb[0] != REPORT_LUNS:
            return self.check(*self.attentions.pop(0))
        if self.status_hook and (answer := self.status_hook(cdb)) is not None:
            return answer
        if cdb[0] in self.unsupported or cdb[0] not in self.COMMANDS:
            return self.check(5, 0x20)
        return self.COMMANDS[cdb[0]](self, cdb)

    def _report_luns(self, cdb: bytes) -> Answer:
        room = int.from_bytes(cdb[6:10], "big")
        if room < 16 or cdb[2] > 2:
            return self.check(5, 0x24)
        return Answer(self.lun_list_data()[:room])

    def _prevent_allow(self, cdb: bytes) -> Answer:
        self.locked = bool(cdb[4] & 1)
        return Answer()

    def _start_stop(self, cdb: bytes) -> Answer:
        start, load_eject = cdb[4] & 1, cdb[4] & 2
        if load_eject and not self.removable:
            return self.check(5, 0x24)
        if start:
            self.started += 1
            return self.test_unit_ready(cdb)
        if load_eject and self.locked:
            return self.check(5, 0x53, 2)
        if load_eject:
            self.ejected += 1
            self.medium = False
        return Answer()

    def test_unit_ready(self, cdb: bytes) -> Answer:
        if self.removable and not self.medium:
            return self.check(2, 0x3A)
        if self.now < self.ready_at:
            return self.check(2, 0x04, 1)
        return self.check(*self.medium_sense) if self.medium_sense else Answer()

    @on_medium
    def _read_capacity(self, cdb: bytes) -> Answer:
        return Answer(self.capacity_data())

    @on_medium
    def _read_capacity16(self, cdb: bytes) -> Answer:
        if cdb[1] & 0x1F != 0x10:
            return self.check(5, 0x24)
        return Answer(self.capacity16_data()[:int.from_bytes(cdb[10:14], "big")])

    @on_medium
    def _access(self, cdb: bytes) -> Answer:
        lba, count = blocks_of(cdb)
        if lba + count > self.blocks:
            return self.check(5, 0x21)
        if cdb[0] in WRITES and self.write_protected:
            return self.check(7, 0x27)
        if cdb[0] in READS and self.read_sense:
            return self.check(*self.read_sense)
        answer, good = self._try_blocks(lba, count)
        if cdb[0] in READS:
            answer.data = b"".join(self.block(lba + i) for i in range(good))
        elif cdb[0] in WRITES:
            answer.wants, answer.keeps = count * self.block_bytes, good * self.block_bytes
        return answer

    def _try_blocks(self, lba: int, count: int) -> tuple[Answer, int]:
        """How an access to blocks ends, and how many of them are good: those
        before a bad one, or all if the data was recovered."""
        bad = min((b for b in self.bad_blocks if lba <= b < lba + count), default=None)
        if bad is None:
            return Answer(), count
        *sense, valid = self.bad_blocks[bad]
        answer = self.check(*sense)
        self.information = bad, valid
        return answer, count if sense[0] == RECOVERED else bad - lba

    COMMANDS: ClassVar[dict[int, Callable[[Disk, bytes], Answer]]] = {
        TEST_UNIT_READY: test_unit_ready, START_STOP: _start_stop,
        PREVENT_ALLOW: _prevent_allow, READ_CAPACITY: _read_capacity,
        READ_CAPACITY16: _read_capacity16, REPORT_LUNS: _report_luns,
        **dict.fromkeys((*READS, *WRITES, *VERIFIES, SEEK10), _access)}

    def store(self, cdb: bytes, data: bytes) -> None:
        """Store the whole blocks that have arrived."""
        lba, size = blocks_of(cdb)[0], self.block_bytes
        for i in range(len(data) // size):
            self.written[lba + i] = data[i * size:(i + 1) * size]

    # ---- Units --------------------------------------------------------------------

    def unit(self) -> Disk | None:
        """The unit that the initiator selected."""
        if self.ignores_luns or self.selected_lun == self.lun:
            return self
        return self.luns.get(self.selected_lun)

    def _missing_unit(self, cdb: bytes) -> Answer:
        """Answer for a missing logical unit. [SCSI-2 "Incorrect logical unit selection"]"""
        if cdb[0] == INQUIRY:
            return Answer((b"\x7F" + self.inquiry_data()[1:])[:cdb[4]])
        if cdb[0] == REQUEST_SENSE:
            return Answer(bytes([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x25, 0, 0, 0, 0,
                                 0])[:cdb[4]])
        return Answer(status=CHECK_CONDITION)

    # ---- Phases -------------------------------------------------------------------

    def message_out(self, bus: Bus) -> Iterator:
        """Receive messages while ATN is asserted; returns the bytes."""
        taken = []
        while bus.atn:
            taken.append((yield MSG_OUT, None))
        self.messages.append(taken)
        return taken

    def listen(self, bus: Bus) -> Iterator:
        """Receive messages between two phases if ATN is asserted. Returns whether
        one of them ended the command."""
        if not bus.atn or self.ignores_atn:
            return False
        return (yield from self.dismissed(bus, (yield from self.message_out(bus))))

    def dismissed(self, bus: Bus, messages: list[int]) -> Iterator:
        """Returns whether ABORT or BUS DEVICE RESET is among the messages and has
        been obeyed. A target that ignores it stays in MSG OUT."""
        code = next((c for c in message_codes(messages) if c in (ABORT, DEVICE_RESET)), None)
        if code is None:
            return False
        while not self._obeys(code):
            code = yield MSG_OUT, None
        if code == DEVICE_RESET:
            self.reset()
        bus.abandon(None if code == DEVICE_RESET else self.selected_lun)
        return True

    def _obeys(self, code: int) -> bool:
        self.aborts += code == ABORT
        self.device_resets += code == DEVICE_RESET
        return not self.deaf and (code == DEVICE_RESET
                                  or code == ABORT and not self.deaf_to_abort)

    def _grant(self, privilege: bool) -> None:
        """Of IDENTIFY [SCSI-2 "IDENTIFY", DiscPriv]; the target and its units may disconnect."""
        for unit in (self, *self.luns.values()):
            unit.may_disconnect = privilege

    def command(self) -> Iterator:
        cdb = bytearray([(yield COMMAND, None)])
        while len(cdb) < min(self.most_cdb, CDB_BYTES.get(cdb[0] >> 5, 6)):
            cdb.append((yield COMMAND, None))
        unit = self.unit()
        (unit.commands if unit else self.strays).append(bytes(cdb))
        return bytes(cdb)

    def disconnect(self, save: bool = True, ns: int = 50_000) -> Iterator:
        """Leave the bus and reselect later. An obedient target without the privilege only pauses. Returns
        whether it has left."""
        if self.obeys_privilege and not self.may_disconnect:
            yield Delay(ns)
            return False
        if save:
            yield MSG_IN, SAVE
        yield MSG_IN, DISCONNECT
        yield FREE
        yield Delay(ns)
        yield Reselect()
        yield MSG_IN, 0x80 | (self.selected_lun if self.ignores_luns else self.lun)
        return True

    @staticmethod
    def data_in(data: bytes) -> Iterator:
        if data:
            yield DATA_IN, bytes(data)

    @staticmethod
    def data_out(count: int) -> Iterator:
        """Returns the bytes received."""
        return (yield Take(DATA_OUT, count)) if count else b""

    def transfer(self, bus: Bus, cdb: bytes, answer: Answer) -> Iterator:
        """Run the data phase, if there is one."""
        if answer.wants:
            take = self.write_hook or (lambda bus, count: self.data_out(count))
            taken = yield from take(bus, answer.wants)
            self.store(cdb, (taken or b"")[:answer.keeps])
        elif self.data_hook and answer.status == GOOD and cdb[0] in READS:
            yield from self.data_hook(bus, answer.data)
        else:
            yield from self.data_in(answer.data)

    def note(self, bus: Bus, cdb: bytes, answer: Answer) -> None:
        """A good answer to a command on blocks is progress, and so is the INQUIRY of a unit that
        is no drive."""
        bus.slow_command |= cdb[0] == START_STOP
        if answer.status == GOOD and (cdb[0] in FURTHER or cdb[0] == INQUIRY
                                      and self.type not in (DISK, CD_ROM, OPTICAL)):
            bus.got_further()

    def session(self, bus: Bus) -> Iterator:
        self.selected_lun = 0       # without IDENTIFY
        self._grant(False)
        if not self.ignores_atn and bus.atn:
            messages = yield from self.message_out(bus)
            identified = messages[0] & 0xB8 == 0x80
            if identified:
                self.selected_lun = bus.nexus.lun = messages[0] & 7
                self._grant(bool(messages[0] & 0x40))
            if (yield from self.dismissed(bus, messages)) or not identified:
                return      # without IDENTIFY there is no nexus
            if (yield from self.dismissed(bus, (yield from self.negotiate(bus, messages)))):
                return
        unit = self.unit()
        responder = unit or self
        if responder.before_command:
            yield from responder.before_command(bus)
        cdb = yield from self.command()
        if (yield from self.listen(bus)):
            return
        responder.now = bus.now
        answer = unit.execute(cdb) if unit else self._missing_unit(cdb)
        responder.note(bus, cdb, answer)
        moves = responder.transfer(bus, cdb, answer)
        yield from self.in_words(moves) if self.agreed.width else moves
        if (yield from self.listen(bus)):
            return
        if responder.before_status:
            yield from responder.before_status(bus)
        yield STATUS, answer.status
        if not (yield from self.listen(bus)):
            yield MSG_IN, COMPLETE


BLOCKS_OF_CD = 1000
AUDIO, BLANK = (5, 0x64, 0), (8, 0, 0)      # sense data of reads from such discs


@dataclass
class CdRom(Disk):
    """A CD-ROM drive. `sessions` has the first block of 2048 bytes of each session of its
    disc.

    `native` is the block size after each reset, for a drive that has a switch for it.
    `content` and `blocks` are in blocks of 2048 bytes when the drive is made or a disc
    inserted; `blocks` and `block_bytes` are then those of the current size. MODE SELECT
    sets a size in `selectable`.

    [SCSI-2 "READ TOC", "MODE SELECT(6)", "Mode parameters"; MMC-2 "READ TOC/PMA/ATIP",
    format 0001b]
    """
    type: int = CD_ROM
    removable: bool = True
    block_bytes: int = 2048
    blocks: int = BLOCKS_OF_CD
    product: bytes = b"STRICT CD-ROM   "
    unsupported: set[int] = field(default_factory=lambda: {*WRITES, READ16, VERIFY16})
    sessions: tuple[int, ...] = (0,)
    toc_by_control: bool = False    # a drive of SCSI-2 with the format in byte 9
    toc_hook: Callable[[bytes], bytes] | None = None
    native: int | None = None
    selectable: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.native:
            self.use_blocks_of(self.native)

    def use_blocks_of(self, size: int) -> None:
        self.blocks = self.blocks * self.block_bytes // size
        self.block_bytes = size

    def reset(self) -> None:
        super().reset()
        if self.native:
            self.use_blocks_of(self.native)

    def insert(self, blocks: int | None = None, content: Callable[[int], bytes] | None = None,
               block_bytes: int | None = None) -> None:
        size = self.block_bytes
        if self.native:
            self.use_blocks_of(2048)
        super().insert(blocks, content, block_bytes)
        if self.native:
            self.use_blocks_of(size)

    def block(self, lba: int) -> bytes:
        if not self.native or not self.content:
            return super().block(lba)
        first = lba * self.block_bytes
        return self.content(first // 2048)[first % 2048:][:self.block_bytes]

    def _mode_select(self, cdb: bytes) -> Answer:
        if cdb[1] & 0x1F != 0x10:
            return self.check(5, 0x24)
        if not self.selectable:
            return self.check(5, 0x20)
        return Answer(wants=cdb[4])

    def _mode_selected(self, data: bytes) -> Answer:
        """A header, one block descriptor for the whole medium, no pages."""
        size = int.from_bytes(data[9:12], "big")
        if len(data) != 12 or data[:4] != b"\0\0\0\x08" or any(data[4:9]):
            return self.check(5, 0x26)
        if size not in self.selectable:
            return self.check(5, 0x26)
        self.use_blocks_of(size)
        return Answer()

    def transfer(self, bus: Bus, cdb: bytes, answer: Answer) -> Iterator:
        if cdb[0] == MODE_SELECT and answer.wants:
            data = yield from self.data_out(answer.wants)
            answer.status = self._mode_selected(data or b"").status
        else:
            yield from super().transfer(bus, cdb, answer)

    def _starts(self) -> tuple[int, ...]:
        """As logical blocks, four of 512 bytes for one of 2048 [SCSI-2 "CD-ROM media
        organization"]"""
        return tuple(start * max(2048 // self.block_bytes, 1) for start in self.sessions)

    def _read_toc(self, cdb: bytes) -> Answer:
        ready = self.test_unit_ready(cdb)
        if ready.status != GOOD:
            return ready
        if cdb[1] & 0x1F:
            return self.check(5, 0x24)
        form = cdb[9] >> 6 if self.toc_by_control or not cdb[2] else cdb[2] & 0x0F
        room = int.from_bytes(cdb[7:9], "big")
        if form == 1:
            head, tracks = (1, len(self.sessions)), self._starts()[-1:]
            number = len(self.sessions)
        elif form == 0:
            head, tracks, number = (1, len(self.sessions)), (*self._starts(), self.blocks), 1
        else:
            return self.check(5, 0x24)
        data = bytes(head)
        for i, lba in enumerate(tracks):
            lead_out = form == 0 and i == len(tracks) - 1
            data += bytes([0, 0x14, 0xAA if lead_out else number + i, 0]) + lba.to_bytes(4, "big")
        answer = len(data).to_bytes(2, "big") + data
        return Answer((self.toc_hook(answer) if self.toc_hook else answer)[:room])

    COMMANDS: ClassVar[dict[int, Callable[[Disk, bytes], Answer]]] = {
        **Disk.COMMANDS, READ_TOC: _read_toc, MODE_SELECT: _mode_select}


def cd_rom(**options) -> CdRom:
    """A CD-ROM drive with a disc in it."""
    return CdRom(**options)

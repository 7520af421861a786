# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Random dialogues on the SCSI bus: a target that answers reads and writes by a grammar
instead of a standard. Phases come in any order, with messages, short and long data,
parity errors, disconnections of every kind, and any status. run() makes some dialogues
with the shipped ROM on the strict virtual PC. The laws:

- AH=00 only if the last status was good, and the data that the target moved last, from
  the saved pointer on, reaches the end of the buffer. The buffer then holds what the
  pointers of SCSI-2 imply (class Pointers, which shares nothing with the ROM).
- Sectors that a failed call reports as good have moved, too.
- Bytes for the target come from the pointer's place. None are invented.
- Every call ends within MOST_NS. Chip and bus then work for the next one.
- All rules of the model hold; one of them allows DMA into the buffer only.

[SCSI-2 "Message codes", "SCSI pointers"]
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.build import BUILD
from tests.model.bus import (COMMAND, DATA_IN, DATA_OUT, FREE, HANG, MSG_IN, MSG_OUT, RESET, STATUS,
                             Bad, Bus, Delay, Reselect, Take)
from tests.model.pc import PACKET, Pc
from tests.model.registers import MS
from tests.model.target import (BUSY, CDB_BYTES, CHECK_CONDITION, COMPLETE, DISCONNECT, GOOD, QUEUE_FULL,
                                READ10, RECOVERED, REJECT, RESERVATION_CONFLICT, RESTORE, SAVE,
                                WRITE10, Disk, blocks_of)
from tests.model.vds import PAGE, Vds
from tests.rom.strict import LAST_STATUS, SECOND, STATUSES, by_chs, by_packet

PER_SEED = 40           # dialogues in one run
MOST_NS = 60 * SECOND   # of one call
MOST_EXCESS = 40        # bytes
SECTOR = 512
CHIPS = ("895A", "895A", "810", "1010-33")
BUFFERS = range(0x20000, 0x40000)
PHYSICAL = range(0x400, 0x800)      # physical pages of the remapped ones
STATUS_BITS = 0x3E
IDENTIFY, NO_OPERATION, IGNORE_WIDE_RESIDUE, SIMPLE_QUEUE = 0x80, 0x08, 0x23, 0x20
MESSAGES = [bytes([NO_OPERATION]), bytes([REJECT]), bytes([IGNORE_WIDE_RESIDUE, 1]),
            bytes([SIMPLE_QUEUE, 0]), bytes([0x0A]), bytes([0x13]), bytes([IDENTIFY]), b"\xFF",
            bytes([1, 3, 1, 25, 15]), bytes([1, 3, 1, 25, 0]), bytes([1, 2, 3, 1]),
            bytes([1, 6, 4, 9, 0, 62, 1, 2]), bytes([1, 5, 0, 0, 0, 0, 16]), bytes([1, 1, 0x55]),
            bytes([1, 0]) + bytes(256)]
STATUSES_SENT = [BUSY, QUEUE_FULL, RESERVATION_CONFLICT, CHECK_CONDITION, CHECK_CONDITION,
                 CHECK_CONDITION, 0x10, 0x22, 0xC1, 0xFF]
SENSES = [(RECOVERED, 0x17, 0), (RECOVERED, 0x17, 0), (0, 0, 0), (2, 4, 1), (3, 0x11, 0), (4, 0x44, 0),
          (5, 0x20, 0), (6, 0x29, 0), (0xB, 0x47, 0)]


class Pointers:
    """The initiator's pointers by SCSI-2, and the data that they imply. `reach`: where
    the last data ended; everything before it has moved at or before that pass."""

    def __init__(self, total: int):
        self.total = total
        self.at = self.saved = self.reach = self.command = 0
        self.image: dict[int, int] = {}
        self.excess = False         # data beyond the end, or for the other direction

    def move(self, data: bytes) -> None:
        room = self.total - self.at
        self.excess |= len(data) > room
        self.image.update(enumerate(data[:room], self.at))
        self.at = self.reach = self.at + min(len(data), room)

    def save(self) -> None:
        self.saved = self.at

    def restore(self) -> None:
        """RESTORE POINTERS revokes the data after the saved pointer, unless the pointer is
        there already."""
        if self.at != self.saved:
            self.at = self.reach = self.saved
        self.command = 0

    def reconnect(self) -> None:
        """The pointer goes back, but a target need not save it after its last byte: the
        data counts until the target moves other data."""
        self.at, self.command = self.saved, 0


@dataclass
class Attempt:
    """One command of a dialogue."""
    cdb: bytes
    pointers: Pointers
    story: list[str] = field(default_factory=list)
    status: int | None = None
    sense: tuple[int, int, int] | None = None
    complete: bool = False

    @property
    def is_good(self) -> bool:
        status = None if self.status is None else self.status & STATUS_BITS
        return (self.complete and self.pointers.reach == self.pointers.total
                and not self.pointers.excess and self.status != 0xFF
                and (status == GOOD or status == CHECK_CONDITION and self.sense is not None
                     and self.sense[0] == RECOVERED))


class Talker(Disk):
    """A disk whose reads and writes are random dialogues while it is `armed`."""

    def begin(self, chance: random.Random, cdb: bytes, data: bytes) -> None:
        """`cdb`: the command of the call, if it is sent in one piece. `data`: the caller's
        buffer, for writes."""
        self.random, self.wanted_cdb, self.sent_data = chance, cdb, data
        self.attempts: list[Attempt] = []
        self.again = chance.choice([0.3, 0.6, 1.0, 1.0])    # how likely a retry is wild, too
        self.armed = True

    armed = False
    one_piece = True    # the memory manager divides no command
    in_message = False  # the initiator would take another message for the rest of this one

    # ---- Session ----------------------------------------------------------------------

    def session(self, bus: Bus) -> Iterator:
        if not self.armed:
            return (yield from super().session(bus))
        self.selected_lun = 0
        messages = yield from self.message_out(bus)
        if (yield from self.dismissed(bus, messages)) or messages[0] & 0xB8 != 0x80:
            return None
        self.selected_lun = bus.nexus.lun = messages[0] & 7
        if (yield from self.dismissed(bus, (yield from self.negotiate(bus, messages)))):
            return None
        first = yield COMMAND, None
        if first not in (READ10, WRITE10):
            return (yield from self._plain(bus, first))
        return (yield from self._dialogue(bus, first))

    def _plain(self, bus: Bus, first: int) -> Iterator:
        """Commands other than reads and writes."""
        cdb = bytes([first]) + (yield Take(COMMAND, CDB_BYTES[first >> 5] - 1))
        self.now = bus.now
        answer = self.execute(cdb)
        yield from self.data_in(answer.data)
        yield STATUS, answer.status
        yield MSG_IN, COMPLETE

    def _dialogue(self, bus: Bus, first: int) -> Iterator:
        wild = not self.attempts or self.random.random() < self.again
        plan, length = self._plan() if wild else [], len(self.wanted_cdb)
        self.in_message = False
        if wild and self.one_piece and self._one_in(20):
            length = self.random.randint(2, length)
            plan[:0] = [self.random.choice(BEFORE_THE_COMMAND), "rest_of_command"]
        cdb = bytes([first]) + (yield Take(COMMAND, length - 1))
        assert cdb == self.wanted_cdb[:length] or not self.one_piece, f"command {cdb.hex()}"
        whole = self.wanted_cdb if self.one_piece else cdb
        self.attempt = Attempt(whole, Pointers(blocks_of(whole)[1] * SECTOR))
        self.p = self.attempt.pointers
        self.p.command = length
        self.attempts.append(self.attempt)
        for step in plan:
            self._tell(step)
            if (yield from getattr(self, f"_{step}")(bus)) or (yield from self._heed(bus)):
                return
        yield from self._end(bus, wild)

    def _plan(self) -> list[str]:
        names, weights = zip(*WEIGHTS.items())
        steps = self.random.choice([1, 2, 2, 3, 3, 4, 5, 6, 8, 12])
        return self.random.choices(names, weights, k=steps)

    def _end(self, bus: Bus, wild: bool) -> Iterator:
        """What most dialogues end with: all data that is missing, GOOD, bus free."""
        if self.p.reach < self.p.total and not (wild and self._one_in(3)):
            yield from self._rest(bus)
        if self.attempt.status is None or self._one_in(3):
            yield from self._send_status(GOOD if not wild or not self._one_in(8)
                                         else self.random.choice(STATUSES_SENT))
        if (yield from self._heed(bus)):
            return
        yield MSG_IN, COMPLETE
        self._tell("complete")
        self.attempt.complete = True

    def _tell(self, event: str) -> None:
        p = self.p
        self.attempt.story.append(f"{event} [at {p.at}, saved {p.saved}, reach {p.reach}]")

    def _one_in(self, n: int) -> bool:
        return self.random.randrange(n) == 0

    def _heed(self, bus: Bus) -> Iterator:
        """Take the initiator's messages, mostly. True if one of them ends the command."""
        if not bus.atn or self._one_in(10):
            return False
        messages = yield from self.message_out(bus)
        self.in_message = False
        self._tell(f"messages {bytes(messages).hex()}")
        return (yield from self.dismissed(bus, messages))

    # ---- Data ------------------------------------------------------------------------

    @property
    def _reads(self) -> bool:
        return self.attempt.cdb[0] == READ10

    def _move(self, count: int) -> Iterator:
        """The target moves data in the right direction."""
        if self.attempt.status is not None:
            count = min(count, MOST_EXCESS)     # discarded byte by byte, which takes long
        if not count:
            return
        self.in_message = False
        if self._reads:
            data = self.random.randbytes(count)
            yield DATA_IN, data
            self.p.move(data)
        else:
            wanted = self._wanted()[self.p.at:self.p.at + count]
            if wanted:
                taken = yield Take(DATA_OUT, len(wanted))
                assert taken == wanted, f"wrong data sent from {self.p.at}"
                self.p.move(taken)
            if len(wanted) < count:
                yield DATA_OUT, None
                raise AssertionError("a byte was invented")
        self._tell(f"moved {count}")

    def _wanted(self) -> bytes:
        start = (blocks_of(self.attempt.cdb)[0] - blocks_of(self.wanted_cdb)[0]) * SECTOR
        return self.sent_data[start:start + self.p.total]

    def _data(self, bus: Bus) -> Iterator:
        left = self.p.total - self.p.at
        count = self.random.choice([left, self.random.randint(0, left), min(27, left),
                                    min(SECTOR, left), left // 2, max(left - 1, 0)])
        yield from self._move(count)

    def _rest(self, bus: Bus) -> Iterator:
        yield from self._move(self.p.total - self.p.at)

    def _too_much(self, bus: Bus) -> Iterator:
        yield from self._move(self.p.total - self.p.at + self.random.choice([1, 2, MOST_EXCESS]))

    def _other_direction(self, bus: Bus) -> Iterator:
        if self._reads:
            yield DATA_OUT, None
            raise AssertionError("data sent to the target during a read")
        yield DATA_IN, bytes(3)
        self.p.excess = True

    def _bad_parity(self, bus: Bus) -> Iterator:
        yield Bad(self.random.choice([DATA_IN, STATUS, MSG_IN]), self.random.randrange(256))

    # ---- Messages -----------------------------------------------------------------------

    def _save(self, bus: Bus) -> Iterator:
        if self.in_message:
            return
        yield MSG_IN, SAVE
        self.p.save()

    def _restore(self, bus: Bus) -> Iterator:
        if self.in_message:
            return
        yield MSG_IN, RESTORE
        self.p.restore()

    def _message(self, bus: Bus) -> Iterator:
        if self.in_message:
            return
        message = self.random.choice(MESSAGES)
        self._tell(f"sends {message[:8].hex()}")
        yield MSG_IN, message

    def _part_of_message(self, bus: Bus) -> Iterator:
        if self.in_message:
            return
        yield MSG_IN, bytes([1, 3, 1, 25, 15])[:self.random.randrange(1, 5)]
        self.in_message = True

    def _message_out(self, bus: Bus) -> Iterator:
        """The target requests a message again, or without ATN."""
        for _ in range(self.random.randrange(1, 4)):
            yield MSG_OUT, None
        self.in_message = False

    def _leave(self, bus: Bus, target: int | None = None, lun: int = 0) -> Iterator:
        yield MSG_IN, DISCONNECT
        yield FREE
        yield Delay(self.random.choice([1_000, 50_000, 3 * MS]))
        yield Reselect(target)
        yield MSG_IN, IDENTIFY | lun
        self.p.reconnect()
        if self._one_in(6):
            yield from self._restore(bus)
        if self._one_in(10):
            yield MSG_IN, bytes([SIMPLE_QUEUE, 0])

    def _leave_saved(self, bus: Bus) -> Iterator:
        yield from self._save(bus)
        yield from self._leave(bus)

    def _leave_twice(self, bus: Bus) -> Iterator:
        yield from self._leave(bus)
        yield from self._leave(bus)

    def _wrong_id(self, bus: Bus) -> Iterator:
        yield from self._leave(bus, target=5)

    def _wrong_lun(self, bus: Bus) -> Iterator:
        yield from self._leave(bus, lun=self.random.choice([1, 7]))

    def _stays(self, bus: Bus) -> Iterator:
        """DISCONNECT, but the target does not leave."""
        yield MSG_IN, DISCONNECT
        self.p.reconnect()
        yield from self._data(bus)

    def _never_returns(self, bus: Bus) -> Iterator:
        yield MSG_IN, DISCONNECT
        yield FREE
        yield HANG

    def _early_complete(self, bus: Bus) -> Iterator:
        """COMMAND COMPLETE, and then the target goes on."""
        yield MSG_IN, COMPLETE
        self.attempt.complete = True
        return self._one_in(2)

    # ---- Other phases -----------------------------------------------------------------------

    def _send_status(self, status: int) -> Iterator:
        self._tell(f"status {status:02x}")
        yield STATUS, status
        self.in_message = False
        self.attempt.status = status
        if status & STATUS_BITS == CHECK_CONDITION:
            self.attempt.sense = self.random.choice(SENSES)
            self.check(*self.attempt.sense)
            lba, blocks = blocks_of(self.attempt.cdb)
            self.information = lba + self.random.randrange(blocks + 1), self._one_in(2)

    def _status(self, bus: Bus) -> Iterator:
        yield from self._send_status(GOOD if self._one_in(2) else self.random.choice(STATUSES_SENT))

    def _command(self, bus: Bus) -> Iterator:
        """The target asks for the command, or a part of it, again."""
        yield from self._take_command(self.random.choice([1, 6, 10, 10]))

    def _rest_of_command(self, bus: Bus) -> Iterator:
        yield from self._take_command(10)

    def _take_command(self, most: int) -> Iterator:
        cdb = self.attempt.cdb
        begin = self.p.command % len(cdb)   # after all of it, it is sent again
        wanted = cdb[begin:begin + most]
        taken = yield Take(COMMAND, len(wanted))
        self.in_message = False
        assert taken == wanted, f"command bytes {taken.hex()} in place of {wanted.hex()}"
        self.p.command = begin + len(wanted)

    def _bad_phase(self, bus: Bus) -> Iterator:
        yield self.random.choice([4, 5]), 0

    def _delay(self, bus: Bus) -> Iterator:
        yield Delay(self.random.choice([1_000, 100_000, 2 * MS]))

    def _free(self, bus: Bus) -> Iterator:
        yield FREE
        yield HANG

    def _hang(self, bus: Bus) -> Iterator:
        yield HANG

    def _bus_reset(self, bus: Bus) -> Iterator:
        yield RESET


WEIGHTS = {"data": 30, "rest": 15, "leave": 14, "leave_saved": 8, "leave_twice": 2, "save": 8,
           "restore": 8, "message": 8, "delay": 3, "status": 3, "command": 3, "message_out": 2,
           "too_much": 1, "other_direction": 1, "bad_parity": 1, "bad_phase": 1,
           "part_of_message": 1, "wrong_id": 0.5, "wrong_lun": 0.5, "stays": 0.3,
           "never_returns": 0.3, "early_complete": 0.3, "free": 0.7, "hang": 0.3, "bus_reset": 0.5}
BEFORE_THE_COMMAND = ["save", "restore", "message", "delay", "leave", "message_out"]


class Machine:
    """A PC with a talker at ID 0 and another disk at ID 3."""

    def __init__(self, seed: int):
        self.random = random.Random(f"dialogues {seed}")
        self.chip = self.random.choice(CHIPS)
        self.talker = Talker()
        self.talker.one_piece = self.random.random() < 0.7
        vds = None if self.talker.one_piece else self._memory_manager()
        self.pc = Pc(BUILD / f"lsi53c{self.chip.lower()}.rom", self.chip, vds=vds)
        self.pc.bus.targets = {0: self.talker, 3: Disk(content=lambda lba: bytes([3]) * SECTOR)}
        self.pc.power_on()
        self.call = ""

    def _memory_manager(self) -> Vds:
        """Buffers are made of pages that are not in sequence."""
        pages = range(BUFFERS.start // PAGE, BUFFERS.stop // PAGE)
        return Vds(pages=dict(zip(pages, self.random.sample(PHYSICAL, len(pages)))),
                   scatter_gather=self.random.random() < 0.8)

    def run_dialogue(self) -> None:
        chance = self.random
        function = chance.choice([0x02, 0x42, 0x42, 0x03, 0x43, 0x43])
        lba, count = chance.randrange(50_000), chance.choice([1, 1, 2, 3, 3, 8, 9, 24])
        address = chance.randrange(BUFFERS.start, BUFFERS.stop - count * SECTOR)
        self.call = f"AH={function:02X}h, lba {lba}, count {count}, buffer {address:#x}"
        data = chance.randbytes(count * SECTOR)
        self.pc.poke(address, data)
        reads = function in (0x02, 0x42)
        cdb = bytes([READ10 if reads else WRITE10, 0, *lba.to_bytes(4, "big"), 0,
                     *count.to_bytes(2, "big"), 0])
        self.talker.begin(chance, cdb, data)
        before = self.pc.chip.now
        result = (by_chs if function < 0x40 else by_packet)(self.pc, function, lba, count, address)
        self.talker.armed = False
        good = result.al if function < 0x40 else self.pc.word(PACKET + 2)
        self.call += f": AH={result.ah:02X}h, {good} good"
        assert self.pc.chip.now - before <= MOST_NS, f"{(self.pc.chip.now - before) / SECOND:.0f} s"
        assert result.ah in STATUSES and result.cf == (result.ah != 0)
        assert self.pc.peek(LAST_STATUS, 1)[0] == result.ah
        assert good == count if result.ah == 0 else good < count, f"{good} sectors are good"
        buffer = self.pc.peek(address, len(data))
        assert reads or buffer == data, "a write has changed the buffer"
        self._check_moved(result.ah == 0, good * SECTOR, lba, buffer if reads else None)
        self._check_usable()

    def _check_moved(self, success: bool, wanted: int, lba: int, buffer: bytes | None) -> None:
        """The bytes that are reported as good have moved, and a read has put them in place."""
        last = {blocks_of(a.cdb)[0]: a for a in self.talker.attempts}
        done = 0
        while done < wanted:
            attempt = last.get(lba + done // SECTOR)
            assert attempt, f"no command for byte {done}"
            pointers, part = attempt.pointers, min(attempt.pointers.total, wanted - done)
            assert attempt.is_good or not success, "AH=00 without good status and all data"
            assert pointers.reach >= part, f"{pointers.reach} bytes of {part} moved"
            image = bytes(pointers.image.get(i, 0) for i in range(part))
            assert buffer is None or buffer[done:done + part] == image, "wrong data in the buffer"
            done += part

    def _check_usable(self) -> None:
        """Both disks can be read."""
        drive = self.random.choice([0x80, 0x80, 0x80, 0x81])
        lba = self.random.randrange(50_000)
        result = self.pc.read(lba, 2, drive=drive)
        assert result.ah == 0, f"the next call fails: AH={result.ah:02X}h"
        disk = self.pc.bus.targets[0 if drive == 0x80 else 3]
        assert self.pc.peek(BUFFERS.start, 2 * SECTOR) == disk.block(lba) + disk.block(lba + 1)

    def story(self) -> str:
        lines = [f"{self.chip}, {'plain memory' if self.talker.one_piece else 'VDS'}: {self.call}"]
        for attempt in self.talker.attempts:
            lines.append(f"  command {attempt.cdb.hex()}")
            lines += [f"    {event}" for event in attempt.story]
        return "\n".join(lines)


def run(seed: int) -> None:
    """Makes PER_SEED dialogues on one machine. The AssertionError of a broken law tells
    the dialogue."""
    machine = Machine(seed)
    for i in range(PER_SEED):
        try:
            machine.run_dialogue()
        except AssertionError as error:
            raise AssertionError(f"seed {seed}, dialogue {i}: {error}\n{machine.story()}") from error

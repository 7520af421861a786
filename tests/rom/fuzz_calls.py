# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Makes INT 13h calls with random registers, packets and memory on disks of every
kind, with random faults. All rules of the model hold during each call. After each
call the disks are compared: only the sectors of the call may change, and only good
sectors may be counted as good. A call without a fault must return a status that
tests/rom/oracle.py allows; any other call must return a documented status. One call in CALLS_PER_HOSTILE
comes from a hostile caller (hostile_callers.py).
"""

from __future__ import annotations

import random
import re
import struct
from collections import Counter
from collections.abc import Callable, Iterator

from tests.model.bus import (COMMAND, DATA_IN, DATA_OUT, FREE, HANG, MSG_IN, MSG_OUT, RESET,
                             STATUS, Bad, Bus)
from tests.model.devices import FwCfg
from tests.model.pc import Result
from tests.model.registers import MS
from tests.model.target import (BUSY, PREVENT_ALLOW, REPORT_LUNS, RESERVATION_CONFLICT, RESTORE,
                                SAVE, SEEK10, START_STOP, VERIFIES, WRITE_VERIFY10, WRITE_VERIFY16,
                                Answer, Disk)
from tests.model.vds import PAGE, Vds
from tests.rom.hostile_callers import HostileCaller
from tests.rom.oracle import (CHANGE, CHS, COUNT_IS_LONG, EDD, EJECT, FLAT_END, LOCK, NOT_FOUND,
                              PARAMETERS, READS, SECTOR, SEEKS, WRITES, Call, Drive, Unit,
                              answer_bytes, check_answer, known_good, outcomes)
from tests.rom.strict import STATUSES, VARIANTS, new_pc

# Registers that each function may change besides AH
CHANGES = {0x01: "al", 0x02: "al", 0x03: "al", 0x04: "al", 0x08: "al bl cx dx", 0x15: "cx dx", 0x41: "bx cx",
           0x45: "al", 0x4E: "al"}
SUCCESS_AH = {0x15: 0x03, 0x41: 0x30}
OTHERS = [0x00, 0x0D, 0x01, 0x08, 0x09, 0x10, 0x11, 0x14, 0x15, 0x16, 0x41, 0x45, 0x45, 0x46,
          0x48, 0x48, 0x49, 0x4E]
EJECT_ANSWERS = (0x86, 0x00, 0xB1, 0xB3)
KNOWN = STATUSES | {0x03, 0x05, 0x06, 0xB0, 0xB1, 0xB2, 0xB3, 0xB4, 0xB5, 0xCC}
LAST_STATUS = 0x474
FOR_BUFFERS, FOR_PACKETS = range(0x10000, 0x70000), range(0x70000, 0x7F000)
FOR_FLAT = range(0x200000, 0x300000)
PHYSICAL = range(0x400, 0x800)          # physical pages of the remapped ones
FEW_COMMANDS = {*VERIFIES, SEEK10, WRITE_VERIFY10, WRITE_VERIFY16, REPORT_LUNS}
NO_STATUS = STATUS, 0xFF        # reserved value
TAIL = (bytes(range(256)) * 2)[16:]     # of each sector
PER_SEED, CALLS_PER_HOSTILE = 500, 10
# Average number of calls or commands per event
FAULT_IN, HANG_IN, BAD_IN, CHANGE_IN, RESET_IN = 20, 500, 20, 40, 200


def content(medium: int, block_bytes: int) -> Callable[[int], bytes]:
    """The content of all sectors of all media differs."""
    split = block_bytes // SECTOR
    return lambda lba: b"".join(struct.pack("<QQ", lba * split + i, medium) + TAIL
                                for i in range(split))


class Fuzz:
    def __init__(self, variant: str, seed: int):
        self.random = random.Random(f"{seed} {variant}")
        self.journal: list[tuple[Unit, int, bytes]] = []    # block and its previous content
        self.media = 0
        self.disturbed = False       # a fault has disturbed this call
        self.statuses: Counter = Counter()
        self.call: Call | None = None       # the current call
        native = self._one_in(3)
        self.pc = new_pc(variant, self._targets(), vds=self._memory_manager(), fwcfg=FwCfg(
            {"opt/lsi8xx-rom/native-blocks": b"1"} if native else {}))
        if self.pc.vds and self._one_in(2):
            self._move_workspace()
        self.drives = dict(self._drives(native))
        self.removable = [d for d in self.drives.values() if d.unit.removable]
        for drive in self.drives.values():
            self._hook(drive.unit)
        for memory in (FOR_BUFFERS, FOR_PACKETS, FOR_FLAT):
            self.pc.poke(memory.start, self.random.randbytes(len(memory)))

    # ---- The machine ------------------------------------------------------------------

    def _unit(self, blocks: int, block_bytes: int = SECTOR, **options) -> Unit:
        self.media += 1
        unit = Unit(blocks=blocks, block_bytes=block_bytes,
                    content=content(self.media, block_bytes), **options)
        unit.journal = self.journal
        return unit

    def _targets(self) -> dict[int, Disk]:
        empty = self._one_in(2)
        units = {1: self._unit(3_000, lun=1, version=5), 4: self._unit(4_194_304, lun=4, version=5)}
        optical = self._unit(1_000, 2048, lun=1, removable=True, medium=not empty,
                             unsupported={PREVENT_ALLOW, START_STOP})
        return {0: self._unit(70_000), 1: self._unit(4_000, removable=True),
                2: self._unit(20_000, 4096), 3: self._unit(300, version=5, luns=units),
                4: self._unit((1 << 32) + 5_000, version=5),
                5: self._unit(9_000, unsupported=FEW_COMMANDS),
                6: self._unit(777, 1024, unsupported={REPORT_LUNS}, luns={1: optical})}

    def _memory_manager(self) -> Vds | None:
        """A VDS provider that has remapped half of the buffer pages."""
        if not self._one_in(3):
            return None
        pages = range(FOR_BUFFERS.start // PAGE, FOR_BUFFERS.stop // PAGE)
        moved = self.random.sample(pages, len(pages) // 2)
        return Vds(pages=dict(zip(moved, self.random.sample(PHYSICAL, len(moved)))),
                   scatter_gather=self._one_in(2), buffer_bytes=self.random.choice([8192, 65536]))

    def _move_workspace(self) -> None:
        """Remaps the workspace and adjacent allocations, which must stay contiguous."""
        memory = [place for place in self.pc.kept_memory if place]
        first, last = min(m.start for m in memory) // PAGE, max(m.stop - 1 for m in memory) // PAGE
        for i in range(last - first + 1):
            self.pc.vds.pages[first + i] = PHYSICAL.stop + i

    def _drives(self, native: bool) -> Iterator[tuple[int, Drive]]:
        """The drives with the numbers printed in POST."""
        lines = re.findall(r"(\w\w)h: SCSI \S+ ID (\d+) LUN (\d+)", self.pc.text)
        for number, target, lun in lines:
            unit = self.pc.bus.targets[int(target)]
            drive = Drive(unit.luns.get(int(lun), unit), int(target), native, int(number, 16))
            yield drive.number, drive

    def _hook(self, unit: Unit) -> None:
        unit.status_hook = lambda cdb: self._status(unit)
        unit.data_hook = self._data
        unit.write_hook = lambda bus, count: self._take(unit, bus, count)

    # ---- Disks with faults ------------------------------------------------------------

    def _one_in(self, n: int) -> bool:
        return self.random.randrange(n) == 0

    def _fault_in(self, n: int) -> bool:
        fault = self._one_in(n)
        self.disturbed |= fault
        return fault

    def _status(self, unit: Unit) -> Answer | None:
        if not self._fault_in(FAULT_IN):
            return None
        return self.random.choice([
            Answer(status=BUSY), Answer(status=RESERVATION_CONFLICT), Answer(status=0x3E),
            unit.check(self.random.randrange(16), self.random.randrange(256),
                       self.random.randrange(256))])

    def _strange_events(self, data: bytes) -> list:
        return [FREE, RESET, (MSG_IN, self.random.randrange(5, 256)), (COMMAND, None),
                (MSG_OUT, None), (STATUS, 0), NO_STATUS, (4, 0), (5, 0), (DATA_IN, data or 0)]

    def _data(self, bus: Bus, data: bytes) -> Iterator:
        if self._fault_in(HANG_IN):
            yield HANG
        if not self._fault_in(FAULT_IN):
            yield DATA_IN, data
            return
        at = self.random.randrange(len(data))
        yield from Disk.data_in(data[:at])
        event = self.random.choice([*self._strange_events(data), Bad(DATA_IN, 0), (MSG_IN, SAVE),
                                    (MSG_IN, RESTORE), (DATA_OUT, None)])
        yield event
        if event == NO_STATUS:
            return      # GOOD status follows
        yield from Disk.data_in(data[at:])

    def _take(self, unit: Unit, bus: Bus, count: int) -> Iterator:
        """Data out. Some of the events are harmless: the drive gets the data it requests
        and stores the data sent."""
        if self._fault_in(HANG_IN):
            yield HANG
        if not self._fault_in(FAULT_IN):
            return (yield from Disk.data_out(count))
        at = self.random.randrange(count)
        begin = yield from Disk.data_out(at)
        kind = self.random.choice(["short", "long", "strange", "strange", "restore", "saved",
                                   "away", "away, not saved"])
        if kind == "short":
            return begin
        if kind == "strange":
            event = self.random.choice(self._strange_events(bytes(at)))
            yield event
            if event == NO_STATUS:
                return begin
        elif kind == "restore":
            yield MSG_IN, RESTORE
        elif kind == "saved":
            yield MSG_IN, SAVE
        elif kind.startswith("away"):
            yield from unit.disconnect(save=kind == "away")
        if kind in ("restore", "away, not saved"):
            return (yield from Disk.data_out(count))
        rest = yield from Disk.data_out(count - at + (kind == "long"))
        return (begin + rest)[:count]

    # ---- Events between calls ---------------------------------------------------------

    def _events(self) -> None:
        if self._one_in(2):
            self._change_medium(self.random.choice(self.removable))
        if self._one_in(3):
            unit = self.random.choice(list(self.drives.values())).unit
            unit.write_protected = not unit.write_protected
        self.pc.bios.eject_answer = self.random.choice(EJECT_ANSWERS)

    def _change_medium(self, drive: Drive) -> None:
        if drive.unit.medium and self._one_in(3):
            drive.unit.take_out()
        else:
            self.media += 1
            drive.unit.insert(self.random.choice([1_000, 2_000, 2_048, 5_000]),
                              content(self.media, drive.unit.block_bytes))
            drive.change_pending = drive.changed = True

    def _reset_bus(self) -> None:
        """Another initiator resets the bus."""
        self.pc.bus.reset()
        self.pc.bus.on_reset()
        self.pc.chip.advance(MS)

    def _add_bad_block(self, call: Call) -> None:
        """Puts a bad block into the range of a call."""
        unit, (first, last) = call.drive.unit, call.drive.blocks(call.lba, call.count)
        bad = self.random.randint(first, last)
        sense = self.random.choice([(3, 0x11, 0), (3, 0x0C, 0), (1, 0x17, 0), (4, 0x44, 0),
                                    (0xB, 0x47, 0)])
        unit.bad_blocks = {bad: (*sense, self._one_in(2))}

    # ---- Calls ----------------------------------------------------------------------------

    def _far(self, linear: int) -> tuple[int, int]:
        """A random segment:offset for a linear address."""
        offset = self.random.choice([linear & 15, 0xFFF0 | linear & 15,
                                     self.random.randrange(0x1000) << 4 | linear & 15])
        segment = (linear - offset) >> 4
        if not 0 <= segment <= 0xFFFF:
            segment, offset = linear >> 4, linear & 15
        return segment, offset

    def _place(self, where: range, size: int) -> int:
        return self.random.randrange(where.start, where.stop - size)

    def _count(self, drive: Drive) -> int:
        count = self.random.choice([0, 1, 1, 2, 3, 7, 8, 9, self.random.randrange(128), 127, 128,
                                    self.random.randrange(255), 256])
        if drive.unit.unsupported == FEW_COMMANDS:
            count %= 16     # verified by reads of single blocks
        return min(count, len(FOR_BUFFERS) // drive.sector_bytes - 1)

    def _lba(self, drive: Drive) -> int:
        end = drive.sectors
        return self.random.choice([0, self.random.randrange(end), self.random.randrange(end),
                                   max(end - self.random.randrange(130), 0), end - 1, end,
                                   end + 1, self.random.getrandbits(32),
                                   self.random.getrandbits(64)])

    def _random_registers(self) -> dict[str, int]:
        names = ("eax", "ebx", "ecx", "edx", "esi", "edi", "ebp")
        registers = {name: self.random.getrandbits(32) for name in names}
        registers.update({name: self.random.getrandbits(16) for name in ("ds", "es", "fs", "gs")})
        function = self.random.choice([*READS * 4, *WRITES * 4, *CHS, *EDD, *OTHERS,
                                       self.random.randrange(256)])
        last = 0x80 + len(self.drives)
        drive = self.random.choice([*range(0x80, last), *range(0x80, last), last,
                                    self.random.randrange(256)])
        if function in (LOCK, EJECT, *CHANGE) and self._one_in(2):
            drive = self.random.choice(self.removable).number
        registers["eax"] = registers["eax"] & 0xFFFF00FF | function << 8
        registers["edx"] = registers["edx"] & 0xFFFFFF00 | drive
        return registers

    def make_call(self) -> Call:
        registers = self._random_registers()
        call = Call(registers, self.drives.get(registers["edx"] & 0xFF))
        like = call.drive or self.drives[0x80]      # calls for other drives use the same arguments
        if call.ah in CHS:
            self._make_chs(call, like)
        elif call.ah in EDD:
            self._make_packet(call, like)
        elif call.ah == PARAMETERS:
            call.size = self.random.choice([0, 1, 0x19, 0x1A, 0x1D, 0x1E, 0x41, 0x42, 0x49, 0x4A,
                                            0x4B, 0xFFFF])
            self._put_packet(call, struct.pack("<H", call.size) + self.random.randbytes(94))
        elif call.ah == 0x41 and not self._one_in(4):
            call.set_low("ebx", 0x55AA)
        elif call.ah in (LOCK, EJECT, 0x4E) and not self._one_in(4):
            call.set_al(self.random.choice([0, 1, 1, 2, 5]) if call.ah != EJECT else 0)
        return call

    def _make_chs(self, call: Call, drive: Drive) -> None:
        call.count = 1 if call.ah in SEEKS else self._count(drive)
        call.buffer = self._place(FOR_BUFFERS, call.count * drive.sector_bytes)
        call.set_al(call.count & 0xFF)
        call.registers["es"], offset = self._far(call.buffer)
        if self._one_in(20):
            call.registers["es"], offset = 0xFFFF, self.random.choice([0xFFF0, 0xFE10, 0x10])
            call.buffer = 0xFFFF0 + offset
        call.set_low("ebx", offset)
        cylinders, heads, sectors = drive.geometry
        cylinder = self.random.choice([0, self.random.randrange(cylinders), cylinders])
        head, sector = self.random.randrange(heads + 1), self.random.randrange(sectors + 2)
        cylinder, head, sector = min(cylinder, 1023), min(head, 255), min(sector, 63)
        call.set_low("ecx", (cylinder & 0xFF) << 8 | cylinder >> 2 & 0xC0 | sector)
        call.set_low("edx", head << 8 | call.registers["edx"] & 0xFF)
        call.judge_chs(drive, cylinder, head, sector)

    def _make_packet(self, call: Call, drive: Drive) -> None:
        call.count, call.lba = self._count(drive), self._lba(drive)
        call.size = self.random.choice([16, 16, 16, 24, 24, 32, 32, 31, 255,
                                        self.random.randrange(16)])
        call.is_long = call.size > 16 and self._one_in(3)
        if call.is_long and self._one_in(8):
            call.count = self.random.choice([0x200, 0x7FFFFF, 0xFFFFFFFF])
        call.is_flat = call.is_long or self._one_in(6)
        segment, offset = 0xFFFF, 0xFFFF
        if call.is_flat:
            call.buffer = self._flat(call.count * drive.sector_bytes)
        else:
            call.buffer = self._place(FOR_BUFFERS, call.count * drive.sector_bytes)
            segment, offset = self._far(call.buffer)
            if self._one_in(15):
                segment, offset = 0xFFFF, self.random.choice([0xFFF0, 0xFE10, 0x10])
                call.buffer = 0xFFFF0 + offset
        if call.is_long and self._one_in(2):
            segment, offset = self.random.getrandbits(16), self.random.getrandbits(16)
        self._put_packet(call, struct.pack(
            "<BBHHHQQI", call.size, self.random.randrange(256),
            COUNT_IS_LONG if call.is_long else call.count, offset, segment, call.lba,
            call.buffer if call.is_flat else self.random.getrandbits(64), call.count))
        if call.ah == 0x43 and not self._one_in(8):
            call.set_al(self.random.randrange(3))
        call.judge_packet(drive)

    def _flat(self, size: int) -> int:
        """An address in memory, or one that no bus master can reach."""
        if self._one_in(8) or size >= len(FOR_FLAT):
            return self.random.choice([FLAT_END, max(FLAT_END - size + 1, 0),
                                       self.random.getrandbits(64) | FLAT_END])
        small = [FOR_BUFFERS] if size < len(FOR_BUFFERS) else []
        return self._place(self.random.choice([FOR_FLAT, FOR_FLAT, *small]), size)

    def _put_packet(self, call: Call, packet: bytes) -> None:
        call.packet = self._place(FOR_PACKETS, 96)
        call.registers["ds"], offset = self._far(call.packet)
        call.set_low("esi", offset)
        self.pc.poke(call.packet, packet)

    # ---- Checks --------------------------------------------------------------------------------

    def _writable(self, call: Call) -> list[range]:
        """The memory that the call may change."""
        ranges = []
        # The old medium may have been larger
        stale = call.drive and call.drive.change_pending and call.wrong <= {NOT_FOUND}
        if call.ah in READS and (stale or not call.wrong):
            ranges.append(range(call.buffer, call.buffer + call.bytes))
        if call.ah in EDD and call.is_long and call.size >= 32:
            ranges.append(range(call.packet + 24, call.packet + 28))
        elif call.ah in EDD:
            ranges.append(range(call.packet + 2, call.packet + 4))
        elif call.ah == PARAMETERS:
            ranges.append(range(call.packet, call.packet + answer_bytes(call.size)))
        return ranges

    def run_call(self) -> None:
        if self._one_in(CHANGE_IN):
            self._events()
        self.call = call = self.make_call()
        self.disturbed = False
        self.journal.clear()
        if call.drive and call.accesses and self._one_in(BAD_IN):
            self._add_bad_block(call)
        # Not for functions that may report a change without sending a command.
        if call.drive and call.accesses and call.ah not in SEEKS and self._one_in(RESET_IN) \
                and not call.drive.unit.removable:
            self._reset_bus()
        if call.ah in WRITES and not call.wrong:
            call.data = self.pc.peek(call.buffer, call.bytes)
        flags = self.random.choice([0, 1]) | self.random.choice([0, 0x400]) \
            | self.random.choice([0, 0x200]) | self.random.choice([0, 0x8D4])
        changes = f"ah {CHANGES.get(call.ah, '')}"
        before = self.pc.peek(LAST_STATUS, 1)[0], self._commands()
        if call.drive:
            call.drive.before()
        possible = outcomes(call, self.pc.bios.eject_answer) if call.drive else set()
        result = self.pc.int13(*self._writable(call), changes=changes, flags=flags,
                               **call.registers)
        if call.drive:
            self._judge(call, result, possible, *before)
            call.drive.unit.bad_blocks = {}
        else:
            assert self._commands() == before[1], "a command was sent for another drive"

    def _commands(self) -> int:
        return sum(len(drive.unit.commands) for drive in self.drives.values())

    def _judge(self, call: Call, result: Result, possible: set[int], last_status: int,
               commands: int) -> None:
        status = self._status_of(call, result, last_status)
        self.statuses[status] += 1
        assert self.disturbed or status in possible, (
            f"status {status:02x}h, not one of {[f'{s:02x}h' for s in sorted(possible)]}")
        if not call.known:
            assert self._commands() == commands, "an unknown function sends no command"
        self._check_disks(call, status, self._good(call, result, status))
        if not self.disturbed and status == 0:
            check_answer(call, result, self.pc)
        call.drive.after(call, status, self.disturbed)

    def _status_of(self, call: Call, result: Result, last_status: int) -> int:
        """Checks that AH, CF and 40:74h agree, and returns the status."""
        now = self.pc.peek(LAST_STATUS, 1)[0]
        if call.ah == 0x01:
            assert now == result.ah == result.al == last_status and result.cf == (now != 0)
            return 0
        status = result.ah if result.cf else 0
        assert result.cf or result.ah == SUCCESS_AH.get(call.ah, 0)
        assert result.cf == (status != 0)
        assert status == now and status in KNOWN, f"status {status:02x}h"
        return status

    def _good(self, call: Call, result: Result, status: int) -> int:
        """The number of sectors that the call reports as good."""
        if call.ah in SEEKS or call.ah not in (*CHS, *EDD):
            return 0
        if call.ah in CHS:
            good = result.al
        elif call.is_long and call.size >= 32:
            good = struct.unpack("<I", self.pc.peek(call.packet + 24, 4))[0]
        else:
            good = self.pc.word(call.packet + 2)
        if status == 0x01 and call.wrong:
            return 0        # an invalid packet has no good sectors
        assert good == call.count if status == 0 else good < max(call.count, 1), f"{good} good"
        return good

    def _check_disks(self, call: Call, status: int, good: int) -> None:
        drive = call.drive
        if call.accesses and drive.change_pending:
            assert status, "a new medium is reported first"
        self._check_journal(call)
        if not self.disturbed and (least := known_good(call, status)) is not None:
            assert good == least, f"{good} sectors of {least} are good"
        if not good:
            return
        wanted = drive.read(call.lba, good)
        if call.ah in READS:
            assert self.pc.peek(call.buffer, len(wanted)) == wanted, "wrong data"
        if call.ah in WRITES:
            assert call.data[:len(wanted)] == wanted, "reported as written, but is not"

    def _check_journal(self, call: Call) -> None:
        """Each sector of the written blocks has its old content or the data to write."""
        drive, before = call.drive, {}
        for unit, block, old in self.journal:
            before.setdefault((id(unit), block), (unit, block, old))
        for unit, block, old in before.values():
            assert call.ah in WRITES and call.accesses, f"AH={call.ah:02x}h writes"
            assert unit is drive.unit and not drive.change_pending, "written to another medium"
            new = unit.block(block)
            for i in range(drive.split):
                part = slice(i * drive.sector_bytes, (i + 1) * drive.sector_bytes)
                at = block * drive.split + i - call.lba
                data = call.data[at * drive.sector_bytes:(at + 1) * drive.sector_bytes]
                inside = 0 <= at < call.count
                assert new[part] == old[part] or inside and new[part] == data, (
                    f"sector {at} of {call.count} is neither old nor new")


def run_calls(variant: str, calls: int, seed: int) -> Counter:
    """Makes this many calls. Returns the number of each status."""
    fuzz = Fuzz(variant, seed)
    hostile = HostileCaller(fuzz)
    for number in range(calls):
        story = fuzz
        try:
            if fuzz.random.randrange(CALLS_PER_HOSTILE):
                fuzz.run_call()
            else:
                story = hostile
                hostile.run_call()
        except Exception as error:
            error.add_note(f"{variant}: call {number} of seed {seed}: {story.call}")
            raise
    return fuzz.statuses


def run(seed: int) -> Counter:
    """PER_SEED calls."""
    return run_calls(VARIANTS[seed % len(VARIANTS)], PER_SEED, seed)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The serial EEPROMs of cards, on the general-purpose pins of a chip (chip.py).

    Eeprom          24C16: 2 KiB on two wires, SDA on GPIO0 and SCL on GPIO1
    TekramEeprom    93C46: 64 words, on GPIO0 (its output), 1 (input), 2 (clock), 4 (select)

The rules are the minimum times at 100 kHz, and that no two outputs drive one line.
[data sheets of the 24C16 and the 93C46]
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.model.registers import MS

SDA, SCL = 0x01, 0x02
BYTES, PAGE_BYTES = 2048, 16
SYMBIOS_AT, TEKRAM_AT, OWN_AT = 0x100, 0x40, 0x300
DEVICE_CODE = 0xA0

# Minimum times in ns
SCL_LOW, SCL_HIGH, START_SET_UP, START_HOLD, DATA_SET_UP, STOP_SET_UP, FREE = (
    4700, 4000, 4700, 4000, 250, 4700, 4700)
OUTPUT_NS = 3500    # most, from the fall of SCL to valid data


class PowerLoss(Exception):
    """The machine has lost its power; the EEPROM holds what it had stored."""


@dataclass
class Faults:
    """Clocks are rising edges of SCL, from the first one on. `torn` is the content of a
    page whose write cycle was cut short, made of the old one and the new one."""
    power_lost_at_clock: int | None = None
    power_lost_after_byte: int | None = None    # of those to write; it was acknowledged
    torn: Callable[[bytes, bytes], bytes] = lambda old, new: old
    silent_from_clock: int | None = None        # it never pulls SDA down again
    holds_from_clock: int | None = None         # it never releases SDA again
    stuck: dict[int, int] = field(default_factory=dict)     # levels of SDA or SCL
    write_protected: bool = False               # acknowledges, but stores nothing
    endless_write: bool = False                 # the first write cycle does not end


class Eeprom:
    """`write_ns` is the time of a write cycle. `cycles` counts them, and `written` lists
    the address and length of each."""

    def __init__(self, content: bytes = b"\xFF" * BYTES, write_ns: int = 7 * MS,
                 faults: Faults | None = None):
        assert len(content) == BYTES
        self._content = bytearray(content)
        self.write_ns = write_ns
        self._faults = faults or Faults()
        self.rule: Callable[[str, str], None] = lambda rule, detail: None
        self.clocks = self.bytes_written = 0
        self.written: list[tuple[int, int]] = []
        self._host, self._driven_high = SDA | SCL, 0
        self._pulls = self._pulls_next = False
        self._levels = self._lines()
        self._state = self._idle
        self._stage = ""                # device, address, data
        self._bits = self._byte = self._counter = 0
        self._to_write: dict[int, int] = {}
        self._cycle: tuple[int, bytes] | None = None    # page and content of a write cycle
        self.resumes = False            # the first transfer may be one that was cut short
        self.restart_time()

    # ---- For tests ----------------------------------------------------------------

    @property
    def faults(self) -> Faults:
        return self._faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        """A line that sticks from now on changes now, not at the next access, and this is no edge that
        the host makes."""
        self._faults = faults
        self._levels = self._lines()

    @property
    def content(self) -> bytes:
        """After the end of a write cycle"""
        content = bytearray(self._content)
        if self._cycle:
            page, new = self._cycle
            content[page:page + PAGE_BYTES] = new
        return bytes(content)

    @property
    def cycles(self) -> int:
        return len(self.written)

    def restart_time(self) -> None:
        """The machine has been reset, but not this chip."""
        self.now = self._busy_until = 0
        self._changed = {SDA: -FREE, SCL: -FREE}        # times
        self._started = self._stopped = self._pulls_at = -FREE

    def without_power(self) -> Eeprom:
        """The chip after a loss of power, with its content."""
        return type(self)(self.content, self.write_ns)

    def sending(self, address: int, bits: int) -> Eeprom:
        """As a machine leaves it that was reset while it read: it has sent some bits of a
        byte."""
        self._counter, self.resumes = address, True
        self._pulls_next = False
        self._begin_sending()
        for _ in range(bits):
            self._send_bit()
        self._pulls = self._pulls_next
        return self

    # ---- Lines --------------------------------------------------------------------

    def drive(self, now: int, high: int, driven: int) -> None:
        """The pins: which are outputs, and their levels. Pull-ups raise the others."""
        self._settle(now)
        self._host = (high | ~driven) & (SDA | SCL)
        self._driven_high = high & driven
        self._check_drivers()
        self._update()

    def _check_drivers(self) -> None:
        if self._pulls and self._driven_high & SDA:
            self.rule("EEPROM line driven against the chip", "SDA is driven high")

    def pulled(self, now: int) -> int:
        """The pins that are low although the host does not drive them low."""
        self._settle(now)
        return ~self._lines() & (SDA | SCL)

    def _lines(self) -> int:
        lines = self._host & ~(SDA if self._pulls else 0)
        for line, level in self.faults.stuck.items():
            lines = lines & ~line | (line if level else 0)
        return lines

    def _settle(self, now: int) -> None:
        """The output changes some time after the fall of SCL; a write cycle ends."""
        self.now = now
        if self._pulls != self._pulls_next and now >= self._pulls_at:
            self._pulls = self._pulls_next
            self._check_drivers()
            self._update(of_chip=True)
        if self._cycle and now >= self._busy_until:
            page, new = self._cycle
            self._content[page:page + PAGE_BYTES] = new
            self._cycle = None

    def _update(self, of_chip: bool = False) -> None:
        before, self._levels = self._levels, self._lines()
        changed = before ^ self._levels
        if changed == SDA | SCL and self._state != self._idle and (self._stage, self._bits) != ("device", 0):
            self.rule("EEPROM bus too fast", "SDA and SCL change together")
        if changed & SCL:
            (self._rises if self._levels & SCL else self._falls)()
            self._changed[SCL] = self.now
        elif changed & SDA:
            if of_chip:
                return
            self._changed[SDA] = self.now
            if self._levels & SCL:
                (self._stops if self._levels & SDA else self._starts)()

    def _at_least(self, ns: int, since: int, what: str) -> None:
        if self.now - since < ns:
            self.rule("EEPROM bus too fast", f"{what} is {self.now - since} ns, not {ns}")

    # ---- Edges --------------------------------------------------------------------

    def _rises(self) -> None:
        self._at_least(SCL_LOW, self._changed[SCL], "SCL low")
        self._at_least(DATA_SET_UP, self._changed[SDA], "data set-up")
        self._count_clock()
        self._state(True)

    def _falls(self) -> None:
        self._at_least(SCL_HIGH, self._changed[SCL], "SCL high")
        self._at_least(START_HOLD, self._started, "start hold")
        self._state(False)

    def _starts(self) -> None:
        self._at_least(START_SET_UP, self._changed[SCL], "start set-up")
        self._at_least(FREE, self._stopped, "bus free")
        self._check_boundary("START")
        self._started = self.now
        self._to_write = {}
        self._receive("device")

    def _stops(self) -> None:
        self._at_least(STOP_SET_UP, self._changed[SCL], "stop set-up")
        at_boundary = self._check_boundary("STOP")
        self._stopped = self.now
        if self._to_write and at_boundary:
            self._begin_cycle()
        self._to_write = {}
        self._become_idle()

    def _check_boundary(self, what: str) -> bool:
        """A byte may be cut short only if it was under way before."""
        within = self._state in (self._receiving, self._sending) and self._bits > 1
        if within and not self.resumes:
            self.rule("EEPROM byte cut short", f"{what} after {self._bits} bits")
        self.resumes = False
        return not within

    def _count_clock(self) -> None:
        self.clocks += 1
        if self.clocks == self.faults.power_lost_at_clock:
            self._lose_power()

    def _lose_power(self) -> None:
        if self._cycle:
            page, new = self._cycle
            old = bytes(self._content[page:page + PAGE_BYTES])
            self._content[page:page + PAGE_BYTES] = self.faults.torn(old, new)
            self._cycle = None
        raise PowerLoss(f"clock {self.clocks}, byte {self.bytes_written}")

    def _pull(self, low: bool) -> None:
        faults = self.faults
        if faults.silent_from_clock is not None and self.clocks >= faults.silent_from_clock:
            low = False
        if faults.holds_from_clock is not None and self.clocks >= faults.holds_from_clock:
            low = True
        self._pulls_next, self._pulls_at = low, self.now + OUTPUT_NS

    # ---- Bits: each state is called at both edges of SCL ------------------------------

    def _idle(self, rising: bool) -> None:
        """Waits for START."""

    def _become_idle(self) -> None:
        self._state = self._idle
        self._pull(False)

    def _receive(self, stage: str) -> None:
        self._stage, self._state = stage, self._receiving
        self._bits = self._byte = 0
        self._pull(False)

    def _receiving(self, rising: bool) -> None:
        if rising:
            self._bits += 1
            self._byte = self._byte << 1 & 0xFF | bool(self._levels & SDA)
        elif self._bits == 8:
            self._received(self._byte)

    def _received(self, byte: int) -> None:
        if self._stage == "device":
            if self.now < self._busy_until or byte & 0xF0 != DEVICE_CODE:
                self._become_idle()
                return
            self._counter = (byte & 0x0E) << 7 | self._counter & 0xFF
            self._stage = "read" if byte & 1 else "address"
        elif self._stage == "address":
            self._counter = self._counter & 0x700 | byte
            self._stage = "data"
        else:
            self._to_write[self._counter] = byte
            self._counter = self._counter & ~0xF | self._counter + 1 & 0xF
            self.bytes_written += 1
            if self.bytes_written == self.faults.power_lost_after_byte:
                self._lose_power()
        self._state = self._acknowledging
        self._pull(True)

    def _acknowledging(self, rising: bool) -> None:
        if rising:
            return
        if self._stage == "read":
            self._begin_sending()
        else:
            self._receive(self._stage)

    def _begin_sending(self) -> None:
        self._state, self._bits = self._sending, 0
        self._byte = self._content[self._counter]
        self._counter = (self._counter + 1) % BYTES
        self._send_bit()

    def _send_bit(self) -> None:
        self._pull(not self._byte & 0x80 >> self._bits)
        self._bits += 1

    def _sending(self, rising: bool) -> None:
        if rising:
            return
        if self._bits < 8:
            self._send_bit()
        else:
            self._state = self._waiting
            self._pull(False)

    def _waiting(self, rising: bool) -> None:
        """For the host to acknowledge"""
        if rising:
            self._byte = bool(self._levels & SDA)
        elif self._byte:
            self._become_idle()
        else:
            self._begin_sending()

    def _begin_cycle(self) -> None:
        page = next(iter(self._to_write)) & ~0xF
        new = bytearray(self._content[page:page + PAGE_BYTES])
        if not self.faults.write_protected:
            for at, byte in self._to_write.items():
                new[at - page] = byte
        self._cycle = page, bytes(new)
        self.written.append((min(self._to_write), len(self._to_write)))
        self._busy_until = self.now + (1 << 62 if self.faults.endless_write else self.write_ns)


# ---- 93C46 ------------------------------------------------------------------------

OUTPUT, INPUT, CLOCK, SELECT = 0x01, 0x02, 0x04, 0x10
WORDS, READ = 64, 0b10
LEAST_93C46 = 1000      # ns between two edges, from an older data sheet at 1 MHz: 500


class TekramEeprom:
    """Pull-downs keep it unselected. It is only read: writes are rule violations."""

    def __init__(self, words: list[int]):
        assert len(words) == WORDS
        self.words = words
        self.rule: Callable[[str, str], None] = lambda rule, detail: None
        self.clocks = self.reads = 0
        self._inputs = self._output = 0
        self._edge = -LEAST_93C46
        self._bits: list[int] = []

    def drive(self, now: int, high: int, driven: int) -> None:
        before, self._inputs = self._inputs, high & driven
        if driven & OUTPUT and self._inputs & SELECT:
            self.rule("EEPROM line driven against the chip", "the output of the 93C46")
        changed = before ^ self._inputs
        if changed & (CLOCK | SELECT) or changed & INPUT and self._inputs & CLOCK:
            if now - self._edge < LEAST_93C46:
                self.rule("EEPROM bus too fast", f"93C46: {now - self._edge} ns")
            self._edge = now
        if not self._inputs & SELECT:
            self._bits, self._output = [], 1
        elif changed & CLOCK and self._inputs & CLOCK:
            self._clock(bool(self._inputs & INPUT))

    def pulled(self, now: int) -> int:
        undriven = (INPUT | CLOCK | SELECT) & ~self._inputs
        return undriven | (OUTPUT if self._inputs & SELECT and not self._output else 0)

    def _clock(self, bit: bool) -> None:
        self.clocks += 1
        if not self._bits and not bit:
            return      # before the start bit
        self._bits.append(int(bit))
        count = len(self._bits)
        if count < 9:
            return
        opcode = self._bits[1] << 1 | self._bits[2]
        if count == 9 and opcode != READ:
            self.rule("93C46 written to", f"opcode {opcode:02b}")
        address = int("".join(map(str, self._bits[3:9])), 2)
        word, bit_number = divmod(count - 10, 16)
        if count == 9:
            self.reads += 1
            self._output = 0        # the dummy bit
        else:
            self._output = self.words[(address + word) % WORDS] >> 15 - bit_number & 1


def tekram_block(host_id: int = 7) -> bytes:
    """128 bytes: 16 targets, host, spare; the words sum to 1234h."""
    block = bytearray(b"\x3F\x00\x00\x00" * 16 + bytes(64))
    block[64:70] = host_id, 0x2B, 0x00, 0x03, 0x01, 0x00
    total = sum(int.from_bytes(block[at:at + 2], "little") for at in range(0, 126, 2))
    block[126:128] = (0x1234 - total & 0xFFFF).to_bytes(2, "little")
    return bytes(block)


def tekram_words(host_id: int = 7) -> list[int]:
    block = tekram_block(host_id)
    return [int.from_bytes(block[at:at + 2], "little") for at in range(0, 128, 2)]


def tekram_image(host_id: int = 7) -> bytes:
    """A 24C16 of a later Tekram board."""
    image = bytearray(b"\xFF" * BYTES)
    image[TEKRAM_AT:TEKRAM_AT + 128] = tekram_block(host_id)
    return bytes(image)

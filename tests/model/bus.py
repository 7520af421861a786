# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The SCSI bus between one initiator and its targets.

A target is a generator. Each `yield` is one event on the bus:

    (phase, byte)     REQ with that phase; for the phases towards the target
                      byte is None, and the yield returns the initiator's byte
    (phase, bytes)    towards the initiator: one REQ for each byte
    Take(phase, n)    towards the target: n REQs in sequence; the yield returns
                      the n bytes
    Bad(phase, byte)  a byte with wrong parity
    Delay(ns)         the target pauses
    FREE              the target leaves the bus
    Reselect()        the target reselects, after FREE
    HANG              the target never does anything again
    RESET             another device resets the bus

The generator resumes when the initiator drops ACK: while ACK is held, the
target waits. [SCSI-2 "Information transfer phases"]
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass

from tests.model.cable import Cable
from tests.model.disagreement import connect
from tests.model.transfer import NARROW, NONE, Agreement, Setting

DATA_OUT, DATA_IN, COMMAND, STATUS, MSG_OUT, MSG_IN = 0, 1, 2, 3, 6, 7
OUTGOING = (DATA_OUT, COMMAND, MSG_OUT)
AFTER_FREE_NS = 2_000


@dataclass(frozen=True)
class Delay:
    ns: int


@dataclass(frozen=True)
class Reselect:
    target: int | None = None  # ID to reselect with; None: its own


@dataclass(frozen=True)
class Take:
    phase: int
    count: int


@dataclass(frozen=True)
class Bad:
    phase: int
    byte: int
    before: bytes = b""     # of the same phase, in the same words


def message_codes(data: bytes | list[int]) -> list[int]:
    """The first byte of each of several messages. [SCSI-2 "Message formats"]"""
    codes, at = [], 0
    while at < len(data):
        codes.append(data[at])
        if data[at] == 0x01 and at + 1 < len(data):
            at += 1 + (data[at + 1] or 256)
        elif 0x20 <= data[at] <= 0x2F:
            at += 1
        at += 1
    return codes


class Event:
    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


FREE, HANG, RESET = Event("FREE"), Event("HANG"), Event("RESET")


def played(events: Iterable) -> Generator:
    """Return any sequence of events as a generator."""
    yield from events


@dataclass(eq=False)
class Nexus:
    """One command of one target, connected or not."""
    target: int
    events: Generator
    ready_at: int | None = None     # time of its next event, if it needs no initiator
    reselect_id: int | None = None   # the ID it reselects with
    lun: int = 0                    # from IDENTIFY


@dataclass
class Request:
    """A pending REQ. `data` holds the bytes offered; without it, the target
    requests `requested` bytes."""
    phase: int
    data: bytes | None
    requested: int = 0
    in_bulk: bool = False       # a Take: the target receives all bytes together
    bad_parity: bool = False
    given: bytes = b""
    seen: Callable[[bytes], bytes] = bytes  # what the target sees of them
    hangs: bool = False         # after it the target waits for the initiator
    gross_error: bool = False   # as it has sent more REQs than the initiator permits

    @property
    def answer(self) -> bytes | int | None:
        """The value the target's generator receives."""
        given = self.seen(self.given)
        if self.in_bulk:
            return given
        return given[0] if given else None

    @classmethod
    def made_by(cls, event: tuple | Take | Bad) -> Request:
        if isinstance(event, Take):
            return cls(event.phase, None, event.count, in_bulk=True)
        if isinstance(event, Bad):
            return cls(event.phase, event.before + bytes([event.byte]), bad_parity=True)
        phase, data = event
        return cls(phase, bytes([data]) if isinstance(data, int) else data, int(data is None))


class Bus:
    """The lines and the nexuses: at most one is connected, others are disconnected."""

    def __init__(self) -> None:
        self.targets: dict[int, object] = {}
        self.now = 0
        self.atn = False
        self.stuck_busy = False     # BSY is held forever
        self._stuck_reset = False
        self.busy_until = 0         # another initiator uses the bus until then
        self.setting: Callable[[], Setting] = lambda: NARROW    # of the initiator
        self.cable: Cable | None = None     # a bad one
        self.nexus: Nexus | None = None
        self.away: list[Nexus] = []
        self.request: Request | None = None
        self.data_ns = 0            # time of all data phases
        self.cdb = b""              # sent to the target that was selected last
        self.further_at: int | None = None  # when a unit last got further, or the first selection since
        self.waited_ns = 0                  # longest time since in which none did
        self.slow_command = False           # START STOP UNIT has been sent
        self.on_free: Callable[[], None] = lambda: None
        self.on_reset: Callable[[], None] = lambda: None

    @property
    def stuck_reset(self) -> bool:
        """RST is held forever."""
        return self._stuck_reset

    @stuck_reset.setter
    def stuck_reset(self, held: bool) -> None:
        self._stuck_reset = held
        if held:
            self.reset()
            self.on_reset()

    @property
    def connected(self) -> int | None:
        """ID of the target that holds the bus."""
        return self.nexus.target if self.nexus else None

    @property
    def agreed(self) -> Agreement:
        """Of the connected target. One that knows no messages is asynchronous."""
        return getattr(self.targets.get(self.nexus.target), "agreed", NONE)

    @property
    def known(self) -> Agreement:
        """The agreement as the initiator can know it."""
        return getattr(self.targets.get(self.nexus.target), "known", NONE)

    @property
    def free(self) -> bool:
        return not (self.nexus or self.stuck_busy or self.stuck_reset
                    or self.now < self.busy_until)

    @property
    def is_alive(self) -> bool:
        """An event may occur without the initiator."""
        return self.nexus is not None or bool(self.away) or self.now < self.busy_until

    # ---- Waiting (Pc) ---------------------------------------------------------

    def restart_waiting(self) -> None:
        """A call or POST begins."""
        self.further_at, self.waited_ns, self.slow_command = None, 0, False

    def got_further(self) -> None:
        """A unit has moved data or named its size, or the call ends."""
        if self.further_at is not None:
            self.waited_ns = max(self.waited_ns, self.now - self.further_at)
            self.further_at = self.now

    # ---- Initiator's side ---------------------------------------------------

    def select(self, target: int, atn: bool) -> None:
        """Select a target that exists."""
        if self.further_at is None:
            self.further_at = self.now
        self.atn, self.cdb = atn, b""
        self.nexus = Nexus(target, played(self.targets[target].session(self)))
        self._advance(self.nexus, None)

    def take(self, most: int) -> bytes:
        """Take up to `most` of the offered bytes; ACK stays asserted after the last."""
        request = self.request
        taken, request.data = request.data[:most], request.data[most:]
        return taken

    def give(self, data: bytes) -> None:
        """Send some of the requested bytes; ACK stays asserted after the last."""
        if self.request.phase == COMMAND:
            self.cdb += data
        self.request.given += data
        self.request.requested -= len(data)

    def release(self) -> None:
        """Drop ACK: the target sees the end of the handshake."""
        request = self.request
        if request.data or request.requested:
            return
        self.request = None
        if not request.hangs:
            self._advance(self.nexus, request.answer)

    def reset(self) -> None:
        """RST: all targets lose their state."""
        self.nexus = self.request = None
        self.busy_until = 0
        self.away.clear()
        self.atn = False
        for device in self.targets.values():
            device.reset()

    def reselector(self) -> Nexus | None:
        """The nexus whose target is reselecting the initiator."""
        for nexus in self.away if self.away and self.free else ():
            if nexus.reselect_id is not None:
                return nexus
        return None

    def reconnect(self) -> None:
        """Answer a reselection."""
        self.nexus = self.reselector()
        self.away.remove(self.nexus)
        self.nexus.target, self.nexus.reselect_id = self.nexus.reselect_id, None
        self._advance(self.nexus, None)

    def abandon(self, lun: int | None = None) -> None:
        """The connected target drops its disconnected commands: those of one
        unit, or all."""
        me = self.nexus.target
        for nexus in [n for n in self.away if n.target == me and lun in (None, n.lun)]:
            nexus.ready_at = None
            self.away.remove(nexus)

    # ---- Time -----------------------------------------------------------------

    def next_event(self) -> int | None:
        """Time of the next event that needs no initiator."""
        if not self.is_alive:
            return None
        times = [n.ready_at for n in [self.nexus, *self.away] if n and n.ready_at is not None]
        if self.now < self.busy_until:
            times.append(self.busy_until)
        return min(times, default=None)

    def poll(self) -> None:
        """Process the events that are due."""
        for nexus in [self.nexus, *self.away] if self.is_alive else ():
            if nexus and nexus.ready_at is not None and self.now >= nexus.ready_at:
                self._advance(nexus, None)

    # ---- Target's side --------------------------------------------------------

    def begin(self, target: int, events: Iterable) -> None:
        """A command started before the ROM ran: its target is disconnected."""
        nexus = Nexus(target, played(events))
        self.away.append(nexus)
        self._advance(nexus, None)

    def _advance(self, nexus: Nexus, answer: bytes | int | None) -> None:
        """Run the target's generator to its next event."""
        nexus.ready_at = None
        ended = False
        try:
            event = nexus.events.send(answer)
        except StopIteration:
            event, ended = FREE, True
        if nexus is not self.nexus and isinstance(event, (tuple, Take, Bad)):
            self.away.remove(nexus)     # left without Reselect(): never returns
            return
        if isinstance(event, (tuple, Take, Bad)):
            self._ask(Request.made_by(event))
        elif isinstance(event, Delay):
            nexus.ready_at = self.now + event.ns
        elif isinstance(event, Reselect):
            nexus.reselect_id = nexus.target if event.target is None else event.target
        elif event is FREE:
            self._leave(nexus, ended)
        elif event is RESET:
            self.reset()
            self.on_reset()
        # HANG: no event

    def _ask(self, request: Request) -> None:
        self.request = request
        if request.phase <= DATA_IN:
            agreed, setting = self.agreed, self.setting()
            if agreed is not NONE or setting is not NARROW:
                connect(request, agreed, setting)
                if self.cable:
                    self.cable.carry(request, agreed)

    def _leave(self, nexus: Nexus, ended: bool) -> None:
        if nexus is self.nexus:
            self.nexus = self.request = None
            if not ended:
                self.away.append(nexus)
                nexus.ready_at = self.now + AFTER_FREE_NS
            self.on_free()
        elif ended:
            self.away.remove(nexus)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The SCSI bus between one initiator and its targets.

A target is a generator. Each `yield` is one event on the bus:

    (phase, byte)     REQ with that phase; for the phases towards the target
                      byte is None, and the yield returns the initiator's byte
    Delay(ns)         nothing happens for so long
    FREE              the target leaves the bus
    Reselect()        the target comes back, after FREE
    HANG              nothing ever happens again
    RESET             somebody resets the bus

The generator moves on when the initiator has dropped ACK: a byte whose ACK is
held keeps the target waiting. [SCSI-2 "Information transfer phases"]
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

DATA_OUT, DATA_IN, COMMAND, STATUS, MSG_OUT, MSG_IN = 0, 1, 2, 3, 6, 7
OUTGOING = (DATA_OUT, COMMAND, MSG_OUT)


@dataclass(frozen=True)
class Delay:
    ns: int


@dataclass(frozen=True)
class Reselect:
    target: int | None = None  # None: the one that disconnected


class Event:
    def __init__(self, name: str):
        self.name = name

    def __repr__(self) -> str:
        return self.name


FREE, HANG, RESET = Event("FREE"), Event("HANG"), Event("RESET")

Session = Generator


class Bus:
    """The lines, and the one nexus there can be at a time."""

    def __init__(self) -> None:
        self.targets: dict[int, object] = {}
        self.atn = False
        self.stuck_busy = False  # somebody holds BSY for ever
        self.stuck_reset = False
        self._session: Session | None = None
        self.connected: int | None = None
        self.request: tuple[int, int | None] | None = None  # REQ: phase, byte
        self.ready_at = 0
        self.waiting_reselect: Reselect | None = None
        self.fell_free = False   # the target has just left the bus
        self.was_reset = False
        self.now = 0

    # ---- Initiator's side ---------------------------------------------------

    def select(self, target: int, atn: bool) -> bool:
        """Select a target. False if nobody answers."""
        device = self.targets.get(target)
        if device is None:
            return False
        self.atn = atn
        self.connected = target
        self._session = device.session(self)
        self._advance(None)
        return True

    def poll(self) -> None:
        """Let time do its work."""
        if self.connected is not None and self.request is None and self._pending_delay():
            self._advance(None)
        elif self.connected is None and self._session and self._pending_delay():
            self._advance(None)

    def _pending_delay(self) -> bool:
        return self.delayed and self.now >= self.ready_at

    delayed = False  # the target is in a Delay

    def take(self, value: int | None) -> int | None:
        """Handshake the byte that REQ offers or asks for, up to ACK. The
        target goes on only with release()."""
        assert self.request is not None
        phase, byte = self.request
        self._answer = value if phase in OUTGOING else None
        return byte

    def release(self) -> None:
        """Drop ACK: the target sees the end of the handshake."""
        answer, self._answer = self._answer, None
        self.request = None
        self._advance(answer)

    _answer: int | None = None

    def reset(self) -> None:
        """RST: all targets forget everything."""
        self._drop()
        self._session = None
        self.waiting_reselect = None
        self.fell_free = False
        self.atn = False
        for device in self.targets.values():
            device.reset()

    def reconnect(self) -> int:
        """The initiator has answered a reselection; returns who it was."""
        assert self.waiting_reselect is not None and self._session is not None
        who = self.waiting_reselect.target
        self.waiting_reselect = None
        self.connected = who
        self._advance(None)
        return who

    # ---- Target's side --------------------------------------------------------

    def _drop(self) -> None:
        self.connected = None
        self.request = None
        self.delayed = False

    def _advance(self, answer: int | None) -> None:
        """Run the target's generator to its next event."""
        self.delayed = False
        try:
            event = self._session.send(answer)
        except StopIteration:
            event = FREE
            self._session = None
        if isinstance(event, tuple):
            self.request = event
        elif isinstance(event, Delay):
            self.delayed = True
            self.ready_at = self.now + event.ns
        elif isinstance(event, Reselect):
            self.waiting_reselect = Reselect(event.target if event.target is not None
                                             else self._owner)
        elif event is FREE:
            self._owner = self.connected
            self._drop()
            self.fell_free = True
            if self._session is not None:
                # what the target does next happens on a free bus
                self.delayed = True
                self.ready_at = self.now + 2_000
        elif event is RESET:
            self.was_reset = True
            self.reset()
        # HANG: nothing at all

    _owner: int | None = None

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The transfer agreement of a target with its initiator: how messages make and end it.
disagreement.py has what it does to data.

[SCSI-2 "Synchronous data transfer request", "Wide data transfer request", "Message
reject", "Asynchronous and synchronous information transfer"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from tests.model.bus import DATA_IN, DATA_OUT, MSG_IN, MSG_OUT, Bad, Bus, Delay, Take
from tests.model.transfer import NONE, Agreement

EXTENDED, REJECT = 0x01, 0x07
SDTR, WDTR = 0x01, 0x03
LENGTHS = {SDTR: 3, WDTR: 2}
FAST_10 = 25                    # period factor of 100 ns
WBUS16, SYNC = 0x20, 0x10       # INQUIRY byte 7
FAST_AND_WIDE = Agreement(8, 1, FAST_10)


IGNORE_WIDE_RESIDUE = bytes([0x23, 1])


class Offer(NamedTuple):
    kind: int
    value: int      # offset, or width exponent
    factor: int = 0


def offer(kind: int, value: int, period: int = FAST_10) -> bytes:
    """SDTR with an offset, or WDTR with a width exponent."""
    return bytes([EXTENDED, 3, SDTR, period, value] if kind == SDTR else [EXTENDED, 2, WDTR, value])


def offers_in(messages: list[int]) -> list[Offer]:
    """Each SDTR and WDTR among messages."""
    found, at = [], 0
    while at < len(messages):
        length = 1
        if messages[at] == EXTENDED and at + 2 < len(messages):
            length = 2 + (messages[at + 1] or 256)
            kind = messages[at + 2]
            if LENGTHS.get(kind) == messages[at + 1] and at + length <= len(messages):
                found.append(Offer(kind, messages[at + length - 1], messages[at + 3] if kind == SDTR else 0))
        at += length
    return found


def changed(agreed: Agreement, **parts: int) -> Agreement:
    made = replace(agreed, **parts)
    return NONE if made == NONE else made


def is_data_in(event: object) -> bool:
    return (isinstance(event, tuple) and event[0] == DATA_IN
            or isinstance(event, Bad) and event.phase == DATA_IN)


class View:
    """A field of a Disk that shows a part of its agreement: assigning True makes that part."""

    def __init__(self, part: str, made: dict[str, int]):
        self._part, self._made = part, made

    def __get__(self, disk: Negotiator | None, owner: type) -> bool | None:
        return None if disk is None else getattr(disk.agreed, self._part) > 0

    def __set__(self, disk: Negotiator, value: bool | None) -> None:
        if value is not None:       # None: not given to the constructor
            disk.agreed = changed(disk.agreed, **{part: made * value for part, made in self._made.items()})


class Negotiator:
    """A part of Disk. `agreed` is what it does, `known` what its initiator can know of that: they
    differ after a power cycle, and if another driver has made an agreement."""

    agreed: Agreement
    known: Agreement
    able: Agreement | None          # what it can do at most; None: FAST_AND_WIDE, but INQUIRY denies it
    negotiates: tuple[int, ...]     # the messages that it implements
    answer_offer: Callable[[int, int], bytes | None] | None     # replaces its answer
    ignores_atn: bool
    messages: list[list[int]]
    reset: Callable[[], None]

    @property
    def transfer_flags(self) -> int:
        """INQUIRY byte 7."""
        able = self.able or NONE
        return (WBUS16 if able.width else 0) | (SYNC if able.offset else 0)

    def end_agreement(self) -> None:
        self.agreed = self.known = NONE

    def power_cycle(self) -> None:
        """The initiator does not notice."""
        known = self.known
        self.reset()
        self.known = known

    def agree(self, offered: Offer) -> None:
        """Whoever accepts WDTR becomes asynchronous, whatever the width."""
        if offered.kind == WDTR:
            self.agreed = changed(NONE, width=offered.value)
        else:
            factor = offered.factor if offered.value else 0
            self.agreed = changed(self.agreed, offset=offered.value, factor=factor)
        self.known = self.agreed

    def negotiate(self, bus: Bus, messages: list[int]) -> Iterator:
        """Answer the offers among messages, and those that the initiator sends in turn.
        Returns the messages that followed."""
        later: list[int] = []
        offers = offers_in(messages)
        while offers:
            answer, made = self._answer(offers.pop(0))
            if answer is None:
                continue
            yield MSG_IN, answer
            replies = (yield from self._replies(bus)) if bus.atn else []
            later += replies
            if made:    # an answer that is rejected makes the default
                self.agree(made if REJECT not in replies else Offer(made.kind, 0))
            offers += offers_in(replies)
        return later

    def negotiate_first(self, *offers: bytes) -> Callable[[Bus], Iterator]:
        """For `before_command` and the other hooks with a bus: the target begins. Its initiator
        answers with the same message, or by anything else makes the default."""
        def hook(bus: Bus) -> Iterator:
            for message in offers:
                yield MSG_IN, message
                replies = (yield from self._replies(bus)) if bus.atn else []
                kind = message[2]
                answers = [answer for answer in offers_in(replies) if answer.kind == kind]
                self.agree(answers[0] if answers else Offer(kind, 0))
        return hook

    def _answer(self, offered: Offer) -> tuple[bytes | None, Offer | None]:
        """The message for an offer, and the agreement that it makes unless it is
        rejected."""
        if self.answer_offer is not None:
            answer = self.answer_offer(offered.kind, offered.value)
            return answer, next(iter(offers_in([*(answer or b"")])), None)
        if offered.kind not in self.negotiates:
            return bytes([REJECT]), None
        able = self.able or FAST_AND_WIDE
        value = min(offered.value, able.offset if offered.kind == SDTR else able.width)
        made = Offer(offered.kind, value, max(offered.factor, able.factor) if offered.kind == SDTR else 0)
        return offer(made.kind, made.value, made.factor), made

    def in_words(self, events: Iterator) -> Iterator:
        """The data phases of a wide target. A word may belong to two events. Before another
        phase in, half a word is completed, and a message says so; of a word out, the second
        byte is for the next event. [SPI-2 "IGNORE WIDE RESIDUE"]"""
        half, bad, ahead, answer = b"", False, b"", None
        while True:
            try:
                event = events.send(answer)
            except StopIteration:
                event = None
            if is_data_in(event):
                data, now_bad = (event[1], False) if isinstance(event, tuple) else (bytes([event.byte]), True)
                data, bad = half + (bytes([data]) if isinstance(data, int) else data), bad or now_bad
                whole, half, answer = data[:len(data) & ~1], data[len(data) & ~1:], None
                if whole:
                    yield Bad(DATA_IN, whole[-1], whole[:-1]) if bad else (DATA_IN, whole)
                    bad = now_bad and bool(half)
                continue
            if half and not isinstance(event, Delay):
                yield Bad(DATA_IN, half[0]) if bad else (DATA_IN, half)
                yield MSG_IN, IGNORE_WIDE_RESIDUE
                half, bad = b"", False
            if event is None:
                return
            if isinstance(event, Take) and event.phase == DATA_OUT:
                ahead += (yield Take(DATA_OUT, event.count - len(ahead) + 1 & ~1)) if event.count > len(ahead) else b""
                answer, ahead = ahead[:event.count], ahead[event.count:]
            else:
                answer = yield event

    def _replies(self, bus: Bus) -> Iterator:
        taken = []
        while bus.atn and not self.ignores_atn:
            taken.append((yield MSG_OUT, None))
        self.messages.append(taken)
        return taken

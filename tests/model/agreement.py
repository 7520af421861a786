# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The transfer agreement of a target with its initiator: how messages make and end
it, and what it does to the data of a narrow, asynchronous initiator.

[SCSI-2 "Synchronous data transfer request", "Wide data transfer request", "Message
reject", "Asynchronous and synchronous information transfer"]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.model.bus import DATA_IN, DATA_OUT, HANG, MSG_IN, MSG_OUT, Bus, Take

EXTENDED, REJECT = 0x01, 0x07
SDTR, WDTR = 0x01, 0x03
LENGTHS = {SDTR: 3, WDTR: 2}
MOST_OFFSET, MOST_WIDTH = 8, 1
MOST_MISSED = 7     # REQ pulses that an asynchronous initiator misses: the offset less one


def offer(kind: int, value: int, period: int = 25) -> bytes:
    """SDTR with an offset, or WDTR with a width exponent."""
    return bytes([EXTENDED, 3, SDTR, period, value] if kind == SDTR else [EXTENDED, 2, WDTR, value])


def offers_in(messages: list[int]) -> list[tuple[int, int]]:
    """Kind and value of each SDTR and WDTR among messages."""
    found, at = [], 0
    while at < len(messages):
        length = 1
        if messages[at] == EXTENDED and at + 2 < len(messages):
            length = 2 + (messages[at + 1] or 256)
            kind = messages[at + 2]
            if LENGTHS.get(kind) == messages[at + 1] and at + length <= len(messages):
                found.append((kind, messages[at + length - 1]))
        at += length
    return found


class Negotiator:
    """A part of Disk. `fast_and_wide` is a wide agreement, with or without an offset,
    and `synchronous` a narrow one with an offset."""

    fast_and_wide: bool
    synchronous: bool
    negotiates: tuple[int, ...]     # the messages that it implements
    answer_offer: Callable[[int, int], bytes | None] | None     # replaces its answer
    ignores_atn: bool
    messages: list[list[int]]

    def end_agreement(self) -> None:
        self.fast_and_wide = self.synchronous = False

    def agree(self, kind: int, value: int) -> None:
        """Whoever accepts WDTR becomes asynchronous, whatever the width."""
        if kind == WDTR:
            self.fast_and_wide, self.synchronous = value > 0, False
        else:
            self.synchronous = value > 0

    def negotiate(self, bus: Bus, messages: list[int]) -> Iterator:
        """Answer the offers among messages, and those that the initiator sends in turn.
        Returns the messages that followed."""
        later: list[int] = []
        offers = offers_in(messages)
        while offers:
            kind, value = offers.pop(0)
            answer, made = self._answer(kind, value)
            if answer is None:
                continue
            yield MSG_IN, answer
            replies = (yield from self._replies(bus)) if bus.atn else []
            later += replies
            if made and REJECT not in replies:
                self.agree(*made)
            elif made:      # an answer that is rejected: the default
                self.agree(kind, 0)
            offers += offers_in(replies)
        return later

    def _answer(self, kind: int, value: int) -> tuple[bytes | None, tuple[int, int] | None]:
        """The message for an offer, and the agreement that it makes unless it is
        rejected."""
        if self.answer_offer is not None:
            answer = self.answer_offer(kind, value)
            return answer, next(iter(offers_in([*(answer or b"")])), None)
        if kind not in self.negotiates:
            return bytes([REJECT]), None
        value = min(value, MOST_OFFSET if kind == SDTR else MOST_WIDTH)
        return offer(kind, value), (kind, value)

    def _replies(self, bus: Bus) -> Iterator:
        taken = []
        while bus.atn and not self.ignores_atn:
            taken.append((yield MSG_OUT, None))
        self.messages.append(taken)
        return taken

    # ---- Data of a narrow, asynchronous initiator --------------------------------------

    def send_agreed(self, data: bytes) -> Iterator:
        """Wide: the initiator sees one byte of two. Synchronous: while its ACK is
        asserted it misses REQ, and the target waits for the missing ACKs."""
        if self.fast_and_wide:
            data = data[::2]
        missed = self._missed(len(data))
        if len(data) > missed:
            yield DATA_IN, bytes(data[:len(data) - missed])
        if missed:
            yield HANG

    def take_agreed(self, count: int) -> Iterator:
        """Returns the bytes received. Wide: the upper half of the bus is not driven, and
        the target does not check parity."""
        if not count:
            return b""
        if self.fast_and_wide:
            taken = yield Take(DATA_OUT, (count + 1) // 2)
            return bytes(byte for low in taken for byte in (low, 0))[:count]
        missed = self._missed(count)
        taken = yield Take(DATA_OUT, count - missed)
        if missed:
            yield HANG
        return taken

    def _missed(self, count: int) -> int:
        return min(MOST_MISSED, count // 2) if self.synchronous else 0

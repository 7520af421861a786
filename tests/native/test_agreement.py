# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The messages by which lsi/ makes a target asynchronous and narrow: WDTR after
IDENTIFY, and SDTR if WDTR is rejected. [SCSI-2 "Wide data transfer request",
"Synchronous data transfer request"]
"""

from __future__ import annotations

import pytest

from tests.model.agreement import EXTENDED, REJECT, SDTR, WDTR, offer
from tests.model.bus import FREE, HANG, MSG_IN, MSG_OUT
from tests.model.registers import DSA, ISTAT, SRST, SXFER
from tests.model.target import Disk
from tests.native.native import DATA_IN, DATA_OUT, Native, read10, write10
from tests.native.test_native import blocks, reads_well, scsi_result

IDENTIFY = 0x80
OUR_WDTR = [EXTENDED, 2, WDTR, 0]
OUR_SDTR = [EXTENDED, 3, SDTR, 50, 0]
FIRST = [IDENTIFY, *OUR_WDTR]


def doubted(library, **options) -> tuple[Native, Disk]:
    """A disk at ID 2 whose agreement is doubtful, without a UNIT ATTENTION."""
    disk = Disk()
    native = Native(library, {2: disk})
    disk.attentions.clear()
    for name, value in options.items():
        setattr(disk, name, value)
    assert not native.reset()
    assert not disk.messages, "no command is sent"
    return native, disk


def check_settled(native: Native, disk: Disk) -> None:
    """The next command sends no more than IDENTIFY."""
    disk.messages.clear()
    reads_well(native, disk)
    assert disk.messages == [[IDENTIFY]]


# ---- Answers of the target -----------------------------------------------------------


@pytest.mark.parametrize("agreement", ["fast_and_wide", "synchronous"])
def test_accepted_wdtr_ends_both_agreements(library, agreement):
    native, disk = doubted(library, **{agreement: True})
    reads_well(native, disk)
    assert disk.messages == [FIRST], "the answer is not answered"
    check_settled(native, disk)


def test_sdtr_is_sent_if_wdtr_is_rejected(library):
    native, disk = doubted(library, synchronous=True, negotiates=(SDTR,))
    reads_well(native, disk)
    assert disk.messages == [FIRST, OUR_SDTR]
    check_settled(native, disk)


def test_target_that_rejects_both_is_served(library):
    native, disk = doubted(library, negotiates=())
    reads_well(native, disk)
    assert disk.messages == [FIRST, OUR_SDTR]
    check_settled(native, disk)


@pytest.mark.parametrize("kind, sent", [(WDTR, [FIRST, [REJECT]]), (SDTR, [FIRST, OUR_SDTR, [REJECT]])],
                         ids=["WDTR", "SDTR"])
def test_larger_answer_is_rejected(library, kind, sent):
    def answer(asked, value):
        return offer(asked, 1) if asked == kind else bytes([REJECT])
    native, disk = doubted(library, answer_offer=answer)
    reads_well(native, disk)
    assert disk.messages == sent
    check_settled(native, disk)


def test_target_that_does_not_answer_is_not_asked_again(library):
    native, disk = doubted(library, answer_offer=lambda kind, value: None)
    reads_well(native, disk)
    assert disk.messages == [FIRST]
    check_settled(native, disk)


@pytest.mark.parametrize("kind, value, answer", [(SDTR, 8, [EXTENDED, 3, SDTR, 25, 0]), (WDTR, 1, OUR_WDTR)],
                         ids=["SDTR", "WDTR"])
def test_later_offer_of_the_target_is_answered(library, kind, value, answer):
    native, disk = doubted(library)

    def offers(bus):
        yield MSG_IN, offer(kind, value)
        replies = []
        while bus.atn:
            replies.append((yield MSG_OUT, None))
        disk.messages.append(replies)
    disk.before_command = offers
    reads_well(native, disk)
    assert disk.messages == [FIRST, answer]


def test_message_is_sent_again_as_a_whole(library):
    native, disk = doubted(library, fast_and_wide=True)
    message_out, left = disk.message_out, [1]

    def twice(bus):
        messages = yield from message_out(bus)
        if left and left.pop():
            messages = [(yield MSG_OUT, None)]
            messages += yield from message_out(bus)
        return messages
    disk.message_out = twice
    reads_well(native, disk)
    assert disk.messages[0] == FIRST and disk.messages[1] == FIRST[1:]


def test_unfinished_exchange_is_repeated_when_data_comes_short(library):
    """Not at once: the target may not endure it."""
    native, disk = doubted(library, fast_and_wide=True)
    negotiate = disk.negotiate
    disk.negotiate = lambda bus, messages: iter([FREE, HANG])
    native.prepare(read10(1, 1), DATA_IN, 512, 2)
    assert native.execute() == "BUS_FREE"
    disk.negotiate = negotiate
    disk.attentions.clear()
    native.prepare(read10(1000, 3), DATA_IN, 3 * 512, 2)
    assert scsi_result(native.command()) == "SCSI_OK"
    assert native.data() == blocks(disk, 1000, 3)
    assert disk.messages == [FIRST, [IDENTIFY], FIRST]


# ---- When they are sent ---------------------------------------------------------------


def test_short_data_makes_an_agreement_doubtful(library):
    disk = Disk()
    native = Native(library, {2: disk})
    disk.attentions.clear()
    disk.fast_and_wide = True
    native.prepare(read10(1000, 3), DATA_IN, 3 * 512, 2)
    assert scsi_result(native.command()) == "SCSI_OK"
    assert native.data() == blocks(disk, 1000, 3)
    assert disk.messages == [[IDENTIFY], FIRST]


def test_data_out_that_was_taken_in_part_is_sent_again(library):
    disk = Disk()
    native = Native(library, {2: disk})
    disk.attentions.clear()
    disk.fast_and_wide = True
    native.prepare(write10(50, 2), DATA_OUT, 1024, 2)
    native.set_data(b"\x11\x22\x33\x44" * 256)
    assert scsi_result(native.command()) == "SCSI_OK"
    assert blocks(disk, 50, 2) == b"\x11\x22\x33\x44" * 256
    assert disk.messages == [[IDENTIFY], FIRST]


def test_target_that_always_sends_too_little_is_an_error(library):
    """The retries are bounded, and each of them makes the agreement anew."""
    disk = Disk()
    native = Native(library, {2: disk})
    disk.attentions.clear()
    disk.data_hook = lambda bus, data: Disk.data_in(data[:256])
    native.prepare(read10(1000, 1), DATA_IN, 512, 2)
    assert scsi_result(native.command()) == "SCSI_SHORT_DATA"
    assert disk.messages == [[IDENTIFY], *4 * [FIRST]]


# ---- Traces of another driver ------------------------------------------------------------


def resets_chip(native: Native) -> None:
    native.chip.cpu_write(ISTAT, SRST, 1)
    native.chip.cpu_write(ISTAT, 0, 1)


def uses_table(native: Native) -> None:
    native.chip.cpu_write(DSA, 0x1000, 4)
    native.chip.cpu_write(SXFER, 0x08, 1)


@pytest.mark.parametrize("trace", [resets_chip, uses_table])
def test_no_data_moves_before_the_chip_is_set_up_again(library, trace):
    disk = Disk()
    native = Native(library, {2: disk})
    disk.attentions.clear()
    disk.fast_and_wide = True
    trace(native)
    native.prepare(read10(1000, 3), DATA_IN, 3 * 512, 2)
    assert native.execute() in ("BUS_RESET", "PROTOCOL")
    assert not disk.messages and not disk.fast_and_wide
    disk.attentions.clear()
    check_settled(native, disk)
    trace(native)
    assert native.reset() == (trace is resets_chip), "DSA is not read by the CPU"
    disk.attentions.clear()
    native.prepare(read10(1000, 3), DATA_IN, 3 * 512, 2)
    assert scsi_result(native.command()) == "SCSI_OK"

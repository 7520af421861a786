# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The transfer agreements of the disk model: how messages make and end them.
[SCSI-2 "Synchronous data transfer request", "Wide data transfer request"]
"""

from __future__ import annotations

import pytest

from tests.model.agreement import EXTENDED, REJECT, SDTR, WDTR, offer, offers_in
from tests.model.bus import COMMAND, DATA_IN, DATA_OUT, MSG_IN, MSG_OUT
from tests.model.target import DEVICE_RESET, READ10, Disk
from tests.model.test_targets import Initiator
from tests.model.transfer import Agreement

IDENTIFY = 0x80
READ_ONE = bytes([READ10, 0, 0, 0, 0, 5, 0, 0, 1, 0])
WRITE_ONE = bytes([0x2A, *READ_ONE[1:]])


def negotiate(disk: Disk, *offers: bytes, replies: bytes = b"") -> list[bytes]:
    """Send IDENTIFY and offers; `replies` follow the first answer. Returns the answers."""
    host, answers = Initiator(disk), []
    host.send_messages(IDENTIFY, *b"".join(offers))
    while host.bus.request and host.bus.request.phase == MSG_IN:
        answers.append(host.bus.take(99))
        host.bus.atn = bool(replies)
        host.bus.release()
        for left in range(len(replies) - 1, -1, -1):
            assert host.bus.request.phase == MSG_OUT
            host.bus.atn = left > 0
            host.bus.give(replies[~left:][:1] if left else replies[-1:])
            host.bus.release()
        replies = b""
    assert host.bus.request.phase == COMMAND
    return answers


def agreement(disk: Disk) -> tuple[bool, bool]:
    return disk.fast_and_wide, disk.synchronous


# ---- Offers of the initiator -------------------------------------------------------------


@pytest.mark.parametrize("kind, value, answered, made", [
    (WDTR, 0, 0, (False, False)), (WDTR, 1, 1, (True, False)), (WDTR, 2, 1, (True, False)),
    (SDTR, 0, 0, (False, False)), (SDTR, 5, 5, (False, True)), (SDTR, 31, 8, (False, True))])
def test_answer_does_not_exceed_offer_or_ability(kind, value, answered, made):
    disk = Disk()
    assert negotiate(disk, offer(kind, value)) == [offer(kind, answered)]
    assert agreement(disk) == made


@pytest.mark.parametrize("width", [0, 1])
def test_wdtr_ends_a_synchronous_agreement(width):
    disk = Disk(synchronous=True)
    negotiate(disk, offer(WDTR, width))
    assert agreement(disk) == (bool(width), False)


def test_sdtr_does_not_change_the_width():
    disk = Disk(fast_and_wide=True)
    negotiate(disk, offer(SDTR, 0))
    assert agreement(disk) == (True, False)


@pytest.mark.parametrize("kind", [SDTR, WDTR])
def test_unknown_message_is_rejected_and_changes_nothing(kind):
    disk = Disk(negotiates=tuple({SDTR, WDTR} - {kind}), synchronous=True)
    assert negotiate(disk, offer(kind, 0)) == [bytes([REJECT])]
    assert agreement(disk) == (False, True)


@pytest.mark.parametrize("kind", [SDTR, WDTR])
def test_rejected_answer_makes_the_default_agreement(kind):
    disk = Disk()
    negotiate(disk, offer(kind, 1), replies=bytes([REJECT]))
    assert agreement(disk) == (False, False)


def test_offer_after_a_rejection_is_answered():
    disk = Disk(negotiates=(SDTR,), synchronous=True)
    assert negotiate(disk, offer(WDTR, 0), replies=offer(SDTR, 0)) == [bytes([REJECT]), offer(SDTR, 0)]
    assert agreement(disk) == (False, False)


def test_target_without_an_answer_keeps_its_agreement():
    disk = Disk(fast_and_wide=True, answer_offer=lambda kind, value: None)
    assert negotiate(disk, offer(WDTR, 0)) == []
    assert agreement(disk) == (True, False)


@pytest.mark.parametrize("able, asked, made", [
    (Agreement(8, 0, 25), (8, 12), (8, 25)), (Agreement(15, 0, 12), (31, 10), (15, 12)),
    (Agreement(15, 0, 12), (8, 25), (8, 25)), (Agreement(0, 0, 0), (8, 25), (0, 25))])
def test_slower_period_and_smaller_offset_are_agreed(able, asked, made):
    disk = Disk(able=able)
    answer = negotiate(disk, offer(SDTR, asked[0], asked[1]))
    assert answer == [offer(SDTR, *made)]
    assert (disk.agreed.offset, disk.agreed.factor) == (made if made[0] else (0, 0))


def test_wdtr_then_sdtr_agree_on_both():
    disk = Disk(able=Agreement(16, 1, 12))
    negotiate(disk, offer(WDTR, 1))
    negotiate(disk, offer(SDTR, 16, 12))
    assert disk.agreed == disk.known == Agreement(16, 1, 12)
    negotiate(disk, offer(WDTR, 1))
    assert disk.agreed == disk.known == Agreement(0, 1, 0)


@pytest.mark.parametrize("able, flags", [
    (None, 0), (Agreement(), 0), (Agreement(8, 0, 25), 0x10), (Agreement(0, 1), 0x20),
    (Agreement(8, 1, 25), 0x30)])
def test_inquiry_data_names_the_abilities(able, flags):  # [SCSI-2 "Standard INQUIRY data"]
    data, _ = Initiator(Disk(able=able)).run_command(bytes([0x12, 0, 0, 0, 36, 0]))
    assert data[7] == flags


@pytest.mark.parametrize("sent, reply, made", [
    (offer(SDTR, 15, 12), offer(SDTR, 8, 25), Agreement(8, 0, 25)),
    (offer(SDTR, 15, 12), offer(SDTR, 0, 12), Agreement()), (offer(SDTR, 15), bytes([REJECT]), Agreement()),
    (offer(WDTR, 1), offer(WDTR, 1), Agreement(width=1)), (offer(WDTR, 1), b"", Agreement())])
def test_target_that_begins_follows_the_answer(sent, reply, made):
    disk = Disk()
    disk.before_command = disk.negotiate_first(sent)
    assert negotiate(disk, replies=reply) == [sent]
    assert disk.agreed == disk.known == made


def test_offers_are_found_among_messages():
    assert offers_in([0x80, 0x20, *offer(SDTR, 4), *offer(WDTR, 1), 0x08]) == [(SDTR, 4, 25), (WDTR, 1, 0)]
    assert offers_in([0x80, EXTENDED, 2, SDTR, 4]) == [], "a wrong length"


# ---- Ends ----------------------------------------------------------------------------------


def test_bus_reset_ends_agreements():
    host = Initiator(Disk(fast_and_wide=True, synchronous=True))
    host.bus.reset()
    assert agreement(host.target) == (False, False)


def test_bus_device_reset_ends_agreements():
    host = Initiator(Disk(fast_and_wide=True, synchronous=True))
    host.send_messages(IDENTIFY, DEVICE_RESET)
    assert agreement(host.target) == (False, False)


def test_initiator_does_not_know_of_a_power_cycle():
    disk = Disk()
    negotiate(disk, offer(SDTR, 8))
    disk.power_cycle()
    assert (disk.agreed, disk.known) == (Agreement(), Agreement(8, 0, 25))


# ---- Data of a narrow, asynchronous initiator -------------------------------------------------


def test_wide_target_sends_one_byte_of_two():
    disk = Disk(fast_and_wide=True)
    got, status = Initiator(disk).run_command(READ_ONE)
    assert (got, status) == (disk.block(5)[::2], 0)


def test_wide_target_stores_what_it_receives():
    disk = Disk(fast_and_wide=True)
    _, status = Initiator(disk).run_command(WRITE_ONE, data=b"\xAB" * 256)
    assert (disk.written[5], status) == (b"\xAB\0" * 256, 0)


@pytest.mark.parametrize("cdb, phase", [(READ_ONE, DATA_IN), (WRITE_ONE, DATA_OUT)], ids=["in", "out"])
def test_synchronous_target_hangs_before_the_end(cdb, phase):
    host = Initiator(Disk(synchronous=True))
    got, status = host.run_command(cdb, data=b"\xAB" * 505)
    assert status is None and host.bus.connected == 0 and not host.target.written
    assert phase == DATA_OUT or got == host.target.block(5)[:505]

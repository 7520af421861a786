# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""What the initiator sees of a data phase if it and the target are set differently, and
the words of a wide one.

    target       initiator     data in                      data out
    wide         narrow        one byte of two              the upper half is 0
    narrow       wide          upper half 0, bad parity     one byte of two is lost
    synchronous  asynchronous  it misses REQ while its ACK is asserted, and the target waits
                               for the missing ACKs
    asynchronous synchronous   the target misses the pulse of ACK, and waits
    more offset  less offset   gross error at the REQ beyond the offset
    shorter      longer        a transfer is lost, and the target waits for its ACK
      period       period

[SCSI-2 "Asynchronous and synchronous information transfer"; 895A 4-75, SGE; 875A 4-26]
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.model.transfer import Agreement, Setting

if TYPE_CHECKING:
    from tests.model.bus import Request

PAD = 0xA5          # the upper half of a word that has one byte only
FULL_SPEED = 8      # transfers until a side that is too slow loses one


def connect(request: Request, agreed: Agreement, setting: Setting) -> None:
    """Change the request of a data phase to what the initiator sees of it."""
    if agreed.width or setting.width:
        _in_words(request, agreed.width, setting.width)
    if bool(agreed.offset) != bool(setting.offset):
        _miss(request, agreed.offset, 1 << setting.width)
    elif agreed.offset > setting.offset:
        request.gross_error = _cut(request, setting.offset << setting.width)
    elif agreed.offset:
        _lose(request, agreed, setting)


def _in_words(request: Request, target: int, initiator: int) -> None:
    if request.data is None:
        _take_words(request, target, initiator)
    elif target > initiator:
        request.data = request.data[::2]
    elif initiator > target:
        request.data = bytes(half for low in request.data for half in (low, 0))
        request.bad_parity = True
    elif len(request.data) % 2:
        request.data += bytes([PAD])


def _take_words(request: Request, target: int, initiator: int) -> None:
    count = request.requested
    if target > initiator:
        request.requested = (count + 1) // 2
        request.seen = lambda given: bytes(half for low in given for half in (low, 0))[:count]
    elif initiator > target:
        request.requested = 2 * count
        request.seen = lambda given: given[::2]
    else:
        request.requested = count + count % 2
        request.seen = lambda given: given[:count]


def _cut(request: Request, most: int) -> bool:
    """The phase ends after so many bytes, and the target waits forever."""
    left = request.requested if request.data is None else len(request.data)
    if left <= most:
        return False
    if request.data is None:
        request.requested = most
    else:
        request.data = request.data[:most]
    request.hangs = True
    return True


def _miss(request: Request, target_offset: int, step: int) -> None:
    count = request.requested if request.data is None else len(request.data)
    if not target_offset:
        _cut(request, step)
    elif count > 1:
        _cut(request, count - min((target_offset - 1) * step, count // 2))


def _lose(request: Request, agreed: Agreement, setting: Setting) -> None:
    lost = FULL_SPEED << setting.width
    if request.data is None and setting.send_ps < agreed.period_ps:
        _cut(request, lost)
    elif request.data and setting.receive_ps > agreed.period_ps and len(request.data) > lost:
        request.data = request.data[:lost] + request.data[lost + (1 << setting.width):]
        request.hangs = True

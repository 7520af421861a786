# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: deadlines by the clock (docs/errors.md). A device that answers slowly must
not make a wait longer. The rule "waits too long" is checked in every test.
"""

from __future__ import annotations

import itertools
import re

import pytest

from tests.build import ROM_895A
from tests.model.bus import HANG, Delay
from tests.model.devices import FwCfg
from tests.model.pc import Pc
from tests.model.registers import MS
from tests.model.target import BUSY, CHECK_CONDITION, INQUIRY, START_STOP, Answer, Disk
from tests.rom.strict import (NOT_READY, OK, SECOND, TIMEOUT, disk, expected, new_pc, opcodes,
                              set_media_timeout, simple_call, transfer, two_disks)

IMMEDIATE = 1       # in byte 1 of START STOP UNIT
IDS = [i for i in range(16) if i != 7]
EXACT = {"most_idle_ns": 1 * MS}        # so that the ROM's clock loses little


def slow(target: Disk, seconds: float = 1) -> Disk:
    """Each command takes that long."""
    target.before_status = lambda bus: iter([Delay(int(seconds * SECOND))])
    return target


def never_ready(target: Disk) -> Disk:
    target.status_hook = lambda cdb: target.check(2, 4, 1) if cdb[0] == 0 else None
    return target


# ---- POST ----------------------------------------------------------------------------


def names(pc: Pc, line: str) -> list[int]:
    """The IDs at the end of the lines that contain a text."""
    return [int(n) for part in re.findall(line + r" ID((?: ?\d+)+)", pc.text) for n in part.split()]


def test_post_waits_a_minute_for_a_slow_disk_that_never_gets_ready():
    pc = new_pc("895A", {0: slow(never_ready(Disk())), 3: Disk()}, **EXACT)
    assert 45 * SECOND <= pc.chip.now < 60 * SECOND
    assert "ID 0 LUN 0 BENCH STRICT DISK: not ready" in pc.text and "81h" not in pc.text
    assert names(pc, "waiting for") == [0]


@pytest.mark.parametrize("seconds", [0, 1, 4])
def test_post_waits_a_minute_for_15_disks_that_never_get_ready(seconds):
    """Those that were not examined are named."""
    pc = Pc(ROM_895A, **EXACT)
    pc.bus.targets = {i: slow(never_ready(Disk()), seconds) for i in IDS}
    pc.power_on()
    assert 45 * SECOND <= pc.chip.now < 64 * SECOND
    skipped = names(pc, "skipped")
    refused = [int(n) for n in re.findall(r"ID (\d+) LUN 0 .*: (?:not ready|timed out)", pc.text)]
    assert refused + skipped == IDS and bool(skipped) == bool(seconds)


def test_healthy_disk_is_found_beside_14_that_never_get_ready():
    pc = new_pc("895A", {**{i: never_ready(Disk()) for i in IDS}, 12: Disk()}, **EXACT)
    assert "80h: SCSI 00:04.0 ID 12" in pc.text
    assert pc.chip.now < 96 * SECOND, "its success gives the others 45 s more"


@pytest.mark.parametrize("banner, seconds, line", [(1, 5, [0]), (1, 1, []), (0, 5, [])])
def test_line_names_the_disk_that_post_waits_for(banner, seconds, line):
    pc = new_pc("895A", {0: Disk(ready_at=(4 + seconds) * SECOND)},
                fwcfg=FwCfg({"opt/lsi8xx-rom/banner": b"%d" % banner}))
    assert names(pc, "waiting for") == line
    assert banner or not pc.text
    assert pc.read(0, 1).ah == OK


def stopped(spin_up: int = 20 * SECOND, refuses: bool = False, obeys: bool = True) -> Disk:
    """A disk that spins up after START UNIT. `obeys`: returns its status at once if that was
    requested; `refuses`: it rejects the request."""
    target = Disk()
    target.ready_at, started = 1 << 62, []

    def hook(cdb):
        if cdb[0] == START_STOP and cdb[4] & 1:
            if cdb[1] & IMMEDIATE and refuses:
                return target.check(5, 0x24)
            if not started:
                started.append(target.now)
                target.ready_at = target.now + spin_up
            return Answer()
        if cdb[0] in (0x00, 0x25, 0x28) and not started:
            return target.check(2, 4, 2)
        return None

    def before_status(bus):
        last = target.commands[-1]
        if last[0] == START_STOP and not (last[1] & IMMEDIATE and (obeys or refuses)):
            yield Delay(max(target.ready_at - bus.now, 0))
    target.status_hook, target.before_status = hook, before_status
    return target


def test_stopped_disks_spin_up_together():
    """The slowest one counts, not the sum."""
    pc = new_pc("895A", {i: stopped(20 * SECOND) for i in IDS}, **EXACT)
    assert pc.chip.now < 27 * SECOND
    assert "8Eh: SCSI 00:04.0 ID 15" in pc.text
    for target in pc.bus.targets.values():
        assert [(c[1] & IMMEDIATE, c[4]) for c in target.commands if c[0] == START_STOP] == [(1, 1)]


@pytest.mark.parametrize("kind", ["refuses", "ignores"])
def test_disk_that_cannot_start_in_the_background_is_started(kind):
    target = stopped(8 * SECOND, refuses=kind == "refuses", obeys=False)
    pc = new_pc("895A", {2: target})
    assert "80h: SCSI 00:04.0 ID 2" in pc.text
    assert pc.read(0, 1).ah == OK


def test_disks_that_get_ready_one_after_the_other_are_all_found():
    """A delay of 12 s for each ID, as some disks have."""
    pc = new_pc("895A", {i: Disk(ready_at=(10 + 12 * i) * SECOND) for i in range(6)})
    assert "85h: SCSI 00:04.0 ID 5" in pc.text


@pytest.mark.parametrize("key, asc", [(5, 0x25), (0, 0), (5, 0x20), (None, 0)])
def test_target_that_rejects_inquiry_of_an_absent_lun_has_no_line(key, asc):
    target, tries = Disk(), []

    def missing(cdb):
        tries.append(cdb[0])
        if key is None and cdb[0] == 0x03:
            return Answer()
        if cdb[0] == 0x03:
            return Answer(bytes([0x70, 0, key, 0, 0, 0, 0, 10, 0, 0, 0, 0, asc, 0, 0, 0, 0, 0]))
        return Answer(status=CHECK_CONDITION)
    target._missing_unit = missing
    pc = new_pc("895A", {0: target})
    assert tries.count(INQUIRY) == 1
    assert "LUN 1" not in pc.text and "80h: SCSI" in pc.text


def test_lun_whose_inquiry_hangs_is_asked_once():
    target = Disk()
    target.before_status = lambda bus: iter([HANG] if target.selected_lun else [])
    pc = new_pc("895A", {0: target})
    assert [cdb[0] for cdb in target.strays] == [INQUIRY]
    assert "80h: SCSI" in pc.text and "ID 0 LUN 1" in pc.text and ": timed out" in pc.text


# ---- Calls ---------------------------------------------------------------------------

FAULTS = {"busy": lambda target: Answer(status=BUSY),
          "becoming ready": lambda target: target.check(2, 4, 1),
          "attention": lambda target: target.check(6, 0x29),
          "aborted": lambda target: target.check(0xB, 0x47)}
AT_ONCE = ("attention", "aborted")


@pytest.mark.parametrize("seconds", [1, 4])
@pytest.mark.parametrize("fault", FAULTS)
def test_slow_answers_do_not_make_a_read_longer(fault, seconds):
    """5 s of tries with pauses, 10 s of others, after the end of the first try; the last one and
    its REQUEST SENSE take their time, too."""
    pc = two_disks("895A")
    pc.most_idle_ns = 1 * MS
    target = slow(disk(pc), seconds)
    target.status_hook = lambda cdb: FAULTS[fault](target) if cdb[0] == 0x28 else None
    begun = pc.chip.now
    assert pc.read(0, 1).ah in (NOT_READY, 0x20)
    tries = 10 if fault in AT_ONCE else 5
    assert pc.chip.now - begun <= (tries + 4 * seconds + 1) * SECOND
    target.status_hook = target.before_status = None
    assert pc.read(0, 1).ah == OK


def test_ready_check_ends_after_2_s_of_tries():
    pc = two_disks("895A")
    pc.most_idle_ns = 1 * MS
    slow(never_ready(disk(pc)))
    begun = pc.chip.now
    assert pc.int13(ah=0x10, dl=0x80).ah == NOT_READY
    assert pc.chip.now - begun <= (2 + 4 + 1) * SECOND


def test_all_commands_of_a_call_share_the_time_for_tries():
    """Each of ten commands would become ready after 3 s."""
    pc = two_disks("895A")
    target, since = disk(pc), {}

    def hook(cdb):
        if cdb[0] != 0x28:
            return None
        begun = since.setdefault(cdb[2:6], pc.chip.now)
        return target.check(2, 4, 1) if pc.chip.now < begun + 3 * SECOND else None
    target.status_hook = hook
    begun = pc.chip.now
    result = pc.read(0, 1270 // 4, address=0x30000)
    assert (result.ah, result.cf) == (NOT_READY, True)
    assert pc.word(0x1002) == 127, "the first piece"
    assert pc.chip.now - begun < 12 * SECOND
    target.status_hook = None
    assert pc.read(0, 1).ah == OK


def test_good_pieces_cost_no_patience():
    """Data that comes slowly is not a wait: each piece may still be tried again."""
    pc = two_disks("895A")
    target = slow(disk(pc), 4)
    attention = itertools.cycle([True, False])
    target.status_hook = lambda cdb: (target.check(6, 0x29) if cdb[0] == 0x28 and next(attention)
                                      else None)
    assert pc.read(0, 127 * 2, address=0x30000).ah == OK
    assert pc.peek(0x30000, 512) == expected(pc, 0, 1)


def test_start_unit_is_sent_once_in_a_call():
    pc = two_disks("895A")
    target = disk(pc)
    pc.bus.targets[0].commands.clear()
    target.status_hook = lambda cdb: target.check(2, 4, 2) if cdb[0] == 0x28 else None
    assert pc.read(0, 300, address=0x30000).ah == NOT_READY
    assert opcodes(target).count(START_STOP) == 1


# ---- The user's time limits ------------------------------------------------------------------


@pytest.mark.parametrize("variant, limit_s, delay_s, status",
                         [("895A", 30, 25, OK), ("895A", 3, 8, TIMEOUT), ("810", 30, 40, TIMEOUT)])
def test_time_limit_of_block_commands_is_that_of_the_target(variant, limit_s, delay_s, status):
    """Reads, writes and verifies; TEST UNIT READY keeps its 5 s, and so does the other disk its 10 s."""
    pc = two_disks(variant, **EXACT)
    set_media_timeout(pc, 0, limit_s)
    assert transfer(pc, 0x42, 1000, drive=0x81).status == OK    # its attention is reported
    for seconds, other in ((8, OK), (12, TIMEOUT)):
        pc.bus.targets[3].before_status = lambda bus: iter([Delay(seconds * SECOND)])
        assert transfer(pc, 0x42, 1000, drive=0x81).status == other, seconds
    pc.bus.targets[3].before_status = None
    assert transfer(pc, 0x42, 1000).status == OK                # that of the bus reset
    for function in (0x42, 0x43, 0x44):
        disk(pc).before_status = lambda bus: iter([Delay(delay_s * SECOND)])
        disk(pc).attentions.clear()
        begun = pc.chip.now
        assert transfer(pc, function, 1000).status == status
        if status == TIMEOUT:
            assert limit_s * SECOND <= pc.chip.now - begun < (limit_s + 2) * SECOND
    disk(pc).before_status = lambda bus: iter([Delay(8 * SECOND)])
    assert simple_call(pc, 0x10).ah == TIMEOUT

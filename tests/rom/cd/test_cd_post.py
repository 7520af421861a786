# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: CD-ROM drives: messages of POST in each state of the drive, and the drive
numbers from E0h assigned at boot.
"""

from __future__ import annotations

import copy

import pytest

from tests.model.bios import Bios
from tests.model.bios_data import PERMANENT_AREA, SEABIOS, SPECIFICATION
from tests.model.bus import FREE, HANG
from tests.model.devices import FwCfg
from tests.model.eltorito import BLOCK, Disc
from tests.model.pc import BUFFER, Pc
from tests.model.target import (AUDIO, BLANK, MEDIUM_CHANGED, OPTICAL, POWER_ON, READ10,
                                READ_CAPACITY, REQUEST_SENSE, TEST_UNIT_READY, Disk)
from tests.model.vds import NONE, PRESENT_FLAG, SERVED, Vds
from tests.rom.cd.cdboot import (CD, CD_ID, WRONG_MEDIUM, cd, cd_entries, check_blocks, check_boot,
                                 check_number_free, check_refused, drive_with, insert, move,
                                 simple_call, with_cd)
from tests.rom.cd.readers import DISC, LOCK, variants
from tests.rom.strict import (BAD_SECTOR, CONTROLLER, NOT_FOUND, NOT_READY, NO_MEDIUM, OK, SECOND,
                              VARIANTS, hexadecimal, new_pc, transfer)

FOREVER = 10**15


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    """A machine booted from the CD, which is E0h; a disk is 80h."""
    pc = with_cd(request.param, DISC, {0: Disk()})
    check_boot(pc, DISC)
    return pc


@pytest.fixture(scope="module", params=VARIANTS)
def reader(request) -> Pc:
    """As `pc`, for tests that do not change the state of the machine."""
    pc = with_cd(request.param, DISC, {0: Disk()})
    check_boot(pc, DISC)
    return pc


def line_of_cd(pc: Pc) -> list[str]:
    return [line for line in pc.text.replace("\r", "").split("\n")
            if line.startswith(f"  ID {CD_ID} LUN 0 ")]


# ---- POST ------------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("disks, cds, message", [
    (0, 1, "no disk, 1 CD"), (1, 1, "1 disk, 1 CD"), (2, 1, "2 disks, 1 CD"),
    (0, 2, "no disk, 2 CDs"), (2, 3, "2 disks, 3 CDs"), (1, 0, "1 disk"), (0, 0, "no disk")])
def test_post_counts_disks_and_cds(variant, disks, cds, message):
    targets = {i: Disk() for i in range(disks)} | {8 - i if variant == "895A" and i == 0 else 6 - i:
                                                   drive_with(DISC) for i in range(cds)}
    pc = new_pc(variant, targets)
    assert [line for line in pc.text.replace("\r", "").split("\n") if line.endswith(", " + message)]
    assert ("CD" in pc.text) == (cds > 0)
    assert (len(pc.bios.entries), len(cd_entries(pc))) == (disks + cds, cds)


@variants
@pytest.mark.parametrize("kind", [{}, {"type": OPTICAL}, {"removable": False}],
                         ids=["CD-ROM", "optical", "not removable"])
def test_drive_with_a_disc_has_a_boot_entry_and_boots(variant, kind):
    pc = with_cd(variant, DISC, drive=kind)
    assert [e.product for e in pc.bios.entries] == [
        f"SCSI 00:04.0 ID {CD_ID} LUN 0 BENCH STRICT CD-ROM"]
    assert line_of_cd(pc) == []
    check_boot(pc, DISC)
    assert f"E0h: {pc.bios.entries[0].product} 1 MiB, 2048-byte blocks" in pc.text
    simple_call(pc, 0x45, al=LOCK, changes="ax")
    assert cd(pc).locked


@variants
def test_post_reads_capacity_and_one_block_once(variant):
    pc = with_cd(variant, DISC)
    sent = [c[0] for c in cd(pc).commands if c[0] != REQUEST_SENSE]
    assert sent.count(READ_CAPACITY) == sent.count(READ10) == 1
    reads = [c for c in cd(pc).commands if c[0] == READ10]
    assert reads == [bytes([READ10, 0, 0, 0, 0, 17, 0, 0, 1, 0])]


# Drive options, message of POST, reason for the failed boot, status of AH=42h
STATES = {
    "no medium": ({"medium": False}, "no medium", "no medium", NO_MEDIUM),
    "never ready": ({"ready_at": FOREVER}, "not ready", "status AAh", NOT_READY),
    "audio disc": ({"read_sense": AUDIO}, "audio disc", "status 0Ch", WRONG_MEDIUM),
    "blank disc": ({"read_sense": BLANK}, "blank disc", "no boot record", NOT_FOUND),
    "blank by itself": ({"medium_sense": BLANK}, "blank disc", "status 04h", NOT_FOUND),
    **{f"unknown {key}/{asc:02x}/{ascq:02x} of {what}":
       ({what: (key, asc, ascq)}, "unknown medium type", "status 0Ch", WRONG_MEDIUM)
       for key, asc, ascq in ((2, 0x30, 0), (2, 0x30, 2), (3, 0x30, 1), (5, 0x30, 5), (3, 0x57, 0))
       for what in ("medium_sense", "read_sense")},
    "unreadable": ({"read_sense": (3, 0x11, 0)}, "medium error", "status 10h", BAD_SECTOR),
    "bad descriptors": ({"bad_blocks": dict.fromkeys((16, 17), (3, 0x11, 0, True))},
                        "medium error", "status 10h",
                        BAD_SECTOR),
}
states = pytest.mark.parametrize("state", STATES)


@variants
@states
def test_drive_state_is_reported_by_post_boot_and_int_13h(variant, state):
    """The drive always has a boot entry. The state seen in POST does not affect a
    medium inserted later."""
    options, in_post, at_boot, status = STATES[state]
    pc = with_cd(variant, DISC, {0: Disk()}, drive=copy.deepcopy(options))
    assert line_of_cd(pc) == [f"  ID {CD_ID} LUN 0 BENCH STRICT CD-ROM: {in_post}"]
    assert len(cd_entries(pc)) == 1 and "1 disk, 1 CD" in pc.text
    check_refused(pc, at_boot)
    cd(pc).medium, cd(pc).ready_at = True, 0
    cd(pc).medium_sense = cd(pc).read_sense = None
    cd(pc).bad_blocks.clear()
    insert(pc, DISC)
    check_boot(pc, DISC)
    check_blocks(pc, DISC, 100, 3)
    for name, value in options.items():
        setattr(cd(pc), name, copy.copy(value))
    assert move(pc, 0x42, 16, 2) == (status, 0)


@variants
@pytest.mark.parametrize("attentions", [[], [POWER_ON, MEDIUM_CHANGED], [MEDIUM_CHANGED] * 3])
def test_unit_attentions_before_the_boot_are_not_reported(variant, attentions):
    """The attentions are pending in POST and again before the boot."""
    pc = with_cd(variant, DISC, drive={"attentions": list(attentions)})
    assert line_of_cd(pc) == []
    cd(pc).attentions = list(attentions)
    check_boot(pc, DISC)
    check_blocks(pc, DISC, 100, 3)
    assert simple_call(pc, 0x16).ah == OK


@variants
@pytest.mark.parametrize("seconds", [1, 5, 25])
def test_post_waits_for_a_drive_to_spin_up(variant, seconds):
    pc = with_cd(variant, DISC, drive={"ready_at": seconds * SECOND})
    assert line_of_cd(pc) == []
    assert pc.chip.now > seconds * SECOND
    check_boot(pc, DISC)


def test_wait_for_a_drive_is_limited():
    """POST waits 45 s; boot and later calls wait as for any drive."""
    pc = with_cd("895A", DISC, drive={"ready_at": FOREVER})
    assert 45 * SECOND < pc.chip.now < 60 * SECOND
    before = pc.chip.now
    check_refused(pc, "status AAh")
    assert pc.chip.now - before < 40 * SECOND


@pytest.mark.parametrize("block_bytes", [256, 1024, 2336, 2352, 4096])
def test_cd_blocks_of_other_sizes_are_not_supported(block_bytes):
    pc = with_cd("895A", DISC, drive={"block_bytes": block_bytes,
                                      "content": lambda lba: bytes(block_bytes)})
    assert line_of_cd(pc) == [f"  ID {CD_ID} LUN 0 BENCH STRICT CD-ROM: "
                              f"blocks of {block_bytes} bytes are not supported"]
    check_refused(pc, "status 0Ch")
    cd(pc).insert(DISC.blocks, DISC.content, BLOCK)
    check_boot(pc, DISC)


@variants
@pytest.mark.parametrize("fault", [HANG, FREE], ids=["hang", "bus free"])
@pytest.mark.parametrize("command", [TEST_UNIT_READY, READ_CAPACITY, READ10], ids=hexadecimal)
def test_drive_that_fails_in_post_can_boot_later(variant, command, fault):
    """A fault in POST may be temporary."""
    target = drive_with(DISC)

    def hook(bus):
        if target.commands and target.commands[-1][0] == command:
            yield fault
    target.before_status = hook
    pc = new_pc(variant, {0: Disk(), CD_ID: target})
    assert len(line_of_cd(pc)) == 1
    assert len(cd_entries(pc)) == 1
    target.before_status = None
    check_boot(pc, DISC)


@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_disk_entries_have_a_bcv_and_cd_entries_a_bev(manner):
    """The model of a BIOS by the specification checks each header."""
    pc = new_pc("895A", {0: Disk(), 2: drive_with(DISC), 3: Disk(), 5: drive_with(DISC)},
                bios=Bios(manner))
    assert [(bool(e.bcv), bool(e.bev)) for e in pc.bios.entries] == [
        (True, False), (False, True), (True, False), (False, True)]
    assert [int(e.product.split()[3]) for e in pc.bios.entries] == [0, 2, 3, 5]
    assert len({e.bev for e in cd_entries(pc)}) == 2
    assert pc.peek(0x475, 1) == b"\x02"


def path(scsi_id: int) -> bytes:
    return b"/pci@i0cf8/scsi@4/channel@0/disk@%x,0\n" % scsi_id


@variants
@pytest.mark.parametrize("order, ids", [
    ([2], [2, 0, 3, 5]), ([5, 0], [5, 0, 2, 3]), ([0, 2], [0, 2, 3, 5]), ([3, 5], [3, 5, 0, 2])])
def test_host_boot_order_applies_to_cds(variant, order, ids):
    pc = new_pc(variant, {0: Disk(), 2: drive_with(DISC), 3: Disk(), 5: drive_with(DISC)},
                fwcfg=FwCfg({"bootorder": b"".join(map(path, order))}))
    assert [int(e.product.split()[3]) for e in pc.bios.entries] == ids


def test_cd_at_another_lun_boots():
    target = Disk(version=5)
    target.luns = {3: drive_with(DISC, lun=3, version=5)}
    pc = new_pc("895A", {4: target})
    assert cd_entries(pc)[0].product == "SCSI 00:04.0 ID 4 LUN 3 BENCH STRICT CD-ROM"
    check_boot(pc, DISC)
    check_blocks(pc, DISC, 77, 2)


@pytest.mark.parametrize("cds_first", [True, False])
def test_at_most_32_units_are_served(cds_first):
    """Disks and CDs are counted together. All have boot entries."""
    def unit(i: int) -> Disk:
        return drive_with(DISC) if (i < 8) == cds_first else Disk()
    targets = {i: unit(i) for i in range(16) if i != 7}
    for target, luns in ((13, range(1, 5)), (14, range(1, 8)), (15, range(1, 8))):
        targets[target].version = 5
        targets[target].luns = {lun: drive_with(DISC, lun=lun, version=5) for lun in luns}
    pc = new_pc("895A", targets)
    refused = [line for line in pc.text.split("\n") if "too many drives" in line]
    assert len(refused) == 1 and refused[0].startswith("  ID 15 LUN 7")
    assert len(pc.bios.entries) == 32
    assert pc.bios.entries[16].product.startswith("SCSI 00:04.0 ID 13 LUN 4 ")


@pytest.mark.parametrize("pmm", ["1.01", "1.00", "refusing", "absent"])
def test_cd_works_with_and_without_pmm(pmm):
    """A CD needs the workspace and the block buffer."""
    pc = with_cd("895A", DISC, bios=Bios(pmm=pmm))
    assert pc.workspace is not None
    assert (pc.workspace.start in PERMANENT_AREA) == (pmm == "1.01")
    check_boot(pc, DISC)
    check_blocks(pc, DISC, 50, 7)


@variants
def test_cd_code_is_kept_only_if_there_is_a_cd(variant):
    without, with_one = new_pc(variant, {0: Disk()}), with_cd(variant, DISC)
    assert without.bios.kept < with_one.bios.kept
    assert transfer(without, 0x42, 5, 2) == (OK, 2)


@variants
def test_unbooted_cd_has_no_drive_number(variant):
    """Without a boot the CD has no number and INT 13h is hooked for the disk only."""
    pc = with_cd(variant, DISC, {0: Disk()})
    for number in (CD, CD + 1):
        check_number_free(pc, number)
    assert pc.peek(0x475, 1) == b"\x01"
    alone = with_cd(variant, DISC)
    assert alone.word(0x4E) == 0xF000


# ---- Numbers ---------------------------------------------------------------------------


@variants
@pytest.mark.parametrize("own, numbers", [
    ([], [0xE0, 0xE1]), ([0xE0], [0xE1, 0xE2]), ([0xE0, 0xE1], [0xE2, 0xE3]),
    ([0xDF], [0xE0, 0xE1])], ids=str)
@pytest.mark.parametrize("index", [0, 1])
def test_cds_get_numbers_that_the_bios_does_not_use(variant, own, numbers, index):
    """All CDs get a number, whichever is booted."""
    second = Disc(seed=9)
    pc = with_cd(variant, DISC, {5: drive_with(second)}, bios=Bios(answers=frozenset(own)))
    discs = [DISC, second]
    check_boot(pc, discs[index], number=numbers[index], index=index)
    for number, disc in zip(numbers, discs):
        check_blocks(pc, disc, 16, 3, number)
    for number in own:
        answer = pc.int13(ah=0x41, bx=0x55AA, dl=number, changes="ah bx cx")
        assert (answer.cf, answer.bx, answer.ah) == (False, 0xAA55, 0x21)
    if not {0xE0, 0xE1} & set(own):
        check_number_free(pc, 0xE2)


def test_cd_number_follows_many_bios_cds():
    pc = with_cd("895A", DISC, bios=Bios(answers=frozenset(range(0xE0, 0xE8))))
    check_boot(pc, DISC, number=0xE8)
    check_blocks(pc, DISC, number=0xE8)


def test_calls_for_other_drives_reach_the_bios(reader):
    for number in (0x00, 0x7F, 0x81, 0xDF, 0xE1, 0xFF):
        check_number_free(reader, number)
    assert transfer(reader, 0x42, 123, 3) == (OK, 3)
    disk = reader.bus.targets[0]
    assert reader.peek(BUFFER, 1536) == b"".join(disk.block(123 + i) for i in range(3))


@variants
@pytest.mark.parametrize("services", [SERVED, NONE])
def test_no_cd_boots_in_virtual_8086_mode(variant, services):
    """The BIOS cannot start again under a memory manager, so no command is sent."""
    disc = Disc()
    pc = with_cd(variant, disc, vds=Vds(services=services))
    sent = len(cd(pc).commands)
    check_refused(pc, f"status {CONTROLLER:02X}h")
    assert len(cd(pc).commands) == sent and pc.vds.calls == []
    pc.poke(PRESENT_FLAG, b"\0")
    pc.vds.v86 = False
    check_boot(pc, disc)


def test_second_boot_assigns_no_second_number(pc):
    vector = pc.peek(0x4C, 4)
    check_boot(pc, DISC)
    assert pc.peek(0x4C, 4) == vector
    check_blocks(pc, DISC)
    check_number_free(pc, 0xE1)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: disc changes under emulated drives, and two CD-ROM drives."""

from __future__ import annotations

import pytest

from tests.model import eltorito
from tests.model.bios import Bios
from tests.model.bus import Delay
from tests.model.devices import TimerInterrupt
from tests.model.eltorito import (BLOCK, FLOPPY_144, HARD_DISK, PRIMARY, TERMINATOR, Disc, Entry,
                                  floppy)
from tests.model.pc import BUFFER, Pc
from tests.model.registers import MS
from tests.model.target import Disk
from tests.rom.cd.cdboot import (CD, CD_ID, Packet, boot, catalog_of, cd, check_blocks, check_boot,
                                 check_sectors, drive_with, emulation, insert, move, simple_call,
                                 started, with_cd)
from tests.rom.cd.emulated_drives import (BOTH, FLOPPY_DISC, IMAGE, IMAGES, IMAGE_144, IN_USE,
                                          PLAIN, check_image, check_passed_as, disc_of, emulating,
                                          floppy_count, number_of, packet_for, status_packet,
                                          variants)
from tests.rom.strict import (CHANGED, LOCKED, NOT_READY, NO_MEDIUM, OK, VARIANTS, hexadecimal,
                              transfer)


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    """A machine booted from a 1.44 MB floppy image."""
    return emulating(request.param, FLOPPY_144)


@pytest.fixture
def plain() -> Pc:
    """A machine booted without emulation from a CD with many images. The BIOS has a
    floppy and a disk; the ROM serves another disk."""
    pc = with_cd("895A", IMAGES, {0: Disk()}, bios=Bios(
        floppies=1, disks=1, answers=frozenset({0x00, 0x80})))
    check_boot(pc, IMAGES, PLAIN)
    return pc


# ---- Disc changes ----------------------------------------------------------------------

SAME_START = Disc(Entry(floppy(FLOPPY_144)[:BLOCK] + floppy(FLOPPY_144, 9)[BLOCK:],
                        media=FLOPPY_144, count=1), seed=4)
OTHER = Disc(Entry(floppy(FLOPPY_144, 8), media=FLOPPY_144, count=1), seed=5)


@pytest.mark.parametrize("function", [0x02, 0x04], ids=hexadecimal)
def test_same_disc_reinserted_reports_a_change(pc, function):
    check_image(pc, 41, 1)
    cd(pc).take_out()
    for _ in range(2):
        assert move(pc, function, 42, 1, number=0) == (NO_MEDIUM, 0)
    insert(pc, FLOPPY_DISC)
    assert move(pc, function, 42, 1, number=0) == (CHANGED, 0)
    assert move(pc, function, 42, 1, number=0) == (OK, 1)
    check_image(pc, 41, 3)


@pytest.mark.parametrize("blocks", [20, 64, 65, 70])
def test_shorter_disc_removes_the_image(pc, blocks):
    """The new disc ends before or within the image."""
    insert(pc, Disc(blocks=blocks, seed=9))
    assert move(pc, 0x02, 42, 1, number=0) == (CHANGED, 0)
    for function in (0x02, 0x04):
        assert move(pc, function, 42, 1, number=0) == (NO_MEDIUM, 0)
    insert(pc, FLOPPY_DISC)
    assert move(pc, 0x02, 42, 1, number=0) == (CHANGED, 0)
    check_image(pc, 41, 3)


@pytest.mark.parametrize("function", [0x02, 0x04], ids=hexadecimal)
def test_another_disc_removes_the_image(pc, function):
    check_image(pc, 41, 1)
    insert(pc, OTHER)
    assert move(pc, function, 42, 1, number=0) == (CHANGED, 0)
    for _ in range(3):
        assert move(pc, function, 42, 1, number=0) == (NO_MEDIUM, 0)
    check_blocks(pc, OTHER, 64, 2)
    insert(pc, FLOPPY_DISC)
    assert move(pc, function, 42, 1, number=0) == (CHANGED, 0)
    check_image(pc, 41, 3)


def test_disc_with_the_same_first_block_keeps_the_image(pc):
    """The cached block of the old disc must not be used."""
    check_image(pc, 41, 1)
    insert(pc, SAME_START)
    assert move(pc, 0x02, 42, 1, number=0) == (CHANGED, 0)
    for first in (41, 42, 0, 3):
        check_sectors(pc, SAME_START, SAME_START.default, first, 2)


def with_equal_sum() -> Disc:
    """As FLOPPY_DISC, but two words of the first block differ; their sum does not."""
    image = bytearray(floppy(FLOPPY_144))
    for at, by in ((40, 1), (300, -1)):
        word = int.from_bytes(image[at:at + 2], "little") + by
        image[at:at + 2] = (word & 0xFFFF).to_bytes(2, "little")
    return Disc(Entry(bytes(image), media=FLOPPY_144, count=1))


def with_equal_words() -> Disc:
    """As FLOPPY_DISC, but two words of the first block are exchanged."""
    image = floppy(FLOPPY_144)
    return Disc(Entry(image[2:4] + image[:2] + image[4:], media=FLOPPY_144, count=1))


LOOKALIKES = {"equal sum": with_equal_sum(), "equal words": with_equal_words(),
              "a block longer": Disc(FLOPPY_DISC.default, blocks=FLOPPY_DISC.blocks + 1),
              "a block shorter": Disc(FLOPPY_DISC.default, blocks=FLOPPY_DISC.blocks - 1),
              "far longer": Disc(FLOPPY_DISC.default, blocks=FLOPPY_DISC.blocks + 0x10000)}


@pytest.mark.parametrize("other", LOOKALIKES.values(), ids=LOOKALIKES)
@pytest.mark.parametrize("by_number", [0, CD], ids=["emulated", "CD"])
def test_disc_that_differs_little_is_another_disc(pc, other, by_number):
    """The change is reported by either number."""
    words = [sum(int.from_bytes(d.content(64)[i:i + 2], "little") for i in range(0, BLOCK, 2))
             for d in (FLOPPY_DISC, other)]
    assert words[0] % 0x10000 == words[1] % 0x10000
    insert(pc, other)
    assert simple_call(pc, 0x16, by_number).ah == CHANGED
    if by_number == CD:
        move(pc, 0x42, 16, 1)
        check_blocks(pc, other, 64, 2)
    else:
        move(pc, 0x02, 42, 1, number=0)
    for _ in range(2):
        assert move(pc, 0x02, 42, 1, number=0) == (NO_MEDIUM, 0)
    insert(pc, FLOPPY_DISC)
    assert move(pc, 0x02, 42, 1, number=0) == (CHANGED, 0)
    check_sectors(pc, FLOPPY_DISC, IMAGE, 41, 3, function=0x02)


@pytest.mark.parametrize("sense", [(6, 0x28, 0), (6, 0x29, 0), (6, 0x29, 2), (6, 0x2A, 1)],
                         ids=str)
@pytest.mark.parametrize("first", [42, 45], ids=["cached", "not cached"])
def test_any_unit_attention_reports_a_change(pc, first, sense):
    """A power-cycled drive reports no more than that; the image is still valid."""
    check_image(pc, 41, 1)
    cd(pc).attentions = [sense]
    assert move(pc, 0x02, first, 1, number=0) == (CHANGED, 0)
    check_image(pc, first, 1)


def test_change_reported_by_the_cd_number_removes_the_image(pc):
    check_image(pc, 41, 1)
    insert(pc, OTHER)
    assert move(pc, 0x42, 16, 1) == (CHANGED, 0)
    check_blocks(pc, OTHER, 16)
    assert move(pc, 0x02, 42, 1, number=0) == (NO_MEDIUM, 0)
    insert(pc, SAME_START)
    assert simple_call(pc, 0x49).ah == CHANGED
    assert move(pc, 0x02, 42, 1, number=0) == (OK, 1)
    assert pc.peek(BUFFER, 512) == SAME_START.sectors(SAME_START.default, 42, 1)


@pytest.mark.parametrize("function", [0x16, 0x49], ids=hexadecimal)
def test_16h_and_49h_report_a_change_once(pc, function):
    assert simple_call(pc, function, 0).ah == OK
    insert(pc, FLOPPY_DISC)
    assert [simple_call(pc, function, 0).ah for _ in range(2)] == [CHANGED, OK]
    check_image(pc, 41, 3)
    cd(pc).take_out()
    assert [simple_call(pc, function, 0).ah for _ in range(2)] == [NO_MEDIUM] * 2


def test_emulated_hard_disk_and_cd_share_their_lock():
    """A floppy has no 45h."""
    pc = emulating("895A", HARD_DISK)
    assert simple_call(pc, 0x45, 0x80, "ax", al=0).al == 1
    assert cd(pc).locked
    assert simple_call(pc, 0x45, CD, "ax", al=2).al == 1
    assert simple_call(pc, 0x46, CD, al=0).ah == LOCKED
    assert simple_call(pc, 0x45, CD, "ax", al=1).al == 0
    assert not cd(pc).locked


@variants
@pytest.mark.parametrize("function", [0x42, 0x44], ids=hexadecimal)
def test_change_of_the_disc_of_a_hard_disk(variant, function):
    pc = emulating(variant, HARD_DISK)
    disc, other = disc_of(HARD_DISK), OTHER
    for found, then in ((disc, OK), (other, NO_MEDIUM), (disc, OK)):
        insert(pc, found)
        assert move(pc, function, 42, 1, number=0x80) == (CHANGED, 0)
        assert move(pc, function, 42, 1, number=0x80) == (then, int(then == OK))
    check_sectors(pc, disc, disc.default, 41, 5, 0x80)


# ---- Two drives ------------------------------------------------------------------------

OTHER_CD = Disc(Entry(floppy(FLOPPY_144, 6), media=FLOPPY_144, count=1), seed=6)


@variants
@pytest.mark.parametrize("index", [0, 1])
def test_image_is_read_from_the_booted_drive(variant, index):
    pc = with_cd(variant, FLOPPY_DISC, {5: drive_with(OTHER_CD)})
    discs = [FLOPPY_DISC, OTHER_CD]
    check_boot(pc, discs[index], number=0, index=index)
    check_sectors(pc, discs[index], discs[index].default, 5, 9)
    for number, disc in zip((0xE0, 0xE1), discs):
        check_blocks(pc, disc, 64, 2, number)
    assert status_packet(pc, 0).fields()[5] == (CD_ID, 5)[index] << 8
    check_sectors(pc, discs[index], discs[index].default, 6, 1)
    check_boot(pc, discs[1 - index], number=0, index=1 - index)
    check_sectors(pc, discs[1 - index], discs[1 - index].default, 5, 9)
    assert floppy_count(pc) == 1


def test_failed_start_from_another_cd_does_not_spoil_the_cache():
    """The failed start has read blocks of the other CD."""
    pc = with_cd("895A", FLOPPY_DISC, {5: drive_with(OTHER_CD)})
    check_boot(pc, FLOPPY_DISC, number=0)
    check_image(pc, 1, 1)
    for options in ({"segment": 1}, {"count": 0}, {"segment": 0xA000, "lba": 65}):
        packet = Packet.make(**{"media": FLOPPY_144, "lba": 64, "count": 1, **options})
        assert started(pc, packet, range(0x10000, 0x10200), number=0xE1).cf
        for first in (1, 5, 0):
            check_image(pc, first, 1)


def test_catalog_read_from_another_cd_does_not_spoil_the_cache():
    """The boot record of the other CD is at the LBA of the image."""
    disc = Disc(Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=1), images=18, catalog_lba=800,
                blocks=900, descriptors=(PRIMARY, eltorito.boot_record(800)))
    other = Disc(descriptors=(PRIMARY, PRIMARY, PRIMARY, eltorito.boot_record(), TERMINATOR))
    pc = with_cd("895A", disc, {5: drive_with(other)})
    check_boot(pc, disc, number=0)
    check_sectors(pc, disc, disc.default, 5, 1)
    assert catalog_of(pc, number=0xE1) == OK
    for first in (5, 1, 9):
        check_sectors(pc, disc, disc.default, first, 1)


@variants
@pytest.mark.parametrize("media", BOTH)
def test_int13_in_timer_handler_is_refused_during_an_image_read(variant, media):
    """The handler reads drive 80h, which is the image itself or another disk."""
    pc = emulating(variant, media, others={0: Disk()}, timer=TimerInterrupt("calling"))
    disc = disc_of(media)

    def hook(bus, data):
        for i in range(4):
            yield from Disk.data_in(data[i * 512:i * 512 + 512])
            yield from cd(pc).disconnect(ns=90_000_000)
    cd(pc).data_hook = hook
    pc.timer.calls.clear()
    for first, count in ((5, 1), (10, 2), (17, 3)):
        check_sectors(pc, disc, disc.default, first, count, number_of(media))
    assert len(pc.timer.calls) > 10 and set(pc.timer.calls) == {(NOT_READY, True)}


def test_4ah_for_the_other_cd_drive(plain):
    pc = with_cd("895A", IMAGES, {5: drive_with(FLOPPY_DISC)})
    check_boot(pc, IMAGES, PLAIN)
    assert emulation(pc, 0x4A, Packet.make(FLOPPY_144, 0, 64, device=5 << 8), 0xE1)[0] == OK
    check_sectors(pc, FLOPPY_DISC, IMAGE, 5, 9)
    assert status_packet(pc, 0xE1).fields()[5] == 5 << 8
    assert emulation(pc, 0x4A, packet_for(IMAGE_144))[0] == IN_USE
    assert emulation(pc, 0x4B, number=CD)[0] == OK
    check_sectors(pc, FLOPPY_DISC, IMAGE, 5, 9)     # the other drive cannot end the emulation
    assert emulation(pc, 0x4B, number=0xE1)[0] == OK
    check_passed_as(pc, 0x00, 0x00)


@variants
def test_emulation_without_pmm(variant):
    """Workspace and buffer are below 640 KiB."""
    pc = emulating(variant, FLOPPY_144, bios=Bios(pmm="absent"))
    for first in range(8):
        check_image(pc, first, 5)
    assert boot(pc, *FLOPPY_DISC.loads).booted


@variants
def test_renumbered_disk_lets_interrupts_through(variant):
    """The call for 81h, which follows an emulated 80h, keeps the caller's IF."""
    disc = disc_of(HARD_DISK)
    pc = with_cd(variant, disc, {0: Disk()}, timer=TimerInterrupt("alive"))
    check_boot(pc, disc, number=0x80)
    pc.bus.targets[0].before_status = lambda bus: iter([Delay(300 * MS)])
    before = pc.timer.ticks
    assert transfer(pc, 0x42, 7, 1, drive=0x81) == (OK, 1)
    assert pc.timer.ticks - before >= 5

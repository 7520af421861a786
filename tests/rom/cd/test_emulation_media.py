# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: emulated drives whose disc changes, and two CD-ROM drives."""

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
from tests.rom.cd.cdboot import (CD, CD_ID, Packet, asks, boot, boots, catalog_of, cd, drive_with,
                                 emulation, insert, move, reads_blocks, reads_sectors, started,
                                 with_cd)
from tests.rom.cd.emulated_drives import (BOTH, FLOPPY_DISC, IMAGE, IMAGES, IMAGE_144, IN_USE,
                                          PLAIN, disc_of, emulating, floppies_said, number_of,
                                          packet_for, passed_as, reads_image, status_packet,
                                          variants)
from tests.rom.strict import (CHANGED, LOCKED, NOT_READY, NO_MEDIUM, OK, VARIANTS, hexadecimal,
                              transfer)


@pytest.fixture(params=VARIANTS)
def pc(request) -> Pc:
    """Booted from a 1.44 MB floppy image."""
    return emulating(request.param, FLOPPY_144)


@pytest.fixture
def plain() -> Pc:
    """Booted without emulation from a CD with many images. The BIOS has a
    floppy and a disk, we have a disk."""
    pc = with_cd("895A", IMAGES, {0: Disk()}, bios=Bios(
        floppies=1, disks=1, answers=frozenset({0x00, 0x80})))
    boots(pc, IMAGES, PLAIN)
    return pc


# ---- Media -----------------------------------------------------------------------------

SAME_START = Disc(Entry(floppy(FLOPPY_144)[:BLOCK] + floppy(FLOPPY_144, 9)[BLOCK:],
                        media=FLOPPY_144, count=1), seed=4)
OTHER = Disc(Entry(floppy(FLOPPY_144, 8), media=FLOPPY_144, count=1), seed=5)


@pytest.mark.parametrize("function", [0x02, 0x04, 0x42, 0x44], ids=hexadecimal)
def test_the_same_disc_back_is_a_change_and_no_more(pc, function):
    reads_image(pc, 41, 1)
    cd(pc).take_out()
    for _ in range(2):
        assert move(pc, function, 42, 1, number=0) == (NO_MEDIUM, 0)
    insert(pc, FLOPPY_DISC)
    assert move(pc, function, 42, 1, number=0) == (CHANGED, 0)
    assert move(pc, function, 42, 1, number=0) == (OK, 1)
    reads_image(pc, 41, 3)


@pytest.mark.parametrize("blocks", [20, 64, 65, 70])
def test_with_a_short_disc_the_image_is_gone(pc, blocks):
    """One that ends before it, or within it."""
    insert(pc, Disc(blocks=blocks, seed=9))
    assert move(pc, 0x42, 42, 1, number=0) == (CHANGED, 0)
    for function in (0x02, 0x42, 0x44):
        assert move(pc, function, 42, 1, number=0) == (NO_MEDIUM, 0)
    insert(pc, FLOPPY_DISC)
    assert move(pc, 0x42, 42, 1, number=0) == (CHANGED, 0)
    reads_image(pc, 41, 3)


@pytest.mark.parametrize("function", [0x02, 0x04, 0x42, 0x44], ids=hexadecimal)
def test_with_another_disc_the_image_is_gone(pc, function):
    reads_image(pc, 41, 1)
    insert(pc, OTHER)
    assert move(pc, function, 42, 1, number=0) == (CHANGED, 0)
    for _ in range(3):
        assert move(pc, function, 42, 1, number=0) == (NO_MEDIUM, 0)
    reads_blocks(pc, OTHER, 64, 2)
    insert(pc, FLOPPY_DISC)
    assert move(pc, function, 42, 1, number=0) == (CHANGED, 0)
    reads_image(pc, 41, 3)


def test_a_disc_with_the_same_beginning_will_do(pc):
    """And what was in the cache is of the old one."""
    reads_image(pc, 41, 1)
    insert(pc, SAME_START)
    assert move(pc, 0x42, 42, 1, number=0) == (CHANGED, 0)
    for first in (41, 42, 0, 3):
        reads_sectors(pc, SAME_START, SAME_START.default, first, 2)


@pytest.mark.parametrize("sense", [(6, 0x28, 0), (6, 0x29, 0), (6, 0x29, 2), (6, 0x2A, 1)],
                         ids=str)
@pytest.mark.parametrize("first", [42, 45], ids=["in the cache", "not there"])
def test_any_attention_may_be_a_change(pc, first, sense):
    """A drive that was switched off and on says no more than that. The image
    is still there."""
    reads_image(pc, 41, 1)
    cd(pc).attentions = [sense]
    assert move(pc, 0x42, first, 1, number=0) == (CHANGED, 0)
    reads_image(pc, first, 1)


def test_a_change_that_the_cd_number_heard_of(pc):
    reads_image(pc, 41, 1)
    insert(pc, OTHER)
    assert move(pc, 0x42, 16, 1) == (CHANGED, 0)
    reads_blocks(pc, OTHER, 16)
    assert move(pc, 0x42, 42, 1, number=0) == (NO_MEDIUM, 0)
    insert(pc, SAME_START)
    assert asks(pc, 0x49).ah == CHANGED
    assert move(pc, 0x42, 42, 1, number=0) == (OK, 1)
    assert pc.peek(BUFFER, 512) == SAME_START.sectors(SAME_START.default, 42, 1)


@pytest.mark.parametrize("function", [0x16, 0x49], ids=hexadecimal)
def test_who_asks_hears_of_a_change(pc, function):
    assert asks(pc, function, 0).ah == OK
    insert(pc, FLOPPY_DISC)
    assert [asks(pc, function, 0).ah for _ in range(2)] == [CHANGED, OK]
    reads_image(pc, 41, 3)
    cd(pc).take_out()
    assert [asks(pc, function, 0).ah for _ in range(2)] == [NO_MEDIUM] * 2


def test_locks_are_those_of_the_drive(pc):
    assert asks(pc, 0x45, 0, "ax", al=0).al == 1
    assert cd(pc).locked
    assert asks(pc, 0x45, CD, "ax", al=2).al == 1
    assert asks(pc, 0x46, CD, al=0).ah == LOCKED
    assert asks(pc, 0x45, CD, "ax", al=1).al == 0
    assert not cd(pc).locked


# ---- Two drives ------------------------------------------------------------------------

OTHER_CD = Disc(Entry(floppy(FLOPPY_144, 6), media=FLOPPY_144, count=1), seed=6)


@variants
@pytest.mark.parametrize("index", [0, 1])
def test_the_image_is_on_the_drive_that_was_booted(variant, index):
    pc = with_cd(variant, FLOPPY_DISC, {5: drive_with(OTHER_CD)})
    discs = [FLOPPY_DISC, OTHER_CD]
    boots(pc, discs[index], number=0, index=index)
    reads_sectors(pc, discs[index], discs[index].default, 5, 9)
    for number, disc in zip((0xE0, 0xE1), discs):
        reads_blocks(pc, disc, 64, 2, number)
    assert status_packet(pc, 0).fields()[5] == (CD_ID, 5)[index] << 8
    reads_sectors(pc, discs[index], discs[index].default, 6, 1)
    boots(pc, discs[1 - index], number=0, index=1 - index)
    reads_sectors(pc, discs[1 - index], discs[1 - index].default, 5, 9)
    assert floppies_said(pc) == 1


def test_what_is_read_of_the_other_cd_is_not_taken_for_the_image():
    """A boot from there that fails has had a look at it."""
    pc = with_cd("895A", FLOPPY_DISC, {5: drive_with(OTHER_CD)})
    boots(pc, FLOPPY_DISC, number=0)
    reads_image(pc, 1, 1)
    for options in ({"segment": 1}, {"count": 0}, {"segment": 0x1000, "lba": 65}):
        packet = Packet.make(**{"media": FLOPPY_144, "lba": 64, "count": 1, **options})
        assert started(pc, packet, range(0x10000, 0x10200), number=0xE1).cf
        for first in (1, 5, 0):
            reads_image(pc, first, 1)


def test_the_catalog_of_the_other_cd_is_not_taken_for_the_image():
    """Whose boot record lies where the image is."""
    disc = Disc(Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=1), images=18, catalog_lba=800,
                blocks=900, descriptors=(PRIMARY, eltorito.boot_record(800)))
    other = Disc(descriptors=(PRIMARY, PRIMARY, PRIMARY, eltorito.boot_record(), TERMINATOR))
    pc = with_cd("895A", disc, {5: drive_with(other)})
    boots(pc, disc, number=0)
    reads_sectors(pc, disc, disc.default, 5, 1)
    assert catalog_of(pc, number=0xE1) == OK
    for first in (5, 1, 9):
        reads_sectors(pc, disc, disc.default, first, 1)


@variants
@pytest.mark.parametrize("media", BOTH)
def test_interrupts_come_while_an_image_is_read(variant, media):
    """A handler that reads drive 80h, the image itself or another, is refused
    and disturbs nothing."""
    pc = emulating(variant, media, others={0: Disk()}, timer=TimerInterrupt("calling"))
    disc = disc_of(media)

    def hook(bus, data):
        for i in range(4):
            yield from Disk.data_in(data[i * 512:i * 512 + 512])
            yield from cd(pc).disconnect(ns=90_000_000)
    cd(pc).data_hook = hook
    pc.timer.calls.clear()
    for first, count in ((5, 1), (10, 2), (17, 3)):
        reads_sectors(pc, disc, disc.default, first, count, number_of(media))
    assert len(pc.timer.calls) > 10 and set(pc.timer.calls) == {(NOT_READY, True)}


def test_an_image_of_the_other_drive(plain):
    """4Ah for a CD of two."""
    pc = with_cd("895A", IMAGES, {5: drive_with(FLOPPY_DISC)})
    boots(pc, IMAGES, PLAIN)
    assert emulation(pc, 0x4A, Packet.make(FLOPPY_144, 0, 64, device=5 << 8), 0xE1)[0] == OK
    reads_sectors(pc, FLOPPY_DISC, IMAGE, 5, 9)
    assert status_packet(pc, 0xE1).fields()[5] == 5 << 8
    assert emulation(pc, 0x4A, packet_for(IMAGE_144))[0] == IN_USE
    assert emulation(pc, 0x4B, number=CD)[0] == OK
    reads_sectors(pc, FLOPPY_DISC, IMAGE, 5, 9)     # it was not that drive's to end
    assert emulation(pc, 0x4B, number=0xE1)[0] == OK
    passed_as(pc, 0x00, 0x00)


@variants
def test_emulation_without_a_memory_manager(variant):
    """Workspace and buffer lie below 640 KiB."""
    pc = emulating(variant, FLOPPY_144, bios=Bios(pmm="absent"))
    for first in range(8):
        reads_image(pc, first, 5)
    assert boot(pc, *FLOPPY_DISC.loads).booted


@variants
def test_interrupts_come_while_a_renumbered_disk_works(variant):
    """Ours, 81h behind an emulated 80h: it hears of its caller's IF."""
    disc = disc_of(HARD_DISK)
    pc = with_cd(variant, disc, {0: Disk()}, timer=TimerInterrupt("alive"))
    boots(pc, disc, number=0x80)
    pc.bus.targets[0].before_status = lambda bus: iter([Delay(300 * MS)])
    before = pc.timer.ticks
    assert transfer(pc, 0x42, 7, 1, drive=0x81) == (OK, 1)
    assert pc.timer.ticks - before >= 5

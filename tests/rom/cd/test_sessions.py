# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: discs with several sessions. The last session boots, or else the first.
[El Torito 1.0 "Booting catalog"; EDD-4 7.3.1; MMC-2 "READ TOC/PMA/ATIP"]
"""

from __future__ import annotations

import struct

import pytest

from tests.model.bus import FREE, HANG
from tests.model.eltorito import (BLOCK, CATALOG, FLOPPY_144, PRIMARY, TERMINATOR, Disc, Entry,
                                  TwoSessions, boot_record, floppy, later_session, loader)
from tests.model.pc import BUFFER, Pc
from tests.model.target import AUDIO, READ10, READ_TOC, cd_rom
from tests.rom.cd.cdboot import (CD_ID, boot, catalog_of, cd, check_boot, check_refused,
                                 check_sectors, insert, move, with_cd)
from tests.rom.cd.el_torito_discs import CHECKSUM, NO_RECORD, variants
from tests.rom.strict import CHANGED, NO_MEDIUM, OK

START = 12000
FIRST = Disc(Entry(loader(4, 90)))
LAST = later_session(START)
NO_BOOT_RECORD = (PRIMARY, TERMINATOR)


def with_sessions(variant: str, last: Disc = LAST, first: Disc = FIRST, **drive) -> Pc:
    disc = TwoSessions(first, last)
    return with_cd(variant, disc, drive={"sessions": (0, last.start), **drive})


@variants
def test_last_session_boots(variant):
    pc = with_sessions(variant)
    check_boot(pc, LAST)
    tocs = [c for c in cd(pc).commands if c[0] == READ_TOC]
    assert tocs == [bytes([READ_TOC, 0, 1, 0, 0, 0, 0, 0, 12, 0x40])]


@variants
@pytest.mark.parametrize("count", [1, 3, 60])
def test_last_of_many_sessions_boots(variant, count):
    starts = (*range(0, count * 100, 100), START)
    check_boot(with_sessions(variant, sessions=starts), LAST)


@variants
def test_boot_record_of_the_last_session_is_at_its_17th_block_or_found_by_search(variant):
    for before in ((bytes(BLOCK),), (PRIMARY, PRIMARY, PRIMARY)):
        last = later_session(START, descriptors=(*before, boot_record(START + 24)))
        check_boot(with_sessions(variant, last), last)


@variants
@pytest.mark.parametrize("last", [
    {"descriptors": NO_BOOT_RECORD}, {"catalog": bytes(BLOCK)},
    {"default": Entry(loader(), indicator=0)}, {"default": Entry(loader(), media=9)},
    {"default": Entry(loader(), count=0)}, {"default": Entry(lba=99999)},
    {"default": Entry(loader(), segment=0xA000)}],
    ids=["no boot record", "catalog", "no entry", "media", "count", "beyond", "room"])
def test_first_session_boots_if_the_last_does_not(variant, last):
    check_boot(with_sessions(variant, later_session(START, **last)), FIRST)


@variants
@pytest.mark.parametrize("lba", [START + 17, START + 24, START + 32])
def test_first_session_boots_if_the_last_is_unreadable(variant, lba):
    bad = {lba: (3, 0x11, 0, True)}
    check_boot(with_sessions(variant, bad_blocks=bad), FIRST)


def test_reason_is_that_of_the_first_session():
    first = Disc(validation=CHECKSUM_WRONG)
    check_refused(with_sessions("895A", later_session(START, descriptors=NO_BOOT_RECORD), first),
                  CHECKSUM)
    check_refused(with_sessions("895A", later_session(START, catalog=bytes(BLOCK)),
                                Disc(descriptors=NO_BOOT_RECORD)), NO_RECORD)


CHECKSUM_WRONG = bytes([1]) + bytes(29) + b"\x55\xAA"


@variants
def test_data_after_music_boots(variant):
    """The first session has audio tracks. POST does not call it an audio disc."""
    music = {lba: (*AUDIO, True) for lba in range(100)}
    pc = with_sessions(variant, bad_blocks=music)
    assert f"  ID {CD_ID} LUN 0" not in pc.text
    check_boot(pc, LAST)


@variants
def test_music_alone_is_reported_by_post(variant):
    pc = with_cd(variant, Disc(), drive={"read_sense": AUDIO})
    assert f"  ID {CD_ID} LUN 0 BENCH STRICT CD-ROM: audio disc" in pc.text


@variants
def test_drive_of_scsi_2_has_the_format_in_the_control_byte(variant):
    check_boot(with_sessions(variant, toc_by_control=True), LAST)


TRACKS = struct.pack(">HBB", 18, 1, 1) + bytes([0, 0x14, 1, 0]) + struct.pack(">I", START)
ANSWERS = {
    "nothing": b"", "one byte": b"\0", "header only": b"\0\x02\1\2", "tracks": TRACKS,
    "zeros": bytes(12), "ones": b"\xFF" * 12, "11 bytes": b"\0\x0A\1\2" + bytes([0, 0x14, 2, 0]) + struct.pack(">I", START)[:3],
    "beyond the disc": b"\0\x0A\1\2" + bytes([0, 0x14, 2, 0]) + b"\x00\xFF\xFF\xFF",
    "at 2^32": b"\0\x0A\1\2" + bytes([0, 0x14, 2, 0]) + b"\xFF\xFF\xFF\xFF",
}


@variants
@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_useless_answer_boots_the_first_session(variant, answer):
    check_boot(with_sessions(variant, toc_hook=lambda right: answer), FIRST)


@variants
@pytest.mark.parametrize("sense", [(5, 0x20, 0), (5, 0x24, 0), (3, 0x11, 0), (4, 0x44, 0),
                                   (0xB, 0, 0), (2, 4, 1), (3, 0x57, 0)], ids=str)
def test_drive_that_refuses_read_toc_boots_the_first_session(variant, sense):
    pc = with_sessions(variant)
    cd(pc).status_hook = lambda cdb: cd(pc).check(*sense) if cdb[0] == READ_TOC else None
    check_boot(pc, FIRST)


@pytest.mark.parametrize("fault", [HANG, FREE], ids=["hang", "bus free"])
def test_drive_that_fails_at_read_toc_boots_the_first_session(fault):
    pc = with_sessions("895A")

    def hook(bus):
        if cd(pc).commands[-1][0] == READ_TOC:
            yield fault
    cd(pc).before_status = hook
    check_boot(pc, FIRST)


@variants
def test_4dh_reads_the_catalog_of_the_session_with_a_boot_record(variant):
    for last, disc, catalog in ((LAST, LAST, START + 24),
                                (later_session(START, descriptors=NO_BOOT_RECORD), FIRST, CATALOG)):
        pc = with_sessions(variant, last)
        check_boot(pc, disc)
        pc.poke(BUFFER, b"\xEE" * BLOCK)
        assert catalog_of(pc) == OK
        assert pc.peek(BUFFER, BLOCK) == disc.content(catalog)


@variants
def test_floppy_image_of_the_last_session_is_emulated(variant):
    last = later_session(START, default=Entry(floppy(FLOPPY_144), media=FLOPPY_144, count=1))
    pc = with_sessions(variant, last)
    check_boot(pc, last, number=0)
    check_sectors(pc, last, last.default, 40, 9)
    disc = TwoSessions(FIRST, last)
    insert(pc, disc)
    assert [move(pc, 0x02, 5, number=0).status for _ in range(2)] == [CHANGED, OK]
    insert(pc, TwoSessions(FIRST, LAST))
    assert [move(pc, 0x02, 5, number=0).status for _ in range(2)] == [CHANGED, NO_MEDIUM]


def test_disc_changed_between_the_sessions_is_not_booted():
    """No image of a disc boots by the catalog of another."""
    pc = with_sessions("895A", later_session(START, descriptors=NO_BOOT_RECORD))
    reads = []

    def hook(cdb):
        reads.extend([1] * (cdb[0] == READ10))
        if len(reads) == 2:
            cd(pc).status_hook = None
            insert(pc, Disc(Entry(loader(4, 95))))
            return cd(pc).execute(cdb)
        return None
    cd(pc).status_hook = hook
    assert not boot(pc, *FIRST.loads).booted
    assert "not bootable: status 06h" in pc.text
    cd(pc).sessions = (0,)
    check_boot(pc, Disc(Entry(loader(4, 95))))


def test_model_has_one_session_by_default():
    drive = cd_rom(attentions=[])
    answer = drive.execute(bytes([READ_TOC, 0, 1, 0, 0, 0, 0, 0, 12, 0])).data
    assert answer == bytes.fromhex("000a 0101 00140100 00000000")

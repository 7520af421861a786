# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: CD-ROM drives whose blocks have 512 bytes after each reset, as those of old
workstations. MODE SELECT sets 2048; a drive that refuses keeps its blocks.
[SCSI-2 "MODE SELECT(6)", "Mode parameters"]
"""

from __future__ import annotations

import pytest

from tests.model.bus import HANG
from tests.model.eltorito import (BLOCK, FLOPPY_144, HARD_DISK, Disc, Entry, TwoSessions, floppy,
                                  hard_disk, later_session, loader)
from tests.model.pc import BUFFER, Pc
from tests.model.target import (AUDIO, MODE_SELECT, READ10, VERIFY10, Disk)
from tests.rom.cd.cdboot import (CD, CD_ID, boot, catalog_of, cd, check_blocks, check_boot,
                                 check_refused, check_sectors, insert, move, simple_call, with_cd)
from tests.rom.cd.el_torito_discs import variants
from tests.rom.cd.emulated_drives import number_of
from tests.rom.strict import BAD_SECTOR, CHANGED, NOT_FOUND, OK, opcodes, parameters

DISC = Disc(blocks=1000)
OTHER = Disc(Entry(loader(4, 33)), seed=8, blocks=700)
SWITCHED = {"native": 512, "selectable": (512, BLOCK)}
FIXED = {"native": 512}
drives = pytest.mark.parametrize("drive", [SWITCHED, FIXED], ids=["switched", "fixed"])
RESET = (6, 0x29, 0)


def booted(variant: str, drive: dict, disc: Disc = DISC, number: int = CD) -> Pc:
    pc = with_cd(variant, disc, {0: Disk()}, drive=drive)
    assert f"  ID {CD_ID} LUN 0" not in pc.text
    check_boot(pc, disc, number=number)
    return pc


def reset(pc: Pc) -> None:
    """A reset of the drive by another initiator: its blocks have 512 bytes again."""
    cd(pc).reset()
    assert cd(pc).block_bytes == 512


@variants
def test_drive_is_switched_by_mode_select(variant):
    pc = booted(variant, SWITCHED)
    selected = [c for c in cd(pc).commands if c[0] == MODE_SELECT]
    assert selected == [bytes([MODE_SELECT, 0x10, 0, 0, 12, 0])]
    assert cd(pc).block_bytes == BLOCK
    assert {c[8] for c in cd(pc).commands if c[0] == READ10} == {1}


@variants
@drives
def test_drive_with_blocks_of_512_bytes_boots_and_is_read(variant, drive):
    pc = booted(variant, drive)
    assert f"1 MiB, {cd(pc).block_bytes}-byte blocks" in pc.text
    for lba, count in ((16, 1), (0, 3), (968, 32), (999, 1), (500, 31), (100, 33), (7, 95)):
        check_blocks(pc, DISC, lba, count)
    assert move(pc, 0x42, 999, 2) == (NOT_FOUND, 0)
    assert move(pc, 0x44, 990, 10) == (OK, 10)
    assert move(pc, 0x47, 990) == (OK, None)
    assert parameters(pc, drive=CD)[16:26] == DISC.blocks.to_bytes(8, "little") + b"\0\x08"
    assert catalog_of(pc, 0, 2) == OK
    assert pc.peek(BUFFER, 2 * BLOCK) == DISC.read(DISC.catalog_lba, 2)


@variants
def test_commands_have_blocks_of_the_drive(variant):
    pc = booted(variant, FIXED)
    sent = len(cd(pc).commands)
    assert move(pc, 0x42, 100, 40) == (OK, 40)
    assert move(pc, 0x44, 100, 40) == (OK, 40)
    found = [(c[0], int.from_bytes(c[2:6], "big"), int.from_bytes(c[7:9], "big"))
             for c in cd(pc).commands[sent:]]
    assert found == [(READ10, 400, 124), (READ10, 524, 36), (VERIFY10, 400, 124),
                     (VERIFY10, 524, 36)]


@variants
@drives
@pytest.mark.parametrize("count", [1, 2, 3, 5, 255])
def test_image_with_any_number_of_sectors_is_loaded(variant, drive, count):
    booted(variant, drive, Disc(Entry(loader(count, 40), count=count)))


@variants
@drives
@pytest.mark.parametrize("bad, good", [(400, 0), (401, 0), (403, 0), (404, 1), (411, 2), (459, 14)])
def test_bad_block_within_a_sector_spoils_the_sector(variant, drive, bad, good):
    """`bad` is in blocks of 512 bytes."""
    pc = booted(variant, drive)
    lba = bad if drive is FIXED else bad // 4
    cd(pc).bad_blocks[lba] = (3, 0x11, 0, True)
    assert move(pc, 0x42, 100, 20) == (BAD_SECTOR, good)
    assert pc.peek(BUFFER, good * BLOCK) == DISC.read(100, good)


@variants
@drives
@pytest.mark.parametrize("media", [FLOPPY_144, HARD_DISK])
def test_emulated_drive_is_read(variant, drive, media):
    image = floppy(media) if media == FLOPPY_144 else hard_disk(80, 2, 18)
    disc = Disc(Entry(image, media=media, count=1))
    pc = booted(variant, drive, disc, number_of(media))
    for first in (0, 1, 2, 3, 5, 2871):
        for count in (1, 2, 3, 4, 9):
            check_sectors(pc, disc, disc.default, first, count, number_of(media))
    assert move(pc, 0x02, 2879, 2, number=number_of(media)) == (NOT_FOUND, 0)
    for _ in range(2):
        reset(pc)
        assert move(pc, 0x02, 5, 1, number=number_of(media)) == (CHANGED, 0)
        check_sectors(pc, disc, disc.default, 6, 9, number_of(media))


@variants
@drives
def test_drive_is_switched_again_after_a_reset(variant, drive):
    """The call after it reports a change, as after any UNIT ATTENTION."""
    pc = booted(variant, drive)
    for _ in range(2):
        reset(pc)
        assert move(pc, 0x42, 100, 3) == (CHANGED, 0)
        check_blocks(pc, DISC, 100, 3)
    check_boot(pc, DISC)


@variants
def test_drive_is_switched_again_after_an_attention_without_a_reset_by_the_model(variant):
    pc = booted(variant, SWITCHED)
    cd(pc).use_blocks_of(512)
    cd(pc).attentions = [RESET]
    assert simple_call(pc, 0x10).ah == CHANGED
    check_blocks(pc, DISC, 100, 3)


@variants
@drives
def test_another_disc_is_measured(variant, drive):
    pc = booted(variant, drive)
    insert(pc, OTHER)
    assert move(pc, 0x42, 100, 3) == (CHANGED, 0)
    check_blocks(pc, OTHER, 690, 10)
    assert move(pc, 0x42, 699, 2) == (NOT_FOUND, 0)


@variants
@drives
def test_hang_resets_the_drive_and_the_next_boot_succeeds(variant, drive):
    pc = with_cd(variant, DISC, drive=drive)
    hangs = [1]

    def hook(bus):
        if hangs and cd(pc).commands[-1][0] == READ10:
            hangs.pop()
            yield HANG
    cd(pc).before_status = hook
    assert not boot(pc, *DISC.loads).booted
    check_boot(pc, DISC)
    check_blocks(pc, DISC, 300, 40)


@variants
@drives
def test_last_session_boots(variant, drive):
    last = later_session(12000)
    pc = with_cd(variant, TwoSessions(DISC, last), drive={**drive, "sessions": (0, 12000)})
    check_boot(pc, last)


@variants
def test_last_session_boots_after_a_reset_of_the_drive(variant):
    """The table of contents then has blocks of 512 bytes, too, until they are set again."""
    last = later_session(12000)
    pc = with_cd(variant, TwoSessions(DISC, last), drive={**SWITCHED, "sessions": (0, 12000)})
    reset(pc)
    check_boot(pc, last)


@variants
def test_data_after_music_is_found_by_post(variant):
    music = {lba: (*AUDIO, True) for lba in range(4 * 100)}
    last = later_session(12000)
    pc = with_cd(variant, TwoSessions(DISC, last),
                 drive={**FIXED, "sessions": (0, 12000), "bad_blocks": music})
    assert f"  ID {CD_ID} LUN 0" not in pc.text
    reads = [c[2:6] for c in cd(pc).commands if c[0] == READ10]
    assert (4 * (12000 + 17)).to_bytes(4, "big") in reads
    check_boot(pc, last)


@variants
@pytest.mark.parametrize("sense", [(5, 0x20, 0), (5, 0x24, 0), (5, 0x26, 0)], ids=str)
def test_refusal_of_mode_select_serves_the_drive_as_it_is(variant, sense):
    pc = with_cd(variant, DISC, drive=SWITCHED)
    cd(pc).reset()
    cd(pc).status_hook = lambda cdb: cd(pc).check(*sense) if cdb[0] == MODE_SELECT else None
    check_boot(pc, DISC)
    assert cd(pc).block_bytes == 512


@variants
def test_mode_select_without_effect_serves_the_drive_as_it_is(variant):
    check_boot(with_cd(variant, DISC, drive={**FIXED, "selectable": (512,)}), DISC)


@variants
@pytest.mark.parametrize("size", [256, 1024, 2336, 2352])
def test_drive_with_other_blocks_is_switched(variant, size):
    """Another system may have left it with blocks for music."""
    pc = with_cd(variant, DISC, drive={"native": size, "selectable": (BLOCK,)})
    check_boot(pc, DISC)
    check_blocks(pc, DISC, 100, 40)
    refusing = with_cd(variant, DISC, drive={"native": size})
    check_refused(refusing, "status 0Ch")


@variants
def test_other_drives_get_no_mode_select(variant):
    pc = with_cd(variant, DISC, {0: Disk(), 3: Disk(removable=True)})
    check_boot(pc, DISC)
    assert all(MODE_SELECT not in opcodes(target) for target in pc.bus.targets.values())

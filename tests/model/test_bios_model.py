# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Tests of the virtual PC's behaviour at boot, without our ROM: bootstrap entry
vectors, INT 19h and 18h, PnP calls, keys, BIOS drives, CD-ROM drives and discs.
They use small ROMs of a few instructions.
"""

from __future__ import annotations

import struct
from collections import deque

import pytest

from tests.model import eltorito
from tests.model.bios import Bios, BootEntry
from tests.model.bios_data import (BIOS_SEGMENT, BOCHS, BOOT_SECTOR, EQUIPMENT, NO_BBS,
                                   OWN_SECTORS, PCI_3, PNP_KINDS, ROM_SEGMENT, SEABIOS,
                                   SPECIFICATION)
from tests.model.eltorito import BLOCK, Disc, Entry, Section
from tests.model.pc import Pc
from tests.model.rules import RuleViolation
from tests.model.target import (AUDIO, BLANK, CD_ROM, CHECK_CONDITION, GOOD, OPTICAL, READ10,
                                READ_CAPACITY, TEST_UNIT_READY, WRITE10, Disk, cd_rom)
from tests.rom.strict import SECOND

INIT_AT, BEV_AT, PNP_AT, TEXT_AT = 0x40, 0x100, 0x180, 0x1A0
RETURN = "cb"
LOAD_AND_GO = "31c0 8ed8 c606007cf4 b2e0 ea007c0000"    # a HLT to 0:7C00, DL = E0h, jump
HOOK_19H = "31c0 8ed8 c70664003412"
ASK_BBS = "6a00 89e0 6800f0 16 50 6a60 9a00d100f0 83c408 5b"    # AX: answer, BX: version


def code(text: str) -> bytes:
    return bytes.fromhex(text.replace(" ", ""))


def header(bcv: int = 0, bev: int = BEV_AT, more: int = 0) -> bytes:
    data = bytearray(b"$PnP\x01\x02" + struct.pack("<H", more) + bytes(6) + struct.pack("<HH", TEXT_AT, TEXT_AT)
                     + b"\x01\0\0\x74" + struct.pack("<HHHHH", bcv, 0, bev, 0, 0))
    data[9] = -sum(data) & 0xFF
    return bytes(data)


def small(tmp_path, init: str = RETURN, bev: str = RETURN, pnp: bytes = b"", **options) -> Pc:
    """A machine before POST, with a ROM that has one boot entry."""
    image = bytearray(512)
    image[:6] = b"\x55\xaa\x01\xe9" + struct.pack("<H", INIT_AT - 6)
    image[0x1A:0x1C] = struct.pack("<H", PNP_AT)
    for at, data in ((INIT_AT, code(init)), (BEV_AT, code(bev)), (PNP_AT, pnp or header()),
                     (TEXT_AT, b"SMALL ROM\0")):
        image[at:at + len(data)] = data
    image[-1] = -sum(image) & 0xFF
    file = tmp_path / "small.rom"
    file.write_bytes(image)
    return Pc(file, **options)


def posted(*arguments, **options) -> Pc:
    pc = small(*arguments, **options)
    pc.power_on()
    return pc


def booted_from(pc: Pc):
    return pc.bios.boot(pc.bios.entries[0], BOOT_SECTOR)


# ---- Bootstrap entry vectors -----------------------------------------------------------


@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_bootstrap_entry_vector_may_return(tmp_path, manner):
    pc = posted(tmp_path, bios=Bios(manner))
    assert pc.bios.entries == [BootEntry(PNP_AT, 0, "SMALL ROM", BEV_AT)]
    result = booted_from(pc)
    assert (result.booted, result.es, result.di) == (False, BIOS_SEGMENT, 0x0100)


def test_bootstrap_entry_vector_may_jump_to_loaded_code(tmp_path):
    pc = posted(tmp_path, bev=LOAD_AND_GO)
    result = booted_from(pc)
    assert (result.booted, result.cs, result.eip, result.dl) == (True, 0, 0x7C00, 0xE0)
    assert pc.peek(0x7C00, 1) == b"\xf4"
    assert booted_from(pc).booted, "it can be called a second time"


@pytest.mark.parametrize("bev, rule", [
    ("ea00700000", "code outside the ROM run"),                     # 0:7000
    ("ea007e0000", "code outside the ROM run"),                     # just after the boot sector
    ("31c0 8ed8 c6060070f4 cb", "write outside buffer and workspace"),
    ("31c0 8ed8 c6067504f4 c6061a04f4 cb", "write outside buffer and workspace"),  # 40:1Ah
    ("0e 1f c6060000f4 cb", "ROM written after boot"),
    ("50 cb", "code outside the ROM run"),
    ("ca 0200", "stack not restored"),
    ("bc0008 b2e0 ea007c0000", "stack not restored"),               # BIOS stack, wrong depth
    ("31c0 8ed0 ea007c0000", "stack not restored"),
    ("b401 cd10 cb", "BIOS service not expected"),
    ("b400 cd16 cb", "BIOS service not expected"),                  # no key is pressed
    ("b801b1 cd1a 30c0 e610 cb", "port not ours"),
    ("b84109 31db 31c9 cd10 cb", "BIOS service misused"),           # no characters
    ("b402 31db ba0019 cd10 cb", "BIOS service misused"),           # row 25
    (ASK_BBS + RETURN, "PnP BIOS misused"),                         # after POST
    ("f4", "CPU halted"),
])
def test_boot_violation_names_its_rule(tmp_path, bev, rule):
    pc = posted(tmp_path, bev=bev)
    with pytest.raises(RuleViolation, match=rule):
        booted_from(pc)


@pytest.mark.parametrize("vector", [0x13, 0x18, 0x19])
@pytest.mark.parametrize("at", [0x410, 0x411, 0x441, 0x474, 0x475])
def test_drive_counts_and_vectors_are_writable_at_boot(tmp_path, at, vector):
    pc = posted(tmp_path, bev=f"31c0 8ed8 66c706{vector * 4:02x}0078563412"
                              f"c606{at & 0xFF:02x}{at >> 8:02x}99 cb")
    assert not booted_from(pc).booted
    assert pc.peek(at, 1) == b"\x99"
    assert pc.peek(vector * 4, 4) == bytes.fromhex("78563412")


@pytest.mark.parametrize("pnp, what", [
    (header(0, 0, more=PNP_AT), "no vector"), (header(BEV_AT, BEV_AT), "both vectors"),
    (header(0, 0x200), "bootstrap entry vector")], ids=["none", "both", "outside"])
def test_pnp_header_needs_exactly_one_valid_vector(tmp_path, pnp, what):
    with pytest.raises(RuleViolation, match=f"PnP header wrong: .*{what}"):
        posted(tmp_path, pnp=pnp, bios=Bios(SPECIFICATION))


def test_one_pnp_header_may_have_no_vector(tmp_path):
    """It only describes the ROM."""
    entry, = posted(tmp_path, pnp=header(0, 0), bios=Bios(SPECIFICATION)).bios.entries
    assert (entry.bcv, entry.bev) == (0, 0)


def test_entry_without_bcv_is_not_connected(tmp_path):
    """POST does not call the bootstrap entry vector."""
    posted(tmp_path, bev="f4")


# ---- INT 19h and 18h -------------------------------------------------------------------


@pytest.mark.parametrize("manner", [NO_BBS, BOCHS])
def test_init_may_hook_int_19h_without_bbs(tmp_path, manner):
    pc = posted(tmp_path, init=HOOK_19H + RETURN, bios=Bios(manner))
    assert pc.word(0x64) == 0x1234
    assert pc.bios.entries == []


def test_seabios_restores_int_19h(tmp_path):
    pc = posted(tmp_path, init=HOOK_19H + RETURN, bios=Bios(SEABIOS))
    assert pc.word(0x64) == pc.word(0x64 - 4) + 16, "the vector is a BIOS service again"


@pytest.mark.parametrize("manner, vector", [(SPECIFICATION, 0x19), (NO_BBS, 0x18), (BOCHS, 0x13),
                                            (SEABIOS, 0x13)])
def test_other_vector_hooks_break_a_rule(tmp_path, manner, vector):
    hook = HOOK_19H.replace("6400", f"{vector * 4:02x}00")
    with pytest.raises(RuleViolation, match="boot vector hooked in init|write not allowed in POST"):
        posted(tmp_path, init=hook + RETURN, bios=Bios(manner))


def test_failed_int_19h_calls_int_18h(tmp_path):
    pc = posted(tmp_path, bios=Bios(NO_BBS))
    assert not pc.bios.bootstrap().booted
    assert pc.bios.noted == [0x19, 0x18]
    assert [r["edx"] & 0xFF for r in pc.bios.passed_on] == [0x80]


@pytest.mark.parametrize("signature, boots", [(b"\x55\xaa", True), (b"\xaa\x55", False)])
def test_int_19h_boots_the_first_bios_disk(tmp_path, signature, boots):
    pc = posted(tmp_path, bios=Bios(NO_BBS, answers=frozenset({0x80})))
    pc.poke(0x7DFE, signature)
    result = pc.bios.bootstrap()
    assert (result.booted, pc.bios.noted) == (boots, [0x19] if boots else [0x19, 0x18])
    if boots:
        assert (result.cs, result.eip, result.dl) == (0, 0x7C00, 0x80)


# ---- PnP -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, answer, version", [("BBS", 0, 0x0101), ("no BBS", 0x82, 0)])
def test_pnp_bios_returns_its_bbs_version(tmp_path, kind, answer, version):
    pc = posted(tmp_path, init=ASK_BBS + RETURN, bios=Bios(SPECIFICATION, pnp=kind))
    assert (pc.bios.init_result.ax, pc.bios.init_result.bx) == (answer, version)


@pytest.mark.parametrize("init", [ASK_BBS.replace("6a60", "6a40"),
                                  ASK_BBS.replace("6800f0", "6800f1")])
def test_other_pnp_bios_calls_break_a_rule(tmp_path, init):
    with pytest.raises(RuleViolation, match="PnP BIOS misused"):
        posted(tmp_path, init=init + RETURN)


@pytest.mark.parametrize("kind", ["bare", "bad checksum"])
def test_invalid_pnp_bios_must_not_be_called(tmp_path, kind):
    with pytest.raises(RuleViolation, match="PnP BIOS misused"):
        posted(tmp_path, init=ASK_BBS + RETURN, bios=Bios(pnp=kind))


@pytest.mark.parametrize("kind", PNP_KINDS)
def test_pnp_table_matches_its_kind(tmp_path, kind):
    table = small(tmp_path, bios=Bios(pnp=kind)).peek(0xF0100, 0x21)
    assert (table[:4] == b"$PnP") == (kind != "absent")
    assert (table[5] == 0x21 and sum(table) & 0xFF == 0) == (kind in ("BBS", "no BBS"))


@pytest.mark.parametrize("manner, kind", [(SEABIOS, "BBS"), (PCI_3, "BBS"), (NO_BBS, "absent"),
                                          (BOCHS, "no BBS")])
def test_pnp_kind_defaults_by_manner(tmp_path, manner, kind):
    assert small(tmp_path, bios=Bios(manner)).bios.pnp == kind


# ---- Keys and drives of the BIOS -------------------------------------------------------


def test_key_is_delivered_at_its_time(tmp_path):
    """The ROM polls until there is a key, and reads it."""
    pc = posted(tmp_path, bev="b401 cd16 74fa b400 cd16 cb",
                bios=Bios(keys=deque([(SECOND, 0x0332)])))
    before = pc.chip.now
    assert booted_from(pc).ax == 0x0332
    assert SECOND <= pc.chip.now - before < 1.1 * SECOND
    assert not pc.bios.keys


def test_no_key_is_delivered_by_default(tmp_path):
    pc = posted(tmp_path, bev="b401 cd16 7402 0f0b cb")
    assert not booted_from(pc).booted


OWN = frozenset({0x00, 0x01, 0x80, 0xE0})


def test_bios_drives_answer_int_13h(tmp_path):
    pc = posted(tmp_path, bios=Bios(answers=OWN, floppies=2, disks=1))
    assert (pc.peek(EQUIPMENT, 1), pc.peek(0x475, 1)) == (b"\x61", b"\x01")
    floppy, disk = (pc.int13(ah=8, dl=dl, changes="ax bl cx dx") for dl in (1, 0x80))
    assert (floppy.cf, floppy.dl, disk.cf, disk.dl) == (False, 2, False, 1)
    kind = pc.int13(ah=0x15, dl=0x80, changes="ah cx dx")
    assert (kind.ah, kind.cx << 16 | kind.dx) == (3, OWN_SECTORS)
    assert pc.int13(ah=0x15, dl=0x00).ah == 2
    check = pc.int13(ah=0x41, bx=0x55AA, dl=0xE0, changes="ah bx cx")
    assert (check.cf, check.bx) == (False, 0xAA55)
    for dl in (0x02, 0x81, 0xE1):
        assert pc.int13(ah=0x41, bx=0x55AA, dl=dl).cf
    assert [r["edx"] & 0xFF for r in pc.bios.passed_on] == [1, 0x80, 0x80, 0, 0xE0, 2, 0x81, 0xE1]


# ---- CD-ROM drives ---------------------------------------------------------------------


def sense_of(drive: Disk, command: int, lba: int = 16) -> tuple[int, int, int] | None:
    drive.attentions.clear()
    answer = drive.execute(bytes([command, 0, *lba.to_bytes(4, "big"), 0, 0, 1, 0]))
    return drive.sense if answer.status == CHECK_CONDITION else None


ALL = (TEST_UNIT_READY, READ_CAPACITY, READ10)


@pytest.mark.parametrize("options, senses", [
    ({}, (None, None, None)),
    ({"medium": False}, ((2, 0x3A, 0),) * 3),
    ({"read_sense": AUDIO}, (None, None, (5, 0x64, 0))),
    ({"read_sense": BLANK}, (None, None, (8, 0, 0))),
    ({"medium_sense": (2, 0x30, 0)}, ((2, 0x30, 0),) * 3),
    ({"ready_at": 1}, ((2, 4, 1),) * 3),
    ({"bad_blocks": {16: (3, 0x11, 0, True)}}, (None, None, (3, 0x11, 0))),
], ids=["good", "empty", "audio", "blank", "unknown", "spinning up", "bad block"])
def test_drive_state_determines_sense_data(options, senses):
    assert tuple(sense_of(cd_rom(**options), command) for command in ALL) == senses


def test_drive_is_ready_after_spin_up():
    drive = cd_rom(ready_at=5 * SECOND)
    drive.now = 5 * SECOND
    assert sense_of(drive, TEST_UNIT_READY) is None


@pytest.mark.parametrize("kind", [CD_ROM, OPTICAL])
def test_drive_reports_type_and_capacity(kind):
    drive = cd_rom(type=kind)
    assert drive.inquiry_data()[:2] == bytes([kind, 0x80])
    assert drive.capacity_data() == struct.pack(">II", 999, BLOCK)
    assert sense_of(drive, WRITE10) == (5, 0x20, 0), "writes are not supported"


# ---- Discs -----------------------------------------------------------------------------


def test_disc_matches_the_specification():
    image = eltorito.loader(8)
    disc = Disc(Entry(image, count=8, segment=0x1000, system=6))
    drive = cd_rom(content=disc.content, blocks=disc.blocks)
    drive.attentions.clear()
    record = drive.execute(bytes([READ10, 0, 0, 0, 0, 17, 0, 0, 1, 0]))
    assert record.status == GOOD and len(record.data) == BLOCK
    assert record.data[:7] == b"\0CD001\1"
    assert record.data[7:39] == b"EL TORITO SPECIFICATION".ljust(32, b"\0")
    catalog = disc.content(struct.unpack_from("<I", record.data, 0x47)[0])
    assert catalog[0] == 1 and catalog[0x1E:0x20] == b"\x55\xaa"
    assert sum(struct.unpack("<16H", catalog[:32])) & 0xFFFF == 0
    assert catalog[0x20:0x2C] == struct.pack("<BBHBBHI", 0x88, 0, 0x1000, 6, 0, 8, 64)
    assert disc.read(64, 2) == image and disc.sectors(disc.default, 3, 2) == image[1536:2560]
    assert disc.content(16)[:6] == b"\1CD001" and disc.content(18)[:6] == b"\xffCD001"


def test_catalog_sections_have_headers_and_extensions():
    first, second = Entry(eltorito.loader(4, 5), extensions=2), Entry(eltorito.loader(4, 6))
    disc = Disc(sections=(Section((first,), 0xEF, b"one"), Section((second,), text=b"two")))
    catalog = disc.content(eltorito.CATALOG)
    entries = [catalog[at:at + 32] for at in range(0, BLOCK, 32)]
    assert [e[0] for e in entries[:8]] == [1, 0x88, 0x90, 0x88, 0x44, 0x44, 0x91, 0x88]
    assert entries[2][:7] == b"\x90\xef\x01\0one" and entries[6][:7] == b"\x91\0\x01\0two"
    assert [entries[i][1] & 0x20 for i in (3, 4, 5, 7)] == [0x20, 0x20, 0, 0]
    assert [struct.unpack_from("<I", entries[i], 8)[0] for i in (1, 3, 7)] == [64, 65, 66]
    assert disc.sectors(second, 0, 4) == second.image


@pytest.mark.parametrize("media, sectors", [(1, 2400), (2, 2880), (3, 5760)])
def test_floppy_image_has_size_and_signature(media, sectors):
    image = eltorito.floppy(media)
    assert len(image) == sectors * 512 and image[510:512] == b"\x55\xaa"


def test_hard_disk_image_partition_extends_to_its_end():
    image = eltorito.hard_disk(20, 4, 17)
    assert len(image) == 20 * 4 * 17 * 512
    assert image[446:462] == bytes([0x80, 1, 1, 0, 6, 3, 17, 19]) + struct.pack("<II", 17, 1343)


def test_patches_and_default_segments_apply():
    disc = Disc(patches={(40, 0): b"\x02"})
    assert disc.content(40)[:2] == b"\x02\0" and disc.content(63) != disc.content(62)
    assert Entry(segment=0).start == (0, 0x7C00) and Entry(segment=0x1234).start == (0x1000, 0x2340)
    assert Entry(count=2).load == range(0x7C00, 0x8000)
    assert ROM_SEGMENT not in (e.start[0] for e in disc.entries)

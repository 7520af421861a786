# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: how the ROM recognises a kind of BIOS, and what INT 18h and 19h do when
a disk or a CD cannot be booted.
"""

from __future__ import annotations

import pytest

from tests.build import ROM_895A
from tests.model.bios import Bios
from tests.model.bios_data import (BIOS_SEGMENT, BOCHS, BOOT_SECTOR, HARD_DISKS, NO_BBS, PNP_OFFSET,
                                   ROM_SEGMENT, SEABIOS, SPECIFICATION)
from tests.model.boards import KINDS, WITH_CALLS, WITHOUT_CALLS
from tests.model.devices import FwCfg
from tests.model.pc import Pc
from tests.model.target import Disk
from tests.rom.bios.boards import (CD_ID, KEY_C, boot, booted, disc_of, drives, expected_drives, give_up,
                                   machine)
from tests.rom.strict import new_pc

NOT_BOOTABLE = {"content": lambda lba: bytes([lba & 0xFF]) * 512}
KEY = ", C: CD first"
WITH_KEY = {"keys": [(0, KEY_C)]}

kinds = pytest.mark.parametrize("kind", KINDS)
without_calls = pytest.mark.parametrize("kind", WITHOUT_CALLS)


def remove_disc(pc: Pc) -> None:
    pc.bus.targets[CD_ID].medium = False


def insert_disc(pc: Pc) -> None:
    pc.bus.targets[CD_ID].insert(disc_of(0).blocks, disc_of(0).content)


def connected_in_init(pc: Pc) -> bool:
    assert (pc.word(0x13 * 4 + 2) == ROM_SEGMENT) == bool(pc.peek(HARD_DISKS, 1)[0])
    return pc.word(0x13 * 4 + 2) == ROM_SEGMENT


# ---- Kinds of BIOS -----------------------------------------------------------------------


@pytest.mark.parametrize("es, di, connects", [
    (BIOS_SEGMENT, PNP_OFFSET, False), (BIOS_SEGMENT + PNP_OFFSET // 16 - 1, 16, False),
    (BIOS_SEGMENT, 0x1D2E, True), (ROM_SEGMENT, PNP_OFFSET, True), (BIOS_SEGMENT, 0xFFFF, True),
    (0x0900, PNP_OFFSET, True)],
    ids=["$PnP", "$PnP by another segment", "garbage", "ROM", "end of the segment", "$PnP in RAM"])
def test_es_di_separates_bioses_without_pmm(es, di, connects):
    """The BIOS has a $PnP structure in each case."""
    pc = Pc(ROM_895A, "895A",
            bios=Bios(SPECIFICATION, pmm="absent", pointer=(es, di), choose=lambda entries: []))
    pc.bus.targets = {0: Disk()}
    pc.poke(0x0900 * 16 + PNP_OFFSET, b"$PnP")
    pc.power_on()
    assert connected_in_init(pc) == connects


@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION, NO_BBS, BOCHS])
@pytest.mark.parametrize("pnp", ["BBS", "no BBS", "absent"])
def test_with_pmm_init_connects_nothing(manner, pnp):
    pc = new_pc("895A", {0: Disk()}, bios=Bios(manner, pnp=pnp, choose=lambda entries: []))
    assert not connected_in_init(pc)


@pytest.mark.parametrize("kind", WITH_CALLS)
def test_first_boot_entry_is_that_of_a_disk(kind):
    """The BIOS calls no other one. The CD has a lower ID."""
    pc = booted(kind, "CD + disk")
    header = pc.word(ROM_SEGMENT * 16 + 0x1A)
    bcv, bev = (pc.word(ROM_SEGMENT * 16 + header + at) for at in (0x16, 0x1A))
    assert bcv and not bev


# ---- The key C ----------------------------------------------------------------------------


@pytest.mark.parametrize("manner", [SEABIOS, SPECIFICATION])
def test_key_c_is_not_offered_where_the_bios_decides(manner):
    bios = Bios(manner)
    bios.keys.append((0, KEY_C))
    pc = new_pc("895A", {0: Disk()}, bios=bios)
    assert KEY not in pc.text and len(bios.keys) == 1


@kinds
def test_banner_names_the_key(kind):
    pc = booted(kind, "CD + disk")
    assert "host ID 7" + KEY + ", 1 disk, 1 CD" in pc.text


@kinds
def test_key_c_without_cd_changes_nothing(kind):
    pc = booted(kind, "two disks", **WITH_KEY)
    assert pc.bios.counted == (0 if kind == "Bochs 2.3" else 2)
    assert boot(pc) == "disk 0.0"
    assert drives(pc) == expected_drives(pc)


@kinds
@pytest.mark.parametrize("name", ["CD + disk", "IDE + CD", "IDE + CD + disk"])
def test_disk_boots_if_the_cd_after_key_c_cannot(kind, name):
    pc = machine(kind, name, **WITH_KEY)
    remove_disc(pc)
    pc.power_on()
    assert boot(pc) == expected_drives(pc)[0], pc.text
    assert pc.text.count("not bootable: no medium") == 1
    assert drives(pc) == expected_drives(pc)
    assert give_up(pc) == ""


@without_calls
def test_key_c_hides_disks_until_the_bios_boots(kind):
    """A BIOS that decides by 40:75h must find no hard disk, unless it has one."""
    assert booted(kind, "CD + disk", **WITH_KEY).bios.counted == 0
    pc = booted(kind, "IDE + CD + disk", **WITH_KEY)
    assert pc.bios.counted == 2


@pytest.mark.parametrize("registers", [
    {"al": 2}, {"dl": 0x81}, {"bx": 0x7E00}, {"es": 0x100}, {"ah": 0x04}],
    ids=["two sectors", "81h", "another offset", "another segment", "verify"])
def test_only_the_read_of_a_boot_sector_boots_the_cd(registers):
    """An AMI BIOS never calls INT 19h of a ROM. All other calls reach the disk."""
    pc = booted("AMI", "IDE + CD", **WITH_KEY)
    places = (BOOT_SECTOR, range(BOOT_SECTOR.stop, BOOT_SECTOR.stop + 512), range(0x8C00, 0x8E00))
    call = {"ah": 0x02, "al": 1, "cx": 1, "dh": 0, "dl": 0x80, "es": 0, "bx": BOOT_SECTOR.start}
    assert not pc.int13(*places, changes="ax", **{**call, **registers}).booted
    assert boot(pc) == "CD 0"
    assert not pc.int13(*places, changes="ax", **call).booted, "once"


@without_calls
def test_host_that_names_the_cd_first_acts_as_the_key(kind):
    order = FwCfg({"bootorder": b"/pci@i0cf8/scsi@4/channel@0/disk@%x,0\n" % CD_ID})
    pc = booted(kind, "CD + disk", fwcfg=order)
    assert boot(pc) == "CD 0"
    assert give_up(pc) == "disk 0.3"


# ---- Disks and discs that cannot be booted ----------------------------------------------------


@kinds
def test_cd_boots_if_the_disk_cannot(kind):
    pc = booted(kind, "CD + disk", disks=NOT_BOOTABLE)
    assert boot(pc) == "CD 0", pc.text
    assert give_up(pc) == ""


@kinds
@pytest.mark.parametrize("name", ["CD", "CD + disk"])
def test_disc_inserted_after_a_failed_boot_is_booted(kind, name):
    """The BIOS asks for a system disk and starts again."""
    pc = machine(kind, name, disks=NOT_BOOTABLE)
    remove_disc(pc)
    pc.power_on()
    assert boot(pc) == "" and pc.bios.noted[-1] == 0x18
    assert 1 <= pc.text.count("not bootable: no medium") <= 2
    insert_disc(pc)
    assert boot(pc) == "CD 0", pc.text


@kinds
def test_disk_of_a_failed_cd_boot_is_started_once(kind):
    """Neither INT 18h nor INT 19h starts a boot sector that the BIOS has started."""
    pc = machine(kind, "CD + disk")
    remove_disc(pc)
    pc.power_on()
    assert boot(pc) == "disk 0.3"
    pc.poke(BOOT_SECTOR.start, bytes(512))
    assert give_up(pc) == ""
    assert pc.peek(BOOT_SECTOR.start, 512) == bytes(512), "it was not even read"
    assert pc.word(0x18 * 4 + 2) == ROM_SEGMENT


# ---- A warm boot -------------------------------------------------------------------------


@without_calls
@pytest.mark.parametrize("name", ["CD", "IDE + CD"])
def test_boot_sector_of_an_earlier_boot_is_not_taken_for_one_of_now(kind, name):
    """Memory keeps its contents over a warm boot. Medallion would have loaded the sector
    of the device that it boots to that place."""
    pc = machine(kind, name)
    pc.poke(BOOT_SECTOR.stop - 2, b"\x55\xAA")
    pc.power_on()
    assert boot(pc) == ("IDE" if name == "IDE + CD" else "CD 0")


@without_calls
def test_memory_of_the_bios_is_not_changed_there(kind):
    pc = machine(kind, "CD")
    pc.poke(BOOT_SECTOR.stop - 2, b"\x12\x34")
    pc.power_on()
    assert pc.peek(BOOT_SECTOR.stop - 2, 2) == b"\x12\x34"

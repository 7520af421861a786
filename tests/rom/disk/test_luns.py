# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: targets with several LUNs. Each LUN is a drive of its own, whether the
target supports REPORT LUNS, refuses it, or returns a wrong list.
"""

from __future__ import annotations

import random
import struct

import pytest

from tests.model.bus import DATA_IN, FREE, MSG_IN, Delay, Reselect
from tests.model.devices import FwCfg
from tests.model.pc import BUFFER, Pc
from tests.model.target import (CD_ROM, DISCONNECT, INQUIRY, READ_CAPACITY, REPORT_LUNS, SEEK10,
                                Answer, Disk)
from tests.rom.strict import (OK, READ_FAILED, TIMEOUT, VARIANTS, new_data, new_pc, nothing_sent,
                              opcodes, parameters, transfer)

SCSI_2, SPC_3 = 2, 5     # versions in INQUIRY data
SOME = (1, 2, 5)
PROCESSOR, ENCLOSURE = 0x03, 0x0D


def unit(target: int, lun: int, **options) -> Disk:
    """A disk that identifies itself in its product name and its data."""
    return Disk(**{"lun": lun, "content": lambda lba: bytes([target << 4 | lun]) * 512,
                   "product": f"UNIT {target} {lun}".encode().ljust(16), **options})


def with_units(*luns: int, target: int = 0, version: int = SPC_3, **options) -> Disk:
    """A target with LUN 0 and these LUNs."""
    first = unit(target, 0, version=version, **options)
    first.luns = {lun: unit(target, lun, version=version) for lun in luns}
    return first


def drives(pc: Pc) -> list[tuple[int, int]]:
    """Target and LUN of each drive, from the data that it reads."""
    found = []
    for number in range(0x80, 0x80 + pc.peek(0x475, 1)[0]):
        pc.poke(BUFFER, bytes(512))
        assert transfer(pc, 0x42, 77, 1, drive=number) == (OK, 1)
        data = pc.peek(BUFFER, 512)
        assert data == data[:1] * 512
        found.append((data[0] >> 4, data[0] & 15))
    return found


def luns_of(pc: Pc) -> list[int]:
    """The LUNs of target 0, the only target."""
    assert {target for target, _ in drives(pc)} <= {0}
    return [lun for _, lun in drives(pc)]


def boot(variant: str, *targets: Disk, **options) -> Pc:
    return new_pc(variant, dict(enumerate(targets)), **options)


def entry(lun: int) -> bytes:
    return bytes([0, lun, 0, 0, 0, 0, 0, 0])


def lun_list(*entries: bytes, length: int | None = None) -> bytes:
    """The data of REPORT LUNS; the length may be wrong."""
    data = b"".join(entries)
    return struct.pack(">II", len(data) if length is None else length, 0) + data


# ---- Detection -----------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("luns", [(), (1,), (7,), (5,), SOME, tuple(range(1, 8))], ids=str)
def test_listed_luns_are_drives(variant, luns):
    pc = boot(variant, with_units(*luns))
    assert luns_of(pc) == [0, *luns]
    for number, lun in enumerate([0, *luns], 0x80):
        assert f"{number:X}h: SCSI 00:04.0 ID 0 LUN {lun} BENCH UNIT 0 {lun}" in pc.text
    assert pc.bus.targets[0].strays == [], "no other LUN is selected"


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("version", [0, 1, 2])
def test_old_targets_are_scanned_by_inquiry(variant, version):
    """Some old targets hang at a command that they do not implement."""
    target = with_units(1, 2, 3, version=version)
    pc = boot(variant, target)
    assert luns_of(pc) == [0, 1, 2, 3]
    assert REPORT_LUNS not in opcodes(target)
    assert [c[0] for c in target.strays][:1] == [INQUIRY]


def test_target_without_report_luns_is_scanned_by_inquiry():
    target = with_units(1, 2, unsupported={REPORT_LUNS})
    assert luns_of(boot("895A", target)) == [0, 1, 2]


@pytest.mark.parametrize("version", [SCSI_2, SPC_3])
def test_inquiry_scan_ends_at_a_gap(version):
    target = with_units(1, 3, version=version, unsupported={REPORT_LUNS})
    assert luns_of(boot("895A", target)) == [0, 1]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("version", range(8))
def test_cdb_contains_the_lun_for_old_targets_only(variant, version):
    """Newer standards use these bits otherwise, and the model rejects them. IDENTIFY
    contains the LUN in both cases."""
    target = with_units(1, 2, version=version)
    pc = boot(variant, target)
    for number, lun in ((0x81, 1), (0x82, 2)):
        for function in (0x42, 0x43, 0x44, 0x47):
            assert transfer(pc, function, 7, 2, drive=number).status == OK
        asked = [c for c in target.luns[lun].commands if c[0] not in (INQUIRY, REPORT_LUNS)]
        assert {c[1] >> 5 for c in asked} == {lun if version & 7 <= SCSI_2 else 0}
    assert {m[0] & 0xBF for m in target.messages} >= {0x80, 0x81, 0x82}


@pytest.mark.parametrize("version", [SCSI_2, SPC_3])
def test_device_that_ignores_luns_is_one_drive(version):
    target = unit(0, 0, version=version, ignores_luns=True, unsupported={REPORT_LUNS})
    pc = boot("895A", target, unit(1, 0))
    assert drives(pc) == [(0, 0), (1, 0)]
    line = next(line for line in pc.text.splitlines() if "same unit" in line)
    assert "ID 0 LUN 1 " in line
    assert len([c for c in target.commands if c[0] == INQUIRY]) == 2, "no further LUN is tried"


def test_device_that_ignores_luns_but_lists_one_is_one_drive():
    pc = boot("895A", unit(0, 0, version=SPC_3, ignores_luns=True))
    assert luns_of(pc) == [0]
    assert "same unit" not in pc.text


@pytest.mark.parametrize("difference", [dict(blocks=65535), dict(revision=b"1.1 "),
                                        dict(product=b"ANOTHER"), dict(removable=True)], ids=str)
def test_luns_that_differ_are_separate_drives(difference):
    target = unit(0, 0)
    target.luns = {1: unit(0, 1, **{"product": target.product, **difference})}
    assert luns_of(boot("895A", target)) == [0, 1]


def test_identical_luns_in_the_list_are_separate_drives():
    target = unit(0, 0, version=SPC_3)
    target.luns = {1: unit(0, 1, version=SPC_3, product=target.product)}
    assert luns_of(boot("895A", target)) == [0, 1]


@pytest.mark.parametrize("version", [SCSI_2, SPC_3])
@pytest.mark.parametrize("kind", [PROCESSOR, ENCLOSURE, CD_ROM])
def test_luns_of_other_types_are_skipped(version, kind):
    target = with_units(1, 2, 3, version=version)
    target.luns[2].type = kind
    assert luns_of(boot("895A", target)) == [0, 1, 3]


@pytest.mark.parametrize("version", [SCSI_2, SPC_3])
@pytest.mark.parametrize("kind", [PROCESSOR, 0x20, 0x7F, 0x60])
def test_disks_are_found_if_lun_0_is_not_a_disk(version, kind):
    """LUN 0 is an array controller or not connected."""
    target = with_units(1, 2, version=version)
    target.type = kind
    assert luns_of(boot("895A", target)) == [1, 2]


@pytest.mark.parametrize("version", [SCSI_2, SPC_3])
def test_unusable_lun_is_reported_and_the_others_work(version):
    target = with_units(1, 2, 3, version=version)
    target.luns[1].block_bytes = 520
    target.luns[2].status_hook = lambda cdb: (target.luns[2].check(4, 0x44)
                                              if cdb[0] == READ_CAPACITY else None)
    pc = boot("895A", target)
    assert set(luns_of(pc)) <= {0, 3} and 0 in luns_of(pc)
    assert "ID 0 LUN 1 BENCH UNIT 0 1: blocks of 520 bytes are not supported" in pc.text
    if version == SPC_3:
        assert luns_of(pc) == [0, 3] and "ID 0 LUN 2 BENCH UNIT 0 2: " in pc.text


# ---- Wrong lists -------------------------------------------------------------------------


LISTS = {
    # data returned by a target with LUNs 0, 1, 2 and 5, and the LUNs that are served
    "correct": (lun_list(*map(entry, (0, 1, 2, 5))), [0, 1, 2, 5]),
    "backwards": (lun_list(*map(entry, (5, 2, 1, 0))), [0, 1, 2, 5]),
    "too long": (lun_list(*map(entry, (0, 1)), length=1000), [0, 1]),
    "far too long": (lun_list(*map(entry, (0, 1)), length=2**32 - 1), [0, 1]),
    "too short": (lun_list(*map(entry, (0, 1, 2, 5)), length=16), [0, 1]),
    "length 0": (lun_list(*map(entry, (0, 1, 2, 5)), length=0), [0]),
    "odd length": (lun_list(*map(entry, (0, 1, 2, 5)), length=21), [0, 1]),
    "odd data": (lun_list(*map(entry, (0, 1, 2, 5)))[:29], [0, 1]),
    "duplicates": (lun_list(*map(entry, (0, 1, 1, 0, 1, 5, 5))), [0, 1, 5]),
    "without LUN 0": (lun_list(*map(entry, (1, 5))), [0, 1, 5]),
    "empty": (lun_list(), [0]),
    "LUN 9": (lun_list(*map(entry, (0, 9, 1, 255, 8, 34))), [0, 1]),
    "missing LUNs": (lun_list(*map(entry, range(8))), [0, 1, 2, 5]),
    "only missing LUNs": (lun_list(*map(entry, (3, 4, 7))), [0]),
    "flat addresses": (lun_list(entry(0), bytes([0x40, 1]) + bytes(6)), [0]),
    "logical addresses": (lun_list(entry(0), bytes([0x80, 1]) + bytes(6)), [0]),
    "bus 1": (lun_list(entry(0), bytes([1, 1]) + bytes(6)), [0]),
    "two levels": (lun_list(entry(0), bytes([0, 1, 0, 2]) + bytes(4)), [0]),
    "well known": (lun_list(entry(0), bytes([0xC1, 1]) + bytes(6), entry(5)), [0, 5]),
    "all ones": (b"\xFF" * 100, [0]),
    "zeros": (bytes(100), [0]),
}


@pytest.mark.parametrize("data, luns", LISTS.values(), ids=LISTS.keys())
def test_wrong_lun_list_does_no_harm(data, luns):
    pc = boot("810", with_units(1, 2, 5, lun_list=data), unit(1, 0))
    assert drives(pc) == [*((0, lun) for lun in luns), (1, 0)]


@pytest.mark.parametrize("length", range(8))
def test_truncated_list_header_does_no_harm(length):
    """The LUNs are scanned by INQUIRY, or only LUN 0 is served."""
    pc = boot("810", with_units(1, lun_list=lun_list(entry(0), entry(1))[:length]), unit(1, 0))
    assert drives(pc) in ([(0, 0), (1, 0)], [(0, 0), (0, 1), (1, 0)])


def test_random_lun_list_does_no_harm():
    numbers = random.Random(5)
    for _ in range(20):
        data = numbers.randbytes(numbers.randrange(8, 200))
        target = with_units(1, 2, 5, lun_list=data)
        pc = boot("895A", target, unit(1, 0))
        found = drives(pc)
        assert (found[0], found[-1]) == ((0, 0), (1, 0))
        assert len(found) == len(set(found)) <= 5


def test_lun_list_longer_than_the_allocation_length_does_no_harm():
    target = with_units(1, 2)
    target.execute = lambda cdb: (Answer(lun_list(*map(entry, range(3))) + bytes(4000))
                                  if cdb[0] == REPORT_LUNS else Disk.execute(target, cdb))
    assert boot("895A", target).peek(0x475, 1)[0] in (1, 3)


# ---- Limits ------------------------------------------------------------------------------


@pytest.mark.parametrize("variant", VARIANTS)
def test_drives_after_the_32nd_are_reported(variant):
    """More about many drives is in tests/rom/bios/test_many_drives.py."""
    pc = boot(variant, *(with_units(*range(1, 6), target=i) for i in range(6)))
    assert drives(pc) == [(i, lun) for i in range(6) for lun in range(6)][:32]
    for line in ("ID 5 LUN 2 ", "ID 5 LUN 3 ", "ID 5 LUN 4 ", "ID 5 LUN 5 "):
        assert "too many drives" in next(l for l in pc.text.splitlines() if line in l)
    assert len(pc.bios.entries) == 32


# ---- LUNs in names -----------------------------------------------------------------------


def test_boot_entries_contain_the_lun():
    pc = boot("895A", with_units(1, 6), with_units(2, target=1))
    assert [e.product for e in pc.bios.entries] == [
        f"SCSI 00:04.0 ID {target} LUN {lun} BENCH UNIT {target} {lun}"
        for target, lun in [(0, 0), (0, 1), (0, 6), (1, 0), (1, 2)]]


@pytest.mark.parametrize("lun", range(8))
def test_48h_device_path_contains_the_lun(lun):
    pc = new_pc("895A", {3: with_units(*range(1, 8), target=3)})
    long = parameters(pc, 0x4A, drive=0x80 + lun)
    assert struct.unpack_from("<HQ", long, 0x38) == (3, lun)
    short = parameters(pc, 0x42, drive=0x80 + lun)
    assert short[0x38:0x41] == bytes([3, lun, 0, 0, 0, 0, 0, 0, 0])
    assert sum(long[0x1E:]) & 0xFF == sum(short[0x1E:]) & 0xFF == 0


@pytest.mark.parametrize("first", [(0, 0), (0, 5), (1, 2)], ids=str)
def test_host_boot_order_may_name_luns(first):
    target, lun = first
    order = f"/pci@i0cf8/scsi@4/channel@0/disk@{target},{lun}\n\0".encode()
    pc = boot("895A", with_units(5), with_units(2, target=1), fwcfg=FwCfg({"bootorder": order}))
    assert drives(pc)[0] == first
    assert sorted(drives(pc)) == [(0, 0), (0, 5), (1, 0), (1, 2)]


# ---- Commands to LUNs --------------------------------------------------------------------


@pytest.fixture(params=[(v, f) for v in (SCSI_2, SPC_3) for f in VARIANTS], ids=str)
def pc(request) -> Pc:
    """LUN 0 is 80h, LUN 5 is 81h; the disk at ID 1 is 82h."""
    version, variant = request.param
    target = unit(0, 0, version=SPC_3)
    target.luns = {5: unit(0, 5, version=version)}
    return boot(variant, target, unit(1, 0))


def lun_5(pc: Pc) -> Disk:
    return pc.bus.targets[0].luns[5]


def check_lun_5(pc: Pc) -> None:
    pc.poke(BUFFER, bytes(1536))
    assert transfer(pc, 0x42, 9, 3, drive=0x81) == (OK, 3)
    assert pc.peek(BUFFER, 1536) == b"".join(lun_5(pc).block(9 + i) for i in range(3))


def test_write_reaches_only_the_addressed_lun(pc):
    data = new_data(1, 3)
    pc.poke(BUFFER, data)
    assert transfer(pc, 0x43, 9, 3, drive=0x81) == (OK, 3)
    assert [len(d.written) for d in (lun_5(pc), pc.bus.targets[0], pc.bus.targets[1])] == [3, 0, 0]
    check_lun_5(pc)
    assert drives(pc) == [(0, 0), (0, 5), (1, 0)]


@pytest.mark.parametrize("at", [0, 1, 511, 700, 1536])
@pytest.mark.parametrize("save", [True, False], ids=["saved", "not-saved"])
def test_lun_may_disconnect_in_the_data(pc, at, save):
    target = lun_5(pc)

    def hook(bus, data):
        yield from Disk.data_in(data[:at])
        yield from target.disconnect(save)
        yield from Disk.data_in(data[at if save else 0:])
    target.data_hook = hook
    check_lun_5(pc)


@pytest.mark.parametrize("place", ["before_command", "before_status"])
def test_lun_may_disconnect_around_its_command(pc, place):
    setattr(lun_5(pc), place, lambda bus: lun_5(pc).disconnect())
    check_lun_5(pc)


@pytest.mark.parametrize("lun", [0, 1, 4, 6, 7])
def test_reselection_of_another_lun_transfers_no_data(pc, lun):
    def hook(bus, data):
        yield MSG_IN, DISCONNECT
        yield FREE
        yield Delay(10_000)
        yield Reselect()
        yield MSG_IN, 0x80 | lun
        yield DATA_IN, b"\xBB" * len(data)
    lun_5(pc).data_hook = hook
    pc.poke(BUFFER, b"\xEE" * 512)
    assert transfer(pc, 0x42, 9, 1, drive=0x81).status in (READ_FAILED, TIMEOUT)
    assert pc.peek(BUFFER, 512) == b"\xEE" * 512
    lun_5(pc).data_hook = None
    check_lun_5(pc)
    assert drives(pc) == [(0, 0), (0, 5), (1, 0)]


def test_sense_data_is_that_of_the_lun(pc):
    lun_5(pc).bad_blocks = {10: (3, 0x11, 0, True)}
    pc.bus.targets[0].sense = (7, 0x27, 0)
    assert transfer(pc, 0x42, 9, 3, drive=0x81) == (0x10, 1)
    assert transfer(pc, 0x42, 9, 3, drive=0x80) == (OK, 3)


def test_unit_attentions_of_one_lun_do_not_affect_another(pc):
    pc.bus.targets[0].attentions = [(6, 0x29, 0)] * 3
    lun_5(pc).attentions = [(6, 0x2A, 1)] * 3
    check_lun_5(pc)
    assert len(pc.bus.targets[0].attentions) == 3
    assert drives(pc) == [(0, 0), (0, 5), (1, 0)]


def test_missing_lun_is_an_error_and_the_others_work(pc):
    gone = pc.bus.targets[0].luns.pop(5)
    assert transfer(pc, 0x42, 9, 1, drive=0x81).status != OK
    assert transfer(pc, 0x42, 9, 1, drive=0x80) == (OK, 1)
    pc.bus.targets[0].luns[5] = gone
    check_lun_5(pc)


def test_seek_past_the_end_of_a_lun_returns_04h():
    target = with_units(1)
    target.luns[1].blocks = 2000
    pc = boot("895A", target)
    with nothing_sent(pc):
        assert transfer(pc, 0x47, 2000, drive=0x81).status == 0x04
    assert transfer(pc, 0x47, 2000, drive=0x80).status == OK
    assert SEEK10 not in opcodes(target.luns[1])

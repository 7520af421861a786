# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: the switch `geometry`: the rule for disks that show no geometry, of SCSI CAM
or by size, for disks in POST and for media inserted later.
"""

from __future__ import annotations

import random
import struct

import pytest

from tests.build import ROM_895A
from tests.model.bios import Bios
from tests.model.bios_data import NO_BBS, SPECIFICATION
from tests.model.devices import FwCfg
from tests.model.pc import SEEDS, Pc
from tests.model.target import Disk
from tests.rom.bios.one_controller import geometry
from tests.rom.bios.test_switches import BAD, FOLDER, complaints, switched

MIB, GIB = 2048, 0x200000   # in sectors
CAM = 2                     # hint of geometry_choose(); 1: FS points to the first sector
LARGEST = (1024, 255, 63)

# A blank disk has this geometry with the ROM SDMS 4.0 of LSI
SDMS = {64 * MIB: (1016, 3, 43), 500 * MIB: (1015, 16, 63), GIB: (1008, 33, 63),
        4 * GIB: (1016, 131, 63), 8 * GIB: LARGEST, 2**32 - 1: LARGEST}
sdms = pytest.mark.parametrize("sectors, expected", SDMS.items(), ids=[f"{s // MIB} MiB" for s in SDMS])


@pytest.fixture(scope="module")
def functions() -> Pc:
    pc = Pc(ROM_895A)
    pc.unpack_image()
    return pc


def choose(pc: Pc, sectors: int, mbr: bytes | None = None) -> tuple[int, int, int]:
    pc.poke(SEEDS["fs"] * 16, mbr or bytes(512))
    value = pc.call_c("geometry_choose", sectors, CAM + (mbr is not None)).eax
    return value & 0xFFFF, value >> 16 & 0xFF, value >> 24


def cam(capacity: int) -> tuple[int, int, int]:
    """Annex A of CAM-1, step by step, but from 63 sectors per track."""
    cylinders, per_track = 1024, 63
    heads, rest = divmod(capacity, cylinders * per_track)
    if rest:
        heads += 1
        per_track, rest = divmod(capacity, cylinders * heads)
        if rest:
            per_track += 1
            cylinders = capacity // (heads * per_track)
    return (cylinders, heads, per_track) if heads <= 255 else LARGEST


# ---- The rule ----------------------------------------------------------------------------


@sdms
def test_cam_gives_the_geometry_of_sdms(functions, sectors, expected):
    assert choose(functions, sectors) == expected
    assert choose(functions, sectors, bytes(512)) == expected


def test_cam_follows_the_annex(functions):
    numbers = random.Random(4)
    heads = [numbers.randint(1, 255) for _ in range(30)]
    edges = [64512 * h + d for h in (1, 2, 15, 16, 255, *heads) for d in (-1, 0, 1)]
    for sectors in [1, 2, 1023, 1024, 1025, 2047, *edges, *numbers.sample(range(1, 255 * 64512), 200)]:
        cylinders, heads, per_track = choose(functions, sectors)
        assert (cylinders, heads, per_track) == cam(sectors), sectors
        if sectors <= 255 * 64512:
            assert sectors - cylinders * heads * per_track < heads * per_track


@pytest.mark.parametrize("sectors", [0, 255 * 64512 + 1, 2**31, 2**32 - 1])
def test_cam_has_a_cap(functions, sectors):
    assert choose(functions, sectors)[1:] == LARGEST[1:]


def part(heads: int, per_track: int, start: int, sectors: int) -> bytes:
    def chs(lba: int) -> bytes:
        cylinder, rest = divmod(lba, heads * per_track)
        return bytes([rest // per_track, cylinder >> 2 & 0xC0 | rest % per_track + 1, cylinder & 0xFF])
    entry = b"\0" + chs(start) + b"\6" + chs(start + sectors - 1) + struct.pack("<II", start, sectors)
    return bytes(446) + entry + bytes(48) + b"\x55\xAA"


@pytest.mark.parametrize("shape", [(64, 32), (16, 63), (255, 63), (240, 63), (2, 17)])
def test_partition_table_counts_before_the_switch(functions, shape):
    """Its partition ends with a cylinder."""
    mbr = part(*shape, shape[1], 100 * shape[0] * shape[1] - shape[1])
    assert choose(functions, 900 * MIB, mbr)[1:] == shape


@pytest.mark.parametrize("hints", [1, 1 + CAM])
@pytest.mark.parametrize("sectors, expected", list(SDMS.items())[:4])
def test_disk_partitioned_under_sdms_keeps_its_shape(functions, sectors, expected, hints):
    """Without the switch, too, and wherever its partition ends."""
    functions.poke(SEEDS["fs"] * 16, part(*expected[1:], expected[2], 100_001))
    assert functions.call_c("geometry_choose", sectors, hints).eax >> 16 == expected[1] | expected[2] << 8


# ---- The switch ----------------------------------------------------------------------------


BIOSES = {"PMM": dict(manner=SPECIFICATION), "no PMM": dict(manner=NO_BBS, pmm="absent")}
bioses = pytest.mark.parametrize("bios", BIOSES.values(), ids=BIOSES.keys())


def with_disk(disk: Disk, fwcfg: FwCfg | None, bios: dict | None = None) -> Pc:
    pc = Pc(ROM_895A, fwcfg=fwcfg, bios=Bios(**(bios or BIOSES["PMM"])))
    pc.bus.targets[0] = disk
    pc.power_on()
    pc.bios.bootstrap()
    return pc


def blank(lba: int) -> bytes:
    return bytes(512)


@sdms
def test_blank_disk_follows_the_switch(sectors, expected):
    if sectors <= 8 * GIB:
        assert geometry(with_disk(Disk(blocks=sectors, content=blank), switched(geometry="cam"))) == expected


@pytest.mark.parametrize("value, expected", [
    (b"cam", SDMS[64 * MIB]), (b"cam\n", SDMS[64 * MIB]),
    (b"size", (64, 64, 32)), (b"size\n", (64, 64, 32)), (None, (64, 64, 32))])
def test_values_of_the_switch(value, expected):
    fwcfg = switched(**({} if value is None else {"geometry": value}))
    pc = with_disk(Disk(blocks=64 * MIB, content=blank), fwcfg)
    assert geometry(pc) == expected
    assert complaints(pc) == []


@pytest.mark.parametrize("value", [*BAD.values(), b"0", b"1", b"CAM", b"ca", b"camm", b"cam ", b" cam",
                                   b"cam\n\n", b"cam\0", b"\0cam", b"sizes", b"siz", b"sizecam"])
def test_bad_value_is_reported_and_ignored(value):
    pc = with_disk(Disk(blocks=64 * MIB, content=blank), FwCfg({FOLDER + "geometry": value}))
    assert geometry(pc) == (64, 64, 32)
    assert complaints(pc) == ["geometry"]


@bioses
@pytest.mark.parametrize("value, expected", [("cam", SDMS[64 * MIB]), ("size", (64, 64, 32))])
def test_medium_inserted_after_post_follows_the_switch(bios, value, expected):
    target = Disk(removable=True, blocks=500 * MIB, content=blank)
    pc = with_disk(target, switched(geometry=value), bios)
    assert geometry(pc) == (SDMS[500 * MIB] if value == "cam" else (500, 64, 32))
    target.insert(64 * MIB, blank)
    assert pc.read(1, 1).ah == 0x06
    assert pc.read(1, 1).ah == 0
    assert geometry(pc) == expected

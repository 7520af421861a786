# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: boot order and geometry from fw_cfg, QEMU's configuration device."""

from __future__ import annotations

import struct

import pytest

from tests.model.devices import FwCfg
from tests.model.pc import Pc
from tests.rom.bios.one_controller import booted, geometry, host, id_of, machine, named_disk


def path(scsi_id: int, slot: int = 4) -> bytes:
    return b"/pci@i0cf8/scsi@%x/channel@0/disk@%x,0" % (slot, scsi_id)


def ids_in_order(pc: Pc) -> list[int]:
    return [int(e.product.split()[3]) for e in pc.bios.entries]


@pytest.mark.parametrize("order, ids", [
    (path(5) + b"\n" + path(0) + b"\n", [5, 0, 3]),
    (path(5), [5, 0, 3]),
    (path(3) + b"\n" + path(3) + b"\n" + path(0), [3, 0, 5]),
    (path(5, slot=3) + b"\n", [0, 3, 5]),
    (b"/pci@i0cf8/ide@1,1/drive@0/disk@0\n" + path(3) + b"\n\0", [3, 0, 5]),
    (path(5) + b"\n" + path(3) + b"\0", [5, 3, 0]),
    (b"", [0, 3, 5]),
    (b"\n" * 5000, [0, 3, 5]),
    (b"/" * 10000, [0, 3, 5]),
    (path(5) + b"0" * 10000, [5, 0, 3]),
    (path(0x100000005), [0, 3, 5]),
    (path(5, slot=0x100000004), [0, 3, 5]),
    (path(5) + b"x", [0, 3, 5]),
    (b"x" * 10000 + b"\n" + path(3), [3, 0, 5]),
    (bytes(range(256)) * 20, [0, 3, 5]),
    (b"/pci@i0cf8/scsi@4/channel@0/disk@\n/pci@i0cf8/scsi@\n/pci@i0cf8/\n@,@,\n", [0, 3, 5]),
    (bytes(20000), [0, 3, 5]),
], ids=["two", "no newline", "named twice", "other slot", "others", "zero at the end", "empty",
        "empty lines", "one long line", "long number", "ID of 33 bits",
        "slot of 33 bits", "trailing text", "after a long line", "binary", "truncated",
        "zeros"])
def test_host_boot_order(order, ids):
    pc = booted(0, 3, 5, fwcfg=host(order))
    assert ids_in_order(pc) == ids
    assert [id_of(pc, 0x80 + i) for i in range(3)] == ids


@pytest.mark.parametrize("fwcfg", [
    None, FwCfg(), host(geometry=b"x"), FwCfg(present=False), FwCfg(directory=b"\xff" * 8000),
    FwCfg(directory=bytes(4)), FwCfg(directory=b"\0\0\x04\0" + b"\xff" * 70000),
    FwCfg(directory=struct.pack(">IIHH56s", 1, 0x4000, 0x77, 0, b"bootorder")),
    FwCfg(directory=struct.pack(">IIHH56s", 1, 10, 0x20, 0, b"bootorder" + b"x" * 47))],
    ids=["a real machine", "no files", "no order", "no answer", "too many files", "0 files",
         "1024 files", "a missing file", "a longer name"])
def test_without_host_boot_order_disks_are_in_id_order(fwcfg):
    pc = booted(5, 0, fwcfg=fwcfg)
    assert ids_in_order(pc) == [0, 5]
    assert (id_of(pc, 0x80), id_of(pc, 0x81)) == (0, 5)


BY_SIZE = (32, 64, 32)  # of a 32 MiB disk


@pytest.mark.parametrize("file, expected", [
    (path(0) + b" 100 16 40\n", (100, 16, 40)),
    (path(3) + b" 7 7 7\n" + path(0) + b" 1 1 1", (1, 1, 1)),
    (path(0) + b" 1024 1 63\n", (1024, 1, 63)),
    (path(0) + b" 0 16 63\n", BY_SIZE), (path(0) + b" 10 0 63\n", BY_SIZE),
    (path(0) + b" 10 16 0\n", BY_SIZE), (path(0) + b" 1025 2 2\n", BY_SIZE),
    (path(0) + b" 10 256 2\n", BY_SIZE), (path(0) + b" 10 10 64\n", BY_SIZE),
    (path(0) + b" 1024 255 63\n", BY_SIZE),
    (path(0) + b" 1024 64 1\n", (1024, 64, 1)), (path(0) + b" 1024 2 32\n", (1024, 2, 32)),
    (path(0) + b" 1008 65 1\n", (1008, 65, 1)),
    (path(0) + b" 1009 65 1\n", BY_SIZE),
    (path(0) + b" 4294967297 16 63\n", BY_SIZE), (path(0) + b" 10 4294967297 63\n", BY_SIZE),
    (path(0) + b" -1 16 63\n", BY_SIZE), (path(0) + b" 10 16\n", BY_SIZE),
    (path(0) + b"\n", BY_SIZE), (path(0) + b" 10" + b" " * 5000 + b"16 63\n", BY_SIZE),
    (path(0) + b" 10 1x 63\n", BY_SIZE), (b"\xff" * 3000, BY_SIZE), (b"", BY_SIZE),
], ids=["good", "second line", "largest", "0 cylinders", "0 heads", "0 sectors", "1025 cylinders",
        "256 heads", "64 sectors", "larger than the disk",
        "as large as the disk", "as large with other heads", "16 sectors smaller",
        "49 sectors larger", "cylinders wrap", "heads wrap",
        "negative", "two numbers", "none", "spaces", "not a number", "binary", "empty"])
def test_host_geometry(file, expected):
    pc = booted(0, fwcfg=host(geometry=file))
    assert geometry(pc) == expected
    assert id_of(pc, 0x80) == 0


# ---- Bounds --------------------------------------------------------------------------------

MOST_BYTES = 16384
TOO_LONG = "lsi8xx-rom 0.1.0: %s: longer than 16 KiB, ignored"


class CountingFwCfg(FwCfg):
    """Counts the bytes read of each file. `claimed` replaces the length of a file in the
    directory."""

    def __init__(self, files: dict[str, bytes], claimed: dict[str, int] | None = None):
        super().__init__(files)
        self.names = dict(enumerate(files, self.FIRST_FILE))
        self.bytes = dict.fromkeys(files, 0)
        entries = [struct.pack(">IHH56s", (claimed or {}).get(name, len(data)), key, 0, name.encode())
                   for key, (name, data) in enumerate(files.items(), self.FIRST_FILE)]
        self._items[self.DIRECTORY] = struct.pack(">I", len(entries)) + b"".join(entries)
        self._name = None

    def select(self, key: int) -> None:
        super().select(key)
        self._name = self.names.get(key)

    def read(self) -> int:
        if self._name:
            self.bytes[self._name] += 1
        return super().read()


def lines_of(pc: Pc) -> list[str]:
    return pc.text.split("\r\n")


@pytest.mark.parametrize("name", ["bootorder", "bios-geometry"])
@pytest.mark.parametrize("data, claimed", [
    (b"x" * 500_000, None), (b"", 0xFFFFFFFF), (b"\n" * (MOST_BYTES + 1), None),
    (path(3) + b" 7 7 7\n" + b"\n" * MOST_BYTES, None),
], ids=["500 KB without a line feed", "4 GiB claimed", "16 KiB and a byte", "a good line first"])
def test_file_longer_than_16_kib_is_reported_and_not_read(name, data, claimed):
    fwcfg = CountingFwCfg({name: data}, claimed={name: claimed} if claimed else None)
    pc = booted(0, 3, fwcfg=fwcfg)
    assert fwcfg.bytes[name] == 0
    assert [line for line in lines_of(pc) if "16 KiB" in line] == [TOO_LONG % name]
    assert ids_in_order(pc) == [0, 3]
    assert geometry(pc, 0x81) == BY_SIZE


def test_banner_0_hides_the_report_of_a_long_file():
    files = {"opt/lsi8xx-rom/banner": b"0", "bootorder": b"x" * 20000}
    assert booted(0, fwcfg=FwCfg(files)).text == ""


def filled(line: bytes) -> bytes:
    """A file of exactly the most bytes, which ends with this line."""
    rest = MOST_BYTES - len(line)
    other = b"/pci@i0cf8/ide@1,1/drive@0/disk@0\n"
    return (other * (rest // len(other) + 1))[-rest:] + line


def test_file_of_16_kib_is_read_to_its_end():
    """The order has 480 lines, more than any host has drives."""
    fwcfg = CountingFwCfg({"bootorder": filled(path(3) + b"\n"),
                           "bios-geometry": filled(path(3) + b" 7 7 7\n")})
    pc = booted(0, 3, fwcfg=fwcfg)
    assert ids_in_order(pc) == [3, 0]
    assert geometry(pc, 0x80) == (7, 7, 7)
    assert "ignored" not in pc.text


def test_each_file_is_read_once_for_all_drives():
    """32 drives, the last of which is named in the last line of each file."""
    fwcfg = CountingFwCfg({"bootorder": filled(b"/pci@i0cf8/scsi@4/channel@0/disk@3,7\n"),
                           "bios-geometry": filled(b"/pci@i0cf8/scsi@4/channel@0/disk@3,7 7 7 7\n")})
    pc = machine(fwcfg=fwcfg)
    for scsi_id in range(4):
        further = {lun: named_disk(scsi_id, lun=lun, version=5) for lun in range(1, 8)}
        pc.bus.targets[scsi_id] = named_disk(scsi_id, luns=further, version=5)
    pc.power_on()
    assert len(pc.bios.entries) == 32
    assert max(fwcfg.bytes.values()) <= MOST_BYTES
    assert pc.bios.entries[0].product.split()[3:6] == ["3", "LUN", "7"]
    assert geometry(pc, 0x80) == (7, 7, 7)


def test_every_line_of_a_large_host_counts():
    """128 lines: four controllers with 32 drives each."""
    others = [path(scsi_id, slot) + b"\n" for slot in (1, 2, 3, 5) for scsi_id in range(32)]
    order = b"".join(others) + path(5) + b"\n" + path(3) + b"\n"
    assert ids_in_order(booted(0, 3, 5, fwcfg=host(order))) == [5, 3, 0]

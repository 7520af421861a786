# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""tools/romsign.py, and the headers of the ROMs that make has signed with it."""

from __future__ import annotations

import re
import struct
import subprocess
import sys

import pytest
import romsign

from machine import BUILD, ROM_810, ROM_895A, TOP

UNSIGNED = BUILD / "rom.bin"
IDS = ["--vendor", "1000", "--device", "0012"]


@pytest.fixture
def run(capsys, tmp_path):
    """Run the command; returns (exit status, stdout, stderr, output file)."""
    output = tmp_path / "out.rom"

    def call(*arguments: str):
        status = romsign.main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err, output

    call.output = output
    return call


# ---- The ROMs ------------------------------------------------------------------


@pytest.mark.parametrize("path, device", [(ROM_895A, 0x0012), (ROM_810, 0x0001)],
                         ids=["895A", "810"])
def test_built_roms_are_whole(path, device):
    image = path.read_bytes()
    rom = romsign.verify(image)
    assert (rom.pcir.vendor, rom.pcir.device, rom.pcir.offset) == (0x1000, device, 0x1C)
    assert len(rom.pnp) == 16
    assert len({h.bcv for h in rom.pnp}) == 16
    assert all(h.bev == 0 and h.device_type == b"\1\0\0" for h in rom.pnp)
    assert all(h.offset % 16 == 0 for h in rom.pnp)


def test_the_device_list_names_the_chips_of_the_driver():
    source = (TOP / "lsi/chips.c").read_text()
    driven = [int(x, 16) for x in re.findall(r"^\t\{0x([0-9a-f]{4}), ", source, re.M)]
    assert driven
    for path in (ROM_895A, ROM_810):
        assert romsign.parse(path.read_bytes()).pcir.devices == driven


def test_both_roms_differ_only_in_id_and_checksum():
    a, b = ROM_895A.read_bytes(), ROM_810.read_bytes()
    assert len(a) == len(b)
    assert {i for i in range(len(a)) if a[i] != b[i]} == {romsign.CHECKSUM_AT, 0x22}


def test_two_builds_are_identical(tmp_path):
    """A build in another directory, from the same sources."""
    tree = tmp_path / "elsewhere"
    tree.mkdir()
    names = ["Makefile", "pc", "scsi", "lsi", "int13", "rom", "tools"]
    subprocess.run(["cp", "-r", *(str(TOP / n) for n in names), str(tree)], check=True)
    subprocess.run(["make", "-C", str(tree), "-j2", "all"], check=True, capture_output=True)
    for rom in (ROM_895A, ROM_810):
        assert (tree / "build" / rom.name).read_bytes() == rom.read_bytes()


# ---- The tool, rightly used -------------------------------------------------------


def test_it_stamps_ids_sizes_and_checksums(run):
    status, _, err, output = run(UNSIGNED, "--output", run.output, "--vendor", "1000",
                                 "--device", "000f", "--device-list", "0012,000f",
                                 "--size", "0x10000")
    assert (status, err) == (0, "")
    image = output.read_bytes()
    rom = romsign.verify(image)
    assert (len(image), rom.blocks) == (65536, 128)
    assert (rom.pcir.vendor, rom.pcir.device, rom.pcir.devices) == (0x1000, 0xF, [0x12, 0xF])
    assert run(output, "--verify")[0] == 0


def test_info_prints_every_header(run):
    status, out, _, _ = run(ROM_895A, "--info")
    assert status == 0
    assert "ID 1000:0012" in out and "checksum ok" in out and "DEVICES 0001 0012" in out
    assert out.count("PNP ") == 16


def test_without_a_list_the_device_itself_is_listed(run):
    run(UNSIGNED, "--output", run.output, *IDS)
    assert romsign.parse(run.output.read_bytes()).pcir.devices == [0x12]


def test_signing_twice_changes_nothing(run):
    run(UNSIGNED, "--output", run.output, *IDS, "--device-list", "0012")
    first = run.output.read_bytes()
    run(run.output, "--output", run.output, *IDS, "--device-list", "0012")
    assert run.output.read_bytes() == first


def test_it_is_a_command():
    result = subprocess.run([sys.executable, str(TOP / "tools/romsign.py"), str(ROM_810),
                             "--verify"], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


# ---- Wrong input: one line, exit 1, output untouched --------------------------------


@pytest.mark.parametrize("arguments", [
    [], ["--device", "0012"], ["--vendor", "1000"],
    ["--vendor", "0", "--device", "0012"], ["--vendor", "10000", "--device", "0012"],
    ["--vendor", "1000", "--device", "-1"], ["--vendor", "1000", "--device", "xyz"],
    ["--vendor", "", "--device", "0012"],
    [*IDS, "--device-list", ""], [*IDS, "--device-list", "0012,,0001"],
    [*IDS, "--device-list", "0001"],
    [*IDS, "--device-list", ",".join(f"{i:x}" for i in range(1, 40))],
    [*IDS, "--size", "100"], [*IDS, "--size", "512"], [*IDS, "--size", "0"],
    [*IDS, "--size", "-512"], [*IDS, "--size", "66048"], [*IDS, "--size", "big"],
    [*IDS, "--colour", "red"], [*IDS, "--info"], [*IDS, "--verify"]],
    ids=lambda value: " ".join(value)[:40] or "none")
def test_wrong_arguments_change_nothing(run, arguments):
    run.output.write_bytes(b"as it was")
    status, out, err, output = run(UNSIGNED, "--output", run.output, *arguments)
    assert status == 1
    assert err.startswith("romsign.py: ") and err.count("\n") == 1 and out == ""
    assert output.read_bytes() == b"as it was"
    assert list(output.parent.iterdir()) == [output], "no temporary file left"


def damaged(change) -> bytes:
    image = bytearray(ROM_895A.read_bytes())
    change(image)
    return bytes(image)


def set_word(offset: int, value: int):
    return lambda image: struct.pack_into("<H", image, offset, value)


def set_byte(offset: int, value: int):
    return lambda image: image.__setitem__(offset, value)


PNP_AT = romsign.parse(ROM_895A.read_bytes()).pnp[0].offset if ROM_895A.exists() else 0

STRUCTURE = {  # what neither stamping nor verifying may accept
    "empty": lambda image: image.clear(),
    "cut to 16 bytes": lambda image: image.__delitem__(slice(16, None)),
    "no signature": set_byte(0, 0),
    "no jump": set_byte(3, 0xCB),
    "no PCIR": set_byte(0x1C, 0),
    "PCIR outside": set_word(0x18, 0xFFF0),
    "PCIR unaligned": set_word(0x18, 0x1D),
    "device list outside": set_word(0x1C + 8, 0xFFF0),
    "PnP outside": set_word(0x1A, 0xFFF0),
    "PnP nowhere": set_word(0x1A, 0x40),
    "PnP loop": set_word(PNP_AT + 6, PNP_AT),
    "product string outside": set_word(PNP_AT + 0x10, 0xFFFF),
}
STAMPED = {  # what verifying must find, and stamping puts right
    "wrong length": set_byte(2, 3),
    "length 0": set_byte(2, 0),
    "file longer": lambda image: image.extend(bytes(512)),
    "file shorter": lambda image: image.__delitem__(slice(-512, None)),
    "wrong PCIR length": set_word(0x1C + 0x10, 1),
    "wrong run-time length": set_word(0x1C + 0x16, 0xFF),
    "wrong checksum": set_byte(6, 0),
    "no vendor": set_word(0x20, 0),
    "device not in list": set_word(0x22, 0x7777),
}


@pytest.mark.parametrize("change", STRUCTURE.values(), ids=STRUCTURE.keys())
def test_broken_structures_are_refused(run, tmp_path, change):
    source = tmp_path / "in"
    source.mkdir()
    (source / "rom").write_bytes(damaged(change))
    for action in (["--verify"], ["--info"], ["--output", run.output, *IDS]):
        status, out, err, output = run(source / "rom", *action)
        assert (status, out) == (1, "")
        assert err.startswith("romsign.py: ") and err.count("\n") == 1
        assert not output.exists()


@pytest.mark.parametrize("change", STAMPED.values(), ids=STAMPED.keys())
def test_wrong_stamps_are_found(run, tmp_path, change):
    file = tmp_path / "rom"
    file.write_bytes(damaged(change))
    status, _, err, _ = run(file, "--verify")
    assert status == 1 and err.count("\n") == 1


@pytest.mark.parametrize("offset", [0x1C + 0x0A, 0x1C + 0x0C, 0x1C + 0x0F, 0x1C + 0x14,
                                    0x1C + 0x15, PNP_AT + 5, PNP_AT + 9])
def test_each_field_is_verified_even_with_a_right_checksum(offset):
    def change(image):
        image[offset] ^= 0x40
        image[6] = (image[6] - sum(image)) & 0xFF
    with pytest.raises(romsign.RomError):
        romsign.verify(damaged(change))


def test_a_device_list_grows_only_over_zero_words(tmp_path):
    """In an image that is not ours the list may be short, or at the end."""
    image = bytearray(ROM_895A.read_bytes())
    at = 0x1C + struct.unpack_from("<H", image, 0x1C + 8)[0]
    struct.pack_into("<4H", image, at, 0x12, 0, 0, 0x1234)
    signed = romsign.stamp(bytes(image), 0x1000, 0x12, [0x12, 1])
    assert struct.unpack_from("<4H", signed, at) == (0x12, 1, 0, 0x1234)
    with pytest.raises(romsign.RomError, match="no room"):
        romsign.stamp(bytes(image), 0x1000, 0x12, [0x12, 1, 2])
    struct.pack_into("<H", image, 0x1C + 8, len(image) - 4 - 0x1C)
    struct.pack_into("<2H", image, len(image) - 4, 0x12, 0)
    with pytest.raises(romsign.RomError, match="no room"):
        romsign.stamp(bytes(image), 0x1000, 0x12, [0x12, 1])


def test_an_output_that_is_no_file_is_refused(run, tmp_path):
    status, _, err, _ = run(UNSIGNED, "--output", tmp_path, *IDS)
    assert (status, err.count("\n")) == (1, 1)


def test_missing_and_unwritable_files_are_named(run, tmp_path):
    status, _, err, _ = run(tmp_path / "none", "--verify")
    assert status == 1 and "none" in err and err.count("\n") == 1
    status, _, err, _ = run(UNSIGNED, "--output", tmp_path / "no" / "where", *IDS)
    assert status == 1 and "no" in err and err.count("\n") == 1

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""tools/nvram.py. The two images that SDMS 4.19 wrote, on 86Box's 810 and 875, are described
here field by field.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
import struct
import subprocess
import sys

import nvram
import pytest

from tests.build import TOP
from tests.model.eeprom import tekram_image

BLANK = b"\xFF" * 2048
TARGET = struct.pack("<BBBBHH", 0b1111, 0, 8, 8, 100, 10)    # all on, 8 bits, offset 8, 100 ns, 10 s


def sdms(flags: int, removable: int, device: int, checksum: int) -> bytes:
    """An image as SDMS writes it to a new chip."""
    header = struct.pack("<HHH", 0, 356, checksum)
    controller = struct.pack("<BBIHHHHBBBBBB", 0, 0x30, 0, flags, 0, 0, removable, 7, 4, 16, 0, 0, 0)
    host = struct.pack("<HHHBBHHH", 4, device, 0x1000, 0, 4 << 3, 0, 1, 0xC000)
    block = header + controller + host + bytes(3 * 14) + TARGET * 16 + bytes(4 * 8 + 15 * 8) + b"\xFE\xFE\0\0\0\0"
    assert len(block) == 368
    return BLANK[:0x100] + block + BLANK[0x270:]


PARITY, VERBOSE, ALTERNATE = 2, 4, 8
SDMS_810 = sdms(PARITY | VERBOSE, 0, 0x0001, 0x0A17)
SDMS_875 = sdms(PARITY | VERBOSE | ALTERNATE, 2, 0x000F, 0x0A2F)
SHA256 = {SDMS_810: "e31c425fc3c506ede605f5444f16af7ea4b195a2437cef38bd0243d4c5d78e48",
          SDMS_875: "58e7ce66017ed0d22614c3601a28ca27ceee576e44c16c9ffe9fd499c21ca54c"}


@pytest.fixture
def run(capsys, tmp_path):
    """Runs the command on an image; returns (exit status, stdout, stderr)."""
    path = tmp_path / "image.nvr"

    def call(image: bytes | None, *arguments: str):
        if image is not None:
            path.write_bytes(image)
        status = nvram.main([str(path), *arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    call.path = path
    call.image = path.read_bytes
    return call


def rows_of(text: str) -> dict[str, list[str]]:
    """The cells of each line, by the first one"""
    return {cells[0]: cells[1:] for line in text.splitlines() if (cells := line.split())}


def edited(run, image: bytes, *settings: str) -> bytes:
    assert run(image, "--set", *settings) == (0, "", "")
    return run.image()


def value_of(image: bytes, name: str) -> str:
    return nvram.FIELDS[name].show(image)


# ---- SDMS -------------------------------------------------------------------------------


@pytest.mark.parametrize("image", SHA256, ids=["810", "875"])
def test_description_equals_what_sdms_wrote(image):
    assert hashlib.sha256(image).hexdigest() == SHA256[image]


@pytest.mark.parametrize("image, device, geometry, removable", [
    (SDMS_810, "0x0001", "cam", "none"), (SDMS_875, "0x000f", "size", "all")], ids=["810", "875"])
def test_image_of_sdms_is_printed_field_by_field(run, image, device, geometry, removable):
    status, out, err = run(image)
    rows = rows_of(out)
    assert (status, err) == (0, "")
    assert "Symbios's block (100h): valid" in out and "Our block (300h): none" in out
    expected = {"major": "0", "minor": "48", "scam": "off", "parity": "on", "verbose": "on", "geometry": geometry,
                "scan-order": "up", "termination": "fixed", "removable": removable, "host-id": "7", "bus-reset": "on"}
    assert {name: rows[name][0] for name in expected} == expected
    assert rows["host1"] == ["53c8xx", "0x1000", device, "0", "4.0", "on", "0xc000"]
    assert rows["host4"] == ["none", "0x0000", "0x0000", "0", "0.0", "off", "0x0000"]
    for n in range(16):
        assert rows[f"target{n}"] == ["on", "on", "on", "on", "8", "8", "100", "10"]
    assert run(None, "--check") == (0, "", "")


# ---- Fields -----------------------------------------------------------------------------


def values_for(field: nvram.Field) -> list[str]:
    """All that differ in what they set"""
    if isinstance(field.kind, nvram.Words):
        return list(field.kind.words.values())
    kind = field.kind
    middle = (kind.least + kind.most) // 2
    return [kind.show(value) for value in (kind.least, middle, kind.most)]


@pytest.mark.parametrize("name", nvram.FIELDS)
def test_each_field_is_set_alone(run, name):
    """All others keep their values, the spare bytes and unknown bits theirs."""
    image = bytearray(SDMS_875)
    image[0x1F2:0x26A] = random.Random(1).randbytes(0x26A - 0x1F2)      # spare
    image[0x10D] |= 0x80                                                # an unknown flag
    nvram.seal(image)
    nvram.set_own_defaults(image)
    seen = set()
    for text in values_for(nvram.FIELDS[name]):
        new = edited(run, bytes(image), f"{name}={text}")
        seen.add(new)
        assert value_of(new, name) == text
        assert not list(nvram.faults(new))
        for other, field in nvram.FIELDS.items():
            assert other == name or field.get(new) == field.get(image), other
        assert new[0x1F2:0x26A] == image[0x1F2:0x26A] and new[0x10D] & 0x80
        assert new[:0x100] == image[:0x100] and new[0x270:0x300] == image[0x270:0x300] and new[0x320:] == image[0x320:]
    assert len(seen) == len(values_for(nvram.FIELDS[name]))


def test_fields_cover_the_blocks_without_overlap():
    """What is left: header, sum, CRC of the boot list, numbers of entries, reserved bytes."""
    used: dict[int, int] = {}
    for field in nvram.FIELDS.values():
        for at in range(field.at, field.at + field.size):
            mask = field.mask >> 8 * (at - field.at) & 0xFF if field.mask else 0xFF
            assert not used.get(at, 0) & mask, field.name
            used[at] = used.get(at, 0) | mask
    left = {at for at in range(0x100, 0x26A) if at not in used}
    assert left == {*range(0x100, 0x106), *range(0x108, 0x10C), *range(0x115, 0x119), *range(0x1F2, 0x26A),
                    *(at + n * 14 for n in range(4) for at in (0x122, 0x123)),
                    *(0x153 + n * 8 for n in range(16)), *(0x1D9 + n * 8 for n in range(4))}
    assert {at for at in range(0x300, 0x320) if at not in used} == {*range(0x300, 0x307), *range(0x310, 0x320)}


@pytest.mark.parametrize("name, text, at, raw", [
    ("host-id", "5", 0x114, b"\x05"), ("parity", "off", 0x10C, b"\x0C\0"), ("scan-order", "down", 0x10E, b"\1\0"),
    ("termination", "off", 0x110, b"\2\0"), ("removable", "boot", 0x112, b"\1\0"), ("bus-reset", "off", 0x119, b"\4"),
    ("host2-device", "0x12", 0x12A, b"\x12\0"), ("host1-slot", "31.7", 0x121, b"\xFF"),
    ("host1-boots", "off", 0x124, b"\0\0"), ("target3-scan", "off", 0x16A, b"\x0D"),
    ("target15-timeout", "9999", 0x1D0, b"\x0F\x27"), ("target0-width", "16", 0x154, b"\x10"),
    ("banner", "off", 0x307, b"\1"), ("cd-first", "on", 0x307, b"\2"), ("native-blocks", "on", 0x307, b"\4"),
    ("scan-delay", "60", 0x308, b"\x3C"), ("spin-up-delay", "15", 0x309, b"\x0F"), ("boot-timeout", "0", 0x30A, b"\0"),
    ("window", "10", 0x30B, b"\x0A"), ("boot1", "3", 0x30C, b"\3"), ("boot4", "none", 0x30F, b"\xFF"),
])
def test_bytes_of_a_field(run, name, text, at, raw):
    assert edited(run, SDMS_875, f"{name}={text}")[at:at + len(raw)] == raw


def test_settings_of_all_targets(run):
    new = edited(run, SDMS_875, "targets-width=16", "target4-width=8", "targets-tags=off")
    assert [value_of(new, f"target{n}-width") for n in range(16)] == ["16"] * 4 + ["8"] + ["16"] * 11
    assert {value_of(new, f"target{n}-tags") for n in range(16)} == {"off"}


def test_own_block_is_made_when_a_field_of_it_is_set(run):
    new = edited(run, SDMS_875, "scan-delay=3")
    assert new[0x300:0x304] == b"sl8x" and new[0x306:0x310] == bytes([1, 0, 3, 0, 5, 1]) + b"\xFF" * 4
    assert new[0x310:0x320] == bytes(16)
    assert not nvram.own_fault(new)
    assert new[:0x300] == SDMS_875[:0x300] and new[0x320:] == SDMS_875[0x320:]


def test_crc_is_that_of_ccitt():
    assert nvram.crc16(b"123456789") == 0x29B1


@pytest.mark.parametrize("chip, device, width", [("810", 1, 8), ("875", 0xF, 16), ("1010-66", 0x21, 16)])
@pytest.mark.parametrize("image", [BLANK, bytes(2048), tekram_image()], ids=["FFh", "zeros", "Tekram"])
def test_defaults_make_a_blank_image_valid(run, image, chip, device, width):
    assert run(image, "--defaults", chip) == (0, "", "")
    new = run.image()
    assert not list(nvram.faults(new))
    assert new[:0x100] == image[:0x100] and new[0x270:0x300] == image[0x270:0x300] and new[0x320:] == image[0x320:]
    assert struct.unpack_from("<HH", new, 0x11A) == (4, device)
    assert new[0x152:0x15A] == struct.pack("<BBBBHH", 0x0F, 0, width, width, 100, 10)
    assert value_of(new, "geometry") == "size" and value_of(new, "removable") == "all"


# ---- Bad input --------------------------------------------------------------------------


@pytest.mark.parametrize("settings, reason", [
    (["host-id=16"], "host-id is 0 to 15, not '16'"), (["host-id=-1"], "host-id is 0 to 15, not '-1'"),
    (["host-id="], "host-id is 0 to 15, not ''"), (["host-id=١"], "host-id is 0 to 15"),
    (["host-id"], "'host-id' is not NAME=VALUE"), (["id=1"], "there is no setting 'id'"),
    (["parity=yes"], "parity is off or on, not 'yes'"), (["removable=0"], "removable is none, boot or all, not '0'"),
    (["target16-scan=on"], "no setting 'target16-scan'"), (["targets-x=on"], "no setting 'targets-x'"),
    (["targets=on"], "no setting 'targets'"), (["target0-width=12"], "target0-width is 8 or 16, not '12'"),
    (["target0-offset=63"], "target0-offset is 0 to 62"), (["boot1=16"], "boot1 is 0 to 15, or none, not '16'"),
    (["host1-slot=32.0"], "host1-slot is 0.0 to 31.7"), (["host1-device=0x10000"], "is 0x0000 to 0xffff"),
    (["window=11"], "window is 0 to 10"), (["host-id=3", "window=11"], "window is 0 to 10"),
])
def test_bad_setting_changes_nothing(run, settings, reason):
    status, out, err = run(SDMS_875, "--set", *settings)
    assert (status, out) == (1, "") and reason in err and err.count("\n") == 1
    assert run.image() == SDMS_875
    assert os.listdir(run.path.parent) == [run.path.name]


@pytest.mark.parametrize("arguments, reason", [
    (["--output", "x"], "--output needs --set or --defaults"), (["--check", "--set", "host-id=1"], "changes nothing"),
    (["--defaults", "53c400"], "invalid choice"), (["--bogus"], "unrecognized"), (["--set"], "expected at least one"),
])
def test_bad_arguments_are_refused_in_one_line(run, arguments, reason):
    status, out, err = run(SDMS_875, *arguments)
    assert (status, out) == (1, "") and reason in err and err.count("\n") == 1
    assert run.image() == SDMS_875


@pytest.mark.parametrize("size", [0, 1, 128, 2047, 2049, 4096])
@pytest.mark.parametrize("arguments", [[], ["--check"], ["--set", "host-id=1"], ["--defaults", "875"]])
def test_image_of_another_size_is_refused(run, size, arguments):
    image = bytes(size)
    status, out, err = run(image, *arguments)
    assert (status, out) == (1, "") and "not 2048 bytes" in err
    assert run.image() == image


def test_missing_file_is_an_error(run):
    status, _, err = run(None)
    assert status == 1 and "No such file" in err and not run.path.exists()


def test_folder_is_an_error(capsys, tmp_path):
    assert nvram.main([str(tmp_path)]) == 1
    assert "directory" in capsys.readouterr().err


@pytest.mark.parametrize("at, what", [(0x100, "type"), (0x102, "type 0 with"), (0x104, "sum"), (0x106, "sum"),
                                      (0x269, "sum"), (0x26A, "trailer"), (0x26B, "trailer"), (0x26F, "trailer")])
def test_wrong_byte_makes_the_block_invalid(run, at, what):
    image = bytearray(SDMS_875)
    image[at] ^= 0x40
    status, out, err = run(bytes(image), "--check")
    assert (status, out) == (1, "") and what in err
    assert run(None)[1].startswith("Symbios's block (100h): ")
    assert "valid\n" not in run(None)[1].split("\n")[0]
    status, _, err = run(None, "--set", "host-id=1")
    assert status == 1 and "--defaults" in err and run.image() == image


@pytest.mark.parametrize("at", range(0x304, 0x320))
def test_wrong_byte_makes_our_block_invalid(run, at):
    image = bytearray(edited(run, SDMS_875, "scan-delay=3"))
    image[at] ^= 0x40
    status, _, err = run(bytes(image), "--check")
    assert status == 1 and "our block" in err
    new = edited(run, bytes(image), "host-id=6")    # it stays damaged
    assert new[0x300:0x320] == image[0x300:0x320] and value_of(new, "host-id") == "6"
    status, out, err = run(bytes(image), "--set", "window=2", "boot1=3")   # a new one
    new = run.image()
    assert (status, out) == (0, "")
    assert re.fullmatch(r"nvram.py: our block: CRC .*; its settings begin from the defaults\n", err)
    assert [value_of(new, name) for name in ("scan-delay", "window", "boot1")] == ["0", "2", "3"]
    assert not list(nvram.faults(new))


def newer_version() -> bytes:
    image = bytearray(SDMS_875)
    nvram.set_own_defaults(image)
    image[0x306], image[0x31F] = 2, 0xA5
    nvram.seal_own(image)
    return bytes(image)


def test_block_of_a_newer_version_is_not_replaced_unasked(run):
    image = newer_version()
    status, out, err = run(image, "--set", "host-id=6", "scan-delay=1")
    assert (status, out) == (1, "") and run.image() == image
    assert err == "nvram.py: our block: version 2, not 1; --defaults makes a new one\n"
    assert edited(run, image, "host-id=6")[0x300:0x320] == image[0x300:0x320]
    assert run(image, "--defaults", "875", "--set", "scan-delay=1") == (0, "", "")
    assert value_of(run.image(), "scan-delay") == "1" and not list(nvram.faults(run.image()))


def test_defaults_keep_what_the_rom_does_not_use(run):
    """In valid blocks. Each field of the ROM gets its default."""
    image = bytearray(SDMS_875)
    nvram.set_own_defaults(image)
    used = {*range(0x10C, 0x110), 0x112, 0x113, 0x114, 0x119, 0x307, *range(0x308, 0x310),
            *(0x152 + 8 * n + at for n in range(16) for at in (0, 2, 3, 4, 5, 6, 7))}
    sums = {*range(0x100, 0x106), *range(0x300, 0x307), *range(0x26A, 0x270)}
    for at in {*range(0x100, 0x270), *range(0x300, 0x320)} - sums:
        image[at] ^= 0xFF
    nvram.seal(image)
    nvram.seal_own(image)
    assert run(bytes(image), "--defaults", "810") == (0, "", "")
    new, fresh = run.image(), bytearray(BLANK)
    nvram.make_blocks(fresh, "810")
    assert {at for at in range(2048) if new[at] != image[at]} <= used | sums
    for name, field in nvram.FIELDS.items():
        if not re.match("host[1-4]|scam|major|minor|termination", name):
            assert field.get(new) == field.get(fresh), name
    assert new[0x10D] == image[0x10D] and new[0x307] == image[0x307] & ~7 and new[0x152] & 0xF0 == image[0x152] & 0xF0
    assert not nvram.card_fault(new) and not nvram.own_fault(new)


@pytest.mark.parametrize("image", [BLANK, bytes(2048)], ids=["FFh", "zeros"])
def test_blank_image(run, image):
    assert run(image) == (0, "Symbios's block (100h): blank\n", "")
    assert run(None, "--check")[0] == 1
    assert run(None, "--set", "host-id=1")[0] == 1
    assert run.image() == image


def test_value_out_of_range_is_named(run):
    image = bytearray(SDMS_875)
    image[0x114] = 20
    nvram.seal(image)
    assert "20 (not valid)" in run(bytes(image))[1]
    status, _, err = run(None, "--check")
    assert status == 1 and err.strip().endswith("host-id is 20")


def test_tekram_is_recognised_and_kept(run):
    image = tekram_image()
    assert "Tekram's block (40h): present" in run(image)[1]
    run(None, "--defaults", "875")
    assert run.image()[:0x100] == image[:0x100]
    assert "Tekram" not in run(SDMS_875)[1]


def test_random_images_never_crash(run):
    source = random.Random(7)
    for n in range(300):
        image = bytearray(source.randbytes(2048))
        if n % 3:
            nvram.seal(image)
            struct.pack_into("<HH", image, 0x100, 0, 356)
        if n % 3 == 2:
            image[0x300:0x307] = b"sl8x\0\0\1"
            nvram.seal_own(image)
        assert run(bytes(image))[0] == 0
        assert run(None, "--check")[0] in (0, 1)
        assert run(None, "--set", "host-id=3")[0] == (0 if n % 3 else 1)


# ---- Files ------------------------------------------------------------------------------


def test_output_leaves_the_image(run, tmp_path):
    output = tmp_path / "new"
    assert run(SDMS_875, "--set", "host-id=1", "--output", str(output))[0] == 0
    assert run.image() == SDMS_875 and output.read_bytes()[0x114] == 1
    assert output.stat().st_mode & 0o777 == 0o644


def test_file_keeps_its_mode_and_a_link_stays_one(run, tmp_path, capsys):
    run.path.write_bytes(SDMS_875)
    run.path.chmod(0o600)
    link = tmp_path / "link"
    link.symlink_to(run.path)
    assert nvram.main([str(link), "--set", "host-id=1"]) == 0
    assert link.is_symlink() and run.image()[0x114] == 1
    assert run.path.stat().st_mode & 0o777 == 0o600


def test_failed_write_leaves_the_file(run, monkeypatch):
    run.path.write_bytes(SDMS_875)

    def fail(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "replace", fail)
    status, _, err = run(None, "--set", "host-id=1")
    assert status == 1 and "No space left" in err
    assert run.image() == SDMS_875 and os.listdir(run.path.parent) == [run.path.name]


def test_help_names_every_setting_and_its_range():
    text = subprocess.run([sys.executable, TOP / "tools/nvram.py", "--help"], capture_output=True, text=True,
                          check=True).stdout
    for name, field in nvram.FIELDS.items():
        first = re.sub(r"^(host|scam)\d", r"\g<1>1", re.sub(r"^target\d+", "target0", name))
        line = next(line for line in text.splitlines() if line.split()[:1] == [first])
        assert field.kind.range in line and nvram.FIELDS[first].text in line
    for example in re.findall(r"  nvram\.py .*", nvram.EXAMPLES):
        assert example in text


def test_examples_of_help_are_right(run):
    run.path.write_bytes(SDMS_875)
    for example in re.findall(r"^  nvram\.py (.*?)(?:   .*)?$", nvram.EXAMPLES, re.M):
        file, *arguments = example.split()
        arguments = [str(run.path.parent / "new.bin") if a == "new.bin" else a for a in arguments]
        if file == "--check":
            file, arguments = arguments[0], ["--check"]
        assert run(None, *arguments)[0] == 0, example

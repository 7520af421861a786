# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""tools/romsign.py, and the headers of the built ROMs."""

from __future__ import annotations

import re
import resource
import struct
import subprocess
import sys
from pathlib import Path

import pytest
import romsign

from tests.build import BUILD, LIMITS, ROM_810, ROM_895A, TOP, bios_image, symbol
from tests.model.hardware import HARDWARE
from tests.model.pc import Pc
from tests.rom.strict import check_read

UNSIGNED = BUILD / "rom.bin"
SMALL = BUILD / "small/rom.bin"    # without the set-up screen
IDS = ["--vendor", "1000", "--device", "0012"]


@pytest.fixture
def run(capsys, tmp_path):
    """Runs the command; returns (exit status, stdout, stderr, output file)."""
    output = tmp_path / "out.rom"

    def call(*arguments: str):
        status = romsign.main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return status, captured.out, captured.err, output

    call.output = output
    return call


# ---- The ROMs ------------------------------------------------------------------

CHIPS = {"810": 0x0001, "820": 0x0002, "825": 0x0003, "815": 0x0004, "860": 0x0006, "1510": 0x000A,
         "896": 0x000B, "895": 0x000C, "885": 0x000D, "875": 0x000F, "895a": 0x0012,
         "875a": 0x0013, "1010-33": 0x0020, "1010-66": 0x0021, "875j": 0x008F}
ID_810AP = 0x0005
NOT_SUPPORTED = {0x0010, 0x0030, 0x0031}    # listed in chips.c only to be refused
FOR_ONE = {chip: BUILD / f"lsi53c{chip}.rom" for chip in CHIPS}
UNIVERSAL = BUILD / "lsi53c8xx.rom"
FOR_86BOX = BUILD / "8xx_64.rom"
ALL = [*FOR_ONE.values(), UNIVERSAL, FOR_86BOX]
DRIVER = BUILD / "efi/driver.efi"


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_built_roms_are_valid(path):
    rom = romsign.verify(path.read_bytes())
    assert (rom.pcir.vendor, rom.pcir.offset) == (0x1000, 0x1C)
    header, = rom.pnp   # init creates further ones
    assert header.bcv and header.disconnect and not header.bev
    assert header.device_type == b"\1\0\0" and header.offset % 16 == 0


@pytest.mark.parametrize("chip", CHIPS)
def test_rom_of_chip_has_only_its_device_id(chip):
    pcir = romsign.parse(FOR_ONE[chip].read_bytes()).pcir
    assert (pcir.device, pcir.list_pointer, pcir.devices) == (CHIPS[chip], 0, [])


@pytest.mark.parametrize("path", [UNIVERSAL, FOR_86BOX], ids=lambda path: path.stem)
def test_universal_rom_lists_each_supported_chip(path):
    source = (TOP / "lsi/post/chips.c").read_text()
    known = {int(x, 16) for x in re.findall(r"^\t\{0x([0-9a-f]{4}), ", source, re.M)}
    pcir = romsign.parse(path.read_bytes()).pcir
    assert pcir.device == CHIPS["895a"]
    assert pcir.devices == sorted([*CHIPS.values(), ID_810AP])
    assert set(pcir.devices) == known - NOT_SUPPORTED


@pytest.mark.parametrize("path, size", [(UNIVERSAL, 32768), (FOR_86BOX, 65536)])
def test_universal_rom_fills_its_eprom(path, size):
    image = path.read_bytes()
    rom = romsign.parse(image)
    assert (len(image), rom.blocks, rom.pcir.blocks) == (size, size // 512, size // 512)


def test_rom_of_chip_has_one_efi_image_with_the_driver():
    for path in FOR_ONE.values():
        file = path.read_bytes()
        rom = romsign.verify(file)
        efi, = romsign.efi_images(file, rom)
        assert (efi.at, efi.machine) == (LIMITS["FILE"], 0x8664)
        assert (efi.pcir.vendor, efi.pcir.device, efi.pcir.devices) == (0x1000, rom.pcir.device, [])
        assert efi.driver == DRIVER.read_bytes()
        assert len(file) <= LIMITS["WHOLE_FILE"] and efi.pcir.blocks * 512 <= LIMITS["EFI"]


@pytest.mark.parametrize("path", [UNIVERSAL, FOR_86BOX], ids=lambda path: path.stem)
def test_rom_for_eproms_has_no_efi_image(path):
    assert bios_image(path) == path.read_bytes()
    assert romsign.parse(path.read_bytes()).pcir.indicator == 0x80


def test_efi_images_differ_only_in_device_id_and_sum():
    one, *others = (path.read_bytes()[LIMITS["FILE"]:] for path in FOR_ONE.values())
    for image in others:
        assert len(image) == len(one)
        assert {i for i in range(len(one)) if one[i] != image[i]} <= {0x1C + 6, 0x1C + romsign.PCIR_BYTES}


def test_roms_differ_only_in_id_list_size_indicator_and_checksum():
    one = bios_image(FOR_ONE["810"])
    same = set(range(len(one.rstrip(b"\0")))) - {romsign.CHECKSUM_AT}
    for path in FOR_ONE.values():
        image = bios_image(path)
        assert len(image) == len(one)
        assert {i for i in same if one[i] != image[i]} <= {0x22}
    at = 0x1C + romsign.PCIR_BYTES
    listed = {*range(at, at + 2 * romsign.DEVICE_LIST_WORDS), 0x24, 0x25}
    image = FOR_86BOX.read_bytes()
    assert not any(image[len(one):])
    assert {i for i in same if one[i] != image[i]} <= {2, 0x22, 0x2C, 0x31} | listed


def test_rom_for_an_eprom_has_no_setup_screen():
    """The screen does not fit beside the other parts."""
    for path, image in ((UNIVERSAL, SMALL), (FOR_86BOX, UNSIGNED)):
        assert image.with_name("image.packed").read_bytes() in path.read_bytes()
    assert UNSIGNED.stat().st_size > 32768 == UNIVERSAL.stat().st_size


def test_every_rom_declares_its_run_time_length():
    """The run-time length is the largest resident part, with CD support and as many boot
    entries as there is room for. It is not larger than the file."""
    assert symbol("cd_end") + 2 * 112 <= 32768 <= LIMITS["FILE"]
    for path in ALL:
        rom = romsign.parse(path.read_bytes())
        stays = (32768 if path == UNIVERSAL else LIMITS["FILE"]) // 512
        assert rom.pcir.run_time_blocks == stays <= rom.blocks


# ---- 86Box -----------------------------------------------------------------------

PATCHED = {"810": 0x0001, "815": 0x0004, "820": 0x0002, "825A": 0x0003, "860": 0x0006, "875": 0x000F}


def patched_by_86box(device: int) -> bytes:
    """Patch the low byte of the device ID, and the last byte to keep the checksum,
    as 86Box does for the emulated chip. [chip-facts 6.2]"""
    image = bytearray(FOR_86BOX.read_bytes())
    image[0xFFFF] = (image[0xFFFF] + image[0x22] - device) & 0xFF
    image[0x22] = device
    return bytes(image)


def test_last_byte_of_86box_rom_is_padding_in_checksum_range():
    image = FOR_86BOX.read_bytes()
    assert image[0xFFFF] == 0 and image[2] * 512 == len(image) == 0x10000


@pytest.mark.parametrize("chip", PATCHED)
def test_rom_patched_by_86box_is_valid_and_boots(chip, tmp_path):
    image = patched_by_86box(PATCHED[chip])
    assert romsign.verify(image).pcir.device == PATCHED[chip]
    file = tmp_path / "8xx_64.rom"
    file.write_bytes(image)
    pc = Pc(file, chip, hardware="86box")
    pc.bus.targets = {0: HARDWARE["86box"].disk()}
    pc.power_on()
    assert f"lsi8xx-rom 0.1.0: 53C{chip} at PCI 00:04.0" in pc.text
    assert "80h: SCSI 00:04.0 ID 0" in pc.text
    check_read(pc)


# ---- The tool with valid input ----------------------------------------------------


def test_output_has_stamped_ids_sizes_and_checksums(run):
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
    assert "ID 1000:0012" in out and "checksum ok" in out and "DEVICES none" in out
    assert out.count("PNP ") == 1
    assert "DEVICES 0001 0002 0003" in run(UNIVERSAL, "--info")[1]


def test_output_without_device_list_removes_list(run):
    """A list can be added again afterwards."""
    run(UNIVERSAL, "--output", run.output, *IDS)
    pcir = romsign.parse(run.output.read_bytes()).pcir
    assert (pcir.list_pointer, pcir.devices) == (0, [])
    assert run.output.read_bytes()[0x38:0x38 + 48] == bytes(48)
    run(run.output, "--output", run.output, *IDS, "--device-list", "0001 0012")
    assert romsign.verify(run.output.read_bytes()).pcir.devices == [1, 0x12]


@pytest.mark.parametrize("source, kib", [(SMALL, 32), (SMALL, 64), (UNSIGNED, 64), (UNIVERSAL, 32), (UNIVERSAL, 64),
                                         (FOR_86BOX, 64)], ids=lambda value: str(value).removeprefix(f"{BUILD}/"))
def test_eprom_option_pads_image(run, source, kib):
    status, _, err, output = run(source, "--output", run.output, *IDS, "--eprom", kib)
    assert (status, err) == (0, "")
    image = output.read_bytes()
    assert len(image) == kib * 1024 == romsign.verify(image).blocks * 512


def test_too_small_eprom_is_refused_with_both_sizes(run):
    status, _, err, output = run(UNSIGNED, "--output", run.output, *IDS, "--eprom", "16")
    assert status == 1 and not output.exists()
    assert re.fullmatch(r"romsign\.py: \S+rom\.bin: the image of \d{5} bytes does not fit into 16384 bytes\n", err)


def test_run_time_length_is_stamped_and_kept(run):
    assert run(UNSIGNED, "--output", run.output, *IDS, "--run-time", "10241")[0] == 0
    assert romsign.parse(run.output.read_bytes()).pcir.run_time_blocks == 21
    run(run.output, "--output", run.output, *IDS, "--eprom", "64")
    assert romsign.parse(run.output.read_bytes()).pcir.run_time_blocks == 21


def test_run_time_length_defaults_to_whole_image(run):
    run(UNSIGNED, "--output", run.output, *IDS)
    rom = romsign.parse(run.output.read_bytes())
    assert rom.pcir.run_time_blocks == rom.blocks


def test_signing_twice_changes_nothing(run):
    run(UNSIGNED, "--output", run.output, *IDS, "--device-list", "0012")
    first = run.output.read_bytes()
    run(run.output, "--output", run.output, *IDS, "--device-list", "0012")
    assert run.output.read_bytes() == first


def test_romsign_runs_as_command():
    result = subprocess.run([sys.executable, str(TOP / "tools/romsign.py"), str(ROM_810),
                             "--verify"], capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


# ---- Invalid input: one line, exit status 1, output unchanged -----------------------


# Read as 12h by int(text, 16)
NOT_PLAIN = ["1_2", "+12", " 12", "12 ", "0x12", "0X12", "12\n", "\uff11\uff12", "00012"]


@pytest.mark.parametrize("arguments", [
    [], ["--device", "0012"], ["--vendor", "1000"],
    ["--vendor", "0", "--device", "0012"], ["--vendor", "10000", "--device", "0012"],
    ["--vendor", "1000", "--device", "-1"], ["--vendor", "1000", "--device", "xyz"],
    ["--vendor", "", "--device", "0012"],
    *(["--vendor", "1000", "--device", text] for text in NOT_PLAIN),
    *([*IDS, "--device-list", f"0012,{text}"] for text in NOT_PLAIN if text != " 12"),
    *([*IDS, "--size", text] for text in ("65_536", "+65536", " 65536", "0x1_0000", "\uff16" * 5)),
    [*IDS, "--eprom", "6_4"],
    [*IDS, "--device-list", ""], [*IDS, "--device-list", "0012,,0001"],
    [*IDS, "--device-list", "0001"],
    [*IDS, "--device-list", ",".join(f"{i:x}" for i in range(1, 40))],
    [*IDS, "--size", "100"], [*IDS, "--size", "512"], [*IDS, "--size", "0"],
    [*IDS, "--size", "-512"], [*IDS, "--size", "66048"], [*IDS, "--size", "big"],
    [*IDS, "--eprom", "16"], [*IDS, "--eprom", "8"], [*IDS, "--eprom", "32", "--size", "32768"],
    [*IDS, "--run-time", "0"], [*IDS, "--run-time", "-1"], [*IDS, "--run-time", "65537"],
    [*IDS, "--colour", "red"], [*IDS, "--info"], [*IDS, "--verify"]],
    ids=lambda value: " ".join(value)[:40] or "none")
def test_invalid_arguments_change_nothing(run, arguments):
    run.output.write_bytes(b"old contents")
    status, out, err, output = run(UNSIGNED, "--output", run.output, *arguments)
    assert status == 1
    assert err.startswith("romsign.py: ") and err.count("\n") == 1 and out == ""
    assert output.read_bytes() == b"old contents"
    assert list(output.parent.iterdir()) == [output], "temporary file left"


def damaged(change) -> bytes:
    image = bytearray(UNIVERSAL.read_bytes())
    change(image)
    return bytes(image)


def mend_sum(image: bytearray) -> None:
    image[romsign.CHECKSUM_AT] = (image[romsign.CHECKSUM_AT] - sum(image)) & 0xFF


def set_word(offset: int, value: int):
    return lambda image: struct.pack_into("<H", image, offset, value)


def set_byte(offset: int, value: int):
    return lambda image: image.__setitem__(offset, value)


PNP_AT = romsign.parse(UNIVERSAL.read_bytes()).pnp[0].offset if UNIVERSAL.exists() else 0

STRUCTURE = {  # rejected by stamping and by verifying
    "empty": lambda image: image.clear(),
    "cut to 16 bytes": lambda image: image.__delitem__(slice(16, None)),
    "no signature": set_byte(0, 0),
    "no jump": set_byte(3, 0xCB),
    "no PCIR": set_byte(0x1C, 0),
    "PCIR outside image": set_word(0x18, 0xFFF0),
    "PCIR unaligned": set_word(0x18, 0x1D),
    "device list outside image": set_word(0x1C + 8, 0xFFF0),
    "PnP header outside image": set_word(0x1A, 0xFFF0),
    "no PnP signature": set_word(0x1A, 0x40),
    "PnP header loop": set_word(PNP_AT + 6, PNP_AT),
    "product string outside image": set_word(PNP_AT + 0x10, 0xFFFF),
}
STAMPED = {  # rejected by verifying, corrected by stamping
    "wrong length": set_byte(2, 3),
    "length 0": set_byte(2, 0),
    "file too long": lambda image: image.extend(bytes(512)),
    "file too short": lambda image: image.__delitem__(slice(-512, None)),
    "wrong PCIR length": set_word(0x1C + 0x10, 1),
    "wrong run-time length": set_word(0x1C + 0x16, 0xFF),
    "wrong checksum": set_byte(6, 0),
    "no vendor": set_word(0x20, 0),
    "device not in list": set_word(0x22, 0x7777),
}


@pytest.mark.parametrize("change", STRUCTURE.values(), ids=STRUCTURE.keys())
def test_invalid_structures_are_refused(run, tmp_path, change):
    source = tmp_path / "in"
    source.mkdir()
    (source / "rom").write_bytes(damaged(change))
    for action in (["--verify"], ["--info"], ["--output", run.output, *IDS]):
        status, out, err, output = run(source / "rom", *action)
        assert (status, out) == (1, "")
        assert err.startswith("romsign.py: ") and err.count("\n") == 1
        assert not output.exists()


@pytest.mark.parametrize("change", STAMPED.values(), ids=STAMPED.keys())
def test_verify_detects_wrong_stamps(run, tmp_path, change):
    file = tmp_path / "rom"
    file.write_bytes(damaged(change))
    status, _, err, _ = run(file, "--verify")
    assert status == 1 and err.count("\n") == 1


@pytest.mark.parametrize("offset", [0x1C + 0x0A, 0x1C + 0x0C, 0x1C + 0x0F, 0x1C + 0x14,
                                    0x1C + 0x15, PNP_AT + 5, PNP_AT + 9])
def test_verify_checks_each_field_despite_valid_checksum(offset):
    def change(image):
        image[offset] ^= 0x40
        image[6] = (image[6] - sum(image)) & 0xFF
    with pytest.raises(romsign.RomError):
        romsign.verify(damaged(change))


def long_chain(image: bytearray) -> None:
    """65 PnP headers in the padding; the last one has no next."""
    for number in range(65):
        at = 0x7000 + 32 * number
        image[at:at + 32] = image[PNP_AT:PNP_AT + 32]
        struct.pack_into("<H", image, at + 6, (at + 32) if number < 64 else 0)
    struct.pack_into("<H", image, 0x1A, 0x7000)


@pytest.mark.parametrize("change, text", [
    (set_byte(2, 65), "length byte gives 33280 bytes, but there are 32768"),
    (set_word(0x1C + 0x10, 63), "PCIR gives 63 blocks, but the ROM header 64"),
    (set_word(0x1C + 0x16, 65), "run-time length is larger"), (set_word(4, 0x7FFF), "entry point is outside"),
    (set_word(0x1A, 0), "no PnP header"), (set_word(PNP_AT + 6, PNP_AT), "chain loops"),
    (long_chain, "chain is too long"), (set_byte(PNP_AT + 5, 3), "has a wrong length"),
    (set_word(PNP_AT + 0x16, 0), "neither BCV nor BEV"), (set_word(PNP_AT + 0x16, 0x8000), "points outside"),
    (set_word(PNP_AT + 0x1A, 0xFFFF), "points outside"), (set_byte(PNP_AT + 9, 0), "wrong checksum")])
def test_verify_names_the_fault_despite_valid_checksums(change, text):
    def with_sums(image):
        change(image)
        if "checksum" not in text:
            image[PNP_AT + 9] = (image[PNP_AT + 9] - sum(image[PNP_AT:PNP_AT + 16 * image[PNP_AT + 5]])) & 0xFF
        image[6] = (image[6] - sum(image)) & 0xFF
    with pytest.raises(romsign.RomError, match=text):
        romsign.verify(damaged(with_sums))


def test_device_list_grows_only_over_zero_words(tmp_path):
    """In a foreign image the list may have little room or be at the end."""
    image = bytearray(UNIVERSAL.read_bytes())
    at = 0x1C + struct.unpack_from("<H", image, 0x1C + 8)[0]
    struct.pack_into("<4H", image, at, 0x12, 0, 0, 0x1234)
    mend_sum(image)
    signed = romsign.stamp(bytes(image), 0x1000, 0x12, [0x12, 1])
    assert struct.unpack_from("<4H", signed, at) == (0x12, 1, 0, 0x1234)
    with pytest.raises(romsign.RomError, match="no room"):
        romsign.stamp(bytes(image), 0x1000, 0x12, [0x12, 1, 2])
    struct.pack_into("<H", image, 0x1C + 8, len(image) - 4 - 0x1C)
    struct.pack_into("<2H", image, len(image) - 4, 0x12, 0)
    mend_sum(image)
    with pytest.raises(romsign.RomError, match="no room"):
        romsign.stamp(bytes(image), 0x1000, 0x12, [0x12, 1])


@pytest.mark.parametrize("size", [10000, -1, -512])
@pytest.mark.parametrize("source", [FOR_ONE["875"], UNIVERSAL], ids=lambda path: path.stem)
def test_truncated_image_is_refused(run, tmp_path, source, size):
    (tmp_path / "t.rom").write_bytes(source.read_bytes()[:size])
    status, out, err, output = run(tmp_path / "t.rom", "--output", run.output, *IDS)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert not output.exists()
    assert "truncated" in err


def test_truncated_unsigned_image_is_refused(run, tmp_path):
    whole = UNSIGNED.read_bytes()
    for size in (len(whole) // 2, len(whole) - 512):
        (tmp_path / "t.bin").write_bytes(whole[:size])
        status, out, err, output = run(tmp_path / "t.bin", "--output", run.output, *IDS)
        assert (status, out, err.count("\n")) == (1, "", 1)
        assert "t.bin" in err and "damaged" in err and not output.exists()


@pytest.mark.parametrize("source", [FOR_ONE["875"], UNIVERSAL], ids=lambda path: path.stem)
def test_damaged_image_is_refused(run, tmp_path, source):
    """A byte of the code in any of the images: a new checksum would make it look right."""
    whole = source.read_bytes()
    for at in [0x4000] if source == UNIVERSAL else [0x4000, len(whole) - 0x800]:
        image = bytearray(whole)
        image[at] ^= 0x10
        (tmp_path / "d.rom").write_bytes(image)
        for arguments in (["--output", run.output], ["--output", run.output, *IDS], ["--verify"]):
            status, out, err, output = run(tmp_path / "d.rom", *arguments)
            assert (status, out, err.count("\n")) == (1, "", 1)
            assert "d.rom: " in err and "checksum" in err and not output.exists()


def test_signed_image_keeps_its_ids(run):
    """Unless others are given: then the list holds only what is given."""
    for source in (FOR_ONE["875"], UNIVERSAL):
        before = romsign.parse(source.read_bytes()).pcir
        assert run(source, "--output", run.output, "--drop-efi")[0] == 0
        after = romsign.parse(run.output.read_bytes()).pcir
        assert (after.vendor, after.device, after.devices) == (before.vendor, before.device, before.devices)
    run(UNIVERSAL, "--output", run.output, "--device", "000f")
    after = romsign.parse(run.output.read_bytes()).pcir
    assert (after.vendor, after.device, after.devices) == (0x1000, 0x0F, [])


def test_info_says_what_is_absent_and_bad(run, tmp_path):
    out = run(UNSIGNED, "--info")[1]
    assert "not signed yet" in out and "EFI     none" in out and "blocks of 512 bytes" in out
    image = bytearray(UNIVERSAL.read_bytes())
    image[0x4000] ^= 0x10
    (tmp_path / "bad.rom").write_bytes(image)
    assert "checksum bad: 0x" in run(tmp_path / "bad.rom", "--info")[1]


def test_output_through_a_link_changes_its_target(run, tmp_path):
    """The link stays, also one to a file that does not exist yet; as --help says."""
    (tmp_path / "other").mkdir()
    target = tmp_path / "other" / "target.rom"
    for before in (None, b"old contents"):
        target.unlink(missing_ok=True)
        if before:
            target.write_bytes(before)
        run.output.unlink(missing_ok=True)
        run.output.symlink_to("other/target.rom")
        assert run(UNSIGNED, "--output", run.output, *IDS)[0] == 0
        assert run.output.is_symlink() and not target.is_symlink()
        assert romsign.verify(target.read_bytes()).pcir.device == 0x12
        assert list((tmp_path / "other").iterdir()) == [target]


def test_output_through_a_hard_link_leaves_the_other_name_unchanged(run, tmp_path):
    (tmp_path / "other.rom").write_bytes(b"old contents")
    run.output.hardlink_to(tmp_path / "other.rom")
    assert run(UNSIGNED, "--output", run.output, *IDS)[0] == 0
    assert (tmp_path / "other.rom").read_bytes() == b"old contents"
    romsign.verify(run.output.read_bytes())


@pytest.mark.parametrize("target", ["/dev/null", "out.rom", "."], ids=["device", "loop", "folder"])
def test_link_to_anything_but_a_file_is_refused(run, target):
    run.output.symlink_to(target)
    status, _, err, _ = run(UNSIGNED, "--output", run.output, *IDS)
    assert (status, err.count("\n")) == (1, 1) and "is not a file" in err
    assert run.output.is_symlink() and not Path("/dev/null").is_file()


def test_full_disk_leaves_no_part_of_the_image(run, tmp_path):
    run.output.write_bytes(b"old contents")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 13, hard))
    try:
        status, _, err, _ = run(UNSIGNED, "--output", run.output, *IDS)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (status, err.count("\n")) == (1, 1)
    assert run.output.read_bytes() == b"old contents" and list(tmp_path.iterdir()) == [run.output]


def test_output_that_is_not_a_file_is_refused(run, tmp_path):
    status, _, err, _ = run(UNSIGNED, "--output", tmp_path, *IDS)
    assert (status, err.count("\n")) == (1, 1)


def test_missing_and_unwritable_files_are_reported(run, tmp_path):
    status, _, err, _ = run(tmp_path / "none", "--verify")
    assert status == 1 and "none" in err and err.count("\n") == 1
    status, _, err, _ = run(UNSIGNED, "--output", tmp_path / "no" / "where", *IDS)
    assert status == 1 and err == f"romsign.py: {tmp_path}/no/where cannot be written: No such file or directory\n"

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""tools/romsign.py with EFI drivers that firmware would refuse, and with damaged files:
one line on standard error, exit status 1, no output.
[PE-COFF, UEFI 2.10 "PCI Option ROMs"; the checks of edk2's BasePeCoffLib]
"""

from __future__ import annotations

import random
import re
import struct

import pytest
import romsign

from tests.build import BUILD, LIMITS
from tests.tools import efi_driver as pe
from tests.tools.efi_driver import change, for_machine, signed

UNSIGNED = BUILD / "rom.bin"
IDS = ["--vendor", "1000", "--device", "0012"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("driver")


@pytest.fixture(scope="session")
def driver(folder) -> bytes:
    return pe.build(folder)


@pytest.fixture(scope="session")
def file(driver) -> bytes:
    """A file with two EFI images."""
    return romsign.stamp(pe.bios_image(), 0x1000, 0x12, drivers=[driver, for_machine(driver, 0xAA64)])


@pytest.fixture
def refusal(capsys, tmp_path):
    """Stamps a driver that is invalid; returns the reason."""
    def stamp(driver: bytes) -> str:
        (tmp_path / "a.efi").write_bytes(driver)
        output = tmp_path / "out.rom"
        output.write_bytes(b"old contents")
        status = romsign.main([str(UNSIGNED), "--output", str(output), *IDS, "--efi", str(tmp_path / "a.efi")])
        captured = capsys.readouterr()
        assert (status, captured.out, output.read_bytes()) == (1, "", b"old contents")
        assert captured.err.startswith("romsign.py: ") and captured.err.count("\n") == 1
        return captured.err.strip().removeprefix(f"romsign.py: {tmp_path / 'a.efi'}: ")

    return stamp


def reason(driver: bytes) -> str:
    with pytest.raises(romsign.RomError) as error:
        romsign.stamp(UNSIGNED.read_bytes(), 0x1000, 0x12, drivers=[driver])
    assert "\n" not in str(error.value)
    return str(error.value)


# ---- Headers ---------------------------------------------------------------------------


@pytest.mark.parametrize("field, value, text", [
    (pe.MACHINE, 0x014C, "machine type 014Ch is unknown; known are 8664h x64, AA64h AArch64"),  # 32-bit x86
    (pe.MACHINE, 0, "machine type 0000h"), (pe.MACHINE, 0x5064, "machine type 5064h"),          # RISC-V
    (pe.MAGIC, 0x010B, "not a PE32+ file"), (pe.MAGIC, 0, "not a PE32+ file"),
    (pe.SUBSYSTEM, 10, "subsystem is 10, not 11 (boot service driver)"), (pe.SUBSYSTEM, 12, "subsystem is 12"),
    (pe.SUBSYSTEM, 0, "subsystem is 0"), (pe.FLAGS, 0x22F, "no relocations"),
    (pe.RELOCATIONS + 4, 0, "no relocations"), (pe.RELOCATIONS, 0x9000, "relocations at 0x9000 are outside"),
    (pe.RELOCATIONS + 4, 0x1000, "relocations at"), (pe.RELOCATIONS + 4, 7, "relocations are truncated"),
    (pe.RELOCATIONS + 4, 10, "wrong length"),
    (pe.DIRECTORIES, 17, "17 directories"), (pe.DIRECTORIES, 15, "15 directories"),
    (pe.DIRECTORIES, 0xFFFFFFFF, "4294967295 directories"), (pe.OPTIONAL_BYTES, 0, "optional header of 0 bytes"),
    (pe.OPTIONAL_BYTES, 0xFFFF, "optional header of 65535 bytes"),
    (pe.SECTIONS, 0, "entry point"), (pe.SECTIONS, 4, "relocations at 0x5000 are outside"), (pe.SECTIONS, 0xFFFF, "section header at"),
    (pe.SECTIONS, 7, "size of headers"),
    (pe.HEADER_BYTES, 0, "size of headers"), (pe.HEADER_BYTES, 0x200, "size of headers"),
    (pe.HEADER_BYTES, 0x10000, "size of headers"), (pe.HEADER_BYTES, 0x2A0, "overlap"),
    (pe.IMAGE_BYTES, 0, "size of headers"), (pe.IMAGE_BYTES, 0x280, "size of headers"),
    (pe.IMAGE_BYTES, 0x5000, "is outside the image of 0x5000 bytes"),
    (pe.ENTRY, 0, "entry point 0x0 is outside"), (pe.ENTRY, 0x2000, "entry point 0x2000 is outside"),
    (pe.ALIGNMENT, 0, "section alignment"), (pe.ALIGNMENT, 32, "section alignment 0x20"),
    (pe.ALIGNMENT, 0x1800, "section alignment"), (pe.ALIGNMENT, 0x2000, "is not aligned to 0x2000")])
def test_driver_with_invalid_header_is_refused(refusal, driver, field, value, text):
    assert text in refusal(change(driver, field, value))


@pytest.mark.parametrize("name, field, value, text", [
    (".text", pe.ADDRESS, 0, "'.text' overlaps headers"), (".text", pe.ADDRESS, 0x1010, "is not aligned"),
    (".text", pe.FILE_AT, 0, "overlap"), (".text", pe.FILE_AT, 0x240, "overlap"),
    (".text", pe.SECTION_FLAGS, 0xE0000020, "both writable and executable"),
    (".text", pe.SECTION_FLAGS, 0x40000020, "entry point"),
    (".data.re", pe.ADDRESS, 0x1000, "'.data.re' overlaps headers or another section in memory"),
    (".data.re", pe.ADDRESS, 0x10000000, "outside the image"),
    (".data.re", pe.ADDRESS, 0xFFFFF000, "outside the image"),
    (".data.re", pe.FILE_AT, 0x260, "overlap"), (".data.re", pe.FILE_AT, 0xFFFFFFE0, "'.data.re' is truncated"),
    (".data.re", pe.FILE_BYTES, 0x8000, "'.data.re' is truncated"),
    (".data.re", pe.VIRTUAL_BYTES, 0x2000, "overlaps headers or another section in memory"),
    (".data.re", pe.VIRTUAL_BYTES, 4, "relocation at"),
    (".bss", pe.VIRTUAL_BYTES, 0, "'.bss' is empty"), (".bss", pe.VIRTUAL_BYTES, 0x1001, "overlaps"),
    (".reloc", pe.VIRTUAL_BYTES, 0xFFFFFFFF, "outside the image"), (".reloc", pe.FILE_BYTES, 0, "relocations at"),
    (".reloc", pe.ADDRESS, 0x3000, "overlaps")])
def test_driver_with_invalid_section_is_refused(refusal, driver, name, field, value, text):
    assert text in refusal(change(driver, pe.section(driver, name) + field, value))


@pytest.mark.parametrize("at, value, text", [
    (0, 0x9000, "relocation at 0x9"), (4, 0, "wrong length"), (4, 4, "wrong length"), (4, 10, "wrong length"),
    (4, 16, "wrong length"), (4, 0xFFFFFFFC, "wrong length"),
    (8, 0xA008_3000, "relocation of type 3 at 0x2000"), (8, 0xA008_1000, "relocation of type 1"),
    (8, 0xA008_AFF9, "relocation at 0x2ff9")])
def test_driver_with_invalid_relocations_is_refused(refusal, driver, at, value, text):
    """The block has the page, its length, and a word for each place: two of type 10."""
    block = pe.get(driver, pe.section(driver, ".reloc") + pe.FILE_AT)
    assert struct.unpack_from("<II2H", driver, block) == (0x2000, 12, 0xA000, 0xA008)
    assert text in refusal(driver[:block + at] + struct.pack("<I", value) + driver[block + at + 4:])


def test_driver_for_aarch64_may_relocate_itself(driver):
    itself = change(for_machine(driver, 0xAA64), pe.RELOCATIONS + 4, 0)
    romsign.check_driver(itself)
    assert "no relocations" in reason(change(itself, pe.FLAGS, 0x22F))


# ---- As made by the compiler and the linker --------------------------------------------


def test_driver_with_a_comment_section_is_refused(folder):
    """gcc without -fno-ident: ld gives the section no address."""
    assert "'.comment' overlaps headers" in reason(pe.build(folder, "-O2"))


def test_driver_with_symbols_is_refused(folder):
    assert "belong to no section" in reason(pe.build(folder, link=pe.LINK))


def test_driver_with_32_bit_addresses_is_refused(folder):
    """gcc without -fpic: such a driver fails above 2 GiB."""
    assert "relocation of type 3" in reason(pe.build(folder, "-fno-pic", "-fno-ident"))


def test_driver_linked_without_relocations_is_refused(folder):
    assert "no relocations" in reason(pe.build(folder, link=[*pe.LINK, "-s", "--disable-reloc-section"]))


def test_application_is_refused(folder):
    link = ["10" if word == "11" else word for word in [*pe.LINK, "-s"]]
    assert "subsystem is 10" in reason(pe.build(folder, link=link))


@pytest.mark.parametrize("content, text", [
    (b"", "no MZ header"), (b"MZ", "no MZ header"), (b"\x7fELF" + bytes(100), "no MZ header"),
    (b"\x55\xaa" + bytes(100), "no MZ header"),
    (b"MZ" + bytes(62), "no PE signature"), (b"MZ" + b"\xff" * 62, "PE header at 0xffffffff")],
    ids=["empty", "two-bytes", "elf", "rom", "zeros", "ones"])
def test_other_files_are_refused(refusal, content, text):
    assert text in refusal(content.ljust(0x200, b"\0") if text == "no PE signature" else content)


def test_missing_driver_file_is_refused(capsys, tmp_path):
    assert romsign.main([str(UNSIGNED), "--output", str(tmp_path / "o"), *IDS, "--efi", str(tmp_path / "no.efi")]) == 1
    assert "no.efi" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--efi", "x"], ["--drop-efi"], ["--large-bar"]], ids=" ".join)
@pytest.mark.parametrize("action", ["--info", "--verify"])
def test_options_of_stamping_need_an_output(capsys, action, arguments):
    assert romsign.main([str(UNSIGNED), action, *arguments]) == 1
    assert "require --output" in capsys.readouterr().err


# ---- Certificates -----------------------------------------------------------------------


@pytest.mark.parametrize("field, value, text", [
    (0, 0, "not the end"), (0, 0x20, "not the end"), (4, 0xFFFFFFF8, "not the end"), (4, 1, "not the end")])
def test_certificates_are_the_end_of_the_file(refusal, driver, field, value, text):
    assert text in refusal(change(signed(driver), pe.CERTIFICATES + field, value))


def test_bytes_after_certificates_are_refused(refusal, driver):
    assert "not the end" in refusal(signed(driver) + bytes(8))


def test_certificates_over_a_section_are_refused(refusal, driver):
    content = change(driver, pe.CERTIFICATES, len(driver) - 8)
    assert "overlap" in refusal(change(content, pe.CERTIFICATES + 4, 8))


# ---- Truncated --------------------------------------------------------------------------


def test_driver_cut_anywhere_is_refused(driver):
    """At each byte that belongs to a section, headers or certificates."""
    reloc = pe.section(driver, ".reloc")
    content = pe.get(driver, reloc + pe.FILE_AT) + pe.get(driver, reloc + pe.FILE_BYTES)
    assert content == len(driver)
    for whole in (driver, signed(driver)):
        for size in range(len(whole)):
            reason(whole[:size])


def test_file_cut_anywhere_is_refused(file):
    """The BIOS image is cut in its headers and at each block, the others anywhere."""
    first = struct.unpack_from("<H", file, 0x2C)[0] * 512
    for size in (*range(0x500), *range(0x600, first, 512), *range(first, len(file))):
        for action in (romsign.verify, romsign.describe, lambda image: romsign.stamp(image, 0x1000, 0x12)):
            with pytest.raises(romsign.RomError):
                action(file[:size])


@pytest.mark.parametrize("more", [1, 8, 512, 4096])
def test_file_with_bytes_after_the_last_image_is_refused(file, more):
    for action in (romsign.verify, romsign.describe, lambda image: romsign.stamp(image, 0x1000, 0x12)):
        with pytest.raises(romsign.RomError, match="images end at"):
            action(file + bytes(more))


# ---- Headers of EFI images ----------------------------------------------------------------


FIRST_EFI, PCIR = LIMITS["FILE"], 0x1C
ODD = 0x5A5A


@pytest.mark.parametrize("at, form, value, text", [
    (0x00, "H", 0, "no 55 AA"), (0x02, "H", 0, "header gives 0 blocks"), (0x02, "H", 0x7FFF, "header gives 32767"),
    (0x02, "H", 3, "header gives 3 blocks"), (0x02, "H", 1, "section header"),
    (0x04, "I", 0, "signature 0x0000"), (0x04, "I", 0x10EF1, "signature 0x10ef1"),
    (0x08, "H", 0x0A, "differ from those of the driver"), (0x0A, "H", 0xAA64, "differ from those of the driver"),
    (0x0C, "H", 1, "compressed images"), (0x0C, "H", 2, "compressed images"),
    (0x16, "H", 0, "not aligned to 8 bytes or overlaps"), (0x16, "H", 0x31, "not aligned"),
    (0x16, "H", 0x38, "overlaps"), (0x16, "H", 0xFFF8, "no MZ"), (0x16, "H", 0x40, "no MZ"),
    (0x18, "H", 0, "no PCIR"), (0x18, "H", 0x1D, "not aligned to 4"), (0x18, "H", 0xFFFC, "outside"),
    (PCIR, "I", 0, "no PCIR"), (PCIR + 0x04, "H", ODD, "PCI IDs differ"), (PCIR + 0x04, "H", 0, "is missing"),
    (PCIR + 0x06, "H", ODD, "PCI IDs differ"), (PCIR + 0x08, "H", 0xFFF0, "device list"),
    (PCIR + 0x0A, "H", 0x18, "revision is not 3"), (PCIR + 0x0C, "B", 0, "revision is not 3"),
    (PCIR + 0x0F, "B", 2, "class"), (PCIR + 0x10, "H", 0, "PCIR gives 0 blocks"),
    (PCIR + 0x10, "H", 1, "no 55 AA"), (PCIR + 0x10, "H", 0xFFFF, "but there are"),
    (PCIR + 0x14, "B", 0, "code type 0"), (PCIR + 0x14, "B", 1, "code type 1"),
    (PCIR + 0x15, "B", 0x80, "images end at"), (PCIR + 0x15, "B", 0x40, "indicator is 0x40")])
def test_verify_detects_invalid_efi_header(capsys, tmp_path, file, at, form, value, text):
    image = bytearray(file)
    struct.pack_into(f"<{form}", image, FIRST_EFI + at, value)
    (tmp_path / "rom").write_bytes(image)
    assert romsign.main([str(tmp_path / "rom"), "--verify"]) == 1
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and captured.out == "" and text in captured.err
    assert "images end" in text or int(re.search("image at (0x\\w+)", captured.err)[1], 16) in range(FIRST_EFI, FIRST_EFI + 1025)


def test_verify_detects_two_images_for_a_machine(file):
    image = bytearray(file)
    second = FIRST_EFI + 1024
    assert image[second + 0x0A:second + 0x0C] == b"\x64\xaa"
    machine = second + struct.unpack_from("<H", image, second + 0x16)[0] + pe.start(pe_of(image, second)) + pe.MACHINE
    for at in (second + 0x0A, machine):
        struct.pack_into("<H", image, at, 0x8664)
    after_headers = second + romsign.EFI_PCIR_AT + romsign.PCIR_BYTES   # there are no devices
    image[after_headers] = (image[after_headers] + 2 * (0xAA - 0x86)) & 0xFF
    with pytest.raises(romsign.RomError, match="two images for x64"):
        romsign.verify(bytes(image))


def pe_of(image: bytes, at: int) -> bytes:
    return bytes(image[at + struct.unpack_from("<H", image, at + 0x16)[0]:])


def test_verify_detects_a_sum_of_0(file):
    image = bytearray(file)
    sum_at = FIRST_EFI + PCIR + 0x1C
    assert sum(image[FIRST_EFI:FIRST_EFI + 1024]) & 0xFF
    image[sum_at] = (image[sum_at] - sum(image[FIRST_EFI:FIRST_EFI + 1024])) & 0xFF
    with pytest.raises(romsign.RomError, match="checksum is 0"):
        romsign.verify(bytes(image))


@pytest.mark.parametrize("indicator", [0x80, 0x40, 0xFF])
def test_wrong_indicator_of_the_bios_image_is_detected(file, indicator):
    image = bytearray(file)
    image[0x31] = indicator
    image[6] = (image[6] - sum(image[:FIRST_EFI])) & 0xFF
    with pytest.raises(romsign.RomError):
        romsign.verify(bytes(image))


def test_missing_last_indicator_is_detected(file):
    image = bytearray(file)
    at = len(image) - 1024 + PCIR + 0x15
    assert image[at] == 0x80
    image[at] = 0
    with pytest.raises(romsign.RomError, match="truncated to 0 bytes"):
        romsign.verify(bytes(image))


def test_file_that_begins_with_an_efi_image_is_refused(file):
    with pytest.raises(romsign.RomError, match="first image is an EFI image"):
        romsign.verify(file[FIRST_EFI:])


# ---- Fuzzed headers: valid or RomError, nothing else --------------------------------------


def tried(action, *arguments, **options) -> bool:
    try:
        action(*arguments, **options)
    except romsign.RomError as error:
        assert "\n" not in str(error)
        return False
    return True


def mutated(random_: random.Random, data: bytes, places: range) -> bytes:
    out = bytearray(data)
    for _ in range(random_.randint(1, 3)):
        size = random_.choice((1, 2, 4))
        value = random_.choice((0, 1, 0x80, 0xFFFFFFFF, 0x7FFFFFFF, 0x10000, random_.getrandbits(32)))
        at = random_.choice(places)
        out[at:at + size] = value.to_bytes(4, "little")[:size]
    return bytes(out)


@pytest.mark.parametrize("seed", range(4))
def test_fuzzed_drivers_raise_no_other_error(driver, seed):
    random_ = random.Random(seed)
    results = {tried(romsign.check_driver, mutated(random_, driver, range(len(driver) - 4)))
               for _ in range(4000)}
    assert results == {True, False}


@pytest.mark.parametrize("seed", range(4))
def test_fuzzed_files_raise_no_other_error(file, seed):
    """Headers of all images. What verify() accepts can be printed and stamped again."""
    random_ = random.Random(seed)
    headers = [*range(0x60), *range(FIRST_EFI, FIRST_EFI + 0x40), *range(FIRST_EFI + 1024, FIRST_EFI + 1024 + 0x40)]
    for _ in range(600):
        image = mutated(random_, file, headers)
        tried(romsign.describe, image)
        tried(romsign.stamp, image, 0x1000, 0x12)
        if tried(romsign.verify, image):
            romsign.describe(image)
            romsign.verify(romsign.stamp(image, 0x1000, 0x12))

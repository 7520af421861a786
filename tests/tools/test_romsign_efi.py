# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""tools/romsign.py with EFI images: the files it makes, in bytes of the specifications.
[UEFI 2.10 "PCI Option ROMs", PCI 3.0 firmware "Expansion ROM"]
"""

from __future__ import annotations

import struct

import pytest
import romsign

from tests.build import BUILD, LIMITS
from tests.tools import efi_driver
from tests.tools.efi_driver import for_machine, signed

IDS = ["--vendor", "1000", "--device", "0012"]
UNSIGNED = BUILD / "rom.bin"
X64, AARCH64 = 0x8664, 0xAA64
SUM_AT, INDICATOR_AT = 0x06, 0x1C + 0x15    # of the BIOS image


def word(data: bytes, at: int) -> int:
    return struct.unpack_from("<H", data, at)[0]


def images(file: bytes) -> list[bytes]:
    """The images of a file by the lengths and the indicators in their PCIR."""
    found = []
    while file:
        pcir = word(file, 0x18)
        assert file[:2] == b"\x55\xaa" and file[pcir:pcir + 4] == b"PCIR"
        size = word(file, pcir + 0x10) * 512
        assert len(file[:size]) == size > 0
        found.append(file[:size])
        assert bool(file[pcir + 0x15] & 0x80) == (size == len(file)), "indicator of the last image"
        file = file[size:]
    return found


def taken_by_a_scan(memory: bytes) -> list[int]:
    """Addresses of the ROMs that a BIOS finds in memory at 2 KiB boundaries, as Bochs'
    and QEMU's do. [PnP-BIOS 1.0A "Option ROM header"]"""
    found, at = [], 0
    while at < len(memory):
        size = memory[at + 2] * 512
        if memory[at:at + 2] == b"\x55\xaa" and not sum(memory[at:at + size]) & 0xFF:
            found.append(at)
            at += -(-size // 2048) * 2048 or 2048
        else:
            at += 2048
    return found


@pytest.fixture(scope="session")
def driver(tmp_path_factory) -> bytes:
    return efi_driver.build(tmp_path_factory.mktemp("driver"))


@pytest.fixture(scope="session")
def bios() -> bytes:
    return efi_driver.bios_image()


@pytest.fixture
def run(capsys, tmp_path):
    """Runs the command for a file with these contents, and drivers after --efi; returns
    (exit status, stdout, stderr, output or b"" without one)."""
    output = tmp_path / "out.rom"

    def call(contents: bytes, *arguments: str, drivers: list[bytes] = []):
        source = tmp_path / "in.rom"
        source.write_bytes(contents)
        for number, content in enumerate(drivers):
            file = tmp_path / f"{number}.efi"
            file.write_bytes(content)
            arguments += ("--efi", file)
        output.unlink(missing_ok=True)
        status = romsign.main([str(a) for a in (source, *arguments)])
        captured = capsys.readouterr()
        return status, captured.out, captured.err, output.read_bytes() if output.exists() else b""

    call.to = ["--output", output, *IDS]
    return call


def stamped(source: bytes, *drivers: bytes, **options) -> bytes:
    return romsign.stamp(source, 0x1000, 0x12, drivers=drivers, **options)




def grown(driver: bytes, header: int, more: int) -> bytes:
    """A section moved to the end of the file and enlarged."""
    begin = efi_driver.get(driver, header + efi_driver.FILE_AT)
    content = driver[begin:][:efi_driver.get(driver, header + efi_driver.FILE_BYTES)]
    out = bytearray(driver)
    out[begin:begin + len(content)] = bytes(len(content))
    content += b"\xAB" * (more - len(content))
    for field, value in ((efi_driver.FILE_AT, len(driver)), (efi_driver.FILE_BYTES, len(content))):
        out = bytearray(efi_driver.change(bytes(out), header + field, value))
    return bytes(out) + content


# ---- The file ------------------------------------------------------------------------


def test_command_appends_an_image(run, driver):
    status, _, err, output = run(UNSIGNED.read_bytes(), *run.to, drivers=[driver])
    assert (status, err) == (0, "")
    assert len(images(output)) == 2
    assert run(output, "--verify")[:1] == (0,)


def test_efi_image_has_the_header_of_the_specification(bios, driver):
    _, image = images(stamped(bios, driver))
    blocks = len(image) // 512
    pe_at = word(image, 0x16)
    assert image[:0x0E] == struct.pack("<HHIHHH", 0xAA55, blocks, 0x0EF1, 0x0B, X64, 0)
    assert image[0x0E:0x16] == bytes(8), "reserved"
    assert pe_at % 8 == 0 and image[pe_at:] == driver
    pcir = word(image, 0x18)
    assert pcir % 4 == 0
    assert image[pcir:pcir + 0x1C] == b"PCIR" + struct.pack(
        "<HHHHB3sHHBBHHH", 0x1000, 0x12, 0, 0x1C, 3, b"\0\0\1", blocks, 1, 3, 0x80, 0, 0, 0)


def test_driver_ends_with_the_used_part_of_the_image(bios, driver):
    """Firmware takes everything from the driver's start to that end for the driver: other
    bytes would change its hash, which a signature covers."""
    for extra in range(0, 1024, 104):
        content = signed(driver, bytes(extra))
        _, image = images(stamped(bios, content))
        assert image[word(image, 0x16):word(image, 2) * 512] == content


def test_length_of_a_driver_is_rounded_up_to_8_bytes(bios, driver):
    content = grown(driver, efi_driver.section(driver, ".text"), 1001)
    assert len(content) % 8
    _, image = images(stamped(bios, content))
    assert image[word(image, 0x16):] == content + bytes(-len(content) % 8)


@pytest.mark.parametrize("source", ["rom.bin", "lsi53c895a.rom", "lsi53c810.rom", "lsi53c8xx.rom", "8xx_64.rom"])
@pytest.mark.parametrize("machines", [[X64], [AARCH64], [X64, AARCH64]], ids=str)
def test_bios_image_differs_only_in_indicator_and_sum(driver, source, machines):
    options = dict(image=(BUILD / source).read_bytes(), vendor=0x1000, device=0x12, devices=[1, 0x12],
                   drop_efi=True, large_bar=True)
    alone = romsign.stamp(**options)
    drivers = [for_machine(driver, machine) for machine in machines]
    first, *others = images(romsign.stamp(**options, drivers=drivers))
    assert len(others) == len(machines)
    assert [(i, alone[i], first[i]) for i in range(len(alone)) if alone[i] != first[i]] == [
        (SUM_AT, alone[SUM_AT], (alone[SUM_AT] + 0x80) & 0xFF), (INDICATOR_AT, 0x80, 0)]
    assert len(first) == len(alone) and sum(first) & 0xFF == 0 == sum(alone) & 0xFF


def test_device_list_is_in_all_images(bios, driver):
    devices = [1, 3, 0x12]
    first, *others = images(romsign.stamp(bios, 0x1000, 0x12, devices, drivers=[driver, for_machine(driver, AARCH64)]))
    for image in (first, *others):
        pcir = word(image, 0x18)
        assert struct.unpack_from("<HH", image, pcir + 4) == (0x1000, 0x12)
        at = pcir + word(image, pcir + 8)
        assert struct.unpack_from("<4H", image, at) == (*devices, 0)


def test_images_keep_their_order_and_machines(bios, driver):
    for machines in ([X64, AARCH64], [AARCH64, X64]):
        file = stamped(bios, *(for_machine(driver, machine) for machine in machines))
        assert [word(image, 0x0A) for image in images(file)[1:]] == machines
        romsign.verify(file)


# ---- A BIOS that scans memory ----------------------------------------------------------


@pytest.mark.parametrize("legacy_kib", [34.5, 35, 35.5, 36, 40, 48])
@pytest.mark.parametrize("base", range(0, 2048 * 3, 2048))
def test_scan_of_memory_finds_only_the_bios_image(driver, legacy_kib, base):
    """Also if the EFI image begins at a multiple of 2 KiB."""
    run_time = int(legacy_kib * 1024)
    file = stamped(UNSIGNED.read_bytes(), driver, for_machine(driver, AARCH64), run_time=run_time)
    assert word(file, 0x1C + 0x10) * 512 == run_time
    assert taken_by_a_scan(bytes(base) + file + bytes(4096)) == [base]


def test_sum_of_efi_images_is_not_zero(bios, driver):
    """For any content of the driver."""
    at = efi_driver.get(driver, efi_driver.section(driver, ".text") + efi_driver.FILE_AT)
    for value in range(256):
        content = driver[:at] + bytes([value]) + driver[at + 1:]
        for image in images(stamped(bios, content, for_machine(content, AARCH64)))[1:]:
            assert sum(image) & 0xFF


@pytest.mark.parametrize("sum_of_bytes, refused", [(0, True), (1, False)])
def test_driver_that_looks_like_a_rom_inside_is_refused(run, bios, driver, sum_of_bytes, refused):
    """The place of the bytes in the file is a multiple of 512."""
    content = grown(driver, efi_driver.section(driver, ".text"), 4096)
    at = len(content) - 2048
    fake = b"\x55\xaa\x02" + bytes([sum_of_bytes - 0x55 - 0xAA - 2 & 0xFF])
    content = content[:at] + fake.ljust(1024, b"\0") + content[at + 1024:]
    status, _, err, output = run(bios, *run.to, drivers=[content])
    assert (status, bool(output)) == ((1, False) if refused else (0, True))
    assert ("for a ROM" in err) == refused


# ---- Files that have EFI images already --------------------------------------------------


def test_stamping_twice_changes_nothing(run, driver):
    first = run(UNSIGNED.read_bytes(), *run.to, "--device-list", "0012,0001",
                drivers=[driver, signed(for_machine(driver, AARCH64))])[3]
    assert run(first, *run.to, "--device-list", "0012,0001")[3] == first


def test_other_ids_reach_all_images(run, bios, driver):
    file = stamped(bios, driver)
    _, _, err, output = run(file, "--output", run.to[1], "--vendor", "1234", "--device", "000f")
    assert [struct.unpack_from("<HH", image, 0x20) for image in images(output)] == [(0x1234, 0xF)] * 2, err


def test_drivers_are_appended_one_by_one(run, bios, driver):
    one = run(bios, *run.to, drivers=[driver])[3]
    both = run(one, *run.to, drivers=[for_machine(driver, AARCH64)])[3]
    assert both == stamped(bios, driver, for_machine(driver, AARCH64))


@pytest.mark.parametrize("present", [True, False])
def test_second_driver_for_a_machine_is_refused(run, bios, driver, present):
    source, drivers = (stamped(bios, driver), [driver]) if present else (bios, [driver, driver])
    status, _, err, output = run(source, *run.to, drivers=drivers)
    assert (status, output, err.count("\n")) == (1, b"", 1)
    assert "two drivers for x64" in err and "--drop-efi" in err


def test_drop_efi_leaves_the_bios_image(run, bios, driver):
    file = stamped(bios, driver)
    assert run(file, *run.to, "--drop-efi")[3] == stamped(bios, drop_efi=True)


def test_drop_efi_replaces_the_images(run, bios, driver):
    file = stamped(bios, driver)
    other = signed(driver)
    assert run(file, *run.to, "--drop-efi", drivers=[other])[3] == stamped(bios, other, drop_efi=True)


# ---- Sizes -------------------------------------------------------------------------------------


def test_padding_follows_the_driver(run, bios, driver):
    """The length in PCIR includes it, the length in the EFI header does not."""
    plain = stamped(bios, driver)
    status, _, err, output = run(bios, *run.to, "--eprom", "64", drivers=[driver])
    assert (status, err, len(output)) == (0, "", 65536)
    first, image = images(output)
    assert first == images(plain)[0]
    used = word(image, 2) * 512
    assert used == len(images(plain)[1]) and not any(image[used:])
    assert image[word(image, 0x16):used] == driver
    assert run(output, "--verify")[0] == 0
    assert run(output, *run.to)[3] == plain


@pytest.mark.parametrize("size, text", [("28160", "do not fit"), ("0", "do not fit"), ("100", "not a multiple of 512"),
                                        ("40000", "not a multiple of 512"), ("66048", "ROM BAR of 128 KiB")])
def test_size_that_does_not_suit_all_images_is_refused(run, bios, driver, size, text):
    status, _, err, output = run(bios, *run.to, "--size", size, drivers=[driver])
    assert (status, output, err.count("\n")) == (1, b"", 1) and text in err


def test_file_below_4_kib_is_refused(run, driver):
    """Its ROM BAR would be of 2 KiB, which UEFI takes for none."""
    image = bytearray(2048)
    image[:0x1C] = struct.pack("<HBBH18xHH", 0xAA55, 4, 0xE9, 0x100, 0x1C, 0x40)
    image[0x1C:0x38] = b"PCIR" + struct.pack("<HHHHB3sHHBBHHH", 0x1000, 0x12, 0, 0x1C, 3, b"\0\0\1", 4, 1, 0,
                                             0x80, 4, 0, 0)
    image[0x40:0x60] = b"$PnP\1\2" + bytes(12) + b"\1\0\0\x74" + struct.pack("<5H", 0x100, 0, 0, 0, 0)
    image[0x49] = -sum(image[0x40:0x60]) & 0xFF
    image[romsign.CHECKSUM_AT] = -sum(image) & 0xFF
    status, _, err, output = run(bytes(image), *run.to, "--size", "3584")
    assert (status, output, err.count("\n")) == (1, b"", 1)
    assert "4096" in err and "UEFI" in err
    assert len(run(bytes(image), *run.to, "--size", "4096")[3]) == 4096
    assert len(run(bytes(image), *run.to, drivers=[grown(driver, efi_driver.section(driver, ".text"), 2048)])[3]) > 4096


@pytest.mark.parametrize("size, kib", [(2048, 2), (2049, 4), (27648, 32), (32768, 32), (32769, 64), (65536, 64),
                                       (65537, 128)])
def test_rom_bar_is_the_next_power_of_two(size, kib):
    """[PCI 3.0 "Expansion ROM Base Address Register"]"""
    assert romsign.bar_bytes(size) == kib * 1024


def test_rom_bar_above_64_kib_needs_consent(run, bios, driver):
    large = grown(driver, efi_driver.section(driver, ".text"), 65536 - LIMITS["FILE"])
    status, _, err, output = run(bios, *run.to, drivers=[large])
    assert (status, output, err.count("\n")) == (1, b"", 1)
    assert "128 KiB" in err and "--large-bar" in err
    status, _, err, output = run(bios, *run.to, "--large-bar", drivers=[large])
    assert (status, err) == (0, "") and len(output) > 65536
    assert run(output, "--verify")[0] == 0 and "ROM BAR of 128 KiB" in run(output, "--info")[1]


def test_driver_larger_than_255_blocks_is_refused(run, bios, driver):
    """A BIOS that scans memory reads the lower byte of the length only."""
    text = efi_driver.section(driver, ".text")
    for size, status in ((255 * 512 - 2048, 0), (255 * 512, 1)):
        result = run(bios, *run.to, "--large-bar", drivers=[grown(driver, text, size)])
        assert result[0] == status and ("too large" in result[2]) == bool(status)


# ---- --info --------------------------------------------------------------------------------------


def test_info_decodes_all_images(run, bios, driver):
    file = stamped(bios, driver, for_machine(driver, AARCH64), devices=[0x12])
    status, out, err, _ = run(file, "--info")
    assert (status, err) == (0, "")
    first, second, third = images(file)
    assert f"FILE    {len(file)} bytes, 3 images, ROM BAR of 64 KiB\n" in out
    for at, image, name in ((len(first), second, "8664h (x64)"),
                            (len(first + second), third, "AA64h (AArch64)")):
        assert (f"EFI     at {at:#x}, {word(image, 2)} blocks used, signature 0EF1h, subsystem 11, "
                f"machine {name}, compression 0, PE at {word(image, 0x16):#x} of {len(driver)} bytes, "
                "sum 0xff\n") in out
    assert [line.count("code type 3") for line in out.splitlines() if line.startswith("PCIR")] == [0, 1, 1]
    assert out.count("DEVICES 0012") == 3
    assert "indicator 0x00\n" in out and out.rstrip().splitlines()[-2].endswith("indicator 0x80")

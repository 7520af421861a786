# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The driver for AArch64 in a ROM file with three images, on QEMU's `virt` machine with
AAVMF. Secure Boot is tested with the key that Debian's AAVMF has for tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.build import BUILD

pytestmark = pytest.mark.aarch64

AAVMF = Path("/usr/share/AAVMF")
KEY = Path("/usr/share/qemu-efi-aarch64/PkKek-1-snakeoil.key")
CERTIFICATE = KEY.with_suffix(".pem")
PASS_PHRASE = "snakeoil"
WAIT_S = 300            # without KVM, beside other tests
DISK_MIB = 40
DATA_BYTES = 1 << 20
COPIED = "the copy is made"
SCRIPT = f"""fs0:
cp data copy
echo {COPIED}
reset -s
"""
# AAVMF finds nothing to boot on a disk that it has, and says where the disk is.
DISK_SEEN = "PciRoot(0x0)/Pci(0x1,0x0)/Scsi(0x3,0x0): Not Found"
REFUSED_SHELL = "Security Violation"    # Debian's shell is not signed


def rom(chip: str, machines: str = "-aa64") -> Path:
    return BUILD / f"lsi53c{chip}{machines}.rom"


def console(folder: Path, device: str, file: Path, disk: Path, keys: str = "", until: str | None = None) -> str:
    """What AAVMF prints, until `until` or the end of QEMU. keys: the variables with `keys`."""
    variables = folder / "variables.fd"
    shutil.copyfile(AAVMF / f"AAVMF_VARS{keys}.fd", variables)
    line = ["qemu-system-aarch64", "-machine", "virt", "-cpu", "cortex-a57", "-m", "512", "-nodefaults",
            "-display", "none", "-serial", "stdio",
            "-drive", f"if=pflash,readonly=on,format=raw,file={AAVMF / 'AAVMF_CODE.fd'}",
            "-drive", f"if=pflash,format=raw,file={variables}",
            "-device", f"{device},id=scsi,romfile={file}",
            "-drive", f"if=none,id=disk,format=raw,file={disk}", "-device", "scsi-hd,bus=scsi.0,scsi-id=3,drive=disk"]
    out = folder / "console"
    with out.open("wb") as to, subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=to,
                                                stderr=subprocess.STDOUT) as process:
        try:
            for _ in range(WAIT_S):
                if until and until in out.read_text("latin-1"):
                    break
                try:
                    process.wait(1)
                    break
                except subprocess.TimeoutExpired:
                    continue
            else:
                pytest.fail(f"no {until or 'end'!r} in the console output:\n{out.read_text('latin-1')[-3000:]}")
        finally:
            process.kill()
    return out.read_text("latin-1")


@pytest.fixture
def disk(tmp_path) -> Path:
    """A FAT file system without a partition table, with `data`."""
    image = tmp_path / "disk.img"
    image.touch()
    os.truncate(image, DISK_MIB << 20)
    subprocess.run(["mformat", "-i", image, "::"], check=True)
    (tmp_path / "data").write_bytes(os.urandom(DATA_BYTES))
    subprocess.run(["mcopy", "-i", image, tmp_path / "data", "::data"], check=True)
    return image


@pytest.mark.parametrize("chip", ["895a", "810"])
def test_shell_copies_a_file(tmp_path, disk, chip):
    (tmp_path / "startup.nsh").write_text(SCRIPT)
    subprocess.run(["mcopy", "-i", disk, tmp_path / "startup.nsh", "::startup.nsh"], check=True)
    text = console(tmp_path, f"lsi53c{chip}", rom(chip), disk)
    assert COPIED in text
    subprocess.run(["mcopy", "-i", disk, "::copy", tmp_path / "copy"], check=True)
    assert (tmp_path / "copy").read_bytes() == (tmp_path / "data").read_bytes()


def test_file_without_this_machine_does_no_harm(tmp_path, disk):
    text = console(tmp_path, "lsi53c895a", rom("895a", ""), disk, until="Shell>")
    assert "Scsi(" not in text


def signed(folder: Path) -> Path:
    """The driver, signed with the key in AAVMF's db, and a ROM file with it."""
    key, driver, file = folder / "key", folder / "signed.efi", folder / "signed.rom"
    subprocess.run(["openssl", "rsa", "-in", KEY, "-passin", f"pass:{PASS_PHRASE}", "-out", key],
                   check=True, capture_output=True)
    subprocess.run(["sbsign", "--key", key, "--cert", CERTIFICATE, "--output", driver,
                    BUILD / "efi/driver-aa64.efi"], check=True, capture_output=True)
    subprocess.run(["tools/romsign.py", BUILD / "rom.bin", "--vendor", "1000", "--device", "0012",
                    "--efi", driver, "--output", file], check=True)
    return file


def test_secure_boot_starts_the_signed_driver_only(tmp_path, disk):
    unsigned = console(tmp_path, "lsi53c895a", rom("895a"), disk, keys=".snakeoil", until=REFUSED_SHELL)
    assert DISK_SEEN not in unsigned
    text = console(tmp_path, "lsi53c895a", signed(tmp_path), disk, keys=".snakeoil", until=REFUSED_SHELL)
    assert DISK_SEEN in text

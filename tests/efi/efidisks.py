# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Disks and CDs for UEFI, made from Debian packages: GRUB, systemd-boot, the signed chain of
Secure Boot, and small disks with a program that prints their name.
"""

from __future__ import annotations

import array
import hashlib
import shutil
import subprocess
from pathlib import Path

import media
from media import EFI_FALLBACK, MEDIA, SECTOR, one_at_a_time

from tests.boot import bootcds
from tests.efi import application

LINUX_GUID = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
ESP_GUID = "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
START = 2048            # sectors
LINUX_SECTORS = 40 * 2048
ESP_SECTORS = 48 * 2048
NAMED_SECTORS = 4 * 2048
END_SECTORS = 2048      # the second table of a GPT is in the last 33

SYSTEMD_BOOT = "usr/lib/systemd/boot/efi/systemd-bootx64.efi"
SHIM = "usr/lib/shim/shimx64.efi.signed"
SIGNED_GRUB = "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed"
ARGUMENTS = "console=ttyS0 quiet panic=1 poweroff"

LOADER_CONF = "timeout 0\ndefault linux.conf\n"
LINUX_CONF = f"""title systemd-boot entry
linux /vmlinuz
initrd /initrd
options {ARGUMENTS}
"""


def _text(work: Path, name: str, text: str) -> Path:
    file = work / name
    file.write_text(text)
    return file


def _empty(image: Path, sectors: int) -> None:
    with image.open("wb") as disk:
        disk.truncate(sectors * SECTOR)


# ---- Disks with Linux ----------------------------------------------------------------


def _grub(work: Path, files: Path) -> dict[str, Path]:
    return {EFI_FALLBACK: media.grub_efi(work, media.GRUB_EFI_EARLY.replace("@TABLE@", "gpt"))}


def _systemd_boot(work: Path, files: Path) -> dict[str, Path]:
    return {EFI_FALLBACK: media.unpacked("systemd-boot-efi") / SYSTEMD_BOOT,
            "loader/loader.conf": _text(work, "loader.conf", LOADER_CONF),
            "loader/entries/linux.conf": _text(work, "linux.conf", LINUX_CONF),
            "vmlinuz": files / "boot/vmlinuz", "initrd": files / "boot/initrd"}


LARGE_MIB = 24


def large_data() -> bytes:
    """Data in which every dword differs."""
    return array.array("I", range(LARGE_MIB << 18)).tobytes()


def large_line() -> str:
    """What the guest prints of such a file in its initramfs."""
    return f"large: {hashlib.md5(large_data()).hexdigest()}"


def _systemd_boot_large(work: Path, files: Path) -> dict[str, Path]:
    """The initramfs has one more archive, with a large file."""
    (work / "large").write_bytes(large_data())
    archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=work, input=b"large\n",
                             capture_output=True, check=True)
    small = (files / "boot/initrd").read_bytes()
    initrd = work / "initrd"
    initrd.write_bytes(small.ljust(-(-len(small) // SECTOR) * SECTOR, b"\0") + archive.stdout)
    return {**_systemd_boot(work, files), "initrd": initrd}


def _signed(work: Path, files: Path) -> dict[str, Path]:
    """Microsoft's signature on shim, Debian's on GRUB and the kernel. This GRUB reads its
    configuration from EFI/debian."""
    early = media.GRUB_EFI_EARLY.replace("@TABLE@", "gpt")
    return {EFI_FALLBACK: media.unpacked("shim-signed") / SHIM,
            "EFI/BOOT/grubx64.efi": media.unpacked("grub-efi-amd64-signed") / SIGNED_GRUB,
            "EFI/debian/grub.cfg": _text(work, "grub-signed.cfg", early)}


LOADERS = {"grub": _grub, "systemd-boot": _systemd_boot, "systemd-boot-large": _systemd_boot_large,
           "signed": _signed}


@one_at_a_time
def linux_disk(loader: str) -> Path:
    """A GPT disk with Linux's file system and an EFI system partition, which has `loader`."""
    out = MEDIA / f"efi-{loader}.img"
    if media.is_made(out, Path(__file__)):
        return out
    work = media.fresh(MEDIA / f"{out.name}.work")
    files = media.boot_files(work, "poweroff")
    image, esp = work / "disk", START + LINUX_SECTORS
    _empty(image, esp + ESP_SECTORS + END_SECTORS)
    media.run("sfdisk", "--quiet", image, text_in=(
        f"label: gpt\nstart={START}, size={LINUX_SECTORS}, type={LINUX_GUID}\n"
        f"start={esp}, size={ESP_SECTORS}, type={ESP_GUID}\n"))
    media.make_ext4(image, files, START, LINUX_SECTORS)
    media.make_fat(image, esp, ESP_SECTORS, LOADERS[loader](work, files))
    image.replace(out)
    shutil.rmtree(work)
    return out


@one_at_a_time
def grub_cd() -> Path:
    """A CD made by grub-mkrescue for BIOS and UEFI, with Linux on it."""
    out = MEDIA / "cd-grub-efi.iso"
    if media.is_made(out, Path(__file__), Path(bootcds.__file__)):
        return out
    tree = media.fresh(MEDIA / f"{out.name}.work")
    bootcds.linux_tree(tree)
    (tree / "boot/grub/grub.cfg").write_text(bootcds.GRUB_CFG.replace("@ARGUMENTS@", bootcds.ARGUMENTS))
    media.run("grub-mkrescue", "-o", out.with_suffix(".new"), tree)
    out.with_suffix(".new").replace(out)
    shutil.rmtree(tree)
    return out


# ---- Disks without Linux -----------------------------------------------------------

SAYS = "this program is"
NAME_SOURCE = media.TOP / "tests/efi/name.c"


def naming_program(work: Path, name: str) -> Path:
    """A UEFI program that prints `name` and returns an error to the firmware (name.c)."""
    program = work / f"{name}.efi"
    text = f'-DNAME=L"{SAYS} {name}.\\r\\n"'
    media.run("gcc", *application.CFLAGS, text, "-c", "-o", program.with_suffix(".o"), NAME_SOURCE)
    media.run("ld", *application.LDFLAGS, "-o", program, program.with_suffix(".o"))
    return program


def fat_disk(image: Path, files: dict[str, Path], sectors: int = ESP_SECTORS, *options: str) -> Path:
    """A disk with an EFI system partition alone, in a table as that of a BIOS disk."""
    _empty(image, START + sectors)
    media.run("sfdisk", "--quiet", image, text_in=f"label: dos\nstart={START}, type=ef\n")
    media.make_fat(image, START, sectors, files, *options)
    return image


def named_disk(image: Path, name: str) -> Path:
    """A disk from whose fallback path a program prints `name`."""
    return fat_disk(image, {EFI_FALLBACK: naming_program(image.parent, name)}, NAMED_SECTORS, "-c", "1")


def fat_of(image: Path) -> str:
    """The partition of such a disk, for mtools."""
    return f"{image}@@{START * SECTOR}"

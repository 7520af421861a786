# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Disks for real loaders, made from Debian packages like those of tools/media.py:
file systems far into a disk, syslinux, and a FAT partition that is read by
cylinder, head and sector.
"""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import media
from media import SECTOR, one_at_a_time

from tests.qemu.agent import assemble

SYSLINUX_MBR = Path("/usr/lib/syslinux/mbr")
SIGNATURE_OFFSET = 440
PARTITION_SECTORS = 64 * 2048
BIOS_BOOT_SECTORS = 2048
LINUX_GUID = "0FC63DAF-8483-4772-8E79-3D69D8477DE4"
BASIC_GUID = "EBD0A0A2-B9E5-4433-87C0-68B6B72699C7"
BIOS_BOOT_GUID = "21686148-6449-6E6F-744E-656564454649"

SYSLINUX_CFG = """SERIAL 0 115200
DEFAULT linux
SAY syslinux: loading Linux
LABEL linux
 LINUX vmlinuz
 INITRD initrd
 APPEND console=ttyS0 quiet edd=on panic=1 poweroff
"""


def _empty(image: Path, sectors: int) -> None:
    with image.open("wb") as disk:
        disk.truncate(sectors * SECTOR)


def _put(image: Path, sector: int, data: bytes, offset: int = 0) -> None:
    with image.open("r+b") as disk:
        disk.seek(sector * SECTOR + offset)
        disk.write(data)


def _partition(image: Path, label: str, start: int, mbr_type: str, gpt_type: str,
               attributes: str = "") -> None:
    """Create a partition for the files and, on a GPT disk, one after it for
    GRUB's core image. Linux's edd module identifies a disk by its signature."""
    if label == "dos":
        rows = [f"start={start}, size={PARTITION_SECTORS}, type={mbr_type}, bootable"]
    else:
        rows = [f"start={start}, size={PARTITION_SECTORS}, type={gpt_type}{attributes}",
                f"start={start + PARTITION_SECTORS}, size={BIOS_BOOT_SECTORS}, type={BIOS_BOOT_GUID}"]
    media.run("sfdisk", "--quiet", image, text_in="\n".join([f"label: {label}", *rows, ""]))
    _put(image, 0, struct.pack("<I", media.DISK_SIGNATURE), SIGNATURE_OFFSET)


def _store(image: Path, out: Path) -> Path:
    """Convert to qcow2, which stays small when copied, and remove the work folder."""
    made = image.with_suffix(".qcow2")
    media.run("qemu-img", "convert", "-f", "raw", "-O", "qcow2", image, made)
    made.replace(out)
    shutil.rmtree(image.parent)
    return out


@one_at_a_time
def grub_disk(label: str, start: int, sectors: int) -> Path:
    """A disk with GRUB's core image, its configuration and Linux from sector `start` on."""
    out = media.MEDIA / f"grub-{label}-{start}.qcow2"
    if media.is_made(out, Path(__file__)):
        return out
    work = media.fresh(media.MEDIA / f"{out.name}.work")
    files = media.boot_files(work, "poweroff")
    image = work / "disk"
    _empty(image, sectors)
    _partition(image, label, start, "83", LINUX_GUID)
    media.make_ext4(image, files, start, PARTITION_SECTORS)
    media.write_grub(image, work, "hd0,msdos1" if label == "dos" else "hd0,gpt1",
                     start + PARTITION_SECTORS)
    return _store(image, out)


def _fat_partition(work: Path, start: int) -> Path:
    """A FAT file system with syslinux and Linux, for a partition at `start`."""
    files = media.boot_files(work)
    fat = work / "fat"
    _empty(fat, PARTITION_SECTORS)
    media.run("mkfs.fat", "-F", "16", "-g", "255/63", "-h", str(start & 0xFFFFFFFF), fat)
    (work / "syslinux.cfg").write_text(SYSLINUX_CFG)
    media.run("mcopy", "-i", fat, files / "boot/vmlinuz", files / "boot/initrd",
              work / "syslinux.cfg", "::/")
    media.run("syslinux", "--install", fat)
    return fat


@one_at_a_time
def syslinux_disk(label: str, start: int, sectors: int) -> Path:
    """A disk with syslinux's MBR code; everything else is at `start` or above."""
    out = media.MEDIA / f"syslinux-{label}-{start}.qcow2"
    if media.is_made(out, Path(__file__)):
        return out
    work = media.fresh(media.MEDIA / f"{out.name}.work")
    image = work / "disk"
    _empty(image, sectors)
    _partition(image, label, start, "0e", BASIC_GUID, ", attrs=LegacyBIOSBootable")
    code = SYSLINUX_MBR / ("mbr.bin" if label == "dos" else "gptmbr.bin")
    _put(image, 0, code.read_bytes()[:SIGNATURE_OFFSET])
    _put(image, start, _fat_partition(work, start).read_bytes())
    return _store(image, out)


# ---- Access by cylinder, head and sector ------------------------------------------

CHS_DISK_SECTORS = 200 * 2048
CHS_CYLINDERS, CHS_HEADS, CHS_TRACK = 25, 255, 63  # geometry of the partition
CHS_START = CHS_TRACK
FILLER_MIB = 150  # file before LINE.TXT
LINE_SECTORS = 1000
LINE = "chsboot: the last sector of LINE.TXT"
PARAMETER_BLOCK = slice(0x03, 0x3E)
TABLE_OFFSET = 446


def chs_bytes(lba: int) -> bytes:
    """A packed CHS address for 255 heads and 63 sectors."""
    cylinder, rest = divmod(lba, CHS_HEADS * CHS_TRACK)
    head, sector = divmod(rest, CHS_TRACK)
    return bytes([head, cylinder >> 2 & 0xC0 | sector + 1, cylinder & 0xFF])


def _line_file() -> bytes:
    """Each sector begins with its number; the last one contains LINE."""
    sectors = [struct.pack("<H", i).ljust(SECTOR, b"\0") for i in range(LINE_SECTORS - 1)]
    last = struct.pack("<H", LINE_SECTORS - 1) + f"{LINE}, and its end\r\n".encode()
    return b"".join(sectors) + last.ljust(SECTOR, b"\0")


def _dos_partition(work: Path, sectors: int) -> Path:
    fat = work / "fat"
    _empty(fat, sectors)
    media.run("mkfs.fat", "-F", "16", "-g", f"{CHS_HEADS}/{CHS_TRACK}", "-h", str(CHS_START), fat)
    _empty(work / "FILLER.BIN", FILLER_MIB * 2048)
    (work / "LINE.TXT").write_bytes(_line_file())
    media.run("mcopy", "-i", fat, work / "FILLER.BIN", work / "LINE.TXT", "::/")
    code = bytearray(assemble("chsboot"))
    code[PARAMETER_BLOCK] = fat.read_bytes()[PARAMETER_BLOCK]
    _put(fat, 0, code)
    return fat


@one_at_a_time
def dos_disk(directory: Path) -> Path:
    """A FAT16 partition made with 255/63 on a disk of 200 MiB, for which rules by
    size give 64/32. Both boot sectors read by CHS."""
    end = CHS_CYLINDERS * CHS_HEADS * CHS_TRACK
    entry = (b"\x80" + chs_bytes(CHS_START) + b"\x06" + chs_bytes(end - 1)
             + struct.pack("<II", CHS_START, end - CHS_START))
    image = directory / "dos.img"
    _empty(image, CHS_DISK_SECTORS)
    _put(image, CHS_START, _dos_partition(directory, end - CHS_START).read_bytes())
    _put(image, 0, assemble("chsmbr").ljust(TABLE_OFFSET, b"\0") + entry.ljust(64, b"\0")
         + b"\x55\xaa")
    return image

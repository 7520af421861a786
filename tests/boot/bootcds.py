# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Bootable CDs: CDs as users have them, made from Debian packages in build/media,
and small ones with a boot catalog that the test defines.
"""

from __future__ import annotations

import shutil
import struct
from dataclasses import dataclass
from pathlib import Path

import media
from media import MEDIA, SECTOR, one_at_a_time

from tests.boot import bootdisks
from tests.qemu.agent import AGENT_BLOCKS, assemble, build_agent

BLOCK = 2048
GRUB_RESCUE = Path("/usr/lib/grub-rescue/grub-rescue-cdrom.iso")
IPXE = Path("/usr/lib/ipxe/ipxe.iso")
MEMTEST = Path("/usr/lib/memtest86+/memtest86+x64.iso")
ISOLINUX = Path("/usr/lib/ISOLINUX/isolinux.bin")
SYSLINUX_MODULES = Path("/usr/lib/syslinux/modules/bios")

FILE_LINE = "this line is on the CD"
DISPLAYED = "isolinux: a file of the CD"
SYSLINUX_SAYS = "syslinux: started from an emulated drive"
GUEST_DONE = "reboot: Power down"

# ---- Emulated drives ----------------------------------------------------------

NO_EMULATION, FLOPPY_1200, FLOPPY_1440, FLOPPY_2880, HARD_DISK = range(5)
FLOPPIES = {FLOPPY_1200: (80, 2, 15), FLOPPY_1440: (80, 2, 18), FLOPPY_2880: (80, 2, 36)}
DISK = (20, 4, 17)  # a geometry that cannot be derived from the size
TABLE_OFFSET = 446


def sectors_of(geometry: tuple[int, int, int]) -> int:
    cylinders, heads, track = geometry
    return cylinders * heads * track


def geometry_of(medium: int) -> tuple[int, int, int]:
    return DISK if medium == HARD_DISK else FLOPPIES[medium]


def pattern(sectors: int, seed: int) -> bytes:
    """Data in which every dword is different."""
    return b"".join(struct.pack("<I", seed << 24 | i) for i in range(sectors * SECTOR // 4))


def partition_table(geometry: tuple[int, int, int]) -> bytes:
    """One entry from the second track to the end of the disk."""
    cylinders, heads, track = geometry
    end = bytes([heads - 1, (cylinders - 1) >> 2 & 0xC0 | track, (cylinders - 1) & 0xFF])
    entry = b"\x80\x01\x01\x00\x06" + end + struct.pack("<II", track, sectors_of(geometry) - track)
    return entry.ljust(64, b"\0") + b"\x55\xaa"


def drive_image(medium: int, boot_code: bytes, seed: int = 1) -> bytes:
    """Image of an emulated drive: boot code, partition table and a pattern."""
    geometry = geometry_of(medium)
    table = partition_table(geometry) if medium == HARD_DISK else b""
    image = bytearray(pattern(sectors_of(geometry), seed))
    image[:len(boot_code)] = boot_code
    image[SECTOR - len(table):SECTOR] = table
    return bytes(image)


def agent_code() -> bytes:
    """The agent with its CD boot sector."""
    return assemble("cdagent", f"-DAGENT_BLOCKS={AGENT_BLOCKS}") + build_agent().read_bytes()


def _sum(data: bytes) -> int:
    total = 0
    for (dword,) in struct.iter_unpack("<I", data):
        total = ((total << 1 | total >> 31) + dword) & 0xFFFFFFFF
    return total


def checked(image: bytes, geometry: tuple[int, int, int], drive: int, drives: int, bx: int) -> str:
    """Output of cdcheck if every sector is correct; `bx` and `drives` are the
    values that AH=08h must return."""
    cylinders, heads, track = geometry
    tracks = [image[i:i + track * SECTOR] for i in range(0, len(image), track * SECTOR)]
    ends = b"".join(sectors[:SECTOR] + sectors[-SECTOR:] for sectors in tracks)
    cx = (cylinders - 1 & 0xFF) << 8 | cylinders - 1 >> 2 & 0xC0 | track
    return (f"cdcheck: {drive:02X} {bx:04X} {cx:04X} {heads - 1:02X}{drives:02X} "
            f"{_sum(image):08X} {_sum(ends):08X} .")


READ_SECTORS = 200      # by dosread


def dos_code() -> bytes:
    return assemble("dosread", f"-DSECTORS={READ_SECTORS}")


def read_as_dos(image: bytes, drive: int) -> str:
    """Output of dosread: a hard disk has packets, a floppy has no extensions."""
    total = _sum(image[:READ_SECTORS * SECTOR])
    if drive < 0x80:
        return f"dosread: {drive:02X} 0100 0000 {total:08X} ."
    return f"dosread: {drive:02X} 3000 000F {total:08X} {total:08X} ."


# ---- Any boot catalog -----------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """An entry of a boot catalog and the image that it points to."""
    image: bytes
    medium: int = NO_EMULATION
    segment: int = 0
    count: int = 4        # of 512 bytes
    name: str = ""        # in the section's header
    platform: int = 0
    bootable: bool = True


CATALOG_LBA = 19
FIRST_IMAGE_LBA = 20


def _descriptor(kind: int, body: bytes = b"") -> bytes:
    return (bytes([kind]) + b"CD001\1" + body).ljust(BLOCK, b"\0")


def _validation() -> bytes:
    entry = bytearray(struct.pack("<BBH24sHBB", 1, 0, 0, b"lsi8xx-rom tests", 0, 0x55, 0xAA))
    struct.pack_into("<H", entry, 28, -sum(struct.unpack("<16H", entry)) & 0xFFFF)
    return bytes(entry)


def catalog(entries: list[tuple[Entry, int]]) -> bytes:
    """A boot catalog; each entry after the default one has its own section."""
    out = _validation()
    for number, (entry, lba) in enumerate(entries):
        if number:
            kind = 0x91 if number == len(entries) - 1 else 0x90
            out += struct.pack("<BBH28s", kind, entry.platform, 1, entry.name.encode())
        out += struct.pack("<BBHBBHI20x", 0x88 if entry.bootable else 0, entry.medium,
                           entry.segment, 0, 0, entry.count, lba)
    return out.ljust(BLOCK, b"\0")


@dataclass(frozen=True)
class Disc:
    """A disc image on the host, and the LBAs of its boot images."""
    file: Path
    content: bytes
    lbas: tuple[int, ...]

    @property
    def blocks(self) -> int:
        return len(self.content) // BLOCK

    def blocks_from(self, lba: int, count: int) -> bytes:
        return self.content[lba * BLOCK:(lba + count) * BLOCK]


def whole_disc(file: Path, boot_code: bytes) -> Disc:
    """A disc that is itself the image of a hard disk, from LBA 0 on."""
    made = disc(file, Entry(b"", HARD_DISK, count=1), blocks=sectors_of(DISK) // 4)
    content = bytearray(made.content)
    content[:SECTOR] = drive_image(HARD_DISK, boot_code)[:SECTOR]
    at = CATALOG_LBA * BLOCK + 32 + 8
    content[at:at + 4] = bytes(4)
    file.write_bytes(content)
    return Disc(file, bytes(content), (0,))


def disc(file: Path, *entries: Entry, more: tuple[bytes, ...] = (), boot_record: bool = True,
         blocks: int = 0) -> Disc:
    """A disc with these boot entries, and `more` images that are not in the catalog."""
    images = [entry.image for entry in entries] + list(more)
    lbas = []
    data = b""
    for image in images:
        lbas.append(FIRST_IMAGE_LBA + len(data) // BLOCK)
        data += image.ljust(-(-len(image) // BLOCK) * BLOCK, b"\0")
    record = _descriptor(0, b"EL TORITO SPECIFICATION".ljust(0x40, b"\0")
                         + struct.pack("<I", CATALOG_LBA))
    content = b"".join([
        bytes(16 * BLOCK), _descriptor(1), record if boot_record else _descriptor(2),
        _descriptor(255), catalog(list(zip(entries, lbas))) if entries else bytes(BLOCK), data])
    content += pattern((blocks * BLOCK - len(content)) // SECTOR, 0xCD)
    file.write_bytes(content)
    return Disc(file, content, tuple(lbas))


# ---- Real CDs ------------------------------------------------------------------------


def _iso(out: Path, tree: Path, *options: str | Path) -> None:
    media.run("xorriso", "-as", "mkisofs", "-quiet", "-V", "LSI8XX", "-c", "boot.cat", *options,
              "-o", out, tree)


@one_at_a_time
def emulation_cd(medium: int, boot_code: str = "cdcheck") -> Path:
    """A CD with an emulated drive whose boot sector is a program from tests/qemu/guest."""
    out = MEDIA / f"cd-{boot_code}-{medium}.iso"
    if media.is_made(out, Path(__file__), media.TOP / f"tests/qemu/guest/{boot_code}.S"):
        return out
    tree = media.fresh(MEDIA / f"{out.name}.work")
    (tree / "drive.img").write_bytes(drive_image(medium, assemble(boot_code)))
    return _emulation_iso(out, tree, medium)


def _emulation_iso(out: Path, tree: Path, medium: int) -> Path:
    _iso(out.with_suffix(".new"), tree, "-b", "drive.img",
         *(["-hard-disk-boot"] if medium == HARD_DISK else []))
    out.with_suffix(".new").replace(out)
    shutil.rmtree(tree)
    return out


SYSLINUX_CFG = f"""SERIAL 0 115200
PROMPT 1
SAY {SYSLINUX_SAYS}
LABEL none
 LINUX none
"""


def _syslinux_fat(work: Path, sectors: int, *options: str) -> bytes:
    fat = work / "fat"
    fat.write_bytes(bytes(sectors * SECTOR))
    media.run("mkfs.fat", *options, fat)
    (work / "syslinux.cfg").write_text(SYSLINUX_CFG)
    media.run("mcopy", "-i", fat, work / "syslinux.cfg", "::/")
    media.run("syslinux", "--install", fat)
    return fat.read_bytes()


HARD_DISK_GEOMETRY = (40, 16, 32)  # room for a FAT16 file system


@one_at_a_time
def syslinux_cd(medium: int) -> Path:
    """Syslinux on an emulated drive: on a floppy or in a partition of a disk."""
    out = MEDIA / f"cd-syslinux-{medium}.iso"
    if media.is_made(out, Path(__file__)):
        return out
    work = media.fresh(MEDIA / f"{out.name}.files")
    tree = media.fresh(MEDIA / f"{out.name}.work")
    if medium == HARD_DISK:
        track = HARD_DISK_GEOMETRY[2]
        code = (bootdisks.SYSLINUX_MBR / "mbr.bin").read_bytes()[:bootdisks.SIGNATURE_OFFSET]
        image = (code.ljust(TABLE_OFFSET, b"\0") + partition_table(HARD_DISK_GEOMETRY)).ljust(
            track * SECTOR, b"\0")
        image += _syslinux_fat(work, sectors_of(HARD_DISK_GEOMETRY) - track, "-F", "16",
                               "-g", "16/32", "-h", str(track))
    else:
        image = _syslinux_fat(work, sectors_of(FLOPPIES[medium]), "-F", "12")
    (tree / "drive.img").write_bytes(image)
    shutil.rmtree(work)
    return _emulation_iso(out, tree, medium)


GRUB_SAYS = "GRUB: started from an emulated drive"
GRUB_DISK_CFG = f"""serial --unit=0 --speed=115200
terminal_output serial
echo "{GRUB_SAYS}: $root"
sleep 60
"""
FILE_SYSTEM_SECTORS = 12288


@one_at_a_time
def grub_disk_cd() -> Path:
    """GRUB on an emulated hard disk. Its core image follows the file system."""
    out = MEDIA / "cd-grub-disk.iso"
    if media.is_made(out, Path(__file__)):
        return out
    work = media.fresh(MEDIA / f"{out.name}.files")
    tree = media.fresh(MEDIA / f"{out.name}.work")
    (work / "files/boot/grub").mkdir(parents=True)
    (work / "files/boot/grub/grub.cfg").write_text(GRUB_DISK_CFG)
    image, start = tree / "drive.img", HARD_DISK_GEOMETRY[2]
    image.write_bytes((bytes(TABLE_OFFSET) + partition_table(HARD_DISK_GEOMETRY)).ljust(
        sectors_of(HARD_DISK_GEOMETRY) * SECTOR, b"\0"))
    media.make_ext4(image, work / "files", start, FILE_SYSTEM_SECTORS)
    media.write_grub(image, work, "hd0,msdos1", start + FILE_SYSTEM_SECTORS)
    shutil.rmtree(work)
    return _emulation_iso(out, tree, HARD_DISK)


# ---- Linux from a CD -------------------------------------------------------------------

INIT = """#!/bin/busybox sh
# Made by tests/boot/bootcds.py: the first process of a guest booted from a CD.
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
echo 4 > /proc/sys/kernel/printk
for module in $(cat /modules/order); do insmod /modules/$module 2>/dev/null; done
for try in $(seq 300); do [ -b /dev/sr0 ] && break; sleep 0.1; done
mount -t iso9660 -o ro /dev/sr0 /mnt
driver=$(basename $(readlink -f $(readlink -f /sys/block/sr0/device)/../../../driver))
echo
echo "@MOUNTED@ /dev/sr0 ($driver): $(cat /mnt/who)"
echo "kernel: $(sha1sum < /mnt/boot/vmlinuz)"
poweroff -f
"""

ISOLINUX_CFG = """SERIAL 0 115200
PROMPT 1
DISPLAY message.txt
LABEL linux
 LINUX /boot/vmlinuz
 INITRD /boot/initrd
 APPEND @ARGUMENTS@
"""
GRUB_CFG = """serial --unit=0 --speed=115200
terminal_output serial
echo "GRUB: loading Linux from $root"
linux /boot/vmlinuz @ARGUMENTS@
initrd /boot/initrd
boot
"""
ARGUMENTS = "console=ttyS0 quiet panic=1"


def linux_tree(tree: Path) -> None:
    """Kernel, initramfs and a file by which the CD is recognised."""
    (tree / "boot/grub").mkdir(parents=True)
    shutil.copy(next((media.kernel() / "boot").glob("vmlinuz-*")), tree / "boot/vmlinuz")
    shutil.copy(media.initramfs((), "initrd-cd", INIT, ["sym53c8xx", "sr_mod", "isofs"],
                                Path(__file__)), tree / "boot/initrd")
    (tree / "who").write_text(f"{FILE_LINE}\n")


@one_at_a_time
def isolinux_cd() -> Path:
    """A CD with isolinux, which shows a file and a prompt, and with Linux."""
    out = MEDIA / "cd-isolinux.iso"
    if media.is_made(out, Path(__file__)):
        return out
    tree = media.fresh(MEDIA / f"{out.name}.work")
    linux_tree(tree)
    (tree / "isolinux").mkdir()
    for file in (ISOLINUX, SYSLINUX_MODULES / "ldlinux.c32"):
        shutil.copy(file, tree / "isolinux")
    (tree / "isolinux/isolinux.cfg").write_text(ISOLINUX_CFG.replace("@ARGUMENTS@", ARGUMENTS))
    (tree / "isolinux/message.txt").write_text(f"{DISPLAYED}\n")
    _iso(out.with_suffix(".new"), tree, "-b", "isolinux/isolinux.bin", "-no-emul-boot",
         "-boot-load-size", "4", "-boot-info-table")
    out.with_suffix(".new").replace(out)
    shutil.rmtree(tree)
    return out


@one_at_a_time
def grub_cd() -> Path:
    """A CD made by grub-mkrescue, with Linux on it."""
    out = MEDIA / "cd-grub.iso"
    if media.is_made(out, Path(__file__)):
        return out
    tree = media.fresh(MEDIA / f"{out.name}.work")
    linux_tree(tree)
    (tree / "boot/grub/grub.cfg").write_text(GRUB_CFG.replace("@ARGUMENTS@", ARGUMENTS))
    media.run("grub-mkrescue", "-d", media.GRUB_DIR, "-o", out.with_suffix(".new"), tree)
    out.with_suffix(".new").replace(out)
    shutil.rmtree(tree)
    return out

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make run`: boot a SCSI disk or CD through the ROM in this terminal, with SeaBIOS or OVMF."""

from __future__ import annotations

import argparse
import shlex
import stat
import struct
import subprocess
import sys
from pathlib import Path

import media
import qemu

ROM = media.TOP / "build" / "lsi53c895a.rom"
BIOS = "seabios/bios-microvm.bin"
FORMATS = ("raw", "qcow2")
MEMORY_MIB = 512

# Formats that a raw disk cannot be mistaken for: offset and bytes of their signature
SIGNATURES = {
    "qcow2": (0, b"QFI\xfb"), "qed": (0, b"QED\0"), "vmdk": (0, b"KDMV"),
    "vmdk (version 3)": (0, b"COWD"), "vmdk (description)": (0, b"# Disk DescriptorFile"),
    "vhdx": (0, b"vhdxfile"), "vpc": (0, b"conectix"), "vdi": (0x40, b"\x7f\x10\xda\xbe"),
    "parallels": (0, b"WithoutFreeSpace"), "parallels (extended)": (0, b"WithouFreSpacExt"),
}
LINE_WRAP_ON = "\033[?7h"
HEAD_BYTES = 4096       # of an image, read for its signature and its header
# qcow2: magic, version, offset and length of a backing file's name, incompatible features
# [QEMU docs/interop/qcow2 "Header"]
QCOW2_HEADER = struct.Struct(">4sIQI52xQ")
QCOW2_DATA_FILE = 1 << 2    # a feature of version 3


class RunError(Exception):
    """The user's image cannot be used; the text gives the reason."""


def head_of(image: Path) -> bytes:
    """The first bytes of a file or a block device."""
    mode = image.stat().st_mode
    if not stat.S_ISREG(mode) and not stat.S_ISBLK(mode):
        raise RunError(f"{image}: not a regular file or a block device")
    with image.open("rb") as file:
        return file.read(HEAD_BYTES)


def check_raw(image: Path, cure: str) -> None:
    """Refuse an image with the signature of another format; `cure` is the advice for qcow2.
    QEMU gets format=raw in any case, so that it never follows such a header."""
    head = head_of(image)
    for name, (at, signature) in SIGNATURES.items():
        if head[at:at + len(signature)] == signature:
            if name not in FORMATS:
                cure = "convert it with qemu-img convert -O raw"
            raise RunError(f"{image}: looks like {name}, not raw; {cure}")


def check_qcow2(image: Path, backing: bool) -> None:
    """Refuse an image without qcow2's header and, unless `backing`, one that names another
    file: QEMU would open any file of the host. qemu-img is not asked, as it may open it, too."""
    head = head_of(image)
    magic, version, at, length, features = QCOW2_HEADER.unpack_from(head.ljust(HEAD_BYTES, b"\0"))
    if magic != SIGNATURES["qcow2"][1] or version not in (2, 3):
        raise RunError(f"{image}: not a qcow2 image of version 2 or 3")
    named = None
    if at:
        named = f"the backing file {head[at:at + length].decode('utf-8', 'replace')!r}"
    elif version == 3 and features & QCOW2_DATA_FILE:
        named = "a file with its data"
    if named and not backing:
        raise RunError(f"{image}: names {named}; if that may be opened, use BACKING=1 (--backing)")


def check_disk(image: Path, named_format: str | None, backing: bool) -> str:
    """The format of a disk image: the one that the user has named, else raw."""
    if named_format == "qcow2":
        check_qcow2(image, backing)
    elif not named_format:
        check_raw(image, "use FORMAT=qcow2 (--format qcow2)")
    else:
        head_of(image)
    return named_format or "raw"


def escaped(path: Path) -> str:
    """Commas are doubled in QEMU's option syntax."""
    return str(path.resolve()).replace(",", ",,")


def command(disk: Path | None, cdrom: Path | None, write: bool, named_format: str | None = None,
            backing: bool = False, uefi: bool = False) -> list[str]:
    """The QEMU command line of the `microvm` path, or with `uefi` of `ovmf` (see README). QEMU
    detects no format."""
    snapshot = "off" if write else "on"
    out = [
        *qemu.command(), "-machine", "pc", "-m", str(MEMORY_MIB),
        *(qemu.uefi() if uefi else ["-bios", str(qemu.share(BIOS))]),
        "-nographic", "-nodefaults", "-serial", "mon:stdio",
        "-device", f"lsi53c895a,id=scsi,romfile={escaped(ROM)}",
    ]
    if disk:
        disk_format = check_disk(disk, named_format, backing)
        out += ["-drive", f"if=none,id=disk,file={escaped(disk)},format={disk_format},"
                          f"snapshot={snapshot}",
                "-device", "scsi-hd,bus=scsi.0,scsi-id=0,drive=disk"]
    if cdrom:
        check_raw(cdrom, "a CD has to be raw")
        out += ["-drive", f"if=none,id=cd,media=cdrom,file={escaped(cdrom)},format=raw",
                "-device", "scsi-cd,bus=scsi.0,scsi-id=6,drive=cd"]
    return out


def boot(line: list[str]) -> int:
    """Run QEMU in this terminal; returns its exit status. SeaBIOS turns line wrap off on a serial
    console, and nothing turns it on again."""
    try:
        return subprocess.call(line)
    except FileNotFoundError:
        raise RunError(f"{line[0]} is missing; on Debian it is in the package qemu-system-x86") from None
    finally:
        if sys.stdout.isatty():
            print(LINE_WRAP_ON, end="", flush=True)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    parser.add_argument("--disk", type=Path, help="disk image to boot instead of the demonstration disk")
    parser.add_argument("--cdrom", type=Path,
                        help="ISO image for a CD drive at ID 6; boots if there is no bootable disk")
    parser.add_argument("--write", action="store_true", help="let the guest change the image")
    parser.add_argument("--format", choices=FORMATS,
                        help="format of --disk; without it, raw, and an image of another format is refused")
    parser.add_argument("--backing", action="store_true",
                        help="open the files of the host that a qcow2 image names")
    parser.add_argument("--uefi", action="store_true", help="boot with UEFI (OVMF) instead of SeaBIOS")
    args = parser.parse_args(argv)
    if args.format and not args.disk or args.backing and args.format != "qcow2":
        parser.error("--format is for --disk, and --backing for --format qcow2")
    try:
        if not args.disk and not args.cdrom:
            print("Making a disk with GRUB and Linux (the first run downloads "
                  "Debian's kernel) ...", flush=True)
        disk = args.disk or (None if args.cdrom else media.linux_disk())
        line = command(disk, args.cdrom, args.write, args.format, args.backing, args.uefi)
        what = (f"{disk} from SCSI ID 0 through {ROM.name}; writes of the guest are "
                f"{'kept' if args.write else 'discarded'}" if disk else
                f"{args.cdrom} from SCSI ID 6 through {ROM.name}")
        print(f"Booting {what}.\n  {shlex.join(line)}\nExit with Ctrl-A X.\n", flush=True)
        return boot(line)
    except (RunError, media.MediaError, qemu.QemuError, OSError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())

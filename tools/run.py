#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make run`: boot a SCSI disk or CD through the ROM in this terminal."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import media
import qemu

ROM = media.TOP / "build" / "lsi53c895a.rom"
BIOS = "seabios/bios-microvm.bin"
FORMATS = ("raw", "qcow2")
MEMORY_MIB = 512


class RunError(Exception):
    """The user's image cannot be used; the text gives the reason."""


def image_format(image: Path) -> str:
    """raw or qcow2, as detected by qemu-img."""
    result = subprocess.run(["qemu-img", "info", "--output=json", str(image.resolve())],
                            capture_output=True, text=True)
    if result.returncode:
        raise RunError(result.stderr.strip())
    found = json.loads(result.stdout)["format"]
    if found not in FORMATS:
        raise RunError(f"{image}: format {found} is not supported; use {' or '.join(FORMATS)}")
    return found


def escaped(path: Path) -> str:
    """Commas are doubled in QEMU's option syntax."""
    return str(path.resolve()).replace(",", ",,")


def command(disk: Path | None, cdrom: Path | None, write: bool) -> list[str]:
    """The QEMU command line of the `microvm` path (see README)."""
    snapshot = "off" if write else "on"
    out = [
        *qemu.command(), "-machine", "pc", "-m", str(MEMORY_MIB), "-bios", str(qemu.share(BIOS)),
        "-nographic", "-nodefaults", "-serial", "mon:stdio",
        "-device", f"lsi53c895a,id=scsi,romfile={escaped(ROM)}",
    ]
    if disk:
        out += ["-drive", f"if=none,id=disk,file={escaped(disk)},format={image_format(disk)},"
                          f"snapshot={snapshot}",
                "-device", "scsi-hd,bus=scsi.0,scsi-id=0,drive=disk"]
    if cdrom:
        image_format(cdrom)
        out += ["-drive", f"if=none,id=cd,media=cdrom,file={escaped(cdrom)}",
                "-device", "scsi-cd,bus=scsi.0,scsi-id=6,drive=cd"]
    return out


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__)
    parser.add_argument("--disk", type=Path, help="disk image to boot instead of the demonstration disk")
    parser.add_argument("--cdrom", type=Path,
                        help="ISO image for a CD drive at ID 6; boots if there is no bootable disk")
    parser.add_argument("--write", action="store_true", help="let the guest change the image")
    args = parser.parse_args(argv)
    try:
        if not args.disk and not args.cdrom:
            print("Making a disk with GRUB and Linux (the first run downloads "
                  "Debian's kernel) ...", flush=True)
        disk = args.disk or (None if args.cdrom else media.linux_disk())
        line = command(disk, args.cdrom, args.write)
    except (RunError, media.MediaError, qemu.QemuError, OSError) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return 1
    what = (f"{disk} from SCSI ID 0 through {ROM.name}; writes of the guest are "
            f"{'kept' if args.write else 'discarded'}" if disk else
            f"{args.cdrom} from SCSI ID 6 through {ROM.name}")
    print(f"Booting {what}.\n  {shlex.join(line)}\n"
          "Exit with Ctrl-A X.\n", flush=True)
    os.execvp(line[0], line)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Selects the QEMU that the tests and `make run` start: the one of this machine,
or that of a Debian tree named by the environment variable LSI8XX_QEMU.

As a command: qemu.py fetch unpacks QEMU, SeaBIOS, the Bochs BIOS and OVMF of Debian 13
into such a tree below build/ and prints its path. Root is not needed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent
TREES = TOP / "build" / "qemu"
SUITE = "trixie"
MIRROR = "http://deb.debian.org/debian"
PACKAGES = ["qemu-system-x86", "seabios", "ipxe-qemu", "bochsbios", "ovmf"]
PROGRAM = "qemu-system-x86_64"
NEWEST = "usr/share/OVMF/OVMF_CODE_4M.fd"   # of the package that was added last: an older tree lacks it
LIBRARIES = "usr/lib/x86_64-linux-gnu"
LOADER = "usr/lib64/ld-linux-x86-64.so.2"
FIRMWARE = ["usr/share/qemu", "usr/share/seabios", "usr/lib/ipxe/qemu"]


class QemuError(Exception):
    """QEMU is not available; the text gives the reason."""


def root() -> Path:
    """Root of the tree whose QEMU and firmware are used."""
    return Path(os.environ.get("LSI8XX_QEMU") or "/").absolute()


def share(path: str) -> Path:
    """A file or folder below that tree's usr/share."""
    return root() / "usr/share" / path


def command() -> list[str]:
    """The first words of QEMU's command line. A QEMU from another Debian runs
    with the loader and libraries of its own tree."""
    tree = root()
    if tree == Path("/"):
        return [PROGRAM]
    if not (tree / "usr/bin" / PROGRAM).exists():
        raise QemuError(f"LSI8XX_QEMU={tree}: usr/bin/{PROGRAM} is missing")
    firmware = [word for folder in FIRMWARE for word in ("-L", str(tree / folder))]
    return [str(tree / LOADER), "--library-path", str(tree / LIBRARIES),
            str(tree / "usr/bin" / PROGRAM), *firmware]


def uefi(code: str = "OVMF_CODE_4M.fd", variables: str = "OVMF_VARS_4M.fd") -> list[str]:
    """Arguments for OVMF as the firmware, which is two files in share("OVMF"). What it writes
    into its variables is discarded."""
    return [word for unit, name, access in ((0, code, "readonly"), (1, variables, "snapshot"))
            for word in ("-drive", f"if=pflash,unit={unit},format=raw,{access}=on,file={share('OVMF')}/{name}")]


def adapted(words: list[str]) -> list[str]:
    """Adapt a command line for this machine's QEMU to that of the tree."""
    return [word for given in words for word in (
        command() if given == PROGRAM else [given.replace("/usr/share/", f"{share('')}/")])]


def version() -> str:
    """As printed by QEMU: "10.0.13 (Debian 1:10.0.13+ds-0+deb13u1)"."""
    out = subprocess.run([*command(), "--version"], capture_output=True, text=True, check=True).stdout
    return re.search(r"version (.*)", out).group(1)


def _run(*words: str | Path) -> None:
    result = subprocess.run([str(w) for w in words], capture_output=True, text=True,
                            env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin:/sbin"))
    if result.returncode:
        raise QemuError(f"{words[0]}: {(result.stderr or result.stdout).strip()[-500:]}")


def fetch() -> Path:
    """The tree with Debian 13's QEMU and its dependencies. debootstrap resolves
    the dependencies and checks signatures. The packages are only unpacked, so
    neither root nor a chroot is needed."""
    tree = TREES / SUITE
    if (tree / "usr/bin" / PROGRAM).exists() and (tree / NEWEST).exists():
        return tree
    print(f"  QEMU  fetching {', '.join(PACKAGES)} of Debian {SUITE}", file=sys.stderr, flush=True)
    work = TREES / f"{SUITE}.work"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    _run("debootstrap", "--download-only", "--variant=minbase", f"--include={','.join(PACKAGES)}",
         SUITE, work / "packages", MIRROR)
    for package in sorted(work.glob("packages/var/cache/apt/archives/*.deb")):
        _run("dpkg-deb", "-x", package, work / "tree")
    shutil.rmtree(tree, ignore_errors=True)
    (work / "tree").rename(tree)
    shutil.rmtree(work)
    return tree


def main(argv: list[str]) -> int:
    if argv != ["fetch"]:
        print("usage: qemu.py fetch", file=sys.stderr)
        return 1
    try:
        print(fetch())
    except (QemuError, OSError) as error:
        print(f"qemu.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

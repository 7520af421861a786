#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Install the Debian packages that a make target needs, if any is missing.

As root or through sudo; otherwise the exact command is printed and the exit
status is 1.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

BUILD = ["gcc", "binutils"]
RUN = [
    "qemu-system-x86", "qemu-utils", "seabios", "grub-common", "grub-pc-bin",
    "busybox-static", "kmod", "cpio", "fdisk", "e2fsprogs",
]
TEST = ["python3-pytest", "sg3-utils", "dpkg-dev", "acpica-tools", "make"]
SETS = {"build": BUILD, "run": BUILD + RUN, "test": BUILD + RUN + TEST}


def installed(package: str) -> bool:
    status = subprocess.run(
        ["dpkg-query", "-W", "-f", "${db:Status-Status}", package],
        capture_output=True, text=True)
    return status.returncode == 0 and status.stdout == "installed"


def install(packages: list[str]) -> int:
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if os.geteuid() != 0:
        if not shutil.which("sudo"):
            print("These packages are missing. As root, run:\n  apt-get update && "
                  + " ".join(command), file=sys.stderr)
            return 1
        command.insert(0, "sudo")
    print(f"Installing {' '.join(packages)}", flush=True)
    environment = dict(os.environ, DEBIAN_FRONTEND="noninteractive")
    update = [*command[:command.index("install")], "update"]
    for step in (update, command):
        result = subprocess.run(step, stdout=subprocess.DEVNULL, env=environment)
        if result.returncode:
            print(f"failed: {' '.join(step)}", file=sys.stderr)
            return 1
    return 0


def main(argv: list[str]) -> int:
    if len(argv) != 1 or argv[0] not in SETS:
        print(f"usage: packages.py {'|'.join(SETS)}", file=sys.stderr)
        return 1
    missing = [package for package in SETS[argv[0]] if not installed(package)]
    return install(missing) if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

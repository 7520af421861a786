# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""EXT_SCSI_PASS_THRU and the driver's other protocols under OVMF, checked point by point by
the application in tests/efi/app. It prints a line for each check.
"""

from __future__ import annotations

import re
import shutil
import time

import pytest

from tests.efi import application
from tests.qemu.machine import PATHS, Machine, cd_arguments, controller_arguments, disk_arguments

pytestmark = pytest.mark.qemu("checks of the UEFI driver's protocols")

RAM = ["-m", "6G"]      # so that some lies above 4 GiB
WAIT_S = 400
EXCEPTION = "!!!!"      # begins OVMF's lines about an exception of the processor
SECOND = b"\x32" * (1 << 20)
EIO, ENODATA = 5, 61


def bad_blocks(image) -> tuple[str, str]:
    """Image and -drive options of a disk with a block that cannot be read, and one that cannot
    be written."""
    errors = [("read", ENODATA, 1000), ("write", EIO, 2000)]
    return f"blkdebug::{image}", ",".join(["format=raw"] + [
        f"file.inject-error.{i}.{key}={value}" for i, (kind, errno, sector) in enumerate(errors)
        for key, value in (("event", "none"), ("iotype", kind), ("errno", errno), ("sector", sector))])


def slow(bytes_per_second: int) -> str:
    return f"format=raw,snapshot=on,throttling.bps-total={bytes_per_second}"


def devices(device: str, directory, pattern_disk) -> list[str]:
    """Two controllers; the IDs are those of tests/efi/app/app.h."""
    failing, second = directory / "failing.img", directory / "second.img"
    shutil.copy(pattern_disk, failing)
    second.write_bytes(SECOND)
    image, options = bad_blocks(failing)
    return [
        *controller_arguments(device, "other", "addr=5"),
        *disk_arguments(pattern_disk, 0), *disk_arguments(pattern_disk, 6),
        *disk_arguments(pattern_disk, 1, drive=slow(128 << 10)),
        *disk_arguments(pattern_disk, 3, drive=slow(64 << 10)),
        *cd_arguments(None, 2),
        *disk_arguments(image, 1, ",rerror=report,werror=report", options, controller="other"),
        *disk_arguments(second, 5, controller="other")]


def run(machine: Machine) -> str:
    """The console's text when the application has switched the machine off, or has failed."""
    end = time.monotonic() + WAIT_S
    while not machine.console.ended and EXCEPTION not in machine.console.text and time.monotonic() < end:
        time.sleep(0.2)
    return machine.console.text


@pytest.fixture(scope="module", params=["ovmf", pytest.param("ovmf-810", marks=pytest.mark.long)])
def text(request, tmp_path_factory, pattern_disk) -> str:
    directory = tmp_path_factory.mktemp("app")
    program = application.build(directory, [*application.CHECKS, *application.groups()])
    boot = application.fat_image(directory, program)
    path = PATHS[request.param]
    with Machine(path, *RAM, "-drive", f"if=none,id=boot,file={boot},format=raw,read-only=on",
                 "-device", "virtio-blk-pci,drive=boot,bootindex=0",
                 *devices(path.device, directory, pattern_disk)) as machine:
        return run(machine)


@pytest.fixture
def lines(text) -> dict[str, str]:
    """The printed line of each check, by its name."""
    return {found[2]: found[0] for found in re.finditer(r"^(ok|FAILED) (\w+: [^:\n]+).*$", text, re.M)}


@pytest.mark.parametrize("group", application.groups())
def test_checks_of(lines, group):
    expected = {name for name in application.names() if name.startswith(f"{group}: ")}
    printed = {name: line for name, line in lines.items() if name.startswith(f"{group}: ")}
    failed = [line for line in printed.values() if not line.startswith("ok ")]
    assert failed == [] and printed.keys() == expected


def test_application_ends(text, lines):
    assert f"end of {len(lines)} checks, 0 failed" in text
    assert EXCEPTION not in text
    assert len(lines) >= 300

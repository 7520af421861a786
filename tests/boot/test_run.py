# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make run` as typed by a user, and its messages for unusable images."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import signal
import subprocess
import threading
import time

import media
import pytest
import run as run_tool

from tests.boot import bootcds
from tests.build import TOP

pytestmark = pytest.mark.qemu("make run")

LIMIT_S = 180
PROMPT = "This is a shell in the guest"


def make_run(*arguments: str, wait_for: str, typed: str) -> str:
    """Run `make run` with its input from a pipe; returns all its output."""
    process = subprocess.Popen(["make", "run", *arguments], cwd=TOP, stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    end_all = functools.partial(os.killpg, process.pid, signal.SIGKILL)
    limit = threading.Timer(LIMIT_S, end_all)  # ends QEMU too
    limit.start()
    output = b""
    try:
        while wait_for.encode() not in output:
            part = process.stdout.read1(65536)
            assert part, output.decode("latin1")
            output += part
        for line in typed.splitlines(keepends=True):
            time.sleep(0.5)  # the guest's shell reads a terminal, not a pipe
            process.stdin.write(line.encode())
            process.stdin.flush()
        output += process.stdout.read()
        assert process.wait() == 0, output.decode("latin1")
    finally:
        limit.cancel()
        with contextlib.suppress(ProcessLookupError):
            end_all()
    return output.decode("latin1")


def test_make_run_boots_linux_to_shell():
    output = make_run(wait_for=PROMPT, typed="\necho typed-$((6*7))\npoweroff -f\n")
    assert media.GUEST_MOUNTED in output
    assert "typed-42" in output


@pytest.mark.parametrize("image_type", ["raw", "qcow2"])
def test_user_image_is_booted_and_not_written(tmp_path, image_type):
    source = media.linux_disk()
    image = tmp_path / "my, own disk.img"
    if image_type == "raw":
        shutil.copy(source, image)
    else:
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", source, image], check=True)
    before = hashlib.sha256(image.read_bytes()).digest()
    output = make_run(f"DISK={image}", wait_for=PROMPT, typed=(
        "\necho overwritten | dd of=/dev/sda bs=512 seek=1000 conv=fsync\npoweroff -f\n"))
    assert "are discarded" in output
    assert hashlib.sha256(image.read_bytes()).digest() == before


def test_write_1_writes_image_and_cdrom_adds_cd(tmp_path):
    image = tmp_path / "disk.img"
    shutil.copy(media.linux_disk(), image)
    cd = tmp_path / "cd.iso"
    cd.write_bytes(bytes(64 * 2048))
    output = make_run(f"DISK={image}", "WRITE=1", f"CDROM={cd}", wait_for=PROMPT, typed=(
        "\necho overwritten | dd of=/dev/sda bs=512 seek=1000 conv=fsync\n"
        "cat /proc/scsi/scsi /sys/class/scsi_device/*/device/type\npoweroff -f\n"))
    assert "are kept" in output
    assert "\n5" in output, "no device of type CD-ROM"
    assert image.read_bytes()[512000:512011] == b"overwritten"


def test_cd_boots_without_bootable_disk(tmp_path):
    """An additional empty disk makes no difference."""
    cd = bootcds.grub_cd()
    empty = tmp_path / "empty.img"
    empty.write_bytes(bytes(1 << 20))
    for arguments in ([f"CDROM={cd}"], [f"DISK={empty}", f"CDROM={cd}"]):
        output = make_run(*arguments, wait_for=media.GUEST_MOUNTED, typed="")
        assert "E0h: SCSI 00:" in output


def test_missing_and_unsupported_images_are_refused(tmp_path, capsys):
    other = tmp_path / "disk.vmdk"
    subprocess.run(["qemu-img", "create", "-q", "-f", "vmdk", str(other), "1M"], check=True)
    for image, words in [(tmp_path / "none.img", "none.img"), (other, "format vmdk"),
                         (tmp_path, "regular file")]:
        assert run_tool.main(["--disk", str(image)]) == 1
        error = capsys.readouterr().err
        assert error.startswith("run.py: ") and words in error, error


def test_media_are_made_without_sbin_in_path(tmp_path):
    """A user's PATH has no sbin. Only the installation of packages needs root."""
    (media.MEDIA / "user.img").unlink(missing_ok=True)
    code = "import media; media.linux_disk('user.img', 'user')"
    subprocess.run(["/usr/bin/python3", "-c", code], cwd=TOP / "tools", check=True,
                   env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)})
    (media.MEDIA / "user.img").unlink()

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make run` as typed by a user, and its messages for unusable images."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

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


def test_make_run_with_uefi_boots_the_same_disk():
    output = make_run("UEFI=1", wait_for=PROMPT, typed="\npoweroff -f\n")
    assert "GRUB: loading Linux from hd0,msdos1" in output
    assert f"{media.GUEST_MOUNTED} the ext4 file system of /dev/sda (sym53c8xx), booted by UEFI" in output


@pytest.mark.parametrize("image_type", ["raw", "qcow2"])
def test_user_image_is_booted_and_not_written(tmp_path, image_type):
    source = media.linux_disk()
    image = tmp_path / "my, own disk.img"
    if image_type == "raw":
        shutil.copy(source, image)
    else:
        subprocess.run(["qemu-img", "convert", "-O", "qcow2", source, image], check=True)
    before = hashlib.sha256(image.read_bytes()).digest()
    named = [] if image_type == "raw" else ["FORMAT=qcow2"]
    output = make_run(f"DISK={image}", *named, wait_for=PROMPT, typed=(
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


# ---- Images that are refused, and what QEMU is given ---------------------------------------


@pytest.fixture
def started(monkeypatch, capsys):
    """Runs the command without starting QEMU; returns (QEMU's command line or None, stderr)."""
    def call(*arguments) -> tuple[str | None, str]:
        lines: list[str] = []
        monkeypatch.setattr(subprocess, "call", lambda line: lines.append(" ".join(line)) or 0)
        status = run_tool.main([str(word) for word in arguments])
        assert (status == 1) == (not lines)
        return (lines or [None])[0], capsys.readouterr().err
    return call


def test_qemus_exit_status_is_returned_and_line_wrap_restored(monkeypatch, capsys):
    """SeaBIOS's serial console turns line wrap off. Nothing is written to a file or a pipe."""
    assert run_tool.boot(["sh", "-c", "exit 3"]) == 3
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert run_tool.boot(["true"]) == 0
    assert capsys.readouterr().out == "\033[?7h"


def test_missing_qemu_is_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "raw").write_bytes(bytes(1 << 16))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run_tool.main(["--disk", str(tmp_path / "raw")]) == 1
    assert capsys.readouterr().err == (
        "run.py: qemu-system-x86_64 is missing; on Debian it is in the package qemu-system-x86\n")


@pytest.mark.parametrize("arguments, words", [
    (["WRITE=2"], "WRITE is 0 or 1"), (["UEFI=yes"], "UEFI is 0 or 1"), (["DSIK=disk.img"], "does not know DSIK"),
    (["DISK=no 'such' \"file\" $$x `y` b=c"], """'no \\'such\\' "file" $x `y` b=c'""")],
    ids=["WRITE", "UEFI", "misspelt", "odd name"])
def test_variables_of_make_run_are_checked(arguments, words):
    result = subprocess.run(["make", "run", *arguments], cwd=TOP, capture_output=True, text=True)
    assert result.returncode and words in result.stderr


def qemu_img(*words) -> None:
    subprocess.run(["qemu-img", *map(str, words)], check=True, stdout=subprocess.DEVNULL)


def test_missing_and_unsupported_images_are_refused(tmp_path, started):
    other = tmp_path / "disk.vmdk"
    qemu_img("create", "-q", "-f", "vmdk", other, "1M")
    os.mkfifo(tmp_path / "pipe")
    for image, words in [(tmp_path / "none.img", "none.img"), (other, "looks like vmdk"),
                         (tmp_path, "regular file"), (tmp_path / "pipe", "regular file")]:
        for kind in ("--disk", "--cdrom"):
            line, error = started(kind, image)
            assert line is None
            assert error.startswith("run.py: ") and words in error and error.count("\n") == 1, error


@pytest.mark.parametrize("other", ["qcow", "qcow2", "qed", "vmdk", "vdi", "vhdx", "vpc", "parallels"])
def test_image_of_another_format_is_named(tmp_path, started, other):
    """The formats that qemu-img makes, also as a CD."""
    qemu_img("create", "-q", "-f", other, tmp_path / "image", "1M")
    for kind in ("--disk", "--cdrom"):
        line, error = started(kind, tmp_path / "image")
        assert line is None
        assert f"looks like {other.replace('qcow2', 'qcow')}" in error
    assert ("FORMAT=qcow2" in started("--disk", tmp_path / "image")[1]) == (other in ("qcow", "qcow2"))


def referring(tmp_path, kind: str):
    """A qcow2 image that names a file of the host."""
    secret, image = tmp_path / "secret", tmp_path / "image"
    secret.write_bytes(b"secret" * 1000 + bytes(1 << 20))
    if kind == "data file":
        qemu_img("create", "-q", "-f", "qcow2", "-o", f"data_file={tmp_path}/data,data_file_raw=on", image, "1M")
    else:
        qemu_img("create", "-q", "-f", "qcow2", "-o", f"compat={kind}", "-b", secret, "-F", "raw", image)
    return image


@pytest.mark.parametrize("kind", ["0.10", "1.1", "data file"])
def test_qcow2_image_that_names_another_file_is_refused_unless_asked(tmp_path, started, kind):
    image = referring(tmp_path, kind)
    for arguments in (["--disk", image], ["--cdrom", image], ["--disk", image, "--format", "qcow2"]):
        assert started(*arguments)[0] is None
    error = started("--disk", image, "--format", "qcow2")[1]
    assert "BACKING=1" in error and error.count("\n") == 1
    assert "secret" in error or kind == "data file"
    assert "format=qcow2" in started("--disk", image, "--format", "qcow2", "--backing")[0]


@pytest.mark.parametrize("head", [b"", b"QFI\xfb", b"QFI\xfb\0\0\0\1" + bytes(100), b"\x55\xaa" * 300],
                         ids=["empty", "signature only", "version 1", "a disk"])
def test_other_image_named_as_qcow2_is_refused(tmp_path, started, head):
    (tmp_path / "image").write_bytes(head)
    line, error = started("--disk", tmp_path / "image", "--format", "qcow2")
    assert line is None and "not a qcow2 image" in error


def test_uefi_firmware_is_not_written(tmp_path, started):
    (tmp_path / "raw").write_bytes(bytes(1 << 16))
    line, error = started("--disk", tmp_path / "raw", "--uefi")
    assert error == "" and "-bios" not in line
    assert len(re.findall(r"if=pflash,unit=\d,format=raw,(readonly|snapshot)=on", line)) == line.count("pflash") == 2


def test_qemu_is_always_given_a_format(tmp_path, started):
    """Also raw for an image that looks like qcow2, if the user says so."""
    qemu_img("create", "-q", "-f", "qcow2", tmp_path / "qcow2", "1M")
    (tmp_path / "raw").write_bytes(bytes(1 << 16))
    raw, qcow2 = tmp_path / "raw", tmp_path / "qcow2"
    for arguments, expected in [
            (["--disk", raw], "raw"), (["--disk", raw, "--format", "raw"], "raw"),
            (["--disk", qcow2, "--format", "qcow2"], "qcow2"), (["--disk", qcow2, "--format", "raw"], "raw"),
            (["--cdrom", raw], "raw"), (["--disk", raw, "--cdrom", raw], "raw")]:
        line, error = started(*arguments)
        assert error == ""
        assert line.count(",format=" + expected) == line.count("-drive") == line.count(",format=")


@pytest.mark.parametrize("arguments", [["--format", "qcow2"], ["--backing"], ["--disk", "x", "--format", "vmdk"],
                                       ["--disk", "x", "--backing"], ["--cdrom", "x", "--format", "raw"]])
def test_options_without_a_meaning_are_refused(arguments):
    with pytest.raises(SystemExit) as ended:
        run_tool.main(arguments)
    assert ended.value.code == 2


def test_media_are_made_without_sbin_in_path(tmp_path):
    """A user's PATH has no sbin. Only the installation of packages needs root."""
    (media.MEDIA / "user.img").unlink(missing_ok=True)
    code = "import media; media.linux_disk('user.img', 'user')"
    subprocess.run(["/usr/bin/python3", "-c", code], cwd=TOP / "tools", check=True,
                   env={"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)})
    (media.MEDIA / "user.img").unlink()


@pytest.mark.parametrize("made", ["initrd", "bios-nolsi.bin"])
def test_failed_write_leaves_no_part_that_counts_as_made(tmp_path, monkeypatch, made):
    """The tools and the packages are not used."""
    monkeypatch.setattr(media, "MEDIA", tmp_path)
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "done").write_text("1.0")
    monkeypatch.setattr(media, "kernel", lambda: tree)
    monkeypatch.setattr(media, "_module_files", lambda *arguments: [])
    monkeypatch.setattr(media, "_seabios_source", lambda: tree)
    monkeypatch.setattr(media, "run", lambda *command, **options: "")
    make = {"initrd": lambda: media.initramfs(()), "bios-nolsi.bin": media.seabios_without_lsi}[made]


    def full(*arguments, **options):
        arguments[written].open("wb").write(b"half")
        raise OSError("No space left on device")
    place, name, written = {"initrd": (Path, "write_bytes", 0),
                            "bios-nolsi.bin": (media.shutil, "copyfile", 1)}[made]
    monkeypatch.setattr(place, name, full)
    with pytest.raises(OSError, match="No space"):
        make()
    assert not media.is_made(tmp_path / made)

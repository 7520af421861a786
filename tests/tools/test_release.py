# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make install` and `make dist`: their results, and that releases are reproducible."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest

from tests.build import BUILD, TOP
from tests.qemu.machine import PATHS, Machine

NAME = "lsi8xx-rom-0.1.0"
ROMS = sorted(path.name for path in BUILD.glob("*.rom"))


# As for a user's command: independent of `make test` and of the user's settings
ENVIRONMENT = {name: value for name, value in os.environ.items()
               if not name.startswith(("MAKE", "GIT_"))}
ENVIRONMENT.update(GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1",
                   GIT_COMMITTER_DATE="1234567890 +0200")
COMMITTED = 1234567890


def make(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["make", "-C", folder, *arguments], capture_output=True, text=True,
                          env=ENVIRONMENT, umask=0o077)


def git(folder: Path, *arguments: str | Path) -> str:
    return subprocess.run(["git", "-C", folder, *arguments], check=True, capture_output=True,
                          text=True, env=ENVIRONMENT).stdout


# ---- make install ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """The /usr folder of an installation below DESTDIR."""
    folder = tmp_path_factory.mktemp("package")
    result = make(TOP, "install", f"DESTDIR={folder}", "PREFIX=/usr")
    assert result.returncode == 0, result.stderr
    assert [path.name for path in folder.iterdir()] == ["usr"]
    return folder / "usr"


def test_only_roms_docs_and_two_tools_are_installed(installed):
    doc = "share/doc/lsi8xx-rom"
    assert {str(file.relative_to(installed)) for file in installed.rglob("*") if file.is_file()} == {
        "bin/romsign", "bin/lsi8xx-nvram", *(f"share/qemu/{name}" for name in ROMS), f"{doc}/README.md", f"{doc}/LICENSE",
        *(f"{doc}/{page.relative_to(TOP)}" for page in (TOP / "docs").rglob("*") if page.is_file())}


def test_uninstall_removes_what_was_installed(tmp_path):
    """Nothing else: a ROM of QEMU's stays."""
    other = tmp_path / "opt/share/qemu/vgabios.bin"
    other.parent.mkdir(parents=True)
    other.touch()
    to = [f"DESTDIR={tmp_path}", "PREFIX=/opt"]
    assert "-L /opt/share/qemu" in make(TOP, "install", *to).stdout
    assert make(TOP, "uninstall", *to).returncode == 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [other]


@pytest.mark.parametrize("target", ["install", "uninstall"])
def test_relative_prefix_is_refused(tmp_path, target):
    result = make(TOP, target, f"DESTDIR={tmp_path}", "PREFIX=usr")
    assert result.returncode and "PREFIX=usr is not an absolute path" in result.stderr
    assert not any(tmp_path.iterdir())


def test_installed_files_are_readable_by_all(installed):
    for file in installed.rglob("*"):
        runs = file.is_dir() or file.parent.name == "bin"
        assert stat.S_IMODE(file.stat().st_mode) == (0o755 if runs else 0o644), file


def test_links_between_installed_pages_resolve(installed):
    for page in (installed / "share/doc/lsi8xx-rom").rglob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)[#)]", page.read_text()):
            assert (page.parent / link).exists(), (page, link)


def test_installed_romsign_runs_standalone(installed):
    result = subprocess.run([installed / "bin/romsign", "--verify", installed / "share/qemu/8xx_64.rom"],
                            capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.qemu("installed ROM found by name")
def test_qemu_finds_installed_rom_by_name(installed):
    with Machine(PATHS["microvm"], "-L", str(installed / "share/qemu"),
                 rom=Path("lsi53c895a.rom")) as machine:
        machine.console.wait_for("lsi8xx-rom 0.1.0: 53C895A at PCI 00:04.0")


# ---- make dist -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def checkout(tmp_path_factory) -> Path:
    """A git repository with the present sources committed."""
    folder = tmp_path_factory.mktemp("checkout") / "one"
    shutil.copytree(TOP, folder, ignore=shutil.ignore_patterns("build", ".git", "__pycache__",
                                                               ".pytest_cache"))
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "-c", "user.name=nobody", "-c", "user.email=nobody", "commit", "-q", "-m", "release")
    return folder


@pytest.fixture(scope="module")
def releases(checkout) -> list[Path]:
    """The build folders of two releases, from checkouts in folders of different
    names. One checkout has uncommitted changes."""
    other = checkout.parent / "an other/checkout"
    git(checkout, "clone", "-q", checkout, other)
    (other / "docs/note.txt").write_text("not committed")
    (other / "pc/post/pci.c").write_text("#error not committed either")
    for folder in (checkout, other):
        result = make(folder, "dist")
        assert result.returncode == 0, result.stderr
        warned = "dist.sh: uncommitted changes are not included\n" in result.stderr
        assert warned == (folder == other)
    return [checkout / "build", other / "build"]


@pytest.fixture(scope="module")
def unpacked(releases, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(releases[0] / f"{NAME}.tar.gz") as archive:
        archive.extractall(folder)
    assert [path.name for path in folder.iterdir()] == [NAME]
    return folder / NAME


def test_releases_of_same_commit_are_identical(releases):
    archives = [(folder / f"{NAME}.tar.gz").read_bytes() for folder in releases]
    assert archives[0] == archives[1]


def test_release_has_checksum_file(releases):
    for folder in releases:
        subprocess.run(["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, check=True,
                       capture_output=True)


def test_release_contains_no_user_names_or_build_dates(releases):
    with tarfile.open(releases[0] / f"{NAME}.tar.gz") as archive:
        members = archive.getmembers()
    assert {(m.uid, m.gid, m.uname, m.gname) for m in members} == {(0, 0, "", "")}
    assert {m.mtime for m in members} == {COMMITTED}
    assert {m.mode for m in members} <= {0o644, 0o755}
    assert b"\0" * 4 == (releases[0] / f"{NAME}.tar.gz").read_bytes()[4:8], "gzip header has a date"


def test_release_has_all_sources_roms_and_checksums(checkout, unpacked):
    sources = git(checkout, "ls-files").splitlines()
    sums = dict(reversed(line.split("  ", 1))
                for line in (unpacked / "SHA256SUMS").read_text().splitlines())
    assert set(sums) == {*sources, *(f"roms/{name}" for name in ROMS)}
    for name, digest in sums.items():
        assert hashlib.sha256((unpacked / name).read_bytes()).hexdigest() == digest
    files = {str(f.relative_to(unpacked)) for f in unpacked.rglob("*") if f.is_file()}
    assert files == {*sums, "SHA256SUMS"}


def test_release_roms_match_local_build(unpacked):
    """The release is built from the same sources in other folders."""
    for name in ROMS:
        assert (unpacked / "roms" / name).read_bytes() == (BUILD / name).read_bytes()


def test_dist_without_git_reports_reason(unpacked):
    result = make(unpacked, "dist")
    assert result.returncode == 2
    assert "dist.sh: a release needs a git checkout\n" in result.stderr


def test_installed_nvram_tool_makes_an_image(installed, tmp_path):
    image = tmp_path / "new.nvr"
    image.write_bytes(bytes(2048))
    for arguments in (["--defaults", "875"], ["--check"]):
        subprocess.run([installed / "bin/lsi8xx-nvram", image, *arguments], check=True)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""`make test-matrix` without its tests: which QEMU is started, and how
docs/results/compatibility.md is written (tools/qemu.py, tests/tools/compatibility.py).
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import qemu
import run as run_tool

from tests.conftest import boot_paths
from tests.qemu import machine
from tests.tools import compatibility

# ---- Choice of QEMU ---------------------------------------------------------------


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """A Debian tree with a QEMU that only prints its number of arguments."""
    root = tmp_path / "debian"
    for file in (qemu.LOADER, f"usr/bin/{qemu.PROGRAM}"):
        (root / file).parent.mkdir(parents=True)
        (root / file).write_text('#!/bin/sh\necho "QEMU emulator version 99.1 (Debian $#)"\n')
        (root / file).chmod(0o755)
    monkeypatch.setenv("LSI8XX_QEMU", str(root))
    return root


@pytest.mark.parametrize("value", ["", "/"])
def test_system_qemu_is_used_without_tree(monkeypatch, value):
    monkeypatch.setenv("LSI8XX_QEMU", value)
    words = ["qemu-system-x86_64", "-bios", "/usr/share/seabios/bios.bin"]
    assert qemu.command() == words[:1]
    assert qemu.adapted(words) == words


def test_qemu_of_tree_uses_only_files_of_tree(tree):
    words = qemu.adapted(["qemu-system-x86_64", "-bios", "/usr/share/seabios/bios.bin", "-nographic"])
    places = [Path(word) for word in words if "/" in word]
    assert all(place.is_relative_to(tree) for place in places)
    assert words[0] == str(tree / qemu.LOADER), "not started with its own loader"
    assert words[-3:] == ["-bios", str(tree / "usr/share/seabios/bios.bin"), "-nographic"]
    assert qemu.version() == "99.1 (Debian 10)"


def test_make_run_uses_qemu_of_tree(tree):
    words = run_tool.command(None, None, False)
    assert words[:len(qemu.command())] == qemu.command()
    assert words[words.index("-bios") + 1] == str(tree / "usr/share/seabios/bios-microvm.bin")


def test_tree_without_qemu_is_reported(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LSI8XX_QEMU", str(tmp_path / "none"))
    assert run_tool.main(["--cdrom", __file__]) == 1
    error = capsys.readouterr().err
    assert error == f"run.py: LSI8XX_QEMU={tmp_path}/none: usr/bin/qemu-system-x86_64 is missing\n"


# ---- The table -----------------------------------------------------------------------

JUNIT = """<testsuites><testsuite name="QEMU {version}">
<testcase classname="tests.test_a" name="test_one[microvm]"><properties>
<property name="topic" value="GRUB"/><property name="path" value="microvm"/></properties></testcase>
<testcase classname="tests.test_a" name="test_two"><properties><property name="topic" value="GRUB"/>
<property name="path" value="microvm"/><property name="path" value="c810"/></properties>
{result}</testcase>
<testcase classname="tests.test_b" name="test_three"><properties>
<property name="topic" value="the chip"/></properties></testcase></testsuite></testsuites>"""
FAILED, ERROR = '<failure message="no"/>', '<error message="no"/>'


@pytest.fixture
def columns(tmp_path) -> list[compatibility.Column]:
    """Results of the same tests; one test fails with the second QEMU."""
    files = [tmp_path / "1.xml", tmp_path / "2.xml"]
    files[0].write_text(JUNIT.format(version="1", result=""))
    files[1].write_text(JUNIT.format(version="2", result=FAILED))
    return [compatibility.read(file) for file in files]


def test_row_counts_tests_by_path_and_topic(columns):
    assert compatibility.table(columns[:1]).splitlines() == [
        "| path | what | QEMU 1 |", "|---|---|---|", "| `microvm` | GRUB | 2 passed |",
        "| `c810` | GRUB | 1 passed |", "| - | the chip | 1 passed |"]


def test_failed_tests_are_counted_and_listed(columns):
    lines = compatibility.table(columns).splitlines()
    assert lines[2] == "| `microvm` | GRUB | 2 passed | 1 of 2 failed |"
    assert lines[-3:] == ["Failed with QEMU 2:", "", "- `test_a: test_two`"]


def test_junit_error_counts_as_failure(tmp_path):
    file = tmp_path / "1.xml"
    file.write_text(JUNIT.format(version="1", result=ERROR))
    assert compatibility.read(file).failed == ["test_a: test_two"]


def test_row_without_results_for_one_qemu_has_empty_cell(columns):
    del columns[1].cells["microvm", "GRUB"]
    assert "| `microvm` | GRUB | 2 passed | - |\n" in compatibility.table(columns)


def test_page_names_the_commit_and_ends_with_the_table(columns):
    page = compatibility.page(columns, "abc1234")
    assert page.startswith(compatibility.HEAD)
    assert page.endswith(f"\nROM of commit abc1234.\n\n{compatibility.table(columns)}")


def test_page_in_the_tree_has_this_form():
    page = compatibility.PAGE.read_text()
    assert page.startswith(compatibility.HEAD)
    assert re.search(r"^ROM of commit \w+[-\w]*\.\n\n\| path \| what \| QEMU ", page, re.M)


# ---- The marker -----------------------------------------------------------------------


@pytest.fixture
def started_by_a_fixture():
    machine.started.append("nopmm")


@pytest.mark.parametrize("path", ["bochs"])
def test_boot_paths_come_from_test_fixtures_and_parameters(
        request, path, started_by_a_fixture):
    machine.started.remove("nopmm")     # no machine was started
    assert boot_paths(request, ["microvm"]) == {"microvm", "nopmm", "bochs"}

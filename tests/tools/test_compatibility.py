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

# ---- Which QEMU ------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path, monkeypatch) -> Path:
    """A Debian with a QEMU that only says what it was started with."""
    root = tmp_path / "debian"
    for file in (qemu.LOADER, f"usr/bin/{qemu.PROGRAM}"):
        (root / file).parent.mkdir(parents=True)
        (root / file).write_text('#!/bin/sh\necho "QEMU emulator version 99.1 (Debian $#)"\n')
        (root / file).chmod(0o755)
    monkeypatch.setenv("LSI8XX_QEMU", str(root))
    return root


@pytest.mark.parametrize("value", ["", "/"])
def test_without_a_tree_this_machines_qemu_is_started(monkeypatch, value):
    monkeypatch.setenv("LSI8XX_QEMU", value)
    words = ["qemu-system-x86_64", "-bios", "/usr/share/seabios/bios.bin"]
    assert qemu.command() == words[:1]
    assert qemu.adapted(words) == words


def test_a_qemu_from_a_tree_takes_nothing_of_this_machine(tree):
    words = qemu.adapted(["qemu-system-x86_64", "-bios", "/usr/share/seabios/bios.bin", "-nographic"])
    places = [Path(word) for word in words if "/" in word]
    assert all(place.is_relative_to(tree) for place in places)
    assert words[0] == str(tree / qemu.LOADER), "with the libraries of its own"
    assert words[-3:] == ["-bios", str(tree / "usr/share/seabios/bios.bin"), "-nographic"]
    assert qemu.version() == "99.1 (Debian 10)"


def test_make_run_takes_the_tree(tree):
    words = run_tool.command(None, None, False)
    assert words[:len(qemu.command())] == qemu.command()
    assert words[words.index("-bios") + 1] == str(tree / "usr/share/seabios/bios-microvm.bin")


def test_a_tree_without_qemu_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("LSI8XX_QEMU", str(tmp_path / "none"))
    assert run_tool.main(["--cdrom", __file__]) == 1
    error = capsys.readouterr().err
    assert error == f"run.py: LSI8XX_QEMU={tmp_path}/none: no usr/bin/qemu-system-x86_64 there\n"


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
    """The same tests, of which one fails with the second QEMU."""
    files = [tmp_path / "1.xml", tmp_path / "2.xml"]
    files[0].write_text(JUNIT.format(version="1", result=""))
    files[1].write_text(JUNIT.format(version="2", result=FAILED))
    return [compatibility.read(file) for file in files]


def test_a_row_counts_the_tests_of_a_path_and_a_topic(columns):
    assert compatibility.table(columns[:1]).splitlines() == [
        "| path | what | QEMU 1 |", "|---|---|---|", "| `microvm` | GRUB | 2 passed |",
        "| `c810` | GRUB | 1 passed |", "| - | the chip | 1 passed |"]


def test_what_fails_is_counted_and_named(columns):
    lines = compatibility.table(columns).splitlines()
    assert lines[2] == "| `microvm` | GRUB | 2 passed | 1 of 2 failed |"
    assert lines[-3:] == ["Failed with QEMU 2:", "", "- `test_a: test_two`"]


def test_an_error_beside_a_test_is_a_failure(tmp_path):
    file = tmp_path / "1.xml"
    file.write_text(JUNIT.format(version="1", result=ERROR))
    assert compatibility.read(file).failed == ["test_a: test_two"]


def test_a_row_that_one_qemu_has_not_stays_empty(columns):
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
def test_paths_are_those_of_the_test_its_fixtures_and_its_parameters(
        request, path, started_by_a_fixture):
    machine.started.remove("nopmm")     # it was none: this test starts nothing
    assert boot_paths(request, ["microvm"]) == {"microvm", "nopmm", "bochs"}

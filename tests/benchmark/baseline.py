# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The baseline: a build of one old commit, which `make bench` compares with
this build. Its source comes from git, so a release archive has no baseline.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.build import TOP
from tests.rom.strict import ROMS

from .report import Report

COMMIT = "2f39e62b8244cafa5e042e46aba5562af97ded75"
NAME = COMMIT[:7]


class Unavailable(Exception):
    """There is no baseline; the text gives the reason."""


@dataclass(frozen=True)
class Baseline:
    """A source tree in which the ROMs are built."""
    tree: Path
    name: str = NAME

    def rom(self, variant: str) -> Path:
        return self.tree / "build" / ROMS[variant].name

    def make(self, *arguments: str) -> str:
        """Run make; returns its output. MAKEFLAGS of a calling make are removed."""
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("MAKE", "MFLAGS"))}
        return _run("make", "-s", "--no-print-directory", "-C", str(self.tree), *arguments,
                    env=environment).decode()


def _run(*command: str, **options) -> bytes:
    """Run a command; returns its output. Raises Unavailable with the last line of stderr."""
    try:
        result = subprocess.run(command, capture_output=True, **options)
    except FileNotFoundError:
        raise Unavailable(f"{command[0]} is not installed") from None
    if result.returncode:
        lines = result.stderr.decode(errors="replace").strip().splitlines()
        raise Unavailable(f"{command[0]} failed: {lines[-1] if lines else 'no message'}")
    return result.stdout


def build(source: Path, directory: Path, commit: str = COMMIT) -> Baseline:
    """Build `commit` of the git repository `source` in `directory`."""
    archive = _run("git", "-C", str(source), "archive", "--format=tar", commit)
    _run("tar", "-x", "-C", str(directory), input=archive)
    baseline = Baseline(directory)
    baseline.make("all")
    return baseline


@contextlib.contextmanager
def built(report: Report, source: Path = TOP) -> Iterator[Baseline | None]:
    """Yield the baseline; if there is none, yield None and add a line to the report."""
    with tempfile.TemporaryDirectory(prefix="lsi8xx-baseline-") as name:
        try:
            baseline = build(source, Path(name))
        except Unavailable as reason:
            report.text(f"The comparison with commit {NAME} is skipped: {reason}.")
            baseline = None
        yield baseline

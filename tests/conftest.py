# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Fixtures. The ROMs must have been built: `make test` does that first."""

from __future__ import annotations

import array
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(TOP / "tools"), str(TOP / "tests")]

import agent as agent_module  # noqa: E402
import machine  # noqa: E402
import strict  # noqa: E402
from vpc.tempers import TEMPERS  # noqa: E402

PATTERN_SECTORS = 65536  # 32 MiB


counts = {}


def pytest_terminal_summary(terminalreporter) -> None:
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for _, line in report.user_properties:
            terminalreporter.write_line(line)
    for key in ("passed", "failed", "error", "skipped"):
        counts[key] = len(terminalreporter.stats.get(key, []))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """One plain line with the counts behind whatever pytest prints."""
    if counts:
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        print(f"{counts['passed']} passed, {counts['failed'] + counts['error']} failed{skipped}")


@pytest.fixture(scope="session")
def agent_rom() -> Path:
    return agent_module.build_agent()


@pytest.fixture(scope="session")
def pattern() -> bytes:
    """Data in which every dword is different."""
    return array.array("I", range(PATTERN_SECTORS * 128)).tobytes()


@pytest.fixture(scope="session")
def pattern_disk(pattern: bytes, tmp_path_factory) -> Path:
    """A disk image of that data, without a partition table."""
    image = tmp_path_factory.mktemp("disk") / "pattern.img"
    image.write_bytes(pattern)
    return image


@pytest.fixture
def start(agent_rom: Path):
    """Start a machine with the agent: start(path, *arguments, **options)."""
    running = []

    def run(path: str, *arguments: str, **options) -> agent_module.Agent:
        pc = machine.Machine(machine.PATHS[path], *arguments, with_agent=agent_rom, **options)
        running.append(pc)
        return agent_module.Agent(pc)

    yield run
    for pc in running:
        pc.close()


@pytest.fixture
def note(record_property):
    """Print a line behind all tests."""
    return lambda line: record_property("note", line)


@pytest.fixture(params=[(t, f) for t in TEMPERS for f in strict.FAMILIES], ids="-".join)
def any_pc(request) -> strict.Pc:
    """The same in every temper, with disks that belong to it."""
    temper, family = request.param
    kind = TEMPERS[temper].disk
    return strict.new_pc(family, {0: kind(), 3: kind(content=lambda lba: bytes([3]) * 512)},
                         temper=temper)


@pytest.fixture(params=strict.FAMILIES)
def pc(request) -> strict.Pc:
    """The strict virtual PC, booted, with disks at IDs 0 and 3."""
    return strict.two_disks(request.param)

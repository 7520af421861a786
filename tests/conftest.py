# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Fixtures. The ROMs must be built first: `make test` does that."""

from __future__ import annotations

import array
from pathlib import Path

import pytest

from tests.model.hardware import HARDWARE
from tests.qemu import agent as agent_module, machine
from tests.rom import strict

PATTERN_SECTORS = 65536  # 32 MiB

# Files with the longest run times; they start first so that none runs alone at the end
LONGEST = ["writes_qemu", "systems", "boot", "protocol", "loaders", "files", "int13", "strict", "fuzz", "mutants", "faults",
           "timers", "medium_change", "write_errors", "write_faults", "cd_systems", "writes", "block_faults",
           "blocks", "removable", "emulation_functions", "emulation_sectors", "vds",
           "cd_emulation_qemu", "cd_qemu", "boot_entries", "memory", "cd_functions", "cd_post",
           "boards_memory", "boards_choice", "boards", "controllers", "bios_matrix",
           "eltorito_boot", "eltorito_catalog", "reset", "run", "disks", "emulation_numbers",
           "emulation_media", "removable_qemu"]


# Files about what does not depend on the chip: `make test` runs them with one only
ONE_CHIP = ["big_disks", "block_faults", "blocks", "invalid_answers", "luns", "medium_change", "removable",
            "write_errors", "write_faults", "writes", "int13_table", "gates", "vds", "cd_functions", "cd_post",
            "cd_fuzz", "emulation_functions", "emulation_media", "emulation_numbers", "emulation_sectors",
            "eltorito_boot", "eltorito_catalog", "small_blocks", "sessions", "writes_qemu", "settings", "settings_boot"]
OTHER_CHIP = ["810", "c810", "875", "1010-33"]


def is_for_other_chip(item: pytest.Item) -> bool:
    values = item.callspec.params.values() if hasattr(item, "callspec") else ()
    return any(part in OTHER_CHIP for value in values for part in (value if isinstance(value, tuple) else [value]))


@pytest.hookimpl(tryfirst=True)     # before the selection by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest files first; the order within a file does not change."""
    for item in items:
        if item.path.stem.removeprefix("test_") in ONE_CHIP and is_for_other_chip(item):
            item.add_marker(pytest.mark.long)
    places = {f"test_{name}": place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.path.stem, len(places)))


counts = {}


def pytest_configure(config) -> None:
    config.addinivalue_line("markers", "qemu(topic): starts QEMU (rings 2 and 3); `make "
                            "test-matrix` runs it on each QEMU, docs/results/compatibility.md lists the topics")
    config.addinivalue_line("markers", "long: a sweep that `make test` skips; `make test-all` "
                            "runs it")
    config.addinivalue_line("markers", "aarch64: `make test-aa64` runs it")


def pytest_terminal_summary(terminalreporter) -> None:
    for report in terminalreporter.stats.get("passed", []) + terminalreporter.stats.get("failed", []):
        for name, line in report.user_properties:
            if name == "note":
                terminalreporter.write_line(line)
    for key in ("passed", "failed", "error", "skipped"):
        counts[key] = len(terminalreporter.stats.get(key, []))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure() -> None:
    """Print one plain line with the counts, after all of pytest's output."""
    if counts:
        skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
        print(f"{counts['passed']} passed, {counts['failed'] + counts['error']} failed{skipped}")


@pytest.hookimpl(hookwrapper=True)
def pytest_fixture_setup(fixturedef):
    """Machines that a fixture starts count for every test that uses it."""
    before = len(machine.started)
    yield
    fixturedef.boot_paths = set(machine.started[before:])


def boot_paths(request, started: list[str]) -> set[str]:
    """The paths on which a test's machines were started: by the test, by its
    fixtures, or by a command that the test names a path to."""
    definitions = request.node._fixtureinfo.name2fixturedefs
    shared = [getattr(definition, "boot_paths", set()) for name in request.fixturenames
              for definition in definitions.get(name, ())]
    call = getattr(request.node, "callspec", None)
    named = {value for value in (call.params.values() if call else ()) if isinstance(value, str)}
    return set(started).union(*shared) | named & machine.PATHS.keys()


@pytest.fixture(autouse=True)
def tell_boot_paths(request):
    """Record the paths for tests/tools/compatibility.py, which reads a JUnit file."""
    before = len(machine.started)
    yield
    paths = boot_paths(request, machine.started[before:])
    marker = request.node.get_closest_marker("qemu")
    assert marker or len(machine.started) == before, "a test that starts QEMU needs the marker qemu"
    if marker:
        request.node.user_properties += [("topic", marker.args[0]),
                                         *(("path", path) for path in sorted(paths))]


@pytest.fixture(scope="session")
def agent_rom() -> Path:
    return agent_module.build_agent()


@pytest.fixture(scope="session")
def pattern() -> bytes:
    """Data in which every dword differs."""
    return array.array("I", range(PATTERN_SECTORS * 128)).tobytes()


@pytest.fixture(scope="session")
def pattern_disk(pattern: bytes, tmp_path_factory) -> Path:
    """A disk image of `pattern`, without a partition table."""
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
    """Print a line after all tests."""
    return lambda line: record_property("note", line)


@pytest.fixture(params=strict.ANY_PC, ids="-".join)
def any_pc(request) -> strict.Pc:
    """A PC of each kind of hardware, with disks that match it."""
    hardware, variant = request.param
    kind = HARDWARE[hardware].disk
    return strict.new_pc(variant, {0: kind(), 3: kind(content=lambda lba: bytes([3]) * 512)},
                         hardware=hardware)


@pytest.fixture(params=strict.VARIANTS)
def pc(request) -> strict.Pc:
    """The strict virtual PC, booted, with disks at IDs 0 and 3."""
    return strict.two_disks(request.param)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The costs of a call (ring 1): the counts of docs/performance.md, which do not
depend on the load of the machine. The budgets are in benchmark/budgets.py.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from tests.benchmark import baseline, blocks, budgets, compare, counts, report, sizes, timing
from tests.benchmark.sides import OURS
from tests.benchmark.timing import READ, Call

from tests.tools import compatibility
import size
from tests.build import BUILD, TOP
from tests.rom.strict import VARIANTS, ROMS, disk
from tests.model.bios_data import BOOT_KIB, FAR_KIB, SLACK_KIB, WORKSPACE_KIB
from tests.model.bus import Delay
from tests.model.registers import MS

BLOCKS = [1, 8, 127]


@pytest.fixture(scope="module", params=VARIANTS)
def pc(request):
    """A PC that counts instructions and measures our stack."""
    return counts.measured_pc(request.param)


@pytest.mark.parametrize("blocks", BLOCKS)
def test_read_keeps_its_register_budget(pc, blocks):
    result = counts.one_call(pc, Call(READ, blocks))
    assert counts.register_accesses(result) <= budgets.REGISTER_ACCESSES


@pytest.mark.parametrize("blocks", BLOCKS)
def test_read_keeps_its_port_budget(pc, blocks):
    """The clock is included: under KVM every port access is an exit."""
    result = counts.one_call(pc, Call(READ, blocks))
    assert result.port_accesses <= budgets.PORT_ACCESSES


@pytest.mark.parametrize("function", budgets.INSTRUCTIONS, ids="{:02X}h".format)
def test_one_sector_keeps_its_instruction_budget(pc, function):
    result = counts.one_call(pc, Call(function, 1))
    assert counts.instructions(result) <= budgets.INSTRUCTIONS[function]


@pytest.mark.parametrize("function", budgets.INSTRUCTIONS, ids="{:02X}h".format)
def test_one_sector_keeps_its_register_budget(pc, function):
    result = counts.one_call(pc, Call(function, 1))
    assert counts.register_accesses(result) <= budgets.REGISTER_ACCESSES


def test_instruction_count_does_not_grow_with_blocks(pc):
    few, many = (counts.one_call(pc, Call(READ, blocks)) for blocks in (1, 127))
    assert counts.instructions(many) <= counts.instructions(few)


@pytest.mark.parametrize("function", budgets.INSTRUCTIONS, ids="{:02X}h".format)
def test_call_fits_both_stacks(pc, function):
    result = counts.one_call(pc, Call(function, 1))
    assert 0 < result.stack_used <= budgets.CALLERS_STACK_BYTES
    assert 0 < result.own_stack_used < counts.own_stack_room()


def test_no_conventional_memory_is_lost_with_pmm():
    assert counts.memory_lost() == budgets.CONVENTIONAL_KIB_LOST


# ---- The counters themselves -----------------------------------------------------------


def test_waiting_is_not_counted_as_work(pc):
    """A slow disk adds reads of memory and chip, but no work."""
    target = disk(pc)
    quick = counts.one_call(pc, Call(READ, 1))
    target.before_command = lambda bus: iter([Delay(50 * MS)])
    slow = counts.one_call(pc, Call(READ, 1))
    target.before_command = None
    assert slow.ns - quick.ns > 40 * MS
    assert slow.waiting > quick.waiting
    # the number of loop instructions that run after the end of SCRIPTS varies
    assert abs(counts.instructions(slow) - counts.instructions(quick)) < 60


def test_trace_of_block_io_is_told_apart_by_request_size():
    """The application writes KiB of a request, here 1024, to SCRATCHA; 0 after the run."""
    def line(offset: int, value: int, device: str = counts.CHIP) -> str:
        return f"1@2.3:memory_region_ops_write cpu 0 mr 0x1 addr {0xC000 + offset:#x} value {value:#x} size 1 name '{device}'"

    marks = [[line(0x34 + i, kib >> 8 * i & 0xFF) for i in range(4)] for kib in (1024, 0)]
    run, rest = line(0x2F, 0x12), line(0x34, 0x55, "serial")
    parts = blocks.by_size("\n".join([rest, *marks[0], run, rest, *marks[1], line(0x14, 1)]))
    assert run in parts[1 << 20] and rest in parts[1 << 20]
    assert line(0x14, 1) in parts[0] and run not in parts[0]


def test_accesses_are_counted_per_request_and_dword():
    """QEMU's trace shows them byte by byte."""
    def line(kind: str, address: int, device: str = counts.CHIP) -> str:
        return f"1@2.3:memory_region_ops_{kind} cpu 0 mr 0x1 addr {address:#x} value 0x0 size 1 name '{device}'\n"

    start = "".join(line("write", 0xC02C + i) for i in range(4))
    request = (line("read", 0x3FD, counts.AGENT_SERIAL) + line("read", 0xC00C)
               + line("read", 0x40, "pit"))
    assert counts.accesses(start + request + start + request + start) == ([2, 2], [1, 1])


def test_exceeded_budget_is_reported_and_recorded_as_broken(capsys):
    output = report.Report()
    output.budget("kept", 4, 4)
    output.budget("slow", 2, 1, must_hold=False)
    assert not output.broken
    output.budget("broken", 5, 4)
    output.report_budgets()
    assert output.broken == ["broken"]
    kept, slow, broken = capsys.readouterr().out.splitlines()[-4:-1]
    assert report.MET in kept and report.NOT_MET in slow and report.NOT_MET in broken


def test_bench_page_has_licence_line_and_title(capsys):
    output = report.Report()
    output.heading("Sizes")
    assert output.page().startswith("<!-- SPDX-License-Identifier: BSD-2-Clause -->\n# ")
    assert output.page().endswith(f"\n\n{output.markdown}")


# ---- Sizes -----------------------------------------------------------------------------

OURS_TEXT = """\
budget                                                     bytes   limit    free
stays: PMM, 1 disk                                         12800   13312     512
stays: no PMM, no boot entries, disks                      15872   16384     512
workspace: stack and structure, without drives              1740    1728     -12  OVER
block buffer, where a disk needs it                         4096    4096       0

file: .header 120, .unpack 979
"""
BASELINE_TEXT = """\
budget                             bytes   limit    left
resident after init, 1 disk        12288   13312    1024
workspace: stack and structure      2020    2048      28

16 disks 13824; with media that can be removed, or without BBS 15872
"""


def test_sizes_meet_their_budgets():
    found = sizes.rows(sizes.make_size_output())
    assert {name for name, _, _ in found} >= set(sizes.NAMES)
    assert not [row for row in found if row[1] > row[2]]


def test_rows_of_make_size_are_parsed_with_their_limits():
    assert sizes.rows(OURS_TEXT) == [
        (sizes.ONE_DISK, 12800, 13312), (sizes.WITHOUT_PMM, 15872, 16384),
        (sizes.WORKSPACE, 1740, 1728), (sizes.BLOCK_BUFFER, 4096, 4096)]


def test_row_over_its_limit_is_marked():
    over = size.Row("workspace", 2060, 2048)
    assert over.over and str(over).endswith(" -12  OVER")
    kept = size.Row("workspace", 2048, 2048)
    assert not kept.over and str(kept).endswith(" 0")


@pytest.mark.parametrize("symbol, limit", [("text_end", "RESIDENT"), ("far_rom_end", "WITHOUT_PMM"),
                                           ("cd_bytes", "CD_MEMORY"), ("cd_end", "CD")])
def test_linker_rejects_resident_part_over_its_limit(symbol, limit, tmp_path):
    """The linker script of the build, with this limit set to 1 byte."""
    script = (BUILD / "rom/rom.ld").read_text()
    changed = re.sub(rf"(ASSERT\({re.escape(symbol)}[^,]*<= )\d+", r"\g<1>1", script)
    assert changed != script
    (tmp_path / "rom.ld").write_text(changed)
    objects = [file for folder in ("pc", "scsi", "lsi", "int13", "rom") for file in (BUILD / folder).rglob("*.o")]
    result = subprocess.run(
        ["ld", "-m", "elf_i386", "-nostdlib", "--gc-sections", "--no-warn-rwx-segments", "-T",
         tmp_path / "rom.ld", "-o", tmp_path / "rom.elf", *objects], capture_output=True, text=True)
    assert result.returncode and f"({limit}_LIMIT)" in result.stderr


def test_documented_size_budgets_match_make_size():
    """docs/memory.md lists the limits in KiB, with the names of `make size`."""
    limits = {name: limit for name, _, limit in sizes.rows(sizes.make_size_output())}
    text = (TOP / "docs/memory.md").read_text()
    for name in sizes.NAMES:
        kib = re.search(rf"^\| {re.escape(name)} \| ([0-9.]+) \|", text, re.M)
        assert kib, name
        assert float(kib[1]) * 1024 == limits[name], name


def test_limits_without_pmm_are_those_of_the_boards():
    """Seen: a board hangs in POST if more than 16 KiB stay in the ROM area."""
    limits = {name: limit for name, _, limit in sizes.rows(sizes.make_size_output())}
    assert limits[sizes.WITHOUT_PMM] == limits[sizes.CD_WITHOUT_PMM] == limits[sizes.FIRST_ENTRY] == 16 * 1024
    assert limits[sizes.TAKEN] == 1024 * (WORKSPACE_KIB + SLACK_KIB)
    assert limits[sizes.TAKEN_FOR_CD] == limits[sizes.TAKEN_BY_CD] == 1024 * (WORKSPACE_KIB + FAR_KIB + BOOT_KIB)


# ---- Comparison with the baseline ------------------------------------------------------


def test_size_rows_include_the_baseline():
    assert compare.size_rows(OURS_TEXT, BASELINE_TEXT) == [
        [sizes.ONE_DISK, "12800", "12288"], [sizes.WITHOUT_PMM, "15872", "15872"],
        [sizes.WORKSPACE, "1740", "-"], [sizes.BLOCK_BUFFER, "4096", "-"]]


def times(*ratios: float) -> dict[Call, dict[str, list[float]]]:
    """Times with these ratios of this ROM to the baseline, for each compared call."""
    return {call: {OURS: [50 * ratio for ratio in ratios], "old": [50.0] * len(ratios)}
            for call in compare.CALLS}


@pytest.mark.parametrize("ratios, verdict", [([0.7, 0.8, 2.0], report.MET),
                                             ([0.1, 0.82, 0.9], report.NOT_MET)])
def test_time_against_baseline_gets_a_verdict_but_never_fails(ratios, verdict, capsys):
    output = report.Report()
    compare.report_times(output, times(*ratios), "kvm", "old")
    output.report_budgets()
    budget = [line for line in capsys.readouterr().out.splitlines() if "against old" in line]
    assert len(budget) == 1
    assert "KVM, AH=02h read, 1, sequential: time against old" in budget[0]
    assert f"| {verdict} |" in budget[0].replace("  ", "")
    assert not output.broken


def test_time_against_baseline_has_no_budget_without_kvm(capsys):
    output = report.Report()
    compare.report_times(output, times(2.0), "tcg", "old")
    output.report_budgets()
    assert report.NOT_MET not in capsys.readouterr().out


def test_ratios_are_computed_per_round():
    """The median is taken of ratios; it is not a ratio of medians."""
    row = {OURS: [10.0, 20.0, 30.0], "old": [100.0, 10.0, 60.0]}
    assert timing.ratios(row, "old") == [0.1, 2.0, 0.5]


def test_comparison_is_skipped_without_repository(tmp_path, capsys):
    output = report.Report()
    with baseline.built(output, tmp_path) as found:
        assert found is None
    (line,) = capsys.readouterr().out.split("\n\n")[:-1]
    assert line.startswith(f"The comparison with commit {baseline.NAME} is skipped: git failed: ")
    assert "\n" not in line


def test_comparison_is_skipped_without_git(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    output = report.Report()
    with baseline.built(output) as found:
        assert found is None
    assert output.markdown.rstrip().endswith("is skipped: git is not installed.")
    assert compatibility.commit_here() == "unknown"


@pytest.fixture
def repository(tmp_path, monkeypatch) -> Path:
    """One commit of a Makefile; its target `all` fails if the variable FAIL is set."""
    for name in ("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME", "GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    (tmp_path / "Makefile").write_text("all:\n\t@test -z '$(FAIL)' || { echo no room >&2; false; }\n"
                                       "size:\n\t@echo $(QUICK)\n")
    for command in ("init -q", "add Makefile", "commit -q -m one"):
        subprocess.run(["git", "-C", tmp_path, *command.split()], check=True)
    return tmp_path


def test_baseline_is_built_from_the_commit(repository, tmp_path_factory):
    (repository / "Makefile").write_text("not committed")
    found = baseline.build(repository, tmp_path_factory.mktemp("old"), "HEAD")
    assert found.rom("810") == found.tree / "build/lsi53c810.rom"


def test_makeflags_do_not_reach_the_baseline(repository, tmp_path_factory, monkeypatch):
    monkeypatch.setenv("MAKEFLAGS", " -- QUICK=1")
    found = baseline.build(repository, tmp_path_factory.mktemp("old"), "HEAD")
    assert found.make("size") == "\n"


def test_failed_baseline_build_makes_it_unavailable(repository, tmp_path_factory,
                                                                monkeypatch):
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(baseline.Unavailable, match="make failed"):
        baseline.build(repository, tmp_path_factory.mktemp("old"), "HEAD")


def test_rom_of_another_build_gives_the_same_counts(pc):
    other = counts.other_pc(ROMS[pc.variant], pc.variant)
    ours, result = (counts.one_call(each, Call(READ, 1)) for each in (pc, other))
    assert counts.instructions(result) == counts.instructions(ours) > 0
    assert (result.own_stack_used, ours.own_stack_used > 0) == (0, True)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The computed depth of our stack (tools/stack.py)."""

from __future__ import annotations

import subprocess

import pytest
import size
import stack

from tests.build import LIMITS

LAST = "pit_read"   # the last function of the deepest call


def test_deepest_call_fits_our_stack():
    row = size.stack_row(size.calls())
    assert 0 < row.used <= row.limit


@pytest.mark.parametrize("more, status", [(0, 0), (1, 1)])
def test_make_size_fails_when_a_frame_exceeds_the_stack(more, status, monkeypatch, capsys):
    """The frame of the last function uses all the free bytes, then one more."""
    calls = size.calls()
    row = size.stack_row(calls)
    assert calls.deepest_entry()[1][-1].startswith(f"{LAST}:")
    calls.frames[LAST] += row.limit - row.used + more
    monkeypatch.setattr(size, "calls", lambda: calls)
    assert size.main([f"{name}={limit}" for name, limit in LIMITS.items()]) == status
    assert ("OVER" in capsys.readouterr().out) == bool(status)


def test_bios_service_is_the_end_of_its_path():
    depth, path = size.calls().deepest_entry(stack.BIOS_BEGINS)
    assert path[-1] == f"bios_call:{stack.BIOS_BEGINS['bios_call']}"
    assert depth == sum(int(part.partition(":")[2]) for part in path)


# ---- Small programs ------------------------------------------------------------


ABI = ["-m16", "-march=i386", "-mregparm=3", "-ffreestanding", "-fno-pie", "-fcf-protection=none",
       "-fno-asynchronous-unwind-tables", "-mpreferred-stack-boundary=2", "-fomit-frame-pointer", "-Oz",
       "-ffunction-sections", "-fstack-usage"]
BEGIN = """
#define APART __attribute__((noinline, noipa))
void outside(volatile char *);
APART int leaf(int x) { volatile char room[40]; room[x] = 1; return room[0]; }
"""


@pytest.fixture
def compiled(tmp_path):
    def compile(source: str) -> stack.Calls:
        (tmp_path / "x.c").write_text(BEGIN + source)
        subprocess.run(["gcc", *ABI, "-c", "x.c", "-o", "x.o"], cwd=tmp_path, check=True)
        return stack.Calls(tmp_path, [tmp_path / "x.o"])
    return compile


def names(path: tuple[str, ...]) -> list[str]:
    return [part.partition(":")[0] for part in path]


def test_frames_of_a_call_are_added(compiled):
    """Each has a return address of 2 bytes; leaf() has 40 bytes."""
    calls = compiled("APART int above(int x) { return leaf(x) + leaf(x + 1); }")
    leaf, above = calls.deepest("leaf"), calls.deepest("above")
    assert leaf == (42, ("leaf:42",))
    assert above[0] == leaf[0] + calls.frames["above"] > 42 and names(above[1]) == ["above", "leaf"]


def test_frame_is_free_in_a_tail_call(compiled):
    calls = compiled("APART int above(int x) { volatile char room[20]; room[x] = 1; return leaf(room[1]); }")
    assert calls.deepest("above") == (42, ("above:0", "leaf:42"))


def test_copy_of_a_function_has_its_frame():
    calls = size.calls()
    assert any("." in called for others in calls.calls.values() for called in others)


@pytest.mark.parametrize("source", [
    "APART int above(int x) { return x ? above(x - 1) + leaf(x) : 0; }",
    "APART void above(int x) { volatile char room[40]; outside(room); room[x] = 0; }",
    "int (*pointer)(int); APART int above(int x) { return pointer(x) + 1; }",
    "APART int above(int x) { volatile char room[x]; room[0] = leaf(x); return room[0]; }",
], ids=["recursion", "unknown function", "unknown pointer", "frame of variable size"])
def test_depth_without_a_bound_is_an_error(compiled, source):
    with pytest.raises(stack.NotBounded):
        compiled(source).deepest("above")

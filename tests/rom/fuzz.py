#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Random and hostile input for the ROM on the strict virtual PC, by kind: each kind is a
module whose run(seed) tries PER_SEED cases and raises AssertionError with a story.

    tests/rom/fuzz.py [--calls N] [--others M] [--seed S] [--kind KIND]

The seeds are printed; the same seed makes the same cases.
"""

from __future__ import annotations

import argparse
import importlib
import os
import random
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(TOP), str(TOP / "tools")]

CALLS = "calls"
KINDS = [kind for kind in (CALLS, "machines", "discs", "dialogues")
         if Path(__file__).with_name(f"fuzz_{kind}.py").exists()]
SEEDS_PER_TASK = 10
MOST_STORIES = 20       # that are printed of each kind


def module(kind: str):
    return importlib.import_module(f"tests.rom.fuzz_{kind}")


def per_seed(kind: str) -> int:
    """Cases that a seed stands for."""
    return getattr(module(kind), "PER_SEED", 1)


def run_seeds(kind: str, seeds: range) -> list[str]:
    """The stories of the seeds that fail."""
    stories = []
    for seed in seeds:
        try:
            module(kind).run(seed)
        except Exception as error:  # of any kind: the next seed may tell more
            notes = "\n  ".join(getattr(error, "__notes__", []))
            stories.append(f"{kind}, seed {seed}: {type(error).__name__}: {error}\n  {notes}")
    return stories


def tasks(first: int, seeds: int) -> Iterator[range]:
    for start in range(first, first + seeds, SEEDS_PER_TASK):
        yield range(start, min(start + SEEDS_PER_TASK, first + seeds))


def run_kind(pool: ProcessPoolExecutor, kind: str, first: int, cases: int) -> int:
    """Tries this many cases on all cores. Returns the number of seeds that failed."""
    begin, failed = time.monotonic(), 0
    seeds = -(-cases // per_seed(kind))
    for stories in pool.map(run_seeds, *zip(*((kind, part) for part in tasks(first, seeds)))):
        for story in stories:
            failed += 1
            if failed <= MOST_STORIES:
                print(story, flush=True)
    print(f"{kind}: {seeds * per_seed(kind)} cases, seeds {first} to {first + seeds - 1}: {failed or 'none'} failed, "
          f"{time.monotonic() - begin:.0f} s", flush=True)
    return failed


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--calls", type=int, default=1_000_000, help="number of calls")
    parser.add_argument("--others", type=int, default=100_000, help="number of cases of each other kind")
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    parser.add_argument("--kind", choices=KINDS, help="only this one")
    options = parser.parse_args(argv)
    kinds = [options.kind] if options.kind else KINDS
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        failed = sum(run_kind(pool, kind, options.seed, options.calls if kind == CALLS else options.others)
                     for kind in kinds)
    print(f"fuzz: {', '.join(kinds)}: {failed or 'no'} seed{'' if failed == 1 else 's'} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

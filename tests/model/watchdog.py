# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Stops a CPU that runs forever. The limits of virtual time end every wait and
device access; this is for a loop in which no time passes.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from unicorn import Uc

CHECK_INTERVAL_S = 0.5
MOST_CPU_S = 3.0    # of this process, independent of the host's load: 300 million instructions


@dataclass(eq=False)
class Run:
    """One run of one CPU. `now` changes while it makes progress."""
    uc: Uc
    now: Callable[[], int]
    seen: int = -1
    since: float = 0.0

    def is_stuck(self) -> bool:
        now, used = self.now(), time.process_time()
        if now != self.seen:
            self.seen, self.since = now, used
        return used - self.since > MOST_CPU_S


class Watchdog:
    """A thread that checks periodically. Its lock keeps it from stopping the
    next run instead of the stuck one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, uc: Uc, now: Callable[[], int]) -> Iterator[None]:
        if self._thread is None:
            self._thread = threading.Thread(target=self._check_periodically, daemon=True)
            self._thread.start()
        self._run = Run(uc, now)
        try:
            yield
        finally:
            with self._lock:
                self._run = None

    def _check_periodically(self) -> None:
        never = threading.Event()
        while not never.wait(CHECK_INTERVAL_S):
            with self._lock:
                if self._run and self._run.is_stuck():
                    self._run.uc.emu_stop()


WATCHDOG = Watchdog()

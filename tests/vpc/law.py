# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""What the bench says when a rule is broken."""

from __future__ import annotations


class LawBroken(AssertionError):
    """A rule of the manual or of good manners was broken; `law` names it."""

    def __init__(self, law: str, detail: str):
        super().__init__(f"{law}: {detail}")
        self.law = law

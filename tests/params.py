# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Parameters of tests of which `make test` runs a part."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


def mostly_long(values: Iterable, *normal) -> list:
    """Parameters: all values but `normal` are long."""
    return [value if value in normal else pytest.param(value, marks=pytest.mark.long) for value in values]

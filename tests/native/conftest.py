# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""scsi/ and lsi/ for x86-64, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.native.native import build


@pytest.fixture(scope="session")
def library(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("native") / "driver.so")

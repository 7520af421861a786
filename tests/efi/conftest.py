# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The UEFI driver for the machine that runs the tests, compiled once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.efi.model.driver import build


@pytest.fixture(scope="session")
def driver_library(tmp_path_factory) -> Path:
    return build(tmp_path_factory.mktemp("driver") / "driver.so")

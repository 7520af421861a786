# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1: discs and parameters for the CD-ROM drive tests."""

from __future__ import annotations

import pytest

from tests.model.eltorito import Disc
from tests.rom.strict import VARIANTS

LOCK, UNLOCK, LOCK_STATE = 0, 1, 2
DISC = Disc(blocks=1000)
variants = pytest.mark.parametrize("variant", VARIANTS)

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 2: INT 13h calls in QEMU, made by a test agent in the guest."""

# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The UEFI driver for AArch64 under AAVMF: `make test-aa64`."""

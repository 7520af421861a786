# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""The UEFI driver on the chip model, with a model of the firmware."""

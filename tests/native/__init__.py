# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026 the lsi8xx-rom authors
"""Ring 1 without the ROM: scsi/ and lsi/ compiled for x86-64."""

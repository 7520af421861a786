/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The chips this ROM drives and how they differ.
 */
#ifndef LSI_CHIPS_H
#define LSI_CHIPS_H

#include "pc/types.h"

#define LSI_PCI_VENDOR 0x1000

/* Features */
#define CHIP_WIDE 0x01	 /* 16 IDs, RESPID1 */
#define CHIP_ISTAT1 0x02 /* ISTAT1, and CCNTL0/1 with the 64-bit registers */

struct lsi_chip {
	u16 device; /* PCI device ID, vendor 1000h */
	u8 features;
	u8 ccf; /* SCNTL3.CCF for the board's clock, multiplier off */
	char name[10];
};

/* The chip with that PCI device ID, or null. */
const struct lsi_chip __seg_gs *lsi_chip_find(u16 device);

/* The index-th chip of the table, or null past the end. */
const struct lsi_chip __seg_gs *lsi_chip_at(u32 index);

#endif

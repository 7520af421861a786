/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The chips this ROM drives and how they differ.
 */
#ifndef LSI_CHIPS_H
#define LSI_CHIPS_H

#include "pc/types.h"

#define LSI_PCI_VENDOR 0x1000

/* Features. Errata are named after what has to be set because of them. */
#define CHIP_WIDE 0x01	 /* 16 IDs, RESPID1 */
#define CHIP_ISTAT1 0x02 /* ISTAT1, and CCNTL0/1 with the 64-bit registers */
#define CHIP_1010 0x04	 /* DFBC counts the FIFO; no clock divider */
#define CHIP_80MHZ 0x08	 /* boards with 80 instead of 40 MHz */
#define CHIP_EHP 0x10	 /* CTEST0, on both functions of a 876 */
#define CHIP_DPR 0x20	 /* CCNTL0 */
#define CHIP_NO_SGE 0x40 /* STEST1, CCNTL0.DILS: wrong SGE on a narrow bus */
#define CHIP_DISAIP 0x80 /* AIPCNTL1 */
#define CHIP_REFUSED 0xff /* another programming model: known by name only */

struct lsi_chip {
	u16 device; /* PCI device ID, vendor 1000h */
	u8 revision; /* the lowest this row is for */
	u8 features;
	char name[10]; /* without "53C" */
};

/* The chip with that PCI device ID and revision, or null if there is no such row
 * (post/chips.c).
 */
IN_ROM struct lsi_chip *lsi_chip_find(u16 device, u8 revision);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The chips that this ROM supports, and how they differ.
 */
#ifndef LSI_CHIPS_H
#define LSI_CHIPS_H

#include "pc/types.h"

#define LSI_PCI_VENDOR 0x1000

/* Features. An erratum has the name of the bit that must be set because of
 * it.
 */
#define CHIP_WIDE 0x01	 /* 16 IDs, RESPID1 */
#define CHIP_ISTAT1 0x02 /* ISTAT1, and CCNTL0/1 with the 64-bit registers */
#define CHIP_1010 0x04	 /* DFBC counts the FIFO; no clock divider */
#define CHIP_80MHZ 0x08	 /* boards with 80 instead of 40 MHz */
#define CHIP_EHP 0x10	 /* CTEST0, on both functions of a 876 */
#define CHIP_DPR 0x20	 /* CCNTL0 */
#define CHIP_NO_SGE 0x40 /* STEST1, CCNTL0.DILS: wrong SGE on a narrow bus */
#define CHIP_DISAIP 0x80 /* AIPCNTL1 */
#define CHIP_REFUSED 0xff /* not supported: another programming model */

struct lsi_chip {
	u16 device; /* PCI device ID, vendor 1000h */
	u8 revision; /* the lowest revision that this row is for */
	u8 features;
	u8 fast; /* the most transfers per second: 10 million << fast */
	char name[10]; /* without "53C" */
};

/* Find the row for a PCI device ID and revision; null if there is none
 * (post/chips.c).
 */
IN_ROM struct lsi_chip *lsi_chip_find(u16 device, u8 revision);

#endif

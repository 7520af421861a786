/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Chip table. A row is all that a chip needs which is brought up with the
 * small FIFO, asynchronous and narrow. The PCIR device list in rom/header.S
 * names the same devices; a test compares them.
 */
#include "chips.h"

/* CCF 3 divides by 3 and is what every driver uses for the 40 MHz clock of
 * these boards; the manual's table prints 4 for exactly 40 MHz.
 */
#define CCF_40MHZ 3

ROM_CONST struct lsi_chip chips[] = {
	{0x0001, 0, CCF_40MHZ, "53C810"},
	{0x0012, CHIP_WIDE | CHIP_ISTAT1, CCF_40MHZ, "53C895A"},
};

const struct lsi_chip __seg_gs *lsi_chip_at(u32 index)
{
	return index < ARRAY_SIZE(chips) ? &chips[index] : NULL;
}

const struct lsi_chip __seg_gs *lsi_chip_find(u16 device)
{
	for (u32 i = 0; i < ARRAY_SIZE(chips); i++)
		if (chips[i].device == device)
			return &chips[i];
	return NULL;
}

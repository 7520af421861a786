/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Calculates how many bytes of a block move that was cut short were not
 * transferred [8xx-TM "Phase mismatch"], for the small FIFO (CTEST5.DFS = 0)
 * and asynchronous, 8-bit transfer. The 1010 counts the bytes in its FIFO
 * itself.
 */
#include "lsi.h"

#include "regs.h"

#define DBC_MASK 0xffffff
#define SMALL_FIFO_MASK 0x7f

u32 lsi_residual(struct lsi *lsi, bool data_out)
{
	u32 left = lsi_read32(lsi, LSI_DBC) & DBC_MASK;

	/* Data in: the chip has emptied its FIFO into memory by itself. */
	if (!data_out)
		return left;
	/* Data out: DBC counts bytes that entered the FIFO; add those that are
	 * still in the FIFO and in the output latch.
	 */
	if (lsi->features & CHIP_1010)
		left += lsi_read16(lsi, LSI_DFBC);
	else
		left += (lsi_read8(lsi, LSI_DFIFO) - left) & SMALL_FIFO_MASK;
	if (lsi_read8(lsi, LSI_SSTAT0) & SSTAT0_OLF)
		left++;
	return left;
}

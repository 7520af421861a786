/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Tells by its registers who has set up a chip [8xx-TM "Registers"]. Seen:
 * SDMS leaves DMODE 4Eh, DCNTL 80h or A0h, and CTEST5 24h on the 875, 876, 896
 * and 1010; a chip that has not been set up has 0 in all three.
 */
#include "lsi/found.h"

#include "lsi/regs.h"

#define NO_ANSWER 0xff

struct trace {
	u8 reg;
	u8 value;
};

/* Registers that lsi_set_registers() sets on every chip, and that no driver is
 * known to leave like this all together
 */
ROM_CONST struct trace our_trace[] = {
	{LSI_CTEST5, 0},
	{LSI_DMODE, 0},
	{LSI_DIEN, 0},
	{LSI_STIME0, STIME0_SEL_256MS},
};

static bool is_our_trace(io_t io, u8 dcntl, u8 features)
{
	u8 ours = features & CHIP_1010 ? 0 : DCNTL_IRQD | DCNTL_COM;
	u8 scntl0 = io_read8(io, LSI_SCNTL0) | SCNTL0_EPC | SCNTL0_AAP;

	if (scntl0 != (SCNTL0_ARB_FULL | SCNTL0_EPC | SCNTL0_AAP))
		return false;
	for (u32 i = 0; i < ARRAY_SIZE(our_trace); i++)
		if (io_read8(io, our_trace[i].reg) != our_trace[i].value)
			return false;
	return (dcntl & ~DCNTL_IRQM) == ours;
}

bool lsi_found_in_use(io_t io, IN_ROM struct lsi_chip *chip)
{
	u8 istat1 = chip->features & CHIP_ISTAT1 ? io_read8(io, LSI_ISTAT1) : 0;

	/* While a program runs, no other register may be accessed. Ours never
	 * runs between two calls.
	 */
	if (istat1 & ISTAT1_SRUN && istat1 != NO_ANSWER)
		return true;
	u8 dcntl = io_read8(io, LSI_DCNTL), dmode = io_read8(io, LSI_DMODE);
	if (!(dmode | dcntl) || (dmode & dcntl) == NO_ANSWER)
		return false;
	return !is_our_trace(io, dcntl, chip->features);
}

/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Resets the chip and sets all its registers. [8xx-TM "Registers", SCSI-2
 * "Timing"]
 */
#include "lsi.h"

#include "regs.h"

#define ABORT_TIMEOUT_MS 20
#define SRST_US 100
#define SRST_SETTLE_US 2000 /* LVD chips sense the bus mode anew */
#define FIFO_CLEAR_TIMEOUT_MS 1
#define BUS_RESET_PULSE_US 100	/* at least 25 [SCSI-2] */
#define BUS_RESET_SETTLE_US 250000 /* "reset to selection" */

struct register_value {
	u8 reg;
	u8 value;
};

/* Values that are the same on every chip. */
ROM_CONST struct register_value fixed_registers[] = {
	{LSI_SCNTL1, 0},
	{LSI_SCNTL2, 0},
	{LSI_SXFER, 0},
	{LSI_CTEST3, 0},
	{LSI_CTEST4, 0},
	{LSI_DSA_TOP, OUR_DSA_TOP},
	{LSI_CTEST5, 0}, /* small FIFO: one residual formula for all chips */
	{LSI_DMODE, 0},
	{LSI_DIEN, 0}, /* polled: the interrupt pin stays inactive */
	{LSI_SIEN0, 0},
	{LSI_SIEN1, 0},
	{LSI_STIME0, STIME0_SEL_256MS},
	{LSI_STIME1, 0},
	{LSI_STEST1, 0}, /* clock multiplier off */
	{LSI_STEST3, STEST3_TE},
};

ROM_CONST u8 kept_registers[KEPT_REGISTERS] = {
	[KEPT_SCNTL0] = LSI_SCNTL0, [KEPT_SCNTL3] = LSI_SCNTL3,
	[KEPT_STEST2] = LSI_STEST2,
	[KEPT_DCNTL] = LSI_DCNTL,   [KEPT_GPREG] = LSI_GPREG,
	[KEPT_GPCNTL] = LSI_GPCNTL, [KEPT_SCID] = LSI_SCID,
	[KEPT_RESPID0] = LSI_RESPID0, [KEPT_RESPID1] = LSI_RESPID1,
};

/* Values that only some chips need */
struct feature_value {
	u8 feature;
	struct register_value set;
};

ROM_CONST struct feature_value feature_registers[] = {
	{CHIP_EHP, {LSI_CTEST0, CTEST0_EHP}},
	{CHIP_ISTAT1, {LSI_ISTAT1, 0}},
	{CHIP_ISTAT1, {LSI_CCNTL0, 0}},
	{CHIP_ISTAT1, {LSI_CCNTL1, CCNTL1_DDAC}},
	{CHIP_DPR, {LSI_CCNTL0, CCNTL0_DPR}},
	{CHIP_NO_SGE, {LSI_CCNTL0, CCNTL0_DILS}},
	{CHIP_NO_SGE, {LSI_STEST1, STEST1_NO_SGE}},
	{CHIP_DISAIP, {LSI_AIPCNTL1, AIPCNTL1_DISAIP}},
};

/* Wait for an operation that takes time on a chip. On QEMU's model it is
 * complete when the register has been written; its CLF never clears itself.
 */
static void wait_for_chip(struct lsi *lsi, u32 us)
{
	if (!lsi->instant)
		clock_delay_us(us);
}

void lsi_clear_fifos(struct lsi *lsi)
{
	struct clock clock;

	lsi_write8(lsi, LSI_CTEST3, CTEST3_CLF);
	lsi_write8(lsi, LSI_STEST3, STEST3_TE | STEST3_CSF);
	if (lsi->instant)
		return;
	clock_start(&clock, FIFO_CLEAR_TIMEOUT_MS);
	while (lsi_read8(lsi, LSI_CTEST3) & CTEST3_CLF &&
	       !clock_expired(&clock))
		;
}

bool lsi_abort(struct lsi *lsi)
{
	struct clock clock;

	lsi_write8(lsi, LSI_ISTAT, ISTAT_ABRT);
	clock_start(&clock, ABORT_TIMEOUT_MS);
	for (bool late = false; !late;) {
		late = clock_expired(&clock);
		u8 istat = lsi_read8(lsi, LSI_ISTAT);
		if (istat & ISTAT_SIP) {
			(void)lsi_read16(lsi, LSI_SIST);
		} else if (istat & ISTAT_DIP) {
			/* Clear ABRT before DSTAT is read, or the interrupt is
			 * raised again.
			 */
			lsi_write8(lsi, LSI_ISTAT, ISTAT_OURS);
			(void)lsi_read8(lsi, LSI_DSTAT);
			return true;
		}
	}
	lsi_write8(lsi, LSI_ISTAT, ISTAT_OURS);
	return false;
}

static void write_feature_registers(struct lsi *lsi)
{
	for (u32 i = 0; i < ARRAY_SIZE(feature_registers); i++) {
		IN_ROM struct feature_value *row =
			&feature_registers[i];
		if (lsi->features & row->feature)
			lsi_write8(lsi, row->set.reg, row->set.value);
	}
	/* Everything we move lies below 4 GiB. */
	if (lsi->features & CHIP_ISTAT1)
		for (u8 reg = LSI_MMRS; reg <= LSI_DNAD64; reg += 4)
			lsi_write32(lsi, reg, 0);
}

void lsi_set_registers(struct lsi *lsi)
{
	for (u32 i = 0; i < ARRAY_SIZE(fixed_registers); i++)
		lsi_write8(lsi, fixed_registers[i].reg,
			   fixed_registers[i].value);
	u32 kept = lsi->features & CHIP_WIDE ? KEPT_REGISTERS
					     : KEPT_REGISTERS_NARROW;

	for (u32 i = 0; i < kept; i++)
		lsi_write8(lsi, kept_registers[i], lsi->kept[i]);
	write_feature_registers(lsi);
}

u32 lsi_read_causes(struct lsi *lsi, u8 istat)
{
	u32 causes = 0;

	for (u32 i = 0; i < MOST_STACKED_CAUSES; i++) {
		if (istat & ISTAT_SIP)
			causes |= lsi_read16(lsi, LSI_SIST);
		/* DSTAT.DFE is needed after a SCSI interrupt, too. */
		causes |= CAUSE_DSTAT(lsi_read8(lsi, LSI_DSTAT));
		istat = lsi_read8(lsi, LSI_ISTAT);
		if (!(istat & ISTAT_PENDING))
			return causes;
	}
	/* The causes do not end: the chip does not answer or is broken. */
	return causes | SIST_SGE;
}

/* The end of a reset: wait, and clear pending causes and FIFOs. */
static enum hba_result settle(struct lsi *lsi)
{
	wait_for_chip(lsi, BUS_RESET_SETTLE_US);
	/* The chip reports our own bus reset, and a change of the bus mode. */
	(void)lsi_read_causes(lsi, lsi_read8(lsi, LSI_ISTAT));
	lsi_clear_fifos(lsi);
	/* A SELECT while RST is asserted hangs the chip. A chip that does not
	 * answer reads as all ones.
	 */
	if (lsi_read8(lsi, LSI_SSTAT0) & SSTAT0_RST ||
	    lsi_read8(lsi, LSI_ISTAT) & ISTAT_PENDING)
		return HBA_CHIP;
	lsi_write8(lsi, LSI_ISTAT, ISTAT_OURS);
	return HBA_OK;
}

enum hba_result lsi_reset(struct lsi *lsi)
{
	/* A program of another driver may wait for a reselection. */
	(void)lsi_abort(lsi);
	lsi->hba.doubtful = 0;
	/* A target that is still connected would never release the bus. */
	if (lsi->keep_bus && !(lsi_read8(lsi, LSI_ISTAT) & ISTAT_CON))
		lsi->hba.doubtful = HBA_ALL_TARGETS;
	lsi_write8(lsi, LSI_ISTAT, ISTAT_SRST);
	wait_for_chip(lsi, SRST_US);
	lsi_write8(lsi, LSI_ISTAT, 0);
	wait_for_chip(lsi, SRST_SETTLE_US);
	lsi_set_registers(lsi);
	if (!lsi->hba.doubtful) {
		lsi_write8(lsi, LSI_SCNTL1, SCNTL1_RST);
		clock_delay_us(BUS_RESET_PULSE_US);
		lsi_write8(lsi, LSI_SCNTL1, 0);
	}
	return settle(lsi);
}

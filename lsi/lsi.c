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
	{LSI_SCNTL0, SCNTL0_ARB_FULL | SCNTL0_EPC | SCNTL0_AAP},
	{LSI_SCNTL1, 0},
	{LSI_SCNTL2, 0},
	{LSI_SXFER, 0},
	{LSI_CTEST3, 0},
	{LSI_CTEST4, 0},
	{LSI_CTEST5, 0}, /* small FIFO: one residual formula for all chips */
	{LSI_DMODE, 0},
	{LSI_DIEN, 0}, /* polled: the interrupt pin stays inactive */
	{LSI_STIME0, STIME0_SEL_256MS},
	{LSI_STIME1, 0},
	{LSI_STEST1, 0}, /* clock multiplier off */
	{LSI_STEST3, STEST3_TE},
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
			lsi_write8(lsi, LSI_ISTAT, 0);
			(void)lsi_read8(lsi, LSI_DSTAT);
			return true;
		}
	}
	lsi_write8(lsi, LSI_ISTAT, 0);
	return false;
}

static void write_ids(struct lsi *lsi)
{
	u8 id = lsi->hba.own_id;

	lsi_write8(lsi, LSI_SCID, SCID_RRE | id);
	lsi_write8(lsi, LSI_RESPID0, (u8)(1u << id));
	if (lsi->features & CHIP_WIDE)
		lsi_write8(lsi, LSI_RESPID1, (u8)((1u << id) >> 8));
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

void lsi_reset_chip(struct lsi *lsi)
{
	lsi_write8(lsi, LSI_ISTAT, ISTAT_SRST);
	wait_for_chip(lsi, SRST_US);
	lsi_write8(lsi, LSI_ISTAT, 0);
	wait_for_chip(lsi, SRST_SETTLE_US);

	for (u32 i = 0; i < ARRAY_SIZE(fixed_registers); i++)
		lsi_write8(lsi, fixed_registers[i].reg,
			   fixed_registers[i].value);
	lsi_write16(lsi, LSI_SIEN, 0);
	lsi_write8(lsi, LSI_SCNTL3, lsi->scntl3);
	lsi_write8(lsi, LSI_STEST2, lsi->stest2);
	lsi_write8(lsi, LSI_DCNTL, lsi->dcntl);
	/* Some boards switch their terminators with these pins. */
	lsi_write8(lsi, LSI_GPREG, lsi->gpreg);
	lsi_write8(lsi, LSI_GPCNTL, lsi->gpcntl);
	write_ids(lsi);
	write_feature_registers(lsi);
}

/* Clear all pending causes by reading them. */
static void drain_causes(struct lsi *lsi)
{
	for (u32 i = 0; i < MOST_STACKED_CAUSES; i++) {
		u8 istat = lsi_read8(lsi, LSI_ISTAT);
		if (!(istat & (ISTAT_SIP | ISTAT_DIP)))
			return;
		if (istat & ISTAT_SIP)
			(void)lsi_read16(lsi, LSI_SIST);
		if (istat & ISTAT_DIP)
			(void)lsi_read8(lsi, LSI_DSTAT);
	}
}

enum hba_result lsi_settle(struct lsi *lsi)
{
	wait_for_chip(lsi, BUS_RESET_SETTLE_US);
	/* The chip reports our own bus reset, and a change of the bus mode. */
	drain_causes(lsi);
	lsi_clear_fifos(lsi);
	/* A SELECT while RST is asserted hangs the chip. A chip that does not
	 * answer reads as all ones.
	 */
	lsi->unusable = lsi_read8(lsi, LSI_SSTAT0) & SSTAT0_RST ||
			lsi_read8(lsi, LSI_ISTAT) & (ISTAT_SIP | ISTAT_DIP);
	return lsi->unusable ? HBA_CHIP : HBA_OK;
}

enum hba_result lsi_reset(struct lsi *lsi)
{
	lsi_reset_chip(lsi);
	lsi_write8(lsi, LSI_SCNTL1, SCNTL1_RST);
	clock_delay_us(BUS_RESET_PULSE_US);
	lsi_write8(lsi, LSI_SCNTL1, 0);
	return lsi_settle(lsi);
}

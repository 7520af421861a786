/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Initialises a chip [8xx-TM "Registers"].
 */
#include "lsi/lsi.h"

#include "lsi/program.h"

/* SCNTL3.CCF. 3 divides by 3 and is what every driver uses for the 40 MHz clock
 * of most boards; the manual's table prints 4 for exactly 40 MHz.
 */
#define CCF_40MHZ 3
#define CCF_80MHZ 5

/* The SCRIPTS instruction OR_REGISTER LSI_GPREG, GPREG_LED */
#define LED_OFF (0x7a000000u | LSI_GPREG << 16 | GPREG_LED << 8)

#define SCID_ID_MASK 0x0f
#define USUAL_HOST_ID 7

/* Copy the program; see there for the activity LED. */
static void copy_program(struct lsi *lsi, bool led)
{
	lsi->place = 0;
	for (u32 i = 0; i < SCRIPT_DWORDS; i++)
		lsi->script[i] = lsi_script[i];
	if (!led)
		return;
	lsi->kept[KEPT_GPREG] |= GPREG_LED;
	lsi->script[script_patch_command_test / 4 + 1] -= 8; /* the distance */
	lsi->script[script_patch_led_off / 4] = LED_OFF;
	lsi->script[script_patch_led_off / 4 + 1] = 0;
}

enum hba_result lsi_stop(struct lsi *lsi, const struct lsi_options *options)
{
	IN_ROM struct lsi_chip *chip = options->chip;

	lsi->hba.execute = lsi_execute;
	lsi->io = options->io;
	lsi->features = chip->features;
	lsi->hba.last_id = chip->features & CHIP_WIDE ? 15 : 7;
	if (lsi_read8(lsi, LSI_ISTAT) == ISTAT_NO_ANSWER)
		return HBA_CHIP;
	/* A program of an earlier driver may still wait for reselection; then
	 * only ISTAT may be accessed. Old chips do not show whether a program
	 * runs.
	 */
	if (!(chip->features & CHIP_ISTAT1) ||
	    lsi_read8(lsi, LSI_ISTAT1) & ISTAT1_SRUN)
		(void)lsi_abort(lsi); /* a reset follows in any case */
	return HBA_OK;
}

enum hba_result lsi_open(struct lsi *lsi, const struct lsi_options *options)
{
	lsi->keep_bus = options->keep_bus;
	lsi->instant = options->instant;
	for (u32 i = 0; i < HBA_TARGETS; i++) {
		lsi->hba.media_timeout_s[i] = HBA_MEDIA_TIMEOUT_S;
		lsi->identify[i] = options->disconnects >> i & 1
					   ? MSG_IDENTIFY | IDENTIFY_DISCONNECT
					   : MSG_IDENTIFY;
	}
	lsi->spins = LSI_SPINS_IN_SCAN;
	/* Keep the settings of the board: own ID, differential
	 * transceivers, interrupt pin driver, general-purpose pins.
	 */
	u8 id = lsi_read8(lsi, LSI_SCID) & SCID_ID_MASK & lsi->hba.last_id;
	lsi->hba.own_id = options->own_id != LSI_ID_AS_FOUND ? options->own_id
			  : id			    ? id
						    : USUAL_HOST_ID;
	id = lsi->hba.own_id;
	lsi->kept[KEPT_SCNTL0] = SCNTL0_ARB_FULL;
	if (!options->no_parity)
		lsi->kept[KEPT_SCNTL0] |= SCNTL0_EPC | SCNTL0_AAP;
	lsi->kept[KEPT_SCID] = SCID_RRE | id;
	lsi->kept[KEPT_RESPID0] = (u8)(1u << id);
	lsi->kept[KEPT_RESPID1] = (u8)(1u << id >> 8);
	lsi->kept[KEPT_STEST2] = lsi_read8(lsi, LSI_STEST2) & STEST2_DIF;
	lsi->kept[KEPT_DCNTL] = lsi_read8(lsi, LSI_DCNTL) & DCNTL_IRQM;
	if (!(lsi->features & CHIP_1010)) {
		lsi->kept[KEPT_DCNTL] |= DCNTL_IRQD | DCNTL_COM;
		lsi->kept[KEPT_SCNTL3] = lsi->features & CHIP_80MHZ
						 ? CCF_80MHZ
						 : CCF_40MHZ;
	}
	lsi->kept[KEPT_GPREG] = lsi_read8(lsi, LSI_GPREG);
	lsi->kept[KEPT_GPCNTL] = lsi_read8(lsi, LSI_GPCNTL);
	copy_program(lsi, options->led);
	return lsi_reset(lsi);
}

/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Resets one target. The ROM does not use this; efi/ does.
 */
#include "dismiss.h"

enum hba_result lsi_reset_target(struct lsi *lsi, struct hba_request *request)
{
	struct exec x;

	program_begin(&x, lsi, request);
	if (lsi_read8(lsi, LSI_ISTAT) == ISTAT_OURS) {
		enum ending ending = dismiss(&x, MSG_BUS_DEVICE_RESET, 0);

		if (ending == END_COMPLETE)
			return HBA_OK;
		if (ending == END_NO_TARGET)
			return HBA_NO_TARGET;
	}
	/* A bus reset resets this target, too. */
	return lsi_reset(lsi) == HBA_OK ? HBA_BUS_RESET : HBA_CHIP;
}

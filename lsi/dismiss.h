/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The last message to a target: it ends a command, or all that the target does.
 */
#ifndef LSI_DISMISS_H
#define LSI_DISMISS_H

#include "program.h"

#define DISMISS_TIMEOUT_MS 500

/* Send the target of x->request a message after which it leaves the bus: by ATN if `istat`
 * shows that it is connected, else after a selection. The chip must be stopped, and the
 * answers clear (program_clear_answers()). Restarts x->clock. END_COMPLETE if the bus is free
 * then.
 */
static inline enum ending dismiss(struct exec *x, u8 message, u8 istat)
{
	struct lsi *lsi = x->lsi;
	enum script_label entry = script_dismiss;
	u8 bytes = 0;

	if (!(istat & ISTAT_CON)) {
		entry = script_select_to_dismiss;
		*program_byte(lsi, entry, INSN_ID) = x->request->target;
		lsi->moved.msg_out[bytes++] = MSG_IDENTIFY | x->request->lun;
	}
	lsi->moved.msg_out[bytes++] = message;
	*program_byte(lsi, script_patch_dismiss, INSN_DATA) = bytes;
	clock_start(&x->clock, DISMISS_TIMEOUT_MS);
	return program_run(x, entry);
}

#endif

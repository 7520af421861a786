/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * What follows when the program has stopped: middle layer of a command.
 */
#ifndef LSI_EVENTS_H
#define LSI_EVENTS_H

#include "program.h"

/* What to do next: go on at a label, or end the command. */
struct step {
	bool over;
	u8 result; /* enum hba_result, if over */
	u32 entry; /* enum script_label, if not */
};

/* The step after any ending but END_COMPLETE. It may run the program itself, to
 * fetch the rest of a message.
 */
struct step events_act(struct exec *x, enum ending ending);

/* Fill in what the request returns, after END_COMPLETE. HBA_OK, or HBA_BUS_FREE
 * if the target sent no status.
 */
enum hba_result events_complete(struct exec *x);

#endif

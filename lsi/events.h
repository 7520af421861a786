/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The middle layer of a command: decides what follows after a stop of the
 * SCRIPTS program.
 */
#ifndef LSI_EVENTS_H
#define LSI_EVENTS_H

#include "program.h"

/* The next step: continue the program at a label, or end the command. */
struct step {
	bool over;
	u8 result; /* enum hba_result, if over */
	u32 entry; /* enum script_label, if not */
};

/* Handle any ending but END_COMPLETE, and return the next step. May run the
 * program to fetch the rest of a message.
 */
struct step events_act(struct exec *x, enum ending ending);

/* Set the results in the request after END_COMPLETE. HBA_OK, or HBA_BUS_FREE
 * if the target sent no status.
 */
enum hba_result events_complete(struct exec *x);

#endif

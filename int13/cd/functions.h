/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The entry to INT 13h for CDs and the emulated drive.
 */
#ifndef INT13_CD_FUNCTIONS_H
#define INT13_CD_FUNCTIONS_H

#include "int13/int13.h"

/* Called by the CD door (cd_entry.S) for each INT 13h on a CD of ours, or on
 * the emulated drive if state->for_image. Moves FS.
 */
void cd_dispatch(struct int13_frame *regs, struct int13_state *state);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * INT 13h for CDs and the emulated drive.
 */
#ifndef INT13_CD_FUNCTIONS_H
#define INT13_CD_FUNCTIONS_H

#include "int13/int13.h"

/* Called by rom_int13_cd (cd_entry.S) on our stack for each INT 13h that
 * addresses a CD of ours or, with state->for_emulated, the emulated drive. The
 * results are in *regs. Moves FS.
 */
void cd_dispatch(struct int13_frame *regs, struct int13_state *state);

#endif

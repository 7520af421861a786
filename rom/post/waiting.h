/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Limits the time that the scan waits for units (docs/errors.md).
 */
#ifndef ROM_POST_WAITING_H
#define ROM_POST_WAITING_H

#include "pc/types.h"

/* Begin the scan. From now on commands end 60 s after this or the last
 * waiting_got_further(), with their recovery, and none is started after that. Moves FS.
 */
void waiting_begin(void);

/* End the scan: commands have their own time limits only. */
void waiting_end(void);

/* Wait, as the user wants it. This time counts for none of the limits. */
void waiting_pause(u32 seconds);

/* The next commands are for one target. If they take more than about 2 s, a line names
 * it, once in a scan; each command may move FS then.
 */
void waiting_for_unit(void);

/* All targets have been identified and started: the time for spinning up begins. */
void waiting_spin_up(void);

/* The examination of a unit is complete: all times begin anew. */
void waiting_got_further(void);

/* The time in ms that is left for units to become ready, up to 30 s */
u32 waiting_patience_ms(void);

/* Has the first pass over the targets, or the whole scan, taken so long that no
 * further target is begun?
 */
bool waiting_pass_is_over(void);
bool waiting_is_over(void);

#endif

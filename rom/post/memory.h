/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Memory below 1 MiB taken during init.
 */
#ifndef ROM_MEMORY_H
#define ROM_MEMORY_H

#include "pc/types.h"

#define PARAGRAPHS_PER_KIB 64
#define MOST_MEMORY_KIB 640 /* more in 40:13h is no sensible one */

/* Take `kib` KiB: from PMM, else from the top of conventional memory (below
 * the EBDA, by lowering 40:13h). Returns a segment, 0 if there is none.
 * Moves FS.
 */
u16 memory_take(u16 kib, bool permanent);

/* Give it back. What was taken from conventional memory goes back only if
 * nothing was taken below it since. Moves FS.
 */
void memory_give_back(u16 segment, u16 kib);

/* What init has taken */
struct memory {
	u16 place;	/* segment where the ROM image is to stay */
	u16 place_kib; /* if that is a copy in RAM, else 0 */
	u16 workspace; /* segment, or 0 */
};

/* Give all back; nothing of us stays. Moves FS. */
void memory_leave(const struct memory *memory);

#endif

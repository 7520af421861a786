/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Memory below 1 MiB taken during init.
 */
#ifndef ROM_MEMORY_H
#define ROM_MEMORY_H

#include "pc/types.h"

#define PARAGRAPHS_PER_KIB 64
#define MOST_MEMORY_KIB 640 /* a higher 40:13h is not plausible */

/* Take `kib` KiB: from PMM, else from the top of conventional memory (below
 * the EBDA, by lowering 40:13h). Returns a segment, 0 if there is none.
 * Moves FS.
 */
u16 memory_take(u16 kib, bool permanent);

/* Give it back. Conventional memory can be given back only if nothing below it
 * has been taken since. Moves FS.
 */
void memory_give_back(u16 segment, u16 kib);

/* The memory that init has taken */
struct memory {
	u16 place;	/* segment where the ROM image is to stay */
	u16 place_kib; /* if that is a copy in RAM, else 0 */
	u16 workspace; /* segment, or 0 */
};

/* Give all of it back; nothing of the ROM stays. Moves FS. */
void memory_leave(const struct memory *memory);

#endif

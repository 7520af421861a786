/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Allocates memory below 1 MiB during init.
 */
#ifndef ROM_MEMORY_H
#define ROM_MEMORY_H

#include "pc/types.h"

#define PARAGRAPHS_PER_KIB 64
#define MOST_MEMORY_KIB 640 /* a higher 40:13h is not plausible */

/* Allocate `kib` KiB: by PMM, else from the top of conventional memory, below
 * the EBDA, by lowering 40:13h. `permanent`: the memory must remain allocated
 * after POST. Returns its segment, 0 if there is none. Moves FS.
 */
u16 memory_take(u16 kib, bool permanent);

/* Free memory of memory_take(). Conventional memory must be freed in reverse
 * order of allocation. Moves FS.
 */
void memory_give_back(u16 segment, u16 kib);

/* The memory that POST uses */
struct memory {
	u16 place;	/* segment of the resident ROM image */
	u16 place_kib; /* its size if memory_take() has allocated it, else 0 */
	u16 workspace; /* segment, or 0 */
};

/* Free all of it, and leave a header with length 0: the BIOS keeps nothing of
 * the ROM. Moves FS.
 */
void memory_leave(const struct memory *memory);

#endif

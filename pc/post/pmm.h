/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * POST Memory Manager [PMM 1.01]: memory below 1 MiB that costs the 640 KiB
 * nothing. Only during init.
 */
#ifndef PC_PMM_H
#define PC_PMM_H

#include "pc/types.h"

/* Its far entry point, 0 if there is none. Moves FS. */
u32 pmm_entry(void);

/* Is there one? Moves FS. */
bool pmm_present(void);

/* Allocate len_bytes (a multiple of 16) of conventional-addressable memory,
 * kept after boot if permanent. Returns its segment, 0 if there is no PMM or
 * it has none to give. Moves FS.
 */
u16 pmm_allocate(u32 len_bytes, bool permanent);

/* Give back what pmm_allocate() returned. Moves FS. */
void pmm_free(u16 segment);

#endif

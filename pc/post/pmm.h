/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * POST Memory Manager [PMM 1.01]: allocates memory below 1 MiB that is not
 * part of the 640 KiB. Available only during init.
 */
#ifndef PC_PMM_H
#define PC_PMM_H

#include "pc/types.h"

/* The far entry point of the PMM, 0 if there is none. Moves FS. */
u32 pmm_entry(void);

/* Does the BIOS have a PMM? Moves FS. */
bool pmm_present(void);

/* Allocate len_bytes (a multiple of 16) of memory below 1 MiB. If
 * `permanent`, it remains allocated after POST. Returns its segment, 0 if
 * there is no PMM or it has no memory. Moves FS.
 */
u16 pmm_allocate(u32 len_bytes, bool permanent);

/* Free memory of pmm_allocate(). Moves FS. */
void pmm_free(u16 segment);

#endif

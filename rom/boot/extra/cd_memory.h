/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The memory of far code (rom/gates/gates.S) that only CDs need, on a BIOS without
 * PMM: the lowest that init has taken from the 640 KiB (post/install.c).
 */
#ifndef ROM_CD_MEMORY_H
#define ROM_CD_MEMORY_H

#include "pc/types.h"

/* Another device boots: return the memory to the system, unless another program has
 * taken memory below it. The code for CDs stays there until something overwrites
 * it. Moves FS.
 */
void cd_memory_give_back(void);

/* Take the memory again, for a CD. False if the system has used it since, and at any
 * time later: no CD can be booted then. Moves FS.
 */
bool cd_memory_take(void);

#endif

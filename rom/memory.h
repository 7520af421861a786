/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Memory below 1 MiB taken during init.
 */
#ifndef ROM_MEMORY_H
#define ROM_MEMORY_H

#include "pc/types.h"

/* Take `kib` KiB: from PMM, else from the top of conventional memory (below
 * the EBDA, by lowering 40:13h). Returns a segment, 0 if there is none.
 */
u16 memory_take(u16 kib, bool permanent);

/* Give it back. What was taken from conventional memory goes back only if
 * nothing was taken below it since.
 */
void memory_give_back(u16 segment, u16 kib);

#endif

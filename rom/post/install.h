/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * POST: what stays in memory.
 */
#ifndef ROM_INSTALL_H
#define ROM_INSTALL_H

#include "pc/types.h"

/* Copy what the drives found and the BIOS need of the ROM image to its place, with the
 * boot entries unless the BIOS calls none, and far code to memory of its own if there
 * is no PMM. If not all entries fit, those of the last units are missing. Moves FS.
 */
void install_resident(void);

#endif

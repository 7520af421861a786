/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * POST: what stays in memory.
 */
#ifndef ROM_INSTALL_H
#define ROM_INSTALL_H

#include "pc/types.h"

/* Copy what the drives found and the BIOS need of the ROM image to its place, with
 * `entries` boot entries or as many as fit, and the code for CDs to memory of its own
 * if there is no PMM. `extra`: the part .extra is needed for this BIOS. The entries
 * that fit are counted in workspace.entries. Moves FS.
 */
void install_resident(u32 entries, bool extra);

#endif

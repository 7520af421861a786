/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Boots a CD.
 */
#ifndef ROM_CDBOOT_H
#define ROM_CDBOOT_H

#include "pc/types.h"

/* Load the boot image of the CD in that slot. Returns the far address to
 * continue at, with the drive number for DL in workspace.boot_drive. If the
 * CD cannot be booted, prints the reason and returns 0; the drives are
 * unchanged. Moves FS.
 */
u32 cdboot_boot(u32 slot);

/* End the emulation and remove the drive numbers of CDs. Moves FS. */
void cdboot_disconnect(void);

#endif

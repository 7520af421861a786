/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Booting a CD.
 */
#ifndef ROM_CDBOOT_H
#define ROM_CDBOOT_H

#include "pc/types.h"

/* Boot the CD of that slot. Returns the far address to go to, with the drive
 * number for it in workspace.boot_drive; 0, and nothing has changed, if the CD
 * cannot be booted. Moves FS.
 */
u32 cd_boot(u32 slot);

/* End the emulation and take the drive numbers of CDs back. Moves FS. */
void cd_disconnect(void);

#endif

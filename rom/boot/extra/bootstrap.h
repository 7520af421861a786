/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The part of booting that a BIOS without boot entries leaves to the ROM. All
 * functions take the entry point for INT 18h (boot_entry.S), which the BIOS or
 * a booted system calls if it finds nothing to boot.
 */
#ifndef ROM_BOOTSTRAP_H
#define ROM_BOOTSTRAP_H

#include "pc/types.h"

/* The BIOS, or a booted system, has called INT 19h or 18h (BOOT_...). Returns
 * the far address to go to. Moves FS.
 */
u32 bootstrap_next(u32 interrupt, u32 int18_entry);

/* Boot the CD of that slot and hook INT 18h, as its system may give up. Returns
 * the far address to go to, 0 if the CD cannot be booted. Moves FS.
 */
u32 bootstrap_cd(u32 slot, u32 int18_entry);

#endif

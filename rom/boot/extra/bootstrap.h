/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * The part of booting that a BIOS without boot entries leaves to the ROM.
 * Each function has the entry point for INT 18h (boot_entry.S) as an
 * argument. The BIOS or a booted system calls INT 18h if it finds nothing to
 * boot.
 */
#ifndef ROM_BOOTSTRAP_H
#define ROM_BOOTSTRAP_H

#include "pc/types.h"

/* Serve INT 19h, INT 18h or INT 13h (BOOT_INT19, BOOT_INT18, BOOT_INT13) of the
 * BIOS or of a booted system. Returns the far address to continue at. Moves FS.
 */
u32 bootstrap_next(u32 interrupt, u32 int18_entry);

/* Connect the disks that are not connected yet, in boot order from that slot on.
 * Moves FS.
 */
void bootstrap_connect_disks(u32 slot);

/* Boot the CD of that slot, and hook INT 18h because the system on it may
 * give up. Returns the far address to continue at, 0 if the CD cannot be
 * booted. Moves FS.
 */
u32 bootstrap_cd(u32 slot, u32 int18_entry);

#endif

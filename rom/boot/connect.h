/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Drive numbers for disks, and the interrupt vectors that serve them.
 */
#ifndef ROM_CONNECT_H
#define ROM_CONNECT_H

#include "rom/workspace.h"

/* Give the disk of that slot its number, and hook INT 13h for the first one.
 * The BIOS calls the vectors of the disks that it uses, in its own order, with
 * other drives in between. Moves FS.
 */
void connect_disk(u32 slot);

/* Take the number back. It stays, as does the vector, if other drives or
 * handlers have come after ours. Moves FS.
 */
void connect_undo_disk(u32 slot);

/* Is the unit of that slot a CD? */
static inline bool connect_is_cd(u32 slot)
{
	return workspace.int13.disk[slot].flags & DISK_CD;
}

/* "80h: SCSI 00:03.0 ID 0 LUN 0 QEMU QEMU HARDDISK 64 MiB, ..." and a new
 * line. Also for CDs. Moves FS.
 */
void connect_print_drive(u32 slot);

/* Point an interrupt vector (IVT_...) at an entry point of this ROM. Returns
 * the previous one. Moves FS.
 */
u32 connect_hook(u32 vector, u32 entry);

/* Restore an interrupt vector. False if another handler has hooked it since.
 * Moves FS.
 */
bool connect_unhook(u32 vector, u32 entry, u32 previous);

#endif

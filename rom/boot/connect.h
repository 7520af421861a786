/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Assigns drive numbers to disks and hooks interrupt vectors.
 */
#ifndef ROM_CONNECT_H
#define ROM_CONNECT_H

#include "rom/layout.h"
#include "rom/workspace.h"

/* Assign a drive number to the disk of that slot, and hook INT 13h if it is
 * the first one. The BIOS calls this for the disks that it uses, in its own
 * order; it may count drives of others in between. Moves FS.
 */
void connect_disk(u32 slot);

/* Hook INT 13h, unless it is hooked. Moves FS. */
void connect_int13(void);

/* Undo connect_disk(). The number stays if other drives were counted after
 * it, the vector if another handler was hooked after ours. Moves FS.
 */
void connect_undo_disk(u32 slot);

/* Is the unit of that slot a CD? */
static inline bool connect_is_cd(u32 slot)
{
	return drive_table[slot].flags & DISK_CD;
}

/* Print "80h: SCSI 00:03.0 ID 0 LUN 0 QEMU QEMU HARDDISK 64 MiB, ..." and a new
 * line, for a disk or a CD. Moves FS.
 */
void connect_print_drive(u32 slot);

/* The far address of an offset in the resident image */
static inline u32 connect_far(u32 offset)
{
	return (u32) * (u16 IN_ROM *)ROM_PLACE << 16 | offset;
}

/* Point an interrupt vector (IVT_...) at `handler`, a far address. Returns the
 * previous vector. Moves FS.
 */
u32 connect_hook(u32 vector, u32 handler);

/* Restore an interrupt vector. False, and nothing changes, if it is not `handler`
 * any more. Moves FS.
 */
bool connect_unhook(u32 vector, u32 handler, u32 previous);

#endif

/* SPDX-License-Identifier: BSD-2-Clause
 * Copyright (c) 2026 the lsi8xx-rom authors
 *
 * Boot entries: what happens when the BIOS uses one.
 */
#ifndef ROM_CONNECT_H
#define ROM_CONNECT_H

#include "int13/drives.h"

/* Give the disk of that slot its number. The BIOS calls the vectors of those it
 * wants, in its own order, with other drives in between.
 */
void connect_disk(u32 slot);

/* Is the unit of that slot a CD? */
bool connect_is_cd(u32 slot);

/* The BIOS, or what was booted, is at INT 19h or 18h (BOOT_...): where to go
 * (bootstrap.c).
 */
u32 bootstrap_next(u32 slot);

/* Called on our stack by entry.S:bcv_common, for a slot, for a slot with
 * BOOT_DISCONNECT, or for BOOT_INT18 and BOOT_INT19. Returns the far address to
 * go to, 0 to go back.
 */
u32 boot_connect(u32 slot);

/* "80h: SCSI 00:03.0 ID 0 LUN 0 QEMU QEMU HARDDISK 64 MiB, ..." and a new
 * line. Also for CDs.
 */
void connect_print_drive(u32 slot);

/* Point an interrupt vector (IVT_...) at an entry point of ours. Returns the
 * one before.
 */
u32 connect_hook(u32 vector, const char *entry);

/* Hear of it when nothing boots, or what was booted gives up (bootstrap.c). */
void connect_hook_int18(void);

/* Let go of an interrupt vector, if it is still ours. False if it is not. */
bool connect_unhook(u32 vector, const char *entry, u32 previous);

/* Boot the CD of that slot (cdboot.c): where to go, with the drive number in
 * workspace.boot_drive; 0, and nothing has changed, if that cannot be done.
 */
u32 cd_boot(u32 slot);

/* Take the image and the numbers of CDs away again. */
void cd_disconnect(void);

#endif
